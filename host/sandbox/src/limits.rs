//! Memory and CPU of one call: counted where wasmtime asks, judged afterwards.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wasmtime::ResourceLimiter;

/// A table element costs the host a pointer or two.
const TABLE_ELEMENT_BYTES: usize = 16;

/// One total over all memories and tables of a call: wasmtime's own `StoreLimits` counts each by itself.
pub struct MemoryLimiter {
    limit_bytes: u64,
    used_bytes: u64,
    last_growth: u64,
    /// What was asked for when growth was refused. The guest sees a failed allocation and usually traps with
    /// `unreachable`, which would not tell anybody why.
    refused_bytes: Option<u64>,
}

impl MemoryLimiter {
    pub fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, used_bytes: 0, last_growth: 0, refused_bytes: None }
    }

    pub fn limit_bytes(&self) -> u64 {
        self.limit_bytes
    }

    pub fn refused_bytes(&self) -> Option<u64> {
        self.refused_bytes
    }

    fn grow(&mut self, bytes: usize) -> bool {
        let total = self.used_bytes.saturating_add(bytes as u64);
        if total > self.limit_bytes {
            self.refused_bytes = Some(total);
            return false;
        }
        self.used_bytes = total;
        self.last_growth = bytes as u64;
        true
    }

    fn growth_failed(&mut self) {
        self.used_bytes -= self.last_growth;
        self.last_growth = 0;
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.growth_failed();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT_BYTES)))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.growth_failed();
        Ok(())
    }

    fn instances(&self) -> usize {
        1_000
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        16
    }
}

/// CPU time a call has used, by the clock of the thread that polls it. Waiting costs nothing, and a busy machine
/// does not make a guest look busier; counting epoch ticks would bill a whole tick to every short wake-up.
#[derive(Debug)]
pub struct CpuMeter {
    limit: Duration,
    used_nanoseconds: AtomicU64,
    /// The thread's clock when the poll that is now running began.
    poll_began_nanoseconds: AtomicU64,
    exceeded: AtomicBool,
}

impl CpuMeter {
    pub fn new(limit_ms: u64) -> Arc<Self> {
        Arc::new(Self {
            limit: Duration::from_millis(limit_ms),
            used_nanoseconds: AtomicU64::new(0),
            poll_began_nanoseconds: AtomicU64::new(0),
            exceeded: AtomicBool::new(false),
        })
    }

    /// To be asked from inside a metered poll, that is from the epoch callback.
    pub fn within_limit(&self) -> bool {
        let this_poll = thread_nanoseconds().saturating_sub(self.poll_began_nanoseconds.load(Ordering::Relaxed));
        let used = self.used_nanoseconds.load(Ordering::Relaxed).saturating_add(this_poll);
        let within = Duration::from_nanos(used) <= self.limit;
        if !within {
            self.exceeded.store(true, Ordering::Relaxed);
        }
        within
    }

    pub fn exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Relaxed)
    }

    pub fn used_ms(&self) -> u64 {
        self.used_nanoseconds.load(Ordering::Relaxed) / 1_000_000
    }

    pub fn limit_ms(&self) -> u64 {
        self.limit.as_millis() as u64
    }
}

/// Bills every poll of `future` to `meter`.
pub fn metered<F: Future>(meter: Arc<CpuMeter>, future: F) -> Metered<F> {
    Metered { meter, future: Box::pin(future) }
}

pub struct Metered<F> {
    meter: Arc<CpuMeter>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_nanoseconds();
        self.meter.poll_began_nanoseconds.store(began, Ordering::Relaxed);
        let outcome = self.future.as_mut().poll(context);
        let used = thread_nanoseconds().saturating_sub(began);
        self.meter.used_nanoseconds.fetch_add(used, Ordering::Relaxed);
        outcome
    }
}

fn thread_nanoseconds() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_share_one_limit() {
        let mut limiter = MemoryLimiter::new(100_000);
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        assert!(limiter.table_growing(0, 1_000, None).unwrap());
        assert_eq!(limiter.refused_bytes(), None);
        assert!(!limiter.memory_growing(65_536, 131_072, None).unwrap());
        assert_eq!(limiter.refused_bytes(), Some(65_536 + 16_000 + 65_536));
    }

    #[test]
    fn growth_that_failed_is_not_counted() {
        let mut limiter = MemoryLimiter::new(100_000);
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
        limiter.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert!(limiter.memory_growing(0, 65_536, None).unwrap());
    }

    #[tokio::test]
    async fn waiting_costs_no_cpu_time() {
        let meter = CpuMeter::new(1);
        metered(meter.clone(), tokio::time::sleep(Duration::from_millis(20))).await;
        assert!(meter.used_ms() < 10, "{} ms", meter.used_ms());
    }
}
