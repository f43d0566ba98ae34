//! What a plugin wants kept.

use super::{Rejection, Turn, find_unfinished};
use crate::environment::EnvironmentChange;
use crate::kept::Keep;
use crate::state::What;

pub(super) fn keep(turn: &mut Turn, keep: Keep) -> Result<(), Rejection> {
    // A call that was stopped may still speak.
    let environment = find_unfinished(&turn.state, keep.deployment)?.environment.clone();
    let namespace = keep.namespace.clone();
    let there = turn.state.environment(&environment).kept.get(&namespace).cloned().unwrap_or_default();
    let (key, entry) = there.kept(keep)?;
    let change = EnvironmentChange::StateKept { namespace, key, entry };
    turn.record(What::Environment { environment, change });
    Ok(())
}
