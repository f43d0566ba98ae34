//! What the clock starts: scheduled deployments, and the end of ephemeral environments.

use serde_json::Value;

use super::{Deploy, MOST_STARTS, Turn, people, stages, triggers};
use crate::definition::Definition;
use crate::deployment::{DeploymentType, Flags};
use crate::environment::{EnvironmentChange, NextTick, Tick, TickOutcome};
use crate::name::{Actor, DeploymentNumber, Name, Tag};
use crate::release::ReleaseStatus;

/// A teardown that was refused is tried again so much later.
const TEARDOWN_AGAIN_MS: u64 = 60 * 60 * 1_000;

/// A schedule that is new, or another one, counts from now, and so does the time of what has become ephemeral. What is
/// not ephemeral any more does not expire.
pub(super) fn plan_again(turn: &mut Turn, before: &Definition, by: &Actor) {
    let definition = turn.state.definition.clone();
    for removed in before.environments.keys().filter(|name| !definition.environments.contains_key(*name)) {
        forget_plans(turn, removed);
    }
    for (name, environment) in &definition.environments {
        let before = before.environments.get(name);
        plan_expiry_again(turn, name, before.and_then(|before| before.expires_after_ms), by);
        if environment.schedule.as_ref() == before.and_then(|before| before.schedule.as_ref()) {
            continue;
        }
        let at = environment.schedule.as_ref().and_then(|schedule| schedule.next_after(turn.now, turn.now));
        let tick = at.map(|at| NextTick { at, anchor: turn.now });
        turn.change_environment(name, EnvironmentChange::TickPlanned { tick });
    }
}

fn forget_plans(turn: &mut Turn, removed: &Name) {
    let there = turn.state.environment(removed);
    if there.tick.is_some() {
        turn.change_environment(removed, EnvironmentChange::TickPlanned { tick: None });
    }
    if there.expires_at.is_some() {
        turn.change_environment(removed, EnvironmentChange::ExpiryPlanned { at: None, by: None });
    }
}

fn plan_expiry_again(turn: &mut Turn, name: &Name, before_ms: Option<u64>, by: &Actor) {
    let after_ms = turn.state.definition.environments.get(name).and_then(|meant| meant.expires_after_ms);
    let there = turn.state.environment(name);
    let at = match (before_ms, after_ms) {
        (None, Some(after_ms)) if there.leaves_something() => Some(turn.now.plus_ms(after_ms)),
        (Some(_), None) if there.expires_at.is_some() => None,
        (Some(_) | None, Some(_) | None) => return,
    };
    turn.change_environment(name, EnvironmentChange::ExpiryPlanned { at, by: Some(by.clone()) });
}

/// Whatever the environment's clock has come to by now.
pub(super) fn catch_up(turn: &mut Turn, environment: &Name) {
    let there = turn.state.environment(environment);
    if let Some(tick) = there.tick.as_ref().filter(|tick| tick.at <= turn.now) {
        let outcome = run(turn, environment);
        turn.change_environment(environment, EnvironmentChange::Ticked { tick: Tick { at: tick.at, outcome } });
        // Those that nobody was up for are not made up for.
        let schedule = turn.state.definition.environments.get(environment).and_then(|meant| meant.schedule.clone());
        let at = schedule.and_then(|schedule| schedule.next_after(tick.anchor, turn.now));
        let tick = at.map(|at| NextTick { at, anchor: tick.anchor });
        turn.change_environment(environment, EnvironmentChange::TickPlanned { tick });
    }
    if there.expires_at.is_some_and(|at| at <= turn.now) {
        expire(turn, environment);
    }
}

fn run(turn: &mut Turn, environment: &Name) -> TickOutcome {
    if let Some(outcome) = not_now(turn, environment) {
        return outcome;
    }
    let Some(release) = to_deploy(turn, environment) else {
        return TickOutcome::Skipped { because: "there is no active release to deploy".to_owned() };
    };
    let flags = turn.state.definition.unattended(environment);
    let deploy = deploy(turn, environment, release, DeploymentType::Full, "schedule");
    match triggers::queue(turn, Deploy { flags, ..deploy }) {
        Ok(()) => TickOutcome::Deployed { number: turn.state.last_number },
        Err(rejection) => TickOutcome::Skipped { because: rejection.to_string() },
    }
}

