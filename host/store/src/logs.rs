//! Phase logs: one append-only file per phase, lines of JSON. Bulk data beside the
//! journal: written at once, never synced per line.
//!
//! A line is known by its position, the byte where it begins. Positions never
//! change, so a reader who was away goes on without gaps or repeats. An empty line
//! closes the log: whether it is closed is part of what is read, so no reader can
//! miss it, after a restart neither. A log without lines has no file, and that it is
//! closed is known for a while only: whoever follows one has to know by other means that its attempt is over.
//!
//! One thread writes. Readers read the files and are woken through a `watch`, so
//! a slow one delays nobody.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{mpsc, oneshot, watch};

use crate::folder;
use crate::{Places, StoreError};

pub const MAX_LOG_LINE_BYTES: usize = 1 << 20;
/// A page ends after this many bytes, but holds at least one line.
const PAGE_BYTES: u64 = 1 << 20;
const MAX_OPEN_FILES: usize = 256;
const QUEUE: usize = 1024;
/// Closed logs without lines that are remembered.
const MOST_SILENT: usize = 1024;

/// Which log: the phase of an attempt of a deployment of a project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    parts: [String; 4],
}

impl LogId {
    pub fn new(project: &str, deployment: &str, attempt: &str, phase: &str) -> Result<Self, StoreError> {
        let parts = [project, deployment, attempt, phase];
        match parts.into_iter().find(|part| !is_safe(part)) {
            Some(part) => Err(StoreError::InvalidLogName { part: part.chars().take(200).collect() }),
            None => Ok(Self { parts: parts.map(str::to_owned) }),
        }
    }

    fn path(&self, dir: &Path) -> PathBuf {
        let [project, deployment, attempt, phase] = &self.parts;
        dir.join(project).join(deployment).join(attempt).join(format!("{phase}.log"))
    }
}

/// Whether it can name a folder or file of ours.
pub(crate) fn is_safe(part: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=100).contains(&part.len()) && part.bytes().all(allowed) && part != "." && !part.contains("..")
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("/"))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Where the line begins.
    pub position: u64,
    /// Where the following line begins: what a reader of this line asks for next.
    pub next: u64,
    pub line: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    pub lines: Vec<LogLine>,
    /// Where the next page begins.
    pub next: u64,
    /// The log was closed and nothing stands after this page.
    pub closed: bool,
}

#[derive(Clone)]
pub struct Logs {
    inner: Arc<Inner>,
}

