//! How the owner of a project is reached: commands in, answers and views out. The owner itself is in `project`.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use lockgate_core::handle::{Command, Rejection};
use lockgate_core::kept::{Keep, Namespace};
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_core::state::{Event, State};
use lockgate_core::work::{Answer, CallRef};
use lockgate_sandbox::CancellationToken;
use lockgate_store::StoreError;
use tokio::sync::{mpsc, oneshot, watch};

use super::ends::{Ends, is_over};
use super::history::Newest;
use super::retention::Gone;

/// A project as everyone but its owner sees it.
#[derive(Clone)]
pub struct ProjectHandle {
    pub(super) inbox: mpsc::Sender<Message>,
    pub(super) goes: mpsc::Sender<Vec<Gone>>,
    pub(super) view: watch::Receiver<Arc<View>>,
    pub(super) indexed: watch::Receiver<u64>,
    pub(super) ends: Ends,
    pub(super) ending: Ending,
}

/// Why an owner has ended, once it has.
#[derive(Clone)]
pub(super) struct Ending(watch::Receiver<Option<String>>);

impl Ending {
    /// Runs the owner beside its callers. It gives the reason for which it ended; a panic is one, too.
    pub(super) fn of(owner: impl Future<Output = String> + Send + 'static) -> Self {
        let (ended, ending) = watch::channel(None);
        tokio::spawn(async move {
            let reason = AssertUnwindSafe(owner).catch_unwind().await;
            let reason = reason.unwrap_or_else(|_| "it failed in a way that it should not, which is a bug".to_owned());
            ended.send_replace(Some(reason));
        });
        Self(ending)
    }

    /// Of one that never began.
    pub(super) fn at_once(reason: String) -> Self {
        Self(watch::channel(Some(reason)).1)
    }

    /// To be asked when it has gone, or is about to say why it goes. `None`: with all of the host.
    pub(super) async fn reason(&self) -> Option<String> {
        let mut ending = self.0.clone();
        let said = ending.wait_for(Option::is_some).await;
        said.ok().and_then(|reason| reason.clone())
    }
}

/// The state after the last commit. Copies share structure.
pub struct View {
    pub state: State,
    pub(super) newest: Newest,
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
    /// Behind a pointer, for the channel of each project keeps room for 32 messages at least.
    pub(super) command: Box<Command>,
    pub(super) asker: Asker,
}

pub(super) enum Asker {
    Someone(Reply),
    /// A call: its answer counts unless it was stopped.
    Call(CancellationToken),
    Time,
}

impl Message {
    pub fn new(command: Command, asker: Asker) -> Self {
        Self { command: Box::new(command), asker }
    }

    /// Its number may have been given to another call since: what the disk has refused leaves no trace.
    pub fn is_of_a_stopped_call(&self) -> bool {
        matches!(&self.asker, Asker::Call(stopped) if stopped.is_cancelled())
    }
}

pub(super) type Reply = oneshot::Sender<Result<Committed, Refusal>>;

impl ProjectHandle {
    /// Done when the command's events are on disk.
    pub async fn send(&self, command: Command) -> Result<Committed, Refusal> {
        let (reply, answer) = oneshot::channel();
        let message = Message::new(command, Asker::Someone(reply));
        if self.inbox.send(message).await.is_err() {
            return Err(self.why_stopped().await);
        }
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.why_stopped().await),
        }
    }

    /// Removes what had ended before all that is kept. One that has stopped does so after its next start.
    pub(super) async fn let_go(&self, gone: Vec<Gone>) {
        let _ = self.goes.send(gone).await;
    }

    async fn why_stopped(&self) -> Refusal {
        self.ending.reason().await.map_or(Refusal::Stopping, |reason| Refusal::Stopped { reason })
    }

    pub fn view(&self) -> Arc<View> {
        self.view.borrow().clone()
    }

    /// Hears of every commit.
    pub fn views(&self) -> watch::Receiver<Arc<View>> {
        self.view.clone()
    }

    /// Done when a deployment is over, or was when this was asked.
    pub async fn end_of(&self, number: DeploymentNumber) {
        self.ends.wait_for(number, || is_over(&self.view().state, number)).await;
    }

    /// Rises when the index holds more events.
    pub fn indexed(&self) -> watch::Receiver<u64> {
        self.indexed.clone()
    }
}

/// What calls have of their project: they report back, and keep state. It does not keep the owner: a project that nobody
/// can reach any more ends.
#[derive(Clone)]
pub struct Reports {
    pub(super) inbox: mpsc::WeakSender<Message>,
    pub(super) view: watch::Receiver<Arc<View>>,
}

/// What a call has answered.
#[derive(Clone)]
pub struct Report {
    pub call: CallRef,
    pub answer: Answer,
    pub stopped: CancellationToken,
}

impl Reports {
    pub async fn send(&self, Report { call, answer, stopped }: Report) {
        let message = Message::new(Command::Report { call, answer }, Asker::Call(stopped));
        // Without an owner there is nobody to tell; the call is repeated when there is one again.
        if let Some(inbox) = self.inbox.upgrade() {
            let _ = inbox.send(message).await;
        }
    }

    /// What plugins have kept in an environment.
    pub fn kept(&self, environment: &Name, namespace: &Name) -> Namespace {
        let view = self.view.borrow().clone();
        view.state.environment(environment).kept.get(namespace).cloned().unwrap_or_default()
    }

    /// Done when it is on disk.
    pub async fn keep(&self, keep: Keep) -> Result<Committed, Refusal> {
        let (reply, answer) = oneshot::channel();
        let message = Message::new(Command::Keep(keep), Asker::Someone(reply));
        let inbox = self.inbox.upgrade().ok_or(Refusal::Stopping)?;
        inbox.send(message).await.map_err(|_| Refusal::Stopping)?;
        // It must not be kept from ending.
        drop(inbox);
        answer.await.unwrap_or(Err(Refusal::Stopping))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_owner_says_why_it_ended_also_where_it_should_not_have() {
        assert_eq!(Ending::of(async { "the disk".to_owned() }).reason().await.as_deref(), Some("the disk"));
        let reason = Ending::of(async { panic!("a bug") }).reason().await;
        assert_eq!(reason.as_deref(), Some("it failed in a way that it should not, which is a bug"));
    }
}
