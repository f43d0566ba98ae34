//! What can go wrong with a data folder. Cloned to every waiter of a failed batch.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lockgate_core::digest::Digest;
use lockgate_journal::JournalError;

#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    #[error("could not {attempt} {}: {source}. {}", path.display(), advice(source))]
    Io { attempt: &'static str, path: PathBuf, source: Arc<io::Error> },

    #[error(
        "could not {attempt} {}: {} is a file where a folder is needed. Remove that file, or give the host another data folder",
        path.display(),
        file.display()
    )]
    FileInTheWay { attempt: &'static str, path: PathBuf, file: PathBuf },

    #[error(
        "the data folder {} is in use by the host with process id {pid}: stop that host first, or give this one another folder",
        dir.display()
    )]
    InUse { dir: PathBuf, pid: String },

    #[error("an import or a restore was interrupted in {}: empty that folder, and do it again", dir.display())]
    Unfinished { dir: PathBuf },

    #[error("{} holds something already; name a folder that is empty or not there", dir.display())]
    NotEmpty { dir: PathBuf },

    #[error(transparent)]
    Journal(#[from] JournalError),

    #[error(
        "could not {attempt} the index: {problem}. Nothing is lost, the index is derived: restart the host, it is made again"
    )]
    Index { attempt: &'static str, problem: String },

    #[error("could not {attempt} the index: {problem}. Nothing is lost, and all of it is in the journal")]
    IndexHeldUp { attempt: &'static str, problem: String },

    #[error(
        "the index knows stream `{stream}` through event {through}, but the journal ends with {end}: events that were \
         acknowledged are gone from {}. Put the whole folder back from a copy or backup; or, to go on without them, \
         remove the folder {} and start again",
        journal.display(),
        index.display()
    )]
    EventsAreGone { stream: String, through: u64, end: u64, journal: PathBuf, index: PathBuf },

    #[error(
        "the journal {} is gone or has no events, but {there} of an earlier host are there. Put the journal back from a copy or \
         backup; or, to begin anew, give the host another data folder, or remove {there}",
        journal.display()
    )]
    JournalIsGone { journal: PathBuf, there: String },

    #[error("`{name}` cannot name a stream or table of the index: use at most 255 bytes")]
    InvalidIndexName { name: String },

    #[error("there is no blob {digest}: upload it again")]
    NoBlob { digest: Digest },

    #[error("the uploaded bytes have the digest {actual}, {expected} was announced: upload them again")]
    WrongDigest { expected: Digest, actual: Digest },

    #[error("a blob has more than the {limit} bytes that are allowed here")]
    BlobTooLarge { limit: u64 },

    #[error("the blob {digest} is damaged on disk, its bytes have the digest {actual}: upload it again (the damaged one is {})", path.display())]
    DamagedBlob { digest: Digest, actual: Digest, path: PathBuf },

    #[error("`{part}` cannot be part of a log's name: use 1 to 100 of a-z, 0-9, `.`, `_`, `-`, and no `..`")]
    InvalidLogName { part: String },

    #[error("a log line must be 1 to {limit} bytes of JSON on one line, this one has {bytes} bytes or a line break")]
    InvalidLogLine { bytes: usize, limit: usize },

    #[error("the store is stopping: {what} takes nothing more")]
    Stopping { what: &'static str },
}

impl StoreError {
    /// Nothing of an append was written, and a later one may succeed: the disk is full, or too much waits for it.
    pub fn is_refused_append(&self) -> bool {
        matches!(self, Self::Journal(error) if error.is_refusal())
    }

    pub fn is_want_of_room(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_want_of_room(source))
    }

    pub(crate) fn io(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let path = path.to_owned();
            match file_in_the_way(&path, &source) {
                Some(file) => Self::FileInTheWay { attempt, path, file },
                None => Self::Io { attempt, path, source: Arc::new(source) },
            }
        }
    }
}

fn file_in_the_way(path: &Path, error: &io::Error) -> Option<PathBuf> {
    match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            path.ancestors().find(|level| level.is_file()).map(Path::to_owned)
        }
        _ => None,
    }
}

pub(crate) fn io_problem(error: &io::Error) -> String {
    format!("{error}. {}", advice(error))
}

pub(crate) fn is_want_of_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn advice(error: &io::Error) -> &'static str {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match error.kind() {
        _ if is_want_of_room(error) => "Make room on the disk that holds the data folder, then try again",
        ReadOnlyFilesystem => "The disk is mounted read-only: mount it writable, or give the host another data folder",
        PermissionDenied => "The user of the host needs read and write permission for the whole data folder",
        _ => "Check the disk and the permissions of the data folder",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_full_disk_is_told_with_the_place_and_what_to_do() {
        let error = StoreError::io("write the blob", Path::new("/data/blobs"))(io::ErrorKind::StorageFull.into());
        expect!["could not write the blob /data/blobs: no storage space. Make room on the disk that holds the data folder, then try again"]
            .assert_eq(&error.to_string());
    }
}
