//! From the domain to the wire: what people see of a state. Nothing here asks the clock or the disk.

mod approvals;
mod gates;
mod record;
mod system;
#[cfg(test)]
pub mod testing;
mod waiting;
mod warnings;

use std::collections::BTreeMap;

use lockgate_core::definition::{Change, ChangeKind, FULL_WEIGHT, Part, PhaseWork};
use lockgate_core::deployment::{
    AttemptFailure, CancelRequest, Cause, Current, Deployment, EarlierAttempt, Finish, PhaseResult, PhaseRun, Stage,
    UndoResult,
};
use lockgate_core::environment::{Difference, EnvironmentState, Live, Pause, Tick, TickOutcome};
use lockgate_core::name::{Name, Timestamp};
use lockgate_core::plugin::{Artifact, FieldChange, ResourceChange};
use lockgate_core::release::{Release, ReleaseStatus};
use lockgate_core::selection::Selection;
use lockgate_core::state::State;
use lockgate_core::status::DeploymentStatus;
use lockgate_core::system::SystemState;
use lockgate_core::work::{Side, Step};
use serde::Serialize;
use serde_json::Value;

pub use self::system::{distrusted_signer, narrowed, plugin, secret, signature_rules, token, trusted_signer};
pub use self::waiting::{Answerers, in_the_way};
use self::waiting::{place, waiting_for};
use crate::clock::rfc3339;
use crate::driver::View;
use crate::wire;

/// An environment shows no more waiting deployments than this one by one.
const MOST_QUEUED_SHOWN: usize = 1_000;

/// A unit variant as it is written in JSON.
pub fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}

fn names(names: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    names.into_iter().map(|name| name.to_string()).collect()
}

// ---- projects and environments ----

pub fn project(state: &State) -> wire::Project {
    wire::Project {
        name: state.project.name.to_string(),
        description: state.definition.description.clone(),
        applications: names(&state.definition.applications),
        workflows: names(state.definition.workflows.keys()),
        environments: environments(state),
        paused: state.pause.as_ref().map(pause),
        review_debts: state.debts.keys().copied().collect(),
    }
}

pub fn applied(state: &State, system: &SystemState, changes: Vec<Change>, now: Timestamp) -> wire::AppliedProject {
    let changes = changes.into_iter().map(|change| definition_change(state, change)).collect();
    let warnings = warnings::warnings(state, system, now);
    wire::AppliedProject { project: project(state), changes: Some(changes), warnings }
}

fn definition_change(state: &State, Change { part, kind }: Change) -> wire::DefinitionChange {
    let (part, name) = match part {
        Part::Project => ("project", state.project.name.clone()),
        Part::Application(name) => ("application", name),
        Part::Environment(name) => ("environment", name),
        Part::Workflow(name) => ("workflow", name),
        Part::Endpoint(name) => ("endpoint", name),
    };
    let (change, keys) = match kind {
        ChangeKind::Added => ("added", Vec::new()),
        ChangeKind::Removed => ("removed", Vec::new()),
        ChangeKind::Changed(keys) => ("changed", keys),
    };
    wire::DefinitionChange {
        change: change.to_owned(),
        part: part.to_owned(),
        name: name.to_string(),
        keys: names(keys),
    }
}

pub fn environments(state: &State) -> Vec<wire::Environment> {
    state.definition.environments.keys().map(|name| environment(state, name)).collect()
}

pub fn environment(state: &State, name: &Name) -> wire::Environment {
    let there = state.environment(name);
    let (differs, differs_in) = match there.difference() {
        Difference::Nowhere => (false, Vec::new()),
        Difference::Everywhere => (true, Vec::new()),
        Difference::In(applications) => (true, names(applications)),
    };
    wire::Environment {
        name: name.to_string(),
        live: there.live.as_ref().map(live_release),
        current: there.current.as_ref().map(current_release),
        differs,
        differs_in,
        active: there.slots.get_min().copied(),
        queue: there.queue.iter().take(MOST_QUEUED_SHOWN).copied().collect(),
        waiting: there.queue.len(),
        rollback_to: state.rollback_to(name).map(|live| live.release.to_string()),
        live_apart: there.live_apart.iter().map(|(name, live)| (name.to_string(), live_release(live))).collect(),
        current_apart: there.current_apart.iter().map(|(name, at)| (name.to_string(), current_release(at))).collect(),
        running: there.slots.iter().copied().collect(),
        held: there.held.iter().copied().collect(),
        operations: operations(&there),
    }
}

