//! Putting one file where it belongs, whatever is there, without ever writing through a link.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use lockgate_sdk::Failure;
use sha2::{Digest as _, Sha256};

use crate::archive;
use crate::tree::{self, Found, Seen};

/// Asked before anything that differs is replaced: the path and the digest of what is there. None: nobody is
/// served from this folder.
pub type MayReplace<'a> = Option<&'a dyn Fn(&str, Option<&str>) -> Result<(), Failure>>;

/// How files are put in place.
pub struct Placing<'a> {
    /// A file on the same disk.
    pub writing: &'a Path,
    pub may_replace: MayReplace<'a>,
    /// Also a file that has its content already becomes a new one.
    pub rewrites: bool,
}

/// Afterwards `folder/path` has this content; answers its digest. Unless all is rewritten, a file that has it already is
/// not written: a repeated call reads only.
pub fn place(folder: &Path, path: &str, content: &mut dyn Read, placing: &Placing<'_>) -> Result<String, Failure> {
    let Placing { writing, may_replace, rewrites } = *placing;
    make_parents(folder, path, may_replace)?;
    let at = folder.join(path);
    let there = tree::look(&at)?;
    let existing = match &there {
        Some(Seen::Thing(Found::File { .. })) if !rewrites => Some(fs::File::open(&at)?),
        Some(Seen::Thing(_) | Seen::Folder) | None => None,
    };
    let (digest, written) = write_unless_equal(content, existing, writing)
        .map_err(|failure| failure.context(format_args!("unpacking `{path}`")))?;
    if written {
        match there {
            None => ask(may_replace, path, None)?,
            Some(Seen::Thing(found)) if rewrites && tree::digest(&at, &found)? == digest => {}
            Some(Seen::Thing(found)) => ask(may_replace, path, Some((&at, &found)))?,
            Some(Seen::Folder) => remove_folder(&at, path, may_replace)?,
        }
        fs::rename(writing, &at).map_err(|error| Failure::from(error).context(format_args!("placing `{path}`")))?;
    }
    Ok(digest)
}

fn ask(may_replace: MayReplace<'_>, path: &str, there: Option<(&Path, &Found)>) -> Result<(), Failure> {
    let Some(check) = may_replace else { return Ok(()) };
    let digest = there.map(|(at, found)| tree::digest(at, found)).transpose()?;
    check(path, digest.as_deref())
}

fn remove_folder(at: &Path, path: &str, may_replace: MayReplace<'_>) -> Result<(), Failure> {
    for (inside, found) in tree::list(at)? {
        ask(may_replace, &format!("{path}/{inside}"), Some((&at.join(&inside), &found)))?;
    }
    fs::remove_dir_all(at).map_err(|error| Failure::from(error).context(format_args!("removing `{path}`")))
}

/// What stands in the way of a folder is removed, links above all: a file must not land where they lead.
fn make_parents(folder: &Path, path: &str, may_replace: MayReplace<'_>) -> Result<(), Failure> {
    for (end, _) in path.match_indices('/') {
        let parent = &path[..end];
        let at = folder.join(parent);
        match tree::look(&at)? {
            Some(Seen::Folder) => continue,
            Some(Seen::Thing(found)) => {
                ask(may_replace, parent, Some((&at, &found)))?;
                fs::remove_file(&at)?;
            }
            None => {}
        }
        fs::create_dir(&at).map_err(|error| Failure::from(error).context(format_args!("creating `{parent}`")))?;
    }
    Ok(())
}

/// Compares as it reads, because the archive cannot be read twice: at the first difference what was equal so far
/// is copied and the rest written. True if `writing` holds the content, synced.
fn write_unless_equal(
    content: &mut dyn Read,
    mut existing: Option<fs::File>,
    writing: &Path,
) -> Result<(String, bool), Failure> {
    let mut hash = Sha256::new();
    let mut equal_bytes = 0;
    let mut new = match existing {
        Some(_) => None,
        None => Some(fs::File::create(writing)?),
    };
    let mut buffer = vec![0; 64 << 10];
    let mut old = vec![0; buffer.len()];
    loop {
        let count = content.read(&mut buffer).map_err(archive::unreadable)?;
        hash.update(&buffer[..count]);
        if let (None, Some(existing)) = (&new, &mut existing) {
            // At the end of the content one byte more shows an existing file that is longer.
            let wanted = count.max(1);
            let read = read_up_to(existing, &mut old[..wanted])?;
            if read == count && old[..read] == buffer[..count] {
                equal_bytes += count as u64;
            } else {
                new = Some(copy_start(existing, equal_bytes, writing)?);
            }
        }
        if let Some(new) = &mut new {
            new.write_all(&buffer[..count])?;
        }
        if count == 0 {
            break;
        }
    }
    if let Some(new) = &new {
        new.sync_all()?;
    }
    Ok((tree::named(hash), new.is_some()))
}

fn read_up_to(file: &mut fs::File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

fn copy_start(existing: &mut fs::File, bytes: u64, writing: &Path) -> io::Result<fs::File> {
    let mut new = fs::File::create(writing)?;
    io::Seek::rewind(existing)?;
    io::copy(&mut existing.take(bytes), &mut new)?;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places `content` at `a/file` over what `before` left there, twice; says what came of it.
    fn placed(content: &str, before: impl FnOnce(&Path)) -> String {
        let folder = tempfile::tempdir().unwrap();
        let writing = folder.path().join(".writing");
        let release = folder.path().join("release");
        fs::create_dir_all(release.join("a")).unwrap();
        before(&release);

        let placing = Placing { writing: &writing, may_replace: None, rewrites: false };
        let digest = place(&release, "a/file", &mut content.as_bytes(), &placing).unwrap();
        assert_eq!(place(&release, "a/file", &mut content.as_bytes(), &placing).unwrap(), digest);
        assert!(!writing.exists(), "the second placing wrote nothing");
        assert!(release.join("a").symlink_metadata().unwrap().is_dir());
        fs::read_to_string(release.join("a/file")).unwrap()
    }

    #[test]
    fn whatever_is_there_the_file_is_as_in_the_archive() {
        let long = "ab".repeat(100_000);
        for content in ["", "short", &long, &format!("{long}c")] {
            assert_eq!(placed(content, |_| {}), content);
            for old in ["", "short", "shirt", "shor", &long, &format!("{long}cd")] {
                assert_eq!(placed(content, |at| fs::write(at.join("a/file"), old).unwrap()), content);
            }
            assert_eq!(placed(content, |at| fs::create_dir_all(at.join("a/file/b")).unwrap()), content);
        }
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("file"), "keep me").unwrap();

        placed("new", |at| {
            fs::remove_dir(at.join("a")).unwrap();
            std::os::unix::fs::symlink(outside.path(), at.join("a")).unwrap();
        });
        placed("new", |at| std::os::unix::fs::symlink(outside.path().join("file"), at.join("a/file")).unwrap());

        assert_eq!(fs::read_to_string(outside.path().join("file")).unwrap(), "keep me");
    }
}
