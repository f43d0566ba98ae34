//! How the site is: what is served, and whether it is still what was unpacked.

use std::collections::BTreeMap;

use lockgate_sdk::Failure;
use lockgate_sdk::target::{Health, ResourceState, json};

use crate::Settings;
use crate::site::{Manifest, Site};
use crate::tree;

/// More drifted files are counted, not named.
const NAMED_FILES: usize = 50;

pub fn observe(site: &Site, settings: &Settings, application: &str) -> Result<ResourceState, Failure> {
    let state = |health| ResourceState::new("site", &settings.folder, health).application(application);
    let Some(current) = site.current()? else {
        return Ok(state(Health::Missing).details(json!({ "reason": "nothing is served" })));
    };
    if !site.is_there(&current)? {
        let details = json!({ "reason": "the folder of the release is gone" });
        return Ok(state(Health::Missing).version(current.digest(), "").details(details));
    }
    let Some(manifest) = site.manifest(&current)? else {
        let details = json!({ "reason": "the manifest of the release is gone or does not read" });
        return Ok(state(Health::Unknown).version(current.digest(), "").details(details));
    };
    let drifted = drift(site, &manifest)?;
    let files = manifest.files.len();
    let (health, details) = match drifted.len() {
        0 => (Health::Healthy, json!({ "files": files })),
        count => {
            let named: BTreeMap<_, _> = drifted.into_iter().take(NAMED_FILES).collect();
            (Health::Degraded, json!({ "files": files, "drifted": count, "drift": named }))
        }
    };
    Ok(state(health).version(current.digest(), manifest.uri).details(details))
}

/// Files that are not as they were unpacked, and how.
fn drift(site: &Site, manifest: &Manifest) -> Result<BTreeMap<String, &'static str>, Failure> {
    let folder = site.current_path();
    let on_disk = tree::list(&folder)?;
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
