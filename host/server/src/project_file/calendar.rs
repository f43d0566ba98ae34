//! `availability`, `freezes` and `schedule` as people type them, and what they mean.
//!
//! The schema holds what a pattern can say. Whether a zone exists, a day is on the calendar or a cron line ever ticks,
//! only their meaning tells: it is asked for with the JSON pointer of the place, and answers with all that is wrong.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use lockgate_core::calendar::{
    Availability, Cadence, Count, Freeze, FreezeEffect, Moment, Period, Schedule, TimeOfDay, Unit, Weekday, Window,
    Zone,
};
use lockgate_core::definition::MOST_WINDOWS;
use lockgate_core::name::{Name, Timestamp};
use lockgate_core::plugin::Issue;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::quoted;
use super::shape::RuleFile;
use super::text::{EXPLANATION, NameText};

/// When deployments may start here. Those that have started go on.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Availability")]
pub struct AvailabilityFile {
    zone: ZoneText,
    #[schemars(length(min = 1, max = MOST_WINDOWS))]
    windows: Vec<WindowFile>,
}

/// Opens at `from` on each of the days and closes at `to`, on the next day when that is not later than `from`. Where a
/// zone's clock is changed, a time has come when the clock first shows it or a later one.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Window")]
struct WindowFile {
    #[schemars(length(min = 1))]
    days: BTreeSet<WeekdayFile>,
    from: BeginText,
    to: EndText,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Weekday")]
enum WeekdayFile {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// Between two moments nothing starts, or more people are asked. A rollback to what was healthy is exempt.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Freeze")]
pub struct FreezeFile {
    name: NameText,
    from: MomentText,
    /// The first moment at which it is over.
    until: MomentText,
    /// Of the moments that are written without an offset.
    zone: ZoneText,
    /// For whoever has to wait.
    reason: ReasonText,
    /// Without it: all of them.
    #[serde(default)]
    environments: BTreeSet<NameText>,
    /// Deployments may start, with more approvals. Without it nothing starts.
    #[schemars(with = "StricterFile")]
    #[serde(default)]
    stricter: Option<StricterFile>,
}

/// What is asked for beside the environment's own rules.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Stricter")]
struct StricterFile {
    #[schemars(length(min = 1))]
    rules: Vec<RuleFile>,
}

/// When deployments start by themselves: `every` so often, or by `cron`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Schedule")]
pub struct ScheduleFile {
    /// Minutes and hours count in real time; days and weeks come at the same time of day.
    #[schemars(with = "EveryText")]
    #[serde(default)]
    every: Option<EveryText>,
    /// Minute, hour, day of the month, month and weekday.
    #[schemars(with = "CronLine")]
    #[serde(default)]
    cron: Option<CronLine>,
    zone: ZoneText,
}

impl AvailabilityFile {
    pub fn meaning(self, at: &str) -> Result<Availability, Vec<Issue>> {
        let zone = parsed(&self.zone.0, at, "zone").map_err(|issue| vec![issue])?;
        Ok(Availability { zone, windows: self.windows.into_iter().map(WindowFile::meaning).collect() })
    }
}

impl WindowFile {
    fn meaning(self) -> Window {
        let days = self.days.into_iter().map(WeekdayFile::meaning).collect();
        Window::new(days, self.from.0, self.to.0).expect("the schema asks for a day, and no window begins at 24:00")
    }
}

impl WeekdayFile {
    fn meaning(self) -> Weekday {
        match self {
            WeekdayFile::Mon => Weekday::Mon,
            WeekdayFile::Tue => Weekday::Tue,
            WeekdayFile::Wed => Weekday::Wed,
            WeekdayFile::Thu => Weekday::Thu,
            WeekdayFile::Fri => Weekday::Fri,
            WeekdayFile::Sat => Weekday::Sat,
            WeekdayFile::Sun => Weekday::Sun,
        }
    }
}

/// All freezes of a file, the list of which stands at `at`.
pub fn freezes(files: Vec<FreezeFile>, at: &str) -> Result<Vec<Freeze>, Vec<Issue>> {
    let (mut freezes, mut issues) = (Vec::new(), Vec::new());
    let mut names: BTreeSet<Name> = BTreeSet::new();
    for (index, file) in files.into_iter().enumerate() {
        let at = format!("{at}/{index}");
        if !names.insert(file.name.0.clone()) {
            issues.push(issue(&at, "name", format!("a second freeze is named `{}`", file.name.0)));
        }
        match file.meaning(&at) {
            Ok(freeze) => freezes.push(freeze),
            Err(wrong) => issues.extend(wrong),
        }
    }
    if issues.is_empty() { Ok(freezes) } else { Err(issues) }
}

impl FreezeFile {
    fn meaning(self, at: &str) -> Result<Freeze, Vec<Issue>> {
        let period = self.period(at)?;
        let effect = match self.stricter {
            None => FreezeEffect::Deny,
            Some(stricter) => {
                FreezeEffect::Stricter { rules: stricter.rules.into_iter().map(RuleFile::meaning).collect() }
            }
        };
        let environments = self.environments.into_iter().map(|name| name.0).collect();
        Ok(Freeze { name: self.name.0, period, effect, reason: self.reason.0, environments })
    }

