//! Who must agree, and what their agreement covers.

use expect_test::expect;
use lockgate_core::approval::is_satisfied;
use lockgate_core::definition::{
    ApprovalOrder, ApprovalPolicy, ApprovalRule, Definition, Environment, GateSet, Phase, Reaction,
};
use lockgate_core::deployment::Signature;
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, TryFrom};
use lockgate_core::name::{Actor, Timestamp};
use lockgate_core::release::ApprovedPlugin;
use lockgate_core::work::GatesOf;
use lockgate_core::work::Step::*;

use crate::project::{Project, release};
use crate::words::*;

fn asking(rules: &[ApprovalRule]) -> Environment {
    Environment { approvals: asks(rules), ..environment() }
}

/// Planned, and waiting for people.
fn pending(rules: &[ApprovalRule]) -> Project {
    let mut project = Project::new(asking(rules), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    assert_eq!(project.is(1), "NotDeployed/Pending");
    project
}

#[test]
fn nothing_starts_before_the_quorum_is_there() {
    let mut project = pending(&[rule(2, &[])]);
    project.approve(1, person("ann")).unwrap();
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("NotDeployed/Pending", ""));
    project.approve(1, person("bob")).unwrap();
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("NotDeployed/Approved", "1 Confirm(0)"));
    let given = &project.deployment(1).attempt.approval.as_ref().unwrap().given;
    assert_eq!(
        given.iter().map(|by| (by.by.person.as_str(), by.comment.as_str())).collect::<Vec<_>>(),
        [("ann", "fine"), ("bob", "fine")]
    );
}

#[test]
fn each_rule_needs_its_own_person() {
    let mut project = pending(&[rule(1, &["security"]), rule(1, &["dba"])]);
    project.approve(1, member("ann", &["security", "dba"])).unwrap();
    assert_eq!(project.is(1), "NotDeployed/Pending");
    project.approve(1, member("bob", &["security"])).unwrap();
    assert_eq!(project.is(1), "NotDeployed/Approved");
}

#[test]
fn who_may_not_approve_is_told_why() {
    let mut project = pending(&[rule(2, &["security", "dba"])]);
    let security = |name| member(name, &["security"]);
    project.approve(1, security("ann")).unwrap();
    let mut refusal = |by: Actor| project.approve(1, by).unwrap_err();
    expect!["ann has approved already; another person must"].assert_eq(&refusal(security("ann")));
    expect!["rita created or triggered this release and may not approve it; someone else must"]
        .assert_eq(&refusal(security("rita")));
    expect!["tom created or triggered this release and may not approve it; someone else must"]
        .assert_eq(&refusal(security("tom")));
    expect!["eve is in none of the groups that are asked: dba, security"]
        .assert_eq(&refusal(member("eve", &["sales"])));
}

#[test]
fn who_has_approved_and_would_rather_not_is_told_what_to_do() {
    let mut project = pending(&[rule(2, &[])]);
    project.approve(1, person("ann")).unwrap();
    expect!["ann has approved this and cannot reject it too; `lockgate deployment cancel 1` stops it"]
        .assert_eq(&project.reject(1, person("ann")).unwrap_err());
    project.reject(1, person("bob")).unwrap();
}

