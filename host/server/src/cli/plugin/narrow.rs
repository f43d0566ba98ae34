//! `lockgate plugin narrow` and `widen`: where a plugin may do less than it was approved for.

use clap::Args;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, printable};
use crate::cli::plugin::{GrantArgs, grant_lines, heading, losses};
use crate::cli::session::Session;
use crate::wire::{Grants, NarrowPlugin, NarrowedPlugin, Plugin, WidenPlugin};

#[derive(Debug, Args)]
pub struct NarrowArgs {
    /// Name or digest; it counts for each digest of that name, also for those that are approved later.
    #[arg(value_name = "NAME|DIGEST")]
    which: String,

    /// Where: a project, such as shop, or an environment of it, such as shop/production.
    #[arg(long = "in", value_name = "PROJECT[/ENVIRONMENT]")]
    place: String,

    #[command(flatten)]
    grants: GrantArgs,

    /// Why; goes on the record.
    #[arg(long, default_value = "")]
    reason: String,
}

#[derive(Debug, Args)]
pub struct WidenArgs {
    /// Name or digest.
    #[arg(value_name = "NAME|DIGEST")]
    which: String,

    /// Where, as `lockgate plugin show` says it.
    #[arg(long = "in", value_name = "PROJECT[/ENVIRONMENT]")]
    place: String,

    /// Why; goes on the record.
    #[arg(long)]
    reason: String,
}

impl NarrowArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let plugin = session.client.plugin(&self.which).await?;
        // A limit of which nothing is said stays as approved, and so do those of tools.
        let approved = plugin.grants.clone().unwrap_or_default();
        let before = Grants { tools: approved.tools.clone(), ..Grants::default() };
        let asked = self.grants.wire(&plugin.name, &before)?;
        let narrow = NarrowPlugin { place: self.place.clone(), grants: asked.clone(), reason: self.reason };
        let narrowed = session.client.narrow_plugin(&plugin.digest, &narrow).await?;
        let left = narrowed.narrowed.iter().find(|narrowed| narrowed.place == self.place);
        let beyond = left.map(|left| losses(&asked, &left.grants)).unwrap_or_default();
        if !beyond.is_empty() && plugin.grants.is_some() {
            session.out.note(&format!(
                "warning: it may not do this there, for it was not approved for it, or {} was narrowed:\n{}",
                self.place.split('/').next().unwrap_or_default(),
                beyond.join("\n")
            ));
        }
        session.out.answer(&narrowed, shown);
        Ok(())
    }
}

impl WidenArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let widen = WidenPlugin { place: self.place, reason: self.reason };
        session.out.answer(&session.client.widen_plugin(&self.which, &widen).await?, shown);
        Ok(())
    }
}

fn shown(look: &Look, plugin: &Plugin) -> String {
    let mut all = heading(look, plugin).into_iter().take(1).collect::<Vec<_>>();
    all.push(look.strong("May"));
    all.extend(match &plugin.grants {
        Some(grants) => grant_lines(grants),
        None => vec!["  nothing, it is not approved".to_owned()],
    });
    all.extend(lines(look, plugin));
    all.join("\n")
}

/// What is left of its grants, place by place.
pub fn lines(look: &Look, plugin: &Plugin) -> Vec<String> {
    plugin.narrowed.iter().flat_map(|narrowed| of_place(look, narrowed)).collect()
}

fn of_place(look: &Look, NarrowedPlugin { place, grants, narrowed }: &NarrowedPlugin) -> Vec<String> {
    let mut lines = vec![look.strong(&format!("In {} only", printable(place)))];
    lines.extend(grant_lines(grants));
    let why = if narrowed.reason.is_empty() { String::new() } else { format!(": {}", printable(&narrowed.reason)) };
    lines.push(format!("  narrowed by {} at {}{why}", printable(&narrowed.by), look.moment(&narrowed.at)));
    lines
}
