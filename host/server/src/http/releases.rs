//! Releases: created from the project's definition and its artifacts, started, abandoned and read.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use lockgate_core::definition::Definition;
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, Deploy, DraftEdit, NewRelease, unknown_release};
use lockgate_core::name::{Actor, Name, Tag};
use lockgate_core::plugin::Artifact;
use lockgate_core::release::Release;
use lockgate_core::state::State as ProjectState;
use lockgate_core::status::EnvironmentStatus;
use lockgate_store::Store;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::{Admin, Member};
use super::deployments::{self, find_kept, trigger_key};
use super::input::{Asked, At, Given, IdempotencyKey, PAGE, Whole, parse_name, parse_tag};
use super::problem::Problem;
use super::projects::{self, expect_environment};
use super::views::{self, word};
use crate::driver::{ProjectHandle, blocking};
use crate::wire;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReleasesQuery {
    /// Go on behind the release of this tag: `next` of the page before.
    after: Option<String>,
    /// 1 to 200; 50 when left out.
    limit: Option<usize>,
}

/// Releases, newest first.
#[utoipa::path(get, path = "/v1/projects/{project}/releases", tag = "releases", params(("project" = String, Path), ReleasesQuery),
    responses((status = 200, body = wire::Page<wire::Release>)), security(("token" = ["viewer"])))]
pub async fn list(
    State(api): State<Api>,
    At(project): At<Name>,
    Asked(query): Asked<ReleasesQuery>,
) -> Result<Json<wire::Page<wire::Release>>, Problem> {
    let view = api.project(&project)?.view();
    let after = query.after.as_deref().map(parse_tag).transpose()?;
    let limit = PAGE.in_query(query.limit)?;
    let after =
        after.map(|tag| view.state.releases.get(&tag).ok_or_else(|| unknown_release(&view.state, &tag))).transpose()?;
    Ok(Json(page(&view.state, after.map(AsRef::as_ref), limit)))
}

pub(super) fn page(state: &ProjectState, after: Option<&Release>, limit: usize) -> wire::Page<wire::Release> {
    let age = |release: &Release| (release.created_at, release.tag.clone());
    let mut releases: Vec<&Release> = state.releases.values().map(AsRef::as_ref).collect();
    if let Some(after) = after {
        releases.retain(|release| age(release) < age(after));
    }
    releases.sort_by_key(|release| std::cmp::Reverse(age(release)));
    let next = releases.get(limit).and(releases.get(limit - 1)).map(|last| last.tag.to_string());
    let items = releases.into_iter().take(limit).map(|release| views::release(state, release)).collect();
    wire::Page { items, next }
}

/// One release.
#[utoipa::path(get, path = "/v1/projects/{project}/releases/{tag}", tag = "releases",
    params(("project" = String, Path), ("tag" = String, Path)),
    responses((status = 200, body = wire::Release)), security(("token" = ["viewer"])))]
pub async fn show(State(api): State<Api>, At((project, tag)): At<(Name, Tag)>) -> Result<Json<wire::Release>, Problem> {
    let handle = api.project(&project)?;
    let release = shown(&handle, &tag)?;
    Ok(Json(wire::Release { environments: statuses(&api, &handle, &tag).await?, ..release }))
}

/// How the release stands in each environment, but where its newest deployment is not kept any more.
async fn statuses(api: &Api, handle: &ProjectHandle, tag: &Tag) -> Result<BTreeMap<String, String>, Problem> {
    let view = handle.view();
    let mut statuses = BTreeMap::new();
    for name in view.state.definition.environments.keys() {
        let there = view.state.environments.get(name);
        let status = match there.and_then(|there| there.newest_of.get(tag)) {
            Some(number) => match find_kept(api, handle, *number).await? {
                Some(found) => found.deployment.attempt.environment_status(),
                None => continue,
            },
            None => EnvironmentStatus::NotStarted,
        };
        statuses.insert(name.to_string(), word(status));
    }
    Ok(statuses)
}

