//! The one thread that writes to the index.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::runtime::{self, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::check::Check;
use super::rows::{self, MARK, Mark, NeededAtStart, Part, SNAPSHOT, TALLIES_KEY, Value, Writes, stream_key};
use super::tally::{Tallies, Tally};
use super::tree::{Sled, View};
use super::{Entry, IndexBatch, SnapshotChange};
use crate::StoreError;

/// How much may have to be derived again after a hard stop, besides what sled wrote by itself, and for how long: where little
/// happens, a snapshot that is in memory only would have the next start read everything before it.
const FLUSH_AFTER_KEYS: usize = 4096;
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// How much of sled's log the next start may have to read, besides what is written between two flushes: then sled is opened
/// again. With 2,000,000 rows in 2 GB whoever reads waits 150 ms for that, and with a quarter of this amount no less.
pub const REOPEN_AFTER_BYTES: u64 = 256 << 20;

pub struct Job {
    pub batches: Vec<IndexBatch>,
    pub done: oneshot::Sender<Result<(), StoreError>>,
}

pub struct Writer {
    sled: Sled,
    needed: NeededAtStart,
    check: Check,
    tallies: Tallies,
    unflushed_keys: usize,
    /// When it has to be flushed, if it has to.
    flush_at: Option<Instant>,
    reopen_after_bytes: u64,
    clock: Runtime,
}

/// What a batch comes to.
struct Planned {
    writes: Writes,
    /// What each row of the rest adds to its tally.
    changes: Vec<(Vec<u8>, Tally)>,
    tallies: Tallies,
}

impl Writer {
    pub fn new(sled: Sled, needed: NeededAtStart, check: Check, reopen_after_bytes: u64) -> Result<Self, StoreError> {
        let tallies = sled.view().tallies()?;
        let clock = runtime::Builder::new_current_thread().enable_time().build();
        let clock = clock.map_err(StoreError::io("start the clock of", sled.dir()))?;
        Ok(Self { tallies, sled, needed, check, unflushed_keys: 0, flush_at: None, reopen_after_bytes, clock })
    }

    pub fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        loop {
            match self.receive(&mut waiting, &mut jobs) {
                Some(0) => break,
                Some(_) => {}
                None => {
                    let _ = self.flush();
                    continue;
                }
            }
            let (batches, done): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.batches, job.done)).unzip();
            let result = self.apply(batches.into_iter().flatten().collect());
            let written = result.is_ok();
            for done in done {
                // A waiter may have gone.
                let _ = done.send(result.clone());
            }
            if self.unflushed_keys >= FLUSH_AFTER_KEYS {
                let _ = self.flush();
            }
            if written && self.sled.unnoted_bytes() >= self.reopen_after_bytes {
                self.reopen();
            }
        }
        let _ = self.flush();
    }

    /// How many wait, once somebody does; `None`: it is time to flush.
    fn receive(&self, waiting: &mut mpsc::Receiver<Job>, jobs: &mut Vec<Job>) -> Option<usize> {
        let waiting = waiting.recv_many(jobs, 128);
        match self.flush_at {
            None => Some(self.clock.block_on(waiting)),
            Some(flush_at) => self.clock.block_on(async { timeout_at(flush_at, waiting).await.ok() }),
        }
    }

    pub fn apply(&mut self, batches: Vec<IndexBatch>) -> Result<(), StoreError> {
        let Planned { writes, changes, tallies } = self.planned(batches)?;
        self.unflushed_keys += writes.len();
        self.flush_at.get_or_insert_with(|| Instant::now() + FLUSH_WITHIN);
        self.check.while_it_stands(&changes, || self.sled.write(writes))?;
        self.tallies = tallies;
        Ok(())
    }

    fn planned(&self, batches: Vec<IndexBatch>) -> Result<Planned, StoreError> {
        let view = self.sled.view();
        let mut writes = self.writes(&view, batches)?;
        let mut tallies = self.tallies;
        let mut changes = Vec::new();
        for (key, stored) in &writes {
            let Some(part) = Part::of(key) else { continue };
            let change = Tally::of_change(key, view.get(key)?.as_deref(), stored.as_deref());
            tallies.of(part).add(change);
            match part {
                Part::Start => {}
                Part::Rest => changes.push((key.clone(), change)),
            }
        }
        writes.insert(TALLIES_KEY.to_vec(), Some(tallies.encode()));
        Ok(Planned { writes, changes, tallies })
    }

    /// What to put and remove, by key: the last word on a key counts.
    fn writes(&self, view: &View<'_>, batches: Vec<IndexBatch>) -> Result<Writes, StoreError> {
        let mut values = BTreeMap::new();
        let mut writes = Writes::new();
        let mut marks: BTreeMap<Vec<u8>, Mark> = BTreeMap::new();
        for batch in batches {
            let mark_key = stream_key(MARK, &batch.stream);
            let before = match marks.get(&mark_key) {
                Some(mark) => Some(*mark),
                None => view.mark(&batch.stream)?,
            };
            let mut mark = Mark { through: batch.through, snapshot_through: before.map_or(0, |m| m.snapshot_through) };
            match batch.snapshot {
                SnapshotChange::Keep => {}
                SnapshotChange::Replace(state) => {
                    mark.snapshot_through = batch.through;
                    let value = [&batch.through.to_le_bytes(), state.as_slice()].concat();
                    values.insert(stream_key(SNAPSHOT, &batch.stream), Some(value));
                }
                SnapshotChange::Remove => {
                    mark.snapshot_through = 0;
                    values.insert(stream_key(SNAPSHOT, &batch.stream), None);
                }
            }
            marks.insert(mark_key, mark);
            for Entry { table, key, value } in batch.entries {
                values.insert([self.needed.table_prefix(&batch.stream, table), key].concat(), value);
            }
        }
        for (key, value) in values {
            remove(view, &key, &mut writes)?;
            if let Some(value) = value {
                rows::put(key, &value, &mut writes);
            }
        }
        writes.extend(marks.into_iter().map(|(key, mark)| (key, Some(mark.encode()))));
        Ok(writes)
    }

    /// Tells itself what went wrong.
    fn flush(&mut self) -> Result<(), StoreError> {
        (self.unflushed_keys, self.flush_at) = (0, None);
        self.sled.flush().inspect_err(|error| {
            tracing::warn!(%error, "the index is not durable; events are indexed again after a hard stop");
        })
    }

    /// What is not flushed is written first, while others still read.
    pub fn reopen(&mut self) {
        let Ok(()) = self.flush() else { return };
        if let Err(error) = self.sled.reopen(self.tallies) {
            self.check.stands_still(&error);
            tracing::error!(%error, "until the next start the index takes and gives nothing");
        }
    }
}

/// A row with the chunks it has now.
fn remove(view: &View<'_>, key: &[u8], writes: &mut Writes) -> Result<(), StoreError> {
    let stored = view.get(key)?;
    if let Some(Value::Chunked(chunks)) = stored.as_deref().and_then(Value::decode) {
        writes.extend(chunks.keys(key).map(|chunk| (chunk, None)));
    }
    writes.insert(key.to_vec(), None);
    Ok(())
}
