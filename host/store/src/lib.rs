//! The store: one data folder, owned by one host at a time.
//!
//! The journal in it is the truth. Blobs are made durable before the event that
//! names them, logs and samples are bulk beside it, and the index is derived: it may be lost
//! at any time, and then its owners make it again from the events.
//!
//! To start: for each of [`Store::streams`] take its [`Store::snapshot`], then
//! apply [`Store::tail`], the events after all snapshots in one pass. A snapshot that
//! its owner cannot read is left out, and the stream comes from its beginning: its first event, or what [`Store::base`] has.

pub mod backup;
mod blobs;
mod error;
pub mod export;
mod folder;
mod index;
mod logs;
mod places;
mod samples;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use lockgate_journal::{self as journal, Journal, JournalError, Records, StreamHead, TornTail};
use tokio::sync::{Semaphore, oneshot};

pub use blobs::{BlobReader, BlobWriter, Blobs};
pub use error::StoreError;
pub use index::{
    Direction, Entry, IndexBatch, IndexCheck, IndexState, PageQuery, RebuildReason, Row, Snapshot, SnapshotChange,
    Version,
};
pub use journal::{Base, Beginning, Committed, OnDamage, OnFatal, Past, States, Stats};
pub use logs::{Follow, LogId, LogLine, LogPage, Logs, MAX_LOG_LINE_BYTES};
pub use places::Places;
pub use samples::{Kept, MAX_SAMPLE_BYTES, Records as SampleRecords, Sample, Samples, SeriesId};

use folder::{Layout, Lock};
use index::{Content, Index};

/// Of the index and of logs, at a time.
const READERS: usize = 8;

#[derive(Default)]
pub struct StoreOptions {
    /// `on_damage` there is told, once, when what [`Store::past`] speaks of is found damaged.
    pub journal: journal::Options,
    /// Number of the shapes that the owner puts into the index; with another number it is made again.
    pub index_shape: u32,
    /// Tables of the index that the owner reads to start: their rows are checked before the store is open, all others
    /// behind it. With other names the index is made again.
    pub needed_at_start: &'static [&'static str],
}

/// What opening found, for the host to log. What is found later is told by [`Store::past`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub events: u64,
    pub torn_tail: Option<TornTail>,
    pub index: IndexState,
}

#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    dir: PathBuf,
    journal: Journal,
    /// As many permits as bytes may wait for the disk: whoever comes later waits
    /// in line instead of being refused by the journal.
    room: Arc<Semaphore>,
    max_queue_bytes: usize,
    index: Index,
    blobs: Blobs,
    logs: Logs,
    samples: Samples,
    reading: Places,
    removals: RwLock<()>,
    // Last, so that it is let go when everything is closed.
    _lock: Lock,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    pub sequence: u64,
    pub stream: String,
    pub payload: Vec<u8>,
}

impl Store {
    /// Opens or creates the data folder `dir` and reads what a start needs: of the journal what comes after the checkpoint, of
    /// the index what its owner names. The rest is read behind it: see [`Store::past`] and [`Store::index_check`].
    pub fn open(dir: &Path, options: StoreOptions) -> Result<(Self, Opened), StoreError> {
        folder::create(dir)?;
        folder::warn_if_open_to_others(dir);
        let lock = Lock::take(dir)?;
        let layout = Layout::new(dir);
        if layout.unfinished.exists() {
            return Err(StoreError::Unfinished { dir: dir.to_owned() });
        }
        for folder in [&layout.journal, &layout.blobs, &layout.logs, &layout.samples, &layout.workspaces] {
            folder::create_private(folder)?;
        }
        if !journal::is_there(&layout.journal)? {
            layout.expect_new()?;
        }
        // No batch could ever take more permits than there are.
        let max_queue_bytes = options.journal.max_queue_bytes.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        let (journal, recovery) = Journal::open(&layout.journal, options.journal)?;
        if recovery.records == 0 {
            layout.expect_no_events()?;
        }
        let ends = journal.streams().into_iter().map(|(stream, head)| (stream, head.last)).collect();
        let content = Content { shape: options.index_shape, needed_at_start: options.needed_at_start };
        let (index, index_state) = Index::open(&layout.index, &layout.journal, content, &ends)?;
        let reading = Places::new("reading", READERS).map_err(StoreError::io("start the reading threads of", dir))?;
        let inner = Inner {
            dir: dir.to_owned(),
            journal,
            room: Arc::new(Semaphore::new(max_queue_bytes)),
            max_queue_bytes,
            index,
            blobs: Blobs::open(&layout.blobs)?,
            logs: Logs::open(&layout.logs, reading.clone())?,
            samples: Samples::open(&layout.samples)?,
            reading,
            removals: RwLock::default(),
            _lock: lock,
        };
        let opened = Opened { events: recovery.records, torn_tail: recovery.torn_tail, index: index_state };
        Ok((Self { inner: Arc::new(inner) }, opened))
    }

