//! What is triggered by name: an endpoint starts a workflow of whatever release is live.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use lockgate_core::definition::listed;
use lockgate_core::handle::Command;
use lockgate_core::name::Name;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::Api;
use super::auth::Member;
use super::deployments::{accepted, find, trigger, trigger_key};
use super::input::{Asked, At, Given, IdempotencyKey};
use super::problem::Problem;
use super::wait;
use crate::driver::ProjectHandle;
use crate::wire;

const ENVIRONMENT: &str = "X-Environment";

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TriggerQuery {
    /// Wait for its end, 300 seconds at most, and answer with its outputs.
    wait: Option<u64>,
}

/// Starts the workflow of an endpoint, as the environment's live release defines it, with the body as its input.
///
/// Switching the live release switches what the endpoint does. With `wait`, the answer is 200 with the outputs of its
/// phases when it ends in time.
#[utoipa::path(post, path = "/v1/trigger/{endpoint}", tag = "deployments",
    params(("endpoint" = String, Path), TriggerQuery,
        ("X-Environment" = String, Header, description = "`ENVIRONMENT`, or `PROJECT/ENVIRONMENT` where several projects have one of that name"),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeated with this key and body, it is done once")),
    request_body = Object,
    responses((status = 202, description = "Triggered", body = wire::Deployment), (status = 200, description = "It was, by this key; or its outputs", body = wire::EndpointAnswer)),
    security(("token" = ["member"])))]
pub async fn call(
    State(api): State<Api>,
    Member(by): Member,
    At(endpoint): At<Name>,
    Asked(query): Asked<TriggerQuery>,
    headers: HeaderMap,
    key: IdempotencyKey,
    Given(input): Given<Value>,
) -> Result<Response, Problem> {
    let wait = wait::in_query(&api, query.wait)?;
    let (handle, environment) = place(&api, headers.get(ENVIRONMENT).and_then(|value| value.to_str().ok()))?;
    let key = trigger_key(&by, &format!("{environment}/trigger/{endpoint}"), key, &input);
    let caller = by.clone();
    let command = Command::CallEndpoint { endpoint, environment, input, key: key.clone(), by };
    let triggered = trigger(&handle, key, command).await?;
    let Some(wait) = wait else { return accepted(&api, &handle, triggered).await };
    let number = triggered.number;
    // Whether it has ended or not, the answer says how it is.
    let ended = wait::for_end_of((&handle, number), wait, (&api, &caller)).await;
    let ended = ended.map_err(|refused| refused.after(&format!("deployment {number} was triggered")))?;
    let found = find(&api, &handle, number).await?;
    let outputs = ended.then(|| serde_json::to_value(found.deployment.outputs()).unwrap_or_default());
    let status = if ended { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, Json(wire::EndpointAnswer { deployment: found.shown(), outputs })).into_response())
}

/// `shop/production`, or `production` where one project has it.
fn place(api: &Api, header: Option<&str>) -> Result<(ProjectHandle, Name), Problem> {
    let named = header.ok_or_else(|| {
        let detail = format!("say with the header `{ENVIRONMENT}` which environment's live release is meant");
        Problem::invalid("environment-missing", detail)
    })?;
    let parsed = |text: &str| {
        text.trim()
            .parse::<Name>()
            .map_err(|error| Problem::invalid("invalid-header", format!("`{ENVIRONMENT}`: {error}")))
    };
    if let Some((project, environment)) = named.split_once('/') {
        return Ok((api.project(&parsed(project)?)?, parsed(environment)?));
    }
    let environment = parsed(named)?;
    let has_it = |name: &Name| {
        let handle = api.host.project(name)?;
        let there = handle.view().state.definition.environments.contains_key(&environment);
        there.then_some((name.clone(), handle))
    };
    let mut found: Vec<(Name, ProjectHandle)> = api.host.project_names().iter().filter_map(has_it).collect();
    match (found.pop(), found.len()) {
        (Some((_, handle)), 0) => Ok((handle, environment)),
        (Some((last, _)), _) => {
            let all = listed(found.iter().map(|(name, _)| name).chain([&last]));
            let detail =
                format!("several projects have an environment `{environment}`: {all}; write `PROJECT/{environment}`");
            Err(Problem::invalid("environment-ambiguous", detail))
        }
        (None, _) => {
            let detail = format!("no project has an environment `{environment}`");
            Err(Problem::unknown("unknown-environment", detail))
        }
    }
}
