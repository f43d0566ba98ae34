//! Phases: calls, keys, retries, time limits, and what happens after a failure.

use expect_test::expect;
use lockgate_core::change::Change;
use lockgate_core::definition::{Environment, OnFailure, Phase, PhaseWork, Workflow};
use lockgate_core::deployment::Finish;
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Again, Command, TryFrom};
use lockgate_core::name::Timestamp;
use lockgate_core::order::{Question, order};
use lockgate_core::plugin::Progressed;
use lockgate_core::state::{Event, State, TriggerKey, What};
use lockgate_core::work::Step::*;
use lockgate_core::work::{Answer, CallRef, ProjectId, idempotency_key};

use crate::project::Project;
use crate::words::*;

fn retrying(retries: u32) -> Phase {
    Phase { retries, ..phase("migrate") }
}

#[test]
fn a_repeated_call_has_the_same_key_until_there_is_progress() {
    let mut project = Project::new(environment(), &[retrying(2)]);
    project.deploy("v1");
    project.answer(1, Run(0), stumbles("connection reset"));
    project.at(1);
    project.answer(1, Run(0), progressed(1));
    project.answer(1, Run(0), stumbles("connection reset"));
    project.at(3);
    project.answer(1, Run(0), done());
    let keys = project.keys(1, Run(0));
    assert_eq!((&keys[0], &keys[2]), (&keys[1], &keys[3]));
    assert_ne!(keys[1], keys[2]);
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn the_wait_before_a_retry_doubles() {
    let mut project = Project::new(environment(), &[retrying(3)]);
    project.deploy("v1");
    for seconds in [0, 1, 3, 7] {
        project.at(seconds - 1);
        assert_eq!(project.due(), if seconds == 0 { "1 Run(0)" } else { "" });
        project.at(seconds);
        assert_eq!(project.due(), "1 Run(0)", "after {seconds} s");
        project.answer(1, Run(0), stumbles("busy"));
    }
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["migrate: busy"].assert_eq(&project.failure(1));
    assert_eq!(project.deployment(1).attempt.phases[0].tries, 4);
}

#[test]
fn the_wait_before_a_retry_is_a_minute_at_most() {
    let slow = Phase { backoff_ms: 40 * SECOND, ..retrying(2) };
    let mut project = Project::new(environment(), &[slow]);
    project.deploy("v1");
    for seconds in [0, 40, 100] {
        project.at(seconds);
        assert_eq!(project.due(), "1 Run(0)", "after {seconds} s");
        project.answer(1, Run(0), stumbles("busy"));
    }
}

#[test]
fn only_a_target_has_a_plan_that_can_be_stale() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.deploy("v1");
    project.answer(1, Run(0), fails_with("plan-stale"));
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("Failed/PhaseFailed", ""));
}

#[test]
fn who_has_got_on_since_is_not_said_to_be_asked_again() {
    let mut project = Project::new(environment(), &[retrying(1)]);
    project.deploy("v1");
    project.answer(1, Run(0), stumbles("busy"));
    assert!(project.why(1).starts_with("asked-again"), "{}", project.why(1));
    project.at(1);
    let polls = Progressed { cursor: vec![1], poll_after_ms: 5_000, ..Progressed::default() };
    project.answer(1, Run(0), Answer::Progressed(polls));
    assert_eq!(project.why(1), "");
}

#[test]
fn a_plugin_may_ask_for_a_longer_wait() {
    let mut project = Project::new(environment(), &[retrying(1)]);
    project.deploy("v1");
    let Answer::Failed(mut failure) = stumbles("busy") else { unreachable!() };
    failure.retry_after_ms = 30_000;
    project.answer(1, Run(0), Answer::Failed(failure));
    project.at(29);
    assert_eq!(project.due(), "");
    project.at(30);
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn what_failed_for_good_is_not_repeated() {
    let mut project = Project::new(environment(), &[retrying(5)]);
    project.deploy("v1");
    project.answer(1, Run(0), fails("no such table"));
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("Failed/PhaseFailed", ""));
}

#[test]
fn a_call_that_never_answers_is_repeated_with_its_key_and_then_given_up() {
    let mut project = Project::new(environment(), &[retrying(1)]);
    project.deploy("v1");
    project.at(60);
    assert_eq!(project.due(), "");
    project.at(61);
    assert_eq!(project.due(), "1 Run(0)");
    let keys = project.keys(1, Run(0));
    assert_eq!(keys[0], keys[1]);
    project.at(121);
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["migrate: `migrate` did not finish within its 60 s"].assert_eq(&project.failure(1));
}

