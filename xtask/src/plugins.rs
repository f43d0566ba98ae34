//! Builds the bundled plugins, and the tests' guests, to WebAssembly components.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::workspace::{Workspace, folder_of};

pub const PROFILE: &str = "guest";
const TARGET: &str = "wasm32-wasip2";
const BUNDLED: [&str; 3] = ["http-request", "http-check", "static-site"];

pub fn run(profile: &str) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    for component in build(&workspace, profile)? {
        let size_kib = std::fs::metadata(&component).map(|metadata| metadata.len() / 1024);
        println!("{:>6} KiB  {}", size_kib.with_context(|| component.display().to_string())?, component.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds everything that is a guest; answers with the components' paths.
pub fn build(workspace: &Workspace, profile: &str) -> Result<Vec<PathBuf>> {
    let mut packages: Vec<String> = BUNDLED.map(str::to_owned).into();
    packages.extend(test_guests(&workspace.root)?);
    compile(workspace, profile, &packages)
}

/// Builds the plugins that come with Lockgate.
pub fn bundled(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    compile(workspace, PROFILE, &BUNDLED.map(str::to_owned))
}

/// Builds one package that is a guest.
pub fn guest(workspace: &Workspace, package: &str) -> Result<PathBuf> {
    compile(workspace, PROFILE, &[package.to_owned()])?;
    Ok(component(&workspace.target, PROFILE, package))
}

fn compile(workspace: &Workspace, profile: &str, packages: &[String]) -> Result<Vec<PathBuf>> {
    ensure_target()?;
    let mut arguments = vec!["build", "--lib", "--target", TARGET, "--profile", profile];
    packages.iter().for_each(|package| arguments.extend(["--package", package]));
    workspace.cargo(&arguments)?;
    Ok(packages.iter().map(|package| component(&workspace.target, profile, package)).collect())
}

/// Packages in `tests/guests` have the names of their folders.
fn test_guests(root: &Path) -> Result<Vec<String>> {
    let folder = root.join("tests/guests");
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let packages = entries.filter_map(Result::ok).filter(|entry| entry.path().join("Cargo.toml").is_file());
    let mut names: Vec<String> = packages.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn component(target: &Path, profile: &str, package: &str) -> PathBuf {
    target.join(TARGET).join(folder_of(profile)).join(format!("{}.wasm", package.replace('-', "_")))
}

fn ensure_target() -> Result<()> {
    if has_target()? {
        return Ok(());
    }
    eprintln!("Adding the compiler's target for plugins: rustup target add {TARGET}");
    let added = Command::new("rustup").args(["target", "add", TARGET]).status();
    if added.is_ok_and(|status| status.success()) && has_target()? {
        return Ok(());
    }
    bail!(
        "the Rust target {TARGET} is not installed and `rustup target add {TARGET}` did not install it\n\
         With rustup (https://rustup.rs) and a network, run that command and try again. With a Rust from elsewhere,\n\
         install its {TARGET} standard library: plugins are WebAssembly components."
    );
}

fn has_target() -> Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let folder = output.context("rustc does not start; install Rust with https://rustup.rs")?.stdout;
    Ok(Path::new(String::from_utf8_lossy(&folder).trim()).is_dir())
}
