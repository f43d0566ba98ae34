//! What a test shows: each call with what it said and asked for, how it ended, and at the end what of the requested grants
//! was used. The same run gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use lockgate_core::digest::Digest;
use lockgate_core::origin::{normal_origin, origin_of_url};
use lockgate_core::plugin::{Failure, Requested, Requests};
use serde::Serialize;
use serde_json::Value;

use super::Results;
use super::fixture::{Fixture, OutcomeFile};
use super::stage::{Call, Seen};
use crate::cli::look::{Look, Tone, duration, printable};

#[derive(Debug, Serialize)]
pub struct Report {
    component: PathBuf,
    digest: Digest,
    pub passed: bool,
    fixtures: Vec<Shown>,
    /// Of what the plugin asks for.
    used: Vec<String>,
    unused: Vec<String>,
    /// Granted by a fixture, and not asked for: it is not given.
    unasked: Vec<String>,
    denied: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Shown {
    fixture: PathBuf,
    about: String,
    passed: bool,
    outcome: Option<OutcomeFile>,
    failure: Option<Failure>,
    message: String,
    reason: String,
    summary: String,
    outputs: Value,
    evidence: Value,
    plan: Vec<String>,
    resources: Vec<String>,
    calls: Vec<ShownCall>,
    mistakes: Vec<String>,
    /// Keys of the fixture that were written anew.
    written: Vec<String>,
    /// Headers that were not recorded.
    kept_back: Vec<String>,
    #[serde(skip)]
    uses: Uses,
}

#[derive(Debug, Serialize)]
struct ShownCall {
    number: u32,
    operation: &'static str,
    idempotency_key: String,
    repeats: Option<u32>,
    at_ms: u64,
    said: String,
    faults: Vec<String>,
    progress: Vec<String>,
    log: Vec<String>,
    requests: Vec<ShownRequest>,
    denied: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ShownRequest {
    line: String,
    body: String,
}

/// What one fixture used of what was asked for.
#[derive(Debug, Default)]
struct Uses {
    config: Value,
    /// Requests by origin.
    http: BTreeMap<String, u32>,
    writes: BTreeSet<String>,
    unasked: BTreeSet<String>,
    denied: BTreeSet<String>,
}

impl Shown {
    pub fn new(
        fixture: Fixture,
        seen: Seen,
        mistakes: Vec<String>,
        written: Vec<String>,
        kept_back: Vec<String>,
    ) -> Self {
        let mut http = BTreeMap::new();
        let requests = seen.calls.iter().flat_map(|call| &call.requests);
        for origin in requests.filter_map(|asked| origin_of_url(&asked.url).ok()) {
            *http.entry(origin).or_default() += 1;
        }
        let granted = fixture.grants.http.iter().filter(|grant| !seen.may.http.contains(*grant));
        let folders = fixture.grants.folders.keys().filter(|name| !seen.may.folders.contains_key(*name));
        let workspace = fixture.grants.workspace.filter(|_| seen.may.workspace.is_none());
        let unasked = granted
            .map(|grant| format!("http {}", grant.origin))
            .chain(folders.map(|name| format!("folder {name}")))
            .chain(workspace.map(|_| "workspace".to_owned()));
        let uses = Uses {
            config: fixture.config,
            http,
            writes: seen.writes,
            unasked: unasked.collect(),
            denied: seen.calls.iter().flat_map(|call| call.denied.clone()).collect(),
        };
        Self {
            fixture: fixture.path,
            about: fixture.about,
            passed: mistakes.is_empty(),
            outcome: seen.outcome,
            failure: seen.failure,
            message: seen.message,
            reason: seen.reason,
            summary: seen.summary,
            outputs: seen.outputs,
            evidence: seen.evidence,
            plan: seen.plan,
            resources: seen.resources,
            calls: seen.calls.into_iter().map(ShownCall::from).collect(),
            mistakes,
            written,
            kept_back,
            uses,
        }
    }
}

impl From<Call> for ShownCall {
    fn from(call: Call) -> Self {
        let request = |asked: super::script::Asked| ShownRequest { line: asked.line, body: asked.body };
        Self {
            number: call.number,
            operation: call.operation,
            idempotency_key: call.idempotency_key,
            repeats: call.repeats,
            at_ms: call.at_ms,
            said: call.said,
            faults: call.faults,
            progress: call.progress,
            log: call.log,
            requests: call.requests.into_iter().map(request).collect(),
            denied: call.denied,
        }
    }
}

impl Report {
    pub fn new(component: PathBuf, digest: Digest, results: Results) -> Self {
        let Results { requests, results } = results;
        let (used, unused) = used(&requests, &results);
        let all = |part: fn(&Uses) -> &BTreeSet<String>| {
            let all: BTreeSet<String> = results.iter().flat_map(|result| part(&result.uses).clone()).collect();
            all.into_iter().collect()
        };
        Self {
            component,
            digest,
            passed: results.iter().all(|result| result.passed),
            used,
            unused,
            unasked: all(|uses| &uses.unasked),
            denied: all(|uses| &uses.denied),
            fixtures: results,
        }
    }
}

/// Of what is asked for: what was used, and what was not.
fn used(requests: &Requests, results: &[Shown]) -> (Vec<String>, Vec<String>) {
    let (mut used, mut unused) = (BTreeMap::<String, u32>::new(), BTreeSet::new());
    for request in &requests.http {
        for origin in origins(request, results) {
            let count = results.iter().filter_map(|result| result.uses.http.get(&origin)).sum();
            match count {
                0 => drop(unused.insert(format!("http {origin}"))),
                count => drop(used.insert(format!("http {origin}"), count)),
            }
        }
        if origins(request, results).is_empty() {
            unused.insert(format!("http {}", place(request)));
        }
    }
    let mut lines: Vec<String> = used.iter().map(|(what, count)| format!("{what}, {}", times(*count))).collect();
    let mut written = |name: &str, what: String| match results.iter().any(|result| result.uses.writes.contains(name)) {
        true => lines.push(format!("{what}, written to")),
        false => drop(unused.insert(format!("{what}, to write to (what is only read is not seen)"))),
    };
    for request in &requests.folders {
        let names: BTreeSet<String> = values(request, results).collect();
        names.iter().for_each(|name| written(name, format!("folder {name}")));
    }
    if requests.workspace.is_some() {
        written("workspace", "workspace".to_owned());
    }
    (lines, unused.into_iter().collect())
}

fn times(count: u32) -> String {
    if count == 1 { "1 request".to_owned() } else { format!("{count} requests") }
}

fn place(request: &Requested) -> String {
    match request {
        Requested::Named(name) => name.clone(),
        Requested::Config(pointer) => format!("where its configuration says, at {pointer}"),
    }
}

fn origins(request: &Requested, results: &[Shown]) -> BTreeSet<String> {
    let origin = |text: String| normal_origin(&text).or_else(|_| origin_of_url(&text)).ok();
    values(request, results).filter_map(origin).collect()
}

fn values<'a>(request: &'a Requested, results: &'a [Shown]) -> Box<dyn Iterator<Item = String> + 'a> {
    match request {
        Requested::Named(name) => Box::new(std::iter::once(name.clone())),
        Requested::Config(pointer) => Box::new(
            results.iter().filter_map(|result| result.uses.config.pointer(pointer)?.as_str().map(str::to_owned)),
        ),
    }
}

// ---- for people ----

pub fn show(look: &Look, report: &Report) -> String {
    let mut lines: Vec<String> = report.fixtures.iter().flat_map(|result| fixture(look, result)).collect();
    let mut part = |title: &str, inside: &[String]| {
        if !inside.is_empty() {
            lines.push(look.strong(title));
            lines.extend(inside.iter().map(|line| format!("  {}", printable(line))));
        }
    };
    part("Asked for and used", &report.used);
    part("Asked for and not used", &report.unused);
    part("Granted, and not asked for", &report.unasked);
    part("Denied", &report.denied);
    let failed = report.fixtures.iter().filter(|result| !result.passed).count();
    let count = report.fixtures.len();
    lines.push(match failed {
        0 => look.paint(Tone::Good, &format!("{count} of {count} passed")),
        failed => look.paint(Tone::Bad, &format!("{failed} of {count} failed")),
    });
    lines.join("\n")
}

fn fixture(look: &Look, result: &Shown) -> Vec<String> {
    let mark = if result.passed { look.paint(Tone::Good, "✓") } else { look.paint(Tone::Bad, "✗") };
    let about = if result.about.is_empty() { String::new() } else { format!("  {}", printable(&result.about)) };
    let mut lines = vec![format!("{mark} {}{about}", look.strong(&printable(&result.fixture.to_string_lossy())))];
    lines.extend(result.calls.iter().flat_map(|one| call(look, one)));
    lines.push(format!("  {}", printable(&ending(result))));
    let part =
        |name: &str, value: &Value| (!value.is_null()).then(|| format!("    {name} {}", printable(&value.to_string())));
    lines.extend(part("outputs", &result.outputs));
    lines.extend(part("evidence", &result.evidence));
    let listed = |name: &'static str, all: &[String]| {
        all.iter().map(move |line| format!("    {name} {}", printable(line))).collect::<Vec<_>>()
    };
    lines.extend(listed("plan", &result.plan));
    lines.extend(listed("resource", &result.resources));
    lines.extend(result.mistakes.iter().map(|line| format!("  {} {}", look.paint(Tone::Bad, "✗"), printable(line))));
    if !result.written.is_empty() {
        lines.push(format!("  wrote {} of the fixture anew", result.written.join(" and ")));
    }
    if !result.kept_back.is_empty() {
        lines.push(format!("  not recorded, for it may open doors: {}", printable(&result.kept_back.join(", "))));
    }
    lines.push(String::new());
    lines
}

fn ending(result: &Shown) -> String {
    let outcome = result.outcome.and_then(|outcome| serde_json::to_value(outcome).ok());
    let outcome = outcome.as_ref().and_then(Value::as_str).unwrap_or("no end").to_owned();
    let failure = result.failure.as_ref().map(|failure| format!("{}: {}", failure.code, failure.message));
    let said = failure.unwrap_or_else(|| {
        let sentences = [&result.message, &result.reason, &result.summary];
        sentences.into_iter().find(|text| !text.is_empty()).cloned().unwrap_or_default()
    });
    if said.is_empty() { outcome } else { format!("{outcome}: {said}") }
}

fn call(look: &Look, call: &ShownCall) -> Vec<String> {
    let when = match call.at_ms {
        0 => String::new(),
        at => look.quiet(&format!(" after {}", duration(at))),
    };
    let repeats = call.repeats.map(|first| look.quiet(&format!(" with the key of {first}"))).unwrap_or_default();
    let mut lines = vec![format!("  {} {}{repeats}{when}: {}", call.number, call.operation, printable(&call.said))];
    let mut inside = |line: String| lines.push(format!("      {line}"));
    call.progress.iter().for_each(|line| inside(format!("progress {}", printable(line))));
    call.log.iter().flat_map(|line| line.lines()).for_each(|line| inside(printable(line)));
    for request in &call.requests {
        inside(request.line.clone());
        if !request.body.is_empty() {
            inside(look.quiet(&format!("  {}", request.body)));
        }
    }
    call.denied.iter().for_each(|what| inside(look.paint(Tone::Bad, &format!("denied: {}", printable(what)))));
    call.faults.iter().for_each(|fault| inside(look.paint(Tone::Busy, &format!("fault: {fault}"))));
    lines
}
