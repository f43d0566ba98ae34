//! How things look to a person: times, durations, digests, colours and tables. Data in, text out.

use comfy_table::{Cell, Color, Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use crate::printable::printable;

/// When and where the reader is, and whether what they read on shows colours.
#[derive(Debug, Clone)]
pub struct Look {
    pub now: Timestamp,
    pub zone: TimeZone,
    pub colour: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    /// Somebody has to do something.
    Waiting,
    /// Under way.
    Busy,
    /// Less important than what is around it.
    Quiet,
    Strong,
}

impl Look {
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Waiting => "33",
            Tone::Busy => "36",
            Tone::Quiet => "2",
            Tone::Strong => "1",
        };
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub fn quiet(&self, text: &str) -> String {
        self.paint(Tone::Quiet, text)
    }

    pub fn strong(&self, text: &str) -> String {
        self.paint(Tone::Strong, text)
    }

    /// A status name of the API, as it is there.
    pub fn status(&self, status: &str) -> String {
        match tone_of(status) {
            Some(tone) => self.paint(tone, status),
            None => status.to_owned(),
        }
    }

    /// `09:12:44`, and the day when it is not today's.
    pub fn time(&self, rfc3339: &str) -> String {
        let Ok(at) = rfc3339.parse::<Timestamp>() else { return printable(rfc3339) };
        let (at, now) = (at.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        if at.date() == now.date() {
            at.strftime("%H:%M:%S").to_string()
        } else if at.year() == now.year() {
            at.strftime("%d %b %H:%M:%S").to_string()
        } else {
            at.strftime("%d %b %Y %H:%M:%S").to_string()
        }
    }

    /// `2 min ago`, or `in 29 d`.
    pub fn relative(&self, rfc3339: &str) -> String {
        let Ok(at) = rfc3339.parse::<Timestamp>() else { return printable(rfc3339) };
        let seconds = self.now.as_second() - at.as_second();
        match seconds {
            -1..=1 => "now".to_owned(),
            2.. => format!("{} ago", coarse(seconds.unsigned_abs())),
            _ => format!("in {}", coarse(seconds.unsigned_abs())),
        }
    }

    /// `09:12:44 (2 min ago)`; of what happened just now the time says it.
    pub fn moment(&self, rfc3339: &str) -> String {
        match self.relative(rfc3339).as_str() {
            "now" => self.time(rfc3339),
            relative => format!("{} ({relative})", self.time(rfc3339)),
        }
    }

    /// `21 Dec 07:14 (in 30 d)`: nobody counts the seconds of what is hours away.
    pub fn deadline(&self, rfc3339: &str) -> String {
        let (time, relative) = (self.time(rfc3339), self.relative(rfc3339));
        let is_far = rfc3339.parse::<Timestamp>().is_ok_and(|at| at.as_second() - self.now.as_second() >= 3_600);
        match time.rsplit_once(':') {
            Some((minutes, _)) if is_far => format!("{minutes} ({relative})"),
            Some(_) | None => format!("{time} ({relative})"),
        }
    }

    /// From one time to another, or to now.
    pub fn took(&self, from: &str, until: Option<&str>) -> String {
        let until = match until {
            Some(until) => until.parse().unwrap_or(self.now),
            None => self.now,
        };
        let Ok(from) = from.parse::<Timestamp>() else { return String::new() };
        duration(until.duration_since(from).as_millis().try_into().unwrap_or(0))
    }

    pub fn table(&self, header: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if self.colour {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        let head = |text: &&str| if self.colour { Cell::new(text).fg(Color::DarkGrey) } else { Cell::new(text) };
        table.set_header(header.iter().map(head).collect::<Vec<_>>());
        table.add_rows(rows.into_iter().map(|row| row.into_iter().map(cell).collect::<Vec<_>>()));
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 2));
        });
        let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n")
    }
}

/// The table measures plain text and colours it itself.
fn cell(text: String) -> Cell {
    let cell = Cell::new(&text);
    match tone_of(&text) {
        Some(Tone::Good) => cell.fg(Color::Green),
        Some(Tone::Bad) => cell.fg(Color::Red),
        Some(Tone::Waiting) => cell.fg(Color::Yellow),
        Some(Tone::Busy) => cell.fg(Color::Cyan),
        Some(Tone::Quiet) => cell.fg(Color::DarkGrey),
        Some(Tone::Strong) | None => cell,
    }
}

