//! `lockgate release sync` and `lockgate release wait`: applications as their environment wants them.
//!
//! What an environment wants is its live release, or the newest active one where nothing is live yet: the host says so.
//! Neither command starts anything while another deployment may still change the applications: it would take back
//! what that one brings.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use crate::cli::environment;
use crate::cli::exit;
use crate::cli::fail::CliError;
use crate::cli::live::{self, Watch, What};
use crate::cli::session::Session;
use crate::cli::target::{ProjectArg, timeout};
use crate::client::ClientError;
use crate::wire::{ApplicationStatus, Applications, NewDeployment, Problem, Selection};

#[derive(Debug, Args)]
pub struct SyncArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Also when they are in sync already: everything is applied again.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    start: StartArgs,
}

#[derive(Debug, Args)]
pub struct WaitArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Start a sync when they are out of sync and nothing is under way.
    #[arg(long)]
    sync: bool,
    /// With --sync: also when they are in sync already.
    #[arg(long, requires = "sync")]
    force: bool,
    #[command(flatten)]
    start: StartArgs,
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// Applications, separated by commas.
    #[arg(value_name = "APPS")]
    applications: Names,
    #[command(flatten)]
    project: ProjectArg,
    #[arg(short, long)]
    environment: String,
    /// How long, such as `90s` or `1h30m`. What has been started goes on.
    #[arg(long, value_parser = timeout, value_name = "DURATION")]
    timeout: Option<Duration>,
}

#[derive(Debug, Args)]
struct StartArgs {
    /// Goes on the record of what is started.
    #[arg(long, default_value = "")]
    comment: String,
    /// Accept a plan that deletes or replaces.
    #[arg(long)]
    allow_destructive: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Names(BTreeSet<String>);

impl FromStr for Names {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names: BTreeSet<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        match names.contains("") {
            true => Err("expected names of applications, separated by commas, such as web,api".to_owned()),
            false => Ok(Self(names)),
        }
    }
}

impl SyncArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let sync = Some(Sync { is_forced: self.force, start: &self.start });
        Waiting::of(session, &self.place).until_in_sync(Goal { sync, waits_for_others: false }).await
    }
}

impl WaitArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let sync = self.sync.then_some(Sync { is_forced: self.force, start: &self.start });
        Waiting::of(session, &self.place).until_in_sync(Goal { sync, waits_for_others: true }).await
    }
}

struct Sync<'a> {
    is_forced: bool,
    start: &'a StartArgs,
}

struct Goal<'a> {
    /// May be started once.
    sync: Option<Sync<'a>>,
    /// Out of sync with nothing under way is no failure yet: somebody may be about to deploy.
    waits_for_others: bool,
}

// ---- what to do next ----

#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Until these have ended.
    WaitFor(BTreeSet<u64>),
    WaitForOthers,
    Start,
    InSync,
    OutOfSync,
}

/// What has happened since the command began.
#[derive(Debug, Default, Clone, Copy)]
struct SoFar {
    has_started: bool,
    /// A deployment that might have brought them in sync was under way.
    has_waited: bool,
}

fn next(asked: &[ApplicationStatus], so_far: SoFar, goal: &Goal<'_>) -> Next {
    let under_way: BTreeSet<u64> = asked.iter().flat_map(|application| application.under_way.iter().copied()).collect();
    if !under_way.is_empty() {
        return Next::WaitFor(under_way);
    }
    let is_in_sync = asked.iter().all(|application| application.sync == "IN_SYNC");
    match &goal.sync {
        Some(sync) if !so_far.has_started && (sync.is_forced || !is_in_sync) => Next::Start,
        _ if is_in_sync => Next::InSync,
        None if goal.waits_for_others && !so_far.has_waited => Next::WaitForOthers,
        Some(_) | None => Next::OutOfSync,
    }
}

// ---- doing it ----

struct Waiting<'a> {
    session: &'a Session,
    place: &'a PlaceArgs,
    deadline: Option<Instant>,
}

impl<'a> Waiting<'a> {
    fn of(session: &'a Session, place: &'a PlaceArgs) -> Self {
        Self { session, place, deadline: place.timeout.map(|timeout| Instant::now() + timeout) }
    }

