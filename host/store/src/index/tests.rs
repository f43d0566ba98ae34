//! The check of what a start does not read, portion by portion, while rows are written on both sides of it. And sled that is
//! opened again behind everybody's back.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tempfile::TempDir;

use super::rows::{Part, Value};
use super::writer::ROOM_TO_OPEN;
use super::*;

const CONTENT: Content = Content { shape: 1, needed_at_start: &["now"] };

struct Open {
    _dir: TempDir,
    sled: Sled,
    check: Check,
    writer: Writer,
}

fn fresh() -> Open {
    opened_again_after(NEVER)
}

fn opened_again_after(bytes: u64) -> Open {
    let dir = TempDir::new().unwrap();
    let sled = Sled::create(&dir.path().join("index"), &Header::of(CONTENT)).unwrap();
    let check = Check::new(sled.clone());
    let writer = Writer::new(sled.clone(), NeededAtStart(CONTENT.needed_at_start), check.clone(), bytes).unwrap();
    Open { _dir: dir, sled, check, writer }
}

/// Before the check begins: many portions, every tenth value in chunks.
fn filled() -> Open {
    let mut open = fresh();
    open.write((0..400).map(|row| put(row, row)).collect());
    open
}

impl Open {
    fn write(&mut self, entries: Vec<Entry>) {
        let batch = IndexBatch { stream: "shop".to_owned(), through: 1, snapshot: SnapshotChange::Keep, entries };
        self.writer.apply(&[batch]).unwrap();
    }

    /// How many portions it took.
    fn check_to_the_end(&mut self, mut between: impl FnMut(&mut Self, u64)) -> u64 {
        (0..)
            .find(|portion| {
                let before = self.check.state();
                assert!(*portion == 0 || before == IndexCheck::Running, "{before:?}");
                between(self, *portion);
                self.check.portion() == ControlFlow::Break(())
            })
            .unwrap()
    }

    /// Of finished rows.
    fn spoil(&self, row: u64, spoil: impl FnOnce(&[u8], Vec<u8>) -> (Vec<u8>, Option<Vec<u8>>)) {
        let key = [NeededAtStart(&[]).table_prefix("shop", "finished"), key(row)].concat();
        let stored = self.sled.view().get(&key).unwrap().unwrap().to_vec();
        self.sled.write([spoil(&key, stored)].into()).unwrap();
    }
}

fn key(row: u64) -> Vec<u8> {
    row.to_be_bytes().to_vec()
}

fn put(row: u64, version: u64) -> Entry {
    let bytes = if row.is_multiple_of(10) { 6_000 + version % 9_000 } else { 40 + version % 800 };
    Entry { table: "finished", key: key(row), value: Some((0..bytes).map(|at| noise(at ^ version) as u8).collect()) }
}

fn remove(row: u64) -> Entry {
    Entry { table: "finished", key: key(row), value: None }
}

fn noise(of: u64) -> u64 {
    let mixed = of.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 20
}

/// Changed, added and removed anywhere: rows that are counted already, and rows that are not.
fn anything(seed: u64) -> Vec<Entry> {
    let one = |of: u64| match noise(of) % 3 {
        0 => remove(noise(of + 1) % 450),
        _ => put(noise(of + 1) % 450, noise(of + 2) % 10_000),
    };
    (0..6).map(|number| one(seed * 100 + number * 7)).collect()
}

#[test]
fn a_whole_index_is_found_whole_in_small_portions() {
    assert!(filled().check_to_the_end(|_, _| {}) > 10);
    let mut empty = fresh();
    assert_eq!(empty.check_to_the_end(|_, _| {}), 0);
    assert_eq!(empty.check.state(), IndexCheck::Whole);
}

#[test]
fn a_portion_is_a_few_rows_or_one_that_is_long() {
    let of_bytes = |bytes: usize| (0..64).map(|row| Entry { value: Some(vec![7; bytes]), ..put(row, 1) }).collect();
    for (bytes, portions) in [(1, 8), (20_000, 64)] {
        let mut open = fresh();
        open.write(of_bytes(bytes));
        assert_eq!(open.check_to_the_end(|_, _| {}), portions, "of {bytes} bytes");
    }
}

