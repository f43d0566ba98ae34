//! The sandbox against real guests (`tests/guests`), most of which misbehave.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use expect_test::{Expect, expect};
use futures::FutureExt as _;
use lockgate_core::plugin::{Access, CallContext, FolderGrant, HttpGrant};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::compile::tests::options;
use crate::testing::Recorder;

mod denial;
mod secrets;

/// Built once for all tests.
pub fn guest(name: &str) -> Arc<[u8]> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests");
        let target = test_folder("guests");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--release", "--target", "wasm32-wasip2", "--manifest-path"])
            .arg(crates.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .env_remove("RUSTFLAGS")
            .status()
            .unwrap();
        assert!(built.success(), "the guests in {} do not build", crates.display());
        target.join("wasm32-wasip2/release")
    });
    std::fs::read(folder.join(format!("test_{name}.wasm"))).unwrap().into()
}

/// Beside this binary, so that it is kept between runs.
fn test_folder(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join(name)
}

/// One sandbox for the tests that need none of their own.
fn sandbox() -> Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    let start = || Sandbox::new(options(test_folder("sandbox-cache"))).unwrap();
    SANDBOX.get_or_init(start).clone()
}

/// One call, and what the host saw of it.
struct Bench {
    sandbox: Sandbox,
    plugin: Digest,
    host: Arc<Recorder>,
    grants: Grants,
    workspace: Option<PathBuf>,
    cancelled: CancellationToken,
    /// A host that has nothing for this call.
    refuses: bool,
}

impl Bench {
    async fn new() -> Self {
        Self::with(sandbox(), "phase").await
    }

    async fn with(sandbox: Sandbox, name: &str) -> Self {
        let bytes = guest(name);
        let plugin = Digest::of(&bytes);
        sandbox.load(plugin, bytes).await.unwrap();
        let (host, grants, cancelled) = (Arc::default(), Grants::default(), CancellationToken::new());
        Self { sandbox, plugin, host, grants, workspace: None, cancelled, refuses: false }
    }

    fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.grants.limits);
        self
    }

    fn http(mut self, origin: &str, private_network: bool) -> Self {
        self.grants.http.insert(HttpGrant { origin: origin.to_owned(), private_network, methods: BTreeSet::new() });
        self
    }

    fn request(&self, operation: Operation, config: &str) -> CallRequest {
        CallRequest {
            plugin: self.plugin,
            context: CallContext {
                project: "shop".into(),
                environment: "production".into(),
                deployment: "d-1".into(),
                attempt: 2,
                name: "build".into(),
                sequence: 3,
                idempotency_key: "key-1".into(),
            },
            config: config.into(),
            subject: r#"{"type":"FULL"}"#.into(),
            operation,
            grants: self.grants.clone(),
            workspace: self.workspace.clone(),
            tools: None,
            host: match self.refuses {
                true => Arc::new(Ungranted { listener: Some(self.host.clone()) }),
                false => self.host.clone(),
            },
            cancelled: self.cancelled.clone(),
        }
    }

    async fn ask(&self, operation: Operation, config: &str) -> Result<Answer, CallError> {
        self.sandbox.call(self.request(operation, config)).await
    }

    async fn advance(&self, config: &str) -> Result<lockgate_core::plugin::Progressed, CallError> {
        match self.ask(Operation::Advance { cursor: vec![] }, config).await? {
            Answer::Progressed(progressed) => Ok(progressed),
            other => panic!("{other:?}"),
        }
    }

    async fn summary(&self, config: &str) -> String {
        self.advance(config).await.unwrap().summary
    }

    /// The failure, and proof that the host takes the next call as if nothing had happened.
    async fn error(&self, config: &str) -> CallError {
        let error = self.advance(config).await.unwrap_err();
        assert_eq!(Bench::new().await.summary("echo").await, r#"{"type":"FULL"}"#);
        error
    }

    /// Starts a call and returns once its guest has said something.
    async fn started(&self, config: &str) -> tokio::task::JoinHandle<Result<Answer, CallError>> {
        let request = self.request(Operation::Advance { cursor: vec![] }, config);
        let sandbox = self.sandbox.clone();
        let call = tokio::spawn(async move { sandbox.call(request).await });
        self.host.said.notified().await;
        call
    }
}

fn check(actual: impl ToString, expected: Expect) {
    expected.assert_eq(&actual.to_string());
}

// Answers.

