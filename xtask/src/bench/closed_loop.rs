//! Work side by side in lanes: in each lane, the next begins when the last has ended.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::load::{in_parallel, timed};
use super::machine::Meter;
use super::spread;

/// `processes` are those that do the work, in `folder`. `open` makes what a lane works with, and `work` does one.
pub fn run<C>(
    (lanes, time): (usize, Duration),
    (processes, folder): (&[u32], &Path),
    open: impl Fn(usize) -> Result<C> + Sync,
    work: impl Fn(&mut C) -> Result<()> + Sync,
) -> Result<Value> {
    let (meter, started) = (Meter::start(processes, folder)?, Instant::now());
    let micros = in_parallel(lanes, |lane| {
        let (mut context, mut micros) = (open(lane)?, Vec::new());
        while started.elapsed() < time {
            micros.push(timed(|| work(&mut context))?);
        }
        Ok(micros)
    })?
    .concat();
    let mut measured = meter.stop()?.each(micros.len());
    measured["concurrency"] = json!(lanes);
    measured["latency"] = spread(micros);
    Ok(measured)
}
