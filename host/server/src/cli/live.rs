//! Watches a deployment to its end: a redrawn block on a terminal, plain lines elsewhere.
//!
//! What happened comes from the event stream and the phases' log streams; what is shown is always the deployment as
//! the host has it, fetched again after events. Leaving changes nothing: the deployment goes on without being watched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::cli::exit;
use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, duration, printable};
use crate::cli::session::{Out, Session};
use crate::cli::show;
use crate::client::{Client, ClientError, Follow, Followed, PhaseLog, Placed};
use crate::wire::{Blocker, Deployment, Event, Gate, LogLine};

/// Running durations grow in the block.
const REDRAW_EVERY: Duration = Duration::from_millis(500);
/// Also without an event: a place in the queue can change without one.
const FETCH_EVERY: Duration = Duration::from_secs(5);
const BLOCKER_LASTS: Duration = Duration::from_secs(1);
const MAX_FIELD_CHARS: usize = 120;
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
    let mut watching = Watching::start(session, deployment, watch, view);
    let ended = tokio::select! {
        ended = watching.until_the_end() => ended,
        () = at(deadline) => Err(timed_out(&watching.deployment)),
    };
    watching.view.close();
    ended?;
    let deployment = &watching.deployment;
    match &watching.view {
        // Log lines only: a script reads them one by one.
        View::Objects(_) => {}
        View::Block(_) | View::Lines(_) | View::Silent => session.out.answer(deployment, end_line),
    }
    match ending(&deployment.status) {
        Some(exit::DONE) | None => Ok(()),
        Some(exit_code) => Err(CliError::EndedBadly { exit_code, status: deployment.status.clone() }),
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn timed_out(deployment: &Deployment) -> CliError {
    let Deployment { id, number, project, status, .. } = deployment;
    CliError::TimedOut {
        what: format!("{id} is still {status}; it goes on without being watched"),
        hint: format!("`lockgate deployment logs {number} -f -p {project}` watches it again"),
    }
}

fn end_line(look: &Look, deployment: &Deployment) -> String {
    let mut line = format!("{} after {}", show::title(look, deployment), duration(deployment.time_taken_ms));
    if let Some(failure) = &deployment.failure {
        line.push_str(&format!("\n  {}", show::failure(look, failure)));
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

// ---- what is shown ----

enum View<'a> {
    /// Redrawn in place, with what happens scrolling above it.
    Block(Block<'a>),
    Lines(Lines<'a>),
    /// A JSON object for each log line.
    Objects(&'a Out),
    /// JSON of the deployment, when it has ended.
    Silent,
}

impl<'a> View<'a> {
    fn new(out: &'a Out, what: &What) -> Self {
        match (out.json, what) {
            (true, What::Logs { .. }) => View::Objects(out),
            (true, What::Deployment { .. }) => View::Silent,
            (false, _) if out.terminal => View::Block(Block::new(out)),
            (false, _) => View::Lines(Lines { out, told: Told::default(), blockers: Blockers::default() }),
        }
    }

    fn event(&mut self, event: &Event) {
        match self {
            View::Block(block) => {
                if block.told.is_news(event) {
                    block.scroll(&event_line(&block.out.look(), event));
                }
            }
            View::Lines(lines) => {
                if lines.told.is_news(event) {
                    lines.out.line(&event_line(&lines.out.look(), event));
                }
            }
            View::Objects(_) | View::Silent => {}
        }
    }

    fn log(&mut self, line: &LogLine) {
        match self {
            View::Block(block) => block.scroll(&log_line(&block.out.look(), line)),
            View::Lines(lines) => lines.out.line(&log_line(&lines.out.look(), line)),
            View::Objects(out) => out.item(line, log_line),
            View::Silent => {}
        }
    }

    fn note(&mut self, note: &str) {
        match self {
            View::Block(block) => block.scroll(&block.out.look().paint(Tone::Waiting, note)),
            View::Lines(lines) => lines.out.note(note),
            View::Objects(_) | View::Silent => {}
        }
    }

    fn update(&mut self, deployment: &Deployment) {
        match self {
            View::Block(block) => block.draw(rows(&block.out.look(), deployment)),
            View::Lines(lines) => {
                // What runs is told by its events and logs.
                let running = deployment.status == "IN_PROGRESS";
                let blockers = if running { &[][..] } else { &deployment.waiting_for };
                for blocker in lines.blockers.worth_telling(blockers, Instant::now()) {
                    lines.out.line(&format!("waits for {}", show::blocked(&lines.out.look(), blocker)));
                }
            }
            View::Objects(_) | View::Silent => {}
        }
    }

    fn close(&mut self) {
        match self {
            // What it showed last is said in full by the line that follows.
            View::Block(block) => block.draw(Vec::new()),
            View::Lines(_) | View::Objects(_) | View::Silent => {}
        }
    }
}

pub fn event_line(look: &Look, event: &Event) -> String {
    let text = if event.text.is_empty() { &event.event_type } else { &event.text };
    format!("{}  {}", look.quiet(&look.time(&event.at)), printable(text))
}

pub fn log_line(look: &Look, line: &LogLine) -> String {
    let tone = match line.level.to_ascii_lowercase().as_str() {
        "error" => Some(Tone::Bad),
        "warn" | "warning" => Some(Tone::Waiting),
        "debug" | "trace" => Some(Tone::Quiet),
        _ => None,
    };
    let mut text = printable(&line.message);
    for (name, value) in &line.fields {
        text.push_str(&format!(" {}={}", printable(name), printable(&excerpt(value))));
    }
    let text = match tone {
        Some(tone) => look.paint(tone, &text),
        None => text,
    };
    format!("{}  {} | {text}", look.quiet(&look.time(&line.time)), printable(&line.phase))
}

/// A gate's whole evidence is a field, too; all of it is in the JSON.
fn excerpt(value: &str) -> String {
    match value.char_indices().nth(MAX_FIELD_CHARS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// What is worth a line to somebody who watches: each call is not, and a gate is when it says something new.
#[derive(Debug, Default)]
struct Told {
    /// What was said last, by kind of event and gate.
    gates: BTreeMap<(String, String), String>,
}

impl Told {
    fn is_news(&mut self, event: &Event) -> bool {
        match event.event_type.as_str() {
            "call_started" | "call_answered" | "gate_round_started" => false,
            "gate_judged" | "gate_round_ended" => {
                let gate = event.details["gate"].as_str().unwrap_or_default().to_owned();
                let last = self.gates.insert((event.event_type.clone(), gate), event.text.clone());
                last.as_deref() != Some(event.text.as_str())
            }
            _ => true,
        }
    }
}

struct Lines<'a> {
    out: &'a Out,
    told: Told,
    blockers: Blockers,
}

/// What a deployment waits for, since when, and whether that was told.
#[derive(Debug, Default)]
struct Blockers {
    seen: BTreeMap<String, (Instant, bool)>,
}

impl Blockers {
    /// Each once, and only those that last: most are gone before anybody could read them.
    fn worth_telling<'b>(&mut self, blockers: &'b [Blocker], now: Instant) -> Vec<&'b Blocker> {
        self.seen.retain(|reason, _| blockers.iter().any(|blocker| blocker.reason == *reason));
        let mut worth_telling = Vec::new();
        for blocker in blockers {
            let (since, told) = self.seen.entry(blocker.reason.clone()).or_insert((now, false));
            if !*told && now.duration_since(*since) >= BLOCKER_LASTS {
                *told = true;
                worth_telling.push(blocker);
            }
        }
        worth_telling
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    /// With a spinner.
    busy: bool,
    text: String,
}

/// Where the deployment stands, in a few lines.
fn rows(look: &Look, deployment: &Deployment) -> Vec<Row> {
    let still = |text: String| Row { busy: false, text };
    let mut rows = vec![Row { busy: ending(&deployment.status).is_none(), text: show::title(look, deployment) }];
    rows.extend(deployment.waiting_for.iter().map(|blocker| still(format!("  {}", show::blocked(look, blocker)))));
    let width = show::name_width(&deployment.phases);
    for phase in &deployment.phases {
        let text = show::phase_text(look, phase, width);
        rows.push(match phase.status.as_str() {
            "Running" => Row { busy: true, text },
            status => still(format!("{} {text}", show::phase_mark(look, status))),
        });
    }
    rows.extend(deployment.gates.iter().map(|gate| still(show::gate_line(look, gate).trim_start().to_owned())));
    rows
}

struct Block<'a> {
    out: &'a Out,
    told: Told,
    bars: MultiProgress,
    drawn: Vec<(Row, ProgressBar)>,
}

impl<'a> Block<'a> {
    fn new(out: &'a Out) -> Self {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        Self { out, told: Told::default(), bars, drawn: Vec::new() }
    }

    fn scroll(&self, line: &str) {
        // A terminal that is gone is noticed by the line at the end.
        let _ = self.bars.println(line);
    }

    fn draw(&mut self, rows: Vec<Row>) {
        for (_, extra) in self.drawn.drain(rows.len().min(self.drawn.len())..) {
            extra.finish_and_clear();
            self.bars.remove(&extra);
        }
        for (index, row) in rows.into_iter().enumerate() {
            match self.drawn.get_mut(index) {
                Some((drawn, _)) if *drawn == row => {}
                Some((drawn, bar)) => {
                    dress(bar, &row);
                    *drawn = row;
                }
                None => {
                    let bar = self.bars.add(ProgressBar::new_spinner());
                    dress(&bar, &row);
                    self.drawn.push((row, bar));
                }
            }
        }
    }
}

fn dress(bar: &ProgressBar, row: &Row) {
    let template = if row.busy { "{spinner} {wide_msg}" } else { "{wide_msg}" };
    bar.set_style(ProgressStyle::with_template(template).expect("the template is right"));
    bar.set_message(row.text.clone());
    if row.busy {
        bar.enable_steady_tick(Duration::from_millis(100));
    } else {
        bar.disable_steady_tick();
        bar.tick();
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::cli::show::testing::{failed, pending, running};

    fn event(event_type: &str, text: &str) -> Event {
        Event {
            sequence: 1,
            at: "2026-03-14T09:29:31Z".to_owned(),
            event_type: event_type.to_owned(),
            text: text.to_owned(),
            status: None,
            details: serde_json::Value::Null,
        }
    }

    fn block(deployment: &Deployment) -> String {
        let line = |row: &Row| format!("{}{}", if row.busy { "* " } else { "" }, row.text);
        rows(&look(), deployment).iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn every_end_has_its_exit_code_and_nothing_else_ends() {
        let ends = ["SUCCEEDED", "FAILED", "REJECTED", "ABORTED", "STOPPED", "TIMED_OUT"].map(ending);
        assert_eq!(ends, [Some(0), Some(1), Some(1), Some(1), Some(1), Some(5)]);
        assert_eq!(["QUEUED", "PENDING_APPROVAL", "IN_PROGRESS"].map(ending), [None; 3]);
    }

    #[test]
    fn the_block_shows_what_is_waited_for() {
        expect![[r#"
            * shop/7  v1.4.0 to production  FULL  PENDING_APPROVAL
              approval: 1 of operators, not ann   until 13 Apr 09:28 (in 29 d)
            · announce  http-request
            · publish   apply site"#]]
        .assert_eq(&block(&pending()));
    }

    #[test]
    fn the_block_spins_where_something_runs() {
        expect![[r#"
            * shop/7  v1.4.0 to production  FULL  IN_PROGRESS
            ✓ announce  http-request  1.2 s  POST answered 200
            * publish   apply site  27 s  try 2  120 of 400 files"#]]
        .assert_eq(&block(&running()));
    }

    #[test]
    fn the_last_line_says_how_it_ended() {
        expect![[r#"
            shop/7  v1.4.0 to production  FULL  FAILED after 1 min 58 s
              Failed in gates: not all gates passed in 2 minutes: homepage"#]]
        .assert_eq(&end_line(&look(), &failed()));
    }

    #[test]
    fn a_gate_is_told_when_it_says_something_new() {
        let mut told = Told::default();
        let mut judged = |gate: &str, text: &str| {
            let details = serde_json::json!({ "gate": gate });
            told.is_news(&Event { details, ..event("gate_judged", text) })
        };
        assert_eq!([judged("a", "fail"), judged("b", "fail"), judged("a", "fail")], [true, true, false]);
        assert_eq!([judged("a", "pass"), judged("b", "fail"), judged("a", "fail")], [true, false, true]);
        let rounds =
            ["green", "green", "not green", "green"].map(|text| told.is_news(&event("gate_round_ended", text)));
        assert_eq!(rounds, [true, false, true, true]);
        let others = ["call_started", "phase_started", "phase_started"].map(|kind| told.is_news(&event(kind, "x")));
        assert_eq!(others, [false, true, true]);
    }

    #[test]
    fn a_blocker_is_told_once_and_when_it_lasts() {
        let start = Instant::now();
        let blockers = pending().waiting_for;
        let mut seen = Blockers::default();
        let mut told = |blockers: &[Blocker], ms| seen.worth_telling(blockers, start + Duration::from_millis(ms)).len();
        let counts = [told(&blockers, 0), told(&blockers, 500), told(&blockers, 1_000), told(&blockers, 1_500)];
        assert_eq!(counts, [0, 0, 1, 0]);
        assert_eq!([told(&[], 2_000), told(&blockers, 2_500), told(&blockers, 3_500)], [0, 0, 1]);
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

    #[test]
    fn lines_of_events_and_logs() {
        let line = LogLine {
            position: 3,
            time: "2026-03-14T09:29:40Z".to_owned(),
            level: "info".to_owned(),
            phase: "publish".to_owned(),
            attempt: 1,
            try_number: 1,
            deployment_type: "REGULAR".to_owned(),
            message: "wrote \u{1b}[2J".to_owned(),
            fields: [("files".to_owned(), "120".to_owned()), ("text".to_owned(), "é".repeat(200))].into(),
        };
        let lines = [event_line(&look(), &event("phase_started", "publish started")), log_line(&look(), &line)];
        expect![[r#"
            09:29:31  publish started
            09:29:40  publish | wrote �[2J files=120 text=éééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé…"#]]
        .assert_eq(&lines.join("\n"));
    }
}
