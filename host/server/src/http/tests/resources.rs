//! Applications of an environment over HTTP. What is there resource by resource is for `tests/host`, with real targets.

use super::*;

/// Applications `docs` and `web`; nobody is asked, and nothing is applied.
async fn with_applications() -> Server {
    let server = Server::with_project().await;
    let shop = server.host.project(&name("shop")).unwrap().view();
    let applications = ["docs", "web"].map(name).into();
    let definition = Definition { applications, ..shop.state.definition.as_ref().clone() };
    let by = Actor { person: "ann".to_owned(), groups: Default::default(), via: "test".to_owned() };
    server.host.apply(name("shop"), definition, by).await.unwrap();
    server
}

const APPLICATIONS: &str = "/v1/projects/shop/environments/staging/applications";

/// `docs IN_SYNC wants v1 live v1, web ..`.
fn told(answer: &Answer) -> String {
    let found: wire::Applications = serde_json::from_str(&answer.text).unwrap();
    let one = |it: &wire::ApplicationStatus| {
        let tag = |tag: &Option<String>| tag.clone().unwrap_or_else(|| "nothing".to_owned());
        format!("{} {} wants {} live {}", it.application, it.sync, tag(&it.wanted), tag(&it.live))
    };
    found.items.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn an_environment_wants_what_is_live_and_before_that_the_newest_release() {
    let server = with_applications().await;
    assert_eq!(
        told(&server.get(APPLICATIONS).await),
        "docs OUT_OF_SYNC wants nothing live nothing, web OUT_OF_SYNC wants nothing live nothing"
    );
    server.post("/v1/projects/shop/releases", json!({ "tag": "v1" })).await;
    server.post("/v1/projects/shop/releases", json!({ "tag": "v2", "draft": true })).await;
    assert_eq!(
        told(&server.get(APPLICATIONS).await),
        "docs OUT_OF_SYNC wants v1 live nothing, web OUT_OF_SYNC wants v1 live nothing"
    );
    server.deploy("staging", "v1").await;
    assert_eq!(told(&server.get(APPLICATIONS).await), "docs IN_SYNC wants v1 live v1, web IN_SYNC wants v1 live v1");
    let selective = json!({ "release": "v1", "type": "SELECTIVE", "selections": [{ "application": "web" }] });
    server.post("/v1/projects/shop/environments/staging/deployments", selective).await;
    assert_eq!(told(&server.get(APPLICATIONS).await), "docs IN_SYNC wants v1 live v1, web IN_SYNC wants v1 live v1");
}

#[tokio::test]
async fn who_waits_for_a_change_is_answered_when_there_is_one() {
    let server = with_applications().await;
    server.post("/v1/projects/shop/releases", json!({ "tag": "v1" })).await;
    let sequence = server.get(APPLICATIONS).await.json()["sequence"].as_u64().unwrap();
    let waiting = format!("{APPLICATIONS}?after={sequence}");
    // Much sooner than the 25 seconds after which everybody is answered.
    let both = async { tokio::join!(server.get(&waiting), server.deploy("staging", "v1")) };
    let (answer, _) = tokio::time::timeout(Duration::from_secs(20), both).await.expect("it is answered at the change");
    assert!(answer.json()["sequence"].as_u64().unwrap() > sequence, "{}", answer.text);
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let server = with_applications().await;
    let environments = "/v1/projects/shop/environments";
    server.get(format!("{environments}/qa/applications")).await.is_problem(404, "unknown-environment");
    server.get(format!("{environments}/qa/resources")).await.is_problem(404, "unknown-environment");
    let unknown = server.get(format!("{environments}/staging/resources?application=api")).await;
    unknown.is_problem(404, "unknown-application");
    assert!(unknown.text.contains("docs, web"), "{}", unknown.text);
    server.get(format!("{environments}/staging/resources?limit=0")).await.is_problem(422, "invalid-query");
    let none = server.get(format!("{environments}/staging/resources?application=web")).await;
    assert_eq!((none.status, none.text.as_str()), (200, r#"{"items":[]}"#));
}
