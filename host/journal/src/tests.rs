//! The journal against a disk that tears, flips, fails and waits.

mod checkpoint;
mod dropping;
mod faults;
mod formats;
mod life;
mod packed;
mod power;
mod simulated;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};

use expect_test::expect;
use tempfile::TempDir;

use self::simulated::{Fate, Kind, SimulatedDisk};
use super::*;
use crate::record::Frame;
use crate::scan::on_disk;
use crate::segment::HEADER_BYTES;

const FIRST: &str = "00000000000000000001.log";

fn small() -> Options {
    Options { segment_bytes: 4096, ..Options::default() }
}

fn open(dir: &Path) -> (Journal, Recovery) {
    Journal::open(dir, small()).unwrap()
}

fn append(journal: &Journal, stream: &str, payloads: &[&str]) -> Result<Committed, JournalError> {
    submit(journal, stream, payloads).recv().unwrap()
}

fn submit(journal: &Journal, stream: &str, payloads: &[&str]) -> Receiver<Result<Committed, JournalError>> {
    let (tell, told) = mpsc::channel();
    let payloads = payloads.iter().map(|payload| payload.as_bytes().to_vec()).collect();
    journal.append(stream, payloads, move |result| tell.send(result).unwrap());
    told
}

fn texts(journal: &Journal, from: u64) -> Vec<String> {
    let text =
        |record: Record| format!("{} {} {}", record.sequence, record.stream, String::from_utf8_lossy(&record.payload));
    journal.read(from).unwrap().map(|record| text(record.unwrap())).collect()
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    segment::list(&on_disk(dir)).unwrap().into_iter().map(|segment| segment.path).collect()
}

fn damage(dir: &Path) -> Damage {
    match verify(dir) {
        Err(JournalError::Damage(damage)) => damage,
        other => panic!("expected damage, got {other:?}"),
    }
}

/// What is found damaged after the start.
fn past(journal: &Journal) -> Damage {
    loop {
        match journal.past() {
            Past::Unread { .. } => std::thread::yield_now(),
            Past::Damaged(JournalError::Damage(damage)) => return damage,
            other => panic!("expected damage, got {other:?}"),
        }
    }
}

/// A journal of these appends, each in its own batch, and where each ends.
fn written(dir: &Path, appends: &[&[&str]]) -> (Vec<u8>, Vec<usize>) {
    let (journal, _) = open(dir);
    let mut end = HEADER_BYTES as usize;
    let mut ends = Vec::new();
    for payloads in appends {
        append(&journal, "shop", payloads).unwrap();
        end += payloads.iter().map(|p| record::framed_bytes("shop", p.as_bytes())).sum::<usize>();
        ends.push(end);
    }
    drop(journal);
    without_power(dir);
    (fs::read(dir.join(FIRST)).unwrap(), ends)
}

/// What was never synced is gone.
fn without_power(dir: &Path) {
    fs::remove_file(mark::path(dir)).unwrap();
}

#[test]
fn records_are_read_back_in_order_after_a_restart() {
    let dir = TempDir::new().unwrap();
    let (journal, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery { records: 0, last: 0, torn_tail: None });
    assert_eq!(append(&journal, "shop", &["a", "b"]).unwrap(), Committed { first: 1, last: 2 });
    assert_eq!(append(&journal, "system", &["c"]).unwrap(), Committed { first: 3, last: 3 });
    drop(journal);
    let (journal, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery { records: 3, last: 3, torn_tail: None });
    append(&journal, "shop", &["d"]).unwrap();
    assert_eq!(texts(&journal, 2), ["2 shop b", "3 system c", "4 shop d"]);
    assert_eq!(journal.streams()["shop"].records, 3);
}

