//! What past runs of gates come to when one of the gates judges otherwise. No I/O: records and verdicts in, outcomes out.
//!
//! What the other gates said stays as it was, and whether a set is green is the core's own rule.

use std::collections::BTreeMap;

use lockgate_core::deployment::{GateOutcome, GateVerdict};
use lockgate_core::green::{green_since, is_steady};
use lockgate_core::name::{Name, Tag, Timestamp};

use crate::driver::evidence::{GateSaid, KeptSample, Round, RoundWhat, RunId};

/// The samples of a gate, and what each comes to, by run and round.
pub type Samples = BTreeMap<(RunId, u32), KeptSample>;
pub type Judged = BTreeMap<(RunId, u32), Again>;

#[derive(Debug, Clone, PartialEq)]
pub struct TestedRun {
    pub id: RunId,
    pub release: Tag,
    /// Of what is known of it last.
    pub at: Timestamp,
    pub was: Was,
    pub would: Would,
    /// What the present verdict comes from, in words.
    pub why: String,
    /// It had passed, and its gates had so much of their time left: they could still have turned green.
    pub time_left_ms: Option<u64>,
    pub samples: Vec<TestedSample>,
}

impl TestedRun {
    /// What it would have been is known, and another thing than what it was.
    pub fn differs(&self) -> bool {
        match (self.would, self.was) {
            (Would::Passed, was) => was != Was::Passed,
            (Would::Stopped, was) => was != Was::Stopped,
            (Would::Unknown, _) => false,
        }
    }
}

/// How the run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Was {
    Passed,
    Stopped,
    Canceled,
    /// It is under way, or its end was not kept.
    NotEnded,
}

/// How it would have, by what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Would {
    Passed,
    Stopped,
    Unknown,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TestedSample {
    pub round: u32,
    /// As the core counted it.
    pub was: Option<GateOutcome>,
    pub again: Again,
}

/// What a sample comes to under the changed rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    Judged {
        outcome: GateVerdict,
        reason: String,
    },
    /// It was no verdict of `judge`, so it stays what it was.
    AsItWas,
    Unknown {
        why: String,
    },
}

/// What is kept of one run of a set, from its first round on.
#[derive(Debug, Clone)]
pub struct Run {
    pub id: RunId,
    release: Tag,
    pub at: Timestamp,
    rounds: BTreeMap<u32, EndedRound>,
    was: Was,
}

#[derive(Debug, Clone)]
struct EndedRound {
    at: Timestamp,
    steady_ms: u64,
    deadline: Timestamp,
    gates: Vec<GateSaid>,
}

/// Those with this gate, newest first. One whose first rounds are gone is gone: nobody knows since when it was green.
pub fn runs_of(gate: &Name, rounds: Vec<Round>) -> Vec<Run> {
    let mut runs = BTreeMap::<RunId, Run>::new();
    for Round { run: id, release, at, what } in rounds {
        let new = Run { id, release, at, rounds: BTreeMap::new(), was: Was::NotEnded };
        let run = runs.entry(id).or_insert(new);
        run.at = at;
        match what {
            RoundWhat::Ended { round, steady_ms, deadline, gates } => {
                run.rounds.insert(round, EndedRound { at, steady_ms, deadline, gates });
            }
            RoundWhat::Passed => run.was = Was::Passed,
            RoundWhat::Failed { .. } => run.was = Was::Stopped,
            RoundWhat::Canceled => run.was = Was::Canceled,
        }
    }
    let has_gate = |round: &EndedRound| round.gates.iter().any(|said| said.name == *gate);
    let is_whole =
        |run: &Run| run.rounds.first_key_value().is_some_and(|(first, round)| *first == 1 && has_gate(round));
    let mut runs: Vec<Run> = runs.into_values().filter(is_whole).collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.at, run.id)));
    runs
}

