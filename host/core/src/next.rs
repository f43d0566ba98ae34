//! The heart: what a deployment does next by itself, from its facts and the time.
//!
//! Each answer is the events of one step; [`crate::handle`] applies them and asks again until nothing follows.
//! Nothing here is done twice: every step changes the facts that led to it.

mod calls;
mod end;
mod gates;
mod people;
mod phases;
mod plans;

use self::calls::{Outcome, outcome, unexpected_answer};
use crate::admission;
use crate::change::{Change, PhaseChange};
use crate::definition::ApprovalOrder;
use crate::deployment::*;
use crate::name::{Actor, Timestamp};
use crate::state::{State, What};
use crate::work::{Answer, Side};

pub(crate) use self::end::setup_fingerprint;
pub(crate) use self::phases::final_failure;

/// A phase that was told to stop has this long, and what always runs after it too.
pub(crate) const CANCEL_TIMEOUT_MS: u64 = 60_000;

pub fn next(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let one = |change| vec![change_of(deployment, change)];
    if deployment.attempt.superseded_by.is_some() && deployment.is_waiting() {
        return one(Change::Finished { finish: Finish::Canceled(Cause::Stopped) });
    }
    if let Some(cancel) = out_of_time(deployment, now) {
        return one(Change::CancelRequested { cancel });
    }
    match &deployment.attempt.stage {
        Stage::Finished(_) => Vec::new(),
        Stage::Queued | Stage::Held(_) if deployment.attempt.cancel.is_some() => end::ended(deployment),
        Stage::Queued | Stage::Held(_) if let Some(by) = state.newer_like(deployment) => one(Change::Superseded { by }),
        Stage::Queued => Vec::new(),
        Stage::Held(hold) => held(state, deployment, hold, now).map(one).unwrap_or_default(),
        Stage::Ready => when_ready(state, deployment, now),
        Stage::AwaitingCapacity(_) if !deployment.attempt.begun() && admission::is_shut(state, deployment, now) => {
            one(Change::SlotGivenUp)
        }
        Stage::AwaitingCapacity(_) if state.lacks_capacity(deployment).is_some() => Vec::new(),
        Stage::AwaitingCapacity(_) => when_ready(state, deployment, now),
        Stage::AwaitingApproval(side) => people::answered(state, deployment, *side, now).map(one).unwrap_or_default(),
        Stage::Observing(work) | Stage::Planning(work) => match outcome(state, deployment, work, now) {
            Outcome::Continue(change) => one(change),
            Outcome::Nothing => Vec::new(),
            Outcome::Done(answer) => one(plans::made(deployment, work.step, answer)),
            Outcome::Failed(failure) => one(failed(FailureOf::Plan, failure.message)),
        },
        Stage::Confirming { index, work } => match outcome(state, deployment, work, now) {
            Outcome::Continue(change) => one(change),
            Outcome::Nothing => Vec::new(),
            Outcome::Done(answer) => one(plans::confirmed(deployment, *index, answer)),
            Outcome::Failed(failure) => one(failed(FailureOf::Plan, failure.message)),
        },
        Stage::Running => phases::running(state, deployment, now).map(one).unwrap_or_default(),
        Stage::Undoing { index, work } => match outcome(state, deployment, work, now) {
            Outcome::Continue(change) => one(change),
            Outcome::Nothing => Vec::new(),
            Outcome::Done(Answer::Progressed(_)) => end::undone(deployment, *index, UndoResult::Undone),
            Outcome::Done(Answer::Planned(_) | Answer::Observed(_) | Answer::Sampled { .. } | Answer::Failed(_)) => {
                end::undone(deployment, *index, UndoResult::NotUndone(unexpected_answer()))
            }
            Outcome::Failed(failure) => end::undone(deployment, *index, UndoResult::NotUndone(failure)),
        },
        Stage::Gates(side) => gates::evaluated(state, deployment, (*side).into(), now).map(one).unwrap_or_default(),
    }
}

fn change_of(deployment: &Deployment, change: Change) -> What {
    What::Deployment { number: deployment.number, change }
}

fn of_phase(phase: usize, change: PhaseChange) -> Change {
    Change::Phase { phase, change }
}

fn failed(of: FailureOf, message: String) -> Change {
    Change::Failed { failure: AttemptFailure { of, message } }
}

