//! Why a deployment waits: everything that stands in its way, and until when it stands. Values only: whoever shows them
//! finds the words.

use std::iter;

use crate::admission::{self, Obstacle};
use crate::approval;
use crate::definition::{ApprovalRule, PhaseWork, Reaction};
use crate::deployment::*;
use crate::environment::{Closed, Pause};
use crate::name::{DeploymentNumber, Name, Tag, Timestamp};
use crate::state::State;
use crate::work::{GatesOf, Side, Step, Work, WorkState};

/// One thing that keeps a deployment from going on by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Blocker {
    Paused {
        project: bool,
        pause: Pause,
    },
    Closed(Closed),
    /// Others have slots of the environment, and change what it changes.
    Running(Vec<DeploymentNumber>),
    Before(Vec<DeploymentNumber>),
    SideBySide {
        most: u32,
    },
    Held {
        hold: Hold,
        release: Tag,
    },
    Capacity {
        capacity: Capacity,
        /// `None`: it was lifted since, and a place is given at once.
        most: Option<u32>,
    },
    Approval {
        side: Side,
        /// What is still asked for.
        open: Vec<ApprovalRule>,
        /// Who has approved.
        given: Vec<String>,
        /// Who may not answer, whatever their groups.
        not: Vec<String>,
        ends_at: Timestamp,
        /// What follows when it is not given by then.
        on_timeout: Reaction,
    },
    Intervention {
        phase: Name,
        instructions: String,
        groups: Vec<String>,
        deadline: Timestamp,
    },
    Gates {
        of: GatesOf,
        /// Why each is not; `None`: it was not sampled yet. Empty where all are green, and not for long enough.
        not_green: Vec<(Name, Option<String>)>,
        /// `None` in the middle of a round, and after the last.
        next_round_at: Option<Timestamp>,
        /// `None` after the last round: only people can still lift it.
        deadline: Option<Timestamp>,
    },
    /// Somebody outside holds a lock, or a plugin has failed and is asked again.
    AskedAgain {
        step: Step,
        because: String,
        at: Timestamp,
    },
}

