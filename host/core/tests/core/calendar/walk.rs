//! The calendar held against a walk from minute to minute, over weeks in which clocks are changed.

use std::collections::BTreeSet;

use fastrand::Rng;
use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, ToSpan};
use lockgate_core::calendar::*;
use lockgate_core::name::Timestamp;
use serde_json::json;

use super::{at, available, cron, every, shown, two_people, tz};

/// Where and when clocks are changed, with a day about two weeks before.
const CHANGES: [(&str, &str); 11] = [
    ("Europe/Berlin", "2026-03-16T00:00Z"),
    ("Europe/Berlin", "2026-10-12T00:00Z"),
    ("America/New_York", "2026-02-23T00:00Z"),
    ("America/New_York", "2026-10-19T00:00Z"),
    ("Australia/Lord_Howe", "2026-03-23T00:00Z"),
    ("Australia/Lord_Howe", "2026-09-21T00:00Z"),
    ("America/St_Johns", "2005-10-17T00:00Z"),
    ("Africa/Cairo", "2026-04-13T00:00Z"),
    ("Antarctica/Troll", "2026-03-16T00:00Z"),
    ("Pacific/Apia", "2011-12-17T00:00Z"),
    ("UTC", "2026-03-16T00:00Z"),
];

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: usize = 24 * 60;

/// Five weeks, minute by minute.
struct Walk {
    zone: &'static str,
    start: Timestamp,
    clock: Vec<DateTime>,
    /// The latest that the clock has shown so far.
    reached: Vec<DateTime>,
    /// The first minute by a changed clock.
    change: Option<usize>,
}