#[test]
fn who_runs_out_of_time_while_it_waits_to_ask_again_says_what_the_last_answer_was() {
    let mut project = Project::new(environment(), &[retrying(1)]);
    project.deploy("v1");
    project.answer(1, Run(0), stumbles("the chat room refused"));
    project.skip_to(600);
    project.send(Command::Tick);
    expect!["migrate: `migrate` did not finish within its 60 s; the last answer was: the chat room refused"]
        .assert_eq(&project.failure(1));
}

#[test]
fn late_and_repeated_answers_change_nothing() {
    let mut project = Project::new(environment(), &[retrying(1), phase("next")]);
    project.deploy("v1");
    let late = project.call(1, Run(0));
    project.at(61);
    let answered = project.call(1, Run(0));
    project.answer(1, Run(0), done());
    let before = project.state.clone();
    for call in [late, answered] {
        project.send(Command::Report { call, answer: fails("too late") });
    }
    assert!(project.state == before);
}

/// Call numbers start again with each attempt.
#[test]
fn an_answer_to_an_earlier_attempt_changes_nothing() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.deploy("v1");
    let late = project.call(1, Run(0));
    project.stop(1).unwrap();
    project.redeploy(1).unwrap();
    assert_eq!(project.call(1, Run(0)).call, late.call);
    project.send(Command::Report { call: late, answer: done() });
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("InProgress/PhaseInProgress", "1 Run(0)"));
}

/// A project that is made again under an old name must not meet the effects of the old one.
#[test]
fn another_project_has_other_keys() {
    let key = |uid: &str| {
        let project = ProjectId { name: name("shop"), uid: uid.to_owned() };
        let call = CallRef { deployment: 1, attempt: 1, call: 1 };
        idempotency_key(&project, call, Run(0), &name("build"), 1)
    };
    assert_ne!(key("7"), key("8"));
}

#[test]
fn a_poll_that_would_come_after_the_time_limit_does_not_come() {
    let mut project = Project::new(environment(), &[phase("roll-out")]);
    project.deploy("v1");
    let Answer::Progressed(mut step) = progressed(1) else { unreachable!() };
    step.poll_after_ms = 3_600_000;
    project.answer(1, Run(0), Answer::Progressed(step));
    project.at(60);
    assert_eq!(project.is(1), "Failed/PhaseFailed");
}

