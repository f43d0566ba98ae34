//! How a deployment that is watched looks: a redrawn block, plain lines, or objects. It is told what happened, and keeps
//! nothing but what it has said already.

use std::collections::BTreeMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::{What, ending};
use crate::cli::look::{Look, Tone, printable};
use crate::cli::session::Out;
use crate::cli::show;
use crate::wire::{Blocker, Deployment, Event, LogLine};

const BLOCKER_LASTS: Duration = Duration::from_secs(1);
const MAX_FIELD_CHARS: usize = 120;

pub enum View<'a> {
    /// Redrawn in place, with what happens scrolling above it.
    Block(Block<'a>),
    Lines(Lines<'a>),
    /// A JSON object for each log line.
    Objects(&'a Out),
    /// JSON of the deployment, when it has ended.
    Silent,
}

impl<'a> View<'a> {
    pub fn new(out: &'a Out, what: &What) -> Self {
        match (out.json, what) {
            (true, What::Logs { .. }) => View::Objects(out),
            (true, What::Deployment { .. }) => View::Silent,
            (false, _) if out.terminal => View::Block(Block::new(out)),
            (false, _) => View::Lines(Lines { out, told: Told::default(), blockers: Blockers::default() }),
        }
    }

    /// So that its number stands in the log, whatever happens next.
    pub fn begin(&self, deployment: &Deployment) {
        match self {
            View::Lines(lines) => lines.out.line(&show::title(&lines.out.look(), deployment)),
            // It shows so all the time, or nothing but what was asked for.
            View::Block(_) | View::Objects(_) | View::Silent => {}
        }
    }

    pub fn event(&mut self, event: &Event) {
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

    pub fn log(&mut self, line: &LogLine) {
        match self {
            View::Block(block) => block.scroll(&log_line(&block.out.look(), line)),
            View::Lines(lines) => lines.out.line(&log_line(&lines.out.look(), line)),
            View::Objects(out) => out.item(line, log_line),
            View::Silent => {}
        }
    }

    pub fn note(&mut self, note: &str) {
        match self {
            View::Block(block) => block.scroll(&block.out.look().paint(Tone::Waiting, note)),
            View::Lines(lines) => lines.out.note(note),
            View::Objects(_) | View::Silent => {}
        }
    }

    pub fn update(&mut self, deployment: &Deployment) {
        match self {
            View::Block(block) => block.draw(rows(&block.out.look(), deployment)),
            View::Lines(lines) => {
                // What runs is told by its events and logs.
                let running = deployment.status == "IN_PROGRESS";
                let blockers = if running { &[][..] } else { &deployment.waiting_for };
                for blocker in lines.blockers.worth_telling(blockers, Instant::now()) {
                    lines.out.line(&show::blocked_line(&lines.out.look(), "waits: ", blocker));
                }
            }
            View::Objects(_) | View::Silent => {}
        }
    }

    pub fn close(&mut self) {
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

pub struct Lines<'a> {
    out: &'a Out,
    told: Told,
    blockers: Blockers,
}

/// What a deployment waits for, since when, and whether that was told.
#[derive(Debug, Default)]
struct Blockers {
    seen: BTreeMap<(String, Option<String>), (Instant, bool)>,
}

impl Blockers {
    /// Each once, whatever is said of it later, and only those that last: most are gone before anybody could read them.
    fn worth_telling<'b>(&mut self, blockers: &'b [Blocker], now: Instant) -> Vec<&'b Blocker> {
        let which = |blocker: &Blocker| (blocker.code.clone(), blocker.of.clone());
        self.seen.retain(|seen, _| blockers.iter().any(|blocker| which(blocker) == *seen));
        let mut worth_telling = Vec::new();
        for blocker in blockers {
            let (since, told) = self.seen.entry(which(blocker)).or_insert((now, false));
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
    rows.extend(deployment.waiting_for.iter().map(|blocker| still(show::blocked_line(look, "  ", blocker))));
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

pub struct Block<'a> {
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
    use crate::cli::show::testing::{pending, running};

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
    fn the_block_shows_what_is_waited_for() {
        expect![[r#"
            * shop/7  v1.4.0 to production  FULL  PENDING_APPROVAL
              approval: 1 of operators   lifted by whoever is asked, but not ann: `lockgate deployment approve`   fails if not lifted by 13 Apr 09:28 (in 29 d)
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
        let reason = "approval: still 1 of operators; approved by bob".to_owned();
        let later = [Blocker { reason, ..blockers[0].clone() }];
        assert_eq!([told(&later, 1_600), told(&later, 2_700)], [0, 0], "it is the same one");
        assert_eq!([told(&[], 3_000), told(&blockers, 3_500), told(&blockers, 4_500)], [0, 0, 1]);
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