impl Walk {
    fn new((zone, start): (&'static str, &str)) -> Self {
        let start = at(start);
        let time_zone = tz(zone);
        let clock_at =
            |minute| time_zone.to_datetime(jiff::Timestamp::from_millisecond(start.0 + minute * MINUTE_MS).unwrap());
        let clock: Vec<DateTime> = (0..35 * DAY_MINUTES as i64).map(clock_at).collect();
        let reached = clock.iter().scan(DateTime::MIN, |latest, now| {
            *latest = (*latest).max(*now);
            Some(*latest)
        });
        let change = (1..clock.len()).find(|minute| clock[*minute] != clock[*minute - 1] + 1.minute());
        Self { zone, start, reached: reached.collect(), change, clock }
    }

    fn at(&self, minute: usize) -> Timestamp {
        Timestamp(self.start.0 + minute as i64 * MINUTE_MS)
    }

    fn end(&self) -> Timestamp {
        self.at(self.clock.len())
    }

    /// Some moment of the first three weeks or so, often near the change, and the minute it is in.
    fn any(&self, random: &mut Rng) -> (usize, Timestamp) {
        let minute = match self.change {
            Some(change) if random.bool() => random.usize(change - 300..change + 300),
            Some(_) | None => random.usize(3 * DAY_MINUTES..24 * DAY_MINUTES),
        };
        (minute, self.at(minute).plus_ms(random.choice([0, 0, 1, 30_000, 59_999]).unwrap()))
    }

    /// `now` itself where the minute it is in is as wished, else the first minute that is.
    fn first(&self, (minute, now): (usize, Timestamp), wished: impl Fn(usize) -> bool) -> Option<Timestamp> {
        if wished(minute) {
            return Some(now);
        }
        (minute..self.clock.len()).find(|minute| wished(*minute)).map(|minute| self.at(minute))
    }

    /// What lies beyond the walk is not known here.
    fn check(&self, said: Option<Timestamp>, walked: Option<Timestamp>, about: &str) {
        match walked {
            Some(_) => assert_eq!(shown(said, self.zone), shown(walked, self.zone), "{about}"),
            None => assert!(said.is_none_or(|said| self.end() <= said), "{about}: {}", shown(said, self.zone)),
        }
    }
}

fn any_window(random: &mut Rng) -> Window {
    let time = |random: &mut Rng, last: u32| match random.u8(..4) {
        0 => last.min(random.u32(0..=24) * 60),
        // Most clocks are changed at night.
        1 | 2 => random.u32(0..=16) * 15,
        _ => random.u32(..24 * 60),
    };
    let written = |minutes: u32| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let days: Vec<Weekday> = Weekday::ALL.into_iter().filter(|_| random.bool()).collect();
    let days = if days.is_empty() { vec![Weekday::Sun] } else { days };
    let (from, to) = (time(random, 23 * 60), time(random, 24 * 60));
    serde_json::from_value(json!({ "days": days, "from": written(from), "to": written(to) })).unwrap()
}

fn minutes(time: TimeOfDay) -> i64 {
    let text = time.to_string();
    text[..2].parse::<i64>().unwrap() * 60 + text[3..].parse::<i64>().unwrap()
}

/// By the rule's own words: the clock has reached `from` on one of the days, and has not reached `to`.
fn is_within(reached: DateTime, window: &Window) -> bool {
    let (from, to) = (minutes(window.from()), minutes(window.to()));
    let to = if to <= from { to + 24 * 60 } else { to };
    let mut days = [0, 1, 2].map(|days| reached.date() - days.days()).into_iter();
    days.any(|day| {
        let midnight = day.to_datetime(Time::midnight());
        let weekday = Weekday::ALL[day.weekday().to_monday_zero_offset() as usize];
        window.days().contains(&weekday) && midnight + from.minutes() <= reached && reached < midnight + to.minutes()
    })
}

#[test]
fn windows_open_and_close_as_a_walk_from_minute_to_minute_finds() {
    for (index, change) in CHANGES.into_iter().enumerate() {
        let walk = Walk::new(change);
        for seed in 0..5 {
            let mut random = Rng::with_seed(seed * 100 + index as u64);
            let windows: Vec<Window> = (0..random.usize(1..5)).map(|_| any_window(&mut random)).collect();
            let open: Vec<bool> =
                walk.reached.iter().map(|now| windows.iter().any(|window| is_within(*now, window))).collect();
            let availability = available(walk.zone, windows);
            for _ in 0..300 {
                let (minute, now) = walk.any(&mut random);
                let about = format!("seed {seed}, {}, {availability:?}", shown(Some(now), walk.zone));
                assert_eq!(availability.is_open(now), open[minute], "{about}");
                walk.check(availability.opens_at(now), walk.first((minute, now), |minute| open[minute]), &about);
                walk.check(availability.closes_at(now), walk.first((minute, now), |minute| !open[minute]), &about);
            }
        }
    }
}

/// A freeze, and in which minutes of the walk it covers.
fn any_freeze(walk: &Walk, random: &mut Rng) -> (Freeze, Vec<bool>) {
    loop {
        let minute = random.usize(2 * DAY_MINUTES..28 * DAY_MINUTES);
        let ends = [minute, minute + random.usize(1..4 * DAY_MINUTES)].map(|minute| {
            // A time on the clock may be one that is in a gap.
            let shaken = walk.clock[minute] + random.i64(-90..90).minutes();
            let by_clock = random.bool();
            let text = if by_clock { shaken.to_string() } else { instant_text(walk.at(minute)) };
            let first = if by_clock { walk.reached.iter().position(|now| shaken <= *now).unwrap() } else { minute };
            (text, first)
        });
        let period = json!({ "from": ends[0].0, "until": ends[1].0, "zone": walk.zone });
        let Ok(period) = serde_json::from_value(period) else {
            assert!(ends[1].1 <= ends[0].1, "{ends:?}");
            continue;
        };
        let name = format!("freeze-{}", random.u32(..1_000_000)).parse().unwrap();
        let effect = if random.bool() { FreezeEffect::Deny } else { two_people() };
        let covered = (0..walk.clock.len()).map(|minute| (ends[0].1..ends[1].1).contains(&minute)).collect();
        return (Freeze { name, period, effect, reason: String::new(), environments: BTreeSet::new() }, covered);
    }
}

fn instant_text(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).unwrap().to_string()
}

