//! Owns the system stream: plugins, grants, tokens and the list of projects.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockgate_core::digest::Digest;
use lockgate_core::name::{Name, Timestamp};
use lockgate_core::system::{SystemCommand, SystemEvent, SystemRejection, SystemState, handle};
use lockgate_store::{Store, StoreError};
use tokio::sync::{mpsc, oneshot, watch};

use super::inbox::{Ending, Refusal};

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
    pub fn new(store: Store, state: SystemState) -> Self {
        let (inbox, mut messages) = mpsc::channel::<Message>(INBOX);
        let (sender, view) = watch::channel(Arc::new(state));
        let owner = Owner { store, view: sender };
        let ending = Ending::of(async move {
            while let Some(Message { command, now, reply }) = messages.recv().await {
                // The caller may be gone; the command is done all the same.
                let _ = reply.send(owner.write(command, now).await);
            }
            "nobody needs it any more".to_owned()
        });
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
}

impl Owner {
    async fn write(&self, command: SystemCommand, now: Timestamp) -> Result<Arc<SystemState>, SystemRefusal> {
        let before = self.view.borrow().clone();
        let events = handle(&before, command, now)?;
        if events.is_empty() {
            return Ok(before);
        }
        let payloads = events.iter().map(|event| serde_json::to_vec(event).expect("events are plain data")).collect();
        self.store.append(STREAM, payloads).await.map_err(|error| {
            tracing::error!(%error, "the journal did not take a change of plugins or tokens");
            if error.is_refused_append() { SystemRefusal::NotWritten(error) } else { SystemRefusal::Stopping }
        })?;
        let mut state = SystemState::clone(&before);
        events.iter().for_each(|event: &SystemEvent| state.apply(event));
        let state = Arc::new(state);
        self.view.send_replace(state.clone());
        Ok(state)
    }
}
