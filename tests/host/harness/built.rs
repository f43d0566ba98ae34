//! What cargo builds for the tests, once in a run: the host's binary and the components.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const GUEST_TARGET: &str = "wasm32-wasip2";
const GUEST_PROFILE: &str = "guest";
const GUESTS: [&str; 9] = [
    "http-check",
    "http-request",
    "static-site",
    "counting-phase",
    "hostile-phase",
    "scripted-gate",
    "scripted-target",
    "tool-phase",
    "wrong-world",
];

pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let profile = profile_folder();
        // Of the whole workspace, as the tests are: for a part of it cargo would build wasmtime again.
        let mut arguments = vec!["build", "--workspace", "--bin", "lockgate"];
        if profile.ends_with("release") {
            arguments.push("--release");
        }
        cargo(&arguments);
        profile.join(format!("lockgate{}", std::env::consts::EXE_SUFFIX))
    })
}

/// The file system that forgets: a package of its own beside the workspace.
pub fn amnesia() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let target = profile_folder().parent().unwrap().join("amnesia");
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/amnesia/Cargo.toml");
        cargo(&["build", "--locked", "--manifest-path", manifest, "--target-dir", target.to_str().unwrap()]);
        target.join("debug/lockgate-amnesia")
    })
}

/// The bytes of a component, by the name of its package.
pub fn component(package: &str) -> Vec<u8> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let mut arguments = vec!["build", "--lib", "--target", GUEST_TARGET, "--profile", GUEST_PROFILE];
        GUESTS.iter().for_each(|guest| arguments.extend(["--package", guest]));
        cargo(&arguments);
        profile_folder().parent().unwrap().join(GUEST_TARGET).join(GUEST_PROFILE)
    });
    let path = folder.join(format!("{}.wasm", package.replace('-', "_")));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `target/debug`, from `target/debug/deps/host-0123`: wherever cargo was told to put it.
pub fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

fn cargo(arguments: &[&str]) {
    let target = profile_folder().parent().unwrap().to_owned();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(arguments).arg("--quiet");
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).env("CARGO_TARGET_DIR", target);
    // Crates that look at these, such as `ring`, would be built again, and with them half of the host.
    let of_our_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars().filter(|(name, _)| of_our_package(name)) {
        cargo.env_remove(name);
    }
    let status = cargo.status().unwrap();
    assert!(status.success(), "`cargo {}` failed", arguments.join(" "));
}