    async fn until_in_sync(&self, goal: Goal<'_>) -> Result<(), CliError> {
        let out = &self.session.out;
        let mut so_far = SoFar::default();
        let (mut told, mut seen) = (Next::InSync, self.look(None).await?);
        loop {
            let decided = next(&seen.items, so_far, &goal);
            match &decided {
                Next::WaitFor(numbers) => {
                    so_far.has_waited = true;
                    if told != decided {
                        out.note(&format!("waits for {} to end", listed(numbers)));
                    }
                }
                Next::WaitForOthers if told != decided => {
                    out.note("out of sync, and nothing is under way: waits for somebody to deploy; --sync starts it");
                }
                Next::WaitForOthers => {}
                Next::Start => {
                    self.start(&seen, goal.sync.as_ref()).await?;
                    so_far.has_started = true;
                    seen = self.look(None).await?;
                    continue;
                }
                Next::InSync => {
                    self.tell(&seen, so_far);
                    return Ok(());
                }
                Next::OutOfSync => {
                    self.tell(&seen, so_far);
                    return Err(CliError::EndedBadly { exit_code: exit::FAILED, status: "OUT_OF_SYNC".to_owned() });
                }
            }
            told = decided;
            seen = self.change_after(&seen).await?;
        }
    }

    /// Of what was started, a script has got the deployment already.
    fn tell(&self, seen: &Applications, so_far: SoFar) {
        let (out, is_in_sync) = (&self.session.out, seen.items.iter().all(|one| one.sync == "IN_SYNC"));
        if out.json && so_far.has_started {
            return;
        }
        out.answer(seen, environment::applications);
        match (is_in_sync, so_far.has_started) {
            (true, true) => out.note("in sync"),
            (true, false) if so_far.has_waited => out.note("in sync"),
            (true, false) => out.note("already in sync as far as is known: --force applies everything again"),
            (false, _) => out.note("out of sync"),
        }
    }

    async fn start(&self, seen: &Applications, sync: Option<&Sync<'_>>) -> Result<(), CliError> {
        let Some(Sync { is_forced, start: StartArgs { comment, allow_destructive } }) = sync else { return Ok(()) };
        let (project, environment) = (&self.place.project.project, &self.place.environment);
        let Some(release) = seen.items.first().and_then(|application| application.wanted.clone()) else {
            let detail = format!("`{project}` has no active release that `{environment}` could be brought to");
            return Err(refused(409, "nothing-to-sync", detail));
        };
        let selection =
            |application: &String| Selection { application: Some(application.clone()), ..Selection::default() };
        let asked = NewDeployment {
            release,
            deployment_type: Some("SELECTIVE".to_owned()),
            comment: comment.clone(),
            refresh: true,
            forced: *is_forced,
            allow_destructive: *allow_destructive,
            selections: self.place.applications.0.iter().map(selection).collect(),
            ..NewDeployment::default()
        };
        let deployment = self.session.client.deploy(project, environment, &asked, None).await?;
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let watch = Watch { what: What::Deployment { events_after: 0 }, timeout: left };
        live::watch(self.session, deployment, watch).await
    }

    async fn change_after(&self, seen: &Applications) -> Result<Applications, CliError> {
        let changed = self.look(Some(seen.sequence));
        let Some(deadline) = self.deadline else { return changed.await };
        match tokio::time::timeout_at(deadline, changed).await {
            Ok(changed) => changed,
            Err(_) => Err(self.timed_out(seen)),
        }
    }

    fn timed_out(&self, seen: &Applications) -> CliError {
        let PlaceArgs { project, environment, .. } = self.place;
        let names = seen.items.iter().filter(|one| one.sync != "IN_SYNC" || !one.under_way.is_empty());
        let names: Vec<&str> = names.map(|application| application.application.as_str()).collect();
        let what = format!("{} in {}/{environment}: no stable sync in time", names.join(", "), project.project);
        let hint = format!("`lockgate environment applications -p {} -e {environment}` says why", project.project);
        CliError::TimedOut { what, hint }
    }

