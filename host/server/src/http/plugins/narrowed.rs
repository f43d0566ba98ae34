//! Where a plugin may do less than it was approved for.

use axum::Json;
use axum::extract::State;
use lockgate_core::definition::listed;
use lockgate_core::name::Name;
use lockgate_core::narrowing::Place;
use lockgate_core::plugin::Limits;
use lockgate_core::system::{SystemCommand, SystemState};

use super::{MOST, grants, resolve, shown};
use crate::driver::blocking;
use crate::http::Api;
use crate::http::auth::Admin;
use crate::http::input::{At, Given};
use crate::http::problem::Problem;
use crate::{clock, wire};

/// Lets a plugin do less than it was approved for, in a project or in one environment. It replaces what was said of
/// that place before, and counts for each digest of that name, also for those that are approved later.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/narrow", tag = "plugins", params(("plugin" = String, Path)),
    request_body = wire::NarrowPlugin,
    responses((status = 200, body = wire::Plugin)), security(("token" = ["admin"])))]
pub async fn narrow(
    State(api): State<Api>,
    Admin(by): Admin,
    At(plugin): At<String>,
    Given(wire::NarrowPlugin { place, grants: asked, reason }): Given<wire::NarrowPlugin>,
) -> Result<Json<wire::Plugin>, Problem> {
    let system = api.host.system.view();
    let name = name_of(&system, &plugin)?;
    let place = read_place(&place)?;
    is_there(&api, &place)?;
    if asked.limits.concurrent_calls.is_some() {
        let why = "`concurrent_calls` counts the calls of all places together; approve the plugin with it instead";
        return Err(Problem::invalid("invalid-grant", why));
    }
    let data = api.host.store.dir().to_owned();
    let as_approved = Limits { concurrent_calls: None, ..MOST };
    let grants = blocking(move || grants(&asked, &data, &as_approved)).await;
    let grants = grants.map_err(|wrong| Problem::invalid("invalid-grant", wrong))?;
    let duties = api.host.duties;
    let command = SystemCommand::NarrowPlugin { plugin: name, place, grants, reason, duties, by };
    api.host.system.send(command, clock::now()).await?;
    shown(&api, &resolve(&system, &plugin)?).map(Json)
}

/// Lets a plugin do in a place what it was approved for. Needs a reason.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/widen", tag = "plugins", params(("plugin" = String, Path)),
    request_body = wire::WidenPlugin,
    responses((status = 200, body = wire::Plugin)), security(("token" = ["admin"])))]
pub async fn widen(
    State(api): State<Api>,
    Admin(by): Admin,
    At(plugin): At<String>,
    Given(wire::WidenPlugin { place, reason }): Given<wire::WidenPlugin>,
) -> Result<Json<wire::Plugin>, Problem> {
    let system = api.host.system.view();
    let (name, place, duties) = (name_of(&system, &plugin)?, read_place(&place)?, api.host.duties);
    let command = SystemCommand::WidenPlugin { plugin: name, place, reason, duties, by };
    api.host.system.send(command, clock::now()).await?;
    shown(&api, &resolve(&system, &plugin)?).map(Json)
}

fn name_of(system: &SystemState, plugin: &str) -> Result<Name, Problem> {
    let digest = resolve(system, plugin)?;
    system.plugins.get(&digest).map(|known| known.name.clone()).ok_or_else(|| super::unknown(system, plugin))
}

fn read_place(text: &str) -> Result<Place, Problem> {
    text.parse().map_err(|error| Problem::invalid("invalid-place", format!("{error}")))
}

/// A typo would narrow nothing, and nobody would see it.
fn is_there(api: &Api, place: &Place) -> Result<(), Problem> {
    let view = api.project(&place.project)?.view();
    let known = &view.state.definition.environments;
    match &place.environment {
        Some(environment) if !known.contains_key(environment) => {
            let (project, known) = (&place.project, listed(known.keys()));
            let why = format!("project `{project}` has no environment `{environment}`; there are: {known}");
            Err(Problem::unknown("unknown-environment", why))
        }
        Some(_) | None => Ok(()),
    }
}
