//! The status table of `semantics.md` section 3: every pair that can be reached, and the two views derived from it.

use std::collections::BTreeSet;

use expect_test::expect;
use lockgate_core::definition::{
    ApprovalOrder, ApprovalPolicy, Definition, Environment, GateSet, OnFailure, Phase, PhaseWork, ProjectLimits,
    Reaction, Workflow,
};
use lockgate_core::handle::Deploy;
use lockgate_core::name::Timestamp;
use lockgate_core::work::Step::*;

use crate::project::{Project, to_prod};
use crate::words::*;

fn protected() -> Project {
    let set = GateSet { timeout_ms: 5 * SECOND, ..gates() };
    let prod = Environment { approvals: asks(&[rule(1, &[])]), post_gates: Some(set), ..environment() };
    let optional = Phase { continue_on_error: true, ..phase("warm") };
    let meant = Workflow { on_failure: OnFailure::Stop, ..workflow(&[apply("web"), apply("db"), optional]) };
    let mut project = Project::of(definition(&[("prod", prod)], meant));
    project.deploy("v1");
    project
}

type Walk = fn(&mut Project);

fn to_pending(project: &mut Project) {
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Plan(1), plan(&["a"]));
}

fn to_confirming(project: &mut Project) {
    to_pending(project);
    project.approve(1, person("ann")).unwrap();
}

fn to_first_apply(project: &mut Project) {
    to_confirming(project);
    project.answer(1, Confirm(0), plan(&["a"]));
}

fn to_second_confirm(project: &mut Project) {
    to_first_apply(project);
    project.answer(1, Run(0), done());
}

fn to_last_phase(project: &mut Project) {
    to_second_confirm(project);
    project.answer(1, Confirm(1), plan(&["a"]));
    project.answer(1, Run(1), done());
}

fn to_gates(project: &mut Project) {
    to_last_phase(project);
    project.answer(1, Run(2), done());
}

