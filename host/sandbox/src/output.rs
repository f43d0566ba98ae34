//! What a guest says: log calls, stdout and stderr become lines for the host, all within one budget of bytes.

use std::collections::{BTreeSet, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::call::{CallHost, LogLevel, LogLine};
use crate::secrets::Purse;

/// What a line costs beside its text, so that empty lines are not free.
const LINE_BYTES: u64 = 16;
/// The same for each of its fields, which are a list with texts of its own in memory.
const FIELD_BYTES: usize = 64;
/// A longer line is cut into several.
const LONGEST_LINE_BYTES: usize = 16 << 10;
/// Enough of stderr for a panic message or the end of a traceback.
const STDERR_TAIL_BYTES: usize = 2 << 10;
/// One attempt is worth an audit line, its thousandth repetition is not.
const DENIALS_PER_CALL: usize = 64;
/// Of what was denied: names and origins are the guest's own words, and as long as it likes.
const DENIAL_BYTES: usize = 300;

/// Everything one call says, in order. Cheap to clone.
#[derive(Clone)]
pub struct Output {
    shared: Arc<Mutex<Shared>>,
    host: Arc<dyn CallHost>,
    /// Nothing that was revealed from it is said.
    purse: Purse,
}

struct Shared {
    limit_bytes: u64,
    left_bytes: u64,
    dropped_bytes: u64,
    partial: [Vec<u8>; 2],
    stderr_tail: VecDeque<u8>,
    denied: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn level(self) -> LogLevel {
        match self {
            Stream::Stdout => LogLevel::Info,
            Stream::Stderr => LogLevel::Warn,
        }
    }
}

impl Output {
    pub fn new(limit_bytes: u64, host: Arc<dyn CallHost>, purse: Purse) -> Self {
        let shared = Shared {
            limit_bytes,
            left_bytes: limit_bytes,
            dropped_bytes: 0,
            partial: [Vec::new(), Vec::new()],
            stderr_tail: VecDeque::new(),
            denied: BTreeSet::new(),
        };
        Self { shared: Arc::new(Mutex::new(shared)), host, purse }
    }

    pub fn host(&self) -> Arc<dyn CallHost> {
        self.host.clone()
    }

    pub fn line(&self, line: LogLine) {
        let bytes = line.message.len()
            + line.fields.iter().map(|(key, value)| key.len() + value.len() + FIELD_BYTES).sum::<usize>();
        if self.lock().pay(bytes) {
            self.host.log(self.masked(line));
        }
    }

    fn masked(&self, line: LogLine) -> LogLine {
        let mask = self.purse.mask();
        if mask.is_empty() {
            return line;
        }
        let masked = |text: String| mask.text(&text).into_owned();
        let LogLine { level, message, fields } = line;
        let fields = fields.into_iter().map(|(key, value)| (masked(key), masked(value))).collect();
        LogLine { level, message: masked(message), fields }
    }

    pub fn progress(&self, percent: u32, message: &str) {
        if self.lock().pay(message.len()) {
            self.host.progress(percent.min(100), &self.purse.mask().text(message));
        }
    }

    /// Each thing once a call.
    pub fn denied(&self, what: &str) {
        let mask = self.purse.mask();
        let what = mask.text(&what[..what.floor_char_boundary(DENIAL_BYTES)]);
        let is_news = {
            let denied = &mut self.lock().denied;
            denied.len() < DENIALS_PER_CALL && denied.insert(what.clone().into_owned())
        };
        if is_news {
            self.host.denied(&what);
        }
    }

    pub fn capture(&self, stream: Stream) -> Capture {
        Capture { output: self.clone(), stream }
    }

    pub fn stderr_tail(&self) -> String {
        let tail: Vec<u8> = self.lock().stderr_tail.iter().copied().collect();
        // The cut may have left the end of a character in front.
        let start = tail.iter().take(4).position(|byte| !is_continuation(*byte)).unwrap_or(0);
        self.purse.mask().text(String::from_utf8_lossy(&tail[start..]).trim()).into_owned()
    }

    /// The call is over: what has no line end yet, and how much was dropped.
    pub fn finish(&self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = std::mem::take(&mut self.lock().partial[stream as usize]);
            if !rest.is_empty() {
                self.text(stream, &rest);
            }
        }
        let (dropped, limit) = {
            let shared = self.lock();
            (shared.dropped_bytes, shared.limit_bytes)
        };
        if dropped > 0 {
            let message = format!("{dropped} bytes of output dropped, the limit is {limit} (grant `log_bytes`)");
            self.host.log(LogLine { level: LogLevel::Warn, message, fields: Vec::new() });
        }
    }

    fn write(&self, stream: Stream, bytes: &[u8]) {
        let lines = self.lock().take_lines(stream, bytes);
        for line in lines {
            self.text(stream, &line);
        }
    }

    fn text(&self, stream: Stream, bytes: &[u8]) {
        let message = String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes)).into_owned();
        self.line(LogLine { level: stream.level(), message, fields: Vec::new() });
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn pay(&mut self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        let cost = bytes.saturating_add(LINE_BYTES);
        if cost > self.left_bytes {
            // Once full it stays full: a gap in the middle would be worse than an end.
            self.left_bytes = 0;
            self.dropped_bytes += bytes;
            return false;
        }
        self.left_bytes -= cost;
        true
    }

    /// Whole lines, without their ends; bytes of an unfinished line wait, so a character is never split.
    fn take_lines(&mut self, stream: Stream, bytes: &[u8]) -> Vec<Vec<u8>> {
        if stream == Stream::Stderr {
            self.keep_tail(bytes);
        }
        if self.left_bytes == 0 {
            self.dropped_bytes += bytes.len() as u64;
            return Vec::new();
        }
        let partial = &mut self.partial[stream as usize];
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            partial.extend_from_slice(piece);
            if partial.ends_with(b"\n") {
                partial.pop();
                lines.push(std::mem::take(partial));
            }
            while partial.len() > LONGEST_LINE_BYTES {
                let rest = partial.split_off(character_boundary(partial, LONGEST_LINE_BYTES));
                lines.push(std::mem::replace(partial, rest));
            }
        }
        lines
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        self.stderr_tail.extend(&bytes[bytes.len().saturating_sub(STDERR_TAIL_BYTES)..]);
        let over = self.stderr_tail.len().saturating_sub(STDERR_TAIL_BYTES);
        self.stderr_tail.drain(..over);
    }
}

