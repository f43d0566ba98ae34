//! The file as people type it, and what it means.
//!
//! These structs are the only description of the file's shape: the JSON Schema is made from them, so their comments
//! are what an editor shows. What is optional in the file is filled in here, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_core::definition::{
    ApprovalOrder, ApprovalPolicy, ApprovalRule, DAY_MS, Definition, Environment, FULL_WEIGHT, Gate, GateSet,
    MOST_FREEZES, OnFailure, Parallel, Phase, PhaseWork, ProjectLimits, Promotion, QueuePolicy, Reaction, Requirement,
    Target, Workflow, WorkflowStage,
};
use lockgate_core::deployment::Flags;
use lockgate_core::name::Name;
use lockgate_core::plugin::Issue;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::ProjectFile;
use super::calendar::{AvailabilityFile, FreezeFile, ScheduleFile, freezes};
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
    /// What can be triggered by name: each starts the workflow, as the live release defines it.
    #[serde(default)]
    endpoints: BTreeMap<NameText, NameText>,
    /// `off`: nobody is asked for approval in any environment.
    #[serde(default)]
    approval_workflow: SwitchFile,
    /// SELECTIVE deployments side by side in one environment, where they change different resources.
    #[serde(default)]
    parallel: ParallelFile,
    /// What the project may have under way at a time.
    #[serde(default)]
    limits: LimitsFile,
    /// Times in which nothing starts, or more people are asked.
    #[schemars(length(max = MOST_FREEZES))]
    #[serde(default)]
    freezes: Vec<FreezeFile>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Switch")]
