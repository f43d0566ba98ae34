//! Owns the projects: the only caller of the core's `handle`. Starts what is due and feeds reports back.

#![expect(clippy::result_large_err, reason = "a `Failure` has 128 bytes; a call costs more than moving them")]

mod ask;
mod backtest;
mod blocking;
mod call_log;
mod calls;
mod condensed;
mod ends;
mod evidence;
mod history;
mod horizon;
mod host;
mod inbox;
mod index;
mod missing;
mod narrate;
mod project;
mod replay;
mod retention;
mod surroundings;
mod system;
#[cfg(test)]
mod tests;
mod vault;
mod workspace;

pub use ask::{Asked, Judged, ask, bounded};
pub use backtest::{Again, Backtest, BacktestError, TestedRun, TestedSample, Was, Would};
pub use blocking::blocking;
pub use call_log::{deployment_kind, log_id};
pub use evidence::{RunId, gates_of};
pub use history::{HistoryError, Row};
pub use host::{AddPluginError, Applied, Host, HostError, Offered, Origin, SetSecretError, Settings, random_hex};
pub use inbox::{Committed, ProjectHandle, Refusal, View};
pub use index::FINISHED;
pub use missing::{Missing, MissingFile};
pub use narrate::{HistoryRow, step_in_words};
pub use replay::ReplayError;
pub use surroundings::{failure, no_artifacts_yet, not_kept, not_of_this_release, state_not_granted};
pub use system::{SystemHandle, SystemRefusal};
pub use vault::{KeyError, Keys, MOST_VALUE_BYTES, VaultError, new_key};
