//! Reads a journal and tells what it holds, without changing a byte. Opening, what is read after it, and
//! verifying share this, so they cannot disagree about what is damage.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::{self, Base};
use crate::checkpoint::{self, Checkpoint};
use crate::disk::RealDisk;
use crate::error::{Damage, JournalError};
use crate::heads::Heads;
use crate::mark;
use crate::packed::Full;
use crate::record::{self, Bad, Frame, Hash, MIN_RECORD_BYTES, Record};
use crate::segment::{self, Folder, HEADER_BYTES, Loaded, Named};

/// What a stream has in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamHead {
    pub records: u64,
    pub first: u64,
    pub last: u64,
    /// The hash of its last record: with it, anyone can tell that nothing before was changed.
    pub hash: Hash,
}

impl StreamHead {
    pub fn hash_hex(&self) -> String {
        hex::encode(self.hash)
    }

    /// The head after one more record; before its first record a stream has none.
    pub(crate) fn after(before: Option<&Self>, frame: &Frame<'_>) -> Self {
        Self {
            records: before.map_or(0, |head| head.records) + 1,
            first: before.map_or(frame.sequence, |head| head.first),
            last: frame.sequence,
            hash: frame.hash(),
        }
    }
}

/// The end of a last batch that was cut off while it was being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    pub segment: PathBuf,
    pub offset: u64,
    /// From the first bad byte to the last one that is not zero.
    pub bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Also those that were dropped.
    pub records: u64,
    /// So many of the first were dropped: a base stands for them.
    pub dropped: u64,
    pub streams: BTreeMap<String, StreamHead>,
    pub segments: usize,
    pub torn_tail: Option<TornTail>,
}

/// Checks every record and chain of the journal in `dir`, offline and read-only.
pub fn verify(dir: &Path) -> Result<Verified, JournalError> {
    Ok(verified(scan_beside_a_host(&on_disk(dir))?))
}

/// The same, with what it begins with, and all its records after that.
pub fn read(dir: &Path) -> Result<(Verified, Option<Base>, Records), JournalError> {
    let folder = on_disk(dir);
    let mut scan = scan_beside_a_host(&folder)?;
    let records = Records::new(folder, scan.segments.clone(), 1, scan.last);
    let base = scan.base.take();
    let dropped = base.as_ref().map_or(0, |base| base.through);
    Ok((Verified { dropped, ..verified(scan) }, base, records))
}

fn verified(scan: Scan) -> Verified {
    let Scan { base, last, streams, segments, torn_tail, .. } = scan;
    let dropped = base.map_or(0, |base| base.through);
    Verified { records: last, dropped, streams, segments: segments.len(), torn_tail }
}

fn scan_beside_a_host(folder: &Folder) -> Result<Scan, JournalError> {
    settled(|| scan(folder))
}

/// Who reads what a host is writing can see a later batch and not yet the one before it, or look for what was dropped a moment
/// ago. After that moment it is whole, and damage is what it was.
pub(crate) fn settled<T>(mut scan: impl FnMut() -> Result<T, JournalError>) -> Result<T, JournalError> {
    let mut seen = String::new();
    loop {
        match scan() {
            Err(error) if error.to_string() != seen => seen = error.to_string(),
            scanned => return scanned,
        }
    }
}

pub(crate) fn on_disk(dir: &Path) -> Folder {
    Folder { disk: Arc::new(RealDisk), path: dir.to_owned() }
}

#[derive(Default)]
pub(crate) struct Scan {
    /// What the first segment goes on from.
    pub base: Option<Base>,
    pub segments: Vec<Named>,
    pub last: u64,
    pub streams: BTreeMap<String, StreamHead>,
    /// The last segment, and where in it the last batch begins and ends.
    pub last_segment: Option<Loaded>,
    pub last_batch: u64,
    pub end: u64,
    pub torn_tail: Option<TornTail>,
    /// What is no longer written to, and is not packed yet.
    pub unpacked: Vec<Full>,
    /// What was not read, for this stood for it.
    pub before: Option<Checkpoint>,
    /// What the journal had where the last segment begins, if that is not where reading began.
    pub checkpoint: Option<Checkpoint>,
}

