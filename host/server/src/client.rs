//! Lockgate's HTTP API as the commands see it: one method for each request, over the types of [`wire`](crate::wire).
//!
//! It never guesses: an answer is what the API promises, a [`Problem`], or [`ClientError::Unexpected`].

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::path::Path;
use std::time::Duration;

use futures::TryStreamExt;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use crate::wire::{
    Applications, AppliedProject, Approve, Backtest, Backtested, Cancel, ClearState, ClearedState, Deployment,
    DistrustedSigner, EndpointAnswer, Environment, Event, Expiry, Explanation, Grants, KeptState, LogLine,
    NarrowPlugin, NarrowedPlugin, NewDeployment, NewRelease, NewSecret, NewSignatureRule, NewToken, NewTrustedSigner,
    Nothing, Page, Plugin, PluginApproval, Problem, Project, Promote, Reason, Release, Remark, ResourceStatus, Secret,
    SignatureRule, Storage, Token, TrustedSigner, UploadedArtifact, WidenPlugin,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// A plugin is compiled before it is answered for.
const COMPILE_TIMEOUT: Duration = Duration::from_secs(600);
/// Streams send keep-alives: silence for so long means that the connection is gone.
const STREAM_SILENCE: Duration = Duration::from_secs(60);
/// An upload of which nothing more is taken for so long is over.
const TRANSFER_SILENCE: Duration = Duration::from_secs(90);
/// A large artifact is synced to a slow disk before it is answered for.
const STORE_TIMEOUT: Duration = Duration::from_secs(300);
const TOO_LONG: &str = "it took too long";
/// The host closes a connection that it hears nothing on after 10 s: a request must not run into that.
const KEPT_OPEN: Duration = Duration::from_secs(5);
const FIRST_RETRY: Duration = Duration::from_millis(500);
const SLOWEST_RETRY: Duration = Duration::from_secs(10);
/// A host that restarts is back long before.
const GIVE_UP_AFTER: Duration = Duration::from_secs(300);

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("`{url}` is not an address of a Lockgate host, such as http://127.0.0.1:7440")]
    Address { url: String },
    #[error("LOCKGATE_TOKEN or --token holds something else than the secret of a token, such as a line break")]
    Token,
    /// Such as a line break in a header.
    #[error("this cannot be sent: {cause}")]
    Unsendable { cause: String },
    #[error("no answer from {url}: {cause}")]
    Unreachable { url: Url, cause: String },
    /// It may have been done all the same.
    #[error("{url} took the request and did not answer: {cause}")]
    Unanswered { url: Url, cause: String },
    #[error("{}", problem.detail)]
    Problem { problem: Box<Problem> },
    #[error("{url} answered, but not as Lockgate does: {what}")]
    Unexpected { url: Url, status: StatusCode, what: String },
    #[error("cannot read {path}: {cause}")]
    File { path: String, cause: std::io::Error },
    #[error("cannot set up TLS: {cause}")]
    Tls { cause: String },
}

impl ClientError {
    fn no_answer(url: Url, error: &reqwest::Error) -> Self {
        let cause = root_cause(error);
        match (error.is_builder(), error.is_connect()) {
            (true, _) => Self::Unsendable { cause },
            (false, true) => Self::Unreachable { url, cause },
            (false, false) => Self::Unanswered { url, cause },
        }
    }

    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::File { path: path.display().to_string(), cause }
    }

    /// Worth asking again: the host is away, says that it is going away, or what stands before it says so.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unanswered { .. } => true,
            Self::Problem { problem } => problem.status == 429 || problem.status >= 500,
            Self::Unexpected { status, .. } => matches!(status.as_u16(), 502..=504),
            Self::Address { .. } | Self::Token | Self::Unsendable { .. } | Self::File { .. } | Self::Tls { .. } => {
                false
            }
        }
    }
}

/// A file about to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFile {
    /// `sha256:` and 64 hex digits.
    pub digest: String,
    pub size_bytes: u64,
}

/// Where a component comes from, and its signature: in base64, or the digest of a sigstore bundle that is uploaded.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Origin {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle: Option<String>,
}

/// Which releases to list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReleaseFilter {
    /// Behind the release of this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which deployments to list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DeploymentFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt_status: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One phase's log in one attempt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhaseLog {
    pub number: u64,
    pub attempt: u32,
    pub phase: String,
}

/// Where a pause is, within a project.
#[derive(Debug, Clone, Copy)]
pub enum PausedPlace<'a> {
    Environment(&'a str),
    Schedule(&'a str),
}

impl<'a> PausedPlace<'a> {
    fn path(self, project: &'a str, verb: &'a str) -> Vec<&'a str> {
        match self {
            Self::Environment(environment) => vec!["v1", "projects", project, "environments", environment, verb],
            Self::Schedule(environment) => {
                vec!["v1", "projects", project, "environments", environment, "schedule", verb]
            }
        }
    }
}

/// What comes back from an endpoint: at once, or after waiting for it.
#[derive(Debug)]
pub enum Triggered {
    Deployment(Box<Deployment>),
    Answer(Box<EndpointAnswer>),
}

