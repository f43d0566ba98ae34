//! Owns the system stream: plugins, grants, tokens and the list of projects.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockgate_core::digest::Digest;
use lockgate_core::name::{Name, Timestamp};
use lockgate_core::system::{SystemCommand, SystemEvent, SystemRejection, SystemState, handle};
use lockgate_store::{IndexBatch, SnapshotChange, Store, StoreError};
use tokio::sync::{mpsc, oneshot, watch};

use super::horizon::Horizon;
use super::inbox::{Ending, Refusal};
use super::index::Unsaved;
use super::replay::LoadedSystem;

/// Name of the stream. No project can have it: the sign is not allowed in names.
pub const STREAM: &str = "@system";

/// Commands that wait for the owner; a sender over that waits with them.
const INBOX: usize = 64;

#[derive(Clone)]
pub struct SystemHandle {
    inbox: mpsc::Sender<Message>,
    view: watch::Receiver<Arc<SystemState>>,
    ending: Ending,
}

struct Message {
    command: SystemCommand,
    now: Timestamp,
    reply: oneshot::Sender<Result<Arc<SystemState>, SystemRefusal>>,
}

#[derive(Debug, thiserror::Error)]
pub enum SystemRefusal {
    #[error(transparent)]
    Rejected(#[from] SystemRejection),
    #[error("{}", Refusal::NotWritten(.0.clone()))]
    NotWritten(StoreError),
    #[error(
        "the host takes no changes of plugins, tokens and projects any more: {reason}; see its log, then restart it"
    )]
    Stopped { reason: String },
    #[error("{}", Refusal::Stopping)]
    Stopping,
}

impl SystemHandle {
    pub fn new(store: Store, loaded: LoadedSystem, horizon: Horizon) -> Self {
        let LoadedSystem { state, sequence, unsaved } = loaded;
        let (inbox, messages) = mpsc::channel::<Message>(INBOX);
        let (sender, view) = watch::channel(Arc::new(state));
        let owner = Owner { store, view: sender, sequence, unsaved, horizon };
        let ending = Ending::of(owner.run(messages));
        Self { inbox, view, ending }
    }

    pub fn view(&self) -> Arc<SystemState> {
        self.view.borrow().clone()
    }

    /// Wakes at every change.
    pub fn views(&self) -> watch::Receiver<Arc<SystemState>> {
        self.view.clone()
    }

    /// What attempts that begin now pin for their environment's gates.
    pub fn approved_gates(&self) -> BTreeMap<Name, Digest> {
        self.view.borrow().approved_gates()
    }

    /// Done when it is on disk; gives the state after it.
    pub async fn send(&self, command: SystemCommand, now: Timestamp) -> Result<Arc<SystemState>, SystemRefusal> {
        let (reply, answer) = oneshot::channel();
        if self.inbox.send(Message { command, now, reply }).await.is_err() {
            return Err(self.why_stopped().await);
        }
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.why_stopped().await),
        }
    }

    async fn why_stopped(&self) -> SystemRefusal {
        self.ending.reason().await.map_or(SystemRefusal::Stopping, |reason| SystemRefusal::Stopped { reason })
    }
}

/// The only one that writes: what one command decides on, the one before has left.
struct Owner {
    store: Store,
    view: watch::Sender<Arc<SystemState>>,
    /// Of its last event.
    sequence: u64,
    unsaved: Unsaved,
    horizon: Horizon,
}

impl Owner {
    async fn run(mut self, mut messages: mpsc::Receiver<Message>) -> String {
        let mut horizon = self.horizon.watch();
        loop {
            tokio::select! {
                message = messages.recv() => {
                    let Some(Message { command, now, reply }) = message else {
                        return "nobody needs it any more".to_owned();
                    };
                    // The caller may be gone; the command is done all the same.
                    let _ = reply.send(self.write(command, now).await);
                    if self.unsaved.is_behind(self.horizon.now()) {
                        self.save().await;
                    }
                }
                Ok(()) = horizon.changed() => {
                    if self.unsaved.is_behind(*horizon.borrow_and_update()) {
                        self.save().await;
                    }
                }
            }
        }
    }

    /// As a snapshot, which a start reads instead of the events.
    async fn save(&mut self) {
        let state = serde_json::to_vec(self.view.borrow().as_ref()).expect("a state is plain data");
        let snapshot = SnapshotChange::Replace(state);
        let batch = IndexBatch { stream: STREAM.to_owned(), through: self.sequence, snapshot, entries: Vec::new() };
        match self.store.index(batch).await {
            Ok(()) => self.unsaved = Unsaved::after(self.sequence),
            Err(error) => {
                tracing::warn!(%error, "plugins and tokens got no snapshot; the next start reads more of the journal")
            }
        }
    }

    async fn write(&mut self, command: SystemCommand, now: Timestamp) -> Result<Arc<SystemState>, SystemRefusal> {
        let before = self.view.borrow().clone();
        let events = handle(&before, command, now)?;
        if events.is_empty() {
            return Ok(before);
        }
        let payloads = events.iter().map(|event| serde_json::to_vec(event).expect("events are plain data")).collect();
        let appended = self.store.append(STREAM, payloads).await;
        let written = appended.map_err(|error| {
            tracing::error!(%error, "the journal did not take a change of plugins or tokens");
            if error.is_refused_append() { SystemRefusal::NotWritten(error) } else { SystemRefusal::Stopping }
        })?;
        self.sequence = written.last;
        self.unsaved.add(written.first..=written.last);
        self.horizon.reached(written.last);
        let mut state = SystemState::clone(&before);
        events.iter().for_each(|event: &SystemEvent| state.apply(event));
        let state = Arc::new(state);
        self.view.send_replace(state.clone());
        Ok(state)
    }
}
