//! Keeps the tag of the release at a URL that understands GET, PUT and DELETE.

wit_bindgen::generate!({ path: "wit", world: "target-plugin", generate_all });

use exports::lockgate::target::target::{
    Action, FieldChange, Guest, Health, PlanStep, Planned, Progressed, ResourceChange, ResourceState,
};
use lockgate::plugin::http::{self, Request};
use lockgate::plugin::types::{Call, Description, Failure, Field, Issue, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Config {
    url: String,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(rename = "type")]
    kind: String,
    release: Release,
    application: Option<String>,
}

#[derive(Deserialize)]
struct Release {
    tag: String,
}

/// What apply and undo need to know of the plan; None: there is no value.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Change {
    before: Option<String>,
    after: Option<String>,
}

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Description {
        Description {
            name: "%%name%%".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Keeps the tag of the release at a URL.".into(),
            config_schema: include_str!("../config.schema.json").into(),
            requests: json!({ "http": [{ "config": "/url" }] }).to_string(),
            extra: vec![],
        }
    }

    /// What the schema cannot say; the host has checked the rest.
    fn validate(_config: String) -> Vec<Issue> {
        vec![]
    }

    fn plan(_call: Call, config: String, subject: String, _cursor: Vec<u8>) -> Result<PlanStep, Failure> {
        let config: Config = read("configuration", &config)?;
        let subject: Subject = read("subject", &subject)?;
        let change = Change { before: value_at(&config.url)?, after: wanted(&subject) };
        let planned = planned(&config.url, subject.application.unwrap_or_default(), &change);
        Ok(PlanStep { done: true, cursor: vec![], poll_after_ms: 0, planned, extra: vec![] })
    }

    fn apply(
        call: Call,
        config: String,
        _subject: String,
        approved: Planned,
        _cursor: Vec<u8>,
    ) -> Result<Progressed, Failure> {
        let config: Config = read("configuration", &config)?;
        let Change { before, after } = read("token", &approved.token)?;
        step(&config.url, &call, &before, &after, "plan-stale")
    }

    fn undo(
        call: Call,
        config: String,
        _subject: String,
        approved: Planned,
        _cursor: Vec<u8>,
    ) -> Result<Progressed, Failure> {
        let config: Config = read("configuration", &config)?;
        let Change { before, after } = read("token", &approved.token)?;
        step(&config.url, &call, &after, &before, "changed-since")
    }

    fn observe(_call: Call, config: String, subject: String) -> Result<Vec<ResourceState>, Failure> {
        let config: Config = read("configuration", &config)?;
        let subject: Subject = read("subject", &subject)?;
        let value = value_at(&config.url)?;
        Ok(vec![ResourceState {
            application: subject.application.unwrap_or_default(),
            kind: "value".into(),
            name: config.url.clone(),
            health: if value.is_some() { Health::Healthy } else { Health::Missing },
            version: value.unwrap_or_default(),
            artifact_uri: config.url,
            weight_percent: 100,
            details: "{}".into(),
        }])
    }
}

export!(Plugin);

fn wanted(subject: &Subject) -> Option<String> {
    (subject.kind != "DESTROY").then(|| subject.release.tag.clone())
}

fn action(change: &Change) -> Action {
    match (&change.before, &change.after) {
        (before, after) if before == after => Action::NoOp,
        (None, _) => Action::Create,
        (Some(_), Some(_)) => Action::Update,
        (Some(_), None) => Action::Delete,
    }
}

fn planned(url: &str, application: String, change: &Change) -> Planned {
    let action = action(change);
    let shown = |value: &Option<String>| value.as_deref().unwrap_or("nothing").to_owned();
    Planned {
        summary: format!("{}: {} becomes {}", url, shown(&change.before), shown(&change.after)),
        changes: vec![ResourceChange {
            application,
            kind: "value".into(),
            name: url.into(),
            action,
            destructive: action == Action::Delete,
            fields: vec![FieldChange {
                path: "/".into(),
                before: json!(change.before).to_string(),
                after: json!(change.after).to_string(),
                sensitive: false,
                fingerprint: String::new(),
            }],
        }],
        token: json!(change).to_string(),
    }
}

/// From one value to another, and from nowhere else: what is there already is not written again.
fn step(
    url: &str,
    call: &Call,
    from: &Option<String>,
    to: &Option<String>,
    otherwise: &str,
) -> Result<Progressed, Failure> {
    let now = value_at(url)?;
    if now != *to {
        if now != *from {
            return Err(failure(otherwise, format!("{url} holds {now:?} now"), Retry::Never));
        }
        write(url, call, to)?;
    }
    Ok(Progressed {
        done: true,
        cursor: vec![],
        poll_after_ms: 0,
        summary: format!("{url} holds {}", to.as_deref().unwrap_or("nothing")),
        outputs: json!({ "value": to }).to_string(),
        extra: vec![],
    })
}

fn value_at(url: &str) -> Result<Option<String>, Failure> {
    let response = http::send(&request("GET", url, vec![], vec![]))?;
    match response.status {
        200 => Ok(Some(String::from_utf8_lossy(&response.body).trim().to_owned())),
        404 => Ok(None),
        status => Err(refused(status)),
    }
}

fn write(url: &str, call: &Call, value: &Option<String>) -> Result<(), Failure> {
    let method = if value.is_some() { "PUT" } else { "DELETE" };
    let key = Field { key: "idempotency-key".into(), value: call.idempotency_key.clone() };
    let body = value.clone().unwrap_or_default().into_bytes();
    let response = http::send(&request(method, url, vec![key], body))?;
    if matches!(response.status, 200..=299) { Ok(()) } else { Err(refused(response.status)) }
}

fn request(method: &str, url: &str, headers: Vec<Field>, body: Vec<u8>) -> Request {
    Request { method: method.into(), url: url.into(), headers, body, timeout_ms: 10_000 }
}

/// What may pass is tried again with the same key.
fn refused(status: u32) -> Failure {
    let retry = if status >= 500 || status == 429 { Retry::SameKey } else { Retry::Never };
    failure("refused", format!("the service answered with status {status}"), retry)
}

fn read<T: for<'a> Deserialize<'a>>(what: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| failure("unreadable", format!("{what}: {error}"), Retry::Never))
}

fn failure(code: &str, message: String, retry: Retry) -> Failure {
    Failure { code: code.into(), message, retry, retry_after_ms: 0, details: Value::Null.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(before: Option<&str>, after: Option<&str>) -> Change {
        Change { before: before.map(str::to_owned), after: after.map(str::to_owned) }
    }

    #[test]
    fn the_plan_names_what_would_happen() {
        assert_eq!(action(&change(None, Some("v1"))), Action::Create);
        assert_eq!(action(&change(Some("v1"), Some("v2"))), Action::Update);
        assert_eq!(action(&change(Some("v2"), Some("v2"))), Action::NoOp);
        assert_eq!(action(&change(Some("v2"), None)), Action::Delete);
    }

    #[test]
    fn apply_knows_from_the_token_what_was_planned() {
        let planned = planned("http://x/", String::new(), &change(Some("v1"), Some("v2")));
        assert_eq!(serde_json::from_str::<Change>(&planned.token).unwrap(), change(Some("v1"), Some("v2")));
        assert_eq!(planned.summary, "http://x/: v1 becomes v2");
    }
}
