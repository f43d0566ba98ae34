//! A target: where releases land. `use lockgate_sdk::target::*;` brings all a target is written with.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::host::lockgate::plugin::types as wire;
use crate::bindings::target::exports::lockgate::target::target as world;
pub use crate::bindings::target::exports::lockgate::target::target::{
    Action, FieldChange, Health, PlanStep, Planned, Progressed, ResourceChange, ResourceState,
};
use crate::export;
pub use crate::{
    Access, Artifact, Call, Cursor, Description, Failure, Issue, Release, Retry, Subject, Value, artifacts, control,
    describe, export_target, http, json, log, progress, secrets, state,
};

pub trait Target {
    type Config: DeserializeOwned;

    fn describe() -> Description;

    /// What serde cannot know. Runs without any grant.
    fn validate(_config: &Self::Config) -> Vec<Issue> {
        Vec::new()
    }

    /// Read-only, and the same world gives the same plan: people sign its digest.
    fn plan(call: Call, config: Self::Config, subject: Subject, cursor: Cursor) -> Result<PlanStep, Failure>;

    /// Exactly `approved`. Where the world has moved since: `Failure::fatal("plan-stale", ..)`.
    fn apply(
        call: Call,
        config: Self::Config,
        subject: Subject,
        approved: Planned,
        cursor: Cursor,
    ) -> Result<Progressed, Failure>;

    /// Takes back what apply did so far.
    fn undo(
        call: Call,
        config: Self::Config,
        subject: Subject,
        approved: Planned,
        cursor: Cursor,
    ) -> Result<Progressed, Failure>;

    /// Asked with `refresh`. A version that is not the tag that was deployed last is OUT_OF_SYNC.
    fn observe(call: Call, config: Self::Config, subject: Subject) -> Result<Vec<ResourceState>, Failure>;
}

impl Planned {
    /// `token` comes back with `apply` and `undo`; it is no part of what people sign.
    pub fn new(summary: impl Into<String>, changes: Vec<ResourceChange>, token: Value) -> Self {
        Self { summary: summary.into(), changes, token: token.to_string() }
    }

    pub fn read_token<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.token)
            .map_err(|error| Failure::fatal("invalid-token", format!("the plan's token does not read: {error}")))
    }
}

impl PlanStep {
    pub fn done(planned: Planned) -> Self {
        Self { done: true, cursor: Vec::new(), poll_after_ms: 0, planned, extra: Vec::new() }
    }

    /// Call again, with this cursor.
    ///
    /// # Panics
    /// If the cursor has no JSON, such as a map whose keys are no strings.
    pub fn again<T: Serialize>(cursor: &T) -> Self {
        let planned = Planned::new("", Vec::new(), Value::Null);
        Self { done: false, cursor: Cursor::of(cursor).0, ..Self::done(planned) }
    }
}

impl ResourceChange {
    pub fn new(action: Action, kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            application: String::new(),
            kind: kind.into(),
            name: name.into(),
            action,
            destructive: false,
            fields: Vec::new(),
        }
    }

    pub fn application(mut self, application: impl Into<String>) -> Self {
        self.application = application.into();
        self
    }

    /// Something is lost by it: refused unless the deployment allows destructive changes.
    pub fn destructive(mut self, destructive: bool) -> Self {
        self.destructive = destructive;
        self
    }

    /// `before` and `after` in full; use `sensitive_field` for what nobody should read.
    pub fn field(mut self, path: impl Into<String>, before: Value, after: Value) -> Self {
        self.fields.push(FieldChange {
            path: path.into(),
            before: before.to_string(),
            after: after.to_string(),
            sensitive: false,
            fingerprint: String::new(),
        });
        self
    }

    /// `fingerprint` tells two changes apart without showing either.
    pub fn sensitive_field(mut self, path: impl Into<String>, fingerprint: impl Into<String>) -> Self {
        self.fields.push(FieldChange {
            path: path.into(),
            before: String::new(),
            after: String::new(),
            sensitive: true,
            fingerprint: fingerprint.into(),
        });
        self
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
}

impl ResourceState {
    /// Carries all the weight, with no version and nothing to tell.
    pub fn new(kind: impl Into<String>, name: impl Into<String>, health: Health) -> Self {
        Self {
            application: String::new(),
            kind: kind.into(),
            name: name.into(),
            version: String::new(),
            artifact_uri: String::new(),
            weight_percent: 100,
            health,
            details: "{}".into(),
        }
    }

    pub fn application(mut self, application: impl Into<String>) -> Self {
        self.application = application.into();
        self
    }

    pub fn version(mut self, version: impl Into<String>, artifact_uri: impl Into<String>) -> Self {
        self.version = version.into();
        self.artifact_uri = artifact_uri.into();
        self
    }

    pub fn details(mut self, details: Value) -> Self {
        self.details = details.to_string();
        self
    }
}

impl<T: Target> world::Guest for T {
    fn describe() -> wire::Description {
        <T as Target>::describe().into()
    }

    fn validate(config: String) -> Vec<Issue> {
        match export::parse_config(&config) {
            Ok(config) => <T as Target>::validate(&config),
            Err(issue) => vec![issue],
        }
    }

    fn plan(call: Call, config: String, subject: String, cursor: Vec<u8>) -> Result<PlanStep, Failure> {
        <T as Target>::plan(call, export::config(&config)?, export::subject(&subject)?, Cursor(cursor))
    }

    fn apply(
        call: Call,
        config: String,
        subject: String,
        approved: Planned,
        cursor: Vec<u8>,
    ) -> Result<Progressed, Failure> {
        <T as Target>::apply(call, export::config(&config)?, export::subject(&subject)?, approved, Cursor(cursor))
    }

    fn undo(
        call: Call,
        config: String,
        subject: String,
        approved: Planned,
        cursor: Vec<u8>,
    ) -> Result<Progressed, Failure> {
        <T as Target>::undo(call, export::config(&config)?, export::subject(&subject)?, approved, Cursor(cursor))
    }

    fn observe(call: Call, config: String, subject: String) -> Result<Vec<ResourceState>, Failure> {
        <T as Target>::observe(call, export::config(&config)?, export::subject(&subject)?)
    }
}
