//! What happens to a deployment: the events of its life, as they stand in the journal forever, and how each alters
//! its facts. Nothing is decided here.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::definition::Environment;
use crate::deployment::*;
use crate::digest::Digest;
use crate::name::{Actor, Name, Timestamp};
use crate::plugin::Failure;
use crate::work::{Answer, Side, Step, Work, WorkState};

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
    },
    /// It is its turn: the environment's slot is its own until it finishes.
    SlotTaken,
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
        side: Side,
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
    Started { deadline: Timestamp, first_round_at: Timestamp },
    RoundStarted { round: u32, deadline: Timestamp },
    Judged { gate: usize, outcome: GateOutcome },
    RoundEnded { green_since: Option<Timestamp>, next_round_at: Timestamp },
    Passed,
    Failed { reason: String },
}

/// What a change means for all that stands around its deployment: the queue, the slot, the logs. Most mean nothing there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    AttemptQueued { attempt: u32, from_the_start: bool },
    SlotTaken,
    PhaseEnded { phase: usize },
    Finished(Finish),
}

impl Change {
    pub fn milestone(&self) -> Option<Milestone> {
        match self {
            Self::AttemptQueued { attempt, resume_at, .. } => {
                Some(Milestone::AttemptQueued { attempt: *attempt, from_the_start: resume_at.is_none() })
            }
            Self::SlotTaken => Some(Milestone::SlotTaken),
            Self::Phase { phase, change } => match change {
                PhaseChange::Succeeded | PhaseChange::Failed { .. } | PhaseChange::Canceled => {
                    Some(Milestone::PhaseEnded { phase: *phase })
                }
                PhaseChange::Started { .. }
                | PhaseChange::Skipped
                | PhaseChange::CancelStarted { .. }
                | PhaseChange::UndoStarted { .. }
                | PhaseChange::UndoEnded { .. } => None,
            },
            Self::Finished { finish } => Some(Milestone::Finished(*finish)),
            Self::Overtaken { .. }
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
            Change::Overtaken { phase }
            | Change::PlanStarted { phase, .. }
            | Change::TargetPlanned { phase, .. }
            | Change::ConfirmStarted { phase, .. }
            | Change::Confirmed { phase }
            | Change::Drifted { phase, .. }
            | Change::FoundStale { phase }
            | Change::Phase { phase, .. } => *phase < phases,
            Change::Gates { change: GatesChange::Judged { gate, .. }, .. } => {
                self.attempt.gates.as_ref().is_some_and(|run| *gate < run.gates.len())
            }
            Change::Gates { .. }
            | Change::SlotTaken
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

    pub(crate) fn apply(&mut self, change: &Change, at: Timestamp) {
        match change {
            Change::AttemptQueued { attempt, resume_at, by, environment, gate_plugins } => {
                let next = Attempt::new(*attempt, at, by.clone(), environment.clone(), self.workflow());
                let next = Attempt { gate_plugins: gate_plugins.clone(), ..next };
                let last = std::mem::replace(&mut self.attempt, next);
                if let Some(resume_at) = *resume_at {
                    let again = last.phases[resume_at..].iter().map(PhaseRun::again);
                    self.attempt.phases = last.phases[..resume_at].iter().cloned().chain(again).collect();
                    self.attempt.approval.clone_from(&last.approval);
                    self.attempt.replaced.clone_from(&last.replaced);
                }
                self.earlier.extend(last.summary());
                let too_many = self.earlier.len().saturating_sub(REMEMBERED_ATTEMPTS);
                self.earlier.drain(..too_many);
            }
            Change::SlotTaken => self.attempt.stage = Stage::Ready,
            Change::Overtaken { phase } => {
                self.attempt.phases[*phase..].iter_mut().for_each(|run| *run = PhaseRun::new(run.name.clone()));
            }
            Change::PlanStarted { phase, deadline } => {
                self.attempt.stage = Stage::Planning(Work::new(Step::Plan(*phase), at, *deadline));
            }
            Change::ConfirmStarted { phase, deadline } => {
                let work = Work::new(Step::Confirm(*phase), at, *deadline);
                self.attempt.stage = Stage::Confirming { index: *phase, work };
            }
            Change::TargetPlanned { phase, digest } => self.take_plan(*phase, *digest, at),
            Change::Drifted { phase, digest, difference } => {
                self.attempt.drifts += 1;
                self.attempt.last_difference.clone_from(difference);
                self.take_plan(*phase, *digest, at);
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
            Change::RetryPlanned { step, until, deadline, counted, .. } => {
                if let Some(work) = self.work_mut(*step) {
                    work.retry(*until, *deadline, *counted);
                }
            }
            Change::ApprovalRequested { approval, .. } => {
                self.attempt.approval = Some(approval.clone());
                self.attempt.stage = Stage::AwaitingApproval;
            }
            Change::Approved { by, .. } => {
                if let Some(approval) = &mut self.attempt.approval {
                    approval.given.push(by.clone());
                }
            }
            Change::Refused { by, .. } => {
                if let Some(approval) = &mut self.attempt.approval {
                    approval.refused = Some(by.clone());
                }
            }
            Change::ApprovalCompleted { plan_digest, .. } => {
                self.attempt.approved = Some(*plan_digest);
                self.attempt.stage = Stage::Ready;
            }
            Change::Confirmed { phase } => {
                // Equal in what was approved; its token may be newer, and that is the one to apply with.
                if let Some(digest) = self.attempt.phases[*phase].plan.as_ref().map(|plan| plan.digest) {
                    self.take_plan(*phase, digest, at);
                }
                self.attempt.phases[*phase].confirmed = true;
            }
            Change::FoundStale { phase } => {
                self.attempt.drifts += 1;
                let run = &mut self.attempt.phases[*phase];
                (run.confirmed, run.result) = (false, PhaseResult::Waiting);
                self.attempt.stage = Stage::Ready;
            }
            Change::Phase { phase, change } => self.apply_to_phase(*phase, change, at),
            Change::Gates { side, change } => self.apply_to_gates(*side, change, at),
            Change::Failed { failure } => {
                self.attempt.failure = Some(failure.clone());
                self.attempt.stage = Stage::Ready;
            }
            Change::CancelRequested { cancel } => {
                self.attempt.cancel = Some(cancel.clone());
                if self.attempt.stage.ends_with_a_cancel() {
                    self.attempt.stage = Stage::Ready;
                }
            }
            Change::StopForced { stop } => self.attempt.stop = Some(stop.clone()),
            Change::Finished { finish } => {
                self.attempt.stage = Stage::Finished(*finish);
                self.attempt.finished_at = Some(at);
            }
        }
    }

    /// The plan that the work in progress has just made becomes the phase's plan.
    fn take_plan(&mut self, phase: usize, digest: Digest, at: Timestamp) {
        let work = match &self.attempt.stage {
            Stage::Planning(work) | Stage::Confirming { work, .. } => work,
            Stage::Queued
            | Stage::Ready
            | Stage::AwaitingApproval
            | Stage::Running { .. }
            | Stage::Undoing { .. }
            | Stage::Gates
            | Stage::Finished(_) => return,
        };
        if let WorkState::Done(answer) = &work.state
            && let Answer::Planned(step) = answer.as_ref()
        {
            let plan = TargetPlan { digest, planned: step.planned.clone(), made_at: at };
            self.attempt.phases[phase].plan = Some(Arc::new(plan));
        }
        self.attempt.stage = Stage::Ready;
    }

    fn apply_to_phase(&mut self, phase: usize, change: &PhaseChange, at: Timestamp) {
        match change {
            PhaseChange::Started { deadline } => {
                let run = &mut self.attempt.phases[phase];
                run.result = PhaseResult::Running;
                run.started_at.get_or_insert(at);
                self.attempt.begun = true;
                let work = Work::new(Step::Run(phase), at, *deadline);
                self.attempt.stage = Stage::Running { index: phase, work };
            }
            PhaseChange::Succeeded => {
                let answer = self.finish_work(phase);
                let run = &mut self.attempt.phases[phase];
                if let Some(Answer::Progressed(progressed)) = answer {
                    run.summary = progressed.summary;
                    run.outputs = progressed.outputs;
                }
                run.end(PhaseResult::Succeeded, at);
            }
            PhaseChange::Failed { failure, fails_attempt } => {
                self.finish_work(phase);
                let run = &mut self.attempt.phases[phase];
                run.end(PhaseResult::Failed(failure.clone()), at);
                if *fails_attempt {
                    let of = FailureOf::Phase(run.name.clone());
                    self.attempt.failure = Some(AttemptFailure { of, message: failure.message.clone() });
                }
            }
            PhaseChange::Canceled => {
                self.finish_work(phase);
                self.attempt.phases[phase].end(PhaseResult::Canceled, at);
            }
            PhaseChange::Skipped => {
                self.attempt.phases[phase].result = PhaseResult::Skipped;
                self.attempt.stage = Stage::Ready;
            }
            PhaseChange::CancelStarted { deadline } => {
                let cursor = self.works().first().map(|work| work.cursor.clone()).unwrap_or_default();
                let work = Work { cursor, ..Work::new(Step::Cancel(phase), at, *deadline) };
                self.attempt.stage = Stage::Running { index: phase, work };
            }
            PhaseChange::UndoStarted { deadline } => {
                self.attempt.begun = true;
                let work = Work::new(Step::Undo(phase), at, *deadline);
                self.attempt.stage = Stage::Undoing { index: phase, work };
            }
            PhaseChange::UndoEnded { result } => {
                self.attempt.phases[phase].undo = Some(result.clone());
                self.attempt.stage = Stage::Ready;
            }
        }
    }

    /// Ends the running work of a phase: its tries are counted on the phase, its last answer handed back.
    fn finish_work(&mut self, phase: usize) -> Option<Answer> {
        let stage = std::mem::replace(&mut self.attempt.stage, Stage::Ready);
        let Stage::Running { work, .. } = stage else { return None };
        self.attempt.phases[phase].tries += work.tries;
        match work.state {
            WorkState::Done(answer) => Some(*answer),
            WorkState::Ready | WorkState::Calling { .. } | WorkState::Waiting { .. } | WorkState::Failed(_) => None,
        }
    }

    fn apply_to_gates(&mut self, side: Side, change: &GatesChange, at: Timestamp) {
        match change {
            GatesChange::Started { deadline, first_round_at } => {
                let set = self.gate_set(side).into_iter().flat_map(|set| &set.gates);
                let gates = set.map(|gate| GateState { name: gate.name.clone(), work: None, last: None }).collect();
                self.attempt.gates = Some(GateRun {
                    side,
                    deadline: *deadline,
                    round: 0,
                    rounds_ended: 0,
                    next_round_at: *first_round_at,
                    green_since: None,
                    gates,
                });
                self.attempt.begun = true;
                self.attempt.stage = Stage::Gates;
            }
            GatesChange::RoundStarted { round, deadline } => {
                let Some(run) = &mut self.attempt.gates else { return };
                run.round = *round;
                for (index, gate) in run.gates.iter_mut().enumerate() {
                    gate.work = Some(Work::new(Step::Gate { side, index }, at, *deadline));
                }
            }
            GatesChange::Judged { gate, outcome } => {
                let Some(run) = &mut self.attempt.gates else { return };
                let gate = &mut run.gates[*gate];
                (gate.work, gate.last) = (None, Some(outcome.clone()));
            }
            GatesChange::RoundEnded { green_since, next_round_at } => {
                let Some(run) = &mut self.attempt.gates else { return };
                (run.green_since, run.next_round_at) = (*green_since, *next_round_at);
                run.rounds_ended = run.round;
            }
            GatesChange::Passed => {
                self.attempt.gates_passed = true;
                self.attempt.stage = Stage::Ready;
            }
            GatesChange::Failed { reason } => {
                self.attempt.failure = Some(AttemptFailure { of: FailureOf::Gates, message: reason.clone() });
                self.attempt.stage = Stage::Ready;
            }
        }
    }
}
