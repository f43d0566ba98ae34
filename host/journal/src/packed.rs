//! Segments that are no longer written to are packed, one at a time, by a thread that steps back for every other. It also
//! writes the checkpoints, and reads what a start has left to it (`past`).
//!
//! What can go wrong here never stops the journal: the segment stays as it is, `Stats` counts it, and the next start
//! tries again. A segment is replaced only after its records were read, checked, packed, and unpacked to the same bytes.
//!
//! LZ4, and not one of those that pack tighter: after each start everything is read back, and a host has other things to do.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::committer::Shared;
use crate::error::{Damage, JournalError};
use crate::past::{LookBack, Past};
use crate::prompt::step_back;
use crate::record;
use crate::segment::{self, Folder, HEADER_BYTES, Named};

/// LZ4 cannot say more than this many bytes with one: what claims to is not given the memory.
const MOST_UNPACKED_OF_ONE: usize = 255;

/// A segment that is full, and the first sequence of the one after it.
pub(crate) struct Full {
    pub segment: Named,
    pub next: u64,
}

pub(crate) struct Packer {
    folder: Folder,
    shared: Arc<Shared>,
    full: Receiver<Full>,
    look_back: Option<LookBack>,
}

impl Packer {
    pub fn new(folder: Folder, shared: Arc<Shared>, look_back: Option<LookBack>) -> (Sender<Full>, Self) {
        let (tell, full) = channel();
        shared.know_of_past(look_back.as_ref().map_or(Past::Whole, LookBack::past));
        (tell, Self { folder, shared, full, look_back })
    }

    /// Ends with the committer, which is the one that tells what is full. A journal that is to end does not wait for more
    /// than the segment that is at work.
    pub fn run(mut self) {
        step_back();
        loop {
            let packed = self.pack_next();
            let written = self.write_checkpoint();
            if packed || written || self.look_back() {
                continue;
            }
            match self.full.recv() {
                Ok(full) => self.pack(&full),
                Err(_) => return,
            }
        }
    }

    /// Whether there was a segment to pack.
    pub fn pack_next(&mut self) -> bool {
        self.full.try_recv().map(|full| self.pack(&full)).is_ok()
    }

    fn pack(&self, full: &Full) {
        if !self.shared.is_open() {
            return;
        }
        let is_there = || full.segment.first >= self.shared.first();
        let packed = pack(&self.folder, full).and_then(|(packed, length)| {
            // It is not dropped meanwhile: it would come back.
            let _stays = self.shared.reading();
            if is_there() { segment::replace(&self.folder, &full.segment, &packed, length) } else { Ok(()) }
        });
        if is_there() {
            self.shared.packed(packed);
        }
    }

    /// Whether there was one to write. It stands for segments that are not packed yet, too.
    pub fn write_checkpoint(&mut self) -> bool {
        let checkpoint = self.shared.take_checkpoint().filter(|_| self.shared.is_open());
        checkpoint.map(|checkpoint| self.shared.checkpointed(checkpoint.write(&self.folder))).is_some()
    }

    /// Reads a segment that the start did not; whether there was one. What an earlier run has not packed there is packed.
    pub fn look_back(&mut self) -> bool {
        let Some(mut look_back) = self.look_back.take().filter(|_| self.shared.is_open()) else {
            return false;
        };
        match look_back.read_next(&self.folder) {
            Ok(unpacked) => {
                unpacked.iter().for_each(|full| self.pack(full));
                let past = look_back.past();
                self.look_back = matches!(past, Past::Unread { .. }).then_some(look_back);
                self.shared.know_of_past(past);
            }
            Err(error) => {
                self.shared.know_of_past(match &error {
                    JournalError::Io { .. } => Past::Unfinished(error.clone()),
                    damage => Past::Damaged(damage.clone()),
                });
                if let Some(on_damage) = look_back.on_damage {
                    on_damage(&error);
                }
            }
        }
        true
    }
}

/// What takes its place, and how long that is when it is unpacked.
fn pack(folder: &Folder, full: &Full) -> Result<(Vec<u8>, u32), JournalError> {
    let loaded = segment::load(folder, &full.segment)?;
    let records = records(full, &loaded.bytes)?;
    let packed = lz4_flex::block::compress(records);
    match u32::try_from(records.len()) {
        Ok(length) if unpack(&[], &packed, length).is_ok_and(|unpacked| unpacked == records) => Ok((packed, length)),
        Ok(_) | Err(_) => {
            Err(damage(full, HEADER_BYTES as usize, full.segment.first, "its records cannot be packed").into())
        }
    }
}

/// Every record of the segment, without the zeros after them.
fn records<'a>(full: &Full, bytes: &'a [u8]) -> Result<&'a [u8], Damage> {
    let mut at = HEADER_BYTES as usize;
    for sequence in full.segment.first..full.next {
        let frame = record::decode_expected(&bytes[at..], sequence);
        at += frame.map_err(|bad| damage(full, at, sequence, &bad.to_string()))?.framed_bytes();
    }
    Ok(&bytes[HEADER_BYTES as usize..at])
}

fn damage(full: &Full, at: usize, sequence: u64, problem: &str) -> Damage {
    Damage { segment: full.segment.path.clone(), offset: at as u64, sequence, problem: problem.to_owned() }
}

/// The bytes that were packed, behind the header, if they are as many as that; else what is wrong with them.
pub(crate) fn unpack(header: &[u8], packed: &[u8], length: u32) -> Result<Vec<u8>, &'static str> {
    let length = length as usize;
    if length > packed.len().saturating_mul(MOST_UNPACKED_OF_ONE) {
        return Err("the header claims more than so few packed bytes can hold");
    }
    let mut bytes = header.to_vec();
    bytes.resize(header.len() + length, 0);
    match lz4_flex::block::decompress_into(packed, &mut bytes[header.len()..]) {
        Ok(unpacked) if unpacked == length => Ok(bytes),
        Ok(_) | Err(_) => Err("the packed records are not as long as the header says"),
    }
}
