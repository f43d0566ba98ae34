//! The one place that reads the clock, and the one that writes time for people.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use lockgate_core::name::Timestamp;

static LATEST: Mutex<Option<Reading>> = Mutex::new(None);

/// Never earlier than it has said before, to anybody in this process.
pub fn now() -> Timestamp {
    let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    let read = Reading { wall: Timestamp(jiff::Timestamp::now().as_millisecond()), at: Instant::now() };
    let base = latest.map_or(read, |latest| latest.or_later(read));
    *latest = Some(base);
    base.runs_on_to(read.at)
}

/// What the clock on the wall said, and when that was by one that nobody can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    wall: Timestamp,
    at: Instant,
}

impl Reading {
    /// Where the clock was set back, time runs on as if it had not been: limits and retries must not stand still until
    /// the clock has caught up. The older reading stays as it is: one that were moved on would lose parts of a
    /// millisecond each time.
    fn or_later(self, read: Self) -> Self {
        if read.wall > self.runs_on_to(read.at) { read } else { self }
    }

    fn runs_on_to(self, at: Instant) -> Timestamp {
        self.wall.plus_ms(at.saturating_duration_since(self.at).as_millis() as u64)
    }
}

/// RFC 3339, with any offset.
pub fn parse(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(|time| Timestamp(time.as_millisecond()))
}

/// RFC 3339 in UTC.
pub fn rfc3339(at: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(time) => format!("{time:.3}"),
        Err(_) => format!("{} ms", at.0),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What is said at each of these times (microseconds) while the clock on the wall shows that (milliseconds).
    fn said(readings: &[(u64, i64)]) -> Vec<i64> {
        let start = Instant::now();
        let mut latest: Option<Reading> = None;
        let say = |(micros, wall): &(u64, i64)| {
            let read = Reading { wall: Timestamp(*wall), at: start + Duration::from_micros(*micros) };
            let base = latest.map_or(read, |latest| latest.or_later(read));
            latest = Some(base);
            base.runs_on_to(read.at).0
        };
        readings.iter().map(say).collect()
    }

    #[test]
    fn a_clock_that_is_set_forward_is_believed() {
        assert_eq!(said(&[(0, 100), (1_000, 101), (2_000, 9_000), (3_000, 9_001)]), [100, 101, 9_000, 9_001]);
    }

    #[test]
    fn where_it_is_set_back_time_runs_on_until_it_has_caught_up() {
        assert_eq!(said(&[(0, 100), (5_000, 3), (6_000, 4), (7_000, 200)]), [100, 105, 106, 200]);
        assert_eq!(said(&[(0, 100), (1_000, 9_000), (2_000, 102), (3_000, 103)]), [100, 9_000, 9_001, 9_002]);
    }

    #[test]
    fn asking_often_does_not_hold_time_up() {
        let often: Vec<(u64, i64)> =
            (0..=10_000).map(|asked| (asked * 300, if asked == 0 { 100 } else { 0 })).collect();
        assert_eq!(said(&often).last(), Some(&3_100));
    }
}
