//! The state of one project: what its events add up to. [`State::apply`] changes and decides nothing.
//!
//! Maps share structure (`imbl`), so a turn may work on a copy of the whole state at no cost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::admission;
use crate::change::{Change, Milestone, OnResources};
use crate::definition::{Definition, QueuePolicy, Requirement};
use crate::deployment::*;
use crate::digest::Digest;
use crate::environment::{EnvironmentChange, EnvironmentState, Likeness, Live, LiveBefore, Lived, Pause};
use crate::kept::cost;
use crate::name::{Actor, DeploymentNumber, Name, Tag, Timestamp};
use crate::plugin::{Artifact, ResourceState};
use crate::release::{Computed, Lifecycle, Release, ReleaseStatus};
use crate::resource;
use crate::selection::Selection;
use crate::snapshot::Deployments;
use crate::visits;
use crate::work::{Answer, CallRef, ProjectId, WorkState};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    DefinitionChanged {
        definition: Arc<Definition>,
        by: Actor,
    },
    ReleaseCreated {
        release: Arc<Release>,
    },
    /// A draft does something else than the definition says.
    DraftEdited {
        release: Arc<Release>,
        by: Actor,
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
    /// Its build workflow has succeeded: what it built belongs to the release.
    ReleaseBuilt {
        tag: Tag,
        artifacts: Vec<Artifact>,
    },
    /// Nothing but a rollback starts anywhere in the project.
    Paused {
        pause: Pause,
    },
    Resumed {
        by: Actor,
    },
    Environment {
        environment: Name,
        change: EnvironmentChange,
    },
    /// Somebody else has looked at what was done behind a broken glass.
    DebtReviewed {
        number: DeploymentNumber,
        by: Signature,
    },
    DeploymentQueued(Queued),
    /// A finished deployment is to be tried again: its record comes back, for whoever replays this may have
    /// forgotten it.
    DeploymentReopened {
        deployment: Arc<Deployment>,
    },
    Deployment {
        number: DeploymentNumber,
        change: Change,
    },
    /// A deployment begins to apply, or ends without having applied.
    CurrentChanged {
        environment: Name,
        deployment: DeploymentNumber,
        /// Of which applications; `None`: of all, and none stands apart any more.
        #[serde(default)]
        applications: Option<BTreeSet<Name>>,
        current: Option<Current>,
        /// What another deployment had left there, to go back to; `None` where the deployment goes on from its own.
        replaced: Option<Replaced>,
    },
    /// All that a deployment applied is undone: what it replaced is current again.
    CurrentRestored {
        environment: Name,
        deployment: DeploymentNumber,
    },
    LiveChanged {
        environment: Name,
        /// Of which applications; `None`: of all, and none stands apart any more.
        #[serde(default)]
        applications: Option<BTreeSet<Name>>,
        live: Option<Live>,
        before: LiveBefore,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queued {
    pub number: DeploymentNumber,
    pub environment: Name,
    pub release: Tag,
    pub deployment_type: DeploymentType,
    pub flags: Flags,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub selections: Vec<Selection>,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub input: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    pub comment: String,
    pub by: Actor,
    pub workflow: Name,
    pub gate_plugins: BTreeMap<Name, Digest>,
    pub key: Option<TriggerKey>,
}

impl What {
    /// The one it is about.
    pub fn deployment(&self) -> Option<DeploymentNumber> {
        match self {
            Self::Deployment { number, .. } | Self::DebtReviewed { number, .. } => Some(*number),
            Self::DeploymentQueued(queued) => Some(queued.number),
            Self::CurrentChanged { deployment, .. } | Self::CurrentRestored { deployment, .. } => Some(*deployment),
            Self::LiveChanged { live, .. } => live.as_ref().map(|live| live.deployment),
            Self::DeploymentReopened { .. }
            | Self::DefinitionChanged { .. }
            | Self::ReleaseCreated { .. }
            | Self::DraftEdited { .. }
            | Self::ReleaseActivated { .. }
            | Self::ReleaseAbandoned { .. }
            | Self::ReleaseBuilt { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::Environment { .. } => None,
        }
    }
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

/// How many of a project's triggers are remembered by their Idempotency-Key.
pub const REMEMBERED_TRIGGERS: usize = 10_000;
/// Of how many deployments that were tried again a project remembers how often; older ones are not tried again.
pub const REMEMBERED_RETRIED: usize = 100_000;

/// A project, as its events add up. It stands for events that were dropped, so what was once written is read for ever: a new
/// field has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub project: ProjectId,
    pub definition: Arc<Definition>,
    /// Who set it: on whose behalf schedules and expiries act.
    pub defined_by: Option<Actor>,
    pub releases: OrdMap<Tag, Arc<Release>>,
    pub pause: Option<Pause>,
    /// Each behind a pointer, for a map keeps room for 16 of what stands in it.
    pub environments: OrdMap<Name, Arc<EnvironmentState>>,
    /// Every deployment that has not finished, and those whose record the store does not have yet. Not written with the
    /// rest: see [`crate::snapshot`].
    #[serde(skip)]
    pub deployments: Deployments,
    /// Those that hold a slot: all that can have calls.
    pub running: OrdSet<DeploymentNumber>,
    /// Of these, those that wait because the project has as much under way as it may; who waits longest first.
    pub awaiting_capacity: Vector<DeploymentNumber>,
    /// And how many work, and how many calls they have open.
    busy: usize,
    open_calls: usize,
    /// Those that have not finished, by their release's tag. Not written: [`crate::snapshot`] finds them again.
    #[serde(skip)]
    under_way: OrdMap<Tag, OrdSet<DeploymentNumber>>,
    /// Held until a release has been live somewhere, by its tag.
    held_for: OrdMap<Tag, OrdSet<DeploymentNumber>>,
    /// Broken glass that nobody else has looked at yet.
    pub debts: OrdMap<DeploymentNumber, Signature>,
    /// Everybody who broke it, in any attempt since the last review.
    broke_glass: OrdMap<DeploymentNumber, OrdSet<String>>,
    pub last_number: DeploymentNumber,
    retried: Retried,
    pub triggers: OrdMap<String, (Digest, DeploymentNumber)>,
    trigger_order: Vector<String>,
    timers: OrdSet<(Timestamp, DeploymentNumber)>,
    #[serde(skip)]
    unbegun: Unbegun,
    /// Time never runs backward: the later of this and the clock is now.
    pub last_event_at: Timestamp,
}

/// The newest attempt of each deployment that has had more than one. A record that comes from outside may be older than
/// that: to go on from it would use the same attempt number twice, and with it the same idempotency keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Retried {
    attempts: OrdMap<DeploymentNumber, u32>,
    /// Of those before, nobody knows any more.
    known_from: DeploymentNumber,
}

impl Retried {
    fn note(&mut self, number: DeploymentNumber, attempt: u32) {
        if number >= self.known_from {
            self.attempts.insert(number, attempt);
        }
        if self.attempts.len() > REMEMBERED_RETRIED
            && let Some((oldest, _)) = self.attempts.get_min().copied()
        {
            self.attempts.remove(&oldest);
            self.known_from = oldest + 1;
        }
    }
}

/// An environment's state, to change it. Of one that nothing is known of yet, an empty one.
fn there_in<'a>(environments: &'a mut OrdMap<Name, Arc<EnvironmentState>>, name: &Name) -> &'a mut EnvironmentState {
    Arc::make_mut(environments.entry(name.clone()).or_default())
}

