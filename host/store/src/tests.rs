//! A data folder that is closed, killed, spoiled and opened again.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use expect_test::expect;
use tempfile::TempDir;

use super::*;

fn small() -> StoreOptions {
    StoreOptions {
        journal: journal::Options { segment_bytes: 64 << 10, ..journal::Options::default() },
        index_shape: 1,
        needed_at_start: &["now"],
    }
}

fn open(dir: &Path) -> (Store, Opened) {
    Store::open(dir, small()).unwrap()
}

fn fresh() -> (TempDir, Store) {
    let dir = TempDir::new().unwrap();
    let (store, opened) = open(dir.path());
    assert_eq!(opened, Opened { events: 0, torn_tail: None, index: IndexState::Ready });
    (dir, store)
}

/// What the disk would hold if the host were killed now.
fn killed(dir: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for file in files(dir) {
        let to = copy.path().join(file.strip_prefix(dir).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&file, to).unwrap();
    }
    copy
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let (dirs, mut found): (Vec<_>, Vec<_>) =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).partition(|path| path.is_dir());
    found.extend(dirs.iter().flat_map(|dir| files(dir)));
    found
}

fn raw_index(dir: &Path) -> sled::Db {
    let dir = dir.join("index");
    index::wait_until_released(&dir);
    sled::open(dir).unwrap()
}

async fn append(store: &Store, stream: &str, payload: &str) -> u64 {
    store.append(stream, vec![payload.as_bytes().to_vec()]).await.unwrap().last
}

fn put(table: &'static str, key: &str, value: impl AsRef<[u8]>) -> Entry {
    Entry { table, key: key.as_bytes().to_vec(), value: Some(value.as_ref().to_vec()) }
}

/// Nothing that could be packed.
fn noise(bytes: usize) -> Vec<u8> {
    let mixed = |at: u64| at.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (0..bytes as u64).map(|at| (mixed(mixed(at) ^ (mixed(at) >> 29)) >> 40) as u8).collect()
}

fn remove(table: &'static str, key: &str) -> Entry {
    Entry { table, key: key.as_bytes().to_vec(), value: None }
}

async fn index(store: &Store, stream: &str, through: u64, entries: Vec<Entry>) {
    let batch = IndexBatch { stream: stream.to_owned(), through, snapshot: SnapshotChange::Keep, entries };
    store.index(batch).await.unwrap();
}

async fn snapshot(store: &Store, stream: &str, through: u64, state: &[u8]) {
    let snapshot = SnapshotChange::Replace(state.to_vec());
    store.index(IndexBatch { stream: stream.to_owned(), through, snapshot, entries: vec![] }).await.unwrap();
}

/// How far each stream's snapshot goes.
fn through(store: &Store) -> BTreeMap<String, u64> {
    let through = |stream: String| Some((store.snapshot(&stream).unwrap()?.through, stream));
    store.streams().into_iter().filter_map(through).map(|(through, stream)| (stream, through)).collect()
}

fn tail(store: &Store) -> Vec<String> {
    store.tail(&through(store)).unwrap().map(|event| text(&event.unwrap())).collect()
}

fn text(event: &Event) -> String {
    format!("{} {} {}", event.sequence, event.stream, String::from_utf8_lossy(&event.payload))
}

