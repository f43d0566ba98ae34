//! Stages: which workflow a type of deployment runs, and what must have been before it.

use serde::Serialize;

use super::releases::{expect_status, under_way};
use super::{Deploy, Rejection};
use crate::definition::{Environment, Workflow, WorkflowStage, listed};
use crate::deployment::{Deployment, DeploymentType};
use crate::name::Name;
use crate::next::setup_fingerprint;
use crate::release::{Release, ReleaseStatus};
use crate::state::State;

/// LAUNCH runs setup, FULL and SELECTIVE run patch, DESTROY runs teardown, CUSTOM and ROLLBACK name their workflow.
pub(super) fn workflow_of(release: &Release, environment: &Environment, deploy: &Deploy) -> Result<Name, Rejection> {
    let asked = deploy.workflow.as_ref();
    let usual = asked.or(environment.workflow.as_ref());
    match deploy.deployment_type {
        DeploymentType::Launch => of_stage(release, asked, WorkflowStage::Setup, deploy),
        DeploymentType::Full | DeploymentType::Selective => of_stage(release, usual, WorkflowStage::Patch, deploy),
        // Where nothing was set up on its own, what patches also takes down: its targets plan the removal.
        DeploymentType::Destroy if asked.is_none() && stage_of(release, WorkflowStage::Teardown).next().is_none() => {
            of_stage(release, usual, WorkflowStage::Patch, deploy)
        }
        DeploymentType::Destroy => of_stage(release, asked, WorkflowStage::Teardown, deploy),
        DeploymentType::Custom | DeploymentType::Rollback => named(release, asked.or(only(release)), None),
    }
}

fn of_stage(release: &Release, asked: Option<&Name>, stage: WorkflowStage, deploy: &Deploy) -> Result<Name, Rejection> {
    let mut of_stage = stage_of(release, stage);
    let only = match (of_stage.next(), of_stage.next()) {
        (Some(only), None) => Some(only),
        (Some(_), Some(_)) | (None, _) => None,
    };
    let workflow = named(release, asked.or(only), Some(stage))?;
    let actual = release.workflows[&workflow].stage;
    if actual == stage {
        return Ok(workflow);
    }
    Err(Rejection::WrongStage {
        deployment_type: word(&deploy.deployment_type),
        stage: word(&stage),
        workflow,
        actual: word(&actual),
        allowed: format!("CUSTOM runs any; of stage {} there are: {}", word(&stage), listed(stage_of(release, stage))),
    })
}

fn stage_of(release: &Release, stage: WorkflowStage) -> impl Iterator<Item = &Name> {
    let of_stage = move |(_, workflow): &(&Name, &std::sync::Arc<Workflow>)| workflow.stage == stage;
    release.workflows.iter().filter(of_stage).map(|(name, _)| name)
}

fn only(release: &Release) -> Option<&Name> {
    release.workflows.keys().next().filter(|_| release.workflows.len() == 1)
}

fn named(release: &Release, asked: Option<&Name>, stage: Option<WorkflowStage>) -> Result<Name, Rejection> {
    match asked {
        Some(name) if release.workflows.contains_key(name) => Ok(name.clone()),
        Some(_) | None => Err(Rejection::UnknownWorkflow {
            release: release.tag.clone(),
            workflow: asked.map_or_else(|| "(none was named)".to_owned(), Name::to_string),
            known: match stage {
                Some(stage) if asked.is_none() => {
                    format!("{} of stage {}", listed(stage_of(release, stage)), word(&stage))
                }
                Some(_) | None => listed(release.workflows.keys()),
            },
        }),
    }
}

/// What is to be done where.
pub(super) struct Run<'a> {
    pub release: &'a Release,
    pub stage: WorkflowStage,
    pub deployment_type: DeploymentType,
    pub environment: &'a Name,
    pub meant: &'a Environment,
}

/// A build belongs to a draft, and everything else to an active release; a patch comes after a setup.
pub(super) fn may_run(state: &State, run: &Run<'_>) -> Result<(), Rejection> {
    is_of_age(state, run.release, run.stage)?;
    is_set_up(state, run)
}

/// What was refused at its trigger is not started when its turn has come: an environment that was set up may have been
/// torn down by one before it.
pub(super) fn may_start(state: &State, deployment: &Deployment) -> Result<(), Rejection> {
    let run = Run {
        release: &deployment.release,
        stage: deployment.workflow().stage,
        deployment_type: deployment.deployment_type,
        environment: &deployment.environment,
        meant: &deployment.attempt.environment,
    };
    is_set_up(state, &run)
}

fn is_of_age(state: &State, release: &Release, stage: WorkflowStage) -> Result<(), Rejection> {
    match stage {
        WorkflowStage::Build if release.built => {
            let allowed = "it is built once; activate it, or make another release";
            Err(Rejection::BuiltAlready { release: release.tag.clone(), allowed })
        }
        WorkflowStage::Build => {
            under_way(state, &release.tag)?;
            expect_status(state, &release.tag, ReleaseStatus::Draft, "only a draft is built").map(drop)
        }
        WorkflowStage::Setup | WorkflowStage::Patch | WorkflowStage::Teardown => {
            let allowed = match release.status {
                ReleaseStatus::Draft => "make it active first: `lockgate release start`",
                ReleaseStatus::Active | ReleaseStatus::Abandoned => "only an active release can be deployed",
            };
            expect_status(state, &release.tag, ReleaseStatus::Active, allowed).map(drop)
        }
    }
}

/// What patches, but for what takes down or goes back.
fn patches(run: &Run<'_>) -> bool {
    match run.deployment_type {
        DeploymentType::Full | DeploymentType::Selective | DeploymentType::Custom => match run.stage {
            WorkflowStage::Patch => true,
            WorkflowStage::Build | WorkflowStage::Setup | WorkflowStage::Teardown => false,
        },
        DeploymentType::Launch | DeploymentType::Destroy | DeploymentType::Rollback => false,
    }
}

/// Where a release has a setup workflow, it must have succeeded as it is now, with the variables that the attempt has.
fn is_set_up(state: &State, run: &Run<'_>) -> Result<(), Rejection> {
    let Run { release, environment: name, meant, .. } = run;
    let Some(setup) = stage_of(release, WorkflowStage::Setup).next().filter(|_| patches(run)) else { return Ok(()) };
    let due = |setup: &Name| setup_fingerprint(&release.workflows[setup], meant);
    let why = match state.environments.get(*name).and_then(|there| there.setup) {
        Some(done) if stage_of(release, WorkflowStage::Setup).any(|setup| due(setup) == done) => return Ok(()),
        Some(_) => "its setup workflow or its variables have changed since it last was",
        None => "it never was, or it was torn down",
    };
    Err(Rejection::SetupDue { environment: Name::clone(name), setup: setup.clone(), why })
}

/// As the API writes it.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => "?".to_owned(),
    }
}
