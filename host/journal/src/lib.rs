//! The journal: append-only segment files, the one truth of a data folder.
//!
//! It knows nothing of releases: a record is bytes in a named stream, with a
//! global sequence and the hash of the record before it in its stream. One thread
//! writes; whatever waits when it is free shares one write and one `fdatasync`.
//!
//! What it must never do: acknowledge what is not on disk, or pass over damage. Opening is refused for damage in what a
//! start reads: what comes after the checkpoint, or everything where none can be used.
//! - A torn end is cut off, by whole appends, and only in the last segment. Every record carries the
//!   first sequence of its batch, and a batch is written only after the one before
//!   it was synced. So a good record of a batch that began *after* a bad place
//!   proves that the place was once whole: that is damage, and opening is refused.
//!   Without such a proof the bad place belongs to the last batch, a torn write.
//!   A last batch damaged after its sync is told from a torn one by the mark of what was acknowledged; where a
//!   power cut took the mark along, the recovery names how many bytes it dropped.
//! - Where the segments end before that mark, opening is refused: somebody cut, removed or replaced them.
//! - After a cut the rest of the segment is zeroed and synced before anything is
//!   appended, so old bytes are never taken for records later. The last batch is written once more: where its sync
//!   failed it can be read, and yet is not on disk.
//! - A failed write or sync stops the journal for good: after a failed sync the
//!   kernel may call lost pages clean, a second try would lie. Only a segment that
//!   cannot be *prepared* (a full disk) refuses its appends and tries again.
//!
//! A segment that is full is packed in the background (`packed`). Its file changes in one step and whole, its records,
//! chains and places stay what they were; where packing fails the segment stays as it is, and `Stats` says so.
//!
//! Then a `checkpoint` is written: how far the journal had come at the end of a segment. A start begins to read there, so
//! it takes as long after years as after a day. It is derived, and believed only where the segments are those it names and
//! a chain goes on from it. What lies before it is read and checked after each start, in the background (`past`): damage
//! there is told by `Journal::past` and `Options::on_damage`, and stops nothing, for appends do not depend on it.
//! `verify` and `read` check everything before they answer.
//!
//! Whoever does not want to keep everything for ever drops the oldest segments: what they add up to is written down first and
//! stands in their place (`base`, `dropping`).
//!
//! All that touches a file stands in `disk`. What each operation that fails leads to is a table in `tests/faults`; what
//! power cuts leave is tried by seeds in `tests/power`; what older releases wrote is kept in `formats`.

mod base;
mod checkpoint;
mod committer;
mod disk;
mod dropping;
mod error;
mod heads;
mod mark;
mod packed;
mod past;
mod prompt;
mod record;
mod scan;
mod segment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

pub use base::{Base, Beginning};
pub use committer::{Committed, Stats};
pub use dropping::{MAX_PART_BYTES, MAX_STATES_BYTES, States, begin};
pub use error::{Damage, JournalError};
pub use past::Past;
pub use prompt::{in_short_turns, step_back};
pub use record::{Hash, MAX_STREAM_BYTES, Record};
pub use scan::{Records, StreamHead, TornTail, Verified, read, verify};

use checkpoint::Checkpoint;
use committer::{Append, Committer, Place, Shared};
use mark::Mark;
use packed::Packer;
use past::LookBack;
use scan::Scan;
use segment::{Active, Folder};

pub struct Options {
    /// Each segment file is reserved at this size; one append larger than it gets a segment of its own.
    pub segment_bytes: u64,
    pub max_payload_bytes: usize,
    /// How much may wait for the disk before appends are refused.
    pub max_queue_bytes: usize,
    /// Called once, on the journal's thread, when it stops for good and all waiters know.
    pub on_fatal: Option<OnFatal>,
    /// Called once, on another thread of the journal, when `Journal::past` becomes `Damaged` or `Unfinished`. The journal goes on.
    pub on_damage: Option<OnDamage>,
}

