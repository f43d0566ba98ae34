//! The keeper: a process of its own for each run of a tool. It holds the tool to its limits, writes down what it says and
//! how it ended, and outlives the host that started it: a host that comes back finds the run where it is.
//!
//! The tool starts as this very program, too, which puts itself under its limits before it becomes the tool.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lockgate_core::plugin::ToolLimits;
use rustix::process::{
    Pid, Resource, Signal, WaitOptions, WaitStatus, getpid, getppid, kill_process_group, setsid, wait,
};

use super::output::{Stream, Writer};
use super::run::{Because, Ended, Exit, Held, RunFolder, Taken, Wish};
use super::tree::{self, Usage};
use super::words::{Job, Order, Program, Reply, receive, send};
use crate::child::{close_inherited, line, lower};

/// How often a tool is looked at: at once when it is young, so that a short one is a short call.
const SHORTEST_LOOK: Duration = Duration::from_millis(2);
const LONGEST_LOOK: Duration = Duration::from_millis(50);
/// Between the signal that can be heeded and the one that cannot.
pub const STOP_GRACE: Duration = Duration::from_secs(5);
/// For what does not go away although it was killed, such as a process that waits for a dead disk.
const LAST_LOOKS: Duration = Duration::from_secs(2);
/// Some tools open many files; none needs all the host may have.
const OPEN_FILES: u64 = 4096;
const CHUNK_BYTES: usize = 64 << 10;

