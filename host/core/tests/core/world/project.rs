//! Definitions at random: every rule that can be set is set sometimes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;
use lockgate_core::calendar::{Availability, Freeze, FreezeEffect, Schedule, Zone};
use lockgate_core::definition::{
    ApprovalOrder, ApprovalPolicy, Definition, Environment, GateSet, OnFailure, Parallel, Phase, PhaseWork,
    ProjectLimits, Promotion, QueuePolicy, Reaction, Requirement, Workflow, WorkflowStage,
};
use lockgate_core::name::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::words::*;

/// Where histories begin: any day, and hours before clocks are set forward, back, and by a whole day.
pub const BEGINNINGS_MS: [i64; 4] = [1_000_000, 1_774_742_000_000, 1_792_882_000_000, 1_325_237_000_000];

pub fn definition(rng: &mut Rng, now: Timestamp) -> Definition {
    let mut environments = vec![("prod", protected(rng, true))];
    if rng.u8(..10) > 0 {
        environments.push(("staging", protected(rng, false)));
    } else {
        let (_, prod) = &mut environments[0];
        (prod.requires, prod.promotion) = (Vec::new(), None);
    }
    let mut workflows = vec![("full-plan", patch(rng)), ("select", selective(rng)), ("nothing", workflow(&[]))];
    for (name, stage) in
        [("build", WorkflowStage::Build), ("setup", WorkflowStage::Setup), ("teardown", WorkflowStage::Teardown)]
    {
        if rng.u8(..if stage == WorkflowStage::Build { 5 } else { 12 }) == 0 {
            let phases = if rng.bool() { vec![apply("web")] } else { vec![phase("prepare")] };
            let goes_live = rng.bool();
            let phases = if stage == WorkflowStage::Build { vec![phase("prepare")] } else { phases };
            workflows.push((name, Workflow { stage, goes_live, ..workflow(&phases) }));
        }
    }
    let environments = environments.into_iter().map(|(text, meant)| (name(text), Arc::new(meant)));
    Definition {
        applications: ["api", "site"].map(name).into(),
        environments: environments.collect(),
        workflows: workflows.into_iter().map(|(text, meant)| (name(text), Arc::new(meant))).collect(),
        endpoints: [(name("smoke"), name("full-plan")), (name("ping"), name("nothing"))].into(),
        approvals_off: rng.u8(..12) == 0,
        parallel: Parallel { enabled: rng.u8(..3) > 0, most: rng.u32(1..5), with_approvals: rng.u8(..3) > 0 },
        limits: ProjectLimits { running: limit(rng), workers: limit(rng) },
        freezes: if rng.u8(..4) == 0 { vec![freeze(rng, now)] } else { Vec::new() },
        description: String::new(),
    }
}

fn limit(rng: &mut Rng) -> Option<u32> {
    (rng.u8(..5) == 0).then(|| rng.u32(1..4))
}

fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn zone(rng: &mut Rng) -> Zone {
    let zones = ["UTC", "Europe/Berlin", "Pacific/Apia"];
    zones[rng.usize(..zones.len())].parse().unwrap()
}

fn freeze(rng: &mut Rng, now: Timestamp) -> Freeze {
    let from = Timestamp(now.0 + rng.i64(-600_000..600_000));
    let until = from.plus_ms(rng.u64(1..1_800_000));
    let effect = match rng.bool() {
        true => FreezeEffect::Deny,
        false => FreezeEffect::Stricter { rules: vec![rule(1, &["security"])] },
    };
    Freeze {
        name: name("sales"),
        period: read(json!({ "from": from.to_string(), "until": until.to_string(), "zone": "UTC" })),
        effect,
        reason: "no risk now".to_owned(),
        environments: if rng.bool() { BTreeSet::new() } else { [name("prod")].into() },
    }
}

fn availability(rng: &mut Rng) -> Availability {
    let time = |hour: u8| format!("{hour:02}:{:02}", 0);
    let days = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    let (from, to) = (rng.u8(..24), rng.u8(..24));
    let window = read(json!({ "days": days, "from": time(from), "to": time(to) }));
    Availability { zone: zone(rng), windows: vec![window] }
}

fn schedule(rng: &mut Rng) -> Schedule {
    let cadence = match rng.u8(..4) {
        0 => json!({ "every": { "count": 7, "unit": "minutes" } }),
        1 => json!({ "every": { "count": 1, "unit": "days" } }),
        2 => json!({ "cron": "*/10 * * * *" }),
        3.. => json!({ "cron": "30 2 * * *" }),
    };
    Schedule { cadence: read(cadence), zone: zone(rng) }
}

