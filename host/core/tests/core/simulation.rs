//! Whole histories in a simulated world. The world checks each turn; here is how many, and what they must have met.

use std::collections::BTreeMap;

use crate::world::{Counts, Cut, Effect, World};

const HISTORIES: u64 = 200;
const COMMANDS: usize = 60;

/// Of the status table, what can be reached so far.
const STATUSES: [&str; 15] = [
    "NotDeployed/Queued",
    "NotDeployed/Pending",
    "NotDeployed/Approved",
    "NotDeployed/Rejected",
    "NotDeployed/Canceled",
    "InProgress/PhaseInProgress",
    "InProgress/PhaseSucceeded",
    "InProgress/ManualInterventionPending",
    "InProgress/EvaluatingGates",
    "InProgress/Cancelling",
    "Succeeded/Approved",
    "PartiallySucceeded/PhasePartiallySucceeded",
    "Failed/PhaseFailed",
    "Failed/GatesFailed",
    "Failed/Canceled",
];

const EFFECTS: [Effect; 7] =
    [Effect::Plan, Effect::Confirm, Effect::RunPhase, Effect::Apply, Effect::Cancel, Effect::Undo, Effect::Gate];

const CUTS: [Cut; 3] = [Cut::BeforeStart, Cut::BeforeReport, Cut::AfterReport];

#[test]
fn no_history_breaks_a_rule_and_together_they_reach_everything() {
    let counts = histories(0..HISTORIES);
    print_tables(&counts);
    for status in STATUSES {
        assert!(counts.statuses.contains_key(status), "no history came to {status}");
    }
    assert_eq!(counts.statuses.len(), STATUSES.len(), "a status that is not expected yet");
    for effect in EFFECTS {
        for cut in CUTS {
            assert!(counts.cuts.contains_key(&(effect, cut)), "no {effect:?} was cut {cut:?}");
        }
    }
}

#[test]
#[ignore = "a night's work"]
fn no_history_of_a_million_breaks_a_rule() {
    print_tables(&histories(0..1_000_000));
}

fn histories(seeds: std::ops::Range<u64>) -> Counts {
    let mut sum = Counts::default();
    for seed in seeds {
        let mut world = World::new(seed);
        world.live_through(COMMANDS);
        sum.add(&world.counts);
    }
    sum
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        add(&mut self.statuses, &other.statuses);
        add(&mut self.cuts, &other.cuts);
        add(&mut self.refusals, &other.refusals);
        self.deployments += other.deployments;
        self.turns += other.turns;
        self.restarts += other.restarts;
    }
}

fn add<K: Ord + Clone>(sum: &mut BTreeMap<K, u64>, other: &BTreeMap<K, u64>) {
    other.iter().for_each(|(key, count)| *sum.entry(key.clone()).or_default() += count);
}

fn print_tables(counts: &Counts) {
    println!("{} deployments, {} turns, {} restarts", counts.deployments, counts.turns, counts.restarts);
    println!("\n{:44} reached", "status");
    for status in STATUSES {
        println!("{status:44} {:7}", counts.statuses.get(status).copied().unwrap_or(0));
    }
    println!("\n{:10} {:>13} {:>13} {:>13}", "cut", "before start", "before report", "after report");
    for effect in EFFECTS {
        let count = |cut| counts.cuts.get(&(effect, cut)).copied().unwrap_or(0);
        println!("{:10} {:>13} {:>13} {:>13}", format!("{effect:?}"), count(CUTS[0]), count(CUTS[1]), count(CUTS[2]));
    }
    println!("\nrefused: {:?}", counts.refusals);
}
