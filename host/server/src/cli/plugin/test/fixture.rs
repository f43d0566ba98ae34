//! A fixture as people type it, and what it means. What is left out is filled in here, once.
//!
//! These structs are the only description of the file's shape. All mistakes of a file are told together, with their place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use lockgate_core::definition::FULL_WEIGHT;
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::digest::Digest;
use lockgate_core::name::{Name, Tag, Timestamp};
use lockgate_core::origin::{normal_origin, parse_url};
use lockgate_core::plugin::{
    Access, Artifact, FolderGrant, Grants, HttpGrant, Issue, Kind, Limits, ToolGrant, ToolLimits,
};
use lockgate_sandbox::{Received, Secret, SecretValue, Trouble};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::clock;
use crate::project_file::{Duration, LongerThanZero, Mistakes, NameText, Shape, parse_as};

static SHAPE: LazyLock<Shape> = LazyLock::new(Shape::of::<File>);

/// Of one artifact: it is held in memory.
const MOST_ARTIFACT_BYTES: u64 = 64 << 20;
/// Where a fixture names no time, it begins then.
const USUAL_CLOCK: &str = "2026-01-01T00:00:00Z";

/// What one test of a plugin is given, and what is expected of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct File {
    /// What it shows, in a sentence.
    #[serde(default)]
    about: String,
    /// What is asked of the plugin. A phase runs and a gate is judged without this; a target is applied.
    run: Option<RunFile>,
    /// What the plugin is told.
    #[serde(default)]
    config: Map<String, Value>,
    #[serde(default)]
    release: ReleaseFile,
    #[serde(default)]
    deployment: DeploymentFile,
    /// Of the release.
    #[serde(default)]
    artifacts: Vec<ArtifactFile>,
    /// How a phase or a target is used.
    #[serde(default)]
    phase: PhaseFile,
    /// How often a gate is sampled, at most.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1000))]
    rounds: u32,
    /// What an operator lets it do. What is not granted is denied.
    #[serde(default)]
    grants: GrantsFile,
    /// Secrets that the host keeps, by name.
    #[serde(default)]
    secrets: BTreeMap<NameText, SecretFile>,
    /// What earlier deployments have kept, by key.
    #[serde(default)]
    state: BTreeMap<String, String>,
    /// When it begins, such as `2026-01-01T00:00:00Z`. Time passes only where somebody waits.
    clock: Option<String>,
    /// The same seed gives the same random numbers.
    #[serde(default)]
    seed: u64,
    /// What goes wrong, and when.
    #[serde(default)]
    faults: Vec<FaultFile>,
    /// Requests in their order, and what came back.
    #[serde(default)]
    http: Vec<ExchangeFile>,
    /// What must come of it. A key that is left out may be anything.
    #[serde(default)]
    #[expect(dead_code, reason = "held against the shape, and taken as it was typed")]
    expect: ExpectFile,
}

#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum RunFile {
    Phase,
    Gate,
    Plan,
    Apply,
    Undo,
    Observe,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ReleaseFile {
    tag: String,
    description: String,
    /// Tag of the release that is live before.
    previous: Option<String>,
}

