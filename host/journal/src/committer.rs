//! The one thread that writes: takes all that waits, writes it once, syncs once,
//! then tells every waiter. There is no timer, the disk itself sets the pace.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::checkpoint::Checkpoint;
use crate::error::JournalError;
use crate::heads::Heads;
use crate::mark::Mark;
use crate::packed::Full;
use crate::past::Past;
use crate::prompt;
use crate::record::{Frame, Hash};
use crate::scan::StreamHead;
use crate::segment::{self, Active, Folder, HEADER_BYTES, Prepared};
use crate::{OnFatal, Options, framed_bytes};

/// The sequences an append was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    pub first: u64,
    pub last: u64,
}

/// Counted since the journal was opened. Each batch is one write and one sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    pub batches: u64,
    pub records: u64,
    pub segments_packed: u64,
    /// Segments that stay as they are until the next start; `Journal::packing_failure` says why.
    pub segments_not_packed: u64,
    /// Each spares the next start what lies before it.
    pub checkpoints: u64,
}

pub(crate) type Done = Box<dyn FnOnce(Result<Committed, JournalError>) + Send>;

pub(crate) struct Append {
    stream: String,
    payloads: Vec<Vec<u8>>,
    bytes: usize,
    done: Done,
}

impl Append {
    pub fn new(stream: &str, payloads: Vec<Vec<u8>>, done: Done) -> Self {
        Self { stream: stream.to_owned(), bytes: framed_bytes(stream, &payloads), payloads, done }
    }
}

/// What the callers and the committer have in common.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    max_queue_bytes: usize,
    streams: Mutex<BTreeMap<String, StreamHead>>,
    last: AtomicU64,
    mark: Mark,
    batches: AtomicU64,
    records: AtomicU64,
    packing: Mutex<Packing>,
    /// The first sequence that was not dropped.
    first: AtomicU64,
    reading: Mutex<Arc<()>>,
}

/// What the packing thread has done and found, and what there is to be written down.
#[derive(Default)]
struct Packing {
    packed: u64,
    not_packed: u64,
    checkpoints: u64,
    failure: Option<JournalError>,
    past: Past,
    /// Only the newest: of many streams each is large.
    checkpoint: Option<Checkpoint>,
}

struct Queue {
    waiting: VecDeque<Append>,
    bytes: usize,
    state: State,
}

enum State {
    Open,
    Closing,
    Stopped(JournalError),
}

impl Shared {
    pub fn new(
        max_queue_bytes: usize,
        first: u64,
        streams: BTreeMap<String, StreamHead>,
        last: u64,
        mark: Mark,
    ) -> Self {
        Self {
            queue: Mutex::new(Queue { waiting: VecDeque::new(), bytes: 0, state: State::Open }),
            changed: Condvar::new(),
            max_queue_bytes,
            streams: Mutex::new(streams),
            last: AtomicU64::new(last),
            mark,
            batches: AtomicU64::new(0),
            records: AtomicU64::new(0),
            packing: Mutex::default(),
            first: AtomicU64::new(first),
            reading: Mutex::default(),
        }
    }

    pub fn first(&self) -> u64 {
        self.first.load(Ordering::Acquire)
    }

    pub fn begins_with(&self, first: u64) {
        self.first.fetch_max(first, Ordering::AcqRel);
    }

    /// The next start removes it.
    pub fn not_removed(&self, failure: JournalError) {
        lock(&self.packing).failure = Some(failure);
    }