    /// Appends events to a stream; returns when they are on disk. Whoever needs an
    /// order awaits one append before the next. A dropped one may still be written.
    pub async fn append(&self, stream: &str, payloads: Vec<Vec<u8>>) -> Result<Committed, StoreError> {
        let stopping = StoreError::Stopping { what: "the journal" };
        let bytes = journal::framed_bytes(stream, &payloads).min(self.inner.max_queue_bytes);
        let room = Arc::clone(&self.inner.room).acquire_many_owned(bytes as u32).await.map_err(|_| stopping.clone())?;
        let (tell, told) = oneshot::channel();
        self.inner.journal.append(stream, payloads, move |result| {
            // Whoever waited may have gone; what is written stays written.
            let _ = tell.send(result);
            drop(room);
        });
        Ok(told.await.map_err(|_| stopping)??)
    }

    /// An append with a larger event fails.
    pub fn max_event_bytes(&self) -> usize {
        self.inner.journal.max_payload_bytes()
    }

    /// The streams that have events, in order of their names.
    pub fn streams(&self) -> Vec<String> {
        self.heads().into_keys().collect()
    }

    /// Each stream with its last sequence and the hash of its chain.
    pub fn heads(&self) -> BTreeMap<String, StreamHead> {
        self.inner.journal.streams()
    }

    pub fn snapshot(&self, stream: &str) -> Result<Option<Snapshot>, StoreError> {
        self.inner.index.snapshot(stream)
    }

    /// The events of all streams, each after the event its owner's state goes through, in one pass over the journal.
    pub fn tail(&self, through: &BTreeMap<String, u64>) -> Result<Tail, StoreError> {
        let mut after = BTreeMap::new();
        let mut from = self.inner.journal.last() + 1;
        for (stream, head) in self.heads() {
            let through = through.get(&stream).copied().unwrap_or(0);
            if through < head.last {
                from = from.min(head.first.max(self.inner.journal.earliest_behind(&stream, through)));
            }
            after.insert(stream, through);
        }
        Ok(Tail { records: self.inner.journal.read(from)?, after })
    }

    /// All events from a sequence on, but those that were dropped.
    pub fn events(&self, from: u64) -> Result<impl Iterator<Item = Result<Event, StoreError>> + use<>, StoreError> {
        Ok(self.inner.journal.read(from)?.map(|record| Ok(event(record?))))
    }

    /// What the journal begins with, and all that is committed after it: at least what [`Store::heads`] has told of before.
    /// As long as the records are held, nothing is dropped.
    pub(crate) fn read_all(&self) -> Result<(Option<Base>, Records), StoreError> {
        Ok(self.inner.journal.read_all()?)
    }

    /// How many of the first events were dropped.
    pub fn dropped(&self) -> u64 {
        self.inner.journal.dropped()
    }

    /// What stands for the events that were dropped; blocks.
    pub fn base(&self) -> Result<Option<Base>, StoreError> {
        Ok(self.inner.journal.base()?)
    }

    /// The sequences of each part of the journal that could be dropped, in order.
    pub fn full_segments(&self) -> Result<Vec<RangeInclusive<u64>>, StoreError> {
        Ok(self.inner.journal.full_segments()?)
    }