#[test]
fn what_is_written_on_either_side_of_the_check_raises_no_alarm() {
    for seed in 0..20 {
        let mut open = filled();
        let portions = open.check_to_the_end(|open, portion| open.write(anything(seed * 1000 + portion)));
        assert!(portions > 10);
        assert_eq!(open.check.state(), IndexCheck::Whole, "seed {seed}");
    }
}

#[test]
fn a_row_that_comes_and_goes_behind_the_check_is_counted_as_it_is_at_the_end() {
    for at_last in [vec![put(3, 1)], vec![put(3, 2)], vec![remove(3)]] {
        let mut open = filled();
        open.check_to_the_end(|open, portion| match portion {
            2 => open.write(vec![remove(3)]),
            3 => open.write(vec![put(3, 7), put(399, 7), put(500, 7)]),
            4 => open.write(at_last.clone()),
            _ => {}
        });
        assert_eq!(open.check.state(), IndexCheck::Whole);
    }
}

#[test]
fn a_loss_is_found_whatever_is_written_meanwhile() {
    for seed in 0..20 {
        let mut open = filled();
        // Not among those that are written.
        open.write(vec![put(460, 1)]);
        open.spoil(460, |key, _| (key.to_vec(), None));
        open.check_to_the_end(|open, portion| open.write(anything(seed * 1000 + portion)));
        let IndexCheck::Broken(problem) = open.check.state() else { panic!("seed {seed}: not found") };
        assert!(problem.contains("are left, or some are not what was written"), "{problem}");
    }
}

type Spoil = fn(&[u8], Vec<u8>) -> (Vec<u8>, Option<Vec<u8>>);

fn first_chunk(key: &[u8], stored: &[u8]) -> Vec<u8> {
    let Some(Value::Chunked(chunks)) = Value::decode(stored) else { panic!("it is not long") };
    chunks.keys(key).next().unwrap()
}

#[test]
fn each_way_to_spoil_a_row_is_found() {
    let spoils: [(u64, Spoil, &str); 6] = [
        (5, |key, _| (key.to_vec(), None), "read: of 400 rows 399 are left"),
        (5, |key, stored| ([key, b"more"].concat(), Some(stored)), "read: of 400 rows 401 are left"),
        (
            5,
            |key, stored| (key.to_vec(), Some([stored.as_slice(), b"x"].concat())),
            "read: of 400 rows 400 are left, or some",
        ),
        (5, |key, _| (key.to_vec(), Some(vec![9])), "read: a value is not what was written"),
        (10, |key, stored| (first_chunk(key, &stored), None), "read: a long value is not what was written"),
        (
            10,
            |key, stored| (first_chunk(key, &stored), Some(vec![7; 4096])),
            "read: a long value is not what was written",
        ),
    ];
    for (row, spoil, expected) in spoils {
        let mut open = filled();
        open.spoil(row, spoil);
        open.check_to_the_end(|_, _| {});
        let IndexCheck::Broken(problem) = open.check.state() else { panic!("not found: {expected}") };
        assert!(problem.starts_with(expected), "{problem}");
    }
}

#[test]
fn a_packed_value_that_lies_about_its_length_is_a_broken_index() {
    let mut open = filled();
    let lie = [[0, 1].as_slice(), &u32::MAX.to_le_bytes(), b"short"].concat();
    open.spoil(5, |key, _| (key.to_vec(), Some(lie)));
    open.check_to_the_end(|_, _| {});
    let expected = "read: a value claims to be longer than so few packed bytes can hold";
    assert_eq!(open.check.state(), IndexCheck::Broken(expected.to_owned()));
}

#[test]
fn what_a_reader_finds_broken_is_told_as_well() {
    let open = filled();
    open.spoil(5, |key, _| (key.to_vec(), Some(vec![9])));
    assert_eq!(open.check.state(), IndexCheck::Running);
    let key = [NeededAtStart(&[]).table_prefix("shop", "finished"), key(5)].concat();
    open.sled.view().read(&key).unwrap_err();
    assert_eq!(open.check.state(), IndexCheck::Broken("read: a value is not what was written".to_owned()));
}

