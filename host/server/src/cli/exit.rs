//! What the exit code of a command says to a script.

pub const DONE: u8 = 0;
/// The request was refused, or what was waited for failed.
pub const FAILED: u8 = 1;
/// The command line or a file is wrong.
pub const USAGE: u8 = 2;
/// The host could not be reached.
pub const UNREACHABLE: u8 = 3;
/// The token is missing, wrong, or may not do this.
pub const NOT_ALLOWED: u8 = 4;
/// What was waited for did not end in time.
pub const TIMED_OUT: u8 = 5;
/// The host itself had to stop.
pub const HOST_FAILED: u8 = 70;
