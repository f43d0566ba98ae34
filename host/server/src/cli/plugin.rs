//! `lockgate plugin`: add components, and decide what they may do.

mod add;
mod artifact;
mod build;
mod here;
mod inspect;
mod language;
mod narrow;
mod new;
mod sign;
mod test;
mod tools;
mod trust;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::time::Duration;

use clap::{Args, Subcommand};
use lockgate_core::plugin::{Access, Requested, Requests};
use serde_json::{Value, json};
use url::{Host, Url};

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, bytes, duration, or_dash, printable, shell_word, short};
use crate::cli::session::{Out, Session};
use crate::cli::target;
use crate::wire::{FolderGrant, Grants, HttpGrant, Limits, Page, Plugin, Said, Secret, ToolGrant};

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
    Approve(Box<ApproveArgs>),
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

#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// Name or digest.
    #[arg(value_name = "NAME|DIGEST")]
    which: String,

    #[command(flatten)]
    grants: GrantArgs,

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

#[derive(Debug, Default, Args)]
pub struct GrantArgs {
    /// May send requests to this origin, such as https://api.example.com; with these methods only where they are named
    /// before it, such as "GET,HEAD https://api.example.com". May be given more than once.
    #[arg(long, value_name = "[METHODS ]ORIGIN", value_parser = reach)]
    allow_http: Vec<Reach>,

    /// The same, where the host may be at a loopback, private or link-local address.
    #[arg(long, value_name = "[METHODS ]ORIGIN", value_parser = reach)]
    allow_private_http: Vec<Reach>,

    /// May read and write this folder of the host, under this name. May be given more than once.
    #[arg(long, value_name = "NAME=PATH", value_parser = folder)]
    folder: Vec<(String, String)>,

    /// May read this folder of the host, under this name.
    #[arg(long, value_name = "NAME=PATH", value_parser = folder)]
    folder_read: Vec<(String, String)>,

    /// May use the deployment's workspace.
    #[arg(long, value_parser = ["read", "read-write"])]
    workspace: Option<String>,

    /// May send this secret along, to where it may travel, without seeing it. May be given more than once.
    #[arg(long = "secret", value_name = "NAME")]
    secrets: Vec<String>,

    /// May be shown the value of this secret. May be given more than once.
    #[arg(long = "reveal-secret", value_name = "NAME")]
    reveal: Vec<String>,

    /// May keep small values between deployments, in this namespace: plugins of one namespace share them. Without a name
    /// it is the plugin's own.
    #[arg(long, value_name = "NAMESPACE", num_args = 0..=1, default_missing_value = "")]
    state: Option<String>,

    #[command(flatten)]
    tools: tools::ToolArgs,

    #[command(flatten)]
    limits: LimitArgs,
}

/// Of one call. A limit that is left out stays as it was approved before, and is the host's own at first.
#[derive(Debug, Default, Args)]
pub struct LimitArgs {
    /// Memory of one call.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    memory_mb: Option<u64>,

    /// How long one call may compute, such as `500ms` or `30s`.
    #[arg(long, value_name = "DURATION", value_parser = target::timeout)]
    cpu: Option<Duration>,

    /// How long one call may take, waiting included, such as `30s` or `5m`.
    #[arg(long, value_name = "DURATION", value_parser = target::timeout)]
    wall: Option<Duration>,

    /// Size of what one call answers.
    #[arg(long, value_name = "KIB", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    output_kb: Option<u64>,

    /// Size of what one call logs.
    #[arg(long, value_name = "KIB", value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    log_kb: Option<u64>,

    /// Size of a body that one call sends or gets.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=65_536))]
    http_body_mb: Option<u64>,
}

