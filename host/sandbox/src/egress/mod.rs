//! The only way out for a plugin. Both `lockgate:plugin/http` and `wasi:http` come through [`Egress::send`].
//!
//! An origin must be granted to the letter, names are resolved here, and a connection is made only to addresses that
//! were checked: a name server that changes its answer between check and use gains nothing. No redirect is followed;
//! the guest asks again, and is checked again.

mod address;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use lockgate_core::origin::{origin, parse_url};
use lockgate_core::plugin::HttpGrant;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::{Host, Url};

use crate::context::blocking;
use crate::output::Output;
use crate::rehearsal::{CallClock, Play, Received, Sent, Trouble, Wire};
use crate::secrets::{Astray, Mask, MaskedStream, Purse, Secret};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections of one call: a request holds its own until its response's body is read or dropped.
const CONNECTIONS: usize = 32;
/// Names of all calls that are looked up at a time. The system's lookup cannot be stopped, and a name server that does
/// not answer would otherwise take every thread for blocking work.
const LOOKUPS: usize = 8;
/// Of a body that a test looks at: a recorded file is read by people.
const MOST_STAGED_BYTES: usize = 10 << 20;

/// What one call may reach.
#[derive(Clone)]
pub struct Egress(Arc<Shared>);

struct Shared {
    grants: BTreeSet<HttpGrant>,
    body_bytes: u64,
    clock: CallClock,
    output: Output,
    purse: Purse,
    /// Secrets that may travel to an origin, whoever sends them.
    bound: tokio::sync::Mutex<BTreeMap<String, Vec<Secret>>>,
    connections: Arc<Semaphore>,
    outside: Outside,
    /// Connections are kept for the rest of this call only: two plugins never share one, so a response that one of
    /// them provoked cannot answer the other. Clients are made when first used.
    public: OnceLock<reqwest::Client>,
    private: OnceLock<reqwest::Client>,
}

pub struct Request {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: reqwest::Body,
    /// Known where the whole body is at hand; `None` while a guest still writes it.
    pub body_bytes: Option<u64>,
    pub timeout: Timeout,
}

/// Within the time the call itself has left.
#[derive(Debug, Clone, Copy)]
pub enum Timeout {
    None,
    /// Until the response's headers are there.
    Head(Duration),
    /// Until its body is.
    Whole(Duration),
}

#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    #[error("http to {origin} is not granted; where the plugin asks for it, an operator can: `{flag} {origin}`")]
    NotGranted { origin: String, flag: &'static str },
    #[error("{method} to {origin} is not granted, only {}; an operator can: `{flag} \"{method} {origin}\"`", .granted.join(", "))]
    MethodNotGranted { origin: String, method: Method, granted: Vec<String>, flag: &'static str },
    #[error(
        "secret `{secret}` may not travel to {origin}; an administrator can set it again, with all that `lockgate secret list` shows of it and this origin: `lockgate secret set {secret} --to {origin} ...`"
    )]
    SecretAstray { origin: String, secret: String },
    #[error(
        "secret `{secret}` may not stand in the header `{header}`; an administrator can set it again, with all that `lockgate secret list` shows of it and this header: `lockgate secret set {secret} --header {header} ...`"
    )]
    SecretInHeader { secret: String, header: String },
    /// The address is for the audit log alone: a guest is not told how the host's network looks from inside.
    #[error("{host} has a {class} address; {}", remedy(class))]
    NotPublic { host: String, address: IpAddr, class: &'static str },
    #[error("{0}")]
    Invalid(String),
    #[error("no complete answer from {origin} within {} ms", .after.as_millis())]
    TimedOut { origin: String, after: Duration },
    #[error("could not reach {origin}: {problem}")]
    Unreachable { origin: String, problem: String },
    #[error("the exchange with {origin} failed: {problem}")]
    Broken { origin: String, problem: String },
}

/// A response's head; the body is still to be read, within the call's limits.
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: ResponseBody,
}

pub struct ResponseBody {
    inner: reqwest::Response,
    /// A server may send back what it was sent.
    masked: MaskedStream,
    origin: String,
    left_bytes: u64,
    limit_bytes: u64,
    is_cut: bool,
    began: Instant,
    deadline: Instant,
    _connection: OwnedSemaphorePermit,
}

