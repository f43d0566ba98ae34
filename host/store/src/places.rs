//! Work that blocks, off the threads that serve requests, for which many ask at once.

use std::io;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

/// How many are at work at a time, however many ask: threads of their own, which end when nobody has asked for a while. A thread
/// for each would make nobody faster, and each keeps memory of its own: 1,000 projects that took a snapshot at the same time left
/// 80 to 165 threads behind.
#[derive(Clone)]
pub struct Places(Arc<Threads>);

impl Places {
    /// Of at most 15 characters, the name is shown whole.
    pub fn new(name: &str, count: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().thread_name(name).max_blocking_threads(count).build()?;
        Ok(Self(Arc::new(Threads(Some(runtime)))))
    }

    /// Waits for a place. An error: the work panicked, or all of them end.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, JoinError> {
        let runtime = self.0.0.as_ref().expect("taken only in drop");
        let mut work = InLine(runtime.handle().spawn_blocking(work));
        (&mut work.0).await
    }
}

/// Whoever goes before their turn leaves the line. What has begun goes on.
struct InLine<T>(JoinHandle<T>);

impl<T> Drop for InLine<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Threads(Option<Runtime>);

impl Drop for Threads {
    /// To wait for them is not allowed where other runtimes drop us.
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Runtime::shutdown_background);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::mpsc;
    use std::thread;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn no_more_are_at_work_than_there_are_places() {
        let places = Places::new("test", 2).unwrap();
        let (at_work, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let asked: Vec<_> = (0..100)
            .map(|_| {
                let (places, at_work, most) = (places.clone(), at_work.clone(), most.clone());
                let work = move || {
                    most.fetch_max(at_work.fetch_add(1, Relaxed) + 1, Relaxed);
                    // Whoever may come now does.
                    (0..1_000).for_each(|_| thread::yield_now());
                    at_work.fetch_sub(1, Relaxed);
                };
                tokio::spawn(async move { places.run(work).await })
            })
            .collect();
        for asked in asked {
            asked.await.unwrap().unwrap();
        }
        assert_eq!(most.load(Relaxed), 2);
    }

    #[tokio::test]
    async fn who_goes_before_their_turn_leaves_the_line() {
        let places = Places::new("test", 1).unwrap();
        let (begun, has_begun) = oneshot::channel();
        let (end, may_end) = mpsc::channel::<()>();
        let first = tokio::spawn({
            let places = places.clone();
            async move {
                places
                    .run(move || {
                        begun.send(()).unwrap();
                        may_end.recv()
                    })
                    .await
            }
        });
        has_begun.await.unwrap();
        let done = Arc::new(AtomicUsize::new(0));
        let counted = done.clone();
        let left = places.run(move || counted.fetch_add(1, Relaxed));
        assert!(tokio::time::timeout(std::time::Duration::ZERO, left).await.is_err());
        end.send(()).unwrap();
        first.await.unwrap().unwrap().unwrap();
        places.run(|| ()).await.unwrap();
        assert_eq!(done.load(Relaxed), 0);
    }

    #[tokio::test]
    async fn they_may_go_while_somebody_is_at_work_there() {
        let (begun, has_begun) = oneshot::channel();
        let (end, may_end) = mpsc::channel::<()>();
        let places = Places::new("test", 1).unwrap();
        let work = move || {
            begun.send(()).unwrap();
            may_end.recv()
        };
        let asking = tokio::spawn(async move { places.run(work).await });
        has_begun.await.unwrap();
        asking.abort();
        assert!(asking.await.unwrap_err().is_cancelled());
        end.send(()).unwrap();
    }
}
