//! What a due call says to its plugin: built when the call is made, the same for every repeat of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::definition::{FULL_WEIGHT, PhaseWork, WorkflowStage};
use crate::deployment::{Deployment, DeploymentType, TargetPlan};
use crate::digest::Digest;
use crate::name::{Name, Tag};
use crate::plugin::{Artifact, CallContext};
use crate::release::Release;
use crate::selection::Selection;
use crate::state::{Due, State};
use crate::work::{GatesOf, Step, idempotency_key};

#[derive(Debug, Clone)]
pub struct Order {
    pub plugin: Name,
    pub digest: Digest,
    pub context: CallContext,
    pub config: Value,
    /// What is released, and whose artifacts the call may open.
    pub release: Arc<Release>,
    /// JSON of `wit/subject.schema.json`.
    pub subject: Arc<str>,
    pub question: Question,
}

/// What is asked, with what the plugin needs to go on from.
#[derive(Debug, Clone)]
pub enum Question {
    Advance {
        cursor: Vec<u8>,
    },
    Cancel {
        cursor: Vec<u8>,
    },
    Observe,
    Plan {
        cursor: Vec<u8>,
    },
    Apply {
        approved: Arc<TargetPlan>,
        cursor: Vec<u8>,
    },
    Undo {
        approved: Arc<TargetPlan>,
        cursor: Vec<u8>,
    },
    /// Sampled with grants, then judged without any.
    Sample {
        memo: Vec<u8>,
    },
}

/// `None`: the call is not due any more.
pub fn order(state: &State, due: &Due) -> Option<Order> {
    let deployment = state.deployments.get(&due.call.deployment)?;
    let work = deployment.work(due.step)?;
    let key_call = work.key_call.filter(|_| work.call() == Some(due.call.call))?;
    let name = deployment.step_name(due.step);
    let used = plugin_of(deployment, due.step)?;
    Some(Order {
        digest: used.digest,
        plugin: used.plugin.clone(),
        config: used.config.clone(),
        context: CallContext {
            project: state.project.name.to_string(),
            environment: deployment.environment.to_string(),
            deployment: format!("{}/{}", state.project.name, deployment.number),
            attempt: deployment.attempt.number,
            name: name.to_string(),
            sequence: due.call.call,
            idempotency_key: idempotency_key(&state.project, due.call, due.step, name, key_call),
        },
        release: deployment.release.clone(),
        subject: subject(state, deployment, due.step),
        question: question(deployment, due.step, work.cursor.clone())?,
    })
}

/// The plugin that a due call asks.
pub fn asked(state: &State, due: &Due) -> Option<Digest> {
    let deployment = state.deployments.get(&due.call.deployment)?;
    plugin_of(deployment, due.step).map(|used| used.digest)
}

struct Used<'a> {
    plugin: &'a Name,
    digest: Digest,
    config: &'a Value,
}

/// Phases and targets are the release's own, gates the environment's.
fn plugin_of(deployment: &Deployment, step: Step) -> Option<Used<'_>> {
    let (plugin, config, pinned) = match step {
        Step::Gate { of, index } => {
            let gate = deployment.gate_set(of)?.gates.get(index)?;
            let pinned = match of {
                GatesOf::Pre | GatesOf::Post => &deployment.attempt.gate_plugins,
                GatesOf::Phase(_) => &deployment.release.plugins,
            };
            (&gate.plugin, &gate.config, pinned)
        }
        Step::Observe(index)
        | Step::Plan(index)
        | Step::Confirm(index)
        | Step::Run(index)
        | Step::Cancel(index)
        | Step::Undo(index) => {
            let (plugin, config) = match &deployment.phase(index).work {
                PhaseWork::Plugin { plugin, config } => (plugin, config),
                PhaseWork::Apply { .. } => {
                    deployment.target_of(index).map(|target| (&target.plugin, &target.config))?
                }
                PhaseWork::Gates(_) | PhaseWork::Manual { .. } => return None,
            };
            (plugin, config, &deployment.release.plugins)
        }
    };
    Some(Used { plugin, digest: *pinned.get(plugin)?, config })
}