/// The last place at or before `at` where no UTF-8 character is cut.
fn character_boundary(bytes: &[u8], at: usize) -> usize {
    (at.saturating_sub(3)..=at).rev().find(|index| !is_continuation(bytes[*index])).unwrap_or(at)
}

fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// A guest's stdout or stderr. It always takes everything at once: a stream that is full or closed makes a Rust
/// guest's `println!` panic.
#[derive(Clone)]
pub struct Capture {
    output: Output,
    stream: Stream,
}

/// What a guest may hand over in one write.
const WRITE_BYTES: usize = 64 << 10;

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.write(self.stream, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Capture {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.output.write(self.stream, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::testing::Recorder;

    fn check(limit_bytes: u64, writes: &[(Stream, &[u8])], expected: Expect) {
        let host = Arc::new(Recorder::default());
        let output = Output::new(limit_bytes, host.clone(), Purse::default());
        for (stream, bytes) in writes {
            output.write(*stream, bytes);
        }
        output.finish();
        expected.assert_eq(&host.lines());
    }

    #[test]
    fn output_comes_line_by_line() {
        check(
            1_000,
            &[(Stream::Stdout, b"one\ntw"), (Stream::Stderr, b"oops\r\n"), (Stream::Stdout, b"o\n\nend")],
            expect![[r#"
                info one
                warn oops
                info two
                info 
                info end
            "#]],
        );
    }

    #[test]
    fn a_character_split_between_writes_stays_whole() {
        let snowman = "☃".as_bytes();
        check(
            1_000,
            &[(Stream::Stdout, &snowman[..1]), (Stream::Stdout, &snowman[1..]), (Stream::Stdout, b"\n")],
            expect![[r#"
                info ☃
            "#]],
        );
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let text = "☃".repeat(LONGEST_LINE_BYTES / 3 + 10);
        let host = Arc::new(Recorder::default());
        let output = Output::new(1 << 20, host.clone(), Purse::default());
        output.write(Stream::Stdout, text.as_bytes());
        output.finish();
        let lines: Vec<String> = host.lines().lines().map(|line| line.replace("info ", "")).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines.concat(), text);
    }

    #[test]
    fn what_is_over_the_limit_is_dropped_and_counted() {
        check(
            50,
            &[
                (Stream::Stdout, b"12345678\n"),
                (Stream::Stdout, b"1234567890123456789012345\n"),
                (Stream::Stderr, b"x\n"),
            ],
            expect![[r#"
                info 12345678
                warn 27 bytes of output dropped, the limit is 50 (grant `log_bytes`)
            "#]],
        );
    }

    #[test]
    fn the_same_denial_is_told_once() {
        let host = Arc::new(Recorder::default());
        let output = Output::new(0, host.clone(), Purse::default());
        output.denied("http https://a:443");
        output.denied("http https://a:443");
        output.denied("http https://b:443");
        assert_eq!(host.denials(), ["http https://a:443", "http https://b:443"]);
    }

    #[test]
    fn fields_without_a_word_are_not_free() {
        let host = Arc::new(Recorder::default());
        let output = Output::new(1_000, host.clone(), Purse::default());
        let fields = vec![(String::new(), String::new()); 20];
        output.line(LogLine { level: LogLevel::Info, message: String::new(), fields });
        assert_eq!(host.lines(), "");
    }

    #[test]
    fn a_long_denial_is_cut_between_characters() {
        let host = Arc::new(Recorder::default());
        Output::new(0, host.clone(), Purse::default()).denied(&"☃".repeat(1_000_000));
        assert_eq!(host.denials(), ["☃".repeat(100)]);
    }
}
