//! What must happen: the pure core of Lockgate. No async, clock, randomness or I/O.
//!
//! The event log is the truth. [`handle::handle`] decides what a command leads to, [`state::State::apply`]
//! changes the state, [`state::State::due`] says which calls must be running, and
//! [`state::State::wake_at`] when to look again. [`snapshot`] is how a state outlives the process without its events.

pub mod admission;
pub mod approval;
mod bytes;
pub mod calendar;
pub mod change;
pub mod definition;
pub mod deployment;
pub mod digest;
pub mod environment;
pub mod explain;
pub mod forecast;
pub mod green;
pub mod handle;
pub mod kept;
pub mod name;
pub mod narrowing;
mod next;
pub mod order;
pub mod origin;
mod pins;
pub mod plugin;
pub mod queue;
pub mod release;
pub mod resource;
pub mod secret;
pub mod selection;
pub mod snapshot;
pub mod state;
pub mod status;
pub mod sync;
pub mod system;
pub mod trust;
#[doc(hidden)]
pub mod visits;
pub mod warnings;
pub mod work;
