//! What the owner of a project does while the journal refuses, as on a full disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use lockgate_core::name::Timestamp;
use lockgate_core::plugin::Retry;
use lockgate_core::state::{Event, State, What};
use lockgate_core::system::{SystemChange, SystemEvent};
use lockgate_core::work::ProjectId;
use lockgate_store::Store;

use super::super::inbox::{Refusal, Report, Reports, View};
use super::super::{Host, Settings, index};
use super::written::{Written, definition, deploying, failed, failure, set};
use super::{by, name};

/// The size of the journal's segments: what does not fit the last one needs another, under this name until it is whole.
const NEXT_SEGMENT: &str = "journal/16777216.tmp";
const SEGMENT: &str = "journal/00000000000000000001.log";
/// An event that starts a call, with its frame, is smaller; what follows from the answer is larger.
const ROOM_FOR_A_START: usize = 260;
const PATIENCE: Duration = Duration::from_secs(180);

/// Its only deployment waits three seconds before it asks its plugin once more.
fn about_to_call() -> Written {
    let mut written = deploying();
    written.send(failed(&written, Retry::SameKey));
    written
}

async fn append(store: &Store, stream: &str, events: &[impl serde::Serialize]) {
    let payloads = events.iter().map(|event| serde_json::to_vec(event).unwrap()).collect();
    store.append(stream, payloads).await.unwrap();
}

/// A definition as large as this, in the event that the journal gets.
fn described(bytes: usize) -> Event {
    let definition = Arc::new(definition("x".repeat(bytes)));
    Event { at: Timestamp(1), what: What::DefinitionChanged { definition, by: by() } }
}

/// What is left of the segment.
fn room(data: &Path) -> usize {
    let segment = std::fs::read(data.join(SEGMENT)).unwrap();
    segment.iter().rev().take_while(|byte| **byte == 0).count()
}

async fn host_about_to_call(data: &Path) -> (Host, PathBuf) {
    let options = index::store_options(Default::default());
    let store = Store::open(data, options).unwrap().0;
    let what =
        SystemChange::ProjectCreated { project: ProjectId { name: name("shop"), uid: "7".to_owned() }, by: by() };
    append(&store, "@system", &[SystemEvent { at: Timestamp(1), what }]).await;
    append(&store, "shop", &[described(7 << 20)]).await;
    append(&store, "shop", &[described(7 << 20)]).await;
    append(&store, "shop", &about_to_call().events).await;
    let frame = lockgate_journal::framed_bytes("shop", &[serde_json::to_vec(&described(0)).unwrap()]);
    append(&store, "shop", &[described(room(data) - frame - ROOM_FOR_A_START)]).await;
    drop(store);
    let host = Host::open(Settings::of_a_test(data, 1)).await.unwrap();
    let in_the_way = data.join(NEXT_SEGMENT);
    std::fs::create_dir(&in_the_way).unwrap();
    (host, in_the_way)
}

async fn view_when(host: &Host, there: impl Fn(&View) -> bool) -> Arc<View> {
    let mut views = host.project(&name("shop")).unwrap().views();
    let came = tokio::time::timeout(PATIENCE, views.wait_for(|view| there(view))).await;
    came.expect("it comes to that in time").expect("its owner is there").clone()
}

fn under_way(view: &View) -> Option<u32> {
    view.state.due().first().map(|due| due.call.call)
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_journal_refuses_nothing_changes_and_no_answer_is_lost() {
    let data = tempfile::tempdir().unwrap();
    let (host, in_the_way) = host_about_to_call(data.path()).await;
    let asked = view_when(&host, |view| under_way(view) == Some(2)).await;
    let project = host.project(&name("shop")).unwrap();
    // Its answer, beside the one that its call may have sent: what comes after it in the inbox finds it refused.
    Reports { inbox: project.inbox.downgrade(), view: project.views() }
        .send(Report { call: asked.state.due()[0].call, answer: failure(Retry::SameKey), stopped: Default::default() })
        .await;
    let refusal = project.send(set("small".to_owned())).await.unwrap_err();
    assert!(matches!(refusal, Refusal::NotWritten(_)), "{refusal}");
    assert!(refusal.to_string().starts_with("nothing was changed, for the journal could not take it"), "{refusal}");
    let after = project.view();
    assert_eq!(after.sequence, asked.sequence);
    assert!(after.state == asked.state, "the state is the one before");

    std::fs::remove_dir(in_the_way).unwrap();
    view_when(&host, |view| under_way(view) != Some(2)).await;
    project.send(set("small".to_owned())).await.unwrap();
    let view = project.view();
    assert_eq!(view.state.definition.description, "small");
    let (replayed, seen) = (replayed(&host, view.sequence), view.state.clone());
    assert!(forget_1(replayed) == forget_1(seen), "what was refused was in the state, and not in the journal");
}

/// When it leaves the memory is nobody's promise.
fn forget_1(mut state: State) -> State {
    state.forget(1, 1);
    state
}

fn replayed(host: &Host, through: u64) -> State {
    let mut state = State::new(host.project(&name("shop")).unwrap().view().state.project.clone());
    for event in host.store.events(1).unwrap().map(Result::unwrap) {
        if event.stream == "shop" && event.sequence <= through {
            state.apply(&serde_json::from_slice(&event.payload).unwrap()).unwrap();
        }
    }
    state
}
