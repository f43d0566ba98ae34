//! The one place that reads the clock, and the one that writes time for people.

use std::sync::LazyLock;
use std::time::Instant;

use lockgate_core::name::Timestamp;

/// What the clock said when this process first looked.
static START: LazyLock<(Timestamp, Instant)> = LazyLock::new(|| (wall(), Instant::now()));

/// Where the clock is set back while the host runs, time goes on as if it had not been: limits and retries must not
/// stand still until the clock has caught up.
pub fn now() -> Timestamp {
    let (start, since) = &*START;
    wall().max(start.plus_ms(since.elapsed().as_millis() as u64))
}

fn wall() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_millisecond())
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