#[tokio::test]
async fn a_call_gets_what_the_driver_sent_and_answers_it() {
    let bench = Bench::new().await;
    let answer = bench.ask(Operation::Advance { cursor: vec![7, 8] }, "echo").await;
    expect![[r#"
        Ok(
            Progressed(
                Progressed {
                    done: false,
                    cursor: [
                        7,
                        8,
                    ],
                    poll_after_ms: 250,
                    summary: "{\"type\":\"FULL\"}",
                    outputs: Object {
                        "key": String("key-1"),
                        "attempt": Number(2),
                    },
                    artifacts: [],
                },
            ),
        )
    "#]]
    .assert_debug_eq(&answer);
}

#[tokio::test]
async fn a_plugin_tells_what_it_is_before_anything_is_granted() {
    let inspection = sandbox().inspect(guest("phase")).await.unwrap();
    assert_eq!((inspection.kind, inspection.digest), (Kind::Phase, Digest::of(&guest("phase"))));
    check(
        serde_json::to_string_pretty(&inspection.description).unwrap(),
        expect![[r#"
            {
              "name": "test-phase",
              "version": "1.2.3",
              "summary": "does as it is told",
              "config_schema": {
                "type": "string"
              },
              "requests": {
                "http": [
                  {
                    "config": "/url"
                  }
                ],
                "folders": [],
                "workspace": "read"
              }
            }"#]],
    );
}

#[tokio::test]
async fn only_the_code_of_a_plugin_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(options(folder.path())).unwrap();
    let kept = || {
        let names = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().ends_with(".cwasm")).count()
    };
    let unlinkable = r#"(component
        (import "lockgate:process/run@0.1.0" (instance (export "stop" (func (param "key" string)))))
        (instance $i) (export "lockgate:phase/phase@0.1.0" (instance $i)))"#;
    sandbox.inspect(wat::parse_str(unlinkable).unwrap().into()).await.unwrap_err();
    // It cannot describe itself.
    sandbox.inspect(guest("target")).await.unwrap_err();
    assert_eq!(kept(), 0);
    sandbox.inspect(guest("phase")).await.unwrap();
    assert_eq!(kept(), 1);
    sandbox.load(Digest::of(&guest("target")), guest("target")).await.unwrap();
    assert_eq!(kept(), 2);
}

#[tokio::test]
async fn a_request_the_host_does_not_know_is_refused_at_inspection() {
    check(
        sandbox().inspect(guest("target")).await.unwrap_err(),
        expect![
            "`describe` failed: the plugin's answer makes no sense: describe: requests: unknown field `everything`, expected one of `http`, `folders`, `workspace`, `secrets`, `reveal`, `state`, `tools` at line 1 column 13"
        ],
    );
}

#[tokio::test]
async fn a_plugin_validates_its_configuration_without_any_grant() {
    let bench = Bench::new().await;
    let issues = async |config| bench.sandbox.validate(&bench.plugin, &config).await.unwrap();
    assert_eq!(issues(json!("good")).await, []);
    assert_eq!(issues(json!("bad")).await[0].message, "not good: \"bad\"");
    assert_eq!(issues(json!("nosy")).await[0].message, "denied");
}

#[tokio::test]
async fn a_gate_samples_and_judges() {
    let bench = Bench::with(sandbox(), "gate").await;
    let sampled = bench.ask(Operation::Sample { memo: b"+".to_vec() }, "true").await.unwrap();
    let Answer::Sampled(sampled) = sampled else { panic!("{sampled:?}") };
    assert_eq!((sampled.done, &sampled.evidence, &sampled.memo[..]), (true, &json!(true), &b"++"[..]));
    let verdict = bench.ask(Operation::Judge { evidence: sampled.evidence }, "").await.unwrap();
    let Answer::Judged(verdict) = verdict else { panic!("{verdict:?}") };
    assert_eq!(verdict.decision, lockgate_core::plugin::Decision::Pass);
}

#[tokio::test]
async fn judging_runs_without_grants_whatever_was_granted() {
    let server = Server::start().await;
    let bench = Bench::with(sandbox(), "gate").await.http(&server.origin, true);
    let verdict = bench.ask(Operation::Judge { evidence: json!(true) }, &format!("{}/hello", server.origin)).await;
    assert_eq!(verdict.unwrap_err().failure().code, "denied");
    let stored = Digest::of(b"stored");
    bench.host.artifacts.lock().unwrap().insert(stored, b"stored".to_vec());
    let verdict = bench.ask(Operation::Judge { evidence: json!(true) }, &stored.to_string()).await;
    assert_eq!(verdict.unwrap_err().failure().code, "denied");
    assert_eq!(bench.host.denials(), [format!("http {}", server.origin), format!("artifact {stored}")]);
}

#[tokio::test]
async fn a_target_plans_and_applies_what_was_approved() {
    let bench = Bench::with(sandbox(), "target").await;
    let Ok(Answer::Planned(step)) = bench.ask(Operation::Plan { cursor: vec![] }, "5").await else { panic!() };
    assert_eq!(step.planned.changes[0].fields[0].after, "5");
    let approved = step.planned;
    let applied = bench.ask(Operation::Apply { approved: approved.clone(), cursor: vec![] }, "5").await;
    let Ok(Answer::Progressed(applied)) = applied else { panic!("{applied:?}") };
    assert_eq!(applied.summary, r#"applied 5 with {"etag":1}"#);
    let undone = bench.ask(Operation::Undo { approved, cursor: vec![] }, "5").await;
    let Ok(Answer::Progressed(undone)) = undone else { panic!("{undone:?}") };
    assert_eq!(undone.summary, "undid 1 changes");
    let Ok(Answer::Observed(states)) = bench.ask(Operation::Observe, "5").await else { panic!() };
    assert_eq!((states[0].name.as_str(), states[0].weight_percent), ("main", 100));
}

#[tokio::test]
async fn a_plan_must_not_show_what_it_calls_sensitive() {
    let bench = Bench::with(sandbox(), "target").await;
    check(
        bench.ask(Operation::Plan { cursor: vec![] }, r#""leak""#).await.unwrap_err(),
        expect![
            "the plugin's answer makes no sense: `after` of changed field `/value`: it is marked sensitive and must be empty, for plans are shown to people"
        ],
    );
}

#[tokio::test]
async fn only_a_loaded_plugin_of_the_right_kind_is_called() {
    let mut bench = Bench::new().await;
    let wrong = bench.ask(Operation::Observe, "").await.unwrap_err();
    assert_eq!(wrong.failure().code, "wrong-kind");
    bench.plugin = Digest::of(b"nothing");
    assert_eq!(bench.ask(Operation::Observe, "").await, Err(CallError::NotLoaded(bench.plugin)));
    assert_eq!(bench.advance("echo").await.unwrap_err().failure().code, "not-loaded");
}

#[tokio::test]
async fn bytes_of_another_digest_are_not_loaded() {
    let other = Digest::of(b"other");
    let outcome = sandbox().load(other, guest("phase")).await;
    assert!(matches!(outcome, Err(SandboxError::OtherBytes { .. })), "{outcome:?}");
    assert!(!sandbox().is_loaded(&other));
}

#[tokio::test]
async fn a_failure_of_the_plugins_own_is_passed_on() {
    let bench = Bench::new().await;
    let failure = bench.error(r#"fail {"by":"dba"}"#).await.failure();
    assert_eq!((failure.code.as_str(), failure.retry, failure.retry_after_ms), ("locked", Retry::SameKey, 5));
    assert_eq!(failure.details, json!({"by": "dba"}));
    assert_eq!(bench.error("fail {by").await.failure().details, json!("{by"));
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_named() {
    let bench = Bench::new().await;
    check(
        bench.error("garbage").await,
        expect!["the plugin's answer makes no sense: outputs: key must be a string at line 1 column 2"],
    );
    check(
        bench.error("bad-digest").await,
        expect![
            "the plugin's answer makes no sense: digest of artifact `site`: `sha256:nonsense` is not a digest: expected `sha256:` and 64 lowercase hex digits"
        ],
    );
}

// Limits.

#[tokio::test]
async fn a_trap_carries_the_guests_last_words() {
    let error = Bench::new().await.error("panic").await;
    let CallError::Trap { message, stderr } = &error else { panic!("{error:?}") };
    check(message, expect!["wasm trap: wasm `unreachable` instruction executed"]);
    assert!(stderr.contains("the guest's own words"), "{stderr}");
    assert_eq!(error.failure().code, "trap");
    check(
        Bench::new().await.error("exit").await,
        expect!["the plugin trapped: it exited with status 1 instead of answering"],
    );
}

#[tokio::test]
async fn a_spinning_guest_is_stopped_at_its_cpu_limit() {
    let error = Bench::new().await.limits(|limits| limits.cpu_ms = 50).error("spin").await;
    let CallError::CpuLimit { limit_ms: 50, used_ms } = error else { panic!("{error:?}") };
    assert!((50..1_000).contains(&used_ms), "{used_ms}");
    assert_eq!(error.failure().code, "limit");
}

#[tokio::test]
async fn waiting_is_not_billed_as_cpu_time() {
    let bench = Bench::new().await.limits(|limits| limits.cpu_ms = 100);
    bench.advance("doze").await.unwrap();
}

#[tokio::test]
async fn a_call_ends_at_its_wall_limit_wherever_the_guest_is() {
    let bench = Bench::new().await.limits(|limits| (limits.wall_ms, limits.cpu_ms) = (50, 60_000));
    for config in ["spin", "wait 60000", "wait-on"] {
        assert_eq!(bench.error(config).await, CallError::WallLimit { limit_ms: 50 }, "{config}");
    }
}

#[tokio::test]
async fn a_greedy_guest_is_told_to_be_at_its_memory_limit() {
    let bench = Bench::new().await.limits(|limits| limits.memory_bytes = 16 << 20);
    assert_eq!(bench.advance("allocate 8").await.map(|_| ()), Ok(()));
    let error = bench.error("allocate 100").await;
    let CallError::MemoryLimit { limit_bytes, asked_bytes } = error else { panic!("{error:?}") };
    assert_eq!(limit_bytes, 16 << 20);
    assert!(asked_bytes > limit_bytes);
}

#[tokio::test]
async fn a_guest_gets_the_memory_it_was_granted() {
    let bench = Bench::new().await.limits(|limits| limits.memory_bytes = 512 << 20);
    bench.advance("allocate 200").await.unwrap();
}

#[tokio::test]
async fn a_guest_too_large_for_its_grant_does_not_start() {
    let error = Bench::new().await.limits(|limits| limits.memory_bytes = 65_536).error("echo").await;
    assert!(matches!(error, CallError::MemoryLimit { limit_bytes: 65_536, .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_over_its_limit_is_refused_by_the_part_that_is_too_large() {
    let bench = Bench::new().await.limits(|limits| limits.output_bytes = 1_000);
    check(
        bench.error("huge 2000").await,
        expect!["outputs of the answer has 2002 bytes, the limit is 1000 (grant `output_bytes`)"],
    );
    assert!(bench.error("many-artifacts 1000").await.to_string().starts_with("artifacts of the answer"));
}

#[tokio::test]
async fn an_answer_too_large_even_to_look_at_is_a_limit_too() {
    check(
        Bench::new().await.error("huge 50000000").await,
        expect!["the plugin handed over more than 37748736 bytes at once (grant `output_bytes` and a fixed reserve)"],
    );
}

#[tokio::test]
async fn a_guest_cannot_hoard_handles() {
    Bench::new().await.advance("hoard 100").await.unwrap();
    let error = Bench::new().await.error("hoard 200").await;
    assert!(matches!(error, CallError::Trap { .. }), "{error:?}");
}

#[tokio::test]
async fn a_flood_of_output_is_cut_off_and_counted() {
    let bench = Bench::new().await.limits(|limits| (limits.log_bytes, limits.cpu_ms) = (1_000, 60_000));
    bench.advance("flood").await.unwrap();
    let lines = bench.host.lines();
    let last = lines.lines().last().unwrap();
    check(last, expect!["warn 11888555 bytes of output dropped, the limit is 1000 (grant `log_bytes`)"]);
    assert!(lines.len() < 2_000);
}

#[tokio::test]
async fn a_guest_that_only_logs_still_runs_out_of_cpu_time() {
    let bench = Bench::new().await.limits(|limits| limits.cpu_ms = 50);
    assert!(matches!(bench.error("flood-log").await, CallError::CpuLimit { .. }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_spinning_guests_do_not_delay_the_hosts_timers() {
    let bench = Bench::new().await.limits(|limits| limits.cpu_ms = 60_000);
    let idle = usual_sleep().await;
    let mut calls = Vec::new();
    for _ in 0..8 {
        calls.push(bench.started("spin").await);
    }
    let busy = usual_sleep().await;
    calls.iter().for_each(|call| call.abort());
    // On the host's own threads it was a hundred times as long.
    assert!(busy < 20 * idle, "{busy:?} instead of {idle:?}");
}

/// What a sleep of 5 ms takes, in the middle of many.
async fn usual_sleep() -> Duration {
    let mut took = Vec::new();
    for _ in 0..20 {
        let asked = std::time::Instant::now();
        tokio::time::sleep(Duration::from_millis(5)).await;
        took.push(asked.elapsed());
    }
    took.sort();
    took[10]
}

// Cancelling.

#[tokio::test]
async fn a_waiting_guest_hears_that_it_is_cancelled_and_answers() {
    let bench = Bench::new().await;
    let call = bench.started("wait 60000").await;
    bench.cancelled.cancel();
    let Ok(Answer::Progressed(answer)) = call.await.unwrap() else { panic!() };
    assert_eq!(answer.summary, "cancelled");
}

#[tokio::test]
async fn a_guest_that_does_not_listen_is_stopped() {
    for config in ["spin", "wait-on"] {
        let bench = Bench::new().await.limits(|limits| limits.cpu_ms = 60_000);
        let call = bench.started(config).await;
        bench.cancelled.cancel();
        assert_eq!(call.await.unwrap(), Err(CallError::Cancelled), "{config}");
    }
}

#[tokio::test]
async fn dropping_a_call_in_the_middle_ends_it_and_frees_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { max_concurrent_calls: 1, ..options(folder.path()) };
    let bench = Bench::with(Sandbox::new(options).unwrap(), "phase").await;
    let patient = bench.limits(|limits| (limits.cpu_ms, limits.wall_ms) = (3_600_000, 3_600_000));
    for config in ["spin", "wait 3600000"] {
        let call = patient.started(config).await;
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        patient.advance("echo").await.unwrap();
    }
}

#[tokio::test]
async fn a_call_from_the_guests_own_threads_ends_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { max_concurrent_calls: 1, ..options(folder.path()) };
    let bench = Bench::with(Sandbox::new(options).unwrap(), "phase").await;
    let bench = bench.limits(|limits| (limits.cpu_ms, limits.wall_ms) = (3_600_000, 3_600_000));
    let call = |config: &str| {
        let (sandbox, request) = (bench.sandbox.clone(), bench.request(Operation::Advance { cursor: vec![] }, config));
        bench.sandbox.threads().spawn(async move { sandbox.call(request).await })
    };
    let spinning = call("spin");
    bench.host.said.notified().await;
    spinning.abort();
    assert!(spinning.await.unwrap_err().is_cancelled());
    let told = call("spin");
    bench.host.said.notified().await;
    bench.cancelled.cancel();
    assert_eq!(told.await.unwrap(), Err(CallError::Cancelled));
    let next = Bench::with(bench.sandbox.clone(), "phase").await;
    next.advance("echo").await.unwrap();
}

#[tokio::test]
async fn a_call_that_waits_for_its_turn_can_be_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { max_concurrent_calls: 1, ..options(folder.path()) };
    let bench = Bench::with(Sandbox::new(options).unwrap(), "phase").await;
    let running = bench.started("wait 3600000").await;
    let waiting = Bench::with(bench.sandbox.clone(), "phase").await;
    let mut call = std::pin::pin!(waiting.advance("echo"));
    assert!(call.as_mut().now_or_never().is_none());
    waiting.cancelled.cancel();
    assert_eq!(call.await, Err(CallError::Cancelled));
    assert_eq!(waiting.host.lines(), "");
    running.abort();
}

#[tokio::test]
async fn a_call_that_has_waited_may_do_what_is_granted_when_its_turn_comes() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { max_concurrent_calls: 1, ..options(folder.path()) };
    let bench = Bench::with(Sandbox::new(options).unwrap(), "phase").await;
    let running = bench.started("wait 3600000").await;
    let mut waiting = Bench::with(bench.sandbox.clone(), "phase").await;
    waiting.grants.state = Some("counts".parse().unwrap());
    let mut call = std::pin::pin!(waiting.advance("state"));
    assert!(call.as_mut().now_or_never().is_none());
    *waiting.host.now.lock().unwrap() = Some(Grants::default());
    running.abort();
    assert_eq!(call.await.unwrap_err().failure().code, "denied");
    assert_eq!(waiting.host.denials(), ["state"]);
}

#[tokio::test]
async fn one_plugins_waiting_calls_leave_half_the_places_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { max_concurrent_calls: 4, ..options(folder.path()) };
    let sandbox = Sandbox::new(options).unwrap();
    let greedy = Bench::with(sandbox.clone(), "phase").await;
    let running = [greedy.started("wait 3600000").await, greedy.started("wait 3600000").await];
    let mut third = std::pin::pin!(greedy.advance("echo"));
    assert!(third.as_mut().now_or_never().is_none());
    let other = Bench::with(sandbox, "gate").await;
    other.ask(Operation::Sample { memo: vec![] }, "true").await.unwrap();
    assert!(third.as_mut().now_or_never().is_none());
    running.iter().for_each(|call| call.abort());
    third.await.unwrap();
}

#[tokio::test]
async fn inspection_does_not_wait_for_calls() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { max_concurrent_calls: 1, ..options(folder.path()) };
    let bench = Bench::with(Sandbox::new(options).unwrap(), "phase").await;
    let running = bench.started("wait 3600000").await;
    bench.sandbox.inspect(guest("gate")).await.unwrap();
    running.abort();
}

// What a call can see.

#[tokio::test]
async fn output_and_logs_reach_the_host_in_order() {
    let bench = Bench::new().await;
    bench.advance("say").await.unwrap();
    check(
        bench.host.lines(),
        expect![[r#"
            info to stdout
            warn to stderr
            debug to the log a=b
            info ☃
            info no end
        "#]],
    );
    assert_eq!(bench.host.progress(), [(40, "on the way".to_owned())]);
}

#[tokio::test]
async fn a_guest_sees_no_environment_and_no_files_without_a_grant() {
    let bench = Bench { workspace: Some(std::env::temp_dir()), ..Bench::new().await };
    check(bench.summary("surroundings").await, expect!["0 variables, 0 arguments"]);
    assert!(bench.summary("read /workspace/x").await.starts_with("error:"));
    assert!(bench.summary("read /etc/passwd").await.starts_with("error:"));
}

#[tokio::test]
async fn folders_are_open_as_far_as_granted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in"), "from the host").unwrap();
    let mut bench = Bench { workspace: Some(folder.path().to_owned()), ..Bench::new().await };
    bench.grants.workspace = Some(Access::ReadWrite);
    let path = folder.path().to_str().unwrap().to_owned();
    bench.grants.folders = BTreeMap::from([("site".to_owned(), FolderGrant { path, access: Access::Read })]);
    check(bench.summary("read /workspace/in").await, expect!["from the host"]);
    check(bench.summary("write /workspace/out").await, expect!["ok"]);
    check(bench.summary("read /folders/site/out").await, expect!["written"]);
    check(bench.summary("write /folders/site/in").await, expect!["error: Operation not permitted (os error 63)"]);
    assert!(bench.summary("read /folders/site/../../etc/passwd").await.starts_with("error:"));
}

fn reading(path: &Path) -> BTreeMap<String, FolderGrant> {
    let grant = FolderGrant { path: path.to_str().unwrap().to_owned(), access: Access::ReadWrite };
    BTreeMap::from([("site".to_owned(), grant)])
}

#[tokio::test]
async fn a_link_does_not_lead_out_of_a_granted_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let (site, outside) = (root.join("site"), root.join("outside"));
    std::fs::create_dir(&site).unwrap();
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "a secret").unwrap();
    std::fs::write(site.join("page"), "a page").unwrap();
    for (link, to) in [("file", "../outside/secret"), ("folder", "../outside"), ("root", "/"), ("inside", "page")] {
        std::os::unix::fs::symlink(to, site.join(link)).unwrap();
    }
    let mut bench = Bench::new().await;
    bench.grants.folders = reading(&site);
    for path in
        ["file", "folder/secret", "folder/../../outside/secret", "root/etc/passwd", "inside/../../outside/secret"]
    {
        let read = bench.summary(&format!("read /folders/site/{path}")).await;
        assert!(read.starts_with("error:"), "{path}: {read}");
        let written = bench.summary(&format!("write /folders/site/{path}")).await;
        assert!(written.starts_with("error:"), "{path}: {written}");
    }
    check(bench.summary("read /folders/site/inside").await, expect!["a page"]);
    assert_eq!(std::fs::read_to_string(outside.join("secret")).unwrap(), "a secret");
}

#[tokio::test]
async fn a_hard_link_in_a_folder_to_read_is_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().canonicalize().unwrap().join("site");
    std::fs::create_dir(&site).unwrap();
    std::fs::write(folder.path().join("outside"), "as it was").unwrap();
    std::fs::hard_link(folder.path().join("outside"), site.join("linked")).unwrap();
    let mut bench = Bench::new().await;
    bench.grants.folders = reading(&site);
    bench.grants.folders.get_mut("site").unwrap().access = Access::Read;
    check(bench.summary("read /folders/site/linked").await, expect!["as it was"]);
    assert!(bench.summary("write /folders/site/linked").await.starts_with("error:"));
    check(bench.summary("read /folders/site/linked").await, expect!["as it was"]);
}

#[tokio::test]
async fn a_granted_folder_that_has_become_a_link_is_denied() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let (granted, elsewhere) = (root.join("site"), root.join("elsewhere"));
    std::fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &granted).unwrap();
    let mut bench = Bench::new().await;
    for path in [&granted, &granted.join("."), &granted.join("inside")] {
        std::fs::create_dir_all(path).unwrap();
        bench.grants.folders = reading(path);
        assert_eq!(bench.error("echo").await.failure().code, "denied", "{}", path.display());
    }
    assert!(bench.host.denials()[0].starts_with("folder `site` at "), "{:?}", bench.host.denials());
}

#[tokio::test]
async fn a_granted_folder_that_is_missing_is_the_hosts_fault_and_named() {
    let mut bench = Bench { workspace: Some("/no/such/folder".into()), ..Bench::new().await };
    bench.grants.workspace = Some(Access::Read);
    let error = bench.error("echo").await;
    assert!(matches!(&error, CallError::Sandbox(problem) if problem.contains("/no/such/folder")), "{error:?}");
}

#[tokio::test]
async fn secrets_and_sockets_are_denied_and_noted() {
    let bench = Bench::new().await;
    let failure = bench.error("secret deploy-key").await.failure();
    assert_eq!(failure.code, "denied");
    check(bench.summary("socket 127.0.0.1:80").await, expect!["Permission denied (os error 2)"]);
    check(bench.summary("socket example.com:80").await, expect!["Permission denied (os error 2)"]);
    check(
        format!("{:#?}", bench.host.denials()),
        expect![[r#"
        [
            "secret `deploy-key`",
            "a TCP socket",
            "looking up `example.com`",
        ]"#]],
    );
}

#[tokio::test]
async fn artifacts_and_state_are_kept_by_the_host() {
    let mut bench = Bench::new().await;
    let answer = bench.advance("artifact").await.unwrap();
    assert_eq!(answer.summary, "hello world");
    assert_eq!(answer.artifacts[0].digest, Digest::of(b"hello world"));
    bench.grants.state = Some("counts".parse().unwrap());
    check(bench.summary("state").await, expect!["0 then 1 at 1"]);
    let missing = Digest::of(b"missing");
    assert_eq!(bench.error(&format!("open-artifact {missing}")).await.failure().code, "not-found");
    assert_eq!(bench.error("open-artifact x").await.failure().code, "invalid-request");
}

#[tokio::test]
async fn what_the_host_denies_by_itself_is_noted_too() {
    let bench = Bench::new().await;
    let forbidden = Digest::of(crate::testing::FORBIDDEN);
    assert_eq!(bench.error(&format!("open-artifact {forbidden}")).await.failure().code, "denied");
    assert_eq!(bench.host.denials(), [format!("artifact {forbidden}")]);
}

#[tokio::test]
async fn a_guest_knows_how_long_it_has() {
    let bench = Bench::new().await.limits(|limits| limits.wall_ms = 50_000);
    let remaining: u32 = bench.summary("remaining").await.parse().unwrap();
    assert!((1..=50_000).contains(&remaining), "{remaining}");
}

// Requests.

/// Answers `/hello`, `/echo` (the request's head and body), `/big` (100,000 bytes) and `/redirect`; never `/silence`,
/// and `/endless` in part.
struct Server {
    origin: String,
    port: u16,
    /// Requests as they came.
    seen: Arc<Mutex<Vec<String>>>,
    _task: tokio::task::JoinHandle<()>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let hears = seen.clone();
        let serve = async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(connection, hears.clone()));
            }
        };
        Self { origin: format!("http://127.0.0.1:{port}"), port, seen, _task: tokio::spawn(serve) }
    }
}

