//! What the driver asks of a plugin and what it gets back.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use lockgate_core::digest::Digest;
use lockgate_core::plugin::{
    CallContext, Failure, Grants, Kind, PlanStep, Planned, Progressed, ResourceState, Retry, Sampled, Verdict,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::secrets::Secret;
use crate::tools::ToolRoom;

/// One call of a loaded plugin, with everything it may use.
pub struct CallRequest {
    pub plugin: Digest,
    pub context: CallContext,
    /// JSON text of the configuration.
    pub config: Arc<str>,
    /// JSON text of what the call is about.
    pub subject: Arc<str>,
    pub operation: Operation,
    /// Resolved for this call: requests that point into the configuration are already origins and folders.
    pub grants: Grants,
    /// The deployment's folder; seen as `/workspace` only where `grants.workspace` says so.
    pub workspace: Option<PathBuf>,
    /// Where tools run that the grants name; without it none does.
    pub tools: Option<ToolRoom>,
    pub host: Arc<dyn CallHost>,
    /// Once cancelled, the guest is told; if it has not answered after a grace period, it is stopped.
    pub cancelled: CancellationToken,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    Advance {
        cursor: Vec<u8>,
    },
    Cancel {
        cursor: Vec<u8>,
    },
    Plan {
        cursor: Vec<u8>,
    },
    Apply {
        approved: Planned,
        cursor: Vec<u8>,
    },
    Undo {
        approved: Planned,
        cursor: Vec<u8>,
    },
    Observe,
    Sample {
        memo: Vec<u8>,
    },
    /// Runs without any grant, whatever the request says.
    Judge {
        evidence: Value,
    },
}

impl Operation {
    /// The kind of plugin that can answer it.
    pub fn kind(&self) -> Kind {
        match self {
            Operation::Advance { .. } | Operation::Cancel { .. } => Kind::Phase,
            Operation::Plan { .. } | Operation::Apply { .. } | Operation::Undo { .. } | Operation::Observe => {
                Kind::Target
            }
            Operation::Sample { .. } | Operation::Judge { .. } => Kind::Gate,
        }
    }

    /// The exported function's name.
    pub fn name(&self) -> &'static str {
        match self {
            Operation::Advance { .. } => "advance",
            Operation::Cancel { .. } => "cancel",
            Operation::Plan { .. } => "plan",
            Operation::Apply { .. } => "apply",
            Operation::Undo { .. } => "undo",
            Operation::Observe => "observe",
            Operation::Sample { .. } => "sample",
            Operation::Judge { .. } => "judge",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// To advance, cancel, apply and undo.
    Progressed(Progressed),
    Planned(PlanStep),
    Observed(Vec<ResourceState>),
    Sampled(Sampled),
    Judged(Verdict),
}

/// What a call may reach of the host. Whether *this* call may read an artifact or keep
/// state is the implementation's to decide: it answers a [`Failure`] with code `denied`.
///
/// `log`, `progress` and `denied` are called between two steps of the guest and must not block;
/// the others are called on a thread for blocking work.
pub trait CallHost: Send + Sync + 'static {
    /// At most `limits.log_bytes` a call, then one line that says how much was dropped.
    fn log(&self, line: LogLine);
    fn progress(&self, percent: u32, message: &str);
    /// The plugin tried something it was not granted: a line for the audit log.
    fn denied(&self, what: &str);
    /// What it may do now that its turn has come: it may have waited, and less is granted meanwhile. None: as before.
    fn grants_now(&self) -> Option<Grants> {
        None
    }
    /// Of those that are granted. What cannot be had is a failure: there is none of that name for this call.
    fn secret(&self, name: &str) -> Result<Secret, Failure>;
    /// All that may travel to an origin, whoever may send them: what comes back from there shows none of them.
    fn secrets_bound_to(&self, origin: &str) -> Vec<Secret>;
    /// The guest has the value now: a line for the audit log. Must not block.
    fn revealed(&self, name: &str);
    /// A reader's error of the kind `InvalidData` says that the artifact is damaged, and what to do; it is for good.
    fn open_artifact(&self, digest: &Digest) -> Result<Box<dyn Read + Send>, Failure>;
    fn create_artifact(&self, name: &str) -> Result<Box<dyn ArtifactWriter>, Failure>;
    /// `None`: no such key.
    fn state_get(&self, key: &str) -> Result<Option<StateEntry>, Failure>;
    /// `expect` 0: the key must be absent. Answers the new version.
    fn state_put(&self, key: &str, value: Vec<u8>, expect: u32) -> Result<u32, Failure>;
}

/// Dropped without `finish`: what was written is to be thrown away.
pub trait ArtifactWriter: Write + Send {
    /// Durable under this digest once it returns.
    fn finish(self: Box<Self>) -> Result<Digest, Failure>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    pub value: Vec<u8>,
    /// From 1 on.
    pub version: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub level: LogLevel,
    pub message: String,
    pub fields: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    pub fn word(self) -> &'static str {
        match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        }
    }
}

