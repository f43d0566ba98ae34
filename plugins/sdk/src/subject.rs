//! What is being released, and where to: `wit/subject.schema.json` as Rust reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Failure;
use crate::bindings::host::lockgate::plugin::types as wire;

/// Every key may be missing and keys that are not listed are ignored, so an older plugin reads what a newer host
/// writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subject {
    /// LAUNCH, FULL, SELECTIVE, CUSTOM, DESTROY or ROLLBACK.
    #[serde(rename = "type")]
    pub kind: String,
    /// Stage of the workflow: `build`, `setup`, `patch` or `teardown`.
    pub stage: String,
    /// Observe before planning.
    pub refresh: bool,
    /// Apply also what is in sync.
    pub forced: bool,
    pub allow_destructive: bool,
    /// Which resources a SELECTIVE deployment is about.
    pub selections: Vec<Value>,
    /// What whoever triggered the deployment said about it.
    pub comment: String,
    /// The person; behind a schedule or a promotion, too.
    pub triggered_by: String,
    /// Of the environment, as the attempt pinned them.
    pub variables: BTreeMap<String, String>,
    pub artifacts: Vec<Artifact>,
    pub release: Release,
    pub previous_release: Option<Release>,
    /// Of earlier phases, by phase name.
    pub outputs: BTreeMap<String, Value>,
    /// Percent of the traffic, for canary and rainbow. 100 unless the phase says otherwise.
    #[serde(default = "all_of_it")]
    pub weight: u32,
    /// What an earlier phase gives the release on this target; 0 where there is none. Plan as if it had.
    pub weight_before: u32,
    pub deployment: String,
    pub environment: String,
    pub project: String,
    /// The one this call is about; empty where it is about all.
    #[serde(deserialize_with = "empty_if_null")]
    pub application: String,
}

fn empty_if_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn all_of_it() -> u32 {
    100
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Release {
    pub tag: String,
    pub digest: String,
    pub description: String,
}

/// Something built: of the release's making, or handed back by a phase.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Artifact {
    pub name: String,
    pub uri: String,
    /// `sha256:` and 64 hex digits; what `artifacts::open` takes.
    pub digest: String,
    pub media_type: String,
    pub build_id: String,
    pub stack: String,
    pub application: String,
    pub metadata: BTreeMap<String, String>,
}

impl Subject {
    pub fn artifact(&self, name: &str) -> Option<&Artifact> {
        self.artifacts.iter().find(|artifact| artifact.name == name)
    }

    /// The one of this name; without a name, the only one there is.
    pub fn artifact_or_only(&self, name: Option<&str>) -> Result<&Artifact, Failure> {
        let names: Vec<_> = self.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
        let there_are = match names.as_slice() {
            [] => "the release has none".to_owned(),
            names => format!("the release has {}", names.join(", ")),
        };
        match (name, self.artifacts.as_slice()) {
            (None, [only]) => Ok(only),
            (None, _) => Err(Failure::fatal("artifact-unclear", format!("which artifact? Name one: {there_are}"))),
            (Some(name), _) => self.artifact(name).ok_or_else(|| {
                Failure::fatal("artifact-missing", format!("no artifact is named `{name}`: {there_are}"))
            }),
        }
    }
}

impl From<Artifact> for wire::Artifact {
    fn from(artifact: Artifact) -> Self {
        let Artifact { name, uri, digest, media_type, build_id, stack, application, metadata } = artifact;
        let metadata = metadata.into_iter().map(|(key, value)| wire::Field { key, value }).collect();
        Self { name, uri, digest, media_type, build_id, stack, application, metadata }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(json: Value) -> Subject {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn everything_may_be_missing_and_more_may_be_there() {
        assert_eq!(subject(serde_json::json!({})).weight, 100);
        assert_eq!(subject(serde_json::json!({ "type": "FULL", "moon": "new" })).kind, "FULL");
        assert_eq!(subject(serde_json::json!({ "application": null })).application, "");
    }

    #[test]
    fn the_schema_names_every_field_we_read() {
        let schema: Value = serde_json::from_str(include_str!("../../../wit/subject.schema.json")).unwrap();
        let written = serde_json::to_value(Subject::default()).unwrap();

        let ours: std::collections::BTreeSet<_> = written.as_object().unwrap().keys().collect();
        let theirs: std::collections::BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();

        assert_eq!(ours, theirs);
    }

    #[test]
    fn an_unnamed_artifact_is_the_only_one() {
        let one = subject(serde_json::json!({ "artifacts": [{ "name": "web" }] }));
        let two = subject(serde_json::json!({ "artifacts": [{ "name": "web" }, { "name": "api" }] }));

        assert_eq!(one.artifact_or_only(None).unwrap().name, "web");
        assert_eq!(two.artifact_or_only(Some("api")).unwrap().name, "api");
        assert_eq!(
            two.artifact_or_only(None).unwrap_err().message,
            "which artifact? Name one: the release has web, api"
        );
        assert_eq!(
            one.artifact_or_only(Some("api")).unwrap_err().message,
            "no artifact is named `api`: the release has web"
        );
    }
}
