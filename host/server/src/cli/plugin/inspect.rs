//! `lockgate plugin inspect`: what a component is, and what a host of this version says to it. It is compiled and asked
//! to describe itself by the very sandbox that a host adds plugins with, without any grant.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use lockgate_core::digest::Digest;
use lockgate_core::name::Name;
use lockgate_core::plugin::{Description, Kind, Requests};
use lockgate_core::system::SystemRejection;
use lockgate_sandbox::{Inspection, Options, SandboxError, Surface, surface};
use serde::Serialize;
use serde_json::Value;

use crate::cli::exit;
use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, bytes, printable};
use crate::cli::plugin::here::{LocalSandbox, broken, component};
use crate::cli::plugin::requests::asked;
use crate::cli::session::Out;

/// Above this, compiling takes seconds: somebody who waits wants to know what for.
const LARGE_BYTES: usize = 4 << 20;

#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The component, as `lockgate plugin build` names it.
    file: PathBuf,
}

#[derive(Debug, Serialize)]
struct Report {
    file: PathBuf,
    digest: Digest,
    size_bytes: u64,
    kind: Option<Kind>,
    exports: Vec<String>,
    imports: Vec<Import>,
    description: Option<Description>,
    /// Why a host of this version would not take it; none where it would.
    refused: Option<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Import {
    name: String,
    #[serde(flatten)]
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "role")]
enum Role {
    /// Linked, and some of it needs a grant.
    Lockgate,
    /// The same, of what no world has by itself: whoever imports it means to start programs.
    Tools,
    /// Or to see secrets.
    Reveal,
    /// Linked, and every call answers `denied`: there is no grant for it yet.
    DeniedForNow,
    /// What a language's library brings along. Linked, and shows nothing that was not granted.
    Wasi,
    /// In no world of ours.
    Unknown,
}

impl InspectArgs {
    pub async fn run(self, out: &Out) -> Result<(), CliError> {
        let content: Arc<[u8]> = component(&self.file)?.into();
        if content.len() > LARGE_BYTES {
            out.note("compiling it, which takes a few seconds");
        }
        let report = report(self.file, content).await?;
        out.answer(&report, show);
        match report.refused {
            None => Ok(()),
            Some(_) => Err(CliError::EndedBadly { exit_code: exit::FAILED, status: "REFUSED".to_owned() }),
        }
    }
}

async fn report(file: PathBuf, content: Arc<[u8]>) -> Result<Report, CliError> {
    let (digest, size_bytes) = (Digest::of(&content), content.len() as u64);
    let Surface { imports, exports } = surface(&content).unwrap_or_default();
    let imports = imports.into_iter().map(|name| Import { role: role(&name), name }).collect();
    let (kind, description, refused) = match inspected(content).await? {
        Ok(Inspection { kind, description, .. }) => {
            let refused = refusal(&description);
            (Some(kind), Some(description), refused)
        }
        Err(refused) => (None, None, Some(refused)),
    };
    Ok(Report { file, digest, size_bytes, kind, exports, imports, description, refused })
}

/// Or why it is refused. An error is this machine's.
async fn inspected(content: Arc<[u8]>) -> Result<Result<Inspection, String>, CliError> {
    let sandbox = LocalSandbox::new(|options| Options { max_concurrent_calls: 1, ..options })?;
    match sandbox.inspect(content).await {
        Ok(inspection) => Ok(Ok(inspection)),
        Err(error @ (SandboxError::Invalid(_) | SandboxError::Describe(_))) => Ok(Err(error.to_string())),
        Err(
            error @ (SandboxError::Cache { .. }
            | SandboxError::Threads(_)
            | SandboxError::Engine(_)
            | SandboxError::OtherBytes { .. }
            | SandboxError::Compiler(_)
            | SandboxError::Interrupted(_)),
        ) => Err(broken(error)),
    }
}