async fn answer(mut connection: TcpStream, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") || is_body_missing(&request) {
        let is_closed = connection.read_buf(&mut request).await.unwrap_or(0) == 0;
        let is_tls = request.first() == Some(&0x16);
        if is_closed || is_tls {
            return;
        }
    }
    let request = String::from_utf8(request).unwrap();
    seen.lock().unwrap().push(request.clone());
    let (status, head, body) = match request.split(' ').nth(1).unwrap() {
        "/hello" => ("200 OK", "x-answer: yes\r\n", "hello".to_owned()),
        "/echo" => ("200 OK", "", request.replace("\r\n", "|")),
        "/big" => ("200 OK", "", "x".repeat(100_000)),
        "/redirect" => ("302 Found", "location: /hello\r\n", String::new()),
        "/silence" => return std::future::pending().await,
        "/endless" => {
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await.unwrap();
            return std::future::pending().await;
        }
        other => panic!("{other}"),
    };
    let length = body.len();
    let response = format!("HTTP/1.1 {status}\r\n{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}");
    let _ = connection.write_all(response.as_bytes()).await;
}

fn is_body_missing(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| body.len() < length.parse().unwrap())
}

#[tokio::test]
async fn a_request_that_is_not_granted_is_denied_and_noted() {
    let server = Server::start().await;
    let bench = Bench::new().await.http("http://127.0.0.1:1", true);
    let failure = bench.error(&format!("http GET {}/hello", server.origin)).await.failure();
    assert_eq!(failure.code, "denied");
    let says = failure.message.replace(&server.port.to_string(), "PORT");
    check(
        says,
        expect![
            "http to http://127.0.0.1:PORT is not granted; where the plugin asks for it, an operator can: `--allow-private-http http://127.0.0.1:PORT`"
        ],
    );
    assert_eq!(bench.host.denials(), [format!("http {}", server.origin)]);
}

