//! Endpoints over HTTP: how long whoever calls one may wait, and what ends the waiting.

use lockgate_core::definition::{Phase, PhaseWork};

use super::*;
use crate::http::views::testing::phase;

/// `v1` is live in staging, and its endpoint `ask` asks a person who does not answer.
async fn with_endpoint() -> Server {
    let server = Server::with_project().await;
    let shop = server.host.project(&name("shop")).unwrap().view();
    let mut definition = shop.state.definition.as_ref().clone();
    let instructions = "look at it".to_owned();
    let person = phase("person", PhaseWork::Manual { instructions, groups: Default::default() });
    let asks = Workflow {
        goes_live: false,
        phases: vec![Phase { timeout_ms: 3_600_000, ..person }],
        ..definition.workflows[&name("publish")].as_ref().clone()
    };
    definition.workflows.insert(name("asks"), Arc::new(asks));
    definition.endpoints.insert(name("ask"), name("asks"));
    let staging = Environment { workflow: Some(name("publish")), ..Environment::default() };
    definition.environments.insert(name("staging"), Arc::new(staging));
    let by = Actor { person: "ann".to_owned(), groups: Default::default(), via: "test".to_owned() };
    server.host.apply(name("shop"), definition, by).await.unwrap();
    assert_eq!(server.post("/v1/projects/shop/releases", json!({ "tag": "v1" })).await.status, 201);
    server.deploy("staging", "v1").await;
    server
}

impl Server {
    fn ask(&self, query: &str, secret: &str) -> impl Future<Output = Answer> + use<> {
        let request = self.request(Method::POST, &format!("/v1/trigger/ask{query}")).bearer_auth(secret);
        let request = request.header("X-Environment", "staging").json(&json!({}));
        async move { Answer::of(request.send().await.unwrap()).await }
    }

    /// Of a deployment that asks a person.
    async fn asks(&self, number: u64) {
        let asks = |view: &Arc<crate::driver::View>| {
            let deployment = view.state.deployments.get(&number);
            deployment.is_some_and(|deployment| deployment.attempt.begun_at.is_some())
        };
        let mut views = self.host.project(&name("shop")).unwrap().views();
        views.wait_for(asks).await.unwrap();
    }
}

#[tokio::test]
async fn who_does_not_wait_gets_the_deployment() {
    let server = with_endpoint().await;
    let answer = server.ask("", &server.admin).await;
    assert_eq!((answer.status, &answer.json()["type"]), (202, &json!("CUSTOM")), "{}", answer.text);
    server.ask("?wait=301", &server.admin).await.is_problem(422, "invalid-query");
}

#[tokio::test]
async fn who_loses_the_right_to_the_outputs_waits_for_them_no_longer() {
    let server = with_endpoint().await;
    let secret = server.token("ci", "member", &[]).await;
    let revoke = async {
        server.asks(2).await;
        let revoke = server.request(Method::DELETE, "/v1/tokens/ci");
        assert_eq!(server.send(revoke).await.status, 204);
    };
    let (answer, ()) = tokio::join!(server.ask("?wait=300", &secret), revoke);
    answer.is_problem(401, "token-revoked");
    assert!(answer.text.contains("deployment 2 was triggered, but then"), "{}", answer.text);
}

#[tokio::test]
async fn a_host_that_stops_tells_how_far_it_came() {
    let mut server = with_endpoint().await;
    let asked = server.ask("?wait=300", &server.admin);
    let stop = server.stop.take().unwrap();
    let stopping = async {
        server.asks(2).await;
        stop.send(()).unwrap();
    };
    // Much sooner than the 300 seconds that it would wait else.
    let both = async { tokio::join!(asked, stopping) };
    let (answer, ()) = tokio::time::timeout(PATIENCE, both).await.expect("it is answered at the stop");
    assert_eq!((answer.status, &answer.json()["deployment"]["number"]), (202, &json!(2)), "{}", answer.text);
    assert_eq!(answer.json().get("outputs"), None);
    server.serving.await.unwrap();
}
