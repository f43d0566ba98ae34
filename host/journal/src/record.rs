//! One record: its bytes on disk and its place in the hash chain of its stream.
//!
//! `length u32, crc32c u32, body`, all little-endian. The body is
//! `sequence u64, batch u64, following u32, previous [32], stream length u8, stream, payload`.
//! The checksum covers the length and the body.

use std::ops::Range;

use sha2::{Digest, Sha256};

pub type Hash = [u8; 32];

/// The longest name of a stream, in bytes: its length is stored in one.
pub const MAX_STREAM_BYTES: usize = 255;

const FRAME_BYTES: usize = 8;
const FIXED_BODY_BYTES: usize = 8 + 8 + 4 + 32 + 1;
pub(crate) const MIN_RECORD_BYTES: usize = FRAME_BYTES + FIXED_BODY_BYTES;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Global: counts every record of the journal from 1, without gaps.
    pub sequence: u64,
    pub stream: String,
    /// The hash of the stream's record before this one; zeros for its first.
    pub previous: Hash,
    pub payload: Vec<u8>,
}

/// A record as it lies in a buffer, with the batch it was written in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub sequence: u64,
    /// The first sequence of the write this record was part of. A batch is
    /// written only after the one before it was synced, so a record tells that
    /// everything before its batch was once whole on disk.
    pub batch: u64,
    /// How many records of the same append come after this one: without them it does not count.
    pub following: u32,
    pub previous: Hash,
    pub stream: &'a str,
    pub payload: &'a [u8],
}

/// Why the bytes at a place are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Bad {
    #[error("there is no record")]
    Empty,
    #[error("the record's length is impossible or the file ends within it")]
    Length,
    #[error("the record's checksum does not match its bytes")]
    Checksum,
    #[error("the record's checksum is right, but its stream is not a name")]
    Stream,
    #[error("there is a record with another sequence")]
    Sequence,
}

pub(crate) fn framed_bytes(stream: &str, payload: &[u8]) -> usize {
    MIN_RECORD_BYTES + stream.len() + payload.len()
}

impl Frame<'_> {
    pub fn encode(&self, into: &mut Vec<u8>) {
        let start = into.len();
        let length = framed_bytes(self.stream, self.payload) - FRAME_BYTES;
        into.extend((length as u32).to_le_bytes());
        into.extend([0; 4]);
        into.extend(self.sequence.to_le_bytes());
        into.extend(self.batch.to_le_bytes());
        into.extend(self.following.to_le_bytes());
        into.extend(self.previous);
        into.push(self.stream.len() as u8);
        into.extend(self.stream.as_bytes());
        into.extend(self.payload);
        let crc = checksum(&into[start..]);
        into[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
    }

    /// The link of the chain. Lengths stand before what varies, so no two records hash alike.
    pub fn hash(&self) -> Hash {
        let mut hash = Sha256::new();
        hash.update(self.sequence.to_le_bytes());
        hash.update(self.previous);
        hash.update([self.stream.len() as u8]);
        hash.update(self.stream.as_bytes());
        hash.update((self.payload.len() as u64).to_le_bytes());
        hash.update(self.payload);
        hash.finalize().into()
    }

    pub fn framed_bytes(&self) -> usize {
        framed_bytes(self.stream, self.payload)
    }

    pub fn to_record(self) -> Record {
        Record {
            sequence: self.sequence,
            stream: self.stream.to_owned(),
            previous: self.previous,
            payload: self.payload.to_vec(),
        }
    }
}

/// Reads the record that begins with `bytes`, whatever its sequence is.
pub(crate) fn decode(bytes: &[u8]) -> Result<Frame<'_>, Bad> {
    let record = framed(bytes)?;
    let stored = u32::from_le_bytes(array(record, 4..8));
    if checksum(record) != stored {
        return Err(Bad::Checksum);
    }
    let (sequence, batch) = place(record);
    let stream_end = MIN_RECORD_BYTES + usize::from(record[MIN_RECORD_BYTES - 1]);
    let stream = record.get(MIN_RECORD_BYTES..stream_end).ok_or(Bad::Stream)?;
    Ok(Frame {
        sequence,
        batch,
        following: u32::from_le_bytes(array(record, 24..28)),
        previous: array(record, 28..60),
        stream: std::str::from_utf8(stream).map_err(|_| Bad::Stream)?,
        payload: &record[stream_end..],
    })
}

/// The record that begins with `bytes`, if it is the one that is expected here.
pub(crate) fn decode_expected(bytes: &[u8], sequence: u64) -> Result<Frame<'_>, Bad> {
    let frame = decode(bytes)?;
    if frame.sequence == sequence { Ok(frame) } else { Err(Bad::Sequence) }
}

/// Sequence and batch, unchecked: for a search that must be fast where there is nothing.
pub(crate) fn glimpse(bytes: &[u8]) -> Option<(u64, u64)> {
    framed(bytes).ok().map(place)
}

fn framed(bytes: &[u8]) -> Result<&[u8], Bad> {
    if bytes.len() < FRAME_BYTES {
        return Err(if bytes.iter().all(|b| *b == 0) { Bad::Empty } else { Bad::Length });
    }
    let length = u32::from_le_bytes(array(bytes, 0..4)) as usize;
    if length == 0 {
        return Err(Bad::Empty);
    }
    if length < FIXED_BODY_BYTES {
        return Err(Bad::Length);
    }
    bytes.get(..FRAME_BYTES + length).ok_or(Bad::Length)
}

fn place(record: &[u8]) -> (u64, u64) {
    (u64::from_le_bytes(array(record, 8..16)), u64::from_le_bytes(array(record, 16..24)))
}

fn checksum(record: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&record[..4]), &record[FRAME_BYTES..])
}

fn array<const N: usize>(bytes: &[u8], range: Range<usize>) -> [u8; N] {
    bytes[range].try_into().expect("the range has N bytes")
}
