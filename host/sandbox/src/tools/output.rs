//! What a tool says: both streams in one bounded file, in the order in which the keeper heard it.
//!
//! A piece is a byte for the stream, its length, and its bytes. Offsets count the bytes of both streams together.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::Path;

const HEAD_BYTES: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Bounded: what comes after is heard and dropped, so that a tool never waits for a reader.
pub struct Writer<W> {
    file: W,
    left_bytes: u64,
    truncated: bool,
}

impl<W: Write> Writer<W> {
    pub fn new(file: W, limit_bytes: u64) -> Self {
        Self { file, left_bytes: limit_bytes, truncated: false }
    }

    /// A disk that takes no more is a limit, too.
    pub fn take(&mut self, stream: Stream, bytes: &[u8]) {
        let fits = bytes.len().min(usize::try_from(self.left_bytes).unwrap_or(usize::MAX));
        self.truncated |= fits < bytes.len();
        if fits == 0 {
            return;
        }
        let mut piece = Vec::with_capacity(HEAD_BYTES + fits);
        piece.push(match stream {
            Stream::Stdout => 1,
            Stream::Stderr => 2,
        });
        piece.extend_from_slice(&(fits as u32).to_le_bytes());
        piece.extend_from_slice(&bytes[..fits]);
        match self.file.write_all(&piece) {
            Ok(()) => self.left_bytes -= fits as u64,
            Err(_) => (self.left_bytes, self.truncated) = (0, true),
        }
    }

    pub fn truncated(&self) -> bool {
        self.truncated
    }
}

/// A part of what was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Of both streams, from the beginning to the end of this part.
    pub end: u64,
    /// There is more.
    pub more: bool,
}

/// From `offset` on, at most so much. A piece that is still being written is not there yet.
pub fn read(path: &Path, offset: u64, most: usize) -> io::Result<Said> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Said::default()),
        Err(error) => return Err(error),
    };
    let (mut file, mut said, mut left) = (BufReader::new(file), Said::default(), most);
    while let Some((stream, piece)) = piece(&mut file)? {
        let skipped = offset.saturating_sub(said.end).min(piece.len() as u64);
        let wanted = &piece[skipped as usize..];
        let taken = &wanted[..wanted.len().min(left)];
        match stream {
            Stream::Stdout => said.stdout.extend_from_slice(taken),
            Stream::Stderr => said.stderr.extend_from_slice(taken),
        }
        left -= taken.len();
        said.end += skipped + taken.len() as u64;
        if taken.len() < wanted.len() {
            said.more = true;
            break;
        }
    }
    Ok(said)
}

fn piece(file: &mut impl Read) -> io::Result<Option<(Stream, Vec<u8>)>> {
    let mut head = [0; HEAD_BYTES];
    if !is_whole(file.read_exact(&mut head))? {
        return Ok(None);
    }
    let [stream, length @ ..] = head;
    let stream = if stream == 1 { Stream::Stdout } else { Stream::Stderr };
    let length = u32::from_le_bytes(length);
    let mut bytes = Vec::new();
    file.take(length.into()).read_to_end(&mut bytes)?;
    Ok((bytes.len() == length as usize).then_some((stream, bytes)))
}

fn is_whole(read: io::Result<()>) -> io::Result<bool> {
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(limit_bytes: u64) -> (Vec<u8>, bool) {
        let mut writer = Writer::new(Vec::new(), limit_bytes);
        writer.take(Stream::Stdout, b"abc");
        writer.take(Stream::Stderr, b"XY");
        writer.take(Stream::Stdout, b"de");
        let truncated = writer.truncated();
        (writer.file, truncated)
    }

    fn read_of(bytes: &[u8], offset: u64, most: usize) -> (String, String, u64, bool) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let Said { stdout, stderr, end, more } = read(file.path(), offset, most).unwrap();
        (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap(), end, more)
    }

    #[test]
    fn an_offset_counts_the_bytes_of_both_streams() {
        let (bytes, truncated) = written(7);
        assert!(!truncated);
        let said = |out: &str, err: &str, end, more| (out.to_owned(), err.to_owned(), end, more);
        assert_eq!(read_of(&bytes, 0, 99), said("abcde", "XY", 7, false));
        assert_eq!(read_of(&bytes, 4, 99), said("de", "Y", 7, false));
        assert_eq!(read_of(&bytes, 1, 3), said("bc", "X", 4, true));
        assert_eq!(read_of(&bytes, 7, 99), said("", "", 7, false));
        assert_eq!(read_of(&bytes, 9, 99), said("", "", 7, false));
    }

    #[test]
    fn what_is_over_the_limit_is_dropped_and_said_to_be() {
        let (bytes, truncated) = written(4);
        assert!(truncated);
        assert_eq!(read_of(&bytes, 0, 99), ("abc".to_owned(), "X".to_owned(), 4, false));
    }

    #[test]
    fn half_a_piece_is_not_there_yet() {
        let (bytes, _) = written(99);
        for cut in [1, HEAD_BYTES - 1, HEAD_BYTES + 1] {
            let end = HEAD_BYTES + 3 + HEAD_BYTES + 2;
            assert_eq!(read_of(&bytes[..end + cut], 0, 99).2, 5, "cut {cut}");
        }
    }
}
