//! The check of what a start does not read, behind everybody's back, a small portion at a time.
//!
//! What it has counted is always the tally of the rows up to its cursor: a batch is written while the check stands still, and
//! what it changes among those rows changes the count, too. So at the end that is the tally of all rows as they are then,
//! whatever was written meanwhile, and any difference from the tally that was written is damage.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lockgate_journal::step_back;
use tokio::sync::Mutex as FairMutex;

use super::rows::Part;
use super::tally::Tally;
use super::tree::Sled;
use crate::StoreError;

/// Whoever writes waits for a portion, and for one of 32 rows up to 3 ms where all cores are busy. Of 8 it is not felt, and the
/// check takes no longer. Whoever reads waits for none.
const ROWS: usize = 8;
/// A portion ends early where values are long.
const BYTES: usize = 16 << 10;

/// What is known of the rows that a start does not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexCheck {
    Running,
    Whole,
    /// Lists and history may lack something until the next start, which builds the index again.
    Broken(String),
    /// Why nobody knows.
    Unfinished(String),
}

#[derive(Clone)]
pub struct Check {
    sled: Sled,
    state: Arc<Mutex<IndexCheck>>,
    /// Held for a portion, and while a batch is written. It lets in whoever waited longest: by one that does not, the check,
    /// which comes back at once, kept a batch out for 300 ms.
    counted: Arc<FairMutex<Counted>>,
}

#[derive(Default)]
struct Counted {
    tally: Tally,
    /// The last row in it.
    cursor: Vec<u8>,
}

impl Check {
    pub fn new(sled: Sled) -> Self {
        Self { sled, state: Arc::new(Mutex::new(IndexCheck::Running)), counted: Arc::default() }
    }

    /// Also says what somebody else has found broken.
    pub fn state(&self) -> IndexCheck {
        match self.sled.what_is_broken() {
            Some(problem) => IndexCheck::Broken(problem.to_owned()),
            None => self.own_state().clone(),
        }
    }

    pub fn run(self) {
        step_back();
        while self.portion().is_continue() {}
    }

    pub fn portion(&self) -> ControlFlow<()> {
        let mut counted = self.counted.blocking_lock();
        if *self.own_state() != IndexCheck::Running {
            return ControlFlow::Break(());
        }
        match self.count(&mut counted) {
            Ok(ControlFlow::Continue(())) => return ControlFlow::Continue(()),
            Ok(ControlFlow::Break(())) => self.end(IndexCheck::Whole),
            Err(error) => self.end(self.failed(&error)),
        }
        ControlFlow::Break(())
    }

    fn count(&self, counted: &mut Counted) -> Result<ControlFlow<()>, StoreError> {
        let mut bytes = 0;
        let view = self.sled.view();
        let mut rows = view.rows(Part::Rest, &counted.cursor)?;
        for _ in 0..ROWS {
            let Some(row) = rows.next() else {
                self.sled.compare(view.tallies()?.rest, counted.tally)?;
                return Ok(ControlFlow::Break(()));
            };
            let (key, stored) = row?;
            bytes += view.resolve(&key, &stored)?.len();
            counted.tally.add(Tally::of(&key, &stored));
            counted.cursor = key.to_vec();
            if bytes >= BYTES {
                break;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn failed(&self, error: &StoreError) -> IndexCheck {
        let Some(problem) = self.sled.what_is_broken() else {
            tracing::warn!(%error, "the index could not be checked to its end; the next start tries again");
            return IndexCheck::Unfinished(error.to_string());
        };
        tracing::error!(
            "the index is damaged ({problem}): until the next start, lists and history may lack something. Nothing is lost: the \
             journal has all of it, and the next start builds the index again"
        );
        IndexCheck::Broken(problem.to_owned())
    }

    /// Writes with the check standing still: `changes` are what each row of its part adds to the tally.
    pub fn while_it_stands<T>(
        &self,
        changes: &[(Vec<u8>, Tally)],
        write: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Counted { tally, cursor } = &mut *self.counted.blocking_lock();
        // Of what failed nobody knows how much is there, also where all was whole before.
        let written = write().inspect_err(|error| self.stands_still(error))?;
        let are_counted = changes.iter().filter(|(key, _)| key <= cursor);
        are_counted.for_each(|(_, change)| tally.add(*change));
        Ok(written)
    }

    /// Whatever was found before: the index takes no more, or not all.
    pub fn stands_still(&self, error: &StoreError) {
        *self.own_state() = IndexCheck::Unfinished(error.to_string());
    }

    /// From the first row, for whoever has what stood still at work again.
    pub fn begin_again(&self) {
        *self.counted.blocking_lock() = Counted::default();
        *self.own_state() = IndexCheck::Running;
    }

    /// It ends with the portion that is at work.
    pub fn close(&self) {
        self.end(IndexCheck::Unfinished("the index was closed".to_owned()));
    }

    fn end(&self, end: IndexCheck) {
        let mut state = self.own_state();
        if *state == IndexCheck::Running {
            *state = end;
        }
    }

    fn own_state(&self) -> MutexGuard<'_, IndexCheck> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
