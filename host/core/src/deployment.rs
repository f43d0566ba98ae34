//! A deployment and its attempts: the facts, and the views derived from them.
//!
//! What happens to it is in `change`, and what happens next is decided in `next`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::{ApprovalPolicy, Environment, GateSet, Phase, PhaseWork, Target, Workflow};
use crate::digest::Digest;
use crate::name::{Actor, DeploymentNumber, Name, Tag, Timestamp};
use crate::plugin::{Failure, Planned};
use crate::release::{Release, canonical};
use crate::work::{Side, Step, Work};

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
    pub comment: String,
    pub triggered_by: Actor,
    pub workflow: Name,
    pub created_at: Timestamp,
    /// How earlier attempts ended, oldest first; of many, the last [`REMEMBERED_ATTEMPTS`].
    pub earlier: Vec<EarlierAttempt>,
    pub attempt: Attempt,
}

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

/// One run of a deployment. It pins the environment's rules and variables as they were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub number: u32,
    pub queued_at: Timestamp,
    pub started_by: Actor,
    pub environment: Arc<Environment>,
    /// Digests of the environment's gate plugins. They belong to the environment and not to the release: a gate that
    /// is new must not stand in the way of an old release.
    pub gate_plugins: BTreeMap<Name, Digest>,
    /// A phase, or the gates after them, have started in this attempt: before that, a cancel has nothing to stop.
    pub begun: bool,
    pub stage: Stage,
    pub phases: Vec<PhaseRun>,
    pub approval: Option<Approval>,
    /// The plan digest that everybody asked has agreed to, or that nobody had to be asked about.
    pub approved: Option<Digest>,
    /// Calls started so far: the number of the last one.
    pub calls: u32,
    pub cancel: Option<CancelRequest>,
    /// Who ended it by force, beside whoever cancelled it first.
    pub stop: Option<CancelRequest>,
    /// The first thing that failed and was not to be continued after. A cancel that comes later does not change it.
    pub failure: Option<AttemptFailure>,
    /// How often the plan was made again because the world had moved.
    pub drifts: u32,
    /// What changed at the last drift, for the people who are asked again.
    pub last_difference: Vec<String>,
    pub gates: Option<GateRun>,
    pub gates_passed: bool,
    /// What was current before this attempt's first apply, to go back to when all of it is undone.
    pub replaced: Option<Replaced>,
    pub finished_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for its turn in the environment.
    Queued,
    /// Has the environment's slot. Nothing is under way: `next` decides what is.
    Ready,
    /// The plan of a phase's target is being made.
    Planning(Work),
    /// Asks people: before the first phase for approval, later about a plan that drifted.
    AwaitingApproval,
    /// The plan is made again, just before the phase at `index` applies it.
    Confirming {
        index: usize,
        work: Work,
    },
    Running {
        index: usize,
        work: Work,
    },
    Undoing {
        index: usize,
        work: Work,
    },
    Gates,
    Finished(Finish),
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
}

/// What an environment's targets last began to apply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Current {
    pub release: Tag,
    pub deployment: DeploymentNumber,
    pub since: Timestamp,
}

/// What was current before, if anything was: a struct, because JSON has no way to write a nested `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    pub current: Option<Current>,
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
    /// Of an apply phase: what approvers saw, and what is applied.
    pub plan: Option<Arc<TargetPlan>>,
    /// The plan was made again, just now, and is still the same.
    pub confirmed: bool,
    /// The plan with which an earlier attempt began to apply, and that is not undone: of a phase that is done again.
    pub begun_before: Option<Arc<TargetPlan>>,
    pub undo: Option<UndoResult>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseResult {
    Waiting,
    Running,
    Succeeded,
    Failed(Failure),
    Canceled,
    Skipped,
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
    pub given: Vec<Signature>,
    pub refused: Option<Signature>,
    /// Why it is asked again: what changed since the last approval, resource by resource.
    pub difference: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    pub by: Actor,
    pub at: Timestamp,
    pub comment: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateRun {
    pub side: Side,
    pub deadline: Timestamp,
    /// The last round that was started, and the last that was counted.
    pub round: u32,
    pub rounds_ended: u32,
    pub next_round_at: Timestamp,
    pub green_since: Option<Timestamp>,
    /// In the order of the environment's gates.
    pub gates: Vec<GateState>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateState {
    pub name: Name,
    /// `None` between rounds.
    pub work: Option<Work>,
    pub last: Option<GateOutcome>,
}

/// One round's outcome of one gate: pass, fail, inconclusive or error. Only pass passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateOutcome {
    pub outcome: GateVerdict,
    pub reason: String,
    pub at: Timestamp,
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
            Self::Planning(_) | Self::AwaitingApproval | Self::Confirming { .. } | Self::Gates => true,
            Self::Queued | Self::Ready | Self::Running { .. } | Self::Undoing { .. } | Self::Finished(_) => false,
        }
    }
}

