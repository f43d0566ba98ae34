//! Decides what a command leads to, and changes nothing: [`handle`] answers with events or a reason why not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use crate::approval;
use crate::change::{Change, PhaseChange};
use crate::definition::{Definition, listed};
use crate::deployment::*;
use crate::digest::Digest;
use crate::name::{Actor, DeploymentNumber, Name, Tag, Timestamp};
use crate::next::next;
use crate::plugin::{Artifact, Failure, Retry};
use crate::release::{ApprovedPlugin, Release, ReleaseStatus, plugin_problems};
use crate::state::{Event, Queued, State, TriggerKey, What};
use crate::work::{Answer, CallRef, Side};

#[derive(Debug, Clone)]
pub enum Command {
    SetDefinition {
        definition: Arc<Definition>,
        by: Actor,
    },
    CreateRelease(NewRelease),
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
    Approve {
        number: DeploymentNumber,
        /// The digest that the approver looked at; if the plan is another one by now, it is not signed.
        plan: Option<Digest>,
        comment: String,
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
    /// `finished` is the record, where it has left the project's memory.
    TryAgain {
        number: DeploymentNumber,
        finished: Option<Arc<Deployment>>,
        from: TryFrom,
        by: Actor,
    },
    Report {
        call: CallRef,
        answer: Answer,
    },
    /// Time has passed: the only way it comes in.
    Tick,
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
pub struct Deploy {
    pub environment: Name,
    pub release: Tag,
    pub deployment_type: DeploymentType,
    pub flags: Flags,
    pub comment: String,
    /// `None`: the environment's own, or the only one there is.
    pub workflow: Option<Name>,
    pub key: Option<TriggerKey>,
    pub by: Actor,
}

/// Why a command was not done: what is wrong, what is allowed, who can lift it. Never an error of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    #[error("there is no environment `{environment}` in project `{project}`; there are: {known}")]
    UnknownEnvironment { environment: Name, project: Name, known: String },
    #[error("there is no release `{tag}` in project `{project}`; there are: {known}")]
    UnknownRelease { tag: Tag, project: Name, known: String },
    #[error("there is no deployment {number} in project `{project}`; the last one is {last}")]
    UnknownDeployment { number: DeploymentNumber, project: Name, last: DeploymentNumber },
    #[error("release `{release}` has no workflow `{workflow}`; it has: {known}")]
    UnknownWorkflow { release: Tag, workflow: String, known: String },
    #[error(
        "tag `{tag}` is taken by a release with other content ({digest}); choose another tag, for a release never changes"
    )]
    TagTaken { tag: Tag, digest: Digest },
    #[error("release `{tag}` is {status:?}; {allowed}")]
    ReleaseStatus { tag: Tag, status: ReleaseStatus, allowed: &'static str },
    #[error("release `{tag}` cannot be abandoned: {why}")]
    ReleaseInUse { tag: Tag, why: String },
    #[error("this release could not be deployed: {}", problems.join("; "))]
    PluginsNotReady { problems: Vec<String> },
    #[error(
        "release `{release}` has no plugin `{plugin}`, which environment `{environment}` uses now; create a new release"
    )]
    PluginNotPinned { release: Tag, plugin: Name, environment: Name },
    #[error(
        "workflow `{workflow}` applies target `{target}`, which environment `{environment}` does not have; it has: {known}"
    )]
    UnknownTarget { workflow: Name, target: Name, environment: Name, known: String },
    #[error(
        "ROLLBACK goes to what was live before, not to a release that is named ({release}); use `rollback`, or deploy it as FULL"
    )]
    RollbackByHand { release: Tag },
    #[error("environment `{environment}` has nothing to roll back to: no other release was live there before")]
    NothingToRollBackTo { environment: Name },
    #[error("Idempotency-Key `{key}` was used for deployment {number}, with another request; use a new key")]
    KeyReused { key: String, number: DeploymentNumber },
    #[error("deployment {number} is not waiting for an approval; it is {status}")]
    NotWaitingForApproval { number: DeploymentNumber, status: String },
    #[error(
        "the plan of deployment {number} is {now} by now, not {seen}; look at what it would change, then approve that"
    )]
    PlanChanged { number: DeploymentNumber, seen: Digest, now: Digest },
    #[error("{why}")]
    MayNotApprove { why: String },
    #[error(
        "deployment {number} has finished; a finished deployment stays as it ended, but `retry` starts a new attempt"
    )]
    AlreadyFinished { number: DeploymentNumber },
    #[error("deployment {number} is going back to how it was; stop that with --force only if you must")]
    UndoUnderWay { number: DeploymentNumber },
    #[error("deployment {number} has not finished ({status}); cancel it first or wait")]
    NotFinished { number: DeploymentNumber, status: String },
    #[error("deployment {number} succeeded; there is nothing to retry, but `redeploy` starts over")]
    NothingToRetry { number: DeploymentNumber },
    #[error(
        "deployment {number} was tried again by somebody else meanwhile, as attempt {newest}: look at how that ended, then retry if you still want to"
    )]
    RecordIsOld { number: DeploymentNumber, newest: u32 },
    #[error("deployment {number} is too long ago to be tried again; deploy its release once more, as a new deployment")]
    TooLongAgo { number: DeploymentNumber },
    #[error("environment `{environment}` cannot be removed while deployment {number} is under way there")]
    EnvironmentInUse { environment: Name, number: DeploymentNumber },
    #[error(
        "environment `{environment}` cannot be removed while {release} is live there; take it down first, with a deployment of type DESTROY"
    )]
    EnvironmentLive { environment: Name, release: Tag },
    #[error(
        "deployment {number} rolled `{environment}` back to {release}, which is not the way back any more; use `rollback`"
    )]
    NotTheWayBack { number: DeploymentNumber, release: Tag, environment: Name },
    #[error(
        "{waiting} deployments wait in environment `{environment}`, and no more are taken; try again when some are done"
    )]
    QueueFull { environment: Name, waiting: usize },
    #[error(
        "environment `{environment}` has a gate of plugin `{plugin}`, which is not approved; an operator can: `lockgate plugin approve {plugin}`"
    )]
    GateNotApproved { environment: Name, plugin: Name },
    #[error("{what} is {actual}; at most {allowed} is allowed")]
    TooMuch { what: &'static str, actual: usize, allowed: usize },
}

