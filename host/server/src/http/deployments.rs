//! Deployments: triggered, answered, stopped, tried again and read.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use lockgate_core::definition::WorkflowStage;
use lockgate_core::deployment::{Deployment, DeploymentType, Flags};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Again, Command, Deploy, Rejection, TryFrom};
use lockgate_core::name::{Actor, DeploymentNumber, Name, Tag};
use lockgate_core::release::{Release, canonical};
use lockgate_core::selection::Selection;
use lockgate_core::state::{State as ProjectState, TriggerKey, What};
use lockgate_core::status::{AttemptStatus, DeploymentStatus};
use lockgate_store::{Direction, PageQuery, Store};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::IntoParams;

use super::Api;
use super::auth::{Caller, Member};
use super::input::{Asked, At, Given, IdempotencyKey, PAGE, parse_name, parse_tag, parse_time};
use super::problem::Problem;
use super::projects::expect_environment;
use super::views::Answerers;
use super::{views, wait};
use crate::clock;
use crate::driver::{Committed, FINISHED, ProjectHandle, View};
use crate::wire;

// ---- triggers ----

/// Triggers a deployment of a release. It is accepted while others run, and waits for its turn.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/deployments", tag = "deployments",
    params(("project" = String, Path), ("environment" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeated with this key and body, it is done once")),
    request_body = wire::NewDeployment,
    responses((status = 202, description = "Triggered", body = wire::Deployment), (status = 200, description = "It was, by this key", body = wire::Deployment)),
    security(("token" = ["member"])))]
pub async fn create(
    State(api): State<Api>,
    Member(actor): Member,
    At((project, environment)): At<(Name, Name)>,
    key: IdempotencyKey,
    Given(new): Given<wire::NewDeployment>,
) -> Result<Response, Problem> {
    let handle = api.project(&project)?;
    let key = trigger_key(&actor, &format!("{environment}/deployments"), key, &new);
    let deploy = Deploy {
        environment,
        release: parse_tag(&new.release)?,
        deployment_type: deployment_type(&new, &handle.view().state)?,
        flags: Flags { refresh: new.refresh, forced: new.forced, allow_destructive: new.allow_destructive },
        selections: new.selections.iter().map(selection).collect::<Result<_, _>>()?,
        input: serde_json::Value::Null,
        not_before: new.at.as_deref().map(|text| parse_time("at", text)).transpose()?,
        comment: new.comment,
        workflow: new.workflow.as_deref().map(|name| parse_name("workflow", name)).transpose()?,
        key: key.clone(),
        by: actor,
    };
    let triggered = trigger(&handle, key, Command::Deploy(deploy)).await?;
    accepted(&api, &handle, triggered).await
}

/// Goes back to what is live, where something else was begun, and else to what was live before.
#[utoipa::path(post, path = "/v1/projects/{project}/environments/{environment}/rollback", tag = "deployments",
    params(("project" = String, Path), ("environment" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "Repeated with this key and body, it is done once")),
    request_body = wire::Remark,
    responses((status = 202, description = "Triggered", body = wire::Deployment), (status = 200, description = "It was, by this key", body = wire::Deployment)),
    security(("token" = ["member"])))]
pub async fn roll_back(
    State(api): State<Api>,
    Member(by): Member,
    At((project, environment)): At<(Name, Name)>,
    key: IdempotencyKey,
    Given(remark): Given<wire::Remark>,
) -> Result<Response, Problem> {
    let handle = api.project(&project)?;
    let key = trigger_key(&by, &format!("{environment}/rollback"), key, &remark);
    let command = Command::Rollback { environment, comment: remark.comment, key: key.clone(), by };
    let triggered = trigger(&handle, key, command).await?;
    accepted(&api, &handle, triggered).await
}

/// A key belongs to the token and the route it was used with: nobody meets another's.
pub fn trigger_key(actor: &Actor, route: &str, key: IdempotencyKey, request: &impl Serialize) -> Option<TriggerKey> {
    trigger_key_in(format!("{} {route}", actor.via), key, request)
}

pub fn trigger_key_in(
    scope: String,
    IdempotencyKey(key): IdempotencyKey,
    request: &impl Serialize,
) -> Option<TriggerKey> {
    let request = serde_json::to_value(request).expect("a request is plain data");
    Some(TriggerKey { scope, key: key?, request: Digest::of(canonical(&request).as_bytes()) })
}

