//! What people say to a deployment: yes, no, not now, stop, and on my own responsibility.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{LONGEST_TEXT, Rejection, Turn, at_most, find_unfinished, triggers, with_a_reason};
use crate::approval;
use crate::change::{Change, GatesChange, PhaseChange};
use crate::definition::{PhaseWork, listed};
use crate::deployment::*;
use crate::digest::Digest;
use crate::name::{Actor, DeploymentNumber, Name, Timestamp};
use crate::next::{CANCEL_TIMEOUT_MS, final_failure};
use crate::state::What;
use crate::work::{GatesOf, Side};

pub(super) struct Comment {
    pub text: String,
    pub not_before: Option<Timestamp>,
}

/// What is waited for from people.
enum Question<'a> {
    Approval(Side, &'a Approval),
    Intervention { phase: usize, groups: &'a BTreeSet<String> },
}

/// Of several interventions side by side, the first that this person may answer.
fn question<'a>(deployment: &'a Deployment, by: &Actor) -> Option<Question<'a>> {
    if let Stage::AwaitingApproval(side) = deployment.attempt.stage {
        return deployment.attempt.asked(side).map(|approval| Question::Approval(side, approval));
    }
    let may_answer = |(_, groups): &(usize, &BTreeSet<String>)| approval::not_in(groups, by).is_none();
    let asked = interventions(deployment).find(may_answer).or_else(|| interventions(deployment).next());
    asked.map(|(phase, groups)| Question::Intervention { phase, groups })
}

/// Phases that wait for somebody, and whose members may answer.
fn interventions(deployment: &Deployment) -> impl Iterator<Item = (usize, &BTreeSet<String>)> {
    deployment.attempt.doing().filter_map(|(phase, doing)| match (doing, &deployment.phase(phase).work) {
        (Doing::Person { .. }, PhaseWork::Manual { groups, .. }) => Some((phase, groups)),
        (Doing::Person { .. } | Doing::Work(_) | Doing::Gates(_), _) => None,
    })
}

pub(super) fn approve(
    turn: &mut Turn,
    number: DeploymentNumber,
    plan: Option<Digest>,
    comment: Comment,
    by: Actor,
) -> Result<(), Rejection> {
    let deployment = find_unfinished(&turn.state, number)?;
    if let Some(Question::Approval(_, approval)) = question(&deployment, &by) {
        expect_plan(number, plan, approval.plan_digest)?;
    }
    if let Some(given) = comment.not_before {
        match question(&deployment, &by) {
            Some(Question::Approval(Side::Pre, _)) if !deployment.attempt.begun() => {}
            Some(_) | None => return Err(Rejection::CannotDefer { number }),
        }
        if given <= turn.now {
            return Err(Rejection::TimeIsPast { what: "an approval", given });
        }
        triggers::may_be_held(&turn.state, &deployment.environment)?;
    }
    answer(turn, &deployment, comment, by, true)
}

pub(super) fn reject(turn: &mut Turn, number: DeploymentNumber, comment: String, by: Actor) -> Result<(), Rejection> {
    let deployment = find_unfinished(&turn.state, number)?;
    answer(turn, &deployment, Comment { text: comment, not_before: None }, by, false)
}

/// Between looking and approving, the plan may have been made again.
fn expect_plan(number: DeploymentNumber, seen: Option<Digest>, now: Digest) -> Result<(), Rejection> {
    match seen {
        Some(seen) if seen != now => Err(Rejection::PlanChanged { number, seen, now }),
        Some(_) | None => Ok(()),
    }
}

