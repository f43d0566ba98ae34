//! One question to a plugin, as the host asks it: a gate that has measured is judged at once.

use lockgate_core::order::Question;
use lockgate_core::plugin::{Failure, Retry, Verdict};
use lockgate_core::work::Answer;
use lockgate_sandbox::{CallError, Operation};
use serde_json::Value;

use super::surroundings::failure;

/// An event of the journal holds one answer, with room for what stands around it.
pub(super) const MOST_ANSWER_BYTES: usize = 4 << 20;

/// What came of a question.
pub struct Asked {
    pub answer: Result<Answer, CallError>,
    /// Of a gate that is done measuring.
    pub judged: Option<Judged>,
}

pub struct Judged {
    pub evidence: Value,
    pub verdict: Result<Verdict, CallError>,
}

/// `call` runs one operation in the sandbox.
pub async fn ask<C>(question: &Question, call: impl Fn(Operation) -> C) -> Asked
where
    C: Future<Output = Result<lockgate_sandbox::Answer, CallError>>,
{
    let only = |answer| Asked { answer, judged: None };
    let sampled = match call(operation(question)).await {
        Err(error) => return only(Err(error)),
        Ok(lockgate_sandbox::Answer::Progressed(progressed)) => return only(Ok(Answer::Progressed(progressed))),
        Ok(lockgate_sandbox::Answer::Planned(step)) => return only(Ok(Answer::Planned(step))),
        Ok(lockgate_sandbox::Answer::Observed(resources)) => return only(Ok(Answer::Observed(resources))),
        Ok(lockgate_sandbox::Answer::Judged(_)) => return only(Err(beside_the_question())),
        Ok(lockgate_sandbox::Answer::Sampled(sampled)) => sampled,
    };
    let (memo, poll_after_ms, evidence) = (sampled.memo, sampled.poll_after_ms, sampled.evidence);
    if !sampled.done {
        return only(Ok(Answer::Sampled { memo, poll_after_ms, verdict: None }));
    }
    let verdict = call(Operation::Judge { evidence: evidence.clone() }).await.and_then(verdict_of);
    let answer = verdict.clone().map(|verdict| Answer::Sampled { memo, poll_after_ms, verdict: Some(verdict) });
    Asked { answer, judged: Some(Judged { evidence, verdict }) }
}

fn operation(question: &Question) -> Operation {
    match question.clone() {
        Question::Advance { cursor } => Operation::Advance { cursor },
        Question::Cancel { cursor } => Operation::Cancel { cursor },
        Question::Observe => Operation::Observe,
        Question::Plan { cursor } => Operation::Plan { cursor },
        Question::Apply { approved, cursor } => Operation::Apply { approved: approved.planned.clone(), cursor },
        Question::Undo { approved, cursor } => Operation::Undo { approved: approved.planned.clone(), cursor },
        Question::Sample { memo } => Operation::Sample { memo },
    }
}

fn verdict_of(answer: lockgate_sandbox::Answer) -> Result<Verdict, CallError> {
    match answer {
        lockgate_sandbox::Answer::Judged(verdict) => Ok(verdict),
        lockgate_sandbox::Answer::Progressed(_)
        | lockgate_sandbox::Answer::Planned(_)
        | lockgate_sandbox::Answer::Observed(_)
        | lockgate_sandbox::Answer::Sampled(_) => Err(beside_the_question()),
    }
}

fn beside_the_question() -> CallError {
    let problem = "the plugin answered another question".to_owned();
    CallError::InvalidAnswer { what: "the answer".to_owned(), problem }
}

/// An answer is recorded as text, which may be several times as long as what the plugin said.
pub fn bounded(answer: Answer) -> Result<Answer, Failure> {
    let bytes = serde_json::to_vec(&answer).expect("an answer is plain data").len();
    if bytes > MOST_ANSWER_BYTES {
        let message =
            format!("the plugin's answer takes {bytes} bytes on the record; at most {MOST_ANSWER_BYTES} are allowed");
        return Err(failure("limit", message, Retry::Never));
    }
    Ok(answer)
}
