//! How long a start takes on a long journal, with a checkpoint and without one. By hand; what it writes goes when it ends:
//!
//! ```text
//! cargo run --release -p lockgate-journal --example long_journal -- 2000    # megabytes
//! ```

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use lockgate_journal::{Journal, Options, Past, framed_bytes};
use tempfile::TempDir;

const STREAMS: [usize; 2] = [1_000, 100_000];
const EVENTS_PER_APPEND: usize = 10;
/// Then what was appended is waited for: less than the journal's queue holds.
const APPENDS_AT_A_TIME: usize = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let megabytes: usize = std::env::args().nth(1).ok_or("say how many megabytes")?.parse()?;
    STREAMS.into_iter().try_for_each(|streams| measure(megabytes << 20, streams))
}

fn measure(bytes: usize, streams: usize) -> Result<(), Box<dyn Error>> {
    let dir = TempDir::new()?;
    fill(dir.path(), bytes, streams)?;
    let checkpoint = dir.path().join("checkpoint");
    println!("the checkpoint has {} kB", fs::metadata(&checkpoint)?.len() >> 10);
    drop(open(dir.path(), "with it")?);
    look_back(&open(dir.path(), "with it again")?);
    fs::remove_file(&checkpoint)?;
    open(dir.path(), "without it")?;
    Ok(())
}

/// These many streams are written to in turn, until there are as many bytes, and each has something.
fn fill(dir: &Path, bytes: usize, streams: usize) -> Result<(), Box<dyn Error>> {
    let (journal, _) = Journal::open(dir, Options::default())?;
    let (tell, told) = mpsc::channel();
    let (mut appends, mut written) = (0, 0);
    while written < bytes || appends < streams {
        for _ in 0..APPENDS_AT_A_TIME {
            let (stream, tell) = (format!("project-{:06}", appends % streams), tell.clone());
            let payloads: Vec<Vec<u8>> = (0..EVENTS_PER_APPEND).map(|number| event(appends, number)).collect();
            written += framed_bytes(&stream, &payloads);
            // Who listens is there until all have been heard.
            journal.append(&stream, payloads, move |result| drop(tell.send(result)));
            appends += 1;
        }
        told.iter().take(APPENDS_AT_A_TIME).try_for_each(|result| result.map(drop))?;
    }
    let segments = fs::read_dir(dir)?.filter_map(Result::ok).filter(|file| is_segment(&file.path())).count();
    // The last one is written to.
    wait_while(|| journal.stats().segments_packed + 1 < segments as u64 && journal.packing_failure().is_none());
    println!("\n{streams} streams: {} MB, {} records, {segments} segments", written >> 20, journal.last());
    Ok(())
}

/// Some hundred bytes, which pack to about 40%, as those of a host do.
fn event(append: usize, number: usize) -> Vec<u8> {
    let digest: String = (0..12).map(|_| format!("{:08x}", fastrand::u32(..))).collect();
    let message = "the step went on ".repeat(8);
    let event = format!(
        r#"{{"at":{append},"deployment":{number},"phase":"deploy","outcome":"succeeded","plan":"{digest}","message":"{message}"}}"#
    );
    event.into_bytes()
}

fn is_segment(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "log")
}

fn open(dir: &Path, how: &str) -> Result<Journal, Box<dyn Error>> {
    let began = Instant::now();
    let (journal, recovery) = Journal::open(dir, Options::default())?;
    println!("opened {how} in {:.1?}: {} records, past {:?}", began.elapsed(), recovery.records, journal.past());
    Ok(journal)
}

fn look_back(journal: &Journal) {
    let began = Instant::now();
    wait_while(|| matches!(journal.past(), Past::Unread { .. }));
    println!("looked back in {:.1?}: {:?}", began.elapsed(), journal.past());
}

fn wait_while(it_is_so: impl Fn() -> bool) {
    while it_is_so() {
        thread::yield_now();
    }
}