/// What the system stream says to it, once the sandbox has nothing against it.
fn refusal(description: &Description) -> Option<String> {
    let Description { name, .. } = description;
    name.parse::<Name>().err().map(|_| SystemRejection::BadPluginName { name: name.clone() }.to_string())
}

fn role(import: &str) -> Role {
    let (interface, _version) = import.split_once('@').unwrap_or((import, ""));
    match interface {
        "lockgate:plugin/types"
        | "lockgate:plugin/log"
        | "lockgate:plugin/progress"
        | "lockgate:plugin/control"
        | "lockgate:plugin/artifacts"
        | "lockgate:plugin/secrets"
        | "lockgate:plugin/state"
        | "lockgate:plugin/http" => Role::Lockgate,
        "lockgate:plugin/artifacts-write" => Role::DeniedForNow,
        "lockgate:plugin/secrets-reveal" => Role::Reveal,
        "lockgate:process/run" => Role::Tools,
        wasi if wasi.starts_with("wasi:") => Role::Wasi,
        _ => Role::Unknown,
    }
}

fn show(look: &Look, report: &Report) -> String {
    let kind = report.kind.map_or("no plugin".to_owned(), |kind| kind.to_string());
    let mut lines = vec![
        format!("{}  {kind}  {}", look.strong(&printable(&report.file.to_string_lossy())), bytes(report.size_bytes)),
        format!("  {}", report.digest),
    ];
    if let Some(description) = &report.description {
        lines.extend(described(look, description));
    }
    let part = |title: &str, inside: Vec<String>| {
        let inside = if inside.is_empty() { vec!["  nothing".to_owned()] } else { inside };
        std::iter::once(look.strong(title)).chain(inside).collect::<Vec<_>>()
    };
    lines.extend(part("Exports", report.exports.iter().map(|name| format!("  {}", printable(name))).collect()));
    lines.extend(part("Imports", imports(look, &report.imports)));
    match &report.refused {
        None => lines.push(format!("{} a host of this version takes it", look.paint(Tone::Good, "✓"))),
        Some(why) => {
            lines.push(look.paint(Tone::Bad, "Refused here"));
            lines.extend(why.lines().map(|line| format!("  {}", printable(line))));
        }
    }
    lines.join("\n")
}

fn described(look: &Look, description: &Description) -> Vec<String> {
    let Description { name, version, summary, config_schema, requests } = description;
    let mut lines = vec![
        look.strong("Calls itself"),
        format!("  {} {}: {}", printable(name), printable(version), printable(summary)),
        look.strong("Asks for"),
    ];
    lines.extend(asked_for(requests));
    lines.push(look.strong("Configuration"));
    lines.extend(settings(config_schema));
    lines
}

fn asked_for(requests: &Requests) -> Vec<String> {
    let asked: Vec<String> = asked(requests).into_iter().map(|(what, _)| format!("  {what}")).collect();
    if asked.is_empty() { vec!["  nothing".to_owned()] } else { asked }
}

/// A line for each property; a schema of another form is shown as it is.
fn settings(schema: &Value) -> Vec<String> {
    let Some(properties) = schema["properties"].as_object() else { return vec![format!("  {schema}")] };
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name));
    let word = |value: &Value| value.as_str().map(|text| format!("  {}", printable(text))).unwrap_or_default();
    let line = |(name, about): (&String, &Value)| {
        let needed = if required(name) { "  required" } else { "" };
        format!("  {}{}{needed}{}", printable(name), word(&about["type"]), word(&about["description"]))
    };
    properties.iter().map(line).collect()
}

