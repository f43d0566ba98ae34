//! People: who is asked, what their answers lead to, and what follows when nobody answers.

use super::failed;
use super::plans::drift_refused;
use crate::approval::{is_satisfied, request, still_holds};
use crate::calendar::FreezeEffect;
use crate::change::Change;
use crate::definition::{ApprovalPolicy, ApprovalRule, Reaction};
use crate::deployment::*;
use crate::name::{Actor, Timestamp};
use crate::state::State;
use crate::work::Side;

/// The people that the environment names, and those that a freeze adds; nobody where there are none.
pub(super) fn asked(state: &State, deployment: &Deployment, side: Side, now: Timestamp) -> Change {
    let plan_digest = deployment.plan_digest();
    let given = || Change::ApprovalCompleted { side, plan_digest, not_before: None, skipped: None };
    let stricter = stricter_rules(state, deployment, side, now);
    let mut policy = match deployment.approval_policy(side) {
        Some(policy) => policy.clone(),
        None if stricter.is_empty() => return given(),
        None => ApprovalPolicy::default(),
    };
    policy.rules.extend(stricter);
    let earlier = deployment.attempt.asked(side);
    let carries_over = earlier
        .is_some_and(|approval| approval.plan_digest == plan_digest && still_holds(deployment, approval, &policy));
    // Whoever agreed before the gates failed did not overrule them.
    if carries_over && !deployment.attempt.gates(side.into()).is_some_and(GateRun::has_failed) {
        return given();
    }
    Change::ApprovalRequested { side, approval: request(deployment, policy, plan_digest, now) }
}

/// A freeze may ask for more people instead of stopping everything.
fn stricter_rules(state: &State, deployment: &Deployment, side: Side, now: Timestamp) -> Vec<ApprovalRule> {
    let asks = side == Side::Pre && deployment.deployment_type != DeploymentType::Rollback;
    if !asks || deployment.attempt.environment.approvals_off || deployment.break_glass.is_some() {
        return Vec::new();
    }
    let freezes = state.definition.freezes.iter();
    let here = freezes.filter(|freeze| freeze.concerns(&deployment.environment) && freeze.covers(now));
    here.flat_map(|freeze| match &freeze.effect {
        FreezeEffect::Stricter { rules } => rules.clone(),
        FreezeEffect::Deny => Vec::new(),
    })
    .collect()
}

/// What the answers so far lead to.
pub(super) fn answered(deployment: &Deployment, side: Side, now: Timestamp) -> Option<Change> {
    let approval = deployment.attempt.asked(side)?;
    if let Some(refused) = &approval.refused {
        let message = format!("{} refused: {}", refused.by.person, refused.comment);
        return Some(instead(deployment, side, approval.policy.on_reject, message, Refusal::By(refused), now));
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