impl Client {
    pub fn new(url: &str, token: Option<String>) -> Result<Self, ClientError> {
        let no_address = || ClientError::Address { url: url.to_owned() };
        let base = Url::parse(url).map_err(|_| no_address())?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(no_address());
        }
        let is_carried = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        if !token.iter().flat_map(|token| token.bytes()).all(is_carried) {
            return Err(ClientError::Token);
        }
        // A second client of the same process finds the provider installed, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // No redirects: they would carry the token to who knows where.
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(KEPT_OPEN)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("lockgate/", env!("CARGO_PKG_VERSION")));
        if base.scheme() == "http" {
            // A machine without root certificates can still talk to its own host.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| ClientError::Tls { cause: root_cause(&error) })?;
        Ok(Self { http, base, token })
    }

    // ---- projects and releases ----

    pub async fn apply_project(&self, project: &str, file: String) -> Result<AppliedProject, ClientError> {
        let put = self.request(Method::PUT, &["v1", "projects", project]).header(CONTENT_TYPE, "application/yaml");
        // The plugins it uses are loaded to check their configurations.
        self.answer(put.body(file).timeout(COMPILE_TIMEOUT)).await
    }

    pub async fn projects(&self) -> Result<Page<Project>, ClientError> {
        self.get(&["v1", "projects"]).await
    }

    pub async fn project(&self, project: &str) -> Result<Project, ClientError> {
        self.get(&["v1", "projects", project]).await
    }

    /// The key is that of the deployment, where `deploy_to` asks for one.
    pub async fn create_release(
        &self,
        project: &str,
        release: &NewRelease,
        idempotency_key: Option<&str>,
    ) -> Result<Release, ClientError> {
        self.trigger(&["v1", "projects", project, "releases"], release, idempotency_key).await
    }

    pub async fn releases(&self, project: &str, filter: &ReleaseFilter) -> Result<Page<Release>, ClientError> {
        let get = self.request(Method::GET, &["v1", "projects", project, "releases"]);
        self.answer(get.query(filter).timeout(ANSWER_TIMEOUT)).await
    }

    pub async fn release(&self, project: &str, tag: &str) -> Result<Release, ClientError> {
        self.get(&["v1", "projects", project, "releases", tag]).await
    }

    /// `file` is a project file; only its workflows and endpoints count.
    pub async fn edit_release(&self, project: &str, tag: &str, file: String) -> Result<Release, ClientError> {
        let path = ["v1", "projects", project, "releases", tag, "definition"];
        let put = self.request(Method::PUT, &path).header(CONTENT_TYPE, "application/yaml");
        self.answer(put.body(file).timeout(COMPILE_TIMEOUT)).await
    }

    pub async fn start_release(&self, project: &str, tag: &str) -> Result<Release, ClientError> {
        self.post(&["v1", "projects", project, "releases", tag, "start"], &Nothing {}).await
    }

    pub async fn abandon_release(&self, project: &str, tag: &str) -> Result<Release, ClientError> {
        self.post(&["v1", "projects", project, "releases", tag, "abandon"], &Nothing {}).await
    }

    // ---- what is there ----

    /// Every resource, or every one of an application.
    pub async fn resources(
        &self,
        project: &str,
        environment: &str,
        application: Option<&str>,
    ) -> Result<Vec<ResourceStatus>, ClientError> {
        let path = ["v1", "projects", project, "environments", environment, "resources"];
        let of: Vec<_> = application.map(|application| ("application", application)).into_iter().collect();
        self.all_pages(&path, &of).await
    }

    /// With `after`, an answer's `sequence`: when something has happened since, or nothing has for a while.
    pub async fn applications(
        &self,
        project: &str,
        environment: &str,
        after: Option<u64>,
    ) -> Result<Applications, ClientError> {
        let get = self.request(Method::GET, &["v1", "projects", project, "environments", environment, "applications"]);
        let query = after.map(|after| ("after", after));
        self.answer(get.query(query.as_slice()).timeout(ANSWER_TIMEOUT)).await
    }

    // ---- deployments ----

    pub async fn deploy(
        &self,
        project: &str,
        environment: &str,
        deployment: &NewDeployment,
        idempotency_key: Option<&str>,
    ) -> Result<Deployment, ClientError> {
        let path = ["v1", "projects", project, "environments", environment, "deployments"];
        self.trigger(&path, deployment, idempotency_key).await
    }

    pub async fn roll_back(
        &self,
        project: &str,
        environment: &str,
        remark: &Remark,
        idempotency_key: Option<&str>,
    ) -> Result<Deployment, ClientError> {
        let path = ["v1", "projects", project, "environments", environment, "rollback"];
        self.trigger(&path, remark, idempotency_key).await
    }

    pub async fn promote(
        &self,
        project: &str,
        environment: &str,
        asked: &Promote,
        idempotency_key: Option<&str>,
    ) -> Result<Deployment, ClientError> {
        let path = ["v1", "projects", project, "environments", environment, "promote"];
        self.trigger(&path, asked, idempotency_key).await
    }

    /// `environment` may be `PROJECT/ENVIRONMENT`; with `wait_seconds` the answer may have the outputs.
    pub async fn trigger_endpoint(
        &self,
        endpoint: &str,
        environment: &str,
        input: &Value,
        wait_seconds: Option<u64>,
        idempotency_key: Option<&str>,
    ) -> Result<Triggered, ClientError> {
        let mut post = self.request(Method::POST, &["v1", "trigger", endpoint]).json(input);
        post = post.header("X-Environment", environment);
        if let Some(key) = idempotency_key {
            post = post.header("Idempotency-Key", key);
        }
        match wait_seconds {
            None => self.answer(post.timeout(ANSWER_TIMEOUT)).await.map(|one| Triggered::Deployment(Box::new(one))),
            Some(seconds) => {
                let patience = ANSWER_TIMEOUT + Duration::from_secs(seconds);
                let answer = self.answer(post.query(&[("wait", seconds)]).timeout(patience)).await?;
                Ok(Triggered::Answer(Box::new(answer)))
            }
        }
    }

    // ---- operations ----

    pub async fn environment(&self, project: &str, environment: &str) -> Result<Environment, ClientError> {
        self.get(&["v1", "projects", project, "environments", environment]).await
    }

    pub async fn pause_project(&self, project: &str, reason: String) -> Result<Project, ClientError> {
        self.post(&["v1", "projects", project, "pause"], &Reason { reason }).await
    }

    pub async fn resume_project(&self, project: &str) -> Result<Project, ClientError> {
        self.post(&["v1", "projects", project, "resume"], &Nothing {}).await
    }

    pub async fn pause(
        &self,
        project: &str,
        place: PausedPlace<'_>,
        reason: String,
    ) -> Result<Environment, ClientError> {
        self.post(&place.path(project, "pause"), &Reason { reason }).await
    }

    pub async fn resume(&self, project: &str, place: PausedPlace<'_>) -> Result<Environment, ClientError> {
        self.post(&place.path(project, "resume"), &Nothing {}).await
    }

    /// What plugins keep there, without the values.
    pub async fn kept_state(&self, project: &str, environment: &str) -> Result<Vec<KeptState>, ClientError> {
        let path = ["v1", "projects", project, "environments", environment, "state"];
        self.all_pages(&path, &[]).await
    }

    pub async fn clear_state(
        &self,
        project: &str,
        environment: &str,
        clear: &ClearState,
    ) -> Result<ClearedState, ClientError> {
        self.post(&["v1", "projects", project, "environments", environment, "state", "clear"], clear).await
    }

    pub async fn release_hold(&self, project: &str, environment: &str) -> Result<Environment, ClientError> {
        self.post(&["v1", "projects", project, "environments", environment, "release-hold"], &Nothing {}).await
    }

    pub async fn expire(&self, project: &str, environment: &str, expiry: &Expiry) -> Result<Environment, ClientError> {
        self.post(&["v1", "projects", project, "environments", environment, "expiry"], expiry).await
    }

    pub async fn break_glass(&self, project: &str, number: u64, reason: String) -> Result<Deployment, ClientError> {
        self.change_deployment(project, number, "break-glass", &Reason { reason }).await
    }

    pub async fn review(&self, project: &str, number: u64, remark: &Remark) -> Result<Deployment, ClientError> {
        self.change_deployment(project, number, "review", remark).await
    }

    pub async fn ignore_gate(
        &self,
        project: &str,
        number: u64,
        gate: &str,
        remark: &Remark,
    ) -> Result<Deployment, ClientError> {
        let number = number.to_string();
        self.post(&["v1", "projects", project, "deployments", &number, "gates", gate, "ignore"], remark).await
    }

    pub async fn explain(&self, project: &str, number: u64, at: Option<&str>) -> Result<Explanation, ClientError> {
        let number = number.to_string();
        let get = self.request(Method::GET, &["v1", "projects", project, "deployments", &number, "explain"]);
        let query: Vec<(&str, &str)> = at.map(|at| ("at", at)).into_iter().collect();
        self.answer(get.query(&query).timeout(ANSWER_TIMEOUT)).await
    }

    async fn trigger<T: DeserializeOwned>(
        &self,
        path: &[&str],
        asked: &impl Serialize,
        idempotency_key: Option<&str>,
    ) -> Result<T, ClientError> {
        let mut post = self.request(Method::POST, path).json(asked).timeout(ANSWER_TIMEOUT);
        if let Some(key) = idempotency_key {
            post = post.header("Idempotency-Key", key);
        }
        self.answer(post).await
    }

    pub async fn deployments(&self, project: &str, filter: &DeploymentFilter) -> Result<Page<Deployment>, ClientError> {
        let get = self.request(Method::GET, &["v1", "projects", project, "deployments"]);
        self.answer(get.query(filter).timeout(ANSWER_TIMEOUT)).await
    }

    pub async fn deployment(&self, project: &str, number: u64) -> Result<Deployment, ClientError> {
        self.get(&["v1", "projects", project, "deployments", &number.to_string()]).await
    }

    pub async fn approve(&self, project: &str, number: u64, approve: &Approve) -> Result<Deployment, ClientError> {
        self.change_deployment(project, number, "approve", approve).await
    }

    pub async fn reject(&self, project: &str, number: u64, remark: &Remark) -> Result<Deployment, ClientError> {
        self.change_deployment(project, number, "reject", remark).await
    }

    pub async fn cancel(&self, project: &str, number: u64, cancel: &Cancel) -> Result<Deployment, ClientError> {
        self.change_deployment(project, number, "cancel", cancel).await
    }

    pub async fn retry(
        &self,
        project: &str,
        number: u64,
        idempotency_key: Option<&str>,
    ) -> Result<Deployment, ClientError> {
        self.again(project, number, "retry", idempotency_key).await
    }

    pub async fn redeploy(
        &self,
        project: &str,
        number: u64,
        idempotency_key: Option<&str>,
    ) -> Result<Deployment, ClientError> {
        self.again(project, number, "redeploy", idempotency_key).await
    }

    async fn again(
        &self,
        project: &str,
        number: u64,
        verb: &str,
        idempotency_key: Option<&str>,
    ) -> Result<Deployment, ClientError> {
        let path = ["v1", "projects", project, "deployments", &number.to_string(), verb];
        self.trigger(&path, &Nothing {}, idempotency_key).await
    }

    async fn change_deployment(
        &self,
        project: &str,
        number: u64,
        verb: &str,
        body: &impl Serialize,
    ) -> Result<Deployment, ClientError> {
        self.post(&["v1", "projects", project, "deployments", &number.to_string(), verb], body).await
    }

    /// The page after the event with this sequence; 0 is the beginning.
    pub async fn events(&self, project: &str, number: u64, after: u64) -> Result<Page<Event>, ClientError> {
        let get = self.request(Method::GET, &["v1", "projects", project, "deployments", &number.to_string(), "events"]);
        self.answer(get.query(&[("after", after)]).timeout(ANSWER_TIMEOUT)).await
    }

    pub fn follow_events(&self, project: &str, number: u64, after: u64) -> Follow<Event> {
        let mut url = self.at(&["v1", "projects", project, "deployments", &number.to_string(), "events", "stream"]);
        url.query_pairs_mut().append_pair("after", &after.to_string());
        Follow::new(self.clone(), url, after.checked_add(1))
    }

    /// The page of a phase's log that begins at this position.
    pub async fn log_lines(&self, project: &str, log: &PhaseLog, from: u64) -> Result<Page<LogLine>, ClientError> {
        let get = self.request(Method::GET, &log_path(project, log, &log.number.to_string(), None));
        let query = [("attempt", u64::from(log.attempt)), ("from", from)];
        self.answer(get.query(&query).timeout(ANSWER_TIMEOUT)).await
    }

    pub fn follow_log(&self, project: &str, log: &PhaseLog, from: u64) -> Follow<LogLine> {
        let mut url = self.at(&log_path(project, log, &log.number.to_string(), Some("stream")));
        let attempt = log.attempt.to_string();
        url.query_pairs_mut().append_pair("attempt", &attempt).append_pair("from", &from.to_string());
        Follow::new(self.clone(), url, Some(from))
    }

    // ---- gates ----

    pub async fn backtest(&self, project: &str, backtest: &Backtest) -> Result<Backtested, ClientError> {
        let post = self.request(Method::POST, &["v1", "projects", project, "gates", "backtest"]).json(backtest);
        // The plugin may have to be compiled, and the samples are many.
        self.answer(post.timeout(COMPILE_TIMEOUT)).await
    }

    // ---- artifacts ----

    pub async fn has_artifact(&self, digest: &str) -> Result<bool, ClientError> {
        let head = self.request(Method::HEAD, &["v1", "artifacts", digest]).timeout(ANSWER_TIMEOUT);
        let response = self.send_for_any_answer(head).await?;
        match response.status() {
            StatusCode::NOT_FOUND => Ok(false),
            _ => self.refuse_failure(response).await.map(|_| true),
        }
    }

    /// Streams the file. `sent` hears how many bytes have left, whenever some did.
    pub async fn upload_artifact(
        &self,
        path: &Path,
        file: &LocalFile,
        sent: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<UploadedArtifact, ClientError> {
        let content = tokio::fs::File::open(path).await.map_err(ClientError::file(path))?;
        let parts = tokio_util::io::ReaderStream::with_capacity(content, 128 << 10);
        let mut total = 0;
        let (moved, moves) = watch::channel(());
        let counted = parts.inspect_ok(move |part| {
            total += part.len() as u64;
            moved.send_replace(());
            sent(total);
        });
        let put = self.request(Method::PUT, &["v1", "artifacts"]).query(&[("digest", &file.digest)]);
        let put = put.header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_LENGTH, file.size_bytes);
        tokio::select! {
            answer = self.answer(put.body(reqwest::Body::wrap_stream(counted))) => answer,
            () = silence(moves, TRANSFER_SILENCE, STORE_TIMEOUT) => {
                Err(ClientError::Unanswered { url: self.base.clone(), cause: TOO_LONG.to_owned() })
            }
        }
    }

    /// A backup, as it is made.
    pub async fn back_up(&self) -> Result<Backup, ClientError> {
        let response = self.send(self.request(Method::GET, &["v1", "backup"])).await?;
        Ok(Backup { response })
    }

    // ---- plugins ----

    pub async fn add_plugin(&self, component: Vec<u8>) -> Result<Plugin, ClientError> {
        self.add_plugin_from(component, &Origin::default()).await
    }

    pub async fn add_plugin_from(&self, component: Vec<u8>, origin: &Origin) -> Result<Plugin, ClientError> {
        let post =
            self.request(Method::POST, &["v1", "plugins"]).header(CONTENT_TYPE, "application/wasm").query(origin);
        self.answer(post.body(component).timeout(COMPILE_TIMEOUT)).await
    }

    /// Of sigstore, which a plugin may then be added with; its digest.
    pub async fn upload_bundle(&self, bundle: Vec<u8>) -> Result<String, ClientError> {
        let put = self.request(Method::PUT, &["v1", "artifacts"]).header(CONTENT_TYPE, "application/octet-stream");
        let stored: UploadedArtifact = self.answer(put.body(bundle).timeout(ANSWER_TIMEOUT)).await?;
        Ok(stored.digest)
    }

    pub async fn plugins(&self) -> Result<Page<Plugin>, ClientError> {
        self.get(&["v1", "plugins"]).await
    }

    /// By name or digest.
    pub async fn plugin(&self, which: &str) -> Result<Plugin, ClientError> {
        self.get(&["v1", "plugins", which]).await
    }

    pub async fn approve_plugin(&self, which: &str, grants: Grants, reason: String) -> Result<Plugin, ClientError> {
        self.post(&["v1", "plugins", which, "approve"], &PluginApproval { grants, reason }).await
    }

    pub async fn narrow_plugin(&self, which: &str, narrow: &NarrowPlugin) -> Result<Page<NarrowedPlugin>, ClientError> {
        self.post(&["v1", "plugins", which, "narrow"], narrow).await
    }

    pub async fn widen_plugin(&self, which: &str, widen: &WidenPlugin) -> Result<Page<NarrowedPlugin>, ClientError> {
        self.post(&["v1", "plugins", which, "widen"], widen).await
    }

    pub async fn retire_plugin(&self, which: &str, reason: String) -> Result<Plugin, ClientError> {
        self.post(&["v1", "plugins", which, "retire"], &Reason { reason }).await
    }

    pub async fn remove_plugin(&self, which: &str) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, &["v1", "plugins", which]).timeout(ANSWER_TIMEOUT)).await.map(|_| ())
    }

    // ---- secrets ----

    pub async fn set_secret(&self, name: &str, secret: &NewSecret) -> Result<Secret, ClientError> {
        self.answer(self.request(Method::PUT, &["v1", "secrets", name]).json(secret).timeout(ANSWER_TIMEOUT)).await
    }

    pub async fn secrets(&self) -> Result<Page<Secret>, ClientError> {
        self.get(&["v1", "secrets"]).await
    }

    pub async fn remove_secret(&self, name: &str) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, &["v1", "secrets", name]).timeout(ANSWER_TIMEOUT)).await.map(|_| ())
    }

    // ---- whose signatures count ----

    pub async fn trusted_signers(&self) -> Result<Page<TrustedSigner>, ClientError> {
        self.get(&["v1", "trusted-signers"]).await
    }

    pub async fn trust(&self, signer: &NewTrustedSigner) -> Result<TrustedSigner, ClientError> {
        self.post(&["v1", "trusted-signers"], signer).await
    }

    pub async fn distrust(&self, name: &str, reason: String) -> Result<DistrustedSigner, ClientError> {
        self.post(&["v1", "trusted-signers", name, "remove"], &Reason { reason }).await
    }

    pub async fn signature_rules(&self) -> Result<Page<SignatureRule>, ClientError> {
        self.get(&["v1", "signature-rules"]).await
    }

    pub async fn require_signature(&self, rule: &NewSignatureRule) -> Result<Page<SignatureRule>, ClientError> {
        self.post(&["v1", "signature-rules"], rule).await
    }

    pub async fn require_no_signature(&self, rule: &NewSignatureRule) -> Result<Page<SignatureRule>, ClientError> {
        self.post(&["v1", "signature-rules", "remove"], rule).await
    }

    // ---- tokens ----

    pub async fn create_token(&self, token: &NewToken) -> Result<Token, ClientError> {
        self.post(&["v1", "tokens"], token).await
    }

    pub async fn storage(&self) -> Result<Storage, ClientError> {
        self.get(&["v1", "storage"]).await
    }

    pub async fn tokens(&self) -> Result<Page<Token>, ClientError> {
        self.get(&["v1", "tokens"]).await
    }

    pub async fn revoke_token(&self, name: &str) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, &["v1", "tokens", name]).timeout(ANSWER_TIMEOUT)).await.map(|_| ())
    }

    // ---- how a request travels ----

    fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        self.authorized(self.http.request(method, self.at(segments)))
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn get<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T, ClientError> {
        self.answer(self.request(Method::GET, segments).timeout(ANSWER_TIMEOUT)).await
    }

    /// All pages of a list.
    async fn all_pages<T: DeserializeOwned>(&self, path: &[&str], of: &[(&str, &str)]) -> Result<Vec<T>, ClientError> {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let query = after.iter().map(|after| ("after", after.as_str())).chain([("limit", "1000")]);
            let query: Vec<_> = of.iter().copied().chain(query).collect();
            let page: Page<T> =
                self.answer(self.request(Method::GET, path).query(&query).timeout(ANSWER_TIMEOUT)).await?;
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    async fn post<T: DeserializeOwned>(&self, segments: &[&str], body: &impl Serialize) -> Result<T, ClientError> {
        self.answer(self.request(Method::POST, segments).json(body).timeout(ANSWER_TIMEOUT)).await
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.send(request).await?;
        let (url, status) = (response.url().clone(), response.status());
        let body = response.bytes().await.map_err(|error| ClientError::no_answer(self.base.clone(), &error))?;
        serde_json::from_slice(&body).map_err(|error| {
            let what = format!("{error}; are this command and the host of the same version?");
            ClientError::Unexpected { url, status, what }
        })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = self.send_for_any_answer(request).await?;
        self.refuse_failure(response).await
    }

    async fn send_for_any_answer(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        request.send().await.map_err(|error| ClientError::no_answer(self.base.clone(), &error))
    }

    async fn refuse_failure(&self, response: Response) -> Result<Response, ClientError> {
        let (status, url) = (response.status(), response.url().clone());
        if status.is_success() {
            return Ok(response);
        }
        let body = response.bytes().await.unwrap_or_default();
        Err(failure(status, url, &body))
    }
}

