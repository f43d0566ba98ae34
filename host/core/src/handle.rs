//! Decides what a command leads to, and changes nothing: [`decide`] answers with events and the state after them, or with a
//! reason why not.

mod again;
mod kept;
mod operators;
mod people;
mod promotion;
mod rejection;
mod releases;
mod report;
mod schedule;
mod stages;
mod triggers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;

pub use self::rejection::Rejection;
pub use self::triggers::{expect_application, unknown_environment, unknown_release};
use crate::admission::{self, Door};
use crate::change::{Change, OnResources};
use crate::definition::{Definition, Workflow};
use crate::deployment::*;
use crate::digest::Digest;
use crate::environment::EnvironmentChange;
use crate::kept::{ClearState, Keep};
use crate::name::{Actor, DeploymentNumber, Name, Tag, Timestamp};
use crate::next::next;
use crate::plugin::Artifact;
use crate::release::ApprovedPlugin;
use crate::selection::Selection;
use crate::state::{Event, State, TriggerKey, What};
use crate::work::{Answer, CallRef};

#[derive(Debug, Clone)]
pub enum Command {
    SetDefinition {
        definition: Arc<Definition>,
        by: Actor,
    },
    CreateRelease(NewRelease),
    /// What a draft does, apart from the definition.
    EditDraft(DraftEdit),
    /// A draft becomes active: nothing in it changes any more.
    ActivateRelease {
        tag: Tag,
        by: Actor,
    },
    AbandonRelease {
        tag: Tag,
        by: Actor,
    },
    Deploy(Deploy),
    /// To the live release where current differs from it, else to the one that was live before.
    Rollback {
        environment: Name,
        comment: String,
        key: Option<TriggerKey>,
        by: Actor,
    },
    /// What is live in one environment goes to the next.
    Promote {
        environment: Name,
        /// `None`: where the environment says that its releases come from.
        from: Option<Name>,
        flags: Flags,
        comment: String,
        key: Option<TriggerKey>,
        by: Actor,
    },
    /// Starts the workflow of an endpoint, as the environment's live release defines it.
    CallEndpoint {
        endpoint: Name,
        environment: Name,
        input: Value,
        key: Option<TriggerKey>,
        by: Actor,
    },
    /// Also lets a manual intervention proceed; the comment is its note.
    Approve {
        number: DeploymentNumber,
        /// The digest that the approver looked at; if the plan is another one by now, it is not signed.
        plan: Option<Digest>,
        comment: String,
        /// Agreed, but not for now.
        not_before: Option<Timestamp>,
        by: Actor,
    },
    Reject {
        number: DeploymentNumber,
        comment: String,
        by: Actor,
    },
    Cancel {
        number: DeploymentNumber,
        forced: bool,
        reason: String,
        by: Actor,
    },
    TryAgain(Again),
    /// The gate counts as passed, in the name of whoever says so.
    IgnoreGate {
        number: DeploymentNumber,
        gate: Name,
        comment: String,
        by: Actor,
    },
    /// Freezes and availability do not hold it back; somebody else has to look at that later.
    BreakGlass {
        number: DeploymentNumber,
        reason: String,
        by: Actor,
    },
    ReviewDebt {
        number: DeploymentNumber,
        comment: String,
        by: Actor,
    },
    Pause {
        scope: PauseScope,
        reason: String,
        by: Actor,
    },
    Resume {
        scope: PauseScope,
        by: Actor,
    },
    /// Releases are promoted into the environment again.
    ReleaseHold {
        environment: Name,
        by: Actor,
    },
    /// An ephemeral environment is torn down at another time.
    Expire {
        environment: Name,
        when: Expiry,
        by: Actor,
    },
    /// A plugin wants something kept, for the deployment that it works on.
    Keep(Keep),
    ClearState(ClearState),
    Report {
        call: CallRef,
        answer: Answer,
    },
    /// Time has passed: the only way it comes in.
    Tick,
}

/// What a pause stops from starting. Rollbacks start all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PauseScope {
    Project,
    Environment(Name),
    /// Of the environment, and nothing else there.
    Schedule(Name),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    At(Timestamp),
    Now,
    /// Not by itself.
    Never,
}

