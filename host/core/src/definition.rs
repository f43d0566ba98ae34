//! What a project is: its environments, their protection, and its workflows.
//!
//! Values here are meant, not typed: the project file is parsed and checked at the edge, and
//! [`Definition::problems`] holds the rules that need the whole of it.

mod changes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use changes::{Change, ChangeKind, Part, changes};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calendar::{Availability, Freeze, Schedule};
use crate::deployment::Flags;
use crate::name::Name;
use crate::plugin::{Issue, Kind};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    pub description: String,
    pub applications: BTreeSet<Name>,
    pub environments: BTreeMap<Name, Arc<Environment>>,
    pub workflows: BTreeMap<Name, Arc<Workflow>>,
    /// What can be triggered by name: each starts a workflow, as the live release defines it.
    #[serde(default)]
    pub endpoints: BTreeMap<Name, Name>,
    /// "Release Approval Workflow" (F) is off: nobody is asked in any environment.
    #[serde(default)]
    pub approvals_off: bool,
    #[serde(default)]
    pub parallel: Parallel,
    #[serde(default)]
    pub limits: ProjectLimits,
    #[serde(default)]
    pub freezes: Vec<Freeze>,
}

/// Several SELECTIVE deployments side by side in one environment, where they change different resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parallel {
    pub enabled: bool,
    pub most: u32,
    /// Also those that people have to approve.
    pub with_approvals: bool,
}

impl Default for Parallel {
    fn default() -> Self {
        Self { enabled: false, most: 10, with_approvals: true }
    }
}

/// What a project may have under way at a time; `None`: as much as there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectLimits {
    /// Deployments that work: those that wait for people do not count.
    pub running: Option<u32>,
    /// Calls to plugins when another phase wants to start.
    pub workers: Option<u32>,
}

/// Where releases become live. Protection belongs here, never to the release.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    pub variables: BTreeMap<String, String>,
    pub targets: BTreeMap<Name, Target>,
    /// The workflow of a deployment that names none.
    pub workflow: Option<Name>,
    pub queue: QueuePolicy,
    #[serde(default)]
    pub approvals_off: bool,
    pub approvals: ApprovalPolicy,
    /// Asked after the phases and their gates.
    #[serde(default)]
    pub post_approvals: ApprovalPolicy,
    /// A rule of its own; by default a release that was healthy here needs none.
    pub rollback_approvals: ApprovalPolicy,
    #[serde(default)]
    pub pre_gates: Option<GateSet>,
    pub post_gates: Option<GateSet>,
    /// Where a release must have been live before it comes here.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    #[serde(default)]
    pub promotion: Option<Promotion>,
    #[serde(default)]
    pub availability: Availability,
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// Of what is deployed here by itself: automatic promotions, and what the schedule starts.
    #[serde(default, skip_serializing_if = "Flags::are_none")]
    pub unattended: Flags,
    /// An ephemeral environment is torn down so long after its first release went live.
    #[serde(default)]
    pub expires_after_ms: Option<u64>,
}

/// The release was live and healthy there for so long at a stretch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    pub environment: Name,
    pub for_ms: u64,
}

/// Where releases for an environment come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    pub from: Name,
    /// As soon as one succeeded there.
    pub automatic: bool,
    /// Also one that succeeded in part.
    pub partial: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueuePolicy {
    /// All of them, in order.
    #[default]
    Sequence,
    /// A newer one takes the place of older ones that wait to do the same.
    Latest,
    /// Whatever does not change the same resources starts.
    Unlimited,
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
    #[serde(default)]
    pub on_timeout: Reaction,
    #[serde(default)]
    pub on_reject: Reaction,
    #[serde(default)]
    pub order: ApprovalOrder,
}

/// What follows when nobody answers in time, or somebody says no.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    #[default]
    Reject,
    /// The approval counts as given, and the record says so.
    Skip,
    Cancel,
}

/// When people are asked, beside the gates of the same side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalOrder {
    /// Before the phases: people, then gates. After them: gates, then people.
    #[default]
    Usual,
    /// Only when the gates passed.
    AfterGates,
    /// Also when the gates failed: a person may overrule them.
    AfterGatesAlways,
}

pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Default for ApprovalPolicy {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            not_your_own: true,
            timeout_ms: 30 * DAY_MS,
            on_timeout: Reaction::default(),
            on_reject: Reaction::default(),
            order: ApprovalOrder::default(),
        }
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
    /// From the first phase to the last gate; over it, the attempt is cancelled as TIMED_OUT.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
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
    /// Phases that follow each other and have the same group run side by side.
    #[serde(default)]
    pub group: Option<Name>,
    /// What it changes beside the plans of targets, by any name; `None`: the whole environment.
    #[serde(default)]
    pub locks: Option<BTreeSet<String>>,
    /// Percent of the traffic that the release is to have when this phase has applied.
    #[serde(default = "full_weight")]
    pub weight: u8,
}

pub const FULL_WEIGHT: u8 = 100;

fn full_weight() -> u8 {
    FULL_WEIGHT
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
    /// Waits until the gates are green.
    Gates(GateSet),
    /// Waits until a person says how to go on.
    Manual {
        instructions: String,
        /// Whose members may answer; none: anyone who may approve.
        groups: BTreeSet<String>,
    },
}

/// Names that phases cannot have: the core reports its own work under them.
pub const RESERVED_PHASE_NAMES: [&str; 4] = ["plan", "approval", "gates", "undo"];
/// The core's own work that has a log.
pub const LOGS_BESIDE_PHASES: [&str; 3] = ["plan", "gates", "undo"];

/// Looked through whenever a deployment may start: of a project, and of each environment.
pub const MOST_FREEZES: usize = 200;
pub const MOST_WINDOWS: usize = 100;
/// Environments of a project that start deployments by themselves, for ever.
pub const MOST_SCHEDULES: usize = 500;

/// One place where a definition uses a plugin.
#[derive(Debug, Clone, Copy)]
pub struct PluginUse<'a> {
    pub plugin: &'a Name,
    pub kind: Kind,
    pub config: &'a Value,
    /// None: wherever its workflow runs.
    pub environment: Option<&'a Name>,
}

impl Definition {
    /// Every use of a plugin, with the JSON pointer of where it stands.
    pub fn plugin_uses(&self) -> Vec<(String, PluginUse<'_>)> {
        let mut uses = Vec::new();
        for (name, workflow) in &self.workflows {
            for (index, phase) in workflow.phases.iter().enumerate() {
                let place = format!("/workflows/{name}/phases/{index}");
                match &phase.work {
                    PhaseWork::Plugin { plugin, config } => {
                        uses.push((place, PluginUse { plugin, kind: Kind::Phase, config, environment: None }));
                    }
                    PhaseWork::Gates(set) => gate_uses(set, &format!("{place}/gates"), None, &mut uses),
                    PhaseWork::Apply { .. } | PhaseWork::Manual { .. } => {}
                }
            }
        }
        for (name, environment) in &self.environments {
            for (target_name, target) in &environment.targets {
                let place = format!("/environments/{name}/targets/{target_name}");
                let (plugin, config, environment) = (&target.plugin, &target.config, Some(name));
                uses.push((place, PluginUse { plugin, kind: Kind::Target, config, environment }));
            }
            for (side, set) in environment.gate_sets() {
                gate_uses(set, &format!("/environments/{name}/gates/{side}"), Some(name), &mut uses);
            }
        }
        uses
    }

    /// The flags of what is deployed there by itself.
    pub(crate) fn unattended(&self, environment: &Name) -> Flags {
        self.environments.get(environment).map(|meant| meant.unattended).unwrap_or_default()
    }

    /// Approvals are off: of the project, or of this environment.
    pub(crate) fn asks_nobody(&self, environment: &Environment) -> bool {
        self.approvals_off || environment.approvals_off
    }

