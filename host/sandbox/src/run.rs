//! One call, from a fresh store to an answer that can be believed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lockgate_core::plugin::Grants;
use tokio_util::sync::CancellationToken;
use wasmtime::{Engine, Store, Trap, UpdateDeadline};
use wasmtime_wasi::{I32Exit, WasiCtx};

use crate::ask::{Broken, Question, Reply, ask};
use crate::call::{CallError, CallHost};
use crate::component::Plugin;
use crate::context::{Context, HANDLES, Surroundings, blocking, wasi};
use crate::convert::Allowance;
use crate::egress::Outside;
use crate::limits::{CpuMeter, MemoryLimiter, metered};
use crate::output::Output;
use crate::rehearsal::{CallClock, Rehearsal};
use crate::secrets::{self, Purse};
use crate::tools::{ToolRoom, Tools};

/// What a guest may hand over in one host call or answer, in the host's memory, beside the answer's own limit: an
/// artifact's chunk, a request's body. A list whose items all point at the same text is larger here than there.
const HANDOVER_RESERVE_BYTES: usize = 32 << 20;
/// Longer is no call; also keeps the clock's arithmetic in range.
const LONGEST_CALL: Duration = Duration::from_secs(24 * 60 * 60);

pub struct Run {
    pub engine: Engine,
    pub plugin: Plugin,
    pub outside: Outside,
    pub grants: Grants,
    pub workspace: Option<PathBuf>,
    pub tools: Option<ToolRoom>,
    pub host: Arc<dyn CallHost>,
    pub cancelled: CancellationToken,
    pub cancel_grace: Duration,
    pub rehearsal: Option<Rehearsal>,
}

impl Run {
    pub async fn ask(self, question: Question) -> Result<Reply, CallError> {
        let purse = Purse::default();
        let output = Output::new(self.grants.limits.log_bytes, self.host.clone(), purse.clone());
        let wall = Duration::from_millis(self.grants.limits.wall_ms).min(LONGEST_CALL);
        let clock = CallClock::new(wall, self.rehearsal.as_ref());
        let meter = CpuMeter::new(self.grants.limits.cpu_ms);
        let folders = tokio::select! {
            biased;
            reason = stopped(&self, &clock) => return Err(reason),
            folders = self.folders(&output) => folders?,
        };
        let mut store = self.store(folders, &output, &purse, &clock, &meter);

        let allowance = Allowance::new(self.grants.limits.output_bytes);
        let guest = metered(meter.clone(), ask(&self.plugin, &mut store, question, allowance));
        let answered = tokio::select! {
            biased;
            answered = guest => Ok(answered),
            reason = stopped(&self, &clock) => Err(reason),
        };
        output.finish();
        match answered {
            Ok(Ok(reply)) => {
                secrets::veiled(reply, &purse.mask()).inspect_err(|_| output.denied("keeping a revealed secret"))
            }
            Ok(Err(Broken::Answer(error))) => Err(secrets::veiled_error(error, &purse.mask())),
            Ok(Err(Broken::Guest(error))) => Err(self.diagnosis(&error, &store.data().limiter, &meter, &output)),
            Err(reason) => Err(reason),
        }
    }

    /// A disk may be slow to answer, or never answer; a call without folders asks none.
    async fn folders(&self, output: &Output) -> Result<WasiCtx, CallError> {
        if self.workspace.is_none() && self.grants.folders.is_empty() {
            return wasi(&self.grants, None, output, self.rehearsal.as_ref());
        }
        let (grants, workspace, captured) = (self.grants.clone(), self.workspace.clone(), output.clone());
        let rehearsal = self.rehearsal.clone();
        let opened = blocking(move || wasi(&grants, workspace.as_deref(), &captured, rehearsal.as_ref())).await;
        let opened = opened.map_err(|error| CallError::Sandbox(error.to_string()))?;
        if let Err(CallError::MovedFolder { name, real, .. }) = &opened {
            output.denied(&format!("folder `{name}` at {}", real.display()));
        }
        opened
    }

    fn store(
        &self,
        folders: WasiCtx,
        output: &Output,
        purse: &Purse,
        clock: &CallClock,
        meter: &Arc<CpuMeter>,
    ) -> Store<Context> {
        let context = Context::new(Surroundings {
            grants: &self.grants,
            folders,
            host: self.host.clone(),
            output: output.clone(),
            clock: clock.clone(),
            cancelled: self.cancelled.clone(),
            purse: purse.clone(),
            outside: match &self.rehearsal {
                Some(rehearsal) => self.outside.clone().behind(rehearsal.wire.clone()),
                None => self.outside.clone(),
            },
            tools: Tools { grants: self.grants.tools.clone(), room: self.tools.clone() },
        });
        let mut store = Store::new(&self.engine, context);
        store.limiter(|context| &mut context.limiter);
        store.set_hostcall_fuel(self.handover_bytes());
        store.set_max_component_handles(HANDLES);
        // Without a deadline the first instruction would trap.
        store.set_epoch_deadline(1);
        let meter = meter.clone();
        store.epoch_deadline_callback(move |_| {
            if meter.within_limit() {
                Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
            } else {
                Ok(UpdateDeadline::Interrupt)
            }
        });
        store
    }

    /// A guest that was refused memory or stopped for its CPU time traps in ways that do not say so.
    fn diagnosis(&self, error: &wasmtime::Error, memory: &MemoryLimiter, cpu: &CpuMeter, output: &Output) -> CallError {
        if cpu.exceeded() {
            return CallError::CpuLimit { limit_ms: cpu.limit_ms(), used_ms: cpu.used_ms() };
        }
        if let Some(asked_bytes) = memory.refused_bytes() {
            return CallError::MemoryLimit { limit_bytes: memory.limit_bytes(), asked_bytes };
        }
        // Wasmtime keeps this error's type to itself.
        if error.root_cause().to_string().contains("fuel allocated for hostcalls has been exhausted") {
            return CallError::HandoverLimit { limit_bytes: self.handover_bytes() as u64 };
        }
        CallError::Trap { message: reason(error), stderr: output.stderr_tail() }
    }

    fn handover_bytes(&self) -> usize {
        HANDOVER_RESERVE_BYTES.saturating_add(self.grants.limits.output_bytes as usize)
    }
}

/// Ends when the call must end whatever the guest does, also one that sits in a host function.
async fn stopped(run: &Run, clock: &CallClock) -> CallError {
    let cancelled = async {
        run.cancelled.cancelled().await;
        tokio::time::sleep(run.cancel_grace).await;
    };
    tokio::select! {
        () = clock.over() => CallError::WallLimit { limit_ms: run.grants.limits.wall_ms },
        () = cancelled => CallError::Cancelled,
    }
}

fn reason(error: &wasmtime::Error) -> String {
    if let Some(I32Exit(status)) = error.downcast_ref() {
        return format!("it exited with status {status} instead of answering");
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => trap.to_string(),
        None => error.root_cause().to_string(),
    }
}
