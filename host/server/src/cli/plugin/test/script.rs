//! What stands in the network's place: the exchanges of a fixture, in their order. While one is recorded, requests go out
//! and what comes back is kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lockgate_sandbox::{Play, Received, Sent, Trouble, Wire};
use serde_json::{Map, Value, json};

use super::fixture::{Body, Exchange};
use crate::cli::look::printable;

const SHOWN_CHARS: usize = 200;

pub struct Script {
    mode: Mode,
    exchanges: Vec<Exchange>,
    so_far: Mutex<SoFar>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nothing leaves the machine.
    Replay,
    /// Into the network, as far as the fixture's grants go.
    Record,
}

#[derive(Default)]
struct SoFar {
    answered: usize,
    /// Of the call that is running.
    asked: Vec<Asked>,
    recorded: Vec<Value>,
    /// Headers that were not written down, for they may open doors.
    kept_back: BTreeMap<String, u32>,
    mistakes: Vec<String>,
}

/// A request, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub url: String,
    /// `POST URL -> 204`
    pub line: String,
    pub body: String,
}

impl Script {
    pub fn new(exchanges: Vec<Exchange>, mode: Mode) -> Self {
        Self { mode, exchanges, so_far: Mutex::default() }
    }

    /// What was asked since this was last called.
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.so_far().asked)
    }

    /// In the form of the fixture's `http`.
    pub fn recorded(&self) -> Vec<Value> {
        self.so_far().recorded.clone()
    }

    pub fn kept_back(&self) -> Vec<String> {
        self.so_far().kept_back.keys().cloned().collect()
    }

    /// Requests that the fixture does not know, and exchanges that nobody asked for.
    pub fn mistakes(&self) -> Vec<String> {
        let so_far = self.so_far();
        let left = match self.mode {
            Mode::Replay => &self.exchanges[so_far.answered..],
            Mode::Record => &[],
        };
        let unasked = left.iter().map(|exchange| format!("never asked for: {} {}", exchange.method, exchange.url));
        so_far.mistakes.iter().cloned().chain(unasked).collect()
    }

    fn so_far(&self) -> MutexGuard<'_, SoFar> {
        self.so_far.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn replayed(&self, sent: &Sent) -> Result<Received, Trouble> {
        let mut so_far = self.so_far();
        let next = self.exchanges.get(so_far.answered);
        match next.map(|exchange| (exchange, difference(exchange, sent))) {
            Some((exchange, None)) => {
                so_far.answered += 1;
                exchange.reply.clone()
            }
            Some((_, Some(difference))) => {
                so_far.mistakes.push(format!("not in the fixture: {} {} ({difference})", sent.method, sent.url));
                Err(Trouble::Refused)
            }
            None => {
                let what = "the fixture's `http` has no exchange left";
                so_far.mistakes.push(format!("not in the fixture: {} {} ({what})", sent.method, sent.url));
                Err(Trouble::Refused)
            }
        }
    }

    fn note(&self, sent: &Sent, reply: &Result<Received, Trouble>) {
        let came = match reply {
            Ok(received) => received.status.to_string(),
            Err(trouble) => trouble_word(*trouble).to_owned(),
        };
        let line = printable(&format!("{} {} -> {came}", sent.method, sent.url));
        self.so_far().asked.push(Asked { url: sent.url.clone(), line, body: excerpt(&sent.body) });
    }
}

impl Wire for Script {
    fn answer(&self, sent: &Sent) -> Play {
        match self.mode {
            Mode::Record => Play::Through,
            Mode::Replay => {
                let reply = self.replayed(sent);
                self.note(sent, &reply);
                Play::Answer(reply)
            }
        }
    }