#[test]
fn your_own_may_be_approved_where_the_environment_says_so() {
    let approvals = ApprovalPolicy { not_your_own: false, ..asks(&[rule(1, &[])]) };
    let mut project = Project::new(Environment { approvals, ..environment() }, &[phase("build")]);
    project.deploy("v1");
    project.approve(1, person("tom")).unwrap();
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn one_refusal_is_enough() {
    let mut project = pending(&[rule(1, &[])]);
    project.reject(1, person("ann")).unwrap();
    assert_eq!(project.is(1), "NotDeployed/Rejected");
    expect!["approval: ann refused: not on a Friday"].assert_eq(&project.failure(1));
    let refusal = project.approve(1, person("bob")).unwrap_err();
    expect!["deployment 1 is over, and stays as it ended: `lockgate deployment show 1` says how"].assert_eq(&refusal);
}

#[test]
fn silence_is_a_refusal_after_the_time_limit() {
    let mut project = pending(&[rule(1, &[])]);
    project.at(3_599);
    assert_eq!(project.is(1), "NotDeployed/Pending");
    project.at(3_600);
    assert_eq!(project.is(1), "NotDeployed/Rejected");
    expect!["approval: nobody answered in time"].assert_eq(&project.failure(1));
}

#[test]
fn nobody_is_asked_before_the_plan_is_there_to_be_signed() {
    let mut project = Project::new(asking(&[rule(1, &[])]), &[apply("web")]);
    project.deploy("v1");
    let refusal = project.approve(1, person("ann")).unwrap_err();
    expect!["deployment 1 is not waiting for an approval; it is NotDeployed/Queued"].assert_eq(&refusal);
    project.answer(1, Plan(0), plan(&["a"]));
    let deployment = project.deployment(1);
    assert_eq!(deployment.attempt.approval.as_ref().unwrap().plan_digest, deployment.plan_digest());
}

/// Fails after its approval, and is tried again by `by` after the environment's rules became `rules`.
fn retried(rules: &[ApprovalRule], by: Actor, new_plan: &[&str]) -> Project {
    let mut project = pending(&[rule(1, &[])]);
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), fails("disk full"));
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    project.define(definition(&[("prod", asking(rules))], workflow(&[apply("web")])));
    project.try_again(1, TryFrom::FailedPhase, by).unwrap();
    project.answer(1, Plan(0), plan(new_plan));
    project
}

#[test]
fn a_retry_keeps_its_approval_while_the_plan_is_the_same() {
    let project = retried(&[rule(1, &[])], person("tom"), &["a"]);
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("NotDeployed/Approved", "1 Confirm(0)"));
    assert_eq!(project.deployment(1).attempt.approval.as_ref().unwrap().given[0].by.person, "ann");
}

#[test]
fn a_retry_with_another_plan_asks_again() {
    let project = retried(&[rule(1, &[])], person("tom"), &["a", "b"]);
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("NotDeployed/Pending", ""));
    assert!(project.deployment(1).attempt.approval.as_ref().unwrap().given.is_empty());
}

#[test]
fn a_retry_under_stricter_rules_asks_again() {
    let project = retried(&[rule(2, &[])], person("tom"), &["a"]);
    assert_eq!(project.is(1), "NotDeployed/Pending");
}

/// The plan reads the same, but it would be applied elsewhere.
#[test]
fn a_retry_with_another_configuration_asks_again() {
    let mut project = pending(&[rule(1, &[])]);
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), fails("disk full"));
    let mut prod = asking(&[rule(1, &[])]);
    prod.targets.get_mut(&name("web")).unwrap().config = serde_json::json!({ "folder": "elsewhere" });
    project.define(definition(&[("prod", prod)], workflow(&[apply("web")])));
    project.retry(1).unwrap();
    project.answer(1, Plan(0), plan(&["a"]));
    assert_eq!(project.is(1), "NotDeployed/Pending");
}

fn drifted_between_phases() -> Project {
    let optional = Phase { continue_on_error: true, ..apply("web") };
    let mut project = Project::new(asking(&[rule(1, &[])]), &[phase("build"), optional]);
    project.deploy("v1");
    project.answer(1, Plan(1), plan(&["a"]));
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Run(0), done());
    project.answer(1, Confirm(1), plan(&["b"]));
    assert_eq!(project.is(1), "InProgress/ManualInterventionPending");
    project
}

#[test]
fn a_drift_between_phases_is_not_put_off() {
    let mut project = drifted_between_phases();
    expect!["only an approval before the phases can be put off; deployment 1 has begun"]
        .assert_eq(&project.approve_for(1, person("ann"), 600).unwrap_err());
}

/// What people refused was not done, also where the workflow goes on after a failure.
#[test]
fn a_retry_does_again_what_people_refused() {
    let mut project = drifted_between_phases();
    project.reject(1, person("ann")).unwrap();
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    project.retry(1).unwrap();
    assert_eq!(project.due(), "1 Plan(1)");
}

