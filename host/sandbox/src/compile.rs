//! Compiles a component in a process of its own, which is bounded in memory and time and can crash without harm.
//!
//! The host never compiles in its own process: a component decides how long a compiler takes and how much it needs.

mod child;
mod frame;
#[cfg(test)]
pub mod tests;

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal};

pub use child::compile_for_host;
use frame::{HEAD_BYTES, MOST_WORDS_BYTES, Said, Terms};

use crate::SandboxError;
use crate::child::ChildCommand;
use crate::code::Code;
use crate::component::InvalidComponent;

/// For one component. `host/README.md` has what the largest ones need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileLimits {
    pub memory_bytes: u64,
    /// Of all threads together.
    pub cpu: Duration,
    /// Of a compiler that is stuck, or gets no processor. Others wait for their turn in that time.
    pub wall: Duration,
    /// Of the code that comes back.
    pub code_bytes: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            cpu: Duration::from_secs(240),
            wall: Duration::from_secs(600),
            code_bytes: 512 << 20,
        }
    }
}

/// The compiler is not as it should be, whatever it was given.
#[derive(Debug, thiserror::Error)]
pub enum CompilerFailure {
    #[error("it cannot be started as {}: {cause}", .program.display())]
    Start { program: PathBuf, cause: io::Error },
    #[error("what it says cannot be heard: {0}")]
    Line(#[source] io::Error),
    #[error("{0}")]
    Unready(String),
    #[error("it answers what no compiler of this version says ({0}); restart the host if its program was replaced")]
    Nonsense(String),
}

/// Both ends of what is said with one compiler.
pub struct Line {
    ours: UnixStream,
    theirs: UnixStream,
}

/// Ends the compiler at the other end when it is dropped.
pub struct HangUp(UnixStream);

impl Drop for HangUp {
    fn drop(&mut self) {
        // Where there is nobody any more, nobody has to be told.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

pub fn line() -> Result<(Line, HangUp), CompilerFailure> {
    let (ours, theirs) = UnixStream::pair().map_err(CompilerFailure::Line)?;
    let hang_up = HangUp(ours.try_clone().map_err(CompilerFailure::Line)?);
    Ok((Line { ours, theirs }, hang_up))
}

/// Blocks until the process is gone, which is at the latest when its time is over or somebody hangs up.
///
/// The system ends the process when the thread that called this ends: that thread must stay until then, as it does.
pub fn compile(
    command: &ChildCommand,
    limits: CompileLimits,
    component: &[u8],
    Line { ours, theirs }: Line,
) -> Result<Code, SandboxError> {
    let deadline = Instant::now() + limits.wall;
    let process = Process::start(command, theirs)
        .map_err(|cause| CompilerFailure::Start { program: command.program.clone(), cause })?;
    let heard = talk(&mut Timed { line: &ours, deadline }, limits, component);
    let end = process.end().map_err(CompilerFailure::Line)?;
    verdict(heard, &end, limits)
}

/// What came over the line.
#[derive(Debug)]
enum Heard {
    Answer(Said, Vec<u8>),
    /// Not even a head, or less than it promised.
    CutOff,
    TooMuch {
        said: Said,
    },
    Nonsense([u8; HEAD_BYTES]),
    TimedOut,
    Failed(io::Error),
}

fn talk(line: &mut Timed, limits: CompileLimits, component: &[u8]) -> Heard {
    exchange(line, limits, component).unwrap_or_else(|error| match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => Heard::CutOff,
        ErrorKind::TimedOut => Heard::TimedOut,
        _ => Heard::Failed(error),
    })
}

fn exchange(line: &mut Timed, limits: CompileLimits, component: &[u8]) -> io::Result<Heard> {
    let terms = Terms {
        memory_bytes: limits.memory_bytes,
        cpu_seconds: limits.cpu.as_secs().max(1),
        component_bytes: component.len() as u64,
    };
    match line.write_all(&terms.to_bytes()).and_then(|()| line.write_all(component)) {
        // It may have said why it did not read on.
        Err(error) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
        written => written?,
    }
    let mut head = [0; HEAD_BYTES];
    line.read_exact(&mut head)?;
    let Some((said, length)) = Said::from_head(head) else { return Ok(Heard::Nonsense(head)) };
    let most = match said {
        Said::Code => limits.code_bytes,
        Said::Broken | Said::Unready => MOST_WORDS_BYTES,
    };
    if length > most {
        return Ok(Heard::TooMuch { said });
    }
    let mut bytes = Vec::new();
    line.take(length).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 == length { Heard::Answer(said, bytes) } else { Heard::CutOff })
}

/// What is heard of the compiler, and how it ended, taken together.
fn verdict(heard: Heard, end: &End, limits: CompileLimits) -> Result<Code, SandboxError> {
    let words = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let nonsense = |what: &str| Err(CompilerFailure::Nonsense(what.to_owned()).into());
    match heard {
        Heard::Answer(Said::Code, bytes) => Ok(Code::of_our_compiler(bytes)),
        Heard::Answer(Said::Broken, bytes) => Err(InvalidComponent::Broken(words(bytes)).into()),
        Heard::Answer(Said::Unready, bytes) => Err(CompilerFailure::Unready(words(bytes)).into()),
        Heard::TooMuch { said: Said::Code } => {
            Err(InvalidComponent::TooMuchCode { limit_mib: limits.code_bytes >> 20 }.into())
        }
        Heard::TooMuch { said: Said::Broken | Said::Unready } => nonsense("a reason that does not end"),
        Heard::Nonsense(head) => nonsense(&head.escape_ascii().to_string()),
        Heard::Failed(error) => Err(CompilerFailure::Line(error).into()),
        Heard::TimedOut => Err(InvalidComponent::TooSlow { limit: limits.wall }.into()),
        Heard::CutOff => Err(cause_of_death(end, limits).into()),
    }
}

/// Of a compiler that did not come to its answer.
fn cause_of_death(End { status, last_words }: &End, limits: CompileLimits) -> InvalidComponent {
    if status.signal() == Some(Signal::XCPU.as_raw()) {
        InvalidComponent::TooMuchWork { limit: limits.cpu }
    } else if last_words.contains(OUT_OF_MEMORY) {
        InvalidComponent::TooMuchMemory { limit_mib: limits.memory_bytes >> 20 }
    } else {
        InvalidComponent::CompilerDied { how: status.to_string(), last_words: last_words.clone() }
    }
}

/// How Rust's standard library ends a process that gets no more memory.
const OUT_OF_MEMORY: &str = "memory allocation of ";

/// A line whose every read and write ends at the deadline.
struct Timed<'a> {
    line: &'a UnixStream,
    deadline: Instant,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

/// Sockets say it this way.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock { ErrorKind::TimedOut.into() } else { error }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.line.set_read_timeout(self.left()?)?;
        self.line.read(buffer).map_err(timed_out)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.set_write_timeout(self.left()?)?;
        self.line.write(bytes).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The compiler, in a process group of its own. However this is left, the group is killed and nothing stays behind.
struct Process {
    child: Child,
    /// Once it was waited for, its number may be another's.
    ended: Option<ExitStatus>,
}

#[derive(Debug)]
struct End {
    status: ExitStatus,
    last_words: String,
}

impl Process {
    fn start(command: &ChildCommand, line: UnixStream) -> io::Result<Self> {
        let child = command.on(line).process_group(0).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        Ok(Self { child, ended: None })
    }

    fn end(mut self) -> io::Result<End> {
        let status = self.kill()?;
        Ok(End { status, last_words: self.child.stderr.take().map(last_words).unwrap_or_default() })
    }

    /// A process that is ending already keeps its own reason.
    fn kill(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.ended {
            return Ok(status);
        }
        // It may have no group any more; that it is waited for is what counts.
        let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let status = self.child.wait()?;
        self.ended = Some(status);
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

const LAST_WORDS_BYTES: usize = 500;

/// The end of what is in the pipe, in one line; it is not waited for more.
fn last_words(pipe: std::process::ChildStderr) -> String {
    let mut bytes = Vec::new();
    if rustix::fs::fcntl_setfl(&pipe, OFlags::NONBLOCK).is_ok() {
        // Ends with an error where somebody else holds the pipe; what was read until then is there.
        let _ = pipe.take(64 << 10).read_to_end(&mut bytes);
    }
    let words = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LAST_WORDS_BYTES)..]).into_owned();
    words
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
