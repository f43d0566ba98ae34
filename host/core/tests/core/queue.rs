//! Whose turn it is.

use expect_test::expect;
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, Deploy, MOST_STARTS, MOST_WAITING};
use lockgate_core::name::DeploymentNumber;
use lockgate_core::state::{REMEMBERED_TRIGGERS, TriggerKey};
use lockgate_core::visits;
use lockgate_core::work::Step::*;

use crate::project::{Project, to_prod};
use crate::words::*;

fn one_apply() -> Project {
    Project::new(environment(), &[apply("web")])
}

#[test]
fn deployments_go_one_after_another_in_order() {
    let mut project = one_apply();
    let [first, second, third] = ["v1", "v2", "v3"].map(|release| project.deploy(release));
    assert_eq!(project.due(), "1 Plan(0)");
    let place = |project: &Project, number| project.state.place(project.deployment(number));
    assert_eq!([place(&project, first), place(&project, second), place(&project, third)], [None, Some(1), Some(2)]);

    project.answer(first, Plan(0), plan(&["a"]));
    project.answer(first, Confirm(0), plan(&["a"]));
    project.answer(first, Run(0), done());
    assert_eq!(project.due(), "2 Plan(0)");
    assert_eq!(place(&project, third), Some(1));
    project.all_goes_well();
    assert_eq!([first, second, third].map(|number| project.is(number)), ["Succeeded/Approved"; 3]);
}

#[test]
fn a_failed_deployment_does_not_block_the_next() {
    let mut project = one_apply();
    let (first, second) = (project.deploy("v1"), project.deploy("v2"));
    project.answer(first, Plan(0), fails("no access"));
    assert_eq!(project.is(first), "Failed/PhaseFailed");
    assert_eq!(project.due(), format!("{second} Plan(0)"));
}

#[test]
fn a_queued_deployment_that_is_deleted_leaves_a_record_and_changes_nothing_else() {
    let mut project = one_apply();
    let [first, second, third] = ["v1", "v2", "v3"].map(|release| project.deploy(release));
    project.cancel(second).unwrap();
    assert_eq!(project.is(second), "NotDeployed/Canceled");
    assert_eq!(project.due(), format!("{first} Plan(0)"));
    assert_eq!(project.state.place(project.deployment(third)), Some(1));
}

#[test]
fn a_rollback_goes_to_the_head_of_the_queue() {
    let mut project = one_apply();
    for release in ["v1", "v2"] {
        project.deploy(release);
        project.all_goes_well();
    }
    let (running, waiting) = (project.deploy("v3"), project.deploy("v3"));
    let back = project.roll_back().unwrap();
    assert_eq!(project.state.place(project.deployment(back)), Some(1));
    assert_eq!(project.state.place(project.deployment(waiting)), Some(2));
    project.cancel(running).unwrap();
    assert_eq!(project.due(), format!("{back} Plan(0)"));
}

#[test]
fn environments_do_not_wait_for_each_other() {
    let environments = [("prod", environment()), ("staging", environment())];
    let mut project = Project::of(definition(&environments, workflow(&[phase("build")])));
    project.deploy("v1");
    project.send(Command::Deploy(Deploy { environment: name("staging"), ..to_prod("v2") }));
    assert_eq!(project.due(), "1 Run(0), 2 Run(0)");
}

#[test]
fn a_trigger_with_the_same_key_is_the_same_deployment() {
    let mut project = one_apply();
    let of = |scope: &str, request: &str| {
        let request = Digest::of(request.as_bytes());
        let key = TriggerKey { scope: scope.to_owned(), key: "k1".to_owned(), request };
        Command::Deploy(Deploy { key: Some(key), ..to_prod("v1") })
    };
    project.send(of("ci", "v1 to prod"));
    project.send(of("ci", "v1 to prod"));
    assert_eq!(project.state.last_number, 1);
    let refusal = project.attempt(of("ci", "v2 to prod")).unwrap_err();
    expect!["Idempotency-Key `k1` was used for deployment 1, with another request; use a new key"].assert_eq(&refusal);
    // Somebody else's key of the same name is another key.
    project.send(of("nightly", "v2 to prod"));
    assert_eq!(project.state.last_number, 2);
}

#[test]
fn an_environment_in_use_cannot_be_removed() {
    let mut project = one_apply();
    project.deploy("v1");
    let without = definition(&[("staging", environment())], workflow(&[apply("web")]));
    let refusal =
        project.attempt(Command::SetDefinition { definition: without.clone().into(), by: person("olga") }).unwrap_err();
    expect!["environment `prod` cannot be removed while deployment 1 is under way there"].assert_eq(&refusal);
    project.all_goes_well();
    let refusal =
        project.attempt(Command::SetDefinition { definition: without.clone().into(), by: person("olga") }).unwrap_err();
    expect!["environment `prod` cannot be removed while v1 is live there; take it down first, with a deployment of type DESTROY"]
        .assert_eq(&refusal);
    let flags = Flags { allow_destructive: true, ..Flags::default() };
    project.send(Command::Deploy(Deploy { deployment_type: DeploymentType::Destroy, flags, ..to_prod("v1") }));
    project.all_goes_well();
    project.define(without);
}

#[test]
fn what_does_not_exist_is_named_with_what_does() {
    let mut project = one_apply();
    let mut refusal = |deploy| project.attempt(Command::Deploy(deploy)).unwrap_err();
    expect!["there is no environment `mars` in project `shop`; there are: prod"]
        .assert_eq(&refusal(Deploy { environment: name("mars"), ..to_prod("v1") }));
    expect!["there is no release `v9` in project `shop`; there are: v3, v2, v1"].assert_eq(&refusal(to_prod("v9")));
    expect!["release `v1` has no workflow `fast`; it has: full-plan"]
        .assert_eq(&refusal(Deploy { workflow: Some(name("fast")), ..to_prod("v1") }));
}

