//! What a plugin asks for, and which of it is granted.

use lockgate_core::origin::is_private;
use lockgate_core::plugin::{Access, Requested, Requests};

use crate::cli::look::{Look, Tone, printable, shell_word};
use crate::cli::plugin::grants::{flags_of, http_flag, origin, reach_lines};
use crate::cli::plugin::titled;
use crate::wire::{Grants, Limits, Plugin};

pub fn requests(plugin: &Plugin) -> Option<Requests> {
    serde_json::from_value(plugin.requests.clone()).ok()
}

pub fn asked_lines(look: &Look, plugin: &Plugin, grants: Option<&Grants>) -> Vec<String> {
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

pub enum Asked<'a> {
    Http(&'a Requested),
    Folder(&'a Requested),
    Workspace(Access),
    /// With the flag that grants it.
    Secret(&'static str, &'a Requested),
    State,
    Tool(&'a Requested),
}

pub fn asked(requests: &Requests) -> Vec<(String, Asked<'_>)> {
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
    pub fn granted(&self, grants: &Grants) -> bool {
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

/// What grants all that it has and all that is asked for; capital letters are for the operator to fill in.
pub fn suggested_flags(requests: &Requests, held: &Grants) -> String {
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

/// A mistyped origin is granted and never given. Of requests of a newer host nobody here knows what they ask for.
pub fn unasked_lines(look: &Look, plugin: &Plugin, grants: &Grants) -> Vec<String> {
    let unasked = requests(plugin).map_or_else(Vec::new, |requests| reach_lines(&unasked(&requests, grants)));
    titled(look.strong("Granted, and not asked for, so not given"), unasked)
}

/// Where a configuration names what is meant, everything of its kind may be.
pub fn unasked(requests: &Requests, grants: &Grants) -> Grants {
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
