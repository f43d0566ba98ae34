//! Flags that many commands share.

use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use crate::cli::fail::CliError;
use crate::cli::live::{self, Watch, What};
use crate::cli::session::Session;
use crate::cli::show;
pub use crate::config::ProjectArg;
use crate::wire::Deployment;

#[derive(Debug, Clone, Args)]
pub struct DeploymentArg {
    /// The deployment's number.
    #[arg(value_name = "NUMBER", value_parser = number)]
    pub number: u64,

    #[command(flatten)]
    pub project: ProjectArg,
}

/// `7`, as tables show it, or `#7`, as people write it.
fn number(text: &str) -> Result<u64, String> {
    text.trim_start_matches('#').parse().map_err(|_| "expected the number of a deployment, such as 7".to_owned())
}

#[derive(Debug, Clone, Args)]
pub struct WaitArgs {
    /// Watch the deployment until it ends; the exit code tells how.
    #[arg(short, long)]
    pub wait: bool,

    /// With --wait: how long, such as `90s` or `1h30m`. The deployment itself goes on.
    #[arg(long, requires = "wait", value_parser = timeout, value_name = "DURATION")]
    pub timeout: Option<Duration>,
}

pub fn timeout(text: &str) -> Result<Duration, String> {
    let no_duration = || "expected a duration, such as 90s, 10m or 1h30m".to_owned();
    let duration: SignedDuration = text.parse().map_err(|_| no_duration())?;
    Duration::try_from(duration).ok().filter(|duration| !duration.is_zero()).ok_or_else(no_duration)
}

impl WaitArgs {
    /// Shows a deployment that a command has just set going, or watches what happens to it after `events_after`.
    pub async fn show(&self, session: &Session, deployment: Deployment, events_after: u64) -> Result<(), CliError> {
        if !self.wait {
            session.out.answer(&deployment, show::deployment);
            return Ok(());
        }
        let watch = Watch { what: What::Deployment { events_after }, timeout: self.timeout };
        live::watch(session, deployment, watch).await
    }

    /// A deployment as it is after a change: what happened before the change is not told again.
    pub async fn show_changed(&self, session: &Session, deployment: Deployment) -> Result<(), CliError> {
        let events_after = deployment.last_event;
        self.show(session, deployment, events_after).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_written_as_people_write_it() {
        let read = ["90s", "10m", "1h30m", "2 min"].map(|text| timeout(text).unwrap().as_secs());
        assert_eq!(read, [90, 600, 5_400, 120]);
        for wrong in ["", "10", "-5s", "0s", "soon"] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_deployment_is_numbered_with_or_without_a_hash() {
        assert_eq!(["7", "#7"].map(number), [Ok(7), Ok(7)]);
        assert!(number("v7").is_err());
    }
}
