//! What a project is written in, and what for.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use lockgate_core::plugin::Kind;

use crate::cli::fail::CliError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    Rust,
    Python,
    Js,
    Ts,
    C,
}

impl Language {
    /// The folder of its templates.
    pub fn folder(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::Python => "python",
            Language::Js => "js",
            Language::Ts => "ts",
            Language::C => "c",
        }
    }

    /// By the files its tools ask for.
    pub fn of(project: &Path) -> Result<Self, CliError> {
        let has = |file: &str| project.join(file).is_file();
        let found = match () {
            () if has("Cargo.toml") => Some(Language::Rust),
            () if has("tsconfig.json") && has("package.json") => Some(Language::Ts),
            () if has("package.json") => Some(Language::Js),
            () if has("app.py") => Some(Language::Python),
            () if has("src/plugin.c") => Some(Language::C),
            () => None,
        };
        found.ok_or_else(|| {
            let what = format!(
                "{} has none of Cargo.toml, package.json, app.py and src/plugin.c, which tell how a plugin is built",
                project.display()
            );
            CliError::usage(what, "write a project with `lockgate plugin new --lang rust --kind phase NAME`")
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindWord {
    Phase,
    Gate,
    Target,
}

impl From<KindWord> for Kind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Phase => Kind::Phase,
            KindWord::Gate => Kind::Gate,
            KindWord::Target => Kind::Target,
        }
    }
}

/// The kind's name, and its WIT file.
pub const KINDS: [(Kind, &str, &str); 3] = [
    (Kind::Phase, "phase", include_str!("../../../../../wit/phase/phase.wit")),
    (Kind::Gate, "gate", include_str!("../../../../../wit/gate/gate.wit")),
    (Kind::Target, "target", include_str!("../../../../../wit/target/target.wit")),
];

pub fn wit_of(kind: Kind) -> (&'static str, &'static str) {
    let known = KINDS.into_iter().find(|(known, ..)| *known == kind);
    let (_, name, wit) = known.expect("every kind has its row");
    (name, wit)
}

/// Which world a project is for: its folder `wit` has one of our files.
pub fn kind_of(project: &Path) -> Result<&'static str, CliError> {
    let wit = project.join("wit");
    let has = |name: &str| wit.join(format!("{name}.wit")).is_file();
    match KINDS.map(|(_, name, _)| name).into_iter().filter(|name| has(name)).collect::<Vec<_>>()[..] {
        [name] => Ok(name),
        [] | [_, _, ..] => {
            let what = format!("{} has not exactly one of phase.wit, gate.wit and target.wit", wit.display());
            Err(CliError::usage(what, "take the files that `lockgate plugin new` writes"))
        }
    }
}

/// Where its build leaves the component, but for Rust: cargo says it.
pub fn component(project: &Path) -> PathBuf {
    project.join("plugin.wasm")
}
