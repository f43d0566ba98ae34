//! Whoever asks the host something, and what they get to hear.

use std::net::SocketAddr;

use lockgate::client::{Client, ClientError};
use lockgate::wire::{Artifact, Problem};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::block_on;

/// A person with a token.
#[derive(Clone)]
pub struct Person {
    pub client: Client,
    base: String,
    pub secret: String,
}

/// What a refused request says.
pub trait Refused {
    fn refused(self) -> Problem;
}

impl<T> Refused for Result<T, ClientError> {
    fn refused(self) -> Problem {
        match self.err().expect("it was not refused") {
            ClientError::Problem { problem } => *problem,
            other => panic!("not a refusal: {other}"),
        }
    }
}

/// An answer as it came, for requests that the client would never send.
#[derive(Debug)]
pub struct Raw {
    pub status: u16,
    pub content_type: String,
    pub body: Value,
}

impl Person {
    pub fn new(address: SocketAddr, secret: &str) -> Self {
        let base = format!("http://{address}");
        let client = Client::new(&base, Some(secret.to_owned())).unwrap();
        Self { client, base, secret: secret.to_owned() }
    }

    pub fn with_secret(&self, secret: &str) -> Self {
        let client = Client::new(&self.base, Some(secret.to_owned())).unwrap();
        Self { client, secret: secret.to_owned(), ..self.clone() }
    }

    pub fn send(&self, method: &str, path: &str, body: Vec<u8>) -> Raw {
        let http = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        let url = format!("{}{path}", self.base);
        let request = http.request(method.parse().unwrap(), url).bearer_auth(&self.secret).body(body);
        block_on(async {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            let content_type = response.headers().get("content-type").map(|it| it.to_str().unwrap().to_owned());
            let bytes = response.bytes().await.unwrap_or_default();
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            Raw { status, content_type: content_type.unwrap_or_default(), body }
        })
    }

    /// Stores the bytes, and gives what a release says of them.
    pub fn upload(&self, name: &str, bytes: Vec<u8>) -> Artifact {
        let digest = digest(&bytes);
        let raw = self.send("PUT", &format!("/v1/artifacts?digest={digest}"), bytes);
        assert!(raw.status < 300, "{raw:?}");
        Artifact { name: name.to_owned(), digest, application: name.to_owned(), ..Artifact::default() }
    }
}

impl Raw {
    /// The problem's code and detail.
    pub fn problem(&self) -> (&str, &str) {
        let text = |field: &str| self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {self:?}"));
        (text("code"), text("detail"))
    }
}

pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
