//! `cargo xtask test`: all that must hold, in one command.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::workspace::Workspace;
use crate::{demo, plugins};

pub fn run() -> Result<ExitCode> {
    let started = Instant::now();
    let workspace = Workspace::find()?;
    step("Plugins");
    plugins::build(&workspace, plugins::PROFILE)?;
    step("Tests");
    workspace.cargo(&["test", "--workspace"])?;
    step("Demo");
    demo::run(&demo::Flags { json: true, keep: false })?;
    println!("\nAll tests passed, and the demo did, in {} s.", started.elapsed().as_secs());
    Ok(ExitCode::SUCCESS)
}

fn step(name: &str) {
    eprintln!("\n== {name}");
}
