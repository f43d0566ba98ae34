//! What people were asked before and after the phases, how far they have agreed, and what is still open.

use lockgate_core::definition::ApprovalRule;
use lockgate_core::deployment::{Approval, Deployment, EarlierAttempt, Finish, HoldReason, Signature, Stage};
use lockgate_core::work::Side;

use crate::clock::rfc3339;
use crate::wire;

/// Also of a side at which nobody was asked.
pub fn sign_off(deployment: &Deployment, side: Side) -> String {
    let standing = match asked(deployment, side) {
        Some(approval) => standing(deployment, side, approval),
        None if deployment.approval_policy(side).is_none() => "NotRequired",
        None => "Pending",
    };
    standing.to_owned()
}

pub fn approval(deployment: &Deployment, side: Side) -> Option<wire::Approval> {
    let approval = asked(deployment, side)?;
    let given = approval.given.iter().map(|signature| answer(signature, true));
    let refused = approval.refused.iter().map(|signature| answer(signature, false));
    Some(wire::Approval {
        status: standing(deployment, side, approval).to_owned(),
        plan_digest: approval.plan_digest.to_string(),
        rules: approval.policy.rules.iter().map(rule_text).collect(),
        not_your_own: approval.policy.not_your_own,
        answers: given.chain(refused).collect(),
        requested_at: rfc3339(approval.requested_at),
        deadline: rfc3339(approval.deadline),
        difference: approval.difference.clone(),
        carried_over_from: carried_over_from(deployment, approval),
    })
}

/// What an earlier attempt asked says nothing of this one until it is known to hold.
fn asked(deployment: &Deployment, side: Side) -> Option<&Approval> {
    let asked_now = |approval: &&Approval| !is_of_earlier(deployment, approval);
    let attempt = &deployment.attempt;
    attempt.asked(side).filter(|approval| asked_now(approval) || is_given(deployment, side, approval))
}

fn is_of_earlier(deployment: &Deployment, approval: &Approval) -> bool {
    approval.requested_at < deployment.attempt.queued_at
}

fn is_given(deployment: &Deployment, side: Side, approval: &Approval) -> bool {
    match side {
        Side::Pre => deployment.attempt.approved == Some(approval.plan_digest),
        Side::Post => deployment.attempt.accepted,
    }
}

/// The one place that says how a question to people stands.
fn standing(deployment: &Deployment, side: Side, approval: &Approval) -> &'static str {
    let stage = &deployment.attempt.stage;
    let is_deferred = matches!(stage, Stage::Held(hold) if hold.because == HoldReason::Deferred);
    // Nobody answered in time.
    let has_lapsed = *stage == Stage::Finished(Finish::Rejected);
    // Asked once more, by a freeze that has come since.
    let asks = *stage == Stage::AwaitingApproval(side);
    let is_given = !asks && is_given(deployment, side, approval);
    match (approval.skipped.is_some(), approval.refused.is_some(), is_given) {
        (true, _, _) => "Skipped",
        (false, true, _) => "Rejected",
        (false, false, true) if is_deferred => "Deferred",
        (false, false, true) => "Approved",
        (false, false, false) if has_lapsed => "Rejected",
        (false, false, false) => "Pending",
    }
}

fn carried_over_from(deployment: &Deployment, approval: &Approval) -> Option<u32> {
    let asked_by = |earlier: &&EarlierAttempt| earlier.queued_at <= approval.requested_at;
    let asker = deployment.earlier.iter().rev().find(asked_by);
    asker.filter(|_| is_of_earlier(deployment, approval)).map(|earlier| earlier.number)
}

pub fn answer(signature: &Signature, approved: bool) -> wire::ApprovalAnswer {
    wire::ApprovalAnswer {
        person: signature.by.person.clone(),
        approved,
        comment: signature.comment.clone(),
        at: rfc3339(signature.at),
    }
}

