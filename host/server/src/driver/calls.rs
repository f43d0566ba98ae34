//! Makes the calls that are due: looks up what the plugin may do, runs it in the sandbox, reports its answer.

mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt as _;
use lockgate_core::deployment::Deployment;
use lockgate_core::digest::Digest;
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_core::order::{Order, asked, order};
use lockgate_core::plugin::{Failure, Grants, MOST_COMPONENT_BYTES, Retry};
use lockgate_core::release::narrowed;
use lockgate_core::state::{Due, State};
use lockgate_core::work::{Answer, CallRef, Step};
use lockgate_sandbox::tools::ToolRoom;
use lockgate_sandbox::{CallError, CallRequest, CancellationToken, ChildCommand, Sandbox};
use lockgate_store::Store;
use tokio::task::JoinSet;

use super::ask::{Asked, Judged, ask, bounded};
use super::blocking::blocking;
use super::call_log::{self, Lines, LogTag};
use super::evidence::Taking;
use super::inbox::{Report, Reports};
use super::surroundings::{Surroundings, failure, lost, no_component, ours};
use super::system::SystemHandle;
use super::vault::Vault;
use super::workspace::{self, Keep};
use tools::Rooms;

/// The calls of one project that are running now.
pub struct RunningCalls {
    runner: CallRunner,
    reports: Reports,
    running: BTreeMap<DeploymentNumber, BTreeMap<CallRef, Running>>,
    leaving: Leaving,
    /// End with their owner, answered or not.
    tasks: JoinSet<()>,
    /// Deployments whose calls may have started tools.
    with_tools: BTreeSet<DeploymentNumber>,
}

struct Running {
    environment: Name,
    /// Cancelled when the disk has it that the call is made: until then its log stays empty.
    on_disk: CancellationToken,
    /// Cancelled when the guest is gone.
    gone: CancellationToken,
    /// Tells the guest that it should stop.
    cancelled: CancellationToken,
    /// Stops it, answer or not.
    stop: CancellationToken,
}

impl RunningCalls {
    pub fn new(runner: CallRunner, reports: Reports) -> Self {
        Self {
            runner,
            reports,
            running: BTreeMap::new(),
            leaving: Leaving::default(),
            tasks: JoinSet::new(),
            with_tools: BTreeSet::new(),
        }
    }

    /// After a start: everything that was under way is under way again.
    pub fn follow_all(&mut self, state: &State) {
        self.end_left_tools(state);
        let mut by_deployment: BTreeMap<DeploymentNumber, Vec<Due>> = BTreeMap::new();
        for due in state.due() {
            by_deployment.entry(due.call.deployment).or_default().push(due);
        }
        for (number, due) in by_deployment {
            self.follow(state, number, &due);
        }
    }

    /// Makes the running calls of one deployment those that are due: stops the others, starts the missing.
    pub fn follow(&mut self, state: &State, number: DeploymentNumber, due: &[Due]) {
        while self.tasks.try_join_next().is_some() {}
        if let Some(running) = self.running.get_mut(&number) {
            for (_, stopped) in running.extract_if(.., |call, _| due.iter().all(|due| due.call != *call)) {
                stopped.stop.cancel();
                self.leaving.add(&stopped.environment, stopped.gone);
            }
            if running.is_empty() {
                self.running.remove(&number);
            }
        }
        for due in due {
            if !self.is_running(due.call) {
                let on_disk = CancellationToken::new();
                on_disk.cancel();
                self.begin(state, due, on_disk);
            }
            if let Some(running) = self.running.get(&number).and_then(|running| running.get(&due.call)) {
                running.on_disk.cancel();
                if due.cancelling {
                    running.cancelled.cancel();
                }
            }
        }
    }

