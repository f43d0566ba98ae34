//! What really is on the disk: listed, hashed, and never through a link.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use lockgate_sdk::Failure;
use sha2::{Digest as _, Sha256};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    File {
        size: u64,
    },
    /// Not followed; where it points to, or `OUTSIDE`.
    Link(String),
    Other,
}

/// Where a link points that leaves the granted folder by an absolute path: WASI says no more of it.
pub const OUTSIDE: &str = "a place outside of the folder";

/// Everything below `folder` but folders, by path with `/`. A folder that is not there is empty.
pub fn list(folder: &Path) -> Result<BTreeMap<String, Found>, Failure> {
    let mut found = BTreeMap::new();
    let mut open = vec![String::new()];
    while let Some(inside) = open.pop() {
        let here = if inside.is_empty() { folder.to_owned() } else { folder.join(&inside) };
        let entries = match fs::read_dir(&here) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::from(error).context(format_args!("listing {}", here.display()))),
        };
        for entry in entries {
            let name = entry.map_err(Failure::from)?.file_name();
            let name = name
                .to_str()
                .ok_or_else(|| Failure::fatal("io", format!("`{}` holds a name that is no UTF-8", here.display())))?;
            let path = if inside.is_empty() { name.to_owned() } else { format!("{inside}/{name}") };
            match look(&folder.join(&path))? {
                Some(Seen::Folder) => open.push(path),
                Some(Seen::Thing(thing)) => {
                    found.insert(path, thing);
                }
                None => {}
            }
        }
    }
    Ok(found)
}

/// What `list` would have at this path, without listing: nothing below a link is ours.
pub fn find(folder: &Path, path: &str) -> Result<Option<Found>, Failure> {
    for (end, _) in path.match_indices('/') {
        match look(&folder.join(&path[..end]))? {
            Some(Seen::Folder) => {}
            Some(Seen::Thing(_)) | None => return Ok(None),
        }
    }
    match look(&folder.join(path))? {
        Some(Seen::Thing(found)) => Ok(Some(found)),
        Some(Seen::Folder) | None => Ok(None),
    }
}

pub enum Seen {
    Folder,
    Thing(Found),
}

/// What is at a path; a link is seen as itself.
pub fn look(path: &Path) -> Result<Option<Seen>, Failure> {
    let reading = |error: io::Error| Failure::from(error).context(format_args!("reading {}", path.display()));
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(reading(error)),
    };
    Ok(Some(if metadata.is_dir() {
        Seen::Folder
    } else if metadata.is_file() {
        Seen::Thing(Found::File { size: metadata.len() })
    } else if metadata.is_symlink() {
        Seen::Thing(Found::Link(match fs::read_link(path) {
            Ok(to) => to.display().to_string(),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => OUTSIDE.to_owned(),
            Err(error) => return Err(reading(error)),
        }))
    } else {
        Seen::Thing(Found::Other)
    }))
}

/// A file's content address; anything else says what it is, so that it equals no file.
pub fn digest(path: &Path, found: &Found) -> Result<String, Failure> {
    match found {
        Found::File { .. } => fs::File::open(path)
            .and_then(digest_of)
            .map_err(|error| Failure::from(error).context(format_args!("reading {}", path.display()))),
        Found::Link(to) => Ok(format!("link:{to}")),
        Found::Other => Ok("special".to_owned()),
    }
}

pub fn digest_of(mut content: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(named(hash)),
            count => hash.update(&buffer[..count]),
        }
    }
}

pub fn named(hash: Sha256) -> String {
    format!("sha256:{}", hex::encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_listed_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/c.txt"), "x").unwrap();
        std::os::unix::fs::symlink("/etc", folder.path().join("etc")).unwrap();

        let found = list(folder.path()).unwrap();

        assert_eq!(found["a/b/c.txt"], Found::File { size: 1 });
        assert_eq!(found["etc"], Found::Link("/etc".into()));
        assert_eq!(found.len(), 2);
        for (path, found) in &found {
            assert_eq!(find(folder.path(), path).unwrap().as_ref(), Some(found));
        }
        for nothing in ["a", "a/b", "a/c", "etc/hostname", "a/b/c.txt/d"] {
            assert_eq!(find(folder.path(), nothing).unwrap(), None, "{nothing}");
        }
        assert_eq!(digest(&folder.path().join("etc"), &found["etc"]).unwrap(), "link:/etc");
    }

    #[test]
    fn a_folder_that_is_not_there_is_empty() {
        assert_eq!(list(Path::new("/nowhere/at/all")).unwrap(), BTreeMap::new());
    }
}
