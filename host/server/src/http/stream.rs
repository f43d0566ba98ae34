//! Server-sent events: what follows, as it comes, until it is over or its time is up.
//!
//! A reader that was cut off goes on with `Last-Event-ID`. A slow one delays nobody but itself.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::auth::{Caller, is_refused};
use super::problem::Problem;
use super::{Api, Place};
use crate::wire;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Then the reader is told where to go on: no connection is forever, and none that is dead stays.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Events that are ready for a reader who does not take them.
const READY: usize = 64;

/// What a stream is made of: the history of a deployment, or a log.
pub trait Source: Send + 'static {
    /// What follows, as soon as there is any; `None` when nothing more can come.
    fn next(&mut self) -> impl Future<Output = Result<Option<Vec<Item>>, Problem>> + Send;
}

pub struct Item {
    /// To go on behind this one.
    pub id: u64,
    pub event_type: String,
    pub data: String,
}

/// Why a stream ends though more may come.
pub enum Leaving {
    /// The reader comes back for the rest.
    Resume,
    Refused(Problem),
}

/// After its time, with the host, or with the right of its reader.
pub async fn leaving(api: Api, reader: Caller, place: Place) -> Leaving {
    let _place = place;
    tokio::select! {
        () = tokio::time::sleep(LONGEST) => Leaving::Resume,
        () = api.stopping.cancelled() => Leaving::Resume,
        refused = is_refused(&reader.actor, &api.host.system) => Leaving::Refused(refused),
    }
}

/// `start`: where the source begins, for a reader to come back to when nothing came.
pub fn respond(source: impl Source, start: u64, leaving: impl Future<Output = Leaving> + Send + 'static) -> Response {
    let (sender, events) = mpsc::channel(READY);
    tokio::spawn(async move {
        let mut last = start;
        let sent = send_all(source, &mut last, &sender);
        let leaving = tokio::select! {
            () = sent => None,
            () = sender.closed() => None,
            leaving = leaving => Some(leaving),
        };
        // A reader who takes nothing is not waited for: without this event it goes on from the last one, too.
        let _ = match leaving {
            None => return,
            Some(Leaving::Resume) => sender.try_send(ending("resume", last)),
            Some(Leaving::Refused(problem)) => sender.try_send(refusal(problem)),
        };
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    Sse::new(ReceiverStream::new(events).map(Ok::<_, std::convert::Infallible>)).keep_alive(keep_alive).into_response()
}

async fn send_all(mut source: impl Source, last: &mut u64, sender: &mpsc::Sender<Event>) {
    loop {
        let items = match source.next().await {
            Ok(Some(items)) => items,
            Ok(None) => {
                let _ = sender.send(ending("end", *last)).await;
                return;
            }
            Err(problem) => {
                let _ = sender.send(refusal(problem)).await;
                return;
            }
        };
        for item in items {
            let event = Event::default().id(item.id.to_string()).event(item.event_type).data(item.data);
            if sender.send(event).await.is_err() {
                return;
            }
            *last = item.id;
        }
    }
}

fn refusal(problem: Problem) -> Event {
    let data = serde_json::to_string(&problem.into_wire()).expect("a problem is plain data");
    Event::default().event("problem").data(data)
}

fn ending(event_type: &str, id: u64) -> Event {
    let data = serde_json::to_string(&wire::StreamEnd { id }).expect("an id is plain data");
    Event::default().id(id.to_string()).event(event_type).data(data)
}

/// `Last-Event-ID` is newer than what the address says: a browser that comes back sends both.
pub fn start(headers: &HeaderMap, asked: Option<u64>) -> Result<u64, Problem> {
    let Some(header) = headers.get("last-event-id") else { return Ok(asked.unwrap_or(0)) };
    let id = header.to_str().ok().and_then(|id| id.trim().parse().ok());
    id.ok_or_else(|| Problem::invalid("invalid-last-event-id", "`Last-Event-ID` is not an id of this stream: a number"))
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// Gives its pages, and then ends, or says that it has given all and waits for ever.
    struct Pages {
        pages: Vec<Vec<u64>>,
        all_given: Option<oneshot::Sender<()>>,
    }

    impl Source for Pages {
        async fn next(&mut self) -> Result<Option<Vec<Item>>, Problem> {
            match (self.pages.is_empty(), self.all_given.take()) {
                (false, all_given) => self.all_given = all_given,
                (true, None) => return Ok(None),
                (true, Some(all_given)) => {
                    all_given.send(()).unwrap();
                    std::future::pending::<()>().await;
                }
            }
            let item = |id| Item { id, event_type: "log".to_owned(), data: format!("line {id}") };
            Ok(Some(self.pages.remove(0).into_iter().map(item).collect()))
        }
    }

    async fn text(source: Pages, leaving: impl Future<Output = Leaving> + Send + 'static) -> String {
        let response = respond(source, 3, leaving);
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// A stream that leaves like this when it has given everything.
    async fn left(pages: Vec<Vec<u64>>, leaving: Leaving) -> String {
        let (all_given, given) = oneshot::channel();
        let source = Pages { pages, all_given: Some(all_given) };
        text(source, async {
            given.await.unwrap();
            leaving
        })
        .await
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_last_id() {
        let text = text(Pages { pages: vec![vec![4, 9]], all_given: None }, std::future::pending()).await;
        expect_test::expect![[r#"
            id: 4
            event: log
            data: line 4

            id: 9
            event: log
            data: line 9

            id: 9
            event: end
            data: {"id":9}

        "#]]
        .assert_eq(&text);
    }

    #[tokio::test]
    async fn a_stream_that_is_out_of_time_says_where_to_go_on() {
        let text = left(vec![vec![4]], Leaving::Resume).await;
        assert!(text.ends_with("id: 4\nevent: resume\ndata: {\"id\":4}\n\n"), "{text}");
    }

    #[tokio::test]
    async fn a_reader_who_lost_the_right_is_told_so() {
        let text = left(vec![], Leaving::Refused(Problem::invalid("token-revoked", "gone"))).await;
        assert!(text.starts_with("event: problem\n") && text.contains("token-revoked"), "{text}");
    }

    #[test]
    fn a_reader_that_comes_back_goes_on_where_it_was() {
        let headers = HeaderMap::from_iter([("last-event-id".parse().unwrap(), "12".parse().unwrap())]);
        assert_eq!(start(&headers, Some(3)).unwrap(), 12);
        assert_eq!(start(&HeaderMap::new(), Some(3)).unwrap(), 3);
        assert_eq!(start(&HeaderMap::new(), None).unwrap(), 0);
    }
}
