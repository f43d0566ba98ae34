//! Segments that were packed: what is read from them, and what is refused.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc;

use tempfile::TempDir;

use super::life::{Life, Outcome};
use super::simulated::{Fate, Kind, SimulatedDisk};
use super::{append, damage, open, past, segments, small, texts};
use crate::scan::on_disk;
use crate::segment::{self, HEADER_BYTES, Named};
use crate::{Journal, JournalError, checkpoint, mark, verify};

/// As long as it takes until no more than the last segment is as it was written, and a checkpoint stands for the others.
pub fn packed_journal(dir: &Path) -> Journal {
    let (journal, _) = open(dir);
    for number in 0..80 {
        append(
            &journal,
            "shop",
            &[&format!("{{\"deployment\":{number},\"phase\":\"build\",\"outcome\":\"succeeded\"}}")],
        )
        .unwrap();
    }
    let full = segments(dir).len() as u64 - 1;
    until_packed(&journal, full);
    while checkpoint::read(&on_disk(dir)).is_none_or(|checkpoint| checkpoint.segments.len() as u64 != full) {
        std::thread::yield_now();
    }
    journal
}

fn until_packed(journal: &Journal, count: u64) {
    while journal.stats().segments_packed < count {
        assert!(journal.packing_failure().is_none());
        std::thread::yield_now();
    }
}

fn first(dir: &Path) -> Named {
    segment::list(&on_disk(dir)).unwrap().remove(0)
}

fn records_of(dir: &Path, segment: &Named) -> Vec<u8> {
    let loaded = segment::load(&on_disk(dir), segment).unwrap();
    assert!(loaded.packed);
    loaded.bytes[HEADER_BYTES as usize..].to_vec()
}

#[test]
fn a_full_segment_is_packed_and_nobody_who_reads_can_tell() {
    let dir = TempDir::new().unwrap();
    let journal = packed_journal(dir.path());
    let sizes: Vec<u64> = segments(dir.path()).iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    let (last, full) = sizes.split_last().unwrap();
    assert_eq!((*last, full.len()), (4096, 2));
    assert!(full.iter().all(|size| *size < 2048), "{sizes:?}");
    let all = texts(&journal, 1);
    assert_eq!(all[79], r#"80 shop {"deployment":79,"phase":"build","outcome":"succeeded"}"#);
    assert_eq!(texts(&journal, 17), all[16..]);
    drop(journal);
    assert_eq!(verify(dir.path()).unwrap().records, 80);
    let (journal, recovery) = open(dir.path());
    assert_eq!((recovery.last, texts(&journal, 1)), (80, all));
}

#[test]
fn what_an_earlier_run_left_unpacked_is_packed_after_a_start() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..4 {
        assert_eq!(life.append(&[("shop", vec![1200])]), Outcome::Fine);
    }
    life.end();
    life.start().unwrap();
    while life.pack() {}
    assert_eq!(life.stats().segments_packed, 3);
    life.end();
    life.start().unwrap();
    assert!(!life.pack(), "once is enough");
    life.check();
}

#[test]
fn appends_do_not_wait_for_packing() {
    let disk = SimulatedDisk::new(0);
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    disk.decide(move |kind, path| {
        if kind == Kind::Create && path.ends_with("00000000000000000001.tmp") {
            may_go_on.lock().unwrap().recv().unwrap();
        }
        Fate::Work
    });
    let (journal, _) = Journal::open_on(disk.folder(), small()).unwrap();
    for _ in 0..100 {
        append(&journal, "shop", &[&"x".repeat(100)]).unwrap();
    }
    assert_eq!(journal.stats().segments_packed, 0);
    go_on.send(()).unwrap();
    until_packed(&journal, 4);
    assert_eq!(texts(&journal, 1).len(), 100);
}

#[test]
fn a_reader_goes_on_in_a_segment_that_is_packed_meanwhile() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..9 {
        life.append(&[("shop", vec![500])]);
    }
    let mut reading = life.journal().read(1).unwrap();
    reading.next().unwrap().unwrap();
    while life.pack() {}
    assert!(life.stats().segments_packed > 1);
    assert_eq!(reading.map(Result::unwrap).count(), 8);
}

#[test]
fn a_journal_that_ends_begins_to_pack_nothing_more() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..3 {
        life.append(&[("shop", vec![1200])]);
    }
    life.journal().shared.close();
    assert!(life.pack());
    assert_eq!(life.stats().segments_packed, 0);
}