/// Reads what comes after the checkpoint, or everything where anything speaks against it: it was not made of these records,
/// or records are damaged, and then it is said as without it.
pub(crate) fn for_a_start(folder: &Folder) -> Result<Scan, JournalError> {
    let Some(checkpoint) = checkpoint::read(folder) else {
        return scan(folder);
    };
    match scan_after(folder, Some(checkpoint)) {
        Err(error @ JournalError::Io { .. }) => Err(error),
        Ok(scan) if scan.before.as_ref().is_none_or(|before| before.is_continued_by(&scan.streams)) => Ok(scan),
        Ok(_) | Err(_) => scan(folder),
    }
}

/// Reads everything.
pub(crate) fn scan(folder: &Folder) -> Result<Scan, JournalError> {
    scan_after(folder, None)
}

fn scan_after(folder: &Folder, checkpoint: Option<Checkpoint>) -> Result<Scan, JournalError> {
    // First: a host may be writing, and what it acknowledged by now is in the segments that are read after this.
    let acknowledged = mark::read(folder)?;
    let base = base::read(folder)?;
    let heads = base.as_ref().map(Base::heads).unwrap_or_default();
    let first = heads.through + 1;
    let mut segments = segment::list(folder)?;
    let left_over = segments.extract_if(.., |segment| segment.first < first).count();
    let named = segment::file_name(first);
    let problem = |named: &str| match first {
        1 => format!(
            "the journal's first segment, {named}, is missing, or the file `base` is, where segments were dropped"
        ),
        _ => format!("the segment {named} is missing, with which the journal goes on from its base"),
    };
    let missing = |segment| damage(segment, 0, first, problem(&named));
    match segments.first() {
        Some(segment) if segment.first != first => return Err(missing(segment).into()),
        None if base.is_some() => return Err(missing(&Named { first, path: folder.path.join(&named) }).into()),
        Some(_) | None => {}
    }
    // One that ends where the base does knows no more, and nothing would be read to compare it with. And where segments are
    // about to be removed, for the base stands for them, what follows has to go on from it.
    let before = checkpoint.filter(|checkpoint| left_over == 0 && checkpoint.at.through > heads.through);
    let before = before.map(|checkpoint| checkpoint.behind(&heads)).filter(|checkpoint| checkpoint.fits(&segments));
    let begin = before.as_ref().map_or(0, |before| before.segments.len());
    let heads = before.as_ref().map_or(heads, |before| before.at.clone());
    let mut scan = Scan { base, before, ..Scan::after(heads) };
    for pair in segments[begin..].windows(2) {
        scan.take_full(folder, &pair[0], &pair[1])?;
    }
    if begin + 1 < segments.len() {
        let earlier = segments[..segments.len() - 1].iter().map(|segment| segment.first);
        let at = Heads { through: scan.last, streams: scan.streams.clone() };
        scan.checkpoint = Some(Checkpoint { segments: earlier.collect(), at });
    }
    if let Some(segment) = segments.last() {
        scan.take_last(folder, segment)?;
    }
    if acknowledged > scan.last {
        let (dir, mark) = (folder.path.clone(), mark::path(&folder.path));
        return Err(JournalError::Gone { dir, last: scan.last, acknowledged, mark });
    }
    scan.segments = segments;
    Ok(scan)
}

impl Scan {
    /// What comes before is taken in.
    pub fn after(heads: Heads) -> Self {
        Self { last: heads.through, streams: heads.streams, ..Self::default() }
    }

