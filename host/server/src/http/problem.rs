//! Refusals and errors as the wire shows them: RFC 9457 problems with a stable code.
//!
//! 404: what is named is not there. 409: it is, but not in this state. 403: not this caller. 413 and 429: too much.
//! 422: the request itself is wrong. 5xx is ours, and goes to the log, too.

use axum::extract::path::ErrorKind;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection, StringRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lockgate_core::handle::Rejection;
use lockgate_core::system::SystemRejection;
use lockgate_journal::JournalError;
use lockgate_sandbox::SandboxError;
use lockgate_store::StoreError;

use crate::driver::{AddPluginError, HistoryError, Refusal, SetSecretError, SystemRefusal, VaultError};
use crate::printable::printable;
use crate::project_file::Mistakes;
use crate::wire;

/// A queue, a disk or a host that starts again takes about so long.
const RETRY_AFTER_SECONDS: &str = "5";

/// In a box: it travels through every `Result` of this module.
#[derive(Debug)]
pub struct Problem(Box<wire::Problem>);

impl Problem {
    /// `code` is lowercase words with dashes, and never changes.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self(Box::new(wire::Problem {
            problem_type: format!("urn:lockgate:problem:{code}"),
            title: title(code),
            status: status.as_u16(),
            detail: detail.into(),
            code: code.to_owned(),
            mistakes: Vec::new(),
        }))
    }

    pub fn invalid(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    pub fn unknown(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub fn too_large(limit_bytes: u64) -> Self {
        let detail = format!("the body has more than the {limit_bytes} bytes that are taken here");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail)
    }

    /// Our own failure: whoever runs the host must hear of it, too.
    pub fn ours(code: &str, error: impl std::fmt::Display) -> Self {
        tracing::error!(code, %error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, error.to_string())
    }

    pub fn stopping(error: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", error.to_string())
    }

    /// Says what was done before it went wrong.
    pub fn after(mut self, done: &str) -> Self {
        self.0.detail = format!("{done}, but then: {}", self.0.detail);
        self
    }

    pub fn into_wire(self) -> wire::Problem {
        *self.0
    }
}

