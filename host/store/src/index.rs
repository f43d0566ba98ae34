//! The index: what is derived from the journal, kept in sled. Never the truth:
//! after a crash it may be behind the journal, and when it is missing, of another
//! format or unreadable, it is moved aside and begun anew. Ahead of the journal it
//! is the only witness of events that are gone: then opening is refused.
//!
//! One thread writes. Writing from many tasks makes sled 0.34 hang, and one batch
//! of what waits is cheaper than many. Everything lies in one tree, so that a batch
//! is atomic. Long values are cut into chunks: sled puts long pages into side
//! files that it never syncs, and a page holds up to 16 values.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;
use crate::folder;

const FORMAT: u32 = 2;
const MAX_INLINE_BYTES: usize = 4096;
/// How much may have to be derived again after a hard stop, besides what sled wrote by itself.
const FLUSH_AFTER_KEYS: usize = 4096;
const QUEUE: usize = 1024;

/// Everything that follows from a stream's events up to `through`, applied as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexBatch {
    pub stream: String,
    /// The sequence of the last event of this stream that is contained.
    pub through: u64,
    pub snapshot: SnapshotChange,
    pub entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotChange {
    Keep,
    /// The stream's whole state at `through`.
    Replace(Vec<u8>),
    Remove,
}

/// One key of a table; no value removes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub table: &'static str,
    pub key: Vec<u8>,
    pub value: Option<Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub through: u64,
    pub state: Vec<u8>,
}

/// A part of a table: keys that begin with `prefix`, in order.
#[derive(Debug, Clone, Copy)]
pub struct PageQuery<'a> {
    pub stream: &'a str,
    pub table: &'a str,
    pub prefix: &'a [u8],
    /// The last key of the page before; this page begins behind it in `direction`.
    pub after: Option<&'a [u8]>,
    pub limit: usize,
    pub direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

/// A key with its value.
pub type Row = (Vec<u8>, Vec<u8>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexState {
    Ready,
    /// The index is empty: there are no snapshots, and the owners index all events again.
    Rebuilt(RebuildReason),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RebuildReason {
    Missing,
    OtherFormat { found: Version, written: Version },
    Broken(String),
}

impl fmt::Display for RebuildReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "there is none"),
            Self::OtherFormat { found, written } => {
                write!(f, "it has format {found}, this host writes {written}")
            }
            Self::Broken(problem) => write!(f, "{problem}"),
        }
    }
}

/// How the index is written, and what its owners put into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    pub format: u32,
    pub shape: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.format, self.shape)
    }
}

/// What the index knows of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    through: u64,
    /// Zero without a snapshot.
    snapshot_through: u64,
}

