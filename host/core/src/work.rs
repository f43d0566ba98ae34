//! A piece of work a plugin does for a deployment: one or more calls, retried and resumed.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::name::{DeploymentNumber, Name, Timestamp};
use crate::plugin::{Failure, PlanStep, Progressed, ResourceState, Retry, Verdict};

/// What a call is for. Phases are named by their place in the workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// How the resources of the phase's target are, before it is planned.
    Observe(usize),
    /// Plan of the target that the phase applies.
    Plan(usize),
    /// The same plan again, just before the phase's apply.
    Confirm(usize),
    /// The phase itself: its plugin's `advance`, or its target's `apply`.
    Run(usize),
    /// The phase's plugin stops what it started outside.
    Cancel(usize),
    Undo(usize),
    /// A gate, by its place in its set.
    Gate {
        of: GatesOf,
        index: usize,
    },
}

/// Before or after the phases: when people are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Pre,
    Post,
}

/// Whose gates: the environment's, before or after the phases, or those of a phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GatesOf {
    Pre,
    Post,
    Phase(usize),
}

impl Step {
    fn label(self) -> &'static str {
        match self {
            Step::Observe(_) => "observe",
            Step::Plan(_) => "plan",
            Step::Confirm(_) => "confirm",
            Step::Run(_) => "run",
            Step::Cancel(_) => "cancel",
            Step::Undo(_) => "undo",
            Step::Gate { .. } => "gate",
        }
    }
}

/// Names one call. Numbers count the calls of an attempt, so a late or repeated report never fits another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallRef {
    pub deployment: DeploymentNumber,
    pub attempt: u32,
    pub call: u32,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Progressed(Progressed),
    Planned(PlanStep),
    Observed(Vec<ResourceState>),
    /// A gate that is done measuring also has its judge's verdict.
    Sampled {
        #[serde(with = "crate::bytes")]
        memo: Vec<u8>,
        poll_after_ms: u32,
        verdict: Option<Verdict>,
    },
    Failed(Failure),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Work {
    pub step: Step,
    /// Of this try.
    pub started_at: Timestamp,
    pub deadline: Timestamp,
    /// From 1.
    pub tries: u32,
    /// Started in this try.
    pub calls: u32,
    /// Given back to the plugin: where it left off, or a gate's memo.
    #[serde(with = "crate::bytes")]
    pub cursor: Vec<u8>,
    /// The call whose number the idempotency key is made of: the first one that asked for what the cursor says.
    /// `None` until that call starts.
    pub key_call: Option<u32>,
    /// Why it is asked again, while it waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stumbled: Option<String>,
    pub state: WorkState,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkState {
    /// The next call starts as soon as it may.
    Ready,
    /// Started and not answered: must be running, also after a restart.
    Calling {
        call: u32,
    },
    /// Polling, backing off, or waiting for someone else's lock.
    Waiting {
        until: Timestamp,
    },
    Done(Box<Answer>),
    Failed(Failure),
}

/// Whoever waits for something, and has come no further, is not asked again at once.
const LEAST_POLL_MS: u32 = 250;

impl Work {
    pub fn new(step: Step, now: Timestamp, deadline: Timestamp) -> Self {
        Self {
            step,
            started_at: now,
            deadline,
            tries: 1,
            calls: 0,
            cursor: Vec::new(),
            key_call: None,
            stumbled: None,
            state: WorkState::Ready,
        }
    }

    pub fn call(&self) -> Option<u32> {
        match self.state {
            WorkState::Calling { call } => Some(call),
            WorkState::Ready | WorkState::Waiting { .. } | WorkState::Done(_) | WorkState::Failed(_) => None,
        }
    }

    /// When this work needs a look although nobody reports.
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self.state {
            WorkState::Calling { .. } => Some(self.deadline),
            WorkState::Waiting { until } => Some(until.min(self.deadline)),
            WorkState::Ready | WorkState::Done(_) | WorkState::Failed(_) => None,
        }
    }

    pub(crate) fn start(&mut self, call: u32) {
        self.key_call.get_or_insert(call);
        self.calls += 1;
        self.stumbled = None;
        self.state = WorkState::Calling { call };
    }

    /// Takes in an answer. A failure keeps the key: whoever asks again asks for the same work.
    pub(crate) fn answer(&mut self, answer: &Answer, at: Timestamp) {
        let (done, cursor, poll_after_ms) = match answer {
            Answer::Failed(failure) => {
                self.state = WorkState::Failed(failure.clone());
                return;
            }
            Answer::Progressed(progressed) => (progressed.done, &progressed.cursor, progressed.poll_after_ms),
            Answer::Planned(step) => (step.done, &step.cursor, step.poll_after_ms),
            Answer::Observed(_) => {
                self.state = WorkState::Done(Box::new(answer.clone()));
                return;
            }
            Answer::Sampled { memo, poll_after_ms, verdict } => (verdict.is_some(), memo, *poll_after_ms),
        };
        let standing_still = self.cursor == *cursor;
        self.cursor.clone_from(cursor);
        self.key_call = None;
        let poll_after_ms = if standing_still { poll_after_ms.max(LEAST_POLL_MS) } else { poll_after_ms };
        self.state = match (done, poll_after_ms) {
            (true, _) => WorkState::Done(Box::new(answer.clone())),
            (false, 0) => WorkState::Ready,
            (false, wait) => WorkState::Waiting { until: at.plus_ms(wait.into()) },
        };
    }

    pub(crate) fn retry(&mut self, until: Timestamp, deadline: Timestamp, counted: bool, because: &str) {
        self.stumbled = Some(because.to_owned());
        if counted {
            self.tries += 1;
            self.calls = 0;
            self.started_at = until;
        }
        self.deadline = deadline;
        self.state = WorkState::Waiting { until };
    }
}

/// The one rule for keys: the same work, the same key, whoever asks and however often. Neither host nor time is in it.
pub fn idempotency_key(project: &ProjectId, call: CallRef, step: Step, phase: &Name, key_call: u32) -> String {
    let parts = [
        project.uid.as_bytes(),
        &call.deployment.to_le_bytes(),
        &call.attempt.to_le_bytes(),
        step.label().as_bytes(),
        phase.as_str().as_bytes(),
        &key_call.to_le_bytes(),
    ];
    Digest::of_parts(parts).hex()
}

/// A project by name, and by the random id it got when it was made: a project that is made again
/// under an old name must not repeat the keys of the old one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectId {
    pub name: Name,
    pub uid: String,
}

pub fn may_repeat(failure: &Failure) -> bool {
    match failure.retry {
        Retry::SameKey => true,
        Retry::Never => false,
    }
}
