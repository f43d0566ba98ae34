//! Start: snapshots, then the events after them, in one pass over the journal.

use std::collections::BTreeMap;

use lockgate_core::state::{Event, State};
use lockgate_core::system::{SystemEvent, SystemState};
use lockgate_store::Store;

use super::host::HostError;
use super::system::STREAM;

/// The system's state, and each project's with the sequence of its last event.
pub fn all(store: &Store) -> Result<(SystemState, Vec<(State, u64)>), HostError> {
    let mut system = SystemState::default();
    let mut projects: BTreeMap<String, (State, u64)> = BTreeMap::new();
    for event in store.tail()? {
        let event = event?;
        let unreadable = |error| HostError::UnknownEvent { stream: event.stream.clone(), sequence: event.sequence, error };
        if event.stream == STREAM {
            let change: SystemEvent = serde_json::from_slice(&event.payload).map_err(unreadable)?;
            system.apply(&change);
            continue;
        }
        if !projects.contains_key(&event.stream) {
            projects.insert(event.stream.clone(), start_of(store, &system, &event.stream)?);
        }
        let change: Event = serde_json::from_slice(&event.payload).map_err(unreadable)?;
        if let Some((state, sequence)) = projects.get_mut(&event.stream) {
            state.apply(&change);
            *sequence = event.sequence;
        }
    }
    // Projects without a newer event than their snapshot, and those that have no event at all.
    for project in system.projects.values() {
        let name = project.name.to_string();
        if !projects.contains_key(&name) {
            projects.insert(name.clone(), start_of(store, &system, &name)?);
        }
    }
    Ok((system, projects.into_values().collect()))
}

/// A project before its tail: its snapshot, or nothing but its id, which the system stream holds.
fn start_of(store: &Store, system: &SystemState, name: &str) -> Result<(State, u64), HostError> {
    if let Some(snapshot) = store.snapshot(name)? {
        match serde_json::from_slice(&snapshot.state) {
            Ok(state) => return Ok((state, snapshot.through)),
            Err(error) => {
                return Err(HostError::UnknownEvent { stream: name.to_owned(), sequence: snapshot.through, error });
            }
        }
    }
    let project = system.projects.get(name).cloned().ok_or_else(|| HostError::OrphanStream { stream: name.to_owned() })?;
    Ok((State::new(project), 0))
}
