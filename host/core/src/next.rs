//! The heart: what a deployment does next by itself, from its facts and the time.
//!
//! Each answer is the events of one step; [`crate::handle`] applies them and asks again until nothing follows.
//! Nothing here is done twice: every step changes the facts that led to it.

use crate::approval::{is_satisfied, request, still_holds};
use crate::change::{Change, GatesChange, PhaseChange};
use crate::definition::WorkflowStage;
use crate::definition::{GateSet, OnFailure};
use crate::deployment::*;
use crate::green::{green_since, is_steady};
use crate::name::Timestamp;
use crate::plugin::{ChangeAction, Decision, Failure, Retry};
use crate::state::{Live, LiveBefore, State, What};
use crate::work::{Answer, CallRef, Side, Step, Work, WorkState, idempotency_key, may_repeat};

/// Planning and confirming are read-only: tried again a few times, whatever the phase says.
const READ_ONLY_RETRIES: u32 = 3;
const READ_ONLY_BACKOFF_MS: u64 = 1_000;
/// How often a plan may be made again before an attempt gives up on a world that does not hold still.
const MOST_DRIFTS: u32 = 10;
/// How long one gate may measure within a round.
const GATE_SAMPLE_TIMEOUT_MS: u64 = 120_000;
const LONGEST_BACKOFF_MS: u64 = 60_000;
/// However long a plugin asks to be left alone after a failure.
const LONGEST_RETRY_AFTER_MS: u64 = 60 * 60 * 1_000;
/// Gates are not sampled more often than this, whatever their interval.
const SHORTEST_GATE_INTERVAL_MS: u64 = 100;
/// Of one try: whoever asks to be called again this often does not come to an end.
const MOST_CALLS_OF_A_TRY: u32 = 100_000;
/// How long a lock that someone outside holds is waited for before asking again.
const LOCKED_WAIT_MS: u64 = 5_000;

pub fn next(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let one = |change| vec![change_of(deployment, change)];
    match &deployment.attempt.stage {
        Stage::Finished(_) => Vec::new(),
        Stage::Queued if deployment.attempt.cancel.is_some() => {
            one(Change::Finished { finish: Finish::Canceled(Cause::Person) })
        }
        Stage::Queued => Vec::new(),
        Stage::Ready => when_ready(state, deployment, now),
        Stage::AwaitingApproval => awaiting_approval(deployment, now).map(one).unwrap_or_default(),
        Stage::Planning(work) => match outcome(state, deployment, work, now) {
            Outcome::Continue(change) => one(change),
            Outcome::Nothing => Vec::new(),
            Outcome::Done(answer) => one(planned(deployment, work.step, answer)),
            Outcome::Failed(failure) => one(failed(FailureOf::Plan, failure.message)),
        },
        Stage::Confirming { index, work } => match outcome(state, deployment, work, now) {
            Outcome::Continue(change) => one(change),
            Outcome::Nothing => Vec::new(),
            Outcome::Done(answer) => one(confirmed(deployment, *index, answer)),
            Outcome::Failed(failure) => one(failed(FailureOf::Plan, failure.message)),
        },
        Stage::Running { index, work } => running(state, deployment, *index, work, now).map(one).unwrap_or_default(),
        Stage::Undoing { index, work } => match outcome(state, deployment, work, now) {
            Outcome::Continue(change) => one(change),
            Outcome::Nothing => Vec::new(),
            Outcome::Done(Answer::Progressed(_)) => undo_ended(deployment, *index, UndoResult::Undone),
            Outcome::Done(Answer::Planned(_) | Answer::Sampled { .. } | Answer::Failed(_)) => {
                undo_ended(deployment, *index, UndoResult::NotUndone(unexpected_answer()))
            }
            Outcome::Failed(failure) => undo_ended(deployment, *index, UndoResult::NotUndone(failure)),
        },
        Stage::Gates => gates(state, deployment, now).map(one).unwrap_or_default(),
    }
}

fn change_of(deployment: &Deployment, change: Change) -> What {
    What::Deployment { number: deployment.number, change }
}

