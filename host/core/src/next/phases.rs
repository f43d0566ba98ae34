//! Phases: started one by one or as a group, carried on, told to stop, and ended.

use super::calls::{Outcome, is_stale, outcome, unexpected_answer};
use super::plans::MOST_DRIFTS;
use super::{CANCEL_TIMEOUT_MS, change_of, end, gates, of_phase};
use crate::change::{Change, PhaseChange};
use crate::definition::PhaseWork;
use crate::deployment::*;
use crate::name::Timestamp;
use crate::plugin::{Failure, Retry};
use crate::state::{State, What};
use crate::work::{Answer, GatesOf, Step, Work, WorkState};

/// The phase, and those of its group that follow it: first each apply is confirmed, then all start at once.
pub(super) fn started(state: &State, deployment: &Deployment, first: usize, now: Timestamp) -> Vec<What> {
    let group = group_of(deployment, first);
    let unconfirmed = |phase: &usize| deployment.is_apply(*phase) && !deployment.attempt.phases[*phase].confirmed;
    if let Some(phase) = group.iter().copied().find(unconfirmed) {
        let deadline = now.plus_ms(deployment.phase(phase).timeout_ms);
        return vec![change_of(deployment, Change::ConfirmStarted { phase, deadline })];
    }
    let applies = group.iter().any(|phase| deployment.is_apply(*phase));
    let current = applies.then(|| end::current_changed(state, deployment, Some(end::current_of(deployment, now))));
    let starts = group.iter().map(|phase| change_of(deployment, start(deployment, *phase, now)));
    current.into_iter().chain(starts).collect()
}

fn group_of(deployment: &Deployment, first: usize) -> Vec<usize> {
    let group = deployment.phase(first).group.as_ref();
    let phases = first + 1..deployment.attempt.phases.len();
    let same = |phase: &usize| group.is_some() && deployment.phase(*phase).group.as_ref() == group;
    let waits = |phase: &usize| deployment.attempt.phases[*phase].result == PhaseResult::Waiting;
    std::iter::once(first).chain(phases.take_while(same).filter(waits)).collect()
}

pub(super) fn start(deployment: &Deployment, phase: usize, now: Timestamp) -> Change {
    let meant = deployment.phase(phase);
    match &meant.work {
        PhaseWork::Gates(set) => gates::started(GatesOf::Phase(phase), set, now),
        PhaseWork::Plugin { .. } | PhaseWork::Apply { .. } | PhaseWork::Manual { .. } => {
            of_phase(phase, PhaseChange::Started { deadline: now.plus_ms(meant.timeout_ms) })
        }
    }
}

pub(super) fn running(state: &State, deployment: &Deployment, now: Timestamp) -> Option<Change> {
    deployment.attempt.doing().find_map(|(phase, doing)| match doing {
        Doing::Work(work) => working(state, deployment, phase, work, now),
        Doing::Gates(_) | Doing::Person { .. } if deployment.is_told_to_stop(phase) => {
            Some(of_phase(phase, PhaseChange::Canceled))
        }
        Doing::Gates(_) => gates::evaluated(state, deployment, GatesOf::Phase(phase), now),
        Doing::Person { deadline } => asked(deployment, phase, *deadline, now),
    })
}

fn working(state: &State, deployment: &Deployment, phase: usize, work: &Work, now: Timestamp) -> Option<Change> {
    if matches!(work.step, Step::Cancel(_)) {
        return match outcome(state, deployment, work, now) {
            Outcome::Continue(change) => Some(change),
            Outcome::Nothing => None,
            Outcome::Done(_) | Outcome::Failed(_) => Some(of_phase(phase, PhaseChange::Canceled)),
        };
    }
    if deployment.is_cancelling(work.step) {
        return cancelling(deployment, phase, work, now);
    }
    match outcome(state, deployment, work, now) {
        Outcome::Continue(change) => Some(change),
        Outcome::Nothing => None,
        Outcome::Done(Answer::Progressed(_)) => Some(of_phase(phase, PhaseChange::Succeeded)),
        Outcome::Done(Answer::Planned(_) | Answer::Observed(_) | Answer::Sampled { .. } | Answer::Failed(_)) => {
            Some(phase_failed(deployment, phase, unexpected_answer()))
        }
        Outcome::Failed(failure)
            if is_stale(deployment, work.step, &failure) && deployment.attempt.drifts < MOST_DRIFTS =>
        {
            Some(Change::FoundStale { phase })
        }
        Outcome::Failed(failure) => Some(phase_failed(deployment, phase, failure)),
    }
}

/// The running phase was told to stop. Its answer is waited for until the cancel's limit.
fn cancelling(deployment: &Deployment, phase: usize, work: &Work, now: Timestamp) -> Option<Change> {
    let deadline = deployment.attempt.cancel.as_ref().map(|cancel| cancel.deadline)?;
    match &work.state {
        WorkState::Done(answer) if matches!(answer.as_ref(), Answer::Progressed(_)) => {
            Some(of_phase(phase, PhaseChange::Succeeded))
        }
        WorkState::Calling { .. } if now < deadline.min(work.deadline) => None,
        WorkState::Calling { .. }
        | WorkState::Ready
        | WorkState::Waiting { .. }
        | WorkState::Done(_)
        | WorkState::Failed(_) => {
            // A target has no cancel of its own: its apply stops between two calls.
            Some(of_phase(
                phase,
                match deployment.is_apply(phase) || now >= deadline {
                    true => PhaseChange::Canceled,
                    false => PhaseChange::CancelStarted { deadline },
                },
            ))
        }
    }
}

/// A manual intervention: somebody says how it goes on, or time runs out.
fn asked(deployment: &Deployment, phase: usize, deadline: Timestamp, now: Timestamp) -> Option<Change> {
    match deployment.attempt.phases[phase].intervention.as_deref() {
        Some(Intervention { proceeds: true, .. }) => Some(of_phase(phase, PhaseChange::Succeeded)),
        Some(Intervention { proceeds: false, by }) => {
            let message = format!("{} did not let it proceed: {}", by.by.person, by.comment);
            Some(phase_failed(deployment, phase, final_failure("rejected", message)))
        }
        None if now >= deadline => {
            let message = "nobody said in time how to go on".to_owned();
            Some(phase_failed(deployment, phase, final_failure("timeout", message)))
        }
        None => None,
    }
}

pub(super) fn phase_failed(deployment: &Deployment, phase: usize, failure: Failure) -> Change {
    let attempt = &deployment.attempt;
    let on_the_way_down = attempt.failure.is_some() || attempt.cancel.is_some();
    let fails_attempt = !deployment.phase(phase).continue_on_error && !on_the_way_down;
    of_phase(phase, PhaseChange::Failed { failure, fails_attempt })
}

/// No answer of a plugin: nothing is gained by asking again.
pub(crate) fn final_failure(code: &str, message: String) -> Failure {
    Failure { code: code.to_owned(), message, retry: Retry::Never, retry_after_ms: 0, details: serde_json::Value::Null }
}

/// What always runs after a failure or a cancel has a limit of its own: the cancel's.
pub(super) fn start_on_the_way_down(deployment: &Deployment, phase: usize, now: Timestamp) -> Change {
    match start(deployment, phase, now) {
        Change::Phase { phase, change: PhaseChange::Started { deadline } } if deployment.attempt.cancel.is_some() => {
            let deadline = deadline.min(now.plus_ms(CANCEL_TIMEOUT_MS));
            of_phase(phase, PhaseChange::Started { deadline })
        }
        other => other,
    }
}
