//! How an attempt ends: it goes live, or it goes down, with what is undone and what always runs.

use super::phases::start_on_the_way_down;
use super::{change_of, of_phase};
use crate::change::{Change, PhaseChange};
use crate::definition::{Environment, OnFailure, Workflow, WorkflowStage};
use crate::deployment::*;
use crate::digest::Digest;
use crate::environment::{EnvironmentChange, Live, LiveBefore, PromotionHold};
use crate::name::Timestamp;
use crate::release::canonical;
use crate::state::{State, What};

pub(super) fn current_of(deployment: &Deployment, since: Timestamp) -> Current {
    Current { release: deployment.release.tag.clone(), deployment: deployment.number, since, succeeded: false }
}

/// What it replaces is what another deployment left there, not what its own last phase or attempt did.
pub(super) fn current_changed(state: &State, deployment: &Deployment, current: Option<Current>) -> What {
    let applications = deployment.applies_to();
    let environment = deployment.environment.clone();
    let replaced = (!state.wrote_last(deployment)).then(|| {
        state
            .environments
            .get(&environment)
            .map(|there| there.to_be_replaced(applications.as_ref()))
            .unwrap_or_default()
    });
    What::CurrentChanged { environment, deployment: deployment.number, applications, current, replaced }
}

/// After a failure or a cancel: undo where the workflow says so, then what always runs, then the end.
pub(super) fn winding_down(deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let attempt = &deployment.attempt;
    let one = |change| vec![change_of(deployment, change)];
    let phases = 0..attempt.phases.len();
    if !stays_as_it_is(attempt)
        && deployment.workflow().on_failure == OnFailure::Undo
        && let Some(phase) = phases.clone().rev().find(|index| is_to_undo(deployment, *index))
    {
        let deadline = now.plus_ms(deployment.phase(phase).timeout_ms);
        return one(of_phase(phase, PhaseChange::UndoStarted { deadline }));
    }
    let waiting = |index: &usize| attempt.phases[*index].result == PhaseResult::Waiting;
    if attempt.begun()
        && let Some(phase) = phases.clone().find(waiting)
    {
        // An apply is never started on the way down: what it would apply was approved for another course.
        if deployment.phase(phase).always_run && !deployment.is_apply(phase) {
            return one(start_on_the_way_down(deployment, phase, now));
        }
        return one(of_phase(phase, PhaseChange::Skipped));
    }
    ended(deployment)
}

/// Whoever cancels looks at what is there, and says how to go on; when time was up, nobody did.
fn stays_as_it_is(attempt: &Attempt) -> bool {
    match attempt.cancel.as_ref().map(|cancel| cancel.cause) {
        None | Some(Cause::TimeLimit) => false,
        Some(Cause::Person | Cause::Stopped) => true,
    }
}

/// Canceled, or failed: a failure comes first where there is one, for whoever cancelled after it did not make it.
pub(super) fn ended(deployment: &Deployment) -> Vec<What> {
    let attempt = &deployment.attempt;
    let finish = match attempt.failure.as_ref().map(|failure| &failure.of) {
        Some(FailureOf::Plan | FailureOf::Phase(_)) => Finish::PhaseFailed,
        Some(FailureOf::Gates) => Finish::GatesFailed,
        Some(FailureOf::Approval) => Finish::Rejected,
        None => Finish::Canceled(attempt.cancel.as_ref().map_or(Cause::Person, |cancel| cancel.cause)),
    };
    vec![change_of(deployment, Change::Finished { finish })]
}

/// Whether the phase began to apply, in this attempt or in one that it resumes, and was not undone yet.
fn is_to_undo(deployment: &Deployment, index: usize) -> bool {
    let run = &deployment.attempt.phases[index];
    let began = run.started_at.is_some() || run.begun_before.is_some();
    deployment.is_apply(index) && began && run.undo.is_none()
}

pub(super) fn undone(deployment: &Deployment, phase: usize, result: UndoResult) -> Vec<What> {
    let others = (0..deployment.attempt.phases.len()).filter(|index| *index != phase);
    let all_back = result == UndoResult::Undone
        && others.clone().all(|index| !is_to_undo(deployment, index))
        && others
            .map(|index| &deployment.attempt.phases[index].undo)
            .all(|undo| !matches!(undo, Some(UndoResult::NotUndone(_))));
    let mut steps = vec![change_of(deployment, of_phase(phase, PhaseChange::UndoEnded { result }))];
    if all_back && deployment.attempt.replaced.is_some() {
        let environment = deployment.environment.clone();
        steps.push(What::CurrentRestored { environment, deployment: deployment.number });
    }
    steps
}