    /// Begins what is due while the disk still writes that it is: only calls that reach nothing. Until `follow` finds them due
    /// their logs stay empty. Where the disk refuses they are stopped, their answers do not count, and nothing has happened.
    pub fn begin_ahead(&mut self, state: &State, number: DeploymentNumber) {
        let Some(deployment) = state.deployments.get(&number) else { return };
        let all_due = deployment.due();
        let is_over = |call: &CallRef, running: &Running| {
            all_due.iter().any(|due| due.call == *call) || running.gone.is_cancelled()
        };
        // Beside a guest that is still to be stopped nothing begins.
        if !self.running.get(&number).into_iter().flatten().all(|(call, running)| is_over(call, running)) {
            return;
        }
        for due in all_due {
            let reaches_nothing =
                || asked(state, &due).is_some_and(|digest| self.runner.reaches_nothing(state, deployment, digest));
            // What gates measure is kept when they have judged.
            let is_gate = matches!(due.step, Step::Gate { .. });
            if !is_gate && !due.cancelling && !self.is_running(due.call) && reaches_nothing() {
                self.begin(state, &due, CancellationToken::new());
            }
        }
    }

    #[cfg(test)]
    pub fn let_nobody_leave(&mut self, environment: &Name) {
        self.leaving.add(environment, CancellationToken::new());
    }

    pub(super) fn is_running(&self, call: CallRef) -> bool {
        self.running.get(&call.deployment).is_some_and(|running| running.contains_key(&call))
    }

    /// Cancelled: the disk has it that the call is made.
    fn begin(&mut self, state: &State, due: &Due, on_disk: CancellationToken) {
        let number = due.call.deployment;
        let (Some(order), Some(deployment)) = (order(state, due), state.deployments.get(&number)) else { return };
        let environment = deployment.environment.clone();
        let workspaces = workspace::of_environment(&self.runner.store, &state.project.name, &environment);
        if self.runner.asks_for_tools(&order) {
            self.with_tools.insert(number);
        }
        let rooms = Rooms::of(&self.runner.store, &state.project.name, deployment);
        let job = Job::new(deployment, (*due, on_disk.clone()), order, workspaces.join(number.to_string()), &rooms);
        let (cancelled, stop, gone) = (job.cancelled.clone(), job.stop.clone(), CancellationToken::new());
        let call = self.runner.clone().run(job, self.leaving.of(&environment), self.reports.clone());
        let leaves = gone.clone().drop_guard();
        let task = async move {
            let _leaves = leaves;
            call.await;
        };
        self.tasks.spawn_on(task, self.runner.sandbox.threads());
        let running = Running { environment, on_disk, gone, cancelled, stop };
        self.running.entry(number).or_default().insert(due.call, running);
    }

    /// What was told to end in this environment so far.
    pub fn leaving(&mut self, environment: &Name) -> Left {
        self.leaving.of(environment)
    }

    /// Removes what no retry will need; the next call of the environment waits for it.
    pub fn clear_workspaces(&mut self, state: &State, deployment: &Deployment, of_this_one: Keep) {
        let environment = &deployment.environment;
        let (store, project) = (&self.runner.store, &state.project.name);
        let folders = [
            workspace::of_environment(store, project, environment),
            workspace::tools_of_environment(store, project, environment),
        ];
        // A copy shares structure: nothing is looked through here, however many wait.
        let deployments = state.deployments.clone();
        let is_over = move |number: DeploymentNumber| deployments.get(&number).is_none_or(|other| other.is_finished());
        let goes = match of_this_one {
            Keep::Yes => None,
            Keep::No => Some(deployment.number),
        };
        let (left, gone) = (self.leaving.of(environment), CancellationToken::new());
        if left.is_nobody() && folders.iter().all(|folder| !folder.exists()) {
            return;
        }
        self.leaving.add(environment, gone.clone());
        let (leaves, store) = (gone.drop_guard(), store.clone());
        tokio::spawn(async move {
            left.wait().await;
            let clear = move || {
                let _removing = store.removing();
                workspace::clear(&folders, is_over, goes);
            };
            blocking(clear).await;
            drop(leaves);
        });
    }
}

/// What was told to end and may not have, by environment. Whatever starts there next waits for all of it: two calls
/// must never touch the same resource, and a timeout, a cancel and the next deployment may lie between them.
#[derive(Default)]
struct Leaving(BTreeMap<Name, Vec<CancellationToken>>);

