//! Whose turn it is.

use std::sync::Arc;

use expect_test::expect;
use lockgate_core::definition::{
    ApprovalPolicy, Definition, Environment, Parallel, Phase, ProjectLimits, QueuePolicy, Requirement,
};
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, Deploy, MOST_HELD, MOST_STARTS, MOST_WAITING, NewRelease};
use lockgate_core::name::{DeploymentNumber, Timestamp};
use lockgate_core::plugin::ChangeAction;
use lockgate_core::selection::Selection;
use lockgate_core::state::{REMEMBERED_TRIGGERS, TriggerKey};
use lockgate_core::visits;
use lockgate_core::work::Step::*;
use serde_json::Value;

use crate::project::{Project, release, to_prod};
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
fn an_environment_for_which_something_is_triggered_for_later_is_in_use() {
    let mut project = Project::of(definition(&[("prod", environment()), ("test", environment())], workflow(&[])));
    let to_test = Deploy { environment: name("test"), not_before: Some(Timestamp(1_000)), ..to_prod("v1") };
    project.trigger(to_test);
    let definition = definition(&[("prod", environment())], workflow(&[])).into();
    expect!["environment `test` cannot be removed while deployment 1 is under way there"]
        .assert_eq(&project.attempt(Command::SetDefinition { definition, by: person("olga") }).unwrap_err());
}

#[test]
fn a_definition_that_is_sent_again_changes_nothing() {
    let meant = definition(&[("prod", environment())], workflow(&[]));
    let mut project = Project::of(meant.clone());
    let before = project.events.len();
    project.define(meant);
    assert_eq!(project.events.len(), before);
}

#[test]
fn a_retry_needs_the_targets_that_its_workflow_applies() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), fails("broken"));
    let mut prod = environment();
    prod.targets.remove(&name("web"));
    project.define(definition(&[("prod", prod)], workflow(&[apply("db")])));
    expect!["workflow `full-plan` applies target `web`, which environment `prod` does not have; it has: db"]
        .assert_eq(&project.retry(1).unwrap_err());
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
    let there = Arc::make_mut(project.state.environments.get_mut(&name("prod")).unwrap());
    there.queue = (10..).take(MOST_WAITING).collect();
    let refusal = project.retry(number).unwrap_err();
    expect!["200000 deployments wait in environment `prod`, and no more are taken; try again when some are done"]
        .assert_eq(&refusal);
}

#[test]
fn what_is_put_off_needs_room_beside_the_queue() {
    let prod = Environment {
        approvals: ApprovalPolicy { rules: vec![rule(1, &[])], ..ApprovalPolicy::default() },
        ..environment()
    };
    let mut project = Project::new(prod, &[phase("build")]);
    let number = project.deploy("v1");
    Arc::make_mut(project.state.environments.get_mut(&name("prod")).unwrap()).held =
        (10u64..).take(MOST_HELD).collect();
    let not_before = Some(Timestamp(90_000_000));
    let later = Command::Approve { number, plan: None, comment: String::new(), not_before, by: person("ann") };
    expect!["1000 deployments wait in environment `prod`, and no more are taken; try again when some are done"]
        .assert_eq(&project.attempt(later).unwrap_err());
}

