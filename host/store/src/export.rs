//! The journal as lines of JSON: for other programs to read, and to begin a store from.
//!
//! The first line says what this is. Then comes a line for each event, in the order of the journal, and the last line says
//! how many there were and where each chain ends: without it the export was cut off. Each event stands there byte for
//! byte, so an export of what was imported is the same again.
//!
//! Where events were dropped, what stands for them comes before the others: for each stream a line with the end of its chain
//! there, and a line for each part of its state.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read as _, Write};
use std::path::Path;
use std::sync::mpsc;

use lockgate_journal::{
    self as journal, Base, Beginning, Journal, JournalError, MAX_PART_BYTES, MAX_STATES_BYTES, Record, StreamHead,
};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::folder::{self, Layout};

const FORMAT: &str = "lockgate-journal";
const VERSION: u32 = 1;
/// Of one that begins with what stands for dropped events.
const WITH_BASE: u32 = 2;
/// Around an event: its sequence, and its stream as JSON.
const MOST_AROUND_EVENT: usize = 4 << 10;
/// Taken in with one wait for the disk.
const BYTES_PER_ROUND: usize = 8 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    version: u32,
    /// So many of the first events were dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dropped: Option<u64>,
}

impl Head {
    fn of(base: Option<&Base>) -> Self {
        let dropped = base.map(|base| base.through);
        let version = if dropped.is_some() { WITH_BASE } else { VERSION };
        Self { format: FORMAT.to_owned(), version, dropped }
    }

    fn is_known(&self) -> bool {
        self.format == FORMAT && self.version == if self.dropped.is_some() { WITH_BASE } else { VERSION }
    }
}

/// A stream of which events were dropped. The lines after it are the parts of its state.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begins {
    begins: String,
    records: u64,
    first: u64,
    last: u64,
    hash: String,
}

/// What stands before an event in its line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    sequence: u64,
    stream: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    events: u64,
    heads: BTreeMap<String, ChainEnd>,
    /// SHA-256 of the lines that stand for dropped events: no chain holds them together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dropped: Option<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChainEnd {
    last: u64,
    hash: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("could not read or write the export: {0}")]
    Io(#[from] io::Error),
    #[error("event {sequence} of the journal is no line of JSON: this export cannot hold it")]
    NoLine { sequence: u64 },
    #[error(
        "the state of stream `{stream}`, which stands for its dropped events, is no line of JSON: this export cannot hold it"
    )]
    NoLineOfState { stream: String },
    #[error("line {line} of the export {problem}")]
    Line { line: u64, problem: String },
    #[error("the export ends with line {line}, and has no last one: it was cut off; export it again")]
    CutOff { line: u64 },
    #[error(
        "the chain of stream `{stream}` does not end as the export says: an event in it was changed; export it again"
    )]
    Changed { stream: String },
}

impl From<journal::JournalError> for ExportError {
    fn from(error: journal::JournalError) -> Self {
        Self::Store(error.into())
    }
}

/// Writes the whole journal of a data folder, also of one that a host is using: up to what is there now.
pub fn export(journal: &Path, out: &mut impl Write) -> Result<u64, ExportError> {
    let (verified, base, records) = journal::read(journal)?;
    write(base.as_ref(), records.map(|record| Ok(record?)), &verified.streams, out)
}

/// Writes what the journal begins with, these events after it, and that they end with these heads.
pub fn write(
    base: Option<&Base>,
    records: impl Iterator<Item = Result<Record, StoreError>>,
    heads: &BTreeMap<String, StreamHead>,
    out: &mut impl Write,
) -> Result<u64, ExportError> {
    line(out, &Head::of(base))?;
    let dropped = base.map(|base| write_streams(base, out)).transpose()?;
    let mut events = 0;
    for record in records {
        let Record { sequence, stream, payload, .. } = record?;
        if !is_line(&payload) {
            return Err(ExportError::NoLine { sequence });
        }
        let place = serde_json::to_vec(&Place { sequence, stream }).map_err(io::Error::from)?;
        // The event as it is: written by a serializer it could come out otherwise.
        out.write_all(&place[..place.len() - 1])?;
        out.write_all(EVENT)?;
        out.write_all(&payload)?;
        out.write_all(b"}\n")?;
        events += 1;
    }
    let end = |head: &StreamHead| ChainEnd { last: head.last, hash: head.hash_hex() };
    let heads = heads.iter().map(|(name, head)| (name.clone(), end(head))).collect();
    line(out, &End { events, heads, dropped })?;
    Ok(events)
}

