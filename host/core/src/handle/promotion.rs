//! Promotion: a release that is live in one environment goes to the next, by hand or by itself.

use serde_json::Value;

use super::{Deploy, MOST_STARTS, Rejection, Turn, WentLive, people, schedule, stages, triggers, unknown_environment};
use crate::deployment::{Deployment, DeploymentType, Flags};
use crate::environment::{EnvironmentChange, EnvironmentState, Likeness, Live};
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
        (None, None) => return Err(Rejection::NothingToPromoteFrom { environment }),
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
    let by = live.by.through(format!("{BY_ITSELF}{}", live.environment));
    let flags = turn.state.definition.unattended(environment);
    let deploy = Deploy { flags, ..promoted(environment.clone(), release.clone(), by) };
    if newest(&turn.state, &there, &deploy).is_some_and(|newest| newest == release) {
        return;
    }
    if let Err(rejection) = triggers::queue(turn, deploy) {
        let because = rejection.to_string();
        turn.change_environment(environment, EnvironmentChange::PromotionRefused { release, because });
    }
}

/// The release that will be live there when all that waits and works is done: once is enough, however often it becomes live
/// where it comes from.
fn newest(state: &State, there: &EnvironmentState, deploy: &Deploy) -> Option<Tag> {
    let waiting = || {
        let release = state.releases.get(&deploy.release)?;
        let environment = state.definition.environments.get(&deploy.environment)?;
        let workflow = stages::workflow_of(release, environment, deploy).ok()?;
        there.newest_like(&Likeness::of(deploy.deployment_type, &workflow, &deploy.selections)?)
    };
    let does_it = |number: &DeploymentNumber| {
        state.deployments.get(number).filter(|deployment| deployment.deployment_type == deploy.deployment_type)
    };
    let works = || there.slots.iter().rev().find_map(does_it);
    let deployment = waiting().and_then(|number| does_it(&number)).or_else(works);
    deployment.map(|it| it.release.tag.clone()).or_else(|| there.live.as_ref().map(|live| live.release.clone()))
}

/// After a rollback: what came by itself before it, and waits, would undo it. Of many those behind are stopped when their
/// turn comes.
pub(super) fn hold_back(turn: &mut Turn, environment: &Name) {
    let there = turn.state.environment(environment);
    let came_by_itself =
        |number: &&DeploymentNumber| turn.state.deployments.get(*number).is_some_and(|it| by_itself(it));
    let waiting = there.queue.iter().chain(&there.held).filter(came_by_itself);
    let waiting: Vec<DeploymentNumber> = waiting.take(MOST_STARTS).copied().collect();
    for number in waiting {
        note_held_back(turn, number);
        people::stop_waiting(turn, number, "rollback", SINCE_A_ROLLBACK);
    }
}

const SINCE_A_ROLLBACK: &str = "nothing is deployed here by itself since a rollback";

fn by_itself(deployment: &Deployment) -> bool {
    let via = &deployment.triggered_by.via;
    via.starts_with(BY_ITSELF) || via.starts_with(schedule::BY_SCHEDULE)
}

/// What came by itself does not undo what people did since.
pub(super) fn is_in_time(state: &State, deployment: &Deployment) -> Result<(), &'static str> {
    let there = state.environments.get(&deployment.environment).filter(|_| by_itself(deployment));
    let is_older = |live: &Live| live.deployment > deployment.number;
    match there {
        Some(there) if there.promotion_hold.is_some() => Err(SINCE_A_ROLLBACK),
        Some(there) if there.live.as_ref().is_some_and(is_older) => {
            Err("a newer deployment went live here before its turn came")
        }
        Some(_) | None => Ok(()),
    }
}

/// Of what came by itself, where a rollback holds that up.
pub(super) fn note_held_back(turn: &mut Turn, number: DeploymentNumber) {
    let Some(deployment) = turn.state.deployments.get(&number).filter(|it| by_itself(it)).cloned() else { return };
    let (environment, release) = (&deployment.environment, deployment.release.tag.clone());
    if turn.state.environment(environment).promotion_hold.is_some() {
        turn.change_environment(environment, EnvironmentChange::PromotionHeldBack { release });
    }
}
