//! A disk in memory, with two views of everything: what programs see, and what would be left if the power went now.
//!
//! It keeps what a file system owes and not more: the bytes of a file after `fsync` of that file, a name after `fsync`
//! of its folder. Whatever was not synced may be left all the same: bytes by sectors, in any order; the changes of a
//! folder up to one of them. Permissions are never forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::ops::Bound;
use std::time::SystemTime;

use fuser::Errno;

pub const ROOT: u64 = 1;
/// No disk writes less at once.
const SECTOR: usize = 512;
/// One write of so many has the system write something by itself.
const WRITES_BACK: usize = 8;

pub struct Disk {
    nodes: BTreeMap<u64, Node>,
    /// Numbers of nodes are never given twice.
    next: u64,
    random: fastrand::Rng,
    /// Whoever has opened a file before the last one has lost it.
    pub cuts: u64,
    pub is_read_only: bool,
}

pub struct Node {
    pub permissions: u16,
    pub changed: SystemTime,
    kind: Kind,
}

enum Kind {
    File(Content),
    Folder(Names),
}

#[derive(Default)]
struct Content {
    seen: Vec<u8>,
    kept: Vec<u8>,
    /// Sectors that were changed since they were written to the disk.
    unwritten: BTreeSet<usize>,
}

#[derive(Default)]
struct Names {
    seen: BTreeMap<OsString, u64>,
    kept: BTreeMap<OsString, u64>,
    unwritten: Vec<Renaming>,
}

/// One change of a folder, which is there as a whole or not at all.
struct Renaming {
    gone: Option<OsString>,
    new: Option<(OsString, u64)>,
}

/// How much a cut has cost.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lost {
    pub sectors: usize,
    pub names: usize,
}

impl Disk {
    pub fn new(seed: u64) -> Self {
        let mut disk = Self {
            nodes: BTreeMap::new(),
            next: ROOT,
            random: fastrand::Rng::with_seed(seed),
            cuts: 0,
            is_read_only: false,
        };
        disk.add(Kind::Folder(Names::default()), 0o755);
        disk
    }

    fn add(&mut self, kind: Kind, permissions: u16) -> u64 {
        let number = self.next;
        self.next += 1;
        self.nodes.insert(number, Node { permissions, changed: SystemTime::now(), kind });
        number
    }

    pub fn cut(&mut self) -> Lost {
        let mut lost = Lost::default();
        for node in self.nodes.values_mut() {
            match &mut node.kind {
                Kind::File(content) => lost.sectors += content.cut(&mut self.random),
                Kind::Folder(names) => lost.names += names.cut(&mut self.random),
            }
        }
        let mut named = BTreeSet::new();
        self.collect(ROOT, &mut named);
        self.nodes.retain(|number, _| named.contains(number));
        self.cuts += 1;
        lost
    }

    fn collect(&self, number: u64, named: &mut BTreeSet<u64>) {
        named.insert(number);
        if let Some(Node { kind: Kind::Folder(names), .. }) = self.nodes.get(&number) {
            names.seen.values().for_each(|child| self.collect(*child, named));
        }
    }

    // ---- nodes ----

    pub fn node(&self, number: u64) -> Result<&Node, Errno> {
        self.nodes.get(&number).ok_or(Errno::ENOENT)
    }

    pub fn change(&mut self, number: u64) -> Result<&mut Node, Errno> {
        if self.is_read_only {
            return Err(Errno::EROFS);
        }
        self.nodes.get_mut(&number).ok_or(Errno::ENOENT)
    }

    pub fn sync(&mut self, number: u64) -> Result<(), Errno> {
        match &mut self.change(number)?.kind {
            Kind::File(content) => content.sync(),
            Kind::Folder(names) => names.sync(),
        }
        Ok(())
    }

    // ---- names ----

    fn names(&self, folder: u64) -> Result<&Names, Errno> {
        match &self.node(folder)?.kind {
            Kind::Folder(names) => Ok(names),
            Kind::File(_) => Err(Errno::ENOTDIR),
        }
    }

