//! Holds a file's value against the schema, and says in sentences what does not fit.
//!
//! Every mistake is reported, also those that only show in the whole: what does not fit is replaced by a stand-in
//! that does, so that the file can be read to its end. A file with a mistake is never accepted.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use lockgate_core::definition::listed;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::shape::File;
use super::text::{EXPLANATION, NAME_PATTERN, explanation_of};
use super::yaml::escaped;
use super::{excerpt, quoted};

pub static SCHEMA: LazyLock<Value> = LazyLock::new(schema::<File>);

fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(forget_null_default));
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A key that may be left out may still not be null.
fn forget_null_default(schema: &mut Schema) {
    if schema.get("default") == Some(&Value::Null) {
        schema.remove("default");
    }
}

/// Nor may anything else; and `anyOf` would say nothing of what is wrong.
fn forget_null(schema: &mut Schema) {
    let is_null = |option: &Value| option["type"] == "null";
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    let options = schema.get("anyOf").and_then(Value::as_array).cloned().unwrap_or_default();
    if let [Value::Object(meant), null] = &options[..]
        && is_null(null)
    {
        schema.remove("anyOf");
        schema.ensure_object().extend(meant.clone());
    }
}

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| validator(&SCHEMA));

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).expect("the schema comes from our own types")
}

/// What files of another kind look like.
pub struct Shape {
    schema: Value,
    validator: Validator,
}

impl Shape {
    pub fn of<T: JsonSchema>() -> Self {
        let settings = SchemaSettings::draft2020_12()
            .with_transform(RecursiveTransform(forget_null_default))
            .with_transform(RecursiveTransform(forget_null));
        let schema = settings.into_generator().into_root_schema_for::<T>().to_value();
        Self { validator: validator(&schema), schema }
    }

    pub fn check(&self, value: &Value) -> Vec<Finding> {
        let errors = self.validator.iter_errors(value).take(MAX_ERRORS);
        errors.flat_map(|error| findings(&error, &self.schema)).collect()
    }
}

#[derive(Debug)]
pub struct Finding {
    pub path: String,
    pub about: About,
    pub message: String,
}

/// Where in the file it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    Key,
    Value,
}

/// Where so much is wrong, the whole says nothing more.
const MAX_ERRORS: usize = 1000;

/// What was found; and the value with stand-ins in these places, unless too much is wrong to read on.
pub struct Checked {
    pub findings: Vec<Finding>,
    pub value: Option<Value>,
    pub stand_ins: StandIns,
}

pub fn check(mut value: Value) -> Checked {
    let errors: Vec<_> = VALIDATOR.iter_errors(&value).take(MAX_ERRORS).map(ValidationError::to_owned).collect();
    let mut stand_ins = StandIns::default();
    for (index, error) in errors.iter().enumerate() {
        stand_ins.replace(&mut value, error, index);
    }
    Checked {
        findings: errors.iter().flat_map(|error| findings(error, &SCHEMA)).collect(),
        value: (errors.len() < MAX_ERRORS).then_some(value),
        stand_ins,
    }
}

/// The places whose value is not the file's.
#[derive(Debug, Default)]
pub struct StandIns(BTreeSet<String>);

impl StandIns {
    /// Whether a problem of the whole may come from a stand-in: in its own place, or where it looks something up.
    pub fn explain(&self, path: &str) -> bool {
        let looked_up = |place: &str| match path.rsplit('/').next() {
            Some("application") => is_within(place, "/applications"),
            Some("workflow") => is_within(place, "/workflows") && depth(place) <= 2,
            // A key of it that was mistyped is told as that key.
            Some("schedule") => is_within(place, path),
            Some("targets") => place.ends_with("/apply") || (is_within(place, path) && depth(place) <= depth(path) + 1),
            _ => false,
        };
        self.0.iter().any(|place| is_within(path, place) || looked_up(place))
    }

    fn replace(&mut self, value: &mut Value, error: &ValidationError<'_>, index: usize) {
        let path = error.instance_path().as_str();
        let schema = schema_of(error, &SCHEMA);
        let Some(place) = value.pointer_mut(path) else { return };
        match (error.kind(), place) {
            (ValidationErrorKind::AdditionalProperties { unexpected }, Value::Object(entries)) => {
                for key in unexpected {
                    entries.shift_remove(key);
                    self.0.insert(format!("{path}/{}", escaped(key)));
                }
            }
            (ValidationErrorKind::Required { property: Value::String(key) }, Value::Object(entries)) => {
                entries.insert(key.clone(), stand_in(&schema["properties"][key], index));
                self.0.insert(format!("{path}/{}", escaped(key)));
            }
            // A phase that does nothing, or two things.
            (
                ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. },
                Value::Object(entries),
            ) => {
                entries.retain(|key, _| !WORK_KEYS.contains(&key.as_str()));
                entries.insert("plugin".to_owned(), stand_in(&schema["properties"]["plugin"], index));
                self.0.extend(WORK_KEYS.map(|key| format!("{path}/{key}")));
            }
            // What a set lists twice is in it once.
            (ValidationErrorKind::UniqueItems, _) => {}
            (_, place) => {
                *place = stand_in(schema, index);
                self.0.insert(path.to_owned());
            }
        }
    }
}

