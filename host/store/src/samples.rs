//! Samples: what is measured again and again, such as by a gate. Bulk data beside the journal, like logs: written at
//! once, never synced, never acknowledged one by one. Unlike logs only the newest are kept.
//!
//! A series is a folder of chunks, each named by the number of its first sample. A chunk holds lines: `=DIGEST TEXT` is
//! text that samples share, `DIGEST,DIGEST TEXT` is a sample with what it shares and what is its own. What a sample
//! shares stands before it in the same chunk, once: so chunks can be thrown away from the oldest on, and text that is the
//! same in a thousand samples is there a few times.
//!
//! One thread writes. What was put before a read is seen by it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use lockgate_core::digest::Digest;
use lockgate_core::name::Timestamp;
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;
use crate::folder;
use crate::logs::is_safe;

/// Of each text of a sample: its own, and each that it shares.
pub const MAX_SAMPLE_BYTES: usize = 1 << 20;
/// What goes at once is this part of what is kept.
const CHUNKS: u64 = 16;
const MAX_OPEN_SERIES: usize = 128;
const QUEUE: usize = 256;
const EXTENSION: &str = "samples";

/// Which series: by project, environment, and what is sampled there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId {
    parts: [String; 3],
}

impl SeriesId {
    pub fn new(project: &str, environment: &str, name: &str) -> Result<Self, StoreError> {
        let parts = [project, environment, name];
        match parts.into_iter().find(|part| !is_safe(part)) {
            Some(part) => Err(StoreError::InvalidLogName { part: part.chars().take(200).collect() }),
            None => Ok(Self { parts: parts.map(str::to_owned) }),
        }
    }

    pub fn project(&self) -> &str {
        &self.parts[0]
    }

    pub fn environment(&self) -> &str {
        &self.parts[1]
    }

    pub fn name(&self) -> &str {
        &self.parts[2]
    }

    fn folder(&self, dir: &Path) -> PathBuf {
        self.parts.iter().fold(dir.to_owned(), |folder, part| folder.join(part))
    }
}

impl fmt::Display for SeriesId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("/"))
    }
}

/// How much of a series is kept: the newest `records`, or fewer where they are more than `bytes`. Whole chunks go, so
/// it may be a sixteenth more of either, and one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub records: u64,
    pub bytes: u64,
}

/// Texts of one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// What other samples of its series say, too.
    pub shared: Vec<Arc<[u8]>>,
    pub own: Vec<u8>,
}

#[derive(Clone)]
pub struct Samples {
    inner: Arc<Inner>,
}

struct Inner {
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

enum Job {
    Put { id: SeriesId, kept: Kept, sample: Sample },
    Chunks { id: SeriesId, reply: oneshot::Sender<Result<Vec<PathBuf>, StoreError>> },
    Remove { is_wanted: IsWanted, written_before: Timestamp, reply: oneshot::Sender<Result<Vec<SeriesId>, StoreError>> },
}

type IsWanted = Box<dyn Fn(&SeriesId) -> bool + Send>;

impl Samples {
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let writer = Writer { dir: dir.to_owned(), open: HashMap::new() };
        let writer = thread::Builder::new()
            .name("samples".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(StoreError::io("start the writing thread of", dir))?;
        Ok(Self { inner: Arc::new(Inner { jobs: Some(jobs), writer: Some(writer) }) })
    }

    /// Waits for a place in the queue only: a sample that cannot be written is lost, and the log says so.
    pub async fn put(&self, id: SeriesId, kept: Kept, sample: Sample) -> Result<(), StoreError> {
        for text in sample.shared.iter().map(AsRef::as_ref).chain([sample.own.as_slice()]) {
            check(text)?;
        }
        self.send(Job::Put { id, kept, sample }).await
    }

    /// All that is kept of a series, oldest first. Going through it blocks on the disk.
    pub async fn read(&self, id: &SeriesId) -> Result<Records, StoreError> {
        let (reply, chunks) = oneshot::channel();
        self.send(Job::Chunks { id: id.clone(), reply }).await?;
        let chunks = chunks.await.map_err(|_| stopping())??;
        Ok(Records { chunks: chunks.into(), open: None })
    }

