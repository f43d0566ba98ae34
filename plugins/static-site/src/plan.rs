//! What would change: the archive, file by file, against what is really on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead as _, Read, Write as _};
use std::ops::{Bound, ControlFlow};
use std::path::Path;

use lockgate_sdk::Failure;
use lockgate_sdk::target::{Action, Planned, ResourceChange, json};
use serde::{Deserialize, Serialize};

use crate::archive::{self, each_file};
use crate::budget::Budget;
use crate::serving::{BUCKETS, Serving, Versions};
use crate::site::{Hex, Site};
use crate::tree;
use crate::{Release, Selected, Settings, Wanted};

/// A host takes 4 MiB of an answer, and people approve the files by name: about 12,000 of them.
const PLAN_BYTES: usize = 4_000_000;
/// Of a change beside its name: two digests, and what every change says.
const CHANGE_BYTES: usize = 320;

/// Where the last call stopped. It is on record for every call, so what was found so far is not in it: it waits in a
/// file beside the releases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Files of the archive that are compared.
    compared: usize,
    /// The last file on disk that was looked at for deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_up_to: Option<String>,
    previous: Option<Hex>,
    found: Count,
}

/// How much the differences so far come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Count {
    changes: usize,
    /// In the plan.
    plan_bytes: usize,
    /// In the file.
    staged_bytes: u64,
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
    pub before: Serving,
    pub after: Serving,
    /// None: nothing will be served.
    pub release: Option<Hex>,
    /// In the archive, for the progress in percent.
    pub files: usize,
    /// Of the phases of this deployment that apply here.
    pub is_first: bool,
}

#[derive(Debug)]
pub enum Step {
    Again(Cursor),
    Done(Planned),
}

/// `archive` is empty where nothing is wanted. `stage` names this plan among those that are being made.
pub fn plan(
    site: &Site,
    settings: &Settings,
    wanted: &Wanted,
    archive: Option<impl Read>,
    stage: &Hex,
    cursor: Option<Cursor>,
) -> Result<Step, Failure> {
    let (before, after) = way(site, settings, wanted)?;
    let previous = before.current.clone();
    let compares = compares(wanted, &previous);
    let stage = site.staged_plan(stage);
    // The site was switched between two calls: what was compared so far was another release.
    let cursor = cursor.filter(|cursor| cursor.previous == previous);
    let cursor = cursor.filter(|cursor| is_staged(&stage, cursor.found.staged_bytes)).unwrap_or_default();
    let mut cursor = Cursor { previous, ..cursor };
    let mut new = Vec::new();

    let folder = site.current_path();
    let mut budget = Budget::new(settings.files_per_call);
    let paths = match archive {
        None => Some(Default::default()),
        Some(archive) => holds_files(each_file(archive, &settings.limits, |file| {
            if file.index < cursor.compared {
                return Ok(ControlFlow::Continue(()));
            }
            if !compares {
                cursor.compared = file.index + 1;
                return Ok(ControlFlow::Continue(()));
            }
            let on_disk = match &cursor.previous {
                Some(_) => tree::find(&folder, file.path)?,
                None => None,
            };
            let before = on_disk.map(|found| tree::digest(&folder.join(file.path), &found)).transpose()?;
            let after = Some(tree::digest_of(file.content).map_err(archive::unreadable)?);
            if before != after {
                cursor.note(wanted, &mut new, Difference { path: file.path.to_owned(), before, after })?;
            }
            cursor.compared = file.index + 1;
            Ok(budget.spend(file.size))
        })?)?,
    };
    let Some(paths) = paths else { return cursor.again(&stage, &new) };

    let on_disk = match &cursor.previous {
        Some(_) if compares => tree::list(&folder)?,
        Some(_) | None => Default::default(),
    };
    let from = cursor.deleted_up_to.take().map_or(Bound::Unbounded, Bound::Excluded);
    for (path, found) in on_disk.range::<String, _>((from.as_ref(), Bound::Unbounded)) {
        if paths.contains(path) {
            continue;
        }
        let before = Some(tree::digest(&folder.join(path), found)?);
        cursor.note(wanted, &mut new, Difference { path: path.clone(), before, after: None })?;
        if budget.spend(found.size()).is_break() {
            cursor.deleted_up_to = Some(path.clone());
            return cursor.again(&stage, &new);
        }
    }
    let mut differences = read_staged(&stage, cursor.found.staged_bytes)?;
    differences.extend(new);
    // The host has the whole plan now. Where this call is repeated, it starts over.
    let _ = fs::remove_file(stage);
    Ok(Step::Done(planned(settings, wanted, cursor, differences, (before, after))))
}

/// Of a site that was not selected.
pub fn nothing(site: &Site, settings: &Settings) -> Result<Planned, Failure> {
    let there = site.serving(settings.buckets, settings.versions)?;
    let token = Token { before: there.clone(), after: there, release: None, files: 0, is_first: true };
    Ok(Planned::new("not selected", Vec::new(), json!(token)))
}

