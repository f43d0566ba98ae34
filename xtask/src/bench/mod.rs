//! `cargo xtask bench`: what the real host does on this machine, over HTTP, with its journal on this disk.

mod disk;
#[cfg(feature = "sandbox")]
mod floor;
mod guests;
mod hostile;
mod load;
mod machine;
mod queue;
mod report;
#[cfg(feature = "sandbox")]
mod sandbox;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::host::Host;
use crate::plugins;
use crate::workspace::Workspace;

/// The command that a build with the sandbox in it answers; `bench` runs it by itself.
pub const IN_SANDBOX: &str = "bench-in-sandbox";
/// A phase that does what its configuration names; here, nothing.
const GUEST: &str = "hostile-phase";

pub fn run(profile: &str) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let machine = machine::facts(profile)?;
    eprintln!("Building the host with profile `{profile}`. The first time, this takes minutes.");
    workspace.build(profile, &["--bin", "lockgate", "--bin", "xtask", "--features", "xtask/sandbox"])?;
    let binary = workspace.binary(profile, "lockgate");
    let component = plugins::guest(&workspace, GUEST)?;

    // In the target folder, not in a temporary one: that may be memory, which syncs at once.
    let bench = workspace.target.join("bench");
    std::fs::create_dir_all(&bench)?;
    let folder = tempfile::tempdir_in(&bench).context("making a folder for the measured host")?;
    eprintln!("Measuring the disk");
    let disk = disk::fdatasync(folder.path())?;
    let host = Host::start(&binary, &folder.path().join("data"))?;
    let load = load::Load::prepare(&host, &component)?;
    let mut acks = Vec::new();
    for concurrency in [1, 64] {
        eprintln!("Triggers, {concurrency} at a time");
        acks.push(load.acks(concurrency)?);
    }
    let mut deployments = Vec::new();
    for concurrency in [1, 16, 64] {
        eprintln!("Deployments of five phases, {concurrency} at a time");
        deployments.push(load.deployments(concurrency)?);
    }
    drop(host);
    let mut host = Host::start(&binary, &folder.path().join("crowd"))?;
    let queue = queue::measure(&mut host, &component)?;
    drop(host);
    eprintln!("Hostile plugins");
    let hostile = hostile::measure(&binary, &folder.path().join("hostile"), &component)?;
    let gates = guests::gates(&workspace, &binary)?;
    let measured = json!({
        "machine": machine,
        "fdatasync": disk,
        "acks": acks,
        "deployments": deployments,
        "queue": queue,
        "hostile": hostile,
        "sandbox": in_sandbox(&workspace, profile, &component, &gates)?,
    });
    let readable = report::readable(&measured);
    println!("{readable}");
    std::fs::write(bench.join("report.md"), &readable)?;
    std::fs::write(bench.join("report.json"), format!("{measured:#}\n"))?;
    eprintln!("Written: {}", bench.join("report.md").display());
    Ok(ExitCode::SUCCESS)
}

/// Asked of the build of ourselves that has the sandbox in it: too large a thing for all who never measure it.
fn in_sandbox(workspace: &Workspace, profile: &str, phase: &Path, gates: &[(String, PathBuf)]) -> Result<Value> {
    eprintln!("Calls in the sandbox alone");
    let mut command = Command::new(workspace.binary(profile, "xtask"));
    command.arg(IN_SANDBOX).arg(phase).stderr(Stdio::inherit());
    for (language, gate) in gates {
        command.arg(language).arg(gate);
    }
    let output = command.output()?;
    if !output.status.success() {
        bail!("measuring calls failed");
    }
    serde_json::from_slice(&output.stdout).context("the measured calls")
}

/// A phase, then language and gate as often as there are languages.
#[cfg(feature = "sandbox")]
pub fn measure_in_sandbox(arguments: &[&str]) -> Result<ExitCode> {
    let [phase, gates @ ..] = arguments else { bail!("no component was named") };
    let phase = Path::new(phase);
    let gates: Vec<(String, PathBuf)> =
        gates.chunks_exact(2).map(|pair| (pair[0].to_owned(), PathBuf::from(pair[1]))).collect();
    let measured = json!({
        "phase": sandbox::phase(phase)?,
        "languages": sandbox::languages(&gates)?,
        "overruns": sandbox::overruns(phase)?,
    });
    println!("{measured}");
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(feature = "sandbox"))]
pub fn measure_in_sandbox(_arguments: &[&str]) -> Result<ExitCode> {
    bail!("this build has no sandbox in it; run `cargo xtask bench`")
}

/// Percentiles of durations in microseconds.
fn spread(micros: Vec<u64>) -> Value {
    percentiles(micros, |micros| json!(micros))
}

/// The same of shorter ones, in microseconds with one digit behind the point.
#[cfg(feature = "sandbox")]
fn spread_of_nanos(nanos: Vec<u64>) -> Value {
    percentiles(nanos, |nanos| json!((nanos as f64 / 100.0).round() / 10.0))
}

fn percentiles(mut durations: Vec<u64>, in_micros: impl Fn(u64) -> Value) -> Value {
    durations.sort_unstable();
    let at = |share: f64| {
        let place = (durations.len() as f64 * share).ceil() as usize;
        in_micros(durations.get(place.clamp(1, durations.len().max(1)) - 1).copied().unwrap_or_default())
    };
    json!({
        "count": durations.len(),
        "p50_us": at(0.5),
        "p99_us": at(0.99),
        "p999_us": at(0.999),
        "max_us": in_micros(durations.last().copied().unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let spread = spread((1..=1000).rev().collect());
        assert_eq!(spread["p50_us"], 500);
        assert_eq!(spread["p99_us"], 990);
        assert_eq!(spread["p999_us"], 999);
        assert_eq!(spread["max_us"], 1000);
    }

    #[test]
    fn nothing_measured_is_nothing() {
        assert_eq!(spread(Vec::new())["p50_us"], 0);
    }
}
