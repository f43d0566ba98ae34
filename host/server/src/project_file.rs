//! The project file, `lockgate.yaml`: from text to a [`Definition`].
//!
//! All mistakes of a file are reported together, each with its place. Nothing in a file, however broken, may panic
//! or take much time or memory: files come over the API, too.

mod calendar;
mod check;
mod shape;
#[cfg(test)]
mod tests;
mod text;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use lockgate_core::definition::{Definition, Environment, PhaseWork, Workflow, listed};
use lockgate_core::name::Name;
use lockgate_core::plugin::Issue;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::printable::printable_char as printable;
pub use check::{Shape, closest};
pub use text::{Duration, LongerThanZero, NameText};
use yaml::{Node, Place};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectFile {
    pub project: Name,
    pub definition: Definition,
}

const EMPTY: &str = "the file is empty";

/// JSON Schema of the file, for editors.
pub fn schema() -> Value {
    check::SCHEMA.clone()
}

pub fn parse(text: &str) -> Result<ProjectFile, Mistakes> {
    let (tree, mut mistakes) = yaml::read(text, "the file is empty; it begins with `project: NAME`");
    let Some(tree) = tree else { return Err(Mistakes::new(text, mistakes)) };

    let mut value = tree.to_json();
    keep_variables_as_written(&tree, &mut value);
    let checked = check::check(value);
    for finding in checked.findings {
        let node = tree.nearest(&finding.path);
        if !node.is_refused() {
            mistakes.push(Mistake::new(node.place_of(finding.about), finding.path, finding.message));
        }
    }

    let Some(value) = checked.value else { return Err(Mistakes::new(text, mistakes)) };
    let file = match serde_json::from_value::<shape::File>(value) {
        Ok(file) => file,
        Err(error) => {
            mistakes.push(Mistake::new(tree.place(), "", format!("the file does not fit its shape: {error}")));
            return Err(Mistakes::new(text, mistakes));
        }
    };
    let (file, unmeant) = file.meaning();
    for problem in unmeant.into_iter().chain(problems_of_the_whole(&file.definition)) {
        let node = tree.nearest(&problem.path);
        if !checked.stand_ins.explain(&problem.path) {
            mistakes.push(Mistake::new(node.place(), problem.path, problem.message));
        }
    }
    if mistakes.is_empty() { Ok(file) } else { Err(Mistakes::new(text, mistakes)) }
}

/// A file of another shape, read as the project file is and with its mistakes told the same way.
pub fn parse_as<T: DeserializeOwned>(text: &str, shape: &Shape) -> Result<(T, Value), Mistakes> {
    let (tree, mut mistakes) = yaml::read(text, EMPTY);
    let Some(tree) = tree else { return Err(Mistakes::new(text, mistakes)) };
    let value = tree.to_json();
    for finding in shape.check(&value) {
        let node = tree.nearest(&finding.path);
        if !node.is_refused() {
            mistakes.push(Mistake::new(node.place_of(finding.about), finding.path, finding.message));
        }
    }
    if !mistakes.is_empty() {
        return Err(Mistakes::new(text, mistakes));
    }
    match serde_json::from_value(value.clone()) {
        Ok(file) => Ok((file, value)),
        Err(error) => {
            let message = format!("the file does not fit its shape: {error}");
            Err(Mistakes::new(text, vec![Mistake::new(tree.place(), "", message)]))
        }
    }
}

/// Where the keys of the outermost mapping stand: line, from 1, and name, from top to bottom. None where its braces
/// make it one line or more.
pub fn sections(text: &str) -> Option<Vec<(usize, String)>> {
    let tree = yaml::read(text, EMPTY).0?;
    let places: Vec<_> = tree.entries().map(|(name, node)| (node.key_place(), name.to_owned())).collect();
    if places.iter().any(|(place, _)| place.column != 1) {
        return None;
    }
    let mut sections: Vec<_> = places.into_iter().map(|(place, name)| (place.line, name)).collect();
    sections.sort();
    Some(sections)
}

/// What stands in YAML or JSON text, read as the project file is: for files that hold a part of it.
pub fn value(text: &str) -> Result<Value, Mistakes> {
    match yaml::read(text, EMPTY) {
        (Some(tree), mistakes) if mistakes.is_empty() => Ok(tree.to_json()),
        (_, mistakes) => Err(Mistakes::new(text, mistakes)),
    }
}

/// `VERSION: 1.10` means the text `1.10`, not the number 1.1.
fn keep_variables_as_written(tree: &Node, value: &mut Value) {
    for (environment, node) in tree.get("environments").into_iter().flat_map(Node::entries) {
        for (variable, node) in node.get("variables").into_iter().flat_map(Node::entries) {
            let typed = &mut value["environments"][environment]["variables"][variable];
            if let Some(written) = node.as_written()
                && (typed.is_number() || typed.is_boolean())
            {
                *typed = Value::String(written.to_owned());
            }
        }
    }
}

/// Also what the core would only find at each deployment.
pub fn problems_of_the_whole(definition: &Definition) -> Vec<Issue> {
    let mut problems = definition.problems();
    let applied: BTreeMap<&Name, BTreeSet<&Name>> =
        definition.workflows.iter().map(|(name, workflow)| (name, applied_targets(workflow))).collect();
    for (name, environment) in &definition.environments {
        problems.extend(workflow_problem(name, environment, &applied));
        problems.extend(variable_problems(name, environment));
    }
    problems
}

