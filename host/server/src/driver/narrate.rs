//! Tells what happened in a sentence, for the history that people read.

use std::io;

use lockgate_core::change::{Change, GatesChange, PhaseChange};
use lockgate_core::deployment::{Capacity, Deployment, DeploymentType, Finish, GatesEnd, Hold, HoldReason, UndoResult};
use lockgate_core::name::DeploymentNumber;
use lockgate_core::state::{Event, State, What};
use lockgate_core::work::{Answer, GatesOf, Side, Step};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock;

/// An event as the history keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryRow {
    pub at: String,
    #[serde(rename = "type")]
    pub event_type: String,
    pub text: String,
    /// Deployment status after it.
    pub status: Option<String>,
    pub details: Value,
}

pub fn row(state: &State, number: DeploymentNumber, event: &Event) -> HistoryRow {
    let deployment = state.deployments.get(&number);
    let status = deployment.map(|deployment| type_of(&deployment.attempt.deployment_status()));
    let (event_type, text, details) = match (&event.what, deployment) {
        (What::Deployment { change, .. }, Some(deployment)) => {
            (type_of_change(change), sentence(deployment, change), details(deployment, change))
        }
        (What::DeploymentQueued(queued), _) => {
            let (person, release, environment) = (&queued.by.person, &queued.release, &queued.environment);
            let text = match queued.deployment_type {
                DeploymentType::Rollback => format!("{person} rolls {environment} back to {release}"),
                DeploymentType::Launch
                | DeploymentType::Full
                | DeploymentType::Selective
                | DeploymentType::Custom
                | DeploymentType::Destroy => format!("{person} triggered {release} to {environment}"),
            };
            ("queued".to_owned(), text, json!({ "via": queued.by.via, "comment": queued.comment }))
        }
        (What::LiveChanged { environment, applications: Some(none), .. }, _) if none.is_empty() => {
            ("live_changed".to_owned(), format!("what is live in {environment} stays"), Value::Null)
        }
        (What::CurrentChanged { environment, applications: Some(none), .. }, _) if none.is_empty() => {
            ("current_changed".to_owned(), format!("what is current in {environment} stays"), Value::Null)
        }
        (What::LiveChanged { environment, live, .. }, _) => {
            let what = live.as_ref().map_or("nothing".to_owned(), |live| live.release.to_string());
            ("live_changed".to_owned(), format!("{what} is live in {environment}"), Value::Null)
        }
        (What::CurrentChanged { environment, current, .. }, _) => {
            let what = current.as_ref().map_or("nothing".to_owned(), |current| current.release.to_string());
            ("current_changed".to_owned(), format!("{what} is current in {environment}"), Value::Null)
        }
        (What::CurrentRestored { environment, .. }, _) => {
            let text = format!("what was current in {environment} before is current again");
            ("current_restored".to_owned(), text, Value::Null)
        }
        (What::DebtReviewed { by, .. }, _) => {
            let text = remarked(format!("{} has reviewed that the glass was broken", by.by.person), &by.comment);
            ("debt_reviewed".to_owned(), text, Value::Null)
        }
        (what, _) => (type_of(what), String::new(), Value::Null),
    };
    HistoryRow { at: clock::rfc3339(event.at), event_type, text, status, details }
}

/// The name an event has in its JSON: `"NAME"`, or `{"NAME": WHAT}`.
fn type_of(event: &impl Serialize) -> String {
    let mut beginning = Beginning::default();
    // Refused is what follows the name.
    let _ = serde_json::to_writer(&mut beginning, event);
    let text = String::from_utf8_lossy(&beginning.0[..beginning.1]);
    text.split('"').nth(1).unwrap_or_default().to_owned()
}

/// Takes the first bytes of what is written to it, so that an event is not written down whole for its name.
struct Beginning([u8; LONGEST_NAME], usize);

const LONGEST_NAME: usize = 64;

impl Default for Beginning {
    fn default() -> Self {
        Self([0; LONGEST_NAME], 0)
    }
}

impl io::Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = &mut self.0[self.1..];
        let taken = bytes.len().min(left.len());
        left[..taken].copy_from_slice(&bytes[..taken]);
        self.1 += taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What happens to a phase and to the gates is named after them.