pub struct Backup {
    response: Response,
}

impl Backup {
    /// `None` at its end.
    pub async fn next(&mut self) -> Result<Option<bytes::Bytes>, ClientError> {
        let url = self.response.url().clone();
        let unanswered = |cause| ClientError::Unanswered { url, cause };
        match tokio::time::timeout(TRANSFER_SILENCE, self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(unanswered(root_cause(&error))),
            Err(_) => Err(unanswered(TOO_LONG.to_owned())),
        }
    }
}

/// Ends when nothing has moved for so long, or everything has and no answer came to it.
async fn silence(mut moves: watch::Receiver<()>, between: Duration, after: Duration) {
    loop {
        match tokio::time::timeout(between, moves.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return tokio::time::sleep(after).await,
            Err(_) => return,
        }
    }
}

fn log_path<'a>(project: &'a str, log: &'a PhaseLog, number: &'a str, tail: Option<&'a str>) -> Vec<&'a str> {
    let mut path = vec!["v1", "projects", project, "deployments", number, "phases", &log.phase, "logs"];
    path.extend(tail);
    path
}

fn failure(status: StatusCode, url: Url, body: &[u8]) -> ClientError {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => ClientError::Problem { problem: Box::new(problem) },
        Err(_) if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN => {
            // A HEAD request is refused without a body.
            let detail = "the token is missing, wrong, or may not do this".to_owned();
            let problem = Problem { status: status.as_u16(), detail, ..Problem::default() };
            ClientError::Problem { problem: Box::new(problem) }
        }
        Err(_) => {
            let start: String = String::from_utf8_lossy(body).chars().filter(|c| !c.is_control()).take(200).collect();
            ClientError::Unexpected { url, status, what: format!("{status} {start}").trim_end().to_owned() }
        }
    }
}

