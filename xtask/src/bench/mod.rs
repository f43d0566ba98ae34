//! `cargo xtask bench`: what the real host does on this machine, over HTTP, with its journal on this disk.

mod closed_loop;
mod disk;
#[cfg(feature = "sandbox")]
mod floor;
mod growth;
mod guests;
mod hostile;
mod load;
mod logs;
mod machine;
mod open_loop;
mod queue;
mod report;
mod restate;
#[cfg(feature = "sandbox")]
mod sandbox;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::plugins;
use crate::workspace::Workspace;

/// The command that a build with the sandbox in it answers; `bench` runs it by itself.
pub const IN_SANDBOX: &str = "bench-in-sandbox";
/// And this one: it becomes the program that follows, in turns as short as those of the thread that writes our journal.
pub const IN_SHORT_TURNS: &str = "bench-in-short-turns";
/// A phase that does what its configuration names; here, nothing.
const GUEST: &str = "hostile-phase";

pub const USAGE: &str = "\
Usage: cargo xtask bench [PART...] [--profile NAME] [--finished COUNT] [--history FOLDER]

Parts; all of them where none is named:
  acks           Triggers acknowledged: at a time, and at fixed rates
  deployments    Deployments of five trivial phases: latency, throughput, CPU, bytes written
  restate        The same beside Restate, in turns on the same disk; installed by npm
  queue          Ever more deployments waiting in one environment
  growth         Ever more finished deployments in 1,000 projects, at last with many that wait
  logs           Lines a second that guests write, and that many readers follow
  hostile        The API beside plugins that do their worst
  sandbox        Calls in the sandbox alone, in every language

  --profile NAME     of the host that is measured; `release`
  --finished COUNT   deployments of `growth` in all, shared by its 1,000 projects; 100000, some ten minutes
  --history FOLDER   where `growth` keeps what it makes, and goes on with it the next time: a million takes half an
                     hour, and 12 GB; the disk whose syncs the page tells is that of the target folder";

/// What all parts are measured with.
struct Bench {
    workspace: Workspace,
    profile: String,
    binary: PathBuf,
    component: PathBuf,
    /// In the target folder, not among temporary ones: those may be memory, which syncs at once.
    folder: PathBuf,
    finished: u64,
    /// Kept from one run to the next.
    history: Option<PathBuf>,
}

type Part = fn(&Bench) -> Result<Value>;

const PARTS: [(&str, Part); 8] = [
    ("acks", load::acks),
    ("deployments", load::deployments),
    ("restate", restate::measure),
    ("queue", queue::measure),
    ("growth", growth::measure),
    ("logs", logs::measure),
    ("hostile", hostile::measure),
    ("sandbox", in_sandbox),
];

#[derive(Debug, PartialEq)]
pub struct Wanted {
    profile: String,
    parts: Vec<&'static str>,
    finished: u64,
    history: Option<PathBuf>,
}

impl Wanted {
    pub fn parse(arguments: &[&str]) -> Result<Self> {
        let mut wanted = Self { profile: "release".to_owned(), parts: Vec::new(), finished: 100_000, history: None };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().with_context(|| format!("`{argument}` needs a value\n\n{USAGE}"));
            match *argument {
                "--profile" => wanted.profile = (*value()?).to_owned(),
                "--history" => wanted.history = Some(value()?.into()),
                "--finished" => {
                    wanted.finished = value()?.parse().context("`--finished` needs a number")?;
                    let shared = wanted.finished % growth::PROJECTS;
                    ensure!(shared == 0, "`--finished` is shared by {} projects: give thousands", growth::PROJECTS);
                }
                named => match PARTS.iter().find(|(part, _)| *part == named) {
                    Some((part, _)) => wanted.parts.push(part),
                    None => bail!("`bench` has no part or flag `{named}`\n\n{USAGE}"),
                },
            }
        }
        if wanted.parts.is_empty() {
            wanted.parts = PARTS.map(|(part, _)| part).into();
        }
        Ok(wanted)
    }
}

pub fn run(wanted: Wanted) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let Wanted { profile, parts, finished, history } = wanted;
    let folder = workspace.target.join("bench");
    std::fs::create_dir_all(&folder)?;
    let machine = machine::facts(&profile, &folder)?;
    eprintln!("Building the host with profile `{profile}`. The first time, this takes minutes.");
    workspace.build(&profile, &["--bin", "lockgate", "--bin", "xtask", "--features", "xtask/sandbox"])?;
    let (binary, component) = (workspace.binary(&profile, "lockgate"), plugins::guest(&workspace, GUEST)?);
    let bench = Bench { workspace, profile, binary, component, folder, finished, history };
    eprintln!("Measuring the disk");
    let mut measured = json!({ "machine": machine, "fdatasync": disk::fdatasync(bench.data()?.path())? });
    for (part, measure) in PARTS.iter().filter(|(part, _)| parts.contains(part)) {
        measured[part] = measure(&bench).with_context(|| format!("measuring `{part}`"))?;
        measured["machine"]["load_after"] = json!(machine::load());
        // After each, so that what fails takes nothing of the others along.
        bench.write(&measured)?;
    }
    println!("{}", report::readable(&measured));
    eprintln!("Written: {}", bench.folder.join("report.md").display());
    Ok(ExitCode::SUCCESS)
}

impl Bench {
    /// For one host; gone with what is returned.
    fn data(&self) -> Result<TempDir> {
        tempfile::tempdir_in(&self.folder).context("making a folder for the measured host")
    }

    fn write(&self, measured: &Value) -> Result<()> {
        std::fs::write(self.folder.join("report.md"), report::readable(measured))?;
        Ok(std::fs::write(self.folder.join("report.json"), format!("{measured:#}\n"))?)
    }
}

/// Asked of the build of ourselves that has the sandbox in it: too large a thing for all who never measure it.
fn in_sandbox(bench: &Bench) -> Result<Value> {
    let gates = guests::gates(&bench.workspace, &bench.binary)?;
    eprintln!("Calls in the sandbox alone");
    let mut command = Command::new(bench.workspace.binary(&bench.profile, "xtask"));
    command.arg(IN_SANDBOX).arg(&bench.component).stderr(Stdio::inherit());
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
    let phase = std::path::Path::new(phase);
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

#[cfg(feature = "sandbox")]
pub fn in_short_turns(program: &str, arguments: &[&str]) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt as _;
    lockgate_journal::in_short_turns();
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("{program} does not start"))
}

#[cfg(not(feature = "sandbox"))]
pub fn in_short_turns(_program: &str, _arguments: &[&str]) -> Result<ExitCode> {
    bail!("this build cannot do that; run `cargo xtask bench`")
}

/// The middle one of some, by their size.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
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
    fn all_parts_are_measured_unless_some_are_named() {
        let parts = |arguments: &[&str]| Wanted::parse(arguments).unwrap().parts;
        assert_eq!(parts(&["--finished", "7000"]).len(), PARTS.len());
        assert_eq!(parts(&["logs", "--profile", "dev", "acks"]), ["logs", "acks"]);
    }

    #[test]
    fn every_part_stands_in_the_usage_and_an_unknown_one_is_answered_with_it() {
        for (part, _) in PARTS {
            assert!(USAGE.contains(&format!("\n  {part} ")), "{part}");
        }
        let refused = Wanted::parse(&["logs", "speed"]).unwrap_err().to_string();
        assert!(refused.contains("no part or flag `speed`") && refused.ends_with(USAGE), "{refused}");
    }

    #[test]
    fn nothing_measured_is_nothing() {
        assert_eq!(spread(Vec::new())["p50_us"], 0);
    }
}
