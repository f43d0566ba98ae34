//! How long a start takes on a long journal. By hand, in release: figures depend on the machine.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use tempfile::TempDir;

use crate::{Journal, Options, Past, checkpoint};

/// `bytes` of events of some hundred bytes, written to these many streams in turn.
fn write(dir: &Path, bytes: usize, streams: usize) {
    let (journal, _) = Journal::open(dir, Options::default()).unwrap();
    let (tell, told) = mpsc::channel();
    let mut appends = 0;
    let mut written = 0;
    while written < bytes || appends < streams {
        let (stream, tell) = (format!("project-{:06}", appends % streams), tell.clone());
        // Packs to about 40%, as events do.
        let event = |number| {
            let digest: String = (0..12).map(|_| format!("{:08x}", fastrand::u32(..))).collect();
            let event = format!(r#"{{"at":{appends},"deployment":{number},"phase":"deploy","outcome":"succeeded""#);
            format!(r#"{event},"plan":"{digest}","message":"{}"}}"#, "the step went on ".repeat(8)).into_bytes()
        };
        let payloads: Vec<Vec<u8>> = (0..10).map(event).collect();
        written += crate::framed_bytes(&stream, &payloads);
        journal.append(&stream, payloads, move |result| tell.send(result.is_ok()).unwrap());
        appends += 1;
        if appends % 2000 == 0 {
            assert!(told.iter().take(2000).all(|fine| fine));
        }
    }
    assert!(told.iter().take(appends % 2000).all(|fine| fine));
    let segments = super::segments(dir).len() - 1;
    while (journal.stats().segments_packed as usize) < segments {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    eprintln!("{streams} streams: {} MB in {} records, {} segments", written >> 20, journal.last(), segments + 1);
}

fn open(dir: &Path, how: &str) -> Journal {
    let begun = Instant::now();
    let (journal, recovery) = Journal::open(dir, Options::default()).unwrap();
    eprintln!("open {how}: {:?}, {} records, past {:?}", begun.elapsed(), recovery.records, journal.past());
    journal
}

/// `LOCKGATE_JOURNAL_MEGABYTES=2000 cargo test --release -p lockgate-journal --lib -- --ignored --nocapture long`
#[test]
#[ignore = "writes gigabytes; by hand"]
fn a_start_on_a_long_journal_takes_a_moment() {
    let megabytes: usize = std::env::var("LOCKGATE_JOURNAL_MEGABYTES").map_or(200, |text| text.parse().unwrap());
    for streams in [1000, 100_000] {
        let dir = TempDir::new().unwrap();
        write(dir.path(), megabytes << 20, streams);
        let file = checkpoint::path(dir.path());
        eprintln!("checkpoint: {} kB", fs::metadata(&file).unwrap().len() >> 10);
        drop(open(dir.path(), "with the checkpoint"));
        let journal = open(dir.path(), "with the checkpoint");
        let begun = Instant::now();
        while let Past::Unread { .. } = journal.past() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        eprintln!("looked back: {:?}, {:?}", begun.elapsed(), journal.past());
        drop(journal);
        fs::remove_file(&file).unwrap();
        drop(open(dir.path(), "without it"));
    }
}
