//! Promotion: a release that is live in one environment goes to the next, by hand or by itself.

use serde_json::Value;

use super::{Deploy, Rejection, Turn, WentLive, triggers, unknown_environment};
use crate::deployment::{DeploymentType, Flags};
use crate::environment::EnvironmentChange;
use crate::name::{Actor, Name, Tag};
use crate::state::TriggerKey;

pub(super) struct ByHand {
    pub environment: Name,
    pub from: Option<Name>,
    pub comment: String,
    pub key: Option<TriggerKey>,
    pub by: Actor,
}

pub(super) fn by_hand(turn: &mut Turn, asked: ByHand) -> Result<(), Rejection> {
    let ByHand { environment, from, comment, key, by } = asked;
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
    triggers::queue(turn, Deploy { comment, key, ..deploy })
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
    let by = live.by.through(format!("promotion from {}", live.environment));
    if let Err(rejection) = triggers::queue(turn, promoted(environment.clone(), release.clone(), by)) {
        let because = rejection.to_string();
        turn.change_environment(environment, EnvironmentChange::PromotionRefused { release, because });
    }
}