pub enum Chunk {
    Data(bytes::Bytes),
    End,
    /// There is more, but the limit is reached.
    OverLimit {
        limit_bytes: u64,
    },
}

impl Egress {
    pub fn new(
        grants: BTreeSet<HttpGrant>,
        body_bytes: u64,
        clock: CallClock,
        output: Output,
        purse: Purse,
        outside: Outside,
    ) -> Self {
        Self(Arc::new(Shared {
            grants,
            body_bytes,
            clock,
            output,
            purse,
            bound: tokio::sync::Mutex::default(),
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            outside,
            public: OnceLock::new(),
            private: OnceLock::new(),
        }))
    }

    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        let permitted = self.permit(&request).inspect_err(|error| self.note(error))?;
        match self.0.outside.wire.clone() {
            None => self.fetch(permitted, request).await,
            Some(wire) => self.staged(wire.as_ref(), permitted, request).await,
        }
    }

    /// Into the network.
    async fn fetch(&self, permitted: Permitted, request: Request) -> Result<Response, EgressError> {
        let origin = permitted.origin.clone();
        let client = self.client(&permitted)?;
        let began = Instant::now();
        let deadline = self.0.clock.deadline();
        let after = |timeout| began.checked_add(timeout).map_or(deadline, |end| end.min(deadline));
        let (head_deadline, body_deadline) = match request.timeout {
            Timeout::None => (deadline, deadline),
            Timeout::Head(timeout) => (after(timeout), deadline),
            Timeout::Whole(timeout) => (after(timeout), after(timeout)),
        };
        let headers = self.0.purse.filled(request.headers).map_err(EgressError::Invalid)?;
        let mask = self.mask(&origin).await?;
        let exchange = async {
            let connection = self.0.connections.clone().acquire_owned().await.expect("this semaphore is never closed");
            let builder = client.request(request.method, permitted.url).headers(headers);
            builder.body(request.body).send().await.map(|response| (response, connection))
        };
        let (response, connection) = tokio::time::timeout_at(head_deadline, exchange)
            .await
            .map_err(|_| EgressError::TimedOut { origin: origin.clone(), after: began.elapsed() })?
            .map_err(|error| failed(origin.clone(), error))
            .inspect_err(|error| self.note(error))?;
        let headers = response.headers().iter().map(|(name, value)| (name.clone(), mask.header(value))).collect();
        Ok(Response {
            status: response.status(),
            headers,
            body: ResponseBody {
                inner: response,
                masked: MaskedStream::new(mask),
                origin,
                left_bytes: self.0.body_bytes,
                limit_bytes: self.0.body_bytes,
                is_cut: false,
                began,
                deadline: body_deadline,
                _connection: connection,
            },
        })
    }

    /// Whatever was sent there, in this call or another, may come back.
    async fn mask(&self, origin: &str) -> Result<Mask, EgressError> {
        let known = self.0.bound.lock().await.get(origin).cloned();
        if let Some(secrets) = known {
            return Ok(self.0.purse.mask_of(secrets));
        }
        let (host, of) = (self.0.output.host(), origin.to_owned());
        let secrets = blocking(move || host.secrets_bound_to(&of)).await;
        let secrets = secrets.map_err(|error| EgressError::Invalid(format!("secrets cannot be looked up: {error}")))?;
        self.0.bound.lock().await.insert(origin.to_owned(), secrets.clone());
        Ok(self.0.purse.mask_of(secrets))
    }

    /// To what a test has put in the network's place, or past it.
    async fn staged(&self, wire: &dyn Wire, permitted: Permitted, request: Request) -> Result<Response, EgressError> {
        let Request { method, url: _, headers, body, body_bytes: _, timeout } = request;
        let body = Limited::new(body, MOST_STAGED_BYTES).collect().await;
        let too_long = |_| EgressError::Invalid(format!("a test takes bodies of at most {MOST_STAGED_BYTES} bytes"));
        let body = body.map_err(too_long)?.to_bytes();
        let url = permitted.url.to_string();
        let sent =
            Sent { method: method.to_string(), url: url.clone(), headers: in_text(&headers), body: body.to_vec() };
        let origin = permitted.origin.clone();
        match wire.answer(&sent) {
            Play::Answer(Ok(received)) => self.received(origin, received).await,
            Play::Answer(Err(trouble)) => Err(self.suffered(origin, trouble, timeout).await),
            Play::Through => {
                let body_bytes = Some(body.len() as u64);
                let again = Request { method, url, headers, body: body.into(), body_bytes, timeout };
                let came = match self.fetch(permitted, again).await {
                    Ok(response) => kept(response).await,
                    Err(error) => Err(error),
                };
                wire.heard(&sent, &came.as_ref().map(Clone::clone).map_err(trouble));
                self.received(origin, came?).await
            }
        }
    }

    /// As if it had just come.
    async fn received(&self, origin: String, received: Received) -> Result<Response, EgressError> {
        let broken = |problem: String| EgressError::Broken { origin: origin.clone(), problem };
        let mut response = http::Response::builder().status(received.status);
        for (name, value) in &received.headers {
            response = response.header(name, value);
        }
        let response = response.body(received.body).map_err(|error| broken(error.to_string()))?;
        let response = reqwest::Response::from(response);
        let connection = self.0.connections.clone().acquire_owned().await.expect("this semaphore is never closed");
        let head = (response.status(), response.headers().clone());
        let body = ResponseBody {
            inner: response,
            masked: MaskedStream::new(Mask::default()),
            origin,
            left_bytes: self.0.body_bytes,
            limit_bytes: self.0.body_bytes,
            is_cut: false,
            began: Instant::now(),
            deadline: self.0.clock.deadline(),
            _connection: connection,
        };
        Ok(Response { status: head.0, headers: head.1, body })
    }

    async fn suffered(&self, origin: String, trouble: Trouble, timeout: Timeout) -> EgressError {
        match trouble {
            Trouble::Refused | Trouble::Denied => {
                EgressError::Unreachable { origin, problem: "connection refused".to_owned() }
            }
            Trouble::Broken => {
                let problem = "connection closed before the message completed".to_owned();
                EgressError::Broken { origin, problem }
            }
            Trouble::TimedOut => {
                let after = match timeout {
                    Timeout::None => self.0.clock.remaining(),
                    Timeout::Head(timeout) | Timeout::Whole(timeout) => timeout,
                };
                self.0.clock.wait(after).await;
                EgressError::TimedOut { origin, after }
            }
        }
    }

    /// Everything that can be decided before a name is looked up.
    fn permit(&self, request: &Request) -> Result<Permitted, EgressError> {
        // Not with the URL itself: what is behind its origin may be a secret, and failures are on record.
        let url = parse_url(&request.url)
            .map_err(|problem| EgressError::Invalid(format!("this URL cannot be requested: {problem}")))?;
        let origin = origin(&url);
        let grants: Vec<_> = self.0.grants.iter().filter(|grant| grant.origin == origin).collect();
        if grants.is_empty() {
            let flag = flag_for(looks_private(&url));
            return Err(EgressError::NotGranted { origin, flag });
        }
        let allows = |grant: &&&HttpGrant| grant.methods.is_empty() || grant.methods.contains(request.method.as_str());
        let allowing: Vec<_> = grants.iter().filter(allows).collect();
        if allowing.is_empty() {
            let granted = grants.iter().flat_map(|grant| grant.methods.iter().cloned()).collect();
            let flag = flag_for(grants.iter().any(|grant| grant.private_network));
            return Err(EgressError::MethodNotGranted { origin, method: request.method.clone(), granted, flag });
        }
        let private_network = allowing.iter().any(|grant| grant.private_network);
        check_literal(&url, private_network)?;
        check_head(request)?;
        let bound = self.0.purse.check(&request.headers, &origin);
        bound.map_err(|astray| match astray {
            Astray::Origin { secret } => EgressError::SecretAstray { origin: origin.clone(), secret },
            Astray::Header { secret, header } => EgressError::SecretInHeader { secret, header },
        })?;
        Ok(Permitted { url, origin, private_network })
    }

    fn note(&self, error: &EgressError) {
        match error {
            EgressError::NotGranted { origin, .. } => self.0.output.denied(&format!("http {origin}")),
            EgressError::MethodNotGranted { origin, method, .. } => {
                self.0.output.denied(&format!("http {method} {origin}"));
            }
            EgressError::SecretAstray { origin, secret } => {
                self.0.output.denied(&format!("secret `{secret}` to {origin}"));
            }
            EgressError::SecretInHeader { secret, header } => {
                self.0.output.denied(&format!("secret `{secret}` in the header `{header}`"));
            }
            EgressError::NotPublic { host, address, class } => {
                self.0.output.denied(&format!("http {host} at {address} ({class})"));
            }
            EgressError::Invalid(_)
            | EgressError::TimedOut { .. }
            | EgressError::Unreachable { .. }
            | EgressError::Broken { .. } => {}
        }
    }

    fn client(&self, permitted: &Permitted) -> Result<&reqwest::Client, EgressError> {
        let unreachable = |problem| EgressError::Unreachable { origin: permitted.origin.clone(), problem };
        let private_network = permitted.private_network;
        let tls = &self.0.outside.tls;
        if let (Err(problem), "https") = (&tls.trusted, permitted.url.scheme()) {
            return Err(unreachable(format!("this host has no certificates to check others by: {problem}")));
        }
        let slot = if private_network { &self.0.private } else { &self.0.public };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.client.clone())
            .dns_resolver(Arc::new(CheckedNames { names: self.0.outside.names.clone(), private_network }))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| unreachable(format!("no HTTP client: {error}")))?;
        Ok(slot.get_or_init(|| client))
    }
}

