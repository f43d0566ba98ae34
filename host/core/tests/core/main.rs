//! What the core promises, rule by rule, and a simulated world that tries to break it.

#![expect(clippy::unwrap_used, reason = "all of this is test, also what no `#[test]` stands over")]

mod approvals;
mod calendar;
mod cancel;
mod clock;
mod explain;
mod forecast;
mod gates;
mod kept;
mod live;
mod opening;
mod phases;
mod pins;
mod plans;
mod project;
mod promotion;
mod queue;
mod releases;
mod samples;
mod schedule;
mod simulation;
mod snapshot;
mod stages;
mod status;
mod sync;
mod warnings;
mod words;
mod world;
