//! The world around the host: a web server for the site, and a chat room that is told of releases.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Serves the files of `folder` over HTTP for as long as the process lives.
pub fn serve_site(folder: PathBuf) -> Result<SocketAddr> {
    serve(move |request| match file(&folder, &request.path) {
        Some(content) => ("200 OK", content),
        None => ("404 Not Found", b"nothing is served here".to_vec()),
    })
}

fn file(folder: &Path, path: &str) -> Option<Vec<u8>> {
    let relative = Path::new(path.trim_start_matches('/'));
    let is_plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let name = if relative.as_os_str().is_empty() { Path::new("index.html") } else { relative };
    is_plain.then(|| std::fs::read(folder.join(name)).ok())?
}

/// A chat room that does what a good receiver does: what comes again with the same key is shown once.
#[derive(Clone, Default)]
pub struct Room(Arc<(Mutex<Told>, Condvar)>);

#[derive(Default)]
struct Told {
    requests: Vec<Request>,
    /// While held, requests arrive and are not answered.
    held: bool,
}

#[derive(Clone)]
pub struct Request {
    path: String,
    pub key: String,
    pub body: String,
}

impl Room {
    pub fn open(&self) -> Result<SocketAddr> {
        let room = self.clone();
        serve(move |request| {
            room.hear(request);
            ("200 OK", b"{}".to_vec())
        })
    }

    fn hear(&self, request: Request) {
        let mut told = self.told();
        told.requests.push(request);
        self.0.1.notify_all();
        while told.held {
            told = self.0.1.wait(told).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn hold(&self, held: bool) {
        self.told().held = held;
        self.0.1.notify_all();
    }

    /// The request with this place, from 0, once it is there.
    pub fn request(&self, place: usize, patience: Duration) -> Result<Request> {
        let deadline = Instant::now() + patience;
        let mut told = self.told();
        loop {
            if let Some(request) = told.requests.get(place) {
                return Ok(request.clone());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!(
                    "the chat room was told {} times in {} s, not {}",
                    told.requests.len(),
                    patience.as_secs(),
                    place + 1
                );
            }
            told = self.0.1.wait_timeout(told, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    pub fn requests(&self) -> usize {
        self.told().requests.len()
    }

    /// What people in the room see.
    pub fn messages(&self) -> usize {
        self.told().requests.iter().map(|request| (&request.key, &request.body)).collect::<BTreeMap<_, _>>().len()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Answer = (&'static str, Vec<u8>);

fn serve(answer: impl Fn(Request) -> Answer + Send + Sync + 'static) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // Whoever hangs up in mid-request gets no answer.
            thread::spawn(move || reply(&stream, answer.as_ref()).ok());
        }
    });
    Ok(address)
}

fn reply(mut stream: &TcpStream, answer: &impl Fn(Request) -> Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut request =
        Request { path: line.split(' ').nth(1).unwrap_or("/").to_owned(), key: String::new(), body: String::new() };
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.trim().split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "idempotency-key" => request.key = value.trim().to_owned(),
            _ => {}
        }
    }
    reader.take(length).read_to_string(&mut request.body)?;
    let (status, body) = answer(request);
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}
