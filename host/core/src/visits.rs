//! Counts the entries that were looked at, in debug builds: what a turn costs must not grow with what waits, and a test
//! asks here.

use std::cell::Cell;

thread_local! {
    static ENTRIES: Cell<u64> = const { Cell::new(0) };
}

pub(crate) fn count(entries: u64) {
    if cfg!(debug_assertions) {
        ENTRIES.with(|so_far| so_far.set(so_far.get() + entries));
    }
}

/// By this thread, since it began.
pub fn entries() -> u64 {
    ENTRIES.with(Cell::get)
}