impl Attempt {
    pub fn new(number: u32, at: Timestamp, by: Actor, environment: Arc<Environment>, workflow: &Workflow) -> Self {
        let phases = workflow.phases.iter().map(|phase| PhaseRun::new(phase.name.clone())).collect();
        Self {
            number,
            queued_at: at,
            started_by: by,
            environment,
            gate_plugins: BTreeMap::new(),
            begun: false,
            stage: Stage::Queued,
            phases,
            approval: None,
            approved: None,
            calls: 0,
            cancel: None,
            stop: None,
            failure: None,
            drifts: 0,
            last_difference: Vec::new(),
            gates: None,
            gates_passed: false,
            replaced: None,
            finished_at: None,
        }
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
            begun: self.begun,
            finish,
            failure: self.failure.clone(),
            cancel: self.cancel.clone(),
            stop: self.stop.clone(),
            finished_at: self.finished_at?,
        })
    }
}

impl PhaseRun {
    pub(crate) fn new(name: Name) -> Self {
        Self {
            name,
            result: PhaseResult::Waiting,
            started_at: None,
            ended_at: None,
            tries: 0,
            summary: String::new(),
            outputs: Value::Null,
            plan: None,
            confirmed: false,
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

    pub(crate) fn end(&mut self, result: PhaseResult, at: Timestamp) {
        self.result = result;
        self.ended_at = Some(at);
    }
}

impl GateRun {
    fn wake_at(&self) -> Option<Timestamp> {
        let works: Vec<&Work> = self.gates.iter().filter_map(|gate| gate.work.as_ref()).collect();
        if works.is_empty() {
            return Some(self.next_round_at.min(self.deadline));
        }
        works.into_iter().filter_map(Work::wake_at).min()
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
            PhaseWork::Plugin { .. } => None,
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

    /// The rules for people: a rollback has its own.
    pub fn approval_policy(&self) -> &ApprovalPolicy {
        match self.deployment_type {
            DeploymentType::Rollback => &self.attempt.environment.rollback_approvals,
            DeploymentType::Launch
            | DeploymentType::Full
            | DeploymentType::Selective
            | DeploymentType::Custom
            | DeploymentType::Destroy => &self.attempt.environment.approvals,
        }
    }

    /// Work in progress, each with at most one unanswered call.
    pub fn works(&self) -> Vec<&Work> {
        match &self.attempt.stage {
            Stage::Planning(work)
            | Stage::Confirming { work, .. }
            | Stage::Running { work, .. }
            | Stage::Undoing { work, .. } => vec![work],
            Stage::Gates => {
                self.attempt.gates.iter().flat_map(|run| &run.gates).filter_map(|g| g.work.as_ref()).collect()
            }
            Stage::Queued | Stage::Ready | Stage::AwaitingApproval | Stage::Finished(_) => Vec::new(),
        }
    }

    pub fn work(&self, step: Step) -> Option<&Work> {
        self.works().into_iter().find(|work| work.step == step)
    }

    pub(crate) fn work_mut(&mut self, step: Step) -> Option<&mut Work> {
        let work = match &mut self.attempt.stage {
            Stage::Planning(work)
            | Stage::Confirming { work, .. }
            | Stage::Running { work, .. }
            | Stage::Undoing { work, .. } => Some(work),
            Stage::Gates => {
                let gates = self.attempt.gates.iter_mut().flat_map(|run| &mut run.gates);
                gates.filter_map(|gate| gate.work.as_mut()).find(|work| work.step == step)
            }
            Stage::Queued | Stage::Ready | Stage::AwaitingApproval | Stage::Finished(_) => None,
        };
        work.filter(|work| work.step == step)
    }

    /// A cancel reaches the running phase, unless the phase always runs.
    pub fn is_cancelling(&self, step: Step) -> bool {
        match step {
            Step::Run(index) => self.attempt.cancel.is_some() && !self.phase(index).always_run,
            Step::Plan(_) | Step::Confirm(_) | Step::Cancel(_) | Step::Undo(_) | Step::Gate { .. } => false,
        }
    }

    /// The name under which a step's work is logged and its key is made.
    pub fn step_name(&self, step: Step) -> &Name {
        match step {
            Step::Plan(index) | Step::Confirm(index) | Step::Run(index) | Step::Cancel(index) | Step::Undo(index) => {
                &self.phase(index).name
            }
            Step::Gate { side, index } => match self.gate_set(side) {
                Some(set) => &set.gates[index].name,
                None => &self.workflow,
            },
        }
    }

    pub fn gate_set(&self, side: Side) -> Option<&GateSet> {
        match side {
            Side::Pre => None,
            Side::Post => self.attempt.environment.post_gates.as_ref(),
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

    /// When this deployment needs a look although nobody asks or reports.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let attempt = &self.attempt;
        match &attempt.stage {
            Stage::AwaitingApproval => attempt.approval.as_ref().map(|approval| approval.deadline),
            Stage::Gates => attempt.gates.as_ref().and_then(GateRun::wake_at),
            Stage::Planning(work) | Stage::Confirming { work, .. } | Stage::Undoing { work, .. } => work.wake_at(),
            Stage::Running { work, .. } => {
                let cancel = attempt.cancel.as_ref().filter(|_| self.is_cancelling(work.step));
                work.wake_at().into_iter().chain(cancel.map(|cancel| cancel.deadline)).min()
            }
            Stage::Queued | Stage::Ready | Stage::Finished(_) => None,
        }
    }
}