/// Nothing is under way: the order of a deployment, top to bottom.
fn when_ready(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let attempt = &deployment.attempt;
    let one = |change| vec![change_of(deployment, change)];
    if attempt.failure.is_some() || attempt.cancel.is_some() {
        return winding_down(state, deployment, now);
    }
    let waiting = |index: &usize| attempt.phases[*index].result == PhaseResult::Waiting;
    let phases = 0..attempt.phases.len();
    if let Some(phase) = overtaken(state, deployment) {
        return one(Change::Overtaken { phase });
    }
    if let Some(phase) = phases
        .clone()
        .filter(waiting)
        .find(|index| deployment.is_apply(*index) && attempt.phases[*index].plan.is_none())
    {
        return one(Change::PlanStarted { phase, deadline: now.plus_ms(deployment.phase(phase).timeout_ms) });
    }
    if let Some(message) = forbidden_by_flags(deployment) {
        return one(match attempt.begun {
            true => drift_refused(deployment, "destructive", message),
            false => failed(FailureOf::Plan, message),
        });
    }
    if attempt.approved != Some(deployment.plan_digest()) {
        return one(ask_people(deployment, now));
    }
    if let Some(phase) = phases.clone().find(waiting) {
        return start_phase(state, deployment, phase, now);
    }
    if let Some(set) = attempt.environment.post_gates.as_ref().filter(|_| !attempt.gates_passed) {
        return one(gates_started(set, now));
    }
    succeed(state, deployment, now)
}

/// The first apply that an earlier attempt made or began, and another deployment has replaced since.
fn overtaken(state: &State, deployment: &Deployment) -> Option<usize> {
    if is_current(state, deployment) {
        return None;
    }
    let made = |run: &PhaseRun| run.result == PhaseResult::Succeeded || run.begun_before.is_some();
    (0..deployment.attempt.phases.len())
        .find(|index| deployment.is_apply(*index) && made(&deployment.attempt.phases[*index]))
}

/// Whether this deployment is what the environment's targets last began to apply.
fn is_current(state: &State, deployment: &Deployment) -> bool {
    let current = state.environments.get(&deployment.environment).and_then(|there| there.current.as_ref());
    current.is_some_and(|current| current.deployment == deployment.number)
}

fn start_phase(state: &State, deployment: &Deployment, phase: usize, now: Timestamp) -> Vec<What> {
    let deadline = now.plus_ms(deployment.phase(phase).timeout_ms);
    if !deployment.is_apply(phase) {
        return vec![change_of(deployment, of_phase(phase, PhaseChange::Started { deadline }))];
    }
    if !deployment.attempt.phases[phase].confirmed {
        return vec![change_of(deployment, Change::ConfirmStarted { phase, deadline })];
    }
    vec![
        current_changed(state, deployment, Some(current_of(deployment, now))),
        change_of(deployment, of_phase(phase, PhaseChange::Started { deadline })),
    ]
}

fn current_of(deployment: &Deployment, since: Timestamp) -> Current {
    Current { release: deployment.release.tag.clone(), deployment: deployment.number, since }
}

/// What it replaces is what another deployment left there, not what its own last phase or attempt did.
fn current_changed(state: &State, deployment: &Deployment, current: Option<Current>) -> What {
    let there = state.environments.get(&deployment.environment).and_then(|there| there.current.clone());
    let replaced = (!is_current(state, deployment)).then_some(Replaced { current: there });
    let environment = deployment.environment.clone();
    What::CurrentChanged { environment, deployment: deployment.number, current, replaced }
}