    /// A segment that another one follows.
    pub fn take_full(&mut self, folder: &Folder, segment: &Named, following: &Named) -> Result<(), JournalError> {
        let loaded = segment::load(folder, segment)?;
        let stop = self.walk(segment, &loaded.bytes)?;
        self.expect_to_continue(segment, following, stop)?;
        if !loaded.packed {
            self.unpacked.push(Full { segment: segment.clone(), next: following.first });
        }
        Ok(())
    }

    fn take_last(&mut self, folder: &Folder, segment: &Named) -> Result<(), JournalError> {
        let loaded = segment::load(folder, segment)?;
        let stop = self.walk(segment, &loaded.bytes)?;
        self.torn_tail = self.judge_tail(segment, &loaded, stop)?;
        self.last_segment = Some(loaded);
        Ok(())
    }

    /// Takes in whole appends until there is no further one.
    fn walk(&mut self, segment: &Named, bytes: &[u8]) -> Result<Stop, Damage> {
        self.end = HEADER_BYTES;
        self.last_batch = HEADER_BYTES;
        loop {
            match append_at(bytes, self.end, self.last + 1) {
                Ok(append) => append.iter().try_for_each(|frame| self.take_in(segment, frame))?,
                Err(stop) => return Ok(stop),
            }
        }
    }

    fn take_in(&mut self, segment: &Named, frame: &Frame<'_>) -> Result<(), Damage> {
        let before = self.streams.get(frame.stream);
        if frame.previous != before.map_or(Hash::default(), |head| head.hash) {
            let problem = format!("the record does not follow the one before it in stream `{}`", frame.stream);
            return Err(damage(segment, self.end, frame.sequence, problem));
        }
        let head = StreamHead::after(before, frame);
        self.streams.insert(frame.stream.to_owned(), head);
        if frame.batch == frame.sequence {
            self.last_batch = self.end;
        }
        self.last = frame.sequence;
        self.end += frame.framed_bytes() as u64;
        Ok(())
    }

    /// A following segment is begun only after everything before it was synced.
    fn expect_to_continue(&self, segment: &Named, following: &Named, stop: Stop) -> Result<(), Damage> {
        let (bad, first) = (stop.bad, following.first);
        if first == self.last + 1 {
            return Ok(());
        }
        let problem = if first > self.last {
            let missing = segment::file_name(self.last + 1);
            format!("{bad}, yet the next segment begins with record {first}; or the segment {missing} is missing")
        } else {
            format!("the next segment begins once more with record {first}")
        };
        Err(damage(segment, stop.at, stop.sequence, problem))
    }

    fn judge_tail(&self, segment: &Named, loaded: &Loaded, stop: Stop) -> Result<Option<TornTail>, Damage> {
        let bytes = &loaded.bytes;
        let Some(last_byte) = bytes[self.end as usize..].iter().rposition(|byte| *byte != 0) else {
            return Ok(None);
        };
        if loaded.packed {
            let problem = format!("{}, in a segment that was whole when it was packed", stop.bad);
            return Err(damage(segment, stop.at, stop.sequence, problem));
        }
        if let Some((after, later)) = find_later_batch(&bytes[stop.at as usize..], stop.sequence) {
            let (bad, at) = (stop.bad, stop.at + after as u64);
            let problem =
                format!("{bad}, yet record {later} follows at byte {at}, written after this place was synced");
            return Err(damage(segment, stop.at, stop.sequence, problem));
        }
        Ok(Some(TornTail { segment: segment.path.clone(), offset: self.end, bytes: last_byte as u64 + 1 }))
    }
}

/// Where there is no further record, although its append may have begun earlier.
struct Stop {
    at: u64,
    sequence: u64,
    bad: Bad,
}

/// All records of the append that begins here. One that is not whole does not
/// count: what was decided together must not come back in part.
fn append_at(bytes: &[u8], mut at: u64, mut sequence: u64) -> Result<Vec<Frame<'_>>, Stop> {
    let mut append = Vec::new();
    loop {
        let frame =
            record::decode_expected(&bytes[at as usize..], sequence).map_err(|bad| Stop { at, sequence, bad })?;
        at += frame.framed_bytes() as u64;
        sequence += 1;
        append.push(frame);
        if frame.following == 0 {
            return Ok(append);
        }
    }
}

