//! One HTTP request, as the grants allow. No redirects: a grant for one origin is no grant for the next.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::host::lockgate::plugin::http as host;
use crate::bindings::host::lockgate::plugin::types::Field;
use crate::{Call, Failure};

/// A server that says when to come back is not believed beyond this.
const LONGEST_RETRY_AFTER_SECONDS: u32 = 60 * 60;
/// What is left of a call when its request has timed out: enough to say so.
const TIME_TO_ANSWER_MS: u32 = 1000;

#[derive(Debug, Clone)]
pub struct Request(host::Request);

pub fn get(url: &str) -> Request {
    Request::new("GET", url)
}

pub fn post(url: &str) -> Request {
    Request::new("POST", url)
}

impl Request {
    /// Waits as long as the call has time, unless [`Request::timeout_ms`] says less.
    pub fn new(method: &str, url: &str) -> Self {
        Self(host::Request {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: 0,
        })
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.0.headers.push(Field { key: name.into(), value: value.into() });
        self
    }

    /// Lets the other side know a repeated request by its key.
    pub fn idempotency_key(self, call: &Call) -> Self {
        self.header("Idempotency-Key", &call.idempotency_key)
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.0.body = body.into();
        self
    }

    /// Sets `Content-Type` too.
    ///
    /// # Panics
    /// If `value` has no JSON, such as a map whose keys are no strings.
    pub fn json<T: Serialize>(self, value: &T) -> Self {
        let body = serde_json::to_vec(value).expect("a body is written as JSON; maps need keys that are strings");
        self.header("Content-Type", "application/json").body(body)
    }

    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.0.timeout_ms = timeout_ms;
        self
    }

    /// At most this long, and always so that the call has a second left: a slow server is then something the plugin can
    /// tell, not a call that its host had to stop.
    pub fn timeout_within_call(self, timeout_ms: u32) -> Self {
        self.timeout_ms(within(timeout_ms, crate::control::remaining_ms()))
    }

    /// Any status is an answer; only what kept it from coming is a failure.
    pub fn send(self) -> Result<Response, Failure> {
        #[cfg(target_family = "wasm")]
        return host::send(&self.0).map(Response::from);
        #[cfg(not(target_family = "wasm"))]
        Err(crate::not_in_a_host(&format!("{} {}", self.0.method, self.0.url)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u32,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The body was longer than the grant allows.
    pub truncated: bool,
}

impl Response {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Any status but 2xx as a [`Response::failure`].
    pub fn error_for_status(self) -> Result<Self, Failure> {
        if self.is_success() {
            return Ok(self);
        }
        let said = self.text().chars().take(200).collect::<String>();
        let message = format!("the server answered {}: {said}", self.status);
        Err(self.failure(message))
    }

    /// A failure with code `http-status`. May be repeated where another try can end otherwise: 5xx, the other side
    /// broke, and 408, 425 and 429, not now. `Retry-After` in seconds counts, up to an hour.
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        match self.status {
            408 | 425 | 429 | 500..=599 => {
                Failure::retry(message).with_code("http-status").after_ms(self.retry_after_ms())
            }
            _ => Failure::fatal("http-status", message),
        }
    }

    fn retry_after_ms(&self) -> u32 {
        let seconds = self.header("Retry-After").and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or(0);
        u32::try_from(seconds).unwrap_or(u32::MAX).min(LONGEST_RETRY_AFTER_SECONDS) * 1000
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// What is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Failure::fatal("invalid-response", format!("the answer does not read: {error}")))
    }
}

fn within(timeout_ms: u32, remaining_ms: u32) -> u32 {
    // 0 would be no timeout at all.
    timeout_ms.min(remaining_ms.saturating_sub(TIME_TO_ANSWER_MS)).max(1)
}

impl From<host::Response> for Response {
    fn from(response: host::Response) -> Self {
        let host::Response { status, headers, body, truncated } = response;
        let headers = headers.into_iter().map(|Field { key, value }| (key, value)).collect();
        Self { status, headers, body, truncated }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Retry;

    fn answered(status: u32) -> Response {
        Response { status, headers: vec![("X-A".into(), "1".into())], body: b"sorry".to_vec(), truncated: false }
    }

    #[test]
    fn only_a_server_that_broke_is_asked_again() {
        assert!(answered(204).error_for_status().is_ok());
        let broken = answered(503).error_for_status().unwrap_err();
        let refused = answered(404).error_for_status().unwrap_err();

        assert_eq!(broken.retry, Retry::SameKey);
        assert_eq!((refused.retry, refused.message.as_str()), (Retry::Never, "the server answered 404: sorry"));
    }

    #[test]
    fn a_server_that_asks_for_patience_is_asked_again_when_it_says() {
        let asking = |status, after: &str| {
            let headers = vec![("retry-after".into(), after.into())];
            let failure = Response { headers, ..answered(status) }.failure("not now");
            (failure.retry, failure.retry_after_ms)
        };
        for status in [408, 425, 429, 500, 503] {
            assert_eq!(asking(status, "120"), (Retry::SameKey, 120_000), "{status}");
        }
        assert_eq!(asking(429, "99999999999").1, 3_600_000);
        assert_eq!(asking(429, "Wed, 21 Oct 2026 07:28:00 GMT").1, 0);
        assert_eq!(asking(404, "120"), (Retry::Never, 0));
    }

    #[test]
    fn a_request_ends_before_its_call_does() {
        assert_eq!([within(30_000, 60_000), within(30_000, 20_000), within(30_000, 500)], [30_000, 19_000, 1]);
    }

    #[test]
    fn headers_are_found_in_any_case() {
        assert_eq!(answered(200).header("x-a"), Some("1"));
    }
}
