//! Between the words of `wit/` and those of `lockgate_core::plugin`, by hand, with every answer checked on the way in.

use lockgate_core::name::Name;
use lockgate_core::origin::normal_origin;
use lockgate_core::plugin::{
    Artifact, CallContext, ChangeAction, Decision, Description, Failure, FieldChange, Health, Issue, PlanStep, Planned,
    Progressed, Requested, Requests, ResourceChange, ResourceState, Retry, Sampled, Verdict,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bindings::gate::exports::lockgate::gate::gate;
use crate::bindings::phase::exports::lockgate::phase::phase;
use crate::bindings::plugin::types;
use crate::bindings::target::exports::lockgate::target::target;
use crate::call::{CallError, LogLevel};

/// A failure's message goes into the record of the attempt, where nobody reads more.
const MESSAGE_BYTES: usize = 16 << 10;
const CODE_BYTES: usize = 64;
const NAME_BYTES: usize = 100;
const SUMMARY_BYTES: usize = 4 << 10;
const SCHEMA_BYTES: usize = 1 << 20;
const ISSUES: usize = 1_000;
/// What an item of a list costs beside its text: in memory and on the record an empty one is not free.
const ITEM_BYTES: usize = 64;

/// Adds up what an answer contains and names the part that went over.
pub struct Allowance {
    limit_bytes: u64,
    used_bytes: u64,
}

impl Allowance {
    pub fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, used_bytes: 0 }
    }

    fn take(&mut self, what: &'static str, bytes: usize) -> Result<(), CallError> {
        self.used_bytes = self.used_bytes.saturating_add(bytes as u64);
        if self.used_bytes > self.limit_bytes {
            let (limit_bytes, actual_bytes) = (self.limit_bytes, self.used_bytes);
            return Err(CallError::OutputLimit { what, limit_bytes, actual_bytes });
        }
        Ok(())
    }

    fn item(&mut self, what: &'static str, text_bytes: usize) -> Result<(), CallError> {
        self.take(what, text_bytes.saturating_add(ITEM_BYTES))
    }

    /// JSON text within the limit; nothing at all means `null`, or what the type has for it.
    fn json<T: DeserializeOwned + Default>(&mut self, what: &'static str, text: &str) -> Result<T, CallError> {
        self.take(what, text.len())?;
        parse(what, text)
    }
}

fn parse<T: DeserializeOwned + Default>(what: &str, text: &str) -> Result<T, CallError> {
    if text.trim().is_empty() {
        return Ok(T::default());
    }
    serde_json::from_str(text).map_err(|error| invalid(what, error))
}

/// Both quote the guest, and are read in terminals.
fn invalid(what: impl Into<String>, problem: impl ToString) -> CallError {
    let harmless = |text: String| shortened(&text, MESSAGE_BYTES).replace(char::is_control, "\u{fffd}");
    CallError::InvalidAnswer { what: harmless(what.into()), problem: harmless(problem.to_string()) }
}

pub fn call(context: CallContext) -> types::Call {
    types::Call {
        project: context.project,
        environment: context.environment,
        deployment: context.deployment,
        attempt: context.attempt,
        name: context.name,
        sequence: context.sequence,
        idempotency_key: context.idempotency_key,
        trace_parent: String::new(),
        extra: Vec::new(),
    }
}

pub fn level(level: types::Level) -> LogLevel {
    match level {
        types::Level::Debug => LogLevel::Debug,
        types::Level::Info => LogLevel::Info,
        types::Level::Warn => LogLevel::Warn,
        types::Level::Error => LogLevel::Error,
    }
}

pub fn failure_to_guest(failure: Failure) -> types::Failure {
    types::Failure {
        code: failure.code,
        message: failure.message,
        retry: match failure.retry {
            Retry::Never => types::Retry::Never,
            Retry::SameKey => types::Retry::SameKey,
        },
        retry_after_ms: failure.retry_after_ms,
        details: if failure.details.is_null() { String::new() } else { failure.details.to_string() },
    }
}

/// Never refused for its form: a clumsy failure is still the reason people look for.
pub fn failure(failure: types::Failure) -> CallError {
    let code = if failure.code.is_empty() { "failed" } else { shortened(&failure.code, CODE_BYTES) };
    let details = shortened(&failure.details, MESSAGE_BYTES);
    let details = parse(details, details).unwrap_or_else(|_| Value::String(details.to_owned()));
    CallError::Failed(Failure {
        code: code.to_owned(),
        message: shortened(&failure.message, MESSAGE_BYTES).to_owned(),
        retry: match failure.retry {
            types::Retry::Never => Retry::Never,
            types::Retry::SameKey => Retry::SameKey,
        },
        retry_after_ms: failure.retry_after_ms,
        details,
    })
}

