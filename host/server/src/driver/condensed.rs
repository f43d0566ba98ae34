//! What stands for events that were dropped: made of them, kept in the journal's base, and read by a start that has no newer
//! snapshot.
//!
//! Its parts are lines of JSON. A snapshot can be made again and this cannot, so whatever was once written is read for ever:
//! `tests/host/retention` keeps some. So a field that is new in a state, a deployment or a system needs a default.

use std::collections::BTreeMap;

use lockgate_core::deployment::Deployment;
use lockgate_core::name::{DeploymentNumber, Name, Timestamp};
use lockgate_core::snapshot::{Missing, Restored};
use lockgate_core::state::{Event, State};
use lockgate_core::system::{SystemEvent, SystemState};
use lockgate_core::work::ProjectId;
use lockgate_store::{Base, States, Store, StoreError};
use serde::{Deserialize, Serialize};

use super::history::{self, Row};
use super::index::finished_by;
use super::narrate;
use super::system::STREAM;
use crate::clock;

#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("{0}")]
    Shape(#[from] serde_json::Error),
    #[error(transparent)]
    Missing(#[from] Missing),
    #[error("it has no state")]
    NoState,
    #[error("it is the state of project `{0}`")]
    OfAnother(Name),
}

#[derive(Debug, thiserror::Error)]
pub enum CondenseError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("what stands for the first events of `{stream}` cannot be read: {error}")]
    Beginning { stream: String, error: Unreadable },
    #[error("event {sequence} of `{stream}` cannot be read: {why}")]
    Event { stream: String, sequence: u64, why: String },
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Part<'a> {
    System(&'a SystemState),
    /// Without its deployments.
    State(&'a State),
    Deployment(&'a Deployment),
    History {
        deployment: DeploymentNumber,
        rows: &'a [Row],
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReadPart {
    System(Box<SystemState>),
    State(Box<State>),
    Deployment(Box<Deployment>),
    History { deployment: DeploymentNumber, rows: Vec<Row> },
}

fn line(part: &Part<'_>) -> Vec<u8> {
    serde_json::to_vec(part).expect("parts are plain data")
}

/// A project as its first events add up: without what had ended by then.
pub struct Condensed {
    pub state: State,
    /// The history of those that had not.
    pub told: BTreeMap<DeploymentNumber, Vec<Row>>,
}

impl Condensed {
    pub fn of_parts(stream: &str, parts: &[Vec<u8>]) -> Result<Self, Unreadable> {
        let (mut state, mut deployments) = (None, Vec::new());
        let mut told: BTreeMap<DeploymentNumber, Vec<Row>> = BTreeMap::new();
        for part in parts {
            match serde_json::from_slice(part)? {
                ReadPart::State(read) => state = Some(*read),
                ReadPart::Deployment(deployment) => deployments.push(*deployment),
                ReadPart::History { deployment, rows } => told.entry(deployment).or_default().extend(rows),
                ReadPart::System(_) => {}
            }
        }
        let state = state.ok_or(Unreadable::NoState)?;
        if state.project.name.as_str() != stream {
            return Err(Unreadable::OfAnother(state.project.name));
        }
        let mut restored = Restored::new(state);
        deployments.into_iter().for_each(|deployment| restored.add(deployment));
        Ok(Self { state: restored.whole()?, told })
    }

    fn new(project: ProjectId) -> Self {
        Self { state: State::new(project), told: BTreeMap::new() }
    }

    /// Of what has ended the history stays until all is read: it may be tried again.
    fn take(&mut self, sequence: u64, payload: &[u8]) -> Result<Timestamp, String> {
        let event: Event = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        self.state.apply(&event).map_err(|misfit| misfit.to_string())?;
        if let Some(number) = event.what.deployment() {
            let row = narrate::row(&self.state, number, &event);
            self.told.entry(number).or_default().push((sequence, row.into()));
        }
        if let Some((number, attempt)) = finished_by(&self.state, &event) {
            self.state.forget(number, attempt);
        }
        Ok(event.at)
    }

    fn parts(&self) -> Vec<Vec<u8>> {
        let deployments = self.state.deployments.values().map(|deployment| line(&Part::Deployment(deployment)));
        let told = self.told.iter().filter(|(number, _)| self.state.deployments.contains_key(*number));
        let pages = told.flat_map(|(deployment, rows)| {
            let deployment = *deployment;
            history::in_pages(rows).map(move |rows| line(&Part::History { deployment, rows }))
        });
        [line(&Part::State(&self.state))].into_iter().chain(deployments).chain(pages).collect()
    }
}

pub fn system_of_parts(parts: &[Vec<u8>]) -> Result<SystemState, Unreadable> {
    for part in parts {
        if let ReadPart::System(state) = serde_json::from_slice(part)? {
            return Ok(*state);
        }
    }
    Err(Unreadable::NoState)
}

/// What the first events add up to, by stream.
#[derive(Default)]
pub struct Condensing {
    system: SystemState,
    projects: BTreeMap<String, Condensed>,
    /// When the newest of them was, if the clock has come so far.
    pub newest: Timestamp,
}

impl Condensing {
    /// All up to a sequence; blocks. Whatever cannot be read is an error: it is not to be dropped.
    pub fn all(store: &Store, through: u64) -> Result<Self, CondenseError> {
        let base = store.base()?;
        let from = base.as_ref().map_or(1, |base| base.through + 1);
        let mut all = base.map(Self::of_base).transpose()?.unwrap_or_default();
        let now = clock::now();
        for event in store.events(from)? {
            let event = event?;
            if event.sequence > through {
                break;
            }
            let at = all.take(&event).map_err(|why| {
                let (stream, sequence) = (event.stream.clone(), event.sequence);
                CondenseError::Event { stream, sequence, why }
            })?;
            all.newest = all.newest.max(if at > now { Timestamp::default() } else { at });
        }
        Ok(all)
    }

    fn of_base(base: Base) -> Result<Self, CondenseError> {
        let mut all = Self::default();
        for (stream, begins) in base.streams {
            let unreadable = |error| CondenseError::Beginning { stream: stream.clone(), error };
            if stream == STREAM {
                all.system = system_of_parts(&begins.state).map_err(unreadable)?;
            } else {
                let project = Condensed::of_parts(&stream, &begins.state).map_err(unreadable)?;
                all.projects.insert(stream, project);
            }
        }
        Ok(all)
    }

    /// Returns when it was.
    fn take(&mut self, event: &lockgate_store::Event) -> Result<Timestamp, String> {
        let lockgate_store::Event { sequence, stream, payload } = event;
        if stream == STREAM {
            let event: SystemEvent = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
            self.system.apply(&event);
            return Ok(event.at);
        }
        if !self.projects.contains_key(stream) {
            let project = self.system.projects.get(stream.as_str()).cloned();
            let project = project.ok_or("the project was never created")?;
            self.projects.insert(stream.clone(), Condensed::new(project));
        }
        match self.projects.get_mut(stream) {
            Some(project) => project.take(*sequence, payload),
            None => Ok(Timestamp::default()),
        }
    }

    pub fn states(&self) -> States {
        let of_project = |(stream, project): (&String, &Condensed)| (stream.clone(), project.parts());
        let mut states: States = self.projects.iter().map(of_project).collect();
        states.insert(STREAM.to_owned(), vec![line(&Part::System(&self.system))]);
        states
    }
}
