//! Logs of phases: in pages, or as they are written.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use lockgate_core::definition::{LOGS_BESIDE_PHASES, listed};
use lockgate_core::deployment::Deployment;
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_store::{Follow, LogId, LogLine, LogPage, Logs};
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::Api;
use super::auth::Caller;
use super::deployments::find;
use super::input::{Asked, At, Limit};
use super::problem::Problem;
use super::stream::{self, Item, Source};
use crate::driver::{ProjectHandle, log_id};
use crate::wire;

const LINES_PER_READ: usize = 500;
const LINES: Limit = Limit { usual: 200, most: 1_000 };

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// The current one when left out.
    attempt: Option<u32>,
    /// The first line at or behind this position.
    from: Option<u64>,
    /// 1 to 1000; 200 when left out.
    limit: Option<usize>,
}

/// Lines of a phase's log; `plan`, `gates` and `undo` have logs, too. `next` is absent at the end of what is written.
#[utoipa::path(get, path = "/v1/projects/{project}/deployments/{number}/phases/{phase}/logs", tag = "logs",
    params(("project" = String, Path), ("number" = u64, Path), ("phase" = String, Path), LogQuery),
    responses((status = 200, body = wire::Page<wire::LogLine>)), security(("token" = ["viewer"])))]
pub async fn list(
    State(api): State<Api>,
    At((project, number, phase)): At<(Name, DeploymentNumber, Name)>,
    Asked(query): Asked<LogQuery>,
) -> Result<Json<wire::Page<wire::LogLine>>, Problem> {
    let handle = api.project(&project)?;
    let deployment = find(&api, &handle, number).await?.deployment;
    let id = log_of(&project, &deployment, &phase, query.attempt)?;
    let limit = LINES.in_query(query.limit)?;
    let page = api.host.store.logs().page(&id, query.from.unwrap_or(0), limit).await?;
    let next = (!page.lines.is_empty() && !page.closed).then(|| page.next.to_string());
    Ok(Json(wire::Page { items: page.lines.iter().map(line).collect(), next }))
}

fn log_of(project: &Name, deployment: &Deployment, phase: &Name, attempt: Option<u32>) -> Result<LogId, Problem> {
    let number = deployment.number;
    let phases = || deployment.attempt.phases.iter().map(|run| run.name.as_str()).chain(LOGS_BESIDE_PHASES);
    if !phases().any(|name| name == phase.as_str()) {
        let detail = format!("deployment {number} has no phase `{phase}`; it has: {}", listed(phases()));
        return Err(Problem::unknown("unknown-phase", detail));
    }
    let (attempt, last) = (attempt.unwrap_or(deployment.attempt.number), deployment.attempt.number);
    if !(1..=last).contains(&attempt) {
        let detail = format!("deployment {number} has no attempt {attempt}; the last one is {last}");
        return Err(Problem::unknown("unknown-attempt", detail));
    }
    Ok(log_id(project, number, attempt, phase.as_str())?)
}

/// A line of another version is better shown as it is than not at all.
fn line(stored: &LogLine) -> wire::LogLine {
    let as_it_is = || wire::LogLine {
        position: stored.position,
        time: String::new(),
        level: "info".to_owned(),
        phase: String::new(),
        attempt: 0,
        try_number: 0,
        deployment_type: String::new(),
        message: String::from_utf8_lossy(&stored.line).into_owned(),
        fields: Default::default(),
    };
    let line: wire::LogLine = serde_json::from_slice(&stored.line).unwrap_or_else(|_| as_it_is());
    wire::LogLine { position: stored.position, ..line }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogStreamQuery {
    /// The current one when left out.
    attempt: Option<u32>,
    /// The first line at or behind this position. `Last-Event-ID` goes before it.
    from: Option<u64>,
}

/// A phase's log as it is written, as server-sent events.
///
/// The event is `log`, the data a `LogLine`. Ends with event `end` when the log is complete, and after 15 minutes with
/// event `resume`; both name the id to go on from.
#[utoipa::path(get, path = "/v1/projects/{project}/deployments/{number}/phases/{phase}/logs/stream", tag = "logs",
    params(("project" = String, Path), ("number" = u64, Path), ("phase" = String, Path), LogStreamQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last id that was seen")),
    responses((status = 200, content_type = "text/event-stream", body = wire::LogLine)), security(("token" = ["viewer"])))]
pub async fn stream(
    State(api): State<Api>,
    reader: Caller,
    At((project, number, phase)): At<(Name, DeploymentNumber, Name)>,
    Asked(query): Asked<LogStreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = api.keep_open()?;
    let handle = api.project(&project)?;
    let deployment = find(&api, &handle, number).await?.deployment;
    let id = log_of(&project, &deployment, &phase, query.attempt)?;
    let start = stream::start(&headers, query.from)?;
    let logs = api.host.store.logs().clone();
    let log = Log {
        follow: logs.follow(&id, start),
        attempt: WatchedAttempt {
            indexed: handle.indexed(),
            handle,
            number,
            attempt: query.attempt.unwrap_or(deployment.attempt.number),
        },
        logs,
        id,
        next: start,
        written: false,
    };
    Ok(stream::respond(log, start, stream::leaving(api, reader, place)))
}

struct Log {
    logs: Logs,
    id: LogId,
    follow: Follow,
    attempt: WatchedAttempt,
    next: u64,
    /// The attempt is over: what is in the log is all there will be. A phase that never ran has no log to be closed.
    written: bool,
}

impl Source for Log {
    async fn next(&mut self) -> Result<Option<Vec<Item>>, Problem> {
        if !self.written {
            let page = tokio::select! {
                biased;
                page = self.follow.next(LINES_PER_READ) => Some(page?),
                () = self.attempt.is_over() => None,
            };
            if let Some(page) = page {
                return Ok(page.map(|page| self.items(page)));
            }
            self.written = true;
        }
        let page = self.logs.page(&self.id, self.next, LINES_PER_READ).await?;
        Ok((!page.lines.is_empty()).then(|| self.items(page)))
    }
}

impl Log {
    fn items(&mut self, page: LogPage) -> Vec<Item> {
        self.next = page.next;
        let item = |stored: &LogLine| Item {
            id: stored.next,
            event_type: "log".to_owned(),
            data: serde_json::to_string(&line(stored)).expect("a line is plain data"),
        };
        page.lines.iter().map(item).collect()
    }
}

struct WatchedAttempt {
    handle: ProjectHandle,
    indexed: watch::Receiver<u64>,
    number: DeploymentNumber,
    attempt: u32,
}

impl WatchedAttempt {
    async fn is_over(&mut self) {
        loop {
            self.indexed.mark_unchanged();
            let view = self.handle.view();
            let now = view.state.deployments.get(&self.number);
            if now.is_none_or(|now| now.is_finished() || now.attempt.number > self.attempt) {
                return;
            }
            // Every change of a view is indexed a moment later. Should the index be gone, only a log that has lines ends by itself.
            if self.indexed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