/// From where to where. What an earlier phase of the same deployment does here counts as done: all plans are made
/// before the first of them is applied, and still this one has to be the same when its turn comes.
fn way(site: &Site, settings: &Settings, wanted: &Wanted) -> Result<(Serving, Serving), Failure> {
    let is_first = wanted.weight_before == 0;
    let there = site.serving(settings.buckets, settings.versions && is_first)?;
    let only_here = |serving: Serving| Serving { pinned: serving.pinned.filter(|_| settings.buckets), ..serving };
    let Some(release) = &wanted.release else {
        let nothing = Serving {
            current: None,
            pinned: there.pinned.as_ref().map(|_| Default::default()),
            versions: there.versions.as_ref().map(|_| Default::default()),
        };
        return Ok((there, nothing));
    };
    let before = match is_first {
        true => there,
        false => only_here(Serving::shared(there.current, wanted.weight_before, &release.hex)),
    };
    let mut after = only_here(Serving::shared(before.current.clone(), wanted.weight, &release.hex));
    if let Some(versions) = &before.versions {
        after.versions = Some(versions_with(site, settings, versions, &before.current, release)?);
    }
    Ok((before, after))
}

/// The newest of them, the release itself, and what everybody sees until then.
fn versions_with(
    site: &Site,
    settings: &Settings,
    there: &Versions,
    current: &Option<Hex>,
    release: &Release,
) -> Result<Versions, Failure> {
    let by_age = site.kept()?.into_iter().filter(|hex| *hex != release.hex && there.values().any(|of| of == hex));
    let kept: Vec<Hex> = by_age.take(settings.keep_releases.saturating_sub(1)).chain(current.clone()).collect();
    let mut versions = there.clone();
    versions.retain(|_, hex| kept.contains(hex));
    versions.insert(release.tag.clone(), release.hex.clone());
    Ok(versions)
}

/// Files are named where they are replaced: with the switch of `current`, and in the release that is served already
/// with the first phase that repairs it.
fn compares(wanted: &Wanted, current: &Option<Hex>) -> bool {
    match &wanted.release {
        Some(release) if current.as_ref() == Some(&release.hex) => wanted.weight_before == 0,
        Some(_) | None => wanted.weight >= BUCKETS,
    }
}

/// An empty site is asked for by a DESTROY, and not by a build that made nothing.
fn holds_files(paths: Option<BTreeSet<String>>) -> Result<Option<BTreeSet<String>>, Failure> {
    match paths {
        Some(paths) if paths.is_empty() => {
            let message = "the archive holds no file, and the site would be gone; was the right folder packed?";
            Err(Failure::fatal("invalid-artifact", message))
        }
        paths => Ok(paths),
    }
}

impl Cursor {
    fn note(&mut self, wanted: &Wanted, new: &mut Vec<Difference>, difference: Difference) -> Result<(), Failure> {
        self.found.changes += 1;
        self.found.plan_bytes += CHANGE_BYTES + difference.path.len() + wanted.application.len();
        match (self.is_too_long(), &self.previous) {
            (false, _) => new.push(difference),
            // Nothing is replaced: the artifact's digest says what will be there.
            (true, None) => new.clear(),
            (true, Some(_)) => {
                let changes = self.found.changes;
                let message = format!(
                    "{changes} files or more change, which is more than a plan for people to approve can name; deploy in \
                     smaller steps, or into another folder"
                );
                return Err(Failure::fatal("too-many-changes", message));
            }
        }
        Ok(())
    }

    fn is_too_long(&self) -> bool {
        self.found.plan_bytes > PLAN_BYTES
    }

    fn again(mut self, stage: &Path, new: &[Difference]) -> Result<Step, Failure> {
        if !new.is_empty() {
            self.found.staged_bytes = append(stage, self.found.staged_bytes, new)
                .map_err(|error| Failure::from(error).context("keeping the plan so far in `releases`"))?;
        }
        Ok(Step::Again(self))
    }
}

fn is_staged(stage: &Path, bytes: u64) -> bool {
    bytes == 0 || fs::metadata(stage).is_ok_and(|metadata| metadata.len() >= bytes)
}

/// What is behind `bytes` was written by a call whose answer was lost. Answers the new length.
fn append(stage: &Path, bytes: u64, new: &[Difference]) -> io::Result<u64> {
    stage.parent().map_or(Ok(()), fs::create_dir_all)?;
    let mut text = Vec::new();
    for difference in new {
        json::to_writer(&mut text, difference)?;
        text.push(b'\n');
    }
    let mut file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(stage)?;
    file.set_len(bytes)?;
    io::Seek::seek(&mut file, io::SeekFrom::Start(bytes))?;
    file.write_all(&text)?;
    Ok(bytes + text.len() as u64)
}

fn read_staged(stage: &Path, bytes: u64) -> Result<Vec<Difference>, Failure> {
    if bytes == 0 {
        return Ok(Vec::new());
    }
    let read = || {
        let lines = io::BufReader::new(fs::File::open(stage)?.take(bytes)).lines();
        lines.map(|line| json::from_str(&line?).map_err(io::Error::from)).collect::<io::Result<_>>()
    };
    read().map_err(|error| Failure::from(error).context("reading the plan so far"))
}