enum SwitchFile {
    #[default]
    On,
    Off,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Parallel")]
struct ParallelFile {
    #[serde(default)]
    enabled: bool,
    /// In one environment.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "ten", deserialize_with = "whole")]
    most: u32,
    /// Also those that people have to approve.
    #[serde(default = "yes")]
    with_approvals: bool,
}

impl Default for ParallelFile {
    fn default() -> Self {
        Self { enabled: false, most: ten(), with_approvals: true }
    }
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Limits")]
struct LimitsFile {
    /// Deployments that work; those that wait for people do not count.
    #[schemars(with = "u32", range(min = 1, max = 10_000))]
    #[serde(default, deserialize_with = "some_whole", skip_serializing_if = "Option::is_none")]
    running: Option<u32>,
    /// Calls to plugins under way when another phase wants to start.
    #[schemars(with = "u32", range(min = 1, max = 10_000))]
    #[serde(default, deserialize_with = "some_whole", skip_serializing_if = "Option::is_none")]
    workers: Option<u32>,
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
    /// Which of those that wait get their turn.
    #[serde(default)]
    queue: QueueFile,
    /// `off`: nobody is asked for approval here.
    #[serde(default)]
    approval_workflow: SwitchFile,
    /// Who must agree before anything is applied. Without it nobody is asked.
    #[schemars(with = "ApprovalsFile")]
    #[serde(default)]
    approvals: Option<ApprovalsFile>,
    /// Who must agree after the phases and their gates, before the release is live. Without it nobody is asked.
    #[schemars(with = "ApprovalsFile")]
    #[serde(default)]
    post_approvals: Option<ApprovalsFile>,
    /// Who must agree to go back to a release that was healthy here. Without it nobody is asked.
    #[schemars(with = "ApprovalsFile")]
    #[serde(default)]
    rollback_approvals: Option<ApprovalsFile>,
    /// Automatic checks.
    #[serde(default)]
    gates: GatesFile,
    /// Where a release must have been live and healthy before it comes here.
    #[serde(default)]
    requires: Vec<RequirementFile>,
    /// Where releases come from.
    #[schemars(with = "PromotionFile")]
    #[serde(default)]
    promotion: Option<PromotionFile>,
    /// When deployments may start. Without it: always.
    #[schemars(with = "AvailabilityFile")]
    #[serde(default)]
    availability: Option<AvailabilityFile>,
    /// When a deployment starts by itself: of the newest release, or of what is live where releases come from.
    #[schemars(with = "ScheduleFile")]
    #[serde(default)]
    schedule: Option<ScheduleFile>,
    /// What is deployed here by itself, by `promotion` or `schedule`, has these flags.
    #[serde(default)]
    unattended: UnattendedFile,
    /// An ephemeral environment is torn down so long after its first release went live.
    #[schemars(with = "LongerThanZero")]
    #[serde(default)]
    expires_after: Option<LongerThanZero>,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Queue")]
enum QueueFile {
    /// All, in order.
    #[default]
    Sequence,
    /// A newer one takes the place of older ones that wait to do the same.
    Latest,
    /// Whatever does not change the same resources starts.
    Unlimited,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Requirement")]
struct RequirementFile {
    environment: NameText,
    /// At a stretch.
    #[serde(rename = "for", default = "nothing")]
    lived: Duration,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Promotion")]
struct PromotionFile {
    from: NameText,
    /// As soon as a release has succeeded there.
    #[serde(default)]
    automatic: bool,
    /// Also one that succeeded in part.
    #[serde(default)]
    partial: bool,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Unattended")]
struct UnattendedFile {
    /// Ask the targets how their resources are, then plan.
    #[serde(default)]
    refresh: bool,
    /// Also apply what is in sync already. No rule is skipped.
    #[serde(default)]
    forced: bool,
    /// Accept a plan that deletes or replaces.
    #[serde(default)]
    allow_destructive: bool,
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
    /// How long they have to answer.
    #[serde(default = "thirty_days")]
    timeout: LongerThanZero,
    /// What follows when nobody has answered by then.
    #[serde(default)]
    on_timeout: ReactionFile,
    /// What follows when somebody says no.
    #[serde(default)]
    on_reject: ReactionFile,
    /// When people are asked, beside the gates. `usual`: before the gates that stand before the phases, and after those
    /// that stand after them.
    #[serde(default)]
    order: OrderFile,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Reaction")]
enum ReactionFile {
    #[default]
    Reject,
    /// The approval counts as given, and the record says so.
    Skip,
    Cancel,
}

#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ApprovalOrder")]
enum OrderFile {
    #[default]
    Usual,
    /// Only when the gates passed.
    AfterGates,
    /// Also when the gates failed: a person may overrule them.
    AfterGatesAlways,
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
    /// Checked before the phases. They start when these pass.
    #[schemars(with = "GateSetFile")]
    #[serde(default)]
    pre: Option<GateSetFile>,
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
    /// The release is live in the environment when the workflow has succeeded: yes, unless it is a build.
    #[schemars(with = "bool")]
    #[serde(default)]
    goes_live: Option<bool>,
    /// `undo` asks the targets to take back what was applied, last first.
    #[serde(default)]
    on_failure: OnFailureFile,
    /// From the first phase to the last gate; over it, the deployment is cancelled as TIMED_OUT.
    #[schemars(with = "LongerThanZero")]
    #[serde(default)]
    timeout: Option<LongerThanZero>,
    /// None: the release is live as soon as it may be.
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

/// One step: it calls a `plugin`, applies the plan of a target, waits for gates, or waits for a person.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Phase", extend("oneOf" = [
    { "required": ["plugin"], "not": { "required": ["weight"] } },
    { "required": ["apply"], "not": { "required": ["config"] } },
    { "required": ["gates"], "not": { "anyOf": [{ "required": ["config"] }, { "required": ["weight"] },
        { "required": ["timeout"] }, { "required": ["retries"] }, { "required": ["backoff"] }] } },
    { "required": ["manual"], "not": { "anyOf": [{ "required": ["config"] }, { "required": ["weight"] },
        { "required": ["timeout"] }, { "required": ["retries"] }, { "required": ["backoff"] }] } },
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
    /// Percent of the traffic that the release gets by this `apply`; a later one of the same target raises it.
    #[schemars(range(min = 1, max = 100))]
    #[serde(default = "hundred", deserialize_with = "whole")]
    weight: u32,
    /// Goes on when these are green.
    #[schemars(with = "GateSetFile")]
    #[serde(default)]
    gates: Option<GateSetFile>,
    /// Goes on when a person says so.
    #[schemars(with = "ManualFile")]
    #[serde(default)]
    manual: Option<ManualFile>,
    /// Phases that follow each other and have the same group run side by side.
    #[schemars(with = "NameText")]
    #[serde(default)]
    group: Option<NameText>,
    /// What a plugin changes beside the targets, by any name. Without it the phase counts as changing everything here,
    /// and its deployment goes alone.
    #[schemars(with = "BTreeSet<String>")]
    #[serde(default)]
    locks: Option<BTreeSet<String>>,
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

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Manual")]
struct ManualFile {
    /// What the person has to do or to look at.
    instructions: String,
    /// Whose members may answer. Without it: anyone who may approve.
    #[serde(default)]
    groups: BTreeSet<String>,
    /// Without an answer by then, the phase has failed.
    #[serde(default = "thirty_days")]
    timeout: LongerThanZero,
}

/// To a JSON Schema `2.0` is a whole number, to serde it is not. The schema has bounded it.
fn whole<'de, D: Deserializer<'de>>(number: D) -> Result<u32, D::Error> {
    f64::deserialize(number).map(|number| number as u32)
}

fn some_whole<'de, D: Deserializer<'de>>(number: D) -> Result<Option<u32>, D::Error> {
    whole(number).map(Some)
}

fn ten() -> u32 {
    10
}

fn hundred() -> u32 {
    FULL_WEIGHT.into()
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
    /// Also what only its meaning shows to be wrong, such as a zone that does not exist; that is then left out.
    pub fn meaning(self) -> (ProjectFile, Vec<Issue>) {
        let only_workflow = match self.workflows.keys().collect::<Vec<_>>()[..] {
            [only] => Some(only.0.clone()),
            _ => None,
        };
        let mut issues = Vec::new();
        let freezes = freezes(self.freezes, "/freezes").unwrap_or_else(|wrong| {
            issues.extend(wrong);
            Vec::new()
        });
        let mut environments = BTreeMap::new();
        for (name, file) in self.environments {
            let meant = file.meaning(&format!("/environments/{}", name.0), only_workflow.clone(), &mut issues);
            environments.insert(name.0, Arc::new(meant));
        }
        let definition = Definition {
            description: self.description,
            applications: self.applications.into_iter().map(|name| name.0).collect(),
            environments,
            workflows: named(self.workflows, |file| Arc::new(file.meaning())),
            endpoints: named(self.endpoints, |workflow| workflow.0),
            approvals_off: self.approval_workflow == SwitchFile::Off,
            parallel: Parallel {
                enabled: self.parallel.enabled,
                most: self.parallel.most,
                with_approvals: self.parallel.with_approvals,
            },
            limits: ProjectLimits { running: self.limits.running, workers: self.limits.workers },
            freezes,
        };
        (ProjectFile { definition, project: self.project.0 }, issues)
    }
}

fn named<File, Meaning>(files: BTreeMap<NameText, File>, meaning: impl Fn(File) -> Meaning) -> BTreeMap<Name, Meaning> {
    files.into_iter().map(|(name, file)| (name.0, meaning(file))).collect()
}

impl EnvironmentFile {
    fn meaning(self, at: &str, only_workflow: Option<Name>, issues: &mut Vec<Issue>) -> Environment {
        let mut known = |wrong: Vec<Issue>| issues.extend(wrong);
        let availability = self.availability.map(|file| file.meaning(&format!("{at}/availability"))).transpose();
        let availability = availability.map_err(&mut known).ok().flatten().unwrap_or_default();
        let schedule = self.schedule.map(|file| file.meaning(&format!("{at}/schedule"))).transpose();
        let schedule = schedule.map_err(&mut known).ok().flatten();
        Environment {
            variables: self.variables.into_iter().map(|(name, value)| (name.0, value.0)).collect(),
            targets: named(self.targets, TargetFile::meaning),
            workflow: self.workflow.map(|name| name.0).or(only_workflow),
            queue: match self.queue {
                QueueFile::Sequence => QueuePolicy::Sequence,
                QueueFile::Latest => QueuePolicy::Latest,
                QueueFile::Unlimited => QueuePolicy::Unlimited,
            },
            approvals_off: self.approval_workflow == SwitchFile::Off,
            approvals: self.approvals.map(ApprovalsFile::meaning).unwrap_or_default(),
            post_approvals: self.post_approvals.map(ApprovalsFile::meaning).unwrap_or_default(),
            rollback_approvals: self.rollback_approvals.map(ApprovalsFile::meaning).unwrap_or_default(),
            pre_gates: self.gates.pre.map(GateSetFile::meaning),
            post_gates: self.gates.post.map(GateSetFile::meaning),
            requires: self.requires.into_iter().map(RequirementFile::meaning).collect(),
            promotion: self.promotion.map(PromotionFile::meaning),
            availability,
            schedule,
            unattended: self.unattended.meaning(),
            expires_after_ms: self.expires_after.map(|after| after.ms()),
        }
    }
}

impl UnattendedFile {
    fn meaning(self) -> Flags {
        Flags { refresh: self.refresh, forced: self.forced, allow_destructive: self.allow_destructive }
    }
}

impl RequirementFile {
    fn meaning(self) -> Requirement {
        Requirement { environment: self.environment.0, for_ms: self.lived.ms() }
    }
}

impl PromotionFile {
    fn meaning(self) -> Promotion {
        Promotion { from: self.from.0, automatic: self.automatic, partial: self.partial }
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
            on_timeout: self.on_timeout.meaning(),
            on_reject: self.on_reject.meaning(),
            order: match self.order {
                OrderFile::Usual => ApprovalOrder::Usual,
                OrderFile::AfterGates => ApprovalOrder::AfterGates,
                OrderFile::AfterGatesAlways => ApprovalOrder::AfterGatesAlways,
            },
        }
    }
}

impl ReactionFile {
    fn meaning(self) -> Reaction {
        match self {
            ReactionFile::Reject => Reaction::Reject,
            ReactionFile::Skip => Reaction::Skip,
            ReactionFile::Cancel => Reaction::Cancel,
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
        let (stage, goes_live) = match self.stage {
            StageFile::Build => (WorkflowStage::Build, false),
            StageFile::Setup => (WorkflowStage::Setup, true),
            StageFile::Patch => (WorkflowStage::Patch, true),
            StageFile::Teardown => (WorkflowStage::Teardown, true),
        };
        Workflow {
            stage,
            goes_live: self.goes_live.unwrap_or(goes_live),
            on_failure: match self.on_failure {
                OnFailureFile::Stop => OnFailure::Stop,
                OnFailureFile::Undo => OnFailure::Undo,
            },
            timeout_ms: self.timeout.map(|timeout| timeout.ms()),
            phases: self.phases.into_iter().map(PhaseFile::meaning).collect(),
        }
    }
}

impl PhaseFile {
    fn meaning(self) -> Phase {
        let timeout_ms = self.manual.as_ref().map_or(&self.timeout, |manual| &manual.timeout).ms();
        let work = match (self.apply, self.gates, self.manual) {
            (Some(target), _, _) => PhaseWork::Apply { target: target.0 },
            (None, Some(gates), _) => PhaseWork::Gates(gates.meaning()),
            (None, None, Some(manual)) => {
                PhaseWork::Manual { instructions: manual.instructions, groups: manual.groups }
            }
            (None, None, None) => PhaseWork::Plugin {
                plugin: self.plugin.expect("the schema asks for `plugin`, `apply`, `gates` or `manual`").0,
                config: Value::Object(self.config),
            },
        };
        Phase {
            name: self.name.0,
            work,
            timeout_ms,
            retries: self.retries,
            backoff_ms: self.backoff.ms(),
            continue_on_error: self.continue_on_error,
            always_run: self.always_run,
            group: self.group.map(|name| name.0),
            locks: self.locks,
            weight: u8::try_from(self.weight).expect("the schema ends at 100"),
        }
    }
}