impl LimitArgs {
    fn wire(&self, before: &Limits) -> Limits {
        let ms = |limit: Option<Duration>| limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        Limits {
            memory_bytes: self.memory_mb.map(|mib| mib << 20).or(before.memory_bytes),
            cpu_ms: ms(self.cpu).or(before.cpu_ms),
            wall_ms: ms(self.wall).or(before.wall_ms),
            log_bytes: self.log_kb.map(|kib| kib << 10).or(before.log_bytes),
            output_bytes: self.output_kb.map(|kib| kib << 10).or(before.output_bytes),
            http_body_bytes: self.http_body_mb.map(|mib| mib << 20).or(before.http_body_bytes),
            concurrent_calls: before.concurrent_calls,
        }
    }
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

/// What grants all that it has and all that is asked for; capital letters are for the operator to fill in.
fn suggested_flags(requests: &Requests, held: &Grants) -> String {
    let mut flags = flags_of(held);
    for (_, asked) in asked(requests).into_iter().filter(|(_, asked)| !asked.granted(held)) {
        flags.push_str(&match asked {
            Asked::Http(Requested::Named(origin)) => {
                format!(" {} {}", http_flag(is_private(origin)), shell_word(origin))
            }
            Asked::Http(Requested::Config(_)) => " --allow-http ORIGIN".to_owned(),
            Asked::Folder(Requested::Named(name)) => format!(" --folder {}", shell_word(&format!("{name}=PATH"))),
            Asked::Folder(Requested::Config(_)) => " --folder NAME=PATH".to_owned(),
            Asked::Workspace(access) => format!(" --workspace {}", access_name(access)),
            Asked::Secret(flag, Requested::Named(name)) => format!(" {flag} {}", shell_word(name)),
            Asked::Secret(flag, Requested::Config(_)) => format!(" {flag} NAME"),
            Asked::State => " --state".to_owned(),
            Asked::Tool(Requested::Named(name)) => {
                let (path, args) = (shell_word(&format!("{name}=PATH")), shell_word(&format!("{name}=ITEMS")));
                format!(" --tool {path} --tool-args {args}")
            }
            Asked::Tool(Requested::Config(_)) => " --tool NAME=PATH --tool-args NAME=ITEMS".to_owned(),
        });
    }
    flags
}

/// The flags that give these grants, but for their limits: those stay by themselves.
fn flags_of(grants: &Grants) -> String {
    let mut flags = String::new();
    for HttpGrant { origin: granted, private_network, methods } in &grants.http {
        let as_typed = origin(granted).unwrap_or_else(|_| granted.clone());
        let as_typed = if methods.is_empty() { as_typed } else { format!("{} {as_typed}", methods.join(",")) };
        flags.push_str(&format!(" {} {}", http_flag(*private_network), shell_word(&as_typed)));
    }
    for (name, FolderGrant { path, access }) in &grants.folders {
        let flag = if access == "read" { "--folder-read" } else { "--folder" };
        flags.push_str(&format!(" {flag} {}", shell_word(&format!("{name}={path}"))));
    }
    flags.extend(grants.workspace.as_ref().map(|access| format!(" --workspace {access}")));
    flags.extend(grants.secrets.iter().map(|name| format!(" --secret {name}")));
    flags.extend(grants.reveal.iter().map(|name| format!(" --reveal-secret {name}")));
    flags.extend(grants.state.as_ref().map(|namespace| format!(" --state {namespace}")));
    flags.extend(grants.tools.iter().map(|(name, tool)| tools::flags(name, tool)));
    flags
}

fn http_flag(private: bool) -> &'static str {
    if private { "--allow-private-http" } else { "--allow-http" }
}

/// An origin whose host is a loopback, private or link-local address by its very name.
fn is_private(origin: &str) -> bool {
    match Url::parse(origin).ok().as_ref().and_then(Url::host) {
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// What `before` allows and `after` does not, in words.
fn losses(before: &Grants, after: &Grants) -> Vec<String> {
    reach_lines(&lost(before, after))
}

/// What was typed, and what would be lost by it.
fn both(held: &Grants, typed: &Grants) -> Grants {
    let lost = lost(held, typed);
    let mut both = typed.clone();
    both.http.extend(lost.http);
    both.folders.extend(lost.folders);
    both.workspace = lost.workspace.or(both.workspace);
    both.secrets.extend(lost.secrets);
    both.reveal.extend(lost.reveal);
    both.state = lost.state.or(both.state);
    for (name, old) in lost.tools {
        let kept = both.tools.remove(&name).map_or(old.clone(), |typed| tools::both(old, typed));
        both.tools.insert(name, kept);
    }
    both
}

fn lost(before: &Grants, after: &Grants) -> Grants {
    let origin_of = |grant: &HttpGrant| origin(&grant.origin).unwrap_or_else(|_| grant.origin.clone());
    let http_stays = |old: &HttpGrant| {
        let has_methods = |new: &HttpGrant| {
            let named = !old.methods.is_empty() && old.methods.iter().all(|method| new.methods.contains(method));
            new.methods.is_empty() || named
        };
        let holds = |new: &HttpGrant| {
            origin_of(new) == origin_of(old) && new.private_network >= old.private_network && has_methods(new)
        };
        after.http.iter().any(holds)
    };
    let folder_stays = |name: &String, old: &FolderGrant| {
        let holds = |new: &FolderGrant| new.path == old.path && (new.access == old.access || old.access == "read");
        after.folders.get(name).is_some_and(holds)
    };
    let workspace_stays = before.workspace == after.workspace
        || before.workspace.is_none()
        || after.workspace.as_deref() == Some("read-write");
    let tool_stays = |name: &String, old: &ToolGrant| after.tools.get(name).is_some_and(|new| tools::stays(old, new));
    Grants {
        http: before.http.iter().filter(|old| !http_stays(old)).cloned().collect(),
        folders: before
            .folders
            .iter()
            .filter(|(name, old)| !folder_stays(name, old))
            .map(|(name, old)| (name.clone(), old.clone()))
            .collect(),
        workspace: before.workspace.clone().filter(|_| !workspace_stays),
        secrets: before.secrets.iter().filter(|name| !after.secrets.contains(name)).cloned().collect(),
        reveal: before.reveal.iter().filter(|name| !after.reveal.contains(name)).cloned().collect(),
        state: before.state.clone().filter(|_| before.state != after.state),
        tools: before
            .tools
            .iter()
            .filter(|(name, old)| !tool_stays(name, old))
            .map(|(name, old)| (name.clone(), old.clone()))
            .collect(),
        limits: Limits::default(),
    }
}

impl ApproveArgs {
    async fn run(self, session: &Session) -> Result<(), CliError> {
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

fn missing_secrets<'a>(grants: &'a Grants, known: &[Secret]) -> BTreeSet<&'a str> {
    let is_missing = |name: &&str| known.iter().all(|secret| secret.name != **name);
    grants.secrets.iter().chain(&grants.reveal).map(String::as_str).filter(is_missing).collect()
}

/// Nobody reads what is lost when nobody is asked.
fn refuse_losses(plugin: &Plugin, held: &Grants, grants: &Grants) -> Result<(), CliError> {
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
            "`lockgate plugin approve {name}{keep}` keeps them, with whatever limits and reason you gave; --take-away takes them away"
        ),
    ))
}