const TYPES: [(&str, DeploymentType); 6] = [
    ("LAUNCH", DeploymentType::Launch),
    ("FULL", DeploymentType::Full),
    ("SELECTIVE", DeploymentType::Selective),
    ("CUSTOM", DeploymentType::Custom),
    ("DESTROY", DeploymentType::Destroy),
    // The core says what to do instead.
    ("ROLLBACK", DeploymentType::Rollback),
];

fn deployment_type(new: &wire::NewDeployment, state: &ProjectState) -> Result<DeploymentType, Problem> {
    let asked = new.deployment_type.as_deref().unwrap_or("FULL");
    let found = TYPES.iter().find(|(word, _)| word.eq_ignore_ascii_case(asked)).map(|(_, found)| *found);
    let missing = |what: &str| {
        let detail = format!(
            "{asked} runs a workflow that is meant for it; name it with `--workflow` (`workflow` in the request){what}"
        );
        Problem::invalid("workflow-missing", detail)
    };
    let release = || new.release.parse::<Tag>().ok().and_then(|tag| state.releases.get(&tag));
    let tears_down = || {
        let stages = |release: &Arc<Release>| release.workflows.values().any(|it| it.stage == WorkflowStage::Teardown);
        release().is_none_or(stages)
    };
    match found {
        Some(DeploymentType::Custom) if new.workflow.is_none() => Err(missing("")),
        // What releases run day by day would be a surprise as a way to take everything down.
        Some(DeploymentType::Destroy) if new.workflow.is_none() && !tears_down() => {
            Err(missing(", for the release has none of stage teardown"))
        }
        Some(found) => Ok(found),
        None => {
            let detail =
                format!("`{asked}` is no type of deployment; there are: LAUNCH, FULL, SELECTIVE, CUSTOM, DESTROY");
            Err(Problem::invalid("invalid-deployment-type", detail))
        }
    }
}

fn selection(asked: &wire::Selection) -> Result<Selection, Problem> {
    let no_action = "`selections.action`: there are: create, update, delete, replace";
    let action = asked.action.as_ref().map(|action| serde_json::from_value(Value::String(action.clone()))).transpose();
    let any = |text: &Option<String>| text.clone().filter(|text| text != "*");
    Ok(Selection {
        application: asked.application.as_deref().map(|name| parse_name("selections.application", name)).transpose()?,
        resource_type: any(&asked.resource_type),
        resource_name: any(&asked.resource_name),
        action: action.map_err(|_| Problem::invalid("invalid-body", no_action))?,
    })
}

pub struct Triggered {
    pub number: DeploymentNumber,
    /// Not by an earlier request with the same key.
    is_new: bool,
}

pub async fn trigger(handle: &ProjectHandle, key: Option<TriggerKey>, command: Command) -> Result<Triggered, Problem> {
    let committed = handle.send(command).await?;
    if let Some(number) = queued(&committed) {
        return Ok(Triggered { number, is_new: true });
    }
    let view = handle.view();
    let earlier = key.and_then(|key| view.state.triggers.get(&key.id()).map(|(_, number)| *number));
    let number =
        earlier.ok_or_else(|| Problem::ours("nothing-triggered", "a trigger was accepted and made no deployment"))?;
    Ok(Triggered { number, is_new: false })
}

fn queued(committed: &Committed) -> Option<DeploymentNumber> {
    committed.events.iter().find_map(|event| {
        let What::DeploymentQueued(queued) = &event.what else { return None };
        Some(queued.number)
    })
}

pub async fn accepted(api: &Api, handle: &ProjectHandle, triggered: Triggered) -> Result<Response, Problem> {
    let status = if triggered.is_new { StatusCode::ACCEPTED } else { StatusCode::OK };
    let found = find(api, handle, triggered.number).await;
    let found =
        found.map_err(|gone| gone.after("it was triggered before with this Idempotency-Key, and is not again"))?;
    let deployment = found.shown();
    let location = format!("/v1/projects/{}/deployments/{}", deployment.project, deployment.number);
    Ok((status, [(header::LOCATION, location)], Json(deployment)).into_response())
}

