//! Programs of the host that an operator has registered and granted: `describe!(..).tool("kubectl")`. Not for gates, whose
//! world has none.
//!
//! A call is short and a tool is not. [`Tool::start`] with a key starts it once; whoever asks again with the same key, in a
//! later call or after a crash, finds the same run. So a phase starts its tool, says [`poll_after_ms`] and looks again in
//! the next call:
//!
//! ```no_run
//! # use lockgate_sdk::{phase::*, tool::Tool};
//! # fn advance(call: Call, cursor: Cursor) -> Result<Progressed, Failure> {
//! // The key of the first call: later ones have others.
//! let key: String = cursor.read()?.unwrap_or(call.idempotency_key);
//! let migrate = Tool::new("migrate").args(["up", "--all"]).start(&key)?;
//! let status = migrate.poll(0, 20_000)?;
//! if !status.done {
//!     return Ok(Progressed::again(&key).after_ms(2_000));
//! }
//! match status.code {
//!     0 => Ok(Progressed::done("The database is migrated.")),
//!     code => Err(Failure::fatal("migration-failed", format!("exit {code}"))),
//! }
//! # }
//! ```
//!
//! [`poll_after_ms`]: crate::phase::Progressed

use crate::Failure;
use crate::bindings::host::lockgate::plugin::types::Field;
use crate::bindings::host::lockgate::process::run::Command;
pub use crate::bindings::host::lockgate::process::run::Status;

/// What is to be started.
#[derive(Debug, Clone)]
pub struct Tool(Command);

impl Tool {
    /// By the name an operator gave it, which is no path.
    pub fn new(name: &str) -> Self {
        Self(Command { tool: name.into(), args: Vec::new(), env: Vec::new(), stdin: Vec::new(), timeout_ms: 0 })
    }

    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.0.args.push(argument.into());
        self
    }

    pub fn args(mut self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.0.args.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// One of those that the operator lets the plugin set.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.env.push(Field { key: name.into(), value: value.into() });
        self
    }

    pub fn stdin(mut self, content: impl Into<Vec<u8>>) -> Self {
        self.0.stdin = content.into();
        self
    }

    /// Less than the operator's limit; more is that limit.
    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.0.timeout_ms = timeout_ms;
        self
    }

    /// Once for each key, whoever asks and how often.
    pub fn start(self, key: &str) -> Result<Run, Failure> {
        #[cfg(target_family = "wasm")]
        crate::bindings::host::lockgate::process::run::start(key, &self.0)?;
        #[cfg(not(target_family = "wasm"))]
        return Err(crate::not_in_a_host(&format!("the tool `{}` (key `{key}`)", self.0.tool)));
        #[cfg(target_family = "wasm")]
        Ok(Run::of(key))
    }
}

/// A run that was started, now or in an earlier call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    key: String,
}

impl Run {
    pub fn of(key: &str) -> Self {
        Self { key: key.into() }
    }

    /// What it has said from `offset` on, which counts both streams together. Waits for something new.
    pub fn poll(&self, offset: u32, wait_ms: u32) -> Result<Status, Failure> {
        #[cfg(target_family = "wasm")]
        return crate::bindings::host::lockgate::process::run::poll(&self.key, offset, wait_ms);
        #[cfg(not(target_family = "wasm"))]
        {
            let _ = (offset, wait_ms);
            Err(crate::not_in_a_host(&format!("the tool of `{}`", self.key)))
        }
    }

    /// Asks it to end; it is killed after a moment. [`Run::poll`] tells when it has ended.
    pub fn stop(&self) -> Result<(), Failure> {
        #[cfg(target_family = "wasm")]
        return crate::bindings::host::lockgate::process::run::stop(&self.key);
        #[cfg(not(target_family = "wasm"))]
        Err(crate::not_in_a_host(&format!("the tool of `{}`", self.key)))
    }
}
