//! Why a deployment waits: everything that stands in its way, who can lift it, and until when it stands.

use crate::admission::{self, Obstacle};
use crate::approval;
use crate::definition::{ApprovalRule, PhaseWork, listed};
use crate::deployment::*;
use crate::environment::{Closed, Pause};
use crate::name::{DeploymentNumber, Name, Timestamp};
use crate::state::State;
use crate::work::{GatesOf, Work, WorkState};

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
        release: String,
    },
    Capacity {
        capacity: Capacity,
        most: u32,
    },
    Approval {
        open: Vec<ApprovalRule>,
        not: Vec<String>,
        deadline: Timestamp,
        is_post: bool,
    },
    Intervention {
        phase: Name,
        instructions: String,
        groups: Vec<String>,
        deadline: Timestamp,
    },
    Gates {
        not_green: Vec<String>,
        next_round_at: Timestamp,
        deadline: Timestamp,
    },
    /// Somebody outside holds a lock, or a plugin has failed and is asked again.
    AskedAgain {
        step: Name,
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
            let release = deployment.release.tag.to_string();
            blockers.push(Blocker::Held { hold: hold.clone(), release });
            blockers.extend(obstacles(state, deployment, now));
        }
        Stage::AwaitingCapacity(capacity) => {
            let limits = &state.definition.limits;
            let most = match capacity {
                Capacity::Workers => limits.workers,
                Capacity::Running => limits.running,
            };
            blockers.push(Blocker::Capacity { capacity: *capacity, most: most.unwrap_or_default() });
        }
        Stage::AwaitingOpening { .. } => {
            blockers.extend(admission::door(state, deployment, now).into_iter().map(blocker));
        }
        Stage::AwaitingApproval(side) => {
            blockers.extend(gates(deployment, (*side).into()));
            blockers.extend(deployment.attempt.asked(*side).map(|asked| Blocker::Approval {
                open: approval::open(&asked.policy, &asked.given),
                not: approval::excluded(deployment, asked).into_iter().map(str::to_owned).collect(),
                deadline: asked.deadline,
                is_post: *side == crate::work::Side::Post,
            }));
        }
        Stage::Gates(side) => blockers.extend(gates(deployment, (*side).into())),
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
    blockers.extend(deployment.works().into_iter().filter_map(|work| asked_again(deployment, work)));
    blockers
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

