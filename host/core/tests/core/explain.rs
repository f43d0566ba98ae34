//! Why a deployment waits: everything that is in its way. Who can lift each is said by the server.

use std::collections::BTreeMap;

use expect_test::expect;
use lockgate_core::calendar::{Freeze, FreezeEffect};
use lockgate_core::definition::{
    ApprovalPolicy, Definition, Environment, GateSet, Parallel, Phase, PhaseWork, ProjectLimits, Reaction, Requirement,
};
use lockgate_core::handle::{Deploy, PauseScope};
use lockgate_core::name::Timestamp;
use lockgate_core::work::Step::*;
use serde_json::json;

use crate::project::{Project, blocker_text, to_prod};
use crate::words::*;

fn two(environment: Environment, limits: ProjectLimits, phases: &[Phase]) -> Project {
    let environments = [("prod", environment), ("staging", crate::words::environment())];
    Project::of(Definition { limits, ..definition(&environments, workflow(phases)) })
}

fn to_staging() -> Deploy {
    Deploy { environment: name("staging"), ..to_prod("v1") }
}

fn christmas() -> Freeze {
    let period = json!({ "from": "1970-01-01T00:00", "until": "1970-01-02T00:00", "zone": "UTC" });
    let period = serde_json::from_value(period).unwrap();
    let reason = "everybody is at home".to_owned();
    Freeze { name: name("christmas"), period, effect: FreezeEffect::Deny, reason, environments: [].into() }
}

/// Frozen, paused twice, behind one that runs and one that waits.
fn behind_everything() -> Project {
    let mut project = two(environment(), ProjectLimits::default(), &[phase("build")]);
    let meant = Definition::clone(&project.state.definition);
    project.deploy("v1");
    project.define(Definition { freezes: vec![christmas()], ..meant });
    project.pause(PauseScope::Project);
    project.pause(PauseScope::Environment(name("prod")));
    project.deploy("v2");
    project.deploy("v3");
    project
}