pub type OnFatal = Box<dyn FnOnce(&JournalError) + Send>;
pub type OnDamage = Box<dyn FnOnce(&JournalError) + Send>;

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            max_payload_bytes: 8 << 20,
            max_queue_bytes: 64 << 20,
            on_fatal: None,
            on_damage: None,
        }
    }
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    pub records: u64,
    /// Equal to `records`, for sequences have no gaps; zero for an empty journal.
    pub last: u64,
    pub torn_tail: Option<TornTail>,
}

/// An open journal. Dropping it writes what waits and closes the files.
pub struct Journal {
    folder: Folder,
    max_payload_bytes: usize,
    shared: Arc<Shared>,
    /// The checkpoint that opening began to read at.
    began_at: Option<Arc<Checkpoint>>,
    /// In the order in which they end: the committer first.
    threads: Vec<JoinHandle<()>>,
}

impl Journal {
    /// Opens or creates the journal in `dir` and checks what comes after its checkpoint; what lies before is checked by and
    /// by, as `past` tells. The caller makes sure that nobody else has it open.
    pub fn open(dir: &Path, options: Options) -> Result<(Self, Recovery), JournalError> {
        Self::open_on(scan::on_disk(dir), options)
    }

    pub(crate) fn open_on(folder: Folder, options: Options) -> Result<(Self, Recovery), JournalError> {
        let (mut journal, committer, packer, recovery) = Self::at_rest(folder, options)?;
        journal.spawn("journal", move || committer.run())?;
        journal.spawn("journal-pack", move || packer.run())?;
        Ok((journal, recovery))
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), JournalError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
        self.threads.push(thread.map_err(JournalError::io("start a thread of", &self.folder.path))?);
        Ok(())
    }

    /// Open, and who is to do its work: a simulation calls them in turn.
    pub(crate) fn at_rest(
        folder: Folder,
        mut options: Options,
    ) -> Result<(Self, Committer, Packer, Recovery), JournalError> {
        segment::create_dir(&folder)?;
        segment::remove_unnamed(&folder)?;
        let scan = scan::for_a_start(&folder)?;
        let base = scan.base.as_ref().map(Base::heads).unwrap_or_default();
        let first = base.through + 1;
        let left_over = segment::remove_before(&folder, first);
        let place = settle(&folder, &scan, options.segment_bytes)?;
        let mark = Mark::open(&folder)?;
        mark.set(scan.last);
        let recovery = Recovery { records: scan.last, last: scan.last, torn_tail: scan.torn_tail };
        let max_payload_bytes = options.max_payload_bytes;
        let shared = Arc::new(Shared::new(options.max_queue_bytes, first, scan.streams, scan.last, mark));
        left_over.unwrap_or_else(|failure| shared.not_removed(failure));
        if let Some(checkpoint) = scan.checkpoint {
            shared.to_checkpoint(checkpoint);
        }
        let on_damage = options.on_damage.take();
        let began_at = scan.before.map(Arc::new);
        let look_back = began_at.clone().map(|checkpoint| LookBack::new(checkpoint, base, &scan.segments, on_damage));
        let (full, packer) = Packer::new(folder.clone(), Arc::clone(&shared), look_back);
        for unpacked in scan.unpacked {
            let _ = full.send(unpacked);
        }
        let committer = Committer::new(folder.clone(), options, Arc::clone(&shared), place, full);
        Ok((Self { folder, max_payload_bytes, shared, began_at, threads: Vec::new() }, committer, packer, recovery))
    }

    pub fn max_payload_bytes(&self) -> usize {
        self.max_payload_bytes
    }

    /// Appends records that become durable together or not at all. `done` is called once: on the journal's thread after
    /// the sync, or at once on this one if the append is refused. It must not block.
    ///
    /// Appends are written in the order of the calls.
    pub fn append(
        &self,
        stream: &str,
        payloads: Vec<Vec<u8>>,
        done: impl FnOnce(Result<Committed, JournalError>) + Send + 'static,
    ) {
        match self.check(stream, &payloads) {
            Ok(()) => self.shared.push(Append::new(stream, payloads, Box::new(done))),
            Err(refusal) => done(Err(refusal)),
        }
    }

    fn check(&self, stream: &str, payloads: &[Vec<u8>]) -> Result<(), JournalError> {
        if stream.is_empty() || stream.len() > MAX_STREAM_BYTES || stream.chars().any(char::is_control) {
            return Err(JournalError::InvalidStream { stream: stream.chars().take(300).collect() });
        }
        let stream = || stream.to_owned();
        let limit = self.max_payload_bytes;
        let Some(bytes) = payloads.iter().map(Vec::len).max() else {
            return Err(JournalError::NothingToAppend { stream: stream() });
        };
        if bytes > limit {
            return Err(JournalError::PayloadTooLarge { stream: stream(), bytes, limit });
        }
        Ok(())
    }

    /// The committed records from a sequence on, up to those of this moment; without those that were dropped.
    pub fn read(&self, from: u64) -> Result<Records, JournalError> {
        let reading = self.shared.reading();
        let segments = segment::list_from(&self.folder, self.shared.first())?;
        let records = Records::new(self.folder.clone(), segments, from, self.last());
        Ok(records.kept(Arc::clone(&reading)))
    }

    /// The last committed sequence; zero for an empty journal.
    pub fn last(&self) -> u64 {
        self.shared.last()
    }

    /// Where records of a stream behind a sequence can begin: of one that was quiet before the checkpoint, only after that.
    pub fn earliest_behind(&self, stream: &str, sequence: u64) -> u64 {
        let quiet = |begun: &&Arc<Checkpoint>| begun.at.streams.get(stream).is_none_or(|head| head.last <= sequence);
        let through = self.began_at.as_ref().filter(quiet).map_or(sequence, |begun| begun.at.through.max(sequence));
        through + 1
    }

    /// What is committed of each stream.
    pub fn streams(&self) -> BTreeMap<String, StreamHead> {
        self.shared.streams().clone()
    }

    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// What is known of the records that opening has not read, for a checkpoint stands for them.
    pub fn past(&self) -> Past {
        self.shared.past()
    }

    /// Why a segment is not packed, or no checkpoint written, last. The journal is as whole as before, and only larger, or
    /// slower to open.
    pub fn packing_failure(&self) -> Option<JournalError> {
        self.shared.packing_failure()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.close();
        for thread in self.threads.drain(..) {
            // The committer's panics were already told to the waiters and to `on_fatal`.
            let _ = thread.join();
        }
    }
}

