//! Tools: programs of this machine that an operator lets plugins start, each run kept by a process of its own.
//!
//! What is known of a run are the files in its folder ([`run`]), so that a host that comes back after a crash knows as much
//! as the one before. Nothing here goes through a shell, and a plugin names a tool, never a program.

mod guest;
mod keeper;
mod output;
pub mod pattern;
mod run;
#[cfg(test)]
mod tests;
mod tree;
mod words;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use lockgate_core::digest::Digest;
use lockgate_core::plugin::{Failure, Retry, ToolGrant, ToolLimits};
use rustix::fs::FlockOperation;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub use guest::Tools;
pub use keeper::run_tool;
use output::Said;
use run::{Because, Ended, Exit, RunFolder, RunState, Wish, lock, private_folder};
use words::{Job, Order, Program, Reply, receive, send};

use crate::child::ChildCommand;

const MOST_KEY_BYTES: usize = 256;
const MOST_STDIN_BYTES: usize = 8 << 20;
/// The system takes 128 KiB for one argument; this is for all of them, and once more for the environment.
const MOST_ARGUMENT_BYTES: usize = 128 << 10;
/// What one poll hands over.
const MOST_SAID_BYTES: usize = 256 << 10;
/// Of one phase in one attempt: every run keeps its output.
const MOST_RUNS: usize = 256;
const MOST_AT_ONCE: usize = 8;
/// What a start leaves free on the disk, for the journal above all.
const DISK_FLOOR_BYTES: u64 = 256 << 20;
/// A keeper answers as soon as the tool runs.
const KEEPER_PATIENCE: Duration = Duration::from_secs(30);
/// A keeper that is told to kill does so at once, and then looks for what is left.
const KILL_PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(10);
const LAST_WORDS_BYTES: usize = 500;

/// Where the runs of one phase in one attempt are kept: the space in which its keys mean something.
#[derive(Debug, Clone)]
pub struct ToolRoom {
    pub folder: PathBuf,
    /// In which tools work; there when a call starts.
    pub workspace: PathBuf,
    /// This very program as a keeper ([`run_tool`]).
    pub keeper: ChildCommand,
}

impl ToolRoom {
    /// Before a call that may start tools.
    pub fn open(&self) -> io::Result<()> {
        private_folder(&self.folder)
    }

    /// Nothing is started here any more, and what runs is killed with all that came of it. Blocks until it is gone.
    pub fn close(folder: &Path) -> io::Result<()> {
        private_folder(folder)?;
        let _door = door(folder)?;
        File::create(folder.join(CLOSED))?;
        let runs = runs(folder)?;
        for run in &runs {
            if let RunState::Running(_) = run.state()? {
                run.wish(Wish::Kill)?;
            }
        }
        runs.iter().try_for_each(end_of)
    }
}

/// Nothing starts in a room that has it.
const CLOSED: &str = "closed";

/// Held by whoever starts something in a room, or closes it.
fn door(folder: &Path) -> io::Result<run::Held> {
    lock(&folder.join("door"), FlockOperation::LockExclusive)?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
}

