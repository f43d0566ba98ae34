//! The state of one project: what its events add up to. [`State::apply`] changes and decides nothing.
//!
//! Maps share structure (`imbl`), so a turn may work on a copy of the whole state at no cost.

use std::collections::VecDeque;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::deployment::{Attempt, Change, Current, Deployment, DeploymentType, Flags, Replaced, Stage};
use crate::digest::Digest;
use crate::name::{Actor, DeploymentNumber, Name, Tag, Timestamp};
use crate::release::{Lifecycle, Release, ReleaseStatus};
use crate::work::{CallRef, ProjectId};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    ProjectCreated {
        project: ProjectId,
        by: Actor,
    },
    DefinitionChanged {
        definition: Arc<Definition>,
        by: Actor,
    },
    ReleaseCreated {
        release: Arc<Release>,
    },
    /// A draft becomes immutable.
    ReleaseActivated {
        tag: Tag,
        by: Actor,
    },
    ReleaseAbandoned {
        tag: Tag,
        by: Actor,
    },
    DeploymentQueued(Queued),
    /// A finished deployment comes back into memory, to be tried again.
    DeploymentReopened {
        deployment: Arc<Deployment>,
    },
    Deployment {
        number: DeploymentNumber,
        change: Change,
    },
    CurrentChanged {
        environment: Name,
        deployment: DeploymentNumber,
        current: Option<Current>,
    },
    /// `back`: an earlier release returns, and what came after it leaves the history.
    LiveChanged {
        environment: Name,
        live: Option<Live>,
        back: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queued {
    pub number: DeploymentNumber,
    pub environment: Name,
    pub release: Tag,
    pub deployment_type: DeploymentType,
    pub flags: Flags,
    pub comment: String,
    pub by: Actor,
    pub workflow: Name,
    pub key: Option<TriggerKey>,
}

/// The caller's Idempotency-Key, and a digest of what it asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriggerKey {
    /// Whose key it is, and for what: nobody meets another's.
    #[serde(default)]
    pub scope: String,
    pub key: String,
    pub request: Digest,
}

impl TriggerKey {
    pub fn id(&self) -> String {
        format!("{} {}", self.scope, self.key)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    pub release: Tag,
    pub workflow: Name,
    pub deployment: DeploymentNumber,
    pub since: Timestamp,
}

/// How many of a project's triggers are remembered by their Idempotency-Key.
pub const REMEMBERED_TRIGGERS: usize = 10_000;
/// How many releases back an environment remembers what was live.
const REMEMBERED_LIVE: usize = 100;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub project: ProjectId,
    pub definition: Arc<Definition>,
    pub releases: OrdMap<Tag, Arc<Release>>,
    pub environments: OrdMap<Name, EnvironmentState>,
    /// Every deployment that has not finished, and those whose record the store does not have yet.
    pub deployments: OrdMap<DeploymentNumber, Arc<Deployment>>,
    /// Those that hold a slot: all that can have calls.
    pub running: OrdSet<DeploymentNumber>,
    pub last_number: DeploymentNumber,
    pub triggers: OrdMap<String, (Digest, DeploymentNumber)>,
    trigger_order: Vector<String>,
    timers: OrdSet<(Timestamp, DeploymentNumber)>,
    /// Time never runs backward: the later of this and the clock is now.
    pub last_event_at: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentState {
    /// Waiting, in order.
    pub queue: Vector<DeploymentNumber>,
    /// The one that is on its way, from planning to its last gate.
    pub slot: Option<DeploymentNumber>,
    pub live: Option<Live>,
    /// What was live before, newest last.
    pub live_before: VecDeque<Live>,
    /// What the targets last began to apply; differs from live while something is under way, and after a failure.
    pub current: Option<Current>,
}

impl EnvironmentState {
    /// Where a rollback goes: to what is live, where something else was begun, and else to what was live before.
    pub fn rollback_to(&self) -> Option<&Live> {
        let is_current = |live: &&Live| self.current.as_ref().is_some_and(|current| current.release == live.release);
        match &self.live {
            Some(live) if !is_current(&live) => Some(live),
            Some(_) | None => self.live_before.back(),
        }
    }
}

impl State {
    pub fn new(project: ProjectId) -> Self {
        Self {
            project,
            definition: Arc::default(),
            releases: OrdMap::new(),
            environments: OrdMap::new(),
            deployments: OrdMap::new(),
            running: OrdSet::new(),
            last_number: 0,
            triggers: OrdMap::new(),
            trigger_order: Vector::new(),
            timers: OrdSet::new(),
            last_event_at: Timestamp::default(),
        }
    }

