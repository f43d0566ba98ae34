//! `lockgate compile-component`: the process in which a host compiles one component. Nobody types it.

use std::io;

use lockgate_sandbox::CompilerCommand;

/// As clap names it.
const SUBCOMMAND: &str = "compile-component";

/// This very program, as a compiler.
pub fn command() -> io::Result<CompilerCommand> {
    CompilerCommand::this_program([SUBCOMMAND])
}
