//! The real `lockgate` binary with real components, driven from outside: over HTTP, by its files, and by `kill -9`.
//!
//! Every host has a data folder and a port of its own, so that tests run side by side. Nothing here sleeps for luck:
//! what a test waits for has a name and a deadline ([`harness::wait`]).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops, and its backtrace says where")]
#![expect(clippy::type_complexity, reason = "what one helper gives to one test needs no name")]

mod authors;
mod backtest;
mod commands;
mod compiling;
mod copies;
mod disk;
mod disk_full;
mod distribution;
mod examples;
mod golden;
mod harness;
mod kill;
mod kill_anytime;
mod languages;
mod narrowing;
mod operations;
mod pairs;
mod plugins;
mod power;
mod promises;
mod records;
mod refusals;
mod rehearsals;
mod retention;
mod secrets;
mod serve;
mod shares;
mod sites;
mod statuses;
mod story;
mod strategies;
mod tools;
mod versions;
