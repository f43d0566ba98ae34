//! What the numbers were measured on, and what processes use of it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::rounded;

/// `folder` is where the measured hosts write.
pub fn facts(profile: &str, folder: &Path) -> Result<Value> {
    let after = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_once(':').map_or("unknown", |(_, value)| value).trim().to_owned()
    };
    let (memory, config) = (read("/proc/meminfo"), kernel_config());
    Ok(json!({
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "ticks_per_second": setting(&config, "CONFIG_HZ="),
        "preemption": preemption(&config),
        "processor": after(&read("/proc/cpuinfo"), "model name"),
        "cores": std::thread::available_parallelism()?.get(),
        "memory": after(&memory, "MemTotal"),
        "memory_free_before": after(&memory, "MemAvailable"),
        "file_system": file_system(&read("/proc/self/mountinfo"), &folder.canonicalize()?),
        "load_before": load(),
        "profile": profile,
    }))
}

/// Of the last 1, 5 and 15 minutes.
pub fn load() -> String {
    read("/proc/loadavg").trim().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// Empty where the kernel does not tell.
fn kernel_config() -> String {
    let mut config = String::new();
    let packed = fs::File::open("/proc/config.gz").map(|file| GzDecoder::new(file).read_to_string(&mut config));
    match packed {
        Ok(Ok(_)) => config,
        _ => read(&format!("/boot/config-{}", read("/proc/sys/kernel/osrelease").trim())),
    }
}

fn setting(config: &str, key: &str) -> String {
    config.lines().find_map(|line| line.strip_prefix(key)).unwrap_or("unknown").to_owned()
}

/// What the kernel does now, where it can be changed and only root may look; else what it was built for.
fn preemption(config: &str) -> String {
    let now = read("/sys/kernel/debug/sched/preempt");
    if let Some((_, mode)) = now.split_once('(') {
        return mode.split(')').next().unwrap_or_default().to_owned();
    }
    let built_for = |mode: &&str| setting(config, &format!("CONFIG_PREEMPT_{}=", mode.to_uppercase())) == "y";
    ["none", "voluntary", "lazy", "rt"].into_iter().find(built_for).unwrap_or("unknown").to_owned()
}

/// Type, device and options of the mount that a folder is in.
fn file_system(mounts: &str, folder: &Path) -> String {
    let mount = |line: &str| {
        let (place, kind) = line.split_once(" - ")?;
        let point = place.split(' ').nth(4)?.to_owned();
        let mut kind = kind.split(' ');
        folder.starts_with(&point).then_some((point.len(), format!("{} on {}", kind.next()?, kind.next()?)))
    };
    // Of equal ones the last covers the others.
    mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length).map_or("unknown".to_owned(), |(_, kind)| kind)
}

/// Counts what processes use, and what goes to the disk under a folder, until it is stopped.
pub struct Meter<'a> {
    processes: &'a [u32],
    folder: &'a Path,
    written_before: Option<u64>,
    cpu_ms_before: u64,
    threads_before: Threads,
    started: Instant,
}

pub struct Usage {
    pub seconds: f64,
    pub cpu_ms: f64,
    /// By everyone on this machine, the file system's own journal with it; where the disk can be found.
    pub written_bytes: Option<u64>,
    /// Of the first process.
    pub threads: Threads,
}

/// By their name: what the threads of a process have used so far.
type Threads = BTreeMap<String, Thread>;

#[derive(Default, Clone, Copy)]
pub struct Thread {
    on_cpu_ns: u64,
    /// Ready, while others had the processor.
    ready_ns: u64,
    /// How often it slept until somebody or something woke it.
    wakes: u64,
}

impl<'a> Meter<'a> {
    pub fn start(processes: &'a [u32], folder: &'a Path) -> Result<Self> {
        let (written_before, cpu_ms_before) = (written_bytes(folder)?, all_cpu_ms(processes)?);
        let threads_before = threads(processes[0])?;
        Ok(Self { processes, folder, written_before, cpu_ms_before, threads_before, started: Instant::now() })
    }

    pub fn stop(self) -> Result<Usage> {
        let (seconds, cpu_ms) =
            (self.started.elapsed().as_secs_f64(), all_cpu_ms(self.processes)? - self.cpu_ms_before);
        let mut threads = threads(self.processes[0])?;
        for (name, used) in &mut threads {
            let before = self.threads_before.get(name).copied().unwrap_or_default();
            // One that has ended took its share along.
            used.on_cpu_ns = used.on_cpu_ns.saturating_sub(before.on_cpu_ns);
            used.ready_ns = used.ready_ns.saturating_sub(before.ready_ns);
            used.wakes = used.wakes.saturating_sub(before.wakes);
        }
        let written = written_bytes(self.folder)?.zip(self.written_before);
        let written_bytes = written.map(|(after, before)| after - before);
        Ok(Usage { seconds, cpu_ms: cpu_ms as f64, written_bytes, threads })
    }
}

impl Usage {
    /// Of so many that were done meanwhile.
    pub fn each(&self, count: usize) -> Value {
        let count = count as f64;
        json!({
            "count": count,
            "per_second": rounded(count / self.seconds, 1),
            "cpu_ms_each": rounded(self.cpu_ms / count, 2),
            "cores_busy": rounded(self.cpu_ms / 1_000.0 / self.seconds, 2),
            "written_bytes_each": self.written_bytes.map(|bytes| (bytes as f64 / count).round()),
            "threads": self.threads_each(count),
        })
    }

