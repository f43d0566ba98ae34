//! What comes in: extractors whose refusals are problems, and that take no more than they should.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lockgate_core::name::{InvalidTag, Tag};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::problem::Problem;

/// Of JSON and of a project file.
pub const BODY_BYTES: usize = 1 << 20;
/// Of a plugin.
pub const PLUGIN_BYTES: usize = 64 << 20;
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
        from_json(if bytes.is_empty() { b"{}" } else { &bytes }).map(Self)
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
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
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

pub fn parse_tag(text: &str) -> Result<Tag, Problem> {
    text.parse().map_err(|error: InvalidTag| Problem::invalid("invalid-tag", error.to_string()))
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
