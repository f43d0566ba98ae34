//! What the journal had when a segment was full: a file beside the segments, so that a start need not read what came before.
//!
//! It is derived: where it is missing, torn, of another form or of other segments, a start reads everything. It decides
//! only where reading begins: what it stands for is read after the start (`past`), and by `verify`, which uses none.
//!
//! `"lockgate checkpoint", format u32, through u64, segments u64, the first sequence of each u64, streams u64`; for each
//! stream `length u8, name, records u64, first u64, last u64, hash [32]`; then `crc32c u32` of all that; little-endian.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::JournalError;
use crate::scan::StreamHead;
use crate::segment::{self, Folder, Named};

const MAGIC: &[u8; 19] = b"lockgate checkpoint";
const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The first sequences of all segments up to there, in order.
    pub segments: Vec<u64>,
    /// The last sequence before the next segment.
    pub through: u64,
    pub heads: BTreeMap<String, StreamHead>,
}

impl Checkpoint {
    /// Whether these are its segments, and the next one is there.
    pub fn fits(&self, segments: &[Named]) -> bool {
        let expected = self.segments.iter().copied().chain(self.through.checked_add(1));
        segments.iter().map(|segment| segment.first).take(self.segments.len() + 1).eq(expected)
    }

    /// Whether one of its streams goes on in what was read after it. Else nothing says that it is of this journal.
    pub fn is_continued_by(&self, streams: &BTreeMap<String, StreamHead>) -> bool {
        self.heads.iter().any(|(name, head)| streams.get(name).is_some_and(|now| now.last > head.last))
    }

    /// Where that fails, the next start reads more.
    pub fn write(&self, folder: &Folder) -> Result<(), JournalError> {
        let path = path(&folder.path);
        segment::put(folder, &path, &self.encode())
            .and_then(|()| folder.disk.sync_dir(&folder.path))
            .map_err(JournalError::io("write the checkpoint", &path))
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        let mut numbers = |numbers: &[u64]| bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        numbers(&[self.through, self.segments.len() as u64]);
        numbers(&self.segments);
        numbers(&[self.heads.len() as u64]);
        for (name, head) in &self.heads {
            bytes.push(name.len() as u8);
            bytes.extend(name.as_bytes());
            bytes.extend([head.records, head.first, head.last].into_iter().flat_map(u64::to_le_bytes));
            bytes.extend(head.hash);
        }
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }
}

/// None where there is none that this release can read.
pub(crate) fn read(folder: &Folder) -> Option<Checkpoint> {
    decode(&folder.disk.read(&path(&folder.path)).ok()?)
}

pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join("checkpoint")
}

fn decode(bytes: &[u8]) -> Option<Checkpoint> {
    let (bytes, crc) = bytes.split_last_chunk::<4>()?;
    let mut rest = bytes.strip_prefix(MAGIC)?.strip_prefix(&FORMAT.to_le_bytes())?;
    if crc32c::crc32c(bytes).to_le_bytes() != *crc {
        return None;
    }
    let through = number(&mut rest)?;
    let segments = (0..number(&mut rest)?).map(|_| number(&mut rest)).collect::<Option<_>>()?;
    let heads = (0..number(&mut rest)?).map(|_| head(&mut rest)).collect::<Option<_>>()?;
    rest.is_empty().then_some(Checkpoint { segments, through, heads })
}

fn head(rest: &mut &[u8]) -> Option<(String, StreamHead)> {
    let [length] = take(rest)?;
    let name = rest.split_off(..usize::from(length))?;
    let [records, first, last] = [number(rest)?, number(rest)?, number(rest)?];
    let hash = take(rest)?;
    Some((std::str::from_utf8(name).ok()?.to_owned(), StreamHead { records, first, last, hash }))
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(u64::from_le_bytes)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}
