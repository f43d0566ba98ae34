//! What tries a component on this machine, without a host: its file, and a sandbox that ends with the command.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::Path;

use lockgate_core::plugin::MOST_COMPONENT_BYTES;
use lockgate_sandbox::{Options, Sandbox};
use tempfile::TempDir;

use crate::cli::compiler;
use crate::cli::fail::CliError;

/// A host's own, with other settings only where it says so.
pub struct LocalSandbox {
    sandbox: Sandbox,
    _compiled: TempDir,
}

impl LocalSandbox {
    pub fn new(settings: impl FnOnce(Options) -> Options) -> Result<Self, CliError> {
        let compiled = tempfile::tempdir().map_err(|error| broken(format!("no folder for compiled code: {error}")))?;
        let options = Options::new(compiled.path(), compiler::command().map_err(broken)?);
        let sandbox = Sandbox::new(settings(Options { pooling: false, ..options })).map_err(broken)?;
        Ok(Self { sandbox, _compiled: compiled })
    }
}

impl Deref for LocalSandbox {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

/// This machine's trouble, not the component's.
pub fn broken(what: impl ToString) -> CliError {
    CliError::Host { what: what.to_string(), hint: String::new() }
}

pub fn component(file: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error: io::Error| {
        CliError::usage(format!("cannot read {}: {error}", file.display()), "name a .wasm component")
    };
    // A pipe would be waited for, and a device has no end.
    if !file.metadata().map_err(failed)?.is_file() {
        let what = format!("{} is not a file", file.display());
        return Err(CliError::usage(what, "name a .wasm component, such as `lockgate plugin build` makes"));
    }
    let mut content = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MOST_COMPONENT_BYTES + 1).read_to_end(&mut content));
    read.map_err(failed)?;
    Ok(content)
}
