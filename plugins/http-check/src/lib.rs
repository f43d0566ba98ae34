//! A gate that asks a URL and judges the answer: status, latency, a word in the body, a value in its JSON.
//!
//! `judge` sees the evidence alone and must never need more, or old evidence could not be judged by a new rule.

use std::collections::BTreeMap;
use std::time::Instant;

use lockgate_sdk::gate::*;
use serde::{Deserialize, Serialize};

/// What of the body is kept for a person to look at.
const EXCERPT_BYTES: usize = 1 << 10;
/// A value at the pointer that is longer is kept as a note of its size: evidence is stored for every sample.
const KEPT_VALUE_BYTES: usize = 16 << 10;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub url: String,
    #[serde(default = "get")]
    pub method: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default = "ok")]
    pub expect_status: Vec<u32>,
    pub body_contains: Option<String>,
    pub json_pointer: Option<String>,
    #[serde(default, deserialize_with = "null_too")]
    pub equals: Option<Value>,
    pub max_latency_ms: Option<u32>,
    #[serde(default = "ten")]
    pub timeout_seconds: u32,
}

fn get() -> String {
    "GET".into()
}

fn ok() -> Vec<u32> {
    vec![200]
}

fn ten() -> u32 {
    10
}

/// `"equals": null` is a value to compare with, not a missing key.
fn null_too<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// What one request came to. `error` or the rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u32>,
    pub latency_ms: u32,
    pub body_excerpt: String,
    /// The host let through only the start of the body.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Whether the whole body, not only the excerpt, holds `body_contains`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<Looked<bool>>,
    /// What stands at `json_pointer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Looked<Found>>,
}

/// A finding together with what was looked for, so that a changed rule is not judged by an old finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Looked<T> {
    #[serde(rename = "for")]
    pub looked_for: String,
    pub found: T,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    Value(Value),
    /// Too long to keep.
    TooLong {
        bytes: usize,
    },
    Nothing,
    NotJson,
}

pub struct HttpCheck;

impl Gate for HttpCheck {
    type Config = Config;
    type Evidence = Evidence;

    fn describe() -> Description {
        describe!("Asks a URL and judges the answer.")
            .config_schema(include_str!("../config.schema.json"))
            .http_from_config("/url")
    }

    fn validate(config: &Config) -> Vec<Issue> {
        issues(config)
    }

    fn sample(_: Call, config: Config, _: Subject, _: Cursor) -> Result<Measured<Evidence>, Failure> {
        let mut request = http::Request::new(&config.method, &config.url)
            .timeout_within_call(config.timeout_seconds.saturating_mul(1000));
        for (name, value) in &config.headers {
            request = request.header(name, value);
        }
        let asked = Instant::now();
        let answer = request.send();
        let latency_ms = u32::try_from(asked.elapsed().as_millis()).unwrap_or(u32::MAX);
        evidence(&config, answer, latency_ms).map(Measured::Done)
    }

    fn judge(config: Config, _: Subject, evidence: Evidence) -> Result<Verdict, Failure> {
        Ok(judge(&config, &evidence))
    }
}

lockgate_sdk::export_gate!(HttpCheck);

