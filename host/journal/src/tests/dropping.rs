//! Segments that were dropped: what stands in their place, what is refused, and what is left where that went wrong.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use expect_test::expect;
use tempfile::TempDir;

use super::life::Life;
use super::packed::packed_journal;
use super::simulated::{Fate, Kind, SimulatedDisk};
use super::{append, damage, open, segments, texts};
use crate::scan::on_disk;
use crate::{
    Base, Beginning, Journal, JournalError, MAX_PART_BYTES, Past, Recovery, States, base, begin, is_there, read, verify,
};

fn of_shop(state: &str) -> States {
    States::from([("shop".to_owned(), vec![state.as_bytes().to_vec(), Vec::new()])])
}

/// The last sequence of its first segment.
fn end_of_first(journal: &Journal) -> u64 {
    *journal.full_segments().unwrap()[0].end()
}

/// A journal of three segments, of which the first was dropped.
fn with_base() -> (TempDir, Journal, u64) {
    let dir = TempDir::new().unwrap();
    let journal = packed_journal(dir.path());
    let through = end_of_first(&journal);
    journal.drop_through(through, of_shop("as of then")).unwrap();
    (dir, journal, through)
}

fn problem(result: Result<(), JournalError>, dir: &Path) -> String {
    result.unwrap_err().to_string().replace(dir.to_str().unwrap(), "DIR")
}

#[test]
fn what_stands_for_dropped_records_is_there_before_and_after_a_restart() {
    let (dir, journal, through) = with_base();
    let before = texts(&journal, 1);
    assert_eq!(before.len() as u64, 80 - through);
    assert!(before[0].starts_with(&format!("{} shop", through + 1)));
    assert_eq!(segments(dir.path()).len(), 2);
    let head = journal.streams()["shop"].clone();
    assert_eq!((head.records, head.first, head.last), (80, 1, 80));
    drop(journal);
    let verified = verify(dir.path()).unwrap();
    assert_eq!((verified.records, verified.dropped, &verified.streams["shop"]), (80, through, &head));
    let (_, base, records) = read(dir.path()).unwrap();
    assert_eq!(base.unwrap().streams["shop"].state, of_shop("as of then")["shop"]);
    assert_eq!(records.count(), before.len());
    let (journal, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery { records: 80, last: 80, torn_tail: None });
    assert_eq!(texts(&journal, through), before);
    assert_eq!(append(&journal, "shop", &["goes on"]).unwrap().first, 81);
    let (base, records) = journal.read_all().unwrap();
    let base = base.unwrap();
    assert_eq!(
        (base.through, base.streams["shop"].head.last, records.count()),
        (through, through, 81 - through as usize)
    );
}

#[test]
fn more_is_dropped_behind_it_and_streams_that_ended_before_stay() {
    let (dir, journal, first) = with_base();
    append(&journal, "bakery", &["once"]).unwrap();
    let second = end_of_first(&journal);
    assert!(second > first);
    journal.drop_through(second, of_shop("later")).unwrap();
    drop(journal);
    let (journal, _) = open(dir.path());
    let base = journal.base().unwrap().unwrap();
    assert_eq!((base.through, base.streams.len()), (second, 1));
    assert_eq!(base.streams["shop"].state[0], b"later");
    assert_eq!(journal.streams()["bakery"].records, 1);
}

#[test]
fn nothing_is_dropped_that_somebody_reads_or_that_is_not_looked_at_yet() {
    let dir = TempDir::new().unwrap();
    let journal = packed_journal(dir.path());
    let through = end_of_first(&journal);
    let reading = journal.read(1).unwrap();
    let told = problem(journal.drop_through(through, of_shop("")), dir.path());
    expect!["records up to 33 cannot be dropped: somebody is reading the journal, for a backup or an export. Nothing was changed"]
        .assert_eq(&told);
    assert_eq!(reading.count(), 80);
    let told = problem(journal.drop_through(through - 1, of_shop("")), dir.path());
    expect!["records up to 32 cannot be dropped: no full segment ends there. Nothing was changed"].assert_eq(&told);
    let told = problem(journal.drop_through(80, of_shop("")), dir.path());
    expect!["records up to 80 cannot be dropped: no full segment ends there. Nothing was changed"].assert_eq(&told);
    let told = problem(journal.drop_through(through, States::new()), dir.path());
    expect!["records up to 33 cannot be dropped: nothing was given for stream `shop`. Nothing was changed"]
        .assert_eq(&told);
    let large = States::from([("shop".to_owned(), vec![vec![0; MAX_PART_BYTES + 1]])]);
    assert!(problem(journal.drop_through(through, large), dir.path()).contains("has a part of over 67108864 bytes"));
    assert!(journal.base().unwrap().is_none());
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..4 {
        life.append(&[("shop", vec![1200])]);
    }
    while life.pack() | life.write_checkpoint() {}
    life.end();
    life.start().unwrap();
    assert!(matches!(life.journal().past(), Past::Unread { .. }) && life.drop_but(0).is_none());
    while life.look_back() {}
    assert!(life.drop_but(0).unwrap().is_ok());
}

