//! The tallies: how many rows there are, and the sum of their hashes. sled may open a damaged file, leave out what it
//! cannot read and call the rest whole; a tally tells.

use sha2::{Digest as _, Sha256};

use super::rows::Part;

/// Sums do not ask for an order: rows may be counted in any, and what changes meanwhile is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub rows: u64,
    sum: u64,
}

impl Tally {
    pub fn of(key: &[u8], stored: &[u8]) -> Self {
        Self { rows: 1, sum: row_hash(key, stored) }
    }

    pub fn add(&mut self, other: Self) {
        self.rows = self.rows.wrapping_add(other.rows);
        self.sum = self.sum.wrapping_add(other.sum);
    }

    /// What a row that is written adds to the tally it belongs to, less what stood there before.
    pub fn of_change(key: &[u8], before: Option<&[u8]>, after: Option<&[u8]>) -> Self {
        let of = |stored: Option<&[u8]>| stored.map_or(Self::default(), |stored| Self::of(key, stored));
        let (before, mut change) = (of(before), of(after));
        change.add(Self { rows: before.rows.wrapping_neg(), sum: before.sum.wrapping_neg() });
        change
    }
}

/// Of each part of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tallies {
    pub start: Tally,
    pub rest: Tally,
}

impl Tallies {
    pub fn of(&mut self, part: Part) -> &mut Tally {
        match part {
            Part::Start => &mut self.start,
            Part::Rest => &mut self.rest,
        }
    }

    pub fn encode(self) -> Vec<u8> {
        let numbers = [self.start.rows, self.start.sum, self.rest.rows, self.rest.sum];
        numbers.map(u64::to_le_bytes).concat()
    }

    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (numbers, []) = bytes.as_chunks() else { return None };
        let [start_rows, start_sum, rest_rows, rest_sum] = numbers.try_into().ok()?;
        let tally = |rows, sum| Tally { rows: u64::from_le_bytes(rows), sum: u64::from_le_bytes(sum) };
        Some(Self { start: tally(start_rows, start_sum), rest: tally(rest_rows, rest_sum) })
    }
}

fn row_hash(key: &[u8], stored: &[u8]) -> u64 {
    let mut hash = Sha256::new();
    hash.update((key.len() as u64).to_le_bytes());
    hash.update(key);
    hash.update(stored);
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().map_or(0, |start| u64::from_le_bytes(*start))
}