/// An event that says nothing about this state: another project's, or one before it is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event does not fit what came before it: there is no {0}")]
pub struct Misfit(String);

impl State {
    pub fn new(project: ProjectId) -> Self {
        Self {
            project,
            definition: Arc::default(),
            defined_by: None,
            releases: OrdMap::new(),
            pause: None,
            environments: OrdMap::new(),
            deployments: Deployments::new(),
            running: OrdSet::new(),
            awaiting_capacity: Vector::new(),
            busy: 0,
            open_calls: 0,
            under_way: OrdMap::new(),
            held_for: OrdMap::new(),
            debts: OrdMap::new(),
            broke_glass: OrdMap::new(),
            last_number: 0,
            retried: Retried::default(),
            triggers: OrdMap::new(),
            trigger_order: Vector::new(),
            timers: OrdSet::new(),
            unbegun: Unbegun::default(),
            last_event_at: Timestamp::default(),
        }
    }

    pub fn environment(&self, name: &Name) -> Arc<EnvironmentState> {
        self.environments.get(name).cloned().unwrap_or_default()
    }

    /// Where a rollback goes: to what is live, where something else was begun, and else to what was live before and
    /// was not abandoned since.
    pub fn rollback_to(&self, environment: &Name) -> Option<&Live> {
        let there = self.environments.get(environment)?;
        let is_active = |live: &&Live| {
            self.releases.get(&live.release).is_some_and(|release| release.status == ReleaseStatus::Active)
        };
        match &there.live {
            Some(live) if !there.is_all(&live.release) => Some(live),
            Some(_) | None => there.live_before.iter().rev().find(is_active),
        }
    }