/// reqwest's own words name the URL once more and hide the reason in its sources.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_timeout() { TOO_LONG.to_owned() } else { cause.to_string() }
}

/// Digest and size, read once before the upload reads the file again: an artifact that is there already is not sent.
pub async fn measure(path: &Path, read: impl Fn(u64) + Send + 'static) -> Result<LocalFile, ClientError> {
    let owned = path.to_owned();
    let hashed = tokio::task::spawn_blocking(move || hash_file(&owned, read)).await.expect("hashing does not panic");
    hashed.map_err(ClientError::file(path))
}

fn hash_file(path: &Path, read: impl Fn(u64)) -> std::io::Result<LocalFile> {
    use std::io::Read as _;
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut size_bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(LocalFile { digest: format!("sha256:{}", hex::encode(hash.finalize())), size_bytes });
        }
        hash.update(&buffer[..count]);
        size_bytes += count as u64;
        read(size_bytes);
    }
}

// ---- following a stream ----

/// Something with a place in its stream, so that nothing is shown twice after a reconnect.
pub trait Placed {
    fn place(&self) -> u64;
}

impl Placed for Event {
    fn place(&self) -> u64 {
        self.sequence
    }
}

impl Placed for LogLine {
    fn place(&self) -> u64 {
        self.position
    }
}

