//! Triggers: who may bring which release where, and how it gets in line.

use std::collections::BTreeMap;

use serde_json::Value;

use super::stages::{self, word};
use super::{Deploy, LONGEST_INPUT, LONGEST_TEXT, MOST_HELD, MOST_SELECTIONS, MOST_WAITING, Rejection, Turn, at_most};
use crate::definition::{Environment, PhaseWork, listed};
use crate::deployment::{DeploymentType, Flags, Hold, HoldReason};
use crate::digest::Digest;
use crate::environment::Likeness;
use crate::name::{Actor, Name, Tag};
use crate::release::Release;
use crate::selection::Selection;
use crate::state::{Queued, State, TriggerKey, What};

pub(super) fn deploy(turn: &mut Turn, deploy: Deploy) -> Result<(), Rejection> {
    // A rollback is trusted with lighter rules because of where it goes: nobody may name that.
    if deploy.deployment_type == DeploymentType::Rollback {
        return Err(Rejection::RollbackByHand { release: deploy.release });
    }
    queue(turn, deploy)
}

/// Gets a deployment in line, or beside it where it has to wait for something of its own.
pub(super) fn queue(turn: &mut Turn, deploy: Deploy) -> Result<(), Rejection> {
    let state = &turn.state;
    if already_triggered(state, deploy.key.as_ref())? {
        return Ok(());
    }
    at_most("the comment's length", deploy.comment.len(), LONGEST_TEXT)?;
    let Some(environment) = state.definition.environments.get(&deploy.environment).cloned() else {
        return Err(unknown_environment(state, &deploy.environment));
    };
    let release = state.releases.get(&deploy.release).ok_or_else(|| unknown_release(state, &deploy.release))?.clone();
    selections_fit(state, &deploy)?;
    let workflow = stages::workflow_of(&release, &environment, &deploy)?;
    let stage = release.workflows[&workflow].stage;
    let run = stages::Run {
        release: &release,
        stage,
        deployment_type: deploy.deployment_type,
        environment: &deploy.environment,
        meant: &environment,
    };
    stages::may_run(state, &run)?;
    fits_environment(&release, &workflow, &deploy.environment, &environment)?;
    has_room(state, &deploy.environment)?;
    let gate_plugins = pinned_gates(turn, &deploy.environment, &environment)?;
    let hold = hold(turn, &environment, &deploy)?;
    let queued = Queued {
        number: state.last_number + 1,
        environment: deploy.environment,
        release: deploy.release,
        deployment_type: deploy.deployment_type,
        flags: deploy.flags,
        selections: deploy.selections,
        input: deploy.input,
        hold,
        comment: deploy.comment,
        by: deploy.by,
        workflow,
        gate_plugins,
        key: deploy.key,
    };
    let there = state.environments.get(&queued.environment);
    let likeness = Likeness::of(queued.deployment_type, &queued.workflow, &queued.selections);
    let before = there.and_then(|there| there.newest_like(&likeness?));
    let number = queued.number;
    turn.record(What::DeploymentQueued(queued));
    before.into_iter().for_each(|older| turn.settle(older));
    turn.settle(number);
    Ok(())
}

fn selections_fit(state: &State, deploy: &Deploy) -> Result<(), Rejection> {
    at_most("the number of selections", deploy.selections.len(), MOST_SELECTIONS)?;
    let selective = deploy.deployment_type == DeploymentType::Selective;
    if !selective && !deploy.selections.is_empty() {
        return Err(Rejection::SelectionsNotAllowed { deployment_type: word(&deploy.deployment_type) });
    }
    let selects_nothing =
        |selection: &Selection| *selection == Selection { action: selection.action, ..Selection::default() };
    if selective && (deploy.selections.is_empty() || deploy.selections.iter().any(selects_nothing)) {
        return Err(Rejection::NoSelection);
    }
    let mut applications = deploy.selections.iter().filter_map(|selection| selection.application.as_ref());
    applications.try_for_each(|application| expect_application(state, application.as_str()))
}

/// What it has to wait for by itself, beside the queue.
fn hold(turn: &Turn, environment: &Environment, deploy: &Deploy) -> Result<Option<Hold>, Rejection> {
    if let Some(at) = deploy.not_before
        && at <= turn.now
    {
        return Err(Rejection::TimeIsPast { what: "a deployment", given: at });
    }
    let hold = match deploy.not_before {
        Some(at) => Some(Hold { because: HoldReason::Scheduled, until: Some(at) }),
        None => turn.state.missing_of(deploy.deployment_type, &environment.requires, &deploy.release, turn.now),
    };
    if hold.is_some() {
        may_be_held(&turn.state, &deploy.environment)?;
    }
    Ok(hold)
}

pub(super) struct EndpointCall {
    pub endpoint: Name,
    pub environment: Name,
    pub input: Value,
    pub key: Option<TriggerKey>,
    pub by: Actor,
}

