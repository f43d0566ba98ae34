//! What happens to a deployment: the events of its life, as they stand in the journal forever, and how each alters
//! its facts. Nothing is decided here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::{Environment, GateSet, PhaseWork};
use crate::deployment::*;
use crate::digest::Digest;
use crate::name::{Actor, DeploymentNumber, Name, Timestamp};
use crate::plugin::Failure;
use crate::state::TriggerKey;
use crate::work::{Answer, GatesOf, Side, Step, Work, WorkState};

/// What happened to a deployment. Each carries what was decided, so that applying it decides nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A retry, from the phase at `resume_at`, or a redeploy from the start, of a finished deployment.
    AttemptQueued {
        attempt: u32,
        resume_at: Option<usize>,
        by: Actor,
        environment: Arc<Environment>,
        gate_plugins: BTreeMap<Name, Digest>,
        #[serde(default)]
        hold: Option<Hold>,
        /// Whoever asks again with it gets this attempt, and no other.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<TriggerKey>,
    },
    /// What it was held for is there: it waits for its turn.
    Enqueued,
    /// It leaves the queue, or the slot, and waits beside them.
    Held {
        hold: Hold,
    },
    /// A newer one waits to do the same.
    Superseded {
        by: DeploymentNumber,
    },
    /// Somebody takes it upon themselves that it starts in spite of freezes and availability.
    GlassBroken {
        by: Signature,
    },
    /// It is its turn: a slot of the environment is its own until it finishes.
    SlotTaken,
    /// The project has as much under way as it may.
    AwaitsCapacity {
        capacity: Capacity,
    },
    /// A pause, a freeze or the end of office hours came before its first phase: it waits at the head of the queue.
    SlotGivenUp,
    ObserveStarted {
        phase: usize,
        deadline: Timestamp,
    },
    /// The phase's target was asked how its resources are; what it said is the environment's.
    Observed {
        phase: usize,
    },
    /// Another deployment has applied since the attempt that this one resumes: everything from its first apply on
    /// is done again.
    Overtaken {
        phase: usize,
    },
    PlanStarted {
        phase: usize,
        deadline: Timestamp,
    },
    TargetPlanned {
        phase: usize,
        digest: Digest,
    },
    /// Intent: committed before the call is made.
    CallStarted {
        step: Step,
        call: u32,
        key: String,
    },
    CallAnswered {
        step: Step,
        call: u32,
        answer: Answer,
    },
    /// The work is asked for again at `until`, with its key; `counted` against the phase's retries or not.
    RetryPlanned {
        step: Step,
        until: Timestamp,
        deadline: Timestamp,
        counted: bool,
        because: String,
    },
    ApprovalRequested {
        side: Side,
        approval: Approval,
    },
    Approved {
        side: Side,
        by: Signature,
    },
    Refused {
        side: Side,
        by: Signature,
    },
    /// Everybody who was asked has agreed, or nobody had to.
    ApprovalCompleted {
        side: Side,
        plan_digest: Digest,
        /// The latest time that somebody approved it for.
        #[serde(default)]
        not_before: Option<Timestamp>,
        /// Why it counts as given although not everybody agreed.
        #[serde(default)]
        skipped: Option<String>,
    },
    ConfirmStarted {
        phase: usize,
        deadline: Timestamp,
    },
    /// The plan made again equals the one that was approved.
    Confirmed {
        phase: usize,
    },
    /// It does not: `digest` is the new one, `difference` what changed, resource by resource.
    Drifted {
        phase: usize,
        digest: Digest,
        difference: Vec<String>,
    },
    /// The target found the world changed under its apply.
    FoundStale {
        phase: usize,
    },
    Phase {
        phase: usize,
        change: PhaseChange,
    },
    Gates {
        of: GatesOf,
        change: GatesChange,
    },
    /// The core's own work failed, or people refused: it goes down from here.
    Failed {
        failure: AttemptFailure,
    },
    CancelRequested {
        cancel: CancelRequest,
    },
    /// Ended by force, whatever was cancelled before.
    StopForced {
        stop: CancelRequest,
    },
    Finished {
        finish: Finish,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseChange {
    Started {
        deadline: Timestamp,
    },
    /// A person said how to go on.
    Answered {
        intervention: Intervention,
    },
    Succeeded,
    /// `fails_attempt` is false where the workflow says to continue, and where the attempt has failed or been
    /// cancelled before.
    Failed {
        failure: Failure,
        fails_attempt: bool,
    },
    Canceled,
    Skipped,
    /// The plugin is asked to stop what it started outside.
    CancelStarted {
        deadline: Timestamp,
    },
    UndoStarted {
        deadline: Timestamp,
    },
    UndoEnded {
        result: UndoResult,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatesChange {
    /// Those of a phase start the phase.
    Started {
        deadline: Timestamp,
        first_round_at: Timestamp,
    },
    RoundStarted {
        round: u32,
        deadline: Timestamp,
    },
    Judged {
        gate: usize,
        outcome: GateOutcome,
    },
    RoundEnded {
        green_since: Option<Timestamp>,
        next_round_at: Timestamp,
    },
    Ignored {
        gate: usize,
        by: Signature,
    },
    /// Those of a phase end with the phase.
    Ended {
        end: GatesEnd,
    },
}

/// What a change means for all that stands around its deployment: the queue, the slot, the logs. Most mean nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    AttemptQueued { attempt: u32, from_the_start: bool, held: bool },
    Enqueued,
    Held,
    SlotTaken,
    SlotGivenUp,
    PhaseEnded { phase: usize },
    Finished(Finish),
}

/// What a change means for the resources of its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnResources {
    /// A target said how they are.
    Observed,
    /// Those of the phase's plan are to become what it says. Phases that apply nothing have no plan.
    Begun { phase: usize },
    /// It was applied or undone, or that failed.
    Ended { phase: usize },
}

impl Change {
    pub(crate) fn on_resources(&self) -> Option<OnResources> {
        match self {
            Self::Observed { .. } => Some(OnResources::Observed),
            Self::Phase { phase, change } => match change {
                PhaseChange::Started { .. } => Some(OnResources::Begun { phase: *phase }),
                PhaseChange::Succeeded
                | PhaseChange::Failed { .. }
                | PhaseChange::Canceled
                | PhaseChange::UndoEnded { .. } => Some(OnResources::Ended { phase: *phase }),
                PhaseChange::Answered { .. }
                | PhaseChange::Skipped
                | PhaseChange::CancelStarted { .. }
                | PhaseChange::UndoStarted { .. } => None,
            },
            Self::AttemptQueued { .. }
            | Self::Enqueued
            | Self::Held { .. }
            | Self::Superseded { .. }
            | Self::GlassBroken { .. }
            | Self::SlotTaken
            | Self::AwaitsCapacity { .. }
            | Self::SlotGivenUp
            | Self::ObserveStarted { .. }
            | Self::Overtaken { .. }
            | Self::PlanStarted { .. }
            | Self::TargetPlanned { .. }
            | Self::CallStarted { .. }
            | Self::CallAnswered { .. }
            | Self::RetryPlanned { .. }
            | Self::ApprovalRequested { .. }
            | Self::Approved { .. }
            | Self::Refused { .. }
            | Self::ApprovalCompleted { .. }
            | Self::ConfirmStarted { .. }
            | Self::Confirmed { .. }
            | Self::Drifted { .. }
            | Self::FoundStale { .. }
            | Self::Gates { .. }
            | Self::Failed { .. }
            | Self::CancelRequested { .. }
            | Self::StopForced { .. }
            | Self::Finished { .. } => None,
        }
    }

    pub fn milestone(&self) -> Option<Milestone> {
        match self {
            Self::AttemptQueued { attempt, resume_at, hold, .. } => Some(Milestone::AttemptQueued {
                attempt: *attempt,
                from_the_start: resume_at.is_none(),
                held: hold.is_some(),
            }),
            Self::Enqueued => Some(Milestone::Enqueued),
            Self::Held { .. } => Some(Milestone::Held),
            Self::SlotTaken => Some(Milestone::SlotTaken),
            Self::SlotGivenUp => Some(Milestone::SlotGivenUp),
            Self::Phase { phase, change } => match change {
                PhaseChange::Succeeded | PhaseChange::Failed { .. } | PhaseChange::Canceled => {
                    Some(Milestone::PhaseEnded { phase: *phase })
                }
                PhaseChange::Started { .. }
                | PhaseChange::Answered { .. }
                | PhaseChange::Skipped
                | PhaseChange::CancelStarted { .. }
                | PhaseChange::UndoStarted { .. }
                | PhaseChange::UndoEnded { .. } => None,
            },
            Self::Finished { finish } => Some(Milestone::Finished(*finish)),
            Self::Superseded { .. }
            | Self::GlassBroken { .. }
            | Self::AwaitsCapacity { .. }
            | Self::ObserveStarted { .. }
            | Self::Observed { .. }
            | Self::Overtaken { .. }
            | Self::PlanStarted { .. }
            | Self::TargetPlanned { .. }
            | Self::CallStarted { .. }
            | Self::CallAnswered { .. }
            | Self::RetryPlanned { .. }
            | Self::ApprovalRequested { .. }
            | Self::Approved { .. }
            | Self::Refused { .. }
            | Self::ApprovalCompleted { .. }
            | Self::ConfirmStarted { .. }
            | Self::Confirmed { .. }
            | Self::Drifted { .. }
            | Self::FoundStale { .. }
            | Self::Gates { .. }
            | Self::Failed { .. }
            | Self::CancelRequested { .. }
            | Self::StopForced { .. } => None,
        }
    }
}

impl Deployment {
    /// Whether the change speaks of phases and gates that there are.
    pub(crate) fn has_place_of(&self, change: &Change) -> bool {
        let phases = self.attempt.phases.len();
        match change {
            Change::AttemptQueued { resume_at, .. } => resume_at.is_none_or(|index| index <= phases),
            Change::ObserveStarted { phase, .. }
            | Change::Observed { phase }
            | Change::Overtaken { phase }
            | Change::PlanStarted { phase, .. }
            | Change::TargetPlanned { phase, .. }
            | Change::ConfirmStarted { phase, .. }
            | Change::Confirmed { phase }
            | Change::Drifted { phase, .. }
            | Change::FoundStale { phase }
            | Change::Phase { phase, .. } => *phase < phases,
            Change::Gates { of, change } => {
                let gates = self.gate_set_at(*of).map_or(0, |set| set.gates.len());
                match change {
                    GatesChange::Judged { gate, .. } | GatesChange::Ignored { gate, .. } => {
                        *gate < gates && self.attempt.gates(*of).is_some()
                    }
                    GatesChange::Started { .. }
                    | GatesChange::RoundStarted { .. }
                    | GatesChange::RoundEnded { .. }
                    | GatesChange::Ended { .. } => gates > 0,
                }
            }
            Change::SlotTaken
            | Change::Enqueued
            | Change::Held { .. }
            | Change::Superseded { .. }
            | Change::GlassBroken { .. }
            | Change::AwaitsCapacity { .. }
            | Change::SlotGivenUp
            | Change::CallStarted { .. }
            | Change::CallAnswered { .. }
            | Change::RetryPlanned { .. }
            | Change::ApprovalRequested { .. }
            | Change::Approved { .. }
            | Change::Refused { .. }
            | Change::ApprovalCompleted { .. }
            | Change::Failed { .. }
            | Change::CancelRequested { .. }
            | Change::StopForced { .. }
            | Change::Finished { .. } => true,
        }
    }

    fn gate_set_at(&self, of: GatesOf) -> Option<&GateSet> {
        match of {
            GatesOf::Phase(index) if index >= self.attempt.phases.len() => None,
            GatesOf::Pre | GatesOf::Post | GatesOf::Phase(_) => self.gate_set(of),
        }
    }

    pub(crate) fn apply(&mut self, change: &Change, at: Timestamp) {
        match change {
            Change::AttemptQueued { attempt, resume_at, by, environment, gate_plugins, hold, key: _ } => {
                let phases = PhaseRun::all_of(self.workflow());
                let next = Attempt::new(*attempt, at, by.clone(), environment.clone(), phases);
                let stage = hold.clone().map_or(Stage::Queued, Stage::Held);
                let next = Attempt { gate_plugins: gate_plugins.clone(), stage, ..next };
                let last = std::mem::replace(&mut self.attempt, next);
                if let Some(resume_at) = *resume_at {
                    let again = last.phases[resume_at..].iter().map(|run| Arc::new(run.again()));
                    self.attempt.phases = last.phases[..resume_at].iter().cloned().chain(again).collect();
                    self.attempt.approval.clone_from(&last.approval);
                    self.attempt.replaced.clone_from(&last.replaced);
                }
                self.break_glass = None;
                self.earlier.extend(last.summary());
                let too_many = self.earlier.len().saturating_sub(REMEMBERED_ATTEMPTS);
                self.earlier.drain(..too_many);
            }
            Change::Enqueued => self.attempt.stage = Stage::Queued,
            Change::Held { hold } => self.attempt.stage = Stage::Held(hold.clone()),
            Change::Superseded { by } => self.attempt.superseded_by = Some(*by),
            Change::GlassBroken { by } => self.break_glass = Some(Box::new(by.clone())),
            Change::SlotTaken => self.attempt.stage = Stage::Ready,
            Change::AwaitsCapacity { capacity } => self.attempt.stage = Stage::AwaitingCapacity(*capacity),
            Change::SlotGivenUp => {
                self.attempt.stage = Stage::Queued;
                // By the time that its turn comes again.
                self.attempt.unconfirm();
            }
            Change::ObserveStarted { phase, deadline } => {
                self.attempt.stage = Stage::Observing(Box::new(Work::new(Step::Observe(*phase), at, *deadline)));
            }
            Change::Observed { phase } => {
                self.attempt.phase_mut(*phase).observed = true;
                self.attempt.stage = Stage::Ready;
            }
            Change::Overtaken { phase } => {
                let anew = PhaseRun::all_of(self.workflow()).split_off(*phase);
                self.attempt.phases.splice(*phase.., anew);
            }
            Change::PlanStarted { phase, deadline } => {
                self.attempt.stage = Stage::Planning(Box::new(Work::new(Step::Plan(*phase), at, *deadline)));
            }
            Change::ConfirmStarted { phase, deadline } => {
                let work = Box::new(Work::new(Step::Confirm(*phase), at, *deadline));
                self.attempt.stage = Stage::Confirming { index: *phase, work };
            }
            Change::TargetPlanned { phase, digest } => self.take_plan(*phase, *digest, at),
            Change::Drifted { phase, digest, difference } => {
                self.attempt.drifts += 1;
                self.attempt.last_difference.clone_from(difference);
                self.take_plan(*phase, *digest, at);
                // What is beside it in its group, too: people may take days to answer.
                self.attempt.unconfirm();
            }
            Change::CallStarted { step, call, .. } => {
                self.attempt.calls = *call;
                if let Some(work) = self.work_mut(*step) {
                    work.start(*call);
                }
            }
            Change::CallAnswered { step, answer, .. } => {
                if let Some(work) = self.work_mut(*step) {
                    work.answer(answer, at);
                }
            }
            Change::RetryPlanned { step, until, deadline, counted, because } => {
                if let Some(work) = self.work_mut(*step) {
                    work.retry(*until, *deadline, *counted, because);
                }
            }
            Change::ApprovalRequested { side, approval } => {
                match side {
                    Side::Pre => {
                        self.attempt.approval = Some(Box::new(approval.clone()));
                        // By the time that people have answered.
                        self.attempt.unconfirm();
                    }
                    Side::Post => {
                        self.attempt.begun_at.get_or_insert(at);
                        self.attempt.post_approval = Some(Box::new(approval.clone()));
                    }
                }
                self.attempt.stage = Stage::AwaitingApproval(*side);
            }
            Change::Approved { side, by } => {
                if let Some(approval) = self.attempt.asked_mut(*side) {
                    approval.given.push(by.clone());
                }
            }
            Change::Refused { side, by } => {
                if let Some(approval) = self.attempt.asked_mut(*side) {
                    approval.refused = Some(by.clone());
                }
            }
            Change::ApprovalCompleted { side, plan_digest, not_before, skipped } => {
                if let Some(approval) = self.attempt.asked_mut(*side) {
                    approval.skipped.clone_from(skipped);
                }
                match side {
                    Side::Pre => (self.attempt.approved, self.attempt.not_before) = (Some(*plan_digest), *not_before),
                    Side::Post => self.attempt.accepted = true,
                }
                self.attempt.stage = Stage::Ready;
            }
            Change::Confirmed { phase } => {
                // Equal in what was approved; its token may be newer, and that is the one to apply with.
                if let Some(digest) = self.attempt.phases[*phase].plan.as_ref().map(|plan| plan.digest) {
                    self.take_plan(*phase, digest, at);
                }
                self.attempt.phase_mut(*phase).confirmed = true;
            }
            Change::FoundStale { phase } => {
                self.attempt.drifts += 1;
                let run = self.attempt.phase_mut(*phase);
                run.tries += run.work_tries();
                (run.confirmed, run.result) = (false, PhaseResult::Waiting);
                if self.attempt.doing().next().is_none() {
                    self.attempt.stage = Stage::Ready;
                }
            }
            Change::Phase { phase, change } => self.apply_to_phase(*phase, change, at),
            Change::Gates { of, change } => self.apply_to_gates(*of, change, at),
            Change::Failed { failure } => {
                self.attempt.failure = Some(failure.clone());
                self.attempt.stage = Stage::Ready;
            }
            Change::CancelRequested { cancel } => {
                self.attempt.cancel = Some(Box::new(cancel.clone()));
                if self.attempt.stage.ends_with_a_cancel() {
                    self.attempt.stage = Stage::Ready;
                }
            }
            Change::StopForced { stop } => self.attempt.stop = Some(Box::new(stop.clone())),
            Change::Finished { finish } => {
                self.attempt.stage = Stage::Finished(*finish);
                self.attempt.finished_at = Some(at);
            }
        }
    }

    /// The plan that the work in progress has just made becomes the phase's plan. What was confirmed beside it has aged.
    fn take_plan(&mut self, phase: usize, digest: Digest, at: Timestamp) {
        let (Stage::Planning(work) | Stage::Confirming { work, .. }) = &self.attempt.stage else { return };
        if let WorkState::Done(answer) = &work.state
            && let Answer::Planned(step) = answer.as_ref()
        {
            let plan = TargetPlan { digest, planned: step.planned.clone(), made_at: at };
            self.attempt.phase_mut(phase).plan = Some(Arc::new(plan));
        }
        self.attempt.stage = Stage::Ready;
    }

    fn apply_to_phase(&mut self, phase: usize, change: &PhaseChange, at: Timestamp) {
        match change {
            PhaseChange::Started { deadline } => {
                let doing = match &self.phase(phase).work {
                    PhaseWork::Manual { .. } => Doing::Person { deadline: *deadline },
                    PhaseWork::Plugin { .. } | PhaseWork::Apply { .. } | PhaseWork::Gates(_) => {
                        Doing::Work(Work::new(Step::Run(phase), at, *deadline))
                    }
                };
                self.start(phase, doing, at);
            }
            PhaseChange::Answered { intervention } => {
                self.attempt.phase_mut(phase).intervention = Some(Box::new(intervention.clone()));
            }
            PhaseChange::Succeeded => {
                let outputs = self.attempt.phases[phase].intervention.as_ref().map(|answer| answer.outputs());
                let answer = self.end(phase, PhaseResult::Succeeded, at);
                let run = self.attempt.phase_mut(phase);
                run.outputs = outputs.unwrap_or_default();
                if let Some(Answer::Progressed(progressed)) = answer {
                    (run.summary, run.outputs) = (progressed.summary, progressed.outputs);
                    run.artifacts = progressed.artifacts;
                }
            }
            PhaseChange::Failed { failure, fails_attempt } => {
                self.end(phase, PhaseResult::Failed(failure.clone()), at);
                if *fails_attempt {
                    let of = FailureOf::Phase(self.attempt.phases[phase].name.clone());
                    self.attempt.failure = Some(AttemptFailure { of, message: failure.message.clone() });
                }
            }
            PhaseChange::Canceled => drop(self.end(phase, PhaseResult::Canceled, at)),
            PhaseChange::Skipped => {
                self.attempt.phase_mut(phase).result = PhaseResult::Skipped;
                self.attempt.stage = Stage::Ready;
            }
            PhaseChange::CancelStarted { deadline } => {
                let run = self.attempt.phase_mut(phase);
                let PhaseResult::Running(Doing::Work(work)) = &mut run.result else { return };
                run.tries += work.tries;
                let cursor = std::mem::take(&mut work.cursor);
                *work = Work { cursor, ..Work::new(Step::Cancel(phase), at, *deadline) };
            }
            PhaseChange::UndoStarted { deadline } => {
                self.attempt.begun_at.get_or_insert(at);
                let work = Box::new(Work::new(Step::Undo(phase), at, *deadline));
                self.attempt.stage = Stage::Undoing { index: phase, work };
            }
            PhaseChange::UndoEnded { result } => {
                self.attempt.phase_mut(phase).undo = Some(result.clone());
                self.attempt.stage = Stage::Ready;
            }
        }
    }

    fn start(&mut self, phase: usize, doing: Doing, at: Timestamp) {
        let run = self.attempt.phase_mut(phase);
        run.result = PhaseResult::Running(doing);
        run.started_at.get_or_insert(at);
        self.attempt.begun_at.get_or_insert(at);
        self.attempt.stage = Stage::Running;
    }

    /// Ends a phase; what ran is counted, and its last answer handed back. The last of a group makes room for what follows.
    fn end(&mut self, phase: usize, result: PhaseResult, at: Timestamp) -> Option<Answer> {
        let run = self.attempt.phase_mut(phase);
        let before = std::mem::replace(&mut run.result, result);
        run.ended_at = Some(at);
        if self.attempt.doing().next().is_none() {
            self.attempt.stage = Stage::Ready;
        }
        let PhaseResult::Running(Doing::Work(work)) = before else { return None };
        self.attempt.phase_mut(phase).tries += work.tries;
        let WorkState::Done(answer) = work.state else { return None };
        Some(*answer)
    }

    fn apply_to_gates(&mut self, of: GatesOf, change: &GatesChange, at: Timestamp) {
        if let GatesChange::Started { deadline, first_round_at } = change {
            let set = self.gate_set(of).into_iter().flat_map(|set| &set.gates);
            let run = GateRun::new(set.map(|gate| gate.name.clone()), *deadline, *first_round_at);
            return self.start_gates(of, run, at);
        }
        let attempt = &mut self.attempt;
        if let (GatesChange::Ended { .. }, GatesOf::Pre | GatesOf::Post) = (change, of) {
            attempt.stage = Stage::Ready;
        }
        if let (GatesChange::Ended { end: GatesEnd::Failed { .. } }, GatesOf::Pre) = (change, of) {
            // Agreed to when they had passed, or before: what lapsed and failed since is another question.
            attempt.approved = None;
        }
        let Some(run) = attempt.gates_mut(of) else { return };
        match change {
            GatesChange::Started { .. } => {}
            GatesChange::RoundStarted { round, deadline } => {
                run.round = *round;
                for (index, gate) in run.gates.iter_mut().enumerate() {
                    gate.work = gate.ignored.is_none().then(|| Work::new(Step::Gate { of, index }, at, *deadline));
                }
            }
            GatesChange::Judged { gate, outcome } => run.gates[*gate].take(outcome),
            GatesChange::RoundEnded { green_since, next_round_at } => {
                (run.green_since, run.next_round_at) = (*green_since, *next_round_at);
                run.rounds_ended = run.round;
            }
            GatesChange::Ignored { gate, by } => {
                let gate = &mut run.gates[*gate];
                (gate.work, gate.ignored) = (None, Some(by.clone()));
            }
            GatesChange::Ended { end } => run.end = Some(end.clone()),
        }
    }

    fn start_gates(&mut self, of: GatesOf, run: GateRun, at: Timestamp) {
        match of {
            GatesOf::Pre => {
                (self.attempt.pre_gates, self.attempt.stage) = (Some(Box::new(run)), Stage::Gates(Side::Pre))
            }
            GatesOf::Post => {
                self.attempt.begun_at.get_or_insert(at);
                (self.attempt.post_gates, self.attempt.stage) = (Some(Box::new(run)), Stage::Gates(Side::Post));
            }
            GatesOf::Phase(phase) => self.start(phase, Doing::Gates(run), at),
        }
    }
}
