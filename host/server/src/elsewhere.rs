//! Components that are kept elsewhere: at a URL, or in an OCI registry. Only commands reach out, from the machine and
//! with the credentials of whoever runs them: a host has no way out of its own.
//!
//! Nothing that comes in is trusted: it is bounded, and held against the digest where one is known.

mod artifact;
mod credentials;
mod reference;
mod registry;
mod web;

use lockgate_core::digest::Digest;
use reqwest::StatusCode;
use url::Url;

pub use credentials::Credentials;
pub use reference::{InvalidReference, Reference};
pub use registry::Registry;
pub use web::{PlainHttp, Web, is_here, shown};

/// A host takes no larger component.
pub use lockgate_core::plugin::MOST_COMPONENT_BYTES as MOST_BYTES;

#[derive(Debug, thiserror::Error)]
pub enum ElsewhereError {
    #[error("{url} speaks plain HTTP, where anybody on the way can put other bytes")]
    PlainHttp { url: Url },
    #[error("{url} asks for credentials over plain HTTP, where anybody on the way can read them")]
    CredentialsInClear { url: Url },
    #[error("cannot set up TLS: {cause}")]
    Tls { cause: String },
    #[error("{url}: {cause}")]
    NoAnswer { url: Url, cause: String },
    #[error("{url} answered {status}{said}")]
    Status { url: Url, status: StatusCode, said: String },
    #[error("{url} sends more than {limit} bytes")]
    TooLarge { url: Url, limit: u64 },
    #[error("{registry} does not let {who} do this{said}")]
    NotAllowed { registry: String, who: String, said: String },
    #[error("{registry} asks for credentials in a way that is not understood: {challenge}")]
    Challenge { registry: String, challenge: String },
    #[error("the credentials for {registry} cannot be had: {cause}")]
    Credentials { registry: String, cause: String },
    #[error("there is no {reference}; {known}")]
    Unknown { reference: String, known: String },
    #[error("{from} sent other bytes than was asked for: expected {expected}, got {found}")]
    OtherBytes { from: String, expected: Digest, found: Digest },
    #[error("{reference} is no component: {why}")]
    NotAComponent { reference: String, why: String },
    #[error("{from} answered, but not as a registry does: {what}")]
    Unexpected { from: String, what: String },
}

impl ElsewhereError {
    pub fn hint(&self) -> &'static str {
        match self {
            Self::PlainHttp { .. } => "use https://, or allow it with --insecure-http",
            Self::CredentialsInClear { .. } => {
                "put TLS in front of it: passwords go over plain HTTP to this machine only"
            }
            Self::NotAllowed { .. } => {
                "log in with `docker login`, or set LOCKGATE_REGISTRY, LOCKGATE_REGISTRY_USER and LOCKGATE_REGISTRY_PASSWORD"
            }
            Self::NoAnswer { cause, .. } if cause.contains("InvalidContentType") => {
                "it seems to speak plain HTTP; if that is meant, allow it with --insecure-http"
            }
            Self::OtherBytes { .. } => "do not use it before somebody has found out why",
            Self::NotAComponent { .. } => "`lockgate plugin push` and `wkg oci push` write what is expected",
            Self::Tls { .. }
            | Self::NoAnswer { .. }
            | Self::Status { .. }
            | Self::TooLarge { .. }
            | Self::Challenge { .. }
            | Self::Credentials { .. }
            | Self::Unknown { .. }
            | Self::Unexpected { .. } => "",
        }
    }
}
