//! Lockgate: how it happens. The host, its HTTP API, and the commands that are clients of it.

pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod driver;
mod elsewhere;
pub mod http;
mod printable;
pub mod project_file;
mod signature;
mod sigstore;
pub mod wire;
