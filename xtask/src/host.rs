//! A `lockgate serve` of our own: started on a free port, killed when it is dropped.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::http::{Api, Connection};

const START_LIMIT: Duration = Duration::from_secs(60);
/// Asking a host that is not there yet is the only way to learn when it is.
const BETWEEN_KNOCKS: Duration = Duration::from_millis(20);

pub struct Host {
    binary: PathBuf,
    pub data: PathBuf,
    flags: Vec<String>,
    pub address: SocketAddr,
    log: PathBuf,
    process: Child,
}

impl Host {
    pub fn start(binary: &Path, data: &Path) -> Result<Self> {
        Self::start_with(binary, data, &[])
    }

    /// With these flags of `serve`.
    pub fn start_with(binary: &Path, data: &Path, flags: &[&str]) -> Result<Self> {
        Self::started(binary, data, flags, START_LIMIT)
    }

    /// On data of which a start may read for longer.
    pub fn start_within(binary: &Path, data: &Path, limit: Duration) -> Result<Self> {
        Self::started(binary, data, &[], limit)
    }

    fn started(binary: &Path, data: &Path, flags: &[&str], limit: Duration) -> Result<Self> {
        let address = free_address()?;
        let log = data.with_extension("log");
        let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let process = spawn(binary, data, address, &log, &flags)?;
        let mut host = Self { binary: binary.to_owned(), data: data.to_owned(), flags, address, log, process };
        host.wait_until_ready(limit)?;
        Ok(host)
    }

    /// As a power cut would: nothing is told, nothing is flushed.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// As whoever runs it would: it ends what it has begun.
    pub fn stop(&mut self) -> Result<()> {
        let told = Command::new("kill").arg(self.process_id().to_string()).status().context("`kill` does not start")?;
        let status = self.process.wait()?;
        ensure!(told.success() && status.success(), "the host did not stop as told ({status})");
        Ok(())
    }

    /// At the same address, with the same data.
    pub fn start_again(&mut self) -> Result<()> {
        self.start_again_within(START_LIMIT)
    }

    /// For one with much to read first.
    pub fn start_again_within(&mut self, limit: Duration) -> Result<()> {
        self.process = spawn(&self.binary, &self.data, self.address, &self.log, &self.flags)?;
        self.wait_until_ready(limit)
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The API as its first administrator.
    pub fn admin(&self) -> Result<Api> {
        let file = self.data.join("admin-token");
        let token = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        Ok(Api { address: self.address, token: token.trim().to_owned() })
    }

    fn wait_until_ready(&mut self, limit: Duration) -> Result<()> {
        let nobody = Api { address: self.address, token: String::new() };
        let deadline = Instant::now() + limit;
        loop {
            let answer =
                Connection::open(&nobody).and_then(|mut connection| connection.send("GET", "/health", &[], b""));
            if answer.is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("the host ended ({status}); its log says:\n{}", self.last_words());
            }
            if Instant::now() > deadline {
                bail!("the host does not answer at {}; its log says:\n{}", self.url(), self.last_words());
            }
            std::thread::sleep(BETWEEN_KNOCKS);
        }
    }

    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill();
    }
}

fn spawn(binary: &Path, data: &Path, address: SocketAddr, log: &Path, flags: &[String]) -> Result<Child> {
    let log = File::options().create(true).append(true).open(log).with_context(|| log.display().to_string())?;
    Command::new(binary)
        .args(["serve", "--listen", &address.to_string(), "--data"])
        .arg(data)
        .args(flags)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("{} does not start", binary.display()))
}

/// The port is free again when this returns: a host that was killed has to come back to it.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
