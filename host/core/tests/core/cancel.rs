//! Cancel and forced stop, wherever they find a deployment.

use expect_test::expect;
use lockgate_core::definition::{Environment, OnFailure, Phase, Workflow};
use lockgate_core::handle::Command;
use lockgate_core::state::Event;
use lockgate_core::status::DeploymentStatus;
use lockgate_core::work::Step::*;

use crate::project::Project;
use crate::words::*;

fn three_phases() -> [Phase; 3] {
    [phase("build"), phase("smoke"), Phase { always_run: true, ..phase("cleanup") }]
}

fn running() -> Project {
    let mut project = Project::new(environment(), &three_phases());
    project.deploy("v1");
    assert_eq!(project.due(), "1 Run(0)");
    project
}

fn status(project: &Project) -> DeploymentStatus {
    project.deployment(1).attempt.deployment_status()
}

#[test]
fn before_the_phases_a_cancel_ends_it_at_once() {
    let asking = Environment { approvals: asks(&[rule(1, &[])]), ..environment() };
    let mut project = Project::new(asking, &[apply("web")]);
    for stage in ["planning", "asking", "confirming"] {
        let number = project.deploy("v1");
        if stage != "planning" {
            project.answer(number, Plan(0), plan(&["a"]));
        }
        if stage == "confirming" {
            project.approve(number, person("ann")).unwrap();
        }
        project.cancel(number).unwrap();
        assert_eq!((project.is(number).as_str(), project.due().as_str()), ("NotDeployed/Canceled", ""), "{stage}");
        assert_eq!(project.deployment(number).attempt.cancel.as_ref().unwrap().by.person, "tom");
    }
}

#[test]
fn what_always_runs_does_not_run_where_nothing_has_begun() {
    let asking = Environment { approvals: asks(&[rule(1, &[])]), ..environment() };
    let mut project = Project::new(asking, &three_phases());
    project.deploy("v1");
    project.cancel(1).unwrap();
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("NotDeployed/Canceled", ""));
    expect!["build Waiting, smoke Waiting, cleanup Waiting"].assert_eq(&project.phases(1));
}

#[test]
fn what_always_runs_after_a_cancel_has_a_minute_however_long_it_may_take() {
    let cleanup = Phase { always_run: true, timeout_ms: 3_600 * SECOND, ..phase("cleanup") };
    let mut project = Project::new(environment(), &[phase("build"), cleanup]);
    project.deploy("v1");
    project.cancel(1).unwrap();
    project.answer(1, Run(0), done());
    assert_eq!(project.due(), "1 Run(1)");
    project.at(60);
    assert_eq!(project.is(1), "Failed/Canceled");
}

#[test]
fn the_running_phase_is_told_then_cancelled_and_what_always_runs_runs() {
    let mut project = running();
    project.cancel(1).unwrap();
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("InProgress/Cancelling", "1 Run(0) (told to stop)"));
    project.answer(1, Run(0), progressed(1));
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("InProgress/Cancelling", "1 Cancel(0)"));
    assert_eq!(project.deployment(1).work(Cancel(0)).unwrap().cursor, [1], "it is told how far it came");
    project.answer(1, Cancel(0), done());
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("InProgress/Cancelling", "1 Run(2)"));
    project.answer(1, Run(2), done());
    assert_eq!(project.is(1), "Failed/Canceled");
    assert_eq!(status(&project), DeploymentStatus::Aborted);
    expect!["build Canceled, smoke Skipped, cleanup Succeeded"].assert_eq(&project.phases(1));
}

#[test]
fn a_phase_that_finishes_all_the_same_is_done() {
    let mut project = running();
    project.cancel(1).unwrap();
    project.answer(1, Run(0), done());
    project.answer(1, Run(2), done());
    expect!["build Succeeded, smoke Skipped, cleanup Succeeded"].assert_eq(&project.phases(1));
    assert_eq!(project.is(1), "Failed/Canceled");
}

#[test]
fn a_phase_that_does_not_listen_is_given_up_after_a_minute() {
    let mut project = running();
    project.at(10);
    project.cancel(1).unwrap();
    project.at(60);
    assert_eq!(project.due(), "1 Cancel(0)", "its own time limit is over, the cancel's is not");
    project.at(69);
    assert_eq!(project.due(), "1 Cancel(0)");
    project.at(70);
    assert_eq!(project.due(), "1 Run(2)");
}

/// Asking again does not give the phase more time, and a plugin that never heard is not said to have been asked.
#[test]
fn a_cancel_ends_after_a_minute_however_long_the_phase_may_take() {
    let mut project = Project::new(environment(), &[Phase { timeout_ms: HOUR, ..phase("build") }]);
    project.deploy("v1");
    project.cancel(1).unwrap();
    project.at(50);
    project.cancel(1).unwrap();
    project.at(60);
    assert_eq!(project.is(1), "Failed/Canceled");
    let asked = |event: &Event| format!("{event:?}").contains("CancelStarted");
    assert!(!project.events.iter().any(asked));
}

#[test]
fn cancelling_keeps_to_its_minute_whatever_the_retries_of_the_phase() {
    let patient = Phase { retries: 9, timeout_ms: HOUR, backoff_ms: 20 * SECOND, ..phase("build") };
    let mut project = Project::new(environment(), &[patient]);
    project.deploy("v1");
    project.cancel(1).unwrap();
    project.answer(1, Run(0), progressed(1));
    project.answer(1, Cancel(0), stumbles("busy"));
    project.at(20);
    project.answer(1, Cancel(0), stumbles("busy"));
    project.at(60);
    assert_eq!(project.is(1), "Failed/Canceled");
}

