//! This program as what a host starts beside itself: `lockgate compile-component`, which compiles one component, and
//! `lockgate run-tool`, which keeps one run of a tool. Nobody types them.

use std::io;

use lockgate_sandbox::ChildCommand;

/// As clap names it.
const COMPILER: &str = "compile-component";
const TOOL_KEEPER: &str = "run-tool";

/// This very program, as a compiler.
pub fn command() -> io::Result<ChildCommand> {
    ChildCommand::this_program([COMPILER])
}

pub fn tool_keeper() -> io::Result<ChildCommand> {
    ChildCommand::this_program([TOOL_KEEPER])
}