impl Default for ReleaseFile {
    fn default() -> Self {
        Self { tag: "v2".to_owned(), description: String::new(), previous: None }
    }
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct DeploymentFile {
    project: Option<NameText>,
    environment: Option<NameText>,
    #[serde(rename = "type")]
    kind: TypeFile,
    by: Option<String>,
    comment: String,
    variables: BTreeMap<String, String>,
    /// Of a CUSTOM deployment.
    input: Value,
    refresh: bool,
    forced: bool,
    allow_destructive: bool,
    /// Outputs of earlier phases, by phase.
    outputs: BTreeMap<NameText, Map<String, Value>>,
}

#[derive(Deserialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
enum TypeFile {
    #[default]
    Full,
    Launch,
    Custom,
    Destroy,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ArtifactFile {
    name: String,
    /// Its bytes, beside the fixture.
    file: Option<String>,
    /// Its bytes, where they are text.
    text: Option<String>,
    #[serde(default)]
    uri: String,
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    build_id: String,
    #[serde(default)]
    stack: String,
    application: Option<NameText>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct PhaseFile {
    /// Of the phase, the gate or the target; the plugin's name without this.
    name: Option<NameText>,
    timeout: Option<LongerThanZero>,
    #[schemars(range(max = 100))]
    retries: u32,
    backoff: Option<Duration>,
    /// Of a target.
    #[schemars(range(max = 100))]
    weight: Option<u8>,
    /// Of a target.
    application: Option<NameText>,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct GrantsFile {
    /// Origins, such as `https://api.example.com`.
    http: Vec<String>,
    /// Origins that may be at a private address.
    private_http: Vec<String>,
    /// Folders beside the fixture, by the name the plugin sees. It gets a copy.
    folders: BTreeMap<String, String>,
    /// The same, to read only.
    folders_read: BTreeMap<String, String>,
    workspace: Option<AccessFile>,
    /// Names of `secrets` that go along with requests.
    secrets: Vec<NameText>,
    /// Names of `secrets` that are shown.
    reveal: Vec<NameText>,
    /// Whether it may keep values between deployments.
    state: bool,
    /// Names of tools. They count as granted, and none is started: each call is denied.
    tools: Vec<NameText>,
    /// Of one call.
    limits: LimitsFile,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SecretFile {
    /// Made up, but for `--record`: whoever reads the fixture reads it.
    value: String,
    /// Origins it may travel to.
    #[serde(default)]
    to: Vec<String>,
    /// Headers it may stand in, in small letters.
    #[serde(default = "authorization")]
    header: Vec<String>,
}

fn authorization() -> Vec<String> {
    vec!["authorization".to_owned()]
}

#[derive(Deserialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum AccessFile {
    Read,
    ReadWrite,
}

#[derive(Deserialize, JsonSchema, Default, Clone, Copy)]
#[serde(deny_unknown_fields, default)]
struct LimitsFile {
    #[schemars(range(min = 1, max = 67108864))]
    memory_kb: Option<u64>,
    cpu: Option<LongerThanZero>,
    wall: Option<LongerThanZero>,
    #[schemars(range(min = 1, max = 1048576))]
    output_kb: Option<u64>,
    #[schemars(range(min = 1, max = 1048576))]
    log_kb: Option<u64>,
    #[schemars(range(min = 1, max = 67108864))]
    http_body_kb: Option<u64>,
}

/// Calls are counted from 1, in the order they are made; a repeated one counts again.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FaultFile {
    /// Somebody cancels the deployment.
    cancel: Option<CancelFile>,
    /// The host dies when the plugin has answered, before that is on record: the call is repeated with its key.
    crash: Option<CrashFile>,
    /// One call has less than the grants say.
    limits: Option<CallLimitsFile>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CancelFile {
    #[schemars(range(min = 1))]
    after_call: Option<u32>,
    /// The plugin can see it from the beginning of this call.
    #[schemars(range(min = 1))]
    during_call: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CrashFile {
    #[schemars(range(min = 1))]
    after_call: u32,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CallLimitsFile {
    #[schemars(range(min = 1))]
    call: u32,
    #[schemars(range(min = 1, max = 67108864))]
    memory_kb: Option<u64>,
    cpu: Option<LongerThanZero>,
    wall: Option<LongerThanZero>,
    #[schemars(range(min = 1, max = 1048576))]
    output_kb: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExchangeFile {
    request: RequestFile,
    response: Option<ResponseFile>,
    /// No answer came.
    fails: Option<FailsFile>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequestFile {
    method: String,
    url: String,
    /// Those that must be there; others may be there, too.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Text. Without any of these three the body may be anything.
    body: Option<String>,
    json: Option<Value>,
    hex: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResponseFile {
    #[schemars(range(min = 100, max = 599))]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    json: Option<Value>,
    hex: Option<String>,
}

#[derive(Deserialize, JsonSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum FailsFile {
    Refused,
    Timeout,
    Broken,
}

#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields, default)]
struct ExpectFile {
    /// succeeded, failed or cancelled; of a gate pass, fail, inconclusive or error; of a target also planned, undone or
    /// observed; refused, where a host would not even begin.
    outcome: Option<OutcomeFile>,
    /// Of the failure.
    code: Option<String>,
    message: Option<String>,
    /// Of a gate's verdict.
    reason: Option<String>,
    summary: Option<String>,
    outputs: Value,
    evidence: Value,
    artifacts: Option<Vec<String>>,
    plan: Option<Vec<String>>,
    resources: Option<Vec<String>>,
    calls: Option<Vec<String>>,
    progress: Option<Vec<String>>,
    log: Option<Vec<String>>,
    requests: Option<Vec<String>>,
    denied: Option<Vec<String>>,
    /// What is kept in the end: `key = value`.
    state: Option<Vec<String>>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeFile {
    Succeeded,
    Failed,
    Cancelled,
    Pass,
    Fail,
    Inconclusive,
    Error,
    Planned,
    Undone,
    Observed,
    Refused,
}

fn one() -> u32 {
    1
}

// ---- what it means ----

#[derive(Debug, Clone)]
pub struct Fixture {
    pub path: PathBuf,
    pub text: String,
    pub about: String,
    pub run: Run,
    pub config: Value,
    pub tag: Tag,
    pub description: String,
    pub previous: Option<Tag>,
    pub project: Name,
    pub environment: Name,
    pub deployment_type: DeploymentType,
    pub flags: Flags,
    pub by: String,
    pub comment: String,
    pub variables: BTreeMap<String, String>,
    pub input: Value,
    pub outputs: BTreeMap<Name, Value>,
    pub artifacts: Vec<(Artifact, Vec<u8>)>,
    /// Of the phase, gate or target.
    pub name: Option<Name>,
    pub timeout_ms: u64,
    pub retries: u32,
    pub backoff_ms: u64,
    pub weight: u8,
    pub application: Option<Name>,
    pub rounds: u32,
    /// Folders are those beside the fixture: what runs gets copies.
    pub grants: Grants,
    pub secrets: BTreeMap<Name, Secret>,
    pub state: BTreeMap<String, String>,
    pub clock: Timestamp,
    pub seed: u64,
    pub faults: Faults,
    pub http: Vec<Exchange>,
    pub expect: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    Phase,
    Gate,
    Plan,
    Apply,
    Undo,
    Observe,
}

impl Run {
    fn kind(self) -> Kind {
        match self {
            Run::Phase => Kind::Phase,
            Run::Gate => Kind::Gate,
            Run::Plan | Run::Apply | Run::Undo | Run::Observe => Kind::Target,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Faults {
    pub cancel_after: BTreeSet<u32>,
    pub cancel_during: BTreeSet<u32>,
    pub crash_after: BTreeSet<u32>,
    pub limits: BTreeMap<u32, CallLimits>,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct CallLimits {
    pub memory_bytes: Option<u64>,
    pub cpu_ms: Option<u64>,
    pub wall_ms: Option<u64>,
    pub output_bytes: Option<u64>,
}

impl CallLimits {
    pub fn within(self, limits: &Limits) -> Limits {
        let less = |all: u64, this: Option<u64>| this.map_or(all, |this| this.min(all));
        Limits {
            memory_bytes: less(limits.memory_bytes, self.memory_bytes),
            cpu_ms: less(limits.cpu_ms, self.cpu_ms),
            wall_ms: less(limits.wall_ms, self.wall_ms),
            output_bytes: less(limits.output_bytes, self.output_bytes),
            ..limits.clone()
        }
    }
}

#[derive(Debug, Clone)]
pub struct Exchange {
    pub method: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    /// None: any.
    pub body: Option<Body>,
    pub reply: Result<Received, Trouble>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Bytes(Vec<u8>),
    /// However it is spaced, and in whatever order its keys are.
    Json(Value),
}

impl Body {
    pub fn matches(&self, bytes: &[u8]) -> bool {
        match self {
            Body::Bytes(own) => own == bytes,
            Body::Json(own) => serde_json::from_slice::<Value>(bytes).is_ok_and(|sent| same(own, &sent)),
        }
    }
}

fn same(one: &Value, other: &Value) -> bool {
    use lockgate_core::release::canonical;
    canonical(one) == canonical(other)
}

/// Reads what a fixture of a plugin of this kind says, and the files it names.
pub fn read(path: &Path, text: String, kind: Kind) -> Result<Fixture, Mistakes> {
    let (file, value) = parse_as::<File>(&text, &SHAPE)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut issues = Issues(Vec::new());
    let meant = meaning(file, &value, folder, kind, &mut issues);
    match meant {
        Some(meant) if issues.0.is_empty() => Ok(Fixture { path: path.to_owned(), text, ..meant }),
        Some(_) | None => Err(Mistakes::from_issues(&text, issues.0)),
    }
}

struct Issues(Vec<Issue>);

impl Issues {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Issue { path: path.into(), message: message.into() });
    }

    fn taken<T>(&mut self, path: impl Into<String>, read: Result<T, String>) -> Option<T> {
        read.map_err(|message| self.add(path, message)).ok()
    }
}

fn meaning(file: File, value: &Value, folder: &Path, kind: Kind, issues: &mut Issues) -> Option<Fixture> {
    let run = run(file.run, kind, issues);
    let tag = |text: &str| text.parse::<Tag>().map_err(|error| error.to_string());
    let release = issues.taken("/release/tag", tag(&file.release.tag));
    let previous = file.release.previous.as_deref().map(|text| issues.taken("/release/previous", tag(text)));
    if file.release.previous.as_ref() == Some(&file.release.tag) {
        issues
            .add("/release/previous", "the release that is live before has another tag than the one that is deployed");
    }
    let clock = file.clock.as_deref().unwrap_or(USUAL_CLOCK);
    let clock = clock::parse(clock).filter(|at| at.0 >= 0);
    if clock.is_none() {
        issues.add("/clock", "is not a time since 1970 like `2026-01-01T00:00:00Z`");
    }
    only_of_targets(&file.phase, kind, issues);
    let artifacts = artifacts(file.artifacts, folder, issues);
    let grants = grants(file.grants, folder, issues);
    let secrets = secrets(file.secrets, issues);
    let faults = faults(file.faults, issues);
    let http = http(file.http, issues);
    let DeploymentFile { refresh, forced, allow_destructive, .. } = file.deployment;
    if file.deployment.kind != TypeFile::Custom && !file.deployment.input.is_null() {
        issues.add("/deployment/input", "only a deployment of `type: CUSTOM` has an input of its own");
    }
    let named = |name: Option<NameText>, usual: &str| {
        name.map_or_else(|| usual.parse().expect("the usual names are names"), |name| name.0)
    };
    Some(Fixture {
        path: PathBuf::new(),
        text: String::new(),
        about: file.about,
        run,
        config: Value::Object(file.config),
        tag: release?,
        description: file.release.description,
        previous: match previous {
            None => None,
            Some(previous) => Some(previous?),
        },
        project: named(file.deployment.project, "shop"),
        environment: named(file.deployment.environment, "test"),
        deployment_type: match file.deployment.kind {
            TypeFile::Full => DeploymentType::Full,
            TypeFile::Launch => DeploymentType::Launch,
            TypeFile::Custom => DeploymentType::Custom,
            TypeFile::Destroy => DeploymentType::Destroy,
        },
        flags: Flags { refresh: refresh || run == Run::Observe, forced, allow_destructive },
        by: file.deployment.by.unwrap_or_else(|| "ann".to_owned()),
        comment: file.deployment.comment,
        variables: file.deployment.variables,
        input: file.deployment.input,
        outputs: file.deployment.outputs.into_iter().map(|(name, outputs)| (name.0, outputs.into())).collect(),
        artifacts,
        name: file.phase.name.map(|name| name.0),
        timeout_ms: file.phase.timeout.map_or(600_000, LongerThanZero::ms),
        retries: file.phase.retries,
        backoff_ms: file.phase.backoff.map_or(10_000, Duration::ms),
        weight: file.phase.weight.unwrap_or(FULL_WEIGHT),
        application: file.phase.application.map(|name| name.0),
        rounds: file.rounds,
        grants,
        secrets,
        state: file.state,
        clock: clock?,
        seed: file.seed,
        faults,
        http,
        expect: value["expect"].as_object().cloned().unwrap_or_default(),
    })
}

fn run(typed: Option<RunFile>, kind: Kind, issues: &mut Issues) -> Run {
    let run = match (typed, kind) {
        (Some(RunFile::Phase), _) | (None, Kind::Phase) => Run::Phase,
        (Some(RunFile::Gate), _) | (None, Kind::Gate) => Run::Gate,
        (Some(RunFile::Apply), _) | (None, Kind::Target) => Run::Apply,
        (Some(RunFile::Plan), _) => Run::Plan,
        (Some(RunFile::Undo), _) => Run::Undo,
        (Some(RunFile::Observe), _) => Run::Observe,
    };
    if run.kind() != kind {
        let allowed = match kind {
            Kind::Phase => "`run: phase`",
            Kind::Gate => "`run: gate`",
            Kind::Target => "`run: plan`, `apply`, `undo` or `observe`",
        };
        issues.add("/run", format!("the plugin is a {kind}, which takes {allowed}"));
    }
    run
}

fn only_of_targets(phase: &PhaseFile, kind: Kind, issues: &mut Issues) {
    let typed = [("weight", phase.weight.is_some()), ("application", phase.application.is_some())];
    for (key, _) in typed.into_iter().filter(|(_, typed)| *typed && kind != Kind::Target) {
        issues.add(format!("/phase/{key}"), format!("`{key}` belongs to a target, and the plugin is a {kind}"));
    }
}

fn artifacts(files: Vec<ArtifactFile>, folder: &Path, issues: &mut Issues) -> Vec<(Artifact, Vec<u8>)> {
    let mut artifacts = Vec::new();
    for (index, file) in files.into_iter().enumerate() {
        let path = format!("/artifacts/{index}");
        let bytes = match (file.file, file.text) {
            (Some(name), None) => {
                issues.taken(format!("{path}/file"), beside(folder, &name).and_then(|path| content(&path)))
            }
            (None, Some(text)) => Some(text.into_bytes()),
            (None, None) | (Some(_), Some(_)) => {
                issues.add(path, "an artifact has its bytes in a `file` beside the fixture, or as `text`");
                None
            }
        };
        let Some(bytes) = bytes else { continue };
        let artifact = Artifact {
            name: file.name,
            uri: file.uri,
            digest: Digest::of(&bytes),
            media_type: file.media_type,
            build_id: file.build_id,
            stack: file.stack,
            application: file.application.map(|name| name.0.to_string()).unwrap_or_default(),
            metadata: file.metadata,
        };
        artifacts.push((artifact, bytes));
    }
    artifacts
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    let unread = |error| format!("cannot read {}: {error}", path.display());
    let size = fs::metadata(path).map_err(unread)?.len();
    if size > MOST_ARTIFACT_BYTES {
        return Err(format!("{} has {size} bytes, at most {MOST_ARTIFACT_BYTES} are taken", path.display()));
    }
    fs::read(path).map_err(unread)
}

/// A fixture is a project's own, and so is what it names: nobody else's files are read for it.
fn beside(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let path = Path::new(name);
    let inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if name.is_empty() || !inside {
        return Err("must be a path below the fixture's folder, without `..`".to_owned());
    }
    Ok(folder.join(path))
}

fn grants(file: GrantsFile, folder: &Path, issues: &mut Issues) -> Grants {
    let mut http = BTreeSet::new();
    for (key, origins, private_network) in [("http", file.http, false), ("private_http", file.private_http, true)] {
        for (index, origin) in origins.iter().enumerate() {
            let origin = normal_origin(origin).map_err(|error| error.to_string());
            let origin = issues.taken(format!("/grants/{key}/{index}"), origin);
            http.extend(origin.map(|origin| HttpGrant { origin, private_network, methods: BTreeSet::new() }));
        }
    }
    let mut folders = BTreeMap::new();
    let both = [("folders", file.folders, Access::ReadWrite), ("folders_read", file.folders_read, Access::Read)];
    for (key, named, access) in both {
        for (name, place) in named {
            let at = format!("/grants/{key}/{name}");
            let Some(path) = issues.taken(&at, beside(folder, &place)) else { continue };
            if !path.is_dir() {
                issues.add(at, format!("there is no folder {}", path.display()));
            }
            let path = path.to_string_lossy().into_owned();
            folders.insert(name, FolderGrant { path, access });
        }
    }
    let usual = Limits::default();
    let limits = file.limits;
    let kib = |size: Option<u64>, usual| size.map_or(usual, |size| size << 10);
    let ms = |time: Option<LongerThanZero>, usual| time.map_or(usual, LongerThanZero::ms);
    Grants {
        http,
        folders,
        workspace: file.workspace.map(|access| match access {
            AccessFile::Read => Access::Read,
            AccessFile::ReadWrite => Access::ReadWrite,
        }),
        tools: file.tools.into_iter().map(|name| (name.0.to_string(), tool())).collect(),
        limits: Limits {
            memory_bytes: kib(limits.memory_kb, usual.memory_bytes),
            cpu_ms: ms(limits.cpu, usual.cpu_ms),
            wall_ms: ms(limits.wall, usual.wall_ms),
            log_bytes: kib(limits.log_kb, usual.log_bytes),
            output_bytes: kib(limits.output_kb, usual.output_bytes),
            http_body_bytes: kib(limits.http_body_kb, usual.http_body_bytes),
            concurrent_calls: None,
        },
        secrets: file.secrets.into_iter().map(|name| name.0).collect(),
        reveal: file.reveal.into_iter().map(|name| name.0).collect(),
        state: file.state.then(namespace),
    }
}

/// Nobody else keeps anything in a test.
pub fn namespace() -> Name {
    "test".parse().expect("this is a name")
}

/// Of a program that is never started: a test has no room for tools.
fn tool() -> ToolGrant {
    let (path, digest) = ("/".to_owned(), Digest::of(b""));
    ToolGrant { path, digest, args: Vec::new(), env: BTreeMap::new(), limits: ToolLimits::default() }
}

fn secrets(files: BTreeMap<NameText, SecretFile>, issues: &mut Issues) -> BTreeMap<Name, Secret> {
    let mut secrets = BTreeMap::new();
    for (NameText(name), SecretFile { value, to, header }) in files {
        let mut origins = BTreeSet::new();
        for (index, origin) in to.iter().enumerate() {
            let origin = normal_origin(origin).map_err(|error| error.to_string());
            origins.extend(issues.taken(format!("/secrets/{name}/to/{index}"), origin));
        }
        let value = SecretValue::new(Zeroizing::new(value.into_bytes()));
        secrets.insert(
            name.clone(),
            Secret { name: name.to_string(), value, origins, headers: header.into_iter().collect() },
        );
    }
    secrets
}

fn faults(files: Vec<FaultFile>, issues: &mut Issues) -> Faults {
    let mut faults = Faults::default();
    for (index, fault) in files.into_iter().enumerate() {
        match (fault.cancel, fault.crash, fault.limits) {
            (Some(CancelFile { after_call: Some(call), during_call: None }), None, None) => {
                faults.cancel_after.insert(call);
            }
            (Some(CancelFile { after_call: None, during_call: Some(call) }), None, None) => {
                faults.cancel_during.insert(call);
            }
            (Some(_), None, None) => {
                issues.add(format!("/faults/{index}/cancel"), "a cancel comes `after_call` or `during_call`");
            }
            (None, Some(CrashFile { after_call }), None) => {
                faults.crash_after.insert(after_call);
            }
            (None, None, Some(limits)) => {
                let CallLimitsFile { call, memory_kb, cpu, wall, output_kb } = limits;
                let limits = CallLimits {
                    memory_bytes: memory_kb.map(|size| size << 10),
                    cpu_ms: cpu.map(LongerThanZero::ms),
                    wall_ms: wall.map(LongerThanZero::ms),
                    output_bytes: output_kb.map(|size| size << 10),
                };
                faults.limits.insert(call, limits);
            }
            (None, None, None) | (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                issues.add(format!("/faults/{index}"), "a fault is one thing: `cancel`, `crash` or `limits`");
            }
        }
    }
    faults
}

fn http(files: Vec<ExchangeFile>, issues: &mut Issues) -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    for (index, ExchangeFile { request, response, fails }) in files.into_iter().enumerate() {
        let path = format!("/http/{index}");
        let url = parse_url(&request.url).map_err(|problem| format!("cannot be requested: {problem}"));
        let url = issues.taken(format!("{path}/request/url"), url);
        let body = body(request.body, request.json, request.hex, &format!("{path}/request"), issues);
        let reply = match (response, fails) {
            (Some(response), None) => received(response, &format!("{path}/response"), issues).map(Ok),
            (None, Some(fails)) => Some(Err(match fails {
                FailsFile::Refused => Trouble::Refused,
                FailsFile::Timeout => Trouble::TimedOut,
                FailsFile::Broken => Trouble::Broken,
            })),
            (None, None) | (Some(_), Some(_)) => {
                issues.add(&path, "a request has a `response`, or `fails` as refused, timeout or broken");
                None
            }
        };
        let (Some(url), Some(body), Some(reply)) = (url, body, reply) else { continue };
        let headers = request.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        let method = request.method.to_ascii_uppercase();
        exchanges.push(Exchange { method, url: url.to_string(), headers, body, reply });
    }
    exchanges
}

fn received(file: ResponseFile, path: &str, issues: &mut Issues) -> Option<Received> {
    for name in file.headers.iter().filter(|(name, value)| !is_header(name, value)).map(|(name, _)| name) {
        issues.add(format!("{path}/headers/{name}"), "is no header that can be sent");
    }
    let body = match body(file.body, file.json, file.hex, path, issues)? {
        None => Vec::new(),
        Some(Body::Bytes(bytes)) => bytes,
        Some(Body::Json(value)) => value.to_string().into_bytes(),
    };
    Some(Received { status: file.status, headers: file.headers.into_iter().collect(), body })
}

fn is_header(name: &str, value: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(is_name) && !value.chars().any(char::is_control)
}

#[expect(clippy::option_option, reason = "no body that can be read, and no body at all")]
fn body(
    text: Option<String>,
    json: Option<Value>,
    hex: Option<String>,
    path: &str,
    issues: &mut Issues,
) -> Option<Option<Body>> {
    match (text, json, hex) {
        (None, None, None) => Some(None),
        (Some(text), None, None) => Some(Some(Body::Bytes(text.into_bytes()))),
        (None, Some(json), None) => Some(Some(Body::Json(json))),
        (None, None, Some(digits)) => {
            let bytes = hex::decode(digits).map_err(|error| format!("is no bytes in hex: {error}"));
            issues.taken(format!("{path}/hex"), bytes).map(|bytes| Some(Body::Bytes(bytes)))
        }
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
            issues.add(path, "a body is one of `body`, `json` and `hex`");
            None
        }
    }
}
