//! `lockgate plugin test`: runs a component as a host would, with what its fixtures say, and shows all it did.

mod fixture;
mod rewrite;
mod script;
mod shown;
mod stage;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use lockgate_core::digest::Digest;
use lockgate_core::name::Name;
use lockgate_core::plugin::Issue;
use lockgate_sandbox::{Options, Sandbox, SandboxError};
use serde_json::{Map, Value};

use self::fixture::Fixture;
use self::script::{Mode, Script};
use self::shown::{Report, Shown};
use self::stage::{Plugin, Seen, StageError};
use crate::cli::exit;
use crate::cli::fail::CliError;
use crate::cli::plugin::build;
use crate::cli::plugin::here::{self, LocalSandbox, broken};
use crate::cli::session::Out;
use crate::project_file::Mistakes;

/// Where a project keeps them.
const FIXTURES: &str = "tests/fixtures";

#[derive(Debug, Args)]
pub struct TestArgs {
    /// The component, then fixtures. Without a component it is that of the project in this folder; without fixtures, all
    /// in its folder `tests/fixtures`.
    #[arg(value_name = "FILE.wasm|FIXTURE")]
    files: Vec<PathBuf>,

    /// The folder of the project.
    #[arg(long, default_value = ".")]
    dir: PathBuf,

    /// Answer requests from the fixture, and let nothing out. This is what is done without a flag.
    #[arg(long, conflicts_with = "record")]
    replay: bool,

    /// Let requests out, as far as the fixture's grants go, wait where the plugin waits, and write into the fixture what
    /// came back.
    #[arg(long)]
    record: bool,

    /// Write what happened into the fixture, as what is expected from now on.
    #[arg(long)]
    update: bool,
}

impl TestArgs {
    pub async fn run(self, out: &Out) -> Result<(), CliError> {
        let (components, fixtures): (Vec<_>, Vec<_>) =
            self.files.iter().cloned().partition(|file| file.extension().is_some_and(|end| end == "wasm"));
        let component = match &components[..] {
            [] => build::built(&self.dir, out)?,
            [component] => component.clone(),
            [_, second, ..] => {
                let what = format!("{} is a second component", second.display());
                return Err(CliError::usage(what, "one is tested at a time"));
            }
        };
        let folder = if self.dir == Path::new(".") { PathBuf::from(FIXTURES) } else { self.dir.join(FIXTURES) };
        let fixtures = if fixtures.is_empty() { all_below(&folder)? } else { fixtures };
        let content = here::component(&component)?;
        let mode = if self.record { Mode::Record } else { Mode::Replay };
        let results = self.results(content.clone().into(), fixtures, mode).await?;
        let report = Report::new(component, Digest::of(&content), results);
        out.answer(&report, shown::show);
        match report.passed {
            true => Ok(()),
            false => Err(CliError::EndedBadly { exit_code: exit::FAILED, status: "FAILED".to_owned() }),
        }
    }

    async fn results(&self, content: Arc<[u8]>, paths: Vec<PathBuf>, mode: Mode) -> Result<Results, CliError> {
        // Real time: long enough for a guest that is cancelled from its first moment, on a machine that has much to do.
        let cancel_grace = Duration::from_secs(5);
        let sandbox = LocalSandbox::new(|options| Options { max_concurrent_calls: 2, cancel_grace, ..options })?;
        let plugin = plugin(&sandbox, content).await?;
        let fixtures = read(&paths, &plugin).await?;
        let mut results = Vec::new();
        for fixture in fixtures {
            let result = tested(&plugin, &fixture, mode).await.map_err(broken)?;
            results.push(self.kept(fixture, result)?);
        }
        Ok(Results { requests: plugin.description.requests, results })
    }

