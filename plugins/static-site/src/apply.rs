//! From the approved plan to the release that is served, in steps that may each be repeated.
//!
//! Unpack beside what is served, see that what is served is still what the plan saw, switch one link. Only where
//! the very release that is served was edited by hand is it repaired in its place, file by file, and then each
//! file is compared with the plan before it is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::ops::{Bound, ControlFlow};
use std::path::Path;

use lockgate_sdk::target::{Planned, json};
use lockgate_sdk::{Failure, log, progress};
use serde::{Deserialize, Serialize};

use crate::archive::{self, each_file};
use crate::budget::Budget;
use crate::place::{MayReplace, Placing, place};
use crate::plan::{self, Token};
use crate::serving::Serving;
use crate::site::{Entry, Hex, Manifest, Site};
use crate::tree::{self, Found};
use crate::{Release, Settings, Wanted};

/// What the next call does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Cursor {
    Extract {
        /// First file of the archive that is not in the journal.
        next: usize,
        /// The journal up to there; what is behind it was written by a call whose answer was lost.
        journal_bytes: u64,
    },
    /// Compares what is served with the plan, then switches.
    Switch {
        #[serde(skip_serializing_if = "Option::is_none")]
        checked_up_to: Option<String>,
    },
    /// Removes what is no longer kept.
    Prune,
}

#[derive(Debug)]
pub enum Step {
    Again(Cursor),
    Done(Outcome),
}

#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub files: usize,
    pub previous: Option<Hex>,
}

/// What people approved, as the files it replaces.
struct Approved {
    token: Token,
    before: BTreeMap<String, Option<String>>,
    /// Also what is as it should be.
    rewrites: bool,
}

impl Approved {
    fn read(planned: &Planned) -> Result<Self, Failure> {
        let (before, rewrites) = (plan::files_before(planned)?, plan::rewrites_files(planned));
        Ok(Self { token: planned.read_token()?, before, rewrites })
    }

    /// Whether the plan saw `found` at `path` and replaces or deletes it.
    fn replaces(&self, path: &str, found: Option<&str>) -> Result<(), Failure> {
        match self.before.get(path) {
            Some(before) if before.as_deref() == found => Ok(()),
            Some(_) | None => Err(stale(format!("`{path}` was changed since"))),
        }
    }
}

fn stale(what: String) -> Failure {
    Failure::fatal("plan-stale", format!("the site is not as the plan saw it: {what}"))
}

pub fn apply<R: Read>(
    site: &Site,
    settings: &Settings,
    wanted: &Wanted,
    approved: &Planned,
    open: impl Fn(&Release) -> Result<R, Failure>,
    cursor: Option<Cursor>,
) -> Result<Step, Failure> {
    let approved = Approved::read(approved)?;
    let planned_release = &approved.token.release;
    if *planned_release != wanted.release.as_ref().map(|release| release.hex.clone()) {
        return Err(stale("the plan is for another artifact".into()));
    }
    match (cursor, &wanted.release) {
        (None, release) => {
            still_planned(site, &approved)?;
            log::info(starting(settings, &approved.token));
            site.clear_others(release.as_ref().map(|release| &release.hex))?;
            match release {
                Some(release) => extract(site, settings, release, &approved, open, 0, 0),
                None => switch(site, settings, None, &approved, None),
            }
        }
        (Some(Cursor::Extract { next, journal_bytes }), Some(release)) => {
            extract(site, settings, release, &approved, open, next, journal_bytes)
        }
        (Some(Cursor::Extract { .. }), None) => Err(Failure::fatal("invalid-cursor", "nothing is there to unpack")),
        (Some(Cursor::Switch { checked_up_to }), release) => {
            switch(site, settings, release.as_ref(), &approved, checked_up_to)
        }
        (Some(Cursor::Prune), release) => prune(site, settings, release.as_ref(), &approved),
    }
}

fn starting(settings: &Settings, token: &Token) -> String {
    match &token.release {
        Some(release) => format!("unpacking {} files of {} for `{}`", token.files, release.short(), settings.folder),
        None => format!("taking `{}` down", settings.folder),
    }
}