/// Why a call has no answer. Only `Failed` comes from the plugin itself.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CallError {
    #[error("{}: {}", .0.code, .0.message)]
    Failed(Failure),
    #[error("the plugin trapped: {message}{}", stderr_note(.stderr))]
    Trap {
        message: String,
        /// The last lines the guest wrote there, where its own words are (a panic, a traceback).
        stderr: String,
    },
    #[error("the plugin ran for {used_ms} ms of CPU time, its limit is {limit_ms} ms (grant `cpu_ms`)")]
    CpuLimit { limit_ms: u64, used_ms: u64 },
    #[error("the call was not answered after {limit_ms} ms, its limit (grant `wall_ms`)")]
    WallLimit { limit_ms: u64 },
    #[error("the plugin asked for {asked_bytes} bytes of memory, its limit is {limit_bytes} (grant `memory_bytes`)")]
    MemoryLimit { limit_bytes: u64, asked_bytes: u64 },
    #[error("{what} of the answer has {actual_bytes} bytes, the limit is {limit_bytes} (grant `output_bytes`)")]
    OutputLimit { what: &'static str, limit_bytes: u64, actual_bytes: u64 },
    #[error(
        "the granted folder `{name}` is {} now, and {} was granted; an operator can approve the plugin again with the \
         folder that is meant", .real.display(), .granted.display()
    )]
    MovedFolder { name: String, granted: PathBuf, real: PathBuf },
    /// Not even looked at: an answer, or what the guest passed to the host in one call, of any kind.
    #[error("the plugin handed over more than {limit_bytes} bytes at once (grant `output_bytes` and a fixed reserve)")]
    HandoverLimit { limit_bytes: u64 },
    #[error("the plugin's answer makes no sense: {what}: {problem}")]
    InvalidAnswer { what: String, problem: String },
    #[error(
        "the plugin put a secret that it was shown into its cursor or memo, which the host would keep; keep its name instead"
    )]
    KeptSecret,
    #[error("cancelled, and the plugin did not stop by itself")]
    Cancelled,
    #[error("plugin {0} is not loaded")]
    NotLoaded(Digest),
    #[error("plugin {plugin} is a {is}, `{operation}` is asked of a {wanted}")]
    WrongKind { plugin: Digest, is: Kind, operation: &'static str, wanted: Kind },
    /// The host's fault, not the plugin's.
    #[error("the sandbox could not run the call: {0}")]
    Sandbox(String),
}

fn stderr_note(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!("; its last words: {stderr}") }
}

impl CallError {
    /// The same in the words the domain records.
    ///
    /// What would happen again in the same way is `Retry::Never`. After a trap or a timeout the work
    /// outside may be half done, which is what the idempotency key is for: `Retry::SameKey`.
    pub fn failure(&self) -> Failure {
        let (code, retry, details) = match self {
            CallError::Failed(failure) => return failure.clone(),
            CallError::Trap { stderr, .. } => ("trap", Retry::SameKey, json!({ "stderr": stderr })),
            CallError::CpuLimit { limit_ms, used_ms } => {
                ("limit", Retry::Never, json!({ "limit": "cpu_ms", "allowed": limit_ms, "actual": used_ms }))
            }
            CallError::WallLimit { limit_ms } => {
                ("limit", Retry::SameKey, json!({ "limit": "wall_ms", "allowed": limit_ms }))
            }
            CallError::MemoryLimit { limit_bytes, asked_bytes } => (
                "limit",
                Retry::Never,
                json!({ "limit": "memory_bytes", "allowed": limit_bytes, "actual": asked_bytes }),
            ),
            CallError::OutputLimit { what, limit_bytes, actual_bytes } => (
                "limit",
                Retry::Never,
                json!({ "limit": "output_bytes", "what": what, "allowed": limit_bytes, "actual": actual_bytes }),
            ),
            CallError::HandoverLimit { limit_bytes } => {
                ("limit", Retry::Never, json!({ "limit": "output_bytes", "allowed": limit_bytes }))
            }
            CallError::MovedFolder { name, .. } => ("denied", Retry::Never, json!({ "folder": name })),
            CallError::KeptSecret => ("denied", Retry::Never, Value::Null),
            CallError::InvalidAnswer { what, .. } => ("invalid-answer", Retry::Never, json!({ "what": what })),
            CallError::Cancelled => ("cancelled", Retry::Never, Value::Null),
            CallError::NotLoaded(_) => ("not-loaded", Retry::SameKey, Value::Null),
            CallError::WrongKind { .. } => ("wrong-kind", Retry::Never, Value::Null),
            CallError::Sandbox(_) => ("sandbox", Retry::SameKey, Value::Null),
        };
        Failure { code: code.to_owned(), message: self.to_string(), retry, retry_after_ms: 0, details }
    }
}
