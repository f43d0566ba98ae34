//! What a long history costs: many projects, ever more finished deployments in them, at last also many that wait; before
//! each row the host is stopped, killed, and started again after both.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::load::{self, in_parallel, run_queued, timed, trigger};
use super::{Bench, machine, rounded, spread};
use crate::host::Host;
use crate::http::{Api, Connection};
use crate::json::{number, text};

pub const PROJECTS: u64 = 1_000;
const AT_A_TIME: usize = 64;
/// Of each project, at the end.
const WAITING: u64 = 100;
/// Of each project, while the history grows: over soon, for who waits for the last of it would think the host stuck.
const PORTION: usize = 100;
/// Of each thing that is measured.
const EACH: u64 = 500;
const START_LIMIT: Duration = Duration::from_secs(3_600);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The history is made as every history is, by running deployments: a host takes none that it has not written.
pub fn measure(bench: &Bench) -> Result<Value> {
    let gone_afterwards = bench.data()?;
    let folder = bench.history.as_deref().unwrap_or(gone_afterwards.path());
    let (mut host, api) = begin(bench, folder)?;
    let most = AtomicU64::new(0);
    side_by_side(|project| {
        most.fetch_max(settled(&api, &named(project))?, Ordering::Relaxed);
        Ok(())
    })?;
    let (mut each, mut rows) = (0, Vec::new());
    for wanted in sizes(bench.finished / PROJECTS, most.into_inner()) {
        let (started, ran) = (Instant::now(), AtomicU64::new(0));
        eprintln!("Running deployments until there are {}", wanted * PROJECTS);
        side_by_side(|project| {
            ran.fetch_add(grow(&api, &named(project), wanted)?, Ordering::Relaxed);
            Ok(())
        })?;
        let made_per_second = rounded(ran.into_inner() as f64 / started.elapsed().as_secs_f64(), 1);
        let mut row = row(&mut host, &api, wanted, 0)?;
        row["made_per_second"] = json!(made_per_second);
        rows.push(row);
        each = wanted;
    }
    eprintln!("With {} deployments waiting", WAITING * PROJECTS);
    side_by_side(|project| wait_in_line(&api, &named(project)))?;
    rows.push(row(&mut host, &api, each, WAITING)?);
    Ok(json!({ "projects": PROJECTS, "rows": rows }))
}

/// Goes on with what is there, if all its projects are.
fn begin(bench: &Bench, folder: &Path) -> Result<(Host, Api)> {
    std::fs::create_dir_all(folder)?;
    let (data, begun) = (folder.join("data"), folder.join("begun"));
    ensure!(begun.exists() == data.exists(), "{} is not whole: remove it", folder.display());
    let host = Host::start_within(&bench.binary, &data, START_LIMIT)?;
    let api = host.admin()?;
    if !begun.exists() {
        eprintln!("Making {PROJECTS} projects");
        let plugin = load::plugin(&api, &bench.component)?;
        load::waiting_project(&api, &plugin)?;
        side_by_side(|project| load::project(&api, &named(project), &plugin, ""))?;
        std::fs::write(&begun, "")?;
    }
    Ok((host, api))
}

/// How many a project has, once none of them waits any more: a run before may have left its queue.
fn settled(api: &Api, project: &str) -> Result<u64> {
    let there = api.get(&format!("/v1/projects/{project}/environments/there"))?;
    if !there["paused"].is_null() {
        load::door(api, project, "resume")?;
    }
    let newest = newest(api, project)?;
    if newest > 0 {
        load::ended(api, project, newest)?;
    }
    Ok(newest)
}

/// Of each project, rising: nothing, a tenth, and all that is wanted, or what is there.
fn sizes(wanted: u64, there: u64) -> Vec<u64> {
    let mut sizes: Vec<u64> = [0, wanted / 10, wanted].into_iter().filter(|each| *each >= there).collect();
    if sizes.is_empty() {
        sizes.push(there);
    }
    sizes.dedup();
    sizes
}

/// Until there are that many; says how many it ran.
fn grow(api: &Api, project: &str, wanted: u64) -> Result<u64> {
    let missing = wanted.saturating_sub(newest(api, project)?);
    (0..missing as usize)
        .step_by(PORTION)
        .try_for_each(|done| run_queued(api, project, PORTION.min(missing as usize - done)))?;
    Ok(missing)
}

fn wait_in_line(api: &Api, project: &str) -> Result<()> {
    load::door(api, project, "pause")?;
    let mut connection = Connection::open(api)?;
    (0..WAITING).try_for_each(|_| trigger(&mut connection, project).map(drop))
}

/// Zero before there is one.
fn newest(api: &Api, project: &str) -> Result<u64> {
    let list = api.get(&format!("/v1/projects/{project}/deployments?limit=1"))?;
    Ok(number(&list, "/items/0/number"))
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

fn row(host: &mut Host, api: &Api, each: u64, waiting: u64) -> Result<Value> {
    let resident_grown = machine::resident_bytes(host.process_id())?;
    eprintln!("Starting with {} finished deployments", each * PROJECTS);
    host.stop()?;
    let after_stop_ms = start_again(host)?;
    host.kill()?;
    let after_kill_ms = start_again(host)?;
    let process = host.process_id();
    let resident_started = machine::resident_bytes(process)?;
    // Spread over projects and history, each time in another place.
    let project = |turn: u64| named(turn * 617 % PROJECTS);
    let lists = |first: u64| {
        let mut connection = Connection::open(api)?;
        alone(process, |turn| {
            let path = format!("/v1/projects/{}/deployments", project(first + turn));
            connection.send("GET", &path, &[], b"")?.accepted(&path).map(drop)
        })
    };
    let list_at_once = lists(0)?;
    wait_until_checked(api)?;
    let list = lists(EACH)?;
    let mut connection = Connection::open(api)?;
    let detail = alone(process, |turn| {
        // Before there is any history: that there is no such deployment is found no faster.
        let path = format!("/v1/projects/{}/deployments/{}", project(turn), 1 + turn * 7_919 % each.max(1));
        let answer = connection.send("GET", &path, &[], b"")?;
        if each == 0 { Ok(()) } else { answer.accepted(&path).map(drop) }
    })?;
    let triggers = alone(process, |_| trigger(&mut connection, "waiting").map(drop))?;
    Ok(json!({
        "finished": each * PROJECTS,
        "waiting": waiting * PROJECTS,
        "start_after_stop_ms": after_stop_ms,
        "start_after_kill_ms": after_kill_ms,
        "resident_before_stop_bytes": resident_grown,
        "resident_after_start_bytes": resident_started,
        "disk_bytes": machine::bytes_on_disk(&host.data)?,
        "disk_bytes_of": machine::folders_on_disk(&host.data)?,
        "list_at_once": list_at_once,
        "list": list,
        "detail": detail,
        "triggers": triggers,
    }))
}

/// What a start leaves out is read behind it, on the same processor.
fn wait_until_checked(api: &Api) -> Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        let storage = api.get("/v1/storage")?;
        let status = ["/journal/status", "/index/status"].map(|part| text(&storage, part));
        if status == ["whole"; 2] {
            return Ok(());
        }
        ensure!(!status.contains(&"damaged") && Instant::now() < deadline, "the data folder is not whole: {storage}");
        thread::sleep(BETWEEN_LOOKS);
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_made_again() {
        assert_eq!(sizes(100, 0), [0, 10, 100]);
        assert_eq!(sizes(100, 11), [100]);
        assert_eq!(sizes(100, 100), [100]);
        assert_eq!(sizes(100, 140), [140]);
        assert_eq!(sizes(1, 0), [0, 1]);
    }
}
