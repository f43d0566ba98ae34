//! Events as hosts have written them: a line that was once written is read forever, and as it was meant.
//!
//! When an event changes, its old line stays in `samples` and a new one is added.

use std::collections::BTreeSet;

use lockgate_core::change::{Change, GatesChange, PhaseChange};
use lockgate_core::environment::EnvironmentChange;
use lockgate_core::state::{Event, What};
use lockgate_core::system::{SystemChange, SystemEvent};
use lockgate_core::work::Answer;
use serde::Serialize;
use serde::de::DeserializeOwned;

const EVENTS: &str = include_str!("samples/events.jsonl");
const SYSTEM_EVENTS: &str = include_str!("samples/system_events.jsonl");

/// The name of a variant, and the names of all: a new variant does not compile until it stands here.
macro_rules! variants {
    ($name:ident, $all:ident, $kind:ident: $($variant:ident)+) => {
        fn $name(of: &$kind) -> &'static str {
            match of { $($kind::$variant { .. } => concat!(stringify!($kind), "::", stringify!($variant))),+ }
        }
        const $all: &[&str] = &[$(concat!(stringify!($kind), "::", stringify!($variant))),+];
    };
}

variants!(what, WHATS, What: DefinitionChanged ReleaseCreated DraftEdited ReleaseActivated ReleaseAbandoned ReleaseBuilt
    Paused Resumed Environment DebtReviewed DeploymentQueued DeploymentReopened Deployment CurrentChanged
    CurrentRestored LiveChanged);
variants!(change, CHANGES, Change: AttemptQueued Enqueued Held Superseded GlassBroken
    SlotTaken AwaitsCapacity SlotGivenUp ObserveStarted Observed Overtaken PlanStarted TargetPlanned CallStarted CallAnswered
    RetryPlanned ApprovalRequested Approved Refused ApprovalCompleted ConfirmStarted Confirmed Drifted FoundStale Phase
    Gates Failed CancelRequested StopForced Finished);
variants!(phase_change, PHASE_CHANGES, PhaseChange: Started Answered Succeeded Failed Canceled Skipped CancelStarted UndoStarted
    UndoEnded);
variants!(gates_change, GATES_CHANGES, GatesChange: Started RoundStarted Judged RoundEnded Ignored
    Ended);
variants!(environment_change, ENVIRONMENT_CHANGES, EnvironmentChange: Paused Resumed Closed Opened TickPlanned Ticked
    PromotionHeld PromotionHeldBack PromotionReleased PromotionRefused SetUp ExpiryPlanned Expired StateKept StateCleared);
variants!(answer, ANSWERS, Answer: Progressed Planned Observed Sampled Failed);
variants!(system_change, SYSTEM_CHANGES, SystemChange: ProjectCreated PluginAdded PluginSigned PluginApproved PluginRetired PluginRemoved
    PluginNarrowed PluginWidened KeyTrusted IdentityTrusted KeyDistrusted IdentityDistrusted SignatureRequired SignatureNotRequired TokenCreated TokenRevoked
    SecretSet SecretRemoved);

pub fn variants_of(event: &Event) -> Vec<&'static str> {
    let mut variants = vec![what(&event.what)];
    if let What::Environment { change, .. } = &event.what {
        variants.push(environment_change(change));
    }
    if let What::Deployment { change: of, .. } = &event.what {
        variants.push(change(of));
        match of {
            Change::Phase { change, .. } => variants.push(phase_change(change)),
            Change::Gates { change, .. } => variants.push(gates_change(change)),
            Change::CallAnswered { answer: of, .. } => variants.push(answer(of)),
            _ => {}
        }
    }
    variants
}

/// Every variant of what an event may say.
pub fn events() -> Vec<&'static str> {
    [WHATS, CHANGES, PHASE_CHANGES, GATES_CHANGES, ENVIRONMENT_CHANGES, ANSWERS].concat()
}

/// Each line is read, and written again just as it is.
fn read<T: Serialize + DeserializeOwned>(lines: &str) -> Vec<T> {
    let read = |line: &str| {
        let event: T = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
        event
    };
    lines.lines().map(read).collect()
}

fn missing<'a>(all: &[&[&'a str]], there: &BTreeSet<&str>) -> Vec<&'a str> {
    all.concat().into_iter().filter(|variant| !there.contains(variant)).collect()
}

#[test]
fn every_event_that_was_ever_written_reads_back() {
    let there = read::<Event>(EVENTS).iter().flat_map(variants_of).collect();
    assert_eq!(missing(&[&events()], &there), [""; 0], "without a sample");
}

#[test]
fn every_system_event_that_was_ever_written_reads_back() {
    let there = read::<SystemEvent>(SYSTEM_EVENTS).iter().map(|event| system_change(&event.what)).collect();
    assert_eq!(missing(&[SYSTEM_CHANGES], &there), [""; 0], "without a sample");
}
