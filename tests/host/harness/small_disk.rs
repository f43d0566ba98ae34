//! A disk of a few megabytes, which can be filled and made read-only.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{is_root, skipped};

/// Unmounted when dropped, also after a failure.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where this user may mount none.
    pub fn mount(folder: &Path, megabytes: usize) -> Option<Self> {
        fs::create_dir_all(folder).unwrap();
        let size = format!("size={megabytes}m");
        let lacks_the_right = || skipped("no right to mount a tmpfs here");
        if !is_root() {
            return lacks_the_right();
        }
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).output().unwrap();
        let said = String::from_utf8_lossy(&mount.stderr);
        // Root of a container may not be root of the machine.
        assert!(mount.status.success() || said.contains("permission denied"), "{said}");
        mount.status.success().then(|| Self(folder.to_owned())).or_else(lacks_the_right)
    }

    pub fn fill(&self) {
        self.fill_by(&self.ballast());
    }

    /// To the last byte, with a file there.
    pub fn fill_by(&self, file: &Path) {
        let mut file = File::options().create(true).append(true).open(file).unwrap();
        let full = (0..).find_map(|_| file.write_all(&[1; 4096]).err()).unwrap();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }

    pub fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Only while nobody has a file open to write.
    pub fn refuse_changes(&self) {
        self.remount("ro");
    }

    pub fn take_changes(&self) {
        self.remount("rw");
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the host may still look at it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