/// The release that was planned may be there already: a repeated call after the switch.
fn still_planned(site: &Site, approved: &Approved) -> Result<(), Failure> {
    let Token { before, after, .. } = &approved.token;
    match site.current()? {
        current if current == before.current || current == after.current => Ok(()),
        Some(other) => Err(stale(format!("it serves {} now", other.short()))),
        None => Err(stale("it serves nothing now".into())),
    }
}

/// Puts the archive's next files in place. A release that is there already goes the same way: what equals the
/// archive stays, the rest is put right.
fn extract<R: Read>(
    site: &Site,
    settings: &Settings,
    release: &Release,
    approved: &Approved,
    open: impl Fn(&Release) -> Result<R, Failure>,
    mut next: usize,
    journal_bytes: u64,
) -> Result<Step, Failure> {
    site.make_releases()?;
    let hex = &release.hex;
    let is_there = site.is_there(hex)?;
    let folder = if is_there { site.release(hex) } else { site.partial(hex) };
    let is_served = site.current()?.as_ref() == Some(hex);
    let check = |path: &str, found: Option<&str>| approved.replaces(path, found);
    let may_replace: MayReplace<'_> = if is_served { Some(&check) } else { None };
    if site.serving(settings.buckets, settings.versions)?.releases().contains(hex) {
        // Only at its end is the artifact known to be whole, and what is placed here is seen at once.
        archive::read_to_end(open(release)?)?;
    }

    let mut journal = match open_journal(&site.journal(hex), journal_bytes)? {
        Some(journal) => journal,
        None => {
            log::warn("what was unpacked so far is gone; starting over");
            next = 0;
            open_journal(&site.journal(hex), 0)?.ok_or_else(|| Failure::fatal("io", "the journal cannot be made"))?
        }
    };
    fs::create_dir_all(&folder).map_err(|error| Failure::from(error).context("creating the release's folder"))?;

    let placing = Placing { writing: &site.writing(hex), may_replace, rewrites: approved.rewrites && is_served };
    let mut budget = Budget::new(settings.files_per_call);
    let all = each_file(open(release)?, &settings.limits, |file| {
        if file.index < next {
            return Ok(ControlFlow::Continue(()));
        }
        let digest = place(&folder, file.path, file.content, &placing)?;
        let line = json!({ "path": file.path, "digest": digest, "size": file.size });
        writeln!(journal, "{line}")?;
        next = file.index + 1;
        Ok(budget.spend(file.size))
    })?;
    journal.sync_all()?;
    progress::report(percent(next, approved.token.files), &format!("{next} of {} files", approved.token.files));
    if all.is_none() {
        log::debug(format!("{next} files are in place"));
        return Ok(Step::Again(Cursor::Extract { next, journal_bytes: journal.metadata()?.len() }));
    }
    drop(journal);

    let files = read_journal(&site.journal(hex))?;
    let on_disk = tree::list(&folder)?;
    if let Some(path) = first_missing(&files, &on_disk) {
        // Without it the next try takes every file from the archive again.
        fs::remove_file(site.journal(hex))?;
        let message = format!("`{path}` is not as it was unpacked; the next try unpacks again what is missing");
        return Err(Failure::retry(message).with_code("incomplete"));
    }
    remove_extras(&folder, &files, &on_disk, may_replace)?;
    site.sync_folders(&folder, &files);
    let count = files.len();
    let (artifact, uri, tag) = (hex.digest(), release.uri.clone(), release.tag.clone());
    site.write_manifest(hex, &Manifest { artifact, uri, tag, files })?;
    if is_there {
        log::info(format!("release {} was there; its {count} files are as in the archive", hex.short()));
    } else {
        site.finish_partial(hex)?;
        log::info(format!("release {} is unpacked: {count} files", hex.short()));
    }
    Ok(Step::Again(Cursor::Switch { checked_up_to: None }))
}

/// Unpacking is most of the work; the rest of the way to 100 is comparing and switching.
fn percent(done: usize, all: usize) -> u32 {
    u32::try_from(done * 80 / all.max(1)).unwrap_or(80).min(80)
}

