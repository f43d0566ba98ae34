//! Who may approve, and whether enough did. Rules are a matching problem, solved exactly.

use std::collections::{BTreeMap, BTreeSet};

use crate::definition::{ApprovalPolicy, ApprovalRule};
use crate::deployment::{Approval, Deployment, Signature};
use crate::digest::Digest;
use crate::name::{Actor, Timestamp};
use crate::plugin::{Planned, ResourceChange};

pub(crate) fn request(
    deployment: &Deployment,
    policy: ApprovalPolicy,
    plan_digest: Digest,
    now: Timestamp,
) -> Approval {
    Approval {
        plan_digest,
        requested_at: now,
        deadline: now.plus_ms(policy.timeout_ms),
        policy,
        rules_until: None,
        given: Vec::new(),
        refused: None,
        skipped: None,
        difference: deployment.attempt.last_difference.clone(),
    }
}

/// Whether an earlier attempt's approval is enough for this one: its rules may be stricter by now, and whoever
/// started it has become one of those who may not approve it.
pub(crate) fn still_holds(deployment: &Deployment, approval: &Approval, policy: &ApprovalPolicy) -> bool {
    approval.refused.is_none() && is_satisfied(policy, &counting(deployment, approval, policy))
}

/// Who has agreed and may have.
pub(crate) fn counting(deployment: &Deployment, approval: &Approval, policy: &ApprovalPolicy) -> Vec<Signature> {
    let may_count = |signature: &&Signature| !(policy.not_your_own && is_own(deployment, &signature.by));
    approval.given.iter().filter(may_count).cloned().collect()
}

fn is_own(deployment: &Deployment, actor: &Actor) -> bool {
    own(deployment).any(|person| person == actor.person)
}

/// Whose own it is: those who made the release, triggered it, or started the attempt.
fn own(deployment: &Deployment) -> impl Iterator<Item = &str> {
    let started = [&deployment.release.created_by, &deployment.triggered_by, &deployment.attempt.started_by];
    started.map(|by| by.person.as_str()).into_iter().chain(deployment.release.involved.iter().map(String::as_str))
}

/// Who may not answer any more, whatever their groups: those whose own it is, and those who have approved.
pub fn excluded<'a>(deployment: &'a Deployment, approval: &'a Approval) -> BTreeSet<&'a str> {
    let given = approval.given.iter().map(|signature| signature.by.person.as_str());
    given.chain(own(deployment).filter(|_| approval.policy.not_your_own)).collect()
}

/// What is still asked for, rule by rule: a rule is filled as far as it can be, beside those before it.
pub fn open(policy: &ApprovalPolicy, given: &[Signature]) -> Vec<ApprovalRule> {
    let mut filled = ApprovalPolicy { rules: Vec::new(), ..policy.clone() };
    let mut open = Vec::new();
    for rule in &policy.rules {
        let with = |count| ApprovalRule { count, groups: rule.groups.clone() };
        let mut count = 0;
        filled.rules.push(with(0));
        // At most as many rounds as people have answered, whatever count somebody typed.
        while count < rule.count {
            let last = filled.rules.len() - 1;
            filled.rules[last] = with(count + 1);
            if !is_satisfied(&filled, given) {
                filled.rules[last] = with(count);
                open.push(with(rule.count - count));
                break;
            }
            count += 1;
        }
    }
    open
}

/// Why this person may not answer, if they may not. The one check for every way in.
pub fn objection(deployment: &Deployment, approval: &Approval, actor: &Actor) -> Option<String> {
    let policy = &approval.policy;
    if policy.not_your_own && is_own(deployment, actor) {
        return Some(format!(
            "{} created or triggered this release and may not approve it; someone else must",
            actor.person
        ));
    }
    if approval.has_approved(actor) {
        return Some(format!("{} has approved already; another person must", actor.person));
    }
    if !policy.rules.iter().any(|rule| fits(rule, &actor.groups)) {
        let groups = policy.rules.iter().flat_map(|rule| &rule.groups);
        return Some(format!(
            "{} is in none of the groups that are asked: {}",
            actor.person,
            crate::definition::listed(groups)
        ));
    }
    None
}

/// Why this person may not answer where any member of these groups may; no groups: anyone.
pub(crate) fn not_in(groups: &BTreeSet<String>, actor: &Actor) -> Option<String> {
    let asked = groups.is_empty() || groups.iter().any(|group| actor.groups.contains(group));
    let why =
        || format!("{} is in none of the groups that are asked: {}", actor.person, crate::definition::listed(groups));
    (!asked).then(why)
}

