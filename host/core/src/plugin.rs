//! The words host and plugins share: what a plugin asks for, what it is granted, what it answers.
//!
//! These are the domain's side of `wit/`; the sandbox converts by hand at its edge.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::name::Name;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Phase,
    Gate,
    Target,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Phase => "phase",
            Kind::Gate => "gate",
            Kind::Target => "target",
        })
    }
}

/// Of a component: nothing larger is fetched, sent, taken or loaded.
pub const MOST_COMPONENT_BYTES: u64 = 64 << 20;

/// What a component says of itself (`describe`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    pub name: String,
    pub version: String,
    pub summary: String,
    /// JSON Schema of its configuration.
    pub config_schema: Value,
    pub requests: Requests,
}

/// What a plugin asks for. The JSON of `description.requests` has this shape; an unknown key is refused,
/// so that a request is never granted by being overlooked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requests {
    pub http: Vec<Requested>,
    pub folders: Vec<Requested>,
    pub workspace: Option<Access>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Requested>,
    /// Secrets whose very value it asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reveal: Vec<Requested>,
    /// Small values that the host keeps for it between deployments.
    #[serde(skip_serializing_if = "is_false")]
    pub state: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Requested>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// One thing asked for: named outright, or wherever a value of the plugin's configuration points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requested {
    /// An origin (`https://host:port`), or the name of a folder, a secret or a tool.
    Named(String),
    /// JSON pointer into the configuration, such as `/url`, `/folder` or `/token`.
    Config(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    Read,
    ReadWrite,
}

/// What an operator allows a plugin digest to do. Empty means nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    pub http: BTreeSet<HttpGrant>,
    /// Folder name, as the plugin sees it under `/folders/`, to the host's folder.
    pub folders: BTreeMap<String, FolderGrant>,
    pub workspace: Option<Access>,
    /// Secrets it may send along, to the origins they are bound to.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub secrets: BTreeSet<Name>,
    /// Secrets it may read.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub reveal: BTreeSet<Name>,
    /// Where its state is kept: plugins that are granted the same namespace share it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Name>,
    /// Tool name, as the plugin calls it, to the host's program.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, ToolGrant>,
    pub limits: Limits,
}

impl Grants {
    /// Without any of these a call can do nothing but compute, log and answer: nobody outside sees whether it was made.
    pub fn reach_nothing(&self) -> bool {
        let Self { http, folders, workspace, secrets, reveal, state, tools, limits: _ } = self;
        let (no_one, no_value) = (http.is_empty() && tools.is_empty(), secrets.is_empty() && reveal.is_empty());
        no_one && no_value && folders.is_empty() && workspace.is_none() && state.is_none()
    }
}

/// One origin a plugin may send requests to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpGrant {
    /// Normal form: `scheme://host:port`, host in lowercase, the port always written.
    pub origin: String,
    /// The host may resolve to loopback and private addresses. Link-local and unspecified ones are reached only where
    /// the origin itself names the address.
    #[serde(default)]
    pub private_network: bool,
    /// In capitals. Empty: every method.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub methods: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderGrant {
    /// Absolute path on the host, without a link in it.
    pub path: String,
    pub access: Access,
}

/// A program of the host that a plugin may start, as it was when it was granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolGrant {
    /// Absolute path on the host, without a link in it.
    pub path: String,
    /// Of the program. Another one at this path is not started.
    pub digest: Digest,
    /// The arguments of a call must fit one of these, each argument its item: a literal, `{regex}`, or as the last item
    /// `{regex}...` for any number of arguments. Checked when it is granted.
    pub args: Vec<Vec<String>>,
    /// All of its environment: `None` is the plugin's to set, or not; a value is what the operator says.
    #[serde(default)]
    pub env: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub limits: ToolLimits,
}

/// How much of the host one run of a tool may use, with all the processes it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToolLimits {
    pub wall_ms: u64,
    pub cpu_ms: u64,
    pub memory_bytes: u64,
    /// Of both streams together; what is over is dropped.
    pub output_bytes: u64,
    pub processes: u64,
}

impl Default for ToolLimits {
    fn default() -> Self {
        Self { wall_ms: 600_000, cpu_ms: 300_000, memory_bytes: 1 << 30, output_bytes: 1 << 20, processes: 64 }
    }
}

