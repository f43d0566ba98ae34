//! The folder of one run: what there is to know of it, for whoever asks, also after a crash of the host.
//!
//! `lock` is held by its keeper as long as that lives: no number of a process is ever taken for another's. `taken` is
//! written before the tool starts and `ended` when all is over, both in one piece; without `ended` and without a keeper
//! nobody knows what the tool has done.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use lockgate_core::digest::Digest;
use rustix::fs::{FlockOperation, flock};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone)]
pub struct RunFolder(PathBuf);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    pub command: Digest,
    pub tool: String,
    /// Its process, as long as it holds the lock.
    pub keeper: u32,
}

/// Grows with time: an older host may have written it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub exit: Exit,
    /// Why it was not left to end by itself.
    pub because: Option<Because>,
    /// Some of its output was dropped.
    pub truncated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    Code(i32),
    Signal(i32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The plugin asked for it.
    Stopped,
    /// Its phase or deployment has ended.
    Killed,
    WallLimit,
    CpuLimit,
    MemoryLimit,
    ProcessLimit,
}

/// What somebody wants of the keeper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// A signal that can be heeded first.
    Stop,
    Kill,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    NotThere,
    Running(Taken),
    Ended(Taken, Ended),
    Lost(Taken),
}

/// Held until it is dropped, or its process is gone.
pub struct Held(#[expect(dead_code, reason = "the open file is the lock")] File);

impl RunFolder {
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Whatever the key is, its folder is a name and no path.
    pub fn of(room: &Path, key: &str) -> Self {
        Self(room.join(Digest::of(key.as_bytes()).hex()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn output(&self) -> PathBuf {
        self.0.join("output")
    }

    pub fn stdin(&self) -> PathBuf {
        self.0.join("stdin")
    }

    pub fn make(&self) -> io::Result<()> {
        private_folder(&self.0)
    }

    /// None where somebody has it.
    pub fn lock(&self) -> io::Result<Option<Held>> {
        lock(&self.0.join("lock"), FlockOperation::NonBlockingLockExclusive)
    }

    pub fn state(&self) -> io::Result<RunState> {
        let Some(taken) = self.taken()? else { return Ok(RunState::NotThere) };
        if let Some(ended) = self.read("ended")? {
            return Ok(RunState::Ended(taken, ended));
        }
        if self.lock()?.is_none() {
            return Ok(RunState::Running(taken));
        }
        // Its keeper may have ended between the two looks.
        Ok(match self.read("ended")? {
            Some(ended) => RunState::Ended(taken, ended),
            None => RunState::Lost(taken),
        })
    }

    pub fn taken(&self) -> io::Result<Option<Taken>> {
        self.read("taken")
    }

    pub fn take(&self, taken: &Taken) -> io::Result<()> {
        self.write("taken", taken)
    }

    /// Nothing was started after all.
    pub fn give_back(&self) -> io::Result<()> {
        fs::remove_file(self.0.join("taken"))
    }

    pub fn end(&self, ended: &Ended) -> io::Result<()> {
        self.write("ended", ended)
    }

    pub fn wish(&self, wish: Wish) -> io::Result<()> {
        self.write("wish", &wish)
    }

    pub fn wished(&self) -> Option<Wish> {
        // Nobody can be asked what was meant by anything else.
        self.read("wish").unwrap_or(Some(Wish::Kill))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        match fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All of it or nothing, and on the disk.
    fn write(&self, name: &str, content: &impl Serialize) -> io::Result<()> {
        let (new, whole) = (self.0.join(format!("{name}.new")), self.0.join(name));
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(&serde_json::to_vec(content)?)?;
        file.sync_all()?;
        fs::rename(new, whole)?;
        File::open(&self.0)?.sync_all()
    }
}

pub fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

pub fn lock(path: &Path, operation: FlockOperation) -> io::Result<Option<Held>> {
    let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match flock(&file, operation) {
        Ok(()) => Ok(Some(Held(file))),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
