//! The loop that owns a project: command in, events to the journal, state out, calls started and stopped.
//!
//! It takes all that waits, decides, commits once, and only then answers and acts. While a commit is under way
//! the next commands gather: the disk sets the pace, not a timer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use lockgate_core::definition::RESERVED_PHASE_NAMES;
use lockgate_core::deployment::{Change, Deployment, Finish};
use lockgate_core::handle::{Command, Rejection, handle};
use lockgate_core::name::{DeploymentNumber, Name, Timestamp};
use lockgate_core::state::{Event, State, What};
use lockgate_core::work::{Answer, CallRef};
use lockgate_store::{IndexBatch, Store};
use tokio::sync::{mpsc, oneshot, watch};

use super::calls::{CallRunner, Keep, RunningCalls, log_id};
use super::index::{self, Indexer};
use crate::clock;

/// Commands that wait for the owner; a sender over that waits with them.
const INBOX: usize = 1_024;
/// Commands decided on in one commit.
const MOST_PER_COMMIT: usize = 256;
/// A commit takes no further command once its events are this large.
const COMMIT_BYTES: usize = 8 << 20;
/// A snapshot of the state goes to the index this often, so that a start replays little.
pub const EVENTS_PER_SNAPSHOT: u64 = 4_096;
const LONGEST_SLEEP_MS: u64 = 60_000;

/// A project as everyone but its owner sees it.
#[derive(Clone)]
pub struct ProjectHandle {
    inbox: mpsc::Sender<Message>,
    view: watch::Receiver<Arc<View>>,
    indexed: watch::Receiver<u64>,
}

/// The state after the last commit. Copies share structure.
pub struct View {
    pub state: State,
    /// Journal sequence of the last event in it.
    pub sequence: u64,
}

/// A command that is on disk.
#[derive(Debug, Clone)]
pub struct Committed {
    pub events: Vec<Event>,
    /// Of the last event, also where the command changed nothing.
    pub sequence: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error("the host is stopping; nothing was changed by this request as far as it knows: look, then try again")]
    Stopping,
}

struct Message {
    command: Command,
    reply: Option<oneshot::Sender<Result<Committed, Refusal>>>,
}

impl ProjectHandle {
    /// Done when the command's events are on disk.
    pub async fn send(&self, command: Command) -> Result<Committed, Refusal> {
        let (reply, answer) = oneshot::channel();
        let message = Message { command, reply: Some(reply) };
        self.inbox.send(message).await.map_err(|_| Refusal::Stopping)?;
        answer.await.map_err(|_| Refusal::Stopping)?
    }

    pub fn view(&self) -> Arc<View> {
        self.view.borrow().clone()
    }

    /// Rises when the index, and with it the history, holds more events.
    pub fn indexed(&self) -> watch::Receiver<u64> {
        self.indexed.clone()
    }
}

/// How calls report back.
#[derive(Clone)]
pub struct Reports(mpsc::Sender<Message>);

impl Reports {
    pub async fn send(&self, call: CallRef, answer: Answer) {
        let message = Message { command: Command::Report { call, answer }, reply: None };
        // Without an owner there is nobody to tell; the call is repeated when there is one again.
        let _ = self.0.send(message).await;
    }
}

/// Starts the owner of a project whose state was loaded up to `sequence`.
pub fn own(state: State, sequence: u64, store: Store, runner: CallRunner) -> ProjectHandle {
    let (inbox, messages) = mpsc::channel(INBOX);
    let (view, views) = watch::channel(Arc::new(View { state: state.clone(), sequence }));
    let (indexer, indexed, forgettable) = index::start(store.clone(), state.project.name.clone());
    let owner = Owner {
        name: state.project.name.clone(),
        calls: RunningCalls::new(runner, Reports(inbox.clone())),
        snapshot_due: sequence + EVENTS_PER_SNAPSHOT,
        state,
        sequence,
        store,
        view,
        indexer,
    };
    tokio::spawn(owner.run(messages, forgettable));
    ProjectHandle { inbox, view: views, indexed }
}

