//! Puts the artifact of a release on a WebDAV server, and says there which one is current.
//!
//! An artifact lies there under its digest, so it never changes and a second upload does no harm. Which one counts stands
//! in `current.json`, the one thing that a plan changes.

wit_bindgen::generate!({ path: "wit", world: "target-plugin", generate_all });

use exports::lockgate::target::target::{
    Action, FieldChange, Guest, Health, PlanStep, Planned, Progressed, ResourceChange, ResourceState,
};
use lockgate::plugin::types::{Call, Description, Failure, Field, Issue, Retry};
use lockgate::plugin::{artifacts, http, progress};
use serde::{Deserialize, Serialize};
use serde_json::json;

const CHUNK_BYTES: u32 = 64 << 10;

#[derive(Deserialize)]
struct Config {
    url: String,
    artifact: Option<String>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(rename = "type")]
    kind: String,
    release: Release,
    artifacts: Vec<Artifact>,
    application: Option<String>,
}

#[derive(Deserialize)]
struct Release {
    tag: String,
}

#[derive(Deserialize)]
struct Artifact {
    name: String,
    digest: String,
}

/// What `current.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Current {
    tag: String,
    digest: String,
}

/// What apply and undo need to know of the plan; None: nothing is current.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Change {
    before: Option<Current>,
    after: Option<Current>,
}

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Description {
        Description {
            name: "webdav-release".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Puts the artifact of a release on a WebDAV server.".into(),
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
        let (config, subject): (Config, Subject) = (read("configuration", &config)?, read("subject", &subject)?);
        let change = Change { before: current(&config.url)?, after: wanted(&config, &subject)? };
        let planned = planned(&config.url, subject.application.unwrap_or_default(), &change);
        Ok(PlanStep { done: true, cursor: vec![], poll_after_ms: 0, planned, extra: vec![] })
    }

    /// First the bytes, then the word that they count: a crash between the two leaves what was current.
    fn apply(
        call: Call,
        config: String,
        _subject: String,
        approved: Planned,
        _cursor: Vec<u8>,
    ) -> Result<Progressed, Failure> {
        let config: Config = read("configuration", &config)?;
        let Change { before, after } = read("token", &approved.token)?;
        if let Some(after) = after.as_ref().filter(|after| Some(*after) != before.as_ref()) {
            upload(&config.url, &call, &after.digest)?;
        }
        switch(&config.url, &call, &before, &after, "plan-stale")
    }

    /// What was uploaded stays: it is nobody's current one, and may be wanted again.
    fn undo(
        call: Call,
        config: String,
        _subject: String,
        approved: Planned,
        _cursor: Vec<u8>,
    ) -> Result<Progressed, Failure> {
        let config: Config = read("configuration", &config)?;
        let Change { before, after } = read("token", &approved.token)?;
        switch(&config.url, &call, &after, &before, "changed-since")
    }

    fn observe(_call: Call, config: String, subject: String) -> Result<Vec<ResourceState>, Failure> {
        let (config, subject): (Config, Subject) = (read("configuration", &config)?, read("subject", &subject)?);
        let current = current(&config.url)?;
        let is_there =
            |current: &Current| Ok(send("HEAD", &file(&config.url, &current.digest), vec![], vec![])?.status == 200);
        let health = match current.as_ref().map(is_there).transpose()? {
            Some(true) => Health::Healthy,
            Some(false) => Health::Degraded,
            None => Health::Missing,
        };
        Ok(vec![ResourceState {
            application: subject.application.unwrap_or_default(),
            kind: "webdav".into(),
            name: config.url.clone(),
            version: current.map(|current| current.tag).unwrap_or_default(),
            artifact_uri: config.url,
            weight_percent: 100,
            health,
            details: "{}".into(),
        }])
    }
}

export!(Plugin);

fn wanted(config: &Config, subject: &Subject) -> Result<Option<Current>, Failure> {
    if subject.kind == "DESTROY" {
        return Ok(None);
    }
    let is_meant = |artifact: &&Artifact| config.artifact.as_ref().is_none_or(|name| *name == artifact.name);
    match subject.artifacts.iter().filter(is_meant).collect::<Vec<_>>()[..] {
        [artifact] => Ok(Some(Current { tag: subject.release.tag.clone(), digest: artifact.digest.clone() })),
        [] => Err(failure("artifact-missing", "the release has no such artifact".into(), Retry::Never)),
        [_, _, ..] => Err(failure("artifact-unclear", "say which artifact: there are several".into(), Retry::Never)),
    }
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
    let shown =
        |current: &Option<Current>| current.as_ref().map_or("nothing".to_owned(), |current| current.tag.clone());
    Planned {
        summary: format!("{url}: {} becomes {}", shown(&change.before), shown(&change.after)),
        changes: vec![ResourceChange {
            application,
            kind: "webdav".into(),
            name: url.into(),
            action,
            destructive: action == Action::Delete,
            fields: vec![FieldChange {
                path: "/current.json".into(),
                before: json!(change.before).to_string(),
                after: json!(change.after).to_string(),
                sensitive: false,
                fingerprint: String::new(),
            }],
        }],
        token: json!(change).to_string(),
    }
}