    /// Writes into the fixture what was asked for.
    fn kept(&self, fixture: Fixture, tested: Tested) -> Result<Shown, CliError> {
        let Tested { seen, script } = tested;
        let mut mistakes = script.mistakes();
        let happened = snapshot(&seen);
        if self.record {
            mistakes.extend(lost_to_denials(&fixture, &happened));
        }
        let mut written = Vec::new();
        if mistakes.is_empty() && self.record {
            written.push(("http", Value::Array(script.recorded())));
        }
        let differences = differences(&fixture.expect, &happened);
        if mistakes.is_empty() && self.update && !differences.is_empty() {
            written.push(("expect", Value::Object(updated(&fixture.expect, &happened))));
        } else {
            mistakes.extend(differences);
        }
        if !written.is_empty() {
            let unwritten = |why: String| {
                CliError::usage(
                    format!("{} cannot be written: {why}", fixture.path.display()),
                    "begin each key on a line of its own",
                )
            };
            let text = rewrite::with(&fixture.text, &written).map_err(unwritten)?;
            fs::write(&fixture.path, text).map_err(|error| unwritten(error.to_string()))?;
        }
        let written = written.into_iter().map(|(key, _)| key.to_owned()).collect();
        Ok(Shown::new(fixture, seen, mistakes, written, script.kept_back()))
    }
}

pub struct Results {
    requests: lockgate_core::plugin::Requests,
    results: Vec<Shown>,
}

struct Tested {
    seen: Seen,
    script: Arc<Script>,
}

async fn tested(plugin: &Plugin<'_>, fixture: &Fixture, mode: Mode) -> Result<Tested, StageError> {
    let script = Arc::new(Script::new(fixture.http.clone(), mode));
    let seen = stage::run(plugin, fixture, script.clone(), mode).await?;
    Ok(Tested { seen, script })
}

async fn plugin(sandbox: &Sandbox, content: Arc<[u8]>) -> Result<Plugin<'_>, CliError> {
    let refused = |error: SandboxError| match error {
        SandboxError::Invalid(_) | SandboxError::Describe(_) => {
            CliError::usage(error, "`lockgate plugin inspect` says more")
        }
        SandboxError::Cache { .. }
        | SandboxError::Threads(_)
        | SandboxError::Engine(_)
        | SandboxError::OtherBytes { .. }
        | SandboxError::Compiler(_)
        | SandboxError::Interrupted(_) => broken(error),
    };
    let inspection = sandbox.inspect(content.clone()).await.map_err(refused)?;
    let (digest, kind, description) = (inspection.digest, inspection.kind, inspection.description);
    if description.name.parse::<Name>().is_err() {
        let what = format!("the plugin calls itself `{}`, and a host would not take that name", description.name);
        return Err(CliError::usage(what, "use a-z, 0-9 and `-`"));
    }
    sandbox.load(digest, content).await.map_err(refused)?;
    Ok(Plugin { sandbox, digest, kind, description })
}

fn all_below(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let is_fixture = |path: &PathBuf| {
        path.extension().and_then(|end| end.to_str()).is_some_and(|end| matches!(end, "yaml" | "yml" | "json"))
    };
    let mut fixtures: Vec<PathBuf> = entries.filter(is_fixture).collect();
    fixtures.sort();
    match fixtures.is_empty() {
        false => Ok(fixtures),
        true => {
            let what = format!("there are no fixtures in {}", folder.display());
            Err(CliError::usage(what, "write one, such as green.yaml: examples/plugins has some"))
        }
    }
}

/// All mistakes of all of them, before anything runs.
async fn read(paths: &[PathBuf], plugin: &Plugin<'_>) -> Result<Vec<Fixture>, CliError> {
    let (mut fixtures, mut wrong) = (Vec::new(), Vec::new());
    for path in paths {
        let text = fs::read_to_string(path).map_err(|error| {
            CliError::usage(format!("cannot read {}: {error}", path.display()), "a fixture is a YAML or JSON file")
        })?;
        match checked(path, text, plugin).await {
            Ok(fixture) => fixtures.push(fixture),
            Err(mistakes) => wrong.push(mistakes.in_file(path.to_string_lossy())),
        }
    }
    match wrong.is_empty() {
        true => Ok(fixtures),
        false => Err(CliError::Mistakes {
            shown: wrong.iter().map(Mistakes::to_string).collect::<Vec<_>>().join("\n"),
            mistakes: wrong.iter().flat_map(Mistakes::iter).map(Into::into).collect(),
        }),
    }
}