#[test]
fn a_lock_held_outside_is_waited_for_without_costing_a_try() {
    let mut project = Project::new(environment(), &[retrying(0)]);
    project.deploy("v1");
    for round in 1..10 {
        project.answer(1, Run(0), fails_with("locked"));
        assert_eq!((project.is(1).as_str(), project.due().as_str()), ("InProgress/PhaseInProgress", ""));
        project.at(round * 5);
    }
    let keys = project.keys(1, Run(0));
    assert!(keys.len() == 10 && keys.iter().all(|key| *key == keys[0]));
    project.answer(1, Run(0), done());
    assert_eq!(project.deployment(1).attempt.phases[0].tries, 1);
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn a_lock_that_is_never_released_ends_with_the_time_limit() {
    let mut project = Project::new(environment(), &[retrying(0)]);
    project.deploy("v1");
    for round in 0..12 {
        project.at(round * 5);
        project.answer(1, Run(0), fails_with("locked"));
    }
    project.at(60);
    assert_eq!(project.is(1), "Failed/PhaseFailed");
}

#[test]
fn polling_waits_as_long_as_the_plugin_says() {
    let mut project = Project::new(environment(), &[phase("roll-out")]);
    project.deploy("v1");
    let Answer::Progressed(mut step) = progressed(1) else { unreachable!() };
    step.poll_after_ms = 20_000;
    project.answer(1, Run(0), Answer::Progressed(step));
    project.at(19);
    assert_eq!(project.due(), "");
    project.at(20);
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn a_failure_to_continue_after_makes_it_partial() {
    let optional = Phase { continue_on_error: true, ..phase("warm-cache") };
    let mut project = Project::new(environment(), &[optional, phase("smoke")]);
    project.deploy("v1");
    project.answer(1, Run(0), fails("cache is down"));
    assert_eq!(project.due(), "1 Run(1)");
    project.answer(1, Run(1), done());
    assert_eq!(project.is(1), "PartiallySucceeded/PhasePartiallySucceeded");
    assert_eq!(project.failure(1), "");
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

fn cleanup() -> Phase {
    Phase { always_run: true, ..phase("cleanup") }
}

#[test]
fn what_always_runs_also_runs_after_a_failure() {
    let mut project = Project::new(environment(), &[phase("build"), phase("smoke"), cleanup()]);
    project.deploy("v1");
    project.answer(1, Run(0), fails("does not compile"));
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("InProgress/PhaseInProgress", "1 Run(2)"));
    project.answer(1, Run(2), fails("also broken"));
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["build: does not compile"].assert_eq(&project.failure(1));
    expect!["build Failed, smoke Skipped, cleanup Failed"].assert_eq(&project.phases(1));
}

/// What it would apply was approved for another course.
#[test]
fn an_apply_is_never_started_on_the_way_down() {
    let always = Phase { always_run: true, ..apply("web") };
    let mut project = Project::new(environment(), &[phase("build"), always]);
    project.deploy("v1");
    project.answer(1, Plan(1), plan(&["a"]));
    project.answer(1, Run(0), fails("does not compile"));
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["build Failed, apply-web Skipped"].assert_eq(&project.phases(1));
}

/// Two applies and a phase that fails after them.
fn undone() -> Project {
    let phases = [apply("web"), apply("db"), phase("smoke"), cleanup()];
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&phases) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.all_goes_well();
    project.deploy("v2");
    for target in [0, 1] {
        project.answer(2, Plan(target), plan(&["a"]));
    }
    for target in [0, 1] {
        project.answer(2, Confirm(target), plan(&["a"]));
        project.answer(2, Run(target), done());
    }
    assert_eq!(project.prod(), "live v1, current v2, before: ");
    project.answer(2, Run(2), fails("500"));
    project
}

#[test]
fn undo_goes_in_reverse_and_current_is_what_it_was() {
    let mut project = undone();
    assert_eq!((project.is(2).as_str(), project.due().as_str()), ("InProgress/PhaseInProgress", "2 Undo(1)"));
    project.answer(2, Undo(1), done());
    assert_eq!(project.prod(), "live v1, current v2, before: ");
    assert_eq!(project.due(), "2 Undo(0)");
    project.answer(2, Undo(0), done());
    assert_eq!(project.prod(), "live v1, current v1, before: ");
    assert_eq!(project.due(), "2 Run(3)");
    project.answer(2, Run(3), done());
    assert_eq!(project.is(2), "Failed/PhaseFailed");
}

#[test]
fn undo_that_fails_is_reported_and_the_rest_is_undone_all_the_same() {
    let mut project = undone();
    project.answer(2, Undo(1), fails("stuck"));
    project.answer(2, Undo(0), done());
    project.answer(2, Run(3), done());
    assert_eq!(project.is(2), "Failed/PhaseFailed");
    assert_eq!(project.prod(), "live v1, current v2, before: ");
    let undone: Vec<String> =
        project.deployment(2).attempt.phases[..2].iter().map(|run| format!("{:?}", run.undo)).collect();
    assert!(undone[0].contains("Undone") && undone[1].contains("NotUndone") && undone[1].contains("stuck"));
}

#[test]
fn undo_that_fails_last_leaves_current_as_it_is() {
    let mut project = undone();
    project.answer(2, Undo(1), done());
    project.answer(2, Undo(0), fails("stuck"));
    assert_eq!(project.prod(), "live v1, current v2, before: ");
}

#[test]
fn a_retry_after_half_an_undo_applies_everything_again() {
    let mut project = undone();
    project.answer(2, Undo(1), fails("stuck"));
    project.all_goes_well();
    project.retry(2).unwrap();
    assert_eq!(project.due(), "2 Plan(0)");
}

#[test]
fn a_retry_after_an_undo_applies_everything_again() {
    let mut project = undone();
    project.all_goes_well();
    project.retry(2).unwrap();
    assert_eq!(project.due(), "2 Plan(0)");
    project.all_goes_well();
    assert_eq!(project.is(2), "Succeeded/Approved");
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
}

#[test]
fn a_retry_resumes_from_the_phase_that_failed() {
    let mut project = Project::new(environment(), &[phase("build"), apply("web"), phase("smoke")]);
    project.deploy("v1");
    project.answer(1, Plan(1), plan(&["a"]));
    project.answer(1, Run(0), done());
    project.answer(1, Confirm(1), plan(&["a"]));
    project.answer(1, Run(1), done());
    project.answer(1, Run(2), fails("500"));
    project.retry(1).unwrap();
    assert_eq!(project.due(), "1 Run(2)");
    assert_eq!(project.deployment(1).attempt.number, 2);
    expect!["build Succeeded, apply-web Succeeded, smoke Running"].assert_eq(&project.phases(1));
    let keys = project.keys(1, Run(2));
    assert_ne!(keys[0], keys[1], "another attempt is another piece of work");
    project.answer(1, Run(2), done());
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn a_retry_resumes_at_what_failed_it_and_not_at_what_it_went_on_after() {
    let optional = Phase { continue_on_error: true, ..phase("warm-cache") };
    let mut project = Project::new(environment(), &[optional.clone(), phase("smoke")]);
    project.deploy("v1");
    project.answer(1, Run(0), fails("cold"));
    project.answer(1, Run(1), fails("500"));
    project.retry(1).unwrap();
    assert_eq!(project.due(), "1 Run(1)");
    project.answer(1, Run(1), done());
    assert_eq!(project.is(1), "PartiallySucceeded/PhasePartiallySucceeded");
    project.retry(1).unwrap();
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn what_runs_out_of_time_is_undone_where_the_workflow_says_so() {
    let slow = Phase { timeout_ms: HOUR, ..phase("smoke") };
    let timeout_ms = Some(90 * SECOND);
    let meant = Workflow { timeout_ms, on_failure: OnFailure::Undo, ..workflow(&[apply("web"), slow]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), done());
    project.at(90);
    project.answer(1, Run(1), done());
    assert_eq!((project.is(1), project.due()), ("InProgress/Cancelling".to_owned(), "1 Undo(0)".to_owned()));
    project.answer(1, Undo(0), done());
    assert_eq!(project.views(1), "Failed/Canceled | TimedOut | Canceled");
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
}

/// Of two, one after the other: its second attempt has begun nothing and undone nothing.
#[test]
fn what_was_begun_two_attempts_ago_is_undone_once_and_never_again() {
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&[apply("web")]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["a"]));
    project.stop(1).unwrap();
    project.retry(1).unwrap();
    project.cancel(1).unwrap();
    project.retry(1).unwrap();
    project.answer(1, Plan(0), fails("no access"));
    assert_eq!(project.due(), "1 Undo(0)");
    project.answer(1, Undo(0), done());
    project.retry(1).unwrap();
    project.answer(1, Plan(0), fails("no access"));
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("Failed/PhaseFailed", ""));
}

