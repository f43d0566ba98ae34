//! `lockgate plugin`: add components, and decide what they may do.

mod add;
mod approve;
mod artifact;
mod build;
mod grants;
mod here;
mod inspect;
mod language;
mod narrow;
mod new;
mod requests;
mod sign;
mod test;
mod tools;
mod trust;

use std::io::{IsTerminal, Write};

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, bytes, or_dash, printable, short};
use crate::cli::session::{Out, Session};
use crate::wire::{Grants, Page, Plugin, Said};
use grants::grant_lines;
use requests::{asked_lines, requests, suggested_flags};

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// Write a small project that builds with its language's ordinary tools.
    New(new::NewArgs),
    /// Build the component of a project, with its language's own tools.
    Build(build::BuildArgs),
    /// What a component is, and whether a host of this version would take it; needs no host.
    Inspect(inspect::InspectArgs),
    /// Run a component in a host's own sandbox, with what fixtures say; needs no host.
    Test(test::TestArgs),
    /// Upload a component, from a file, a URL or a registry. It does nothing until it is approved.
    Add(add::AddArgs),
    /// Push a component to an OCI registry, as `wkg` does.
    Push(artifact::PushArgs),
    /// Pull a component from an OCI registry into a file.
    Pull(artifact::PullArgs),
    /// Sign a component with a key of ed25519: writes FILE.sig, as `openssl pkeyutl -sign -rawin` does.
    Sign(sign::SignArgs),
    /// Whose signatures count, and for which plugins.
    #[command(subcommand)]
    Trust(trust::TrustCommand),
    /// Approve plugins of some names with a signature only; without a pattern, show for which.
    RequireSignature(trust::RequireArgs),
    /// All plugins, also those that wait for approval.
    List,
    /// What one is, what it asks for, and what it may do.
    Show {
        /// Name or digest.
        #[arg(value_name = "NAME|DIGEST")]
        which: String,
    },
    /// Say all that a plugin may do, and let it be used: this replaces the grants it has. What is not granted is not
    /// allowed.
    Approve(Box<approve::ApproveArgs>),
    /// Say the most that a plugin may do in a project or in one environment, of what it was approved for: what is not
    /// named it may not do there, and what was said of that scope before is replaced.
    Narrow(Box<narrow::NarrowArgs>),
    /// Let a plugin do in a project or environment again what it was approved for. Needs a reason.
    Widen(narrow::WidenArgs),
    /// Take one out of use: no new release gets it, and those that have it keep it.
    Retire {
        /// Name, or digest.
        #[arg(value_name = "NAME|DIGEST")]
        which: String,
        /// Why; goes on the record.
        #[arg(long)]
        reason: String,
    },
    /// Forget one that is not active, and that nothing needs which could still run.
    Remove {
        /// Digest; or name, where there is one of that name only.
        #[arg(value_name = "DIGEST|NAME")]
        which: String,
    },
}

impl PluginCommand {
    pub async fn run(self, session: impl FnOnce() -> Result<Session, CliError>, out: &Out) -> Result<(), CliError> {
        match self {
            PluginCommand::New(args) => args.run(out),
            PluginCommand::Build(args) => args.run(out),
            PluginCommand::Inspect(args) => args.run(out).await,
            PluginCommand::Test(args) => args.run(out).await,
            PluginCommand::Add(args) => args.run(&session()?).await,
            PluginCommand::Push(args) => args.run(out).await,
            PluginCommand::Pull(args) => args.run(out).await,
            PluginCommand::Sign(args) => args.run(out),
            PluginCommand::Trust(command) => command.run(&session()?).await,
            PluginCommand::RequireSignature(args) => args.run(&session()?).await,
            PluginCommand::List => {
                let session = session()?;
                session.out.answer(&session.client.plugins().await?, list);
                Ok(())
            }
            PluginCommand::Show { which } => {
                let session = session()?;
                session.out.answer(&session.client.plugin(&which).await?, show);
                Ok(())
            }
            PluginCommand::Approve(args) => args.run(&session()?).await,
            PluginCommand::Narrow(args) => args.run(&session()?).await,
            PluginCommand::Widen(args) => args.run(&session()?).await,
            PluginCommand::Retire { which, reason } => {
                let session = session()?;
                session.out.answer(&session.client.retire_plugin(&which, reason).await?, show);
                Ok(())
            }
            PluginCommand::Remove { which } => {
                let session = session()?;
                session.client.remove_plugin(&which).await?;
                let removed = |_: &Look, _: &Value| format!("plugin {} is removed", printable(&which));
                session.out.answer(&json!({ "removed": which }), removed);
                Ok(())
            }
        }
    }
}

