//! Gates as people see them: of both sides, and of the phases.

use lockgate_core::definition::Gate;
use lockgate_core::deployment::{Deployment, GateRun, GateState, PhaseResult};
use lockgate_core::work::GatesOf;

use super::approvals::answer;
use super::word;
use crate::clock::rfc3339;
use crate::wire;

/// Of both sides and of the phases under way; those to come with no outcome yet.
pub fn gates(deployment: &Deployment) -> Vec<wire::Gate> {
    let phases = (0..deployment.attempt.phases.len()).map(GatesOf::Phase);
    let all = std::iter::once(GatesOf::Pre).chain(phases).chain([GatesOf::Post]);
    all.flat_map(|of| gates_of(deployment, of)).collect()
}

fn gates_of(deployment: &Deployment, of: GatesOf) -> Vec<wire::Gate> {
    match deployment.attempt.gates(of) {
        Some(run) => run.gates.iter().map(|gate| sampled(run, gate)).collect(),
        None if is_to_come(deployment, of) => {
            deployment.gate_set(of).into_iter().flat_map(|set| &set.gates).map(to_come).collect()
        }
        None => Vec::new(),
    }
}

/// What a phase that is over has found is in its summary and in the log.
fn is_to_come(deployment: &Deployment, of: GatesOf) -> bool {
    match of {
        GatesOf::Pre | GatesOf::Post => true,
        GatesOf::Phase(index) => deployment.attempt.phases[index].result == PhaseResult::Waiting,
    }
}

fn to_come(gate: &Gate) -> wire::Gate {
    wire::Gate { name: gate.name.to_string(), outcome: None, reason: String::new(), at: None, rounds: 0, ignored: None }
}

fn sampled(run: &GateRun, gate: &GateState) -> wire::Gate {
    let last = gate.last.as_ref();
    wire::Gate {
        name: gate.name.to_string(),
        outcome: last.map(|last| word(last.outcome)),
        reason: last.map(|last| last.reason.clone()).unwrap_or_default(),
        at: last.map(|last| rfc3339(last.at)),
        rounds: run.rounds_ended,
        ignored: gate.ignored.as_ref().map(|signature| answer(signature, true)),
    }
}
