//! Why a deployment waits: everything that is in its way, and who can lift each.

use std::collections::BTreeMap;

use expect_test::expect;
use lockgate_core::calendar::{Freeze, FreezeEffect};
use lockgate_core::definition::{
    Definition, Environment, GateSet, Parallel, Phase, PhaseWork, ProjectLimits, Requirement,
};
use lockgate_core::handle::{Deploy, PauseScope};
use lockgate_core::name::Timestamp;
use lockgate_core::work::Step::*;
use serde_json::json;

use crate::project::{Project, to_prod};
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
        project-paused: the end of the project's pause, by olga: stock-taking. Lifted by anyone who may deploy: `lockgate resume`
        environment-paused: the end of the environment's pause, by olga: stock-taking. Lifted by anyone who may deploy: `lockgate resume`
        closed: the environment to open: freeze `christmas`: everybody is at home. Lifted by time; or an administrator, with a reason: `lockgate deployment break-glass`
        slot-taken: the end of deployment 1, under way here. Lifted by time; or whoever cancels those deployments
        waits-behind: deployment 2, which is before it. Lifted by time; or whoever cancels those deployments"#]].assert_eq(&project.why(3));
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
fn every_kind_says_what_it_is_who_lifts_it_and_until_when() {
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
                let times = format!("until {}, deadline {}", seconds(blocker.until()), seconds(blocker.deadline()));
                let line = format!("{}; {}; {times}", blocker.message(), blocker.lifted_by());
                lines.entry(blocker.code()).or_insert(line);
            }
        }
    }
    let lines: Vec<String> = lines.into_iter().map(|(code, line)| format!("{code}: {line}")).collect();
    expect![[r#"
        approval: approval after the phases: 2 more of dba; those who are asked: `lockgate deployment approve`; not rita, tom; until ?, deadline 3600
        asked-again: `build` to be asked again: locked; whoever holds or repairs what it needs; it is asked again by itself; until 5, deadline ?
        closed: the environment to open: freeze `christmas`: everybody is at home; time; or an administrator, with a reason: `lockgate deployment break-glass`; until 86400, deadline ?
        deferred: its time: it was approved for later; time; or whoever cancels and deploys again; until 600, deadline ?
        environment-paused: the end of the environment's pause, by olga: stock-taking; anyone who may deploy: `lockgate resume`; until ?, deadline ?
        gates: its gates to be green: errors: not sampled yet; latency: not sampled yet; what the gates measure; or an administrator, with a reason: `lockgate gate ignore`; until ?, deadline 120
        manual-intervention: a person, in phase `look`: look at the graphs; members of sre: `lockgate deployment approve` or `reject`; until ?, deadline 60
        parallel-limit: one of the 1 that go on side by side here to end; time; or whoever writes the project file: `parallel.most`; until ?, deadline ?
        project-paused: the end of the project's pause, by olga: stock-taking; anyone who may deploy: `lockgate resume`; until ?, deadline ?
        queued-for-agent: a free plugin worker: all 1 of the project are busy; time; or whoever writes the project file: `limits`; until ?, deadline ?
        queued-for-pipeline: another deployment of the project to end: 1 work already, and no more may; time; or whoever writes the project file: `limits`; until ?, deadline ?
        requires: release `v1` to have been live and healthy in `staging` for long enough; whoever deploys the release to `staging`; then time; until ?, deadline ?
        scheduled: its time: it was triggered for later; time; or whoever cancels and deploys again; until 600, deadline ?
        slot-taken: the end of deployment 1, under way here; time; or whoever cancels those deployments; until ?, deadline ?
        waits-behind: deployment 2, which is before it; time; or whoever cancels those deployments; until ?, deadline ?"#]].assert_eq(&lines.join("\n"));
}

#[test]
fn whoever_works_or_is_done_waits_for_nothing() {
    let mut project = with(environment(), &[apply("web")]);
    assert_eq!(project.why(1), "");
    project.all_goes_well();
    assert_eq!(project.why(1), "");
}
