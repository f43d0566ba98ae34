//! The values of a project file that are written as text: names, durations and variables.
//!
//! Each has a pattern for editors and a sentence (`patternErrorMessage`, which editors show too) for people.

use std::borrow::Cow;

use lockgate_core::name::Name;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The key under which a schema explains its pattern.
pub const EXPLANATION: &str = "patternErrorMessage";
pub const NAME_PATTERN: &str = "^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$";
const NAME_EXPLANATION: &str =
    "is not a name: use 1 to 63 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`";
/// As every language and shell takes it.
const VARIABLE_PATTERN: &str = "^[A-Za-z_][A-Za-z0-9_]{0,127}$";
const VARIABLE_EXPLANATION: &str =
    "is not a variable's name: use 1 to 128 of A-Z, a-z, 0-9 and `_`, and begin with no digit";
const MAX_VARIABLE_BYTES: usize = 64 << 10;

/// What is wrong with a key of a mapping whose keys have this pattern.
pub fn explanation_of(pattern: &str) -> &'static str {
    match pattern {
        VARIABLE_PATTERN => VARIABLE_EXPLANATION,
        _ => NAME_EXPLANATION,
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NameText(pub Name);

impl JsonSchema for NameText {
    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": NAME_PATTERN,
            EXPLANATION: NAME_EXPLANATION,
        })
    }
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct VariableName(pub String);

impl JsonSchema for VariableName {
    fn schema_name() -> Cow<'static, str> {
        "VariableName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": VARIABLE_PATTERN, EXPLANATION: VARIABLE_EXPLANATION })
    }
}

/// What no process could be given.
pub fn value_problem(value: &str) -> Option<String> {
    if value.len() > MAX_VARIABLE_BYTES {
        return Some(format!("a variable has at most {} KiB", MAX_VARIABLE_BYTES >> 10));
    }
    value.contains('\0').then(|| "a variable cannot hold the character U+0000".to_owned())
}

/// Text, whatever type YAML sees in it. The schema lets editors pass what the reader has made text before.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Variable(pub String);

impl JsonSchema for Variable {
    fn schema_name() -> Cow<'static, str> {
        "Variable".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

macro_rules! duration {
    ($(#[$doc:meta])* $type:ident, $pattern:literal, $explanation:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(u64);

        impl $type {
            pub fn from_ms(milliseconds: u64) -> Self {
                Self(milliseconds)
            }

            pub fn ms(self) -> u64 {
                self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                milliseconds(&text).map(Self).ok_or_else(|| format!("`{text}` is not a duration"))
            }
        }

        impl From<$type> for String {
            fn from(duration: $type) -> String {
                written(duration.0)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "pattern": $pattern,
                    "examples": ["90s", "1h30m", "250ms", "30d"],
                    EXPLANATION: $explanation,
                })
            }
        }
    };
}

duration!(
    /// How long something takes, down to `0s`.
    Duration,
    "^(?=[0-9])([0-9]{1,4}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?([0-9]{1,9}ms)?$",
    "is not a duration: write it like `90s`, `5m`, `1h30m`, `250ms` or `30d`"
);

duration!(
    /// How long something takes; never nothing.
    LongerThanZero,
    "^(?=[0-9])(?=.*[1-9])([0-9]{1,4}d)?([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,8}s)?([0-9]{1,9}ms)?$",
    "is not a duration longer than zero: write it like `90s`, `5m`, `1h30m`, `250ms` or `30d`"
);

/// Longest first, as they are written.
const UNITS_MS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

fn milliseconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (count, after) = rest.split_at(unit_at);
        let unit_end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, unit_ms) = UNITS_MS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(count.parse::<u64>().ok()?.checked_mul(*unit_ms)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

fn written(milliseconds: u64) -> String {
    let mut rest = milliseconds;
    let mut text = String::new();
    for (unit, unit_ms) in UNITS_MS {
        if rest >= unit_ms {
            text.push_str(&format!("{}{unit}", rest / unit_ms));
            rest %= unit_ms;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_adds_up_its_parts_and_is_written_back_the_same() {
        for (text, expected) in [("250ms", 250), ("90s", 90_000), ("1h30m", 5_400_000), ("30d", 2_592_000_000)] {
            assert_eq!(milliseconds(text), Some(expected), "{text}");
        }
        assert_eq!(written(5_400_000), "1h30m");
        assert_eq!(written(90_250), "1m30s250ms");
        assert_eq!(written(0), "0s");
        for bad in ["", "5", "s", "1.5h", "5 m", "-1s", "99999999999999999999d", "5x"] {
            assert_eq!(milliseconds(bad), None, "{bad}");
        }
    }
}