    fn period(&self, at: &str) -> Result<Period, Vec<Issue>> {
        let from: Result<Moment, Issue> = parsed(&self.from.0, at, "from");
        let until: Result<Moment, Issue> = parsed(&self.until.0, at, "until");
        let zone: Result<Zone, Issue> = parsed(&self.zone.0, at, "zone");
        match (from, until, zone) {
            (Ok(from), Ok(until), Ok(zone)) => {
                Period::new(from, until, zone).map_err(|error| vec![issue(at, "until", error.to_string())])
            }
            (from, until, zone) => Err([from.err(), until.err(), zone.err()].into_iter().flatten().collect()),
        }
    }
}

impl ScheduleFile {
    pub fn meaning(self, at: &str) -> Result<Schedule, Vec<Issue>> {
        let cadence = match (self.every, self.cron) {
            (Some(every), None) => Ok(Cadence::Every { count: every.count, unit: every.unit }),
            (None, Some(cron)) => parsed(&cron.0, at, "cron").map(Cadence::Cron),
            (None, None) => Err(Issue {
                path: at.to_owned(),
                message: "this schedule never ticks: give it `every`, such as `2 hours`, or `cron`".to_owned(),
            }),
            (Some(_), Some(_)) => Err(issue(at, "cron", "a schedule has `every` or `cron`, not both".to_owned())),
        };
        match (cadence, parsed(&self.zone.0, at, "zone")) {
            (Ok(cadence), Ok(zone)) => ticking(Schedule { cadence, zone }, at).map_err(|issue| vec![issue]),
            (cadence, zone) => Err([cadence.err(), zone.err()].into_iter().flatten().collect()),
        }
    }
}

/// Asked once, here: it is not cheap to find that there is no 30 February.
fn ticking(schedule: Schedule, at: &str) -> Result<Schedule, Issue> {
    match &schedule.cadence {
        Cadence::Cron(cron) if schedule.next_after(Timestamp(0), Timestamp(0)).is_none() => {
            Err(issue(at, "cron", format!("{} names a day that never comes", quoted(&cron.to_string()))))
        }
        Cadence::Cron(_) | Cadence::Every { .. } => Ok(schedule),
    }
}

/// What a pattern lets pass may still not exist.
fn parsed<Meaning: FromStr<Err: Display>>(text: &str, at: &str, key: &str) -> Result<Meaning, Issue> {
    text.parse().map_err(|error: Meaning::Err| issue(at, key, error.to_string()))
}

fn issue(at: &str, key: &str, message: String) -> Issue {
    Issue { path: format!("{at}/{key}"), message }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct ZoneText(String);

#[derive(Deserialize)]
#[serde(transparent)]
struct MomentText(String);

#[derive(Deserialize)]
#[serde(transparent)]
struct CronLine(String);

#[derive(Deserialize)]
#[serde(transparent)]
struct ReasonText(String);

#[derive(Deserialize)]
#[serde(transparent)]
struct BeginText(TimeOfDay);

#[derive(Deserialize)]
#[serde(transparent)]
struct EndText(TimeOfDay);

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct EveryText {
    count: Count,
    unit: Unit,
}

impl TryFrom<String> for EveryText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let invalid = || format!("{} {EVERY_EXPLANATION}", quoted(&text));
        let (count, unit) = text.split_once(' ').ok_or_else(invalid)?;
        let unit = match unit {
            "minute" | "minutes" => Unit::Minutes,
            "hour" | "hours" => Unit::Hours,
            "day" | "days" => Unit::Days,
            "week" | "weeks" => Unit::Weeks,
            _ => return Err(invalid()),
        };
        let count: u32 = count.parse().map_err(|_| invalid())?;
        Ok(Self { count: count.try_into().map_err(|_| invalid())?, unit })
    }
}

const EVERY_EXPLANATION: &str = "is not how often: write it like `30 minutes`, `2 hours`, `1 day` or `2 weeks`";

macro_rules! text_schema {
    ($type:ident, $name:literal, $pattern:literal, $examples:tt, $explanation:expr) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": $pattern,
                    "examples": $examples,
                    EXPLANATION: $explanation,
                })
            }
        }
    };
}

