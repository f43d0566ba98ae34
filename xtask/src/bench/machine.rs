//! What the numbers were measured on.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

pub fn facts(profile: &str) -> Result<Value> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_once(':').map_or("unknown", |(_, value)| value).trim().to_owned()
    };
    Ok(json!({
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "processor": after(&read("/proc/cpuinfo"), "model name"),
        "cores": std::thread::available_parallelism()?.get(),
        "memory": after(&read("/proc/meminfo"), "MemTotal"),
        "load_before": read("/proc/loadavg").trim(),
        "profile": profile,
    }))
}

/// CPU time of a process so far, user and system.
pub fn cpu_ms(process: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).context("the host is gone; see its log")?;
    // The name, in parentheses, may hold anything; what follows starts with the state, field 3.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or_default();
    Ok((ticks(14) + ticks(15)) * MS_PER_TICK)
}

/// Memory that a process holds now.
pub fn resident_bytes(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).context("the host is gone; see its log")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS of the host")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().with_context(|| line.to_owned())?;
    Ok(kib << 10)
}

/// Linux counts a hundred ticks a second towards user space, everywhere.
const MS_PER_TICK: u64 = 10;
