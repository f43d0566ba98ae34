//! As much of HTTP/1.1 as talking to a host on this machine takes; nothing here leaves it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

/// The host's API, as one person.
#[derive(Clone)]
pub struct Api {
    pub address: SocketAddr,
    pub token: String,
}

pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Response {
    pub fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The answer, where the request was accepted.
    pub fn accepted(self, what: &str) -> Result<Value> {
        ensure!(self.status < 300, "{what}: {} {}", self.status, String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Ok(Value::Null) } else { self.json() }
    }
}

impl Api {
    pub fn get(&self, path: &str) -> Result<Value> {
        Connection::open(self)?.send("GET", path, &[], b"")?.accepted(&format!("GET {path}"))
    }

    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let body = body.to_string();
        let json = [("Content-Type", "application/json")];
        Connection::open(self)?.send("POST", path, &json, body.as_bytes())?.accepted(&format!("POST {path}"))
    }

    /// Content that is not JSON, such as a plugin or a project file.
    pub fn upload(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> Result<Value> {
        let headers = [("Content-Type", media_type)];
        Connection::open(self)?.send(method, path, &headers, body)?.accepted(&format!("{method} {path}"))
    }

    /// Asks for `path` again at each event of the deployment, until the answer is what is waited for.
    pub fn wait(&self, deployment: &str, patience: Duration, is_reached: impl Fn(&Value) -> bool) -> Result<Value> {
        let deadline = Instant::now() + patience;
        // Listening first: what happens between the two is then heard.
        let mut events = Connection::open(self)?;
        events.listen(&format!("{deployment}/events/stream"))?;
        let mut heard = Heard::Part;
        loop {
            let seen = self.get(deployment)?;
            if is_reached(&seen) {
                return Ok(seen);
            }
            match heard {
                Heard::Part => heard = events.next_part(deadline.saturating_duration_since(Instant::now()))?,
                Heard::End => bail!("{deployment} is {}, and nothing more happens to it", state(&seen)),
                Heard::Nothing => bail!("{deployment} is still {} after {} s", state(&seen), patience.as_secs()),
            }
        }
    }
}

/// A deployment's statuses in one word.
pub fn state(deployment: &Value) -> String {
    let text = |pointer| crate::json::text(deployment, pointer).to_owned();
    format!("{} ({}/{})", text("/status"), text("/attempt_status"), text("/operation_status"))
}

/// Kept open from one request to the next.
pub struct Connection {
    stream: BufReader<TcpStream>,
    authorization: String,
    host: SocketAddr,
}

enum Heard {
    Part,
    End,
    /// In all the time there was.
    Nothing,
}

struct Head {
    status: u16,
    length: Option<usize>,
    chunked: bool,
}

impl Connection {
    pub fn open(api: &Api) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&api.address, PATIENCE)
            .with_context(|| format!("nobody listens at {}", api.address))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let authorization =
            if api.token.is_empty() { String::new() } else { format!("Authorization: Bearer {}\r\n", api.token) };
        Ok(Self { stream: BufReader::new(stream), authorization, host: api.address })
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response> {
        self.request(method, path, headers, body)?;
        let head = self.head().with_context(|| format!("{method} {path}"))?;
        let mut body = Vec::new();
        match head.length {
            _ if head.chunked => while self.chunk(&mut body)? {},
            Some(length) => {
                body.resize(length, 0);
                self.stream.read_exact(&mut body)?;
            }
            None if head.status == 204 || head.status == 304 => {}
            None => {
                self.stream.read_to_end(&mut body)?;
            }
        }
        Ok(Response { status: head.status, body })
    }

    fn request(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<()> {
        let (host, authorization, length) = (self.host, &self.authorization, body.len());
        let mut message =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}Content-Length: {length}\r\n")
                .into_bytes();
        for (name, value) in headers {
            write!(message, "{name}: {value}\r\n")?;
        }
        message.extend_from_slice(b"\r\n");
        message.extend_from_slice(body);
        self.stream.get_mut().write_all(&message)?;
        Ok(())
    }

    fn head(&mut self) -> Result<Head> {
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut head =
            Head { status: status.with_context(|| format!("not HTTP: `{first}`"))?, length: None, chunked: false };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(head);
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = Some(value.trim().parse()?),
                "transfer-encoding" => head.chunked = value.trim().eq_ignore_ascii_case("chunked"),
                _ => {}
            }
        }
    }

    /// A stream begins; `chunk` has what comes of it.
    pub fn listen(&mut self, path: &str) -> Result<()> {
        self.request("GET", path, &[], b"")?;
        let head = self.head()?;
        ensure!(head.status == 200 && head.chunked, "GET {path}: not told, status {}", head.status);
        Ok(())
    }

    /// What comes of a stream within `patience`.
    fn next_part(&mut self, patience: Duration) -> Result<Heard> {
        if patience.is_zero() {
            return Ok(Heard::Nothing);
        }
        self.stream.get_mut().set_read_timeout(Some(patience))?;
        match self.chunk(&mut Vec::new()) {
            Ok(true) => Ok(Heard::Part),
            Ok(false) => Ok(Heard::End),
            Err(error) => match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                Some(std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => Ok(Heard::Nothing),
                _ => Err(error.context("the event stream broke off")),
            },
        }
    }

    /// Adds one chunk to `body`; false after the last.
    pub fn chunk(&mut self, body: &mut Vec<u8>) -> Result<bool> {
        let line = self.line()?;
        let size = usize::from_str_radix(line.trim(), 16).with_context(|| format!("not a chunk: `{line}`"))?;
        let start = body.len();
        body.resize(start + size, 0);
        self.stream.read_exact(&mut body[start..])?;
        self.line()?;
        Ok(size > 0)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the connection was closed");
        }
        Ok(line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
