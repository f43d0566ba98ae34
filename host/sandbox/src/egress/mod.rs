//! The only way out for a plugin. Both `lockgate:plugin/http` and `wasi:http` come through [`Egress::send`].
//!
//! An origin must be granted to the letter, names are resolved here, and a connection is made only to addresses that
//! were checked: a name server that changes its answer between check and use gains nothing. No redirect is followed;
//! the guest asks again, and is checked again.

mod address;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName};
use http::{Method, StatusCode};
use lockgate_core::plugin::HttpGrant;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::{Host, Url};

use crate::output::Output;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections of one call: a request holds its own until its response's body is read or dropped.
const CONNECTIONS: usize = 32;

/// `https://Example.com` as operators write it, in the one form grants are compared in: `https://example.com:443`.
pub fn normal_origin(text: &str) -> Result<String, InvalidOrigin> {
    let invalid = |problem: &str| InvalidOrigin { text: text.to_owned(), problem: problem.to_owned() };
    let url = parse_url(text).map_err(|problem| invalid(&problem))?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("an origin ends after the port; paths cannot be granted one by one"));
    }
    if url.host_str().is_some_and(|host| host.contains('*')) {
        return Err(invalid("there are no wildcards; grant each host"));
    }
    Ok(origin(&url))
}

/// The origin a request to this URL needs among its grants.
pub fn origin_of_url(text: &str) -> Result<String, InvalidOrigin> {
    let url = parse_url(text).map_err(|problem| InvalidOrigin { text: text.to_owned(), problem })?;
    Ok(origin(&url))
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` has no usable origin: {problem}")]
pub struct InvalidOrigin {
    pub text: String,
    pub problem: String,
}

fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{error}; expected `https://host:port`"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("scheme `{}`; only http and https are possible", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a user name or password in the URL; send a header instead".to_owned());
    }
    Ok(url)
}

fn origin(url: &Url) -> String {
    let host = url.host_str().expect("http and https URLs have a host");
    let port = url.port_or_known_default().expect("http and https have default ports");
    format!("{}://{host}:{port}", url.scheme())
}

/// What one call may reach.
#[derive(Clone)]
pub struct Egress(Arc<Shared>);