pub fn tested(gate: &Name, run: Run, samples: &Samples, judged: &Judged) -> TestedRun {
    let again = |(number, round): (&u32, &EndedRound)| {
        let was = said_of(gate, round).cloned();
        let key = (run.id, *number);
        let again = again(was.as_ref(), samples.get(&key), judged.get(&key));
        TestedSample { round: *number, was, again }
    };
    let samples: Vec<TestedSample> = run.rounds.iter().map(again).collect();
    let (would, why) = would(gate, &run, &samples);
    let last = run.rounds.values().next_back();
    let turned = run.was == Was::Passed && would == Would::Stopped;
    let time_left_ms = last.filter(|_| turned).map(|round| round.deadline.ms_since(run.at));
    let Run { id, release, at, was, .. } = run;
    TestedRun { id, release, at, was, would, why, time_left_ms, samples }
}

fn said_of<'a>(gate: &Name, round: &'a EndedRound) -> Option<&'a GateOutcome> {
    round.gates.iter().find(|said| said.name == *gate)?.last.as_ref()
}

/// A verdict that the core did not count, for it came too late, would be too late again.
fn again(was: Option<&GateOutcome>, sample: Option<&KeptSample>, judged: Option<&Again>) -> Again {
    let was_error = was.is_none_or(|was| was.outcome == GateVerdict::Error);
    match (sample, judged) {
        (Some(sample), Some(_)) if was_error && sample.measured.said.outcome() != GateVerdict::Error => Again::AsItWas,
        (Some(_), Some(judged)) => judged.clone(),
        (None, _) | (_, None) if was_error => Again::AsItWas,
        (None, _) | (_, None) => Again::Unknown { why: "its evidence is not kept any more".to_owned() },
    }
}

/// What cannot be known does not matter where it would come to the same either way.
fn would(gate: &Name, run: &Run, samples: &[TestedSample]) -> (Would, String) {
    let at_best = passes_in(gate, run, samples, GateVerdict::Pass);
    let at_worst = passes_in(gate, run, samples, GateVerdict::Error);
    match (at_worst, at_best) {
        (Some(round), _) => (Would::Passed, reason_in(gate, run, samples, round)),
        (None, None) => match run.was {
            Was::Passed | Was::Stopped => (Would::Stopped, why_not_green(gate, run, samples)),
            Was::Canceled => (Would::Unknown, "it was canceled before its gates were green".to_owned()),
            Was::NotEnded => (Would::Unknown, "its gates have not ended".to_owned()),
        },
        (None, Some(_)) => {
            let unknown = samples.iter().filter_map(|sample| match &sample.again {
                Again::Unknown { why } => Some((sample.round, why)),
                Again::Judged { .. } | Again::AsItWas => None,
            });
            let unknown: Vec<(u32, &String)> = unknown.collect();
            let first = unknown.first().map(|(round, why)| format!(", the first in round {round}: {why}"));
            let count = unknown.len();
            let plural = if count == 1 { "" } else { "s" };
            (Would::Unknown, format!("{count} sample{plural} cannot be judged{}", first.unwrap_or_default()))
        }
    }
}

/// The round in which the set is green for long enough, if `unknown` is what cannot be known.
fn passes_in(gate: &Name, run: &Run, samples: &[TestedSample], unknown: GateVerdict) -> Option<u32> {
    let mut since = None;
    for ((number, round), sample) in run.rounds.iter().zip(samples) {
        let outcome = |said: &GateSaid| match &sample.again {
            Again::Judged { outcome, .. } if said.name == *gate => Some(*outcome),
            Again::Unknown { .. } if said.name == *gate => Some(unknown),
            Again::Judged { .. } | Again::Unknown { .. } | Again::AsItWas => {
                said.last.as_ref().map(|last| last.outcome)
            }
        };
        since = green_since(since, round.gates.iter().map(outcome), round.at);
        let last_seen = round.gates.iter().filter_map(|said| Some(said.last.as_ref()?.at)).max().unwrap_or(round.at);
        if is_steady(since, last_seen, round.steady_ms) {
            return Some(*number);
        }
    }
    None
}

