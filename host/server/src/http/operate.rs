//! What operators say about a project and its environments: pauses, promotion, expiry, and broken glass.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use lockgate_core::deployment::Flags;
use lockgate_core::handle::{Command, Expiry, PauseScope};
use lockgate_core::name::{DeploymentNumber, Name};

use super::Api;
use super::auth::{Admin, Member};
use super::deployments::{accepted, answer, trigger, trigger_key};
use super::input::{At, Given, IdempotencyKey, parse_name, parse_time};
use super::problem::Problem;
use super::views;
use crate::wire;

// ---- pauses ----

/// Pauses the project: nothing starts but rollbacks. Triggers are taken and wait; what is under way goes on.
#[utoipa::path(post, path = "/v1/projects/{project}/pause", tag = "operations", params(("project" = String, Path)),
    request_body = wire::Reason, responses((status = 200, body = wire::Project)), security(("token" = ["member"])))]
pub async fn pause_project(
    State(api): State<Api>,
    Member(by): Member,
    At(project): At<Name>,
    Given(wire::Reason { reason }): Given<wire::Reason>,
) -> Result<Json<wire::Project>, Problem> {
    tell_project(&api, &project, Command::Pause { scope: PauseScope::Project, reason, by }).await
}

/// Goes on, in order.
#[utoipa::path(post, path = "/v1/projects/{project}/resume", tag = "operations", params(("project" = String, Path)),
    request_body = wire::Nothing, responses((status = 200, body = wire::Project)), security(("token" = ["member"])))]
pub async fn resume_project(
    State(api): State<Api>,
    Member(by): Member,
    At(project): At<Name>,
    Given(wire::Nothing {}): Given<wire::Nothing>,
) -> Result<Json<wire::Project>, Problem> {
    tell_project(&api, &project, Command::Resume { scope: PauseScope::Project, by }).await
}

async fn tell_project(api: &Api, project: &Name, command: Command) -> Result<Json<wire::Project>, Problem> {
    let handle = api.project(project)?;
    handle.send(command).await?;
    Ok(Json(views::project(&handle.view().state)))
}

/// Pauses an environment.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/pause", tag = "operations",
    params(("project" = String, Path), ("environment" = String, Path)), request_body = wire::Reason,
    responses((status = 200, body = wire::Environment)), security(("token" = ["member"])))]
pub async fn pause(
    State(api): State<Api>,
    Member(by): Member,
    At((project, environment)): At<(Name, Name)>,
    Given(wire::Reason { reason }): Given<wire::Reason>,
) -> Result<Json<wire::Environment>, Problem> {
    let scope = PauseScope::Environment(environment.clone());
    tell(&api, &project, &environment, Command::Pause { scope, reason, by }).await
}

/// Goes on in an environment, in order.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/resume", tag = "operations",
    params(("project" = String, Path), ("environment" = String, Path)), request_body = wire::Nothing,
    responses((status = 200, body = wire::Environment)), security(("token" = ["member"])))]
pub async fn resume(
    State(api): State<Api>,
    Member(by): Member,
    At((project, environment)): At<(Name, Name)>,
    Given(wire::Nothing {}): Given<wire::Nothing>,
) -> Result<Json<wire::Environment>, Problem> {
    let scope = PauseScope::Environment(environment.clone());
    tell(&api, &project, &environment, Command::Resume { scope, by }).await
}

/// Pauses the schedule of an environment, and nothing else there.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/schedule/pause", tag = "operations",
    params(("project" = String, Path), ("environment" = String, Path)), request_body = wire::Reason,
    responses((status = 200, body = wire::Environment)), security(("token" = ["member"])))]
pub async fn pause_schedule(
    State(api): State<Api>,
    Member(by): Member,
    At((project, environment)): At<(Name, Name)>,
    Given(wire::Reason { reason }): Given<wire::Reason>,
) -> Result<Json<wire::Environment>, Problem> {
    let scope = PauseScope::Schedule(environment.clone());
    tell(&api, &project, &environment, Command::Pause { scope, reason, by }).await
}

/// Goes on with the schedule of an environment. What it missed is not made up for.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/schedule/resume", tag = "operations",
    params(("project" = String, Path), ("environment" = String, Path)), request_body = wire::Nothing,
    responses((status = 200, body = wire::Environment)), security(("token" = ["member"])))]
pub async fn resume_schedule(
    State(api): State<Api>,
    Member(by): Member,
    At((project, environment)): At<(Name, Name)>,
    Given(wire::Nothing {}): Given<wire::Nothing>,
) -> Result<Json<wire::Environment>, Problem> {
    let scope = PauseScope::Schedule(environment.clone());
    tell(&api, &project, &environment, Command::Resume { scope, by }).await
}

async fn tell(
    api: &Api,
    project: &Name,
    environment: &Name,
    command: Command,
) -> Result<Json<wire::Environment>, Problem> {
    let handle = api.project(project)?;
    handle.send(command).await?;
    Ok(Json(views::environment(&handle.view().state, environment)))
}

