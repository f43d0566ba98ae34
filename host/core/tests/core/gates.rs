//! Gates: sampled together, green together, for long enough, in time.

use expect_test::expect;
use lockgate_core::definition::{Environment, GateSet, Phase, PhaseWork};
use lockgate_core::deployment::GateVerdict;
use lockgate_core::handle::Command;
use lockgate_core::name::Timestamp;
use lockgate_core::plugin::Decision;
use lockgate_core::work::Step::*;
use lockgate_core::work::{Answer, GatesOf};

use crate::project::Project;
use crate::words::*;

/// At its gates.
fn gated(set: GateSet) -> Project {
    let mut project = Project::new(Environment { post_gates: Some(set), ..environment() }, &[phase("build")]);
    project.deploy("v1");
    project.answer(1, Run(0), done());
    assert_eq!(project.is(1), "InProgress/EvaluatingGates");
    project
}

fn round(project: &mut Project, errors: Answer, latency: Answer) {
    project.answer(1, gate(0), errors);
    project.answer(1, gate(1), latency);
}

#[test]
fn gates_wait_for_their_delay_and_then_for_each_interval() {
    let mut project = gated(GateSet { delay_ms: 30 * SECOND, ..gates() });
    project.at(29);
    assert_eq!(project.due(), "");
    project.at(30);
    assert_eq!(project.due(), "1 Gate(0), 1 Gate(1)");
    round(&mut project, passes(), fails("down"));
    project.at(39);
    assert_eq!(project.due(), "");
    project.at(40);
    assert_eq!(project.due(), "1 Gate(0), 1 Gate(1)");
}

