//! From the domain to the wire: what people see of a state. Nothing here asks the clock or the disk.

use lockgate_core::approval;
use lockgate_core::definition::{ApprovalPolicy, ApprovalRule, FULL_WEIGHT, PhaseWork};
use lockgate_core::deployment::{
    Approval, AttemptFailure, CancelRequest, Cause, Deployment, Doing, EarlierAttempt, Finish, GateRun, PhaseResult,
    PhaseRun, Signature, Stage, UndoResult,
};
use lockgate_core::digest::Digest;
use lockgate_core::environment::{EnvironmentState, Live, Pause, Tick, TickOutcome};
use lockgate_core::explain::{self, Blocker};
use lockgate_core::name::{Name, Timestamp};
use lockgate_core::plugin::{Artifact, FieldChange, Grants, Limits, ResourceChange};
use lockgate_core::release::{Release, ReleaseStatus};
use lockgate_core::selection::Selection;
use lockgate_core::state::State;
use lockgate_core::status::DeploymentStatus;
use lockgate_core::system::{SystemState, Token};
use lockgate_core::work::{GatesOf, Step, Work, WorkState};
use serde::Serialize;
use serde_json::Value;

use super::auth::role_word;
use super::record::record;
use crate::clock::rfc3339;
use crate::driver::step_in_words;
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

pub fn environments(state: &State) -> Vec<wire::Environment> {
    state.definition.environments.keys().map(|name| environment(state, name)).collect()
}

pub fn environment(state: &State, name: &Name) -> wire::Environment {
    let there = state.environment(name);
    let current = there.current.as_ref();
    wire::Environment {
        name: name.to_string(),
        live: there.live.as_ref().map(live_release),
        current: current.map(|current| wire::CurrentRelease {
            release: current.release.to_string(),
            deployment: current.deployment,
            since: rfc3339(current.since),
        }),
        differs: current.map(|current| current.deployment) != there.live.as_ref().map(|live| live.deployment),
        active: there.slots.get_min().copied(),
        queue: there.queue.iter().take(MOST_QUEUED_SHOWN).copied().collect(),
        waiting: there.queue.len(),
        rollback_to: state.rollback_to(name).map(|live| live.release.to_string()),
        live_apart: there.live_apart.iter().map(|(name, live)| (name.to_string(), live_release(live))).collect(),
        running: there.slots.iter().copied().collect(),
        held: there.held.iter().copied().collect(),
        operations: operations(&there),
    }
}

fn live_release(live: &Live) -> wire::LiveRelease {
    wire::LiveRelease { release: live.release.to_string(), deployment: live.deployment, since: rfc3339(live.since) }
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
    let is_live = |there: &EnvironmentState| there.live.as_ref().is_some_and(|live| live.release == release.tag);
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
        plugins: release.plugins.iter().map(|(name, digest)| (name.to_string(), digest.to_string())).collect(),
        created_by: release.created_by.person.clone(),
        created_at: rfc3339(release.created_at),
        live_in: names(live_in),
        deployment: None,
    }
}

pub fn artifact(artifact: &Artifact) -> wire::Artifact {
    let Artifact { name, uri, digest, media_type, build_id, stack, application, metadata } = artifact.clone();
    wire::Artifact { name, digest: digest.to_string(), uri, media_type, build_id, stack, application, metadata }
}

// ---- deployments ----

