//! What operators say about a project and its environments: its definition, pauses, holds, expiry.

use std::sync::Arc;

use super::{Expiry, LONGEST_TEXT, PauseScope, Rejection, Turn, at_most, people, schedule, unknown_environment};
use crate::definition::Definition;
use crate::deployment::Stage;
use crate::environment::{EnvironmentChange, EnvironmentState, Pause, PauseOf};
use crate::name::{Actor, DeploymentNumber, Name};
use crate::state::What;

pub(super) fn set_definition(turn: &mut Turn, definition: Arc<Definition>, by: Actor) -> Result<(), Rejection> {
    let removed = |environment: &Name| !definition.environments.contains_key(environment);
    for (environment, there) in turn.state.environments.iter().filter(|(environment, _)| removed(environment)) {
        let under_way = there.slots.get_min().or_else(|| there.queue.front()).or_else(|| there.held.get_min());
        if let Some(number) = under_way.copied() {
            return Err(Rejection::EnvironmentInUse { environment: environment.clone(), number });
        }
        if there.leaves_something() {
            return Err(Rejection::EnvironmentLive { environment: environment.clone(), left: there.what_is_left() });
        }
    }
    if *turn.state.definition == *definition {
        return Ok(());
    }
    let before = turn.state.definition.clone();
    turn.record(What::DefinitionChanged { definition, by: by.clone() });
    schedule::plan_again(turn, &before, &by);
    // Freezes may be others now: whom they ask, and whom they hold back.
    let asked: Vec<DeploymentNumber> = turn.state.environments.values().flat_map(|there| asked(turn, there)).collect();
    asked.into_iter().for_each(|number| turn.carry_on(number));
    let environments: Vec<Name> = turn.state.environments.keys().cloned().collect();
    environments.iter().for_each(|environment| turn.fill_slots(environment));
    turn.follow();
    Ok(())
}

/// Those for whom somebody is to agree.
fn asked<'a>(turn: &'a Turn, there: &'a EnvironmentState) -> impl Iterator<Item = DeploymentNumber> + 'a {
    let is_asked = |number: &DeploymentNumber| {
        let stage = turn.state.deployments.get(number).map(|deployment| &deployment.attempt.stage);
        stage.is_some_and(|stage| matches!(stage, Stage::AwaitingApproval(_)))
    };
    there.slots.iter().copied().filter(is_asked)
}

pub(super) fn pause(turn: &mut Turn, scope: PauseScope, reason: String, by: Actor) -> Result<(), Rejection> {
    at_most("the reason's length", reason.len(), LONGEST_TEXT)?;
    if let Some(pause) = paused(turn, &scope)? {
        let (by, reason) = (pause.by.person.clone(), pause.reason.clone());
        return Err(Rejection::PausedAlready { place: place(&scope), by, reason });
    }
    let pause = Pause { by, at: turn.now, reason };
    match scope {
        PauseScope::Project => {
            turn.record(What::Paused { pause });
            let environments: Vec<Name> = turn.state.environments.keys().cloned().collect();
            environments.iter().for_each(|environment| turn.fill_slots(environment));
        }
        PauseScope::Environment(environment) => {
            turn.change_environment(&environment, EnvironmentChange::Paused { of: PauseOf::Deployments, pause });
            turn.fill_slots(&environment);
        }
        PauseScope::Schedule(environment) => {
            turn.change_environment(&environment, EnvironmentChange::Paused { of: PauseOf::Schedule, pause });
        }
    }
    turn.follow();
    Ok(())
}

pub(super) fn resume(turn: &mut Turn, scope: PauseScope, by: Actor) -> Result<(), Rejection> {
    if paused(turn, &scope)?.is_none() {
        return Err(match scope {
            PauseScope::Environment(environment) if turn.state.environment(&environment).schedule_pause.is_some() => {
                Rejection::OnlyScheduleIsPaused { environment }
            }
            scope => Rejection::NotPaused { place: place(&scope) },
        });
    }
    match scope {
        PauseScope::Project => {
            turn.record(What::Resumed { by });
            let environments: Vec<Name> = turn.state.environments.keys().cloned().collect();
            environments.iter().for_each(|environment| turn.fill_slots(environment));
        }
        PauseScope::Environment(environment) => {
            turn.change_environment(&environment, EnvironmentChange::Resumed { of: PauseOf::Deployments, by });
            turn.fill_slots(&environment);
        }
        PauseScope::Schedule(environment) => {
            turn.change_environment(&environment, EnvironmentChange::Resumed { of: PauseOf::Schedule, by });
        }
    }
    turn.follow();
    Ok(())
}

fn paused(turn: &Turn, scope: &PauseScope) -> Result<Option<Pause>, Rejection> {
    let there = |environment: &Name| match turn.state.definition.environments.contains_key(environment) {
        true => Ok(turn.state.environment(environment)),
        false => Err(unknown_environment(&turn.state, environment)),
    };
    Ok(match scope {
        PauseScope::Project => turn.state.pause.clone(),
        PauseScope::Environment(environment) => there(environment)?.pause.clone(),
        PauseScope::Schedule(environment) => there(environment)?.schedule_pause.clone(),
    })
}

fn place(scope: &PauseScope) -> String {
    match scope {
        PauseScope::Project => "in the whole project".to_owned(),
        PauseScope::Environment(environment) => format!("in environment `{environment}`"),
        PauseScope::Schedule(environment) => format!("in the schedule of environment `{environment}`"),
    }
}

pub(super) fn release_hold(turn: &mut Turn, environment: Name, by: Actor) -> Result<(), Rejection> {
    if !turn.state.definition.environments.contains_key(&environment) {
        return Err(unknown_environment(&turn.state, &environment));
    }
    if turn.state.environment(&environment).promotion_hold.is_none() {
        return Err(Rejection::NoPromotionHold { environment });
    }
    turn.change_environment(&environment, EnvironmentChange::PromotionReleased { by: Some(by) });
    Ok(())
}

pub(super) fn expire(turn: &mut Turn, environment: Name, when: Expiry, by: Actor) -> Result<(), Rejection> {
    let Some(meant) = turn.state.definition.environments.get(&environment) else {
        return Err(unknown_environment(&turn.state, &environment));
    };
    if meant.expires_after_ms.is_none() {
        return Err(Rejection::NoExpiry { environment });
    }
    let at = match when {
        Expiry::At(given) if given < turn.now => return Err(Rejection::ExpiryIsPast { given }),
        Expiry::At(at) => Some(at),
        Expiry::Now => Some(turn.now),
        Expiry::Never => None,
    };
    let under_way = schedule::teardown_for_expiry(turn, &environment).filter(|_| when != Expiry::Now);
    if let Some(number) = under_way
        && turn.state.deployments.get(&number).is_some_and(|deployment| deployment.attempt.begun())
    {
        return Err(Rejection::TeardownUnderWay { environment, number });
    }
    turn.change_environment(&environment, EnvironmentChange::ExpiryPlanned { at, by: Some(by) });
    if let Some(number) = under_way {
        people::stop_waiting(turn, number, "expiry", "the environment stays for longer");
    }
    Ok(())
}
