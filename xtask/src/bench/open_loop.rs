//! Requests at a fixed rate, whatever the answers take. A latency counts from when its request was due: a host that
//! stalls is not spared the requests that it kept from being sent.

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::load::in_parallel;
use super::{machine, rounded, spread};
use crate::http::{Api, Connection};

/// Until every connection is open.
const HEAD_START: Duration = Duration::from_millis(200);
/// A sleeping thread wakes this much later at most, while nothing else is wrong.
const ON_TIME: Duration = Duration::from_millis(1);

pub struct Rate {
    pub per_second: u64,
    pub seconds: u64,
    /// Requests under way at most: whichever connection is free sends the next one that is due.
    pub connections: usize,
}

/// What came of one request, from when it was due.
struct Sent {
    begun: Duration,
    answered: Duration,
    accepted: bool,
}

impl Rate {
    /// `request` answers with the status.
    pub fn send(&self, api: &Api, request: impl Fn(&mut Connection, u64) -> Result<u16> + Sync) -> Result<Value> {
        let (count, next) = (self.per_second * self.seconds, AtomicU64::new(0));
        let (cpu_before, start) = (machine::cpu_ms(process::id())?, Instant::now() + HEAD_START);
        let sent = in_parallel(self.connections, |_| {
            let (mut connection, mut sent) = (Connection::open(api)?, Vec::new());
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                if place >= count {
                    return Ok(sent);
                }
                let due = start + Duration::from_nanos(place * 1_000_000_000 / self.per_second);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                let begun = due.elapsed();
                let accepted = request(&mut connection, place)? < 300;
                sent.push(Sent { begun, answered: due.elapsed(), accepted });
            }
        })?;
        let took = start.elapsed();
        let cpu_ms = machine::cpu_ms(process::id())? - cpu_before;
        Ok(self.came_of(&sent.into_iter().flatten().collect::<Vec<_>>(), took, cpu_ms))
    }

    fn came_of(&self, sent: &[Sent], took: Duration, load_cpu_ms: u64) -> Value {
        let micros =
            |duration: fn(&Sent) -> Duration| spread(sent.iter().map(|it| duration(it).as_micros() as u64).collect());
        let refused = sent.iter().filter(|it| !it.accepted).count();
        let answered_per_second = sent.len() as f64 / took.as_secs_f64();
        json!({
            "rate": self.per_second,
            "seconds": self.seconds,
            "latency": micros(|it| it.answered),
            "begun_after_due": micros(|it| it.begun),
            "late": sent.iter().filter(|it| it.begun > ON_TIME).count(),
            "refused": refused,
            "answered_per_second": answered_per_second.round(),
            "held": refused == 0 && answered_per_second > 0.99 * self.per_second as f64,
            "load_cores": rounded(load_cpu_ms as f64 / took.as_millis() as f64, 2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_second: 100, seconds: 1, connections: 1 };

    fn sent(begun_ms: u64, answered_ms: u64) -> Sent {
        Sent { begun: Duration::from_millis(begun_ms), answered: Duration::from_millis(answered_ms), accepted: true }
    }

    fn came_of(sent: Vec<Sent>, took_ms: u64) -> Value {
        RATE.came_of(&sent, Duration::from_millis(took_ms), 250)
    }

    #[test]
    fn a_request_that_was_kept_waiting_is_late_and_its_wait_counts() {
        let seen = came_of((0..100).map(|place| sent(place, place + 3)).collect(), 1_000);
        assert_eq!(
            (&seen["late"], &seen["latency"]["max_us"], &seen["held"]),
            (&json!(98), &json!(102_000), &json!(true))
        );
        assert_eq!(seen["load_cores"], 0.25);
    }

    #[test]
    fn a_rate_that_falls_behind_or_is_refused_is_not_held() {
        let all = || (0..100).map(|_| sent(0, 1)).collect::<Vec<_>>();
        assert_eq!(came_of(all(), 1_005)["held"], true);
        assert_eq!(came_of(all(), 1_100)["held"], false);
        let mut refused = all();
        refused[7].accepted = false;
        assert_eq!(came_of(refused, 1_000)["held"], false);
    }
}
