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
    /// What was asked for when growth was refused. The guest sees a failed allocation and usually traps with
    /// `unreachable`, which would not tell anybody why.
    refused_bytes: Option<u64>,
}

impl MemoryLimiter {
    pub fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, used_bytes: 0, refused_bytes: None }
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
        true
    }
}

/// What was counted is never given back. Wasmtime tells of growth that failed also where it had not asked before, so a
/// guest could have growth that went well taken off the account by growth that cannot. What a memory's or table's own
/// type forbids is refused here and so not counted at all; beyond that growth fails only where the machine has no
/// memory.
impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(is_possible(desired, maximum) && self.grow(desired.saturating_sub(current)))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT_BYTES);
        Ok(is_possible(desired, maximum) && self.grow(bytes))
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

fn is_possible(desired: usize, maximum: Option<usize>) -> bool {
    maximum.is_none_or(|maximum| desired <= maximum)
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
    fn growth_beyond_the_types_own_maximum_is_not_counted() {
        let mut limiter = MemoryLimiter::new(100_000);
        assert!(!limiter.memory_growing(0, 65_536, Some(0)).unwrap());
        assert!(!limiter.table_growing(0, 6_000, Some(5_999)).unwrap());
        assert!(limiter.memory_growing(0, 65_536, Some(65_536)).unwrap());
        assert_eq!(limiter.refused_bytes(), None);
    }

    /// Grows its memory and then, each time, a table of 64 bit by more than can be counted.
    const GROWS_AND_FAILS: &str = r#"(module
        (memory 0)
        (table $t i64 1 funcref)
        (func (export "pages") (result i32)
            (loop $again
                (drop (table.grow $t (ref.null func) (i64.const -1)))
                (if (i32.gt_u (memory.size) (i32.const 100)) (then (return (memory.size))))
                (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
            (memory.size)))"#;

    #[test]
    fn growth_that_fails_gives_back_nothing_that_was_granted() {
        let engine = wasmtime::Engine::default();
        let module = wasmtime::Module::new(&engine, wat::parse_str(GROWS_AND_FAILS).unwrap()).unwrap();
        let mut store = wasmtime::Store::new(&engine, MemoryLimiter::new(10 << 16));
        store.limiter(|limiter| limiter);
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
        let pages = instance.get_typed_func::<(), i32>(&mut store, "pages").unwrap().call(&mut store, ()).unwrap();
        assert!(pages < 10, "{pages} pages");
    }

    #[tokio::test]
    async fn waiting_costs_no_cpu_time() {
        let meter = CpuMeter::new(1);
        metered(meter.clone(), tokio::time::sleep(Duration::from_millis(20))).await;
        assert!(meter.used_ms() < 10, "{} ms", meter.used_ms());
    }
}
