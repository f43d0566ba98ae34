//! The folder of a site and who may be found where in it.
//!
//! ```text
//! current -> releases/<hex>       what is served; only ever replaced by a rename
//! releases/<hex>/                 a release, complete
//! releases/<hex>.manifest.json    what belongs in it
//! releases/.<hex>.partial/        a release being unpacked
//! releases/.<hex>.journal         what of it is unpacked, a line per file
//! releases/.<hex>.writing         the one file being written
//! releases/.<hex>.plan            what a plan of several calls has found so far; <hex> names the plan
//! .link.new                       a link on its way to its name
//! ```
//!
//! The links beside `current` are in `serving`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lockgate_sdk::Failure;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::tree::{self, Found, Seen};

/// 64 hex digits: of an artifact's digest, and the name of its release's folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hex(String);

impl Hex {
    pub fn of_digest(digest: &str) -> Option<Self> {
        Self::parse(digest.strip_prefix("sha256:")?)
    }

    /// A name of 64 hex digits for anything.
    pub fn of_text(text: &str) -> Self {
        Self(hex::encode(Sha256::digest(text)))
    }

    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }

    pub fn digest(&self) -> String {
        format!("sha256:{self}")
    }

    /// Enough for a person to compare.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl std::fmt::Display for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What belongs in a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub artifact: String,
    pub uri: String,
    /// Of the release that was deployed last with it; empty in those of older versions.
    #[serde(default)]
    pub tag: String,
    pub files: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub digest: String,
    pub size: u64,
}

pub struct Site {
    root: PathBuf,
}

