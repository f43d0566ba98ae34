//! How far back a start reads the journal. It begins at the oldest event that no snapshot has, and in a project to which nothing
//! happens any more no event brings the next snapshot. So whoever writes tells the others when theirs are too old.

use lockgate_store::Places;
use tokio::sync::watch;

/// A start reads at most about this many events, whatever lies before them.
const MOST_EVENTS: u64 = 65_536;

/// All that were told take theirs at the same time: each is work for a processor, and as large in memory as a state.
const SNAPSHOTS_AT_A_TIME: usize = 4;

/// What was written up to here belongs into a snapshot.
#[derive(Clone)]
pub struct Horizon {
    at: watch::Sender<u64>,
    snapshots: Places,
}

impl Horizon {
    pub fn new(last: u64) -> Self {
        let at = watch::Sender::new(last.saturating_sub(MOST_EVENTS / 2));
        Self { at, snapshots: Places::new("snapshots", SNAPSHOTS_AT_A_TIME).expect("threads come later") }
    }

    /// To be told of every event would cost more than the snapshots.
    pub fn reached(&self, sequence: u64) {
        self.at.send_if_modified(|horizon| {
            let is_far = sequence - (*horizon).min(sequence) > MOST_EVENTS;
            if is_far {
                *horizon = sequence - MOST_EVENTS / 2;
            }
            is_far
        });
    }

    pub fn now(&self) -> u64 {
        *self.at.borrow()
    }

    /// Hears of where it is now, too.
    pub fn watch(&self) -> watch::Receiver<u64> {
        let mut horizon = self.at.subscribe();
        horizon.mark_changed();
        horizon
    }

    /// Takes one when it has its turn.
    pub async fn snapshot<T: Send + 'static>(&self, take: impl FnOnce() -> T + Send + 'static) -> T {
        self.snapshots.run(take).await.expect("a snapshot does not panic")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_start_reads_more_than_a_bound_and_snapshots_are_asked_for_now_and_then_only() {
        let horizon = Horizon::new(0);
        let (mut watch, mut moved) = (horizon.watch(), 0);
        for sequence in 1..=10 * MOST_EVENTS {
            horizon.reached(sequence);
            moved += u64::from(watch.has_changed().unwrap());
            let at = *watch.borrow_and_update();
            assert!(at < sequence && sequence - at <= MOST_EVENTS, "at {sequence} it is {at}");
        }
        // The first is where it begins.
        assert_eq!(moved, 1 + 18);
    }
}
