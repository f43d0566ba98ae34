//! What is left of a project when its first events were dropped.

use std::time::Duration;

use lockgate_core::deployment::Deployment;
use lockgate_core::handle::{Again, Command, TryFrom};
use lockgate_core::plugin::Retry;
use lockgate_store::{LogId, StoreOptions};

use super::super::condensed::{CondenseError, Condensed, Condensing};
use super::super::index::FINISHED;
use super::super::retention::{Gone, drop_older};
use super::written::{Written, to_deploy};
use super::*;

/// Segments of a few events each.
fn small() -> StoreOptions {
    index::store_options(lockgate_journal::Options { segment_bytes: 1_500, ..Default::default() })
}

/// Deployments of every kind: some that failed, one that was tried again, one of which the plugin is asked, and some that wait.
fn history() -> Written {
    let mut written = deploying();
    let deploy = || to_deploy().into_iter().next_back().unwrap();
    let again = |number| Command::TryAgain(Again { number, from: TryFrom::Start, finished: None, key: None, by: by() });
    written.send(failed(&written, Retry::Never));
    written.send(deploy());
    written.send(failed(&written, Retry::Never));
    written.send(again(1));
    written.send(failed(&written, Retry::Never));
    for _ in 0..3 {
        written.send(deploy());
    }
    written.send(failed(&written, Retry::SameKey));
    written
}

async fn write(store: &Store, written: &Written) {
    let mut from = 0;
    for to in &written.commits {
        store.append("shop", written.events[from..*to].iter().map(json).collect()).await.unwrap();
        from = *to;
    }
}

async fn with_small_segments() -> (TempDir, Store) {
    let data = TempDir::new().unwrap();
    let store = Store::open(data.path(), small()).unwrap().0;
    let what = SystemChange::ProjectCreated { project: id("shop"), by: by() };
    store.append("@system", vec![json(&SystemEvent { at: Timestamp(1), what })]).await.unwrap();
    (data, store)
}

fn condense(store: &Store, through: u64) -> Result<Condensing, CondenseError> {
    Condensing::all(store, through)
}

fn drop_through(store: &Store, through: u64) {
    while let Past::Unread { .. } = store.past() {
        std::thread::yield_now();
    }
    store.drop_through(through, condense(store, through).unwrap().states()).unwrap();
}

/// All that a start makes of a folder: states, and what people read of each deployment that has not ended.
async fn all_of(store: &Store) -> String {
    let (system, loaded) = replay::all(store).await.unwrap();
    let [shop] = loaded.try_into().ok().expect("one project");
    assert_eq!(shop.damage, None);
    let mut told = vec![String::from_utf8(json(&system.state)).unwrap(), String::from_utf8(json(&shop.state)).unwrap()];
    for (number, deployment) in &shop.state.deployments {
        let rows = shop.newest.read(store, (&name("shop"), *number), 0, 999).unwrap();
        told.push(String::from_utf8(json(&(number, deployment.as_ref(), rows))).unwrap());
    }
    told.push(format!("{} {}", system.sequence, shop.sequence));
    told.join("\n")
}