/// The same changes by another plugin are another plan.
#[test]
fn a_retry_with_another_plugin_asks_again() {
    let mut prod = asking(&[rule(1, &[])]);
    let mut staging = environment();
    staging.targets.get_mut(&name("web")).unwrap().plugin = name("disks");
    let define = |prod: &Environment| {
        definition(&[("prod", prod.clone()), ("staging", staging.clone())], workflow(&[apply("web")]))
    };
    let mut project = Project::new(prod.clone(), &[apply("web")]);
    project.define(define(&prod));
    let mut new = release("v9");
    let disks = ApprovedPlugin { digest: Digest::of(b"disks"), ..new.approved[&name("files")].clone() };
    new.approved.insert(name("disks"), disks);
    project.send(Command::CreateRelease(new));
    project.deploy("v9");
    project.answer(1, Plan(0), plan(&["a"]));
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), fails("disk full"));
    prod.targets.get_mut(&name("web")).unwrap().plugin = name("disks");
    project.define(define(&prod));
    project.retry(1).unwrap();
    project.answer(1, Plan(0), plan(&["a"]));
    assert_eq!(project.is(1), "NotDeployed/Pending");
}

/// One of two agreed, the other said no; now one is enough, but the no was never taken back.
#[test]
fn a_refusal_is_not_carried_over_as_an_approval() {
    let mut project = pending(&[rule(2, &[])]);
    project.approve(1, person("ann")).unwrap();
    project.reject(1, person("bob")).unwrap();
    project.define(definition(&[("prod", asking(&[rule(1, &[])]))], workflow(&[apply("web")])));
    project.retry(1).unwrap();
    project.answer(1, Plan(0), plan(&["a"]));
    assert_eq!(project.is(1), "NotDeployed/Pending");
}

#[test]
fn whoever_retries_cannot_have_approved_it() {
    let project = retried(&[rule(1, &[])], person("ann"), &["a"]);
    assert_eq!(project.is(1), "NotDeployed/Pending");
}

#[test]
fn a_redeploy_asks_again_even_for_the_same_plan() {
    let mut project = retried(&[rule(1, &[])], person("tom"), &["a"]);
    project.cancel(1).unwrap();
    project.redeploy(1).unwrap();
    project.answer(1, Plan(0), plan(&["a"]));
    assert_eq!(project.is(1), "NotDeployed/Pending");
}

#[test]
fn an_attempt_keeps_the_rules_it_started_under() {
    let mut project = pending(&[rule(1, &[])]);
    project.define(definition(&[("prod", environment())], workflow(&[apply("web")])));
    assert_eq!(project.is(1), "NotDeployed/Pending");
    project.deploy("v2");
    project.cancel(1).unwrap();
    project.answer(2, Plan(0), plan(&["a"]));
    assert_eq!(project.is(2), "NotDeployed/Approved");
}

/// Every set of up to three rules over three groups, against every set of up to four signers.
#[test]
fn matching_people_to_rules_is_exact() {
    let subsets: Vec<Vec<&str>> = (0..8)
        .map(|bits| {
            ["a", "b", "c"]
                .into_iter()
                .enumerate()
                .filter(|(at, _)| bits >> at & 1 == 1)
                .map(|(_, group)| group)
                .collect()
        })
        .collect();
    let rule_kinds: Vec<ApprovalRule> =
        (1..=2).flat_map(|count| subsets.iter().map(move |groups| rule(count, groups))).collect();
    for rules in up_to(3, rule_kinds.len()) {
        let rules: Vec<ApprovalRule> = rules.iter().map(|&at| rule_kinds[at].clone()).collect();
        let policy = asks(&rules);
        for signers in up_to(4, subsets.len()) {
            let people: Vec<&Vec<&str>> = signers.iter().map(|&at| &subsets[at]).collect();
            let given: Vec<Signature> = people.iter().enumerate().map(|(at, groups)| signature(at, groups)).collect();
            let seats: Vec<&ApprovalRule> =
                rules.iter().flat_map(|rule| std::iter::repeat_n(rule, rule.count as usize)).collect();
            assert_eq!(
                is_satisfied(&policy, &given),
                seats_can_be_filled(&seats, &people, &mut vec![false; people.len()]),
                "{rules:?} {people:?}"
            );
        }
    }
}

#[test]
fn a_rule_that_asks_for_everyone_on_earth_is_cheap_to_refuse() {
    assert!(!is_satisfied(&asks(&[rule(u32::MAX, &[]), rule(u32::MAX, &[])]), &[signature(0, &[])]));
}

/// Tries everyone on every seat.
fn seats_can_be_filled(seats: &[&ApprovalRule], people: &[&Vec<&str>], taken: &mut Vec<bool>) -> bool {
    let Some((seat, rest)) = seats.split_first() else { return true };
    (0..people.len()).any(|at| {
        let fits = seat.groups.is_empty() || people[at].iter().any(|group| seat.groups.contains(*group));
        if taken[at] || !fits {
            return false;
        }
        taken[at] = true;
        let filled = seats_can_be_filled(rest, people, taken);
        taken[at] = false;
        filled
    })
}

