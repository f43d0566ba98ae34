//! What is there in an environment, and whether it is as it was asked for: resource by resource, or by application.

use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use lockgate_core::environment::EnvironmentState;
use lockgate_core::handle::expect_application;
use lockgate_core::name::Name;
use lockgate_core::resource::{Resource, Version, of_application};
use lockgate_core::state::State as ProjectState;
use lockgate_core::sync::{ApplicationSync, ToCome, application_sync};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::input::{Asked, At, Limit};
use super::problem::Problem;
use super::projects::expect_environment;
use super::views::word;
use crate::clock::rfc3339;
use crate::driver::View;
use crate::wire;

const PAGE: Limit = Limit { usual: 200, most: 1_000 };
/// Of those that are out of sync, by application.
const MOST_NAMED: usize = 20;
/// A client asks again after it; what stands between them closes a silent connection later.
const LONGEST_WAIT: Duration = Duration::from_secs(25);

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResourcesQuery {
    /// Of this application only.
    #[param(value_type = Option<String>)]
    application: Option<Name>,
    /// `next` of the page before.
    after: Option<String>,
    /// 1 to 1000; 200 when left out.
    limit: Option<usize>,
}

/// ResourceStatus: each resource that a plan or an observation has named, with what was asked of it and what is there.
#[utoipa::path(get, path = "/v1/projects/{project}/environments/{environment}/resources", tag = "projects",
    params(("project" = String, Path), ("environment" = String, Path), ResourcesQuery),
    responses((status = 200, body = wire::Page<wire::ResourceStatus>)), security(("token" = ["viewer"])))]
pub async fn list(
    State(api): State<Api>,
    At((project, environment)): At<(Name, Name)>,
    Asked(query): Asked<ResourcesQuery>,
) -> Result<Json<wire::Page<wire::ResourceStatus>>, Problem> {
    let view = api.project(&project)?.view();
    let there = there(&view.state, &environment)?;
    if let Some(application) = &query.application {
        expect_application(&view.state, application.as_str())?;
    }
    let limit = PAGE.in_query(query.limit)?;
    let from = query.after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
    let behind = there.resources.range::<_, String>((from, Bound::Unbounded));
    let of = |resource: &Resource| query.application.as_ref().is_none_or(|name| resource.application == name.as_str());
    let mut found = behind.filter(|(_, resource)| of(resource));
    let to_come = ToCome::of(&view.state, &there);
    let (mut items, mut last) = (Vec::new(), None);
    for (key, resource) in found.by_ref().take(limit) {
        items.push(status(resource, &to_come));
        last = Some(key.clone());
    }
    let next = found.next().and(last);
    Ok(Json(wire::Page { items, next }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApplicationsQuery {
    /// `sequence` of the answer before: answered when something has happened in the project since, or after 25 seconds.
    after: Option<u64>,
}

/// Whether each application is as the environment wants it, and who is on the way to change that.
#[utoipa::path(get, path = "/v1/projects/{project}/environments/{environment}/applications", tag = "projects",
    params(("project" = String, Path), ("environment" = String, Path), ApplicationsQuery),
    responses((status = 200, body = wire::Applications)), security(("token" = ["viewer"])))]
pub async fn applications(
    State(api): State<Api>,
    At((project, environment)): At<(Name, Name)>,
    Asked(query): Asked<ApplicationsQuery>,
) -> Result<Json<wire::Applications>, Problem> {
    let _place = query.after.map(|_| api.keep_open()).transpose()?;
    let handle = api.project(&project)?;
    let mut views = handle.views();
    let waited = tokio::time::sleep(LONGEST_WAIT);
    tokio::pin!(waited);
    loop {
        // Before the look: what is committed from now on wakes us again.
        let view = views.borrow_and_update().clone();
        let answer = applications_of(&view, &environment)?;
        if query.after.is_none_or(|after| view.sequence > after) {
            return Ok(Json(answer));
        }
        tokio::select! {
            changed = views.changed() => if changed.is_err() { return Ok(Json(answer)) },
            () = &mut waited => return Ok(Json(answer)),
            () = api.stopping.cancelled() => return Ok(Json(answer)),
        }
    }
}

fn applications_of(view: &View, environment: &Name) -> Result<wire::Applications, Problem> {
    let there = there(&view.state, environment)?;
    let to_come = ToCome::of(&view.state, &there);
    let applications = &view.state.definition.applications;
    let items = applications.iter().map(|name| application(&view.state, &there, name, &to_come)).collect();
    Ok(wire::Applications { sequence: view.sequence, items })
}

fn application(
    state: &ProjectState,
    there: &EnvironmentState,
    name: &Name,
    to_come: &ToCome<'_>,
) -> wire::ApplicationStatus {
    let sync = application_sync(state, there, name);
    let observed_at = of_application(&there.resources, name).filter_map(|resource| resource.observed_at).max();
    let ApplicationSync { wanted, live, current, under_way, resources, out_of_sync } = &sync;
    wire::ApplicationStatus {
        application: name.to_string(),
        sync: word(sync.sync()),
        wanted: wanted.map(ToString::to_string),
        live: live.map(|live| live.release.to_string()),
        current: current.map(|current| current.release.to_string()),
        under_way: under_way.clone(),
        resources: *resources,
        resources_out_of_sync: out_of_sync.len(),
        out_of_sync: out_of_sync.iter().take(MOST_NAMED).map(|resource| status(resource, to_come)).collect(),
        observed_at: observed_at.map(rfc3339),
    }
}

fn there(state: &ProjectState, environment: &Name) -> Result<Arc<EnvironmentState>, Problem> {
    expect_environment(state, environment)?;
    Ok(state.environment(environment))
}

fn status(resource: &Resource, to_come: &ToCome<'_>) -> wire::ResourceStatus {
    let version = |version: &Option<Version>| version.as_ref().map(|version| version.version.clone());
    let url = |version: &Option<Version>| version.as_ref().map(|version| version.artifact_uri.clone());
    let said = |url: &String| !url.is_empty();
    wire::ResourceStatus {
        application: resource.application.clone(),
        resource_type: resource.kind.clone(),
        resource_name: resource.name.clone(),
        current_version: version(&resource.current),
        live_version: version(&resource.live),
        current_artifact_url: url(&resource.current).filter(said),
        live_artifact_url: url(&resource.live).filter(said),
        sync: word(resource.sync()),
        release_status: word(to_come.status(resource)),
        health: word(resource.health),
        weight_percent: resource.weight_percent,
        deployment: resource.deployment,
        observed_at: resource.observed_at.map(rfc3339),
    }
}
