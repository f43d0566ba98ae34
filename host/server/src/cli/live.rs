//! Watches a deployment to its end: a redrawn block on a terminal, plain lines elsewhere.
//!
//! What happened comes from the event stream and the phases' log streams; what is shown is always the deployment as
//! the host has it, fetched again after events. Leaving changes nothing: the deployment goes on without being watched.

mod shown;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::cli::exit;
use crate::cli::fail::CliError;
use crate::cli::look::{Look, duration};
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::signals::StopSignals;
use crate::client::{Client, ClientError, Follow, Followed, PhaseLog, Placed};
use crate::wire::{Deployment, Event, Gate, LogLine};
use shown::View;
pub use shown::{event_line, log_line};

/// Running durations grow in the block.
const REDRAW_EVERY: Duration = Duration::from_millis(500);
/// Also without an event: a place in the queue can change without one.
const FETCH_EVERY: Duration = Duration::from_secs(5);
/// After the end, for the last events and log lines.
const LAST_WORDS_MAY_TAKE: Duration = Duration::from_secs(3);

#[derive(Debug, Clone)]
pub struct Watch {
    pub what: What,
    pub timeout: Option<Duration>,
}

#[derive(Debug, Clone)]
pub enum What {
    /// Everything that happens after this event, and all logs.
    Deployment { events_after: u64 },
    /// Only logs, of one phase or of all, from their beginning.
    Logs { phase: Option<String> },
}

/// How a deployment status ends a command: `None` while it goes on.
pub fn ending(status: &str) -> Option<u8> {
    match status {
        "SUCCEEDED" => Some(exit::DONE),
        "FAILED" | "REJECTED" | "ABORTED" | "STOPPED" => Some(exit::FAILED),
        "TIMED_OUT" => Some(exit::TIMED_OUT),
        _ => None,
    }
}

/// Gives the deployment as it ended, and an error when it did not end well.
pub async fn watch(session: &Session, deployment: Deployment, watch: Watch) -> Result<(), CliError> {
    let deadline = watch.timeout.map(|timeout| Instant::now() + timeout);
    let view = View::new(&session.out, &watch.what);
    // Logs can be read again, and whoever follows them knows the number.
    let mut signals = match &watch.what {
        What::Deployment { .. } => {
            let signals = StopSignals::listen()?;
            view.begin(&deployment);
            Some(signals)
        }
        What::Logs { .. } => None,
    };
    let mut watching = Watching::start(session, deployment, watch, view);
    let ended = tokio::select! {
        ended = watching.until_the_end() => ended,
        () = at(deadline) => Err(timed_out(&watching.deployment, watching.host_is_away)),
        () = stopped(&mut signals) => Err(unwatched(&watching.deployment)),
    };
    watching.view.close();
    if let Err(CliError::Client(_)) = &ended {
        session.out.note(&format!("{}; {}", left(&watching.deployment), to_watch_again(&watching.deployment)));
    }
    ended?;
    let deployment = &watching.deployment;
    match &watching.view {
        // Log lines only: a script reads them one by one.
        View::Objects(_) => {}
        View::Block(_) | View::Lines(_) | View::Silent => session.out.answer(deployment, end_line),
    }
    how_it_ended(deployment)
}