fn signature(at: usize, groups: &[&str]) -> Signature {
    Signature { by: member(&format!("p{at}"), groups), at: Timestamp(0), comment: String::new(), not_before: None }
}

/// All combinations of at most `most` of `kinds`, with repetition, in no order.
fn up_to(most: usize, kinds: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    let mut last = all.clone();
    for _ in 0..most {
        let longer = |taken: &Vec<usize>| {
            let taken = taken.clone();
            (taken.last().copied().unwrap_or(0)..kinds).map(move |next| [taken.clone(), vec![next]].concat())
        };
        last = last.iter().flat_map(longer).collect();
        all.extend(last.clone());
    }
    all
}

#[test]
fn what_has_finished_is_not_answered_also_when_it_has_left_the_memory() {
    let mut project = pending(&[rule(1, &[])]);
    project.cancel(1).unwrap();
    let in_memory = project.approve(1, person("ann")).unwrap_err();
    project.state.forget(1, 1);
    assert_eq!(project.approve(1, person("ann")).unwrap_err(), in_memory);
    expect!["deployment 1 is over, and stays as it ended: `lockgate deployment show 1` says how"].assert_eq(&in_memory);
    expect!["there is no deployment 2 in project `shop`; the last one is 1"]
        .assert_eq(&project.approve(2, person("ann")).unwrap_err());
}

// ---- later, not at all, or not needed ----

#[test]
fn an_approval_for_later_makes_room_until_then() {
    let mut project = pending(&[rule(2, &[])]);
    let next = project.deploy("v2");
    project.approve_for(1, person("ann"), 600).unwrap();
    assert_eq!(project.is(1), "NotDeployed/Pending");
    project.approve_for(1, person("bob"), 900).unwrap();
    assert_eq!(project.views(1), "NotDeployed/Deferred | Queued | Scheduled");
    assert_eq!(project.due(), format!("{next} Plan(0)"));
    project.cancel(next).unwrap();
    project.at(899);
    assert_eq!(project.due(), "");
    project.at(900);
    assert_eq!(project.due(), "1 Confirm(0)", "the latest time counts, and nobody is asked again");
    project.all_goes_well();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn only_an_approval_before_the_phases_is_put_off_and_only_to_the_future() {
    let mut project = pending(&[rule(1, &[])]);
    project.at(60);
    expect!["an approval can only be put off to a later time; 1970-01-01T00:01:00Z is past"]
        .assert_eq(&project.approve_for(1, person("ann"), 60).unwrap_err());
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), plan(&["b"]));
    project.approve_for(1, person("ann"), 600).unwrap();
    assert_eq!(project.is(1), "NotDeployed/Deferred", "nothing has begun: it may still wait");
    let post_approvals = asks(&[rule(1, &[])]);
    let mut project = Project::new(Environment { post_approvals, ..environment() }, &[]);
    project.deploy("v1");
    expect!["only an approval before the phases can be put off; deployment 1 has begun"]
        .assert_eq(&project.approve_for(1, person("ann"), 600).unwrap_err());
}

