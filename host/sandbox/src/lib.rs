//! Runs plugins: untrusted WebAssembly components, each call in a fresh instance that gets what was granted and nothing
//! else, and that is stopped at its limits whatever it does.
//!
//! Wasmtime's names end at this crate's edge; the words outside are those of `lockgate_core::plugin`.

#![deny(unsafe_code)]
#![expect(clippy::result_large_err, reason = "a `Failure` has 128 bytes; a call costs more than moving them")]

mod ask;
mod bindings;
mod cache;
mod call;
mod child;
mod code;
mod compile;
mod component;
mod context;
mod convert;
mod egress;
mod engine;
mod limits;
mod output;
mod rehearsal;
mod run;
mod secrets;
mod sockets;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tools;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lockgate_core::digest::Digest;
use lockgate_core::plugin::{Description, Failure, Grants, Issue, Kind, Limits, MOST_COMPONENT_BYTES, Retry};
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
pub use tokio_util::sync::CancellationToken;
use wasmtime::Engine;

use ask::{Call, Question, Reply};
use cache::Cache;
pub use call::{Answer, ArtifactWriter, CallError, CallHost, CallRequest, LogLevel, LogLine, Operation, StateEntry};
pub use child::ChildCommand;
use code::Code;
pub use compile::{CompileLimits, CompilerFailure, compile_for_host};
pub use component::{InvalidComponent, Surface, surface};
use component::{Plugin, Worlds};
use egress::Outside;
use engine::PluginRuntime;
pub use rehearsal::{Pace, Play, Received, Rehearsal, Sent, TestClock, Trouble, Wire};
use run::Run;
pub use secrets::{Secret, SecretValue};

/// Descriptions and validations that may run beside the calls, so that a full house does not keep an operator from
/// looking at a plugin.
const CONCURRENT_CHECKS: usize = 2;

#[derive(Debug, Clone)]
pub struct Options {
    /// Holds compiled code and the key that authenticates it; made private (0700).
    pub cache_dir: PathBuf,
    /// Calls beyond these wait; their limits do not run while they wait.
    pub max_concurrent_calls: usize,
    /// Threads for guests; the API never shares them.
    pub worker_threads: usize,
    /// Larger components are refused before they are compiled.
    pub component_bytes: usize,
    /// Components are compiled by this program and never in this process.
    pub compiler: ChildCommand,
    pub compile_limits: CompileLimits,
    /// How long a cancelled guest may take to answer by itself.
    pub cancel_grace: Duration,
    /// Reserve instance slots in advance where the machine has the address space for it.
    pub pooling: bool,
}

impl Options {
    pub fn new(cache_dir: impl Into<PathBuf>, compiler: ChildCommand) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            max_concurrent_calls: 32,
            worker_threads: 2,
            component_bytes: MOST_COMPONENT_BYTES as usize,
            compiler,
            compile_limits: CompileLimits::default(),
            cancel_grace: Duration::from_secs(1),
            pooling: true,
        }
    }
}

/// What the server logs at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub pooling: Pooling,
    pub max_concurrent_calls: usize,
    pub worker_threads: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pooling {
    On,
    Off { because: String },
}

