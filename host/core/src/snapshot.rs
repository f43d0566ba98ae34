//! What a snapshot holds: the state without its deployments, and beside it a record of each deployment. Only records
//! that differ from the snapshot before are written: the cost follows what has happened, not how many wait.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::ordmap::DiffItem;

use crate::definition::Environment;
use crate::deployment::Deployment;
use crate::name::{DeploymentNumber, Name, Tag};
use crate::release::Release;
use crate::state::State;

pub type Deployments = OrdMap<DeploymentNumber, Arc<Deployment>>;

/// The records that are not as they were `before`; `None`: it is gone.
pub fn changed<'a>(
    before: &'a Deployments,
    now: &'a Deployments,
) -> impl Iterator<Item = (DeploymentNumber, Option<&'a Deployment>)> {
    before.diff(now).map(|item| match item {
        DiffItem::Add(number, deployment) | DiffItem::Update { new: (number, deployment), .. } => {
            (*number, Some(deployment.as_ref()))
        }
        DiffItem::Remove(number, _) => (*number, None),
    })
}

/// The state as it was, put together of both parts.
pub struct Restored {
    state: State,
    shared: Shared,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("deployment {0} waits or is under way, and its record is not there")]
pub struct Missing(DeploymentNumber);

impl Restored {
    pub fn new(without_deployments: State) -> Self {
        Self { state: without_deployments, shared: Shared::default() }
    }

    pub fn add(&mut self, mut deployment: Deployment) {
        self.shared.keep_once(&mut deployment);
        self.state.restore(deployment);
    }

    /// Where a record is missing, its environment would wait for it for ever.
    pub fn whole(self) -> Result<State, Missing> {
        match self.missing() {
            Some(number) => Err(Missing(number)),
            None => Ok(self.state),
        }
    }

    fn missing(&self) -> Option<DeploymentNumber> {
        let environments = self.state.environments.values();
        let mut named = environments.flat_map(|there| there.queue.iter().chain(&there.held).chain(&there.slots));
        named.find(|number| !self.state.deployments.contains_key(*number)).copied()
    }
}

/// Of a hundred thousand that wait, most are of one release: it is kept in memory once, as before it was written.
#[derive(Default)]
struct Shared {
    releases: BTreeMap<Tag, Arc<Release>>,
    environments: BTreeMap<Name, Arc<Environment>>,
}

impl Shared {
    fn keep_once(&mut self, deployment: &mut Deployment) {
        let tag = deployment.release.tag.clone();
        once(&mut self.releases, tag, &mut deployment.release);
        if let Some(previous) = &mut deployment.previous_release {
            once(&mut self.releases, previous.tag.clone(), previous);
        }
        once(&mut self.environments, deployment.environment.clone(), &mut deployment.attempt.environment);
        // Read from JSON it has room for up to twice as many: memory, where a hundred thousand wait.
        deployment.attempt.phases.shrink_to_fit();
    }
}

fn once<K: Ord, V: PartialEq>(known: &mut BTreeMap<K, Arc<V>>, key: K, value: &mut Arc<V>) {
    match known.get(&key) {
        Some(same) if same == value => value.clone_from(same),
        Some(_) | None => drop(known.insert(key, value.clone())),
    }
}