fn get(store: &Store, key: &str) -> Option<Vec<u8>> {
    store.get("shop", "plans", key.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_stream_is_loaded_from_its_snapshot_and_the_events_after_it() {
    let (dir, store) = fresh();
    append(&store, "shop", "a").await;
    append(&store, "bank", "b").await;
    let through = append(&store, "shop", "c").await;
    snapshot(&store, "shop", through, b"a+c").await;
    append(&store, "shop", "d").await;
    drop(store);
    let (store, opened) = open(dir.path());
    assert_eq!(opened, Opened { events: 4, torn_tail: None, index: IndexState::Ready });
    assert_eq!(store.streams(), ["bank", "shop"]);
    assert_eq!(tail(&store), ["2 bank b", "4 shop d"]);
    assert_eq!(store.snapshot("shop").unwrap(), Some(Snapshot { through: 3, state: b"a+c".to_vec() }));
    assert_eq!(store.snapshot("nothing").unwrap(), None);
    let all = store.tail(&BTreeMap::new()).unwrap().count();
    assert_eq!(all, 4, "a snapshot that cannot be read is left out");
}

#[tokio::test]
async fn what_is_indexed_together_is_as_if_it_came_one_after_the_other() {
    let (_dir, store) = fresh();
    for payload in ["a", "b", "c"] {
        append(&store, "shop", payload).await;
    }
    let batch = |through, snapshot, entries| IndexBatch { stream: "shop".to_owned(), through, snapshot, entries };
    let gathered = vec![
        batch(1, SnapshotChange::Keep, vec![put("plans", "kept", "1"), put("plans", "gone", "1")]),
        batch(2, SnapshotChange::Replace(b"at two".to_vec()), vec![put("plans", "kept", "2")]),
        batch(3, SnapshotChange::Keep, vec![remove("plans", "gone")]),
    ];
    store.index_all(gathered).await.unwrap();
    assert_eq!((get(&store, "kept"), get(&store, "gone")), (Some(b"2".to_vec()), None));
    assert_eq!(store.indexed_through("shop").unwrap(), 3);
    assert_eq!(store.snapshot("shop").unwrap(), Some(Snapshot { through: 2, state: b"at two".to_vec() }));
}

/// Three segments or more, of which a checkpoint stands for all but the last.
async fn long(dir: &Path) -> Store {
    let (store, _) = open(dir);
    let event = format!("\"{}\"", "x".repeat(20 << 10));
    for _ in 0..8 {
        append(&store, "shop", &event).await;
    }
    snapshot(&store, "shop", 8, b"eight").await;
    while store.stats().checkpoints == 0 || store.stats().segments_packed < 2 {
        std::thread::yield_now();
    }
    store
}

#[tokio::test]
async fn damage_in_the_past_is_told_to_the_host_and_it_goes_on() {
    let dir = TempDir::new().unwrap();
    drop(long(dir.path()).await);
    let segment = dir.path().join("journal/00000000000000000001.log");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[100] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let on_damage: OnDamage = Box::new(move |error| tell.send(error.to_string()).unwrap());
    let options = journal::Options { on_damage: Some(on_damage), ..small().journal };
    let (store, opened) = Store::open(dir.path(), StoreOptions { journal: options, ..small() }).unwrap();
    assert_eq!(opened, Opened { events: 8, torn_tail: None, index: IndexState::Ready });
    let damage = told.recv().unwrap();
    assert!(damage.contains("00000000000000000001.log"), "{damage}");
    assert!(matches!(store.past(), Past::Damaged(error) if error.to_string() == damage));
    assert_eq!(append(&store, "shop", "after").await, 9);
    assert_eq!(tail(&store), ["9 shop after"]);
    assert!(store.events(1).unwrap().any(|event| event.is_err()));
    assert!(store.back_up(Vec::new()).is_err(), "a backup holds all or is none");
    assert!(export::export(&dir.path().join("journal"), &mut Vec::new()).is_err());
}

#[tokio::test]
async fn of_a_stream_that_was_quiet_for_long_only_what_is_new_is_read() {
    let dir = TempDir::new().unwrap();
    let (store, _) = Store::open(dir.path(), small()).unwrap();
    append(&store, "quiet", "first").await;
    drop(store);
    drop(long(dir.path()).await);
    let segment = dir.path().join("journal/00000000000000000001.log");
    let (store, _) = Store::open(dir.path(), small()).unwrap();
    append(&store, "quiet", "second").await;
    drop(store);
    // Whoever reads what lies between meets this.
    fs::write(segment, b"gone").unwrap();
    let (store, _) = Store::open(dir.path(), small()).unwrap();
    let tail = |quiet: u64| store.tail(&[("quiet".to_owned(), quiet), ("shop".to_owned(), 9)].into());
    let second: Vec<Event> = tail(1).unwrap().map(Result::unwrap).collect();
    assert_eq!(second, [Event { sequence: 10, stream: "quiet".to_owned(), payload: b"second".to_vec() }]);
    assert!(tail(0).unwrap().next().unwrap().is_err(), "its first one lies there");
}

#[tokio::test]
async fn a_backup_has_no_checkpoint_and_what_is_restored_needs_none() {
    let dir = TempDir::new().unwrap();
    let store = long(dir.path()).await;
    let mut backup = Vec::new();
    store.back_up(&mut backup).unwrap();
    let restored = TempDir::new().unwrap();
    assert_eq!(backup::restore(restored.path(), backup.as_slice()).unwrap().events, 8);
    let (again, opened) = open(restored.path());
    assert_eq!((opened.events, again.heads()), (8, store.heads()));
}

#[tokio::test]
async fn a_checkpoint_without_its_segments_is_no_journal() {
    let dir = TempDir::new().unwrap();
    drop(long(dir.path()).await);
    for file in files(&dir.path().join("journal")) {
        if file.file_name().unwrap() != "checkpoint" {
            fs::remove_file(file).unwrap();
        }
    }
    let refused = Store::open(dir.path(), small()).err().unwrap();
    assert!(matches!(refused, StoreError::JournalIsGone { .. }), "{refused}");
}

#[tokio::test]
async fn without_its_snapshot_a_stream_is_loaded_from_its_first_event() {
    let (dir, store) = fresh();
    let through = append(&store, "shop", "a").await;
    snapshot(&store, "shop", through, b"a").await;
    let batch =
        IndexBatch { stream: "shop".to_owned(), through, snapshot: SnapshotChange::Remove, entries: Vec::new() };
    store.index(batch).await.unwrap();
    drop(store);
    let (store, _) = open(dir.path());
    assert_eq!(store.snapshot("shop").unwrap(), None);
    assert_eq!(tail(&store), ["1 shop a"]);
}

#[tokio::test]
async fn the_tail_is_empty_when_everything_is_in_snapshots() {
    let (_dir, store) = fresh();
    let through = append(&store, "shop", "a").await;
    snapshot(&store, "shop", through, b"a").await;
    assert_eq!(tail(&store), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_appends_waits_in_line_and_none_is_refused() {
    let dir = TempDir::new().unwrap();
    let options = StoreOptions { journal: journal::Options { max_queue_bytes: 2000, ..small().journal }, ..small() };
    let (store, _) = Store::open(dir.path(), options).unwrap();
    let tasks: Vec<_> = (0..300)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { append(&store, "shop", &"x".repeat(300)).await })
        })
        .collect();
    let mut sequences = Vec::new();
    for task in tasks {
        sequences.push(task.await.unwrap());
    }
    sequences.sort_unstable();
    assert!(sequences.into_iter().eq(1..=300));
}

#[tokio::test]
async fn a_second_host_is_refused_and_told_who_has_the_folder() {
    let (dir, store) = fresh();
    let error = Store::open(dir.path(), small()).err().unwrap().to_string();
    let error = error.replace(dir.path().to_str().unwrap(), "DIR").replace(&std::process::id().to_string(), "PID");
    expect!["the data folder DIR is in use by the host with process id PID: stop that host first, or give this one another folder"].assert_eq(&error);
    drop(store);
    open(dir.path());
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let (dir, store) = fresh();
    for number in 0..500 {
        let through = append(&store, "shop", &number.to_string()).await;
        index(&store, "shop", through, vec![put("plans", &number.to_string(), vec![7; 4000])]).await;
    }
    let killed = killed(dir.path());
    let (store, opened) = open(killed.path());
    assert_eq!(opened.events, 500);
    assert!(store.indexed_through("shop").unwrap() <= 500, "the index may be behind");
    assert_eq!(tail(&store).len(), 500);
}

#[tokio::test]
async fn what_is_in_the_index_is_on_the_disk_before_long_also_where_nothing_more_comes() {
    let (dir, store) = fresh();
    let through = append(&store, "shop", "a").await;
    index(&store, "shop", through, vec![put("plans", "1", "kept")]).await;
    let kept = async {
        loop {
            let killed = killed(dir.path());
            if get(&open(killed.path()).0, "1").is_some() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), kept).await.expect("nobody closes it");
}

#[tokio::test]
async fn a_batch_is_applied_as_one_and_the_last_word_on_a_key_counts() {
    let (_dir, store) = fresh();
    let through = append(&store, "shop", "a").await;
    index(&store, "shop", through, vec![put("plans", "1", "old"), put("plans", "2", "x"), put("plans", "1", "new")])
        .await;
    assert_eq!(get(&store, "1").unwrap(), b"new");
    index(&store, "shop", through, vec![remove("plans", "1")]).await;
    assert_eq!(get(&store, "1"), None);
    assert_eq!(get(&store, "2").unwrap(), b"x");
    assert_eq!(store.indexed_through("shop").unwrap(), through);
}

#[tokio::test]
async fn long_values_come_back_whole_and_leave_nothing_when_removed() {
    let (dir, store) = fresh();
    let through = append(&store, "shop", "a").await;
    for bytes in [0, 1, 255, 256, 4094, 4095, 4096, 4097, 300_000, 8191, 8192, 5_000_000, 10] {
        for value in [(0..bytes).map(|at| (at % 251) as u8).collect(), noise(bytes)] {
            index(&store, "shop", through, vec![put("plans", "1", &value)]).await;
            assert!(get(&store, "1").unwrap() == value, "{bytes} bytes");
        }
    }
    index(&store, "shop", through, vec![put("plans", "1", vec![7; 100_000])]).await;
    index(&store, "shop", through, vec![remove("plans", "1")]).await;
    drop(store);
    let keys = raw_index(dir.path()).len();
    assert_eq!(keys, 3, "the format, the tallies and the stream's mark");
}

#[tokio::test]
async fn a_large_snapshot_survives_a_restart() {
    let (dir, store) = fresh();
    let through = append(&store, "shop", "a").await;
    let state: Vec<u8> = (0..1_000_000u32).map(|at| (at / 7) as u8).collect();
    snapshot(&store, "shop", through, &state).await;
    drop(store);
    let (store, _) = open(dir.path());
    assert!(store.snapshot("shop").unwrap() == Some(Snapshot { through, state }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_value_is_never_seen_half_replaced() {
    let (_dir, store) = fresh();
    let through = append(&store, "shop", "a").await;
    index(&store, "shop", through, vec![put("plans", "1", vec![0; 50_000])]).await;
    let reader = std::thread::spawn({
        let store = store.clone();
        move || {
            for _ in 0..300 {
                let value = get(&store, "1").unwrap();
                assert!(value.iter().all(|byte| *byte == value[0]));
            }
        }
    });
    for round in 0..100u8 {
        index(&store, "shop", through, vec![put("plans", "1", vec![round; 40_000 + 100 * usize::from(round)])]).await;
    }
    reader.join().unwrap();
}

fn page(store: &Store, prefix: &str, after: Option<&str>, limit: usize, direction: Direction) -> String {
    let query = PageQuery {
        stream: "shop",
        table: "runs",
        prefix: prefix.as_bytes(),
        after: after.map(str::as_bytes),
        limit,
        direction,
    };
    let key = |(key, _)| String::from_utf8(key).unwrap();
    store.page(&query).unwrap().into_iter().map(key).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_page_follows_the_last_key_of_the_page_before_in_either_direction() {
    use Direction::{Ascending, Descending};
    let (_dir, store) = fresh();
    let through = append(&store, "shop", "a").await;
    let runs = ["p1", "p2", "p3", "s1", "s2"].map(|key| put("runs", key, key));
    index(&store, "shop", through, runs.to_vec()).await;
    index(&store, "shop", through, vec![put("run", "sp1", ""), put("runsp", "1", "")]).await;
    index(&store, "shop2", through, vec![put("runs", "p9", "")]).await;
    let page = |prefix, after, limit, direction| page(&store, prefix, after, limit, direction);
    assert_eq!(page("", None, 9, Ascending), "p1 p2 p3 s1 s2");
    assert_eq!(page("", None, 9, Descending), "s2 s1 p3 p2 p1");
    assert_eq!(page("", None, 2, Ascending), "p1 p2");
    assert_eq!(page("", Some("p2"), 2, Ascending), "p3 s1");
    assert_eq!(page("", Some("p3"), 2, Descending), "p2 p1");
    assert_eq!(page("p", Some("p2"), 9, Ascending), "p3");
    assert_eq!(page("p", None, 2, Descending), "p3 p2");
    assert_eq!(page("s", Some("a"), 9, Ascending), "s1 s2", "a key before the prefix");
    assert_eq!(page("p", Some("z"), 9, Descending), "p3 p2 p1", "a key behind the prefix");
    assert_eq!(page("q", None, 9, Ascending), "");
}

/// A closed data folder with 300 indexed events of two streams.
async fn indexed() -> TempDir {
    let (dir, store) = fresh();
    for number in 0..300 {
        let stream = if number % 2 == 0 { "shop" } else { "bank" };
        let through = append(&store, stream, &number.to_string()).await;
        let entries = vec![put("plans", &number.to_string(), plan(number)), put("now", "newest", noise(20 * number))];
        let snapshot = if number % 50 == 0 { SnapshotChange::Replace(noise(20_000)) } else { SnapshotChange::Keep };
        store.index(IndexBatch { stream: stream.to_owned(), through, snapshot, entries }).await.unwrap();
    }
    drop(store);
    index::wait_until_released(&dir.path().join("index"));
    dir
}

/// Some short, some packed, some in chunks.
fn plan(number: usize) -> Vec<u8> {
    if number.is_multiple_of(2) { noise(40 * number) } else { vec![number as u8; 40 * number] }
}

/// What came of the check of what a start does not read.
fn checked(store: &Store) -> IndexCheck {
    let began = Instant::now();
    while store.index_check() == IndexCheck::Running {
        assert!(began.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::yield_now();
    }
    store.index_check()
}

/// The index as it is after damage that a start did not see, and what is said of it.
fn opened_again_if_broken(dir: &Path, store: Store) -> Store {
    match checked(&store) {
        IndexCheck::Broken(problem) => {
            drop(store);
            let (store, opened) = open(dir);
            assert_eq!(rebuilt(&opened), problem);
            store
        }
        IndexCheck::Whole => store,
        other @ (IndexCheck::Running | IndexCheck::Unfinished(_)) => panic!("{other:?}"),
    }
}

fn rebuilt(opened: &Opened) -> String {
    match &opened.index {
        IndexState::Ready => panic!("the index was taken for good"),
        IndexState::Rebuilt(reason) => reason.to_string(),
    }
}

#[tokio::test]
async fn a_deleted_index_is_begun_anew_and_all_events_are_handed_out() {
    let dir = indexed().await;
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let (store, opened) = open(dir.path());
    assert_eq!(rebuilt(&opened), "there is none");
    assert_eq!(store.snapshot("shop").unwrap(), None);
    assert_eq!(tail(&store).len(), 300);
    snapshot(&store, "shop", 299, b"again").await;
    drop(store);
    assert_eq!(open(dir.path()).1.index, IndexState::Ready);
}

#[tokio::test]
async fn an_index_that_was_open_a_moment_ago_is_not_taken_for_broken() {
    let (dir, store) = fresh();
    append(&store, "shop", "a").await;
    drop(store);
    for round in 0..50 {
        let (store, opened) = open(dir.path());
        assert_eq!(opened.index, IndexState::Ready, "round {round}");
        index(&store, "shop", 1, vec![put("plans", "1", vec![1; 20_000])]).await;
    }
}

#[tokio::test]
async fn an_index_with_garbage_in_any_file_is_begun_anew() {
    let dir = indexed().await;
    for file in files(&dir.path().join("index")) {
        let spoiled = killed(dir.path());
        let name = file.strip_prefix(dir.path()).unwrap();
        fs::write(spoiled.path().join(name), b"garbage ".repeat(1000)).unwrap();
        let (store, opened) = open(spoiled.path());
        if name.ends_with("db") || name.ends_with("conf") {
            rebuilt(&opened);
        }
        usable(&opened_again_if_broken(spoiled.path(), store)).await;
    }
}

/// Whatever the index still has is right, and it can be written.
async fn usable(store: &Store) {
    for number in 0..300 {
        let stream = if number % 2 == 0 { "shop" } else { "bank" };
        let value = store.get(stream, "plans", number.to_string().as_bytes()).unwrap();
        assert!(value.is_none_or(|value| value == plan(number)), "plan {number}");
    }
    let events = store.tail(&through(store)).unwrap().map(|event| event.unwrap().sequence);
    let expected = (1..=300u64).filter(|sequence| {
        let stream = if sequence % 2 == 1 { "shop" } else { "bank" };
        store.snapshot(stream).unwrap().is_none_or(|snapshot| snapshot.through < *sequence)
    });
    assert!(events.eq(expected));
    index(store, "shop", 299, vec![put("plans", "new", "x")]).await;
    assert_eq!(get(store, "new").unwrap(), b"x");
}

#[tokio::test]
async fn an_index_with_flipped_bytes_never_gives_wrong_values() {
    let dir = indexed().await;
    let length = fs::metadata(dir.path().join("index/db")).unwrap().len() as usize;
    for part in 0..12 {
        let spoiled = killed(dir.path());
        let path = spoiled.path().join("index/db");
        let mut bytes = fs::read(&path).unwrap();
        let at = length * part / 12;
        bytes[at..at + 64].iter_mut().for_each(|byte| *byte ^= 0x55);
        fs::write(&path, bytes).unwrap();
        usable(&opened_again_if_broken(spoiled.path(), open(spoiled.path()).0)).await;
    }
}

type Spoil = fn(&sled::Db);

fn first(index: &sled::Db, kind: u8) -> sled::IVec {
    index.scan_prefix([kind]).keys().next().unwrap().unwrap()
}

/// A chunk that belongs to a row of this kind.
fn chunk_of(index: &sled::Db, kind: u8) -> sled::IVec {
    index.scan_prefix([5]).keys().map(|key| key.unwrap()).find(|key| key[5] == kind).unwrap()
}

#[tokio::test]
async fn an_index_that_misses_what_a_start_needs_or_has_another_is_begun_anew() {
    let spoils: [Spoil; 12] = [
        |index| assert!(index.pop_max().unwrap().is_some()),
        |index| assert!(index.remove([0]).unwrap().is_some()),
        |index| assert!(index.remove(first(index, 1)).unwrap().is_some()),
        |index| assert!(index.remove(first(index, 2)).unwrap().is_some()),
        |index| assert!(index.remove(first(index, 3)).unwrap().is_some()),
        |index| assert!(index.remove(chunk_of(index, 2)).unwrap().is_some()),
        |index| assert!(index.remove(chunk_of(index, 3)).unwrap().is_some()),
        |index| assert!(index.insert(chunk_of(index, 3), vec![0; 4096]).unwrap().is_some()),
        |index| assert!(index.insert([3, 1], &[0, 0]).unwrap().is_none()),
        |index| assert!(index.insert(first(index, 3), &[0, 0]).unwrap().is_some()),
        |index| assert!(index.insert(first(index, 2), &[0, 0]).unwrap().is_some()),
        |index| assert!(index.insert([1, 4, b's', b'h', b'o', b'p'], &[0; 16]).unwrap().is_some()),
    ];
    let dir = indexed().await;
    for (number, spoil) in spoils.into_iter().enumerate() {
        let spoiled = killed(dir.path());
        spoil(&raw_index(spoiled.path()));
        let (store, opened) = open(spoiled.path());
        assert!(matches!(opened.index, IndexState::Rebuilt(RebuildReason::Broken(_))), "spoil {number}");
        assert_eq!((checked(&store), tail(&store).len()), (IndexCheck::Whole, 300), "spoil {number}");
    }
}

#[tokio::test]
async fn an_index_that_misses_another_row_or_has_one_more_is_found_behind_the_start_and_begun_anew_by_the_next() {
    let spoils: [Spoil; 6] = [
        |index| assert!(index.remove(first(index, 4)).unwrap().is_some()),
        |index| assert!(index.remove(chunk_of(index, 4)).unwrap().is_some()),
        |index| assert!(index.insert(chunk_of(index, 4), vec![0; 4096]).unwrap().is_some()),
        |index| assert!(index.insert([4, 1], &[0, 0]).unwrap().is_none()),
        |index| assert!(index.insert(first(index, 4), &[0, 0]).unwrap().is_some()),
        // Whoever read it at the start would stumble.
        |index| assert!(index.insert(first(index, 4), &[9]).unwrap().is_some()),
    ];
    let dir = indexed().await;
    for (number, spoil) in spoils.into_iter().enumerate() {
        let spoiled = killed(dir.path());
        spoil(&raw_index(spoiled.path()));
        let (store, opened) = open(spoiled.path());
        assert_eq!(opened.index, IndexState::Ready, "spoil {number}");
        assert!(matches!(checked(&store), IndexCheck::Broken(_)), "spoil {number}");
        let store = opened_again_if_broken(spoiled.path(), store);
        assert_eq!((checked(&store), tail(&store).len()), (IndexCheck::Whole, 300), "spoil {number}");
    }
}

#[tokio::test]
async fn an_index_made_for_a_start_that_needs_other_tables_is_begun_anew() {
    let dir = indexed().await;
    let (store, opened) = Store::open(dir.path(), StoreOptions { needed_at_start: &["plans"], ..small() }).unwrap();
    assert_eq!(rebuilt(&opened), "it was made for a start that needs other tables");
    assert_eq!(tail(&store).len(), 300);
}

#[tokio::test]
async fn an_index_of_another_format_is_begun_anew() {
    let dir = indexed().await;
    let sled = raw_index(dir.path());
    sled.insert([0], &7u32.to_le_bytes()).unwrap();
    drop(sled);
    assert_eq!(rebuilt(&open(dir.path()).1), "it has format 7.0, this host writes 3.1");
    assert!(dir.path().join("index.broken").exists(), "the old one is kept aside");
}

/// As the host before this one wrote it: no names of tables, and one tally.
#[tokio::test]
async fn an_index_of_the_format_before_is_begun_anew() {
    let dir = indexed().await;
    let sled = raw_index(dir.path());
    sled.insert([0], [2u32.to_le_bytes(), 1u32.to_le_bytes()].concat()).unwrap();
    drop(sled);
    let (store, opened) = open(dir.path());
    assert_eq!(rebuilt(&opened), "it has format 2.1, this host writes 3.1");
    assert_eq!(tail(&store).len(), 300);
}

#[tokio::test]
async fn an_index_of_records_in_another_shape_is_begun_anew() {
    let dir = indexed().await;
    let (store, opened) = Store::open(dir.path(), StoreOptions { index_shape: 2, ..small() }).unwrap();
    assert_eq!(rebuilt(&opened), "it has format 3.1, this host writes 3.2");
    assert_eq!(tail(&store).len(), 300);
}

/// Only what was acknowledged gets into the index.
#[tokio::test]
async fn a_journal_that_is_behind_its_index_has_lost_events_and_is_not_opened() {
    let (dir, store) = fresh();
    let through = append(&store, "shop", "a").await;
    index(&store, "shop", through + 1, vec![put("plans", "1", "of an event that is lost")]).await;
    drop(store);
    let error = Store::open(dir.path(), small()).err().unwrap().to_string();
    expect!["the index knows stream `shop` through event 2, but the journal ends with 1: events that were acknowledged are gone from DATA/journal. Put the whole folder back from a copy or backup; or, to go on without them, remove the folder DATA/index and start again"]
        .assert_eq(&error.replace(dir.path().to_str().unwrap(), "DATA"));
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    assert_eq!(tail(&open(dir.path()).0), ["1 shop a"]);
}

#[tokio::test]
async fn a_torn_journal_is_told_at_the_start() {
    let (dir, store) = fresh();
    append(&store, "shop", "a").await;
    append(&store, "shop", "b").await;
    drop(store);
    let segment = segment(dir.path());
    let mut bytes = fs::read(&segment).unwrap();
    let last = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[last] = 0;
    fs::write(&segment, bytes).unwrap();
    // A power cut takes along what was never synced.
    fs::remove_file(dir.path().join("journal/acknowledged")).unwrap();
    let (store, opened) = open(dir.path());
    assert_eq!((opened.events, opened.torn_tail.unwrap().segment), (1, segment));
    assert_eq!(tail(&store), ["1 shop a"]);
}

fn segment(dir: &Path) -> PathBuf {
    dir.join("journal/00000000000000000001.log")
}

fn refusal(dir: &Path) -> String {
    let error = Store::open(dir, small()).err().unwrap().to_string();
    error.replace(dir.to_str().unwrap(), "DATA")
}

/// Otherwise an empty host would start where a full one was.
#[tokio::test]
async fn a_journal_that_is_gone_is_not_begun_anew_over_what_it_spoke_of() {
    let (dir, store) = fresh();
    append(&store, "shop", "a").await;
    store.blobs().write(b"x").unwrap();
    drop(store);
    index::wait_until_released(&dir.path().join("index"));
    fs::remove_dir_all(dir.path().join("journal")).unwrap();
    fs::write(dir.path().join("admin-token"), "lg_1").unwrap();
    expect!["the journal DATA/journal is gone or has no events, but `index`, `admin-token`, `blobs` of an earlier host are there. Put the journal back from a copy or backup; or, to begin anew, give the host another data folder, or remove `index`, `admin-token`, `blobs`"].assert_eq(&refusal(dir.path()));
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    fs::remove_dir_all(dir.path().join("blobs")).unwrap();
    expect!["the journal DATA/journal is gone or has no events, but `admin-token` of an earlier host are there. Put the journal back from a copy or backup; or, to begin anew, give the host another data folder, or remove `admin-token`"].assert_eq(&refusal(dir.path()));
    assert_eq!(fs::read(dir.path().join("admin-token")).unwrap(), b"lg_1");
    fs::remove_file(dir.path().join("admin-token")).unwrap();
    assert_eq!(open(dir.path()).1.events, 0);
}

/// The mark went with the folder; what is only there after an event tells all the same.
#[test]
fn a_lock_that_is_a_link_is_not_written_through() {
    let (dir, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let precious = other.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    std::os::unix::fs::symlink(&precious, dir.path().join("lock")).unwrap();
    assert!(refusal(dir.path()).contains("open the lock"), "{}", refusal(dir.path()));
    assert_eq!(fs::read_to_string(precious).unwrap(), "precious");
}

#[tokio::test]
async fn a_folder_of_an_import_that_was_killed_is_not_begun_anew() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("journal.unfinished")).unwrap();
    assert!(refusal(dir.path()).contains("a restore was interrupted in"), "{}", refusal(dir.path()));
    fs::remove_dir(dir.path().join("journal.unfinished")).unwrap();
    fs::create_dir(dir.path().join("secrets")).unwrap();
    fs::write(dir.path().join("secrets/token-1"), "encrypted").unwrap();
    assert!(refusal(dir.path()).contains("`secrets` of an earlier host are there"), "{}", refusal(dir.path()));
}

#[tokio::test]
async fn a_journal_without_events_is_not_taken_for_new_beside_blobs() {
    let (dir, store) = fresh();
    store.blobs().write(b"x").unwrap();
    drop(store);
    expect!["the journal DATA/journal is gone or has no events, but `blobs` of an earlier host are there. Put the journal back from a copy or backup; or, to begin anew, give the host another data folder, or remove `blobs`"].assert_eq(&refusal(dir.path()));
}

/// Killed: the index had not reached the disk yet.
#[tokio::test]
async fn a_segment_that_was_cut_after_a_kill_is_not_taken_for_torn() {
    let (dir, store) = fresh();
    append(&store, "shop", "a").await;
    append(&store, "shop", "b").await;
    let spoiled = killed(dir.path());
    fs::remove_dir_all(spoiled.path().join("index")).unwrap();
    File::options().write(true).open(segment(spoiled.path())).unwrap().set_len(110).unwrap();
    assert!(
        refusal(spoiled.path()).starts_with("the journal DATA/journal ends with record 1, but 2 were acknowledged")
    );
}

#[tokio::test]
async fn a_file_in_the_way_of_a_folder_is_named_with_what_to_do() {
    let (dir, store) = fresh();
    append(&store, "shop", "a").await;
    drop(store);
    for name in ["logs", "blobs/unfinished", "blobs", "journal"] {
        fs::rename(dir.path().join(name), dir.path().join("aside")).unwrap();
        fs::write(dir.path().join(name), "").unwrap();
        let told = refusal(dir.path());
        assert!(told.ends_with("or give the host another data folder"), "{told}");
        assert!(told.contains(&format!("DATA/{name} is a file where a folder is needed. Remove that file")), "{told}");
        fs::remove_file(dir.path().join(name)).unwrap();
        fs::rename(dir.path().join("aside"), dir.path().join(name)).unwrap();
    }
    assert_eq!(open(dir.path()).1.events, 1);
}

#[tokio::test]
async fn a_file_in_the_place_of_the_index_is_put_aside_and_said() {
    let dir = indexed().await;
    for _ in 0..2 {
        fs::remove_dir_all(dir.path().join("index")).unwrap();
        fs::write(dir.path().join("index"), "mine").unwrap();
        let (store, opened) = open(dir.path());
        assert_eq!(rebuilt(&opened), "a file stood in its place; that is now beside it, as `index.broken`");
        assert_eq!(fs::read(dir.path().join("index.broken")).unwrap(), b"mine");
        drop(store);
        index::wait_until_released(&dir.path().join("index"));
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told_with_what_to_do() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let error = Store::open(&dir.path().join("file/data"), small()).err().unwrap().to_string();
    expect!["could not create the folder DIR/file/data: DIR/file is a file where a folder is needed. Remove that file, or give the host another data folder"].assert_eq(&error.replace(dir.path().to_str().unwrap(), "DIR"));
}

#[tokio::test]
async fn all_of_it_is_for_its_owner_only() {
    let dir = TempDir::new().unwrap();
    let data = dir.path().join("deep/data");
    written_once(&data).await;
    assert_eq!(open_to_others(&data), [""; 0]);
}

#[tokio::test]
async fn in_a_folder_that_is_open_to_others_its_own_are_not() {
    let dir = TempDir::new().unwrap();
    let open_to_all = || Permissions::from_mode(0o755);
    fs::set_permissions(dir.path(), open_to_all()).unwrap();
    // As an older host left them.
    for name in ["journal", "logs"] {
        fs::create_dir(dir.path().join(name)).unwrap();
        fs::set_permissions(dir.path().join(name), open_to_all()).unwrap();
    }
    written_once(dir.path()).await;
    assert_eq!(open_to_others(dir.path()), [""]);
}

/// A little of everything, then stopped.
async fn written_once(data: &Path) {
    let (store, _) = open(data);
    append(&store, "shop", "a").await;
    index(&store, "shop", 1, vec![put("plans", "1", "x")]).await;
    store.blobs().write(b"x").unwrap();
    let log = LogId::new("shop", "1", "1", "build").unwrap();
    store.logs().append(&log, &[b"{}".to_vec()]).await.unwrap();
    drop(store);
    index::wait_until_released(&data.join("index"));
}

/// Folders and files that others may look into, without sled's: those lie in a folder that is closed.
fn open_to_others(data: &Path) -> Vec<String> {
    let found = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path());
    let inside = found.flat_map(|path| match path.is_dir() && !path.ends_with("index") {
        true => open_to_others(&path).into_iter().map(|name| path.join(name).display().to_string()).collect(),
        false => {
            [&path].into_iter().filter(|path| is_open(path)).map(|path| path.display().to_string()).collect::<Vec<_>>()
        }
    });
    [data].into_iter().filter(|dir| is_open(dir)).map(|_| String::new()).chain(inside).collect()
}

fn is_open(path: &Path) -> bool {
    fs::metadata(path).unwrap().permissions().mode() & 0o077 != 0
}