/// From one to another, and from nowhere else: what is current already is not written again.
fn switch(
    url: &str,
    call: &Call,
    from: &Option<Current>,
    to: &Option<Current>,
    otherwise: &str,
) -> Result<Progressed, Failure> {
    let now = current(url)?;
    if now != *to {
        if now != *from {
            return Err(failure(otherwise, format!("{url} has {now:?} now"), Retry::Never));
        }
        let pointer = format!("{url}/current.json");
        let response = match to {
            Some(current) => send("PUT", &pointer, key(call), json!(current).to_string().into_bytes())?,
            None => send("DELETE", &pointer, key(call), vec![])?,
        };
        accepted(response.status)?;
    }
    let summary = to.as_ref().map_or("nothing is current".to_owned(), |current| format!("{} is current", current.tag));
    Ok(Progressed {
        done: true,
        cursor: vec![],
        poll_after_ms: 0,
        summary: format!("{url}: {summary}"),
        outputs: json!({ "current": to }).to_string(),
        extra: vec![],
    })
}

fn current(url: &str) -> Result<Option<Current>, Failure> {
    let response = send("GET", &format!("{url}/current.json"), vec![], vec![])?;
    match response.status {
        404 => Ok(None),
        status => {
            accepted(status)?;
            read("current.json", &String::from_utf8_lossy(&response.body)).map(Some)
        }
    }
}

/// Nothing where it lies there already.
fn upload(url: &str, call: &Call, digest: &str) -> Result<(), Failure> {
    let file = file(url, digest);
    if send("HEAD", &file, vec![], vec![])?.status == 200 {
        return Ok(());
    }
    let reader = artifacts::open(digest)?;
    let mut content = Vec::new();
    loop {
        let chunk = reader.read(CHUNK_BYTES)?;
        if chunk.is_empty() {
            break;
        }
        content.extend(chunk);
    }
    progress::report(50, &format!("sending {} bytes", content.len()));
    accepted(send("PUT", &file, key(call), content)?.status)
}

fn file(url: &str, digest: &str) -> String {
    format!("{url}/{}", digest.replace(':', "-"))
}

fn key(call: &Call) -> Vec<Field> {
    vec![Field { key: "idempotency-key".into(), value: call.idempotency_key.clone() }]
}

fn send(method: &str, url: &str, headers: Vec<Field>, body: Vec<u8>) -> Result<http::Response, Failure> {
    http::send(&http::Request { method: method.into(), url: url.into(), headers, body, timeout_ms: 30_000 })
}

/// What may pass is tried again with the same key.
fn accepted(status: u32) -> Result<(), Failure> {
    let message = format!("the server answered with status {status}");
    match status {
        200..=299 => Ok(()),
        423 => Err(failure("locked", message, Retry::SameKey)),
        429 | 500..=599 => Err(failure("unavailable", message, Retry::SameKey)),
        _ => Err(failure("refused", message, Retry::Never)),
    }
}

fn read<T: for<'a> Deserialize<'a>>(what: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| failure("unreadable", format!("{what}: {error}"), Retry::Never))
}

fn failure(code: &str, message: String, retry: Retry) -> Failure {
    Failure { code: code.into(), message, retry, retry_after_ms: 0, details: "{}".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current(tag: &str) -> Option<Current> {
        Some(Current { tag: tag.into(), digest: format!("sha256:{tag}") })
    }

    fn subject(kind: &str, artifacts: &[&str]) -> Subject {
        let artifacts = artifacts.iter().map(|name| Artifact { name: name.to_string(), digest: "sha256:v2".into() });
        let artifacts = artifacts.collect();
        Subject { kind: kind.into(), release: Release { tag: "v2".into() }, artifacts, application: None }
    }

    #[test]
    fn the_plan_names_what_would_happen() {
        let actions = [(None, current("v1")), (current("v1"), current("v2")), (current("v2"), current("v2"))];
        let actions = actions.map(|(before, after)| action(&Change { before, after }));
        assert_eq!(actions, [Action::Create, Action::Update, Action::NoOp]);
    }

    #[test]
    fn the_artifact_has_to_be_clear() {
        let config = |artifact: Option<&str>| Config { url: String::new(), artifact: artifact.map(str::to_owned) };
        assert_eq!(wanted(&config(None), &subject("FULL", &["web"])).unwrap(), current("v2"));
        assert_eq!(wanted(&config(Some("api")), &subject("FULL", &["web", "api"])).unwrap(), current("v2"));
        assert_eq!(wanted(&config(None), &subject("FULL", &["web", "api"])).unwrap_err().code, "artifact-unclear");
        assert_eq!(wanted(&config(Some("db")), &subject("FULL", &["web"])).unwrap_err().code, "artifact-missing");
        assert_eq!(wanted(&config(None), &subject("DESTROY", &[])).unwrap(), None);
    }

    #[test]
    fn a_file_is_named_by_its_digest() {
        assert_eq!(file("http://dav/shop", "sha256:ab"), "http://dav/shop/sha256-ab");
    }
}