#[derive(Debug)]
pub enum Followed<T> {
    Item(T),
    /// The connection is gone; the next call waits this long and tries again.
    Lost {
        cause: String,
        retry_in: Duration,
    },
    Back,
}

/// A stream of server-sent events that outlives its connections.
pub struct Follow<T> {
    client: Client,
    url: Url,
    connection: Option<Connection>,
    last_id: Option<String>,
    /// Items before this place have been given out.
    next_place: u64,
    lost: Lost,
    wait: Duration,
    item: PhantomData<fn() -> T>,
}

/// How a stream stands with its host.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Lost {
    /// There is no connection since then.
    since: Option<Instant>,
    /// Connections that failed, with nothing heard in between: a host that takes them and drops them is asked ever less.
    times: u32,
}

struct Connection {
    response: Response,
    parser: Parser,
    messages: VecDeque<Message>,
}

impl<T: DeserializeOwned + Placed> Follow<T> {
    fn new(client: Client, url: Url, next_place: Option<u64>) -> Self {
        let next_place = next_place.unwrap_or(u64::MAX);
        Self {
            client,
            url,
            connection: None,
            last_id: None,
            next_place,
            lost: Lost::default(),
            wait: Duration::ZERO,
            item: PhantomData,
        }
    }

    /// `None` when the host says that this was all.
    pub async fn next(&mut self) -> Result<Option<Followed<T>>, ClientError> {
        loop {
            tokio::time::sleep(std::mem::take(&mut self.wait)).await;
            let Some(connection) = &mut self.connection else {
                match self.connect().await {
                    Ok(connection) => self.connection = Some(connection),
                    Err(error) if error.is_passing() => return self.lose(error, Instant::now()).map(Some),
                    Err(error) => return Err(error),
                }
                if self.found_again() {
                    return Ok(Some(Followed::Back));
                }
                continue;
            };
            let message = match connection.hear().await {
                Ok(message) => message,
                Err(cause) => {
                    self.connection = None;
                    let error = ClientError::Unreachable { url: self.client.base.clone(), cause };
                    return self.lose(error, Instant::now()).map(Some);
                }
            };
            self.lost = Lost::default();
            let Some(message) = message else { continue };
            match self.understand(message)? {
                Heard::Item(item) => return Ok(Some(Followed::Item(item))),
                Heard::Nothing => {}
                Heard::ConnectAgain => self.connection = None,
                Heard::End => return Ok(None),
            }
        }
    }

