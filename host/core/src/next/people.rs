//! People: who is asked, what their answers lead to, and what follows when nobody answers.

use std::collections::BTreeSet;

use super::failed;
use super::plans::drift_refused;
use crate::approval::{counting, is_satisfied, request, still_holds};
use crate::calendar::{Freeze, FreezeEffect};
use crate::change::Change;
use crate::definition::{ApprovalPolicy, ApprovalRule, Reaction};
use crate::deployment::*;
use crate::name::{Actor, Timestamp};
use crate::state::State;
use crate::work::Side;

/// The people that the environment names, and those that a freeze adds; nobody where there are none.
pub(super) fn asked(state: &State, deployment: &Deployment, side: Side, now: Timestamp) -> Change {
    let plan_digest = deployment.plan_digest();
    let policy = policy_at(state, deployment, side, now);
    if policy.rules.is_empty() {
        return Change::ApprovalCompleted { side, plan_digest, not_before: None, skipped: None };
    }
    let is_open = deployment.attempt.stage == Stage::AwaitingApproval(side);
    // Whoever agreed before the gates failed did not overrule them; whoever was asked after that did.
    let overruled = !is_open && deployment.attempt.gates(side.into()).is_some_and(GateRun::has_failed);
    let earlier = deployment.attempt.asked(side).filter(|earlier| earlier.plan_digest == plan_digest && !overruled);
    if let Some(earlier) = earlier.filter(|earlier| still_holds(deployment, earlier, &policy)) {
        let not_before = earlier.given.iter().filter_map(|signature| signature.not_before).max();
        return Change::ApprovalCompleted { side, plan_digest, not_before, skipped: None };
    }
    let in_this_attempt = is_open || deployment.attempt.approved == Some(plan_digest);
    // Others are asked by now; who has agreed to this plan in this attempt need not say it again.
    let given = earlier.filter(|_| in_this_attempt).map(|earlier| counting(deployment, earlier, &policy));
    let approval = Approval {
        rules_until: next_change_of_rules(state, deployment, side, now),
        given: given.unwrap_or_default(),
        ..request(deployment, policy, plan_digest, now)
    };
    // The same people have the same time.
    let approval = match earlier.filter(|earlier| is_open && earlier.policy.rules == approval.policy.rules) {
        Some(Approval { requested_at, deadline, .. }) => {
            Approval { requested_at: *requested_at, deadline: *deadline, ..approval }
        }
        None => approval,
    };
    Change::ApprovalRequested { side, approval }
}

/// Whom the environment asks, and whom the freezes of this moment ask beside them.
fn policy_at(state: &State, deployment: &Deployment, side: Side, now: Timestamp) -> ApprovalPolicy {
    let mut policy = own_policy(state, deployment, side).cloned().unwrap_or_default();
    policy.rules.extend(stricter_rules(state, deployment, side, now));
    policy
}

pub(super) fn own_policy<'a>(state: &State, deployment: &'a Deployment, side: Side) -> Option<&'a ApprovalPolicy> {
    deployment.approval_policy(side).or_else(|| of_unproven(state, deployment, side))
}

/// A freeze that has come since everybody agreed asks for its people before anything begins.
pub(super) fn asked_for_a_freeze(state: &State, deployment: &Deployment, now: Timestamp) -> Option<Change> {
    if stricter_rules(state, deployment, Side::Pre, now).is_empty() {
        return None;
    }
    let policy = policy_at(state, deployment, Side::Pre, now);
    let given = deployment.attempt.asked(Side::Pre);
    let is_enough = given.is_some_and(|given| {
        // Also where it was skipped: they were asked, and nobody answered in time.
        asks_all(&given.policy.rules, &policy.rules) || still_holds(deployment, given, &policy)
    });
    (!is_enough).then(|| asked(state, deployment, Side::Pre, now))
}

/// A way back to what was never healthy here is a deployment like others, where nothing is said of ways back.
fn of_unproven<'a>(state: &State, deployment: &'a Deployment, side: Side) -> Option<&'a ApprovalPolicy> {
    let environment = &deployment.attempt.environment;
    let goes_back = side == Side::Pre && deployment.deployment_type == DeploymentType::Rollback;
    let asks = goes_back && !environment.approvals_off && !is_proven_way_back(state, deployment);
    Some(&environment.approvals).filter(|policy| asks && !policy.rules.is_empty())
}

fn is_proven_way_back(state: &State, deployment: &Deployment) -> bool {
    let there = state.environments.get(&deployment.environment);
    deployment.deployment_type == DeploymentType::Rollback
        && there.is_some_and(|there| there.is_proven(&deployment.release.tag))
}

/// Each of the rules as often as it is there.
fn asks_all(asked: &[ApprovalRule], rules: &[ApprovalRule]) -> bool {
    let count = |of: &[ApprovalRule], rule: &ApprovalRule| of.iter().filter(|other| *other == rule).count();
    rules.iter().all(|rule| count(asked, rule) >= count(rules, rule))
}