fn imports(look: &Look, imports: &[Import]) -> Vec<String> {
    let of =
        |wanted: Role| imports.iter().filter(move |import| import.role == wanted).map(|import| printable(&import.name));
    let mut lines: Vec<String> = of(Role::Lockgate).map(|name| format!("  {name}")).collect();
    let starts = "starts programs of the host, those that are granted as tools";
    lines.extend(of(Role::Tools).map(|name| format!("  {name}  {}", look.quiet(starts))));
    let sees = "is shown the values of secrets, those that are granted so";
    lines.extend(of(Role::Reveal).map(|name| format!("  {name}  {}", look.quiet(sees))));
    lines.extend(of(Role::DeniedForNow).map(|name| format!("  {name}  {}", look.quiet("answers `denied` for now"))));
    lines.extend(of(Role::Unknown).map(|name| format!("  {name}  {}", look.paint(Tone::Bad, "not of this world"))));
    let wasi: Vec<String> = of(Role::Wasi).collect();
    if !wasi.is_empty() {
        let what =
            format!("and {} of WASI, which its language brings along: without a grant they reach nothing", wasi.len());
        lines.push(format!("  {}", look.quiet(&what)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::cli::look::testing::look;

    fn import(name: &str) -> Import {
        Import { role: role(name), name: name.to_owned() }
    }

    fn description(name: &str) -> Description {
        let requests = serde_json::from_value(json!({ "http": [{ "config": "/url" }] })).unwrap();
        let config_schema = json!({
            "required": ["url"],
            "properties": { "url": { "type": "string", "description": "Whom to tell." }, "times": {} },
        });
        Description { name: name.into(), version: "0.1.0".into(), summary: "Tells.".into(), config_schema, requests }
    }

    #[test]
    fn what_is_shown_of_a_good_plugin() {
        let imports = [
            "lockgate:plugin/http@0.1.0",
            "lockgate:plugin/state@0.1.0",
            "lockgate:plugin/secrets-reveal@0.1.0",
            "lockgate:plugin/artifacts-write@0.1.0",
            "wasi:io/poll@0.2.6",
        ]
        .map(import);
        let report = Report {
            file: "tell.wasm".into(),
            digest: Digest::of(b"tell"),
            size_bytes: 91 << 10,
            kind: Some(Kind::Phase),
            exports: vec!["lockgate:phase/phase@0.1.0".into()],
            imports: imports.into(),
            description: Some(description("tell")),
            refused: None,
        };
        expect![[r#"
            tell.wasm  phase  91.0 KiB
              sha256:879915cfdc2cb4852ed05241911d8de5ca6e2cc4085746c14f13ad304157e264
            Calls itself
              tell 0.1.0: Tells.
            Asks for
              http where its configuration says, at /url
            Configuration
              url  string  required  Whom to tell.
              times
            Exports
              lockgate:phase/phase@0.1.0
            Imports
              lockgate:plugin/http@0.1.0
              lockgate:plugin/state@0.1.0
              lockgate:plugin/secrets-reveal@0.1.0  is shown the values of secrets, those that are granted so
              lockgate:plugin/artifacts-write@0.1.0  answers `denied` for now
              and 1 of WASI, which its language brings along: without a grant they reach nothing
            ✓ a host of this version takes it"#]]
        .assert_eq(&show(&look(), &report));
    }

    #[test]
    fn an_import_that_no_host_links_stands_out() {
        assert_eq!(role("lockgate:process/run@0.1.0"), Role::Tools);
        assert_eq!(role("lockgate:process/shell@0.1.0"), Role::Unknown);
        assert_eq!(role("lockgate:plugin/secrets-reveal@0.1.0"), Role::Reveal);
        assert_eq!(role("wasi:sockets/tcp@0.2.6"), Role::Wasi);
    }

    #[test]
    fn a_name_that_is_none_is_refused_as_the_host_does() {
        assert_eq!(refusal(&description("tell")), None);
        assert!(refusal(&description("Tell me")).unwrap().contains("`Tell me`"));
    }

    #[tokio::test]
    async fn what_is_no_component_is_refused_with_the_reason() {
        let refused = report("x".into(), Arc::from(&b"text"[..])).await.unwrap().refused.unwrap();
        assert_eq!(refused, "this is text, not a component; build it into a binary .wasm first");
    }
}
