//! What happened to a deployment, as people read it: in pages, or as it happens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use lockgate_core::deployment::Deployment;
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_store::Store;
use serde::Deserialize;
use tokio::sync::watch;
use utoipa::IntoParams;

use super::Api;
use super::auth::Caller;
use super::deployments::find;
use super::input::{Asked, At, PAGE};
use super::problem::Problem;
use super::stream::{self, Item, Source};
use crate::driver::{HistoryRow, Row, View};
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

/// Events of a deployment, oldest first.
#[utoipa::path(get, path = "/v1/projects/{project}/deployments/{number}/events", tag = "events",
    params(("project" = String, Path), ("number" = u64, Path), EventsQuery),
    responses((status = 200, body = wire::Page<wire::Event>)), security(("token" = ["viewer"])))]
pub async fn list(
    State(api): State<Api>,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Asked(query): Asked<EventsQuery>,
) -> Result<Json<wire::Page<wire::Event>>, Problem> {
    let handle = api.project(&project)?;
    let view = find(&api, &handle, number).await?.view;
    let limit = PAGE.in_query(query.limit)?;
    let rows = view.history(&api.host.store, number, query.after.unwrap_or(0), limit).await?;
    let items: Vec<wire::Event> = rows.into_iter().map(event).collect();
    let next = items.last().filter(|_| items.len() == limit).map(|last| last.sequence.to_string());
    Ok(Json(wire::Page { items, next }))
}

fn event((sequence, row): Row) -> wire::Event {
    let HistoryRow { at, event_type, text, status, details } = Arc::unwrap_or_clone(row);
    wire::Event { sequence, at, event_type, text, status, details }
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
    let place = api.keep_open()?;
    let handle = api.project(&project)?;
    find(&api, &handle, number).await?;
    let start = stream::start(&headers, query.after)?;
    let (store, views) = (api.host.store.clone(), handle.views());
    let history = History { store, views, number, after: start, read: None };
    Ok(stream::respond(history, start, stream::leaving(api, reader, place)))
}

struct History {
    store: Store,
    views: watch::Receiver<Arc<View>>,
    number: DeploymentNumber,
    after: u64,
    /// The deployment as it was when everything about it had been read.
    read: Option<Arc<Deployment>>,
}

impl Source for History {
    async fn next(&mut self) -> Result<Option<Vec<Item>>, Problem> {
        loop {
            let view = self.views.borrow_and_update().clone();
            let deployment = view.state.deployments.get(&self.number);
            if !self.is_read(deployment) || view.last_told(self.number) > Some(self.after) {
                let rows = view.history(&self.store, self.number, self.after, EVENTS_PER_READ).await?;
                if let Some((last, _)) = rows.last() {
                    self.after = *last;
                    return Ok(Some(rows.into_iter().map(event).map(item).collect()));
                }
                // What is not in memory has finished, too.
                if deployment.is_none_or(|deployment| deployment.is_finished()) {
                    return Ok(None);
                }
                self.read = deployment.cloned();
            }
            if self.views.changed().await.is_err() {
                let why = "nothing more happens in this project; the host's log says why";
                return Err(Problem::ours("history-stands-still", why));
            }
        }
    }
}

impl History {
    /// Most of what wakes us is about other deployments of the project: for those the disk is not asked.
    fn is_read(&self, deployment: Option<&Arc<Deployment>>) -> bool {
        self.read.as_ref().zip(deployment).is_some_and(|(read, now)| Arc::ptr_eq(read, now))
    }
}

fn item(event: wire::Event) -> Item {
    let data = serde_json::to_string(&event).expect("an event is plain data");
    Item { id: event.sequence, event_type: event.event_type, data }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use lockgate_store::StoreOptions;

    use super::*;

    /// What a reader gets now, if he need not wait for it.
    fn ready(history: &mut History) -> Option<Vec<u64>> {
        let next = history.next().now_or_never()?;
        Some(next.ok().flatten().unwrap().into_iter().map(|item| item.id).collect())
    }

    #[tokio::test]
    async fn a_new_row_is_told_also_where_the_deployment_stays_as_it_was() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), StoreOptions::default()).unwrap().0;
        let view = View::of_a_deployment().telling(3).telling(5);
        let (commit, views) = watch::channel(Arc::new(view));
        let mut history = History { store, views, number: 1, after: 2, read: None };
        assert_eq!(ready(&mut history), Some(vec![3, 5]));
        assert_eq!(ready(&mut history), None);
        for sequence in [8, 9] {
            let (before, after) = (commit.borrow().clone(), commit.borrow().telling(sequence));
            assert!(Arc::ptr_eq(&before.state.deployments[&1], &after.state.deployments[&1]));
            commit.send_replace(Arc::new(after));
            assert_eq!(ready(&mut history), Some(vec![sequence]));
            assert_eq!(ready(&mut history), None);
        }
    }
}