#[test]
fn what_is_dropped_is_checked_once_more() {
    let dir = TempDir::new().unwrap();
    let journal = packed_journal(dir.path());
    let segment = segments(dir.path()).remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[100] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    assert!(matches!(journal.drop_through(end_of_first(&journal), of_shop("")), Err(JournalError::Damage(_))));
    assert!(segment.exists() && !base::path(dir.path()).exists());
}

#[test]
fn a_dropped_segment_is_not_packed_back_into_its_place() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..4 {
        life.append(&[("shop", vec![1200])]);
    }
    assert!(life.drop_but(1).unwrap().is_ok());
    let before: Vec<_> = life.disk.segments().into_keys().collect();
    while life.pack() {}
    assert_eq!((life.stats().segments_packed, life.stats().segments_not_packed), (1, 0), "two are gone");
    assert_eq!(life.disk.segments().into_keys().collect::<Vec<_>>(), before);
    life.end();
    life.start().unwrap();
    life.check();
}

#[test]
fn what_could_not_be_removed_is_not_read_all_the_same() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..4 {
        life.append(&[("shop", vec![1200])]);
    }
    life.disk.decide(|kind, _| if kind == Kind::Remove { Fate::Fail } else { Fate::Work });
    assert!(life.drop_but(0).unwrap().is_ok());
    life.disk.heal();
    assert_eq!(life.disk.segments().len(), 4);
    assert!(life.journal().packing_failure().unwrap().to_string().contains("remove the dropped segment"));
    let read = life.journal().read(1).unwrap().map(|record| record.unwrap().sequence);
    assert_eq!((read.collect::<Vec<_>>(), life.journal().full_segments().unwrap()), (vec![4], vec![]));
}

#[test]
fn after_a_drop_that_failed_when_it_was_written_the_next_one_goes_on_behind_it() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..4 {
        life.append(&[("shop", vec![1200])]);
    }
    life.disk.decide(|kind, _| if kind == Kind::SyncDir { Fate::Fail } else { Fate::Work });
    assert!(life.drop_but(1).unwrap().is_err());
    life.disk.heal();
    assert_eq!(life.journal().full_segments().unwrap(), [3..=3]);
    assert_eq!(life.journal().dropped(), 2);
    assert!(life.drop_but(0).unwrap().is_ok());
    life.read().unwrap();
}

#[test]
fn a_start_still_begins_at_a_checkpoint_from_before() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..6 {
        life.append(&[("shop", vec![1200])]);
    }
    while life.pack() | life.write_checkpoint() {}
    assert!(life.drop_but(2).unwrap().is_ok());
    life.end();
    life.start().unwrap();
    life.check();
    assert!(matches!(life.journal().past(), Past::Unread { segments: 2, of: 2 }));
    assert_eq!(life.journal().earliest_behind("bakery", 0), 6, "it begins at the sixth");
    while life.look_back() {}
    assert!(life.drop_but(0).unwrap().is_ok());
    life.end();
    life.start().unwrap();
    life.check();
    assert!(life.journal().began_at.is_none(), "nothing is left to compare it with");
}

#[test]
fn what_an_interrupted_drop_left_goes_with_the_next_start() {
    let dir = TempDir::new().unwrap();
    let journal = packed_journal(dir.path());
    let first = segments(dir.path()).remove(0);
    let kept = fs::read(&first).unwrap();
    journal.drop_through(end_of_first(&journal), of_shop("")).unwrap();
    drop(journal);
    fs::write(&first, kept).unwrap();
    assert_eq!(verify(dir.path()).unwrap().segments, 2, "it does not count");
    drop(open(dir.path()));
    assert!(!first.exists());
}

#[test]
fn a_base_of_another_journal_removes_nothing() {
    let (of_another, journal, through) = with_base();
    drop(journal);
    let dir = TempDir::new().unwrap();
    drop(packed_journal(dir.path()));
    let before = segments(dir.path());
    let mut other = Journal::open(of_another.path(), super::small()).unwrap().0.base().unwrap().unwrap();
    other.streams.get_mut("shop").unwrap().head.hash = [7; 32];
    // A checkpoint would hide that nothing goes on from it.
    other.write(&on_disk(dir.path())).unwrap();
    let told = Journal::open(dir.path(), super::small()).err().unwrap().to_string();
    assert!(told.contains("does not follow the one before it in stream `shop`"), "{told}");
    let shop = &mut other.streams.get_mut("shop").unwrap().head;
    (other.through, shop.records, shop.last) = (900, 900, 900);
    other.write(&on_disk(dir.path())).unwrap();
    let told = Journal::open(dir.path(), super::small()).err().unwrap().to_string();
    assert!(told.contains("00000000000000000901.log is missing"), "{told}");
    assert_eq!((segments(dir.path()), through), (before, 33));
}

