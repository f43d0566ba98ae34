//! A backup: an archive (tar) of all that cannot be made again, written while the host goes on.
//!
//! It begins with what has to be of one moment: where the streams end, and what goes when an event has forgotten it, the
//! values of secrets and what tools have begun. Then come the journal up to there, as an export of it, and the blobs, which
//! are older than the events that name them. Logs and samples are bulk beside it, as far as they were written. The last entry
//! says that the archive is whole.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::RwLockWriteGuard;

use lockgate_core::digest::Digest;
use lockgate_journal::{Base, Records, StreamHead};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tar::{Archive, Builder, Entries, Entry, EntryType, Header};

use crate::blobs::Blobs;
use crate::export::{self, ExportError};
use crate::folder::{self, Layout};
use crate::{Store, StoreError};

const FORMAT: &str = "lockgate-backup";
const VERSION: u32 = 1;
const HEAD: &str = "backup.json";
const JOURNAL: &str = "journal";
const END: &str = "end.json";
const BLOBS: &str = "blobs";
const SECRETS: &str = "secrets";
const LOGS: &str = "logs";
const SAMPLES: &str = "samples";
/// What tools have begun and ended: without it a host would start again what was under way.
const TOOLS: &str = "tools";
/// The size of an entry stands before it, so the journal comes in parts that are made in memory.
const PART_BYTES: usize = 8 << 20;
const MOST_NAME_BYTES: u64 = 4 << 10;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
}

/// What a backup holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    pub events: u64,
    pub blobs: u64,
    pub secrets: u64,
    /// Of logs, samples and runs of tools.
    pub files: u64,
    /// Of all that has no digest of its own: secrets and these files, with their names, one after the other.
    #[serde(default)]
    pub digest: String,
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("could not read or write it: {0}")]
    Io(#[from] io::Error),
    #[error("its journal is damaged ({0}); take it from another copy, or make it again")]
    Journal(ExportError),
    #[error("not all of its entries can be read, so it is damaged; take it from another copy, or make it again")]
    Unreadable,
    #[error("it is no backup of version {VERSION}: {0}")]
    Unknown(String),
    #[error("it ends before its last entry, so it was cut off; take it from another copy, or make it again")]
    CutOff,
    #[error("its blob {0} is damaged; take it from another copy, or make it again")]
    Damaged(Digest),
    #[error("its entry `{0}` has no place in a data folder: this is no backup that a host has made")]
    Stray(String),
}

impl From<ExportError> for BackupError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => Self::Store(error),
            ExportError::Io(error) => Self::Io(error),
            ExportError::CutOff { .. } => Self::CutOff,
            error => Self::Journal(error),
        }
    }
}

/// What has to be of one moment.
struct Moment {
    base: Option<Base>,
    /// Up to the heads, and perhaps further.
    records: Records,
    heads: BTreeMap<String, StreamHead>,
    secrets: Vec<NamedFile>,
    tools: Vec<NamedFile>,
}

/// By its name in the archive.
type NamedFile = (PathBuf, Vec<u8>);

impl Moment {
    fn of(store: &Store, _nothing_goes: &RwLockWriteGuard<'_, ()>) -> Result<Self, BackupError> {
        let layout = Layout::new(store.dir());
        // As long as this is held, nothing is dropped.
        let _held = store.read_all()?;
        let heads = store.heads();
        let (base, records) = store.read_all()?;
        let (secrets, tools) = (files(SECRETS, &layout.secrets)?, files(TOOLS, &layout.tools)?);
        Ok(Self { base, records, heads, secrets, tools })
    }
}

fn files(name: &str, dir: &Path) -> io::Result<Vec<NamedFile>> {
    let mut files = Vec::new();
    each_file(Path::new(name), dir, &mut |name, mut file| {
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        files.push((name, content));
        Ok(())
    })?;
    Ok(files)
}

/// Calls with every file in a folder and the folders in it, under this name. Drafts are left out, and what is removed meanwhile.
fn each_file(name: &Path, dir: &Path, take: &mut impl FnMut(PathBuf, File) -> io::Result<()>) -> io::Result<()> {
    let Some(entries) = if_there(fs::read_dir(dir))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let (name, path, kind) = (name.join(entry.file_name()), entry.path(), entry.file_type()?);
        if kind.is_dir() {
            each_file(&name, &path, take)?;
        } else if kind.is_file()
            && let Some(file) = if_there(File::open(&path))?
        {
            take(name, file)?;
        }
    }
    Ok(())
}

