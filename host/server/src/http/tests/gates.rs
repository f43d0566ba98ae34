//! A changed rule of a gate, tried over HTTP: what is refused, and why. `tests/host` has the real components.

use lockgate_core::definition::{Gate, GateSet};
use lockgate_core::digest::Digest;
use lockgate_core::plugin::{Description, Grants, Kind, Requests};
use lockgate_core::system::{Duties, SystemCommand};

use super::*;

/// A project whose production has the gate `page`. Nobody approves its plugin, and its component is lost.
pub(super) async fn with_gate() -> Server {
    let server = Server::start().await;
    let by = Actor { person: "ann".to_owned(), groups: Default::default(), via: "test".to_owned() };
    for (plugin, kind) in [("check", Kind::Gate), ("notify", Kind::Phase)] {
        let description = Description {
            name: plugin.to_owned(),
            version: "1".to_owned(),
            summary: String::new(),
            config_schema: Value::Null,
            requests: Requests::default(),
        };
        let (digest, description) = (Digest::of(plugin.as_bytes()), Box::new(description));
        let (source, signed) = (None, None);
        let add = SystemCommand::AddPlugin { digest, kind, description, size_bytes: 5, source, signed, by: by.clone() };
        server.host.system.send(add, crate::clock::now()).await.unwrap();
    }
    let gate = Gate { name: name("page"), plugin: name("check"), config: json!({ "most": 3 }) };
    let set = GateSet { delay_ms: 0, interval_ms: 100, steady_ms: 0, timeout_ms: 300, gates: vec![gate] };
    let gated = Environment { post_gates: Some(set), ..Environment::default() };
    let workflow = Workflow {
        stage: WorkflowStage::Patch,
        goes_live: true,
        on_failure: OnFailure::Stop,
        timeout_ms: None,
        phases: Vec::new(),
    };
    let definition = Definition {
        environments: BTreeMap::from([(name("staging"), Arc::default()), (name("production"), Arc::new(gated))]),
        workflows: BTreeMap::from([(name("publish"), Arc::new(workflow))]),
        ..Definition::default()
    };
    server.host.apply(name("shop"), definition, by).await.unwrap();
    server
}

const BACKTEST: &str = "/v1/projects/shop/gates/backtest";

impl Server {
    async fn backtest(&self, changes: Value) -> Answer {
        let mut body = json!({ "environment": "production", "gate": "page" });
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        self.post(BACKTEST, body).await
    }

    pub(super) async fn approve_check(&self) {
        let by = Actor { person: "ann".to_owned(), groups: Default::default(), via: "test".to_owned() };
        let (grants, reason, duties) = (Grants::default(), String::new(), Duties::Together);
        let approve = SystemCommand::ApprovePlugin { digest: Digest::of(b"check"), grants, reason, duties, by };
        self.host.system.send(approve, crate::clock::now()).await.unwrap();
    }
}

#[tokio::test]
async fn a_back_test_that_names_what_is_not_there_says_what_is() {
    let server = with_gate().await;
    let says = async |changes: Value, status: u16, code: &str, words: &[&str]| {
        let answer = server.backtest(changes).await;
        answer.is_problem(status, code);
        for word in words {
            assert!(answer.text.contains(word), "`{word}` is missing in {}", answer.text);
        }
    };
    says(json!({ "environment": "qa" }), 404, "unknown-environment", &["production", "staging"]).await;
    says(json!({ "gate": "pages" }), 404, "unknown-gate", &["`production` has no gate `pages`; it has: page"]).await;
    says(json!({ "environment": "staging" }), 404, "unknown-gate", &["it has: none"]).await;
    says(json!({ "environment": "Prod!" }), 422, "invalid-body", &["`environment`: `Prod!` is not a name"]).await;
    says(json!({ "gate": 7 }), 422, "invalid-body", &["`gate`"]).await;
    says(json!({}), 409, "plugin-not-approved", &["`page` uses plugin `check`", "--plugin"]).await;
    says(json!({ "plugin": "chek" }), 404, "unknown-plugin", &["`chek`", "check, notify"]).await;
    says(json!({ "plugin": Digest::of(b"x").to_string() }), 404, "unknown-plugin", &["check, notify"]).await;
    says(json!({ "plugin": "notify" }), 422, "wrong-kind", &["`notify` is a phase plugin"]).await;
    let both = json!({ "plugin": "check", "config": {}, "set": { "most": 1 } });
    says(both, 422, "invalid-body", &["send one of them"]).await;
    says(json!({ "plugin": "check", "since": "noon" }), 422, "invalid-body", &["`noon` is no time"]).await;
    says(json!({ "plugin": "check", "limit": 0 }), 422, "invalid-body", &["it can be 1 to 500"]).await;
    says(json!({ "plugin": "check" }), 409, "no-evidence", &["`page` measured in `production`", "deploy there"]).await;
    let viewer = server.token("viewer", "viewer", &[]).await;
    let request = server.request(Method::POST, BACKTEST).bearer_auth(viewer).json(&json!({}));
    Answer::of(request.send().await.unwrap()).await.is_problem(403, "role-too-low");
}

#[tokio::test]
async fn what_the_gates_came_to_is_kept_also_where_nothing_could_be_measured() {
    let server = with_gate().await;
    server.approve_check().await;
    assert_eq!(server.post("/v1/projects/shop/releases", json!({ "tag": "v1" })).await.status, 201);
    let number = server.deploy("production", "v1").await;
    server.is_indexed(number).await;
    // There is a run to judge again, and nothing to judge it with.
    let lost = server.backtest(json!({})).await;
    lost.is_problem(409, "component-lost");
    assert!(lost.text.contains("lockgate plugin add FILE"), "{}", lost.text);
    let later = server.backtest(json!({ "since": "2999-01-01T00:00:00Z" })).await;
    later.is_problem(409, "no-evidence");
    assert!(later.text.contains("since 2999-01-01T00:00:00.000Z is recorded; the newest is of 20"), "{}", later.text);
}

#[tokio::test]
async fn back_tests_take_turns() {
    let server = with_gate().await;
    let turn = server.host.backtests.clone().try_acquire_owned().unwrap();
    let busy = server.backtest(json!({ "plugin": "check" })).await;
    busy.is_problem(429, "backtest-busy");
    assert!(busy.headers.contains_key("retry-after"));
    drop(turn);
    server.backtest(json!({ "plugin": "check" })).await.is_problem(409, "no-evidence");
}