fn protected(rng: &mut Rng, is_last: bool) -> Environment {
    let mut environment = environment();
    for (target, application) in [("web", "site"), ("db", "api")] {
        environment.targets.get_mut(target).unwrap().application = Some(name(application));
    }
    let sometimes = |rng: &mut Rng, of: u8| rng.u8(..of) == 0;
    let requires = (is_last && sometimes(rng, 5))
        .then(|| Requirement { environment: name("staging"), for_ms: rng.u64(..3) * 60 * SECOND });
    let promotion = (is_last && sometimes(rng, 2)).then(|| Promotion {
        from: name("staging"),
        automatic: rng.u8(..4) > 0,
        partial: rng.bool(),
    });
    Environment {
        variables: BTreeMap::from([("size".to_owned(), rng.u8(..2).to_string())]),
        workflow: Some(name(if rng.u8(..5) == 0 { "nothing" } else { "full-plan" })),
        queue: [QueuePolicy::Sequence, QueuePolicy::Latest, QueuePolicy::Unlimited][rng.usize(..3)],
        approvals_off: sometimes(rng, 12),
        approvals: policy(rng, 3),
        post_approvals: policy(rng, 7),
        rollback_approvals: policy(rng, 8),
        pre_gates: sometimes(rng, 4).then(|| gate_set(rng)),
        post_gates: sometimes(rng, 3).then(|| gate_set(rng)),
        requires: requires.into_iter().collect(),
        promotion,
        availability: if sometimes(rng, 8) { availability(rng) } else { Availability::default() },
        schedule: sometimes(rng, 8).then(|| schedule(rng)),
        expires_after_ms: sometimes(rng, 8).then(|| rng.u64(60..900) * SECOND),
        ..environment
    }
}

fn reaction(rng: &mut Rng) -> Reaction {
    [Reaction::Reject, Reaction::Reject, Reaction::Skip, Reaction::Cancel][rng.usize(..4)]
}

/// Asks nobody in most cases out of so many.
fn policy(rng: &mut Rng, of: u8) -> ApprovalPolicy {
    let rules = match rng.u8(..of) {
        0 => vec![rule(1, &[])],
        1 if of < 5 => vec![rule(1, &["security"]), rule(1, &["dba"])],
        2 if of > 5 => vec![rule(2, &[])],
        _ => vec![],
    };
    let orders = [ApprovalOrder::Usual, ApprovalOrder::AfterGates, ApprovalOrder::AfterGatesAlways];
    ApprovalPolicy {
        rules,
        not_your_own: rng.u8(..3) > 0,
        timeout_ms: if rng.u8(..4) == 0 { 20 * SECOND } else { 600 * SECOND },
        on_timeout: reaction(rng),
        on_reject: reaction(rng),
        order: orders[rng.usize(..3)],
    }
}

fn gate_set(rng: &mut Rng) -> GateSet {
    let steady_ms = if rng.bool() { 0 } else { 15 * SECOND };
    GateSet { delay_ms: rng.u64(..2) * 5 * SECOND, steady_ms, timeout_ms: 30 * SECOND, ..gates() }
}

fn patch(rng: &mut Rng) -> Workflow {
    let phases = phases(rng);
    let on_failure = if rng.u8(..3) > 0 { OnFailure::Undo } else { OnFailure::Stop };
    let timeout_ms = (rng.u8(..5) == 0).then(|| rng.u64(20..120) * SECOND);
    Workflow { on_failure, goes_live: rng.u8(..8) > 0, timeout_ms, ..workflow(&phases) }
}

/// What can go on side by side, mostly.
fn selective(rng: &mut Rng) -> Workflow {
    let locks = |rng: &mut Rng| {
        let of = [None, Some(&["mail"][..]), Some(&["mail", "search"]), Some(&[]), Some(&[])][rng.usize(..5)];
        of.map(|locks| locks.iter().map(|lock| (*lock).to_owned()).collect::<BTreeSet<String>>())
    };
    let mut phases = vec![if rng.bool() { apply("web") } else { apply("db") }];
    if rng.u8(..3) == 0 {
        phases.push(Phase { locks: locks(rng), ..phase("index") });
    }
    let on_failure = if rng.bool() { OnFailure::Undo } else { OnFailure::Stop };
    Workflow { on_failure, ..workflow(&phases) }
}

fn phases(rng: &mut Rng) -> Vec<Phase> {
    let gates = Phase { work: PhaseWork::Gates(gate_set(rng)), ..phase("check") };
    let groups = if rng.bool() { texts(&["dba"]) } else { BTreeSet::new() };
    let manual = Phase { work: PhaseWork::Manual { instructions: "look".to_owned(), groups }, ..phase("ask") };
    let all = [phase("build"), apply("web"), gates, manual, phase("smoke"), apply("db"), phase("cleanup")];
    let mut phases: Vec<Phase> = Vec::new();
    for phase in all {
        let rare = matches!(phase.work, PhaseWork::Gates(_) | PhaseWork::Manual { .. });
        if rng.u8(..5) < if rare { 4 } else { 2 } {
            continue;
        }
        let always_run = phase.name.as_str() == "cleanup" || (rare && rng.u8(..6) == 0);
        let continue_on_error = rng.u8(..5) == 0;
        let group = (rng.u8(..3) == 0).then(|| name("together"));
        let weight = if rng.bool() { 100 } else { 10 };
        let timeout_ms = 30 * SECOND;
        let retries = rng.u32(..3);
        phases.push(Phase { retries, timeout_ms, always_run, continue_on_error, group, weight, ..phase });
    }
    phases
}
