//! Segment files: names, header, creation. A file gets its final name only when
//! it is whole, zero-filled and synced, so a named segment always has a header.
//!
//! The header is `"lockgate", format u32, checksum u32, first sequence u64, bytes u32, crc32c u32`, all little-endian.
//! The checksum and the bytes are those of packed records, and zero where records follow as they are.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, JournalError};
use crate::packed;

/// Records as they were written, and zeros after them.
pub(crate) const PLAIN: u32 = 1;
/// Records that are packed, all together; no torn end.
pub(crate) const PACKED: u32 = 2;
pub(crate) const HEADER_BYTES: u64 = 32;
const MAGIC: &[u8; 8] = b"lockgate";
const UNNAMED: &str = "tmp";

/// Where the segments are.
#[derive(Clone)]
pub(crate) struct Folder {
    pub disk: Arc<dyn Disk>,
    pub path: PathBuf,
}

/// A named segment in the folder, by its first sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub first: u64,
    pub path: PathBuf,
}

/// A segment as its records were written, also if it is packed on disk: so a place in it is the same in both.
pub(crate) struct Loaded {
    pub bytes: Vec<u8>,
    pub packed: bool,
}

/// The segments of a folder in order; none where there is no folder. Other files are left alone.
pub(crate) fn list(folder: &Folder) -> Result<Vec<Named>, JournalError> {
    let paths = match folder.disk.list(&folder.path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        paths => paths.map_err(JournalError::io("list the journal", &folder.path))?,
    };
    let named = |path: PathBuf| Some(Named { first: first_sequence(&path)?, path });
    let mut segments: Vec<Named> = paths.into_iter().filter_map(named).collect();
    segments.sort_by_key(|segment| segment.first);
    Ok(segments)
}

/// Those that begin there or later: what was dropped may still be there.
pub(crate) fn list_from(folder: &Folder, first: u64) -> Result<Vec<Named>, JournalError> {
    let mut segments = list(folder)?;
    segments.retain(|segment| segment.first >= first);
    Ok(segments)
}

/// Removes what a base stands for.
pub(crate) fn remove_before(folder: &Folder, first: u64) -> Result<(), JournalError> {
    let mut dropped = list(folder)?;
    dropped.retain(|segment| segment.first < first);
    for Named { path, .. } in &dropped {
        folder.disk.remove(path).map_err(JournalError::io("remove the dropped segment", path))?;
    }
    Ok(())
}

pub(crate) fn file_name(first: u64) -> String {
    format!("{first:020}.log")
}

fn first_sequence(path: &Path) -> Option<u64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(".log")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// The whole segment with its header checked.
pub(crate) fn load(folder: &Folder, segment: &Named) -> Result<Loaded, JournalError> {
    let path = &segment.path;
    let bytes = folder.disk.read(path).map_err(JournalError::io("read the journal segment", path))?;
    let damage = |offset, problem: &str| {
        let problem = problem.to_owned();
        JournalError::from(Damage { segment: path.clone(), offset, sequence: segment.first, problem })
    };
    let Some((header, rest)) = bytes.split_first_chunk::<{ HEADER_BYTES as usize }>() else {
        return Err(damage(0, "the file is too short for a header"));
    };
    if &header[..8] != MAGIC {
        return Err(damage(0, "the file does not begin like a journal segment"));
    }
    let [format, checksum, length] = [8, 12, 24].map(|at| number(header, at));
    if *header != header_of(segment.first, format, checksum, length) {
        return Err(damage(0, "the header is not the one of this file name"));
    }
    match format {
        PLAIN => Ok(Loaded { bytes, packed: false }),
        PACKED if crc32c::crc32c(rest) != checksum => {
            Err(damage(HEADER_BYTES, "the checksum of the packed records does not match their bytes"))
        }
        PACKED => match packed::unpack(header, rest, length) {
            Ok(bytes) => Ok(Loaded { bytes, packed: true }),
            Err(problem) => Err(damage(HEADER_BYTES, problem)),
        },
        found => Err(JournalError::Version { path: path.clone(), found, known: PACKED }),
    }
}

fn number(header: &[u8; HEADER_BYTES as usize], at: usize) -> u32 {
    u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
}

fn header_of(first: u64, format: u32, checksum: u32, length: u32) -> [u8; HEADER_BYTES as usize] {
    let mut header = [0; HEADER_BYTES as usize];
    header[..8].copy_from_slice(MAGIC);
    header[8..12].copy_from_slice(&format.to_le_bytes());
    header[12..16].copy_from_slice(&checksum.to_le_bytes());
    header[16..24].copy_from_slice(&first.to_le_bytes());
    header[24..28].copy_from_slice(&length.to_le_bytes());
    let crc = crc32c::crc32c(&header[..28]);
    header[28..].copy_from_slice(&crc.to_le_bytes());
    header
}

/// A zero-filled, synced file that has no name yet. Zeros, not holes: a later
/// `fdatasync` then has only data to write, no metadata.
pub(crate) struct Prepared {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    bytes: u64,
}

