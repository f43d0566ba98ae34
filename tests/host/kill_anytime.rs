//! The host is killed at random moments of its life, also before it listens. [`super::kill`] aims, this does not.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Host, chance};
use crate::promises::Promises;

const ROUNDS: usize = 40;
const SEED: u64 = 20_261_122;
/// A host that works is killed after so long at most.
const MOST_WORK: Duration = Duration::from_millis(150);

#[test]
fn a_host_that_is_killed_at_any_moment_keeps_its_promises() {
    let (rounds, random) = chance(ROUNDS, SEED);
    let mut host = Host::start();
    let promises = Promises::of(&host);
    let counts = live_and_die(&mut host, promises, random, rounds, Host::kill);
    println!("{counts}");
}

/// So many ends of the host, every third while plugins are at work, and every third while it starts; then its promises
/// are looked at. Gives what happened, for people.
pub fn live_and_die(
    host: &mut Host,
    mut promises: Promises,
    mut random: fastrand::Rng,
    rounds: usize,
    mut end: impl FnMut(&mut Host),
) -> String {
    let began = Instant::now();
    let (mut ends, mut early, mut acknowledged) = (0, 0, 0);
    // Until one is measured: a guess.
    let mut start_up = Duration::from_millis(300);
    let mut calls = promises.calls();
    while ends < rounds {
        let customers = promises.customers();
        if ends % 3 == 0 {
            // Else a host that has lost its compiled components would only ever be hit while it compiles them.
            promises.wait_for_a_call_after(calls);
        }
        pass(&mut random, MOST_WORK);
        end(host);
        acknowledged += promises.heard(customers);
        ends += 1;
        if ends % 3 == 2 && ends < rounds {
            host.begin();
            pass(&mut random, start_up);
            early += usize::from(!host.listens());
            end(host);
            ends += 1;
        }
        calls = promises.calls();
        let started = Instant::now();
        host.restart();
        start_up = started.elapsed();
        promises.are_kept(host);
    }
    assert!(early > 0 || rounds < ROUNDS, "no host was hit while it started");
    assert!(acknowledged > 0, "no host has promised anything");
    let kept = promises.come_true(host);
    let seconds = began.elapsed().as_secs();
    format!("{ends} ends, {early} of them before the host listened, in {seconds} s; {acknowledged} answers; {kept}")
}

/// No wait for something to happen: the moment itself is what is tried.
pub fn pass(random: &mut fastrand::Rng, most: Duration) {
    thread::sleep(Duration::from_micros(random.u64(0..=most.as_micros() as u64)));
}