    /// Removes the series that are not wanted and were last written before then, and gives them.
    pub async fn remove(
        &self,
        written_before: Timestamp,
        is_wanted: impl Fn(&SeriesId) -> bool + Send + 'static,
    ) -> Result<Vec<SeriesId>, StoreError> {
        let (reply, removed) = oneshot::channel();
        self.send(Job::Remove { is_wanted: Box::new(is_wanted), written_before, reply }).await?;
        removed.await.map_err(|_| stopping())?
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        let Some(jobs) = &self.inner.jobs else { return Err(stopping()) };
        jobs.send(job).await.map_err(|_| stopping())
    }
}

fn stopping() -> StoreError {
    StoreError::Stopping { what: "the folder of samples" }
}

fn check(text: &[u8]) -> Result<(), StoreError> {
    if text.is_empty() || text.len() > MAX_SAMPLE_BYTES || text.contains(&b'\n') {
        return Err(StoreError::InvalidLogLine { bytes: text.len(), limit: MAX_SAMPLE_BYTES });
    }
    Ok(())
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            // Its failures are in the log.
            let _ = writer.join();
        }
    }
}

// ---- writing ----

struct Writer {
    dir: PathBuf,
    open: HashMap<SeriesId, Series>,
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(job) = waiting.blocking_recv() {
            match job {
                Job::Put { id, kept, sample } => {
                    if let Err(error) = self.put(&id, kept, &sample) {
                        tracing::warn!(series = %id, %error, "a sample was lost");
                    }
                }
                Job::Chunks { id, reply } => {
                    let folder = id.folder(&self.dir);
                    let chunks = chunks(&folder).map_err(StoreError::io("read the folder", &folder));
                    let paths = chunks.map(|chunks| chunks.into_iter().map(|first| path(&folder, first)).collect());
                    // Whoever asked may have gone.
                    let _ = reply.send(paths);
                }
                Job::Remove { is_wanted, written_before, reply } => {
                    let removed = self.remove(&is_wanted, written_before);
                    // Whoever asked may have gone.
                    let _ = reply.send(removed.map_err(StoreError::io("remove samples from", &self.dir)));
                }
            }
        }
    }

    fn put(&mut self, id: &SeriesId, kept: Kept, sample: &Sample) -> Result<(), StoreError> {
        let folder = id.folder(&self.dir);
        let failed = StoreError::io("write the samples", &folder);
        // On an error it stays closed; opening it again cuts a half-written line.
        let series = match self.open.remove(id) {
            Some(series) => Ok(series),
            None => Series::open(&folder),
        };
        let written = series.and_then(|mut series| series.append(sample, kept).map(|()| series)).map_err(failed)?;
        if self.open.len() >= MAX_OPEN_SERIES {
            self.open.clear();
        }
        self.open.insert(id.clone(), written);
        Ok(())
    }
}

impl Writer {
    fn remove(&mut self, is_wanted: &IsWanted, written_before: Timestamp) -> io::Result<Vec<SeriesId>> {
        let before = SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(written_before.0).unwrap_or(0));
        let mut removed = Vec::new();
        for id in all_series(&self.dir)? {
            let folder = id.folder(&self.dir);
            if is_wanted(&id) || last_written(&folder)? >= before {
                continue;
            }
            self.open.remove(&id);
            fs::remove_dir_all(&folder)?;
            // Those around it go with the last one that was in them.
            folder.ancestors().skip(1).take(2).all(|around| fs::remove_dir(around).is_ok());
            removed.push(id);
        }
        Ok(removed)
    }
}