/// `tag-taken` is titled `Tag taken`.
fn title(code: &str) -> String {
    let words = code.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).expect("it was made from a status");
        let body = serde_json::to_vec(&self.0).expect("a problem is plain data");
        let content_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, content_type, body).into_response();
        match status {
            StatusCode::UNAUTHORIZED => {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
            }
            _ => {}
        }
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => rejection.into(),
            Refusal::NotWritten(_) => Self::new(StatusCode::INSUFFICIENT_STORAGE, "not-written", refusal.to_string()),
            Refusal::Stopped { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", refusal.to_string()),
            Refusal::Stopping => Self::stopping(refusal),
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        use StatusCode as S;
        let (status, code) = match &rejection {
            Rejection::UnknownEnvironment { .. } => (S::NOT_FOUND, "unknown-environment"),
            Rejection::UnknownRelease { .. } => (S::NOT_FOUND, "unknown-release"),
            Rejection::UnknownDeployment { .. } => (S::NOT_FOUND, "unknown-deployment"),
            Rejection::UnknownWorkflow { .. } => (S::NOT_FOUND, "unknown-workflow"),
            Rejection::UnknownTarget { .. } => (S::NOT_FOUND, "unknown-target"),
            Rejection::TagTaken { .. } => (S::CONFLICT, "tag-taken"),
            Rejection::ReleaseStatus { .. } => (S::CONFLICT, "release-status"),
            Rejection::ReleaseInUse { .. } => (S::CONFLICT, "release-in-use"),
            Rejection::PluginsNotReady { .. } => (S::CONFLICT, "plugins-not-ready"),
            Rejection::PluginNotPinned { .. } => (S::CONFLICT, "plugin-not-pinned"),
            Rejection::RollbackByHand { .. } => (S::UNPROCESSABLE_ENTITY, "rollback-by-hand"),
            Rejection::NothingToRollBackTo { .. } => (S::CONFLICT, "nothing-to-roll-back-to"),
            Rejection::KeyReused { .. } => (S::CONFLICT, "key-reused"),
            Rejection::NotWaitingForApproval { .. } => (S::CONFLICT, "not-waiting-for-approval"),
            Rejection::PlanChanged { .. } => (S::CONFLICT, "plan-changed"),
            Rejection::MayNotApprove { .. } => (S::FORBIDDEN, "may-not-approve"),
            Rejection::AlreadyFinished { .. } => (S::CONFLICT, "already-finished"),
            Rejection::UndoUnderWay { .. } => (S::CONFLICT, "undo-under-way"),
            Rejection::NotFinished { .. } => (S::CONFLICT, "not-finished"),
            Rejection::NothingToRetry { .. } => (S::CONFLICT, "nothing-to-retry"),
            Rejection::RecordIsOld { .. } => (S::CONFLICT, "tried-again-meanwhile"),
            Rejection::TooLongAgo { .. } => (S::CONFLICT, "too-long-ago"),
            Rejection::EnvironmentInUse { .. } => (S::CONFLICT, "environment-in-use"),
            Rejection::EnvironmentLive { .. } => (S::CONFLICT, "environment-live"),
            Rejection::NotTheWayBack { .. } => (S::CONFLICT, "not-the-way-back"),
            Rejection::BackAlready { .. } => (S::CONFLICT, "back-already"),
            Rejection::ReleaseBusy { .. } => (S::CONFLICT, "release-busy"),
            Rejection::NotWaiting { .. } => (S::CONFLICT, "not-waiting"),
            Rejection::NoStateKey => (S::UNPROCESSABLE_ENTITY, "no-state-key"),
            Rejection::NothingKept { .. } => (S::NOT_FOUND, "nothing-kept"),
            Rejection::StateInUse { .. } => (S::CONFLICT, "state-in-use"),
            Rejection::StateMoved { .. } => (S::CONFLICT, "state-moved"),
            Rejection::UnknownGate { .. } => (S::NOT_FOUND, "unknown-gate"),
            Rejection::ReasonMissing { .. } => (S::UNPROCESSABLE_ENTITY, "reason-missing"),
            Rejection::TimeIsPast { .. } | Rejection::ExpiryIsPast { .. } => (S::UNPROCESSABLE_ENTITY, "time-is-past"),
            Rejection::DraftBuilt { .. } => (S::CONFLICT, "draft-built"),
            Rejection::CannotDefer { .. } => (S::CONFLICT, "cannot-defer"),
            Rejection::TeardownUnderWay { .. } => (S::CONFLICT, "teardown-under-way"),
            Rejection::NotPaused { .. } | Rejection::OnlyScheduleIsPaused { .. } => (S::CONFLICT, "not-paused"),
            Rejection::PausedAlready { .. } => (S::CONFLICT, "paused-already"),
            Rejection::NoPromotionHold { .. } => (S::CONFLICT, "no-promotion-hold"),
            Rejection::NoDebt { .. } => (S::CONFLICT, "no-debt"),
            Rejection::OwnDebt { .. } => (S::FORBIDDEN, "own-debt"),
            Rejection::NothingLive { .. } => (S::CONFLICT, "nothing-live"),
            Rejection::UnknownEndpoint { .. } => (S::NOT_FOUND, "unknown-endpoint"),
            Rejection::SetupDue { .. } => (S::CONFLICT, "setup-due"),
            Rejection::WrongStage { .. } => (S::CONFLICT, "wrong-stage"),
            Rejection::BuiltAlready { .. } => (S::CONFLICT, "built-already"),
            Rejection::NotBuilt { .. } => (S::CONFLICT, "not-built"),
            Rejection::SelectionsNotAllowed { .. } => (S::UNPROCESSABLE_ENTITY, "selections-not-allowed"),
            Rejection::NoSelection => (S::UNPROCESSABLE_ENTITY, "no-selection"),
            Rejection::UnknownApplication { .. } => (S::NOT_FOUND, "unknown-application"),
            Rejection::NotPromotedFrom { .. } | Rejection::NothingToPromoteFrom { .. } => {
                (S::CONFLICT, "not-promoted-from")
            }
            Rejection::NoExpiry { .. } => (S::CONFLICT, "no-expiry"),
            Rejection::GateNotApproved { .. } => (S::CONFLICT, "gate-not-approved"),
            // A full queue empties again; a long text stays long.
            Rejection::QueueFull { .. } => (S::TOO_MANY_REQUESTS, "queue-full"),
            Rejection::TooMuch { .. } => (S::PAYLOAD_TOO_LARGE, "too-much"),
        };
        Self::new(status, code, rejection.to_string())
    }
}

impl From<SystemRefusal> for Problem {
    fn from(refusal: SystemRefusal) -> Self {
        match refusal {
            SystemRefusal::Rejected(rejection) => rejection.into(),
            SystemRefusal::NotWritten(_) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "not-written", refusal.to_string())
            }
            SystemRefusal::Stopped { .. } => Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopped", refusal.to_string()),
            SystemRefusal::Stopping => Self::stopping(refusal),
        }
    }
}

