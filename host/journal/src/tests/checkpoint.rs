//! Starts that do not read everything: where they begin, what becomes of the rest, and checkpoints that cannot be used.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};

use expect_test::expect;
use tempfile::TempDir;

use super::life::Life;
use super::packed::packed_journal;
use super::simulated::{Fate, Kind, SimulatedDisk};
use super::{append, damage, open, past, segments, small, texts};
use crate::checkpoint::{self, Checkpoint};
use crate::heads::Heads;
use crate::record::{Frame, Hash};
use crate::scan::on_disk;
use crate::segment::{self, HEADER_BYTES};
use crate::{Journal, JournalError, Options, Past, Recovery, StreamHead, mark, verify};

fn checkpoint_of(dir: &Path) -> Checkpoint {
    checkpoint::read(&on_disk(dir)).unwrap()
}

/// A folder of three segments and a checkpoint that stands for two of them; nobody has it open.
fn with_checkpoint() -> TempDir {
    let dir = TempDir::new().unwrap();
    drop(packed_journal(dir.path()));
    dir
}

/// A life of six segments, each of one record and packed, up to a checkpoint that stands for five.
fn six_segments() -> Life {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for stream in ["shop", "bakery", "shop", "system", "shop", "shop"] {
        life.append(&[(stream, vec![1200])]);
    }
    while life.pack() | life.write_checkpoint() {}
    life
}

/// The files that are read meanwhile, and what comes of it.
fn reads_of<T>(life: &mut Life, act: impl FnOnce(&mut Life) -> T) -> (String, T) {
    let names = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&names);
    life.disk.decide(move |kind, path| {
        if kind == Kind::Read {
            note.lock().unwrap().push(path.file_stem().unwrap().to_str().unwrap().trim_start_matches('0').to_owned());
        }
        Fate::Work
    });
    let done = act(life);
    life.disk.heal();
    let names = names.lock().unwrap().join(" ");
    (names, done)
}

#[test]
fn a_start_reads_nothing_before_the_checkpoint() {
    let mut life = six_segments();
    life.end();
    let (reads, started) = reads_of(&mut life, Life::start);
    started.unwrap();
    assert_eq!(reads, "checkpoint acknowledged base 6");
    life.check();
    assert!(matches!(life.journal().past(), Past::Unread { segments: 5, of: 5 }));
}

#[test]
fn what_a_start_has_not_read_is_read_after_it_once() {
    let mut life = six_segments();
    life.end();
    life.start().unwrap();
    let (reads, _) = reads_of(&mut life, Life::look_back);
    assert_eq!(reads, "1");
    assert!(matches!(life.journal().past(), Past::Unread { segments: 4, of: 5 }));
    let (reads, ()) = reads_of(&mut life, |life| while life.look_back() {});
    assert_eq!(reads, "2 3 4 5");
    assert!(matches!(life.journal().past(), Past::Whole));
}

#[test]
fn a_journal_that_ends_looks_back_no_further_and_writes_no_checkpoint() {
    let mut life = six_segments();
    life.append(&[("shop", vec![1200])]);
    life.journal().shared.close();
    assert!(!life.write_checkpoint());
    life.end();
    life.start().unwrap();
    assert!(life.look_back());
    life.journal().shared.close();
    let (reads, looked) = reads_of(&mut life, Life::look_back);
    assert!(!looked && reads.is_empty());
    assert!(matches!(life.journal().past(), Past::Unread { segments: 4, of: 5 }));
}

#[test]
fn a_checkpoint_that_is_behind_serves_as_well() {
    let mut life = six_segments();
    for _ in 0..3 {
        life.append(&[("bakery", vec![1200])]);
    }
    life.end();
    let (reads, started) = reads_of(&mut life, Life::start);
    started.unwrap();
    assert_eq!(reads, "checkpoint acknowledged base 6 7 8 9");
    life.check();
    while life.pack() | life.write_checkpoint() || life.look_back() {}
    assert_eq!((life.stats().segments_packed, life.stats().checkpoints), (3, 1));
    life.end();
    let (reads, started) = reads_of(&mut life, Life::start);
    started.unwrap();
    assert_eq!(reads, "checkpoint acknowledged base 9");
}

