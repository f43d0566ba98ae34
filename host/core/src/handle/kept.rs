//! What a plugin wants kept.

use super::{Rejection, Turn, at_most, find_unfinished};
use crate::environment::EnvironmentChange;
use crate::kept::{Entry, Keep, LONGEST_KEY, LONGEST_VALUE, MOST_OF_NAMESPACE};
use crate::state::What;

pub(super) fn keep(turn: &mut Turn, keep: Keep) -> Result<(), Rejection> {
    let Keep { deployment, namespace, key, value, expect } = keep;
    at_most("the key's length", key.len(), LONGEST_KEY)?;
    at_most("the value's length", value.len(), LONGEST_VALUE)?;
    // A call that was stopped may still speak.
    let environment = find_unfinished(&turn.state, deployment)?.environment.clone();
    let there = turn.state.environment(&environment).kept.get(&namespace).cloned().unwrap_or_default();
    let version = there.version(&key);
    if version != expect {
        return Err(Rejection::StateMoved { key, version, expect });
    }
    at_most("the size of the namespace", there.bytes_with(&key, &value), MOST_OF_NAMESPACE)?;
    let entry = Entry { value, version: version + 1, by: deployment };
    let change = EnvironmentChange::StateKept { namespace, key, entry };
    turn.record(What::Environment { environment, change });
    Ok(())
}