/// Returns the digest of what was written.
fn write_streams(base: &Base, out: &mut impl Write) -> Result<String, ExportError> {
    let mut digest = Sha256::new();
    let mut write = |line: &[u8]| {
        digest.update(line);
        out.write_all(line)
    };
    for (name, Beginning { head, state }) in &base.streams {
        let (begins, hash) = (name.clone(), head.hash_hex());
        let begins = Begins { begins, records: head.records, first: head.first, last: head.last, hash };
        let mut begins = serde_json::to_vec(&begins).map_err(io::Error::from)?;
        begins.push(b'\n');
        write(&begins)?;
        for part in state {
            if !is_line(part) {
                return Err(ExportError::NoLineOfState { stream: name.clone() });
            }
            write(&[STATE, part, b"}\n"].concat())?;
        }
    }
    Ok(hex::encode(digest.finalize()))
}

fn is_line(json: &[u8]) -> bool {
    !json.contains(&b'\n') && serde_json::from_slice::<IgnoredAny>(json).is_ok()
}

/// No name of a stream has it in it: a quote in one stands behind a backslash.
const EVENT: &[u8] = b",\"event\":";
const STATE: &[u8] = b"{\"state\":";

fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// What an import has taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Without those that had been dropped.
    pub events: u64,
    pub streams: BTreeSet<String>,
}

/// Makes a new journal of an export, in the data folder `dir`, which must be empty. Nothing is there under its name before
/// all of it is, and is on disk; where that fails, also where `input` fails to be read, the folder is as it was.
pub fn import(dir: &Path, input: &mut impl BufRead) -> Result<Imported, ExportError> {
    let Layout { unfinished, journal, .. } = Layout::new(dir);
    folder::fill_empty(dir, || {
        let imported = read_in(&unfinished, input)?;
        std::fs::rename(&unfinished, journal)
            .and_then(|()| folder::sync(dir))
            .map_err(StoreError::io("finish", dir))?;
        Ok(imported)
    })
}

/// Takes an export into a new journal in `folder`.
pub(crate) fn read_in(folder: &Path, input: &mut impl BufRead) -> Result<Imported, ExportError> {
    let of_events = journal::Options::default().max_payload_bytes + MOST_AROUND_EVENT;
    let mut lines = Lines { input, read: 0, line: Vec::new(), limit: of_events };
    let dropped = lines.head()?;
    if dropped.is_some() {
        lines.limit = MAX_PART_BYTES + MOST_AROUND_EVENT;
    }
    lines.expect_next()?;
    let digest = dropped.map(|through| lines.begin(folder, through)).transpose()?;
    let (journal, _) = Journal::open(folder, journal::Options::default())?;
    lines.limit = of_events;
    let events = lines.events(&journal, dropped.unwrap_or(0))?;
    let end = lines.end()?;
    if end.dropped != digest {
        return Err(lines.wrong("does not end the export: what stands for dropped events was changed".to_owned()));
    }
    if end.events != events {
        return Err(lines.wrong(format!("does not end the export: it has {events} events, not {}", end.events)));
    }
    if lines.next()? {
        return Err(lines.wrong("follows the end of the export".to_owned()));
    }
    let heads = journal.streams();
    let named: BTreeSet<String> = heads.keys().chain(end.heads.keys()).cloned().collect();
    let chain = |name: &String| heads.get(name).map(|head| ChainEnd { last: head.last, hash: head.hash_hex() });
    match named.iter().find(|name| chain(name).as_ref() != end.heads.get(*name)) {
        Some(stream) => Err(ExportError::Changed { stream: stream.clone() }),
        None => Ok(Imported { events, streams: named }),
    }
}

