//! How the resources of an environment are (F: ResourceStatus): what a release last asked of each, what is there, and
//! whether the two agree.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::deployment::{Deployment, PhaseResult, PhaseRun, TargetPlan, UndoResult};
use crate::name::{DeploymentNumber, Name, Tag, Timestamp};
use crate::plugin::{ChangeAction, Health, ResourceState};
use crate::release::Release;

/// One resource that a plan or an observation has named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    pub application: String,
    pub kind: String,
    pub name: String,
    /// What the last deployment that touched it wants it to be.
    pub current: Option<Version>,
    /// What is there, as far as anybody knows.
    pub live: Option<Version>,
    pub status: ResourceStatus,
    pub health: Health,
    pub weight_percent: u32,
    pub deployment: Option<DeploymentNumber>,
    /// When its target was last asked; `None`: never, and `live` is what was applied.
    pub observed_at: Option<Timestamp>,
}

/// A release as a resource sees it, and the artifact of its application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    pub version: String,
    pub artifact_uri: String,
}

/// Release status of a resource (F).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ResourceStatus {
    Queued,
    InProgress,
    Completed,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Sync {
    InSync,
    OutOfSync,
}

impl Resource {
    /// Of one that no deployment has named, nothing was asked that it could differ from.
    pub fn sync(&self) -> Sync {
        let is_as_asked = match (&self.current, &self.live) {
            (Some(current), Some(live)) => current.is(live),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        match self.deployment.is_none() || is_as_asked && self.status == ResourceStatus::Completed {
            true => Sync::InSync,
            false => Sync::OutOfSync,
        }
    }

    /// Text that orders and names a resource; no two share it.
    pub fn key(application: &str, kind: &str, name: &str) -> String {
        serde_json::to_string(&(application, kind, name)).expect("three texts can be written")
    }
}

impl Version {
    /// Where one of the two says nothing of the artifact's place, the version tells.
    fn is(&self, other: &Self) -> bool {
        let one_is_silent = self.artifact_uri.is_empty() || other.artifact_uri.is_empty();
        self.version == other.version && (one_is_silent || self.artifact_uri == other.artifact_uri)
    }
}

type Resources = imbl::OrdMap<String, Resource>;

/// An apply begins: its plan's resources are to become what the release says.
pub(crate) fn begin(resources: &mut Resources, deployment: &Deployment, phase: usize) {
    let Some(plan) = deployment.attempt.phases[phase].plan.clone() else { return };
    for change in &plan.planned.changes {
        let resource = entry(resources, &change.application, &change.kind, &change.name);
        let unchanged = change.action == ChangeAction::NoOp;
        let wanted = version(&deployment.release, &change.application);
        resource.deployment = Some(deployment.number);
        resource.status = if unchanged { ResourceStatus::Completed } else { ResourceStatus::InProgress };
        if unchanged {
            resource.live = Some(wanted.clone());
        }
        resource.current = match change.action {
            ChangeAction::Delete => None,
            ChangeAction::Create | ChangeAction::Update | ChangeAction::Replace | ChangeAction::NoOp => Some(wanted),
        };
    }
}

/// The apply is over, one way or the other.
pub(crate) fn end(resources: &mut Resources, deployment: &Deployment, phase: usize) {
    let run = &deployment.attempt.phases[phase];
    let Some(plan) = &run.plan else { return };
    match (&run.undo, &run.result) {
        (Some(UndoResult::Undone), _) => undone(resources, deployment, plan),
        (None, PhaseResult::Succeeded) => applied(resources, plan, deployment),
        // A drift that people refused was never begun.
        (None, PhaseResult::Failed(_)) if run.started_at.is_none() => {}
        (Some(UndoResult::NotUndone(_)), _) | (None, PhaseResult::Failed(_) | PhaseResult::Canceled) => {
            changed(plan).for_each(|key| set_status(resources, &key, ResourceStatus::Failed));
        }
        (None, PhaseResult::Waiting | PhaseResult::Running(_) | PhaseResult::Skipped) => {}
    }
}

fn applied(resources: &mut Resources, plan: &TargetPlan, deployment: &Deployment) {
    for change in &plan.planned.changes {
        let key = Resource::key(&change.application, &change.kind, &change.name);
        if change.action == ChangeAction::Delete {
            resources.remove(&key);
            continue;
        }
        if let Some(resource) = resources.get_mut(&key) {
            (resource.live, resource.status) = (resource.current.clone(), ResourceStatus::Completed);
            resource.weight_percent = deployment_weight(deployment, plan);
            if change.action.changes() {
                // What was seen is no longer what is there.
                resource.health = Health::Unknown;
            }
        }
    }
}

fn deployment_weight(deployment: &Deployment, plan: &TargetPlan) -> u32 {
    let same = |run: &&Arc<PhaseRun>| run.plan.as_deref() == Some(plan);
    let phase = deployment.attempt.phases.iter().find(same).map(|run| &run.name);
    let weight = phase.and_then(|name| deployment.workflow().phases.iter().find(|phase| phase.name == *name));
    weight.map_or(100, |phase| phase.weight.into())
}

/// What was there before is there again; what was not there before is gone.
fn undone(resources: &mut Resources, deployment: &Deployment, plan: &TargetPlan) {
    for change in &plan.planned.changes {
        let key = Resource::key(&change.application, &change.kind, &change.name);
        match (change.action, resources.get_mut(&key)) {
            (ChangeAction::Create, Some(_)) => drop(resources.remove(&key)),
            (_, Some(resource)) if resource.deployment == Some(deployment.number) => {
                (resource.current, resource.status) = (resource.live.clone(), ResourceStatus::Completed);
            }
            (_, Some(_) | None) => {}
        }
    }
}

/// A target said how its resources are.
pub(crate) fn observed(resources: &mut Resources, seen: &[ResourceState], at: Timestamp) {
    for state in seen {
        let resource = entry(resources, &state.application, &state.kind, &state.name);
        let there = Version { version: state.version.clone(), artifact_uri: state.artifact_uri.clone() };
        resource.live = (state.health != Health::Missing).then_some(there);
        resource.health = state.health;
        resource.weight_percent = state.weight_percent;
        resource.observed_at = Some(at);
    }
}

fn changed(plan: &TargetPlan) -> impl Iterator<Item = String> {
    let changes = plan.planned.changes.iter().filter(|change| change.action != ChangeAction::NoOp);
    changes.map(|change| Resource::key(&change.application, &change.kind, &change.name))
}

fn set_status(resources: &mut Resources, key: &str, status: ResourceStatus) {
    if let Some(resource) = resources.get_mut(key) {
        resource.status = status;
    }
}

fn entry<'a>(resources: &'a mut Resources, application: &str, kind: &str, name: &str) -> &'a mut Resource {
    resources.entry(Resource::key(application, kind, name)).or_insert_with(|| Resource {
        application: application.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        current: None,
        live: None,
        status: ResourceStatus::Completed,
        health: Health::Unknown,
        weight_percent: 100,
        deployment: None,
        observed_at: None,
    })
}

/// The release's tag, and where the artifact of the application is.
fn version(release: &Release, application: &str) -> Version {
    Version { version: release.tag.to_string(), artifact_uri: artifact_uri(release, application) }
}

fn artifact_uri(release: &Release, application: &str) -> String {
    let of = |artifact: &&crate::plugin::Artifact| artifact.application == application;
    let only = (release.artifacts.len() == 1).then(|| &release.artifacts[0]);
    release.artifacts.iter().find(of).or(only).map(|artifact| artifact.uri.clone()).unwrap_or_default()
}

/// Of whole applications: what `release sync` compares.
pub fn of_application<'a>(resources: &'a Resources, application: &'a Name) -> impl Iterator<Item = &'a Resource> {
    resources.values().filter(move |resource| resource.application == application.as_str())
}

/// What a tag looks like in a version.
pub fn is_version(version: &Version, tag: &Tag) -> bool {
    version.version == tag.as_str()
}