fn issues(config: &Config) -> Vec<Issue> {
    let mut issues = Vec::new();
    if config.expect_status.is_empty() {
        issues.push(Issue::new("/expect_status", "no status would pass; leave it out for 200"));
    }
    match (&config.json_pointer, &config.equals) {
        (Some(_), None) => issues.push(Issue::new("/equals", "is missing: what should stand at json_pointer?")),
        (None, Some(_)) => issues.push(Issue::new("/json_pointer", "is missing: where should equals stand?")),
        (Some(pointer), Some(_)) if !pointer.is_empty() && !pointer.starts_with('/') => {
            issues.push(Issue::new("/json_pointer", "is empty or starts with `/`, such as `/status`"));
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    issues
}

/// A server that cannot be reached is a finding. A request that the host refused is none: the check broke. The
/// host tells them apart by whether another try could end otherwise.
fn evidence(config: &Config, answer: Result<http::Response, Failure>, latency_ms: u32) -> Result<Evidence, Failure> {
    match answer {
        Ok(response) => Ok(Evidence {
            error: None,
            status: Some(response.status),
            latency_ms,
            truncated: response.truncated,
            body_excerpt: shortened(&response.text(), EXCERPT_BYTES).to_owned(),
            contains: config
                .body_contains
                .as_ref()
                .map(|word| Looked { looked_for: word.clone(), found: response.text().contains(word.as_str()) }),
            value: config
                .json_pointer
                .as_ref()
                .map(|pointer| Looked { looked_for: pointer.clone(), found: at_pointer(&response.body, pointer) }),
        }),
        Err(failure) => match failure.retry {
            Retry::SameKey => Ok(Evidence { error: Some(failure.message), latency_ms, ..Evidence::default() }),
            Retry::Never => Err(failure),
        },
    }
}

fn at_pointer(body: &[u8], pointer: &str) -> Found {
    let Ok(body) = json::from_slice::<Value>(body) else { return Found::NotJson };
    match body.pointer(pointer) {
        None => Found::Nothing,
        Some(value) => match value.to_string().len() {
            bytes if bytes > KEPT_VALUE_BYTES => Found::TooLong { bytes },
            _ => Found::Value(value.clone()),
        },
    }
}

/// All that is wrong, in one sentence; otherwise what was right.
fn judge(config: &Config, evidence: &Evidence) -> Verdict {
    if let Some(error) = &evidence.error {
        return Verdict::fail(format!("no answer: {error}"));
    }
    let Some(status) = evidence.status else {
        return Verdict::inconclusive("the evidence holds neither a status nor an error");
    };
    let findings = [
        Some(judge_status(&config.expect_status, status)),
        config.max_latency_ms.map(|most| judge_latency(most, evidence.latency_ms)),
        config.body_contains.as_ref().map(|word| judge_word(word, evidence)),
        config.json_pointer.as_ref().map(|pointer| judge_value(pointer, config.equals.as_ref(), evidence)),
    ];
    let of = |wanted: Decision| {
        let matching = findings.iter().flatten().filter(|verdict| verdict.decision == wanted);
        matching.map(|verdict| verdict.reason.as_str()).collect::<Vec<_>>().join("; ")
    };
    let (failed, unclear) = (of(Decision::Fail), of(Decision::Inconclusive));
    match (failed.is_empty(), unclear.is_empty()) {
        (false, _) => Verdict::fail(failed),
        (true, false) => Verdict::inconclusive(unclear),
        (true, true) => Verdict::pass(of(Decision::Pass)),
    }
}

fn judge_status(expected: &[u32], status: u32) -> Verdict {
    if expected.contains(&status) {
        return Verdict::pass(format!("status {status}"));
    }
    let expected: Vec<_> = expected.iter().map(u32::to_string).collect();
    Verdict::fail(format!("status {status}, expected {}", expected.join(" or ")))
}

fn judge_latency(most: u32, took: u32) -> Verdict {
    if took <= most {
        return Verdict::pass(format!("answered in {took} ms"));
    }
    Verdict::fail(format!("answered in {took} ms, allowed are {most} ms"))
}

fn judge_word(word: &str, evidence: &Evidence) -> Verdict {
    match &evidence.contains {
        Some(Looked { looked_for, found }) if looked_for == word => match found {
            true => Verdict::pass(format!("the body contains `{word}`")),
            false if evidence.truncated => cut_off(&format!("`{word}` is not in what came of it")),
            false => Verdict::fail(format!("the body does not contain `{word}`")),
        },
        _ if evidence.body_excerpt.contains(word) => Verdict::pass(format!("the body contains `{word}`")),
        // A shorter excerpt is the whole body; cutting between characters takes up to three bytes more.
        _ if evidence.body_excerpt.len() < EXCERPT_BYTES - 3 => {
            Verdict::fail(format!("the body does not contain `{word}`"))
        }
        _ => Verdict::inconclusive(format!("`{word}` was not looked for when this was measured")),
    }
}

fn judge_value(pointer: &str, expected: Option<&Value>, evidence: &Evidence) -> Verdict {
    let expected = expected.unwrap_or(&Value::Null);
    match &evidence.value {
        Some(Looked { looked_for, found }) if looked_for == pointer => match found {
            Found::Value(value) if value == expected => Verdict::pass(format!("`{pointer}` is {value}")),
            Found::Value(value) => {
                let value = value.to_string();
                Verdict::fail(format!("`{pointer}` is {}, expected {expected}", shortened(&value, 200)))
            }
            Found::TooLong { bytes } => Verdict::fail(format!("`{pointer}` holds {bytes} bytes, expected {expected}")),
            Found::Nothing => Verdict::fail(format!("nothing stands at `{pointer}`, expected {expected}")),
            Found::NotJson if evidence.truncated => cut_off("it cannot be read as JSON"),
            Found::NotJson => Verdict::fail("the body is no JSON"),
        },
        _ => Verdict::inconclusive(format!("`{pointer}` was not looked at when this was measured")),
    }
}

fn cut_off(so: &str) -> Verdict {
    Verdict::inconclusive(format!(
        "the body is longer than the host lets through, and {so}; an operator can raise the grant `http_body_bytes`"
    ))
}

/// At most `bytes` long, cut between characters.
fn shortened(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: Value) -> Config {
        let mut config = json!({ "url": "https://shop.example.com/health" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json::from_value(config).unwrap()
    }

    /// Samples an answer and judges it, through the JSON that the host keeps in between.
    fn verdict(more: Value, status: u32, body: &str, latency_ms: u32) -> (Decision, String) {
        let config = config(more);
        let response = http::Response { status, headers: Vec::new(), body: body.into(), truncated: false };
        let evidence = evidence(&config, Ok(response), latency_ms).unwrap();
        let kept = json::from_value(json::to_value(evidence).unwrap()).unwrap();
        let verdict = judge(&config, &kept);
        (verdict.decision, verdict.reason)
    }

    #[test]
    fn an_unexpected_status_fails() {
        assert_eq!(verdict(json!({}), 500, "", 5), (Decision::Fail, "status 500, expected 200".into()));
        assert_eq!(verdict(json!({}), 200, "", 5), (Decision::Pass, "status 200".into()));
        assert_eq!(verdict(json!({ "expect_status": [200, 204] }), 301, "", 5).1, "status 301, expected 200 or 204");
    }

    #[test]
    fn a_slow_answer_fails() {
        let limit = json!({ "max_latency_ms": 300 });

        assert_eq!(verdict(limit.clone(), 200, "", 300).0, Decision::Pass);
        assert_eq!(verdict(limit, 200, "", 301), (Decision::Fail, "answered in 301 ms, allowed are 300 ms".into()));
    }

    #[test]
    fn a_word_is_looked_for_in_the_whole_body() {
        let word = json!({ "body_contains": "ready" });
        let late = format!("{}ready", " ".repeat(10 * EXCERPT_BYTES));

        assert_eq!(verdict(word.clone(), 200, &late, 5).0, Decision::Pass);
        assert_eq!(verdict(word, 200, "starting", 5).1, "the body does not contain `ready`");
    }

    #[test]
    fn a_value_in_the_json_has_to_be_equal() {
        let ready = json!({ "json_pointer": "/checks/0/ok", "equals": true });

        assert_eq!(verdict(ready.clone(), 200, r#"{"checks":[{"ok":true}]}"#, 5).0, Decision::Pass);
        assert_eq!(
            verdict(ready.clone(), 200, r#"{"checks":[{"ok":"no"}]}"#, 5).1,
            "`/checks/0/ok` is \"no\", expected true"
        );
        assert_eq!(verdict(ready.clone(), 200, "{}", 5).1, "nothing stands at `/checks/0/ok`, expected true");
        assert_eq!(verdict(ready, 200, "<html>", 5).1, "the body is no JSON");
    }

    #[test]
    fn null_is_a_value_like_any_other() {
        let nothing_wrong = json!({ "json_pointer": "/error", "equals": null });

        assert_eq!(verdict(nothing_wrong.clone(), 200, r#"{"error":null}"#, 5).0, Decision::Pass);
        assert_eq!(verdict(nothing_wrong, 200, "{}", 5).0, Decision::Fail);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let strict = json!({ "max_latency_ms": 1, "body_contains": "ready" });

        assert_eq!(
            verdict(strict, 503, "", 9).1,
            "status 503, expected 200; answered in 9 ms, allowed are 1 ms; the body does not contain `ready`"
        );
    }

    #[test]
    fn no_answer_is_a_finding_and_a_refused_request_is_none() {
        let refused = evidence(&config(json!({})), Err(Failure::retry("connection refused")), 3).unwrap();
        let denied = evidence(&config(json!({})), Err(Failure::fatal("denied", "not granted")), 0);

        let verdict = judge(&config(json!({})), &refused);
        assert_eq!((verdict.decision, verdict.reason.as_str()), (Decision::Fail, "no answer: connection refused"));
        assert_eq!(denied.unwrap_err().code, "denied");
    }

    #[test]
    fn a_new_rule_is_not_judged_by_an_old_finding() {
        let old = evidence(
            &config(json!({ "json_pointer": "/a", "equals": 1 })),
            Ok(http::Response { status: 200, headers: Vec::new(), body: b"{\"a\":1}".to_vec(), truncated: false }),
            1,
        )
        .unwrap();

        let verdict = judge(&config(json!({ "json_pointer": "/b", "equals": 1 })), &old);

        assert_eq!(verdict.decision, Decision::Inconclusive);
        assert_eq!(verdict.reason, "`/b` was not looked at when this was measured");
    }

    #[test]
    fn a_body_that_was_cut_off_proves_only_what_is_in_it() {
        let judged = |more: Value, body: &str| {
            let config = config(more);
            let response = http::Response { status: 200, headers: Vec::new(), body: body.into(), truncated: true };
            judge(&config, &evidence(&config, Ok(response), 5).unwrap())
        };
        let word = json!({ "body_contains": "ready" });

        assert_eq!(judged(word.clone(), "ready, and mo").decision, Decision::Pass);
        assert_eq!(judged(json!({}), "anything").decision, Decision::Pass);
        for unclear in [judged(word, "not rea"), judged(json!({ "json_pointer": "/a", "equals": 1 }), r#"{"a": 1, "b"#)]
        {
            assert_eq!(unclear.decision, Decision::Inconclusive);
            assert!(unclear.reason.contains("`http_body_bytes`"), "{}", unclear.reason);
        }
    }

    #[test]
    fn half_a_comparison_is_an_issue() {
        assert_eq!(issues(&config(json!({ "json_pointer": "/a" })))[0].path, "/equals");
        assert_eq!(issues(&config(json!({ "equals": 1 })))[0].path, "/json_pointer");
        assert_eq!(issues(&config(json!({ "json_pointer": "a", "equals": 1 })))[0].path, "/json_pointer");
    }

    #[test]
    fn the_example_of_the_readme_is_a_configuration() {
        let readme = include_str!("../README.md");
        let example = readme.split("```json").nth(1).unwrap().split("```").next().unwrap();

        assert_eq!(issues(&lockgate_sdk::parse_config(example).unwrap()), []);
        json::from_str::<Value>(include_str!("../config.schema.json")).unwrap();
    }
}
