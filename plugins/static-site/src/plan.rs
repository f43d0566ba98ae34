//! What would change: the archive, file by file, against what is really on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::ops::{Bound, ControlFlow};

use lockgate_sdk::Failure;
use lockgate_sdk::target::{Action, Planned, ResourceChange, json};
use serde::{Deserialize, Serialize};

use crate::archive::{self, each_file};
use crate::budget::Budget;
use crate::site::{Hex, Site};
use crate::tree;
use crate::{Settings, Wanted};

/// Where the last call stopped. `changes` are part of the plan in the end, so the cursor is no larger than it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Files of the archive that are compared.
    compared: usize,
    /// The last file on disk that was looked at for deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_up_to: Option<String>,
    previous: Option<Hex>,
    changes: Vec<Difference>,
}

/// One file, as digests; `None` is no file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Difference {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

/// Comes back with `apply` and `undo`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// What `current` named when this was planned.
    pub previous: Option<Hex>,
    /// None: nothing will be served.
    pub release: Option<Hex>,
    /// In the archive, for the progress in percent.
    pub files: usize,
}

pub enum Step {
    Again(Cursor),
    Done(Planned),
}

/// `archive` is empty where nothing is wanted.
pub fn plan(
    site: &Site,
    settings: &Settings,
    wanted: &Wanted,
    archive: Option<impl Read>,
    cursor: Option<Cursor>,
) -> Result<Step, Failure> {
    let previous = site.current()?;
    // The site was switched between two calls: what was compared so far was another release.
    let mut cursor = cursor.filter(|cursor| cursor.previous == previous).unwrap_or_default();
    cursor.previous = previous;

    let folder = site.current_path();
    let on_disk = match &cursor.previous {
        Some(_) => tree::list(&folder)?,
        None => BTreeMap::new(),
    };
    let mut budget = Budget::new(settings.files_per_call);

    let paths = match archive {
        None => Some(BTreeSet::new()),
        Some(archive) => each_file(archive, &settings.limits, |file| {
            if file.index < cursor.compared {
                return Ok(ControlFlow::Continue(()));
            }
            let before =
                on_disk.get(file.path).map(|found| tree::digest(&folder.join(file.path), found)).transpose()?;
            let after = Some(tree::digest_of(file.content).map_err(archive::unreadable)?);
            if before != after {
                cursor.changes.push(Difference { path: file.path.to_owned(), before, after });
            }
            cursor.compared = file.index + 1;
            Ok(budget.spend(file.size))
        })?,
    };
    let Some(paths) = paths else { return Ok(Step::Again(cursor)) };

    let from = cursor.deleted_up_to.take().map_or(Bound::Unbounded, Bound::Excluded);
    for (path, found) in on_disk.range::<String, _>((from.as_ref(), Bound::Unbounded)) {
        if paths.contains(path) {
            continue;
        }
        let before = Some(tree::digest(&folder.join(path), found)?);
        cursor.changes.push(Difference { path: path.clone(), before, after: None });
        if budget.spend(found.size()).is_break() {
            cursor.deleted_up_to = Some(path.clone());
            return Ok(Step::Again(cursor));
        }
    }
    Ok(Step::Done(planned(settings, wanted, cursor)))
}

/// The same world gives the same plan: sorted, and nothing in it but names and digests.
fn planned(settings: &Settings, wanted: &Wanted, cursor: Cursor) -> Planned {
    let Cursor { previous, mut changes, compared, .. } = cursor;
    changes.sort_by(|a, b| a.path.cmp(&b.path));

    let (mut created, mut updated, mut deleted) = (0, 0, 0);
    let mut resources = Vec::new();
    for Difference { path, before, after } in changes {
        let action = match (&before, &after) {
            (None, _) => Action::Create,
            (Some(_), Some(_)) => Action::Update,
            (Some(_), None) => Action::Delete,
        };
        match action {
            Action::Create => created += 1,
            Action::Delete => deleted += 1,
            Action::Update | Action::Replace | Action::NoOp => updated += 1,
        }
        let destructive = action == Action::Delete && settings.deletes_are_destructive;
        resources.push(
            ResourceChange::new(action, "file", path).application(&wanted.application).destructive(destructive).field(
                "digest",
                json!(before),
                json!(after),
            ),
        );
    }
    // The link is a resource too: two deployments of one site change it both, whatever their files are.
    let release = wanted.release.as_ref().map(|release| release.hex.clone());
    let action = match (&previous, &release) {
        (before, after) if before == after => None,
        (None, _) => Some(Action::Create),
        (Some(_), Some(_)) => Some(Action::Update),
        (Some(_), None) => Some(Action::Delete),
    };
    if let Some(action) = action {
        let digest = |hex: &Option<Hex>| json!(hex.as_ref().map(Hex::digest));
        resources.push(
            ResourceChange::new(action, "site", &settings.folder)
                .application(&wanted.application)
                .destructive(action == Action::Delete)
                .field("digest", digest(&previous), digest(&release)),
        );
    }
    let summary = format!("{created} created, {updated} updated, {deleted} deleted");
    let token = json!(Token { previous, release, files: compared });
    Planned::new(summary, resources, token)
}