#[derive(Debug, Clone)]
pub struct Again {
    pub number: DeploymentNumber,
    /// The record, where it has left the project's memory.
    pub finished: Option<Arc<Deployment>>,
    pub from: TryFrom,
    pub key: Option<TriggerKey>,
    pub by: Actor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryFrom {
    /// Retry: the same snapshot and inputs, from the phase that failed.
    FailedPhase,
    /// Redeploy: all of it again.
    Start,
}

#[derive(Debug, Clone)]
pub struct NewRelease {
    pub tag: Tag,
    pub description: String,
    pub artifacts: Vec<Artifact>,
    pub draft: bool,
    /// The approved plugins, by name, as they are now.
    pub approved: BTreeMap<Name, ApprovedPlugin>,
    pub by: Actor,
}

#[derive(Debug, Clone)]
pub struct DraftEdit {
    pub tag: Tag,
    pub workflows: BTreeMap<Name, Arc<Workflow>>,
    pub endpoints: BTreeMap<Name, Name>,
    pub approved: BTreeMap<Name, ApprovedPlugin>,
    pub by: Actor,
}

#[derive(Debug, Clone)]
pub struct Deploy {
    pub environment: Name,
    pub release: Tag,
    pub deployment_type: DeploymentType,
    pub flags: Flags,
    pub selections: Vec<Selection>,
    pub input: Value,
    pub comment: String,
    /// `None`: the environment's own, or the only one there is for this type.
    pub workflow: Option<Name>,
    /// Not at once, but then.
    pub not_before: Option<Timestamp>,
    pub key: Option<TriggerKey>,
    pub by: Actor,
}

/// Waiting deployments of one environment; a flood is refused, not stored.
pub const MOST_WAITING: usize = 200_000;
/// Of these, those that wait beside the queue.
pub const MOST_HELD: usize = 1_000;

/// Deployments of one environment that a turn starts.
pub const MOST_STARTS: usize = 64;

const LONGEST_TEXT: usize = 16 * 1024;
const MOST_ARTIFACTS: usize = 200;
const MOST_SELECTIONS: usize = 100;
pub const LONGEST_INPUT: usize = 64 * 1024;

/// What lies outside the project and comes in with a command.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub now: Timestamp,
    /// The approved gate plugins, by name: an attempt pins those of its environment.
    pub gates: &'a BTreeMap<Name, Digest>,
}

#[derive(Debug)]
pub struct Decided {
    pub events: Vec<Event>,
    /// As these events leave it.
    pub state: State,
}

/// For whoever wants the events alone.
pub fn handle(state: &State, command: Command, around: Surroundings<'_>) -> Result<Vec<Event>, Rejection> {
    decide(state, command, around, &mut |_, _| {}).map(|decided| decided.events)
}

