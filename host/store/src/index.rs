//! The index: what is derived from the journal, kept in sled. Never the truth:
//! after a crash it may be behind the journal, and when it is missing, of another
//! format or unreadable, it is moved aside and begun anew. Ahead of the journal it
//! is the only witness of events that are gone: then opening is refused.
//!
//! One thread writes. Writing from many tasks makes sled 0.34 hang, and one batch
//! of what waits is cheaper than many. Everything lies in one tree, so that a batch
//! is atomic. Long values are cut into chunks: sled puts long pages into side
//! files that it never syncs, and a page holds up to 16 values.
//!
//! Opening reads what a start relies on, and nothing of what has finished. That is checked behind it, in `check`.
//! And sled reads what was written to its log since it was opened last: so it is opened again now and then, while whoever
//! reads waits. Nobody has anything of sled in his hands but through a `View`, which lives no longer than a look.

mod check;
mod packed;
mod rows;
mod tally;
#[cfg(test)]
mod tests;
mod tree;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;
use crate::folder;
use check::Check;
pub use check::IndexCheck;
use rows::{NeededAtStart, SNAPSHOT, stream_key};
use tree::{Sled, broken_note};
use writer::{Job, REOPEN_AFTER_BYTES, Writer};

const FORMAT: u32 = 3;
const QUEUE: usize = 1024;
/// A broken index stays where this many of its size are free: the next one may become larger than it was.
const ROOM_TO_KEEP: u64 = 4;

/// Everything that follows from a stream's events up to `through`, applied as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexBatch {
    pub stream: String,
    /// The sequence of the last event of this stream that is contained.
    pub through: u64,
    pub snapshot: SnapshotChange,
    pub entries: Vec<Entry>,
}

impl IndexBatch {
    /// Of what it brings.
    pub fn size_bytes(&self) -> usize {
        let snapshot = match &self.snapshot {
            SnapshotChange::Keep | SnapshotChange::Remove => 0,
            SnapshotChange::Replace(state) => state.len(),
        };
        let entries = self.entries.iter().map(|entry| entry.key.len() + entry.value.as_ref().map_or(0, Vec::len));
        snapshot + entries.sum::<usize>()
    }
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
    OtherFormat {
        found: Version,
        written: Version,
    },
    /// A start relies on other tables than when it was made.
    OtherTables,
    Broken(String),
}

impl fmt::Display for RebuildReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "there is none"),
            Self::OtherFormat { found, written } => {
                write!(f, "it has format {found}, this host writes {written}")
            }
            Self::OtherTables => write!(f, "it was made for a start that needs other tables"),
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

/// What its owners put into the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Content {
    pub shape: u32,
    /// Tables whose rows are read at the start; damage to others is found later.
    pub needed_at_start: &'static [&'static str],
}

/// What an index says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Header {
    version: Version,
    needed_at_start: Vec<u8>,
}

