//! Plans: what a target would change, seen before anybody is asked, and once more just before it is applied.

use std::sync::Arc;

use super::calls::unexpected_answer;
use super::{failed, of_phase};
use crate::change::{Change, PhaseChange};
use crate::deployment::*;
use crate::name::Timestamp;
use crate::plugin::{ChangeAction, ResourceChange};
use crate::state::State;
use crate::work::{Answer, Step};

/// How often a plan may be made again before an attempt gives up on a world that does not hold still.
pub(super) const MOST_DRIFTS: u32 = 10;

/// The first apply that an earlier attempt made or began, and another deployment has written over since.
pub(super) fn overtaken(state: &State, deployment: &Deployment) -> Option<usize> {
    let made = |run: &PhaseRun| run.result == PhaseResult::Succeeded || run.begun_before.is_some();
    let first = (0..deployment.attempt.phases.len())
        .find(|index| deployment.is_apply(*index) && made(&deployment.attempt.phases[*index]))?;
    (!state.wrote_last(deployment)).then_some(first)
}

pub(super) fn first_to_plan(deployment: &Deployment) -> Option<usize> {
    let phases = deployment.attempt.phases.iter().enumerate();
    let unplanned = |(index, run): &(usize, &Arc<PhaseRun>)| {
        run.result == PhaseResult::Waiting && deployment.is_apply(*index) && run.plan.is_none()
    };
    phases.filter(unplanned).map(|(index, _)| index).next()
}

/// With `refresh`, the target says first how its resources are.
pub(super) fn planning(deployment: &Deployment, phase: usize, now: Timestamp) -> Change {
    let deadline = now.plus_ms(deployment.phase(phase).timeout_ms);
    if deployment.flags.refresh && !deployment.attempt.phases[phase].observed {
        return Change::ObserveStarted { phase, deadline };
    }
    Change::PlanStarted { phase, deadline }
}

/// The read-only work before the phases is done.
pub(super) fn made(deployment: &Deployment, step: Step, answer: &Answer) -> Change {
    match (step, answer) {
        (Step::Plan(phase), Answer::Planned(plan)) => {
            Change::TargetPlanned { phase, digest: deployment.target_plan_digest(phase, &plan.planned) }
        }
        (Step::Observe(phase), Answer::Observed(_)) => Change::Observed { phase },
        (
            Step::Plan(_)
            | Step::Observe(_)
            | Step::Confirm(_)
            | Step::Run(_)
            | Step::Cancel(_)
            | Step::Undo(_)
            | Step::Gate { .. },
            _,
        ) => failed(FailureOf::Plan, unexpected_answer().message),
    }
}

pub(super) fn confirmed(deployment: &Deployment, phase: usize, answer: &Answer) -> Change {
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

/// What is planned goes beyond what was asked for.
pub(super) fn forbidden(deployment: &Deployment) -> Option<String> {
    let waiting = deployment.attempt.phases.iter().filter(|run| run.result == PhaseResult::Waiting);
    let plans = waiting.filter_map(|run| run.plan.as_ref());
    let changes: Vec<&ResourceChange> = plans.flat_map(|plan| &plan.planned.changes).collect();
    outside_selections(deployment, &changes).or_else(|| destructive(deployment, &changes))
}

/// Others run beside it because of what it selects: its plan is held to that.
fn outside_selections(deployment: &Deployment, changes: &[&ResourceChange]) -> Option<String> {
    if deployment.deployment_type != DeploymentType::Selective {
        return None;
    }
    let selected = |change: &ResourceChange| deployment.selections.iter().any(|selection| selection.covers(change));
    let outside = changes.iter().filter(|change| change.action != ChangeAction::NoOp && !selected(change));
    let outside: Vec<String> =
        outside.map(|change| format!("{} {} ({})", change.kind, change.name, change.action.word())).collect();
    if outside.is_empty() {
        return None;
    }
    let (names, selections) = (crate::definition::listed(&outside), crate::definition::listed(&deployment.selections));
    Some(format!(
        "the plan also changes {names}, and selected is: {selections}; select that too, or deploy the whole as FULL"
    ))
}

/// Deleting and replacing need the flag, and whatever else its target calls destructive; this names what the plan
/// would take away.
fn destructive(deployment: &Deployment, changes: &[&ResourceChange]) -> Option<String> {
    if deployment.flags.allow_destructive || deployment.deployment_type == DeploymentType::Rollback {
        return None;
    }
    let destroys = |change: &&&ResourceChange| match change.action {
        ChangeAction::Delete | ChangeAction::Replace => true,
        ChangeAction::Create | ChangeAction::Update | ChangeAction::NoOp => change.destructive,
    };
    let destructive: Vec<String> =
        changes.iter().filter(destroys).map(|change| format!("{} {}", change.kind, change.name)).collect();
    if destructive.is_empty() {
        return None;
    }
    let names = crate::definition::listed(&destructive);
    Some(format!(
        "the plan destroys or replaces {names}; deploy with --allow-destructive (over HTTP `allow_destructive`) if that is meant"
    ))
}

/// A drift in mid-way that a person or a rule refuses fails the phase that was to apply it.
pub(super) fn drift_refused(deployment: &Deployment, code: &str, message: String) -> Change {
    let waiting = |run: &Arc<PhaseRun>| run.result == PhaseResult::Waiting;
    let phase = deployment.attempt.phases.iter().position(waiting).unwrap_or(0);
    let failure = super::phases::final_failure(code, message);
    of_phase(phase, PhaseChange::Failed { failure, fails_attempt: true })
}
