//! Reading a `tar.gz` of which nothing is believed.
//!
//! Only plain files come out, under plain relative paths, each once. What is refused is named. Memory stays
//! small whatever the archive claims.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::ops::ControlFlow;

use flate2::read::MultiGzDecoder;
use lockgate_sdk::Failure;
use tar::EntryType;

/// Long names and pax headers are held in memory.
const LONGEST_EXTENSION_BYTES: u64 = 64 << 10;
const LONGEST_PATH_BYTES: usize = 1024;
const LONGEST_NAME_BYTES: usize = 255;

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub max_files: usize,
    /// A file is compared or written in one call.
    pub max_file_bytes: u64,
    /// Unpacked, with the archive's own headers.
    pub max_total_bytes: u64,
}

/// One file, in the order of the archive.
pub struct File<'a> {
    pub index: usize,
    pub path: &'a str,
    pub size: u64,
    pub content: &'a mut dyn Read,
}

/// Shows every file to `visit` until it breaks. Answers the paths of all files if it came to the end: of the artifact,
/// for only there does the host know that these are its bytes.
pub fn each_file(
    mut archive: impl Read,
    limits: &Limits,
    visit: impl FnMut(File<'_>) -> Result<ControlFlow<()>, Failure>,
) -> Result<Option<BTreeSet<String>>, Failure> {
    match unpack(&mut archive, limits, visit) {
        // A damaged artifact looks like one that was made badly.
        Err(failure) if ["invalid-archive", "refused-entry", "too-large"].contains(&failure.code.as_str()) => {
            read_to_end(archive)?;
            Err(failure)
        }
        read => read,
    }
}

/// Fails where the host finds at the end that these are not the artifact's bytes.
pub fn read_to_end(mut archive: impl Read) -> Result<(), Failure> {
    io::copy(&mut archive, &mut io::sink()).map_err(unreadable)?;
    Ok(())
}

fn unpack(
    archive: impl Read,
    limits: &Limits,
    mut visit: impl FnMut(File<'_>) -> Result<ControlFlow<()>, Failure>,
) -> Result<Option<BTreeSet<String>>, Failure> {
    let unpacked =
        Limited { inner: MultiGzDecoder::new(archive), left: limits.max_total_bytes, is_at_end: false, limits };
    let mut archive = tar::Archive::new(unpacked);
    let mut paths = BTreeSet::new();
    let mut lowercase = BTreeMap::new();
    let mut long_path = None;

    for entry in archive.entries().map_err(unreadable)?.raw(true) {
        let mut entry = entry.map_err(unreadable)?;
        let kind = entry.header().entry_type();
        if let Some(path) = extension(kind, &mut entry)? {
            long_path = path.or(long_path);
            continue;
        }
        let raw_path = long_path.take().unwrap_or_else(|| entry.header().path_bytes().into_owned());
        let raw_path = String::from_utf8(raw_path)
            .map_err(|error| refused(&String::from_utf8_lossy(error.as_bytes()), "its name is no UTF-8"))?;
        let Some(path) = plain_path(&raw_path)? else { continue };
        match plainness(kind, &raw_path) {
            Plain::Folder => continue,
            Plain::File => {}
            Plain::No(what) => return Err(refused(&raw_path, what)),
        }
        let index = paths.len();
        if index == limits.max_files {
            let message = format!("the archive has more than {} files (max_files)", limits.max_files);
            return Err(Failure::fatal("too-large", message));
        }
        let size = entry.size();
        if size > limits.max_file_bytes {
            let message = format!(
                "the archive holds `{path}` with {size} bytes, more than {} (max_file_bytes)",
                limits.max_file_bytes
            );
            return Err(Failure::fatal("too-large", message));
        }
        once(&mut lowercase, &path)?;
        paths.insert(path.clone());
        match visit(File { index, path: &path, size, content: &mut entry })? {
            ControlFlow::Continue(()) => {}
            ControlFlow::Break(()) => return Ok(None),
        }
    }
    let mut rest = archive.into_inner();
    if rest.is_at_end {
        let message = "truncated archive: what marks the end of a tar is missing; pack and upload it again";
        return Err(Failure::fatal("invalid-archive", message));
    }
    only_zeros(&mut rest)?;
    Ok(Some(paths))
}

/// What stands behind the end is padding. Two archives in a row would be served as half of what was meant.
fn only_zeros(rest: &mut impl Read) -> Result<(), Failure> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match rest.read(&mut buffer).map_err(unreadable)? {
            0 => return Ok(()),
            count if buffer[..count].iter().all(|byte| *byte == 0) => {}
            _ => return Err(Failure::fatal("invalid-archive", "there is more behind the end of the archive")),
        }
    }
}