/// Of one keeper that was told to kill. One that does not hear is killed with all that is below it.
fn end_of(run: &RunFolder) -> io::Result<()> {
    let deadline = Instant::now() + KILL_PATIENCE;
    while let RunState::Running(taken) = run.state()? {
        if Instant::now() >= deadline {
            tree::kill(taken.keeper);
            if let Some(keeper) = i32::try_from(taken.keeper).ok().and_then(Pid::from_raw) {
                // It holds its lock: the number is still its own. What it kept is told by the system that it died.
                let _ = kill_process(keeper, Signal::KILL);
            }
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

fn runs(folder: &Path) -> io::Result<Vec<RunFolder>> {
    let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    Ok(entries.iter().map(|entry| entry.path()).filter(|path| path.is_dir()).map(RunFolder::at).collect())
}

// ---- what a grant names ----

/// A program's digest, and how it begins.
pub struct Examined {
    pub digest: Digest,
    /// The system runs it by itself, without a shell's help.
    pub is_program: bool,
}

pub fn examine(path: &Path) -> io::Result<Examined> {
    let mut file = File::open(path)?;
    let (mut hash, mut chunk, mut head) = (Sha256::new(), vec![0; 64 << 10], Vec::new());
    loop {
        let length = file.read(&mut chunk)?;
        if length == 0 {
            break;
        }
        if head.len() < 4 {
            head.extend_from_slice(&chunk[..length.min(4)]);
        }
        hash.update(&chunk[..length]);
    }
    let is_program = head.starts_with(b"#!") || !cfg!(target_os = "linux") || head.starts_with(b"\x7fELF");
    Ok(Examined { digest: Digest::from_sha256(hash.finalize().into()), is_program })
}

// ---- what plugins ask for ----

/// What a plugin wants to have run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCommand {
    pub tool: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub stdin: Vec<u8>,
    pub timeout_ms: u32,
}

impl ToolCommand {
    fn digest(&self) -> Digest {
        let Self { tool, args, env, stdin, timeout_ms } = self;
        let words = serde_json::to_vec(&(tool, args, env, timeout_ms)).expect("texts and a number are always JSON");
        Digest::of_parts([words.as_slice(), stdin])
    }
}

/// A command that its grant allows.
#[derive(Debug)]
struct Allowed {
    command: Digest,
    tool: String,
    program: Program,
    digest: Digest,
    stdin: Vec<u8>,
}

/// Decided before anything is looked at. `room`: none where a call is granted nothing.
/// Where a call has a grant and no room: a test, and what runs without effects.
const NO_ROOM: &str = "no tool is started here: a test has no tools";

fn allowed(
    grants: &BTreeMap<String, ToolGrant>,
    room: Option<&ToolRoom>,
    command: ToolCommand,
) -> Result<Allowed, Failure> {
    let Some(grant) = grants.get(&command.tool) else {
        return Err(denied(format!(
            "the tool `{}` is not granted; request it in `describe`, and an operator can: `--tool NAME=PATH`",
            shown(&command.tool)
        )));
    };
    let Some(room) = room else { return Err(denied(NO_ROOM.to_owned())) };
    within_bounds(&command)?;
    if !pattern::fit(&grant.args, &command.args) {
        return Err(denied(format!(
            "{} arguments for the tool `{}` fit none of what is granted: {}",
            command.args.len(),
            command.tool,
            vectors(&grant.args)
        )));
    }
    let env = environment(grant, &command)?;
    let digest = command.digest();
    let ToolCommand { tool, args, stdin, timeout_ms, env: _ } = command;
    let wall_ms = match timeout_ms {
        0 => grant.limits.wall_ms,
        milliseconds => grant.limits.wall_ms.min(milliseconds.into()),
    };
    let program = Program {
        path: grant.path.clone().into(),
        args,
        env,
        workspace: room.workspace.clone(),
        stdin: PathBuf::new(),
        limits: ToolLimits { wall_ms, ..grant.limits },
        keeper: 0,
    };
    Ok(Allowed { command: digest, tool, program, digest: grant.digest, stdin })
}

fn within_bounds(command: &ToolCommand) -> Result<(), Failure> {
    let of_env = command.env.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    let sizes = [
        ("standard input", command.stdin.len(), MOST_STDIN_BYTES),
        ("the arguments", command.args.iter().map(|argument| argument.len() + 1).sum(), MOST_ARGUMENT_BYTES),
        ("the environment", of_env, MOST_ARGUMENT_BYTES),
    ];
    for (what, actual, most) in sizes {
        if actual > most {
            return Err(never("limit", format!("{what} of a tool has {actual} bytes, at most {most} are taken")));
        }
    }
    let texts = command.args.iter().chain(command.env.iter().map(|(_, value)| value));
    match texts.filter(|text| text.contains('\0')).count() {
        0 => Ok(()),
        _ => Err(invalid("an argument or a variable has a NUL, which no program can be given")),
    }
}

fn environment(grant: &ToolGrant, command: &ToolCommand) -> Result<BTreeMap<String, String>, Failure> {
    let operators = grant.env.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
    let mut environment: BTreeMap<String, String> = operators.collect();
    for (name, value) in &command.env {
        if !matches!(grant.env.get(name), Some(None)) {
            return Err(denied(format!(
                "the variable `{}` of the tool `{}` is not the plugin's to set; it may set: {}",
                shown(name),
                command.tool,
                listed(grant.env.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.as_str()))
            )));
        }
        if environment.insert(name.clone(), value.clone()).is_some() {
            return Err(invalid(&format!("the variable `{name}` is set twice")));
        }
    }
    Ok(environment)
}

/// Blocks, and answers when the tool runs, or has run: the same key is the same run.
fn start(room: &ToolRoom, key: &str, allowed: Allowed) -> Result<(), Failure> {
    let run = named(room, key)?;
    let _door = door(&room.folder).map_err(host)?;
    if room.folder.join(CLOSED).exists() {
        return Err(never("cancelled", "its phase is over, no tool is started for it".to_owned()));
    }
    match run.state().map_err(host)? {
        RunState::NotThere => {}
        RunState::Running(taken) | RunState::Ended(taken, _) | RunState::Lost(taken) => {
            return same_command(&taken, &allowed, key);
        }
    }
    is_still_granted(&allowed)?;
    has_room(room)?;
    match order(room, &run, allowed).map_err(host)? {
        Reply::Started | Reply::Already => Ok(()),
        Reply::Unusable(why) => Err(never("tool-unusable", why)),
        Reply::Failed(why) => Err(host(why)),
    }
}

fn same_command(taken: &run::Taken, allowed: &Allowed, key: &str) -> Result<(), Failure> {
    if taken.command == allowed.command {
        return Ok(());
    }
    let message = format!(
        "the key `{}` stands for another command of this phase, of the tool `{}`; each command needs a key of its own",
        shown(key),
        taken.tool
    );
    Err(never("tool-key-reused", message))
}

/// The file at its path is the one that was looked at when it was granted. Between this look and the start lies a moment.
fn is_still_granted(allowed: &Allowed) -> Result<(), Failure> {
    let (path, tool) = (&allowed.program.path, &allowed.tool);
    let gone = |error: io::Error| never("tool-unusable", format!("{} cannot be read: {error}", path.display()));
    let real = path.canonicalize().map_err(gone)?;
    let again = "an operator can look at it and approve the plugin again";
    if real != *path {
        let message =
            format!("the tool `{tool}` is {} now, and {} was granted; {again}", real.display(), path.display());
        return Err(denied(message));
    }
    let actual = examine(path).map_err(gone)?.digest;
    if actual != allowed.digest {
        let (granted, actual) = (allowed.digest.short(), actual.short());
        let message =
            format!("the program of the tool `{tool}` has changed: {granted} was granted, {actual} is there; {again}");
        return Err(denied(message));
    }
    Ok(())
}

fn has_room(room: &ToolRoom) -> Result<(), Failure> {
    let disk = rustix::fs::statvfs(&room.folder).map_err(host)?;
    let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free_bytes < DISK_FLOOR_BYTES {
        let message =
            format!("the disk of the data folder has {} MiB free, too little to start a tool", free_bytes >> 20);
        return Err(Failure { retry: Retry::SameKey, ..never("limit", message) });
    }
    let runs = runs(&room.folder).map_err(host)?;
    if runs.len() >= MOST_RUNS {
        let message = format!("this phase has run {} tools, at most {MOST_RUNS} are run in one attempt", runs.len());
        return Err(never("limit", message));
    }
    let running = |run: &&RunFolder| matches!(run.state(), Ok(RunState::Running(_)));
    let running = runs.iter().filter(running).count();
    if running >= MOST_AT_ONCE {
        let message = format!("{running} tools of this phase are running, at most {MOST_AT_ONCE} do at a time");
        return Err(Failure { retry: Retry::SameKey, ..never("limit", message) });
    }
    Ok(())
}

/// Starts a keeper and hears what became of it.
fn order(room: &ToolRoom, run: &RunFolder, allowed: Allowed) -> io::Result<Reply> {
    let Allowed { command, tool, program, digest: _, stdin } = allowed;
    let order = Order {
        folder: run.path().to_owned(),
        command,
        tool,
        program: Program { stdin: run.stdin(), ..program },
        stdin_bytes: stdin.len() as u64,
        child: room.keeper.clone(),
    };
    let (mut ours, theirs) = UnixStream::pair()?;
    ours.set_read_timeout(Some(KEEPER_PATIENCE))?;
    ours.set_write_timeout(Some(KEEPER_PATIENCE))?;
    let mut keeper = room.keeper.on(theirs).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // It ends when its tool has; somebody has to take note of that, or it stays in the system's list.
    std::thread::Builder::new().name("tool".to_owned()).stack_size(64 << 10).spawn(move || keeper.wait())?;
    send(&ours, &Job::Keep(Box::new(order))).and_then(|()| ours.write_all(&stdin))?;
    receive(&ours)
}

/// What a poll shows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    /// None while it runs.
    code: Option<i32>,
    said: Said,
    truncated: bool,
}