fn live_release(live: &Live) -> wire::LiveRelease {
    wire::LiveRelease { release: live.release.to_string(), deployment: live.deployment, since: rfc3339(live.since) }
}

fn current_release(current: &Current) -> wire::CurrentRelease {
    wire::CurrentRelease {
        release: current.release.to_string(),
        deployment: current.deployment,
        since: rfc3339(current.since),
    }
}

fn operations(there: &EnvironmentState) -> wire::Operations {
    wire::Operations {
        paused: there.pause.as_ref().map(pause),
        schedule_paused: there.schedule_pause.as_ref().map(pause),
        next_scheduled_time: there.tick.as_ref().map(|tick| rfc3339(tick.at)),
        ticks: there.ticks.iter().rev().map(tick).collect(),
        promotion_hold: there.promotion_hold.as_ref().map(|hold| wire::PromotionHold {
            since: rfc3339(hold.since),
            rollback: hold.rollback,
            bad: hold.bad.as_ref().map(ToString::to_string),
            held_back: names(&hold.held_back),
        }),
        expires_at: there.expires_at.map(rfc3339),
        refused: there.refused.as_ref().map(|refused| wire::Refused {
            at: rfc3339(refused.at),
            what: refused.what.clone(),
            because: refused.because.clone(),
        }),
    }
}

fn pause(pause: &Pause) -> wire::Pause {
    wire::Pause { by: pause.by.person.clone(), at: rfc3339(pause.at), reason: pause.reason.clone() }
}

fn tick(tick: &Tick) -> wire::Tick {
    let (outcome, deployment, because) = match &tick.outcome {
        TickOutcome::Deployed { number } => ("deployed", Some(*number), ""),
        TickOutcome::Dropped { because } => ("dropped", None, because.as_str()),
        TickOutcome::Skipped { because } => ("skipped", None, because.as_str()),
    };
    wire::Tick { at: rfc3339(tick.at), outcome: outcome.to_owned(), deployment, because: because.to_owned() }
}

// ---- releases ----

pub fn release(state: &State, release: &Release) -> wire::Release {
    let is_live = |there: &EnvironmentState| there.all_live().any(|live| live.release == release.tag);
    let live_in = state.environments.iter().filter(|(_, there)| is_live(there)).map(|(name, _)| name);
    let has_digest = match release.status {
        ReleaseStatus::Draft => false,
        ReleaseStatus::Active | ReleaseStatus::Abandoned => true,
    };
    wire::Release {
        tag: release.tag.to_string(),
        description: release.description.clone(),
        status: word(release.status),
        lifecycle: word(state.lifecycle(release)),
        digest: has_digest.then(|| release.digest().to_string()),
        artifacts: release.artifacts.iter().map(artifact).collect(),
        workflows: names(release.workflows.keys()),
        edited_by: release.edited_by.clone(),
        plugins: release.plugins.iter().map(|(name, digest)| (name.to_string(), digest.to_string())).collect(),
        created_by: release.created_by.person.clone(),
        created_at: rfc3339(release.created_at),
        live_in: names(live_in),
        environments: BTreeMap::new(),
        deployment: None,
    }
}

pub fn artifact(artifact: &Artifact) -> wire::Artifact {
    let Artifact { name, uri, digest, media_type, build_id, stack, application, metadata } = artifact.clone();
    wire::Artifact { name, digest: digest.to_string(), uri, media_type, build_id, stack, application, metadata }
}

// ---- deployments ----