#[test]
fn freezes_and_windows_together_are_as_a_walk_from_minute_to_minute_finds() {
    for (index, change) in CHANGES.into_iter().enumerate() {
        let walk = Walk::new(change);
        for seed in 0..5 {
            let mut random = Rng::with_seed(7000 + seed * 100 + index as u64);
            let windows: Vec<Window> = (0..random.usize(0..4)).map(|_| any_window(&mut random)).collect();
            let (freezes, covered): (Vec<Freeze>, Vec<Vec<bool>>) =
                (0..random.usize(0..5)).map(|_| any_freeze(&walk, &mut random)).unzip();
            // Denied, and which of the others count, minute by minute.
            let state = |minute: usize| {
                let within = windows.is_empty() || windows.iter().any(|w| is_within(walk.reached[minute], w));
                let covering: Vec<usize> = (0..freezes.len()).filter(|freeze| covered[*freeze][minute]).collect();
                let denied = covering.iter().any(|freeze| freezes[*freeze].denies());
                (within && !denied).then_some(covering)
            };
            let states: Vec<Option<Vec<usize>>> = (0..walk.clock.len()).map(state).collect();
            let availability = available(walk.zone, windows.clone());
            for _ in 0..150 {
                let (minute, now) = walk.any(&mut random);
                let about = format!("seed {seed}, {}, {availability:?}, {freezes:?}", shown(Some(now), walk.zone));
                match opening(now, &availability, &freezes) {
                    Opening::Open { until } => {
                        assert!(states[minute].is_some(), "{about}");
                        let changed = walk.first((minute, now), |later| states[later] != states[minute]);
                        walk.check(until, changed, &about);
                    }
                    Opening::Closed { until, because } => {
                        assert!(states[minute].is_none(), "{about}");
                        walk.check(until, walk.first((minute, now), |minute| states[minute].is_some()), &about);
                        let denying = freezes.iter().filter(|freeze| freeze.denies() && freeze.covers(now)).count();
                        let outside = usize::from(!availability.is_open(now));
                        assert_eq!(because.len(), denying + outside, "{about}");
                    }
                }
            }
        }
    }
}

/// The next tick after each moment is the first of `expected` that is later; and from tick to tick it comes by all.
fn check_ticks(walk: &Walk, schedule: &Schedule, anchor: Timestamp, expected: &BTreeSet<Timestamp>, random: &mut Rng) {
    let mut now = Timestamp(anchor.0 - 1);
    for tick in expected {
        let next = schedule.next_after(anchor, now);
        assert_eq!(
            shown(next, walk.zone),
            shown(Some(*tick), walk.zone),
            "{schedule:?} {}",
            shown(Some(now), walk.zone)
        );
        now = *tick;
    }
    walk.check(schedule.next_after(anchor, now), None, &format!("{schedule:?}"));
    for _ in 0..50 {
        let (_, now) = walk.any(random);
        let walked = expected.iter().find(|tick| now < **tick).copied();
        walk.check(schedule.next_after(anchor, now), walked, &format!("{schedule:?} {}", shown(Some(now), walk.zone)));
    }
}

#[test]
fn days_and_weeks_tick_as_a_walk_from_minute_to_minute_finds() {
    for (index, change) in CHANGES.into_iter().enumerate() {
        let walk = Walk::new(change);
        // What a gap leaves out comes as much later as the gap is long; of two the first counts.
        let tick = |time: DateTime| {
            let next = walk.reached.iter().position(|now| time <= *now)?;
            let gap_began = walk.reached[next - 1] + 1.minute();
            let late = if walk.clock[next] == time { SignedDuration::ZERO } else { gap_began.duration_until(time) };
            Some(Timestamp(walk.at(next).0 + i64::try_from(late.as_millis()).unwrap()))
        };
        for seed in 0..40 {
            let mut random = Rng::with_seed(seed * 100 + index as u64);
            // So that a tick some days later comes close to the change.
            let (near_the_change, _) = walk.any(&mut random);
            let first = near_the_change - random.usize(0..3) * DAY_MINUTES;
            let (count, unit, days) = random
                .choice([(1, Unit::Days, 1), (3, Unit::Days, 3), (1, Unit::Weeks, 7), (2, Unit::Weeks, 14)])
                .unwrap();
            let anchor = walk.at(first);
            let times = (0..35).map(|tick| walk.clock[first] + (tick * days).days());
            let expected: BTreeSet<Timestamp> = times.filter_map(tick).filter(|tick| anchor <= *tick).collect();
            check_ticks(&walk, &every(count, unit, walk.zone), anchor, &expected, &mut random);
        }
    }
}

