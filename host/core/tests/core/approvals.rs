//! Who must agree, and what their agreement covers.

use expect_test::expect;
use lockgate_core::approval::is_satisfied;
use lockgate_core::definition::{ApprovalPolicy, ApprovalRule, Environment};
use lockgate_core::deployment::Signature;
use lockgate_core::handle::TryFrom;
use lockgate_core::name::{Actor, Timestamp};
use lockgate_core::work::Step::*;

use crate::project::Project;
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
    expect!["deployment 1 has finished; a finished deployment stays as it ended, but `retry` starts a new attempt"]
        .assert_eq(&refusal);
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
    expect!["deployment 1 has finished; a finished deployment stays as it ended, but `retry` starts a new attempt"]
        .assert_eq(&in_memory);
    expect!["there is no deployment 2 in project `shop`; the last one is 1"]
        .assert_eq(&project.approve(2, person("ann")).unwrap_err());
}
