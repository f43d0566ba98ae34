//! When deployments start by themselves.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::zone::{Zone, instant, timestamp};
use crate::name::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub cadence: Cadence,
    pub zone: Zone,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    Every { count: Count, unit: Unit },
    Cron(CronText),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Minutes,
    Hours,
    Days,
    Weeks,
}

const MINUTE_MS: i128 = 60 * 1000;

impl Schedule {
    /// The first tick later than `after`. Nothing ticks before `anchor`: when the schedule began.
    ///
    /// - Minutes and hours count from the anchor in real time, whatever the clock does.
    /// - Days and weeks come at the anchor's time of day. In a gap it comes as much later as the gap is long, in a
    ///   fold at the first of the two. Where a zone leaves a whole day out, its tick is that of the next.
    /// - A cron line with one minute and one hour ticks once a day: in a gap at its end, in a fold at the first of
    ///   the two. Any other follows the clock: what a gap leaves out does not tick, what a fold shows twice ticks
    ///   twice. Of a gap longer than two hours, such as a whole day, only the last two hours count.
    ///
    /// `None`: never, as with `0 0 30 2 *`.
    pub fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let after = after.max(Timestamp(anchor.0.saturating_sub(1)));
        match &self.cadence {
            Cadence::Every { count: Count(count), unit } => match unit {
                Unit::Minutes => next_at_distance(i128::from(*count) * MINUTE_MS, anchor, after),
                Unit::Hours => next_at_distance(i128::from(*count) * 60 * MINUTE_MS, anchor, after),
                Unit::Days => self.next_day(i64::from(*count), anchor, after),
                Unit::Weeks => self.next_day(i64::from(*count) * 7, anchor, after),
            },
            Cadence::Cron(cron) => cron.next_after(&self.zone, after),
        }
    }

    fn next_day(&self, distance_days: i64, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let first = self.zone.clock(anchor);
        let days_since = first.date().duration_until(self.zone.clock(after).date()).as_hours() / 24;
        // A gap over midnight moves a tick to the next date.
        let earliest = (days_since / distance_days - 1).max(0);
        let mut ticks = (earliest..).map_while(|count| {
            let days = 24 * distance_days.checked_mul(count)?;
            self.zone.compatible(first.checked_add(SignedDuration::from_hours(days)).ok()?)
        });
        ticks.find(|tick| after < *tick)
    }
}

fn next_at_distance(distance_ms: i128, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
    let (anchor, after) = (i128::from(anchor.0), i128::from(after.0));
    let next = anchor + ((after - anchor).div_euclid(distance_ms) + 1) * distance_ms;
    i64::try_from(next).ok().map(Timestamp)
}

/// How many units apart: 1 to 10 000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Count(u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not between 1 and 10000")]
pub struct InvalidCount(u32);

impl TryFrom<u32> for Count {
    type Error = InvalidCount;

    fn try_from(count: u32) -> Result<Self, InvalidCount> {
        if (1..=10_000).contains(&count) { Ok(Self(count)) } else { Err(InvalidCount(count)) }
    }
}

impl From<Count> for u32 {
    fn from(count: Count) -> u32 {
        count.0
    }
}

/// Five fields: minute, hour, day of the month, month and weekday, such as `0 3 * * 1-5`. Where both days are given,
/// either is enough, as cron has always done it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CronText {
    text: String,
    /// As large as a few pages.
    cron: Arc<Cron>,
}

impl CronText {
    fn next_after(&self, zone: &Zone, after: Timestamp) -> Option<Timestamp> {
        let second = jiff::Timestamp::from_second(instant(after).as_millisecond().div_euclid(1000)).ok()?;
        let next = |from: jiff::Timestamp, inclusive| {
            let found = self.cron.find_next_occurrence(&from.to_zoned(zone.time_zone().clone()), inclusive).ok()?;
            Some(timestamp(found.timestamp()))
        };
        next(second, false).or_else(|| long_gaps_after(zone, second).find_map(|end| next(end, true)))
    }
}

/// Where croner gives up: it looks for the end of a gap for two hours. Samoa left a day out in 2011.
fn long_gaps_after(zone: &Zone, after: jiff::Timestamp) -> impl Iterator<Item = jiff::Timestamp> {
    let mut offset = zone.time_zone().to_offset(after);
    let transitions = zone.time_zone().following(after).take(100);
    transitions.filter_map(move |transition| {
        let before = std::mem::replace(&mut offset, transition.offset());
        (transition.offset().seconds() - before.seconds() > 2 * 60 * 60).then(|| transition.timestamp())
    })
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a cron line ({cause}): write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday"
)]
pub struct InvalidCron {
    text: String,
    cause: String,
}

const MAX_CRON_CHARS: usize = 200;

impl FromStr for CronText {
    type Err = InvalidCron;

    fn from_str(text: &str) -> Result<Self, InvalidCron> {
        let invalid = |cause: String| InvalidCron { text: text.chars().take(80).collect(), cause };
        if text.chars().count() > MAX_CRON_CHARS {
            return Err(invalid(format!("it has more than {MAX_CRON_CHARS} characters")));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| invalid(error.to_string().trim_end_matches('.').to_owned()))?;
        Ok(Self { text: text.to_owned(), cron: Arc::new(cron) })
    }
}

impl fmt::Display for CronText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

written_as_text!(CronText, InvalidCron);
