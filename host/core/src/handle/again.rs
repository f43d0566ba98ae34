//! Once more: a finished deployment is tried again, from where it failed or from the start.

use std::sync::Arc;

use super::{Again, Rejection, TryFrom, Turn, stages, triggers, unknown_deployment, unknown_environment};
use crate::change::Change;
use crate::deployment::*;
use crate::environment::Likeness;
use crate::release::ReleaseStatus;
use crate::state::{State, What};

pub(super) fn try_again(turn: &mut Turn, again: Again) -> Result<(), Rejection> {
    let Again { number, finished, from, key, by } = again;
    if triggers::already_triggered(&turn.state, key.as_ref())? {
        return Ok(());
    }
    let in_memory = turn.state.deployments.get(&number).cloned();
    let record = finished.filter(|record| record.number == number && number <= turn.state.last_number);
    let deployment = in_memory.or(record).ok_or_else(|| unknown_deployment(&turn.state, number))?;
    match turn.state.newest_attempt(number) {
        Some(newest) if newest == deployment.attempt.number => {}
        Some(newest) => return Err(Rejection::RecordIsOld { number, newest }),
        None => return Err(Rejection::TooLongAgo { number }),
    }
    let Stage::Finished(finish) = deployment.attempt.stage else {
        return Err(Rejection::NotFinished { number, status: deployment.status_text() });
    };
    if finish == Finish::Succeeded && from == TryFrom::FailedPhase {
        return Err(Rejection::NothingToRetry { number });
    }
    let tag = &deployment.release.tag;
    let release = turn.state.releases.get(tag).ok_or_else(|| triggers::unknown_release(&turn.state, tag))?;
    let (stage, deployment_type) = (deployment.workflow().stage, deployment.deployment_type);
    let Some(environment) = turn.state.definition.environments.get(&deployment.environment).cloned() else {
        return Err(unknown_environment(&turn.state, &deployment.environment));
    };
    let run =
        stages::Run { release, stage, deployment_type, environment: &deployment.environment, meant: &environment };
    stages::may_run(&turn.state, &run)?;
    if release.status == ReleaseStatus::Draft && release.digest() != deployment.release.digest() {
        let allowed = "it was sent again since this build; build it with a new deployment";
        return Err(Rejection::ReleaseStatus { tag: tag.clone(), status: release.status, allowed });
    }
    triggers::fits_environment(&deployment.release, &deployment.workflow, &deployment.environment, &environment)?;
    is_still_the_way_back(&turn.state, &deployment)?;
    triggers::has_room(&turn.state, &deployment.environment)?;
    let gate_plugins = triggers::pinned_gates(turn, &deployment.environment, &environment)?;
    let environment = turn.state.definition.pinned(&environment);
    let attempt = deployment.attempt.number + 1;
    let resume_at = match from {
        TryFrom::FailedPhase => Some(first_to_repeat(&deployment)),
        TryFrom::Start => None,
    };
    let hold = turn.state.missing_of(deployment.deployment_type, &environment.requires, tag, turn.now);
    if hold.is_some() {
        triggers::may_be_held(&turn.state, &deployment.environment)?;
    }
    let there = turn.state.environments.get(&deployment.environment);
    let before = there.and_then(|there| there.newest_like(&Likeness::of_deployment(&deployment)?));
    // Also what is in memory: a replay may forget it at another moment than this host did.
    turn.record(What::DeploymentReopened { deployment });
    turn.change(number, Change::AttemptQueued { attempt, resume_at, by, environment, gate_plugins, hold, key });
    before.into_iter().for_each(|older| turn.settle(older));
    turn.settle(number);
    Ok(())
}

/// A rollback has lighter rules because of where it goes: what it did months ago is no reason.
pub(super) fn is_still_the_way_back(state: &State, deployment: &Deployment) -> Result<(), Rejection> {
    let there = state.environments.get(&deployment.environment).and_then(|there| there.current.as_ref());
    let is_current = there.is_some_and(|current| current.deployment == deployment.number);
    let leads_back =
        || state.rollback_to(&deployment.environment).is_some_and(|live| live.release == deployment.release.tag);
    if deployment.deployment_type != DeploymentType::Rollback || is_current || leads_back() {
        return Ok(());
    }
    let (number, environment) = (deployment.number, deployment.environment.clone());
    let release = deployment.release.tag.clone();
    match state.environments.get(&environment) {
        // Where a gate has failed meanwhile, for example, and all of it was undone.
        Some(there) if there.live.as_ref().is_some_and(|live| live.release == release) => {
            Err(Rejection::BackAlready { number, release, environment })
        }
        Some(_) | None => Err(Rejection::NotTheWayBack { number, release, environment }),
    }
}

/// The first phase that failed or was not done; not what the workflow went on after, unless that is all there is, or
/// it failed the attempt all the same. What was taken back is done again in any case.
fn first_to_repeat(deployment: &Deployment) -> usize {
    let attempt = &deployment.attempt;
    let failed_it = |run: &PhaseRun| match &attempt.failure {
        Some(AttemptFailure { of: FailureOf::Phase(name), .. }) => run.name == *name,
        Some(AttemptFailure { of: FailureOf::Plan | FailureOf::Approval | FailureOf::Gates, .. }) | None => false,
    };
    let goes_on = |index: usize| deployment.phase(index).continue_on_error;
    let to_repeat = |(index, run): (usize, &Arc<PhaseRun>)| match &run.result {
        _ if run.undo.is_some() => true,
        PhaseResult::Waiting | PhaseResult::Running(_) | PhaseResult::Canceled | PhaseResult::Skipped => true,
        PhaseResult::Failed(_) => {
            attempt.stage == Stage::Finished(Finish::PartiallySucceeded) || failed_it(run) || !goes_on(index)
        }
        PhaseResult::Succeeded => false,
    };
    let first = attempt.phases.iter().enumerate().position(to_repeat);
    first.unwrap_or(attempt.phases.len())
}