    pub fn live_release(&self, environment: &Name) -> Option<&Arc<Release>> {
        let live = self.environments.get(environment)?.live.as_ref()?;
        self.releases.get(&live.release)
    }

    /// Where a waiting deployment stands, from 1.
    pub fn place(&self, deployment: &Deployment) -> Option<usize> {
        let queue = &self.environments.get(&deployment.environment)?.queue;
        queue.index_of(deployment.number).map(|index| index + 1)
    }

    /// Lifecycle (M).
    pub fn lifecycle(&self, release: &Release) -> Lifecycle {
        let is_live = |there: &Arc<EnvironmentState>| there.all_live().any(|live| live.release == release.tag);
        match (self.environments.values().any(is_live), release.was_live) {
            (true, _) => Lifecycle::Deployed,
            (false, true) => Lifecycle::Superseded,
            (false, false) => Lifecycle::Ready,
        }
    }

    /// When to send a tick. Between two ticks nothing changes unless somebody acts.
    pub fn wake_at(&self) -> Option<Timestamp> {
        // At once, where a turn had enough before all who wait had theirs.
        let free = |number| self.deployments.get(number).is_some_and(|waits| self.lacks_capacity(waits).is_none());
        let goes_on = self.awaiting_capacity.head().is_some_and(free);
        let at_once = (goes_on || self.idle(self.last_event_at).next().is_some()).then_some(self.last_event_at);
        let there = self.environments.values().filter_map(|there| there.wake_at());
        at_once.into_iter().chain(there).chain(self.timers.get_min().map(|(at, _)| *at)).min()
    }

    /// Environments where somebody waits and could start.
    pub(crate) fn idle(&self, now: Timestamp) -> impl Iterator<Item = &Name> {
        let idle = move |(name, there): &(&Name, &Arc<EnvironmentState>)| {
            !there.queue.is_empty() && admission::to_start(self, name, now).is_some()
        };
        self.environments.iter().filter(idle).map(|(name, _)| name)
    }

    /// The first deployment of a release that has not finished.
    pub(crate) fn under_way(&self, release: &Tag) -> Option<DeploymentNumber> {
        visits::count(1);
        self.under_way.get(release)?.get_min().copied()
    }

    /// One that was written comes back.
    pub(crate) fn restore(&mut self, mut deployment: Deployment) {
        self.unbegun.share(&mut deployment.attempt.phases);
        if !deployment.is_finished() {
            self.note_under_way(&deployment.release.tag, deployment.number);
        }
        self.deployments.insert(deployment.number, Arc::new(deployment));
    }

    fn note_under_way(&mut self, release: &Tag, number: DeploymentNumber) {
        self.under_way.entry(release.clone()).or_default().insert(number);
    }

    fn note_finished(&mut self, number: DeploymentNumber) {
        let Some(tag) = self.deployments.get(&number).map(|deployment| &deployment.release.tag) else { return };
        let nobody_else = self.under_way.get_mut(tag).is_some_and(|under_way| {
            under_way.remove(&number);
            under_way.is_empty()
        });
        if nobody_else {
            self.under_way.remove(tag);
        }
    }

    /// Held deployments that may go on now that their release is live somewhere.
    pub(crate) fn held_for(&self, release: &Tag) -> Vec<DeploymentNumber> {
        self.held_for.get(release).into_iter().flatten().copied().collect()
    }

    /// Whether nobody has written over what this deployment wrote.
    pub(crate) fn wrote_last(&self, deployment: &Deployment) -> bool {
        let there = self.environments.get(&deployment.environment);
        there.is_some_and(|there| there.writes.is_last(deployment.number, &deployment.write_set()))
    }

