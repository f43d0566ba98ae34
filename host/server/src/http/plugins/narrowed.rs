//! Where a plugin may do less than it was approved for.

use axum::Json;
use axum::extract::State;
use lockgate_core::definition::listed;
use lockgate_core::name::Name;
use lockgate_core::narrowing::Scope;
use lockgate_core::plugin::Limits;
use lockgate_core::system::{NarrowPlugin, SystemCommand, SystemState, WidenPlugin};

use super::tools::MOST as MOST_OF_TOOL;
use super::{MOST, grants, resolve};
use crate::driver::blocking;
use crate::http::Api;
use crate::http::auth::Admin;
use crate::http::input::{At, Given};
use crate::http::problem::Problem;
use crate::http::views;
use crate::{clock, wire};

/// Says the most that a plugin may do in a project or in one environment, of what it was approved for. It replaces what
/// was said of that scope before, and counts for each digest of that name, also for those that are approved later.
/// Guests that run go on as they are.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/narrow", tag = "plugins", params(("plugin" = String, Path)),
    request_body = wire::NarrowPlugin,
    responses((status = 200, body = wire::Page<wire::NarrowedPlugin>)), security(("token" = ["admin"])))]
pub async fn narrow(
    State(api): State<Api>,
    Admin(by): Admin,
    At(plugin): At<String>,
    Given(wire::NarrowPlugin { scope, grants: asked, reason }): Given<wire::NarrowPlugin>,
) -> Result<Json<wire::Page<wire::NarrowedPlugin>>, Problem> {
    let system = api.host.system.view();
    let name = name_of(&system, &plugin)?;
    let scope = read_scope(&scope)?;
    is_there(&api, &scope)?;
    if asked.limits.concurrent_calls.is_some() {
        let why = "`concurrent_calls` counts a plugin's calls everywhere together; approve the plugin with it instead";
        return Err(Problem::invalid("invalid-grant", why));
    }
    let data = api.host.store.dir().to_owned();
    let as_approved = Limits { concurrent_calls: None, ..MOST };
    let grants = blocking(move || grants(&asked, &data, &as_approved, &MOST_OF_TOOL)).await;
    let grants = grants.map_err(|wrong| Problem::invalid("invalid-grant", wrong))?;
    let duties = api.host.duties;
    let command = SystemCommand::NarrowPlugin(NarrowPlugin { plugin: name.clone(), scope, grants, reason, duties, by });
    let after = api.host.system.send(command, clock::now()).await?;
    Ok(Json(wire::Page { items: views::narrowed(&after, &name), next: None }))
}

/// Lets a plugin do in a scope what it was approved for. Needs a reason.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/widen", tag = "plugins", params(("plugin" = String, Path)),
    request_body = wire::WidenPlugin,
    responses((status = 200, body = wire::Page<wire::NarrowedPlugin>)), security(("token" = ["admin"])))]
pub async fn widen(
    State(api): State<Api>,
    Admin(by): Admin,
    At(plugin): At<String>,
    Given(wire::WidenPlugin { scope, reason }): Given<wire::WidenPlugin>,
) -> Result<Json<wire::Page<wire::NarrowedPlugin>>, Problem> {
    let system = api.host.system.view();
    let (name, scope, duties) = (name_of(&system, &plugin)?, read_scope(&scope)?, api.host.duties);
    let command = SystemCommand::WidenPlugin(WidenPlugin { plugin: name.clone(), scope, reason, duties, by });
    let after = api.host.system.send(command, clock::now()).await?;
    Ok(Json(wire::Page { items: views::narrowed(&after, &name), next: None }))
}

/// Also of one that was removed: what narrows it is still there.
fn name_of(system: &SystemState, plugin: &str) -> Result<Name, Problem> {
    if let Some(name) = plugin.parse::<Name>().ok().filter(|name| system.narrowed.contains_key(name)) {
        return Ok(name);
    }
    let digest = resolve(system, plugin)?;
    system.plugins.get(&digest).map(|known| known.name.clone()).ok_or_else(|| super::unknown(system, plugin))
}

fn read_scope(text: &str) -> Result<Scope, Problem> {
    text.parse().map_err(|error| Problem::invalid("invalid-scope", format!("{error}")))
}

/// A typo would narrow nothing, and nobody would see it.
fn is_there(api: &Api, scope: &Scope) -> Result<(), Problem> {
    let view = api.project(&scope.project)?.view();
    let known = &view.state.definition.environments;
    match &scope.environment {
        Some(environment) if !known.contains_key(environment) => {
            let (project, known) = (&scope.project, listed(known.keys()));
            let why = format!("project `{project}` has no environment `{environment}`; there are: {known}");
            Err(Problem::unknown("unknown-environment", why))
        }
        Some(_) | None => Ok(()),
    }
}
