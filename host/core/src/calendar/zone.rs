//! A zone of the IANA database, and the way from its clock to an instant.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::name::Timestamp;

/// Only what is built in, whatever another crate asks of jiff.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// By the name that the IANA database gives it, such as `Europe/Berlin` or `UTC`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

impl Zone {
    pub const UTC: Self = Self(TimeZone::UTC);

    pub fn name(&self) -> &str {
        self.0.iana_name().expect("a zone is made from its name")
    }

    pub(super) fn time_zone(&self) -> &TimeZone {
        &self.0
    }

    pub(super) fn clock(&self, at: Timestamp) -> DateTime {
        self.0.to_datetime(instant(at))
    }

    /// When the clock first shows this time or a later one.
    pub(super) fn first_shows(&self, time: DateTime) -> Timestamp {
        let ambiguous = self.0.to_ambiguous_timestamp(time);
        let found = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => ambiguous.unambiguous(),
            AmbiguousOffset::Fold { .. } => ambiguous.earlier(),
            AmbiguousOffset::Gap { after, .. } => ambiguous.earlier().map(|before_the_gap| {
                let end = self.0.following(before_the_gap).find(|transition| transition.offset() == after);
                end.expect("the gap ends with a change to the offset after it").timestamp()
            }),
        };
        found.map_or_else(|_| timestamp(end_of_time(time.year() < 0)), timestamp)
    }

    /// The usual reading of a time on the clock: what falls into a gap comes as much later as the gap is long, and of
    /// two the first counts.
    pub(super) fn compatible(&self, time: DateTime) -> Option<Timestamp> {
        self.0.to_ambiguous_timestamp(time).compatible().ok().map(timestamp)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

/// What lies beyond jiff's years, -9999 to 9999, is their end.
pub(super) fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_else(|_| end_of_time(at.0 < 0))
}

fn end_of_time(first: bool) -> jiff::Timestamp {
    if first { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX }
}

pub(super) fn timestamp(instant: jiff::Timestamp) -> Timestamp {
    Timestamp(instant.as_millisecond())
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidZone {
    #[error("`{typed}` is not a time zone; did you mean `{meant}`?")]
    Spelling { typed: String, meant: String },
    #[error("`{0}` is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`")]
    Unknown(String),
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(text: &str) -> Result<Self, InvalidZone> {
        let typed = || text.chars().take(80).collect::<String>();
        let zone = ZONES.get(text).map_err(|_| InvalidZone::Unknown(typed()))?;
        match zone.iana_name() {
            Some(name) if name == text => Ok(Self(zone)),
            Some(name) => Err(InvalidZone::Spelling { typed: typed(), meant: name.to_owned() }),
            None => Err(InvalidZone::Unknown(typed())),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

written_as_text!(Zone, InvalidZone);

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn every_zone_of_the_database_is_known_by_its_exact_name() {
        let names: Vec<String> = ZONES.available().map(|name| name.to_string()).collect();
        assert!(names.len() > 400, "{names:?}");
        for name in names.iter().filter(|name| *name != "Etc/Unknown") {
            let zone: Zone = name.parse().unwrap();
            assert_eq!(zone.name(), name);
            assert_eq!(serde_json::to_string(&zone).unwrap(), format!("\"{name}\""));
        }
    }

    #[test]
    fn a_zone_that_does_not_exist_is_named_with_one_that_does() {
        let errors = ["europe/berlin", "utc", "Europe/Berln", "", "+02:00", "Etc/Unknown", "../etc/passwd"]
            .map(|text| text.parse::<Zone>().unwrap_err().to_string());
        expect![[r#"
            `europe/berlin` is not a time zone; did you mean `Europe/Berlin`?
            `utc` is not a time zone; did you mean `UTC`?
            `Europe/Berln` is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`
            `` is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`
            `+02:00` is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`
            `Etc/Unknown` is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`
            `../etc/passwd` is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`"#]]
        .assert_eq(&errors.join("\n"));
    }

    #[test]
    fn a_time_has_come_when_the_clock_first_shows_it_or_a_later_one() {
        let shows = |zone: &str, time: &str| {
            let zone: Zone = zone.parse().unwrap();
            instant(zone.first_shows(time.parse().unwrap())).to_zoned(zone.0.clone()).to_string()
        };
        let shown = [
            ("Europe/Berlin", "2026-03-29T01:59"),
            ("Europe/Berlin", "2026-03-29T02:00"),
            ("Europe/Berlin", "2026-03-29T02:30"),
            ("Europe/Berlin", "2026-03-29T03:00"),
            ("Europe/Berlin", "2026-10-25T02:00"),
            ("Europe/Berlin", "2026-10-25T02:59"),
            ("Europe/Berlin", "2026-10-25T03:00"),
            ("America/New_York", "2026-03-08T02:59"),
            ("America/New_York", "2026-11-01T01:30"),
            ("Australia/Lord_Howe", "2026-10-04T02:15"),
            ("Australia/Lord_Howe", "2026-10-04T02:30"),
            ("Australia/Lord_Howe", "2026-04-05T01:45"),
            ("America/St_Johns", "2005-10-30T00:00"),
            ("Pacific/Apia", "2011-12-30T00:00"),
            ("Pacific/Apia", "2011-12-30T23:59"),
            ("Europe/Berlin", "-009999-01-01T00:00"),
            ("Europe/Berlin", "9999-12-31T23:59"),
        ]
        .map(|(zone, time)| format!("{time} -> {}", shows(zone, time)));
        expect![[r#"
            2026-03-29T01:59 -> 2026-03-29T01:59:00+01:00[Europe/Berlin]
            2026-03-29T02:00 -> 2026-03-29T03:00:00+02:00[Europe/Berlin]
            2026-03-29T02:30 -> 2026-03-29T03:00:00+02:00[Europe/Berlin]
            2026-03-29T03:00 -> 2026-03-29T03:00:00+02:00[Europe/Berlin]
            2026-10-25T02:00 -> 2026-10-25T02:00:00+02:00[Europe/Berlin]
            2026-10-25T02:59 -> 2026-10-25T02:59:00+02:00[Europe/Berlin]
            2026-10-25T03:00 -> 2026-10-25T03:00:00+01:00[Europe/Berlin]
            2026-03-08T02:59 -> 2026-03-08T03:00:00-04:00[America/New_York]
            2026-11-01T01:30 -> 2026-11-01T01:30:00-04:00[America/New_York]
            2026-10-04T02:15 -> 2026-10-04T02:30:00+11:00[Australia/Lord_Howe]
            2026-10-04T02:30 -> 2026-10-04T02:30:00+11:00[Australia/Lord_Howe]
            2026-04-05T01:45 -> 2026-04-05T01:45:00+11:00[Australia/Lord_Howe]
            2005-10-30T00:00 -> 2005-10-30T00:00:00-02:30[America/St_Johns]
            2011-12-30T00:00 -> 2011-12-31T00:00:00+14:00[Pacific/Apia]
            2011-12-30T23:59 -> 2011-12-31T00:00:00+14:00[Pacific/Apia]
            -009999-01-01T00:00 -> -009999-01-02T02:53:27+00:53[Europe/Berlin]
            9999-12-31T23:59 -> 9999-12-30T23:00:00.999999999+01:00[Europe/Berlin]"#]]
        .assert_eq(&shown.join("\n"));
    }
}
