//! What plugins keep in an environment between deployments: what is there, and how it goes. Values are theirs and are
//! not shown.

use axum::Json;
use axum::extract::State;
use lockgate_core::handle::Command;
use lockgate_core::kept::{ClearState, Entry};
use lockgate_core::name::Name;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::Admin;
use super::input::{Asked, At, Given, Limit};
use super::problem::Problem;
use super::projects::expect_environment;
use crate::wire;

const PAGE: Limit = Limit { usual: 200, most: 1_000 };

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KeptQuery {
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 1000; 200 when left out.
    limit: Option<usize>,
}

/// The keys that plugins have values at, without these.
#[utoipa::path(get, path = "/v1/projects/{project}/environments/{environment}/state", tag = "operations",
    params(("project" = String, Path), ("environment" = String, Path), KeptQuery),
    responses((status = 200, body = wire::Page<wire::KeptState>)), security(("token" = ["viewer"])))]
pub async fn list(
    State(api): State<Api>,
    At((project, environment)): At<(Name, Name)>,
    Asked(query): Asked<KeptQuery>,
) -> Result<Json<wire::Page<wire::KeptState>>, Problem> {
    let view = api.project(&project)?.view();
    let kept = view.state.environment(&environment).kept.clone();
    // One that has left the project file may have left something.
    if kept.is_empty() {
        expect_environment(&view.state, &environment)?;
    }
    let all = kept.iter().flat_map(|(namespace, there)| there.iter().map(move |(key, entry)| (namespace, key, entry)));
    let place = |namespace: &Name, key: &str| format!("{namespace}/{key}");
    let is_behind =
        |namespace: &Name, key: &str| query.after.as_ref().is_none_or(|after| place(namespace, key) > *after);
    let mut found: Vec<_> = all.filter(|(namespace, key, _)| is_behind(namespace, key)).collect();
    found.sort_by_cached_key(|(namespace, key, _)| place(namespace, key));
    let limit = PAGE.in_query(query.limit)?;
    let next = found.get(limit).and(found.get(limit - 1)).map(|(namespace, key, _)| place(namespace, key));
    let items = found.into_iter().take(limit).map(|(namespace, key, entry)| shown(namespace, key, entry)).collect();
    Ok(Json(wire::Page { items, next }))
}

fn shown(namespace: &Name, key: &str, Entry { value, version, by }: &Entry) -> wire::KeptState {
    wire::KeptState {
        namespace: namespace.to_string(),
        key: key.to_owned(),
        bytes: value.len(),
        version: *version,
        written_by: *by,
    }
}

/// Clears one key of a namespace, or all of it; only while no deployment has its turn there. Needs a reason.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/state/clear", tag = "operations",
    params(("project" = String, Path), ("environment" = String, Path)), request_body = wire::ClearState,
    responses((status = 200, body = wire::ClearedState)), security(("token" = ["admin"])))]
pub async fn clear(
    State(api): State<Api>,
    Admin(by): Admin,
    At((project, environment)): At<(Name, Name)>,
    Given(wire::ClearState { namespace, key, reason }): Given<wire::ClearState>,
) -> Result<Json<wire::ClearedState>, Problem> {
    let namespace: Name =
        namespace.parse().map_err(|error| Problem::invalid("invalid-name", format!("the namespace: {error}")))?;
    let handle = api.project(&project)?;
    let there = handle.view().state.environment(&environment).kept.get(&namespace).cloned().unwrap_or_default();
    let cleared = if key.is_some() { 1 } else { there.len() };
    let command = Command::ClearState(ClearState { environment, namespace, key, reason, by });
    handle.send(command).await?;
    Ok(Json(wire::ClearedState { cleared }))
}
