//! What a deployment waits for at the moment, in a sentence each. Everything in its way is in `explain`.

use lockgate_core::deployment::{Approval, Deployment, Doing, GateRun, Stage};
use lockgate_core::explain::{Blocker, blockers};
use lockgate_core::name::{DeploymentNumber, Timestamp};
use lockgate_core::state::State;
use lockgate_core::work::{Side, Work, WorkState};

use super::approvals;
use crate::clock::rfc3339;
use crate::driver::step_in_words;
use crate::wire;

pub struct QueuePlace {
    /// From 1.
    pub place: usize,
    /// The deployment just before.
    behind: Option<DeploymentNumber>,
}

impl QueuePlace {
    pub fn of(state: &State, deployment: &Deployment) -> Option<Self> {
        if !deployment.is_waiting() {
            return None;
        }
        let place = state.place(deployment)?;
        let there = state.environments.get(&deployment.environment)?;
        let behind = match place.checked_sub(2) {
            Some(before) => there.queue.get(before).copied(),
            None => there.slots.get_min().copied(),
        };
        Some(Self { place, behind })
    }
}

pub fn waiting_for(
    state: &State,
    deployment: &Deployment,
    place: Option<&QueuePlace>,
    now: Timestamp,
) -> Vec<wire::Blocker> {
    let in_the_way = || blockers(state, deployment, now).into_iter();
    match &deployment.attempt.stage {
        Stage::Queued => queued(deployment, in_the_way(), place),
        Stage::Held(_) | Stage::AwaitingCapacity(_) | Stage::AwaitingOpening { .. } => {
            in_the_way().map(explained).collect()
        }
        Stage::AwaitingApproval(side) => people(deployment, *side),
        Stage::Observing(_) | Stage::Planning(_) | Stage::Confirming { .. } | Stage::Undoing { .. } => {
            works(deployment)
        }
        Stage::Running => {
            let interventions = in_the_way().filter(|blocker| matches!(blocker, Blocker::Intervention { .. }));
            let works = works(deployment).into_iter();
            works.chain(rounds_of_phases(deployment)).chain(interventions.map(explained)).collect()
        }
        Stage::Gates(side) => gates(deployment, *side),
        Stage::Ready | Stage::Finished(_) => Vec::new(),
    }
}

pub fn explained(blocker: Blocker) -> wire::Blocker {
    wire::Blocker {
        reason: blocker.message(),
        lifted_by: blocker.lifted_by(),
        until: blocker.until().or(blocker.deadline()).map(rfc3339),
    }
}

/// Whoever is at the head, and held up by something else, does not wait for its turn.
fn queued(
    deployment: &Deployment,
    in_the_way: impl Iterator<Item = Blocker>,
    place: Option<&QueuePlace>,
) -> Vec<wire::Blocker> {
    let is_turn = |blocker: &Blocker| matches!(blocker, Blocker::Running(_) | Blocker::Before(_));
    let mut waiting: Vec<wire::Blocker> = in_the_way.filter(|blocker| !is_turn(blocker)).map(explained).collect();
    let waits_for_its_turn = |place: &&QueuePlace| waiting.is_empty() || place.behind.is_some();
    let turn = place.filter(waits_for_its_turn).map(|place| turn(deployment, place));
    waiting.extend(turn);
    waiting
}

fn turn(deployment: &Deployment, queue: &QueuePlace) -> wire::Blocker {
    let (place, environment) = (queue.place, &deployment.environment);
    match queue.behind {
        Some(before) => blocker(
            format!("its turn in `{environment}`: place {place}, behind deployment {before}"),
            format!("the end of deployment {before}, or whoever cancels it"),
        ),
        None => blocker(format!("its turn in `{environment}`: place {place}"), "Lockgate, at once".to_owned()),
    }
}

fn people(deployment: &Deployment, side: Side) -> Vec<wire::Blocker> {
    deployment.attempt.asked(side).into_iter().map(|approval| asked(deployment, approval)).collect()
}

fn asked(deployment: &Deployment, approval: &Approval) -> wire::Blocker {
    let who = approvals::open(deployment, approval);
    let answered: Vec<&str> = approval.given.iter().map(|signature| signature.by.person.as_str()).collect();
    let so_far = if answered.is_empty() { String::new() } else { format!("; approved by {}", answered.join(", ")) };
    until(approval.deadline, blocker(format!("approval: {who}{so_far}"), who))
}

fn works(deployment: &Deployment) -> Vec<wire::Blocker> {
    deployment.works().into_iter().filter_map(|work| under_way(deployment, work)).collect()
}

fn under_way(deployment: &Deployment, work: &Work) -> Option<wire::Blocker> {
    let what = step_in_words(deployment, work.step);
    match work.state {
        WorkState::Calling { .. } => {
            let reason = format!("{what}: its plugin is at work (try {})", work.tries);
            Some(until(work.deadline, blocker(reason, "its plugin".to_owned())))
        }
        WorkState::Waiting { until: asked_again } => {
            let reason = format!("{what}: a pause before its plugin is asked again (try {})", work.tries);
            Some(until(asked_again, blocker(reason, "Lockgate, by itself".to_owned())))
        }
        WorkState::Ready | WorkState::Done(_) | WorkState::Failed(_) => None,
    }
}

/// Of a side, the calls of the round that is under way, or the round that is next.
fn gates(deployment: &Deployment, side: Side) -> Vec<wire::Blocker> {
    let works = works(deployment);
    if !works.is_empty() {
        return works;
    }
    deployment.attempt.gates(side.into()).and_then(between_rounds).into_iter().collect()
}

fn rounds_of_phases(deployment: &Deployment) -> impl Iterator<Item = wire::Blocker> {
    deployment.attempt.doing().filter_map(|(_, doing)| match doing {
        Doing::Gates(run) => between_rounds(run),
        Doing::Work(_) | Doing::Person { .. } => None,
    })
}

/// `None` in the middle of a round: then its calls say what is going on.
fn between_rounds(run: &GateRun) -> Option<wire::Blocker> {
    if run.gates.iter().any(|gate| gate.work.is_some()) {
        return None;
    }
    let green = if run.green_since.is_some() { "green so far" } else { "not green yet" };
    let reason = format!("gates, {green}: round {} is next", run.round + 1);
    Some(until(run.deadline, blocker(reason, "the gates, when they have been green for long enough".to_owned())))
}

fn blocker(reason: String, lifted_by: String) -> wire::Blocker {
    wire::Blocker { reason, lifted_by, until: None }
}

fn until(time: Timestamp, blocker: wire::Blocker) -> wire::Blocker {
    wire::Blocker { until: Some(rfc3339(time)), ..blocker }
}
