//! What a deployment leaves on the record, derived from its facts: who has agreed, what has landed where, which scripts
//! ran, and what went wrong.
//!
//! Phases report through keys of their outputs that plugin authors know (`wit/plugin/plugin.wit`). Whoever writes
//! something else there is shown as they wrote, in the outputs, and not here.

use std::collections::BTreeSet;

use lockgate_core::definition::PhaseWork;
use lockgate_core::deployment::{Deployment, FailureOf, PhaseResult, PhaseRun, UndoResult};
use lockgate_core::plugin::{Artifact, Failure};
use lockgate_core::work::Side;
use serde_json::Value;

use super::approvals::sign_off;
use super::artifact;
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
        sign_off: wire::SignOff { pre: sign_off(deployment, Side::Pre), post: sign_off(deployment, Side::Post) },
        artifacts: artifacts(deployment).map(artifact).collect(),
        application_deployments: application_deployments(deployment),
        migrations: deployment.attempt.phases.iter().flat_map(|run| migrations(run)).collect(),
        error_logs: error_logs(deployment),
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

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use lockgate_core::deployment::AttemptFailure;
    use lockgate_core::name::Timestamp;
    use lockgate_core::plugin::Retry;
    use serde_json::json;

    use super::super::testing::{artifact, deployed, name};
    use super::*;

    fn landed(deployment: &Deployment) -> Vec<String> {
        let line = |it: wire::ApplicationDeployment| {
            let digest = if it.digest.is_empty() { "no digest" } else { "digest" };
            let parts =
                [&it.phase, &it.application, &it.target, &it.release, &it.version, &it.artifact, &it.artifact_uri];
            format!("{}, {digest}, {} {}", parts.map(String::as_str).join(" "), it.build_id, it.stack)
        };
        application_deployments(deployment).into_iter().map(line).collect()
    }

    #[test]
    fn what_an_apply_does_not_tell_is_known_from_its_plan() {
        assert_eq!(landed(&deployed()), ["publish web site v1  web.tar oci://web.tar, digest, 42 frontend"]);
    }

    #[test]
    fn what_a_phase_tells_goes_first_and_the_release_completes_it() {
        let mut deployment = deployed();
        let told = json!([{ "application": "api", "version": "sha256:1" }, { "artifact": "gone", "uri": "s3://x" }, 3]);
        deployment.attempt.phase_mut(1).outputs = json!({ "application_deployments": told });
        deployment.attempt.phase_mut(0).outputs = json!({ "application_deployments": "none" });
        let expected = [
            "publish api site v1 sha256:1 api.tar oci://api.tar, digest, 42 frontend",
            "publish  site v1  gone s3://x, no digest,  ",
        ];
        assert_eq!(landed(&deployment), expected);
        deployment.attempt.phase_mut(1).undo = Some(UndoResult::Undone);
        assert_eq!(landed(&deployment), [""; 0], "what was undone has not landed");
    }

    #[test]
    fn scripts_are_listed_as_their_phase_calls_them() {
        let mut deployment = deployed();
        let told = json!([{ "name": "1.sql", "status": "applied" }, "2.sql", { "status": "applied" }, 7]);
        deployment.attempt.phase_mut(0).outputs = json!({ "migrations": told });
        let shown = record("shop", &deployment).migrations;
        let shown: Vec<String> = shown.iter().map(|it| format!("{} {} {}", it.phase, it.name, it.status)).collect();
        assert_eq!(shown, ["migrate 1.sql applied", "migrate 2.sql "]);
    }

    #[test]
    fn a_record_has_its_namespace_kind_and_artifacts_with_what_was_registered() {
        let mut deployment = deployed();
        deployment.attempt.phase_mut(0).artifacts = vec![artifact("report.html", ""), artifact("web.tar", "web")];
        let record = record("shop", &deployment);
        assert_eq!((record.namespace.as_str(), record.deployment_kind.as_str()), ("shop/production", "ROLLBACK"));
        let names: Vec<&str> = record.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
        assert_eq!(names, ["web.tar", "api.tar", "report.html"]);
        assert_eq!(record.artifacts[0].metadata["commit"], "9c1d77a");
        let json = serde_json::to_value(&record).unwrap();
        assert_eq!(json["deploymentType"], "ROLLBACK");
    }

    #[test]
    fn what_went_wrong_is_told_with_phase_try_and_code() {
        let failure = |code: &str, message: &str| Failure {
            code: code.to_owned(),
            message: message.to_owned(),
            retry: Retry::Never,
            retry_after_ms: 0,
            details: Value::Null,
        };
        let mut deployment = deployed();
        let attempt = &mut deployment.attempt;
        let run = attempt.phase_mut(1);
        (run.result, run.tries) = (PhaseResult::Failed(failure("disk-full", "no space left")), 3);
        run.ended_at = Some(Timestamp(5_000));
        attempt.phase_mut(0).undo = Some(UndoResult::NotUndone(failure("moved", "somebody else was there")));
        attempt.failure =
            Some(AttemptFailure { of: FailureOf::Phase(name("publish")), message: "no space left".into() });
        let shown = |deployment: &Deployment| {
            let line = |it: &wire::ErrorLog| {
                let at = it.at.as_deref().unwrap_or("-");
                format!("{} {}/{} `{}` {} {at}", it.phase, it.attempt, it.try_number, it.code, it.message)
            };
            error_logs(deployment).iter().map(line).collect::<Vec<_>>().join("\n")
        };
        expect![[r#"
            publish 1/3 `disk-full` no space left 1970-01-01T00:00:05.000Z
            undo 1/0 `moved` migrate: somebody else was there -"#]]
        .assert_eq(&shown(&deployment));
        deployment.attempt.phases = PhaseRun::all_of(deployment.workflow());
        deployment.attempt.failure = Some(AttemptFailure { of: FailureOf::Plan, message: "it destroys".into() });
        assert_eq!(shown(&deployment), "plan 1/0 `` it destroys -");
    }
}