/// Nobody knows what is there, so nobody may say that something is missing.
#[test]
fn after_a_write_that_failed_nothing_is_said() {
    for portions in [1, usize::MAX] {
        let open = filled();
        let _ = (0..portions).find(|_| open.check.portion().is_break());
        assert_eq!(open.check.state() == IndexCheck::Whole, portions > 1);
        let full_disk = || Err::<(), _>(StoreError::Stopping { what: "the disk" });
        open.check.while_it_stands(&[], full_disk).unwrap_err();
        assert!(open.check.portion().is_break());
        let why = "the store is stopping: the disk takes nothing more".to_owned();
        assert_eq!(open.check.state(), IndexCheck::Unfinished(why));
    }
}

#[test]
fn an_index_that_is_closed_ends_its_check() {
    let open = filled();
    let check = open.check.clone();
    let needed = NeededAtStart(CONTENT.needed_at_start);
    let mut index = Index { sled: open.sled.clone(), needed, check: check.clone(), jobs: None, threads: Vec::new() };
    let closing = check.while_it_stands(&[], || {
        let running = check.clone();
        index.start("index check", || running.run()).unwrap();
        let closing = thread::spawn(|| drop(index));
        let began = Instant::now();
        while check.state() == IndexCheck::Running {
            assert!(began.elapsed() < Duration::from_secs(20), "it goes on");
            thread::yield_now();
        }
        Ok(closing)
    });
    closing.unwrap().join().unwrap();
    assert_eq!(check.state(), IndexCheck::Unfinished("the index was closed".to_owned()));
}

#[test]
fn a_key_belongs_to_one_part_and_a_chunk_to_none() {
    let needed = NeededAtStart(&["now"]);
    let part = |table| Part::of(&needed.table_prefix("shop", table));
    assert_eq!((part("now"), part("finished"), part("no")), (Some(Part::Start), Some(Part::Rest), Some(Part::Rest)));
    assert_eq!(Part::of(&stream_key(SNAPSHOT, "shop")), Some(Part::Start));
    let mut writes = rows::Writes::new();
    rows::put(b"x".to_vec(), &(0..9000).map(|at| noise(at) as u8).collect::<Vec<_>>(), &mut writes);
    assert_eq!(writes.len(), 4);
    assert!(writes.keys().all(|key| Part::of(key).is_none()));
}

// Opened again.

const AFTER_EACH_ROUND: u64 = 0;
const NEVER: u64 = u64::MAX;

fn begun(dir: &Path, reopen_after_bytes: u64) -> Index {
    let sled = if dir.exists() { open_checked(dir, &Header::of(CONTENT)).unwrap().unwrap() } else { created(dir) };
    Index::begin(sled, NeededAtStart(CONTENT.needed_at_start), reopen_after_bytes).unwrap()
}

fn created(dir: &Path) -> Sled {
    Sled::create(dir, &Header::of(CONTENT)).unwrap()
}

/// Two streams, each with a snapshot and rows of both parts; all say which version they are of.
fn round(version: u64) -> Vec<IndexBatch> {
    let state = || (0..6_000).map(|at| noise(at ^ version) as u8).collect();
    let now = Entry { table: "now", key: key(1), value: Some(version.to_be_bytes().to_vec()) };
    let rows = [now, put(10, version), put(20, version), put(100 + version, version), remove(100 + version / 2)];
    let of = |stream: &str| IndexBatch {
        stream: stream.to_owned(),
        through: version,
        snapshot: SnapshotChange::Replace(state()),
        entries: rows.to_vec(),
    };
    vec![of("bank"), of("shop")]
}

/// All that can be read of a stream.
fn all_of(index: &Index, stream: &str) -> (u64, Option<Snapshot>, [Vec<Row>; 2]) {
    let all = PageQuery { stream, ..ROWS };
    let rows = ["now", "finished"].map(|table| index.page(&PageQuery { table, ..all }).unwrap());
    (index.through(stream).unwrap(), index.snapshot(stream).unwrap(), rows)
}

const ROWS: PageQuery<'static> = PageQuery {
    stream: "shop",
    table: "finished",
    prefix: &[],
    after: None,
    limit: 10_000,
    direction: Direction::Ascending,
};

fn checked(index: &Index) -> IndexCheck {
    end_of(&index.check)
}

fn end_of(check: &Check) -> IndexCheck {
    let began = Instant::now();
    while check.state() == IndexCheck::Running {
        assert!(began.elapsed() < Duration::from_secs(20), "the check does not end");
        thread::yield_now();
    }
    check.state()
}