fn applied_targets(workflow: &Workflow) -> BTreeSet<&Name> {
    let targets = workflow.phases.iter().filter_map(|phase| match &phase.work {
        PhaseWork::Apply { target } => Some(target),
        PhaseWork::Plugin { .. } | PhaseWork::Gates(_) | PhaseWork::Manual { .. } => None,
    });
    targets.collect()
}

/// The core would only refuse each deployment.
fn workflow_problem(
    name: &Name,
    environment: &Environment,
    applied: &BTreeMap<&Name, BTreeSet<&Name>>,
) -> Option<Issue> {
    let Some(workflow) = &environment.workflow else {
        let message = match applied.is_empty() {
            true => "there is no workflow to run here; write one under `workflows`".to_owned(),
            false => format!("the key `workflow` is missing here; there are: {}", listed(applied.keys())),
        };
        return Some(Issue { path: format!("/environments/{name}/workflow"), message });
    };
    let missing = applied.get(workflow)?.iter().find(|target| !environment.targets.contains_key(**target))?;
    let message = format!(
        "the workflow `{workflow}` applies `{missing}`, and there is no such target here; there are: {}",
        listed(environment.targets.keys())
    );
    Some(Issue { path: format!("/environments/{name}/targets"), message })
}

fn variable_problems(name: &Name, environment: &Environment) -> impl Iterator<Item = Issue> {
    environment.variables.iter().filter_map(move |(variable, value)| {
        let path = format!("/environments/{name}/variables/{variable}");
        text::value_problem(value).map(|message| Issue { path, message })
    })
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Both count from 1; columns are characters.
    pub line: usize,
    pub column: usize,
    /// JSON pointer.
    pub path: String,
    pub message: String,
}

impl Mistake {
    /// A message quotes the file, the parser or a plugin: none of them may write to a terminal.
    fn new(place: Place, path: impl Into<String>, message: impl AsRef<str>) -> Self {
        let one_line = |c| if c == '\n' { ' ' } else { printable(c) };
        let message = message.as_ref().chars().map(one_line).collect();
        Self { line: place.line, column: place.column, path: path.into(), message }
    }
}

impl From<&Mistake> for crate::wire::Mistake {
    fn from(mistake: &Mistake) -> Self {
        let Mistake { line, column, path, message } = mistake.clone();
        Self { line, column, path, message }
    }
}

/// Everything wrong with one file, from top to bottom.
#[derive(Debug, Clone)]
pub struct Mistakes {
    file: String,
    lines: Vec<String>,
    mistakes: Vec<Mistake>,
}

impl Mistakes {
    fn new(text: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by(|a, b| (a.line, a.column, &a.path).cmp(&(b.line, b.column, &b.path)));
        mistakes.dedup();
        let lines = text.lines().map(str::to_owned).collect();
        Self { file: "lockgate.yaml".to_owned(), lines, mistakes }
    }

    /// What was found wrong later in a file that parsed, such as a plugin's configuration.
    pub fn from_issues(text: &str, issues: Vec<Issue>) -> Self {
        let tree = yaml::read(text, EMPTY).0;
        let mistake = |issue: Issue| {
            let place = tree.as_ref().map_or(Place { line: 1, column: 1 }, |tree| tree.nearest(&issue.path).place());
            Mistake::new(place, issue.path, issue.message)
        };
        Self::new(text, issues.into_iter().map(mistake).collect())
    }

    /// The name shown before each place, when it is not `lockgate.yaml`.
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = file.into();
        self
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Mistake> {
        self.mistakes.iter()
    }
}

impl std::error::Error for Mistakes {}

/// More at once would scroll the first ones away.
const MAX_SHOWN: usize = 50;

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in self.mistakes.iter().take(MAX_SHOWN) {
            let Mistake { line, column, path, message } = mistake;
            let path = if path.is_empty() { String::new() } else { format!("{}: ", excerpt(path, 200)) };
            writeln!(f, "{}:{line}:{column}: {path}{message}", excerpt(&self.file, 1_000))?;
            if let Some(source) = self.lines.get(line.saturating_sub(1)) {
                write_source(f, source, mistake)?;
            }
        }
        match self.mistakes.len() {
            1 => write!(f, "1 mistake"),
            count if count > MAX_SHOWN => write!(f, "{count} mistakes, the first {MAX_SHOWN} are shown"),
            count => write!(f, "{count} mistakes"),
        }
    }
}

/// The line and a caret under the column. Of a very long line, only what is around it.
fn write_source(f: &mut fmt::Formatter<'_>, source: &str, mistake: &Mistake) -> fmt::Result {
    let before = mistake.column.saturating_sub(1);
    let skipped = if before < 100 { 0 } else { before - 40 };
    let shown: String = source.chars().skip(skipped).take(120).map(printable).collect();
    let margin = " ".repeat(mistake.line.to_string().len());
    writeln!(f, " {} | {}", mistake.line, shown.trim_end())?;
    writeln!(f, " {margin} | {}^", " ".repeat(before - skipped))
}

/// Text from the file in a message: in backticks, on one line, and not too long.
fn quoted(text: &str) -> String {
    format!("`{}`", excerpt(text, 60))
}

fn excerpt(text: &str, max_chars: usize) -> String {
    let mut shown: String = text.chars().take(max_chars).map(printable).collect();
    if text.chars().nth(max_chars).is_some() {
        shown.push('…');
    }
    shown
}
