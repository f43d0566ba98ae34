//! What every command has: a client, and a way to say things to a person or a script.

use std::io::{ErrorKind, IsTerminal, Write};

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
        let colour = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        Self { json, colour, terminal: std::io::stdout().is_terminal() && !json }
    }

    pub fn look(&self) -> Look {
        let now = jiff::Timestamp::from_millisecond(clock::now().0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        Look { now, zone: TimeZone::system(), colour: self.colour }
    }

    /// The answer of a command: the object itself, or what `text` makes of it.
    pub fn answer<T: Serialize>(&self, answer: &T, text: impl FnOnce(&Look, &T) -> String) {
        if self.json { self.json_document(answer) } else { self.line(&text(&self.look(), answer)) }
    }

    /// One of many: an object on a line of its own, or a line of text.
    pub fn item<T: Serialize>(&self, item: &T, text: impl FnOnce(&Look, &T) -> String) {
        if self.json { self.line(&to_json(item, false)) } else { self.line(&text(&self.look(), item)) }
    }

    fn json_document(&self, answer: &impl Serialize) {
        self.line(&to_json(answer, true));
    }

    pub fn line(&self, line: &str) {
        match writeln!(std::io::stdout(), "{line}") {
            Ok(()) => {}
            // `| head` has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(exit::DONE.into()),
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "error: cannot write the output: {error}");
                std::process::exit(exit::FAILED.into());
            }
        }
    }

    /// Said beside the answer, to a person only.
    pub fn note(&self, note: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{note}");
        }
    }

    pub fn error(&self, error: &CliError) {
        let shown = if self.json { to_json(&error.problem(), false) } else { error.shown(&self.error_look()) };
        if !shown.is_empty() {
            let _ = writeln!(std::io::stderr(), "{shown}");
        }
    }

    fn error_look(&self) -> Look {
        let colour = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
        Look { colour, ..self.look() }
    }
}

fn to_json(value: &impl Serialize, pretty: bool) -> String {
    let json = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    json.expect("wire types are plain data")
}
