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
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use url::Url;

use crate::wire::{
    Approve, Cancel, Deployment, Event, Grants, LogLine, NewDeployment, NewRelease, NewToken, Page, Plugin,
    PluginApproval, Problem, Project, Release, Remark, Token, UploadedArtifact,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// A plugin is compiled before it is answered for.
const COMPILE_TIMEOUT: Duration = Duration::from_secs(600);
/// Streams send keep-alives: silence for so long means that the connection is gone.
const STREAM_SILENCE: Duration = Duration::from_secs(60);
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
    #[error("no answer from {url}: {cause}")]
    Unreachable { url: Url, cause: String },
    #[error("{}", problem.detail)]
    Problem { problem: Box<Problem> },
    #[error("{url} answered, but not as Lockgate does: {what}")]
    Unexpected { url: Url, what: String },
    #[error("cannot read {path}: {cause}")]
    File { path: String, cause: std::io::Error },
    #[error("cannot set up TLS: {cause}")]
    Tls { cause: String },
}

impl ClientError {
    fn unreachable(url: Url, error: &reqwest::Error) -> Self {
        Self::Unreachable { url, cause: root_cause(error) }
    }

    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::File { path: path.display().to_string(), cause }
    }

    /// Worth asking again: the host is away, or says that it is going away.
    fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Problem { problem } => problem.status >= 500,
            Self::Unexpected { .. } | Self::Address { .. } | Self::File { .. } | Self::Tls { .. } => false,
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

impl Client {
    pub fn new(url: &str, token: Option<String>) -> Result<Self, ClientError> {
        let no_address = || ClientError::Address { url: url.to_owned() };
        let base = Url::parse(url).map_err(|_| no_address())?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(no_address());
        }
        // A second client of the same process finds the provider installed, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // No redirects: they would carry the token to who knows where.
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
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

    pub async fn apply_project(&self, project: &str, file: String) -> Result<Project, ClientError> {
        let put = self.request(Method::PUT, &["v1", "projects", project]).header(CONTENT_TYPE, "application/yaml");
        // The plugins it uses are loaded to check their configurations.
        self.answer(put.body(file).timeout(COMPILE_TIMEOUT)).await
    }

    pub async fn project(&self, project: &str) -> Result<Project, ClientError> {
        self.get(&["v1", "projects", project]).await
    }

    pub async fn create_release(&self, project: &str, release: &NewRelease) -> Result<Release, ClientError> {
        self.post(&["v1", "projects", project, "releases"], release).await
    }

    pub async fn releases(&self, project: &str, filter: &ReleaseFilter) -> Result<Page<Release>, ClientError> {
        let get = self.request(Method::GET, &["v1", "projects", project, "releases"]);
        self.answer(get.query(filter).timeout(ANSWER_TIMEOUT)).await
    }

    pub async fn release(&self, project: &str, tag: &str) -> Result<Release, ClientError> {
        self.get(&["v1", "projects", project, "releases", tag]).await
    }

    pub async fn start_release(&self, project: &str, tag: &str) -> Result<Release, ClientError> {
        self.post(&["v1", "projects", project, "releases", tag, "start"], &Remark::default()).await
    }

