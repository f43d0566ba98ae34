//! What a project knows of one environment: who waits and who works there, what is live and current, and what
//! operators have said about it.

use std::collections::{BTreeMap, BTreeSet};

use imbl::{OrdMap, OrdSet, Vector};
use serde::{Deserialize, Serialize};

use crate::deployment::{Current, Deployment, DeploymentType, Replaced};
use crate::digest::Digest;
use crate::kept::{Entry, Kept};
use crate::name::{Actor, DeploymentNumber, Name, Tag, Timestamp};
use crate::plugin::Health;
use crate::queue::Queue;
use crate::resource::Resource;
use crate::selection::{Selection, WriteSet};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentState {
    /// Waiting, in order.
    pub queue: Queue,
    /// Waiting beside the queue, each for something of its own.
    pub held: OrdSet<DeploymentNumber>,
    /// Those on their way, from planning to the last approval after the phases.
    pub slots: OrdSet<DeploymentNumber>,
    /// The newest that waits to do one thing, by what that is.
    newest: OrdMap<String, DeploymentNumber>,
    /// The last whole release.
    pub live: Option<Live>,
    /// Applications that a SELECTIVE deployment has moved apart from it.
    pub live_apart: OrdMap<Name, Live>,
    /// What was live before, newest last.
    pub live_before: Vector<Live>,
    /// The newest deployment of each release here.
    #[serde(default)]
    pub newest_of: OrdMap<Tag, DeploymentNumber>,
    stays: Stays,
    /// What the targets last began to apply; differs from live while something is under way, and after a failure.
    pub current: Option<Current>,
    pub current_apart: OrdMap<Name, Current>,
    pub(crate) writes: Writes,
    pub resources: OrdMap<String, Resource>,
    pub pause: Option<Pause>,
    /// Of the schedule alone.
    pub schedule_pause: Option<Pause>,
    /// Nothing starts by itself: availability or a freeze. Noted when somebody waits for it to end.
    pub closed: Option<Closed>,
    pub tick: Option<NextTick>,
    /// The last ones, newest last.
    pub ticks: Vector<Tick>,
    pub promotion_hold: Option<PromotionHold>,
    /// What the setup workflow and the variables were when it last succeeded.
    pub setup: Option<Digest>,
    #[serde(default)]
    pub set_up_by: Option<Tag>,
    pub expires_at: Option<Timestamp>,
    /// Somebody has said that it never is.
    #[serde(default)]
    pub never_expires: bool,
    /// The last thing that was to happen by itself and could not; nobody asked for it who could be told. Until another
    /// release is live.
    #[serde(default)]
    pub refused: Option<Refused>,
    /// For plugins, by namespace.
    #[serde(default)]
    pub kept: Kept,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub at: Timestamp,
    /// `the promotion of v2`, `the teardown`.
    pub what: String,
    pub because: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Live {
    pub release: Tag,
    pub workflow: Name,
    pub deployment: DeploymentNumber,
    pub since: Timestamp,
}

/// How long releases were live and healthy here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Stays {
    /// The longest stretch of each, in milliseconds; `None`: it was live here, and not healthy.
    longest_ms: OrdMap<Tag, Option<u64>>,
    /// Since when the live release is all that is live, and healthy.
    well_since: Option<Timestamp>,
}

/// Where what targets last began to apply is something else than what is live: a deployment is under way, or it has failed
/// half-way, or what it brought is not meant to go live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    Nowhere,
    /// The last whole deployment, whatever applications stand apart from it.
    Everywhere,
    /// Only in these applications.
    In(BTreeSet<Name>),
}

/// What a change of the live release makes of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveBefore {
    /// The same release is live again, or only some applications have moved.
    Same,
    /// What was live is the newest of the history.
    Pushed,
    /// An earlier release returns: it and what came after it leave the history.
    CutTo { length: usize },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    pub by: Actor,
    pub at: Timestamp,
    pub reason: String,
}

/// What is paused: everything but rollbacks, or what the schedule starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseOf {
    Deployments,
    Schedule,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// When it opens by itself; `None`: not as things stand.
    pub until: Option<Timestamp>,
    pub because: Vec<String>,
}

