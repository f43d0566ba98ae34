//! What will be, if nobody acts and every call takes a stated time: the same core, run ahead.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::handle::{Command, Surroundings, handle};
use crate::name::{Name, Timestamp};
use crate::order::{Order, Question, order};
use crate::plugin::{Decision, PlanStep, Planned, Progressed, Verdict};
use crate::state::{Due, State};
use crate::work::{Answer, CallRef, Step};

#[derive(Debug, Clone)]
pub struct Assumptions {
    /// Each call answers after so long, and well: plans stay as they are, gates pass.
    pub call_ms: u64,
    /// The approved gate plugins, as they are now.
    pub gates: BTreeMap<Name, Digest>,
    /// After so many turns no further is looked ahead.
    pub most_turns: usize,
}

#[derive(Debug, Clone)]
pub struct Forecast {
    pub state: State,
    /// How far it goes: the time that was asked for, unless too much happens until then.
    pub until: Timestamp,
}

/// The state at `until`; stops before, at the first moment at which `enough` holds, or after the last turn there may be.
pub fn forecast(
    state: &State,
    now: Timestamp,
    until: Timestamp,
    assumptions: &Assumptions,
    enough: impl Fn(&State) -> bool,
) -> Forecast {
    let mut now = now.max(state.last_event_at);
    let mut ahead = state.clone();
    let mut calls = Calls::default();
    for _ in 0..assumptions.most_turns {
        if enough(&ahead) {
            return Forecast { state: ahead, until: now };
        }
        calls.follow(&ahead, now, assumptions.call_ms);
        let (at, command) = match (ahead.wake_at(), calls.next()) {
            (Some(wake_at), Some((ends_at, _))) if wake_at <= ends_at => (wake_at, Command::Tick),
            (Some(wake_at), None) => (wake_at, Command::Tick),
            (_, Some((ends_at, due))) => match order(&ahead, &due) {
                Some(order) => (ends_at, Command::Report { call: due.call, answer: answer(&ahead, &due, &order) }),
                None => break,
            },
            (None, None) => return Forecast { state: ahead, until },
        };
        if at > until {
            return Forecast { state: ahead, until };
        }
        now = now.max(at);
        let around = Surroundings { now, gates: &assumptions.gates };
        let events = handle(&ahead, command, around).unwrap_or_default();
        events.iter().for_each(|event| ahead.apply(event).expect("what was decided on a state fits it"));
    }
    Forecast { state: ahead, until: now }
}

/// Calls under way, and when each is answered.
#[derive(Default)]
struct Calls(BTreeMap<CallRef, (Timestamp, Due)>);

impl Calls {
    fn follow(&mut self, state: &State, now: Timestamp, call_ms: u64) {
        let due: BTreeMap<CallRef, Due> = state.due().into_iter().map(|due| (due.call, due)).collect();
        self.0.retain(|call, _| due.contains_key(call));
        for (call, due) in due {
            self.0.entry(call).or_insert((now.plus_ms(call_ms), due));
        }
    }

    fn next(&self) -> Option<(Timestamp, Due)> {
        self.0.values().copied().min_by_key(|(at, due)| (*at, due.call))
    }
}

/// What a plugin that finds nothing to object to answers.
pub fn answer(state: &State, due: &Due, order: &Order) -> Answer {
    let planned_before = || {
        let deployment = state.deployments.get(&due.call.deployment)?;
        let (Step::Plan(phase) | Step::Confirm(phase)) = due.step else { return None };
        Some(deployment.attempt.phases.get(phase)?.plan.as_ref()?.planned.clone())
    };
    match &order.question {
        Question::Plan { .. } => Answer::Planned(PlanStep {
            done: true,
            cursor: Vec::new(),
            poll_after_ms: 0,
            planned: planned_before().unwrap_or_else(Planned::default),
        }),
        Question::Observe => Answer::Observed(Vec::new()),
        Question::Sample { .. } => Answer::Sampled {
            memo: Vec::new(),
            poll_after_ms: 0,
            verdict: Some(Verdict { decision: Decision::Pass, reason: "assumed".to_owned(), valid_for_ms: 0 }),
        },
        Question::Advance { .. } | Question::Cancel { .. } | Question::Apply { .. } | Question::Undo { .. } => {
            Answer::Progressed(Progressed { done: true, ..Progressed::default() })
        }
    }
}
