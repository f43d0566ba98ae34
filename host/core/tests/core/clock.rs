//! A clock that is set back, or far forward: nothing is dated earlier than what was before, and what does not ask for
//! the time goes on.

use lockgate_core::handle::Command;
use lockgate_core::name::Timestamp;
use lockgate_core::work::Step::*;

use crate::project::Project;
use crate::words::*;

const YEAR: i64 = 365 * 24 * 3_600;

fn assert_never_backward(project: &Project) {
    assert!(project.events.is_sorted_by_key(|event| event.at), "an event is dated before the one before it");
}

#[test]
fn a_clock_that_is_set_back_dates_nothing_earlier_and_ends_no_limit_sooner() {
    let mut project = Project::new(environment(), &[phase("roll-out")]);
    project.at(1_000);
    project.deploy("v1");
    project.skip_to(10);
    project.deploy("v2");
    project.send(Command::Tick);
    assert_never_backward(&project);
    assert_eq!(project.events.last().unwrap().at, Timestamp(1_000_000));
    project.at(1_059);
    assert_eq!(project.is(1), "InProgress/PhaseInProgress");
    project.at(1_060);
    assert_eq!(project.is(1), "Failed/PhaseFailed");
}

#[test]
fn a_clock_that_jumps_a_year_ends_in_one_turn_what_has_a_limit_and_nothing_that_begins_after() {
    let mut project = Project::new(environment(), &[phase("roll-out")]);
    project.deploy("v1");
    project.skip_to(YEAR);
    project.send(Command::Tick);
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    assert_eq!(project.state.wake_at(), None);
    project.deploy("v2");
    project.at(YEAR + 59);
    project.answer(2, Run(0), done());
    assert_eq!(project.is(2), "Succeeded/Approved");
    assert_never_backward(&project);
}

/// Its limits wait until the clock has caught up, and nothing else does.
#[test]
fn a_clock_that_was_a_year_ahead_for_a_moment_holds_up_no_answer() {
    let mut project = Project::new(environment(), &[phase("roll-out")]);
    project.at(YEAR);
    project.deploy("v1");
    project.skip_to(10);
    project.answer(1, Run(0), done());
    assert_eq!(project.is(1), "Succeeded/Approved");
    project.deploy("v2");
    assert_eq!(project.due(), "2 Run(0)");
    assert_eq!(project.state.wake_at(), Some(Timestamp((YEAR + 60) * 1_000)));
    assert_never_backward(&project);
}
