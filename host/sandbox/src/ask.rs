//! Which exported function answers a question, for each kind of plugin.

use lockgate_core::plugin::{CallContext, Description, Issue};
use wasmtime::Store;

use crate::bindings::gate::GatePlugin;
use crate::bindings::phase::PhasePlugin;
use crate::bindings::plugin::types;
use crate::bindings::target::TargetPlugin;
use crate::call::{Answer, CallError, Operation};
use crate::component::Plugin;
use crate::context::Context;
use crate::convert::{self, Allowance};

#[expect(clippy::large_enum_variant, reason = "one at a time, and it is nearly always the large one")]
pub enum Question {
    Describe,
    Validate { config: String },
    Call(Call),
}

pub struct Call {
    pub operation: Operation,
    pub context: CallContext,
    pub config: String,
    pub subject: String,
}

pub enum Reply {
    Description(Description),
    Issues(Vec<Issue>),
    Answer(Answer),
}

/// Why there is no reply.
pub enum Broken {
    /// The guest trapped, or was made to.
    Guest(wasmtime::Error),
    /// It answered, and the answer is a failure or nonsense.
    Answer(CallError),
}

impl From<wasmtime::Error> for Broken {
    fn from(error: wasmtime::Error) -> Self {
        Broken::Guest(error)
    }
}

impl From<CallError> for Broken {
    fn from(error: CallError) -> Self {
        Broken::Answer(error)
    }
}

pub async fn ask(
    plugin: &Plugin,
    store: &mut Store<Context>,
    question: Question,
    mut allowance: Allowance,
) -> Result<Reply, Broken> {
    match plugin {
        Plugin::Phase(pre) => {
            ask_phase(pre.instantiate_async(&mut *store).await?, store, question, &mut allowance).await
        }
        Plugin::Gate(pre) => ask_gate(pre.instantiate_async(&mut *store).await?, store, question, &mut allowance).await,
        Plugin::Target(pre) => {
            ask_target(pre.instantiate_async(&mut *store).await?, store, question, &mut allowance).await
        }
    }
}

async fn ask_phase(
    instance: PhasePlugin,
    store: &mut Store<Context>,
    question: Question,
    allowance: &mut Allowance,
) -> Result<Reply, Broken> {
    let phase = instance.lockgate_phase_phase();
    let Call { operation, context, config, subject } = match question {
        Question::Describe => return described(phase.call_describe(store).await?),
        Question::Validate { config } => return validated(phase.call_validate(store, &config).await?, allowance),
        Question::Call(call) => call,
    };
    let c = convert::call(context);
    let answer = match operation {
        Operation::Advance { cursor } => phase.call_advance(store, &c, &config, &subject, &cursor).await?,
        Operation::Cancel { cursor } => phase.call_cancel(store, &c, &config, &subject, &cursor).await?,
        Operation::Plan { .. }
        | Operation::Apply { .. }
        | Operation::Undo { .. }
        | Operation::Observe
        | Operation::Sample { .. }
        | Operation::Judge { .. } => return Err(misplaced(&operation)),
    };
    let progressed = convert::phase_progressed(answer.map_err(convert::failure)?, allowance)?;
    Ok(Reply::Answer(Answer::Progressed(progressed)))
}

async fn ask_gate(
    instance: GatePlugin,
    store: &mut Store<Context>,
    question: Question,
    allowance: &mut Allowance,
) -> Result<Reply, Broken> {
    let gate = instance.lockgate_gate_gate();
    let Call { operation, context, config, subject } = match question {
        Question::Describe => return described(gate.call_describe(store).await?),
        Question::Validate { config } => return validated(gate.call_validate(store, &config).await?, allowance),
        Question::Call(call) => call,
    };
    let answer = match operation {
        Operation::Sample { memo } => {
            let c = convert::call(context);
            let sampled = gate.call_sample(store, &c, &config, &subject, &memo).await?;
            Answer::Sampled(convert::sampled(sampled.map_err(convert::failure)?, allowance)?)
        }
        Operation::Judge { evidence } => {
            let verdict = gate.call_judge(store, &config, &subject, &evidence.to_string()).await?;
            Answer::Judged(convert::verdict(verdict.map_err(convert::failure)?, allowance)?)
        }
        Operation::Advance { .. }
        | Operation::Cancel { .. }
        | Operation::Plan { .. }
        | Operation::Apply { .. }
        | Operation::Undo { .. }
        | Operation::Observe => return Err(misplaced(&operation)),
    };
    Ok(Reply::Answer(answer))
}

async fn ask_target(
    instance: TargetPlugin,
    store: &mut Store<Context>,
    question: Question,
    allowance: &mut Allowance,
) -> Result<Reply, Broken> {
    let target = instance.lockgate_target_target();
    let Call { operation, context, config, subject } = match question {
        Question::Describe => return described(target.call_describe(store).await?),
        Question::Validate { config } => return validated(target.call_validate(store, &config).await?, allowance),
        Question::Call(call) => call,
    };
    let c = convert::call(context);
    let answer = match operation {
        Operation::Plan { cursor } => {
            let step = target.call_plan(store, &c, &config, &subject, &cursor).await?;
            Answer::Planned(convert::plan_step(step.map_err(convert::failure)?, allowance)?)
        }
        Operation::Apply { approved, cursor } => {
            let approved = convert::planned_to_guest(approved);
            let progressed = target.call_apply(store, &c, &config, &subject, &approved, &cursor).await?;
            Answer::Progressed(convert::target_progressed(progressed.map_err(convert::failure)?, allowance)?)
        }
        Operation::Undo { approved, cursor } => {
            let approved = convert::planned_to_guest(approved);
            let progressed = target.call_undo(store, &c, &config, &subject, &approved, &cursor).await?;
            Answer::Progressed(convert::target_progressed(progressed.map_err(convert::failure)?, allowance)?)
        }
        Operation::Observe => {
            let states = target.call_observe(store, &c, &config, &subject).await?;
            Answer::Observed(convert::resource_states(states.map_err(convert::failure)?, allowance)?)
        }
        Operation::Advance { .. } | Operation::Cancel { .. } | Operation::Sample { .. } | Operation::Judge { .. } => {
            return Err(misplaced(&operation));
        }
    };
    Ok(Reply::Answer(answer))
}

fn described(description: types::Description) -> Result<Reply, Broken> {
    Ok(Reply::Description(convert::description(description)?))
}

fn validated(issues: Vec<types::Issue>, allowance: &mut Allowance) -> Result<Reply, Broken> {
    Ok(Reply::Issues(convert::issues(issues, allowance)?))
}

/// `Sandbox::call` compares kinds before it asks.
fn misplaced(operation: &Operation) -> Broken {
    Broken::Answer(CallError::Sandbox(format!("`{}` was asked of the wrong kind of plugin", operation.name())))
}
