//! The power is cut under the host: it is killed, and its disk forgets what was not synced, or keeps a part of it.

use std::time::Duration;

use crate::harness::{Host, Power, chance};
use crate::kill_anytime::{live_and_die, pass};
use crate::promises::Promises;

const ROUNDS: usize = 24;
const SEED: u64 = 20_261_123;

/// Of new hosts, each with a disk of its own.
const BEGINNINGS: usize = 20;
/// A new host needs longer than one that has been there.
const MOST_BEGINNING: Duration = Duration::from_millis(1_000);

#[test]
fn a_new_host_whose_power_is_cut_while_it_begins_begins_again() {
    let (rounds, mut random) = chance(BEGINNINGS, SEED);
    for round in 0..rounds {
        let mut host = Host::not_started();
        let Some(mut power) = Power::mount(&host.data(), random.u64(..)) else {
            eprintln!("SKIPPED a_new_host_whose_power_is_cut: no right to mount a FUSE file system here");
            return;
        };
        host.begin();
        pass(&mut random, MOST_BEGINNING);
        let listened = host.listens();
        host.kill();
        println!("{round}: listened {listened}, {}", power.cut().trim());
        host.restart();
        assert!(host.is_alive(), "its administrator's token lets in");
    }
}

#[test]
fn a_host_whose_power_is_cut_keeps_its_promises() {
    let (rounds, mut random) = chance(ROUNDS, SEED);
    let mut host = Host::not_started();
    let Some(mut power) = Power::mount(&host.data(), random.u64(..)) else {
        eprintln!("SKIPPED a_host_whose_power_is_cut_keeps_its_promises: no right to mount a FUSE file system here");
        return;
    };
    host.restart();
    let promises = Promises::of(&host);
    let cut = |host: &mut Host| {
        host.kill();
        print!("{}", power.cut());
    };
    let counts = live_and_die(&mut host, promises, random, rounds, cut);
    println!("{counts}");
}
