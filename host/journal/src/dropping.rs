//! Dropping the oldest segments: what they add up to is written down first, as the journal's base.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use crate::base::{self, Base, Beginning};
use crate::error::JournalError;
use crate::heads::Heads;
use crate::past::Past;
use crate::scan::{self, Records, Scan};
use crate::{Journal, Options, is_there, segment};

/// Of one part of a state, and of all states: whoever reads them must have room for that.
pub const MAX_PART_BYTES: usize = 64 << 20;
pub const MAX_STATES_BYTES: usize = 1 << 30;

const BEING_READ: &str = "somebody is reading the journal, for a backup or an export";

/// What each stream's owner makes its state of: only the owner understands it.
pub type States = BTreeMap<String, Vec<Vec<u8>>>;

impl Journal {
    /// The sequences of the segments that are full, in order: what can be dropped.
    pub fn full_segments(&self) -> Result<Vec<RangeInclusive<u64>>, JournalError> {
        let segments = segment::list_from(&self.folder, self.begins_behind()?.through + 1)?;
        Ok(segments.windows(2).map(|pair| pair[0].first..=pair[1].first - 1).collect())
    }

    /// What the file says: a drop that failed may have written it.
    fn begins_behind(&self) -> Result<Heads, JournalError> {
        let heads = base::read(&self.folder)?.as_ref().map(Base::heads).unwrap_or_default();
        self.shared.begins_with(heads.through + 1);
        Ok(heads)
    }

    /// Drops all records up to a sequence, with which a segment ends. In their place stand these states, which were made of
    /// nothing but them. Blocks: before anything goes all of it is read and checked once more, and its heads are on disk.
    ///
    /// Refused while somebody reads the journal, and before what opening left out is known to be whole. Where a file cannot
    /// be removed, it is gone all the same, and the next start removes it.
    pub fn drop_through(&self, through: u64, states: States) -> Result<(), JournalError> {
        let refused = |problem: &str| Err(JournalError::NotDropped { through, problem: problem.to_owned() });
        let is_read = |reading: &Arc<()>| Arc::strong_count(reading) > 1;
        if !matches!(self.past(), Past::Whole) {
            return refused("what the start has not read is not known to be whole");
        }
        // Before all of it is read, and when nobody can begin any more.
        if is_read(&self.shared.reading()) {
            return refused(BEING_READ);
        }
        let before = self.begins_behind()?;
        let first = before.through + 1;
        let base = self.add_up(before, through, states)?;
        let reading = self.shared.reading();
        if is_read(&reading) {
            return refused(BEING_READ);
        }
        if self.shared.first() > first {
            return refused("others were dropped meanwhile");
        }
        base.write(&self.folder)?;
        self.shared.begins_with(through + 1);
        let path = &self.folder.path;
        segment::remove_before(&self.folder, through + 1)
            .and_then(|()| self.folder.disk.sync_dir(path).map_err(JournalError::io("sync the journal folder", path)))
            .unwrap_or_else(|failure| self.shared.not_removed(failure));
        Ok(())
    }

    fn add_up(&self, before: Heads, through: u64, mut states: States) -> Result<Base, JournalError> {
        let refused = |problem: String| JournalError::NotDropped { through, problem };
        let bytes: usize = states.values().flatten().map(Vec::len).sum();
        if bytes > MAX_STATES_BYTES {
            return Err(refused(format!("their states have {bytes} bytes, and at most {MAX_STATES_BYTES} are kept")));
        }
        let segments = segment::list_from(&self.folder, before.through + 1)?;
        let Some(next) = segments.iter().skip(1).position(|segment| segment.first == through + 1) else {
            return Err(refused("no full segment ends there".to_owned()));
        };
        let mut scan = Scan::after(before);
        for pair in segments[..=next + 1].windows(2) {
            scan.take_full(&self.folder, &pair[0], &pair[1])?;
        }
        let begin = |(name, head): (String, _)| match states.remove(&name) {
            Some(state) if state.iter().all(|part| part.len() <= MAX_PART_BYTES) => {
                Ok((name, Beginning { head, state }))
            }
            Some(_) => Err(refused(format!("the state of stream `{name}` has a part of over {MAX_PART_BYTES} bytes"))),
            None => Err(refused(format!("nothing was given for stream `{name}`"))),
        };
        let streams = scan.streams.into_iter().map(begin).collect::<Result<_, _>>()?;
        Ok(Base { through, streams })
    }

    /// How many of the first records were dropped.
    pub fn dropped(&self) -> u64 {
        self.shared.first() - 1
    }

    /// What stands for the records that were dropped; none where none were.
    pub fn base(&self) -> Result<Option<Base>, JournalError> {
        base::read(&self.folder)
    }

    /// What the journal begins with, and all its records after that, up to those of this moment.
    pub fn read_all(&self) -> Result<(Option<Base>, Records), JournalError> {
        // Begun first: nothing is dropped between the two.
        let records = self.read(1)?;
        let base = self.base()?;
        let from = base.as_ref().map_or(1, |base| base.through + 1);
        Ok((base, records.from(from)))
    }
}

/// Begins a journal in `dir`, where none is yet, with what stands for its first records.
pub fn begin(dir: &Path, base: &Base) -> Result<(), JournalError> {
    let folder = scan::on_disk(dir);
    let refused = |problem| Err(JournalError::NotBegun { dir: dir.to_owned(), problem });
    if is_there(dir)? {
        return refused("there is one");
    }
    if !base.is_sound() {
        return refused("the records that its streams have do not add up");
    }
    segment::create_dir(&folder)?;
    base.write(&folder)?;
    let next = segment::prepare(&folder, Options::default().segment_bytes)?;
    segment::name(&folder, next, base.through + 1).map(drop)
}