fn reacting(on_reject: Reaction, on_timeout: Reaction) -> Project {
    let approvals = ApprovalPolicy { on_reject, on_timeout, ..asks(&[rule(1, &[])]) };
    let mut project = Project::new(Environment { approvals, ..environment() }, &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project
}

#[test]
fn what_follows_a_no_or_silence_is_the_environments_choice() {
    let rows = [
        (Reaction::Reject, "NotDeployed/Rejected | Rejected | Rejected", "NotDeployed/Rejected | Rejected | Rejected"),
        (
            Reaction::Skip,
            "NotDeployed/Approved | InProgress | InProgress",
            "NotDeployed/Approved | InProgress | InProgress",
        ),
        (Reaction::Cancel, "NotDeployed/Canceled | Aborted | Canceled", "NotDeployed/Canceled | TimedOut | Canceled"),
    ];
    for (reaction, after_a_no, after_silence) in rows {
        let mut project = reacting(reaction, Reaction::Reject);
        project.reject(1, person("ann")).unwrap();
        assert_eq!(project.views(1), after_a_no, "{reaction:?}");
        let mut project = reacting(Reaction::Reject, reaction);
        project.skip_to(3_600);
        project.send(lockgate_core::handle::Command::Tick);
        assert_eq!(project.views(1), after_silence, "{reaction:?}");
    }
}

#[test]
fn what_was_skipped_says_so() {
    let mut project = reacting(Reaction::Skip, Reaction::Skip);
    project.reject(1, person("ann")).unwrap();
    let approval = project.deployment(1).attempt.approval.as_ref().unwrap();
    expect!["ann refused: not on a Friday; the environment lets it go on"]
        .assert_eq(approval.skipped.as_ref().unwrap());
    project.all_goes_well();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn approvals_can_be_off_for_a_project_and_for_an_environment() {
    let prod = asking(&[rule(1, &[])]);
    let off = Environment { approvals_off: true, ..prod.clone() };
    let meant = |prod| definition(&[("prod", prod)], workflow(&[apply("web")]));
    let for_all = Definition { approvals_off: true, ..meant(prod.clone()) };
    for (meant, asked) in [(meant(prod), true), (meant(off), false), (for_all, false)] {
        let mut project = Project::of(meant);
        project.deploy("v1");
        project.answer(1, Plan(0), plan(&["a"]));
        assert_eq!(project.is(1) == "NotDeployed/Pending", asked);
    }
}

// ---- after the phases ----

fn accepted_by_people() -> Project {
    let post_approvals = asks(&[rule(1, &[])]);
    let mut project = Project::new(Environment { post_approvals, ..environment() }, &[phase("build")]);
    project.deploy("v1");
    project.answer(1, Run(0), done());
    assert_eq!(project.views(1), "InProgress/Pending | PendingApproval | InProgress");
    project
}

#[test]
fn nothing_goes_live_before_people_have_accepted_it() {
    let mut project = accepted_by_people();
    let next = project.deploy("v2");
    assert_eq!((project.prod().as_str(), project.due().as_str()), ("live nothing, current nothing, before: ", ""));
    expect!["approval: Post, 1 of none; given by none; not rita, tom; in time, or Reject"].assert_eq(&project.why(1));
    project.approve(1, person("ann")).unwrap();
    assert_eq!(project.views(1), "Succeeded/Approved | Succeeded | Succeeded");
    assert_eq!(project.due(), format!("{next} Run(0)"), "its slot was held until now");
}

#[test]
fn what_people_do_not_accept_has_failed() {
    let mut project = accepted_by_people();
    project.reject(1, person("ann")).unwrap();
    assert_eq!(project.views(1), "Failed/Rejected | Rejected | Rejected");
    project.retry(1).unwrap();
    assert_eq!(project.views(1), "InProgress/Pending | PendingApproval | InProgress", "the phases are done");
    project.approve(1, person("ann")).unwrap();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn who_cancels_while_people_are_asked_leaves_their_answers_on_the_record() {
    let post_approvals = asks(&[rule(2, &[])]);
    let mut project = Project::new(Environment { post_approvals, ..environment() }, &[]);
    project.deploy("v1");
    project.approve(1, person("ann")).unwrap();
    project.cancel(1).unwrap();
    assert_eq!(project.views(1), "Failed/Canceled | Aborted | Canceled");
    assert_eq!(project.deployment(1).attempt.post_approval.as_ref().unwrap().given.len(), 1);
}

// ---- people and gates ----

fn with_gates(order: ApprovalOrder) -> Project {
    let set = || Some(GateSet { timeout_ms: 5 * SECOND, ..gates() });
    let policy = ApprovalPolicy { order, ..asks(&[rule(1, &[])]) };
    let (approvals, post_approvals) = (policy.clone(), policy);
    let (pre_gates, post_gates) = (set(), set());
    let prod = Environment { approvals, post_approvals, pre_gates, post_gates, ..environment() };
    let mut project = Project::new(prod, &[phase("build")]);
    project.deploy("v1");
    project
}

fn both(project: &mut Project, of: GatesOf, pass: bool) {
    for index in 0..2 {
        project.answer(1, Gate { of, index }, if pass { passes() } else { fails("down") });
    }
    if !pass {
        let end = project.now.0 / 1_000 + 5;
        project.at(end);
    }
}

#[test]
fn usually_people_are_asked_before_the_gates_and_after_those_that_follow() {
    let mut project = with_gates(ApprovalOrder::Usual);
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("NotDeployed/Pending", ""));
    project.approve(1, person("ann")).unwrap();
    both(&mut project, GatesOf::Pre, true);
    project.answer(1, Run(0), done());
    both(&mut project, GatesOf::Post, true);
    project.approve(1, person("ann")).unwrap();
    expect![[r#"
        NotDeployed/Pending
        NotDeployed/EvaluatingGates
        InProgress/PhaseInProgress
        InProgress/EvaluatingGates
        InProgress/Pending
        Succeeded/Approved"#]]
    .assert_eq(&project.went(1));
}

#[test]
fn after_gates_people_are_asked_only_when_the_gates_have_passed() {
    let mut project = with_gates(ApprovalOrder::AfterGates);
    assert_eq!(project.is(1), "NotDeployed/EvaluatingGates");
    both(&mut project, GatesOf::Pre, true);
    assert_eq!(project.is(1), "NotDeployed/Pending");
    let mut project = with_gates(ApprovalOrder::AfterGates);
    both(&mut project, GatesOf::Pre, false);
    assert_eq!(project.views(1), "NotDeployed/GatesFailed | Failed | Rejected");
}

#[test]
fn after_gates_always_a_person_may_overrule_them_before_and_after_the_phases() {
    let mut project = with_gates(ApprovalOrder::AfterGatesAlways);
    both(&mut project, GatesOf::Pre, false);
    assert_eq!(project.views(1), "NotDeployed/GatesFailed | PendingApproval | InProgress");
    expect![[r#"
        gates: Pre, not green: errors (down), latency (down)
        approval: Pre, 1 of none; given by none; not rita, tom; in time, or Reject"#]]
    .assert_eq(&project.why(1));
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Run(0), done());
    both(&mut project, GatesOf::Post, false);
    assert_eq!(project.views(1), "InProgress/GatesFailed | PendingApproval | InProgress");
    project.approve(1, person("ann")).unwrap();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

/// Who approved when the gates were green did not overrule those that are red now.
#[test]
fn an_approval_carries_over_to_a_retry_only_while_the_gates_pass() {
    for (pass, status) in [(true, "InProgress/PhaseInProgress"), (false, "NotDeployed/GatesFailed")] {
        let mut project = with_gates(ApprovalOrder::AfterGatesAlways);
        both(&mut project, GatesOf::Pre, true);
        project.approve(1, person("ann")).unwrap();
        project.answer(1, Run(0), fails("broken"));
        project.retry(1).unwrap();
        both(&mut project, GatesOf::Pre, pass);
        assert_eq!(project.is(1), status);
    }
}

/// A verdict that lapses after the approval, and then another one.
#[test]
fn gates_that_fail_after_the_approval_ask_again() {
    let policy = ApprovalPolicy { order: ApprovalOrder::AfterGatesAlways, ..asks(&[rule(1, &[])]) };
    let pre_gates = Some(GateSet { timeout_ms: 5 * SECOND, ..gates() });
    let prod = Environment { approvals: policy, pre_gates, ..environment() };
    let mut project = Project::new(prod, &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    for index in 0..2 {
        project.answer(1, Gate { of: GatesOf::Pre, index }, passes_for(30_000));
    }
    project.at(20);
    project.approve(1, person("ann")).unwrap();
    project.at(31);
    project.answer(1, Confirm(0), plan(&["a"]));
    assert_eq!(project.is(1), "NotDeployed/EvaluatingGates", "what passed has lapsed");
    both(&mut project, GatesOf::Pre, false);
    assert_eq!(project.is(1), "NotDeployed/GatesFailed");
    project.approve(1, person("ann")).unwrap();
    project.all_goes_well();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

/// They have done their work: to ask them again after people have agreed would be another question.
#[test]
fn gates_after_the_phases_do_not_lapse_while_people_are_asked() {
    let post_approvals = ApprovalPolicy { order: ApprovalOrder::AfterGatesAlways, ..asks(&[rule(1, &[])]) };
    let prod = Environment { post_approvals, post_gates: Some(gates()), ..environment() };
    let mut project = Project::new(prod, &[]);
    project.deploy("v1");
    for index in 0..2 {
        project.answer(1, gate(index), passes_for(5_000));
    }
    project.at(60);
    project.approve(1, person("ann")).unwrap();
    assert_eq!(project.is(1), "Succeeded/Approved");
}
