//! What a start has not read, for a checkpoint stands for it, is read and checked after the start: once, by the thread that
//! packs, a segment at a time.
//!
//! Damage there stops nothing, for what runs does not depend on records that old. It is told, and who reads there meets it.

use std::sync::Arc;

use crate::OnDamage;
use crate::checkpoint::Checkpoint;
use crate::error::{Damage, JournalError};
use crate::heads::Heads;
use crate::packed::Full;
use crate::scan::Scan;
use crate::segment::{Folder, HEADER_BYTES, Named};

/// What is known of the records that opening has not read.
#[derive(Debug, Clone, Default)]
pub enum Past {
    /// So many segments are still to be read, of so many that were left to be read later.
    Unread { segments: usize, of: usize },
    /// Every record, every chain, and where the chains ended. Also where opening has read everything.
    #[default]
    Whole,
    /// The first that is damaged. What comes after it was not looked at.
    Damaged(JournalError),
    /// Why a segment could not be read. What comes after it was not looked at; the next start tries again.
    Unfinished(JournalError),
}

/// Reads what a checkpoint stands for, and compares.
pub(crate) struct LookBack {
    checkpoint: Arc<Checkpoint>,
    /// Those before the checkpoint, and the one after it.
    segments: Vec<Named>,
    read: usize,
    scan: Scan,
    pub on_damage: Option<OnDamage>,
}

impl LookBack {
    pub fn new(checkpoint: Arc<Checkpoint>, base: Heads, segments: &[Named], on_damage: Option<OnDamage>) -> Self {
        let segments = segments[..=checkpoint.segments.len()].to_vec();
        Self { checkpoint, segments, read: 0, scan: Scan::after(base), on_damage }
    }

    /// Takes one more segment; tells what has to be packed there.
    pub fn read_next(&mut self, folder: &Folder) -> Result<Option<Full>, JournalError> {
        let Some([segment, following]) = self.segments.get(self.read..self.read + 2) else {
            return Ok(None);
        };
        self.scan.take_full(folder, segment, following)?;
        self.read += 1;
        if self.left() == 0 {
            self.expect_the_same_heads()?;
        }
        Ok(self.scan.unpacked.pop())
    }

    pub fn past(&self) -> Past {
        match self.left() {
            0 => Past::Whole,
            segments => Past::Unread { segments, of: self.checkpoint.segments.len() },
        }
    }

    fn left(&self) -> usize {
        self.checkpoint.segments.len() - self.read
    }

    /// A stream that ends before the checkpoint has no later record that would notice another chain.
    fn expect_the_same_heads(&self) -> Result<(), Damage> {
        let (then, now) = (&self.checkpoint.at.streams, &self.scan.streams);
        let Some(stream) = then.keys().chain(now.keys()).find(|name| then.get(*name) != now.get(*name)) else {
            return Ok(());
        };
        let sequence = then.get(stream).or(now.get(stream)).map_or(0, |head| head.last);
        let holding = self.segments.partition_point(|segment| segment.first <= sequence).saturating_sub(1);
        Err(Damage {
            segment: self.segments[holding].path.clone(),
            offset: HEADER_BYTES,
            sequence,
            problem: format!("stream `{stream}` does not end with the record that the checkpoint knows"),
        })
    }
}
