//! How long a large index takes to open, and what it takes of disk and memory. By hand:
//!
//! ```text
//! cargo run -p lockgate-store --example large_index -- fill DIR
//! cargo run -p lockgate-store --example large_index -- open DIR
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lockgate_store::{Entry, IndexBatch, IndexCheck, SnapshotChange, Store, StoreOptions};

const STREAMS: u64 = 1000;
const ROWS_OF_EACH: u64 = 2000;
const FINISHED: &str = "finished";
const IN_MEMORY: &str = "in_memory";
const READS: usize = 2000;
const WRITES: usize = 2000;
const LONG: Duration = Duration::from_millis(40);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fill", dir] => fill(Path::new(dir)).await,
        ["open", dir] => open(Path::new(dir)).await,
        _ => Err("say `fill DIR` or `open DIR`".into()),
    }
}

fn options() -> StoreOptions {
    StoreOptions { index_shape: 1, needed_at_start: &[IN_MEMORY], ..StoreOptions::default() }
}

/// Rows come as they do in a host: some of every project at a time.
async fn fill(dir: &Path) -> Result<(), Box<dyn Error>> {
    let (store, _) = Store::open(dir, options())?;
    let mut ends = BTreeMap::new();
    for stream in 0..STREAMS {
        let name = format!("project-{stream}");
        let through = store.append(&name, vec![b"{}".to_vec()]).await?.last;
        let entries = (0..10).map(|number| entry(IN_MEMORY, stream, number)).collect();
        let snapshot = SnapshotChange::Replace(record(stream, 0).repeat(3));
        store.index(IndexBatch { stream: name.clone(), through, snapshot, entries }).await?;
        ends.insert(stream, (name, through));
    }
    let began = Instant::now();
    let filling = Arc::new(AtomicBool::new(true));
    let reader = thread::spawn({
        let (store, filling) = (store.clone(), Arc::clone(&filling));
        move || read_beside(&store, &filling)
    });
    for number in (0..ROWS_OF_EACH).step_by(10) {
        for (stream, (name, through)) in &ends {
            let entries = (number..number + 10).map(|number| entry(FINISHED, *stream, number)).collect();
            let batch = IndexBatch { stream: name.clone(), through: *through, snapshot: SnapshotChange::Keep, entries };
            store.index(batch).await?;
        }
    }
    println!("filled in {:.1?}, memory {} MB", began.elapsed(), resident_kb() / 1000);
    filling.store(false, Ordering::Relaxed);
    reader.join().map_err(|_| "a read beside it failed")?;
    drop(store);
    println!("a value has {} bytes, on disk {} MB", record(1, 1).len(), bytes_of(&dir.join("index"))? / 1_000_000);
    Ok(())
}

async fn open(dir: &Path) -> Result<(), Box<dyn Error>> {
    let before = resident_kb();
    let began = Instant::now();
    let (store, opened) = Store::open(dir, options())?;
    println!("opened in {:.2?}: {:?}", began.elapsed(), opened.index);
    println!("memory {} MB, before {} MB", resident_kb() / 1000, before / 1000);
    work(&store).await?;
    let mut rounds = 0;
    while store.index_check() == IndexCheck::Running {
        tokio::time::sleep(Duration::from_millis(100)).await;
        rounds += 1;
        if rounds % 20 == 0 {
            work(&store).await?;
        }
    }
    println!("checked {:.2?} after the start: {:?}", began.elapsed(), store.index_check());
    work(&store).await?;
    println!("memory {} MB", resident_kb() / 1000);
    Ok(())
}

/// As somebody would who uses the host: lists are read, and something is indexed.
async fn work(store: &Store) -> Result<(), Box<dyn Error>> {
    let mut took = Vec::new();
    for number in 0..WRITES as u64 {
        let stream = format!("project-{}", noise(number) % STREAMS);
        let through = store.indexed_through(&stream)?;
        let entries = vec![entry(IN_MEMORY, number, number)];
        let at = Instant::now();
        store.index(IndexBatch { stream, through, snapshot: SnapshotChange::Keep, entries }).await?;
        took.push(at.elapsed());
    }
    took.sort_unstable();
    println!(
        "a write {:.1?} at the median, 99% within {:.1?}, the slowest {:.1?}; check: {:?}",
        took[WRITES / 2],
        took[WRITES * 99 / 100],
        took[WRITES - 1],
        store.index_check()
    );
    read_at_random(store)
}