/// `each` is shown every event, with the state right after it. If the command is rejected in the end, none of them happens.
pub fn decide<'a>(
    state: &State,
    command: Command,
    around: Surroundings<'a>,
    each: &'a mut dyn FnMut(&State, &Event),
) -> Result<Decided, Rejection> {
    let mut turn = Turn::new(state, around, each);
    match command {
        Command::SetDefinition { definition, by } => operators::set_definition(&mut turn, definition, by)?,
        Command::CreateRelease(new) => releases::create(&mut turn, new)?,
        Command::Keep(keep) => kept::keep(&mut turn, keep)?,
        Command::ClearState(clear) => kept::clear(&mut turn, clear)?,
        Command::EditDraft(edit) => releases::edit(&mut turn, edit)?,
        Command::ActivateRelease { tag, by } => releases::activate(&mut turn, tag, by)?,
        Command::AbandonRelease { tag, by } => releases::abandon(&mut turn, tag, by)?,
        Command::Deploy(deploy) => triggers::deploy(&mut turn, deploy)?,
        Command::Rollback { environment, comment, key, by } => {
            triggers::roll_back(&mut turn, environment, comment, key, by)?;
        }
        Command::Promote { environment, from, flags, comment, key, by } => {
            promotion::by_hand(&mut turn, promotion::ByHand { environment, from, flags, comment, key, by })?;
        }
        Command::CallEndpoint { endpoint, environment, input, key, by } => {
            triggers::call_endpoint(&mut turn, triggers::EndpointCall { endpoint, environment, input, key, by })?;
        }
        Command::Approve { number, plan, comment, not_before, by } => {
            let comment = people::Comment { text: comment, not_before };
            people::approve(&mut turn, number, plan, comment, by)?;
        }
        Command::Reject { number, comment, by } => people::reject(&mut turn, number, comment, by)?,
        Command::Cancel { number, forced, reason, by } => people::cancel(&mut turn, number, forced, reason, by)?,
        Command::TryAgain(again) => again::try_again(&mut turn, again)?,
        Command::IgnoreGate { number, gate, comment, by } => people::ignore_gate(&mut turn, number, gate, comment, by)?,
        Command::BreakGlass { number, reason, by } => people::break_glass(&mut turn, number, reason, by)?,
        Command::ReviewDebt { number, comment, by } => people::review_debt(&mut turn, number, comment, by)?,
        Command::Pause { scope, reason, by } => operators::pause(&mut turn, scope, reason, by)?,
        Command::Resume { scope, by } => operators::resume(&mut turn, scope, by)?,
        Command::ReleaseHold { environment, by } => operators::release_hold(&mut turn, environment, by)?,
        Command::Expire { environment, when, by } => operators::expire(&mut turn, environment, when, by)?,
        Command::Report { call, answer } => report::take_in(&mut turn, call, answer),
        Command::Tick => turn.tick(),
    }
    Ok(Decided { events: turn.events, state: turn.state })
}

/// A copy of the state to try events on. Copying shares structure, so it costs nothing.
struct Turn<'a> {
    state: State,
    now: Timestamp,
    gates: &'a BTreeMap<Name, Digest>,
    each: &'a mut dyn FnMut(&State, &Event),
    events: Vec<Event>,
    /// Environments whose live release has changed, and that nothing has followed from yet.
    went_live: VecDeque<WentLive>,
    /// Environments into which nothing is promoted by itself from now on.
    held_back: Vec<Name>,
    /// Releases that may have come to count as live and healthy somewhere.
    may_count: BTreeSet<Tag>,
}

/// A whole release, by one that succeeded or succeeded in part.
struct WentLive {
    environment: Name,
    release: Tag,
    by: Actor,
    partial: bool,
}

impl<'a> Turn<'a> {
    fn new(state: &State, around: Surroundings<'a>, each: &'a mut dyn FnMut(&State, &Event)) -> Self {
        let now = around.now.max(state.last_event_at);
        Self {
            state: state.clone(),
            now,
            gates: around.gates,
            each,
            events: Vec::new(),
            went_live: VecDeque::new(),
            held_back: Vec::new(),
            may_count: BTreeSet::new(),
        }
    }

    fn record(&mut self, what: What) {
        let event = Event { at: self.now, what };
        self.state.apply(&event).expect("what was decided on a state fits it");
        (self.each)(&self.state, &event);
        let is_over = matches!(&event.what, What::Deployment { change: Change::Finished { .. }, .. });
        let over = event.what.deployment().filter(|_| is_over);
        self.events.push(event);
        over.into_iter().for_each(|number| schedule::note_teardown(self, number));
    }

    fn change(&mut self, number: DeploymentNumber, change: Change) {
        self.record(What::Deployment { number, change });
    }

    fn change_environment(&mut self, environment: &Name, change: EnvironmentChange) {
        self.record(What::Environment { environment: environment.clone(), change });
    }

    fn tick(&mut self) {
        let before = self.state.last_event_at;
        for number in self.state.expired(self.now) {
            self.settle(number);
        }
        let due = |there: &crate::environment::EnvironmentState| there.wake_at().is_some_and(|at| at <= self.now);
        let due: Vec<Name> =
            self.state.environments.iter().filter(|(_, there)| due(there)).map(|(name, _)| name.clone()).collect();
        for environment in due {
            schedule::catch_up(self, &environment);
            self.fill_slots(&environment);
        }
        // Also where somebody could have started when it was last looked at: it may be closed by now, and is noted so.
        let idle: BTreeSet<Name> = self.state.idle(before).chain(self.state.idle(self.now)).cloned().collect();
        idle.iter().for_each(|environment| self.fill_slots(environment));
        self.follow();
    }

