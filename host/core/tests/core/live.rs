//! What is live, what is current, and the way back.

use expect_test::expect;
use lockgate_core::definition::{Environment, Workflow};
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::handle::{Command, Deploy};
use lockgate_core::plugin::ChangeAction;
use lockgate_core::release::Lifecycle;
use lockgate_core::work::Step::*;
use serde_json::Value;

use crate::project::{Project, to_prod};
use crate::words::*;

fn with_live(releases: &[&str]) -> Project {
    let mut project = Project::new(environment(), &[apply("web")]);
    for release in releases {
        project.deploy(release);
        project.all_goes_well();
    }
    project
}

fn lifecycle(project: &Project, release: &str) -> Lifecycle {
    project.state.lifecycle(&project.state.releases[&tag(release)])
}

#[test]
fn what_replaces_a_release_makes_it_superseded() {
    let project = with_live(&["v1", "v2"]);
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
    assert_eq!(
        ["v1", "v2", "v3"].map(|release| lifecycle(&project, release)),
        [Lifecycle::Superseded, Lifecycle::Deployed, Lifecycle::Ready]
    );
}

#[test]
fn a_rollback_goes_to_what_was_live_before_and_pops_the_history() {
    let mut project = with_live(&["v1", "v2", "v3"]);
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v1, current v1, before: ");
    assert_eq!(lifecycle(&project, "v3"), Lifecycle::Superseded);
    let refusal = project.roll_back().unwrap_err();
    expect!["environment `prod` has nothing to roll back to: no other release was live there before"]
        .assert_eq(&refusal);
}

#[test]
fn a_rollback_goes_to_the_live_release_where_current_differs() {
    let mut project = with_live(&["v1", "v2"]);
    let failed = project.deploy("v3");
    project.answer(failed, Plan(0), plan(&["a"]));
    project.answer(failed, Confirm(0), plan(&["a"]));
    project.answer(failed, Run(0), fails("disk full"));
    assert_eq!(project.prod(), "live v2, current v3, before: v1");
    let back = project.roll_back().unwrap();
    assert_eq!(project.deployment(back).release.tag, tag("v2"));
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
}

#[test]
fn a_rollback_has_approval_rules_of_its_own() {
    let prod = Environment { approvals: asks(&[rule(1, &[])]), ..environment() };
    let mut project = Project::new(prod, &[phase("build")]);
    for release in ["v1", "v2"] {
        let number = project.deploy(release);
        project.approve(number, person("ann")).unwrap();
        project.all_goes_well();
    }
    let back = project.roll_back().unwrap();
    assert_eq!(project.is(back), "InProgress/PhaseInProgress");
}

/// What the bad version added has to go.
#[test]
fn a_rollback_may_delete_without_being_asked() {
    let mut project = with_live(&["v1", "v2"]);
    let back = project.roll_back().unwrap();
    project.answer(back, Plan(0), planned(vec![change("a", ChangeAction::Delete)], Value::Null));
    assert_eq!(project.due(), format!("{back} Confirm(0)"));
}

#[test]
fn a_rollback_that_is_redeployed_later_keeps_the_way_back() {
    let mut project = with_live(&["v1", "v2", "v3"]);
    let to_v2 = project.roll_back().unwrap();
    project.all_goes_well();
    let to_v1 = project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.deployment(to_v1).release.tag, tag("v1"));
    assert_eq!(project.prod(), "live v1, current v1, before: ");
    project.redeploy(to_v2).unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
}

#[test]
fn deploying_what_is_live_already_does_not_lengthen_the_history() {
    let project = with_live(&["v1", "v2", "v2"]);
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
}

#[test]
fn destroy_leaves_nothing_live_and_nothing_current() {
    let mut project = with_live(&["v1"]);
    let flags = Flags { allow_destructive: true, ..Flags::default() };
    project.send(Command::Deploy(Deploy { deployment_type: DeploymentType::Destroy, flags, ..to_prod("v1") }));
    project.all_goes_well();
    assert_eq!(project.prod(), "live nothing, current nothing, before: v1");
    assert_eq!(lifecycle(&project, "v1"), Lifecycle::Superseded);
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

#[test]
fn a_workflow_without_phases_is_live_at_once() {
    let mut project = Project::new(environment(), &[]);
    project.deploy("v1");
    assert_eq!(project.is(1), "Succeeded/Approved");
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

#[test]
fn a_workflow_that_only_plans_changes_nothing_live() {
    let meant = Workflow { goes_live: false, ..workflow(&[phase("report")]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.all_goes_well();
    assert_eq!(project.is(1), "Succeeded/Approved");
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
}

#[test]
fn a_failure_changes_current_but_never_live() {
    let mut project = with_live(&["v1"]);
    project.deploy("v2");
    project.answer(2, Plan(0), plan(&["a"]));
    project.answer(2, Confirm(0), plan(&["a"]));
    assert_eq!(project.prod(), "live v1, current v2, before: ");
    project.answer(2, Run(0), fails("disk full"));
    assert_eq!(project.prod(), "live v1, current v2, before: ");
}