/// All that a program does that was started by a [`super::ToolRoom`]'s command. Standard input is the socket to whoever
/// started it.
///
/// To be called first of all, before anything else in this process owns a descriptor: it closes all but the first three.
pub fn run_tool() -> ExitCode {
    let served = close_inherited().and_then(|()| line()).and_then(|line| match receive(&line)? {
        Job::Keep(order) => keep(line, &order),
        Job::Become(program) => send(&line, &become_tool(&program)),
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("a tool cannot be run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn keep(line: UnixStream, order: &Order) -> io::Result<()> {
    // A host that stops here has started nothing.
    let mut stdin = Vec::new();
    (&line).take(order.stdin_bytes).read_to_end(&mut stdin)?;
    if stdin.len() as u64 != order.stdin_bytes {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let run = RunFolder::at(&order.folder);
    let begun = begin(order, &run, &stdin);
    let reply = match &begun {
        Ok(Begun::Runs(..)) => Reply::Started,
        Ok(Begun::Already) => Reply::Already,
        Ok(Begun::Unusable(why)) => Reply::Unusable(why.clone()),
        Err(error) => Reply::Failed(error.to_string()),
    };
    // Where the host is gone, the next one finds what was begun.
    let _ = send(&line, &reply);
    drop(line);
    match begun? {
        Begun::Runs(child, _held) => watch(order, &run, child),
        Begun::Already | Begun::Unusable(_) => Ok(()),
    }
}

enum Begun {
    Runs(Child, Held),
    Already,
    Unusable(String),
}

/// What is to happen is on the disk before it happens.
fn begin(order: &Order, run: &RunFolder, stdin: &[u8]) -> io::Result<Begun> {
    tree::is_readable()?;
    // Away from the host's terminal and signals.
    setsid()?;
    adopt_orphans()?;
    run.make()?;
    let Some(held) = run.lock()? else { return Ok(Begun::Already) };
    if run.taken()?.is_some() {
        return Ok(Begun::Already);
    }
    let mut input = File::options().write(true).create(true).truncate(true).mode(0o600).open(run.stdin())?;
    io::Write::write_all(&mut input, stdin)?;
    let keeper = getpid().as_raw_pid().unsigned_abs();
    run.take(&Taken { command: order.command, tool: order.tool.clone(), keeper })?;
    match start(order, keeper) {
        Ok(Ok(child)) => Ok(Begun::Runs(child, held)),
        Ok(Err(why)) => run.give_back().map(|()| Begun::Unusable(why)),
        Err(error) => run.give_back().and(Err(error)),
    }
}

fn adopt_orphans() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_child_subreaper(Some(getpid()))?;
    Ok(())
}

/// Or why the system does not run it.
fn start(order: &Order, keeper: u32) -> io::Result<Result<Child, String>> {
    let (ours, theirs) = UnixStream::pair()?;
    let mut child = order.child.on(theirs).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let program = Program { keeper, ..order.program.clone() };
    let said = send(&ours, &Job::Become(Box::new(program))).and_then(|()| receive::<String>(&ours));
    match said {
        // The socket closed when the child became the tool, or died on the way there, which its end will tell.
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => Ok(Ok(child)),
        Ok(why) => {
            child.wait()?;
            Ok(Err(why))
        }
        Err(error) => {
            child.kill()?;
            child.wait()?;
            Err(error)
        }
    }
}

/// Comes back only with the reason why it could not.
fn become_tool(program: &Program) -> String {
    let become_it = || {
        confine(program)?;
        let stdin = File::open(&program.stdin)?;
        Err::<(), _>(
            Command::new(&program.path)
                .args(&program.args)
                .env_clear()
                .envs(&program.env)
                .current_dir(&program.workspace)
                .stdin(stdin)
                .exec(),
        )
    };
    let why = become_it().err().map_or("it came back".to_owned(), |error| error.to_string());
    format!("{} cannot be started: {why}", program.path.display())
}

/// What holds from here on, for the tool and all it starts. The keeper adds them up; these limits are each process's own.
fn confine(program: &Program) -> io::Result<()> {
    // With its keeper goes what holds it to its limits.
    #[cfg(target_os = "linux")]
    crate::child::give_up_powers()?;
    if getppid().map(|parent| parent.as_raw_pid().unsigned_abs()) != Some(program.keeper) {
        return Err(io::Error::other("its keeper is gone"));
    }
    let ToolLimits { cpu_ms, memory_bytes, .. } = program.limits;
    let cpu_seconds = cpu_ms.div_ceil(1_000).max(1);
    lower(Resource::Core, 0, 0)?;
    lower(Resource::Cpu, cpu_seconds, cpu_seconds.saturating_add(1))?;
    lower(Resource::Data, memory_bytes, memory_bytes)?;
    lower(Resource::Nofile, OPEN_FILES, OPEN_FILES)
}

/// To the end of the tool and of everything that came of it.
fn watch(order: &Order, run: &RunFolder, mut child: Child) -> io::Result<()> {
    let me = getpid().as_raw_pid().unsigned_abs();
    let group = Pid::from_child(&child);
    let began = Instant::now();
    let file = File::options().append(true).create(true).mode(0o600).open(run.output())?;
    let writer = Arc::new(Mutex::new(Writer::new(file, order.program.limits.output_bytes)));
    let ears = [
        child.stdout.take().map(|pipe| listen(pipe, Stream::Stdout, writer.clone())),
        child.stderr.take().map(|pipe| listen(pipe, Stream::Stderr, writer.clone())),
    ];
    let (mut because, mut told_at) = (None, None);
    let status = loop {
        if let Some(status) = reap(group)? {
            break status;
        }
        let seen = Seen { for_so_long: began.elapsed(), usage: tree::usage(me), wish: run.wished() };
        match verdict(&order.program.limits, seen, told_at.map(|told: Instant| told.elapsed())) {
            Verdict::GoOn => {}
            Verdict::Tell => {
                (because, told_at) = (Some(Because::Stopped), Some(Instant::now()));
                // It may have ended.
                let _ = kill_process_group(group, Signal::TERM);
            }
            Verdict::Kill(why) => {
                because = because.or(Some(why));
                kill_all(group, me);
            }
        }
        std::thread::sleep((began.elapsed() / 10).clamp(SHORTEST_LOOK, LONGEST_LOOK));
    };
    // A tool's end is its own process's: what it leaves behind does not go on without it.
    let gone_by = Instant::now() + LAST_LOOKS;
    while !tree::descendants(me).is_empty() && Instant::now() < gone_by {
        kill_all(group, me);
        reap(group)?;
        std::thread::sleep(SHORTEST_LOOK);
    }
    // What nobody can find may still hold the other end.
    while ears.iter().flatten().any(|ear| !ear.is_finished()) && Instant::now() < gone_by {
        std::thread::sleep(SHORTEST_LOOK);
    }
    let exit = exit(status);
    let because = because.or((exit == Exit::Signal(Signal::XCPU.as_raw())).then_some(Because::CpuLimit));
    let truncated = writer.lock().unwrap_or_else(PoisonError::into_inner).truncated();
    let _ = std::fs::remove_file(run.stdin());
    run.end(&Ended { exit, because, truncated })
}

/// How the tool ended, if it has. Whatever else has ended leaves the system's list.
fn reap(tool: Pid) -> io::Result<Option<WaitStatus>> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((process, status))) if process == tool => return Ok(Some(status)),
            Ok(Some(_)) => {}
            Ok(None) | Err(rustix::io::Errno::CHILD) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
}

fn kill_all(group: Pid, me: u32) {
    // All of a group at once, which nothing outruns that stays in it.
    let _ = kill_process_group(group, Signal::KILL);
    tree::kill(me);
}

fn exit(status: WaitStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or(0)),
    }
}

