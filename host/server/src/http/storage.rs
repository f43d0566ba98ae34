//! What the data folder holds, and whether it is whole as far as anybody knows.

use axum::Json;
use axum::extract::State;
use lockgate_store::{IndexCheck, Past};

use super::Api;
use super::problem::Problem;
use crate::config::DAY;
use crate::driver::{Missing, MissingFile, blocking};
use crate::wire;

/// The state of the data folder: journal, index and disk, and which plugins and artifacts it lacks.
///
/// A start reads what it needs, and what lies before that is read again behind it: until then it is `reading`. Of plugins and
/// artifacts it is looked whether they are there; whoever reads one that is damaged finds that, and then it is missing.
#[utoipa::path(get, path = "/v1/storage", tag = "host", responses((status = 200, body = wire::Storage)), security(("token" = ["viewer"])))]
pub async fn show(State(api): State<Api>) -> Result<Json<wire::Storage>, Problem> {
    let store = api.host.store.clone();
    let free_bytes = blocking(move || store.free_bytes()).await?;
    let lacks = missing(api.host.missing().await);
    let store = &api.host.store;
    let stats = store.stats();
    Ok(Json(wire::Storage {
        events: store.last(),
        dropped_events: store.dropped(),
        retention_days: api.host.retention.map(|retention| retention.as_secs() / DAY.as_secs()),
        journal: journal(store.past()),
        segments_not_packed: stats.segments_not_packed,
        not_tidied_because: store.packing_failure().map(|failure| failure.to_string()),
        index: index(store.index_check()),
        missing: lacks,
        free_bytes,
    }))
}

fn journal(past: Past) -> wire::Checked {
    match past {
        Past::Whole => checked("whole", None),
        Past::Unread { segments, of } => checked("reading", Some(format!("{segments} of {of} old segments are left"))),
        Past::Damaged(error) => checked("damaged", Some(error.to_string())),
        Past::Unfinished(error) => checked("unknown", Some(error.to_string())),
    }
}

fn index(check: IndexCheck) -> wire::Checked {
    match check {
        IndexCheck::Whole => checked("whole", None),
        IndexCheck::Running => checked("reading", None),
        IndexCheck::Broken(problem) => checked("damaged", Some(problem)),
        IndexCheck::Unfinished(problem) => checked("unknown", Some(problem)),
    }
}

fn missing(Missing { plugins, artifacts, first }: Missing) -> wire::Missing {
    let file = |MissingFile { what, digest }| wire::MissingFile { what, digest: digest.to_string() };
    wire::Missing { plugins, artifacts, first: first.into_iter().map(file).collect() }
}

fn checked(status: &str, detail: Option<String>) -> wire::Checked {
    wire::Checked { status: status.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_has_a_word() {
        let words = [
            journal(Past::Whole),
            journal(Past::Unread { segments: 3, of: 64 }),
            journal(Past::Damaged(lockgate_journal::JournalError::NothingToAppend { stream: "shop".to_owned() })),
            journal(Past::Unfinished(lockgate_journal::JournalError::NothingToAppend { stream: "shop".to_owned() })),
            index(IndexCheck::Whole),
            index(IndexCheck::Running),
            index(IndexCheck::Broken("2 rows are gone".to_owned())),
            index(IndexCheck::Unfinished("it was closed".to_owned())),
        ];
        let words = words.map(|word| word.status).join(" ");
        assert_eq!(words, "whole reading damaged unknown whole reading damaged unknown");
        assert_eq!(journal(Past::Unread { segments: 3, of: 64 }).detail.unwrap(), "3 of 64 old segments are left");
    }
}
