//! Work and its calls: starting them, waiting, repeating what may be repeated, and when it is over.

use crate::change::Change;
use crate::deployment::Deployment;
use crate::name::Timestamp;
use crate::plugin::{Failure, Retry};
use crate::state::State;
use crate::work::{Answer, CallRef, Step, Work, WorkState, idempotency_key, may_repeat};

/// Observing, planning and confirming are read-only: tried again a few times, whatever the phase says.
const READ_ONLY_RETRIES: u32 = 3;
const READ_ONLY_BACKOFF_MS: u64 = 1_000;
/// How long one gate may measure within a round.
pub(super) const GATE_SAMPLE_TIMEOUT_MS: u64 = 120_000;
const LONGEST_BACKOFF_MS: u64 = 60_000;
/// However long a plugin asks to be left alone after a failure.
const LONGEST_RETRY_AFTER_MS: u64 = 60 * 60 * 1_000;
/// Of one try: whoever asks to be called again this often does not come to an end.
const MOST_CALLS_OF_A_TRY: u32 = 100_000;
/// How long a lock that someone outside holds is waited for before asking again.
const LOCKED_WAIT_MS: u64 = 5_000;

pub(super) enum Outcome<'a> {
    Continue(Change),
    Nothing,
    Done(&'a Answer),
    Failed(Failure),
}

/// Carries a piece of work on: starts calls, waits, retries what may be repeated, and says when it is over.
pub(super) fn outcome<'a>(state: &State, deployment: &Deployment, work: &'a Work, now: Timestamp) -> Outcome<'a> {
    let over_time = now >= work.deadline;
    match &work.state {
        WorkState::Done(answer) => Outcome::Done(answer),
        WorkState::Failed(failure) => after_failure(deployment, work, failure, now),
        WorkState::Ready | WorkState::Waiting { .. } | WorkState::Calling { .. } if over_time => {
            after_failure(deployment, work, &timed_out(deployment, work), now)
        }
        WorkState::Calling { .. } => Outcome::Nothing,
        WorkState::Waiting { until } if now < *until => Outcome::Nothing,
        WorkState::Ready | WorkState::Waiting { .. } if work.calls >= MOST_CALLS_OF_A_TRY => {
            Outcome::Failed(endless(deployment, work))
        }
        WorkState::Ready | WorkState::Waiting { .. } => Outcome::Continue(call_started(state, deployment, work)),
    }
}

fn call_started(state: &State, deployment: &Deployment, work: &Work) -> Change {
    let call = deployment.attempt.calls + 1;
    let reference = CallRef { deployment: deployment.number, attempt: deployment.attempt.number, call };
    let name = deployment.step_name(work.step);
    let key = idempotency_key(&state.project, reference, work.step, name, work.key_call.unwrap_or(call));
    Change::CallStarted { step: work.step, call, key }
}

fn after_failure<'a>(deployment: &Deployment, work: &Work, failure: &Failure, now: Timestamp) -> Outcome<'a> {
    let (retries, backoff_ms, timeout_ms) = patience(deployment, work.step);
    let locked = failure.code == "locked" && now < work.deadline;
    // A cancel has one time limit for all its tries.
    let one_limit = matches!(work.step, Step::Cancel(_));
    // A stale plan does not get fresh by asking again.
    if is_stale(deployment, work.step, failure) {
        return Outcome::Failed(failure.clone());
    }
    if !locked && (!may_repeat(failure) || work.tries > retries || (one_limit && now >= work.deadline)) {
        return Outcome::Failed(failure.clone());
    }
    let backoff_ms = if locked { LOCKED_WAIT_MS } else { doubled(backoff_ms, work.tries - 1) };
    let asked_ms = u64::from(failure.retry_after_ms).min(LONGEST_RETRY_AFTER_MS);
    let until = now.plus_ms(backoff_ms.max(asked_ms));
    // A lock held by someone else costs waiting time, not a try.
    let deadline = if locked || one_limit { work.deadline } else { until.plus_ms(timeout_ms) };
    Outcome::Continue(Change::RetryPlanned {
        step: work.step,
        until,
        deadline,
        counted: !locked,
        because: failure.message.clone(),
    })
}

/// Retries, first backoff and timeout of one try.
fn patience(deployment: &Deployment, step: Step) -> (u32, u64, u64) {
    match step {
        Step::Observe(index) | Step::Plan(index) | Step::Confirm(index) => {
            (READ_ONLY_RETRIES, READ_ONLY_BACKOFF_MS, deployment.phase(index).timeout_ms)
        }
        Step::Run(index) | Step::Undo(index) | Step::Cancel(index) => {
            let phase = deployment.phase(index);
            (phase.retries, phase.backoff_ms, phase.timeout_ms)
        }
        Step::Gate { .. } => (0, 0, GATE_SAMPLE_TIMEOUT_MS),
    }
}

fn doubled(backoff_ms: u64, times: u32) -> u64 {
    backoff_ms.saturating_mul(1 << times.min(16)).min(LONGEST_BACKOFF_MS)
}

pub(super) fn timed_out(deployment: &Deployment, work: &Work) -> Failure {
    let allowed_ms = work.deadline.ms_since(work.started_at);
    let mut message =
        format!("`{}` did not finish within its {} s", deployment.step_name(work.step), allowed_ms / 1000);
    // That is what somebody has to mend.
    if let Some(because) = &work.stumbled {
        message += &format!("; the last answer was: {because}");
    }
    Failure {
        code: "timeout".to_owned(),
        message,
        // What it did outside is unknown: only the same key may be tried again.
        retry: Retry::SameKey,
        retry_after_ms: 0,
        details: serde_json::Value::Null,
    }
}

fn endless(deployment: &Deployment, work: &Work) -> Failure {
    let name = deployment.step_name(work.step);
    Failure {
        code: "limit".to_owned(),
        message: format!(
            "`{name}` was called {MOST_CALLS_OF_A_TRY} times and is not done; a plugin that waits asks to be called later"
        ),
        ..unexpected_answer()
    }
}

pub(super) fn unexpected_answer() -> Failure {
    Failure {
        code: "invalid-answer".to_owned(),
        message: "the plugin answered with something that does not fit the question".to_owned(),
        retry: Retry::Never,
        retry_after_ms: 0,
        details: serde_json::Value::Null,
    }
}

pub(super) fn is_stale(deployment: &Deployment, step: Step, failure: &Failure) -> bool {
    failure.code == "plan-stale" && matches!(step, Step::Run(index) if deployment.is_apply(index))
}
