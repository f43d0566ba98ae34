//! What one call costs inside the sandbox, without host, disk and HTTP around it.

#![expect(clippy::result_large_err, reason = "a `Failure` has 128 bytes; a call costs more than moving them")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use lockgate_core::digest::Digest;
use lockgate_core::plugin::{CallContext, Failure, Grants, Limits, Retry};
use lockgate_sandbox::{
    ArtifactWriter, CallError, CallHost, CallRequest, CancellationToken, ChildCommand, LogLine, Operation, Options,
    Sandbox, Secret, StateEntry,
};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::floor;

pub const WARM_UP: usize = 200;
pub const CALLS: usize = 2_000;
/// The rule of the gates that `lockgate plugin new` writes, the same in every language.
pub const CONFIG: &str = r#"{"url":"http://127.0.0.1/","field":"error_rate","max":0.01}"#;
pub const EVIDENCE: &str = r#"{"status":200,"field":"error_rate","value":0.005}"#;
pub const SUBJECT: &str = r#"{ "type": "FULL", "project": "bench", "environment": "there", "deployment": "bench/1",
    "release": { "tag": "v1", "digest": "" }, "artifacts": [] }"#;

struct Bench {
    sandbox: Sandbox,
    runtime: Runtime,
}

impl Bench {
    /// With the compiled code that an earlier one left in the folder.
    fn open(cache: &Path) -> Result<Self> {
        // Built together with this program.
        let lockgate = std::env::current_exe()?.with_file_name("lockgate");
        let compiler = ChildCommand { program: lockgate, arguments: vec!["compile-component".into()] };
        let sandbox = Sandbox::new(Options { max_concurrent_calls: 64, ..Options::new(cache, compiler) })?;
        Ok(Self { sandbox, runtime: Builder::new_multi_thread().worker_threads(1).enable_all().build()? })
    }

    fn load(&self, bytes: &Arc<[u8]>) -> Result<Digest> {
        let plugin = Digest::of(bytes);
        self.runtime.block_on(self.sandbox.load(plugin, bytes.clone()))?;
        Ok(plugin)
    }

    fn call(&self, request: CallRequest) -> Result<u64> {
        let started = Instant::now();
        self.runtime.block_on(self.sandbox.call(request))?;
        Ok(started.elapsed().as_nanos() as u64)
    }
}