#[test]
fn each_stream_is_a_chain_of_its_own() {
    let dir = TempDir::new().unwrap();
    let (journal, _) = open(dir.path());
    for stream in ["shop", "system", "shop"] {
        append(&journal, stream, &["x"]).unwrap();
    }
    let records: Vec<Record> = journal.read(1).unwrap().map(Result::unwrap).collect();
    assert_eq!(records[0].previous, Hash::default());
    assert_eq!(records[1].previous, Hash::default());
    assert_ne!(records[2].previous, Hash::default());
    drop(journal);
    let verified = verify(dir.path()).unwrap();
    assert_eq!((verified.records, verified.segments), (3, 1));
    expect!["f252231daccd6cc944db261b134c24fb"].assert_eq(&verified.streams["shop"].hash_hex()[..32]);
}

#[test]
fn a_journal_goes_on_in_further_segments() {
    let dir = TempDir::new().unwrap();
    let (journal, _) = open(dir.path());
    let text = "x".repeat(100);
    for _ in 0..200 {
        append(&journal, "shop", &[&text, &text]).unwrap();
    }
    assert!(segments(dir.path()).len() > 10);
    let all = texts(&journal, 1);
    assert_eq!(all.len(), 400);
    for from in [1, 2, 150, 399, 400, 401, u64::MAX] {
        assert_eq!(texts(&journal, from), all[all.len().min(from as usize - 1)..], "from {from}");
    }
    drop(journal);
    assert_eq!(verify(dir.path()).unwrap().records, 400);
    assert_eq!(read(dir.path()).unwrap().2.skip(389).count(), 11);
    assert_eq!(open(dir.path()).1.last, 400);
}

#[test]
fn an_append_larger_than_a_segment_gets_its_own() {
    let dir = TempDir::new().unwrap();
    let (journal, _) = open(dir.path());
    append(&journal, "shop", &["before"]).unwrap();
    append(&journal, "shop", &[&"x".repeat(10_000), "end"]).unwrap();
    append(&journal, "shop", &["after"]).unwrap();
    assert_eq!(segments(dir.path()).len(), 3);
    assert_eq!(texts(&journal, 3), ["3 shop end", "4 shop after"]);
    drop(journal);
    assert_eq!(open(dir.path()).1.last, 4);
}

#[test]
fn a_first_append_larger_than_a_segment_takes_the_place_of_the_empty_one() {
    let dir = TempDir::new().unwrap();
    let (journal, _) = open(dir.path());
    append(&journal, "shop", &[&"x".repeat(10_000)]).unwrap();
    drop(journal);
    assert_eq!(segments(dir.path()).len(), 1);
    assert_eq!(open(dir.path()).1.last, 1);
}

#[test]
fn a_tail_torn_at_any_byte_leaves_exactly_the_whole_appends() {
    let dir = TempDir::new().unwrap();
    let (whole, ends) = written(dir.path(), &[&["first"], &["second", "third"], &["fourth"]]);
    let whole = &whole[..ends[2]];
    for cut in ends[0]..=ends[2] {
        let [zeros, ones] = [0x00, 0xff].map(|junk| {
            let mut torn = whole.to_vec();
            torn[cut..].fill(junk);
            torn.resize(4096, 0);
            torn
        });
        for torn in [zeros, ones, whole[..cut].to_vec()] {
            let kept = ends.iter().filter(|end| torn.get(..**end) == Some(&whole[..**end]));
            let records = [1, 3, 4][kept.count() - 1];
            fs::write(dir.path().join(FIRST), torn).unwrap();
            recovers_to(dir.path(), records);
            for later in segments(dir.path()).iter().skip(1) {
                fs::remove_file(later).unwrap();
            }
        }
    }
}

fn recovers_to(dir: &Path, records: u64) {
    let (journal, recovery) = open(dir);
    assert_eq!(recovery.records, records, "{recovery:?}");
    assert_eq!(append(&journal, "shop", &["new"]).unwrap().first, records + 1);
    drop(journal);
    let (journal, recovery) = open(dir);
    assert_eq!(recovery, Recovery { records: records + 1, last: records + 1, torn_tail: None });
    assert_eq!(texts(&journal, records + 1), [format!("{} shop new", records + 1)]);
    drop(journal);
    without_power(dir);
}