    /// Drops all events up to a sequence, with which such a part ends. These states were made of nothing but them, and stand
    /// in their place; blocks.
    pub fn drop_through(&self, through: u64, states: States) -> Result<(), StoreError> {
        Ok(self.inner.journal.drop_through(through, states)?)
    }

    /// Writes to the index; returns when it can be read, not when it is durable.
    pub async fn index(&self, batch: IndexBatch) -> Result<(), StoreError> {
        self.inner.index.apply(vec![batch], false).await
    }

    /// The same for many, in their order and in one commit; where the disk refuses them, when it takes them again.
    pub async fn index_all(&self, batches: Vec<IndexBatch>) -> Result<(), StoreError> {
        self.inner.index.apply(batches, true).await
    }

    /// The last event of a stream that is in the index; zero if none is.
    pub fn indexed_through(&self, stream: &str) -> Result<u64, StoreError> {
        self.inner.index.through(stream)
    }

    pub fn get(&self, stream: &str, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.index.get(stream, table, key)
    }

    pub fn page(&self, query: &PageQuery<'_>) -> Result<Vec<Row>, StoreError> {
        self.inner.index.page(query)
    }

    /// What is known of the rows of the index that were not read at the start.
    pub fn index_check(&self) -> IndexCheck {
        self.inner.index.check()
    }

    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    pub fn logs(&self) -> &Logs {
        &self.inner.logs
    }

    pub fn samples(&self) -> &Samples {
        &self.inner.samples
    }

    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    pub fn workspaces(&self) -> PathBuf {
        Layout::new(&self.inner.dir).workspaces
    }

    /// What tools have begun and ended.
    pub fn tools(&self) -> PathBuf {
        Layout::new(&self.inner.dir).tools
    }

    /// Values of secrets.
    pub fn secrets(&self) -> PathBuf {
        Layout::new(&self.inner.dir).secrets
    }

    /// Reads the index, off the threads that serve requests; whoever comes while many read waits.
    pub async fn read<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> T {
        let store = self.clone();
        self.inner.reading.run(move || work(&store)).await.expect("reading does not panic")
    }

    /// Held while files are removed that an event has forgotten; blocks while a backup reads them.
    pub fn removing(&self) -> RwLockReadGuard<'_, ()> {
        self.inner.removals.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keep_all(&self) -> RwLockWriteGuard<'_, ()> {
        self.inner.removals.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a backup of this moment; blocks.
    pub fn back_up(&self, out: impl io::Write) -> Result<backup::Contents, backup::BackupError> {
        backup::write(self, out)
    }

    /// What is known of the old events that opening has not read. Where they are damaged the host can go on: what runs does
    /// not depend on them, and whoever reads there gets the error. But it is to be told, for a backup or an export of this
    /// folder fails, and a copy that is whole may be needed soon.
    pub fn past(&self) -> Past {
        self.inner.journal.past()
    }

    /// Why a segment of the journal is not packed, or no checkpoint written, last.
    pub fn packing_failure(&self) -> Option<JournalError> {
        self.inner.journal.packing_failure()
    }

    /// The last event of all; zero if there is none.
    pub fn last(&self) -> u64 {
        self.inner.journal.last()
    }

    /// What the disk of the data folder has left for this user; blocks.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        folder::free_bytes(&self.inner.dir)
    }

    /// How many syncs the journal needed for how many events since it was opened.
    pub fn stats(&self) -> Stats {
        self.inner.journal.stats()
    }
}

/// Events after the snapshots of their streams, in order of their sequence.
pub struct Tail {
    records: Records,
    after: BTreeMap<String, u64>,
}

impl Iterator for Tail {
    type Item = Result<Event, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.records.next()? {
                Ok(record) if self.after.get(&record.stream).is_some_and(|through| record.sequence <= *through) => {}
                Ok(record) => return Some(Ok(event(record))),
                Err(error) => return Some(Err(error.into())),
            }
        }
    }
}

fn event(record: journal::Record) -> Event {
    Event { sequence: record.sequence, stream: record.stream, payload: record.payload }
}