/// What else lies there is nobody's series, and stays.
fn all_series(dir: &Path) -> io::Result<Vec<SeriesId>> {
    let mut all = Vec::new();
    for project in folders(dir)? {
        for environment in folders(&dir.join(&project))? {
            let names = folders(&dir.join(&project).join(&environment))?;
            all.extend(names.iter().filter_map(|name| SeriesId::new(&project, &environment, name).ok()));
        }
    }
    Ok(all)
}

fn folders(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

fn last_written(folder: &Path) -> io::Result<SystemTime> {
    let mut last = fs::metadata(folder)?.modified()?;
    for first in chunks(folder)? {
        last = last.max(fs::metadata(path(folder, first))?.modified()?);
    }
    Ok(last)
}

/// One that is written to.
struct Series {
    folder: PathBuf,
    /// Full ones: the number of the first sample, and the size.
    older: VecDeque<(u64, u64)>,
    current: Chunk,
}

struct Chunk {
    file: File,
    first: u64,
    records: u64,
    end: u64,
    /// What stands in it for samples to share.
    shared: HashSet<Digest>,
}

impl Series {
    fn open(folder: &Path) -> io::Result<Self> {
        folder::create_unsynced(folder)?;
        let mut firsts = chunks(folder)?;
        let current = Chunk::open(folder, firsts.pop().unwrap_or(1))?;
        let sizes = firsts.into_iter().map(|first| Ok((first, fs::metadata(path(folder, first))?.len())));
        Ok(Self { folder: folder.to_owned(), older: sizes.collect::<io::Result<_>>()?, current })
    }

    fn append(&mut self, sample: &Sample, kept: Kept) -> io::Result<()> {
        let Chunk { first, records, end, .. } = self.current;
        if records > 0 && (records >= kept.records.div_ceil(CHUNKS) || end >= kept.bytes / CHUNKS) {
            let next = Chunk::open(&self.folder, first + records)?;
            self.older.push_back((first, end));
            self.current = next;
            self.forget(kept)?;
        }
        self.current.append(sample)
    }

    /// Removes the oldest chunks, as long as there is enough without them or too much with them.
    fn forget(&mut self, kept: Kept) -> io::Result<()> {
        while let Some((first, _)) = self.older.front().copied() {
            let second = self.older.get(1).map_or(self.current.first, |(second, _)| *second);
            let bytes: u64 = self.older.iter().map(|(_, bytes)| bytes).sum();
            if self.current.first - second < kept.records && bytes <= kept.bytes {
                break;
            }
            fs::remove_file(path(&self.folder, first))?;
            self.older.pop_front();
        }
        Ok(())
    }
}

impl Chunk {
    /// Without the line that a crash cut off.
    fn open(folder: &Path, first: u64) -> io::Result<Self> {
        let path = path(folder, first);
        let file = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let mut chunk = Self { file, first, records: 0, end: 0, shared: HashSet::new() };
        let mut lines = BufReader::new(&chunk.file);
        let (mut records, mut end, mut shared) = (0, 0, HashSet::new());
        while let Some(line) = line(&mut lines)? {
            end += line.len() as u64 + 1;
            match Line::read(&line) {
                Some(Line::Shared(digest, _)) => _ = shared.insert(digest),
                // What cannot be read counts: the numbers after it do.
                Some(Line::Sample(..)) | None => records += 1,
            }
        }
        chunk.file.set_len(end)?;
        (chunk.records, chunk.end, chunk.shared) = (records, end, shared);
        Ok(chunk)
    }

    fn append(&mut self, sample: &Sample) -> io::Result<()> {
        let digests: Vec<Digest> = sample.shared.iter().map(|text| Digest::of(text)).collect();
        let mut bytes = Vec::new();
        let mut new = HashSet::new();
        for (digest, text) in digests.iter().zip(&sample.shared) {
            if !self.shared.contains(digest) && new.insert(*digest) {
                bytes.extend_from_slice(format!("={} ", digest.hex()).as_bytes());
                bytes.extend_from_slice(text);
                bytes.push(b'\n');
            }
        }
        let names: Vec<String> = digests.iter().map(Digest::hex).collect();
        bytes.extend_from_slice(format!("{} ", names.join(",")).as_bytes());
        bytes.extend_from_slice(&sample.own);
        bytes.push(b'\n');
        if let Err(error) = self.file.write_all_at(&bytes, self.end) {
            self.file.set_len(self.end)?;
            return Err(error);
        }
        self.end += bytes.len() as u64;
        self.records += 1;
        self.shared.extend(new);
        Ok(())
    }
}

fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:020}.{EXTENSION}"))
}

