//! The one thread that writes to the index.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::thread::{self, JoinHandle};
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
use crate::folder::free_bytes;

/// How much may have to be derived again after a hard stop, besides what sled wrote by itself, and for how long: where little
/// happens, a snapshot that is in memory only would have the next start read everything before it.
const FLUSH_AFTER_KEYS: usize = 4096;
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// How much of sled's log the next start may have to read, besides what is written between two flushes: then sled is opened
/// again. With 2,000,000 rows in 2 GB whoever reads waits 150 ms for that, and with a quarter of this amount no less.
pub const REOPEN_AFTER_BYTES: u64 = 256 << 20;

/// After the disk has refused, it is asked again this much later.
const PAUSE: Duration = Duration::from_secs(1);
/// And only where this much is free: sled writes where its pages lie when it is opened, and segments.
pub const ROOM_TO_OPEN: u64 = 32 << 20;

pub struct Job {
    pub batches: Vec<IndexBatch>,
    /// Waits for a disk that refuses; others are told.
    pub is_patient: bool,
    pub done: oneshot::Sender<Result<(), StoreError>>,
}

impl Job {
    fn answer(self, result: Result<(), StoreError>) {
        // A waiter may have gone.
        let _ = self.done.send(result);
    }
}

pub struct Writer {
    sled: Sled,
    needed: NeededAtStart,
    check: Check,
    tallies: Tallies,
    /// What a disk that refuses may make sled forget: all that was written since it was flushed last.
    unflushed: Writes,
    /// The tallies then, and after each batch since.
    since_flush: Vec<Tallies>,
    /// Why it takes and gives nothing now.
    held_up: Option<StoreError>,
    /// When it has to be flushed, or the disk to be asked again.
    wake_at: Option<Instant>,
    reopen_after_bytes: u64,
    clock: Runtime,
    /// The check that was begun again.
    checking: Option<JoinHandle<()>>,
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
        Ok(Self {
            sled,
            needed,
            check,
            tallies,
            unflushed: Writes::new(),
            since_flush: vec![tallies],
            held_up: None,
            wake_at: None,
            reopen_after_bytes,
            clock,
            checking: None,
        })
    }

    pub fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut jobs = Vec::new();
        while self.receive(&mut waiting, &mut jobs) {
            if self.wake_at.is_some_and(|at| at <= Instant::now()) {
                self.on_time();
            }
            if self.held_up.is_none() && !jobs.is_empty() {
                self.write(&mut jobs);
            }
            if let Some(error) = &self.held_up {
                let goes = |job: &mut Job| !job.is_patient || job.done.is_closed();
                jobs.extract_if(.., goes).for_each(|job| job.answer(Err(error.clone())));
            }
        }
        if self.held_up.is_none() {
            let _ = self.flush();
        }
        self.check.close();
        // What failed there was told.
        let _ = self.checking.map(JoinHandle::join);
    }

    /// False: nobody needs it any more. More may wait than before, or it is time for something.
    fn receive(&self, waiting: &mut mpsc::Receiver<Job>, jobs: &mut Vec<Job>) -> bool {
        let waiting = waiting.recv_many(jobs, 128);
        match self.wake_at {
            None => self.clock.block_on(waiting) > 0,
            Some(at) => self.clock.block_on(async { timeout_at(at, waiting).await.map_or(true, |count| count > 0) }),
        }
    }

    fn on_time(&mut self) {
        let done = match self.held_up {
            None => self.flush(),
            Some(_) => free_bytes(self.sled.dir()).and_then(|free| self.mend(free)),
        };
        if let Err(error) = done {
            self.hold_up(error);
        }
    }

    fn write(&mut self, jobs: &mut Vec<Job>) {
        let result = self.apply(jobs.iter().flat_map(|job| &job.batches));
        match result {
            Err(error) if self.sled.what_is_broken().is_none() => return self.hold_up(error),
            result => jobs.drain(..).for_each(|job| job.answer(result.clone())),
        }
        let done = match self.unflushed.len() {
            keys if keys >= FLUSH_AFTER_KEYS => self.flush(),
            _ => Ok(()),
        };
        let done = done.and_then(|()| match self.sled.unnoted_bytes() {
            bytes if bytes >= self.reopen_after_bytes => self.reopen(),
            _ => Ok(()),
        });
        if let Err(error) = done {
            self.hold_up(error);
        }
    }

    /// The disk was full, or took nothing for another reason, and may take it again: until then all wait who can, and who
    /// reads is told. What is broken holds nobody up: they are told by their own attempt.
    pub fn hold_up(&mut self, error: StoreError) {
        self.check.stands_still(&error);
        if self.sled.what_is_broken().is_some() {
            self.held_up = None;
            return self.forget_unflushed();
        }
        if self.held_up.as_ref().is_none_or(|before| before.to_string() != error.to_string()) {
            tracing::error!(%error, "the index takes and gives nothing until it can go on; what ends stays in memory");
        }
        (self.held_up, self.wake_at) = (Some(error), Some(Instant::now() + PAUSE));
    }

    pub fn apply<'a>(&mut self, batches: impl IntoIterator<Item = &'a IndexBatch>) -> Result<(), StoreError> {
        let Planned { writes, changes, tallies } = self.planned(batches)?;
        self.wake_at.get_or_insert_with(|| Instant::now() + FLUSH_WITHIN);
        // Before: what fails may be there all the same.
        self.unflushed.extend(writes.clone());
        self.since_flush.push(tallies);
        self.tallies = tallies;
        self.check.while_it_stands(&changes, || self.sled.write(writes))
    }

    fn planned<'a>(&self, batches: impl IntoIterator<Item = &'a IndexBatch>) -> Result<Planned, StoreError> {
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
    fn writes<'a>(
        &self,
        view: &View<'_>,
        batches: impl IntoIterator<Item = &'a IndexBatch>,
    ) -> Result<Writes, StoreError> {
        let mut values: BTreeMap<Vec<u8>, Option<Cow<'_, [u8]>>> = BTreeMap::new();
        let mut writes = Writes::new();
        let mut marks: BTreeMap<Vec<u8>, Mark> = BTreeMap::new();
        for batch in batches {
            let mark_key = stream_key(MARK, &batch.stream);
            let before = match marks.get(&mark_key) {
                Some(mark) => Some(*mark),
                None => view.mark(&batch.stream)?,
            };
            let mut mark = Mark { through: batch.through, snapshot_through: before.map_or(0, |m| m.snapshot_through) };
            match &batch.snapshot {
                SnapshotChange::Keep => {}
                SnapshotChange::Replace(state) => {
                    mark.snapshot_through = batch.through;
                    let value = [&batch.through.to_le_bytes(), state.as_slice()].concat();
                    values.insert(stream_key(SNAPSHOT, &batch.stream), Some(value.into()));
                }
                SnapshotChange::Remove => {
                    mark.snapshot_through = 0;
                    values.insert(stream_key(SNAPSHOT, &batch.stream), None);
                }
            }
            marks.insert(mark_key, mark);
            for Entry { table, key, value } in &batch.entries {
                let key = [&self.needed.table_prefix(&batch.stream, table), key.as_slice()].concat();
                values.insert(key, value.as_deref().map(Cow::from));
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
        self.sled.flush().inspect_err(|error| {
            tracing::warn!(%error, "the index is not durable; events are indexed again after a hard stop");
        })?;
        self.forget_unflushed();
        Ok(())
    }

    fn forget_unflushed(&mut self) {
        self.wake_at = None;
        self.unflushed.clear();
        self.since_flush = vec![self.tallies];
    }

    /// What is not flushed is written first, while others still read.
    pub fn reopen(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.sled.reopen(&self.since_flush).inspect_err(|error| self.check.stands_still(error))
    }

    /// sled answers with its first error for ever: it is opened again, and what it may have forgotten is written once more.
    pub fn mend(&mut self, free_bytes: u64) -> Result<(), StoreError> {
        // On a full disk sled spoils its own files while it opens them.
        if let Some(error) = &self.held_up
            && free_bytes < ROOM_TO_OPEN
        {
            return Err(error.clone());
        }
        self.sled.reopen(&self.since_flush)?;
        self.sled.write(self.unflushed.clone())?;
        self.sled.flush()?;
        self.forget_unflushed();
        self.held_up = None;
        tracing::info!("the index goes on");
        self.check_again();
        Ok(())
    }

    fn check_again(&mut self) {
        // It has ended, for the index stood still.
        let _ = self.checking.take().map(JoinHandle::join);
        self.check.begin_again();
        let check = self.check.clone();
        match thread::Builder::new().name("index check".to_owned()).spawn(|| check.run()) {
            Ok(thread) => self.checking = Some(thread),
            Err(error) => {
                let start = StoreError::io("start the checking thread of", self.sled.dir());
                self.check.stands_still(&start(error));
            }
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