    /// Carries a deployment on as far as it goes by itself, then gives what it freed to whoever is next.
    fn settle(&mut self, number: DeploymentNumber) {
        let Some(deployment) = self.state.deployments.get(&number) else { return };
        let environment = deployment.environment.clone();
        self.carry_on(number);
        self.fill_slots(&environment);
        self.follow();
    }

    fn carry_on(&mut self, number: DeploymentNumber) {
        while let Some(deployment) = self.state.deployments.get(&number) {
            let steps = next(&self.state, deployment, self.now);
            if steps.is_empty() {
                return;
            }
            let environment = deployment.environment.clone();
            let was_left = self.leaves_something(&environment);
            self.note_live(number, &steps);
            steps.into_iter().for_each(|what| self.record(what));
            schedule::note_what_is_left(self, &environment, was_left);
        }
    }

    fn leaves_something(&self, environment: &Name) -> bool {
        self.state.environments.get(environment).is_some_and(|there| there.leaves_something())
    }

    fn note_live(&mut self, number: DeploymentNumber, steps: &[What]) {
        let Some(deployment) = self.state.deployments.get(&number) else { return };
        if steps.iter().any(may_heal) {
            // Also what is replaced: how long it was live is known now.
            self.may_count.extend(self.state.live_release(&deployment.environment).map(|live| live.tag.clone()));
            self.may_count.insert(deployment.release.tag.clone());
        }
        let holds =
            |step: &What| matches!(step, What::Environment { change: EnvironmentChange::PromotionHeld { .. }, .. });
        if steps.iter().any(holds) {
            self.held_back.push(deployment.environment.clone());
        }
        // A way back in one environment is no step forward into the next.
        if deployment.deployment_type == DeploymentType::Rollback {
            return;
        }
        for step in steps {
            let What::LiveChanged { environment, applications: None, live: Some(live), .. } = step else { continue };
            self.went_live.push_back(WentLive {
                environment: environment.clone(),
                release: live.release.clone(),
                by: deployment.attempt.started_by.clone(),
                partial: deployment.attempt.is_partial(),
            });
        }
    }

    /// Those who end at once make room for the next, but not all of a long queue in one turn: [`State::wake_at`] asks
    /// for a tick at once while somebody waits for a slot that is free. Each environment has its own share.
    fn fill_slots(&mut self, environment: &Name) {
        self.make_room(environment);
        for _ in 0..MOST_STARTS {
            let Some(first) = admission::to_start(&self.state, environment, self.now) else { break };
            self.carry_on(first);
            let waits = |deployment: &&Arc<Deployment>| deployment.attempt.stage == Stage::Queued;
            let Some(deployment) = self.state.deployments.get(&first).filter(waits) else { continue };
            let change = match may_still_start(&self.state, deployment) {
                Ok(()) => Change::SlotTaken,
                Err(why) => {
                    promotion::note_held_back(self, first);
                    people::stopped(self.now, "queue", &why)
                }
            };
            self.change(first, change);
            self.carry_on(first);
        }
        self.note_whether_closed(environment);
    }

    /// Whoever has a slot and waits for capacity gives it up behind a shut door: a rollback could start.
    fn make_room(&mut self, environment: &Name) {
        let Some(there) = self.state.environments.get(environment) else { return };
        let waits = |number: &DeploymentNumber| {
            let stage = self.state.deployments.get(number).map(|deployment| &deployment.attempt.stage);
            stage.is_some_and(|stage| matches!(stage, Stage::AwaitingCapacity(_)))
        };
        let waiting: Vec<DeploymentNumber> = there.slots.iter().copied().filter(waits).collect();
        waiting.into_iter().for_each(|number| self.carry_on(number));
    }

