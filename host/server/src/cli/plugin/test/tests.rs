use expect_test::expect;
use lockgate_core::plugin::Kind;
use serde_json::json;

use super::*;

fn read_as(text: &str, kind: Kind) -> Result<Fixture, String> {
    let folder = tempfile::tempdir().unwrap();
    fixture::read(&folder.path().join("x.yaml"), text.to_owned(), kind).map_err(|mistakes| {
        let told = mistakes.in_file("x.yaml").to_string();
        told.lines().filter(|line| line.starts_with("x.yaml")).collect::<Vec<_>>().join("\n")
    })
}

#[test]
fn the_shortest_fixture_is_one_line_and_grants_nothing() {
    let fixture = read_as("about: it works\n", Kind::Phase).unwrap();
    assert!(fixture.grants.http.is_empty() && fixture.grants.folders.is_empty() && fixture.grants.workspace.is_none());
    assert_eq!((fixture.tag.to_string().as_str(), fixture.environment.as_str()), ("v2", "test"));
}

#[test]
fn what_does_not_fit_is_told_with_its_place() {
    for (text, expected) in [
        ("", expect!["x.yaml:1:1: the file is empty"]),
        (
            "abot: x\n",
            expect![
                "x.yaml:1:1: /abot: unknown key `abot`; did you mean `about`? (known here: about, run, config, release, deployment, artifacts, phase, rounds, grants, secrets, state, clock, seed, faults, http, expect)"
            ],
        ),
        ("config: [1]\n", expect!["x.yaml:1:9: /config: must be a mapping, but is a list"]),
        (
            "run: aply\n",
            expect![
                "x.yaml:1:6: /run: must be one of phase, gate, plan, apply, undo, observe, but is `aply`; did you mean `apply`?"
            ],
        ),
        ("run: apply\n", expect!["x.yaml:1:6: /run: the plugin is a phase, which takes `run: phase`"]),
        ("clock: tomorrow\n", expect!["x.yaml:1:8: /clock: is not a time since 1970 like `2026-01-01T00:00:00Z`"]),
        (
            "grants: { http: [x] }\n",
            expect![
                "x.yaml:1:18: /grants/http/0: `x` has no usable origin: relative URL without a base; expected `https://host:port`"
            ],
        ),
        (
            "grants: { workspace: all }\n",
            expect!["x.yaml:1:22: /grants/workspace: must be one of read, read-write, but is `all`"],
        ),
        (
            "grants: { folders: { site: ../.. } }\n",
            expect!["x.yaml:1:28: /grants/folders/site: must be a path below the fixture's folder, without `..`"],
        ),
        (
            "artifacts: [{ name: web }]\n",
            expect![
                "x.yaml:1:13: /artifacts/0: an artifact has its bytes in a `file` beside the fixture, or as `text`"
            ],
        ),
        (
            "artifacts: [{ name: web, file: /etc/passwd }]\n",
            expect!["x.yaml:1:32: /artifacts/0/file: must be a path below the fixture's folder, without `..`"],
        ),
        (
            "phase: { weight: 5 }\n",
            expect!["x.yaml:1:18: /phase/weight: `weight` belongs to a target, and the plugin is a phase"],
        ),
        (
            "phase: { timeout: soon }\n",
            expect![
                "x.yaml:1:19: /phase/timeout: `soon` is not a duration longer than zero: write it like `90s`, `5m`, `1h30m`, `250ms` or `30d`"
            ],
        ),
        (
            "release: { tag: v1, previous: v1 }\n",
            expect![
                "x.yaml:1:31: /release/previous: the release that is live before has another tag than the one that is deployed"
            ],
        ),
        ("faults: [{}]\n", expect!["x.yaml:1:10: /faults/0: a fault is one thing: `cancel`, `crash` or `limits`"]),
        (
            "faults: [{ cancel: {} }]\n",
            expect!["x.yaml:1:20: /faults/0/cancel: a cancel comes `after_call` or `during_call`"],
        ),
        (
            "faults: [{ crash: { after_call: 0 } }]\n",
            expect!["x.yaml:1:33: /faults/0/crash/after_call: must be at least 1, but is `0`"],
        ),
        (
            "http: [{ request: { method: GET, url: 'ftp://x' }, fails: refused }]\n",
            expect![
                "x.yaml:1:39: /http/0/request/url: cannot be requested: scheme `ftp`; only http and https are possible"
            ],
        ),
        (
            "http: [{ request: { method: GET, url: 'http://x' } }]\n",
            expect!["x.yaml:1:8: /http/0: a request has a `response`, or `fails` as refused, timeout or broken"],
        ),
        (
            "http: [{ request: { method: GET, url: 'http://x', body: a, hex: 00 }, fails: broken }]\n",
            expect!["x.yaml:1:65: /http/0/request/hex: must be text, but is `0`; put it in quotes"],
        ),
        (
            "http: [{ request: { method: GET, url: 'http://x', body: a, json: 1 }, fails: broken }]\n",
            expect!["x.yaml:1:19: /http/0/request: a body is one of `body`, `json` and `hex`"],
        ),
        (
            "http: [{ request: { method: GET, url: 'http://x' }, response: { status: 2000 } }]\n",
            expect!["x.yaml:1:73: /http/0/response/status: must be at most 599, but is `2000`"],
        ),
        (
            "expect: { outcome: succeded }\n",
            expect![
                "x.yaml:1:20: /expect/outcome: must be one of succeeded, failed, cancelled, pass, fail, inconclusive, error, planned, undone, observed, refused, but is `succeded`; did you mean `succeeded`?"
            ],
        ),
        ("secrets: { token: x }\n", expect!["x.yaml:1:19: /secrets/token: must be a mapping, but is the text `x`"]),
    ] {
        expected.assert_eq(&read_as(text, Kind::Phase).unwrap_err());
    }
}