pub fn deployment(view: &View, answerers: &Answerers, deployment: &Deployment, now: Timestamp) -> wire::Deployment {
    let View { state, sequence, .. } = view;
    let attempt = &deployment.attempt;
    let (attempt_status, operation_status) = attempt.status();
    wire::Deployment {
        id: format!("{}/{}", state.project.name, deployment.number),
        number: deployment.number,
        project: state.project.name.to_string(),
        environment: deployment.environment.to_string(),
        release: deployment.release.tag.to_string(),
        deployment_type: word(deployment.deployment_type),
        workflow: deployment.workflow.to_string(),
        status: word(attempt.deployment_status()),
        partial: matches!(attempt.stage, Stage::Finished(Finish::PartiallySucceeded)),
        environment_status: word(attempt.environment_status()),
        attempt_status: word(attempt_status),
        operation_status: word(operation_status),
        attempt: attempt.number,
        place: place(state, deployment),
        waiting_for: waiting_for(state, answerers, deployment, now),
        next_scheduled_time: held_until(&attempt.stage).map(rfc3339),
        superseded_by: attempt.superseded_by,
        selections: deployment.selections.iter().map(selection).collect(),
        break_glass: deployment.break_glass.as_ref().map(|signature| approvals::answer(signature, true)),
        refresh: deployment.flags.refresh,
        forced: deployment.flags.forced,
        allow_destructive: deployment.flags.allow_destructive,
        comment: deployment.comment.clone(),
        triggered_by: deployment.triggered_by.person.clone(),
        created_at: rfc3339(deployment.created_at),
        attempt_by: attempt.started_by.person.clone(),
        attempt_queued_at: rfc3339(attempt.queued_at),
        finished_at: attempt.finished_at.map(rfc3339),
        time_taken_ms: attempt.finished_at.unwrap_or(now).ms_since(attempt.queued_at),
        failure: failure(attempt.failure.as_ref(), attempt.cancel.as_deref(), attempt.stop.as_deref()),
        earlier: deployment.earlier.iter().map(earlier).collect(),
        rollback_to: way_back(state, deployment),
        phases: attempt.phases.iter().enumerate().map(|(index, run)| phase(deployment, index, run)).collect(),
        plan: plan(deployment),
        approval: approvals::approval(deployment, Side::Pre),
        post_approval: approvals::approval(deployment, Side::Post),
        gates: gates::gates(deployment),
        record: record::record(state.project.name.as_str(), deployment),
        last_event: *sequence,
    }
}

fn held_until(stage: &Stage) -> Option<Timestamp> {
    let Stage::Held(hold) = stage else { return None };
    hold.until
}

fn failure(
    failure: Option<&AttemptFailure>,
    cancel: Option<&CancelRequest>,
    stop: Option<&CancelRequest>,
) -> Option<wire::Failure> {
    if let Some(failure) = failure {
        return Some(wire::Failure { phase: failure.of.to_string(), message: failure.message.clone() });
    }
    let cancel = cancel?;
    let mut message = format!("cancelled by {}", cancel.by.person);
    if !cancel.reason.is_empty() {
        message = format!("{message}: {}", cancel.reason);
    }
    if let Some(stop) = stop.filter(|stop| stop.by != cancel.by) {
        message = format!("{message}; stopped by force by {}", stop.by.person);
    }
    Some(wire::Failure { phase: "cancel".to_owned(), message })
}

fn earlier(attempt: &EarlierAttempt) -> wire::EarlierAttempt {
    let status = match attempt.finish {
        Finish::Succeeded | Finish::PartiallySucceeded => DeploymentStatus::Succeeded,
        Finish::PhaseFailed | Finish::GatesFailed => DeploymentStatus::Failed,
        Finish::Rejected => DeploymentStatus::Rejected,
        Finish::Canceled(Cause::Person) => DeploymentStatus::Aborted,
        Finish::Canceled(Cause::TimeLimit) => DeploymentStatus::TimedOut,
        Finish::Canceled(Cause::Stopped) => DeploymentStatus::Stopped,
    };
    wire::EarlierAttempt {
        number: attempt.number,
        by: attempt.started_by.person.clone(),
        status: word(status),
        failure: failure(attempt.failure.as_ref(), attempt.cancel.as_ref(), attempt.stop.as_ref()),
        queued_at: rfc3339(attempt.queued_at),
        finished_at: rfc3339(attempt.finished_at),
    }
}

/// A rollback after a deployment that touched nothing, or of a release that is live all the same, would take down what
/// is healthy.
fn way_back(state: &State, deployment: &Deployment) -> Option<String> {
    let there = state.environments.get(&deployment.environment)?;
    let current = there.current.as_ref().filter(|current| current.deployment == deployment.number)?;
    let is_live = there.live.as_ref().is_some_and(|live| live.release == current.release);
    let back_to = state.rollback_to(&deployment.environment).filter(|_| !is_live)?;
    Some(back_to.release.to_string())
}

