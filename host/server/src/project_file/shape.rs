//! The file as people type it, and what it means.
//!
//! These structs are the only description of the file's shape: the JSON Schema is made from them, so their comments
//! are what an editor shows. What is optional in the file is filled in here, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_core::definition::{
    ApprovalPolicy, ApprovalRule, DAY_MS, Definition, Environment, Gate, GateSet, OnFailure, Phase, PhaseWork,
    QueuePolicy, Target, Workflow, WorkflowStage,
};
use lockgate_core::name::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::ProjectFile;
use super::text::{Duration, LongerThanZero, NameText, Variable, VariableName};

/// What Lockgate has to know of a project.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Lockgate project file")]
pub struct File {
    /// The project's name, the same for as long as it lives.
    project: NameText,
    /// One sentence for people.
    #[serde(default)]
    description: String,
    /// What this project deploys.
    #[serde(default)]
    applications: BTreeSet<NameText>,
    /// Where releases become live.
    #[serde(default)]
    environments: BTreeMap<NameText, EnvironmentFile>,
    /// What a deployment does.
    #[serde(default)]
    workflows: BTreeMap<NameText, WorkflowFile>,
}

/// Where releases become live, and who and what protects it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Environment")]
struct EnvironmentFile {
    /// The workflow of a deployment that names none. Needless when the project has only one.
    #[schemars(with = "NameText")]
    #[serde(default)]
    workflow: Option<NameText>,
    /// Text that plugins see. Numbers, `true` and `false` are taken as they are written: 1.10 stays 1.10.
    #[serde(default)]
    variables: BTreeMap<VariableName, Variable>,
    /// What is planned and applied here, for `apply` phases to name.
    #[serde(default)]
    targets: BTreeMap<NameText, TargetFile>,
    /// Who must agree before anything is applied. Without it nobody is asked.
    #[schemars(with = "ApprovalsFile")]
    #[serde(default)]
    approvals: Option<ApprovalsFile>,
    /// Who must agree to go back to a release that was healthy here. Without it nobody is asked.
    #[schemars(with = "ApprovalsFile")]
    #[serde(default)]
    rollback_approvals: Option<ApprovalsFile>,
    /// Automatic checks.
    #[serde(default)]
    gates: GatesFile,
}

/// A plugin that plans, applies and observes resources.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Target")]
struct TargetFile {
    plugin: NameText,
    /// Whose artifact lands here.
    #[schemars(with = "NameText")]
    #[serde(default)]
    application: Option<NameText>,
    /// What the plugin is told, as its own schema describes it.
    #[serde(default)]
    config: Map<String, Value>,
}

/// All of the rules must be met.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Approvals")]
struct ApprovalsFile {
    #[schemars(length(min = 1))]
    rules: Vec<RuleFile>,
    /// Neither the release's creator nor whoever triggered the deployment may approve it.
    #[serde(default = "yes")]
    not_your_own: bool,
    /// Without an answer by then, the deployment is rejected.
    #[serde(default = "thirty_days")]
    timeout: LongerThanZero,
}

/// So many different people of these groups.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ApprovalRule")]
pub struct RuleFile {
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "one", deserialize_with = "whole")]
    count: u32,
    /// Without it: anyone who may approve.
    #[serde(default)]
    groups: BTreeSet<String>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Gates")]
struct GatesFile {
    /// Checked after the phases. The deployment succeeds when they pass.
    #[schemars(with = "GateSetFile")]
    #[serde(default)]
    post: Option<GateSetFile>,
}

/// Checks that are made together, again and again, until all of them pass in the same round.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GateSet")]
struct GateSetFile {
    /// Before the first round.
    #[serde(default = "nothing")]
    delay: Duration,
    /// From one round to the next.
    #[serde(default = "ten_seconds")]
    interval: LongerThanZero,
    /// How long all must stay green.
    #[serde(default = "nothing")]
    steady: Duration,
    /// Not green by then, counted from the first round: failed.
    #[serde(default = "ten_minutes")]
    timeout: LongerThanZero,
    #[schemars(length(min = 1))]
    checks: Vec<CheckFile>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Check")]
struct CheckFile {
    name: NameText,
    plugin: NameText,
    /// What the plugin is told, as its own schema describes it.
    #[serde(default)]
    config: Map<String, Value>,
}

/// A named, ordered list of phases.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Workflow")]
struct WorkflowFile {
    /// What it is for: `patch` ships new code.
    #[serde(default)]
    stage: StageFile,
    /// The release is live in the environment when the workflow has succeeded.
    #[serde(default = "yes")]
    goes_live: bool,
    /// `undo` asks the targets to take back what was applied, last first.
    #[serde(default)]
    on_failure: OnFailureFile,
    #[schemars(length(min = 1))]
    phases: Vec<PhaseFile>,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Stage")]
enum StageFile {
    Build,
    Setup,
    #[default]
    Patch,
    Teardown,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "OnFailure")]
enum OnFailureFile {
    #[default]
    Stop,
    Undo,
}

/// One step: it calls a `plugin`, or applies the plan of a target.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Phase", extend("oneOf" = [
    { "required": ["plugin"] },
    { "required": ["apply"], "not": { "required": ["config"] } },
]))]
struct PhaseFile {
    name: NameText,
    #[schemars(with = "NameText")]
    #[serde(default)]
    plugin: Option<NameText>,
    /// What the plugin is told, as its own schema describes it.
    #[serde(default)]
    config: Map<String, Value>,
    /// A target of the environment.
    #[schemars(with = "NameText")]
    #[serde(default)]
    apply: Option<NameText>,
    /// Of one try.
    #[serde(default = "one_hour")]
    timeout: LongerThanZero,
    /// Tries after the first.
    #[schemars(range(min = 0, max = 100))]
    #[serde(default, deserialize_with = "whole")]
    retries: u32,
    /// Before the first retry; doubles with each, up to a minute.
    #[serde(default = "one_second")]
    backoff: Duration,
    /// When it fails, the rest goes on and the deployment has partially succeeded.
    #[serde(default)]
    continue_on_error: bool,
    /// Runs also when a phase before it has failed.
    #[serde(default)]
    always_run: bool,
}

