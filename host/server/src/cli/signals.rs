//! How a command is told to stop, and how one that blocks hears of it.

use std::io::{self, ErrorKind, Read};

use tokio::io::{AsyncRead, AsyncReadExt as _, BufReader};
use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::fail::CliError;

/// SIGINT, SIGTERM, and the SIGHUP of a terminal that has gone. From the moment this is made they end nothing by themselves.
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Option<Signal>,
}

impl StopSignals {
    pub fn listen() -> Result<Self, CliError> {
        let hang_up = || if is_hang_up_heard() { signal(SignalKind::hangup()).map(Some) } else { Ok(None) };
        let listen = || -> io::Result<Self> {
            let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            Ok(Self { interrupt, terminate, hang_up: hang_up()? })
        };
        listen().map_err(|error| CliError::Host {
            what: format!("cannot listen for signals: {error}"),
            hint: String::new(),
        })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hung_up(&mut self.hang_up) => {}
        }
    }
}

/// Once: of a terminal that has gone both the system and the shell may tell, and that is no second wish to stop.
async fn hung_up(signal: &mut Option<Signal>) {
    match signal {
        Some(hang_up) => drop(hang_up.recv().await),
        None => std::future::pending().await,
    }
    *signal = None;
}

/// Whoever says `nohup` wants it to go on. Where that cannot be known, the signal is left to the system.
fn is_hang_up_heard() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| hears_hang_up(&status))
}

fn hears_hang_up(status: &str) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // A bit for each signal, from the first one on: which is this one.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 0)
}

/// What is read by whoever blocks. From the moment that it is told to stop each read fails.
pub struct Stoppable<R> {
    inner: BufReader<R>,
    stop: CancellationToken,
    runtime: Handle,
}

impl<R: AsyncRead + Unpin> Read for Stoppable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.runtime.block_on(self.stop.run_until_cancelled(self.inner.read(buffer)));
        // Of a kind that nobody tries again, or takes for damage.
        read.unwrap_or_else(|| Err(io::Error::new(ErrorKind::ConnectionAborted, "it was stopped")))
    }
}

/// Every read is another thread's, and a large one costs no more of that.
const BYTES_A_READ: usize = 1 << 20;

/// Runs `work`, which blocks and reads `input`, and has it clean up where a signal stops it: then it ends with this sentence.
/// What was done all the same is done.
pub async fn until_stopped<R, T>(
    input: R,
    sentence: String,
    work: impl FnOnce(Stoppable<R>) -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError>
where
    R: AsyncRead + Unpin + Send + 'static,
    T: Send + 'static,
{
    let (mut signals, stop) = (StopSignals::listen()?, CancellationToken::new());
    let inner = BufReader::with_capacity(BYTES_A_READ, input);
    let input = Stoppable { inner, stop: stop.clone(), runtime: Handle::current() };
    let mut work = tokio::task::spawn_blocking(move || work(input));
    let done = tokio::select! {
        done = &mut work => done,
        () = signals.next() => {
            stop.cancel();
            eprintln!("stopping; once more stops at once");
            tokio::select! {
                done = &mut work => done,
                // What is there then is no data folder yet, and no host begins with it.
                () = signals.next() => return Err(CliError::BrokeOff {
                    what: "it was stopped at once".to_owned(),
                    hint: "the data folder that it had begun is left as it was: remove it, then begin again".to_owned(),
                }),
            }
        }
    };
    match done.expect("nobody cancels it, and it does not panic") {
        Err(_) if stop.is_cancelled() => Err(CliError::BrokeOff { what: sentence, hint: String::new() }),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hang_up_is_heard_unless_it_is_ignored() {
        let status = |ignored| format!("Name:\tlockgate\nSigBlk:\t0000000000000001\nSigIgn:\t{ignored}\nSigCgt:\t0\n");
        assert!(hears_hang_up(&status("0000000000000000")));
        assert!(hears_hang_up(&status("0000000000001006")), "others are ignored");
        assert!(!hears_hang_up(&status("0000000000000001")));
        assert!(!hears_hang_up("Name:\tlockgate\n"), "nobody knows");
    }

    #[tokio::test]
    async fn a_terminal_that_has_gone_is_heard_of_once() {
        let mut hang_up = Some(signal(SignalKind::hangup()).unwrap());
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::HUP).unwrap();
        hung_up(&mut hang_up).await;
        assert!(hang_up.is_none());
    }

    #[tokio::test]
    async fn the_first_signal_is_heard_by_the_work_and_the_second_does_not_wait_for_it() {
        let interrupt =
            || rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::INT).unwrap();
        let (_nobody_writes, input) = tokio::io::duplex(1);
        let (the_end, until_the_end) = std::sync::mpsc::channel::<()>();
        let stopped = until_stopped(input, "in its own time".to_owned(), move |mut input| {
            interrupt();
            assert!(input.read(&mut [0]).is_err(), "it hears of it where it reads");
            interrupt();
            let _ = until_the_end.recv();
            Ok(())
        });
        let told =
            tokio::time::timeout(std::time::Duration::from_secs(60), stopped).await.expect("it waited for the work");
        drop(the_end);
        assert_eq!(told.unwrap_err().exit_code(), crate::cli::exit::FAILED);
    }
}
