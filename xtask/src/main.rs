//! The chores behind `cargo xtask`.

mod bench;
mod demo;
mod host;
mod http;
mod json;
mod plugins;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  demo [--keep] [--json]        A release, a broken one, a crash and the way back, with the real host
       --keep                   leaves everything running, to go on by hand
       --json                   prints a summary for scripts and nothing else
  test                          Builds the plugins, runs every test, then the demo
  plugins [--profile NAME]      Builds the bundled plugins to WebAssembly (profile `guest`)
  bench [PART...]               Measures the host on this machine; `bench --help` names the parts";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["bench", "--help" | "-h"] => {
            println!("{}", bench::USAGE);
            Ok(ExitCode::SUCCESS)
        }
        ["help" | "--help" | "-h"] | [_, "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        ["demo", flags @ ..] => demo::run(&demo_flags(flags)?),
        ["test"] => test::run(),
        ["plugins", flags @ ..] => plugins::run(profile(flags, plugins::PROFILE)?),
        ["bench", flags @ ..] => bench::run(bench::Wanted::parse(flags)?),
        [bench::IN_SANDBOX, components @ ..] => bench::measure_in_sandbox(components),
        [bench::IN_SHORT_TURNS, program, arguments @ ..] => bench::in_short_turns(program, arguments),
        [] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        [unknown, ..] => bail!("there is no `cargo xtask {unknown}`\n\n{USAGE}"),
    }
}

fn demo_flags(flags: &[&str]) -> Result<demo::Flags> {
    let mut demo = demo::Flags::default();
    for flag in flags {
        match *flag {
            "--keep" => demo.keep = true,
            "--json" => demo.json = true,
            unknown => bail!("`demo` has no flag `{unknown}`\n\n{USAGE}"),
        }
    }
    Ok(demo)
}

fn profile<'a>(flags: &[&'a str], default: &'a str) -> Result<&'a str> {
    match flags {
        [] => Ok(default),
        ["--profile", name] => Ok(name),
        _ => bail!("expected `--profile NAME` or nothing, not `{}`\n\n{USAGE}", flags.join(" ")),
    }
}