/// Of every status name there is: of deployments, attempts, phases, releases, approvals, gates, back-tests and plugins.
fn tone_of(status: &str) -> Option<Tone> {
    Some(match status {
        "SUCCEEDED" | "IN_SYNC" | "COMPLETED" | "healthy" | "Succeeded" | "Approved" | "Deployed" | "Active"
        | "active" | "pass" | "passed" => Tone::Good,
        "FAILED" | "missing" | "REJECTED" | "TIMED_OUT" | "Failed" | "Rejected" | "fail" | "error" | "stopped" => {
            Tone::Bad
        }
        "PENDING_APPROVAL" | "OUT_OF_SYNC" | "degraded" | "Pending" | "pending" | "inconclusive" | "unknown"
        | "PartiallySucceeded" => Tone::Waiting,
        "IN_PROGRESS" | "InProgress" | "Running" => Tone::Busy,
        "QUEUED" | "Queued" | "Waiting" | "Deferred" | "ABORTED" | "STOPPED" | "Canceled" | "Skipped" | "Abandoned"
        | "Superseded" | "superseded" | "revoked" | "canceled" | "not-ended" => Tone::Quiet,
        _ => return None,
    })
}

/// `850 ms`, `4.2 s`, `2 min 3 s`, `1 h 4 min`, `3 d 2 h`.
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0 => format!("{ms} ms"),
        1..10 => format!("{}.{} s", seconds, ms % 1_000 / 100),
        10..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
}

fn coarse(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

pub fn bytes(count: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (count as f64 / 1_024.0, 0);
    while value >= 1_024.0 && unit + 1 < units.len() {
        value /= 1_024.0;
        unit += 1;
    }
    if count < 1_024 { format!("{count} B") } else { format!("{value:.1} {}", units[unit]) }
}

/// Enough of a digest to tell it from others by eye.
pub fn short(digest: &str) -> String {
    digest.strip_prefix("sha256:").unwrap_or(digest).chars().take(12).collect()
}

/// One word of a command line, for a person to copy: no shell takes it for more.
pub fn shell_word(text: &str) -> String {
    let text = printable(text);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._/:=@%+,-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Some text in quotes on one line, or nothing.
pub fn quoted(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\"{}\"", printable(text)) }
}

pub fn or_dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// Half past nine in the morning, without colours.
    pub fn look() -> Look {
        Look { now: "2026-03-14T09:30:00Z".parse().unwrap(), zone: TimeZone::UTC, colour: false }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::look;
    use super::*;

    #[test]
    fn a_time_shows_its_day_only_when_it_is_not_today() {
        let times = ["2026-03-14T09:12:44.120Z", "2026-03-13T23:59:59Z", "2025-12-31T00:00:00Z", "soon\u{1b}[2J"];
        let shown = times.map(|time| look().time(time));
        assert_eq!(shown, ["09:12:44", "13 Mar 23:59:59", "31 Dec 2025 00:00:00", "soon\u{fffd}[2J"]);
    }

    #[test]
    fn a_time_is_told_from_where_the_reader_is() {
        let look = Look { zone: TimeZone::fixed(jiff::tz::offset(2)), ..look() };
        assert_eq!(look.time("2026-03-14T23:12:44Z"), "15 Mar 01:12:44");
    }

    #[test]
    fn relative_times() {
        let times = ["09:30:00.4", "09:29:30", "09:28:00", "06:10:00", "09:32:05"];
        let shown = times.map(|time| look().relative(&format!("2026-03-14T{time}Z")));
        assert_eq!(shown, ["now", "30 s ago", "2 min ago", "3 h ago", "in 2 min"]);
        assert_eq!(look().relative("2026-04-13T09:31:00Z"), "in 30 d");
    }

    #[test]
    fn a_shell_takes_a_word_for_a_word() {
        let shown = ["https://a.example:443", "a b", "$(rm -rf ~)", "it's", "x\u{1b}[2J", ""].map(shell_word);
        assert_eq!(shown, ["https://a.example:443", "'a b'", "'$(rm -rf ~)'", r"'it'\''s'", "'x\u{fffd}[2J'", "''"]);
    }

    #[test]
    fn durations() {
        let shown = [0, 850, 4_250, 12_900, 123_000, 120_000, 3_840_000, 266_400_000].map(duration);
        assert_eq!(shown, ["0 ms", "850 ms", "4.2 s", "12 s", "2 min 3 s", "2 min", "1 h 4 min", "3 d 2 h"]);
    }

    #[test]
    fn sizes() {
        assert_eq!(
            [0, 1_023, 1_024, 10 << 20, 3 << 40].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "10.0 MiB", "3.0 TiB"]
        );
    }

    #[test]
    fn colours_do_not_move_the_columns_of_a_table() {
        let rows = || vec![vec!["7".to_owned(), "SUCCEEDED".to_owned(), "v1".to_owned()]];
        let header = ["NUMBER", "STATUS", "RELEASE"];
        let plain = look().table(&header, rows());
        assert_eq!(plain, "NUMBER  STATUS     RELEASE\n7       SUCCEEDED  v1");
        let coloured = Look { colour: true, ..look() }.table(&header, rows());
        assert!(coloured.contains("\u{1b}["));
    }
}