/// Whatever is live says what its endpoints do: when that changes, they change with it.
pub(super) fn call_endpoint(turn: &mut Turn, call: EndpointCall) -> Result<(), Rejection> {
    let EndpointCall { endpoint, environment, input, key, by } = call;
    if already_triggered(&turn.state, key.as_ref())? {
        return Ok(());
    }
    let length = serde_json::to_string(&input).map_or(0, |text| text.len());
    at_most("the input's length in bytes", length, LONGEST_INPUT)?;
    if !turn.state.definition.environments.contains_key(&environment) {
        return Err(unknown_environment(&turn.state, &environment));
    }
    let Some(release) = turn.state.live_release(&environment) else {
        let allowed = "its endpoints are those of the live release: deploy one first";
        return Err(Rejection::NothingLive { environment, allowed });
    };
    let Some(workflow) = release.endpoints.get(&endpoint).cloned() else {
        return Err(Rejection::UnknownEndpoint {
            release: release.tag.clone(),
            environment,
            endpoint,
            known: listed(release.endpoints.keys()),
        });
    };
    let (release, flags) = (release.tag.clone(), turn.state.definition.unattended(&environment));
    queue(
        turn,
        Deploy {
            environment,
            release,
            deployment_type: DeploymentType::Custom,
            flags,
            selections: Vec::new(),
            input,
            comment: format!("endpoint {endpoint}"),
            workflow: Some(workflow),
            not_before: None,
            key,
            by,
        },
    )
}

pub(super) fn roll_back(
    turn: &mut Turn,
    environment: Name,
    comment: String,
    key: Option<TriggerKey>,
    by: Actor,
) -> Result<(), Rejection> {
    if already_triggered(&turn.state, key.as_ref())? {
        return Ok(());
    }
    if !turn.state.definition.environments.contains_key(&environment) {
        return Err(unknown_environment(&turn.state, &environment));
    }
    let Some(back_to) = turn.state.rollback_to(&environment).cloned() else {
        return Err(Rejection::NothingToRollBackTo { environment });
    };
    queue(
        turn,
        Deploy {
            release: back_to.release,
            workflow: Some(back_to.workflow),
            deployment_type: DeploymentType::Rollback,
            flags: Flags::default(),
            selections: Vec::new(),
            input: Value::Null,
            not_before: None,
            environment,
            comment,
            key,
            by,
        },
    )
}

/// The same key and the same request: already done, and the caller gets the deployment it made.
pub(super) fn already_triggered(state: &State, key: Option<&TriggerKey>) -> Result<bool, Rejection> {
    match key.and_then(|key| Some((key, state.triggers.get(&key.id())?))) {
        None => Ok(false),
        Some((key, (request, _))) if *request == key.request => Ok(true),
        Some((key, (_, number))) => Err(Rejection::KeyReused { key: key.key.clone(), number: *number }),
    }
}

pub fn unknown_release(state: &State, tag: &Tag) -> Rejection {
    Rejection::UnknownRelease {
        tag: tag.clone(),
        project: state.project.name.clone(),
        known: listed(state.releases.keys().rev()),
    }
}

pub fn expect_application(state: &State, application: &str) -> Result<(), Rejection> {
    if state.definition.applications.iter().any(|known| known.as_str() == application) {
        return Ok(());
    }
    Err(Rejection::UnknownApplication {
        application: application.to_owned(),
        project: state.project.name.clone(),
        known: listed(&state.definition.applications),
    })
}

pub fn unknown_environment(state: &State, environment: &Name) -> Rejection {
    Rejection::UnknownEnvironment {
        environment: environment.clone(),
        project: state.project.name.clone(),
        known: listed(state.definition.environments.keys()),
    }
}

/// The release was made before, the environment is as it is now: they must still fit.
pub(super) fn fits_environment(
    release: &Release,
    workflow: &Name,
    name: &Name,
    environment: &Environment,
) -> Result<(), Rejection> {
    let mut plugins = Vec::new();
    for phase in &release.workflows[workflow].phases {
        let PhaseWork::Apply { target } = &phase.work else { continue };
        let found = environment.targets.get(target).ok_or_else(|| Rejection::UnknownTarget {
            workflow: workflow.clone(),
            target: target.clone(),
            environment: name.clone(),
            known: listed(environment.targets.keys()),
        })?;
        plugins.push(&found.plugin);
    }
    match plugins.into_iter().find(|plugin| !release.plugins.contains_key(*plugin)) {
        Some(plugin) => Err(Rejection::PluginNotPinned {
            release: release.tag.clone(),
            plugin: plugin.clone(),
            environment: name.clone(),
        }),
        None => Ok(()),
    }
}

/// Protection belongs to the environment and its operators: its gates are those approved now, whatever the release.
pub(super) fn pinned_gates(
    turn: &Turn<'_>,
    name: &Name,
    environment: &Environment,
) -> Result<BTreeMap<Name, Digest>, Rejection> {
    let gates = environment.gate_sets().flat_map(|(_, set)| &set.gates);
    let pin = |plugin: &Name| match turn.gates.get(plugin) {
        Some(digest) => Ok((plugin.clone(), *digest)),
        None => Err(Rejection::GateNotApproved { environment: name.clone(), plugin: plugin.clone() }),
    };
    gates.map(|gate| pin(&gate.plugin)).collect()
}

pub(super) fn may_be_held(state: &State, environment: &Name) -> Result<(), Rejection> {
    let waiting = state.environments.get(environment).map_or(0, |there| there.held.len());
    if waiting < MOST_HELD {
        return Ok(());
    }
    Err(Rejection::QueueFull { environment: environment.clone(), waiting })
}

pub(super) fn has_room(state: &State, environment: &Name) -> Result<(), Rejection> {
    let waiting = state.environments.get(environment).map_or(0, |there| there.queue.len());
    if waiting < MOST_WAITING {
        return Ok(());
    }
    Err(Rejection::QueueFull { environment: environment.clone(), waiting })
}