/// When the schedule starts the next deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextTick {
    pub at: Timestamp,
    /// Where its intervals are counted from.
    pub anchor: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    pub at: Timestamp,
    pub outcome: TickOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TickOutcome {
    Deployed {
        number: DeploymentNumber,
    },
    /// A deployment was under way: never queued.
    Dropped {
        because: String,
    },
    /// Paused, or there was nothing to deploy: not saved up.
    Skipped {
        because: String,
    },
}

/// After a rollback nothing is deployed here by itself, until somebody releases it or the bad version comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionHold {
    pub since: Timestamp,
    pub rollback: DeploymentNumber,
    pub bad: Option<Tag>,
    /// What would have come here meanwhile, newest last.
    pub held_back: Vec<Tag>,
}

/// What happens to an environment beside its deployments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentChange {
    Paused {
        of: PauseOf,
        pause: Pause,
    },
    Resumed {
        of: PauseOf,
        by: Actor,
    },
    Closed {
        closed: Closed,
    },
    Opened,
    TickPlanned {
        tick: Option<NextTick>,
    },
    Ticked {
        tick: Tick,
    },
    PromotionHeld {
        hold: PromotionHold,
    },
    PromotionHeldBack {
        release: Tag,
    },
    PromotionReleased {
        by: Option<Actor>,
    },
    /// The next step of a release was refused: said here, for nobody asked who could be told.
    PromotionRefused {
        release: Tag,
        because: String,
    },
    SetUp {
        fingerprint: Option<Digest>,
        /// Whose workflow it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release: Option<Tag>,
    },
    ExpiryPlanned {
        at: Option<Timestamp>,
        by: Option<Actor>,
    },
    /// Its time is over; `refused`: and it could not be torn down.
    Expired {
        because: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        refused: bool,
    },
    /// A plugin keeps a value for its next deployment.
    StateKept {
        namespace: Name,
        key: String,
        entry: Entry,
    },
    /// One key of a namespace, or all of it.
    StateCleared {
        namespace: Name,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        reason: String,
        by: Actor,
    },
}

/// How many releases back an environment remembers what was live, and how many ticks.
const REMEMBERED_LIVE: usize = 100;
const REMEMBERED_TICKS: usize = 20;
const REMEMBERED_STAYS: usize = 1_000;
const REMEMBERED_HELD_BACK: usize = 20;
const REMEMBERED_RELEASES: usize = 1_000;

impl EnvironmentState {
    pub(crate) fn apply(&mut self, change: &EnvironmentChange, at: Timestamp) {
        match change {
            EnvironmentChange::Paused { of, pause } => *self.pause_mut(*of) = Some(pause.clone()),
            EnvironmentChange::Resumed { of, .. } => *self.pause_mut(*of) = None,
            EnvironmentChange::Closed { closed } => self.closed = Some(closed.clone()),
            EnvironmentChange::Opened => self.closed = None,
            EnvironmentChange::TickPlanned { tick } => self.tick.clone_from(tick),
            EnvironmentChange::Ticked { tick } => {
                self.ticks.push_back(tick.clone());
                if self.ticks.len() > REMEMBERED_TICKS {
                    self.ticks.pop_front();
                }
            }
            EnvironmentChange::PromotionHeld { hold } => self.promotion_hold = Some(hold.clone()),
            EnvironmentChange::PromotionHeldBack { release } => {
                if let Some(hold) = &mut self.promotion_hold {
                    hold.held_back.retain(|held| held != release);
                    hold.held_back.push(release.clone());
                    let too_many = hold.held_back.len().saturating_sub(REMEMBERED_HELD_BACK);
                    hold.held_back.drain(..too_many);
                }
            }
            EnvironmentChange::PromotionReleased { .. } => self.promotion_hold = None,
            EnvironmentChange::PromotionRefused { release, because } => {
                self.refused =
                    Some(Refused { at, what: format!("the promotion of {release}"), because: because.clone() });
            }
            EnvironmentChange::SetUp { fingerprint, release } => {
                (self.setup, self.set_up_by) = (*fingerprint, release.clone());
            }
            EnvironmentChange::ExpiryPlanned { at, by } => {
                self.expires_at = *at;
                self.never_expires = at.is_none() && by.is_some();
            }
            EnvironmentChange::Expired { because, refused } => {
                self.expires_at = None;
                let refused =
                    refused.then(|| Refused { at, what: "the teardown".to_owned(), because: because.clone() });
                self.refused = refused.or(self.refused.take());
            }
            EnvironmentChange::StateKept { namespace, key, entry } => {
                self.kept.entry(namespace.clone()).or_default().put(key.clone(), entry.clone());
            }
            EnvironmentChange::StateCleared { namespace, key, .. } => {
                if let Some(there) = self.kept.get_mut(namespace) {
                    there.clear(key.as_deref());
                    if there.is_empty() {
                        self.kept.remove(namespace);
                    }
                }
            }
        }
    }

