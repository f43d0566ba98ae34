//! The data folder itself: its subfolders, and the lock that keeps a second host out.

use std::fs::{self, DirBuilder, File};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::StoreError;

/// Creates the folder, readable by its owner only, and its parents. Every name that is new is durable: without the
/// name of one level, all below it is gone.
pub(crate) fn create(dir: &Path) -> Result<(), StoreError> {
    let missing = dir.ancestors().take_while(|level| !level.as_os_str().is_empty() && !level.exists());
    let named_in: Vec<&Path> = missing.chain([dir]).map(parent).collect();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .and_then(|()| named_in.into_iter().try_for_each(sync))
        .map_err(StoreError::io("create the folder", dir))
}

fn parent(dir: &Path) -> &Path {
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the names in a folder durable.
pub(crate) fn sync(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Held as long as the file is open; the kernel frees it when the process dies.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join("lock");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(StoreError::io("open the lock", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(in_use(dir, file)),
            Err(error) => return Err(StoreError::io("lock", &path)(error.into())),
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(StoreError::io("write the process id to", &path))?;
        Ok(Self { _file: file })
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
    pub index: PathBuf,
    pub workspaces: PathBuf,
}

impl Layout {
    pub fn new(dir: &Path) -> Self {
        let at = |name| dir.join(name);
        Self {
            journal: at("journal"),
            blobs: at("blobs"),
            logs: at("logs"),
            index: at("index"),
            workspaces: at("workspaces"),
        }
    }
}

pub(crate) fn remove_dir_if_there(dir: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io("remove", dir)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