/// The trivial phase of all deployments here.
pub fn phase(component: &Path) -> Result<Value> {
    let cache = tempfile::tempdir()?;
    let bench = Bench::open(cache.path())?;
    let plugin = bench.load(&read(component)?)?;
    let advance = || request(plugin, r#"{"do":"done"}"#, Operation::Advance { cursor: Vec::new() });
    warm(&bench, advance)
}

/// The same gate in each language: its first load compiles, the second finds that in the cache.
pub fn languages(gates: &[(String, PathBuf)]) -> Result<Vec<Value>> {
    gates.iter().map(|(language, gate)| language_of(language, gate)).collect()
}

fn language_of(language: &str, gate: &Path) -> Result<Value> {
    eprintln!("A call in {language}");
    let (bytes, cache) = (read(gate)?, tempfile::tempdir()?);
    let timed = |bench: &Bench| {
        let started = Instant::now();
        bench.load(&bytes).map(|plugin| (plugin, started.elapsed().as_millis() as u64))
    };
    let (_, compile_ms) = timed(&Bench::open(cache.path())?)?;
    let bench = Bench::open(cache.path())?;
    let (plugin, load_ms) = timed(&bench)?;
    let evidence: Value = serde_json::from_str(EVIDENCE)?;
    let judge = || request(plugin, CONFIG, Operation::Judge { evidence: evidence.clone() });
    let first_us = bench.call(judge())? / 1_000;
    let warm = warm(&bench, judge)?;
    // Nothing is behind its imports there, and some languages ask for the environment before they do anything.
    let floor = floor::measure(&bytes).inspect_err(|_| eprintln!("No floor for {language}: it calls its imports")).ok();
    Ok(json!({
        "language": language,
        "bytes": bytes.len(),
        "compile_ms": compile_ms,
        "load_ms": load_ms,
        "first_us": first_us,
        "warm": warm,
        "floor": floor,
    }))
}

/// As the host calls, from the guests' threads; and what it would cost more from elsewhere: to wake a thread like these, and to
/// be woken by it.
fn warm(bench: &Bench, request: impl Fn() -> CallRequest) -> Result<Value> {
    let (sandbox, requests) = (bench.sandbox.clone(), (0..WARM_UP + CALLS).map(|_| request()).collect::<Vec<_>>());
    let calls = bench.sandbox.threads().spawn(async move {
        let mut nanos = Vec::with_capacity(requests.len());
        for request in requests {
            let started = Instant::now();
            sandbox.call(request).await?;
            nanos.push(started.elapsed().as_nanos() as u64);
        }
        anyhow::Ok(nanos)
    });
    let calls = bench.runtime.block_on(calls)??;
    let threads = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let way = || {
        let started = Instant::now();
        bench.runtime.block_on(threads.spawn(async {}))?;
        anyhow::Ok(started.elapsed().as_nanos() as u64)
    };
    let ways: Vec<u64> = (0..WARM_UP + CALLS).map(|_| way()).collect::<Result<_>>()?;
    let spread = |nanos: &[u64]| super::spread_of_nanos(nanos[WARM_UP..].to_vec());
    Ok(json!({ "call": spread(&calls), "way": spread(&ways) }))
}

fn read(component: &Path) -> Result<Arc<[u8]>> {
    Ok(std::fs::read(component).with_context(|| component.display().to_string())?.into())
}

// ---- hostile guests ----

/// Of each kind, all at once.
const HOSTILE: usize = 8;
const ROUNDS: usize = 5;

/// How far over its budget each guest gets, while all the others are at it, too.
pub fn overruns(component: &Path) -> Result<Value> {
    let cache = tempfile::tempdir()?;
    let bench = Bench::open(cache.path())?;
    let plugin = bench.load(&read(component)?)?;
    let limits = Limits { cpu_ms: 200, wall_ms: 60_000, memory_bytes: 64 << 20, ..Limits::default() };
    let (mut cpu, mut wall) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let calls = ["spin", "allocate", "log-flood", "sleep-forever"].into_iter().flat_map(|deed| {
            let config = format!(r#"{{"do":"{deed}","times":100000,"bytes":1000}}"#);
            let limits =
                if deed == "sleep-forever" { Limits { wall_ms: 1_000, ..limits.clone() } } else { limits.clone() };
            (0..HOSTILE)
                .map(move |_| {
                    let advance = Operation::Advance { cursor: Vec::new() };
                    let grants = Grants { limits: limits.clone(), ..Grants::default() };
                    CallRequest { grants, ..request(plugin, &config, advance) }
                })
                .collect::<Vec<_>>()
        });
        let ended = bench.runtime.block_on(futures::future::join_all(calls.map(|call| async {
            let started = Instant::now();
            (bench.sandbox.call(call).await, started.elapsed())
        })));
        for (answer, taken) in ended {
            match answer {
                Err(CallError::CpuLimit { limit_ms, used_ms }) => {
                    cpu.push(used_ms.saturating_sub(limit_ms) * 1_000_000)
                }
                Err(CallError::WallLimit { limit_ms }) => {
                    wall.push((taken.as_nanos() as u64).saturating_sub(limit_ms * 1_000_000));
                }
                Err(CallError::MemoryLimit { .. }) | Ok(_) => {}
                Err(other) => bail!("a hostile guest ended otherwise than it was meant to: {other}"),
            }
        }
    }
    Ok(json!({ "cpu": super::spread_of_nanos(cpu), "wall": super::spread_of_nanos(wall) }))
}

fn request(plugin: Digest, config: &str, operation: Operation) -> CallRequest {
    CallRequest {
        plugin,
        context: CallContext {
            project: "bench".to_owned(),
            environment: "there".to_owned(),
            deployment: "bench/1".to_owned(),
            attempt: 1,
            name: "phase".to_owned(),
            sequence: 1,
            idempotency_key: "key".to_owned(),
        },
        config: config.into(),
        subject: SUBJECT.into(),
        operation,
        grants: Grants::default(),
        workspace: None,
        tools: None,
        host: Arc::new(Nobody),
        cancelled: CancellationToken::new(),
    }
}

/// A host that has nothing and remembers nothing.
struct Nobody;

fn nothing<T>() -> Result<T, Failure> {
    let (code, message) = ("denied".to_owned(), "there is nothing in a bench".to_owned());
    Err(Failure { code, message, retry: Retry::Never, retry_after_ms: 0, details: Value::Null })
}

impl CallHost for Nobody {
    fn log(&self, _: LogLine) {}

    fn progress(&self, _: u32, _: &str) {}

    fn denied(&self, _: &str) {}

    fn secret(&self, _: &str) -> Result<Secret, Failure> {
        nothing()
    }

    fn secrets_bound_to(&self, _: &str) -> Vec<Secret> {
        Vec::new()
    }

    fn revealed(&self, _: &str) {}

    fn open_artifact(&self, _: &Digest) -> Result<Box<dyn Read + Send>, Failure> {
        nothing()
    }

    fn create_artifact(&self, _: &str) -> Result<Box<dyn ArtifactWriter>, Failure> {
        nothing()
    }

    fn state_get(&self, _: &str) -> Result<Option<StateEntry>, Failure> {
        nothing()
    }

    fn state_put(&self, _: &str, _: Vec<u8>, _: u32) -> Result<u32, Failure> {
        nothing()
    }
}
