//! A journal on a simulated disk, and what must be in it: all that was acknowledged, and of what was not, only what the
//! next start may find. Its threads take turns, so the same seed leads to the same steps.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use super::simulated::SimulatedDisk;
use crate::checkpoint;
use crate::committer::Committer;
use crate::packed::Packer;
use crate::{Journal, JournalError, Options, Past, Record, States, Stats, StreamHead, scan, segment};

const SEGMENT_BYTES: u64 = 2048;

/// Stream and payload, in the order of the sequences.
type Written = (String, Vec<u8>);

pub struct Life {
    pub disk: SimulatedDisk,
    running: Option<Running>,
    acknowledged: Vec<Written>,
    /// Appends that ended with the journal itself: the next start finds the first of them, or none.
    unknown: Vec<Vec<Written>>,
    appends: u64,
    /// How many of the first records were dropped: more than one number where a drop was interrupted.
    dropped: BTreeSet<u64>,
    /// Starts that did not read everything.
    pub quick_starts: u64,
    pub drops: u64,
}

struct Running {
    journal: Journal,
    committer: Committer,
    packer: Packer,
    told_fatal: Arc<AtomicU64>,
    told_damage: Arc<AtomicU64>,
}

/// A stream, and the bytes of each payload.
pub type Append = (&'static str, Vec<usize>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Fine,
    Refused,
    Stopped,
}

impl Life {
    pub fn on(disk: SimulatedDisk) -> Self {
        Self {
            disk,
            running: None,
            acknowledged: Vec::new(),
            unknown: Vec::new(),
            appends: 0,
            dropped: BTreeSet::from([0]),
            quick_starts: 0,
            drops: 0,
        }
    }

    /// Where that fails the disk does, and says so: a power cut or a fault is no damage.
    pub fn start(&mut self) -> Result<(), JournalError> {
        let without_checkpoint = self.disk.copy();
        let [told_fatal, told_damage] = [0, 0].map(|none| Arc::new(AtomicU64::new(none)));
        let count = |told: &Arc<AtomicU64>| {
            let told = Arc::clone(told);
            Box::new(move |_: &JournalError| _ = told.fetch_add(1, Ordering::Relaxed))
        };
        let (on_fatal, on_damage) = (count(&told_fatal), count(&told_damage));
        let options = Options { on_fatal: Some(on_fatal), on_damage: Some(on_damage), ..small() };
        let started = Journal::at_rest(self.disk.folder(), options);
        let (journal, committer, packer, recovery) = started.inspect_err(|error| {
            assert!(matches!(error, JournalError::Io { .. }) && self.disk.has_failed(), "{error}");
        })?;
        assert_eq!(recovery.records, journal.last());
        let folder = without_checkpoint.folder();
        let _ = folder.disk.remove(&checkpoint::path(&folder.path));
        let (slow, _, _, recovered) = Journal::at_rest(folder, small()).unwrap();
        assert!(matches!(slow.past(), Past::Whole));
        assert_eq!((&recovery, journal.streams()), (&recovered, slow.streams()), "as without the checkpoint");
        // What could not be removed stays.
        let failed = self.disk.has_failed();
        assert!(failed || self.disk.segments() == without_checkpoint.segments(), "nor is other done to the segments");
        self.quick_starts += u64::from(matches!(journal.past(), Past::Unread { .. }));
        self.running = Some(Running { journal, committer, packer, told_fatal, told_damage });
        Ok(())
    }

    pub fn journal(&self) -> &Journal {
        &self.running.as_ref().unwrap().journal
    }

    pub fn end(&mut self) {
        self.running = None;
    }

    /// Several callers at once. All that is fine is acknowledged with the sequences that come next.
    pub fn append(&mut self, appends: &[Append]) -> Outcome {
        let Running { journal, committer, told_fatal, .. } = self.running.as_mut().unwrap();
        let (tell, told) = mpsc::channel();
        let mut written = Vec::new();
        for (index, (stream, sizes)) in appends.iter().enumerate() {
            self.appends += 1;
            let payloads: Vec<Vec<u8>> = sizes.iter().map(|size| payload(self.appends, *size)).collect();
            written
                .push(payloads.iter().map(|payload| ((*stream).to_owned(), payload.clone())).collect::<Vec<Written>>());
            let tell = tell.clone();
            journal.append(stream, payloads, move |result| tell.send((index, result)).unwrap());
        }
        let mut answers: Vec<_> = told.try_iter().collect();
        if answers.is_empty() {
            let waiting = journal.shared.take().unwrap();
            let goes_on = committer.turn(waiting);
            committer.wait_for_spare();
            assert_eq!(told_fatal.load(Ordering::Relaxed), u64::from(!goes_on), "whoever stops says so, once");
            answers.extend(told.try_iter());
        }
        answers.sort_by_key(|(index, _)| *index);
        assert!(answers.iter().map(|(index, _)| *index).eq(0..appends.len()), "every waiter is told once");
        let mut outcome = Outcome::Fine;
        for ((_, answer), written) in answers.into_iter().zip(written) {
            outcome = outcome.max(match answer {
                Ok(committed) => {
                    assert!(self.unknown.is_empty(), "nothing is acknowledged after the journal has stopped");
                    assert_eq!(committed.first, self.acknowledged.len() as u64 + 1);
                    self.acknowledged.extend(written);
                    assert_eq!(committed.last, self.acknowledged.len() as u64);
                    Outcome::Fine
                }
                Err(error) if error.is_refusal() => Outcome::Refused,
                Err(error) => {
                    assert!(self.disk.has_failed(), "{error}");
                    self.unknown.push(written);
                    Outcome::Stopped
                }
            });
        }
        assert_eq!(journal.last(), self.acknowledged.len() as u64, "what is shown is what is acknowledged");
        outcome
    }

