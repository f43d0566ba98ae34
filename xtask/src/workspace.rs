//! Where this workspace and its target folder are, and cargo run in it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::json;

pub struct Workspace {
    pub root: PathBuf,
    /// Cargo's, wherever the environment or a configuration puts it.
    pub target: PathBuf,
}

impl Workspace {
    pub fn find() -> Result<Self> {
        // Where cargo says that we are now: a target folder may be shared with a clone that is gone.
        let here = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&here).parent().context("xtask lies in the workspace")?;
        let mut command = cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1"]).current_dir(root);
        let output = command.output().context("`cargo metadata` does not start")?;
        let metadata = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr)))?;
        Ok(Self { root: root.to_owned(), target: json::text(&metadata, "/target_directory").into() })
    }

    /// Shows what cargo shows.
    pub fn cargo(&self, arguments: &[&str]) -> Result<()> {
        let status = cargo().args(arguments).current_dir(&self.root).status().context("cargo does not start")?;
        if !status.success() {
            bail!("`cargo {}` failed", arguments.join(" "));
        }
        Ok(())
    }

    /// Builds the host; says where its binary is.
    pub fn host(&self, profile: &str) -> Result<PathBuf> {
        self.build(profile, &["--bin", "lockgate"])?;
        Ok(self.binary(profile, "lockgate"))
    }

    /// Always for the whole workspace: what cargo builds for a part of it has other features, and would be built again.
    pub fn build(&self, profile: &str, what: &[&str]) -> Result<()> {
        self.cargo(&[["build", "--workspace", "--profile", profile].as_slice(), what].concat())
    }

    pub fn binary(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(folder_of(profile)).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}

/// The cargo that runs us, so that `cargo +1.95 xtask` means what it says; without what it told us about our own
/// package, for crates that look at that, such as `ring`, would be built again, and with them half of the host.
fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let of_our_package = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    for name in env::vars_os().map(|(name, _)| name).filter(of_our_package) {
        cargo.env_remove(name);
    }
    cargo
}

/// Cargo's folder for a profile: `dev` is the one that is called otherwise.
pub fn folder_of(profile: &str) -> &str {
    if profile == "dev" { "debug" } else { profile }
}