    pub fn environment(&self, name: &Name) -> EnvironmentState {
        self.environments.get(name).cloned().unwrap_or_default()
    }

    pub fn live_release(&self, environment: &Name) -> Option<&Arc<Release>> {
        let live = self.environments.get(environment)?.live.as_ref()?;
        self.releases.get(&live.release)
    }

    /// Where a waiting deployment stands, from 1.
    pub fn place(&self, deployment: &Deployment) -> Option<usize> {
        let queue = &self.environments.get(&deployment.environment)?.queue;
        queue.iter().position(|number| *number == deployment.number).map(|index| index + 1)
    }

    /// Lifecycle (M).
    pub fn lifecycle(&self, release: &Release) -> Lifecycle {
        let is_live = |state: &EnvironmentState| state.live.as_ref().is_some_and(|live| live.release == release.tag);
        match (self.environments.values().any(is_live), release.was_live) {
            (true, _) => Lifecycle::Deployed,
            (false, true) => Lifecycle::Superseded,
            (false, false) => Lifecycle::Ready,
        }
    }

    /// When to send a tick. Between two ticks nothing changes unless somebody acts.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.timers.get_min().map(|(at, _)| *at)
    }

    /// Deployments whose time has come, earliest first.
    pub(crate) fn expired(&self, now: Timestamp) -> Vec<DeploymentNumber> {
        self.timers.iter().take_while(|(at, _)| *at <= now).map(|(_, number)| *number).collect()
    }

    /// What must be running: the calls that were started and not answered.
    pub fn due(&self) -> Vec<Due> {
        self.running
            .iter()
            .filter_map(|number| self.deployments.get(number))
            .flat_map(|deployment| deployment.due())
            .collect()
    }

    /// Drops a finished deployment from memory. Only after the store has its record; no decision looks at it.
    pub fn forget(&mut self, number: DeploymentNumber) {
        if self.deployments.get(&number).is_some_and(|deployment| deployment.is_finished()) {
            self.deployments.remove(&number);
        }
    }

    pub fn apply(&mut self, event: &Event) {
        self.last_event_at = self.last_event_at.max(event.at);
        match &event.what {
            What::ProjectCreated { project, .. } => self.project = project.clone(),
            What::DefinitionChanged { definition, .. } => self.definition = definition.clone(),
            What::ReleaseCreated { release } => {
                self.releases.insert(release.tag.clone(), release.clone());
            }
            What::ReleaseActivated { tag, .. } => {
                self.change_release(tag, |release| release.status = ReleaseStatus::Active)
            }
            What::ReleaseAbandoned { tag, .. } => {
                self.change_release(tag, |release| release.status = ReleaseStatus::Abandoned);
            }
            What::DeploymentQueued(queued) => self.queue(queued, event.at),
            What::DeploymentReopened { deployment } => {
                self.deployments.insert(deployment.number, deployment.clone());
            }
            What::Deployment { number, change } => self.change_deployment(*number, change, event.at),
            What::CurrentChanged { environment, deployment, current } => {
                let environment = self.environments.entry(environment.clone()).or_default();
                let before = std::mem::replace(&mut environment.current, current.clone());
                // What it replaced is what another one left there, not what its own last phase or attempt did.
                if before.as_ref().is_none_or(|before| before.deployment != *deployment)
                    && let Some(deployment) = self.deployments.get_mut(deployment)
                {
                    Arc::make_mut(deployment).attempt.replaced = Some(Replaced { current: before });
                }
            }
            What::LiveChanged { environment, live, back } => self.change_live(environment, live.as_ref(), *back),
        }
    }

    fn change_release(&mut self, tag: &Tag, change: impl FnOnce(&mut Release)) {
        if let Some(release) = self.releases.get_mut(tag) {
            change(Arc::make_mut(release));
        }
    }

