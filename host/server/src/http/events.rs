//! What happened to a deployment, as people read it: in pages, or as it happens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use lockgate_core::deployment::Deployment;
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_store::{Direction, PageQuery, Row, Store};
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::Api;
use super::auth::Caller;
use super::deployments::{find, finished};
use super::input::{Asked, At, PAGE};
use super::problem::Problem;
use super::stream::{self, Item, Source};
use crate::driver::{HISTORY, HistoryRow, ProjectHandle, blocking, history_key};
use crate::wire;

const EVENTS_PER_READ: usize = 200;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Behind this sequence: `next` of the page before.
    after: Option<u64>,
    /// 1 to 200; 50 when left out.
    limit: Option<usize>,
}

/// Events of a deployment, oldest first. They appear here a moment after they happened.
#[utoipa::path(get, path = "/v1/projects/{project}/deployments/{number}/events", tag = "events",
    params(("project" = String, Path), ("number" = u64, Path), EventsQuery),
    responses((status = 200, body = wire::Page<wire::Event>)), security(("token" = ["viewer"])))]
pub async fn list(
    State(api): State<Api>,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Asked(query): Asked<EventsQuery>,
) -> Result<Json<wire::Page<wire::Event>>, Problem> {
    let handle = api.project(&project)?;
    find(&api, &handle, number).await?;
    let limit = PAGE.in_query(query.limit)?;
    let store = api.host.store.clone();
    let items = blocking(move || read(&store, &project, number, query.after.unwrap_or(0), limit)).await?;
    let next = items.last().filter(|_| items.len() == limit).map(|last| last.sequence.to_string());
    Ok(Json(wire::Page { items, next }))
}

/// Blocks on the disk.
fn read(
    store: &Store,
    project: &Name,
    number: DeploymentNumber,
    after: u64,
    limit: usize,
) -> Result<Vec<wire::Event>, Problem> {
    let rows = store.page(&PageQuery {
        stream: project.as_str(),
        table: HISTORY,
        prefix: &number.to_be_bytes(),
        after: Some(&history_key(number, after)),
        limit,
        direction: Direction::Ascending,
    })?;
    rows.into_iter().map(event).collect()
}

fn event((key, value): Row) -> Result<wire::Event, Problem> {
    let unreadable =
        |what: String| Problem::ours("index-unreadable", format!("an event of the history cannot be read: {what}"));
    let sequence =
        key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes)).ok_or_else(|| unreadable("its key".to_owned()))?;
    let row: HistoryRow = serde_json::from_slice(&value).map_err(|error| unreadable(error.to_string()))?;
    let HistoryRow { at, event_type, text, status, details } = row;
    Ok(wire::Event { sequence, at, event_type, text, status, details })
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventStreamQuery {
    /// Behind this sequence, such as `last_event` of the deployment. `Last-Event-ID` goes before it.
    after: Option<u64>,
}

/// Events of a deployment as they happen, as server-sent events.
///
/// The id is the sequence, the event its type, and the data an `Event`. Ends with event `end` when the deployment has
/// finished, and after 15 minutes with event `resume`; both name the id to go on from.
#[utoipa::path(get, path = "/v1/projects/{project}/deployments/{number}/events/stream", tag = "events",
    params(("project" = String, Path), ("number" = u64, Path), EventStreamQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "The last id that was seen")),
    responses((status = 200, content_type = "text/event-stream", body = wire::Event)), security(("token" = ["viewer"])))]
pub async fn stream(
    State(api): State<Api>,
    reader: Caller,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Asked(query): Asked<EventStreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let handle = api.project(&project)?;
    find(&api, &handle, number).await?;
    let start = stream::start(&headers, query.after)?;
    let history = History {
        store: api.host.store.clone(),
        indexed: handle.indexed(),
        handle,
        project,
        number,
        after: start,
        read: None,
    };
    Ok(stream::respond(history, start, stream::leaving(api, reader)))
}

struct History {
    store: Store,
    handle: ProjectHandle,
    indexed: watch::Receiver<u64>,
    project: Name,
    number: DeploymentNumber,
    after: u64,
    /// The deployment as it was when everything about it had been read.
    read: Option<Arc<Deployment>>,
}

impl Source for History {
    async fn next(&mut self) -> Result<Option<Vec<Item>>, Problem> {
        loop {
            // Before everything else: what is indexed from now on wakes us again.
            let indexed = *self.indexed.borrow_and_update();
            let view = self.handle.view();
            let deployment = view.state.deployments.get(&self.number).cloned();
            if !self.is_read(deployment.as_ref()) {
                // Asked before reading: if it is over now, the read finds the end.
                let is_over = self.is_over(deployment.as_deref()).await?;
                let (store, project, number, after) =
                    (self.store.clone(), self.project.clone(), self.number, self.after);
                let events = blocking(move || read(&store, &project, number, after, EVENTS_PER_READ)).await?;
                if let Some(last) = events.last() {
                    self.after = last.sequence;
                    return Ok(Some(events.iter().map(item).collect()));
                }
                if is_over {
                    return Ok(None);
                }
                self.read = deployment.filter(|_| indexed >= view.sequence);
            }
            if self.indexed.changed().await.is_err() {
                return Err(Problem::ours("history-stands-still", "the index takes nothing more; restart the host"));
            }
        }
    }
}

impl History {
    /// Most of what wakes us is about other deployments of the project: for those the disk is not asked.
    fn is_read(&self, deployment: Option<&Arc<Deployment>>) -> bool {
        self.read.as_ref().zip(deployment).is_some_and(|(read, now)| Arc::ptr_eq(read, now))
    }

    /// Finished, and all of it in the index: its record comes there with its last events.
    async fn is_over(&self, in_memory: Option<&Deployment>) -> Result<bool, Problem> {
        let Some(deployment) = in_memory else { return Ok(true) };
        if !deployment.is_finished() {
            return Ok(false);
        }
        let (store, project, number) = (self.store.clone(), self.project.clone(), self.number);
        let record = blocking(move || finished(&store, &project, number)).await?;
        Ok(record.is_some_and(|record| record.attempt.number == deployment.attempt.number))
    }
}

fn item(event: &wire::Event) -> Item {
    let data = serde_json::to_string(event).expect("an event is plain data");
    Item { id: event.sequence, event_type: event.event_type.clone(), data }
}
