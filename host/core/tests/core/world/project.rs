//! Definitions at random: every rule that can be set is set sometimes.

use fastrand::Rng;
use lockgate_core::definition::{ApprovalPolicy, Definition, Environment, GateSet, OnFailure, Phase, Workflow};

use crate::words::*;

pub fn definition(rng: &mut Rng) -> Definition {
    let environments = match rng.u8(..10) {
        0 => vec![("prod", protected(rng))],
        _ => vec![("prod", protected(rng)), ("staging", protected(rng))],
    };
    let phases = phases(rng);
    let on_failure = if rng.u8(..3) > 0 { OnFailure::Undo } else { OnFailure::Stop };
    crate::words::definition(&environments, Workflow { on_failure, goes_live: rng.u8(..8) > 0, ..workflow(&phases) })
}

fn protected(rng: &mut Rng) -> Environment {
    Environment {
        approvals: policy(rng),
        rollback_approvals: if rng.u8(..4) == 0 { policy(rng) } else { ApprovalPolicy::default() },
        post_gates: rng.bool().then(|| gate_set(rng)),
        ..environment()
    }
}

fn policy(rng: &mut Rng) -> ApprovalPolicy {
    let rules = match rng.u8(..6) {
        0..3 => vec![],
        3 => vec![rule(1, &[])],
        4 => vec![rule(1, &["security"]), rule(1, &["dba"])],
        5.. => vec![rule(2, &[])],
    };
    ApprovalPolicy { rules, not_your_own: rng.u8(..3) > 0, timeout_ms: 600 * SECOND, ..ApprovalPolicy::default() }
}

fn gate_set(rng: &mut Rng) -> GateSet {
    let steady_ms = if rng.bool() { 0 } else { 15 * SECOND };
    GateSet { delay_ms: rng.u64(..2) * 5 * SECOND, steady_ms, timeout_ms: 30 * SECOND, ..gates() }
}

fn phases(rng: &mut Rng) -> Vec<Phase> {
    let all = [phase("build"), apply("web"), phase("smoke"), apply("db"), phase("cleanup")];
    let mut phases = Vec::new();
    for phase in all {
        if rng.u8(..4) == 0 {
            continue;
        }
        let always_run = phase.name.as_str() == "cleanup";
        let continue_on_error = rng.u8(..5) == 0;
        phases.push(Phase { retries: rng.u32(..3), timeout_ms: 30 * SECOND, always_run, continue_on_error, ..phase });
    }
    phases
}
