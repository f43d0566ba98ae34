//! The API as a client meets it: a real host in a folder of its own, behind a real listener.

mod endpoints;
mod gates;
mod plugins;
mod resources;
mod trust;

use std::collections::BTreeMap;
use std::sync::Arc;

use expect_test::expect;
use lockgate_core::definition::{
    ApprovalPolicy, ApprovalRule, Definition, Environment, OnFailure, Workflow, WorkflowStage,
};
use lockgate_core::name::Actor;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::driver::{Settings, log_id};

/// Nothing here takes this long; what does has gone wrong.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    url: String,
    host: Host,
    /// Secret of the first token.
    admin: String,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
    _data: TempDir,
}

struct Answer {
    status: u16,
    headers: axum::http::HeaderMap,
    text: String,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// Status and code, after a look at the shape that every problem has.
    fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let problem: wire::Problem = serde_json::from_str(&self.text).unwrap();
        assert_eq!(problem.status, self.status);
        assert_eq!(problem.problem_type, format!("urn:lockgate:problem:{}", problem.code));
        assert!(!problem.title.is_empty() && !problem.detail.is_empty());
        (self.status, problem.code)
    }

    fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.problem(), (status, code.to_owned()), "{}", self.text);
    }
}

impl Server {
    async fn start() -> Self {
        Self::within(LIMITS).await
    }