/// The number of the first sample of each chunk, in order. A folder that is not there has none.
fn chunks(folder: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut firsts = Vec::new();
    for entry in entries {
        let name = PathBuf::from(entry?.file_name());
        let is_chunk = name.extension().is_some_and(|extension| extension == EXTENSION);
        firsts.extend(name.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok()).filter(|_| is_chunk));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

// ---- reading ----

/// Samples as they were put.
pub struct Records {
    chunks: VecDeque<PathBuf>,
    open: Option<OpenChunk>,
}

struct OpenChunk {
    path: PathBuf,
    lines: BufReader<File>,
    shared: BTreeMap<Digest, Arc<[u8]>>,
}

impl Iterator for Records {
    type Item = Result<Sample, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if self.open.is_none() {
                let path = self.chunks.pop_front()?;
                match File::open(&path) {
                    Ok(file) => {
                        self.open = Some(OpenChunk { path, lines: BufReader::new(file), shared: BTreeMap::new() });
                    }
                    // It was the oldest, and is gone meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Some(Err(StoreError::io("read the samples", &path)(error))),
                }
            }
            let chunk = self.open.as_mut()?;
            match chunk.next() {
                Ok(Some(sample)) => return Some(Ok(sample)),
                Ok(None) => self.open = None,
                Err(error) => {
                    let error = StoreError::io("read the samples", &chunk.path)(error);
                    self.open = None;
                    return Some(Err(error));
                }
            }
        }
    }
}

impl OpenChunk {
    /// A line that cannot be read is left out: samples are no promise.
    fn next(&mut self) -> io::Result<Option<Sample>> {
        while let Some(line) = line(&mut self.lines)? {
            match Line::read(&line) {
                Some(Line::Shared(digest, text)) if Digest::of(text) == digest => {
                    self.shared.insert(digest, text.into());
                }
                Some(Line::Sample(digests, own)) => {
                    let shared = digests.iter().map(|digest| self.shared.get(digest).cloned()).collect();
                    match shared {
                        Some(shared) => return Ok(Some(Sample { shared, own: own.to_owned() })),
                        None => self.warn(),
                    }
                }
                Some(Line::Shared(..)) | None => self.warn(),
            }
        }
        Ok(None)
    }

    fn warn(&self) {
        tracing::warn!(chunk = %self.path.display(), "a sample cannot be read and is left out");
    }
}

/// A line without an end is still being written, or was cut off by a crash.
fn line(lines: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    lines.read_until(b'\n', &mut line)?;
    Ok((line.pop() == Some(b'\n')).then_some(line))
}

enum Line<'a> {
    Shared(Digest, &'a [u8]),
    Sample(Vec<Digest>, &'a [u8]),
}

impl<'a> Line<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        let space = line.iter().position(|byte| *byte == b' ')?;
        let (head, text) = (std::str::from_utf8(&line[..space]).ok()?, &line[space + 1..]);
        if let Some(digest) = head.strip_prefix('=') {
            return Some(Self::Shared(digest_of(digest)?, text));
        }
        let digests = head.split(',').filter(|hex| !hex.is_empty()).map(digest_of).collect::<Option<_>>()?;
        Some(Self::Sample(digests, text))
    }
}