#[test]
fn a_torn_batch_whose_later_pages_reached_the_disk_is_cut_at_its_first_hole() {
    let dir = TempDir::new().unwrap();
    let (mut bytes, ends) = written(dir.path(), &[&["first"], &["second", "third", "fourth"]]);
    bytes[ends[0]..ends[0] + 20].fill(0);
    fs::write(dir.path().join(FIRST), bytes).unwrap();
    let torn = verify(dir.path()).unwrap().torn_tail.unwrap();
    assert_eq!((torn.offset, torn.bytes), (ends[0] as u64, (ends[1] - ends[0]) as u64));
    recovers_to(dir.path(), 1);
}

#[test]
fn bytes_of_a_cut_tail_are_never_taken_for_records_later() {
    let dir = TempDir::new().unwrap();
    let (mut bytes, ends) = written(dir.path(), &[&["first"], &["second", "third"]]);
    bytes[ends[0] + 4] ^= 1;
    fs::write(dir.path().join(FIRST), bytes).unwrap();
    let (journal, recovery) = open(dir.path());
    assert_eq!(recovery.last, 1);
    // As long as the record that was cut, so that `third` would follow it at its old place.
    append(&journal, "shop", &["SECOND"]).unwrap();
    drop(journal);
    assert_eq!(open(dir.path()).1, Recovery { records: 2, last: 2, torn_tail: None });
}

#[test]
fn a_flipped_bit_anywhere_before_the_last_batch_is_refused_with_its_place() {
    let dir = TempDir::new().unwrap();
    let (whole, ends) = written(dir.path(), &[&["first"], &["second", "third"], &["fourth"]]);
    let starts = [ends[0], ends[0] + record::framed_bytes("shop", b"second"), ends[1]];
    for at in HEADER_BYTES as usize..ends[1] {
        for bit in [0x01, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= bit;
            fs::write(dir.path().join(FIRST), &bytes).unwrap();
            let damage = damage(dir.path());
            let record = starts.iter().position(|start| at < *start).unwrap();
            assert_eq!(damage.sequence, record as u64 + 1, "byte {at}");
            assert!(Journal::open(dir.path(), small()).is_err());
            assert_eq!(fs::read(dir.path().join(FIRST)).unwrap(), bytes, "nothing is changed");
        }
    }
}

#[test]
fn a_flipped_bit_in_a_header_is_refused() {
    let dir = TempDir::new().unwrap();
    let (whole, _) = written(dir.path(), &[&["first"]]);
    for at in 0..HEADER_BYTES as usize {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(dir.path().join(FIRST), bytes).unwrap();
        assert_eq!(damage(dir.path()).offset, 0);
    }
}

#[test]
fn damage_is_what_is_still_there_when_it_is_looked_at_again() {
    let at =
        |offset| Err::<u64, _>(Damage { segment: FIRST.into(), offset, sequence: 1, problem: String::new() }.into());
    let mut beside_a_host = [at(32), at(64), Ok(7)].into_iter();
    assert_eq!(scan::settled(|| beside_a_host.next().unwrap()).unwrap(), 7);
    let mut damaged = [at(32), at(32)].into_iter();
    assert!(
        matches!(scan::settled(|| damaged.next().unwrap()), Err(JournalError::Damage(damage)) if damage.offset == 32)
    );
}