    fn heard(&self, sent: &Sent, came: &Result<Received, Trouble>) {
        self.note(sent, came);
        let mut so_far = self.so_far();
        let mut request = json!({ "method": sent.method, "url": sent.url });
        put_body(&mut request, &sent.body, !matches!(sent.method.as_str(), "GET" | "HEAD"));
        let exchange = match came {
            Ok(received) => {
                let mut response = json!({ "status": received.status });
                let (headers, kept_back) = harmless(&received.headers);
                kept_back.into_iter().for_each(|name| *so_far.kept_back.entry(name).or_default() += 1);
                if !headers.is_empty() {
                    response["headers"] = Value::Object(headers);
                }
                put_body(&mut response, &received.body, false);
                json!({ "request": request, "response": response })
            }
            Err(Trouble::TimedOut) => json!({ "request": request, "fails": "timeout" }),
            Err(Trouble::Broken) => json!({ "request": request, "fails": "broken" }),
            Err(Trouble::Refused) => json!({ "request": request, "fails": "refused" }),
            Err(Trouble::Denied) => {
                let what = format!("{} {} leads where the host lets nobody", sent.method, sent.url);
                so_far.mistakes.push(format!("{what}; grant it under `private_http` if that is meant"));
                return;
            }
        };
        so_far.recorded.push(exchange);
    }
}

fn trouble_word(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Refused => "refused",
        Trouble::TimedOut => "timeout",
        Trouble::Broken => "broken",
        Trouble::Denied => "denied",
    }
}

/// What of a request is not as the exchange says. None: it fits.
fn difference(exchange: &Exchange, sent: &Sent) -> Option<String> {
    if (&exchange.method, &exchange.url) != (&sent.method, &sent.url) {
        return Some(format!("the next one there is {} {}", exchange.method, exchange.url));
    }
    let headers: BTreeMap<&str, &str> =
        sent.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (name, value) in &exchange.headers {
        match headers.get(name.as_str()) {
            Some(sent) if sent == value => {}
            Some(_) if is_secret(name) => return Some(format!("header `{name}` has another value there")),
            Some(sent) => return Some(format!("header `{name}` is `{value}` there, and `{sent}` was sent")),
            None => return Some(format!("header `{name}` is missing")),
        }
    }
    match &exchange.body {
        Some(body) if !body.matches(&sent.body) => {
            let expected = match body {
                Body::Bytes(bytes) => excerpt(bytes),
                Body::Json(value) => excerpt(value.to_string().as_bytes()),
            };
            Some(format!("its body there is `{expected}`, and `{}` was sent", excerpt(&sent.body)))
        }
        Some(_) | None => None,
    }
}

fn excerpt(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().nth(SHOWN_CHARS).is_some() => {
            format!("{}…", printable(&text.chars().take(SHOWN_CHARS).collect::<String>()))
        }
        Ok(text) => printable(text),
        Err(_) => format!("{} bytes that are no text", bytes.len()),
    }
}

/// As `json` where that gives the same bytes again, so that people can read it.
fn put_body(part: &mut Value, bytes: &[u8], also_empty: bool) {
    let compact = serde_json::from_slice::<Value>(bytes).ok();
    let compact = compact.filter(|value| value.is_object() || value.is_array());
    match (compact.filter(|value| value.to_string().as_bytes() == bytes), std::str::from_utf8(bytes)) {
        (_, Ok("")) if !also_empty => {}
        (Some(value), _) => part["json"] = value,
        (None, Ok(text)) => part["body"] = text.into(),
        (None, Err(_)) => part["hex"] = hex::encode(bytes).into(),
    }
}

/// What a response may leave in a file that goes to others, and the names of what was left out. How the answer was
/// brought is left out, too: it says nothing of what was answered.
fn harmless(headers: &[(String, String)]) -> (Map<String, Value>, Vec<String>) {
    const CARRIAGE: [&str; 6] = ["connection", "keep-alive", "transfer-encoding", "content-length", "date", "trailer"];
    let mut kept = Map::new();
    let mut kept_back = Vec::new();
    for (name, value) in headers {
        match name.as_str() {
            secret if is_secret(secret) => kept_back.push(name.clone()),
            carriage if CARRIAGE.contains(&carriage) => {}
            _ => drop(kept.insert(name.clone(), value.as_str().into())),
        }
    }
    (kept, kept_back)
}

