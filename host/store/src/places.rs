//! Work that blocks, off the threads that serve requests, for which many ask at once.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};

/// How many are at work at a time, however many ask. A thread for each would make nobody faster, and each keeps memory of its
/// own: 1,000 projects that took a snapshot at the same time left 138 threads behind, and 240 MiB.
#[derive(Clone)]
pub struct Places(Arc<Semaphore>);

impl Places {
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }

    /// Waits for a place. An error: the work panicked, or the runtime ends.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
        let place = self.0.clone().acquire_owned().await.expect("it is never closed");
        let in_its_place = move || {
            // Whoever asked may go before it is done: their place stays taken.
            let _place = place;
            work()
        };
        spawn_blocking(in_its_place).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn who_comes_while_others_are_at_work_waits() {
        let places = Places::new(1);
        let place = places.0.acquire().await.unwrap();
        let mut waiting = Box::pin(places.run(|| "done"));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("it did not wait"),
            () = tokio::task::yield_now() => {}
        }
        drop(place);
        assert_eq!(waiting.await.unwrap(), "done");
        assert_eq!(places.0.available_permits(), 1);
    }

    #[tokio::test]
    async fn who_does_not_wait_for_the_end_makes_no_room_for_the_next() {
        let places = Places::new(1);
        let (begun, has_begun) = oneshot::channel();
        let (go, may_go_on) = mpsc::channel::<()>();
        let asked = places.clone();
        let asking = tokio::spawn(async move {
            let work = move || {
                begun.send(()).unwrap();
                may_go_on.recv().unwrap();
            };
            asked.run(work).await
        });
        has_begun.await.unwrap();
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        assert_eq!(places.0.available_permits(), 0);
        go.send(()).unwrap();
        drop(places.0.acquire().await.unwrap());
    }
}
