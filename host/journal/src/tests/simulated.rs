//! A disk in memory that knows what a power cut would leave of it, and does to each operation what the test says.
//!
//! Of bytes that were not synced a cut keeps any, sector by sector, also older ones that were overwritten since. Of names
//! that were not synced it keeps any, too; a rename is one step. A failed sync leaves some sectors in memory only, called
//! clean: they are read back until the power goes, and another sync does nothing for them.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use fastrand::Rng;

use crate::disk::{Disk, DiskFile};
use crate::segment::Folder;

const SECTOR_BYTES: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    CreateDir,
    SyncDir,
    List,
    Read,
    Open,
    Create,
    Rename,
    Remove,
    Bytes,
    Write,
    Sync,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Work,
    /// An error. A write may have been done in part.
    Fail,
    /// The process is gone, and the operation is done or not: everything after it fails.
    Die,
}

type Decide = Arc<dyn Fn(Kind, &Path) -> Fate + Send + Sync>;

#[derive(Clone)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    decide: Arc<Mutex<Decide>>,
}

#[derive(Clone)]
struct State {
    rng: Rng,
    /// Since the last start.
    failed: bool,
    dead: bool,
    files: Vec<SimulatedFile>,
    /// As programs see them, and as a cut would leave them but for what is unsynced.
    names: BTreeMap<PathBuf, Node>,
    durable_names: BTreeMap<PathBuf, Node>,
    unsynced: Vec<NameChange>,
}

#[derive(Clone, Copy)]
enum Node {
    Dir,
    File(usize),
}

#[derive(Clone)]
enum NameChange {
    Added(PathBuf, Node),
    Renamed(PathBuf, PathBuf, Node),
    Removed(PathBuf),
}

#[derive(Clone, Default)]
struct SimulatedFile {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// What each sector has been since it was synced.
    unsynced: BTreeMap<usize, Vec<Vec<u8>>>,
}

impl SimulatedDisk {
    pub fn new(seed: u64) -> Self {
        let names = BTreeMap::from([(PathBuf::from("/"), Node::Dir)]);
        let state = State {
            rng: Rng::with_seed(seed),
            failed: false,
            dead: false,
            files: Vec::new(),
            durable_names: names.clone(),
            names,
            unsynced: Vec::new(),
        };
        let work: Decide = Arc::new(|_, _| Fate::Work);
        Self { state: Arc::new(Mutex::new(state)), decide: Arc::new(Mutex::new(work)) }
    }

    /// Asked before each operation, on the thread that wants it.
    pub fn decide(&self, decide: impl Fn(Kind, &Path) -> Fate + Send + Sync + 'static) {
        *self.decide.lock().unwrap() = Arc::new(decide);
    }

    pub fn heal(&self) {
        self.decide(|_, _| Fate::Work);
    }

    /// Whether nobody has files or folders of it open any more.
    pub fn is_left(&self) -> bool {
        Arc::strong_count(&self.state) == 1
    }

    /// Looks at what is there, undisturbed.
    pub fn undisturbed<T>(&self, look: impl FnOnce() -> T) -> T {
        let decide = Arc::clone(&self.decide.lock().unwrap());
        self.heal();
        let seen = look();
        *self.decide.lock().unwrap() = decide;
        seen
    }

    /// Another disk with the same on it, which works.
    pub fn copy(&self) -> Self {
        let state = Arc::new(Mutex::new(self.state().clone()));
        let copy = Self { state, ..Self::new(0) };
        copy.restart();
        copy
    }

    /// The segments as programs see them.
    pub fn segments(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let state = self.state();
        let bytes = |(path, node): (&PathBuf, &Node)| match node {
            Node::File(file) if path.extension()? == "log" => Some((path.clone(), state.files[*file].live.clone())),
            Node::File(_) | Node::Dir => None,
        };
        state.names.iter().filter_map(bytes).collect()
    }

    pub fn folder(&self) -> Folder {
        Folder { disk: Arc::new(self.clone()), path: PathBuf::from("/data/journal") }
    }

    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    pub fn has_failed(&self) -> bool {
        self.state().failed
    }