impl Seen {
    /// All there is has been shown, and the tool has ended.
    fn is_done(&self) -> bool {
        self.code.is_some() && !self.said.more
    }

    fn has_news(&self) -> bool {
        self.is_done() || !self.said.stdout.is_empty() || !self.said.stderr.is_empty()
    }
}

/// Blocks on the disk only.
fn look(room: &ToolRoom, key: &str, offset: u32) -> Result<Seen, Failure> {
    let run = named(room, key)?;
    // Before its output is read: what is said after this look is there at the next one.
    let (code, truncated) = match run.state().map_err(host)? {
        RunState::NotThere => return Err(unknown(key)),
        RunState::Lost(taken) => return Err(lost(&taken.tool, &run)),
        RunState::Running(_) => (None, false),
        RunState::Ended(taken, Ended { exit, because, truncated }) => match (because, exit) {
            (None | Some(Because::Stopped), Exit::Code(code)) => (Some(code), truncated),
            // As shells say it.
            (None | Some(Because::Stopped), Exit::Signal(signal)) => (Some(128 + signal), truncated),
            (Some(why), _) => return Err(ended_by_force(&taken.tool, why, &run)),
        },
    };
    let said = output::read(&run.output(), offset.into(), MOST_SAID_BYTES).map_err(host)?;
    if said.end < offset.into() {
        return Err(invalid(&format!(
            "offset {offset} is beyond the end: the tool has said {} bytes so far",
            said.end
        )));
    }
    Ok(Seen { code, said, truncated })
}

