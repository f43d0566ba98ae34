//! When gates are green, and for how long: the one rule, for a run that is under way and for one that is judged again.

use crate::deployment::GateVerdict;
use crate::name::Timestamp;

/// Since when a set is green, after a round that ended `at`. All gates must pass in the same round, and only pass
/// passes: `None` is a gate that was not judged.
pub fn green_since(
    before: Option<Timestamp>,
    round: impl IntoIterator<Item = Option<GateVerdict>>,
    at: Timestamp,
) -> Option<Timestamp> {
    let all_pass = round.into_iter().all(|outcome| outcome == Some(GateVerdict::Pass));
    all_pass.then(|| before.unwrap_or(at))
}

/// Green is what was seen green: from the end of the first such round to the last verdict, not to now.
pub fn is_steady(green_since: Option<Timestamp>, last_seen: Timestamp, steady_ms: u64) -> bool {
    green_since.is_some_and(|since| last_seen.ms_since(since) >= steady_ms)
}
