//! `lockgate deployment`: look at deployments, answer for them, stop them, start them again.

use clap::{Args, Subcommand};
use lockgate_core::digest::Digest;

use crate::cli::fail::CliError;
use crate::cli::live::{self, Watch, What, event_line, log_line, log_names};
use crate::cli::look::{Look, duration, or_dash, printable};
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::target::{DeploymentArg, ProjectArg, WaitArgs, timeout};
use crate::client::{DeploymentFilter, Followed, PhaseLog};
use crate::wire::{Approve, Cancel, Deployment, Page, Remark};

#[derive(Debug, Subcommand)]
pub enum DeploymentCommand {
    /// Newest first.
    List(ListArgs),
    /// All about one: what it waits for, its plan, approvals, phases and gates.
    Show(DeploymentArg),
    /// What its phases have logged.
    Logs(LogsArgs),
    /// What has happened to it.
    Events(EventsArgs),
    /// Agree to the plan that is shown.
    Approve(ApproveArgs),
    /// Do not let it happen.
    Reject(AnswerArgs),
    /// Stop it. Phases that run are told, and always-run phases still run.
    Cancel(CancelArgs),
    /// Go on from the phase that failed, with the same snapshot.
    Retry(AgainArgs),
    /// Start over, in a new attempt.
    Redeploy(AgainArgs),
    /// Start it in spite of freezes and availability. Somebody else has to review that.
    BreakGlass(BreakGlassArgs),
    /// Say that you have looked at why the glass was broken.
    Review(ReviewArgs),
}

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    project: ProjectArg,
    #[arg(short, long)]
    environment: Option<String>,
    /// Such as FAILED or PENDING_APPROVAL.
    #[arg(long, value_parser = |text: &str| Ok::<_, String>(text.to_ascii_uppercase()))]
    status: Option<String>,
    /// Such as NotDeployed or PartiallySucceeded.
    #[arg(long)]
    attempt_status: Option<String>,
    /// Only what has not ended: what waits and what is under way.
    #[arg(long)]
    active: bool,
    /// Only those with a smaller number.
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

#[derive(Debug, Args)]
pub struct LogsArgs {
    #[command(flatten)]
    deployment: DeploymentArg,
    /// Only this phase.
    phase: Option<String>,
    /// Keep showing new lines until the deployment ends; the exit code tells how.
    #[arg(short, long)]
    follow: bool,
    /// With --follow: how long, such as `90s` or `1h30m`.
    #[arg(long, requires = "follow", value_parser = timeout, value_name = "DURATION")]
    timeout: Option<std::time::Duration>,
    /// Of an earlier attempt.
    #[arg(long, conflicts_with = "follow")]
    attempt: Option<u32>,
}

#[derive(Debug, Args)]
pub struct EventsArgs {
    #[command(flatten)]
    deployment: DeploymentArg,
    /// Keep showing new ones until the deployment ends.
    #[arg(short, long)]
    follow: bool,
}

#[derive(Debug, Args)]
pub struct ApproveArgs {
    #[command(flatten)]
    answer: AnswerArgs,

    /// Digest of the plan you looked at: if it is another one by now, nothing is approved.
    #[arg(long, value_name = "DIGEST")]
    plan: Option<Digest>,