fn type_of_change(change: &Change) -> String {
    match change {
        Change::Phase {
            change:
                change @ (PhaseChange::CancelStarted { .. }
                | PhaseChange::UndoStarted { .. }
                | PhaseChange::UndoEnded { .. }),
            ..
        } => type_of(change),
        Change::Phase { change, .. } => format!("phase_{}", type_of(change)),
        Change::Gates {
            change:
                change @ (GatesChange::Judged { .. }
                | GatesChange::Ignored { .. }
                | GatesChange::RoundStarted { .. }
                | GatesChange::RoundEnded { .. }),
            ..
        } => format!("gate_{}", type_of(change)),
        Change::Gates { change: GatesChange::Ended { end }, .. } => format!("gates_{}", type_of(end)),
        Change::Gates { change, .. } => format!("gates_{}", type_of(change)),
        change => type_of(change),
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
        Change::Enqueued => "what it was held for is there: it waits for its turn".to_owned(),
        Change::Held { hold } => held(hold),
        Change::Superseded { by } => format!("deployment {by} is newer and does the same"),
        Change::GlassBroken { by } => remarked(format!("{} breaks the glass", by.by.person), &by.comment),
        Change::AwaitsCapacity { capacity: Capacity::Workers } => "waits for a free plugin worker".to_owned(),
        Change::AwaitsCapacity { capacity: Capacity::Running } => {
            "waits, for the project has as many deployments under way as it may".to_owned()
        }
        Change::ObserveStarted { phase: index, .. } => format!("looking at what {} has", phase(index)),
        Change::Observed { phase: index } => format!("{} said how its resources are", phase(index)),
        Change::SlotTaken => "its turn has come".to_owned(),
        Change::SlotGivenUp => "goes back to the head of the queue: nothing may start here now".to_owned(),
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
        Change::ApprovalRequested { approval, .. } if approval.difference.is_empty() => "waits for approval".to_owned(),
        Change::ApprovalRequested { approval, .. } => {
            format!("waits for approval again, for the plan changed: {}", approval.difference.join("; "))
        }
        Change::Approved { by, .. } => remarked(format!("{} approved", by.by.person), &by.comment),
        Change::Refused { by, .. } => remarked(format!("{} rejected", by.by.person), &by.comment),
        Change::ApprovalCompleted { skipped: Some(why), .. } => format!("goes on without approval: {why}"),
        Change::ApprovalCompleted { side, .. } if is_signed(deployment, *side) => "approved".to_owned(),
        Change::ApprovalCompleted { side: Side::Pre, .. } => "needs no approval".to_owned(),
        Change::ApprovalCompleted { side: Side::Post, .. } => "needs no approval after the phases".to_owned(),
        Change::ConfirmStarted { phase: index, .. } => format!("planning again, just before {} applies", phase(index)),
        Change::Confirmed { .. } if is_signed(deployment, Side::Pre) => {
            "the plan is still the one that was approved".to_owned()
        }
        Change::Confirmed { .. } => "the plan is still the same".to_owned(),
        Change::Drifted { difference, .. } if is_signed(deployment, Side::Pre) => {
            format!("the plan is not the approved one any more: {}", difference.join("; "))
        }
        Change::Drifted { difference, .. } => format!("the plan is another one by now: {}", difference.join("; ")),
        Change::FoundStale { phase: index } => format!("{} found the world changed under its apply", phase(index)),
        Change::Phase { phase: index, change } => phase_sentence(deployment, *index, change),
        Change::Gates { of, change } => gates_sentence(deployment, *of, change),
        Change::Failed { failure } => format!("{} failed: {}", failure.of, failure.message),
        Change::CancelRequested { cancel } => remarked(format!("{} cancels", cancel.by.person), &cancel.reason),
        Change::StopForced { stop } => remarked(format!("{} stops it by force", stop.by.person), &stop.reason),
        Change::Finished { finish } => finished(deployment, *finish),
    }
}

/// Somebody has agreed; where nobody was asked, or nobody answered in time, it went on all the same.
fn is_signed(deployment: &Deployment, side: Side) -> bool {
    deployment.attempt.asked(side).is_some_and(|asked| asked.skipped.is_none() && !asked.given.is_empty())
}

fn phase_sentence(deployment: &Deployment, index: usize, change: &PhaseChange) -> String {
    let phase = &deployment.phase(index).name;
    match change {
        PhaseChange::Started { .. } => format!("{phase} started"),
        PhaseChange::Answered { intervention } => {
            let says = if intervention.proceeds { "lets" } else { "does not let" };
            let text = format!("{} {says} {phase} proceed", intervention.by.by.person);
            remarked(text, &intervention.by.comment)
        }
        PhaseChange::Succeeded => remarked(format!("{phase} succeeded"), &deployment.attempt.phases[index].summary),
        PhaseChange::Failed { failure, .. } => {
            let goes_on = if deployment.phase(index).continue_on_error { " (the workflow goes on)" } else { "" };
            format!("{phase} failed: {}{goes_on}", failure.message)
        }
        PhaseChange::Canceled => format!("{phase} was stopped"),
        PhaseChange::Skipped => format!("{phase} is skipped"),
        PhaseChange::CancelStarted { .. } => format!("{phase} is asked to stop what it started"),
        PhaseChange::UndoStarted { .. } => format!("going back: {phase} is undone"),
        PhaseChange::UndoEnded { result: UndoResult::Undone } => format!("{phase} is back to how it was"),
        PhaseChange::UndoEnded { result: UndoResult::NotUndone(failure) } => {
            format!("{phase} could not be undone: {}", failure.message)
        }
    }
}

fn held(hold: &Hold) -> String {
    let until = hold.until.map(|until| format!(" until {}", clock::rfc3339(until))).unwrap_or_default();
    match &hold.because {
        HoldReason::Scheduled => format!("waits for its time{until}"),
        HoldReason::Deferred => format!("was approved for later: waits{until}"),
        HoldReason::Requires { environment } => {
            format!("waits{until}, for its release has to prove itself in {environment} first")
        }
    }
}

