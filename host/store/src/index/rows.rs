//! What stands in the rows of the index.
//!
//! A key begins with a kind, then says what it is about; names with their length before them, so that no stream or
//! table is the prefix of another. The kinds that a start reads come first, so that it reads them in one go.

use std::collections::BTreeMap;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::packed;

pub const FORMAT_KEY: &[u8] = &[0];
pub const TALLIES_KEY: &[u8] = &[6];
pub const MARK: u8 = 1;
pub const SNAPSHOT: u8 = 2;
const NEEDED_ENTRY: u8 = 3;
const ENTRY: u8 = 4;
const CHUNK: u8 = 5;

/// What a start relies on, and what only lists and history do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Start,
    Rest,
}

impl Part {
    /// Chunks are in neither: the row they belong to has their digest.
    pub fn of(key: &[u8]) -> Option<Self> {
        [Self::Start, Self::Rest].into_iter().find(|part| part.keys().contains(&key))
    }

    pub fn keys(self) -> Range<&'static [u8]> {
        match self {
            Self::Start => &[MARK]..&[ENTRY],
            Self::Rest => &[ENTRY]..&[CHUNK],
        }
    }
}

pub fn stream_key(kind: u8, stream: &str) -> Vec<u8> {
    let mut key = vec![kind, stream.len() as u8];
    key.extend(stream.as_bytes());
    key
}

/// Which tables a start relies on.
#[derive(Debug, Clone, Copy)]
pub struct NeededAtStart(pub &'static [&'static str]);

impl NeededAtStart {
    pub fn table_prefix(self, stream: &str, table: &str) -> Vec<u8> {
        let kind = if self.0.contains(&table) { NEEDED_ENTRY } else { ENTRY };
        let mut key = stream_key(kind, stream);
        key.push(table.len() as u8);
        key.extend(table.as_bytes());
        key
    }

    pub fn encode(self) -> Vec<u8> {
        self.0.iter().flat_map(|table| [&[table.len() as u8], table.as_bytes()].concat()).collect()
    }
}

fn chunk_key(owner: &[u8], number: usize) -> Vec<u8> {
    let mut key = vec![CHUNK];
    key.extend((owner.len() as u32).to_be_bytes());
    key.extend(owner);
    key.extend((number as u32).to_be_bytes());
    key
}

/// What the index knows of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub through: u64,
    /// Zero without a snapshot.
    pub snapshot_through: u64,
}

impl Mark {
    pub fn encode(self) -> Vec<u8> {
        [self.through.to_le_bytes(), self.snapshot_through.to_le_bytes()].concat()
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (through, rest) = bytes.split_first_chunk()?;
        let snapshot_through = rest.try_into().ok()?;
        Some(Self { through: u64::from_le_bytes(*through), snapshot_through: u64::from_le_bytes(snapshot_through) })
    }
}

/// A row to put, or to remove.
pub type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

const MAX_INLINE_BYTES: usize = 4096;
const INLINE: u8 = 0;
const CHUNKED: u8 = 1;

/// A packed value: whole, or the length and digest of what lies in chunks.
pub enum Value<'a> {
    Inline(&'a [u8]),
    Chunked(Chunked),
}

pub struct Chunked {
    bytes: usize,
    digest: [u8; 32],
}

impl<'a> Value<'a> {
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&INLINE, packed) => Some(Self::Inline(packed)),
            (&CHUNKED, rest) => {
                let (bytes, digest) = rest.split_first_chunk()?;
                let bytes = u64::from_le_bytes(*bytes) as usize;
                Some(Self::Chunked(Chunked { bytes, digest: digest.try_into().ok()? }))
            }
            (_, _) => None,
        }
    }
}

impl Chunked {
    pub fn keys(&self, owner: &[u8]) -> impl Iterator<Item = Vec<u8>> {
        (0..self.bytes.div_ceil(MAX_INLINE_BYTES)).map(move |number| chunk_key(owner, number))
    }

    pub fn is(&self, packed: &[u8]) -> bool {
        sha256(packed) == self.digest
    }
}

/// The row of a value, and its chunks where it is long.
pub fn put(key: Vec<u8>, value: &[u8], writes: &mut Writes) {
    let packed = packed::pack(value);
    if packed.len() <= MAX_INLINE_BYTES {
        writes.insert(key, Some([&[INLINE], packed.as_slice()].concat()));
        return;
    }
    for (number, chunk) in packed.chunks(MAX_INLINE_BYTES).enumerate() {
        writes.insert(chunk_key(&key, number), Some(chunk.to_vec()));
    }
    let stored = [&[CHUNKED], (packed.len() as u64).to_le_bytes().as_slice(), &sha256(&packed)].concat();
    writes.insert(key, Some(stored));
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