/// What the plugin itself says of its configuration counts as a mistake, as in a project file.
async fn checked(path: &Path, text: String, plugin: &Plugin<'_>) -> Result<Fixture, Mistakes> {
    let fixture = fixture::read(path, text, plugin.kind)?;
    let issues =
        plugin.sandbox.validate(&plugin.digest, &fixture.config).await.unwrap_or_else(|error| {
            vec![Issue { path: String::new(), message: format!("could not be checked: {error}") }]
        });
    let at = |issue: Issue| Issue { path: format!("/config{}", issue.path), ..issue };
    match issues.is_empty() {
        true => Ok(fixture),
        false => Err(Mistakes::from_issues(&fixture.text, issues.into_iter().map(at).collect())),
    }
}

/// All that can be expected, in the form of a fixture's `expect`.
fn snapshot(seen: &Seen) -> Map<String, Value> {
    let failure = seen.failure.as_ref();
    let message = failure.map_or(&seen.message, |failure| &failure.message);
    let text = |text: &str| Value::String(text.to_owned());
    let lines = |lines: &[String]| Value::from(lines.to_vec());
    let of_calls =
        |part: &dyn Fn(&stage::Call) -> Vec<String>| lines(&seen.calls.iter().flat_map(part).collect::<Vec<_>>());
    let all = [
        ("outcome", seen.outcome.map_or(Value::Null, |outcome| serde_json::to_value(outcome).unwrap_or_default())),
        ("code", text(failure.map_or("", |failure| &failure.code))),
        ("message", text(message)),
        ("reason", text(&seen.reason)),
        ("summary", text(&seen.summary)),
        ("outputs", seen.outputs.clone()),
        ("evidence", seen.evidence.clone()),
        ("artifacts", lines(&seen.artifacts)),
        ("plan", lines(&seen.plan)),
        ("resources", lines(&seen.resources)),
        ("calls", of_calls(&|call| vec![format!("{}: {}", call.operation, call.said)])),
        ("progress", of_calls(&|call| call.progress.clone())),
        ("log", of_calls(&|call| call.log.clone())),
        ("requests", of_calls(&|call| call.requests.iter().map(|asked| asked.line.clone()).collect())),
        ("denied", of_calls(&|call| call.denied.clone())),
        ("state", lines(&seen.state)),
    ];
    all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A recording without what was denied would replace one that has it. Where no release could be made, all of it was.
fn lost_to_denials(fixture: &Fixture, happened: &Map<String, Value>) -> Option<String> {
    let is_expected = |key: &str| fixture.expect.get(key) == happened.get(key);
    let is_refused = happened["outcome"] == "refused" && !is_expected("outcome");
    let is_denied = !is_nothing(&happened["denied"]) && !is_expected("denied");
    if fixture.http.is_empty() || !(is_refused || is_denied) {
        return None;
    }
    let what = if is_refused { &happened["message"] } else { &happened["denied"] };
    Some(format!(
        "denied while recording: {what}; the fixture keeps the `http` it had: grant under `grants` what is missing, or expect this"
    ))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whoever expects nothing tests nothing.
fn differences(expected: &Map<String, Value>, happened: &Map<String, Value>) -> Vec<String> {
    if expected.is_empty() {
        return vec!["nothing is expected: `--update` writes down what happened".to_owned()];
    }
    let differs = |key: &str, value: &Value| match happened.get(key) {
        Some(seen) if is_nothing(seen) && is_nothing(value) => false,
        Some(seen) => seen != value,
        None => true,
    };
    let told = |(key, value): (&String, &Value)| {
        format!("{key}: expected {value}, and it was {}", happened.get(key).unwrap_or(&Value::Null))
    };
    expected.iter().filter(|(key, value)| differs(key, value)).map(told).collect()
}

/// The keys that were there, as it was this time; where none were, all that there is to say.
fn updated(expected: &Map<String, Value>, happened: &Map<String, Value>) -> Map<String, Value> {
    let stays = |key: &str, value: &Value| match expected.is_empty() {
        true => !is_nothing(value),
        false => expected.contains_key(key),
    };
    let kept = happened.iter().filter(|(key, value)| stays(key, value));
    let by_key: BTreeMap<&String, &Value> = kept.collect();
    // In the order they had.
    let order = if expected.is_empty() { happened.keys() } else { expected.keys() };
    order.filter_map(|key| Some((key.clone(), (*by_key.get(key)?).clone()))).collect()
}

#[cfg(test)]
mod tests;