/// Where the journal goes on, when what was found there is durable.
fn settle(folder: &Folder, scan: &Scan, segment_bytes: u64) -> Result<Place, JournalError> {
    let active = match (scan.segments.last(), &scan.last_segment) {
        (Some(segment), Some(loaded)) if !loaded.packed => {
            let active = Active::open(folder, segment, scan.end)?;
            let last_batch = &loaded.bytes[scan.last_batch as usize..scan.end as usize];
            active.settle(last_batch, scan.torn_tail.is_some())?;
            active
        }
        // None yet; or whoever copied the journal left out the last one, which is never packed, and the mark.
        _ => segment::name(folder, segment::prepare(folder, segment_bytes)?, scan.last + 1)?,
    };
    let firsts = scan.segments.iter().map(|segment| segment.first);
    let earlier = firsts.filter(|first| *first < active.segment.first).collect();
    Ok(Place { active, earlier })
}

/// Whether there is a journal in `dir`, whole or not: opening begins a new one where there is none.
pub fn is_there(dir: &Path) -> Result<bool, JournalError> {
    let folder = scan::on_disk(dir);
    Ok(!segment::list(&folder)?.is_empty() || mark::read(&folder)? > 0 || base::is_there(&folder)?)
}

/// The bytes an append takes in the queue and on disk.
pub fn framed_bytes(stream: &str, payloads: &[Vec<u8>]) -> usize {
    payloads.iter().map(|payload| record::framed_bytes(stream, payload)).sum()
}
