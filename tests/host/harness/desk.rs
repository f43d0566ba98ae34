//! A small service desk with a REST API: it opens a ticket once for each idempotency key, and somebody decides.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

pub struct Desk {
    address: SocketAddr,
    tickets: Arc<Mutex<Vec<Ticket>>>,
    requests: Arc<AtomicUsize>,
}

#[derive(Clone)]
pub struct Ticket {
    key: String,
    pub state: String,
    pub title: String,
}

pub(super) struct Request {
    method: String,
    path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Value,
}

impl Desk {
    pub fn open() -> Self {
        Self::open_with(Duration::ZERO)
    }

    /// One that takes so long to answer, after it has opened the ticket.
    pub fn open_with(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let tickets = Arc::<Mutex<Vec<Ticket>>>::default();
        let requests = Arc::<AtomicUsize>::default();
        let (shared, counted) = (tickets.clone(), requests.clone());
        // Ends with the process: nobody waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::Relaxed);
                let shared = shared.clone();
                // Whoever goes away in the middle gets nothing.
                std::thread::spawn(move || serve(stream, &shared, pause).ok());
            }
        });
        Self { address, tickets, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn tickets(&self) -> Vec<Ticket> {
        self.tickets.lock().unwrap().clone()
    }

    /// Also those that asked for a ticket once more.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// By somebody with a say in it.
    pub fn decide(&self, ticket: usize, state: &str) {
        self.tickets.lock().unwrap()[ticket].state = state.to_owned();
    }
}

fn serve(stream: TcpStream, tickets: &Mutex<Vec<Ticket>>, pause: Duration) -> std::io::Result<()> {
    let request = read(&mut BufReader::new(&stream))?;
    let (status, answer) = answer(&mut tickets.lock().unwrap(), &request);
    std::thread::sleep(pause);
    write!(&stream, "HTTP/1.1 {status} \r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}", answer.len())
}

fn answer(tickets: &mut Vec<Ticket>, request: &Request) -> (u16, String) {
    match ticket_of(tickets, request) {
        Some(number) => (200, json!({ "id": number, "state": tickets[number].state }).to_string()),
        None => (404, Value::Null.to_string()),
    }
}

fn ticket_of(tickets: &mut Vec<Ticket>, request: &Request) -> Option<usize> {
    if (request.method.as_str(), request.path.as_str()) == ("POST", "/changes") {
        let key = request.headers.get("idempotency-key").cloned().unwrap_or_default();
        let known = tickets.iter().position(|ticket| ticket.key == key);
        return known.or_else(|| {
            let title = request.body["title"].as_str().unwrap_or_default().to_owned();
            tickets.push(Ticket { key, state: "new".to_owned(), title });
            Some(tickets.len() - 1)
        });
    }
    let number: usize = request.path.strip_prefix("/changes/")?.parse().ok()?;
    let ticket = tickets.get_mut(number)?;
    if request.method == "PATCH" {
        ticket.state = request.body["state"].as_str()?.to_owned();
    }
    Some(number)
}

pub(super) fn read(stream: &mut impl BufRead) -> std::io::Result<Request> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        stream.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok(Request { method, path, headers, body: serde_json::from_slice(&body).unwrap_or_default() })
}
