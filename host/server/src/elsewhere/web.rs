//! Requests to the world outside, with bounds: time, size, redirects, and no plain HTTP that was not meant.

use std::error::Error;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response};
use url::{Host, Url};

use super::{ElsewhereError, MOST_BYTES};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Nothing for so long is the end of it.
const SILENCE: Duration = Duration::from_secs(30);
/// One request with all that it sends or gets.
const TRANSFER_TIMEOUT: Duration = Duration::from_secs(600);
const MOST_REDIRECTS: usize = 5;
/// Of what a server says about an error.
const SAID_BYTES: u64 = 16 << 10;

/// Hears how many bytes have come, and how many there will be where that is known.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// Where plain HTTP may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// To this machine only, where nobody is on the way.
    Here,
    Anywhere,
}

impl PlainHttp {
    pub fn allows(self, url: &Url) -> bool {
        match (url.scheme(), self) {
            ("https", _) => true,
            ("http", PlainHttp::Anywhere) => true,
            ("http", PlainHttp::Here) => is_here(url),
            _ => false,
        }
    }

    /// A redirect never leads from TLS to plain HTTP, unless that may go anywhere.
    fn allows_redirect(self, from: Option<&Url>, to: &Url) -> bool {
        let downgrade = to.scheme() == "http" && from.is_none_or(|from| from.scheme() != "http");
        self.allows(to) && (!downgrade || self == PlainHttp::Anywhere)
    }
}

/// Whether nobody else hears what is sent there.
pub fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || is_here(url)
}

/// Whether it is of this machine.
pub fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

pub struct Web {
    pub http: reqwest::Client,
    plain: PlainHttp,
}

impl Web {
    pub fn new(plain: PlainHttp) -> Result<Self, ElsewhereError> {
        // A second client of the same process finds the provider installed, which is just as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            reqwest::Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(SILENCE)
                .timeout(TRANSFER_TIMEOUT)
                .redirect(redirects(plain))
                .user_agent(concat!("lockgate/", env!("CARGO_PKG_VERSION")))
        };
        // A machine without root certificates can still reach what needs none.
        let http = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let http = http.map_err(|error| ElsewhereError::Tls { cause: root_cause(&error) })?;
        Ok(Self { http, plain })
    }

    pub fn check(&self, url: &Url) -> Result<(), ElsewhereError> {
        if self.plain.allows(url) { Ok(()) } else { Err(ElsewhereError::PlainHttp { url: shown(url) }) }
    }

    /// Any answer at all.
    pub async fn send(&self, url: &Url, request: RequestBuilder) -> Result<Response, ElsewhereError> {
        self.check(url)?;
        let no_answer = |error| ElsewhereError::NoAnswer { url: shown(url), cause: root_cause(&error) };
        request.send().await.map_err(no_answer)
    }

    pub async fn download(&self, url: &Url, progress: Progress<'_>) -> Result<Vec<u8>, ElsewhereError> {
        let response = succeeded(self.send(url, self.http.get(url.clone())).await?).await?;
        body(response, MOST_BYTES, progress).await
    }
}

fn redirects(plain: PlainHttp) -> Policy {
    Policy::custom(move |attempt| {
        if attempt.previous().len() > MOST_REDIRECTS {
            return attempt.error(format!("it redirects more than {MOST_REDIRECTS} times"));
        }
        if plain.allows_redirect(attempt.previous().last(), attempt.url()) {
            return attempt.follow();
        }
        let to = shown(attempt.url());
        attempt.error(format!("it redirects to {to}, where anybody on the way can put other bytes"))
    })
}

/// Of a response, never more than the limit, whatever its header says.
pub async fn body(mut response: Response, limit: u64, progress: Progress<'_>) -> Result<Vec<u8>, ElsewhereError> {
    let url = shown(response.url());
    let total = response.content_length();
    if total.is_some_and(|total| total > limit) {
        return Err(ElsewhereError::TooLarge { url, limit });
    }
    let mut content = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| ElsewhereError::NoAnswer { url: url.clone(), cause: root_cause(&error) })?;
        let Some(chunk) = chunk else { return Ok(content) };
        if (content.len() + chunk.len()) as u64 > limit {
            return Err(ElsewhereError::TooLarge { url, limit });
        }
        content.extend_from_slice(&chunk);
        progress(content.len() as u64, total);
    }
}

pub async fn succeeded(response: Response) -> Result<Response, ElsewhereError> {
    let (url, status) = (shown(response.url()), response.status());
    if status.is_success() {
        return Ok(response);
    }
    Err(ElsewhereError::Status { url, status, said: said(response).await })
}

/// The beginning of what it says of an error, where that is short text: a registry's first message, or the text itself.
pub async fn said(response: Response) -> String {
    let Ok(content) = body(response, SAID_BYTES, &|_, _| ()).await else { return String::new() };
    let message = |content: &[u8]| {
        let answer: serde_json::Value = serde_json::from_slice(content).ok()?;
        let message = answer.pointer("/errors/0/message")?.as_str()?.to_owned();
        Some(message)
    };
    let text = message(&content).unwrap_or_else(|| String::from_utf8_lossy(&content).into_owned());
    let first: String = text.trim().lines().next().unwrap_or_default().chars().take(200).collect();
    if first.is_empty() || first.starts_with('<') { String::new() } else { format!(": {first}") }
}

/// Without what may be secret: a signed URL of a store has its key in the query.
pub fn shown(url: &Url) -> Url {
    let mut url = url.clone();
    // Fails where a URL cannot have any, and then it has none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url
}

fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_timeout() { "it took too long".to_owned() } else { cause.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn plain_http_goes_to_this_machine_unless_told_otherwise() {
        for here in ["http://127.0.0.1:5000", "http://[::1]", "http://localhost:1", "https://a.example"] {
            assert!(PlainHttp::Here.allows(&url(here)), "{here}");
        }
        for away in ["http://a.example", "http://10.0.0.1", "http://localhost.example", "http://0.0.0.0", "ftp://x"] {
            assert!(!PlainHttp::Here.allows(&url(away)), "{away}");
        }
        assert!(PlainHttp::Anywhere.allows(&url("http://a.example")));
        assert!(!PlainHttp::Anywhere.allows(&url("file:///etc/passwd")));
    }

    #[test]
    fn no_redirect_leads_out_of_tls() {
        let (tls, here) = (url("https://a.example"), url("http://127.0.0.1:1"));
        assert!(PlainHttp::Here.allows_redirect(Some(&tls), &url("https://cdn.example")));
        assert!(PlainHttp::Here.allows_redirect(Some(&here), &here));
        assert!(!PlainHttp::Here.allows_redirect(Some(&tls), &here));
        assert!(!PlainHttp::Here.allows_redirect(Some(&here), &url("http://a.example")));
        assert!(PlainHttp::Anywhere.allows_redirect(Some(&tls), &url("http://a.example")));
    }

    #[test]
    fn what_may_be_secret_in_a_url_is_not_shown() {
        let shown = shown(&url("https://ann:secret@a.example/x.wasm?token=secret#secret"));
        assert_eq!(shown.as_str(), "https://a.example/x.wasm");
    }
}
