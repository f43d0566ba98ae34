//! A target that serves a folder of files: every release is a folder of its own, and links say who sees which.
//!
//! It must never show a visitor half a release, never write outside its folder, and never replace what somebody
//! changed after the plan was approved.

mod apply;
mod archive;
mod budget;
mod disk;
mod observe;
mod place;
mod plan;
mod serving;
mod site;
#[cfg(test)]
mod tests;
mod tree;

use std::path::Path;

use lockgate_sdk::target::*;
use serde::Deserialize;

use crate::serving::BUCKETS;
use crate::site::{Hex, Site};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Required, because only what the configuration names is granted to a call.
    folder: String,
    artifact: Option<String>,
    application: Option<String>,
    #[serde(default = "files_per_call")]
    files_per_call: usize,
    #[serde(default = "max_total_bytes")]
    max_total_bytes: u64,
    #[serde(default = "max_file_bytes")]
    max_file_bytes: u64,
    #[serde(default = "max_files")]
    max_files: usize,
    #[serde(default = "keep_releases")]
    keep_releases: usize,
    /// A web server shares the visitors out among them, by the weight of a phase.
    #[serde(default)]
    buckets: bool,
    /// Releases stay reachable by their tags.
    #[serde(default)]
    versions: bool,
}

fn files_per_call() -> usize {
    1000
}

fn max_total_bytes() -> u64 {
    512 << 20
}

fn max_file_bytes() -> u64 {
    128 << 20
}

fn max_files() -> usize {
    100_000
}

fn keep_releases() -> usize {
    5
}

/// The configuration without what is only there to find the artifact.
struct Settings {
    folder: String,
    files_per_call: usize,
    limits: archive::Limits,
    keep_releases: usize,
    buckets: bool,
    versions: bool,
}

impl From<Config> for Settings {
    fn from(config: Config) -> Self {
        Self {
            folder: config.folder,
            files_per_call: config.files_per_call,
            limits: archive::Limits {
                max_files: config.max_files,
                max_file_bytes: config.max_file_bytes,
                max_total_bytes: config.max_total_bytes,
            },
            keep_releases: config.keep_releases,
            buckets: config.buckets,
            versions: config.versions,
        }
    }
}

/// What the site shall serve.
#[derive(Debug, Clone, PartialEq)]
struct Wanted {
    application: String,
    /// None: nothing, the deployment is a DESTROY.
    release: Option<Release>,
    /// Percent of the visitors.
    weight: usize,
    /// What an earlier phase of the deployment gives it. 0: this is its first.
    weight_before: usize,
    selected: Selected,
    /// Every file is written again.
    forced: bool,
}

/// What a SELECTIVE deployment has to do with this site.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Selected {
    /// Its application, or it is no SELECTIVE deployment: the site and each of its files are resources of the plan.
    Application,
    /// The site by its type or name: whatever changes is a change of that one resource.
    Site,
    Nothing,
}

#[derive(Debug, Clone, PartialEq)]
struct Release {
    tag: String,
    hex: Hex,
    /// Of the artifact in the release.
    artifact: String,
    uri: String,
}

impl Wanted {
    fn of(config: &Config, subject: &Subject) -> Result<Self, Failure> {
        can_be_done(config, subject)?;
        let whole = |release, of_artifact: &str| {
            let application = application(config, subject, of_artifact);
            Ok(Self {
                selected: selected(config, subject, &application)?,
                application,
                release,
                weight: subject.weight as usize,
                weight_before: subject.weight_before as usize,
                forced: subject.forced,
            })
        };
        if subject.kind == "DESTROY" || subject.stage == "teardown" {
            return Ok(Self { weight: BUCKETS, weight_before: 0, ..whole(None, "")? });
        }
        let artifact = subject.artifact_or_only(config.artifact.as_deref())?;
        let hex = Hex::of_digest(&artifact.digest)
            .ok_or_else(|| Failure::fatal("invalid-subject", format!("`{}` is no sha256 digest", artifact.digest)))?;
        let tag = subject.release.tag.clone();
        let release = Release { tag, hex, artifact: artifact.name.clone(), uri: artifact.uri.clone() };
        whole(Some(release), &artifact.application)
    }

    fn is(&self, release: Option<&Hex>) -> bool {
        release.is_some() && self.release.as_ref().map(|wanted| &wanted.hex) == release
    }

    fn open(&self) -> Result<Option<artifacts::Reader>, Failure> {
        self.release.as_ref().map(Release::open).transpose()
    }
}

impl Release {
    fn open(&self) -> Result<artifacts::Reader, Failure> {
        artifacts::open(&self.hex.digest())
    }
}