// ---- promotion and expiry ----

/// Takes what is live in the environment before to this one.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/promote", tag = "deployments",
    params(("project" = String, Path), ("environment" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeated with this key and body, it is done once")),
    request_body = wire::Promote,
    responses((status = 202, description = "Triggered", body = wire::Deployment), (status = 200, description = "It was, by this key", body = wire::Deployment)),
    security(("token" = ["member"])))]
pub async fn promote(
    State(api): State<Api>,
    Member(by): Member,
    At((project, environment)): At<(Name, Name)>,
    key: IdempotencyKey,
    Given(asked): Given<wire::Promote>,
) -> Result<Response, Problem> {
    let handle = api.project(&project)?;
    let key = trigger_key(&by, &format!("{environment}/promote"), key, &asked);
    let from = asked.from.as_deref().map(|name| parse_name("from", name)).transpose()?;
    let wire::Promote { refresh, forced, allow_destructive, comment, .. } = asked;
    let flags = Flags { refresh, forced, allow_destructive };
    let command = Command::Promote { environment, from, flags, comment, key: key.clone(), by };
    let triggered = trigger(&handle, key, command).await?;
    accepted(&api, &handle, triggered).await
}

/// Lets releases be promoted here by themselves again, after a rollback.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/release-hold", tag = "operations",
    params(("project" = String, Path), ("environment" = String, Path)), request_body = wire::Nothing,
    responses((status = 200, body = wire::Environment)), security(("token" = ["member"])))]
pub async fn release_hold(
    State(api): State<Api>,
    Member(by): Member,
    At((project, environment)): At<(Name, Name)>,
    Given(wire::Nothing {}): Given<wire::Nothing>,
) -> Result<Json<wire::Environment>, Problem> {
    tell(&api, &project, &environment, Command::ReleaseHold { environment: environment.clone(), by }).await
}

/// Says when an ephemeral environment is torn down.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/expiry", tag = "operations",
    params(("project" = String, Path), ("environment" = String, Path)), request_body = wire::Expiry,
    responses((status = 200, body = wire::Environment)), security(("token" = ["admin"])))]
pub async fn expire(
    State(api): State<Api>,
    Admin(by): Admin,
    At((project, environment)): At<(Name, Name)>,
    Given(wire::Expiry { when }): Given<wire::Expiry>,
) -> Result<Json<wire::Environment>, Problem> {
    let when = match when.as_str() {
        "now" => Expiry::Now,
        "never" => Expiry::Never,
        time => Expiry::At(parse_time("when", time)?),
    };
    tell(&api, &project, &environment, Command::Expire { environment: environment.clone(), when, by }).await
}

// ---- on one's own responsibility ----

/// Starts a waiting deployment in spite of freezes and availability. Somebody else has to review that.
#[utoipa::path(post, path = "/v1/projects/{project}/deployments/{number}/break-glass", tag = "operations",
    params(("project" = String, Path), ("number" = u64, Path)), request_body = wire::Reason,
    responses((status = 200, body = wire::Deployment)), security(("token" = ["admin"])))]
pub async fn break_glass(
    State(api): State<Api>,
    Admin(by): Admin,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Given(wire::Reason { reason }): Given<wire::Reason>,
) -> Result<Json<wire::Deployment>, Problem> {
    answer(&api, project, Command::BreakGlass { number, reason, by }, number).await
}

/// Says that somebody has looked at why the glass was broken.
#[utoipa::path(post, path = "/v1/projects/{project}/deployments/{number}/review", tag = "operations",
    params(("project" = String, Path), ("number" = u64, Path)), request_body = wire::Remark,
    responses((status = 200, body = wire::Deployment)), security(("token" = ["member"])))]
pub async fn review(
    State(api): State<Api>,
    Member(by): Member,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Given(wire::Remark { comment }): Given<wire::Remark>,
) -> Result<Json<wire::Deployment>, Problem> {
    answer(&api, project, Command::ReviewDebt { number, comment, by }, number).await
}

/// Counts a gate as passed, in the caller's name and with a comment.
#[utoipa::path(post, path = "/v1/projects/{project}/deployments/{number}/gates/{gate}/ignore", tag = "gates",
    params(("project" = String, Path), ("number" = u64, Path), ("gate" = String, Path)), request_body = wire::Remark,
    responses((status = 200, body = wire::Deployment)), security(("token" = ["admin"])))]
pub async fn ignore_gate(
    State(api): State<Api>,
    Admin(by): Admin,
    At((project, number, gate)): At<(Name, DeploymentNumber, Name)>,
    Given(wire::Remark { comment }): Given<wire::Remark>,
) -> Result<Json<wire::Deployment>, Problem> {
    answer(&api, project, Command::IgnoreGate { number, gate, comment, by }, number).await
}