    /// Agreed, but not before this time (RFC 3339): the deployment makes room until then.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

#[derive(Debug, Args)]
pub struct AnswerArgs {
    #[command(flatten)]
    deployment: DeploymentArg,
    /// Goes on the record.
    #[arg(long, default_value = "")]
    comment: String,
    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(Debug, Args)]
pub struct AgainArgs {
    #[command(flatten)]
    deployment: DeploymentArg,
    /// Said again with the same key, it starts no other attempt, and shows the deployment as it is by then.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(Debug, Args)]
pub struct BreakGlassArgs {
    #[command(flatten)]
    deployment: DeploymentArg,
    /// Why it cannot wait: goes on the record, and to whoever reviews it.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(Debug, Args)]
pub struct ReviewArgs {
    #[command(flatten)]
    deployment: DeploymentArg,
    /// Goes on the record.
    #[arg(long, default_value = "")]
    comment: String,
}

#[derive(Debug, Args)]
pub struct CancelArgs {
    #[command(flatten)]
    deployment: DeploymentArg,
    /// Goes on the record.
    #[arg(long, default_value = "")]
    reason: String,
    /// End it at once, whatever its phases are doing: STOPPED.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    wait: WaitArgs,
}

impl DeploymentCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let client = &session.client;
        match self {
            DeploymentCommand::List(args) => args.run(session).await,
            DeploymentCommand::Show(DeploymentArg { number, project }) => {
                let deployment = client.deployment(&project.project, number).await?;
                session.out.answer(&deployment, show::deployment);
                Ok(())
            }
            DeploymentCommand::Logs(args) if args.follow => args.follow(session).await,
            DeploymentCommand::Logs(args) => args.run(session).await,
            DeploymentCommand::Events(args) if args.follow => args.follow(session).await,
            DeploymentCommand::Events(args) => args.run(session).await,
            DeploymentCommand::Approve(ApproveArgs { answer, plan, at }) => {
                let AnswerArgs { deployment: DeploymentArg { number, project }, comment, wait } = answer;
                let approve = Approve { comment, plan_digest: plan.map(|digest| digest.to_string()), not_before: at };
                let approved = client.approve(&project.project, number, &approve).await?;
                wait.show_changed(session, approved).await
            }
            DeploymentCommand::Reject(AnswerArgs { deployment, comment, wait }) => {
                let DeploymentArg { number, project } = deployment;
                let rejected = client.reject(&project.project, number, &Remark { comment }).await?;
                wait.show_changed(session, rejected).await
            }
            DeploymentCommand::Cancel(CancelArgs { deployment, reason, force, wait }) => {
                let DeploymentArg { number, project } = deployment;
                let canceled = client.cancel(&project.project, number, &Cancel { reason, force }).await?;
                wait.show_changed(session, canceled).await
            }
            DeploymentCommand::Retry(AgainArgs { deployment, idempotency_key, wait }) => {
                let DeploymentArg { number, project } = deployment;
                let again = client.retry(&project.project, number, idempotency_key.as_deref()).await?;
                wait.show_changed(session, again).await
            }
            DeploymentCommand::BreakGlass(BreakGlassArgs { deployment, reason, wait }) => {
                let DeploymentArg { number, project } = deployment;
                wait.show_changed(session, client.break_glass(&project.project, number, reason).await?).await
            }
            DeploymentCommand::Review(ReviewArgs { deployment: DeploymentArg { number, project }, comment }) => {
                let reviewed = client.review(&project.project, number, &Remark { comment }).await?;
                session.out.answer(&reviewed, show::deployment);
                Ok(())
            }
            DeploymentCommand::Redeploy(AgainArgs { deployment, idempotency_key, wait }) => {
                let DeploymentArg { number, project } = deployment;
                let again = client.redeploy(&project.project, number, idempotency_key.as_deref()).await?;
                wait.show_changed(session, again).await
            }
        }
    }
}

impl ListArgs {
    async fn run(self, session: &Session) -> Result<(), CliError> {
        let mut filter = DeploymentFilter {
            environment: self.environment,
            status: self.status,
            attempt_status: self.attempt_status,
            active: self.active,
            before: self.before,
            limit: Some(self.limit),
        };
        let mut page = session.client.deployments(&self.project.project, &filter).await?;
        // The host looks at so many for one page; what is rare may be behind them.
        for _ in 1..MOST_PAGES {
            let Some(next) = next_of_empty(&page) else { break };
            filter.before = Some(next);
            page = session.client.deployments(&self.project.project, &filter).await?;
        }
        session.out.answer(&page, list);
        Ok(())
    }
}

/// Asked for until there is something to show: a hundred thousand deployments.
const MOST_PAGES: usize = 100;

fn next_of_empty(page: &Page<Deployment>) -> Option<u64> {
    page.next.as_ref().filter(|_| page.items.is_empty())?.parse().ok()
}

fn list(look: &Look, page: &Page<Deployment>) -> String {
    match &page.next {
        Some(next) if page.items.is_empty() => return format!("none so far; look further with --before {next}"),
        None if page.items.is_empty() => return "no deployments".to_owned(),
        Some(_) | None => {}
    }
    let row = |deployment: &Deployment| {
        let waits = deployment.waiting_for.first().map(|blocker| printable(&blocker.reason)).unwrap_or_default();
        vec![
            deployment.number.to_string(),
            format!("{}{}", deployment.status, if deployment.partial { ", partial" } else { "" }),
            deployment.environment.clone(),
            deployment.release.clone(),
            deployment.deployment_type.clone(),
            printable(&deployment.triggered_by),
            look.relative(&deployment.created_at),
            duration(deployment.time_taken_ms),
            or_dash(waits),
        ]
    };
    let header = ["NUMBER", "STATUS", "ENVIRONMENT", "RELEASE", "TYPE", "BY", "TRIGGERED", "TOOK", "WAITS FOR"];
    let table = look.table(&header, page.items.iter().map(row));
    match &page.next {
        Some(next) => format!("{table}\n{}", look.quiet(&format!("more with --before {next}"))),
        None => table,
    }
}

impl LogsArgs {
    async fn follow(self, session: &Session) -> Result<(), CliError> {
        let deployment = self.deployment(session).await?;
        live::watch(session, deployment, Watch { what: What::Logs { phase: self.phase }, timeout: self.timeout }).await
    }

