//! The same five trivial steps in Restate, in turns with ours: same disk, same load, its defaults. And once more with all
//! its threads in the short turns that ours takes to write its journal (`host/journal/src/prompt.rs`).
//!
//! Both promise the same: what is answered is on the disk, step by step. A call that comes alone is six `fdatasync` of our
//! journal, and eight of their log. Ours runs each step in a fresh sandbox and keeps
//! a record that can be read later; theirs runs it in a program of the team's own.

use std::ffi::OsStr;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::load::Load;
use super::{Bench, IN_SHORT_TURNS, closed_loop, machine, median, rounded};
use crate::host::Host;
use crate::http::{Api, Connection};

const VERSION: &str = "1.7.12";
/// Lies in a workspace of its own, so that only this builds it.
const HANDLERS: &str = "xtask/restate";
const ROUNDS: usize = 3;
const TIME: Duration = Duration::from_secs(3);
const CONCURRENCY: [usize; 3] = [1, 16, 64];
const START_LIMIT: Duration = Duration::from_secs(60);
const BETWEEN_KNOCKS: Duration = Duration::from_millis(50);

pub fn measure(bench: &Bench) -> Result<Value> {
    let (server, handlers) = match install(bench)? {
        Ok(programs) => programs,
        Err(why) => {
            eprintln!("SKIPPED: Restate, for {why}");
            return Ok(json!({ "skipped": why }));
        }
    };
    let folder = bench.data()?;
    let host = Host::start(&bench.binary, &folder.path().join("data"))?;
    let ours = Load::prepare(&host, &bench.component)?;
    let as_ever = Restate::start(Command::new(&server), &handlers, &folder.path().join("as-ever"))?;
    let mut in_turns = Command::new(bench.workspace.binary(&bench.profile, "xtask"));
    in_turns.arg(IN_SHORT_TURNS).arg(&server);
    let in_short_turns = Restate::start(in_turns, &handlers, &folder.path().join("in-short-turns"))?;
    for theirs in [&as_ever, &in_short_turns] {
        theirs.run(1, Duration::from_secs(1))?;
    }
    let mut rows = Vec::new();
    for concurrency in CONCURRENCY {
        let mut rounds = [Vec::new(), Vec::new(), Vec::new()];
        for round in 1..=ROUNDS {
            eprintln!("Ours and Restate in turns, {concurrency} at a time, round {round} of {ROUNDS}");
            // In another order each time.
            for turn in 0..rounds.len() {
                let whose = (round + turn) % rounds.len();
                rounds[whose].push(match whose {
                    0 => ours.one_after_the_other(concurrency, TIME)?,
                    1 => as_ever.run(concurrency, TIME)?,
                    _ => in_short_turns.run(concurrency, TIME)?,
                });
            }
        }
        let [ours, theirs, theirs_in_short_turns] = [0, 1, 2].map(|whose: usize| medians(&rounds[whose]));
        let rate = |of: &Value| of["per_second"].as_f64().unwrap_or(1.0);
        rows.push(json!({
            "concurrency": concurrency, "ours": ours, "theirs": theirs, "theirs_in_short_turns": theirs_in_short_turns,
            "ratio": rounded(rate(&ours) / rate(&theirs), 2),
            "ratio_in_short_turns": rounded(rate(&ours) / rate(&theirs_in_short_turns), 2),
            "rounds": { "ours": rounds[0], "theirs": rounds[1], "theirs_in_short_turns": rounds[2] },
        }));
    }
    Ok(json!({
        "version": VERSION,
        "settings": settings(&server)?,
        "rows": rows,
        "ours_resident_bytes": machine::resident_bytes(host.process_id())?,
        "their_server_resident_bytes": machine::resident_bytes(as_ever.server.0.id())?,
        "their_handlers_resident_bytes": machine::resident_bytes(as_ever.handlers.0.id())?,
    }))
}

const MEASURED: [&str; 6] =
    ["per_second", "latency/p50_us", "latency/p99_us", "cpu_ms_each", "written_bytes_each", "cores_busy"];

/// Of each number by itself: all rounds did the same.
fn medians(rounds: &[Value]) -> Value {
    let of = |name: &str| {
        let values = rounds.iter().filter_map(|round| round.pointer(&format!("/{name}"))?.as_f64());
        let key = name.rsplit('/').next().unwrap_or(name).to_owned();
        (key, json!(median(values.collect())))
    };
    Value::Object(MEASURED.into_iter().map(of).collect::<Map<_, _>>())
}

// ---- its programs ----

/// The server and our handlers for it; or why they cannot be had here.
fn install(bench: &Bench) -> Result<Result<(PathBuf, PathBuf), String>> {
    let folder = bench.folder.join("restate");
    std::fs::create_dir_all(&folder)?;
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let processor = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let package = format!("@restatedev/restate-server-{system}-{processor}");
    let server = folder.join("node_modules").join(&package).join("bin/restate-server");
    if !is_version(&server) {
        eprintln!("Installing Restate {VERSION} by npm");
        let wanted = format!("{package}@{VERSION}");
        // No scripts: one that comes along reports who installs.
        let flags = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", ".", &wanted];
        if let Err(why) = tried("npm", &flags, &folder) {
            return Ok(Err(why));
        }
        ensure!(is_version(&server), "npm has installed {wanted}, and {} is something else", server.display());
    }
    let manifest = bench.workspace.root.join(HANDLERS).join("Cargo.toml");
    if let Err(why) = tried("cargo", &["fetch", "--locked", "--manifest-path", &manifest.to_string_lossy()], &folder) {
        return Ok(Err(why));
    }
    eprintln!("Building its handlers");
    let target = folder.join("target");
    let (manifest, to) = (manifest.to_string_lossy(), target.to_string_lossy());
    let flags = ["build", "--locked", "--release", "--manifest-path", &manifest, "--target-dir", &to];
    bench.workspace.cargo(&flags)?;
    Ok(Ok((server, target.join("release/restate-deployment"))))
}