/// Waiting deployments of one environment; a flood is refused, not stored.
pub const MOST_WAITING: usize = 200_000;

/// Deployments of one environment that a turn starts.
pub const MOST_STARTS: usize = 64;

/// A cancelled phase has this long to stop.
const CANCEL_TIMEOUT_MS: u64 = 60_000;
const LONGEST_TEXT: usize = 16 * 1024;
const MOST_ARTIFACTS: usize = 200;

/// What lies outside the project and comes in with a command.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub now: Timestamp,
    /// The approved gate plugins, by name: an attempt pins those of its environment.
    pub gates: &'a BTreeMap<Name, Digest>,
}

pub fn handle(state: &State, command: Command, around: Surroundings<'_>) -> Result<Vec<Event>, Rejection> {
    let mut turn = Turn::new(state, around);
    match command {
        Command::SetDefinition { definition, by } => set_definition(&mut turn, definition, by)?,
        Command::CreateRelease(new) => create_release(&mut turn, new)?,
        Command::ActivateRelease { tag, by } => {
            expect_status(&turn.state, &tag, ReleaseStatus::Draft, "only a draft can be started")?;
            turn.record(What::ReleaseActivated { tag, by });
        }
        Command::AbandonRelease { tag, by } => abandon_release(&mut turn, tag, by)?,
        Command::Deploy(deploy) => {
            // A rollback is trusted with lighter rules because of where it goes: nobody may name that.
            if deploy.deployment_type == DeploymentType::Rollback {
                return Err(Rejection::RollbackByHand { release: deploy.release });
            }
            queue(&mut turn, deploy)?;
        }
        Command::Rollback { environment, comment, key, by } => roll_back(&mut turn, environment, comment, key, by)?,
        Command::Approve { number, plan, comment, by } => {
            expect_plan(&turn.state, number, plan)?;
            answer(&mut turn, number, comment, by, |by| Change::Approved { side: Side::Pre, by })?
        }
        Command::Reject { number, comment, by } => {
            answer(&mut turn, number, comment, by, |by| Change::Refused { side: Side::Pre, by })?;
        }
        Command::Cancel { number, forced, reason, by } => cancel(&mut turn, number, forced, reason, by)?,
        Command::TryAgain { number, finished, from, by } => try_again(&mut turn, number, finished, from, by)?,
        Command::Report { call, answer } => report(&mut turn, call, answer),
        Command::Tick => {
            for number in turn.state.expired(turn.now) {
                turn.settle(number);
            }
            let idle: Vec<Name> = turn.state.idle().cloned().collect();
            idle.iter().for_each(|environment| turn.fill_slot(environment));
        }
    }
    Ok(turn.events)
}

