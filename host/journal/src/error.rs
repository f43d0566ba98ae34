//! What can go wrong. Errors are cloned to every waiter of a failed batch.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::record::MAX_STREAM_BYTES;

#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    #[error("could not {attempt} {}: {source}. Check the disk and the permissions of the folder", path.display())]
    Io { attempt: &'static str, path: PathBuf, source: Arc<io::Error> },

    #[error(transparent)]
    Damage(#[from] Damage),

    #[error(
        "the journal {} ends with record {last}, but {acknowledged} were acknowledged: records are gone from it. A copy \
         that was made while its host ran shows this, too. Put the whole folder back from a copy or backup; or, to go on without \
         them, remove {}",
        dir.display(),
        mark.display()
    )]
    Gone { dir: PathBuf, last: u64, acknowledged: u64, mark: PathBuf },

    #[error(
        "{} is a journal of format {found}, this host reads formats up to {known}: start the release of Lockgate that wrote it",
        path.display()
    )]
    Version { path: PathBuf, found: u32, known: u32 },

    #[error("`{}` cannot name a stream: use 1 to {MAX_STREAM_BYTES} bytes without control characters", stream.escape_debug())]
    InvalidStream { stream: String },

    #[error("nothing to append to stream `{stream}`: give at least one payload")]
    NothingToAppend { stream: String },

    #[error(
        "a payload for stream `{stream}` has {bytes} bytes, at most {limit} are allowed: store it as a blob and name its digest"
    )]
    PayloadTooLarge { stream: String, bytes: usize, limit: usize },

    #[error("an append to stream `{stream}` has {bytes} bytes, the whole queue holds {limit}: append it in parts")]
    AppendTooLarge { stream: String, bytes: usize, limit: usize },

    #[error("{waiting_bytes} bytes wait for the disk, at most {limit} may: nothing was written, try again")]
    QueueFull { waiting_bytes: usize, limit: usize },

    #[error("records up to {through} cannot be dropped: {problem}. Nothing was changed")]
    NotDropped { through: u64, problem: String },

    #[error("no journal can be begun in {}: {problem}", dir.display())]
    NotBegun { dir: PathBuf, problem: &'static str },

    /// Whether the refused records are on disk is unknown until the next start.
    #[error("the journal stopped and takes nothing more: {cause}. Restart the host, it recovers what is on disk")]
    Stopped { cause: String },
}

/// Bytes that were once durable and are not what was written, with their place: that of the bytes as they were written,
/// also in a segment that was packed since. Packed bytes that cannot be unpacked are one bad place, behind the header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the journal is damaged: {problem} (segment {}, byte {offset}, where record {sequence} is expected). \
     Lockgate has changed nothing. Put this file back from a copy of the folder, for backups hold the records in another \
     form; do not delete or edit it, every record counts",
    segment.display()
)]
pub struct Damage {
    pub segment: PathBuf,
    pub offset: u64,
    pub sequence: u64,
    pub problem: String,
}

impl JournalError {
    pub(crate) fn io(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { attempt, path: path.to_owned(), source: Arc::new(source) }
    }

    /// What an append was answered with before anything was written: the journal goes on.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Stopped { .. } => false,
            Self::Io { .. }
            | Self::Damage(_)
            | Self::Gone { .. }
            | Self::Version { .. }
            | Self::InvalidStream { .. }
            | Self::NothingToAppend { .. }
            | Self::PayloadTooLarge { .. }
            | Self::AppendTooLarge { .. }
            | Self::QueueFull { .. }
            | Self::NotDropped { .. }
            | Self::NotBegun { .. } => true,
        }
    }

    /// How everyone after the one it happened to is told.
    pub(crate) fn stopped(&self) -> Self {
        match self {
            Self::Stopped { .. } => self.clone(),
            cause => Self::Stopped { cause: cause.to_string() },
        }
    }
}
