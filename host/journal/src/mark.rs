//! How far the journal was acknowledged: a file beside the segments, the witness of records that are gone.
//!
//! It is written after each sync and never synced itself. A killed host leaves it as it was; after a power cut it may
//! be behind the segments, or gone, and then it witnesses less. Never is it ahead of what was durable.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::disk::DiskFile;
use crate::error::JournalError;
use crate::segment::Folder;

pub(crate) struct Mark {
    file: Box<dyn DiskFile>,
}

impl Mark {
    pub fn open(folder: &Folder) -> Result<Self, JournalError> {
        let path = path(&folder.path);
        let file = match folder.disk.open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => folder.disk.create(&path),
            file => file,
        };
        Ok(Self { file: file.map_err(JournalError::io("open", &path))? })
    }

    /// Where that fails the next start knows less of what is gone; what is here is as durable as before.
    pub fn set(&self, last: u64) {
        let last = last.to_le_bytes();
        let bytes = [&last[..], &crc32c::crc32c(&last).to_le_bytes()].concat();
        let _ = self.file.write(&bytes, 0);
    }
}

/// The last sequence that is known to have been acknowledged; zero where nothing is known.
pub(crate) fn read(folder: &Folder) -> Result<u64, JournalError> {
    let path = path(&folder.path);
    let bytes = match folder.disk.read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        bytes => bytes.map_err(JournalError::io("read", &path))?,
    };
    let whole = bytes.first_chunk::<12>().and_then(|bytes| bytes.split_first_chunk::<8>());
    let known = whole.filter(|(last, crc)| crc32c::crc32c(&last[..]).to_le_bytes() == **crc);
    Ok(known.map_or(0, |(last, _)| u64::from_le_bytes(*last)))
}

pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join("acknowledged")
}