/// After a failure or a cancel: undo where the workflow says so, then what always runs, then the end.
fn winding_down(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let attempt = &deployment.attempt;
    let one = |change| vec![change_of(deployment, change)];
    let phases = 0..attempt.phases.len();
    if attempt.cancel.is_none()
        && deployment.workflow().on_failure == OnFailure::Undo
        && let Some(phase) = phases.clone().rev().find(|index| is_to_undo(deployment, *index))
    {
        let deadline = now.plus_ms(deployment.phase(phase).timeout_ms);
        return one(of_phase(phase, PhaseChange::UndoStarted { deadline }));
    }
    let waiting = |index: &usize| attempt.phases[*index].result == PhaseResult::Waiting;
    if attempt.begun
        && let Some(phase) = phases.clone().find(waiting)
    {
        // An apply is never started on the way down: what it would apply was approved for another course.
        if deployment.phase(phase).always_run && !deployment.is_apply(phase) {
            return start_phase(state, deployment, phase, now);
        }
        return one(of_phase(phase, PhaseChange::Skipped));
    }
    one(Change::Finished { finish: finish_of(attempt.failure.as_ref()) })
}

/// A failure comes first where there is one: whoever cancelled after it did not make it.
fn finish_of(failure: Option<&AttemptFailure>) -> Finish {
    match failure.map(|failure| &failure.of) {
        Some(FailureOf::Plan | FailureOf::Phase(_)) => Finish::PhaseFailed,
        Some(FailureOf::Gates) => Finish::GatesFailed,
        Some(FailureOf::Approval) => Finish::Rejected,
        None => Finish::Canceled(Cause::Person),
    }
}

/// Whether the phase began to apply, in this attempt or in one that it resumes, and was not undone yet.
fn is_to_undo(deployment: &Deployment, index: usize) -> bool {
    let run = &deployment.attempt.phases[index];
    let began = run.started_at.is_some() || run.begun_before.is_some();
    deployment.is_apply(index) && began && run.undo.is_none()
}

fn undo_ended(deployment: &Deployment, phase: usize, result: UndoResult) -> Vec<What> {
    let others = (0..deployment.attempt.phases.len()).filter(|index| *index != phase);
    let all_back = result == UndoResult::Undone
        && others.clone().all(|index| !is_to_undo(deployment, index))
        && others
            .map(|index| &deployment.attempt.phases[index].undo)
            .all(|undo| !matches!(undo, Some(UndoResult::NotUndone(_))));
    let mut steps = vec![change_of(deployment, of_phase(phase, PhaseChange::UndoEnded { result }))];
    if all_back && let Some(replaced) = &deployment.attempt.replaced {
        steps.push(What::CurrentChanged {
            environment: deployment.environment.clone(),
            deployment: deployment.number,
            current: replaced.current.clone(),
            replaced: None,
        });
    }
    steps
}

fn succeed(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let finish = if deployment.attempt.is_partial() { Finish::PartiallySucceeded } else { Finish::Succeeded };
    let finished = change_of(deployment, Change::Finished { finish });
    if !deployment.workflow().goes_live || deployment.failed_to_apply() {
        return vec![finished];
    }
    let live = Live {
        release: deployment.release.tag.clone(),
        workflow: deployment.workflow.clone(),
        deployment: deployment.number,
        since: now,
    };
    let live = (!leaves_nothing_live(deployment)).then_some(live);
    let current = live.is_some().then(|| current_of(deployment, now));
    let environment = deployment.environment.clone();
    let before = live_before(state, deployment, live.as_ref());
    let mut steps = vec![What::LiveChanged { environment, live, before }];
    if current.is_none() || !is_current(state, deployment) {
        steps.push(current_changed(state, deployment, current));
    }
    steps.push(finished);
    steps
}

fn leaves_nothing_live(deployment: &Deployment) -> bool {
    let destroys = match deployment.deployment_type {
        DeploymentType::Destroy => true,
        DeploymentType::Launch
        | DeploymentType::Full
        | DeploymentType::Selective
        | DeploymentType::Custom
        | DeploymentType::Rollback => false,
    };
    destroys || deployment.workflow().stage == WorkflowStage::Teardown
}

/// A rollback pops: what came after the release that returns leaves the history.
fn live_before(state: &State, deployment: &Deployment, live: Option<&Live>) -> LiveBefore {
    let there = state.environments.get(&deployment.environment);
    let Some(replaced) = there.and_then(|there| there.live.as_ref()) else {
        return returns_to(state, deployment).map_or(LiveBefore::Same, |length| LiveBefore::CutTo { length });
    };
    if live.is_some_and(|live| live.release == replaced.release) {
        return LiveBefore::Same;
    }
    returns_to(state, deployment).map_or(LiveBefore::Pushed, |length| LiveBefore::CutTo { length })
}

