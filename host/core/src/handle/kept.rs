//! What a plugin wants kept, and an operator cleared.

use super::{Rejection, Turn, at_most, find_unfinished, unknown_environment, with_a_reason};
use crate::definition::listed;
use crate::environment::EnvironmentChange;
use crate::kept::{Keep, MOST_OF_ATTEMPT};
use crate::name::{Actor, Name};
use crate::state::What;

pub(super) fn keep(turn: &mut Turn, keep: Keep) -> Result<(), Rejection> {
    // A call that was stopped may still speak.
    let writer = find_unfinished(&turn.state, keep.deployment)?;
    let environment = writer.environment.clone();
    let in_all = (writer.attempt.kept_bytes as usize).saturating_add(keep.key.len() + keep.value.len());
    at_most("what this deployment has kept in all, in bytes", in_all, MOST_OF_ATTEMPT)?;
    let namespace = keep.namespace.clone();
    let there = turn.state.environment(&environment).kept.get(&namespace).cloned().unwrap_or_default();
    let (key, entry) = there.kept(keep)?;
    let change = EnvironmentChange::StateKept { namespace, key, entry };
    turn.record(What::Environment { environment, change });
    Ok(())
}

/// Whose plugins have read it may still write by what they read: a cleared key begins again at version 1.
pub(super) fn clear(
    turn: &mut Turn,
    environment: Name,
    namespace: Name,
    key: Option<String>,
    reason: String,
    by: Actor,
) -> Result<(), Rejection> {
    with_a_reason("clearing what plugins keep", "reason", &reason)?;
    if !turn.state.definition.environments.contains_key(&environment) {
        return Err(unknown_environment(&turn.state, &environment));
    }
    let there = turn.state.environment(&environment);
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