/// How much of the host one call may use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub memory_bytes: u64,
    /// Time the guest actually runs, not the time it waits.
    pub cpu_ms: u64,
    /// Everything together, waiting included.
    pub wall_ms: u64,
    /// Log lines, stdout and stderr together; what is over is dropped and counted.
    pub log_bytes: u64,
    /// Cursor, outputs, plan or evidence of one answer; each item of a list costs 64 bytes beside its text.
    pub output_bytes: u64,
    /// Body of one HTTP response.
    pub http_body_bytes: u64,
    /// Calls of the plugin at a time; what is over waits. Never more than half of all that the host makes at a time, which is
    /// also what `None` means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_calls: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            cpu_ms: 5_000,
            wall_ms: 60_000,
            log_bytes: 1 << 20,
            output_bytes: 4 << 20,
            http_body_bytes: 10 << 20,
            concurrent_calls: None,
        }
    }
}

/// What the plugin itself answered instead of a result, or what the sandbox says in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Open set. With a meaning for the host: `denied`, `locked`, `plan-stale`, `cancelled`, `limit`, `trap`.
    pub code: String,
    pub message: String,
    pub retry: Retry,
    /// 0: as the phase's own backoff says.
    #[serde(default)]
    pub retry_after_ms: u32,
    #[serde(default)]
    pub details: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    Never,
    SameKey,
}

/// One step of a phase, an apply or an undo.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progressed {
    pub done: bool,
    /// Stored durably before the next call, which gets it back.
    #[serde(with = "crate::bytes")]
    pub cursor: Vec<u8>,
    pub poll_after_ms: u32,
    pub summary: String,
    pub outputs: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
}

/// URI, digest and registration metadata of something built (F).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    pub name: String,
    #[serde(default)]
    pub uri: String,
    pub digest: Digest,
    #[serde(default)]
    pub media_type: String,
    #[serde(default)]
    pub build_id: String,
    #[serde(default)]
    pub stack: String,
    #[serde(default)]
    pub application: String,
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanStep {
    pub done: bool,
    #[serde(with = "crate::bytes")]
    pub cursor: Vec<u8>,
    pub poll_after_ms: u32,
    pub planned: Planned,
}

/// What a target would change. `summary` and `token` lie outside the digest people sign.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    pub summary: String,
    pub changes: Vec<ResourceChange>,
    pub token: Value,
}

impl Planned {
    /// In an order of their own: how a target lists them says nothing.
    pub fn sorted_changes(&self) -> Vec<ResourceChange> {
        let mut changes = self.changes.clone();
        changes.iter_mut().for_each(|change| change.fields.sort());
        changes.sort();
        changes
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ResourceChange {
    pub application: String,
    pub kind: String,
    pub name: String,
    pub action: ChangeAction,
    pub destructive: bool,
    pub fields: Vec<FieldChange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeAction {
    Create,
    Update,
    Delete,
    Replace,
    NoOp,
}

impl ChangeAction {
    pub fn changes(self) -> bool {
        match self {
            Self::Create | Self::Update | Self::Delete | Self::Replace => true,
            Self::NoOp => false,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Replace => "replace",
            Self::NoOp => "no-op",
        }
    }
}

/// `before` and `after` are JSON text; empty when `sensitive`, then `fingerprint` tells two values apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FieldChange {
    pub path: String,
    pub before: String,
    pub after: String,
    pub sensitive: bool,
    pub fingerprint: String,
}

/// What a gate measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampled {
    pub done: bool,
    pub evidence: Value,
    pub memo: Vec<u8>,
    pub poll_after_ms: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub decision: Decision,
    pub reason: String,
    pub valid_for_ms: u32,
}

/// How a gate judged. The fourth outcome, error, is a [`Failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Pass,
    Fail,
    Inconclusive,
}

/// How a resource is, as its target observes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceState {
    pub application: String,
    pub kind: String,
    pub name: String,
    pub version: String,
    pub artifact_uri: String,
    pub weight_percent: u32,
    pub health: Health,
    pub details: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Healthy,
    Progressing,
    Degraded,
    Missing,
    Unknown,
}

/// One thing wrong with a configuration; `path` is a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    pub path: String,
    pub message: String,
}

/// Who is calling, and for what: the `call` record every plugin gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallContext {
    pub project: String,
    pub environment: String,
    pub deployment: String,
    pub attempt: u32,
    /// The phase's or gate's name.
    pub name: String,
    pub sequence: u32,
    pub idempotency_key: String,
}