// ---- reading ----

/// A deployment, the project as it was seen at the same time, and who may answer.
pub struct Found {
    pub view: Arc<View>,
    pub answerers: Answerers,
    pub deployment: Arc<Deployment>,
}

impl Found {
    pub fn shown(&self) -> wire::Deployment {
        views::deployment(&self.view, &self.answerers, &self.deployment, clock::now())
    }
}

/// Looks in memory, then in the index: nothing leaves the one before it is in the other.
pub async fn find(api: &Api, handle: &ProjectHandle, number: DeploymentNumber) -> Result<Found, Problem> {
    if let Some(found) = find_kept(api, handle, number).await? {
        return Ok(found);
    }
    let state = &handle.view().state;
    let (project, last) = (state.project.name.clone(), state.last_number);
    match api.host.store.dropped() > 0 && (1..=last).contains(&number) {
        true => Err(not_kept(&project, number)),
        false => Err(Rejection::UnknownDeployment { number, project, last }.into()),
    }
}

/// `None`: there was none, or it ended too long ago.
pub async fn find_kept(api: &Api, handle: &ProjectHandle, number: DeploymentNumber) -> Result<Option<Found>, Problem> {
    let (view, answerers) = (handle.view(), Answerers::new(api.host.system.view()));
    if let Some(deployment) = view.state.deployments.get(&number).cloned() {
        return Ok(Some(Found { view, answerers, deployment }));
    }
    let project = view.state.project.name.clone();
    let deployment = api.host.store.read(move |store| finished(store, &project, number)).await?;
    Ok(deployment.map(|deployment| Found { view, answerers, deployment }))
}

fn not_kept(project: &Name, number: DeploymentNumber) -> Problem {
    let detail = format!(
        "deployment {number} of project `{project}` ended so long ago that it is not kept any more: see `lockgate storage`"
    );
    Problem::new(StatusCode::GONE, "deployment-not-kept", detail)
}

/// The record of a finished deployment; blocks on the disk.
pub fn finished(store: &Store, project: &Name, number: DeploymentNumber) -> Result<Option<Arc<Deployment>>, Problem> {
    let Some(record) = store.get(project.as_str(), FINISHED, &number.to_be_bytes())? else { return Ok(None) };
    let unreadable =
        |error| Problem::ours("index-unreadable", format!("the record of deployment {number} cannot be read: {error}"));
    serde_json::from_slice(&record).map(Some).map_err(unreadable)
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeploymentQuery {
    /// Answer when it has ended, and after so many seconds, 300 at most, though it has not. Proxies commonly close what is silent
    /// for 60.
    wait: Option<u64>,
}

/// One deployment, now, or when it has ended.
///
/// `finished_at` says whether it has: with `wait`, too, an answer may come before, where the host stops or somebody tries it again.
#[utoipa::path(get, path = "/v1/projects/{project}/deployments/{number}", tag = "deployments",
    params(("project" = String, Path), ("number" = u64, Path), DeploymentQuery),
    responses((status = 200, body = wire::Deployment)), security(("token" = ["viewer"])))]
pub async fn show(
    State(api): State<Api>,
    reader: Caller,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Asked(query): Asked<DeploymentQuery>,
) -> Result<Json<wire::Deployment>, Problem> {
    let handle = api.project(&project)?;
    if let Some(wait) = wait::in_query(&api, query.wait)? {
        wait::for_end_of((&handle, number), wait, (&api, &reader.actor)).await?;
    }
    Ok(Json(find(&api, &handle, number).await?.shown()))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeploymentsQuery {
    /// Of this environment only.
    #[param(value_type = Option<String>)]
    environment: Option<Name>,
    /// With this deployment status only, such as `FAILED`.
    status: Option<String>,
    /// With this attempt status only, such as `NotDeployed`, which may be written `NotStarted`, too.
    attempt_status: Option<String>,
    /// Only what has not ended: what waits and what is under way, each with its place.
    #[serde(default)]
    active: bool,
    /// With a lower number than this: `next` of the page before.
    before: Option<DeploymentNumber>,
    /// 1 to 200; 50 when left out.
    limit: Option<usize>,
}

/// Deployments, newest first. A page may hold fewer than asked for, and `next` all the same.
#[utoipa::path(get, path = "/v1/projects/{project}/deployments", tag = "deployments",
    params(("project" = String, Path), DeploymentsQuery),
    responses((status = 200, body = wire::Page<wire::Deployment>)), security(("token" = ["viewer"])))]