/// Of a rollback: where the release that returns stands in the history.
fn returns_to(state: &State, deployment: &Deployment) -> Option<usize> {
    if deployment.deployment_type != DeploymentType::Rollback {
        return None;
    }
    let history = &state.environments.get(&deployment.environment)?.live_before;
    (0..history.len()).rev().find(|at| history[*at].release == deployment.release.tag)
}

// ---- people ----

fn ask_people(deployment: &Deployment, now: Timestamp) -> Change {
    let plan_digest = deployment.plan_digest();
    let policy = deployment.approval_policy();
    let earlier = deployment.attempt.approval.as_ref();
    let carries_over =
        earlier.is_some_and(|approval| approval.plan_digest == plan_digest && still_holds(deployment, approval));
    let side = Side::Pre;
    if policy.rules.is_empty() || carries_over {
        return Change::ApprovalCompleted { side, plan_digest };
    }
    Change::ApprovalRequested { side, approval: request(deployment, plan_digest, now) }
}

fn awaiting_approval(deployment: &Deployment, now: Timestamp) -> Option<Change> {
    let approval = deployment.attempt.approval.as_ref()?;
    let refusal = match &approval.refused {
        Some(refused) => Some(format!("{} refused: {}", refused.by.person, refused.comment)),
        None if now >= approval.deadline => Some("nobody answered in time".to_owned()),
        None => None,
    };
    match refusal {
        Some(message) if deployment.attempt.begun => Some(drift_refused(deployment, "rejected", message)),
        Some(message) => Some(failed(FailureOf::Approval, message)),
        None if is_satisfied(&approval.policy, &approval.given) => {
            Some(Change::ApprovalCompleted { side: Side::Pre, plan_digest: approval.plan_digest })
        }
        None => None,
    }
}

/// A drift in mid-way that a person or a rule refuses fails the phase that was to apply it.
fn drift_refused(deployment: &Deployment, code: &str, message: String) -> Change {
    let waiting = |run: &PhaseRun| run.result == PhaseResult::Waiting;
    let phase = deployment.attempt.phases.iter().position(waiting).unwrap_or(0);
    let failure = Failure {
        code: code.to_owned(),
        message,
        retry: Retry::Never,
        retry_after_ms: 0,
        details: serde_json::Value::Null,
    };
    of_phase(phase, PhaseChange::Failed { failure, fails_attempt: true })
}

// ---- plans ----

fn planned(deployment: &Deployment, step: Step, answer: &Answer) -> Change {
    match (step, answer) {
        (Step::Plan(phase), Answer::Planned(plan)) => {
            Change::TargetPlanned { phase, digest: deployment.target_plan_digest(phase, &plan.planned) }
        }
        _ => failed(FailureOf::Plan, unexpected_answer().message),
    }
}

fn failed(of: FailureOf, message: String) -> Change {
    Change::Failed { failure: AttemptFailure { of, message } }
}

fn confirmed(deployment: &Deployment, phase: usize, answer: &Answer) -> Change {
    let (Answer::Planned(step), Some(approved)) = (answer, &deployment.attempt.phases[phase].plan) else {
        return failed(FailureOf::Plan, unexpected_answer().message);
    };
    let digest = deployment.target_plan_digest(phase, &step.planned);
    if approved.digest == digest {
        return Change::Confirmed { phase };
    }
    if deployment.attempt.drifts >= MOST_DRIFTS {
        let message = format!(
            "the plan changed {MOST_DRIFTS} times between approval and apply; find out what else writes here, then retry"
        );
        return failed(FailureOf::Plan, message);
    }
    let difference = crate::approval::difference(&approved.planned, &step.planned);
    Change::Drifted { phase, digest, difference }
}