struct Shared {
    grants: BTreeSet<HttpGrant>,
    body_bytes: u64,
    deadline: Instant,
    output: Output,
    connections: Arc<Semaphore>,
    tls: Tls,
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
    #[error("http to {origin} is not granted; an operator can add it to this plugin's grants")]
    NotGranted { origin: String },
    #[error(
        "{host} is {address}, a {class} address; an operator can set `private_network` on the grant for {host} if that \
         is meant"
    )]
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
    pub fn new(grants: BTreeSet<HttpGrant>, body_bytes: u64, deadline: Instant, output: Output, tls: Tls) -> Self {
        Self(Arc::new(Shared {
            grants,
            body_bytes,
            deadline,
            output,
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            tls,
            public: OnceLock::new(),
            private: OnceLock::new(),
        }))
    }

    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        let permitted = self.permit(&request).inspect_err(|error| self.note(error))?;
        let origin = permitted.origin.clone();
        let client = self.client(&permitted)?;
        let began = Instant::now();
        let after = |timeout| began.checked_add(timeout).map_or(self.0.deadline, |end| end.min(self.0.deadline));
        let (head_deadline, body_deadline) = match request.timeout {
            Timeout::None => (self.0.deadline, self.0.deadline),
            Timeout::Head(timeout) => (after(timeout), self.0.deadline),
            Timeout::Whole(timeout) => (after(timeout), after(timeout)),
        };
        let exchange = async {
            let connection = self.0.connections.clone().acquire_owned().await.expect("this semaphore is never closed");
            let builder = client.request(request.method, permitted.url).headers(request.headers);
            builder.body(request.body).send().await.map(|response| (response, connection))
        };
        let (response, connection) = tokio::time::timeout_at(head_deadline, exchange)
            .await
            .map_err(|_| EgressError::TimedOut { origin: origin.clone(), after: began.elapsed() })?
            .map_err(|error| failed(origin.clone(), error))
            .inspect_err(|error| self.note(error))?;
        Ok(Response {
            status: response.status(),
            headers: response.headers().clone(),
            body: ResponseBody {
                inner: response,
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

    /// Everything that can be decided before a name is looked up.
    fn permit(&self, request: &Request) -> Result<Permitted, EgressError> {
        let url = parse_url(&request.url).map_err(|problem| {
            EgressError::Invalid(format!("`{}` cannot be requested: {problem}", abridged(&request.url)))
        })?;
        let origin = origin(&url);
        let grants: Vec<_> = self.0.grants.iter().filter(|grant| grant.origin == origin).collect();
        if grants.is_empty() {
            return Err(EgressError::NotGranted { origin });
        }
        let private_network = grants.iter().any(|grant| grant.private_network);
        check_literal(&url, private_network)?;
        check_head(request)?;
        Ok(Permitted { url, origin, private_network })
    }

    fn note(&self, error: &EgressError) {
        match error {
            EgressError::NotGranted { origin } => self.0.output.denied(&format!("http {origin}")),
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
        let tls = self.0.tls.config();
        if let (Err(problem), "https") = (&tls.trusted, permitted.url.scheme()) {
            return Err(unreachable(format!("this host has no certificates to check others by: {problem}")));
        }
        let slot = if private_network { &self.0.private } else { &self.0.public };
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.client.clone())
            .dns_resolver(Arc::new(CheckedNames { private_network }))
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

fn check_literal(url: &Url, private_network: bool) -> Result<(), EgressError> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) | None => return Ok(()),
    };
    check_address(&address.to_string(), address, private_network)
}

fn check_address(host: &str, address: IpAddr, private_network: bool) -> Result<(), EgressError> {
    match address::not_public(address) {
        Some(class) if !private_network => Err(EgressError::NotPublic { host: host.to_owned(), address, class }),
        Some(_) | None => Ok(()),
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
    private_network: bool,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let private_network = self.private_network;
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            check_addresses(name.as_str(), &addresses, private_network)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn check_addresses(host: &str, addresses: &[SocketAddr], private_network: bool) -> Result<(), EgressError> {
    addresses.iter().try_for_each(|address| check_address(host, address.ip(), private_network))
}

/// Our own refusal comes back wrapped in the client's errors.
fn failed(origin: String, error: reqwest::Error) -> EgressError {
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

fn abridged(text: &str) -> String {
    text.chars().take(200).collect()
}

impl ResponseBody {
    pub async fn chunk(&mut self) -> Result<Chunk, EgressError> {
        if self.is_cut {
            return Ok(Chunk::OverLimit { limit_bytes: self.limit_bytes });
        }
        let next = tokio::time::timeout_at(self.deadline, self.inner.chunk()).await;
        let next =
            next.map_err(|_| EgressError::TimedOut { origin: self.origin.clone(), after: self.began.elapsed() })?;
        let Some(mut data) = next.map_err(|error| failed(self.origin.clone(), error))? else { return Ok(Chunk::End) };
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

/// Certificates and session tickets of all calls; read from the system when first needed.
#[derive(Clone, Default)]
pub struct Tls(Arc<OnceLock<TlsConfig>>);

struct TlsConfig {
    client: ClientConfig,
    trusted: Result<(), String>,
}

impl Tls {
    fn config(&self) -> &TlsConfig {
        self.0.get_or_init(|| {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let builder = || {
                ClientConfig::builder_with_provider(provider.clone())
                    .with_safe_default_protocol_versions()
                    .expect("ring has the default TLS versions")
            };
            match builder().with_platform_verifier() {
                Ok(verified) => TlsConfig { client: verified.with_no_client_auth(), trusted: Ok(()) },
                // Plain http works all the same.
                Err(error) => TlsConfig {
                    client: builder().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
                    trusted: Err(error.to_string()),
                },
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_form() {
        for (typed, normal) in [
            ("https://Example.com", "https://example.com:443"),
            ("https://example.com/", "https://example.com:443"),
            ("HTTP://example.com:8080", "http://example.com:8080"),
            ("http://0x7f.1", "http://127.0.0.1:80"),
            ("http://[::1]:9000", "http://[::1]:9000"),
            ("https://bücher.example", "https://xn--bcher-kva.example:443"),
        ] {
            assert_eq!(normal_origin(typed).as_deref(), Ok(normal));
        }
    }

    #[test]
    fn what_is_not_an_origin_is_refused() {
        for typed in [
            "",
            "example.com",
            "example.com:443",
            "ftp://example.com",
            "https://example.com/path",
            "https://example.com?query",
            "https://user@example.com",
            "https://*.example.com",
            "https://example.com:99999",
            "https://",
        ] {
            assert!(normal_origin(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_url_shows_the_origin_it_really_goes_to() {
        assert_eq!(origin_of_url("https://a.example/x?y#z").as_deref(), Ok("https://a.example:443"));
        assert_eq!(origin_of_url("https://a.example\\@b.example/").as_deref(), Ok("https://a.example:443"));
        assert!(origin_of_url("https://a.example@b.example/").is_err());
    }

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
    fn one_private_address_among_public_ones_is_enough_to_refuse() {
        let addresses = ["1.1.1.1:0".parse().unwrap(), "169.254.169.254:0".parse().unwrap()];
        let refusal = check_addresses("rebind.example", &addresses, false).unwrap_err().to_string();
        assert!(refusal.contains("rebind.example is 169.254.169.254, a link-local address"), "{refusal}");
        assert!(check_addresses("rebind.example", &addresses, true).is_ok());
    }
}
