//! Whether applications are as they should be (F: `release sync`), and who is on the way to change that.
//!
//! What an environment wants is its live release, or, before anything was live there, the newest active one. It never
//! asks outside: what nobody has observed counts as it was applied.

use std::collections::BTreeSet;

use crate::deployment::{Current, Deployment, DeploymentType, PhaseResult};
use crate::environment::{EnvironmentState, Live};
use crate::name::{DeploymentNumber, Name, Tag};
use crate::release::ReleaseStatus;
use crate::resource::{Resource, ResourceStatus, Sync, of_application};
use crate::state::State;

/// Nobody looks further behind into a queue.
const LOOKED_AT: usize = 100;

/// How one application stands in an environment.
#[derive(Debug)]
pub struct ApplicationSync<'a> {
    pub wanted: Option<&'a Tag>,
    pub live: Option<&'a Live>,
    pub current: Option<&'a Current>,
    /// Deployments that work or wait, and may change it. Those that wait beside the queue are not among them: their
    /// time may be days away.
    pub under_way: Vec<DeploymentNumber>,
    pub resources: usize,
    pub out_of_sync: Vec<&'a Resource>,
}

impl ApplicationSync<'_> {
    pub fn sync(&self) -> Sync {
        let live = self.live.map(|live| &live.release);
        let current = self.current.map(|current| &current.release);
        let is_wanted = self.wanted.is_some() && live == self.wanted && current == self.wanted;
        if is_wanted && self.out_of_sync.is_empty() { Sync::InSync } else { Sync::OutOfSync }
    }
}

pub fn application_sync<'a>(
    state: &'a State,
    there: &'a EnvironmentState,
    application: &'a Name,
) -> ApplicationSync<'a> {
    let resources = || of_application(&there.resources, application);
    let may_change = |deployment: &&Deployment| deployment.may_change(application);
    ApplicationSync {
        wanted: wanted(state, there),
        live: there.live_of(application),
        current: there.current_of(application),
        under_way: on_their_way(state, there).filter(may_change).map(|deployment| deployment.number).collect(),
        resources: resources().count(),
        out_of_sync: resources().filter(|resource| resource.sync() == Sync::OutOfSync).collect(),
    }
}

fn wanted<'a>(state: &'a State, there: &'a EnvironmentState) -> Option<&'a Tag> {
    if let Some(live) = &there.live {
        return Some(&live.release);
    }
    let active = state.releases.values().filter(|release| release.status == ReleaseStatus::Active);
    active.max_by_key(|release| release.created_at).map(|release| &release.tag)
}

/// Those with a slot, then the first of the queue.
fn on_their_way<'a>(state: &'a State, there: &'a EnvironmentState) -> impl Iterator<Item = &'a Deployment> {
    let numbers = there.slots.iter().chain(there.queue.iter().take(LOOKED_AT));
    numbers.filter_map(|number| state.deployments.get(number)).map(AsRef::as_ref)
}

impl Deployment {
    fn may_change(&self, application: &Name) -> bool {
        let applies = (0..self.attempt.phases.len()).any(|index| self.is_apply(index));
        let selects = self
            .selections
            .iter()
            .any(|selection| selection.application.as_ref().is_none_or(|selected| selected == application));
        (applies || self.workflow().goes_live) && (self.deployment_type != DeploymentType::Selective || selects)
    }
}

/// What deployments on their way have still to change.
pub struct ToCome<'a> {
    /// Application, type and name.
    planned: BTreeSet<(&'a str, &'a str, &'a str)>,
    /// Before there is a plan, it is what was selected.
    unplanned: Vec<&'a Deployment>,
}

impl<'a> ToCome<'a> {
    pub fn of(state: &'a State, there: &'a EnvironmentState) -> Self {
        let mut to_come = Self { planned: BTreeSet::new(), unplanned: Vec::new() };
        for deployment in on_their_way(state, there) {
            let phases = deployment.attempt.phases.iter().enumerate();
            let waiting = phases.filter(|(_, run)| run.result == PhaseResult::Waiting);
            for (_, run) in waiting.filter(|(index, _)| deployment.is_apply(*index)) {
                match &run.plan {
                    Some(plan) => {
                        let changes = plan.planned.changes.iter().filter(|change| change.action.changes());
                        let key = |change: &'a crate::plugin::ResourceChange| {
                            (change.application.as_str(), change.kind.as_str(), change.name.as_str())
                        };
                        to_come.planned.extend(changes.map(key));
                    }
                    None => to_come.unplanned.push(deployment),
                }
            }
        }
        to_come
    }

    pub fn status(&self, resource: &Resource) -> ResourceStatus {
        match resource.status {
            ResourceStatus::InProgress => ResourceStatus::InProgress,
            ResourceStatus::Queued | ResourceStatus::Completed | ResourceStatus::Failed => {
                if self.includes(resource) {
                    ResourceStatus::Queued
                } else {
                    resource.status
                }
            }
        }
    }

    fn includes(&self, resource: &Resource) -> bool {
        let Resource { application, kind, name, .. } = resource;
        let selects = |deployment: &&Deployment| {
            deployment.deployment_type != DeploymentType::Selective
                || deployment.selections.iter().any(|selection| selection.is_about(application, kind, name))
        };
        self.planned.contains(&(application.as_str(), kind.as_str(), name.as_str()))
            || self.unplanned.iter().any(selects)
    }
}
