//! A host that remembers what it was told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Read, Write};
use std::sync::{Arc, Mutex};

use lockgate_core::digest::Digest;
use lockgate_core::plugin::{Failure, Grants, Retry};

use crate::call::{ArtifactWriter, CallHost, LogLine, StateEntry};
use crate::secrets::Secret;

#[derive(Default)]
pub struct Recorder {
    lines: Mutex<Vec<LogLine>>,
    denials: Mutex<Vec<String>>,
    progress: Mutex<Vec<(u32, String)>>,
    pub artifacts: Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>,
    state: Mutex<BTreeMap<String, StateEntry>>,
    pub secrets: Mutex<BTreeMap<String, Secret>>,
    pub revealed: Mutex<Vec<String>>,
    /// What is granted by now, where a test says so.
    pub now: Mutex<Option<Grants>>,
    /// Told at each log line, for tests that wait until a guest has come so far.
    pub said: tokio::sync::Notify,
}

impl Recorder {
    /// One line each: level, message, fields.
    pub fn lines(&self) -> String {
        let mut text = String::new();
        for line in self.lines.lock().unwrap().iter() {
            write!(text, "{} {}", line.level.word(), line.message).unwrap();
            for (key, value) in &line.fields {
                write!(text, " {key}={value}").unwrap();
            }
            text.push('\n');
        }
        text
    }

    pub fn denials(&self) -> Vec<String> {
        self.denials.lock().unwrap().clone()
    }

    pub fn progress(&self) -> Vec<(u32, String)> {
        self.progress.lock().unwrap().clone()
    }
}

/// The artifact with these bytes belongs to somebody else.
pub const FORBIDDEN: &[u8] = b"forbidden";

fn missing(what: &str) -> Failure {
    refusal("not-found", format!("no {what}"))
}

fn refusal(code: &str, message: String) -> Failure {
    Failure { code: code.into(), message, retry: Retry::Never, retry_after_ms: 0, details: serde_json::Value::Null }
}

impl CallHost for Recorder {
    fn log(&self, line: LogLine) {
        self.lines.lock().unwrap().push(line);
        self.said.notify_one();
    }

    fn progress(&self, percent: u32, message: &str) {
        self.progress.lock().unwrap().push((percent, message.to_owned()));
    }

    fn grants_now(&self) -> Option<Grants> {
        self.now.lock().unwrap().clone()
    }

    fn denied(&self, what: &str) {
        self.denials.lock().unwrap().push(what.to_owned());
    }

    fn secret(&self, name: &str) -> Result<Secret, Failure> {
        self.secrets.lock().unwrap().get(name).cloned().ok_or_else(|| missing(&format!("secret {name}")))
    }

    fn secrets_bound_to(&self, origin: &str) -> Vec<Secret> {
        let bound = |secret: &&Secret| secret.origins.contains(origin);
        self.secrets.lock().unwrap().values().filter(bound).cloned().collect()
    }

    fn revealed(&self, name: &str) {
        self.revealed.lock().unwrap().push(name.to_owned());
    }

    fn open_artifact(&self, digest: &Digest) -> Result<Box<dyn Read + Send>, Failure> {
        if *digest == Digest::of(FORBIDDEN) {
            return Err(refusal("denied", format!("{digest} is not of this deployment")));
        }
        let bytes = self.artifacts.lock().unwrap().get(digest).cloned();
        Ok(Box::new(Cursor::new(bytes.ok_or_else(|| missing(&format!("artifact {digest}")))?)))
    }

    fn create_artifact(&self, _name: &str) -> Result<Box<dyn ArtifactWriter>, Failure> {
        Ok(Box::new(Draft { bytes: Vec::new(), artifacts: self.artifacts.clone() }))
    }

    fn state_get(&self, key: &str) -> Result<Option<StateEntry>, Failure> {
        Ok(self.state.lock().unwrap().get(key).cloned())
    }

    fn state_put(&self, key: &str, value: Vec<u8>, expect: u32) -> Result<u32, Failure> {
        let mut state = self.state.lock().unwrap();
        let version = state.get(key).map_or(0, |entry| entry.version);
        if version != expect {
            return Err(missing(&format!("version {expect} of {key}")));
        }
        state.insert(key.to_owned(), StateEntry { value, version: version + 1 });
        Ok(version + 1)
    }
}

struct Draft {
    bytes: Vec<u8>,
    artifacts: Arc<Mutex<BTreeMap<Digest, Vec<u8>>>>,
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl ArtifactWriter for Draft {
    fn finish(self: Box<Self>) -> Result<Digest, Failure> {
        let digest = Digest::of(&self.bytes);
        self.artifacts.lock().unwrap().insert(digest, self.bytes);
        Ok(digest)
    }
}