fn lost(tool: &str, run: &RunFolder) -> Failure {
    let message = format!(
        "nobody knows what became of the tool `{tool}`: the machine or the tool's keeper ended while it ran; see what it \
         has done before it is run again"
    );
    with_last_words(never("tool-lost", message), run, json!({}))
}

fn ended_by_force(tool: &str, why: Because, run: &RunFolder) -> Failure {
    let limit = match why {
        Because::Stopped | Because::Killed => {
            return never("cancelled", format!("the tool `{tool}` was killed: its phase or deployment has ended"));
        }
        Because::WallLimit => "wall_ms",
        Because::CpuLimit => "cpu_ms",
        Because::MemoryLimit => "memory_bytes",
        Because::ProcessLimit => "processes",
    };
    let message = format!("the tool `{tool}` was killed at its limit of `{limit}`");
    with_last_words(never("limit", message), run, json!({ "limit": limit }))
}

/// Asks; whoever polls learns that it has ended.
fn stop(room: &ToolRoom, key: &str) -> Result<(), Failure> {
    let run = named(room, key)?;
    match run.state().map_err(host)? {
        RunState::NotThere | RunState::Ended(..) | RunState::Lost(_) => Ok(()),
        RunState::Running(_) if run.wished() >= Some(Wish::Stop) => Ok(()),
        RunState::Running(_) => run.wish(Wish::Stop).map_err(host),
    }
}

fn named(room: &ToolRoom, key: &str) -> Result<RunFolder, Failure> {
    if key.is_empty() || key.len() > MOST_KEY_BYTES {
        return Err(invalid(&format!("a key has 1 to {MOST_KEY_BYTES} bytes, this one has {}", key.len())));
    }
    Ok(RunFolder::of(&room.folder, key))
}

// ---- how it is said ----

fn with_last_words(failure: Failure, run: &RunFolder, mut details: Value) -> Failure {
    let said = output::read(&run.output(), 0, usize::MAX).unwrap_or_default();
    let words = if said.stderr.is_empty() { said.stdout } else { said.stderr };
    let last = String::from_utf8_lossy(&words[words.len().saturating_sub(LAST_WORDS_BYTES)..]).into_owned();
    details["last_words"] = Value::String(last);
    Failure { details, ..failure }
}

fn never(code: &str, message: String) -> Failure {
    Failure { code: code.to_owned(), message, retry: Retry::Never, retry_after_ms: 0, details: Value::Null }
}

fn denied(message: String) -> Failure {
    never("denied", message)
}

fn invalid(message: &str) -> Failure {
    never("invalid-request", message.to_owned())
}

fn unknown(key: &str) -> Failure {
    never("tool-unknown", format!("no tool was started with the key `{}` in this phase and attempt", shown(key)))
}

fn host(error: impl ToString) -> Failure {
    let message = format!("the host could not look after a tool: {}", error.to_string());
    Failure { retry: Retry::SameKey, ..never("host", message) }
}

/// A plugin's own words, in a message that operators read.
fn shown(text: &str) -> String {
    text.chars().take(100).map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names = names.collect::<Vec<_>>().join(", ");
    if names.is_empty() { "nothing".to_owned() } else { names }
}

fn vectors(vectors: &[Vec<String>]) -> String {
    let shown = vectors.iter().take(5).map(|items| if items.is_empty() { "none".to_owned() } else { items.join(" ") });
    shown.collect::<Vec<_>>().join("; or ")
}
