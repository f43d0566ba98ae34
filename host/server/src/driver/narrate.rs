//! Tells what happened in a sentence, for the history that people read.

use lockgate_core::deployment::{Change, Deployment, Finish, UndoResult};
use lockgate_core::name::DeploymentNumber;
use lockgate_core::state::{Event, State, What};
use lockgate_core::work::{Answer, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock;

/// An event as the history keeps it; its sequence is its key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryRow {
    pub at: String,
    #[serde(rename = "type")]
    pub event_type: String,
    pub text: String,
    /// Deployment status when the history was written: after the batch the event came in.
    pub status: Option<String>,
    pub details: Value,
}

pub fn row(state: &State, number: DeploymentNumber, event: &Event) -> HistoryRow {
    let deployment = state.deployments.get(&number);
    let status = deployment.and_then(|deployment| {
        let status = serde_json::to_value(deployment.attempt.deployment_status()).ok()?;
        Some(status.as_str()?.to_owned())
    });
    let (event_type, text, details) = match (&event.what, deployment) {
        (What::Deployment { change, .. }, Some(deployment)) => {
            (type_of(change), sentence(deployment, change), details(deployment, change))
        }
        (What::DeploymentQueued(queued), _) => {
            let text = format!("{} triggered {} to {}", queued.by.person, queued.release, queued.environment);
            ("queued".to_owned(), text, json!({ "via": queued.by.via, "comment": queued.comment }))
        }
        (What::LiveChanged { environment, live, .. }, _) => {
            let what = live.as_ref().map_or("nothing".to_owned(), |live| live.release.to_string());
            ("live_changed".to_owned(), format!("{what} is live in {environment}"), Value::Null)
        }
        (What::CurrentChanged { environment, current, .. }, _) => {
            let what = current.as_ref().map_or("nothing".to_owned(), |current| current.release.to_string());
            ("current_changed".to_owned(), format!("{what} is current in {environment}"), Value::Null)
        }
        (what, _) => (type_of(what), String::new(), Value::Null),
    };
    HistoryRow { at: clock::rfc3339(event.at), event_type, text, status, details }
}

/// The name an event has in its JSON.
fn type_of(event: &impl Serialize) -> String {
    match serde_json::to_value(event) {
        Ok(Value::Object(fields)) => fields.keys().next().cloned().unwrap_or_default(),
        Ok(Value::String(name)) => name,
        Ok(_) | Err(_) => String::new(),
    }
}

fn sentence(deployment: &Deployment, change: &Change) -> String {
    let phase = |index: &usize| deployment.phase(*index).name.to_string();
    match change {
        Change::AttemptQueued { attempt, resume_at: Some(index), by, .. } => {
            let from = deployment.attempt.phases.get(*index).map_or("its end".to_owned(), |run| run.name.to_string());
            format!("{} tries again from {from}: attempt {attempt}", by.person)
        }
        Change::AttemptQueued { attempt, resume_at: None, by, .. } => {
            format!("{} starts over: attempt {attempt}", by.person)
        }
        Change::SlotTaken => "its turn has come".to_owned(),
        Change::Overtaken { phase: index } => {
            format!("another deployment has applied since: everything from {} on is done again", phase(index))
        }
        Change::PlanStarted { phase: index, .. } => format!("planning what {} would change", phase(index)),
        Change::TargetPlanned { phase: index, .. } => planned(deployment, *index),
        Change::CallStarted { step, .. } => format!("{} called", step_in_words(deployment, *step)),
        Change::CallAnswered { step, answer, .. } => {
            format!("{} {}", step_in_words(deployment, *step), answered(answer))
        }
        Change::RetryPlanned { step, because, .. } => {
            format!("{} will be tried again: {because}", step_in_words(deployment, *step))
        }
        Change::ApprovalRequested { approval } if approval.difference.is_empty() => "waits for approval".to_owned(),
        Change::ApprovalRequested { approval } => {
            format!("waits for approval again, for the plan changed: {}", approval.difference.join("; "))
        }
        Change::Approved { by } => remarked(format!("{} approved", by.by.person), &by.comment),
        Change::Refused { by } => remarked(format!("{} rejected", by.by.person), &by.comment),
        Change::ApprovalCompleted { .. } => "approved".to_owned(),
        Change::ConfirmStarted { phase: index, .. } => format!("planning again, just before {} applies", phase(index)),
        Change::Confirmed { .. } => "the plan is still the one that was approved".to_owned(),
        Change::Drifted { difference, .. } => {
            format!("the plan is not the approved one any more: {}", difference.join("; "))
        }
        Change::FoundStale { phase: index } => format!("{} found the world changed under its apply", phase(index)),
        Change::PhaseStarted { phase: index, .. } => format!("{} started", phase(index)),
        Change::PhaseSucceeded { phase: index } => {
            remarked(format!("{} succeeded", phase(index)), &deployment.attempt.phases[*index].summary)
        }
        Change::PhaseFailed { phase: index, failure, fails_attempt } => {
            let goes_on = if *fails_attempt { "" } else { " (the workflow goes on)" };
            format!("{} failed: {}{goes_on}", phase(index), failure.message)
        }
        Change::PhaseCanceled { phase: index } => format!("{} was stopped", phase(index)),
        Change::PhaseSkipped { phase: index } => format!("{} is skipped", phase(index)),
        Change::CancelRequested { cancel } => remarked(format!("{} cancels", cancel.by.person), &cancel.reason),
        Change::CancelStarted { phase: index, .. } => format!("{} is asked to stop what it started", phase(index)),
        Change::UndoStarted { phase: index, .. } => format!("going back: {} is undone", phase(index)),
        Change::UndoEnded { phase: index, result: UndoResult::Undone } => {
            format!("{} is back to how it was", phase(index))
        }
        Change::UndoEnded { phase: index, result: UndoResult::NotUndone(failure) } => {
            format!("{} could not be undone: {}", phase(index), failure.message)
        }
        Change::GatesStarted { .. } => "the gates are watched".to_owned(),
        Change::GateRoundStarted { round, .. } => format!("gates, round {round}"),
        Change::GateJudged { gate, outcome } => {
            let name = deployment.step_name(Step::Gate(*gate));
            format!("gate {name}: {}", remarked(type_of(&outcome.outcome), &outcome.reason))
        }
        Change::GateRoundEnded { green_since: Some(_), .. } => "all gates are green".to_owned(),
        Change::GateRoundEnded { green_since: None, .. } => "not all gates are green".to_owned(),
        Change::GatesPassed => "the gates passed".to_owned(),
        Change::GatesFailed { reason } => format!("the gates failed: {reason}"),
        Change::Finished { finish, .. } => finished(deployment, *finish),
    }
}

