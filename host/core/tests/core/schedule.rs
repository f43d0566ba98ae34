//! What the clock starts, and what keeps deployments from starting: schedules, pauses, windows, freezes, expiry.

use std::sync::Arc;

use expect_test::expect;
use lockgate_core::admission::LOOK_AHEAD;
use lockgate_core::calendar::{Availability, Freeze, FreezeEffect, Schedule, Window};
use lockgate_core::definition::{
    ApprovalOrder, ApprovalPolicy, Definition, Environment, MOST_FREEZES, MOST_WINDOWS, OnFailure, Phase, Requirement,
    Workflow, WorkflowStage,
};
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::environment::TickOutcome;
use lockgate_core::handle::PauseScope;
use lockgate_core::handle::{Command, Deploy, Expiry, MOST_STARTS, MOST_WAITING};
use lockgate_core::name::{Actor, Timestamp};
use lockgate_core::plugin::{ChangeAction, Health, ResourceChange, ResourceState};
use lockgate_core::work::Answer;
use lockgate_core::work::Step::*;
use serde_json::{Value, json};

use crate::project::{Project, to_prod};
use crate::words::*;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

fn every_ten_minutes() -> Option<Schedule> {
    let cadence = json!({ "every": { "count": 10, "unit": "minutes" } });
    Some(serde_json::from_value(json!({ "cadence": cadence, "zone": "UTC" })).unwrap())
}

fn scheduled() -> Project {
    let slow = Phase { timeout_ms: HOUR, ..phase("build") };
    Project::new(Environment { schedule: every_ten_minutes(), ..environment() }, &[slow])
}

