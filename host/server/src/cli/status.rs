//! `lockgate status`: what is live in each environment, what is under way, and what waits and why.

use clap::Args;
use serde::Serialize;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, or_dash, printable};
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::target::ProjectArg;
use crate::wire::{CurrentRelease, Deployment, Environment, Project};

/// A long queue is told by its head.
const MAX_SHOWN_PER_ENVIRONMENT: usize = 5;

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    project: ProjectArg,
}

#[derive(Debug, Serialize)]
struct Status {
    project: Project,
    /// Those that hold a slot or wait for one.
    deployments: Vec<Deployment>,
}

impl StatusArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let project = session.client.project(&self.project.project).await?;
        let mut deployments = Vec::new();
        for number in project.environments.iter().flat_map(unfinished) {
            deployments.push(session.client.deployment(&project.name, number).await?);
        }
        session.out.answer(&Status { project, deployments }, status);
        Ok(())
    }
}

fn unfinished(environment: &Environment) -> impl Iterator<Item = u64> + '_ {
    let queue = environment.queue.iter().copied().filter(|number| Some(*number) != environment.active);
    environment.active.into_iter().chain(queue).take(MAX_SHOWN_PER_ENVIRONMENT)
}

fn status(look: &Look, Status { project, deployments }: &Status) -> String {
    let mut parts =
        vec![format!("{}  {}", look.strong(&project.name), printable(&project.description)).trim_end().to_owned()];
    let header = ["ENVIRONMENT", "LIVE", "SINCE", "CURRENT", "DEPLOYMENT", "QUEUE", "ROLLBACK TO"];
    parts.push(look.table(&header, project.environments.iter().map(|environment| row(look, environment, deployments))));
    parts.extend(project.environments.iter().filter(|environment| environment.differs).map(|e| difference(look, e)));
    parts.extend(deployments.iter().filter(|deployment| !deployment.waiting_for.is_empty()).map(|d| waiting(look, d)));
    parts.join("\n\n")
}

fn row(look: &Look, environment: &Environment, deployments: &[Deployment]) -> Vec<String> {
    let live = environment.live.as_ref();
    let active = environment.active.map(|number| {
        let status = deployments.iter().find(|deployment| deployment.number == number).map(|d| d.status.as_str());
        format!("{number} {}", status.unwrap_or_default())
    });
    let current = match &environment.current {
        Some(current) if environment.differs => current.release.clone(),
        Some(_) => "same".to_owned(),
        None => String::new(),
    };
    vec![
        environment.name.clone(),
        or_dash(live.map(|live| live.release.clone()).unwrap_or_default()),
        or_dash(live.map(|live| look.relative(&live.since)).unwrap_or_default()),
        or_dash(current),
        or_dash(active.unwrap_or_default()),
        or_dash(queue(environment)),
        or_dash(environment.rollback_to.clone().unwrap_or_default()),
    ]
}

/// `8 9`, and how many more there are.
fn queue(environment: &Environment) -> String {
    let shown = environment.queue.iter().take(MAX_SHOWN_PER_ENVIRONMENT).map(u64::to_string);
    let mut shown: Vec<String> = shown.collect();
    let more = environment.waiting.saturating_sub(shown.len());
    shown.extend((more > 0).then(|| format!("+{more}")));
    shown.join(" ")
}

/// Said plainly, because users may be getting a mixture.
fn difference(look: &Look, environment: &Environment) -> String {
    let live = environment.live.as_ref().map_or("nothing", |live| live.release.as_str());
    let current = match &environment.current {
        Some(CurrentRelease { release, deployment, .. }) if environment.active == Some(*deployment) => {
            format!("{release} is being applied by deployment {deployment}")
        }
        Some(CurrentRelease { release, deployment, .. }) => {
            format!("{release} was left half-way by deployment {deployment}")
        }
        None => "nobody knows how its targets are".to_owned(),
    };
    look.paint(Tone::Waiting, &format!("{}: {live} is live, but {current}", environment.name))
}

fn waiting(look: &Look, deployment: &Deployment) -> String {
    let mut lines = vec![show::title(look, deployment)];
    lines.extend(deployment.waiting_for.iter().map(|blocker| format!("  waits for {}", show::blocked(look, blocker))));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::cli::show::testing::pending;
    use crate::wire::LiveRelease;

    #[test]
    fn the_status_says_what_is_live_and_what_waits() {
        let live = |release: &str, deployment| LiveRelease {
            release: release.to_owned(),
            deployment,
            since: "2026-03-11T09:00:00Z".to_owned(),
        };
        let current = |release: &str, deployment| CurrentRelease {
            release: release.to_owned(),
            deployment,
            since: "2026-03-14T09:00:00Z".to_owned(),
        };
        let empty = Environment {
            name: "preview".to_owned(),
            live: None,
            current: None,
            differs: false,
            active: None,
            queue: vec![],
            waiting: 0,
            rollback_to: None,
        };
        let staging = Environment {
            name: "staging".to_owned(),
            live: Some(live("v1.4.0", 6)),
            current: Some(current("v1.4.0", 6)),
            rollback_to: Some("v1.3.0".to_owned()),
            ..empty.clone()
        };
        let production = Environment {
            name: "production".to_owned(),
            live: Some(live("v1.3.0", 3)),
            current: Some(current("v1.3.1", 5)),
            differs: true,
            active: Some(7),
            queue: vec![8, 9],
            waiting: 2,
            rollback_to: Some("v1.3.0".to_owned()),
        };
        let project = Project {
            name: "shop".to_owned(),
            description: "The shop's site".to_owned(),
            applications: vec!["web".to_owned()],
            workflows: vec!["publish".to_owned()],
            environments: vec![empty, staging, production],
        };
        assert_eq!(project.environments.iter().flat_map(unfinished).collect::<Vec<_>>(), [7, 8, 9]);
        expect![[r#"
            shop  The shop's site

            ENVIRONMENT  LIVE    SINCE    CURRENT  DEPLOYMENT          QUEUE  ROLLBACK TO
            preview      -       -        -        -                   -      -
            staging      v1.4.0  3 d ago  same     -                   -      v1.3.0
            production   v1.3.0  3 d ago  v1.3.1   7 PENDING_APPROVAL  8 9    v1.3.0

            production: v1.3.0 is live, but v1.3.1 was left half-way by deployment 5

            shop/7  v1.4.0 to production  FULL  PENDING_APPROVAL
              waits for approval: 1 of operators, not ann   until 13 Apr 09:28 (in 29 d)"#]]
        .assert_eq(&status(&look(), &Status { project, deployments: vec![pending()] }));
    }
}