#[test]
fn damage_says_where_it_is_and_what_to_do() {
    let dir = TempDir::new().unwrap();
    let (mut bytes, ends) = written(dir.path(), &[&["first"], &["second"], &["third"]]);
    bytes[ends[0] + 60] ^= 1;
    fs::write(dir.path().join(FIRST), bytes).unwrap();
    expect!["the journal is damaged: the record's checksum does not match its bytes, yet record 3 follows at byte 173, written after this place was synced (segment DIR/00000000000000000001.log, byte 102, where record 2 is expected). Lockgate has changed nothing. Put this file back from a copy of the folder, for backups hold the records in another form; do not delete or edit it, every record counts"].assert_eq(&damage(dir.path()).to_string().replace(dir.path().to_str().unwrap(), "DIR"));
}

/// Three segments or more of one-record batches.
fn long_journal(dir: &Path) -> Vec<PathBuf> {
    let (journal, _) = open(dir);
    for _ in 0..100 {
        append(&journal, "shop", &[&"x".repeat(50)]).unwrap();
    }
    drop(journal);
    segments(dir)
}

#[test]
fn damage_at_the_end_of_an_earlier_segment_is_no_torn_tail() {
    let dir = TempDir::new().unwrap();
    let first = &long_journal(dir.path())[0];
    let mut bytes = fs::read(first).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[last] ^= 1;
    fs::write(first, bytes).unwrap();
    assert_eq!(&damage(dir.path()).segment, first);
}

#[test]
fn a_missing_segment_is_noticed() {
    for (missing, sequence) in [(0, 1), (1, 36)] {
        let dir = TempDir::new().unwrap();
        fs::remove_file(&long_journal(dir.path())[missing]).unwrap();
        assert_eq!(damage(dir.path()).sequence, sequence);
    }
}

#[test]
fn a_record_that_was_exchanged_with_its_checksum_breaks_the_chain() {
    let dir = TempDir::new().unwrap();
    let (mut bytes, ends) = written(dir.path(), &[&["first"], &["second"]]);
    let forged =
        Frame { sequence: 1, batch: 1, following: 0, previous: Hash::default(), stream: "shop", payload: b"First" };
    let mut record = Vec::new();
    forged.encode(&mut record);
    bytes[HEADER_BYTES as usize..ends[0]].copy_from_slice(&record);
    fs::write(dir.path().join(FIRST), bytes).unwrap();
    let damage = damage(dir.path());
    assert_eq!(damage.sequence, 2);
    expect!["the record does not follow the one before it in stream `shop`"].assert_eq(&damage.problem);
}

#[test]
fn a_journal_of_a_newer_format_is_told_apart_from_damage() {
    let dir = TempDir::new().unwrap();
    let (mut bytes, _) = written(dir.path(), &[&["first"]]);
    bytes[8] = 3;
    let crc = crc32c::crc32c(&bytes[..28]);
    bytes[28..32].copy_from_slice(&crc.to_le_bytes());
    fs::write(dir.path().join(FIRST), bytes).unwrap();
    assert!(matches!(verify(dir.path()), Err(JournalError::Version { found: 3, known: 2, .. })));
}

#[test]
fn what_cannot_be_a_record_is_refused_and_the_journal_goes_on() {
    let dir = TempDir::new().unwrap();
    let (journal, _) =
        Journal::open(dir.path(), Options { max_payload_bytes: 10, max_queue_bytes: 1000, ..small() }).unwrap();
    assert!(matches!(append(&journal, "", &["x"]), Err(JournalError::InvalidStream { .. })));
    assert!(matches!(append(&journal, &"x".repeat(256), &["x"]), Err(JournalError::InvalidStream { .. })));
    assert!(matches!(append(&journal, "shop", &[]), Err(JournalError::NothingToAppend { .. })));
    assert!(matches!(append(&journal, "shop", &["12345678901"]), Err(JournalError::PayloadTooLarge { .. })));
    assert!(matches!(append(&journal, "shop", &["x"; 20]), Err(JournalError::AppendTooLarge { .. })));
    assert_eq!(append(&journal, "shop", &[""]).unwrap(), Committed { first: 1, last: 1 });
}