    fn rename_in(&mut self, folder: u64, renaming: Renaming) -> Result<(), Errno> {
        let node = self.change(folder)?;
        node.changed = SystemTime::now();
        match &mut node.kind {
            Kind::Folder(names) => names.change(renaming),
            Kind::File(_) => return Err(Errno::ENOTDIR),
        }
        Ok(())
    }

    pub fn find(&self, folder: u64, name: &OsStr) -> Result<u64, Errno> {
        self.names(folder)?.seen.get(name).copied().ok_or(Errno::ENOENT)
    }

    /// In the order of their numbers, after this one: a reader loses its place neither by new names nor by gone ones.
    pub fn list(&self, folder: u64, after: u64) -> Result<Vec<(u64, OsString)>, Errno> {
        let by_number: BTreeMap<u64, &OsString> =
            self.names(folder)?.seen.iter().map(|(name, number)| (*number, name)).collect();
        let rest = by_number.range((Bound::Excluded(after), Bound::Unbounded));
        Ok(rest.map(|(number, name)| (*number, (*name).clone())).collect())
    }

    pub fn create_file(&mut self, folder: u64, name: &OsStr, permissions: u16) -> Result<u64, Errno> {
        self.create(folder, name, permissions, Kind::File(Content::default()))
    }

    pub fn create_folder(&mut self, folder: u64, name: &OsStr, permissions: u16) -> Result<u64, Errno> {
        self.create(folder, name, permissions, Kind::Folder(Names::default()))
    }

    fn create(&mut self, folder: u64, name: &OsStr, permissions: u16, kind: Kind) -> Result<u64, Errno> {
        if self.find(folder, name).is_ok() {
            return Err(Errno::EEXIST);
        }
        self.change(folder)?;
        let number = self.add(kind, permissions);
        self.rename_in(folder, Renaming { gone: None, new: Some((name.to_owned(), number)) })?;
        Ok(number)
    }

    /// Its bytes stay for those who have it open.
    pub fn remove(&mut self, folder: u64, name: &OsStr) -> Result<(), Errno> {
        self.expect_empty(self.find(folder, name)?)?;
        self.rename_in(folder, Renaming { gone: Some(name.to_owned()), new: None })
    }

    pub fn rename(&mut self, from: (u64, &OsStr), to: (u64, &OsStr)) -> Result<(), Errno> {
        let number = self.find(from.0, from.1)?;
        if let Ok(replaced) = self.find(to.0, to.1) {
            self.expect_empty(replaced)?;
        }
        let (gone, new) = (Some(from.1.to_owned()), Some((to.1.to_owned(), number)));
        if from.0 == to.0 {
            return self.rename_in(from.0, Renaming { gone, new });
        }
        self.rename_in(to.0, Renaming { gone: None, new })?;
        self.rename_in(from.0, Renaming { gone, new: None })
    }

    fn expect_empty(&self, number: u64) -> Result<(), Errno> {
        match &self.node(number)?.kind {
            Kind::Folder(names) if !names.seen.is_empty() => Err(Errno::ENOTEMPTY),
            Kind::Folder(_) | Kind::File(_) => Ok(()),
        }
    }

    // ---- bytes ----

    pub fn read(&self, file: u64, at: usize, count: usize) -> Result<&[u8], Errno> {
        let seen = &self.node(file)?.content()?.seen;
        Ok(&seen[at.min(seen.len())..(at + count).min(seen.len())])
    }

    pub fn write(&mut self, file: u64, at: usize, bytes: &[u8]) -> Result<(), Errno> {
        let writes_back = self.random.usize(..WRITES_BACK) == 0;
        let chance = self.random.f64();
        let mut random = self.random.fork();
        let content = self.change(file)?.change_content()?;
        content.write(at, bytes);
        if writes_back {
            content.write_back(|| random.f64() < chance);
        }
        Ok(())
    }