#[tokio::test]
async fn an_index_that_is_opened_again_after_each_round_has_what_another_has() {
    let dir = TempDir::new().unwrap();
    let (often, never) = (dir.path().join("often"), dir.path().join("never"));
    let of_both = [(&often, AFTER_EACH_ROUND), (&never, NEVER)].map(|(dir, after)| begun(dir, after));
    for version in 1..60 {
        for index in &of_both {
            index.apply(round(version), true).await.unwrap();
        }
    }
    let said = |index: &Index| (checked(index), ["bank", "shop"].map(|stream| all_of(index, stream)));
    let tallies = |index: &Index| index.sled.view().tallies().unwrap();
    let (mine, expected) = (said(&of_both[0]), said(&of_both[1]));
    assert_eq!(expected.0, IndexCheck::Whole);
    assert!(mine == expected);
    assert_eq!(tallies(&of_both[0]), tallies(&of_both[1]));
    drop(of_both);
    let again = begun(&often, NEVER);
    assert!(said(&again) == expected);
}

#[tokio::test]
async fn who_reads_beside_it_sees_whole_batches_and_no_error() {
    let dir = TempDir::new().unwrap();
    let index = Arc::new(begun(&dir.path().join("index"), AFTER_EACH_ROUND));
    index.apply(round(1), true).await.unwrap();
    let writing = Arc::new(AtomicBool::new(true));
    let readers = [(); 3].map(|()| {
        let (index, writing) = (Arc::clone(&index), Arc::clone(&writing));
        thread::spawn(move || {
            while writing.load(Ordering::Relaxed) {
                let two = index.page(&PageQuery { limit: 2, ..ROWS }).unwrap();
                assert!(two[0].1 == two[1].1, "half a batch");
                let Snapshot { through, state } = index.snapshot("shop").unwrap().unwrap();
                assert!(round(through)[1].snapshot == SnapshotChange::Replace(state));
            }
        })
    });
    for version in 2..60 {
        index.apply(round(version), true).await.unwrap();
    }
    writing.store(false, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert_eq!(checked(&index), IndexCheck::Whole);
}

#[test]
fn the_check_goes_on_where_it_was() {
    for seed in 0..5 {
        let mut open = filled();
        let portions = open.check_to_the_end(|open, portion| {
            open.write(anything(seed * 1000 + portion));
            open.writer.reopen().unwrap();
        });
        assert!(portions > 10);
        assert_eq!(open.check.state(), IndexCheck::Whole, "seed {seed}");
    }
}

#[tokio::test]
async fn an_index_that_is_closed_meanwhile_is_opened_whole_by_the_next_start() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("index");
    for version in 1..20 {
        let index = begun(&path, AFTER_EACH_ROUND);
        index.apply(round(version), true).await.unwrap();
        let (closed, is_closed) = std::sync::mpsc::channel();
        thread::spawn(move || {
            drop(index);
            closed.send(()).unwrap();
        });
        is_closed.recv_timeout(Duration::from_secs(20)).expect("it does not end");
        assert_eq!(begun(&path, NEVER).through("shop").unwrap(), version);
    }
}

/// As the disk has it now.
fn killed(dir: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for name in files_of(dir) {
        fs::copy(dir.join(&name), copy.path().join(&name)).unwrap();
    }
    copy
}

fn files_of(dir: &Path) -> Vec<String> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_file());
    files.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// Where in its log sled has noted where its pages lie.
fn noted(dir: &Path) -> u64 {
    let notes = files_of(dir).into_iter().filter_map(|name| Some(name.strip_prefix("snap.")?.to_owned()));
    notes.map(|end| u64::from_str_radix(&end, 16).unwrap()).max().unwrap_or(0)
}

#[test]
fn a_start_reads_only_what_was_written_since_sled_was_opened_again() {
    // Nobody counts what sled has not written yet, and that may be all between two flushes.
    for (reopen_after_bytes, read_mb) in [(NEVER, 25..200), (2 << 20, 0..20)] {
        let open = opened_again_after(reopen_after_bytes);
        let (jobs, waiting) = mpsc::channel(3000);
        for version in 1..3000 {
            jobs.try_send(Job { batches: round(version), is_patient: true, done: oneshot::channel().0 }).unwrap();
        }
        drop(jobs);
        open.writer.run(waiting);
        let copy = killed(open.sled.dir());
        let before = noted(copy.path());
        drop(Sled::open(copy.path()).unwrap());
        let read = noted(copy.path()) - before;
        assert!(read_mb.contains(&(read >> 20)), "{read} bytes after {reopen_after_bytes}");
    }
}

