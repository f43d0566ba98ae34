//! A gate tried on what it measured before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Which gate, how it would be, and how far to look back. What is left out is as it is now.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Backtest {
    pub environment: String,
    pub gate: String,
    /// The whole configuration.
    #[schema(value_type = Option<Object>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Value>,
    /// Instead of `config`: keys of the present one, with other values.
    #[schema(value_type = Object)]
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Value>,
    /// By digest, approved or not, or by name the digest that was added last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// Only what was sampled to its end since then.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The newest runs: 1 to 500; 50 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

/// What past deployments would have come to. Nothing outside was asked.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Backtested {
    pub project: String,
    pub environment: String,
    pub gate: String,
    pub plugin: String,
    pub digest: String,
    /// `pending`, `active`, or `superseded` by a newer digest of that name.
    pub plugin_status: String,
    pub totals: BacktestTotals,
    /// Newest first.
    pub runs: Vec<BacktestRun>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BacktestTotals {
    pub runs: usize,
    /// Had passed, and would have been stopped.
    pub newly_stopped: usize,
    /// Had not passed, and would have.
    pub newly_passed: usize,
    pub same: usize,
    pub unknown: usize,
    pub samples: usize,
    /// By the changed rule; the others had no verdict of a judge, or cannot be judged any more.
    pub judged: usize,
}

/// The gates of one attempt of a deployment.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BacktestRun {
    pub deployment: u64,
    pub attempt: u32,
    /// `post`: after the phases.
    pub set: String,
    pub release: String,
    #[schema(format = DateTime)]
    pub at: String,
    /// `passed`, `stopped`, `canceled` or `not-ended`.
    pub was: String,
    /// `passed`, `stopped` or `unknown`.
    pub would_be: String,
    /// What it would have been differs from what it was.
    pub differs: bool,
    pub why: String,
    /// Where it had passed and would have been stopped: as long it could still have turned green, which nobody measured.
    pub time_left_ms: Option<u64>,
    pub rounds: usize,
    /// Those that differ or cannot be judged, in their order; of many, the first twenty.
    pub samples: Vec<BacktestSample>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BacktestSample {
    pub round: u32,
    /// `pass`, `fail`, `inconclusive` or `error`; absent where it was not judged.
    pub was: Option<String>,
    pub was_reason: String,
    /// The same; absent where it cannot be known.
    pub would_be: Option<String>,
    pub reason: String,
}
