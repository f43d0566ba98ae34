//! Components are compiled in a process beside the host, which must not outlive it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{Host, binary, wait};

/// A phase by its exports; its one function keeps a compiler busy for longer than any test waits.
fn laborious() -> Vec<u8> {
    let step = "local.get 0 local.get 1 i32.mul local.get 1 i32.add local.tee 1 i32.load local.set 0 ";
    let function = format!("(func (param i32 i32) {})", step.repeat(400_000));
    let text = format!(
        r#"(component (core module (memory 1) {function}) (instance $i)
            (export "lockgate:phase/phase@0.1.0" (instance $i)))"#
    );
    wat::parse_str(text).unwrap()
}

/// `lockgate plugin add`, while the host compiles what it was given; and the number of the process that does.
fn adding_something_laborious(host: &Host) -> (Child, u32) {
    let file = host.place("components").join("laborious.wasm");
    fs::write(&file, laborious()).unwrap();
    let adding = Command::new(binary())
        .args(["plugin", "add"])
        .arg(file)
        .env_clear()
        .env("LOCKGATE_URL", format!("http://{}", host.address()))
        .env("LOCKGATE_TOKEN", &host.admin().secret)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    (adding, wait("the host to compile", || child_of(host.process_id())))
}

fn child_of(parent: u32) -> Option<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.into_iter().find(|process: &u32| {
        // The name, which may have spaces, stands in brackets; then come the state and the parent.
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default().split_whitespace().nth(1);
        after_name == Some(&parent.to_string())
    })
}

fn is_gone(process: u32) -> Option<()> {
    (!Path::new("/proc").join(process.to_string()).exists()).then_some(())
}

#[test]
fn a_host_that_is_told_to_stop_does_not_wait_for_a_compiler() {
    let host = Host::start();
    let (adding, compiler) = adding_something_laborious(&host);
    assert!(Command::new("kill").arg(host.process_id().to_string()).status().unwrap().success());
    let said = String::from_utf8(adding.wait_with_output().unwrap().stderr).unwrap();
    assert!(said.contains("the host stops; add the plugin again when it is back"), "{said}");
    wait("the compiler to end", || is_gone(compiler));
}

#[test]
fn a_compiler_dies_with_a_host_that_is_killed() {
    let mut host = Host::start();
    let (mut adding, compiler) = adding_something_laborious(&host);
    host.kill();
    wait("the compiler to end", || is_gone(compiler));
    assert_ne!(adding.wait().unwrap().code(), Some(0));
}

#[test]
fn a_compiler_that_is_killed_leaves_a_host_that_compiles_the_next_component() {
    let host = Host::start();
    let (adding, compiler) = adding_something_laborious(&host);
    assert!(Command::new("kill").args(["-KILL", &compiler.to_string()]).status().unwrap().success());
    let said = String::from_utf8(adding.wait_with_output().unwrap().stderr).unwrap();
    assert!(said.contains("the compiler died of the component (signal: 9 (SIGKILL))"), "{said}");
    host.plugin("hostile-phase", &[]);
}