fn is_version(server: &Path) -> bool {
    let said = Command::new(server).arg("--version").output();
    said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim() == format!("restate-server {VERSION}"))
}

/// What needs a program or the network, which not every machine has.
fn tried(program: &str, arguments: &[&str], folder: &Path) -> Result<(), String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| format!("`{program}` does not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // Both programs say what matters first, after their warnings.
    let error = said.lines().find(|line| line.contains("error")).unwrap_or_default();
    let why = || format!("`{program} {}` failed: {error}", arguments[0]);
    output.status.success().then_some(()).ok_or_else(why)
}

/// What of its defaults decides about durability and work, as it tells them itself.
fn settings(server: &Path) -> Result<Vec<String>> {
    let dump = Command::new(server).arg("--dump-config").output()?;
    Ok(telling(&String::from_utf8_lossy(&dump.stdout)))
}

fn telling(dump: &str) -> Vec<String> {
    let (mut section, mut settings) = (String::new(), Vec::new());
    for line in dump.lines() {
        match line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            Some(name) => section = format!("{name}."),
            None if TELLING.iter().any(|key| line.starts_with(key)) => settings.push(format!("{section}{line}")),
            None => {}
        }
    }
    settings
}

const TELLING: [&str; 5] = [
    "default-provider",
    "default-replication",
    "default-num-partitions",
    "rocksdb-disable-wal-fsync",
    "rocksdb-total-memory-size",
];

// ---- as it runs ----

/// Killed when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Restate {
    ingress: Api,
    server: Process,
    handlers: Process,
    folder: PathBuf,
}

impl Restate {
    fn start(mut server: Command, handlers: &Path, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let [ingress, admin, node, behind] = free_addresses()?;
        let log = folder.join("restate.log");
        let handlers = Process(started(Command::new(handlers).arg(behind.to_string()), &folder.join("handlers.log"))?);
        server
            .args([OsStr::new("--base-dir"), folder.join("restate").as_os_str()])
            .args(["--node-name", "bench", "--listen-mode", "tcp", "--bind-ip", "127.0.0.1"])
            .args(["--bind-port", &node.port().to_string()])
            .env("RESTATE_INGRESS__BIND_PORT", ingress.port().to_string())
            .env("RESTATE_ADMIN__BIND_PORT", admin.port().to_string())
            .env("RESTATE_DISABLE_TELEMETRY", "true");
        let server = Process(started(&mut server, &log)?);
        let api = |address| Api { address, token: String::new() };
        let restate = Self { ingress: api(ingress), server, handlers, folder: folder.to_owned() };
        let uri = json!({ "uri": format!("http://{behind}/") });
        let ready = answered(|| api(admin).get("/health"))
            .and_then(|()| answered(|| api(admin).post("/deployments", &uri)))
            .and_then(|()| answered(|| restate.ingress.post("/Deployment/run", &json!("v1"))));
        ready.with_context(|| {
            let log = std::fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            format!("Restate does not answer; its log says:\n{}", lines[lines.len().saturating_sub(20)..].join("\n"))
        })?;
        Ok(restate)
    }

    fn run(&self, lanes: usize, time: Duration) -> Result<Value> {
        let processes = [self.server.0.id(), self.handlers.0.id()];
        let open = |_| Connection::open(&self.ingress);
        closed_loop::run((lanes, time), (&processes, &self.folder), open, |connection| {
            let json = [("Content-Type", "application/json")];
            let answer = connection.send("POST", "/Deployment/run", &json, br#""v1""#)?.accepted("an invocation")?;
            ensure!(answer == "v1", "its handler answered {answer}");
            Ok(())
        })
    }
}

fn started(command: &mut Command, log: &Path) -> Result<Child> {
    let log = File::create(log).with_context(|| log.display().to_string())?;
    let command = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    command.spawn().with_context(|| format!("{command:?} does not start"))
}

/// It is not ready all at once, and asking is the only way to learn when it is.
fn answered(ask: impl Fn() -> Result<Value>) -> Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        match ask() {
            Ok(_) => return Ok(()),
            Err(error) if Instant::now() > deadline => bail!(error),
            Err(_) => thread::sleep(BETWEEN_KNOCKS),
        }
    }
}

/// All held until all are known, so that they differ.
fn free_addresses<const COUNT: usize>() -> Result<[SocketAddr; COUNT]> {
    let listeners: Vec<TcpListener> = (0..COUNT).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
    let addresses: Vec<SocketAddr> = listeners.iter().map(TcpListener::local_addr).collect::<Result<_, _>>()?;
    addresses.try_into().map_err(|_| anyhow::anyhow!("as many addresses as were asked for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_each_number_is_taken_by_itself() {
        let round = |per_second: f64, p50_us: u64| json!({ "per_second": per_second, "latency": { "p50_us": p50_us } });
        let medians = medians(&[round(9.0, 1), round(1.0, 3), round(2.0, 2)]);
        assert_eq!((&medians["per_second"], &medians["p50_us"]), (&json!(2.0), &json!(2.0)));
    }

    #[test]
    fn a_setting_stands_with_its_section() {
        let dump = "default-replication = 1\nother = 2\n[log-server]\nrocksdb-disable-wal-fsync = false\n";
        assert_eq!(telling(dump), ["default-replication = 1", "log-server.rocksdb-disable-wal-fsync = false"]);
    }
}
