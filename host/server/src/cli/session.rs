//! What every command has: a client, and a way to say things to a person or a script.

use std::io::{self, ErrorKind, IsTerminal, Write};

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::cli::exit;
use crate::cli::fail::CliError;
use crate::cli::look::Look;
use crate::client::Client;
use crate::clock;
use crate::config::ConnectArgs;

pub struct Session {
    pub client: Client,
    pub out: Out,
}

impl Session {
    pub fn new(connect: &ConnectArgs, out: Out) -> Result<Self, CliError> {
        Ok(Self { client: Client::new(&connect.url, connect.token.clone())?, out })
    }
}

/// Where answers go: text for people, or the API's own objects with `--json`.
#[derive(Debug, Clone)]
pub struct Out {
    pub json: bool,
    colour: bool,
    /// Whether a redrawn view makes sense.
    pub terminal: bool,
}

impl Out {
    pub fn new(json: bool) -> Self {
        Self { json, colour: colours_on(&io::stdout()), terminal: io::stdout().is_terminal() && !json }
    }

    pub fn look(&self) -> Look {
        let now = jiff::Timestamp::from_millisecond(clock::now().0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Look { now, zone: TimeZone::system(), colour: self.colour }
    }

    /// The answer of a command: the object itself, or what `text` makes of it.
    pub fn answer<T: Serialize>(&self, answer: &T, text: impl FnOnce(&Look, &T) -> String) {
        or_end(self.try_answer(answer, text));
    }

    /// For what is said only once: the caller must know whether it was.
    pub fn try_answer<T: Serialize>(&self, answer: &T, text: impl FnOnce(&Look, &T) -> String) -> io::Result<()> {
        let line = if self.json { to_json(answer, true) } else { text(&self.look(), answer) };
        writeln!(io::stdout(), "{line}")
    }

    /// One of many: an object on a line of its own, or a line of text.
    pub fn item<T: Serialize>(&self, item: &T, text: impl FnOnce(&Look, &T) -> String) {
        if self.json { self.line(&to_json(item, false)) } else { self.line(&text(&self.look(), item)) }
    }

    pub fn line(&self, line: &str) {
        or_end(writeln!(io::stdout(), "{line}"));
    }

    /// Said beside the answer, to a person only.
    pub fn note(&self, note: &str) {
        if !self.json {
            let _ = writeln!(io::stderr(), "{note}");
        }
    }

    pub fn error(&self, error: &CliError) {
        let shown = if self.json { to_json(&error.told(), false) } else { error.shown(&self.error_look()) };
        if !shown.is_empty() {
            let _ = writeln!(io::stderr(), "{shown}");
        }
    }

    fn error_look(&self) -> Look {
        Look { colour: colours_on(&io::stderr()), ..self.look() }
    }
}

/// On a terminal that can, unless `NO_COLOR` says otherwise.
pub fn colours_on(stream: &impl anstream::stream::RawStream) -> bool {
    anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never
}

fn or_end(written: io::Result<()>) {
    match written {
        Ok(()) => {}
        // `| head` has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(exit::DONE.into()),
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: cannot write the output: {error}");
            std::process::exit(exit::FAILED.into());
        }
    }
}

fn to_json(value: &impl Serialize, pretty: bool) -> String {
    let json = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    json.expect("wire types are plain data")
}
