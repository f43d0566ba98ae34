//! The one thread that writes to the index.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, oneshot};

use super::check::Check;
use super::rows::{self, MARK, Mark, NeededAtStart, Part, SNAPSHOT, TALLIES_KEY, Value, Writes, stream_key};
use super::tally::{Tallies, Tally};
use super::tree::Sled;
use super::{Entry, IndexBatch, SnapshotChange};
use crate::StoreError;

/// How much may have to be derived again after a hard stop, besides what sled wrote by itself.
const FLUSH_AFTER_KEYS: usize = 4096;

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
}

impl Writer {
    pub fn new(sled: Sled, needed: NeededAtStart, check: Check) -> Result<Self, StoreError> {
        Ok(Self { tallies: sled.tallies()?, sled, needed, check, unflushed_keys: 0 })
    }

    pub fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        while waiting.blocking_recv_many(&mut jobs, 128) > 0 {
            let (batches, done): (Vec<_>, Vec<_>) = jobs.drain(..).map(|job| (job.batches, job.done)).unzip();
            let result = self.apply(batches.into_iter().flatten().collect());
            for done in done {
                // A waiter may have gone.
                let _ = done.send(result.clone());
            }
            if self.unflushed_keys >= FLUSH_AFTER_KEYS {
                self.flush();
            }
        }
        self.flush();
    }

    pub fn apply(&mut self, batches: Vec<IndexBatch>) -> Result<(), StoreError> {
        let mut writes = self.writes(batches)?;
        self.unflushed_keys += writes.len();
        let mut tallies = self.tallies;
        let mut changes = Vec::new();
        for (key, stored) in &writes {
            let Some(part) = Part::of(key) else { continue };
            let change = Tally::of_change(key, self.sled.get(key)?.as_deref(), stored.as_deref());
            tallies.of(part).add(change);
            match part {
                Part::Start => {}
                Part::Rest => changes.push((key.clone(), change)),
            }
        }
        writes.insert(TALLIES_KEY.to_vec(), Some(tallies.encode()));
        self.check.while_it_stands(&changes, || self.sled.write(writes))?;
        self.tallies = tallies;
        Ok(())
    }

    /// What to put and remove, by key: the last word on a key counts.
    fn writes(&self, batches: Vec<IndexBatch>) -> Result<Writes, StoreError> {
        let mut values = BTreeMap::new();
        let mut writes = Writes::new();
        let mut marks: BTreeMap<Vec<u8>, Mark> = BTreeMap::new();
        for batch in batches {
            let mark_key = stream_key(MARK, &batch.stream);
            let before = match marks.get(&mark_key) {
                Some(mark) => Some(*mark),
                None => self.sled.mark(&batch.stream)?,
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
            self.remove(&key, &mut writes)?;
            if let Some(value) = value {
                rows::put(key, &value, &mut writes);
            }
        }
        writes.extend(marks.into_iter().map(|(key, mark)| (key, Some(mark.encode()))));
        Ok(writes)
    }

    /// A row with the chunks it has now.
    fn remove(&self, key: &[u8], writes: &mut Writes) -> Result<(), StoreError> {
        let stored = self.sled.get(key)?;
        if let Some(Value::Chunked(chunks)) = stored.as_deref().and_then(Value::decode) {
            writes.extend(chunks.keys(key).map(|chunk| (chunk, None)));
        }
        writes.insert(key.to_vec(), None);
        Ok(())
    }

    fn flush(&mut self) {
        self.unflushed_keys = 0;
        if let Err(error) = self.sled.flush() {
            tracing::warn!(%error, "the index is not durable; events are indexed again after a hard stop");
        }
    }
}