fn if_there<T>(found: io::Result<T>) -> io::Result<Option<T>> {
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

/// Blocks.
pub(crate) fn write(store: &Store, out: impl Write) -> Result<Contents, BackupError> {
    let layout = Layout::new(store.dir());
    let Moment { base, records, heads, secrets, tools } = Moment::of(store, &store.keep_all())?;
    let mut archive = Builder::new(out);
    let mut contents = Contents { secrets: secrets.len() as u64, files: tools.len() as u64, ..Contents::default() };
    let mut sum = Sha256::new();
    let head = Head { format: FORMAT.to_owned(), version: VERSION };
    add(&mut archive, HEAD, &serde_json::to_vec(&head).map_err(io::Error::from)?)?;
    for (name, content) in secrets.iter().chain(&tools) {
        sum.update(name.as_os_str().as_encoded_bytes());
        sum.update(content);
        add(&mut archive, name, content)?;
    }
    let last = heads.values().map(|head| head.last).max().unwrap_or(0);
    let records = records.take_while(|record| record.as_ref().map_or(true, |record| record.sequence <= last));
    let records = records.map(|record| Ok(record?));
    let mut parts = Parts { archive: &mut archive, part: Vec::new(), number: 0 };
    contents.events = export::write(base.as_ref(), records, &heads, &mut parts)?;
    parts.flush()?;
    for digest in store.blobs().digests()? {
        let (blob, bytes) = store.blobs().open_blob(digest)?;
        archive.append_data(&mut header(bytes), format!("{BLOBS}/{}", digest.hex()), blob)?;
        contents.blobs += 1;
    }
    for (name, dir) in [(LOGS, &layout.logs), (SAMPLES, &layout.samples)] {
        each_file(Path::new(name), dir, &mut |name, file| {
            let bytes = file.metadata()?.len();
            contents.files += 1;
            sum.update(name.as_os_str().as_encoded_bytes());
            archive.append_data(&mut header(bytes), name, Summed { inner: exactly(file, bytes), sum: &mut sum })
        })?;
    }
    contents.digest = hex::encode(sum.finalize());
    add(&mut archive, END, &serde_json::to_vec(&contents).map_err(io::Error::from)?)?;
    archive.into_inner()?.flush()?;
    Ok(contents)
}

/// The journal on its way into the archive.
struct Parts<'a, W: Write> {
    archive: &'a mut Builder<W>,
    part: Vec<u8>,
    number: u32,
}

impl<W: Write> Write for Parts<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend(bytes);
        if self.part.len() >= PART_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.part.is_empty() {
            self.number += 1;
            add(self.archive, format!("{JOURNAL}/{:06}.jsonl", self.number), &std::mem::take(&mut self.part))?;
        }
        Ok(())
    }
}

fn header(bytes: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_mode(0o600);
    header.set_size(bytes);
    header
}

/// An entry has as many bytes as it was said to have, whatever becomes of its file meanwhile.
fn exactly(content: impl Read, bytes: u64) -> impl Read {
    content.take(bytes).chain(io::repeat(0)).take(bytes)
}

struct Summed<'a, R> {
    inner: R,
    sum: &'a mut Sha256,
}

impl<R: Read> Read for Summed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.sum.update(&buffer[..bytes]);
        Ok(bytes)
    }
}

fn add<W: Write>(archive: &mut Builder<W>, name: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
    archive.append_data(&mut header(content.len() as u64), name, content)
}

/// Whether the last entry is there: what was cut off between two of them looks like an archive all the same.
pub fn is_whole(backup: &File) -> io::Result<bool> {
    // It takes one block behind its header, and two that are empty end the archive.
    let Some(at) = backup.metadata()?.len().checked_sub(4 * 512) else { return Ok(false) };
    let mut name = [0; END.len() + 1];
    backup.read_exact_at(&mut name, at)?;
    Ok(name.starts_with(END.as_bytes()) && name.ends_with(&[0]))
}