#[test]
fn all_that_is_in_the_way_is_listed_at_once() {
    let project = behind_everything();
    expect![[r#"
        project-paused: by olga: stock-taking
        environment-paused: by olga: stock-taking
        closed: freeze `christmas`: everybody is at home
        slot-taken: 1
        waits-behind: 2"#]]
    .assert_eq(&project.why(3));
}

fn waits_for_capacity(limits: ProjectLimits) -> Project {
    let mut project = two(environment(), limits, &[phase("build")]);
    project.trigger(to_staging());
    project.deploy("v1");
    project
}

fn side_by_side() -> Project {
    let parallel = Parallel { enabled: true, most: 1, with_approvals: true };
    let meant = definition(&[("prod", environment())], workflow(&[apply("web")]));
    let mut project = Project::of(Definition { parallel, ..meant });
    project.select("v1", &[file("a")]);
    project.select("v1", &[file("b")]);
    project
}

fn with(environment: Environment, phases: &[Phase]) -> Project {
    let mut project = two(environment, ProjectLimits::default(), phases);
    project.deploy("v1");
    project
}

fn manual() -> Phase {
    let work = PhaseWork::Manual { instructions: "look at the graphs".to_owned(), groups: texts(&["sre"]) };
    Phase { work, ..phase("look") }
}

fn deferred() -> Project {
    let mut project = with(Environment { approvals: asks(&[rule(1, &[])]), ..environment() }, &[]);
    project.approve_for(1, person("ann"), 600).unwrap();
    project
}

fn locked() -> Project {
    let mut project = with(environment(), &[phase("build")]);
    project.answer(1, Run(0), fails_with("locked"));
    project
}

#[test]
fn every_kind_says_what_it_is_and_until_when() {
    let later = Deploy { not_before: Some(Timestamp(600_000)), ..to_prod("v1") };
    let mut scheduled = two(environment(), ProjectLimits::default(), &[]);
    scheduled.trigger(later);
    let requires = vec![Requirement { environment: name("staging"), for_ms: HOUR }];
    let asking = Environment { post_approvals: asks(&[rule(2, &["dba"])]), ..environment() };
    let gated = Environment { post_gates: Some(GateSet { steady_ms: SECOND, ..gates() }), ..environment() };
    let projects = [
        behind_everything(),
        side_by_side(),
        waits_for_capacity(ProjectLimits { running: Some(1), workers: None }),
        waits_for_capacity(ProjectLimits { running: None, workers: Some(1) }),
        scheduled,
        deferred(),
        with(Environment { requires, ..environment() }, &[]),
        with(asking, &[]),
        with(gated, &[]),
        with(environment(), &[manual()]),
        locked(),
    ];
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    for project in &projects {
        for deployment in project.state.deployments.values() {
            for blocker in lockgate_core::explain::blockers(&project.state, deployment, project.now) {
                let seconds = |at: Option<Timestamp>| at.map_or("?".to_owned(), |at| (at.0 / 1_000).to_string());
                let times = [blocker.until(), blocker.deadline(), blocker.next_look_at()].map(seconds);
                let [until, deadline, next_look] = times;
                let times = format!("until {until}, deadline {deadline}, next look {next_look}");
                let line = format!("{}; {times}", blocker_text(&blocker));
                lines.entry(blocker.code()).or_insert(line);
            }
        }
    }
    let lines: Vec<String> = lines.into_values().collect();
    expect![[r#"
        approval: Post, 2 of dba; given by none; not rita, tom; in time, or Reject; until ?, deadline 3600, next look ?
        asked-again: Run(0): locked; until ?, deadline ?, next look 5
        closed: freeze `christmas`: everybody is at home; until 86400, deadline ?, next look ?
        deferred: v1; until 600, deadline ?, next look ?
        environment-paused: by olga: stock-taking; until ?, deadline ?, next look ?
        gates: Post, not green: errors (unknown), latency (unknown); until ?, deadline 120, next look ?
        manual-intervention: look: look at the graphs; sre; until ?, deadline 60, next look ?
        parallel-limit: 1 at most; until ?, deadline ?, next look ?
        project-paused: by olga: stock-taking; until ?, deadline ?, next look ?
        queued-for-agent: 1 at most; until ?, deadline ?, next look ?
        queued-for-pipeline: 1 at most; until ?, deadline ?, next look ?
        requires: v1 in staging; until ?, deadline ?, next look ?
        scheduled: v1; until 600, deadline ?, next look ?
        slot-taken: 1; until ?, deadline ?, next look ?
        waits-behind: 2; until ?, deadline ?, next look ?"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn whoever_works_or_is_done_waits_for_nothing() {
    let mut project = with(environment(), &[apply("web")]);
    assert_eq!(project.why(1), "");
    project.all_goes_well();
    assert_eq!(project.why(1), "");
}

#[test]
fn who_waits_for_a_limit_that_was_lifted_is_told_no_number() {
    let mut project = waits_for_capacity(ProjectLimits { running: Some(1), workers: None });
    let meant = Definition { limits: ProjectLimits::default(), ..Definition::clone(&project.state.definition) };
    let waiting = project.state.clone();
    project.state.definition = meant.into();
    let blockers = |state| lockgate_core::explain::blockers(state, &waiting.deployments[&2], project.now);
    assert_eq!(blockers(&waiting).iter().map(blocker_text).collect::<String>(), "queued-for-pipeline: 1 at most");
    assert_eq!(blockers(&project.state).iter().map(blocker_text).collect::<String>(), "queued-for-pipeline: no limit");
}

#[test]
fn whoever_lets_it_go_on_unanswered_has_a_time_at_which_it_goes_on() {
    let asked = asks(&[rule(1, &[])]);
    let times = |on_timeout| {
        let approvals = ApprovalPolicy { on_timeout, ..asked.clone() };
        let project = with(Environment { approvals, ..environment() }, &[]);
        let blockers = lockgate_core::explain::blockers(&project.state, &project.state.deployments[&1], project.now);
        (blockers[0].until().is_some(), blockers[0].deadline().is_some())
    };
    let all = [Reaction::Reject, Reaction::Skip, Reaction::Cancel].map(times);
    assert_eq!(all, [(false, true), (true, false), (false, true)]);
}

#[test]
fn what_waits_for_its_time_also_tells_what_it_waits_for_then() {
    let requires = vec![Requirement { environment: name("staging"), for_ms: HOUR }];
    let mut project = two(Environment { requires, ..environment() }, ProjectLimits::default(), &[]);
    let later = project.trigger(Deploy { not_before: Some(Timestamp(90_000_000)), ..to_prod("v1") });
    expect![[r#"
        scheduled: v1
        requires: v1 in staging"#]]
    .assert_eq(&project.why(later));
}