fn phase(deployment: &Deployment, index: usize, run: &PhaseRun) -> wire::Phase {
    let phase = deployment.phase(index);
    let does = match &phase.work {
        PhaseWork::Plugin { plugin, .. } => plugin.to_string(),
        PhaseWork::Apply { target } if phase.weight < FULL_WEIGHT => format!("apply {target} at {} %", phase.weight),
        PhaseWork::Apply { target } => format!("apply {target}"),
        PhaseWork::Gates(_) => "gates".to_owned(),
        PhaseWork::Manual { .. } => "manual intervention".to_owned(),
    };
    let (status, message) = match &run.result {
        PhaseResult::Waiting => ("Waiting", None),
        PhaseResult::Running(_) => ("Running", None),
        PhaseResult::Succeeded => ("Succeeded", None),
        PhaseResult::Failed(failure) => ("Failed", Some(failure.message.clone())),
        PhaseResult::Canceled => ("Canceled", None),
        PhaseResult::Skipped => ("Skipped", None),
    };
    // The tries of work that is under way are counted there until it ends.
    let running = deployment.work(Step::Run(index)).map_or(0, |work| work.tries);
    wire::Phase {
        name: run.name.to_string(),
        does,
        status: status.to_owned(),
        tries: run.tries + running,
        started_at: run.started_at.map(rfc3339),
        ended_at: run.ended_at.map(rfc3339),
        summary: run.summary.clone(),
        message,
        outputs: run.outputs.clone(),
        undo: run.undo.as_ref().map(|undo| match undo {
            UndoResult::Undone => "Undone".to_owned(),
            UndoResult::NotUndone(failure) => failure.message.clone(),
        }),
    }
}

fn plan(deployment: &Deployment) -> wire::Plan {
    let mut plan = wire::Plan::default();
    for (index, run) in deployment.attempt.phases.iter().enumerate() {
        let PhaseWork::Apply { target } = &deployment.phase(index).work else { continue };
        let Some(made) = &run.plan else { continue };
        plan.digest.get_or_insert_with(|| deployment.plan_digest().to_string());
        plan.summary.push(format!("{target}: {}", made.planned.summary));
        let applied = run.result == PhaseResult::Succeeded && run.undo != Some(UndoResult::Undone);
        let changes = made.planned.changes.iter().map(|change| self::change(target, change));
        plan.changes.extend(changes.map(|change| wire::Change { applied, ..change }));
    }
    plan
}

fn change(target: &Name, change: &ResourceChange) -> wire::Change {
    wire::Change {
        target: target.to_string(),
        application: change.application.clone(),
        kind: change.kind.clone(),
        name: change.name.clone(),
        action: word(change.action),
        applied: false,
        destructive: change.destructive,
        fields: change.fields.iter().map(field).collect(),
    }
}

fn field(field: &FieldChange) -> wire::FieldChange {
    // A plugin that writes something else than JSON is shown as it wrote.
    let shown = |text: &str| match text {
        _ if field.sensitive => Value::Null,
        "" => Value::Null,
        text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    };
    wire::FieldChange {
        path: field.path.clone(),
        before: shown(&field.before),
        after: shown(&field.after),
        sensitive: field.sensitive,
    }
}

fn selection(selection: &Selection) -> wire::Selection {
    wire::Selection {
        application: selection.application.as_ref().map(ToString::to_string),
        resource_type: selection.resource_type.clone(),
        resource_name: selection.resource_name.clone(),
        action: selection.action.map(word),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lockgate_core::work::ProjectId;

    use super::*;

    #[test]
    fn a_release_of_which_only_an_application_is_live_is_live_there() {
        let mut state = State::new(ProjectId { name: testing::name("shop"), uid: "7".to_owned() });
        let release = testing::deployed().release;
        let there = Arc::make_mut(state.environments.entry(testing::name("production")).or_default());
        let live =
            Live { release: release.tag.clone(), workflow: testing::name("all"), deployment: 7, since: Timestamp(1) };
        there.live_apart.insert(testing::name("web"), live);
        let seen = super::release(&state, &release);
        assert_eq!((seen.live_in, seen.lifecycle.as_str()), (vec!["production".to_owned()], "Deployed"));
    }

    #[test]
    fn a_sensitive_value_is_never_shown() {
        let secret = FieldChange {
            path: "/password".to_owned(),
            before: "\"old\"".to_owned(),
            after: "\"new\"".to_owned(),
            sensitive: true,
            fingerprint: String::new(),
        };
        assert_eq!((field(&secret).before, field(&secret).after), (Value::Null, Value::Null));
    }
}