    /// Where only the newest counts: whoever waits to do the same and came later.
    pub(crate) fn newer_like(&self, deployment: &Deployment) -> Option<DeploymentNumber> {
        let policy = self.definition.environments.get(&deployment.environment)?.queue;
        let there = self.environments.get(&deployment.environment)?;
        let newest = there.newest_like(&Likeness::of_deployment(deployment)?)?;
        (policy == QueuePolicy::Latest && newest != deployment.number).then_some(newest)
    }

    /// Where its release should have been before it comes here, and has not been for long enough.
    pub(crate) fn missing_requirement(&self, deployment: &Deployment, now: Timestamp) -> Option<Hold> {
        let requires = &deployment.attempt.environment.requires;
        self.missing_of(deployment.deployment_type, requires, &deployment.release.tag, now)
    }

    pub(crate) fn missing_of(
        &self,
        deployment_type: DeploymentType,
        requires: &[Requirement],
        release: &Tag,
        now: Timestamp,
    ) -> Option<Hold> {
        match deployment_type {
            DeploymentType::Rollback | DeploymentType::Destroy => return None,
            DeploymentType::Launch | DeploymentType::Full | DeploymentType::Selective | DeploymentType::Custom => {}
        }
        requires.iter().find_map(|required| {
            let there = self.environments.get(&required.environment);
            let lived = there.map_or(Lived::Not, |there| there.lived_through(release, required.for_ms, now));
            let until = match lived {
                Lived::Enough => return None,
                Lived::EnoughAt(at) => Some(at),
                Lived::Not => None,
            };
            Some(Hold { because: HoldReason::Requires { environment: required.environment.clone() }, until })
        })
    }

    /// Whether one more phase of this deployment may start, beside all that is under way and waits longer.
    pub(crate) fn lacks_capacity(&self, deployment: &Deployment) -> Option<Capacity> {
        let limits = &self.definition.limits;
        let at_work = self.busy - usize::from(deployment.is_busy());
        let before = self.awaiting_capacity.iter().take_while(|number| **number != deployment.number).count();
        if limits.running.is_some_and(|most| at_work + before >= most as usize) {
            return Some(Capacity::Running);
        }
        limits.workers.filter(|most| self.open_calls + before >= *most as usize).map(|_| Capacity::Workers)
    }

    /// Deployments whose time has come, earliest first.
    pub(crate) fn expired(&self, now: Timestamp) -> Vec<DeploymentNumber> {
        let expired = self.timers.iter().take_while(|(at, _)| *at <= now);
        expired.inspect(|_| visits::count(1)).map(|(_, number)| *number).collect()
    }

    /// What must be running: the calls that were started and not answered.
    pub fn due(&self) -> Vec<Due> {
        self.running
            .iter()
            .inspect(|_| visits::count(1))
            .filter_map(|number| self.deployments.get(number))
            .flat_map(|deployment| deployment.due())
            .collect()
    }

    /// The number of a deployment's newest attempt; `None` where it was so long ago that it is forgotten.
    pub fn newest_attempt(&self, number: DeploymentNumber) -> Option<u32> {
        if let Some(deployment) = self.deployments.get(&number) {
            return Some(deployment.attempt.number);
        }
        let is_known = number >= self.retried.known_from;
        is_known.then(|| self.retried.attempts.get(&number).copied().unwrap_or(1))
    }

    /// Drops a finished attempt's deployment from memory. Only after the store has its record; no decision looks at it.
    pub fn forget(&mut self, number: DeploymentNumber, attempt: u32) {
        let over = |deployment: &Deployment| deployment.is_finished() && deployment.attempt.number == attempt;
        if self.deployments.get(&number).is_some_and(|deployment| over(deployment)) {
            self.deployments.remove(&number);
        }
    }