fn without_index(data: &Path, store: Store) -> Store {
    drop(store);
    std::fs::remove_dir_all(data.join("index")).unwrap();
    Store::open(data, small()).unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_dropped_a_start_finds_what_it_would_have_found() {
    let written = history();
    let (data, store) = with_small_segments().await;
    write(&store, &written).await;
    let whole = all_of(&store).await;
    let ends: Vec<u64> = store.full_segments().unwrap().iter().map(|segment| *segment.end()).collect();
    assert!(ends.len() > 4, "{ends:?}");
    let mut store = without_index(data.path(), store);
    for (round, through) in ends.into_iter().enumerate() {
        drop_through(&store, through);
        // With an index that has everything, with none, and with one that was made of what is left.
        assert_eq!(all_of(&store).await, whole, "without the first {through}");
        store = without_index(data.path(), store);
        assert_eq!(all_of(&store).await, whole, "without the first {through}, and the index");
        assert_eq!(all_of(&store).await, whole, "without the first {through}, and again");
        if round % 2 == 0 {
            save(&store).await;
            assert_eq!(all_of(&store).await, whole, "without the first {through}, from a snapshot");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_and_was_tried_again_before_the_cut_has_all_of_its_history() {
    let mut written = history();
    written.send(Command::TryAgain(Again { number: 2, from: TryFrom::Start, finished: None, key: None, by: by() }));
    let (data, store) = with_small_segments().await;
    write(&store, &written).await;
    let tried_again = store.last();
    while store.full_segments().unwrap().last().is_none_or(|segment| *segment.end() < tried_again) {
        describe(&store, "shop", "later").await;
    }
    let whole = all_of(&store).await;
    drop_through(&store, *store.full_segments().unwrap().last().unwrap().end());
    let store = without_index(data.path(), store);
    assert_eq!(all_of(&store).await, whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_from_before_what_was_dropped_is_of_no_use() {
    let (data, store) = with_small_segments().await;
    let written = history();
    let (before, after) = written.events.split_at(written.commits[2]);
    store.append("shop", before.iter().map(json).collect()).await.unwrap();
    save(&store).await;
    drop(store);
    let index = data.path().join("index");
    let old = data.path().join("old");
    copy(&index, &old);
    let (store, _) = Store::open(data.path(), small()).unwrap();
    for event in after {
        store.append("shop", vec![json(event)]).await.unwrap();
    }
    let whole = all_of(&store).await;
    drop_through(&store, *store.full_segments().unwrap().last().unwrap().end());
    drop(store);
    std::fs::remove_dir_all(&index).unwrap();
    std::fs::rename(&old, &index).unwrap();
    let (store, _) = Store::open(data.path(), small()).unwrap();
    assert!(store.snapshot("shop").unwrap().is_some());
    assert_eq!(all_of(&store).await, whole);
    assert_eq!(all_of(&store).await, whole);
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_not_dropped() {
    let (_data, store) = with_small_segments().await;
    write(&store, &history()).await;
    let unreadable = store.append("shop", vec![br#"{"at":1,"from":"the future"}"#.to_vec()]).await.unwrap().last;
    let through = *store.full_segments().unwrap().last().unwrap().end();
    assert!(condense(&store, through).is_ok(), "it comes later");
    let told = |through| condense(&store, through).err().unwrap().to_string();
    let problem = told(unreadable);
    assert!(problem.starts_with(&format!("event {unreadable} of `shop` cannot be read: ")), "{problem}");
    let (_data, store) = with_small_segments().await;
    let told = |through| condense(&store, through).err().unwrap().to_string();
    let of_nobody = store.append("gone", vec![json(&described("of no project"))]).await.unwrap().last;
    assert_eq!(told(of_nobody), "event 2 of `gone` cannot be read: the project was never created");
    let (_data, store) = with_small_segments().await;
    let told = |through| condense(&store, through).err().unwrap().to_string();
    let of_system = store.append("@system", vec![b"{}".to_vec()]).await.unwrap().last;
    assert!(told(of_system).starts_with("event 2 of `@system` cannot be read: "), "{}", told(of_system));
}

#[test]
fn a_beginning_that_cannot_be_read_says_why() {
    let unreadable = |parts: &[&str]| {
        let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.as_bytes().to_vec()).collect();
        Condensed::of_parts("shop", &parts).err().unwrap().to_string()
    };
    assert_eq!(unreadable(&[]), "it has no state");
    assert!(unreadable(&[r#"{"from":"the future"}"#]).starts_with("unknown variant `from`"));
    let state = String::from_utf8(json(&serde_json::json!({ "state": deploying().state }))).unwrap();
    let other = String::from_utf8(json(&serde_json::json!({ "state": State::new(id("blog")) }))).unwrap();
    assert_eq!(unreadable(&[&other]), "it is the state of project `blog`");
    assert_eq!(unreadable(&[&state]), "deployment 1 waits or is under way, and its record is not there");
}

/// Its plugin is not there, so deployments fail by themselves; each is in the index.
async fn host_with_failures(data: &Path) -> Host {
    let host = open(data).await;
    let shop = host.project(&name("shop")).unwrap();
    let until_all_ended = async {
        while !shop.view().state.deployments.values().all(|deployment| deployment.is_finished())
            || !(1..=5).all(|number| is_listed(&host, number))
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), until_all_ended).await.expect("nobody has its plugin");
    host
}

fn is_listed(host: &Host, number: u64) -> bool {
    host.store.get("shop", FINISHED, &number.to_be_bytes()).unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_events_a_deployment_goes_and_with_it_history_and_logs() {
    let (data, store) = with_small_segments().await;
    write(&store, &history()).await;
    let log = |number: u64| LogId::new("shop", &number.to_string(), "1", "build").unwrap();
    for number in 1..=5 {
        store.logs().append(&log(number), &[b"{}".to_vec()]).await.unwrap();
    }
    drop(store);
    let host = host_with_failures(data.path()).await;
    assert!((1..=5).all(|number| is_listed(&host, number)), "all have ended by now");
    let heads = host.store.heads();
    drop(host);
    let store = reopened(data.path()).await;
    let through = *store.full_segments().unwrap().last().unwrap().end();
    let then = Condensed::of_parts("shop", &condense(&store, through).unwrap().states()["shop"]).unwrap().state;
    let kept: BTreeSet<u64> = then.deployments.keys().copied().collect();
    assert!(!kept.is_empty() && kept.len() < 5, "some had ended by then: {kept:?}");
    drop(store);
    let settings = Settings { retention: Some(Duration::ZERO), ..Settings::of_a_test(data.path(), 1) };
    let host = Host::open(settings).await.unwrap();
    let gone = async {
        while host.store.dropped() < through || (1..=5).any(|number| is_listed(&host, number) != kept.contains(&number))
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.expect("what had ended is forgotten, and nothing else");
    let paged = |number| super::super::history::page_keys(&host.store, &name("shop"), number).unwrap().len();
    for number in 1..=5 {
        let is_kept = kept.contains(&number);
        assert_eq!(paged(number) > 0, is_kept, "history of {number}");
        let lines = host.store.logs().read(&log(number), 0, 9).unwrap().lines;
        assert_eq!(!lines.is_empty(), is_kept, "log of {number}");
    }
    assert_eq!(host.store.heads(), heads, "it writes no event");
}

/// A host lets go of its folder a moment after its last handle.
async fn reopened(data: &Path) -> Store {
    let free = async {
        loop {
            match Store::open(data, small()) {
                Ok((store, _)) => return store,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), free).await.expect("the host is gone")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_tried_again_meanwhile_stays() {
    let (data, store) = with_small_segments().await;
    write(&store, &history()).await;
    drop(store);
    let host = host_with_failures(data.path()).await;
    let shop = host.project(&name("shop")).unwrap();
    let record = |number: u64| {
        let record = host.store.get("shop", FINISHED, &number.to_be_bytes()).unwrap().unwrap();
        serde_json::from_slice::<Deployment>(&record).unwrap().attempt.number
    };
    assert_eq!((record(1), record(3)), (2, 1));
    let gone = |number: u64, attempt: Option<u32>| {
        let entries = vec![Entry { table: FINISHED, key: number.to_be_bytes().to_vec(), value: None }];
        Gone { number, attempt, entries }
    };
    let done = async {
        while is_listed(&host, 3) {
            // What the index has a moment before it leaves memory stays, until retention comes again.
            shop.let_go(vec![gone(1, Some(1)), gone(3, Some(1))]).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), done).await.expect("it has not been tried again");
    assert!(is_listed(&host, 1), "its second attempt ended later");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_has_been_quiet_since_is_not_read_from_the_first_event() {
    let (data, store) = with_small_segments().await;
    write(&store, &history()).await;
    let last = store.heads()["shop"].last;
    for number in 0..9 {
        let (uid, name) = (number.to_string(), format!("other-{number}").parse().unwrap());
        let what = SystemChange::ProjectCreated { project: ProjectId { name, uid }, by: by() };
        store.append("@system", vec![json(&SystemEvent { at: Timestamp(1), what })]).await.unwrap();
    }
    let through = store.full_segments().unwrap().iter().map(|segment| *segment.end()).find(|end| *end >= last).unwrap();
    drop_through(&store, through);
    let store = without_index(data.path(), store);
    let (system, _) = replay::all(&store).await.unwrap();
    let (stream, through) = ("@system".to_owned(), store.last());
    let snapshot = SnapshotChange::Replace(json(&system.state));
    store.index(IndexBatch { stream, through, snapshot, entries: vec![] }).await.unwrap();
    let files = std::fs::read_dir(data.path().join("journal")).unwrap().map(|file| file.unwrap().path());
    let mut segments: Vec<_> = files.filter(|path| path.extension().is_some_and(|name| name == "log")).collect();
    segments.sort();
    std::fs::write(&segments[0], "nothing that could be read").unwrap();
    replay::all(&store).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_that_says_an_earlier_time_makes_no_segment_old() {
    const NOW: i64 = 1_700_000_000_000;
    let old = Timestamp(1_000_000_000_000);
    let created = |number: u64, at: i64| {
        let project = ProjectId { name: format!("project-{number:03}").parse().unwrap(), uid: "7".to_owned() };
        json(&SystemEvent { at: Timestamp(at), what: SystemChange::ProjectCreated { project, by: by() } })
    };
    let mut end_of_first = 0;
    for said_at_the_end in [NOW, old.0] {
        let data = TempDir::new().unwrap();
        let store = Store::open(data.path(), small()).unwrap().0;
        for number in 1..40 {
            let at = if number == end_of_first { said_at_the_end } else { NOW };
            store.append("@system", vec![created(number, at)]).await.unwrap();
        }
        end_of_first = *store.full_segments().unwrap()[0].end();
        assert_eq!(
            drop_older(&store, Timestamp(NOW)).unwrap(),
            None,
            "it is of today, and ends with {said_at_the_end}"
        );
        assert!(drop_older(&store, Timestamp(NOW + 1)).unwrap().is_some(), "a moment later it is not");
    }
}