    /// Those that did most come first; those that did nothing are left out.
    fn threads_each(&self, count: f64) -> Vec<Value> {
        let mut threads: Vec<_> = self.threads.iter().filter(|(_, used)| used.on_cpu_ns > 0).collect();
        threads.sort_by_key(|(_, used)| Reverse(used.on_cpu_ns));
        let us_each = |ns: u64| rounded(ns as f64 / 1_000.0 / count, 1);
        let of = |(name, used): (&String, &Thread)| {
            json!({
                "name": name,
                "on_cpu_us_each": us_each(used.on_cpu_ns),
                "ready_us_each": us_each(used.ready_ns),
                "wakes_each": rounded(used.wakes as f64 / count, 1),
            })
        };
        threads.into_iter().map(of).collect()
    }
}

/// As the kernel counts them, to the nanosecond.
fn threads(process: u32) -> Result<Threads> {
    let mut threads = Threads::new();
    for entry in fs::read_dir(format!("/proc/{process}/task"))? {
        let folder = entry?.path();
        let file = |name: &str| read(&folder.join(name).to_string_lossy());
        let schedstat = file("schedstat");
        let mut times = schedstat.split_whitespace().map_while(|number| number.parse::<u64>().ok());
        // It may have ended since it was listed.
        let (Some(on_cpu_ns), Some(ready_ns)) = (times.next(), times.next()) else { continue };
        let status = file("status");
        let wakes = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        let used = threads.entry(file("comm").trim().to_owned()).or_default();
        used.on_cpu_ns += on_cpu_ns;
        used.ready_ns += ready_ns;
        used.wakes += wakes.and_then(|wakes| wakes.trim().parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(threads)
}

/// By the disk's own count: `write_bytes` of a process counts a whole page of the cache for one byte in it, and pages are
/// large. What only the cache has yet is written first, or it would count for whoever comes next.
fn written_bytes(folder: &Path) -> Result<Option<u64>> {
    let device = fs::metadata(folder)?.dev();
    let (major, minor) = ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
    let disk = format!("/sys/dev/block/{major}:{minor}/stat");
    Command::new("sync").arg("-f").arg(folder).status().context("`sync` does not start")?;
    let sectors = read(&disk).split_whitespace().nth(6).and_then(|sectors| sectors.parse::<u64>().ok());
    Ok(sectors.map(|sectors| sectors * 512))
}

fn all_cpu_ms(processes: &[u32]) -> Result<u64> {
    processes.iter().map(|process| cpu_ms(*process)).sum()
}

/// CPU time of a process so far, user and system.
pub fn cpu_ms(process: u32) -> Result<u64> {
    let stat = of_process(process, "stat")?;
    // The name, in parentheses, may hold anything; what follows starts with the state, field 3.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or_default();
    Ok((ticks(14) + ticks(15)) * MS_PER_TICK)
}

/// Memory that a process holds now.
pub fn resident_bytes(process: u32) -> Result<u64> {
    let status = of_process(process, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS of what is measured")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().with_context(|| line.to_owned())?;
    Ok(kib << 10)
}

fn of_process(process: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{process}/{file}");
    fs::read_to_string(&path).with_context(|| format!("{path}: what is measured is gone; see its log"))
}

/// The most that a process holds while it is watched.
pub fn peak_resident_bytes(process: u32, watching: &AtomicBool) -> Result<u64> {
    let mut peak = 0;
    while watching.load(Ordering::Relaxed) {
        peak = peak.max(resident_bytes(process)?);
        thread::sleep(Duration::from_millis(20));
    }
    Ok(peak)
}

/// All files in a folder, as large as they are on the disk.
pub fn bytes_on_disk(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        // A file may go while this counts.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        bytes += if metadata.is_dir() { bytes_on_disk(&path)? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

/// The same for each folder in a folder.
pub fn folders_on_disk(folder: &Path) -> Result<Value> {
    let mut folders = json!({});
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders[entry.file_name().to_string_lossy().as_ref()] = json!(bytes_on_disk(&entry.path())?);
        }
    }
    Ok(folders)
}

/// Linux counts a hundred ticks a second towards user space, everywhere.
const MS_PER_TICK: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_in_the_innermost_mount_around_it() {
        let mounts = "2 1 8:2 / /work rw,noatime shared:1 - xfs /dev/vdb rw\n\
            3 1 0:9 / /workshop rw - tmpfs tmpfs rw\n\
            1 0 8:1 / / rw - ext4 /dev/vda rw\n";
        assert_eq!(file_system(mounts, Path::new("/work/target/bench")), "xfs on /dev/vdb");
        assert_eq!(file_system(mounts, Path::new("/home")), "ext4 on /dev/vda");
        assert_eq!(file_system("", Path::new("/home")), "unknown");
    }

    #[test]
    fn what_was_used_is_shared_by_what_was_done() {
        let thread = |on_cpu_ns, wakes| Thread { on_cpu_ns, ready_ns: 5_000, wakes };
        let threads = [("idle", thread(0, 0)), ("one", thread(10_000, 20)), ("two", thread(90_000, 5))];
        let threads = threads.map(|(name, used)| (name.to_owned(), used)).into();
        let used = Usage { seconds: 2.0, cpu_ms: 1_000.0, written_bytes: Some(4_096), threads };
        let each = used.each(10);
        let two = json!({ "name": "two", "on_cpu_us_each": 9.0, "ready_us_each": 0.5, "wakes_each": 0.5 });
        assert_eq!((&each["threads"][0], &each["threads"][2]), (&two, &Value::Null));
        assert_eq!((&each["per_second"], &each["cpu_ms_each"]), (&json!(5.0), &json!(100.0)));
        assert_eq!((&each["cores_busy"], &each["written_bytes_each"]), (&json!(0.5), &json!(410.0)));
    }
}
