//! Puts load on a host: triggers that only wait, and deployments that run.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::machine::Meter;
use super::open_loop::Rate;
use super::{Bench, closed_loop, spread};
use crate::host::Host;
use crate::http::{Api, Connection, Response};
use crate::json::{list, number, text};

const PROJECTS: usize = 64;
const TRIGGERS: usize = 4_000;
const RATES: [u64; 2] = [1_000, 5_000];
const RATE_SECONDS: u64 = 10;
const RATE_CONNECTIONS: usize = 128;
/// How many side by side, and how many of them in all: some seconds.
const SIDE_BY_SIDE: [(usize, usize); 3] = [(1, 2_048), (16, 8_192), (64, 8_192)];
const ALONE: Duration = Duration::from_secs(5);
const PHASES: usize = 5;
const PATIENCE: Duration = Duration::from_secs(300);

/// At a time, then at fixed rates.
pub fn acks(bench: &Bench) -> Result<Value> {
    let folder = bench.data()?;
    let host = Host::start(&bench.binary, &folder.path().join("data"))?;
    let load = Load::prepare(&host, &bench.component)?;
    let mut at_a_time = Vec::new();
    for concurrency in [1, 64] {
        eprintln!("Triggers, {concurrency} at a time");
        at_a_time.push(load.acks(concurrency)?);
    }
    let mut at_a_rate = Vec::new();
    for per_second in RATES {
        eprintln!("Triggers, {per_second} a second");
        at_a_rate.push(load.acks_at(per_second)?);
    }
    Ok(json!({ "at_a_time": at_a_time, "at_a_rate": at_a_rate }))
}

pub fn deployments(bench: &Bench) -> Result<Value> {
    let folder = bench.data()?;
    let host = Host::start(&bench.binary, &folder.path().join("data"))?;
    let load = Load::prepare(&host, &bench.component)?;
    eprintln!("Deployments of five phases, each alone");
    let alone = load.one_after_the_other(1, ALONE)?;
    let by_its_record = load.times_taken("running-0")?;
    let mut side_by_side = Vec::new();
    for (concurrency, count) in SIDE_BY_SIDE {
        eprintln!("Deployments of five phases, {concurrency} at a time");
        side_by_side.push(load.deployments(concurrency, count)?);
    }
    Ok(json!({ "alone": alone, "by_its_record": by_its_record, "side_by_side": side_by_side }))
}

pub struct Load {
    api: Api,
    process: [u32; 1],
    data: PathBuf,
}

impl Load {
    /// One project whose deployments all wait for a person, and many whose deployments run.
    pub fn prepare(host: &Host, component: &Path) -> Result<Self> {
        let api = host.admin()?;
        let name = plugin(&api, component)?;
        waiting_project(&api, &name)?;
        for index in 0..PROJECTS {
            project(&api, &running(index), &name, "")?;
        }
        let load = Self { api, process: [host.process_id()], data: host.data.clone() };
        // Compiled code, pages and connections are warm after this.
        load.run(1, 4)?;
        Ok(load)
    }

    /// From sending a trigger to its acknowledgement, which is on disk by then.
    fn acks(&self, concurrency: usize) -> Result<Value> {
        let (each, meter) = (TRIGGERS / concurrency, self.meter()?);
        let measured = in_parallel(concurrency, |_| {
            let mut connection = Connection::open(&self.api)?;
            (0..each).map(|_| timed(|| trigger(&mut connection, "waiting"))).collect::<Result<Vec<u64>>>()
        })?;
        let (used, count) = (meter.stop()?, (each * concurrency) as f64);
        Ok(json!({
            "concurrency": concurrency,
            "latency": spread(measured.concat()),
            "per_second": (count / used.seconds).round(),
            "cpu_us_each": (used.cpu_ms * 1_000.0 / count).round(),
        }))
    }

    /// All in one project: nothing is gained from others beside it.
    fn acks_at(&self, per_second: u64) -> Result<Value> {
        let rate = Rate { per_second, seconds: RATE_SECONDS, connections: RATE_CONNECTIONS };
        let meter = self.meter()?;
        let mut measured = rate.send(&self.api, |connection, _| Ok(send_trigger(connection, "waiting")?.status))?;
        measured["cpu_us_each"] = json!((meter.stop()?.cpu_ms * 1_000.0 / (per_second * RATE_SECONDS) as f64).round());
        Ok(measured)
    }

    /// Each lane has a project of its own, triggers, and asks for the deployment when it has ended.
    pub fn one_after_the_other(&self, lanes: usize, time: Duration) -> Result<Value> {
        let open = |lane| Ok((running(lane), Connection::open(&self.api)?));
        closed_loop::run((lanes, time), (&self.process, &self.data), open, |(project, connection)| {
            let path = format!("/v1/projects/{project}/deployments/{}", trigger(connection, project)?);
            let ended = connection.send("GET", &format!("{path}?wait=25"), &[], b"")?.accepted(&path)?;
            ensure!(text(&ended, "/status") == "SUCCEEDED", "{path}: {ended}");
            Ok(())
        })
    }

