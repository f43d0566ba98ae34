//! What travels over HTTP: JSON shapes, for the host, its clients and the OpenAPI document. The wire is not the domain.
//!
//! Times are RFC 3339 in UTC. Digests are `sha256:` and 64 hex digits. Unknown fields of a request are refused.

mod backtest;
mod operate;
mod record;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

pub use backtest::{Backtest, BacktestRun, BacktestSample, BacktestTotals, Backtested};
pub use operate::{
    EndpointAnswer, Expiry, Explanation, Operations, Pause, Promote, PromotionHold, Reason, Refused, Selection, Tick,
};
pub use record::{
    ApplicationDeployment, ApplicationStatus, Applications, ErrorLog, Migration, Record, ResourceStatus, SignOff,
};

// ---- requests ----

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRelease {
    /// Unique in its project, such as `v1.4.0`.
    pub tag: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// A draft may be created again until it is started.
    #[serde(default)]
    pub draft: bool,
    /// Deploy after release: the environment to trigger in the same call.
    #[serde(default)]
    pub deploy_to: Option<String>,
    /// Of that deployment: accept a plan that deletes or replaces.
    #[serde(default)]
    pub allow_destructive: bool,
}

/// Something built. Only `name` and `digest` are required; its content is uploaded with `PUT /v1/artifacts`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    pub name: String,
    pub digest: String,
    #[serde(default)]
    pub uri: String,
    #[serde(default)]
    pub media_type: String,
    #[serde(default)]
    pub build_id: String,
    #[serde(default)]
    pub stack: String,
    #[serde(default)]
    pub application: String,
    /// Registration metadata.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDeployment {
    /// Tag of an active release.
    pub release: String,
    /// LAUNCH (runs a setup workflow), FULL or SELECTIVE (patch), CUSTOM (names its workflow) or DESTROY (teardown);
    /// FULL when left out.
    #[serde(default, rename = "type")]
    pub deployment_type: Option<String>,
    /// The environment's own workflow, or the only one there is for the type, when left out; CUSTOM names it, and
    /// DESTROY where the release has no teardown workflow.
    #[serde(default)]
    pub workflow: Option<String>,
    #[serde(default)]
    pub comment: String,
    /// Ask the targets how their resources are, then plan.
    #[serde(default)]
    pub refresh: bool,
    /// Also apply what is in sync already. No rule is skipped.
    #[serde(default)]
    pub forced: bool,
    /// Accept a plan that deletes or replaces.
    #[serde(default)]
    pub allow_destructive: bool,
    /// Of a SELECTIVE deployment: what it changes, and nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selections: Vec<Selection>,
    /// Deploy then, and not at once.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

/// The body of a request that has nothing to say. It may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A remark that goes on the record with a rejection or a rollback.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    #[serde(default)]
    pub comment: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    #[serde(default)]
    pub comment: String,
    /// Digest of the plan that was looked at. If the plan is another one by now, nothing is approved.
    #[serde(default)]
    pub plan_digest: Option<String>,
    /// Agreed, but not before this time: the deployment makes room until then.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    #[serde(default)]
    pub reason: String,
    /// End it at once, whatever its phases are doing: STOPPED.
    #[serde(default)]
    pub force: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginApproval {
    pub grants: Grants,
    #[serde(default)]
    pub reason: String,
}

/// A secret's value, and what it is for. It takes the place of one of that name.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecret {
    /// 1 to 65,536 bytes.
    pub value: String,
    /// `scheme://host:port` each; the port may be left out. Empty: it travels nowhere, and can only be revealed.
    #[serde(default)]
    pub origins: Vec<String>,
    /// In which it may stand; `authorization` alone, when left out.
    #[serde(default)]
    pub headers: Vec<String>,
    /// For calls of this project only.
    #[serde(default)]
    pub project: Option<String>,
    /// For these environments of the project only.
    #[serde(default)]
    pub environments: Vec<String>,
}

