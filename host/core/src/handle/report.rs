//! What plugins answer.

use serde_json::Value;

use super::Turn;
use crate::change::Change;
use crate::work::{Answer, CallRef};

/// A report that fits no open call is late or repeated: it changes nothing, and that is not an error.
pub(super) fn take_in(turn: &mut Turn, call: CallRef, answer: Answer) {
    let Some(deployment) = turn.state.deployments.get(&call.deployment) else { return };
    if deployment.attempt.number != call.attempt {
        return;
    }
    let Some(step) = deployment.works().into_iter().find(|work| work.call() == Some(call.call)).map(|work| work.step)
    else {
        return;
    };
    turn.change(call.deployment, Change::CallAnswered { step, call: call.call, answer: without_nulls(answer) });
    turn.settle(call.deployment);
}

/// A phase without outputs has none, rather than an empty value someone has to tell from one.
fn without_nulls(answer: Answer) -> Answer {
    match answer {
        Answer::Progressed(mut progressed) if progressed.outputs == Value::Object(serde_json::Map::new()) => {
            progressed.outputs = Value::Null;
            Answer::Progressed(progressed)
        }
        other => other,
    }
}