fn listen(mut pipe: impl Read + Send + 'static, stream: Stream, writer: Arc<Mutex<Writer<File>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(length @ 1..) = pipe.read(&mut chunk) {
            writer.lock().unwrap_or_else(PoisonError::into_inner).take(stream, &chunk[..length]);
        }
    })
}

/// What there is to decide on.
struct Seen {
    for_so_long: Duration,
    usage: Usage,
    wish: Option<Wish>,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    GoOn,
    Tell,
    Kill(Because),
}

fn verdict(limits: &ToolLimits, seen: Seen, told: Option<Duration>) -> Verdict {
    let Seen { for_so_long, usage, wish } = seen;
    let ToolLimits { wall_ms, cpu_ms, memory_bytes, processes, output_bytes: _ } = *limits;
    if for_so_long >= Duration::from_millis(wall_ms) {
        Verdict::Kill(Because::WallLimit)
    } else if usage.cpu_ms > cpu_ms {
        Verdict::Kill(Because::CpuLimit)
    } else if usage.memory_bytes > memory_bytes {
        Verdict::Kill(Because::MemoryLimit)
    } else if usage.processes > processes {
        Verdict::Kill(Because::ProcessLimit)
    } else {
        match (wish, told) {
            (None, _) => Verdict::GoOn,
            (Some(Wish::Kill), _) => Verdict::Kill(Because::Killed),
            (Some(Wish::Stop), None) => Verdict::Tell,
            (Some(Wish::Stop), Some(ago)) if ago >= STOP_GRACE => Verdict::Kill(Because::Stopped),
            (Some(Wish::Stop), Some(_)) => Verdict::GoOn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(seen: Seen, told: Option<Duration>) -> Verdict {
        let limits = ToolLimits { wall_ms: 10_000, cpu_ms: 100, memory_bytes: 1_000, output_bytes: 1, processes: 4 };
        verdict(&limits, seen, told)
    }

    fn usage(processes: u64, memory_bytes: u64, cpu_ms: u64) -> Usage {
        Usage { processes, memory_bytes, cpu_ms }
    }

    #[test]
    fn each_limit_ends_a_tool_and_says_which_it_was() {
        let at = |ms, usage, wish| of(Seen { for_so_long: Duration::from_millis(ms), usage, wish }, None);
        assert_eq!(at(9_999, usage(4, 1_000, 100), None), Verdict::GoOn);
        assert_eq!(at(10_000, usage(1, 0, 0), None), Verdict::Kill(Because::WallLimit));
        assert_eq!(at(1, usage(5, 0, 0), None), Verdict::Kill(Because::ProcessLimit));
        assert_eq!(at(1, usage(1, 1_001, 0), None), Verdict::Kill(Because::MemoryLimit));
        assert_eq!(at(1, usage(1, 0, 101), Some(Wish::Stop)), Verdict::Kill(Because::CpuLimit));
        assert_eq!(at(1, usage(1, 0, 0), Some(Wish::Kill)), Verdict::Kill(Because::Killed));
    }

    #[test]
    fn who_is_told_to_stop_has_a_moment_for_it() {
        let after = |told: Option<Duration>| {
            of(Seen { for_so_long: Duration::ZERO, usage: Usage::default(), wish: Some(Wish::Stop) }, told)
        };
        assert_eq!(after(None), Verdict::Tell);
        assert_eq!(after(Some(STOP_GRACE - Duration::from_millis(1))), Verdict::GoOn);
        assert_eq!(after(Some(STOP_GRACE)), Verdict::Kill(Because::Stopped));
    }
}