#[test]
fn what_was_only_planned_is_not_undone() {
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&[apply("web")]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.cancel(1).unwrap();
    project.retry(1).unwrap();
    project.answer(1, Plan(0), fails("no access"));
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("Failed/PhaseFailed", ""));
}

/// Nothing has begun in the retry, but what the first attempt applied is there.
#[test]
fn what_an_earlier_attempt_began_is_undone_when_its_retry_fails() {
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&[apply("web"), apply("db"), phase("smoke")]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    for target in [0, 1] {
        project.answer(1, Plan(target), plan(&["a"]));
    }
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), done());
    project.answer(1, Confirm(1), plan(&["begun"]));
    project.answer(1, Confirm(1), plan(&["begun"]));
    project.stop(1).unwrap();
    project.retry(1).unwrap();
    project.answer(1, Plan(1), fails("no access"));
    assert_eq!(project.due(), "1 Undo(1)");
    let order = order(&project.state, &project.state.due()[0]).unwrap();
    assert!(matches!(order.question, Question::Undo { approved, .. } if approved.planned.changes[0].name == "begun"));
    project.answer(1, Undo(1), done());
    project.answer(1, Undo(0), done());
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
}

#[test]
fn a_plugin_that_waits_without_getting_on_is_not_asked_at_once() {
    let mut project = Project::new(environment(), &[phase("roll-out")]);
    project.deploy("v1");
    project.answer(1, Run(0), progressed(1));
    assert_eq!(project.due(), "1 Run(0)", "it got on");
    project.answer(1, Run(0), progressed(1));
    assert_eq!((project.due().as_str(), project.state.wake_at()), ("", Some(Timestamp(250))));
}

#[test]
fn a_plugin_that_never_comes_to_an_end_is_given_up() {
    let mut project = Project::new(environment(), &[phase("roll-out")]);
    project.deploy("v1");
    for round in 0..100_000_u32 {
        let call = project.call(1, Run(0));
        let step = Progressed { cursor: round.to_le_bytes().to_vec(), ..Progressed::default() };
        project.send_only(Command::Report { call, answer: Answer::Progressed(step) });
    }
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect![
        "roll-out: `roll-out` was called 100000 times and is not done; a plugin that waits asks to be called later"
    ]
    .assert_eq(&project.failure(1));
}

#[test]
fn a_plugin_is_not_left_alone_for_days() {
    let mut project = Project::new(environment(), &[retrying(1)]);
    project.deploy("v1");
    let Answer::Failed(mut failure) = stumbles("busy") else { unreachable!() };
    failure.retry_after_ms = u32::MAX;
    project.answer(1, Run(0), Answer::Failed(failure));
    project.at(3_600);
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn a_record_keeps_how_attempts_ended_and_does_not_grow_without_end() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.deploy("v1");
    for _ in 0..120 {
        project.answer(1, Run(0), fails("does not compile"));
        project.retry(1).unwrap();
    }
    let earlier = &project.deployment(1).earlier;
    assert_eq!((earlier.len(), earlier[0].number, earlier[99].number), (100, 21, 120));
    assert_eq!(earlier[99].failure.as_ref().unwrap().message, "does not compile");
    let reopened = project.events.iter().filter(|event| matches!(event.what, What::DeploymentReopened { .. }));
    let largest = reopened.map(|event| serde_json::to_string(event).unwrap().len()).max().unwrap();
    assert!(largest < 64 << 10, "{largest}");
}

