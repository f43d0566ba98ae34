//! The windows in which deployments may start.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

use super::zone::Zone;
use crate::name::Timestamp;

/// No windows: always open.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    pub zone: Zone,
    pub windows: Vec<Window>,
}

/// Where windows of a week leave no minute out for so long, they never do. A minute that one of them leaves out can
/// fall into a gap, so one week does not tell.
const HORIZON_DAYS: i32 = 35;

impl Availability {
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.opens_at(at) == Some(at)
    }

    /// The first moment at or after `at` that is open. `None`: never, which only the end of the calendar brings about.
    pub fn opens_at(&self, at: Timestamp) -> Option<Timestamp> {
        if self.windows.is_empty() {
            return Some(at);
        }
        self.spans_around(at).find(|span| at < span.until).map(|span| span.from.max(at))
    }

    /// The first moment at or after `at` that is not open. `None`: never.
    pub fn closes_at(&self, at: Timestamp) -> Option<Timestamp> {
        if self.windows.is_empty() {
            return None;
        }
        let mut closes = at;
        for span in self.spans_around(at) {
            if closes < span.from {
                return Some(closes);
            }
            closes = closes.max(span.until);
        }
        None
    }

    /// In the order of their beginning. Those of yesterday may last until now.
    fn spans_around(&self, at: Timestamp) -> impl Iterator<Item = Span> {
        let today = self.zone.clock(at).date();
        (-1..HORIZON_DAYS)
            .filter_map(move |days| today.checked_add(days.days()).ok())
            .flat_map(|day| self.spans_of(day))
    }

    fn spans_of(&self, day: Date) -> Vec<Span> {
        let weekday = Weekday::of(day);
        let windows = self.windows.iter().filter(|window| window.days.contains(&weekday));
        let mut spans: Vec<Span> = windows.filter_map(|window| window.span(day, &self.zone)).collect();
        spans.sort_by_key(|span| span.from);
        spans
    }
}

/// Never empty; `until` is no longer part of it.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Timestamp,
    until: Timestamp,
}

/// Opens at `from` on each of `days`, and closes at `to`: on the next day, when that is not later than `from`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WindowFields")]
pub struct Window {
    days: BTreeSet<Weekday>,
    from: TimeOfDay,
    to: TimeOfDay,
}

#[derive(Deserialize)]
struct WindowFields {
    days: BTreeSet<Weekday>,
    from: TimeOfDay,
    to: TimeOfDay,
}

impl TryFrom<WindowFields> for Window {
    type Error = InvalidWindow;

    fn try_from(WindowFields { days, from, to }: WindowFields) -> Result<Self, InvalidWindow> {
        Self::new(days, from, to)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWindow {
    #[error("a window needs at least one day, such as `mon`")]
    NoDays,
    #[error("a window cannot open at 24:00: write `from: 00:00` and name the next day")]
    OpensAtTheEndOfADay,
}

impl Window {
    pub fn new(days: BTreeSet<Weekday>, from: TimeOfDay, to: TimeOfDay) -> Result<Self, InvalidWindow> {
        if days.is_empty() {
            return Err(InvalidWindow::NoDays);
        }
        if from == TimeOfDay::END_OF_DAY {
            return Err(InvalidWindow::OpensAtTheEndOfADay);
        }
        Ok(Self { days, from, to })
    }

    pub fn days(&self) -> &BTreeSet<Weekday> {
        &self.days
    }

    pub fn from(&self) -> TimeOfDay {
        self.from
    }

    pub fn to(&self) -> TimeOfDay {
        self.to
    }

    /// Nothing where all of it falls into a gap.
    fn span(&self, day: Date, zone: &Zone) -> Option<Span> {
        let last_day = if self.to <= self.from { day.tomorrow().ok()? } else { day };
        let from = zone.first_shows(self.from.on(day)?);
        let until = zone.first_shows(self.to.on(last_day)?);
        (from < until).then_some(Span { from, until })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];

    fn of(day: Date) -> Self {
        match day.weekday() {
            jiff::civil::Weekday::Monday => Self::Mon,
            jiff::civil::Weekday::Tuesday => Self::Tue,
            jiff::civil::Weekday::Wednesday => Self::Wed,
            jiff::civil::Weekday::Thursday => Self::Thu,
            jiff::civil::Weekday::Friday => Self::Fri,
            jiff::civil::Weekday::Saturday => Self::Sat,
            jiff::civil::Weekday::Sunday => Self::Sun,
        }
    }
}

/// Hours and minutes, from `00:00` to `24:00`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    hour: i8,
    minute: i8,
}

impl TimeOfDay {
    pub const END_OF_DAY: Self = Self { hour: 24, minute: 0 };

    fn on(self, day: Date) -> Option<DateTime> {
        if self == Self::END_OF_DAY {
            return Some(day.tomorrow().ok()?.to_datetime(Time::midnight()));
        }
        Some(day.to_datetime(Time::new(self.hour, self.minute, 0, 0).ok()?))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time of day: write hours and minutes, such as `09:00`, from `00:00` to `24:00`")]
pub struct InvalidTimeOfDay(String);

impl FromStr for TimeOfDay {
    type Err = InvalidTimeOfDay;

    fn from_str(text: &str) -> Result<Self, InvalidTimeOfDay> {
        let two_digits = |text: &str| match text.as_bytes() {
            [b'0'..=b'9', b'0'..=b'9'] => text.parse::<i8>().ok(),
            _ => None,
        };
        let parsed = text.split_once(':').and_then(|(hour, minute)| Some((two_digits(hour)?, two_digits(minute)?)));
        match parsed {
            Some((hour @ 0..=23, minute @ 0..=59)) => Ok(Self { hour, minute }),
            Some((24, 0)) => Ok(Self::END_OF_DAY),
            Some(_) | None => Err(InvalidTimeOfDay(text.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

written_as_text!(TimeOfDay, InvalidTimeOfDay);