    pub fn resize(&mut self, file: u64, bytes: usize) -> Result<(), Errno> {
        self.change(file)?.change_content()?.resize(bytes);
        Ok(())
    }
}

impl Node {
    pub fn is_folder(&self) -> bool {
        matches!(self.kind, Kind::Folder(_))
    }

    pub fn bytes(&self) -> usize {
        self.content().map_or(0, |content| content.seen.len())
    }

    fn content(&self) -> Result<&Content, Errno> {
        match &self.kind {
            Kind::File(content) => Ok(content),
            Kind::Folder(_) => Err(Errno::EISDIR),
        }
    }

    fn change_content(&mut self) -> Result<&mut Content, Errno> {
        self.changed = SystemTime::now();
        match &mut self.kind {
            Kind::File(content) => Ok(content),
            Kind::Folder(_) => Err(Errno::EISDIR),
        }
    }
}

impl Content {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if end > self.seen.len() {
            self.resize(end);
        }
        self.seen[at..end].copy_from_slice(bytes);
        self.unwritten.extend(at / SECTOR..end.div_ceil(SECTOR));
    }

    fn resize(&mut self, bytes: usize) {
        let (shorter, longer) = (self.seen.len().min(bytes), self.seen.len().max(bytes));
        self.seen.resize(bytes, 0);
        self.unwritten.extend(shorter / SECTOR..longer.div_ceil(SECTOR));
    }

    fn sync(&mut self) {
        self.write_back(|| true);
        self.kept.truncate(self.seen.len());
    }

    /// Some of the sectors that are not on the disk yet. Those behind the end are not written: only a sync, or a
    /// lucky cut, makes a file shorter.
    fn write_back(&mut self, mut is_written: impl FnMut() -> bool) {
        let Self { seen, kept, unwritten } = self;
        unwritten.retain(|sector| {
            if !is_written() {
                return true;
            }
            let (start, end) = (sector * SECTOR, (sector * SECTOR + SECTOR).min(seen.len()));
            if start < end {
                kept.resize(kept.len().max(end), 0);
                kept[start..end].copy_from_slice(&seen[start..end]);
            }
            false
        });
    }

    fn cut(&mut self, random: &mut fastrand::Rng) -> usize {
        let chance = *random.choice(&[0.0, 0.1, 0.5, 0.9, 1.0]).unwrap_or(&0.0);
        self.write_back(|| random.f64() < chance);
        if random.bool() {
            self.kept.truncate(self.seen.len());
        }
        self.seen = self.kept.clone();
        std::mem::take(&mut self.unwritten).len()
    }
}

impl Names {
    fn change(&mut self, renaming: Renaming) {
        renaming.apply(&mut self.seen);
        self.unwritten.push(renaming);
    }

    fn sync(&mut self) {
        self.unwritten.drain(..).for_each(|renaming| renaming.apply(&mut self.kept));
    }

    fn cut(&mut self, random: &mut fastrand::Rng) -> usize {
        let written = random.usize(..=self.unwritten.len());
        let lost = self.unwritten.split_off(written).len();
        self.sync();
        self.seen = self.kept.clone();
        lost
    }
}

