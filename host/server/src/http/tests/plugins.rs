//! What becomes of a plugin: active, retired, removed.

use reqwest::Method;
use serde_json::json;

use super::Server;
use super::gates::with_gate;

impl Server {
    async fn status_of(&self, plugin: &str) -> String {
        let shown = self.get(format!("/v1/plugins/{plugin}")).await.json();
        shown["status"].as_str().unwrap().to_owned()
    }

    async fn retire(&self, plugin: &str, reason: &str) -> super::Answer {
        self.post(format!("/v1/plugins/{plugin}/retire"), json!({ "reason": reason })).await
    }

    async fn remove(&self, plugin: &str) -> super::Answer {
        self.send(self.request(Method::DELETE, &format!("/v1/plugins/{plugin}"))).await
    }
}

#[tokio::test]
async fn a_plugin_is_retired_first_and_removed_when_no_release_needs_it() {
    let server = with_gate().await;
    server.retire("check", "leaks").await.is_problem(409, "plugin-not-active");
    server.approve_check().await;
    assert_eq!(server.post("/v1/projects/shop/releases", json!({ "tag": "v1" })).await.status, 201);
    server.remove("check").await.is_problem(409, "plugin-active");
    server.retire("check", "").await.is_problem(422, "reason-missing");
    let retired = server.retire("check", "leaks").await.json();
    assert_eq!((retired["status"].as_str(), retired["retired"]["reason"].as_str()), (Some("retired"), Some("leaks")));
    server.post("/v1/projects/shop/releases", json!({ "tag": "v2" })).await.is_problem(409, "plugins-not-ready");

    let refused = server.remove("check").await;
    refused.is_problem(409, "plugin-pinned");
    assert!(refused.text.contains("is still needed by v1 of shop"), "{}", refused.text);
    server.post("/v1/projects/shop/releases/v1/abandon", json!({})).await;
    assert_eq!(server.remove("check").await.status, 204);
    server.get("/v1/plugins/check").await.is_problem(404, "unknown-plugin");
}

#[tokio::test]
async fn a_retired_plugin_is_approved_again() {
    let server = with_gate().await;
    server.approve_check().await;
    server.retire("check", "leaks").await;
    assert_eq!(server.status_of("check").await, "retired");
    server.approve_check().await;
    assert_eq!(server.status_of("check").await, "active");
}
