//! `lockgate plugin test`, with real components and no host: what fixtures do to them, and what is recorded.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::harness::{Web, binary, component};

/// A folder with a component and fixtures.
struct Room {
    folder: tempfile::TempDir,
}

impl Room {
    fn with(package: &str) -> Self {
        let room = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(room.path("plugin.wasm"), component(package)).unwrap();
        room
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn fixture(&self, text: &str) {
        fs::write(self.path("x.yaml"), text).unwrap();
    }

    fn written(&self) -> String {
        fs::read_to_string(self.path("x.yaml")).unwrap()
    }

    fn test(&self, flags: &[&str]) -> Output {
        let arguments = ["plugin", "test", "plugin.wasm", "x.yaml"];
        Command::new(binary()).args(arguments).args(flags).current_dir(self.folder.path()).output().unwrap()
    }

    fn passes(&self, flags: &[&str]) -> String {
        let output = self.test(flags);
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}\n{said}{}", self.written(), String::from_utf8_lossy(&output.stderr));
        said
    }
}

/// Each of these is a fault, and what a host makes of it.
#[test]
fn a_plugin_meets_every_fault_as_it_would_in_a_host() {
    let room = Room::with("hostile-phase");
    for fixture in [
        "about: the host dies twice\nconfig: { do: steps, times: 3 }\n\
         faults: [{ crash: { after_call: 1 } }, { crash: { after_call: 3 } }]\n\
         expect: { outcome: succeeded, outputs: { steps: 3 }, calls: \
         ['advance: again', 'advance: again', 'advance: again', 'advance: again', 'advance: done'] }\n",
        "about: too much memory, in one call of two\nconfig: { do: allocate }\nphase: { retries: 1 }\n\
         faults: [{ limits: { call: 1, memory_kb: 20000 } }]\n\
         expect: { outcome: failed, code: limit, calls: ['advance: failed: limit (never again)'] }\n",
        "about: it computes for ever\nconfig: { do: spin }\ngrants: { limits: { cpu: 100ms } }\n\
         expect: { code: limit, message: 'the plugin ran for 100 ms of CPU time, its limit is 100 ms (grant `cpu_ms`)' }\n",
        "about: it waits for ever, and twice that takes no time\nconfig: { do: wait-forever }\n\
         grants: { limits: { wall: 20m } }\nphase: { timeout: 2h, retries: 1 }\n\
         expect: { code: limit, calls: ['advance: failed: limit (may be repeated)', 'advance: failed: limit (may be repeated)'] }\n",
        "about: the phase's own limit ends it before the call's\nconfig: { do: wait-forever }\n\
         phase: { timeout: 5s }\nexpect: { outcome: failed, code: timeout }\n",
        "about: cancelled while it waits\nconfig: { do: wait-politely }\nfaults: [{ cancel: { during_call: 1 } }]\n\
         expect: { outcome: cancelled, calls: ['advance: failed: cancelled (never again)', 'cancel: done'] }\n",
        "about: it hears that it is cancelled\nconfig: { do: slow, ms: 40000 }\nfaults: [{ cancel: { during_call: 1 } }]\n\
         expect: { outputs: { cancelled: true } }\n",
        "about: cancelled when the next call is under way already\nconfig: { do: steps, times: 3 }\nfaults: [{ cancel: { after_call: 1 } }]\n\
         expect: { outcome: cancelled, calls: ['advance: again', 'advance: again', 'cancel: done'] }\n",
        "about: a trap is tried again\nconfig: { do: trap }\nphase: { retries: 1 }\n\
         expect: { code: trap, calls: ['advance: failed: trap (may be repeated)', 'advance: failed: trap (may be repeated)'] }\n",
        "about: what is not granted is denied\nconfig: { do: http-denied, url: 'http://a.example/' }\n\
         expect: { outcome: succeeded, denied: ['http http://a.example:80'] }\n",
    ] {
        room.fixture(fixture);
        let (first, second) = (room.passes(&[]), room.passes(&["--replay"]));
        assert_eq!(first, second);
        assert_eq!(room.passes(&["--json"]), room.passes(&["--json"]));
    }
}

const REQUEST: &str = "config: { method: POST, url: 'URL/hook', body: { tag: '$release' }, headers: { authorization: 'Bearer hunter2' } }\n";