/// `plan of publish`: what a call is for.
pub fn step_in_words(deployment: &Deployment, step: Step) -> String {
    let name = deployment.step_name(step);
    match step {
        Step::Plan(_) => format!("plan of {name}"),
        Step::Confirm(_) => format!("confirmation of {name}"),
        Step::Run(_) => name.to_string(),
        Step::Cancel(_) => format!("cancel of {name}"),
        Step::Undo(_) => format!("undo of {name}"),
        Step::Gate(_) => format!("gate {name}"),
    }
}

fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Progressed(progressed) if progressed.done => remarked("is done".to_owned(), &progressed.summary),
        Answer::Progressed(progressed) => remarked("goes on".to_owned(), &progressed.summary),
        Answer::Planned(step) => remarked("answered".to_owned(), &step.planned.summary),
        Answer::Sampled { .. } => "was sampled".to_owned(),
        Answer::Failed(failure) => format!("failed: {}", failure.message),
    }
}

fn planned(deployment: &Deployment, index: usize) -> String {
    let summary = deployment.attempt.phases[index].plan.as_ref().map_or("", |plan| plan.planned.summary.as_str());
    remarked(format!("{} is planned", deployment.phase(index).name), summary)
}

fn remarked(text: String, remark: &str) -> String {
    if remark.is_empty() { text } else { format!("{text}: {remark}") }
}

fn finished(deployment: &Deployment, finish: Finish) -> String {
    let failure = deployment.attempt.failure.as_ref().map_or("", |failure| failure.message.as_str());
    match finish {
        Finish::Succeeded => "succeeded".to_owned(),
        Finish::PartiallySucceeded => "succeeded, but not every phase did".to_owned(),
        Finish::PhaseFailed | Finish::GatesFailed => remarked("failed".to_owned(), failure),
        Finish::Rejected => remarked("rejected".to_owned(), failure),
        Finish::Canceled(_) => "canceled".to_owned(),
    }
}

/// What a script may want beside the sentence. Answers and plans are on the deployment itself.
fn details(deployment: &Deployment, change: &Change) -> Value {
    match change {
        Change::CallStarted { step, call, key } => {
            json!({ "call": call, "key": key, "phase": deployment.step_name(*step), "step": step })
        }
        Change::CallAnswered { step, call, .. } => {
            json!({ "call": call, "phase": deployment.step_name(*step), "step": step })
        }
        Change::Drifted { difference, digest, .. } => json!({ "difference": difference, "plan_digest": digest }),
        Change::TargetPlanned { digest, .. } => json!({ "digest": digest }),
        Change::ApprovalCompleted { plan_digest } => json!({ "plan_digest": plan_digest }),
        Change::PhaseFailed { failure, .. } => json!({ "code": failure.code }),
        Change::GateJudged { gate, outcome } => {
            json!({ "gate": deployment.step_name(Step::Gate(*gate)), "outcome": outcome.outcome })
        }
        _ => Value::Null,
    }
}
