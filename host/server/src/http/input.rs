//! What comes in: extractors whose refusals are problems, and that take no more than they should.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lockgate_core::name::{InvalidTag, Name, Tag, Timestamp};
use lockgate_core::plugin::MOST_COMPONENT_BYTES;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::Problem;
use crate::clock;

/// Of JSON and of a project file.
pub const BODY_BYTES: usize = 1 << 20;
/// Of a plugin.
pub const PLUGIN_BYTES: usize = MOST_COMPONENT_BYTES as usize;
/// Of an artifact.
pub const ARTIFACT_BYTES: u64 = 4 << 30;
/// Of a path with its query.
const TARGET_BYTES: usize = 8 << 10;
pub const HEADERS: usize = 100;
/// Names and values together.
const HEADERS_BYTES: usize = 32 << 10;
/// A body that is kept in memory must have arrived by then.
const BODY_TIMEOUT: Duration = Duration::from_secs(120);

/// Refuses a head that is larger than any request here needs. What hyper cannot read it refuses itself, with no body.
pub async fn bounded(request: Request, next: Next) -> Response {
    let target_bytes = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target_bytes > TARGET_BYTES {
        let detail = format!("path and query have {target_bytes} bytes, and at most {TARGET_BYTES} are taken");
        return Problem::new(StatusCode::URI_TOO_LONG, "uri-too-long", detail).into_response();
    }
    let count = request.headers().len();
    let bytes: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if count > HEADERS || bytes > HEADERS_BYTES {
        let detail = format!(
            "{count} headers with {bytes} bytes, and at most {HEADERS} with {HEADERS_BYTES} bytes together are taken"
        );
        return Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", detail).into_response();
    }
    next.run(request).await
}

/// The names in the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Problem))]
pub struct At<T>(pub T);

/// What stands behind the `?`.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Problem))]
pub struct Asked<T>(pub T);

/// A JSON body, whatever its content type says. No body at all is `{}`.
pub struct Given<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Given<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Whole(bytes) = Whole::from_request(request, state).await?;
        if !bytes.is_empty() {
            return from_json(&bytes).map(Self);
        }
        // What all have left out may be left out together.
        serde_json::from_str("{}").map(Self).map_err(|error| {
            let said = error.to_string();
            let lacking = said.split(" at line").next().unwrap_or_default();
            Problem::invalid("invalid-body", format!("there is no body, and this needs a JSON object: {lacking}"))
        })
    }
}

/// A body that is read into memory, up to the limit of its route.
pub struct Whole(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Whole {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match tokio::time::timeout(BODY_TIMEOUT, Bytes::from_request(request, state)).await {
            Ok(read) => Ok(Self(read?)),
            Err(_) => {
                let detail = format!("the body did not arrive within {} s", BODY_TIMEOUT.as_secs());
                Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", detail))
            }
        }
    }
}

fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        // A list would be taken for the fields in their order.
        return Err(match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Problem::invalid("invalid-body", "the body must be a JSON object, `{ ... }`"),
            Err(error) => not_json(&error),
        });
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, cause) = (error.path().to_string(), error.into_inner());
        match cause.classify() {
            serde_json::error::Category::Data if path != "." => {
                Problem::invalid("invalid-body", format!("`{path}`: {cause}"))
            }
            serde_json::error::Category::Data => Problem::invalid("invalid-body", cause.to_string()),
            serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof
            | serde_json::error::Category::Io => not_json(&cause),
        }
    })?;
    json.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "invalid-json", format!("the body is not JSON: {error}"))
}

/// The header of that name: a trigger that is repeated with its key is done once.
pub struct IdempotencyKey(pub Option<String>);

const KEY_CHARS: usize = 200;

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut given = parts.headers.get_all("idempotency-key").iter();
        let Some(value) = given.next() else { return Ok(Self(None)) };
        if given.any(|other| other != value) {
            let detail = "`Idempotency-Key` is given twice, with two keys: nobody knows which of them is meant";
            return Err(Problem::invalid("invalid-idempotency-key", detail));
        }
        let visible = (1..=KEY_CHARS).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic);
        match value.to_str() {
            Ok(key) if visible => Ok(Self(Some(key.to_owned()))),
            Ok(_) | Err(_) => {
                let detail = format!("`Idempotency-Key` takes 1 to {KEY_CHARS} visible characters without spaces");
                Err(Problem::invalid("invalid-idempotency-key", detail))
            }
        }
    }
}