/// One line for each file that is in place, in the archive's order, so that a repeated call writes the same again.
/// None: the file is shorter than the cursor remembers.
fn open_journal(path: &Path, bytes: u64) -> Result<Option<fs::File>, Failure> {
    let opened = (|| {
        let mut journal = fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
        if journal.metadata()?.len() < bytes {
            return Ok(None);
        }
        journal.set_len(bytes)?;
        io::Seek::seek(&mut journal, io::SeekFrom::End(0))?;
        Ok(Some(journal))
    })();
    opened.map_err(|error: io::Error| Failure::from(error).context("opening the journal"))
}

fn read_journal(path: &Path) -> Result<BTreeMap<String, Entry>, Failure> {
    #[derive(Deserialize)]
    struct Line {
        path: String,
        #[serde(flatten)]
        entry: Entry,
    }
    let lines = io::BufReader::new(fs::File::open(path)?).lines();
    let parsed = lines.map(|line| json::from_str::<Line>(&line?).map_err(io::Error::from));
    parsed
        .map(|line| line.map(|line| (line.path, line.entry)))
        .collect::<io::Result<_>>()
        .map_err(|error| Failure::from(error).context("reading the journal"))
}

/// The journal says what was put there, which a power cut or a person may have taken away since.
fn first_missing<'a>(files: &'a BTreeMap<String, Entry>, on_disk: &BTreeMap<String, Found>) -> Option<&'a str> {
    let is_there = |path: &str, entry: &Entry| on_disk.get(path) == Some(&Found::File { size: entry.size });
    files.iter().find(|(path, entry)| !is_there(path, entry)).map(|(path, _)| path.as_str())
}

fn remove_extras(
    folder: &Path,
    files: &BTreeMap<String, Entry>,
    on_disk: &BTreeMap<String, Found>,
    may_replace: MayReplace<'_>,
) -> Result<(), Failure> {
    for (path, found) in on_disk.iter().filter(|(path, _)| !files.contains_key(*path)) {
        if let Some(check) = may_replace {
            check(path, Some(&tree::digest(&folder.join(path), found)?))?;
        }
        log::info(format!("removing `{path}`, which is no part of the release"));
        fs::remove_file(folder.join(path)).map_err(|error| Failure::from(error).context("removing a file"))?;
    }
    Ok(())
}

/// Compares what is served with what the plan saw, in as many calls as it takes; the last one switches.
fn switch(
    site: &Site,
    settings: &Settings,
    release: Option<&Release>,
    approved: &Approved,
    checked_up_to: Option<String>,
) -> Result<Step, Failure> {
    still_planned(site, approved)?;
    let after = &approved.token.after;
    let current = site.current()?;
    if current.is_some() && current != after.current {
        let coming = release.map(|release| manifest_of(site, &release.hex)).transpose()?;
        if let Some(checked_up_to) = check(site, settings, coming.as_ref(), approved, checked_up_to)? {
            progress::report(90, "comparing what is served with the plan");
            return Ok(Step::Again(Cursor::Switch { checked_up_to: Some(checked_up_to) }));
        }
    }
    site.serve(after)?;
    log::info(format!("`{}` serves {}", settings.folder, told(after)));
    progress::report(95, "switched");
    Ok(Step::Again(Cursor::Prune))
}

fn told(serving: &Serving) -> String {
    let shares: Vec<String> = serving
        .shares()
        .iter()
        .map(|(hex, percent)| match percent {
            100 => hex.short().to_owned(),
            _ => format!("{} to {percent} %", hex.short()),
        })
        .collect();
    if shares.is_empty() { "nothing".to_owned() } else { shares.join(", ") }
}

fn manifest_of(site: &Site, hex: &Hex) -> Result<Manifest, Failure> {
    site.manifest(hex)?
        .ok_or_else(|| Failure::fatal("manifest-missing", format!("the manifest of {} is gone", hex.short())))
}

