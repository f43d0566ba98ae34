//! `lockgate audit`: check the record of everything, without a host and without changing a byte.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use lockgate_journal::{JournalError, Verified};
use serde::Serialize;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone};
use crate::cli::session::Out;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check every record and hash chain. Compare the heads with those you noted earlier: nothing before them has
    /// changed since.
    ///
    /// Exit code 1: damage, or records that were acknowledged are gone. Exit code 0, with a warning: bytes that are no
    /// record follow the last one, as after a write that was cut off.
    Verify {
        /// A data folder, or the journal in it.
        folder: PathBuf,
    },
}

#[derive(Debug, Serialize)]
struct Report {
    /// Those that are there.
    records: u64,
    dropped: u64,
    segments: usize,
    streams: Vec<Stream>,
    torn_tail: Option<TornTail>,
}

#[derive(Debug, Serialize)]
struct Stream {
    name: String,
    records: u64,
    first: u64,
    last: u64,
    head: String,
}

#[derive(Debug, Serialize)]
struct TornTail {
    segment: PathBuf,
    offset: u64,
    bytes: u64,
}

impl AuditCommand {
    pub fn run(self, out: &Out) -> Result<(), CliError> {
        match self {
            AuditCommand::Verify { folder } => {
                out.answer(&verify(&folder)?, show);
                Ok(())
            }
        }
    }
}

fn verify(folder: &Path) -> Result<Report, CliError> {
    let inside = folder.join("journal");
    let journal = if inside.is_dir() { inside } else { folder.to_owned() };
    match lockgate_journal::verify(&journal) {
        Ok(verified) if verified.segments == 0 => {
            let what = format!("there is no journal in {}", folder.display());
            Err(CliError::usage(what, "name the data folder of a host"))
        }
        Ok(verified) => Ok(report(verified)),
        Err(error @ JournalError::Io { .. }) => Err(CliError::usage(error, "")),
        Err(error) => Err(CliError::Damaged { what: error.to_string() }),
    }
}

fn report(verified: Verified) -> Report {
    let stream = |(name, head): (String, lockgate_journal::StreamHead)| Stream {
        name,
        records: head.records,
        first: head.first,
        last: head.last,
        head: head.hash_hex(),
    };
    let torn_tail =
        verified.torn_tail.map(|torn| TornTail { segment: torn.segment, offset: torn.offset, bytes: torn.bytes });
    Report {
        records: verified.records - verified.dropped,
        dropped: verified.dropped,
        segments: verified.segments,
        streams: verified.streams.into_iter().map(stream).collect(),
        torn_tail,
    }
}