struct Permitted {
    url: Url,
    origin: String,
    private_network: bool,
}

/// As far as that can be told without looking its name up.
fn looks_private(url: &Url) -> bool {
    let is_local = |name: &str| name == "localhost" || name.ends_with(".localhost");
    url.domain().is_some_and(is_local) || check_literal(url, false).is_err()
}

/// Of `lockgate plugin approve`.
fn flag_for(private_network: bool) -> &'static str {
    if private_network { "--allow-private-http" } else { "--allow-http" }
}

fn check_literal(url: &Url, private_network: bool) -> Result<(), EgressError> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    match address::not_public(address) {
        Some(class) if !private_network => Err(EgressError::NotPublic { host: address.to_string(), address, class }),
        Some(_) | None => Ok(()),
    }
}

/// Addresses that mean something else on every machine, and where the keys of a cloud machine are given out. Who means
/// one grants it by number, for a name's owner could have it point there at any time.
fn is_by_number_only(class: &str) -> bool {
    matches!(class, "link-local" | "unspecified")
}

fn remedy(class: &str) -> &'static str {
    match is_by_number_only(class) {
        true => "one like it is reached only by number, with `--allow-private-http` for that number",
        false => "if that is meant, an operator can: `--allow-private-http` in the place of `--allow-http`",
    }
}