impl Leaving {
    fn add(&mut self, environment: &Name, gone: CancellationToken) {
        self.0.entry(environment.clone()).or_default().push(gone);
    }

    fn of(&mut self, environment: &Name) -> Left {
        let Some(leaving) = self.0.get_mut(environment) else { return Left(Vec::new()) };
        leaving.retain(|gone| !gone.is_cancelled());
        Left(leaving.clone())
    }
}

pub struct Left(Vec<CancellationToken>);

impl Left {
    pub fn is_nobody(&self) -> bool {
        self.0.is_empty()
    }

    pub async fn wait(self) {
        for gone in self.0 {
            gone.cancelled().await;
        }
    }
}

struct Job {
    due: Due,
    order: Order,
    log: LogTag,
    /// Of a gate.
    taking: Option<Taking>,
    workspace: PathBuf,
    /// Where its tools run; none where it can have none.
    room: Option<PathBuf>,
    on_disk: CancellationToken,
    cancelled: CancellationToken,
    stop: CancellationToken,
}

impl Job {
    fn new(
        deployment: &Deployment,
        (due, on_disk): (Due, CancellationToken),
        order: Order,
        workspace: PathBuf,
        rooms: &Rooms,
    ) -> Self {
        let room = rooms.of_step(deployment.attempt.number, due.step, deployment.step_name(due.step));
        let log = LogTag::of(deployment, &due, &order.context);
        let taking = Taking::of(deployment, &due, &order);
        let (cancelled, stop) = (CancellationToken::new(), CancellationToken::new());
        Self { due, order, log, taking, workspace, room, on_disk, cancelled, stop }
    }
}

#[derive(Clone)]
pub struct CallRunner {
    store: Store,
    sandbox: Sandbox,
    system: SystemHandle,
    vault: Vault,
    tool_keeper: ChildCommand,
}

impl CallRunner {
    pub fn new(store: Store, sandbox: Sandbox, system: SystemHandle, vault: Vault, tool_keeper: ChildCommand) -> Self {
        Self { store, sandbox, system, vault, tool_keeper }
    }

    /// Whether calls of a plugin cannot be told from outside, whatever their configuration.
    fn reaches_nothing(&self, state: &State, deployment: &Deployment, digest: Digest) -> bool {
        let (project, environment) = (state.project.name.as_str(), deployment.environment.as_str());
        let granted = self.system.view().grants_in(digest, project, Some(environment));
        granted.is_some_and(|granted| granted.reach_nothing())
    }

    fn asks_for_tools(&self, order: &Order) -> bool {
        let system = self.system.view();
        system.plugins.get(&order.digest).is_some_and(|plugin| !plugin.description.requests.tools.is_empty())
    }

    async fn run(self, job: Job, stopped: Left, reports: Reports) {
        let (call, stop, on_disk) = (job.due.call, job.stop.clone(), job.on_disk.clone());
        if !may_start(&stop, stopped).await {
            return;
        }
        let sure = unless_stopped(&stop, on_disk.cancelled());
        let (lines, pump) = call_log::start(&self.store, &job.log, sure);
        let answered = async {
            tokio::select! {
                biased;
                () = stop.cancelled() => None,
                answer = AssertUnwindSafe(self.answer(job, lines, reports.clone())).catch_unwind() => Some(answer),
            }
        };
        // The guest holds the other end of the log: when that is closed, the log is complete and the guest is gone.
        let (Some(answer), ()) = tokio::join!(answered, pump) else { return };
        // A bug of ours must not leave a phase waiting for its timeout.
        let answer = answer.unwrap_or_else(|_| Err(ours("the host failed while it made this call".to_owned())));
        let answer = answer.and_then(bounded).unwrap_or_else(Answer::Failed);
        reports.send(Report { call, answer, stopped: stop }).await;
    }