fn is_secret(header: &str) -> bool {
    ["auth", "cookie", "token", "secret", "key", "session", "credential", "signature", "password"]
        .iter()
        .any(|word| header.to_ascii_lowercase().contains(word))
        && header != "idempotency-key"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(method: &str, url: &str, body: &str) -> Sent {
        let headers = vec![("authorization".to_owned(), "Bearer hunter2".to_owned()), ("x".to_owned(), "1".to_owned())];
        Sent { method: method.into(), url: url.into(), headers, body: body.into() }
    }

    fn exchange(method: &str, url: &str, body: Option<Body>) -> Exchange {
        let reply = Ok(Received { status: 204, headers: vec![], body: vec![] });
        Exchange { method: method.into(), url: url.into(), headers: BTreeMap::new(), body, reply }
    }

    #[test]
    fn a_request_that_is_not_the_next_one_is_named_with_what_comes_close() {
        let json = |text: &str| Some(Body::Json(serde_json::from_str(text).unwrap()));
        let with = |name: &str, value: &str| Exchange {
            headers: BTreeMap::from([(name.to_owned(), value.to_owned())]),
            ..exchange("PUT", "http://a/", None)
        };
        for (exchange, expected) in [
            (exchange("PUT", "http://a/", None), None),
            (exchange("PUT", "http://a/", json(r#"{"b": 2, "a": 1}"#)), None),
            (exchange("PUT", "http://a/", Some(Body::Bytes(br#"{"a":1,"b":2}"#.to_vec()))), None),
            (exchange("GET", "http://a/", None), Some("the next one there is GET http://a/")),
            (exchange("PUT", "http://b/", None), Some("the next one there is PUT http://b/")),
            (
                exchange("PUT", "http://a/", json("[1]")),
                Some(r#"its body there is `[1]`, and `{"a":1,"b":2}` was sent"#),
            ),
            (with("x", "1"), None),
            (with("x", "2"), Some("header `x` is `2` there, and `1` was sent")),
            (with("y", "2"), Some("header `y` is missing")),
            (with("authorization", "other"), Some("header `authorization` has another value there")),
        ] {
            let found = difference(&exchange, &sent("PUT", "http://a/", r#"{"a":1,"b":2}"#));
            assert_eq!(found.as_deref(), expected);
        }
    }

    #[test]
    fn nothing_that_opens_doors_is_written_down() {
        let script = Script::new(vec![], Mode::Record);
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("set-cookie", "session=hunter2"),
            header("X-Auth-Token", "hunter2"),
            header("x-api-key", "hunter2"),
            header("content-type", "text/plain"),
            header("content-length", "4"),
        ];
        let came = Ok(Received { status: 200, headers, body: b"well".to_vec() });
        script.heard(&sent("GET", "http://a/", ""), &came);
        assert_eq!(
            serde_json::to_string(&script.recorded()).unwrap(),
            r#"[{"request":{"method":"GET","url":"http://a/"},"response":{"status":200,"headers":{"content-type":"text/plain"},"body":"well"}}]"#
        );
        assert_eq!(script.kept_back(), ["X-Auth-Token", "set-cookie", "x-api-key"]);
        assert!(script.take_asked().iter().all(|asked| !format!("{asked:?}").contains("hunter2")));
    }

    #[test]
    fn what_is_left_over_is_told() {
        let script =
            Script::new(vec![exchange("GET", "http://a/", None), exchange("GET", "http://b/", None)], Mode::Replay);
        assert!(matches!(script.answer(&sent("GET", "http://a/", "")), Play::Answer(Ok(_))));
        assert!(matches!(script.answer(&sent("GET", "http://c/", "")), Play::Answer(Err(Trouble::Refused))));
        assert_eq!(
            script.mistakes(),
            [
                "not in the fixture: GET http://c/ (the next one there is GET http://b/)",
                "never asked for: GET http://b/"
            ]
        );
    }

    #[test]
    fn a_body_comes_back_as_the_bytes_it_was() {
        let put = |bytes: &[u8]| {
            let mut part = json!({});
            put_body(&mut part, bytes, true);
            part.to_string()
        };
        assert_eq!(put(br#"{"a":1}"#), r#"{"json":{"a":1}}"#);
        assert_eq!(put(br#"{"a": 1}"#), r#"{"body":"{\"a\": 1}"}"#);
        assert_eq!(put(b"7"), r#"{"body":"7"}"#);
        assert_eq!(put(b""), r#"{"body":""}"#);
        assert_eq!(put(&[0xff, 0]), r#"{"hex":"ff00"}"#);
    }
}