/// Otherwise anyone could have a rollback's lighter rules for any release.
#[test]
fn a_rollback_is_never_just_another_deployment_type() {
    let mut project = one_apply();
    let deploy = Deploy { deployment_type: DeploymentType::Rollback, ..to_prod("v1") };
    assert!(project.attempt(Command::Deploy(deploy)).is_err());
}

#[test]
fn what_is_too_much_is_refused() {
    let mut project = one_apply();
    let deploy = Deploy { comment: "x".repeat(17_000), ..to_prod("v1") };
    expect!["the comment's length is 17000; at most 16384 is allowed"]
        .assert_eq(&project.attempt(Command::Deploy(deploy)).unwrap_err());
}

/// And the oldest key of ten thousand is forgotten: a window, not a leak.
#[test]
fn keys_are_remembered_for_a_while() {
    let mut project = one_apply();
    let deploy = |number: usize| {
        let key = TriggerKey { scope: String::new(), key: format!("k{number}"), request: Digest::of(b"v1") };
        Command::Deploy(Deploy { key: Some(key), ..to_prod("v1") })
    };
    for number in 0..=REMEMBERED_TRIGGERS {
        project.send_only(deploy(number));
    }
    assert_eq!(project.state.triggers.len(), REMEMBERED_TRIGGERS);
    assert!(!project.state.triggers.contains_key(" k0") && project.state.triggers.contains_key(" k1"));
}

#[test]
fn a_retry_needs_room_in_the_queue_too() {
    let mut project = one_apply();
    let number = project.deploy("v1");
    project.answer(number, Plan(0), fails("no access"));
    let there = project.state.environments.get_mut(&name("prod")).unwrap();
    there.queue = (10..).take(MOST_WAITING).collect();
    let refusal = project.retry(number).unwrap_err();
    expect!["200000 deployments wait in environment `prod`, and no more are taken; try again when some are done"]
        .assert_eq(&refusal);
}

/// Many that end at once, behind one that does not, in each of two environments.
fn floods(each: usize) -> (Project, [DeploymentNumber; 2]) {
    let environments = [("prod", environment()), ("staging", environment())];
    let mut meant = definition(&environments, workflow(&[phase("build")]));
    meant.workflows.insert(name("nothing"), workflow(&[]).into());
    let mut project = Project::of(meant);
    let of = |environment: &str, workflow: &str, release: &str| {
        Command::Deploy(Deploy { environment: name(environment), workflow: Some(name(workflow)), ..to_prod(release) })
    };
    let mut first_of = |environment| {
        project.send_only(of(environment, "nothing", "v1"));
        project.send_only(of(environment, "full-plan", "v1"));
        let first = project.state.last_number;
        (0..each).for_each(|_| project.send_only(of(environment, "nothing", "v2")));
        first
    };
    let firsts = ["prod", "staging"].map(&mut first_of);
    (project, firsts)
}

fn waiting(project: &Project) -> [usize; 2] {
    ["prod", "staging"].map(|environment| project.state.environment(&name(environment)).queue.len())
}

#[test]
fn a_flood_that_ends_at_once_is_worked_off_in_turns_and_nobody_starves() {
    let (mut project, firsts) = floods(3 * MOST_STARTS);
    for first in firsts {
        project.stop(first).unwrap();
    }
    assert_eq!(waiting(&project), [2 * MOST_STARTS; 2]);
    assert_eq!(project.state.wake_at(), Some(project.state.last_event_at), "the next turn follows at once");
    project.send_only(Command::Tick);
    assert_eq!(waiting(&project), [MOST_STARTS; 2]);
    let newcomer = project.roll_back().unwrap();
    assert_eq!(project.is(newcomer), "Succeeded/Approved", "whoever goes to the head is next");
    assert_eq!(waiting(&project), [1, MOST_STARTS]);
    project.send_only(Command::Tick);
    assert_eq!((waiting(&project), project.state.wake_at()), ([0; 2], None));
}

/// What a turn looks at, with so many waiting: a new one, one that leaves from the middle, an answer, and a place.
fn looked_at(waiting: u64) -> [u64; 4] {
    let mut project = one_apply();
    (0..=waiting).for_each(|_| project.send_only(Command::Deploy(to_prod("v1"))));
    let leaves = Command::Cancel { number: waiting / 2, forced: false, reason: String::new(), by: person("tom") };
    let call = project.call(1, Plan(0));
    let answers = Command::Report { call, answer: fails("no access") };
    let mut so_far = visits::entries();
    let mut since = || visits::entries() - std::mem::replace(&mut so_far, visits::entries());
    [
        (project.send_only(Command::Deploy(to_prod("v1"))), since()).1,
        (project.send_only(leaves), since()).1,
        (project.send_only(answers), since()).1,
        (project.state.place(project.deployment(waiting)), since()).1,
    ]
}

#[test]
fn a_turn_looks_at_no_more_because_more_wait() {
    let [few, many] = [100, 10_000].map(looked_at);
    assert!(few[1..].iter().all(|entries| *entries > 0), "nothing is counted: {few:?}");
    for (few, many) in few.into_iter().zip(many) {
        // A hundred times as many: twice seven halvings more, for the decision and for what everyone sees.
        assert!(many <= few + 14, "{many} entries instead of {few}");
    }
}