pub async fn list(
    State(api): State<Api>,
    At(project): At<Name>,
    Asked(query): Asked<DeploymentsQuery>,
) -> Result<Json<wire::Page<wire::Deployment>>, Problem> {
    let view = api.project(&project)?.view();
    if let Some(environment) = &query.environment {
        expect_environment(&view.state, environment)?;
    }
    let wanted = Wanted {
        environment: query.environment,
        status: query.status.as_deref().map(|text| parse_status("deployment", &STATUSES, text)).transpose()?,
        attempt_status: query.attempt_status.as_deref().map(parse_attempt_status).transpose()?,
        active: query.active,
        below: query.before.unwrap_or(u64::MAX).min(view.state.last_number + 1),
        room: Room { items: PAGE.in_query(query.limit)?, bytes: PAGE_BYTES },
    };
    let answerers = Answerers::new(api.host.system.view());
    if wanted.active {
        return Ok(Json(active(&view, &answerers, wanted)));
    }
    api.host.store.read(move |store| page(store, &view, &answerers, wanted)).await.map(Json)
}

struct Wanted {
    environment: Option<Name>,
    status: Option<DeploymentStatus>,
    attempt_status: Option<AttemptStatus>,
    active: bool,
    below: DeploymentNumber,
    room: Room,
}

impl Wanted {
    fn matches(&self, deployment: &Deployment) -> bool {
        self.environment.as_ref().is_none_or(|environment| deployment.environment == *environment)
            && self.status.is_none_or(|status| deployment.attempt.deployment_status() == status)
            && self.attempt_status.is_none_or(|status| deployment.attempt.status().0 == status)
    }
}

/// Records looked at for one page: whoever filters for what is rare gets it in several.
const MOST_LOOKED_AT: u64 = 1_000;

/// Of a page: one deployment may hold a plan and outputs of megabytes.
const PAGE_BYTES: usize = 16 << 20;

/// All of them are in memory.
fn active(view: &View, answerers: &Answerers, wanted: Wanted) -> wire::Page<wire::Deployment> {
    let now = clock::now();
    let below = view.state.deployments.range(..wanted.below).rev().map(|(_, deployment)| deployment);
    let mut there = below.filter(|deployment| !deployment.is_finished() && wanted.matches(deployment)).peekable();
    let mut items: Vec<wire::Deployment> = Vec::new();
    let mut room = Room { items: wanted.room.items, bytes: wanted.room.bytes };
    while !room.is_full()
        && let Some(deployment) = there.next()
    {
        let item = views::deployment(view, answerers, deployment, now);
        room.take(&item);
        items.push(item);
    }
    let last = items.last().map(|last| last.number.to_string());
    let next = there.peek().and(last);
    wire::Page { items, next }
}

/// Numbers have no gaps, but for those that are not kept any more: each is in memory, or its record is in the index.
fn page(
    store: &Store,
    view: &View,
    answerers: &Answerers,
    mut wanted: Wanted,
) -> Result<wire::Page<wire::Deployment>, Problem> {
    let now = clock::now();
    let mut items = Vec::new();
    let mut below = wanted.below;
    for _ in 0..MOST_LOOKED_AT {
        if below <= 1 || wanted.room.is_full() {
            break;
        }
        let number = below - 1;
        let deployment = match view.state.deployments.get(&number).cloned() {
            Some(deployment) => Some(deployment),
            None => finished(store, &view.state.project.name, number)?,
        };
        let Some(deployment) = deployment else {
            below = newest_below(store, view, number)?.map_or(1, |newest| newest + 1);
            continue;
        };
        below = number;
        if wanted.matches(&deployment) {
            let item = views::deployment(view, answerers, &deployment, now);
            wanted.room.take(&item);
            items.push(item);
        }
    }
    Ok(wire::Page { items, next: (below > 1).then(|| below.to_string()) })
}

