//! A small web server of the world outside: it serves a folder, and remembers what it was told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

pub struct Web {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    folder: PathBuf,
    mood: Mood,
    /// Bodies that were posted and taken, in order.
    heard: Vec<String>,
    /// Requests of any kind.
    asked: usize,
    /// Their headers, one a line.
    seen: String,
}

/// How it answers a POST.
#[derive(Clone, Copy)]
enum Mood {
    Listens,
    Broken,
    Refuses,
}

impl Web {
    /// Answers GET with the files of a folder, and POST with 200.
    pub fn serving(folder: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            folder,
            mood: Mood::Listens,
            heard: Vec::new(),
            asked: 0,
            seen: String::new(),
        }));
        let shared = state.clone();
        // Ends with the process: nobody waits for it.
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| serve(stream, &shared)));
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it answers every POST with 503.
    pub fn break_down(&self) {
        self.state.lock().unwrap().mood = Mood::Broken;
    }

    /// From now on it answers every POST with 400: asking again is no use.
    pub fn refuse(&self) {
        self.state.lock().unwrap().mood = Mood::Refuses;
    }

    pub fn mend(&self) {
        self.state.lock().unwrap().mood = Mood::Listens;
    }

    /// How many requests have come.
    pub fn asked(&self) -> usize {
        self.state.lock().unwrap().asked
    }

    /// The headers of all requests.
    pub fn seen(&self) -> String {
        self.state.lock().unwrap().seen.clone()
    }

    pub fn heard(&self) -> Vec<String> {
        self.state.lock().unwrap().heard.clone()
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) {
    // Whoever goes away in the middle gets nothing.
    let _ = answer(&stream, state);
}

fn answer(mut stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let (method, path) = line.split_once(' ').unwrap_or_default();
    let path = path.split([' ', '?']).next().unwrap_or_default().trim_start_matches('/').to_owned();
    let (mut length, mut head) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        head.push_str(&header);
        match header.trim().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap_or(0)
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, answer) = decide(&mut state.lock().unwrap(), method, &path, &head, body);
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len())?;
    stream.write_all(&answer)
}

fn decide(state: &mut State, method: &str, path: &str, head: &str, body: Vec<u8>) -> (&'static str, Vec<u8>) {
    state.asked += 1;
    state.seen.push_str(head);
    match (method, state.mood) {
        ("POST", Mood::Broken) => ("503 Service Unavailable", b"out for lunch".to_vec()),
        ("POST", Mood::Refuses) => ("400 Bad Request", b"not like this".to_vec()),
        ("POST", Mood::Listens) => {
            state.heard.push(String::from_utf8_lossy(&body).into_owned());
            let echo = if path == "echo" { head.into() } else { Vec::new() };
            ("200 OK", echo)
        }
        _ => match std::fs::read(state.folder.join(if path.is_empty() { "index.html" } else { path })) {
            Ok(content) => ("200 OK", content),
            Err(_) => ("404 Not Found", Vec::new()),
        },
    }
}