#[test]
fn an_artifact_is_read_from_beside_its_fixture_and_named_by_its_digest() {
    let fixture = read_as("artifacts: [{ name: web, text: hello }]\n", Kind::Phase).unwrap();
    let (artifact, bytes) = &fixture.artifacts[0];
    assert_eq!((artifact.digest, bytes.as_slice()), (Digest::of(b"hello"), &b"hello"[..]));
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn only_what_is_expected_is_compared_and_nothing_is_no_expectation() {
    let happened = map(json!({ "outcome": "failed", "code": "trap", "log": [], "outputs": null }));
    assert_eq!(
        differences(&map(json!({ "outcome": "succeeded", "log": [] })), &happened),
        [r#"outcome: expected "succeeded", and it was "failed""#]
    );
    assert_eq!(differences(&map(json!({ "code": "trap", "outputs": {} })), &happened), Vec::<String>::new());
    assert_eq!(differences(&Map::new(), &happened), ["nothing is expected: `--update` writes down what happened"]);
}

#[test]
fn an_update_keeps_to_the_keys_that_were_expected() {
    let happened = map(json!({ "outcome": "failed", "code": "trap", "log": [] }));
    assert_eq!(
        updated(&map(json!({ "log": ["x"], "outcome": "x" })), &happened),
        map(json!({ "log": [], "outcome": "failed" }))
    );
    assert_eq!(updated(&Map::new(), &happened), map(json!({ "outcome": "failed", "code": "trap" })));
}

#[test]
fn a_recording_that_was_denied_something_does_not_replace_one_that_has_it() {
    let exchange = "http: [{ request: { method: GET, url: 'http://x' }, fails: refused }]\n";
    let fixture = |text: &str| read_as(text, Kind::Phase).unwrap();
    let happened = |denied: Value| map(json!({ "outcome": "succeeded", "denied": denied }));
    let expecting = format!("{exchange}expect: {{ denied: ['GET http://x'] }}\n");
    for (fixture, denied, is_lost) in [
        (fixture(exchange), json!(["GET http://x"]), true),
        (fixture(exchange), json!([]), false),
        (fixture("about: nothing was recorded yet\n"), json!(["GET http://x"]), false),
        (fixture(&expecting), json!(["GET http://x"]), false),
        (fixture(&expecting), json!(["GET http://x", "GET http://y"]), true),
    ] {
        assert_eq!(lost_to_denials(&fixture, &happened(denied)).is_some(), is_lost);
    }
    let refused = map(json!({ "outcome": "refused", "message": "asks for HTTP", "denied": [] }));
    assert!(lost_to_denials(&fixture(exchange), &refused).unwrap().contains("asks for HTTP"));
    let expecting = fixture(&format!("{exchange}expect: {{ outcome: refused }}\n"));
    assert_eq!(lost_to_denials(&expecting, &refused), None);
}

#[test]
fn a_fixture_has_secrets_and_what_was_kept_before() {
    let fixture = read_as(
        "grants: { secrets: [desk], reveal: [key], state: true }\n\
         secrets: { desk: { value: made-up, to: ['https://desk.example'] }, key: { value: k } }\n\
         state: { tickets: '7' }\n",
        Kind::Phase,
    )
    .unwrap();
    let desk = &fixture.secrets["desk"];
    assert_eq!((desk.value.bytes(), desk.origins.len()), (b"made-up".as_slice(), 1));
    assert!(fixture.grants.state.is_some() && fixture.grants.reveal.len() == 1);
    assert_eq!(fixture.state["tickets"], "7");
    let refused = read_as("secrets: { desk: { value: x, to: [nowhere] } }\n", Kind::Phase).unwrap_err();
    assert!(refused.contains("/secrets/desk/to/0"), "{refused}");
}
