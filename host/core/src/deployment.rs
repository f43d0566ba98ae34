//! A deployment and its attempts: the facts, and the views derived from them.
//!
//! What happens to it is in `change`, and what happens next is decided in `next`.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::definition::{ApprovalPolicy, Environment, GateSet, Phase, PhaseWork, Target, Workflow};
use crate::digest::Digest;
use crate::name::{Actor, DeploymentNumber, Name, Tag, Timestamp};
use crate::plugin::{Artifact, Failure, Planned};
use crate::release::{Release, canonical};
use crate::selection::Selection;
use crate::work::{GatesOf, Side, Step, Work};

/// Types (F), and ROLLBACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DeploymentType {
    Launch,
    Full,
    Selective,
    Custom,
    Destroy,
    Rollback,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flags {
    /// Observe first, then plan.
    pub refresh: bool,
    /// Also apply what is in sync already; skips no rule.
    pub forced: bool,
    /// Without it a plan that deletes or replaces is refused.
    pub allow_destructive: bool,
}

impl Flags {
    pub(crate) fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// One release on its way to one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    pub number: DeploymentNumber,
    pub environment: Name,
    pub release: Arc<Release>,
    /// What was live when its turn came.
    pub previous_release: Option<Arc<Release>>,
    pub deployment_type: DeploymentType,
    pub flags: Flags,
    /// Of a SELECTIVE one; of every other type, none.
    #[serde(default)]
    pub selections: Vec<Selection>,
    /// What the caller of an endpoint sent along.
    #[serde(default)]
    pub input: Value,
    pub comment: String,
    pub triggered_by: Actor,
    pub workflow: Name,
    pub created_at: Timestamp,
    /// Freezes and availability do not hold the present attempt back.
    #[serde(default)]
    pub break_glass: Option<Box<Signature>>,
    /// How earlier attempts ended, oldest first; of many, the last [`REMEMBERED_ATTEMPTS`].
    pub earlier: Vec<EarlierAttempt>,
    pub attempt: Attempt,
}

// A hundred thousand may wait.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Deployment>() <= 768, "what few deployments have belongs in a box");

/// How many attempts before the present one a deployment keeps the end of.
pub const REMEMBERED_ATTEMPTS: usize = 100;

/// What is left of an attempt when there is a newer one: small, for it comes back with every record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierAttempt {
    pub number: u32,
    pub queued_at: Timestamp,
    pub started_by: Actor,
    pub begun: bool,
    pub finish: Finish,
    pub failure: Option<AttemptFailure>,
    pub cancel: Option<CancelRequest>,
    pub stop: Option<CancelRequest>,
    pub finished_at: Timestamp,
}

/// One run of a deployment. It pins the environment's rules and variables as they were. In boxes: what a waiting deployment does not
/// have, and what few ever have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub number: u32,
    pub queued_at: Timestamp,
    pub started_by: Actor,
    pub environment: Arc<Environment>,
    /// Digests of the environment's gate plugins. They belong to the environment and not to the release: a gate that
    /// is new must not stand in the way of an old release.
    pub gate_plugins: BTreeMap<Name, Digest>,
    /// When a phase, or the gates or the question after them, started in this attempt: before that, a cancel has nothing
    /// to stop.
    pub begun_at: Option<Timestamp>,
    pub stage: Stage,
    /// Shared until they change: see [`Unbegun`].
    pub phases: Vec<Arc<PhaseRun>>,
    /// Before the phases, and about a plan that drifted between them.
    pub approval: Option<Box<Approval>>,
    /// The plan digest that everybody asked has agreed to, or that nobody had to be asked about.
    pub approved: Option<Digest>,
    /// Approved for a later time.
    pub not_before: Option<Timestamp>,
    /// After the phases and their gates.
    pub post_approval: Option<Box<Approval>>,
    /// Everybody asked after the phases has agreed.
    pub accepted: bool,
    /// Calls started so far: the number of the last one.
    pub calls: u32,
    /// Keys and values that its plugins have had kept, all together.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub kept_bytes: u64,
    pub cancel: Option<Box<CancelRequest>>,
    /// Who ended it by force, beside whoever cancelled it first.
    pub stop: Option<Box<CancelRequest>>,
    /// The first thing that failed and was not to be continued after. A cancel that comes later does not change it.
    pub failure: Option<AttemptFailure>,
    /// How often the plan was made again because the world had moved.
    pub drifts: u32,
    /// What changed at the last drift, for the people who are asked again.
    pub last_difference: Vec<String>,
    pub pre_gates: Option<Box<GateRun>>,
    pub post_gates: Option<Box<GateRun>>,
    /// A newer deployment waits to do the same.
    pub superseded_by: Option<DeploymentNumber>,
    /// What was current before this attempt's first apply, to go back to when all of it is undone.
    pub replaced: Option<Box<Replaced>>,
    pub finished_at: Option<Timestamp>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for its turn in the environment.
    Queued,
    /// Not in the queue: waits for something of its own, and is in nobody's way.
    Held(Hold),
    /// Has a slot of the environment. Nothing is under way: `next` decides what is.
    Ready,
    /// Has a slot, and waits because the project has as much under way as it may.
    AwaitingCapacity(Capacity),
    Observing(Box<Work>),
    /// The plan of a phase's target is being made.
    Planning(Box<Work>),
    /// Asks people: before the first phase for approval, between them about a plan that drifted, after them.
    AwaitingApproval(Side),
    /// The plan is made again, just before the phase at `index` applies it.
    Confirming {
        index: usize,
        work: Box<Work>,
    },
    /// One phase, or a group of them.
    Running,
    Undoing {
        index: usize,
        work: Box<Work>,
    },
    /// Those of the environment, before or after the phases.
    Gates(Side),
    Finished(Finish),
}