    /// From being queued to the end, as the host noted it: without the way of the news to whoever waits for it.
    fn times_taken(&self, project: &str) -> Result<Value> {
        let newest = self.api.get(&format!("/v1/projects/{project}/deployments?limit=200"))?;
        Ok(spread(list(&newest, "/items").iter().map(|it| number(it, "/time_taken_ms") * 1_000).collect()))
    }

    /// As many as the host can: each project's wait in its queue, so that no load stands between one and the next.
    fn deployments(&self, concurrency: usize, count: usize) -> Result<Value> {
        let (each, meter) = (count / concurrency, self.meter()?);
        self.run(concurrency, each)?;
        let used = meter.stop()?;
        let mut measured = used.each(count);
        measured["concurrency"] = json!(concurrency);
        measured["phases"] = json!(PHASES);
        measured["instances_per_second"] = json!(((count * PHASES) as f64 / used.seconds).round());
        Ok(measured)
    }

    /// As many projects side by side; in each, so many deployments one after the other.
    fn run(&self, projects: usize, each: usize) -> Result<()> {
        in_parallel(projects, |index| run_queued(&self.api, &running(index), each))?;
        Ok(())
    }

    fn meter(&self) -> Result<Meter<'_>> {
        Meter::start(&self.process, &self.data)
    }
}

/// Triggers them all, and waits until the last has ended.
pub fn run_queued(api: &Api, project: &str, count: usize) -> Result<()> {
    let (mut connection, mut last) = (Connection::open(api)?, 0);
    for _ in 0..count {
        last = trigger(&mut connection, project)?;
    }
    ended(api, project, last)
}

pub fn ended(api: &Api, project: &str, number: u64) -> Result<()> {
    let path = format!("/v1/projects/{project}/deployments/{number}");
    let ended = api.wait(&path, PATIENCE, |seen| !text(seen, "/finished_at").is_empty())?;
    ensure!(text(&ended, "/status") == "SUCCEEDED", "{path}: {ended}");
    Ok(())
}

/// `waiting`, whose deployments all wait for a person.
pub fn waiting_project(api: &Api, plugin: &str) -> Result<()> {
    project(api, "waiting", plugin, "approvals: { rules: [{ count: 1, groups: [nobody] }] }")?;
    // Holds the slot, so that all that is measured waits behind it.
    trigger(&mut Connection::open(api)?, "waiting")?;
    Ok(())
}

/// Says under which name it was approved.
pub fn plugin(api: &Api, component: &Path) -> Result<String> {
    let bytes = std::fs::read(component).with_context(|| component.display().to_string())?;
    let plugin = api.upload("POST", "/v1/plugins", "application/wasm", &bytes)?;
    let name = text(&plugin, "/name").to_owned();
    api.post(&format!("/v1/plugins/{name}/approve"), &json!({ "grants": {}, "reason": "bench" }))?;
    Ok(name)
}

fn running(index: usize) -> String {
    format!("running-{index}")
}

pub fn project(api: &Api, name: &str, plugin: &str, approvals: &str) -> Result<()> {
    let mut file =
        format!("project: {name}\nenvironments:\n  there: {{ {approvals} }}\nworkflows:\n  patch:\n    phases:\n");
    for phase in 1..=PHASES {
        file += &format!("      - {{ name: phase-{phase}, plugin: {plugin}, config: {{ do: done }} }}\n");
    }
    let path = format!("/v1/projects/{name}");
    api.upload("PUT", &path, "application/yaml", file.as_bytes())?;
    api.post(&format!("{path}/releases"), &json!({ "tag": "v1" }))?;
    Ok(())
}

/// Of a project's environment: `pause` or `resume`.
pub fn door(api: &Api, project: &str, verb: &str) -> Result<()> {
    let body = if verb == "pause" { json!({ "reason": "bench" }) } else { json!({}) };
    api.post(&format!("/v1/projects/{project}/environments/there/{verb}"), &body).map(drop)
}

/// Says which deployment it is.
pub fn trigger(connection: &mut Connection, project: &str) -> Result<u64> {
    Ok(number(&send_trigger(connection, project)?.accepted("a trigger")?, "/number"))
}

pub fn send_trigger(connection: &mut Connection, project: &str) -> Result<Response> {
    let path = format!("/v1/projects/{project}/environments/there/deployments");
    connection.send("POST", &path, &[("Content-Type", "application/json")], br#"{"release":"v1"}"#)
}

pub fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<u64> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed().as_micros() as u64)
}

pub fn in_parallel<T: Send>(threads: usize, work: impl Fn(usize) -> Result<T> + Sync) -> Result<Vec<T>> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads).map(|index| scope.spawn(move || work(index))).collect();
        running.into_iter().map(|thread| thread.join().expect("load threads answer with errors")).collect()
    })
}
