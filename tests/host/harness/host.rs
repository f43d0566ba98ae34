//! One `lockgate serve`, with a data folder and a port of its own.

use std::fs::File;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use lockgate::client::Client;
use lockgate::wire::{FolderGrant, Grants, Limits, NewToken};
use tempfile::TempDir;

use super::people::Person;
use super::{block_on, built, component, wait};

pub struct Host {
    /// Holds everything of this host, and of the world it deploys to.
    folder: TempDir,
    address: SocketAddr,
    process: Option<Child>,
    /// Of `serve`, beside those that each host of a test has.
    flags: Vec<String>,
    /// Where in the log its last start begins.
    log_start: usize,
}

/// A host that did not stay: its exit code, and all it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub said: String,
}

/// How a command ended, and what it printed: for programs, and for people.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub said: String,
}

impl Host {
    pub fn start() -> Self {
        let mut host = Self::not_started();
        host.restart();
        host
    }

    /// One for all tests that leave it as it is: it has `hostile-phase` and `scripted-target`, on a short leash.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Host>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = shared.upgrade() {
            return host;
        }
        let host = Self::start();
        let limits = Limits {
            memory_bytes: Some(64 << 20),
            cpu_ms: Some(500),
            wall_ms: Some(20_000),
            log_bytes: Some(32 << 10),
            ..Limits::default()
        };
        host.plugin_with("hostile-phase", Grants { limits, ..Grants::default() });
        host.plugin("scripted-target", &["granted"]);
        let host = Arc::new(host);
        *shared = Arc::downgrade(&host);
        host
    }

    pub fn not_started() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            address: free_address(),
            process: None,
            flags: Vec::new(),
            log_start: 0,
        }
    }

    /// From the next start on.
    pub fn flags(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|flag| flag.to_string()).collect();
    }

    /// As a power cut would, as far as a process can know.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// With the same data, at the same address.
    pub fn restart(&mut self) {
        self.try_restart().unwrap_or_else(|ended| panic!("the host did not start: {ended:?}"));
    }

    pub fn try_restart(&mut self) -> Result<(), Ended> {
        self.kill();
        let (data, address) = (self.data(), self.address);
        self.try_serve(&data, address)
    }

    /// With any data folder, at any address.
    pub fn try_serve(&mut self, data: &Path, address: SocketAddr) -> Result<(), Ended> {
        let mut process = self.spawn(data, address);
        let nobody = Client::new(&format!("http://{address}"), None).unwrap();
        let end = wait("the host to listen, or to end", || match process.try_wait().unwrap() {
            Some(status) => Some(Err(Ended { code: status.code(), said: self.said() })),
            // Who answers on a port that was taken is another host: this one must have said that it listens.
            None if !self.listens() => None,
            None => {
                block_on(nobody.plugins()).is_err_and(|error| error.to_string().contains("token")).then_some(Ok(()))
            }
        });
        if end.is_ok() {
            self.process = Some(process);
        }
        end
    }

    /// Starts it and waits for nothing: it may be killed before it listens.
    pub fn begin(&mut self) {
        self.kill();
        let (data, address) = (self.data(), self.address);
        self.process = Some(self.spawn(&data, address));
    }

    pub fn listens(&self) -> bool {
        self.said().contains("listening on")
    }

    /// As a service is stopped: it puts away what it has.
    pub fn stop(&mut self) -> Ended {
        let asked = Command::new("kill").arg(self.process_id().to_string()).status().unwrap();
        assert!(asked.success());
        self.end()
    }

    /// For a host that stops by itself.
    pub fn end(&mut self) -> Ended {
        let mut process = self.process.take().unwrap();
        let code = wait("the host to end", || process.try_wait().unwrap()).code();
        Ended { code, said: self.said() }
    }

    fn spawn(&mut self, data: &Path, address: SocketAddr) -> Child {
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        self.log_start = self.said_ever().len();
        let key_file =
            self.key_file().is_file().then(|| ["--secret-key-file".into(), self.key_file().into_os_string()]);
        Command::new(built::binary())
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .args(key_file.into_iter().flatten())
            .args(&self.flags)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// What it encrypts secrets with from its next start on.
    pub fn keys(&self, keys: &[&str]) {
        let mut file =
            File::options().create(true).write(true).truncate(true).mode(0o600).open(self.key_file()).unwrap();
        file.write_all(keys.join("\n").as_bytes()).unwrap();
    }

    pub fn current_keys(&self) -> String {
        std::fs::read_to_string(self.key_file()).unwrap()
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// Everything the host said since its last start.
    pub fn said(&self) -> String {
        self.said_ever().split_off(self.log_start)
    }

    /// In all its lives.
    pub fn said_ever(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log()).unwrap_or_default()).into_owned()
    }

    /// A command that needs no host, such as `audit verify`.
    pub fn command(&self, arguments: &[&str]) -> Output {
        Command::new(built::binary()).args(arguments).env_clear().current_dir(self.folder.path()).output().unwrap()
    }

    /// The same, not waited for.
    pub fn begin_command(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(built::binary());
        command.args(arguments).env_clear().current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// A command that reads what is written to its standard input, and hears each signal whoever runs the tests ignores.
    pub fn begin_reading_command(&self, arguments: &[&str]) -> (Child, ChildStdin) {
        self.begin_with_hang_up("default", arguments)
    }

    /// The same, as under `nohup`.
    pub fn begin_reading_command_without_hang_up(&self, arguments: &[&str]) -> (Child, ChildStdin) {
        self.begin_with_hang_up("ignore", arguments)
    }

    fn begin_with_hang_up(&self, what: &str, arguments: &[&str]) -> (Child, ChildStdin) {
        let mut command = Command::new("env");
        command.arg("-i").arg(format!("--{what}-signal=HUP")).arg(built::binary()).args(arguments);
        command.current_dir(self.folder.path()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        (child, input)
    }

    /// The exit code of a command whose reader has gone before the first byte, and what it complains of.
    pub fn to_nobody(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(built::binary());
        let ended = command.args(arguments).env_clear().stdout(writer).output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    }

    /// A command of an administrator, to its end.
    pub fn as_admin(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(built::binary());
        command.args(arguments).env_clear().current_dir(self.folder.path());
        command.env("LOCKGATE_URL", format!("http://{}", self.address));
        let ended = command.env("LOCKGATE_TOKEN", self.admin().secret).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: ended.status.code(), out: text(ended.stdout), said: text(ended.stderr) }
    }

    pub fn is_alive(&self) -> bool {
        block_on(self.admin().client.plugins()).is_ok()
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn process_id(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// As an argument.
    pub fn data_named(&self) -> String {
        self.data().to_str().unwrap().to_owned()
    }

    /// The first segment of the journal.
    pub fn segment(&self) -> PathBuf {
        let mut segments: Vec<PathBuf> = files(&self.data())
            .into_iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .filter(|path| path.file_stem().is_some_and(|stem| stem.len() == 20))
            .collect();
        segments.sort();
        segments.remove(0)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// A folder of this machine that a plugin may be granted; made when it is not there.
    pub fn place(&self, name: &str) -> PathBuf {
        let place = self.folder.path().join("places").join(name);
        std::fs::create_dir_all(&place).unwrap();
        place
    }

    // ---- people ----

    pub fn admin(&self) -> Person {
        let secret = std::fs::read_to_string(self.data().join("admin-token")).unwrap();
        Person::new(self.address, secret.trim())
    }

    pub fn person(&self, name: &str, groups: &[&str], role: &str) -> Person {
        let token = NewToken {
            name: name.to_owned(),
            person: name.to_owned(),
            groups: groups.iter().map(|group| group.to_string()).collect(),
            role: Some(role.to_owned()),
        };
        let token = block_on(self.admin().client.create_token(&token)).unwrap();
        Person::new(self.address, &token.secret.unwrap())
    }

    // ---- plugins ----

    /// Adds a component and approves it, with folders of this machine by these names.
    pub fn plugin(&self, package: &str, folders: &[&str]) {
        self.plugin_with(package, self.folders(folders));
    }

    pub fn plugin_with(&self, package: &str, grants: Grants) {
        let admin = self.admin().client;
        let plugin = block_on(admin.add_plugin(component(package))).unwrap();
        block_on(admin.approve_plugin(&plugin.digest, grants, "for a test".to_owned())).unwrap();
    }

    pub fn folders(&self, names: &[&str]) -> Grants {
        let folder = |name: &&str| {
            let path = self.place(name).to_str().unwrap().to_owned();
            (name.to_string(), FolderGrant { path, access: "read-write".to_owned() })
        };
        Grants { folders: names.iter().map(folder).collect(), ..Grants::default() }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("---- the host said ----\n{}", self.said());
        }
        self.kill();
    }
}

/// Free when this returns: a host that was killed has to come back to it. Never given out twice.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