/// Headers that frame the connection or name the host are ours: with them a guest could make two servers disagree on
/// where a request ends, or reach a virtual host it was not granted.
pub fn is_forbidden_header(name: &HeaderName) -> bool {
    const NAMES: [&str; 11] = [
        "connection",
        "host",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.contains(&name.as_str())
}

fn check_head(request: &Request) -> Result<(), EgressError> {
    if request.method == Method::CONNECT {
        return Err(EgressError::Invalid("CONNECT would open a tunnel past the grants".to_owned()));
    }
    if let Some(name) = request.headers.keys().find(|name| is_forbidden_header(name)) {
        return Err(EgressError::Invalid(format!("the header `{name}` is the host's to set")));
    }
    let lengths: Vec<_> = request.headers.get_all(header::CONTENT_LENGTH).iter().collect();
    let length = match lengths[..] {
        [] => return Ok(()),
        [one] => one.to_str().ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit())),
        [..] => None,
    };
    match (length.and_then(|text| text.parse::<u64>().ok()), request.body_bytes) {
        (Some(stated), Some(actual)) if stated == actual => Ok(()),
        (Some(_), None) => Ok(()),
        (Some(stated), Some(actual)) => {
            Err(EgressError::Invalid(format!("content-length is {stated}, the body has {actual} bytes")))
        }
        (None, _) => Err(EgressError::Invalid("content-length must be one decimal number".to_owned())),
    }
}