/// To a JSON Schema `2.0` is a whole number, to serde it is not. The schema has bounded it.
fn whole<'de, D: Deserializer<'de>>(number: D) -> Result<u32, D::Error> {
    f64::deserialize(number).map(|number| number as u32)
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

fn nothing() -> Duration {
    Duration::from_ms(0)
}

fn one_second() -> Duration {
    Duration::from_ms(1000)
}

fn ten_seconds() -> LongerThanZero {
    LongerThanZero::from_ms(10 * 1000)
}

fn ten_minutes() -> LongerThanZero {
    LongerThanZero::from_ms(10 * 60 * 1000)
}

fn one_hour() -> LongerThanZero {
    LongerThanZero::from_ms(60 * 60 * 1000)
}

fn thirty_days() -> LongerThanZero {
    LongerThanZero::from_ms(30 * DAY_MS)
}

impl File {
    pub fn meaning(self) -> ProjectFile {
        let only_workflow = match self.workflows.keys().collect::<Vec<_>>()[..] {
            [only] => Some(only.0.clone()),
            _ => None,
        };
        let environment = |file: EnvironmentFile| Arc::new(file.meaning(only_workflow.clone()));
        ProjectFile {
            definition: Definition {
                description: self.description,
                applications: self.applications.into_iter().map(|name| name.0).collect(),
                environments: self.environments.into_iter().map(|(name, file)| (name.0, environment(file))).collect(),
                workflows: named(self.workflows, |file| Arc::new(file.meaning())),
            },
            project: self.project.0,
        }
    }
}

fn named<File, Meaning>(files: BTreeMap<NameText, File>, meaning: impl Fn(File) -> Meaning) -> BTreeMap<Name, Meaning> {
    files.into_iter().map(|(name, file)| (name.0, meaning(file))).collect()
}

impl EnvironmentFile {
    fn meaning(self, only_workflow: Option<Name>) -> Environment {
        Environment {
            variables: self.variables.into_iter().map(|(name, value)| (name.0, value.0)).collect(),
            targets: named(self.targets, TargetFile::meaning),
            workflow: self.workflow.map(|name| name.0).or(only_workflow),
            queue: QueuePolicy::default(),
            approvals: self.approvals.map(ApprovalsFile::meaning).unwrap_or_default(),
            rollback_approvals: self.rollback_approvals.map(ApprovalsFile::meaning).unwrap_or_default(),
            post_gates: self.gates.post.map(GateSetFile::meaning),
        }
    }
}

impl TargetFile {
    fn meaning(self) -> Target {
        Target {
            plugin: self.plugin.0,
            application: self.application.map(|name| name.0),
            config: Value::Object(self.config),
        }
    }
}

impl ApprovalsFile {
    fn meaning(self) -> ApprovalPolicy {
        ApprovalPolicy {
            rules: self.rules.into_iter().map(RuleFile::meaning).collect(),
            not_your_own: self.not_your_own,
            timeout_ms: self.timeout.ms(),
        }
    }
}

impl RuleFile {
    pub fn meaning(self) -> ApprovalRule {
        ApprovalRule { count: self.count, groups: self.groups }
    }
}

impl GateSetFile {
    fn meaning(self) -> GateSet {
        let gate =
            |file: CheckFile| Gate { name: file.name.0, plugin: file.plugin.0, config: Value::Object(file.config) };
        GateSet {
            delay_ms: self.delay.ms(),
            interval_ms: self.interval.ms(),
            steady_ms: self.steady.ms(),
            timeout_ms: self.timeout.ms(),
            gates: self.checks.into_iter().map(gate).collect(),
        }
    }
}

impl WorkflowFile {
    fn meaning(self) -> Workflow {
        Workflow {
            stage: match self.stage {
                StageFile::Build => WorkflowStage::Build,
                StageFile::Setup => WorkflowStage::Setup,
                StageFile::Patch => WorkflowStage::Patch,
                StageFile::Teardown => WorkflowStage::Teardown,
            },
            goes_live: self.goes_live,
            on_failure: match self.on_failure {
                OnFailureFile::Stop => OnFailure::Stop,
                OnFailureFile::Undo => OnFailure::Undo,
            },
            phases: self.phases.into_iter().map(PhaseFile::meaning).collect(),
        }
    }
}

impl PhaseFile {
    fn meaning(self) -> Phase {
        let work = match (self.plugin, self.apply) {
            (_, Some(target)) => PhaseWork::Apply { target: target.0 },
            (plugin, None) => PhaseWork::Plugin {
                plugin: plugin.expect("the schema asks for `plugin` or `apply`").0,
                config: Value::Object(self.config),
            },
        };
        Phase {
            name: self.name.0,
            work,
            timeout_ms: self.timeout.ms(),
            retries: self.retries,
            backoff_ms: self.backoff.ms(),
            continue_on_error: self.continue_on_error,
            always_run: self.always_run,
        }
    }
}