    /// A misfit changes nothing.
    pub fn apply(&mut self, event: &Event) -> Result<(), Misfit> {
        match &event.what {
            What::DefinitionChanged { definition, by } => {
                (self.definition, self.defined_by) = (definition.clone(), Some(by.clone()));
            }
            What::ReleaseCreated { release } | What::DraftEdited { release, .. } => {
                self.releases.insert(release.tag.clone(), release.clone());
            }
            What::ReleaseActivated { tag, by } => {
                let release = self.release_mut(tag)?;
                release.status = ReleaseStatus::Active;
                release.involved.insert(by.person.clone());
            }
            What::ReleaseAbandoned { tag, .. } => self.release_mut(tag)?.status = ReleaseStatus::Abandoned,
            What::ReleaseBuilt { tag, artifacts } => {
                let release = self.release_mut(tag)?;
                release.artifacts.extend(artifacts.iter().cloned());
                release.built = true;
            }
            What::Paused { pause } => self.pause = Some(pause.clone()),
            What::Resumed { .. } => self.pause = None,
            What::Environment { environment, change } => {
                there_in(&mut self.environments, environment).apply(change, event.at);
                if let EnvironmentChange::StateKept { key, entry, .. } = change
                    && let Some(writer) = self.deployments.get_mut(&entry.by)
                {
                    Arc::make_mut(writer).attempt.kept_bytes += cost(key, &entry.value) as u64;
                }
            }
            What::DebtReviewed { number, .. } => {
                self.debts.remove(number);
                self.broke_glass.remove(number);
            }
            What::DeploymentQueued(queued) => self.queue(queued, event.at)?,
            What::DeploymentReopened { deployment } => {
                self.deployments.insert(deployment.number, deployment.clone());
            }
            What::Deployment { number, change } => self.change_deployment(*number, change, event.at)?,
            What::CurrentChanged { environment, deployment, applications, current, replaced } => {
                let deployment = self.deployments.get_mut(deployment).ok_or_else(|| no_deployment(*deployment))?;
                let writes = deployment.write_set();
                if let Some(replaced) = replaced {
                    Arc::make_mut(deployment).attempt.replaced = Some(Box::new(replaced.clone()));
                }
                let there = there_in(&mut self.environments, environment);
                there.set_current(applications.as_ref(), current.as_ref());
                there.writes.note(deployment.number, writes);
            }
            What::CurrentRestored { environment, deployment } => {
                let deployment = self.deployments.get(deployment).ok_or_else(|| no_deployment(*deployment))?;
                let there = there_in(&mut self.environments, environment);
                if let Some(replaced) = &deployment.attempt.replaced {
                    there.restore_current(deployment.applies_to().as_ref(), replaced);
                }
                there.writes.forget(deployment.number);
            }
            What::LiveChanged { environment, applications, live, before } => {
                // Only once: a copy would have its digest to find again, and each deployment one of its own to keep.
                if let Some(live) = live
                    && !self.releases.get(&live.release).is_some_and(|release| release.was_live)
                {
                    self.release_mut(&live.release)?.was_live = true;
                }
                let there = there_in(&mut self.environments, environment);
                there.change_live(applications.as_ref(), live.as_ref(), *before, event.at);
                there.note_health(event.at);
            }
        }
        self.last_event_at = self.last_event_at.max(event.at);
        Ok(())
    }

    fn release_mut(&mut self, tag: &Tag) -> Result<&mut Release, Misfit> {
        let release = self.releases.get_mut(tag).ok_or_else(|| Misfit(format!("release `{tag}`")))?;
        let release = Arc::make_mut(release);
        release.computed = Computed::default();
        Ok(release)
    }

    fn queue(&mut self, queued: &Queued, at: Timestamp) -> Result<(), Misfit> {
        let missing = |what: &str, name: &dyn std::fmt::Display| Misfit(format!("{what} `{name}`"));
        let release = self.releases.get(&queued.release).ok_or_else(|| missing("release", &queued.release))?;
        let environment = self.definition.environments.get(&queued.environment);
        let environment = environment.ok_or_else(|| missing("environment", &queued.environment))?;
        let workflow = release.workflows.get(&queued.workflow).ok_or_else(|| missing("workflow", &queued.workflow))?;
        let phases = self.unbegun.all_of(workflow);
        let attempt = Attempt::new(1, at, queued.by.clone(), self.definition.pinned(environment), phases);
        let there = there_in(&mut self.environments, &queued.environment);
        there.note_queued(&queued.release, queued.number);
        let stage = queued.hold.clone().map_or(Stage::Queued, Stage::Held);
        let deployment = Deployment {
            number: queued.number,
            environment: queued.environment.clone(),
            release: release.clone(),
            previous_release: None,
            deployment_type: queued.deployment_type,
            flags: queued.flags,
            selections: queued.selections.clone(),
            input: queued.input.clone(),
            comment: queued.comment.clone(),
            triggered_by: queued.by.clone(),
            workflow: queued.workflow.clone(),
            created_at: at,
            break_glass: None,
            earlier: Vec::new(),
            attempt: Attempt { gate_plugins: queued.gate_plugins.clone(), stage, ..attempt },
        };
        self.last_number = queued.number;
        if let Some(key) = &queued.key {
            self.remember_trigger(key, queued.number);
        }
        let wake_at = deployment.wake_at();
        self.deployments.insert(queued.number, Arc::new(deployment));
        wake_at.map(|at| self.timers.insert((at, queued.number)));
        self.arrive(queued.number);
        Ok(())
    }

