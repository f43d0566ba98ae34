//! Log lines: how many a second guests get rid of, and how many a second reach the readers that follow one log.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::load::{self, in_parallel, trigger};
use super::machine::{self, Meter};
use super::{Bench, rounded};
use crate::host::Host;
use crate::http::{Api, Connection};

const LINE_BYTES: usize = 100;
/// Of each guest.
const LINES_IN: u64 = 100_000;
const WRITERS: [usize; 2] = [1, 16];
/// So that every number of readers takes as many lines in all.
const LINES_OUT: u64 = 1_000_000;
const READERS: [u64; 2] = [200, 2_000];

/// Enough for every line: guests are stopped by nothing, and nothing is dropped.
const LIMITS: &str = r#"{ "grants": { "limits": { "cpu_ms": 60000, "log_bytes": 67108864 } }, "reason": "bench" }"#;

pub fn measure(bench: &Bench) -> Result<Value> {
    let folder = bench.data()?;
    let host = Host::start(&bench.binary, &folder.path().join("data"))?;
    let api = host.admin()?;
    let plugin = load::plugin(&api, &bench.component)?;
    api.post(&format!("/v1/plugins/{plugin}/approve"), &serde_json::from_str(LIMITS)?)?;
    for writer in 0..WRITERS[1] {
        project(&api, &format!("writer-{writer}"), &plugin, LINES_IN)?;
    }
    let mut written = Vec::new();
    for writers in WRITERS {
        eprintln!("Logs of {writers} guests");
        written.push(write(&api, &host, writers)?);
    }
    let mut followed = Vec::new();
    for readers in READERS {
        eprintln!("A log with {readers} readers");
        let name = format!("read-by-{readers}");
        project(&api, &name, &plugin, LINES_OUT / readers)?;
        followed.push(follow(&api, host.process_id(), &name, readers)?);
    }
    Ok(json!({ "line_bytes": LINE_BYTES, "written": written, "followed": followed }))
}

/// One whose only phase writes lines.
fn project(api: &Api, name: &str, plugin: &str, lines: u64) -> Result<()> {
    let file = format!(
        "project: {name}\nenvironments:\n  there: {{}}\nworkflows:\n  patch:\n    phases:\n      \
         - {{ name: flood, plugin: {plugin}, config: {{ do: log-flood, times: {lines}, bytes: {LINE_BYTES} }} }}\n"
    );
    let path = format!("/v1/projects/{name}");
    api.upload("PUT", &path, "application/yaml", file.as_bytes())?;
    api.post(&format!("{path}/releases"), &json!({ "tag": "v1" })).map(drop)
}

/// From the trigger until the deployment has ended, and then a reader counts; once for nothing, for the first call is never like the others.
fn write(api: &Api, host: &Host, writers: usize) -> Result<Value> {
    let all = || {
        in_parallel(writers, |writer| {
            let project = format!("writer-{writer}");
            let number = trigger(&mut Connection::open(api)?, &project)?;
            load::ended(api, &project, number)?;
            Ok((project, number))
        })
    };
    all()?;
    let process = [host.process_id()];
    let meter = Meter::start(&process, &host.data)?;
    let logs = all()?;
    let used = meter.stop()?;
    for (project, number) in logs {
        let read = Reader::open(api, &log(&project, number))?.read_all()?;
        ensure!(read == LINES_IN, "{project}: {read} lines of {LINES_IN} are in its log");
    }
    let lines = (writers as u64 * LINES_IN) as f64;
    Ok(json!({
        "writers": writers,
        "lines_per_second": (lines / used.seconds).round(),
        "cpu_us_each": rounded(used.cpu_ms * 1_000.0 / lines, 2),
        "written_bytes_each": used.written_bytes.map(|bytes| (bytes as f64 / lines).round()),
    }))
}

/// Every reader is there before the first line is written, and is done with the last.
fn follow(api: &Api, process: u32, project: &str, readers: u64) -> Result<Value> {
    let door = |verb: &str, body| api.post(&format!("/v1/projects/{project}/environments/there/{verb}"), &body);
    door("pause", json!({ "reason": "bench" }))?;
    let number = trigger(&mut Connection::open(api)?, project)?;
    let (log, alone) = (log(project, number), machine::resident_bytes(process)?);
    let waiting: Vec<Reader> = (0..readers).map(|_| Reader::open(api, &log)).collect::<Result<_>>()?;
    let (with_readers, watching) = (machine::resident_bytes(process)?, AtomicBool::new(true));
    let (cpu_before, own_before) = (machine::cpu_ms(process)?, machine::cpu_ms(std::process::id())?);
    let started = Instant::now();
    let (read, peak) = thread::scope(|scope| {
        let peak = scope.spawn(|| machine::peak_resident_bytes(process, &watching));
        let reading: Vec<_> = waiting.into_iter().map(|reader| scope.spawn(|| reader.read_all())).collect();
        let opened = door("resume", json!({}));
        let read = reading.into_iter().map(|reader| reader.join().expect("readers answer with errors")).collect();
        watching.store(false, Ordering::Relaxed);
        let read: Result<Vec<u64>> = opened.and(read);
        (read, peak.join().expect("watching memory answers with errors"))
    });
    let (read, peak, seconds) = (read?, peak?, started.elapsed().as_secs_f64());
    let (cpu, own) = (machine::cpu_ms(process)? - cpu_before, machine::cpu_ms(std::process::id())? - own_before);
    let lines = LINES_OUT / readers;
    let short = read.iter().filter(|read| **read != lines).count();
    ensure!(short == 0, "{project}: {short} of {readers} readers have not got the {lines} lines that were written");
    Ok(json!({
        "readers": readers,
        "lines": lines,
        "lines_per_second": (LINES_OUT as f64 / seconds).round(),
        "seconds": rounded(seconds, 2),
        "cpu_us_each": rounded(cpu as f64 * 1_000.0 / LINES_OUT as f64, 2),
        "load_cores": rounded(own as f64 / 1_000.0 / seconds, 2),
        "resident_bytes_each": with_readers.saturating_sub(alone) / readers,
        "resident_peak_bytes_each": peak.saturating_sub(alone) / readers,
    }))
}

fn log(project: &str, number: u64) -> String {
    format!("/v1/projects/{project}/deployments/{number}/phases/flood/logs/stream")
}

struct Reader(Connection);

impl Reader {
    fn open(api: &Api, log: &str) -> Result<Self> {
        let mut connection = Connection::open(api)?;
        connection.listen(log)?;
        Ok(Self(connection))
    }

    /// To the end; says how many lines the guest wrote. Its host adds none to this log.
    fn read_all(mut self) -> Result<u64> {
        let (mut lines, mut part) = (0, Vec::new());
        while self.0.chunk(&mut part)? {
            lines += part.split(|byte| *byte == b'\n').filter(|line| *line == b"event: log").count() as u64;
            part.clear();
        }
        Ok(lines)
    }
}