/// Why a deployment is not in the queue, and when that ends by itself; `None`: nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub because: HoldReason,
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// Triggered for a later time.
    Scheduled,
    /// Approved for a later time.
    Deferred,
    /// The release has not been live for long enough in this environment.
    Requires { environment: Name },
}

/// What the project has no more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// Free plugin workers.
    Workers,
    /// Deployments that may work at a time.
    Running,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    Succeeded,
    PartiallySucceeded,
    PhaseFailed,
    GatesFailed,
    Rejected,
    Canceled(Cause),
}

/// Why an attempt was canceled. Never merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A person cancelled or deleted it: ABORTED.
    Person,
    /// TIMED_OUT.
    TimeLimit,
    /// Forced, superseded, expired or shut down: STOPPED.
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CancelRequest {
    pub by: Actor,
    pub at: Timestamp,
    pub deadline: Timestamp,
    pub reason: String,
    pub cause: Cause,
}

/// What an environment's targets last began to apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    pub release: Tag,
    pub deployment: DeploymentNumber,
    pub since: Timestamp,
    /// Its deployment has ended well: all of it is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub succeeded: bool,
}

/// What was current before, if anything was: a struct, because JSON has no way to write a nested `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    pub current: Option<Current>,
    /// Of applications that stood apart from it.
    #[serde(default)]
    pub apart: BTreeMap<Name, Current>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFailure {
    pub of: FailureOf,
    pub message: String,
}

/// What failed: a phase, or the core's own work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureOf {
    Plan,
    Approval,
    Phase(Name),
    Gates,
}

