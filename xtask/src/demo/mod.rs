//! `cargo xtask demo`: a release, a broken one, a crash and the way back, with the real host and real commands.

mod outside;
mod pages;
mod screen;
mod stage;
mod story;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;

use crate::plugins;
use crate::workspace::Workspace;
use screen::Screen;
use stage::Stage;

#[derive(Default)]
pub struct Flags {
    pub keep: bool,
    pub json: bool,
}

pub fn run(flags: &Flags) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    eprintln!("Building the host and the plugins. The first time, this takes minutes.");
    let binary = workspace.host("dev")?;
    let components = plugins::bundled(&workspace)?;

    let folder = tempfile::Builder::new().prefix("lockgate-demo-").tempdir().context("making a temporary folder")?;
    for component in &components {
        let name = component.file_name().context("a component is a file")?;
        std::fs::copy(component, folder.path().join(name)).with_context(|| component.display().to_string())?;
    }
    let started = Instant::now();
    let mut stage = Stage::set(folder.path(), &binary, Screen::new(flags.json))?;
    let mut reached = BTreeMap::new();
    let played = story::play(&mut stage, &mut reached);
    if flags.json {
        let summary = json!({
            "ok": played.is_ok(),
            "failure": played.as_ref().err().map(|error| format!("{error:#}")),
            "deployments": reached,
            "checks": stage.screen.checks(),
            "seconds": started.elapsed().as_secs(),
        });
        println!("{summary:#}");
    }
    if let Err(error) = played {
        eprintln!("\nThe demo did not go as it should. The host's log ends with:\n{}\n", stage.host.last_words());
        return Err(error);
    }
    stage.screen.done(&format!(
        "All {} checks hold, in {} s: two releases, one of them broken, one crash, and the shop is as it should be.",
        stage.screen.checks().len(),
        started.elapsed().as_secs()
    ));
    if flags.keep {
        keep(&stage, &binary)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Until Ctrl-C, which ends the host too; the folder stays.
fn keep(stage: &Stage, binary: &std::path::Path) -> Result<()> {
    let admin = stage.admin()?;
    // Beside the summary for scripts, if there is one.
    eprintln!(
        "\nEverything is still running: the host, the site at http://{}/ and the chat room. In another terminal:\n\n  \
         export LOCKGATE_PROJECT=shop LOCKGATE_URL={} LOCKGATE_TOKEN={}\n  \
         alias lockgate={}\n  \
         cd {}\n  \
         lockgate status\n\n\
         Ctrl-C ends it all but the folder: that stays until you delete it.",
        stage.site,
        stage.host.url(),
        admin.api.token,
        binary.display(),
        stage.folder.display(),
    );
    loop {
        std::thread::park();
    }
}