#[test]
fn a_flipped_bit_anywhere_in_a_packed_segment_is_refused() {
    let dir = TempDir::new().unwrap();
    drop(packed_journal(dir.path()));
    let segment = first(dir.path()).path;
    let whole = fs::read(&segment).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&segment, &bytes).unwrap();
        let damage = damage(dir.path());
        assert_eq!((damage.sequence, damage.offset), (1, if at < 32 { 0 } else { HEADER_BYTES }), "byte {at}");
        let checkpoint = fs::read(checkpoint::path(dir.path())).unwrap();
        fs::remove_file(checkpoint::path(dir.path())).unwrap();
        assert!(Journal::open(dir.path(), small()).is_err());
        fs::write(checkpoint::path(dir.path()), checkpoint).unwrap();
        assert_eq!(past(&open(dir.path()).0), damage, "where a checkpoint stands for it, it is told");
        assert_eq!(fs::read(&segment).unwrap(), bytes, "nothing is changed");
    }
}

#[test]
fn damage_that_was_packed_has_its_place_in_the_unpacked_bytes() {
    let dir = TempDir::new().unwrap();
    drop(packed_journal(dir.path()));
    let segment = first(dir.path());
    let mut records = records_of(dir.path(), &segment);
    records[1000] ^= 1;
    replace(dir.path(), &segment, &records, records.len() as u32);
    let damage = damage(dir.path());
    let record = super::framed_bytes("shop", &[br#"{"deployment":0,"phase":"build","outcome":"succeeded"}"#.to_vec()]);
    assert_eq!(damage.offset, HEADER_BYTES + (1000 / record * record) as u64);
    assert_eq!(damage.sequence, 1 + (1000 / record) as u64);
}

fn replace(dir: &Path, segment: &Named, records: &[u8], length: u32) {
    segment::replace(&on_disk(dir), segment, &lz4_flex::block::compress(records), length).unwrap();
}

#[test]
fn a_header_that_claims_more_than_can_be_there_gets_no_memory() {
    let dir = TempDir::new().unwrap();
    drop(packed_journal(dir.path()));
    let segment = first(dir.path());
    let records = records_of(dir.path(), &segment);
    for wrong in [0, records.len() as u32 - 1, records.len() as u32 + 1] {
        replace(dir.path(), &segment, &records, wrong);
        assert_eq!(damage(dir.path()).problem, "the packed records are not as long as the header says");
    }
    replace(dir.path(), &segment, &records, u32::MAX);
    assert_eq!(damage(dir.path()).problem, "the header claims more than so few packed bytes can hold");
}

#[test]
fn a_segment_that_does_not_read_back_as_written_is_left_as_it_is() {
    let disk = SimulatedDisk::new(0);
    let (journal, mut committer, mut packer, _) = Journal::at_rest(disk.folder(), small()).unwrap();
    for _ in 0..5 {
        journal.append("shop", vec![vec![b'x'; 1500]], |result| assert!(result.is_ok()));
        let waiting = journal.shared.take().unwrap();
        assert!(committer.turn(waiting));
    }
    let segment = segment::list(&disk.folder()).unwrap().remove(0).path;
    disk.folder().disk.open(&segment).unwrap().write(b"y", 200).unwrap();
    let before = disk.folder().disk.read(&segment).unwrap();
    assert!(packer.pack_next());
    assert_eq!(disk.folder().disk.read(&segment).unwrap(), before);
    assert_eq!((journal.stats().segments_packed, journal.stats().segments_not_packed), (0, 1));
    assert!(matches!(journal.packing_failure(), Some(JournalError::Damage(damage)) if damage.sequence == 1));
}

#[test]
fn a_packed_segment_is_never_written_to() {
    let dir = TempDir::new().unwrap();
    drop(packed_journal(dir.path()));
    let all = segments(dir.path());
    fs::remove_file(all.last().unwrap()).unwrap();
    assert!(matches!(verify(dir.path()), Err(JournalError::Gone { .. })), "as the mark knows");
    fs::remove_file(mark::path(dir.path())).unwrap();
    let packed = fs::read(&all[1]).unwrap();
    let (journal, recovery) = open(dir.path());
    assert_eq!(append(&journal, "shop", &["new"]).unwrap().first, recovery.last + 1);
    drop(journal);
    assert_eq!(fs::read(&all[1]).unwrap(), packed);
    assert_eq!(open(dir.path()).1.last, recovery.last + 1);
}