/// A key, or an identity with its issuer.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTrustedSigner {
    /// What to call the signer, such as `release-team`.
    pub name: String,
    /// Of ed25519, in PEM.
    #[serde(default)]
    pub public_key: Option<String>,
    /// What sigstore certificates are made out to: an address, or a workflow's URL with its branch or tag, of which `*`
    /// at the end stands for the rest.
    #[serde(default)]
    pub identity: Option<String>,
    /// Who says so in the certificate, such as `https://token.actions.githubusercontent.com`.
    #[serde(default)]
    pub issuer: Option<String>,
    /// The text of the `trusted_root.json` of a sigstore deployment of your own; sigstore's own when left out.
    #[serde(default)]
    pub trusted_root: Option<String>,
    /// Patterns of plugin names, such as `deploy-*`.
    pub plugins: Vec<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSignatureRule {
    /// A pattern of plugin names, such as `deploy-*`.
    pub plugins: String,
    #[serde(default)]
    pub reason: String,
}

/// What a plugin may do. Left out means not allowed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    pub http: Vec<HttpGrant>,
    /// Folder name, as the plugin sees it, to the host's folder.
    pub folders: BTreeMap<String, FolderGrant>,
    /// `read` or `read-write`.
    pub workspace: Option<String>,
    /// Names of secrets that go along with requests, to the origins they are bound to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Names of secrets whose value the plugin may read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reveal: Vec<String>,
    /// Namespace of the small values that the host keeps for it; plugins of one namespace share them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Tool name, as the plugin calls it, to the host's program.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tools: BTreeMap<String, ToolGrant>,
    pub limits: Limits,
}

/// A program of the host that the plugin may start, in the deployment's workspace and without a shell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolGrant {
    /// Absolute path on the host.
    pub path: String,
    /// `sha256:` of the program. Left out: of what is there when it is approved. Another program there is not started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The arguments of a call must fit one of these lists, each argument its item: a literal, `{regex}`, or as the last
    /// item `{regex}...` for any number of arguments.
    pub args: Vec<Vec<String>>,
    /// All of its environment. A value is always so; `null` is the plugin's to set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub limits: ToolLimits,
}

/// Of one run, with all the processes it starts. What is left out has the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ToolLimits {
    pub wall_ms: Option<u64>,
    pub cpu_ms: Option<u64>,
    pub memory_bytes: Option<u64>,
    /// Of standard output and error together; what is over is dropped.
    pub output_bytes: Option<u64>,
    pub processes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpGrant {
    /// `scheme://host:port`; the port may be left out.
    pub origin: String,
    /// The host may be at a loopback, private or link-local address.
    #[serde(default)]
    pub private_network: bool,
    /// In capitals. Empty: every method.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
}

