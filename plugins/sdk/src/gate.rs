//! A gate: one automatic check. `use lockgate_sdk::gate::*;` brings all a gate is written with.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::gate::exports::lockgate::gate::gate as world;
pub use crate::bindings::gate::exports::lockgate::gate::gate::{Decision, Sampled, Verdict};
use crate::bindings::host::lockgate::plugin::types as wire;
use crate::export;
pub use crate::{
    Access, Artifact, Call, Cursor, Description, Failure, Issue, Release, Retry, Subject, Value, artifacts, control,
    describe, export_gate, http, json, log, secrets,
};

pub trait Gate {
    type Config: DeserializeOwned;
    /// What `sample` measures and `judge` judges. Make it readable by later versions too: old evidence is
    /// judged again when a rule changes.
    type Evidence: Serialize + DeserializeOwned;

    fn describe() -> Description;

    /// What serde cannot know. Runs without any grant.
    fn validate(_config: &Self::Config) -> Vec<Issue> {
        Vec::new()
    }

    /// Measures and changes nothing. A failure means that the check itself broke.
    fn sample(
        call: Call,
        config: Self::Config,
        subject: Subject,
        memo: Cursor,
    ) -> Result<Measured<Self::Evidence>, Failure>;

    /// Pure: from the evidence alone, without any grant.
    fn judge(config: Self::Config, subject: Subject, evidence: Self::Evidence) -> Result<Verdict, Failure>;
}

/// What one call of `sample` came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured<E> {
    Done(E),
    /// Asked, not answered yet: call again with this memo.
    Pending {
        memo: Cursor,
        poll_after_ms: u32,
    },
}

impl Verdict {
    /// `reason` is a sentence for people, without its full stop.
    pub fn pass(reason: impl Into<String>) -> Self {
        Self::new(Decision::Pass, reason)
    }

    pub fn fail(reason: impl Into<String>) -> Self {
        Self::new(Decision::Fail, reason)
    }

    pub fn inconclusive(reason: impl Into<String>) -> Self {
        Self::new(Decision::Inconclusive, reason)
    }

    /// How long it counts; without it, until the next sample.
    pub fn valid_for_ms(mut self, valid_for_ms: u32) -> Self {
        self.valid_for_ms = valid_for_ms;
        self
    }

    fn new(decision: Decision, reason: impl Into<String>) -> Self {
        Self { decision, reason: reason.into(), valid_for_ms: 0, extra: Vec::new() }
    }
}

impl<T: Gate> world::Guest for T {
    fn describe() -> wire::Description {
        <T as Gate>::describe().into()
    }

    fn validate(config: String) -> Vec<Issue> {
        match export::parse_config(&config) {
            Ok(config) => <T as Gate>::validate(&config),
            Err(issue) => vec![issue],
        }
    }

    fn sample(call: Call, config: String, subject: String, memo: Vec<u8>) -> Result<Sampled, Failure> {
        let measured = <T as Gate>::sample(call, export::config(&config)?, export::subject(&subject)?, Cursor(memo))?;
        Ok(match measured {
            Measured::Done(evidence) => Sampled {
                done: true,
                evidence: serde_json::to_string(&evidence)
                    .map_err(|error| Failure::fatal("invalid-evidence", error.to_string()))?,
                memo: Vec::new(),
                poll_after_ms: 0,
                extra: Vec::new(),
            },
            Measured::Pending { memo, poll_after_ms } => {
                Sampled { done: false, evidence: "{}".into(), memo: memo.0, poll_after_ms, extra: Vec::new() }
            }
        })
    }

    fn judge(config: String, subject: String, evidence: String) -> Result<Verdict, Failure> {
        let evidence = serde_json::from_str(&evidence)
            .map_err(|error| Failure::fatal("invalid-evidence", format!("the evidence does not read: {error}")))?;
        <T as Gate>::judge(export::config(&config)?, export::subject(&subject)?, evidence)
    }
}
