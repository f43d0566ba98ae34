//! Promotion: a release that is live in one environment goes to the next, by hand or by itself.

use serde_json::Value;

use super::{Deploy, MOST_STARTS, Rejection, Turn, WentLive, people, stages, triggers, unknown_environment};
use crate::deployment::{DeploymentType, Flags};
use crate::environment::{EnvironmentChange, EnvironmentState, Likeness};
use crate::name::{Actor, DeploymentNumber, Name, Tag};
use crate::state::{State, TriggerKey};

/// Through what a promotion comes that nobody has asked for; the environment's name follows.
const BY_ITSELF: &str = "promotion from ";

pub(super) struct ByHand {
    pub environment: Name,
    pub from: Option<Name>,
    pub flags: Flags,
    pub comment: String,
    pub key: Option<TriggerKey>,
    pub by: Actor,
}

pub(super) fn by_hand(turn: &mut Turn, asked: ByHand) -> Result<(), Rejection> {
    let ByHand { environment, from, flags, comment, key, by } = asked;
    if triggers::already_triggered(&turn.state, key.as_ref())? {
        return Ok(());
    }
    let Some(meant) = turn.state.definition.environments.get(&environment) else {
        return Err(unknown_environment(&turn.state, &environment));
    };
    let usual = meant.promotion.as_ref().map(|promotion| promotion.from.clone());
    let from = match (from, usual) {
        (Some(from), Some(usual)) if from != usual => {
            return Err(Rejection::NotPromotedFrom { environment, from: usual.to_string() });
        }
        (Some(from), _) | (None, Some(from)) => from,
        (None, None) => {
            let from = "the environment that you name with --from".to_owned();
            return Err(Rejection::NotPromotedFrom { environment, from });
        }
    };
    if !turn.state.definition.environments.contains_key(&from) {
        return Err(unknown_environment(&turn.state, &from));
    }
    let Some(live) = turn.state.environments.get(&from).and_then(|there| there.live.clone()) else {
        let allowed = "deploy a release there first, then promote it";
        return Err(Rejection::NothingLive { environment: from, allowed });
    };
    let deploy = promoted(environment, live.release, by);
    triggers::queue(turn, Deploy { flags, comment, key, ..deploy })
}

fn promoted(environment: Name, release: Tag, by: Actor) -> Deploy {
    Deploy {
        environment,
        release,
        deployment_type: DeploymentType::Full,
        flags: Flags::default(),
        selections: Vec::new(),
        input: Value::Null,
        comment: String::new(),
        workflow: None,
        not_before: None,
        key: None,
        by,
    }
}

/// A release has become live: the next environments get it where they want to.
pub(super) fn follow(turn: &mut Turn, live: WentLive) {
    let definition = turn.state.definition.clone();
    for (name, environment) in &definition.environments {
        let Some(promotion) = &environment.promotion else { continue };
        if promotion.from != live.environment || !promotion.automatic || (live.partial && !promotion.partial) {
            continue;
        }
        promote(turn, name, &live);
    }
}

fn promote(turn: &mut Turn, environment: &Name, live: &WentLive) {
    let release = live.release.clone();
    let there = turn.state.environment(environment);
    if there.promotion_hold.is_some() {
        return turn.change_environment(environment, EnvironmentChange::PromotionHeldBack { release });
    }
    if there.live.as_ref().is_some_and(|there| there.release == release) {
        return;
    }
    let by = live.by.through(format!("{BY_ITSELF}{}", live.environment));
    let flags = turn.state.definition.unattended(environment);
    let deploy = Deploy { flags, ..promoted(environment.clone(), release.clone(), by) };
    if is_on_its_way(&turn.state, &there, &deploy) {
        return;
    }
    if let Err(rejection) = triggers::queue(turn, deploy) {
        let because = rejection.to_string();
        turn.change_environment(environment, EnvironmentChange::PromotionRefused { release, because });
    }
}

/// Once is enough, however often the release becomes live where it comes from.
fn is_on_its_way(state: &State, there: &EnvironmentState, deploy: &Deploy) -> bool {
    let does_it = |number: &DeploymentNumber| {
        let deployment = state.deployments.get(number);
        deployment.is_some_and(|it| it.deployment_type == deploy.deployment_type && it.release.tag == deploy.release)
    };
    let newest = || {
        let release = state.releases.get(&deploy.release)?;
        let environment = state.definition.environments.get(&deploy.environment)?;
        let workflow = stages::workflow_of(release, environment, deploy).ok()?;
        there.newest_like(&Likeness::of(deploy.deployment_type, &workflow, &deploy.selections)?)
    };
    there.slots.iter().any(does_it) || newest().is_some_and(|number| does_it(&number))
}

/// After a rollback: what came by itself before it, and waits, would undo it.
pub(super) fn hold_back(turn: &mut Turn, environment: &Name) {
    let there = turn.state.environment(environment);
    let came_by_itself = |number: &&DeploymentNumber| {
        let deployment = turn.state.deployments.get(*number);
        deployment.is_some_and(|deployment| deployment.triggered_by.via.starts_with(BY_ITSELF))
    };
    let waiting = there.queue.iter().chain(&there.held).filter(came_by_itself);
    let waiting: Vec<DeploymentNumber> = waiting.take(MOST_STARTS).copied().collect();
    for number in waiting {
        let Some(release) = turn.state.deployments.get(&number).map(|deployment| deployment.release.tag.clone()) else {
            continue;
        };
        people::stop_waiting(turn, number, "rollback", "nothing is promoted here by itself since a rollback");
        turn.change_environment(environment, EnvironmentChange::PromotionHeldBack { release });
    }
}
