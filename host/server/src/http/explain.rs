//! Why a deployment waits, now and at a later time.

use axum::Json;
use axum::extract::State;
use lockgate_core::deployment::{Deployment, Stage};
use lockgate_core::explain::{Blocker, blockers};
use lockgate_core::forecast::{Assumptions, forecast};
use lockgate_core::name::{DeploymentNumber, Name, Timestamp};
use lockgate_core::state::State as ProjectState;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::deployments::{find, parse_time};
use super::input::{Asked, At};
use super::problem::Problem;
use super::views::{self, word};
use crate::clock::{self, rfc3339};
use crate::driver::blocking;
use crate::wire;

/// How far ahead the start of a deployment is looked for.
const HORIZON_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// What a call is taken to need.
const CALL_MS: u64 = 10_000;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// A later time, RFC 3339: what will stand in the way then, if nobody acts.
    at: Option<String>,
    /// How long each call is taken to need, in milliseconds; 10000 when left out.
    call_ms: Option<u64>,
}

/// Everything that stands in a deployment's way, who can lift it, and when its turn comes if nobody acts.
#[utoipa::path(get, path = "/v1/projects/{project}/deployments/{number}/explain", tag = "deployments",
    params(("project" = String, Path), ("number" = u64, Path), ExplainQuery),
    responses((status = 200, body = wire::Explanation)), security(("token" = ["viewer"])))]
pub async fn explain(
    State(api): State<Api>,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Asked(query): Asked<ExplainQuery>,
) -> Result<Json<wire::Explanation>, Problem> {
    let handle = api.project(&project)?;
    let found = find(&api, &handle, number).await?;
    let now = clock::now().max(found.view.state.last_event_at);
    let at = query.at.as_deref().map(|text| parse_time("at", text)).transpose()?;
    let at = match at {
        Some(at) if at.ms_since(now) > HORIZON_MS => {
            let detail = format!("`at` can be {} days ahead at most", HORIZON_MS / 86_400_000);
            return Err(Problem::invalid("invalid-query", detail));
        }
        Some(at) if at > now => Some(at),
        Some(_) | None => None,
    };
    let gates = api.host.system.view().approved_gates();
    let assumptions = Assumptions { call_ms: query.call_ms.unwrap_or(CALL_MS).clamp(1, 86_400_000), gates };
    // Looking ahead may take many turns.
    let explained = blocking(move || explanation(&found.view.state, &found.deployment, now, at, &assumptions)).await;
    Ok(Json(explained))
}

fn explanation(
    state: &ProjectState,
    deployment: &Deployment,
    now: Timestamp,
    at: Option<Timestamp>,
    assumptions: &Assumptions,
) -> wire::Explanation {
    let number = deployment.number;
    let then = at.map(|at| forecast(state, now, at, assumptions, |_| false).state);
    let state_then = then.as_ref().unwrap_or(state);
    let deployment_then = state_then.deployments.get(&number).map_or(deployment, AsRef::as_ref);
    let (attempt_status, operation_status) = deployment_then.attempt.status();
    wire::Explanation {
        deployment: number,
        at: rfc3339(at.unwrap_or(now)),
        forecast: at.is_some(),
        status: word(deployment_then.attempt.deployment_status()),
        attempt_status: word(attempt_status),
        operation_status: word(operation_status),
        blockers: blockers(state_then, deployment_then, at.unwrap_or(now)).into_iter().map(blocker).collect(),
        earliest_start: earliest_start(state, deployment, now, assumptions).map(rfc3339),
        call_ms: assumptions.call_ms,
    }
}

/// When its turn comes, as things stand.
fn earliest_start(
    state: &ProjectState,
    deployment: &Deployment,
    now: Timestamp,
    assumptions: &Assumptions,
) -> Option<Timestamp> {
    if !deployment.is_waiting() {
        return None;
    }
    let started = |state: &ProjectState| {
        state.deployments.get(&deployment.number).is_none_or(|deployment| !deployment.is_waiting())
    };
    let ahead = forecast(state, now, now.plus_ms(HORIZON_MS), assumptions, started);
    let then = ahead.state.deployments.get(&deployment.number)?;
    let over = matches!(then.attempt.stage, Stage::Finished(_)) && then.attempt.begun_at.is_none();
    (started(&ahead.state) && !over).then_some(ahead.until)
}

fn blocker(blocker: Blocker) -> wire::ExplainedBlocker {
    wire::ExplainedBlocker { code: blocker.code().to_owned(), blocker: views::explained(blocker) }
}