    /// The next process: the system has kept everything in memory.
    pub fn restart(&self) {
        let mut state = self.state();
        (state.failed, state.dead) = (false, false);
    }

    pub fn lose_power(&self) {
        self.restart();
        let state = &mut *self.state();
        // Nothing and everything are rare where each choice is free.
        let chance = *state.rng.choice(&[0.0, 0.5, 0.5, 0.9, 1.0]).unwrap();
        for change in std::mem::take(&mut state.unsynced) {
            if state.rng.f64() < chance {
                change.apply(&mut state.durable_names);
            }
        }
        let durable = state.durable_names.clone();
        state.durable_names.retain(|path, _| path.ancestors().all(|above| durable.contains_key(above)));
        state.names = state.durable_names.clone();
        for file in &mut state.files {
            file.lose_power(&mut state.rng, chance);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// `act` is told whether it may be done wholly.
    fn operate<T>(
        &self,
        kind: Kind,
        path: &Path,
        act: impl FnOnce(&mut State, bool) -> io::Result<T>,
    ) -> io::Result<T> {
        let decide = Arc::clone(&self.decide.lock().unwrap());
        let fate = decide(kind, path);
        let mut state = self.state();
        match fate {
            _ if state.dead => Err(io::Error::other("this process is gone")),
            Fate::Work => act(&mut state, true),
            Fate::Fail => {
                state.failed = true;
                let _ = act(&mut state, false);
                Err(io::Error::other("the disk fails"))
            }
            Fate::Die => {
                (state.failed, state.dead) = (true, true);
                let whole = state.rng.bool();
                let _ = act(&mut state, whole);
                Err(io::Error::other("this process is killed"))
            }
        }
    }

    fn handle(&self, path: &Path, node: Node) -> io::Result<Box<dyn DiskFile>> {
        match node {
            Node::File(file) => Ok(Box::new(Handle { disk: self.clone(), opened: path.to_owned(), file })),
            Node::Dir => Err(ErrorKind::IsADirectory.into()),
        }
    }
}

impl NameChange {
    fn dir(&self) -> &Path {
        let (Self::Added(path, _) | Self::Renamed(_, path, _) | Self::Removed(path)) = self;
        path.parent().unwrap()
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            Self::Added(path, node) => {
                names.insert(path.clone(), *node);
            }
            Self::Renamed(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
            Self::Removed(path) => {
                names.remove(path);
            }
        }
    }
}

impl State {
    fn node(&self, path: &Path) -> io::Result<Node> {
        self.names.get(path).copied().ok_or(ErrorKind::NotFound.into())
    }

    fn change(&mut self, whole: bool, change: NameChange) -> io::Result<()> {
        self.node(change.dir())?;
        if whole {
            change.apply(&mut self.names);
            self.unsynced.push(change);
        }
        Ok(())
    }
}

impl SimulatedFile {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        self.live.resize(self.live.len().max(end), 0);
        self.live[offset..end].copy_from_slice(bytes);
        for sector in offset / SECTOR_BYTES..end.div_ceil(SECTOR_BYTES) {
            let now = self.live[sector_of(sector, self.live.len())].to_vec();
            self.unsynced.entry(sector).or_default().push(now);
        }
    }

    fn sync(&mut self) {
        self.durable.resize(self.live.len(), 0);
        for sector in std::mem::take(&mut self.unsynced).into_keys() {
            let place = sector_of(sector, self.live.len());
            self.durable[place.clone()].copy_from_slice(&self.live[place]);
        }
    }

    fn fail_to_sync(&mut self, rng: &mut Rng) {
        self.unsynced.retain(|_, _| rng.bool());
        self.sync();
    }

    fn lose_power(&mut self, rng: &mut Rng, chance: f64) {
        let (least, most) = (self.live.len().min(self.durable.len()), self.live.len().max(self.durable.len()));
        let length =
            if least == most { least } else { *rng.choice(&[least, most, rng.clone().usize(least..=most)]).unwrap() };
        self.durable.resize(length, 0);
        for (sector, versions) in std::mem::take(&mut self.unsynced) {
            if rng.f64() < chance {
                let newest = if chance == 1.0 { versions.last().unwrap() } else { rng.choice(&versions).unwrap() };
                for (index, byte) in newest.iter().enumerate() {
                    if let Some(place) = self.durable.get_mut(sector * SECTOR_BYTES + index) {
                        *place = *byte;
                    }
                }
            }
        }
        self.live = self.durable.clone();
    }
}

fn sector_of(sector: usize, length: usize) -> std::ops::Range<usize> {
    (sector * SECTOR_BYTES).min(length)..((sector + 1) * SECTOR_BYTES).min(length)
}

impl Disk for SimulatedDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.operate(Kind::CreateDir, dir, |state, whole| match state.names.contains_key(dir) {
            true => Err(ErrorKind::AlreadyExists.into()),
            false => state.change(whole, NameChange::Added(dir.to_owned(), Node::Dir)),
        })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.operate(Kind::SyncDir, dir, |state, whole| {
            state.node(dir)?;
            if whole {
                let (synced, others) =
                    std::mem::take(&mut state.unsynced).into_iter().partition(|change| change.dir() == dir);
                state.unsynced = others;
                let synced: Vec<NameChange> = synced;
                synced.iter().for_each(|change| change.apply(&mut state.durable_names));
            }
            Ok(())
        })
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.operate(Kind::List, dir, |state, _| {
            state.node(dir)?;
            Ok(state.names.keys().filter(|path| path.parent() == Some(dir)).cloned().collect())
        })
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.operate(Kind::Read, path, |state, _| match state.node(path)? {
            Node::File(file) => Ok(state.files[file].live.clone()),
            Node::Dir => Err(ErrorKind::IsADirectory.into()),
        })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let node = self.operate(Kind::Open, path, |state, _| state.node(path))?;
        self.handle(path, node)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let node = self.operate(Kind::Create, path, |state, whole| {
            if let (Ok(Node::File(file)), true) = (state.node(path), whole) {
                state.files[file].live.clear();
                state.files[file].unsynced.clear();
            }
            state.node(path).or_else(|_| {
                state.files.push(SimulatedFile::default());
                let node = Node::File(state.files.len() - 1);
                state.change(whole, NameChange::Added(path.to_owned(), node)).map(|()| node)
            })
        })?;
        self.handle(path, node)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(Kind::Rename, to, |state, whole| {
            let node = state.node(from)?;
            state.change(whole, NameChange::Renamed(from.to_owned(), to.to_owned(), node))
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operate(Kind::Remove, path, |state, whole| {
            state.node(path)?;
            state.change(whole, NameChange::Removed(path.to_owned()))
        })
    }
}

struct Handle {
    disk: SimulatedDisk,
    opened: PathBuf,
    file: usize,
}

impl Handle {
    /// Its name now.
    fn path(&self) -> PathBuf {
        let is_this = |node: &Node| matches!(node, Node::File(file) if *file == self.file);
        let named = self.disk.state().names.iter().find(|(_, node)| is_this(node)).map(|(path, _)| path.clone());
        named.unwrap_or_else(|| self.opened.clone())
    }
}

impl DiskFile for Handle {
    fn bytes(&self) -> io::Result<u64> {
        self.disk.operate(Kind::Bytes, &self.path(), |state, _| Ok(state.files[self.file].live.len() as u64))
    }

    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.operate(Kind::Write, &self.path(), |state, whole| {
            let written = if whole { bytes.len() } else { state.rng.usize(0..=bytes.len()) };
            state.files[self.file].write(&bytes[..written], offset as usize);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.operate(Kind::Sync, &self.path(), |state, whole| {
            let file = &mut state.files[self.file];
            match (whole, state.dead) {
                (true, _) => file.sync(),
                (false, false) => file.fail_to_sync(&mut state.rng),
                (false, true) => {}
            }
            Ok(())
        })
    }
}