/// Makes the data folder `dir`, which must be empty, of a backup; blocks. A host can be started there only when all of it
/// is on disk; where that fails, also where `backup` fails to be read, the folder is as it was.
pub fn restore(dir: &Path, backup: impl Read) -> Result<Contents, BackupError> {
    let ended = Rc::new(Cell::new(false));
    let input = Input { inner: backup, ended: ended.clone() };
    let restored = folder::fill_empty(dir, || unpack(dir, input));
    restored.map_err(|error| match error {
        // The archive's reader has no words for it.
        BackupError::Io(error) if matches!(error.kind(), ErrorKind::Other | ErrorKind::InvalidData) => {
            if ended.get() {
                BackupError::CutOff
            } else {
                BackupError::Unreadable
            }
        }
        BackupError::Io(error) if error.kind() == ErrorKind::UnexpectedEof => BackupError::CutOff,
        error => error,
    })
}

/// Notes whether all of it was read.
struct Input<R> {
    inner: R,
    ended: Rc<Cell<bool>>,
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.inner.read(buffer)?;
        self.ended.set(bytes == 0);
        Ok(bytes)
    }
}

fn unpack(dir: &Path, backup: impl Read) -> Result<Contents, BackupError> {
    let layout = Layout::new(dir);
    let blobs = Blobs::open(&layout.blobs)?;
    let mut archive = Archive::new(BufReader::new(backup));
    // What the reader would take for names and attributes by itself has no bound.
    let mut entries = archive.entries()?.raw(true);
    let (mut contents, mut has_journal) = (Contents::default(), false);
    begins(entries.next().unwrap_or_else(|| Err(ErrorKind::UnexpectedEof.into())).map_err(no_beginning)?)?;
    let mut sum = Sha256::new();
    let mut next = entries.next();
    while let Some(entry) = next {
        let (path, mut entry) = named(entry?, &mut entries)?;
        let stray = || BackupError::Stray(path.to_string_lossy().escape_debug().to_string());
        let parts = parts(&path).filter(|_| entry.header().entry_type() == EntryType::Regular).ok_or_else(stray)?;
        match parts.as_slice() {
            [JOURNAL, _] if !has_journal => {
                has_journal = true;
                let mut journal = Journal { part: entry, entries: &mut entries, after: None };
                contents.events = export::read_in(&layout.unfinished, &mut BufReader::new(&mut journal))?.events;
                next = journal.after;
                continue;
            }
            [BLOBS, hex] => {
                let digest: Digest = format!("sha256:{hex}").parse().map_err(|_| stray())?;
                let mut blob = blobs.writer(u64::MAX)?;
                copy(&mut entry, |chunk| blob.write(chunk))?;
                blob.finish(Some(digest)).map_err(|error| match error {
                    StoreError::WrongDigest { expected, .. } => BackupError::Damaged(expected),
                    error => error.into(),
                })?;
                contents.blobs += 1;
            }
            [SECRETS, _] | [TOOLS, _, ..] => {
                let file = write_file(&dir.join(&path), summed(&path, &mut entry, &mut sum))?;
                file.sync_all().map_err(StoreError::io("sync", &path))?;
                if parts[0] == SECRETS { contents.secrets += 1 } else { contents.files += 1 }
            }
            [LOGS | SAMPLES, _, ..] => {
                write_file(&dir.join(&path), summed(&path, &mut entry, &mut sum))?;
                contents.files += 1;
            }
            [END] => {
                let all: Contents = json(&mut entry)?;
                contents.digest = hex::encode(sum.finalize());
                if all != contents || !has_journal || entries.next().is_some() {
                    return Err(BackupError::Unknown("its last entry does not tell what is in it".to_owned()));
                }
                return finish(dir, &layout, contents);
            }
            _ => return Err(stray()),
        }
        next = entries.next();
    }
    Err(BackupError::CutOff)
}

/// An entry and its name, which stands in an entry before it where it is long.
fn named<'a, R: Read>(
    entry: Entry<'a, R>,
    entries: &mut Entries<'a, R>,
) -> Result<(PathBuf, Entry<'a, R>), BackupError> {
    if entry.header().entry_type() != EntryType::GNULongName {
        return Ok((entry.path()?.into_owned(), entry));
    }
    let mut name = Vec::new();
    entry.take(MOST_NAME_BYTES).read_to_end(&mut name)?;
    let name = String::from_utf8_lossy(name.strip_suffix(b"\0").unwrap_or(&name)).into_owned();
    Ok((name.into(), entries.next().ok_or(BackupError::CutOff)??))
}

