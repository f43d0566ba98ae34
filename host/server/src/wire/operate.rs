//! What operators and release engineers say beside triggers and answers, and what is said to them about waiting.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Blocker, Deployment};

/// One thing that a SELECTIVE deployment changes. What is left out stands for all there are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// `create`, `update`, `delete` or `replace`; whatever the plan says when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    #[serde(default)]
    pub reason: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Promote {
    /// Where the release is live; where the environment says that its releases come from, when left out.
    #[serde(default)]
    pub from: Option<String>,
    /// Ask the targets how their resources are, then plan.
    #[serde(default)]
    pub refresh: bool,
    /// Also apply what is in sync already. No rule is skipped.
    #[serde(default)]
    pub forced: bool,
    /// Accept a plan that deletes or replaces.
    #[serde(default)]
    pub allow_destructive: bool,
    #[serde(default)]
    pub comment: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Expiry {
    /// When the environment is torn down: a time, `now`, or `never` by itself.
    pub when: String,
}

/// Who paused what, and why.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Pause {
    pub by: String,
    #[schema(format = DateTime)]
    pub at: String,
    pub reason: String,
}

/// A time at which the schedule was to deploy, and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Tick {
    #[schema(format = DateTime)]
    pub at: String,
    /// `deployed`, `dropped` (one was under way) or `skipped` (paused, or nothing to deploy).
    pub outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<u64>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub because: String,
}

/// Nothing is promoted here by itself, since a rollback.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PromotionHold {
    #[schema(format = DateTime)]
    pub since: String,
    /// The rollback's number.
    pub rollback: u64,
    /// The release that was rolled back: when it is live again, promotion goes on.
    pub bad: Option<String>,
    /// Tags that would have come here meanwhile.
    pub held_back: Vec<String>,
}

/// What is said of an environment beside its releases.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Operations {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule_paused: Option<Pause>,
    /// When the schedule deploys next.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_scheduled_time: Option<String>,
    /// The last ones, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ticks: Vec<Tick>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promotion_hold: Option<PromotionHold>,
    /// When an ephemeral environment is torn down.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What was to happen by itself and could not, until another release is live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    #[schema(format = DateTime)]
    pub at: String,
    /// `the promotion of v2`, `the teardown`.
    pub what: String,
    pub because: String,
}

/// Why a deployment waits: everything in its way, and what will be if nobody acts.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    pub deployment: u64,
    /// The time this is about.
    #[schema(format = DateTime)]
    pub at: String,
    /// The time that was asked for, where so much happens until then that no further than `at` was looked ahead.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<String>,
    /// `at` lies ahead: what is said is what will be if nobody acts, each call takes `call_ms`, and gates pass.
    pub forecast: bool,
    pub status: String,
    pub attempt_status: String,
    pub operation_status: String,
    /// Empty: it is at work, or over.
    pub blockers: Vec<Blocker>,
    /// When its turn comes if nobody acts; absent where that cannot be said, or it has come.
    #[schema(format = DateTime)]
    pub earliest_start: Option<String>,
    /// It waits, and its turn does not come until then at least if nobody acts: no further was looked ahead.
    #[schema(format = DateTime)]
    pub no_start_until: Option<String>,
    pub call_ms: u64,
}

/// What an endpoint's workflow came to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EndpointAnswer {
    pub deployment: Deployment,
    /// By phase, once it has ended; absent while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Value>,
}
