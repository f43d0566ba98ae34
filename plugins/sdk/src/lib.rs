//! What a Lockgate plugin in Rust is written with.
//!
//! A plugin is one type with one trait ([`phase::Phase`], [`gate::Gate`] or [`target::Target`]) and one macro
//! that exports it. Configuration, subject and cursor arrive as Rust values; what does not parse is answered
//! before the plugin is asked.
//!
//! ```
//! use lockgate_sdk::phase::*;
//!
//! #[derive(serde::Deserialize)]
//! pub struct Config { url: String }
//!
//! pub struct Notify;
//!
//! impl Phase for Notify {
//!     type Config = Config;
//!
//!     fn describe() -> Description {
//!         describe!("Tells a chat room what was released.").http_from_config("/url")
//!     }
//!
//!     fn advance(call: Call, config: Config, subject: Subject, _: Cursor) -> Result<Progressed, Failure> {
//!         let text = format!("{} is on its way to {}", subject.release.tag, subject.environment);
//!         let request = http::post(&config.url).idempotency_key(&call).json(&json!({ "text": text }));
//!         request.send()?.error_for_status()?;
//!         Ok(Progressed::done("The room was told."))
//!     }
//! }
//!
//! lockgate_sdk::export_phase!(Notify);
//! ```
//!
//! A component is a `cdylib`; as `rlib` too it can be tested:
//!
//! ```toml
//! [package]
//! name = "notify" # the plugin's name
//! version = "1.0.0"
//! edition = "2024"
//!
//! [lib]
//! crate-type = ["cdylib", "rlib"]
//!
//! [dependencies]
//! lockgate-sdk = { path = "../sdk" }
//! serde = { version = "1", features = ["derive"] }
//! ```
//!
//! Build it with `cargo build --release --target wasm32-wasip2`. Everything compiles natively too, for unit tests: there,
//! [`log`] writes to standard error, [`progress`] and [`control`] answer nothing, and what only a host can do
//! ([`http`], [`artifacts`], [`state`], [`secrets`], [`tool`]) answers a failure `not-in-a-host`.

#[doc(hidden)]
pub mod bindings;

pub mod artifacts;
pub mod control;
mod cursor;
mod describe;
mod export;
mod failure;
pub mod gate;
pub mod http;
pub mod log;
pub mod phase;
pub mod progress;
pub mod secrets;
pub mod state;
mod subject;
pub mod target;
pub mod tool;

pub use bindings::host::lockgate::plugin::types::{Call, Failure, Issue, Retry};
pub use cursor::Cursor;
pub use describe::{Access, Description};
pub use export::parse_config;
pub use serde_json::{Value, json};
pub use subject::{Artifact, Release, Subject};

/// Parsing and writing JSON, so that a plugin needs no dependency of its own for it.
pub use serde_json as json;

/// In the place of an answer, where no host listens: a unit test.
#[cfg(not(target_family = "wasm"))]
fn not_in_a_host(what: &str) -> Failure {
    Failure::fatal("not-in-a-host", format!("{what} needs a host; this is a native build"))
}
