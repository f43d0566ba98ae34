//! How the site is: what is served, and whether it is still what was unpacked.

use std::collections::BTreeMap;
use std::path::Path;

use lockgate_sdk::Failure;
use lockgate_sdk::target::{Health, ResourceState, json};

use crate::Settings;
use crate::serving::BUCKETS;
use crate::site::{Hex, Manifest, Site};
use crate::tree;

/// More drifted files are counted, not named.
const NAMED_FILES: usize = 50;

/// What everybody sees, then what a share of the visitors sees, or whoever still asks for it.
pub fn observe(site: &Site, settings: &Settings, application: &str) -> Result<Vec<ResourceState>, Failure> {
    let serving = site.serving(settings.buckets, settings.versions)?;
    let others: Vec<Hex> = serving.releases().into_iter().filter(|hex| serving.current.as_ref() != Some(hex)).collect();
    let shares = serving.shares();
    let share = |hex: &Hex| shares.get(hex).copied().unwrap_or(0);
    let follow = BUCKETS - others.iter().map(share).sum::<usize>();
    let state = |kind: &str, name: &str, percent, release| {
        let mut state = state_of(site, kind, name, release)?.application(application);
        state.weight_percent = u32::try_from(percent).unwrap_or(u32::MAX);
        Ok::<_, Failure>(state)
    };
    let mut states = vec![state("site", &settings.folder, follow, serving.current.as_ref())?];
    for hex in &others {
        let tags = serving.versions.iter().flatten().filter(|(_, of)| *of == hex).map(|(tag, _)| tag.as_str());
        let name = tags.chain([hex.short()]).next().unwrap_or_default();
        states.push(state("version", name, share(hex), Some(hex))?);
    }
    Ok(states)
}

fn state_of(site: &Site, kind: &str, name: &str, release: Option<&Hex>) -> Result<ResourceState, Failure> {
    let state = |health| ResourceState::new(kind, name, health);
    let Some(release) = release else {
        return Ok(state(Health::Missing).details(json!({ "reason": "nothing is served" })));
    };
    if !site.is_there(release)? {
        let details = json!({ "reason": "the folder of the release is gone" });
        return Ok(state(Health::Missing).version(release.digest(), "").details(details));
    }
    let Some(manifest) = site.manifest(release)? else {
        let details = json!({ "reason": "the manifest of the release is gone or does not read" });
        return Ok(state(Health::Unknown).version(release.digest(), "").details(details));
    };
    let tag = if manifest.tag.is_empty() { release.digest() } else { manifest.tag.clone() };
    let drifted = drift(&site.release(release), &manifest)?;
    let files = manifest.files.len();
    let (health, version, details) = match drifted.len() {
        0 => (Health::Healthy, tag, json!({ "files": files })),
        count => {
            let named: BTreeMap<_, _> = drifted.into_iter().take(NAMED_FILES).collect();
            let details = json!({ "files": files, "drifted": count, "drift": named });
            (Health::Degraded, edited(&tag, count), details)
        }
    };
    Ok(state(health).version(version, manifest.uri).details(details))
}

/// No longer the release: whoever compares versions has to see it.
fn edited(tag: &str, count: usize) -> String {
    format!("{tag}, {count} file{} edited", if count == 1 { "" } else { "s" })
}

/// Files that are not as they were unpacked, and how.
fn drift(folder: &Path, manifest: &Manifest) -> Result<BTreeMap<String, &'static str>, Failure> {
    let on_disk = tree::list(folder)?;
    let mut drifted = BTreeMap::new();
    for (path, found) in &on_disk {
        match manifest.files.get(path) {
            None => {
                drifted.insert(path.clone(), "added");
            }
            // Another size is another file; only equal sizes are worth hashing.
            Some(entry) if entry.size != found.size() || entry.digest != tree::digest(&folder.join(path), found)? => {
                drifted.insert(path.clone(), "changed");
            }
            Some(_) => {}
        }
    }
    for path in manifest.files.keys().filter(|path| !on_disk.contains_key(*path)) {
        drifted.insert(path.clone(), "deleted");
    }
    Ok(drifted)
}