    pub async fn abandon_release(&self, project: &str, tag: &str) -> Result<Release, ClientError> {
        self.post(&["v1", "projects", project, "releases", tag, "abandon"], &Remark::default()).await
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

    async fn trigger(
        &self,
        path: &[&str],
        asked: &impl Serialize,
        idempotency_key: Option<&str>,
    ) -> Result<Deployment, ClientError> {
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

    pub async fn retry(&self, project: &str, number: u64) -> Result<Deployment, ClientError> {
        self.change_deployment(project, number, "retry", &Remark::default()).await
    }

    pub async fn redeploy(&self, project: &str, number: u64) -> Result<Deployment, ClientError> {
        self.change_deployment(project, number, "redeploy", &Remark::default()).await
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
        let counted = parts.inspect_ok(move |part| {
            total += part.len() as u64;
            sent(total);
        });
        let put = self.request(Method::PUT, &["v1", "artifacts"]).query(&[("digest", &file.digest)]);
        let put = put.header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_LENGTH, file.size_bytes);
        self.answer(put.body(reqwest::Body::wrap_stream(counted))).await
    }

    // ---- plugins ----

    pub async fn add_plugin(&self, component: Vec<u8>) -> Result<Plugin, ClientError> {
        let post = self.request(Method::POST, &["v1", "plugins"]).header(CONTENT_TYPE, "application/wasm");
        self.answer(post.body(component).timeout(COMPILE_TIMEOUT)).await
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

    // ---- tokens ----

    pub async fn create_token(&self, token: &NewToken) -> Result<Token, ClientError> {
        self.post(&["v1", "tokens"], token).await
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

    async fn post<T: DeserializeOwned>(&self, segments: &[&str], body: &impl Serialize) -> Result<T, ClientError> {
        self.answer(self.request(Method::POST, segments).json(body).timeout(ANSWER_TIMEOUT)).await
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = self.send(request).await?;
        let url = response.url().clone();
        let body = response.bytes().await.map_err(|error| ClientError::unreachable(self.base.clone(), &error))?;
        serde_json::from_slice(&body).map_err(|error| {
            let what = format!("{error}; are this command and the host of the same version?");
            ClientError::Unexpected { url, what }
        })
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = self.send_for_any_answer(request).await?;
        self.refuse_failure(response).await
    }

    async fn send_for_any_answer(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        request.send().await.map_err(|error| ClientError::unreachable(self.base.clone(), &error))
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
            ClientError::Unexpected { url, what: format!("{status} {start}").trim_end().to_owned() }
        }
    }
}

/// reqwest's own words name the URL once more and hide the reason in its sources.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_timeout() { "it took too long".to_owned() } else { cause.to_string() }
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
    /// Since when, and how often without a message in between.
    lost: Option<(Instant, u32)>,
    wait: Duration,
    item: PhantomData<fn() -> T>,
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
            lost: None,
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
                    Err(error) if error.is_passing() => return self.lose(error).map(Some),
                    Err(error) => return Err(error),
                }
                if self.lost.is_some() {
                    return Ok(Some(Followed::Back));
                }
                continue;
            };
            match connection.message().await {
                Ok(message) => {
                    let heard = self.understand(message)?;
                    self.lost = None;
                    match heard {
                        Heard::Item(item) => return Ok(Some(Followed::Item(item))),
                        Heard::Nothing => {}
                        Heard::ConnectAgain => self.connection = None,
                        Heard::End => return Ok(None),
                    }
                }
                Err(cause) => {
                    self.connection = None;
                    let error = ClientError::Unreachable { url: self.client.base.clone(), cause };
                    return self.lose(error).map(Some);
                }
            }
        }
    }

    async fn connect(&self) -> Result<Connection, ClientError> {
        let mut get =
            self.client.authorized(self.client.http.get(self.url.clone())).header(ACCEPT, "text/event-stream");
        if let Some(id) = &self.last_id {
            get = get.header("Last-Event-ID", id);
        }
        let sent = tokio::time::timeout(ANSWER_TIMEOUT, self.client.send(get)).await;
        let response = sent.unwrap_or_else(|_| {
            let (url, cause) = (self.client.base.clone(), "it took too long".to_owned());
            Err(ClientError::Unreachable { url, cause })
        })?;
        Ok(Connection { response, parser: Parser::default(), messages: VecDeque::new() })
    }

    fn lose(&mut self, error: ClientError) -> Result<Followed<T>, ClientError> {
        let (since, times) = self.lost.unwrap_or((Instant::now(), 0));
        if since.elapsed() > GIVE_UP_AFTER {
            return Err(error);
        }
        self.lost = Some((since, times + 1));
        self.wait = retry_in(times);
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
    async fn message(&mut self) -> Result<Message, String> {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Ok(message);
            }
            match tokio::time::timeout(STREAM_SILENCE, self.response.chunk()).await {
                Ok(Ok(Some(bytes))) => self.messages.extend(self.parser.push(&bytes)),
                Ok(Ok(None)) => return Err("the connection was closed".to_owned()),
                Ok(Err(error)) => return Err(root_cause(&error)),
                Err(_) => return Err("nothing was heard for a minute".to_owned()),
            }
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
