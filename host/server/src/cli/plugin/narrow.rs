//! `lockgate plugin narrow` and `widen`: where a plugin may do less than it was approved for.

use clap::Args;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, printable};
use crate::cli::plugin::grants::{GrantArgs, grant_lines, losses};
use crate::cli::plugin::{confirm, titled};
use crate::cli::session::Session;
use crate::wire::{Grants, NarrowPlugin, NarrowedPlugin, Page, Plugin, WidenPlugin};

#[derive(Debug, Args)]
pub struct NarrowArgs {
    /// Name or digest; it counts for each digest of that name, also for those that are approved later.
    #[arg(value_name = "NAME|DIGEST")]
    which: String,

    /// Where: a project, such as shop, or an environment of it, such as shop/production.
    #[arg(long = "in", value_name = "PROJECT[/ENVIRONMENT]")]
    scope: String,

    #[command(flatten)]
    grants: GrantArgs,

    /// Why; goes on the record. Needed where it gives something back.
    #[arg(long, default_value = "")]
    reason: String,

    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub struct WidenArgs {
    /// Name or digest.
    #[arg(value_name = "NAME|DIGEST")]
    which: String,

    /// Where, as `lockgate plugin show` says it.
    #[arg(long = "in", value_name = "PROJECT[/ENVIRONMENT]")]
    scope: String,

    /// Why; goes on the record.
    #[arg(long)]
    reason: String,
}

impl NarrowArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        if session.out.json && !self.yes {
            let what = "narrowing shows what is lost before it asks, and --json shows nothing";
            return Err(CliError::usage(what, "add --yes"));
        }
        let plugin = session.client.plugin(&self.which).await?;
        let most = self.grants.wire(&plugin.name, &Grants::default())?;
        let look = session.out.look();
        if !self.yes {
            session.out.note(&decision(&look, &plugin, &self.scope, &most));
            confirm(&format!("Narrow {} in {}?", plugin.name, self.scope), "nothing was narrowed")?;
        } else if !session.out.json {
            never(&look, &plugin, &self.scope, &most).iter().for_each(|line| session.out.note(line));
        }
        let narrow = NarrowPlugin { scope: self.scope, grants: most, reason: self.reason };
        let narrowed = session.client.narrow_plugin(&plugin.digest, &narrow).await?;
        session.out.answer(&narrowed, |look, page| shown(look, &plugin.name, page));
        Ok(())
    }
}

impl WidenArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let widen = WidenPlugin { scope: self.scope, reason: self.reason };
        let left = session.client.widen_plugin(&self.which, &widen).await?;
        session.out.answer(&left, |look, page| shown(look, &self.which, page));
        Ok(())
    }
}

/// What it may do there now and not any more then, and what it never may.
fn decision(look: &Look, plugin: &Plugin, scope: &str, most: &Grants) -> String {
    let approved = plugin.grants.clone().unwrap_or_default();
    let before = plugin.narrowed.iter().find(|narrowed| narrowed.scope == scope);
    let before = before.map_or(&approved, |narrowed| &narrowed.grants);
    let mut lines = vec![look.strong(&format!("In {} no more than", printable(scope)))];
    lines.extend(grant_lines(most));
    lines.extend(titled(look.paint(Tone::Bad, "Loses there"), losses(before, most)));
    lines.extend(never(look, plugin, scope, most));
    lines.join("\n")
}

/// What was named and yet is not allowed.
pub fn never(look: &Look, plugin: &Plugin, scope: &str, most: &Grants) -> Vec<String> {
    let approved = plugin.grants.clone().unwrap_or_default();
    let title = format!("Is not approved for, so may not in {} either", printable(scope));
    titled(look.paint(Tone::Quiet, &title), losses(most, &approved))
}

fn shown(look: &Look, plugin: &str, narrowed: &Page<NarrowedPlugin>) -> String {
    let lines: Vec<String> = narrowed.items.iter().flat_map(|narrowed| of_scope(look, narrowed)).collect();
    match lines.is_empty() {
        true => format!("{} may do everywhere what it was approved for", look.strong(&printable(plugin))),
        false => format!("{}\n{}", look.strong(&printable(plugin)), lines.join("\n")),
    }
}

/// What is left of its grants, scope by scope.
pub fn lines(look: &Look, plugin: &Plugin) -> Vec<String> {
    plugin.narrowed.iter().flat_map(|narrowed| of_scope(look, narrowed)).collect()
}

fn of_scope(look: &Look, NarrowedPlugin { scope, grants, narrowed }: &NarrowedPlugin) -> Vec<String> {
    let mut lines = vec![look.strong(&format!("In {} no more than", printable(scope)))];
    lines.extend(grant_lines(grants));
    let why = if narrowed.reason.is_empty() { String::new() } else { format!(": {}", printable(&narrowed.reason)) };
    lines.push(format!("  narrowed by {} at {}{why}", printable(&narrowed.by), look.moment(&narrowed.at)));
    lines
}
