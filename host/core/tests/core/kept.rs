//! What plugins keep between deployments.

use expect_test::expect;
use lockgate_core::definition::Environment;
use lockgate_core::handle::Command;
use lockgate_core::kept::{
    ClearState, Keep, LONGEST_KEY, LONGEST_VALUE, MOST_OF_ATTEMPT, MOST_OF_NAMESPACE, Namespace, cost,
};
use lockgate_core::name::DeploymentNumber;
use lockgate_core::work::Step::*;

use crate::project::Project;
use crate::words::*;

/// Of deployment 1, at work in staging; production has nothing to do with it.
fn at_work() -> Project {
    let mut project = Project::new(Environment::default(), &[phase("build")]);
    project.deploy("v1");
    project
}

fn keep(
    project: &mut Project,
    deployment: DeploymentNumber,
    key: &str,
    value: &[u8],
    expect: u32,
) -> Result<u32, String> {
    let keep = Keep { deployment, namespace: name("counters"), key: key.to_owned(), value: value.to_vec(), expect };
    project.attempt(Command::Keep(keep)).map_err(|why| why.to_string())?;
    Ok(kept(project).version(key))
}

fn kept(project: &Project) -> Namespace {
    let environment = project.deployment(1).environment.clone();
    project.state.environment(&environment).kept.get(&name("counters")).cloned().unwrap_or_default()
}

#[test]
fn a_value_is_kept_where_nobody_else_wrote_meanwhile() {
    let mut project = at_work();
    assert_eq!(keep(&mut project, 1, "builds", b"1", 0), Ok(1));
    assert_eq!(keep(&mut project, 1, "builds", b"2", 1), Ok(2));
    let refused = keep(&mut project, 1, "builds", b"2", 1).unwrap_err();
    expect!["state `builds` is of version 2, and 1 was expected: read it again, then decide again"].assert_eq(&refused);
    assert!(keep(&mut project, 1, "builds", b"3", 0).is_err(), "it is there already");
    assert!(keep(&mut project, 1, "other", b"1", 7).is_err(), "it never was");
    let there = kept(&project);
    let entry = there.get("builds").unwrap();
    assert_eq!((entry.value.as_slice(), entry.version, entry.by), (b"2".as_slice(), 2, 1));
}

#[test]
fn a_deployment_that_is_over_keeps_nothing_and_the_next_one_finds_what_was_kept() {
    let mut project = at_work();
    keep(&mut project, 1, "builds", b"1", 0).unwrap();
    project.answer(1, Run(0), fails("red"));
    project.stop(1).ok();
    assert!(keep(&mut project, 1, "builds", b"2", 1).unwrap_err().contains("is over"));
    assert!(keep(&mut project, 9, "builds", b"2", 1).unwrap_err().contains("no deployment 9"));
    let next = project.deploy("v1");
    assert_eq!(keep(&mut project, next, "builds", b"2", 1), Ok(2));
}

#[test]
fn what_a_deployment_has_kept_in_all_is_bounded_until_somebody_tries_it_again() {
    let mut project = at_work();
    let value = [0; LONGEST_VALUE];
    let most = (MOST_OF_ATTEMPT / cost("k", &value)) as u32;
    for version in 0..most {
        keep(&mut project, 1, "k", &value, version).unwrap();
    }
    let refused = keep(&mut project, 1, "k", &value, most).unwrap_err();
    assert!(refused.contains("what this attempt of the deployment has kept"), "{refused}");
    project.answer(1, Run(0), fails("red"));
    project.retry(1).unwrap();
    assert!(keep(&mut project, 1, "k", &value, most).is_ok());
}

fn clear(project: &mut Project, namespace: &str, key: Option<&str>) -> Result<(), String> {
    clear_because(project, namespace, key, "a new season")
}

fn clear_because(project: &mut Project, namespace: &str, key: Option<&str>, why: &str) -> Result<(), String> {
    project.attempt(Command::ClearState(ClearState {
        environment: project.deployment(1).environment.clone(),
        namespace: name(namespace),
        key: key.map(str::to_owned),
        reason: why.to_owned(),
        by: person("olga"),
    }))
}

#[test]
fn what_is_kept_is_cleared_by_a_person_while_nobody_writes() {
    let mut project = at_work();
    keep(&mut project, 1, "builds", b"1", 0).unwrap();
    keep(&mut project, 1, "tickets", b"1", 0).unwrap();
    let refused = clear(&mut project, "counters", None).unwrap_err();
    assert!(refused.contains("deployment 1 has its turn"), "{refused}");
    project.answer(1, Run(0), fails("red"));
    expect!["nothing is kept as `counter` in environment `prod`; there is: counters"]
        .assert_eq(&clear(&mut project, "counter", None).unwrap_err());
    expect!["nothing is kept as `build` in `counters` in environment `prod`; there is: builds, tickets"]
        .assert_eq(&clear(&mut project, "counters", Some("build")).unwrap_err());
    assert!(clear_because(&mut project, "counters", None, " ").unwrap_err().contains("reason"));
    clear(&mut project, "counters", Some("builds")).unwrap();
    assert_eq!((kept(&project).version("builds"), kept(&project).version("tickets")), (0, 1));
    clear(&mut project, "counters", None).unwrap();
    let environment = project.deployment(1).environment.clone();
    assert!(project.state.environment(&environment).kept.is_empty());
    assert!(clear(&mut project, "counters", None).is_err());
}

#[test]
fn what_is_kept_is_small() {
    let mut project = at_work();
    let long = "k".repeat(LONGEST_KEY);
    assert_eq!(keep(&mut project, 1, &long, &[0; LONGEST_VALUE], 0), Ok(1));
    assert!(keep(&mut project, 1, &format!("{long}k"), b"", 0).is_err());
    assert!(keep(&mut project, 1, "x", &[0; LONGEST_VALUE + 1], 0).is_err());
    let room = MOST_OF_NAMESPACE - cost(&long, &[0; LONGEST_VALUE]);
    let fits = (0..100).take_while(|i| keep(&mut project, 1, &format!("{i:03}"), &[0; LONGEST_VALUE], 0).is_ok());
    assert_eq!(fits.count(), room / cost("000", &[0; LONGEST_VALUE]));
    assert!(keep(&mut project, 1, "", b"1", 0).unwrap_err().contains("key"));
    // Nor is it free to keep nothing, many times.
    let fits = (0..2_000).take_while(|i| keep(&mut project, 1, &format!("{i:04}"), b"", 0).is_ok());
    assert!(fits.count() < LONGEST_VALUE / 256);
    // What takes the place of something larger always fits.
    assert_eq!(keep(&mut project, 1, "000", b"", 1), Ok(2));
}