#[test]
fn what_was_noted_is_not_counted_again() {
    let mut open = filled();
    open.sled.flush().unwrap();
    assert!(open.sled.unnoted_bytes() > 100_000);
    open.writer.reopen().unwrap();
    assert_eq!(open.sled.unnoted_bytes(), 0);
}

/// As a process does that is just being started, and has not let go of what it has of the host yet.
#[test]
fn a_lock_that_somebody_holds_a_moment_longer_is_waited_for() {
    let mut open = filled();
    let file = open.sled.dir().join("db");
    let (ask, asked) = std::sync::mpsc::channel();
    let (hold, held) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for () in asked {
            let file = File::open(&file).unwrap();
            flock(&file, FlockOperation::LockExclusive).unwrap();
            // Not to wait for something: to hold it for a moment is what is tried.
            thread::sleep(Duration::from_millis(20));
            drop(file);
            hold.send(()).unwrap();
        }
    });
    for _ in 0..3 {
        ask.send(()).unwrap();
        while held.try_recv().is_err() {
            open.writer.reopen().unwrap();
            assert_eq!(open.sled.what_is_broken(), None);
        }
    }
}

/// The folder of the index, and one as it was before the last batch.
type SpoilFolder = fn(&Path, &Path);

/// sled still has the file that was there.
fn replace(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).unwrap();
    fs::write(file, bytes).unwrap();
}

fn put_back(dir: &Path, before: &Path) {
    for name in files_of(before) {
        replace(&dir.join(&name), &fs::read(before.join(&name)).unwrap());
    }
}

#[test]
fn what_cannot_be_opened_again_is_told_to_everybody_and_built_anew_by_the_next_start() {
    let spoils: [(SpoilFolder, &str); 5] = [
        (|dir, _| replace(&dir.join("db"), &[7; 100_000]), "Read corrupted data"),
        (|dir, _| replace(&dir.join("db"), &[]), "Read corrupted data"),
        (|dir, _| replace(&dir.join("conf"), &[7; 100]), "Read corrupted data"),
        (|dir, _| replace(&dir.join(format!("snap.{:016X}", noted(dir))), &[7; 100]), "Read corrupted data"),
        (put_back, "what was written last is gone"),
    ];
    for (spoil, told) in spoils {
        let mut open = filled();
        open.writer.reopen().unwrap();
        let before = killed(open.sled.dir());
        open.write(vec![put(500, 1)]);
        let path = open.sled.dir().to_owned();
        spoil(&path, before.path());
        assert!(open.writer.reopen().is_err());
        let Open { _dir, sled, check, mut writer } = open;
        assert!(sled.view().read(&stream_key(SNAPSHOT, "shop")).is_err());
        assert!(writer.apply(&round(2)).is_err());
        let IndexCheck::Broken(problem) = check.state() else { panic!("not told: {told}") };
        assert!(problem.starts_with(&format!("open again: {told}")), "{problem}");
        drop((sled, check, writer));
        let ends = [("shop".to_owned(), 1)].into();
        let (index, state) = Index::open(&path, Path::new("journal"), CONTENT, &ends).unwrap();
        assert_eq!(state, IndexState::Rebuilt(RebuildReason::Broken(problem)));
        assert_eq!((checked(&index), index.through("shop").unwrap()), (IndexCheck::Whole, 0));
    }
}

#[test]
fn where_it_could_not_be_opened_for_want_of_something_it_is_whole_again_with_the_next_start() {
    let mut open = filled();
    let path = open.sled.dir().to_owned();
    let (db, aside) = (path.join("db"), path.join("aside"));
    open.writer.reopen().unwrap();
    taken_away(&db, &aside);
    assert!(open.writer.reopen().is_err());
    let told = open.writer.apply(&round(2)).unwrap_err().to_string();
    assert!(told.contains("Is a directory"), "{told}");
    assert!(matches!(open.check.state(), IndexCheck::Unfinished(_)));
    given_back(&db, &aside);
    let Open { _dir, sled, check, writer } = open;
    drop((sled, check, writer));
    let (index, state) = Index::open(&path, Path::new("journal"), CONTENT, &[("shop".to_owned(), 1)].into()).unwrap();
    assert_eq!((state, index.through("shop").unwrap()), (IndexState::Ready, 1));
}