/// Its host forgot the first attempt at another moment than whoever replays.
#[test]
fn a_retry_is_replayed_whenever_the_first_attempt_was_forgotten() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.deploy("v1");
    project.answer(1, Run(0), fails("does not compile"));
    project.retry(1).unwrap();
    let mut replayed = State::new(project.state.project.clone());
    for event in &project.events {
        replayed.apply(event).unwrap();
        if matches!(event.what, What::Deployment { change: Change::Finished { .. }, .. }) {
            replayed.forget(1, 1);
        }
    }
    assert!(replayed == project.state);
}

#[test]
fn an_event_that_does_not_fit_is_told_and_changes_nothing() {
    let mut project = Project::new(environment(), &[phase("build")]);
    let before = project.state.clone();
    let what = What::Deployment { number: 9, change: Change::SlotTaken };
    let event = Event { at: Timestamp(7), what };
    let misfit = project.state.apply(&event).unwrap_err();
    expect!["the event does not fit what came before it: there is no deployment 9"].assert_eq(&misfit.to_string());
    assert!(project.state == before);
}

#[test]
fn a_newer_attempt_is_not_forgotten_for_an_older_one() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.deploy("v1");
    project.answer(1, Run(0), fails("does not compile"));
    project.retry(1).unwrap();
    project.answer(1, Run(0), fails("does not compile"));
    project.state.forget(1, 1);
    assert_eq!(project.is(1), "Failed/PhaseFailed");
}

#[test]
fn a_record_of_another_deployment_is_not_tried_again() {
    let mut project = Project::new(environment(), &[phase("build")]);
    for _ in 0..2 {
        let number = project.deploy("v1");
        project.answer(number, Run(0), fails("does not compile"));
    }
    let other = project.state.deployments[&2].clone();
    project.state.forget(1, 1);
    let (from, by) = (TryFrom::Start, person("tom"));
    let again = Command::TryAgain(Again { number: 1, finished: Some(other), from, key: None, by });
    assert!(project.attempt(again).unwrap_err().contains("there is no deployment 1"));
}

/// As somebody does whose connection broke before the answer came.
#[test]
fn a_retry_that_is_asked_for_twice_with_one_key_is_one_attempt() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.deploy("v1");
    project.answer(1, Run(0), fails("does not compile"));
    let retry = |key: &str, request: &str| {
        let (key, request) = (key.to_owned(), Digest::of(request.as_bytes()));
        let key = Some(TriggerKey { scope: "retry".to_owned(), key, request });
        Command::TryAgain(Again { number: 1, finished: None, from: TryFrom::FailedPhase, key, by: person("tom") })
    };
    project.send(retry("k1", "1"));
    project.answer(1, Run(0), fails("still does not"));
    project.send(retry("k1", "1"));
    assert_eq!((project.deployment(1).attempt.number, project.is(1).as_str()), (2, "Failed/PhaseFailed"));
    expect!["Idempotency-Key `k1` was used for deployment 1, with another request; use a new key"]
        .assert_eq(&project.attempt(retry("k1", "2")).unwrap_err());
    project.send(retry("k2", "1"));
    assert_eq!(project.deployment(1).attempt.number, 3);
}

#[test]
fn a_retry_that_is_undone_goes_back_to_before_the_first_attempt() {
    let phases = [apply("web"), apply("db")];
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&phases) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.all_goes_well();
    project.deploy("v2");
    project.answer(2, Plan(0), plan(&["a"]));
    project.answer(2, Plan(1), plan(&["a"]));
    project.answer(2, Confirm(0), plan(&["a"]));
    project.answer(2, Run(0), done());
    project.answer(2, Confirm(1), plan(&["a"]));
    project.stop(2).unwrap();
    assert_eq!(project.prod(), "live v1, current v2, before: ");
    project.retry(2).unwrap();
    project.answer(2, Plan(1), plan(&["a"]));
    project.answer(2, Confirm(1), plan(&["a"]));
    project.answer(2, Run(1), fails("disk full"));
    project.answer(2, Undo(1), done());
    project.answer(2, Undo(0), done());
    assert_eq!(project.is(2), "Failed/PhaseFailed");
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