/// `None`: this is no line of an event.
fn split(line: &[u8]) -> Option<(Place, Vec<u8>)> {
    let at = line.windows(EVENT.len()).position(|window| window == EVENT)?;
    let event = line[at + EVENT.len()..].strip_suffix(b"}")?;
    let place = serde_json::from_slice(&[&line[..at], b"}"].concat()).ok()?;
    serde_json::from_slice::<IgnoredAny>(event).ok()?;
    Some((place, event.to_vec()))
}

struct Lines<'a, R> {
    input: &'a mut R,
    /// Lines so far.
    read: u64,
    line: Vec<u8>,
    limit: usize,
}

impl<R: BufRead> Lines<'_, R> {
    /// Whether there was one: it is in `line`, without its end.
    fn next(&mut self) -> Result<bool, ExportError> {
        self.line.clear();
        let bytes = self.input.by_ref().take(self.limit as u64).read_until(b'\n', &mut self.line)?;
        if bytes == 0 {
            return Ok(false);
        }
        self.read += 1;
        match self.line.pop() {
            Some(b'\n') => Ok(true),
            _ if bytes == self.limit => Err(self.wrong(format!("is longer than {} bytes", self.limit))),
            _ => Err(ExportError::CutOff { line: self.read }),
        }
    }

    fn expect_next(&mut self) -> Result<(), ExportError> {
        if self.next()? { Ok(()) } else { Err(ExportError::CutOff { line: self.read }) }
    }

    /// The first line: how many of the first events were dropped, if some were.
    fn head(&mut self) -> Result<Option<u64>, ExportError> {
        let head: Option<Head> = if self.next()? { serde_json::from_slice(&self.line).ok() } else { None };
        match head.filter(Head::is_known) {
            Some(head) => Ok(head.dropped),
            None => {
                Err(self.wrong(format!("does not begin an export of version {VERSION} or {WITH_BASE} of a journal")))
            }
        }
    }

    /// Begins a journal with what stands for its first events; returns the digest of the lines.
    fn begin(&mut self, folder: &Path, through: u64) -> Result<String, ExportError> {
        let (streams, digest) = self.streams()?;
        journal::begin(folder, &Base { through, streams }).map_err(|error| match error {
            JournalError::NotBegun { .. } => self.wrong("follows dropped events that do not add up".to_owned()),
            error => error.into(),
        })?;
        Ok(digest)
    }

    /// From this line on, up to one that is none; returns how many.
    fn events(&mut self, journal: &Journal, dropped: u64) -> Result<u64, ExportError> {
        let mut round = Round { journal, appends: Vec::new(), bytes: 0 };
        let mut events = 0;
        while let Some((place, event)) = split(&self.line) {
            events += 1;
            if place.sequence != dropped + events {
                let expected = dropped + events;
                return Err(self.wrong(format!("has event {}, where {expected} is expected", place.sequence)));
            }
            round.take(place.stream, event)?;
            self.expect_next()?;
        }
        round.write()?;
        Ok(events)
    }

    fn end(&self) -> Result<End, ExportError> {
        serde_json::from_slice(&self.line)
            .map_err(|error| self.wrong(format!("is neither an event nor the end: {error}")))
    }

    /// What stands for dropped events, up to a line that is none of it, and the digest of its lines.
    fn streams(&mut self) -> Result<(BTreeMap<String, Beginning>, String), ExportError> {
        let (mut streams, mut digest, mut bytes) = (BTreeMap::new(), Sha256::new(), 0);
        let mut add = |line: &[u8]| {
            digest.update(line);
            digest.update(b"\n");
        };
        while let Ok(Begins { begins, records, first, last, hash: hex }) = serde_json::from_slice(&self.line) {
            let mut hash = journal::Hash::default();
            hex::decode_to_slice(&hex, &mut hash).map_err(|error| self.wrong(format!("has no hash: {error}")))?;
            add(&self.line);
            self.expect_next()?;
            let mut state = Vec::new();
            while let Some(part) = self.line.strip_prefix(STATE).and_then(|part| part.strip_suffix(b"}")) {
                if !is_line(part) {
                    return Err(self.wrong("is no part of a state".to_owned()));
                }
                bytes += part.len();
                if bytes > MAX_STATES_BYTES {
                    return Err(
                        self.wrong(format!("is more than the {MAX_STATES_BYTES} bytes of states that are taken"))
                    );
                }
                state.push(part.to_vec());
                add(&self.line);
                self.expect_next()?;
            }
            let beginning = Beginning { head: StreamHead { records, first, last, hash }, state };
            if streams.insert(begins, beginning).is_some() {
                return Err(self.wrong("follows a stream that was there before".to_owned()));
            }
        }
        Ok((streams, hex::encode(digest.finalize())))
    }

    fn wrong(&self, problem: String) -> ExportError {
        ExportError::Line { line: self.read.max(1), problem }
    }
}

