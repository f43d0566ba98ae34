//! Segment files: names, header, creation. A file gets its final name only when
//! it is whole, zero-filled and synced, so a named segment always has a header.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Damage, JournalError};

pub(crate) const FORMAT: u32 = 1;
pub(crate) const HEADER_BYTES: u64 = 32;
const MAGIC: &[u8; 8] = b"lockgate";
const UNNAMED: &str = "tmp";

/// A named segment in the folder, by its first sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub first: u64,
    pub path: PathBuf,
}

impl Named {
    fn new(dir: &Path, first: u64) -> Self {
        Self { first, path: dir.join(format!("{first:020}.log")) }
    }
}

/// The segments of a folder in order; none where there is no folder. Other files are left alone.
pub(crate) fn list(dir: &Path) -> Result<Vec<Named>, JournalError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(JournalError::io("list the journal", dir))?,
    };
    let mut segments = Vec::new();
    for entry in entries {
        let path = entry.map_err(JournalError::io("list the journal", dir))?.path();
        if let Some(first) = first_sequence(&path) {
            segments.push(Named { first, path });
        }
    }
    segments.sort_by_key(|segment| segment.first);
    Ok(segments)
}

fn first_sequence(path: &Path) -> Option<u64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(".log")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// The whole segment with its header checked.
pub(crate) fn load(segment: &Named) -> Result<Vec<u8>, JournalError> {
    let mut bytes = Vec::new();
    File::open(&segment.path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
        .map_err(JournalError::io("read the journal segment", &segment.path))?;
    check_header(segment, &bytes)?;
    Ok(bytes)
}

fn check_header(segment: &Named, bytes: &[u8]) -> Result<(), JournalError> {
    let damage = |problem: &str| Damage {
        segment: segment.path.clone(),
        offset: 0,
        sequence: segment.first,
        problem: problem.to_owned(),
    };
    let Some(header) = bytes.first_chunk::<{ HEADER_BYTES as usize }>() else {
        return Err(damage("the file is too short for a header").into());
    };
    if &header[..8] != MAGIC {
        return Err(damage("the file does not begin like a journal segment").into());
    }
    let found = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
    if *header == header_of(segment.first, FORMAT) {
        return Ok(());
    }
    if *header == header_of(segment.first, found) {
        return Err(JournalError::Version { path: segment.path.clone(), found, known: FORMAT });
    }
    Err(damage("the header is not the one of this file name").into())
}

fn header_of(first: u64, format: u32) -> [u8; HEADER_BYTES as usize] {
    let mut header = [0; HEADER_BYTES as usize];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&format.to_le_bytes());
    header[16..24].copy_from_slice(&first.to_le_bytes());
    let crc = crc32c::crc32c(&header[..28]);
    header[28..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// A zero-filled, synced file that has no name yet. Zeros, not holes: a later
/// `fdatasync` then has only data to write, no metadata.
pub(crate) struct Prepared {
    file: File,
    path: PathBuf,
    bytes: u64,
}

pub(crate) fn prepare(dir: &Path, bytes: u64) -> Result<Prepared, JournalError> {
    let path = dir.join(format!("{bytes}.{UNNAMED}"));
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .map_err(JournalError::io("create a journal segment", &path))?;
    if let Err(error) = zero(&file, 0, bytes).and_then(|()| file.sync_all()) {
        // What does not fit must not keep the disk full for everything else.
        let _ = fs::remove_file(&path);
        return Err(JournalError::io("reserve disk space for the journal in", &path)(error));
    }
    Ok(Prepared { file, path, bytes })
}

/// The segment that is written to.
pub(crate) struct Active {
    pub file: File,
    pub path: PathBuf,
    /// Where the next record goes.
    pub end: u64,
    pub bytes: u64,
}

impl Active {
    pub fn room(&self) -> u64 {
        self.bytes.saturating_sub(self.end)
    }

    pub fn open(segment: &Named, end: u64) -> Result<Self, JournalError> {
        let open = || -> io::Result<Self> {
            let file = File::options().read(true).write(true).open(&segment.path)?;
            let bytes = file.metadata()?.len();
            Ok(Self { file, path: segment.path.clone(), end, bytes })
        };
        open().map_err(JournalError::io("open the journal segment", &segment.path))
    }

    /// Clears everything after the last good record and makes what is left
    /// durable. Both matter: stale bytes must not be found by a later start, and
    /// records of a killed process may so far be in the page cache only.
    pub fn clear_tail(&self) -> Result<(), JournalError> {
        zero(&self.file, self.end, self.bytes)
            .and_then(|()| self.file.sync_data())
            .map_err(JournalError::io("clear the torn end of", &self.path))
    }

    pub fn sync(&self) -> Result<(), JournalError> {
        self.file.sync_data().map_err(JournalError::io("sync the journal segment", &self.path))
    }
}

/// Gives a prepared file its header and name.
pub(crate) fn name(dir: &Path, prepared: Prepared, first: u64) -> Result<Active, JournalError> {
    let Named { path, .. } = Named::new(dir, first);
    prepared
        .file
        .write_all_at(&header_of(first, FORMAT), 0)
        .and_then(|()| prepared.file.sync_all())
        .and_then(|()| fs::rename(&prepared.path, &path))
        .and_then(|()| sync_dir(dir))
        .map_err(JournalError::io("begin the journal segment", &path))?;
    Ok(Active { file: prepared.file, path, end: HEADER_BYTES, bytes: prepared.bytes })
}

/// Removes what a killed process had prepared.
pub(crate) fn remove_unnamed(dir: &Path) -> Result<(), JournalError> {
    for entry in fs::read_dir(dir).map_err(JournalError::io("list the journal", dir))? {
        let path = entry.map_err(JournalError::io("list the journal", dir))?.path();
        if path.extension().is_some_and(|extension| extension == UNNAMED) {
            fs::remove_file(&path).map_err(JournalError::io("remove", &path))?;
        }
    }
    Ok(())
}

pub(crate) fn create_dir(dir: &Path) -> Result<(), JournalError> {
    // Without the name of one level, all below it is gone.
    let missing = dir.ancestors().take_while(|level| !level.as_os_str().is_empty() && !level.exists());
    let named_in: Vec<&Path> = missing.chain([dir]).map(parent).collect();
    let created = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    created.map_err(JournalError::io("create the journal folder", dir))?;
    let mut synced = [dir].into_iter().chain(named_in);
    synced.try_for_each(sync_dir).map_err(JournalError::io("sync the folder of", dir))
}

fn parent(dir: &Path) -> &Path {
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn zero(file: &File, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; 1 << 20];
    let mut at = from;
    while at < to {
        let count = (to - at).min(zeros.len() as u64);
        file.write_all_at(&zeros[..count as usize], at)?;
        at += count;
    }
    Ok(())
}