/// Otherwise the environment would be called v1 while half of it is v2.
#[test]
fn a_retry_after_another_release_was_applied_applies_everything_again() {
    let mut project = Project::new(environment(), &[apply("web"), apply("db")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Plan(1), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), done());
    project.answer(1, Confirm(1), fails("disk full"));
    project.deploy("v2");
    project.retry(1).unwrap();
    project.all_goes_well();
    assert_eq!([project.is(1), project.is(2)], ["Succeeded/Approved"; 2]);
    assert_eq!(project.deployment(1).attempt.phases[0].started_at, project.deployment(1).attempt.phases[1].started_at);
    assert_eq!(project.keys(1, Run(0)).len(), 2);
}

#[test]
fn a_redeploy_starts_over() {
    let mut project = Project::new(environment(), &[phase("build"), phase("smoke")]);
    project.deploy("v1");
    project.answer(1, Run(0), done());
    project.answer(1, Run(1), done());
    let refusal = project.retry(1).unwrap_err();
    expect!["deployment 1 succeeded; there is nothing to retry, but `redeploy` starts over"].assert_eq(&refusal);
    project.redeploy(1).unwrap();
    assert_eq!(project.due(), "1 Run(0)");
    let refusal = project.redeploy(1).unwrap_err();
    expect!["deployment 1 has not finished (InProgress/PhaseInProgress); cancel it first or wait"].assert_eq(&refusal);
    assert_eq!(project.deployment(1).earlier[0].finish, Finish::Succeeded);
}

#[test]
fn outputs_are_kept_for_later_phases() {
    let mut project = Project::new(environment(), &[phase("build"), phase("smoke")]);
    project.deploy("v1");
    let Answer::Progressed(mut step) = done() else { unreachable!() };
    step.outputs = serde_json::json!({ "image": "sha256:7" });
    project.answer(1, Run(0), Answer::Progressed(step));
    let outputs = project.deployment(1).outputs();
    assert_eq!(outputs[&name("build")]["image"], "sha256:7");
}

#[test]
fn a_finished_deployment_that_left_memory_is_retried_from_its_record() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.deploy("v1");
    project.answer(1, Run(0), fails("does not compile"));
    let record = project.state.deployments[&1].clone();
    project.state.forget(1, 1);
    let retry = |finished| {
        Command::TryAgain(Again {
            number: 1,
            finished,
            from: lockgate_core::handle::TryFrom::FailedPhase,
            key: None,
            by: person("tom"),
        })
    };
    let refusal = project.attempt(retry(None)).unwrap_err();
    expect!["there is no deployment 1 in project `shop`; the last one is 1"].assert_eq(&refusal);
    project.send(retry(Some(record)));
    assert_eq!(project.due(), "1 Run(0)");
    assert_eq!(project.deployment(1).earlier.len(), 1);
}

#[test]
fn a_running_deployment_is_never_forgotten() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.deploy("v1");
    project.state.forget(1, 1);
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn a_record_that_comes_back_from_the_store_is_the_one_that_left() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), fails("disk full"));
    let record = serde_json::to_string(&project.state.deployments[&1]).unwrap();
    let read: lockgate_core::deployment::Deployment = serde_json::from_str(&record).unwrap();
    assert!(read == *project.state.deployments[&1]);
}

/// Read, then tried again by somebody else, then gone from memory: the same attempt number twice would be the same keys.
#[test]
fn a_record_from_before_the_newest_attempt_is_not_tried_again() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.deploy("v1");
    project.answer(1, Run(0), fails("does not compile"));
    let old = project.state.deployments[&1].clone();
    project.retry(1).unwrap();
    project.answer(1, Run(0), fails("does not compile"));
    let newest = project.state.deployments[&1].clone();
    project.state.forget(1, 2);
    let retry = |record| {
        Command::TryAgain(Again {
            number: 1,
            finished: Some(record),
            from: TryFrom::Start,
            key: None,
            by: person("tom"),
        })
    };
    let refusal = project.attempt(retry(old)).unwrap_err();
    expect!["deployment 1 was tried again by somebody else meanwhile, as attempt 2: look at how that ended, then retry if you still want to"].assert_eq(&refusal);
    project.send(retry(newest));
    assert_eq!(project.deployment(1).attempt.number, 3);
}

/// Nothing of v1 is there any more: to undo what it had begun would take away from v2.
#[test]
fn what_was_only_begun_and_then_overtaken_is_not_undone() {
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&[apply("web")]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["a"]));
    project.stop(1).unwrap();
    project.deploy("v2");
    project.all_goes_well();
    project.retry(1).unwrap();
    project.answer(1, Plan(0), fails("no access"));
    assert_eq!((project.due(), project.is(1)), (String::new(), "Failed/PhaseFailed".to_owned()));
    assert_eq!(project.prod(), "live v2, current v2, before: ");
}

