//! The data folder itself: its subfolders, and the lock that keeps a second host out.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::StoreError;

/// Creates the folder, readable by its owner only, and its parents. Every name that is new is durable: without the
/// name of one level, all below it is gone.
pub(crate) fn create(dir: &Path) -> Result<(), StoreError> {
    let missing = dir.ancestors().take_while(|level| !level.as_os_str().is_empty() && !level.exists());
    let named_in: Vec<&Path> = missing.chain([dir]).map(parent).collect();
    create_unsynced(dir)
        .and_then(|()| named_in.into_iter().try_for_each(sync))
        .map_err(StoreError::io("create the folder", dir))
}

/// A folder of ours: private also where the data folder is open to others, and where an earlier host left it open.
pub(crate) fn create_private(dir: &Path) -> Result<(), StoreError> {
    create(dir)?;
    let close = || match is_open_to_others(dir)? {
        true => fs::set_permissions(dir, Permissions::from_mode(0o700)),
        false => Ok(()),
    };
    // Somebody else's folder that this user may write to: as open as they want it.
    let _ = close().inspect_err(|error| tracing::warn!(%error, "{} stays open to other users", dir.display()));
    Ok(())
}

/// What is in it is closed all the same, but for what the administrator put there.
pub(crate) fn warn_if_open_to_others(dir: &Path) {
    if is_open_to_others(dir).unwrap_or(false) {
        tracing::warn!("the data folder {} is open to other users: `chmod 700` it", dir.display());
    }
}

fn is_open_to_others(dir: &Path) -> std::io::Result<bool> {
    Ok(fs::metadata(dir)?.permissions().mode() & 0o077 != 0)
}