fn outcome(look: &Look, plugin: &Plugin) -> String {
    format!("{} {} is {}", look.strong(&plugin.name), short(&plugin.digest), look.status(&plugin.status))
}

/// For whoever was not asked before: what it may do now, and what it asks for and may not.
fn approval(look: &Look, plugin: &Plugin) -> String {
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

impl GrantArgs {
    /// What is not granted again is not granted; a limit that is not set again stays.
    fn wire(&self, plugin: &str, before: &Grants) -> Result<Grants, CliError> {
        let mut http: BTreeMap<Reach, bool> = self.allow_http.iter().map(|reach| (reach.clone(), false)).collect();
        http.extend(self.allow_private_http.iter().map(|reach| (reach.clone(), true)));
        let granted = |(Reach { origin, methods }, private_network)| HttpGrant { origin, private_network, methods };
        let mut folders = BTreeMap::new();
        let writable = self.folder.iter().map(|folder| (folder, "read-write"));
        let readable = self.folder_read.iter().map(|folder| (folder, "read"));
        for ((name, path), access) in writable.chain(readable) {
            let grant = FolderGrant { path: path.clone(), access: access.to_owned() };
            if folders.insert(name.clone(), grant).is_some() {
                return Err(CliError::usage(format!("the folder `{name}` is given twice"), "give each name one path"));
            }
        }
        Ok(Grants {
            http: http.into_iter().map(granted).collect(),
            folders,
            workspace: self.workspace.clone(),
            secrets: self.secrets.clone(),
            reveal: self.reveal.clone(),
            state: self.state.as_ref().map(|name| if name.is_empty() { plugin } else { name }.to_owned()),
            tools: self.tools.wire(&before.tools)?,
            limits: self.limits.wire(&before.limits),
        })
    }
}

/// What one flag lets through. No methods: all of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Reach {
    origin: String,
    methods: Vec<String>,
}

fn reach(text: &str) -> Result<Reach, String> {
    let (methods, text) = text.trim().rsplit_once(' ').unwrap_or(("", text.trim()));
    let methods = methods.split(',').map(str::trim).filter(|method| !method.is_empty());
    let methods: Vec<String> = methods.map(str::to_ascii_uppercase).collect();
    match methods.iter().find(|method| !method.bytes().all(|letter| letter.is_ascii_uppercase())) {
        None => Ok(Reach { origin: origin(text)?, methods }),
        Some(odd) => Err(format!("`{odd}` is no method; write \"GET,HEAD https://api.example.com\"")),
    }
}

fn origin(text: &str) -> Result<String, String> {
    let expected = || "expected an origin, such as https://api.example.com or http://127.0.0.1:8080".to_owned();
    let url = Url::parse(text).map_err(|_| expected())?;
    let only_an_origin = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    if only_an_origin { Ok(url.origin().ascii_serialization()) } else { Err(expected()) }
}

/// The path is the host's, so it must not depend on where this command runs.
fn folder(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && path.starts_with('/') => Ok((name.to_owned(), path.to_owned())),
        Some(_) | None => Err("expected NAME=PATH with an absolute path on the host".to_owned()),
    }
}