/// `sequence` is that of the last event in `state`.
pub fn deployment(state: &State, sequence: u64, deployment: &Deployment, now: Timestamp) -> wire::Deployment {
    let attempt = &deployment.attempt;
    let (attempt_status, operation_status) = attempt.status();
    let queue = QueuePlace::of(state, deployment);
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
        place: queue.as_ref().map(|queue| queue.place),
        waiting_for: waiting_for(state, deployment, queue.as_ref(), now),
        next_scheduled_time: held_until(&attempt.stage).map(rfc3339),
        superseded_by: attempt.superseded_by,
        selections: deployment.selections.iter().map(selection).collect(),
        break_glass: deployment.break_glass.as_ref().map(|signature| answer(signature, true)),
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
        failure: failure(attempt.failure.as_ref(), attempt.cancel.as_ref(), attempt.stop.as_ref()),
        earlier: deployment.earlier.iter().map(earlier).collect(),
        rollback_to: way_back(state, deployment),
        phases: attempt.phases.iter().enumerate().map(|(index, run)| phase(deployment, index, run)).collect(),
        plan: plan(deployment),
        approval: attempt.approval.as_ref().and_then(|approval| approval_of(deployment, approval)),
        post_approval: attempt.post_approval.as_ref().map(|approval| asked_after(deployment, approval)),
        gates: gates(deployment),
        record: record(state.project.name.as_str(), deployment),
        last_event: sequence,
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

// ---- approvals ----

/// One that an earlier attempt asked for says nothing of this one until the plan is known to be the same.
fn approval_of(deployment: &Deployment, approval: &Approval) -> Option<wire::Approval> {
    let attempt = &deployment.attempt;
    let asked_earlier = approval.requested_at < attempt.queued_at;
    if asked_earlier && attempt.approved != Some(approval.plan_digest) {
        return None;
    }
    let asked_by = |earlier: &&EarlierAttempt| asked_earlier && earlier.queued_at <= approval.requested_at;
    let carried_over_from = deployment.earlier.iter().rev().find(asked_by).map(|earlier| earlier.number);
    let status = match (&approval.refused, &attempt.stage, attempt.approved == Some(approval.plan_digest)) {
        (Some(_), _, _) => "Rejected",
        (None, _, true) => "Approved",
        // Nobody answered in time.
        (None, Stage::Finished(Finish::Rejected), false) => "Rejected",
        (None, _, false) => "Pending",
    };
    Some(asked_of(approval, status, carried_over_from))
}

/// After the phases and their gates.
fn asked_after(deployment: &Deployment, approval: &Approval) -> wire::Approval {
    let status = match (&approval.refused, &deployment.attempt.stage, deployment.attempt.accepted) {
        (_, _, true) => "Approved",
        (Some(_), _, false) | (None, Stage::Finished(Finish::Rejected), false) => "Rejected",
        (None, _, false) => "Pending",
    };
    asked_of(approval, status, None)
}

fn asked_of(approval: &Approval, status: &str, carried_over_from: Option<u32>) -> wire::Approval {
    let given = approval.given.iter().map(|signature| answer(signature, true));
    let refused = approval.refused.iter().map(|signature| answer(signature, false));
    wire::Approval {
        status: if approval.skipped.is_some() { "Skipped".to_owned() } else { status.to_owned() },
        plan_digest: approval.plan_digest.to_string(),
        rules: approval.policy.rules.iter().map(|rule| rule_text(rule.count, rule)).collect(),
        not_your_own: approval.policy.not_your_own,
        answers: given.chain(refused).collect(),
        requested_at: rfc3339(approval.requested_at),
        deadline: rfc3339(approval.deadline),
        difference: approval.difference.clone(),
        carried_over_from,
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

fn answer(signature: &Signature, approved: bool) -> wire::ApprovalAnswer {
    wire::ApprovalAnswer {
        person: signature.by.person.clone(),
        approved,
        comment: signature.comment.clone(),
        at: rfc3339(signature.at),
    }
}

/// `1 of operators`, `2 of dba or security`, `2 people`.
fn rule_text(count: u32, rule: &ApprovalRule) -> String {
    let groups: Vec<&str> = rule.groups.iter().map(String::as_str).collect();
    match (count, groups.is_empty()) {
        (1, true) => "1 person".to_owned(),
        (count, true) => format!("{count} people"),
        (count, false) => format!("{count} of {}", groups.join(" or ")),
    }
}

fn open_rules(policy: &ApprovalPolicy, given: &[Signature]) -> Vec<String> {
    approval::open(policy, given).iter().map(|rule| rule_text(rule.count, rule)).collect()
}

// ---- what a deployment waits for ----

struct QueuePlace {
    /// From 1.
    place: usize,
    /// The deployment just before.
    behind: Option<u64>,
}

impl QueuePlace {
    fn is_behind(&self) -> bool {
        self.behind.is_some()
    }

    fn of(state: &State, deployment: &Deployment) -> Option<Self> {
        if !deployment.is_waiting() {
            return None;
        }
        let place = state.place(deployment)?;
        let there = state.environments.get(&deployment.environment)?;
        let behind = if place == 1 { there.slots.get_min().copied() } else { there.queue.get(place - 2).copied() };
        Some(Self { place, behind })
    }
}

fn waiting_for(
    state: &State,
    deployment: &Deployment,
    queue: Option<&QueuePlace>,
    now: Timestamp,
) -> Vec<wire::Blocker> {
    let attempt = &deployment.attempt;
    let in_the_way = || explain::blockers(state, deployment, now).into_iter();
    let turn = |blocker: &Blocker| matches!(blocker, Blocker::Running(_) | Blocker::Before(_));
    match &attempt.stage {
        Stage::Queued => {
            let others = in_the_way().filter(|blocker| !turn(blocker)).map(explained);
            let place = queue
                .filter(|_| in_the_way().all(|blocker| turn(&blocker)) || queue.is_some_and(QueuePlace::is_behind));
            others.chain(place.map(|queue| queued(deployment, queue))).collect()
        }
        Stage::AwaitingApproval(side) => {
            attempt.asked(*side).into_iter().map(|approval| asked(deployment, approval)).collect()
        }
        Stage::Observing(_) | Stage::Planning(_) | Stage::Confirming { .. } | Stage::Undoing { .. } => {
            works(deployment)
        }
        Stage::Running => {
            let people = in_the_way().filter(|blocker| matches!(blocker, Blocker::Intervention { .. })).map(explained);
            let rounds = attempt.doing().filter_map(|(_, doing)| match doing {
                Doing::Gates(run) => between_rounds(run),
                Doing::Work(_) | Doing::Person { .. } => None,
            });
            works(deployment).into_iter().chain(rounds).chain(people).collect()
        }
        Stage::Gates(side) => {
            let works = works(deployment);
            let rounds = || attempt.gates((*side).into()).and_then(between_rounds).into_iter().collect();
            if works.is_empty() { rounds() } else { works }
        }
        Stage::Held(_) | Stage::AwaitingCapacity(_) => in_the_way().map(explained).collect(),
        Stage::Ready | Stage::Finished(_) => Vec::new(),
    }
}

pub fn explained(blocker: Blocker) -> wire::Blocker {
    wire::Blocker {
        reason: blocker.message(),
        lifted_by: blocker.lifted_by(),
        until: blocker.until().or(blocker.deadline()).map(rfc3339),
    }
}

fn queued(deployment: &Deployment, queue: &QueuePlace) -> wire::Blocker {
    let (place, environment) = (queue.place, &deployment.environment);
    match queue.behind {
        Some(before) => blocker(
            format!("its turn in `{environment}`: place {place}, behind deployment {before}"),
            format!("the end of deployment {before}, or whoever cancels it"),
        ),
        None => blocker(format!("its turn in `{environment}`: place {place}"), "Lockgate, at once".to_owned()),
    }
}

fn asked(deployment: &Deployment, approval: &Approval) -> wire::Blocker {
    let who = open_rules(&approval.policy, &approval.given).join(" and ") + &but_not(deployment, approval);
    let mut reason = format!("approval: {who}");
    let answered: Vec<&str> = approval.given.iter().map(|signature| signature.by.person.as_str()).collect();
    if !answered.is_empty() {
        reason = format!("{reason}; approved by {}", answered.join(", "));
    }
    until(approval.deadline, blocker(reason, who))
}

fn but_not(deployment: &Deployment, approval: &Approval) -> String {
    let excluded = approval::excluded(deployment, approval);
    if excluded.is_empty() {
        return String::new();
    }
    format!(", not {}", excluded.into_iter().collect::<Vec<_>>().join(" or "))
}

fn works(deployment: &Deployment) -> Vec<wire::Blocker> {
    deployment.works().into_iter().filter_map(|work| under_way(deployment, work)).collect()
}

fn under_way(deployment: &Deployment, work: &Work) -> Option<wire::Blocker> {
    let what = step_in_words(deployment, work.step);
    match work.state {
        WorkState::Calling { .. } => {
            let reason = format!("{what}: its plugin is at work (try {})", work.tries);
            Some(until(work.deadline, blocker(reason, "its plugin".to_owned())))
        }
        WorkState::Waiting { until: asked_again } => {
            let reason = format!("{what}: a pause before its plugin is asked again (try {})", work.tries);
            Some(until(asked_again, blocker(reason, "Lockgate, by itself".to_owned())))
        }
        WorkState::Ready | WorkState::Done(_) | WorkState::Failed(_) => None,
    }
}

/// `None` in the middle of a round: then its calls say what is going on.
fn between_rounds(run: &GateRun) -> Option<wire::Blocker> {
    if run.gates.iter().any(|gate| gate.work.is_some()) {
        return None;
    }
    let green = if run.green_since.is_some() { "green so far" } else { "not green yet" };
    let reason = format!("gates, {green}: round {} is next", run.round + 1);
    Some(until(run.deadline, blocker(reason, "the gates, when they have been green for long enough".to_owned())))
}

fn blocker(reason: String, lifted_by: String) -> wire::Blocker {
    wire::Blocker { reason, lifted_by, until: None }
}

fn until(time: Timestamp, blocker: wire::Blocker) -> wire::Blocker {
    wire::Blocker { until: Some(rfc3339(time)), ..blocker }
}

/// Of both sides and of the phases under way; those to come with no outcome yet.
fn gates(deployment: &Deployment) -> Vec<wire::Gate> {
    let phases = (0..deployment.attempt.phases.len()).map(GatesOf::Phase);
    let all = std::iter::once(GatesOf::Pre).chain(phases).chain([GatesOf::Post]);
    all.flat_map(|of| gates_of(deployment, of)).collect()
}

fn gates_of(deployment: &Deployment, of: GatesOf) -> Vec<wire::Gate> {
    let Some(run) = deployment.attempt.gates(of) else {
        let to_come = deployment.gate_set(of).filter(|_| match of {
            GatesOf::Pre | GatesOf::Post => true,
            // What a phase that is over has found is in its summary and in the log.
            GatesOf::Phase(index) => deployment.attempt.phases[index].result == PhaseResult::Waiting,
        });
        let gates = to_come.into_iter().flat_map(|set| &set.gates);
        let waiting = |name: &Name| wire::Gate {
            name: name.to_string(),
            outcome: None,
            reason: String::new(),
            at: None,
            rounds: 0,
            ignored: None,
        };
        return gates.map(|gate| waiting(&gate.name)).collect();
    };
    let gate = |gate: &lockgate_core::deployment::GateState| wire::Gate {
        name: gate.name.to_string(),
        outcome: gate.last.as_ref().map(|last| word(last.outcome)),
        reason: gate.last.as_ref().map(|last| last.reason.clone()).unwrap_or_default(),
        at: gate.last.as_ref().map(|last| rfc3339(last.at)),
        rounds: run.rounds_ended,
        ignored: gate.ignored.as_ref().map(|signature| answer(signature, true)),
    };
    run.gates.iter().map(gate).collect()
}

// ---- plugins and tokens ----

pub fn plugin(system: &SystemState, digest: &Digest) -> Option<wire::Plugin> {
    let plugin = system.plugins.get(digest)?;
    let is_active = system.active.get(&plugin.name) == Some(digest);
    let status = match (&plugin.approval, is_active) {
        (None, _) => "pending",
        (Some(_), true) => "active",
        (Some(_), false) => "superseded",
    };
    Some(wire::Plugin {
        name: plugin.name.to_string(),
        kind: plugin.kind.to_string(),
        digest: digest.to_string(),
        version: plugin.description.version.clone(),
        summary: plugin.description.summary.clone(),
        status: status.to_owned(),
        requests: serde_json::to_value(&plugin.description.requests).unwrap_or_default(),
        grants: plugin.approval.as_ref().map(|approval| grants(&approval.grants)),
        config_schema: plugin.description.config_schema.clone(),
        size_bytes: plugin.size_bytes,
        added_by: plugin.added_by.person.clone(),
        added_at: rfc3339(plugin.added_at),
        approved_by: plugin.approval.as_ref().map(|approval| approval.by.person.clone()),
    })
}

fn grants(grants: &Grants) -> wire::Grants {
    let http = |grant: &lockgate_core::plugin::HttpGrant| wire::HttpGrant {
        origin: grant.origin.clone(),
        private_network: grant.private_network,
    };
    let folder = |grant: &lockgate_core::plugin::FolderGrant| wire::FolderGrant {
        path: grant.path.clone(),
        access: word(grant.access),
    };
    let Limits { memory_bytes, cpu_ms, wall_ms, log_bytes, output_bytes, http_body_bytes } = grants.limits;
    wire::Grants {
        http: grants.http.iter().map(http).collect(),
        folders: grants.folders.iter().map(|(name, grant)| (name.clone(), folder(grant))).collect(),
        workspace: grants.workspace.map(word),
        limits: wire::Limits {
            memory_bytes: Some(memory_bytes),
            cpu_ms: Some(cpu_ms),
            wall_ms: Some(wall_ms),
            log_bytes: Some(log_bytes),
            output_bytes: Some(output_bytes),
            http_body_bytes: Some(http_body_bytes),
        },
    }
}

pub fn token(token: &Token) -> wire::Token {
    wire::Token {
        name: token.name.clone(),
        person: token.person.clone(),
        groups: token.groups.iter().cloned().collect(),
        role: role_word(token.role).to_owned(),
        created_at: rfc3339(token.created_at),
        revoked: token.revoked,
        secret: None,
    }
}

#[cfg(test)]
mod tests {
    use lockgate_core::name::Actor;

    use super::*;

    fn policy(rules: &[(u32, &[&str])]) -> ApprovalPolicy {
        let rule = |(count, groups): &(u32, &[&str])| ApprovalRule {
            count: *count,
            groups: groups.iter().map(|group| group.to_string()).collect(),
        };
        ApprovalPolicy { rules: rules.iter().map(rule).collect(), ..ApprovalPolicy::default() }
    }

    fn signed(person: &str, groups: &[&str]) -> Signature {
        let groups = groups.iter().map(|group| group.to_string()).collect();
        let by = Actor { person: person.to_owned(), groups, via: "test".to_owned() };
        Signature { by, at: Timestamp(0), comment: String::new(), not_before: None }
    }

    #[test]
    fn a_rule_reads_as_people_say_it() {
        let policy = policy(&[(1, &["operators"]), (2, &["dba", "security"]), (1, &[]), (3, &[])]);
        let texts: Vec<String> = policy.rules.iter().map(|rule| rule_text(rule.count, rule)).collect();
        assert_eq!(texts, ["1 of operators", "2 of dba or security", "1 person", "3 people"]);
    }

    #[test]
    fn what_is_still_asked_for_counts_each_person_once() {
        let policy = policy(&[(1, &["operators"]), (2, &[])]);
        assert_eq!(open_rules(&policy, &[]), ["1 of operators", "2 people"]);
        assert_eq!(open_rules(&policy, &[signed("ann", &["operators"])]), ["2 people"]);
        assert_eq!(open_rules(&policy, &[signed("bob", &[])]), ["1 of operators", "1 person"]);
    }

    #[test]
    fn a_rule_that_nobody_can_fill_is_shown_at_once() {
        assert_eq!(open_rules(&policy(&[(u32::MAX, &[])]), &[signed("ann", &[])]), ["4294967294 people"]);
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