/// A copy of the state to try events on. Copying shares structure, so it costs nothing.
struct Turn<'a> {
    state: State,
    now: Timestamp,
    gates: &'a BTreeMap<Name, Digest>,
    events: Vec<Event>,
}

impl<'a> Turn<'a> {
    fn new(state: &State, around: Surroundings<'a>) -> Self {
        let now = around.now.max(state.last_event_at);
        Self { state: state.clone(), now, gates: around.gates, events: Vec::new() }
    }

    fn record(&mut self, what: What) {
        let event = Event { at: self.now, what };
        self.state.apply(&event).expect("what was decided on a state fits it");
        self.events.push(event);
    }

    fn change(&mut self, number: DeploymentNumber, change: Change) {
        self.record(What::Deployment { number, change });
    }

    /// Carries a deployment on as far as it goes by itself, then gives a freed slot to whoever is next.
    fn settle(&mut self, number: DeploymentNumber) {
        let Some(deployment) = self.state.deployments.get(&number) else { return };
        let environment = deployment.environment.clone();
        self.carry_on(number);
        self.fill_slot(&environment);
    }

    fn carry_on(&mut self, number: DeploymentNumber) {
        while let Some(deployment) = self.state.deployments.get(&number) {
            let steps = next(&self.state, deployment, self.now);
            if steps.is_empty() {
                return;
            }
            steps.into_iter().for_each(|what| self.record(what));
        }
    }

    /// Those who end at once make room for the next, but not all of a long queue in one turn: [`State::wake_at`] asks
    /// for a tick at once while somebody waits for a slot that is free. Each environment has its own share.
    fn fill_slot(&mut self, environment: &Name) {
        for _ in 0..MOST_STARTS {
            let Some(there) = self.state.environments.get(environment).filter(|there| there.slot.is_none()) else {
                return;
            };
            let Some(head) = there.queue.front().copied() else { return };
            self.change(head, Change::SlotTaken);
            self.carry_on(head);
        }
    }
}

// ---- definition and releases ----

fn set_definition(turn: &mut Turn, definition: Arc<Definition>, by: Actor) -> Result<(), Rejection> {
    let removed = |environment: &Name| !definition.environments.contains_key(environment);
    for (environment, there) in turn.state.environments.iter().filter(|(environment, _)| removed(environment)) {
        if let Some(number) = there.slot.or_else(|| there.queue.front().copied()) {
            return Err(Rejection::EnvironmentInUse { environment: environment.clone(), number });
        }
        if let Some(live) = &there.live {
            return Err(Rejection::EnvironmentLive { environment: environment.clone(), release: live.release.clone() });
        }
    }
    if *turn.state.definition != *definition {
        turn.record(What::DefinitionChanged { definition, by });
    }
    Ok(())
}