fn answer(
    turn: &mut Turn,
    deployment: &Arc<Deployment>,
    comment: Comment,
    by: Actor,
    agrees: bool,
) -> Result<(), Rejection> {
    at_most("the comment's length", comment.text.len(), LONGEST_TEXT)?;
    let number = deployment.number;
    let not_waiting = || Rejection::NotWaitingForApproval { number, status: deployment.status_text() };
    let question = question(deployment, &by).ok_or_else(not_waiting)?;
    let objection = match &question {
        Question::Approval(_, approval) if !agrees && approval.has_approved(&by) => Some(format!(
            "{} has approved this and cannot reject it too; `lockgate deployment cancel {number}` stops it",
            by.person
        )),
        Question::Approval(_, approval) => approval::objection(deployment, approval, &by),
        Question::Intervention { groups, .. } => approval::not_in(groups, &by),
    };
    if let Some(why) = objection {
        return Err(Rejection::MayNotApprove { why });
    }
    let by = Signature { by, at: turn.now, comment: comment.text, not_before: comment.not_before };
    let change = match question {
        Question::Approval(side, _) if agrees => Change::Approved { side, by },
        Question::Approval(side, _) => Change::Refused { side, by },
        Question::Intervention { phase, .. } => {
            let intervention = Intervention { proceeds: agrees, by };
            Change::Phase { phase, change: PhaseChange::Answered { intervention } }
        }
    };
    turn.change(number, change);
    turn.settle(number);
    Ok(())
}

pub(super) fn ignore_gate(
    turn: &mut Turn,
    number: DeploymentNumber,
    gate: Name,
    comment: String,
    by: Actor,
) -> Result<(), Rejection> {
    with_a_reason("ignoring a gate", "comment", &comment)?;
    let deployment = find_unfinished(&turn.state, number)?;
    let attempt = &deployment.attempt;
    let of_stage = if let Stage::Gates(side) = attempt.stage { Some(GatesOf::from(side)) } else { None };
    let evaluated = || {
        let of_phases = attempt.doing().map(|(phase, _)| GatesOf::Phase(phase));
        of_stage.into_iter().chain(of_phases).filter_map(|of| Some((of, attempt.gates(of)?)))
    };
    let found = evaluated().find_map(|(of, run)| Some((of, run.gates.iter().position(|state| state.name == gate)?)));
    let Some((of, index)) = found else {
        let known = listed(evaluated().flat_map(|(_, run)| run.gates.iter().map(|gate| &gate.name)));
        return Err(Rejection::UnknownGate { number, gate: gate.to_string(), known });
    };
    let by = Signature { by, at: turn.now, comment, not_before: None };
    turn.change(number, Change::Gates { of, change: GatesChange::Ignored { gate: index, by } });
    turn.settle(number);
    Ok(())
}

pub(super) fn break_glass(
    turn: &mut Turn,
    number: DeploymentNumber,
    reason: String,
    by: Actor,
) -> Result<(), Rejection> {
    with_a_reason("breaking the glass", "reason", &reason)?;
    let deployment = find_unfinished(&turn.state, number)?;
    if !may_break_glass(&deployment.attempt) {
        return Err(Rejection::NotWaiting { number, status: deployment.status_text() });
    }
    // Broken once: the first name and reason stand.
    if deployment.break_glass.is_some() {
        return Ok(());
    }
    let by = Signature { by, at: turn.now, comment: reason, not_before: None };
    turn.change(number, Change::GlassBroken { by });
    turn.settle(number);
    Ok(())
}

/// While a freeze or office hours may be what it waits for: its turn, or the people of a freeze.
fn may_break_glass(attempt: &Attempt) -> bool {
    match attempt.stage {
        Stage::Queued => true,
        Stage::AwaitingApproval(Side::Pre) => !attempt.begun(),
        Stage::AwaitingApproval(Side::Post)
        | Stage::Held(_)
        | Stage::Ready
        | Stage::AwaitingCapacity(_)
        | Stage::Observing(_)
        | Stage::Planning(_)
        | Stage::Confirming { .. }
        | Stage::Running
        | Stage::Undoing { .. }
        | Stage::Gates(_)
        | Stage::Finished(_) => false,
    }
}

/// Not by whoever broke it: that is what the review is for.
pub(super) fn review_debt(
    turn: &mut Turn,
    number: DeploymentNumber,
    comment: String,
    by: Actor,
) -> Result<(), Rejection> {
    at_most("the comment's length", comment.len(), LONGEST_TEXT)?;
    if !turn.state.debts.contains_key(&number) {
        return Err(Rejection::NoDebt { number });
    }
    if turn.state.broke_glass(number, &by.person) {
        return Err(Rejection::OwnDebt { number, person: by.person });
    }
    let by = Signature { by, at: turn.now, comment, not_before: None };
    turn.record(What::DebtReviewed { number, by });
    Ok(())
}