/// Events that are written together.
struct Round<'a> {
    journal: &'a Journal,
    appends: Vec<(String, Vec<Vec<u8>>)>,
    bytes: usize,
}

impl Round<'_> {
    fn take(&mut self, stream: String, event: Vec<u8>) -> Result<(), ExportError> {
        self.bytes += journal::framed_bytes(&stream, std::slice::from_ref(&event));
        match self.appends.last_mut() {
            Some((last, events)) if *last == stream => events.push(event),
            Some(_) | None => self.appends.push((stream, vec![event])),
        }
        if self.bytes < BYTES_PER_ROUND { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> Result<(), ExportError> {
        let (tell, told) = mpsc::channel();
        self.bytes = 0;
        for (stream, events) in self.appends.drain(..) {
            let tell = tell.clone();
            // Whoever waits is below, until all have told.
            self.journal.append(&stream, events, move |result| drop(tell.send(result.map(drop))));
        }
        drop(tell);
        Ok(told.iter().collect::<Result<(), _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use tempfile::TempDir;

    use super::*;

    /// A data folder with a journal of these events, and its export.
    fn exported(events: &[(&str, &str)]) -> (TempDir, Vec<u8>) {
        let data = TempDir::new().unwrap();
        let (journal, _) = Journal::open(&data.path().join("journal"), journal::Options::default()).unwrap();
        for (stream, event) in events {
            let mut round = Round { journal: &journal, appends: Vec::new(), bytes: 0 };
            round.take((*stream).to_owned(), event.as_bytes().to_vec()).unwrap();
            round.write().unwrap();
        }
        drop(journal);
        let text = export_of(data.path());
        (data, text)
    }

    fn export_of(data: &Path) -> Vec<u8> {
        let mut text = Vec::new();
        export(&data.join("journal"), &mut text).unwrap();
        text
    }

    fn three() -> Vec<u8> {
        exported(&[("@system", r#"{"made":"shop"}"#), ("shop", "[1.0,2]"), ("shop", r#"{ "a": ",\"event\":" }"#)]).1
    }

    #[test]
    fn an_export_of_what_was_imported_is_the_same_again() {
        let text = three();
        expect![[r#"
            {"format":"lockgate-journal","version":1}
            {"sequence":1,"stream":"@system","event":{"made":"shop"}}
            {"sequence":2,"stream":"shop","event":[1.0,2]}
            {"sequence":3,"stream":"shop","event":{ "a": ",\"event\":" }}
            {"events":3,"heads":{"@system":{"last":1,"hash":"f3"},"shop":{"last":3,"hash":"f3"}}}
        "#]]
        .assert_eq(&without_hashes(&text));
        let dir = TempDir::new().unwrap();
        let imported = import(dir.path(), &mut text.as_slice()).unwrap();
        assert_eq!(imported, Imported { events: 3, streams: ["@system", "shop"].map(str::to_owned).into() });
        assert_eq!(export_of(dir.path()), text);
    }

    fn without_hashes(text: &[u8]) -> String {
        let text = String::from_utf8(text.to_vec()).unwrap();
        let mut parts = text.split("\"hash\":\"");
        let first = parts.next().unwrap().to_owned();
        parts.fold(first, |text, part| format!("{text}\"hash\":\"f3{}", &part[64..]))
    }

    /// An export of a journal of which the first events were dropped.
    fn dropped() -> Vec<u8> {
        let data = TempDir::new().unwrap();
        let options = journal::Options { segment_bytes: 256, ..journal::Options::default() };
        let (journal, _) = Journal::open(&data.path().join("journal"), options).unwrap();
        for (stream, event) in [("@system", r#"{"made":"shop"}"#), ("shop", "[1]"), ("shop", "[2]"), ("shop", "[3]")] {
            let mut round = Round { journal: &journal, appends: Vec::new(), bytes: 0 };
            round.take(stream.to_owned(), event.as_bytes().to_vec()).unwrap();
            round.write().unwrap();
        }
        let through = *journal.full_segments().unwrap().last().unwrap().end();
        let system = vec![br#"{"state":{"projects":["shop"]}}"#.to_vec(), b"[1.0]".to_vec()];
        let states = [("@system".to_owned(), system), ("shop".to_owned(), Vec::new())];
        journal.drop_through(through, states.into()).unwrap();
        drop(journal);
        export_of(data.path())
    }

    #[test]
    fn what_stands_for_dropped_events_comes_back_too() {
        let text = dropped();
        expect![[r#"
            {"format":"lockgate-journal","version":2,"dropped":3}
            {"begins":"@system","records":1,"first":1,"last":1,"hash":"f3"}
            {"state":{"state":{"projects":["shop"]}}}
            {"state":[1.0]}
            {"begins":"shop","records":2,"first":2,"last":3,"hash":"f3"}
            {"sequence":4,"stream":"shop","event":[3]}
            {"events":1,"heads":{"@system":{"last":1,"hash":"f3"},"shop":{"last":4,"hash":"f3"}},"dropped":"31cec224d46f4797494e3a49bd9e936d7f99ddf970b80a67a4c2c8e1be235c86"}
        "#]]
        .assert_eq(&without_hashes(&text));
        let dir = TempDir::new().unwrap();
        assert_eq!(import(dir.path(), &mut text.as_slice()).unwrap().events, 1);
        assert_eq!(export_of(dir.path()), text);
    }

    #[test]
    fn what_stands_for_dropped_events_is_whole_or_refused() {
        let changes: [fn(&str) -> String; 11] = [
            |text| text.replace("{\"state\":[1.0]}", "{\"state\":[1.1]}"),
            |text| lines(text, &[0, 1, 2, 4, 5, 6]),
            |text| lines(text, &[0, 1, 2]),
            |text| text.replace("\"version\":2", "\"version\":1"),
            |text| text.replace(",\"dropped\":3", ""),
            |text| text.replace("\"dropped\":3", "\"dropped\":2"),
            |text| text.replace("{\"state\":[1.0]}", "{\"state\":[1.0}"),
            |text| lines(text, &[0, 1, 2, 3, 5, 6]),
            |text| lines(text, &[0, 5, 6]),
            |text| text.replacen("\"hash\":\"", "\"hash\":\"00", 1),
            |text| text.replacen("\"records\":1", "\"records\":2", 1),
        ];
        let said = changes.map(|change| refused_of(&change(&String::from_utf8(dropped()).unwrap())));
        expect![[r#"
            line 7 of the export does not end the export: what stands for dropped events was changed
            line 6 of the export does not end the export: what stands for dropped events was changed
            the export ends with line 3, and has no last one: it was cut off; export it again
            line 1 of the export does not begin an export of version 1 or 2 of a journal
            line 1 of the export does not begin an export of version 1 or 2 of a journal
            line 6 of the export follows dropped events that do not add up
            line 4 of the export is no part of a state
            line 5 of the export follows dropped events that do not add up
            line 2 of the export follows dropped events that do not add up
            line 2 of the export has no hash: Invalid string length
            line 6 of the export follows dropped events that do not add up"#]]
        .assert_eq(&said.join("\n"));
    }

    #[test]
    fn an_export_of_many_rounds_comes_back_whole() {
        let event = format!("\"{}\"", "x".repeat(1 << 20));
        let events: Vec<(&str, &str)> = (0..20).map(|n| (["a", "b"][n % 2], event.as_str())).collect();
        let (_data, text) = exported(&events);
        let dir = TempDir::new().unwrap();
        assert_eq!(import(dir.path(), &mut text.as_slice()).unwrap().events, 20);
        assert_eq!(export_of(dir.path()), text);
    }

    /// What an import of a changed text says; nothing of it is left.
    fn refused(change: fn(&str) -> String) -> String {
        refused_of(&change(&String::from_utf8(three()).unwrap()))
    }

    fn refused_of(text: &str) -> String {
        let dir = TempDir::new().unwrap();
        let error = import(dir.path(), &mut text.as_bytes()).unwrap_err();
        let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{left:?}");
        error.to_string()
    }

    fn lines(text: &str, keep: &[usize]) -> String {
        keep.iter().map(|line| format!("{}\n", text.lines().nth(*line).unwrap())).collect()
    }

    #[test]
    fn what_is_not_a_whole_export_is_refused_and_leaves_nothing() {
        let changes: [fn(&str) -> String; 10] = [
            |_| String::new(),
            |text| text.replace("\"version\":1", "\"version\":2"),
            |text| lines(text, &[0, 1, 2]),
            |text| lines(text, &[0, 1, 3, 4]),
            |text| text.trim_end().to_owned(),
            |text| text.replace("[1.0,2]", "[1.0,3]"),
            |text| text.replace("[1.0,2]", "[1.0,"),
            |text| format!("{text}{{}}\n"),
            |text| text.replace("\"events\":3", "\"events\":4"),
            |text| text.replace("\"shop\":{\"last\"", "\"other\":{\"last\""),
        ];
        let said = changes.map(refused);
        expect![[r#"
            line 1 of the export does not begin an export of version 1 or 2 of a journal
            line 1 of the export does not begin an export of version 1 or 2 of a journal
            the export ends with line 3, and has no last one: it was cut off; export it again
            line 3 of the export has event 3, where 2 is expected
            the export ends with line 5, and has no last one: it was cut off; export it again
            the chain of stream `shop` does not end as the export says: an event in it was changed; export it again
            line 3 of the export is neither an event nor the end: unknown field `sequence`, expected one of `events`, `heads`, `dropped` at line 1 column 11
            line 6 of the export follows the end of the export
            line 5 of the export does not end the export: it has 3 events, not 4
            the chain of stream `other` does not end as the export says: an event in it was changed; export it again"#]]
        .assert_eq(&said.join("\n"));
    }

    #[test]
    fn a_folder_that_holds_something_is_left_alone() {
        let (data, text) = exported(&[("shop", "{}")]);
        let error = import(data.path(), &mut text.as_slice()).unwrap_err();
        assert!(matches!(&error, ExportError::Store(StoreError::NotEmpty { dir }) if dir == data.path()), "{error}");
        assert_eq!(export_of(data.path()), text);
    }

    #[test]
    fn an_event_that_is_no_line_is_not_exported() {
        for event in ["no json", "{\n}"] {
            let data = TempDir::new().unwrap();
            let (journal, _) = Journal::open(&data.path().join("journal"), journal::Options::default()).unwrap();
            let mut round = Round { journal: &journal, appends: Vec::new(), bytes: 0 };
            round.take("shop".to_owned(), event.as_bytes().to_vec()).unwrap();
            round.write().unwrap();
            let error = export(&data.path().join("journal"), &mut Vec::new()).unwrap_err();
            assert!(matches!(error, ExportError::NoLine { sequence: 1 }), "{error}");
        }
    }

    #[test]
    fn a_line_without_an_end_takes_no_more_memory_than_an_event() {
        let dir = TempDir::new().unwrap();
        let head = format!("{}\n", String::from_utf8(three()).unwrap().lines().next().unwrap());
        let mut endless = io::BufReader::new(io::Cursor::new(head).chain(io::repeat(b'x')));
        let error = import(dir.path(), &mut endless).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of the export is longer than"), "{error}");
    }
}