fn depth(path: &str) -> usize {
    path.matches('/').count()
}

fn is_within(path: &str, around: &str) -> bool {
    path.strip_prefix(around).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The least that fits. A name is one of its own, so that it is nobody's double.
fn stand_in(schema: &Value, index: usize) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return stand_in(resolved(reference), index);
    }
    if let Some(options) = schema["enum"].as_array() {
        return options.first().cloned().unwrap_or_default();
    }
    match schema["type"].as_str() {
        Some("string") if schema["pattern"] == NAME_PATTERN => json!(format!("stand-in-{index}")),
        Some("string") => schema["examples"].get(0).cloned().unwrap_or_else(|| json!("")),
        Some("integer") => schema["minimum"].clone(),
        Some("boolean") => json!(false),
        Some("array") if schema["minItems"].as_u64() >= Some(1) => json!([stand_in(&schema["items"], index)]),
        Some("array") => json!([]),
        Some("object") => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            // A phase needs one more than its schema lists.
            let chosen = schema["oneOf"].get(0).map(|_| "plugin");
            let entry = |key: &str| (key.to_owned(), stand_in(&schema["properties"][key], index));
            Value::Object(required.chain(chosen).map(entry).collect::<Map<_, _>>())
        }
        _ => json!(""),
    }
}

/// The part of the schema that holds the keyword that failed.
fn schema_of<'a>(error: &ValidationError<'_>, root: &'a Value) -> &'a Value {
    let keyword = error.schema_path().as_str();
    let owner = keyword.rsplit_once('/').map_or("", |(owner, _)| owner);
    root.pointer(owner).unwrap_or(&Value::Null)
}

fn resolved(reference: &str) -> &'static Value {
    SCHEMA.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null)
}

fn findings(error: &ValidationError<'_>, root: &Value) -> Vec<Finding> {
    let path = error.instance_path().as_str();
    let schema = schema_of(error, root);
    let instance: &Value = error.instance();
    let message = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let finding = |key: &String| Finding {
                path: format!("{path}/{}", escaped(key)),
                about: About::Key,
                message: unexpected_key(key, schema),
            };
            return unexpected.iter().map(finding).collect();
        }
        ValidationErrorKind::Required { property } => {
            format!("the key `{}` is missing here", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::OneOfNotValid { .. } | ValidationErrorKind::OneOfMultipleValid { .. } => {
            phase_work(instance).to_owned()
        }
        ValidationErrorKind::Pattern { .. } => format!("{} {}", described(instance), explanation(schema)),
        ValidationErrorKind::Type { .. } => wrong_type(instance, schema),
        ValidationErrorKind::Enum { .. } => not_an_option(instance, schema),
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}, but is {}", described(instance)),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}, but is {}", described(instance)),
        ValidationErrorKind::MinItems { limit } => format!("this list needs at least {limit} item"),
        ValidationErrorKind::MaxItems { limit } => too_many(instance, *limit),
        ValidationErrorKind::UniqueItems => listed_twice(instance),
        _ => excerpt(&error.to_string(), 200),
    };
    vec![Finding { path: path.to_owned(), about: About::Value, message }]
}

fn unexpected_key(key: &str, schema: &Value) -> String {
    if let Some(keys) = schema["patternProperties"].as_object() {
        // The pattern alone does not say why.
        let pattern = keys.keys().next().map_or("", String::as_str);
        return format!("{} {}", quoted(key), explanation_of(pattern));
    }
    let known: Vec<&str> =
        schema["properties"].as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    let guess = closest(key, &known).map(|guess| format!("; did you mean `{guess}`?")).unwrap_or_default();
    format!("unknown key {}{guess} (known here: {})", quoted(key), listed(known))
}

/// What says what a phase does.
const WORK_KEYS: [&str; 6] = ["plugin", "apply", "gates", "manual", "config", "weight"];

