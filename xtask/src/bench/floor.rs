//! The least that wasmtime itself needs for a fresh instance and one call: no limits, no host behind the imports, no
//! thread between caller and guest.

#![expect(dead_code, reason = "an answer is lifted in its whole shape, whatever of it is read")]

use std::time::Instant;

use anyhow::{Result, anyhow};
use serde_json::Value;
use wasmtime::component::{Component, ComponentType, InstancePre, Lift, Linker, TypedFunc};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

use super::sandbox::{CALLS, CONFIG, EVIDENCE, SUBJECT, WARM_UP};

#[derive(ComponentType, Lift)]
#[component(record)]
struct Verdict {
    decision: Decision,
    reason: String,
    #[component(name = "valid-for-ms")]
    valid_for_ms: u32,
    extra: Vec<Field>,
}

#[derive(ComponentType, Lift, Clone, Copy, PartialEq)]
#[component(enum)]
#[repr(u8)]
enum Decision {
    #[component(name = "pass")]
    Pass,
    #[component(name = "fail")]
    Fail,
    #[component(name = "inconclusive")]
    Inconclusive,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Field {
    key: String,
    value: String,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Failure {
    code: String,
    message: String,
    retry: Retry,
    #[component(name = "retry-after-ms")]
    retry_after_ms: u32,
    details: String,
}

#[derive(ComponentType, Lift, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
enum Retry {
    #[component(name = "never")]
    Never,
    #[component(name = "same-key")]
    SameKey,
}

type Judge = TypedFunc<(&'static str, &'static str, &'static str), (Result<Verdict, Failure>,)>;

/// Of the same `judge` that the sandbox is asked for.
pub fn measure(component: &[u8]) -> Result<Value> {
    let nanos = judgements(component).map_err(|error| anyhow!("the floor: {error:#}"))?;
    Ok(super::spread_of_nanos(nanos))
}

fn judgements(component: &[u8]) -> wasmtime::Result<Vec<u64>> {
    let mut pool = PoolingAllocationConfig::default();
    // As guests in Python and JavaScript need it.
    pool.table_elements(20_000).max_core_instance_size(8 << 20).max_component_instance_size(8 << 20);
    pool.max_memories_per_component(4).max_tables_per_component(16).max_core_instances_per_component(100);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config)?;
    let component = Component::new(&engine, component)?;
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let ready = linker.instantiate_pre(&component)?;
    let mut nanos = Vec::with_capacity(CALLS);
    for place in 0..WARM_UP + CALLS {
        let started = Instant::now();
        judge(&engine, &component, &ready)?;
        if place >= WARM_UP {
            nanos.push(started.elapsed().as_nanos() as u64);
        }
    }
    Ok(nanos)
}

fn judge(engine: &Engine, component: &Component, ready: &InstancePre<()>) -> wasmtime::Result<()> {
    let mut store = Store::new(engine, ());
    let instance = ready.instantiate(&mut store)?;
    let missing = || wasmtime::Error::msg("this is no gate of version 0.1.0");
    let interface = component.get_export_index(None, "lockgate:gate/gate@0.1.0").ok_or_else(missing)?;
    let judge = component.get_export_index(Some(&interface), "judge").ok_or_else(missing)?;
    let judge: Judge = instance.get_typed_func(&mut store, judge)?;
    let (verdict,) = judge.call(&mut store, (CONFIG, SUBJECT, EVIDENCE))?;
    match verdict {
        Ok(Verdict { decision: Decision::Pass, .. }) => Ok(()),
        Ok(Verdict { reason, .. }) => Err(wasmtime::Error::msg(format!("the rule does not pass: {reason}"))),
        Err(Failure { code, message, .. }) => Err(wasmtime::Error::msg(format!("{code}: {message}"))),
    }
}
