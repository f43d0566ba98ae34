//! Which releases a plugin is still needed by, so that it is not removed, and which artifacts are.

use std::sync::Arc;

use lockgate_core::definition::Environment;
use lockgate_core::digest::Digest;
use lockgate_core::handle::Command;
use lockgate_core::work::Step::*;

use crate::project::Project;
use crate::words::*;

/// Releases v1 to v3 are there, and pin the plugin of their only phase.
fn project() -> Project {
    Project::new(environment(), &[phase("build")])
}

fn pinned(project: &Project) -> Digest {
    project.state.releases[&tag("v1")].plugins[&name("steps")]
}

fn need(project: &Project, plugin: Digest) -> String {
    let releases = project.state.releases_that_need(plugin);
    releases.into_iter().map(|tag| tag.to_string()).collect::<Vec<_>>().join(" ")
}

fn abandon(project: &mut Project, release: &str) {
    project.send(Command::AbandonRelease { tag: tag(release), by: person("rita") });
}

#[test]
fn what_was_not_deployed_yet_needs_its_plugins_until_it_is_abandoned() {
    let mut project = project();
    let plugin = pinned(&project);
    assert_eq!(need(&project, plugin), "v1 v2 v3");
    abandon(&mut project, "v2");
    assert_eq!(need(&project, plugin), "v1 v3");
    assert_eq!(need(&project, Digest::of(b"another")), "");
}

#[test]
fn what_is_live_or_was_before_it_needs_its_plugins() {
    let mut project = project();
    let plugin = pinned(&project);
    abandon(&mut project, "v3");
    for release in ["v1", "v2"] {
        project.deploy(release);
        project.all_goes_well();
    }
    assert_eq!(need(&project, plugin), "v1 v2", "one is live, and the other may be gone back to");
    abandon(&mut project, "v1");
    assert_eq!(need(&project, plugin), "v2");
}

/// Its release was live once, and is what nothing leads back to.
#[test]
fn what_is_on_its_way_needs_its_plugins() {
    let mut project = project();
    let plugin = pinned(&project);
    for release in ["v1", "v2", "v3"] {
        project.deploy(release);
        project.all_goes_well();
    }
    Arc::make_mut(project.state.environments.get_mut(&name("prod")).unwrap()).live_before = Default::default();
    assert_eq!(need(&project, plugin), "v3");
    let number = project.deploy("v1");
    assert_eq!(need(&project, plugin), "v1 v3");
    project.cancel(number).unwrap();
    project.answer(number, Run(0), fails("stopped"));
    project.stop(number).ok();
    assert_eq!(need(&project, plugin), "v3", "it is over");
}

/// The gates are the environment's, whatever its release has pinned.
#[test]
fn the_gates_of_an_attempt_are_needed_until_it_is_over() {
    let mut project = Project::new(Environment { post_gates: Some(gates()), ..environment() }, &[phase("build")]);
    let gate = Digest::of(b"approved since");
    project.gates.insert(name("probe"), gate);
    assert_eq!(need(&project, gate), "");
    let number = project.deploy("v1");
    assert_eq!(need(&project, gate), "v1");
    project.stop(number).unwrap();
    assert_eq!(need(&project, gate), "");
}

#[test]
fn artifacts_are_needed_until_their_release_is_abandoned_and_what_lies_elsewhere_never() {
    let mut project = project();
    for (release, uri) in [("v1", ""), ("v2", ""), ("v3", "oci://registry/web")] {
        let digest = Digest::of(release.as_bytes());
        let web = serde_json::from_value(serde_json::json!({ "name": "web", "digest": digest, "uri": uri })).unwrap();
        Arc::make_mut(project.state.releases.get_mut(&tag(release)).unwrap()).artifacts = vec![web];
    }
    let needed = |project: &Project| {
        let needed =
            project.state.artifacts_needed().map(|(release, artifact)| format!("{} of {}", artifact.name, release.tag));
        needed.collect::<Vec<_>>().join(", ")
    };
    for release in ["v1", "v2"] {
        project.deploy(release);
        project.all_goes_well();
    }
    assert_eq!(needed(&project), "web of v1, web of v2", "also what is not live any more can be deployed again");
    abandon(&mut project, "v1");
    assert_eq!(needed(&project), "web of v2");
}
