//! When something may start, and when it starts by itself: zones, windows, freezes and schedules.
//!
//! A zone's clock leaves times out (a gap, in spring) and shows others twice (a fold, in autumn). Windows and freezes
//! have one rule for both: a time has come when the clock **first shows it or a later one**. So a window opens once and
//! closes once, and where one ends and the next begins nothing is lost. Schedules have rules of their own: see
//! [`Schedule::next_after`].
//!
//! The zones come with the program: no file and no setting of the machine is read.

macro_rules! written_as_text {
    ($type:ident, $error:ident) => {
        impl TryFrom<String> for $type {
            type Error = $error;

            fn try_from(text: String) -> Result<Self, $error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> String {
                value.to_string()
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&self.to_string(), f)
            }
        }
    };
}

mod availability;
mod freeze;
mod schedule;
mod zone;

pub use availability::{Availability, InvalidTimeOfDay, InvalidWindow, TimeOfDay, Weekday, Window};
pub use freeze::{Freeze, FreezeEffect, InvalidMoment, InvalidPeriod, Moment, Period};
pub use schedule::{Cadence, Count, CronText, InvalidCount, InvalidCron, Schedule, Unit};
pub use zone::{InvalidZone, Zone};

use crate::name::{Name, Timestamp};

/// Whether a deployment may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// Until then it stays open, and the same freezes ask for more approvals. `None`: for good.
    Open { until: Option<Timestamp> },
    /// `until` is the first moment at which it is open again. `None`: never.
    Closed { until: Option<Timestamp>, because: Vec<Closed> },
}

/// One reason to wait, with its own end. Another may still hold then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    OutsideWindows { opens_at: Option<Timestamp> },
    Frozen { freeze: Name, until: Timestamp, reason: String },
}

/// What availability and the freezes of one environment say together: deny beats allow.
pub fn opening<'a>(
    at: Timestamp,
    availability: &Availability,
    freezes: impl IntoIterator<Item = &'a Freeze>,
) -> Opening {
    let freezes: Vec<&Freeze> = freezes.into_iter().collect();
    let because = why_closed(at, availability, &freezes);
    if because.is_empty() {
        Opening::Open { until: changes_at(at, availability, &freezes) }
    } else {
        Opening::Closed { until: opens_at(at, availability, &freezes), because }
    }
}

fn why_closed(at: Timestamp, availability: &Availability, freezes: &[&Freeze]) -> Vec<Closed> {
    let opens_at = availability.opens_at(at);
    let outside = (opens_at != Some(at)).then_some(Closed::OutsideWindows { opens_at });
    let frozen = freezes.iter().filter(|freeze| freeze.denies() && freeze.covers(at)).map(|freeze| Closed::Frozen {
        freeze: freeze.name.clone(),
        until: freeze.period.ends_at(),
        reason: freeze.reason.clone(),
    });
    outside.into_iter().chain(frozen).collect()
}

/// What denies is passed in the order of its beginning, so each freeze once.
fn opens_at(at: Timestamp, availability: &Availability, freezes: &[&Freeze]) -> Option<Timestamp> {
    let denying = freezes.iter().filter(|freeze| freeze.denies()).map(|freeze| &freeze.period);
    let mut denied: Vec<(Timestamp, Timestamp)> =
        denying.map(|period| (period.begins_at(), period.ends_at())).collect();
    denied.sort();
    let mut opens = availability.opens_at(at)?;
    for (begins, ends) in denied {
        if begins <= opens && opens < ends {
            opens = availability.opens_at(ends)?;
        }
    }
    Some(opens)
}

fn changes_at(at: Timestamp, availability: &Availability, freezes: &[&Freeze]) -> Option<Timestamp> {
    let turns = freezes.iter().flat_map(|freeze| [freeze.period.begins_at(), freeze.period.ends_at()]);
    turns.filter(|turn| at < *turn).chain(availability.closes_at(at)).min()
}