    /// Whoever waits for a freeze or for office hours is woken when they end.
    fn note_whether_closed(&mut self, environment: &Name) {
        let Some(there) = self.state.environments.get(environment) else { return };
        let waits = !there.queue.is_empty();
        let closed = if waits { Door::of(&self.state, environment, self.now).closed } else { None };
        match (&there.closed, closed) {
            (noted, Some(closed)) if noted.as_ref() != Some(&closed) => {
                self.change_environment(environment, EnvironmentChange::Closed { closed });
            }
            (Some(_), None) => self.change_environment(environment, EnvironmentChange::Opened),
            (Some(_) | None, _) => {}
        }
    }

    /// What follows elsewhere in the project: work that waited for capacity, releases that waited to be promoted.
    fn follow(&mut self) {
        for _ in 0..MOST_STARTS {
            let free = |deployment: &&Arc<Deployment>| self.state.lacks_capacity(deployment).is_none();
            let first = self.state.awaiting_capacity.head().and_then(|number| self.state.deployments.get(number));
            let Some(first) = first.filter(free) else { break };
            let (number, environment) = (first.number, first.environment.clone());
            self.carry_on(number);
            self.fill_slots(&environment);
        }
        while let Some(release) = self.may_count.pop_first() {
            self.state.held_for(&release).into_iter().for_each(|number| self.settle(number));
        }
        while let Some(live) = self.went_live.pop_front() {
            promotion::follow(self, live);
        }
        while let Some(environment) = self.held_back.pop() {
            promotion::hold_back(self, &environment);
        }
    }
}

/// What was true at its trigger may not be any more when its turn has come. Nobody is there to be told, so the record of
/// the deployment says why.
fn may_still_start(state: &State, deployment: &Deployment) -> Result<(), String> {
    stages::may_start(state, deployment).map_err(|refused| refused.to_string())?;
    again::is_still_the_way_back(state, deployment).map_err(|refused| refused.to_string())?;
    promotion::is_in_time(state, deployment).map_err(str::to_owned)
}

/// What changes whether the live release is healthy, or all that is live.
fn may_heal(what: &What) -> bool {
    match what {
        What::LiveChanged { .. } => true,
        What::Deployment { change, .. } => match change.on_resources() {
            Some(OnResources::Observed | OnResources::Ended { .. }) => true,
            Some(OnResources::Begun { .. }) | None => false,
        },
        What::DefinitionChanged { .. }
        | What::ReleaseCreated { .. }
        | What::DraftEdited { .. }
        | What::ReleaseActivated { .. }
        | What::ReleaseAbandoned { .. }
        | What::ReleaseBuilt { .. }
        | What::Paused { .. }
        | What::Resumed { .. }
        | What::Environment { .. }
        | What::DebtReviewed { .. }
        | What::DeploymentQueued(_)
        | What::DeploymentReopened { .. }
        | What::CurrentChanged { .. }
        | What::CurrentRestored { .. } => false,
    }
}

pub(crate) fn at_most(what: &'static str, actual: usize, allowed: usize) -> Result<(), Rejection> {
    if actual > allowed { Err(Rejection::TooMuch { what, actual, allowed }) } else { Ok(()) }
}

fn with_a_reason(what: &'static str, needed: &'static str, text: &str) -> Result<(), Rejection> {
    at_most("the text's length", text.len(), LONGEST_TEXT)?;
    if text.trim().is_empty() { Err(Rejection::ReasonMissing { what, needed }) } else { Ok(()) }
}

/// What was forgotten had finished: nothing else leaves the memory.
fn find_unfinished(state: &State, number: DeploymentNumber) -> Result<Arc<Deployment>, Rejection> {
    match state.deployments.get(&number) {
        Some(deployment) if !deployment.is_finished() => Ok(deployment.clone()),
        None if number == 0 || number > state.last_number => Err(unknown_deployment(state, number)),
        Some(_) | None => Err(Rejection::AlreadyFinished { number }),
    }
}

fn unknown_deployment(state: &State, number: DeploymentNumber) -> Rejection {
    Rejection::UnknownDeployment { number, project: state.project.name.clone(), last: state.last_number }
}