#[test]
fn every_status_has_its_two_views() {
    let walks: &[(Walk, Walk)] = &[
        (|_| {}, |project| drop(project.cancel(1))),
        (|_| {}, |project| drop(project.stop(1))),
        (to_pending, |project| drop(project.reject(1, person("ann")))),
        (to_confirming, |project| project.answer(1, Confirm(0), fails("no access"))),
        (to_first_apply, |project| project.answer(1, Run(0), fails("disk full"))),
        (to_first_apply, |project| drop(project.cancel(1))),
        (to_first_apply, |project| drop(project.stop(1))),
        (to_second_confirm, |project| project.answer(1, Confirm(1), plan(&["b"]))),
        (to_second_confirm, |project| drop(project.cancel(1))),
        (to_last_phase, |project| {
            project.answer(1, Run(2), fails("cold"));
            project.all_goes_well();
        }),
        (to_gates, |project| project.all_goes_well()),
        (to_gates, |project| {
            project.answer(1, gate(0), fails("down"));
            project.answer(1, gate(1), passes());
            project.at(5);
        }),
    ];
    let mut rows = BTreeSet::new();
    for (walk_to, then) in walks {
        let mut project = protected();
        walk_to(&mut project);
        then(&mut project);
        rows.append(&mut project.all_views);
    }
    let others: [fn() -> Project; 8] =
        [limited_runs, limited_workers, later, before_gates, overruled, after_phases, manual, out_of_time];
    others.into_iter().for_each(|walk| rows.append(&mut walk().all_views));
    let rows: Vec<String> = rows.into_iter().collect();
    expect![[r#"
        Failed/Canceled | Aborted | Canceled
        Failed/Canceled | Stopped | Canceled
        Failed/Canceled | TimedOut | Canceled
        Failed/GatesFailed | Failed | Rejected
        Failed/PhaseFailed | Failed | Rejected
        Failed/Rejected | Rejected | Rejected
        InProgress/Cancelling | InProgress | InProgress
        InProgress/EvaluatingGates | InProgress | InProgress
        InProgress/GatesFailed | PendingApproval | InProgress
        InProgress/ManualInterventionPending | PendingApproval | InProgress
        InProgress/Pending | PendingApproval | InProgress
        InProgress/PhaseInProgress | InProgress | InProgress
        InProgress/PhaseSucceeded | InProgress | InProgress
        InProgress/QueuedForAgent | InProgress | InProgress
        InProgress/QueuedForPipeline | InProgress | InProgress
        NotDeployed/Approved | InProgress | InProgress
        NotDeployed/Canceled | Aborted | Canceled
        NotDeployed/Canceled | Stopped | Canceled
        NotDeployed/Canceled | TimedOut | Canceled
        NotDeployed/Deferred | Queued | Scheduled
        NotDeployed/EvaluatingGates | InProgress | InProgress
        NotDeployed/GatesFailed | Failed | Rejected
        NotDeployed/GatesFailed | PendingApproval | InProgress
        NotDeployed/Pending | PendingApproval | InProgress
        NotDeployed/Queued | Queued | Queued
        NotDeployed/QueuedForAgent | Queued | Queued
        NotDeployed/QueuedForPipeline | Queued | Queued
        NotDeployed/Rejected | Rejected | Rejected
        NotDeployed/Scheduled | Queued | Scheduled
        PartiallySucceeded/PhasePartiallySucceeded | Succeeded | PartiallySucceeded
        Succeeded/Approved | Succeeded | Succeeded"#]]
    .assert_eq(&rows.join("\n"));
}

fn everywhere(environment: Environment, limits: ProjectLimits, phases: &[Phase]) -> Project {
    let environments = [("prod", environment.clone()), ("staging", environment)];
    Project::of(Definition { limits, ..definition(&environments, workflow(phases)) })
}

/// Two that go on beside each other, as far as there is room.
fn two_at_once(limits: ProjectLimits) -> Project {
    let mut project = everywhere(environment(), limits, &[phase("build"), phase("smoke")]);
    project.deploy("v1");
    project.trigger(Deploy { environment: name("staging"), ..to_prod("v1") });
    project.all_goes_well();
    project
}

fn limited_runs() -> Project {
    two_at_once(ProjectLimits { running: Some(1), workers: None })
}

fn limited_workers() -> Project {
    two_at_once(ProjectLimits { running: None, workers: Some(1) })
}

/// Scheduled, deferred, and rejected or stopped before anything began.
fn later() -> Project {
    let mut project = Project::new(asking(), &[phase("build")]);
    project.trigger(Deploy { not_before: Some(Timestamp(60_000)), ..to_prod("v1") });
    project.at(60);
    project.approve_for(1, person("ann"), 120).unwrap();
    project.at(120);
    project.all_goes_well();
    project
}

fn asking() -> Environment {
    Environment { approvals: asks(&[rule(1, &[])]), ..environment() }
}

fn short() -> GateSet {
    GateSet { timeout_ms: 5 * SECOND, ..gates() }
}

/// Gates that fail before the phases, and nobody may overrule them.
fn before_gates() -> Project {
    let mut project = Project::new(Environment { pre_gates: Some(short()), ..environment() }, &[phase("build")]);
    project.deploy("v1");
    project.at(200);
    project
}

/// Somebody may: before the phases yes, after them no, or nobody in time.
fn overruled() -> Project {
    let always = ApprovalPolicy { order: ApprovalOrder::AfterGatesAlways, ..asks(&[rule(1, &[])]) };
    let on_timeout = Reaction::Cancel;
    let approvals = ApprovalPolicy { on_timeout, ..always.clone() };
    let (pre_gates, post_gates) = (Some(short()), Some(short()));
    let prod = Environment { approvals, post_approvals: always, pre_gates, post_gates, ..environment() };
    let mut project = Project::new(prod, &[phase("build")]);
    project.deploy("v1");
    project.at(200);
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Run(0), done());
    project.at(400);
    project.reject(1, person("ann")).unwrap();
    project.deploy("v2");
    project.at(9_000);
    project
}

fn after_phases() -> Project {
    let mut project = Project::new(Environment { post_approvals: asking().approvals, ..environment() }, &[]);
    project.deploy("v1");
    project.approve(1, person("ann")).unwrap();
    project
}

fn manual() -> Project {
    let work = PhaseWork::Manual { instructions: String::new(), groups: [].into() };
    let mut project = Project::new(environment(), &[Phase { work, ..phase("look") }]);
    project.deploy("v1");
    project
}

fn out_of_time() -> Project {
    let slow = Phase { timeout_ms: HOUR, ..phase("build") };
    let meant = Workflow { timeout_ms: Some(60 * SECOND), ..workflow(&[slow]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.at(600);
    project
}
