//! Keeps the index in step with the journal, behind the owner's back: what is listed and paged, never the truth.

use std::time::Duration;

use lockgate_core::change::Milestone;
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_core::snapshot::{Deployments, changed};
use lockgate_core::state::{Event, State, What};
use lockgate_store::{Entry, IndexBatch, Store};
use tokio::sync::{mpsc, watch};

use super::narrate;

/// Finished deployments: number to the whole record.
pub const FINISHED: &str = "finished";
/// History of a deployment: number and sequence to the event as people read it.
pub const HISTORY: &str = "history";
/// Deployments of the newest snapshot: number to the whole record.
pub const IN_MEMORY: &str = "in_memory";

/// Raised when a record or a snapshot gets another shape: an index of the old one is made again from the journal.
pub const SHAPE: u32 = 4;

/// A deployment whose attempt has finished, by number and attempt: there may be a newer one by the time it is indexed.
pub type Finished = (DeploymentNumber, u32);

/// After how many events a snapshot of the state goes to the index, so that a start replays little: the later, the larger the
/// last one was. Up to 4 MiB an event costs a kilobyte of it.
pub fn events_per_snapshot(last_bytes: usize) -> u64 {
    (last_bytes as u64 / 1_024).clamp(256, 4_096)
}

/// Batches that wait to be indexed; then the owner waits with them.
const WAITING_BATCHES: usize = 256;
/// How long the first of them waits for others. A commit costs as much as to decide a trigger, however little it holds; what is
/// shown is behind by so much. The end of a deployment waits for nothing: somebody may wait for that.
const GATHERING: Duration = Duration::from_millis(5);

/// With what its deployments finished.
type Waiting = (IndexBatch, Vec<Finished>);

pub struct Indexer(mpsc::Sender<Waiting>);

impl Indexer {
    pub async fn send(&self, batch: IndexBatch, finished: Vec<Finished>) {
        // A gone indexer has said why; the journal holds everything, and the next start catches up.
        let _ = self.0.send((batch, finished)).await;
    }
}

type Forgettable = mpsc::UnboundedReceiver<Vec<Finished>>;

/// Also gives how far the index is, and the finished deployments it has the record of.
pub fn start(store: Store, project: Name) -> (Indexer, watch::Receiver<u64>, Forgettable) {
    let (sender, mut batches) = mpsc::channel::<Waiting>(WAITING_BATCHES);
    let (indexed, indexed_receiver) = watch::channel(0);
    // Unbounded is bounded here: no more numbers than batches were let in.
    let (forget, forgettable) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut waiting = Vec::new();
        while batches.recv_many(&mut waiting, WAITING_BATCHES).await > 0 {
            let nobody_waits = |waiting: &[Waiting]| waiting.iter().all(|(_, finished)| finished.is_empty());
            let gathered =
                async { while nobody_waits(&waiting) && batches.recv_many(&mut waiting, WAITING_BATCHES).await > 0 {} };
            let _all_or_enough = tokio::time::timeout(GATHERING, gathered).await;
            let (gathered, finished): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
            let (through, finished) =
                (gathered.last().map_or(0, |batch: &IndexBatch| batch.through), finished.concat());
            if let Err(error) = store.index_all(gathered).await {
                tracing::error!(%project, %error, "the index failed: lists and history stand still until the next start rebuilds it");
                return;
            }
            indexed.send_replace(through);
            if !finished.is_empty() {
                let _ = forget.send(finished);
            }
        }
    });
    (Indexer(sender), indexed_receiver, forgettable)
}

pub fn entries(state: &State, events: &[(u64, Event)], finished: &[Finished]) -> Vec<Entry> {
    let history = events.iter().filter_map(|(sequence, event)| {
        let number = event.what.deployment()?;
        let row = narrate::row(state, number, event);
        Some(entry(HISTORY, history_key(number, *sequence), &row))
    });
    let records = finished.iter().filter_map(|(number, attempt)| {
        let deployment = state.deployments.get(number).filter(|deployment| deployment.attempt.number == *attempt)?;
        Some(entry(FINISHED, number.to_be_bytes().to_vec(), deployment.as_ref()))
    });
    history.chain(records).collect()
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

pub fn history_key(number: DeploymentNumber, sequence: u64) -> Vec<u8> {
    [number.to_be_bytes(), sequence.to_be_bytes()].concat()
}

fn entry(table: &'static str, key: Vec<u8>, value: &impl serde::Serialize) -> Entry {
    let value = serde_json::to_vec(value).expect("records are plain data");
    Entry { table, key, value: Some(value) }
}