fn question(deployment: &Deployment, step: Step, cursor: Vec<u8>) -> Option<Question> {
    let approved = |index: usize| deployment.attempt.phases[index].plan.clone();
    // What this attempt has not begun to apply, an earlier one has, with a plan of its own.
    let begun = |index: usize| {
        let run = &deployment.attempt.phases[index];
        run.plan.clone().filter(|_| run.started_at.is_some()).or_else(|| run.begun_before.clone())
    };
    Some(match step {
        Step::Observe(_) => Question::Observe,
        Step::Plan(_) | Step::Confirm(_) => Question::Plan { cursor },
        Step::Run(index) if deployment.is_apply(index) => Question::Apply { approved: approved(index)?, cursor },
        Step::Run(_) => Question::Advance { cursor },
        Step::Cancel(_) => Question::Cancel { cursor },
        Step::Undo(index) => Question::Undo { approved: begun(index)?, cursor },
        Step::Gate { .. } => Question::Sample { memo: cursor },
    })
}

/// Schema: `wit/subject.schema.json`.
#[derive(Serialize)]
struct Subject<'a> {
    project: &'a Name,
    environment: &'a Name,
    deployment: String,
    #[serde(rename = "type")]
    deployment_type: DeploymentType,
    stage: WorkflowStage,
    refresh: bool,
    forced: bool,
    allow_destructive: bool,
    selections: &'a [Selection],
    input: &'a Value,
    comment: &'a str,
    triggered_by: &'a str,
    variables: &'a BTreeMap<String, String>,
    artifacts: &'a [Artifact],
    release: SubjectRelease<'a>,
    previous_release: Option<SubjectRelease<'a>>,
    outputs: BTreeMap<&'a Name, &'a Value>,
    weight: u8,
    weight_before: u8,
    application: Option<&'a Name>,
}

#[derive(Serialize)]
struct SubjectRelease<'a> {
    tag: &'a Tag,
    digest: Digest,
    description: &'a str,
}

fn subject(state: &State, deployment: &Deployment, step: Step) -> Arc<str> {
    let phase = match step {
        Step::Gate { of: GatesOf::Pre | GatesOf::Post, .. } => None,
        Step::Gate { of: GatesOf::Phase(index), .. }
        | Step::Observe(index)
        | Step::Plan(index)
        | Step::Confirm(index)
        | Step::Run(index)
        | Step::Cancel(index)
        | Step::Undo(index) => Some(index),
    };
    let target = phase.and_then(|index| deployment.target_of(index));
    let subject = Subject {
        project: &state.project.name,
        environment: &deployment.environment,
        deployment: format!("{}/{}", state.project.name, deployment.number),
        deployment_type: deployment.deployment_type,
        stage: deployment.workflow().stage,
        refresh: deployment.flags.refresh,
        forced: deployment.flags.forced,
        allow_destructive: deployment.flags.allow_destructive,
        selections: &deployment.selections,
        input: &deployment.input,
        comment: &deployment.comment,
        triggered_by: &deployment.triggered_by.person,
        variables: &deployment.attempt.environment.variables,
        artifacts: &deployment.release.artifacts,
        release: release_of(&deployment.release),
        previous_release: deployment.previous_release.as_deref().map(release_of),
        outputs: deployment.outputs(),
        weight: phase.map_or(FULL_WEIGHT, |index| deployment.phase(index).weight),
        weight_before: phase.map_or(0, |index| weight_before(deployment, index)),
        application: target.and_then(|target| target.application.as_ref()),
    };
    serde_json::to_string(&subject).expect("a subject is plain data with text for keys").into()
}

/// Where an earlier phase leaves the same target. All plans are made before the first of them is applied, and still
/// each has to tell what it changes.
fn weight_before(deployment: &Deployment, index: usize) -> u8 {
    let phases = &deployment.workflow().phases;
    let PhaseWork::Apply { .. } = &phases[index].work else { return 0 };
    phases[..index].iter().rfind(|earlier| earlier.work == phases[index].work).map_or(0, |earlier| earlier.weight)
}

fn release_of(release: &Release) -> SubjectRelease<'_> {
    SubjectRelease { tag: &release.tag, digest: release.digest(), description: &release.description }
}