    async fn run(self, session: &Session) -> Result<(), CliError> {
        let deployment = self.deployment(session).await?;
        let attempt = self.attempt.unwrap_or(deployment.attempt);
        let wanted = log_names(&deployment).filter(|name| self.phase.as_ref().is_none_or(|only| only == name));
        for phase in wanted {
            let log = PhaseLog { number: deployment.number, attempt, phase: phase.to_owned() };
            let mut from = Some(0);
            while let Some(position) = from {
                let page = session.client.log_lines(&deployment.project, &log, position).await?;
                page.items.iter().for_each(|line| session.out.item(line, log_line));
                let next = page.items.last().map(|last| last.position + 1);
                from = next.filter(|_| page.next.is_some());
            }
        }
        Ok(())
    }

    /// A phase that does not exist would otherwise just be silent.
    async fn deployment(&self, session: &Session) -> Result<Deployment, CliError> {
        let DeploymentArg { number, project } = &self.deployment;
        let deployment = session.client.deployment(&project.project, *number).await?;
        match &self.phase {
            Some(phase) if !log_names(&deployment).any(|known| known == phase) => {
                let known: Vec<&str> = log_names(&deployment).collect();
                let hint = format!("its logs are: {}", known.join(", "));
                Err(CliError::usage(format!("{} has no phase `{phase}`", deployment.id), hint))
            }
            Some(_) | None => Ok(deployment),
        }
    }
}

impl EventsArgs {
    async fn run(self, session: &Session) -> Result<(), CliError> {
        let DeploymentArg { number, project } = &self.deployment;
        let mut after = Some(0);
        while let Some(sequence) = after {
            let page = session.client.events(&project.project, *number, sequence).await?;
            page.items.iter().for_each(|event| session.out.item(event, event_line));
            let last = page.items.last().map(|last| last.sequence);
            after = last.filter(|_| page.next.is_some());
        }
        Ok(())
    }

    async fn follow(self, session: &Session) -> Result<(), CliError> {
        let DeploymentArg { number, project } = &self.deployment;
        let mut events = session.client.follow_events(&project.project, *number, 0);
        while let Some(followed) = events.next().await? {
            match followed {
                Followed::Item(event) => session.out.item(&event, event_line),
                Followed::Lost { cause, retry_in } => {
                    let wait = duration(u64::try_from(retry_in.as_millis()).unwrap_or(u64::MAX));
                    session.out.note(&format!("{cause}; trying again in {wait}"));
                }
                Followed::Back => session.out.note("the host answers again"),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::cli::show::testing::{failed, pending, running};

    #[test]
    fn a_list_says_what_each_waits_for_and_how_to_see_more() {
        let page = Page { items: vec![pending(), running(), failed()], next: Some("7".to_owned()) };
        expect![[r#"
            NUMBER  STATUS            ENVIRONMENT  RELEASE  TYPE  BY   TRIGGERED  TOOK        WAITS FOR
            7       PENDING_APPROVAL  production   v1.4.0   FULL  ann  2 min ago  2 min       approval: 1 of operators
            7       IN_PROGRESS       production   v1.4.0   FULL  ann  2 min ago  2 min       -
            7       FAILED            production   v1.4.0   FULL  ann  2 min ago  1 min 58 s  -
            more with --before 7"#]]
        .assert_eq(&list(&look(), &page));
    }

    #[test]
    fn a_page_without_a_match_is_not_the_end() {
        let page = |next: Option<&str>| Page { items: vec![], next: next.map(str::to_owned) };
        assert_eq!([next_of_empty(&page(Some("7"))), next_of_empty(&page(None))], [Some(7), None]);
        let full = Page { items: vec![pending()], next: Some("7".to_owned()) };
        assert_eq!(next_of_empty(&full), None);
        assert_eq!(list(&look(), &page(Some("7"))), "none so far; look further with --before 7");
        assert_eq!(list(&look(), &page(None)), "no deployments");
    }
}