#[test]
fn many_threads_get_sequences_without_gaps() {
    let dir = TempDir::new().unwrap();
    let (journal, _) = open(dir.path());
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0..100 {
                    append(journal, &format!("p{thread}"), &[&number.to_string()]).unwrap();
                }
            });
        }
    });
    let records: Vec<Record> = journal.read(1).unwrap().map(Result::unwrap).collect();
    assert!(records.iter().map(|record| record.sequence).eq(1..=1600));
    for thread in 0..16 {
        let stream = format!("p{thread}");
        let own = records.iter().filter(|r| r.stream == stream).map(|r| String::from_utf8_lossy(&r.payload));
        assert!(own.eq((0..100).map(|number| number.to_string())), "in the order of the calls");
    }
    drop(journal);
    assert_eq!(verify(dir.path()).unwrap().streams.len(), 16);
}

/// Hears of every sync, and says what becomes of it.
struct Teller {
    syncing: Receiver<()>,
    word: mpsc::Sender<Fate>,
}

fn open_told(options: Options) -> (Journal, Teller) {
    let disk = SimulatedDisk::new(0);
    let (journal, _) = Journal::open_on(disk.folder(), options).unwrap();
    let (tell, syncing) = mpsc::channel();
    let (word, told) = mpsc::channel();
    let told = Mutex::new(told);
    disk.decide(move |kind, _| match kind {
        Kind::Sync => {
            tell.send(()).unwrap();
            told.lock().unwrap().recv().unwrap()
        }
        _ => Fate::Work,
    });
    (journal, Teller { syncing, word })
}

#[test]
fn everything_that_waits_shares_one_sync() {
    let (journal, teller) = open_told(Options { segment_bytes: 1 << 20, ..Options::default() });
    let first = submit(&journal, "shop", &["first"]);
    teller.syncing.recv().unwrap();
    let waiting: Vec<_> = (0..1000).map(|_| submit(&journal, "shop", &["x"])).collect();
    assert!(first.try_recv().is_err(), "nothing is acknowledged before its sync");
    assert_eq!((journal.last(), texts(&journal, 1).len()), (0, 0), "nor shown");
    teller.word.send(Fate::Work).unwrap();
    teller.word.send(Fate::Work).unwrap();
    first.recv().unwrap().unwrap();
    for (index, waiter) in waiting.into_iter().enumerate() {
        assert_eq!(waiter.recv().unwrap().unwrap().first, index as u64 + 2);
    }
    assert_eq!((journal.stats().batches, journal.stats().records), (2, 1001));
}

#[test]
fn a_failed_sync_stops_the_journal_for_everyone() {
    let fatal = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&fatal);
    let on_fatal: OnFatal = Box::new(move |error| note.lock().unwrap().push(error.to_string()));
    let (journal, teller) = open_told(Options { on_fatal: Some(on_fatal), ..small() });
    let written = submit(&journal, "shop", &["written"]);
    teller.syncing.recv().unwrap();
    let waiting = submit(&journal, "shop", &["waiting"]);
    teller.word.send(Fate::Fail).unwrap();
    for told in [written, waiting] {
        assert!(matches!(told.recv().unwrap(), Err(JournalError::Stopped { .. })));
    }
    assert!(matches!(append(&journal, "shop", &["later"]), Err(JournalError::Stopped { .. })));
    assert_eq!((journal.last(), journal.stats().batches), (0, 0));
    drop(journal);
    let told = fatal.lock().unwrap().join("; ");
    expect!["the journal stopped and takes nothing more: could not sync the journal segment /data/journal/00000000000000000001.log: the disk fails. Check the disk and the permissions of the folder. Restart the host, it recovers what is on disk"].assert_eq(&told);
}