    fn pause_mut(&mut self, of: PauseOf) -> &mut Option<Pause> {
        match of {
            PauseOf::Deployments => &mut self.pause,
            PauseOf::Schedule => &mut self.schedule_pause,
        }
    }

    /// When the environment needs a look, whatever its deployments do.
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        let opens = self.closed.as_ref().filter(|_| !self.queue.is_empty()).and_then(|closed| closed.until);
        opens.into_iter().chain(self.tick.as_ref().map(|tick| tick.at)).chain(self.expires_at).min()
    }

    pub(crate) fn note_queued(&mut self, release: &Tag, number: DeploymentNumber) {
        self.newest_of.insert(release.clone(), number);
        if self.newest_of.len() > REMEMBERED_RELEASES
            && let Some(oldest) = self.newest_of.iter().min_by_key(|(_, number)| **number).map(|(tag, _)| tag.clone())
        {
            self.newest_of.remove(&oldest);
        }
    }

    // ---- live and current ----

    /// Of the whole, and of applications apart from it.
    pub fn all_live(&self) -> impl Iterator<Item = &Live> {
        self.live.iter().chain(self.live_apart.values())
    }

    pub fn live_of(&self, application: &Name) -> Option<&Live> {
        self.live_apart.get(application).or(self.live.as_ref())
    }

    pub fn difference(&self) -> Difference {
        if differs(self.current.as_ref(), self.live.as_ref()) {
            return Difference::Everywhere;
        }
        let apart = self.live_apart.keys().chain(self.current_apart.keys());
        let differing = apart.filter(|name| differs(self.current_of(name), self.live_of(name)));
        let differing: BTreeSet<Name> = differing.cloned().collect();
        if differing.is_empty() { Difference::Nowhere } else { Difference::In(differing) }
    }

    pub fn current_of(&self, application: &Name) -> Option<&Current> {
        self.current_apart.get(application).or(self.current.as_ref())
    }

    /// Of what a deployment made current.
    pub(crate) fn note_succeeded(&mut self, number: DeploymentNumber, succeeded: bool) {
        let of_it = |current: &&Current| current.deployment == number;
        for name in self.current_apart.clone().keys() {
            if let Some(current) = self.current_apart.get(name).filter(of_it).cloned() {
                self.current_apart.insert(name.clone(), Current { succeeded, ..current });
            }
        }
        if let Some(current) = self.current.as_mut().filter(|current| current.deployment == number) {
            current.succeeded = succeeded;
        }
    }

    /// Whether the release is all that is live, and all that targets last began to apply.
    pub(crate) fn is_all(&self, release: &Tag) -> bool {
        let current = self.current.as_ref().is_some_and(|current| current.release == *release);
        current && self.live_apart.is_empty() && self.current_apart.is_empty()
    }

    pub(crate) fn set_current(&mut self, applications: Option<&BTreeSet<Name>>, current: Option<&Current>) {
        match applications {
            None => {
                self.current = current.cloned();
                self.current_apart.clear();
            }
            Some(applications) => applications.iter().for_each(|application| self.move_apart(application, current)),
        }
    }

    /// What is of the whole's release is no exception from it.
    fn move_apart(&mut self, application: &Name, current: Option<&Current>) {
        let whole = self.current.as_ref().map(|whole| &whole.release);
        match current.filter(|current| Some(&current.release) != whole) {
            Some(current) => drop(self.current_apart.insert(application.clone(), current.clone())),
            None => drop(self.current_apart.remove(application)),
        }
    }

    /// What is to be current again when a deployment of these applications is undone.
    pub(crate) fn to_be_replaced(&self, applications: Option<&BTreeSet<Name>>) -> Replaced {
        let moved = |(application, _): &(&Name, &Current)| applications.is_none_or(|all| all.contains(*application));
        let apart: BTreeMap<Name, Current> =
            self.current_apart.iter().filter(moved).map(|(name, current)| (name.clone(), current.clone())).collect();
        Replaced { current: self.current.clone(), apart }
    }

    pub(crate) fn restore_current(&mut self, applications: Option<&BTreeSet<Name>>, replaced: &Replaced) {
        match applications {
            None => {
                self.current.clone_from(&replaced.current);
                self.current_apart =
                    replaced.apart.iter().map(|(name, current)| (name.clone(), current.clone())).collect();
            }
            Some(applications) => {
                applications.iter().for_each(|name| self.move_apart(name, replaced.apart.get(name)));
            }
        }
    }

    pub(crate) fn change_live(
        &mut self,
        applications: Option<&BTreeSet<Name>>,
        live: Option<&Live>,
        before: LiveBefore,
        at: Timestamp,
    ) {
        if let Some(applications) = applications {
            let apart = |live: &&Live| self.live.as_ref().is_none_or(|whole| whole.release != live.release);
            let live = live.filter(apart).cloned();
            for application in applications {
                match &live {
                    Some(live) => drop(self.live_apart.insert(application.clone(), live.clone())),
                    None => drop(self.live_apart.remove(application)),
                }
            }
            return;
        }
        self.live_apart.clear();
        self.refused = None;
        let stays = |replaced: &Live| live.is_some_and(|live| live.release == replaced.release);
        // The same release once more: it has been live all the time.
        let since = self.live.as_ref().filter(|live| stays(live)).map(|live| live.since);
        let live = live.map(|live| Live { since: since.unwrap_or(live.since), ..live.clone() });
        if since.is_none() {
            self.end_stay(at);
        }
        let replaced = std::mem::replace(&mut self.live, live);
        match before {
            LiveBefore::Same => {}
            LiveBefore::Pushed => {
                self.live_before.extend(replaced);
                if self.live_before.len() > REMEMBERED_LIVE {
                    self.live_before.pop_front();
                }
            }
            LiveBefore::CutTo { length } => self.live_before.truncate(length),
        }
    }

    /// Health and what is live may be others now: a stretch begins or ends. Two of them do not add up to one.
    pub(crate) fn note_health(&mut self, at: Timestamp) {
        let is_well = self.live.is_some() && self.live_apart.is_empty() && self.is_healthy();
        match (self.stays.well_since, is_well) {
            (None, true) => self.stays.well_since = Some(at),
            (Some(_), false) => self.end_stay(at),
            (Some(_), true) | (None, false) => {}
        }
    }

    fn end_stay(&mut self, at: Timestamp) {
        let stay_ms = self.stays.well_since.take().map(|since| at.ms_since(since));
        let Some(live) = &self.live else { return };
        let all = &mut self.stays.longest_ms;
        let longest_ms = all.entry(live.release.clone()).or_default();
        *longest_ms = stay_ms.max(*longest_ms);
        if all.len() > REMEMBERED_STAYS
            && let Some(shortest) = all.iter().min_by_key(|(_, ms)| **ms).map(|(tag, _)| tag.clone())
        {
            all.remove(&shortest);
        }
    }

    /// When the release will have been live and healthy here for so long: now, later, or nobody knows. While it is live
    /// and ill, it does not count how long it was healthy before.
    pub(crate) fn lived_through(&self, release: &Tag, for_ms: u64, now: Timestamp) -> Lived {
        let before = self.stays.longest_ms.get(release).is_some_and(|stay_ms| *stay_ms >= Some(for_ms));
        let is_live = self.live.as_ref().is_some_and(|live| live.release == *release);
        let enough_at = self.stays.well_since.filter(|_| is_live).map(|since| since.plus_ms(for_ms));
        match enough_at {
            Some(enough_at) if !before && enough_at > now => Lived::EnoughAt(enough_at),
            Some(_) => Lived::Enough,
            None if before && !is_live => Lived::Enough,
            None => Lived::Not,
        }
    }

    /// No target has said otherwise.
    pub fn is_healthy(&self) -> bool {
        self.resources.values().all(|resource| match resource.health {
            Health::Degraded | Health::Missing => false,
            Health::Healthy | Health::Progressing | Health::Unknown => true,
        })
    }

    /// Whether the release was live and healthy here before, or is.
    pub(crate) fn is_proven(&self, release: &Tag) -> bool {
        let is_live = self.live.as_ref().is_some_and(|live| live.release == *release);
        let before = self.stays.longest_ms.get(release).is_some_and(Option::is_some);
        before || (is_live && self.stays.well_since.is_some())
    }

    // ---- what is left ----

    /// Whether there may be anything elsewhere to take down: what is live, what only began, what was set up.
    pub(crate) fn leaves_something(&self) -> bool {
        let begun = self.current.is_some() || !self.current_apart.is_empty();
        self.all_live().next().is_some() || begun || self.setup.is_some()
    }

    /// To be read before "there".
    pub(crate) fn what_is_left(&self) -> String {
        let live = self.live.iter().map(|live| format!("{} is live", live.release));
        let apart = self.live_apart.iter().map(|(name, live)| format!("{} is live for `{name}`", live.release));
        let begun = self.current.iter().chain(self.current_apart.values()).map(|current| &current.release);
        let only_begun: BTreeSet<&Tag> =
            begun.filter(|tag| self.all_live().all(|live| live.release != **tag)).collect();
        let begun = only_begun.into_iter().map(|tag| format!("what {tag} began is"));
        let set_up = self.setup.iter().map(|_| "a setup is".to_owned());
        live.chain(apart).chain(begun).chain(set_up).collect::<Vec<_>>().join(" and ")
    }

    /// Those of whom something is left, and who it is most of first.
    pub(crate) fn releases_left(&self) -> impl Iterator<Item = &Tag> {
        let begun = self.current.iter().chain(self.current_apart.values()).map(|current| &current.release);
        self.all_live().map(|live| &live.release).chain(begun).chain(&self.set_up_by)
    }

    // ---- who does the same ----

    /// The newest that waits to do the same.
    pub(crate) fn newest_like(&self, likeness: &Likeness) -> Option<DeploymentNumber> {
        self.newest.get(&likeness.0).copied()
    }

    pub(crate) fn note_newest(&mut self, deployment: &Deployment) {
        if let Some(Likeness(likeness)) = Likeness::of_deployment(deployment) {
            self.newest.insert(likeness, deployment.number);
        }
    }

    pub(crate) fn forget_newest(&mut self, deployment: &Deployment) {
        if let Some(likeness) = Likeness::of_deployment(deployment)
            && self.newest_like(&likeness) == Some(deployment.number)
        {
            self.newest.remove(&likeness.0);
        }
    }
}