impl Site {
    pub fn open(root: PathBuf) -> Result<Self, Failure> {
        if !fs::metadata(&root).is_ok_and(|metadata| metadata.is_dir()) {
            let name = root.file_name().unwrap_or_default().display();
            let message = format!(
                "there is no folder `{name}` for this plugin: an operator grants it with `--folder {name}=PATH`, and PATH must be there"
            );
            return Err(Failure::fatal("denied", message));
        }
        let site = Self { root };
        is_folder(&site.releases(), "releases")?;
        Ok(site)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn current_path(&self) -> PathBuf {
        self.root.join("current")
    }

    pub fn release(&self, hex: &Hex) -> PathBuf {
        self.releases().join(hex.to_string())
    }

    pub fn partial(&self, hex: &Hex) -> PathBuf {
        self.releases().join(format!(".{hex}.partial"))
    }

    pub fn journal(&self, hex: &Hex) -> PathBuf {
        self.releases().join(format!(".{hex}.journal"))
    }

    pub fn writing(&self, hex: &Hex) -> PathBuf {
        self.releases().join(format!(".{hex}.writing"))
    }

    pub fn staged_plan(&self, plan: &Hex) -> PathBuf {
        self.releases().join(format!(".{plan}.plan"))
    }

    fn manifest_path(&self, hex: &Hex) -> PathBuf {
        self.releases().join(format!("{hex}.manifest.json"))
    }

    fn releases(&self) -> PathBuf {
        self.root.join("releases")
    }

    /// Which release is served. A `current` that is not ours is never touched.
    pub fn current(&self) -> Result<Option<Hex>, Failure> {
        let link = match tree::look(&self.current_path())? {
            None => return Ok(None),
            Some(Seen::Thing(Found::Link(link))) => link,
            Some(Seen::Folder | Seen::Thing(Found::File { .. } | Found::Other)) => {
                return Err(foreign("is no link"));
            }
        };
        match link.strip_prefix("releases/").and_then(Hex::parse) {
            Some(hex) => self.is_there(&hex).map(|_| Some(hex)),
            None if link == tree::OUTSIDE => Err(foreign(&format!("points to {link}"))),
            None => Err(foreign(&format!("points to `{link}`"))),
        }
    }

    pub fn is_there(&self, release: &Hex) -> Result<bool, Failure> {
        is_folder(&self.release(release), &format!("releases/{}..", release.short()))
    }

    /// Atomic: whoever asks meanwhile is served the old release or the new one.
    pub fn switch(&self, to: &Hex) -> Result<(), Failure> {
        if self.current()?.as_ref() == Some(to) {
            return Ok(());
        }
        self.point("current", &format!("releases/{to}"))?;
        sync_folder(&self.root);
        Ok(())
    }

    /// A link of the site, replaced by a rename.
    pub fn point(&self, path: &str, to: &str) -> Result<(), Failure> {
        let fresh = self.root.join(".link.new");
        remove_file(&fresh)?;
        link(to, &fresh)
            .and_then(|()| fs::rename(&fresh, self.root.join(path)))
            .map_err(|error| Failure::from(error).context(format_args!("switching `{path}`")))
    }

    pub fn remove_link(&self, path: &str) -> Result<(), Failure> {
        remove_file(&self.root.join(path))
    }

    /// A folder of links.
    pub fn make_folder(&self, name: &str) -> Result<(), Failure> {
        let path = self.root.join(name);
        if is_folder(&path, name)? {
            return Ok(());
        }
        fs::create_dir(&path).map_err(|error| Failure::from(error).context(format_args!("creating `{name}`")))
    }

    pub fn sync(&self, folder: &str) {
        sync_folder(&self.root.join(folder));
    }

    pub fn serve_nothing(&self) -> Result<(), Failure> {
        remove_file(&self.current_path())?;
        sync_folder(&self.root);
        Ok(())
    }

    /// What other attempts left half unpacked must not fill the disk for this one.
    pub fn clear_others(&self, except: Option<&Hex>) -> Result<(), Failure> {
        for hex in self.abandoned()?.iter().filter(|hex| Some(*hex) != except) {
            self.remove_unfinished(hex)?;
        }
        Ok(())
    }

    pub fn make_releases(&self) -> Result<(), Failure> {
        fs::create_dir_all(self.releases()).map_err(|error| Failure::from(error).context("creating `releases`"))
    }

    /// None where there is none, or none that can be read: then nothing is known of the release.
    pub fn manifest(&self, hex: &Hex) -> Result<Option<Manifest>, Failure> {
        match fs::read(self.manifest_path(hex)) {
            Ok(bytes) => Ok(lockgate_sdk::json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::from(error).context("reading a manifest")),
        }
    }

    /// Written anew whenever a release is made current: its age is the release's place among those kept.
    pub fn write_manifest(&self, hex: &Hex, manifest: &Manifest) -> Result<(), Failure> {
        let writing = self.writing(hex);
        let text = lockgate_sdk::json::to_vec_pretty(manifest).map_err(io::Error::from)?;
        (|| {
            let mut file = fs::File::create(&writing)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&writing, self.manifest_path(hex))
        })()
        .map_err(|error: io::Error| Failure::from(error).context("writing the manifest"))?;
        sync_folder(&self.releases());
        Ok(())
    }

    pub fn finish_partial(&self, hex: &Hex) -> Result<(), Failure> {
        fs::rename(self.partial(hex), self.release(hex))
            .map_err(|error| Failure::from(error).context("naming the unpacked release"))?;
        sync_folder(&self.releases());
        Ok(())
    }

    /// Releases on disk, the newest first.
    pub fn kept(&self) -> Result<Vec<Hex>, Failure> {
        let mut found = Vec::new();
        for name in self.names_in_releases()? {
            if let Some(hex) = Hex::parse(&name) {
                let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified());
                let age = changed(&self.manifest_path(&hex)).or_else(|_| changed(&self.release(&hex)));
                found.push((age.unwrap_or(SystemTime::UNIX_EPOCH), hex));
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        Ok(found.into_iter().map(|(_, hex)| hex).collect())
    }

    /// Left by applies that ended halfway. The site changes under one deployment at a time, so nobody needs them. What
    /// has another name somebody else has put there, and it stays.
    pub fn abandoned(&self) -> Result<Vec<Hex>, Failure> {
        let hexes = self.names_in_releases()?.into_iter().filter_map(|name| {
            let (hex, kind) = name.strip_prefix('.')?.split_once('.')?;
            matches!(kind, "partial" | "journal" | "writing").then(|| Hex::parse(hex))?
        });
        let unique: BTreeSet<_> = hexes.collect();
        Ok(unique.into_iter().collect())
    }

    fn names_in_releases(&self) -> Result<Vec<String>, Failure> {
        let entries = match fs::read_dir(self.releases()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::from(error).context("listing `releases`")),
        };
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<_>>().map_err(Failure::from)
    }

