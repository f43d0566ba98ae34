//! Asks a URL for a JSON object, and passes while one number in it is not too high.

wit_bindgen::generate!({ path: "wit", world: "gate-plugin", generate_all });

use exports::lockgate::gate::gate::{Decision, Guest, Sampled, Verdict};
use lockgate::plugin::http::{self, Request};
use lockgate::plugin::types::{Call, Description, Failure, Issue, Retry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Config {
    url: String,
    field: String,
    max: f64,
}

/// Kept for back-tests: later versions must be able to read it.
#[derive(Serialize, Deserialize)]
struct Evidence {
    status: u32,
    field: String,
    /// None where the answer has no such number.
    value: Option<f64>,
}

struct Plugin;

impl Guest for Plugin {
    fn describe() -> Description {
        Description {
            name: "%%name%%".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            summary: "Passes while a number that a URL answers with is not too high.".into(),
            config_schema: include_str!("../config.schema.json").into(),
            requests: json!({ "http": [{ "config": "/url" }] }).to_string(),
            extra: vec![],
        }
    }

    /// What the schema cannot say; the host has checked the rest.
    fn validate(_config: String) -> Vec<Issue> {
        vec![]
    }

    /// Measures, and decides nothing.
    fn sample(_call: Call, config: String, _subject: String, _memo: Vec<u8>) -> Result<Sampled, Failure> {
        let config: Config = read("configuration", &config)?;
        let response = http::send(&Request {
            method: "GET".into(),
            url: config.url,
            headers: vec![],
            body: vec![],
            timeout_ms: 10_000,
        })?;
        let evidence = measure(response.status, &response.body, config.field);
        Ok(Sampled { done: true, evidence: json!(evidence).to_string(), memo: vec![], poll_after_ms: 0, extra: vec![] })
    }

    /// Decides by the evidence alone.
    fn judge(config: String, _subject: String, evidence: String) -> Result<Verdict, Failure> {
        let (decision, reason) = decide(&read("configuration", &config)?, &read("evidence", &evidence)?);
        Ok(Verdict { decision, reason, valid_for_ms: 0, extra: vec![] })
    }
}

export!(Plugin);

fn measure(status: u32, body: &[u8], field: String) -> Evidence {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let value = answer[&field].as_f64().filter(|_| status == 200);
    Evidence { status, field, value }
}

fn decide(config: &Config, evidence: &Evidence) -> (Decision, String) {
    let Config { field, max, .. } = config;
    match evidence.value {
        Some(_) if evidence.field != *field => {
            (Decision::Inconclusive, format!("{} was measured, not {field}", evidence.field))
        }
        Some(value) if value <= *max => (Decision::Pass, format!("{field} is {value}, at most {max} is allowed")),
        Some(value) => (Decision::Fail, format!("{field} is {value}, at most {max} is allowed")),
        None => (Decision::Inconclusive, format!("no number {field} in an answer of status {}", evidence.status)),
    }
}

fn read<T: for<'a> Deserialize<'a>>(what: &str, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure {
        code: "unreadable".into(),
        message: format!("{what}: {error}"),
        retry: Retry::Never,
        retry_after_ms: 0,
        details: "{}".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(status: u32, body: &str) -> Decision {
        let config = Config { url: String::new(), field: "error_rate".into(), max: 0.01 };
        decide(&config, &measure(status, body.as_bytes(), "error_rate".into())).0
    }

    #[test]
    fn a_number_passes_up_to_its_limit() {
        assert_eq!(decision(200, r#"{ "error_rate": 0.01 }"#), Decision::Pass);
        assert_eq!(decision(200, r#"{ "error_rate": 0.02 }"#), Decision::Fail);
    }

    #[test]
    fn without_a_number_nothing_is_known() {
        assert_eq!(decision(503, r#"{ "error_rate": 0 }"#), Decision::Inconclusive);
        assert_eq!(decision(200, "busy"), Decision::Inconclusive);
    }
}
