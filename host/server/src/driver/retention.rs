//! Forgets what ended long ago, where the operator wants that. The oldest events leave the journal, a segment at a time, and
//! what they add up to takes their place. With them go the deployments that had ended by then: records, history and logs.
//!
//! What has not ended, what is live, releases, people, plugins and grants stay, however old. Nothing is dropped that cannot
//! be read, nor while anybody doubts that the journal is whole.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lockgate_core::name::{DeploymentNumber, Timestamp};
use lockgate_core::state::State;
use lockgate_store::{Direction, Entry, PageQuery, Past, Store, StoreError};
use serde::Deserialize;

use super::blocking::blocking;
use super::condensed::{CondenseError, Condensed, Condensing};
use super::history::{HISTORY, page_keys};
use super::host::Host;
use super::inbox::ProjectHandle;
use super::index::FINISHED;
use super::system::STREAM;
use crate::clock;

const LOOK_EVERY: Duration = Duration::from_secs(600);
const UNTIL_WHOLE: Duration = Duration::from_secs(1);
/// Condensed at a time: what a stop in between costs.
const SEGMENTS_AT_ONCE: usize = 4;
const LAG_TOLD_MS: u64 = 24 * 60 * 60 * 1_000;
/// So many events have to be newer than what a start takes for a time that was.
const WITNESSES: u64 = 100;
/// Records of finished deployments that are looked at in one go.
const RECORDS_PER_PAGE: usize = 64;
/// Deployments that their project lets go in one go.
const GONE_AT_ONCE: usize = 16;

#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Condense(#[from] CondenseError),
    #[error("event {sequence} does not say when it was: {error}")]
    NoTime { sequence: u64, error: serde_json::Error },
    #[error("it broke off, for a reason that is a bug or a want of threads")]
    Interrupted,
}

/// A deployment that had ended when the last event that was dropped happened.
pub struct Gone {
    pub number: DeploymentNumber,
    /// The newest one then; `None` where that was so long ago that nobody knows, and it is not tried again.
    pub attempt: Option<u32>,
    /// What removes it from the index.
    pub entries: Vec<Entry>,
}

