//! Whether what is there is what was asked for, as `release sync` and the table of resources see it.

use lockgate_core::definition::Environment;
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::handle::{Command, Deploy};
use lockgate_core::plugin::{Health, ResourceState};
use lockgate_core::selection::Selection;
use lockgate_core::sync::{ToCome, application_sync};
use lockgate_core::work::Answer;
use lockgate_core::work::Step::*;
use serde_json::Value;

use crate::project::{Project, to_prod};
use crate::words::*;

/// Applications `web` and `db`; the plan is of the file `a` of `web`.
fn shop(environment: Environment) -> Project {
    let mut project = Project::new(environment, &[apply("web")]);
    let applications = ["web", "db"].map(name).into();
    let definition =
        lockgate_core::definition::Definition { applications, ..project.state.definition.as_ref().clone() };
    project.define(definition);
    project
}

fn of_web() -> Answer {
    let Answer::Planned(mut planned) = plan(&["a"]) else { unreachable!() };
    planned.planned.changes.iter_mut().for_each(|change| change.application = "web".to_owned());
    Answer::Planned(planned)
}

fn goes_well(project: &mut Project) {
    while let Some(due) = project.state.due().first().copied() {
        let answer = match due.step {
            Plan(_) | Confirm(_) => of_web(),
            Observe(_) => seen("v1", "", Health::Healthy),
            _ => done(),
        };
        project.send(Command::Report { call: due.call, answer });
    }
}

fn seen(version: &str, artifact_uri: &str, health: Health) -> Answer {
    let Answer::Planned(planned) = of_web() else { unreachable!() };
    let change = &planned.planned.changes[0];
    Answer::Observed(vec![ResourceState {
        application: change.application.clone(),
        kind: change.kind.clone(),
        name: change.name.clone(),
        version: version.to_owned(),
        artifact_uri: artifact_uri.to_owned(),
        weight_percent: 100,
        health,
        details: Value::Null,
    }])
}

fn refreshing(release: &str) -> Command {
    Command::Deploy(Deploy { flags: Flags { refresh: true, ..Flags::default() }, ..to_prod(release) })
}

/// `web IN_SYNC wants v1, 1 resources; a COMPLETED`, with what is under way.
fn told(project: &Project) -> String {
    let there = project.state.environment(&name("prod"));
    let to_come = ToCome::of(&project.state, &there);
    let resources = there
        .resources
        .values()
        .map(|resource| format!("{} {:?} {:?}", resource.name, to_come.status(resource), resource.sync()));
    let resources: Vec<String> = resources.collect();
    let (web, db) = (name("web"), name("db"));
    let [web, db] = [&web, &db].map(|application| {
        let sync = application_sync(&project.state, &there, application);
        let wanted = sync.wanted.map_or("nothing", |tag| tag.as_str());
        format!("{:?} wants {wanted} {:?}", sync.sync(), sync.under_way)
    });
    format!("web {web}, db {db}; {}", resources.join(", "))
}

#[test]
fn an_application_is_in_sync_when_what_is_wanted_is_live_and_there() {
    let mut project = shop(environment());
    assert_eq!(told(&project), "web OutOfSync wants v3 [], db OutOfSync wants v3 []; ");
    project.deploy("v1");
    project.answer(1, Plan(0), of_web());
    project.answer(1, Confirm(0), of_web());
    assert_eq!(told(&project), "web OutOfSync wants v3 [1], db OutOfSync wants v3 [1]; a InProgress OutOfSync");
    project.answer(1, Run(0), done());
    assert_eq!(told(&project), "web InSync wants v1 [], db InSync wants v1 []; a Completed InSync");
}

#[test]
fn what_a_refresh_finds_is_out_of_sync_until_it_is_applied_again() {
    let mut project = shop(Environment { approvals: asks(&[rule(1, &[])]), ..environment() });
    project.deploy("v1");
    project.answer(1, Plan(0), of_web());
    project.approve(1, person("ann")).unwrap();
    goes_well(&mut project);

    project.send(refreshing("v1"));
    project.answer(2, Observe(0), seen("v1, edited", "oci://web", Health::Degraded));
    project.answer(2, Plan(0), of_web());
    assert_eq!(told(&project), "web OutOfSync wants v1 [2], db InSync wants v1 [2]; a Queued OutOfSync");
    let health = |project: &Project| {
        project.state.environment(&name("prod")).resources.values().map(|resource| resource.health).collect::<Vec<_>>()
    };
    assert_eq!(health(&project), [Health::Degraded]);
    project.approve(2, person("ann")).unwrap();
    goes_well(&mut project);
    assert_eq!(told(&project), "web InSync wants v1 [], db InSync wants v1 []; a Completed InSync");
    assert_eq!(health(&project), [Health::Unknown], "what was seen before the apply says nothing of now");
}

#[test]
fn where_one_side_says_nothing_of_the_artifact_the_version_tells() {
    let mut project = shop(environment());
    project.deploy("v1");
    goes_well(&mut project);
    project.send(refreshing("v1"));
    project.answer(2, Observe(0), seen("v1", "oci://web", Health::Healthy));
    assert_eq!(told(&project), "web InSync wants v1 [2], db InSync wants v1 [2]; a Queued InSync");
}

#[test]
fn what_only_an_observation_has_named_is_not_out_of_sync() {
    let mut project = shop(environment());
    project.send(refreshing("v1"));
    project.answer(1, Observe(0), seen("v0", "", Health::Healthy));
    project.answer(1, Plan(0), plan(&[]));
    project.answer(1, Confirm(0), plan(&[]));
    project.answer(1, Run(0), done());
    assert_eq!(told(&project), "web InSync wants v1 [], db InSync wants v1 []; a Completed InSync");
}

#[test]
fn a_selection_that_waits_queues_what_it_is_about_and_nothing_else() {
    let mut project = shop(environment());
    project.deploy("v1");
    goes_well(&mut project);
    let selecting = |application: &str| {
        let selection = Selection { application: Some(name(application)), ..Selection::default() };
        let deployment_type = DeploymentType::Selective;
        Command::Deploy(Deploy { deployment_type, selections: vec![selection], ..to_prod("v2") })
    };
    project.send(selecting("db"));
    assert_eq!(told(&project), "web InSync wants v1 [], db InSync wants v1 [2]; a Completed InSync");
    project.send(selecting("web"));
    assert_eq!(told(&project), "web InSync wants v1 [3], db InSync wants v1 [2]; a Queued InSync");
}

#[test]
fn an_application_that_was_moved_apart_is_not_what_the_environment_wants() {
    let mut project = shop(environment());
    project.deploy("v1");
    goes_well(&mut project);
    let selection = Selection { application: Some(name("web")), ..Selection::default() };
    let deployment_type = DeploymentType::Selective;
    project.send(Command::Deploy(Deploy { deployment_type, selections: vec![selection], ..to_prod("v2") }));
    goes_well(&mut project);
    assert_eq!(told(&project), "web OutOfSync wants v1 [], db InSync wants v1 []; a Completed InSync");
}