    async fn within(limits: Limits) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir().unwrap();
        let host = Host::open(Settings::of_a_test(data.path(), 2)).await.unwrap();
        assert!(needs_administrator(&host));
        let admin = new_secret();
        create_administrator(&host, &admin).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(serve_within(limits, host.clone(), listener, async {
            let _ = stopped.await;
        }));
        let http = reqwest::Client::builder().tls_certs_only([]).timeout(PATIENCE).build().unwrap();
        Self { url, host, admin, http, stop: Some(stop), serving, _data: data }
    }

    /// With project `shop`: `staging` deploys at once, `production` asks one of the operators.
    async fn with_project() -> Self {
        Self::start().await.having_a_project().await
    }

    async fn having_a_project(self) -> Self {
        let server = self;
        let rule = ApprovalRule { count: 1, groups: ["operators".to_owned()].into() };
        let guarded = Environment {
            approvals: ApprovalPolicy { rules: vec![rule], ..ApprovalPolicy::default() },
            ..Environment::default()
        };
        let workflow = Workflow {
            stage: WorkflowStage::Patch,
            goes_live: true,
            on_failure: OnFailure::Stop,
            timeout_ms: None,
            phases: Vec::new(),
        };
        let definition = Definition {
            environments: BTreeMap::from([
                ("staging".parse().unwrap(), Arc::default()),
                ("production".parse().unwrap(), Arc::new(guarded)),
            ]),
            workflows: BTreeMap::from([("publish".parse().unwrap(), Arc::new(workflow))]),
            ..Definition::default()
        };
        let by = Actor { person: "ann".to_owned(), groups: Default::default(), via: "test".to_owned() };
        server.host.apply(name("shop"), definition, by).await.unwrap();
        server
    }

    async fn with_release(tag: &str) -> Self {
        let server = Self::with_project().await;
        assert_eq!(server.post("/v1/projects/shop/releases", json!({ "tag": tag })).await.status, 201);
        server
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::of(request.bearer_auth(&self.admin).send().await.unwrap()).await
    }

    async fn get(&self, path: impl AsRef<str>) -> Answer {
        self.send(self.request(Method::GET, path.as_ref())).await
    }

    async fn post(&self, path: impl AsRef<str>, body: Value) -> Answer {
        self.send(self.request(Method::POST, path.as_ref()).json(&body)).await
    }

    /// The secret of a new token; its name is the person's.
    async fn token(&self, person: &str, role: &str, groups: &[&str]) -> String {
        let new = json!({ "name": person, "person": person, "role": role, "groups": groups });
        self.post("/v1/tokens", new).await.json()["secret"].as_str().unwrap().to_owned()
    }

    async fn deploy(&self, environment: &str, release: &str) -> u64 {
        let path = format!("/v1/projects/shop/environments/{environment}/deployments");
        self.post(path, json!({ "release": release })).await.json()["number"].as_u64().unwrap()
    }

    async fn is_indexed(&self, number: u64) {
        let project = name("shop");
        let mut indexed = self.host.project(&project).unwrap().indexed();
        let finished = || deployments::finished(&self.host.store, &project, number).unwrap();
        while finished().is_none() {
            tokio::time::timeout(PATIENCE, indexed.changed()).await.expect("it is indexed in time").unwrap();
        }
    }
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The events of a stream that has ended: type, id and data of each.
fn events(text: &str) -> Vec<(String, String, Value)> {
    let event = |block: &str| {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        Some((field("event: ")?, field("id: ")?, serde_json::from_str(&field("data: ")?).unwrap()))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[tokio::test]
async fn a_mistake_of_our_own_is_an_answer_and_no_broken_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    async fn broken() -> StatusCode {
        panic!("this one is on purpose")
    }
    let router = guarded(Router::new().route("/", axum::routing::get(broken)));
    let stopping = CancellationToken::new();
    let serving = tokio::spawn(connections::answer_all(listener, router, LIMITS, stopping.clone()));

    let answer = Answer::of(reqwest::get(url).await.unwrap()).await;
    assert_eq!(answer.problem(), (500, "internal".to_owned()));
    stopping.cancel();
    serving.await.unwrap();
}

// ---- who may ----

#[tokio::test]
async fn nobody_gets_in_without_a_good_token() {
    let server = Server::start().await;
    let whoami = |secret: Option<&str>| {
        let request = server.request(Method::GET, "/v1/whoami");
        let request = match secret {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        };
        async move { Answer::of(request.send().await.unwrap()).await }
    };
    whoami(None).await.is_problem(401, "token-missing");
    let wrong = whoami(Some("lg_wrong")).await;
    wrong.is_problem(401, "token-unknown");
    assert_eq!(wrong.headers["www-authenticate"], "Bearer");
    let secret = server.token("ci", "member", &["operators"]).await;
    expect![[r#"{"person":"ci","groups":["operators"],"role":"member","token":"ci"}"#]]
        .assert_eq(&whoami(Some(&secret)).await.text);
    assert_eq!(server.send(server.request(Method::DELETE, "/v1/tokens/ci")).await.status, 204);
    whoami(Some(&secret)).await.is_problem(401, "token-revoked");
}

#[tokio::test]
async fn the_health_of_a_host_is_no_secret() {
    let server = Server::start().await;
    let answer = Answer::of(server.request(Method::GET, "/health").send().await.unwrap()).await;
    assert_eq!((answer.status, answer.json()["status"].as_str()), (200, Some("ok")));
}

#[tokio::test]
async fn a_secret_is_shown_once_and_its_hash_never() {
    let server = Server::start().await;
    assert!(!needs_administrator(&server.host));
    let secret = server.token("ci", "viewer", &[]).await;
    let listed = server.get("/v1/tokens").await.text;
    assert!(
        listed.contains("\"ci\"") && !listed.contains(&secret) && !listed.contains(&hash(&secret).hex()),
        "{listed}"
    );
    let again = json!({ "name": "ci", "person": "eve" });
    server.post("/v1/tokens", again).await.is_problem(409, "token-name-taken");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_a_problem_like_any_other() {
    let server = Server::start().await;
    server.get(format!("/v1/whoami?{}", "x".repeat(9 << 10))).await.is_problem(414, "uri-too-long");
    let with = |count: usize, bytes: usize| {
        let header = |request: reqwest::RequestBuilder, index| request.header(format!("x-{index}"), "x".repeat(bytes));
        (0..count).fold(server.request(Method::GET, "/v1/whoami"), header)
    };
    server.send(with(150, 1)).await.is_problem(431, "headers-too-large");
    server.send(with(4, 9 << 10)).await.is_problem(431, "headers-too-large");
    assert_eq!(server.send(with(50, 100)).await.status, 200);
}

#[tokio::test]
async fn what_only_hyper_can_refuse_is_documented() {
    let server = Server::start().await;
    let about = server.get("/openapi.json").await.json()["info"]["description"].as_str().unwrap().to_owned();
    assert!(about.contains("bare 400, 414 or 431"), "{about}");
    // As bytes of a token or as an escape: a NUL is nobody's name.
    let token = |body: &str| server.send(server.request(Method::POST, "/v1/tokens").body(body.to_owned()));
    token(r#"{"name":"a\u0000","person":"ann"}"#).await.is_problem(422, "invalid-token-name");
    token(r#"{"name":"a","person":"a\u0000"}"#).await.is_problem(422, "invalid-body");
    server.get("/v1/projects/a%00b").await.is_problem(422, "invalid-path");
    server.get("/v1/projects?x=%00%ff").await;
    server.send(server.request(Method::DELETE, "/v1/tokens/a%00")).await.is_problem(404, "unknown-token");
}

#[tokio::test]
async fn a_list_is_no_body_on_any_route() {
    let server = Server::with_release("v1").await;
    let deployment = server.deploy("production", "v1").await;
    let deployment = format!("/v1/projects/shop/deployments/{deployment}");
    let mut tried = 0;
    for (path, method, _) in operations(&server.get("/openapi.json").await.json()) {
        if method != Method::POST || path == "/v1/plugins" {
            continue;
        }
        let path = path.replace("/v1/projects/{project}/deployments/{number}", &deployment);
        let path = path.replace("{project}", "shop").replace("{environment}", "production").replace("{tag}", "v1");
        let path = path.replace("{plugin}", "x");
        for body in [r#"["v9","d",[]]"#, "[]", "null"] {
            let answer = server.send(server.request(Method::POST, &path).body(body)).await;
            assert!(answer.status == 422, "{path} took {body}: {} {}", answer.status, answer.text);
        }
        tried += 1;
    }
    assert!(tried >= 10, "{tried}");
    assert_eq!(server.get("/v1/projects/shop/releases/v9").await.status, 404);
}

/// Path with something in every place, method, and the roles of its security requirement.
fn operations(document: &Value) -> Vec<(String, Method, Option<String>)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse() else { continue };
            let role = operation["security"].pointer("/0/token/0").and_then(Value::as_str).map(str::to_owned);
            operations.push((path.clone(), method, role));
        }
    }
    operations
}

#[tokio::test]
async fn every_route_is_in_the_document_and_asks_for_the_role_it_names() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.json();
    let lines = operations(&document)
        .into_iter()
        .map(|(path, method, role)| format!("{method} {path} {}\n", role.unwrap_or_else(|| "-".to_owned())));
    expect![[r#"
        GET /health -
        GET /openapi.json viewer
        PUT /v1/artifacts member
        GET /v1/artifacts/{digest} viewer
        HEAD /v1/artifacts/{digest} viewer
        GET /v1/backup admin
        GET /v1/plugins viewer
        POST /v1/plugins admin
        GET /v1/plugins/{plugin} viewer
        DELETE /v1/plugins/{plugin} admin
        POST /v1/plugins/{plugin}/approve admin
        POST /v1/plugins/{plugin}/narrow admin
        POST /v1/plugins/{plugin}/retire admin
        POST /v1/plugins/{plugin}/widen admin
        GET /v1/projects viewer
        GET /v1/projects/{project} viewer
        PUT /v1/projects/{project} admin
        GET /v1/projects/{project}/deployments viewer
        GET /v1/projects/{project}/deployments/{number} viewer
        POST /v1/projects/{project}/deployments/{number}/approve member
        POST /v1/projects/{project}/deployments/{number}/break-glass admin
        POST /v1/projects/{project}/deployments/{number}/cancel member
        GET /v1/projects/{project}/deployments/{number}/events viewer
        GET /v1/projects/{project}/deployments/{number}/events/stream viewer
        GET /v1/projects/{project}/deployments/{number}/explain viewer
        POST /v1/projects/{project}/deployments/{number}/gates/{gate}/ignore admin
        GET /v1/projects/{project}/deployments/{number}/phases/{phase}/logs viewer
        GET /v1/projects/{project}/deployments/{number}/phases/{phase}/logs/stream viewer
        POST /v1/projects/{project}/deployments/{number}/redeploy member
        POST /v1/projects/{project}/deployments/{number}/reject member
        POST /v1/projects/{project}/deployments/{number}/retry member
        POST /v1/projects/{project}/deployments/{number}/review member
        GET /v1/projects/{project}/environments viewer
        GET /v1/projects/{project}/environments/{environment} viewer
        GET /v1/projects/{project}/environments/{environment}/applications viewer
        POST /v1/projects/{project}/environments/{environment}/deployments member
        POST /v1/projects/{project}/environments/{environment}/expiry admin
        POST /v1/projects/{project}/environments/{environment}/pause member
        POST /v1/projects/{project}/environments/{environment}/promote member
        POST /v1/projects/{project}/environments/{environment}/release-hold member
        GET /v1/projects/{project}/environments/{environment}/resources viewer
        POST /v1/projects/{project}/environments/{environment}/resume member
        POST /v1/projects/{project}/environments/{environment}/rollback member
        POST /v1/projects/{project}/environments/{environment}/schedule/pause member
        POST /v1/projects/{project}/environments/{environment}/schedule/resume member
        GET /v1/projects/{project}/environments/{environment}/state viewer
        POST /v1/projects/{project}/environments/{environment}/state/clear admin
        POST /v1/projects/{project}/gates/backtest member
        POST /v1/projects/{project}/pause member
        GET /v1/projects/{project}/releases viewer
        POST /v1/projects/{project}/releases member
        GET /v1/projects/{project}/releases/{tag} viewer
        POST /v1/projects/{project}/releases/{tag}/abandon member
        PUT /v1/projects/{project}/releases/{tag}/definition admin
        POST /v1/projects/{project}/releases/{tag}/start member
        POST /v1/projects/{project}/resume member
        GET /v1/secrets admin
        PUT /v1/secrets/{name} admin
        DELETE /v1/secrets/{name} admin
        GET /v1/signature-rules viewer
        POST /v1/signature-rules admin
        POST /v1/signature-rules/remove admin
        GET /v1/storage viewer
        GET /v1/tokens admin
        POST /v1/tokens admin
        DELETE /v1/tokens/{name} admin
        POST /v1/trigger/{endpoint} member
        GET /v1/trusted-signers viewer
        POST /v1/trusted-signers admin
        POST /v1/trusted-signers/{signer}/remove admin
        GET /v1/whoami viewer
    "#]]
    .assert_eq(&lines.collect::<String>());

    let viewer = server.token("viewer", "viewer", &[]).await;
    let member = server.token("member", "member", &[]).await;
    for (path, method, role) in operations(&document) {
        let place = path.replace("{number}", "1").replace("{digest}", &hash("").to_string()).replace(['{', '}'], "");
        let send = |secret: Option<&str>| {
            let request = server.request(method.clone(), &place);
            let request = match secret {
                Some(secret) => request.bearer_auth(secret),
                None => request,
            };
            async move { request.send().await.unwrap() }
        };
        let status = |response: Response| response.status().as_u16();
        match role.as_deref() {
            None => assert_eq!(status(send(None).await), 200, "{method} {place}"),
            Some(role) => {
                assert_eq!(status(send(None).await), 401, "{method} {place}");
                let answers = [status(send(Some(&viewer)).await), status(send(Some(&member)).await)];
                let refused = answers.map(|status| status == 403);
                let expected = [role != "viewer", role == "admin"];
                assert_eq!(refused, expected, "{method} {place} {answers:?}");
            }
        }
    }
}

// ---- problems ----

#[tokio::test]
async fn whatever_is_refused_is_a_problem() {
    let server = Server::with_release("v1").await;
    let releases = "/v1/projects/shop/releases";
    let raw = |body: &str| server.send(server.request(Method::POST, releases).body(body.to_owned()));
    server.get("/v1/nothing").await.is_problem(404, "no-such-route");
    server.post("/health", json!({})).await.is_problem(405, "method-not-allowed");
    server.post("/v1/whoami", json!({})).await.is_problem(405, "method-not-allowed");
    server.get("/v1/projects/shops").await.is_problem(404, "unknown-project");
    server.get("/v1/projects/Shop!").await.is_problem(422, "invalid-path");
    server.get("/v1/projects/shop/environments/qa").await.is_problem(404, "unknown-environment");
    server.get("/v1/projects/shop/releases/v2").await.is_problem(404, "unknown-release");
    server.get("/v1/projects/shop/deployments/7").await.is_problem(404, "unknown-deployment");
    server.get("/v1/projects/shop/deployments?limit=0").await.is_problem(422, "invalid-query");
    server.get("/v1/projects/shop/deployments?status=GREEN").await.is_problem(422, "invalid-query");
    server.get("/v1/projects/shop/deployments?attempt_status=QUEUED").await.is_problem(422, "invalid-query");
    server.get("/v1/plugins/none").await.is_problem(404, "unknown-plugin");
    raw("{").await.is_problem(400, "invalid-json");
    raw(r#"{"tag":"v2","colour":"red"}"#).await.is_problem(422, "invalid-body");
    raw(r#"{"tag":"v 2"}"#).await.is_problem(422, "invalid-tag");
    let rollback = "/v1/projects/shop/environments/staging/rollback";
    server.post(rollback, json!({})).await.is_problem(409, "nothing-to-roll-back-to");
    let deploy = "/v1/projects/shop/environments/staging/deployments";
    let by_hand = json!({ "release": "v1", "type": "ROLLBACK" });
    server.post(deploy, by_hand).await.is_problem(422, "rollback-by-hand");
    let flood = json!({ "release": "v1", "comment": "x".repeat(20_000) });
    server.post(deploy, flood).await.is_problem(413, "too-much");
}

#[tokio::test]
async fn a_type_says_what_it_needs() {
    let server = Server::with_release("v1").await;
    let deploy = "/v1/projects/shop/environments/staging/deployments";
    let asked = |more: Value| {
        let mut body = json!({ "release": "v1" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let refused = [
        (json!({ "type": "LAUNCH" }), 404, "unknown-workflow"),
        (json!({ "type": "LAUNCH", "workflow": "publish" }), 409, "wrong-stage"),
        (json!({ "type": "SELECTIVE" }), 422, "no-selection"),
        (json!({ "selections": [{ "resource_name": "a" }] }), 422, "selections-not-allowed"),
        (json!({ "type": "SELECTIVE", "selections": [{ "application": "nope" }] }), 404, "unknown-application"),
        (json!({ "type": "SIDEWAYS" }), 422, "invalid-deployment-type"),
        (json!({ "at": "tomorrow" }), 422, "invalid-body"),
        (json!({ "at": "2020-01-01T00:00:00Z" }), 422, "time-is-past"),
    ];
    for (more, status, code) in refused {
        server.post(deploy, asked(more)).await.is_problem(status, code);
    }
    for taken in [json!({ "refresh": true }), json!({ "forced": true }), json!({ "at": "2100-01-01T00:00:00Z" })] {
        assert_eq!(server.post(deploy, asked(taken)).await.status, 202);
    }
}

#[tokio::test]
async fn a_deployment_that_is_not_the_usual_one_names_its_workflow() {
    let server = Server::with_release("v1").await;
    let deploy = "/v1/projects/shop/environments/staging/deployments";
    for named in ["CUSTOM", "DESTROY"] {
        server.post(deploy, json!({ "release": "v1", "type": named })).await.is_problem(422, "workflow-missing");
    }
    let body = json!({ "release": "v1", "type": "CUSTOM", "workflow": "publish" });
    assert_eq!(server.post(deploy, body).await.status, 202);
    let body = json!({ "release": "v1", "type": "DESTROY", "workflow": "publish" });
    server.post(deploy, body).await.is_problem(409, "wrong-stage");
}

#[tokio::test]
async fn what_nobody_takes_down_is_not_accepted() {
    let server = Server::with_release("v1").await;
    for what in ["releases/v1/start", "releases/v1/abandon", "deployments/1/retry", "deployments/1/redeploy"] {
        let path = format!("/v1/projects/shop/{what}");
        server.post(&path, json!({ "comment": "x" })).await.is_problem(422, "invalid-body");
        let without_a_body = server.send(server.request(Method::POST, &path)).await;
        assert_ne!(without_a_body.status, 422, "{}", without_a_body.text);
    }
}

#[tokio::test]
async fn a_page_behind_a_release_that_is_not_there_is_none() {
    let server = Server::with_release("v1").await;
    server.get("/v1/projects/shop/releases?after=v2").await.is_problem(404, "unknown-release");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let server = Server::with_project().await;
    let large = json!({ "tag": "v1", "description": "x".repeat(input::BODY_BYTES) });
    server.post("/v1/projects/shop/releases", large).await.is_problem(413, "body-too-large");
}

#[tokio::test]
async fn a_refusal_reaches_who_is_still_sending() {
    let server = Server::start().await;
    let viewer = server.token("viewer", "viewer", &[]).await;
    for _ in 0..10 {
        let put = server.request(Method::PUT, "/v1/artifacts").bearer_auth(&viewer).body(vec![0; 32 << 20]);
        Answer::of(put.send().await.unwrap()).await.is_problem(403, "role-too-low");
        let put = server.request(Method::PUT, "/v1/projects/shop").bearer_auth(&server.admin).body(vec![0; 32 << 20]);
        Answer::of(put.send().await.unwrap()).await.is_problem(413, "body-too-large");
    }
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let server = Server::start().await;
    let post = server.request(Method::POST, "/v1/plugins").body(vec![0; input::BODY_BYTES + 1]);
    server.send(post).await.is_problem(422, "invalid-component");
}

// ---- projects ----

const FILE: &str = "project: blog
environments:
  production:
    workflow: publish
workflows:
  publish:
    phases:
      - { name: notify, plugin: http-request, config: { url: 'http://127.0.0.1:9000/' } }
";

#[tokio::test]
async fn a_project_file_is_taken_once_and_then_again() {
    let server = Server::start().await;
    let put = |file: String| server.send(server.request(Method::PUT, "/v1/projects/blog").body(file));
    let created = put(FILE.to_owned()).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.json()["environments"][0]["name"], "production");
    let added = |part: &str, name: &str| json!({ "change": "added", "part": part, "name": name });
    let all = [added("project", "blog"), added("environment", "production"), added("workflow", "publish")];
    assert_eq!(created.json()["changes"], json!(all));
    let lacks = |answer: &Answer| {
        answer.json()["warnings"].as_array().unwrap().iter().map(|it| it["path"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(lacks(&created), ["/workflows/publish/phases/0/plugin"]);
    let again = put(FILE.to_owned()).await;
    assert_eq!((again.status, &again.json()["changes"]), (200, &json!([])));
    assert_eq!(lacks(&again), lacks(&created), "as long as it lacks it");
    let other = put(FILE.replace("9000", "9001")).await;
    let changed = json!([{ "change": "changed", "part": "workflow", "name": "publish", "keys": ["phases"] }]);
    assert_eq!((other.status, &other.json()["changes"]), (200, &changed));
    assert_eq!(server.get("/v1/projects").await.json()["items"][0]["name"], "blog");
}

#[tokio::test]
async fn every_mistake_of_a_project_file_has_its_line() {
    let server = Server::start().await;
    let put = |path: &str, file: String| server.send(server.request(Method::PUT, path).body(file));
    let wrong = FILE.replace("workflow: publish", "workflow: publsh").replace("name: notify", "name: plan");
    let refused = put("/v1/projects/blog", wrong).await;
    refused.is_problem(422, "invalid-project-file");
    let problem: wire::Problem = serde_json::from_str(&refused.text).unwrap();
    let places: Vec<(usize, &str)> =
        problem.mistakes.iter().map(|mistake| (mistake.line, mistake.path.as_str())).collect();
    assert_eq!(places, [(4, "/environments/production/workflow"), (8, "/workflows/publish/phases/0/name")]);

    let misnamed = put("/v1/projects/shop", FILE.to_owned()).await.json();
    assert_eq!(misnamed["mistakes"][0]["line"], 1, "{misnamed}");
}

// ---- releases ----

#[tokio::test]
async fn a_tag_is_taken_by_other_content_and_not_by_the_same() {
    let server = Server::with_release("v1").await;
    let releases = "/v1/projects/shop/releases";
    assert_eq!(server.post(releases, json!({ "tag": "v1" })).await.status, 200);
    server.post(releases, json!({ "tag": "v1", "description": "other" })).await.is_problem(409, "tag-taken");
}

#[tokio::test]
async fn a_release_is_created_and_deployed_in_one_call_and_once() {
    let server = Server::with_project().await;
    let new = json!({ "tag": "v1", "deploy_to": "staging" });
    let created = server.post("/v1/projects/shop/releases", new.clone()).await;
    assert_eq!((created.status, created.json()["deployment"].as_u64()), (201, Some(1)), "{}", created.text);
    let again = server.post("/v1/projects/shop/releases", new).await;
    assert_eq!((again.status, again.json()["deployment"].as_u64()), (200, Some(1)));
    assert_eq!(again.json()["lifecycle"], "Deployed");
    let other = server.token("renewed", "member", &[]).await;
    let repeated = server.request(Method::POST, "/v1/projects/shop/releases").bearer_auth(other);
    let repeated =
        Answer::of(repeated.json(&json!({ "tag": "v1", "deploy_to": "staging" })).send().await.unwrap()).await;
    assert_eq!((repeated.status, repeated.json()["deployment"].as_u64()), (200, Some(1)));
    let nowhere = json!({ "tag": "v2", "deploy_to": "qa" });
    server.post("/v1/projects/shop/releases", nowhere).await.is_problem(404, "unknown-environment");
    server.get("/v1/projects/shop/releases/v2").await.is_problem(404, "unknown-release");
}

#[tokio::test]
async fn a_draft_is_started_and_a_release_abandoned() {
    let server = Server::with_project().await;
    let path = "/v1/projects/shop/releases";
    let draft = server.post(path, json!({ "tag": "v1", "draft": true })).await.json();
    assert_eq!((draft["status"].as_str(), draft["digest"].as_str()), (Some("Draft"), None));
    let started = server.post(format!("{path}/v1/start"), json!({})).await.json();
    assert_eq!(started["status"], "Active");
    assert!(started["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")));
    server.post(format!("{path}/v1/start"), json!({})).await.is_problem(409, "release-status");
    assert_eq!(server.post(format!("{path}/v1/abandon"), json!({})).await.json()["status"], "Abandoned");
}

#[tokio::test]
async fn releases_are_paged_newest_first() {
    let server = Server::with_project().await;
    let mut state =
        lockgate_core::state::State::new(server.host.project(&name("shop")).unwrap().view().state.project.clone());
    for (created_at, tag) in ["a", "c", "b"].into_iter().enumerate() {
        server.post("/v1/projects/shop/releases", json!({ "tag": tag })).await;
        let view = server.host.project(&name("shop")).unwrap().view();
        let (tag, release) = view.state.releases.iter().find(|(known, _)| known.as_str() == tag).unwrap();
        let mut release = Arc::clone(release);
        Arc::make_mut(&mut release).created_at = lockgate_core::name::Timestamp(created_at as i64);
        state.releases.insert(tag.clone(), release);
    }
    let page = |after: Option<&str>| {
        let after = after.map(|after| state.releases.values().find(|release| release.tag.as_str() == after).unwrap());
        let page = releases::page(&state, after.map(AsRef::as_ref), 2);
        (page.items.into_iter().map(|release| release.tag).collect::<Vec<_>>(), page.next)
    };
    assert_eq!(page(None), (vec!["b".to_owned(), "c".to_owned()], Some("c".to_owned())));
    assert_eq!(page(Some("c")), (vec!["a".to_owned()], None));
    let first = server.get("/v1/projects/shop/releases?limit=2").await.json();
    let rest = format!("/v1/projects/shop/releases?limit=2&after={}", first["next"].as_str().unwrap());
    assert_eq!(server.get(rest).await.json()["items"].as_array().unwrap().len(), 1);
}

// ---- artifacts ----

#[tokio::test]
async fn an_artifact_comes_back_as_it_was_sent() {
    let server = Server::with_project().await;
    let bytes = vec![7; 3 << 20];
    let digest = lockgate_core::digest::Digest::of(&bytes);
    let path = format!("/v1/artifacts/{digest}");
    server.get(&path).await.is_problem(404, "unknown-artifact");
    let put = server.request(Method::PUT, &format!("/v1/artifacts?digest={digest}")).body(bytes.clone());
    let stored = server.send(put).await;
    assert_eq!((stored.status, stored.json()), (201, json!({ "digest": digest.to_string(), "size_bytes": 3 << 20 })));
    let head = server.send(server.request(Method::HEAD, &path)).await;
    assert_eq!((head.status, head.headers["content-length"].to_str().unwrap()), (200, "3145728"));
    let back = server.request(Method::GET, &path).bearer_auth(&server.admin).send().await.unwrap();
    assert_eq!(back.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn a_damaged_artifact_is_not_downloaded_whole_and_can_be_uploaded_again() {
    let server = Server::start().await;
    let bytes = vec![7; 200_000];
    let digest = server.host.store.blobs().write(&bytes).unwrap();
    let hex = digest.hex();
    let path = server.host.store.dir().join("blobs/sha256").join(&hex[..2]).join(&hex);
    std::fs::write(path, [vec![7; 199_999], vec![8]].concat()).unwrap();
    let path = format!("/v1/artifacts/{digest}");
    let answer = server.request(Method::GET, &path).bearer_auth(&server.admin).send().await.unwrap();
    assert!(answer.bytes().await.is_err());
    server.get(path.clone()).await.is_problem(404, "unknown-artifact");
    server.request(Method::PUT, "/v1/artifacts").bearer_auth(&server.admin).body(bytes.clone()).send().await.unwrap();
    let whole = server.request(Method::GET, &path).bearer_auth(&server.admin).send().await.unwrap();
    assert_eq!(whole.bytes().await.unwrap(), bytes);
}

#[tokio::test]
async fn only_so_many_backups_are_made_at_a_time() {
    let server = Server::start().await;
    let places = server.host.backups.clone().try_acquire_many_owned(2).unwrap();
    server.get("/v1/backup".to_owned()).await.is_problem(429, "backup-busy");
    drop(places);
    // Whoever only asks begins none.
    let asked = server.request(Method::HEAD, "/v1/backup").bearer_auth(&server.admin).send().await.unwrap();
    assert_eq!(
        (asked.status().as_u16(), asked.headers()["content-type"].as_bytes()),
        (200, b"application/x-tar".as_slice())
    );
    assert!(!asked.headers().contains_key("content-length"), "nobody knows before how much there is");
    assert_eq!(server.host.backups.available_permits(), 2);
    let backup = server.request(Method::GET, "/v1/backup").bearer_auth(&server.admin).send().await.unwrap();
    assert_eq!(backup.status(), 200);
    assert!(backup.bytes().await.unwrap().starts_with(b"backup.json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_keeps_its_place_until_its_reader_leaves() {
    let server = Server::start().await;
    // More than fits between the host and a reader who takes nothing.
    server.host.store.blobs().write(&vec![7; 32 << 20]).unwrap();
    let backup = server.request(Method::GET, "/v1/backup").bearer_auth(&server.admin).send().await.unwrap();
    assert_eq!((backup.status().as_u16(), server.host.backups.available_permits()), (200, 1));
    drop(backup);
    let ended = tokio::time::timeout(PATIENCE, server.host.backups.acquire_many(2)).await;
    assert!(ended.is_ok(), "it goes on");
}

#[tokio::test]
async fn an_artifact_with_another_digest_leaves_nothing() {
    let server = Server::with_project().await;
    let announced = lockgate_core::digest::Digest::of(b"announced");
    let put = server.request(Method::PUT, &format!("/v1/artifacts?digest={announced}")).body("something else");
    server.send(put).await.is_problem(422, "wrong-digest");
    let actual = lockgate_core::digest::Digest::of(b"something else");
    for digest in [announced, actual] {
        server.get(format!("/v1/artifacts/{digest}")).await.is_problem(404, "unknown-artifact");
    }
    let unfinished = server.host.store.dir().join("blobs/unfinished");
    assert_eq!(std::fs::read_dir(unfinished).unwrap().count(), 0);
}

#[tokio::test]
async fn a_release_names_only_content_that_somebody_has() {
    let server = Server::with_project().await;
    let digest = lockgate_core::digest::Digest::of(b"site").to_string();
    let release = |uri: &str| json!({ "tag": "v1", "artifacts": [{ "name": "site", "digest": digest, "uri": uri }] });
    let refused = server.post("/v1/projects/shop/releases", release("")).await;
    refused.is_problem(422, "artifact-missing");
    assert!(refused.text.contains("lockgate artifact push"), "{}", refused.text);
    assert_eq!(server.post("/v1/projects/shop/releases", release("https://files.example/site")).await.status, 201);
}

// ---- deployments ----

#[tokio::test]
async fn a_trigger_with_the_same_key_is_done_once() {
    let server = Server::with_release("v1").await;
    let path = "/v1/projects/shop/environments/staging/deployments";
    let trigger = |secret: &str, key: &str, body: Value| {
        let request = server.request(Method::POST, path).bearer_auth(secret).header("Idempotency-Key", key).json(&body);
        async move { Answer::of(request.send().await.unwrap()).await }
    };
    let full = json!({ "release": "v1" });
    let first = trigger(&server.admin, "k1", full.clone()).await;
    assert_eq!((first.status, first.headers["location"].to_str().unwrap()), (202, "/v1/projects/shop/deployments/1"));
    let again = trigger(&server.admin, "k1", full.clone()).await;
    assert_eq!((again.status, again.json()["number"].as_u64()), (200, Some(1)));
    trigger(&server.admin, "k1", json!({ "release": "v1", "comment": "other" })).await.is_problem(409, "key-reused");
    let other = server.token("ci", "member", &[]).await;
    assert_eq!(trigger(&other, "k1", full.clone()).await.json()["number"], 2);
    trigger(&server.admin, "two words", full).await.is_problem(422, "invalid-idempotency-key");
}

#[tokio::test]
async fn whoever_waits_leaves_connections_to_the_others() {
    let server = Server::within(Limits { connections: 8, ..LIMITS }).await.having_a_project().await;
    assert_eq!(server.post("/v1/projects/shop/releases", json!({ "tag": "v1" })).await.status, 201);
    let number = server.deploy("production", "v1").await;
    let path = format!("/v1/projects/shop/deployments/{number}");
    let last = server.get(&path).await.json()["last_event"].as_u64().unwrap();
    let stream = format!("{path}/events/stream");
    // Their heads have come, so their places are taken.
    let mut open = Vec::new();
    for _ in 0..6 {
        let stream = server.request(Method::GET, &stream).bearer_auth(&server.admin).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        open.push(stream);
    }
    let kept_open = [
        stream,
        format!("{path}?wait=300"),
        format!("{path}/phases/plan/logs/stream"),
        format!("/v1/projects/shop/environments/production/applications?after={last}"),
    ];
    for path in &kept_open {
        server.get(path).await.is_problem(429, "too-many-wait");
    }
    assert_eq!(server.get(&path).await.status, 200);
    assert_eq!(server.post(format!("{path}/cancel"), json!({})).await.status, 200);
    for stream in open {
        stream.text().await.unwrap();
    }
    assert_eq!(server.get(&kept_open[1]).await.json()["status"], "ABORTED");
}

#[tokio::test]
async fn two_keys_that_differ_are_none() {
    let server = Server::with_release("v1").await;
    let trigger = async |keys: [&str; 2]| {
        let request = server.request(Method::POST, "/v1/projects/shop/environments/staging/deployments");
        let request = request.header("Idempotency-Key", keys[0]).header("Idempotency-Key", keys[1]);
        server.send(request.json(&json!({ "release": "v1" }))).await
    };
    trigger(["k1", "k2"]).await.is_problem(422, "invalid-idempotency-key");
    assert_eq!(
        trigger(["k1", "k1"]).await.json()["number"],
        1,
        "a proxy has said it twice, and nothing was begun before"
    );
}

#[tokio::test]
async fn a_retry_with_the_same_key_is_one_attempt() {
    let server = Server::with_release("v1").await;
    let number = server.deploy("production", "v1").await;
    let path = format!("/v1/projects/shop/deployments/{number}");
    server.post(format!("{path}/reject"), json!({})).await.is_problem(403, "may-not-approve");
    server.post(format!("{path}/cancel"), json!({})).await;
    for (verb, attempt) in [("retry", 2), ("redeploy", 3)] {
        let again = async |key: &str| {
            let request = server.request(Method::POST, &format!("{path}/{verb}")).header("Idempotency-Key", key);
            server.send(request.json(&json!({}))).await
        };
        let first = again("k1").await;
        assert_eq!((first.status, first.json()["attempt"].as_u64()), (202, Some(attempt)));
        server.post(format!("{path}/cancel"), json!({})).await;
        let repeated = again("k1").await;
        assert_eq!((repeated.status, repeated.json()["attempt"].as_u64()), (200, Some(attempt)));
    }
}

#[tokio::test]
async fn whoever_waits_for_the_end_of_a_deployment_is_answered_then() {
    let server = Server::with_release("v1").await;
    let number = server.deploy("production", "v1").await;
    let path = format!("/v1/projects/shop/deployments/{number}");
    assert_eq!(server.get(format!("{path}?wait=1")).await.json()["status"], "PENDING_APPROVAL");
    let waiting = |secret: &str| server.request(Method::GET, &format!("{path}?wait=300")).bearer_auth(secret).send();
    let (seen, _) = tokio::join!(waiting(&server.admin), server.post(format!("{path}/cancel"), json!({})));
    assert_eq!(seen.unwrap().json::<Value>().await.unwrap()["status"], "ABORTED");
    assert_eq!(server.get(format!("{path}?wait=300")).await.json()["status"], "ABORTED");
    server.get(format!("{path}?wait=301")).await.is_problem(422, "invalid-query");
    server.get(format!("{path}9?wait=300")).await.is_problem(404, "unknown-deployment");
}

#[tokio::test]
async fn a_wrong_query_is_told_what_it_must_be() {
    let server = Server::with_release("v1").await;
    for (query, expected) in [
        ("limit=many", "`limit` must be a whole number, in digits only"),
        ("limit=", "`limit` must be a whole number, in digits only"),
        ("limit=1&limit=2", "duplicate field `limit`"),
        ("limit=18446744073709551616", "`limit` is too large a number"),
        ("active=yes", "`active` must be `true` or `false`"),
        ("environment=A B", "`environment`: "),
        ("colour=red", "unknown field `colour`"),
    ] {
        let answer = server.get(format!("/v1/projects/shop/deployments?{query}")).await;
        answer.is_problem(422, "invalid-query");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.starts_with(expected), "{query}: {detail}");
    }
}

#[tokio::test]
async fn a_wrong_path_and_a_missing_body_are_told_what_they_must_be() {
    let server = Server::with_release("v1").await;
    let detail = |answer: &Answer| answer.json()["detail"].as_str().unwrap().to_owned();
    for (path, expected) in [
        ("shop/deployments/first", "`first` in the path must be a whole number, in digits only"),
        ("shop/deployments/18446744073709551616", "`18446744073709551616` in the path is too large a number"),
        ("%FF/deployments/1", "`project` in the path is no UTF-8 text"),
        ("Shop!", "`Shop!` is not a name: "),
    ] {
        let answer = server.get(format!("/v1/projects/{path}")).await;
        answer.is_problem(422, "invalid-path");
        assert!(detail(&answer).starts_with(expected), "{}", detail(&answer));
    }
    let empty = server.send(server.request(Method::POST, "/v1/projects/shop/releases")).await;
    empty.is_problem(422, "invalid-body");
    assert_eq!(detail(&empty), "there is no body, and this needs a JSON object: missing field `tag`");
}

#[tokio::test]
async fn deployments_are_paged_without_gaps_or_repeats() {
    let server = Server::with_release("v1").await;
    for number in 1..=5 {
        assert_eq!(server.deploy("staging", "v1").await, number);
        server.is_indexed(number).await;
    }
    // The first of these waits for people, the second for the first.
    server.deploy("production", "v1").await;
    server.deploy("production", "v1").await;
    let paged = async |first: &str| {
        let mut numbers = Vec::new();
        let mut query = first.to_owned();
        loop {
            let page = server.get(format!("/v1/projects/shop/deployments?{query}")).await.json();
            numbers.extend(page["items"].as_array().unwrap().iter().map(|item| item["number"].as_u64().unwrap()));
            let Some(next) = page["next"].as_str() else { return numbers };
            query = format!("{first}&before={next}");
        }
    };
    assert_eq!(paged("limit=2").await, [7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(paged("limit=1&active=true").await, [7, 6]);
    let count = async |query: &str| {
        let page = server.get(format!("/v1/projects/shop/deployments?{query}")).await.json();
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count("environment=production").await, 2);
    assert_eq!(count("status=succeeded").await, 5);
    assert_eq!(count("status=QUEUED&environment=production").await, 1);
    assert_eq!(count("active=true&status=QUEUED").await, 1);
    assert_eq!(count("attempt_status=Succeeded").await, 5);
    assert_eq!(count("attempt_status=NotDeployed").await, 2);
    assert_eq!(count("attempt_status=notstarted&status=QUEUED").await, 1);
}

#[tokio::test]
async fn whoever_waits_is_told_for_what_and_who_can_lift_it() {
    let server = Server::with_release("v1").await;
    server.deploy("production", "v1").await;
    server.deploy("production", "v1").await;
    let waits = async |number: u64| {
        let deployment = server.get(format!("/v1/projects/shop/deployments/{number}")).await.json();
        let blocker = &deployment["waiting_for"][0];
        let text = |field: &str| blocker[field].as_str().unwrap().to_owned();
        // The times are others in every run.
        let is_time = |field: &str| blocker[field].as_str().is_some_and(|at| at.parse::<jiff::Timestamp>().is_ok());
        let explained = server.get(format!("/v1/projects/shop/deployments/{number}/explain")).await.json();
        assert_eq!(explained["blockers"], deployment["waiting_for"], "whoever asks is told the same");
        let (status, times) = (deployment["status"].as_str().unwrap().to_owned(), ["until", "deadline"].map(is_time));
        (status, text("code"), text("reason"), text("lifted_by"), times)
    };
    expect![[r#"
        (
            "PENDING_APPROVAL",
            "approval",
            "approval: 1 of operators",
            "whoever is asked, but not admin: `lockgate deployment approve`; too few of operators have a token; an administrator makes one: `lockgate token create NAME --person PERSON --group operators`",
            [
                false,
                true,
            ],
        )
    "#]]
    .assert_debug_eq(&waits(1).await);
    expect![[r#"
        (
            "QUEUED",
            "slot-taken",
            "the end of deployment 1, under way here",
            "time; or whoever cancels it: `lockgate deployment cancel`",
            [
                false,
                false,
            ],
        )
    "#]]
    .assert_debug_eq(&waits(2).await);
}

#[tokio::test]
async fn what_was_is_not_looked_ahead_at() {
    let server = Server::with_release("v1").await;
    server.deploy("production", "v1").await;
    let ask = async |at: String| server.get(format!("/v1/projects/shop/deployments/1/explain?at={at}")).await;
    let past = ask("2020-01-01T00:00:00Z".to_owned()).await;
    past.is_problem(422, "invalid-query");
    assert!(past.text.contains("give a later time"), "{}", past.text);
    let in_an_hour = crate::clock::rfc3339(crate::clock::now().plus_ms(3_600_000));
    let ahead = ask(in_an_hour.clone()).await.json();
    assert_eq!((&ahead["at"], &ahead["forecast"]), (&json!(in_an_hour), &json!(true)), "{ahead}");
    ask(crate::clock::rfc3339(crate::clock::now().plus_ms(40 * 24 * 3_600_000))).await.is_problem(422, "invalid-query");
}

#[tokio::test]
async fn only_those_who_are_asked_approve() {
    let server = Server::with_release("v1").await;
    server.deploy("production", "v1").await;
    server.deploy("production", "v1").await;
    server.post("/v1/projects/shop/deployments/2/approve", json!({})).await.is_problem(409, "not-waiting-for-approval");
    let path = "/v1/projects/shop/deployments/1/approve";
    server.post(path, json!({})).await.is_problem(403, "may-not-approve");
    let approve = |secret: String| {
        let request = server.request(Method::POST, path).bearer_auth(secret);
        async move { Answer::of(request.send().await.unwrap()).await }
    };
    approve(server.token("bob", "member", &[]).await).await.is_problem(403, "may-not-approve");
    let approved = approve(server.token("olga", "member", &["operators"]).await).await.json();
    assert_eq!(approved["status"], "SUCCEEDED", "{approved}");
    assert_eq!(approved["approval"]["answers"][0]["person"], "olga");
    server.is_indexed(1).await;
    server.deploy("staging", "v1").await;
    server.post(path, json!({})).await.is_problem(409, "already-finished");
    server.post("/v1/projects/shop/deployments/1/cancel", json!({})).await.is_problem(409, "already-finished");
}

#[tokio::test]
async fn what_is_approved_for_later_waits_for_its_time() {
    let server = Server::with_release("v1").await;
    server.deploy("production", "v1").await;
    let path = "/v1/projects/shop/deployments/1/approve";
    let olga = server.token("olga", "member", &["operators"]).await;
    let approve = async |not_before: &str| {
        let request = server.request(Method::POST, path).bearer_auth(&olga).json(&json!({ "not_before": not_before }));
        Answer::of(request.send().await.unwrap()).await
    };
    approve("tomorrow").await.is_problem(422, "invalid-body");
    approve("2020-01-01T00:00:00Z").await.is_problem(422, "time-is-past");
    let in_an_hour = crate::clock::rfc3339(crate::clock::now().plus_ms(3_600_000));
    let deferred = approve(&in_an_hour).await.json();
    let shown =
        ["status", "attempt_status", "operation_status", "next_scheduled_time"].map(|key| deferred[key].clone());
    assert_eq!(shown, ["QUEUED", "NotDeployed", "Deferred", &in_an_hour].map(Value::from), "{deferred}");
    assert_eq!(
        (&deferred["approval"]["status"], &deferred["sign_off"]["pre"]),
        (&json!("Deferred"), &json!("Deferred"))
    );
}

#[tokio::test]
async fn a_cancelled_deployment_says_who_and_why_and_is_tried_again() {
    let server = Server::with_release("v1").await;
    server.deploy("production", "v1").await;
    let path = "/v1/projects/shop/deployments/1";
    let cancelled = server.post(format!("{path}/cancel"), json!({ "reason": "wrong day" })).await.json();
    assert_eq!(
        (cancelled["status"].as_str(), cancelled["failure"]["message"].as_str()),
        (Some("ABORTED"), Some("cancelled by admin: wrong day"))
    );
    server.is_indexed(1).await;
    server.deploy("staging", "v1").await;
    let again = server.post(format!("{path}/retry"), json!({})).await;
    assert_eq!((again.status, again.json()["attempt"].as_u64()), (202, Some(2)), "{}", again.text);
    server.post(format!("{path}/redeploy"), json!({})).await.is_problem(409, "not-finished");
}

#[tokio::test]
async fn an_environment_shows_what_is_live_and_where_a_rollback_goes() {
    let server = Server::with_release("v1").await;
    server.post("/v1/projects/shop/releases", json!({ "tag": "v2", "deploy_to": "staging" })).await;
    server.deploy("staging", "v1").await;
    let staging = server.get("/v1/projects/shop/environments/staging").await.json();
    assert_eq!((&staging["live"]["release"], &staging["rollback_to"]), (&json!("v1"), &json!("v2")));
    assert_eq!(staging["differs"], false);
    let back = server.post("/v1/projects/shop/environments/staging/rollback", json!({})).await;
    assert_eq!((back.status, &back.json()["release"]), (202, &json!("v2")));
}

// ---- events and logs ----

#[tokio::test]
async fn events_are_paged_and_streamed_to_the_end() {
    let server = Server::with_release("v1").await;
    server.deploy("staging", "v1").await;
    server.is_indexed(1).await;
    let path = "/v1/projects/shop/deployments/1/events";
    let all = server.get(path).await.json();
    let all = all["items"].as_array().unwrap();
    let first = server.get(format!("{path}?limit=2")).await.json();
    let rest = server.get(format!("{path}?after={}", first["next"].as_str().unwrap())).await.json();
    assert_eq!([first["items"].as_array().unwrap().as_slice(), rest["items"].as_array().unwrap()].concat(), *all);

    let streamed = events(&server.get(format!("{path}/stream")).await.text);
    let sent: Vec<Value> = streamed.iter().map(|(_, _, data)| data.clone()).collect();
    assert_eq!(sent[..all.len()], *all);
    let last = all.last().unwrap()["sequence"].as_u64().unwrap();
    assert_eq!(streamed.last().unwrap(), &("end".to_owned(), last.to_string(), json!({ "id": last })));

    let seen = &streamed[1].1;
    let request = server.request(Method::GET, &format!("{path}/stream?after=0")).header("Last-Event-ID", seen);
    assert_eq!(events(&server.send(request).await.text), streamed[2..]);
}

#[tokio::test]
async fn a_stream_that_is_open_hears_what_happens_next() {
    let server = Server::with_release("v1").await;
    server.deploy("production", "v1").await;
    let known = server.get("/v1/projects/shop/deployments/1").await.json()["last_event"].as_u64().unwrap();
    let stream = server.get(format!("/v1/projects/shop/deployments/1/events/stream?after={known}"));
    let reject = async {
        let olga = server.token("olga", "member", &["operators"]).await;
        let path = "/v1/projects/shop/deployments/1/reject";
        server.request(Method::POST, path).bearer_auth(olga).json(&json!({ "comment": "no" })).send().await.unwrap();
    };
    let (streamed, ()) = tokio::join!(stream, reject);
    let types: Vec<String> = events(&streamed.text).into_iter().map(|(event_type, _, _)| event_type).collect();
    assert_eq!(types, ["refused", "failed", "finished", "end"]);
}

#[tokio::test]
async fn a_token_that_is_revoked_hears_no_more() {
    let server = Server::with_release("v1").await;
    server.deploy("production", "v1").await;
    let secret = server.token("ci", "viewer", &[]).await;
    let path = "/v1/projects/shop/deployments/1";
    let open = async |stream: &str| {
        let request = server.request(Method::GET, &format!("{path}{stream}")).bearer_auth(&secret);
        request.send().await.unwrap()
    };
    let streams = [open("/events/stream").await, open("/phases/plan/logs/stream").await];
    let (waited, revoked) =
        tokio::join!(open("?wait=300"), server.send(server.request(Method::DELETE, "/v1/tokens/ci")));
    assert_eq!((waited.status().as_u16(), revoked.status), (401, 204));
    for stream in streams {
        let text = tokio::time::timeout(PATIENCE, stream.text()).await.expect("it ends in time").unwrap();
        assert!(text.contains("event: problem\n") && text.contains("token-revoked"), "{text}");
    }
}

#[tokio::test]
async fn a_log_is_paged_and_streamed_from_any_line() {
    let server = Server::with_release("v1").await;
    server.deploy("production", "v1").await;
    let id = log_id(&name("shop"), 1, 1, "plan").unwrap();
    let line = |message: &str| {
        let line = json!({ "time": "", "level": "info", "phase": "plan", "attempt": 1, "try": 1,
            "deploymentType": "REGULAR", "message": message, "fields": {} });
        line.to_string().into_bytes()
    };
    server.host.store.logs().append(&id, &[line("one"), line("two"), line("three")]).await.unwrap();
    let path = "/v1/projects/shop/deployments/1/phases/plan/logs";
    let first = server.get(format!("{path}?limit=2")).await.json();
    assert_eq!(first["items"][1]["message"], "two");
    let second = server.get(format!("{path}?from={}", first["next"].as_str().unwrap())).await.json();
    assert_eq!(second["items"][0]["message"], "three");
    let behind = second["items"][0]["position"].as_u64().unwrap() + 1;
    assert_eq!(server.get(format!("{path}?from={behind}")).await.json(), json!({ "items": [] }));
    server.get(path.replace("plan", "nothing")).await.is_problem(404, "unknown-phase");
    server.get(format!("{path}?attempt=2")).await.is_problem(404, "unknown-attempt");

    let stream = server.get(format!("{path}/stream"));
    let cancel = server.post("/v1/projects/shop/deployments/1/cancel", json!({}));
    let (streamed, _) = tokio::join!(stream, cancel);
    let streamed = events(&streamed.text);
    let types: Vec<&str> = streamed.iter().map(|(event_type, _, _)| event_type.as_str()).collect();
    assert_eq!(types, ["log", "log", "log", "end"]);
    let resumed = server.request(Method::GET, &format!("{path}/stream")).header("Last-Event-ID", &streamed[0].1);
    assert_eq!(events(&server.send(resumed).await.text), streamed[1..]);
}

#[tokio::test]
async fn a_host_that_stops_sends_its_listeners_away_with_the_place_to_go_on() {
    let mut server = Server::with_release("v1").await;
    server.deploy("production", "v1").await;
    let request =
        server.request(Method::GET, "/v1/projects/shop/deployments/1/events/stream").bearer_auth(&server.admin);
    let open = request.send().await.unwrap();
    server.stop.take().unwrap().send(()).unwrap();
    let streamed = events(&open.text().await.unwrap());
    assert_eq!(streamed.last().unwrap().0, "resume");
    server.serving.await.unwrap();
}