#[test]
fn a_base_that_is_damaged_or_gone_stops_the_start() {
    let (dir, journal, _) = with_base();
    drop(journal);
    let path = base::path(dir.path());
    let whole = fs::read(&path).unwrap();
    let told = |damage: crate::Damage| damage.to_string().replace(dir.path().to_str().unwrap(), "DIR");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(damage(dir.path()).segment, path, "byte {at}");
        fs::write(&path, &whole[..at]).unwrap();
        assert_eq!(damage(dir.path()).segment, path, "up to byte {at}");
    }
    expect!["the journal is damaged: the base, which stands for the records that were dropped, is not what was written (segment DIR/base, byte 0, where record 1 is expected). Lockgate has changed nothing. Put this file back from a copy of the folder, for backups hold the records in another form; do not delete or edit it, every record counts"]
        .assert_eq(&told(damage(dir.path())));
    assert!(Journal::open(dir.path(), super::small()).is_err());
    fs::remove_file(&path).unwrap();
    expect!["the journal is damaged: the journal's first segment, 00000000000000000001.log, is missing, or the file `base` is, where segments were dropped (segment DIR/00000000000000000034.log, byte 0, where record 1 is expected). Lockgate has changed nothing. Put this file back from a copy of the folder, for backups hold the records in another form; do not delete or edit it, every record counts"]
        .assert_eq(&told(damage(dir.path())));
    let newer = [b"lockgate base".as_slice(), &2_u32.to_le_bytes(), b"whatever"].concat();
    fs::write(&path, [newer.as_slice(), &crc32c::crc32c(&newer).to_le_bytes()].concat()).unwrap();
    assert!(matches!(verify(dir.path()), Err(JournalError::Version { found: 2, known: 1, .. })));
}

#[test]
fn a_journal_begins_with_a_base() {
    let (other, journal, through) = with_base();
    let base = journal.base().unwrap().unwrap();
    let (dir, nested) = (TempDir::new().unwrap(), "new/journal");
    let path = dir.path().join(nested);
    begin(&path, &base).unwrap();
    assert!(is_there(&path).unwrap());
    let (copy, recovery) = open(&path);
    assert_eq!(recovery.last, through);
    for record in journal.read(1).unwrap() {
        append(&copy, "shop", &[&String::from_utf8(record.unwrap().payload).unwrap()]).unwrap();
    }
    assert_eq!(copy.streams(), journal.streams(), "the chain is the same");
    assert_eq!(copy.base().unwrap().as_ref(), Some(&base));
    expect!["no journal can be begun in DIR: there is one"]
        .assert_eq(&problem(begin(other.path(), &base), other.path()));
    fs::remove_file(segments(&path).pop().unwrap()).unwrap();
    fs::remove_file(crate::mark::path(&path)).unwrap();
    assert!(verify(&path).unwrap_err().to_string().contains("segment 00000000000000000034.log is missing"));
    type Change = fn(&mut Beginning);
    let changes: [Change; 4] =
        [|it| it.head.last = 34, |it| it.head.first = 0, |it| it.head.records = 0, |it| it.head.records = 34];
    for change in changes {
        let mut unsound = base.clone();
        change(unsound.streams.get_mut("shop").unwrap());
        let told = problem(begin(&dir.path().join("unsound"), &unsound), dir.path());
        assert!(told.contains("do not add up"), "{told}");
        unsound.write(&on_disk(other.path())).unwrap();
        assert_eq!(damage(other.path()).segment, base::path(other.path()));
    }
    let named = |name: &str, through| {
        let mut base = base.clone();
        let shop = base.streams.remove("shop").unwrap();
        begin(&dir.path().join("unsound"), &Base { through, streams: [(name.to_owned(), shop)].into() })
    };
    for (name, through) in [("shop", 9), ("shop", u64::MAX), ("", 33), ("a\nb", 33), (&*"x".repeat(256), 33)] {
        assert!(named(name, through).is_err(), "{name} {through}");
    }
    assert!(begin(&dir.path().join("unsound"), &Base { through: 0, streams: Default::default() }).is_err());
}

#[test]
fn a_base_that_was_replaced_while_somebody_verified_is_no_damage() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..6 {
        life.append(&[("shop", vec![1200])]);
    }
    let life = Arc::new(std::sync::Mutex::new(life));
    let disk = life.lock().unwrap().disk.clone();
    let folder = disk.folder();
    // Right after it has read that there is none.
    let (dropping, scans) = (Arc::clone(&life), std::sync::atomic::AtomicU64::new(0));
    let verified = crate::scan::settled(|| {
        let first = scans.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let (life, other) = (Arc::clone(&dropping), disk.clone());
        disk.decide(move |kind, path| {
            if first && kind == Kind::List && path.ends_with("journal") {
                other.heal();
                life.lock().unwrap().drop_but(1).unwrap().unwrap();
            }
            Fate::Work
        });
        crate::scan::scan(&folder)
    });
    assert_eq!(verified.unwrap().base.unwrap().through, 4);
    assert_eq!(scans.into_inner(), 2);
}
