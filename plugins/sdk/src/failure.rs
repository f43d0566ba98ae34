//! Saying no: an answer of the plugin, to be told apart from a trap, which is a bug.

use std::io;

use crate::{Failure, Issue, Retry, Value};

impl Failure {
    /// Something outside did not answer: the host may repeat the same work with the same key.
    pub fn retry(message: impl Into<String>) -> Self {
        Self { retry: Retry::SameKey, ..Self::fatal("unavailable", message) }
    }

    /// Another call would end the same. `code` is a word for programs, such as `denied` or `plan-stale`.
    pub fn fatal(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            retry: Retry::Never,
            retry_after_ms: 0,
            details: "{}".into(),
        }
    }

    pub fn with_code(mut self, code: &str) -> Self {
        self.code = code.into();
        self
    }

    /// Not before this time; without it the phase's own backoff counts.
    pub fn after_ms(mut self, retry_after_ms: u32) -> Self {
        self.retry_after_ms = retry_after_ms;
        self
    }

    pub fn details(mut self, details: Value) -> Self {
        self.details = details.to_string();
        self
    }

    /// Says first what was being done: `reading the archive: unexpected end of file`.
    pub fn context(mut self, doing: impl std::fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }
}

/// A failure that travelled through a [`std::io::Read`] comes out as it went in; anything else the system said
/// is fatal with code `io`, in words: the numbers are WASI's own, and mean something else wherever they are looked up.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.downcast::<Failure>() {
            Ok(failure) => failure,
            Err(error) => Failure::fatal("io", words(&error)),
        }
    }
}

fn words(error: &io::Error) -> String {
    use io::ErrorKind::{NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    if error.raw_os_error().is_none() {
        return error.to_string();
    }
    match error.kind() {
        StorageFull => "no space left on the disk".to_owned(),
        QuotaExceeded => "the quota of the disk is used up".to_owned(),
        ReadOnlyFilesystem => "the disk is read-only".to_owned(),
        PermissionDenied => "not permitted".to_owned(),
        NotFound => "it is not there".to_owned(),
        // WASI does not tell a guest why a write failed.
        _ if is_any_failure(error) => "the disk failed".to_owned(),
        _ => without_number(&error.to_string()).to_owned(),
    }
}

fn is_any_failure(error: &io::Error) -> bool {
    const EIO: i32 = if cfg!(target_family = "wasm") { 29 } else { 5 };
    error.raw_os_error() == Some(EIO)
}

fn without_number(text: &str) -> &str {
    text.split_once(" (os error ").map_or(text, |(words, _)| words)
}

impl Issue {
    /// `path` is a JSON pointer into the configuration.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_survives_a_reader_in_between() {
        let denied = Failure::fatal("denied", "no such grant");

        let back = Failure::from(io::Error::other(denied.clone()));

        assert_eq!(back, denied);
    }

    #[test]
    fn an_error_of_the_system_is_fatal() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::NotFound)).context("opening a.txt");

        assert_eq!((failure.code.as_str(), failure.retry), ("io", Retry::Never));
        assert_eq!(failure.message, "opening a.txt: entity not found");
    }

    #[test]
    fn what_the_system_says_is_told_in_words() {
        let told = |number| Failure::from(io::Error::from_raw_os_error(number)).message;

        assert_eq!(told(1), "not permitted");
        assert_eq!(told(2), "it is not there");
        assert_eq!(told(5), "the disk failed");
        assert_eq!(told(28), "no space left on the disk");
        assert_eq!(told(30), "the disk is read-only");
        assert_eq!(told(39), "Directory not empty");
    }
}
