//! The denial matrix: every interface that a component can import, and what it is to one that was granted nothing. It is
//! answered with a failure of its own, never a trap; nothing comes of it; and what was tried is noted, once.

use std::collections::BTreeSet;

use super::*;

/// What a guest without any grant has of an interface.
enum Without {
    /// These verbs fail, each with this line for the audit log.
    Denied(&'static [(&'static str, &'static str)]),
    /// It is there, and there is nothing in it: verb and answer.
    Empty(&'static [(&'static str, &'static str)]),
    /// Granted to everybody: it shows nothing of the host, and changes nothing there.
    Free,
}

use Without::{Denied, Empty, Free};

const MATRIX: &[(&str, Without)] = &[
    // ---- ours ----
    ("lockgate:plugin/types", Free),
    ("lockgate:plugin/log", Free),
    ("lockgate:plugin/progress", Free),
    ("lockgate:plugin/control", Free),
    ("lockgate:plugin/secrets", Denied(&[("secret deploy-key", "secret `deploy-key`")])),
    ("lockgate:plugin/secrets-reveal", Denied(&[("reveal deploy-key", "secret `deploy-key`")])),
    ("lockgate:plugin/state", Denied(&[("state", "state"), ("state-put", "state")])),
    (
        "lockgate:plugin/artifacts",
        Denied(&[(
            "open-artifact sha256:fbae041b02c41ed0fd8a4efb039bc780dd6af4a1f0c420f42561ae705dda43fe",
            "artifact sha256:fbae041b02c41ed0fd8a4efb039bc780dd6af4a1f0c420f42561ae705dda43fe",
        )]),
    ),
    ("lockgate:plugin/artifacts-write", Denied(&[("artifact", "writing artifact `site`")])),
    ("lockgate:plugin/http", Denied(&[("http GET http://127.0.0.1:9/", "http http://127.0.0.1:9")])),
    (
        "lockgate:process/run",
        Denied(&[
            ("tool-start kubectl", "tool `kubectl`"),
            ("tool-poll key", "looking at a tool"),
            ("tool-stop key", "stopping a tool"),
        ]),
    ),
    // ---- WASI ----
    ("wasi:http/outgoing-handler", Denied(&[("wasi-http 127.0.0.1:9 /", "http http://127.0.0.1:9")])),
    ("wasi:http/types", Free),
    ("wasi:sockets/tcp-create-socket", Denied(&[("socket 127.0.0.1:9", "a TCP socket")])),
    ("wasi:sockets/udp-create-socket", Denied(&[("udp 127.0.0.1:9", "a UDP socket")])),
    ("wasi:sockets/ip-name-lookup", Denied(&[("socket example.com:9", "looking up `example.com`")])),
    // Of no use without a socket.
    ("wasi:sockets/network", Free),
    ("wasi:sockets/instance-network", Free),
    ("wasi:sockets/tcp", Free),
    ("wasi:sockets/udp", Free),
    (
        "wasi:filesystem/preopens",
        Empty(&[
            ("read /etc/passwd", "error: "),
            ("read /workspace/x", "error: "),
            ("read ../x", "error: "),
            ("write /tmp/x", "error: "),
        ]),
    ),
    // Of no use without a folder.
    ("wasi:filesystem/types", Free),
    ("wasi:cli/environment", Empty(&[("surroundings", "0 variables, 0 arguments")])),
    ("wasi:cli/stdin", Empty(&[("stdin", "0 bytes")])),
    ("wasi:cli/stdout", Free),
    ("wasi:cli/stderr", Free),
    // Ends the guest, and nothing else.
    ("wasi:cli/exit", Free),
    ("wasi:cli/terminal-input", Free),
    ("wasi:cli/terminal-output", Free),
    ("wasi:cli/terminal-stdin", Free),
    ("wasi:cli/terminal-stdout", Free),
    ("wasi:cli/terminal-stderr", Free),
    ("wasi:clocks/monotonic-clock", Free),
    ("wasi:clocks/wall-clock", Free),
    ("wasi:io/error", Free),
    ("wasi:io/poll", Free),
    ("wasi:io/streams", Free),
    ("wasi:random/random", Free),
    ("wasi:random/insecure", Free),
    ("wasi:random/insecure-seed", Free),
];

/// Known to WASI, and linked for nobody.
const NOT_LINKED: [&str; 3] = ["wasi:clocks/timezone", "wasi:cli/run", "wasi:http/incoming-handler"];

/// Exported by plugins, not imported.
const EXPORTED: [&str; 3] = ["lockgate:gate/gate", "lockgate:phase/phase", "lockgate:target/target"];

/// `package/interface` of all that these files declare.
fn declared(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(declared(&entry));
        } else if entry.extension().is_some_and(|end| end == "wit") {
            let text = std::fs::read_to_string(&entry).unwrap();
            let Some(package) = text.lines().find_map(|line| line.strip_prefix("package ")) else { continue };
            let package = package.split(['@', ';']).next().unwrap();
            let interfaces = text.lines().filter_map(|line| line.strip_prefix("interface "));
            found.extend(interfaces.map(|rest| format!("{package}/{}", rest.trim_end_matches('{').trim())));
        }
    }
    found
}

