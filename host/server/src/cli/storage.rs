//! `lockgate storage`: whether the host's data folder is whole, what it lacks, and how much room its disk has.

use clap::Args;
use indicatif::{HumanBytes, HumanCount};

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, printable, short};
use crate::cli::session::Session;
use crate::wire::{Checked, Missing, Storage};

#[derive(Debug, Args)]
pub struct StorageArgs {}

impl StorageArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let storage = session.client.storage().await?;
        session.out.answer(&storage, shown);
        match not_whole(&storage) {
            Some(what) => Err(CliError::Damaged { what }),
            None => Ok(()),
        }
    }
}

/// In one sentence.
fn not_whole(Storage { journal, index, missing, .. }: &Storage) -> Option<String> {
    let wrong = |(name, part): (&str, &Checked)| match part.status.as_str() {
        "damaged" => Some(format!("the {name} is damaged")),
        "unknown" => Some(format!("nobody knows whether the {name} is whole")),
        _ => None,
    };
    let wrong = [("journal", journal), ("index", index)].into_iter().filter_map(wrong);
    let missing = lacked(missing).map(|what| format!("the data folder lacks {what}"));
    wrong.chain(missing).reduce(|both, other| format!("{both}, and {other}"))
}

/// Such as: 2 artifacts, 1 plugin.
pub fn lacked(Missing { plugins, artifacts, .. }: &Missing) -> Option<String> {
    let some = |(count, one): (u64, &str)| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        more => Some(format!("{} {one}s", HumanCount(more))),
    };
    let parts = [(*artifacts, "artifact"), (*plugins, "plugin")].into_iter().filter_map(some);
    parts.reduce(|artifacts, plugins| format!("{artifacts}, {plugins}"))
}

/// The first of them, and how many more there are.
pub fn names_of(Missing { plugins, artifacts, first }: &Missing) -> Vec<String> {
    let mut names: Vec<String> =
        first.iter().map(|file| format!("{} ({})", printable(&file.what), short(&file.digest))).collect();
    match (plugins + artifacts).saturating_sub(first.len() as u64) {
        0 => {}
        more => names.push(format!("and {} more", HumanCount(more))),
    }
    names
}

const DAMAGED_JOURNAL: &str = "\
Deployments go on. Backups and exports fail, and so does a start that has to build the index again: leave `index` as it is.
  1. Delete nothing. `lockgate audit verify FOLDER` reads all of it, also while the host runs.
  2. Is there a copy of this folder, of its disk or by `cp -a`? Put that one file back, and start again: nothing is lost.
  3. Else `lockgate backup restore` makes another folder of the newest backup. It lacks what came after it was made.";

const MISSING: &str = "\
Deployments that need one of these fail, and a backup made now lacks them.
  1. Upload the same files again: `lockgate artifact push FILE`, `lockgate plugin add FILE`.
  2. Or make a folder of a backup that has them, with `lockgate backup restore`: `lockgate artifact push` takes the files in its `blobs`, too.
  3. What nobody will deploy any more needs none: `lockgate release abandon`, `lockgate plugin remove`.";

fn shown(look: &Look, storage: &Storage) -> String {
    let Storage { events, journal, segments_not_packed, not_tidied_because, index, missing, free_bytes, .. } = storage;
    let mut lines = vec![
        format!("JOURNAL  {}, {}", counted(*events), word(look, journal)),
        format!("KEPT     {}", kept(storage)),
        format!("INDEX    {}", word(look, index)),
        format!("DISK     {} free", HumanBytes(*free_bytes)),
    ];
    if let Some(what) = lacked(missing) {
        lines.push(look.paint(Tone::Bad, &format!("MISSING  {what}")));
        lines.extend(names_of(missing).iter().map(|name| format!("           {name}")));
    }
    if let Some(because) = not_tidied_because {
        let what = match segments_not_packed {
            0 => "The journal's checkpoint is old, so starts take longer".to_owned(),
            1 => "An old segment of the journal is not packed, and takes more room".to_owned(),
            some => format!("{some} old segments of the journal are not packed, and take more room"),
        };
        lines.push(look.paint(Tone::Waiting, &format!("{what}: {because}")));
    }
    if journal.status == "damaged" {
        lines.push(look.paint(Tone::Bad, DAMAGED_JOURNAL));
    }
    if journal.status == "unknown" {
        lines.push(look.paint(
            Tone::Waiting,
            "The disk may be failing: look at the system's log, and make a copy of the folder. The next start reads old events again.",
        ));
    }
    if index.status == "damaged" {
        lines.push(look.paint(
            Tone::Bad,
            "Lists and history may lack something; nothing is lost. The next start of the host builds the index again.",
        ));
    }
    if index.status == "unknown" {
        lines.push(look.paint(
            Tone::Bad,
            "Until it goes on, lists and history may be refused; nothing is lost. Where the disk is full, make room: it goes on by itself. Else the next start checks it again.",
        ));
    }
    if lacked(missing).is_some() {
        lines.push(look.paint(Tone::Bad, MISSING));
    }
    lines.join("\n")
}

fn counted(events: u64) -> String {
    if events == 1 { "1 event".to_owned() } else { format!("{} events", HumanCount(events)) }
}

fn kept(Storage { dropped_events, retention_days, .. }: &Storage) -> String {
    let kept = match retention_days {
        None => "for ever".to_owned(),
        Some(1) => "1 day".to_owned(),
        Some(days) => format!("{days} days"),
    };
    match dropped_events {
        0 => kept,
        1 => format!("{kept}; 1 older event was dropped"),
        dropped => format!("{kept}; {} older events were dropped", HumanCount(*dropped)),
    }
}

