//! `lockgate deploy` and `lockgate rollback`.

use clap::Args;

use crate::cli::fail::CliError;
use crate::cli::session::Session;
use crate::cli::target::{ProjectArg, WaitArgs};
use crate::wire::{NewDeployment, Promote, Remark, Selection};

/// What every trigger says.
#[derive(Debug, Args)]
struct TriggerArgs {
    #[command(flatten)]
    project: ProjectArg,

    /// Where to.
    #[arg(short, long)]
    environment: String,

    /// Goes on the record.
    #[arg(long, default_value = "")]
    comment: String,

    /// The same key again gives the same deployment, not a second one.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,

    #[command(flatten)]
    wait: WaitArgs,
}

#[derive(Debug, Args)]
pub struct DeployArgs {
    /// Tag of an active release.
    tag: String,

    #[command(flatten)]
    trigger: TriggerArgs,

    /// Instead of the environment's own workflow; CUSTOM needs it.
    #[arg(long)]
    workflow: Option<String>,

    /// FULL when left out, and SELECTIVE with --select. LAUNCH sets the environment up, DESTROY tears it down.
    #[arg(long = "type", value_name = "TYPE", ignore_case = true,
        value_parser = ["LAUNCH", "FULL", "SELECTIVE", "CUSTOM", "DESTROY"])]
    deployment_type: Option<String>,

    /// Change only this: `application=web`, or `type=KIND,name=NAME,action=update`, or some of these. May be repeated.
    #[arg(long, value_name = "WHAT", value_parser = selection)]
    select: Vec<Selection>,

    #[command(flatten)]
    flags: FlagArgs,

    /// Not at once, but at this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

#[derive(Debug, Args)]
struct FlagArgs {
    /// Ask the targets how their resources are, then plan.
    #[arg(long)]
    refresh: bool,

    /// Also apply what is in sync already. No rule is skipped.
    #[arg(long)]
    forced: bool,

    /// Accept a plan that deletes or replaces.
    #[arg(long)]
    allow_destructive: bool,
}

impl DeployArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let (asked, TriggerArgs { project, environment, idempotency_key, wait, .. }) = (self.wire(), self.trigger);
        let key = idempotency_key.as_deref();
        let deployment = session.client.deploy(&project.project, &environment, &asked, key).await?;
        wait.show(session, deployment, 0).await
    }

    fn wire(&self) -> NewDeployment {
        let selective = (!self.select.is_empty()).then(|| "SELECTIVE".to_owned());
        NewDeployment {
            release: self.tag.clone(),
            deployment_type: self.deployment_type.as_ref().map(|name| name.to_ascii_uppercase()).or(selective),
            workflow: self.workflow.clone(),
            comment: self.trigger.comment.clone(),
            refresh: self.flags.refresh,
            forced: self.flags.forced,
            allow_destructive: self.flags.allow_destructive,
            selections: self.select.clone(),
            at: self.at.clone(),
        }
    }
}

fn selection(text: &str) -> Result<Selection, String> {
    let mut selection = Selection::default();
    for part in text.split(',') {
        let place = match part.split_once('=') {
            Some(("application", _)) => &mut selection.application,
            Some(("type", _)) => &mut selection.resource_type,
            Some(("name", _)) => &mut selection.resource_name,
            Some(("action", _)) => &mut selection.action,
            Some(_) | None => {
                return Err("expected some of application=, type=, name= and action=, with commas between".to_owned());
            }
        };
        *place = part.split_once('=').map(|(_, value)| value.to_owned());
    }
    Ok(selection)
}

/// What is live in one environment goes to the next.
#[derive(Debug, Args)]
pub struct PromoteArgs {
    #[command(flatten)]
    trigger: TriggerArgs,

    /// Where it is live; where the environment says that its releases come from, when left out.
    #[arg(long, value_name = "ENVIRONMENT")]
    from: Option<String>,

    #[command(flatten)]
    flags: FlagArgs,
}

impl PromoteArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let TriggerArgs { project, environment, comment, idempotency_key, wait } = self.trigger;
        let FlagArgs { refresh, forced, allow_destructive } = self.flags;
        let asked = Promote { from: self.from, refresh, forced, allow_destructive, comment };
        let key = idempotency_key.as_deref();
        let deployment = session.client.promote(&project.project, &environment, &asked, key).await?;
        wait.show(session, deployment, 0).await
    }
}

/// Back to the release that was live before.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    #[command(flatten)]
    trigger: TriggerArgs,
}

impl RollbackArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let TriggerArgs { project, environment, comment, idempotency_key, wait } = self.trigger;
        let (remark, key) = (Remark { comment }, idempotency_key.as_deref());
        let deployment = session.client.roll_back(&project.project, &environment, &remark, key).await?;
        wait.show(session, deployment, 0).await
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use expect_test::expect;

    use super::*;

    #[derive(Parser)]
    struct Deploy {
        #[command(flatten)]
        args: DeployArgs,
    }

    fn wire(line: &str) -> String {
        let args = Deploy::try_parse_from(line.split(' ')).map(|deploy| deploy.args.wire()).unwrap();
        serde_json::to_string(&args).unwrap()
    }

    #[test]
    fn flags_become_the_request() {
        expect![[r#"{"release":"v1","type":null,"workflow":null,"comment":"","refresh":false,"forced":false,"allow_destructive":false}"#]].assert_eq(&wire("deploy v1 -p shop -e production"));
        let all = "deploy v1 -p shop -e production --type custom --workflow smoke --comment x --allow-destructive";
        expect![[r#"{"release":"v1","type":"CUSTOM","workflow":"smoke","comment":"x","refresh":false,"forced":false,"allow_destructive":true}"#]].assert_eq(&wire(all));
    }
}