/// A pause skips a tick; whatever is under way or waits drops it. Of those that wait beside the queue, only the
/// schedule's own: else they would collect there, for a release that is nowhere live yet.
fn not_now(turn: &Turn, environment: &Name) -> Option<TickOutcome> {
    let there = turn.state.environment(environment);
    let pauses = [("the schedule", &there.schedule_pause), ("the environment", &there.pause)];
    let paused = pauses.into_iter().chain([("the project", &turn.state.pause)]);
    if let Some((what, pause)) = paused.filter_map(|(what, pause)| Some((what, pause.as_ref()?))).next() {
        let because = format!("{what} is paused by {}: {}", pause.by.person, pause.reason);
        return Some(TickOutcome::Skipped { because });
    }
    if let Some(hold) = &there.promotion_hold {
        let because = format!(
            "nothing is deployed here by itself since rollback {}, until somebody releases that",
            hold.rollback
        );
        return Some(TickOutcome::Skipped { because });
    }
    let dropped =
        |number: &DeploymentNumber, what: &str| TickOutcome::Dropped { because: format!("deployment {number} {what}") };
    let under_way = there.slots.get_min().map(|number| dropped(number, "was under way"));
    let waiting = there.queue.front().map(|number| dropped(number, "was waiting"));
    let is_own = |number: &&DeploymentNumber| {
        let deployment = turn.state.deployments.get(*number);
        deployment.is_some_and(|deployment| deployment.triggered_by.via == via("schedule", environment))
    };
    let own = there.held.iter().find(is_own).map(|number| dropped(number, "was waiting beside the queue"));
    under_way.or(waiting).or(own)
}

/// What is live where the environment's releases come from, and else the newest release there is.
fn to_deploy(turn: &Turn, environment: &Name) -> Option<Tag> {
    let definition = &turn.state.definition;
    if let Some(promotion) = &definition.environments.get(environment)?.promotion {
        return Some(turn.state.environments.get(&promotion.from)?.live.as_ref()?.release.clone());
    }
    let active = turn.state.releases.values().filter(|release| release.status == ReleaseStatus::Active);
    active.max_by_key(|release| (release.created_at, release.tag.clone())).map(|release| release.tag.clone())
}