/// None: all is as the plan saw it. Otherwise where to go on.
fn check(
    site: &Site,
    settings: &Settings,
    coming: Option<&Manifest>,
    approved: &Approved,
    checked_up_to: Option<String>,
) -> Result<Option<String>, Failure> {
    // A file the plan does not name was equal to the one that comes.
    let expected = |path: &str| match approved.before.get(path) {
        Some(before) => before.clone(),
        None => coming.and_then(|manifest| Some(manifest.files.get(path)?.digest.clone())),
    };
    let folder = site.current_path();
    let on_disk = tree::list(&folder)?;
    let named = approved.before.keys().chain(coming.into_iter().flat_map(|manifest| manifest.files.keys()));
    let missing: BTreeSet<_> = named.filter(|path| !on_disk.contains_key(*path) && expected(path).is_some()).collect();
    if let Some(path) = missing.first() {
        return Err(stale(format!("`{path}` is gone")));
    }
    let from = checked_up_to.map_or(Bound::Unbounded, Bound::Excluded);
    let mut budget = Budget::new(settings.files_per_call);
    for (path, found) in on_disk.range::<String, _>((from.as_ref(), Bound::Unbounded)) {
        if expected(path) != Some(tree::digest(&folder.join(path), found)?) {
            return Err(stale(format!("`{path}` was changed since")));
        }
        if budget.spend(found.size()).is_break() {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

/// One old release a call, and never what is served or would be gone back to.
fn prune(site: &Site, settings: &Settings, release: Option<&Release>, approved: &Approved) -> Result<Step, Failure> {
    for hex in site.abandoned()? {
        site.remove_unfinished(&hex)?;
    }
    site.remove_staged_plans()?;
    let Token { before, after, is_first, .. } = &approved.token;
    // What later phases of this deployment would remove, its undo may still need.
    if *is_first {
        let needed: BTreeSet<Hex> = [before, after].into_iter().flat_map(Serving::releases).collect();
        let kept = site.kept()?;
        let mut old = kept.iter().skip(settings.keep_releases).filter(|hex| !needed.contains(hex));
        if let Some(hex) = old.next() {
            site.remove_release(hex)?;
            log::info(format!("release {} is no longer kept", hex.short()));
            if old.next().is_some() {
                return Ok(Step::Again(Cursor::Prune));
            }
        }
    }
    progress::report(100, "done");
    let files = match release {
        Some(release) => manifest_of(site, &release.hex)?.files.len(),
        None => 0,
    };
    Ok(Step::Done(Outcome { files, previous: before.current.clone() }))
}

/// Back to what was served when it was planned. Says what it did.
pub fn undo(site: &Site, settings: &Settings, planned: &Planned) -> Result<String, Failure> {
    let Token { before, after, release, .. } = planned.read_token()?;
    let now = site.serving(before.pinned.is_some(), before.versions.is_some())?;
    let expected: BTreeSet<Hex> = before.releases().into_iter().chain(after.releases()).collect();
    let is_ours = now.current == before.current || now.current == after.current;
    if !is_ours || !now.releases().is_subset(&expected) {
        let message = format!("`{}` serves {}, which this deployment did not put there", settings.folder, told(&now));
        return Err(Failure::fatal("moved", message));
    }
    let done = if now != before {
        go_back(site, settings, &before)?
    } else if before == after && !before.is_nothing() {
        format!("`{}` served {} before, too; edits by hand do not come back", settings.folder, told(&before))
    } else {
        format!("`{}` serves {} as before", settings.folder, told(&before))
    };
    if let Some(release) = release {
        site.remove_unfinished(&release)?;
    }
    log::info(&done);
    progress::report(100, &done);
    Ok(done)
}

fn go_back(site: &Site, settings: &Settings, before: &Serving) -> Result<String, Failure> {
    for hex in before.releases() {
        if !site.is_there(&hex)? {
            let message = format!("the folder of release {} is gone; deploy it again", hex.short());
            return Err(Failure::fatal("previous-missing", message));
        }
    }
    site.serve(before)?;
    Ok(format!("`{}` serves {} again", settings.folder, told(before)))
}

impl Found {
    pub fn size(&self) -> u64 {
        match self {
            Found::File { size } => *size,
            Found::Link(_) | Found::Other => 0,
        }
    }
}