#[test]
fn a_journal_that_stopped_is_dropped_with_all_its_threads() {
    let disk = SimulatedDisk::new(0);
    let (enter, entered) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let on_fatal: OnFatal = Box::new(move |_| go_on.send(()).unwrap());
    let (journal, _) = Journal::open_on(disk.folder(), Options { on_fatal: Some(on_fatal), ..small() }).unwrap();
    disk.decide(move |kind, _| {
        if kind == Kind::Create {
            enter.send(()).unwrap();
            may_go_on.lock().unwrap().recv().unwrap();
            // Whoever did not wait for this is seen.
            (0..1000).for_each(|_| std::thread::yield_now());
        }
        Fate::Work
    });
    append(&journal, "shop", &[&"x".repeat(3000)]).unwrap();
    entered.recv().unwrap();
    disk.decide(|kind, _| if kind == Kind::Sync { Fate::Fail } else { Fate::Work });
    assert!(matches!(append(&journal, "shop", &["x"]), Err(JournalError::Stopped { .. })));
    drop(journal);
    assert!(disk.is_left());
}

#[test]
fn a_half_done_write_is_not_acknowledged_and_is_cut_at_the_next_start() {
    let disk = SimulatedDisk::new(0);
    let (journal, _) = Journal::open_on(disk.folder(), small()).unwrap();
    disk.decide(|kind, _| match kind {
        Kind::Write => Fate::Fail,
        Kind::Sync => panic!("a failed write is never synced"),
        _ => Fate::Work,
    });
    assert!(append(&journal, "shop", &["a", "b"]).is_err());
    drop(journal);
    disk.heal();
    let (_, recovery) = Journal::open_on(disk.folder(), small()).unwrap();
    assert_eq!(recovery.last, 0, "neither of the two records is taken");
    assert!(recovery.torn_tail.is_some());
}

#[test]
fn a_full_queue_refuses_and_takes_again_later() {
    let (journal, teller) = open_told(Options { max_queue_bytes: 150, ..small() });
    let first = submit(&journal, "shop", &["x"]);
    teller.syncing.recv().unwrap();
    let second = submit(&journal, "shop", &["x"]);
    let third = submit(&journal, "shop", &["x"]);
    assert!(matches!(append(&journal, "shop", &["x"]), Err(JournalError::QueueFull { .. })));
    for _ in 0..4 {
        teller.word.send(Fate::Work).unwrap();
    }
    for told in [first, second, third] {
        told.recv().unwrap().unwrap();
    }
    append(&journal, "shop", &["x"]).unwrap();
}

#[test]
fn no_room_for_a_new_segment_refuses_the_append_and_is_tried_again() {
    let dir = TempDir::new().unwrap();
    let (journal, _) = open(dir.path());
    let large = "x".repeat(5000);
    let bytes = framed_bytes("shop", &[large.clone().into_bytes()]) as u64 + HEADER_BYTES;
    let in_the_way = dir.path().join(format!("{bytes}.tmp"));
    fs::create_dir(&in_the_way).unwrap();
    assert!(matches!(append(&journal, "shop", &[&large]), Err(JournalError::Io { .. })));
    append(&journal, "shop", &["small"]).unwrap();
    fs::remove_dir(in_the_way).unwrap();
    assert_eq!(append(&journal, "shop", &[&large]).unwrap().first, 2);
}

#[test]
fn a_panicking_callback_stops_the_journal() {
    let dir = TempDir::new().unwrap();
    let (journal, _) = open(dir.path());
    journal.append("shop", vec![vec![]], |_| panic!("a waiter's mistake"));
    let (tell, told) = mpsc::channel();
    while !matches!(append(&journal, "shop", &["x"]), Err(JournalError::Stopped { .. })) {}
    journal.append("shop", vec![vec![]], move |result| tell.send(result).unwrap());
    assert!(told.recv().unwrap().is_err());
}

#[test]
fn dropping_the_journal_writes_what_waits() {
    let dir = TempDir::new().unwrap();
    let (journal, _) = open(dir.path());
    let waiting: Vec<_> = (0..100).map(|_| submit(&journal, "shop", &["x"])).collect();
    drop(journal);
    assert!(waiting.into_iter().all(|told| told.recv().unwrap().is_ok()));
    assert_eq!(open(dir.path()).1.last, 100);
}