/// For whoever waited for its end: well, badly, or not in time.
pub fn how_it_ended(deployment: &Deployment) -> Result<(), CliError> {
    match ending(&deployment.status) {
        Some(exit::DONE) => Ok(()),
        Some(exit_code) => Err(CliError::EndedBadly { exit_code, status: deployment.status.clone() }),
        None => Err(timed_out(deployment, false)),
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

async fn stopped(signals: &mut Option<StopSignals>) {
    match signals {
        Some(signals) => signals.next().await,
        None => std::future::pending().await,
    }
}

fn timed_out(deployment: &Deployment, host_is_away: bool) -> CliError {
    let Deployment { id, status, .. } = deployment;
    if host_is_away {
        return CliError::TimedOut {
            what: format!("{id} was {status} when the host answered last, which it does no longer"),
            hint: format!("it goes on when the host is there again: {}", to_watch_again(deployment)),
        };
    }
    CliError::TimedOut {
        what: format!("{id} is still {status}; it goes on without being watched"),
        hint: to_watch_again(deployment),
    }
}

fn unwatched(deployment: &Deployment) -> CliError {
    CliError::BrokeOff { what: left(deployment), hint: to_watch_again(deployment) }
}

fn left(Deployment { id, .. }: &Deployment) -> String {
    format!("{id} goes on without being watched")
}

fn to_watch_again(Deployment { number, project, .. }: &Deployment) -> String {
    format!("`lockgate deployment logs {number} -f -p {project}` watches it again")
}

fn end_line(look: &Look, deployment: &Deployment) -> String {
    let mut line = format!("{} after {}", show::title(look, deployment), duration(deployment.time_taken_ms));
    for failed in show::what_failed(look, deployment) {
        line.push_str(&format!("\n  {failed}"));
    }
    line
}

// ---- what is heard ----

enum News {
    Event(Event),
    Log(LogLine),
    Lost(String),
    Back,
    EventsEnded,
    LogEnded,
    Failed(ClientError),
}

struct Watching<'a> {
    client: &'a Client,
    deployment: Deployment,
    watch: Watch,
    view: View<'a>,
    sender: mpsc::Sender<News>,
    news: mpsc::Receiver<News>,
    logs: BTreeSet<PhaseLog>,
    open_logs: usize,
    /// Said once, however many streams notice and however often they try.
    host_is_away: bool,
    /// The host has said that the deployment is over.
    events_ended: bool,
}

impl<'a> Watching<'a> {
    fn start(session: &'a Session, deployment: Deployment, watch: Watch, view: View<'a>) -> Self {
        let (sender, news) = mpsc::channel(256);
        let after = match &watch.what {
            What::Deployment { events_after } => *events_after,
            What::Logs { .. } => deployment.last_event,
        };
        let events = session.client.follow_events(&deployment.project, deployment.number, after);
        tokio::spawn(hear(events, sender.clone(), News::Event, News::EventsEnded));
        Self {
            client: &session.client,
            deployment,
            watch,
            view,
            sender,
            news,
            logs: BTreeSet::new(),
            open_logs: 0,
            host_is_away: false,
            events_ended: false,
        }
    }

    async fn until_the_end(&mut self) -> Result<(), CliError> {
        self.show_logs_so_far().await?;
        self.view.update(&self.deployment);
        let mut redraw = tokio::time::interval(REDRAW_EVERY);
        let mut fetched = Instant::now();
        loop {
            let fetch = tokio::select! {
                Some(news) = self.news.recv() => self.hear(news)?,
                _ = redraw.tick() => fetched.elapsed() > FETCH_EVERY,
            };
            if fetch {
                self.drain()?;
                self.fetch().await?;
                fetched = Instant::now();
                self.follow_new_logs();
            }
            self.view.update(&self.deployment);
            if ending(&self.deployment.status).is_some() {
                return self.last_words().await;
            }
        }
    }

    /// One fetch for all the news there is.
    fn drain(&mut self) -> Result<(), CliError> {
        while let Ok(news) = self.news.try_recv() {
            self.hear(news)?;
        }
        Ok(())
    }

    /// Tells whether the deployment may be another now.
    fn hear(&mut self, news: News) -> Result<bool, CliError> {
        match news {
            News::Event(event) => {
                match &self.watch.what {
                    What::Deployment { .. } => self.view.event(&event),
                    What::Logs { .. } => {}
                }
                Ok(true)
            }
            News::Log(line) => {
                self.view.log(&line);
                Ok(false)
            }
            News::Lost(cause) => {
                if !std::mem::replace(&mut self.host_is_away, true) {
                    self.view.note(&format!("{cause}; trying again"));
                }
                Ok(false)
            }
            News::Back => {
                if std::mem::take(&mut self.host_is_away) {
                    self.view.note("the host answers again");
                }
                Ok(true)
            }
            News::EventsEnded => {
                self.events_ended = true;
                Ok(true)
            }
            News::LogEnded => {
                self.open_logs -= 1;
                Ok(false)
            }
            News::Failed(error) => Err(error.into()),
        }
    }

    async fn fetch(&mut self) -> Result<(), CliError> {
        match self.client.deployment(&self.deployment.project, self.deployment.number).await {
            Ok(deployment) => self.deployment = deployment,
            // The event stream says so, waits, and in the end gives up.
            Err(error) if error.is_passing() && !self.events_ended => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// What has been said, phase by phase: the streams of several phases would mix it.
    async fn show_logs_so_far(&mut self) -> Result<(), CliError> {
        for (log, ended) in self.wanted_logs() {
            let mut from = 0;
            while let Some(next) = self.show_page(&log, from).await? {
                from = next;
            }
            self.logs.insert(log.clone());
            if !ended {
                self.follow_log(&log, from);
            }
        }
        Ok(())
    }

    /// Where the next page begins, unless this one was empty.
    async fn show_page(&mut self, log: &PhaseLog, from: u64) -> Result<Option<u64>, CliError> {
        let page = self.client.log_lines(&self.deployment.project, log, from).await?;
        page.items.iter().for_each(|line| self.view.log(line));
        Ok(page.items.last().map(|line| line.place() + 1))
    }

    fn follow_new_logs(&mut self) {
        for (log, _) in self.wanted_logs() {
            if self.logs.insert(log.clone()) {
                self.follow_log(&log, 0);
            }
        }
    }

    fn follow_log(&mut self, log: &PhaseLog, from: u64) {
        let lines = self.client.follow_log(&self.deployment.project, log, from);
        self.open_logs += 1;
        tokio::spawn(hear(lines, self.sender.clone(), News::Log, News::LogEnded));
    }

    fn wanted_logs(&self) -> Vec<(PhaseLog, bool)> {
        match &self.watch.what {
            What::Deployment { .. } => wanted_logs(&self.deployment, None),
            What::Logs { phase } => wanted_logs(&self.deployment, phase.as_deref()),
        }
    }

    /// They come a moment after the status.
    async fn last_words(&mut self) -> Result<(), CliError> {
        let deadline = Instant::now() + LAST_WORDS_MAY_TAKE;
        while self.open_logs > 0 || !self.events_ended {
            match tokio::time::timeout_at(deadline, self.news.recv()).await {
                Ok(Some(news)) => self.hear(news)?,
                Ok(None) | Err(_) => break,
            };
        }
        self.drain()
    }
}

/// The logs of a deployment, in the order they are written: the plan, the phases, and what comes after them.
pub fn log_names(deployment: &Deployment) -> impl Iterator<Item = &str> {
    let phases = deployment.phases.iter().map(|phase| phase.name.as_str());
    ["plan"].into_iter().chain(phases).chain(["gates", "undo"])
}

/// Of what has begun, and whether it has ended.
fn wanted_logs(deployment: &Deployment, only: Option<&str>) -> Vec<(PhaseLog, bool)> {
    let over = ending(&deployment.status).is_some();
    let wanted = log_names(deployment).filter(|name| only.is_none_or(|only| only == *name));
    let begun = wanted.filter_map(|name| Some((name, over || has_ended(deployment, name)?)));
    let log = |name: &str| PhaseLog { number: deployment.number, attempt: deployment.attempt, phase: name.to_owned() };
    begun.map(|(name, ended)| (log(name), ended)).collect()
}

/// Of the log of this name; `None` before it has begun.
fn has_ended(deployment: &Deployment, log: &str) -> Option<bool> {
    match log {
        "plan" => Some(false),
        "gates" => deployment.gates.iter().any(|gate| gate.at.is_some()).then_some(false),
        // It comes after a failure, also of a gate, or not at all: then its log is empty.
        "undo" => {
            let is_red = |gate: &Gate| gate.outcome.as_deref().is_some_and(|outcome| outcome != "pass");
            (deployment.failure.is_some() || deployment.gates.iter().any(is_red)).then_some(false)
        }
        phase => {
            let phase = deployment.phases.iter().find(|known| known.name == phase)?;
            phase.started_at.is_some().then_some(phase.ended_at.is_some())
        }
    }
}

/// Passes on what a stream tells, until it ends.
async fn hear<T: DeserializeOwned + Placed>(
    mut stream: Follow<T>,
    sender: mpsc::Sender<News>,
    item: fn(T) -> News,
    end: News,
) {
    let last = loop {
        let news = match stream.next().await {
            Ok(Some(Followed::Item(found))) => item(found),
            Ok(Some(Followed::Lost { cause, .. })) => News::Lost(cause),
            Ok(Some(Followed::Back)) => News::Back,
            Ok(None) => break end,
            Err(error) => break News::Failed(error),
        };
        if sender.send(news).await.is_err() {
            return;
        }
    };
    // Nobody may be there any more to hear that it is over.
    let _ = sender.send(last).await;
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::cli::show::testing::{failed, pending, running};

    #[test]
    fn every_end_has_its_exit_code_and_nothing_else_ends() {
        let ends = ["SUCCEEDED", "FAILED", "REJECTED", "ABORTED", "STOPPED", "TIMED_OUT"].map(ending);
        assert_eq!(ends, [Some(0), Some(1), Some(1), Some(1), Some(1), Some(5)]);
        assert_eq!(["QUEUED", "PENDING_APPROVAL", "IN_PROGRESS"].map(ending), [None; 3]);
    }

    #[test]
    fn who_waited_in_vain_is_told_by_the_exit_code() {
        let exit_code = |deployment| how_it_ended(&deployment).map_err(|error| error.exit_code());
        let succeeded = Deployment { status: "SUCCEEDED".to_owned(), ..failed() };
        assert_eq!([succeeded, failed(), running()].map(exit_code), [Ok(()), Err(exit::FAILED), Err(exit::TIMED_OUT)]);
    }

    #[test]
    fn who_gave_up_is_told_how_it_stands_or_stood() {
        let told = |host_is_away| timed_out(&running(), host_is_away).shown(&look());
        expect![[r#"
            error: shop/7 is still IN_PROGRESS; it goes on without being watched
             hint: `lockgate deployment logs 7 -f -p shop` watches it again"#]]
        .assert_eq(&told(false));
        expect![[r#"
            error: shop/7 was IN_PROGRESS when the host answered last, which it does no longer
             hint: it goes on when the host is there again: `lockgate deployment logs 7 -f -p shop` watches it again"#]]
        .assert_eq(&told(true));
    }

    #[test]
    fn the_last_line_says_how_it_ended() {
        expect![[r#"
            shop/7  v1.4.0 to production  FULL  FAILED after 1 min 58 s
              Failed in gates: not all gates passed in 2 minutes: homepage"#]]
        .assert_eq(&end_line(&look(), &failed()));
    }

    #[test]
    fn logs_are_wanted_of_what_has_begun() {
        let names = |deployment: &Deployment, only| {
            let name = |(log, ended): (PhaseLog, bool)| format!("{}{}", log.phase, if ended { "." } else { "" });
            wanted_logs(deployment, only).into_iter().map(name).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&pending(), None), "plan");
        assert_eq!(names(&running(), None), "plan announce. publish");
        assert_eq!(names(&running(), Some("publish")), "publish");
        assert_eq!(names(&failed(), None), "plan. announce. publish. gates. undo.");
        let undoing = Deployment { status: "IN_PROGRESS".to_owned(), ..failed() };
        assert_eq!(names(&undoing, Some("undo")), "undo");
    }
}