fn shortened(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

pub fn description(description: types::Description) -> Result<Description, CallError> {
    bounded("describe: name", &description.name, NAME_BYTES)?;
    bounded("describe: version", &description.version, NAME_BYTES)?;
    bounded("describe: summary", &description.summary, SUMMARY_BYTES)?;
    bounded("describe: config-schema", &description.config_schema, SCHEMA_BYTES)?;
    bounded("describe: requests", &description.requests, SCHEMA_BYTES)?;
    if description.name.trim().is_empty() {
        return Err(invalid("describe: name", "it is empty"));
    }
    let config_schema: Value = parse("describe: config-schema", &description.config_schema)?;
    if !matches!(config_schema, Value::Null | Value::Bool(_) | Value::Object(_)) {
        return Err(invalid("describe: config-schema", "a JSON Schema is an object, true or false"));
    }
    printable("describe: version", &description.version)?;
    printable("describe: summary", &description.summary)?;
    let requests: Requests = parse("describe: requests", &description.requests)?;
    requests.http.iter().try_for_each(|request| requested("http", request, |it| normal_origin(it).map(drop)))?;
    let named = |kind, requests: &[Requested]| {
        requests.iter().try_for_each(|request| requested(kind, request, |it| it.parse::<Name>().map(drop)))
    };
    named("folders", &requests.folders)?;
    named("secrets", &requests.secrets)?;
    named("reveal", &requests.reveal)?;
    named("tools", &requests.tools)?;
    Ok(Description {
        name: description.name,
        version: description.version,
        summary: description.summary,
        config_schema,
        requests,
    })
}

/// Shown to operators, in terminals.
fn printable(what: &str, text: &str) -> Result<(), CallError> {
    match text.chars().any(char::is_control) {
        true => Err(invalid(what, "it has a control character")),
        false => Ok(()),
    }
}

/// A name that is none, or a pointer that is none, could be granted by nobody; it is found here, before people wonder.
fn requested<E: std::fmt::Display>(
    what: &str,
    request: &Requested,
    check_name: impl FnOnce(&str) -> Result<(), E>,
) -> Result<(), CallError> {
    let what = format!("describe: requests: {what}");
    match request {
        Requested::Named(name) => check_name(name).map_err(|problem| invalid(what, problem)),
        Requested::Config(pointer) => {
            printable(&what, pointer)?;
            if !pointer.starts_with('/') {
                let pointer = shortened(pointer, NAME_BYTES);
                let problem = format!("`{pointer}` is no place in the configuration; write `/{pointer}`");
                return Err(invalid(what, problem));
            }
            Ok(())
        }
    }
}

fn bounded(what: &'static str, text: &str, limit: usize) -> Result<(), CallError> {
    if text.len() > limit {
        return Err(invalid(what, format!("{} bytes, at most {limit} are taken", text.len())));
    }
    Ok(())
}

pub fn issues(issues: Vec<types::Issue>, allowance: &mut Allowance) -> Result<Vec<Issue>, CallError> {
    if issues.len() > ISSUES {
        return Err(invalid("validate", format!("{} issues, at most {ISSUES} are taken", issues.len())));
    }
    issues
        .into_iter()
        .map(|issue| {
            allowance.item("issues", issue.path.len() + issue.message.len())?;
            Ok(Issue { path: issue.path, message: issue.message })
        })
        .collect()
}

pub fn phase_progressed(answer: phase::Progressed, allowance: &mut Allowance) -> Result<Progressed, CallError> {
    allowance.take("cursor", answer.cursor.len())?;
    allowance.take("summary", answer.summary.len())?;
    Ok(Progressed {
        done: answer.done,
        cursor: answer.cursor,
        poll_after_ms: answer.poll_after_ms,
        summary: answer.summary,
        outputs: allowance.json("outputs", &answer.outputs)?,
        artifacts: answer.artifacts.into_iter().map(|it| artifact(it, allowance)).collect::<Result<_, _>>()?,
    })
}

fn artifact(artifact: types::Artifact, allowance: &mut Allowance) -> Result<Artifact, CallError> {
    for field in &artifact.metadata {
        allowance.item("artifacts", field.key.len() + field.value.len())?;
    }
    let texts = [
        &artifact.name,
        &artifact.uri,
        &artifact.media_type,
        &artifact.build_id,
        &artifact.stack,
        &artifact.application,
    ];
    allowance.item("artifacts", texts.iter().map(|text| text.len()).sum())?;
    let digest = artifact
        .digest
        .parse()
        .map_err(|error| invalid(format!("digest of artifact `{}`", shortened(&artifact.name, NAME_BYTES)), error))?;
    Ok(Artifact {
        name: artifact.name,
        uri: artifact.uri,
        digest,
        media_type: artifact.media_type,
        build_id: artifact.build_id,
        stack: artifact.stack,
        application: artifact.application,
        metadata: artifact.metadata.into_iter().map(|field| (field.key, field.value)).collect(),
    })
}

pub fn target_progressed(answer: target::Progressed, allowance: &mut Allowance) -> Result<Progressed, CallError> {
    allowance.take("cursor", answer.cursor.len())?;
    allowance.take("summary", answer.summary.len())?;
    Ok(Progressed {
        done: answer.done,
        cursor: answer.cursor,
        poll_after_ms: answer.poll_after_ms,
        summary: answer.summary,
        outputs: allowance.json("outputs", &answer.outputs)?,
        artifacts: Vec::new(),
    })
}

pub fn plan_step(answer: target::PlanStep, allowance: &mut Allowance) -> Result<PlanStep, CallError> {
    allowance.take("cursor", answer.cursor.len())?;
    allowance.take("summary", answer.planned.summary.len())?;
    Ok(PlanStep {
        done: answer.done,
        cursor: answer.cursor,
        poll_after_ms: answer.poll_after_ms,
        planned: Planned {
            summary: answer.planned.summary,
            changes: answer
                .planned
                .changes
                .into_iter()
                .map(|change| resource_change(change, allowance))
                .collect::<Result<_, _>>()?,
            token: allowance.json("token", &answer.planned.token)?,
        },
    })
}

fn resource_change(change: target::ResourceChange, allowance: &mut Allowance) -> Result<ResourceChange, CallError> {
    allowance.item("changes", change.application.len() + change.kind.len() + change.name.len())?;
    Ok(ResourceChange {
        application: change.application,
        kind: change.kind,
        name: change.name,
        action: match change.action {
            target::Action::Create => ChangeAction::Create,
            target::Action::Update => ChangeAction::Update,
            target::Action::Delete => ChangeAction::Delete,
            target::Action::Replace => ChangeAction::Replace,
            target::Action::NoOp => ChangeAction::NoOp,
        },
        destructive: change.destructive,
        fields: change.fields.into_iter().map(|it| field_change(it, allowance)).collect::<Result<_, _>>()?,
    })
}

fn field_change(change: target::FieldChange, allowance: &mut Allowance) -> Result<FieldChange, CallError> {
    let texts = [&change.path, &change.before, &change.after, &change.fingerprint];
    allowance.item("changes", texts.iter().map(|text| text.len()).sum())?;
    let what = |side: &str| format!("`{side}` of changed field `{}`", shortened(&change.path, NAME_BYTES));
    for (side, text) in [("before", &change.before), ("after", &change.after)] {
        if change.sensitive && !text.is_empty() {
            return Err(invalid(what(side), "it is marked sensitive and must be empty, for plans are shown to people"));
        }
        parse::<Value>(&what(side), text)?;
    }
    Ok(FieldChange {
        path: change.path,
        before: change.before,
        after: change.after,
        sensitive: change.sensitive,
        fingerprint: change.fingerprint,
    })
}

pub fn planned_to_guest(planned: Planned) -> target::Planned {
    target::Planned {
        summary: planned.summary,
        changes: planned.changes.into_iter().map(resource_change_to_guest).collect(),
        token: planned.token.to_string(),
    }
}

fn resource_change_to_guest(change: ResourceChange) -> target::ResourceChange {
    target::ResourceChange {
        application: change.application,
        kind: change.kind,
        name: change.name,
        action: match change.action {
            ChangeAction::Create => target::Action::Create,
            ChangeAction::Update => target::Action::Update,
            ChangeAction::Delete => target::Action::Delete,
            ChangeAction::Replace => target::Action::Replace,
            ChangeAction::NoOp => target::Action::NoOp,
        },
        destructive: change.destructive,
        fields: change
            .fields
            .into_iter()
            .map(|field| target::FieldChange {
                path: field.path,
                before: field.before,
                after: field.after,
                sensitive: field.sensitive,
                fingerprint: field.fingerprint,
            })
            .collect(),
    }
}

pub fn resource_states(
    states: Vec<target::ResourceState>,
    allowance: &mut Allowance,
) -> Result<Vec<ResourceState>, CallError> {
    states.into_iter().map(|state| resource_state(state, allowance)).collect()
}

fn resource_state(state: target::ResourceState, allowance: &mut Allowance) -> Result<ResourceState, CallError> {
    let texts = [&state.application, &state.kind, &state.name, &state.version, &state.artifact_uri];
    allowance.item("resources", texts.iter().map(|text| text.len()).sum())?;
    if state.weight_percent > 100 {
        return Err(invalid(
            format!("weight of resource `{}`", shortened(&state.name, NAME_BYTES)),
            format!("{} percent", state.weight_percent),
        ));
    }
    Ok(ResourceState {
        application: state.application,
        kind: state.kind,
        name: state.name,
        version: state.version,
        artifact_uri: state.artifact_uri,
        weight_percent: state.weight_percent,
        health: match state.health {
            target::Health::Healthy => Health::Healthy,
            target::Health::Progressing => Health::Progressing,
            target::Health::Degraded => Health::Degraded,
            target::Health::Missing => Health::Missing,
            target::Health::Unknown => Health::Unknown,
        },
        details: allowance.json("details", &state.details)?,
    })
}

pub fn sampled(answer: gate::Sampled, allowance: &mut Allowance) -> Result<Sampled, CallError> {
    allowance.take("memo", answer.memo.len())?;
    Ok(Sampled {
        done: answer.done,
        evidence: allowance.json("evidence", &answer.evidence)?,
        memo: answer.memo,
        poll_after_ms: answer.poll_after_ms,
    })
}

pub fn verdict(answer: gate::Verdict, allowance: &mut Allowance) -> Result<Verdict, CallError> {
    allowance.take("reason", answer.reason.len())?;
    Ok(Verdict {
        decision: match answer.decision {
            gate::Decision::Pass => Decision::Pass,
            gate::Decision::Fail => Decision::Fail,
            gate::Decision::Inconclusive => Decision::Inconclusive,
        },
        reason: answer.reason,
        valid_for_ms: answer.valid_for_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing_said(fields: usize) -> target::ResourceChange {
        let field = || target::FieldChange {
            path: String::new(),
            before: String::new(),
            after: String::new(),
            sensitive: false,
            fingerprint: String::new(),
        };
        target::ResourceChange {
            application: String::new(),
            kind: String::new(),
            name: String::new(),
            action: target::Action::NoOp,
            destructive: false,
            fields: (0..fields).map(|_| field()).collect(),
        }
    }

    #[test]
    fn items_without_a_word_count_too() {
        let ten_items = || Allowance::new(10 * ITEM_BYTES as u64);
        assert!(resource_change(nothing_said(9), &mut ten_items()).is_ok());
        let refused = resource_change(nothing_said(10), &mut ten_items()).unwrap_err();
        assert!(matches!(refused, CallError::OutputLimit { what: "changes", actual_bytes: 704, .. }), "{refused:?}");

        let issue = || types::Issue { path: String::new(), message: String::new() };
        assert!(issues((0..11).map(|_| issue()).collect(), &mut ten_items()).is_err());
        let state = target::ResourceState {
            application: String::new(),
            kind: String::new(),
            name: String::new(),
            version: String::new(),
            artifact_uri: String::new(),
            weight_percent: 0,
            health: target::Health::Unknown,
            details: String::new(),
        };
        assert!(resource_states(vec![state; 11], &mut ten_items()).is_err());
    }

    fn requesting(requests: &str) -> Result<Description, CallError> {
        description(types::Description {
            name: "notify".into(),
            version: "1".into(),
            summary: String::new(),
            config_schema: String::new(),
            requests: requests.into(),
            extra: Vec::new(),
        })
    }

    #[test]
    fn a_request_that_nobody_could_grant_is_explained_at_inspection() {
        assert!(requesting(r#"{"http":[{"named":"https://a.example"},{"config":"/url"}]}"#).is_ok());
        for (requests, says) in [
            (r#"{"http":[{"named":"api.example.com"}]}"#, "expected `https://host:port`"),
            (r#"{"http":[{"config":"url"}]}"#, "`url` is no place in the configuration; write `/url`"),
            (r#"{"folders":[{"named":"../etc"}]}"#, "folders"),
        ] {
            let refused = requesting(requests).unwrap_err().to_string();
            assert!(refused.contains(says), "{refused}");
        }
    }

    #[test]
    fn what_an_operator_reads_cannot_play_with_the_terminal() {
        for requests in [
            r#"{"http":[{"named":"https://a.example/\u001b[2J"}]}"#,
            r#"{"http":[{"config":"/\u001b[2J"}]}"#,
            r#"{"folders":[{"named":"\u001b[2J"}]}"#,
        ] {
            let refused = requesting(requests).unwrap_err().to_string();
            assert!(!refused.contains('\x1b'), "{refused}");
        }
        let loud = |text: &str| printable("describe: summary", text);
        assert!(loud("\x1b[31mred").is_err() && loud("plain").is_ok());
    }

    #[test]
    fn metadata_without_a_word_counts_too() {
        let artifact = types::Artifact {
            name: String::new(),
            uri: String::new(),
            digest: format!("sha256:{}", "0".repeat(64)),
            media_type: String::new(),
            build_id: String::new(),
            stack: String::new(),
            application: String::new(),
            metadata: (0..10).map(|_| types::Field { key: String::new(), value: String::new() }).collect(),
        };
        let refused = super::artifact(artifact, &mut Allowance::new(10 * ITEM_BYTES as u64)).unwrap_err();
        assert!(matches!(refused, CallError::OutputLimit { what: "artifacts", .. }), "{refused:?}");
    }
}