// ---- words of a request ----

pub fn parse_tag(text: &str) -> Result<Tag, Problem> {
    text.parse().map_err(|error: InvalidTag| Problem::invalid("invalid-tag", error.to_string()))
}

pub fn parse_name(field: &str, text: &str) -> Result<Name, Problem> {
    text.parse().map_err(|error| Problem::invalid("invalid-body", format!("`{field}`: {error}")))
}

pub fn parse_time(field: &str, text: &str) -> Result<Timestamp, Problem> {
    clock::parse(text).ok_or_else(|| {
        let shown: String = text.chars().take(60).collect();
        let detail = format!("`{field}`: `{shown}` is no time; write it as 2026-03-14T09:30:00Z, up to the year 9999");
        Problem::invalid("invalid-body", detail)
    })
}

/// How many an answer may hold: of whoever does not say, `usual`.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub usual: usize,
    pub most: usize,
}

/// Of most lists.
pub const PAGE: Limit = Limit { usual: 50, most: 200 };

impl Limit {
    pub fn in_query(self, asked: Option<usize>) -> Result<usize, Problem> {
        self.checked(asked).map_err(|why| Problem::invalid("invalid-query", why))
    }

    pub fn in_body(self, asked: Option<usize>) -> Result<usize, Problem> {
        self.checked(asked).map_err(|why| Problem::invalid("invalid-body", why))
    }

    fn checked(self, asked: Option<usize>) -> Result<usize, String> {
        match asked.unwrap_or(self.usual) {
            limit if (1..=self.most).contains(&limit) => Ok(limit),
            limit => Err(format!("`limit` is {limit}; it can be 1 to {}", self.most)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    fn refused(text: &str) -> (String, String) {
        let Err(problem) = from_json::<wire::NewRelease>(text.as_bytes()) else { panic!("{text} was taken") };
        let problem = problem.into_wire();
        (problem.code, problem.detail)
    }

    #[test]
    fn a_wrong_body_is_refused_with_the_place() {
        let (code, detail) = refused(r#"{"tag":"v1","artifacts":[{"name":"web","digest":1}]}"#);
        assert_eq!(code, "invalid-body");
        assert!(detail.starts_with("`artifacts[0].digest`: invalid type"), "{detail}");
    }

    #[test]
    fn what_is_not_json_is_told_apart_from_what_does_not_fit() {
        assert_eq!(refused("{tag").0, "invalid-json");
        assert_eq!(refused(r#"{"tag":"v1"} {}"#).0, "invalid-json");
        assert_eq!(refused(r#"{"tagg":"v1"}"#).0, "invalid-body");
        assert_eq!(refused("{}").0, "invalid-body");
    }

    #[test]
    fn a_time_and_a_limit_have_their_form() {
        let detail = |problem: Problem| problem.into_wire().detail;
        assert_eq!(parse_time("since", "2026-03-14T09:30:00Z").unwrap(), Timestamp(1_773_480_600_000));
        let wrong = detail(parse_time("since", "yesterday").unwrap_err());
        assert_eq!(wrong, "`since`: `yesterday` is no time; write it as 2026-03-14T09:30:00Z, up to the year 9999");
        assert_eq!([None, Some(1), Some(200)].map(|asked| PAGE.in_query(asked).unwrap()), [50, 1, 200]);
        for wrong in [0, 201] {
            let refused = PAGE.in_query(Some(wrong)).unwrap_err().into_wire();
            assert_eq!(
                (refused.code.as_str(), refused.detail),
                ("invalid-query", format!("`limit` is {wrong}; it can be 1 to 200"))
            );
        }
        assert_eq!(PAGE.in_body(Some(0)).unwrap_err().into_wire().code, "invalid-body");
    }

    #[test]
    fn a_body_is_an_object() {
        for text in [r#"["v9","d",[]]"#, " [] ", "null", "7", r#""v9""#] {
            assert_eq!(
                refused(text),
                ("invalid-body".into(), "the body must be a JSON object, `{ ... }`".into()),
                "{text}"
            );
        }
        assert_eq!([refused("[").0, refused(" ").0, refused("[] {}").0], ["invalid-json"; 3]);
        assert!(from_json::<wire::NewRelease>(b" \n{\"tag\":\"v1\"}").is_ok());
    }
}
