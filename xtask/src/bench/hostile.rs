//! What others notice of plugins that do their worst: the API's latency while they spin, take memory and flood their
//! logs, and the host's memory when they are gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::load::{self, trigger};
use super::open_loop::Rate;
use super::{Bench, machine};
use crate::host::Host;
use crate::http::{Api, Connection};
use crate::json::{list, text};

/// Guests of each kind, all at once.
const EACH: usize = 8;
const DEEDS: [&str; 3] = ["spin", "allocate", "log-flood"];
/// More than can be run while it is measured.
const PHASES: usize = 100;
const PER_SECOND: u64 = 100;
const SENDERS: usize = 4;
const SECONDS: u64 = 10;
const PATIENCE: Duration = Duration::from_secs(60);

/// Of one call: half a second of computing, 64 MiB.
const LIMITS: &str = r#"{ "grants": { "limits": { "cpu_ms": 500, "memory_bytes": 67108864 } }, "reason": "bench" }"#;

pub fn measure(bench: &Bench) -> Result<Value> {
    eprintln!("Hostile plugins");
    let folder = bench.data()?;
    // Half of these are one plugin's at most.
    let host = Host::start_with(&bench.binary, &folder.path().join("data"), &["--concurrent-calls", "64"])?;
    let api = host.admin()?;
    let plugin = load::plugin(&api, &bench.component)?;
    api.post(&format!("/v1/plugins/{plugin}/approve"), &serde_json::from_str(LIMITS)?)?;
    load::waiting_project(&api, &plugin)?;
    for deed in DEEDS {
        (0..EACH).try_for_each(|index| project(&api, &named(deed, index), &plugin, deed))?;
    }
    // One round of everything, so that what stays in memory for good is there.
    let under_way = start(&api)?;
    thread::sleep(Duration::from_secs(SECONDS));
    cancel(&api, &under_way)?;

    let before = machine::resident_bytes(host.process_id())?;
    let quiet = requests(&api)?;
    let under_way = start(&api)?;
    let watching = AtomicBool::new(true);
    let (loud, peak) = thread::scope(|scope| {
        let peak = scope.spawn(|| machine::peak_resident_bytes(host.process_id(), &watching));
        let loud = requests(&api);
        watching.store(false, Ordering::Relaxed);
        (loud, peak.join().expect("watching memory answers with errors"))
    });
    let (loud, peak) = (loud?, peak?);
    // Of each where the machine is quiet; beside other work some take longer than this was measured.
    let ran = under_way.iter().map(|path| Ok(phases_over(&api.get(path)?))).sum::<Result<usize>>()?;
    ensure!(ran > 0, "not one of the guests came to an end while this was measured");
    cancel(&api, &under_way)?;
    let after = machine::resident_bytes(host.process_id())?;
    Ok(json!({
        "guests": DEEDS.len() * EACH,
        "stopped_by_their_limits_or_done": ran,
        "requests_per_second": PER_SECOND,
        "quiet": quiet,
        "loud": loud,
        "resident_before_bytes": before,
        "resident_peak_bytes": peak,
        "resident_after_bytes": after,
    }))
}

fn named(deed: &str, index: usize) -> String {
    format!("{deed}-{index}")
}

/// One whose every phase does the same, and goes on however it ended.
fn project(api: &Api, name: &str, plugin: &str, deed: &str) -> Result<()> {
    let mut file = format!("project: {name}\nenvironments:\n  there: {{}}\nworkflows:\n  patch:\n    phases:\n");
    for phase in 1..=PHASES {
        file += &format!(
            "      - {{ name: phase-{phase}, plugin: {plugin}, continue_on_error: true, \
             config: {{ do: {deed}, times: 100000, bytes: 1000 }} }}\n"
        );
    }
    let path = format!("/v1/projects/{name}");
    api.upload("PUT", &path, "application/yaml", file.as_bytes())?;
    api.post(&format!("{path}/releases"), &json!({ "tag": "v1" }))?;
    Ok(())
}

/// The paths of the deployments.
fn start(api: &Api) -> Result<Vec<String>> {
    let mut connection = Connection::open(api)?;
    let mut under_way = Vec::new();
    for deed in DEEDS {
        for index in 0..EACH {
            let project = named(deed, index);
            let number = trigger(&mut connection, &project)?;
            under_way.push(format!("/v1/projects/{project}/deployments/{number}"));
        }
    }
    for path in &under_way {
        api.wait(path, PATIENCE, |seen| text(seen, "/operation_status") == "PhaseInProgress" || phases_over(seen) > 0)?;
    }
    Ok(under_way)
}

fn cancel(api: &Api, under_way: &[String]) -> Result<()> {
    for path in under_way {
        api.post(&format!("{path}/cancel"), &json!({ "reason": "bench", "force": true }))?;
    }
    for path in under_way {
        api.wait(path, PATIENCE, |seen| !text(seen, "/finished_at").is_empty())?;
    }
    Ok(())
}

fn phases_over(deployment: &Value) -> usize {
    list(deployment, "/phases").iter().filter(|phase| !text(phase, "/ended_at").is_empty()).count()
}

/// Half of them triggers.
fn requests(api: &Api) -> Result<Value> {
    let rate = Rate { per_second: PER_SECOND, seconds: SECONDS, connections: SENDERS };
    let measured = rate.send(api, |connection, place| {
        let answer = match place % 2 {
            0 => load::send_trigger(connection, "waiting")?,
            _ => connection.send("GET", "/v1/projects/waiting/environments/there", &[], b"")?,
        };
        ensure!(answer.status < 300, "refused beside hostile guests: {}", answer.status);
        Ok(answer.status)
    })?;
    Ok(measured["latency"].clone())
}