struct Owner {
    name: Name,
    state: State,
    sequence: u64,
    store: Store,
    view: watch::Sender<Arc<View>>,
    indexer: Indexer,
    calls: RunningCalls,
    snapshot_due: u64,
}

impl Owner {
    async fn run(
        mut self,
        mut messages: mpsc::Receiver<Message>,
        mut forgettable: mpsc::UnboundedReceiver<Vec<DeploymentNumber>>,
    ) {
        self.calls.follow_all(&self.state);
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                received = messages.recv_many(&mut batch, MOST_PER_COMMIT) => if received == 0 { return },
                Some(numbers) = forgettable.recv() => {
                    numbers.into_iter().for_each(|number| self.state.forget(number));
                    continue;
                }
                () = sleep_until(self.state.wake_at()) => batch.push(Message { command: Command::Tick, reply: None }),
            }
            let mut batch = VecDeque::from(batch);
            while !batch.is_empty() {
                if self.commit(&mut batch).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Decides on what fits one commit, writes it, and then tells and acts. An error means that the disk failed:
    /// whoever waits learns that the host stops, and nothing is started on the strength of events that may not be there.
    async fn commit(&mut self, batch: &mut VecDeque<Message>) -> Result<(), ()> {
        let now = clock::now().max(self.state.last_event_at);
        let (mut events, mut payloads, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut replies = Vec::new();
        while bytes < COMMIT_BYTES
            && let Some(message) = batch.pop_front()
        {
            let decided = self.decide(message.command, now).map(|(decided, encoded)| {
                decided.iter().for_each(|event| self.state.apply(event));
                bytes += encoded.iter().map(Vec::len).sum::<usize>();
                events.extend_from_slice(&decided);
                payloads.extend(encoded);
                decided
            });
            match message.reply {
                Some(reply) => replies.push((reply, decided)),
                None => drop(decided.inspect_err(|why| tracing::error!(project = %self.name, %why, "not recorded"))),
            }
        }
        let first = self.write(payloads).await.map_err(|error| {
            tracing::error!(project = %self.name, %error, "the journal failed; this project stops here");
        })?;
        let touched = touched(&events);
        self.view.send_replace(Arc::new(View { state: self.state.clone(), sequence: self.sequence }));
        for (reply, decided) in replies {
            let committed = decided.map(|events| Committed { events, sequence: self.sequence });
            // The caller may be gone; the command is done all the same.
            let _ = reply.send(committed.map_err(Refusal::Rejected));
        }
        self.start_over(&events);
        for number in touched.keys() {
            let due = self.state.deployments.get(number).map(|deployment| deployment.due()).unwrap_or_default();
            self.calls.follow(&self.state, *number, &due);
        }
        self.tidy_up(&events);
        let numbered: Vec<(u64, Event)> = (first..).zip(events).collect();
        let finished: Vec<_> =
            touched.into_iter().filter_map(|(number, finished)| finished.then_some(number)).collect();
        self.index(&numbered, &finished).await;
        Ok(())
    }

    /// All of it again starts from an empty workspace. Before its first call does: that one waits for it.
    fn start_over(&mut self, events: &[Event]) {
        for event in events {
            if let What::Deployment { number, change: Change::AttemptQueued { resume_at: None, .. } } = &event.what
                && let Some(deployment) = self.state.deployments.get(number)
            {
                self.calls.clear_workspaces(&self.state, deployment, Keep::No);
            }
        }
    }

    /// Whoever follows the log of a phase that is over learns that it is, once a call that was stopped has written its
    /// last lines. A workspace goes when its deployment has succeeded.
    fn tidy_up(&mut self, events: &[Event]) {
        for event in events {
            let What::Deployment { number, change } = &event.what else { continue };
            let Some(deployment) = self.state.deployments.get(number) else { continue };
            if let Change::Finished { finish, .. } = change {
                let goes = *finish == Finish::Succeeded && deployment.is_finished();
                self.calls.clear_workspaces(&self.state, deployment, if goes { Keep::No } else { Keep::Yes });
            }
            for log in logs_ended_by(deployment, change) {
                let (store, name) = (self.store.clone(), self.name.clone());
                let (number, attempt) = (*number, deployment.attempt.number);
                let left = self.calls.leaving(&deployment.environment);
                tokio::spawn(async move {
                    left.wait().await;
                    if let Ok(id) = log_id(&name, number, attempt, &log)
                        && let Err(error) = store.logs().close(&id).await
                    {
                        tracing::warn!(log = %id, %error, "the log could not be closed");
                    }
                });
            }
        }
    }

    /// What a command leads to, and how the journal keeps it.
    fn decide(&self, command: Command, now: Timestamp) -> Result<(Vec<Event>, Vec<Vec<u8>>), Rejection> {
        let events = handle(&self.state, command, now)?;
        let encode = |event| serde_json::to_vec(event).expect("events are plain data");
        let encoded: Vec<Vec<u8>> = events.iter().map(encode).collect();
        let largest = encoded.iter().map(Vec::len).max().unwrap_or(0);
        let allowed = self.store.max_event_bytes();
        // The journal would take it for a failure of the disk, and stop.
        if largest > allowed {
            return Err(Rejection::TooMuch { what: "the record of this, in bytes,", actual: largest, allowed });
        }
        Ok((events, encoded))
    }

    /// Returns the sequence of the first event.
    async fn write(&mut self, payloads: Vec<Vec<u8>>) -> Result<u64, lockgate_store::StoreError> {
        if payloads.is_empty() {
            return Ok(self.sequence + 1);
        }
        let committed = self.store.append(self.name.as_str(), payloads).await?;
        self.sequence = committed.last;
        Ok(committed.first)
    }

    async fn index(&mut self, events: &[(u64, Event)], finished: &[DeploymentNumber]) {
        if events.is_empty() && finished.is_empty() {
            return;
        }
        let snapshot = self.sequence >= self.snapshot_due;
        if snapshot {
            self.snapshot_due = self.sequence + EVENTS_PER_SNAPSHOT;
        }
        let batch = IndexBatch {
            stream: self.name.to_string(),
            through: self.sequence,
            snapshot: snapshot.then(|| serde_json::to_vec(&self.state).expect("a state is plain data")),
            entries: index::entries(&self.state, events, finished),
        };
        self.indexer.send(batch, finished.to_vec()).await;
    }
}

/// The deployments these events are about, and whether each has finished.
fn touched(events: &[Event]) -> BTreeMap<DeploymentNumber, bool> {
    let mut touched = BTreeMap::new();
    for event in events {
        match &event.what {
            What::Deployment { number, change } => {
                touched.insert(*number, matches!(change, Change::Finished { .. }));
            }
            What::DeploymentQueued(queued) => {
                touched.insert(queued.number, false);
            }
            What::ProjectCreated { .. }
            | What::DefinitionChanged { .. }
            | What::ReleaseCreated { .. }
            | What::ReleaseActivated { .. }
            | What::ReleaseAbandoned { .. }
            | What::DeploymentReopened { .. }
            | What::CurrentChanged { .. }
            | What::LiveChanged { .. } => {}
        }
    }
    touched
}

fn logs_ended_by(deployment: &Deployment, change: &Change) -> Vec<String> {
    match change {
        Change::PhaseSucceeded { phase } | Change::PhaseFailed { phase, .. } | Change::PhaseCanceled { phase } => {
            vec![deployment.phase(*phase).name.to_string()]
        }
        Change::Finished { .. } => RESERVED_PHASE_NAMES.map(str::to_owned).to_vec(),
        _ => Vec::new(),
    }
}

async fn sleep_until(wake_at: Option<lockgate_core::name::Timestamp>) {
    match wake_at {
        Some(at) => {
            // The clock may be set while we sleep: look at it now and then.
            let wait_ms = at.ms_since(clock::now()).min(LONGEST_SLEEP_MS);
            tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
        }
        None => std::future::pending().await,
    }
}
