//! Start: snapshots, then the events after them, in one pass over the journal. On the way the index gets what it
//! does not have: little after a stop, everything after it was lost.

use std::collections::BTreeMap;

use lockgate_core::name::DeploymentNumber;
use lockgate_core::state::{Event, State};
use lockgate_core::system::{SystemEvent, SystemState};
use lockgate_store::{Entry, IndexBatch, Store};

use super::host::HostError;
use super::index;
use super::project::EVENTS_PER_SNAPSHOT;
use super::system::STREAM;

/// Rows that gather before they go to the index: a rebuild must not hold all of history in memory.
const ROWS_PER_BATCH: usize = 2_048;

/// The system's state, and each project's with the sequence of its last event.
pub async fn all(store: &Store) -> Result<(SystemState, Vec<(State, u64)>), HostError> {
    let mut system = SystemState::default();
    let mut projects: BTreeMap<String, Replay> = BTreeMap::new();
    for event in store.tail()? {
        let event = event?;
        let unreadable =
            |error| HostError::UnknownEvent { stream: event.stream.clone(), sequence: event.sequence, error };
        if event.stream == STREAM {
            let change: SystemEvent = serde_json::from_slice(&event.payload).map_err(unreadable)?;
            system.apply(&change);
            continue;
        }
        if !projects.contains_key(&event.stream) {
            projects.insert(event.stream.clone(), Replay::start(store, &system, &event.stream)?);
        }
        let change: Event = serde_json::from_slice(&event.payload).map_err(unreadable)?;
        if let Some(replay) = projects.get_mut(&event.stream) {
            replay.apply(store, event.sequence, change).await?;
        }
    }
    // Projects without a newer event than their snapshot, and those that have no event at all.
    for project in system.projects.values() {
        let name = project.name.to_string();
        if !projects.contains_key(&name) {
            projects.insert(name.clone(), Replay::start(store, &system, &name)?);
        }
    }
    let mut ready = Vec::new();
    for (_, replay) in projects {
        ready.push(replay.finish(store).await?);
    }
    Ok((system, ready))
}

struct Replay {
    state: State,
    sequence: u64,
    /// The index has everything up to here.
    indexed: u64,
    rows: Vec<Entry>,
    finished: Vec<DeploymentNumber>,
    events: u64,
}

impl Replay {
    /// A project before its tail: its snapshot, or nothing but its id, which the system stream holds.
    fn start(store: &Store, system: &SystemState, name: &str) -> Result<Self, HostError> {
        let indexed = store.indexed_through(name)?;
        let (state, sequence) = match store.snapshot(name)? {
            Some(snapshot) => {
                let unreadable =
                    |error| HostError::UnknownEvent { stream: name.to_owned(), sequence: snapshot.through, error };
                (serde_json::from_slice(&snapshot.state).map_err(unreadable)?, snapshot.through)
            }
            None => {
                let orphan = || HostError::OrphanStream { stream: name.to_owned() };
                (State::new(system.projects.get(name).cloned().ok_or_else(orphan)?), 0)
            }
        };
        Ok(Self { state, sequence, indexed, rows: Vec::new(), finished: Vec::new(), events: 0 })
    }

    async fn apply(&mut self, store: &Store, sequence: u64, event: Event) -> Result<(), HostError> {
        self.state.apply(&event);
        self.sequence = sequence;
        self.events += 1;
        let finished = index::finished_by(&event);
        if sequence > self.indexed {
            self.rows.extend(index::entries(&self.state, &[(sequence, event)], finished.as_slice()));
        }
        self.finished.extend(finished);
        if self.rows.len() >= ROWS_PER_BATCH || self.finished.len() >= ROWS_PER_BATCH {
            self.flush(store, None).await?;
        }
        Ok(())
    }

    /// What the index has the record of leaves memory.
    async fn flush(&mut self, store: &Store, snapshot: Option<Vec<u8>>) -> Result<(), HostError> {
        if !self.rows.is_empty() || snapshot.is_some() {
            let stream = self.state.project.name.to_string();
            let entries = std::mem::take(&mut self.rows);
            store.index(IndexBatch { stream, through: self.sequence, snapshot, entries }).await?;
        }
        for number in self.finished.drain(..) {
            self.state.forget(number);
        }
        Ok(())
    }

    async fn finish(mut self, store: &Store) -> Result<(State, u64), HostError> {
        self.flush(store, None).await?;
        // Those of the snapshot that had finished by then: the index had them first.
        self.finished = self.state.deployments.values().filter(|it| it.is_finished()).map(|it| it.number).collect();
        self.flush(store, None).await?;
        if self.events >= EVENTS_PER_SNAPSHOT {
            let snapshot = serde_json::to_vec(&self.state).expect("a state is plain data");
            self.flush(store, Some(snapshot)).await?;
        }
        Ok((self.state, self.sequence))
    }
}