fn summed<'a, R: Read>(path: &Path, inner: R, sum: &'a mut Sha256) -> Summed<'a, R> {
    sum.update(path.as_os_str().as_encoded_bytes());
    Summed { inner, sum }
}

/// Nothing says yet that this was ever a backup.
fn no_beginning(error: io::Error) -> BackupError {
    match error.kind() {
        ErrorKind::Other | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => BackupError::Unknown(
            "it does not begin as a tar archive does (one that is compressed has to be unpacked first), or was cut off at once"
                .to_owned(),
        ),
        _ => BackupError::Io(error),
    }
}

fn begins(mut entry: Entry<'_, impl Read>) -> Result<(), BackupError> {
    let path = entry.path()?.into_owned();
    if path != Path::new(HEAD) {
        return Err(BackupError::Unknown(format!("it begins with `{}`", path.to_string_lossy().escape_debug())));
    }
    let head: Head = json(&mut entry)?;
    if head.format != FORMAT || head.version != VERSION {
        return Err(BackupError::Unknown(format!("it is {} of version {}", head.format, head.version)));
    }
    Ok(())
}

/// Its parts, read as one; then the entry after them.
struct Journal<'a, 'b, R: Read> {
    part: Entry<'a, R>,
    entries: &'b mut Entries<'a, R>,
    after: Option<io::Result<Entry<'a, R>>>,
}

impl<R: Read> Read for Journal<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.after.is_none() {
            let bytes = self.part.read(buffer)?;
            if bytes > 0 {
                return Ok(bytes);
            }
            match self.entries.next() {
                Some(Ok(entry)) if entry.path()?.starts_with(JOURNAL) => self.part = entry,
                Some(after) => self.after = Some(after),
                None => break,
            }
        }
        Ok(0)
    }
}

/// The journal gets its name last: what has none is no data folder yet.
fn finish(dir: &Path, layout: &Layout, contents: Contents) -> Result<Contents, BackupError> {
    let synced = File::open(dir).and_then(|dir| Ok(rustix::fs::syncfs(dir)?));
    synced
        .and_then(|()| sync_in_user_space(dir))
        .and_then(|()| fs::rename(&layout.unfinished, &layout.journal))
        .and_then(|()| folder::sync(dir))
        .map_err(StoreError::io("finish the data folder", dir))?;
    Ok(contents)
}

/// A file system in user space hears nothing of `syncfs`. Of others to ask for each file would be a flush of the disk each.
fn sync_in_user_space(dir: &Path) -> io::Result<()> {
    const FUSE: rustix::fs::FsWord = 0x6573_5546;
    if rustix::fs::statfs(dir)?.f_type != FUSE {
        return Ok(());
    }
    [SECRETS, LOGS, SAMPLES, TOOLS].iter().try_for_each(|name| sync_below(&dir.join(name)))
}

fn sync_below(dir: &Path) -> io::Result<()> {
    let Some(entries) = if_there(fs::read_dir(dir))? else { return Ok(()) };
    for entry in entries {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => sync_below(&entry.path())?,
            false => File::open(entry.path())?.sync_all()?,
        }
    }
    File::open(dir)?.sync_all()
}

/// `None`: it leads out of the folder, or is not written as we write it.
fn parts(path: &Path) -> Option<Vec<&str>> {
    path.components()
        .map(|part| match part {
            Component::Normal(name) => name.to_str(),
            Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
        })
        .collect()
}

fn json<T: for<'de> Deserialize<'de>>(entry: &mut impl Read) -> Result<T, BackupError> {
    let mut text = Vec::new();
    entry.take(4 << 10).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(|error| match error.is_eof() {
        true => BackupError::CutOff,
        false => BackupError::Unknown(error.to_string()),
    })
}

