//! What the journal had when a segment was full: a file beside the segments, so that a start need not read what came before.
//!
//! It is derived: where it is missing, torn, of another form or of other segments, a start reads everything. It decides
//! only where reading begins: what it stands for is read after the start (`past`), and by `verify`, which uses none.
//!
//! `"lockgate checkpoint", format u32, through u64, segments u64, the first sequence of each u64, streams u64`; for each
//! stream its head (`heads`); then `crc32c u32` of all that; little-endian.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::JournalError;
use crate::heads::{self, Heads};
use crate::scan::StreamHead;
use crate::segment::{self, Folder, Named};

const MAGIC: &[u8; 19] = b"lockgate checkpoint";
const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The first sequences of all segments up to there, in order.
    pub segments: Vec<u64>,
    pub at: Heads,
}

impl Checkpoint {
    /// Without the segments that were dropped since.
    pub fn behind(mut self, base: &Heads) -> Self {
        self.segments.retain(|first| *first > base.through);
        self
    }

    /// Whether these are its segments, and the next one is there.
    pub fn fits(&self, segments: &[Named]) -> bool {
        let expected = self.segments.iter().copied().chain(self.at.through.checked_add(1));
        segments.iter().map(|segment| segment.first).take(self.segments.len() + 1).eq(expected)
    }

    /// Whether one of its streams goes on in what was read after it. Else nothing says that it is of this journal.
    pub fn is_continued_by(&self, streams: &BTreeMap<String, StreamHead>) -> bool {
        self.at.streams.iter().any(|(name, head)| streams.get(name).is_some_and(|now| now.last > head.last))
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
        numbers(&[self.at.through, self.segments.len() as u64]);
        numbers(&self.segments);
        numbers(&[self.at.streams.len() as u64]);
        self.at.streams.iter().for_each(|(name, head)| heads::put(&mut bytes, name, head));
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
    let mut rest = heads::whole(bytes)?.strip_prefix(MAGIC)?.strip_prefix(&FORMAT.to_le_bytes())?;
    let through = heads::number(&mut rest)?;
    let segments = (0..heads::number(&mut rest)?).map(|_| heads::number(&mut rest)).collect::<Option<_>>()?;
    let streams = (0..heads::number(&mut rest)?).map(|_| heads::take(&mut rest)).collect::<Option<_>>()?;
    rest.is_empty().then_some(Checkpoint { segments, at: Heads { through, streams } })
}
