//! A supplier of the world outside: it takes each order once for its idempotency key, and writes down whoever asks.

use std::collections::BTreeMap;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::desk::read;

pub struct Supplier {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    heard: Vec<Heard>,
    /// By their keys.
    taken: BTreeMap<String, u64>,
    withheld: Option<u64>,
}

/// A request, whether or not it was the first of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub key: String,
    pub order: u64,
    /// The number of the call, as the plugin was told it.
    pub sequence: u64,
}

impl Supplier {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let book = Arc::<Mutex<Book>>::default();
        let shared = book.clone();
        // Each ends with the process: nobody waits for it, and a withheld answer keeps nobody else waiting.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let book = shared.clone();
                // Whoever goes away in the middle gets nothing.
                std::thread::spawn(move || drop(serve(&stream, &book)));
            }
        });
        Self { address, book }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The first time that this order comes it is taken, and not answered until whoever has placed it is gone.
    pub fn withhold_the_answer_to(&self, order: u64) {
        self.book.lock().unwrap().withheld = Some(order);
    }

    /// Every request that has come, in order.
    pub fn heard(&self) -> Vec<Heard> {
        self.book.lock().unwrap().heard.clone()
    }

    /// How often each order was taken.
    pub fn taken(&self) -> BTreeMap<u64, usize> {
        let mut taken = BTreeMap::new();
        self.book.lock().unwrap().taken.values().for_each(|order| *taken.entry(*order).or_default() += 1);
        taken
    }
}

fn serve(mut stream: &TcpStream, book: &Mutex<Book>) -> std::io::Result<()> {
    let request = read(&mut BufReader::new(stream))?;
    let key = request.headers.get("idempotency-key").cloned().unwrap_or_default();
    let number = |name: &str| request.body[name].as_u64().unwrap_or(u64::MAX);
    let is_answered = book.lock().unwrap().take_in(Heard { key, order: number("order"), sequence: number("sequence") });
    if is_answered {
        return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    // Nothing more is said on this connection: this comes back when its other end is closed.
    stream.read(&mut [0]).map(drop)
}

impl Book {
    /// Whether it may be answered.
    fn take_in(&mut self, heard: Heard) -> bool {
        let is_answered = self.withheld != Some(heard.order);
        if !is_answered {
            self.withheld = None;
        }
        self.taken.entry(heard.key.clone()).or_insert(heard.order);
        self.heard.push(heard);
        is_answered
    }
}
