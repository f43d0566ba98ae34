//! `lockgate-amnesia FOLDER SEED` mounts a [`disk::Disk`] in a folder, and takes orders from its input, one a line:
//! `cut`, `read-only`, `writable`. Each is answered by a line. At the end of its input it unmounts and ends.

mod disk;

use std::ffi::OsStr;
use std::io::{self, BufRead};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use disk::{Disk, ROOT};
use fuser::{
    BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

/// The kernel remembers nothing of names and sizes: after a cut it would be wrong.
const REMEMBERED: Duration = Duration::ZERO;
const BLOCK: u32 = 4096;
const BLOCKS: u64 = 1 << 20;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seed] = arguments.as_slice() else {
        return Err(io::Error::other("usage: lockgate-amnesia FOLDER SEED"));
    };
    let seed = seed.parse().map_err(io::Error::other)?;
    let mounted = Mounted(Arc::new(Mutex::new(Disk::new(seed))));
    let disk = Arc::clone(&mounted.0);
    let mut config = Config::default();
    config.mount_options = vec![MountOption::FSName("amnesia".to_owned())];
    let _session = fuser::spawn_mount(mounted, folder, &config)?;
    println!("mounted");
    for order in io::stdin().lock().lines() {
        let mut disk = lock(&disk);
        match order?.as_str() {
            "cut" => println!("{:?}", disk.cut()),
            "read-only" => println!("read-only: {:?}", std::mem::replace(&mut disk.is_read_only, true)),
            "writable" => println!("read-only: {:?}", std::mem::replace(&mut disk.is_read_only, false)),
            unknown => return Err(io::Error::other(format!("there is no order `{unknown}`"))),
        }
    }
    // Whoever has a file open there still loses it with this process, and must not be waited for.
    unmount(Path::new(folder));
    Ok(())
}

/// Also where somebody still looks at it.
fn unmount(folder: &Path) {
    let by = |program: &str, flag: &str| Command::new(program).arg(flag).arg(folder).status();
    if !by("fusermount3", "-uz").is_ok_and(|status| status.success()) {
        let _ = by("umount", "-l");
    }
}

fn lock(disk: &Mutex<Disk>) -> MutexGuard<'_, Disk> {
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Mounted(Arc<Mutex<Disk>>);

impl Mounted {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.0)
    }

    /// For who has opened a file since the last cut.
    fn opened(&self, handle: FileHandle) -> Result<MutexGuard<'_, Disk>, Errno> {
        let disk = self.disk();
        if handle.0 == disk.cuts { Ok(disk) } else { Err(Errno::EIO) }
    }
}

/// Everything is whose who looks at it.
fn attributes(disk: &Disk, number: u64, request: &Request) -> Result<FileAttr, Errno> {
    let node = disk.node(number)?;
    Ok(FileAttr {
        ino: INodeNo(number),
        size: node.bytes() as u64,
        blocks: node.bytes().div_ceil(512) as u64,
        atime: node.changed,
        mtime: node.changed,
        ctime: node.changed,
        crtime: node.changed,
        kind: if node.is_folder() { FileType::Directory } else { FileType::RegularFile },
        perm: node.permissions,
        nlink: 1,
        uid: request.uid(),
        gid: request.gid(),
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    })
}

/// Answers with what was found, or with the error.
macro_rules! answer {
    ($reply:ident, $result:expr, $found:pat => $answer:expr) => {
        match $result {
            Ok($found) => $answer,
            Err(error) => $reply.error(error),
        }
    };
}

impl Filesystem for Mounted {
    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let disk = self.disk();
        let found = disk.find(parent.0, name).and_then(|number| attributes(&disk, number, request));
        answer!(reply, found, entry => reply.entry(&REMEMBERED, &entry, Generation(0)));
    }

    fn getattr(&self, request: &Request, number: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        answer!(reply, attributes(&self.disk(), number.0, request), entry => reply.attr(&REMEMBERED, &entry));
    }

    fn setattr(
        &self,
        request: &Request,
        number: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.disk();
        let mut set = || {
            if let Some(mode) = mode {
                disk.change(number.0)?.permissions = mode as u16 & 0o7777;
            }
            if let Some(bytes) = size {
                disk.resize(number.0, bytes as usize)?;
            }
            attributes(&disk, number.0, request)
        };
        answer!(reply, set(), entry => reply.attr(&REMEMBERED, &entry));
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let mut disk = self.disk();
        let made = disk.create_folder(parent.0, name, (mode & !umask) as u16 & 0o7777);
        let made = made.and_then(|number| attributes(&disk, number, request));
        answer!(reply, made, entry => reply.entry(&REMEMBERED, &entry, Generation(0)));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer!(reply, self.disk().remove(parent.0, name), () => reply.ok());
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        answer!(reply, self.disk().remove(parent.0, name), () => reply.ok());
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mut disk = self.disk();
        let is_taken = disk.find(new_parent.0, new_name).is_ok();
        if flags.contains(RenameFlags::RENAME_NOREPLACE) && is_taken {
            return reply.error(Errno::EEXIST);
        }
        if flags.intersects(!RenameFlags::RENAME_NOREPLACE) {
            return reply.error(Errno::EINVAL);
        }
        answer!(reply, disk.rename((parent.0, name), (new_parent.0, new_name)), () => reply.ok());
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let mut disk = self.disk();
        let made = disk.create_file(parent.0, name, (mode & !umask) as u16 & 0o7777);
        let made = made.and_then(|number| attributes(&disk, number, request));
        let handle = FileHandle(disk.cuts);
        answer!(reply, made, entry => reply.created(&REMEMBERED, &entry, Generation(0), handle, FopenFlags::empty()));
    }

    fn open(&self, _: &Request, number: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let disk = self.disk();
        // Without a flag: the kernel drops the pages that it has of the file, which may be those of before a cut.
        answer!(reply, disk.node(number.0), _ => reply.opened(FileHandle(disk.cuts), FopenFlags::empty()));
    }

    fn read(
        &self,
        _: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.opened(handle) {
            Ok(disk) => answer!(reply, disk.read(number.0, offset as usize, size as usize), bytes => reply.data(bytes)),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        _: &Request,
        number: INodeNo,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.opened(handle).and_then(|mut disk| disk.write(number.0, offset as usize, data));
        answer!(reply, written, () => reply.written(data.len() as u32));
    }

    /// At each close; it keeps nothing.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, number: INodeNo, handle: FileHandle, _: bool, reply: ReplyEmpty) {
        let synced = self.opened(handle).and_then(|mut disk| disk.sync(number.0));
        answer!(reply, synced, () => reply.ok());
    }

    fn opendir(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(self.disk().cuts), FopenFlags::empty());
    }

    fn readdir(&self, _: &Request, number: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let disk = self.disk();
        let entries = match disk.list(number.0, offset.max(ROOT)) {
            Ok(entries) => entries,
            Err(error) => return reply.error(error),
        };
        for (number, name) in entries {
            let is_folder = disk.node(number).is_ok_and(disk::Node::is_folder);
            let kind = if is_folder { FileType::Directory } else { FileType::RegularFile };
            let is_full = reply.add(INodeNo(number), number, kind, name);
            if is_full {
                break;
            }
        }
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, number: INodeNo, handle: FileHandle, _: bool, reply: ReplyEmpty) {
        let synced = self.opened(handle).and_then(|mut disk| disk.sync(number.0));
        answer!(reply, synced, () => reply.ok());
    }

    /// As good as empty: what looks for room finds some.
    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCK, 255, BLOCK);
    }
}