    /// Held by whoever changes which segments there are, and who wants to know; copied by who reads them.
    pub fn reading(&self) -> MutexGuard<'_, Arc<()>> {
        lock(&self.reading)
    }

    pub fn push(&self, append: Append) {
        let refused = {
            let mut queue = lock(&self.queue);
            match self.refusal(&queue, &append) {
                Some(refusal) => Some((append, refusal)),
                None => {
                    queue.bytes += append.bytes;
                    queue.waiting.push_back(append);
                    None
                }
            }
        };
        match refused {
            Some((append, refusal)) => (append.done)(Err(refusal)),
            None => self.changed.notify_one(),
        }
    }

    fn refusal(&self, queue: &Queue, append: &Append) -> Option<JournalError> {
        if let State::Stopped(error) = &queue.state {
            return Some(error.clone());
        }
        let limit = self.max_queue_bytes;
        if append.bytes > limit {
            return Some(JournalError::AppendTooLarge { stream: append.stream.clone(), bytes: append.bytes, limit });
        }
        (queue.bytes + append.bytes > limit).then_some(JournalError::QueueFull { waiting_bytes: queue.bytes, limit })
    }

    /// All that waits, as soon as something does; `None` when closed and empty.
    pub fn take(&self) -> Option<VecDeque<Append>> {
        let idle = |queue: &mut Queue| queue.waiting.is_empty() && matches!(queue.state, State::Open);
        let mut queue = self.changed.wait_while(lock(&self.queue), idle).unwrap_or_else(PoisonError::into_inner);
        queue.bytes = 0;
        let waiting = std::mem::take(&mut queue.waiting);
        (!waiting.is_empty()).then_some(waiting)
    }

    pub fn close(&self) {
        let mut queue = lock(&self.queue);
        if matches!(queue.state, State::Open) {
            queue.state = State::Closing;
        }
        self.changed.notify_one();
    }

    pub fn is_open(&self) -> bool {
        matches!(lock(&self.queue).state, State::Open)
    }

    /// Refuses everything from now on; hands back what was still waiting.
    fn stop(&self, error: &JournalError) -> VecDeque<Append> {
        let mut queue = lock(&self.queue);
        queue.state = State::Stopped(error.clone());
        std::mem::take(&mut queue.waiting)
    }

    fn committed(&self, heads: BTreeMap<String, StreamHead>, records: u64) {
        let before = {
            // Together: whoever has seen a head can read up to it.
            let mut streams = self.streams();
            streams.extend(heads);
            self.last.fetch_add(records, Ordering::Release)
        };
        self.mark.set(before + records);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(records, Ordering::Relaxed);
    }

    pub fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    pub fn streams(&self) -> MutexGuard<'_, BTreeMap<String, StreamHead>> {
        lock(&self.streams)
    }

    pub fn packed(&self, result: Result<(), JournalError>) {
        let mut packing = lock(&self.packing);
        match result {
            Ok(()) => packing.packed += 1,
            Err(failure) => {
                packing.not_packed += 1;
                packing.failure = Some(failure);
            }
        }
    }

    /// What the journal had at the end of the segment that became full last.
    pub fn to_checkpoint(&self, checkpoint: Checkpoint) {
        lock(&self.packing).checkpoint = Some(checkpoint);
    }

    pub fn take_checkpoint(&self) -> Option<Checkpoint> {
        lock(&self.packing).checkpoint.take()
    }

    pub fn checkpointed(&self, result: Result<(), JournalError>) {
        let mut packing = lock(&self.packing);
        match result {
            Ok(()) => packing.checkpoints += 1,
            Err(failure) => packing.failure = Some(failure),
        }
    }

    pub fn know_of_past(&self, past: Past) {
        lock(&self.packing).past = past;
    }

    pub fn past(&self) -> Past {
        lock(&self.packing).past.clone()
    }

    pub fn packing_failure(&self) -> Option<JournalError> {
        lock(&self.packing).failure.clone()
    }

    pub fn stats(&self) -> Stats {
        let packing = lock(&self.packing);
        Stats {
            batches: self.batches.load(Ordering::Relaxed),
            records: self.records.load(Ordering::Relaxed),
            segments_packed: packing.packed,
            segments_not_packed: packing.not_packed,
            checkpoints: packing.checkpoints,
        }
    }
}

/// A poisoned lock is taken all the same: no code between lock and unlock leaves
/// the data half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the journal goes on.
pub(crate) struct Place {
    pub active: Active,
    /// The first sequences of the segments before that one.
    pub earlier: Vec<u64>,
}

pub(crate) struct Committer {
    folder: Folder,
    segment_bytes: u64,
    on_fatal: Option<OnFatal>,
    shared: Arc<Shared>,
    active: Active,
    earlier: Vec<u64>,
    full: Sender<Full>,
    spare: Option<JoinHandle<Result<Prepared, JournalError>>>,
    buffer: Vec<u8>,
}

impl Committer {
    pub fn new(folder: Folder, options: Options, shared: Arc<Shared>, place: Place, full: Sender<Full>) -> Self {
        Self {
            folder,
            segment_bytes: options.segment_bytes,
            on_fatal: options.on_fatal,
            shared,
            active: place.active,
            earlier: place.earlier,
            full,
            spare: None,
            buffer: Vec::new(),
        }
    }

    pub fn run(mut self) {
        prompt::in_short_turns();
        while let Some(waiting) = self.shared.take() {
            if !self.turn(waiting) {
                break;
            }
        }
        // Else it could still write zeros to a file that the next journal here gives a name.
        if let Some(spare) = self.spare.take() {
            let _ = spare.join();
        }
    }

