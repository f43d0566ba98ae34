//! What a long history costs: many projects, ever more finished deployments in them; before each row the host is
//! stopped, killed, and started again after both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::load::{self, in_parallel, run_queued, timed, trigger};
use super::{Bench, machine, rounded, spread};
use crate::host::Host;
use crate::http::{Api, Connection};

pub const PROJECTS: u64 = 1_000;
const AT_A_TIME: usize = 64;
/// Of each project.
const QUEUED: usize = 100;
/// Of each thing that is measured.
const EACH: u64 = 500;
const START_LIMIT: Duration = Duration::from_secs(3_600);

/// The history is made as every history is, by running deployments: a host takes none that it has not written.
pub fn measure(bench: &Bench) -> Result<Value> {
    let folder = bench.data()?;
    let mut host = Host::start(&bench.binary, &folder.path().join("data"))?;
    let api = host.admin()?;
    let plugin = load::plugin(&api, &bench.component)?;
    load::waiting_project(&api, &plugin)?;
    eprintln!("Making {PROJECTS} projects");
    side_by_side(|project| load::project(&api, &named(project), &plugin, ""))?;
    let mut sizes = [0, bench.finished / 10, bench.finished].map(|finished| finished / PROJECTS).to_vec();
    sizes.dedup();
    let (mut before, mut rows) = (0, Vec::new());
    for each in sizes {
        let (more, started) = (each - before, Instant::now());
        if more > 0 {
            eprintln!("Running {} deployments", more * PROJECTS);
            side_by_side(|project| grow(&api, &named(project), more as usize))?;
        }
        let made_per_second = rounded((more * PROJECTS) as f64 / started.elapsed().as_secs_f64(), 1);
        let mut row = row(&mut host, &api, each)?;
        row["made_per_second"] = json!(made_per_second);
        rows.push(row);
        before = each;
    }
    Ok(json!({ "projects": PROJECTS, "rows": rows }))
}

/// A queue at a time that is over soon: whoever waits for the last of it would think the host stuck.
fn grow(api: &Api, project: &str, more: usize) -> Result<()> {
    (0..more).step_by(QUEUED).try_for_each(|done| run_queued(api, project, QUEUED.min(more - done)))
}

fn named(project: u64) -> String {
    format!("project-{project}")
}

fn side_by_side(work: impl Fn(u64) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicU64::new(0);
    in_parallel(AT_A_TIME, |_| {
        loop {
            match next.fetch_add(1, Ordering::Relaxed) {
                project if project < PROJECTS => work(project)?,
                _ => return Ok(()),
            }
        }
    })?;
    Ok(())
}

fn row(host: &mut Host, api: &Api, each: u64) -> Result<Value> {
    let resident_grown = machine::resident_bytes(host.process_id())?;
    eprintln!("Starting with {} finished deployments", each * PROJECTS);
    host.stop()?;
    let after_stop_ms = start_again(host)?;
    host.kill()?;
    let after_kill_ms = start_again(host)?;
    let (process, mut connection) = (host.process_id(), Connection::open(api)?);
    let resident_started = machine::resident_bytes(process)?;
    // Spread over projects and history, each time in another place.
    let project = |turn: u64| named(turn * 617 % PROJECTS);
    let list = alone(process, |turn| {
        let path = format!("/v1/projects/{}/deployments", project(turn));
        connection.send("GET", &path, &[], b"")?.accepted(&path).map(drop)
    })?;
    let detail = alone(process, |turn| {
        // Before there is any history: that there is no such deployment is found no faster.
        let path = format!("/v1/projects/{}/deployments/{}", project(turn), 1 + turn * 7_919 % each.max(1));
        let answer = connection.send("GET", &path, &[], b"")?;
        if each == 0 { Ok(()) } else { answer.accepted(&path).map(drop) }
    })?;
    let triggers = alone(process, |_| trigger(&mut connection, "waiting").map(drop))?;
    Ok(json!({
        "finished": each * PROJECTS,
        "start_after_stop_ms": after_stop_ms,
        "start_after_kill_ms": after_kill_ms,
        "resident_before_stop_bytes": resident_grown,
        "resident_after_start_bytes": resident_started,
        "disk_bytes": machine::bytes_on_disk(&host.data)?,
        "disk_bytes_of": machine::folders_on_disk(&host.data)?,
        "list": list,
        "detail": detail,
        "triggers": triggers,
    }))
}

/// Says after how many milliseconds it answers.
fn start_again(host: &mut Host) -> Result<u64> {
    let started = Instant::now();
    host.start_again_within(START_LIMIT)?;
    Ok(started.elapsed().as_millis() as u64)
}

fn alone(process: u32, mut work: impl FnMut(u64) -> Result<()>) -> Result<Value> {
    let before = machine::cpu_ms(process)?;
    let measured = (0..EACH).map(|turn| timed(|| work(turn))).collect::<Result<Vec<u64>>>()?;
    let cpu_ms = (machine::cpu_ms(process)? - before) as f64;
    Ok(json!({ "latency": spread(measured), "cpu_us_each": (cpu_ms * 1_000.0 / EACH as f64).round() as u64 }))
}
