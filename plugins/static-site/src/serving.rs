//! Who sees which release: everybody, a share of the visitors, or whoever asks for a version by its tag.
//!
//! ```text
//! current -> releases/<hex>         what the site serves
//! buckets/00 -> ../releases/<hex>   pinned: this percent of the visitors has a release of its own
//! buckets/99 -> ../current          follows: this percent sees what the site serves
//! versions/v7 -> ../releases/<hex>  stays for those who came when it was served
//! ```
//!
//! The web server is set up once and chooses a bucket for each visitor; a share grows by pinning more buckets. The
//! last step to all of them is one rename of `current`: whoever follows is switched at once, and that the pinned ones
//! follow then too, nobody sees.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;

use lockgate_sdk::Failure;
use serde::{Deserialize, Serialize};

use crate::site::{Hex, Site};
use crate::tree::{self, Found, Seen};

/// One for each percent.
pub const BUCKETS: usize = 100;
const FOLLOWS: &str = "../current";

/// What a plan starts from, and where it ends.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Serving {
    pub current: Option<Hex>,
    /// None: the site has no buckets.
    pub pinned: Option<Pinned>,
    /// None: the site has no versions, or they stay as they are.
    pub versions: Option<Versions>,
}

/// The buckets of each release that is not seen through `current`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pinned(BTreeMap<Hex, BTreeSet<usize>>);

/// By tag.
pub type Versions = BTreeMap<String, Hex>;

impl Pinned {
    /// The lowest buckets, so that whoever saw a release at 10 % sees it at 50 % too.
    pub fn first(weight: usize, release: &Hex) -> Self {
        Self(BTreeMap::from([(release.clone(), (0..weight.min(BUCKETS)).collect())]))
    }

    fn of(&self, bucket: usize) -> Option<&Hex> {
        self.0.iter().find(|(_, buckets)| buckets.contains(&bucket)).map(|(hex, _)| hex)
    }
}

impl Serving {
    /// Where `weight` percent see the release and the others what is current. Of what is current itself everybody
    /// sees it, whatever the weight.
    pub fn shared(current: Option<Hex>, weight: usize, release: &Hex) -> Self {
        if weight >= BUCKETS || current.as_ref() == Some(release) {
            return Self { current: Some(release.clone()), pinned: Some(Pinned::default()), versions: None };
        }
        Self { current, pinned: Some(Pinned::first(weight, release)), versions: None }
    }

    pub fn is_nothing(&self) -> bool {
        self.shares().is_empty()
    }

    /// Percent of the visitors, by release.
    pub fn shares(&self) -> BTreeMap<Hex, usize> {
        let pinned = self.pinned.iter().flat_map(|pinned| &pinned.0);
        let mut shares: BTreeMap<Hex, usize> = pinned.map(|(hex, buckets)| (hex.clone(), buckets.len())).collect();
        let follow = BUCKETS - shares.values().sum::<usize>();
        if let Some(current) = &self.current {
            *shares.entry(current.clone()).or_default() += follow;
        }
        shares.retain(|_, percent| *percent > 0);
        shares
    }

    /// All that somebody sees, in one way or another.
    pub fn releases(&self) -> BTreeSet<Hex> {
        let versions = self.versions.iter().flat_map(Versions::values).cloned();
        self.shares().into_keys().chain(versions).collect()
    }
}

impl Site {
    pub fn serving(&self, has_buckets: bool, has_versions: bool) -> Result<Serving, Failure> {
        let current = self.current()?;
        let pinned = match has_buckets {
            true => {
                let mut pinned = self.pinned()?;
                // Left by a switch that was cut off: it sees what those see that follow.
                current.iter().for_each(|current| drop(pinned.0.remove(current)));
                Some(pinned)
            }
            false => None,
        };
        let versions = if has_versions { Some(self.versions()?) } else { None };
        Ok(Serving { current, pinned, versions })
    }