/// `[]` in the place of the file: nothing can be opened or written there.
fn taken_away(db: &Path, aside: &Path) {
    fs::rename(db, aside).unwrap();
    fs::create_dir(db).unwrap();
}

fn given_back(db: &Path, aside: &Path) {
    fs::remove_dir(db).unwrap();
    fs::rename(aside, db).unwrap();
}

#[test]
fn what_the_disk_held_up_goes_on_when_it_takes_it_again_and_nothing_is_missing() {
    let mut open = filled();
    open.sled.flush().unwrap();
    let (db, aside) = (open.sled.dir().join("db"), open.sled.dir().join("aside"));
    let unflushed = killed(open.sled.dir());
    open.write(vec![put(500, 1), put(3, 700)]);
    taken_away(&db, &aside);
    assert!(open.writer.mend(ROOM_TO_OPEN).is_err());
    assert!(open.writer.apply(&round(2)).is_err());

    given_back(&db, &aside);
    // sled forgets what it has not flushed.
    put_back(open.sled.dir(), unflushed.path());
    open.writer.mend(ROOM_TO_OPEN).unwrap();
    open.writer.apply(&round(2)).unwrap();
    open.writer.reopen().unwrap();
    assert_eq!(open.sled.view().mark("shop").unwrap().unwrap().through, 2);
    let row = [NeededAtStart(&[]).table_prefix("shop", "finished"), key(3)].concat();
    assert_eq!(open.sled.view().read(&row).unwrap(), put(3, 700).value);
    let again = Check::new(open.sled.clone());
    again.clone().run();
    assert_eq!((again.state(), end_of(&open.check)), (IndexCheck::Whole, IndexCheck::Whole));
}

#[test]
fn what_the_disk_holds_up_is_opened_again_only_where_there_is_room_for_that() {
    let mut open = filled();
    let full = StoreError::IndexHeldUp { attempt: "write", problem: "no room".to_owned() };
    open.writer.hold_up(full.clone());
    let told = open.writer.mend(ROOM_TO_OPEN - 1).unwrap_err();
    assert_eq!(told.to_string(), full.to_string());
    open.writer.mend(ROOM_TO_OPEN).unwrap();
    open.writer.apply(&round(2)).unwrap();
}

#[tokio::test]
async fn who_is_patient_waits_for_the_disk_and_others_are_told() {
    let dir = TempDir::new().unwrap();
    let (path, aside) = (dir.path().join("index"), dir.path().join("aside"));
    let index = begun(&path, AFTER_EACH_ROUND);
    index.apply(round(1), true).await.unwrap();
    taken_away(&path.join("db"), &aside);
    // At the latest behind the next round nothing can be opened.
    let told = match index.apply(round(2), false).await {
        Ok(()) => index.apply(round(3), false).await.unwrap_err(),
        Err(told) => told,
    };
    assert!(matches!(told, StoreError::IndexHeldUp { .. }), "{told}");
    let patient = tokio::time::timeout(Duration::from_secs(60), index.apply(round(4), true));
    let (done, ()) = tokio::join!(patient, async {
        tokio::task::yield_now().await;
        given_back(&path.join("db"), &aside);
    });
    done.expect("it waits for ever").unwrap();
    assert_eq!(index.get("shop", "now", &key(1)).unwrap(), Some(4_u64.to_be_bytes().to_vec()));
    assert_eq!(index.through("shop").unwrap(), 4);
    assert_eq!(checked(&index), IndexCheck::Whole);
}

#[test]
fn a_broken_index_stays_where_there_is_room_for_another_beside_it() {
    for (free_bytes, stays) in [(399, false), (400, true)] {
        let dir = TempDir::new().unwrap();
        let index = dir.path().join("index");
        fs::create_dir(&index).unwrap();
        fs::write(index.join("db"), [7; 100]).unwrap();
        move_aside(&index, free_bytes).unwrap();
        assert_eq!((index.exists(), aside(&index).exists()), (false, stays));
    }
}
