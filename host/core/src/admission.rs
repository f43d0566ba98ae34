//! Who may start: the order of the queue, what keeps deployments apart, and what keeps an environment shut.
//!
//! The scheduler starts whoever nothing stands in the way of, and `explain` shows what stands there: one answer for both.

use std::borrow::Cow;

use crate::calendar::{self, Freeze, FreezeEffect, Opening, opening};
use crate::definition::{Environment, QueuePolicy};
use crate::deployment::{Deployment, DeploymentType};
use crate::environment::{Closed, EnvironmentState, Pause};
use crate::name::{DeploymentNumber, Name, Timestamp};
use crate::selection::WriteSet;
use crate::state::State;
use crate::work::Side;

const NOBODY_TO_ASK: &str = "it asks for more approvals, and approvals are off here";

/// How far from the head of the queue somebody may start beside those before.
pub const LOOK_AHEAD: usize = 32;

/// What stands in a waiting deployment's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Of the project, or of the environment alone.
    Paused { project: bool, pause: Pause },
    /// Availability, or a freeze.
    Closed(Closed),
    /// They have slots, and change what it changes.
    Running(Vec<DeploymentNumber>),
    /// They wait before it, and change what it changes; of many, the first ones.
    Before(Vec<DeploymentNumber>),
    /// So many may go on side by side.
    SideBySide { most: u32 },
}

/// Whether anything may start in an environment.
pub struct Door {
    project_pause: Option<Pause>,
    pause: Option<Pause>,
    pub closed: Option<Closed>,
}

impl Door {
    pub fn of(state: &State, name: &Name, now: Timestamp) -> Self {
        Self {
            project_pause: state.pause.clone(),
            pause: state.environments.get(name).and_then(|there| there.pause.clone()),
            closed: state.definition.environments.get(name).and_then(|meant| closed(state, name, meant, now)),
        }
    }

    /// A rollback goes through a pause, and through a freeze where its release was healthy here before. So does, through a
    /// freeze alone, whatever somebody has broken the glass for.
    fn obstacles(&self, there: &EnvironmentState, deployment: &Deployment) -> Vec<Obstacle> {
        let goes_back = deployment.deployment_type == DeploymentType::Rollback;
        let pauses = [(true, &self.project_pause), (false, &self.pause)];
        let paused = pauses.into_iter().filter_map(|(project, pause)| Some((project, pause.clone()?)));
        let paused = paused.map(|(project, pause)| Obstacle::Paused { project, pause }).filter(|_| !goes_back);
        let is_proven = goes_back && there.is_proven(&deployment.release.tag);
        let closed = self.closed.clone().filter(|_| !is_proven && deployment.break_glass.is_none());
        paused.chain(closed.map(Obstacle::Closed)).collect()
    }
}

fn closed(state: &State, name: &Name, environment: &Environment, now: Timestamp) -> Option<Closed> {
    let freezes = state.definition.freezes.iter().filter(|freeze| freeze.concerns(name));
    let freezes: Vec<Cow<'_, Freeze>> = match state.definition.asks_nobody(environment) {
        true => freezes.map(|freeze| Cow::Owned(where_nobody_is_asked(freeze))).collect(),
        false => freezes.map(Cow::Borrowed).collect(),
    };
    match opening(now, &environment.availability, freezes.iter().map(AsRef::as_ref)) {
        Opening::Open { .. } => None,
        Opening::Closed { until, because } => Some(Closed { until, because: because.iter().map(in_words).collect() }),
    }
}

/// Where approvals are off, a freeze that asks for more of them has nobody to ask: it lets nothing through.
fn where_nobody_is_asked(freeze: &Freeze) -> Freeze {
    let reason = match freeze.effect {
        FreezeEffect::Deny => freeze.reason.clone(),
        FreezeEffect::Stricter { .. } if freeze.reason.is_empty() => NOBODY_TO_ASK.to_owned(),
        FreezeEffect::Stricter { .. } => format!("{} ({NOBODY_TO_ASK})", freeze.reason),
    };
    Freeze { effect: FreezeEffect::Deny, reason, ..freeze.clone() }
}

fn in_words(closed: &calendar::Closed) -> String {
    match closed {
        calendar::Closed::OutsideWindows { .. } => "outside the hours in which deployments may start".to_owned(),
        calendar::Closed::Frozen { freeze, reason, .. } if reason.is_empty() => format!("freeze `{freeze}`"),
        calendar::Closed::Frozen { freeze, reason, .. } => format!("freeze `{freeze}`: {reason}"),
    }
}