    async fn answer(&self, job: Job, lines: Lines, reports: Reports) -> Result<Answer, Failure> {
        let mut grants = self.grants(&job.order);
        if let (false, Ok(granted)) = (job.on_disk.is_cancelled(), &mut grants) {
            // Also where an operator has granted more in between.
            *granted = Grants { limits: granted.limits.clone(), ..Grants::default() };
        }
        let host = Arc::new(Surroundings {
            store: self.store.clone(),
            release: job.order.release.clone(),
            plugin: job.order.plugin.clone(),
            digest: job.order.digest,
            environment: job.order.context.environment.clone(),
            state: grants.as_ref().ok().and_then(|grants| grants.state.clone()),
            reports,
            vault: self.vault.clone(),
            system: self.system.clone(),
            lines,
        });
        let grants = grants.inspect_err(|failure| host.fail(&failure.message))?;
        self.load(job.order.digest).await.inspect_err(|failure| host.fail(&failure.message))?;
        let workspace = grants.workspace.map(|_| job.workspace.clone());
        let tools = job.room.clone().filter(|_| !grants.tools.is_empty()).map(|folder| ToolRoom {
            folder,
            workspace: job.workspace.clone(),
            keeper: self.tool_keeper.clone(),
        });
        if workspace.is_some() || tools.is_some() {
            let (folder, room) = (job.workspace.clone(), tools.clone());
            let made = blocking(move || {
                workspace::make(&folder)?;
                let opened = room.map_or(Ok(()), |room| room.open());
                opened.map_err(|error| format!("the folder for its tools cannot be made: {error}"))
            });
            made.await.map_err(ours).inspect_err(|failure| host.fail(&failure.message))?;
        }
        self.ask(&job, grants, Places { workspace, tools }, host).await
    }

    /// What this call may do: checked again each time, for a grant may have gone.
    fn grants(&self, order: &Order) -> Result<Grants, Failure> {
        let system = self.system.view();
        let (project, environment) = (&order.context.project, &order.context.environment);
        let granted = system.grants_in(order.digest, project, Some(environment));
        match system.plugins.get(&order.digest).zip(granted) {
            Some((plugin, granted)) => Ok(narrowed(&plugin.description, &granted, &order.config)),
            None => Err(failure(
                "denied",
                format!(
                    "plugin `{}` ({}) is not approved; an operator can approve it",
                    order.plugin,
                    order.digest.short()
                ),
                Retry::Never,
            )),
        }
    }

    /// Compiles a component, or takes it from the cache, once.
    pub async fn load(&self, digest: Digest) -> Result<(), Failure> {
        if self.sandbox.is_loaded(&digest) {
            return Ok(());
        }
        let store = self.store.clone();
        let bytes = blocking(move || store.blobs().read(digest, MOST_COMPONENT_BYTES)).await;
        let name = || {
            let system = self.system.view();
            system.plugins.get(&digest).map_or("?".to_owned(), |plugin| plugin.description.name.clone())
        };
        let bytes = bytes.map_err(|error| match lost(&error) {
            Some(how) => no_component(&name(), digest, &how),
            None => ours(error.to_string()),
        })?;
        let loaded = self.sandbox.load(digest, bytes.into()).await;
        loaded.map_err(|error| ours(format!("plugin `{}` cannot be loaded: {error}", name())))
    }

    async fn ask(&self, job: &Job, grants: Grants, places: Places, host: Arc<Surroundings>) -> Result<Answer, Failure> {
        let request = |operation, host: Arc<Surroundings>| CallRequest {
            plugin: job.order.digest,
            context: job.order.context.clone(),
            config: job.order.config.to_string().into(),
            subject: job.order.subject.clone(),
            operation,
            grants: grants.clone(),
            workspace: places.workspace.clone(),
            tools: places.tools.clone(),
            host,
            cancelled: job.cancelled.clone(),
        };
        let question = &job.order.question;
        let Asked { answer, judged } =
            ask(question, |operation| self.sandbox.call(request(operation, host.clone()))).await;
        match (&job.taking, &judged, &answer) {
            (Some(taking), Some(judged), _) => {
                taking.judged(&self.store, &job.order, &judged.evidence, judged.verdict.as_ref()).await;
            }
            (Some(taking), None, Err(error)) => taking.broke(&self.store, &job.order, error).await,
            (Some(_), None, Ok(_)) | (None, _, _) => {}
        }
        if let Some(Judged { evidence, verdict: Ok(verdict) }) = &judged {
            host.sample(evidence, verdict);
        }
        answer.map_err(|error| told(&host, error))
    }
}

