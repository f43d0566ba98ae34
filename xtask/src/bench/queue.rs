//! What a long queue costs: the same three things, with ever more deployments waiting in one environment.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::load::{self, in_parallel, timed, trigger};
use super::{Bench, machine, spread};
use crate::host::Host;
use crate::http::{Api, Connection};
use crate::json::{number, text};

const PROJECT: &str = "crowd";
const WAITING: [u64; 4] = [0, 1_000, 10_000, 100_000];
/// Of each thing that is measured.
const EACH: u64 = 200;
const AT_A_TIME: u64 = 64;
const PATIENCE: Duration = Duration::from_secs(120);

pub fn measure(bench: &Bench) -> Result<Value> {
    let folder = bench.data()?;
    let mut host = Host::start(&bench.binary, &folder.path().join("data"))?;
    let api = host.admin()?;
    let plugin = load::plugin(&api, &bench.component)?;
    load::project(&api, PROJECT, &plugin, "")?;
    let crowd = Crowd { api, process: host.process_id() };
    // Compiled code, pages and connections are warm after this.
    crowd.door("pause")?;
    crowd.goes_on(EACH)?;
    let rows: Vec<Value> = WAITING.iter().map(|waiting| crowd.row(*waiting)).collect::<Result<_>>()?;
    host.kill()?;
    let started = Instant::now();
    host.start_again()?;
    Ok(json!({ "rows": rows, "start_after_kill_ms": started.elapsed().as_millis() }))
}

struct Crowd {
    api: Api,
    process: u32,
}

impl Crowd {
    fn row(&self, waiting: u64) -> Result<Value> {
        eprintln!("With {waiting} deployments waiting");
        self.fill(waiting / 2)?;
        let middle = self.more()?;
        self.fill(waiting)?;
        Ok(json!({
            "waiting": number(&self.environment()?, "/waiting"),
            "acks": self.acks()?,
            "cancels": self.cancels(&middle)?,
            "explain": self.explain()?,
            "deployments": self.goes_on(EACH)?,
        }))
    }

    fn environment(&self) -> Result<Value> {
        self.api.get(&there(""))
    }

    fn fill(&self, wanted: u64) -> Result<()> {
        let missing = wanted.saturating_sub(number(&self.environment()?, "/waiting"));
        in_parallel(AT_A_TIME as usize, |index| {
            let mut connection = Connection::open(&self.api)?;
            let share = missing / AT_A_TIME + u64::from((index as u64) < missing % AT_A_TIME);
            (0..share).try_for_each(|_| trigger(&mut connection, PROJECT).map(drop))
        })?;
        Ok(())
    }

    fn acks(&self) -> Result<Value> {
        let mut connection = Connection::open(&self.api)?;
        self.alone(|_| trigger(&mut connection, PROJECT).map(drop))
    }

    fn more(&self) -> Result<Vec<u64>> {
        let mut connection = Connection::open(&self.api)?;
        (0..EACH).map(|_| trigger(&mut connection, PROJECT)).collect()
    }

    fn cancels(&self, numbers: &[u64]) -> Result<Value> {
        let mut connection = Connection::open(&self.api)?;
        self.alone(|index| {
            let path = deployment(numbers[index]) + "/cancel";
            let json = [("Content-Type", "application/json")];
            connection.send("POST", &path, &json, br#"{"reason":"bench"}"#)?.accepted(&path).map(drop)
        })
    }

    /// Of the last in the queue.
    fn explain(&self) -> Result<Value> {
        let mut connection = Connection::open(&self.api)?;
        let path = deployment(trigger(&mut connection, PROJECT)?) + "/explain";
        self.alone(|_| connection.send("GET", &path, &[], b"")?.accepted(&path).map(drop))
    }

    fn alone(&self, mut work: impl FnMut(usize) -> Result<()>) -> Result<Value> {
        let cpu_before = machine::cpu_ms(self.process)?;
        let measured = (0..EACH as usize).map(|index| timed(|| work(index))).collect::<Result<Vec<u64>>>()?;
        let cpu_ms = (machine::cpu_ms(self.process)? - cpu_before) as f64;
        Ok(json!({ "latency": spread(measured), "cpu_us_each": (cpu_ms * 1_000.0 / EACH as f64).round() as u64 }))
    }

    /// The environment opens, and the first ones of the queue run, one after the other.
    fn goes_on(&self, count: u64) -> Result<Value> {
        self.fill(count)?;
        let last = number(&self.environment()?, &format!("/queue/{}", count - 1));
        let (cpu_before, started) = (machine::cpu_ms(self.process)?, Instant::now());
        self.door("resume")?;
        let last = deployment(last);
        let ended = self.api.wait(&last, PATIENCE, |seen| !text(seen, "/finished_at").is_empty())?;
        let (seconds, cpu_ms) = (started.elapsed().as_secs_f64(), machine::cpu_ms(self.process)? - cpu_before);
        self.door("pause")?;
        ensure!(text(&ended, "/status") == "SUCCEEDED", "{last}: {ended}");
        Ok(json!({
            "per_second": (count as f64 / seconds * 10.0).round() / 10.0,
            "cpu_ms_each": (cpu_ms as f64 / count as f64 * 100.0).round() / 100.0,
        }))
    }

    fn door(&self, verb: &str) -> Result<()> {
        load::door(&self.api, PROJECT, verb)
    }
}

fn there(rest: &str) -> String {
    format!("/v1/projects/{PROJECT}/environments/there{rest}")
}

fn deployment(number: u64) -> String {
    format!("/v1/projects/{PROJECT}/deployments/{number}")
}
