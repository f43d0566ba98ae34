//! Which releases a plugin is still there for, and which artifacts they need.

use std::collections::BTreeSet;

use crate::digest::Digest;
use crate::name::Tag;
use crate::plugin::Artifact;
use crate::release::{Release, ReleaseStatus};
use crate::state::State;

impl State {
    /// Those that could still run with it: live or begun somewhere, gone back to, on their way, or not deployed yet.
    pub fn releases_that_need(&self, plugin: Digest) -> BTreeSet<&Tag> {
        let pins = |release: &Release| release.plugins.values().any(|pinned| *pinned == plugin);
        let there = || self.environments.values();
        let before = there().flat_map(|there| &there.live_before).map(|live| &live.release);
        let known = there().flat_map(|there| there.releases_left()).chain(before);
        let known =
            known.filter(|tag| self.releases.get(*tag).is_some_and(|release| could_run(release) && pins(release)));
        let to_come = self.releases.values().filter(|release| could_run(release) && !release.was_live && pins(release));
        let unfinished = self.deployments.values().filter(|deployment| !deployment.is_finished());
        let on_their_way = unfinished.filter(|deployment| {
            let gates = &deployment.attempt.gate_plugins;
            pins(&deployment.release) || gates.values().any(|pinned| *pinned == plugin)
        });
        let on_their_way = on_their_way.map(|deployment| &deployment.release.tag);
        known.chain(to_come.map(|release| &release.tag)).chain(on_their_way).collect()
    }

    /// Those that a deployment may still ask the host for: whatever was live once can be deployed again, until it is abandoned.
    /// What has a URI lies there.
    pub fn artifacts_needed(&self) -> impl Iterator<Item = (&Release, &Artifact)> {
        let releases = self.releases.values().map(AsRef::as_ref).filter(|release| could_run(release));
        releases.flat_map(|release| {
            let here = release.artifacts.iter().filter(|artifact| artifact.uri.is_empty());
            here.map(move |artifact| (release, artifact))
        })
    }
}

fn could_run(release: &Release) -> bool {
    match release.status {
        ReleaseStatus::Draft | ReleaseStatus::Active => true,
        ReleaseStatus::Abandoned => false,
    }
}