/// What is known of a component before anything is granted to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspection {
    pub digest: Digest,
    pub kind: Kind,
    pub description: Description,
    pub size_bytes: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error("the folder for compiled code, {}, cannot be used: {cause}", .folder.display())]
    Cache { folder: PathBuf, cause: io::Error },
    #[error("threads for plugins cannot be started: {0}")]
    Threads(#[source] io::Error),
    #[error("the WebAssembly engine does not start: {0}")]
    Engine(String),
    /// The uploader's to mend.
    #[error(transparent)]
    Invalid(#[from] InvalidComponent),
    /// It is a plugin by its form, but cannot say what it is.
    #[error("`describe` failed: {0}")]
    Describe(#[source] CallError),
    #[error("the bytes have digest {actual}, not {expected}")]
    OtherBytes { expected: Digest, actual: Digest },
    /// The machine's or the installation's, not the component's.
    #[error("the compiler does not work: {0}")]
    Compiler(#[from] CompilerFailure),
    #[error("compiling stopped: {0}")]
    Interrupted(String),
}

/// Cheap to clone. Dropping the last one ends its threads and running calls.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

struct Inner {
    options: Options,
    facts: Facts,
    engine: Engine,
    worlds: Worlds,
    cache: Cache,
    outside: Outside,
    runtime: PluginRuntime,
    plugins: Mutex<BTreeMap<Digest, Loaded>>,
    calls: Arc<Semaphore>,
    checks: Arc<Semaphore>,
    /// Compiling takes cores for seconds and half a gigabyte: one at a time.
    compiler: Arc<Semaphore>,
}

#[derive(Clone)]
struct Loaded {
    plugin: Plugin,
    /// Half of all there are: calls of one plugin that all wait for something leave room for every other.
    places: Arc<Semaphore>,
    /// What its grants say beside that: a change of them counts for calls that begin after it.
    own_limits: Arc<Mutex<BTreeMap<u32, Arc<Semaphore>>>>,
}

impl Loaded {
    /// One of each kind is needed, in this order.
    fn places(&self, limit: Option<u32>) -> Vec<Arc<Semaphore>> {
        let own = limit.map(|limit| self.own_places(limit));
        own.into_iter().chain([self.places.clone()]).collect()
    }

    fn own_places(&self, limit: u32) -> Arc<Semaphore> {
        let mut own = self.own_limits.lock().unwrap_or_else(PoisonError::into_inner);
        own.entry(limit).or_insert_with(|| Arc::new(Semaphore::new(limit as usize))).clone()
    }
}

impl Sandbox {
    /// Starts the threads guests run on. Needs no runtime around it.
    pub fn new(options: Options) -> Result<Self, SandboxError> {
        let failed = |error: wasmtime::Error| SandboxError::Engine(format!("{error:#}"));
        let slots = options.max_concurrent_calls + CONCURRENT_CHECKS;
        let (engine, pooling) =
            engine::new(options.pooling, u32::try_from(slots).unwrap_or(u32::MAX)).map_err(failed)?;
        let cache = Cache::open(&options.cache_dir, &engine)
            .map_err(|cause| SandboxError::Cache { folder: options.cache_dir.clone(), cause })?;
        engine::start_ticker(&engine).map_err(SandboxError::Threads)?;
        Ok(Self(Arc::new(Inner {
            facts: Facts {
                pooling,
                max_concurrent_calls: options.max_concurrent_calls,
                worker_threads: options.worker_threads,
            },
            worlds: Worlds::new(&engine).map_err(failed)?,
            runtime: PluginRuntime::new(options.worker_threads).map_err(SandboxError::Threads)?,
            calls: Arc::new(Semaphore::new(options.max_concurrent_calls)),
            checks: Arc::new(Semaphore::new(CONCURRENT_CHECKS)),
            compiler: Arc::new(Semaphore::new(1)),
            plugins: Mutex::new(BTreeMap::new()),
            outside: Outside::of_this_machine(),
            options,
            engine,
            cache,
        })))
    }

    pub fn facts(&self) -> &Facts {
        &self.0.facts
    }

    /// Compiles (or takes from the cache), checks against its world, and calls `describe` without any grant.
    pub async fn inspect(&self, bytes: Arc<[u8]>) -> Result<Inspection, SandboxError> {
        let Prepared { digest, plugin, compiled, turn } = self.prepare(bytes.clone()).await?;
        // Others do not wait for what it says.
        drop(turn);
        let kind = plugin.kind();
        let reply = self.check(plugin, Question::Describe).await.map_err(SandboxError::Describe)?;
        let Reply::Description(description) = reply else { return Err(SandboxError::Describe(unasked())) };
        self.keep(digest, compiled).await?;
        Ok(Inspection { digest, kind, description, size_bytes: bytes.len() as u64 })
    }

    /// Makes `call` and `validate` possible; at once where it is loaded already. Refuses bytes of another digest.
    pub async fn load(&self, digest: Digest, bytes: Arc<[u8]>) -> Result<(), SandboxError> {
        if self.is_loaded(&digest) {
            return Ok(());
        }
        let Prepared { digest: actual, plugin, compiled, turn: _until_kept } = self.prepare(bytes).await?;
        if actual != digest {
            return Err(SandboxError::OtherBytes { expected: digest, actual });
        }
        self.keep(digest, compiled).await?;
        let places = Arc::new(Semaphore::new((self.0.options.max_concurrent_calls / 2).max(1)));
        self.0.plugins().entry(digest).or_insert(Loaded { plugin, places, own_limits: Arc::default() });
        Ok(())
    }

    /// Where guests run. Whoever calls from there has its answer soonest, and shares the threads with guests that spin.
    pub fn threads(&self) -> &Handle {
        self.0.runtime.handle()
    }

    pub fn is_loaded(&self, digest: &Digest) -> bool {
        self.0.plugins().contains_key(digest)
    }

    /// What the loaded plugin itself thinks of a configuration; runs without any grant.
    pub async fn validate(&self, plugin: &Digest, config: &Value) -> Result<Vec<Issue>, CallError> {
        let question = Question::Validate { config: config.to_string() };
        let Reply::Issues(issues) = self.check(self.0.loaded(plugin)?.plugin, question).await? else {
            return Err(unasked());
        };
        Ok(issues)
    }

    /// Runs to its end on the plugins' own threads; dropping the future ends it.
    pub async fn call(&self, request: CallRequest) -> Result<Answer, CallError> {
        self.call_in(request, None).await
    }

    /// The same, in a test's world.
    pub async fn rehearse(&self, request: CallRequest, rehearsal: Rehearsal) -> Result<Answer, CallError> {
        self.call_in(request, Some(rehearsal)).await
    }

    async fn call_in(&self, request: CallRequest, rehearsal: Option<Rehearsal>) -> Result<Answer, CallError> {
        let CallRequest {
            plugin: digest,
            context,
            config,
            subject,
            operation,
            grants,
            workspace,
            tools,
            host,
            cancelled,
        } = request;
        let loaded = self.0.loaded(&digest)?;
        let mut places = loaded.places(grants.limits.concurrent_calls);
        places.push(self.0.calls.clone());
        let plugin = loaded.plugin;
        if plugin.kind() != operation.kind() {
            let (is, wanted) = (plugin.kind(), operation.kind());
            return Err(CallError::WrongKind { plugin: digest, is, operation: operation.name(), wanted });
        }
        let (grants, workspace, host): (_, _, Arc<dyn CallHost>) = match operation {
            Operation::Judge { .. } => (nothing_but(grants.limits), None, Arc::new(Ungranted { listener: Some(host) })),
            Operation::Advance { .. }
            | Operation::Cancel { .. }
            | Operation::Plan { .. }
            | Operation::Apply { .. }
            | Operation::Undo { .. }
            | Operation::Observe
            | Operation::Sample { .. } => (grants, workspace, host),
        };
        let run = Run { rehearsal, tools, ..self.run(plugin, grants, workspace, host, cancelled) };
        let call = Call { operation, context, config: config.to_string(), subject: subject.to_string() };
        match self.ask(&places, run, Question::Call(call)).await? {
            Reply::Answer(answer) => Ok(answer),
            Reply::Description(_) | Reply::Issues(_) => Err(unasked()),
        }
    }

    async fn check(&self, plugin: Plugin, question: Question) -> Result<Reply, CallError> {
        let run =
            self.run(plugin, Grants::default(), None, Arc::new(Ungranted { listener: None }), CancellationToken::new());
        self.ask(std::slice::from_ref(&self.0.checks), run, question).await
    }

    fn run(
        &self,
        plugin: Plugin,
        grants: Grants,
        workspace: Option<PathBuf>,
        host: Arc<dyn CallHost>,
        cancelled: CancellationToken,
    ) -> Run {
        let (engine, outside) = (self.0.engine.clone(), self.0.outside.clone());
        let cancel_grace = self.0.options.cancel_grace;
        Run { engine, plugin, outside, grants, workspace, tools: None, host, cancelled, cancel_grace, rehearsal: None }
    }

    /// One place of each kind, in this order. They are given back only when the store is gone, or the pool would be
    /// asked for more than it has.
    async fn ask(&self, places: &[Arc<Semaphore>], run: Run, question: Question) -> Result<Reply, CallError> {
        let mut taken = Vec::new();
        for places in places {
            taken.push(tokio::select! {
                biased;
                // A rehearsed guest is to see for itself that it was cancelled.
                () = run.cancelled.cancelled(), if run.rehearsal.is_none() => return Err(CallError::Cancelled),
                place = places.clone().acquire_owned() => place.expect("this semaphore is never closed"),
            });
        }
        let grants = match run.host.grants_now() {
            Some(now) => run.grants.and(&now),
            None => run.grants.clone(),
        };
        let run = Run { grants, ..run };
        let asked = async move {
            let _taken = taken;
            run.ask(question).await
        };
        // To wake another thread, and to be woken by it, costs more than a small guest does.
        if self.0.runtime.is_here() {
            return Box::pin(asked).await;
        }
        let job = self.0.runtime.spawn(asked);
        job.outcome().await.map_err(CallError::Sandbox)?
    }

    /// Ends the compiler when nobody waits for it any more.
    async fn prepare(&self, bytes: Arc<[u8]>) -> Result<Prepared, SandboxError> {
        let (inner, content) = (self.0.clone(), bytes.clone());
        let Known { digest, kind, cached } = self.blocking(move || inner.look(&content)).await??;
        if let Some(plugin) = cached {
            return Ok(Prepared { digest, plugin, compiled: None, turn: None });
        }
        let turn = self.0.compiler.clone().acquire_owned().await.expect("this semaphore is never closed");
        let (line, _hang_up) = compile::line()?;
        let inner = self.0.clone();
        // The turn goes along, so that it ends only when the compiler is gone.
        let compiled = self.blocking(move || (inner.compile(digest, kind, &bytes, line), turn));
        let (outcome, turn) = compiled.await?;
        let (plugin, compiled) = outcome?;
        Ok(Prepared { digest, plugin, compiled, turn: Some(turn) })
    }

    /// Only of what was not refused.
    async fn keep(&self, digest: Digest, compiled: Option<Code>) -> Result<(), SandboxError> {
        let Some(compiled) = compiled else { return Ok(()) };
        let inner = self.0.clone();
        self.blocking(move || inner.cache.put(&digest, &compiled)).await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, SandboxError> {
        self.0.runtime.spawn_blocking(work).outcome().await.map_err(SandboxError::Interrupted)
    }
}

/// What is known of bytes that may be a plugin before anything is compiled.
struct Known {
    digest: Digest,
    kind: Kind,
    cached: Option<Plugin>,
}

/// A component that fits its world.
struct Prepared {
    digest: Digest,
    plugin: Plugin,
    /// None where it was in the cache.
    compiled: Option<Code>,
    /// Whoever holds it until the code is kept spares those who wait for the same component a second compilation.
    turn: Option<OwnedSemaphorePermit>,
}

impl Inner {
    fn look(&self, bytes: &[u8]) -> Result<Known, InvalidComponent> {
        component::check_bytes(bytes, self.options.component_bytes)?;
        let kind = component::kind(bytes)?;
        let digest = Digest::of(bytes);
        Ok(Known { digest, kind, cached: self.cached(digest, kind)? })
    }

    fn cached(&self, digest: Digest, kind: Kind) -> Result<Option<Plugin>, InvalidComponent> {
        let cached = self.cache.get(&self.engine, &digest);
        cached.map(|component| self.worlds.link(kind, &component)).transpose()
    }

    fn compile(
        &self,
        digest: Digest,
        kind: Kind,
        bytes: &[u8],
        line: compile::Line,
    ) -> Result<(Plugin, Option<Code>), SandboxError> {
        // Whoever had the turn before may have compiled the same.
        if let Some(plugin) = self.cached(digest, kind)? {
            return Ok((plugin, None));
        }
        let Options { compiler, compile_limits, .. } = &self.options;
        let code = compile::compile(compiler, *compile_limits, bytes, line)?;
        let component = code.load(&self.engine).map_err(|error| CompilerFailure::Nonsense(format!("{error:#}")))?;
        Ok((self.worlds.link(kind, &component)?, Some(code)))
    }

    fn loaded(&self, digest: &Digest) -> Result<Loaded, CallError> {
        self.plugins().get(digest).cloned().ok_or(CallError::NotLoaded(*digest))
    }

    fn plugins(&self) -> MutexGuard<'_, BTreeMap<Digest, Loaded>> {
        self.plugins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nothing_but(limits: Limits) -> Grants {
    Grants { limits, ..Grants::default() }
}

fn unasked() -> CallError {
    CallError::Sandbox("the reply belongs to another question".to_owned())
}

/// The host of calls that run without any grant: what they say is passed on if somebody listens.
struct Ungranted {
    listener: Option<Arc<dyn CallHost>>,
}

impl Ungranted {
    fn refusal() -> Failure {
        Failure {
            code: "denied".to_owned(),
            message: "`describe`, `validate` and `judge` run without any grant".to_owned(),
            retry: Retry::Never,
            retry_after_ms: 0,
            details: Value::Null,
        }
    }
}

impl CallHost for Ungranted {
    fn log(&self, line: LogLine) {
        self.listener.iter().for_each(|listener| listener.log(line.clone()));
    }

    fn progress(&self, percent: u32, message: &str) {
        self.listener.iter().for_each(|listener| listener.progress(percent, message));
    }

    fn denied(&self, what: &str) {
        self.listener.iter().for_each(|listener| listener.denied(what));
    }

    fn secret(&self, _name: &str) -> Result<Secret, Failure> {
        Err(Self::refusal())
    }

    fn secrets_bound_to(&self, _origin: &str) -> Vec<Secret> {
        Vec::new()
    }

    fn revealed(&self, _name: &str) {}

    fn open_artifact(&self, _digest: &Digest) -> Result<Box<dyn io::Read + Send>, Failure> {
        Err(Self::refusal())
    }

    fn create_artifact(&self, _name: &str) -> Result<Box<dyn ArtifactWriter>, Failure> {
        Err(Self::refusal())
    }

    fn state_get(&self, _key: &str) -> Result<Option<StateEntry>, Failure> {
        Err(Self::refusal())
    }

    fn state_put(&self, _key: &str, _value: Vec<u8>, _expect: u32) -> Result<u32, Failure> {
        Err(Self::refusal())
    }
}