/// Of this machine, for one call.
struct Places {
    workspace: Option<PathBuf>,
    tools: Option<ToolRoom>,
}

/// Also where both are so, the stop counts: nothing is started, and no log opened that was closed already.
async fn may_start(stop: &CancellationToken, stopped: Left) -> bool {
    unless_stopped(stop, stopped.wait()).await
}

/// False if the stop came first.
async fn unless_stopped(stop: &CancellationToken, event: impl Future<Output = ()>) -> bool {
    tokio::select! {
        biased;
        () = stop.cancelled() => false,
        () = event => true,
    }
}

/// Puts a failure into the phase's log, where its reader looks first.
fn told(host: &Surroundings, error: CallError) -> Failure {
    host.fail(&error.to_string());
    let mut failure = error.failure();
    if failure.code == "denied"
        && let Some(scopes) = host.narrowed()
    {
        let plugin = &host.plugin;
        failure.message += &format!(
            "; and plugin `{plugin}` is narrowed in {scopes}, which no approval changes: `lockgate plugin show {plugin}` says to what, `lockgate plugin widen {plugin} --in SCOPE --reason WHY` ends it"
        );
    }
    failure
}

#[cfg(test)]
mod tests {
    use lockgate_core::plugin::Progressed;

    use super::super::ask::MOST_ANSWER_BYTES;
    use super::*;

    fn named(name: &str) -> Name {
        name.parse().unwrap()
    }

    #[tokio::test]
    async fn what_starts_in_an_environment_waits_for_all_that_was_told_to_end_there() {
        let (mut leaving, production) = (Leaving::default(), named("production"));
        let (first, second) = (CancellationToken::new(), CancellationToken::new());
        leaving.add(&production, first.clone());
        leaving.add(&production, second.clone());
        assert!(leaving.of(&named("staging")).wait().now_or_never().is_some());
        // Whoever asked first has not used them up.
        assert!(leaving.of(&production).wait().now_or_never().is_none());
        let mut next = std::pin::pin!(leaving.of(&production).wait());
        second.cancel();
        assert!(next.as_mut().now_or_never().is_none());
        first.cancel();
        next.await;
        assert!(leaving.of(&production).0.is_empty());
    }

    fn said(summary: &str) -> Answer {
        Answer::Progressed(Progressed { summary: summary.to_owned(), ..Progressed::default() })
    }

    /// Longest summary of this text that an answer may have.
    fn room(text: &str) -> usize {
        let bytes = |answer: &Answer| serde_json::to_vec(answer).unwrap().len();
        let empty = bytes(&said(""));
        (MOST_ANSWER_BYTES - empty) / (bytes(&said(text)) - empty)
    }

    #[test]
    fn an_answer_is_as_long_as_an_event_of_the_journal_can_be_once_it_is_written_down() {
        // A control character takes six bytes on the record.
        for text in ["x", "\u{1}"] {
            let longest = room(text);
            assert_eq!(bounded(said(&text.repeat(longest))), Ok(said(&text.repeat(longest))));
            let failure = bounded(said(&text.repeat(longest + 1))).unwrap_err();
            assert_eq!((failure.code.as_str(), failure.retry), ("limit", Retry::Never));
            assert!(failure.message.ends_with("at most 4194304 are allowed"), "{}", failure.message);
        }
        assert_eq!(room("\u{1}"), room("x") / 6);
    }

    #[tokio::test]
    async fn what_was_stopped_while_it_waited_does_not_start() {
        let (stop, gone) = (CancellationToken::new(), CancellationToken::new());
        assert!(may_start(&stop, Left(vec![])).await);
        assert!(may_start(&stop, Left(vec![gone.clone()])).now_or_never().is_none());
        stop.cancel();
        gone.cancel();
        for _ in 0..50 {
            assert!(!may_start(&stop, Left(vec![gone.clone()])).await);
        }
    }
}
