//! Runs a fixture: the host's own core decides what is called and when, as in a project of one deployment; the plugin runs
//! in the host's own sandbox. Only the clock, the random numbers, the network and the mishaps are the fixture's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lockgate_core::definition::{
    Definition, Environment, Gate, GateSet, OnFailure, Phase, PhaseWork, Target, Workflow, WorkflowStage,
};
use lockgate_core::deployment::{Deployment, DeploymentType, Doing, GateOutcome, GateVerdict, PhaseResult, UndoResult};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, Deploy, NewRelease, Rejection, Surroundings, handle};
use lockgate_core::kept::{Entry, Keep, Namespace};
use lockgate_core::name::{Actor, Name, Tag, Timestamp};
use lockgate_core::order::{Order, Question, order};
use lockgate_core::plugin::{
    Description, Failure, FieldChange, Grants, Kind, Planned, Progressed, Requests, ResourceState, Retry,
};
use lockgate_core::release::{ApprovedPlugin, narrowed};
use lockgate_core::state::{Due, Event, State};
use lockgate_core::work::{Answer, GatesOf, ProjectId};
use lockgate_sandbox::{
    ArtifactWriter, CallError, CallHost, CallRequest, CancellationToken, LogLine, Pace, Rehearsal, Sandbox, Secret,
    StateEntry, TestClock,
};
use serde_json::Value;

use super::fixture::{self, Fixture, OutcomeFile as Outcome, Run};
use super::script::{Asked as AskedFor, Mode, Script};
use crate::cli::look::duration;
use crate::driver::{Asked, ask, bounded, failure, no_artifacts_yet, not_kept, not_of_this_release, state_not_granted};

/// A plugin that is asked so often without an end is not tested, but waited for.
const MOST_CALLS: u32 = 1_000;
const TESTED: &str = "tested";
const BEFORE: &str = "before";
/// Whose answers the fixture gives.
const EARLIER: &str = "earlier-phases";
/// Of what is copied for a test.
const MOST_COPIED_BYTES: u64 = 256 << 20;

pub struct Plugin<'a> {
    pub sandbox: &'a Sandbox,
    pub digest: Digest,
    pub kind: Kind,
    pub description: Description,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Seen {
    pub outcome: Option<Outcome>,
    pub failure: Option<Failure>,
    /// Of a refusal by the host, or where it ended for a reason that is no failure of the plugin.
    pub message: String,
    pub reason: String,
    pub summary: String,
    pub outputs: Value,
    pub evidence: Value,
    pub artifacts: Vec<String>,
    pub plan: Vec<String>,
    pub resources: Vec<String>,
    pub calls: Vec<Call>,
    pub writes: BTreeSet<String>,
    pub state: Vec<String>,
    /// The grants as far as this use of the plugin asks for them.
    pub may: Grants,
}

#[derive(Debug)]
pub struct Call {
    pub number: u32,
    pub operation: &'static str,
    pub idempotency_key: String,
    /// The call that had this key before: the same work again.
    pub repeats: Option<u32>,
    /// Since the run began.
    pub at_ms: u64,
    /// What the fixture did to it.
    pub faults: Vec<String>,
    pub said: String,
    pub log: Vec<String>,
    pub progress: Vec<String>,
    pub requests: Vec<AskedFor>,
    pub denied: Vec<String>,
}

/// Why there is nothing to see. The machine's fault, not the plugin's.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error("no folder for the test: {0}")]
    Folder(#[source] std::io::Error),
    #[error("the folder {} cannot be copied for the test: {problem}", .folder.display())]
    Copy { folder: PathBuf, problem: String },
    #[error("the core does not take its own event: {0}")]
    Misfit(String),
}

