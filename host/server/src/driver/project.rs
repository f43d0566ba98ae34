//! The loop that owns a project: command in, events to the journal, state out, calls started and stopped.
//!
//! It takes all that waits, decides, commits once, and only then answers and acts. While a commit is under way
//! the next commands gather: the disk sets the pace, not a timer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use lockgate_core::change::Milestone;
use lockgate_core::definition::LOGS_BESIDE_PHASES;
use lockgate_core::deployment::{Deployment, Finish};
use lockgate_core::handle::{Command, Decided, Rejection, Surroundings, decide};
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_core::snapshot::Deployments;
use lockgate_core::state::{Event, State, What};
use lockgate_store::{Committed as Written, Entry, IndexBatch, LogId, SeriesId, SnapshotChange, Store, StoreError};
use tokio::sync::{mpsc, watch};

use super::blocking::blocking;
use super::call_log::log_id;
use super::calls::{CallRunner, RunningCalls};
use super::ends::Ends;
use super::evidence::{self, NewRound};
use super::history::Newest;
use super::horizon::Horizon;
use super::inbox::{Asker, Committed, Ending, Message, ProjectHandle, Refusal, Reply, Report, Reports, View};
use super::index::{self, Indexer, Leaves, Unsaved};
use super::narrate::{self, HistoryRow};
use super::replay::Loaded;
use super::retention::Gone;
use super::system::SystemHandle;
use super::workspace::Keep;
use crate::clock;

/// Commands that wait for the owner; a sender over that waits with them.
const INBOX: usize = 1_024;
/// Commands decided on in one commit.
const MOST_PER_COMMIT: usize = 256;
/// A commit takes no further command once its events are this large.
const COMMIT_BYTES: usize = 8 << 20;
const LONGEST_SLEEP_MS: u64 = 60_000;
/// After the journal has refused, what nobody waits for is tried again this much later.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(1);

/// Starts the owner of a project. One whose events cannot be read has none: it can be looked at, and says why.
pub fn own(loaded: Loaded, store: Store, system: SystemHandle, runner: CallRunner, horizon: Horizon) -> ProjectHandle {
    let Loaded { state, newest, snapshot, snapshot_bytes, unsaved, sequence, damage } = loaded;
    let (inbox, mut messages) = mpsc::channel(INBOX);
    let (goes, gone) = mpsc::channel(1);
    let seen = View { state: state.clone(), newest: newest.clone(), sequence };
    let (view, views) = watch::channel(Arc::new(seen));
    if let Some(damage) = damage {
        let ending = Ending::at_once(damage);
        return ProjectHandle {
            inbox,
            goes,
            view: views,
            indexed: watch::channel(sequence).1,
            ends: Ends::default(),
            ending,
        };
    }
    let (indexer, indexed, forgettable) = index::start(store.clone(), state.project.name.clone());
    let reports = Reports { inbox: inbox.downgrade(), view: views.clone() };
    let ends = Ends::default();
    let owner = Owner {
        name: state.project.name.clone(),
        calls: RunningCalls::new(runner, reports.clone()),
        reports,
        snapshot,
        snapshot_bytes,
        unsaved,
        horizon,
        paused: false,
        state,
        newest,
        sequence,
        store,
        system,
        view,
        ends: ends.clone(),
        indexer,
    };
    let ending = Ending::of(async move { owner.run(&mut messages, forgettable, gone).await });
    ProjectHandle { inbox, goes, view: views, indexed, ends, ending }
}

struct Owner {
    name: Name,
    state: State,
    newest: Newest,
    sequence: u64,
    store: Store,
    system: SystemHandle,
    view: watch::Sender<Arc<View>>,
    ends: Ends,
    indexer: Indexer,
    reports: Reports,
    calls: RunningCalls,
    /// What the newest snapshot has, and how large it is without its deployments.
    snapshot: Deployments,
    snapshot_bytes: usize,
    unsaved: Unsaved,
    horizon: Horizon,
    /// The journal has refused a moment ago: what is due by time waits a little.
    paused: bool,
}

