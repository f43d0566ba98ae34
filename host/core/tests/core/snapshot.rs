//! What is written of a state between its events.

use std::sync::Arc;

use lockgate_core::snapshot::{Restored, changed};

use crate::project::Project;
use crate::words::*;

fn waiting(count: usize) -> Project {
    let mut project = Project::new(environment(), &[apply("web")]);
    for _ in 0..count {
        project.deploy("v1");
    }
    project
}

#[test]
fn a_snapshot_writes_what_has_changed_and_no_more() {
    let mut project = waiting(1_000);
    let before = project.state.deployments.clone();
    project.cancel(500).unwrap();
    let new = project.deploy("v1");
    project.state.forget(700, 1);
    let written = |project: &Project| -> Vec<(u64, bool)> {
        changed(&before, &project.state.deployments).map(|(number, record)| (number, record.is_some())).collect()
    };
    assert_eq!(written(&project), [(500, true), (new, true)], "700 has not ended");
    project.state.forget(500, 1);
    assert_eq!(written(&project), [(500, false), (new, true)]);
}

#[test]
fn what_was_written_is_the_state_and_holds_once_what_many_share() {
    let project = waiting(100);
    let state = &project.state;
    let mut restored = Restored::new(serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap());
    for deployment in state.deployments.values() {
        restored.add(serde_json::from_str(&serde_json::to_string(deployment).unwrap()).unwrap());
    }
    let restored = restored.whole().unwrap();
    assert!(restored == *state);
    let one = |number: u64| &restored.deployments[&number];
    assert!(Arc::ptr_eq(&one(2).release, &one(99).release));
    assert!(Arc::ptr_eq(&one(2).attempt.environment, &one(99).attempt.environment));
    for state in [state, &restored] {
        let phase = |number: u64| &state.deployments[&number].attempt.phases[0];
        assert!(Arc::ptr_eq(phase(2), phase(99)), "nothing is done in either");
    }
}

#[test]
fn a_state_is_not_whole_without_the_record_of_one_that_waits() {
    let project = waiting(2);
    let without = Restored::new(serde_json::from_str(&serde_json::to_string(&project.state).unwrap()).unwrap());
    let why = without.whole().unwrap_err().to_string();
    assert!(why.ends_with("waits or is under way, and its record is not there"), "{why}");
}