/// What comes behind a gap.
fn newest_below(store: &Store, view: &View, number: DeploymentNumber) -> Result<Option<DeploymentNumber>, Problem> {
    let (project, after) = (view.state.project.name.as_str(), number.to_be_bytes());
    let (after, direction) = (Some(after.as_slice()), Direction::Descending);
    let records =
        store.page(&PageQuery { stream: project, table: FINISHED, prefix: &[], after, limit: 1, direction })?;
    let of_key =
        |(key, _): &(Vec<u8>, Vec<u8>)| key.first_chunk().map(|number| DeploymentNumber::from_be_bytes(*number));
    let in_memory = view.state.deployments.range(..number).next_back().map(|(number, _)| *number);
    Ok(records.first().and_then(of_key).max(in_memory))
}

/// What is left of a page.
struct Room {
    items: usize,
    bytes: usize,
}

impl Room {
    fn is_full(&self) -> bool {
        self.items == 0 || self.bytes == 0
    }

    /// The last one may be larger than what was left: a page is never empty for want of room.
    fn take(&mut self, item: &impl Serialize) {
        let mut counted = Counted(0);
        serde_json::to_writer(&mut counted, item).expect("what is shown is plain data");
        self.items = self.items.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(counted.0);
    }
}

struct Counted(usize);

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const STATUSES: [DeploymentStatus; 9] = [
    DeploymentStatus::Queued,
    DeploymentStatus::PendingApproval,
    DeploymentStatus::InProgress,
    DeploymentStatus::Succeeded,
    DeploymentStatus::Failed,
    DeploymentStatus::Rejected,
    DeploymentStatus::Aborted,
    DeploymentStatus::Stopped,
    DeploymentStatus::TimedOut,
];

const ATTEMPT_STATUSES: [AttemptStatus; 5] = [
    AttemptStatus::NotDeployed,
    AttemptStatus::InProgress,
    AttemptStatus::Succeeded,
    AttemptStatus::PartiallySucceeded,
    AttemptStatus::Failed,
];

/// `NotStarted` is another word for `NotDeployed` that people know.
fn parse_attempt_status(text: &str) -> Result<AttemptStatus, Problem> {
    if text.eq_ignore_ascii_case("NotStarted") {
        return Ok(AttemptStatus::NotDeployed);
    }
    parse_status("attempt", &ATTEMPT_STATUSES, text)
}

fn parse_status<Status: Copy + Serialize>(of: &str, all: &[Status], text: &str) -> Result<Status, Problem> {
    let is_it = |status: &Status| views::word(status).eq_ignore_ascii_case(text);
    all.iter().copied().find(is_it).ok_or_else(|| {
        let known = lockgate_core::definition::listed(all.iter().map(views::word));
        let shown: String = text.chars().take(60).collect();
        Problem::invalid("invalid-query", format!("`{shown}` is no {of} status; there are: {known}"))
    })
}

// ---- answers ----

/// Approves the plan that the deployment shows.
#[utoipa::path(post, path = "/v1/projects/{project}/deployments/{number}/approve", tag = "deployments",
    params(("project" = String, Path), ("number" = u64, Path)), request_body = wire::Approve,
    responses((status = 200, body = wire::Deployment)), security(("token" = ["member"])))]
pub async fn approve(
    State(api): State<Api>,
    Member(by): Member,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Given(approve): Given<wire::Approve>,
) -> Result<Json<wire::Deployment>, Problem> {
    let plan = approve.plan_digest.map(|digest| digest.parse()).transpose();
    let plan = plan.map_err(|error| Problem::invalid("invalid-body", format!("`plan_digest`: {error}")))?;
    let not_before = approve.not_before.as_deref().map(|text| parse_time("not_before", text)).transpose()?;
    let command = Command::Approve { number, plan, comment: approve.comment, not_before, by };
    answer(&api, project, command, number).await
}

/// Rejects the plan: the deployment ends.
#[utoipa::path(post, path = "/v1/projects/{project}/deployments/{number}/reject", tag = "deployments",
    params(("project" = String, Path), ("number" = u64, Path)), request_body = wire::Remark,
    responses((status = 200, body = wire::Deployment)), security(("token" = ["member"])))]