fn gates(deployment: &Deployment, of: GatesOf) -> Option<Blocker> {
    let run = deployment.attempt.gates(of).filter(|run| !matches!(run.end, Some(GatesEnd::Passed { .. })))?;
    let unknown = |gate: &GateState| gate.last.is_none().then(|| format!("{}: not sampled yet", gate.name));
    let not_green = run.gates.iter().filter_map(|gate| gate.why_not().or_else(|| unknown(gate))).collect();
    Some(Blocker::Gates { not_green, next_round_at: run.next_round_at, deadline: run.deadline })
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

fn asked_again(deployment: &Deployment, work: &Work) -> Option<Blocker> {
    let WorkState::Waiting { until } = work.state else { return None };
    let because = work.stumbled.clone()?;
    Some(Blocker::AskedAgain { step: deployment.step_name(work.step).clone(), because, at: until })
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

    /// To be read after "waits for".
    pub fn message(&self) -> String {
        match self {
            Self::Paused { project, pause } => {
                let what = if *project { "project" } else { "environment" };
                format!("the end of the {what}'s pause, by {}{}", pause.by.person, after_colon(&pause.reason))
            }
            Self::Closed(closed) => format!("the environment to open: {}", closed.because.join("; ")),
            Self::Running(numbers) => format!("the end of deployment {}, under way here", listed(numbers)),
            Self::Before(numbers) => format!("deployment {}, which is before it", listed(numbers)),
            Self::SideBySide { most } => format!("one of the {most} that go on side by side here to end"),
            Self::Held { hold, release } => match &hold.because {
                HoldReason::Scheduled => "its time: it was triggered for later".to_owned(),
                HoldReason::Deferred => "its time: it was approved for later".to_owned(),
                HoldReason::Requires { environment } => {
                    format!("release `{release}` to have been live and healthy in `{environment}` for long enough")
                }
            },
            Self::Capacity { capacity: Capacity::Workers, most } => {
                format!("a free plugin worker: all {most} of the project are busy")
            }
            Self::Capacity { capacity: Capacity::Running, most } => {
                format!("another deployment of the project to end: {most} work already, and no more may")
            }
            Self::Approval { open, is_post, .. } => {
                let when = if *is_post { " after the phases" } else { "" };
                format!("approval{when}: {}", asked_for(open))
            }
            Self::Intervention { phase, instructions, .. } => {
                format!("a person, in phase `{phase}`{}", after_colon(instructions))
            }
            Self::Gates { not_green, .. } if not_green.is_empty() => "its gates to stay green for longer".to_owned(),
            Self::Gates { not_green, .. } => format!("its gates to be green: {}", not_green.join("; ")),
            Self::AskedAgain { step, because, .. } => format!("`{step}` to be asked again: {because}"),
        }
    }

    /// Who can lift it, and how.
    pub fn lifted_by(&self) -> String {
        match self {
            Self::Paused { .. } => "anyone who may deploy: `lockgate resume`".to_owned(),
            Self::Closed(_) => "time; or an administrator, with a reason: `lockgate deployment break-glass`".to_owned(),
            Self::Running(_) | Self::Before(_) => "time; or whoever cancels those deployments".to_owned(),
            Self::SideBySide { .. } => "time; or whoever writes the project file: `parallel.most`".to_owned(),
            Self::Held { hold, .. } => match &hold.because {
                HoldReason::Scheduled | HoldReason::Deferred => "time; or whoever cancels and deploys again".to_owned(),
                HoldReason::Requires { environment } => {
                    format!("whoever deploys the release to `{environment}`; then time")
                }
            },
            Self::Capacity { .. } => "time; or whoever writes the project file: `limits`".to_owned(),
            Self::Approval { not, .. } if not.is_empty() => {
                "those who are asked: `lockgate deployment approve`".to_owned()
            }
            Self::Approval { not, .. } => {
                format!("those who are asked: `lockgate deployment approve`; not {}", listed(not))
            }
            Self::Intervention { groups, .. } if groups.is_empty() => {
                "anyone: `lockgate deployment approve` or `reject`".to_owned()
            }
            Self::Intervention { groups, .. } => {
                format!("members of {}: `lockgate deployment approve` or `reject`", listed(groups))
            }
            Self::Gates { .. } => {
                "what the gates measure; or an administrator, with a reason: `lockgate gate ignore`".to_owned()
            }
            Self::AskedAgain { .. } => "whoever holds or repairs what it needs; it is asked again by itself".to_owned(),
        }
    }

    /// When it ends by itself, as far as that is known.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Closed(closed) => closed.until,
            Self::Held { hold, .. } => hold.until,
            Self::AskedAgain { at, .. } => Some(*at),
            Self::Paused { .. }
            | Self::Running(_)
            | Self::Before(_)
            | Self::SideBySide { .. }
            | Self::Capacity { .. }
            | Self::Approval { .. }
            | Self::Intervention { .. }
            | Self::Gates { .. } => None,
        }
    }

    /// Until when it must have been lifted, or the deployment fails.
    pub fn deadline(&self) -> Option<Timestamp> {
        match self {
            Self::Approval { deadline, .. } | Self::Intervention { deadline, .. } | Self::Gates { deadline, .. } => {
                Some(*deadline)
            }
            Self::Paused { .. }
            | Self::Closed(_)
            | Self::Running(_)
            | Self::Before(_)
            | Self::SideBySide { .. }
            | Self::Held { .. }
            | Self::Capacity { .. }
            | Self::AskedAgain { .. } => None,
        }
    }
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

fn asked_for(open: &[ApprovalRule]) -> String {
    let rule = |rule: &ApprovalRule| match rule.groups.is_empty() {
        true => format!("{} more", rule.count),
        false => format!("{} more of {}", rule.count, listed(&rule.groups)),
    };
    let rules: Vec<String> = open.iter().map(rule).collect();
    rules.join(" and ")
}