/// Empty where nothing is in its way: it works, or it is over.
pub fn blockers(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<Blocker> {
    let mut blockers = Vec::new();
    match &deployment.attempt.stage {
        Stage::Finished(_) => return blockers,
        Stage::Queued => blockers.extend(obstacles(state, deployment, now)),
        Stage::Held(hold) => {
            // What it waits for after its time, too.
            let then = match hold.because {
                HoldReason::Scheduled | HoldReason::Deferred => state.missing_requirement(deployment, now),
                HoldReason::Requires { .. } => None,
            };
            let release = || deployment.release.tag.clone();
            let holds = iter::once(hold.clone()).chain(then);
            blockers.extend(holds.map(|hold| Blocker::Held { hold, release: release() }));
            blockers.extend(obstacles(state, deployment, now));
        }
        Stage::AwaitingCapacity(capacity) => {
            let limits = &state.definition.limits;
            let most = match capacity {
                Capacity::Workers => limits.workers,
                Capacity::Running => limits.running,
            };
            blockers.push(Blocker::Capacity { capacity: *capacity, most });
        }
        Stage::AwaitingApproval(side) => {
            blockers.extend(gates(deployment, (*side).into()));
            blockers.extend(deployment.attempt.asked(*side).map(|asked| approval(deployment, *side, asked)));
            blockers.extend(not_begun(state, deployment, now));
        }
        Stage::Gates(side) => {
            blockers.extend(gates(deployment, (*side).into()));
            blockers.extend(not_begun(state, deployment, now));
        }
        Stage::Running => {
            for (phase, doing) in deployment.attempt.doing() {
                blockers.extend(match doing {
                    Doing::Work(_) => None,
                    Doing::Gates(_) => gates(deployment, GatesOf::Phase(phase)),
                    Doing::Person { deadline } => intervention(deployment, phase, *deadline),
                });
            }
        }
        Stage::Ready | Stage::Observing(_) | Stage::Planning(_) | Stage::Confirming { .. } | Stage::Undoing { .. } => {}
    }
    blockers.extend(deployment.works().into_iter().filter_map(asked_again));
    blockers
}

/// What will stand in its way after what it waits for now.
fn not_begun(state: &State, deployment: &Deployment, now: Timestamp) -> impl Iterator<Item = Blocker> {
    let obstacles = if deployment.attempt.begun() { Vec::new() } else { admission::door(state, deployment, now) };
    obstacles.into_iter().map(blocker)
}

fn obstacles(state: &State, deployment: &Deployment, now: Timestamp) -> impl Iterator<Item = Blocker> {
    admission::obstacles(state, deployment, now).into_iter().map(blocker)
}

fn blocker(obstacle: Obstacle) -> Blocker {
    match obstacle {
        Obstacle::Paused { project, pause } => Blocker::Paused { project, pause },
        Obstacle::Closed(closed) => Blocker::Closed(closed),
        Obstacle::Running(numbers) => Blocker::Running(numbers),
        Obstacle::Before(numbers) => Blocker::Before(numbers),
        Obstacle::SideBySide { most } => Blocker::SideBySide { most },
    }
}

fn approval(deployment: &Deployment, side: Side, asked: &Approval) -> Blocker {
    Blocker::Approval {
        side,
        open: approval::open(&asked.policy, &asked.given),
        given: asked.given.iter().map(|signature| signature.by.person.clone()).collect(),
        not: approval::excluded(deployment, asked).into_iter().map(str::to_owned).collect(),
        ends_at: asked.deadline,
        on_timeout: asked.policy.on_timeout,
    }
}

fn gates(deployment: &Deployment, of: GatesOf) -> Option<Blocker> {
    let run = deployment.attempt.gates(of)?;
    let goes_on = match &run.end {
        Some(GatesEnd::Passed { .. }) => return None,
        Some(GatesEnd::Failed { .. }) => false,
        None => true,
    };
    let not_green = run.gates.iter().filter(|gate| !gate.passes());
    let why = |gate: &GateState| (gate.name.clone(), gate.last.as_ref().map(|last| last.reason.clone()));
    let not_green = not_green.map(why).collect();
    let in_a_round = run.gates.iter().any(|gate| gate.work.is_some());
    let next_round_at = (goes_on && !in_a_round).then_some(run.next_round_at);
    Some(Blocker::Gates { of, not_green, next_round_at, deadline: goes_on.then_some(run.deadline) })
}

fn intervention(deployment: &Deployment, phase: usize, deadline: Timestamp) -> Option<Blocker> {
    let meant = deployment.phase(phase);
    let PhaseWork::Manual { instructions, groups } = &meant.work else { return None };
    Some(Blocker::Intervention {
        phase: meant.name.clone(),
        instructions: instructions.clone(),
        groups: groups.iter().cloned().collect(),
        deadline,
    })
}

fn asked_again(work: &Work) -> Option<Blocker> {
    let WorkState::Waiting { until } = work.state else { return None };
    let because = work.stumbled.clone()?;
    Some(Blocker::AskedAgain { step: work.step, because, at: until })
}

impl Blocker {
    /// For programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Paused { project: true, .. } => "project-paused",
            Self::Paused { project: false, .. } => "environment-paused",
            Self::Closed(_) => "closed",
            Self::Running(_) => "slot-taken",
            Self::Before(_) => "waits-behind",
            Self::SideBySide { .. } => "parallel-limit",
            Self::Held { hold, .. } => match hold.because {
                HoldReason::Scheduled => "scheduled",
                HoldReason::Deferred => "deferred",
                HoldReason::Requires { .. } => "requires",
            },
            Self::Capacity { capacity: Capacity::Workers, .. } => "queued-for-agent",
            Self::Capacity { capacity: Capacity::Running, .. } => "queued-for-pipeline",
            Self::Approval { .. } => "approval",
            Self::Intervention { .. } => "manual-intervention",
            Self::Gates { .. } => "gates",
            Self::AskedAgain { .. } => "asked-again",
        }
    }

    /// When it ends by itself, as far as that is known.
    pub fn until(&self) -> Option<Timestamp> {
        self.times().until
    }

    /// Until when it must have been lifted, or the deployment fails.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.times().deadline
    }

    /// When it is looked at again, with no promise of what is found.
    pub fn next_look_at(&self) -> Option<Timestamp> {
        self.times().next_look_at
    }

    fn times(&self) -> Times {
        match self {
            Self::Closed(Closed { until, .. }) | Self::Held { hold: Hold { until, .. }, .. } => {
                Times { until: *until, ..Times::default() }
            }
            Self::Approval { ends_at, on_timeout: Reaction::Skip, .. } => {
                Times { until: Some(*ends_at), ..Times::default() }
            }
            Self::Approval { ends_at, on_timeout: Reaction::Reject | Reaction::Cancel, .. } => {
                Times { deadline: Some(*ends_at), ..Times::default() }
            }
            Self::Intervention { deadline, .. } => Times { deadline: Some(*deadline), ..Times::default() },
            Self::Gates { deadline, next_round_at, .. } => {
                Times { deadline: *deadline, next_look_at: *next_round_at, ..Times::default() }
            }
            Self::AskedAgain { at, .. } => Times { next_look_at: Some(*at), ..Times::default() },
            Self::Paused { .. }
            | Self::Running(_)
            | Self::Before(_)
            | Self::SideBySide { .. }
            | Self::Capacity { .. } => Times::default(),
        }
    }
}

#[derive(Default)]
struct Times {
    until: Option<Timestamp>,
    deadline: Option<Timestamp>,
    next_look_at: Option<Timestamp>,
}
