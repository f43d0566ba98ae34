//! The state of one project: what its events add up to. [`State::apply`] changes and decides nothing.
//!
//! Maps share structure (`imbl`), so a turn may work on a copy of the whole state at no cost.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};

use crate::change::{Change, Milestone};
use crate::definition::Definition;
use crate::deployment::{Attempt, Current, Deployment, DeploymentType, Flags, Replaced, Stage};
use crate::digest::Digest;
use crate::name::{Actor, DeploymentNumber, Name, Tag, Timestamp};
use crate::queue::Queue;
use crate::release::{Lifecycle, Release, ReleaseStatus};
use crate::visits;
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
    /// A finished deployment is to be tried again: its record comes back, for whoever replays this may have
    /// forgotten it.
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
        /// What another deployment had left there, to go back to; `None` where the deployment goes on from its own.
        replaced: Option<Replaced>,
    },
    LiveChanged {
        environment: Name,
        live: Option<Live>,
        before: LiveBefore,
    },
}

/// What a change of the live release makes of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveBefore {
    /// The same release is live again.
    Same,
    /// What was live is the newest of the history.
    Pushed,
    /// An earlier release returns: it and what came after it leave the history.
    CutTo { length: usize },
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
    pub gate_plugins: BTreeMap<Name, Digest>,
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
/// Of how many deployments that were tried again a project remembers how often; older ones are not tried again.
pub const REMEMBERED_RETRIED: usize = 100_000;

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
    retried: Retried,
    pub triggers: OrdMap<String, (Digest, DeploymentNumber)>,
    trigger_order: Vector<String>,
    timers: OrdSet<(Timestamp, DeploymentNumber)>,
    /// Time never runs backward: the later of this and the clock is now.
    pub last_event_at: Timestamp,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentState {
    /// Waiting, in order.
    pub queue: Queue,
    /// The one that is on its way, from planning to its last gate.
    pub slot: Option<DeploymentNumber>,
    pub live: Option<Live>,
    /// What was live before, newest last.
    pub live_before: Vector<Live>,
    /// What the targets last began to apply; differs from live while something is under way, and after a failure.
    pub current: Option<Current>,
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

/// An event that says nothing about this state: another project's, or one before it is missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event does not fit what came before it: there is no {0}")]
pub struct Misfit(String);

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
            retried: Retried::default(),
            triggers: OrdMap::new(),
            trigger_order: Vector::new(),
            timers: OrdSet::new(),
            last_event_at: Timestamp::default(),
        }
    }

    pub fn environment(&self, name: &Name) -> EnvironmentState {
        self.environments.get(name).cloned().unwrap_or_default()
    }

    /// Where a rollback goes: to what is live, where something else was begun, and else to what was live before and
    /// was not abandoned since.
    pub fn rollback_to(&self, environment: &Name) -> Option<&Live> {
        let there = self.environments.get(environment)?;
        let is_current = |live: &&Live| there.current.as_ref().is_some_and(|current| current.release == live.release);
        let is_active = |live: &&Live| {
            self.releases.get(&live.release).is_some_and(|release| release.status == ReleaseStatus::Active)
        };
        match &there.live {
            Some(live) if !is_current(&live) => Some(live),
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
        let is_live = |state: &EnvironmentState| state.live.as_ref().is_some_and(|live| live.release == release.tag);
        match (self.environments.values().any(is_live), release.was_live) {
            (true, _) => Lifecycle::Deployed,
            (false, true) => Lifecycle::Superseded,
            (false, false) => Lifecycle::Ready,
        }
    }

    /// When to send a tick. Between two ticks nothing changes unless somebody acts.
    pub fn wake_at(&self) -> Option<Timestamp> {
        // At once, where a turn had enough before all who wait had theirs.
        let at_once = self.idle().next().map(|_| self.last_event_at);
        at_once.into_iter().chain(self.timers.get_min().map(|(at, _)| *at)).min()
    }

    /// Environments that are free although somebody waits.
    pub(crate) fn idle(&self) -> impl Iterator<Item = &Name> {
        let idle = |(_, there): &(&Name, &EnvironmentState)| there.slot.is_none() && !there.queue.is_empty();
        self.environments.iter().filter(idle).map(|(name, _)| name)
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
            What::DefinitionChanged { definition, .. } => self.definition = definition.clone(),
            What::ReleaseCreated { release } => {
                self.releases.insert(release.tag.clone(), release.clone());
            }
            What::ReleaseActivated { tag, by } => {
                let release = self.release_mut(tag)?;
                release.status = ReleaseStatus::Active;
                release.involved.insert(by.person.clone());
            }
            What::ReleaseAbandoned { tag, .. } => self.release_mut(tag)?.status = ReleaseStatus::Abandoned,
            What::DeploymentQueued(queued) => self.queue(queued, event.at)?,
            What::DeploymentReopened { deployment } => {
                self.deployments.insert(deployment.number, deployment.clone());
            }
            What::Deployment { number, change } => self.change_deployment(*number, change, event.at)?,
            What::CurrentChanged { environment, deployment, current, replaced } => {
                let deployment = self.deployments.get_mut(deployment).ok_or_else(|| no_deployment(*deployment))?;
                if let Some(replaced) = replaced {
                    Arc::make_mut(deployment).attempt.replaced = Some(replaced.clone());
                }
                self.environments.entry(environment.clone()).or_default().current.clone_from(current);
            }
            What::LiveChanged { environment, live, before } => self.change_live(environment, live.as_ref(), *before)?,
        }
        self.last_event_at = self.last_event_at.max(event.at);
        Ok(())
    }

    fn release_mut(&mut self, tag: &Tag) -> Result<&mut Release, Misfit> {
        let release = self.releases.get_mut(tag).ok_or_else(|| Misfit(format!("release `{tag}`")))?;
        Ok(Arc::make_mut(release))
    }

    fn queue(&mut self, queued: &Queued, at: Timestamp) -> Result<(), Misfit> {
        let missing = |what: &str, name: &dyn std::fmt::Display| Misfit(format!("{what} `{name}`"));
        let release = self.releases.get(&queued.release).ok_or_else(|| missing("release", &queued.release))?;
        let environment = self.definition.environments.get(&queued.environment);
        let environment = environment.ok_or_else(|| missing("environment", &queued.environment))?;
        let workflow = release.workflows.get(&queued.workflow).ok_or_else(|| missing("workflow", &queued.workflow))?;
        let attempt = Attempt::new(1, at, queued.by.clone(), environment.clone(), workflow);
        let deployment = Deployment {
            number: queued.number,
            environment: queued.environment.clone(),
            release: release.clone(),
            previous_release: None,
            deployment_type: queued.deployment_type,
            flags: queued.flags,
            comment: queued.comment.clone(),
            triggered_by: queued.by.clone(),
            workflow: queued.workflow.clone(),
            created_at: at,
            earlier: Vec::new(),
            attempt: Attempt { gate_plugins: queued.gate_plugins.clone(), ..attempt },
        };
        self.last_number = queued.number;
        if let Some(key) = &queued.key {
            self.remember_trigger(key, queued.number);
        }
        self.deployments.insert(queued.number, Arc::new(deployment));
        self.enqueue(queued.number);
        Ok(())
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

    fn change_deployment(&mut self, number: DeploymentNumber, change: &Change, at: Timestamp) -> Result<(), Misfit> {
        let shared = self.deployments.get_mut(&number).ok_or_else(|| no_deployment(number))?;
        if !shared.has_place_of(change) {
            return Err(Misfit(format!("such phase or gate in deployment {number}")));
        }
        let deployment = Arc::make_mut(shared);
        let before = deployment.wake_at();
        deployment.apply(change, at);
        let after = deployment.wake_at();
        let environment = deployment.environment.clone();
        if before != after {
            before.map(|at| self.timers.remove(&(at, number)));
            after.map(|at| self.timers.insert((at, number)));
        }
        match change.milestone() {
            Some(Milestone::AttemptQueued { attempt, .. }) => {
                self.retried.note(number, attempt);
                self.enqueue(number);
            }
            Some(Milestone::SlotTaken) => self.take_slot(&environment, number),
            Some(Milestone::Finished(_)) => self.leave_slot_or_queue(&environment, number),
            Some(Milestone::PhaseEnded { .. }) | None => {}
        }
        Ok(())
    }

    fn take_slot(&mut self, environment: &Name, number: DeploymentNumber) {
        let live = self.live_release(environment).cloned();
        if let Some(deployment) = self.deployments.get_mut(&number) {
            Arc::make_mut(deployment).previous_release = live;
        }
        let environment = self.environments.entry(environment.clone()).or_default();
        environment.queue.leave(number);
        environment.slot = Some(number);
        self.running.insert(number);
    }

    fn leave_slot_or_queue(&mut self, environment: &Name, number: DeploymentNumber) {
        let environment = self.environments.entry(environment.clone()).or_default();
        if environment.slot == Some(number) {
            environment.slot = None;
        } else {
            environment.queue.leave(number);
        }
        self.running.remove(&number);
    }

    fn change_live(&mut self, environment: &Name, live: Option<&Live>, before: LiveBefore) -> Result<(), Misfit> {
        if let Some(live) = live {
            self.release_mut(&live.release)?.was_live = true;
        }
        let environment = self.environments.entry(environment.clone()).or_default();
        let replaced = std::mem::replace(&mut environment.live, live.cloned());
        match before {
            LiveBefore::Same => {}
            LiveBefore::Pushed => {
                environment.live_before.extend(replaced);
                if environment.live_before.len() > REMEMBERED_LIVE {
                    environment.live_before.pop_front();
                }
            }
            LiveBefore::CutTo { length } => environment.live_before.truncate(length),
        }
        Ok(())
    }
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
        matches!(self.attempt.stage, Stage::Queued)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