#[test]
fn what_was_not_packed_before_the_checkpoint_is_packed_on_the_way() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..4 {
        life.append(&[("shop", vec![1200])]);
    }
    assert!(life.pack() && life.write_checkpoint());
    life.end();
    life.start().unwrap();
    assert!(!life.pack(), "nobody has read them");
    while life.look_back() {}
    assert_eq!(life.stats().segments_packed, 2);
    assert!(matches!(life.journal().past(), Past::Whole));
    life.check();
}

#[test]
fn only_the_newest_of_many_checkpoints_is_written() {
    let mut life = Life::on(SimulatedDisk::new(0));
    life.start().unwrap();
    for _ in 0..9 {
        life.append(&[("shop", vec![1200])]);
    }
    assert!(life.write_checkpoint() && !life.write_checkpoint());
    life.end();
    assert_eq!(checkpoint::read(&life.disk.folder()).unwrap().segments, Vec::from_iter(1..=8));
}

#[test]
fn the_committer_neither_writes_nor_syncs_a_checkpoint() {
    let mut life = six_segments();
    let of_checkpoint = Arc::new(Mutex::new(0));
    let (note, syncs) = (Arc::clone(&of_checkpoint), Arc::new(Mutex::new(0)));
    let count = Arc::clone(&syncs);
    life.disk.decide(move |kind, path| {
        *note.lock().unwrap() += u64::from(path.file_stem().is_some_and(|stem| stem == "checkpoint"));
        *count.lock().unwrap() += u64::from(kind == Kind::SyncDir);
        Fate::Work
    });
    life.append(&[("shop", vec![1200])]);
    assert_eq!((*of_checkpoint.lock().unwrap(), *syncs.lock().unwrap()), (0, 1), "one for the name of the segment");
    assert!(life.write_checkpoint());
}

#[test]
fn heads_and_chains_are_the_same_with_and_without_it() {
    let dir = with_checkpoint();
    let (journal, recovery) = open(dir.path());
    let verified = verify(dir.path()).unwrap();
    assert_eq!(recovery, Recovery { records: 80, last: 80, torn_tail: None });
    assert_eq!(journal.streams(), verified.streams);
    append(&journal, "shop", &["over the checkpoint"]).unwrap();
    append(&journal, "bakery", &["new"]).unwrap();
    let heads = journal.streams();
    drop(journal);
    assert_eq!(verify(dir.path()).unwrap().streams, heads, "the chain goes on");
    fs::remove_file(checkpoint::path(dir.path())).unwrap();
    let (journal, recovery) = open(dir.path());
    assert_eq!((recovery.last, journal.streams()), (82, heads));
    assert!(matches!(journal.past(), Past::Whole));
}

/// Opens; what the callback was told, with the folder left out.
fn open_and_hear(dir: &Path) -> (Journal, Recovery, String) {
    let (tell, told) = mpsc::channel();
    let on_damage = Box::new(move |error: &JournalError| tell.send(error.to_string()).unwrap());
    let (journal, recovery) = Journal::open(dir, Options { on_damage: Some(on_damage), ..small() }).unwrap();
    let message = told.recv().unwrap().replace(dir.to_str().unwrap(), "DIR");
    assert!(told.recv().is_err(), "once");
    (journal, recovery, message)
}

#[test]
fn damage_before_the_checkpoint_is_told_and_stops_nothing() {
    let dir = with_checkpoint();
    let segment = segments(dir.path()).remove(1);
    let mut bytes = fs::read(&segment).unwrap();
    bytes[200] ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let (journal, recovery, told) = open_and_hear(dir.path());
    expect!["the journal is damaged: the checksum of the packed records does not match their bytes (segment DIR/00000000000000000034.log, byte 32, where record 34 is expected). Lockgate has changed nothing. Put this file back from a copy of the folder, for backups hold the records in another form; do not delete or edit it, every record counts"].assert_eq(&told);
    assert_eq!(recovery, Recovery { records: 80, last: 80, torn_tail: None });
    assert_eq!(append(&journal, "shop", &["new"]).unwrap().first, 81);
    let last = texts(&journal, 70);
    assert_eq!((last.len(), &*last[11]), (12, "81 shop new"));
    let read: Result<Vec<_>, _> = journal.read(1).unwrap().collect();
    let found = damage(dir.path());
    assert!(matches!(read, Err(JournalError::Damage(met)) if met == found), "who reads there meets it");
    assert_eq!(past(&journal), found, "and `verify` finds the same");
    drop(journal);
    assert_eq!(fs::read(&segment).unwrap(), bytes, "nothing is changed");
    assert_eq!(past(&open(dir.path()).0), found, "the next start tells it again");
}