impl From<SystemRejection> for Problem {
    fn from(rejection: SystemRejection) -> Self {
        use StatusCode as S;
        let (status, code) = match &rejection {
            SystemRejection::BadPluginName { .. } => (S::UNPROCESSABLE_ENTITY, "invalid-plugin-name"),
            SystemRejection::UnknownPlugin { .. } => (S::NOT_FOUND, "unknown-plugin"),
            SystemRejection::OwnPlugin { .. } => (S::FORBIDDEN, "separate-duties"),
            SystemRejection::NotActive { .. } => (S::CONFLICT, "plugin-not-active"),
            SystemRejection::StillActive { .. } => (S::CONFLICT, "plugin-active"),
            SystemRejection::Pinned { .. } => (S::CONFLICT, "plugin-pinned"),
            SystemRejection::TooManySignatures { .. } => (S::CONFLICT, "too-many"),
            SystemRejection::NarrowedNowhere { .. } => (S::NOT_FOUND, "unknown-project"),
            SystemRejection::NotNarrowed { .. } => (S::NOT_FOUND, "not-narrowed"),
            SystemRejection::NarrowedTooOften { .. } => (S::CONFLICT, "too-many"),
            SystemRejection::ReasonMissing => (S::UNPROCESSABLE_ENTITY, "reason-missing"),
            SystemRejection::SignatureNotTrusted { .. } => (S::UNPROCESSABLE_ENTITY, "signature-not-trusted"),
            SystemRejection::SignatureMissing { .. } => (S::CONFLICT, "signature-missing"),
            SystemRejection::SignerNameTaken { .. } => (S::CONFLICT, "signer-name-taken"),
            SystemRejection::SignerKnown { .. } => (S::CONFLICT, "signer-known"),
            SystemRejection::PatternCount { .. } => (S::UNPROCESSABLE_ENTITY, "invalid-pattern"),
            SystemRejection::UnknownSigner { .. } => (S::NOT_FOUND, "unknown-signer"),
            SystemRejection::UnknownRule { .. } => (S::NOT_FOUND, "unknown-rule"),
            SystemRejection::TooMany { .. } => (S::CONFLICT, "too-many"),
            SystemRejection::TokenNameTaken { .. } => (S::CONFLICT, "token-name-taken"),
            SystemRejection::BadTokenName { .. } => (S::UNPROCESSABLE_ENTITY, "invalid-token-name"),
            SystemRejection::UnknownToken { .. } => (S::NOT_FOUND, "unknown-token"),
            SystemRejection::RevokedAlready { .. } => (S::NOT_FOUND, "revoked-already"),
            SystemRejection::LastAdministrator { .. } => (S::CONFLICT, "last-administrator"),
            SystemRejection::UnknownSecret { .. } => (S::NOT_FOUND, "unknown-secret"),
            SystemRejection::TooManySecrets => (S::CONFLICT, "too-many-secrets"),
        };
        Self::new(status, code, rejection.to_string())
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match &error {
            VaultError::NoKey => Self::new(StatusCode::CONFLICT, "no-secret-key", error.to_string()),
            VaultError::OtherKey { .. } | VaultError::Damaged { .. } | VaultError::Io { .. } => {
                Self::ours("secret-failed", error)
            }
        }
    }
}

impl From<SetSecretError> for Problem {
    fn from(error: SetSecretError) -> Self {
        match error {
            SetSecretError::Vault(error) => error.into(),
            SetSecretError::System(refusal) => refusal.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::NoBlob { .. } => Self::unknown("unknown-artifact", error.to_string()),
            StoreError::WrongDigest { .. } => Self::invalid("wrong-digest", error.to_string()),
            StoreError::BlobTooLarge { limit } => Self::too_large(*limit),
            StoreError::InvalidLogName { .. } => Self::unknown("unknown-log", error.to_string()),
            StoreError::Stopping { .. } => Self::stopping(error),
            StoreError::Journal(JournalError::PayloadTooLarge { .. } | JournalError::AppendTooLarge { .. }) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-much", error.to_string())
            }
            StoreError::Journal(JournalError::QueueFull { .. }) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "disk-busy", error.to_string())
            }
            // It is in the log once, and not for each who asks.
            StoreError::IndexHeldUp { .. } => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "index-held-up", error.to_string())
            }
            StoreError::EventsAreGone { .. }
            | StoreError::JournalIsGone { .. }
            | StoreError::FileInTheWay { .. }
            | StoreError::Journal(
                JournalError::Io { .. }
                | JournalError::Damage(_)
                | JournalError::Gone { .. }
                | JournalError::Version { .. }
                | JournalError::InvalidStream { .. }
                | JournalError::NothingToAppend { .. }
                | JournalError::NotDropped { .. }
                | JournalError::NotBegun { .. }
                | JournalError::Stopped { .. },
            )
            | StoreError::Io { .. }
            | StoreError::InUse { .. }
            | StoreError::NotEmpty { .. }
            | StoreError::Unfinished { .. }
            | StoreError::Index { .. }
            | StoreError::InvalidIndexName { .. }
            | StoreError::DamagedBlob { .. }
            | StoreError::InvalidLogLine { .. } => Self::ours("store-failed", error),
        }
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Store(error) => error.into(),
            HistoryError::Unreadable { .. } => Self::ours("index-unreadable", error),
        }
    }
}

