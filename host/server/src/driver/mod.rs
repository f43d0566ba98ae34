//! Owns the projects: the only caller of the core's `handle`. Starts what is due and feeds reports back.

#![expect(clippy::result_large_err, reason = "a `Failure` has 128 bytes; a call costs more than moving them")]

mod calls;
mod host;
mod index;
mod narrate;
mod project;
#[cfg(test)]
mod refused;
mod replay;
mod system;
#[cfg(test)]
mod tests;

pub use calls::log_id;
pub use host::{AddPluginError, Host, HostError, Settings, blocking, random_hex};
pub use index::{FINISHED, HISTORY, history_key};
pub use narrate::{HistoryRow, step_in_words};
pub use project::{Committed, ProjectHandle, Refusal, View};
pub use system::{SystemHandle, SystemRefusal};