fn shown(handle: &ProjectHandle, tag: &Tag) -> Result<wire::Release, Problem> {
    let state = &handle.view().state;
    match state.releases.get(tag) {
        Some(release) => Ok(views::release(state, release)),
        None => Err(unknown_release(state, tag).into()),
    }
}

/// Creates a release, and with `deploy_to` triggers its deployment there.
///
/// Created again with the same content it is the same release, and the same deployment.
#[utoipa::path(post, path = "/v1/projects/{project}/releases", tag = "releases",
    params(("project" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "Of the deployment; the tag, when left out")),
    request_body = wire::NewRelease,
    responses((status = 201, description = "Created", body = wire::Release), (status = 200, description = "It was there already", body = wire::Release)),
    security(("token" = ["member"])))]
pub async fn create(
    State(api): State<Api>,
    Member(actor): Member,
    At(project): At<Name>,
    key: IdempotencyKey,
    Given(new): Given<wire::NewRelease>,
) -> Result<Response, Problem> {
    let handle = api.project(&project)?;
    let deploy_to = deploy_to(&handle.view().state, &new)?;
    let tag = parse_tag(&new.tag)?;
    let artifacts = artifacts(&new)?;
    contents_are_there(&api.host.store, &artifacts).await?;
    let command = Command::CreateRelease(NewRelease {
        tag: tag.clone(),
        description: new.description,
        artifacts,
        draft: new.draft,
        approved: api.host.system.view().approved(&project),
        by: actor.clone(),
    });
    let is_new = !handle.send(command).await?.events.is_empty();
    let deployment = match deploy_to {
        Some(environment) => {
            let flags = Flags { allow_destructive: new.allow_destructive, ..Flags::default() };
            Some(deploy(&handle, &tag, To { environment, flags }, key, actor).await?)
        }
        None => None,
    };
    let release = wire::Release { deployment, ..shown(&handle, &tag)? };
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let location = format!("/v1/projects/{project}/releases/{tag}");
    Ok((status, [(header::LOCATION, location)], Json(release)).into_response())
}

/// Found wrong before the release is made, not after.
fn deploy_to(state: &ProjectState, new: &wire::NewRelease) -> Result<Option<Name>, Problem> {
    let Some(environment) = &new.deploy_to else { return Ok(None) };
    if new.draft {
        return Err(Problem::invalid(
            "draft-cannot-be-deployed",
            "a draft cannot be deployed; leave out `draft` or `deploy_to`",
        ));
    }
    let environment = parse_name("deploy_to", environment)?;
    expect_environment(state, &environment)?;
    Ok(Some(environment))
}

fn artifacts(new: &wire::NewRelease) -> Result<Vec<Artifact>, Problem> {
    let artifact = |(index, artifact): (usize, &wire::Artifact)| {
        let digest: Digest = artifact
            .digest
            .parse()
            .map_err(|error| Problem::invalid("invalid-body", format!("`artifacts[{index}].digest`: {error}")))?;
        if artifact.name.is_empty() {
            return Err(Problem::invalid("invalid-body", format!("`artifacts[{index}].name` is empty")));
        }
        let wire::Artifact { name, digest: _, uri, media_type, build_id, stack, application, metadata } =
            artifact.clone();
        Ok(Artifact { name, uri, digest, media_type, build_id, stack, application, metadata })
    };
    new.artifacts.iter().enumerate().map(artifact).collect()
}

/// A release must not name content that nobody has: what lies elsewhere says where.
async fn contents_are_there(store: &Store, artifacts: &[Artifact]) -> Result<(), Problem> {
    let here: Vec<(String, Digest)> = artifacts
        .iter()
        .filter(|artifact| artifact.uri.is_empty())
        .map(|artifact| (artifact.name.clone(), artifact.digest))
        .collect();
    let blobs = store.blobs().clone();
    let missing = blocking(move || here.into_iter().find(|(_, digest)| !blobs.contains(*digest))).await;
    match missing {
        None => Ok(()),
        Some((name, digest)) => {
            let detail = format!(
                "the content of artifact `{name}` ({digest}) is not here; upload it with `lockgate artifact push`, or give its `uri`"
            );
            Err(Problem::invalid("artifact-missing", detail))
        }
    }
}