pub async fn reject(
    State(api): State<Api>,
    Member(by): Member,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Given(remark): Given<wire::Remark>,
) -> Result<Json<wire::Deployment>, Problem> {
    answer(&api, project, Command::Reject { number, comment: remark.comment, by }, number).await
}

pub async fn answer(
    api: &Api,
    project: Name,
    command: Command,
    number: DeploymentNumber,
) -> Result<Json<wire::Deployment>, Problem> {
    let handle = api.project(&project)?;
    handle.send(command).await?;
    let found = find(api, &handle, number).await.map_err(|gone| gone.after("it was done"))?;
    Ok(Json(found.shown()))
}

/// Cancels it; `force` ends it at once, whatever its phases are doing.
#[utoipa::path(post, path = "/v1/projects/{project}/deployments/{number}/cancel", tag = "deployments",
    params(("project" = String, Path), ("number" = u64, Path)), request_body = wire::Cancel,
    responses((status = 200, body = wire::Deployment)), security(("token" = ["member"])))]
pub async fn cancel(
    State(api): State<Api>,
    Member(by): Member,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Given(cancel): Given<wire::Cancel>,
) -> Result<Json<wire::Deployment>, Problem> {
    answer(&api, project, Command::Cancel { number, forced: cancel.force, reason: cancel.reason, by }, number).await
}

/// Tries again from the phase that failed, with the same release.
#[utoipa::path(post, path = "/v1/projects/{project}/deployments/{number}/retry", tag = "deployments",
    params(("project" = String, Path), ("number" = u64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = wire::Nothing,
    responses((status = 202, description = "A new attempt is under way", body = wire::Deployment), (status = 200, description = "It was, by this key", body = wire::Deployment)),
    security(("token" = ["member"])))]
pub async fn retry(
    State(api): State<Api>,
    Member(by): Member,
    At((project, number)): At<(Name, DeploymentNumber)>,
    key: IdempotencyKey,
    Given(wire::Nothing {}): Given<wire::Nothing>,
) -> Result<(StatusCode, Json<wire::Deployment>), Problem> {
    let key = trigger_key(&by, &format!("{number}/retry"), key, &wire::Nothing {});
    let again = |finished| Command::TryAgain(Again { number, finished, from: TryFrom::FailedPhase, key, by });
    try_again(&api, project, number, again).await
}

/// Starts over, with the same release.
#[utoipa::path(post, path = "/v1/projects/{project}/deployments/{number}/redeploy", tag = "deployments",
    params(("project" = String, Path), ("number" = u64, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = wire::Nothing,
    responses((status = 202, description = "A new attempt is under way", body = wire::Deployment), (status = 200, description = "It was, by this key", body = wire::Deployment)),
    security(("token" = ["member"])))]
pub async fn redeploy(
    State(api): State<Api>,
    Member(by): Member,
    At((project, number)): At<(Name, DeploymentNumber)>,
    key: IdempotencyKey,
    Given(wire::Nothing {}): Given<wire::Nothing>,
) -> Result<(StatusCode, Json<wire::Deployment>), Problem> {
    let key = trigger_key(&by, &format!("{number}/redeploy"), key, &wire::Nothing {});
    let again = |finished| Command::TryAgain(Again { number, finished, from: TryFrom::Start, key, by });
    try_again(&api, project, number, again).await
}

async fn try_again(
    api: &Api,
    project: Name,
    number: DeploymentNumber,
    again: impl FnOnce(Option<Arc<Deployment>>) -> Command,
) -> Result<(StatusCode, Json<wire::Deployment>), Problem> {
    let handle = api.project(&project)?;
    let found = find(api, &handle, number).await?;
    // It may leave the memory while the command is on its way; what is in memory is taken first.
    let finished = found.deployment.is_finished().then_some(found.deployment);
    let is_new = !handle.send(again(finished)).await?.events.is_empty();
    let status = if is_new { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, Json(find(api, &handle, number).await?.shown())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_with_the_item_that_fills_it() {
        let mut room = Room { items: 3, bytes: 10 };
        room.take(&"1234");
        assert!(!room.is_full(), "quotes count, too, and four bytes are left");
        room.take(&"a long one");
        assert!(room.is_full());
        let mut few = Room { items: 1, bytes: 10 };
        few.take(&1);
        assert!(few.is_full());
    }
}