/// Nobody asks, so it is on behalf of whoever wrote the definition.
fn deploy(turn: &Turn, environment: &Name, release: Tag, deployment_type: DeploymentType, why: &str) -> Deploy {
    let via = via(why, environment);
    let by = turn.state.defined_by.as_ref().map_or_else(|| Actor::host(&via), |by| by.through(via.clone()));
    Deploy {
        environment: environment.clone(),
        release,
        deployment_type,
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

const BY_EXPIRY: &str = "expiry";

/// Through what a scheduled deployment comes; the environment's name follows.
pub(super) const BY_SCHEDULE: &str = "schedule of ";

fn via(why: &str, environment: &Name) -> String {
    format!("{why} of {environment}")
}

/// The time of an ephemeral environment begins when something is there for the first time, live or not, and ends with the
/// last of it.
pub(super) fn note_what_is_left(turn: &mut Turn, environment: &Name, was_left: bool) {
    let Some(there) = turn.state.environments.get(environment) else { return };
    let after_ms = turn.state.definition.environments.get(environment).and_then(|meant| meant.expires_after_ms);
    let at = match (was_left, there.leaves_something(), there.expires_at) {
        (false, true, None) if !there.never_expires => after_ms.map(|after_ms| turn.now.plus_ms(after_ms)),
        (true, false, Some(_)) => None,
        (false, true, _) | (true, false, None) | (true, true, _) | (false, false, _) => return,
    };
    if at != there.expires_at {
        turn.change_environment(environment, EnvironmentChange::ExpiryPlanned { at, by: None });
    }
}

/// Its time is over: who waits is stopped, and what is left there is torn down.
fn expire(turn: &mut Turn, environment: &Name) {
    let there = turn.state.environment(environment);
    let is_needless = |number: &&DeploymentNumber| {
        let deployment = turn.state.deployments.get(*number);
        deployment.is_some_and(|deployment| deployment.deployment_type != DeploymentType::Destroy)
    };
    let waiting = there.queue.iter().chain(&there.held).filter(is_needless);
    let waiting: Vec<DeploymentNumber> = waiting.take(MOST_STARTS + 1).copied().collect();
    for number in waiting.iter().take(MOST_STARTS) {
        people::stop_waiting(turn, *number, "expiry", "the environment has expired");
    }
    if waiting.len() > MOST_STARTS {
        // Those behind are stopped in the next turns, before it is torn down.
        let at_once = Some(turn.now.plus_ms(1));
        return turn.change_environment(environment, EnvironmentChange::ExpiryPlanned { at: at_once, by: None });
    }
    let is_left = turn.state.environment(environment).leaves_something();
    let done = match teardown_under_way(turn, environment) {
        Some(number) => Ok(format!("deployment {number} tears it down already")),
        None if is_left => tear_down(turn, environment),
        None => Ok("nothing was left to tear down".to_owned()),
    };
    match done {
        Ok(because) => turn.change_environment(environment, EnvironmentChange::Expired { because, refused: false }),
        Err(because) => tear_down_later(turn, environment, because),
    }
}

fn tear_down_later(turn: &mut Turn, environment: &Name, because: String) {
    turn.change_environment(environment, EnvironmentChange::Expired { because, refused: true });
    let again = Some(turn.now.plus_ms(TEARDOWN_AGAIN_MS));
    turn.change_environment(environment, EnvironmentChange::ExpiryPlanned { at: again, by: None });
}

/// One that was to end the environment's time, whoever began it, and is over with something left. Where somebody has said
/// another time meanwhile, that one counts.
pub(super) fn note_teardown(turn: &mut Turn, number: DeploymentNumber) {
    let Some(deployment) = turn.state.deployments.get(&number) else { return };
    let environment = deployment.environment.clone();
    let there = turn.state.environment(&environment);
    let meant = turn.state.definition.environments.get(&environment);
    let is_ephemeral = meant.is_some_and(|meant| meant.expires_after_ms.is_some());
    let expires = is_ephemeral && !there.never_expires && there.expires_at.is_none();
    if deployment.is_finished() && tears_down(turn, number) && expires && there.leaves_something() {
        let ended = stages::word(&deployment.attempt.deployment_status());
        let because = format!("deployment {number} was to do it, and is {ended}");
        tear_down_later(turn, &environment, because);
    }
}

/// The teardown that the end of its time has led to.
pub(super) fn teardown_for_expiry(turn: &Turn, environment: &Name) -> Option<DeploymentNumber> {
    teardown_under_way(turn, environment).filter(|number| {
        let deployment = turn.state.deployments.get(number);
        deployment.is_some_and(|deployment| deployment.triggered_by.via == via(BY_EXPIRY, environment))
    })
}

/// Whoever says twice that its time is over means one teardown.
fn teardown_under_way(turn: &Turn, environment: &Name) -> Option<DeploymentNumber> {
    let there = turn.state.environment(environment);
    there.slots.iter().chain(there.queue.iter()).find(|number| tears_down(turn, **number)).copied()
}

fn tears_down(turn: &Turn, number: DeploymentNumber) -> bool {
    let deployment = turn.state.deployments.get(&number);
    deployment.is_some_and(|deployment| deployment.deployment_type == DeploymentType::Destroy)
}

/// By a release of which something is there, or else by the one that would be deployed next.
fn tear_down(turn: &mut Turn, environment: &Name) -> Result<String, String> {
    let there = turn.state.environment(environment);
    let is_active =
        |tag: &&Tag| turn.state.releases.get(*tag).is_some_and(|release| release.status == ReleaseStatus::Active);
    let Some(release) = there.releases_left().find(is_active).cloned().or_else(|| to_deploy(turn, environment)) else {
        return Err("there is no active release to do it with".to_owned());
    };
    let flags = Flags { allow_destructive: true, ..Flags::default() };
    let deploy = deploy(turn, environment, release, DeploymentType::Destroy, BY_EXPIRY);
    let queued = triggers::queue(turn, Deploy { flags, ..deploy });
    queued.map(|()| format!("deployment {} tears it down", turn.state.last_number)).map_err(|why| why.to_string())
}
