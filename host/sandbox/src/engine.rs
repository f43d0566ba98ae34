//! One engine for all plugins, the thread that makes its epochs pass, and the runtime its guests run on.

use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Strategy};

use crate::Pooling;

/// How often a running guest is asked whether it may go on, and lets others run. Each thread serves several: with eight
/// that spin on each, whoever waits for its turn or its end waits eight of these.
const TICK: Duration = Duration::from_millis(2);

/// Python and JavaScript guests need 6,000 to 8,000.
const TABLE_ELEMENTS: usize = 20_000;
const MEMORIES_PER_COMPONENT: u32 = 4;
const TABLES_PER_COMPONENT: u32 = 16;
const CORE_INSTANCES_PER_COMPONENT: u32 = 100;
const STACK_BYTES: usize = 2 << 20;
/// What a small call touches of its stack.
const STACK_KEPT_BYTES: usize = 32 << 10;
const WASM_STACK_BYTES: usize = 1 << 20;

/// The engine, with its slots reserved in advance if that is wanted and this machine has the address space.
pub fn new(pooling: bool, instances: u32) -> wasmtime::Result<(Engine, Pooling)> {
    let on_demand = || Engine::new(&config());
    if !pooling {
        return Ok((on_demand()?, Pooling::Off { because: "the options say so".to_owned() }));
    }
    let mut pooled = config();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)));
    match Engine::new(&pooled) {
        Ok(engine) => Ok((engine, Pooling::On)),
        Err(error) => Ok((on_demand()?, Pooling::Off { because: format!("{error:#}") })),
    }
}

fn config() -> Config {
    let mut config = Config::new();
    config
        // Winch had escapes of its own.
        .strategy(Strategy::Cranelift)
        .epoch_interruption(true)
        // Without component-model async its advisories do not reach us.
        .concurrency_support(false)
        // No component needs it, and its sizes overflow where those of 32 bit cannot.
        .wasm_memory64(false)
        .async_stack_zeroing(true)
        .async_stack_size(STACK_BYTES)
        .max_wasm_stack(WASM_STACK_BYTES);
    config
}

fn pool(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(instances)
        .total_core_instances(instances * CORE_INSTANCES_PER_COMPONENT)
        .total_memories(instances * MEMORIES_PER_COMPONENT)
        .total_tables(instances * TABLES_PER_COMPONENT)
        .total_stacks(instances)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_core_instance_size(8 << 20)
        .max_component_instance_size(8 << 20)
        .table_elements(TABLE_ELEMENTS)
        // Zeroed by hand: to give so little back to the system and to fault it in again takes longer. Not so of memories,
        // of which the first megabyte is mostly a stack that nobody touched. What the largest tables leave stays: with
        // all that a component may have in each of 34 slots, 85 MiB.
        .table_keep_resident(TABLE_ELEMENTS * size_of::<usize>())
        .async_stack_keep_resident(STACK_KEPT_BYTES)
        // A used slot keeps pages of what ran there before.
        .max_unused_warm_slots(instances.div_ceil(8));
    pool
}

/// A real thread: a task would wait behind the very guests it has to interrupt. It ends with the engine.
pub fn start_ticker(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new().name("sandbox-ticker".to_owned()).spawn(move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(())
}

/// Threads for guests, apart from those that answer the API: eight spinning guests on a shared runtime delayed a 5 ms
/// timer by half a second.
pub struct PluginRuntime(Option<Runtime>);

impl PluginRuntime {
    pub fn new(threads: usize) -> std::io::Result<Self> {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .max_blocking_threads(64)
            .thread_name("sandbox")
            .enable_all()
            .build()
            .map(|runtime| Self(Some(runtime)))
    }

    pub fn handle(&self) -> &Handle {
        self.runtime().handle()
    }

    /// Whether this is one of its threads.
    pub fn is_here(&self) -> bool {
        Handle::try_current().is_ok_and(|here| here.id() == self.handle().id())
    }

    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Job<T> {
        Job(self.runtime().spawn(work))
    }

    pub fn spawn_blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Job<T> {
        Job(self.runtime().spawn_blocking(work))
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("taken only in drop")
    }
}

impl Drop for PluginRuntime {
    /// Waiting for its threads is not allowed where other runtimes drop us.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Work on the plugin runtime; who stops waiting for it ends it.
pub struct Job<T>(JoinHandle<T>);

impl<T> Job<T> {
    pub async fn outcome(mut self) -> Result<T, String> {
        (&mut self.0).await.map_err(|error| error.to_string())
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
