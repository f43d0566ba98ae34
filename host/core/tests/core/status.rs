//! The status table of `semantics.md` section 3: every pair that can be reached, and the two views derived from it.

use expect_test::expect;
use lockgate_core::definition::{Environment, GateSet, OnFailure, Phase, Workflow};
use lockgate_core::work::Step::*;

use crate::project::Project;
use crate::words::*;

/// Walks deployments through every stage and notes `<attempt> | deployment | environment` after each turn.
struct Table(std::collections::BTreeSet<String>);

impl Table {
    fn note(&mut self, project: &Project) {
        for deployment in project.state.deployments.values() {
            let attempt = &deployment.attempt;
            self.0.insert(format!(
                "{} | {:?} | {:?}",
                deployment.status_text(),
                attempt.deployment_status(),
                attempt.environment_status()
            ));
        }
    }
}

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
    let mut table = Table(Default::default());
    for (walk_to, then) in walks {
        let mut project = protected();
        table.note(&project);
        walk_to(&mut project);
        table.note(&project);
        then(&mut project);
        table.note(&project);
    }
    let rows: Vec<String> = table.0.into_iter().collect();
    expect![[r#"
        Failed/Canceled | Aborted | Canceled
        Failed/Canceled | Stopped | Canceled
        Failed/GatesFailed | Failed | Rejected
        Failed/PhaseFailed | Failed | Rejected
        InProgress/Cancelling | InProgress | InProgress
        InProgress/EvaluatingGates | InProgress | InProgress
        InProgress/ManualInterventionPending | PendingApproval | InProgress
        InProgress/PhaseInProgress | InProgress | InProgress
        InProgress/PhaseSucceeded | InProgress | InProgress
        NotDeployed/Approved | InProgress | InProgress
        NotDeployed/Canceled | Aborted | Canceled
        NotDeployed/Canceled | Stopped | Canceled
        NotDeployed/Pending | PendingApproval | InProgress
        NotDeployed/Queued | Queued | Queued
        NotDeployed/Rejected | Rejected | Rejected
        PartiallySucceeded/PhasePartiallySucceeded | Succeeded | PartiallySucceeded
        Succeeded/Approved | Succeeded | Succeeded"#]]
    .assert_eq(&rows.join("\n"));
}
