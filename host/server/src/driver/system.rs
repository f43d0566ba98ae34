//! Owns the system stream: plugins, grants, tokens and the list of projects.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockgate_core::digest::Digest;
use lockgate_core::name::{Name, Timestamp};
use lockgate_core::system::{SystemCommand, SystemEvent, SystemRejection, SystemState, handle};
use lockgate_store::{Store, StoreError};
use tokio::sync::{Mutex, watch};

use super::inbox::Refusal;

/// Name of the stream. No project can have it: the sign is not allowed in names.
pub const STREAM: &str = "@system";

#[derive(Clone)]
pub struct SystemHandle {
    store: Store,
    /// One writer at a time: what one decides on, the other must have seen.
    writer: Arc<Mutex<watch::Sender<Arc<SystemState>>>>,
    view: watch::Receiver<Arc<SystemState>>,
}

#[derive(Debug, thiserror::Error)]
pub enum SystemRefusal {
    #[error(transparent)]
    Rejected(#[from] SystemRejection),
    #[error("{}", Refusal::NotWritten(.0.clone()))]
    NotWritten(StoreError),
    #[error("{}", Refusal::Stopping)]
    Stopping,
}

impl SystemHandle {
    pub fn new(store: Store, state: SystemState) -> Self {
        let (sender, view) = watch::channel(Arc::new(state));
        Self { store, writer: Arc::new(Mutex::new(sender)), view }
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
        // A task of its own: a caller that goes away in mid-write must not leave memory behind the disk.
        let (handle, writer) = (self.clone(), self.writer.clone().lock_owned().await);
        let write = tokio::spawn(async move { handle.write(&writer, command, now).await });
        write.await.map_err(|_| SystemRefusal::Stopping)?
    }

    async fn write(
        &self,
        writer: &watch::Sender<Arc<SystemState>>,
        command: SystemCommand,
        now: Timestamp,
    ) -> Result<Arc<SystemState>, SystemRefusal> {
        let before = self.view();
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
        writer.send_replace(state.clone());
        Ok(state)
    }
}
