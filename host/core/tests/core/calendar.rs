//! Windows, freezes and schedules on days on which clocks are changed.

mod walk;

use std::collections::BTreeSet;

use expect_test::{Expect, expect};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use lockgate_core::calendar::*;
use lockgate_core::definition::ApprovalRule;
use lockgate_core::name::Timestamp;
use serde_json::json;

/// An instant, such as `2026-03-29T00:59Z`.
fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn tz(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

/// As the zone's clock shows it, with its offset.
fn shown(at: Option<Timestamp>, zone: &str) -> String {
    let Some(at) = at else { return "never".to_owned() };
    jiff::Timestamp::from_millisecond(at.0).unwrap().to_zoned(tz(zone)).strftime("%a %F %T%:z").to_string()
}

fn window(days: &str, from: &str, to: &str) -> Window {
    let days: Vec<&str> = days.split(' ').collect();
    serde_json::from_value(json!({ "days": days, "from": from, "to": to })).unwrap()
}

fn daily(from: &str, to: &str) -> Window {
    window("mon tue wed thu fri sat sun", from, to)
}

fn available(zone_name: &str, windows: impl Into<Vec<Window>>) -> Availability {
    Availability { zone: zone(zone_name), windows: windows.into() }
}

/// Every opening and closing between two instants.
fn turns(availability: &Availability, from: &str, until: &str) -> String {
    let (mut now, until) = (at(from), at(until));
    let name = availability.zone.name();
    let mut lines = Vec::new();
    while let Some(opens) = availability.opens_at(now).filter(|opens| *opens < until)
        && lines.len() < 20
    {
        let closes = availability.closes_at(opens);
        lines.push(format!("{} to {}", shown(Some(opens), name), shown(closes, name)));
        let Some(closes) = closes else { break };
        now = closes;
    }
    lines.join("\n")
}

#[test]
fn windows_follow_the_clock_over_gaps_and_folds() {
    let table: Vec<(&str, Availability, &str, &str, Expect)> = vec![
        (
            "office hours on both sides of the change",
            available("Europe/Berlin", [window("mon fri", "09:00", "17:00")]),
            "2026-03-27T00:00Z",
            "2026-03-31T00:00Z",
            expect![[r#"
                Fri 2026-03-27 09:00:00+01:00 to Fri 2026-03-27 17:00:00+01:00
                Mon 2026-03-30 09:00:00+02:00 to Mon 2026-03-30 17:00:00+02:00"#]],
        ),
        (
            "a night that is an hour short",
            available("Europe/Berlin", [window("sat", "22:00", "06:00")]),
            "2026-03-28T00:00Z",
            "2026-03-30T00:00Z",
            expect!["Sat 2026-03-28 22:00:00+01:00 to Sun 2026-03-29 06:00:00+02:00"],
        ),
        (
            "a night that is an hour long",
            available("America/New_York", [window("sat", "22:00", "06:00")]),
            "2026-10-31T00:00Z",
            "2026-11-02T12:00Z",
            expect!["Sat 2026-10-31 22:00:00-04:00 to Sun 2026-11-01 06:00:00-05:00"],
        ),
        (
            "begins in a gap, ends in a gap, is all in a gap",
            available("Europe/Berlin", [daily("02:30", "04:00"), daily("01:00", "02:15"), daily("02:20", "02:25")]),
            "2026-03-28T12:00Z",
            "2026-03-30T00:00Z",
            expect![[r#"
                Sun 2026-03-29 01:00:00+01:00 to Sun 2026-03-29 04:00:00+02:00
                Mon 2026-03-30 01:00:00+02:00 to Mon 2026-03-30 02:15:00+02:00"#]],
        ),
        (
            "begins in a fold and ends in a fold, at the first of the two",
            available("Europe/Berlin", [daily("02:30", "02:45"), daily("01:00", "02:15")]),
            "2026-10-24T12:00Z",
            "2026-10-25T12:00Z",
            expect![[r#"
                Sun 2026-10-25 01:00:00+02:00 to Sun 2026-10-25 02:15:00+02:00
                Sun 2026-10-25 02:30:00+02:00 to Sun 2026-10-25 02:45:00+02:00"#]],
        ),
        (
            "lasts through a fold",
            available("Europe/Berlin", [daily("02:45", "03:00")]),
            "2026-10-24T12:00Z",
            "2026-10-25T12:00Z",
            expect!["Sun 2026-10-25 02:45:00+02:00 to Sun 2026-10-25 03:00:00+01:00"],
        ),
        (
            "half an hour on Lord Howe Island, there and back",
            available("Australia/Lord_Howe", [window("sun", "01:30", "02:30")]),
            "2026-04-04T00:00Z",
            "2026-04-06T00:00Z",
            expect!["Sun 2026-04-05 01:30:00+11:00 to Sun 2026-04-05 02:30:00+10:30"],
        ),
        (
            "half an hour on Lord Howe Island, in spring",
            available("Australia/Lord_Howe", [window("sun", "01:30", "02:30"), window("sun", "02:00", "02:15")]),
            "2026-10-03T00:00Z",
            "2026-10-05T00:00Z",
            expect!["Sun 2026-10-04 01:30:00+10:30 to Sun 2026-10-04 02:30:00+11:00"],
        ),
        (
            "a Friday that did not take place: of its night the morning is left",
            available("Pacific/Apia", [daily("09:00", "17:00"), window("fri", "22:00", "06:00")]),
            "2011-12-28T20:00Z",
            "2012-01-01T00:00Z",
            expect![[r#"
                Wed 2011-12-28 10:00:00-10:00 to Wed 2011-12-28 17:00:00-10:00
                Thu 2011-12-29 09:00:00-10:00 to Thu 2011-12-29 17:00:00-10:00
                Sat 2011-12-31 00:00:00+14:00 to Sat 2011-12-31 06:00:00+14:00
                Sat 2011-12-31 09:00:00+14:00 to Sat 2011-12-31 17:00:00+14:00
                Sun 2012-01-01 09:00:00+14:00 to Sun 2012-01-01 17:00:00+14:00"#]],
        ),
        (
            "the clock goes back over midnight, the day does not begin again",
            available("America/St_Johns", [window("sun", "00:00", "01:00")]),
            "2005-10-29T00:00Z",
            "2005-10-31T12:00Z",
            expect!["Sun 2005-10-30 00:00:00-02:30 to Sun 2005-10-30 01:00:00-03:30"],
        ),
    ];
    for (name, availability, from, until, expected) in table {
        println!("{name}");
        expected.assert_eq(&turns(&availability, from, until));
    }
}

#[test]
fn windows_that_touch_or_overlap_are_one() {
    let availability = available(
        "Europe/Berlin",
        [window("mon", "09:00", "12:00"), window("mon", "11:00", "24:00"), window("tue", "00:00", "01:00")],
    );
    expect![[r#"
        Mon 2026-06-01 09:00:00+02:00 to Tue 2026-06-02 01:00:00+02:00
        Mon 2026-06-08 09:00:00+02:00 to Tue 2026-06-09 01:00:00+02:00"#]]
    .assert_eq(&turns(&availability, "2026-06-01T00:00Z", "2026-06-09T00:00Z"));
}

#[test]
fn what_has_no_windows_or_leaves_no_minute_out_never_closes() {
    let now = at("2026-03-24T10:00Z");
    for windows in [vec![], vec![daily("00:00", "24:00")], vec![daily("08:00", "08:00")]] {
        let availability = available("Europe/Berlin", windows);
        assert_eq!((availability.opens_at(now), availability.closes_at(now)), (Some(now), None));
    }
    // The half hour that is left out falls into the gap of the first Sunday.
    let rest_of_the_week = window("mon tue wed thu fri sat", "00:00", "24:00");
    let windows = [rest_of_the_week, window("sun", "00:00", "02:00"), window("sun", "02:30", "24:00")];
    let closes = available("Europe/Berlin", windows).closes_at(now);
    assert_eq!(shown(closes, "Europe/Berlin"), "Sun 2026-04-05 02:00:00+02:00");
}

#[test]
fn a_window_that_makes_no_sense_cannot_be_read() {
    let read = |days: &[&str], from: &str, to: &str| {
        let value = json!({ "days": days, "from": from, "to": to });
        serde_json::from_value::<Window>(value).map_or_else(|error| error.to_string(), |_| "is read".to_owned())
    };
    let said = [
        read(&[], "09:00", "17:00"),
        read(&["monday"], "09:00", "17:00"),
        read(&["mon"], "9:00", "17:00"),
        read(&["mon"], "09:60", "17:00"),
        read(&["mon"], "24:00", "17:00"),
        read(&["mon"], "09:00", "24:01"),
        read(&["mon"], "09:00", "+1:00"),
        read(&["mon"], "09:00", "24:00"),
    ];
    expect![[r#"
        a window needs at least one day, such as `mon`
        unknown variant `monday`, expected one of `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`
        `9:00` is not a time of day: write hours and minutes, such as `09:00`, from `00:00` to `24:00`
        `09:60` is not a time of day: write hours and minutes, such as `09:00`, from `00:00` to `24:00`
        a window cannot open at 24:00: write `from: 00:00` and name the next day
        `24:01` is not a time of day: write hours and minutes, such as `09:00`, from `00:00` to `24:00`
        `+1:00` is not a time of day: write hours and minutes, such as `09:00`, from `00:00` to `24:00`
        is read"#]]
    .assert_eq(&said.join("\n"));
}

fn freeze(name: &str, from: &str, until: &str, effect: FreezeEffect) -> Freeze {
    let period = json!({ "from": from, "until": until, "zone": "Europe/Berlin" });
    Freeze {
        name: name.parse().unwrap(),
        period: serde_json::from_value(period).unwrap(),
        effect,
        reason: format!("because of {name}"),
        environments: BTreeSet::new(),
    }
}

fn two_people() -> FreezeEffect {
    FreezeEffect::Stricter { rules: vec![ApprovalRule { count: 2, groups: BTreeSet::new() }] }
}

fn told(opening: &Opening) -> String {
    let berlin = |at| shown(at, "Europe/Berlin");
    match opening {
        Opening::Open { until } => format!("open until {}", berlin(*until)),
        Opening::Closed { until, because } => {
            let reasons = because.iter().map(|reason| match reason {
                Closed::OutsideWindows { opens_at } => format!("opens {}", berlin(*opens_at)),
                Closed::Frozen { freeze, until, reason } => {
                    format!("{freeze} until {}: {reason}", berlin(Some(*until)))
                }
            });
            format!("closed until {} ({})", berlin(*until), reasons.collect::<Vec<_>>().join("; "))
        }
    }
}

#[test]
fn a_freeze_beats_a_window_and_leads_to_the_next_one() {
    let availability = available("Europe/Berlin", [window("mon tue wed thu fri", "09:00", "17:00")]);
    let freezes = [
        freeze("black-friday", "2026-11-27T00:00", "2026-12-01T00:00", FreezeEffect::Deny),
        freeze("audit", "2026-11-30T12:00:00Z", "2026-12-01T10:00", FreezeEffect::Deny),
        freeze("rehearsal", "2026-12-02T09:00", "2026-12-02T10:00", FreezeEffect::Deny),
        freeze("careful", "2026-12-01T11:00", "2026-12-01T12:00", two_people()),
    ];
    let times = [
        "2026-11-26T12:00Z",
        "2026-11-26T18:00Z",
        "2026-11-27T12:00Z",
        "2026-11-30T22:59:59.999Z",
        "2026-11-30T23:00Z",
        "2026-12-01T09:00Z",
        "2026-12-01T10:00Z",
        "2026-12-01T11:00Z",
        "2026-12-01T16:00Z",
    ];
    let lines = times.map(|time| format!("{time} {}", told(&opening(at(time), &availability, &freezes))));
    expect![[r#"
        2026-11-26T12:00Z open until Thu 2026-11-26 17:00:00+01:00
        2026-11-26T18:00Z closed until Tue 2026-12-01 10:00:00+01:00 (opens Fri 2026-11-27 09:00:00+01:00)
        2026-11-27T12:00Z closed until Tue 2026-12-01 10:00:00+01:00 (black-friday until Tue 2026-12-01 00:00:00+01:00: because of black-friday)
        2026-11-30T22:59:59.999Z closed until Tue 2026-12-01 10:00:00+01:00 (opens Tue 2026-12-01 09:00:00+01:00; black-friday until Tue 2026-12-01 00:00:00+01:00: because of black-friday; audit until Tue 2026-12-01 10:00:00+01:00: because of audit)
        2026-11-30T23:00Z closed until Tue 2026-12-01 10:00:00+01:00 (opens Tue 2026-12-01 09:00:00+01:00; audit until Tue 2026-12-01 10:00:00+01:00: because of audit)
        2026-12-01T09:00Z open until Tue 2026-12-01 11:00:00+01:00
        2026-12-01T10:00Z open until Tue 2026-12-01 12:00:00+01:00
        2026-12-01T11:00Z open until Tue 2026-12-01 17:00:00+01:00
        2026-12-01T16:00Z closed until Wed 2026-12-02 10:00:00+01:00 (opens Wed 2026-12-02 09:00:00+01:00)"#]].assert_eq(&lines.join("\n"));

    let always = told(&opening(at("2026-12-02T11:00Z"), &Availability::default(), &freezes));
    assert_eq!(always, "open until never");
}

#[test]
fn a_freeze_covers_its_beginning_and_not_its_end() {
    let freeze = freeze("audit", "2026-11-30T12:00", "2026-12-01T10:00", FreezeEffect::Deny);
    let covered = ["2026-11-30T10:59:59.999Z", "2026-11-30T11:00Z", "2026-12-01T08:59:59.999Z", "2026-12-01T09:00Z"];
    assert_eq!(covered.map(|time| freeze.covers(at(time))), [false, true, true, false]);
}

#[test]
fn a_freeze_concerns_the_environments_it_names_or_all() {
    let mut freeze = freeze("audit", "2026-11-30T12:00", "2026-12-01T10:00", FreezeEffect::Deny);
    let (production, staging) = ("production".parse().unwrap(), "staging".parse().unwrap());
    assert!(freeze.concerns(&production) && freeze.concerns(&staging));
    freeze.environments.insert(production);
    assert!(freeze.concerns(&"production".parse().unwrap()) && !freeze.concerns(&staging));
}

#[test]
fn a_period_that_makes_no_sense_cannot_be_read() {
    let read = |from: &str, until: &str| {
        let value = json!({ "from": from, "until": until, "zone": "Europe/Berlin" });
        serde_json::from_value::<Period>(value).map_or_else(|error| error.to_string(), |_| "is read".to_owned())
    };
    let said = [
        read("2026-11-27T00:00", "2026-11-27T00:00"),
        read("2026-03-29T02:10", "2026-03-29T02:50"),
        read("2026-11-27", "2026-11-28T00:00"),
        read("2026-11-27T00:00", "2026-11-31T00:00"),
        read("2026-11-27T00:00[Europe/Paris]", "2026-11-28T00:00"),
        read("2026-11-27T00:00+1", "2026-11-28T00:00"),
        read("2026-11-27T00:00", "9999-12-31T23:59-01:00"),
        read("2026-11-27T00:00Z", "2026-11-27T01:00"),
        read("2026-11-27T00:00Z", "2026-11-27T01:01"),
        read("2026-11-27T00:00:00.5+05:30", "2026-11-27T01:01"),
    ];
    expect![[r#"
        it ends at 2026-11-27T00:00:00, which in Europe/Berlin is not later than its beginning at 2026-11-27T00:00:00
        it ends at 2026-03-29T02:50:00, which in Europe/Berlin is not later than its beginning at 2026-03-29T02:10:00
        `2026-11-27` is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`
        `2026-11-31T00:00` is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`
        `2026-11-27T00:00[Europe/Paris]` is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`
        `2026-11-27T00:00+1` is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`
        `9999-12-31T23:59-01:00` is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`
        it ends at 2026-11-27T01:00:00, which in Europe/Berlin is not later than its beginning at 2026-11-27T00:00:00Z
        is read
        is read"#]].assert_eq(&said.join("\n"));
}

fn every(count: u32, unit: Unit, zone_name: &str) -> Schedule {
    Schedule { cadence: Cadence::Every { count: count.try_into().unwrap(), unit }, zone: zone(zone_name) }
}

fn cron(text: &str, zone_name: &str) -> Schedule {
    Schedule { cadence: Cadence::Cron(text.parse().unwrap()), zone: zone(zone_name) }
}

/// The first ticks after the anchor.
fn ticks(schedule: &Schedule, anchor: &str, count: usize) -> String {
    let anchor = at(anchor);
    let next = |after: &Timestamp| schedule.next_after(anchor, *after);
    let ticks = std::iter::successors(next(&anchor), next).take(count);
    ticks.map(|tick| shown(Some(tick), schedule.zone.name())).collect::<Vec<_>>().join("\n")
}

#[test]
fn schedules_tick_over_gaps_and_folds() {
    let (berlin, apia, howe) = ("Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe");
    let table: Vec<(&str, Schedule, &str, Expect)> = vec![
        (
            "hours are real time",
            every(8, Unit::Hours, berlin),
            "2026-03-28T20:00Z",
            expect![[r#"
            Sun 2026-03-29 06:00:00+02:00
            Sun 2026-03-29 14:00:00+02:00
            Sun 2026-03-29 22:00:00+02:00
            Mon 2026-03-30 06:00:00+02:00"#]],
        ),
        (
            "days keep the time of day",
            every(1, Unit::Days, berlin),
            "2026-03-27T08:00Z",
            expect![[r#"
            Sat 2026-03-28 09:00:00+01:00
            Sun 2026-03-29 09:00:00+02:00
            Mon 2026-03-30 09:00:00+02:00
            Tue 2026-03-31 09:00:00+02:00"#]],
        ),
        (
            "a day's tick in a gap is later",
            every(1, Unit::Days, berlin),
            "2026-03-27T01:30Z",
            expect![[r#"
            Sat 2026-03-28 02:30:00+01:00
            Sun 2026-03-29 03:30:00+02:00
            Mon 2026-03-30 02:30:00+02:00
            Tue 2026-03-31 02:30:00+02:00"#]],
        ),
        (
            "a day's tick in a fold is the first",
            every(1, Unit::Days, berlin),
            "2026-10-23T00:30Z",
            expect![[r#"
            Sat 2026-10-24 02:30:00+02:00
            Sun 2026-10-25 02:30:00+02:00
            Mon 2026-10-26 02:30:00+01:00
            Tue 2026-10-27 02:30:00+01:00"#]],
        ),
        (
            "from the second of a fold on",
            every(1, Unit::Days, berlin),
            "2026-10-25T01:30Z",
            expect![[r#"
            Mon 2026-10-26 02:30:00+01:00
            Tue 2026-10-27 02:30:00+01:00
            Wed 2026-10-28 02:30:00+01:00
            Thu 2026-10-29 02:30:00+01:00"#]],
        ),
        (
            "weeks keep it too",
            every(2, Unit::Weeks, "America/New_York"),
            "2026-02-22T07:30Z",
            expect![[r#"
            Sun 2026-03-08 03:30:00-04:00
            Sun 2026-03-22 02:30:00-04:00
            Sun 2026-04-05 02:30:00-04:00
            Sun 2026-04-19 02:30:00-04:00"#]],
        ),
        (
            "half an hour",
            every(1, Unit::Days, howe),
            "2026-10-02T15:40Z",
            expect![[r#"
            Sun 2026-10-04 02:40:00+11:00
            Mon 2026-10-05 02:10:00+11:00
            Tue 2026-10-06 02:10:00+11:00
            Wed 2026-10-07 02:10:00+11:00"#]],
        ),
        (
            "a day left out ticks with the next",
            every(1, Unit::Days, apia),
            "2011-12-29T13:00Z",
            expect![[r#"
            Sat 2011-12-31 03:00:00+14:00
            Sun 2012-01-01 03:00:00+14:00
            Mon 2012-01-02 03:00:00+14:00
            Tue 2012-01-03 03:00:00+14:00"#]],
        ),
        (
            "cron with one time in a gap: at its end",
            cron("30 2 * * *", berlin),
            "2026-03-28T00:00Z",
            expect![[r#"
            Sat 2026-03-28 02:30:00+01:00
            Sun 2026-03-29 03:00:00+02:00
            Mon 2026-03-30 02:30:00+02:00
            Tue 2026-03-31 02:30:00+02:00"#]],
        ),
        (
            "cron with one time in a fold: once",
            cron("30 2 * * *", berlin),
            "2026-10-24T00:00Z",
            expect![[r#"
            Sat 2026-10-24 02:30:00+02:00
            Sun 2026-10-25 02:30:00+02:00
            Mon 2026-10-26 02:30:00+01:00
            Tue 2026-10-27 02:30:00+01:00"#]],
        ),
        (
            "other cron in a gap: left out",
            cron("15,45 2 * * *", berlin),
            "2026-03-28T00:00Z",
            expect![[r#"
            Sat 2026-03-28 02:15:00+01:00
            Sat 2026-03-28 02:45:00+01:00
            Mon 2026-03-30 02:15:00+02:00
            Mon 2026-03-30 02:45:00+02:00"#]],
        ),
        (
            "other cron in a fold: twice",
            cron("15,45 2 * * *", berlin),
            "2026-10-24T12:00Z",
            expect![[r#"
            Sun 2026-10-25 02:15:00+02:00
            Sun 2026-10-25 02:45:00+02:00
            Sun 2026-10-25 02:15:00+01:00
            Sun 2026-10-25 02:45:00+01:00"#]],
        ),
        (
            "cron every half hour in a fold",
            cron("*/30 * * * *", berlin),
            "2026-10-24T23:30Z",
            expect![[r#"
            Sun 2026-10-25 02:00:00+02:00
            Sun 2026-10-25 02:30:00+02:00
            Sun 2026-10-25 02:00:00+01:00
            Sun 2026-10-25 02:30:00+01:00"#]],
        ),
        (
            "cron on working days",
            cron("0 3 * * 1-5", berlin),
            "2026-03-26T12:00Z",
            expect![[r#"
            Fri 2026-03-27 03:00:00+01:00
            Mon 2026-03-30 03:00:00+02:00
            Tue 2026-03-31 03:00:00+02:00
            Wed 2026-04-01 03:00:00+02:00"#]],
        ),
        (
            "cron on the 13th or on a Friday",
            cron("0 0 13 * FRI", "UTC"),
            "2026-10-01T00:00Z",
            expect![[r#"
            Fri 2026-10-02 00:00:00+00:00
            Fri 2026-10-09 00:00:00+00:00
            Tue 2026-10-13 00:00:00+00:00
            Fri 2026-10-16 00:00:00+00:00"#]],
        ),
        (
            "cron in a day left out",
            cron("0 3 * * *", apia),
            "2011-12-28T13:00Z",
            expect![[r#"
            Thu 2011-12-29 03:00:00-10:00
            Sat 2011-12-31 03:00:00+14:00
            Sun 2012-01-01 03:00:00+14:00
            Mon 2012-01-02 03:00:00+14:00"#]],
        ),
        (
            "cron late on a day left out",
            cron("0 23 * * *", apia),
            "2011-12-28T13:00Z",
            expect![[r#"
            Wed 2011-12-28 23:00:00-10:00
            Thu 2011-12-29 23:00:00-10:00
            Sat 2011-12-31 00:00:00+14:00
            Sat 2011-12-31 23:00:00+14:00"#]],
        ),
        (
            "cron once a year, on a day left out",
            cron("0 3 30 12 *", apia),
            "2010-01-01T00:00Z",
            expect![[r#"
            Thu 2010-12-30 03:00:00-10:00
            Sun 2012-12-30 03:00:00+14:00
            Mon 2013-12-30 03:00:00+14:00
            Tue 2014-12-30 03:00:00+14:00"#]],
        ),
    ];
    for (name, schedule, anchor, expected) in table {
        println!("{name}");
        expected.assert_eq(&ticks(&schedule, anchor, 4));
    }
}

#[test]
fn a_tick_that_a_gap_moves_over_midnight_is_not_lost() {
    let toronto = every(1, Unit::Days, "America/Toronto");
    let next = toronto.next_after(at("1919-03-29T04:45Z"), at("1919-03-31T04:40Z"));
    assert_eq!(shown(next, "America/Toronto"), "Mon 1919-03-31 00:45:00-04:00");
}

#[test]
fn what_never_ticks_says_so() {
    let now = at("2026-10-01T12:00Z");
    for line in ["0 0 30 2 *", "* * 31 2,4,6,9,11 *", "*/7 */5 30,31 2 *"] {
        assert_eq!(cron(line, "Europe/Berlin").next_after(now, now), None, "{line}");
    }
    let leap_day = cron("0 0 29 2 *", "Europe/Berlin").next_after(now, now);
    assert_eq!(shown(leap_day, "Europe/Berlin"), "Tue 2028-02-29 00:00:00+01:00");
}

#[test]
fn a_schedule_that_makes_no_sense_cannot_be_read() {
    let read = |cadence: serde_json::Value| {
        let value = json!({ "cadence": cadence, "zone": "UTC" });
        serde_json::from_value::<Schedule>(value).map_or_else(|error| error.to_string(), |_| "is read".to_owned())
    };
    let said = [
        read(json!({ "every": { "count": 0, "unit": "hours" } })),
        read(json!({ "every": { "count": 10_001, "unit": "hours" } })),
        read(json!({ "every": { "count": 10_000, "unit": "weeks" } })),
        read(json!({ "cron": "" })),
        read(json!({ "cron": "61 * * * *" })),
        read(json!({ "cron": "0 0 3 * * *" })),
        read(json!({ "cron": "a b c d e" })),
        read(json!({ "cron": "* ".repeat(200) })),
        read(json!({ "cron": "@daily" })),
    ];
    expect![[r#"
        0 is not between 1 and 10000
        10001 is not between 1 and 10000
        is read
        `` is not a cron line (CronPattern cannot be an empty string): write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday
        `61 * * * *` is not a cron line (Component error: Number out of bounds): write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday
        `0 0 3 * * *` is not a cron line (Invalid pattern: Pattern must have 5 fields when seconds are disallowed): write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday
        `a b c d e` is not a cron line (Pattern contains illegal characters: CronPattern contains illegal character 'A' in part 'A'): write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday
        `* * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * * ` is not a cron line (it has more than 200 characters): write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday
        is read"#]].assert_eq(&said.join("\n"));
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let value = json!({
        "availability": { "zone": "Europe/Berlin", "windows": [{ "days": ["mon", "sun"], "from": "22:00", "to": "24:00" }] },
        "freeze": {
            "name": "audit",
            "period": { "from": "2026-11-27T00:00:00", "until": "2026-11-28T00:00:00.25Z", "zone": "UTC" },
            "effect": { "stricter": { "rules": [{ "count": 2, "groups": ["dba"] }] } },
            "reason": "the books",
            "environments": ["production"],
        },
        "every": { "cadence": { "every": { "count": 2, "unit": "hours" } }, "zone": "Asia/Kolkata" },
        "cron": { "cadence": { "cron": "0 3 * * 1-5" }, "zone": "UTC" },
    });
    let read = (
        serde_json::from_value::<Availability>(value["availability"].clone()).unwrap(),
        serde_json::from_value::<Freeze>(value["freeze"].clone()).unwrap(),
        serde_json::from_value::<Schedule>(value["every"].clone()).unwrap(),
        serde_json::from_value::<Schedule>(value["cron"].clone()).unwrap(),
    );
    let written = serde_json::to_value(&read).unwrap();
    assert_eq!(json!([value["availability"], value["freeze"], value["every"], value["cron"]]), written);
}

#[test]
fn the_ends_of_time_are_reached_without_harm() {
    let ends =
        [i64::MIN, i64::MIN + 1, -377_705_023_201_000, 0, 253_402_207_200_000, i64::MAX - 1, i64::MAX].map(Timestamp);
    let availability = available("Europe/Berlin", [window("mon", "22:00", "06:00")]);
    let freeze = freeze("long", "0000-01-01T00:00", "9999-12-31T23:59", FreezeEffect::Deny);
    let schedules =
        [Unit::Minutes, Unit::Hours, Unit::Days, Unit::Weeks].map(|unit| every(10_000, unit, "Europe/Berlin"));
    let crons = ["30 2 * * *", "* * * * *"].map(|line| cron(line, "Pacific/Apia"));
    for now in ends {
        opening(now, &availability, [&freeze]);
        availability.closes_at(now);
        for (schedule, anchor) in
            schedules.iter().chain(&crons).flat_map(|schedule| ends.map(|anchor| (schedule, anchor)))
        {
            let next = schedule.next_after(anchor, now);
            assert!(next.is_none_or(|next| now < next && anchor <= next), "{schedule:?} {anchor:?} {now:?} {next:?}");
        }
    }
}