/// The live release once more, by a deployment that does not go live, is what is live, once all of it is there.
fn differs(current: Option<&Current>, live: Option<&Live>) -> bool {
    match (current, live) {
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
        (Some(current), Some(live)) => current.release != live.release || !current.succeeded,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lived {
    Enough,
    EnoughAt(Timestamp),
    Not,
}

/// What a deployment is there to do, but for the release: a newer one that does the same makes it needless.
pub(crate) struct Likeness(String);

impl Likeness {
    /// Nothing makes a rollback needless, and a CUSTOM one has an input of its own.
    pub(crate) fn of(deployment_type: DeploymentType, workflow: &Name, selections: &[Selection]) -> Option<Self> {
        match deployment_type {
            DeploymentType::Rollback | DeploymentType::Custom => None,
            DeploymentType::Launch | DeploymentType::Full | DeploymentType::Selective | DeploymentType::Destroy => {
                let what = (workflow, deployment_type, selections);
                Some(Self(serde_json::to_string(&what).expect("names and selections can be written")))
            }
        }
    }

    pub(crate) fn of_deployment(deployment: &Deployment) -> Option<Self> {
        Self::of(deployment.deployment_type, &deployment.workflow, &deployment.selections)
    }
}

/// Who last wrote what here, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Writes(Vector<(DeploymentNumber, WriteSet)>);

/// Of a deployment that is not among so many, somebody else wrote last: then it starts over.
const REMEMBERED_WRITES: usize = 64;

impl Writes {
    pub(crate) fn note(&mut self, number: DeploymentNumber, set: WriteSet) {
        self.forget(number);
        self.0.push_back((number, set));
        if self.0.len() > REMEMBERED_WRITES {
            self.0.pop_front();
        }
    }

    pub(crate) fn forget(&mut self, number: DeploymentNumber) {
        self.0.retain(|(writer, _)| *writer != number);
    }

    /// Nobody has written over what this deployment wrote.
    pub(crate) fn is_last(&self, number: DeploymentNumber, set: &WriteSet) -> bool {
        let own = self.0.iter().position(|(writer, _)| *writer == number);
        own.is_some_and(|own| self.0.iter().skip(own + 1).all(|(_, later)| !later.overlaps(set)))
    }
}
