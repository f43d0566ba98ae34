//! What a plugin may do, as it is typed, shown, and held against what it may do now.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use url::Url;

use crate::cli::fail::CliError;
use crate::cli::look::{bytes, duration, printable, shell_word};
use crate::cli::plugin::tools;
use crate::cli::target;
use crate::wire::{FolderGrant, Grants, HttpGrant, Limits, ToolGrant};

#[derive(Debug, Default, Args)]
pub struct GrantArgs {
    /// May send requests to this origin, such as https://api.example.com; with these methods only where they are named
    /// before it, such as "GET,HEAD https://api.example.com". May be given more than once.
    #[arg(long, value_name = "[METHODS ]ORIGIN", value_parser = reach)]
    pub allow_http: Vec<Reach>,

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

impl GrantArgs {
    /// What is not granted again is not granted; a limit that is not set again stays.
    pub fn wire(&self, plugin: &str, before: &Grants) -> Result<Grants, CliError> {
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
pub struct Reach {
    pub origin: String,
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

pub fn origin(text: &str) -> Result<String, String> {
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
pub fn folder(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && path.starts_with('/') => Ok((name.to_owned(), path.to_owned())),
        Some(_) | None => Err("expected NAME=PATH with an absolute path on the host".to_owned()),
    }
}

/// The flags that give these grants, but for their limits: those stay by themselves.
pub fn flags_of(grants: &Grants) -> String {
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

pub fn http_flag(private: bool) -> &'static str {
    if private { "--allow-private-http" } else { "--allow-http" }
}

/// What `before` allows and `after` does not, in words.
pub fn losses(before: &Grants, after: &Grants) -> Vec<String> {
    reach_lines(&lost(before, after))
}

/// What was typed, and what would be lost by it.
pub fn both(held: &Grants, typed: &Grants) -> Grants {
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

/// Without the limits.
pub fn reach_lines(grants: &Grants) -> Vec<String> {
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

pub fn grant_lines(grants: &Grants) -> Vec<String> {
    let mut lines = reach_lines(grants);
    if lines.is_empty() {
        lines.push("  only to compute".to_owned());
    }
    lines.push(
        limits_line(&grants.limits).unwrap_or_else(|| "  in one call, what the host allows by itself".to_owned()),
    );
    lines
}

pub fn limits_line(limits: &Limits) -> Option<String> {
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
