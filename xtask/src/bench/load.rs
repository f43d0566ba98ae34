//! Puts load on a host: triggers that only wait, and deployments that run.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{machine, spread};
use crate::host::Host;
use crate::http::{Api, Connection};
use crate::json::{number, text};

const PROJECTS: usize = 64;
const TRIGGERS: usize = 4_000;
/// In all, whatever the concurrency.
const DEPLOYMENTS: usize = 256;
const PHASES: usize = 5;
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Load {
    api: Api,
    process: u32,
}

impl Load {
    /// One project whose deployments all wait for a person, and many whose deployments run.
    pub fn prepare(host: &Host, component: &Path) -> Result<Self> {
        let api = host.admin()?;
        let name = plugin(&api, component)?;
        project(&api, "waiting", &name, "approvals: { rules: [{ count: 1, groups: [nobody] }] }")?;
        // Holds the slot, so that all that is measured waits behind it.
        trigger(&mut Connection::open(&api)?, "waiting")?;
        for index in 0..PROJECTS {
            project(&api, &running(index), &name, "")?;
        }
        let load = Self { api, process: host.process_id() };
        // Compiled code, pages and connections are warm after this.
        load.run(1, 4)?;
        Ok(load)
    }

    /// From sending a trigger to its acknowledgement, which is on disk by then.
    pub fn acks(&self, concurrency: usize) -> Result<Value> {
        let (each, cpu_before, started) = (TRIGGERS / concurrency, machine::cpu_ms(self.process)?, Instant::now());
        let measured = in_parallel(concurrency, |_| {
            let mut connection = Connection::open(&self.api)?;
            (0..each).map(|_| timed(|| trigger(&mut connection, "waiting"))).collect::<Result<Vec<u64>>>()
        })?;
        let (seconds, count) = (started.elapsed().as_secs_f64(), (each * concurrency) as f64);
        Ok(json!({
            "concurrency": concurrency,
            "latency": spread(measured.concat()),
            "per_second": (count / seconds).round(),
            "cpu_us_each": ((machine::cpu_ms(self.process)? - cpu_before) as f64 * 1_000.0 / count).round(),
        }))
    }

    pub fn deployments(&self, concurrency: usize) -> Result<Value> {
        let each = DEPLOYMENTS / concurrency;
        let (cpu_before, started) = (machine::cpu_ms(self.process)?, Instant::now());
        self.run(concurrency, each)?;
        let (seconds, count) = (started.elapsed().as_secs_f64(), (each * concurrency) as f64);
        let cpu_ms = (machine::cpu_ms(self.process)? - cpu_before) as f64;
        Ok(json!({
            "concurrency": concurrency,
            "count": count,
            "phases": PHASES,
            "per_second": (count / seconds * 10.0).round() / 10.0,
            "instances_per_second": (count * PHASES as f64 / seconds).round(),
            "cpu_ms_each": (cpu_ms / count * 100.0).round() / 100.0,
            "cores_busy": (cpu_ms / 1_000.0 / seconds * 100.0).round() / 100.0,
        }))
    }

    /// As many projects side by side; in each, so many deployments one after the other.
    fn run(&self, projects: usize, each: usize) -> Result<()> {
        in_parallel(projects, |index| {
            let project = running(index);
            let mut connection = Connection::open(&self.api)?;
            let mut last = 0;
            for _ in 0..each {
                last = trigger(&mut connection, &project)?;
            }
            let path = format!("/v1/projects/{project}/deployments/{last}");
            let ended = self.api.wait(&path, PATIENCE, |seen| !text(seen, "/finished_at").is_empty())?;
            ensure!(text(&ended, "/status") == "SUCCEEDED", "{path}: {ended}");
            Ok(())
        })?;
        Ok(())
    }
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

/// Says which deployment it is.
pub fn trigger(connection: &mut Connection, project: &str) -> Result<u64> {
    let path = format!("/v1/projects/{project}/environments/there/deployments");
    let json = [("Content-Type", "application/json")];
    let answer = connection.send("POST", &path, &json, br#"{"release":"v1"}"#)?.accepted("a trigger")?;
    Ok(number(&answer, "/number"))
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