fn write_file(path: &Path, mut entry: impl Read) -> Result<File, BackupError> {
    let failed = |error| StoreError::io("write", path)(error);
    let dir = path.parent().unwrap_or(path);
    folder::create_unsynced(dir).map_err(failed)?;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    copy(&mut entry, |chunk| file.write_all(chunk).map_err(failed))?;
    Ok(file)
}

/// What cannot be read is the backup's, what cannot be written the folder's.
fn copy(entry: &mut impl Read, mut write: impl FnMut(&[u8]) -> Result<(), StoreError>) -> Result<(), BackupError> {
    let mut chunk = vec![0; 128 << 10];
    loop {
        match entry.read(&mut chunk)? {
            0 => return Ok(()),
            bytes => write(&chunk[..bytes])?,
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use tempfile::TempDir;

    use super::*;
    use crate::{LogId, StoreOptions};

    fn open(dir: &Path) -> Store {
        Store::open(dir, StoreOptions::default()).unwrap().0
    }

    fn log() -> LogId {
        LogId::new("shop", "1", "1", &"long-name".repeat(10)).unwrap()
    }

    /// A store with something of everything, and a backup of it.
    async fn backed_up() -> (TempDir, Store, Vec<u8>) {
        let dir = TempDir::new().unwrap();
        let store = open(dir.path());
        store.append("shop", vec![b"{\"made\":1}".to_vec(), b"[2]".to_vec()]).await.unwrap();
        store.blobs().write(b"an artifact").unwrap();
        store.logs().append(&log(), &[b"{\"message\":\"built\"}".to_vec()]).await.unwrap();
        let run = dir.path().join("tools/shop/live/1/1/work");
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join("taken"), "begun").unwrap();
        fs::create_dir(dir.path().join("secrets")).unwrap();
        fs::write(dir.path().join("secrets/token-1"), b"encrypted").unwrap();
        fs::write(dir.path().join("secrets/.draft-1"), b"half").unwrap();
        let mut backup = Vec::new();
        let contents = store.back_up(&mut backup).unwrap();
        assert_eq!((contents.events, contents.blobs, contents.secrets, contents.files), (2, 1, 1, 2));
        (dir, store, backup)
    }

    #[tokio::test]
    async fn what_is_restored_is_what_was_there_at_that_moment() {
        let (_dir, store, backup) = backed_up().await;
        let dir = TempDir::new().unwrap();
        let contents = restore(dir.path(), backup.as_slice()).unwrap();
        assert_eq!((contents.events, contents.blobs, contents.secrets, contents.files), (2, 1, 1, 2));
        let restored = open(dir.path());
        let events = |store: &Store| store.events(1).unwrap().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(events(&restored), events(&store));
        assert_eq!(restored.blobs().read(Digest::of(b"an artifact"), 100).unwrap(), b"an artifact");
        assert_eq!(restored.logs().read(&log(), 0, 9).unwrap(), store.logs().read(&log(), 0, 9).unwrap());
        assert_eq!(fs::read(dir.path().join("secrets/token-1")).unwrap(), b"encrypted");
        assert_eq!(fs::read(dir.path().join("tools/shop/live/1/1/work/taken")).unwrap(), b"begun");
        assert!(!dir.path().join("journal.unfinished").exists() && !dir.path().join("secrets/.draft-1").exists());
    }

    #[tokio::test]
    async fn a_backup_that_was_cut_off_anywhere_is_refused_and_leaves_nothing() {
        let (_dir, _store, backup) = backed_up().await;
        let last_entry = backup.len() - 1024 - 512;
        for length in [0, 1, 511].into_iter().chain((512..last_entry).step_by(701)) {
            let dir = TempDir::new().unwrap();
            let error = restore(dir.path(), &backup[..length]).expect_err("a part is no backup");
            match error {
                BackupError::CutOff => assert!(length >= 512, "{length}: nobody knows what it was"),
                error => assert!(length < 512 && matches!(error, BackupError::Unknown(_)), "{length}: {error}"),
            }
            assert_eq!(left(dir.path()), 0, "{length}");
        }
    }

    fn left(dir: &Path) -> usize {
        fs::read_dir(dir).unwrap().count()
    }

    #[tokio::test]
    async fn nothing_is_removed_while_a_backup_reads_and_the_other_way_round() {
        let (_dir, store, _) = backed_up().await;
        let is_free = || store.inner.removals.try_write().is_ok();
        let keeping = store.keep_all();
        assert!(store.inner.removals.try_read().is_err());
        drop(keeping);
        let removing = store.removing();
        assert!(!is_free());
        drop(removing);
        assert!(is_free());
    }

    #[tokio::test]
    async fn a_journal_of_many_parts_comes_back_whole() {
        let dir = TempDir::new().unwrap();
        let store = open(dir.path());
        let event = format!("\"{}\"", "x".repeat(5 << 20)).into_bytes();
        store.append("shop", vec![event; 4]).await.unwrap();
        let mut backup = Vec::new();
        store.back_up(&mut backup).unwrap();
        let restored = TempDir::new().unwrap();
        assert_eq!(restore(restored.path(), backup.as_slice()).unwrap().events, 4);
        assert_eq!(open(restored.path()).heads(), store.heads());
    }

    #[tokio::test]
    async fn what_stands_for_dropped_events_is_in_a_backup() {
        let dir = TempDir::new().unwrap();
        let journal = lockgate_journal::Options { segment_bytes: 512, ..Default::default() };
        let (store, _) = Store::open(dir.path(), StoreOptions { journal, ..StoreOptions::default() }).unwrap();
        for number in 0..9 {
            store.append("shop", vec![number.to_string().into_bytes()]).await.unwrap();
        }
        let full = store.full_segments().unwrap();
        let through = *full.first().unwrap().end();
        store.drop_through(through, [("shop".to_owned(), vec![b"{}".to_vec()])].into()).unwrap();
        let mut backup = Vec::new();
        assert_eq!(store.back_up(&mut backup).unwrap().events, 9 - through);
        let restored = TempDir::new().unwrap();
        restore(restored.path(), backup.as_slice()).unwrap();
        let restored = open(restored.path());
        assert_eq!((restored.base().unwrap(), restored.heads()), (store.base().unwrap(), store.heads()));
        assert_eq!(restored.events(1).unwrap().count() as u64, 9 - through);
    }

    fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        for (name, content) in entries {
            let mut header = header(content.len() as u64);
            // The crate would not write some of these names.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            archive.append(&header, *content).unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[tokio::test]
    async fn only_what_has_its_last_entry_is_whole() {
        let (_dir, _store, backup) = backed_up().await;
        for (length, whole) in
            [(backup.len(), true), (backup.len() - 1024, false), (backup.len() - 2048, false), (0, false)]
        {
            let file = tempfile::tempfile().unwrap();
            file.write_all_at(&backup[..length], 0).unwrap();
            assert_eq!(is_whole(&file).unwrap(), whole, "{length}");
        }
    }

    #[tokio::test]
    async fn a_flipped_bit_in_what_has_no_digest_of_its_own_is_found() {
        let (_dir, _store, backup) = backed_up().await;
        for content in ["encrypted", "begun", "built"] {
            let mut flipped = backup.clone();
            let at = backup.windows(content.len()).position(|window| window == content.as_bytes()).unwrap();
            flipped[at] ^= 1;
            let dir = TempDir::new().unwrap();
            let error = restore(dir.path(), flipped.as_slice()).unwrap_err();
            assert!(matches!(error, BackupError::Unknown(_)), "{content}: {error}");
        }
    }

    /// An archive that goes on with an entry of this type, as long as this.
    fn with_an_entry(kind: EntryType, bytes: usize) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        add(&mut archive, HEAD, br#"{"format":"lockgate-backup","version":1}"#).unwrap();
        let mut long = header(bytes as u64);
        long.set_entry_type(kind);
        long.set_cksum();
        archive.append(&long, vec![b'x'; bytes].as_slice()).unwrap();
        add(&mut archive, "logs/a/b", b"x").unwrap();
        archive.into_inner().unwrap()
    }

    #[test]
    fn what_stands_before_an_entry_is_a_name_of_some_length_and_nothing_else() {
        let refused = |kind, bytes| {
            let dir = TempDir::new().unwrap();
            let error = restore(dir.path(), with_an_entry(kind, bytes).as_slice()).unwrap_err();
            let BackupError::Stray(name) = error else { panic!("{error}") };
            name.len()
        };
        assert_eq!(refused(EntryType::GNULongName, 1 << 20), MOST_NAME_BYTES as usize);
        for kind in [EntryType::GNULongLink, EntryType::XHeader, EntryType::XGlobalHeader, EntryType::Symlink] {
            refused(kind, 512);
        }
    }

    #[test]
    fn a_lock_that_is_not_ours_is_left_alone() {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("lock"), "precious").unwrap();
        restore(dir.path(), io::empty()).unwrap_err();
        assert_eq!(fs::read_to_string(dir.path().join("lock")).unwrap(), "precious");
        let linked = TempDir::new().unwrap();
        std::os::unix::fs::symlink(dir.path().join("lock"), linked.path().join("lock")).unwrap();
        restore(linked.path(), io::empty()).unwrap_err();
        assert_eq!(fs::read_to_string(dir.path().join("lock")).unwrap(), "precious");
    }

    /// In the header of the second entry: the first has two blocks.
    fn spoilt(mut archive: Vec<u8>) -> Vec<u8> {
        archive[2 * 512] ^= 1;
        archive
    }

    #[test]
    fn what_no_host_has_made_is_refused_by_name() {
        let head = (HEAD, br#"{"format":"lockgate-backup","version":1}"#.as_slice());
        let other = (HEAD, br#"{"format":"lockgate-backup","version":2}"#.as_slice());
        let wrong_blob = format!("{BLOBS}/{}", Digest::of(b"one").hex());
        let archives = [
            archive(&[("notes.txt", b"")]),
            archive(&[other]),
            archive(&[head, ("logs/../../escaped", b"x")]),
            archive(&[head, ("/etc/escaped", b"x")]),
            archive(&[head, ("compiled/code", b"x")]),
            archive(&[head, (&wrong_blob, b"other")]),
            archive(&[head, ("blobs/short", b"x")]),
            archive(&[head, (END, b"{}")]),
            archive(&[head, (END, br#"{"events":0,"blobs":0,"secrets":0,"files":0}"#)]),
            archive(&[head, ("logs/a\nb", b"x")]),
            b"no archive".repeat(1000),
            b"short".to_vec(),
            spoilt(archive(&[head, ("logs/a", b"x")])),
        ];
        let refused = archives.map(|archive| {
            let dir = TempDir::new().unwrap();
            let error = restore(&dir.path().join("new/data"), archive.as_slice()).unwrap_err();
            assert_eq!(left(dir.path()), 0);
            error.to_string()
        });
        expect![[r#"
            it is no backup of version 1: it begins with `notes.txt`
            it is no backup of version 1: it is lockgate-backup of version 2
            its entry `logs/../../escaped` has no place in a data folder: this is no backup that a host has made
            its entry `/etc/escaped` has no place in a data folder: this is no backup that a host has made
            its entry `compiled/code` has no place in a data folder: this is no backup that a host has made
            its blob sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed is damaged; take it from another copy, or make it again
            its entry `blobs/short` has no place in a data folder: this is no backup that a host has made
            it is no backup of version 1: missing field `events` at line 1 column 2
            it is no backup of version 1: its last entry does not tell what is in it
            it ends before its last entry, so it was cut off; take it from another copy, or make it again
            it is no backup of version 1: it does not begin as a tar archive does (one that is compressed has to be unpacked first), or was cut off at once
            it is no backup of version 1: it does not begin as a tar archive does (one that is compressed has to be unpacked first), or was cut off at once
            not all of its entries can be read, so it is damaged; take it from another copy, or make it again"#]].assert_eq(&refused.join("\n"));
    }

    #[tokio::test]
    async fn a_folder_that_holds_something_is_left_alone() {
        let (dir, store, backup) = backed_up().await;
        let error = restore(dir.path(), backup.as_slice()).unwrap_err();
        assert!(matches!(error, BackupError::Store(StoreError::NotEmpty { .. })), "{error}");
        drop(store);
        let error = restore(dir.path(), backup.as_slice()).unwrap_err();
        assert!(
            matches!(&error, BackupError::Store(StoreError::NotEmpty { dir: there }) if there == dir.path()),
            "{error}"
        );
        assert_eq!(open(dir.path()).events(1).unwrap().count(), 2);
    }
}