/// Minute and outcome of the last ticks.
fn ticks(project: &Project) -> String {
    let line = |tick: &lockgate_core::environment::Tick| {
        let outcome = match &tick.outcome {
            TickOutcome::Deployed { number } => format!("deployment {number}"),
            TickOutcome::Dropped { because } => format!("dropped: {because}"),
            TickOutcome::Skipped { because } => format!("skipped: {because}"),
        };
        format!("{} {outcome}", tick.at.0 / 60_000)
    };
    project.state.environment(&name("prod")).ticks.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_schedule_deploys_the_newest_release_and_drops_what_comes_too_early() {
    let mut project = scheduled();
    project.at(25 * MINUTE);
    assert_eq!(project.deployment(1).release.tag, tag("v3"));
    project.all_goes_well();
    project.at(30 * MINUTE);
    expect![[r#"
        10 deployment 1
        20 dropped: deployment 1 was under way
        30 deployment 2"#]]
    .assert_eq(&ticks(&project));
    assert_eq!(project.deployment(2).triggered_by.person, "olga", "on behalf of whoever wrote the schedule");
}

/// Else they would collect beside the queue, and all start when their release is at last live there.
#[test]
fn a_tick_is_dropped_while_the_last_one_waits_for_its_release_to_be_live_elsewhere() {
    let requires = vec![Requirement { environment: name("staging"), for_ms: 0 }];
    let prod = Environment { requires, schedule: every_ten_minutes(), ..environment() };
    let meant = definition(&[("prod", prod), ("staging", environment())], workflow(&[phase("build")]));
    let mut project = Project::of(meant);
    let by_hand = project.trigger(Deploy { not_before: Some(Timestamp(90_000_000)), ..to_prod("v1") });
    project.at(20 * MINUTE);
    project.cancel(by_hand).unwrap();
    expect![[r#"
        10 deployment 2
        20 dropped: deployment 2 was waiting beside the queue"#]]
    .assert_eq(&ticks(&project));
}

#[test]
fn ticks_of_a_pause_are_skipped_and_not_saved_up() {
    for scope in [PauseScope::Project, PauseScope::Environment(name("prod")), PauseScope::Schedule(name("prod"))] {
        let mut project = scheduled();
        project.pause(scope.clone());
        project.at(25 * MINUTE);
        project.resume(scope);
        assert_eq!(project.state.last_number, 0);
        project.at(30 * MINUTE);
        assert_eq!(project.state.last_number, 1);
    }
    let mut project = scheduled();
    project.pause(PauseScope::Schedule(name("prod")));
    project.at(10 * MINUTE);
    expect!["10 skipped: the schedule is paused by olga: stock-taking"].assert_eq(&ticks(&project));
    project.deploy("v1");
    assert_eq!(project.due(), "1 Run(0)", "triggers by hand go on");
}

#[test]
fn after_a_rollback_no_tick_brings_the_bad_release_back() {
    let mut project = scheduled();
    for release in ["v1", "v3"] {
        project.deploy(release);
        project.all_goes_well();
    }
    project.roll_back().unwrap();
    project.all_goes_well();
    project.at(10 * MINUTE);
    expect!["10 skipped: nothing is deployed here by itself since rollback 3, until somebody releases that"]
        .assert_eq(&ticks(&project));
    project.send(Command::ReleaseHold { environment: name("prod"), by: person("olga") });
    project.at(20 * MINUTE);
    assert_eq!(project.deployment(4).release.tag, tag("v3"));
}

#[test]
fn a_scheduled_deployment_that_waits_is_held_back_by_a_rollback() {
    let mut project = scheduled();
    for release in ["v1", "v2"] {
        project.deploy(release);
        project.all_goes_well();
    }
    project.pause(PauseScope::Environment(name("prod")));
    project.resume(PauseScope::Environment(name("prod")));
    let frozen = Definition {
        freezes: vec![freeze("1970-01-01T00:00", "1970-01-01T01:00", FreezeEffect::Deny)],
        ..Definition::clone(&project.state.definition)
    };
    project.define(frozen);
    project.at(10 * MINUTE);
    let ticked = project.state.last_number;
    assert_eq!(project.is(ticked), "NotDeployed/Queued");
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.views(ticked), "NotDeployed/Canceled | Stopped | Canceled");
}

#[test]
fn everybody_who_waits_is_stopped_before_an_environment_is_torn_down() {
    let mut project = ephemeral();
    project.pause(PauseScope::Environment(name("prod")));
    let waiting: Vec<_> = (0..2 * MOST_STARTS).map(|_| project.deploy("v2")).collect();
    project.at(60 * MINUTE);
    project.at(60 * MINUTE + 1);
    let is_stopped = |number: &u64| project.is(*number) == "NotDeployed/Canceled";
    assert!(waiting.iter().all(is_stopped));
    let teardown = project.state.last_number;
    assert_eq!(project.deployment(teardown).deployment_type, DeploymentType::Destroy);
}

#[test]
fn what_leaves_the_project_file_has_no_plans_any_more() {
    let mut project = scheduled();
    project.define(definition(&[("other", environment())], workflow(&[phase("build")])));
    project.at(10 * MINUTE);
    assert_eq!(ticks(&project), "");
    assert_eq!(project.state.environment(&name("prod")).tick, None);
}

#[test]
fn ticks_that_nobody_was_up_for_are_not_made_up_for() {
    let mut project = scheduled();
    project.skip_to(65 * MINUTE);
    project.send(Command::Tick);
    project.all_goes_well();
    project.at(70 * MINUTE);
    expect![[r#"
        10 deployment 1
        70 deployment 2"#]]
    .assert_eq(&ticks(&project));
}

#[test]
fn a_schedule_of_an_environment_with_an_origin_takes_what_is_live_there() {
    let promotion = lockgate_core::definition::Promotion { from: name("staging"), automatic: false, partial: false };
    let prod = Environment { schedule: every_ten_minutes(), promotion: Some(promotion), ..environment() };
    let mut project = Project::of(definition(&[("prod", prod), ("staging", environment())], workflow(&[])));
    project.at(10 * MINUTE);
    project.trigger(Deploy { environment: name("staging"), ..to_prod("v2") });
    project.at(20 * MINUTE);
    expect![[r#"
        10 skipped: there is no active release to deploy
        20 deployment 2"#]]
    .assert_eq(&ticks(&project));
    assert_eq!(project.prod(), "live v2, current v2, before: ");
}

// ---- pauses ----

fn with_two_live() -> Project {
    let mut project = Project::new(environment(), &[phase("build")]);
    for release in ["v1", "v2"] {
        project.deploy(release);
        project.all_goes_well();
    }
    project
}

#[test]
fn a_pause_lets_what_runs_go_on_and_rollbacks_start_and_the_rest_wait_in_order() {
    for scope in [PauseScope::Project, PauseScope::Environment(name("prod"))] {
        let mut project = with_two_live();
        let running = project.deploy("v3");
        project.pause(scope.clone());
        let waiting = [project.deploy("v1"), project.deploy("v2")];
        project.all_goes_well();
        assert_eq!(project.is(running), "Succeeded/Approved");
        let back = project.roll_back().unwrap();
        assert_eq!(project.due(), format!("{back} Run(0)"));
        project.all_goes_well();
        assert_eq!(waiting.map(|number| project.is(number)), ["NotDeployed/Queued"; 2]);
        project.resume(scope);
        assert_eq!(project.due(), format!("{} Run(0)", waiting[0]));
    }
}

#[test]
fn who_waits_for_a_pause_is_told_by_whom_and_why() {
    let mut project = with_two_live();
    project.pause(PauseScope::Project);
    project.pause(PauseScope::Environment(name("prod")));
    let number = project.deploy("v3");
    expect![[r#"
        project-paused: by olga: stock-taking
        environment-paused: by olga: stock-taking"#]]
    .assert_eq(&project.why(number));
    let mut refusal = |command| project.attempt(command).unwrap_err();
    let (reason, by) = (String::new(), person("tom"));
    expect!["there is a pause in the whole project already, by olga: stock-taking; `lockgate resume` ends that"]
        .assert_eq(&refusal(Command::Pause { scope: PauseScope::Project, reason, by: by.clone() }));
    expect!["nothing is paused in the schedule of environment `prod`; `lockgate pause` would stop deployments there"]
        .assert_eq(&refusal(Command::Resume { scope: PauseScope::Schedule(name("prod")), by }));
}

#[test]
fn who_resumes_an_environment_of_which_only_the_schedule_is_paused_is_told() {
    let mut project = Project::new(environment(), &[phase("build")]);
    project.pause(PauseScope::Schedule(name("prod")));
    let resume = Command::Resume { scope: PauseScope::Environment(name("prod")), by: person("tom") };
    expect!["environment `prod` is not paused, its schedule is: `lockgate resume -e prod --schedule`"]
        .assert_eq(&project.attempt(resume).unwrap_err());
}

// ---- freezes and windows ----

fn freeze(from: &str, until: &str, effect: FreezeEffect) -> Freeze {
    let period = json!({ "from": from, "until": until, "zone": "UTC" });
    Freeze {
        name: name("sales"),
        period: serde_json::from_value(period).unwrap(),
        effect,
        reason: "no risk before Christmas".to_owned(),
        environments: [].into(),
    }
}

/// For the first hour, with v1 and then v2 live since before.
fn frozen(effect: FreezeEffect) -> Project {
    let meant = definition(&[("prod", environment())], workflow(&[phase("build")]));
    let mut project = Project::of(meant.clone());
    for release in ["v1", "v2"] {
        project.deploy(release);
        project.all_goes_well();
    }
    let freezes = vec![freeze("1970-01-01T00:00", "1970-01-01T01:00", effect)];
    project.define(Definition { freezes, ..meant });
    project
}

#[test]
fn a_freeze_starts_nothing_until_it_ends() {
    let mut project = frozen(FreezeEffect::Deny);
    let number = project.deploy("v3");
    expect!["closed: freeze `sales`: no risk before Christmas"].assert_eq(&project.why(number));
    project.at(60 * MINUTE - 1);
    assert_eq!(project.due(), "");
    project.at(60 * MINUTE);
    assert_eq!(project.due(), format!("{number} Run(0)"));
}

#[test]
fn a_rollback_to_what_was_healthy_there_goes_through_a_freeze() {
    let mut project = frozen(FreezeEffect::Deny);
    let waiting = project.deploy("v3");
    let back = project.roll_back().unwrap();
    assert_eq!(project.due(), format!("{back} Run(0)"));
    project.all_goes_well();
    assert_eq!(project.is(waiting), "NotDeployed/Queued");
}

/// What no deployment here applies.
fn seen(version: &str, health: Health) -> Answer {
    Answer::Observed(vec![ResourceState {
        application: String::new(),
        kind: "file".to_owned(),
        name: "b".to_owned(),
        version: version.to_owned(),
        artifact_uri: String::new(),
        weight_percent: 100,
        health,
        details: Value::Null,
    }])
}

/// v1 was; v2 and v3, which came after it, were not.
fn seen_healthy_once() -> Project {
    let mut project = Project::of(definition(&[("prod", environment())], workflow(&[apply("web")])));
    for (release, health) in [("v1", Health::Healthy), ("v2", Health::Degraded), ("v3", Health::Degraded)] {
        let flags = Flags { refresh: true, ..Flags::default() };
        let number = project.trigger(Deploy { flags, ..to_prod(release) });
        project.answer(number, Observe(0), seen(release, health));
        project.all_goes_well();
    }
    project
}

/// As a deployment would, where its people are asked after the gates.
#[test]
fn a_rollback_to_what_was_never_healthy_there_keeps_the_order_of_gates_and_people() {
    for (order, is) in
        [(ApprovalOrder::Usual, "NotDeployed/Pending"), (ApprovalOrder::AfterGates, "NotDeployed/EvaluatingGates")]
    {
        let mut project = seen_healthy_once();
        let approvals = ApprovalPolicy { order, ..asks(&[rule(1, &[])]) };
        let gated = Environment { approvals, pre_gates: Some(gates()), ..environment() };
        project.define(definition(&[("prod", gated)], workflow(&[apply("web")])));
        let back = project.roll_back().unwrap();
        project.answer(back, Plan(0), plan(&["a"]));
        assert_eq!(project.is(back), is);
    }
}

#[test]
fn a_rollback_to_what_was_never_healthy_there_asks_the_people_of_a_freeze() {
    let mut project = seen_healthy_once();
    let effect = FreezeEffect::Stricter { rules: vec![rule(1, &["security"])] };
    let freezes = vec![freeze("1970-01-01T00:00", "1970-01-01T01:00", effect)];
    project.define(Definition { freezes, ..definition(&[("prod", environment())], workflow(&[apply("web")])) });
    for (to, asked) in [("v2", true), ("v1", false)] {
        let back = project.roll_back().unwrap();
        assert_eq!(project.deployment(back).release.tag, tag(to));
        project.answer(back, Plan(0), plan(&["a"]));
        assert_eq!(project.is(back) == "NotDeployed/Pending", asked);
        project.approve(back, member("sue", &["security"])).map_or_else(|_| assert!(!asked), |()| assert!(asked));
        project.all_goes_well();
    }
}

#[test]
fn a_rollback_to_what_was_never_healthy_there_waits_for_the_end_of_a_freeze() {
    let approvals = ApprovalPolicy { rules: vec![rule(1, &[])], ..ApprovalPolicy::default() };
    let meant = definition(&[("prod", Environment { approvals, ..environment() })], workflow(&[apply("web")]));
    let mut project = seen_healthy_once();
    let freezes = vec![freeze("1970-01-01T00:00", "1970-01-01T01:00", FreezeEffect::Deny)];
    project.define(Definition { freezes, ..meant });
    let back = project.roll_back().unwrap();
    assert_eq!(project.deployment(back).release.tag, tag("v2"));
    assert_eq!((project.is(back).as_str(), project.due().as_str()), ("NotDeployed/Queued", ""));
    project.at(60 * MINUTE);
    project.answer(back, Plan(0), plan(&["a"]));
    assert_eq!(project.is(back), "NotDeployed/Pending", "and its people are asked");
}

/// Else a clock would go on ticking until the freeze ends.
#[test]
fn a_door_that_shuts_before_all_who_wait_had_their_turn_is_noted_once() {
    let freezes = vec![freeze("1970-01-01T00:10", "1970-01-01T01:00", FreezeEffect::Deny)];
    let mut project = Project::of(Definition { freezes, ..definition(&[("prod", environment())], workflow(&[])) });
    project.pause(PauseScope::Environment(name("prod")));
    for _ in 0..3 * MOST_STARTS {
        project.deploy("v1");
    }
    project.resume(PauseScope::Environment(name("prod")));
    assert_eq!(project.state.wake_at(), Some(project.now), "the others are next");
    project.now = Timestamp(10 * MINUTE * 1_000);
    project.send(Command::Tick);
    assert_eq!(project.state.wake_at(), Some(Timestamp(60 * MINUTE * 1_000)));
}

#[test]
fn a_freeze_may_ask_for_more_people_instead() {
    let mut project = frozen(FreezeEffect::Stricter { rules: vec![rule(1, &["security"])] });
    let number = project.deploy("v3");
    assert_eq!(project.is(number), "NotDeployed/Pending");
    expect!["approval: Pre, 1 of security; given by none; not rita, tom; in time, or Reject"]
        .assert_eq(&project.why(number));
    project.approve(number, member("ann", &["security"])).unwrap();
    project.all_goes_well();
    let back = project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.is(back), "Succeeded/Approved", "nobody is asked about the way back");
    project.at(60 * MINUTE);
    let number = project.deploy("v3");
    assert_eq!(project.due(), format!("{number} Run(0)"));
}

/// Freezes apply as they are, also to what people agreed to before.
#[test]
fn a_retry_in_a_freeze_asks_for_the_people_of_the_freeze() {
    let prod = Environment { approvals: asks(&[rule(1, &[])]), ..environment() };
    let meant = definition(&[("prod", prod)], workflow(&[phase("build")]));
    let mut project = Project::of(meant.clone());
    let number = project.deploy("v1");
    project.approve(number, person("ann")).unwrap();
    project.answer(number, Run(0), fails("broken"));
    let stricter = FreezeEffect::Stricter { rules: vec![rule(1, &["security"])] };
    let freezes = vec![freeze("1970-01-01T00:00", "1970-01-01T01:00", stricter)];
    project.define(Definition { freezes, ..meant });
    project.retry(number).unwrap();
    assert_eq!(project.is(number), "NotDeployed/Pending");
}

fn break_glass(project: &mut Project, number: u64, by: Actor) -> Result<(), String> {
    project.attempt(Command::BreakGlass { number, reason: "the shop is down".to_owned(), by })
}

fn review(project: &mut Project, number: u64, by: Actor) -> Result<(), String> {
    project.attempt(Command::ReviewDebt { number, comment: "was right".to_owned(), by })
}

#[test]
fn who_breaks_the_glass_goes_first_and_owes_a_review_by_somebody_else() {
    let mut project = frozen(FreezeEffect::Deny);
    let [first, urgent] = ["v1", "v3"].map(|release| project.deploy(release));
    let no_reason = Command::BreakGlass { number: urgent, reason: " ".to_owned(), by: person("ann") };
    expect!["breaking the glass needs a reason: say why, for whoever reads this later"]
        .assert_eq(&project.attempt(no_reason).unwrap_err());
    break_glass(&mut project, urgent, person("ann")).unwrap();
    assert_eq!(project.due(), format!("{urgent} Run(0)"));
    assert_eq!(project.is(first), "NotDeployed/Queued");
    expect!["deployment 4 does not wait to start; it is InProgress/PhaseInProgress"]
        .assert_eq(&break_glass(&mut project, urgent, person("bob")).unwrap_err());
    expect!["ann broke the glass for deployment 4 and may not review it; someone else must"]
        .assert_eq(&review(&mut project, urgent, person("ann")).unwrap_err());
    review(&mut project, urgent, person("bob")).unwrap();
    expect!["deployment 4 owes no review"].assert_eq(&review(&mut project, urgent, person("bob")).unwrap_err());
}

/// It was put off behind the glass: when its time has come, those that the freeze holds back are in nobody's way.
#[test]
fn what_somebody_broke_the_glass_for_goes_first_also_when_it_comes_back() {
    let prod = Environment { approvals: asks(&[rule(1, &[])]), ..environment() };
    let freezes = vec![freeze("1970-01-01T00:00", "1970-01-01T01:00", FreezeEffect::Deny)];
    let meant = definition(&[("prod", prod)], workflow(&[phase("build")]));
    let mut project = Project::of(Definition { freezes, ..meant });
    let urgent = project.deploy("v3");
    break_glass(&mut project, urgent, person("ann")).unwrap();
    project.approve_for(urgent, person("bob"), 600).unwrap();
    for _ in 0..LOOK_AHEAD {
        project.deploy("v1");
    }
    project.at(10 * MINUTE);
    assert_eq!(project.due(), format!("{urgent} Run(0)"));
}

/// The clock has not been looked at since it began: who refuses then has refused, and nobody is asked anew.
#[test]
fn who_refuses_counts_also_where_a_freeze_has_just_begun() {
    let meant = definition(
        &[("prod", Environment { approvals: asks(&[rule(1, &[])]), ..environment() })],
        workflow(&[phase("build")]),
    );
    let rules = vec![rule(2, &[])];
    let freezes = vec![freeze("1970-01-01T00:10", "1970-01-01T01:00", FreezeEffect::Stricter { rules })];
    let mut project = Project::of(Definition { freezes, ..meant });
    let number = project.deploy("v1");
    project.skip_to(10 * MINUTE);
    project.reject(number, person("ann")).unwrap();
    assert_eq!(project.is(number), "NotDeployed/Rejected");
}

#[test]
fn who_breaks_the_glass_is_not_asked_for_the_people_of_another_freeze() {
    let always = |text, effect| Freeze { name: name(text), ..freeze("1970-01-01T00:00", "1970-01-01T01:00", effect) };
    let stricter = FreezeEffect::Stricter { rules: vec![rule(2, &["security"])] };
    let freezes = vec![always("sales", FreezeEffect::Deny), always("audit", stricter)];
    let meant = definition(&[("prod", environment())], workflow(&[phase("build")]));
    let mut project = Project::of(Definition { freezes, ..meant });
    let number = project.deploy("v1");
    break_glass(&mut project, number, person("ann")).unwrap();
    assert_eq!(project.due(), format!("{number} Run(0)"));
}

#[test]
fn broken_glass_opens_no_pause_and_the_first_who_broke_it_stands_for_it() {
    let mut project = frozen(FreezeEffect::Deny);
    project.pause(PauseScope::Project);
    let number = project.deploy("v3");
    break_glass(&mut project, number, person("ann")).unwrap();
    break_glass(&mut project, number, person("bob")).unwrap();
    assert_eq!(project.due(), "");
    assert_eq!(project.state.debts[&number].by.person, "ann");
    assert_eq!(project.deployment(number).break_glass.as_ref().unwrap().by.person, "ann");
}

#[test]
fn a_retry_needs_the_glass_broken_again_and_neither_of_both_may_review() {
    let mut project = frozen(FreezeEffect::Deny);
    let number = project.deploy("v3");
    break_glass(&mut project, number, person("ann")).unwrap();
    project.answer(number, Run(0), fails("broken"));
    project.retry(number).unwrap();
    assert_eq!(project.is(number), "NotDeployed/Queued");
    break_glass(&mut project, number, person("bob")).unwrap();
    assert_eq!(project.due(), format!("{number} Run(0)"));
    project.answer(number, Run(0), fails("broken"));
    project.state.forget(number, 2);
    for by in ["ann", "bob"] {
        assert!(review(&mut project, number, person(by)).is_err(), "{by}");
    }
    review(&mut project, number, person("cat")).unwrap();
}

#[test]
fn deployments_start_within_the_windows_of_their_environment() {
    let window = json!({ "days": ["thu", "fri"], "from": "09:00", "to": "17:00" });
    let availability =
        Availability { windows: vec![serde_json::from_value(window).unwrap()], ..Availability::default() };
    let mut project = Project::new(Environment { availability, ..environment() }, &[phase("build")]);
    project.deploy("v1");
    expect!["closed: outside the hours in which deployments may start"].assert_eq(&project.why(1));
    project.at(9 * 60 * MINUTE - 1);
    assert_eq!(project.due(), "");
    project.at(9 * 60 * MINUTE);
    assert_eq!(project.due(), "1 Run(0)");
    project.skip_to(17 * 60 * MINUTE);
    let late = project.deploy("v2");
    project.send(Command::Tick);
    assert_eq!([1, late].map(|number| project.is(number)), ["Failed/PhaseFailed", "NotDeployed/Queued"]);
    project.at(DAY + 9 * 60 * MINUTE);
    assert_eq!(project.due(), format!("{late} Run(0)"));
}

#[test]
fn a_project_that_nobody_could_look_through_is_refused() {
    let window: Window = serde_json::from_value(json!({ "days": ["thu"], "from": "09:00", "to": "17:00" })).unwrap();
    let with = |windows, freezes| {
        let availability = Availability { windows: vec![window.clone(); windows], ..Availability::default() };
        let freezes = vec![freeze("1970-01-01T00:00", "1970-01-01T01:00", FreezeEffect::Deny); freezes];
        let meant = definition(&[("prod", Environment { availability, ..environment() })], workflow(&[]));
        let problems = Definition { freezes, ..meant }.problems();
        problems.iter().map(|it| format!("{}: {}", it.path, it.message)).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(with(MOST_WINDOWS, MOST_FREEZES), "");
    expect![[r#"
        /environments/prod/availability/windows: there are 101 windows; at most 100 are allowed: remove what is over, or join them
        /freezes: there are 201 freezes; at most 200 are allowed: remove what is over, or join them"#]].assert_eq(&with(MOST_WINDOWS + 1, MOST_FREEZES + 1));
}

#[test]
fn what_is_triggered_for_later_starts_then() {
    let mut project = with_two_live();
    let later = project.trigger(Deploy { not_before: Some(Timestamp(600_000)), ..to_prod("v3") });
    assert_eq!(project.views(later), "NotDeployed/Scheduled | Queued | Scheduled");
    expect!["scheduled: v3"].assert_eq(&project.why(later));
    let before = project.deploy("v1");
    assert_eq!(project.due(), format!("{before} Run(0)"), "it is in nobody's way");
    project.all_goes_well();
    project.at(10 * MINUTE);
    assert_eq!(project.due(), format!("{later} Run(0)"));
    let past = Deploy { not_before: Some(Timestamp(600_000)), ..to_prod("v3") };
    expect!["a deployment can only be put off to a later time; 1970-01-01T00:10:00Z is past"]
        .assert_eq(&project.attempt(Command::Deploy(past)).unwrap_err());
}

// ---- expiry ----

fn ephemeral() -> Project {
    let prod = Environment { expires_after_ms: Some(3_600 * SECOND), ..environment() };
    let mut project = Project::new(prod, &[phase("build")]);
    project.deploy("v1");
    project.all_goes_well();
    project
}

#[test]
fn an_ephemeral_environment_is_torn_down_when_its_time_is_over() {
    let mut project = ephemeral();
    project.at(30 * MINUTE);
    project.deploy("v2");
    project.all_goes_well();
    project.pause(PauseScope::Schedule(name("prod")));
    project.at(60 * MINUTE);
    let teardown = project.state.last_number;
    assert_eq!(project.deployment(teardown).deployment_type, DeploymentType::Destroy);
    assert_eq!(project.deployment(teardown).triggered_by.via, "expiry of prod");
    project.all_goes_well();
    assert_eq!(project.prod(), "live nothing, current nothing, before: v1 v2");
    assert_eq!(project.state.environment(&name("prod")).expires_at, None);
}

#[test]
fn who_waits_when_an_environment_expires_is_stopped() {
    let mut project = ephemeral();
    project.pause(PauseScope::Environment(name("prod")));
    let waiting = project.deploy("v2");
    let scheduled = project.trigger(Deploy { not_before: Some(Timestamp(90_000_000)), ..to_prod("v3") });
    project.at(60 * MINUTE);
    for number in [waiting, scheduled] {
        assert_eq!(project.views(number), "NotDeployed/Canceled | Stopped | Canceled");
    }
}

#[test]
fn a_teardown_that_waits_is_left_to_do_its_work_when_the_time_is_over_again() {
    let mut project = ephemeral();
    project.pause(PauseScope::Environment(name("prod")));
    project.at(60 * MINUTE);
    let teardown = project.state.last_number;
    assert_eq!(project.is(teardown), "NotDeployed/Queued");
    project.send(Command::Expire { environment: name("prod"), when: Expiry::Now, by: person("tom") });
    project.at(61 * MINUTE);
    assert_eq!((project.state.last_number, project.is(teardown)), (teardown, "NotDeployed/Queued".to_owned()));
}

#[test]
fn a_teardown_that_is_refused_says_why_and_is_tried_again() {
    let mut project = ephemeral();
    Arc::make_mut(project.state.environments.get_mut(&name("prod")).unwrap()).queue =
        (10..).take(MOST_WAITING).collect();
    project.at(60 * MINUTE);
    let there = project.state.environment(&name("prod"));
    let refused = there.refused.as_ref().unwrap();
    expect!["the teardown: 200000 deployments wait in environment `prod`, and no more are taken; try again when some are done"].assert_eq(&format!("{}: {}", refused.what, refused.because));
    assert_eq!(there.expires_at, Some(Timestamp(2 * 60 * MINUTE * 1_000)));
    Arc::make_mut(project.state.environments.get_mut(&name("prod")).unwrap()).queue = Default::default();
    project.at(2 * 60 * MINUTE);
    project.all_goes_well();
    assert_eq!(project.prod(), "live nothing, current nothing, before: v1");
    assert_eq!(project.state.environment(&name("prod")).refused, None);
}

#[test]
fn a_teardown_that_failed_or_was_stopped_is_shown_and_tried_again() {
    for stopped in [false, true] {
        let mut project = ephemeral();
        project.at(60 * MINUTE);
        let teardown = project.state.last_number;
        match stopped {
            true => project.stop(teardown).unwrap(),
            false => project.answer(teardown, Run(0), fails("no quota")),
        }
        let there = project.state.environment(&name("prod"));
        let refused = there.refused.clone().unwrap();
        let ended = if stopped { "STOPPED" } else { "FAILED" };
        assert_eq!(
            (refused.what.as_str(), refused.because),
            ("the teardown", format!("deployment {teardown} was to do it, and is {ended}"))
        );
        assert_eq!(there.expires_at, Some(Timestamp(2 * 60 * MINUTE * 1_000)));
        project.at(2 * 60 * MINUTE);
        project.all_goes_well();
        assert_eq!(project.prod(), "live nothing, current nothing, before: v1");
        let there = project.state.environment(&name("prod"));
        assert_eq!((there.refused.as_ref(), there.expires_at), (None, None));
    }
}

fn expire(project: &mut Project, when: Expiry) -> Result<(), String> {
    project.attempt(Command::Expire { environment: name("prod"), when, by: person("tom") })
}

#[test]
fn the_time_of_what_is_being_torn_down_is_not_changed() {
    let mut project = ephemeral();
    project.at(60 * MINUTE);
    let teardown = project.state.last_number;
    expect!["deployment 2 tears `prod` down already; `lockgate deployment cancel 2` stops that, and then its time can be changed"].assert_eq(&expire(&mut project, Expiry::Never).unwrap_err());
    project.stop(teardown).unwrap();
    expire(&mut project, Expiry::Never).unwrap();
    project.retry(teardown).unwrap();
    project.answer(teardown, Run(0), fails("no quota"));
    assert_eq!(project.state.environment(&name("prod")).expires_at, None, "never, whatever fails");
}

#[test]
fn a_teardown_that_waits_is_stopped_where_the_environment_stays() {
    for when in [Expiry::Never, Expiry::At(Timestamp(9_000_000))] {
        let mut project = ephemeral();
        project.pause(PauseScope::Environment(name("prod")));
        project.at(60 * MINUTE);
        let teardown = project.state.last_number;
        expire(&mut project, when).unwrap();
        assert_eq!(project.views(teardown), "NotDeployed/Canceled | Stopped | Canceled");
        let at = if when == Expiry::Never { None } else { Some(Timestamp(9_000_000)) };
        assert_eq!(project.state.environment(&name("prod")).expires_at, at);
    }
}

#[test]
fn what_never_expires_does_not_begin_to_when_something_is_deployed() {
    let mut project = Project::new(ends_after_an_hour(), &[phase("build")]);
    expire(&mut project, Expiry::Never).unwrap();
    project.deploy("v1");
    project.all_goes_well();
    assert_eq!(project.state.environment(&name("prod")).expires_at, None);
}

#[test]
fn what_is_deployed_by_itself_has_the_flags_of_its_environment() {
    let unattended = Flags { allow_destructive: true, ..Flags::default() };
    let mut project =
        Project::new(Environment { schedule: every_ten_minutes(), unattended, ..environment() }, &[phase("build")]);
    project.at(10 * MINUTE);
    assert_eq!(project.deployment(1).flags, unattended);
}

#[test]
fn an_expiry_can_be_put_off_and_taken_back() {
    let mut project = ephemeral();
    let at = |seconds: i64| Expiry::At(Timestamp(seconds * 1_000));
    let expire = |when| Command::Expire { environment: name("prod"), when, by: person("tom") };
    project.send(expire(at(2 * DAY)));
    project.at(DAY);
    assert_eq!(project.prod(), "live v1, current v1, before: ");
    project.send(expire(Expiry::Never));
    project.at(3 * DAY);
    assert_eq!(project.prod(), "live v1, current v1, before: ");
    let mut other = with_two_live();
    expect!["environment `prod` has no expiry to change; `expires_after` in the project file gives it one"]
        .assert_eq(&other.attempt(expire(Expiry::Never)).unwrap_err());
    expect!["nothing can be torn down at 1970-01-02T00:00:00Z, which is past; give a later time, or say that it is over `now`"]
        .assert_eq(&project.attempt(expire(at(DAY))).unwrap_err());
    project.send(expire(Expiry::Now));
    project.send(Command::Tick);
    assert_eq!(project.deployment(project.state.last_number).deployment_type, DeploymentType::Destroy);
}

/// Its time is said by whoever asked last, and begins with its first release only.
#[test]
fn the_time_of_an_ephemeral_environment_is_planned_once() {
    let expires_at = |project: &Project| project.state.environment(&name("prod")).expires_at;
    let expire = |when| Command::Expire { environment: name("prod"), when, by: person("tom") };
    let mut project = ephemeral();
    project.send(expire(Expiry::Never));
    project.deploy("v2");
    project.all_goes_well();
    assert_eq!(expires_at(&project), None, "taken back");
    let prod = Environment { expires_after_ms: Some(HOUR), ..environment() };
    let mut project = Project::new(prod, &[phase("build")]);
    project.send(expire(Expiry::At(Timestamp(7_000_000))));
    project.deploy("v1");
    project.all_goes_well();
    assert_eq!(expires_at(&project), Some(Timestamp(7_000_000)), "said before anything was live");
    project.trigger(Deploy { deployment_type: DeploymentType::Destroy, ..to_prod("v1") });
    project.all_goes_well();
    assert_eq!(expires_at(&project), None, "there is nothing to tear down");
}

#[test]
fn what_becomes_ephemeral_while_it_is_live_expires_so_long_from_then() {
    let mut project = with_two_live();
    project.at(10 * MINUTE);
    let prod = |expires_after_ms| Environment { expires_after_ms, ..environment() };
    for expires_after_ms in [HOUR, 2 * HOUR] {
        project.define(definition(&[("prod", prod(Some(expires_after_ms)))], workflow(&[phase("build")])));
        let expires_at = project.state.environment(&name("prod")).expires_at;
        assert_eq!(expires_at, Some(Timestamp(70 * MINUTE * 1_000)), "who wants another time says so");
    }
}

#[test]
fn an_expiry_that_is_said_twice_tears_down_once() {
    let mut project = ephemeral();
    project.at(60 * MINUTE);
    let teardown = project.state.last_number;
    project.send(Command::Expire { environment: name("prod"), when: Expiry::Now, by: person("tom") });
    project.at(60 * MINUTE + 1);
    assert_eq!(project.state.last_number, teardown);
    project.all_goes_well();
    assert_eq!(project.prod(), "live nothing, current nothing, before: v1");
}

#[test]
fn what_is_not_ephemeral_any_more_does_not_expire() {
    let mut project = ephemeral();
    project.define(definition(&[("prod", environment())], workflow(&[phase("build")])));
    project.at(DAY);
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

// ---- what is left behind ----

/// Two targets, of which the first was applied and the second failed: nothing is live, and half of it is there.
fn half_there(prod: Environment) -> Project {
    let mut project = Project::new(prod, &[apply("web"), apply("db")]);
    project.deploy("v1");
    for phase in [0, 1] {
        project.answer(1, Plan(phase), plan(&["a"]));
    }
    project.at(20);
    project.answer(1, Confirm(0), plan(&["a"]));
    project.at(40);
    project.answer(1, Run(0), fails("no quota"));
    assert_eq!(project.prod(), "live nothing, current v1, before: ");
    project
}

fn ends_after_an_hour() -> Environment {
    Environment { expires_after_ms: Some(HOUR), ..environment() }
}

fn without_prod(project: &mut Project) -> Result<(), String> {
    let definition = definition(&[("staging", environment())], workflow(&[])).into();
    project.attempt(Command::SetDefinition { definition, by: person("olga") })
}

fn destroys(project: &mut Project) {
    let flags = Flags { allow_destructive: true, ..Flags::default() };
    project.trigger(Deploy { deployment_type: DeploymentType::Destroy, flags, ..to_prod("v1") });
    project.all_goes_well();
}

#[test]
fn half_a_deployment_is_torn_down_when_its_time_is_over() {
    let mut project = half_there(ends_after_an_hour());
    project.at(60 * MINUTE + 19);
    assert_eq!(project.state.last_number, 1, "its time began with the first apply");
    project.at(60 * MINUTE + 20);
    assert_eq!(project.deployment(2).deployment_type, DeploymentType::Destroy);
    project.all_goes_well();
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
    without_prod(&mut project).unwrap();
}

#[test]
fn an_environment_is_not_removed_over_what_is_left_there() {
    let refusal = |mut project: Project| {
        let refusal = without_prod(&mut project).unwrap_err();
        destroys(&mut project);
        without_prod(&mut project).unwrap();
        refusal
    };
    expect!["environment `prod` cannot be removed while what v1 began is there; take it down first, with a deployment of type DESTROY"].assert_eq(&refusal(half_there(environment())));
    let meant = definition(&[("prod", environment())], workflow(&[apply("web")]));
    let mut apart = Project::of(Definition { applications: [name("api")].into(), ..meant });
    apart.select("v1", &[of("api")]);
    let of_api = ResourceChange { application: "api".to_owned(), ..change("a", ChangeAction::Update) };
    for step in [Plan(0), Confirm(0)] {
        apart.answer(1, step, planned(vec![of_api.clone()], serde_json::Value::Null));
    }
    apart.answer(1, Run(0), done());
    expect!["environment `prod` cannot be removed while v1 is live for `api` there; take it down first, with a deployment of type DESTROY"].assert_eq(&refusal(apart));
    expect!["environment `prod` cannot be removed while a setup is there; take it down first, with a deployment of type DESTROY"].assert_eq(&refusal(only_set_up(environment())));
}

fn only_set_up(prod: Environment) -> Project {
    let mut meant = definition(&[("prod", prod)], workflow(&[phase("build")]));
    let setup = Workflow { stage: WorkflowStage::Setup, goes_live: false, ..workflow(&[phase("create")]) };
    meant.workflows.insert(name("set-up"), setup.into());
    let mut project = Project::of(meant);
    project.trigger(Deploy { deployment_type: DeploymentType::Launch, ..to_prod("v1") });
    project.all_goes_well();
    project
}

#[test]
fn what_was_only_set_up_is_torn_down_by_the_release_that_did() {
    let mut project = only_set_up(ends_after_an_hour());
    project.at(60 * MINUTE);
    let teardown = project.deployment(2);
    assert_eq!((teardown.deployment_type, &teardown.release.tag), (DeploymentType::Destroy, &tag("v1")));
    project.all_goes_well();
    without_prod(&mut project).unwrap();
}

#[test]
fn the_time_of_what_was_undone_is_over() {
    let meant = Workflow { on_failure: OnFailure::Undo, ..workflow(&[apply("web")]) };
    let mut project = Project::of(definition(&[("prod", ends_after_an_hour())], meant));
    let expires_at = |project: &Project| project.state.environment(&name("prod")).expires_at;
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["a"]));
    assert_eq!(expires_at(&project), Some(Timestamp(HOUR as i64)));
    project.answer(1, Run(0), fails("no quota"));
    project.answer(1, Undo(0), done());
    assert_eq!(expires_at(&project), None);
}