fn damage(segment: &Named, offset: u64, sequence: u64, problem: String) -> Damage {
    Damage { segment: segment.path.clone(), offset, sequence, problem }
}

/// Looks for proof that the bad place, where `expected` should be, was once
/// durable: a good record whose batch began after it. Good records of the same
/// batch prove nothing, for a disk writes the pages of one write in any order.
fn find_later_batch(tail: &[u8], expected: u64) -> Option<(usize, u64)> {
    let possible = expected..=expected + (tail.len() / MIN_RECORD_BYTES) as u64;
    let last_start = tail.len().checked_sub(MIN_RECORD_BYTES)?;
    (0..=last_start).find_map(|at| {
        let (sequence, batch) = record::glimpse(&tail[at..])?;
        let later = possible.contains(&sequence) && expected < batch && batch <= sequence;
        (later && record::decode(&tail[at..]).is_ok()).then_some((at, sequence))
    })
}

/// Records in order, one segment in memory at a time. Ends after the first error.
pub struct Records {
    folder: Folder,
    segments: std::vec::IntoIter<Named>,
    current: Option<Current>,
    from: u64,
    next: u64,
    last: u64,
    /// What is read is not dropped meanwhile; nothing where another process reads.
    _reading: Option<Arc<()>>,
}

struct Current {
    segment: Named,
    bytes: Vec<u8>,
    at: usize,
}

impl Records {
    pub(crate) fn new(folder: Folder, segments: Vec<Named>, from: u64, last: u64) -> Self {
        let from = from.max(1);
        let skipped = segments.partition_point(|segment| segment.first <= from).saturating_sub(1);
        let next = segments.get(skipped).map_or(from, |segment| segment.first);
        let mut segments = segments.into_iter();
        if skipped > 0 {
            segments.nth(skipped - 1);
        }
        Self { folder, segments, current: None, from, next, last, _reading: None }
    }

    pub(crate) fn kept(self, reading: Arc<()>) -> Self {
        Self { _reading: Some(reading), ..self }
    }

    /// Leaves out what comes before; nothing was read yet.
    pub(crate) fn from(self, from: u64) -> Self {
        Self { from: self.from.max(from), ..self }
    }

    fn read_next(&mut self) -> Result<Record, JournalError> {
        loop {
            let Some(current) = &mut self.current else {
                self.current = Some(self.load_next()?);
                continue;
            };
            match record::decode_expected(&current.bytes[current.at..], self.next) {
                Ok(frame) => {
                    current.at += frame.framed_bytes();
                    self.next += 1;
                    if frame.sequence >= self.from {
                        return Ok(frame.to_record());
                    }
                }
                Err(bad) => match self.segments.as_slice().first() {
                    Some(following) if following.first == self.next => self.current = None,
                    Some(_) | None => return Err(self.damage(bad)),
                },
            }
        }
    }

    fn load_next(&mut self) -> Result<Current, JournalError> {
        let Some(segment) = self.segments.next() else {
            return Err(self.damage(Bad::Empty));
        };
        let bytes = segment::load(&self.folder, &segment)?.bytes;
        Ok(Current { segment, bytes, at: HEADER_BYTES as usize })
    }

    fn damage(&self, bad: Bad) -> JournalError {
        let (segment, offset) = match &self.current {
            Some(current) => (current.segment.path.clone(), current.at as u64),
            None => (PathBuf::new(), 0),
        };
        Damage { segment, offset, sequence: self.next, problem: bad.to_string() }.into()
    }
}

impl Iterator for Records {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next > self.last || self.from > self.last {
            return None;
        }
        let result = self.read_next();
        if result.is_err() {
            self.next = u64::MAX;
        }
        Some(result)
    }
}