text_schema!(
    ZoneText,
    "Zone",
    "^[A-Za-z][A-Za-z0-9_+/-]{0,63}$",
    ["Europe/Berlin", "UTC"],
    "is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`"
);
text_schema!(
    MomentText,
    "Moment",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?$",
    ["2026-11-27T00:00", "2026-11-27T00:00:00+01:00"],
    "is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`"
);
text_schema!(
    BeginText,
    "Begin",
    "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    ["09:00"],
    "is not a time of day: write hours and minutes, such as `09:00`, from `00:00` to `23:59`"
);
text_schema!(
    EndText,
    "End",
    "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    ["17:00", "24:00"],
    "is not a time of day: write hours and minutes, such as `17:00`, from `00:00` to `24:00`"
);
text_schema!(
    EveryText,
    "Every",
    "^([1-9][0-9]{0,3}|10000) (minutes?|hours?|days?|weeks?)$",
    ["2 hours", "1 day"],
    EVERY_EXPLANATION
);
text_schema!(
    CronLine,
    "Cron",
    "^[^ ]+( +[^ ]+){4}$",
    ["0 3 * * 1-5"],
    "is not a cron line: write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday"
);
text_schema!(
    ReasonText,
    "Reason",
    "^(?=[\\s\\S]*\\S)[\\s\\S]{1,500}$",
    ["The shop's busiest weekend"],
    "is not a reason: write up to 500 characters for those who have to wait"
);

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use lockgate_core::calendar::CronText;
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::*;
    use crate::project_file::yaml;

    /// Every value that the schema takes is read; of others, what serde says does not matter.
    fn read<File: DeserializeOwned + JsonSchema>(text: &str) -> Result<File, String> {
        let value = yaml::read(text, "").0.unwrap().to_json();
        let schema = schemars::schema_for!(File).to_value();
        let validator = jsonschema::validator_for(&schema).unwrap();
        if let Some(error) = validator.iter_errors(&value).next() {
            let owner = error.schema_path().as_str().rsplit_once('/').map_or("", |(owner, _)| owner);
            let explained = schema.pointer(owner).and_then(|schema| schema[EXPLANATION].as_str());
            let said =
                explained.map_or_else(|| error.to_string(), |explained| format!("{} {explained}", error.instance()));
            return Err(format!("schema {}: {said}", error.instance_path()));
        }
        Ok(serde_json::from_value(value).expect("the schema and the structs agree"))
    }

    fn said(issues: Vec<Issue>) -> String {
        issues.into_iter().map(|issue| format!("{}: {}", issue.path, issue.message)).collect::<Vec<_>>().join("\n")
    }

    fn shown(meaning: Result<impl Serialize, Vec<Issue>>) -> String {
        match meaning {
            Ok(meaning) => serde_json::to_string(&meaning).unwrap(),
            Err(issues) => said(issues),
        }
    }

    fn availability(text: &str) -> String {
        read::<AvailabilityFile>(text).map_or_else(|error| error, |file| shown(file.meaning("/here/availability")))
    }

    fn schedule(text: &str) -> String {
        read::<ScheduleFile>(text).map_or_else(|error| error, |file| shown(file.meaning("/here/schedule")))
    }

    fn freezes_of(text: &str) -> String {
        read::<Vec<FreezeFile>>(text).map_or_else(|error| error, |files| shown(freezes(files, "/freezes")))
    }

    #[test]
    fn windows_are_read() {
        let windows = |written: &str| availability(&format!("{{ zone: Europe/Berlin, windows: [{written}] }}"));
        let said = [
            windows(r#"{ days: [mon, tue], from: "09:00", to: "17:00" }, { days: [sat], from: 22:00, to: 06:00 }"#),
            windows("{ days: [mon], from: 00:00, to: 24:00 }"),
            windows(""),
            windows("{ days: [], from: 00:00, to: 24:00 }"),
            windows("{ days: [monday], from: 00:00, to: 24:00 }"),
            windows("{ days: [mon], from: 24:00, to: 24:00 }"),
            windows("{ days: [mon], from: 9:00, to: 17:00 }"),
            windows("{ days: [mon], from: 09:00, to: 24:01 }"),
            windows("{ days: [mon], from: 9, to: 17:00 }"),
            windows("{ days: [mon], to: 17:00 }"),
            availability("{ windows: [{ days: [mon], from: 09:00, to: 17:00 }] }"),
            availability("{ zone: europe/berlin, windows: [{ days: [mon], from: 09:00, to: 17:00 }] }"),
            availability("{ zone: Europe/Berln, windows: [{ days: [mon], from: 09:00, to: 17:00 }] }"),
            availability("{ zone: +02:00, windows: [{ days: [mon], from: 09:00, to: 17:00 }] }"),
        ];
        expect![[r#"
            {"zone":"Europe/Berlin","windows":[{"days":["mon","tue"],"from":"09:00","to":"17:00"},{"days":["sat"],"from":"22:00","to":"06:00"}]}
            {"zone":"Europe/Berlin","windows":[{"days":["mon"],"from":"00:00","to":"24:00"}]}
            schema /windows: [] has less than 1 item
            schema /windows/0/days: [] has less than 1 item
            schema /windows/0/days/0: "monday" is not one of "mon", "tue" or 5 other candidates
            schema /windows/0/from: "24:00" is not a time of day: write hours and minutes, such as `09:00`, from `00:00` to `23:59`
            schema /windows/0/from: "9:00" is not a time of day: write hours and minutes, such as `09:00`, from `00:00` to `23:59`
            schema /windows/0/to: "24:01" is not a time of day: write hours and minutes, such as `17:00`, from `00:00` to `24:00`
            schema /windows/0/from: 9 is not a time of day: write hours and minutes, such as `09:00`, from `00:00` to `23:59`
            schema /windows/0: "from" is a required property
            schema : "zone" is a required property
            /here/availability/zone: `europe/berlin` is not a time zone; did you mean `Europe/Berlin`?
            /here/availability/zone: `Europe/Berln` is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`
            schema /zone: "+02:00" is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`"#]].assert_eq(&said.join("\n"));
    }

    #[test]
    fn schedules_are_read() {
        let said = [
            "{ every: 2 hours, zone: Europe/Berlin }",
            "{ every: 1 day, zone: Europe/Berlin }",
            "{ every: 10000 weeks, zone: UTC }",
            r#"{ cron: "0 3 * * 1-5", zone: UTC }"#,
            "{ every: 10001 weeks, zone: UTC }",
            "{ every: 0 hours, zone: UTC }",
            "{ every: 2h, zone: UTC }",
            "{ every: 1 month, zone: UTC }",
            "{ every: 2 hours }",
            "{ zone: UTC }",
            r#"{ every: 2 hours, cron: "0 3 * * *", zone: Utc }"#,
            r#"{ cron: "0 3 * *", zone: UTC }"#,
            r#"{ cron: "61 3 * * *", zone: Mars }"#,
            r#"{ cron: "0 0 30 2 *", zone: UTC }"#,
            r#"{ cron: "0 0 29 2 *", zone: UTC }"#,
            r#"{ cron: "@daily", zone: UTC }"#,
        ]
        .map(schedule);
        expect![[r#"
            {"cadence":{"every":{"count":2,"unit":"hours"}},"zone":"Europe/Berlin"}
            {"cadence":{"every":{"count":1,"unit":"days"}},"zone":"Europe/Berlin"}
            {"cadence":{"every":{"count":10000,"unit":"weeks"}},"zone":"UTC"}
            {"cadence":{"cron":"0 3 * * 1-5"},"zone":"UTC"}
            schema /every: "10001 weeks" is not how often: write it like `30 minutes`, `2 hours`, `1 day` or `2 weeks`
            schema /every: "0 hours" is not how often: write it like `30 minutes`, `2 hours`, `1 day` or `2 weeks`
            schema /every: "2h" is not how often: write it like `30 minutes`, `2 hours`, `1 day` or `2 weeks`
            schema /every: "1 month" is not how often: write it like `30 minutes`, `2 hours`, `1 day` or `2 weeks`
            schema : "zone" is a required property
            /here/schedule: this schedule never ticks: give it `every`, such as `2 hours`, or `cron`
            /here/schedule/cron: a schedule has `every` or `cron`, not both
            /here/schedule/zone: `Utc` is not a time zone; did you mean `UTC`?
            schema /cron: "0 3 * *" is not a cron line: write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday
            /here/schedule/cron: `61 3 * * *` is not a cron line (Component error: Number out of bounds): write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday
            /here/schedule/zone: `Mars` is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`
            /here/schedule/cron: `0 0 30 2 *` names a day that never comes
            {"cadence":{"cron":"0 0 29 2 *"},"zone":"UTC"}
            schema /cron: "@daily" is not a cron line: write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday"#]].assert_eq(&said.join("\n"));
    }

    #[test]
    fn freezes_are_read() {
        let freeze = |written: &str| freezes_of(&format!("[{{ name: audit, reason: the books, {written} }}]"));
        let november = "from: 2026-11-27T00:00, until: 2026-12-01T00:00, zone: Europe/Berlin";
        let said = [
            freeze(november),
            freeze(&format!("{november}, environments: [prod, staging]")),
            freeze(&format!("{november}, stricter: {{ rules: [{{ count: 2.0, groups: [dba] }}, {{}}] }}")),
            freeze("from: 2026-11-27T00:00:00+01:00, until: 2026-12-01T00:00Z, zone: UTC"),
            freeze(&format!("{november}, stricter: {{ rules: [] }}")),
            freeze(&format!("{november}, deny: true")),
            freeze(&format!("{november}, environments: [Prod]")),
            freeze("from: 2026-11-27, until: 2026-12-01T00:00, zone: UTC"),
            freeze("from: 2026-11-31T00:00, until: 2026-12-01T25:00, zone: Mars"),
            freeze("from: 2026-12-01T00:00, until: 2026-11-27T00:00, zone: UTC"),
            freeze("from: 2026-03-29T02:00, until: 2026-03-29T03:00, zone: Europe/Berlin"),
            freezes_of(&format!("[{{ name: audit, {november} }}]")),
            freezes_of(&format!("[{{ name: audit, reason: ' ', {november} }}]")),
            freezes_of(&format!("[{{ name: a, reason: x, {november} }}, {{ name: a, reason: y, {november} }}]")),
        ];
        expect![[r#"
            [{"name":"audit","period":{"from":"2026-11-27T00:00:00","until":"2026-12-01T00:00:00","zone":"Europe/Berlin"},"effect":"deny","reason":"the books","environments":[]}]
            [{"name":"audit","period":{"from":"2026-11-27T00:00:00","until":"2026-12-01T00:00:00","zone":"Europe/Berlin"},"effect":"deny","reason":"the books","environments":["prod","staging"]}]
            [{"name":"audit","period":{"from":"2026-11-27T00:00:00","until":"2026-12-01T00:00:00","zone":"Europe/Berlin"},"effect":{"stricter":{"rules":[{"count":2,"groups":["dba"]},{"count":1,"groups":[]}]}},"reason":"the books","environments":[]}]
            [{"name":"audit","period":{"from":"2026-11-26T23:00:00Z","until":"2026-12-01T00:00:00Z","zone":"UTC"},"effect":"deny","reason":"the books","environments":[]}]
            schema /0/stricter/rules: [] has less than 1 item
            schema /0: Additional properties are not allowed ('deny' was unexpected)
            schema /0/environments/0: "Prod" is not a name: use 1 to 63 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`
            schema /0/from: "2026-11-27" is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`
            /freezes/0/from: `2026-11-31T00:00` is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`
            /freezes/0/until: `2026-12-01T25:00` is not a moment: write date and time, such as `2026-11-27T00:00`, or with an offset `2026-11-27T00:00:00Z`
            /freezes/0/zone: `Mars` is not a time zone: use a name of the IANA database, such as `Europe/Berlin` or `UTC`
            /freezes/0/until: it ends at 2026-11-27T00:00:00, which in UTC is not later than its beginning at 2026-12-01T00:00:00
            /freezes/0/until: it ends at 2026-03-29T03:00:00, which in Europe/Berlin is not later than its beginning at 2026-03-29T02:00:00
            schema /0: "reason" is a required property
            schema /0/reason: " " is not a reason: write up to 500 characters for those who have to wait
            /freezes/1/name: a second freeze is named `a`"#]].assert_eq(&said.join("\n"));
    }

    /// They stand in for what does not fit.
    #[test]
    fn every_example_of_the_schema_is_good() {
        let schema = schemars::schema_for!((AvailabilityFile, Vec<FreezeFile>, ScheduleFile)).to_value();
        let texts = schema["$defs"].as_object().unwrap().values().filter(|schema| schema["pattern"].is_string());
        for schema in texts {
            let validator = jsonschema::validator_for(schema).unwrap();
            let mut examples = schema["examples"].as_array().into_iter().flatten();
            assert!(examples.all(|example: &Value| validator.is_valid(example)), "{schema}");
        }
        let first = |name: &str| schema["$defs"][name]["examples"][0].as_str().unwrap();
        first("Zone").parse::<Zone>().unwrap();
        first("Moment").parse::<Moment>().unwrap();
        first("Cron").parse::<CronText>().unwrap();
    }
}
