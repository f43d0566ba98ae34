//! A real nginx: what a release looks like to its visitors.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{free_address, program, wait};

/// What it writes to by itself, which without root has to be here.
const SCRATCH: [&str; 5] = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
/// For many visits.
const CONNECTIONS: usize = 4;

pub struct Nginx {
    process: Child,
    /// By the port in its configuration.
    addresses: BTreeMap<u16, SocketAddr>,
    folder: TempDir,
}

impl Nginx {
    /// Serves what stands in its `http` block: an example's `nginx.conf`, whose ports are given free ones in their place.
    /// None where this machine has no nginx.
    pub fn start(http: &str) -> Option<Self> {
        let program = program("nginx")?;
        let folder = TempDir::new().unwrap();
        let addresses: BTreeMap<u16, SocketAddr> = ports(http).into_iter().map(|port| (port, free_address())).collect();
        let configuration = configuration(folder.path(), &moved(http, &addresses));
        fs::write(folder.path().join("nginx.conf"), configuration).unwrap();
        let mut process = Command::new(program)
            .arg("-p")
            .arg(folder.path())
            .args(["-c", "nginx.conf", "-e", "error.log"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait("nginx to listen", || {
            let said = || fs::read_to_string(folder.path().join("error.log")).unwrap_or_default();
            assert_eq!(process.try_wait().unwrap(), None, "nginx ended: {}", said());
            addresses.values().all(|address| TcpStream::connect(address).is_ok()).then_some(())
        });
        Some(Self { process, addresses, folder })
    }

    /// The text with the addresses that this nginx has.
    pub fn moved(&self, text: &str) -> String {
        moved(text, &self.addresses)
    }

    /// So many visits to a page, over connections that are kept: how often each answer came. What is no page is told by
    /// its status.
    pub fn visits(&self, port: u16, path: &str, count: usize) -> BTreeMap<String, usize> {
        let address = self.addresses[&port];
        let mut seen = BTreeMap::new();
        for _ in 0..CONNECTIONS {
            answers(address, path, "", count / CONNECTIONS)
                .into_iter()
                .for_each(|answer| *seen.entry(answer).or_default() += 1);
        }
        seen
    }

    pub fn page(&self, port: u16, path: &str) -> String {
        answers(self.addresses[&port], path, "", 1).remove(0)
    }

    /// As somebody with this cookie sees it.
    pub fn page_with(&self, cookie: &str, port: u16, path: &str) -> String {
        answers(self.addresses[&port], path, &format!("Cookie: {cookie}\r\n"), 1).remove(0)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
            eprintln!("---- nginx said ----\n{said}");
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One process, which is gone when it is killed.
fn configuration(folder: &Path, http: &str) -> String {
    let scratch = SCRATCH.map(|what| format!("{what}_temp_path {}/{what};\n", folder.display())).concat();
    format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log error.log;\nevents {{ }}\n\
         http {{\naccess_log off;\n{scratch}{http}\n}}\n"
    )
}

fn ports(http: &str) -> Vec<u16> {
    http.split("listen 127.0.0.1:").skip(1).map(|rest| rest.split(';').next().unwrap().parse().unwrap()).collect()
}

fn moved(text: &str, addresses: &BTreeMap<u16, SocketAddr>) -> String {
    addresses
        .iter()
        .fold(text.to_owned(), |text, (port, address)| text.replace(&format!("127.0.0.1:{port}"), &address.to_string()))
}

/// Over one connection, which is opened again where nginx has ended it: it does after a thousand.
fn answers(address: SocketAddr, path: &str, header: &str, count: usize) -> Vec<String> {
    // In one piece: of a request in parts the system holds the last one back, for as long as forty milliseconds.
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{header}\r\n");
    let mut answers = Vec::with_capacity(count);
    while answers.len() < count {
        let mut stream = BufReader::new(TcpStream::connect(address).unwrap());
        while answers.len() < count {
            stream.get_mut().write_all(request.as_bytes()).unwrap();
            let (answer, is_last) = answer(&mut stream);
            answers.push(answer);
            if is_last {
                break;
            }
        }
    }
    answers
}

/// The page, or the status of what is none; and whether the connection ends with it.
fn answer(stream: &mut BufReader<TcpStream>) -> (String, bool) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "nginx hung up after `{head}`");
    }
    let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let mut body = vec![0; value("Content-Length:").unwrap().parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    let status = head.split(' ').nth(1).unwrap().to_owned();
    let page = if status == "200" { String::from_utf8(body).unwrap() } else { status };
    (page, value("Connection:") == Some("close"))
}
