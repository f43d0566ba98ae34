//! Start: snapshots, then the events after them, in one pass over the journal. On the way the index gets what it
//! does not have: little after a stop, everything after it was lost.
//!
//! Where events were dropped, what stands for them takes their place: a stream begins there unless it has a newer snapshot.
//!
//! Only the system stream and the disk stop the start. A project whose events cannot be read is loaded up to there,
//! with the reason, and the others go on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_core::snapshot::{Deployments, Missing, Restored};
use lockgate_core::state::{Event, State, What};
use lockgate_core::system::{SystemEvent, SystemState};
use lockgate_core::work::ProjectId;
use lockgate_store::{
    Beginning, Direction, Entry, IndexBatch, PageQuery, Row, Snapshot, SnapshotChange, Store, StoreError,
};

use super::condensed::{self, Condensed, Unreadable};
use super::history::{Newest, Paged, paged_through};
use super::index::{self, Finished, IN_MEMORY, Unsaved};
use super::narrate::{self, HistoryRow};
use super::system::STREAM;

/// Rows that gather before they go to the index: a rebuild must not hold all of history in memory.
const ROWS_PER_BATCH: usize = 2_048;

/// A project as it was loaded: up to `sequence`, or to the event before the one that could not be read.
pub struct Loaded {
    pub state: State,
    pub newest: Newest,
    /// What the newest snapshot has, and how large it is without its deployments.
    pub snapshot: Deployments,
    pub snapshot_bytes: usize,
    pub unsaved: Unsaved,
    pub sequence: u64,
    pub damage: Option<String>,
}

impl Loaded {
    /// A project that nothing has happened to.
    pub fn new(state: State) -> Self {
        Self {
            state,
            newest: Newest::default(),
            snapshot: Deployments::new(),
            snapshot_bytes: 0,
            unsaved: Unsaved::after(0),
            sequence: 0,
            damage: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "event {sequence}, of plugins and tokens: this version of Lockgate cannot read it ({error}); use the version that wrote it, or a newer one"
    )]
    UnknownEvent { sequence: u64, error: serde_json::Error },
    #[error(
        "what stands for the dropped events of plugins and tokens: this version of Lockgate cannot read it ({0}); use the version that wrote it, or a newer one"
    )]
    UnknownBeginning(Unreadable),
}

/// The system's state up to an event, and what its snapshot does not have of that.
pub struct LoadedSystem {
    pub state: SystemState,
    pub sequence: u64,
    pub unsaved: Unsaved,
}

/// The system, and each project with the sequence of its last event.
pub async fn all(store: &Store) -> Result<(LoadedSystem, Vec<Loaded>), ReplayError> {
    let begins = store.base()?.map(|base| base.streams).unwrap_or_default();
    let mut system = system_snapshot(store, begins.get(STREAM))?;
    let mut snapshots = snapshots(store, &begins).await?;
    let mut through: BTreeMap<String, u64> =
        snapshots.iter().map(|(stream, replay)| (stream.clone(), replay.sequence)).collect();
    through.insert(STREAM.to_owned(), system.sequence);
    for (stream, begins) in &begins {
        through.entry(stream.clone()).or_insert(begins.head.last);
    }
    let mut projects: BTreeMap<String, Replay> = BTreeMap::new();
    for event in store.tail(&through)? {
        let event = event?;
        if event.stream == STREAM {
            let unreadable = |error| ReplayError::UnknownEvent { sequence: event.sequence, error };
            system.state.apply(&serde_json::from_slice::<SystemEvent>(&event.payload).map_err(unreadable)?);
            system.sequence = event.sequence;
            system.unsaved.add(event.sequence..=event.sequence);
            continue;
        }
        if !projects.contains_key(&event.stream) {
            let begun = match snapshots.remove(&event.stream) {
                Some(snapshot) => Some(snapshot),
                None => {
                    let begins = begins.get(&event.stream);
                    Replay::from_the_beginning(store, &system.state, &event.stream, begins)?
                }
            };
            let Some(replay) = begun else { continue };
            projects.insert(event.stream.clone(), replay);
        }
        if let Some(replay) = projects.get_mut(&event.stream) {
            replay.take(store, event.sequence, &event.payload).await?;
        }
    }
    // Projects without a newer event than their snapshot, and those that have no event at all.
    projects.extend(snapshots);
    for (stream, begins) in begins.iter().filter(|(stream, _)| *stream != STREAM) {
        if !projects.contains_key(stream)
            && let Some(replay) = Replay::from_the_beginning(store, &system.state, stream, Some(begins))?
        {
            projects.insert(stream.clone(), replay);
        }
    }
    for project in system.state.projects.values() {
        projects.entry(project.name.to_string()).or_insert_with(|| Replay::new(State::new(project.clone()), 0, 0));
    }
    let mut loaded = Vec::new();
    for replay in projects.into_values() {
        loaded.push(replay.finish(store).await?);
    }
    Ok((system, loaded))
}

