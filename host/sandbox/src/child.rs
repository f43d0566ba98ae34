//! This very program, started as a process that does one thing for the host: compile a component, or keep a tool.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use rustix::fs::Dir;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// How to start it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildCommand {
    pub program: PathBuf,
    pub arguments: Vec<OsString>,
}

impl ChildCommand {
    /// The program that is running, whatever lies in its place by now: another version would speak otherwise.
    pub fn this_program(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> io::Result<Self> {
        let program = if cfg!(target_os = "linux") { "/proc/self/exe".into() } else { std::env::current_exe()? };
        Ok(Self { program, arguments: arguments.into_iter().map(Into::into).collect() })
    }

    /// With an empty environment, in no folder of ours; standard input is its end of a socket to us.
    pub(crate) fn on(&self, line: UnixStream) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env_clear().current_dir("/").stdin(OwnedFd::from(line));
        command
    }
}

/// What a child gives up for good before it touches anything that is not ours.
#[cfg(target_os = "linux")]
pub fn give_up_powers() -> io::Result<()> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::KILL))?;
    rustix::thread::set_no_new_privs(true)?;
    // If the machine runs out of memory, this process goes before the host. Where that cannot be said, it is not.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    Ok(())
}

/// What the program that started us left open without saying so.
#[expect(unsafe_code, reason = "descriptors that nobody in this process owns can be closed by number only")]
pub fn close_inherited() -> io::Result<()> {
    let folder = std::fs::File::open(if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" })?;
    let own = folder.as_raw_fd();
    let names = Dir::new(folder)?.collect::<Result<Vec<_>, _>>()?;
    let open = names.iter().filter_map(|entry| entry.file_name().to_str().ok()?.parse::<RawFd>().ok());
    for number in open.filter(|number| *number > 2 && *number != own) {
        // SAFETY: closing by number is sound for a descriptor that is open, and that no value in this process owns or will
        // use. It has just been listed as open. This is the first thing that happens in a process started for
        // one purpose: nothing was opened here before but the first three and the listing, which are left out, and no
        // other thread of ours is there to close it in between.
        unsafe { rustix::io::close(number) }
    }
    Ok(())
}

/// Both directions of the socket that standard input is.
pub fn line() -> io::Result<UnixStream> {
    Ok(UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Never above what the administrator allows.
pub fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let allowed = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    setrlimit(resource, Rlimit { current: Some(soft.min(allowed)), maximum: Some(hard.min(allowed)) })?;
    Ok(())
}