/// Where that fails nothing is left: on a full disk, others need the room, too.
pub(crate) fn prepare(folder: &Folder, bytes: u64) -> Result<Prepared, JournalError> {
    let path = folder.path.join(format!("{bytes}.{UNNAMED}"));
    let file = folder.disk.create(&path).map_err(JournalError::io("create a journal segment", &path))?;
    match zero(&*file, 0, bytes).and_then(|()| file.sync()) {
        Ok(()) => Ok(Prepared { file, path, bytes }),
        Err(error) => {
            let _ = folder.disk.remove(&path);
            Err(JournalError::io("reserve disk space for the journal in", &path)(error))
        }
    }
}

/// The segment that is written to.
pub(crate) struct Active {
    pub file: Box<dyn DiskFile>,
    pub segment: Named,
    /// Where the next record goes.
    pub end: u64,
    pub bytes: u64,
}

impl Active {
    pub fn room(&self) -> u64 {
        self.bytes.saturating_sub(self.end)
    }

    pub fn open(folder: &Folder, segment: &Named, end: u64) -> Result<Self, JournalError> {
        let open = || -> io::Result<Self> {
            let file = folder.disk.open(&segment.path)?;
            let bytes = file.bytes()?;
            Ok(Self { file, segment: segment.clone(), end, bytes })
        };
        open().map_err(JournalError::io("open the journal segment", &segment.path))
    }

    /// Makes durable what a start found: its last batch, which is given, and nothing after it.
    ///
    /// That batch is written once more, for a sync of it that failed leaves it in the page cache, called clean: it can be
    /// read and another sync succeeds, but it is not on disk. Stale bytes after it must not be found by a later start.
    pub fn settle(&self, last_batch: &[u8], torn: bool) -> Result<(), JournalError> {
        let clear = || if torn { zero(&*self.file, self.end, self.bytes) } else { Ok(()) };
        self.file
            .write(last_batch, self.end - last_batch.len() as u64)
            .and_then(|()| clear())
            .and_then(|()| self.file.sync())
            .map_err(JournalError::io("make durable the end of", &self.segment.path))
    }
}

/// Gives a prepared file its header and name.
pub(crate) fn name(folder: &Folder, prepared: Prepared, first: u64) -> Result<Active, JournalError> {
    let Prepared { file, path: unnamed, bytes } = prepared;
    let path = folder.path.join(file_name(first));
    file.write(&header_of(first, PLAIN, 0, 0), 0)
        .and_then(|()| file.sync())
        .and_then(|()| folder.disk.rename(&unnamed, &path))
        .and_then(|()| folder.disk.sync_dir(&folder.path))
        .map_err(JournalError::io("begin the journal segment", &path))?;
    Ok(Active { file, segment: Named { first, path }, end: HEADER_BYTES, bytes })
}

/// Puts packed records in the place of a segment.
pub(crate) fn replace(folder: &Folder, segment: &Named, packed: &[u8], length: u32) -> Result<(), JournalError> {
    let header = header_of(segment.first, PACKED, crc32c::crc32c(packed), length);
    put(folder, &segment.path, &[&header, packed].concat())
        .map_err(JournalError::io("pack the journal segment", &segment.path))
}

/// Puts a file in the place of another. The name goes from one whole file to the other in one step, so whenever this is
/// interrupted one of them is there; the folder is not synced, for whoever does not care which of the two.
pub(crate) fn put(folder: &Folder, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unnamed = path.with_extension(UNNAMED);
    let write = || {
        let file = folder.disk.create(&unnamed)?;
        file.write(bytes, 0)?;
        file.sync()?;
        folder.disk.rename(&unnamed, path)
    };
    write().inspect_err(|_| drop(folder.disk.remove(&unnamed)))
}

/// Removes what a killed process had prepared.
pub(crate) fn remove_unnamed(folder: &Folder) -> Result<(), JournalError> {
    let paths = folder.disk.list(&folder.path).map_err(JournalError::io("list the journal", &folder.path))?;
    let unnamed = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == UNNAMED);
    paths.iter().filter(unnamed).try_for_each(|path| folder.disk.remove(path).map_err(JournalError::io("remove", path)))
}

/// The folder and all above it. Without the name of one level, all below it is gone.
pub(crate) fn create_dir(folder: &Folder) -> Result<(), JournalError> {
    create_level(&*folder.disk, &folder.path).map_err(JournalError::io("create the journal folder", &folder.path))
}

/// A level is created when the names above it are durable: whoever finds it knows that they are, after a kill, too.
fn create_level(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    let above = dir.parent().map(|above| if above.as_os_str().is_empty() { Path::new(".") } else { above });
    if let (Some(above), Err(ErrorKind::NotFound)) = (above, disk.list(dir).map_err(|error| error.kind())) {
        create_level(disk, above)?;
        disk.create_dir(dir)?;
    }
    disk.sync_dir(dir)?;
    match above.map_or(Ok(()), |above| disk.sync_dir(above)) {
        // Not a folder of ours, so neither is the name in it.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

fn zero(file: &dyn DiskFile, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; 1 << 20];
    let mut at = from;
    while at < to {
        let count = (to - at).min(zeros.len() as u64);
        file.write(&zeros[..count as usize], at)?;
        at += count;
    }
    Ok(())
}