/// Where there is none that can be read, what it begins with: then all events after that are read.
fn system_snapshot(store: &Store, begins: Option<&Beginning>) -> Result<LoadedSystem, ReplayError> {
    let loaded = |state, through| LoadedSystem { state, sequence: through, unsaved: Unsaved::after(through) };
    let begins_at = begins.map_or(0, |begins| begins.head.last);
    if let Some(snapshot) = store.snapshot(STREAM)?.filter(|snapshot| snapshot.through >= begins_at) {
        match serde_json::from_slice(&snapshot.state) {
            Ok(state) => return Ok(loaded(state, snapshot.through)),
            Err(error) => {
                tracing::warn!(%error, "the snapshot of plugins and tokens cannot be read; they are read again from the journal");
            }
        }
    }
    let state = begins.map(|begins| condensed::system_of_parts(&begins.state)).transpose();
    Ok(loaded(state.map_err(ReplayError::UnknownBeginning)?.unwrap_or_default(), begins_at))
}

/// Of each project that has one that can be read, and goes on where the journal does. Another is no loss: it was made of the
/// events, or of what stands for them.
async fn snapshots(
    store: &Store,
    begins: &BTreeMap<String, Beginning>,
) -> Result<BTreeMap<String, Replay>, StoreError> {
    let mut snapshots = BTreeMap::new();
    for stream in store.streams().into_iter().filter(|stream| stream != STREAM) {
        let Some(snapshot) = store.snapshot(&stream)? else { continue };
        let indexed = store.indexed_through(&stream)?;
        if begins.get(&stream).is_some_and(|begins| snapshot.through < begins.head.last) {
            remove_snapshot(store, stream, indexed).await?;
            continue;
        }
        match read(store, &stream, &snapshot) {
            Ok(state) => {
                let snapshot_bytes = snapshot.state.len();
                snapshots.insert(stream, Replay { snapshot_bytes, ..Replay::new(state, snapshot.through, indexed) });
            }
            Err(NoSnapshot::Store(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(project = stream, %error, "its snapshot cannot be read; it is built again from the journal");
                remove_snapshot(store, stream, indexed).await?;
            }
        }
    }
    Ok(snapshots)
}

#[derive(Debug, thiserror::Error)]
enum NoSnapshot {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
    #[error(transparent)]
    Missing(#[from] Missing),
}

fn read(store: &Store, stream: &str, snapshot: &Snapshot) -> Result<State, NoSnapshot> {
    let mut restored = Restored::new(serde_json::from_slice(&snapshot.state)?);
    for record in records(store, stream) {
        let (_, deployment) = record?;
        restored.add(serde_json::from_slice(&deployment)?);
    }
    Ok(restored.whole()?)
}

/// Both parts go at once: of a snapshot without its records nothing that waits would ever start.
async fn remove_snapshot(store: &Store, stream: String, through: u64) -> Result<(), StoreError> {
    let gone = |(key, _): Row| Entry { table: IN_MEMORY, key, value: None };
    let entries = records(store, &stream).map(|record| record.map(gone)).collect::<Result<_, _>>()?;
    store.index(IndexBatch { stream, through, snapshot: SnapshotChange::Remove, entries }).await
}

/// The deployments of a stream's snapshot.
fn records(store: &Store, stream: &str) -> impl Iterator<Item = Result<Row, StoreError>> {
    let mut page = VecDeque::new();
    let mut after: Option<Vec<u8>> = None;
    std::iter::from_fn(move || {
        if page.is_empty() {
            let rows = store.page(&PageQuery {
                stream,
                table: IN_MEMORY,
                prefix: &[],
                after: after.as_deref(),
                limit: ROWS_PER_BATCH,
                direction: Direction::Ascending,
            });
            match rows {
                Ok(rows) => page = VecDeque::from(rows),
                Err(error) => return Some(Err(error)),
            }
        }
        let (key, value) = page.pop_front()?;
        after = Some(key.clone());
        Some(Ok((key, value)))
    })
}

struct Replay {
    state: State,
    newest: Newest,
    /// What the newest snapshot has, and how large it is without its deployments.
    snapshot: Deployments,
    snapshot_bytes: usize,
    sequence: u64,
    /// The index has everything up to here.
    indexed: u64,
    /// Of each deployment that was met: the last row of its history in there.
    told: BTreeMap<DeploymentNumber, u64>,
    rows: Vec<Entry>,
    finished: Vec<Finished>,
    pages: Vec<Paged>,
    unsaved: Unsaved,
    /// Why nothing after `sequence` was taken in.
    damage: Option<String>,
}

impl Replay {
    fn new(state: State, sequence: u64, indexed: u64) -> Self {
        let snapshot = state.deployments.clone();
        Self {
            state,
            newest: Newest::default(),
            snapshot,
            snapshot_bytes: 0,
            sequence,
            indexed,
            told: BTreeMap::new(),
            rows: Vec::new(),
            finished: Vec::new(),
            pages: Vec::new(),
            unsaved: Unsaved::after(sequence),
            damage: None,
        }
    }

    /// A project before the first event that the journal has of it.
    fn from_the_beginning(
        store: &Store,
        system: &SystemState,
        stream: &str,
        begins: Option<&Beginning>,
    ) -> Result<Option<Self>, StoreError> {
        let indexed = store.indexed_through(stream)?;
        match begins {
            Some(begins) => Self::from_base(store, stream, begins, indexed),
            None => Ok(Self::from_nothing(system, stream, indexed)),
        }
    }

    /// What stands for its first events. The index may have some of the history, but no snapshot of that.
    fn from_base(store: &Store, stream: &str, begins: &Beginning, indexed: u64) -> Result<Option<Self>, StoreError> {
        let Condensed { state, told } = match Condensed::of_parts(stream, &begins.state) {
            Ok(condensed) => condensed,
            Err(error) => {
                let damage = format!(
                    "what stands for its first events, which were dropped, cannot be read ({error}): use the version of Lockgate that wrote it, or a newer one"
                );
                return Ok(Self::damaged(stream, damage));
            }
        };
        let mut replay = Self { snapshot: Deployments::new(), ..Self::new(state, begins.head.last, indexed) };
        for (number, rows) in told {
            for (sequence, row) in rows {
                replay.tell(store, number, sequence, |_| Arc::unwrap_or_clone(row))?;
            }
        }
        Ok(Some(replay))
    }

    /// A project before its first event: nothing but its id, which the system stream holds.
    fn from_nothing(system: &SystemState, stream: &str, indexed: u64) -> Option<Self> {
        if let Some(project) = system.projects.get(stream) {
            return Some(Self::new(State::new(project.clone()), 0, indexed));
        }
        let damage = "the journal has its events, but not that it was created; the data folder is not whole, restore it from a backup";
        Self::damaged(stream, damage.to_owned())
    }

    fn damaged(stream: &str, damage: String) -> Option<Self> {
        tracing::error!(project = stream, "{damage}");
        let name: Name = stream.parse().ok()?;
        let state = State::new(ProjectId { name, uid: String::new() });
        Some(Self { damage: Some(damage), ..Self::new(state, 0, 0) })
    }

    async fn take(&mut self, store: &Store, sequence: u64, payload: &[u8]) -> Result<(), StoreError> {
        if self.damage.is_some() {
            return Ok(());
        }
        let read: Result<Event, String> = serde_json::from_slice(payload).map_err(|error| error.to_string());
        // A misfit changes nothing.
        let applied =
            read.and_then(|event| self.state.apply(&event).map(|()| event).map_err(|misfit| misfit.to_string()));
        match applied {
            Ok(event) => self.note(store, sequence, event).await,
            Err(why) => {
                let project = &self.state.project.name;
                let damage = format!(
                    "its event {sequence} cannot be read ({why}): use the version of Lockgate that wrote it, or a newer one"
                );
                tracing::error!(%project, "this project is not started: {damage}");
                self.damage = Some(damage);
                Ok(())
            }
        }
    }

    async fn note(&mut self, store: &Store, sequence: u64, event: Event) -> Result<(), StoreError> {
        self.sequence = sequence;
        self.unsaved.add(sequence..=sequence);
        if let What::DeploymentReopened { deployment } = &event.what {
            // It is about to be tried again, and must be there for that.
            self.finished.retain(|(number, _)| *number != deployment.number);
        }
        let finished = index::finished_by(&self.state, &event);
        if let Some(number) = event.what.deployment() {
            self.tell(store, number, sequence, |state| narrate::row(state, number, &event))?;
        }
        if sequence > self.indexed {
            self.rows.extend(finished.and_then(|finished| index::record(&self.state, finished)));
        }
        self.finished.extend(finished);
        // Where there is nothing to write, the index has what has finished: it need not stay here.
        if self.rows.is_empty() || self.rows.len() >= ROWS_PER_BATCH {
            self.flush(store).await?;
        }
        Ok(())
    }

    /// What the index does not have yet.
    fn tell(
        &mut self,
        store: &Store,
        number: DeploymentNumber,
        sequence: u64,
        row: impl FnOnce(&State) -> HistoryRow,
    ) -> Result<(), StoreError> {
        if sequence <= self.told_through(store, number)? {
            return Ok(());
        }
        let row = row(&self.state);
        self.newest.add(number, sequence, row);
        if let Some((page, paged)) = self.newest.take_page(&self.state, number) {
            self.rows.push(page);
            self.pages.push(paged);
        }
        Ok(())
    }

    fn told_through(&mut self, store: &Store, number: DeploymentNumber) -> Result<u64, StoreError> {
        if self.indexed == 0 {
            return Ok(0);
        }
        if let Some(told) = self.told.get(&number) {
            return Ok(*told);
        }
        let told = paged_through(store, &self.state.project.name, number)?;
        self.told.insert(number, told);
        Ok(told)
    }

    /// What the index has the record of leaves memory.
    async fn flush(&mut self, store: &Store) -> Result<(), StoreError> {
        if !self.rows.is_empty() {
            let (stream, snapshot) = (self.state.project.name.to_string(), SnapshotChange::Keep);
            let entries = std::mem::take(&mut self.rows);
            store.index(IndexBatch { stream, through: self.sequence, snapshot, entries }).await?;
        }
        for (number, attempt) in self.finished.drain(..) {
            self.state.forget(number, attempt);
        }
        for page in self.pages.drain(..) {
            self.newest.forget(page);
        }
        Ok(())
    }

    async fn finish(mut self, store: &Store) -> Result<Loaded, StoreError> {
        self.flush(store).await?;
        // Those of the snapshot that had finished by then: the index had them first.
        let over = self.state.deployments.values().filter(|deployment| deployment.is_finished());
        self.finished = over.map(|deployment| (deployment.number, deployment.attempt.number)).collect();
        self.flush(store).await?;
        let Self { state, newest, snapshot, snapshot_bytes, unsaved, sequence, damage, .. } = self;
        Ok(Loaded { state, newest, snapshot, snapshot_bytes, unsaved, sequence, damage })
    }
}