/// What one command leads to.
struct Turn {
    events: Vec<Event>,
    state: State,
    rows: Vec<Option<(DeploymentNumber, HistoryRow)>>,
    /// As the journal keeps each event.
    payloads: Vec<Vec<u8>>,
    rounds: Vec<NewRound>,
}

/// All that one commit writes, and whom it answers.
#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    /// What people read of each, and of which deployment it is.
    rows: Vec<Option<(DeploymentNumber, HistoryRow)>>,
    payloads: Vec<Vec<u8>>,
    bytes: usize,
    replies: Vec<(Reply, Result<Vec<Event>, Rejection>)>,
    rounds: Vec<NewRound>,
    /// Answers of plugins: nobody waits for what becomes of them, and nobody else could send them again.
    reports: Vec<Report>,
}

impl Owner {
    /// Returns why it ended.
    async fn run(
        mut self,
        messages: &mut mpsc::Receiver<Message>,
        mut forgettable: mpsc::UnboundedReceiver<Vec<Leaves>>,
        mut gone: mpsc::Receiver<Vec<Gone>>,
    ) -> String {
        self.calls.follow_all(&self.state);
        let mut horizon = self.horizon.watch();
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                received = messages.recv_many(&mut batch, MOST_PER_COMMIT) => {
                    // Calls alone do not keep it.
                    if received == 0 {
                        return "nobody needs it any more".to_owned();
                    }
                }
                Some(leaves) = forgettable.recv() => {
                    leaves.into_iter().for_each(|leaves| self.forget(leaves));
                    continue;
                }
                Some(gone) = gone.recv() => {
                    self.let_go(gone).await;
                    continue;
                }
                // At the start, too: a replay takes no snapshot.
                Ok(()) = horizon.changed() => {
                    if self.unsaved.needs_a_snapshot(*horizon.borrow_and_update(), self.snapshot_bytes) {
                        self.save(Vec::new(), Leaves::default()).await;
                    }
                    continue;
                }
                () = sleep_until(self.state.wake_at(), self.paused) => {
                    batch.push(Message::new(Command::Tick, Asker::Time));
                }
            }
            let mut batch = VecDeque::from(batch);
            while !batch.is_empty() {
                if let Err(error) = self.commit(&mut batch).await {
                    tracing::error!(project = %self.name, %error, "the journal failed; this project stops here");
                    return error.to_string();
                }
            }
        }
    }

    /// Decides on what fits one commit, writes it, and then tells and acts. An error means that the disk failed:
    /// nothing is started on the strength of events that may not be there.
    async fn commit(&mut self, batch: &mut VecDeque<Message>) -> Result<(), StoreError> {
        let before = self.state.clone();
        let decided = self.decide_all(batch);
        let touched: BTreeSet<DeploymentNumber> =
            decided.events.iter().filter_map(|event| event.what.deployment()).collect();
        let written = write(&self.store, &self.name, decided.payloads);
        // While the disk writes, and so after the first look at that, calls begin that nobody can see.
        let begun = async {
            if !self.paused {
                touched.iter().for_each(|number| self.calls.begin_ahead(&self.state, *number));
            }
        };
        match tokio::join!(biased; written, begun).0 {
            Ok(None) => {}
            Ok(Some(written)) => {
                self.sequence = written.last;
                self.unsaved.add(written.first..=written.last);
                self.horizon.reached(written.last);
                for (sequence, row) in (written.first..).zip(decided.rows) {
                    row.into_iter().for_each(|(number, row)| self.newest.add(number, sequence, row));
                }
            }
            Err(refusal) if refusal.is_refused_append() => {
                self.state = before;
                touched.iter().for_each(|number| self.follow(*number));
                self.refuse(decided.replies, decided.reports, refusal);
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        self.paused = false;
        // Before anybody can see that the gates are done.
        evidence::keep_rounds(&self.store, &self.name, decided.rounds).await;
        self.tell(decided.replies, &touched);
        self.act(&decided.events, &touched).await;
        Ok(())
    }

    /// What is committed is shown, and whoever asked for it is answered.
    fn tell(&self, replies: Vec<(Reply, Result<Vec<Event>, Rejection>)>, touched: &BTreeSet<DeploymentNumber>) {
        let seen = View { state: self.state.clone(), newest: self.newest.clone(), sequence: self.sequence };
        self.view.send_replace(Arc::new(seen));
        self.ends.tell(&self.state, touched);
        for (reply, decided) in replies {
            // The caller may be gone; the command is done all the same.
            let _ = reply.send(decided.map(|events| Committed { events }).map_err(Refusal::Rejected));
        }
    }

    /// Makes what follows from what is committed now.
    async fn act(&mut self, events: &[Event], touched: &BTreeSet<DeploymentNumber>) {
        self.start_over(events);
        self.calls.end_tools(&self.state, &milestones(&self.state, events));
        touched.iter().for_each(|number| self.follow(*number));
        self.tidy_up(events);
        self.forget_gone_gates(events);
        if events.is_empty() {
            return;
        }
        let (entries, leaves) = self.over_or_full(touched);
        if self.unsaved.needs_a_snapshot(self.horizon.now(), self.snapshot_bytes) {
            self.save(entries, leaves).await;
        } else {
            self.hand_over(entries, leaves, SnapshotChange::Keep).await;
        }
    }

    fn follow(&mut self, number: DeploymentNumber) {
        let due = self.state.deployments.get(&number).map(|deployment| deployment.due()).unwrap_or_default();
        self.calls.follow(&self.state, number, &due);
    }

    fn forget(&mut self, leaves: Leaves) {
        leaves.finished.into_iter().for_each(|(number, attempt)| self.state.forget(number, attempt));
        leaves.pages.into_iter().for_each(|page| self.newest.forget(page));
    }

    /// Of what is said to be gone, all that nobody has tried again meanwhile, and of which no broken glass is still to be looked
    /// at. Logs first: what has a record is found again.
    async fn let_go(&mut self, mut gone: Vec<Gone>) {
        gone.retain(|gone| {
            !self.state.deployments.contains_key(&gone.number)
                && !self.state.debts.contains_key(&gone.number)
                && self.state.newest_attempt(gone.number) == gone.attempt
        });
        if gone.is_empty() {
            return;
        }
        let (store, project) = (self.store.clone(), self.name.clone());
        let numbers: Vec<DeploymentNumber> = gone.iter().map(|gone| gone.number).collect();
        let removed = blocking(move || {
            numbers.iter().try_for_each(|number| store.logs().remove(project.as_str(), &number.to_string()))
        });
        if let Err(error) = removed.await {
            tracing::warn!(project = %self.name, %error, "logs of deployments that are not kept any more could not be removed");
            return;
        }
        let entries = gone.into_iter().flat_map(|gone| gone.entries).collect();
        self.hand_over(entries, Leaves::default(), SnapshotChange::Keep).await;
    }

    fn decide_all(&mut self, batch: &mut VecDeque<Message>) -> Batch {
        let gates = self.system.approved_gates();
        let now = clock::now().max(self.state.last_event_at);
        let around = Surroundings { now, gates: &gates };
        let mut all = Batch::default();
        while all.bytes < COMMIT_BYTES
            && let Some(message) = batch.pop_front()
        {
            if message.is_of_a_stopped_call() {
                continue;
            }
            if let (Command::Report { call, answer }, Asker::Call(stopped)) = (&*message.command, &message.asker) {
                all.reports.push(Report { call: *call, answer: answer.clone(), stopped: stopped.clone() });
            }
            let decided = self.decide(*message.command, around).map(|turn| {
                self.state = turn.state;
                all.rows.extend(turn.rows);
                all.rounds.extend(turn.rounds);
                all.bytes += turn.payloads.iter().map(Vec::len).sum::<usize>();
                all.payloads.extend(turn.payloads);
                turn.events
            });
            match (message.asker, decided) {
                (Asker::Someone(reply), decided) => {
                    all.events.extend(decided.iter().flatten().cloned());
                    all.replies.push((reply, decided));
                }
                (Asker::Call(_) | Asker::Time, Ok(decided)) => all.events.extend(decided),
                (Asker::Call(_) | Asker::Time, Err(why)) => tracing::error!(project = %self.name, %why, "not recorded"),
            }
        }
        all
    }

    /// Nothing was written, and the state is as it was before: a full disk may have room again in a moment.
    fn refuse(
        &mut self,
        replies: Vec<(Reply, Result<Vec<Event>, Rejection>)>,
        reports: Vec<Report>,
        refusal: StoreError,
    ) {
        tracing::error!(project = %self.name, error = %refusal, "the journal refused; nothing was changed, and what was due is tried again");
        self.paused = true;
        for (reply, decided) in replies {
            let why = match decided {
                Ok(_) => Refusal::NotWritten(refusal.clone()),
                Err(rejection) => Refusal::Rejected(rejection),
            };
            // The caller may be gone, and nothing has happened.
            let _ = reply.send(Err(why));
        }
        let inbox = self.reports.clone();
        tokio::spawn(async move {
            tokio::time::sleep(PAUSE_AFTER_REFUSAL).await;
            for report in reports {
                inbox.send(report).await;
            }
        });
    }

    /// All of it again starts from an empty workspace. Before its first call does: that one waits for it.
    fn start_over(&mut self, events: &[Event]) {
        for event in events {
            if let What::Deployment { number, change } = &event.what
                && let Some(Milestone::AttemptQueued { from_the_start: true, .. }) = change.milestone()
                && let Some(deployment) = self.state.deployments.get(number)
            {
                self.calls.clear_workspaces(&self.state, deployment, Keep::No);
            }
        }
    }

    /// Whoever follows the log of a phase that is over learns that it is, once a call that was stopped has written its
    /// last lines. A workspace goes when its deployment has succeeded.
    fn tidy_up(&mut self, events: &[Event]) {
        for (number, attempt, milestone) in milestones(&self.state, events) {
            let deployment = &self.state.deployments[&number];
            if let Milestone::Finished(finish) = milestone {
                let goes = finish == Finish::Succeeded && deployment.is_finished();
                self.calls.clear_workspaces(&self.state, deployment, if goes { Keep::No } else { Keep::Yes });
            }
            let left = self.calls.leaving(&deployment.environment);
            let ended = logs_ended_by(deployment, milestone).into_iter();
            let mut open: Vec<LogId> = ended.filter_map(|log| log_id(&self.name, number, attempt, &log).ok()).collect();
            if left.is_nobody() {
                open.retain(|id| !self.store.logs().close_silent(id));
            }
            if open.is_empty() {
                continue;
            }
            let store = self.store.clone();
            tokio::spawn(async move {
                left.wait().await;
                for id in open {
                    if let Err(error) = store.logs().close(&id).await {
                        tracing::warn!(log = %id, %error, "the log could not be closed");
                    }
                }
            });
        }
    }

    fn forget_gone_gates(&self, events: &[Event]) {
        if !events.iter().any(|event| matches!(event.what, What::DefinitionChanged { .. })) {
            return;
        }
        let (project, definition) = (self.name.clone(), self.state.definition.clone());
        let is_wanted =
            move |series: &SeriesId| series.project() != project.as_str() || evidence::is_named(&definition, series);
        let store = self.store.clone();
        tokio::spawn(async move { evidence::forget_gone(&store, clock::now(), is_wanted).await });
    }

    fn decide(&self, command: Command, around: Surroundings<'_>) -> Result<Turn, Rejection> {
        let (mut rows, mut rounds, mut payloads) = (Vec::new(), Vec::new(), Vec::new());
        let mut each = |state: &State, event: &Event| {
            // Now: in the words that a replay finds.
            rows.push(worded(state, event));
            rounds.extend(evidence::round_of(state, event));
            payloads.push(serde_json::to_vec(event).expect("events are plain data"));
        };
        let Decided { events, state } = decide(&self.state, command, around, &mut each)?;
        let largest = payloads.iter().map(Vec::len).max().unwrap_or(0);
        let allowed = self.store.max_event_bytes();
        // The journal would take it for a failure of the disk, and stop.
        if largest > allowed {
            return Err(Rejection::TooMuch { what: "the record of this, in bytes,", actual: largest, allowed });
        }
        Ok(Turn { events, state, rows, payloads, rounds })
    }

    /// With a snapshot of what is committed now, and all of the history that no page has.
    async fn save(&mut self, mut entries: Vec<Entry>, mut leaves: Leaves) {
        if self.indexer.is_gone() {
            return;
        }
        let (state, before) = (self.state.clone(), self.snapshot.clone());
        let (encoded, deployments) = self.horizon.snapshot(move || index::snapshot(&state, &before)).await;
        self.snapshot = self.state.deployments.clone();
        self.snapshot_bytes = encoded.len();
        self.unsaved = Unsaved::after(self.sequence);
        let (pages, paged): (Vec<Entry>, Vec<_>) = self.newest.rest().into_iter().unzip();
        entries.extend(deployments.into_iter().chain(pages));
        leaves.pages.extend(paged);
        self.hand_over(entries, leaves, SnapshotChange::Replace(encoded)).await;
    }

    /// To the index.
    async fn hand_over(&mut self, entries: Vec<Entry>, leaves: Leaves, snapshot: SnapshotChange) {
        let batch = IndexBatch { stream: self.name.to_string(), through: self.sequence, snapshot, entries };
        self.indexer.send(batch, leaves).await;
    }

    /// Records of the deployments that have finished, and of all these the pages that nothing more comes to.
    fn over_or_full(&mut self, touched: &BTreeSet<DeploymentNumber>) -> (Vec<Entry>, Leaves) {
        let (mut entries, mut leaves) = (Vec::new(), Leaves::default());
        for number in touched {
            let deployment = self.state.deployments.get(number);
            if let Some(finished) = deployment.filter(|deployment| deployment.is_finished()) {
                let finished = (*number, finished.attempt.number);
                entries.extend(index::record(&self.state, finished));
                leaves.finished.push(finished);
            }
            if let Some((page, paged)) = self.newest.take_page(&self.state, *number) {
                entries.push(page);
                leaves.pages.push(paged);
            }
        }
        (entries, leaves)
    }
}

/// Returns the sequences that the events got, if there are any.
async fn write(store: &Store, project: &Name, events: Vec<Vec<u8>>) -> Result<Option<Written>, StoreError> {
    if events.is_empty() {
        return Ok(None);
    }
    store.append(project.as_str(), events).await.map(Some)
}

fn worded(state: &State, event: &Event) -> Option<(DeploymentNumber, HistoryRow)> {
    let number = event.what.deployment()?;
    Some((number, narrate::row(state, number, event)))
}

/// What the deployments reached, and in which attempt: what is over may have been started again in the same batch.
pub fn milestones(state: &State, events: &[Event]) -> Vec<(DeploymentNumber, u32, Milestone)> {
    let mut attempts = BTreeMap::new();
    let mut reached = Vec::new();
    for event in events.iter().rev() {
        let What::Deployment { number, change } = &event.what else { continue };
        let (Some(milestone), Some(deployment)) = (change.milestone(), state.deployments.get(number)) else { continue };
        let of = attempts.entry(*number).or_insert(deployment.attempt.number);
        match milestone {
            Milestone::AttemptQueued { attempt, .. } => *of = attempt - 1,
            milestone => reached.push((*number, *of, milestone)),
        }
    }
    reached.reverse();
    reached
}

fn logs_ended_by(deployment: &Deployment, milestone: Milestone) -> Vec<String> {
    match milestone {
        Milestone::PhaseEnded { phase } => vec![deployment.phase(phase).name.to_string()],
        Milestone::Finished(_) => LOGS_BESIDE_PHASES.map(str::to_owned).to_vec(),
        Milestone::AttemptQueued { .. }
        | Milestone::Enqueued
        | Milestone::Held
        | Milestone::SlotTaken
        | Milestone::SlotGivenUp => Vec::new(),
    }
}

async fn sleep_until(wake_at: Option<lockgate_core::name::Timestamp>, paused: bool) {
    match wake_at {
        Some(at) => {
            // The clock may be set while we sleep: look at it now and then.
            let wait = Duration::from_millis(at.ms_since(clock::now()).min(LONGEST_SLEEP_MS));
            tokio::time::sleep(if paused { wait.max(PAUSE_AFTER_REFUSAL) } else { wait }).await;
        }
        None => std::future::pending().await,
    }
}