/// A freeze may ask for more people instead of stopping everything. Where approvals are off it stops everything: see
/// [`crate::admission`].
fn stricter_rules(state: &State, deployment: &Deployment, side: Side, now: Timestamp) -> Vec<ApprovalRule> {
    let freezes = stricter_freezes(state, deployment, side).filter(|freeze| freeze.covers(now));
    freezes.flat_map(|freeze| freeze.rules.iter().cloned()).collect()
}

fn next_change_of_rules(state: &State, deployment: &Deployment, side: Side, now: Timestamp) -> Option<Timestamp> {
    let freezes: Vec<Stricter> = stricter_freezes(state, deployment, side).collect();
    let rules_at = |at| freezes.iter().filter(move |freeze| freeze.covers(at)).flat_map(|freeze| freeze.rules);
    let to_come = freezes.iter().flat_map(|freeze| [freeze.begins_at, freeze.ends_at]).filter(|at| *at > now);
    let to_come: BTreeSet<Timestamp> = to_come.collect();
    let current: Vec<&ApprovalRule> = rules_at(now).collect();
    to_come.into_iter().find(|at| !rules_at(*at).eq(current.iter().copied()))
}

struct Stricter<'a> {
    begins_at: Timestamp,
    ends_at: Timestamp,
    rules: &'a [ApprovalRule],
}

impl Stricter<'_> {
    fn covers(&self, at: Timestamp) -> bool {
        self.begins_at <= at && at < self.ends_at
    }
}

/// Those that ask for more people for this deployment, whenever they do.
fn stricter_freezes<'a>(state: &'a State, deployment: &Deployment, side: Side) -> impl Iterator<Item = Stricter<'a>> {
    let meant = state.definition.environments.get(&deployment.environment);
    let asks_nobody = meant.is_none_or(|meant| state.definition.asks_nobody(meant));
    let is_exempt = deployment.break_glass.is_some() || is_proven_way_back(state, deployment);
    let asks = side == Side::Pre && !asks_nobody && !is_exempt;
    let here = move |freeze: &&Freeze| asks && freeze.concerns(&deployment.environment);
    state.definition.freezes.iter().filter(here).filter_map(|freeze| match &freeze.effect {
        FreezeEffect::Stricter { rules } => {
            Some(Stricter { begins_at: freeze.period.begins_at(), ends_at: freeze.period.ends_at(), rules })
        }
        FreezeEffect::Deny => None,
    })
}

/// What the answers so far lead to.
pub(super) fn answered(state: &State, deployment: &Deployment, side: Side, now: Timestamp) -> Option<Change> {
    let approval = deployment.attempt.asked(side)?;
    if let Some(refused) = &approval.refused {
        let colon = if refused.comment.is_empty() { "" } else { ": " };
        let message = format!("{} refused{colon}{}", refused.by.person, refused.comment);
        return Some(instead(deployment, side, approval.policy.on_reject, message, Refusal::By(refused), now));
    }
    // A freeze has come or gone meanwhile, or somebody takes it upon themselves that it starts in spite of one.
    let is_current = approval.policy.rules == policy_at(state, deployment, side, now).rules
        && approval.rules_until == next_change_of_rules(state, deployment, side, now);
    if !is_current {
        return Some(asked(state, deployment, side, now));
    }
    if is_satisfied(&approval.policy, &approval.given) {
        let not_before = approval.given.iter().filter_map(|signature| signature.not_before).max();
        return Some(Change::ApprovalCompleted { side, plan_digest: approval.plan_digest, not_before, skipped: None });
    }
    (now >= approval.deadline).then(|| {
        let message = "nobody answered in time".to_owned();
        instead(deployment, side, approval.policy.on_timeout, message, Refusal::Time, now)
    })
}

enum Refusal<'a> {
    By(&'a Signature),
    Time,
}

/// The approval was not given: what the environment wants then.
fn instead(
    deployment: &Deployment,
    side: Side,
    reaction: Reaction,
    message: String,
    refusal: Refusal<'_>,
    now: Timestamp,
) -> Change {
    let between_phases = side == Side::Pre && deployment.attempt.begun();
    match reaction {
        Reaction::Reject if between_phases => drift_refused(deployment, "rejected", message),
        Reaction::Reject => failed(FailureOf::Approval, message),
        Reaction::Skip => {
            let skipped = Some(format!("{message}; the environment lets it go on"));
            let plan_digest = deployment.plan_digest();
            Change::ApprovalCompleted { side, plan_digest, not_before: None, skipped }
        }
        Reaction::Cancel => {
            let (by, cause) = match refusal {
                Refusal::By(signature) => (signature.by.clone(), Cause::Person),
                Refusal::Time => (Actor::host("time limit"), Cause::TimeLimit),
            };
            let deadline = now.plus_ms(super::CANCEL_TIMEOUT_MS);
            Change::CancelRequested { cancel: CancelRequest { by, at: now, deadline, reason: message, cause } }
        }
    }
}

/// It makes room, and comes back to the queue in time.
pub(super) fn deferred(until: Timestamp) -> Change {
    Change::Held { hold: Hold { because: HoldReason::Deferred, until: Some(until) } }
}