#[tokio::test]
async fn a_granted_request_is_answered() {
    let server = Server::start().await;
    let bench = Bench::new().await.http(&server.origin, true);
    check(bench.summary(&format!("http GET {}/hello", server.origin)).await, expect!["200 hello"]);
    let echo = bench.summary(&format!("http POST {}/echo x-token t", server.origin)).await;
    check(
        echo.replace(&server.port.to_string(), "PORT"),
        expect!["200 POST /echo HTTP/1.1|x-token: t|accept: */*|host: 127.0.0.1:PORT|content-length: 4||body"],
    );
    assert_eq!(bench.host.denials(), Vec::<String>::new());
}

#[tokio::test]
async fn no_proxy_of_the_hosts_own_environment_is_used() {
    // A proxy would be told the name and connect to whatever it likes, so the variables are set for a whole process.
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::a_granted_request_is_answered"])
        .envs(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:1")))
        .env("no_proxy", "")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn a_redirect_is_shown_not_followed() {
    let server = Server::start().await;
    let bench = Bench::new().await.http(&server.origin, true);
    check(bench.summary(&format!("http GET {}/redirect", server.origin)).await, expect!["302 "]);
}

#[tokio::test]
async fn a_private_address_needs_its_own_word_by_number_and_by_name() {
    let server = Server::start().await;
    let named = format!("http://localhost:{}", server.port);
    let bench = Bench::new().await.http(&server.origin, false).http(&named, false);
    let refusal = bench.error(&format!("http GET {}/hello", server.origin)).await.failure();
    assert_eq!(refusal.code, "denied");
    check(
        refusal.message,
        expect![
            "127.0.0.1 has a loopback address; if that is meant, an operator can: `--allow-private-http` in the place of `--allow-http`"
        ],
    );
    let refusal = bench.error(&format!("http GET {named}/hello")).await.failure();
    assert_eq!(refusal.code, "denied");
    assert!(refusal.message.starts_with("localhost has a loopback address"), "{}", refusal.message);
    // The operator hears which address it was; the guest does not.
    let [_, denial] = &bench.host.denials()[..] else { panic!("{:?}", bench.host.denials()) };
    assert!(denial.starts_with("http localhost at ") && denial.ends_with(" (loopback)"), "{denial}");

    let bench = Bench::new().await.http(&named, true);
    check(bench.summary(&format!("http GET {named}/hello")).await, expect!["200 hello"]);
}

#[tokio::test]
async fn a_long_response_is_cut() {
    let server = Server::start().await;
    let bench = Bench::new().await.http(&server.origin, true).limits(|limits| limits.http_body_bytes = 5_000);
    check(bench.summary(&format!("http GET {}/big", server.origin)).await, expect!["200 5000 bytes (truncated)"]);
    let exact = Bench::new().await.http(&server.origin, true).limits(|limits| limits.http_body_bytes = 100_000);
    check(exact.summary(&format!("http GET {}/big", server.origin)).await, expect!["200 100000 bytes"]);
}

#[tokio::test]
async fn a_guest_cannot_say_where_a_request_ends_or_whom_it_is_for() {
    let server = Server::start().await;
    let bench = Bench::new().await.http(&server.origin, true);
    for header in ["host evil.example", "content-length 1", "transfer-encoding chunked"] {
        let failure = bench.error(&format!("http POST {}/echo {header}", server.origin)).await.failure();
        assert_eq!(failure.code, "invalid-request", "{header}");
    }
    for url in ["http://user@127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "/relative"] {
        assert_eq!(bench.error(&format!("http GET {url}")).await.failure().code, "invalid-request", "{url}");
    }
    assert_eq!(bench.error(&format!("http CONNECT {}/echo", server.origin)).await.failure().code, "invalid-request");
}

#[tokio::test]
async fn nobody_listening_is_told_apart_from_denial() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let failure = Bench::new().await.http(&origin, true).error(&format!("http GET {origin}/")).await.failure();
    assert_eq!((failure.code.as_str(), failure.retry), ("unreachable", Retry::SameKey));
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_not_trusted() {
    let server = Server::start().await;
    let origin = server.origin.replace("http:", "https:");
    let failure = Bench::new().await.http(&origin, true).error(&format!("http GET {origin}/hello")).await.failure();
    assert_eq!(failure.code, "unreachable");
}

#[tokio::test]
async fn a_request_ends_at_its_own_timeout() {
    let server = Server::start().await;
    let bench = Bench::new().await.http(&server.origin, true);
    let failure = bench.error(&format!("http-in 50 GET {}/silence", server.origin)).await.failure();
    assert_eq!((failure.code.as_str(), failure.retry), ("timeout", Retry::SameKey));
    let failure = bench.error(&format!("http-in 50 GET {}/endless", server.origin)).await.failure();
    assert_eq!(failure.code, "timeout");
}

#[tokio::test]
async fn a_silent_server_does_not_hold_a_call_beyond_its_wall_limit() {
    let server = Server::start().await;
    let bench = Bench::new().await.http(&server.origin, true).limits(|limits| limits.wall_ms = 100);
    let error = bench.error(&format!("http GET {}/silence", server.origin)).await;
    assert_eq!(error.failure().code, "limit");
}

#[tokio::test]
async fn wasi_http_goes_the_same_way_out() {
    let server = Server::start().await;
    let authority = format!("127.0.0.1:{}", server.port);
    let ungranted = Bench::new().await;
    check(ungranted.summary(&format!("wasi-http {authority} /hello")).await, expect!["ErrorCode::HttpRequestDenied"]);
    assert_eq!(ungranted.host.denials(), [format!("http {}", server.origin)]);
    let private = Bench::new().await.http(&server.origin, false);
    check(
        private.summary(&format!("wasi-http {authority} /hello")).await,
        expect!["ErrorCode::DestinationIpProhibited"],
    );
    let granted = Bench::new().await.http(&server.origin, true).limits(|limits| limits.http_body_bytes = 5_000);
    check(granted.summary(&format!("wasi-http {authority} /hello")).await, expect!["200 hello"]);
    check(granted.summary(&format!("wasi-http {authority} /redirect")).await, expect!["302 "]);
    let big = granted.summary(&format!("wasi-http {authority} /big")).await;
    check(big, expect!["200 5000 bytes then None"]);
}

#[tokio::test]
async fn headers_of_wasi_http_are_limited() {
    let bench = Bench::new().await;
    check(bench.summary("wasi-header 16000").await, expect!["Ok(())"]);
    check(bench.error("wasi-header 17000").await, expect!["the plugin trapped: total size of fields exceeds limit"]);
}

// Starting.

#[tokio::test]
async fn compiled_code_is_used_again_and_a_damaged_file_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Sandbox::new(Options { pooling: false, ..options(folder.path()) }).unwrap();
    let compiled = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|it| it == "cwasm")).collect::<Vec<_>>()
    };
    Bench::with(start(), "phase").await.advance("echo").await.unwrap();
    let [file] = &compiled()[..] else { panic!("{:?}", compiled()) };
    let written = std::fs::metadata(file).unwrap().modified().unwrap();

    Bench::with(start(), "phase").await.advance("echo").await.unwrap();
    assert_eq!(std::fs::metadata(file).unwrap().modified().unwrap(), written, "compiled again");

    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(file, &bytes).unwrap();
    Bench::with(start(), "phase").await.advance("echo").await.unwrap();
    assert_ne!(std::fs::read(file).unwrap(), bytes, "the damaged file is still there");
}

