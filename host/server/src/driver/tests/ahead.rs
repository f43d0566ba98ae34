//! Which calls begin while the disk still writes that they are made.

use lockgate_core::handle::{Again, Command, TryFrom};
use lockgate_core::name::Timestamp;
use lockgate_core::plugin::{Access, Description, FolderGrant, Grants, HttpGrant, Kind, Requests, Retry};
use lockgate_core::state::State;
use lockgate_core::system::{SystemChange, SystemEvent};
use lockgate_sandbox::CancellationToken;
use lockgate_store::Store;
use serde_json::Value;

use super::super::calls::RunningCalls;
use super::super::inbox::{Asker, Message, Reports};
use super::super::{Host, index};
use super::written::{deploying, failed, failure};
use super::{Digest, by, id, json, name, open};

/// A host on which the plugin that `deploying` asks is approved with these, if it is.
async fn host_with(data: &std::path::Path, granted: Option<Grants>) -> Host {
    let options = index::store_options(Default::default());
    let store = Store::open(data, options).unwrap().0;
    let digest = Digest::of(b"steps");
    let description = Box::new(Description {
        name: "steps".to_owned(),
        version: "1".to_owned(),
        summary: String::new(),
        config_schema: Value::Null,
        requests: Requests::default(),
    });
    let approved =
        granted.map(|grants| SystemChange::PluginApproved { digest, grants, reason: String::new(), by: by() });
    let changes = [
        SystemChange::ProjectCreated { project: id("shop"), by: by() },
        SystemChange::PluginAdded {
            digest,
            kind: Kind::Phase,
            description,
            size_bytes: 1,
            source: None,
            signed: None,
            by: by(),
        },
    ];
    let events = changes.into_iter().chain(approved).map(|what| json(&SystemEvent { at: Timestamp(1), what }));
    store.append("@system", events.collect()).await.unwrap();
    drop(store);
    open(data).await
}

fn calls(host: &Host) -> RunningCalls {
    let project = host.project(&name("shop")).unwrap();
    RunningCalls::new(host.runner.clone(), Reports { inbox: project.inbox.downgrade(), view: project.views() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_begins_ahead_of_the_disk_only_if_it_reaches_nothing() {
    let http = HttpGrant { origin: "https://example.com:443".to_owned(), private_network: false, methods: [].into() };
    let folder = FolderGrant { path: "/srv".to_owned(), access: Access::Read };
    let none = Grants::default;
    for (granted, begins) in [
        (Some(none()), true),
        (None, false),
        (Some(Grants { http: [http].into(), ..none() }), false),
        (Some(Grants { folders: [("srv".to_owned(), folder)].into(), ..none() }), false),
        (Some(Grants { workspace: Some(Access::Read), ..none() }), false),
        (Some(Grants { state: Some(name("kept")), ..none() }), false),
        (Some(Grants { secrets: [name("key")].into(), ..none() }), false),
        (Some(Grants { reveal: [name("key")].into(), ..none() }), false),
    ] {
        let (data, state) = (tempfile::tempdir().unwrap(), deploying().state);
        let host = host_with(data.path(), granted.clone()).await;
        let mut calls = calls(&host);
        calls.begin_ahead(&state, 1);
        assert_eq!(calls.is_running(state.due()[0].call), begins, "{granted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_began_ahead_is_the_call_that_is_due_or_ends_where_the_disk_refuses() {
    let (data, state) = (tempfile::tempdir().unwrap(), deploying().state);
    let host = host_with(data.path(), Some(Grants::default())).await;
    let (mut calls, due) = (calls(&host), state.due());
    calls.begin_ahead(&state, 1);
    calls.follow(&state, 1, &due);
    assert!(calls.is_running(due[0].call) && calls.leaving(&name("prod")).is_nobody());
    let before = State::new(id("shop"));
    calls.follow(&before, 1, &[]);
    assert!(!calls.is_running(due[0].call));
    calls.leaving(&name("prod")).wait().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_a_guest_that_is_still_to_be_stopped_nothing_begins() {
    let (data, mut written) = (tempfile::tempdir().unwrap(), deploying());
    let host = host_with(data.path(), Some(Grants::default())).await;
    let mut calls = calls(&host);
    // So the first call waits, and does not end by itself.
    calls.let_nobody_leave(&name("prod"));
    calls.follow(&written.state, 1, &written.state.due());
    written.send(failed(&written, Retry::Never));
    let (from, by) = (TryFrom::Start, by());
    written.send(Command::TryAgain(Again { number: 1, from, finished: None, key: None, by }));
    let second = written.state.due();
    calls.begin_ahead(&written.state, 1);
    assert!(!calls.is_running(second[0].call));
    calls.follow(&written.state, 1, &second);
    assert!(calls.is_running(second[0].call));
}

#[test]
fn the_answer_of_a_call_that_was_stopped_does_not_count() {
    let stopped = CancellationToken::new();
    let call = deploying().state.due()[0].call;
    let message = Message::new(Command::Report { call, answer: failure(Retry::Never) }, Asker::Call(stopped.clone()));
    assert!(!message.is_of_a_stopped_call());
    stopped.cancel();
    assert!(message.is_of_a_stopped_call());
}
