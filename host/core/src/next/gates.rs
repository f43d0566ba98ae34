//! Gates: sampled together, round by round, until they stay green or time is up.

use super::calls::{GATE_SAMPLE_TIMEOUT_MS, Outcome, outcome, timed_out, unexpected_answer};
use super::phases::{final_failure, phase_failed};
use super::{failed, of_phase};
use crate::change::{Change, GatesChange, PhaseChange};
use crate::definition::GateSet;
use crate::deployment::*;
use crate::green::{green_since, is_steady};
use crate::name::Timestamp;
use crate::plugin::Decision;
use crate::state::State;
use crate::work::{Answer, GatesOf, Side};

/// Gates are not sampled more often than this, whatever their interval.
const SHORTEST_GATE_INTERVAL_MS: u64 = 100;

/// How the environment's gates of one side stand.
pub(super) enum Standing<'a> {
    /// There are none, or they have passed and that still holds.
    Passed,
    ToRun(&'a GateSet),
    Failed(&'a str),
}

/// A verdict that has lapsed before the first phase is asked for again; later it has done its work.
pub(super) fn standing(deployment: &Deployment, side: Side, now: Timestamp) -> Standing<'_> {
    let Some(set) = deployment.gate_set(side.into()) else { return Standing::Passed };
    match deployment.attempt.gates(side.into()).and_then(|run| run.end.as_ref()) {
        None => Standing::ToRun(set),
        Some(GatesEnd::Passed { valid_until: Some(until) }) if side == Side::Pre && *until <= now => {
            Standing::ToRun(set)
        }
        Some(GatesEnd::Passed { .. }) => Standing::Passed,
        Some(GatesEnd::Failed { reason }) => Standing::Failed(reason),
    }
}

impl Standing<'_> {
    /// The gates must pass.
    pub(super) fn required(&self, side: Side, now: Timestamp) -> Option<Change> {
        match self {
            Self::Failed(reason) => Some(failed(FailureOf::Gates, (*reason).to_owned())),
            Self::Passed | Self::ToRun(_) => self.ended(side, now),
        }
    }

    /// The gates must have had their time: a person decides about the rest.
    pub(super) fn ended(&self, side: Side, now: Timestamp) -> Option<Change> {
        match self {
            Self::ToRun(set) => Some(started(side.into(), set, now)),
            Self::Passed | Self::Failed(_) => None,
        }
    }
}

pub(super) fn started(of: GatesOf, set: &GateSet, now: Timestamp) -> Change {
    let first_round_at = now.plus_ms(set.delay_ms);
    let deadline = first_round_at.plus_ms(set.timeout_ms);
    Change::Gates { of, change: GatesChange::Started { deadline, first_round_at } }
}

pub(super) fn evaluated(state: &State, deployment: &Deployment, of: GatesOf, now: Timestamp) -> Option<Change> {
    let (run, set) = (deployment.attempt.gates(of)?, deployment.gate_set(of)?);
    let works = || run.gates.iter().enumerate().filter_map(|(index, gate)| Some((index, gate.work.as_ref()?)));
    if works().next().is_none() {
        return match between_rounds(run, set, now)? {
            GatesChange::Ended { end } => Some(ended(deployment, of, end)),
            change => Some(Change::Gates { of, change }),
        };
    }
    let judged_as = |gate, outcome, reason, at| {
        let outcome = GateOutcome { outcome, reason, at, valid_until: None };
        Change::Gates { of, change: GatesChange::Judged { gate, outcome } }
    };
    works().find_map(|(index, work)| match outcome(state, deployment, work, now) {
        Outcome::Continue(change) => Some(change),
        Outcome::Nothing => None,
        // What was measured in time and told too late was not seen green in time.
        Outcome::Done(_) if now > work.deadline => {
            Some(judged_as(index, GateVerdict::Error, timed_out(deployment, work).message, now))
        }
        Outcome::Done(answer) => {
            Some(Change::Gates { of, change: GatesChange::Judged { gate: index, outcome: judged(answer, now) } })
        }
        Outcome::Failed(failure) => Some(judged_as(index, GateVerdict::Error, failure.message, now)),
    })
}

/// The gates of a phase end with the phase.
fn ended(deployment: &Deployment, of: GatesOf, end: GatesEnd) -> Change {
    match (of, end) {
        (GatesOf::Phase(phase), GatesEnd::Passed { .. }) => of_phase(phase, PhaseChange::Succeeded),
        (GatesOf::Phase(phase), GatesEnd::Failed { reason }) => {
            phase_failed(deployment, phase, final_failure("gates-failed", reason))
        }
        (GatesOf::Pre | GatesOf::Post, end) => Change::Gates { of, change: GatesChange::Ended { end } },
    }
}

fn judged(answer: &Answer, at: Timestamp) -> GateOutcome {
    match answer {
        Answer::Sampled { verdict: Some(verdict), .. } => {
            let outcome = match verdict.decision {
                Decision::Pass => GateVerdict::Pass,
                Decision::Fail => GateVerdict::Fail,
                Decision::Inconclusive => GateVerdict::Inconclusive,
            };
            let valid_until = (verdict.valid_for_ms > 0).then(|| at.plus_ms(verdict.valid_for_ms.into()));
            GateOutcome { outcome, reason: verdict.reason.clone(), at, valid_until }
        }
        Answer::Sampled { verdict: None, .. }
        | Answer::Progressed(_)
        | Answer::Planned(_)
        | Answer::Observed(_)
        | Answer::Failed(_) => {
            GateOutcome { outcome: GateVerdict::Error, reason: unexpected_answer().message, at, valid_until: None }
        }
    }
}

/// A round is complete when its verdicts are newer than its start; then it counts, once, and the next one is set.
fn between_rounds(run: &GateRun, set: &GateSet, now: Timestamp) -> Option<GatesChange> {
    if run.round > run.rounds_ended {
        let before = run.green_since.filter(|since| held_since(run, *since));
        let green_since = green_since(before, run.gates.iter().map(GateState::counts_as), now);
        let next_round_at = now.plus_ms(set.interval_ms.max(SHORTEST_GATE_INTERVAL_MS));
        return Some(GatesChange::RoundEnded { green_since, next_round_at });
    }
    let looked_at = run.gates.iter().filter(|gate| gate.ignored.is_none());
    let last_seen = looked_at.filter_map(|gate| gate.last.as_ref()).map(|last| last.at).max().unwrap_or(now);
    let valid_until = run.gates.iter().filter_map(GateState::valid_until).min();
    let still_valid = valid_until.is_none_or(|until| now < until);
    if still_valid && is_steady(run.green_since, last_seen, set.steady_ms) {
        return Some(GatesChange::Ended { end: GatesEnd::Passed { valid_until } });
    }
    if now >= run.deadline {
        return Some(GatesChange::Ended { end: GatesEnd::Failed { reason: why_not_green(run) } });
    }
    if now >= run.next_round_at {
        let deadline = now.plus_ms(GATE_SAMPLE_TIMEOUT_MS).min(run.deadline);
        return Some(GatesChange::RoundStarted { round: run.round + 1, deadline });
    }
    None
}

/// Every gate has passed since then, and none of its verdicts lapsed before the next.
fn held_since(run: &GateRun, since: Timestamp) -> bool {
    run.gates.iter().all(|gate| gate.ignored.is_some() || gate.held_since.is_some_and(|held| held <= since))
}

fn why_not_green(run: &GateRun) -> String {
    let reasons: Vec<String> = run.gates.iter().filter_map(GateState::why_not).collect();
    if reasons.is_empty() { "the gates were not green for long enough in time".to_owned() } else { reasons.join("; ") }
}