    /// The environment as an attempt pins it: what the project says of all of them is part of it.
    pub(crate) fn pinned(&self, environment: &Arc<Environment>) -> Arc<Environment> {
        if !self.approvals_off || environment.approvals_off {
            return environment.clone();
        }
        Arc::new(Environment { approvals_off: true, ..Environment::clone(environment) })
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
        problems.extend(too_many("/freezes".to_owned(), "freezes", self.freezes.len(), MOST_FREEZES));
        let scheduled = self.environments.values().filter(|environment| environment.schedule.is_some()).count();
        problems.extend(too_many("/environments".to_owned(), "schedules", scheduled, MOST_SCHEDULES));
        for (index, freeze) in self.freezes.iter().enumerate() {
            for unknown in freeze.environments.iter().filter(|name| !self.environments.contains_key(*name)) {
                let known = listed(self.environments.keys());
                let message = format!("there is no environment `{unknown}`; there are: {known}");
                problems.push(Issue { path: format!("/freezes/{index}/environments"), message });
            }
        }
        for (endpoint, workflow) in &self.endpoints {
            if !self.workflows.contains_key(workflow) {
                let known = listed(self.workflows.keys());
                let message = format!("there is no workflow `{workflow}`; there are: {known}");
                problems.push(Issue { path: format!("/endpoints/{endpoint}"), message });
            }
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
        for (side, set) in environment.gate_sets() {
            gate_problems(set, &format!("/environments/{name}/gates/{side}"), problems);
        }
        let windows = environment.availability.windows.len();
        let place = format!("/environments/{name}/availability/windows");
        problems.extend(too_many(place, "windows", windows, MOST_WINDOWS));
        self.origin_problems(name, environment, problems);
    }

    /// Where releases come from: other environments of this project, and not in a circle.
    fn origin_problems(&self, name: &Name, environment: &Environment, problems: &mut Vec<Issue>) {
        let mut named = |place: String, other: &Name| {
            let message = match self.environments.contains_key(other) {
                true if other == name => "an environment cannot wait for itself".to_owned(),
                true => return,
                false => {
                    format!("there is no environment `{other}`; there are: {}", listed(self.environments.keys()))
                }
            };
            problems.push(Issue { path: format!("/environments/{name}/{place}"), message });
        };
        for (index, requirement) in environment.requires.iter().enumerate() {
            named(format!("requires/{index}/environment"), &requirement.environment);
        }
        if let Some(promotion) = &environment.promotion {
            named("promotion/from".to_owned(), &promotion.from);
        }
        let circle = self.origins_of(name).skip(1).any(|origin| origin == name);
        if circle && environment.promotion.as_ref().is_some_and(|promotion| promotion.from != *name) {
            let message = format!("releases would be promoted in a circle, from `{name}` back to `{name}`");
            problems.push(Issue { path: format!("/environments/{name}/promotion/from"), message });
        }
    }

    /// The environment, the one its releases are promoted from, and so on.
    fn origins_of<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Name> {
        let from = |name: &&'a Name| Some(&self.environments.get(*name)?.promotion.as_ref()?.from);
        std::iter::successors(Some(name), from).take(self.environments.len() + 1)
    }
}

impl Environment {
    /// Its gates before and after the phases, with the word of the project file.
    pub fn gate_sets(&self) -> impl Iterator<Item = (&'static str, &GateSet)> {
        let sets = [("pre", &self.pre_gates), ("post", &self.post_gates)];
        sets.into_iter().filter_map(|(side, set)| Some((side, set.as_ref()?)))
    }
}

fn too_many(path: String, what: &str, actual: usize, allowed: usize) -> Option<Issue> {
    let message =
        format!("there are {actual} {what}; at most {allowed} are allowed: remove what is over, or join them");
    (actual > allowed).then_some(Issue { path, message })
}

fn gate_uses<'a>(
    set: &'a GateSet,
    place: &str,
    environment: Option<&'a Name>,
    uses: &mut Vec<(String, PluginUse<'a>)>,
) {
    for (index, gate) in set.gates.iter().enumerate() {
        let used = PluginUse { plugin: &gate.plugin, kind: Kind::Gate, config: &gate.config, environment };
        uses.push((format!("{place}/checks/{index}"), used));
    }
}

fn gate_problems(set: &GateSet, place: &str, problems: &mut Vec<Issue>) {
    if set.steady_ms >= set.timeout_ms {
        let message =
            "the gates time out before they can be green for so long: `steady` must be shorter than `timeout`";
        problems.push(Issue { path: format!("{place}/steady"), message: message.to_owned() });
    }
    let mut gates = BTreeSet::new();
    for (index, gate) in set.gates.iter().enumerate() {
        if !gates.insert(&gate.name) {
            let message = format!("a second gate is named `{}`", gate.name);
            problems.push(Issue { path: format!("{place}/checks/{index}/name"), message });
        }
    }
}

fn workflow_problems(name: &Name, workflow: &Workflow, problems: &mut Vec<Issue>) {
    if workflow.stage == WorkflowStage::Build && workflow.goes_live {
        let message =
            "a build makes what a draft holds, and a draft is nowhere live: leave `goes_live` out, or write `false`";
        problems.push(Issue { path: format!("/workflows/{name}/goes_live"), message: message.to_owned() });
    }
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
        if let PhaseWork::Gates(set) = &phase.work {
            gate_problems(set, &format!("/workflows/{name}/phases/{index}/gates"), problems);
        }
    }
}

/// Names as an error message lists them; says so when there are none.
pub fn listed<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().take(20).map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