    /// Packs a segment that is full, if there is one.
    pub fn pack(&mut self) -> bool {
        self.running.as_mut().unwrap().packer.pack_next()
    }

    /// Writes the checkpoint, if there is one to write.
    pub fn write_checkpoint(&mut self) -> bool {
        self.running.as_mut().unwrap().packer.write_checkpoint()
    }

    /// Reads a segment that the start did not. Where that fails the disk does, and nothing is called damaged.
    pub fn look_back(&mut self) -> bool {
        let Running { journal, packer, told_damage, .. } = self.running.as_mut().unwrap();
        let looked = packer.look_back();
        let past = journal.past();
        assert_eq!(
            told_damage.load(Ordering::Relaxed),
            u64::from(matches!(past, Past::Damaged(_) | Past::Unfinished(_)))
        );
        match past {
            Past::Unread { .. } => assert!(looked || !journal.shared.is_open()),
            Past::Whole => {}
            Past::Unfinished(error) => assert!(self.disk.has_failed(), "{error}"),
            Past::Damaged(error) => panic!("{error}"),
        }
        looked
    }

    /// Drops full segments, and keeps at least so many; `None` where there are no more, or the journal refuses.
    pub fn drop_but(&mut self, segments: usize) -> Option<Result<(), JournalError>> {
        let full = match self.journal().full_segments() {
            Ok(full) => full,
            Err(error) => return Some(Err(error)),
        };
        let through = *full.get(full.len().checked_sub(segments + 1)?)?.end();
        let result = self.journal().drop_through(through, self.states(through));
        match &result {
            Ok(()) => {
                self.dropped = BTreeSet::from([through]);
                self.drops += 1;
            }
            Err(JournalError::NotDropped { .. }) => return None,
            Err(error) => {
                assert!(self.disk.has_failed(), "{error}");
                self.dropped.insert(through);
            }
        }
        Some(result)
    }

    /// A state that tells all: the payloads of each stream.
    fn states(&self, through: u64) -> States {
        let mut states = States::new();
        for (stream, payload) in &self.acknowledged[..through as usize] {
            states.entry(stream.clone()).or_default().push(payload.clone());
        }
        states
    }

    pub fn stats(&self) -> Stats {
        self.journal().stats()
    }

    /// What a caller reads is what was acknowledged.
    pub fn read(&self) -> Result<(), JournalError> {
        let found = self.records()?;
        assert!(found == self.acknowledged, "what is read is what was acknowledged");
        Ok(())
    }

    /// After a start on a disk that works: nothing that was acknowledged is missing or changed, of the rest whole appends
    /// from the first on are there, and whoever verifies the folder finds what the journal says.
    pub fn check(&mut self) {
        let (found, verified) =
            self.disk.undisturbed(|| (self.records().unwrap(), scan::scan(&self.disk.folder()).unwrap()));
        let (known, there) = (self.acknowledged.len(), found.len());
        assert!(found.starts_with(&self.acknowledged), "of {known} acknowledged records {there} are there, or others");
        for append in std::mem::take(&mut self.unknown) {
            if there > self.acknowledged.len() {
                self.acknowledged.extend(append);
            }
        }
        assert!(found == self.acknowledged, "{there} records are there, not only whole appends in order");
        let journal = self.journal();
        let first = journal.shared.first();
        let dropped = verified.base.map_or(0, |base| base.through);
        assert_eq!(dropped + 1, first);
        assert!(self.dropped.contains(&dropped), "{dropped} were dropped, not {:?}", self.dropped);
        let segments = self.disk.segments();
        let expected = self.disk.folder().path.join(segment::file_name(first));
        assert!(self.disk.has_failed() || *segments.keys().next().unwrap() == expected, "nothing is left");
        assert_eq!((verified.last, verified.streams), (journal.last(), journal.streams()));
        assert_eq!(verified.torn_tail, None, "a start leaves nothing torn");
        let heads = journal.streams();
        self.dropped = BTreeSet::from([dropped]);
        let count = |name: &String| self.acknowledged.iter().filter(|(stream, _)| stream == name).count() as u64;
        assert!(heads.iter().all(|(name, StreamHead { records, .. })| *records == count(name)));
    }

    fn records(&self) -> Result<Vec<Written>, JournalError> {
        let (base, records) = self.journal().read_all()?;
        let mut found = Vec::new();
        if let Some(base) = base {
            let states: States = base.streams.into_iter().map(|(name, stream)| (name, stream.state)).collect();
            assert!(states == self.states(base.through), "what was dropped is kept as it was given");
            found.extend_from_slice(&self.acknowledged[..base.through as usize]);
        }
        for record in records {
            let Record { sequence, stream, payload, .. } = record?;
            found.push((stream, payload));
            assert_eq!(sequence, found.len() as u64);
        }
        Ok(found)
    }
}

fn small() -> Options {
    Options { segment_bytes: SEGMENT_BYTES, ..Options::default() }
}

/// No two are alike, and some end with zeros.
fn payload(number: u64, size: usize) -> Vec<u8> {
    let mut bytes = format!("{number} ").repeat(size / 2 + 1).into_bytes();
    bytes.truncate(size);
    if number.is_multiple_of(5) {
        bytes.resize(size + 9, 0);
    }
    bytes
}
