//! A small service desk with a REST API: it opens a ticket once for each idempotency key, and somebody decides.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

pub struct Desk {
    address: SocketAddr,
    tickets: Arc<Mutex<Vec<Ticket>>>,
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let tickets = Arc::<Mutex<Vec<Ticket>>>::default();
        let shared = tickets.clone();
        // Ends with the process: nobody waits for it.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever goes away in the middle gets nothing.
                let _ = serve(stream, &mut shared.lock().unwrap());
            }
        });
        Self { address, tickets }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn tickets(&self) -> Vec<Ticket> {
        self.tickets.lock().unwrap().clone()
    }

    /// By somebody with a say in it.
    pub fn decide(&self, ticket: usize, state: &str) {
        self.tickets.lock().unwrap()[ticket].state = state.to_owned();
    }
}

fn serve(stream: TcpStream, tickets: &mut Vec<Ticket>) -> std::io::Result<()> {
    let request = read(&mut BufReader::new(&stream))?;
    let (status, answer) = match ticket_of(tickets, &request) {
        Some(number) => (200, json!({ "id": number, "state": tickets[number].state })),
        None => (404, Value::Null),
    };
    let answer = answer.to_string();
    write!(&stream, "HTTP/1.1 {status} \r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}", answer.len())
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