fn word(look: &Look, Checked { status, detail }: &Checked) -> String {
    let text = match (status.as_str(), detail) {
        ("whole", _) => "whole".to_owned(),
        ("reading", Some(left)) => format!("old ones are being checked: {left}"),
        ("reading", None) => "being checked".to_owned(),
        ("damaged", Some(problem)) => format!("DAMAGED: {problem}"),
        (status, Some(detail)) => format!("{status}: {detail}"),
        (status, None) => status.to_owned(),
    };
    match status.as_str() {
        "whole" => look.paint(Tone::Good, &text),
        "damaged" => look.paint(Tone::Bad, &text),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::wire::MissingFile;

    fn checked(status: &str, detail: &str) -> Checked {
        Checked { status: status.to_owned(), detail: (!detail.is_empty()).then(|| detail.to_owned()) }
    }

    fn storage(journal: Checked, index: Checked) -> Storage {
        Storage {
            events: 1_204_332,
            dropped_events: 0,
            retention_days: None,
            journal,
            segments_not_packed: 0,
            not_tidied_because: None,
            index,
            missing: Missing::default(),
            free_bytes: 26 << 30,
        }
    }

    #[test]
    fn a_folder_that_is_whole_takes_four_lines() {
        expect![[r#"
            JOURNAL  1,204,332 events, whole
            KEPT     for ever
            INDEX    being checked
            DISK     26.00 GiB free"#]]
        .assert_eq(&shown(&look(), &storage(checked("whole", ""), checked("reading", ""))));
    }

    #[test]
    fn what_was_dropped_is_told() {
        let mut storage = storage(checked("whole", ""), checked("whole", ""));
        let told = |storage: &Storage| shown(&look(), storage).lines().nth(1).unwrap().to_owned();
        storage.retention_days = Some(400);
        assert_eq!(told(&storage), "KEPT     400 days");
        (storage.retention_days, storage.dropped_events) = (Some(1), 65_536);
        assert_eq!(told(&storage), "KEPT     1 day; 65,536 older events were dropped");
    }

    #[test]
    fn what_is_wrong_says_what_to_do() {
        let mut storage = storage(checked("damaged", "segment 1 is gone"), checked("damaged", "2 rows are gone"));
        storage.segments_not_packed = 2;
        storage.not_tidied_because = Some("no space left on device".to_owned());
        expect![[r#"
            JOURNAL  1,204,332 events, DAMAGED: segment 1 is gone
            KEPT     for ever
            INDEX    DAMAGED: 2 rows are gone
            DISK     26.00 GiB free
            2 old segments of the journal are not packed, and take more room: no space left on device
            Deployments go on. Backups and exports fail, and so does a start that has to build the index again: leave `index` as it is.
              1. Delete nothing. `lockgate audit verify FOLDER` reads all of it, also while the host runs.
              2. Is there a copy of this folder, of its disk or by `cp -a`? Put that one file back, and start again: nothing is lost.
              3. Else `lockgate backup restore` makes another folder of the newest backup. It lacks what came after it was made.
            Lists and history may lack something; nothing is lost. The next start of the host builds the index again."#]].assert_eq(&shown(&look(), &storage));
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let mut storage = storage(checked("whole", ""), checked("whole", ""));
        let file = |what: &str, digest: &str| MissingFile { what: what.to_owned(), digest: digest.to_owned() };
        let first = vec![
            file("plugin `notify`", "sha256:111111111111222222222222"),
            file("artifact `we\u{1b}b` of v1 in shop", "sha256:333333333333444444444444"),
        ];
        storage.missing = Missing { plugins: 1, artifacts: 1_200, first };
        expect![[r#"
            JOURNAL  1,204,332 events, whole
            KEPT     for ever
            INDEX    whole
            DISK     26.00 GiB free
            MISSING  1,200 artifacts, 1 plugin
                       plugin `notify` (111111111111)
                       artifact `we�b` of v1 in shop (333333333333)
                       and 1,199 more
            Deployments that need one of these fail, and a backup made now lacks them.
              1. Upload the same files again: `lockgate artifact push FILE`, `lockgate plugin add FILE`.
              2. Or make a folder of a backup that has them, with `lockgate backup restore`: `lockgate artifact push` takes the files in its `blobs`, too.
              3. What nobody will deploy any more needs none: `lockgate release abandon`, `lockgate plugin remove`."#]].assert_eq(&shown(&look(), &storage));
    }

    #[test]
    fn whatever_is_not_whole_is_a_failure() {
        let told = |journal: &str, index: &str, missing: Missing| {
            let storage = Storage { missing, ..storage(checked(journal, "why"), checked(index, "why")) };
            not_whole(&storage).unwrap_or_else(|| "whole".to_owned())
        };
        let lacks = |plugins, artifacts| Missing { plugins, artifacts, first: Vec::new() };
        let told = [
            told("whole", "whole", lacks(0, 0)),
            told("reading", "reading", lacks(0, 0)),
            told("unknown", "unknown", lacks(0, 0)),
            told("damaged", "damaged", lacks(2, 1)),
            told("whole", "whole", lacks(1, 0)),
        ];
        expect![[r#"
            whole
            whole
            nobody knows whether the journal is whole, and nobody knows whether the index is whole
            the journal is damaged, and the index is damaged, and the data folder lacks 1 artifact, 2 plugins
            the data folder lacks 1 plugin"#]]
        .assert_eq(&told.join("\n"));
    }
}
