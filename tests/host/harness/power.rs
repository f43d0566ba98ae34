//! A disk whose power can be cut: then it forgets what was not synced. It is a program of its own (`tests/amnesia`).

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::{built, is_root, skipped};

pub struct Power {
    program: Child,
    /// None when it was told that there will be no more.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
}

impl Power {
    /// Of a new and empty disk in this folder. None where this machine has no FUSE, or this user no way to mount.
    pub fn mount(folder: &Path, seed: u64) -> Option<Self> {
        let may_mount = is_root() || Command::new("fusermount3").arg("--version").output().is_ok();
        if !cfg!(target_os = "linux") || !Path::new("/dev/fuse").exists() || !may_mount {
            return skipped("no right to mount a FUSE file system here");
        }
        std::fs::create_dir_all(folder).unwrap();
        let mut program = Command::new(built::amnesia())
            .arg(folder)
            .arg(seed.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (program.stdin.take(), BufReader::new(program.stdout.take().unwrap()));
        let mut power = Self { program, orders, answers, folder: folder.to_owned() };
        assert_eq!(power.answer(), "mounted\n", "the disk did not come up");
        Some(power)
    }

    /// Whoever has a file open there must be gone. Gives what it has cost, for people.
    pub fn cut(&mut self) -> String {
        self.order("cut")
    }

    /// From now on it refuses every change, as systems do that have found their disk broken.
    pub fn refuse_changes(&mut self) {
        self.order("read-only");
    }

    pub fn take_changes(&mut self) {
        self.order("writable");
    }

    fn order(&mut self, order: &str) -> String {
        writeln!(self.orders.as_mut().unwrap(), "{order}").unwrap();
        let answer = self.answer();
        assert!(!answer.is_empty(), "the disk has ended at `{order}`");
        answer
    }

    fn answer(&mut self) -> String {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer
    }
}

impl Drop for Power {
    fn drop(&mut self) {
        // At the end of its orders it unmounts; where it could not, nothing else would.
        self.orders = None;
        let _ = self.program.wait();
        let _ = Command::new("umount").arg("-lq").arg(&self.folder).stderr(Stdio::null()).status();
    }
}