    /// In the queue, or beside it, as the newest that waits to do what it does.
    fn arrive(&mut self, number: DeploymentNumber) {
        if let Some(deployment) = self.deployments.get(&number).cloned() {
            self.note_under_way(&deployment.release.tag, number);
            let there = there_in(&mut self.environments, &deployment.environment);
            there.note_newest(&deployment);
        }
        self.wait(number);
    }

    /// One that comes back does not take the place of one that got in line after it.
    fn note_newest(&mut self, number: DeploymentNumber) {
        let Some(deployment) = self.deployments.get(&number) else { return };
        let there = there_in(&mut self.environments, &deployment.environment);
        let newest = Likeness::of_deployment(deployment).and_then(|likeness| there.newest_like(&likeness));
        let came = |deployment: &Deployment| (deployment.attempt.queued_at, deployment.number);
        if newest.and_then(|newest| self.deployments.get(&newest)).is_none_or(|newest| came(newest) <= came(deployment))
        {
            there.note_newest(deployment);
        }
    }

    fn wait(&mut self, number: DeploymentNumber) {
        self.note_newest(number);
        let Some(deployment) = self.deployments.get(&number) else { return };
        let there = there_in(&mut self.environments, &deployment.environment);
        match &deployment.attempt.stage {
            Stage::Held(_) => {
                there.held.insert(number);
                self.held_for.entry(deployment.release.tag.clone()).or_default().insert(number);
            }
            Stage::Queued
            | Stage::Ready
            | Stage::AwaitingCapacity(_)
            | Stage::Observing(_)
            | Stage::Planning(_)
            | Stage::AwaitingApproval(_)
            | Stage::Confirming { .. }
            | Stage::Running
            | Stage::Undoing { .. }
            | Stage::Gates(_)
            | Stage::Finished(_) => self.enqueue(number),
        }
    }

    /// A rollback goes to the head, and so does what somebody broke the glass for: nobody looks far behind those that a
    /// freeze holds back. Everything else goes to the end.
    fn enqueue(&mut self, number: DeploymentNumber) {
        let Some(deployment) = self.deployments.get(&number) else { return };
        let queue = &mut there_in(&mut self.environments, &deployment.environment).queue;
        if goes_first(deployment) { queue.push_front(number) } else { queue.push_back(number) }
    }

