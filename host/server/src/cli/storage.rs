//! `lockgate storage`: what the host's data folder holds, and whether it is whole.

use clap::Args;
use indicatif::HumanBytes;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone};
use crate::cli::session::Session;
use crate::wire::{Checked, Storage};

#[derive(Debug, Args)]
pub struct StorageArgs {}

impl StorageArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let storage = session.client.storage().await?;
        session.out.answer(&storage, shown);
        Ok(())
    }
}

fn shown(look: &Look, storage: &Storage) -> String {
    let Storage { events, journal, segments_not_packed, not_tidied_because, index, free_bytes } = storage;
    let mut lines = vec![
        format!("JOURNAL  {events} events, {}", word(look, journal)),
        format!("INDEX    {}", word(look, index)),
        format!("DISK     {} free", HumanBytes(*free_bytes)),
    ];
    if let Some(because) = not_tidied_because {
        let what = format!(
            "{segments_not_packed} old segments of the journal are not packed, or its checkpoint is old: {because}"
        );
        lines.push(look.paint(Tone::Waiting, &what));
    }
    if journal.status == "damaged" {
        lines.push(look.paint(
            Tone::Bad,
            "What runs does not need what is damaged, but backups and exports of this folder fail. Copy the folder, stop the host, \
             let `lockgate audit verify` read all of the copy, and restore the newest backup beside it.",
        ));
    }
    if index.status == "damaged" {
        lines.push(look.paint(
            Tone::Bad,
            "Lists and history may lack something; nothing is lost. The next start of the host builds the index again.",
        ));
    }
    lines.join("\n")
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

    fn checked(status: &str, detail: &str) -> Checked {
        Checked { status: status.to_owned(), detail: (!detail.is_empty()).then(|| detail.to_owned()) }
    }

    fn storage(journal: Checked, index: Checked) -> Storage {
        Storage {
            events: 1_204_332,
            journal,
            segments_not_packed: 0,
            not_tidied_because: None,
            index,
            free_bytes: 26 << 30,
        }
    }

    #[test]
    fn a_folder_that_is_whole_takes_three_lines() {
        expect![[r#"
            JOURNAL  1204332 events, whole
            INDEX    being checked
            DISK     26.00 GiB free"#]]
        .assert_eq(&shown(&look(), &storage(checked("whole", ""), checked("reading", ""))));
    }

    #[test]
    fn what_is_wrong_says_what_to_do() {
        let mut storage = storage(checked("damaged", "segment 1 is gone"), checked("damaged", "2 rows are gone"));
        storage.segments_not_packed = 2;
        storage.not_tidied_because = Some("no space left on device".to_owned());
        expect![[r#"
            JOURNAL  1204332 events, DAMAGED: segment 1 is gone
            INDEX    DAMAGED: 2 rows are gone
            DISK     26.00 GiB free
            2 old segments of the journal are not packed, or its checkpoint is old: no space left on device
            What runs does not need what is damaged, but backups and exports of this folder fail. Copy the folder, stop the host, let `lockgate audit verify` read all of the copy, and restore the newest backup beside it.
            Lists and history may lack something; nothing is lost. The next start of the host builds the index again."#]].assert_eq(&shown(&look(), &storage));
    }
}
