//! What a person sees: numbered steps, the commands as one would type them, their output, and what was checked.

use std::io::{IsTerminal, stdout};

use anyhow::{Result, bail};
use serde_json::{Value, json};

pub struct Screen {
    quiet: bool,
    colours: bool,
    steps: usize,
    checks: Vec<Value>,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const CYAN: &str = "36";

impl Screen {
    pub fn new(quiet: bool) -> Self {
        let colours = stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { quiet, colours, steps: 0, checks: Vec::new() }
    }

    pub fn step(&mut self, title: &str) {
        self.steps += 1;
        let title = self.paint(BOLD, &format!("{}. {title}", self.steps));
        self.line(&format!("\n{title}"));
    }

    pub fn say(&self, sentence: &str) {
        self.line(&format!("   {sentence}"));
    }

    pub fn command(&self, person: &str, line: &str) {
        let prompt = self.paint(DIM, &format!("{person}$"));
        self.line(&format!("\n   {prompt} {}", self.paint(CYAN, line)));
    }

    pub fn output(&self, text: &str) {
        text.trim_end().lines().for_each(|line| self.line(&format!("   {line}")));
    }

    /// Ends the demo where it is not so.
    pub fn check(&mut self, expectation: &str, holds: bool, found: impl FnOnce() -> String) -> Result<()> {
        self.checks.push(json!({ "check": expectation, "holds": holds }));
        if !holds {
            bail!("expected: {expectation}; found: {}", found());
        }
        self.line(&format!("   {} {expectation}", self.paint(GREEN, "✓")));
        Ok(())
    }

    pub fn checks(&self) -> &[Value] {
        &self.checks
    }

    pub fn done(&self, sentence: &str) {
        self.line(&format!("\n{}", self.paint(GREEN, sentence)));
    }

    fn line(&self, text: &str) {
        if !self.quiet {
            println!("{text}");
        }
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
