//! What has its slot and has not begun, when a pause, a freeze or the end of office hours comes: it goes back to the head
//! of the queue.

use expect_test::expect;
use lockgate_core::calendar::{Availability, Freeze, FreezeEffect, Period};
use lockgate_core::definition::{ApprovalOrder, ApprovalPolicy, Definition, Environment, Phase, ProjectLimits};
use lockgate_core::handle::{Command, Deploy, PauseScope};
use lockgate_core::name::Actor;
use lockgate_core::plugin::Decision;
use lockgate_core::work::{GatesOf, Step, Step::*};
use serde_json::json;

use crate::project::{Project, to_prod};
use crate::words::*;

const MINUTE: i64 = 60;

fn prod() -> PauseScope {
    PauseScope::Environment(name("prod"))
}

/// One person has to agree.
fn asking() -> Environment {
    Environment { approvals: asks(&[rule(1, &[])]), ..environment() }
}

fn meant(environment: Environment, phases: &[Phase]) -> Definition {
    definition(&[("prod", environment)], workflow(phases))
}

fn period(from: &str, until: &str) -> Period {
    serde_json::from_value(json!({ "from": from, "until": until, "zone": "UTC" })).unwrap()
}

/// In the first hour.
fn freeze(effect: FreezeEffect) -> Freeze {
    let period = period("1970-01-01T00:00", "1970-01-01T01:00");
    Freeze { name: name("sales"), period, effect, reason: "no risk".to_owned(), environments: [].into() }
}

fn security() -> FreezeEffect {
    FreezeEffect::Stricter { rules: vec![rule(1, &["security"])] }
}

fn ann() -> Actor {
    member("ann", &["dba"])
}

fn sue() -> Actor {
    member("sue", &["security"])
}

fn break_glass(project: &mut Project, by: Actor) -> Result<(), String> {
    project.attempt(Command::BreakGlass { number: 1, reason: "the shop is down".to_owned(), by })
}

#[test]
fn what_is_approved_in_a_pause_begins_when_it_ends() {
    for scope in [PauseScope::Project, prod()] {
        let mut project = Project::of(meant(asking(), &[phase("build")]));
        project.deploy("v1");
        project.pause(scope.clone());
        project.approve(1, ann()).unwrap();
        assert_eq!(project.views(1), "NotDeployed/Queued | Queued | Queued");
        assert_eq!(project.due(), "");
        assert!(project.why(1).ends_with("paused: by olga: stock-taking"), "{}", project.why(1));
        project.resume(scope);
        assert_eq!(project.due(), "1 Run(0)");
    }
}

