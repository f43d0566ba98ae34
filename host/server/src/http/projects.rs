//! Projects: put there by their file, and read with their environments.

use std::collections::BTreeSet;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use lockgate_core::definition::Definition;
use lockgate_core::handle::{Rejection, unknown_environment};
use lockgate_core::name::Name;
use lockgate_core::plugin::{Issue, Kind};
use lockgate_core::state::State as ProjectState;
use lockgate_core::system::SystemState;

use super::Api;
use super::auth::Admin;
use super::input::{At, Whole};
use super::problem::Problem;
use super::views;
use crate::clock;
use crate::driver::{Applied, Host, ProjectHandle, blocking};
use crate::project_file::{self, Mistakes, ProjectFile};
use crate::wire;

/// All projects.
#[utoipa::path(get, path = "/v1/projects", tag = "projects",
    responses((status = 200, body = wire::Page<wire::Project>)), security(("token" = ["viewer"])))]
pub async fn list(State(api): State<Api>) -> Json<wire::Page<wire::Project>> {
    let handles = api.host.project_names().into_iter().filter_map(|name| api.host.project(&name));
    let items = handles.map(|handle| views::project(&handle.view().state)).collect();
    Json(wire::Page { items, next: None })
}

/// One project with its environments.
#[utoipa::path(get, path = "/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = wire::Project)), security(("token" = ["viewer"])))]
pub async fn show(State(api): State<Api>, At(project): At<Name>) -> Result<Json<wire::Project>, Problem> {
    Ok(Json(views::project(&api.project(&project)?.view().state)))
}

/// Makes the project what its file says: creates it, or changes its definition. Releases keep what they pinned.
///
/// The body is the text of the project file. Refused with all of its `mistakes`, each with its line. `warnings` say what
/// will stop a release or an approval as the host is now.
#[utoipa::path(put, path = "/v1/projects/{project}", tag = "projects", params(("project" = String, Path)),
    request_body(content = String, content_type = "application/yaml", description = "The project file, `lockgate.yaml`"),
    responses((status = 200, body = wire::AppliedProject), (status = 201, description = "Created", body = wire::AppliedProject)),
    security(("token" = ["admin"])))]
pub async fn put(
    State(api): State<Api>,
    Admin(actor): Admin,
    At(project): At<Name>,
    Whole(body): Whole,
) -> Result<(StatusCode, Json<wire::AppliedProject>), Problem> {
    let definition = read(&api.host, &project, body, Definition::clone).await?;
    let Applied { project, is_new, changes } = api.host.apply(project, definition, actor).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(views::applied(&project.view().state, &api.host.system.view(), changes, clock::now()))))
}

/// Off the threads that serve requests: a file may be long, and may be made to be slow.
async fn read(
    host: &Host,
    project: &Name,
    body: Bytes,
    meant: impl FnOnce(&Definition) -> Definition,
) -> Result<Definition, Problem> {
    let text =
        String::from_utf8(body.to_vec()).map_err(|_| Problem::invalid("not-text", "a project file is UTF-8 text"))?;
    let (parsed, text) = blocking(move || (project_file::parse(&text), text)).await;
    let file = parsed?;
    let mut issues = misnamed(&file, project);
    let definition = meant(&file.definition);
    // Only where it is not the file's own: that has none.
    let in_place = |issue: Issue| Issue { message: format!("{}, in the project as it is", issue.message), ..issue };
    issues.extend(project_file::problems_of_the_whole(&definition).into_iter().map(in_place));
    issues.extend(wrong_kinds(&host.system.view(), &definition));
    issues.extend(host.validate_configs(&definition).await);
    if issues.is_empty() {
        return Ok(definition);
    }
    Err(blocking(move || Mistakes::from_issues(&text, issues)).await.into())
}

/// Its workflows and endpoints, in what the project is otherwise.
pub(super) async fn read_for(host: &Host, handle: &ProjectHandle, body: Bytes) -> Result<Definition, Problem> {
    let view = handle.view();
    let present = |file: &Definition| Definition {
        workflows: file.workflows.clone(),
        endpoints: file.endpoints.clone(),
        ..Definition::clone(&view.state.definition)
    };
    read(host, &view.state.project.name, body, present).await
}

fn misnamed(file: &ProjectFile, project: &Name) -> Vec<Issue> {
    if file.project == *project {
        return Vec::new();
    }
    let message = format!("this is the file of `{}`, and it was sent to `{project}`", file.project);
    vec![Issue { path: "/project".to_owned(), message }]
}

/// Plugins in places that take another kind. One that is not here yet may still come with the right one.
fn wrong_kinds(system: &SystemState, definition: &Definition) -> Vec<Issue> {
    let mut issues = Vec::new();
    for (place, used) in definition.plugin_uses() {
        let kinds = kinds(system, used.plugin);
        if !kinds.is_empty() && !kinds.contains(&used.kind) {
            let (plugin, needed) = (used.plugin, used.kind);
            let message = format!("`{plugin}` is for a {}, and this place needs one for a {needed}", either(&kinds));
            issues.push(Issue { path: format!("{place}/plugin"), message });
        }
    }
    issues
}

/// Of the one that serves under this name; of all that were added when none does.
fn kinds(system: &SystemState, name: &Name) -> BTreeSet<Kind> {
    match system.active.get(name).and_then(|digest| system.plugins.get(digest)) {
        Some(active) => BTreeSet::from([active.kind]),
        None => system.plugins.values().filter(|plugin| plugin.name == *name).map(|plugin| plugin.kind).collect(),
    }
}

fn either(kinds: &BTreeSet<Kind>) -> String {
    kinds.iter().map(Kind::to_string).collect::<Vec<_>>().join(" or ")
}

/// What is live, current and waiting in each environment.
#[utoipa::path(get, path = "/v1/projects/{project}/environments", tag = "projects", params(("project" = String, Path)),
    responses((status = 200, body = wire::Page<wire::Environment>)), security(("token" = ["viewer"])))]
pub async fn environments(
    State(api): State<Api>,
    At(project): At<Name>,
) -> Result<Json<wire::Page<wire::Environment>>, Problem> {
    let view = api.project(&project)?.view();
    Ok(Json(wire::Page { items: views::environments(&view.state), next: None }))
}

/// What is live, current and waiting in one environment.
#[utoipa::path(get, path = "/v1/projects/{project}/environments/{environment}", tag = "projects",
    params(("project" = String, Path), ("environment" = String, Path)),
    responses((status = 200, body = wire::Environment)), security(("token" = ["viewer"])))]
pub async fn environment(
    State(api): State<Api>,
    At((project, environment)): At<(Name, Name)>,
) -> Result<Json<wire::Environment>, Problem> {
    let view = api.project(&project)?.view();
    expect_environment(&view.state, &environment)?;
    Ok(Json(views::environment(&view.state, &environment)))
}

pub fn expect_environment(state: &ProjectState, environment: &Name) -> Result<(), Rejection> {
    if state.definition.environments.contains_key(environment) {
        return Ok(());
    }
    Err(unknown_environment(state, environment))
}