#[test]
fn a_stream_that_ended_before_the_checkpoint_with_another_record_is_told() {
    let dir = TempDir::new().unwrap();
    let (journal, _) = open(dir.path());
    append(&journal, "bakery", &["paid 1000"]).unwrap();
    for _ in 0..3 {
        append(&journal, "shop", &[&"x".repeat(3000)]).unwrap();
    }
    while journal.stats().checkpoints == 0 {
        std::thread::yield_now();
    }
    drop(journal);
    let first = segment::list(&on_disk(dir.path())).unwrap().remove(0);
    let loaded = segment::load(&on_disk(dir.path()), &first).unwrap();
    let mut forged = Vec::new();
    Frame { sequence: 1, batch: 1, following: 0, previous: Hash::default(), stream: "bakery", payload: b"paid 9999" }
        .encode(&mut forged);
    let records = [&forged, &loaded.bytes[HEADER_BYTES as usize + forged.len()..]].concat();
    let packed = lz4_flex::block::compress(&records);
    segment::replace(&on_disk(dir.path()), &first, &packed, records.len() as u32).unwrap();
    assert_eq!(verify(dir.path()).unwrap().records, 4, "every record and chain is whole");
    let (_, _, told) = open_and_hear(dir.path());
    expect!["the journal is damaged: stream `bakery` does not end with the record that the checkpoint knows (segment DIR/00000000000000000001.log, byte 32, where record 1 is expected). Lockgate has changed nothing. Put this file back from a copy of the folder, for backups hold the records in another form; do not delete or edit it, every record counts"].assert_eq(&told);
}

/// Everything was read, all is there, and a checkpoint is written that the next start uses.
fn opens_without_it(dir: &Path, why: &str) {
    let heads = verify(dir).unwrap().streams;
    let (journal, recovery) = open(dir);
    assert!(matches!(journal.past(), Past::Whole), "{why}: everything is read");
    assert_eq!((recovery.records, journal.streams()), (heads.values().map(|head| head.records).sum(), heads), "{why}");
    while journal.stats().checkpoints == 0 {
        std::thread::yield_now();
    }
    assert!(checkpoint_of(dir).fits(&segment::list(&on_disk(dir)).unwrap()), "{why}");
}

#[test]
fn a_checkpoint_that_is_not_whole_is_not_used_and_a_new_one_is_written() {
    let dir = with_checkpoint();
    let path = checkpoint::path(dir.path());
    let whole = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    opens_without_it(dir.path(), "none is there");
    for cut in 0..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(checkpoint::read(&on_disk(dir.path())), None, "cut at {cut}");
        let mut flipped = whole.clone();
        flipped[cut] ^= 1;
        fs::write(&path, flipped).unwrap();
        assert_eq!(checkpoint::read(&on_disk(dir.path())), None, "flipped at {cut}");
    }
    opens_without_it(dir.path(), "flipped");
    let longer = [&whole[..whole.len() - 4], &[0]].concat();
    let newer = [&whole[..19], &[2], &whole[20..whole.len() - 4]].concat();
    for other in [longer, newer] {
        let sum = crc32c::crc32c(&other).to_le_bytes();
        fs::write(&path, [&other[..], &sum].concat()).unwrap();
        opens_without_it(dir.path(), "of another form");
    }
}

#[test]
fn a_checkpoint_of_other_segments_is_not_used() {
    let dir = with_checkpoint();
    let right = checkpoint_of(dir.path());
    type Spoil<'a> = (&'static str, &'a dyn Fn(&mut Checkpoint));
    let spoil: [Spoil; 6] = [
        ("ahead of the segments", &|it| {
            it.segments.push(it.at.through + 1);
            it.at.through = 500;
        }),
        ("ends within a segment", &|it| it.at.through += 1),
        ("knows a segment that never was", &|it| it.segments.insert(1, 5)),
        ("knows another one in the place of one", &|it| it.segments[1] += 1),
        ("does not know a segment", &|it| it.segments.retain(|first| *first == 1)),
        ("ends where no sequence is", &|it| it.at.through = u64::MAX),
    ];
    for (why, spoil) in spoil {
        let mut spoilt = right.clone();
        spoil(&mut spoilt);
        spoilt.write(&on_disk(dir.path())).unwrap();
        opens_without_it(dir.path(), why);
    }
}

