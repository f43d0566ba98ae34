//! `lockgate status`: what is live in each environment, what is under way, and what waits and why.

use std::collections::BTreeSet;

use clap::Args;
use serde::Serialize;

use crate::cli::environment::differing;
use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, or_dash, printable};
use crate::cli::pause;
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
    /// Those that hold a slot or wait for one, and those that left an environment with something else than what is live.
    deployments: Vec<Deployment>,
}

impl StatusArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let project = session.client.project(&self.project.project).await?;
        let mut deployments = Vec::new();
        let mut numbers: Vec<u64> = project.environments.iter().flat_map(unfinished).collect();
        let left = project.environments.iter().flat_map(left_by).filter(|number| !numbers.contains(number));
        numbers.extend(left.collect::<Vec<_>>());
        for number in numbers {
            deployments.push(session.client.deployment(&project.name, number).await?);
        }
        session.out.answer(&Status { project, deployments }, status);
        Ok(())
    }
}

/// What runs, what waits in the queue, then what waits beside it for something of its own.
fn unfinished(environment: &Environment) -> impl Iterator<Item = u64> + '_ {
    let Environment { running, queue, held, .. } = environment;
    let waiting = queue.iter().filter(|number| !running.contains(number));
    running
        .iter()
        .chain(waiting)
        .take(MAX_SHOWN_PER_ENVIRONMENT)
        .chain(held.iter().take(MAX_SHOWN_PER_ENVIRONMENT))
        .copied()
}

/// The deployments that began what differs from live.
fn left_by(environment: &Environment) -> impl Iterator<Item = u64> {
    let numbers: BTreeSet<u64> = differing(environment).iter().map(|(_, current)| current.deployment).collect();
    numbers.into_iter()
}

fn status(look: &Look, Status { project, deployments }: &Status) -> String {
    let mut parts =
        vec![format!("{}  {}", look.strong(&project.name), printable(&project.description)).trim_end().to_owned()];
    let header = ["ENVIRONMENT", "LIVE", "SINCE", "CURRENT", "DEPLOYMENT", "QUEUE", "ROLLBACK TO"];
    parts.push(look.table(&header, project.environments.iter().map(|environment| row(look, environment, deployments))));
    parts.extend(paused(look, project));
    let differing = project.environments.iter().filter(|environment| environment.differs);
    parts.extend(differing.map(|environment| difference(look, &project.name, environment, deployments)));
    parts.extend(deployments.iter().filter(|deployment| !deployment.waiting_for.is_empty()).map(|d| waiting(look, d)));
    parts.join("\n\n")
}