fn create_release(turn: &mut Turn, new: NewRelease) -> Result<(), Rejection> {
    at_most("the description's length", new.description.len(), LONGEST_TEXT)?;
    at_most("the number of artifacts", new.artifacts.len(), MOST_ARTIFACTS)?;
    let definition = &turn.state.definition;
    let problems = plugin_problems(definition, &new.approved);
    if !problems.is_empty() {
        return Err(Rejection::PluginsNotReady { problems });
    }
    let plugins = definition
        .plugin_uses()
        .into_iter()
        .filter_map(|(_, used)| new.approved.get(used.plugin).map(|plugin| (used.plugin.clone(), plugin.digest)));
    let mut involved: BTreeSet<String> = match turn.state.releases.get(&new.tag) {
        Some(draft) if draft.status == ReleaseStatus::Draft => draft.involved.clone(),
        Some(_) | None => BTreeSet::new(),
    };
    involved.insert(new.by.person.clone());
    let release = Release {
        involved,
        plugins: plugins.collect(),
        workflows: definition.workflows.clone(),
        tag: new.tag,
        description: new.description,
        artifacts: new.artifacts,
        created_by: new.by,
        created_at: turn.now,
        status: if new.draft { ReleaseStatus::Draft } else { ReleaseStatus::Active },
        was_live: false,
    };
    match turn.state.releases.get(&release.tag) {
        Some(taken) if taken.status != ReleaseStatus::Draft && taken.digest() != release.digest() => {
            Err(Rejection::TagTaken { tag: release.tag, digest: taken.digest() })
        }
        Some(taken) if taken.status != ReleaseStatus::Draft => Ok(()),
        Some(_) | None => {
            turn.record(What::ReleaseCreated { release: Arc::new(release) });
            Ok(())
        }
    }
}

fn expect_status(
    state: &State,
    tag: &Tag,
    status: ReleaseStatus,
    allowed: &'static str,
) -> Result<Arc<Release>, Rejection> {
    let release = state.releases.get(tag).ok_or_else(|| unknown_release(state, tag))?;
    if release.status == status {
        Ok(release.clone())
    } else {
        Err(Rejection::ReleaseStatus { tag: tag.clone(), status: release.status, allowed })
    }
}

fn abandon_release(turn: &mut Turn, tag: Tag, by: Actor) -> Result<(), Rejection> {
    let known = turn.state.releases.get(&tag).is_some_and(|release| release.status == ReleaseStatus::Draft);
    if !known {
        expect_status(&turn.state, &tag, ReleaseStatus::Active, "it cannot be abandoned again")?;
    }
    let live =
        turn.state.environments.iter().find(|(_, there)| there.live.as_ref().is_some_and(|live| live.release == tag));
    if let Some((environment, _)) = live {
        return Err(Rejection::ReleaseInUse {
            tag,
            why: format!("it is live in `{environment}`; replace it there first"),
        });
    }
    let under_way =
        turn.state.deployments.values().find(|deployment| deployment.release.tag == tag && !deployment.is_finished());
    if let Some(deployment) = under_way {
        let why = format!("deployment {} is under way; cancel it first", deployment.number);
        return Err(Rejection::ReleaseInUse { tag, why });
    }
    turn.record(What::ReleaseAbandoned { tag, by });
    Ok(())
}

// ---- triggers ----