pub async fn run(plugin: &Plugin<'_>, fixture: &Fixture, script: Arc<Script>, mode: Mode) -> Result<Seen, StageError> {
    let folder = tempfile::tempdir().map_err(StageError::Folder)?;
    // A link in it would be taken for one that somebody has put there.
    let place = folder.path().canonicalize().map_err(StageError::Folder)?;
    let grants = copied(&fixture.grants, &place)?;
    let workspace = place.join("workspace");
    fs::create_dir_all(&workspace).map_err(StageError::Folder)?;
    let pace = match mode {
        Mode::Replay => Pace::AtOnce,
        Mode::Record => Pace::AsItSays,
    };
    let before = listing(&place);
    let mut stage = Stage {
        plugin,
        fixture,
        clock: TestClock::new(fixture.clock.0.unsigned_abs(), pace),
        script,
        approved: approved(plugin, fixture, &grants),
        workspace,
        state: State::new(project(fixture)),
        events: Vec::new(),
        kept: kept_before(fixture),
        seen: Seen { may: narrowed(&plugin.description, &grants, &fixture.config), ..Seen::default() },
    };
    match stage.begin()? {
        Err(rejection) => {
            (stage.seen.outcome, stage.seen.message) = (Some(Outcome::Refused), rejection.to_string());
        }
        Ok(()) => {
            stage.play().await?;
            stage.conclude();
        }
    }
    stage.seen.writes = changed(&before, &listing(&place));
    stage.seen.state = kept_lines(&stage.kept);
    Ok(stage.seen)
}

struct Stage<'a> {
    plugin: &'a Plugin<'a>,
    fixture: &'a Fixture,
    clock: TestClock,
    script: Arc<Script>,
    approved: BTreeMap<Name, ApprovedPlugin>,
    workspace: PathBuf,
    state: State,
    /// What a host would have on disk.
    events: Vec<Event>,
    kept: Kept,
    seen: Seen,
}

/// What the plugin keeps, in all calls of a run.
type Kept = Arc<Mutex<Namespace>>;

