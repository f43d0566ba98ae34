//! A call in a world that a test has made: its clock, its random numbers, and what answers its requests. Everything else,
//! the grants and limits above all, is as in every other call.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lockgate_core::digest::Digest;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtxBuilder};

/// What a test puts in the place of the machine's own.
#[derive(Clone)]
pub struct Rehearsal {
    pub clock: TestClock,
    /// The same text gives the same random numbers.
    pub random_seed: String,
    pub wire: Arc<dyn Wire>,
}

/// Stands where the network would be. It hears only of requests that are granted.
pub trait Wire: Send + Sync + 'static {
    fn answer(&self, sent: &Sent) -> Play;
    /// What came of a request that was let out, without its body where that was too long to keep.
    fn heard(&self, sent: &Sent, came: &Result<Received, Trouble>);
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody listens there.
    Refused,
    /// As long as the request's own timeout says, or all that the call has left.
    TimedOut,
    /// The connection ended in the middle.
    Broken,
    /// An address or answer that the host does not let through. Told by a network, never by a test.
    Denied,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Play {
    Answer(Result<Received, Trouble>),
    /// Out into the network, by the host's own way.
    Through,
}

/// Time passes in it only where a guest waits, and then at once. Clones show the same time.
#[derive(Clone)]
pub struct TestClock(Arc<Passed>);

struct Passed {
    began_unix_ms: u64,
    nanoseconds: AtomicU64,
    pace: Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Waiting takes no time.
    AtOnce,
    /// Whoever waits really does, for somebody outside must have time to act; the clock shows the same.
    AsItSays,
}

impl TestClock {
    pub fn new(began_unix_ms: u64, pace: Pace) -> Self {
        Self(Arc::new(Passed { began_unix_ms, nanoseconds: AtomicU64::new(0), pace }))
    }

    pub fn unix_ms(&self) -> u64 {
        self.0.began_unix_ms.saturating_add(self.passed().as_millis() as u64)
    }

    /// Lets so much time pass.
    pub async fn pass(&self, time: Duration) {
        if self.0.pace == Pace::AsItSays {
            tokio::time::sleep(time).await;
        }
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // No call ends at a time that cannot be counted in 64 bits of nanoseconds: 584 years.
        let _ = self
            .0
            .nanoseconds
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |passed| Some(passed.saturating_add(nanoseconds)));
    }

    fn passed(&self) -> Duration {
        Duration::from_nanos(self.0.nanoseconds.load(Ordering::SeqCst))
    }
}

impl HostWallClock for TestClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.0.began_unix_ms).saturating_add(self.passed())
    }
}

impl HostMonotonicClock for TestClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.passed().as_nanos() as u64
    }
}

/// What a call knows of time.
#[derive(Clone)]
pub struct CallClock {
    /// The machine's, which ends also what no clock of a test can reach.
    deadline: Instant,
    staged: Option<Staged>,
}

#[derive(Clone)]
struct Staged {
    clock: TestClock,
    deadline: Duration,
    /// Cancelled when the clock has shown the deadline.
    over: CancellationToken,
}

impl CallClock {
    pub fn new(wall: Duration, rehearsal: Option<&Rehearsal>) -> Self {
        let staged = rehearsal.map(|rehearsal| Staged {
            clock: rehearsal.clock.clone(),
            deadline: rehearsal.clock.passed().saturating_add(wall),
            over: CancellationToken::new(),
        });
        Self { deadline: Instant::now() + wall, staged }
    }

    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    pub fn remaining(&self) -> Duration {
        match &self.staged {
            Some(staged) => staged.deadline.saturating_sub(staged.clock.passed()),
            None => self.deadline.saturating_duration_since(Instant::now()),
        }
    }

    /// Never returns where the call's own time ends first.
    pub async fn wait(&self, time: Duration) {
        let Some(staged) = &self.staged else { return tokio::time::sleep(time).await };
        let remaining = self.remaining();
        staged.clock.pass(time.min(remaining)).await;
        if time >= remaining {
            staged.over.cancel();
            pending::<()>().await;
        }
    }

    /// Returns when the call's time is over.
    pub async fn over(&self) {
        let staged = async {
            match &self.staged {
                Some(staged) => staged.over.cancelled().await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(self.deadline) => {}
            () = staged => {}
        }
    }
}

/// Long enough that few guests see it begin again.
const RANDOM_BYTES: u32 = 64 << 10;

pub fn put_in(wasi: &mut WasiCtxBuilder, rehearsal: &Rehearsal) {
    let bytes = |of: &str, count: u32| -> Vec<u8> {
        let blocks = (0..count.div_ceil(32)).flat_map(|block| {
            let parts = [of.as_bytes(), rehearsal.random_seed.as_bytes(), &block.to_le_bytes()];
            hex::decode(Digest::of_parts(parts).hex()).expect("a digest is written in hex")
        });
        blocks.collect()
    };
    let seed = bytes("seed", 16).into_iter().take(16).fold(0, |seed: u128, byte| seed << 8 | u128::from(byte));
    wasi.secure_random(Deterministic::new(bytes("secure", RANDOM_BYTES)))
        .insecure_random(Deterministic::new(bytes("insecure", RANDOM_BYTES)))
        .insecure_random_seed(seed)
        .wall_clock(rehearsal.clock.clone())
        .monotonic_clock(rehearsal.clock.clone());
}