pub(crate) struct Index {
    sled: Sled,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

struct Job {
    batches: Vec<IndexBatch>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl Index {
    /// `ends` has the last sequence of each stream in the journal, `shape` the number of what is put in.
    pub fn open(
        dir: &Path,
        journal: &Path,
        shape: u32,
        ends: &BTreeMap<String, u64>,
    ) -> Result<(Self, IndexState), StoreError> {
        let written = Version { format: FORMAT, shape };
        let (sled, state) = open_or_rebuild(dir, written, ends)?;
        if let Some((stream, through, end)) = ahead(&sled, ends)? {
            let (journal, index) = (journal.to_owned(), dir.to_owned());
            return Err(StoreError::EventsAreGone { stream, through, end, journal, index });
        }
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let writer = Writer { tally: sled.tally()?, sled: sled.clone(), unflushed_keys: 0 };
        let writer = thread::Builder::new()
            .name("index".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(StoreError::io("start the writing thread of", dir))?;
        Ok((Self { sled, jobs: Some(jobs), writer: Some(writer) }, state))
    }

    /// Returns when the batches can be read. They become durable some time later.
    pub async fn apply(&self, batches: Vec<IndexBatch>) -> Result<(), StoreError> {
        for batch in &batches {
            check_names([batch.stream.as_str()].into_iter().chain(batch.entries.iter().map(|entry| entry.table)))?;
        }
        let (done, applied) = oneshot::channel();
        let stopping = StoreError::Stopping { what: "the index" };
        let Some(jobs) = &self.jobs else {
            return Err(stopping);
        };
        jobs.send(Job { batches, done }).await.map_err(|_| stopping.clone())?;
        applied.await.map_err(|_| stopping)?
    }

    pub fn get(&self, stream: &str, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        check_names([stream, table])?;
        self.sled.read(&[table_prefix(stream, table).as_slice(), key].concat())
    }

    pub fn page(&self, query: &PageQuery<'_>) -> Result<Vec<Row>, StoreError> {
        check_names([query.stream, query.table])?;
        self.sled.page(query)
    }

    pub fn snapshot(&self, stream: &str) -> Result<Option<Snapshot>, StoreError> {
        check_names([stream])?;
        let Some(bytes) = self.sled.read(&stream_key(SNAPSHOT, stream))? else {
            return Ok(None);
        };
        let Some((through, state)) = bytes.split_first_chunk() else {
            return Err(self.sled.broken("read", "a snapshot is too short".to_owned()));
        };
        Ok(Some(Snapshot { through: u64::from_le_bytes(*through), state: state.to_vec() }))
    }

    /// The last sequence of a stream that is indexed; zero if nothing is.
    pub fn through(&self, stream: &str) -> Result<u64, StoreError> {
        Ok(self.sled.mark(stream)?.map_or(0, |mark| mark.through))
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // Its failures were told to the waiters.
            let _ = writer.join();
        }
    }
}

fn check_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<(), StoreError> {
    match names.into_iter().find(|name| name.len() > 255) {
        Some(name) => Err(StoreError::InvalidIndexName { name: name.to_owned() }),
        None => Ok(()),
    }
}

// Opening.

fn open_or_rebuild(
    dir: &Path,
    written: Version,
    ends: &BTreeMap<String, u64>,
) -> Result<(Sled, IndexState), StoreError> {
    let reason = if dir.is_file() {
        RebuildReason::Broken("a file stood in its place; that is now beside it, as `index.broken`".to_owned())
    } else if dir.exists() {
        folder::create_private(dir)?;
        match open_checked(dir, written) {
            Ok(sled) => return Ok((sled, IndexState::Ready)),
            Err(reason) => reason,
        }
    } else {
        RebuildReason::Missing
    };
    move_aside(dir)?;
    let sled = Sled::create(dir, written)?;
    // A new data folder misses nothing.
    let state = if ends.is_empty() { IndexState::Ready } else { IndexState::Rebuilt(reason) };
    Ok((sled, state))
}

/// The last broken index is kept for whoever wants to know what happened to it.
fn move_aside(dir: &Path) -> Result<(), StoreError> {
    let aside = dir.with_extension("broken");
    if dir.exists() {
        // A closing sled still writes files by their path: into the new index, were it there.
        wait_until_released(dir);
        folder::remove_if_there(&aside)?;
        fs::rename(dir, &aside).map_err(StoreError::io("move aside the broken index", dir))?;
    }
    Ok(())
}

/// sled closes its files on a thread of its own some time after its handle is gone.
/// An index that was open a moment ago would look broken without this wait.
pub(crate) fn wait_until_released(dir: &Path) {
    let still_locked = || {
        let file = File::open(dir.join("db")).ok()?;
        flock(file, FlockOperation::NonBlockingLockExclusive).err().filter(|error| *error == Errno::WOULDBLOCK)
    };
    for _ in 0..5000 {
        if still_locked().is_none() {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn open_checked(dir: &Path, written: Version) -> Result<Sled, RebuildReason> {
    if let Ok(problem) = fs::read_to_string(broken_note(dir)) {
        return Err(RebuildReason::Broken(problem));
    }
    wait_until_released(dir);
    let broken = |error: StoreError| RebuildReason::Broken(error.to_string());
    let sled = Sled::open(dir).map_err(broken)?;
    match sled.format().map_err(broken)? {
        Some(found) if found == written => {}
        Some(found) => return Err(RebuildReason::OtherFormat { found, written }),
        None => {
            return Err(RebuildReason::Broken("it does not say its format".to_owned()));
        }
    }
    sled.check_rows().map_err(broken)?;
    sled.marks().map_err(broken)?;
    Ok(sled)
}

/// A stream of which the index has seen more than the journal holds. Only what was acknowledged gets into it.
fn ahead(sled: &Sled, ends: &BTreeMap<String, u64>) -> Result<Option<(String, u64, u64)>, StoreError> {
    let end = |stream: &String| ends.get(stream).copied().unwrap_or(0);
    let mut marks = sled.marks()?.into_iter().map(|(stream, mark)| (end(&stream), stream, mark.through));
    Ok(marks.find(|(end, _, through)| through > end).map(|(end, stream, through)| (stream, through, end)))
}

// Writing.

struct Writer {
    sled: Sled,
    tally: Tally,
    unflushed_keys: usize,
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
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

    fn apply(&mut self, batches: Vec<IndexBatch>) -> Result<(), StoreError> {
        let writes = self.writes(batches)?;
        self.unflushed_keys += writes.len();
        let mut tally = self.tally;
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            if let Some(old) = self.sled.guard("read", |db| db.get(&key))? {
                tally.remove(&key, &old);
            }
            match value {
                Some(value) => {
                    tally.add(&key, &value);
                    batch.insert(key, value);
                }
                None => batch.remove(key),
            }
        }
        batch.insert(TALLY_KEY, tally.encode());
        let _alone = self.sled.batches.write().unwrap_or_else(PoisonError::into_inner);
        self.sled.guard("write to", |db| db.apply_batch(batch))?;
        self.tally = tally;
        Ok(())
    }

    /// What to put and remove, by key: the last word on a key counts.
    fn writes(&self, batches: Vec<IndexBatch>) -> Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>, StoreError> {
        let mut values = BTreeMap::new();
        let mut writes = BTreeMap::new();
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
                values.insert([table_prefix(&batch.stream, table), key].concat(), value);
            }
        }
        for (key, value) in values {
            self.sled.remove_chunks(&key, &mut writes)?;
            encode_value(key, value, &mut writes);
        }
        writes.extend(marks.into_iter().map(|(key, mark)| (key, Some(mark.encode()))));
        Ok(writes)
    }

    fn flush(&mut self) {
        self.unflushed_keys = 0;
        if let Err(error) = self.sled.flush() {
            tracing::warn!(%error, "the index is not durable; events are indexed again after a hard stop");
        }
    }
}

// Keys: a kind, then what it is about; names with their length before them, so
// that no stream or table is the prefix of another.

const FORMAT_KEY: &[u8] = &[0];
const TALLY_KEY: &[u8] = &[5];
const MARK: u8 = 1;
const SNAPSHOT: u8 = 2;
const ENTRY: u8 = 3;
const CHUNK: u8 = 4;

fn stream_key(kind: u8, stream: &str) -> Vec<u8> {
    let mut key = vec![kind, stream.len() as u8];
    key.extend(stream.as_bytes());
    key
}

fn table_prefix(stream: &str, table: &str) -> Vec<u8> {
    let mut key = stream_key(ENTRY, stream);
    key.push(table.len() as u8);
    key.extend(table.as_bytes());
    key
}

fn chunk_key(owner: &[u8], number: usize) -> Vec<u8> {
    let mut key = vec![CHUNK];
    key.extend((owner.len() as u32).to_be_bytes());
    key.extend(owner);
    key.extend((number as u32).to_be_bytes());
    key
}

impl Mark {
    fn encode(self) -> Vec<u8> {
        [self.through.to_le_bytes(), self.snapshot_through.to_le_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (through, rest) = bytes.split_first_chunk()?;
        let snapshot_through = rest.try_into().ok()?;
        Some(Self { through: u64::from_le_bytes(*through), snapshot_through: u64::from_le_bytes(snapshot_through) })
    }
}

// The tally: how many rows there are, and the sum of their hashes. sled may open a
// damaged file, leave out what it cannot read and call the rest whole; the tally tells.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    rows: u64,
    sum: u64,
}

impl Tally {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_add(1);
        self.sum = self.sum.wrapping_add(row_hash(key, value));
    }

    fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.rows = self.rows.wrapping_sub(1);
        self.sum = self.sum.wrapping_sub(row_hash(key, value));
    }

    fn encode(self) -> Vec<u8> {
        [self.rows.to_le_bytes(), self.sum.to_le_bytes()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (rows, sum) = bytes.split_first_chunk()?;
        Some(Self { rows: u64::from_le_bytes(*rows), sum: u64::from_le_bytes(sum.try_into().ok()?) })
    }
}

fn row_hash(key: &[u8], value: &[u8]) -> u64 {
    let mut hash = Sha256::new();
    hash.update((key.len() as u64).to_le_bytes());
    hash.update(key);
    hash.update(value);
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().map_or(0, |start| u64::from_le_bytes(*start))
}

// Values: whole, or the length and digest of what lies in chunks.

const INLINE: u8 = 0;
const CHUNKED: u8 = 1;

enum Value<'a> {
    Inline(&'a [u8]),
    Chunked { bytes: usize, digest: [u8; 32] },
}

impl<'a> Value<'a> {
    fn decode(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&INLINE, value) => Some(Self::Inline(value)),
            (&CHUNKED, rest) => {
                let (bytes, digest) = rest.split_first_chunk()?;
                Some(Self::Chunked { bytes: u64::from_le_bytes(*bytes) as usize, digest: digest.try_into().ok()? })
            }
            (_, _) => None,
        }
    }
}

