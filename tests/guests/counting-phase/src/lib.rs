//! Counts in the host's state how often it was done in its environment: what a deployment leaves, the next one finds.

use lockgate_sdk::phase::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    key: String,
    /// Of the value, beside the count.
    #[serde(default)]
    bytes: usize,
}

pub struct CountingPhase;

impl Phase for CountingPhase {
    type Config = Config;

    fn describe() -> Description {
        describe!("For tests: counts its deployments.").state()
    }

    fn advance(_: Call, config: Config, _: Subject, _: Cursor) -> Result<Progressed, Failure> {
        let (count, version) = match state::get(&config.key)? {
            Some(entry) => (counted(&entry.value), entry.version),
            None => (0, 0),
        };
        let value = format!("{} {}", count + 1, "x".repeat(config.bytes));
        let version = state::put(&config.key, value.as_bytes(), version)?;
        // Whoever has not read what is there now does not write over it.
        let late = state::put(&config.key, b"0", version - 1).expect_err("it was read before the last write");
        Ok(Progressed::done("counted").outputs(json!({ "count": count + 1, "late": late.code })))
    }
}

fn counted(value: &[u8]) -> u32 {
    String::from_utf8_lossy(value).split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
}

lockgate_sdk::export_phase!(CountingPhase);