/// The first that nothing stands in the way of.
pub fn to_start(state: &State, name: &Name, now: Timestamp) -> Option<DeploymentNumber> {
    let there = state.environments.get(name).filter(|there| !there.queue.is_empty())?;
    if somebody_goes_alone(state, there) {
        return None;
    }
    let door = Door::of(state, name, now);
    let mut before = Vec::new();
    for number in there.queue.iter().take(LOOK_AHEAD) {
        let deployment = state.deployments.get(number)?;
        // Whoever the door stops holds up nobody whom it does not.
        if !door.obstacles(there, deployment).is_empty() {
            continue;
        }
        if beside(state, there, deployment, &before).is_empty() {
            return Some(*number);
        }
        before.push(deployment.as_ref());
    }
    None
}

/// The pauses, freezes and office hours that keep it from beginning, as they are by now.
pub fn door(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<Obstacle> {
    let Some(there) = state.environments.get(&deployment.environment) else { return Vec::new() };
    Door::of(state, &deployment.environment, now).obstacles(there, deployment)
}

pub fn is_shut(state: &State, deployment: &Deployment, now: Timestamp) -> bool {
    !door(state, deployment, now).is_empty()
}

/// Everything that stands in the way of a deployment that is in the queue.
pub fn obstacles(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<Obstacle> {
    let Some(there) = state.environments.get(&deployment.environment) else { return Vec::new() };
    let door = Door::of(state, &deployment.environment, now);
    let place = there.queue.index_of(deployment.number).unwrap_or(0);
    let ahead = there.queue.iter().take(place.min(LOOK_AHEAD)).filter_map(|number| state.deployments.get(number));
    let before: Vec<&Deployment> = ahead
        .map(|deployment| deployment.as_ref())
        .filter(|ahead| door.obstacles(there, ahead).is_empty() || !door.obstacles(there, deployment).is_empty())
        .collect();
    let mut obstacles = door.obstacles(there, deployment);
    obstacles.extend(beside(state, there, deployment, &before));
    if obstacles.is_empty() && place >= LOOK_AHEAD {
        obstacles.push(Obstacle::Before(there.queue.iter().take(LOOK_AHEAD).copied().collect()));
    }
    obstacles
}

/// What others are in its way: those that have slots, and those before it.
fn beside(state: &State, there: &EnvironmentState, deployment: &Deployment, before: &[&Deployment]) -> Vec<Obstacle> {
    let running: Vec<&Deployment> =
        there.slots.iter().filter_map(|number| state.deployments.get(number)).map(AsRef::as_ref).collect();
    let writes = deployment.write_set();
    let most = side_by_side(state, deployment);
    let in_the_way = |others: &[&Deployment]| -> Vec<DeploymentNumber> {
        let apart = |other: &&&Deployment| {
            most.is_none() || side_by_side(state, other).is_none() || writes.overlaps(&other.write_set())
        };
        others.iter().filter(apart).map(|other| other.number).collect()
    };
    let mut obstacles = Vec::new();
    let (holders, earlier) = (in_the_way(&running), in_the_way(before));
    let full = most.filter(|most| holders.is_empty() && running.len() >= *most as usize);
    if !holders.is_empty() {
        obstacles.push(Obstacle::Running(holders));
    }
    if !earlier.is_empty() {
        obstacles.push(Obstacle::Before(earlier));
    }
    obstacles.extend(full.map(|most| Obstacle::SideBySide { most }));
    obstacles
}

/// Where one that has a slot goes alone, nobody may start beside it: then the queue need not be looked at, however long it is.
fn somebody_goes_alone(state: &State, there: &EnvironmentState) -> bool {
    let mut running = there.slots.iter().filter_map(|number| state.deployments.get(number));
    running.any(|deployment| side_by_side(state, deployment).is_none())
}

/// How many may go on beside each other where it is one of them; `None`: it goes alone.
fn side_by_side(state: &State, deployment: &Deployment) -> Option<u32> {
    if deployment.write_set() == WriteSet::Everything {
        return None;
    }
    let policy = state.definition.environments.get(&deployment.environment).map(|meant| meant.queue);
    match policy.unwrap_or_default() {
        QueuePolicy::Unlimited => Some(u32::MAX),
        QueuePolicy::Sequence | QueuePolicy::Latest => {
            let parallel = &state.definition.parallel;
            let asks = [Side::Pre, Side::Post].iter().any(|side| deployment.approval_policy(*side).is_some());
            (parallel.enabled && (parallel.with_approvals || !asks)).then_some(parallel.most)
        }
    }
}
