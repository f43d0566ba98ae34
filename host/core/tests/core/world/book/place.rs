//! One environment: who waits and works there, and what is live.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lockgate_core::environment::EnvironmentState;
use lockgate_core::name::{DeploymentNumber, Name, Tag, Timestamp};
use lockgate_core::selection::Selection;

use super::page::Page;

#[derive(Default)]
pub struct Place {
    /// In the order in which they should get their turn.
    pub queue: VecDeque<DeploymentNumber>,
    pub held: BTreeSet<DeploymentNumber>,
    pub holders: BTreeSet<DeploymentNumber>,
    pub paused: bool,
    pub schedule_paused: bool,
    pub tick: Option<Timestamp>,
    pub promotion_held: bool,
    pub is_set_up: bool,
    /// Versions of what plugins keep.
    pub kept: BTreeMap<(Name, String), u32>,
    /// Somebody said that it does not expire, or it has.
    pub is_kept: bool,
    /// Something was begun and not taken back, when it was last looked at.
    pub has_begun: bool,
    /// The whole release, and since when.
    live: Option<(Tag, Timestamp)>,
    apart: BTreeMap<Name, Tag>,
    /// How long each was live and healthy, stretch by stretch.
    stays_ms: BTreeMap<Tag, Vec<u64>>,
    /// What is live and healthy, with nothing apart from it, and since when.
    well: Option<(Tag, Timestamp)>,
}

impl Place {
    pub fn leave(&mut self, number: DeploymentNumber) {
        self.queue.retain(|waiting| *waiting != number);
        self.held.remove(&number);
        self.holders.remove(&number);
    }

    pub fn change_live(&mut self, applications: Option<&BTreeSet<Name>>, live: Option<&Tag>, at: Timestamp) {
        let whole = self.live.as_ref().map(|(tag, _)| tag.clone());
        if let Some(applications) = applications {
            for application in applications {
                match live.filter(|live| whole.as_ref() != Some(*live)) {
                    Some(live) => drop(self.apart.insert(application.clone(), live.clone())),
                    None => drop(self.apart.remove(application)),
                }
            }
            return;
        }
        self.apart.clear();
        if live == whole.as_ref() {
            return;
        }
        self.live = live.map(|live| (live.clone(), at));
    }

    pub fn leaves_something(&self) -> bool {
        self.live.is_some() || !self.apart.is_empty() || self.is_set_up || self.has_begun
    }

    pub fn note_health(&mut self, is_healthy: bool, at: Timestamp) {
        let live = self.live.as_ref().map(|(tag, _)| tag).filter(|_| is_healthy && self.apart.is_empty());
        if live == self.well.as_ref().map(|(tag, _)| tag) {
            return;
        }
        let well = live.map(|live| (live.clone(), at));
        if let Some((tag, since)) = std::mem::replace(&mut self.well, well) {
            self.stays_ms.entry(tag).or_default().push(at.ms_since(since));
        }
    }

    /// Live and healthy once, or now.
    pub fn is_proven(&self, tag: &Tag) -> bool {
        self.stays_ms.contains_key(tag) || self.is_well(tag)
    }

    pub fn has_stayed(&self, tag: &Tag, for_ms: u64) -> bool {
        self.stays_ms.get(tag).is_some_and(|stays| stays.iter().any(|stay_ms| *stay_ms >= for_ms))
    }

    pub fn is_live(&self, tag: &Tag) -> bool {
        self.live.as_ref().is_some_and(|(live, _)| live == tag)
    }

    pub fn is_well(&self, tag: &Tag) -> bool {
        self.well.as_ref().is_some_and(|(live, _)| live == tag)
    }

    pub fn has_lived(&self, tag: &Tag, for_ms: u64, now: Timestamp) -> bool {
        if !self.is_live(tag) {
            return self.has_stayed(tag, for_ms);
        }
        let since = self.well.as_ref().map(|(_, since)| *since);
        since.is_some_and(|since| self.has_stayed(tag, for_ms) || now.ms_since(since) >= for_ms)
    }

    pub fn check_live(&self, there: &EnvironmentState) {
        let live = there.live.as_ref().map(|live| (live.release.clone(), live.since));
        assert_eq!(live, self.live, "what is live");
        let apart = there.live_apart.iter().map(|(name, live)| (name, &live.release));
        assert!(apart.eq(&self.apart), "what is live apart");
    }
}

/// Tried on every resource there could be.
pub fn disjoint(one: &Page, other: &Page) -> bool {
    let (Some((selections, locks)), Some((others, held))) = (one.writes(), other.writes()) else { return false };
    let touches = |selections: &[Selection], resource: &(&str, &str, &str)| {
        let (application, kind, file) = *resource;
        selections.iter().any(|selection| {
            selection.application.as_ref().is_none_or(|name| name.as_str() == application)
                && selection.resource_type.as_ref().is_none_or(|name| name == kind)
                && selection.resource_name.as_ref().is_none_or(|name| name == file)
        })
    };
    let resources = ["site", "api", "other"].into_iter().flat_map(|application| {
        ["file", "other"].into_iter().flat_map(move |kind| ["a", "b", "other"].map(|file| (application, kind, file)))
    });
    let mut resources = resources.collect::<Vec<_>>().into_iter();
    locks.is_disjoint(&held) && !resources.any(|resource| touches(selections, &resource) && touches(others, &resource))
}