fn queue(turn: &mut Turn, deploy: Deploy) -> Result<(), Rejection> {
    let state = &turn.state;
    if already_triggered(state, deploy.key.as_ref())? {
        return Ok(());
    }
    at_most("the comment's length", deploy.comment.len(), LONGEST_TEXT)?;
    let Some(environment) = state.definition.environments.get(&deploy.environment) else {
        return Err(unknown_environment(state, &deploy.environment));
    };
    let release =
        expect_status(state, &deploy.release, ReleaseStatus::Active, "only an active release can be deployed")?;
    let workflow = chosen_workflow(&release, deploy.workflow.as_ref().or(environment.workflow.as_ref()))?;
    fits_environment(&release, &workflow, &deploy.environment, environment)?;
    has_room(state, &deploy.environment)?;
    let gate_plugins = pinned_gates(turn, &deploy.environment, environment)?;
    let queued = Queued {
        number: state.last_number + 1,
        environment: deploy.environment,
        release: deploy.release,
        deployment_type: deploy.deployment_type,
        flags: deploy.flags,
        comment: deploy.comment,
        by: deploy.by,
        workflow,
        gate_plugins,
        key: deploy.key,
    };
    let number = queued.number;
    turn.record(What::DeploymentQueued(queued));
    turn.settle(number);
    Ok(())
}

fn roll_back(
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
            environment,
            comment,
            key,
            by,
        },
    )
}

