//! What is there and whether it is as asked for (F: ResourceStatus), and what a deployment leaves on the record.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Artifact;

/// One resource of an environment. `resource_type` and `resource_name` are what a selection takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResourceStatus {
    pub application: String,
    pub resource_type: String,
    pub resource_name: String,
    /// Configuration version, a release's tag, that the last deployment which touched it asks for; absent where it is to
    /// be gone, or no deployment has named it.
    pub current_version: Option<String>,
    /// What is there, as far as anybody knows.
    pub live_version: Option<String>,
    pub current_artifact_url: Option<String>,
    pub live_artifact_url: Option<String>,
    /// `IN_SYNC` or `OUT_OF_SYNC`.
    pub sync: String,
    /// `QUEUED`, `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    pub release_status: String,
    /// `healthy`, `progressing`, `degraded`, `missing` or `unknown`: as it was seen when it was last asked.
    pub health: String,
    /// Percent of the traffic.
    pub weight_percent: u32,
    /// The last deployment that touched it.
    pub deployment: Option<u64>,
    /// When its target was last asked; absent: never, and what is live is what was applied.
    #[schema(format = DateTime)]
    pub observed_at: Option<String>,
}

/// The applications of an environment, as they stand after one event of the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Applications {
    /// Of the last event: pass it as `after` to hear of the next change.
    pub sequence: u64,
    pub items: Vec<ApplicationStatus>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApplicationStatus {
    pub application: String,
    /// `IN_SYNC`: the wanted release is live and current here, and every resource is in sync.
    pub sync: String,
    /// Tag that the environment wants: of its live release; of the newest active one where nothing is live yet.
    pub wanted: Option<String>,
    pub live: Option<String>,
    /// What targets last began to apply of it.
    pub current: Option<String>,
    /// Numbers of the deployments that work or wait in the queue, and may change it.
    pub under_way: Vec<u64>,
    /// How many there are.
    pub resources: usize,
    pub resources_out_of_sync: usize,
    /// The first twenty of them.
    pub out_of_sync: Vec<ResourceStatus>,
    /// When one of its resources was last looked at; absent: never.
    #[schema(format = DateTime)]
    pub observed_at: Option<String>,
}

/// What a deployment leaves on the record beside its course.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// `project/environment`.
    pub namespace: String,
    /// REGULAR, CUSTOM or ROLLBACK.
    #[serde(rename = "deploymentType")]
    pub deployment_kind: String,
    pub sign_off: SignOff,
    /// Of the release, then what its phases have built.
    pub artifacts: Vec<Artifact>,
    /// What has landed where.
    pub application_deployments: Vec<ApplicationDeployment>,
    /// Scripts that its phases have run.
    pub migrations: Vec<Migration>,
    /// Failures, oldest first; of many, the last fifty.
    pub error_logs: Vec<ErrorLog>,
}

/// Whether people have agreed: each of `NotRequired`, `Pending`, `Approved`, `Deferred`, `Rejected` or `Skipped`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignOff {
    /// Before the phases.
    pub pre: String,
    /// After them.
    pub post: String,
}

/// A part of the release at its place.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApplicationDeployment {
    /// The phase that did it.
    pub phase: String,
    pub application: String,
    pub target: String,
    pub release: String,
    /// As its target calls it; empty where it does not.
    pub version: String,
    pub artifact: String,
    pub artifact_uri: String,
    pub digest: String,
    pub build_id: String,
    pub stack: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Migration {
    pub phase: String,
    pub name: String,
    /// As the phase calls it, such as `applied`.
    pub status: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorLog {
    /// The phase; `plan`, `approval`, `gates` or `undo` for what lies around the phases.
    pub phase: String,
    pub attempt: u32,
    /// The last one; 0 where nothing was tried.
    #[serde(rename = "try")]
    pub try_number: u32,
    /// Such as `plan-stale`; empty where nobody gave one.
    pub code: String,
    pub message: String,
    #[schema(format = DateTime)]
    pub at: Option<String>,
}