/// An undo is left to its end: half-way back is the worst place.
fn out_of_time(deployment: &Deployment, now: Timestamp) -> Option<CancelRequest> {
    match deployment.attempt.stage {
        Stage::Finished(_) | Stage::Undoing { .. } => return None,
        Stage::Queued
        | Stage::Held(_)
        | Stage::Ready
        | Stage::AwaitingCapacity(_)
        | Stage::Observing(_)
        | Stage::Planning(_)
        | Stage::AwaitingApproval(_)
        | Stage::Confirming { .. }
        | Stage::Running
        | Stage::Gates(_) => {}
    }
    let limit = deployment.must_end_at().filter(|limit| *limit <= now)?;
    let seconds = limit.ms_since(deployment.attempt.begun_at?) / 1000;
    Some(CancelRequest {
        by: Actor::host("time limit"),
        at: now,
        deadline: now.plus_ms(CANCEL_TIMEOUT_MS),
        reason: format!("workflow `{}` did not end within its {seconds} s", deployment.workflow),
        cause: Cause::TimeLimit,
    })
}

/// Beside the queue: until its time has come, and its release has proven itself where it must.
fn held(state: &State, deployment: &Deployment, hold: &Hold, now: Timestamp) -> Option<Change> {
    let missing = state.missing_requirement(deployment, now);
    let stays = match hold.because {
        HoldReason::Scheduled | HoldReason::Deferred => hold.until.is_some_and(|until| now < until),
        HoldReason::Requires { .. } => missing.as_ref() == Some(hold),
    };
    (!stays).then(|| missing.map_or(Change::Enqueued, |hold| Change::Held { hold }))
}

/// Nothing is under way: the order of a deployment, top to bottom.
fn when_ready(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let attempt = &deployment.attempt;
    let one = |change| vec![change_of(deployment, change)];
    if attempt.failure.is_some() || attempt.cancel.is_some() {
        return end::winding_down(deployment, now);
    }
    if let Some(phase) = plans::overtaken(state, deployment) {
        return one(Change::Overtaken { phase });
    }
    let to_plan = plans::first_to_plan(deployment);
    let capacity = || state.lacks_capacity(deployment).map(|capacity| Change::AwaitsCapacity { capacity });
    if let Some(phase) = to_plan {
        return one(capacity().unwrap_or_else(|| plans::planning(deployment, phase, now)));
    }
    if let Some(message) = plans::forbidden(deployment) {
        return one(match attempt.begun() {
            true => plans::drift_refused(deployment, "forbidden", message),
            false => failed(FailureOf::Plan, message),
        });
    }
    if let Some(change) = before_phases(state, deployment, now) {
        return one(change);
    }
    if !attempt.begun() && admission::is_shut(state, deployment, now) {
        return one(Change::SlotGivenUp);
    }
    if let Some(phase) = attempt.phases.iter().position(|run| run.result == PhaseResult::Waiting) {
        return capacity().map_or_else(|| phases::started(state, deployment, phase, now), one);
    }
    if let Some(change) = after_phases(state, deployment, now) {
        return one(change);
    }
    end::succeeded(state, deployment, now)
}

/// People and gates, in the order that the environment asks for; between phases only people, about what has drifted.
fn before_phases(state: &State, deployment: &Deployment, now: Timestamp) -> Option<Change> {
    let attempt = &deployment.attempt;
    let unapproved = attempt.approved != Some(deployment.plan_digest());
    let ask = || unapproved.then(|| people::asked(state, deployment, Side::Pre, now));
    if attempt.begun() {
        return ask();
    }
    let gates = gates::standing(deployment, Side::Pre, now);
    let deferred = || attempt.not_before.filter(|until| now < *until).map(people::deferred);
    let people = || ask().or_else(deferred).or_else(|| people::asked_for_a_freeze(state, deployment, now));
    match order(state, deployment, Side::Pre) {
        ApprovalOrder::Usual => people().or_else(|| gates.required(Side::Pre, now)),
        ApprovalOrder::AfterGates => gates.required(Side::Pre, now).or_else(people),
        ApprovalOrder::AfterGatesAlways => gates.ended(Side::Pre, now).or_else(people),
    }
}

/// Gates, then people.
fn after_phases(state: &State, deployment: &Deployment, now: Timestamp) -> Option<Change> {
    let gates = gates::standing(deployment, Side::Post, now);
    let ask = || (!deployment.attempt.accepted).then(|| people::asked(state, deployment, Side::Post, now));
    match order(state, deployment, Side::Post) {
        ApprovalOrder::Usual | ApprovalOrder::AfterGates => gates.required(Side::Post, now).or_else(ask),
        ApprovalOrder::AfterGatesAlways => gates.ended(Side::Post, now).or_else(ask),
    }
}

/// Where nobody is asked, nobody overrules a gate.
fn order(state: &State, deployment: &Deployment, side: Side) -> ApprovalOrder {
    people::own_policy(state, deployment, side).map(|policy| policy.order).unwrap_or_default()
}
