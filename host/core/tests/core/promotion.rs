//! From one environment to the next: by hand, by itself, and when not.

use expect_test::expect;
use lockgate_core::definition::{Environment, Phase, Promotion, Requirement};
use lockgate_core::deployment::Flags;
use lockgate_core::environment::EnvironmentChange;
use lockgate_core::handle::{Command, Deploy, MOST_STARTS, PauseScope};
use lockgate_core::name::DeploymentNumber;
use lockgate_core::plugin::{Health, ResourceState};
use lockgate_core::state::What;
use lockgate_core::work::Answer;
use lockgate_core::work::Step::*;

use crate::project::{Project, to_prod};
use crate::words::*;

fn from_staging() -> Promotion {
    Promotion { from: name("staging"), automatic: false, partial: false }
}

fn automatic() -> Promotion {
    Promotion { automatic: true, ..from_staging() }
}

fn two(promotion: Promotion, phases: &[Phase]) -> Project {
    let prod = Environment { promotion: Some(promotion), ..environment() };
    Project::of(definition(&[("prod", prod), ("staging", environment())], workflow(phases)))
}

fn to_staging(project: &mut Project, release: &str) -> DeploymentNumber {
    project.trigger(Deploy { environment: name("staging"), ..to_prod(release) })
}

fn promote(project: &mut Project, from: Option<&str>) -> Result<DeploymentNumber, String> {
    let (environment, from, by) = (name("prod"), from.map(name), person("tom"));
    let flags = Flags { refresh: true, ..Flags::default() };
    project.attempt(Command::Promote { environment, from, flags, comment: String::new(), key: None, by })?;
    Ok(project.state.last_number)
}

#[test]
fn what_is_live_in_one_environment_is_promoted_to_the_next_by_hand() {
    let mut project = two(from_staging(), &[phase("build")]);
    expect!["nothing is live in environment `staging`; deploy a release there first, then promote it"]
        .assert_eq(&promote(&mut project, None).unwrap_err());
    to_staging(&mut project, "v2");
    project.all_goes_well();
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
    expect!["environment `prod` takes releases from `staging` only"]
        .assert_eq(&promote(&mut project, Some("prod")).unwrap_err());
    let number = promote(&mut project, None).unwrap();
    assert!(project.deployment(number).flags.refresh, "as it was asked for");
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: ");
}

#[test]
fn a_release_that_succeeded_goes_on_by_itself_on_behalf_of_whoever_started_it() {
    let mut project = two(automatic(), &[phase("build")]);
    to_staging(&mut project, "v1");
    project.answer(1, Run(0), fails("broken"));
    assert_eq!(project.state.last_number, 1);
    to_staging(&mut project, "v2");
    project.answer(2, Run(0), done());
    let promoted = &project.deployment(3).triggered_by;
    assert_eq!((promoted.person.as_str(), promoted.via.as_str()), ("tom", "promotion from staging"));
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: ");
}

#[test]
fn whoever_triggered_it_there_may_not_approve_it_here() {
    let prod = Environment { promotion: Some(automatic()), approvals: asks(&[rule(1, &[])]), ..environment() };
    let mut project = Project::of(definition(&[("prod", prod), ("staging", environment())], workflow(&[])));
    to_staging(&mut project, "v1");
    assert_eq!(project.is(2), "NotDeployed/Pending");
    assert!(project.approve(2, person("tom")).is_err());
    project.approve(2, person("ann")).unwrap();
}

#[test]
fn what_succeeded_in_part_goes_on_only_where_the_promotion_says_so() {
    for partial in [false, true] {
        let optional = Phase { continue_on_error: true, ..phase("warm") };
        let mut project = two(Promotion { partial, ..automatic() }, &[phase("build"), optional]);
        to_staging(&mut project, "v1");
        project.answer(1, Run(0), done());
        project.answer(1, Run(1), fails("cold"));
        assert_eq!(project.is(1), "PartiallySucceeded/PhasePartiallySucceeded");
        assert_eq!(project.state.last_number, if partial { 2 } else { 1 });
    }
}

#[test]
fn what_is_promoted_by_itself_has_the_flags_of_where_it_goes() {
    let unattended = Flags { allow_destructive: true, ..Flags::default() };
    let prod = Environment { promotion: Some(automatic()), unattended, ..environment() };
    let meant = definition(&[("prod", prod), ("staging", environment())], workflow(&[phase("build")]));
    let mut project = Project::of(meant);
    to_staging(&mut project, "v1");
    project.all_goes_well();
    assert_eq!([1, 2].map(|number| project.deployment(number).flags), [Flags::default(), unattended]);
}