/// The name of the phase as people see it. No phase has one of the core's: they are reserved.
impl std::fmt::Display for FailureOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plan => f.write_str("plan"),
            Self::Approval => f.write_str("approval"),
            Self::Phase(name) => name.fmt(f),
            Self::Gates => f.write_str("gates"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhaseRun {
    pub name: Name,
    pub result: PhaseResult,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub tries: u32,
    pub summary: String,
    pub outputs: Value,
    /// What it built, or says it used.
    #[serde(default)]
    pub artifacts: Vec<Artifact>,
    /// Of an apply phase: its target was asked how its resources are.
    #[serde(default)]
    pub observed: bool,
    /// Of an apply phase: what approvers saw, and what is applied.
    pub plan: Option<Arc<TargetPlan>>,
    /// The plan was made again, just now, and is still the same.
    pub confirmed: bool,
    /// Who went on, or did not, where a person had to say.
    pub intervention: Option<Box<Intervention>>,
    /// The plan with which an earlier attempt began to apply, and that is not undone: of a phase that is done again.
    pub begun_before: Option<Arc<TargetPlan>>,
    pub undo: Option<UndoResult>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseResult {
    Waiting,
    Running(Doing),
    Succeeded,
    Failed(Failure),
    Canceled,
    Skipped,
}

/// What a running phase does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doing {
    Work(Work),
    Gates(GateRun),
    /// Waits for somebody.
    Person {
        deadline: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intervention {
    pub proceeds: bool,
    pub by: Signature,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoResult {
    Undone,
    NotUndone(Failure),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetPlan {
    pub digest: Digest,
    pub planned: Planned,
    pub made_at: Timestamp,
}

/// Signs a plan digest: whoever approved, approved this and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    pub plan_digest: Digest,
    pub policy: ApprovalPolicy,
    pub requested_at: Timestamp,
    pub deadline: Timestamp,
    /// When others may be asked: a freeze that asks for more people begins or ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_until: Option<Timestamp>,
    pub given: Vec<Signature>,
    pub refused: Option<Signature>,
    /// Why it counts as given although not everybody agreed.
    #[serde(default)]
    pub skipped: Option<String>,
    /// Why it is asked again: what changed since the last approval, resource by resource.
    pub difference: Vec<String>,
}

impl Approval {
    pub(crate) fn has_approved(&self, person: &Actor) -> bool {
        self.given.iter().any(|signature| signature.by.person == person.person)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub by: Actor,
    pub at: Timestamp,
    pub comment: String,
    /// Agreed, but not for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateRun {
    pub deadline: Timestamp,
    /// The last round that was started, and the last that was counted.
    pub round: u32,
    pub rounds_ended: u32,
    pub next_round_at: Timestamp,
    pub green_since: Option<Timestamp>,
    /// In the order of the set.
    pub gates: Vec<GateState>,
    pub end: Option<GatesEnd>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatesEnd {
    /// Until then, where a verdict said how long it holds.
    Passed {
        valid_until: Option<Timestamp>,
    },
    Failed {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateState {
    pub name: Name,
    /// `None` between rounds.
    pub work: Option<Work>,
    pub last: Option<GateOutcome>,
    /// Since when it has passed, round after round, and no verdict lapsed before the next.
    #[serde(default)]
    pub held_since: Option<Timestamp>,
    /// Whoever ignores it says so by name, with the reason: it counts as passed.
    #[serde(default)]
    pub ignored: Option<Signature>,
}

/// One round's outcome of one gate: pass, fail, inconclusive or error. Only pass passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateOutcome {
    pub outcome: GateVerdict,
    pub reason: String,
    pub at: Timestamp,
    /// It lapses then; `None`: it holds until the next sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    Pass,
    Fail,
    Inconclusive,
    Error,
}

impl Stage {
    /// Read-only work and questions end at once.
    pub(crate) fn ends_with_a_cancel(&self) -> bool {
        match self {
            Self::AwaitingCapacity(_)
            | Self::Observing(_)
            | Self::Planning(_)
            | Self::AwaitingApproval(_)
            | Self::Confirming { .. }
            | Self::Gates(_) => true,
            Self::Queued | Self::Held(_) | Self::Ready | Self::Running | Self::Undoing { .. } | Self::Finished(_) => {
                false
            }
        }
    }

    /// In the queue or beside it: without a slot, and not over.
    pub fn is_waiting(&self) -> bool {
        match self {
            Self::Queued | Self::Held(_) => true,
            Self::Ready
            | Self::AwaitingCapacity(_)
            | Self::Observing(_)
            | Self::Planning(_)
            | Self::AwaitingApproval(_)
            | Self::Confirming { .. }
            | Self::Running
            | Self::Undoing { .. }
            | Self::Gates(_)
            | Self::Finished(_) => false,
        }
    }
}

impl Attempt {
    pub fn new(
        number: u32,
        at: Timestamp,
        by: Actor,
        environment: Arc<Environment>,
        phases: Vec<Arc<PhaseRun>>,
    ) -> Self {
        Self {
            number,
            queued_at: at,
            started_by: by,
            environment,
            gate_plugins: BTreeMap::new(),
            begun_at: None,
            stage: Stage::Queued,
            phases,
            approval: None,
            approved: None,
            not_before: None,
            post_approval: None,
            accepted: false,
            calls: 0,
            cancel: None,
            stop: None,
            failure: None,
            kept_bytes: 0,
            drifts: 0,
            last_difference: Vec::new(),
            pre_gates: None,
            post_gates: None,
            superseded_by: None,
            replaced: None,
            finished_at: None,
        }
    }

    /// A phase, or the gates after them, have started.
    pub fn begun(&self) -> bool {
        self.begun_at.is_some()
    }

    pub fn asked(&self, side: Side) -> Option<&Approval> {
        match side {
            Side::Pre => self.approval.as_deref(),
            Side::Post => self.post_approval.as_deref(),
        }
    }

    pub(crate) fn asked_mut(&mut self, side: Side) -> Option<&mut Approval> {
        match side {
            Side::Pre => self.approval.as_deref_mut(),
            Side::Post => self.post_approval.as_deref_mut(),
        }
    }

    pub fn gates(&self, of: GatesOf) -> Option<&GateRun> {
        match of {
            GatesOf::Pre => self.pre_gates.as_deref(),
            GatesOf::Post => self.post_gates.as_deref(),
            GatesOf::Phase(index) => {
                let PhaseResult::Running(Doing::Gates(run)) = &self.phases.get(index)?.result else { return None };
                Some(run)
            }
        }
    }

    pub(crate) fn gates_mut(&mut self, of: GatesOf) -> Option<&mut GateRun> {
        match of {
            GatesOf::Pre => self.pre_gates.as_deref_mut(),
            GatesOf::Post => self.post_gates.as_deref_mut(),
            GatesOf::Phase(index) => {
                let run = Arc::make_mut(self.phases.get_mut(index)?);
                let PhaseResult::Running(Doing::Gates(run)) = &mut run.result else { return None };
                Some(run)
            }
        }
    }

    pub fn phase_mut(&mut self, index: usize) -> &mut PhaseRun {
        Arc::make_mut(&mut self.phases[index])
    }

    /// What was confirmed has aged.
    pub(crate) fn unconfirm(&mut self) {
        for run in self.phases.iter_mut().filter(|run| run.confirmed) {
            Arc::make_mut(run).confirmed = false;
        }
    }

    /// Phases under way, with what they do.
    pub fn doing(&self) -> impl Iterator<Item = (usize, &Doing)> {
        self.phases.iter().enumerate().filter_map(|(index, run)| {
            let PhaseResult::Running(doing) = &run.result else { return None };
            Some((index, doing))
        })
    }

    pub fn is_partial(&self) -> bool {
        self.phases.iter().any(|phase| matches!(phase.result, PhaseResult::Failed(_)))
    }

    /// `None` while it is under way.
    pub fn summary(&self) -> Option<EarlierAttempt> {
        let Stage::Finished(finish) = self.stage else { return None };
        Some(EarlierAttempt {
            number: self.number,
            queued_at: self.queued_at,
            started_by: self.started_by.clone(),
            begun: self.begun(),
            finish,
            failure: self.failure.clone(),
            cancel: self.cancel.as_deref().cloned(),
            stop: self.stop.as_deref().cloned(),
            finished_at: self.finished_at?,
        })
    }
}

impl PhaseRun {
    /// Those of a workflow, with nothing done yet.
    pub fn all_of(workflow: &Workflow) -> Vec<Arc<Self>> {
        workflow.phases.iter().map(|phase| Arc::new(Self::new(phase.name.clone()))).collect()
    }

    pub(crate) fn new(name: Name) -> Self {
        Self {
            name,
            result: PhaseResult::Waiting,
            started_at: None,
            ended_at: None,
            tries: 0,
            summary: String::new(),
            outputs: Value::Null,
            artifacts: Vec::new(),
            observed: false,
            plan: None,
            confirmed: false,
            intervention: None,
            begun_before: None,
            undo: None,
        }
    }

    /// Once more in the next attempt, which has to know what was begun and is still there.
    pub(crate) fn again(&self) -> Self {
        let undone = self.undo == Some(UndoResult::Undone);
        let begun = self.plan.clone().filter(|_| self.started_at.is_some()).or_else(|| self.begun_before.clone());
        Self { begun_before: begun.filter(|_| !undone), ..Self::new(self.name.clone()) }
    }

    /// Of the work under way.
    pub(crate) fn work_tries(&self) -> u32 {
        let PhaseResult::Running(Doing::Work(work)) = &self.result else { return 0 };
        work.tries
    }
}

/// Phases that nobody has begun, by name: in memory once, however many deployments wait to run them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unbegun(OrdMap<Name, Arc<PhaseRun>>);

impl Unbegun {
    pub fn all_of(&mut self, workflow: &Workflow) -> Vec<Arc<PhaseRun>> {
        workflow.phases.iter().map(|phase| self.of(&phase.name)).collect()
    }

    /// Of phases that were read, each on its own.
    pub fn share(&mut self, phases: &mut [Arc<PhaseRun>]) {
        for run in phases {
            let unbegun = self.of(&run.name);
            if *run == unbegun {
                *run = unbegun;
            }
        }
    }

    fn of(&mut self, name: &Name) -> Arc<PhaseRun> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let unbegun = Arc::new(PhaseRun::new(name.clone()));
        self.0.insert(name.clone(), unbegun.clone());
        unbegun
    }
}

/// It says nothing that the deployments do not.
impl PartialEq for Unbegun {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Intervention {
    /// What later phases see of it.
    pub(crate) fn outputs(&self) -> Value {
        json!({ "note": self.by.comment, "by": self.by.by.person })
    }
}

impl GateState {
    fn new(name: Name) -> Self {
        Self { name, work: None, last: None, held_since: None, ignored: None }
    }

    /// The round's verdict on this gate.
    pub(crate) fn take(&mut self, outcome: &GateOutcome) {
        let lapsed = self.last.as_ref().and_then(|last| last.valid_until).is_some_and(|until| until < outcome.at);
        let held = self.held_since.filter(|_| !lapsed).unwrap_or(outcome.at);
        self.held_since = (outcome.outcome == GateVerdict::Pass).then_some(held);
        (self.work, self.last) = (None, Some(outcome.clone()));
    }

    pub(crate) fn valid_until(&self) -> Option<Timestamp> {
        self.last.as_ref().filter(|_| self.ignored.is_none()).and_then(|last| last.valid_until)
    }

    /// Why it is not green, where it is not.
    pub fn why_not(&self) -> Option<String> {
        let last = self.last.as_ref().filter(|_| !self.passes())?;
        Some(format!("{}: {}", self.name, last.reason))
    }

    /// What it is in this round: one that is ignored passes, and `None` was not judged.
    pub fn counts_as(&self) -> Option<GateVerdict> {
        match self.ignored {
            Some(_) => Some(GateVerdict::Pass),
            None => self.last.as_ref().map(|last| last.outcome),
        }
    }

    pub fn passes(&self) -> bool {
        self.counts_as() == Some(GateVerdict::Pass)
    }
}

impl GateRun {
    pub(crate) fn new(gates: impl Iterator<Item = Name>, deadline: Timestamp, first_round_at: Timestamp) -> Self {
        Self {
            deadline,
            round: 0,
            rounds_ended: 0,
            next_round_at: first_round_at,
            green_since: None,
            gates: gates.map(GateState::new).collect(),
            end: None,
        }
    }

    pub(crate) fn has_failed(&self) -> bool {
        matches!(self.end, Some(GatesEnd::Failed { .. }))
    }

    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        if self.end.is_some() {
            return None;
        }
        let works: Vec<&Work> = self.works().collect();
        if works.is_empty() {
            return Some(self.next_round_at.min(self.deadline));
        }
        works.into_iter().filter_map(Work::wake_at).min()
    }

    fn works(&self) -> impl Iterator<Item = &Work> {
        self.gates.iter().filter_map(|gate| gate.work.as_ref())
    }
}

impl Doing {
    fn works(&self) -> Vec<&Work> {
        match self {
            Self::Work(work) => vec![work],
            Self::Gates(run) => run.works().collect(),
            Self::Person { .. } => Vec::new(),
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        match self {
            Self::Work(work) => work.wake_at(),
            Self::Gates(run) => run.wake_at(),
            Self::Person { deadline } => Some(*deadline),
        }
    }
}

impl Deployment {
    pub fn workflow(&self) -> &Workflow {
        &self.release.workflows[&self.workflow]
    }

    pub fn phase(&self, index: usize) -> &Phase {
        &self.workflow().phases[index]
    }

    pub fn is_apply(&self, phase: usize) -> bool {
        matches!(self.phase(phase).work, PhaseWork::Apply { .. })
    }

    pub fn target_of(&self, phase: usize) -> Option<&Target> {
        match &self.phase(phase).work {
            PhaseWork::Apply { target } => self.attempt.environment.targets.get(target),
            PhaseWork::Plugin { .. } | PhaseWork::Gates(_) | PhaseWork::Manual { .. } => None,
        }
    }

    /// A phase that should have applied failed, and the workflow went on all the same.
    pub fn failed_to_apply(&self) -> bool {
        let failed = |run: &PhaseRun| matches!(run.result, PhaseResult::Failed(_));
        self.attempt.phases.iter().enumerate().any(|(index, run)| self.is_apply(index) && failed(run))
    }

    pub fn is_finished(&self) -> bool {
        matches!(self.attempt.stage, Stage::Finished(_))
    }

    /// The rules for people: a rollback has its own, and asks nobody afterwards.
    pub fn approval_policy(&self, side: Side) -> Option<&ApprovalPolicy> {
        let environment = &self.attempt.environment;
        let policy = match (self.deployment_type, side) {
            (DeploymentType::Rollback, Side::Pre) => &environment.rollback_approvals,
            (DeploymentType::Rollback, Side::Post) => return None,
            (
                DeploymentType::Launch
                | DeploymentType::Full
                | DeploymentType::Selective
                | DeploymentType::Custom
                | DeploymentType::Destroy,
                side,
            ) => match side {
                Side::Pre => &environment.approvals,
                Side::Post => &environment.post_approvals,
            },
        };
        (!environment.approvals_off && !policy.rules.is_empty()).then_some(policy)
    }

    /// Work in progress, each with at most one unanswered call.
    pub fn works(&self) -> Vec<&Work> {
        match &self.attempt.stage {
            Stage::Observing(work)
            | Stage::Planning(work)
            | Stage::Confirming { work, .. }
            | Stage::Undoing { work, .. } => vec![work],
            Stage::Running => self.attempt.doing().flat_map(|(_, doing)| doing.works()).collect(),
            Stage::Gates(side) => self.attempt.gates((*side).into()).into_iter().flat_map(GateRun::works).collect(),
            Stage::Queued
            | Stage::Held(_)
            | Stage::Ready
            | Stage::AwaitingCapacity(_)
            | Stage::AwaitingApproval(_)
            | Stage::Finished(_) => Vec::new(),
        }
    }

    pub fn work(&self, step: Step) -> Option<&Work> {
        self.works().into_iter().find(|work| work.step == step)
    }

    pub(crate) fn work_mut(&mut self, step: Step) -> Option<&mut Work> {
        let attempt = &mut self.attempt;
        let gates_run = matches!(attempt.stage, Stage::Running | Stage::Gates(_));
        if let Step::Gate { of, index } = step {
            return attempt.gates_mut(of).filter(|_| gates_run)?.gates.get_mut(index)?.work.as_mut();
        }
        let work = match (&mut attempt.stage, step) {
            (
                Stage::Observing(work)
                | Stage::Planning(work)
                | Stage::Confirming { work, .. }
                | Stage::Undoing { work, .. },
                _,
            ) => Some(work.as_mut()),
            (Stage::Running, Step::Run(index) | Step::Cancel(index)) => {
                let run = Arc::make_mut(attempt.phases.get_mut(index)?);
                let PhaseResult::Running(Doing::Work(work)) = &mut run.result else { return None };
                Some(work)
            }
            (
                Stage::Running
                | Stage::Gates(_)
                | Stage::Queued
                | Stage::Held(_)
                | Stage::Ready
                | Stage::AwaitingCapacity(_)
                | Stage::AwaitingApproval(_)
                | Stage::Finished(_),
                _,
            ) => None,
        };
        work.filter(|work| work.step == step)
    }

    /// A cancel reaches the running phase, unless the phase always runs.
    pub fn is_cancelling(&self, step: Step) -> bool {
        match step {
            Step::Run(index) | Step::Gate { of: GatesOf::Phase(index), .. } => self.is_told_to_stop(index),
            Step::Observe(_)
            | Step::Plan(_)
            | Step::Confirm(_)
            | Step::Cancel(_)
            | Step::Undo(_)
            | Step::Gate { of: GatesOf::Pre | GatesOf::Post, .. } => false,
        }
    }

    pub(crate) fn is_told_to_stop(&self, phase: usize) -> bool {
        self.attempt.cancel.is_some() && !self.phase(phase).always_run
    }

    /// The name under which a step's work is logged and its key is made.
    pub fn step_name(&self, step: Step) -> &Name {
        match step {
            Step::Observe(index)
            | Step::Plan(index)
            | Step::Confirm(index)
            | Step::Run(index)
            | Step::Cancel(index)
            | Step::Undo(index) => &self.phase(index).name,
            Step::Gate { of, index } => match self.gate_set(of) {
                Some(set) => &set.gates[index].name,
                None => &self.workflow,
            },
        }
    }

    pub fn gate_set(&self, of: GatesOf) -> Option<&GateSet> {
        match of {
            GatesOf::Pre => self.attempt.environment.pre_gates.as_ref(),
            GatesOf::Post => self.attempt.environment.post_gates.as_ref(),
            GatesOf::Phase(index) => match &self.phase(index).work {
                PhaseWork::Gates(set) => Some(set),
                PhaseWork::Plugin { .. } | PhaseWork::Apply { .. } | PhaseWork::Manual { .. } => None,
            },
        }
    }

    /// Digest of the whole plan: the ordered list of its targets' digests. What an approval signs.
    pub fn plan_digest(&self) -> Digest {
        let plans = self.attempt.phases.iter().filter_map(|phase| phase.plan.as_ref());
        let digests: Vec<String> = plans.map(|plan| plan.digest.to_string()).collect();
        Digest::of_parts(digests.iter().map(String::as_bytes))
    }

    /// Over plugin digest, configuration and sorted changes.
    pub fn target_plan_digest(&self, phase: usize, planned: &Planned) -> Digest {
        let changes =
            serde_json::to_value(planned.sorted_changes()).expect("changes are plain data with text for keys");
        let (plugin, config) = match self.target_of(phase) {
            Some(target) => (self.release.plugins.get(&target.plugin), canonical(&target.config)),
            None => (None, String::new()),
        };
        let plugin = plugin.map(Digest::to_string).unwrap_or_default();
        Digest::of_parts([plugin.as_bytes(), config.as_bytes(), canonical(&changes).as_bytes()])
    }

    /// Outputs of the phases that are done, by phase name.
    pub fn outputs(&self) -> BTreeMap<&Name, &Value> {
        let done = self.attempt.phases.iter().filter(|phase| !phase.outputs.is_null());
        done.map(|phase| (&phase.name, &phase.outputs)).collect()
    }

    /// When the attempt has had all the time that its workflow gives it. People who are asked after the last gate have
    /// a time of their own.
    pub fn must_end_at(&self) -> Option<Timestamp> {
        let attempt = &self.attempt;
        let limit = attempt.begun_at.zip(self.workflow().timeout_ms).filter(|_| attempt.post_approval.is_none());
        let goes_on = attempt.cancel.is_none() && attempt.failure.is_none();
        limit.filter(|_| goes_on).map(|(begun_at, timeout_ms)| begun_at.plus_ms(timeout_ms))
    }

    /// When this deployment needs a look although nobody asks or reports.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let attempt = &self.attempt;
        let by_itself = match &attempt.stage {
            Stage::Held(hold) => hold.until,
            Stage::AwaitingApproval(side) => {
                let asked = attempt.asked(*side);
                asked.map(|asked| asked.rules_until.map_or(asked.deadline, |until| until.min(asked.deadline)))
            }
            Stage::Gates(side) => attempt.gates((*side).into()).and_then(GateRun::wake_at),
            Stage::Observing(work)
            | Stage::Planning(work)
            | Stage::Confirming { work, .. }
            | Stage::Undoing { work, .. } => work.wake_at(),
            Stage::Running => {
                let told = attempt.doing().any(|(index, _)| self.is_told_to_stop(index));
                let cancel = attempt.cancel.as_ref().filter(|_| told).map(|cancel| cancel.deadline);
                attempt.doing().filter_map(|(_, doing)| doing.wake_at()).chain(cancel).min()
            }
            Stage::Queued | Stage::Ready | Stage::AwaitingCapacity(_) | Stage::Finished(_) => None,
        };
        let limit = match attempt.stage {
            Stage::Finished(_) | Stage::Undoing { .. } => None,
            Stage::Queued
            | Stage::Held(_)
            | Stage::Ready
            | Stage::AwaitingCapacity(_)
            | Stage::Observing(_)
            | Stage::Planning(_)
            | Stage::AwaitingApproval(_)
            | Stage::Confirming { .. }
            | Stage::Running
            | Stage::Gates(_) => self.must_end_at(),
        };
        by_itself.into_iter().chain(limit).min()
    }
}

impl From<Side> for GatesOf {
    fn from(side: Side) -> Self {
        match side {
            Side::Pre => Self::Pre,
            Side::Post => Self::Post,
        }
    }
}