impl Renaming {
    fn apply(&self, names: &mut BTreeMap<OsString, u64>) {
        if let Some(gone) = &self.gone {
            names.remove(gone);
        }
        if let Some((name, number)) = &self.new {
            names.insert(name.clone(), *number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On every one of many disks: by the file's bytes after the cut, None where it has no name.
    fn after_a_cut(prepare: impl Fn(&mut Disk) -> u64) -> BTreeSet<Option<Vec<u8>>> {
        let left = |seed| {
            let mut disk = Disk::new(seed);
            prepare(&mut disk);
            disk.cut();
            let file = disk.find(ROOT, OsStr::new("file")).ok();
            file.map(|file| disk.read(file, 0, usize::MAX / 2).unwrap().to_vec())
        };
        (0..200).map(left).collect()
    }

    fn file(disk: &mut Disk, bytes: &[u8]) -> u64 {
        let file = disk.create_file(ROOT, OsStr::new("file"), 0o600).unwrap();
        disk.write(file, 0, bytes).unwrap();
        file
    }

    #[test]
    fn bytes_and_name_that_were_synced_are_kept() {
        let left = after_a_cut(|disk| {
            let file = file(disk, b"one");
            disk.sync(file).unwrap();
            disk.sync(ROOT).unwrap();
            file
        });
        assert_eq!(left, BTreeSet::from([Some(b"one".to_vec())]));
    }

    #[test]
    fn a_name_that_was_not_synced_may_be_gone() {
        let left = after_a_cut(|disk| {
            let file = file(disk, b"one");
            disk.sync(file).unwrap();
            file
        });
        assert_eq!(left, BTreeSet::from([None, Some(b"one".to_vec())]));
    }

    #[test]
    fn bytes_that_were_not_synced_may_be_gone_or_there() {
        let left = after_a_cut(|disk| {
            let file = file(disk, b"one");
            disk.sync(ROOT).unwrap();
            file
        });
        assert_eq!(left, BTreeSet::from([Some(Vec::new()), Some(b"one".to_vec())]));
    }

    #[test]
    fn a_later_sector_may_be_there_without_an_earlier_one() {
        let left = after_a_cut(|disk| {
            let file = file(disk, &[b'o'; 2 * SECTOR]);
            disk.sync(file).unwrap();
            disk.sync(ROOT).unwrap();
            disk.write(file, 0, &[b'n'; 2 * SECTOR]).unwrap();
            file
        });
        let halves: BTreeSet<_> = left.into_iter().flatten().map(|bytes| [bytes[0], bytes[SECTOR]]).collect();
        assert_eq!(halves, BTreeSet::from([*b"oo", *b"on", *b"no", *b"nn"]));
    }

    #[test]
    fn a_file_that_was_made_shorter_is_so_for_good_when_it_was_synced() {
        let shorter = |disk: &mut Disk| {
            let file = file(disk, b"long");
            disk.sync(file).unwrap();
            disk.sync(ROOT).unwrap();
            disk.resize(file, 2).unwrap();
            file
        };
        let either = BTreeSet::from([Some(b"lo".to_vec()), Some(b"long".to_vec())]);
        assert_eq!(after_a_cut(shorter), either);
        let synced = after_a_cut(|disk| {
            let file = shorter(disk);
            disk.sync(file).unwrap();
            file
        });
        assert_eq!(synced, BTreeSet::from([Some(b"lo".to_vec())]));
    }

    #[test]
    fn what_is_renamed_over_another_file_is_the_old_one_or_the_new_one() {
        let left = after_a_cut(|disk| {
            let old = file(disk, b"old");
            let new = disk.create_file(ROOT, OsStr::new("draft"), 0o600).unwrap();
            disk.write(new, 0, b"new").unwrap();
            [old, new, ROOT].into_iter().for_each(|synced| disk.sync(synced).unwrap());
            disk.rename((ROOT, OsStr::new("draft")), (ROOT, OsStr::new("file"))).unwrap();
            new
        });
        assert_eq!(left, BTreeSet::from([Some(b"old".to_vec()), Some(b"new".to_vec())]));
    }

    #[test]
    fn a_disk_that_is_read_only_takes_nothing() {
        let mut disk = Disk::new(1);
        let file = file(&mut disk, b"one");
        disk.is_read_only = true;
        let refused = [disk.write(file, 0, b"two"), disk.sync(file), disk.remove(ROOT, OsStr::new("file"))];
        assert!(refused.iter().all(|refused| refused.is_err_and(|error| error.code() == Errno::EROFS.code())));
        assert_eq!(disk.read(file, 0, 10).unwrap(), b"one");
    }
}