/// v1 and v2 were live, and v2 was rolled back.
fn rolled_back() -> Project {
    let mut project = two(automatic(), &[phase("build")]);
    for release in ["v1", "v2"] {
        to_staging(&mut project, release);
        project.all_goes_well();
    }
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v1, current v1, before: ");
    project
}

#[test]
fn after_a_rollback_nothing_is_promoted_until_somebody_releases_that() {
    let mut project = rolled_back();
    to_staging(&mut project, "v3");
    project.all_goes_well();
    assert_eq!(project.prod(), "live v1, current v1, before: ");
    let hold = project.state.environment(&name("prod")).promotion_hold.clone().unwrap();
    assert_eq!((hold.bad, hold.held_back), (Some(tag("v2")), vec![tag("v3")]));
    let release = Command::ReleaseHold { environment: name("prod"), by: person("olga") };
    project.send(release.clone());
    expect!["environment `prod` holds no promotions back"].assert_eq(&project.attempt(release).unwrap_err());
    to_staging(&mut project, "v3");
    project.all_goes_well();
    assert_eq!(project.prod(), "live v3, current v3, before: v1");
}

#[test]
fn what_waits_to_be_promoted_is_held_back_by_a_rollback() {
    let mut project = two(automatic(), &[phase("build")]);
    for release in ["v1", "v2"] {
        to_staging(&mut project, release);
        project.all_goes_well();
    }
    project.pause(PauseScope::Environment(name("prod")));
    to_staging(&mut project, "v3");
    project.all_goes_well();
    let promoted = project.state.last_number;
    project.roll_back().unwrap();
    project.all_goes_well();
    let hold = project.state.environment(&name("prod")).promotion_hold.clone().unwrap();
    assert_eq!(hold.held_back, [tag("v3")]);
    assert_eq!(project.is(promoted), "NotDeployed/Canceled");
}