fn reason_in(gate: &Name, run: &Run, samples: &[TestedSample], round: u32) -> String {
    let sample = samples.iter().find(|sample| sample.round == round);
    let was = run.rounds.get(&round).and_then(|round| said_of(gate, round));
    match sample.map(|sample| &sample.again) {
        Some(Again::Judged { reason, .. }) => reason.clone(),
        Some(Again::AsItWas | Again::Unknown { .. }) | None => was.map(|was| was.reason.clone()).unwrap_or_default(),
    }
}

/// What was red in the end, this gate first; else what this gate last had against it.
fn why_not_green(gate: &Name, run: &Run, samples: &[TestedSample]) -> String {
    let last = samples.last().and_then(against);
    let others = || {
        let last = run.rounds.values().next_back()?;
        let red = last.gates.iter().filter(|said| said.name != *gate).filter_map(|said| {
            let last = said.last.as_ref().filter(|last| last.outcome != GateVerdict::Pass)?;
            Some(format!("{}: {}", said.name, last.reason))
        });
        let red: Vec<String> = red.collect();
        (!red.is_empty()).then(|| red.join("; "))
    };
    let before = || samples.iter().rev().find_map(against);
    last.or_else(others).or_else(before).unwrap_or_else(|| "the gates were not green for long enough".to_owned())
}