fn phase_work(phase: &Value) -> &'static str {
    let has = |key: &&str| phase.get(key).is_some();
    match ["plugin", "apply", "gates", "manual"].iter().filter(|key| has(key)).count() {
        0 => "this phase does nothing: give it a `plugin`, `apply: TARGET`, `gates` or `manual`",
        1 if has(&"config") && has(&"apply") => {
            "`config` belongs to `plugin`; what `apply` needs stands in its target's `config`"
        }
        1 if has(&"config") => "`config` belongs to `plugin`; a gate's config stands with its check",
        1 if has(&"weight") => "`weight` belongs to `apply`: nothing else has traffic to share out",
        1 if has(&"timeout") && has(&"gates") => {
            "`timeout` belongs into `gates` here: how long the gates may take to turn green"
        }
        1 if has(&"timeout") && has(&"manual") => {
            "`timeout` belongs into `manual` here: how long the phase waits for somebody"
        }
        1 if (has(&"retries") || has(&"backoff")) && (has(&"gates") || has(&"manual")) => {
            "`retries` and `backoff` belong to `plugin` and `apply`: what waits for gates or a person is not tried again"
        }
        1 => "this phase does not fit",
        _ => "a phase does one thing: `plugin`, `apply`, `gates` or `manual`; make it several phases",
    }
}

fn explanation(schema: &Value) -> &str {
    schema[EXPLANATION].as_str().unwrap_or("does not have the right form")
}

fn wrong_type(instance: &Value, schema: &Value) -> String {
    if schema.get(EXPLANATION).is_some() {
        return format!("{} {}", described(instance), explanation(schema));
    }
    let expected = match &schema["type"] {
        Value::Array(types) => {
            types.iter().filter_map(Value::as_str).map(type_in_words).collect::<Vec<_>>().join(" or ")
        }
        single => type_in_words(single.as_str().unwrap_or_default()).to_owned(),
    };
    let hint = match (expected.as_str(), instance.as_str()) {
        ("`true` or `false`", Some("yes" | "Yes" | "YES" | "on" | "On" | "ON" | "y")) => "; write `true`",
        ("`true` or `false`", Some("no" | "No" | "NO" | "off" | "Off" | "OFF" | "n")) => "; write `false`",
        ("text", None) if instance.is_number() || instance.is_boolean() => "; put it in quotes",
        ("a mapping", None) if instance.is_null() => "; write `{}` or leave the key out",
        ("a list", None) if instance.is_null() => "; write `[]` or leave the key out",
        ("a list", Some(_)) => "; put it in `[ ]`",
        _ => "",
    };
    // `"2"` is text, and looks like a number without its quotes.
    let text = if instance.is_string() { "the text " } else { "" };
    format!("must be {expected}, but is {text}{}{hint}", described(instance))
}

fn type_in_words(name: &str) -> &str {
    match name {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    }
}

fn described(instance: &Value) -> String {
    match instance {
        Value::Null => "an empty value".to_owned(),
        Value::Bool(_) | Value::Number(_) => format!("`{instance}`"),
        Value::String(text) if text.is_empty() => "``".to_owned(),
        Value::String(text) => quoted(text),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
    }
}

fn not_an_option(instance: &Value, schema: &Value) -> String {
    let options: Vec<&str> = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let guess = closest(instance.as_str().unwrap_or_default(), &options);
    let guess = guess.map(|guess| format!("; did you mean `{guess}`?")).unwrap_or_default();
    format!("must be one of {}, but is {}{guess}", listed(&options), described(instance))
}

/// Each of them is looked at whenever a deployment may start.
fn too_many(list: &Value, limit: u64) -> String {
    let count = list.as_array().map_or(0, Vec::len);
    format!("this list has {count} items, and at most {limit} are taken; leave out what is over, or say several in one")
}

fn listed_twice(list: &Value) -> String {
    let mut seen = BTreeSet::new();
    let second = list.as_array().into_iter().flatten().find(|item| !seen.insert(item.to_string()));
    format!("{} is listed twice", second.map_or("something".to_owned(), described))
}

/// What was probably meant, when a third of it or less was mistyped.
pub fn closest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    let typed: Vec<char> = typed.chars().take(60).collect();
    let (distance, closest) = known.iter().map(|word| (edits(&typed, word), *word)).min()?;
    (distance <= (closest.chars().count() / 3).max(1)).then_some(closest)
}

/// Levenshtein's distance: how many letters to insert, remove or replace.
fn edits(typed: &[char], word: &str) -> usize {
    let mut row: Vec<usize> = (0..=typed.len()).collect();
    for (index, letter) in word.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, typed_letter) in typed.iter().enumerate() {
            let replaced = diagonal + usize::from(*typed_letter != letter);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[typed.len()]
}
