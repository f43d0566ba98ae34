//! A phase that sends one HTTP request: tells a chat room, starts a job elsewhere, purges a cache.
//!
//! It must never send a request whose placeholders it could not fill.

mod template;

use std::collections::BTreeMap;

use lockgate_sdk::phase::*;
use serde::Deserialize;

/// What of a body is kept in the outputs. The request has had its effect: its answer must not be too long to record.
const KEPT_BODY_BYTES: usize = 64 << 10;

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default = "post")]
    pub method: String,
    pub url: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What `{{secret}}` stands for in headers.
    pub secret: Option<String>,
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
            .secret_from_config("/secret")
    }

    fn validate(config: &Config) -> Vec<Issue> {
        issues(config)
    }

    fn advance(call: Call, config: Config, subject: Subject, _: Cursor) -> Result<Progressed, Failure> {
        if let Some(Issue { path, message }) = issues(&config).into_iter().next() {
            return Err(Failure::fatal("invalid-config", format!("{path}: {message}")));
        }
        let token = config.secret.as_deref().map(secrets::token).transpose()?;
        let filled = fill(&config, &subject, token.as_deref().unwrap_or_default())?;
        // Behind the origin stands what lets anybody write to a chat room.
        log::info(format!("{} {}", filled.method, origin(&filled.url)));
        let response = filled.request(&call).send()?;
        log::info(format!("the server answered {}", response.status));
        outcome(&config, &response)
    }
}

lockgate_sdk::export_phase!(HttpRequest);

/// `https://host:port`, and nothing of what is behind it.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |end| end + "://".len());
    let end = url[host..].find(['/', '?', '#', '\\']).map_or(url.len(), |end| host + end);
    &url[..end]
}

/// What the schema cannot say: placeholders with a root that does not exist, or where none may stand.
fn issues(config: &Config) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut check = |path: &str, text: &str| {
        if let Err(message) = template::check(text) {
            issues.push(Issue::new(path, message));
        }
    };
    check("/url", &config.url);
    for (name, value) in &config.headers {
        value.split(SECRET).for_each(|part| check(&format!("/headers/{}", escape_pointer(name)), part));
    }
    if let Some(body) = &config.body {
        each_string(body, "/body", &mut check);
    }
    if origin(&config.url).contains("{{") {
        issues.push(Issue::new("/url", "has a placeholder before its path; an origin is granted as it is written"));
    }
    let is_sent = config.headers.values().any(|value| value.contains(SECRET));
    if is_sent != config.secret.is_some() {
        issues.push(Issue::new(
            "/secret",
            "and `{{secret}}` in a header belong together: one is there without the other",
        ));
    }
    for name in config.headers.keys().filter(|name| name.eq_ignore_ascii_case("idempotency-key")) {
        let path = format!("/headers/{}", escape_pointer(name));
        issues.push(Issue::new(path, "is the host's to set: it tells a repeated request from a new one"));
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

/// The host swaps what is put here for the value, on the way to where the secret may travel.
const SECRET: &str = "{{secret}}";

fn fill(config: &Config, subject: &Subject, token: &str) -> Result<Filled, Failure> {
    let fill_header = |value: &str| {
        let parts = value.split(SECRET).map(|part| template::fill(part, subject));
        parts.collect::<Result<Vec<_>, _>>().map(|parts| parts.join(token))
    };
    let headers = config
        .headers
        .iter()
        .map(|(name, value)| Ok((name.clone(), fill_header(value)?)))
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
        let mut request =
            http::Request::new(&self.method, &self.url).idempotency_key(call).timeout_within_call(self.timeout_ms);
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
        return Ok(Progressed::done(format!("The server answered {}.", response.status)).outputs(told(response)));
    }
    let message = format!("the server answered {}, expected {}", response.status, wanted(config));
    Err(response.failure(message).details(told(response)))
}

fn wanted(config: &Config) -> String {
    match &config.expect_status {
        Some(list) => list.iter().map(u32::to_string).collect::<Vec<_>>().join(" or "),
        None => "any 2xx".into(),
    }
}

/// JSON that is too long is no JSON any more when it is cut: of that only the size is told.
fn told(response: &http::Response) -> Value {
    let bytes = response.body.len();
    let is_long = bytes > KEPT_BODY_BYTES;
    let body = match json::from_slice::<Value>(&response.body) {
        Ok(_) if is_long => json!({ "bytes": bytes, "truncated": true }),
        Ok(body) => body,
        Err(_) => Value::String(shortened(&response.text(), KEPT_BODY_BYTES).to_owned()),
    };
    match is_long || response.truncated {
        true => json!({ "status": response.status, "body": body, "truncated": true }),
        false => json!({ "status": response.status, "body": body }),
    }
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
        let kept = told(&answered(200, &"é".repeat(KEPT_BODY_BYTES)));

        assert_eq!(kept["body"].as_str().unwrap().len(), KEPT_BODY_BYTES);
        assert_eq!(kept["truncated"], true);
        assert_eq!(shortened("aé", 2), "a");
    }

    #[test]
    fn of_a_long_json_answer_the_size_is_told() {
        let long = json!({ "items": vec!["x"; KEPT_BODY_BYTES] }).to_string();
        let progressed = outcome(&hook(), &answered(200, &long)).unwrap();

        let bytes = long.len();
        let outputs: Value = json::from_str(&progressed.outputs).unwrap();
        assert_eq!(outputs, json!({ "status": 200, "body": { "bytes": bytes, "truncated": true }, "truncated": true }));
    }

    #[test]
    fn an_answer_the_host_cut_off_says_so() {
        let cut = http::Response { truncated: true, ..answered(200, r#"{"id": 7, "na"#) };

        assert_eq!(told(&cut), json!({ "status": 200, "body": r#"{"id": 7, "na"#, "truncated": true }));
    }

    #[test]
    fn of_a_webhook_nothing_is_logged_but_where_it_is() {
        for (url, shown) in [
            ("https://hooks.example.com/T0/SECRET?token=x", "https://hooks.example.com"),
            ("https://hooks.example.com:8443?SECRET", "https://hooks.example.com:8443"),
            ("https://hooks.example.com", "https://hooks.example.com"),
            ("hooks/SECRET", "hooks"),
        ] {
            assert_eq!(origin(url), shown);
        }
    }

    #[test]
    fn where_a_request_goes_and_its_key_are_not_the_releases_to_say() {
        for url in ["https://{{variables.HOST}}/a", "{{variables.URL}}", "https://a.{{environment}}"] {
            assert_eq!(issues(&config(json!({ "url": url })))[0].path, "/url", "{url}");
        }
        assert_eq!(issues(&config(json!({ "url": "https://a.example?to={{environment}}" }))), []);
        let keyed = config(json!({ "url": "https://a.example", "headers": { "idempotency-KEY": "1" } }));
        assert_eq!(issues(&keyed)[0].path, "/headers/idempotency-KEY");
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

        let filled = fill(&config, &subject, "").unwrap();

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