// ---- side by side ----

fn in_group(phase: Phase) -> Phase {
    Phase { group: Some(name("together")), ..phase }
}

fn grouped(on_failure: OnFailure, phases: &[Phase]) -> Project {
    let meant = Workflow { on_failure, ..workflow(phases) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project
}

#[test]
fn phases_of_a_group_run_side_by_side_and_what_follows_waits_for_all() {
    let group = ["one", "two"].map(|text| in_group(phase(text)));
    let [one, two] = group;
    let mut project = grouped(OnFailure::Stop, &[phase("before"), one, two, phase("after")]);
    project.answer(1, Run(0), done());
    assert_eq!(project.due(), "1 Run(1), 1 Run(2)");
    project.answer(1, Run(2), done());
    assert_eq!(project.due(), "1 Run(1)");
    project.answer(1, Run(1), done());
    assert_eq!(project.due(), "1 Run(3)");
}

#[test]
fn one_of_a_group_that_fails_lets_the_others_end_and_a_retry_repeats_all_that_failed() {
    let [one, two, three] = ["one", "two", "three"].map(|text| in_group(phase(text)));
    let mut project = grouped(OnFailure::Stop, &[one, two, three, phase("after")]);
    project.answer(1, Run(1), fails("disk full"));
    assert_eq!(project.due(), "1 Run(0), 1 Run(2)");
    project.answer(1, Run(0), fails("disk full"));
    project.answer(1, Run(2), done());
    assert_eq!(project.phases(1), "one Failed, two Failed, three Succeeded, after Skipped");
    project.retry(1).unwrap();
    project.all_goes_well();
    assert_eq!(project.views(1), "Succeeded/Approved | Succeeded | Succeeded");
}

fn two_applies(on_failure: OnFailure) -> Project {
    let mut project = grouped(on_failure, &[in_group(apply("web")), in_group(apply("db"))]);
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Plan(1), plan(&["b"]));
    project
}

#[test]
fn all_plans_of_a_group_are_confirmed_before_any_of_it_applies() {
    let mut project = two_applies(OnFailure::Stop);
    project.answer(1, Confirm(0), plan(&["a"]));
    assert_eq!(project.due(), "1 Confirm(1)");
    project.answer(1, Confirm(1), plan(&["b", "c"]));
    assert_eq!(project.due(), "1 Confirm(0)", "what was confirmed has aged with the drift");
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Confirm(1), plan(&["b", "c"]));
    assert_eq!(project.due(), "1 Run(0), 1 Run(1)");
}

#[test]
fn a_stale_plan_in_a_group_is_made_again_when_the_others_are_done() {
    let mut project = two_applies(OnFailure::Stop);
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Confirm(1), plan(&["b"]));
    project.answer(1, Run(0), fails_with("plan-stale"));
    assert_eq!(project.due(), "1 Run(1)");
    project.answer(1, Run(1), done());
    assert_eq!(project.due(), "1 Confirm(0)");
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), done());
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn a_group_is_undone_one_by_one_and_in_reverse() {
    let mut project = two_applies(OnFailure::Undo);
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Confirm(1), plan(&["b"]));
    project.answer(1, Run(0), fails("disk full"));
    assert_eq!(project.due(), "1 Run(1)", "nothing is undone while something applies");
    project.answer(1, Run(1), done());
    assert_eq!(project.due(), "1 Undo(1)");
    project.answer(1, Undo(1), done());
    assert_eq!(project.due(), "1 Undo(0)");
    project.answer(1, Undo(0), done());
    assert_eq!(
        (project.is(1).as_str(), project.prod().as_str()),
        ("Failed/PhaseFailed", "live nothing, current nothing, before: ")
    );
}

#[test]
fn a_cancel_tells_every_phase_of_a_group() {
    let [one, two] = ["one", "two"].map(|text| in_group(phase(text)));
    let mut project = grouped(OnFailure::Stop, &[one, two, phase("after")]);
    project.cancel(1).unwrap();
    assert_eq!(project.due(), "1 Run(0) (told to stop), 1 Run(1) (told to stop)");
    project.answer(1, Run(0), done());
    project.answer(1, Run(1), fails_with("cancelled"));
    assert_eq!(project.due(), "1 Cancel(1)");
    project.answer(1, Cancel(1), done());
    assert_eq!(
        (project.is(1).as_str(), project.phases(1).as_str()),
        ("Failed/Canceled", "one Succeeded, two Canceled, after Skipped")
    );
}

// ---- limits and people ----