fn can_be_done(config: &Config, subject: &Subject) -> Result<(), Failure> {
    if (subject.weight as usize) < BUCKETS && !config.buckets {
        let message = format!(
            "a weight of {} % is not possible: this site serves one release to all; set `buckets`, and let the web \
             server choose among them",
            subject.weight
        );
        return Err(Failure::fatal("unsupported", message));
    }
    let tag = &subject.release.tag;
    if config.versions && (tag.is_empty() || tag.starts_with('.') || tag.contains(['/', '\\'])) {
        return Err(Failure::fatal("invalid-subject", format!("`{tag}` cannot be the name of a version's folder")));
    }
    Ok(())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Selection {
    application: Option<String>,
    resource_type: Option<String>,
    resource_name: Option<String>,
}

fn selected(config: &Config, subject: &Subject, application: &str) -> Result<Selected, Failure> {
    if subject.selections.is_empty() {
        return Ok(Selected::Application);
    }
    let mut selected = Selected::Nothing;
    for selection in &subject.selections {
        let selection = Selection::deserialize(selection)
            .map_err(|error| Failure::fatal("invalid-subject", format!("a selection does not read: {error}")))?;
        if selection.application.as_deref().is_some_and(|selected| selected != application) {
            continue;
        }
        match (selection.resource_type.as_deref(), selection.resource_name.as_deref()) {
            (None, None) => return Ok(Selected::Application),
            (Some("site"), None) => selected = Selected::Site,
            (None | Some("site"), Some(name)) if name == config.folder => selected = Selected::Site,
            (Some("file"), _) => {
                let message = "single files cannot be selected: a site is switched as a whole; select its application, \
                               or the `site`";
                return Err(Failure::fatal("unsupported", message));
            }
            (_, _) => {}
        }
    }
    Ok(selected)
}

/// The most particular that is named.
fn application(config: &Config, subject: &Subject, of_artifact: &str) -> String {
    let named = [config.application.as_deref().unwrap_or(""), of_artifact, &subject.application];
    named.into_iter().find(|name| !name.is_empty()).unwrap_or("").to_owned()
}

pub struct StaticSite;

impl Target for StaticSite {
    type Config = Config;

    fn describe() -> Description {
        describe!("Serves a folder of files and switches releases at once.")
            .config_schema(include_str!("../config.schema.json"))
            .folder_from_config("/folder")
    }

    fn validate(config: &Config) -> Vec<Issue> {
        issues(config)
    }

    fn plan(call: Call, config: Config, subject: Subject, cursor: Cursor) -> Result<PlanStep, Failure> {
        let wanted = Wanted::of(&config, &subject)?;
        let site = site(&config)?;
        if wanted.selected == Selected::Nothing {
            return plan::nothing(&site, &config.into()).map(PlanStep::done);
        }
        let stage = Hex::of_text(&format!("{} {} {}", call.deployment, call.attempt, call.name));
        let settings = config.into();
        let step = plan::plan(&site, &settings, &wanted, wanted.open()?, &stage, cursor.read()?);
        Ok(match step.map_err(|failure| disk::explained(failure, &site, &settings.folder))? {
            plan::Step::Again(cursor) => PlanStep::again(&cursor),
            plan::Step::Done(planned) => PlanStep::done(planned),
        })
    }

    fn apply(
        _: Call,
        config: Config,
        subject: Subject,
        approved: Planned,
        cursor: Cursor,
    ) -> Result<Progressed, Failure> {
        let wanted = Wanted::of(&config, &subject)?;
        if wanted.selected == Selected::Nothing {
            return Ok(Progressed::done("Not selected: nothing was touched."));
        }
        let site = site(&config)?;
        let settings = config.into();
        let step = apply::apply(&site, &settings, &wanted, &approved, Release::open, cursor.read()?);
        let step = step.map_err(|failure| {
            let failure = disk::explained(failure, &site, &settings.folder);
            wanted.release.iter().for_each(|release| site.tidy(&release.hex, &failure));
            failure
        });
        Ok(match step? {
            apply::Step::Again(cursor) => Progressed::again(&cursor),
            apply::Step::Done(outcome) => applied(&wanted, &outcome),
        })
    }

    fn undo(_: Call, config: Config, subject: Subject, approved: Planned, _: Cursor) -> Result<Progressed, Failure> {
        if Wanted::of(&config, &subject)?.selected == Selected::Nothing {
            return Ok(Progressed::done("Not selected: nothing was touched."));
        }
        let site = site(&config)?;
        let settings = config.into();
        let undone = apply::undo(&site, &settings, &approved);
        undone.map(Progressed::done).map_err(|failure| disk::explained(failure, &site, &settings.folder))
    }

    fn observe(_: Call, config: Config, subject: Subject) -> Result<Vec<ResourceState>, Failure> {
        // The same that its plan names, or nobody could tell that they are of one application.
        let artifact = subject.artifact_or_only(config.artifact.as_deref());
        let of_artifact = artifact.map(|artifact| artifact.application.as_str()).unwrap_or_default();
        let application = application(&config, &subject, of_artifact);
        let site = site(&config)?;
        let settings = config.into();
        let observed = observe::observe(&site, &settings, &application);
        observed.map_err(|failure| disk::explained(failure, &site, &settings.folder))
    }
}

lockgate_sdk::export_target!(StaticSite);

fn site(config: &Config) -> Result<Site, Failure> {
    Site::open(Path::new("/folders").join(&config.folder))
}

fn issues(config: &Config) -> Vec<Issue> {
    let mut issues = Vec::new();
    if config.folder.is_empty() || config.folder.contains('/') || config.folder.starts_with('.') {
        issues.push(Issue::new("/folder", "is the name of a granted folder, not a path"));
    }
    for (path, value) in [("/files_per_call", config.files_per_call), ("/keep_releases", config.keep_releases)] {
        if value == 0 {
            issues.push(Issue::new(path, "is at least 1"));
        }
    }
    issues
}

fn applied(wanted: &Wanted, outcome: &apply::Outcome) -> Progressed {
    let deployed = wanted.release.iter().map(|release| {
        json!({
            "application": wanted.application,
            "artifact": release.artifact,
            "version": release.hex.digest(),
            "uri": release.uri,
        })
    });
    let summary = match &wanted.release {
        Some(release) if wanted.weight < BUCKETS => {
            format!("{} files of {} are served to {} %.", outcome.files, release.hex.short(), wanted.weight)
        }
        Some(release) => format!("{} files of {} are served.", outcome.files, release.hex.short()),
        None => "Nothing is served any more.".to_owned(),
    };
    Progressed::done(summary).outputs(json!({
        "application_deployments": deployed.collect::<Vec<_>>(),
        "files": outcome.files,
        "previous": outcome.previous,
    }))
}
