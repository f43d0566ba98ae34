//! `lockgate plugin approve`: shows what is asked for and what is lost, and asks.

use std::collections::BTreeSet;

use clap::Args;

use lockgate_core::origin::is_private;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, short};
use crate::cli::plugin::grants::{GrantArgs, Reach, both, flags_of, grant_lines, losses};
use crate::cli::plugin::requests::{asked, asked_lines, requests, unasked_lines};
use crate::cli::plugin::{confirm, heading, held_grants};
use crate::cli::session::Session;
use crate::wire::{Grants, Plugin, Secret};

#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// Name or digest.
    #[arg(value_name = "NAME|DIGEST")]
    which: String,

    #[command(flatten)]
    pub grants: GrantArgs,

    /// Calls of the plugin at a time; what is over waits. Never more than half of what the host makes.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    at_once: Option<u32>,

    /// Why; goes on the record.
    #[arg(long, default_value = "")]
    reason: String,

    /// Do not ask.
    #[arg(short, long)]
    yes: bool,

    /// With --yes: also take away what it may do now and is not granted again.
    #[arg(long, requires = "yes")]
    take_away: bool,
}

impl ApproveArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        if session.out.json && !self.yes {
            let what = "approving shows what it is about before it asks, and --json shows nothing";
            return Err(CliError::usage(what, "add --yes"));
        }
        let plugin = session.client.plugin(&self.which).await?;
        let before = plugin.grants.clone().unwrap_or_default();
        let mut grants = self.grants.wire(&plugin.name, &before)?;
        grants.limits.concurrent_calls = self.at_once.or(grants.limits.concurrent_calls);
        let held = held_grants(session, &plugin).await?;
        for Reach { origin, .. } in self.grants.allow_http.iter().filter(|reach| is_private(&reach.origin)) {
            session.out.note(&format!(
                "warning: {origin} is at a private address, and requests there are denied: --allow-private-http {origin} allows them"
            ));
        }
        let names_secrets = !(grants.secrets.is_empty() && grants.reveal.is_empty());
        // Only an administrator may know which there are.
        if names_secrets && let Ok(known) = session.client.secrets().await {
            for name in missing_secrets(&grants, &known.items) {
                session.out.note(&format!(
                    "warning: there is no secret {name} yet; an administrator can set it: lockgate secret set {name}"
                ));
            }
        }
        if !self.yes {
            session.out.note(&decision(&session.out.look(), &plugin, &held, &grants));
            confirm(&format!("Approve {} with these grants?", plugin.name), "nothing was approved")?;
        } else if !self.take_away {
            refuse_losses(&plugin, &held, &grants)?;
        }
        // By digest: what is approved is what was shown, also when somebody adds another one meanwhile.
        let approved = session.client.approve_plugin(&plugin.digest, grants, self.reason).await?;
        session.out.answer(&approved, if self.yes { approval } else { outcome });
        Ok(())
    }
}

pub fn missing_secrets<'a>(grants: &'a Grants, known: &[Secret]) -> BTreeSet<&'a str> {
    let is_missing = |name: &&str| known.iter().all(|secret| secret.name != **name);
    grants.secrets.iter().chain(&grants.reveal).map(String::as_str).filter(is_missing).collect()
}

/// Nobody reads what is lost when nobody is asked.
pub fn refuse_losses(plugin: &Plugin, held: &Grants, grants: &Grants) -> Result<(), CliError> {
    let losses = losses(held, grants);
    if losses.is_empty() {
        return Ok(());
    }
    let (name, losses) = (&plugin.name, losses.join("\n"));
    let what = format!("an approval replaces the grants there are, and `{name}` would lose:\n{losses}");
    let keep = flags_of(&both(held, grants));
    Err(CliError::usage(
        what,
        format!(
            "`lockgate plugin approve {name}{keep} --yes` keeps them, with whatever limits and reason you gave; --take-away takes them away"
        ),
    ))
}

fn outcome(look: &Look, plugin: &Plugin) -> String {
    format!("{} {} is {}", look.strong(&plugin.name), short(&plugin.digest), look.status(&plugin.status))
}

/// For whoever was not asked before: what it may do now, and what it asks for and may not.
pub fn approval(look: &Look, plugin: &Plugin) -> String {
    let grants = plugin.grants.clone().unwrap_or_default();
    let mut lines = vec![outcome(look, plugin), look.strong("May")];
    lines.extend(grant_lines(&grants));
    let requests = requests(plugin).unwrap_or_default();
    let denied = asked(&requests).into_iter().filter(|(_, asked)| !asked.granted(&grants));
    let denied: Vec<String> = denied.map(|(what, _)| format!("  {} {what}", look.paint(Tone::Bad, "✗"))).collect();
    if !denied.is_empty() {
        lines.push(look.strong("Asks for, and was not granted"));
        lines.extend(denied);
    }
    lines.extend(unasked_lines(look, plugin, &grants));
    lines.join("\n")
}

/// For the operator who is about to approve: each request, and whether these grants hold it.
pub fn decision(look: &Look, plugin: &Plugin, held: &Grants, grants: &Grants) -> String {
    let mut lines = heading(look, plugin);
    lines.push(look.strong("Asks for"));
    lines.extend(asked_lines(look, plugin, Some(grants)));
    lines.push(look.strong("Will be allowed"));
    lines.extend(grant_lines(grants));
    match &plugin.grants {
        None => {}
        Some(now) if grant_lines(now) == grant_lines(grants) => lines.push("as it is already".to_owned()),
        Some(now) => {
            lines.push(look.strong("Instead of"));
            lines.extend(grant_lines(now));
        }
    }
    if !plugin.narrowed.is_empty() {
        let scopes: Vec<&str> = plugin.narrowed.iter().map(|narrowed| narrowed.scope.as_str()).collect();
        lines.push(format!("and less than that in {}, as it was narrowed there", scopes.join(", ")));
    }
    lines.extend(unasked_lines(look, plugin, grants));
    let losses = losses(held, grants);
    if !losses.is_empty() {
        lines.push(look.paint(Tone::Bad, "Loses"));
        lines.extend(losses);
    }
    lines.join("\n")
}
