//! What a project is: its environments, their protection, and its workflows.
//!
//! Values here are meant, not typed: the project file is parsed and checked at the edge, and
//! [`Definition::problems`] holds the rules that need the whole of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::name::Name;
use crate::plugin::{Issue, Kind};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    pub description: String,
    pub applications: BTreeSet<Name>,
    pub environments: BTreeMap<Name, Arc<Environment>>,
    pub workflows: BTreeMap<Name, Arc<Workflow>>,
}

/// Where releases become live. Protection belongs here, never to the release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    pub variables: BTreeMap<String, String>,
    pub targets: BTreeMap<Name, Target>,
    /// The workflow of a deployment that names none.
    pub workflow: Option<Name>,
    pub queue: QueuePolicy,
    pub approvals: ApprovalPolicy,
    /// A rule of its own; by default a release that was healthy here needs none.
    pub rollback_approvals: ApprovalPolicy,
    pub post_gates: Option<GateSet>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueuePolicy {
    /// All of them, in order.
    #[default]
    Sequence,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub plugin: Name,
    pub application: Option<Name>,
    pub config: Value,
}

/// Who must agree before anything is applied. No rules: nobody is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalPolicy {
    pub rules: Vec<ApprovalRule>,
    /// Neither the release's creator nor whoever triggered the deployment may approve it.
    pub not_your_own: bool,
    pub timeout_ms: u64,
}

pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Default for ApprovalPolicy {
    fn default() -> Self {
        Self { rules: Vec::new(), not_your_own: true, timeout_ms: 30 * DAY_MS }
    }
}

/// `count` distinct people of any of `groups`; no groups: anyone who may approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    pub count: u32,
    pub groups: BTreeSet<String>,
}

/// Gates that are sampled together. All must pass in the same round, and stay green for `steady`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateSet {
    pub delay_ms: u64,
    pub interval_ms: u64,
    pub steady_ms: u64,
    pub timeout_ms: u64,
    pub gates: Vec<Gate>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    pub name: Name,
    pub plugin: Name,
    pub config: Value,
}

/// A named, ordered list of phases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workflow {
    pub stage: WorkflowStage,
    pub goes_live: bool,
    pub on_failure: OnFailure,
    pub phases: Vec<Phase>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkflowStage {
    Build,
    Setup,
    #[default]
    Patch,
    Teardown,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    #[default]
    Stop,
    /// Run the targets' undo, in reverse.
    Undo,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phase {
    pub name: Name,
    pub work: PhaseWork,
    /// Of one try.
    pub timeout_ms: u64,
    /// Tries after the first, for failures that may be repeated with the same key.
    pub retries: u32,
    /// Before the first retry; doubles with each, up to a minute.
    pub backoff_ms: u64,
    pub continue_on_error: bool,
    pub always_run: bool,
    /// Percent of the traffic that the release is to have when this phase has applied.
    #[serde(default = "whole_weight", skip_serializing_if = "is_whole_weight")]
    pub weight: u8,
}

pub const WHOLE_WEIGHT: u8 = 100;

fn whole_weight() -> u8 {
    WHOLE_WEIGHT
}

/// Left out, so that a release without weights keeps the digest it always had.
fn is_whole_weight(weight: &u8) -> bool {
    *weight == WHOLE_WEIGHT
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseWork {
    Plugin {
        plugin: Name,
        config: Value,
    },
    /// Apply the plan of the environment's target of this name.
    Apply {
        target: Name,
    },
}

/// Names that phases cannot have: the core reports its own work under them.
pub const RESERVED_PHASE_NAMES: [&str; 4] = ["plan", "approval", "gates", "undo"];
/// The core's own work that has a log.
pub const LOGS_BESIDE_PHASES: [&str; 3] = ["plan", "gates", "undo"];

/// One place where a definition uses a plugin.
#[derive(Debug, Clone, Copy)]
pub struct PluginUse<'a> {
    pub plugin: &'a Name,
    pub kind: Kind,
    pub config: &'a Value,
}

impl Definition {
    /// Every use of a plugin, with the JSON pointer of the place.
    pub fn plugin_uses(&self) -> Vec<(String, PluginUse<'_>)> {
        let mut uses = Vec::new();
        for (name, workflow) in &self.workflows {
            for (index, phase) in workflow.phases.iter().enumerate() {
                if let PhaseWork::Plugin { plugin, config } = &phase.work {
                    let place = format!("/workflows/{name}/phases/{index}");
                    uses.push((place, PluginUse { plugin, kind: Kind::Phase, config }));
                }
            }
        }
        for (name, environment) in &self.environments {
            for (target_name, target) in &environment.targets {
                let place = format!("/environments/{name}/targets/{target_name}");
                uses.push((place, PluginUse { plugin: &target.plugin, kind: Kind::Target, config: &target.config }));
            }
            for (index, gate) in environment.post_gates.iter().flat_map(|set| set.gates.iter().enumerate()) {
                let place = format!("/environments/{name}/gates/post/checks/{index}");
                uses.push((place, PluginUse { plugin: &gate.plugin, kind: Kind::Gate, config: &gate.config }));
            }
        }
        uses
    }

    /// What is wrong with the whole, each with the JSON pointer of its place.
    pub fn problems(&self) -> Vec<Issue> {
        let mut problems = Vec::new();
        for (name, workflow) in &self.workflows {
            workflow_problems(name, workflow, &mut problems);
        }
        for (name, environment) in &self.environments {
            self.environment_problems(name, environment, &mut problems);
        }
        problems
    }

    fn environment_problems(&self, name: &Name, environment: &Environment, problems: &mut Vec<Issue>) {
        if let Some(workflow) = &environment.workflow
            && !self.workflows.contains_key(workflow)
        {
            let message = format!("there is no workflow `{workflow}`; there are: {}", listed(self.workflows.keys()));
            problems.push(Issue { path: format!("/environments/{name}/workflow"), message });
        }
        for (target_name, target) in &environment.targets {
            if let Some(application) = &target.application
                && !self.applications.contains(application)
            {
                let message =
                    format!("there is no application `{application}`; there are: {}", listed(&self.applications));
                problems
                    .push(Issue { path: format!("/environments/{name}/targets/{target_name}/application"), message });
            }
        }
        let mut gates = BTreeSet::new();
        for (index, gate) in environment.post_gates.iter().flat_map(|set| set.gates.iter().enumerate()) {
            if !gates.insert(&gate.name) {
                let message = format!("a second gate is named `{}`", gate.name);
                problems.push(Issue { path: format!("/environments/{name}/gates/post/checks/{index}/name"), message });
            }
        }
    }
}

fn workflow_problems(name: &Name, workflow: &Workflow, problems: &mut Vec<Issue>) {
    let mut names = BTreeSet::new();
    for (index, phase) in workflow.phases.iter().enumerate() {
        let path = format!("/workflows/{name}/phases/{index}/name");
        if !names.insert(&phase.name) {
            problems.push(Issue { path: path.clone(), message: format!("a second phase is named `{}`", phase.name) });
        }
        if RESERVED_PHASE_NAMES.contains(&phase.name.as_str()) {
            let message = format!("`{}` is a name Lockgate uses itself; choose another", phase.name);
            problems.push(Issue { path, message });
        }
    }
}

/// Names as an error message lists them; says so when there are none.
pub fn listed<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().take(20).map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
