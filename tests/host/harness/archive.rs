//! Artifacts as a build would make them, and as nobody should.

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

/// A `tar.gz` of these files.
pub fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    packed(files.iter().map(|(name, content)| (header(name, EntryType::Regular), content.as_bytes())))
}

/// A good page, and one file whose name is whatever one likes.
pub fn hostile_archive(name: &str) -> Vec<u8> {
    let page = (header("index.html", EntryType::Regular), &b"hello"[..]);
    packed([page, (header(name, EntryType::Regular), b"gotcha")])
}

/// A good page, and a symbolic link.
pub fn link(name: &str, to: &str) -> Vec<u8> {
    let page = (header("index.html", EntryType::Regular), &b"hello"[..]);
    let mut link = header(name, EntryType::Symlink);
    link.as_old_mut().linkname[..to.len()].copy_from_slice(to.as_bytes());
    packed([page, (link, b"")])
}

/// By hand, for the tar crate refuses to write the names that the tests are about.
fn header(name: &str, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header
}

fn packed<'a>(entries: impl IntoIterator<Item = (Header, &'a [u8])>) -> Vec<u8> {
    let mut archive = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (mut header, content) in entries {
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, content).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}
