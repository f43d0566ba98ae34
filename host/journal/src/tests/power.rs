//! Power cuts, kills and failing disks at any moment of many lives, each told by a seed.

use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;

use super::life::{Append, Life, Outcome};
use super::simulated::{Fate, SimulatedDisk};
use crate::Past;

const SEEDS: &str = "LOCKGATE_JOURNAL_SEEDS";

/// Which lives are lived: `17` or `0..100000` in the environment, else some that take a moment.
fn seeds() -> Range<u64> {
    let Ok(asked) = std::env::var(SEEDS) else {
        return 0..2000;
    };
    let number = |text: &str| text.parse::<u64>().unwrap();
    match asked.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => number(&asked)..number(&asked) + 1,
    }
}

#[test]
fn whatever_is_cut_off_at_any_moment_nothing_acknowledged_is_lost() {
    let seeds = seeds();
    let lives = seeds.end - seeds.start;
    let (mut quick_starts, mut drops) = (0, 0);
    for seed in seeds {
        let lived = panic::catch_unwind(AssertUnwindSafe(|| live(seed, lives == 1)));
        assert!(lived.is_ok(), "seed {seed} failed; {SEEDS}={seed} shows what it does");
        let (quick, dropped) = lived.unwrap_or_default();
        quick_starts += quick;
        drops += dropped;
    }
    assert!(lives < 1000 || quick_starts > lives, "{quick_starts} of the starts of {lives} lives used a checkpoint");
    assert!(lives < 1000 || drops > lives / 4, "in {lives} lives segments were dropped {drops} times");
}

/// How many of its starts used a checkpoint, and how often segments were dropped.
fn live(seed: u64, told: bool) -> (u64, u64) {
    let mut rng = Rng::with_seed(seed);
    let mut life = Life::on(SimulatedDisk::new(seed));
    for _ in 0..rng.u8(1..6) {
        let end = if rng.u8(0..4) == 0 { Fate::Fail } else { Fate::Die };
        let most = *rng.choice(&[20, 60, 200]).unwrap();
        let at = rng.u64(0..most);
        let operations = AtomicU64::new(0);
        life.disk.decide(move |kind, path| {
            let fate = if operations.fetch_add(1, Ordering::Relaxed) == at { end } else { Fate::Work };
            if told {
                eprintln!("{fate:?}: {kind:?} {}", path.display());
            }
            fate
        });
        until_it_ends(&mut life, &mut rng);
        life.end();
        match rng.u8(0..4) {
            0 => life.disk.restart(),
            _ => life.disk.lose_power(),
        }
    }
    life.disk.heal();
    life.start().unwrap();
    life.check();
    assert_eq!(life.append(&some_appends(&mut rng)), Outcome::Fine);
    while life.pack() | life.write_checkpoint() || life.look_back() {}
    assert_eq!(life.stats().segments_not_packed, 0);
    assert!(matches!(life.journal().past(), Past::Whole));
    life.end();
    life.disk.lose_power();
    life.start().unwrap();
    life.check();
    (life.quick_starts, life.drops)
}

fn until_it_ends(life: &mut Life, rng: &mut Rng) {
    if life.start().is_err() || life.disk.is_dead() {
        return;
    }
    life.check();
    for _ in 0..rng.u8(1..40) {
        let outcome = match rng.u8(0..12) {
            0..8 => life.append(&some_appends(rng)),
            8 => {
                life.pack();
                Outcome::Fine
            }
            9 => {
                life.write_checkpoint();
                Outcome::Fine
            }
            10 => {
                life.look_back();
                Outcome::Fine
            }
            _ => {
                life.drop_but(rng.usize(0..4));
                Outcome::Fine
            }
        };
        if outcome == Outcome::Stopped || life.disk.is_dead() {
            return;
        }
    }
}

fn some_appends(rng: &mut Rng) -> Vec<Append> {
    let size = |rng: &mut Rng| {
        let most = *rng.choice(&[20, 200, 900, 5000]).unwrap();
        rng.usize(0..most)
    };
    let append = |rng: &mut Rng| {
        let stream = *rng.choice(&["shop", "bakery", "system"]).unwrap();
        (stream, (0..rng.u8(1..4)).map(|_| size(rng)).collect())
    };
    (0..rng.u8(1..4)).map(|_| append(rng)).collect()
}
