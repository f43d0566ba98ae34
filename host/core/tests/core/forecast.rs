//! What will be, if nobody acts and every call takes the stated time: checked against what then is.

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::forecast::{Assumptions, answer, forecast};
use lockgate_core::handle::{Command, Deploy, PauseScope, Surroundings, handle};
use lockgate_core::name::Timestamp;
use lockgate_core::order::order;
use lockgate_core::state::State;
use lockgate_core::work::{CallRef, ProjectId};

use crate::project::{Project, new_release, selective, to_prod};
use crate::words::*;
use crate::world::project::{BEGINNINGS_MS, definition};

/// A host whose plugins all take the same time, and a clock that jumps to whatever comes next.
struct Host {
    state: State,
    now: Timestamp,
    call_ms: u64,
    answers_at: BTreeMap<CallRef, Timestamp>,
}

impl Host {
    /// With a random definition, and some deployments on their way.
    fn new(seed: u64, call_ms: u64) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let state = State::new(ProjectId { name: name("shop"), uid: seed.to_string() });
        let now = Timestamp(BEGINNINGS_MS[(seed % 4) as usize]);
        let mut host = Self { state, now, call_ms, answers_at: BTreeMap::new() };
        let meant = Arc::new(definition(rng, now));
        host.send(Command::SetDefinition { definition: meant, by: person("olga") });
        for text in ["v1", "v2"] {
            host.send(new_release(text));
        }
        for _ in 0..rng.usize(1..10) {
            let environment = name(if rng.bool() { "prod" } else { "staging" });
            host.now = host.now.plus_ms(rng.u64(..20_000));
            host.run_until(host.now);
            let command = match rng.u8(..12) {
                0 => Command::Pause {
                    scope: PauseScope::Environment(environment),
                    reason: String::new(),
                    by: person("olga"),
                },
                1 => Command::Rollback { environment, comment: String::new(), key: None, by: person("tom") },
                2..6 => Command::Approve {
                    number: rng.u64(1..6),
                    plan: None,
                    comment: String::new(),
                    not_before: (rng.u8(..3) == 0).then(|| host.now.plus_ms(rng.u64(1..900_000))),
                    by: member(["ann", "bob"][rng.usize(..2)], &["security", "dba"]),
                },
                6 => Command::Deploy(Deploy {
                    environment,
                    workflow: Some(name("select")),
                    ..selective("v1", &[file("a")])
                }),
                7 => {
                    let not_before = Some(host.now.plus_ms(rng.u64(1..9_000_000)));
                    Command::Deploy(Deploy { environment, not_before, ..to_prod("v2") })
                }
                8 => Command::Deploy(Deploy {
                    environment,
                    deployment_type: DeploymentType::Destroy,
                    flags: Flags { allow_destructive: true, ..Flags::default() },
                    ..to_prod("v1")
                }),
                9.. => Command::Deploy(Deploy { environment, ..to_prod(["v1", "v2"][rng.usize(..2)]) }),
            };
            host.send(command);
        }
        // What is under way is asked again, and takes its time from now.
        host.answers_at.clear();
        host
    }

    fn send(&mut self, command: Command) {
        let gates = approved_gates();
        let events = handle(&self.state, command, Surroundings { now: self.now, gates: &gates }).unwrap_or_default();
        events.iter().for_each(|event| self.state.apply(event).unwrap());
    }

    /// Who is to be woken at the same time as an answer comes is woken first.
    fn run_until(&mut self, until: Timestamp) {
        loop {
            let due = self.state.due();
            self.answers_at.retain(|call, _| due.iter().any(|due| due.call == *call));
            for due in &due {
                self.answers_at.entry(due.call).or_insert(self.now.plus_ms(self.call_ms));
            }
            let answered = self.answers_at.iter().map(|(call, at)| (*at, *call)).min();
            let woken = self.state.wake_at().filter(|at| answered.is_none_or(|(first, _)| *at <= first));
            let Some(at) = woken.or(answered.map(|(at, _)| at)).filter(|at| *at <= until) else { break };
            self.now = self.now.max(at);
            match answered.filter(|_| woken.is_none()) {
                None => self.send(Command::Tick),
                Some((_, call)) => {
                    let due = due.into_iter().find(|due| due.call == call).unwrap();
                    let answer = answer(&self.state, &due, &order(&self.state, &due).unwrap());
                    self.send(Command::Report { call, answer });
                }
            }
        }
        self.now = self.now.max(until);
    }
}

fn assumptions(call_ms: u64) -> Assumptions {
    Assumptions { call_ms, gates: approved_gates(), most_turns: 20_000 }
}

/// Whether a forecast with calls that take so long is what then happens, where they take `actual_ms`.
fn comes_true(seed: u64, assumed_ms: u64, actual_ms: u64) -> bool {
    let mut host = Host::new(seed, actual_ms);
    let ahead_ms = Rng::with_seed(seed).u64(1..3 * 24 * HOUR);
    let until = host.now.plus_ms(if seed.is_multiple_of(2) { ahead_ms / 400 } else { ahead_ms });
    let assumptions = assumptions(assumed_ms);
    let foreseen = forecast(&host.state, host.now, until, &assumptions, |_| false);
    assert_eq!(foreseen.until, until, "it goes as far as it was asked to");
    host.run_until(until);
    foreseen.state == host.state
}

#[test]
fn what_is_foreseen_is_what_happens_when_nobody_acts() {
    for seed in 0..600 {
        assert!(comes_true(seed, 1_037, 1_037), "of {seed}");
    }
}

/// Or the test above would say nothing.
#[test]
fn a_forecast_with_other_times_does_not_come_true() {
    let wrong = (0..200).filter(|seed| !comes_true(*seed, 1_037, 7_919)).count();
    assert!(wrong > 50, "only {wrong} of 200 were noticed");
}

#[test]
fn a_forecast_that_had_enough_turns_says_how_far_it_went() {
    let mut project = Project::new(environment(), &[phase("build"), phase("test")]);
    project.deploy("v1");
    let until = project.now.plus_ms(HOUR);
    let gone = |most_turns| {
        let assumptions = Assumptions { most_turns, ..assumptions(1_000) };
        let ahead = forecast(&project.state, project.now, until, &assumptions, |_| false);
        (ahead.until.ms_since(project.now), ahead.state.deployments[&1].status_text())
    };
    assert_eq!(gone(1), (1_000, "InProgress/PhaseInProgress".to_owned()));
    assert_eq!(gone(10), (HOUR, "Succeeded/Approved".to_owned()));
}

#[test]
fn a_forecast_ends_as_soon_as_it_has_seen_enough() {
    let assumptions = assumptions(1_000);
    let mut seen = 0;
    for seed in 0..50 {
        let mut host = Host::new(seed, 1_000);
        let (now, number) = (host.now, host.state.last_number);
        let until = now.plus_ms(24 * HOUR);
        let over = |state: &State| state.deployments.get(&number).is_some_and(|deployment| deployment.is_finished());
        if over(&host.state) {
            continue;
        }
        let foreseen = forecast(&host.state, now, until, &assumptions, over);
        if !over(&foreseen.state) {
            continue;
        }
        host.run_until(Timestamp(foreseen.until.0 - 1));
        assert!(!over(&host.state), "not a moment before");
        host.run_until(foreseen.until);
        assert!(over(&host.state), "then it is over");
        seen += 1;
    }
    assert!(seen > 10, "only {seen}");
}