/// Never ends where something is to be forgotten.
pub async fn run(host: Host, keep: Option<Duration>) {
    // Where the last run was interrupted.
    clean(&host).await;
    let Some(keep) = keep else { return };
    let store = host.store.clone();
    let today = match blocking(move || Today::of(&store)).await {
        Ok(today) => today,
        Err(error) => return tracing::error!(%error, "nothing old is dropped before the next start"),
    };
    if clock::now().ms_since(today.borne_out) > LAG_TOLD_MS {
        let since = today.borne_out;
        tracing::warn!(
            "retention counts from {since}, the time of the newest events, and not from the clock, which may be wrong; a start after some new deployments counts from those"
        );
    }
    loop {
        let wait = match host.store.past() {
            Past::Unread { .. } => UNTIL_WHOLE,
            Past::Whole => {
                forget(&host, today.before(keep)).await;
                LOOK_EVERY
            }
            Past::Damaged(_) | Past::Unfinished(_) => {
                tracing::warn!(
                    "nothing old is dropped, for the journal is not known to be whole: see `lockgate storage`"
                );
                LOOK_EVERY
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// A clock that is set to next year must not cost a year of history: it counts only as far as some events of before the start
/// and the time since then bear it out.
struct Today {
    borne_out: Timestamp,
    since: Instant,
}

impl Today {
    fn of(store: &Store) -> Result<Self, RetentionError> {
        let now = Self { borne_out: clock::now(), since: Instant::now() };
        let witness = store.last().saturating_sub(WITNESSES);
        if witness == 0 {
            return Ok(now);
        }
        let Some(event) = store.events(witness)?.next().transpose()? else { return Ok(now) };
        Ok(Self { borne_out: time_of(witness, &event.payload)?, ..now })
    }

    fn before(&self, keep: Duration) -> Timestamp {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let borne_out = self.borne_out.0.saturating_add(ms(self.since.elapsed()));
        Timestamp(clock::now().0.min(borne_out).saturating_sub(ms(keep)))
    }
}

async fn forget(host: &Host, before: Timestamp) {
    loop {
        match forget_some(host, before).await {
            Ok(None) => return,
            Ok(Some(through)) => {
                tracing::info!(%before, "events up to {through} were dropped, for all of them are older than what is kept");
                clean(host).await;
            }
            Err(error) => return tracing::warn!(%error, "nothing old was dropped; it is tried again"),
        }
    }
}

async fn forget_some(host: &Host, before: Timestamp) -> Result<Option<u64>, RetentionError> {
    let store = host.store.clone();
    let (done, told) = tokio::sync::oneshot::channel();
    // A thread of its own, which may step back for all others.
    let work = move || {
        lockgate_journal::step_back();
        let _ = done.send(drop_older(&store, before));
    };
    let spawned = std::thread::Builder::new().name("retention".to_owned()).spawn(work);
    spawned.map_err(|_| RetentionError::Interrupted)?;
    told.await.unwrap_or(Err(RetentionError::Interrupted))
}

/// The last event that went; `None`: there is none so old. Blocks.
pub fn drop_older(store: &Store, before: Timestamp) -> Result<Option<u64>, RetentionError> {
    let Some(through) = older_through(store, before)? else { return Ok(None) };
    let condensed = Condensing::all(store, through)?;
    // The last event of a segment may say an earlier time than others in it.
    if condensed.newest >= before {
        return Ok(None);
    }
    store.drop_through(through, condensed.states())?;
    Ok(Some(through))
}

/// The end of the segments, from the first one on, whose last events are so old.
fn older_through(store: &Store, before: Timestamp) -> Result<Option<u64>, RetentionError> {
    let mut through = None;
    for segment in store.full_segments()?.into_iter().take(SEGMENTS_AT_ONCE) {
        let last = *segment.end();
        let Some(event) = store.events(last)?.next().transpose()? else { break };
        if time_of(last, &event.payload)? >= before {
            break;
        }
        through = Some(last);
    }
    Ok(through)
}

fn time_of(sequence: u64, payload: &[u8]) -> Result<Timestamp, RetentionError> {
    #[derive(Deserialize)]
    struct Dated {
        at: Timestamp,
    }
    let dated: Dated = serde_json::from_slice(payload).map_err(|error| RetentionError::NoTime { sequence, error })?;
    Ok(dated.at)
}

/// Removes what had ended by the last event that was dropped. What stays after a stop in between goes with the next start.
async fn clean(host: &Host) {
    if host.store.dropped() == 0 {
        return;
    }
    let store = host.store.clone();
    let begins = blocking(move || store.base()).await;
    let streams = match begins {
        Ok(base) => base.map(|base| base.streams).unwrap_or_default(),
        Err(error) => return tracing::warn!(%error, "what was dropped is still listed; the next start tries again"),
    };
    for (stream, begins) in streams.into_iter().filter(|(stream, _)| stream != STREAM) {
        // A project that cannot be read has said so, and nobody owns it.
        let Some(project) = stream.parse().ok().and_then(|name| host.project(&name)) else { continue };
        let name = stream.clone();
        let Ok(then) = blocking(move || Condensed::of_parts(&name, &begins.state)).await else { continue };
        if let Err(error) = clean_project(&host.store, &project, &Arc::new(then.state)).await {
            tracing::warn!(project = stream, %error, "what was dropped is still listed; the next start tries again");
        }
    }
}

/// `then` is the project at the last event that was dropped.
async fn clean_project(store: &Store, project: &ProjectHandle, then: &Arc<State>) -> Result<(), StoreError> {
    let mut after = Some(0);
    while let Some(from) = after {
        let (store, then) = (store.clone(), then.clone());
        let (mut gone, next) = blocking(move || gone_by(&store, &then, from)).await?;
        while !gone.is_empty() {
            let now = gone.split_off(gone.len().saturating_sub(GONE_AT_ONCE));
            project.let_go(now).await;
        }
        after = next;
    }
    Ok(())
}

/// Of a page of records behind a number those that had ended then; and where the next page begins.
fn gone_by(
    store: &Store,
    then: &State,
    after: DeploymentNumber,
) -> Result<(Vec<Gone>, Option<DeploymentNumber>), StoreError> {
    let project = &then.project.name;
    let records = store.page(&PageQuery {
        stream: project.as_str(),
        table: FINISHED,
        prefix: &[],
        after: Some(&after.to_be_bytes()),
        limit: RECORDS_PER_PAGE,
        direction: Direction::Ascending,
    })?;
    let (mut gone, mut next) = (Vec::new(), None);
    for (key, _) in records {
        let number = key.first_chunk().map_or(DeploymentNumber::MAX, |number| DeploymentNumber::from_be_bytes(*number));
        if number > then.last_number {
            return Ok((gone, None));
        }
        next = Some(number);
        if !then.deployments.contains_key(&number) {
            let pages = page_keys(store, project, number)?.into_iter().map(|key| (HISTORY, key));
            let remove = |(table, key)| Entry { table, key, value: None };
            let entries = pages.chain([(FINISHED, key)]).map(remove).collect();
            gone.push(Gone { number, attempt: then.newest_attempt(number), entries });
        }
    }
    Ok((gone, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn a_clock_that_is_ahead_of_all_events_drops_nothing() {
        let before = |borne_out: i64| Today { borne_out: Timestamp(borne_out), since: Instant::now() }.before(DAY).0;
        let now = clock::now().0;
        let yesterday = now - DAY_MS..now - DAY_MS + 60_000;
        assert!(yesterday.contains(&before(now)));
        let last_year = now - 365 * DAY_MS;
        assert!(before(last_year) < last_year - DAY_MS + 60_000, "the clock says it is a year later");
        assert!(yesterday.contains(&before(now + 365 * DAY_MS)), "events say so");
    }

    #[test]
    fn some_events_bear_out_what_time_it_is_and_a_new_host_believes_its_clock() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), Default::default()).unwrap().0;
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let append = |at: i64, count: usize| {
            let event = format!("{{\"at\":{at}}}").into_bytes();
            runtime.block_on(store.append("shop", vec![event; count])).unwrap();
        };
        let is_today = |today: Today| today.borne_out.0 > clock::now().0 - 60_000;
        assert!(is_today(Today::of(&store).unwrap()), "there is none");
        append(5, 99);
        assert!(is_today(Today::of(&store).unwrap()), "they are few");
        append(6, 2);
        assert_eq!(Today::of(&store).unwrap().borne_out, Timestamp(5));
        append(i64::MAX, 99);
        assert_eq!(Today::of(&store).unwrap().borne_out, Timestamp(6), "some of next year are not enough");
    }
}