fn encode_value(key: Vec<u8>, value: Option<Vec<u8>>, writes: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>) {
    let stored = value.map(|value| {
        if value.len() <= MAX_INLINE_BYTES {
            return [&[INLINE], value.as_slice()].concat();
        }
        for (number, chunk) in value.chunks(MAX_INLINE_BYTES).enumerate() {
            writes.insert(chunk_key(&key, number), Some(chunk.to_vec()));
        }
        [&[CHUNKED], (value.len() as u64).to_le_bytes().as_slice(), &sha256(&value)].concat()
    });
    writes.insert(key, stored);
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

// sled itself. Its names stop here, and so do its panics.

#[derive(Clone)]
struct Sled {
    db: sled::Db,
    dir: PathBuf,
    /// Taken for writing while a batch is applied, so that a reader of several keys
    /// sees all of it or nothing. sled keeps that promise for one key only.
    batches: Arc<RwLock<()>>,
}

impl Sled {
    fn open(dir: &Path) -> Result<Self, StoreError> {
        let config = sled::Config::new().path(dir).flush_every_ms(None).cache_capacity(64 << 20);
        let opened = panic::catch_unwind(AssertUnwindSafe(|| config.open()));
        let problem = match opened {
            Ok(Ok(db)) => {
                return Ok(Self { db, dir: dir.to_owned(), batches: Arc::default() });
            }
            Ok(Err(sled::Error::Io(error))) => return Err(StoreError::index_io("open", &error)),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "sled panicked".to_owned(),
        };
        Err(StoreError::Index { attempt: "open", problem })
    }

    fn create(dir: &Path, written: Version) -> Result<Self, StoreError> {
        folder::create(dir)?;
        let sled = Self::open(dir)?;
        let mut batch = sled::Batch::default();
        batch.insert(FORMAT_KEY, [written.format.to_le_bytes(), written.shape.to_le_bytes()].concat());
        batch.insert(TALLY_KEY, Tally::default().encode());
        sled.guard("create", |db| db.apply_batch(batch))?;
        sled.flush()?;
        Ok(sled)
    }

    /// Runs something on sled. What says that its files are broken is noted in the
    /// folder, so that the next start begins anew instead of failing in the same way.
    fn guard<T>(
        &self,
        attempt: &'static str,
        run: impl FnOnce(&sled::Db) -> Result<T, sled::Error>,
    ) -> Result<T, StoreError> {
        match panic::catch_unwind(AssertUnwindSafe(|| run(&self.db))) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(sled::Error::Io(error))) => Err(StoreError::index_io(attempt, &error)),
            Ok(Err(error)) => Err(self.broken(attempt, error.to_string())),
            Err(_) => Err(self.broken(attempt, "sled panicked".to_owned())),
        }
    }

    fn keep_batches_out(&self) -> RwLockReadGuard<'_, ()> {
        self.batches.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self, attempt: &'static str, problem: String) -> StoreError {
        // Without the note the next start finds out for itself.
        let _ = fs::write(broken_note(&self.dir), format!("{attempt}: {problem}"));
        StoreError::Index { attempt, problem }
    }

    /// sled's own flush does not reach the disk, only its cache.
    fn flush(&self) -> Result<(), StoreError> {
        let synced = |db: &sled::Db| -> Result<(), sled::Error> {
            db.flush()?;
            Ok(File::open(self.dir.join("db")).and_then(|file| file.sync_data())?)
        };
        self.guard("flush", synced)
    }

    fn format(&self) -> Result<Option<Version>, StoreError> {
        let stored = self.guard("read", |db| db.get(FORMAT_KEY))?;
        let decode = |bytes: &[u8]| {
            let (format, rest) = bytes.split_first_chunk()?;
            // The first format knew of no shapes.
            let shape = rest.try_into().unwrap_or_default();
            Some(Version { format: u32::from_le_bytes(*format), shape: u32::from_le_bytes(shape) })
        };
        Ok(stored.as_deref().and_then(decode))
    }

    fn mark(&self, stream: &str) -> Result<Option<Mark>, StoreError> {
        let stored = self.guard("read", |db| db.get(stream_key(MARK, stream)))?;
        stored.map(|bytes| Mark::decode(&bytes).ok_or_else(|| self.unreadable("a stream's mark"))).transpose()
    }

    fn marks(&self) -> Result<BTreeMap<String, Mark>, StoreError> {
        let stored = self.guard("read", |db| db.scan_prefix([MARK]).collect::<Result<Vec<_>, _>>())?;
        let decode = |(key, mark): &(sled::IVec, sled::IVec)| {
            Some((String::from_utf8(key.get(2..)?.to_vec()).ok()?, Mark::decode(mark)?))
        };
        stored.iter().map(|row| decode(row).ok_or_else(|| self.unreadable("a stream's mark"))).collect()
    }

    fn tally(&self) -> Result<Tally, StoreError> {
        let stored = self.guard("read", |db| db.get(TALLY_KEY))?;
        stored.and_then(|bytes| Tally::decode(&bytes)).ok_or_else(|| self.unreadable("the tally"))
    }

    /// Reads everything once, so that what is broken shows at the start and not in the middle of the night.
    fn check_rows(&self) -> Result<(), StoreError> {
        let mut tally = Tally::default();
        let mut rows = self.guard("read", |db| Ok(db.iter()))?;
        while let Some((key, value)) = self.guard("read", |_| rows.next().transpose())? {
            if key != FORMAT_KEY && key != TALLY_KEY {
                tally.add(&key, &value);
            }
            if let Some(&(SNAPSHOT | ENTRY)) = key.first() {
                self.resolve(&key, &value)?;
            }
        }
        let written = self.tally()?;
        if tally == written {
            return Ok(());
        }
        let problem = format!("of {} rows {} are left, or some are not what was written", written.rows, tally.rows);
        Err(self.broken("read", problem))
    }

    fn read(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let _whole = self.keep_batches_out();
        let stored = self.guard("read", |db| db.get(key))?;
        stored.map(|stored| self.resolve(key, &stored)).transpose()
    }

    fn page(&self, query: &PageQuery<'_>) -> Result<Vec<Row>, StoreError> {
        let table = table_prefix(query.stream, query.table);
        let prefix = [table.as_slice(), query.prefix].concat();
        let after = query.after.map(|after| [table.as_slice(), after].concat());
        let _whole = self.keep_batches_out();
        let keys = self.guard("read", |db| match query.direction {
            Direction::Ascending => {
                let start = after.as_ref().map_or(&prefix, |after| after.max(&prefix));
                let rows = db.range(start.as_slice()..);
                take_page(rows.filter(|row| !is_at(row, after.as_deref())), &prefix, query.limit)
            }
            Direction::Descending => {
                let end = behind(&prefix);
                let end = after.as_ref().map_or(&end, |after| after.min(&end));
                take_page(db.range(..end.as_slice()).rev(), &prefix, query.limit)
            }
        })?;
        let row =
            |(key, stored): (sled::IVec, sled::IVec)| Ok((key[table.len()..].to_vec(), self.resolve(&key, &stored)?));
        keys.into_iter().map(row).collect()
    }

    /// The value itself. The caller keeps batches out, for its chunks are read one by one.
    fn resolve(&self, key: &[u8], stored: &[u8]) -> Result<Vec<u8>, StoreError> {
        let (bytes, digest) = match Value::decode(stored) {
            Some(Value::Inline(value)) => return Ok(value.to_vec()),
            Some(Value::Chunked { bytes, digest }) => (bytes, digest),
            None => return Err(self.unreadable("a value")),
        };
        let value = self.chunks(key, bytes)?;
        if sha256(&value) == digest { Ok(value) } else { Err(self.unreadable("a long value")) }
    }

    fn chunks(&self, key: &[u8], bytes: usize) -> Result<Vec<u8>, StoreError> {
        let mut value = Vec::new();
        for number in 0..bytes.div_ceil(MAX_INLINE_BYTES) {
            match self.guard("read", |db| db.get(chunk_key(key, number)))? {
                Some(chunk) => value.extend_from_slice(&chunk),
                None => break,
            }
        }
        Ok(value)
    }

    fn remove_chunks(&self, key: &[u8], writes: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<(), StoreError> {
        let stored = self.guard("read", |db| db.get(key))?;
        if let Some(Value::Chunked { bytes, .. }) = stored.as_deref().and_then(Value::decode) {
            writes.extend((0..bytes.div_ceil(MAX_INLINE_BYTES)).map(|number| (chunk_key(key, number), None)));
        }
        Ok(())
    }

    fn unreadable(&self, what: &str) -> StoreError {
        self.broken("read", format!("{what} is not what was written"))
    }
}

type StoredRow = Result<(sled::IVec, sled::IVec), sled::Error>;

fn take_page(
    rows: impl Iterator<Item = StoredRow>,
    prefix: &[u8],
    limit: usize,
) -> Result<Vec<(sled::IVec, sled::IVec)>, sled::Error> {
    rows.take_while(|row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix))).take(limit).collect()
}

fn is_at(row: &StoredRow, key: Option<&[u8]>) -> bool {
    row.as_ref().is_ok_and(|(at, _)| Some(at.as_ref()) == key)
}

/// The first key that sorts after all keys with this prefix. Never empty: a prefix begins with a kind below 255.
fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while end.pop_if(|byte| *byte == u8::MAX).is_some() {}
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

fn broken_note(dir: &Path) -> PathBuf {
    dir.join("lockgate-broken")
}