pub(super) fn cancel(
    turn: &mut Turn,
    number: DeploymentNumber,
    forced: bool,
    reason: String,
    by: Actor,
) -> Result<(), Rejection> {
    at_most("the reason's length", reason.len(), LONGEST_TEXT)?;
    let deployment = find_unfinished(&turn.state, number)?;
    if matches!(deployment.attempt.stage, Stage::Undoing { .. }) && !forced {
        return Err(Rejection::UndoUnderWay { number });
    }
    let deadline = turn.now.plus_ms(CANCEL_TIMEOUT_MS);
    let cancel = CancelRequest { by, at: turn.now, deadline, reason, cause: Cause::Person };
    // A second cancel changes nothing: the first one's limit runs.
    if deployment.attempt.cancel.is_none() {
        turn.change(number, Change::CancelRequested { cancel: cancel.clone() });
    }
    if forced {
        turn.change(number, Change::StopForced { stop: CancelRequest { cause: Cause::Stopped, ..cancel } });
        stop(turn, number);
    }
    turn.settle(number);
    Ok(())
}

/// Something else is over before its turn came: its environment's time, or what it was there for.
pub(super) fn stop_waiting(turn: &mut Turn, number: DeploymentNumber, by: &str, reason: &str) {
    // What stopped before it may have let it start, and end.
    if turn.state.deployments.get(&number).is_none_or(|deployment| deployment.is_finished()) {
        return;
    }
    turn.change(number, stopped(turn.now, by, reason));
    turn.settle(number);
}

/// By the host, on the record with its reason, for nobody is there to be told.
pub(super) fn stopped(now: Timestamp, by: &str, reason: &str) -> Change {
    let reason = reason.to_owned();
    let cancel = CancelRequest { by: Actor::host(by), at: now, deadline: now, reason, cause: Cause::Stopped };
    Change::CancelRequested { cancel }
}

/// Ends it where it is: what was running is cancelled on the record, what was to come is skipped.
fn stop(turn: &mut Turn, number: DeploymentNumber) {
    let Some(attempt) = turn.state.deployments.get(&number).map(|deployment| &deployment.attempt) else { return };
    let undoing = match attempt.stage {
        Stage::Undoing { index, .. } => Some(Change::Phase { phase: index, change: stopped_undo() }),
        Stage::Queued
        | Stage::Held(_)
        | Stage::Ready
        | Stage::AwaitingCapacity(_)
        | Stage::Observing(_)
        | Stage::Planning(_)
        | Stage::AwaitingApproval(_)
        | Stage::Confirming { .. }
        | Stage::Running
        | Stage::Gates(_)
        | Stage::Finished(_) => None,
    };
    let open = |(phase, run): (usize, &Arc<PhaseRun>)| match run.result {
        PhaseResult::Running(_) => Some(Change::Phase { phase, change: PhaseChange::Canceled }),
        PhaseResult::Waiting => Some(Change::Phase { phase, change: PhaseChange::Skipped }),
        PhaseResult::Succeeded | PhaseResult::Failed(_) | PhaseResult::Canceled | PhaseResult::Skipped => None,
    };
    let phases = attempt.phases.iter().filter(|_| attempt.begun()).enumerate().filter_map(open);
    let changes: Vec<Change> = undoing.into_iter().chain(phases).collect();
    changes.into_iter().for_each(|change| turn.change(number, change));
    turn.change(number, Change::Finished { finish: Finish::Canceled(Cause::Stopped) });
}

/// Half-way back: a retry must not take what it undid for done.
fn stopped_undo() -> PhaseChange {
    let failure = final_failure("stopped", "stopped by force".to_owned());
    PhaseChange::UndoEnded { result: UndoResult::NotUndone(failure) }
}
