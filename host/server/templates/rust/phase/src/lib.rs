//! Tells a web service which release is on its way.

wit_bindgen::generate!({ path: "wit", world: "phase-plugin", generate_all });

use exports::lockgate::phase::phase::{Guest, Progressed};
use lockgate::plugin::http::{self, Request};
use lockgate::plugin::types::{Call, Description, Failure, Field, Issue, Retry};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Config {
    url: String,
}

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Description {
        Description {
            name: "%%name%%".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Tells a web service which release is on its way.".into(),
            config_schema: include_str!("../config.schema.json").into(),
            requests: json!({ "http": [{ "config": "/url" }] }).to_string(),
            extra: vec![],
        }
    }

    /// What the schema cannot say; the host has checked the rest.
    fn validate(_config: String) -> Vec<Issue> {
        vec![]
    }

    fn advance(call: Call, config: String, subject: String, _cursor: Vec<u8>) -> Result<Progressed, Failure> {
        let config: Config = read("configuration", &config)?;
        let subject: Value = read("subject", &subject)?;
        let response = http::send(&Request {
            method: "POST".into(),
            url: config.url,
            headers: vec![field("content-type", "application/json"), field("idempotency-key", &call.idempotency_key)],
            body: announcement(&subject).to_string().into_bytes(),
            timeout_ms: 10_000,
        })?;
        judge(response.status)?;
        Ok(done("The release was announced.", json!({ "status": response.status })))
    }

    /// Nothing goes on outside that could be stopped.
    fn cancel(_call: Call, _config: String, _subject: String, _cursor: Vec<u8>) -> Result<Progressed, Failure> {
        Ok(done("There was nothing to stop.", json!({})))
    }
}

export!(Plugin);

fn announcement(subject: &Value) -> Value {
    json!({
        "release": subject["release"]["tag"],
        "environment": subject["environment"],
        "project": subject["project"],
    })
}

/// What may pass is tried again with the same key.
fn judge(status: u32) -> Result<(), Failure> {
    let message = format!("the service answered with status {status}");
    match status {
        200..=299 => Ok(()),
        408 | 429 | 500..=599 => Err(failure("unavailable", message, Retry::SameKey)),
        _ => Err(failure("refused", message, Retry::Never)),
    }
}

fn read<T: for<'a> Deserialize<'a>>(what: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| failure("unreadable", format!("{what}: {error}"), Retry::Never))
}

fn failure(code: &str, message: String, retry: Retry) -> Failure {
    Failure { code: code.into(), message, retry, retry_after_ms: 0, details: "{}".into() }
}

fn done(summary: &str, outputs: Value) -> Progressed {
    Progressed {
        done: true,
        cursor: vec![],
        poll_after_ms: 0,
        summary: summary.into(),
        outputs: outputs.to_string(),
        artifacts: vec![],
        extra: vec![],
    }
}

fn field(key: &str, value: &str) -> Field {
    Field { key: key.into(), value: value.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announcement_names_release_and_environment() {
        let subject = json!({ "release": { "tag": "v1" }, "environment": "production", "project": "shop" });
        let expected = json!({ "release": "v1", "environment": "production", "project": "shop" });
        assert_eq!(announcement(&subject), expected);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        assert!(judge(204).is_ok());
        assert_eq!(judge(503).unwrap_err().retry, Retry::SameKey);
        assert_eq!(judge(404).unwrap_err().retry, Retry::Never);
    }
}