fn show(look: &Look, report: &Report) -> String {
    let Report { records, dropped, segments, streams, torn_tail } = report;
    let ok = look.paint(Tone::Good, "✓");
    let mut parts = vec![format!(
        "{ok} {records} records of {} in {}: every hash and chain {}",
        counted(streams.len(), "stream"),
        counted(*segments, "segment"),
        if torn_tail.is_some() { "up to there is right" } else { "is right" }
    )];
    let row = |stream: &Stream| {
        vec![
            stream.name.clone(),
            stream.records.to_string(),
            format!("{}-{}", stream.first, stream.last),
            stream.head.clone(),
        ]
    };
    parts.push(look.table(&["STREAM", "RECORDS", "SEQUENCES", "HEAD (SHA-256)"], streams.iter().map(row)));
    if *dropped > 0 {
        parts.push(format!(
            "{} {dropped} records before them were dropped, as `lockgate serve --retention` asks for. What they added up to stands\n  \
             in their place, and the chains go on from there.",
            look.paint(Tone::Waiting, "!")
        ));
    }
    if let Some(TornTail { segment, offset, bytes }) = torn_tail {
        parts.push(format!(
            "{} after them {bytes} bytes follow that are no record, from byte {offset} of {}\n  \
             A write that was cut off leaves such bytes, and nobody was told that it is done; so does the last write when it is\n  \
             damaged later. The next start of the host removes them: keep a copy first if nothing was cut off.",
            look.paint(Tone::Waiting, "!"),
            segment.display()
        ));
    }
    parts.join("\n\n")
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;

    #[test]
    fn a_whole_journal_shows_the_head_of_each_stream() {
        let stream = |name: &str, records, head: &str| Stream {
            name: name.to_owned(),
            records,
            first: 1,
            last: records * 2,
            head: head.repeat(16),
        };
        let report = Report {
            records: 52,
            dropped: 0,
            segments: 1,
            streams: vec![stream("shop", 40, "3f2a"), stream("system", 12, "77aa")],
            torn_tail: Some(TornTail { segment: "/data/journal/1".into(), offset: 8_192, bytes: 117 }),
        };
        expect![[r#"
            ✓ 52 records of 2 streams in 1 segment: every hash and chain up to there is right

            STREAM  RECORDS  SEQUENCES  HEAD (SHA-256)
            shop    40       1-80       3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a3f2a
            system  12       1-24       77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa

            ! after them 117 bytes follow that are no record, from byte 8192 of /data/journal/1
              A write that was cut off leaves such bytes, and nobody was told that it is done; so does the last write when it is
              damaged later. The next start of the host removes them: keep a copy first if nothing was cut off."#]]
        .assert_eq(&show(&look(), &report));
    }

    fn journal_in(folder: &Path) -> PathBuf {
        let (done, written) = std::sync::mpsc::channel();
        let journal = folder.join("journal");
        let (open, _) = lockgate_journal::Journal::open(&journal, lockgate_journal::Options::default()).unwrap();
        for text in ["one", "two", "three"] {
            let done = done.clone();
            open.append("shop", vec![text.into()], move |result| done.send(result).unwrap());
            written.recv().unwrap().map(drop).unwrap();
        }
        drop(open);
        let mut files: Vec<PathBuf> = std::fs::read_dir(&journal).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.remove(0)
    }

    #[test]
    fn a_data_folder_and_its_journal_are_both_understood() {
        let data = tempfile::tempdir().unwrap();
        journal_in(data.path());
        for folder in [data.path().to_owned(), data.path().join("journal")] {
            assert_eq!(verify(&folder).unwrap().records, 3);
        }
    }

    #[test]
    fn damage_is_named_with_its_place_and_fails() {
        let data = tempfile::tempdir().unwrap();
        let segment = journal_in(data.path());
        let bytes = std::fs::read(&segment).unwrap();
        let place = bytes.windows(3).position(|window| window == b"one").unwrap();
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        std::fs::write(&segment, changed).unwrap();
        let error = verify(data.path()).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        let shown = error.shown(&look());
        assert!(shown.contains("the journal is damaged") && shown.contains("where record 1 is expected"), "{shown}");
    }

    #[test]
    fn bytes_after_the_last_record_are_named_and_nothing_is_promised() {
        let data = tempfile::tempdir().unwrap();
        let segment = journal_in(data.path());
        let mut bytes = std::fs::read(&segment).unwrap();
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        bytes[end + 10..end + 12].fill(7);
        std::fs::write(&segment, bytes).unwrap();
        let report = verify(data.path()).unwrap();
        let torn = report.torn_tail.as_ref().unwrap();
        assert_eq!((report.records, torn.offset, torn.bytes), (3, end as u64, 12));
        assert!(!show(&look(), &report).contains("every hash and chain is right"));
    }

    #[test]
    fn acknowledged_records_that_are_gone_fail() {
        let data = tempfile::tempdir().unwrap();
        let segment = journal_in(data.path());
        let bytes = std::fs::read(&segment).unwrap();
        let third = bytes.windows(5).position(|window| window == b"three").unwrap();
        std::fs::write(&segment, &bytes[..third]).unwrap();
        let error = verify(data.path()).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert!(error.shown(&look()).contains("ends with record 2, but 3 were acknowledged"));
    }

    #[test]
    fn a_folder_without_a_journal_is_not_called_whole() {
        let empty = tempfile::tempdir().unwrap();
        for folder in [empty.path().to_owned(), empty.path().join("gone")] {
            assert_eq!(verify(&folder).unwrap_err().exit_code(), 2);
        }
    }
}
