//! What is live, what is current, and the way back.

use expect_test::expect;
use lockgate_core::definition::{Definition, Environment, GateSet, OnFailure, Phase, Workflow, WorkflowStage};
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::digest::Digest;
use lockgate_core::environment::Difference;
use lockgate_core::handle::{Command, Deploy};
use lockgate_core::order::order;
use lockgate_core::plugin::{ChangeAction, Health, ResourceChange, ResourceState};
use lockgate_core::release::Lifecycle;
use lockgate_core::resource::{Resource, Version};
use lockgate_core::selection::Selection;
use lockgate_core::work::Answer;
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
fn a_release_that_is_live_again_is_not_copied() {
    let mut project = with_live(&["v1"]);
    let release = project.state.releases[&tag("v1")].clone();
    project.deploy("v1");
    project.all_goes_well();
    assert!(std::sync::Arc::ptr_eq(&release, &project.state.releases[&tag("v1")]));
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

#[test]
fn nobody_is_asked_to_accept_a_rollback() {
    let post_approvals = asks(&[rule(1, &[])]);
    let mut project = Project::new(Environment { post_approvals, ..environment() }, &[phase("build")]);
    for release in ["v1", "v2"] {
        let number = project.deploy(release);
        project.all_goes_well();
        project.approve(number, person("ann")).unwrap();
    }
    let back = project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.is(back), "Succeeded/Approved");
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
    expect!["deployment 4 is to take `prod` back to v2, which is not the way back any more; use `rollback`"]
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
    expect!["environment `prod` has a gate of plugin `newer`, which is not approved, or was retired; an operator can: `lockgate plugin approve newer`"]
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

#[test]
fn a_teardown_that_is_run_by_hand_leaves_nothing_live_either() {
    let mut project = with_live(&["v1"]);
    let meant = Workflow { stage: WorkflowStage::Teardown, ..workflow(&[apply("web")]) };
    project.define(definition(&[("prod", environment())], meant));
    project.send(new_release("v9"));
    project.send(Command::Deploy(Deploy { deployment_type: DeploymentType::Custom, ..to_prod("v9") }));
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

#[test]
fn the_live_release_once_more_is_no_difference_once_it_is_all_there() {
    let patch = workflow(&[apply("web")]);
    let quiet = Workflow { goes_live: false, ..patch.clone() };
    let mut meant = definition(&[("prod", environment())], patch);
    meant.workflows.insert(name("quiet"), quiet.into());
    let mut project = Project::of(meant);
    let deploy =
        |project: &mut Project, release| project.trigger(Deploy { workflow: Some(name("quiet")), ..to_prod(release) });
    project.trigger(Deploy { workflow: Some(name("full-plan")), ..to_prod("v1") });
    project.all_goes_well();
    assert_eq!(difference(&project), Difference::Nowhere);
    let again = deploy(&mut project, "v1");
    project.answer(again, Plan(0), plan(&["a"]));
    project.answer(again, Confirm(0), plan(&["a"]));
    assert_eq!(difference(&project), Difference::Everywhere, "it is not all there yet");
    project.answer(again, Run(0), done());
    assert_eq!((project.is(again).as_str(), difference(&project)), ("Succeeded/Approved", Difference::Nowhere));
    deploy(&mut project, "v2");
    project.all_goes_well();
    assert_eq!(difference(&project), Difference::Everywhere, "another release is there, and not live");
}

fn difference(project: &Project) -> Difference {
    project.state.environment(&name("prod")).difference()
}

// ---- each application ----

/// Target `web` is of the site, `db` of the api.
fn with_applications(on_failure: OnFailure) -> Definition {
    let mut prod = environment();
    for (target, application) in [("web", "site"), ("db", "api")] {
        prod.targets.get_mut(target).unwrap().application = Some(name(application));
    }
    let meant = Workflow { on_failure, ..workflow(&[apply("web")]) };
    Definition { applications: ["api", "site"].map(name).into(), ..definition(&[("prod", prod)], meant) }
}

fn all_live_v1(on_failure: OnFailure) -> Project {
    let mut project = Project::of(with_applications(on_failure));
    project.deploy("v1");
    project.all_goes_well();
    project
}

/// `all v1; site v2, current site v2`.
fn apart(project: &Project) -> String {
    let there = project.state.environment(&name("prod"));
    let all = there.live.as_ref().map_or("nothing", |live| live.release.as_str());
    let live = there.live_apart.iter().map(|(name, live)| format!("{name} {}", live.release.as_str()));
    let current =
        there.current_apart.iter().map(|(name, current)| format!("current {name} {}", current.release.as_str()));
    format!("all {all}; {}", live.chain(current).collect::<Vec<_>>().join(", "))
}

fn of_site(text: &str) -> Answer {
    planned(vec![ResourceChange { application: "site".to_owned(), ..change(text, ChangeAction::Update) }], Value::Null)
}

fn select_site(project: &mut Project, release: &str) -> u64 {
    let number = project.select(release, &[of("site")]);
    project.answer(number, Plan(0), of_site("a"));
    project.answer(number, Confirm(0), of_site("a"));
    number
}

#[test]
fn a_selective_deployment_that_fails_half_way_leaves_a_difference_in_what_it_selects() {
    let mut project = all_live_v1(OnFailure::Stop);
    assert_eq!(difference(&project), Difference::Nowhere);
    let in_site = || Difference::In([name("site")].into());
    let number = select_site(&mut project, "v2");
    project.answer(number, Run(0), fails("disk full"));
    assert_eq!((apart(&project).as_str(), difference(&project)), ("all v1; current site v2", in_site()));
    let again = select_site(&mut project, "v2");
    assert_eq!(difference(&project), in_site());
    project.answer(again, Run(0), done());
    let now = (apart(&project), difference(&project));
    assert_eq!(now, ("all v1; site v2, current site v2".to_owned(), Difference::Nowhere));
    let back = select_site(&mut project, "v1");
    project.answer(back, Run(0), done());
    assert_eq!(difference(&project), Difference::Nowhere, "part of the whole again, by another deployment");
}

#[test]
fn a_selective_deployment_moves_what_it_selects_and_no_more() {
    let mut project = all_live_v1(OnFailure::Stop);
    let number = select_site(&mut project, "v2");
    assert_eq!(apart(&project), "all v1; current site v2", "what is applied is current, and not live yet");
    project.answer(number, Run(0), done());
    assert_eq!(apart(&project), "all v1; site v2, current site v2");
    assert_eq!(lifecycle(&project, "v1"), Lifecycle::Deployed);
    assert_eq!(lifecycle(&project, "v2"), Lifecycle::Deployed);
    let back = select_site(&mut project, "v1");
    project.answer(back, Run(0), done());
    assert_eq!(apart(&project), "all v1; ", "it is part of the whole again");
}

#[test]
fn the_live_release_brought_back_to_a_part_does_not_stand_in_the_way_of_a_rollback() {
    let mut project = all_live_v1(OnFailure::Stop);
    project.deploy("v2");
    project.all_goes_well();
    let synced = select_site(&mut project, "v2");
    project.answer(synced, Run(0), done());
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

#[test]
fn what_selects_nothing_changes_nothing() {
    let mut project = with_live(&["v1", "v2"]);
    let nothing = Selection { resource_type: Some("bucket".to_owned()), ..Selection::default() };
    let number = project.select("v3", &[nothing]);
    project.answer(number, Plan(0), plan(&[]));
    project.answer(number, Confirm(0), plan(&[]));
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
}

#[test]
fn a_rollback_that_finds_all_taken_back_when_its_turn_has_come_says_that_nothing_is_left() {
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&[apply("web")]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    for release in ["v1", "v2"] {
        project.deploy(release);
        project.all_goes_well();
    }
    let bad = project.deploy("v3");
    project.answer(bad, Plan(0), plan(&["a"]));
    project.answer(bad, Confirm(0), plan(&["a"]));
    let back = project.roll_back().unwrap();
    project.answer(bad, Run(0), fails("disk full"));
    project.answer(bad, Undo(0), done());
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
    expect!["`prod` is at v2 already: nothing is left there that deployment 4 could take back"]
        .assert_eq(&project.deployment(back).attempt.cancel.as_ref().unwrap().reason);
}

#[test]
fn what_belongs_to_no_application_makes_the_whole_differ_from_live() {
    let mut project = with_live(&["v1", "v2"]);
    let page = Selection { resource_type: Some("file".to_owned()), ..Selection::default() };
    let number = project.select("v3", &[page]);
    project.answer(number, Plan(0), plan(&["a"]));
    project.answer(number, Confirm(0), plan(&["a"]));
    project.answer(number, Run(0), fails("disk full"));
    assert_eq!(project.prod(), "live v2, current v3, before: v1");
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
}

#[test]
fn a_rollback_that_no_longer_leads_back_when_its_turn_has_come_is_stopped_and_says_so() {
    let mut project = with_live(&["v1", "v2"]);
    let under_way = project.deploy("v3");
    let back = project.roll_back().unwrap();
    assert_eq!(project.deployment(back).release.tag, tag("v1"), "nothing of v3 has begun");
    project.answer(under_way, Plan(0), plan(&["a"]));
    project.answer(under_way, Confirm(0), plan(&["a"]));
    project.answer(under_way, Run(0), done());
    assert_eq!(project.prod(), "live v3, current v3, before: v1 v2", "not past v2");
    assert_eq!(project.views(back), "NotDeployed/Canceled | Stopped | Canceled");
    expect!["deployment 4 is to take `prod` back to v1, which is not the way back any more; use `rollback`"]
        .assert_eq(&project.deployment(back).attempt.cancel.as_ref().unwrap().reason);
}

#[test]
fn a_destroy_leaves_nothing_live_whatever_its_workflow_says() {
    let meant = Workflow { goes_live: false, stage: WorkflowStage::Teardown, ..workflow(&[phase("wipe")]) };
    let mut project = Project::new(environment(), &[apply("web")]);
    let mut with_teardown = definition(&[("prod", environment())], workflow(&[apply("web")]));
    with_teardown.workflows.insert(name("wipe"), meant.into());
    project.define(with_teardown);
    project.send(new_release("v9"));
    project.deploy("v9");
    project.all_goes_well();
    project.trigger(Deploy { deployment_type: DeploymentType::Destroy, ..to_prod("v9") });
    project.all_goes_well();
    assert_eq!(project.prod(), "live nothing, current nothing, before: v9");
}

#[test]
fn a_whole_release_leaves_no_exceptions() {
    let mut project = all_live_v1(OnFailure::Stop);
    let number = select_site(&mut project, "v2");
    project.answer(number, Run(0), done());
    project.deploy("v3");
    project.all_goes_well();
    assert_eq!(apart(&project), "all v3; ");
}

#[test]
fn a_rollback_takes_the_exceptions_back_first() {
    let mut project = all_live_v1(OnFailure::Stop);
    let number = select_site(&mut project, "v2");
    project.answer(number, Run(0), done());
    let back = project.roll_back().unwrap();
    assert_eq!(project.deployment(back).release.tag, tag("v1"));
    project.all_goes_well();
    assert_eq!(apart(&project), "all v1; ");
}

#[test]
fn a_selective_deployment_that_is_undone_leaves_what_was_there() {
    let mut project = all_live_v1(OnFailure::Undo);
    let first = select_site(&mut project, "v2");
    project.answer(first, Run(0), done());
    let second = select_site(&mut project, "v3");
    assert_eq!(apart(&project), "all v1; site v2, current site v3");
    project.answer(second, Run(0), fails("disk full"));
    project.answer(second, Undo(0), done());
    assert_eq!(apart(&project), "all v1; site v2, current site v2");
}

/// A kind and a name may be those of several applications: the plan says whose they are.
#[test]
fn what_is_selected_by_name_moves_the_applications_that_the_plan_names() {
    let mut project = all_live_v1(OnFailure::Stop);
    let number = project.select("v2", &[file("a")]);
    project.answer(number, Plan(0), of_site("a"));
    project.answer(number, Confirm(0), of_site("a"));
    project.answer(number, Run(0), done());
    assert_eq!(apart(&project), "all v1; site v2, current site v2");
}

// ---- resources ----

/// `file a: current v1, live v1, COMPLETED, in sync`.
fn resources(project: &Project) -> String {
    let there = project.state.environment(&name("prod"));
    let version =
        |version: &Option<Version>| version.as_ref().map_or("-".to_owned(), |version| version.version.clone());
    let line = |resource: &Resource| {
        let (current, live) = (version(&resource.current), version(&resource.live));
        let (status, sync, health) = (resource.status, resource.sync(), resource.health);
        format!("{} {}: current {current}, live {live}, {status:?}, {sync:?}, {health:?}", resource.kind, resource.name)
    };
    there.resources.values().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_resource_is_out_of_sync_from_the_beginning_of_its_apply_to_the_end() {
    let mut project = all_live_v1(OnFailure::Stop);
    assert_eq!(resources(&project), "file a: current v1, live v1, Completed, InSync, Unknown");
    let number = project.deploy("v2");
    project.answer(number, Plan(0), plan(&["a", "b"]));
    project.answer(number, Confirm(0), plan(&["a", "b"]));
    expect![[r#"
        file a: current v2, live v1, InProgress, OutOfSync, Unknown
        file b: current v2, live -, InProgress, OutOfSync, Unknown"#]]
    .assert_eq(&resources(&project));
    project.answer(number, Run(0), fails("disk full"));
    expect![[r#"
        file a: current v2, live v1, Failed, OutOfSync, Unknown
        file b: current v2, live -, Failed, OutOfSync, Unknown"#]]
    .assert_eq(&resources(&project));
    project.roll_back().unwrap();
    project.answer(
        number + 1,
        Plan(0),
        planned(vec![change("a", ChangeAction::Update), change("b", ChangeAction::Delete)], Value::Null),
    );
    project.answer(
        number + 1,
        Confirm(0),
        planned(vec![change("a", ChangeAction::Update), change("b", ChangeAction::Delete)], Value::Null),
    );
    project.answer(number + 1, Run(0), done());
    assert_eq!(resources(&project), "file a: current v1, live v1, Completed, InSync, Unknown");
}

#[test]
fn what_a_target_sees_is_what_is_live_until_something_is_applied() {
    let mut project = all_live_v1(OnFailure::Stop);
    let number = project.trigger(Deploy { flags: Flags { refresh: true, ..Flags::default() }, ..to_prod("v1") });
    let seen = ResourceState {
        application: String::new(),
        kind: "file".to_owned(),
        name: "a".to_owned(),
        version: "v0".to_owned(),
        artifact_uri: String::new(),
        weight_percent: 100,
        health: Health::Degraded,
        details: Value::Null,
    };
    project.answer(number, Observe(0), Answer::Observed(vec![seen]));
    assert_eq!(resources(&project), "file a: current v1, live v0, Completed, OutOfSync, Degraded");
    project.all_goes_well();
    assert_eq!(resources(&project), "file a: current v1, live v1, Completed, InSync, Unknown");
}

#[test]
fn what_is_undone_is_as_it_was_and_what_was_new_is_gone() {
    let mut project = all_live_v1(OnFailure::Undo);
    let number = project.deploy("v2");
    let both = || planned(vec![change("a", ChangeAction::Update), change("b", ChangeAction::Create)], Value::Null);
    project.answer(number, Plan(0), both());
    project.answer(number, Confirm(0), both());
    project.answer(number, Run(0), fails("disk full"));
    project.answer(number, Undo(0), done());
    assert_eq!(resources(&project), "file a: current v1, live v1, Completed, InSync, Unknown");
}

#[test]
fn a_drift_that_people_refuse_leaves_resources_as_they_were() {
    let prod = Environment { approvals: asks(&[rule(1, &[])]), ..environment() };
    let mut project = Project::new(prod, &[phase("build"), apply("web")]);
    for release in ["v1", "v2"] {
        let number = project.deploy(release);
        project.answer(number, Plan(1), plan(&["a"]));
        project.approve(number, person("ann")).unwrap();
        project.answer(number, Run(0), done());
        if release == "v1" {
            project.all_goes_well();
        }
    }
    project.answer(2, Confirm(1), plan(&["a", "b"]));
    project.reject(2, person("ann")).unwrap();
    assert_eq!(project.is(2), "Failed/PhaseFailed");
    assert_eq!(resources(&project), "file a: current v1, live v1, Completed, InSync, Unknown");
}
