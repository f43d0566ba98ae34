//! Keeps the index in step with the journal, behind the owner's back: what is listed and paged, never the truth.

use std::ops::RangeInclusive;
use std::pin::pin;
use std::time::Duration;

use lockgate_core::change::Milestone;
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_core::snapshot::{Deployments, changed};
use lockgate_core::state::{Event, State, What};
use lockgate_store::{Entry, IndexBatch, Store, StoreError, StoreOptions};
use tokio::sync::{mpsc, watch};

use super::history::Paged;

/// Finished deployments: number to the whole record.
pub const FINISHED: &str = "finished";
/// Deployments of the newest snapshot: number to the whole record.
pub const IN_MEMORY: &str = "in_memory";

/// Raised when a record or a snapshot gets another shape: an index of the old one is made again from the journal. States are read
/// from what stands for dropped events, too (`condensed`): those of every shape there was.
const SHAPE: u32 = 5;

/// A deployment whose attempt has finished, by number and attempt: there may be a newer one by the time it is indexed.
pub type Finished = (DeploymentNumber, u32);

/// After how many events a snapshot of the state goes to the index, so that a start replays little: the later, the larger the
/// last one was. Up to 4 MiB an event costs a kilobyte of it.
pub fn events_per_snapshot(last_bytes: usize) -> u64 {
    (last_bytes as u64 / 1_024).clamp(256, 4_096)
}

/// What the newest snapshot of a stream does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsaved {
    events: u64,
    /// Where a start begins to read: behind the snapshot, or before the first event of all.
    behind: u64,
}

impl Unsaved {
    /// Zero: there is no snapshot.
    pub fn after(snapshot: u64) -> Self {
        Self { events: 0, behind: snapshot }
    }

    pub fn add(&mut self, sequences: RangeInclusive<u64>) {
        if self.behind == 0 {
            self.behind = sequences.start() - 1;
        }
        self.events += sequences.count() as u64;
    }

    /// A start would read from before the horizon; or it would apply more than it is worth.
    pub fn needs_a_snapshot(&self, horizon: u64, last_bytes: usize) -> bool {
        self.is_behind(horizon) || self.events >= events_per_snapshot(last_bytes)
    }

    pub fn is_behind(&self, horizon: u64) -> bool {
        self.events > 0 && self.behind < horizon
    }
}

/// As a host opens its data folder.
pub fn store_options(journal: lockgate_journal::Options) -> StoreOptions {
    StoreOptions { journal, index_shape: SHAPE, needed_at_start: &[IN_MEMORY] }
}

/// Batches that wait to be indexed; then the owner waits with them.
const WAITING_BATCHES: usize = 256;
/// What a project keeps for an index that the disk refuses: some thousand deployments.
const MOST_WAITING_BYTES: usize = 8 << 20;
/// Of each, beside what it brings.
const BATCH_BYTES: usize = 512;
/// A batch that is not held up takes a second at most.
const LONGEST_WRITE: Duration = Duration::from_secs(30);
/// How long the first of them waits for others: a commit costs as much as to decide a trigger, however little it holds. Who
/// follows a log that nothing closes, for it has no line, hears that much later that its attempt is over (`http/logs.rs`).
/// Nobody else waits for it: what the index does not have is read from memory.
const GATHERING: Duration = Duration::from_millis(50);

/// What leaves memory once the index has it.
#[derive(Default)]
pub struct Leaves {
    pub finished: Vec<Finished>,
    pub pages: Vec<Paged>,
}

type Waiting = (IndexBatch, Leaves);

pub struct Indexer(mpsc::Sender<Waiting>);

impl Indexer {
    /// One that is gone has said why; the journal holds everything, and the next start catches up.
    pub fn is_gone(&self) -> bool {
        self.0.is_closed()
    }

    pub async fn send(&self, batch: IndexBatch, leaves: Leaves) {
        let _ = self.0.send((batch, leaves)).await;
    }
}

type Forgettable = mpsc::UnboundedReceiver<Vec<Leaves>>;

/// Also gives how far the index is, and what it has.
pub fn start(store: Store, project: Name) -> (Indexer, watch::Receiver<u64>, Forgettable) {
    let (sender, mut batches) = mpsc::channel::<Waiting>(WAITING_BATCHES);
    let (indexed, indexed_receiver) = watch::channel(0);
    // Unbounded is bounded here: no more than the batches that were let in.
    let (forget, forgettable) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut waiting = Vec::new();
        while !waiting.is_empty() || batches.recv_many(&mut waiting, WAITING_BATCHES).await > 0 {
            let all = async { while batches.recv_many(&mut waiting, WAITING_BATCHES).await > 0 {} };
            let _all_or_enough = tokio::time::timeout(GATHERING, all).await;
            let (gathered, leaves): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
            let through = gathered.last().map_or(0, |batch: &IndexBatch| batch.through);
            let too_long = tokio::time::sleep(LONGEST_WRITE);
            let written = while_others_wait(store.index_all(gathered), too_long, &mut batches, &mut waiting).await;
            if let Err(why) = written {
                tracing::error!(%project, %why, "the index takes nothing more of this project: until the next start, all that ends stays in memory");
                return;
            }
            indexed.send_replace(through);
            let _ = forget.send(leaves);
        }
    });
    (Indexer(sender), indexed_receiver, forgettable)
}