struct Inner {
    files: Arc<Files>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

/// What the writer and the readers have in common.
struct Files {
    dir: PathBuf,
    /// Only logs that somebody follows.
    followed: Mutex<HashMap<LogId, watch::Sender<()>>>,
    /// Closed a moment ago, without a line.
    silent: Mutex<VecDeque<LogId>>,
    reading: Places,
}

struct Job {
    id: LogId,
    bytes: Vec<u8>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

impl Logs {
    pub(crate) fn open(dir: &Path, reading: Places) -> Result<Self, StoreError> {
        let (followed, silent) = (Mutex::default(), Mutex::default());
        let files = Arc::new(Files { dir: dir.to_owned(), followed, silent, reading });
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let writer = Writer { files: Arc::clone(&files), open: HashMap::new() };
        let writer = thread::Builder::new()
            .name("logs".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(StoreError::io("start the writing thread of", dir))?;
        Ok(Self { inner: Arc::new(Inner { files, jobs: Some(jobs), writer: Some(writer) }) })
    }

    /// Returns when the lines can be read: all of them, or none after an error.
    pub async fn append(&self, id: &LogId, lines: &[Vec<u8>]) -> Result<(), StoreError> {
        let mut bytes = Vec::with_capacity(lines.iter().map(|line| line.len() + 1).sum());
        for line in lines {
            check_line(line)?;
            bytes.extend(line);
            bytes.push(b'\n');
        }
        lock(&self.inner.files.silent).retain(|silent| silent != id);
        self.write(id, bytes).await
    }

    /// Tells readers that no more lines come. A later append opens the log again.
    pub async fn close(&self, id: &LogId) -> Result<(), StoreError> {
        if self.close_silent(id) { Ok(()) } else { self.write(id, b"\n".to_vec()).await }
    }

    /// The same at once, where the log has no lines: to make a folder and a file only to say so costs as much as a small
    /// phase. Otherwise it stays open.
    pub fn close_silent(&self, id: &LogId) -> bool {
        let files = &self.inner.files;
        if id.path(&files.dir).exists() {
            return false;
        }
        let mut silent = lock(&files.silent);
        if silent.len() >= MOST_SILENT {
            silent.pop_front();
        }
        silent.push_back(id.clone());
        drop(silent);
        files.wake(id);
        true
    }

    async fn write(&self, id: &LogId, bytes: Vec<u8>) -> Result<(), StoreError> {
        let (done, written) = oneshot::channel();
        let stopping = StoreError::Stopping { what: "the log" };
        let Some(jobs) = &self.inner.jobs else {
            return Err(stopping);
        };
        jobs.send(Job { id: id.clone(), bytes, done }).await.map_err(|_| stopping.clone())?;
        written.await.map_err(|_| stopping)?
    }

    /// What [`Self::read`] gives, off the threads that serve requests; whoever comes while many read waits.
    pub async fn page(&self, id: &LogId, from: u64, limit: usize) -> Result<LogPage, StoreError> {
        let (logs, id) = (self.clone(), id.clone());
        let read = self.inner.files.reading.run(move || logs.read(&id, from, limit)).await;
        read.map_err(|_| StoreError::Stopping { what: "the log" })?
    }

    /// At most `limit` whole lines from a position on; blocks on the disk. A log
    /// that does not exist is empty. A position within a line means the line after it.
    pub fn read(&self, id: &LogId, from: u64, limit: usize) -> Result<LogPage, StoreError> {
        let path = id.path(&self.inner.files.dir);
        let page = match File::open(&path) {
            Ok(file) => read_page(file, from, limit),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(LogPage { lines: Vec::new(), next: 0, closed: lock(&self.inner.files.silent).contains(id) })
            }
            Err(error) => Err(error),
        };
        page.map_err(StoreError::io("read the log", &path))
    }

    /// Removes all logs of a deployment, to which nothing is written any more; blocks.
    pub fn remove(&self, project: &str, deployment: &str) -> Result<(), StoreError> {
        if let Some(part) = [project, deployment].into_iter().find(|part| !is_safe(part)) {
            return Err(StoreError::InvalidLogName { part: part.chars().take(200).collect() });
        }
        folder::remove_dir_if_there(&self.inner.files.dir.join(project).join(deployment))
    }