fn read_at_random(store: &Store) -> Result<(), Box<dyn Error>> {
    let mut took = Vec::new();
    for read in 0..READS as u64 {
        let (stream, number) = (noise(read) % STREAMS, noise(read + READS as u64) % ROWS_OF_EACH);
        let at = Instant::now();
        store.get(&format!("project-{stream}"), FINISHED, &number.to_be_bytes())?.ok_or("a row is missing")?;
        took.push(at.elapsed());
    }
    took.sort_unstable();
    println!("a read at random {:.1?} at the median, the slowest {:.1?}", took[READS / 2], took[READS - 1]);
    Ok(())
}

/// Who waits longest waits for the index to be opened again.
fn read_beside(store: &Store, filling: &AtomicBool) {
    let mut took = Vec::new();
    while filling.load(Ordering::Relaxed) {
        let at = Instant::now();
        let read = store.get("project-0", FINISHED, &(noise(took.len() as u64) % ROWS_OF_EACH).to_be_bytes());
        took.push(at.elapsed());
        read.expect("the index is whole");
        thread::sleep(Duration::from_millis(1));
    }
    took.sort_unstable();
    let long = &took[took.partition_point(|took| *took < LONG)..];
    let (median, slowest) = (long.get(long.len() / 2), long.last());
    let (reads, waits) = (took.len(), long.len());
    println!(
        "of {reads} reads beside it {waits} took over {LONG:?}: {median:.1?} at the median, the slowest {slowest:.1?}"
    );
}

fn entry(table: &'static str, stream: u64, number: u64) -> Entry {
    Entry { table, key: number.to_be_bytes().to_vec(), value: Some(record(stream, number)) }
}

/// 700 bytes of JSON as a small deployment leaves them: names that repeat, digests and times that do not.
fn record(stream: u64, number: u64) -> Vec<u8> {
    let (plan, key, time) =
        (noise(stream * 7919 + number), noise(number * 31 + stream), 1_790_000_000_000 + number * 60_000);
    let mut json = format!(
        r#"{{"number":{number},"environment":"production","type":"DEPLOY","release":{{"name":"shop-{stream}","version":"1.{number}.0","digest":"sha256:{plan:016x}{key:016x}{:016x}{:016x}"}},"workflow":"default","triggered":{{"at":{time},"by":{{"kind":"token","name":"ci-{stream}"}}}},"phases":[{{"name":"build","status":"SUCCEEDED","started_at":{},"ended_at":{},"attempt":1,"key":"{key:016x}"}},{{"name":"apply","status":"SUCCEEDED","started_at":{},"ended_at":{},"attempt":1,"key":"{plan:016x}"}}],"status":"SUCCEEDED","ended_at":{},"reason":null,"note":""#,
        noise(plan),
        noise(key),
        time + 120,
        time + 4_711 + plan % 1000,
        time + 5_000,
        time + 9_000 + key % 1000,
        time + 9_999,
    );
    while json.len() < 690 {
        json.push_str(
            ["the ", "site ", "was ", "made ", "anew ", "by ", "hand "][noise(json.len() as u64 ^ plan) as usize % 7],
        );
    }
    json.push_str(r#""}"#);
    json.into_bytes()
}

/// Numbers that look like none of their neighbours.
fn noise(of: u64) -> u64 {
    let mixed = (of ^ (of >> 30)).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn resident_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

fn bytes_of(dir: &Path) -> Result<u64, std::io::Error> {
    fs::read_dir(dir)?.try_fold(0, |sum, entry| {
        let entry = entry?;
        let bytes = if entry.file_type()?.is_dir() { bytes_of(&entry.path())? } else { entry.metadata()?.len() };
        Ok(sum + bytes)
    })
}