// ---- what is shown ----

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

/// For the operator who is about to approve: each request, and whether these grants hold it.
fn decision(look: &Look, plugin: &Plugin, held: &Grants, grants: &Grants) -> String {
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

fn requests(plugin: &Plugin) -> Option<Requests> {
    serde_json::from_value(plugin.requests.clone()).ok()
}

fn asked_lines(look: &Look, plugin: &Plugin, grants: Option<&Grants>) -> Vec<String> {
    // Requests of a newer host are shown as they are.
    let Some(requests) = requests(plugin) else { return vec![format!("  {}", plugin.requests)] };
    let asked: Vec<String> = asked(&requests)
        .into_iter()
        .map(|(what, asked)| match grants.map(|grants| asked.granted(grants)) {
            Some(true) => format!("  {} {what}", look.paint(Tone::Good, "✓")),
            Some(false) => format!("  {} {what}  {}", look.paint(Tone::Bad, "✗"), look.paint(Tone::Bad, "not granted")),
            None => format!("  {what}"),
        })
        .collect();
    if asked.is_empty() { vec!["  nothing".to_owned()] } else { asked }
}

enum Asked<'a> {
    Http(&'a Requested),
    Folder(&'a Requested),
    Workspace(Access),
    /// With the flag that grants it.
    Secret(&'static str, &'a Requested),
    State,
    Tool(&'a Requested),
}

fn asked(requests: &Requests) -> Vec<(String, Asked<'_>)> {
    let place = |kind: &str, asked: &Requested| match asked {
        Requested::Named(name) => format!("{kind} {}", printable(name)),
        Requested::Config(pointer) => format!("{kind} where its configuration says, at {}", printable(pointer)),
    };
    let http = requests.http.iter().map(|asked| (place("http", asked), Asked::Http(asked)));
    let folders = requests.folders.iter().map(|asked| (place("folder", asked), Asked::Folder(asked)));
    let workspace =
        requests.workspace.map(|access| (format!("workspace, {}", access_name(access)), Asked::Workspace(access)));
    let secrets = requests.secrets.iter().map(|asked| (place("secret", asked), Asked::Secret("--secret", asked)));
    let reveal = requests
        .reveal
        .iter()
        .map(|asked| (place("to be shown secret", asked), Asked::Secret("--reveal-secret", asked)));
    let state = requests.state.then(|| ("state that outlives a deployment".to_owned(), Asked::State));
    let tools = requests.tools.iter().map(|asked| (place("tool", asked), Asked::Tool(asked)));
    http.chain(folders).chain(workspace).chain(secrets).chain(reveal).chain(state).chain(tools).collect()
}

impl Asked<'_> {
    /// What only a configuration names is granted when anything of its kind is: which one is checked with each release.
    fn granted(&self, grants: &Grants) -> bool {
        match self {
            Asked::Http(Requested::Named(asked)) => {
                let as_typed = |text: &String| origin(text).unwrap_or_else(|_| text.clone());
                grants.http.iter().any(|grant| as_typed(&grant.origin) == as_typed(asked))
            }
            Asked::Http(Requested::Config(_)) => !grants.http.is_empty(),
            Asked::Folder(Requested::Named(name)) => grants.folders.contains_key(name),
            Asked::Folder(Requested::Config(_)) => !grants.folders.is_empty(),
            Asked::Tool(Requested::Named(name)) => grants.tools.contains_key(name),
            Asked::Tool(Requested::Config(_)) => !grants.tools.is_empty(),
            Asked::Workspace(Access::Read) => grants.workspace.is_some(),
            Asked::Workspace(Access::ReadWrite) => grants.workspace.as_deref() == Some("read-write"),
            Asked::Secret(flag, asked) => {
                let granted = if *flag == "--secret" { &grants.secrets } else { &grants.reveal };
                match asked {
                    Requested::Named(name) => granted.contains(name),
                    Requested::Config(_) => !granted.is_empty(),
                }
            }
            Asked::State => grants.state.is_some(),
        }
    }
}

/// A mistyped origin is granted and never given. Of requests of a newer host nobody here knows what they ask for.
fn unasked_lines(look: &Look, plugin: &Plugin, grants: &Grants) -> Vec<String> {
    let unasked = requests(plugin).map_or_else(Vec::new, |requests| reach_lines(&unasked(&requests, grants)));
    titled(look.strong("Granted, and not asked for, so not given"), unasked)
}

fn titled(title: String, lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() { lines } else { [vec![title], lines].concat() }
}

/// Where a configuration names what is meant, everything of its kind may be.
fn unasked(requests: &Requests, grants: &Grants) -> Grants {
    let is_asked = |asked: &[Requested], name: &str| {
        asked.iter().any(|asked| match asked {
            Requested::Named(asked) => asked == name || origin(asked).is_ok_and(|asked| origin(name) == Ok(asked)),
            Requested::Config(_) => true,
        })
    };
    let secrets = |asked: &[Requested], granted: &[String]| -> Vec<String> {
        granted.iter().filter(|name| !is_asked(asked, name)).cloned().collect()
    };
    let mut rest = Grants { limits: Limits::default(), ..grants.clone() };
    rest.http.retain(|grant| !is_asked(&requests.http, &grant.origin));
    rest.folders.retain(|name, _| !is_asked(&requests.folders, name));
    rest.workspace = rest.workspace.filter(|_| requests.workspace.is_none());
    rest.secrets = secrets(&requests.secrets, &grants.secrets);
    rest.reveal = secrets(&requests.reveal, &grants.reveal);
    rest.state = rest.state.filter(|_| !requests.state);
    rest.tools.retain(|name, _| !is_asked(&requests.tools, name));
    rest
}

fn access_name(access: Access) -> &'static str {
    match access {
        Access::Read => "read",
        Access::ReadWrite => "read-write",
    }
}

/// Without the limits.
fn reach_lines(grants: &Grants) -> Vec<String> {
    let mut lines: Vec<String> = grants.http.iter().map(http_line).collect();
    for (name, FolderGrant { path, access }) in &grants.folders {
        lines.push(format!("  {access} the folder {name}, which is {path}"));
    }
    lines.extend(grants.workspace.as_ref().map(|access| format!("  {access} the workspace")));
    lines.extend(grants.secrets.iter().map(|name| format!("  send secret {name} to where it may travel, unseen")));
    lines.extend(grants.reveal.iter().map(|name| format!("  be shown secret {name}")));
    lines.extend(grants.state.as_ref().map(|namespace| format!("  keep state in {namespace}")));
    lines.extend(grants.tools.iter().flat_map(|(name, tool)| tools::lines(name, tool)));
    lines
}

fn grant_lines(grants: &Grants) -> Vec<String> {
    let mut lines = reach_lines(grants);
    if lines.is_empty() {
        lines.push("  only to compute".to_owned());
    }
    lines.push(
        limits_line(&grants.limits).unwrap_or_else(|| "  in one call, what the host allows by itself".to_owned()),
    );
    lines
}

fn limits_line(limits: &Limits) -> Option<String> {
    let Limits { memory_bytes, cpu_ms, wall_ms, log_bytes, output_bytes, http_body_bytes, concurrent_calls } = limits;
    let limits = [
        memory_bytes.map(|memory| format!("{} of memory", bytes(memory))),
        cpu_ms.map(|cpu| format!("{} of CPU", duration(cpu))),
        wall_ms.map(|wall| format!("{} altogether", duration(wall))),
        log_bytes.map(|log| format!("a log of {}", bytes(log))),
        output_bytes.map(|output| format!("an answer of {}", bytes(output))),
        http_body_bytes.map(|body| format!("HTTP bodies of {}", bytes(body))),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    let at_once = concurrent_calls.map(|calls| format!("; at most {calls} at a time")).unwrap_or_default();
    (!limits.is_empty()).then(|| format!("  in one call, at most {}{at_once}", limits.join(", ")))
}

fn http_line(grant: &HttpGrant) -> String {
    let private = if grant.private_network { ", also at a private address" } else { "" };
    // The host writes out every port.
    let origin = origin(&grant.origin).unwrap_or_else(|_| grant.origin.clone());
    let what = if grant.methods.is_empty() { "requests".to_owned() } else { grant.methods.join(", ") };
    format!("  send {what} to {}{private}", printable(&origin))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::wire::PluginSignature;

    #[derive(Parser)]
    struct Approve {
        #[command(flatten)]
        args: ApproveArgs,
    }

    fn grants(flags: &str) -> Result<Grants, CliError> {
        let line = ["approve", "x"].into_iter().chain(flags.split_whitespace());
        Approve::try_parse_from(line).unwrap().args.grants.wire("x", &Grants::default())
    }

    fn again(before: &Limits, flags: &str) -> Limits {
        let line = ["approve", "x"].into_iter().chain(flags.split_whitespace());
        let before = Grants { limits: before.clone(), ..Grants::default() };
        Approve::try_parse_from(line).unwrap().args.grants.wire("x", &before).unwrap().limits
    }

    fn plugin() -> Plugin {
        let requests = serde_json::json!({
            "http": [{ "named": "https://api.example.com:443" }, { "config": "/url" }],
            "folders": [{ "named": "site" }],
            "workspace": "read",
        });
        Plugin {
            name: "static-site".to_owned(),
            kind: "target".to_owned(),
            digest: format!("sha256:{}", "0123456789ab".repeat(5)),
            version: "0.1.0".to_owned(),
            summary: "Unpacks a site into a folder".to_owned(),
            status: "pending".to_owned(),
            requests,
            grants: None,
            narrowed: Vec::new(),
            config_schema: serde_json::Value::Null,
            size_bytes: 345_678,
            source: None,
            signatures: Vec::new(),
            signature_required: None,
            added_by: "ann".to_owned(),
            added_at: "2026-03-14T09:20:00Z".to_owned(),
            approval: None,
            retired: None,
        }
    }

    #[test]
    fn no_flags_grant_nothing() {
        assert_eq!(grants("").unwrap(), Grants::default());
    }

    #[test]
    fn flags_become_grants() {
        let flags = "--allow-http https://API.example.com:443/ --allow-private-http http://127.0.0.1:8080 \
             --allow-http http://127.0.0.1:8080 --folder site=/srv/site --folder-read keys=/etc/keys \
             --workspace read-write --memory-mb 512";
        let json = serde_json::to_string_pretty(&grants(flags).unwrap()).unwrap();
        expect![[r#"
            {
              "http": [
                {
                  "origin": "http://127.0.0.1:8080",
                  "private_network": true
                },
                {
                  "origin": "https://api.example.com",
                  "private_network": false
                }
              ],
              "folders": {
                "keys": {
                  "path": "/etc/keys",
                  "access": "read"
                },
                "site": {
                  "path": "/srv/site",
                  "access": "read-write"
                }
              },
              "workspace": "read-write",
              "limits": {
                "memory_bytes": 536870912,
                "cpu_ms": null,
                "wall_ms": null,
                "log_bytes": null,
                "output_bytes": null,
                "http_body_bytes": null
              }
            }"#]]
        .assert_eq(&json);
    }

    #[test]
    fn a_limit_that_is_not_set_again_stays() {
        let all = "--memory-mb 1 --cpu 2s --wall 3m --log-kb 4 --output-kb 5 --http-body-mb 6";
        let before = again(&Limits::default(), all);
        assert_eq!(again(&before, ""), before);
        assert_eq!(again(&before, "--cpu 500ms"), Limits { cpu_ms: Some(500), ..before.clone() });
        let shown = limits_line(&before).unwrap();
        expect!["  in one call, at most 1.0 MiB of memory, 2.0 s of CPU, 3 min altogether, a log of 4.0 KiB, an answer of 5.0 KiB, HTTP bodies of 6.0 MiB"].assert_eq(&shown);
        assert_eq!(limits_line(&Limits::default()), None);
    }

    #[test]
    fn what_a_plugin_asks_for_is_quoted_for_the_shell() {
        let requests = serde_json::json!({ "http": [{ "named": "https://a; rm -rf ~ #" }], "folders": [{ "named": "\u{202e}x" }] });
        let shown = next_step(&look(), &Plugin { requests, ..plugin() }, &Grants::default());
        assert!(shown.ends_with(" --allow-http 'https://a; rm -rf ~ #' --folder '\u{fffd}x=PATH'"), "{shown}");
    }

    #[test]
    fn grants_that_could_be_meant_differently_are_refused() {
        for wrong in ["api.example.com", "https://h/path", "https://u@h", "ftp://h", "https://h?x"] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
        for wrong in ["site", "=/srv", "site=srv", "site="] {
            assert!(folder(wrong).is_err(), "{wrong}");
        }
        let twice = grants("--folder a=/x --folder-read a=/y").unwrap_err();
        assert_eq!(twice.exit_code(), 2);
    }

    #[test]
    fn before_approving_each_request_is_held_against_the_grants() {
        let grants = grants("--allow-http https://api.example.com --workspace read").unwrap();
        expect![[r#"
            static-site 0.1.0  target  pending
              Unpacks a site into a folder
              sha256:0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab  337.6 KiB
              added by ann at 09:20:00 (10 min ago)
            Asks for
              ✓ http https://api.example.com:443
              ✓ http where its configuration says, at /url
              ✗ folder site  not granted
              ✓ workspace, read
            Will be allowed
              send requests to https://api.example.com
              read the workspace
              in one call, what the host allows by itself"#]]
        .assert_eq(&decision(&look(), &plugin(), &Grants::default(), &grants));
    }

    #[test]
    fn where_it_comes_from_and_who_signed_it_is_shown() {
        let signed = |key: &str, trusted| PluginSignature {
            key: Some(key.to_owned()),
            public_key: Some("0123456789ab".repeat(5) + "0123"),
            trusted,
            ..Default::default()
        };
        let plugin = Plugin {
            source: Some("oci://registry.example/static-site:v1@sha256:00".to_owned()),
            signatures: vec![signed("ops", false)],
            signature_required: Some("static-*".to_owned()),
            ..plugin()
        };
        expect![[r#"
            static-site 0.1.0  target  pending
              Unpacks a site into a folder
              sha256:0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab  337.6 KiB
              added by ann at 09:20:00 (10 min ago)
              from oci://registry.example/static-site:v1@sha256:00
              signed with `ops`, ed25519 0123456789ab  not trusted for it
              `static-*` requires a signature: it cannot be approved without"#]]
        .assert_eq(&heading(&look(), &plugin).join("\n"));
        let plugin = Plugin { signatures: vec![signed("ops", false), signed("new", true)], ..plugin };
        assert!(origin_lines(&look(), &plugin).last().unwrap().contains("`new`"));
        let by_workflow = PluginSignature {
            identity: Some("https://a.example/x/.github/workflows/release.yml@refs/tags/v1".to_owned()),
            issuer: Some("https://token.example".to_owned()),
            trusted_roots: vec!["sigstore.dev".to_owned(), format!("sha256:{}", "0123456789ab".repeat(5))],
            trusted: true,
            ..Default::default()
        };
        let plugin = Plugin { signatures: vec![by_workflow], source: None, ..plugin };
        expect!["  signed by https://a.example/x/.github/workflows/release.yml@refs/tags/v1, vouched for by https://token.example (sigstore.dev, trusted root 0123456789ab)"]
            .assert_eq(&origin_lines(&look(), &plugin).join("\n"));
    }

    #[test]
    fn grants_that_are_replaced_are_shown() {
        let before = grants("--folder site=/old").unwrap();
        let plugin = Plugin { grants: Some(before.clone()), ..plugin() };
        let shown = decision(&look(), &plugin, &before, &Grants::default());
        expect![[r#"
              only to compute
              in one call, what the host allows by itself
            Instead of
              read-write the folder site, which is /old
              in one call, what the host allows by itself
            Loses
              read-write the folder site, which is /old"#]]
        .assert_eq(shown.split_once("Will be allowed\n").unwrap().1);
    }

    #[test]
    fn grants_that_stay_are_no_change() {
        let all =
            "--allow-http https://a.example --memory-mb 1 --cpu 2s --wall 3m --log-kb 4 --output-kb 5 --http-body-mb 6";
        let asked = grants(all).unwrap();
        let mut held = asked.clone();
        held.http[0].origin = "https://a.example:443".to_owned();
        let plugin = Plugin { grants: Some(held.clone()), ..plugin() };
        expect![[r#"
              send requests to https://a.example
              in one call, at most 1.0 MiB of memory, 2.0 s of CPU, 3 min altogether, a log of 4.0 KiB, an answer of 5.0 KiB, HTTP bodies of 6.0 MiB
            as it is already"#]].assert_eq(decision(&look(), &plugin, &held, &asked).split_once("Will be allowed\n").unwrap().1);
    }

    #[test]
    fn an_approval_without_a_question_says_what_it_gave() {
        let grants = grants("--folder site=/srv/site --workspace read").unwrap();
        let plugin = Plugin { status: "active".to_owned(), grants: Some(grants), ..plugin() };
        expect![[r#"
            static-site 0123456789ab is active
            May
              read-write the folder site, which is /srv/site
              read the workspace
              in one call, what the host allows by itself
            Asks for, and was not granted
              ✗ http https://api.example.com:443
              ✗ http where its configuration says, at /url"#]]
        .assert_eq(&approval(&look(), &plugin));
    }

    #[test]
    fn a_new_plugin_says_how_to_approve_it() {
        expect![[r#"


            Next
              lockgate plugin approve static-site --allow-http https://api.example.com:443 --allow-http ORIGIN --folder site=PATH --workspace read"#]].assert_eq(&next_step(&look(), &plugin(), &Grants::default()));
    }

    #[test]
    fn the_suggested_approval_keeps_what_is_granted() {
        let held = grants("--allow-private-http http://127.0.0.1:9000 --folder-read keys=/etc/keys").unwrap();
        let shown = next_step(&look(), &plugin(), &held);
        let flags = "--allow-private-http http://127.0.0.1:9000 --folder-read keys=/etc/keys \
             --allow-http https://api.example.com:443 --folder site=PATH --workspace read";
        assert!(shown.ends_with(&format!("plugin approve static-site {flags}")), "{shown}");
    }

    #[test]
    fn without_a_question_nothing_is_taken_away() {
        let held = grants("--allow-private-http http://127.0.0.1:9000 --folder site=/srv --workspace read").unwrap();
        let wider = "--allow-private-http http://127.0.0.1:9000 --allow-http https://a.example --folder site=/srv \
             --workspace read-write";
        assert!(refuse_losses(&plugin(), &held, &grants(wider).unwrap()).is_ok());
        let other = grants("--allow-http http://127.0.0.1:9000 --folder-read site=/srv").unwrap();
        let refused = refuse_losses(&plugin(), &held, &other).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        let shown = refused.shown(&look());
        for lost in ["send requests to http://127.0.0.1:9000, also", "read-write the folder site", "read the workspace"]
        {
            assert!(shown.contains(lost), "{lost} in {shown}");
        }
        assert!(refuse_losses(&plugin(), &held, &Grants::default()).is_err());
        assert!(refuse_losses(&plugin(), &Grants::default(), &other).is_ok());
    }

    #[test]
    fn what_a_refusal_suggests_keeps_what_there_was_and_gives_what_was_typed() {
        let digest = "ab".repeat(32);
        let held = format!(
            "--allow-http https://a.example --folder site=/srv --workspace read --secret one --state shared \
             --tool k=/bin/k@sha256:{digest} --tool-args k=get --tool-env k=HOME --tool t=/bin/t --tool-args t="
        );
        let typed = "--allow-http https://b.example --folder-read site=/srv --folder logs=/logs --secret two \
             --tool k=/bin/k --tool-args k=put";
        let (held, typed) = (grants(&held).unwrap(), grants(typed).unwrap());
        let suggested = grants(&flags_of(&both(&held, &typed))).unwrap();
        assert_eq!(losses(&held, &suggested), Vec::<String>::new());
        assert_eq!(losses(&typed, &suggested), Vec::<String>::new());
    }

    #[test]
    fn a_program_that_was_changed_is_another_one_and_its_old_grant_is_what_is_kept() {
        let tool = |content: &str| format!("--tool k=/bin/k@sha256:{} --tool-args k=get", content.repeat(32));
        let (held, typed) = (grants(&tool("ab")).unwrap(), grants(&tool("cd")).unwrap());
        assert_eq!(grants(&flags_of(&both(&held, &typed))).unwrap(), held);
    }

    #[test]
    fn a_secret_that_is_granted_and_not_there_is_named_once() {
        let secret = |name: &str| Secret {
            name: name.to_owned(),
            origins: Vec::new(),
            headers: Vec::new(),
            project: None,
            environments: Vec::new(),
            set_by: "ann".to_owned(),
            set_at: "2026-03-14T06:30:00Z".to_owned(),
        };
        let grants = grants("--secret one --secret two --reveal-secret two").unwrap();
        assert_eq!(missing_secrets(&grants, &[secret("one")]), BTreeSet::from(["two"]));
    }

    #[test]
    fn what_is_granted_and_not_asked_for_is_told() {
        let mut plugin = plugin();
        plugin.requests["http"] = serde_json::json!([{ "named": "https://api.example.com:443" }]);
        let given = "--allow-http https://api.example.com --allow-http https://api.exmple.com --folder site=/a \
             --folder sites=/b --workspace read --secret github --state";
        expect![[r#"
            Granted, and not asked for, so not given
              send requests to https://api.exmple.com
              read-write the folder sites, which is /b
              send secret github to where it may travel, unseen
              keep state in x"#]]
        .assert_eq(&unasked_lines(&look(), &plugin, &grants(given).unwrap()).join("\n"));
        plugin.requests["http"] = serde_json::json!([{ "config": "/url" }]);
        assert!(unasked(&requests(&plugin).unwrap(), &grants(given).unwrap()).http.is_empty());
        plugin.requests = serde_json::json!(["of a newer host"]);
        assert_eq!(unasked_lines(&look(), &plugin, &grants(given).unwrap()), Vec::<String>::new());
    }

    #[test]
    fn private_addresses_are_known_by_sight() {
        for private in
            ["http://127.0.0.1:1", "http://localhost", "http://[::1]:9", "http://10.1.2.3", "http://[fd00::1]"]
        {
            assert!(is_private(private), "{private}");
        }
        assert!(!["https://a.example", "http://1.1.1.1", "nothing"].into_iter().any(is_private));
    }

    #[test]
    fn a_list_of_plugins() {
        let active =
            Plugin { status: "active".to_owned(), name: "http-check".to_owned(), kind: "gate".to_owned(), ..plugin() };
        expect![[r#"
            NAME         KIND    STATUS   VERSION  DIGEST        ADDED       SUMMARY
            static-site  target  pending  0.1.0    0123456789ab  10 min ago  Unpacks a site into a folder
            http-check   gate    active   0.1.0    0123456789ab  10 min ago  Unpacks a site into a folder"#]]
        .assert_eq(&list(&look(), &Page { items: vec![plugin(), active], next: None }));
    }
}
