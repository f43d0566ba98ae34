//! What one call costs inside the sandbox, without host, disk and HTTP around it.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use lockgate_core::digest::Digest;
use lockgate_core::plugin::{CallContext, Failure, Grants, Retry};
use lockgate_sandbox::{
    ArtifactWriter, CallHost, CallRequest, CancellationToken, ChildCommand, LogLine, Operation, Options, Sandbox,
    Secret, StateEntry,
};
use serde_json::Value;

const WARM_UP: usize = 50;
const CALLS: usize = 1_000;
const SUBJECT: &str = r#"{ "type": "FULL", "project": "bench", "environment": "there", "deployment": "bench/1",
    "release": { "tag": "v1", "digest": "" }, "artifacts": [] }"#;

pub fn measure(component: &Path) -> Result<Value> {
    let bytes: Arc<[u8]> = std::fs::read(component).with_context(|| component.display().to_string())?.into();
    let plugin = Digest::of(&bytes);
    let cache = tempfile::tempdir()?;
    // Built together with this program.
    let lockgate = std::env::current_exe()?.with_file_name("lockgate");
    let compiler = ChildCommand { program: lockgate, arguments: vec!["compile-component".into()] };
    let sandbox = Sandbox::new(Options::new(cache.path(), compiler))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        sandbox.load(plugin, bytes).await?;
        let mut micros = Vec::with_capacity(CALLS);
        for place in 0..WARM_UP + CALLS {
            let started = Instant::now();
            sandbox.call(request(plugin)).await?;
            if place >= WARM_UP {
                micros.push(started.elapsed().as_micros() as u64);
            }
        }
        Ok(super::spread(micros))
    })
}

fn request(plugin: Digest) -> CallRequest {
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
        config: r#"{"do":"done"}"#.into(),
        subject: SUBJECT.into(),
        operation: Operation::Advance { cursor: Vec::new() },
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
