//! What stands in the place of the segments that were dropped: a file beside the others, with the chains as they were there,
//! and what each stream's owner makes its state of.
//!
//! It is part of the truth. It is on disk before the first of its segments goes, and where it is damaged, or not there while
//! the first segment is not, opening is refused. What it stands for was read and checked when it was made.
//!
//! `"lockgate base", format u32, through u64, streams u64`; for each stream its head (`heads`), `parts u64`, and of each part
//! `length u64, bytes`; then `crc32c u32` of all that; little-endian.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{Damage, JournalError};
use crate::heads::{self, Heads};
use crate::record::MAX_STREAM_BYTES;
use crate::scan::StreamHead;
use crate::segment::{self, Folder};

const MAGIC: &[u8; 13] = b"lockgate base";
const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// The last sequence that it stands for.
    pub through: u64,
    pub streams: BTreeMap<String, Beginning>,
}

/// What a stream begins with instead of its first records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    pub head: StreamHead,
    /// Bytes that only the stream's owner understands: its state, at that record.
    pub state: Vec<Vec<u8>>,
}

impl Base {
    pub(crate) fn heads(&self) -> Heads {
        let head = |(name, beginning): (&String, &Beginning)| (name.clone(), beginning.head.clone());
        Heads { through: self.through, streams: self.streams.iter().map(head).collect() }
    }

    /// Whether it can stand for records: each is of one of its streams, and the last one is the last of one.
    pub(crate) fn is_sound(&self) -> bool {
        let is_name =
            |name: &String| (1..=MAX_STREAM_BYTES).contains(&name.len()) && !name.chars().any(char::is_control);
        let fits = |head: &StreamHead| {
            (1..=head.last).contains(&head.first) && (1..=head.last - head.first + 1).contains(&head.records)
        };
        let heads = || self.streams.values().map(|stream| &stream.head);
        let records = heads().try_fold(0, |sum: u64, head| sum.checked_add(head.records));
        self.through < u64::MAX / 2
            && self.streams.keys().all(is_name)
            && heads().all(fits)
            && records == Some(self.through)
            && heads().map(|head| head.last).max() == Some(self.through)
    }

    /// On disk when this is done.
    pub(crate) fn write(&self, folder: &Folder) -> Result<(), JournalError> {
        let path = path(&folder.path);
        segment::put(folder, &path, &self.encode())
            .and_then(|()| folder.disk.sync_dir(&folder.path))
            .map_err(JournalError::io("write the base of the journal", &path))
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FORMAT.to_le_bytes());
        bytes.extend(self.through.to_le_bytes());
        bytes.extend((self.streams.len() as u64).to_le_bytes());
        for (name, Beginning { head, state }) in &self.streams {
            heads::put(&mut bytes, name, head);
            bytes.extend((state.len() as u64).to_le_bytes());
            for part in state {
                bytes.extend((part.len() as u64).to_le_bytes());
                bytes.extend(part);
            }
        }
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }
}

pub(crate) fn is_there(folder: &Folder) -> Result<bool, JournalError> {
    let path = path(&folder.path);
    match folder.disk.list(&folder.path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        names => Ok(names.map_err(JournalError::io("list the journal", &folder.path))?.contains(&path)),
    }
}

/// None where nothing was dropped.
pub(crate) fn read(folder: &Folder) -> Result<Option<Base>, JournalError> {
    let path = path(&folder.path);
    let bytes = match folder.disk.read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(JournalError::io("read the base of the journal", &path))?,
    };
    let damaged = || {
        let problem = "the base, which stands for the records that were dropped, is not what was written".to_owned();
        Damage { segment: path.clone(), offset: 0, sequence: 1, problem }
    };
    let whole = heads::whole(&bytes).and_then(|bytes| bytes.strip_prefix(MAGIC)).ok_or_else(damaged)?;
    let (format, rest) = whole.split_first_chunk().ok_or_else(damaged)?;
    match u32::from_le_bytes(*format) {
        FORMAT => Ok(Some(decode(rest).ok_or_else(damaged)?)),
        found => Err(JournalError::Version { path, found, known: FORMAT }),
    }
}

fn decode(mut rest: &[u8]) -> Option<Base> {
    let through = heads::number(&mut rest)?;
    let streams = (0..heads::number(&mut rest)?).map(|_| beginning(&mut rest)).collect::<Option<_>>()?;
    Some(Base { through, streams }).filter(|base| rest.is_empty() && base.is_sound())
}

fn beginning(rest: &mut &[u8]) -> Option<(String, Beginning)> {
    let (name, head) = heads::take(rest)?;
    let part = |rest: &mut &[u8]| {
        let length = usize::try_from(heads::number(rest)?).ok()?;
        Some(rest.split_off(..length)?.to_vec())
    };
    let state = (0..heads::number(rest)?).map(|_| part(rest)).collect::<Option<_>>()?;
    Some((name, Beginning { head, state }))
}

pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join("base")
}