    /// How long the host was away counts from the last connection, how often it went from the last word.
    fn found_again(&mut self) -> bool {
        self.lost.since.take().is_some()
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let mut get =
            self.client.authorized(self.client.http.get(self.url.clone())).header(ACCEPT, "text/event-stream");
        if let Some(id) = &self.last_id {
            get = get.header("Last-Event-ID", id);
        }
        let sent = tokio::time::timeout(ANSWER_TIMEOUT, self.client.send(get)).await;
        let response = sent.unwrap_or_else(|_| {
            let (url, cause) = (self.client.base.clone(), TOO_LONG.to_owned());
            Err(ClientError::Unanswered { url, cause })
        })?;
        Ok(Connection { response, parser: Parser::default(), messages: VecDeque::new() })
    }

    fn lose(&mut self, error: ClientError, now: Instant) -> Result<Followed<T>, ClientError> {
        let since = *self.lost.since.get_or_insert(now);
        if now.duration_since(since) > GIVE_UP_AFTER {
            return Err(error);
        }
        self.wait = retry_in(self.lost.times);
        self.lost.times += 1;
        Ok(Followed::Lost { cause: error.to_string(), retry_in: self.wait })
    }

    fn understand(&mut self, message: Message) -> Result<Heard<T>, ClientError> {
        if let Some(id) = message.id {
            self.last_id = Some(id);
        }
        match message.event.as_str() {
            "end" => return Ok(Heard::End),
            "resume" => return Ok(Heard::ConnectAgain),
            "problem" => {
                return Err(failure(StatusCode::INTERNAL_SERVER_ERROR, self.url.clone(), message.data.as_bytes()));
            }
            _ => {}
        }
        let item: T = serde_json::from_str(&message.data).map_err(|error| ClientError::Unexpected {
            url: self.url.clone(),
            status: StatusCode::OK,
            what: format!("{error}; are this command and the host of the same version?"),
        })?;
        if item.place() < self.next_place {
            return Ok(Heard::Nothing);
        }
        self.next_place = item.place() + 1;
        Ok(Heard::Item(item))
    }
}

