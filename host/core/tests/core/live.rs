//! What is live, what is current, and the way back.

use expect_test::expect;
use lockgate_core::definition::{Environment, GateSet, Phase, Workflow, WorkflowStage};
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, Deploy};
use lockgate_core::order::order;
use lockgate_core::plugin::ChangeAction;
use lockgate_core::release::Lifecycle;
use lockgate_core::work::Step::*;
use serde_json::Value;

use crate::project::{Project, new_release, to_prod};
use crate::words::*;

fn with_live(releases: &[&str]) -> Project {
    let mut project = Project::new(environment(), &[apply("web")]);
    for release in releases {
        project.deploy(release);
        project.all_goes_well();
    }
    project
}

fn fail_half_way(project: &mut Project, release: &str) {
    let failed = project.deploy(release);
    project.answer(failed, Plan(0), plan(&["a"]));
    project.answer(failed, Confirm(0), plan(&["a"]));
    project.answer(failed, Run(0), fails("disk full"));
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
    fail_half_way(&mut project, "v3");
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

/// Its lighter rules were for a way back that has been gone.
#[test]
fn a_rollback_is_tried_again_only_while_it_is_the_way_back() {
    let mut project = with_live(&["v1", "v2", "v3"]);
    let to_v2 = project.roll_back().unwrap();
    project.all_goes_well();
    project.redeploy(to_v2).unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
    let to_v1 = project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.deployment(to_v1).release.tag, tag("v1"));
    let refusal = project.redeploy(to_v2).unwrap_err();
    expect!["deployment 4 rolled `prod` back to v2, which is not the way back any more; use `rollback`"]
        .assert_eq(&refusal);
    project.deploy("v2");
    project.all_goes_well();
    project.deploy("v3");
    project.all_goes_well();
    project.redeploy(to_v2).unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
}

/// A, then C and A again; a failed D is rolled back to A, which is live.
#[test]
fn a_rollback_to_what_is_live_leaves_the_history_alone() {
    let mut project = with_live(&["v1", "v2", "v1"]);
    assert_eq!(project.prod(), "live v1, current v1, before: v1 v2");
    fail_half_way(&mut project, "v3");
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v1, current v1, before: v1 v2");
}

#[test]
fn a_rollback_passes_over_what_was_abandoned() {
    let mut project = with_live(&["v1", "v2", "v3"]);
    project.send(Command::AbandonRelease { tag: tag("v2"), by: person("rita") });
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

#[test]
fn a_rollback_is_not_stopped_by_a_gate_that_is_newer_than_its_release() {
    let mut project = with_live(&["v1", "v2"]);
    let gate = |mut set: GateSet| {
        set.gates.iter_mut().for_each(|gate| gate.plugin = name("newer"));
        Some(set)
    };
    let prod = Environment { post_gates: gate(gates()), ..environment() };
    project.define(definition(&[("prod", prod)], workflow(&[apply("web")])));
    expect!["environment `prod` has a gate of plugin `newer`, which is not approved; an operator can: `lockgate plugin approve newer`"]
        .assert_eq(&project.roll_back().unwrap_err());
    project.gates.insert(name("newer"), Digest::of(b"newer"));
    let back = project.roll_back().unwrap();
    project.answer(back, Plan(0), plan(&["a"]));
    project.answer(back, Confirm(0), plan(&["a"]));
    project.answer(back, Run(0), done());
    let order = order(&project.state, &project.state.due()[0]).unwrap();
    assert_eq!(order.digest, Digest::of(b"newer"));
    project.all_goes_well();
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

#[test]
fn a_deployment_is_told_what_is_live_when_its_turn_comes() {
    let mut project = with_live(&["v1"]);
    project.deploy("v2");
    let third = project.deploy("v3");
    assert_eq!(project.deployment(third).previous_release, None);
    project.all_goes_well();
    assert_eq!(project.deployment(third).previous_release.as_ref().unwrap().tag, tag("v2"));
}

#[test]
fn teardown_leaves_nothing_live_like_destroy() {
    let mut project = with_live(&["v1"]);
    let meant = Workflow { stage: WorkflowStage::Teardown, ..workflow(&[apply("web")]) };
    project.define(definition(&[("prod", environment())], meant));
    project.send(new_release("v9"));
    project.send(Command::Deploy(Deploy { deployment_type: DeploymentType::Destroy, ..to_prod("v9") }));
    project.all_goes_well();
    assert_eq!(project.prod(), "live nothing, current nothing, before: v1");
}

/// It says that it is partly there, and what is missing is the release itself.
#[test]
fn what_was_only_partly_applied_does_not_go_live() {
    let optional = Phase { continue_on_error: true, ..apply("db") };
    let mut project = Project::new(environment(), &[apply("web"), optional]);
    project.deploy("v1");
    for step in [Plan(0), Plan(1), Confirm(0)] {
        project.answer(1, step, plan(&["a"]));
    }
    project.answer(1, Run(0), done());
    project.answer(1, Confirm(1), plan(&["a"]));
    project.answer(1, Run(1), fails("disk full"));
    assert_eq!(project.is(1), "PartiallySucceeded/PhasePartiallySucceeded");
    assert_eq!(project.prod(), "live nothing, current v1, before: ");
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
