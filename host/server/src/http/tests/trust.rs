//! Whose signatures count, over HTTP. `tests/host` has real signatures.

use reqwest::Method;
use serde_json::json;

use super::gates::with_gate;
use super::{Answer, Server};

const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAst/IBqZOJoYjMhLOyh7dnCAVs78H+sKW8Mf6BDunILk=\n-----END PUBLIC KEY-----\n";

impl Server {
    async fn trust(&self, name: &str, plugins: &[&str]) -> Answer {
        self.post("/v1/trusted-keys", json!({ "name": name, "public_key": KEY, "plugins": plugins })).await
    }

    async fn approve_over_http(&self, plugin: &str) -> Answer {
        self.post(format!("/v1/plugins/{plugin}/approve"), json!({ "grants": {} })).await
    }
}

#[tokio::test]
async fn a_key_is_trusted_listed_and_removed_with_a_reason() {
    let server = Server::start().await;
    let trusted = server.trust("ops", &["deploy-*"]).await;
    assert_eq!(trusted.status, 201, "{}", trusted.text);
    assert_eq!(server.get("/v1/trusted-keys").await.json()["items"][0]["plugins"], json!(["deploy-*"]));
    server.trust("again", &["deploy-*"]).await.is_problem(409, "key-known");
    server.trust("Ops", &["deploy-*"]).await.is_problem(422, "invalid-name");
    server.trust("ops", &["Deploy?"]).await.is_problem(422, "invalid-pattern");
    server.trust("ops", &[]).await.is_problem(422, "invalid-pattern");
    let no_key = json!({ "name": "x", "public_key": "text", "plugins": ["*"] });
    server.post("/v1/trusted-keys", no_key).await.is_problem(422, "invalid-key");

    let remove =
        |key: &str, reason: &str| server.post(format!("/v1/trusted-keys/{key}/remove"), json!({ "reason": reason }));
    remove("ops", "").await.is_problem(422, "reason-missing");
    remove("opps", "stolen").await.is_problem(404, "unknown-key");
    assert_eq!(remove("ops", "stolen").await.json()["active"], json!([]));
    assert_eq!(server.get("/v1/trusted-keys").await.json()["items"], json!([]));
}

#[tokio::test]
async fn where_a_signature_is_required_what_has_none_is_not_approved() {
    let server = with_gate().await;
    let rule = |reason: &str| json!({ "plugins": "che*", "reason": reason });
    assert_eq!(server.post("/v1/signature-rules", rule("")).await.json()["items"][0]["plugins"], "che*");
    let refused = server.approve_over_http("check").await;
    refused.is_problem(409, "signature-missing");
    assert!(refused.text.contains("`che*` requires a signature, and it has none"), "{}", refused.text);
    assert_eq!(server.get("/v1/plugins/check").await.json()["signature_required"], "che*");
    assert_eq!(server.approve_over_http("notify").await.status, 200);

    server.post("/v1/signature-rules/remove", rule("")).await.is_problem(422, "reason-missing");
    server.post("/v1/signature-rules/remove", json!({ "plugins": "c*" })).await.is_problem(404, "unknown-rule");
    assert_eq!(server.post("/v1/signature-rules/remove", rule("a test")).await.json()["items"], json!([]));
    assert_eq!(server.approve_over_http("check").await.status, 200);
}

#[tokio::test]
async fn what_is_said_of_an_origin_is_short_and_readable() {
    let server = Server::start().await;
    let add =
        |query: String| server.send(server.request(Method::POST, &format!("/v1/plugins?{query}")).body("component"));
    add("source=a%1b[2J".to_owned()).await.is_problem(422, "invalid-source");
    add("source=a%E2%80%AEb".to_owned()).await.is_problem(422, "invalid-source");
    add(format!("source={}", "x".repeat(1025))).await.is_problem(422, "invalid-source");
    add("signature=AAAA".to_owned()).await.is_problem(422, "invalid-signature");
    add("source=notify.wasm".to_owned()).await.is_problem(422, "invalid-component");
}