#[test]
fn of_many_that_wait_to_be_promoted_none_starts_after_a_rollback() {
    let mut project = two(automatic(), &[]);
    for release in ["v1", "v2"] {
        to_staging(&mut project, release);
    }
    project.pause(PauseScope::Environment(name("prod")));
    for count in 0..2 * MOST_STARTS {
        to_staging(&mut project, ["v1", "v3"][count % 2]);
    }
    assert!(project.state.environment(&name("prod")).queue.len() > MOST_STARTS);
    project.roll_back().unwrap();
    project.resume(PauseScope::Environment(name("prod")));
    while project.state.wake_at().is_some_and(|at| at <= project.now) {
        project.send(Command::Tick);
    }
    assert_eq!(project.state.environment(&name("prod")).queue.len(), 0);
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

/// They are younger than the rollback, which waited for somebody to agree.
#[test]
fn of_many_that_came_while_a_rollback_was_under_way_none_starts_after_it() {
    let rollback_approvals = asks(&[rule(1, &[])]);
    let prod = Environment { promotion: Some(automatic()), rollback_approvals, ..environment() };
    let mut project = Project::of(definition(&[("prod", prod), ("staging", environment())], workflow(&[])));
    for release in ["v1", "v2"] {
        to_staging(&mut project, release);
    }
    let back = project.roll_back().unwrap();
    for count in 0..2 * MOST_STARTS {
        to_staging(&mut project, ["v3", "v2"][count % 2]);
    }
    assert!(project.state.environment(&name("prod")).queue.len() > MOST_STARTS);
    project.approve(back, member("ann", &[])).unwrap();
    while project.state.wake_at().is_some_and(|at| at <= project.now) {
        project.send(Command::Tick);
    }
    assert_eq!(project.state.environment(&name("prod")).queue.len(), 0);
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

#[test]
fn what_came_by_itself_does_not_replace_what_is_newer() {
    let mut project = requiring_by_itself();
    to_staging(&mut project, "v1");
    project.all_goes_well();
    let old = project.state.last_number;
    to_staging(&mut project, "v2");
    project.all_goes_well();
    project.at(3_600);
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: ");
    let (environment, by) = (name("staging"), person("tom"));
    project.send(Command::Rollback { environment, comment: String::new(), key: None, by });
    project.all_goes_well();
    project.at(2 * 3_600);
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: ");
    assert_eq!(project.views(old), "NotDeployed/Canceled | Stopped | Canceled");
}

#[test]
fn what_is_on_its_way_already_is_not_promoted_once_more() {
    let mut project = two(automatic(), &[phase("build")]);
    for _ in 0..2 {
        let staging = to_staging(&mut project, "v1");
        project.answer(staging, Run(0), done());
    }
    let to_prod = project.state.deployments.values().filter(|it| it.environment == name("prod")).count();
    assert_eq!(to_prod, 1);
}

#[test]
fn a_way_back_is_not_promoted() {
    let mut project = two(automatic(), &[phase("build")]);
    for release in ["v1", "v2"] {
        to_staging(&mut project, release);
        project.all_goes_well();
    }
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
    let (environment, by) = (name("staging"), person("tom"));
    project.send(Command::Rollback { environment, comment: String::new(), key: None, by });
    project.all_goes_well();
    assert_eq!(project.prod(), "live v2, current v2, before: v1");
}

#[test]
fn a_second_rollback_does_not_forget_what_the_first_one_held_back() {
    let mut project = two(automatic(), &[phase("build")]);
    for release in ["v1", "v2", "v3"] {
        to_staging(&mut project, release);
        project.all_goes_well();
    }
    project.roll_back().unwrap();
    project.all_goes_well();
    to_staging(&mut project, "v1");
    project.all_goes_well();
    project.roll_back().unwrap();
    project.all_goes_well();
    let hold = project.state.environment(&name("prod")).promotion_hold.clone().unwrap();
    assert_eq!((hold.bad, hold.held_back), (Some(tag("v2")), vec![tag("v1")]));
}

/// It never went live, and is the bad one all the same.
#[test]
fn what_failed_half_way_and_was_rolled_back_is_the_bad_version() {
    let mut project = two(automatic(), &[apply("web")]);
    project.deploy("v1");
    project.all_goes_well();
    let failed = project.deploy("v2");
    project.answer(failed, Plan(0), plan(&["a"]));
    project.answer(failed, Confirm(0), plan(&["a"]));
    project.answer(failed, Run(0), fails("disk full"));
    project.roll_back().unwrap();
    project.all_goes_well();
    assert_eq!(project.state.environment(&name("prod")).promotion_hold.as_ref().unwrap().bad, Some(tag("v2")));
}

#[test]
fn by_hand_a_release_is_promoted_in_spite_of_the_hold() {
    let mut project = rolled_back();
    to_staging(&mut project, "v3");
    project.all_goes_well();
    promote(&mut project, None).unwrap();
    project.all_goes_well();
    assert_eq!(project.prod(), "live v3, current v3, before: v1");
    assert!(project.state.environment(&name("prod")).promotion_hold.is_some(), "v2 has not come back");
}

#[test]
fn the_hold_ends_when_the_bad_version_comes_back() {
    let mut project = rolled_back();
    project.deploy("v2");
    project.all_goes_well();
    assert_eq!(project.state.environment(&name("prod")).promotion_hold, None);
    to_staging(&mut project, "v3");
    project.all_goes_well();
    assert_eq!(project.prod(), "live v3, current v3, before: v1 v2");
}

#[test]
fn a_promotion_that_is_refused_says_so() {
    let mut meant = definition(&[("prod", environment()), ("staging", environment())], workflow(&[]));
    let prod = Environment { promotion: Some(automatic()), workflow: Some(name("gone")), ..environment() };
    meant.environments.insert(name("prod"), prod.into());
    let mut project = Project::of(meant);
    to_staging(&mut project, "v1");
    let refused = project.events.iter().find_map(|event| match &event.what {
        What::Environment { change: EnvironmentChange::PromotionRefused { because, .. }, .. } => Some(because),
        _ => None,
    });
    expect!["release `v1` has no workflow `gone`; it has: full-plan"].assert_eq(refused.unwrap());
    let shown = project.state.environment(&name("prod")).refused.clone().unwrap();
    assert_eq!((shown.what.as_str(), &shown.because), ("the promotion of v1", refused.unwrap()));
}

#[test]
fn releases_are_not_promoted_in_a_circle() {
    let to = |from: &str| Environment {
        promotion: Some(Promotion { from: name(from), ..automatic() }),
        requires: vec![Requirement { environment: name("mars"), for_ms: 0 }],
        ..environment()
    };
    let problems = definition(&[("prod", to("staging")), ("staging", to("prod")), ("test", to("test"))], workflow(&[]));
    let lines: Vec<String> = problems.problems().iter().map(|it| format!("{}: {}", it.path, it.message)).collect();
    expect![[r#"
        /environments/prod/requires/0/environment: there is no environment `mars`; there are: prod, staging, test
        /environments/prod/promotion/from: releases would be promoted in a circle, from `prod` back to `prod`
        /environments/staging/requires/0/environment: there is no environment `mars`; there are: prod, staging, test
        /environments/staging/promotion/from: releases would be promoted in a circle, from `staging` back to `staging`
        /environments/test/requires/0/environment: there is no environment `mars`; there are: prod, staging, test
        /environments/test/promotion/from: an environment cannot wait for itself"#]]
    .assert_eq(&lines.join("\n"));
}

// ---- requires ----

fn requiring(for_ms: u64) -> Project {
    let requires = vec![Requirement { environment: name("staging"), for_ms }];
    let prod = Environment { requires, ..environment() };
    Project::of(definition(&[("prod", prod), ("staging", environment())], workflow(&[apply("web")])))
}

#[test]
fn a_release_has_to_be_live_elsewhere_for_some_time_first() {
    let mut project = requiring(HOUR);
    let number = project.deploy("v1");
    assert_eq!(project.views(number), "NotDeployed/Queued | Queued | Queued");
    expect!["requires: v1 in staging"].assert_eq(&project.why(number));
    project.at(100);
    to_staging(&mut project, "v1");
    project.all_goes_well();
    project.at(3_600 + 99);
    assert_eq!(project.due(), "");
    project.at(3_600 + 100);
    assert_eq!(project.due(), format!("{number} Plan(0)"));
}

#[test]
fn that_it_was_live_there_long_enough_before_is_enough() {
    let mut project = requiring(HOUR);
    to_staging(&mut project, "v1");
    project.all_goes_well();
    project.at(3_600);
    to_staging(&mut project, "v2");
    project.all_goes_well();
    let (old, new) = (project.deploy("v1"), project.deploy("v2"));
    assert_eq!(project.due(), format!("{old} Plan(0)"));
    project.cancel(old).unwrap();
    assert_eq!(project.due(), "");
    project.at(2 * 3_600);
    assert_eq!(project.due(), format!("{new} Plan(0)"));
}

fn seen(health: Health) -> Answer {
    Answer::Observed(vec![ResourceState {
        application: String::new(),
        kind: "file".to_owned(),
        name: "a".to_owned(),
        version: "v1".to_owned(),
        artifact_uri: String::new(),
        weight_percent: 100,
        health,
        details: serde_json::Value::Null,
    }])
}

fn look_at_staging(project: &mut Project, health: Health) {
    let flags = lockgate_core::deployment::Flags { refresh: true, ..Default::default() };
    let number = project.trigger(Deploy { environment: name("staging"), flags, ..to_prod("v2") });
    project.answer(number, Observe(0), seen(health));
    project.cancel(number).unwrap();
}

/// And what waits for a release to be healthy goes on when it is.
fn requiring_by_itself() -> Project {
    let requires = vec![Requirement { environment: name("staging"), for_ms: HOUR }];
    let prod = Environment { promotion: Some(automatic()), requires, ..environment() };
    Project::of(definition(&[("prod", prod), ("staging", environment())], workflow(&[phase("build")])))
}

#[test]
fn a_release_that_is_not_healthy_there_does_not_count() {
    let mut project = requiring(0);
    to_staging(&mut project, "v1");
    project.all_goes_well();
    look_at_staging(&mut project, Health::Degraded);
    let number = project.deploy("v1");
    assert_eq!((project.is(number).as_str(), project.due().as_str()), ("NotDeployed/Queued", ""));
    look_at_staging(&mut project, Health::Healthy);
    assert_eq!(project.due(), format!("{number} Plan(0)"));
}

/// Not the time that it was live and ill, and not two stretches together.
#[test]
fn only_the_time_that_a_release_was_live_and_healthy_counts() {
    let mut project = requiring(HOUR);
    to_staging(&mut project, "v1");
    project.all_goes_well();
    let number = project.deploy("v1");
    project.at(3_000);
    look_at_staging(&mut project, Health::Degraded);
    project.at(3_600);
    assert_eq!(project.due(), "", "it was ill when its hour was over");
    look_at_staging(&mut project, Health::Healthy);
    project.at(3_600 + 3_599);
    assert_eq!(project.due(), "");
    project.at(3_600 + 3_600);
    assert_eq!(project.due(), format!("{number} Plan(0)"));
}

#[test]
fn what_was_live_and_ill_until_it_was_replaced_does_not_count() {
    let mut project = requiring(HOUR);
    to_staging(&mut project, "v1");
    project.all_goes_well();
    look_at_staging(&mut project, Health::Degraded);
    project.at(2 * 3_600);
    to_staging(&mut project, "v2");
    project.all_goes_well();
    let number = project.deploy("v1");
    assert_eq!((project.is(number).as_str(), project.due().as_str()), ("NotDeployed/Queued", ""));
}

#[test]
fn a_way_back_and_a_teardown_require_nothing() {
    let mut project = requiring(0);
    for release in ["v1", "v2"] {
        to_staging(&mut project, release);
        project.deploy(release);
        project.all_goes_well();
    }
    let back = project.roll_back().unwrap();
    assert_eq!(project.due(), format!("{back} Plan(0)"));
}