#[test]
fn a_workflow_that_takes_too_long_is_told_to_stop() {
    let slow = Phase { timeout_ms: HOUR, ..phase("build") };
    let cleanup = Phase { always_run: true, ..phase("cleanup") };
    let meant = Workflow { timeout_ms: Some(90 * SECOND), ..workflow(&[slow, cleanup]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.at(90);
    assert_eq!(project.due(), "1 Run(0) (told to stop)");
    expect!["workflow `full-plan` did not end within its 90 s"]
        .assert_eq(&project.deployment(1).attempt.cancel.as_ref().unwrap().reason);
    project.answer(1, Run(0), fails_with("cancelled"));
    project.answer(1, Cancel(0), done());
    project.answer(1, Run(1), done());
    assert_eq!(project.views(1), "Failed/Canceled | TimedOut | Canceled");
}

#[test]
fn what_always_runs_after_a_failure_has_time_beyond_that_of_the_workflow() {
    let slow = Phase { timeout_ms: HOUR, always_run: true, ..phase("cleanup") };
    let meant = Workflow { timeout_ms: Some(90 * SECOND), ..workflow(&[phase("build"), slow]) };
    let mut project = Project::of(definition(&[("prod", environment())], meant));
    project.deploy("v1");
    project.answer(1, Run(0), fails("broken"));
    project.at(600);
    project.answer(1, Run(1), done());
    assert_eq!((project.is(1).as_str(), project.deployment(1).attempt.cancel.as_ref()), ("Failed/PhaseFailed", None));
}

#[test]
fn the_time_of_a_workflow_is_not_the_time_of_those_who_accept_it() {
    let post_approvals = asks(&[rule(1, &[])]);
    let meant = Workflow { timeout_ms: Some(90 * SECOND), ..workflow(&[phase("build")]) };
    let mut project = Project::of(definition(&[("prod", Environment { post_approvals, ..environment() })], meant));
    project.deploy("v1");
    project.answer(1, Run(0), done());
    project.at(1_000);
    project.approve(1, person("ann")).unwrap();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

fn waits_for_somebody(groups: &[&str]) -> Project {
    let work = PhaseWork::Manual { instructions: "look at the graphs".to_owned(), groups: texts(groups) };
    grouped(OnFailure::Stop, &[Phase { work, ..phase("look") }, phase("after")])
}

#[test]
fn a_person_lets_it_proceed_and_the_note_becomes_an_output() {
    let mut project = waits_for_somebody(&["sre"]);
    assert_eq!(project.views(1), "InProgress/ManualInterventionPending | PendingApproval | InProgress");
    expect!["ann is in none of the groups that are asked: sre"]
        .assert_eq(&project.approve(1, person("ann")).unwrap_err());
    project.approve(1, member("ann", &["sre"])).unwrap();
    let due = project.state.due()[0];
    let outputs = &subject(&order(&project.state, &due).unwrap())["outputs"];
    expect![[r#"{"look":{"note":"fine","by":"ann"}}"#]].assert_eq(&outputs.to_string());
    project.all_goes_well();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn a_person_who_says_no_or_nobody_at_all_fails_the_phase() {
    let mut project = waits_for_somebody(&[]);
    project.reject(1, person("ann")).unwrap();
    assert_eq!(
        (project.is(1).as_str(), project.phases(1).as_str()),
        ("Failed/PhaseFailed", "look Failed, after Skipped")
    );
    expect!["look: ann did not let it proceed: not on a Friday"].assert_eq(&project.failure(1));
    let mut project = waits_for_somebody(&[]);
    project.at(60);
    expect!["look: nobody said in time how to go on"].assert_eq(&project.failure(1));
}

#[test]
fn a_cancel_ends_the_wait_for_a_person() {
    let mut project = waits_for_somebody(&[]);
    project.cancel(1).unwrap();
    assert_eq!(project.is(1), "Failed/Canceled");
}

#[test]
fn of_two_who_wait_side_by_side_each_answers_where_they_are_asked() {
    let manual = |text: &str, groups| {
        let work = PhaseWork::Manual { instructions: String::new(), groups: texts(groups) };
        in_group(Phase { work, ..phase(text) })
    };
    let mut project = grouped(OnFailure::Stop, &[manual("graphs", &["sre"]), manual("sums", &["finance"])]);
    project.approve(1, member("fay", &["finance"])).unwrap();
    assert_eq!(project.phases(1), "graphs Running, sums Succeeded");
    expect!["fay is in none of the groups that are asked: sre"]
        .assert_eq(&project.approve(1, member("fay", &["finance"])).unwrap_err());
    project.approve(1, member("sam", &["sre"])).unwrap();
    assert_eq!(project.is(1), "Succeeded/Approved");
}