/// A folder that needs no sync: what is in it is no promise, or the caller syncs once for many.
pub(crate) fn create_unsynced(dir: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn parent(dir: &Path) -> &Path {
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the names in a folder durable.
pub(crate) fn sync(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Of the disk, for this user.
pub(crate) fn free_bytes(dir: &Path) -> Result<u64, StoreError> {
    let disk = rustix::fs::statvfs(dir).map_err(|error| StoreError::io("ask for the room of", dir)(error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Of the files in a folder; what lies in folders there is not counted: of the index, nothing does.
pub(crate) fn size_bytes(dir: &Path) -> Result<u64, StoreError> {
    let sum = || fs::read_dir(dir)?.map(|entry| Ok(entry?.metadata()?.len())).sum::<std::io::Result<u64>>();
    sum().map_err(StoreError::io("ask for the size of", dir))
}

const LOCK: &str = "lock";

/// Held as long as the file is open; the kernel frees it when the process dies.
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        let lock = Self::take_what_is_there(dir)?;
        // Whoever held it until now may have taken the file away with them: that one keeps nobody out.
        if lock.is_still_there(dir) { Ok(lock) } else { Self::take_what_is_there(dir) }
    }

    fn take_what_is_there(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(LOCK);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // A link of somebody else's would have the file behind it written to.
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(&path)
            .map_err(StoreError::io("open the lock", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(in_use(dir, file)),
            Err(error) => return Err(StoreError::io("lock", &path)(error.into())),
        }
        // Where it is another user's, it says nothing but a process id.
        let _ = file.set_permissions(Permissions::from_mode(0o600));
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(StoreError::io("write the process id to", &path))?;
        Ok(Self { file })
    }

    fn is_still_there(&self, dir: &Path) -> bool {
        let there = fs::symlink_metadata(dir.join(LOCK)).ok().zip(self.file.metadata().ok());
        there.is_some_and(|(named, held)| (named.dev(), named.ino()) == (held.dev(), held.ino()))
    }
}

fn in_use(dir: &Path, mut lock: File) -> StoreError {
    let mut pid = String::new();
    let _ = lock.read_to_string(&mut pid);
    let pid = if pid.trim().is_empty() { "unknown".to_owned() } else { pid.trim().to_owned() };
    StoreError::InUse { dir: dir.to_owned(), pid }
}

/// Where everything lies in a data folder.
pub(crate) struct Layout {
    pub journal: PathBuf,
    pub blobs: PathBuf,
    pub logs: PathBuf,
    pub samples: PathBuf,
    pub index: PathBuf,
    pub workspaces: PathBuf,
    pub secrets: PathBuf,
    pub tools: PathBuf,
    /// A journal that is still being brought here.
    pub unfinished: PathBuf,
    /// Written by the host when it is new.
    first_token: PathBuf,
}

impl Layout {
    pub fn new(dir: &Path) -> Self {
        let at = |name| dir.join(name);
        Self {
            journal: at("journal"),
            blobs: at("blobs"),
            logs: at("logs"),
            samples: at("samples"),
            index: at("index"),
            workspaces: at("workspaces"),
            secrets: at("secrets"),
            tools: at("tools"),
            unfinished: at("journal.unfinished"),
            first_token: at("admin-token"),
        }
    }

    /// A host without a journal begins anew; over what another one left, it would hide that its events are gone.
    pub fn expect_new(&self) -> Result<(), StoreError> {
        let left = [&self.index, &self.first_token].into_iter().filter(|path| path.exists());
        self.expect_none(left.chain(self.left_by_events()).collect())
    }

    /// What only comes after an event.
    pub fn expect_no_events(&self) -> Result<(), StoreError> {
        self.expect_none(self.left_by_events().collect())
    }

    fn left_by_events(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.blobs, &self.logs, &self.samples, &self.workspaces, &self.secrets, &self.tools]
            .into_iter()
            .filter(|dir| has_files(dir))
    }

    fn expect_none(&self, left: Vec<&PathBuf>) -> Result<(), StoreError> {
        let name = |path: &&PathBuf| format!("`{}`", path.file_name().unwrap_or_default().display());
        let there: Vec<String> = left.iter().map(name).collect();
        if there.is_empty() {
            return Ok(());
        }
        Err(StoreError::JournalIsGone { journal: self.journal.clone(), there: there.join(", ") })
    }
}

/// Makes a data folder where there is none, and keeps others out meanwhile. Where that fails the folder is as it was: away, if
/// it was not there.
pub(crate) fn fill_empty<T, E: From<StoreError>>(dir: &Path, fill: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let missing = dir.ancestors().take_while(|level| !level.as_os_str().is_empty() && !level.exists());
    let made: Vec<&Path> = missing.collect();
    let filled = create(dir).map_err(E::from).and_then(|()| {
        let _only_here = lock_empty(dir)?;
        let filled = create(&Layout::new(dir).unfinished).map_err(E::from).and_then(|()| fill());
        if filled.is_err() {
            empty(dir);
        }
        filled
    });
    if filled.is_err() {
        // Where somebody has put something meanwhile it stays.
        made.into_iter().for_each(|level| drop(fs::remove_dir(level)));
    }
    filled
}

fn lock_empty(dir: &Path) -> Result<Lock, StoreError> {
    // Before anything is touched there, and again when nobody else can bring something.
    expect_empty(dir)?;
    let lock = Lock::take(dir)?;
    expect_empty(dir)?;
    Ok(lock)
}

fn expect_empty(dir: &Path) -> Result<(), StoreError> {
    if Layout::new(dir).unfinished.exists() {
        return Err(StoreError::Unfinished { dir: dir.to_owned() });
    }
    let mut entries = fs::read_dir(dir).map_err(StoreError::io("read", dir))?;
    match entries.any(|entry| entry.is_ok_and(|entry| is_of_use(&entry))) {
        true => Err(StoreError::NotEmpty { dir: dir.to_owned() }),
        false => Ok(()),
    }
}

/// After what failed. What cannot be removed is found by the next try. The lock goes last: until then nobody else begins.
fn empty(dir: &Path) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(is_of_use).for_each(|entry| drop(remove_if_there(&entry.path())));
    let _ = fs::remove_file(dir.join(LOCK));
}

/// A lock of ours says nothing but a process id, and a new file system has a folder of its own.
fn is_of_use(entry: &fs::DirEntry) -> bool {
    let is_ours =
        || fs::read(entry.path()).is_ok_and(|text| text.len() < 20 && text.trim_ascii().iter().all(u8::is_ascii_digit));
    let is_lock = entry.file_name() == LOCK && entry.file_type().is_ok_and(|kind| kind.is_file()) && is_ours();
    !is_lock && entry.file_name() != "lost+found"
}

/// Somewhere in it; what cannot be read counts, for somebody put it there.
fn has_files(dir: &Path) -> bool {
    let Ok(entries) = fs::read_dir(dir) else { return dir.exists() };
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    entries.flatten().any(|entry| !is_folder(&entry) || has_files(&entry.path()))
}

pub(crate) fn remove_dir_if_there(dir: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io("remove", dir)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A folder with all that is in it, or a file.
pub(crate) fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return fs::remove_file(path).map_err(StoreError::io("remove", path));
    }
    remove_dir_if_there(path)
}