fn digest_of(hex: &str) -> Option<Digest> {
    format!("sha256:{hex}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: Kept = Kept { records: 1_000, bytes: 1 << 20 };

    fn open() -> (tempfile::TempDir, Samples) {
        let dir = tempfile::tempdir().unwrap();
        let samples = Samples::open(dir.path()).unwrap();
        (dir, samples)
    }

    fn page() -> SeriesId {
        SeriesId::new("shop", "production", "page").unwrap()
    }

    fn sample(shared: &[&str], own: &str) -> Sample {
        let shared = shared.iter().map(|text| Arc::from(text.as_bytes())).collect();
        Sample { shared, own: own.as_bytes().to_vec() }
    }

    async fn all(samples: &Samples) -> Vec<Sample> {
        samples.read(&page()).await.unwrap().map(Result::unwrap).collect()
    }

    async fn owns(samples: &Samples) -> Vec<String> {
        all(samples).await.into_iter().map(|sample| String::from_utf8(sample.own).unwrap()).collect()
    }

    async fn put(samples: &Samples, kept: Kept, numbers: std::ops::Range<u32>) {
        for number in numbers {
            samples.put(page(), kept, sample(&["config"], &number.to_string())).await.unwrap();
        }
    }

    fn bytes(dir: &Path) -> u64 {
        let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { bytes(&path) } else { fs::metadata(path).unwrap().len() }).sum()
    }

    fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|number| number.to_string()).collect()
    }

    #[tokio::test]
    async fn what_was_put_is_read_in_its_order_with_what_it_shares() {
        let (_dir, samples) = open();
        let put = [sample(&["a", "b"], "1"), sample(&["a", "c"], "2"), sample(&[], "3"), sample(&["a", "a"], "4")];
        for sample in &put {
            samples.put(page(), MANY, sample.clone()).await.unwrap();
        }
        assert_eq!(all(&samples).await, put);
    }

    #[tokio::test]
    async fn a_series_without_samples_is_empty_and_makes_no_folder() {
        let (dir, samples) = open();
        assert_eq!(all(&samples).await, []);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn what_samples_share_is_stored_once() {
        let (dir, samples) = open();
        let subject = "x".repeat(10_000);
        for number in 0..50 {
            samples.put(page(), MANY, sample(&[&subject], &number.to_string())).await.unwrap();
        }
        assert_eq!(all(&samples).await.len(), 50);
        assert!(bytes(dir.path()) < 15_000, "{}", bytes(dir.path()));
    }

    #[tokio::test]
    async fn the_newest_are_kept_with_what_they_share() {
        let (_dir, samples) = open();
        put(&samples, Kept { records: 32, ..MANY }, 0..100).await;
        let kept = all(&samples).await;
        assert!((32..=34).contains(&kept.len()), "{}", kept.len());
        assert_eq!(kept.last(), Some(&sample(&["config"], "99")));
        assert_eq!(kept[0], sample(&["config"], &(100 - kept.len()).to_string()));
    }

    #[tokio::test]
    async fn large_ones_are_kept_up_to_their_bytes() {
        let (dir, samples) = open();
        let kept = Kept { records: 1_000, bytes: 64 << 10 };
        for number in 0..500 {
            samples.put(page(), kept, sample(&[], &format!("{number} {}", "x".repeat(1_000)))).await.unwrap();
        }
        let left = owns(&samples).await;
        assert!(left.last().unwrap().starts_with("499 "));
        assert!((50..=70).contains(&left.len()), "{}", left.len());
        assert!(bytes(dir.path()) <= kept.bytes + kept.bytes / CHUNKS + 1_100, "{}", bytes(dir.path()));
    }

    #[tokio::test]
    async fn a_series_goes_on_after_a_restart() {
        let (dir, samples) = open();
        let kept = Kept { records: 32, ..MANY };
        put(&samples, kept, 0..41).await;
        drop(samples);
        let samples = Samples::open(dir.path()).unwrap();
        put(&samples, kept, 41..43).await;
        assert_eq!(owns(&samples).await.split_off(owns(&samples).await.len() - 32), numbers(11..43));
        put(&samples, kept, 43..200).await;
        assert!((32..=34).contains(&owns(&samples).await.len()));
        let chunks: Vec<PathBuf> =
            fs::read_dir(page().folder(dir.path())).unwrap().map(|entry| entry.unwrap().path()).collect();
        let text = fs::read_to_string(&chunks[0]).unwrap();
        assert_eq!(text.matches("config").count(), 1, "{text}");
    }

    #[tokio::test]
    async fn a_line_that_a_crash_cut_off_is_never_read_and_goes_with_the_next_one() {
        let (dir, samples) = open();
        put(&samples, MANY, 0..2).await;
        drop(samples);
        let chunk = path(&page().folder(dir.path()), 1);
        let whole = fs::read(&chunk).unwrap();
        for cut in 1..40 {
            fs::write(&chunk, [&whole, &b"=0011 {torn} and long enough to be cut in many places"[..cut]].concat())
                .unwrap();
            let samples = Samples::open(dir.path()).unwrap();
            assert_eq!(owns(&samples).await, numbers(0..2), "cut at {cut}");
            put(&samples, MANY, 2..3).await;
            assert_eq!(owns(&samples).await, numbers(0..3), "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn damage_loses_the_samples_it_hits_and_no_others() {
        let (dir, samples) = open();
        samples.put(page(), MANY, sample(&["one"], "1")).await.unwrap();
        samples.put(page(), MANY, sample(&["two"], "2")).await.unwrap();
        assert_eq!(owns(&samples).await, ["1", "2"]);
        let chunk = path(&page().folder(dir.path()), 1);
        let text = fs::read_to_string(&chunk).unwrap();
        fs::write(&chunk, text.replace("one\n", "ONE\n")).unwrap();
        assert_eq!(owns(&samples).await, ["2"]);
    }

    /// Before and after everything that is written here.
    const LONG_AGO: Timestamp = Timestamp(1_000);
    const IN_A_CENTURY: Timestamp = Timestamp(4_900_000_000_000);

    #[tokio::test]
    async fn what_nobody_wants_goes_when_it_is_old_enough() {
        let (dir, samples) = open();
        let of = |project: &str, name: &str| SeriesId::new(project, "production", name).unwrap();
        for id in [of("shop", "page"), of("shop", "errors"), of("blog", "page")] {
            samples.put(id, MANY, sample(&["config"], "0")).await.unwrap();
        }
        fs::write(dir.path().join("notes.txt"), "of an administrator").unwrap();
        let is_page_of_shop =
            |id: &SeriesId| (id.project(), id.environment(), id.name()) == ("shop", "production", "page");
        assert_eq!(samples.remove(LONG_AGO, is_page_of_shop).await.unwrap(), []);
        let mut removed = samples.remove(IN_A_CENTURY, is_page_of_shop).await.unwrap();
        removed.sort();
        assert_eq!(removed, [of("blog", "page"), of("shop", "errors")]);
        assert_eq!(owns(&samples).await, numbers(0..1));
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["notes.txt", "shop"]);
    }

    #[tokio::test]
    async fn a_series_that_was_removed_begins_again() {
        let (_dir, samples) = open();
        put(&samples, MANY, 0..3).await;
        assert_eq!(samples.remove(IN_A_CENTURY, |_| false).await.unwrap(), [page()]);
        assert_eq!(owns(&samples).await, numbers(0..0));
        put(&samples, MANY, 7..9).await;
        assert_eq!(all(&samples).await, [sample(&["config"], "7"), sample(&["config"], "8")]);
    }

    #[tokio::test]
    async fn what_is_no_line_or_too_long_is_refused() {
        let (_dir, samples) = open();
        let long = "x".repeat(MAX_SAMPLE_BYTES + 1);
        for bad in [sample(&[], ""), sample(&[], "a\nb"), sample(&["a\nb"], "x"), sample(&[], &long)] {
            assert!(matches!(samples.put(page(), MANY, bad).await, Err(StoreError::InvalidLogLine { .. })));
        }
        assert_eq!(all(&samples).await, []);
        assert!(SeriesId::new("shop", "..", "page").is_err());
    }
}
