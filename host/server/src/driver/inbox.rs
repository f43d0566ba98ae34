//! How the owner of a project is reached: commands in, answers and views out. The owner itself is in `project`.

use std::sync::Arc;

use lockgate_core::handle::{Command, Rejection};
use lockgate_core::state::{Event, State};
use lockgate_core::work::{Answer, CallRef};
use lockgate_store::StoreError;
use tokio::sync::{mpsc, oneshot, watch};

/// A project as everyone but its owner sees it.
#[derive(Clone)]
pub struct ProjectHandle {
    pub(super) inbox: mpsc::Sender<Message>,
    pub(super) view: watch::Receiver<Arc<View>>,
    pub(super) indexed: watch::Receiver<u64>,
    /// Why its owner has ended, once it has.
    pub(super) stopped: watch::Receiver<Option<String>>,
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
}

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error(
        "nothing was changed, for the journal could not take it: {0}; make room on the disk of the data folder, then try again"
    )]
    NotWritten(StoreError),
    #[error("this project has stopped: {reason}; see the host's log, then restart the host")]
    Stopped { reason: String },
    #[error("the host is stopping; nothing was changed by this request as far as it knows: look, then try again")]
    Stopping,
}

pub(super) struct Message {
    pub(super) command: Command,
    pub(super) reply: Option<Reply>,
}

pub(super) type Reply = oneshot::Sender<Result<Committed, Refusal>>;

impl ProjectHandle {
    /// Done when the command's events are on disk.
    pub async fn send(&self, command: Command) -> Result<Committed, Refusal> {
        let (reply, answer) = oneshot::channel();
        let message = Message { command, reply: Some(reply) };
        if self.inbox.send(message).await.is_err() {
            return Err(self.why_stopped().await);
        }
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.why_stopped().await),
        }
    }

    async fn why_stopped(&self) -> Refusal {
        let mut stopped = self.stopped.clone();
        // Its owner is gone, or about to say why.
        match stopped.wait_for(Option::is_some).await.map(|reason| reason.clone()) {
            Ok(Some(reason)) => Refusal::Stopped { reason },
            Ok(None) | Err(_) => Refusal::Stopping,
        }
    }

    pub fn view(&self) -> Arc<View> {
        self.view.borrow().clone()
    }

    /// Hears of every commit.
    pub fn views(&self) -> watch::Receiver<Arc<View>> {
        self.view.clone()
    }

    /// Rises when the index, and with it the history, holds more events.
    pub fn indexed(&self) -> watch::Receiver<u64> {
        self.indexed.clone()
    }
}

/// How calls report back.
#[derive(Clone)]
pub struct Reports(pub(super) mpsc::Sender<Message>);

impl Reports {
    pub async fn send(&self, call: CallRef, answer: Answer) {
        let message = Message { command: Command::Report { call, answer }, reply: None };
        // Without an owner there is nobody to tell; the call is repeated when there is one again.
        let _ = self.0.send(message).await;
    }
}