impl Stage<'_> {
    /// Brings what was live before, and starts the deployment that is looked at.
    fn begin(&mut self) -> Result<Result<(), Rejection>, StageError> {
        for command in setting(self.fixture, self.plugin, &self.approved) {
            if let Err(rejection) = self.send(command)? {
                return Ok(Err(rejection));
            }
        }
        Ok(Ok(()))
    }

    fn now(&self) -> Timestamp {
        Timestamp(i64::try_from(self.clock.unix_ms()).unwrap_or(i64::MAX))
    }

    fn send(&mut self, command: Command) -> Result<Result<(), Rejection>, StageError> {
        let gates = self.approved.iter().filter(|(_, plugin)| plugin.kind == Kind::Gate);
        let gates = gates.map(|(name, plugin)| (name.clone(), plugin.digest)).collect();
        let events = match handle(&self.state, command, Surroundings { now: self.now(), gates: &gates }) {
            Ok(events) => events,
            Err(rejection) => return Ok(Err(rejection)),
        };
        for event in events {
            self.state.apply(&event).map_err(|misfit| StageError::Misfit(misfit.to_string()))?;
            self.events.push(event);
        }
        Ok(Ok(()))
    }

    /// What a host finds when it starts again.
    fn restart(&mut self) -> Result<(), StageError> {
        let mut state = State::new(project(self.fixture));
        for event in &self.events {
            state.apply(event).map_err(|misfit| StageError::Misfit(misfit.to_string()))?;
        }
        self.state = state;
        Ok(())
    }

    fn deployment(&self) -> Option<&Deployment> {
        self.state.deployments.get(&self.state.last_number).map(Arc::as_ref)
    }

    async fn play(&mut self) -> Result<(), StageError> {
        while let Some(deployment) = self.deployment().filter(|deployment| !self.is_over(deployment)) {
            if waits_for_a_person(deployment) {
                let number = deployment.number;
                let comment = "the test asks for an undo".to_owned();
                self.send_or_end(Command::Reject { number, comment, by: actor(self.fixture) })?;
                continue;
            }
            match (deployment.due().into_iter().next(), self.state.wake_at()) {
                (Some(_), _) if self.seen.calls.len() as u32 >= MOST_CALLS => {
                    self.seen.message = format!("the plugin was called {MOST_CALLS} times and was not done");
                    return Ok(());
                }
                (Some(due), _) => self.answer(due).await?,
                (None, Some(at)) => {
                    self.clock.pass(Duration::from_millis(at.ms_since(self.now()))).await;
                    self.send_or_end(Command::Tick)?;
                }
                (None, None) => {
                    self.seen.message = "the deployment waits for something that nobody brings".to_owned();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn send_or_end(&mut self, command: Command) -> Result<(), StageError> {
        match self.send(command)? {
            Ok(()) => Ok(()),
            Err(rejection) => Err(StageError::Misfit(rejection.to_string())),
        }
    }

    /// The plan is enough, or the round.
    fn is_over(&self, deployment: &Deployment) -> bool {
        if deployment.is_finished() {
            return true;
        }
        let phase = self.tested_phase();
        match self.fixture.run {
            Run::Phase | Run::Apply | Run::Undo => false,
            Run::Gate => {
                let rounds = deployment.attempt.gates(GatesOf::Post).map_or(0, |run| run.rounds_ended);
                rounds >= self.fixture.rounds
            }
            Run::Plan => deployment.attempt.phases[phase].plan.is_some(),
            Run::Observe => deployment.attempt.phases[phase].observed,
        }
    }

    fn tested_phase(&self) -> usize {
        self.fixture.outputs.len()
    }

    async fn answer(&mut self, due: Due) -> Result<(), StageError> {
        let Some(order) = order(&self.state, &due) else {
            return Err(StageError::Misfit("a call is due and nobody knows what for".to_owned()));
        };
        if order.plugin.as_str() == EARLIER {
            let name: Name =
                order.context.name.parse().map_err(|_| StageError::Misfit("a phase has no name".into()))?;
            let outputs = self.fixture.outputs.get(&name).cloned().unwrap_or_default();
            let answer = Answer::Progressed(Progressed { done: true, outputs, ..Progressed::default() });
            return self.send_or_end(Command::Report { call: due.call, answer });
        }
        let number = self.seen.calls.len() as u32 + 1;
        let faults = &self.fixture.faults;
        let mut told = Vec::new();
        let mut cancelling = due.cancelling;
        if faults.cancel_during.contains(&number) {
            told.push("the deployment is cancelled while it runs".to_owned());
            self.send_or_end(self.cancel())?;
            let again = self.deployment().into_iter().flat_map(Deployment::due).find(|again| again.call == due.call);
            // What only reads is stopped at once, and answers nobody.
            let Some(again) = again else {
                self.seen.calls.push(Call { said: "stopped".to_owned(), ..self.unanswered(number, &order, told) });
                return Ok(());
            };
            cancelling = again.cancelling;
        }
        let (asked, mut call) = self.ask(number, &order, cancelling, told).await;
        if let Some(judged) = &asked.judged {
            self.seen.evidence = judged.evidence.clone();
        }
        match (&asked.answer, &order.question) {
            (Ok(Answer::Observed(resources)), _) => {
                self.seen.resources = resources.iter().map(resource).collect();
            }
            // No record has it; of everything else the core keeps what counts.
            (Ok(Answer::Progressed(progressed)), Question::Undo { .. }) => {
                self.seen.summary = progressed.summary.clone();
            }
            (Ok(_) | Err(_), _) => {}
        }
        let answer = asked.answer.map_err(|error| repeatable(error).failure()).and_then(bounded);
        call.said = said(&answer);
        self.seen.failure = answer.as_ref().err().cloned();
        // Time that passes while a call runs may end it, as it would on a host.
        if self.state.wake_at().is_some_and(|at| at <= self.now()) {
            self.send_or_end(Command::Tick)?;
            if self.deployment().is_none_or(|deployment| deployment.due().iter().all(|again| again.call != due.call)) {
                call.faults.push("its time was over before it answered".to_owned());
            }
        }
        if faults.crash_after.contains(&number) {
            call.faults.push("the host dies before the answer is on record".to_owned());
            self.seen.calls.push(call);
            return self.restart();
        }
        self.seen.calls.push(call);
        let answer = answer.unwrap_or_else(Answer::Failed);
        self.send_or_end(Command::Report { call: due.call, answer })?;
        if faults.cancel_after.contains(&number) {
            if let Some(call) = self.seen.calls.last_mut() {
                call.faults.push("then the deployment is cancelled".to_owned());
            }
            // Where it is over already there is nothing to cancel.
            let _ = self.send(self.cancel())?;
        }
        Ok(())
    }

    fn cancel(&self) -> Command {
        let (number, reason) = (self.state.last_number, "the test cancels it".to_owned());
        Command::Cancel { number, forced: false, reason, by: actor(self.fixture) }
    }

    fn unanswered(&self, number: u32, order: &Order, faults: Vec<String>) -> Call {
        let key = &order.context.idempotency_key;
        Call {
            number,
            operation: operation(&order.question),
            repeats: self.seen.calls.iter().find(|call| call.idempotency_key == *key).map(|call| call.number),
            idempotency_key: key.clone(),
            at_ms: self.now().ms_since(self.fixture.clock),
            faults,
            said: String::new(),
            log: Vec::new(),
            progress: Vec::new(),
            requests: Vec::new(),
            denied: Vec::new(),
        }
    }

    async fn ask(&self, number: u32, order: &Order, cancelling: bool, mut faults: Vec<String>) -> (Asked, Call) {
        let mut grants = self.seen.may.clone();
        if let Some(limits) = self.fixture.faults.limits.get(&number) {
            grants.limits = limits.within(&grants.limits);
            faults.push("it has less than it was granted".to_owned());
        }
        let mut call = self.unanswered(number, order, faults);
        let host = Arc::new(Listener::new(self.fixture, self.kept.clone(), grants.state.is_some()));
        let cancelled = CancellationToken::new();
        if cancelling {
            cancelled.cancel();
        }
        let asked = ask(&order.question, |operation| {
            let request = CallRequest {
                plugin: self.plugin.digest,
                context: order.context.clone(),
                config: order.config.to_string().into(),
                subject: order.subject.clone(),
                operation,
                grants: grants.clone(),
                workspace: grants.workspace.map(|_| self.workspace.clone()),
                // What a program of this machine does is not the same each time.
                tools: None,
                host: host.clone(),
                cancelled: cancelled.clone(),
            };
            let rehearsal = Rehearsal {
                clock: self.clock.clone(),
                random_seed: format!("{} {number}", self.fixture.seed),
                wire: self.script.clone(),
            };
            self.plugin.sandbox.rehearse(request, rehearsal)
        });
        let asked = asked.await;
        let heard = std::mem::take(&mut *host.heard());
        (call.log, call.progress, call.denied) = (heard.log, heard.progress, heard.denied);
        call.requests = self.script.take_asked();
        (asked, call)
    }

    /// What the core made of it.
    fn conclude(&mut self) {
        let Some(deployment) = self.state.deployments.get(&self.state.last_number).cloned() else { return };
        let phase = self.tested_phase();
        let last_failure = self.seen.failure.take();
        if self.fixture.run == Run::Gate {
            let gates = deployment.attempt.gates(GatesOf::Post);
            match gates.and_then(|run| run.gates.first()).and_then(|gate| gate.last.as_ref()) {
                Some(GateOutcome { outcome, reason, .. }) => {
                    self.seen.outcome = Some(verdict(outcome));
                    self.seen.reason = reason.clone();
                    self.seen.failure = last_failure.filter(|_| *outcome == GateVerdict::Error);
                }
                None => self.ended_otherwise(&deployment),
            }
            return;
        }
        let run = &deployment.attempt.phases[phase];
        if run.undo.is_none() {
            self.seen.summary = run.summary.clone();
        }
        self.seen.outputs = run.outputs.clone();
        self.seen.artifacts =
            run.artifacts.iter().map(|artifact| format!("{} {}", artifact.name, artifact.digest)).collect();
        self.seen.plan = run.plan.as_ref().map(|plan| plan_lines(&plan.planned)).unwrap_or_default();
        match (&run.result, &run.undo, self.fixture.run) {
            (_, Some(UndoResult::Undone), _) => self.seen.outcome = Some(Outcome::Undone),
            (_, Some(UndoResult::NotUndone(failure)), _) => self.failed(failure.clone()),
            (_, None, Run::Plan) if run.plan.is_some() => self.seen.outcome = Some(Outcome::Planned),
            (_, None, Run::Observe) if run.observed => self.seen.outcome = Some(Outcome::Observed),
            (PhaseResult::Succeeded, None, _) => self.seen.outcome = Some(Outcome::Succeeded),
            (PhaseResult::Failed(failure), None, _) => self.failed(failure.clone()),
            (PhaseResult::Canceled, None, _) => self.seen.outcome = Some(Outcome::Cancelled),
            (PhaseResult::Waiting | PhaseResult::Running(_) | PhaseResult::Skipped, None, _) => {
                self.seen.failure = last_failure;
                self.ended_otherwise(&deployment);
            }
        }
    }

    fn failed(&mut self, failure: Failure) {
        (self.seen.outcome, self.seen.failure) = (Some(Outcome::Failed), Some(failure));
    }

    /// Before the phase, or without a verdict.
    fn ended_otherwise(&mut self, deployment: &Deployment) {
        let attempt = &deployment.attempt;
        self.seen.outcome = match attempt.failure.is_none() && attempt.cancel.is_some() {
            true => Some(Outcome::Cancelled),
            false => deployment.is_finished().then_some(Outcome::Failed),
        };
        if let Some(failure) = &deployment.attempt.failure {
            self.seen.message = failure.message.clone();
        }
    }
}

/// The phase after the target's own, which stands there for an undo.
fn waits_for_a_person(deployment: &Deployment) -> bool {
    deployment.attempt.doing().any(|(_, doing)| matches!(doing, Doing::Person { .. }))
}

fn verdict(verdict: &GateVerdict) -> Outcome {
    match verdict {
        GateVerdict::Pass => Outcome::Pass,
        GateVerdict::Fail => Outcome::Fail,
        GateVerdict::Inconclusive => Outcome::Inconclusive,
        GateVerdict::Error => Outcome::Error,
    }
}

/// How long a guest computed is never twice the same.
fn repeatable(error: CallError) -> CallError {
    match error {
        CallError::CpuLimit { limit_ms, used_ms: _ } => CallError::CpuLimit { limit_ms, used_ms: limit_ms },
        other => other,
    }
}

// ---- the setting ----

fn project(fixture: &Fixture) -> ProjectId {
    // In every idempotency key: the same fixture has the same keys.
    ProjectId { name: fixture.project.clone(), uid: format!("test {}", fixture.seed) }
}

fn actor(fixture: &Fixture) -> Actor {
    Actor { person: fixture.by.clone(), groups: BTreeSet::new(), via: "test".to_owned() }
}

fn named(name: &str) -> Name {
    name.parse().expect("the words of a test are names")
}

fn approved(plugin: &Plugin<'_>, fixture: &Fixture, grants: &Grants) -> BTreeMap<Name, ApprovedPlugin> {
    let tested = ApprovedPlugin {
        digest: plugin.digest,
        kind: plugin.kind,
        description: plugin.description.clone(),
        grants: grants.clone(),
        narrowed: Vec::new(),
    };
    let description = Description {
        name: EARLIER.to_owned(),
        version: String::new(),
        summary: String::new(),
        config_schema: Value::Bool(true),
        requests: Requests::default(),
    };
    let earlier = ApprovedPlugin {
        digest: Digest::of(EARLIER.as_bytes()),
        kind: Kind::Phase,
        description,
        grants: Grants::default(),
        narrowed: Vec::new(),
    };
    let mut approved = BTreeMap::from([(plugin_name(plugin), tested)]);
    if !fixture.outputs.is_empty() {
        approved.insert(named(EARLIER), earlier);
    }
    approved
}

fn plugin_name(plugin: &Plugin<'_>) -> Name {
    // A name that is none was refused before.
    plugin.description.name.parse().unwrap_or_else(|_| named("plugin"))
}

fn setting(fixture: &Fixture, plugin: &Plugin<'_>, approved: &BTreeMap<Name, ApprovedPlugin>) -> Vec<Command> {
    let by = actor(fixture);
    let release = |tag: &Tag, description: &str, artifacts| {
        Command::CreateRelease(NewRelease {
            tag: tag.clone(),
            description: description.to_owned(),
            artifacts,
            draft: false,
            approved: approved.clone(),
            by: by.clone(),
        })
    };
    let deploy = |tag: &Tag, workflow: &str| Deploy {
        environment: fixture.environment.clone(),
        release: tag.clone(),
        deployment_type: DeploymentType::Full,
        flags: Default::default(),
        selections: Vec::new(),
        input: Value::Null,
        comment: String::new(),
        workflow: Some(named(workflow)),
        not_before: None,
        key: None,
        by: by.clone(),
    };
    let define = |definition: Definition| Command::SetDefinition { definition: Arc::new(definition), by: by.clone() };
    let mut commands = Vec::new();
    if let Some(previous) = &fixture.previous {
        commands.push(define(definition_before(fixture)));
        commands.push(release(previous, "", Vec::new()));
        commands.push(Command::Deploy(deploy(previous, BEFORE)));
    }
    let artifacts = fixture.artifacts.iter().map(|(artifact, _)| artifact.clone()).collect();
    commands.push(define(definition(fixture, plugin)));
    commands.push(release(&fixture.tag, &fixture.description, artifacts));
    commands.push(Command::Deploy(Deploy {
        deployment_type: fixture.deployment_type,
        flags: fixture.flags,
        input: fixture.input.clone(),
        comment: fixture.comment.clone(),
        ..deploy(&fixture.tag, TESTED)
    }));
    commands
}

/// Nothing is done, and the release is live.
fn definition_before(fixture: &Fixture) -> Definition {
    let workflow = Workflow {
        stage: WorkflowStage::Patch,
        goes_live: true,
        on_failure: OnFailure::Stop,
        timeout_ms: None,
        phases: Vec::new(),
    };
    Definition {
        environments: BTreeMap::from([(fixture.environment.clone(), Arc::default())]),
        workflows: BTreeMap::from([(named(BEFORE), Arc::new(workflow))]),
        ..Definition::default()
    }
}

fn definition(fixture: &Fixture, plugin: &Plugin<'_>) -> Definition {
    let (name, config) = (plugin_name(plugin), fixture.config.clone());
    let place = fixture.name.clone().unwrap_or_else(|| name.clone());
    let phase = |name: Name, work| Phase {
        name,
        work,
        timeout_ms: fixture.timeout_ms,
        retries: fixture.retries,
        backoff_ms: fixture.backoff_ms,
        continue_on_error: false,
        always_run: false,
        group: None,
        locks: None,
        weight: fixture.weight,
    };
    let given = |name: &Name| {
        phase(name.clone(), PhaseWork::Plugin { plugin: named(EARLIER), config: Value::Object(Default::default()) })
    };
    let mut phases: Vec<Phase> = fixture.outputs.keys().map(given).collect();
    let mut environment = Environment { variables: fixture.variables.clone(), ..Environment::default() };
    match fixture.run {
        Run::Phase => phases.push(phase(place, PhaseWork::Plugin { plugin: name, config })),
        Run::Gate => {
            environment.post_gates = Some(GateSet {
                delay_ms: 0,
                interval_ms: 10_000,
                // Green is never steady: the fixture says how many rounds there are.
                steady_ms: u64::MAX,
                timeout_ms: 365 * 24 * 60 * 60 * 1_000,
                gates: vec![Gate { name: place, plugin: name, config }],
            });
        }
        Run::Plan | Run::Apply | Run::Undo | Run::Observe => {
            let target = Target { plugin: name, application: fixture.application.clone(), config };
            environment.targets.insert(place.clone(), target);
            phases.push(phase(place.clone(), PhaseWork::Apply { target: place }));
        }
    }
    if fixture.run == Run::Undo {
        let work = PhaseWork::Manual { instructions: String::new(), groups: BTreeSet::new() };
        phases.push(phase(named("then-undo"), work));
    }
    let destroys = fixture.deployment_type == DeploymentType::Destroy;
    let named_by_artifacts = fixture.artifacts.iter().filter_map(|(artifact, _)| artifact.application.parse().ok());
    let workflow = Workflow {
        stage: if destroys { WorkflowStage::Teardown } else { WorkflowStage::Patch },
        goes_live: !destroys,
        on_failure: if fixture.run == Run::Undo { OnFailure::Undo } else { OnFailure::Stop },
        timeout_ms: None,
        phases,
    };
    Definition {
        applications: named_by_artifacts.chain(fixture.application.clone()).collect(),
        environments: BTreeMap::from([(fixture.environment.clone(), Arc::new(environment))]),
        workflows: BTreeMap::from([(named(TESTED), Arc::new(workflow))]),
        ..Definition::default()
    }
}

// ---- folders ----

/// The same grants, of copies: a plugin that writes must not change what the next run finds.
fn copied(grants: &Grants, place: &Path) -> Result<Grants, StageError> {
    let mut grants = grants.clone();
    let mut left = MOST_COPIED_BYTES;
    for (name, grant) in &mut grants.folders {
        let (from, to) = (PathBuf::from(&grant.path), place.join("folders").join(hex::encode(name)));
        copy(&from, &to, &mut left).map_err(|problem| StageError::Copy { folder: from, problem })?;
        grant.path = to.to_string_lossy().into_owned();
    }
    Ok(grants)
}

fn copy(from: &Path, to: &Path, left: &mut u64) -> Result<(), String> {
    let unread = |error: std::io::Error| error.to_string();
    fs::create_dir_all(to).map_err(unread)?;
    for entry in fs::read_dir(from).map_err(unread)? {
        let entry = entry.map_err(unread)?;
        let (kind, target) = (entry.file_type().map_err(unread)?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target, left)?;
        } else if kind.is_file() {
            let size = entry.metadata().map_err(unread)?.len();
            *left = left.checked_sub(size).ok_or(format!("it has more than {MOST_COPIED_BYTES} bytes"))?;
            fs::copy(entry.path(), &target).map_err(unread)?;
        } else {
            return Err(format!("{} is neither a file nor a folder", entry.path().display()));
        }
    }
    Ok(())
}

/// Every file with its digest, by its place.
fn listing(folder: &Path) -> BTreeMap<PathBuf, Digest> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut files = BTreeMap::new();
    for path in entries.map(|entry| entry.path()) {
        match path.symlink_metadata() {
            Ok(kind) if kind.is_dir() => files.extend(listing(&path)),
            Ok(_) => drop(files.insert(path.clone(), Digest::of(&fs::read(&path).unwrap_or_default()))),
            Err(_) => {}
        }
    }
    files
}

/// Names of folders something has changed in; `workspace` is one.
fn changed(before: &BTreeMap<PathBuf, Digest>, after: &BTreeMap<PathBuf, Digest>) -> BTreeSet<String> {
    let differs = after.iter().filter(|(path, digest)| before.get(*path) != Some(*digest)).map(|(path, _)| path);
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let folder = |path: &PathBuf| {
        let part =
            path.iter().filter_map(|part| part.to_str()).skip_while(|part| !matches!(*part, "workspace" | "folders"));
        let mut part = part;
        match part.next()? {
            "folders" => {
                part.next().and_then(|name| hex::decode(name).ok()).and_then(|name| String::from_utf8(name).ok())
            }
            workspace => Some(workspace.to_owned()),
        }
    };
    differs.chain(gone).filter_map(folder).collect()
}

// ---- what is heard ----

/// The host of one call: it remembers.
struct Listener {
    artifacts: BTreeMap<Digest, Vec<u8>>,
    secrets: BTreeMap<Name, Secret>,
    /// None: not granted.
    kept: Option<Kept>,
    heard: Mutex<Heard>,
}

#[derive(Default)]
struct Heard {
    log: Vec<String>,
    progress: Vec<String>,
    denied: Vec<String>,
}

impl Listener {
    fn new(fixture: &Fixture, kept: Kept, may_keep: bool) -> Self {
        let artifacts = fixture.artifacts.iter().map(|(artifact, bytes)| (artifact.digest, bytes.clone())).collect();
        let secrets = fixture.secrets.clone();
        Self { artifacts, secrets, kept: Some(kept).filter(|_| may_keep), heard: Mutex::default() }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CallHost for Listener {
    fn log(&self, line: LogLine) {
        let fields: String = line.fields.iter().map(|(key, value)| format!(" {key}={value}")).collect();
        self.heard().log.push(format!("{} {}{fields}", line.level.word(), line.message));
    }

    fn progress(&self, percent: u32, message: &str) {
        self.heard().progress.push(format!("{}% {message}", percent.min(100)));
    }

    fn denied(&self, what: &str) {
        self.heard().denied.push(what.to_owned());
    }

    fn secret(&self, name: &str) -> Result<Secret, Failure> {
        let secret = name.parse::<Name>().ok().and_then(|name| self.secrets.get(&name));
        let missing = || failure("denied", format!("the fixture has no secret `{name}`"), Retry::Never);
        secret.cloned().ok_or_else(missing)
    }

    fn secrets_bound_to(&self, origin: &str) -> Vec<Secret> {
        self.secrets.values().filter(|secret| secret.origins.contains(origin)).cloned().collect()
    }

    fn revealed(&self, name: &str) {
        self.heard().log.push(format!("warn the plugin was shown secret `{name}`"));
    }

    fn open_artifact(&self, digest: &Digest) -> Result<Box<dyn Read + Send>, Failure> {
        match self.artifacts.get(digest) {
            Some(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            None => Err(not_of_this_release(digest)),
        }
    }

    fn create_artifact(&self, _name: &str) -> Result<Box<dyn ArtifactWriter>, Failure> {
        Err(no_artifacts_yet())
    }

    fn state_get(&self, key: &str) -> Result<Option<StateEntry>, Failure> {
        let kept = lock(self.kept.as_ref().ok_or_else(state_not_granted)?);
        Ok(kept.get(key).map(|entry| StateEntry { value: entry.value.clone(), version: entry.version }))
    }

    fn state_put(&self, key: &str, value: Vec<u8>, expect: u32) -> Result<u32, Failure> {
        let mut kept = lock(self.kept.as_ref().ok_or_else(state_not_granted)?);
        let keep = Keep { deployment: 0, namespace: fixture::namespace(), key: key.to_owned(), value, expect };
        let (key, entry) = kept.kept(keep).map_err(|rejection| not_kept(&rejection))?;
        kept.put(key, entry);
        Ok(expect + 1)
    }
}

fn lock(kept: &Kept) -> MutexGuard<'_, Namespace> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kept_before(fixture: &Fixture) -> Kept {
    let mut kept = Namespace::default();
    for (key, value) in &fixture.state {
        kept.put(key.clone(), Entry { value: value.clone().into_bytes(), version: 1, by: 0 });
    }
    Arc::new(Mutex::new(kept))
}

fn kept_lines(kept: &Kept) -> Vec<String> {
    lock(kept).iter().map(|(key, entry)| format!("{key} = {}", String::from_utf8_lossy(&entry.value))).collect()
}

// ---- in words ----

fn operation(question: &Question) -> &'static str {
    match question {
        Question::Advance { .. } => "advance",
        Question::Cancel { .. } => "cancel",
        Question::Observe => "observe",
        Question::Plan { .. } => "plan",
        Question::Apply { .. } => "apply",
        Question::Undo { .. } => "undo",
        Question::Sample { .. } => "sample",
    }
}

fn said(answer: &Result<Answer, Failure>) -> String {
    let again = |poll_after_ms: u32| match poll_after_ms {
        0 => "again".to_owned(),
        wait => format!("again in {}", duration(wait.into())),
    };
    match answer {
        Ok(Answer::Progressed(progressed)) if progressed.done => "done".to_owned(),
        Ok(Answer::Progressed(progressed)) => again(progressed.poll_after_ms),
        Ok(Answer::Planned(step)) if step.done => match step.planned.changes.len() {
            1 => "1 change".to_owned(),
            count => format!("{count} changes"),
        },
        Ok(Answer::Planned(step)) => again(step.poll_after_ms),
        Ok(Answer::Observed(resources)) if resources.len() == 1 => "1 resource".to_owned(),
        Ok(Answer::Observed(resources)) => format!("{} resources", resources.len()),
        Ok(Answer::Sampled { verdict: None, poll_after_ms, .. }) => again(*poll_after_ms),
        Ok(Answer::Sampled { verdict: Some(verdict), .. }) => {
            use lockgate_core::plugin::Decision;
            match verdict.decision {
                Decision::Pass => "pass".to_owned(),
                Decision::Fail => "fail".to_owned(),
                Decision::Inconclusive => "inconclusive".to_owned(),
            }
        }
        Err(failure) | Ok(Answer::Failed(failure)) => {
            let retry = match failure.retry {
                lockgate_core::plugin::Retry::Never => "never again",
                lockgate_core::plugin::Retry::SameKey => "may be repeated",
            };
            format!("failed: {} ({retry})", failure.code)
        }
    }
}

fn plan_lines(planned: &Planned) -> Vec<String> {
    let value = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
    let field = |field: &FieldChange| match field.sensitive {
        true => format!("{} changes, and is not shown", field.path),
        false => format!("{} {} becomes {}", field.path, value(&field.before), value(&field.after)),
    };
    let changes = planned.sorted_changes().into_iter().map(|change| {
        let destructive = if change.destructive { " (destructive)" } else { "" };
        let fields: Vec<String> = change.fields.iter().map(field).collect();
        let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
        format!("{} {} {}{destructive}{fields}", change.action.word(), change.kind, change.name)
    });
    changes.collect()
}

fn resource(state: &ResourceState) -> String {
    use lockgate_core::plugin::Health;
    let health = match state.health {
        Health::Healthy => "healthy",
        Health::Progressing => "progressing",
        Health::Degraded => "degraded",
        Health::Missing => "missing",
        Health::Unknown => "unknown",
    };
    let version = if state.version.is_empty() { "no version" } else { &state.version };
    format!("{} {} {version} {health}", state.kind, state.name)
}
