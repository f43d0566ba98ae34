//! A phase that sends one HTTP request: tells a chat room, starts a job elsewhere, purges a cache.
//!
//! It must never send a request whose placeholders it could not fill.

mod template;

use std::collections::BTreeMap;

use lockgate_sdk::phase::*;
use serde::Deserialize;

/// What of a body that is no JSON is kept in the outputs.
const KEPT_TEXT_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default = "post")]
    pub method: String,
    pub url: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub body: Option<Value>,
    /// None: any 2xx.
    pub expect_status: Option<Vec<u32>>,
    #[serde(default = "thirty")]
    pub timeout_seconds: u32,
}

fn post() -> String {
    "POST".into()
}

fn thirty() -> u32 {
    30
}

pub struct HttpRequest;

impl Phase for HttpRequest {
    type Config = Config;

    fn describe() -> Description {
        describe!("Sends one HTTP request, with words of the release in its body.")
            .config_schema(include_str!("../config.schema.json"))
            .http_from_config("/url")
    }

    fn validate(config: &Config) -> Vec<Issue> {
        issues(config)
    }

    fn advance(call: Call, config: Config, subject: Subject, _: Cursor) -> Result<Progressed, Failure> {
        let filled = fill(&config, &subject)?;
        log::info(format!("{} {}", filled.method, filled.url));
        let response = filled.request(&call).send()?;
        log::info(format!("the server answered {}", response.status));
        outcome(&config, &response)
    }
}

lockgate_sdk::export_phase!(HttpRequest);

/// What the schema cannot say: placeholders with a root that does not exist.
fn issues(config: &Config) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut check = |path: &str, text: &str| {
        if let Err(message) = template::check(text) {
            issues.push(Issue::new(path, message));
        }
    };
    check("/url", &config.url);
    for (name, value) in &config.headers {
        check(&format!("/headers/{}", escape_pointer(name)), value);
    }
    if let Some(body) = &config.body {
        each_string(body, "/body", &mut check);
    }
    issues
}

