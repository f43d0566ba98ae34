//! Whose signatures count, over HTTP. `tests/host` has real signatures.

use reqwest::Method;
use serde_json::json;

use super::gates::with_gate;
use super::{Answer, Server};

const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAst/IBqZOJoYjMhLOyh7dnCAVs78H+sKW8Mf6BDunILk=\n-----END PUBLIC KEY-----\n";

impl Server {
    async fn trust(&self, name: &str, plugins: &[&str]) -> Answer {
        self.post("/v1/trusted-signers", json!({ "name": name, "public_key": KEY, "plugins": plugins })).await
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
    assert_eq!(server.get("/v1/trusted-signers").await.json()["items"][0]["plugins"], json!(["deploy-*"]));
    server.trust("again", &["deploy-*"]).await.is_problem(409, "signer-known");
    server.trust("Ops", &["deploy-*"]).await.is_problem(422, "invalid-name");
    server.trust("ops", &["Deploy?"]).await.is_problem(422, "invalid-pattern");
    server.trust("ops", &[]).await.is_problem(422, "invalid-pattern");
    let no_key = json!({ "name": "x", "public_key": "text", "plugins": ["*"] });
    server.post("/v1/trusted-signers", no_key).await.is_problem(422, "invalid-key");

    let remove =
        |key: &str, reason: &str| server.post(format!("/v1/trusted-signers/{key}/remove"), json!({ "reason": reason }));
    remove("ops", "").await.is_problem(422, "reason-missing");
    remove("opps", "stolen").await.is_problem(404, "unknown-signer");
    assert_eq!(remove("ops", "stolen").await.json()["active"], json!([]));
    assert_eq!(server.get("/v1/trusted-signers").await.json()["items"], json!([]));
}

#[tokio::test]
async fn an_identity_is_trusted_with_its_issuer_and_the_keys_that_vouch_for_it() {
    let server = Server::start().await;
    let trust = |with: serde_json::Value| {
        let mut body =
            json!({ "name": "ann", "identity": "ann@a.example", "issuer": "https://a.example", "plugins": ["*"] });
        body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        server.post("/v1/trusted-signers", body)
    };
    for (with, code) in [
        (json!({ "issuer": null }), "invalid-signer"),
        (json!({ "identity": null }), "invalid-signer"),
        (json!({ "public_key": KEY }), "invalid-signer"),
        (json!({ "public_key": KEY, "identity": null, "issuer": null, "trusted_root": "{}" }), "invalid-signer"),
        (json!({ "identity": "*@a.example" }), "invalid-identity"),
        (json!({ "issuer": "a.example" }), "invalid-identity"),
        (json!({ "trusted_root": "{}" }), "invalid-trusted-root"),
        (json!({ "trusted_root": "text" }), "invalid-trusted-root"),
    ] {
        trust(with).await.is_problem(422, code);
    }
    trust(json!({ "trusted_root": " ".repeat((256 << 10) + 1) })).await.is_problem(413, "body-too-large");
    assert_eq!(server.get("/v1/trusted-signers").await.json()["items"], json!([]));

    assert_eq!(trust(json!({})).await.status, 201);
    let root = sigstore_verify::trust_root::SIGSTORE_STAGING_TRUSTED_ROOT;
    let own = trust(json!({ "name": "own", "trusted_root": root })).await;
    assert_eq!(own.status, 201, "{}", own.text);
    trust(json!({ "name": "again" })).await.is_problem(409, "signer-known");
    trust(json!({ "issuer": "https://b.example" })).await.is_problem(409, "signer-name-taken");
    let listed = server.get("/v1/trusted-signers").await.json();
    assert_eq!(listed["items"][0]["trusted_root"], "sigstore.dev");
    let kept = server.get(format!("/v1/artifacts/{}", listed["items"][1]["trusted_root"].as_str().unwrap())).await;
    assert_eq!(kept.text, root);
}

#[tokio::test]
async fn a_bundle_is_looked_at_before_its_component() {
    let server = Server::start().await;
    let add =
        |query: String| server.send(server.request(Method::POST, &format!("/v1/plugins?{query}")).body("component"));
    let uploaded = async |content: String| {
        let stored = server.send(server.request(Method::PUT, "/v1/artifacts").body(content)).await.json();
        format!("bundle={}", stored["digest"].as_str().unwrap())
    };
    let large = add(uploaded(" ".repeat((256 << 10) + 1)).await).await;
    large.is_problem(422, "invalid-bundle");
    assert!(large.text.contains("at most 262144 bytes"), "{}", large.text);
    add(uploaded("text".to_owned()).await).await.is_problem(422, "invalid-bundle");
    add(format!("bundle=sha256:{}", "0".repeat(64))).await.is_problem(404, "unknown-artifact");
    add(format!("bundle=sha256:{}&signature={}A%3D%3D", "0".repeat(64), "A".repeat(85)))
        .await
        .is_problem(422, "several-signatures");
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
