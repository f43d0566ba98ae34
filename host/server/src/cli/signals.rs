//! How a command is told to stop, and how one that blocks hears of it.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

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

/// What fills a data folder, which is empty before.
#[derive(Clone, Copy)]
pub struct Filling<'a> {
    pub what: &'static str,
    pub data: &'a Path,
}

impl Filling<'_> {
    fn stopped(self) -> CliError {
        let what = format!("the {} was stopped; {} is as it was", self.what, self.data.display());
        CliError::BrokeOff { what, hint: String::new() }
    }

    fn stopped_at_once(self) -> CliError {
        let data = self.data.display();
        CliError::BrokeOff {
            what: format!("the {} was stopped at once, on its way into {data}", self.what),
            hint: format!("look into {data}: where half of it is left, empty that folder, then begin again"),
        }
    }
}

/// Runs `work`, which blocks and reads `input`, and has it clean up where a signal stops it. What was done all the same is done.
pub async fn until_stopped<R, T>(
    mut next_signal: impl AsyncFnMut(),
    input: R,
    filling: Filling<'_>,
    work: impl FnOnce(Stoppable<R>) -> Result<T, CliError> + Send + 'static,
) -> Result<T, CliError>
where
    R: AsyncRead + Unpin + Send + 'static,
    T: Send + 'static,
{
    let stop = CancellationToken::new();
    let inner = BufReader::with_capacity(BYTES_A_READ, input);
    let input = Stoppable { inner, stop: stop.clone(), runtime: Handle::current() };
    let mut work = tokio::task::spawn_blocking(move || work(input));
    let done = tokio::select! {
        done = &mut work => done,
        () = next_signal() => {
            stop.cancel();
            eprintln!("stopping; once more stops at once");
            tokio::select! {
                done = &mut work => done,
                // No host begins with half of it.
                () = next_signal() => return Err(filling.stopped_at_once()),
            }
        }
    };
    match done.expect("nobody cancels it, and it does not panic") {
        Err(_) if stop.is_cancelled() => Err(filling.stopped()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;

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

    /// The work waits, after the first signal, for what the test never gives; then the test tells it once more.
    #[tokio::test]
    async fn the_first_signal_is_heard_by_the_work_and_the_second_does_not_wait_for_it() {
        let (signal, mut signals) = tokio::sync::mpsc::unbounded_channel();
        let (the_end, until_the_end) = std::sync::mpsc::channel::<()>();
        let (_nobody_writes, input) = tokio::io::duplex(1);
        let filling = Filling { what: "restore", data: Path::new("data") };
        signal.send(()).unwrap();
        let next_signal = async || signals.recv().await.unwrap();
        let stopped = until_stopped(next_signal, input, filling, move |mut input| {
            assert!(input.read(&mut [0]).is_err(), "it hears of it where it reads");
            signal.send(()).unwrap();
            let _ = until_the_end.recv();
            Ok(())
        });
        let told = tokio::time::timeout(Duration::from_secs(60), stopped).await.expect("it waits for the work");
        drop(the_end);
        expect![[r#"
            error: the restore was stopped at once, on its way into data
             hint: look into data: where half of it is left, empty that folder, then begin again"#]]
        .assert_eq(&told.unwrap_err().shown(&look()));
    }

    #[tokio::test]
    async fn work_that_ends_after_a_signal_leaves_things_as_they_were() {
        let (_nobody_writes, input) = tokio::io::duplex(1);
        let filling = Filling { what: "restore", data: Path::new("data") };
        let mut signals = vec![()];
        let next_signal = async || match signals.pop() {
            Some(()) => {}
            None => std::future::pending().await,
        };
        let stopped = until_stopped(next_signal, input, filling, |mut input| {
            let read = input.read(&mut [0]);
            read.map(drop).map_err(|error| CliError::Damaged { what: error.to_string() })
        });
        let told = tokio::time::timeout(Duration::from_secs(60), stopped).await.expect("nobody tells the work");
        expect!["error: the restore was stopped; data is as it was"].assert_eq(&told.unwrap_err().shown(&look()));
    }
}