    fn queue(&mut self, queued: &Queued, at: Timestamp) {
        let (Some(release), Some(environment)) =
            (self.releases.get(&queued.release), self.definition.environments.get(&queued.environment))
        else {
            return;
        };
        let workflow = &release.workflows[&queued.workflow];
        let deployment = Deployment {
            number: queued.number,
            environment: queued.environment.clone(),
            release: release.clone(),
            previous_release: self.live_release(&queued.environment).cloned(),
            deployment_type: queued.deployment_type,
            flags: queued.flags,
            comment: queued.comment.clone(),
            triggered_by: queued.by.clone(),
            workflow: queued.workflow.clone(),
            created_at: at,
            earlier: Vec::new(),
            attempt: Attempt::new(1, at, queued.by.clone(), environment.clone(), workflow),
        };
        self.last_number = queued.number;
        if let Some(key) = &queued.key {
            self.remember_trigger(key, queued.number);
        }
        self.deployments.insert(queued.number, Arc::new(deployment));
        self.enqueue(queued.number);
    }

    /// A rollback goes to the head, everything else to the end.
    fn enqueue(&mut self, number: DeploymentNumber) {
        let Some(deployment) = self.deployments.get(&number) else { return };
        let queue = &mut self.environments.entry(deployment.environment.clone()).or_default().queue;
        match deployment.deployment_type {
            DeploymentType::Rollback => queue.push_front(number),
            DeploymentType::Launch
            | DeploymentType::Full
            | DeploymentType::Selective
            | DeploymentType::Custom
            | DeploymentType::Destroy => queue.push_back(number),
        }
    }

    fn remember_trigger(&mut self, key: &TriggerKey, number: DeploymentNumber) {
        self.triggers.insert(key.id(), (key.request, number));
        self.trigger_order.push_back(key.id());
        if self.trigger_order.len() > REMEMBERED_TRIGGERS
            && let Some(oldest) = self.trigger_order.pop_front()
        {
            self.triggers.remove(&oldest);
        }
    }

    fn change_deployment(&mut self, number: DeploymentNumber, change: &Change, at: Timestamp) {
        let Some(shared) = self.deployments.get_mut(&number) else { return };
        let deployment = Arc::make_mut(shared);
        let before = deployment.wake_at();
        deployment.apply(change, at);
        let after = deployment.wake_at();
        let environment = deployment.environment.clone();
        if before != after {
            before.map(|at| self.timers.remove(&(at, number)));
            after.map(|at| self.timers.insert((at, number)));
        }
        match change {
            Change::AttemptQueued { .. } => self.enqueue(number),
            Change::SlotTaken => {
                let environment = self.environments.entry(environment).or_default();
                leave(&mut environment.queue, number);
                environment.slot = Some(number);
                self.running.insert(number);
            }
            Change::Finished { .. } => {
                let environment = self.environments.entry(environment).or_default();
                if environment.slot == Some(number) {
                    environment.slot = None;
                } else {
                    leave(&mut environment.queue, number);
                }
                self.running.remove(&number);
            }
            _ => {}
        }
    }

    fn change_live(&mut self, environment: &Name, live: Option<&Live>, back: bool) {
        let environment = self.environments.entry(environment.clone()).or_default();
        let before = std::mem::replace(&mut environment.live, live.cloned());
        let returns = live.map(|live| &live.release);
        let is_it = |earlier: &Live| Some(&earlier.release) == returns;
        if back && let Some(since) = environment.live_before.iter().rposition(is_it) {
            environment.live_before.truncate(since);
        } else if let Some(before) = before
            && Some(&before.release) != returns
        {
            environment.live_before.push_back(before);
            if environment.live_before.len() > REMEMBERED_LIVE {
                environment.live_before.pop_front();
            }
        }
        if let Some(tag) = returns.cloned() {
            self.change_release(&tag, |release| release.was_live = true);
        }
    }
}

/// Finds the head at once, however many wait behind it.
fn leave(queue: &mut Vector<DeploymentNumber>, number: DeploymentNumber) {
    if let Some(place) = queue.index_of(&number) {
        queue.remove(place);
    }
}

/// A call that must be running. What it says to its plugin is built when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    pub call: CallRef,
    pub step: crate::work::Step,
    /// The plugin is told that it should stop.
    pub cancelling: bool,
}

impl Deployment {
    pub fn due(&self) -> Vec<Due> {
        let of = |work: &&crate::work::Work| {
            let call = CallRef { deployment: self.number, attempt: self.attempt.number, call: work.call()? };
            Some(Due { call, step: work.step, cancelling: self.is_cancelling(work.step) })
        };
        self.works().iter().filter_map(of).collect()
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self.attempt.stage, Stage::Queued)
    }
}