enum Heard<T> {
    Item(T),
    Nothing,
    ConnectAgain,
    End,
}

fn retry_in(times_before: u32) -> Duration {
    SLOWEST_RETRY.min(FIRST_RETRY * 2_u32.saturating_pow(times_before.min(10)))
}

impl Connection {
    /// The next message, or `None` when something came that is no whole message yet, such as a keep-alive.
    async fn hear(&mut self) -> Result<Option<Message>, String> {
        if let Some(message) = self.messages.pop_front() {
            return Ok(Some(message));
        }
        match tokio::time::timeout(STREAM_SILENCE, self.response.chunk()).await {
            Ok(Ok(Some(bytes))) => {
                self.messages.extend(self.parser.push(&bytes));
                Ok(self.messages.pop_front())
            }
            Ok(Ok(None)) => Err("the connection was closed".to_owned()),
            Ok(Err(error)) => Err(root_cause(&error)),
            Err(_) => Err("nothing was heard for a minute".to_owned()),
        }
    }
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Message {
    id: Option<String>,
    event: String,
    data: String,
}

/// Server-sent events from bytes, however they were cut. (WHATWG HTML, 9.2.6, without lone carriage returns.)
#[derive(Debug, Default)]
struct Parser {
    line: Vec<u8>,
    message: Message,
    data: Vec<String>,
}

impl Parser {
    fn push(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.line.push(*byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            messages.extend(self.take_line(line.strip_suffix('\r').unwrap_or(&line)));
        }
        messages
    }

    fn take_line(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            let mut message = std::mem::take(&mut self.message);
            message.data = std::mem::take(&mut self.data).join("\n");
            return (message != Message::default()).then_some(message);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "id" => self.message.id = Some(value),
            "event" => self.message.event = value,
            "data" => self.data.push(value),
            // Comments, which have an empty name, are the keep-alives.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn client(url: &str) -> Client {
        Client::new(url, None).unwrap()
    }

    #[test]
    fn names_cannot_leave_their_place_in_the_path() {
        let url = client("http://h:1/lockgate/").at(&["v1", "projects", "../a b", "releases", "v1/2?x"]);
        assert_eq!(url.as_str(), "http://h:1/lockgate/v1/projects/..%2Fa%20b/releases/v1%2F2%3Fx");
    }

    #[test]
    fn an_address_without_a_scheme_is_refused() {
        for url in ["127.0.0.1:7440", "localhost:7440", "file:///etc", ""] {
            let error = Client::new(url, None).err().unwrap().to_string();
            assert_eq!(error, format!("`{url}` is not an address of a Lockgate host, such as http://127.0.0.1:7440"));
        }
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let text =
            b"id: 7\nevent: phase_started\ndata: {\"a\":\ndata: 1}\n\n: keep-alive\n\nevent: end\r\ndata:\r\n\r\n";
        let message = |id: Option<&str>, event: &str, data: &str| Message {
            id: id.map(str::to_owned),
            event: event.to_owned(),
            data: data.to_owned(),
        };
        let expected = [message(Some("7"), "phase_started", "{\"a\":\n1}"), message(None, "end", "")];
        for cut in 0..text.len() {
            let mut parser = Parser::default();
            let mut messages = parser.push(&text[..cut]);
            messages.extend(parser.push(&text[cut..]));
            assert_eq!(messages, expected, "cut at {cut}");
        }
    }