/// What a plugin of this name may do now: an approval takes the place of this.
async fn held_grants(session: &Session, plugin: &Plugin) -> Result<Grants, CliError> {
    if let Some(grants) = &plugin.grants {
        return Ok(grants.clone());
    }
    let known = session.client.plugins().await?.items;
    let active = known.into_iter().find(|known| known.name == plugin.name && known.status == "active");
    Ok(active.and_then(|active| active.grants).unwrap_or_default())
}

fn next_step(look: &Look, plugin: &Plugin, held: &Grants) -> String {
    if plugin.status != "pending" {
        return String::new();
    }
    let requests = requests(plugin).unwrap_or_default();
    let command = format!("  lockgate plugin approve {}{}", plugin.name, suggested_flags(&requests, held));
    format!("\n\n{}\n{}", look.strong("Next"), look.quiet(&command))
}

fn confirm(question: &str, otherwise: &str) -> Result<(), CliError> {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if !terminal {
        return Err(CliError::usage("this asks before it does it, and there is nobody to ask", "add --yes"));
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    let heard = std::io::stderr().flush().and_then(|()| std::io::stdin().read_line(&mut answer));
    match (heard, answer.trim().to_ascii_lowercase().as_str()) {
        (Ok(_), "y" | "yes") => Ok(()),
        (Ok(_) | Err(_), _) => Err(CliError::usage(otherwise, "")),
    }
}

fn list(look: &Look, page: &Page<Plugin>) -> String {
    if page.items.is_empty() {
        return "no plugins; add one with `lockgate plugin add FILE`".to_owned();
    }
    let row = |plugin: &Plugin| {
        vec![
            plugin.name.clone(),
            plugin.kind.clone(),
            plugin.status.clone(),
            printable(&plugin.version),
            short(&plugin.digest),
            look.relative(&plugin.added_at),
            or_dash(printable(&plugin.summary)),
        ]
    };
    let header = ["NAME", "KIND", "STATUS", "VERSION", "DIGEST", "ADDED", "SUMMARY"];
    look.table(&header, page.items.iter().map(row))
}

fn show(look: &Look, plugin: &Plugin) -> String {
    let mut lines = heading(look, plugin);
    lines.push(look.strong("Asks for"));
    lines.extend(asked_lines(look, plugin, None));
    lines.push(look.strong("May"));
    lines.extend(match &plugin.grants {
        Some(grants) => grant_lines(grants),
        None => vec!["  nothing, it is not approved".to_owned()],
    });
    lines.extend(narrow::lines(look, plugin));
    lines.join("\n")
}

fn heading(look: &Look, plugin: &Plugin) -> Vec<String> {
    let Plugin { kind, status, size_bytes, added_by, added_at, .. } = plugin;
    let mut lines = vec![
        format!("{} {}  {kind}  {}", look.strong(&plugin.name), printable(&plugin.version), look.status(status)),
        format!("  {}", printable(&plugin.summary)),
        format!("  {}  {}", plugin.digest, bytes(*size_bytes)),
        format!("  added by {} at {}", printable(added_by), look.moment(added_at)),
    ];
    let said = |what: &str, said: &Said| {
        let why = if said.reason.is_empty() { String::new() } else { format!(": {}", printable(&said.reason)) };
        format!("  {what} by {} at {}{why}", printable(&said.by), look.moment(&said.at))
    };
    lines.extend(origin_lines(look, plugin));
    lines.extend(plugin.approval.as_ref().map(|approval| said("approved", approval)));
    lines.extend(plugin.retired.as_ref().map(|retired| said("retired", retired)));
    lines
}

/// Where it came from, and who signed it.
fn origin_lines(look: &Look, plugin: &Plugin) -> Vec<String> {
    let mut lines: Vec<String> = plugin.source.iter().map(|source| format!("  from {}", printable(source))).collect();
    lines.extend(plugin.signatures.iter().map(|signed| {
        let who = trust::signature(signed);
        if signed.trusted { who } else { format!("{who}{}", look.paint(Tone::Bad, "  not trusted for it")) }
    }));
    if let Some(rule) = plugin.signature_required.as_ref().filter(|_| !plugin.signatures.iter().any(|one| one.trusted))
    {
        let what = format!("  `{}` requires a signature: it cannot be approved without", printable(rule));
        lines.push(look.paint(Tone::Bad, &what));
    }
    lines
}

fn titled(title: String, lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() { lines } else { [vec![title], lines].concat() }
}

#[cfg(test)]
mod tests;
