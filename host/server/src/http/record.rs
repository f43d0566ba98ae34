//! What a deployment leaves on the record, derived from its facts: who has agreed, what has landed where, which scripts
//! ran, and what went wrong.
//!
//! Phases report through keys of their outputs that plugin authors know (`wit/plugin/plugin.wit`). Whoever writes
//! something else there is shown as they wrote, in the outputs, and not here.

use std::collections::BTreeSet;

use lockgate_core::definition::PhaseWork;
use lockgate_core::deployment::{Deployment, FailureOf, Finish, PhaseResult, PhaseRun, Stage, UndoResult};
use lockgate_core::plugin::{Artifact, Failure};
use lockgate_core::work::Side;
use serde_json::Value;

use super::views::artifact;
use crate::clock::rfc3339;
use crate::driver::deployment_kind;
use crate::wire;

const MOST_ERRORS: usize = 50;
/// Of the entries that one phase reports.
const MOST_REPORTED: usize = 1_000;

pub fn record(project: &str, deployment: &Deployment) -> wire::Record {
    wire::Record {
        namespace: format!("{project}/{}", deployment.environment),
        deployment_kind: deployment_kind(deployment.deployment_type).to_owned(),
        sign_off: wire::SignOff {
            pre: sign_off(deployment, Side::Pre).to_owned(),
            post: sign_off(deployment, Side::Post).to_owned(),
        },
        artifacts: artifacts(deployment).map(artifact).collect(),
        application_deployments: application_deployments(deployment),
        migrations: deployment.attempt.phases.iter().flat_map(migrations).collect(),
        error_logs: error_logs(deployment),
    }
}

// ---- who has agreed ----

fn sign_off(deployment: &Deployment, side: Side) -> &'static str {
    let attempt = &deployment.attempt;
    let is_given = |digest| match side {
        Side::Pre => attempt.approved == Some(digest),
        Side::Post => attempt.accepted,
    };
    // One that an earlier attempt asked for says nothing of this one, until it is known to hold.
    let asked =
        attempt.asked(side).filter(|asked| asked.requested_at >= attempt.queued_at || is_given(asked.plan_digest));
    match asked {
        None if deployment.approval_policy(side).is_none() => "NotRequired",
        None => "Pending",
        Some(asked) if asked.skipped.is_some() => "Skipped",
        Some(asked) if asked.refused.is_some() => "Rejected",
        Some(asked) if is_given(asked.plan_digest) => "Approved",
        // Nobody answered in time.
        Some(_) if attempt.stage == Stage::Finished(Finish::Rejected) => "Rejected",
        Some(_) => "Pending",
    }
}

// ---- what has landed ----

fn artifacts(deployment: &Deployment) -> impl Iterator<Item = &Artifact> {
    let of_release = &deployment.release.artifacts;
    let built = deployment.attempt.phases.iter().flat_map(|run| &run.artifacts);
    of_release.iter().chain(built.filter(move |built| !of_release.contains(built)))
}

fn application_deployments(deployment: &Deployment) -> Vec<wire::ApplicationDeployment> {
    let runs = deployment.attempt.phases.iter().enumerate();
    let there = |run: &PhaseRun| run.result == PhaseResult::Succeeded && run.undo != Some(UndoResult::Undone);
    runs.filter(|(_, run)| there(run)).flat_map(|(index, run)| landed(deployment, index, run)).collect()
}