pub(crate) struct Index {
    sled: Sled,
    needed: NeededAtStart,
    check: Check,
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Index {
    /// `ends` has the last sequence of each stream in the journal.
    pub fn open(
        dir: &Path,
        journal: &Path,
        content: Content,
        ends: &BTreeMap<String, u64>,
    ) -> Result<(Self, IndexState), StoreError> {
        let (sled, state) = open_or_rebuild(dir, &Header::of(content), ends)?;
        if let Some((stream, through, end)) = ahead(&sled, ends)? {
            let (journal, index) = (journal.to_owned(), dir.to_owned());
            return Err(StoreError::EventsAreGone { stream, through, end, journal, index });
        }
        let index = Self::begin(sled, NeededAtStart(content.needed_at_start), REOPEN_AFTER_BYTES)?;
        Ok((index, state))
    }

    fn begin(sled: Sled, needed: NeededAtStart, reopen_after_bytes: u64) -> Result<Self, StoreError> {
        let dir = sled.dir().to_owned();
        let check = Check::new(sled.clone());
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let writer = Writer::new(sled.clone(), needed, check.clone(), reopen_after_bytes)?;
        let mut index = Self { sled, needed, check: check.clone(), jobs: Some(jobs), threads: Vec::new() };
        index.start("index", || writer.run(waiting)).map_err(StoreError::io("start the writing thread of", &dir))?;
        index.start("index check", || check.run()).map_err(StoreError::io("start the checking thread of", &dir))?;
        Ok(index)
    }

    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(run)?);
        Ok(())
    }

    /// Returns when the batches can be read. They become durable some time later. Who is patient waits where the disk refuses
    /// them, until it takes them.
    pub async fn apply(&self, batches: Vec<IndexBatch>, is_patient: bool) -> Result<(), StoreError> {
        for batch in &batches {
            check_names([batch.stream.as_str()].into_iter().chain(batch.entries.iter().map(|entry| entry.table)))?;
        }
        let (done, applied) = oneshot::channel();
        let stopping = StoreError::Stopping { what: "the index" };
        let Some(jobs) = &self.jobs else {
            return Err(stopping);
        };
        jobs.send(Job { batches, is_patient, done }).await.map_err(|_| stopping.clone())?;
        applied.await.map_err(|_| stopping)?
    }

    pub fn get(&self, stream: &str, table: &str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        check_names([stream, table])?;
        self.sled.view().read(&[self.needed.table_prefix(stream, table).as_slice(), key].concat())
    }

    pub fn page(&self, query: &PageQuery<'_>) -> Result<Vec<Row>, StoreError> {
        check_names([query.stream, query.table])?;
        self.sled.view().page(&self.needed.table_prefix(query.stream, query.table), query)
    }

    pub fn snapshot(&self, stream: &str) -> Result<Option<Snapshot>, StoreError> {
        check_names([stream])?;
        let Some(bytes) = self.sled.view().read(&stream_key(SNAPSHOT, stream))? else {
            return Ok(None);
        };
        let Some((through, state)) = bytes.split_first_chunk() else {
            return Err(self.sled.broken("read", "a snapshot is too short".to_owned()));
        };
        Ok(Some(Snapshot { through: u64::from_le_bytes(*through), state: state.to_vec() }))
    }

    /// The last sequence of a stream that is indexed; zero if nothing is.
    pub fn through(&self, stream: &str) -> Result<u64, StoreError> {
        Ok(self.sled.view().mark(stream)?.map_or(0, |mark| mark.through))
    }

    pub fn check(&self) -> IndexCheck {
        self.check.state()
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.jobs = None;
        self.check.close();
        for thread in self.threads.drain(..) {
            // What failed there was told to who waited for it.
            let _ = thread.join();
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
    written: &Header,
    ends: &BTreeMap<String, u64>,
) -> Result<(Sled, IndexState), StoreError> {
    let reason = if dir.is_file() {
        RebuildReason::Broken("a file stood in its place; that is now beside it, as `index.broken`".to_owned())
    } else if dir.exists() {
        folder::create_private(dir)?;
        let opened = match open_checked(dir, written) {
            // What is kept of a broken one is the first to go.
            Err(_) if aside(dir).exists() => {
                folder::remove_if_there(&aside(dir)).and_then(|()| open_checked(dir, written))
            }
            opened => opened,
        };
        match opened? {
            Ok(sled) => return Ok((sled, IndexState::Ready)),
            Err(reason) => reason,
        }
    } else {
        RebuildReason::Missing
    };
    move_aside(dir, folder::free_bytes(dir.parent().unwrap_or(dir))?)?;
    let sled = Sled::create(dir, written)?;
    // A new data folder misses nothing.
    let state = if ends.is_empty() { IndexState::Ready } else { IndexState::Rebuilt(reason) };
    Ok((sled, state))
}

fn aside(dir: &Path) -> PathBuf {
    dir.with_extension("broken")
}

/// The last broken index is kept for whoever wants to know what happened to it, where there is room for another beside it.
fn move_aside(dir: &Path, free_bytes: u64) -> Result<(), StoreError> {
    if !dir.exists() {
        return Ok(());
    }
    // A closing sled still writes files by their path: into the new index, were it there.
    wait_until_released(dir);
    folder::remove_if_there(&aside(dir))?;
    if dir.is_dir() && folder::size_bytes(dir)?.saturating_mul(ROOM_TO_KEEP) > free_bytes {
        return folder::remove_if_there(dir);
    }
    fs::rename(dir, aside(dir)).map_err(StoreError::io("move aside the broken index", dir))
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

/// An error: there is no room to open it, and to build another would take more.
fn open_checked(dir: &Path, written: &Header) -> Result<Result<Sled, RebuildReason>, StoreError> {
    if let Ok(problem) = fs::read_to_string(broken_note(dir)) {
        return Ok(Err(RebuildReason::Broken(problem)));
    }
    wait_until_released(dir);
    match Sled::open(dir) {
        Err(error @ StoreError::IndexHeldUp { .. }) => Err(error),
        Err(error) => Ok(Err(RebuildReason::Broken(error.to_string()))),
        Ok(sled) => Ok(check_start(sled, written)),
    }
}

fn check_start(sled: Sled, written: &Header) -> Result<Sled, RebuildReason> {
    let broken = |error: StoreError| RebuildReason::Broken(error.to_string());
    match sled.view().header().map_err(broken)? {
        Some(found) if found == *written => {}
        Some(found) if found.version == written.version => return Err(RebuildReason::OtherTables),
        Some(found) => return Err(RebuildReason::OtherFormat { found: found.version, written: written.version }),
        None => return Err(RebuildReason::Broken("it does not say its format".to_owned())),
    }
    sled.view().check_start().map_err(broken)?;
    sled.view().marks().map_err(broken)?;
    Ok(sled)
}

impl Header {
    fn of(content: Content) -> Self {
        let needed_at_start = NeededAtStart(content.needed_at_start).encode();
        Self { version: Version { format: FORMAT, shape: content.shape }, needed_at_start }
    }

    fn encode(&self) -> Vec<u8> {
        let Version { format, shape } = self.version;
        [&format.to_le_bytes(), &shape.to_le_bytes(), self.needed_at_start.as_slice()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (format, rest) = bytes.split_first_chunk()?;
        // The first format knew of no shapes.
        let (shape, needed_at_start) = rest.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let version = Version { format: u32::from_le_bytes(*format), shape: u32::from_le_bytes(*shape) };
        Some(Self { version, needed_at_start: needed_at_start.to_vec() })
    }
}

/// A stream of which the index has seen more than the journal holds. Only what was acknowledged gets into it.
fn ahead(sled: &Sled, ends: &BTreeMap<String, u64>) -> Result<Option<(String, u64, u64)>, StoreError> {
    let end = |stream: &String| ends.get(stream).copied().unwrap_or(0);
    let mut marks = sled.view().marks()?.into_iter().map(|(stream, mark)| (end(&stream), stream, mark.through));
    Ok(marks.find(|(end, _, through)| through > end).map(|(end, stream, through)| (stream, through, end)))
}