    /// Reads from a position on and waits for what is not written yet.
    pub fn follow(&self, id: &LogId, from: u64) -> Follow {
        let mut followed = lock(&self.inner.files.followed);
        let wake = followed.entry(id.clone()).or_insert_with(|| watch::Sender::new(())).subscribe();
        Follow { logs: self.clone(), id: id.clone(), wake, next: from, closed: false }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // Its failures were told to the waiters.
            let _ = writer.join();
        }
    }
}

impl Files {
    fn wake(&self, id: &LogId) {
        let mut followed = lock(&self.followed);
        if let Some(sender) = followed.get(id)
            && sender.send(()).is_err()
        {
            followed.remove(id);
        }
    }
}

/// A reader that keeps up with a log.
pub struct Follow {
    logs: Logs,
    id: LogId,
    wake: watch::Receiver<()>,
    next: u64,
    closed: bool,
}

impl Follow {
    /// The next lines, as soon as there are any; `None` once the log is closed.
    /// May be dropped at any await and asked again.
    pub async fn next(&mut self, limit: usize) -> Result<Option<LogPage>, StoreError> {
        while !self.closed {
            // Marked as seen before reading: what is written during the read wakes us again.
            self.wake.mark_unchanged();
            let page = self.logs.page(&self.id, self.next, limit).await?;
            self.next = page.next;
            self.closed = page.closed;
            if !page.lines.is_empty() {
                return Ok(Some(page));
            }
            if !page.closed && self.wake.changed().await.is_err() {
                return Err(StoreError::Stopping { what: "the log" });
            }
        }
        Ok(None)
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        let mut followed = lock(&self.logs.inner.files.followed);
        // Our own receiver still counts.
        if followed.get(&self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            followed.remove(&self.id);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_line(line: &[u8]) -> Result<(), StoreError> {
    if line.is_empty() || line.len() > MAX_LOG_LINE_BYTES || line.contains(&b'\n') {
        return Err(StoreError::InvalidLogLine { bytes: line.len(), limit: MAX_LOG_LINE_BYTES });
    }
    Ok(())
}

fn read_page(mut file: File, from: u64, limit: usize) -> io::Result<LogPage> {
    let from = from.min(file.metadata()?.len());
    // From one byte earlier: a line begins where the byte before ends one.
    let mut at = from.saturating_sub(1);
    file.seek(SeekFrom::Start(at))?;
    let mut reader = BufReader::new(file);
    if from > 0 {
        at += reader.skip_until(b'\n')? as u64;
    }
    let start = at;
    let mut page = LogPage { lines: Vec::new(), next: at, closed: false };
    while page.lines.len() < limit && at - start < PAGE_BYTES {
        let mut line = Vec::new();
        reader.by_ref().take(MAX_LOG_LINE_BYTES as u64 + 1).read_until(b'\n', &mut line)?;
        // A line without an end is still being written, or was cut off by a crash.
        if line.pop() != Some(b'\n') {
            break;
        }
        let position = at;
        at += line.len() as u64 + 1;
        page.closed = line.is_empty();
        // `next` never passes the closing line, so that whoever asks again sees it.
        if !page.closed {
            page.next = at;
            page.lines.push(LogLine { position, next: at, line });
        }
    }
    Ok(page)
}

struct Writer {
    files: Arc<Files>,
    /// A finished log leaves at its close, the others when there are too many.
    open: HashMap<LogId, Open>,
}

struct Open {
    file: File,
    end: u64,
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(Job { id, bytes, done }) = waiting.blocking_recv() {
            let result = self.write(&id, &bytes);
            self.files.wake(&id);
            // A waiter may have gone.
            let _ = done.send(result);
        }
    }

    fn write(&mut self, id: &LogId, bytes: &[u8]) -> Result<(), StoreError> {
        let path = id.path(&self.files.dir);
        let mut log = match self.open.remove(id) {
            Some(log) => log,
            None => open(&path).map_err(StoreError::io("open the log", &path))?,
        };
        // On an error the file is closed; opening it again cuts a half-written line.
        log.append(bytes).map_err(StoreError::io("write the log", &path))?;
        if bytes != b"\n" {
            if self.open.len() >= MAX_OPEN_FILES {
                self.open.clear();
            }
            self.open.insert(id.clone(), log);
        }
        Ok(())
    }
}

impl Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all_at(bytes, self.end);
        if written.is_err() {
            self.file.set_len(self.end)?;
        }
        self.end += bytes.len() as u64;
        written
    }
}

/// Opens a log to append to it, without the line that a crash cut off.
fn open(path: &Path) -> io::Result<Open> {
    if let Some(dir) = path.parent() {
        folder::create_unsynced(dir)?;
    }
    let file = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    let length = file.metadata()?.len();
    let end = end_of_lines(&file, length)?;
    if end < length {
        file.set_len(end)?;
    }
    Ok(Open { file, end })
}

fn end_of_lines(file: &File, length: u64) -> io::Result<u64> {
    let mut block = [0; 4096];
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let block = &mut block[..(end - start) as usize];
        file.read_exact_at(block, start)?;
        if let Some(at) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use expect_test::expect;

    use super::*;

    fn logs() -> (tempfile::TempDir, Logs) {
        let dir = tempfile::tempdir().unwrap();
        let logs = Logs::open(dir.path(), Places::new("reading", 2).unwrap()).unwrap();
        (dir, logs)
    }

    fn build() -> LogId {
        LogId::new("shop", "7", "1", "build").unwrap()
    }

    fn lines(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    fn texts(page: &LogPage) -> Vec<String> {
        page.lines.iter().map(|line| String::from_utf8(line.line.clone()).unwrap()).collect()
    }

    #[tokio::test]
    async fn lines_are_read_in_pages_without_gaps_or_repeats() {
        let (_dir, logs) = logs();
        logs.append(&build(), &lines(&["one", "two"])).await.unwrap();
        logs.append(&build(), &lines(&["three"])).await.unwrap();
        let first = logs.read(&build(), 0, 2).unwrap();
        assert_eq!(texts(&first), ["one", "two"]);
        let second = logs.read(&build(), first.next, 2).unwrap();
        assert_eq!(texts(&second), ["three"]);
        assert_eq!(texts(&logs.read(&build(), first.lines[0].next, 1).unwrap()), ["two"]);
        assert_eq!(texts(&logs.read(&build(), 1, 9).unwrap()), ["two", "three"], "a position within a line");
        assert_eq!(texts(&logs.read(&build(), 1000, 9).unwrap()), [""; 0]);
    }

    #[tokio::test]
    async fn a_log_that_does_not_exist_is_empty_and_open() {
        let (_dir, logs) = logs();
        let page = logs.read(&build(), 0, 9).unwrap();
        assert_eq!(page, LogPage { lines: vec![], next: 0, closed: false });
    }

    #[tokio::test]
    async fn a_page_says_when_the_log_was_closed() {
        let (_dir, logs) = logs();
        logs.append(&build(), &lines(&["one", "two"])).await.unwrap();
        logs.close(&build()).await.unwrap();
        assert!(!logs.read(&build(), 0, 1).unwrap().closed);
        let end = logs.read(&build(), 0, 9).unwrap();
        assert!(end.closed);
        assert!(logs.read(&build(), end.next, 9).unwrap().closed, "asked again from the end");
        assert!(logs.read(&build(), end.lines[1].next, 9).unwrap().closed, "resumed after the last line");
    }

    #[tokio::test]
    async fn a_closed_log_opens_again_with_the_next_line() {
        let (_dir, logs) = logs();
        logs.append(&build(), &lines(&["one"])).await.unwrap();
        logs.close(&build()).await.unwrap();
        logs.append(&build(), &lines(&["late"])).await.unwrap();
        let page = logs.read(&build(), 0, 9).unwrap();
        assert_eq!(texts(&page), ["one", "late"]);
        assert!(!page.closed);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn followers_see_every_line_once_however_they_come_and_go() {
        let (_dir, logs) = logs();
        let writer = tokio::spawn({
            let logs = logs.clone();
            async move {
                for number in 0..500 {
                    logs.append(&build(), &[number.to_string().into_bytes()]).await.unwrap();
                }
                logs.close(&build()).await.unwrap();
            }
        });
        let expected: Vec<String> = (0..500).map(|number: u32| number.to_string()).collect();
        let mut steady = logs.follow(&build(), 0);
        let mut seen = Vec::new();
        while let Some(page) = steady.next(1000).await.unwrap() {
            seen.extend(texts(&page));
        }
        assert_eq!(seen, expected);
        let (mut seen, mut position) = (Vec::new(), 0);
        while let Some(page) = logs.follow(&build(), position).next(7).await.unwrap() {
            seen.extend(texts(&page));
            position = page.next;
        }
        assert_eq!(seen, expected);
        writer.await.unwrap();
        drop(steady);
        assert!(lock(&logs.inner.files.followed).is_empty(), "nobody follows any more");
    }

    #[tokio::test]
    async fn a_log_without_lines_is_closed_without_a_file() {
        let (dir, logs) = logs();
        let mut early = logs.follow(&build(), 0);
        let early = tokio::spawn(async move { early.next(9).await });
        logs.close(&build()).await.unwrap();
        assert_eq!(early.await.unwrap().unwrap(), None);
        assert_eq!(logs.follow(&build(), 0).next(9).await.unwrap(), None);
        assert!(!build().path(dir.path()).exists());
        for number in 1..MOST_SILENT {
            logs.close(&LogId::new("shop", &format!("x{number}"), "1", "build").unwrap()).await.unwrap();
        }
        assert!(logs.read(&build(), 0, 9).unwrap().closed);
        logs.close(&LogId::new("shop", "one-more", "1", "build").unwrap()).await.unwrap();
        assert!(!logs.read(&build(), 0, 9).unwrap().closed, "only so many are remembered");
        logs.close(&build()).await.unwrap();
        logs.append(&build(), &lines(&["late"])).await.unwrap();
        assert!(!logs.read(&build(), 0, 9).unwrap().closed);
    }

    #[tokio::test]
    async fn a_log_that_is_closed_before_it_is_followed_ends_at_once() {
        let (dir, logs) = logs();
        logs.append(&build(), &lines(&["one"])).await.unwrap();
        logs.close(&build()).await.unwrap();
        drop(logs);
        let logs = Logs::open(dir.path(), Places::new("reading", 2).unwrap()).unwrap();
        let mut followed = logs.follow(&build(), 0);
        assert_eq!(texts(&followed.next(9).await.unwrap().unwrap()), ["one"]);
        assert_eq!(followed.next(9).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_line_that_a_crash_cut_off_is_never_read_and_goes_with_the_next_append() {
        let (dir, logs) = logs();
        logs.append(&build(), &lines(&["whole"])).await.unwrap();
        drop(logs);
        let path = build().path(dir.path());
        let torn = [b"whole\n".as_slice(), &[b'x'; 10_000]].concat();
        fs::write(&path, torn).unwrap();
        let logs = Logs::open(dir.path(), Places::new("reading", 2).unwrap()).unwrap();
        assert_eq!(texts(&logs.read(&build(), 0, 9).unwrap()), ["whole"]);
        logs.append(&build(), &lines(&["next"])).await.unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "whole\nnext\n");
    }

    #[tokio::test]
    async fn more_logs_than_open_files_are_written_all_the_same() {
        let (_dir, logs) = logs();
        let ids: Vec<LogId> =
            (0..MAX_OPEN_FILES + 10).map(|n| LogId::new("shop", &n.to_string(), "1", "build").unwrap()).collect();
        for text in ["one", "two"] {
            for id in &ids {
                logs.append(id, &lines(&[text])).await.unwrap();
            }
        }
        for id in &ids {
            assert_eq!(texts(&logs.read(id, 0, 9).unwrap()), ["one", "two"]);
        }
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        for bad in ["", ".", "..", "a/b", "a..b", "A", "a b", "\0", &"x".repeat(101)] {
            assert!(LogId::new("shop", bad, "1", "build").is_err(), "{bad:?}");
        }
        let error = LogId::new("..", "1", "1", "build").unwrap_err();
        expect!["`..` cannot be part of a log's name: use 1 to 100 of a-z, 0-9, `.`, `_`, `-`, and no `..`"]
            .assert_eq(&error.to_string());
    }

    #[tokio::test]
    async fn a_line_with_a_break_in_it_is_refused() {
        let (_dir, logs) = logs();
        for bad in ["", "a\nb"] {
            assert!(logs.append(&build(), &lines(&["good", bad])).await.is_err());
        }
        assert_eq!(logs.read(&build(), 0, 9).unwrap().lines, []);
    }
}