/// Resolves a name for a connection and lets only checked addresses through. Public and private ones of one name are
/// all refused: that mixture is how rebinding looks.
struct CheckedNames {
    names: Names,
    private_network: bool,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, private_network) = (self.names.clone(), self.private_network);
        Box::pin(async move {
            let addresses = names.look_up(name.as_str()).await?;
            check_addresses(name.as_str(), &addresses, private_network)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn check_addresses(host: &str, addresses: &[SocketAddr], private_network: bool) -> Result<(), EgressError> {
    let refused = addresses.iter().find_map(|address| {
        let class = address::not_public(address.ip())?;
        (!private_network || is_by_number_only(class)).then_some((address.ip(), class))
    });
    match refused {
        Some((address, class)) => Err(EgressError::NotPublic { host: host.to_owned(), address, class }),
        None => Ok(()),
    }
}

/// How names become addresses. Cheap to clone; all calls share its turns.
#[derive(Clone)]
struct Names {
    turns: Arc<Semaphore>,
    lookup: Lookup,
}

/// Blocks.
type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

impl Names {
    fn new(lookup: Lookup) -> Self {
        Self { turns: Arc::new(Semaphore::new(LOOKUPS)), lookup }
    }

    fn of_the_system() -> Self {
        Self::new(Arc::new(|name| (name, 0).to_socket_addrs().map(Iterator::collect)))
    }

    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        let turn = self.turns.clone().acquire_owned().await.expect("this semaphore is never closed");
        let (lookup, name) = (self.lookup.clone(), name.to_owned());
        let looked_up = tokio::task::spawn_blocking(move || {
            // Given back when the lookup ends, also where nobody waits for it any more.
            let _turn = turn;
            lookup(&name)
        });
        looked_up.await.map_err(io::Error::other)?
    }
}

/// Our own refusal comes back wrapped in the client's errors.
fn failed(origin: String, error: reqwest::Error) -> EgressError {
    let error = error.without_url();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    let mut problem = String::new();
    while let Some(this) = cause {
        if let Some(EgressError::NotPublic { host, address, class }) = this.downcast_ref() {
            return EgressError::NotPublic { host: host.clone(), address: *address, class };
        }
        problem = this.to_string();
        cause = this.source();
    }
    if error.is_timeout() {
        EgressError::TimedOut { origin, after: CONNECT_TIMEOUT }
    } else if error.is_connect() {
        EgressError::Unreachable { origin, problem }
    } else {
        EgressError::Broken { origin, problem }
    }
}

impl ResponseBody {
    pub async fn chunk(&mut self) -> Result<Chunk, EgressError> {
        if self.is_cut {
            return Ok(Chunk::OverLimit { limit_bytes: self.limit_bytes });
        }
        let next = tokio::time::timeout_at(self.deadline, self.inner.chunk()).await;
        let next =
            next.map_err(|_| EgressError::TimedOut { origin: self.origin.clone(), after: self.began.elapsed() })?;
        let mut data = match next.map_err(|error| failed(self.origin.clone(), error))? {
            Some(data) => self.masked.push(data),
            None => match self.masked.finish() {
                rest if rest.is_empty() => return Ok(Chunk::End),
                rest => rest,
            },
        };
        self.is_cut = data.len() as u64 > self.left_bytes;
        if self.is_cut {
            data.truncate(self.left_bytes as usize);
        }
        self.left_bytes -= data.len() as u64;
        Ok(Chunk::Data(data))
    }

    /// All of it, or as much as the limit lets through; then the flag is true.
    pub async fn read(mut self) -> Result<(Vec<u8>, bool), EgressError> {
        let mut body = Vec::new();
        loop {
            match self.chunk().await? {
                Chunk::Data(data) => body.extend_from_slice(&data),
                Chunk::End => return Ok((body, false)),
                Chunk::OverLimit { .. } => return Ok((body, true)),
            }
        }
    }
}

/// The whole answer to a request that was let out in a test.
async fn kept(response: Response) -> Result<Received, EgressError> {
    let Response { status, headers, body } = response;
    // One more than the guest may have: what is cut is told to it as cut.
    let limit_bytes = body.limit_bytes.saturating_add(1).min(MOST_STAGED_BYTES as u64);
    let body = ResponseBody { left_bytes: limit_bytes, limit_bytes, ..body };
    let (body, _) = body.read().await?;
    Ok(Received { status: status.as_u16(), headers: in_text(&headers), body })
}

fn in_text(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn trouble(error: &EgressError) -> Trouble {
    match error {
        EgressError::NotGranted { .. }
        | EgressError::MethodNotGranted { .. }
        | EgressError::SecretAstray { .. }
        | EgressError::SecretInHeader { .. }
        | EgressError::NotPublic { .. }
        | EgressError::Invalid(_) => Trouble::Denied,
        EgressError::TimedOut { .. } => Trouble::TimedOut,
        EgressError::Unreachable { .. } => Trouble::Refused,
        EgressError::Broken { .. } => Trouble::Broken,
    }
}

/// What all calls share of the way out: certificates, session tickets, names. In a test, what stands in its place.
#[derive(Clone)]
pub struct Outside {
    tls: Arc<TlsConfig>,
    names: Names,
    wire: Option<Arc<dyn Wire>>,
}

struct TlsConfig {
    client: ClientConfig,
    trusted: Result<(), String>,
}

impl Outside {
    /// Reads the system's certificates.
    pub fn of_this_machine() -> Self {
        Self { tls: Arc::new(TlsConfig::load()), names: Names::of_the_system(), wire: None }
    }

    pub fn is_staged(&self) -> bool {
        self.wire.is_some()
    }

    pub fn behind(self, wire: Arc<dyn Wire>) -> Self {
        Self { wire: Some(wire), ..self }
    }
}

impl TlsConfig {
    fn load() -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = || {
            ClientConfig::builder_with_provider(provider.clone())
                .with_safe_default_protocol_versions()
                .expect("ring has the default TLS versions")
        };
        match builder().with_platform_verifier() {
            Ok(verified) => Self { client: verified.with_no_client_auth(), trusted: Ok(()) },
            // Plain http works all the same.
            Err(error) => Self {
                client: builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
                trusted: Err(error.to_string()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    fn request(headers: &[(&str, &str)], body: &str) -> Request {
        let pairs = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mut map = HeaderMap::new();
        pairs.for_each(|(name, value): (HeaderName, http::HeaderValue)| {
            map.append(name, value);
        });
        Request {
            method: Method::POST,
            url: "https://a.example".into(),
            headers: map,
            body: body.to_owned().into(),
            body_bytes: Some(body.len() as u64),
            timeout: Timeout::None,
        }
    }

    #[test]
    fn headers_that_frame_a_request_are_the_hosts() {
        for (name, value) in [
            ("Host", "b.example"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
            ("TE", "trailers"),
            ("Trailer", "x"),
            ("Upgrade", "websocket"),
            ("Content-Length", "1"),
            ("Content-Length", "+4"),
            ("Content-Length", "4, 4"),
        ] {
            assert!(check_head(&request(&[(name, value)], "body")).is_err(), "{name}: {value}");
        }
        assert!(check_head(&request(&[("content-length", "4"), ("content-length", "4")], "body")).is_err());
        assert!(check_head(&request(&[("content-length", "4"), ("x-token", "t")], "body")).is_ok());
    }

    #[test]
    fn a_denial_names_the_flag_that_lets_the_request_through() {
        for (url, flag) in [
            ("https://a.example", "--allow-http"),
            ("http://1.1.1.1", "--allow-http"),
            ("http://127.0.0.1:8080", "--allow-private-http"),
            ("http://[::1]", "--allow-private-http"),
            ("http://localhost:8080", "--allow-private-http"),
            ("http://web.localhost", "--allow-private-http"),
        ] {
            assert_eq!(flag_for(looks_private(&url.parse().unwrap())), flag, "{url}");
        }
        let (origin, granted) = ("https://a.example:443".to_owned(), vec!["GET".to_owned()]);
        let denied = EgressError::MethodNotGranted { origin, method: Method::PUT, granted, flag: flag_for(false) };
        let told = r#"PUT to https://a.example:443 is not granted, only GET; an operator can: `--allow-http "PUT https://a.example:443"`"#;
        assert_eq!(denied.to_string(), told);
    }

    #[test]
    fn one_private_address_among_public_ones_is_enough_to_refuse() {
        let addresses = ["1.1.1.1:0".parse().unwrap(), "10.0.0.1:0".parse().unwrap()];
        let refusal = check_addresses("rebind.example", &addresses, false).unwrap_err().to_string();
        assert_eq!(
            refusal,
            "rebind.example has a private address; if that is meant, an operator can: `--allow-private-http` in the place of `--allow-http`"
        );
        assert!(check_addresses("rebind.example", &addresses, true).is_ok());
    }

    #[test]
    fn no_name_leads_to_a_link_local_or_unspecified_address() {
        for address in ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "0.0.0.0", "::"] {
            let address: IpAddr = address.parse().unwrap();
            let refused = check_addresses("metadata.example", &[SocketAddr::new(address, 0)], true).unwrap_err();
            assert!(refused.to_string().contains("only by number"), "{refused}");
            let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            let url = Url::parse(&format!("http://{host}/")).unwrap();
            assert!(check_literal(&url, true).is_ok(), "{address}");
            assert!(check_literal(&url, false).is_err(), "{address}");
        }
    }

    /// A call that may reach `http://name.example:PORT` in private networks too.
    fn egress(port: u16, private_network: bool, lookup: Lookup) -> Egress {
        let grant =
            HttpGrant { origin: format!("http://name.example:{port}"), private_network, methods: BTreeSet::new() };
        let output = Output::new(0, Arc::new(crate::testing::Recorder::default()), Purse::default());
        let outside = Outside { tls: Arc::new(TlsConfig::load()), names: Names::new(lookup), wire: None };
        let clock = CallClock::new(Duration::from_secs(60), None);
        Egress::new([grant].into(), 1_000, clock, output, Purse::default(), outside)
    }

    async fn ask(egress: &Egress, port: u16) -> Result<StatusCode, EgressError> {
        let url = format!("http://name.example:{port}/");
        egress.send(Request { method: Method::GET, url, ..request(&[], "") }).await.map(|response| response.status)
    }

    /// Answers one request on each connection.
    async fn server() -> u16 {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let _ = connection.read(&mut [0; 4096]).await;
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                let _ = connection.write_all(answer).await;
            }
        });
        port
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_is_checked_each_time() {
        let port = server().await;
        let asked = AtomicUsize::new(0);
        let egress = egress(
            port,
            true,
            Arc::new(move |_| {
                let address = match asked.fetch_add(1, Ordering::SeqCst) {
                    0 => "127.0.0.1:0",
                    _ => "169.254.169.254:0",
                };
                Ok(vec![address.parse().unwrap()])
            }),
        );
        assert_eq!(ask(&egress, port).await.unwrap(), StatusCode::NO_CONTENT);
        let refused = ask(&egress, port).await.unwrap_err();
        assert!(matches!(refused, EgressError::NotPublic { class: "link-local", .. }), "{refused}");
    }

    #[tokio::test]
    async fn lookups_that_hang_keep_their_turn_when_nobody_waits_for_them_any_more() {
        let (inside, released) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (entered, go_on) = (inside.clone(), released.clone());
        let names = Names::new(Arc::new(move |_| {
            entered.fetch_add(1, Ordering::SeqCst);
            while !go_on.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(Vec::new())
        }));
        let look_up = || {
            let names = names.clone();
            tokio::spawn(async move { names.look_up("slow.example").await })
        };
        let calls: Vec<_> = (0..LOOKUPS).map(|_| look_up()).collect();
        while inside.load(Ordering::SeqCst) < LOOKUPS {
            tokio::task::yield_now().await;
        }
        for call in calls {
            call.abort();
            let _ = call.await;
        }
        assert_eq!(names.turns.available_permits(), 0);
        let patient = look_up();
        released.store(true, Ordering::SeqCst);
        assert_eq!(patient.await.unwrap().unwrap(), Vec::new());
    }
}