fn gates_sentence(deployment: &Deployment, of: GatesOf, change: &GatesChange) -> String {
    match change {
        GatesChange::Started { .. } => "the gates are watched".to_owned(),
        GatesChange::RoundStarted { round, .. } => format!("gates, round {round}"),
        GatesChange::Judged { gate, outcome } => {
            let name = deployment.step_name(Step::Gate { of, index: *gate });
            format!("gate {name}: {}", remarked(type_of(&outcome.outcome), &outcome.reason))
        }
        GatesChange::RoundEnded { green_since: Some(_), .. } => "all gates are green".to_owned(),
        GatesChange::RoundEnded { green_since: None, .. } => "not all gates are green".to_owned(),
        GatesChange::Ignored { gate, by } => {
            let name = deployment.step_name(Step::Gate { of, index: *gate });
            remarked(format!("{} ignores gate {name}", by.by.person), &by.comment)
        }
        GatesChange::Ended { end: GatesEnd::Passed { .. } } => "the gates passed".to_owned(),
        GatesChange::Ended { end: GatesEnd::Failed { reason } } => format!("the gates failed: {reason}"),
    }
}

/// `plan of publish`: what a call is for.
pub fn step_in_words(deployment: &Deployment, step: Step) -> String {
    let name = deployment.step_name(step);
    match step {
        Step::Observe(_) => format!("observation of {name}"),
        Step::Plan(_) => format!("plan of {name}"),
        Step::Confirm(_) => format!("confirmation of {name}"),
        Step::Run(_) => name.to_string(),
        Step::Cancel(_) => format!("cancel of {name}"),
        Step::Undo(_) => format!("undo of {name}"),
        Step::Gate { .. } => format!("gate {name}"),
    }
}

fn answered(answer: &Answer) -> String {
    match answer {
        Answer::Progressed(progressed) if progressed.done => remarked("is done".to_owned(), &progressed.summary),
        Answer::Progressed(progressed) => remarked("goes on".to_owned(), &progressed.summary),
        Answer::Planned(step) => remarked("answered".to_owned(), &step.planned.summary),
        Answer::Observed(resources) => format!("answered: {} resources", resources.len()),
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
        Change::ApprovalCompleted { plan_digest, .. } => json!({ "plan_digest": plan_digest }),
        Change::Phase { change: PhaseChange::Failed { failure, .. }, .. } => json!({ "code": failure.code }),
        Change::Gates { of, change: GatesChange::Judged { gate, outcome } } => {
            let name = deployment.step_name(Step::Gate { of: *of, index: *gate });
            json!({ "gate": name, "outcome": outcome.outcome })
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use lockgate_core::definition::ApprovalPolicy;
    use lockgate_core::deployment::{Approval, Signature};
    use lockgate_core::digest::Digest;
    use lockgate_core::name::{Actor, Timestamp};

    use super::*;
    use crate::driver::tests::written::deploying;

    #[test]
    fn only_what_somebody_has_signed_is_called_approved() {
        let plan_digest = Digest::of(b"plan");
        let done = |side| Change::ApprovalCompleted { side, plan_digest, not_before: None, skipped: None };
        let drifted =
            Change::Drifted { phase: 0, digest: plan_digest, difference: vec!["file a: has changed".to_owned()] };
        let changes = [done(Side::Pre), done(Side::Post), Change::Confirmed { phase: 0 }, drifted];
        let mut deployment = Deployment::clone(&deploying().state.deployments[&1]);
        let told =
            |deployment: &Deployment| changes.iter().map(|change| sentence(deployment, change)).collect::<Vec<_>>();
        let unsigned = told(&deployment);
        let by = Actor { person: "ann".to_owned(), groups: Default::default(), via: "test".to_owned() };
        let mut approval = Approval {
            plan_digest,
            policy: ApprovalPolicy::default(),
            requested_at: Timestamp(0),
            deadline: Timestamp(1),
            rules_until: None,
            given: vec![Signature { by, at: Timestamp(0), comment: String::new(), not_before: None }],
            refused: None,
            skipped: None,
            difference: Vec::new(),
        };
        let both = |deployment: &mut Deployment, approval: &Approval| {
            deployment.attempt.approval = Some(Box::new(approval.clone()));
            deployment.attempt.post_approval = Some(Box::new(approval.clone()));
        };
        both(&mut deployment, &approval);
        let signed = told(&deployment);
        approval.skipped = Some("nobody answered".to_owned());
        both(&mut deployment, &approval);
        assert_eq!(told(&deployment), unsigned, "it went on without them");
        assert_eq!(
            unsigned,
            [
                "needs no approval",
                "needs no approval after the phases",
                "the plan is still the same",
                "the plan is another one by now: file a: has changed",
            ]
        );
        assert_eq!(
            signed,
            [
                "approved",
                "approved",
                "the plan is still the one that was approved",
                "the plan is not the approved one any more: file a: has changed",
            ]
        );
    }
}
