//! Takes connections and answers on each in a task of its own, until the host stops.
//!
//! Nobody can hold the host up by being slow: a request's head has a time, a reader has to take something now and then,
//! and there is a limit to how many are here.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use lockgate_sandbox::CancellationToken;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At a time; the next ones wait in the kernel's queue.
    pub connections: u32,
    /// For the head of a request, from the beginning of the connection or the end of the last answer.
    pub head: Duration,
    /// For a reader who takes nothing of an answer.
    pub stalled: Duration,
}

impl Limits {
    /// Answers that wait for something to happen, and streams: the other connections are for whoever wants one at once.
    pub fn kept_open(&self) -> usize {
        self.connections as usize / 4 * 3
    }
}

pub const LIMITS: Limits =
    Limits { connections: 4_096, head: Duration::from_secs(10), stalled: Duration::from_secs(60) };

/// More than `input` takes, so that its refusal is the one that is read.
const MAX_HEADERS: usize = 4 * super::input::HEADERS;

const LINGER: Duration = Duration::from_secs(2);
/// Without file descriptors or memory it is of no use to ask again at once.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// Done when it is told to stop and the last connection has ended.
pub async fn answer_all(listener: TcpListener, router: Router, limits: Limits, stopping: CancellationToken) {
    let places = Arc::new(Semaphore::new(limits.connections as usize));
    loop {
        let (stream, place) = tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        tokio::spawn(answer(stream, place, router.clone(), limits, stopping.clone()));
    }
    drop(listener);
    let _all_ended = places.acquire_many(limits.connections).await;
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    let place = places.clone().acquire_owned().await.expect("it is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Small answers should not wait for more to come. Where that cannot be set it works all the same.
                let _ = stream.set_nodelay(true);
                return (stream, place);
            }
            Err(error) if is_the_callers(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken; trying again");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

fn is_the_callers(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::ConnectionRefused | K::ConnectionAborted | K::ConnectionReset)
}

async fn answer(
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
    router: Router,
    limits: Limits,
    stopping: CancellationToken,
) {
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(Watched::new(stream, limits.stalled)), TowerToHyperService::new(router));
    // How a connection ends is of interest to nobody: what was asked on it has been answered or not.
    tokio::select! {
        _ = &mut connection => linger(connection.into_parts().io.into_inner()).await,
        () = stopping.cancelled() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Whoever is refused while still sending must read why: closing on what was not read would take the answer back.
async fn linger(mut stream: Watched) {
    let rest = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(LINGER, rest).await;
}

/// A connection that fails when what is written to it is not taken for a while.
struct Watched {
    stream: TcpStream,
    stalled: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Watched {
    fn new(stream: TcpStream, stalled: Duration) -> Self {
        Self { stream, stalled, waiting: None }
    }

    fn in_time<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = None;
            return written;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.stalled)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the other side takes nothing")))
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = pin!(&mut self.stream).poll_write(cx, bytes);
        self.in_time(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = pin!(&mut self.stream).poll_write_vectored(cx, parts);
        self.in_time(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.stream).poll_read(cx, into)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use axum::routing::get;
    use tokio::io::AsyncReadExt;
    use tokio::time::timeout;

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    const SOON: Duration = Duration::from_millis(100);
    const PATIENCE: Duration = Duration::from_secs(30);

    struct Server {
        address: std::net::SocketAddr,
        stopping: CancellationToken,
        done: tokio::task::JoinHandle<()>,
    }

    impl Server {
        async fn with(limits: Limits) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let endless = || futures::stream::repeat_with(|| Ok::<_, io::Error>(vec![b'x'; 64 << 10]));
            let router = Router::new()
                .route("/", get(|| async { "here" }))
                .route("/endless", get(async move || axum::body::Body::from_stream(endless())));
            let stopping = CancellationToken::new();
            let done = tokio::spawn(answer_all(listener, router, limits, stopping.clone()));
            Self { address, stopping, done }
        }

        async fn send(&self, bytes: &[u8]) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream
        }
    }

    /// All that comes until the other side closes.
    async fn heard(mut stream: TcpStream) -> String {
        let mut heard = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut heard)).await.expect("it is closed in time").unwrap();
        heard
    }

    #[tokio::test]
    async fn who_does_not_say_what_they_want_is_sent_away() {
        let server = Server::with(Limits { head: Duration::from_millis(50), ..LIMITS }).await;
        assert_eq!(heard(server.send(b"").await).await, "");
        assert!(!heard(server.send(b"GET / HTTP/1.1\r\nHost:").await).await.contains("here"));
        assert!(heard(server.send(REQUEST).await).await.ends_with("here"), "answered, and then closed");
    }

    #[tokio::test]
    async fn one_too_many_waits_until_another_has_gone() {
        let server = Server::with(Limits { connections: 1, ..LIMITS }).await;
        let first = server.send(b"GET").await;
        let mut second = server.send(REQUEST).await;
        let mut byte = [0];
        assert!(timeout(SOON, second.read_exact(&mut byte)).await.is_err());
        drop(first);
        second.read_exact(&mut byte).await.unwrap();
        assert_eq!(byte, *b"H");
    }

    #[tokio::test]
    async fn who_takes_nothing_of_an_answer_makes_room_for_others() {
        let stalled = Duration::from_millis(200);
        let server = Server::with(Limits { connections: 1, stalled, ..LIMITS }).await;
        let _reads_nothing = server.send(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n").await;
        let mut second = server.send(REQUEST).await;
        let mut byte = [0];
        timeout(PATIENCE, second.read_exact(&mut byte)).await.expect("there is room in time").unwrap();
    }

    #[tokio::test]
    async fn who_takes_a_little_now_and_then_is_kept() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut watched = Watched::new(stream, Duration::from_secs(3_600));
        let mut cx = Context::from_waker(Waker::noop());
        let mut write = |watched: &mut Watched, written: Poll<io::Result<usize>>| {
            let is_pending = watched.in_time(written, &mut cx).is_pending();
            (is_pending, watched.waiting.as_ref().map(|waiting| waiting.deadline()))
        };
        let (is_pending, first) = write(&mut watched, Poll::Pending);
        assert!(is_pending && first.is_some());
        assert_eq!(write(&mut watched, Poll::Pending), (true, first), "who takes nothing is not given more time");
        assert_eq!(write(&mut watched, Poll::Ready(Ok(1))), (false, None), "what was taken ends the waiting");
        let (_, second) = write(&mut watched, Poll::Pending);
        assert!(second > first, "and the next one begins anew");
    }

    #[tokio::test]
    async fn a_host_that_stops_lets_go_of_who_asks_nothing() {
        let server = Server::with(LIMITS).await;
        let mut idle = server.send(REQUEST).await;
        let mut byte = [0];
        idle.read_exact(&mut byte).await.unwrap();
        server.stopping.cancel();
        server.done.await.unwrap();
        assert!(heard(idle).await.ends_with("here"));
    }
}