/// The same world gives the same plan: sorted, and nothing in it but names and digests.
fn planned(
    settings: &Settings,
    wanted: &Wanted,
    cursor: Cursor,
    mut differences: Vec<Difference>,
    (before, after): (Serving, Serving),
) -> Planned {
    let is_too_long = cursor.is_too_long();
    let Cursor { previous, compared: files, .. } = cursor;
    let is_named = compares(wanted, &previous) && !is_too_long;
    if is_too_long {
        differences.clear();
    }
    differences.sort_by(|a, b| a.path.cmp(&b.path));

    let (mut created, mut updated, mut deleted) = (0, 0, 0);
    let mut resources = Vec::new();
    for Difference { path, before, after } in differences {
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
        resources.push(ResourceChange::new(action, "file", path).application(&wanted.application).field(
            DIGEST,
            json!(before),
            json!(after),
        ));
    }
    if let Some(mut change) = site_change(settings, wanted, &before, &after) {
        if !is_named && change.action != Action::NoOp {
            change = change.field("files", json!(null), json!(files));
        }
        if before == after && !resources.is_empty() {
            change.action = Action::Update;
            change = change.field("edited_files", json!(resources.len()), json!(0));
        }
        if wanted.forced && is_named && wanted.is(previous.as_ref()) {
            change.action = Action::Update;
            change = change.field(REWRITTEN, json!(null), json!(files));
        }
        match wanted.selected {
            Selected::Site => resources = vec![with_files(change, resources)],
            Selected::Application | Selected::Nothing => resources.push(change),
        }
    }
    let summary = match wanted.weight {
        BUCKETS.. if is_too_long => format!("{files} created, too many to be named one by one"),
        BUCKETS.. => format!("{created} created, {updated} updated, {deleted} deleted"),
        weight => format!("{files} files for {weight} % of the visitors"),
    };
    let release = wanted.release.as_ref().map(|release| release.hex.clone());
    let token = json!(Token { before, after, release, files, is_first: wanted.weight_before == 0 });
    Planned::new(summary, resources, token)
}

const DIGEST: &str = "digest";
/// Of a site change: with a file's path behind it.
const FILE: &str = "file ";
/// Of a site change: all files are written again, also those that are as they should be.
const REWRITTEN: &str = "rewritten_files";

/// Where only the site was selected, its files are fields of it: nothing else may change.
fn with_files(mut site: ResourceChange, files: Vec<ResourceChange>) -> ResourceChange {
    site.destructive |= files.iter().any(|file| file.action == Action::Delete);
    for mut file in files {
        file.fields.iter_mut().for_each(|field| field.path = format!("{FILE}{}", file.name));
        site.fields.append(&mut file.fields);
    }
    site
}

/// What people approved of the files: path, and its digest before as JSON.
pub fn files_before(planned: &Planned) -> Result<BTreeMap<String, Option<String>>, Failure> {
    let mut files = BTreeMap::new();
    for change in &planned.changes {
        for field in &change.fields {
            let path = match change.kind.as_str() {
                "file" if field.path == DIGEST => change.name.as_str(),
                "file" => continue,
                _ => match field.path.strip_prefix(FILE) {
                    Some(path) => path,
                    None => continue,
                },
            };
            files.insert(path.to_owned(), json::from_str(&field.before).map_err(io::Error::from)?);
        }
    }
    Ok(files)
}

pub fn rewrites_files(planned: &Planned) -> bool {
    planned.changes.iter().flat_map(|change| &change.fields).any(|field| field.path == REWRITTEN)
}

/// The links are a resource too: two deployments of one site change it both, whatever their files are. One that
/// serves this release already is named, too: it is of this deployment's release now.
fn site_change(settings: &Settings, wanted: &Wanted, before: &Serving, after: &Serving) -> Option<ResourceChange> {
    let action = match (before.is_nothing(), after.is_nothing()) {
        (true, true) => return None,
        _ if before == after => Action::NoOp,
        (true, _) => Action::Create,
        (false, false) => Action::Update,
        (false, true) => Action::Delete,
    };
    let mut change = ResourceChange::new(action, "site", &settings.folder)
        .application(&wanted.application)
        .destructive(action == Action::Delete);
    if before.current != after.current {
        let digest = |serving: &Serving| json!(serving.current.as_ref().map(Hex::digest));
        change = change.field("digest", digest(before), digest(after));
    }
    if settings.buckets && before != after {
        let shares = |serving: &Serving| {
            json!(serving.shares().iter().map(|(hex, percent)| (hex.digest(), *percent)).collect::<BTreeMap<_, _>>())
        };
        change = change.field("percent", shares(before), shares(after));
    }
    if before.versions != after.versions {
        let tags = |serving: &Serving| json!(serving.versions.iter().flat_map(Versions::keys).collect::<Vec<_>>());
        change = change.field("versions", tags(before), tags(after));
    }
    Some(change)
}