#[test]
fn a_phase_that_waits_to_be_retried_is_cancelled_at_once() {
    let mut project = Project::new(environment(), &[Phase { retries: 3, ..phase("build") }]);
    project.deploy("v1");
    project.answer(1, Run(0), stumbles("busy"));
    project.cancel(1).unwrap();
    assert_eq!(project.due(), "1 Cancel(0)");
}

#[test]
fn an_apply_stops_between_two_calls_and_is_not_undone() {
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&[apply("web"), apply("db")]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Plan(1), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["a"]));
    project.cancel(1).unwrap();
    project.answer(1, Run(0), progressed(1));
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("Failed/Canceled", ""));
    expect!["apply-web Canceled, apply-db Skipped"].assert_eq(&project.phases(1));
    assert_eq!(project.prod(), "live nothing, current v1, before: ");
}

#[test]
fn a_cancel_leaves_alone_what_always_runs() {
    let mut project = running();
    project.answer(1, Run(0), done());
    project.answer(1, Run(1), done());
    project.cancel(1).unwrap();
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("InProgress/Cancelling", "1 Run(2)"));
    project.answer(1, Run(2), done());
    assert_eq!(project.is(1), "Failed/Canceled");
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
}

#[test]
fn during_the_gates_a_cancel_ends_it_at_once() {
    let prod = Environment { post_gates: Some(gates()), ..environment() };
    let mut project = Project::new(prod, &[phase("build")]);
    project.deploy("v1");
    project.answer(1, Run(0), done());
    assert_eq!(project.is(1), "InProgress/EvaluatingGates");
    project.cancel(1).unwrap();
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("Failed/Canceled", ""));
    assert_eq!(project.state.wake_at(), None);
}

#[test]
fn a_second_forced_stop_ends_it_as_stopped() {
    let mut project = running();
    project.cancel(1).unwrap();
    project.cancel(1).unwrap();
    assert_eq!(project.is(1), "InProgress/Cancelling");
    project.stop(1).unwrap();
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("Failed/Canceled", ""));
    assert_eq!(status(&project), DeploymentStatus::Stopped);
    expect!["build Canceled, smoke Skipped, cleanup Skipped"].assert_eq(&project.phases(1));
    let refusal = project.stop(1).unwrap_err();
    expect!["deployment 1 is over, and stays as it ended: `lockgate deployment show 1` says how"].assert_eq(&refusal);
}

#[test]
fn a_forced_stop_before_the_phases_deployed_nothing() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    project.stop(1).unwrap();
    assert_eq!(project.is(1), "NotDeployed/Canceled");
    assert_eq!(status(&project), DeploymentStatus::Stopped);
}

#[test]
fn an_undo_can_only_be_stopped_by_force() {
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&[apply("web"), phase("smoke")]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), done());
    project.answer(1, Run(1), fails("500"));
    let refusal = project.cancel(1).unwrap_err();
    expect!["deployment 1 is going back to how it was; stop that with --force only if you must"].assert_eq(&refusal);
    project.stop(1).unwrap();
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("Failed/Canceled", ""));
    expect!["smoke: 500"].assert_eq(&project.failure(1));
    let undo = format!("{:?}", project.deployment(1).attempt.phases[0].undo);
    assert!(undo.contains("NotUndone") && undo.contains("stopped by force"), "{undo}");
    project.retry(1).unwrap();
    assert_eq!(project.due(), "1 Plan(0)", "half-way back is not done");
}

#[test]
fn a_cancel_does_not_rewrite_a_failure_before_it() {
    let mut project = running();
    project.answer(1, Run(0), fails("does not compile"));
    assert_eq!(project.due(), "1 Run(2)");
    project.cancel(1).unwrap();
    project.answer(1, Run(2), done());
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["build: does not compile"].assert_eq(&project.failure(1));
}

#[test]
fn a_failure_after_a_cancel_does_not_rewrite_the_cancel() {
    let mut project = running();
    project.cancel(1).unwrap();
    project.answer(1, Run(0), done());
    project.answer(1, Run(2), fails("cannot clean up"));
    assert_eq!((project.is(1).as_str(), project.failure(1).as_str()), ("Failed/Canceled", ""));
}

#[test]
fn a_forced_stop_keeps_both_people_on_the_record() {
    let mut project = running();
    project.cancel(1).unwrap();
    let (reason, by) = ("now!".to_owned(), person("eve"));
    project.send(Command::Cancel { number: 1, forced: true, reason, by });
    let attempt = &project.deployment(1).attempt;
    let people = [&attempt.cancel, &attempt.stop].map(|request| request.as_ref().unwrap().by.person.as_str());
    assert_eq!(people, ["tom", "eve"]);
}

#[test]
fn an_answer_to_another_question_is_no_success_while_cancelling() {
    let mut project = running();
    project.cancel(1).unwrap();
    project.answer(1, Run(0), plan(&[]));
    assert_eq!(project.due(), "1 Cancel(0)");
}

#[test]
fn a_cancelled_deployment_can_be_retried_from_where_it_stopped() {
    let mut project = running();
    project.answer(1, Run(0), done());
    project.cancel(1).unwrap();
    project.answer(1, Run(1), stumbles("told to stop"));
    project.answer(1, Cancel(1), done());
    project.answer(1, Run(2), done());
    project.retry(1).unwrap();
    assert_eq!(project.due(), "1 Run(1)");
    project.all_goes_well();
    assert_eq!(project.is(1), "Succeeded/Approved");
}