/// Where a crate that we link keeps its files.
fn of_crate(name: &str) -> PathBuf {
    let listed = Command::new(env!("CARGO"))
        // Of other systems not every crate is on this machine.
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", "host-tuple"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == name).unwrap();
    Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned()
}

/// Those of WASI's next version are for nobody: the host does not link it.
fn all_there_are() -> BTreeSet<String> {
    let ours = declared(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"));
    let wasi = declared(&of_crate("wasmtime-wasi").join("src/p2/wit/deps"));
    let http = declared(&of_crate("wasmtime-wasi-http").join("wit/deps"));
    ours.into_iter().chain(wasi).chain(http).filter(|name| !EXPORTED.contains(&name.as_str())).collect()
}

#[test]
fn every_interface_has_its_row() {
    let rows: BTreeSet<String> = MATRIX.iter().map(|(name, _)| (*name).to_owned()).collect();
    let known = rows.iter().map(String::as_str).chain(NOT_LINKED).map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(known, all_there_are(), "what can be imported has a row that says what it is without a grant");
}

/// As `describe`, `validate` and `judge` run, and every call of a plugin that was granted nothing.
async fn ungranted() -> Bench {
    let mut bench = Bench::new().await;
    bench.refuses = true;
    bench
}

#[tokio::test]
async fn whoever_was_granted_nothing_gets_a_failure_and_leaves_one_line() {
    for (name, without) in MATRIX {
        let (denied, empty) = match without {
            Denied(verbs) => (*verbs, &[][..]),
            Empty(verbs) => (&[][..], *verbs),
            Free => continue,
        };
        for (verb, line) in denied {
            let bench = ungranted().await;
            match bench.advance(verb).await {
                Err(CallError::Failed(failure)) => assert_eq!(failure.code, "denied", "{name}: {verb}: {failure:?}"),
                // WASI has errors of its own.
                Ok(answer) => assert!(
                    name.starts_with("wasi:") && ["denied", "Denied"].iter().any(|word| answer.summary.contains(word)),
                    "{name}: {verb}: {}",
                    answer.summary
                ),
                Err(other) => panic!("{name}: {verb}: {other}"),
            }
            assert_eq!(bench.host.denials(), [*line], "{name}: {verb}");
            assert_eq!(bench.host.artifacts.lock().unwrap().len(), 0, "{name}: {verb}");
        }
        for (verb, answer) in empty {
            let bench = ungranted().await;
            let said = bench.summary(verb).await;
            assert!(said.starts_with(answer), "{name}: {verb}: {said}");
            assert_eq!(bench.host.denials(), Vec::<String>::new(), "{name}: {verb}");
        }
    }
}

#[tokio::test]
async fn what_is_in_no_row_is_linked_for_nobody() {
    let engine = crate::engine::new(false, 1).unwrap().0;
    let worlds = crate::component::Worlds::new(&engine).unwrap();
    for name in NOT_LINKED {
        let version = if name.starts_with("wasi:") { "0.2.6" } else { "0.1.0" };
        let component = format!(
            r#"(component (import "{name}@{version}" (instance (export "f" (func))))
               (instance $i) (export "lockgate:phase/phase@0.1.0" (instance $i)))"#
        );
        let component =
            wasmtime::component::Component::from_binary(&engine, &wat::parse_str(component).unwrap()).unwrap();
        let refused = worlds.link(Kind::Phase, &component).err().unwrap().to_string();
        assert!(refused.contains(name), "{refused}");
    }
}
