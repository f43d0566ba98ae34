//! A backup: an archive (tar) of all that cannot be made again, written while the host goes on.
//!
//! It begins with the journal, as an export of it, so what it holds is how things stood at one moment. What the journal
//! names is older than its event, and so there: blobs, what tools have begun, and the values of secrets, which the caller
//! has read. Logs and samples are bulk beside it, as far as they were written. The last entry says that the archive is whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};
use std::thread;

use lockgate_core::digest::Digest;
use lockgate_journal::StreamHead;
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};

use crate::blobs::Blobs;
use crate::export::{self, ExportError};
use crate::folder::{self, Layout};
use crate::{Store, StoreError};

const FORMAT: &str = "lockgate-backup";
const VERSION: u32 = 1;
const HEAD: &str = "backup.json";
const JOURNAL: &str = "journal.jsonl";
const END: &str = "end.json";
const BLOBS: &str = "blobs";
pub const SECRETS: &str = "secrets";
const LOGS: &str = "logs";
const SAMPLES: &str = "samples";
/// What tools have begun and ended: without it a host would start again what was under way.
const TOOLS: &str = "tools";

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
}

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("its journal cannot be read: {0}")]
    Journal(#[from] ExportError),
    #[error("could not read or write the backup: {0}")]
    Io(#[from] io::Error),
    #[error("this is no backup of version {VERSION}: {0}")]
    Unknown(String),
    #[error("the backup ends before its last entry: it was cut off; take it from another copy, or make it again")]
    CutOff,
    #[error("blob {0} is damaged in the backup: take it from another copy, or make it again")]
    Damaged(Digest),
    #[error("the entry `{0}` has no place in a data folder: this is no backup that a host has made")]
    Stray(String),
    #[error("{} holds something already: restore into a folder that is empty or not there", .0.display())]
    NotEmpty(PathBuf),
}

/// Writes everything up to these heads; blocks.
pub fn write(
    store: &Store,
    heads: &BTreeMap<String, StreamHead>,
    secrets: &BTreeMap<String, Vec<u8>>,
    out: impl Write,
) -> Result<Contents, BackupError> {
    let layout = Layout::new(store.dir());
    let mut archive = Builder::new(out);
    let head = Head { format: FORMAT.to_owned(), version: VERSION };
    add(&mut archive, HEAD, &serde_json::to_vec(&head).map_err(io::Error::from)?)?;
    let mut contents = Contents { events: add_journal(&mut archive, store, heads)?, ..Contents::default() };
    for digest in store.blobs().digests()? {
        let (blob, bytes) = store.blobs().open_blob(digest)?;
        archive.append_data(&mut header(bytes), format!("{BLOBS}/{}", digest.hex()), blob)?;
        contents.blobs += 1;
    }
    for (name, value) in secrets {
        add(&mut archive, &format!("{SECRETS}/{name}"), value)?;
        contents.secrets += 1;
    }
    for (name, dir) in [(LOGS, &layout.logs), (SAMPLES, &layout.samples), (TOOLS, &store.dir().join(TOOLS))] {
        contents.files += add_folder(&mut archive, Path::new(name), dir)?;
    }
    add(&mut archive, END, &serde_json::to_vec(&contents).map_err(io::Error::from)?)?;
    archive.into_inner()?.flush()?;
    Ok(contents)
}

fn add_journal<W: Write>(
    archive: &mut Builder<W>,
    store: &Store,
    heads: &BTreeMap<String, StreamHead>,
) -> Result<u64, BackupError> {
    let last = heads.values().map(|head| head.last).max().unwrap_or(0);
    let export = |out: &mut dyn Write| {
        let records = store.records()?.take(last as usize);
        export::write(records.map(|record| Ok(record?)), heads, &mut &mut *out)
    };
    // Its size stands before it.
    let mut counted = Counted(0);
    export(&mut counted)?;
    let (reader, writer) = io::pipe()?;
    let (exported, added) = thread::scope(|scope| {
        let exported = scope.spawn(|| export(&mut BufWriter::new(writer)));
        let added = archive.append_data(&mut header(counted.0), JOURNAL, exactly(reader, counted.0));
        (exported.join(), added)
    });
    // Where nothing more can be added, that is why the export broke off.
    added?;
    Ok(exported.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?)
}

struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
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

fn add<W: Write>(archive: &mut Builder<W>, name: &str, content: &[u8]) -> io::Result<()> {
    archive.append_data(&mut header(content.len() as u64), name, content)
}

fn add_folder<W: Write>(archive: &mut Builder<W>, name: &Path, dir: &Path) -> io::Result<u64> {
    let entries = match fs::read_dir(dir) {
        // Removed since it was found, or never made.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut files = 0;
    for entry in entries {
        let entry = entry?;
        let (name, path, kind) = (name.join(entry.file_name()), entry.path(), entry.file_type()?);
        if kind.is_dir() {
            files += add_folder(archive, &name, &path)?;
        } else if kind.is_file() {
            let file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            let bytes = file.metadata()?.len();
            archive.append_data(&mut header(bytes), &name, exactly(file, bytes))?;
            files += 1;
        }
    }
    Ok(files)
}

/// Makes the data folder `dir`, which must be empty, of a backup; blocks. A host can be started there only when all of it
/// is on disk; where that fails, nothing stays.
pub fn restore(dir: &Path, backup: impl Read) -> Result<Contents, BackupError> {
    folder::create(dir)?;
    if fs::read_dir(dir)?.next().is_some() {
        return Err(BackupError::NotEmpty(dir.to_owned()));
    }
    let restored = unpack(dir, backup);
    if restored.is_err() {
        for entry in fs::read_dir(dir)? {
            folder::remove_if_there(&entry?.path())?;
        }
    }
    restored
}

fn unpack(dir: &Path, backup: impl Read) -> Result<Contents, BackupError> {
    let layout = Layout::new(dir);
    let unfinished = dir.join("journal.unfinished");
    let blobs = Blobs::open(&layout.blobs)?;
    let mut archive = Archive::new(BufReader::new(backup));
    let mut contents = Contents::default();
    for (index, entry) in archive.entries()?.enumerate() {
        let mut entry = entry.map_err(cut_off)?;
        let path = entry.path()?.into_owned();
        let parts = parts(&path).filter(|_| entry.header().entry_type() == EntryType::Regular);
        let stray = || BackupError::Stray(path.display().to_string());
        match (index, parts.ok_or_else(stray)?.as_slice()) {
            (0, [HEAD]) => {
                let head: Head = json(&mut entry)?;
                if head.format != FORMAT || head.version != VERSION {
                    return Err(BackupError::Unknown(format!("it is {} of version {}", head.format, head.version)));
                }
            }
            (0, _) => return Err(BackupError::Unknown(format!("it begins with `{}`", path.display()))),
            (1, [JOURNAL]) => contents.events = export::read_in(&unfinished, &mut BufReader::new(entry))?.events,
            (_, [END]) => {
                let all: Contents = json(&mut entry)?;
                return if all == contents { finish(dir, &unfinished, contents) } else { Err(BackupError::CutOff) };
            }
            (_, [BLOBS, hex]) => {
                let digest: Digest = format!("sha256:{hex}").parse().map_err(|_| stray())?;
                let mut blob = blobs.writer(u64::MAX)?;
                copy(&mut entry, |chunk| Ok(blob.write(chunk)?))?;
                blob.finish(Some(digest)).map_err(|error| match error {
                    StoreError::WrongDigest { expected, .. } => BackupError::Damaged(expected),
                    error => error.into(),
                })?;
                contents.blobs += 1;
            }
            (_, [SECRETS, _]) => {
                write_file(&dir.join(&path), &mut entry)?;
                contents.secrets += 1;
            }
            (_, [LOGS | SAMPLES | TOOLS, _, ..]) => {
                write_file(&dir.join(&path), &mut entry)?;
                contents.files += 1;
            }
            (_, _) => return Err(stray()),
        }
    }
    Err(BackupError::CutOff)
}

/// The journal gets its name last: what has none is no data folder yet.
fn finish(dir: &Path, unfinished: &Path, contents: Contents) -> Result<Contents, BackupError> {
    rustix::fs::syncfs(File::open(dir)?).map_err(io::Error::from)?;
    fs::rename(unfinished, Layout::new(dir).journal)?;
    folder::sync(dir)?;
    Ok(contents)
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
    entry.take(4 << 10).read_to_end(&mut text).map_err(cut_off)?;
    serde_json::from_slice(&text).map_err(|error| BackupError::Unknown(error.to_string()))
}

fn write_file(path: &Path, entry: &mut impl Read) -> Result<(), BackupError> {
    if let Some(dir) = path.parent() {
        folder::create_unsynced(dir)?;
    }
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    copy(entry, |chunk| Ok(file.write_all(chunk)?))
}

/// What cannot be read is the backup's, what cannot be written the folder's.
fn copy(entry: &mut impl Read, mut write: impl FnMut(&[u8]) -> Result<(), BackupError>) -> Result<(), BackupError> {
    let mut chunk = vec![0; 128 << 10];
    loop {
        match entry.read(&mut chunk).map_err(cut_off)? {
            0 => return Ok(()),
            bytes => write(&chunk[..bytes])?,
        }
    }
}

fn cut_off(error: io::Error) -> BackupError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BackupError::CutOff,
        // The archive's reader has no kinds of its own.
        io::ErrorKind::Other if error.to_string().contains("unexpected EOF") => BackupError::CutOff,
        io::ErrorKind::Other | io::ErrorKind::InvalidData => {
            BackupError::Unknown("it is no archive, or a damaged one".to_owned())
        }
        _ => error.into(),
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
        store.logs().append(&log(), vec![b"{\"message\":\"built\"}".to_vec()]).await.unwrap();
        let run = dir.path().join("tools/shop/live/1/1/work");
        fs::create_dir_all(&run).unwrap();
        fs::write(run.join("taken"), "begun").unwrap();
        let heads = store.heads();
        // After that moment: not part of it.
        store.append("shop", vec![b"[3]".to_vec()]).await.unwrap();
        let secrets = [("token-1".to_owned(), b"encrypted".to_vec())].into();
        let mut backup = Vec::new();
        let contents = write(&store, &heads, &secrets, &mut backup).unwrap();
        assert_eq!(contents, Contents { events: 2, blobs: 1, secrets: 1, files: 2 });
        (dir, store, backup)
    }

    #[tokio::test]
    async fn what_is_restored_is_what_was_there_at_that_moment() {
        let (_dir, store, backup) = backed_up().await;
        let dir = TempDir::new().unwrap();
        let contents = restore(dir.path(), backup.as_slice()).unwrap();
        assert_eq!(contents, Contents { events: 2, blobs: 1, secrets: 1, files: 2 });
        let restored = open(dir.path());
        let events = |store: &Store| store.events(1).unwrap().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(events(&restored), events(&store)[..2]);
        assert_eq!(restored.blobs().read(Digest::of(b"an artifact"), 100).unwrap(), b"an artifact");
        assert_eq!(restored.logs().read(&log(), 0, 9).unwrap(), store.logs().read(&log(), 0, 9).unwrap());
        assert_eq!(fs::read(dir.path().join("secrets/token-1")).unwrap(), b"encrypted");
        assert_eq!(fs::read(dir.path().join("tools/shop/live/1/1/work/taken")).unwrap(), b"begun");
        assert!(!dir.path().join("journal.unfinished").exists());
    }

    #[tokio::test]
    async fn a_backup_that_was_cut_off_anywhere_is_refused_and_leaves_nothing() {
        let (_dir, _store, backup) = backed_up().await;
        let last_entry = backup.len() - 1024 - 512;
        for length in (0..last_entry).step_by(101) {
            let dir = TempDir::new().unwrap();
            let error = restore(dir.path(), &backup[..length]).expect_err("a part is no backup");
            assert!(!matches!(error, BackupError::Stray(_) | BackupError::NotEmpty(_)), "{length}: {error}");
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{length}");
        }
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
            b"no archive".repeat(1000),
        ];
        let refused = archives.map(|archive| {
            let dir = TempDir::new().unwrap();
            let error = restore(&dir.path().join("new"), archive.as_slice()).unwrap_err();
            assert_eq!(fs::read_dir(dir.path().join("new")).unwrap().count(), 0);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
            error.to_string()
        });
        expect![[r#"
            this is no backup of version 1: it begins with `notes.txt`
            this is no backup of version 1: it is lockgate-backup of version 2
            the entry `logs/../../escaped` has no place in a data folder: this is no backup that a host has made
            the entry `/etc/escaped` has no place in a data folder: this is no backup that a host has made
            the entry `compiled/code` has no place in a data folder: this is no backup that a host has made
            blob sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed is damaged in the backup: take it from another copy, or make it again
            the entry `blobs/short` has no place in a data folder: this is no backup that a host has made
            this is no backup of version 1: missing field `events` at line 1 column 2
            this is no backup of version 1: it is no archive, or a damaged one"#]].assert_eq(&refused.join("\n"));
    }

    #[tokio::test]
    async fn a_folder_that_holds_something_is_left_alone() {
        let (dir, store, backup) = backed_up().await;
        let error = restore(dir.path(), backup.as_slice()).unwrap_err();
        assert!(matches!(error, BackupError::NotEmpty(folder) if folder == dir.path()));
        assert_eq!(store.events(1).unwrap().count(), 3);
    }
}
