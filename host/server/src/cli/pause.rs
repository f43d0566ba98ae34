//! `lockgate pause` and `lockgate resume`: stop deployments from starting, and let them.

use clap::Args;

use crate::cli::environment::shown;
use crate::cli::fail::CliError;
use crate::cli::look::{Look, printable};
use crate::cli::session::Session;
use crate::cli::target::ProjectArg;
use crate::client::PausedPlace;
use crate::wire::{Environment, Pause, Project};

/// Of the whole project, where no environment is named.
#[derive(Debug, Args)]
struct ScopeArgs {
    #[command(flatten)]
    project: ProjectArg,

    /// Only this environment.
    #[arg(short, long)]
    environment: Option<String>,

    /// Of the environment, only what its schedule starts.
    #[arg(long, requires = "environment")]
    schedule: bool,
}

#[derive(Debug, Args)]
pub struct PauseArgs {
    #[command(flatten)]
    scope: ScopeArgs,

    /// For whoever has to wait.
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Debug, Args)]
pub struct ResumeArgs {
    #[command(flatten)]
    scope: ScopeArgs,
}

impl ScopeArgs {
    fn place(&self) -> Option<PausedPlace<'_>> {
        let environment = self.environment.as_deref()?;
        Some(if self.schedule { PausedPlace::Schedule(environment) } else { PausedPlace::Environment(environment) })
    }
}

impl PauseArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let (client, name) = (&session.client, &self.scope.project.project);
        match self.scope.place() {
            Some(place) => {
                let environment = client.pause(name, place, self.reason.clone()).await?;
                session.out.answer(&environment, shown);
            }
            None => session.out.answer(&client.pause_project(name, self.reason).await?, project),
        }
        Ok(())
    }
}

impl ResumeArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let (client, name) = (&session.client, &self.scope.project.project);
        match self.scope.place() {
            Some(place) => session.out.answer(&client.resume(name, place).await?, shown),
            None => session.out.answer(&client.resume_project(name).await?, project),
        }
        Ok(())
    }
}

fn project(look: &Look, project: &Project) -> String {
    match &project.paused {
        Some(paused) => format!("{}: {}", look.strong(&project.name), pause(look, paused)),
        None => format!("{}: deployments start again, in order", look.strong(&project.name)),
    }
}

/// `paused by ann 3 min ago: maintenance`.
pub fn pause(look: &Look, pause: &Pause) -> String {
    let why = if pause.reason.is_empty() { String::new() } else { format!(": {}", printable(&pause.reason)) };
    format!("paused by {} {}{why}", printable(&pause.by), look.relative(&pause.at))
}

/// What is said of an environment where something holds it up.
pub fn of_environment(look: &Look, environment: &Environment) -> Vec<String> {
    let operations = &environment.operations;
    let of_schedule =
        operations.schedule_paused.as_ref().map(|paused| format!("its schedule is {}", pause(look, paused)));
    operations.paused.as_ref().map(|paused| pause(look, paused)).into_iter().chain(of_schedule).collect()
}