#[test]
fn all_gates_must_pass_in_the_same_round() {
    let mut project = gated(gates());
    let fail = || verdict(Decision::Fail, "9% errors");
    round(&mut project, passes(), fail());
    project.at(10);
    round(&mut project, fail(), passes());
    assert_eq!(project.is(1), "InProgress/EvaluatingGates");
    project.at(20);
    round(&mut project, passes(), passes());
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn gates_must_be_seen_green_for_as_long_as_they_should_be_steady() {
    let mut project = gated(GateSet { steady_ms: 25 * SECOND, ..gates() });
    for seconds in [0, 10, 20] {
        project.at(seconds);
        round(&mut project, passes(), passes());
        assert_eq!(project.is(1), "InProgress/EvaluatingGates");
    }
    project.at(30);
    assert_eq!(project.due(), "1 Gate(0), 1 Gate(1)", "that it was green at 20 s does not say it is at 25 s");
    round(&mut project, passes(), passes());
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn one_red_round_starts_the_steady_time_again() {
    let mut project = gated(GateSet { steady_ms: 20 * SECOND, ..gates() });
    for (seconds, answer) in [(0, passes()), (10, passes()), (20, fails("down")), (30, passes()), (40, passes())] {
        project.at(seconds);
        round(&mut project, passes(), answer);
        assert_eq!(project.is(1), "InProgress/EvaluatingGates", "at {seconds}");
    }
    project.at(50);
    round(&mut project, passes(), passes());
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn only_pass_passes_and_the_reasons_are_named_when_time_is_up() {
    let mut project = gated(GateSet { timeout_ms: 25 * SECOND, ..gates() });
    round(&mut project, verdict(Decision::Inconclusive, "no traffic"), passes());
    project.at(10);
    round(&mut project, fails("probe crashed"), passes());
    project.at(20);
    round(&mut project, verdict(Decision::Fail, "9% errors"), verdict(Decision::Inconclusive, "no traffic"));
    let last =
        |project: &Project| project.deployment(1).attempt.post_gates.as_ref().unwrap().gates[0].last.clone().unwrap();
    assert_eq!(last(&project).outcome, GateVerdict::Fail);
    project.at(25);
    assert_eq!(project.is(1), "Failed/GatesFailed");
    expect!["gates: errors: 9% errors; latency: no traffic"].assert_eq(&project.failure(1));
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
}

#[test]
fn a_gate_that_never_answers_is_an_error() {
    let mut project = gated(gates());
    project.answer(1, gate(1), passes());
    project.at(120);
    expect![[r#"Failed/GatesFailed"#]].assert_eq(&project.is(1));
    expect!["gates: errors: `errors` did not finish within its 120 s"].assert_eq(&project.failure(1));
}

#[test]
fn a_gate_may_measure_over_several_calls() {
    let mut project = gated(gates());
    let measuring = Answer::Sampled { memo: vec![3], poll_after_ms: 5_000, verdict: None };
    project.answer(1, gate(0), measuring);
    project.answer(1, gate(1), passes());
    assert_eq!(project.due(), "");
    project.at(5);
    assert_eq!(project.deployment(1).work(gate(0)).unwrap().cursor, [3]);
    project.answer(1, gate(0), passes());
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn gates_that_fail_on_a_retry_fail_as_gates() {
    let mut project = gated(GateSet { timeout_ms: 5 * SECOND, ..gates() });
    round(&mut project, passes(), fails("down"));
    project.at(5);
    assert_eq!(project.is(1), "Failed/GatesFailed");
    project.retry(1).unwrap();
    assert_eq!(
        (project.is(1).as_str(), project.due().as_str()),
        ("InProgress/EvaluatingGates", "1 Gate(0), 1 Gate(1)")
    );
    round(&mut project, passes(), fails("down"));
    project.at(10);
    assert_eq!(project.is(1), "Failed/GatesFailed");
    project.retry(1).unwrap();
    round(&mut project, passes(), passes());
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn gates_are_cancelled_on_a_retry_as_in_progress() {
    let mut project = gated(GateSet { timeout_ms: 5 * SECOND, ..gates() });
    round(&mut project, passes(), fails("down"));
    project.at(5);
    project.retry(1).unwrap();
    project.cancel(1).unwrap();
    assert_eq!(project.is(1), "Failed/Canceled");
}

/// A round near the end gets no longer than the set.
#[test]
fn what_is_green_after_the_time_limit_was_not_green_in_time() {
    let mut project = gated(GateSet { timeout_ms: 15 * SECOND, ..gates() });
    round(&mut project, passes(), fails("down"));
    project.at(10);
    project.answer(1, gate(0), passes());
    let late = project.call(1, gate(1));
    project.skip_to(16);
    project.send(Command::Report { call: late, answer: passes() });
    assert_eq!(project.is(1), "Failed/GatesFailed");
    expect!["gates: latency: `latency` did not finish within its 5 s"].assert_eq(&project.failure(1));
}

#[test]
fn gates_are_not_sampled_in_a_frenzy() {
    let mut project = gated(GateSet { interval_ms: 1, ..gates() });
    round(&mut project, passes(), fails("down"));
    assert_eq!(project.state.wake_at(), Some(Timestamp(100)));
}

// ---- before the phases ----

fn gate_before(index: usize) -> lockgate_core::work::Step {
    Gate { of: GatesOf::Pre, index }
}

fn gated_before(set: GateSet) -> Project {
    let mut project = Project::new(Environment { pre_gates: Some(set), ..environment() }, &[phase("build")]);
    project.deploy("v1");
    assert_eq!(project.views(1), "NotDeployed/EvaluatingGates | InProgress | InProgress");
    project
}

#[test]
fn nothing_starts_before_the_gates_have_passed() {
    let mut project = gated_before(gates());
    project.answer(1, gate_before(0), passes());
    assert_eq!(project.due(), "1 Gate(Pre 1)");
    project.answer(1, gate_before(1), passes());
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn gates_that_fail_before_the_phases_end_it() {
    let mut project = gated_before(GateSet { timeout_ms: 5 * SECOND, ..gates() });
    project.answer(1, gate_before(0), passes());
    project.answer(1, gate_before(1), verdict(Decision::Inconclusive, "no traffic"));
    project.at(5);
    assert_eq!(project.views(1), "NotDeployed/GatesFailed | Failed | Rejected");
    expect!["gates: latency: no traffic"].assert_eq(&project.failure(1));
}

#[test]
fn a_verdict_that_lapses_within_a_round_does_not_pass() {
    let mut project = gated_before(gates());
    project.answer(1, gate_before(0), passes_for(2_000));
    project.at(3);
    project.answer(1, gate_before(1), passes());
    assert_eq!(project.is(1), "NotDeployed/EvaluatingGates");
    expect!["gates: Pre, not green: none"].assert_eq(&project.why(1));
    project.at(13);
    project.answer(1, gate_before(0), passes_for(2_000));
    project.answer(1, gate_before(1), passes());
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn what_passed_and_lapsed_before_the_first_phase_is_asked_for_again() {
    let prod = Environment { pre_gates: Some(gates()), ..environment() };
    let mut project = Project::new(prod, &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, gate_before(0), passes_for(5_000));
    project.answer(1, gate_before(1), passes());
    assert_eq!(project.due(), "1 Confirm(0)");
    project.at(6);
    project.answer(1, Confirm(0), plan(&["a"]));
    assert_eq!(project.due(), "1 Gate(Pre 0), 1 Gate(Pre 1)");
    project.all_goes_well();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn what_lapses_after_the_first_phase_has_begun_has_done_its_work() {
    let prod = Environment { pre_gates: Some(gates()), ..environment() };
    let mut project = Project::new(prod, &[phase("build"), phase("smoke")]);
    project.deploy("v1");
    project.answer(1, gate_before(0), passes_for(5_000));
    project.answer(1, gate_before(1), passes());
    project.at(6);
    project.answer(1, Run(0), done());
    assert_eq!(project.due(), "1 Run(1)");
}

/// Nobody has seen it green between the end of one verdict and the next.
#[test]
fn verdicts_that_lapse_before_the_next_round_are_not_steady() {
    let mut project = gated(GateSet { steady_ms: 15 * SECOND, ..gates() });
    for seconds in [0, 10, 20, 30] {
        project.at(seconds);
        round(&mut project, passes_for(5_000), passes());
        assert_eq!(project.is(1), "InProgress/EvaluatingGates", "at {seconds}");
    }
    for seconds in [40, 50] {
        project.at(seconds);
        round(&mut project, passes_for(15_000), passes());
    }
    assert_eq!(project.is(1), "InProgress/EvaluatingGates");
    project.at(60);
    round(&mut project, passes_for(15_000), passes());
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn the_time_limit_of_gates_counts_from_the_end_of_their_delay() {
    let mut project = gated(GateSet { delay_ms: 100 * SECOND, timeout_ms: 30 * SECOND, ..gates() });
    project.at(125);
    assert_eq!(project.is(1), "InProgress/EvaluatingGates");
    project.at(130);
    assert_eq!(project.is(1), "Failed/GatesFailed");
}

// ---- ignored ----

fn ignore(project: &mut Project, gate: &str, comment: &str) -> Result<(), String> {
    let (gate, comment, by) = (name(gate), comment.to_owned(), person("ann"));
    project.attempt(Command::IgnoreGate { number: 1, gate, comment, by })
}

#[test]
fn whoever_ignores_a_gate_says_why_and_which() {
    let mut project = gated(gates());
    expect!["ignoring a gate needs a comment: say why, for whoever reads this later"]
        .assert_eq(&ignore(&mut project, "errors", "").unwrap_err());
    expect!["deployment 1 has no gate `error` that is being evaluated; it has: errors, latency"]
        .assert_eq(&ignore(&mut project, "error", "known outage").unwrap_err());
    round(&mut project, fails("down"), passes());
    ignore(&mut project, "errors", "known outage").unwrap();
    project.at(10);
    assert_eq!(project.due(), "1 Gate(1)", "it is not asked any more");
    project.answer(1, gate(1), passes());
    assert_eq!(project.is(1), "Succeeded/Approved");
    let gates = &project.deployment(1).attempt.post_gates.as_ref().unwrap().gates;
    assert_eq!(gates[0].ignored.as_ref().map(|by| by.comment.as_str()), Some("known outage"));
}

#[test]
fn a_verdict_of_a_gate_that_is_ignored_does_not_lapse() {
    let mut project = gated(GateSet { steady_ms: 15 * SECOND, ..gates() });
    round(&mut project, passes_for(5_000), passes());
    ignore(&mut project, "errors", "known outage").unwrap();
    for seconds in [10, 20] {
        project.at(seconds);
        project.answer(1, gate(1), passes());
    }
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn the_last_gate_that_is_waited_for_can_be_ignored_in_the_middle_of_a_round() {
    let mut project = gated(gates());
    project.answer(1, gate(0), passes());
    ignore(&mut project, "latency", "it hangs").unwrap();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn gates_that_are_all_ignored_pass_after_their_steady_time() {
    let mut project = gated(GateSet { steady_ms: 15 * SECOND, ..gates() });
    round(&mut project, fails("down"), fails("down"));
    for text in ["errors", "latency"] {
        ignore(&mut project, text, "known outage").unwrap();
    }
    project.at(40);
    assert_eq!(project.is(1), "Succeeded/Approved");
}

// ---- as a phase ----

fn gate_of_phase(index: usize) -> lockgate_core::work::Step {
    Gate { of: GatesOf::Phase(1), index }
}

fn between() -> Project {
    let check = Phase { work: PhaseWork::Gates(gates()), ..phase("check") };
    let mut project = Project::new(environment(), &[phase("build"), check, phase("release")]);
    project.deploy("v1");
    project.answer(1, Run(0), done());
    assert_eq!(project.is(1), "InProgress/EvaluatingGates");
    project
}

#[test]
fn gates_between_phases_hold_up_what_follows() {
    let mut project = between();
    project.answer(1, gate_of_phase(0), passes());
    project.answer(1, gate_of_phase(1), fails("down"));
    project.at(10);
    project.answer(1, gate_of_phase(0), passes());
    project.answer(1, gate_of_phase(1), passes());
    assert_eq!(
        (project.phases(1).as_str(), project.due().as_str()),
        ("build Succeeded, check Succeeded, release Running", "1 Run(2)")
    );
}

#[test]
fn gates_between_phases_that_stay_red_fail_their_phase() {
    let mut project = between();
    project.at(1_000);
    assert_eq!(
        (project.is(1).as_str(), project.phases(1).as_str()),
        ("Failed/PhaseFailed", "build Succeeded, check Failed, release Skipped")
    );
    expect![
        "check: errors: `errors` did not finish within its 120 s; latency: `latency` did not finish within its 120 s"
    ]
    .assert_eq(&project.failure(1));
}

#[test]
fn a_cancel_ends_gates_between_phases_at_once() {
    let mut project = between();
    project.cancel(1).unwrap();
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("Failed/Canceled", ""));
}