#[test]
fn a_retry_that_would_be_held_needs_room_there_too() {
    let requires = vec![Requirement { environment: name("staging"), for_ms: 0 }];
    let open = definition(&[("prod", environment()), ("staging", environment())], workflow(&[phase("build")]));
    let mut project = Project::of(open.clone());
    let number = project.deploy("v1");
    project.answer(number, Run(0), fails("no access"));
    let prod = Environment { requires, ..environment() };
    project.define(Definition {
        environments: [(name("prod"), prod.into()), (name("staging"), environment().into())].into(),
        ..open
    });
    Arc::make_mut(project.state.environments.get_mut(&name("prod")).unwrap()).held =
        (10u64..).take(MOST_HELD).collect();
    expect!["1000 deployments wait in environment `prod`, and no more are taken; try again when some are done"]
        .assert_eq(&project.retry(number).unwrap_err());
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

/// What a turn looks at, with so many waiting: a new one, a draft that is made active, one that leaves from the middle, an
/// answer, and a place.
fn looked_at(waiting: u64) -> [u64; 5] {
    let mut project = one_apply();
    project.send(Command::CreateRelease(NewRelease { draft: true, ..release("v9") }));
    (0..=waiting).for_each(|_| project.send_only(Command::Deploy(to_prod("v1"))));
    let leaves = Command::Cancel { number: waiting / 2, forced: false, reason: String::new(), by: person("tom") };
    let call = project.call(1, Plan(0));
    let answers = Command::Report { call, answer: fails("no access") };
    let mut so_far = visits::entries();
    let mut since = || visits::entries() - std::mem::replace(&mut so_far, visits::entries());
    [
        (project.send_only(Command::Deploy(to_prod("v1"))), since()).1,
        (project.send_only(Command::ActivateRelease { tag: tag("v9"), by: person("rita") }), since()).1,
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

// ---- policies ----

fn latest() -> Project {
    Project::new(Environment { queue: QueuePolicy::Latest, ..environment() }, &[apply("web")])
}

#[test]
fn where_only_the_latest_counts_a_newer_one_takes_the_place_of_those_that_wait() {
    let mut project = latest();
    let [running, older, newer] = ["v1", "v2", "v3"].map(|release| project.deploy(release));
    assert_eq!(project.is(running), "NotDeployed/Queued", "what runs is left alone");
    assert_eq!(project.views(older), "NotDeployed/Canceled | Stopped | Canceled");
    assert_eq!(project.deployment(older).attempt.superseded_by, Some(newer));
    project.all_goes_well();
    assert_eq!(project.prod(), "live v3, current v3, before: v1");
}

#[test]
fn one_that_is_tried_again_takes_the_place_of_those_that_wait() {
    let mut project = latest();
    let failed = project.deploy("v1");
    project.answer(failed, Plan(0), fails("broken"));
    let (_running, waiting) = (project.deploy("v2"), project.deploy("v3"));
    project.at(1);
    project.retry(failed).unwrap();
    assert_eq!(project.views(waiting), "NotDeployed/Canceled | Stopped | Canceled");
}

#[test]
fn what_waits_for_its_time_is_superseded_too() {
    let prod = Environment { approvals: asks(&[rule(1, &[])]), queue: QueuePolicy::Latest, ..environment() };
    let mut project = Project::new(prod, &[apply("web")]);
    let scheduled = project.trigger(Deploy { not_before: Some(Timestamp(900_000)), ..to_prod("v1") });
    let deferred = project.deploy("v2");
    assert_eq!(project.deployment(scheduled).attempt.superseded_by, Some(deferred));
    project.answer(deferred, Plan(0), plan(&["a"]));
    project.approve_for(deferred, person("ann"), 600).unwrap();
    assert_eq!(project.views(deferred), "NotDeployed/Deferred | Queued | Scheduled");
    let newest = project.deploy("v3");
    assert_eq!(project.deployment(deferred).attempt.superseded_by, Some(newest));
    assert_eq!(project.due(), format!("{newest} Plan(0)"));
}

/// Both were put off, and the older one is back first.
#[test]
fn an_older_one_that_comes_back_does_not_supersede_a_newer_one() {
    let prod = Environment { approvals: asks(&[rule(1, &[])]), ..environment() };
    let meant = |queue| definition(&[("prod", Environment { queue, ..prod.clone() })], workflow(&[]));
    let mut project = Project::of(meant(QueuePolicy::Sequence));
    let (older, newer) = (project.deploy("v1"), project.deploy("v2"));
    project.approve_for(older, person("ann"), 600).unwrap();
    project.approve_for(newer, person("ann"), 900).unwrap();
    project.define(meant(QueuePolicy::Latest));
    project.at(600);
    assert_eq!(project.deployment(older).attempt.superseded_by, Some(newer));
    assert_eq!(project.is(newer), "NotDeployed/Deferred");
}

#[test]
fn nothing_makes_a_rollback_a_custom_one_or_another_selection_needless() {
    let mut project = latest();
    for release in ["v1", "v2", "v3"] {
        project.deploy(release);
        project.all_goes_well();
    }
    project.deploy("v3");
    let custom = Deploy { deployment_type: DeploymentType::Custom, ..to_prod("v3") };
    let mut waiting = vec![project.trigger(custom.clone()), project.trigger(custom)];
    waiting.push(project.select("v3", &[file("a")]));
    waiting.push(project.select("v3", &[file("b")]));
    waiting.push(project.roll_back().unwrap());
    waiting.push(project.roll_back().unwrap());
    assert!(waiting.iter().all(|number| project.is(*number) == "NotDeployed/Queued"));
    let again = project.select("v2", &[file("a")]);
    assert_eq!(project.deployment(waiting[2]).attempt.superseded_by, Some(again));
}

#[test]
fn without_an_order_whatever_changes_something_else_starts() {
    let prod = Environment { queue: QueuePolicy::Unlimited, ..environment() };
    let mut project = Project::new(prod, &[apply("web")]);
    let numbers = ["a", "b", "c"].map(|text| project.select("v1", &[file(text)]));
    let overlapping = project.select("v2", &[file("b")]);
    assert_eq!(project.due(), "1 Plan(0), 2 Plan(0), 3 Plan(0)");
    project.cancel(numbers[1]).unwrap();
    assert_eq!(project.due(), format!("1 Plan(0), 3 Plan(0), {overlapping} Plan(0)"));
}

// ---- side by side ----

fn side_by_side(parallel: Parallel, phases: &[Phase]) -> Project {
    let meant = definition(&[("prod", environment())], workflow(phases));
    Project::of(Definition { parallel, applications: ["api", "site"].map(name).into(), ..meant })
}

fn in_parallel() -> Parallel {
    Parallel { enabled: true, ..Parallel::default() }
}

#[test]
fn selective_deployments_go_one_by_one_unless_the_project_says_otherwise() {
    let mut project = side_by_side(Parallel::default(), &[apply("web")]);
    project.select("v1", &[file("a")]);
    project.select("v1", &[file("b")]);
    assert_eq!(project.due(), "1 Plan(0)");
    assert_eq!(project.why(2), "slot-taken: 1");
}

#[test]
fn what_changes_something_else_goes_side_by_side_and_what_overlaps_waits() {
    let mut project = side_by_side(in_parallel(), &[apply("web")]);
    let [_, _, overlaps, _] = [&[file("a")][..], &[of("api")], &[file("b"), of("site")], &[file("a")]]
        .map(|selections| project.select("v1", selections));
    assert_eq!(project.due(), "1 Plan(0)", "file a could be of the api: all of them overlap");
    project.cancel(1).unwrap();
    assert_eq!(project.due(), "2 Plan(0)", "file b could be of the api, and waits; the last waits behind it");
    project.cancel(overlaps).unwrap();
    project.cancel(4).unwrap();
    let (site, file_b) = (project.select("v1", &[of("site")]), project.select("v2", &[file("b")]));
    assert_eq!(project.due(), format!("2 Plan(0), {site} Plan(0)"));
    project.cancel(2).unwrap();
    project.cancel(site).unwrap();
    assert_eq!(project.due(), format!("{file_b} Plan(0)"));
}

#[test]
fn a_full_one_waits_for_all_and_nobody_passes_it() {
    let mut project = side_by_side(in_parallel(), &[apply("web")]);
    let (first, full) = (project.select("v1", &[file("a")]), project.deploy("v2"));
    let later = project.select("v1", &[file("b")]);
    assert_eq!(project.due(), format!("{first} Plan(0)"));
    assert_eq!(project.why(later), "waits-behind: 2");
    project.cancel(first).unwrap();
    assert_eq!(project.due(), format!("{full} Plan(0)"));
}

#[test]
fn a_phase_that_does_not_say_what_it_locks_writes_everything() {
    let locks = |text: &str| Some([text.to_owned()].into());
    for (one, side_by_side_with_itself) in
        [(phase("index"), false), (Phase { locks: Some([].into()), ..phase("index") }, true)]
    {
        let mut project = side_by_side(in_parallel(), &[apply("web"), one]);
        project.select("v1", &[file("a")]);
        project.select("v1", &[file("b")]);
        assert_eq!(project.due() == "1 Plan(0), 2 Plan(0)", side_by_side_with_itself);
    }
    let mut project = side_by_side(in_parallel(), &[apply("web"), Phase { locks: locks("mail"), ..phase("index") }]);
    project.select("v1", &[file("a")]);
    project.select("v1", &[file("b")]);
    assert_eq!(project.due(), "1 Plan(0)", "both hold the lock");
}

#[test]
fn so_many_and_no_more_go_side_by_side() {
    let mut project = side_by_side(Parallel { most: 2, ..in_parallel() }, &[apply("web")]);
    let [_, _, third] = ["a", "b", "c"].map(|text| project.select("v1", &[file(text)]));
    assert_eq!(project.due(), "1 Plan(0), 2 Plan(0)");
    assert_eq!(project.why(third), "parallel-limit: 2 at most");
    project.cancel(1).unwrap();
    assert_eq!(project.due(), "2 Plan(0), 3 Plan(0)");
}

#[test]
fn with_approvals_they_go_side_by_side_only_where_the_project_lets_them() {
    for (with_approvals, due) in [(true, "1 Plan(0), 2 Plan(0)"), (false, "1 Plan(0)")] {
        let prod = Environment { approvals: asks(&[rule(1, &[])]), ..environment() };
        let meant = definition(&[("prod", prod)], workflow(&[apply("web")]));
        let mut project = Project::of(Definition { parallel: Parallel { with_approvals, ..in_parallel() }, ..meant });
        project.select("v1", &[file("a")]);
        project.select("v1", &[file("b")]);
        assert_eq!(project.due(), due);
    }
}

#[test]
fn a_plan_that_goes_beyond_what_was_selected_is_refused() {
    let mut project = side_by_side(in_parallel(), &[apply("web")]);
    let number = project.select("v1", &[file("a")]);
    project.answer(number, Plan(0), plan(&["a", "b"]));
    assert_eq!(project.is(number), "Failed/PhaseFailed");
    expect!["plan: the plan also changes file b (update), and selected is: file/a; select that too, or deploy the whole as FULL"]
        .assert_eq(&project.failure(number));
}

/// What stays as it is may be anything; what is done to the rest has to be what was selected.
#[test]
fn a_selection_may_name_what_is_done_and_a_plan_may_name_what_is_not_changed() {
    let mut project = side_by_side(in_parallel(), &[apply("web")]);
    let only_update = Selection { action: Some(ChangeAction::Update), ..file("a") };
    let plan_of = |changes: &[(&str, ChangeAction)]| {
        planned(changes.iter().map(|(file, action)| change(file, *action)).collect(), Value::Null)
    };
    let number = project.select("v1", std::slice::from_ref(&only_update));
    project.answer(number, Plan(0), plan_of(&[("a", ChangeAction::Update), ("b", ChangeAction::NoOp)]));
    assert_eq!(project.due(), format!("{number} Confirm(0)"));
    project.stop(number).unwrap();
    let number = project.select("v1", &[only_update]);
    project.answer(number, Plan(0), plan_of(&[("a", ChangeAction::Create)]));
    expect!["plan: the plan also changes file a (create), and selected is: file/a (update); select that too, or deploy the whole as FULL"]
        .assert_eq(&project.failure(number));
}

#[test]
fn selections_are_of_selective_deployments_and_name_what_there_is() {
    let mut project = side_by_side(in_parallel(), &[apply("web")]);
    let mut refusal = |deploy| project.attempt(Command::Deploy(deploy)).unwrap_err();
    let selective = |selections| crate::project::selective("v1", selections);
    expect!["FULL takes no selections; only SELECTIVE does"]
        .assert_eq(&refusal(Deploy { selections: vec![file("a")], ..to_prod("v1") }));
    expect!["SELECTIVE needs at least one selection: an application, a resource type or name; to deploy everything, use FULL"]
        .assert_eq(&refusal(selective(&[])));
    expect!["there is no application `mars` in project `shop`; there are: api, site"]
        .assert_eq(&refusal(selective(&[of("mars")])));
}

#[test]
fn the_same_commands_lead_to_the_same_order() {
    let events = || {
        let mut project = side_by_side(in_parallel(), &[apply("web")]);
        for (release, text) in [("v1", "a"), ("v2", "b"), ("v3", "a"), ("v1", "c")] {
            project.select(release, &[file(text)]);
        }
        project.deploy("v2");
        project.all_goes_well();
        project.events
    };
    assert_eq!(events(), events());
}

// ---- what the project has no more of ----

fn limited(limits: ProjectLimits, environments: &[(&str, Environment)], phases: &[Phase]) -> Project {
    Project::of(Definition { limits, ..definition(environments, workflow(phases)) })
}

fn to_staging(release: &str) -> Deploy {
    Deploy { environment: name("staging"), ..to_prod(release) }
}

#[test]
fn where_enough_deployments_work_the_next_waits_for_the_pipeline() {
    let limits = ProjectLimits { running: Some(1), workers: None };
    let environments = [("prod", environment()), ("staging", environment())];
    let mut project = limited(limits, &environments, &[phase("build"), phase("smoke")]);
    let (first, second) = (project.deploy("v1"), project.trigger(to_staging("v1")));
    assert_eq!(project.due(), format!("{first} Run(0)"));
    assert_eq!(project.views(second), "NotDeployed/QueuedForPipeline | Queued | Queued");
    expect!["queued-for-pipeline: 1 at most"].assert_eq(&project.why(second));
    project.answer(first, Run(0), done());
    assert_eq!(
        project.views(first),
        "InProgress/QueuedForPipeline | InProgress | InProgress",
        "asked again before each phase"
    );
    assert_eq!(project.due(), format!("{second} Run(0)"), "who waits longest is first");
    project.answer(second, Run(0), done());
    assert_eq!(project.due(), format!("{first} Run(1)"));
}

#[test]
fn planning_waits_for_the_pipeline_too() {
    let limits = ProjectLimits { running: Some(1), workers: None };
    let mut project = limited(limits, &[("prod", environment()), ("staging", environment())], &[apply("web")]);
    let (first, second) = (project.deploy("v1"), project.trigger(to_staging("v1")));
    assert_eq!(project.due(), format!("{first} Plan(0)"));
    assert_eq!(project.is(second), "NotDeployed/QueuedForPipeline");
}

#[test]
fn who_waits_for_people_leaves_room_for_others() {
    let limits = ProjectLimits { running: Some(1), workers: None };
    let prod = Environment { approvals: asks(&[rule(1, &[])]), ..environment() };
    let mut project = limited(limits, &[("prod", prod), ("staging", environment())], &[apply("web")]);
    let (first, second) = (project.deploy("v1"), project.trigger(to_staging("v1")));
    project.answer(first, Plan(0), plan(&["a"]));
    assert_eq!(project.is(first), "NotDeployed/Pending");
    assert_eq!(project.due(), format!("{second} Plan(0)"));
}

#[test]
fn where_all_workers_are_busy_the_next_phase_waits_for_one() {
    let limits = ProjectLimits { running: None, workers: Some(1) };
    let environments = [("prod", environment()), ("staging", environment())];
    let mut project = limited(limits, &environments, &[phase("build"), phase("smoke")]);
    let (first, second) = (project.deploy("v1"), project.trigger(to_staging("v1")));
    assert_eq!(project.views(second), "NotDeployed/QueuedForAgent | Queued | Queued");
    project.answer(first, Run(0), done());
    assert_eq!(project.views(first), "InProgress/QueuedForAgent | InProgress | InProgress");
    project.all_goes_well();
    assert_eq!([first, second].map(|number| project.is(number)), ["Succeeded/Approved"; 2]);
}