impl HttpGrant {
    /// For every method.
    pub fn new(origin: &str, private_network: bool) -> Self {
        Self { origin: origin.to_owned(), private_network, methods: Vec::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderGrant {
    /// Absolute path on the host.
    pub path: String,
    /// `read` or `read-write`.
    pub access: String,
}

/// Of one call. What is left out has the default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub memory_bytes: Option<u64>,
    /// Time the guest runs.
    pub cpu_ms: Option<u64>,
    /// Time altogether, waiting included.
    pub wall_ms: Option<u64>,
    pub log_bytes: Option<u64>,
    pub output_bytes: Option<u64>,
    pub http_body_bytes: Option<u64>,
    /// Calls at a time; what is over waits. At most half of what the host makes, which counts when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_calls: Option<u32>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Names the token, such as `ci` or `ann-laptop`.
    pub name: String,
    /// The person behind it: what approvals and the audit log show.
    pub person: String,
    #[serde(default)]
    pub groups: Vec<String>,
    /// `viewer`, `member` or `admin`; `member` when left out.
    #[serde(default)]
    pub role: Option<String>,
}

// ---- answers ----

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`: the host answers.
    pub status: String,
    pub version: String,
}

/// The data folder of the host.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Storage {
    /// In the journal, also those that were dropped.
    pub events: u64,
    /// So many of the first events were dropped: they were older than what is kept.
    pub dropped_events: u64,
    /// How long what has ended is kept; for ever where this says nothing.
    pub retention_days: Option<u64>,
    pub journal: Checked,
    /// Old segments of the journal that stay larger than they need be.
    pub segments_not_packed: u64,
    /// Why one is not packed, or no checkpoint was written, so that starts take longer.
    pub not_tidied_because: Option<String>,
    pub index: Checked,
    /// An older host does not say it.
    #[serde(default)]
    pub missing: Missing,
    /// On the disk of the data folder, for this user.
    pub free_bytes: u64,
}

/// Files that the journal names and the data folder lacks. What is damaged counts once somebody has read it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Missing {
    /// Components of plugins that were not removed.
    pub plugins: u64,
    /// Of releases that were not abandoned, and trusted roots of signers.
    pub artifacts: u64,
    /// 20 of them at most.
    pub first: Vec<MissingFile>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MissingFile {
    /// Such as: artifact `web` of v1 in shop.
    pub what: String,
    pub digest: String,
}

/// `whole`, `reading`: not all of it yet, `damaged`, or `unknown`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    pub status: String,
    /// How far it is, or what is wrong.
    pub detail: Option<String>,
}

/// The caller, as the host knows them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Me {
    pub person: String,
    pub groups: Vec<String>,
    pub role: String,
    /// Name of the token that was used.
    pub token: String,
}

/// One page of a list. `next` is what to pass to get the following page; absent at the end.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Project {
    pub name: String,
    pub description: String,
    pub applications: Vec<String>,
    pub workflows: Vec<String>,
    pub environments: Vec<Environment>,
    /// Nothing but a rollback starts anywhere in the project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Numbers of deployments for which somebody broke the glass, and that nobody else has reviewed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub review_debts: Vec<u64>,
}

/// A project as its file has it now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AppliedProject {
    #[serde(flatten)]
    pub project: Project,
    /// What differs from what was there when the file came; none where nothing was changed.
    #[serde(default)]
    pub changes: Option<Vec<DefinitionChange>>,
    /// What it lacks as things are. It is taken all the same: a plugin, or somebody to approve, may still come.
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

/// What stands in the way of something that the project file says.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// JSON pointer into the project file.
    pub path: String,
    pub message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DefinitionChange {
    /// `added`, `changed` or `removed`.
    pub change: String,
    /// `project`, `application`, `environment`, `workflow` or `endpoint`.
    pub part: String,
    pub name: String,
    /// Of what has changed: the keys of this part in the project file whose values differ, said there or filled in; none where it is
    /// one value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    pub name: String,
    /// The release that proved healthy last: switches when a deployment succeeds.
    pub live: Option<LiveRelease>,
    /// What the targets last began to apply, and so what visitors may be getting.
    pub current: Option<CurrentRelease>,
    /// Current and live differ: something is under way, a deployment failed half-way, or what it brought does not go live.
    pub differs: bool,
    /// Where they differ in some applications only: in these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs_in: Vec<String>,
    /// Number of the deployment that holds the environment's slot.
    pub active: Option<u64>,
    /// Numbers of the waiting ones, in order; of very many, the first thousand.
    pub queue: Vec<u64>,
    /// How many are waiting.
    pub waiting: usize,
    /// Tag a rollback would go back to now.
    pub rollback_to: Option<String>,
    /// Applications whose live release is another one, since a SELECTIVE deployment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub live_apart: BTreeMap<String, LiveRelease>,
    /// Applications to which a SELECTIVE deployment was the last to begin to apply something.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub current_apart: BTreeMap<String, CurrentRelease>,
    /// Numbers of all that hold a slot; more than one where they go on side by side.
    #[serde(default)]
    pub running: Vec<u64>,
    /// Numbers of those that wait beside the queue: scheduled, deferred, or held by a requirement.
    #[serde(default)]
    pub held: Vec<u64>,
    #[serde(flatten)]
    pub operations: Operations,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LiveRelease {
    pub release: String,
    pub deployment: u64,
    #[schema(format = DateTime)]
    pub since: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CurrentRelease {
    pub release: String,
    pub deployment: u64,
    #[schema(format = DateTime)]
    pub since: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Release {
    pub tag: String,
    pub description: String,
    /// `Draft`, `Active` or `Abandoned`.
    pub status: String,
    /// `Ready`, `Deployed` or `Superseded`.
    pub lifecycle: String,
    /// Of everything deployments use; absent for a draft.
    pub digest: Option<String>,
    pub artifacts: Vec<Artifact>,
    pub workflows: Vec<String>,
    /// Who gave it these, where they are its own and not the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_by: Option<String>,
    /// Plugin name to the digest this release is pinned to.
    pub plugins: BTreeMap<String, String>,
    pub created_by: String,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Environments where it is live now.
    pub live_in: Vec<String>,
    /// Its environment status in each, such as `Succeeded` or `NotStarted`: of its newest deployment there. Said where
    /// one release is asked for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<String, String>,
    /// With `deploy_to`: the deployment that was triggered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<u64>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Deployment {
    /// `project/number`.
    pub id: String,
    pub number: u64,
    pub project: String,
    pub environment: String,
    pub release: String,
    /// LAUNCH, FULL, SELECTIVE, CUSTOM, DESTROY or ROLLBACK.
    #[serde(rename = "type")]
    pub deployment_type: String,
    pub workflow: String,
    /// Deployment status, such as QUEUED, PENDING_APPROVAL, IN_PROGRESS, SUCCEEDED or FAILED.
    pub status: String,
    /// SUCCEEDED, but a phase that may fail did.
    pub partial: bool,
    /// Release in the environment, such as `InProgress` or `Rejected`.
    pub environment_status: String,
    /// Attempt status: `NotDeployed`, `InProgress`, `Succeeded`, `PartiallySucceeded` or `Failed`.
    pub attempt_status: String,
    pub operation_status: String,
    pub attempt: u32,
    /// Place in the queue, from 1, while waiting.
    pub place: Option<usize>,
    /// What it waits for, in words, and who can lift it.
    pub waiting_for: Vec<Blocker>,
    /// Of a scheduled or deferred one: when it goes on.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_scheduled_time: Option<String>,
    /// Of one that was superseded: the newer one that does the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selections: Vec<Selection>,
    /// Whoever broke the glass to start it in spite of a freeze, and the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<ApprovalAnswer>,
    pub refresh: bool,
    pub forced: bool,
    pub allow_destructive: bool,
    pub comment: String,
    pub triggered_by: String,
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Who asked for this attempt: of the first one, whoever triggered the deployment.
    pub attempt_by: String,
    #[schema(format = DateTime)]
    pub attempt_queued_at: String,
    #[schema(format = DateTime)]
    pub finished_at: Option<String>,
    /// Of this attempt, from its queueing to its end, or to now.
    pub time_taken_ms: u64,
    /// Why it failed or was stopped.
    pub failure: Option<Failure>,
    /// How the attempts before this one ended, oldest first; of many, the last hundred.
    pub earlier: Vec<EarlierAttempt>,
    /// Tag a rollback would go back to now, where this deployment left something to go back from: its release is what
    /// the targets last began to apply, and another one is live.
    pub rollback_to: Option<String>,
    pub phases: Vec<Phase>,
    pub plan: Plan,
    pub approval: Option<Approval>,
    /// After the phases and their gates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_approval: Option<Approval>,
    pub gates: Vec<Gate>,
    #[serde(flatten)]
    pub record: Record,
    /// No event up to this one is missing here: pass it to the event stream to hear of later ones only.
    pub last_event: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EarlierAttempt {
    pub number: u32,
    pub by: String,
    /// Deployment status it ended with.
    pub status: String,
    pub failure: Option<Failure>,
    #[schema(format = DateTime)]
    pub queued_at: String,
    #[schema(format = DateTime)]
    pub finished_at: String,
}

/// One thing that keeps a deployment from going on. It is the same one as long as `code` and `of` are.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Blocker {
    /// Such as `environment-paused`, `closed`, `slot-taken`, `requires`, `approval` or `at-work`.
    pub code: String,
    /// The phase, or the work of a plugin, that this is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// What it waits for, as things stand: this changes when somebody approves, a gate is sampled, or others go first.
    pub reason: String,
    pub lifted_by: String,
    /// Then it is over by itself.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Where it has not been lifted by then, the deployment fails.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<String>,
    /// Of gates: the next round. Of what is asked again: when.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_look_at: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Failure {
    /// The phase; `plan`, `approval`, `gates` or `cancel` for what lies around the phases.
    pub phase: String,
    pub message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Phase {
    pub name: String,
    /// Plugin, or `apply TARGET`, with its weight where that is not all of it.
    pub does: String,
    /// `Waiting`, `Running`, `Succeeded`, `Failed`, `Canceled` or `Skipped`.
    pub status: String,
    /// Running: which try this is; ended: how many it took.
    pub tries: u32,
    #[schema(format = DateTime)]
    pub started_at: Option<String>,
    #[schema(format = DateTime)]
    pub ended_at: Option<String>,
    pub summary: String,
    pub message: Option<String>,
    #[schema(value_type = Object)]
    pub outputs: Value,
    /// `Undone`, or why it could not be.
    pub undo: Option<String>,
}

/// What would change, or did. Approvals sign `digest`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Plan {
    pub digest: Option<String>,
    pub changes: Vec<Change>,
    /// One line per target.
    pub summary: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Change {
    pub target: String,
    pub application: String,
    pub kind: String,
    pub name: String,
    /// `create`, `update`, `delete`, `replace` or `no-op`.
    pub action: String,
    /// Whether its phase has done it, and it was not undone: then it is a change of what is there.
    #[serde(default)]
    pub applied: bool,
    pub destructive: bool,
    pub fields: Vec<FieldChange>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    pub path: String,
    /// JSON; absent when sensitive or not there.
    #[schema(value_type = Object)]
    pub before: Value,
    #[schema(value_type = Object)]
    pub after: Value,
    pub sensitive: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// `Pending`, `Approved`, `Deferred` (approved for a later time), `Rejected`, or `Skipped` (counts as given).
    pub status: String,
    pub plan_digest: String,
    /// In words, such as `1 of operators`.
    pub rules: Vec<String>,
    pub not_your_own: bool,
    pub answers: Vec<ApprovalAnswer>,
    #[schema(format = DateTime)]
    pub requested_at: String,
    #[schema(format = DateTime)]
    pub deadline: String,
    /// Why it is asked again: what changed since it was approved.
    pub difference: Vec<String>,
    /// The attempt that asked, where it was an earlier one and its approval holds for the same plan.
    pub carried_over_from: Option<u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApprovalAnswer {
    pub person: String,
    pub approved: bool,
    pub comment: String,
    #[schema(format = DateTime)]
    pub at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Gate {
    pub name: String,
    /// `pass`, `fail`, `inconclusive` or `error`; absent before the first sample.
    pub outcome: Option<String>,
    pub reason: String,
    #[schema(format = DateTime)]
    pub at: Option<String>,
    pub rounds: u32,
    /// Whoever said that it counts as passed, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<ApprovalAnswer>,
}

/// One thing that happened to a deployment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Position in the journal: rises, with gaps.
    pub sequence: u64,
    #[schema(format = DateTime)]
    pub at: String,
    /// Such as `phase_started`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// A sentence for people.
    pub text: String,
    /// Deployment status after it.
    pub status: Option<String>,
    #[schema(value_type = Object)]
    pub details: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogLine {
    /// Where the line begins in the log of its phase and attempt: rises, with gaps. To get what comes after it,
    /// pass this plus 1 as `from`.
    #[serde(default)]
    pub position: u64,
    #[schema(format = DateTime)]
    pub time: String,
    pub level: String,
    pub phase: String,
    pub attempt: u32,
    #[serde(rename = "try")]
    pub try_number: u32,
    /// REGULAR, CUSTOM or ROLLBACK.
    #[serde(rename = "deploymentType")]
    pub deployment_type: String,
    pub message: String,
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}

/// How a stream of server-sent events ends: as event `end`, or, after its time, as event `resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StreamEnd {
    /// To go on from: send it as `Last-Event-ID`.
    pub id: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UploadedArtifact {
    pub digest: String,
    pub size_bytes: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Plugin {
    pub name: String,
    /// `phase`, `gate` or `target`.
    pub kind: String,
    pub digest: String,
    pub version: String,
    pub summary: String,
    /// `pending`, `active`, `superseded` by a newer digest of that name, or `retired`.
    pub status: String,
    /// What it asks for.
    #[schema(value_type = Object)]
    pub requests: Value,
    pub grants: Option<Grants>,
    /// Where it may do less than that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub narrowed: Vec<NarrowedPlugin>,
    #[schema(value_type = Object)]
    pub config_schema: Value,
    pub size_bytes: u64,
    /// Where it came from, in the words of whoever added it: a file's name, a URL, or `oci://` and a reference.
    pub source: Option<String>,
    pub signatures: Vec<PluginSignature>,
    /// The rule by which it is approved with a signature only, such as `deploy-*`.
    pub signature_required: Option<String>,
    pub added_by: String,
    #[schema(format = DateTime)]
    pub added_at: String,
    pub approval: Option<Said>,
    pub retired: Option<Said>,
}

/// Of a value that plugins keep between deployments.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct KeptState {
    /// As it was granted.
    pub namespace: String,
    pub key: String,
    /// Of the value.
    pub bytes: usize,
    /// How often it was written since it was there first, or cleared.
    pub version: u32,
    /// The deployment that wrote it last.
    pub written_by: u64,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearState {
    pub namespace: String,
    /// None: all of the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ClearedState {
    /// How many values are gone.
    pub cleared: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NarrowedPlugin {
    /// A project, such as `shop`, or an environment of it, such as `shop/production`.
    pub scope: String,
    /// What is left there of what it was approved for.
    pub grants: Grants,
    pub narrowed: Said,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NarrowPlugin {
    /// A project, such as `shop`, or an environment of it, such as `shop/production`.
    pub scope: String,
    /// The most that it may do there: what is not named it may not do. Folders and tools are those that were approved,
    /// whatever path is said here. A limit that is not said stays as approved; `concurrent_calls` cannot be said.
    pub grants: Grants,
    /// Needed where it gives something back.
    #[serde(default)]
    pub reason: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WidenPlugin {
    pub scope: String,
    pub reason: String,
}

/// Of a component, verified when it was added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PluginSignature {
    /// What the key was called then. None: it is a sigstore bundle.
    pub key: Option<String>,
    /// Of ed25519: 64 hex digits.
    pub public_key: Option<String>,
    /// In base64.
    pub signature: Option<String>,
    /// To whom the certificate of the sigstore bundle is made out.
    pub identity: Option<String>,
    /// Who said so to the certificate's authority.
    pub issuer: Option<String>,
    /// With whose keys the bundle was verified: `sigstore.dev`, or the digest of a trusted root.
    pub trusted_roots: Vec<String>,
    /// The digest of the bundle, which is kept as an artifact.
    pub bundle: Option<String>,
    /// Whether this signer is trusted for this plugin now, under whatever name.
    pub trusted: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TrustedSigner {
    pub name: String,
    /// Of ed25519: 64 hex digits. None: it is an identity.
    pub public_key: Option<String>,
    pub identity: Option<String>,
    pub issuer: Option<String>,
    /// Whose keys vouch for the identity: `sigstore.dev`, or the digest of a trusted root, which is kept as an artifact.
    pub trusted_root: Option<String>,
    /// Patterns of plugin names.
    pub plugins: Vec<String>,
    pub added_by: String,
    #[schema(format = DateTime)]
    pub added_at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DistrustedSigner {
    pub name: String,
    /// Plugins that it has signed and that stay approved, with their digests in short.
    pub active: Vec<String>,
}

/// Plugins of these names are approved with a signature only.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SignatureRule {
    pub plugins: String,
    pub required: Said,
}

/// Who decided it, and why.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Said {
    pub by: String,
    #[schema(format = DateTime)]
    pub at: String,
    pub reason: String,
}

/// What is known of a secret; its value is shown to nobody.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Secret {
    pub name: String,
    /// Where it may travel.
    pub origins: Vec<String>,
    /// In which headers.
    pub headers: Vec<String>,
    /// None: every project.
    pub project: Option<String>,
    /// Of that project. Empty: each of them.
    pub environments: Vec<String>,
    pub set_by: String,
    #[schema(format = DateTime)]
    pub set_at: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Token {
    pub name: String,
    pub person: String,
    pub groups: Vec<String>,
    pub role: String,
    #[schema(format = DateTime)]
    pub created_at: String,
    pub revoked: bool,
    /// Only in the answer that created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// What went wrong (RFC 9457, `application/problem+json`).
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `urn:lockgate:problem:` and `code`.
    #[serde(rename = "type")]
    pub problem_type: String,
    pub title: String,
    pub status: u16,
    /// What was tried, what is wrong, what is allowed, what to do.
    pub detail: String,
    /// Stable, for scripts, such as `tag-taken`.
    pub code: String,
    /// Of a file: every mistake with its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Mistake {
    pub line: usize,
    pub column: usize,
    pub path: String,
    pub message: String,
}