fn each_string(value: &Value, path: &str, check: &mut impl FnMut(&str, &str)) {
    match value {
        Value::String(text) => check(path, text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_string(item, &format!("{path}/{index}"), check);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                each_string(item, &format!("{path}/{}", escape_pointer(key)), check);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn escape_pointer(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A configuration without placeholders.
#[derive(Debug, PartialEq)]
struct Filled {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    timeout_ms: u32,
}

fn fill(config: &Config, subject: &Subject) -> Result<Filled, Failure> {
    let headers = config
        .headers
        .iter()
        .map(|(name, value)| Ok((name.clone(), template::fill(value, subject)?)))
        .collect::<Result<_, Failure>>()?;
    Ok(Filled {
        method: config.method.clone(),
        url: template::fill(&config.url, subject)?,
        headers,
        body: config.body.as_ref().map(|body| template::fill_json(body, subject)).transpose()?,
        timeout_ms: config.timeout_seconds.saturating_mul(1000),
    })
}

impl Filled {
    fn request(self, call: &Call) -> http::Request {
        let names_its_type = self.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
        let mut request = http::Request::new(&self.method, &self.url).idempotency_key(call).timeout_ms(self.timeout_ms);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match self.body {
            None => request,
            Some(Value::String(text)) => request.body(text),
            Some(body) if names_its_type => request.body(body.to_string()),
            Some(body) => request.json(&body),
        }
    }
}

fn outcome(config: &Config, response: &http::Response) -> Result<Progressed, Failure> {
    let expected = match &config.expect_status {
        Some(list) => list.contains(&response.status),
        None => response.is_success(),
    };
    if expected {
        let outputs = json!({ "status": response.status, "body": body(response) });
        return Ok(Progressed::done(format!("The server answered {}.", response.status)).outputs(outputs));
    }
    let message = format!("the server answered {}, expected {}", response.status, wanted(config));
    let failure = match response.status {
        500..=599 => Failure::retry(message).with_code("http-status"),
        _ => Failure::fatal("http-status", message),
    };
    Err(failure.details(json!({ "status": response.status, "body": body(response) })))
}

fn wanted(config: &Config) -> String {
    match &config.expect_status {
        Some(list) => list.iter().map(u32::to_string).collect::<Vec<_>>().join(" or "),
        None => "any 2xx".into(),
    }
}

fn body(response: &http::Response) -> Value {
    json::from_slice(&response.body)
        .unwrap_or_else(|_| Value::String(shortened(&response.text(), KEPT_TEXT_BYTES).to_owned()))
}

/// At most `bytes` long, cut between characters.
fn shortened(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(value: Value) -> Config {
        json::from_value(value).unwrap()
    }

    fn answered(status: u32, body: &str) -> http::Response {
        http::Response { status, headers: Vec::new(), body: body.into(), truncated: false }
    }

    fn hook() -> Config {
        config(json!({ "url": "https://hooks.example.com/release" }))
    }

    #[test]
    fn a_json_answer_becomes_an_output() {
        let progressed = outcome(&hook(), &answered(201, r#"{"id": 7}"#)).unwrap();

        assert!(progressed.done);
        assert_eq!(progressed.outputs, r#"{"status":201,"body":{"id":7}}"#);
    }

    #[test]
    fn a_long_text_answer_is_cut_between_characters() {
        let kept = body(&answered(200, &"é".repeat(KEPT_TEXT_BYTES)));

        assert_eq!(kept.as_str().unwrap().len(), KEPT_TEXT_BYTES);
        assert_eq!(shortened("aé", 2), "a");
    }

    #[test]
    fn a_server_that_broke_is_asked_again_and_one_that_refused_is_not() {
        let broken = outcome(&hook(), &answered(502, "bad gateway")).unwrap_err();
        let refused = outcome(&hook(), &answered(403, "no")).unwrap_err();

        assert_eq!((broken.retry, broken.code.as_str()), (Retry::SameKey, "http-status"));
        assert_eq!(refused.retry, Retry::Never);
        assert_eq!(refused.message, "the server answered 403, expected any 2xx");
    }

    #[test]
    fn an_expected_status_is_a_success_whatever_it_is() {
        let gone = config(json!({ "url": "https://a.example", "expect_status": [200, 404] }));

        assert!(outcome(&gone, &answered(404, "")).is_ok());
        let other = outcome(&gone, &answered(204, "")).unwrap_err();
        assert_eq!(other.message, "the server answered 204, expected 200 or 404");
    }

    #[test]
    fn placeholders_are_filled_wherever_text_stands() {
        let config = config(json!({
            "url": "https://a.example/{{environment}}",
            "headers": { "X-Release": "{{release.tag}}" },
            "body": { "texts": ["{{release.tag}} is out"], "{{environment}}": 1 },
        }));
        let subject: Subject =
            json::from_value(json!({ "environment": "production", "release": { "tag": "v7" } })).unwrap();

        let filled = fill(&config, &subject).unwrap();

        assert_eq!(filled.url, "https://a.example/production");
        assert_eq!(filled.headers["X-Release"], "v7");
        assert_eq!(filled.body, Some(json!({ "texts": ["v7 is out"], "{{environment}}": 1 })));
    }

    #[test]
    fn a_placeholder_with_an_unknown_root_is_an_issue_at_its_place() {
        let config = config(json!({ "url": "https://a.example", "body": { "a/b": ["{{relase.tag}}"] } }));

        let issues = issues(&config);

        assert_eq!(issues[0].path, "/body/a~1b/0");
        assert!(issues[0].message.starts_with("`{{relase.tag}}` is no placeholder"), "{}", issues[0].message);
    }

    #[test]
    fn the_example_of_the_readme_is_a_configuration() {
        let readme = include_str!("../README.md");
        let example = readme.split("```json").nth(1).unwrap().split("```").next().unwrap();

        assert_eq!(issues(&lockgate_sdk::parse_config(example).unwrap()), []);
        json::from_str::<Value>(include_str!("../config.schema.json")).unwrap();
    }
}