    /// False when it stopped for good.
    pub fn turn(&mut self, mut waiting: VecDeque<Append>) -> bool {
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| self.commit_all(&mut waiting)));
        let error = match outcome {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.stopped(),
            Err(_) => JournalError::Stopped { cause: "its thread or a waiter's callback panicked".to_owned() },
        };
        self.stop(&error, waiting);
        false
    }

    fn stop(&mut self, error: &JournalError, mut waiting: VecDeque<Append>) {
        waiting.extend(self.shared.stop(error));
        for append in waiting {
            (append.done)(Err(error.clone()));
        }
        if let Some(on_fatal) = self.on_fatal.take() {
            on_fatal(error);
        }
    }

    /// An error is for everyone still in `waiting`, and final.
    fn commit_all(&mut self, waiting: &mut VecDeque<Append>) -> Result<(), JournalError> {
        while let Some(bytes) = waiting.front().map(|append| append.bytes as u64) {
            if bytes > self.active.room() {
                match self.prepared(bytes) {
                    Ok(prepared) => self.go_on_in(prepared)?,
                    Err(refusal) => {
                        refuse_first(waiting, refusal);
                        continue;
                    }
                }
            }
            let count = fitting(waiting, self.active.room());
            let committed = self.write(waiting.iter().take(count))?;
            answer(waiting, committed);
        }
        self.prepare_ahead();
        Ok(())
    }

    fn go_on_in(&mut self, prepared: Prepared) -> Result<(), JournalError> {
        let next = self.shared.last() + 1;
        let active = segment::name(&self.folder, prepared, next)?;
        let before = std::mem::replace(&mut self.active, active).segment;
        // An empty one has lost its name to the new one, which begins with the same sequence.
        if before.first < next {
            self.earlier.push(before.first);
            let at = Heads { through: next - 1, streams: self.shared.streams().clone() };
            self.shared.to_checkpoint(Checkpoint { segments: self.earlier.clone(), at });
            // A packer that is gone leaves it as it is.
            let _ = self.full.send(Full { segment: before, next });
        }
        Ok(())
    }

    /// A file with room for an append. Failing here is not fatal: nothing was
    /// written yet, and a full disk may have room again for the next append.
    fn prepared(&mut self, append_bytes: u64) -> Result<Prepared, JournalError> {
        let bytes = append_bytes + HEADER_BYTES;
        if bytes > self.segment_bytes {
            return segment::prepare(&self.folder, bytes);
        }
        let ahead = self.spare.take().and_then(|spare| spare.join().ok()).and_then(Result::ok);
        ahead.map_or_else(|| segment::prepare(&self.folder, self.segment_bytes), Ok)
    }

    /// Reserving a segment takes as long as hundreds of syncs, so it is done
    /// beside the writing once half of this one is used.
    fn prepare_ahead(&mut self) {
        if self.spare.is_some() || self.active.end < self.active.bytes / 2 {
            return;
        }
        let (folder, bytes) = (self.folder.clone(), self.segment_bytes);
        let prepare = move || segment::prepare(&folder, bytes);
        self.spare = thread::Builder::new().name("journal-prepare".to_owned()).spawn(prepare).ok();
    }

    /// A simulation goes on when nothing else is at work, so that a seed always leads to the same steps.
    #[cfg(test)]
    pub fn wait_for_spare(&mut self) {
        let spare = self.spare.take().map(JoinHandle::join);
        self.spare = spare.map(|prepared| thread::spawn(move || prepared.unwrap()));
    }

    /// One batch: one write and one sync.
    fn write<'a>(&mut self, appends: impl Iterator<Item = &'a Append>) -> Result<Vec<Committed>, JournalError> {
        let batch = self.shared.last() + 1;
        let mut next = batch;
        let mut heads = BTreeMap::new();
        let mut committed = Vec::new();
        self.buffer.clear();
        for append in appends {
            let first = next;
            next += append.payloads.len() as u64;
            committed.push(Committed { first, last: next - 1 });
            let mut head = heads.remove(&append.stream).or_else(|| self.shared.streams().get(&append.stream).cloned());
            for (sequence, payload) in (first..next).zip(&append.payloads) {
                let previous = head.as_ref().map_or(Hash::default(), |head: &StreamHead| head.hash);
                let frame = Frame {
                    sequence,
                    batch,
                    following: (next - 1 - sequence) as u32,
                    previous,
                    stream: &append.stream,
                    payload,
                };
                frame.encode(&mut self.buffer);
                head = Some(StreamHead::after(head.as_ref(), &frame));
            }
            heads.extend(head.map(|head| (append.stream.clone(), head)));
        }
        self.write_durably()?;
        self.shared.committed(heads, next - batch);
        Ok(committed)
    }

    fn write_durably(&mut self) -> Result<(), JournalError> {
        let Active { file, segment, end, .. } = &mut self.active;
        file.write(&self.buffer, *end).map_err(JournalError::io("write to the journal segment", &segment.path))?;
        file.sync().map_err(JournalError::io("sync the journal segment", &segment.path))?;
        *end += self.buffer.len() as u64;
        // One huge append must not keep its memory for good.
        self.buffer.shrink_to(1 << 20);
        Ok(())
    }
}

/// How many of the first appends fit into `room`; the first one does.
fn fitting(waiting: &VecDeque<Append>, room: u64) -> usize {
    let mut used = 0;
    waiting
        .iter()
        .take_while(|append| {
            used += append.bytes as u64;
            used <= room
        })
        .count()
}

/// Takes out one by one: should a callback panic, the others still get an answer.
fn answer(waiting: &mut VecDeque<Append>, committed: Vec<Committed>) {
    for committed in committed {
        if let Some(append) = waiting.pop_front() {
            (append.done)(Ok(committed));
        }
    }
}

fn refuse_first(waiting: &mut VecDeque<Append>, refusal: JournalError) {
    if let Some(append) = waiting.pop_front() {
        (append.done)(Err(refusal));
    }
}