#[test]
fn minutes_and_hours_tick_in_real_time() {
    for (index, change) in CHANGES.into_iter().enumerate() {
        let walk = Walk::new(change);
        let mut random = Rng::with_seed(index as u64);
        let (count, unit, distance) = random.choice([(90, Unit::Minutes, 90), (7, Unit::Hours, 420)]).unwrap();
        let first = random.usize(2 * DAY_MINUTES..20 * DAY_MINUTES);
        let expected = (first..walk.clock.len()).step_by(distance).map(|minute| walk.at(minute)).collect();
        check_ticks(&walk, &every(count, unit, walk.zone), walk.at(first), &expected, &mut random);
    }
}

/// As it is written, and what it lets pass.
type Field = (&'static str, fn(i8) -> bool);

#[test]
fn cron_lines_tick_as_a_walk_from_minute_to_minute_finds() {
    let minute_fields: [Field; 5] = [
        ("*/10", |m| m % 10 == 0),
        ("0", |m| m == 0),
        ("30", |m| m == 30),
        ("15,45", |m| m % 30 == 15),
        ("*/30", |m| m % 30 == 0),
    ];
    let hour_fields: [Field; 7] = [
        ("*", |_| true),
        ("0", |h| h == 0),
        ("1", |h| h == 1),
        ("2", |h| h == 2),
        ("23", |h| h == 23),
        ("1-3", |h| (1..=3).contains(&h)),
        ("*/2", |h| h % 2 == 0),
    ];
    let weekday_fields: [Field; 3] =
        [("*", |_| true), ("1-5", |d| (1..=5).contains(&d)), ("6,0", |d| d == 6 || d == 0)];
    for (index, change) in CHANGES.into_iter().enumerate() {
        let walk = Walk::new(change);
        let mut random = Rng::with_seed(index as u64);
        for ((minute_text, minutes), (hour_text, hours)) in
            minute_fields.into_iter().flat_map(|minute| hour_fields.map(|hour| (minute, hour)))
        {
            // In a gap longer than two hours only the last two have ticks.
            if walk.zone == "Pacific/Apia" && hour_text == "23" {
                continue;
            }
            let (weekday_text, weekdays) = random.choice(weekday_fields).unwrap();
            let ticks_at = |time: DateTime| {
                minutes(time.minute()) && hours(time.hour()) && weekdays(time.weekday().to_sunday_zero_offset())
            };
            let once_a_day = ["0", "30"].contains(&minute_text) && ["0", "1", "2", "23"].contains(&hour_text);
            let is_tick = |minute: usize| {
                if !once_a_day {
                    return ticks_at(walk.clock[minute]);
                }
                // What the clock shows for the first time now, or leaves out before it on the same day.
                let (before, now) = (walk.reached[minute - 1], walk.reached[minute]);
                let midnight = now.date().to_datetime(Time::midnight());
                let mut passed = (before + 1.minute()).max(midnight);
                std::iter::from_fn(|| {
                    let time = passed;
                    passed = time + 1.minute();
                    (time <= now).then_some(time)
                })
                .any(ticks_at)
            };
            let expected = (2 * DAY_MINUTES..walk.clock.len()).filter(|minute| is_tick(*minute));
            let expected: BTreeSet<Timestamp> = expected.map(|minute| walk.at(minute)).collect();
            let schedule = cron(&format!("{minute_text} {hour_text} * * {weekday_text}"), walk.zone);
            check_ticks(&walk, &schedule, walk.at(2 * DAY_MINUTES), &expected, &mut random);
        }
    }
}