    /// At the applications that were named, whichever else there are.
    async fn look(&self, after: Option<u64>) -> Result<Applications, CliError> {
        let PlaceArgs { applications: Names(names), project, environment, .. } = self.place;
        let found =
            self.session.client.applications(&project.project, environment, after).await.map_err(named_wrong)?;
        let known: Vec<String> = found.items.iter().map(|application| application.application.clone()).collect();
        if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let what = format!("`{}` has no application `{unknown}`; there are: {known}", project.project);
            return Err(CliError::usage(what, "the project file names them"));
        }
        let items = found.items.into_iter().filter(|application| names.contains(&application.application)).collect();
        Ok(Applications { items, ..found })
    }
}

fn listed(numbers: &BTreeSet<u64>) -> String {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    format!("deployment{} {}", if numbers.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

/// A project or environment that is not there is a slip of whoever typed it: the host says which there are.
fn named_wrong(error: ClientError) -> CliError {
    match error {
        ClientError::Problem { problem }
            if matches!(problem.code.as_str(), "unknown-project" | "unknown-environment" | "invalid-path") =>
        {
            CliError::usage(problem.detail, "")
        }
        error => error.into(),
    }
}

fn refused(status: u16, code: &str, detail: String) -> CliError {
    let problem_type = format!("urn:lockgate:problem:{code}");
    let problem = Problem { problem_type, status, code: code.to_owned(), detail, ..Problem::default() };
    CliError::Client(ClientError::Problem { problem: Box::new(problem) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::environment::testing::web;

    const START: &StartArgs = &StartArgs { comment: String::new(), allow_destructive: false };
    const WAIT: Goal<'_> = Goal { sync: None, waits_for_others: true };
    const WAIT_SYNC: Goal<'_> = Goal { sync: Some(Sync { is_forced: false, start: START }), waits_for_others: true };
    const SYNC: Goal<'_> = Goal { sync: Some(Sync { is_forced: false, start: START }), waits_for_others: false };
    const FORCED: Goal<'_> = Goal { sync: Some(Sync { is_forced: true, start: START }), waits_for_others: false };

    fn nexts(seen: &[ApplicationStatus], so_far: SoFar) -> [Next; 4] {
        [WAIT, WAIT_SYNC, SYNC, FORCED].map(|goal| next(seen, so_far, &goal))
    }

    const BEGINNING: SoFar = SoFar { has_started: false, has_waited: false };
    const WAITED: SoFar = SoFar { has_started: false, has_waited: true };
    const STARTED: SoFar = SoFar { has_started: true, has_waited: true };

    #[test]
    fn nothing_is_started_or_said_while_others_are_at_work() {
        let busy = [web("v1", &[7]), web("v1, edited", &[8, 7])];
        for so_far in [BEGINNING, WAITED, STARTED] {
            assert_eq!(nexts(&busy, so_far), [(); 4].map(|()| Next::WaitFor([7, 8].into())));
        }
    }

    #[test]
    fn what_is_in_sync_is_left_alone_unless_it_is_forced_and_that_once() {
        let good = [web("v1", &[])];
        assert_eq!(nexts(&good, BEGINNING), [Next::InSync, Next::InSync, Next::InSync, Next::Start]);
        assert_eq!(nexts(&good, STARTED), [(); 4].map(|()| Next::InSync));
    }

    #[test]
    fn one_that_is_out_of_sync_is_enough_to_start() {
        let bad = [web("v1", &[]), web("v1, edited", &[])];
        assert_eq!(nexts(&bad, BEGINNING), [Next::WaitForOthers, Next::Start, Next::Start, Next::Start]);
    }

    #[test]
    fn out_of_sync_after_somebody_tried_is_a_failure() {
        let bad = [web("v1, edited", &[])];
        assert_eq!(nexts(&bad, WAITED), [Next::OutOfSync, Next::Start, Next::Start, Next::Start]);
        assert_eq!(nexts(&bad, STARTED), [(); 4].map(|()| Next::OutOfSync));
    }

    #[test]
    fn names_are_separated_by_commas() {
        let names = |text: &str| text.parse::<Names>().map(|Names(names)| names.into_iter().collect::<Vec<_>>());
        assert_eq!(names("web, api,web"), Ok(vec!["api".to_owned(), "web".to_owned()]));
        for wrong in ["", "web,", ",", "web,,api"] {
            assert!(names(wrong).is_err(), "{wrong}");
        }
    }
}