/// Deleting and replacing need the flag, and whatever else its target calls destructive; this names what the plan would take away.
fn forbidden_by_flags(deployment: &Deployment) -> Option<String> {
    if deployment.flags.allow_destructive || deployment.deployment_type == DeploymentType::Rollback {
        return None;
    }
    let waiting = deployment.attempt.phases.iter().filter(|run| run.result == PhaseResult::Waiting);
    let changes = waiting.filter_map(|run| run.plan.as_ref()).flat_map(|plan| &plan.planned.changes);
    let destructive: Vec<String> = changes
        .filter(|change| match change.action {
            ChangeAction::Delete | ChangeAction::Replace => true,
            ChangeAction::Create | ChangeAction::Update | ChangeAction::NoOp => change.destructive,
        })
        .map(|change| format!("{} {}", change.kind, change.name))
        .collect();
    if destructive.is_empty() {
        return None;
    }
    let names = crate::definition::listed(&destructive);
    Some(format!("the plan destroys or replaces {names}; deploy with allow_destructive if that is meant"))
}

// ---- work and its calls ----

enum Outcome<'a> {
    Continue(Change),
    Nothing,
    Done(&'a Answer),
    Failed(Failure),
}

/// Carries a piece of work on: starts calls, waits, retries what may be repeated, and says when it is over.
fn outcome<'a>(state: &State, deployment: &Deployment, work: &'a Work, now: Timestamp) -> Outcome<'a> {
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
        Step::Plan(index) | Step::Confirm(index) => {
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

fn timed_out(deployment: &Deployment, work: &Work) -> Failure {
    let allowed_ms = work.deadline.ms_since(work.started_at);
    Failure {
        code: "timeout".to_owned(),
        message: format!("`{}` did not finish within its {} s", deployment.step_name(work.step), allowed_ms / 1000),
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

fn unexpected_answer() -> Failure {
    Failure {
        code: "invalid-answer".to_owned(),
        message: "the plugin answered with something that does not fit the question".to_owned(),
        retry: Retry::Never,
        retry_after_ms: 0,
        details: serde_json::Value::Null,
    }
}

// ---- phases ----

fn running(state: &State, deployment: &Deployment, index: usize, work: &Work, now: Timestamp) -> Option<Change> {
    if matches!(work.step, Step::Cancel(_)) {
        return match outcome(state, deployment, work, now) {
            Outcome::Continue(change) => Some(change),
            Outcome::Nothing => None,
            Outcome::Done(_) | Outcome::Failed(_) => Some(of_phase(index, PhaseChange::Canceled)),
        };
    }
    if deployment.is_cancelling(work.step) {
        return cancelling(deployment, index, work, now);
    }
    match outcome(state, deployment, work, now) {
        Outcome::Continue(change) => Some(change),
        Outcome::Nothing => None,
        Outcome::Done(Answer::Progressed(_)) => Some(of_phase(index, PhaseChange::Succeeded)),
        Outcome::Done(Answer::Planned(_) | Answer::Sampled { .. } | Answer::Failed(_)) => {
            Some(phase_failed(deployment, index, unexpected_answer()))
        }
        Outcome::Failed(failure)
            if is_stale(deployment, work.step, &failure) && deployment.attempt.drifts < MOST_DRIFTS =>
        {
            Some(Change::FoundStale { phase: index })
        }
        Outcome::Failed(failure) => Some(phase_failed(deployment, index, failure)),
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

fn is_stale(deployment: &Deployment, step: Step, failure: &Failure) -> bool {
    failure.code == "plan-stale" && matches!(step, Step::Run(index) if deployment.is_apply(index))
}

fn phase_failed(deployment: &Deployment, phase: usize, failure: Failure) -> Change {
    let attempt = &deployment.attempt;
    let on_the_way_down = attempt.failure.is_some() || attempt.cancel.is_some();
    let fails_attempt = !deployment.phase(phase).continue_on_error && !on_the_way_down;
    of_phase(phase, PhaseChange::Failed { failure, fails_attempt })
}

fn of_phase(phase: usize, change: PhaseChange) -> Change {
    Change::Phase { phase, change }
}

// ---- gates ----

fn of_post_gates(change: GatesChange) -> Change {
    Change::Gates { side: Side::Post, change }
}

fn gates_started(set: &GateSet, now: Timestamp) -> Change {
    let first_round_at = now.plus_ms(set.delay_ms);
    of_post_gates(GatesChange::Started { deadline: first_round_at.plus_ms(set.timeout_ms), first_round_at })
}

fn gates(state: &State, deployment: &Deployment, now: Timestamp) -> Option<Change> {
    let attempt = &deployment.attempt;
    let (run, set) = (attempt.gates.as_ref()?, attempt.environment.post_gates.as_ref()?);
    let works = || run.gates.iter().enumerate().filter_map(|(index, gate)| Some((index, gate.work.as_ref()?)));
    if works().next().is_none() {
        return between_rounds(run, set, now).map(of_post_gates);
    }
    let step = works().find_map(|(index, work)| match outcome(state, deployment, work, now) {
        Outcome::Continue(change) => Some(change),
        Outcome::Nothing => None,
        // What was measured in time and told too late was not seen green in time.
        Outcome::Done(_) if now > work.deadline => {
            Some(judged_as(index, GateVerdict::Error, timed_out(deployment, work).message, now))
        }
        Outcome::Done(answer) => Some(of_post_gates(GatesChange::Judged { gate: index, outcome: judged(answer, now) })),
        Outcome::Failed(failure) => Some(judged_as(index, GateVerdict::Error, failure.message, now)),
    })?;
    Some(step)
}

fn judged_as(gate: usize, outcome: GateVerdict, reason: String, at: Timestamp) -> Change {
    of_post_gates(GatesChange::Judged { gate, outcome: GateOutcome { outcome, reason, at } })
}

fn judged(answer: &Answer, at: Timestamp) -> GateOutcome {
    match answer {
        Answer::Sampled { verdict: Some(verdict), .. } => {
            let outcome = match verdict.decision {
                Decision::Pass => GateVerdict::Pass,
                Decision::Fail => GateVerdict::Fail,
                Decision::Inconclusive => GateVerdict::Inconclusive,
            };
            GateOutcome { outcome, reason: verdict.reason.clone(), at }
        }
        Answer::Sampled { verdict: None, .. } | Answer::Progressed(_) | Answer::Planned(_) | Answer::Failed(_) => {
            GateOutcome { outcome: GateVerdict::Error, reason: unexpected_answer().message, at }
        }
    }
}

/// A round is complete when its verdicts are newer than its start; then it counts, once, and the next one is set.
fn between_rounds(run: &GateRun, set: &GateSet, now: Timestamp) -> Option<GatesChange> {
    if run.round > run.rounds_ended {
        let round = run.gates.iter().map(|gate| gate.last.as_ref().map(|last| last.outcome));
        let green_since = green_since(run.green_since, round, now);
        let next_round_at = now.plus_ms(set.interval_ms.max(SHORTEST_GATE_INTERVAL_MS));
        return Some(GatesChange::RoundEnded { green_since, next_round_at });
    }
    let last_seen = run.gates.iter().filter_map(|gate| gate.last.as_ref()).map(|last| last.at).max().unwrap_or(now);
    if is_steady(run.green_since, last_seen, set.steady_ms) {
        return Some(GatesChange::Passed);
    }
    if now >= run.deadline {
        return Some(GatesChange::Failed { reason: why_not_green(run) });
    }
    if now >= run.next_round_at {
        let deadline = now.plus_ms(GATE_SAMPLE_TIMEOUT_MS).min(run.deadline);
        return Some(GatesChange::RoundStarted { round: run.round + 1, deadline });
    }
    None
}

fn why_not_green(run: &GateRun) -> String {
    let last = |gate: &GateState| gate.last.clone().filter(|last| last.outcome != GateVerdict::Pass);
    let reasons: Vec<String> =
        run.gates.iter().filter_map(|gate| last(gate).map(|last| format!("{}: {}", gate.name, last.reason))).collect();
    if reasons.is_empty() { "the gates were not green for long enough in time".to_owned() } else { reasons.join("; ") }
}