    #[test]
    fn an_event_that_comes_again_after_a_reconnect_is_not_told_twice() {
        let mut follow = client("http://h").follow_events("shop", 1, 4);
        let mut hear = |sequence: u64| {
            let data =
                format!(r#"{{"sequence":{sequence},"at":"","type":"x","text":"","status":null,"details":null}}"#);
            follow.understand(Message { id: Some(sequence.to_string()), event: "x".into(), data })
        };
        let told: Vec<u64> = [3, 4, 5, 5, 9]
            .into_iter()
            .filter_map(|sequence| match hear(sequence).unwrap() {
                Heard::Item(event) => Some(event.sequence),
                Heard::Nothing | Heard::ConnectAgain | Heard::End => None,
            })
            .collect();
        assert_eq!(told, [5, 9]);
        assert_eq!(follow.last_id.as_deref(), Some("9"));
    }

    #[test]
    fn a_host_that_restarts_twice_with_silence_in_between_is_not_given_up() {
        let mut follow = client("http://h").follow_events("shop", 1, 4);
        let start = Instant::now();
        let lose = |follow: &mut Follow<Event>, seconds| {
            let away = ClientError::Unreachable { url: Url::parse("http://h").unwrap(), cause: "gone".to_owned() };
            follow.lose(away, start + Duration::from_secs(seconds)).map(|_| follow.wait.as_millis()).ok()
        };
        assert_eq!([lose(&mut follow, 0), lose(&mut follow, 20)], [Some(500), Some(1_000)]);
        assert!(follow.found_again());
        assert_eq!([lose(&mut follow, 900), lose(&mut follow, 1_201)], [Some(2_000), None]);
    }

    #[tokio::test]
    async fn a_keep_alive_is_heard_and_is_no_message() {
        let body = futures::stream::iter([": keep-alive\n\n", "id: 7\n", "data: x\n\n"].map(Ok::<_, std::io::Error>));
        let response = axum::http::Response::new(reqwest::Body::wrap_stream(body));
        let mut connection =
            Connection { response: response.into(), parser: Parser::default(), messages: VecDeque::new() };
        let message = Message { id: Some("7".to_owned()), event: String::new(), data: "x".to_owned() };
        for heard in [Ok(None), Ok(None), Ok(Some(message)), Err("the connection was closed".to_owned())] {
            assert_eq!(connection.hear().await, heard);
        }
    }

    #[test]
    fn a_proxy_whose_host_is_away_is_asked_again() {
        let page = |status| failure(status, Url::parse("http://h/").unwrap(), b"<html>").is_passing();
        let passing = [502, 503, 504].map(|status| page(StatusCode::from_u16(status).unwrap()));
        assert_eq!(passing, [true; 3]);
        assert_eq!([StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR].map(page), [false; 3]);
    }

    #[test]
    fn a_host_that_takes_no_more_now_is_asked_again() {
        let said = |status: u16| {
            let problem = json!({
                "type": "urn:x", "title": "x", "status": status, "detail": "x", "code": "x", "mistakes": [],
            });
            let status = StatusCode::from_u16(status).unwrap();
            failure(status, Url::parse("http://h/").unwrap(), problem.to_string().as_bytes()).is_passing()
        };
        assert_eq!([429, 503, 404, 422].map(said), [true, true, false, false]);
    }

    #[tokio::test]
    async fn an_upload_on_which_nothing_moves_is_over() {
        let (moved, moves) = watch::channel(());
        let (moment, never) = (Duration::from_millis(1), Duration::MAX);
        silence(moves.clone(), moment, never).await;
        drop(moved);
        silence(moves, never, moment).await;
    }

    #[test]
    fn retries_slow_down() {
        let waits: Vec<u128> = [0, 1, 2, 5, 400].map(retry_in).map(|wait| wait.as_millis()).to_vec();
        assert_eq!(waits, [500, 1_000, 2_000, 10_000, 10_000]);
    }

    #[test]
    fn a_refusal_without_a_body_is_still_one_about_the_token() {
        let url = Url::parse("http://h/").unwrap();
        let said = |status: StatusCode, body: &str| failure(status, url.clone(), body.as_bytes()).to_string();
        assert_eq!(said(StatusCode::UNAUTHORIZED, ""), "the token is missing, wrong, or may not do this");
        assert_eq!(
            said(StatusCode::BAD_GATEWAY, "<html>\u{1b}[2J"),
            "http://h/ answered, but not as Lockgate does: 502 Bad Gateway <html>[2J"
        );
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_named() {
        for token in ["lg_1\n", "lg_1\r\nx: y", "lg_\0", "lg_ż", "lg_\u{7f}"] {
            let error = Client::new("http://h", Some(token.to_owned())).err().unwrap();
            assert!(matches!(error, ClientError::Token) && error.to_string().contains("LOCKGATE_TOKEN"), "{token:?}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_sent_is_not_the_hosts_fault() {
        let error = client("http://127.0.0.1:1").roll_back("p", "e", &Remark::default(), Some("a\nb")).await;
        assert!(matches!(error, Err(ClientError::Unsendable { .. })));
    }

    #[tokio::test]
    async fn a_host_that_is_not_there_is_unreachable() {
        let error = client("http://127.0.0.1:1").tokens().await.err().unwrap();
        assert!(matches!(error, ClientError::Unreachable { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_file_is_measured() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.tar");
        std::fs::write(&path, "abc").unwrap();
        let file = measure(&path, |_| {}).await.unwrap();
        assert_eq!(file.size_bytes, 3);
        assert_eq!(file.digest, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let missing = measure(&dir.path().join("gone"), |_| {}).await.err().unwrap();
        assert!(matches!(missing, ClientError::File { .. }));
    }
}
