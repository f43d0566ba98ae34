//! The words tests are written in: definitions, people and answers, each in one short call.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_core::definition::{
    ApprovalPolicy, ApprovalRule, Definition, Environment, FULL_WEIGHT, Gate, GateSet, OnFailure, Phase, PhaseWork,
    Target, Workflow, WorkflowStage,
};
use lockgate_core::digest::Digest;
use lockgate_core::name::{Actor, Name, Tag};
use lockgate_core::order::Order;
use lockgate_core::plugin::{
    ChangeAction, Decision, Description, Failure, Grants, Kind, PlanStep, Planned, Progressed, Requests,
    ResourceChange, Retry, Verdict,
};
use lockgate_core::release::ApprovedPlugin;
use lockgate_core::selection::Selection;
use lockgate_core::work::{Answer, GatesOf, Step};
use serde_json::{Value, json};

pub const SECOND: u64 = 1_000;
pub const HOUR: u64 = 3_600 * SECOND;

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

// ---- people ----

pub fn person(name: &str) -> Actor {
    member(name, &[])
}

pub fn member(name: &str, groups: &[&str]) -> Actor {
    Actor { person: name.to_owned(), groups: texts(groups), via: "test".to_owned() }
}

pub fn rule(count: u32, groups: &[&str]) -> ApprovalRule {
    ApprovalRule { count, groups: texts(groups) }
}

/// Asks with an hour to answer.
pub fn asks(rules: &[ApprovalRule]) -> ApprovalPolicy {
    ApprovalPolicy { rules: rules.to_vec(), timeout_ms: HOUR, ..ApprovalPolicy::default() }
}

pub fn texts(texts: &[&str]) -> BTreeSet<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

// ---- definitions ----

/// Targets `web` and `db`, nobody asked, no gates.
pub fn environment() -> Environment {
    let target =
        |target: &str| Target { plugin: name("files"), application: None, config: json!({ "folder": target }) };
    Environment { targets: ["web", "db"].map(|text| (name(text), target(text))).into(), ..Environment::default() }
}

/// Gates `errors` and `latency`: sampled at once, then every ten seconds, for two minutes at most.
pub fn gates() -> GateSet {
    let gate = |text| Gate { name: name(text), plugin: name("probe"), config: Value::Null };
    GateSet {
        delay_ms: 0,
        interval_ms: 10 * SECOND,
        steady_ms: 0,
        timeout_ms: 120 * SECOND,
        gates: vec![gate("errors"), gate("latency")],
    }
}

/// The gate's call.
pub fn gate(index: usize) -> Step {
    Step::Gate { of: GatesOf::Post, index }
}

pub fn phase(text: &str) -> Phase {
    Phase {
        name: name(text),
        work: PhaseWork::Plugin { plugin: name("steps"), config: Value::Null },
        timeout_ms: 60 * SECOND,
        retries: 0,
        backoff_ms: SECOND,
        continue_on_error: false,
        always_run: false,
        group: None,
        locks: None,
        weight: FULL_WEIGHT,
    }
}

pub fn apply(target: &str) -> Phase {
    let work = PhaseWork::Apply { target: name(target) };
    Phase { work, ..phase(&format!("apply-{target}")) }
}

pub fn workflow(phases: &[Phase]) -> Workflow {
    Workflow {
        stage: WorkflowStage::Patch,
        goes_live: true,
        on_failure: OnFailure::Stop,
        timeout_ms: None,
        phases: phases.to_vec(),
    }
}

pub fn definition(environments: &[(&str, Environment)], workflow: Workflow) -> Definition {
    let environments = environments.iter().map(|(text, meant)| (name(text), Arc::new(meant.clone())));
    Definition {
        environments: environments.collect(),
        workflows: [(name("full-plan"), Arc::new(workflow))].into(),
        ..Definition::default()
    }
}

/// What the operator approved of it.
pub fn approved_gates() -> BTreeMap<Name, Digest> {
    [(name("probe"), Digest::of(b"probe"))].into()
}

/// What an operator approved: `steps`, `files` and `probe`.
pub fn approved_plugins() -> BTreeMap<Name, ApprovedPlugin> {
    let kinds = [("steps", Kind::Phase), ("files", Kind::Target), ("probe", Kind::Gate)];
    kinds.map(|(text, kind)| (name(text), approved_plugin(text, kind))).into()
}

fn approved_plugin(text: &str, kind: Kind) -> ApprovedPlugin {
    let description = Description {
        name: text.to_owned(),
        version: "1".to_owned(),
        summary: String::new(),
        config_schema: Value::Null,
        requests: Requests::default(),
    };
    let (digest, grants, narrowed) = (Digest::of(text.as_bytes()), Grants::default(), vec![]);
    ApprovedPlugin { digest, kind, description, grants, narrowed }
}

// ---- answers ----

pub fn done() -> Answer {
    Answer::Progressed(Progressed { done: true, ..Progressed::default() })
}

/// Not done; the next call gets the cursor back, at once.
pub fn progressed(cursor: u8) -> Answer {
    Answer::Progressed(Progressed { cursor: vec![cursor], ..Progressed::default() })
}

/// May be repeated with the same key.
pub fn stumbles(message: &str) -> Answer {
    Answer::Failed(failure("unavailable", message, Retry::SameKey))
}

/// For good.
pub fn fails(message: &str) -> Answer {
    Answer::Failed(failure("broken", message, Retry::Never))
}

pub fn fails_with(code: &str) -> Answer {
    Answer::Failed(failure(code, code, Retry::Never))
}

pub fn failure(code: &str, message: &str, retry: Retry) -> Failure {
    Failure { code: code.to_owned(), message: message.to_owned(), retry, retry_after_ms: 0, details: Value::Null }
}

/// The file of this name, of whatever application.
pub fn file(text: &str) -> Selection {
    Selection { resource_type: Some("file".to_owned()), resource_name: Some(text.to_owned()), ..Selection::default() }
}

/// Everything of an application.
pub fn of(application: &str) -> Selection {
    Selection { application: Some(name(application)), ..Selection::default() }
}

/// A plan that updates these files.
pub fn plan(files: &[&str]) -> Answer {
    planned(files.iter().map(|file| change(file, ChangeAction::Update)).collect(), Value::Null)
}

pub fn planned(changes: Vec<ResourceChange>, token: Value) -> Answer {
    let planned = Planned { summary: String::new(), changes, token };
    Answer::Planned(PlanStep { done: true, cursor: Vec::new(), poll_after_ms: 0, planned })
}

pub fn change(file: &str, action: ChangeAction) -> ResourceChange {
    ResourceChange {
        application: String::new(),
        kind: "file".to_owned(),
        name: file.to_owned(),
        destructive: matches!(action, ChangeAction::Delete | ChangeAction::Replace),
        action,
        fields: Vec::new(),
    }
}

pub fn verdict(decision: Decision, reason: &str) -> Answer {
    let verdict = Verdict { decision, reason: reason.to_owned(), valid_for_ms: 0 };
    Answer::Sampled { memo: Vec::new(), poll_after_ms: 0, verdict: Some(verdict) }
}

pub fn passes() -> Answer {
    verdict(Decision::Pass, "good")
}

/// Lapses after so long.
pub fn passes_for(milliseconds: u32) -> Answer {
    let verdict = Verdict { decision: Decision::Pass, reason: "good".to_owned(), valid_for_ms: milliseconds };
    Answer::Sampled { memo: Vec::new(), poll_after_ms: 0, verdict: Some(verdict) }
}

/// What a call hears of its deployment.
pub fn subject(order: &Order) -> Value {
    serde_json::from_str(&order.subject).unwrap()
}