/// What reading the archive may end with: a failure of our own or the host's, or bytes that are no archive.
pub fn unreadable(error: io::Error) -> Failure {
    match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(error) => Failure::fatal("invalid-archive", format!("the artifact does not read as tar.gz: {error}")),
    }
}

fn refused(path: &str, why: &str) -> Failure {
    Failure::fatal("refused-entry", format!("the archive holds `{}`: {why}", shown(path)))
}

/// So that a message shows what is there, in the order in which it is there.
fn shown(path: &str) -> String {
    path.chars().fold(String::new(), |mut shown, char| {
        match deceives(char) {
            true => shown.extend(char.escape_unicode()),
            false => shown.push(char),
        }
        shown
    })
}

/// Nobody sees it, or it changes how what stands beside it is seen.
fn deceives(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

/// None where the entry is none of its own: then the path it sets for the next one, if it does.
fn extension(kind: EntryType, entry: &mut impl Read) -> Result<Option<Option<Vec<u8>>>, Failure> {
    match kind {
        EntryType::GNULongName => {
            let mut name = held(entry)?;
            while name.last() == Some(&0) {
                name.pop();
            }
            Ok(Some(Some(name)))
        }
        EntryType::XHeader => pax_path(&held(entry)?).map(Some),
        // A link is refused by its own entry; a global header (git writes one) says nothing of a file.
        EntryType::GNULongLink | EntryType::XGlobalHeader => Ok(Some(None)),
        _ => Ok(None),
    }
}

fn held(entry: &mut impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    entry.take(LONGEST_EXTENSION_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST_EXTENSION_BYTES {
        return Err(Failure::fatal("refused-entry", "the archive holds a header of more than 64 KiB"));
    }
    Ok(bytes)
}

/// Keys that would change what the next entry's bytes are, or that unpackers disagree on, are refused.
fn pax_path(header: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
    let mut path = None;
    for record in tar::PaxExtensions::new(header) {
        let record = record.map_err(unreadable)?;
        match record.key_bytes() {
            b"path" => path = Some(record.value_bytes().to_vec()),
            key if key == b"size" || key.starts_with(b"GNU.sparse") => {
                let key = String::from_utf8_lossy(key).into_owned();
                return Err(refused(&key, "a pax header of this kind is not read"));
            }
            _ => {}
        }
    }
    Ok(path)
}

enum Plain {
    File,
    Folder,
    No(&'static str),
}

fn plainness(kind: EntryType, raw_path: &str) -> Plain {
    match kind {
        // How folders were written before they had a type.
        EntryType::Regular if raw_path.ends_with('/') => Plain::Folder,
        EntryType::Regular | EntryType::Continuous => Plain::File,
        EntryType::Directory => Plain::Folder,
        EntryType::Symlink => Plain::No("a symbolic link; only plain files are served"),
        EntryType::Link => Plain::No("a hard link; only plain files are served"),
        EntryType::Char | EntryType::Block | EntryType::Fifo => {
            Plain::No("a device or pipe; only plain files are served")
        }
        _ => Plain::No("an entry of a kind that is not read"),
    }
}

/// With `./` taken off. None for the top folder itself.
fn plain_path(raw: &str) -> Result<Option<String>, Failure> {
    if raw.starts_with('/') {
        return Err(refused(raw, "an absolute path"));
    }
    let mut names = Vec::new();
    for name in raw.split('/') {
        match name {
            "" | "." => {}
            ".." => return Err(refused(raw, "a path that leaves the folder")),
            // A separator to some servers.
            name if name.contains('\\') => return Err(refused(raw, "a name with a backslash")),
            name if name.chars().any(deceives) => {
                return Err(refused(raw, "a name with a control character, or with one that is not seen"));
            }
            name if name.len() > LONGEST_NAME_BYTES => return Err(refused(raw, "a name of more than 255 bytes")),
            name => names.push(name),
        }
    }
    let path = names.join("/");
    if path.len() > LONGEST_PATH_BYTES {
        return Err(refused(raw, "a path of more than 1024 bytes"));
    }
    Ok((!path.is_empty()).then_some(path))
}

/// Neither twice, nor as a file and as the folder of another. Also not in capitals and small letters: where the disk
/// does not tell them apart, one would silently replace the other.
fn once(seen: &mut BTreeMap<String, String>, path: &str) -> Result<(), Failure> {
    let lower = path.to_lowercase();
    let inside = format!("{lower}/");
    let below = seen.range(inside.clone()..).next().filter(|(next, _)| next.starts_with(&inside));
    let above = || lower.match_indices('/').find_map(|(end, _)| seen.get_key_value(&lower[..end]));
    let why = match (seen.get(&lower), below.or_else(above)) {
        (Some(same), _) if same == path => "it is there twice".to_owned(),
        (Some(other), _) => format!("`{other}` is there too, and some disks do not tell the two apart"),
        (None, Some((_, other))) => format!("a file where another entry needs a folder: `{other}`"),
        (None, None) => {
            seen.insert(lower, path.to_owned());
            return Ok(());
        }
    };
    Err(refused(path, &why))
}

/// Counts what is unpacked, so that a small archive cannot become an endless one.
struct Limited<'a, R> {
    inner: R,
    left: u64,
    is_at_end: bool,
    limits: &'a Limits,
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.is_at_end = count == 0 && !buffer.is_empty();
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            let message =
                format!("the archive unpacks to more than {} bytes (max_total_bytes)", self.limits.max_total_bytes);
            io::Error::other(Failure::fatal("too-large", message))
        })?;
        Ok(count)
    }
}