    /// It had its turn already: only those that go before everybody stay before it.
    fn go_back(&mut self, number: DeploymentNumber) {
        let Some(deployment) = self.deployments.get(&number) else { return };
        let queue = &mut there_in(&mut self.environments, &deployment.environment).queue;
        let goes_before = |waiting: &&DeploymentNumber| {
            !goes_first(deployment) && self.deployments.get(*waiting).is_some_and(|waiting| goes_first(waiting))
        };
        let before: Vec<DeploymentNumber> = queue.iter().take_while(goes_before).copied().collect();
        queue.push_front(number);
        for first in before.into_iter().rev() {
            queue.leave(first);
            queue.push_front(first);
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

    fn change_deployment(&mut self, number: DeploymentNumber, change: &Change, at: Timestamp) -> Result<(), Misfit> {
        let shared = self.deployments.get_mut(&number).ok_or_else(|| no_deployment(number))?;
        if !shared.has_place_of(change) {
            return Err(Misfit(format!("such phase or gate in deployment {number}")));
        }
        let seen = seen(shared, change);
        let deployment = Arc::make_mut(shared);
        let before = Load::of(deployment);
        deployment.apply(change, at);
        let after = Load::of(deployment);
        let environment = deployment.environment.clone();
        self.carry(number, before, after);
        self.follow_resources(number, change, seen, at);
        match change.milestone() {
            Some(Milestone::AttemptQueued { attempt, .. }) => {
                self.retried.note(number, attempt);
                if let Change::AttemptQueued { key: Some(key), .. } = change {
                    self.remember_trigger(key, number);
                }
                self.arrive(number);
            }
            Some(Milestone::Enqueued | Milestone::Held) => {
                self.leave(&environment, number);
                self.wait(number);
            }
            Some(Milestone::SlotTaken) => self.take_slot(&environment, number),
            Some(Milestone::SlotGivenUp) => {
                self.leave(&environment, number);
                self.note_newest(number);
                self.go_back(number);
            }
            Some(Milestone::Finished(finish)) => {
                self.leave(&environment, number);
                self.note_end(number, finish);
                self.note_finished(number);
            }
            Some(Milestone::PhaseEnded { .. }) | None => {}
        }
        if let Change::GlassBroken { by } = change {
            self.owe(number, by);
            let waits = self.deployments.get(&number).is_some_and(|deployment| deployment.is_waiting());
            if waits {
                there_in(&mut self.environments, &environment).queue.leave(number);
                self.enqueue(number);
            }
        }
        Ok(())
    }

    fn note_end(&mut self, number: DeploymentNumber, finish: Finish) {
        let Some(deployment) = self.deployments.get(&number) else { return };
        let has_succeeded = match finish {
            Finish::Succeeded | Finish::PartiallySucceeded => !deployment.failed_to_apply(),
            Finish::PhaseFailed | Finish::GatesFailed | Finish::Rejected | Finish::Canceled(_) => false,
        };
        if let Some(there) = self.environments.get_mut(&deployment.environment).filter(|_| has_succeeded) {
            Arc::make_mut(there).note_succeeded(number, true);
        }
    }

    /// Whoever broke the glass first stands for it; who breaks it again for a later attempt may not review it either.
    fn owe(&mut self, number: DeploymentNumber, by: &Signature) {
        self.debts.entry(number).or_insert_with(|| by.clone());
        self.broke_glass.entry(number).or_default().insert(by.by.person.clone());
    }

    /// Also where the deployment has left the memory.
    pub(crate) fn broke_glass(&self, number: DeploymentNumber, person: &str) -> bool {
        self.broke_glass.get(&number).is_some_and(|people| people.contains(person))
    }

    /// What a deployment weighs has changed: its timer, and what the project has under way.
    fn carry(&mut self, number: DeploymentNumber, before: Load, after: Load) {
        if before.wake_at != after.wake_at {
            before.wake_at.map(|at| self.timers.remove(&(at, number)));
            after.wake_at.map(|at| self.timers.insert((at, number)));
        }
        self.busy = self.busy + usize::from(after.busy) - usize::from(before.busy);
        self.open_calls = self.open_calls + after.open_calls - before.open_calls;
        match (before.lacks_capacity, after.lacks_capacity) {
            (false, true) => self.awaiting_capacity.push_back(number),
            (true, false) => self.awaiting_capacity.retain(|waiting| *waiting != number),
            (true, true) | (false, false) => {}
        }
    }

    fn follow_resources(&mut self, number: DeploymentNumber, change: &Change, seen: Vec<ResourceState>, at: Timestamp) {
        let Some(deployment) = self.deployments.get(&number) else { return };
        let there = there_in(&mut self.environments, &deployment.environment);
        match change.on_resources() {
            Some(OnResources::Observed) => resource::observed(&mut there.resources, &seen, at),
            Some(OnResources::Begun { phase }) => {
                // Also where an earlier attempt had succeeded.
                there.note_succeeded(number, false);
                resource::begin(&mut there.resources, deployment, phase);
            }
            Some(OnResources::Ended { phase }) => resource::end(&mut there.resources, deployment, phase),
            None => return,
        }
        there.note_health(at);
    }

    fn take_slot(&mut self, environment: &Name, number: DeploymentNumber) {
        let live = self.live_release(environment).cloned();
        if let Some(deployment) = self.deployments.get_mut(&number) {
            Arc::make_mut(deployment).previous_release = live;
        }
        let there = there_in(&mut self.environments, environment);
        there.queue.leave(number);
        there.slots.insert(number);
        self.deployments.get(&number).iter().for_each(|deployment| there.forget_newest(deployment));
        self.running.insert(number);
    }

    /// Wherever it stood: slot, queue or beside it.
    fn leave(&mut self, environment: &Name, number: DeploymentNumber) {
        let there = there_in(&mut self.environments, environment);
        if there.slots.remove(&number).is_none() {
            there.queue.leave(number);
        }
        there.held.remove(&number);
        self.running.remove(&number);
        let Some(deployment) = self.deployments.get(&number) else { return };
        there.forget_newest(deployment);
        let tag = &deployment.release.tag;
        let nobody_else = self.held_for.get_mut(tag).is_some_and(|held| {
            held.remove(&number);
            held.is_empty()
        });
        if nobody_else {
            self.held_for.remove(tag);
        }
    }
}

/// What the rest of the project notices of a deployment.
#[derive(Clone, Copy)]
struct Load {
    wake_at: Option<Timestamp>,
    busy: bool,
    open_calls: usize,
    lacks_capacity: bool,
}

impl Load {
    fn of(deployment: &Deployment) -> Self {
        Self {
            wake_at: deployment.wake_at(),
            busy: deployment.is_busy(),
            open_calls: deployment.works().iter().filter(|work| work.call().is_some()).count(),
            lacks_capacity: matches!(deployment.attempt.stage, Stage::AwaitingCapacity(_)),
        }
    }
}

/// What the target has just said, before the change that takes it in drops the work.
fn seen(deployment: &Deployment, change: &Change) -> Vec<ResourceState> {
    let (Change::Observed { .. }, Stage::Observing(work)) = (change, &deployment.attempt.stage) else {
        return Vec::new();
    };
    let WorkState::Done(answer) = &work.state else { return Vec::new() };
    let Answer::Observed(seen) = answer.as_ref() else { return Vec::new() };
    seen.clone()
}

fn no_deployment(number: DeploymentNumber) -> Misfit {
    Misfit(format!("deployment {number}"))
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
        self.attempt.stage.is_waiting()
    }

    /// It has work of its own: one that waits for people, or for capacity, has not.
    pub fn is_busy(&self) -> bool {
        match &self.attempt.stage {
            Stage::Observing(_)
            | Stage::Planning(_)
            | Stage::Confirming { .. }
            | Stage::Undoing { .. }
            | Stage::Gates(_) => true,
            Stage::Running => self.attempt.doing().any(|(_, doing)| !matches!(doing, Doing::Person { .. })),
            Stage::Queued
            | Stage::Held(_)
            | Stage::Ready
            | Stage::AwaitingCapacity(_)
            | Stage::AwaitingApproval(_)
            | Stage::Finished(_) => false,
        }
    }
}

fn goes_first(deployment: &Deployment) -> bool {
    match deployment.deployment_type {
        DeploymentType::Rollback => true,
        DeploymentType::Launch
        | DeploymentType::Full
        | DeploymentType::Selective
        | DeploymentType::Custom
        | DeploymentType::Destroy => deployment.break_glass.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_that_is_changed_where_it_lies_is_digested_anew() {
        let mut state = State::new(ProjectId { name: "shop".parse().unwrap(), uid: "7".to_owned() });
        let release: Release = serde_json::from_value(serde_json::json!({
            "tag": "v1", "description": "first", "artifacts": [], "workflows": {}, "plugins": {},
            "created_by": { "person": "ada", "via": "laptop" }, "involved": [], "created_at": 0,
            "status": "Draft", "was_live": false,
        }))
        .unwrap();
        let (tag, before) = (release.tag.clone(), release.digest());
        state.releases.insert(tag.clone(), Arc::new(release));
        state.release_mut(&tag).unwrap().description = "second".to_owned();
        assert_ne!(state.releases[&tag].digest(), before);
    }

    #[test]
    fn how_often_the_oldest_was_tried_is_forgotten_and_known_to_be() {
        let mut state = State::new(ProjectId { name: "shop".parse().unwrap(), uid: "7".to_owned() });
        for number in 1..=REMEMBERED_RETRIED as u64 {
            state.retried.note(number * 2, 2);
        }
        assert_eq!([2, 3].map(|number| state.newest_attempt(number)), [Some(2), Some(1)]);
        state.retried.note(1_000_000, 5);
        assert_eq!([2, 3, 4, 1_000_000].map(|number| state.newest_attempt(number)), [None, Some(1), Some(2), Some(5)]);
        state.retried.note(1, 2);
        assert_eq!((state.newest_attempt(1), state.retried.attempts.len()), (None, REMEMBERED_RETRIED));
    }
}