/// `1 of operators`, `2 of dba or security`, `2 people`.
pub fn rule_text(rule: &ApprovalRule) -> String {
    let groups: Vec<&str> = rule.groups.iter().map(String::as_str).collect();
    match (rule.count, groups.is_empty()) {
        (1, true) => "1 person".to_owned(),
        (count, true) => format!("{count} people"),
        (count, false) => format!("{count} of {}", groups.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lockgate_core::approval;
    use lockgate_core::definition::{ApprovalPolicy, Environment};
    use lockgate_core::deployment::{DeploymentType, Hold};
    use lockgate_core::digest::Digest;
    use lockgate_core::name::{Actor, Timestamp};

    use super::super::testing::{ann, deployed};
    use super::*;

    fn policy(rules: &[(u32, &[&str])]) -> ApprovalPolicy {
        let rule = |(count, groups): &(u32, &[&str])| ApprovalRule {
            count: *count,
            groups: groups.iter().map(|group| group.to_string()).collect(),
        };
        ApprovalPolicy { rules: rules.iter().map(rule).collect(), ..ApprovalPolicy::default() }
    }

    fn signed(person: &str, groups: &[&str]) -> Signature {
        let groups = groups.iter().map(|group| group.to_string()).collect();
        let by = Actor { person: person.to_owned(), groups, via: "test".to_owned() };
        Signature { by, at: Timestamp(0), comment: String::new(), not_before: None }
    }

    #[test]
    fn a_rule_reads_as_people_say_it() {
        let policy = policy(&[(1, &["operators"]), (2, &["dba", "security"]), (1, &[]), (3, &[])]);
        let texts: Vec<String> = policy.rules.iter().map(rule_text).collect();
        assert_eq!(texts, ["1 of operators", "2 of dba or security", "1 person", "3 people"]);
    }

    fn open_rules(policy: &ApprovalPolicy, given: &[Signature]) -> Vec<String> {
        approval::open(policy, given).iter().map(rule_text).collect()
    }

    #[test]
    fn what_is_still_asked_for_counts_each_person_once() {
        let policy = policy(&[(1, &["operators"]), (2, &[])]);
        assert_eq!(open_rules(&policy, &[]), ["1 of operators", "2 people"]);
        assert_eq!(open_rules(&policy, &[signed("ann", &["operators"])]), ["2 people"]);
        assert_eq!(open_rules(&policy, &[signed("bob", &[])]), ["1 of operators", "1 person"]);
    }

    #[test]
    fn a_rule_that_nobody_can_fill_is_shown_at_once() {
        assert_eq!(open_rules(&policy(&[(u32::MAX, &[])]), &[signed("ann", &[])]), ["4294967294 people"]);
    }

    // ---- how a question stands ----

    fn asked(deployment: &mut Deployment) -> &mut Approval {
        deployment.attempt.approval.insert(Box::new(Approval {
            plan_digest: Digest::of(b"plan"),
            policy: ApprovalPolicy::default(),
            requested_at: Timestamp(2),
            deadline: Timestamp(9),
            rules_until: None,
            given: Vec::new(),
            refused: None,
            skipped: None,
            difference: Vec::new(),
        }))
    }

    #[test]
    fn who_has_not_been_asked_has_nothing_to_sign_unless_a_rule_says_so() {
        let mut deployment = Deployment { deployment_type: DeploymentType::Full, ..deployed() };
        let both = |deployment: &Deployment| [Side::Pre, Side::Post].map(|side| sign_off(deployment, side));
        assert_eq!(both(&deployment), ["NotRequired", "NotRequired"]);
        let rules = vec![ApprovalRule { count: 1, groups: Default::default() }];
        let post_approvals = ApprovalPolicy { rules, ..ApprovalPolicy::default() };
        deployment.attempt.environment = Arc::new(Environment { post_approvals, ..Environment::default() });
        assert_eq!(both(&deployment), ["NotRequired", "Pending"]);
        deployment.deployment_type = DeploymentType::Rollback;
        assert_eq!(both(&deployment), ["NotRequired", "NotRequired"], "nobody is asked after a rollback");
    }

    #[test]
    fn an_answer_or_its_lack_decides_the_sign_off() {
        let of = |change: fn(&mut Deployment)| {
            let mut deployment = deployed();
            asked(&mut deployment);
            change(&mut deployment);
            sign_off(&deployment, Side::Pre)
        };
        let refuse = |deployment: &mut Deployment| {
            let by = Signature { by: ann(), at: Timestamp(3), comment: String::new(), not_before: None };
            asked(deployment).refused = Some(by);
        };
        assert_eq!(of(|_| {}), "Pending");
        assert_eq!(of(|it| it.attempt.approved = Some(Digest::of(b"plan"))), "Approved");
        assert_eq!(of(|it| it.attempt.approved = Some(Digest::of(b"another"))), "Pending");
        assert_eq!(of(refuse), "Rejected");
        assert_eq!(of(|it| it.attempt.stage = Stage::Finished(Finish::Rejected)), "Rejected");
        assert_eq!(of(|it| asked(it).skipped = Some("nobody answered".to_owned())), "Skipped");
        let defer = |it: &mut Deployment| {
            it.attempt.approved = Some(Digest::of(b"plan"));
            it.attempt.stage = Stage::Held(Hold { because: HoldReason::Deferred, until: Some(Timestamp(9)) });
        };
        assert_eq!(of(defer), "Deferred");
        // One that an earlier attempt asked for says nothing of this one.
        assert_eq!(of(|it| it.attempt.queued_at = Timestamp(5)), "NotRequired");
    }
}