#[tokio::test]
async fn without_a_pool_everything_works_and_the_reason_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(Options { pooling: false, ..options(folder.path()) }).unwrap();
    assert_eq!(sandbox.facts().pooling, Pooling::Off { because: "the options say so".to_owned() });
    Bench::with(sandbox, "phase").await.advance("echo").await.unwrap();
}

#[test]
fn a_sandbox_may_be_dropped_inside_a_runtime() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(options(folder.path())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async move { drop(sandbox) });
}

// Rehearsals.

/// Answers every request with its own method and URL, and remembers what came.
#[derive(Default)]
struct Echo(Mutex<Vec<Sent>>);

impl Wire for Echo {
    fn answer(&self, sent: &Sent) -> Play {
        self.0.lock().unwrap().push(sent.clone());
        match sent.url.rsplit('/').next() {
            Some("never") => Play::Answer(Err(Trouble::TimedOut)),
            Some("through") => Play::Through,
            _ => {
                let body = format!("{} {}", sent.method, sent.url).into_bytes();
                Play::Answer(Ok(Received { status: 203, headers: vec![], body }))
            }
        }
    }

    fn heard(&self, _sent: &Sent, came: &Result<Received, Trouble>) {
        let body = came.as_ref().map(|received| received.body.clone()).unwrap_or_default();
        let url = "heard".to_owned();
        self.0.lock().unwrap().push(Sent { method: String::new(), url, headers: vec![], body });
    }
}

