//! All processes that came of a tool, as the system lists them.
//!
//! The keeper adopts what loses its parent, so a process that makes itself a session of its own is still below it. What
//! asks another service of the machine to start something is not: that is the service's.

use std::fs;
use std::io;

use rustix::process::{Pid, Signal, kill_process};

/// What a tool and its descendants use, those that have ended included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub processes: u64,
    pub memory_bytes: u64,
    pub cpu_ms: u64,
}

/// Linux counts in hundredths of a second for whoever reads `/proc`, on every machine Rust runs on.
const MS_PER_TICK: u64 = 10;

/// Whether this system tells the children of a process.
pub fn is_readable() -> io::Result<()> {
    fs::read("/proc/thread-self/children").map(drop).map_err(|error| {
        io::Error::new(error.kind(), format!("/proc does not list the children of a process, which is needed: {error}"))
    })
}

/// Below `root`, children before their own.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut found = children(root);
    let mut next = 0;
    while let Some(process) = found.get(next) {
        found.extend(children(*process));
        next += 1;
    }
    found
}

fn children(of: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{of}/task")).into_iter().flatten().flatten();
    let listed = threads.map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
    listed.flat_map(|list| list.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>()).collect()
}

/// Of what is below `root`; processes that end meanwhile are counted where their parents have waited for them.
pub fn usage(root: u32) -> Usage {
    let below = descendants(root);
    let cpu_of_those_gone = cpu_ticks(root).map_or(0, |[_, gone]| gone);
    let cpu = below.iter().filter_map(|process| cpu_ticks(*process)).map(|[own, gone]| own + gone).sum::<u64>();
    Usage {
        processes: below.len() as u64,
        memory_bytes: below.iter().map(|process| memory_bytes(*process)).sum(),
        cpu_ms: (cpu + cpu_of_those_gone) * MS_PER_TICK,
    }
}

/// Its own, and of the children it has waited for.
fn cpu_ticks(process: u32) -> Option<[u64; 2]> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, which may have spaces, stands in brackets before them.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    Some([field(14)? + field(15)?, field(16)? + field(17)?])
}

/// What is its own: code and files that others map, too, cost nothing more.
fn memory_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    (kib("RssAnon:").unwrap_or(0) + kib("RssShmem:").unwrap_or(0)) << 10
}

/// One pass: what is started meanwhile needs another.
pub fn kill(root: u32) {
    for process in descendants(root) {
        if let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) {
            // It may be gone already.
            let _ = kill_process(process, Signal::KILL);
        }
    }
}