    /// The folder goes before its manifest: half a release is then still one that drifted.
    pub fn remove_release(&self, hex: &Hex) -> Result<(), Failure> {
        remove_folder(&self.release(hex))?;
        remove_file(&self.manifest_path(hex))
    }

    /// Those of deployments that were given up. One that is still being made starts over.
    pub fn remove_staged_plans(&self) -> Result<(), Failure> {
        for name in self.names_in_releases()? {
            let plan = name.strip_prefix('.').and_then(|name| name.strip_suffix(".plan")).and_then(Hex::parse);
            if let Some(plan) = plan {
                remove_file(&self.staged_plan(&plan))?;
            }
        }
        Ok(())
    }

    /// Makes the renames in these folders of a release durable, and with them the files.
    pub fn sync_folders(&self, folder: &Path, files: &BTreeMap<String, Entry>) {
        let parents: BTreeSet<&str> = files.keys().flat_map(|path| parents(path)).collect();
        for parent in parents {
            sync_folder(&folder.join(parent));
        }
        sync_folder(folder);
    }

    /// After a failure, so that a full disk is not kept full. What went wrong before counts.
    pub fn tidy(&self, hex: &Hex, failure: &Failure) {
        let _ = match failure.code.as_str() {
            "disk-full" => self.remove_unfinished(hex),
            _ => remove_file(&self.writing(hex)),
        };
    }

    pub fn remove_unfinished(&self, hex: &Hex) -> Result<(), Failure> {
        remove_folder(&self.partial(hex))?;
        remove_file(&self.journal(hex))?;
        remove_file(&self.writing(hex))
    }
}

/// False where there is nothing. Anything else may lead anywhere, and is never touched.
fn is_folder(path: &Path, name: &str) -> Result<bool, Failure> {
    let what = match tree::look(path)? {
        None => return Ok(false),
        Some(Seen::Folder) => return Ok(true),
        Some(Seen::Thing(Found::Link(_))) => "is a link",
        Some(Seen::Thing(Found::File { .. } | Found::Other)) => "is no folder",
    };
    let message = format!("`{name}` {what}, which this plugin did not make; move it away first");
    Err(Failure::fatal("foreign-releases", message))
}

fn foreign(what: &str) -> Failure {
    let message = format!("`current` {what}, which this plugin did not make; move it away first");
    Failure::fatal("foreign-current", message)
}

#[expect(deprecated, reason = "the only way to a symbolic link that stable std has for WASI")]
fn link(to: &str, at: &Path) -> io::Result<()> {
    fs::soft_link(to, at)
}

fn remove_file(path: &Path) -> Result<(), Failure> {
    gone(fs::remove_file(path), path)
}

fn remove_folder(path: &Path) -> Result<(), Failure> {
    gone(fs::remove_dir_all(path), path)
}

fn gone(removed: io::Result<()>, path: &Path) -> Result<(), Failure> {
    match removed {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::from(error).context(format_args!("removing {}", path.display()))),
    }
}

fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

/// Makes a rename durable where the system lets a folder be synced at all; elsewhere a rename that a power cut
/// undoes shows as drift.
fn sync_folder(path: &Path) {
    if let Ok(folder) = fs::File::open(path) {
        let _ = folder.sync_all();
    }
}
