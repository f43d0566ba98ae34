//! Between the generated bindings and the three traits: JSON text in, Rust values out.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::{Failure, Issue, Subject};

/// What the host does with a configuration before a plugin sees it; for unit tests of a `Config`.
pub fn parse_config<T: DeserializeOwned>(text: &str) -> Result<T, Issue> {
    parse(text)
}

pub(crate) fn config<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    parse_config(text).map_err(|Issue { path, message }| {
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        Failure::fatal("invalid-config", format!("{place}{message}"))
            .details(serde_json::json!({ "path": path, "message": message }))
    })
}

pub(crate) fn subject(text: &str) -> Result<Subject, Failure> {
    parse(text).map_err(|Issue { path, message }| Failure::fatal("invalid-subject", format!("{path}: {message}")))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Issue> {
    let mut json = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| Issue::new(pointer(error.path()), without_place(&error.inner().to_string())))
}

/// JSON pointer (RFC 6901) of where parsing stopped.
fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            // A variant is no level of its own in JSON's usual enum forms, and what is unknown has no name.
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

/// The host compacts the JSON, so line and column mean nothing to whoever wrote it.
fn without_place(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

/// Exports a type that implements [`phase::Phase`](crate::phase::Phase) as the component's phase.
#[macro_export]
macro_rules! export_phase {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::phase::export_phase_world!($plugin with_types_in $crate::bindings::phase);
    };
}

/// Exports a type that implements [`gate::Gate`](crate::gate::Gate) as the component's gate.
#[macro_export]
macro_rules! export_gate {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::gate::export_gate_world!($plugin with_types_in $crate::bindings::gate);
    };
}

/// Exports a type that implements [`target::Target`](crate::target::Target) as the component's target.
#[macro_export]
macro_rules! export_target {
    ($plugin:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::bindings::target::export_target_world!($plugin with_types_in $crate::bindings::target);
    };
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        #[serde(rename = "urls")]
        _urls: Vec<String>,
    }

    fn issue(text: &str) -> (String, String) {
        let issue = parse_config::<Config>(text).unwrap_err();
        (issue.path, issue.message)
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        assert_eq!(
            issue(r#"{"urls": ["a", 5]}"#),
            ("/urls/1".into(), "invalid type: integer `5`, expected a string".into())
        );
        assert_eq!(issue("{}"), (String::new(), "missing field `urls`".into()));
        assert_eq!(issue(r#"{"url/s": 1}"#).0, "/url~1s");
    }

    #[test]
    fn a_wrong_configuration_is_a_failure_of_its_own() {
        let failure = config::<Config>(r#"{"urls": 5}"#).unwrap_err();

        assert_eq!(failure.code, "invalid-config");
        assert_eq!(failure.message, "/urls: invalid type: integer `5`, expected a sequence");
    }
}
