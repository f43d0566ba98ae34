//! What a host does with a data folder that is not as it should be, and what an owner makes of a batch of events.

mod ahead;
mod refused;
mod retention;
pub mod written;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use expect_test::expect;
use lockgate_core::definition::{Change, ChangeKind, Definition, Part};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Again, Command, TryFrom};
use lockgate_core::name::{Actor, Name, Timestamp};
use lockgate_core::plugin::Retry;
use lockgate_core::state::{Event, State, What};
use lockgate_core::system::{SystemChange, SystemEvent};
use lockgate_core::work::ProjectId;
use lockgate_store::{Direction, Entry, IndexBatch, PageQuery, Past, SnapshotChange, Store};
use serde::Serialize;
use tempfile::TempDir;

use super::history::HISTORY;
use super::index::{self, IN_MEMORY};
use super::project::milestones;
use super::tests::written::{deploying, failed, to_deploy};
use super::{Host, Settings, narrate, replay};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn by() -> Actor {
    Actor { person: "ann".to_owned(), groups: BTreeSet::new(), via: "test".to_owned() }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

/// A data folder as a host would leave it that created these projects, and described each.
async fn left_by_a_host(projects: &[&str]) -> (TempDir, Store) {
    let data = TempDir::new().unwrap();
    let options = index::store_options(Default::default());
    let store = Store::open(data.path(), options).unwrap().0;
    for project in projects {
        let what = SystemChange::ProjectCreated { project: id(project), by: by() };
        store.append("@system", vec![json(&SystemEvent { at: Timestamp(1), what })]).await.unwrap();
        describe(&store, project, "first").await;
    }
    (data, store)
}

pub fn id(project: &str) -> ProjectId {
    ProjectId { name: name(project), uid: "7".to_owned() }
}

fn described(description: &str) -> Event {
    let definition = Arc::new(Definition { description: description.to_owned(), ..Definition::default() });
    Event { at: Timestamp(1), what: What::DefinitionChanged { definition, by: by() } }
}

async fn describe(store: &Store, project: &str, description: &str) -> u64 {
    store.append(project, vec![json(&described(description))]).await.unwrap().last
}

async fn open(data: &Path) -> Host {
    Host::open(Settings::of_a_test(data, 1)).await.unwrap()
}

fn description(host: &Host, project: &str) -> String {
    host.project(&name(project)).unwrap().view().state.definition.description.clone()
}

async fn send(host: &Host, project: &str) -> Result<(), String> {
    let project = host.project(&name(project)).unwrap();
    // Another one each time: of the same nothing follows.
    let definition = Definition { description: format!("after {}", project.view().sequence), ..Definition::default() };
    let sent = project.send(Command::SetDefinition { definition: Arc::new(definition), by: by() }).await;
    sent.map(drop).map_err(|refusal| refusal.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_cannot_be_read_says_why_and_the_others_go_on() {
    let (data, store) = left_by_a_host(&["good", "bad"]).await;
    store.append("bad", vec![br#"{"at":1,"from":"the future"}"#.to_vec()]).await.unwrap();
    describe(&store, "bad", "after the damage").await;
    drop(store);
    let host = open(data.path()).await;
    assert_eq!((description(&host, "good").as_str(), description(&host, "bad").as_str()), ("first", "first"));
    send(&host, "good").await.unwrap();
    let refusal = send(&host, "bad").await.unwrap_err();
    assert!(refusal.starts_with("this project has stopped: its event 5 cannot be read"), "{refusal}");
    assert!(refusal.ends_with("see the host's log, then restart the host"), "{refusal}");
}

#[tokio::test]
async fn of_two_that_apply_the_same_at_once_one_has_changed_it() {
    let data = TempDir::new().unwrap();
    let host = open(data.path()).await;
    let added = |part| Change { part, kind: ChangeKind::Added };
    let applied = async |applications: &[&str]| {
        let applications = applications.iter().map(|application| name(application)).collect();
        let definition = Definition { applications, ..Definition::default() };
        let apply = || host.apply(name("shop"), definition.clone(), by());
        let (one, other) = tokio::join!(apply(), apply());
        let (one, other) = (one.unwrap(), other.unwrap());
        ([one.is_new, other.is_new].iter().filter(|is_new| **is_new).count(), [one.changes, other.changes].concat())
    };
    let web = Part::Application(name("web"));
    assert_eq!(applied(&["web"]).await, (1, vec![added(Part::Project), added(web)]));
    assert_eq!(applied(&["web", "api"]).await, (0, vec![added(Part::Application(name("api")))]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fits_nothing_before_it_is_damage() {
    let (data, store) = left_by_a_host(&["bad"]).await;
    let change = lockgate_core::change::Change::SlotTaken;
    let event = Event { at: Timestamp(1), what: What::Deployment { number: 3, change } };
    store.append("bad", vec![json(&event)]).await.unwrap();
    drop(store);
    let refusal = send(&open(data.path()).await, "bad").await.unwrap_err();
    expect!["this project has stopped: its event 3 cannot be read (the event does not fit what came before it: there is no deployment 3): use the version of Lockgate that wrote it, or a newer one; see the host's log, then restart the host"]
        .assert_eq(&refusal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_cannot_be_read_is_built_again_from_the_journal() {
    let mut state = State::new(id("shop"));
    state.apply(&described("of the snapshot")).unwrap();
    let of_nothing = || Entry { table: IN_MEMORY, key: vec![9], value: Some(b"{}".to_vec()) };
    for (snapshot, entries, expected) in [
        (json(&state), vec![], "of the snapshot"),
        (b"{}".to_vec(), vec![], "second"),
        (json(&state), vec![of_nothing()], "second"),
        (json(&deploying().state), vec![], "second"),
    ] {
        let (_data, store) = left_by_a_host(&["shop"]).await;
        let through = describe(&store, "shop", "second").await;
        let snapshot = SnapshotChange::Replace(snapshot);
        store.index(IndexBatch { stream: "shop".to_owned(), through, snapshot, entries }).await.unwrap();
        for start in ["first", "second"] {
            let (_, loaded) = replay::all(&store).await.unwrap();
            assert_eq!(loaded[0].state.definition.description, expected, "at the {start} start");
            let left = store.get("shop", IN_MEMORY, &[9]).unwrap();
            assert_eq!(left, None, "it would come back as a deployment with the next snapshot");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_nobody_can_reach_any_more_ends() {
    let (data, store) = left_by_a_host(&["shop"]).await;
    drop(store);
    let host = open(data.path()).await;
    let mut views = host.project(&name("shop")).unwrap().views();
    drop(host);
    let ended = async { while views.changed().await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("its owner goes with the last handle");
}

/// Something happens to this project; the sequence of that, which the index then has.
async fn happens(host: &Host, project: &str) -> u64 {
    send(host, project).await.unwrap();
    let handle = host.project(&name(project)).unwrap();
    let sequence = handle.view().sequence;
    handle.indexed().wait_for(|indexed| *indexed >= sequence).await.unwrap();
    sequence
}

fn saved_through(host: &Host, stream: &str) -> Option<u64> {
    host.store.snapshot(stream).unwrap().map(|snapshot| snapshot.through)
}

/// Waits for a snapshot of each; those that lie far behind take one at a start.
async fn all_saved<const N: usize>(host: &Host, streams: [&str; N]) -> [u64; N] {
    let saved = async {
        while streams.iter().any(|stream| saved_through(host, stream).is_none()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), saved).await.expect("each has a snapshot");
    streams.map(|stream| saved_through(host, stream).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_due_by_the_events_of_its_own_project() {
    let (data, store) = left_by_a_host(&["shop", "busy"]).await;
    let many = |count: u64| (0..count).map(|_| json(&described("again"))).collect();
    let due = index::events_per_snapshot(0);
    store.append("busy", many(due - 2)).await.unwrap();
    drop(store);
    let host = open(data.path()).await;
    let has_snapshot = async |project: &str| {
        happens(&host, project).await;
        saved_through(&host, project).is_some()
    };
    assert!(has_snapshot("busy").await, "it had all but one of them when the host started");
    assert!(!has_snapshot("shop").await, "it has two events, whatever happens elsewhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_reads_nothing_that_lies_far_behind() {
    let (data, store) = left_by_a_host(&["idle", "busy"]).await;
    let busy = json(&described("again"));
    let last = store.append("busy", vec![busy; 70_000]).await.unwrap().last;
    drop(store);
    let host = open(data.path()).await;
    let streams = ["@system", "idle", "busy"];
    let saved = all_saved(&host, streams).await;
    assert_eq!(saved, [3, 2, last]);
    let through = streams.map(str::to_owned).into_iter().zip(saved).collect();
    assert_eq!(host.store.tail(&through).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wakes_up_after_a_long_stretch_of_others_takes_a_snapshot_at_once() {
    let (data, store) = left_by_a_host(&["idle", "busy"]).await;
    store.append("busy", vec![json(&described("again")); 40_000]).await.unwrap();
    drop(store);
    let host = open(data.path()).await;
    // The start's own, so that what comes next has no other reason.
    assert_eq!(all_saved(&host, ["idle"]).await, [2]);
    let woken = happens(&host, "idle").await;
    assert_eq!(saved_through(&host, "idle"), Some(woken), "else the next start would read from before all the others");
    happens(&host, "idle").await;
    assert_eq!(saved_through(&host, "idle"), Some(woken), "after that, as seldom as ever");
    host.apply(name("new"), Definition::default(), by()).await.unwrap();
    happens(&host, "new").await;
    assert_eq!(saved_through(&host, "new"), None, "nothing of it lies behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_to_what_a_start_does_not_read_is_told_and_stops_nothing() {
    let (data, store) = left_by_a_host(&["shop"]).await;
    let large = json(&described(&"x".repeat(7 << 20)));
    for _ in 0..3 {
        store.append("shop", vec![large.clone()]).await.unwrap();
    }
    let (checkpoint, first) = (data.path().join("journal/checkpoint"), "journal/00000000000000000001.log");
    let written = async {
        while !checkpoint.exists() {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(Duration::from_secs(60), written).await.expect("the full segment gets a checkpoint");
    let (system, projects) = replay::all(&store).await.unwrap();
    for (stream, state) in [("shop", json(&projects[0].state)), ("@system", json(&system.state))] {
        let (stream, through) = (stream.to_owned(), store.heads()[stream].last);
        let snapshot = SnapshotChange::Replace(state);
        store.index(IndexBatch { stream, through, snapshot, entries: vec![] }).await.unwrap();
    }
    drop(store);
    let mut bytes = std::fs::read(data.path().join(first)).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(data.path().join(first), bytes).unwrap();
    let host = open(data.path()).await;
    send(&host, "shop").await.unwrap();
    let damage = async {
        loop {
            match host.store.past() {
                Past::Damaged(damage) => return damage.to_string(),
                Past::Whole | Past::Unfinished(_) => panic!("the damage was not seen"),
                Past::Unread { .. } => tokio::task::yield_now().await,
            }
        }
    };
    let damage = tokio::time::timeout(Duration::from_secs(60), damage).await.expect("the past is read");
    assert!(damage.contains(first), "{damage}");
}

#[test]
fn snapshots_come_the_later_the_larger_they_are() {
    let due = [0, 300 << 10, 1 << 20, 20 << 20].map(index::events_per_snapshot);
    assert_eq!(due, [256, 300, 1_024, 4_096]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_a_snapshot_does_not_write_again_what_the_index_has() {
    let mut written = deploying();
    written.send(failed(&written, Retry::Never));
    let (_data, store) = created().await;
    let through = store.append("shop", written.events.iter().map(json).collect()).await.unwrap().last;
    replay::all(&store).await.unwrap();
    let all = PageQuery {
        stream: "shop",
        table: HISTORY,
        prefix: &[],
        after: None,
        limit: 9,
        direction: Direction::Ascending,
    };
    let pages = || store.page(&all).unwrap();
    let [(key, _)] = pages().try_into().unwrap();
    let entries = vec![Entry { table: HISTORY, key: key.clone(), value: Some(b"as it was".to_vec()) }];
    let batch = IndexBatch { stream: "shop".to_owned(), through, snapshot: SnapshotChange::Keep, entries };
    store.index(batch).await.unwrap();
    replay::all(&store).await.unwrap();
    assert_eq!(pages(), [(key, b"as it was".to_vec())]);
}

/// A data folder with a project that nothing has happened to.
async fn created() -> (TempDir, Store) {
    let (data, store) = left_by_a_host(&[]).await;
    let what = SystemChange::ProjectCreated { project: id("shop"), by: by() };
    store.append("@system", vec![json(&SystemEvent { at: Timestamp(1), what })]).await.unwrap();
    (data, store)
}

/// The history of deployment 1 as a start on this folder has it.
async fn told(store: &Store) -> Vec<String> {
    let (_, loaded) = replay::all(store).await.unwrap();
    let rows = loaded[0].newest.read(store, (&name("shop"), 1), 0, 999).unwrap();
    rows.iter().map(|(sequence, row)| format!("{sequence} {}", row.event_type)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_a_host_was_killed_the_history_is_whole_and_nothing_stands_there_twice() {
    let mut written = deploying();
    for _ in 0..12 {
        written.send(failed(&written, Retry::Never));
        let from = TryFrom::Start;
        written.send(Command::TryAgain(Again { number: 1, from, finished: None, key: None, by: by() }));
    }
    let (_data, store) = created().await;
    store.append("shop", written.events.iter().map(json).collect()).await.unwrap();
    let whole = told(&store).await;
    assert!(whole.len() > 64, "more than a page: {}", whole.len());
    for (killed, with_snapshot) in written.commits.iter().flat_map(|killed| [(*killed, false), (*killed, true)]) {
        let (_data, store) = created().await;
        let (before, after) = written.events.split_at(killed);
        for events in [before, after].into_iter().filter(|events| !events.is_empty()) {
            store.append("shop", events.iter().map(json).collect()).await.unwrap();
            told(&store).await;
            if with_snapshot {
                save(&store).await;
            }
        }
        assert_eq!(told(&store).await, whole, "after {killed} of {}, {with_snapshot}", written.events.len());
    }
}

/// As the owner of the project does.
async fn save(store: &Store) {
    let mut loaded = replay::all(store).await.unwrap().1.remove(0);
    let (snapshot, mut entries) = index::snapshot(&loaded.state, &loaded.snapshot);
    entries.extend(loaded.newest.rest().into_iter().map(|(page, _)| page));
    let (through, snapshot) = (loaded.sequence, SnapshotChange::Replace(snapshot));
    store.index(IndexBatch { stream: "shop".to_owned(), through, snapshot, entries }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_has_the_words_that_a_replay_finds() {
    let (data, store) = created().await;
    drop(store);
    let host = open(data.path()).await;
    let project = host.project(&name("shop")).unwrap();
    for command in to_deploy() {
        project.send(command).await.unwrap();
    }
    let mut views = project.views();
    let ended = views.wait_for(|view| view.state.deployments.get(&1).is_none_or(|deployment| deployment.is_finished()));
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("nobody has its plugin").unwrap();
    let rows = project.view().newest.read(&host.store, (&name("shop"), 1), 0, 999).unwrap();
    let mut state = State::new(id("shop"));
    let mut replayed = Vec::new();
    for event in host.store.events(1).unwrap().map(Result::unwrap).filter(|event| event.stream == "shop") {
        let (sequence, event) = (event.sequence, serde_json::from_slice::<Event>(&event.payload).unwrap());
        state.apply(&event).unwrap();
        let number = event.what.deployment();
        replayed.extend(number.map(|number| (sequence, Arc::new(narrate::row(&state, number, &event)))));
    }
    assert_eq!(json(&rows), json(&replayed));
    assert!(rows.len() > 5, "{rows:?}");
}

/// What the index has of this table is not what was written, and only who reads it notices. By sled itself: of a file with a
/// flipped bit it may leave out what it cannot read, and call the rest whole.
async fn spoil(data: &Path, table: &str) {
    let closed = async {
        loop {
            match sled::open(data.join("index")) {
                Ok(rows) => return rows,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let rows = tokio::time::timeout(Duration::from_secs(60), closed).await.expect("the store lets it go");
    let is_there = |key: &[u8]| key.windows(table.len()).any(|part| part == table.as_bytes());
    let keys: Vec<_> = rows.iter().keys().map(Result::unwrap).filter(|key| is_there(key)).collect();
    assert!(!keys.is_empty(), "nothing is there");
    for key in keys {
        rows.insert(key, b"spoilt").unwrap();
    }
    rows.flush().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_a_start_stumbles_over_is_made_again() {
    let (data, store) = created().await;
    let mut written = deploying();
    store.append("shop", written.events.iter().map(json).collect()).await.unwrap();
    save(&store).await;
    let from = written.events.len();
    written.send(failed(&written, Retry::Never));
    store.append("shop", written.events[from..].iter().map(json).collect()).await.unwrap();
    drop(store);
    spoil(data.path(), HISTORY).await;
    let host = open(data.path()).await;
    send(&host, "shop").await.unwrap();
    let stumbled = std::fs::read_to_string(data.path().join("index.broken/lockgate-broken")).unwrap();
    assert_eq!(stumbled, "read: a value is not what was written");
}

#[test]
fn what_one_batch_ends_and_starts_again_belongs_to_two_attempts() {
    let mut written = deploying();
    let from = written.events.len();
    written.send(failed(&written, Retry::Never));
    written.send(Command::TryAgain(Again { number: 1, from: TryFrom::Start, finished: None, key: None, by: by() }));
    let reached = milestones(&written.state, &written.events[from..]);
    let reached: Vec<String> = reached
        .iter()
        .map(|(number, attempt, milestone)| format!("{number}, attempt {attempt}: {milestone:?}"))
        .collect();
    expect![[r#"
        1, attempt 1: PhaseEnded { phase: 0 }
        1, attempt 1: Finished(PhaseFailed)
        1, attempt 2: SlotTaken"#]]
    .assert_eq(&reached.join("\n"));
}
