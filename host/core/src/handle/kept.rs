//! What a plugin wants kept, and an operator cleared.

use super::{Rejection, Turn, at_most, find_unfinished, unknown_environment, with_a_reason};
use crate::definition::listed;
use crate::environment::EnvironmentChange;
use crate::kept::{ClearState, Keep, MOST_OF_ATTEMPT, cost};
use crate::state::What;

pub(super) fn keep(turn: &mut Turn, keep: Keep) -> Result<(), Rejection> {
    // A call that was stopped may still speak.
    let writer = find_unfinished(&turn.state, keep.deployment)?;
    let environment = writer.environment.clone();
    let in_all = (writer.attempt.kept_bytes as usize).saturating_add(cost(&keep.key, &keep.value));
    at_most("what this attempt of the deployment has kept, in bytes,", in_all, MOST_OF_ATTEMPT)?;
    let namespace = keep.namespace.clone();
    let there = turn.state.environment(&environment).kept.get(&namespace).cloned().unwrap_or_default();
    let (key, entry) = there.kept(keep)?;
    let change = EnvironmentChange::StateKept { namespace, key, entry };
    turn.record(What::Environment { environment, change });
    Ok(())
}

/// Only while nobody has a turn: versions begin again at 1, and whoever read an old one could write by it.
pub(super) fn clear(turn: &mut Turn, clear: ClearState) -> Result<(), Rejection> {
    let ClearState { environment, namespace, key, reason, by } = clear;
    with_a_reason("clearing what plugins keep", "reason", &reason)?;
    let there = turn.state.environment(&environment);
    // One that has left the project file may have left something.
    if !turn.state.definition.environments.contains_key(&environment) && there.kept.is_empty() {
        return Err(unknown_environment(&turn.state, &environment));
    }
    if let Some(number) = there.slots.get_min().copied() {
        return Err(Rejection::StateInUse { environment, number });
    }
    let kept = there.kept.get(&namespace);
    if kept.is_none_or(|kept| key.as_ref().is_some_and(|key| kept.get(key).is_none())) {
        let known = match kept {
            Some(kept) => listed(kept.iter().map(|(key, _)| key.escape_debug())),
            None => listed(there.kept.keys()),
        };
        let what =
            key.map_or_else(|| format!("`{namespace}`"), |key| format!("`{}` in `{namespace}`", key.escape_debug()));
        return Err(Rejection::NothingKept { what, environment, known });
    }
    turn.change_environment(&environment, EnvironmentChange::StateCleared { namespace, key, reason, by });
    Ok(())
}
