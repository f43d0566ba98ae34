//! The chains as they were at the end of a segment, and how they are written down: in a checkpoint, and in a base.

use std::collections::BTreeMap;

use crate::scan::StreamHead;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Heads {
    /// The last sequence before the next segment; zero: the first one is to come.
    pub through: u64,
    pub streams: BTreeMap<String, StreamHead>,
}

/// `length u8, name, records u64, first u64, last u64, hash [32]`
pub(crate) fn put(bytes: &mut Vec<u8>, name: &str, head: &StreamHead) {
    bytes.push(name.len() as u8);
    bytes.extend(name.as_bytes());
    bytes.extend([head.records, head.first, head.last].into_iter().flat_map(u64::to_le_bytes));
    bytes.extend(head.hash);
}

pub(crate) fn take(rest: &mut &[u8]) -> Option<(String, StreamHead)> {
    let [length] = array(rest)?;
    let name = rest.split_off(..usize::from(length))?;
    let [records, first, last] = [number(rest)?, number(rest)?, number(rest)?];
    let hash = array(rest)?;
    Some((std::str::from_utf8(name).ok()?.to_owned(), StreamHead { records, first, last, hash }))
}

pub(crate) fn number(rest: &mut &[u8]) -> Option<u64> {
    array(rest).map(u64::from_le_bytes)
}

fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

/// The bytes before the checksum at their end, if it is theirs.
pub(crate) fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (bytes, crc) = bytes.split_last_chunk::<4>()?;
    (crc32c::crc32c(bytes).to_le_bytes() == *crc).then_some(bytes)
}
