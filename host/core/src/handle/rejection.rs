//! Why a command was not done: what is wrong, what is allowed, who can lift it.

use crate::digest::Digest;
use crate::name::{DeploymentNumber, Name, Tag, Timestamp};
use crate::release::ReleaseStatus;

/// Why a command was not done: what is wrong, what is allowed, who can lift it. Never an error of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no environment `{environment}` in project `{project}`; there are: {known}")]
    UnknownEnvironment { environment: Name, project: Name, known: String },
    #[error("there is no release `{tag}` in project `{project}`; there are: {known}")]
    UnknownRelease { tag: Tag, project: Name, known: String },
    #[error("there is no deployment {number} in project `{project}`; the last one is {last}")]
    UnknownDeployment { number: DeploymentNumber, project: Name, last: DeploymentNumber },
    #[error("release `{release}` has no workflow `{workflow}`; it has: {known}")]
    UnknownWorkflow { release: Tag, workflow: String, known: String },
    #[error(
        "tag `{tag}` is taken by a release with other content ({digest}); choose another tag, for a release never changes"
    )]
    TagTaken { tag: Tag, digest: Digest },
    #[error("release `{tag}` is {status:?}; {allowed}")]
    ReleaseStatus { tag: Tag, status: ReleaseStatus, allowed: &'static str },
    #[error("draft `{tag}` cannot change now: {why}")]
    ReleaseBusy { tag: Tag, why: String },
    #[error("release `{tag}` cannot be abandoned: {why}")]
    ReleaseInUse { tag: Tag, why: String },
    #[error("this release could not be deployed: {}", problems.join("; "))]
    PluginsNotReady { problems: Vec<String> },
    #[error(
        "release `{release}` has no plugin `{plugin}`, which environment `{environment}` uses now; create a new release"
    )]
    PluginNotPinned { release: Tag, plugin: Name, environment: Name },
    #[error(
        "workflow `{workflow}` applies target `{target}`, which environment `{environment}` does not have; it has: {known}"
    )]
    UnknownTarget { workflow: Name, target: Name, environment: Name, known: String },
    #[error(
        "ROLLBACK goes to what was live before, not to a release that is named ({release}); use `rollback`, or deploy it as FULL"
    )]
    RollbackByHand { release: Tag },
    #[error("environment `{environment}` has nothing to roll back to: no other release was live there before")]
    NothingToRollBackTo { environment: Name },
    #[error("Idempotency-Key `{key}` was used for deployment {number}, with another request; use a new key")]
    KeyReused { key: String, number: DeploymentNumber },
    #[error("deployment {number} is not waiting for an approval; it is {status}")]
    NotWaitingForApproval { number: DeploymentNumber, status: String },
    #[error("state `{}` is of version {version}, and {expect} was expected: read it again, then decide again", .key.escape_debug())]
    StateMoved { key: String, version: u32, expect: u32 },
    #[error("a value is kept at a key, and this one is empty")]
    NoStateKey,
    #[error("nothing is kept as {what} in environment `{environment}`; there is: {known}")]
    NothingKept { what: String, environment: Name, known: String },
    #[error(
        "deployment {number} has its turn in environment `{environment}`, and its plugins may be about to write; clear what they keep when it is over"
    )]
    StateInUse { environment: Name, number: DeploymentNumber },
    #[error("deployment {number} does not wait to start; it is {status}")]
    NotWaiting { number: DeploymentNumber, status: String },
    #[error("deployment {number} has no gate `{gate}` that is being evaluated; it has: {known}")]
    UnknownGate { number: DeploymentNumber, gate: String, known: String },
    #[error("{what} needs a {needed}: say why, for whoever reads this later")]
    ReasonMissing { what: &'static str, needed: &'static str },
    #[error("{what} can only be put off to a later time; {given} is past")]
    TimeIsPast { what: &'static str, given: Timestamp },
    #[error("draft `{tag}` is built, and what was built is in it; create the draft again, then edit it, then build it")]
    DraftBuilt { tag: Tag },
    #[error(
        "deployment {number} tears `{environment}` down already; `lockgate deployment cancel {number}` stops that, and then its time can be changed"
    )]
    TeardownUnderWay { environment: Name, number: DeploymentNumber },
    #[error("nothing can be torn down at {given}, which is past; give a later time, or say that it is over `now`")]
    ExpiryIsPast { given: Timestamp },
    #[error("only an approval before the phases can be put off; deployment {number} has begun")]
    CannotDefer { number: DeploymentNumber },
    #[error(
        "environment `{environment}` is not paused, its schedule is: `lockgate resume -e {environment} --schedule`"
    )]
    OnlyScheduleIsPaused { environment: Name },
    #[error("nothing is paused {place}; `lockgate pause` would stop deployments there")]
    NotPaused { place: String },
    #[error("there is a pause {place} already, by {by}: {reason}; `lockgate resume` ends that")]
    PausedAlready { place: String, by: String, reason: String },
    #[error("environment `{environment}` holds no promotions back")]
    NoPromotionHold { environment: Name },
    #[error("deployment {number} owes no review")]
    NoDebt { number: DeploymentNumber },
    #[error("{person} broke the glass for deployment {number} and may not review it; someone else must")]
    OwnDebt { number: DeploymentNumber, person: String },
    #[error("nothing is live in environment `{environment}`; {allowed}")]
    NothingLive { environment: Name, allowed: &'static str },
    #[error("release `{release}`, live in `{environment}`, has no endpoint `{endpoint}`; it has: {known}")]
    UnknownEndpoint { release: Tag, environment: Name, endpoint: Name, known: String },
    #[error(
        "environment `{environment}` must be set up first: {why}; deploy with type LAUNCH, which runs workflow `{setup}`"
    )]
    SetupDue { environment: Name, setup: Name, why: &'static str },
    #[error("{deployment_type} runs a workflow of stage {stage}, and `{workflow}` is one of stage {actual}; {allowed}")]
    WrongStage { deployment_type: String, stage: String, workflow: Name, actual: String, allowed: String },
    #[error("release `{release}` was built already; {allowed}")]
    BuiltAlready { release: Tag, allowed: &'static str },
    #[error("release `{release}` has to be built first: deploy the draft with workflow `{workflow}`, then activate it")]
    NotBuilt { release: Tag, workflow: Name },
    #[error("{deployment_type} takes no selections; only SELECTIVE does")]
    SelectionsNotAllowed { deployment_type: String },
    #[error(
        "SELECTIVE needs at least one selection: an application, a resource type or name; to deploy everything, use FULL"
    )]
    NoSelection,
    #[error("there is no application `{application}` in project `{project}`; there are: {known}")]
    UnknownApplication { application: String, project: Name, known: String },
    #[error("environment `{environment}` has no `promotion.from` in the project file; name one with `--from`")]
    NothingToPromoteFrom { environment: Name },
    #[error("environment `{environment}` takes releases from `{from}` only")]
    NotPromotedFrom { environment: Name, from: String },
    #[error("environment `{environment}` has no expiry to change; `expires_after` in the project file gives it one")]
    NoExpiry { environment: Name },
    #[error(
        "the plan of deployment {number} is {now} by now, not {seen}; look at what it would change, then approve that"
    )]
    PlanChanged { number: DeploymentNumber, seen: Digest, now: Digest },
    #[error("{why}")]
    MayNotApprove { why: String },
    #[error("deployment {number} is over, and stays as it ended: `lockgate deployment show {number}` says how")]
    AlreadyFinished { number: DeploymentNumber },
    #[error("deployment {number} is going back to how it was; stop that with --force only if you must")]
    UndoUnderWay { number: DeploymentNumber },
    #[error("deployment {number} has not finished ({status}); cancel it first or wait")]
    NotFinished { number: DeploymentNumber, status: String },
    #[error("deployment {number} succeeded; there is nothing to retry, but `redeploy` starts over")]
    NothingToRetry { number: DeploymentNumber },
    #[error(
        "deployment {number} was tried again by somebody else meanwhile, as attempt {newest}: look at how that ended, then retry if you still want to"
    )]
    RecordIsOld { number: DeploymentNumber, newest: u32 },
    #[error("deployment {number} is too long ago to be tried again; deploy its release once more, as a new deployment")]
    TooLongAgo { number: DeploymentNumber },
    #[error("environment `{environment}` cannot be removed while deployment {number} is under way there")]
    EnvironmentInUse { environment: Name, number: DeploymentNumber },
    #[error(
        "environment `{environment}` cannot be removed while {left} there; take it down first, with a deployment of type DESTROY"
    )]
    EnvironmentLive { environment: Name, left: String },
    #[error(
        "deployment {number} is to take `{environment}` back to {release}, which is not the way back any more; use `rollback`"
    )]
    NotTheWayBack { number: DeploymentNumber, release: Tag, environment: Name },
    #[error("`{environment}` is at {release} already: nothing is left there that deployment {number} could take back")]
    BackAlready { number: DeploymentNumber, release: Tag, environment: Name },
    #[error(
        "{waiting} deployments wait in environment `{environment}`, and no more are taken; try again when some are done"
    )]
    QueueFull { environment: Name, waiting: usize },
    #[error(
        "environment `{environment}` has a gate of plugin `{plugin}`, which is not approved, or was retired; an operator can: `lockgate plugin approve {plugin}`"
    )]
    GateNotApproved { environment: Name, plugin: Name },
    #[error("{what} is {actual}; at most {allowed} is allowed")]
    TooMuch { what: &'static str, actual: usize, allowed: usize },
}