#[cfg(test)]
pub mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use tar::{Builder, Header};

    use super::*;

    const ROOMY: Limits = Limits { max_files: 1000, max_file_bytes: 1 << 30, max_total_bytes: 1 << 30 };

    pub fn gz(build: impl FnOnce(&mut Builder<GzEncoder<Vec<u8>>>)) -> Vec<u8> {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        build(&mut builder);
        builder.into_inner().unwrap().finish().unwrap()
    }

    pub fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        gz(|builder| {
            for (path, content) in files {
                let mut header = Header::new_gnu();
                header.set_size(content.len() as u64);
                header.set_mode(0o644);
                builder.append_data(&mut header, path, content.as_bytes()).unwrap();
            }
        })
    }

    /// An entry that tar itself would refuse to write.
    fn entry(raw_path: &str, kind: EntryType) -> Vec<u8> {
        gz(|builder| {
            let mut header = Header::new_gnu();
            header.as_mut_bytes()[..raw_path.len()].copy_from_slice(raw_path.as_bytes());
            header.set_entry_type(kind);
            header.set_size(0);
            header.set_cksum();
            builder.append(&header, io::empty()).unwrap();
        })
    }

    fn read(bytes: &[u8], limits: &Limits) -> Result<Vec<(String, String)>, Failure> {
        let mut files = Vec::new();
        each_file(bytes, limits, |file| {
            let mut content = String::new();
            file.content.read_to_string(&mut content).map_err(unreadable)?;
            files.push((file.path.to_owned(), content));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(files)
    }

    fn refusal(bytes: &[u8]) -> String {
        read(bytes, &ROOMY).unwrap_err().message
    }

    #[test]
    fn files_come_out_in_order_under_plain_paths() {
        let long = format!("{}/a.txt", "deep/".repeat(50));
        let files = read(&archive(&[("./index.html", "hello"), (&long, "far"), ("css/a.css", "")]), &ROOMY).unwrap();

        let paths: Vec<_> = files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["index.html", &long.replace("//", "/"), "css/a.css"]);
        assert_eq!(files[0].1, "hello");
    }

    #[test]
    fn a_path_of_a_pax_header_counts() {
        let bytes = gz(|builder| {
            builder.append_pax_extensions([("path", b"named/by/pax.txt".as_slice())]).unwrap();
            let mut header = Header::new_ustar();
            header.set_size(1);
            builder.append_data(&mut header, "short", b"x".as_slice()).unwrap();
        });

        assert_eq!(read(&bytes, &ROOMY).unwrap(), [("named/by/pax.txt".to_owned(), "x".to_owned())]);
    }

    #[test]
    fn what_would_leave_the_folder_is_refused_by_name() {
        assert_eq!(
            refusal(&entry("a/../../etc/passwd", EntryType::Regular)),
            "the archive holds `a/../../etc/passwd`: a path that leaves the folder"
        );
        assert_eq!(
            refusal(&entry("/etc/passwd", EntryType::Regular)),
            "the archive holds `/etc/passwd`: an absolute path"
        );
        assert!(refusal(&entry("..", EntryType::Directory)).contains("leaves the folder"));
        assert!(refusal(&entry("a\\..\\b", EntryType::Regular)).contains("backslash"));
    }

    #[test]
    fn what_nobody_sees_in_a_name_is_refused_and_shown() {
        assert_eq!(
            refusal(&archive(&[("a\u{202e}gpj.html", "")])),
            "the archive holds `a\\u{202e}gpj.html`: a name with a control character, or with one that is not seen"
        );
        for hidden in ["\u{7}", "\u{202a}", "\u{2066}", "\u{2069}", "\u{200b}", "\u{200f}", "\u{feff}"] {
            assert!(refusal(&archive(&[(&format!("a{hidden}b/c"), "")])).contains("not seen"), "{hidden:?}");
        }
        assert!(refusal(&entry("/\u{202e}", EntryType::Regular)).contains("`/\\u{202e}`"));
        assert!(read(&archive(&[("Ünïcödé/日本語 'x'.html", "")]), &ROOMY).is_ok());
    }

    /// The tar within, as it is before it is packed.
    fn repacked(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut tar = Vec::new();
        MultiGzDecoder::new(&archive(&[("a", "1"), ("b", "2")])[..]).read_to_end(&mut tar).unwrap();
        change(&mut tar);
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        io::Write::write_all(&mut packed, &tar).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn an_archive_that_was_cut_between_two_files_is_not_a_whole_one() {
        for blocks in [0, 2, 4] {
            let cut = repacked(|tar| tar.truncate(blocks * 512));
            assert!(refusal(&cut).starts_with("truncated archive: "), "{blocks}: {}", refusal(&cut));
        }
        assert!(read(&repacked(|tar| tar.extend([0; 10_000])), &ROOMY).is_ok());
    }

    #[test]
    fn two_archives_in_a_row_are_not_taken_for_the_first() {
        let twice = repacked(|tar| tar.extend(tar.clone()));

        assert_eq!(refusal(&twice), "there is more behind the end of the archive");
    }

    /// As the host reads an artifact whose bytes are not its own: it knows at the end.
    pub struct Damaged<R>(pub R);

    impl<R: Read> Read for Damaged<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 if !buffer.is_empty() => Err(io::Error::other(Failure::fatal("damaged-artifact", "not its bytes"))),
                count => Ok(count),
            }
        }
    }

    #[test]
    fn an_artifact_is_read_to_its_very_end() {
        let whole = archive(&[("a", &"text".repeat(1000))]);
        let mut flipped = whole.clone();
        flipped[30] ^= 1;
        let mut checksum = whole.clone();
        *checksum.last_mut().unwrap() ^= 1;
        let refused = archive(&[("a\u{7}", "")]);

        assert_eq!(read(&checksum, &ROOMY).unwrap_err().code, "invalid-archive");
        for bytes in [whole, flipped, checksum, refused] {
            let failure = each_file(Damaged(&bytes[..]), &ROOMY, |_| Ok(ControlFlow::Continue(()))).unwrap_err();
            assert_eq!(failure.code, "damaged-artifact");
        }
    }

    #[test]
    fn links_and_devices_are_refused_by_name() {
        assert_eq!(
            refusal(&entry("here", EntryType::Symlink)),
            "the archive holds `here`: a symbolic link; only plain files are served"
        );
        assert!(refusal(&entry("here", EntryType::Link)).contains("a hard link"));
        assert!(refusal(&entry("here", EntryType::Char)).contains("a device"));
        assert!(refusal(&entry("here", EntryType::GNUSparse)).contains("not read"));
    }

    #[test]
    fn a_path_is_there_once() {
        assert_eq!(refusal(&archive(&[("a", "1"), ("./a", "2")])), "the archive holds `a`: it is there twice");
        assert!(refusal(&archive(&[("a", "1"), ("a/b", "2")])).contains("needs a folder"));
        assert!(refusal(&archive(&[("a/b", "1"), ("a", "2")])).contains("needs a folder"));
        assert!(read(&archive(&[("a/b", "1"), ("a-b", "2")]), &ROOMY).is_ok());
    }

    #[test]
    fn names_that_only_some_disks_tell_apart_are_refused_both_by_name() {
        assert_eq!(
            refusal(&archive(&[("Logo.png", "1"), ("logo.PNG", "2")])),
            "the archive holds `logo.PNG`: `Logo.png` is there too, and some disks do not tell the two apart"
        );
        assert!(refusal(&archive(&[("Ä/a", "1"), ("ä/A", "2")])).contains("`Ä/a` is there too"));
        assert!(refusal(&archive(&[("CSS", "1"), ("css/a", "2")])).contains("needs a folder: `CSS`"));
        assert!(refusal(&archive(&[("css/a", "1"), ("CSS", "2")])).contains("needs a folder: `css/a`"));
        assert!(read(&archive(&[("CSS/a", "1"), ("css/b", "2")]), &ROOMY).is_ok());
    }

    #[test]
    fn a_small_archive_cannot_become_a_huge_site() {
        let bomb = archive(&[("zeros", &"0".repeat(1 << 20))]);
        assert!(bomb.len() < 20_000, "it is a bomb: {} bytes", bomb.len());

        let failure = read(&bomb, &Limits { max_total_bytes: 100_000, ..ROOMY }).unwrap_err();
        assert_eq!(failure.code, "too-large");
        assert_eq!(failure.message, "the archive unpacks to more than 100000 bytes (max_total_bytes)");

        let failure = read(&bomb, &Limits { max_file_bytes: 100_000, ..ROOMY }).unwrap_err();
        assert_eq!(failure.message, "the archive holds `zeros` with 1048576 bytes, more than 100000 (max_file_bytes)");

        let many = archive(&[("a", ""), ("b", ""), ("c", "")]);
        assert_eq!(read(&many, &Limits { max_files: 2, ..ROOMY }).unwrap_err().code, "too-large");
        assert!(read(&many, &Limits { max_files: 3, ..ROOMY }).is_ok());
    }

    #[test]
    fn a_huge_header_is_not_held_in_memory() {
        let bytes = gz(|builder| {
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::GNULongName);
            header.set_size(10 << 20);
            header.set_cksum();
            builder.append(&header, io::repeat(b'a').take(10 << 20)).unwrap();
        });

        assert!(refusal(&bytes).contains("more than 64 KiB"));
    }

    #[test]
    fn what_is_no_archive_is_said_to_be_none() {
        let cut = &archive(&[("a", &"text".repeat(1000))])[..40];

        assert_eq!(read(b"<html>", &ROOMY).unwrap_err().code, "invalid-archive");
        assert_eq!(read(cut, &ROOMY).unwrap_err().code, "invalid-archive");
    }
}
