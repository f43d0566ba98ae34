//! OCI registries: Debian's `docker-registry`, and one that says whatever a test wants.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::{free_address, program, wait};

pub struct Registry {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

/// `ann`, whose password is `swordfish`.
const ANN: &str = "ann:$2b$04$jVUCKzOaKQq4wijgcRkmjucyJ0oHAjqIFSxgGgErde.tzLpY2pecy\n";

impl Registry {
    /// None where this machine has no docker-registry.
    pub fn open() -> Option<Self> {
        Self::start("")
    }

    /// Only to `ann`, whose password is `swordfish`.
    pub fn closed() -> Option<Self> {
        Self::start("auth: { htpasswd: { realm: test, path: htpasswd } }\n")
    }

    fn start(auth: &str) -> Option<Self> {
        let program = program("docker-registry")?;
        let (folder, address) = (TempDir::new().unwrap(), free_address());
        let configuration = format!(
            "version: 0.1\nlog: {{ level: warn }}\nstorage: {{ filesystem: {{ rootdirectory: store }} }}\n\
             http: {{ addr: \"{address}\", secret: of-a-test }}\n{auth}"
        );
        fs::write(folder.path().join("config.yml"), configuration).unwrap();
        fs::write(folder.path().join("htpasswd"), ANN).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut process = Command::new(program)
            .args(["serve", "config.yml"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        wait("the registry to listen", || {
            let said = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert_eq!(process.try_wait().unwrap(), None, "the registry ended: {}", said());
            TcpStream::connect(address).is_ok().then_some(())
        });
        Some(Self { process, address, folder })
    }

    /// `oci://` and this.
    pub fn place(&self, repository: &str) -> String {
        format!("oci://{}/{repository}", self.address)
    }

    pub fn name(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("---- the registry said ----\n{said}");
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers paths with what it was told to, whatever that is.
pub struct Liar {
    pub address: SocketAddr,
    answers: Arc<Mutex<BTreeMap<String, Answer>>>,
    heard: Arc<Mutex<Vec<String>>>,
}

#[derive(Clone, Default)]
pub struct Answer {
    pub status: u16,
    /// Whole lines.
    pub headers: Vec<String>,
    pub body: Vec<u8>,
    /// The same once more without the header `Authorization`.
    pub unauthorized: Option<Box<Answer>>,
}

impl Liar {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (answers, heard) = (Arc::<Mutex<BTreeMap<_, _>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (known, head) = (answers.clone(), heard.clone());
        // Ends with the process: nobody waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever goes away in the middle gets nothing.
                let _ = serve(&stream, &known, &head);
            }
        });
        Self { address, answers, heard }
    }

    /// To a path with its query.
    pub fn says(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// Heads of requests, in order.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn serve(
    mut stream: &TcpStream,
    answers: &Mutex<BTreeMap<String, Answer>>,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream);
    while reader.read_line(&mut head)? > 2 {}
    // Who is answered before it has said everything may find the connection gone, and not the answer.
    let length = head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    std::io::copy(&mut reader.by_ref().take(length.unwrap_or(0)), &mut std::io::sink())?;
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let authorized = head.to_ascii_lowercase().contains("\r\nauthorization:");
    heard.lock().unwrap().push(head);
    let Answer { status, headers, body, unauthorized } =
        answers.lock().unwrap().get(&path).cloned().unwrap_or(Answer { status: 404, ..Answer::default() });
    let (status, headers, body) = match unauthorized {
        Some(answer) if !authorized => (answer.status, answer.headers, answer.body),
        Some(_) | None => (status, headers, body),
    };
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    write!(stream, "HTTP/1.1 {status} \r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n", body.len())?;
    stream.write_all(&body)
}
