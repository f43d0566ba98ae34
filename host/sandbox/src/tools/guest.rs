//! The interface `process` as guests see it.

use std::collections::BTreeMap;
use std::time::Duration;

use lockgate_core::plugin::{Failure, ToolGrant};

use super::{Seen, ToolCommand, ToolRoom, allowed, look, start, stop};
use crate::bindings::plugin::types;
use crate::bindings::process::lockgate::process::run;
use crate::context::{Context, blocking};

/// Between two looks at a tool that says nothing.
const FIRST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// What a call may start, and where.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    pub grants: BTreeMap<String, ToolGrant>,
    pub room: Option<ToolRoom>,
}

impl Tools {
    /// Without a grant there are no runs to look at either.
    fn room(&self) -> Result<ToolRoom, Failure> {
        if self.grants.is_empty() {
            return Err(super::denied(
                "no tool is granted; request one in `describe`, and an operator can: `--tool NAME=PATH`".to_owned(),
            ));
        }
        self.room.clone().ok_or_else(|| super::denied(super::NO_ROOM.to_owned()))
    }
}

impl run::Host for Context {
    async fn start(&mut self, key: String, c: run::Command) -> wasmtime::Result<Result<(), types::Failure>> {
        let command = ToolCommand {
            tool: c.tool,
            args: c.args,
            env: c.env.into_iter().map(|field| (field.key, field.value)).collect(),
            stdin: c.stdin,
            timeout_ms: c.timeout_ms,
        };
        let what = format!("tool `{}`", command.tool);
        let Tools { grants, room } = self.tools().clone();
        let started =
            match allowed(&grants, room.as_ref(), command).and_then(|allowed| Ok((self.tools().room()?, allowed))) {
                Ok((room, allowed)) => blocking(move || start(&room, &key, allowed)).await?,
                Err(failure) => Err(failure),
            };
        Ok(self.note_denial(&what, started))
    }

    async fn poll(
        &mut self,
        key: String,
        offset: u32,
        wait_ms: u32,
    ) -> wasmtime::Result<Result<run::Status, types::Failure>> {
        let seen = match self.tools().room() {
            Ok(room) => self.wait_for_tool(room, key, offset, Duration::from_millis(wait_ms.into())).await?,
            Err(failure) => Err(failure),
        };
        Ok(self.note_denial("looking at a tool", seen).map(status))
    }

    async fn stop(&mut self, key: String) -> wasmtime::Result<Result<(), types::Failure>> {
        let stopped = match self.tools().room() {
            Ok(room) => blocking(move || stop(&room, &key)).await?,
            Err(failure) => Err(failure),
        };
        Ok(self.note_denial("stopping a tool", stopped))
    }
}

impl Context {
    /// Until it has said something more, or is done, or the guest is cancelled, or has waited for as long as it wanted.
    async fn wait_for_tool(
        &mut self,
        room: ToolRoom,
        key: String,
        offset: u32,
        wait: Duration,
    ) -> wasmtime::Result<Result<Seen, Failure>> {
        let (mut left, mut step) = (wait, FIRST_WAIT);
        loop {
            let (room, key) = (room.clone(), key.clone());
            let seen = blocking(move || look(&room, &key, offset)).await?;
            match seen {
                Ok(seen) if !seen.has_news() && !left.is_zero() && !self.is_told_to_stop() => {}
                seen => return Ok(seen),
            }
            let pause = step.min(left);
            self.pause(pause).await;
            left -= pause;
            step = (step * 2).min(LONGEST_WAIT);
        }
    }
}

fn status(seen: Seen) -> run::Status {
    run::Status {
        done: seen.is_done(),
        code: seen.code.filter(|_| seen.is_done()).unwrap_or(0),
        stdout: seen.said.stdout,
        stderr: seen.said.stderr,
        truncated: seen.truncated,
    }
}
