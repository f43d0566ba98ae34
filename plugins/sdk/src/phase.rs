//! A phase: one step of a release. `use lockgate_sdk::phase::*;` brings all a phase is written with.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::host::lockgate::plugin::types as wire;
use crate::bindings::phase::exports::lockgate::phase::phase as world;
pub use crate::bindings::phase::exports::lockgate::phase::phase::Progressed;
use crate::export;
pub use crate::{
    Access, Artifact, Call, Cursor, Description, Failure, Issue, Release, Retry, Subject, Value, artifacts, control,
    describe, export_phase, http, json, log, progress, secrets, state,
};

pub trait Phase {
    type Config: DeserializeOwned;

    fn describe() -> Description;

    /// What serde cannot know, such as two fields that exclude each other. Runs without any grant.
    fn validate(_config: &Self::Config) -> Vec<Issue> {
        Vec::new()
    }

    /// One short step. The same call may come again, with the same key and cursor, if its answer was lost.
    fn advance(call: Call, config: Self::Config, subject: Subject, cursor: Cursor) -> Result<Progressed, Failure>;

    /// Stops what was started outside. Called again until done.
    fn cancel(_call: Call, _config: Self::Config, _subject: Subject, _cursor: Cursor) -> Result<Progressed, Failure> {
        Ok(Progressed::done("Nothing was left to stop."))
    }
}

impl Progressed {
    /// `summary` is a sentence for the record.
    pub fn done(summary: impl Into<String>) -> Self {
        Self {
            done: true,
            cursor: Vec::new(),
            poll_after_ms: 0,
            summary: summary.into(),
            outputs: "{}".into(),
            artifacts: Vec::new(),
            extra: Vec::new(),
        }
    }

    /// Call again, with this cursor.
    ///
    /// # Panics
    /// If the cursor has no JSON, such as a map whose keys are no strings.
    pub fn again<T: Serialize>(cursor: &T) -> Self {
        Self { done: false, cursor: Cursor::of(cursor).0, ..Self::done("") }
    }

    pub fn after_ms(mut self, poll_after_ms: u32) -> Self {
        self.poll_after_ms = poll_after_ms;
        self
    }

    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// An object; later phases read it as `outputs.PHASE`. `application_deployments` and `migrations` go on the
    /// deployment's record: `wit/plugin/plugin.wit` says how they look.
    pub fn outputs(mut self, outputs: Value) -> Self {
        self.outputs = outputs.to_string();
        self
    }

    pub fn artifact(mut self, artifact: Artifact) -> Self {
        self.artifacts.push(artifact.into());
        self
    }
}

impl<T: Phase> world::Guest for T {
    fn describe() -> wire::Description {
        <T as Phase>::describe().into()
    }

    fn validate(config: String) -> Vec<Issue> {
        match export::parse_config(&config) {
            Ok(config) => <T as Phase>::validate(&config),
            Err(issue) => vec![issue],
        }
    }

    fn advance(call: Call, config: String, subject: String, cursor: Vec<u8>) -> Result<Progressed, Failure> {
        <T as Phase>::advance(call, export::config(&config)?, export::subject(&subject)?, Cursor(cursor))
    }

    fn cancel(call: Call, config: String, subject: String, cursor: Vec<u8>) -> Result<Progressed, Failure> {
        <T as Phase>::cancel(call, export::config(&config)?, export::subject(&subject)?, Cursor(cursor))
    }
}