#[test]
fn a_segment_that_a_killed_host_had_prepared_is_removed() {
    let dir = TempDir::new().unwrap();
    written(dir.path(), &[&["first"]]);
    fs::write(dir.path().join("4096.tmp"), [0; 100]).unwrap();
    assert_eq!(open(dir.path()).1.last, 1);
    assert!(!dir.path().join("4096.tmp").exists());
}

/// One append each, and the host is killed.
fn acknowledged(dir: &Path) -> Vec<u8> {
    let (bytes, _) = written(dir, &[&["first"], &["second"], &["third"]]);
    Mark::open(&on_disk(dir)).unwrap().set(3);
    bytes
}

#[test]
fn what_was_acknowledged_and_is_gone_is_never_passed_over() {
    let dir = TempDir::new().unwrap();
    let whole = acknowledged(dir.path());
    let segment = dir.path().join(FIRST);
    let spoil: [&dyn Fn(); 5] = [
        &|| fs::write(&segment, &whole[..200]).unwrap(),
        &|| fs::write(&segment, &whole[..HEADER_BYTES as usize]).unwrap(),
        &|| fs::write(&segment, [&whole[..150], &[0; 3000]].concat()).unwrap(),
        &|| fs::write(&segment, [&whole[..170], &[7; 3000]].concat()).unwrap(),
        &|| fs::remove_file(&segment).unwrap(),
    ];
    for spoil in spoil {
        fs::write(&segment, &whole).unwrap();
        assert_eq!(verify(dir.path()).unwrap().records, 3);
        spoil();
        assert!(matches!(verify(dir.path()), Err(JournalError::Gone { acknowledged: 3, .. })));
        assert!(matches!(Journal::open(dir.path(), small()), Err(JournalError::Gone { .. })));
    }
    let error = verify(dir.path()).unwrap_err().to_string();
    expect!["the journal DIR ends with record 0, but 3 were acknowledged: records are gone from it. A copy that was made while its host ran shows this, too. Put the whole folder back from a copy or backup; or, to go on without them, remove DIR/acknowledged"]
        .assert_eq(&error.replace(dir.path().to_str().unwrap(), "DIR"));
    fs::write(&segment, &whole[..200]).unwrap();
    without_power(dir.path());
    assert_eq!(open(dir.path()).1.last, 2);
}

#[test]
fn a_segment_cut_within_its_header_is_damage() {
    let dir = TempDir::new().unwrap();
    let whole = acknowledged(dir.path());
    fs::write(dir.path().join(FIRST), &whole[..20]).unwrap();
    assert_eq!(damage(dir.path()).problem, "the file is too short for a header");
}

#[test]
fn a_mark_that_is_torn_or_behind_witnesses_less_and_harms_nothing() {
    let dir = TempDir::new().unwrap();
    acknowledged(dir.path());
    for bytes in [&[][..], &[9; 5], &[9; 12]] {
        fs::write(mark::path(dir.path()), bytes).unwrap();
        assert_eq!(open(dir.path()).1.last, 3);
    }
    Mark::open(&on_disk(dir.path())).unwrap().set(1);
    let (journal, _) = open(dir.path());
    append(&journal, "shop", &["fourth"]).unwrap();
    assert_eq!(mark::read(&on_disk(dir.path())).unwrap(), 4);
}

#[test]
fn a_journal_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let journal = dir.path().join("journal");
    assert!(!is_there(&journal).unwrap());
    append(&open(&journal).0, "shop", &["x"]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let modes = [journal.clone(), journal.join(FIRST), mark::path(&journal)].map(|path| mode(&path));
    assert_eq!((is_there(&journal).unwrap(), modes), (true, [0o700, 0o600, 0o600]));
}