#[test]
fn a_checkpoint_of_another_journal_with_the_same_segments_is_not_used() {
    let dir = with_checkpoint();
    let mut foreign = checkpoint_of(dir.path());
    foreign.at.streams.get_mut("shop").unwrap().hash = [7; 32];
    foreign.write(&on_disk(dir.path())).unwrap();
    opens_without_it(dir.path(), "the chain does not go on from it");
    // Nothing came after it that could tell.
    let last = segments(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    bytes[HEADER_BYTES as usize..].fill(0);
    fs::write(&last, bytes).unwrap();
    fs::remove_file(mark::path(dir.path())).unwrap();
    foreign.write(&on_disk(dir.path())).unwrap();
    opens_without_it(dir.path(), "nothing goes on from it");
}

#[test]
fn a_segment_that_is_missing_before_the_checkpoint_is_named_and_nothing_opens() {
    for (missing, problem) in [
        (
            0,
            expect![
                "the journal's first segment, 00000000000000000001.log, is missing, or the file `base` is, where segments were dropped"
            ],
        ),
        (
            1,
            expect![
                "there is no record, yet the next segment begins with record 67; or the segment 00000000000000000034.log is missing"
            ],
        ),
    ] {
        let dir = with_checkpoint();
        fs::remove_file(&segments(dir.path())[missing]).unwrap();
        let found = damage(dir.path());
        problem.assert_eq(&found.problem);
        assert!(matches!(Journal::open(dir.path(), small()), Err(JournalError::Damage(met)) if met == found));
    }
}

#[test]
fn damage_after_the_checkpoint_is_refused_as_without_it() {
    let dir = with_checkpoint();
    let last = segments(dir.path()).pop().unwrap();
    let mut bytes = fs::read(&last).unwrap();
    bytes[100] ^= 1;
    fs::write(&last, &bytes).unwrap();
    let found = damage(dir.path());
    assert!(matches!(Journal::open(dir.path(), small()), Err(JournalError::Damage(met)) if met == found));
    bytes.fill(0);
    fs::write(&last, &bytes[..HEADER_BYTES as usize]).unwrap();
    assert!(Journal::open(dir.path(), small()).is_err());
    fs::remove_file(&last).unwrap();
    assert!(matches!(Journal::open(dir.path(), small()), Err(JournalError::Gone { last: 66, acknowledged: 80, .. })));
}

#[test]
fn the_form_of_a_checkpoint_has_a_number() {
    let head = StreamHead { records: 2, first: 3, last: 4, hash: [0xab; 32] };
    let kept = Checkpoint {
        segments: vec![1, 3],
        at: Heads { through: 4, streams: BTreeMap::from([("Grüße".to_owned(), head)]) },
    };
    let disk = SimulatedDisk::new(0);
    segment::create_dir(&disk.folder()).unwrap();
    kept.write(&disk.folder()).unwrap();
    let bytes = disk.folder().disk.read(&PathBuf::from("/data/journal/checkpoint")).unwrap();
    expect!["6c6f636b6761746520636865636b706f696e740100000004000000000000000200000000000000010000000000000003000000000000000100000000000000074772c3bcc39f65020000000000000003000000000000000400000000000000ababababababababababababababababababababababababababababababababb70a6118"].assert_eq(&hex::encode(bytes));
    assert_eq!(checkpoint::read(&disk.folder()), Some(kept));
}

#[test]
fn a_hundred_thousand_streams_have_a_checkpoint() {
    let dir = TempDir::new().unwrap();
    let head = |number: u64| StreamHead { records: 1, first: number, last: number, hash: [number as u8; 32] };
    let heads = (1..=100_000).map(|number| (format!("project-{number}"), head(number))).collect();
    let large = Checkpoint { segments: vec![1], at: Heads { through: 100_000, streams: heads } };
    large.write(&on_disk(dir.path())).unwrap();
    assert_eq!(checkpoint_of(dir.path()), large);
}