#[test]
fn trouble_with_the_network_is_the_fixtures_to_say() {
    let room = Room::with("http-request");
    let url = "http://hooks.example";
    let exchange = |reply: &str| format!("  - request: {{ method: POST, url: '{url}/hook' }}\n    {reply}\n");
    let replies =
        ["fails: refused", "fails: broken", "fails: timeout", "response: { status: 503 }", "response: { status: 200 }"];
    let http: String = replies.into_iter().map(exchange).collect();
    let asked = ["refused", "broken", "timeout", "503", "200"].map(|came| format!("'POST {url}/hook -> {came}'"));
    room.fixture(&format!(
        "{}grants: {{ http: ['{url}'] }}\nphase: {{ retries: 9 }}\nhttp:\n{http}expect: {{ outcome: succeeded, requests: [{}] }}\n",
        REQUEST.replace("URL", url),
        asked.join(", ")
    ));
    let said = room.passes(&[]);
    assert!(said.contains("http http://hooks.example:80, 5 requests"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn what_was_recorded_is_played_again_without_the_server() {
    let room = Room::with("http-request");
    let server = Web::serving(room.path("."));
    let fixture = format!(
        "# Mine.\n{}grants: {{ private_http: ['{}'] }}\n# And this.\nexpect: {{ outcome: succeeded }}\n",
        REQUEST.replace("URL", &server.url()),
        server.url()
    );
    room.fixture(&fixture);
    assert!(!room.test(&[]).status.success(), "nothing is recorded yet");
    assert_eq!(server.asked(), 0, "a replay lets nothing out");

    let recorded = room.passes(&["--record"]);
    assert!(recorded.contains("wrote http of the fixture anew"), "{recorded}");
    assert_eq!(server.asked(), 1);
    let written = room.written();
    assert!(
        written.starts_with("# Mine.\n") && written.contains("# And this.\nexpect: { outcome: succeeded }\n"),
        "{written}"
    );
    let recorded_part = &written[written.find("\nhttp:\n").unwrap()..];
    assert!(recorded_part.contains("status: 200") && !recorded_part.contains("hunter2"), "{written}");

    assert_eq!(room.passes(&[]), room.passes(&[]));
    assert_eq!(server.asked(), 1, "a replay lets nothing out");
    assert_eq!(room.written(), written);
}

#[test]
fn a_request_that_the_fixture_does_not_know_fails_and_is_named() {
    let room = Room::with("http-request");
    let url = "http://hooks.example";
    room.fixture(&format!(
        "{}grants: {{ http: ['{url}'] }}\nhttp: [{{ request: {{ method: POST, url: '{url}/hook', json: {{ tag: v1 }} }}, response: {{ status: 200 }} }}]\n",
        REQUEST.replace("URL", url)
    ));
    let output = room.test(&[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains(
            "not in the fixture: POST http://hooks.example/hook (its body there is `{\"tag\":\"v1\"}`, and `"
        ),
        "{said}"
    );
    assert!(said.contains("never asked for: POST http://hooks.example/hook"), "{said}");
}

#[test]
fn what_came_otherwise_than_expected_fails_until_it_is_written_down() {
    let room = Room::with("hostile-phase");
    room.fixture("config: { do: done }\nexpect:\n  outcome: failed\n  summary: else\n");
    let output = room.test(&[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("outcome: expected \"failed\", and it was \"succeeded\""), "{said}");

    room.passes(&["--update"]);
    assert_eq!(room.written(), "config: { do: done }\nexpect:\n  outcome: succeeded\n  summary: done\n");
    room.passes(&[]);
}

#[test]
fn a_plugin_has_the_fixtures_secrets_and_what_was_kept_before() {
    let room = Room::with("http-request");
    let fixture = |to: &str, expect: &str| {
        format!(
            "config: {{ url: 'https://chat.example/', secret: chat, headers: {{ Authorization: '{{{{secret}}}}' }} }}\n\
             grants: {{ http: ['https://chat.example'], secrets: [chat] }}\n\
             secrets: {{ chat: {{ value: made-up, to: ['{to}'] }} }}\n\
             http: [{{ request: {{ method: POST, url: 'https://chat.example/', headers: {{ authorization: lg-secret-chat. }} }}, \
             response: {{ status: 200 }} }}]\n\
             expect: {{ {expect} }}\n"
        )
    };
    room.fixture(&fixture("https://chat.example", "outcome: succeeded, denied: []"));
    room.passes(&[]);
    let astray =
        fixture("https://other.example", "code: denied, denied: ['secret `chat` to https://chat.example:443']");
    room.fixture(
        &astray.lines().filter(|line| !line.starts_with("http:")).map(|line| format!("{line}\n")).collect::<String>(),
    );
    room.passes(&[]);

    let room = Room::with("counting-phase");
    room.fixture(
        "config: { key: deploys }\ngrants: { state: true }\nstate: { deploys: '7' }\n\
         expect: { outputs: { count: 8, late: conflict }, state: ['deploys = 8 '] }\n",
    );
    room.passes(&[]);
    room.fixture("config: { key: deploys }\nexpect: { outcome: refused }\n");
    room.passes(&[]);
}