/// Whoever is woken to approve knows before that nothing will start.
#[test]
fn a_pause_is_told_while_people_are_asked() {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    project.deploy("v1");
    project.pause(prod());
    expect![[r#"
        approval: Pre, 1 of none; given by none; not rita, tom; in time, or Reject
        environment-paused: by olga: stock-taking"#]]
    .assert_eq(&project.why(1));
}

#[test]
fn what_is_approved_in_a_freeze_begins_when_it_ends() {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    project.deploy("v1");
    project.define(Definition { freezes: vec![freeze(FreezeEffect::Deny)], ..meant(asking(), &[phase("build")]) });
    project.approve(1, ann()).unwrap();
    expect!["closed: freeze `sales`: no risk"].assert_eq(&project.why(1));
    project.at(60 * MINUTE - 1);
    assert_eq!(project.due(), "");
    project.at(60 * MINUTE);
    assert_eq!(project.due(), "1 Run(0)");
}

/// Thursday, the first of January 1970.
#[test]
fn what_is_approved_after_hours_begins_in_the_morning() {
    let window = json!({ "days": ["thu", "fri"], "from": "00:00", "to": "00:30" });
    let windows = vec![serde_json::from_value(window).unwrap()];
    let availability = Availability { windows, ..Availability::default() };
    let mut project = Project::of(meant(Environment { availability, ..asking() }, &[phase("build")]));
    project.deploy("v1");
    project.at(30 * MINUTE);
    project.approve(1, ann()).unwrap();
    project.at(24 * 60 * MINUTE - 1);
    assert_eq!(project.due(), "");
    project.at(24 * 60 * MINUTE);
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn a_freeze_that_is_taken_back_lets_it_begin() {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    project.deploy("v1");
    project.define(Definition { freezes: vec![freeze(FreezeEffect::Deny)], ..meant(asking(), &[phase("build")]) });
    project.approve(1, ann()).unwrap();
    assert_eq!(project.due(), "");
    project.define(meant(asking(), &[phase("build")]));
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn gates_that_turn_green_in_a_pause_are_not_enough() {
    let gated = Environment { pre_gates: Some(gates()), ..environment() };
    let mut project = Project::of(meant(gated, &[phase("build")]));
    project.deploy("v1");
    project.pause(prod());
    for index in [0, 1] {
        project.answer(1, Step::Gate { of: GatesOf::Pre, index }, passes());
    }
    assert_eq!((project.is(1), project.due()), ("NotDeployed/Queued".to_owned(), String::new()));
    project.resume(prod());
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn who_waits_for_capacity_waits_for_the_end_of_a_pause_then() {
    let limits = ProjectLimits { running: Some(1), workers: None };
    let environments = [("prod", environment()), ("staging", environment())];
    let mut project = Project::of(Definition { limits, ..definition(&environments, workflow(&[phase("build")])) });
    project.trigger(Deploy { environment: name("staging"), ..to_prod("v1") });
    let waiting = project.deploy("v1");
    project.pause(prod());
    project.answer(1, Run(0), done());
    assert_eq!((project.is(waiting), project.due()), ("NotDeployed/Queued".to_owned(), String::new()));
    project.resume(prod());
    assert_eq!(project.due(), format!("{waiting} Run(0)"));
}

#[test]
fn a_plan_is_confirmed_just_before_its_apply_and_not_before_a_pause() {
    let mut project = Project::of(meant(environment(), &[apply("web")]));
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.pause(prod());
    project.answer(1, Confirm(0), plan(&["a"]));
    assert_eq!((project.is(1), project.due()), ("NotDeployed/Queued".to_owned(), String::new()));
    project.resume(prod());
    assert_eq!(project.due(), "1 Confirm(0)");
}

#[test]
fn nothing_goes_live_in_a_pause_also_without_phases() {
    let mut project = Project::of(meant(asking(), &[]));
    project.deploy("v1");
    project.pause(prod());
    project.approve(1, ann()).unwrap();
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
    project.resume(prod());
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

#[test]
fn what_has_begun_goes_on_in_a_pause() {
    let mut project = Project::of(meant(environment(), &[phase("build"), phase("smoke")]));
    project.deploy("v1");
    project.pause(prod());
    project.answer(1, Run(0), done());
    assert_eq!(project.due(), "1 Run(1)");
}

#[test]
fn a_way_back_that_is_approved_in_a_pause_begins() {
    let careful = Environment { rollback_approvals: asks(&[rule(1, &[])]), ..environment() };
    let mut project = Project::of(meant(careful, &[phase("build")]));
    for release in ["v1", "v2"] {
        project.deploy(release);
        project.all_goes_well();
    }
    let back = project.roll_back().unwrap();
    project.pause(prod());
    project.approve(back, ann()).unwrap();
    assert_eq!(project.due(), format!("{back} Run(0)"));
}

#[test]
fn a_way_back_does_not_wait_behind_what_a_pause_has_stopped() {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    for (number, release) in [(1, "v1"), (2, "v2")] {
        project.deploy(release);
        project.approve(number, ann()).unwrap();
        project.all_goes_well();
    }
    let stopped = project.deploy("v3");
    project.pause(prod());
    project.approve(stopped, ann()).unwrap();
    let back = project.roll_back().unwrap();
    assert_eq!(project.due(), format!("{back} Run(0)"));
    project.all_goes_well();
    project.resume(prod());
    assert_eq!(project.due(), format!("{stopped} Run(0)"));
}

#[test]
fn a_way_back_does_not_wait_behind_what_waits_for_capacity_either() {
    let limits = ProjectLimits { running: Some(1), workers: None };
    let environments = [("prod", environment()), ("staging", environment())];
    let mut project = Project::of(Definition { limits, ..definition(&environments, workflow(&[phase("build")])) });
    for release in ["v1", "v2"] {
        project.deploy(release);
        project.all_goes_well();
    }
    let elsewhere = project.trigger(Deploy { environment: name("staging"), ..to_prod("v1") });
    let waiting = project.deploy("v3");
    assert_eq!(project.is(waiting), "NotDeployed/QueuedForPipeline");
    project.pause(prod());
    assert_eq!(project.is(waiting), "NotDeployed/Queued");
    let back = project.roll_back().unwrap();
    project.answer(elsewhere, Run(0), done());
    assert_eq!(project.due(), format!("{back} Run(0)"));
}

/// It had its turn, and they go before everybody.
#[test]
fn what_comes_back_stays_behind_broken_glass_and_ways_back() {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    let first = project.deploy("v1");
    let urgent = project.deploy("v2");
    project.pause(prod());
    project.attempt(Command::BreakGlass { number: urgent, reason: "down".to_owned(), by: person("bob") }).unwrap();
    let last = project.deploy("v3");
    project.approve(first, ann()).unwrap();
    let queue = project.state.environment(&name("prod")).queue.clone();
    assert_eq!(queue.iter().copied().collect::<Vec<_>>(), [urgent, first, last]);
}

#[test]
fn what_comes_back_is_first_and_keeps_what_was_agreed() {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    let first = project.deploy("v1");
    let second = project.deploy("v2");
    project.pause(prod());
    project.approve(first, ann()).unwrap();
    assert_eq!(project.state.environment(&name("prod")).queue.iter().collect::<Vec<_>>(), [&first, &second]);
    project.resume(prod());
    assert_eq!(project.due(), format!("{first} Run(0)"));
    project.all_goes_well();
    assert_eq!(project.is(second), "NotDeployed/Pending");
}

#[test]
fn it_can_be_cancelled_while_it_waits() {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    project.deploy("v1");
    project.pause(prod());
    project.approve(1, ann()).unwrap();
    project.cancel(1).unwrap();
    assert_eq!(project.views(1), "NotDeployed/Canceled | Aborted | Canceled");
}

#[test]
fn broken_glass_opens_a_freeze_for_what_has_its_slot_and_no_pause() {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    project.deploy("v1");
    project.define(Definition { freezes: vec![freeze(FreezeEffect::Deny)], ..meant(asking(), &[phase("build")]) });
    project.approve(1, ann()).unwrap();
    project.pause(prod());
    break_glass(&mut project, person("bob")).unwrap();
    assert_eq!(project.due(), "");
    project.resume(prod());
    assert_eq!(project.due(), "1 Run(0)");
    assert_eq!(project.state.debts[&1].by.person, "bob");
}

// ---- freezes that ask for more people ----

/// Agreed to by `given`, and then a freeze comes.
fn agreed_before(given: Actor) -> Project {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    project.deploy("v1");
    project.pause(prod());
    project.approve(1, given).unwrap();
    project.define(Definition { freezes: vec![freeze(security())], ..meant(asking(), &[phase("build")]) });
    project
}

#[test]
fn a_freeze_that_has_come_since_asks_its_people_before_anything_begins() {
    let mut project = agreed_before(ann());
    project.resume(prod());
    assert_eq!(project.is(1), "NotDeployed/Pending");
    expect!["approval: Pre, 1 of security; given by ann; not ann, rita, tom; in time, or Reject"]
        .assert_eq(&project.why(1));
    project.approve(1, sue()).unwrap();
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn nobody_agrees_for_two_rules() {
    let mut project = agreed_before(sue());
    project.resume(prod());
    let why = project.why(1);
    expect!["approval: Pre, 1 of security; given by sue; not rita, sue, tom; in time, or Reject"].assert_eq(&why);
    project.approve(1, ann()).unwrap();
    assert_eq!(project.due(), "1 Run(0)");
}

fn asks_security(environment: Environment) -> Project {
    let mut project =
        Project::of(Definition { freezes: vec![freeze(security())], ..meant(environment, &[phase("build")]) });
    project.deploy("v1");
    assert_eq!(project.is(1), "NotDeployed/Pending");
    project
}

#[test]
fn broken_glass_stands_for_the_people_of_a_freeze() {
    let mut project = asks_security(environment());
    break_glass(&mut project, person("bob")).unwrap();
    assert_eq!(project.due(), "1 Run(0)");
    assert_eq!(project.state.debts[&1].by.person, "bob");
}

#[test]
fn broken_glass_does_not_stand_for_the_people_of_the_environment() {
    let mut project = asks_security(asking());
    break_glass(&mut project, person("bob")).unwrap();
    expect!["approval: Pre, 1 of none; given by none; not rita, tom; in time, or Reject"].assert_eq(&project.why(1));
    project.approve(1, ann()).unwrap();
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn who_has_agreed_before_the_glass_was_broken_need_not_do_so_again() {
    let mut project = asks_security(asking());
    project.approve(1, ann()).unwrap();
    assert_eq!(project.is(1), "NotDeployed/Pending");
    break_glass(&mut project, person("bob")).unwrap();
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn a_freeze_that_has_ended_asks_nobody_any_more() {
    let mut project = asks_security(environment());
    project.at(60 * MINUTE - 1);
    assert_eq!(project.due(), "");
    project.at(60 * MINUTE);
    assert_eq!(project.due(), "1 Run(0)");

    let mut project = asks_security(asking());
    project.approve(1, ann()).unwrap();
    assert_eq!(project.is(1), "NotDeployed/Pending");
    project.at(60 * MINUTE);
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn who_was_refused_in_a_freeze_stays_so_after_it() {
    let mut project = asks_security(environment());
    project.reject(1, sue()).unwrap();
    project.at(60 * MINUTE);
    assert_eq!(project.is(1), "NotDeployed/Rejected");
}

#[test]
fn a_freeze_that_is_taken_back_or_made_asks_others_at_once() {
    let mut project = asks_security(environment());
    project.define(meant(environment(), &[phase("build")]));
    assert_eq!(project.due(), "1 Run(0)");

    let mut project = Project::of(meant(asking(), &[phase("build")]));
    project.deploy("v1");
    project.define(Definition { freezes: vec![freeze(security())], ..meant(asking(), &[phase("build")]) });
    expect!["approval: Pre, 1 of none and 1 of security; given by none; not rita, tom; in time, or Reject"]
        .assert_eq(&project.why(1));
}

/// In the last minute somebody else is asked, who has all the time; who was asked before has what was left.
#[test]
fn only_who_was_not_asked_before_has_time_of_their_own() {
    let mut project = Project::of(meant(asking(), &[phase("build")]));
    project.deploy("v1");
    let deadline = |project: &Project| project.deployment(1).attempt.approval.as_ref().unwrap().deadline;
    let first = deadline(&project);
    project.at(10 * MINUTE);
    let later = Freeze { period: period("1970-01-02T00:00", "1970-01-03T00:00"), ..freeze(security()) };
    project.define(Definition { freezes: vec![later], ..meant(asking(), &[phase("build")]) });
    assert_eq!(deadline(&project), first);
    project.define(Definition { freezes: vec![freeze(security())], ..meant(asking(), &[phase("build")]) });
    assert_eq!(deadline(&project).ms_since(first), 10 * 60 * 1000);
}

/// Whoever overruled the gates has done so, whatever freeze comes after it.
#[test]
fn who_overruled_the_gates_need_not_do_so_again_for_a_freeze() {
    let approvals = ApprovalPolicy { order: ApprovalOrder::AfterGatesAlways, ..asks(&[rule(2, &[])]) };
    let gated = Environment { approvals, pre_gates: Some(gates()), ..environment() };
    let mut project = Project::of(meant(gated.clone(), &[phase("build")]));
    project.deploy("v1");
    for index in [0, 1] {
        project.answer(1, Step::Gate { of: GatesOf::Pre, index }, verdict(Decision::Fail, "errors"));
    }
    project.at(HOUR as i64 / 1000);
    project.approve(1, ann()).unwrap();
    let later = Freeze { period: period("1970-01-03T00:00", "1970-01-04T00:00"), ..freeze(security()) };
    project.define(Definition { freezes: vec![later], ..meant(gated, &[phase("build")]) });
    let given = &project.deployment(1).attempt.approval.as_ref().unwrap().given;
    assert_eq!(given.iter().map(|signature| signature.by.person.as_str()).collect::<Vec<_>>(), ["ann"]);
}

#[test]
fn a_freeze_that_begins_while_people_are_asked_asks_its_own_as_well() {
    let later = Freeze { period: period("1970-01-01T00:10", "1970-01-01T01:00"), ..freeze(security()) };
    let mut project = Project::of(Definition { freezes: vec![later], ..meant(asking(), &[phase("build")]) });
    project.deploy("v1");
    project.at(10 * MINUTE);
    expect!["approval: Pre, 1 of none and 1 of security; given by none; not rita, tom; in time, or Reject"]
        .assert_eq(&project.why(1));
}

#[test]
fn where_approvals_are_off_a_freeze_that_asks_for_more_stops_everything() {
    let frozen = |meant: Definition| Definition { freezes: vec![freeze(security())], ..meant };
    let of_project = Definition { approvals_off: true, ..meant(environment(), &[phase("build")]) };
    let of_environment = meant(Environment { approvals_off: true, ..environment() }, &[phase("build")]);
    for meant in [of_project, of_environment] {
        let mut project = Project::of(frozen(meant));
        project.deploy("v1");
        expect!["closed: freeze `sales`: no risk (it asks for more approvals, and approvals are off here)"]
            .assert_eq(&project.why(1));
        project.at(60 * MINUTE);
        assert_eq!(project.due(), "1 Run(0)");
    }
}