/// As the phase tells it; of an apply that does not, what its plan was about.
fn landed(deployment: &Deployment, index: usize, run: &PhaseRun) -> Vec<wire::ApplicationDeployment> {
    let target = match &deployment.phase(index).work {
        PhaseWork::Apply { target } => target.as_str(),
        PhaseWork::Plugin { .. } | PhaseWork::Gates(_) | PhaseWork::Manual { .. } => "",
    };
    let one = |told: &Value| {
        let text = |key: &str| told[key].as_str().unwrap_or_default();
        let artifact = artifact_of(deployment, text("artifact"), text("application"));
        let or = |told: &str, known: &str| if told.is_empty() { known.to_owned() } else { told.to_owned() };
        let of = |part: fn(&Artifact) -> &str| artifact.map(part).unwrap_or_default();
        wire::ApplicationDeployment {
            phase: run.name.to_string(),
            application: or(text("application"), of(|artifact| &artifact.application)),
            target: or(text("target"), target),
            release: deployment.release.tag.to_string(),
            version: text("version").to_owned(),
            artifact: or(text("artifact"), of(|artifact| &artifact.name)),
            artifact_uri: or(text("uri"), of(|artifact| &artifact.uri)),
            digest: artifact.map(|artifact| artifact.digest.to_string()).unwrap_or_default(),
            build_id: of(|artifact| &artifact.build_id).to_owned(),
            stack: of(|artifact| &artifact.stack).to_owned(),
        }
    };
    let is_apply = deployment.is_apply(index);
    match reported(run, "application_deployments") {
        Some(entries) => entries.iter().filter(|entry| entry.is_object()).take(MOST_REPORTED).map(one).collect(),
        None if is_apply => {
            let changes = run.plan.iter().flat_map(|plan| &plan.planned.changes);
            let planned: BTreeSet<&str> = changes.map(|change| change.application.as_str()).collect();
            let planned = planned.into_iter().filter(|application| !application.is_empty());
            planned.map(|application| one(&serde_json::json!({ "application": application }))).collect()
        }
        None => Vec::new(),
    }
}

fn reported<'a>(run: &'a PhaseRun, key: &str) -> Option<&'a Vec<Value>> {
    run.outputs.get(key)?.as_array()
}

/// By its own name, else by that of its application; of a release with one artifact, that one.
fn artifact_of<'a>(deployment: &'a Deployment, named: &str, application: &str) -> Option<&'a Artifact> {
    let all = || artifacts(deployment);
    let only = || (deployment.release.artifacts.len() == 1).then(|| &deployment.release.artifacts[0]);
    if !named.is_empty() {
        return all().find(|artifact| artifact.name == named);
    }
    all().find(|artifact| !application.is_empty() && artifact.application == application).or_else(only)
}

/// `[{"name": "0042.sql", "status": "applied"}]`; a script that only has a name is one, too.
fn migrations(run: &PhaseRun) -> Vec<wire::Migration> {
    let one = |entry: &Value| {
        let name = entry.as_str().or_else(|| entry["name"].as_str())?.to_owned();
        let status = entry["status"].as_str().unwrap_or_default().to_owned();
        Some(wire::Migration { phase: run.name.to_string(), name, status })
    };
    reported(run, "migrations").into_iter().flatten().take(MOST_REPORTED).filter_map(one).collect()
}

// ---- what went wrong ----

/// Of earlier attempts what ended them, of this one each phase that failed, then what could not be undone.
fn error_logs(deployment: &Deployment) -> Vec<wire::ErrorLog> {
    let attempt = &deployment.attempt;
    let earlier = deployment.earlier.iter().filter_map(|earlier| {
        let failure = earlier.failure.as_ref()?;
        let at = Some(rfc3339(earlier.finished_at));
        let (phase, message) = (failure.of.to_string(), failure.message.clone());
        Some(wire::ErrorLog { phase, attempt: earlier.number, message, at, ..wire::ErrorLog::default() })
    });
    let of_run = |run: &PhaseRun, phase: String, failure: &Failure| wire::ErrorLog {
        phase,
        attempt: attempt.number,
        try_number: run.tries,
        code: failure.code.clone(),
        message: failure.message.clone(),
        at: run.ended_at.map(rfc3339),
    };
    let phases = attempt.phases.iter().filter_map(|run| {
        let PhaseResult::Failed(failure) = &run.result else { return None };
        Some(of_run(run, run.name.to_string(), failure))
    });
    let around = attempt.failure.iter().filter_map(|failure| match &failure.of {
        // It is among the phases.
        FailureOf::Phase(_) => None,
        of @ (FailureOf::Plan | FailureOf::Approval | FailureOf::Gates) => Some(wire::ErrorLog {
            phase: of.to_string(),
            attempt: attempt.number,
            message: failure.message.clone(),
            at: attempt.finished_at.map(rfc3339),
            ..wire::ErrorLog::default()
        }),
    });
    let undo = attempt.phases.iter().filter_map(|run| {
        let Some(UndoResult::NotUndone(failure)) = &run.undo else { return None };
        let entry = of_run(run, "undo".to_owned(), failure);
        Some(wire::ErrorLog { message: format!("{}: {}", run.name, entry.message), at: None, ..entry })
    });
    let mut errors: Vec<wire::ErrorLog> = earlier.chain(phases).chain(around).chain(undo).collect();
    errors.drain(..errors.len().saturating_sub(MOST_ERRORS));
    errors
}
