//! How far the journal was acknowledged: a file beside the segments, the witness of records that are gone.
//!
//! It is written after each sync and never synced itself. A killed host leaves it as it was; after a power cut it may
//! be behind the segments, or gone, and then it witnesses less. Never is it ahead of what was durable.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::JournalError;

pub(crate) struct Mark {
    file: File,
}

impl Mark {
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let path = path(dir);
        let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(&path);
        Ok(Self { file: file.map_err(JournalError::io("open", &path))? })
    }

    /// Where that fails the next start knows less of what is gone; what is here is as durable as before.
    pub fn set(&self, last: u64) {
        let last = last.to_le_bytes();
        let bytes = [&last[..], &crc32c::crc32c(&last).to_le_bytes()].concat();
        let _ = self.file.write_all_at(&bytes, 0);
    }
}

/// The last sequence that is known to have been acknowledged; zero where nothing is known.
pub(crate) fn read(dir: &Path) -> u64 {
    let mut bytes = [0; 12];
    let read = File::open(path(dir)).and_then(|mut file| file.read_exact(&mut bytes));
    let (last, crc) = bytes.split_at(8);
    let whole = read.is_ok() && crc32c::crc32c(last).to_le_bytes() == *crc;
    last.try_into().ok().filter(|_| whole).map_or(0, u64::from_le_bytes)
}

pub(crate) fn path(dir: &Path) -> PathBuf {
    dir.join("acknowledged")
}