/// Why a sample is no pass.
fn against(sample: &TestedSample) -> Option<String> {
    match &sample.again {
        Again::Judged { outcome: GateVerdict::Pass, .. } => None,
        Again::Judged { reason, .. } => Some(reason.clone()),
        Again::AsItWas => {
            sample.was.as_ref().filter(|was| was.outcome != GateVerdict::Pass).map(|was| was.reason.clone())
        }
        Again::Unknown { why } => Some(why.clone()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::{Expect, expect};
    use lockgate_core::digest::Digest;
    use lockgate_core::plugin::{Decision, Verdict};
    use lockgate_core::work::GatesOf;
    use serde_json::Value;

    use super::*;
    use crate::driver::evidence::{Evidence, Measured, Said};

    use GateVerdict::{Error, Fail, Inconclusive, Pass};

    const SECOND: u64 = 1_000;
    const ID: RunId = RunId { deployment: 7, attempt: 1, set: GatesOf::Post };

    fn page() -> Name {
        "page".parse().unwrap()
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default().plus_ms(seconds * SECOND)
    }

    fn record(seconds: u64, what: RoundWhat) -> Round {
        Round { run: ID, release: "v1".parse().unwrap(), at: at(seconds), what }
    }

    fn outcome(outcome: GateVerdict, seconds: u64) -> GateOutcome {
        GateOutcome {
            outcome,
            reason: format!("{outcome:?} at {seconds} s").to_lowercase(),
            at: at(seconds),
            valid_until: None,
        }
    }

    /// A run of the gates `page` and `errors`, with a round every ten seconds and a minute in all.
    struct Past {
        records: Vec<Round>,
        samples: Samples,
        judged: Judged,
    }

    impl Past {
        fn of(steady_seconds: u64, rounds: &[(GateVerdict, GateVerdict)], end: Option<RoundWhat>) -> Self {
            let mut past = Self { records: Vec::new(), samples: Samples::new(), judged: Judged::new() };
            for (number, (of_page, of_errors)) in (1..).zip(rounds) {
                let seconds = u64::from(number - 1) * 10;
                let said = |name: &str, verdict| GateSaid {
                    name: name.parse().unwrap(),
                    last: Some(outcome(verdict, seconds)),
                };
                past.records.push(record(
                    seconds,
                    RoundWhat::Ended {
                        round: number,
                        steady_ms: steady_seconds * SECOND,
                        deadline: at(60),
                        gates: vec![said("errors", *of_errors), said("page", *of_page)],
                    },
                ));
                past.samples.insert((ID, number), sample(number, *of_page));
            }
            past.records.extend(end.map(|what| record(rounds.len() as u64 * 10 - 10, what)));
            past
        }

        fn passed(rounds: &[(GateVerdict, GateVerdict)]) -> Self {
            Self::of(0, rounds, Some(RoundWhat::Passed))
        }

        fn failed(rounds: &[(GateVerdict, GateVerdict)]) -> Self {
            Self::of(0, rounds, Some(RoundWhat::Failed { reason: "down".to_owned() }))
        }

        /// The verdicts of `page` under the new rule, round by round.
        fn now(mut self, verdicts: &[GateVerdict]) -> Self {
            for (number, outcome) in (1..).zip(verdicts) {
                let reason = format!("now {outcome:?} in round {number}").to_lowercase();
                self.judged.insert((ID, number), Again::Judged { outcome: *outcome, reason });
            }
            self
        }

        fn unknown_in(mut self, number: u32) -> Self {
            self.judged.insert((ID, number), Again::Unknown { why: "it was not judged".to_owned() });
            self
        }

        fn tested(self) -> TestedRun {
            let run = runs_of(&page(), self.records).pop().unwrap();
            tested(&page(), run, &self.samples, &self.judged)
        }

        fn comes_to(self, expected: Expect) {
            let TestedRun { was, would, why, .. } = self.tested();
            expected.assert_eq(&format!("{was:?}, would be {would:?}: {why}"));
        }
    }

    fn sample(round: u32, outcome: GateVerdict) -> KeptSample {
        let verdict = |decision| Said::Verdict(Verdict { decision, reason: String::new(), valid_for_ms: 0 });
        let said = match outcome {
            Pass => verdict(Decision::Pass),
            Fail => verdict(Decision::Fail),
            Inconclusive => verdict(Decision::Inconclusive),
            Error => Said::Failed { code: "trap".to_owned(), message: String::new() },
        };
        let measured = Measured {
            run: ID,
            round,
            at: at(0),
            plugin: "http-check".parse().unwrap(),
            digest: Digest::of(b"http-check"),
            evidence: Evidence::Kept(Value::Null),
            said,
        };
        KeptSample { measured, config: Arc::default(), subject: Arc::default() }
    }

    #[test]
    fn a_stricter_rule_stops_what_had_passed_as_far_as_was_measured() {
        let past = || Past::passed(&[(Fail, Pass), (Pass, Pass)]).now(&[Fail, Fail]);
        past().comes_to(expect!["Passed, would be Stopped: now fail in round 2"]);
        assert_eq!(past().tested().time_left_ms, Some(50 * SECOND), "it was not sampled to its end");
    }

    #[test]
    fn a_laxer_rule_lets_pass_what_was_stopped() {
        let past = || Past::failed(&[(Fail, Pass), (Fail, Pass)]).now(&[Fail, Pass]);
        past().comes_to(expect!["Stopped, would be Passed: now pass in round 2"]);
        assert_eq!(past().tested().time_left_ms, None);
    }

    #[test]
    fn the_same_verdicts_come_to_the_same() {
        let rounds = [(Fail, Pass), (Pass, Inconclusive), (Pass, Pass)];
        Past::passed(&rounds)
            .now(&[Fail, Pass, Pass])
            .comes_to(expect!["Passed, would be Passed: now pass in round 3"]);
        Past::failed(&rounds[..2])
            .now(&[Fail, Pass])
            .comes_to(expect!["Stopped, would be Stopped: errors: inconclusive at 10 s"]);
    }

    #[test]
    fn what_other_gates_said_stays_as_it_was() {
        Past::failed(&[(Fail, Fail), (Fail, Inconclusive)])
            .now(&[Pass, Pass])
            .comes_to(expect!["Stopped, would be Stopped: errors: inconclusive at 10 s"]);
    }

    #[test]
    fn only_pass_passes() {
        for other in [Fail, Inconclusive, Error] {
            assert_eq!(Past::passed(&[(Pass, Pass)]).now(&[other]).tested().would, Would::Stopped, "{other:?}");
        }
    }

    #[test]
    fn the_gates_must_stay_green_for_as_long_as_they_had_to() {
        let green = [(Pass, Pass); 3];
        let steady = |verdicts: &[GateVerdict]| Past::of(20, &green, Some(RoundWhat::Passed)).now(verdicts);
        steady(&[Pass; 3]).comes_to(expect!["Passed, would be Passed: now pass in round 3"]);
        steady(&[Pass, Inconclusive, Pass]).comes_to(expect!["Passed, would be Stopped: now inconclusive in round 2"]);
        let all_green = Past::of(30, &green, Some(RoundWhat::Failed { reason: String::new() })).now(&[Pass; 3]);
        all_green.comes_to(expect!["Stopped, would be Stopped: the gates were not green for long enough"]);
    }

    #[test]
    fn what_came_too_late_would_come_too_late_again() {
        let mut past = Past::failed(&[(Error, Pass)]).now(&[Pass]);
        past.samples.insert((ID, 1), sample(1, Pass));
        past.comes_to(expect!["Stopped, would be Stopped: error at 0 s"]);
        Past::failed(&[(Error, Pass)]).now(&[Pass]).comes_to(expect!["Stopped, would be Passed: now pass in round 1"]);
    }

    #[test]
    fn a_check_that_broke_has_nothing_to_be_judged_again() {
        let mut past = Past::failed(&[(Error, Pass)]);
        past.samples.clear();
        past.comes_to(expect!["Stopped, would be Stopped: error at 0 s"]);
    }

    #[test]
    fn what_cannot_be_judged_leaves_open_only_what_hangs_on_it() {
        let past = |verdicts: &[GateVerdict]| Past::passed(&[(Fail, Pass), (Pass, Pass)]).now(verdicts);
        past(&[Fail, Pass]).unknown_in(1).comes_to(expect!["Passed, would be Passed: now pass in round 2"]);
        past(&[Fail]).unknown_in(2).comes_to(expect![
            "Passed, would be Unknown: 1 sample cannot be judged, the first in round 2: it was not judged"
        ]);
        let errors_fail = Past::failed(&[(Pass, Fail)]).unknown_in(1);
        assert_eq!(errors_fail.tested().would, Would::Stopped);
        let mut gone = Past::passed(&[(Pass, Pass)]);
        gone.samples.clear();
        gone.comes_to(expect![
            "Passed, would be Unknown: 1 sample cannot be judged, the first in round 1: its evidence is not kept any more"
        ]);
    }

    #[test]
    fn of_a_run_without_an_end_only_a_pass_is_known() {
        let canceled = |verdict| Past::of(0, &[(Fail, Pass)], Some(RoundWhat::Canceled)).now(&[verdict]);
        canceled(Pass).comes_to(expect!["Canceled, would be Passed: now pass in round 1"]);
        canceled(Fail).comes_to(expect!["Canceled, would be Unknown: it was canceled before its gates were green"]);
        Past::of(0, &[(Fail, Pass)], None)
            .now(&[Fail])
            .comes_to(expect!["NotEnded, would be Unknown: its gates have not ended"]);
    }

    #[test]
    fn runs_are_those_of_the_gate_from_their_beginning_on_and_the_newest_comes_first() {
        let old = Past::passed(&[(Pass, Pass), (Pass, Pass)]).records;
        let mut cut = old.clone();
        cut.remove(0);
        assert!(runs_of(&page(), cut).is_empty(), "nobody knows since when it was green");
        let newer = old.iter().cloned().map(|round| {
            let run = RunId { attempt: 2, ..round.run };
            Round { run, at: round.at.plus_ms(60 * SECOND), ..round }
        });
        let both: Vec<Round> = old.iter().cloned().chain(newer).collect();
        let attempts: Vec<u32> = runs_of(&page(), both.clone()).iter().map(|run| run.id.attempt).collect();
        assert_eq!(attempts, [2, 1]);
        assert!(runs_of(&"latency".parse().unwrap(), both).is_empty());
    }
}