fn fits(rule: &ApprovalRule, groups: &BTreeSet<String>) -> bool {
    rule.groups.is_empty() || !rule.groups.is_disjoint(groups)
}

/// Whether the signatures can be shared out so that every rule has its count of distinct people.
pub fn is_satisfied(policy: &ApprovalPolicy, given: &[Signature]) -> bool {
    are_filled(&policy.rules, &given.iter().map(|signature| &signature.by.groups).collect::<Vec<_>>())
}

/// Rules for more people together are looked into only when they have answered.
const MOST_LOOKED_INTO: u64 = 20;

/// The first rule that these people, each with their groups, could not fill beside those before it, if all of them agreed.
pub(crate) fn too_few_for<'r>(rules: &'r [ApprovalRule], people: &[&BTreeSet<String>]) -> Option<&'r ApprovalRule> {
    let can_be_filled = |rules: &[ApprovalRule]| {
        let fitting = people.iter().copied().filter(|groups| rules.iter().any(|rule| fits(rule, groups)));
        let fitting: Vec<&BTreeSet<String>> = fitting.collect();
        let asked = asked(rules);
        asked <= fitting.len() as u64 && (asked > MOST_LOOKED_INTO || are_filled(rules, &fitting))
    };
    (0..rules.len()).find(|last| !can_be_filled(&rules[..=*last])).map(|last| &rules[last])
}

/// A count is whatever somebody typed.
pub(crate) fn asked(rules: &[ApprovalRule]) -> u64 {
    rules.iter().map(|rule| u64::from(rule.count)).sum()
}

fn are_filled(rules: &[ApprovalRule], people: &[&BTreeSet<String>]) -> bool {
    // Before a seat is made for each.
    if asked(rules) > people.len() as u64 {
        return false;
    }
    let seats: Vec<&ApprovalRule> =
        rules.iter().flat_map(|rule| std::iter::repeat_n(rule, rule.count as usize)).collect();
    let mut seat_of: BTreeMap<usize, usize> = BTreeMap::new();
    (0..seats.len()).all(|seat| seat_someone(seat, &seats, people, &mut vec![false; people.len()], &mut seat_of))
}

/// Finds a person for a seat, moving others to another seat where that frees one (augmenting path).
fn seat_someone(
    seat: usize,
    seats: &[&ApprovalRule],
    people: &[&BTreeSet<String>],
    tried: &mut Vec<bool>,
    seat_of: &mut BTreeMap<usize, usize>,
) -> bool {
    for (person, groups) in people.iter().enumerate() {
        if tried[person] || !fits(seats[seat], groups) {
            continue;
        }
        tried[person] = true;
        let taken = seat_of.get(&person).copied();
        if taken.is_none_or(|other| seat_someone(other, seats, people, tried, seat_of)) {
            seat_of.insert(person, seat);
            return true;
        }
    }
    false
}

/// What is different between two plans, resource by resource, in words. Says something whenever their digests differ.
pub fn difference(before: &Planned, after: &Planned) -> Vec<String> {
    let (before, after) = (by_resource(before), by_resource(after));
    let mut lines = Vec::new();
    for (resource, changes) in &after {
        match before.get(resource) {
            Some(same) if same == changes => {}
            Some(_) => lines.push(format!("{}: has changed", named(resource))),
            None => lines.push(format!("{}: was not in the plan before", named(resource))),
        }
    }
    for resource in before.keys().filter(|resource| !after.contains_key(*resource)) {
        lines.push(format!("{}: no longer in the plan", named(resource)));
    }
    lines
}

/// Application, kind and name.
type Resource = (String, String, String);

fn by_resource(planned: &Planned) -> BTreeMap<Resource, Vec<ResourceChange>> {
    let mut resources: BTreeMap<Resource, Vec<ResourceChange>> = BTreeMap::new();
    for change in planned.sorted_changes() {
        let resource = (change.application.clone(), change.kind.clone(), change.name.clone());
        resources.entry(resource).or_default().push(change);
    }
    resources
}

fn named((application, kind, name): &Resource) -> String {
    if application.is_empty() { format!("{kind} {name}") } else { format!("{kind} {name} of {application}") }
}