    /// Every link by a rename, and in such an order that nobody sees a release that is neither theirs before nor theirs
    /// after. Half done it is done by being repeated.
    pub fn serve(&self, serving: &Serving) -> Result<(), Failure> {
        if let Some(versions) = &serving.versions {
            self.add_versions(versions)?;
        }
        if let Some(pinned) = &serving.pinned {
            self.set_buckets(|bucket| Some(release_link(pinned.of(bucket)?)))?;
        }
        match &serving.current {
            Some(hex) => self.switch(hex)?,
            None => self.serve_nothing()?,
        }
        if let Some(pinned) = &serving.pinned {
            self.set_buckets(|bucket| pinned.of(bucket).is_none().then(|| FOLLOWS.to_owned()))?;
        }
        if let Some(versions) = &serving.versions {
            self.remove_other_versions(versions)?;
        }
        Ok(())
    }

    fn pinned(&self) -> Result<Pinned, Failure> {
        let mut pinned = Pinned::default();
        for bucket in 0..BUCKETS {
            if let Some(link) = self.bucket(bucket)?.filter(|link| link != FOLLOWS) {
                let hex = linked_release(&link).ok_or_else(|| foreign(&bucket_path(bucket)))?;
                pinned.0.entry(hex).or_default().insert(bucket);
            }
        }
        Ok(pinned)
    }

    /// Where its link leads. None where it was never made: then its visitors see nothing.
    fn bucket(&self, bucket: usize) -> Result<Option<String>, Failure> {
        let path = bucket_path(bucket);
        match tree::look(&self.root().join(&path))? {
            None => Ok(None),
            Some(Seen::Thing(Found::Link(link))) => Ok(Some(link)),
            Some(Seen::Folder | Seen::Thing(Found::File { .. } | Found::Other)) => Err(foreign(&path)),
        }
    }

    fn set_buckets(&self, link: impl Fn(usize) -> Option<String>) -> Result<(), Failure> {
        self.make_folder("buckets")?;
        for bucket in 0..BUCKETS {
            let Some(link) = link(bucket) else { continue };
            if self.bucket(bucket)?.as_ref() != Some(&link) {
                self.point(&bucket_path(bucket), &link)?;
            }
        }
        self.sync("buckets");
        Ok(())
    }

    /// What somebody else put there is no version, and stays.
    fn versions(&self) -> Result<Versions, Failure> {
        let entries = match fs::read_dir(self.root().join("versions")) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Versions::new()),
            Err(error) => return Err(Failure::from(error).context("listing `versions`")),
        };
        let mut versions = Versions::new();
        for entry in entries {
            let Ok(tag) = entry?.file_name().into_string() else { continue };
            if let Some(hex) = self.version(&tag)? {
                versions.insert(tag, hex);
            }
        }
        Ok(versions)
    }

    fn version(&self, tag: &str) -> Result<Option<Hex>, Failure> {
        Ok(match tree::look(&self.root().join(version_path(tag)))? {
            Some(Seen::Thing(Found::Link(link))) => linked_release(&link),
            Some(Seen::Folder | Seen::Thing(Found::File { .. } | Found::Other)) | None => None,
        })
    }

    fn add_versions(&self, versions: &Versions) -> Result<(), Failure> {
        self.make_folder("versions")?;
        for (tag, hex) in versions {
            let path = version_path(tag);
            match self.version(tag)? {
                Some(there) if there == *hex => {}
                None if tree::look(&self.root().join(&path))?.is_some() => return Err(foreign(&path)),
                Some(_) | None => self.point(&path, &release_link(hex))?,
            }
        }
        self.sync("versions");
        Ok(())
    }

    fn remove_other_versions(&self, versions: &Versions) -> Result<(), Failure> {
        for tag in self.versions()?.keys().filter(|tag| !versions.contains_key(*tag)) {
            self.remove_link(&version_path(tag))?;
        }
        self.sync("versions");
        Ok(())
    }
}

fn bucket_path(bucket: usize) -> String {
    format!("buckets/{bucket:02}")
}

fn version_path(tag: &str) -> String {
    format!("versions/{tag}")
}

fn release_link(hex: &Hex) -> String {
    format!("../releases/{hex}")
}

fn linked_release(link: &str) -> Option<Hex> {
    link.strip_prefix("../releases/").and_then(Hex::parse)
}

fn foreign(path: &str) -> Failure {
    let message = format!("`{path}` is not what this plugin made; move it away first");
    Failure::fatal("foreign-link", message)
}