impl From<SandboxError> for Problem {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Invalid(_) => Self::invalid("invalid-component", error.to_string()),
            SandboxError::Describe(_) => Self::invalid("plugin-cannot-describe-itself", error.to_string()),
            SandboxError::OtherBytes { .. } => Self::invalid("wrong-digest", error.to_string()),
            SandboxError::Cache { .. }
            | SandboxError::Threads(_)
            | SandboxError::Engine(_)
            | SandboxError::Compiler(_)
            | SandboxError::Interrupted(_) => Self::ours("sandbox-failed", error),
        }
    }
}

impl From<AddPluginError> for Problem {
    fn from(error: AddPluginError) -> Self {
        match error {
            AddPluginError::Sandbox(error) => error.into(),
            AddPluginError::Store(error) => error.into(),
            AddPluginError::System(refusal) => refusal.into(),
            AddPluginError::Bundle(error) => Self::invalid("invalid-bundle", error.to_string()),
        }
    }
}

impl From<Mistakes> for Problem {
    fn from(mistakes: Mistakes) -> Self {
        let mut problem = Self::invalid("invalid-project-file", mistakes.to_string());
        problem.0.mistakes = mistakes.iter().map(Into::into).collect();
        problem
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        let text = rejection.body_text();
        let detail = match rejection {
            PathRejection::FailedToDeserializePathParams(failed) => wrong_in_path(failed.into_kind()),
            _ => None,
        };
        Self::invalid("invalid-path", detail.unwrap_or(text))
    }
}

/// Its words tell of keys and types that nobody has typed.
fn wrong_in_path(kind: ErrorKind) -> Option<String> {
    match kind {
        // Numbers are the only words of a path that are not names.
        ErrorKind::ParseErrorAtKey { value, .. }
        | ErrorKind::ParseErrorAtIndex { value, .. }
        | ErrorKind::ParseError { value, .. } => {
            let shown = printable(&value.chars().take(60).collect::<String>());
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
            let why = if is_number { "is too large a number" } else { "must be a whole number, in digits only" };
            Some(format!("`{shown}` in the path {why}"))
        }
        ErrorKind::InvalidUtf8InPathParam { key } => Some(format!("`{key}` in the path is no UTF-8 text")),
        // Of our own types: it says what they are.
        ErrorKind::Message(said) | ErrorKind::DeserializeError { message: said, .. } => Some(said),
        _ => None,
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        let mut causes = std::iter::successors(Some(&rejection as &dyn std::error::Error), |cause| cause.source());
        let found =
            causes.find_map(|cause| cause.downcast_ref::<serde_path_to_error::Error<serde::de::value::Error>>());
        let detail = found.map_or_else(
            || rejection.body_text(),
            |found| wrong_in_query(&found.path().to_string(), &found.inner().to_string()),
        );
        Self::invalid("invalid-query", detail)
    }
}

/// A parser's words tell nobody what to write instead.
fn wrong_in_query(field: &str, said: &str) -> String {
    match said {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            format!("`{field}` must be a whole number, in digits only")
        }
        "number too large to fit in target type" => format!("`{field}` is too large a number"),
        "provided string was not `true` or `false`" => format!("`{field}` must be `true` or `false`"),
        // It names the field itself.
        said if field == "." || said.starts_with("unknown field") => said.to_owned(),
        said => format!("`{field}`: {said}"),
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        unreadable_body(rejection.status(), rejection.body_text())
    }
}

impl From<StringRejection> for Problem {
    fn from(rejection: StringRejection) -> Self {
        unreadable_body(rejection.status(), rejection.body_text())
    }
}

fn unreadable_body(status: StatusCode, detail: String) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(status, "body-too-large", detail),
        _ => Problem::new(StatusCode::BAD_REQUEST, "unreadable-body", detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_code_in_words() {
        assert_eq!(title("tag-taken"), "Tag taken");
    }

    #[test]
    fn a_full_queue_may_be_tried_again_and_a_long_text_not() {
        let full = || Rejection::QueueFull { environment: "production".parse().unwrap(), waiting: 200_000 };
        let too_long = || Rejection::TooMuch { what: "it", actual: 17 * 1024, allowed: 16 * 1024 };
        assert_eq!([full(), too_long()].map(|why| Problem::from(why).0.status), [429, 413]);
        let after = |why| Problem::from(why).into_response().headers().get(header::RETRY_AFTER).is_some();
        assert_eq!([full(), too_long()].map(after), [true, false]);
    }
}