impl Bench {
    /// In a world that began a second after 1970.
    async fn rehearse(&self, config: &str, seed: &str, wire: &Arc<Echo>) -> Result<String, CallError> {
        let clock = TestClock::new(1_000, Pace::AtOnce);
        let rehearsal = Rehearsal { clock, random_seed: seed.to_owned(), wire: wire.clone() };
        match self.sandbox.rehearse(self.request(Operation::Advance { cursor: vec![] }, config), rehearsal).await? {
            Answer::Progressed(progressed) => Ok(progressed.summary),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_rehearsed_guest_sees_the_tests_time_and_waiting_takes_none() {
    let bench = Bench::new().await.limits(|limits| limits.wall_ms = 3_600_000);
    let began = std::time::Instant::now();
    let seen = bench.rehearse("clock 1800000", "", &Arc::default()).await;
    assert_eq!(seen.as_deref(), Ok("1000 ms, then 1800000 ms"));
    assert!(began.elapsed() < Duration::from_secs(60));
    assert_eq!(bench.rehearse("remaining", "", &Arc::default()).await.as_deref(), Ok("3600000"));
}

#[tokio::test]
async fn a_rehearsed_call_ends_at_its_wall_limit_by_the_tests_clock() {
    let bench = Bench::new().await.limits(|limits| limits.wall_ms = 3_600_000);
    let ended = bench.rehearse("wait 3600000", "", &Arc::default()).await.unwrap_err();
    assert_eq!(ended, CallError::WallLimit { limit_ms: 3_600_000 });
}

#[tokio::test]
async fn the_same_seed_gives_a_guest_the_same_random_numbers() {
    let bench = Bench::new().await;
    let random = async |seed: &str| bench.rehearse("random", seed, &Arc::default()).await.unwrap();
    assert_eq!(random("a").await, random("a").await);
    assert_ne!(random("a").await, random("b").await);
}

#[tokio::test]
async fn a_rehearsed_request_is_answered_by_the_test_where_it_is_granted() {
    let bench = Bench::new().await.http("http://a.example:80", false);
    let wire: Arc<Echo> = Arc::default();
    for request in ["http GET http://a.example/x", "wasi-http a.example /x"] {
        let seen = bench.rehearse(request, "", &wire).await.unwrap();
        assert!(seen.contains("203") && seen.contains("GET http://a.example/x"), "{request}: {seen}");
    }
    assert_eq!(wire.0.lock().unwrap().len(), 2);
    let denied = bench.rehearse("http GET http://b.example/x", "", &wire).await.unwrap_err().failure();
    assert_eq!(denied.code, "denied");
    let timed_out = bench.rehearse("http-in 5000 GET http://a.example/never", "", &wire).await.unwrap_err();
    assert_eq!(timed_out.to_string(), "timeout: no complete answer from http://a.example:80 within 5000 ms");
    assert_eq!(wire.0.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_request_that_a_test_lets_through_goes_out_and_comes_back_cut_as_ever() {
    let server = Server::start().await;
    let bench = Bench::new().await.http(&server.origin, true).limits(|limits| limits.http_body_bytes = 3);
    let wire: Arc<Echo> = Arc::default();
    let seen = bench.rehearse(&format!("http GET {}/hello/through", server.origin), "", &wire).await;
    let heard = wire.0.lock().unwrap().clone();
    assert_eq!(heard.len(), 2, "{seen:?}");
    assert_eq!(heard[1].url, "heard");
    assert!(heard[1].body.len() <= 4, "{heard:?}");
}