/// Why nothing starts, where somebody has said so.
fn paused(look: &Look, project: &Project) -> Option<String> {
    let all = project.paused.iter().map(|paused| format!("{}: {}", project.name, pause::pause(look, paused)));
    let environments = project.environments.iter().flat_map(|environment| {
        pause::of_environment(look, environment).into_iter().map(|line| format!("{}: {line}", environment.name))
    });
    let lines: Vec<String> = all.chain(environments).map(|line| look.paint(Tone::Waiting, &line)).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn row(look: &Look, environment: &Environment, deployments: &[Deployment]) -> Vec<String> {
    let live = environment.live.as_ref();
    let shown = |number: &u64| {
        let found = deployments.iter().find(|deployment| deployment.number == *number);
        format!("{number} {}", found.map(|deployment| deployment.status.as_str()).unwrap_or_default())
    };
    let running: Vec<String> = environment.running.iter().take(MAX_SHOWN_PER_ENVIRONMENT).map(shown).collect();
    let differs = differing(environment).into_iter().map(|(application, current)| match application {
        Some(application) => format!("{} ({application})", current.release),
        None => current.release.clone(),
    });
    let current = match (environment.differs, &environment.current) {
        (true, _) => differs.collect::<Vec<_>>().join(", "),
        (false, Some(_)) => "same".to_owned(),
        (false, None) => String::new(),
    };
    vec![
        environment.name.clone(),
        or_dash(live.map(|live| live.release.clone()).unwrap_or_default()),
        or_dash(live.map(|live| look.relative(&live.since)).unwrap_or_default()),
        or_dash(current),
        or_dash(running.join(", ")),
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

/// Said plainly, because visitors may be getting something else than what is live.
fn difference(look: &Look, project: &str, environment: &Environment, deployments: &[Deployment]) -> String {
    let name = &environment.name;
    let getting = differing(environment).into_iter().map(|(application, current)| {
        let CurrentRelease { release, deployment: number, .. } = current;
        let of = application.map(|application| format!(" of {application}")).unwrap_or_default();
        let found = deployments.iter().find(|known| known.number == *number);
        let (already, is) = match found {
            _ if environment.running.contains(number) => (" already", "is under way".to_owned()),
            Some(deployment) => ("", how_it_is(deployment)),
            None => ("", "has ended".to_owned()),
        };
        format!("{release}{of}{already} (deployment {number} {is})")
    });
    let getting: Vec<String> = getting.collect();
    let current = match getting.is_empty() {
        true => "nobody knows what visitors are getting".to_owned(),
        false => format!("visitors may be getting {}", getting.join(" and ")),
    };
    let live = match &environment.live {
        Some(live) => format!("{} is the last release that proved healthy", live.release),
        None => "no release has proved healthy here yet".to_owned(),
    };
    let mut lines = vec![look.paint(Tone::Waiting, &format!("{name}: {current}; {live}"))];
    // Of the live release itself a rollback would go further back.
    let goes_to_live = environment.live.as_ref().map(|live| &live.release) == environment.rollback_to.as_ref();
    if let (None, Some(back_to), true) = (environment.active, &environment.rollback_to, goes_to_live) {
        let command = format!("  lockgate rollback -p {project} -e {name}   # back to {back_to}");
        lines.push(look.quiet(&command));
    }
    lines.join("\n")
}

/// `failed in gates`, `was cancelled`.
fn how_it_is(deployment: &Deployment) -> String {
    let text = match deployment.status.as_str() {
        "QUEUED" | "PENDING_APPROVAL" => "waits",
        "IN_PROGRESS" => "is under way",
        "SUCCEEDED" if deployment.partial => "succeeded in part, and did not go live",
        "SUCCEEDED" => "succeeded, and does not go live",
        "FAILED" => match &deployment.failure {
            Some(failure) => return format!("failed in {}", failure.phase),
            None => "failed",
        },
        "REJECTED" => "was rejected",
        "ABORTED" => "was cancelled",
        "STOPPED" => "was stopped by force",
        "TIMED_OUT" => "ran out of time",
        newer => return format!("is {newer}"),
    };
    text.to_owned()
}

fn waiting(look: &Look, deployment: &Deployment) -> String {
    let mut lines = vec![show::title(look, deployment)];
    lines.extend(deployment.waiting_for.iter().flat_map(|blocker| show::blocked(look, "  waits: ", blocker)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::cli::show::testing::pending;
    use crate::wire::{LiveRelease, Operations, Pause};

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
        let ann = Pause {
            by: "ann".to_owned(),
            at: "2026-03-14T09:00:00Z".to_owned(),
            reason: "the database moves".to_owned(),
        };
        let empty = Environment {
            name: "preview".to_owned(),
            live: None,
            current: None,
            differs: false,
            differs_in: vec![],
            active: None,
            queue: vec![],
            waiting: 0,
            rollback_to: None,
            live_apart: Default::default(),
            current_apart: Default::default(),
            running: vec![],
            held: vec![],
            operations: Default::default(),
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
            running: vec![7],
            queue: vec![8, 9],
            waiting: 2,
            held: vec![4],
            operations: Operations { paused: Some(ann), ..Operations::default() },
            rollback_to: Some("v1.3.0".to_owned()),
            ..empty.clone()
        };
        let project = Project {
            name: "shop".to_owned(),
            description: "The shop's site".to_owned(),
            applications: vec!["web".to_owned()],
            workflows: vec!["publish".to_owned()],
            environments: vec![empty, staging, production],
            paused: None,
            review_debts: vec![],
        };
        assert_eq!(project.environments.iter().flat_map(unfinished).collect::<Vec<_>>(), [7, 8, 9, 4]);
        expect![[r#"
            shop  The shop's site

            ENVIRONMENT  LIVE    SINCE    CURRENT  DEPLOYMENT          QUEUE  ROLLBACK TO
            preview      -       -        -        -                   -      -
            staging      v1.4.0  3 d ago  same     -                   -      v1.3.0
            production   v1.3.0  3 d ago  v1.3.1   7 PENDING_APPROVAL  8 9    v1.3.0

            production: paused by ann 30 min ago: the database moves

            production: visitors may be getting v1.3.1 (deployment 5 has ended); v1.3.0 is the last release that proved healthy

            shop/7  v1.4.0 to production  FULL  PENDING_APPROVAL
              waits: approval: 1 of operators
                  lifted by whoever is asked, but not ann: `lockgate deployment approve`   fails if not lifted by 13 Apr 09:28 (in 29 d)"#]]
        .assert_eq(&status(&look(), &Status { project, deployments: vec![pending()] }));
    }
}