struct To {
    environment: Name,
    flags: Flags,
}

async fn deploy(
    handle: &ProjectHandle,
    tag: &Tag,
    To { environment, flags }: To,
    key: IdempotencyKey,
    actor: Actor,
) -> Result<u64, Problem> {
    let allowed = if flags.allow_destructive { ", whatever it deletes" } else { "" };
    let (route, request) = (format!("releases/{environment}"), format!("{tag} to {environment}{allowed}"));
    let key = match key {
        IdempotencyKey(None) => {
            // A creation that is repeated must not deploy twice, whoever repeats it and with which token.
            let key = IdempotencyKey(Some(tag.to_string()));
            deployments::trigger_key_in(route, key, &request)
        }
        key => trigger_key(&actor, &route, key, &request),
    };
    let deploy = Deploy {
        key,
        environment,
        release: tag.clone(),
        deployment_type: DeploymentType::Full,
        flags,
        selections: Vec::new(),
        input: serde_json::Value::Null,
        not_before: None,
        comment: String::new(),
        workflow: None,
        by: actor,
    };
    let triggered = deployments::trigger(handle, deploy.key.clone(), Command::Deploy(deploy)).await;
    let triggered = triggered.map_err(|problem| problem.after(&format!("release `{tag}` was created")))?;
    Ok(triggered.number)
}

/// Gives a draft workflows and endpoints of its own, as a project file writes them; the project's stay as they are.
///
/// It must be a whole and valid file of this project; nothing else of it counts. A draft that is created again keeps them.
#[utoipa::path(put, path = "/v1/projects/{project}/releases/{tag}/definition", tag = "releases",
    params(("project" = String, Path), ("tag" = String, Path)),
    request_body(content = String, content_type = "application/yaml"),
    responses((status = 200, body = wire::Release)), security(("token" = ["admin"])))]
pub async fn edit(
    State(api): State<Api>,
    Admin(by): Admin,
    At((project, tag)): At<(Name, Tag)>,
    Whole(body): Whole,
) -> Result<Json<wire::Release>, Problem> {
    let handle = api.project(&project)?;
    let Definition { workflows, endpoints, .. } = projects::read_for(&api.host, &handle, body).await?;
    let approved = api.host.system.view().approved(&project);
    handle.send(Command::EditDraft(DraftEdit { tag: tag.clone(), workflows, endpoints, approved, by })).await?;
    shown(&handle, &tag).map(Json)
}

/// Starts a draft: from now on nothing in it changes.
#[utoipa::path(post, path = "/v1/projects/{project}/releases/{tag}/start", tag = "releases",
    params(("project" = String, Path), ("tag" = String, Path)), request_body = wire::Nothing,
    responses((status = 200, body = wire::Release)), security(("token" = ["member"])))]
pub async fn start(
    State(api): State<Api>,
    Member(by): Member,
    At((project, tag)): At<(Name, Tag)>,
    Given(wire::Nothing {}): Given<wire::Nothing>,
) -> Result<Json<wire::Release>, Problem> {
    let handle = api.project(&project)?;
    handle.send(Command::ActivateRelease { tag: tag.clone(), by }).await?;
    shown(&handle, &tag).map(Json)
}

/// Abandons a release for good: it cannot be deployed any more.
#[utoipa::path(post, path = "/v1/projects/{project}/releases/{tag}/abandon", tag = "releases",
    params(("project" = String, Path), ("tag" = String, Path)), request_body = wire::Nothing,
    responses((status = 200, body = wire::Release)), security(("token" = ["member"])))]
pub async fn abandon(
    State(api): State<Api>,
    Member(by): Member,
    At((project, tag)): At<(Name, Tag)>,
    Given(wire::Nothing {}): Given<wire::Nothing>,
) -> Result<Json<wire::Release>, Problem> {
    let handle = api.project(&project)?;
    handle.send(Command::AbandonRelease { tag: tag.clone(), by }).await?;
    shown(&handle, &tag).map(Json)
}