/// The owner is not held up where the disk refuses the index for a while. Who brings more than is kept waits, and where that
/// takes too long, the index gets no more of this project.
async fn while_others_wait(
    written: impl Future<Output = Result<(), StoreError>>,
    too_long: impl Future<Output = ()>,
    batches: &mut mpsc::Receiver<Waiting>,
    waiting: &mut Vec<Waiting>,
) -> Result<(), String> {
    let (mut written, mut too_long, mut bytes) = (pin!(written), pin!(too_long), 0);
    loop {
        tokio::select! {
            biased;
            written = &mut written => return written.map_err(|error| error.to_string()),
            Some(next) = batches.recv(), if bytes < MOST_WAITING_BYTES => {
                bytes += next.0.size_bytes() + BATCH_BYTES;
                waiting.push(next);
            }
            () = &mut too_long, if bytes >= MOST_WAITING_BYTES => {
                return Err("it was held up for too long, and too much waited for it".to_owned());
            }
        }
    }
}

/// The record of what has finished, if there is no newer attempt of it.
pub fn record(state: &State, (number, attempt): Finished) -> Option<Entry> {
    let deployment = state.deployments.get(&number).filter(|deployment| deployment.attempt.number == attempt)?;
    Some(entry(FINISHED, number.to_be_bytes().to_vec(), deployment.as_ref()))
}

/// A snapshot, as both of its parts: the state, and the deployments that are not as the snapshot `before` has them.
pub fn snapshot(state: &State, before: &Deployments) -> (Vec<u8>, Vec<Entry>) {
    let encoded = serde_json::to_vec(state).expect("a state is plain data");
    let records = changed(before, &state.deployments).map(|(number, deployment)| match deployment {
        Some(deployment) => entry(IN_MEMORY, number.to_be_bytes().to_vec(), deployment),
        None => Entry { table: IN_MEMORY, key: number.to_be_bytes().to_vec(), value: None },
    });
    (encoded, records.collect())
}

pub fn finished_by(state: &State, event: &Event) -> Option<Finished> {
    let What::Deployment { number, change } = &event.what else { return None };
    let Some(Milestone::Finished(_)) = change.milestone() else { return None };
    Some((*number, state.deployments.get(number)?.attempt.number))
}

fn entry(table: &'static str, key: Vec<u8>, value: &impl serde::Serialize) -> Entry {
    let value = serde_json::to_vec(value).expect("records are plain data");
    Entry { table, key, value: Some(value) }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures::FutureExt as _;
    use lockgate_store::SnapshotChange;
    use tokio::sync::oneshot;

    use super::*;

    fn waiting(bytes: usize) -> Waiting {
        let entries = vec![Entry { table: FINISHED, key: Vec::new(), value: Some(vec![7; bytes]) }];
        let batch = IndexBatch { stream: "shop".to_owned(), through: 1, snapshot: SnapshotChange::Keep, entries };
        (batch, Leaves::default())
    }

    #[tokio::test]
    async fn who_writes_for_long_takes_in_what_comes_as_far_as_there_is_room_for_it() {
        let (sender, mut batches) = mpsc::channel(8);
        let (done, written) = oneshot::channel::<()>();
        for bytes in [MOST_WAITING_BYTES / 2, MOST_WAITING_BYTES, 1] {
            sender.send(waiting(bytes)).await.unwrap();
        }
        let mut taken = Vec::new();
        {
            let written = async { written.await.map_err(|_| StoreError::Stopping { what: "the test" }) };
            let mut writing = pin!(while_others_wait(written, pending(), &mut batches, &mut taken));
            assert!(writing.as_mut().now_or_never().is_none());
            done.send(()).unwrap();
            writing.await.unwrap();
        }
        assert_eq!((taken.len(), batches.len()), (2, 1));
        let mut ended = |too_long| while_others_wait(pending(), too_long, &mut batches, &mut taken).now_or_never();
        assert!(ended(ready(())).is_none(), "a little may wait for long");
        sender.send(waiting(MOST_WAITING_BYTES)).await.unwrap();
        assert!(matches!(ended(ready(())), Some(Err(_))));
    }
}