/// The same key and the same request: already done, and the caller gets the deployment it made.
fn already_triggered(state: &State, key: Option<&TriggerKey>) -> Result<bool, Rejection> {
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

pub fn unknown_environment(state: &State, environment: &Name) -> Rejection {
    Rejection::UnknownEnvironment {
        environment: environment.clone(),
        project: state.project.name.clone(),
        known: listed(state.definition.environments.keys()),
    }
}

fn chosen_workflow(release: &Release, asked: Option<&Name>) -> Result<Name, Rejection> {
    let unknown = |workflow: &str| Rejection::UnknownWorkflow {
        release: release.tag.clone(),
        workflow: workflow.to_owned(),
        known: listed(release.workflows.keys()),
    };
    match asked {
        Some(name) if release.workflows.contains_key(name) => Ok(name.clone()),
        Some(name) => Err(unknown(name.as_str())),
        None => match release.workflows.keys().next() {
            Some(only) if release.workflows.len() == 1 => Ok(only.clone()),
            Some(_) | None => Err(unknown("(none was named)")),
        },
    }
}

/// The release was made before, the environment is as it is now: they must still fit.
fn fits_environment(
    release: &Release,
    workflow: &Name,
    name: &Name,
    environment: &crate::definition::Environment,
) -> Result<(), Rejection> {
    let mut plugins = Vec::new();
    for phase in &release.workflows[workflow].phases {
        let crate::definition::PhaseWork::Apply { target } = &phase.work else { continue };
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
fn pinned_gates(
    turn: &Turn<'_>,
    name: &Name,
    environment: &crate::definition::Environment,
) -> Result<BTreeMap<Name, Digest>, Rejection> {
    let gates = environment.post_gates.iter().flat_map(|set| &set.gates);
    let pin = |plugin: &Name| match turn.gates.get(plugin) {
        Some(digest) => Ok((plugin.clone(), *digest)),
        None => Err(Rejection::GateNotApproved { environment: name.clone(), plugin: plugin.clone() }),
    };
    gates.map(|gate| pin(&gate.plugin)).collect()
}

fn has_room(state: &State, environment: &Name) -> Result<(), Rejection> {
    let waiting = state.environments.get(environment).map_or(0, |there| there.queue.len());
    if waiting < MOST_WAITING {
        return Ok(());
    }
    Err(Rejection::QueueFull { environment: environment.clone(), waiting })
}

// ---- people ----

/// Between looking and approving, the plan may have been made again.
fn expect_plan(state: &State, number: DeploymentNumber, seen: Option<Digest>) -> Result<(), Rejection> {
    let asked = find_unfinished(state, number)?.attempt.approval.as_ref().map(|approval| approval.plan_digest);
    match (seen, asked) {
        (Some(seen), Some(now)) if seen != now => Err(Rejection::PlanChanged { number, seen, now }),
        (Some(_) | None, _) => Ok(()),
    }
}

fn answer(
    turn: &mut Turn,
    number: DeploymentNumber,
    comment: String,
    by: Actor,
    change: impl FnOnce(Signature) -> Change,
) -> Result<(), Rejection> {
    at_most("the comment's length", comment.len(), LONGEST_TEXT)?;
    let deployment = find_unfinished(&turn.state, number)?;
    let approval = match (&deployment.attempt.stage, &deployment.attempt.approval) {
        (Stage::AwaitingApproval, Some(approval)) => approval,
        _ => return Err(Rejection::NotWaitingForApproval { number, status: deployment.status_text() }),
    };
    if let Some(why) = approval::objection(&deployment, approval, &by) {
        return Err(Rejection::MayNotApprove { why });
    }
    let signature = Signature { by, at: turn.now, comment };
    turn.change(number, change(signature));
    turn.settle(number);
    Ok(())
}

fn cancel(turn: &mut Turn, number: DeploymentNumber, forced: bool, reason: String, by: Actor) -> Result<(), Rejection> {
    at_most("the reason's length", reason.len(), LONGEST_TEXT)?;
    let deployment = find_unfinished(&turn.state, number)?;
    if matches!(deployment.attempt.stage, Stage::Undoing { .. }) && !forced {
        return Err(Rejection::UndoUnderWay { number });
    }
    let cancel = CancelRequest { by, at: turn.now, deadline: turn.now.plus_ms(CANCEL_TIMEOUT_MS), reason };
    // A second cancel changes nothing: the first one's limit runs.
    if deployment.attempt.cancel.is_none() {
        turn.change(number, Change::CancelRequested { cancel: cancel.clone() });
    }
    if forced {
        turn.change(number, Change::StopForced { stop: cancel });
        stop(turn, number);
    }
    turn.settle(number);
    Ok(())
}

/// Ends it where it is: what was running is cancelled on the record, what was to come is skipped.
fn stop(turn: &mut Turn, number: DeploymentNumber) {
    let Some(attempt) = turn.state.deployments.get(&number).map(|deployment| &deployment.attempt) else { return };
    let undoing = match attempt.stage {
        Stage::Undoing { index, .. } => Some(Change::Phase { phase: index, change: stopped_undo() }),
        Stage::Queued
        | Stage::Ready
        | Stage::Planning(_)
        | Stage::AwaitingApproval
        | Stage::Confirming { .. }
        | Stage::Running { .. }
        | Stage::Gates
        | Stage::Finished(_) => None,
    };
    let open = |(phase, run): (usize, &PhaseRun)| match run.result {
        PhaseResult::Running => Some(Change::Phase { phase, change: PhaseChange::Canceled }),
        PhaseResult::Waiting => Some(Change::Phase { phase, change: PhaseChange::Skipped }),
        PhaseResult::Succeeded | PhaseResult::Failed(_) | PhaseResult::Canceled | PhaseResult::Skipped => None,
    };
    let phases = attempt.phases.iter().filter(|_| attempt.begun).enumerate().filter_map(open);
    let changes: Vec<Change> = undoing.into_iter().chain(phases).collect();
    changes.into_iter().for_each(|change| turn.change(number, change));
    turn.change(number, Change::Finished { finish: Finish::Canceled(Cause::Stopped) });
}

/// Half-way back: a retry must not take what it undid for done.
fn stopped_undo() -> PhaseChange {
    let failure = Failure {
        code: "stopped".to_owned(),
        message: "stopped by force".to_owned(),
        retry: Retry::Never,
        retry_after_ms: 0,
        details: Value::Null,
    };
    PhaseChange::UndoEnded { result: UndoResult::NotUndone(failure) }
}

fn try_again(
    turn: &mut Turn,
    number: DeploymentNumber,
    finished: Option<Arc<Deployment>>,
    from: TryFrom,
    by: Actor,
) -> Result<(), Rejection> {
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
    expect_status(
        &turn.state,
        &deployment.release.tag,
        ReleaseStatus::Active,
        "only an active release can be deployed",
    )?;
    let Some(environment) = turn.state.definition.environments.get(&deployment.environment).cloned() else {
        return Err(unknown_environment(&turn.state, &deployment.environment));
    };
    fits_environment(&deployment.release, &deployment.workflow, &deployment.environment, &environment)?;
    is_still_the_way_back(&turn.state, &deployment)?;
    has_room(&turn.state, &deployment.environment)?;
    let gate_plugins = pinned_gates(turn, &deployment.environment, &environment)?;
    let attempt = deployment.attempt.number + 1;
    let resume_at = match from {
        TryFrom::FailedPhase => Some(first_to_repeat(&deployment)),
        TryFrom::Start => None,
    };
    // Also what is in memory: a replay may forget it at another moment than this host did.
    turn.record(What::DeploymentReopened { deployment });
    turn.change(number, Change::AttemptQueued { attempt, resume_at, by, environment, gate_plugins });
    turn.settle(number);
    Ok(())
}

/// A rollback has lighter rules because of where it goes: what it did months ago is no reason.
fn is_still_the_way_back(state: &State, deployment: &Deployment) -> Result<(), Rejection> {
    let there = state.environments.get(&deployment.environment).and_then(|there| there.current.as_ref());
    let is_current = there.is_some_and(|current| current.deployment == deployment.number);
    let leads_back =
        || state.rollback_to(&deployment.environment).is_some_and(|live| live.release == deployment.release.tag);
    if deployment.deployment_type != DeploymentType::Rollback || is_current || leads_back() {
        return Ok(());
    }
    Err(Rejection::NotTheWayBack {
        number: deployment.number,
        release: deployment.release.tag.clone(),
        environment: deployment.environment.clone(),
    })
}

/// The phase that failed the attempt, or the first one that was not done; not what the workflow went on after,
/// unless that is all there is. What was taken back is done again in any case.
fn first_to_repeat(deployment: &Deployment) -> usize {
    let attempt = &deployment.attempt;
    let failed_it = |run: &PhaseRun| match &attempt.failure {
        Some(AttemptFailure { of: FailureOf::Phase(name), .. }) => run.name == *name,
        Some(AttemptFailure { of: FailureOf::Plan | FailureOf::Approval | FailureOf::Gates, .. }) | None => false,
    };
    let to_repeat = |run: &PhaseRun| match &run.result {
        PhaseResult::Waiting | PhaseResult::Running | PhaseResult::Canceled | PhaseResult::Skipped => true,
        PhaseResult::Failed(_) => attempt.stage == Stage::Finished(Finish::PartiallySucceeded) || failed_it(run),
        PhaseResult::Succeeded => false,
    };
    let first = attempt.phases.iter().position(|run| to_repeat(run) || run.undo.is_some());
    first.unwrap_or(attempt.phases.len())
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

fn at_most(what: &'static str, actual: usize, allowed: usize) -> Result<(), Rejection> {
    if actual > allowed { Err(Rejection::TooMuch { what, actual, allowed }) } else { Ok(()) }
}

// ---- plugins ----

/// A report that fits no open call is late or repeated: it changes nothing, and that is not an error.
fn report(turn: &mut Turn, call: CallRef, answer: Answer) {
    let Some(deployment) = turn.state.deployments.get(&call.deployment) else { return };
    if deployment.attempt.number != call.attempt {
        return;
    }
    let Some(step) = deployment.works().into_iter().find(|work| work.call() == Some(call.call)).map(|work| work.step)
    else {
        return;
    };
    turn.change(call.deployment, Change::CallAnswered { step, call: call.call, answer: without_nulls(answer) });
    turn.settle(call.deployment);
}

/// A phase without outputs has none, rather than an empty value someone has to tell from one.
fn without_nulls(answer: Answer) -> Answer {
    match answer {
        Answer::Progressed(mut progressed) if progressed.outputs == Value::Object(serde_json::Map::new()) => {
            progressed.outputs = Value::Null;
            Answer::Progressed(progressed)
        }
        other => other,
    }
}