pub(super) fn succeeded(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let finish = if deployment.attempt.is_partial() { Finish::PartiallySucceeded } else { Finish::Succeeded };
    let mut steps = Vec::new();
    if changes_live(deployment) && !deployment.failed_to_apply() {
        steps.extend(goes_live(state, deployment, now));
    }
    if finish == Finish::Succeeded {
        steps.extend(stage_done(state, deployment));
    }
    steps.push(change_of(deployment, Change::Finished { finish }));
    steps
}

/// A build is of a draft, which is nowhere live, whatever older project files say. What takes down leaves nothing live,
/// also by a workflow that brings nothing.
fn changes_live(deployment: &Deployment) -> bool {
    match deployment.workflow().stage {
        WorkflowStage::Build => false,
        WorkflowStage::Setup | WorkflowStage::Patch | WorkflowStage::Teardown => {
            deployment.workflow().goes_live || leaves_nothing_live(deployment)
        }
    }
}

fn goes_live(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let live = Live {
        release: deployment.release.tag.clone(),
        workflow: deployment.workflow.clone(),
        deployment: deployment.number,
        since: now,
    };
    let live = (!leaves_nothing_live(deployment)).then_some(live);
    let current = live.is_some().then(|| current_of(deployment, now));
    let (environment, applications) = (deployment.environment.clone(), deployment.applications());
    let before = match &applications {
        Some(_) => LiveBefore::Same,
        None => live_before(state, deployment, live.as_ref()),
    };
    let around = of_promotion(state, deployment, now);
    let mut steps = vec![What::LiveChanged { environment, applications, live, before }];
    if current.is_none() || !state.wrote_last(deployment) {
        steps.push(current_changed(state, deployment, current));
    }
    steps.extend(around);
    steps
}

/// What else changes in an environment with its live release: whether releases are promoted.
fn of_promotion(state: &State, deployment: &Deployment, now: Timestamp) -> Vec<What> {
    let Some(there) = state.environments.get(&deployment.environment) else { return Vec::new() };
    let mut changes = Vec::new();
    let tag = &deployment.release.tag;
    let meant = state.definition.environments.get(&deployment.environment);
    let deploys_itself = meant.is_some_and(|meant| meant.promotion.is_some() || meant.schedule.is_some());
    if deployment.deployment_type == DeploymentType::Rollback && deploys_itself {
        // What its own first apply has replaced, where it has applied.
        let replaced = deployment.attempt.replaced.as_ref().and_then(|replaced| replaced.current.as_ref());
        let current = replaced.or(there.current.as_ref()).map(|current| &current.release);
        let bad = there.live.as_ref().map(|live| &live.release).filter(|live| *live != tag).or(current);
        let hold = PromotionHold {
            since: now,
            rollback: deployment.number,
            bad: bad.filter(|bad| *bad != tag).cloned(),
            // Of a rollback before this one, too: nobody has released it.
            held_back: there.promotion_hold.as_ref().map(|hold| hold.held_back.clone()).unwrap_or_default(),
        };
        changes.push(EnvironmentChange::PromotionHeld { hold });
    } else if there.promotion_hold.as_ref().is_some_and(|hold| hold.bad.as_ref() == Some(tag)) {
        changes.push(EnvironmentChange::PromotionReleased { by: None });
    }
    let environment = &deployment.environment;
    changes.into_iter().map(|change| What::Environment { environment: environment.clone(), change }).collect()
}

/// What a workflow's stage is there for is done.
fn stage_done(state: &State, deployment: &Deployment) -> Option<What> {
    let there = state.environments.get(&deployment.environment);
    let is_set_up = there.is_some_and(|there| there.setup.is_some());
    let set_up = |fingerprint: Option<Digest>| What::Environment {
        environment: deployment.environment.clone(),
        change: EnvironmentChange::SetUp { fingerprint, release: fingerprint.map(|_| deployment.release.tag.clone()) },
    };
    match deployment.workflow().stage {
        WorkflowStage::Build => Some(What::ReleaseBuilt {
            tag: deployment.release.tag.clone(),
            artifacts: deployment.attempt.phases.iter().flat_map(|run| run.artifacts.iter().cloned()).collect(),
        }),
        WorkflowStage::Setup => {
            let fingerprint = setup_fingerprint(deployment.workflow(), &deployment.attempt.environment);
            Some(set_up(Some(fingerprint)))
        }
        WorkflowStage::Teardown => Some(set_up(None)),
        // What takes an environment down with the workflow that patches takes its setup along.
        WorkflowStage::Patch if is_set_up && leaves_nothing_live(deployment) => Some(set_up(None)),
        WorkflowStage::Patch => None,
    }
}

/// When either changes, the environment has to be set up again.
pub(crate) fn setup_fingerprint(workflow: &Workflow, environment: &Environment) -> Digest {
    let written = serde_json::to_value((workflow, &environment.variables)).expect("plain data can be written");
    Digest::of(canonical(&written).as_bytes())
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
