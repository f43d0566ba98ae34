//! Times in which an environment is left alone, or asks more people than usual.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::zone::{Zone, timestamp};
use crate::definition::ApprovalRule;
use crate::name::{Name, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    pub name: Name,
    pub period: Period,
    pub effect: FreezeEffect,
    /// For whoever has to wait.
    pub reason: String,
    /// Empty: all of them.
    pub environments: BTreeSet<Name>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeEffect {
    /// Nothing starts.
    Deny,
    /// These are asked for beside the environment's own.
    Stricter { rules: Vec<ApprovalRule> },
}

impl Freeze {
    pub fn covers(&self, at: Timestamp) -> bool {
        self.period.covers(at)
    }

    pub fn concerns(&self, environment: &Name) -> bool {
        self.environments.is_empty() || self.environments.contains(environment)
    }

    pub fn denies(&self) -> bool {
        match self.effect {
            FreezeEffect::Deny => true,
            FreezeEffect::Stricter { .. } => false,
        }
    }
}

/// From one moment to a later one, which is no longer part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PeriodFields")]
pub struct Period {
    from: Moment,
    until: Moment,
    zone: Zone,
}

#[derive(Deserialize)]
struct PeriodFields {
    from: Moment,
    until: Moment,
    zone: Zone,
}

impl TryFrom<PeriodFields> for Period {
    type Error = InvalidPeriod;

    fn try_from(PeriodFields { from, until, zone }: PeriodFields) -> Result<Self, InvalidPeriod> {
        Self::new(from, until, zone)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it ends at {until}, which in {zone} is not later than its beginning at {from}")]
pub struct InvalidPeriod {
    from: Moment,
    until: Moment,
    zone: Zone,
}

impl Period {
    /// `zone` is that of the moments that are written without one.
    pub fn new(from: Moment, until: Moment, zone: Zone) -> Result<Self, InvalidPeriod> {
        if from.timestamp(&zone) < until.timestamp(&zone) {
            Ok(Self { from, until, zone })
        } else {
            Err(InvalidPeriod { from, until, zone })
        }
    }

    pub fn begins_at(&self) -> Timestamp {
        self.from.timestamp(&self.zone)
    }

    pub fn ends_at(&self) -> Timestamp {
        self.until.timestamp(&self.zone)
    }

    pub fn covers(&self, at: Timestamp) -> bool {
        self.begins_at() <= at && at < self.ends_at()
    }
}

/// What a clock shows in some zone, such as `2026-11-27T00:00`, or an instant, such as `2026-11-27T00:00:00+01:00`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment(Written);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Clock(DateTime),
    Instant(jiff::Timestamp),
}

impl Moment {
    pub fn timestamp(&self, zone: &Zone) -> Timestamp {
        match self.0 {
            Written::Clock(time) => zone.first_shows(time),
            Written::Instant(instant) => timestamp(instant),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`"
)]
pub struct InvalidMoment(String);

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        let invalid = || InvalidMoment(text.chars().take(80).collect());
        // A date alone, or a zone in brackets, would be read and half of it forgotten.
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-+:.TZ".contains(&byte));
        let has_a_time = text.len() <= 35 && text.as_bytes().get(10) == Some(&b'T');
        if !(plain && has_a_time) {
            return Err(invalid());
        }
        let instant = text.parse().map(Written::Instant);
        let written = instant.or_else(|_| text.parse().map(Written::Clock)).map_err(|_| invalid())?;
        match written {
            Written::Clock(_) if text[10..].contains(['Z', '+', '-']) => Err(invalid()),
            Written::Clock(_) | Written::Instant(_) => Ok(Self(written)),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Written::Clock(time) => time.fmt(f),
            Written::Instant(instant) => instant.fmt(f),
        }
    }
}

written_as_text!(Moment, InvalidMoment);
