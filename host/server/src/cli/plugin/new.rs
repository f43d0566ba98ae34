//! `lockgate plugin new`: a small project of an author's own. What is in it are the files below `templates`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use include_dir::{Dir, include_dir};
use lockgate_core::name::Name;
use lockgate_core::plugin::Kind;
use serde::Serialize;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, shell_word};
use crate::cli::plugin::language::{KindWord, Language, wit_of};
use crate::cli::session::Out;

static TEMPLATES: Dir = include_dir!("$CARGO_MANIFEST_DIR/templates");
const PLUGIN_WIT: &str = include_str!("../../../../../wit/plugin/plugin.wit");

#[derive(Debug, Args)]
pub struct NewArgs {
    /// What it is written in.
    #[arg(long, value_enum)]
    lang: Language,

    /// A phase does one step of a release, a gate checks, a target is where a release lands.
    #[arg(long, value_enum)]
    kind: KindWord,

    /// Its name, as workflows will use it.
    name: Name,

    /// Where to write it; a folder of its name without this.
    #[arg(long)]
    dir: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Written {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl NewArgs {
    pub fn run(self, out: &Out) -> Result<(), CliError> {
        let folder = self.dir.unwrap_or_else(|| PathBuf::from(self.name.as_str()));
        let project = project(self.lang, self.kind.into(), &self.name);
        write(&folder, &project)?;
        out.answer(&Written { folder, files: project.into_keys().collect() }, show);
        Ok(())
    }
}

fn show(look: &Look, written: &Written) -> String {
    let mut lines: Vec<String> = written.files.iter().map(|file| format!("  {}", file.display())).collect();
    lines.insert(0, format!("{} has", look.strong(&written.folder.display().to_string())));
    let command = format!("  lockgate plugin build {}", shell_word(&written.folder.to_string_lossy()));
    lines.extend([String::new(), look.strong("Next"), look.quiet(&command)]);
    lines.join("\n")
}

/// All of it or nothing: whoever has files of these names already keeps them.
fn write(folder: &Path, project: &BTreeMap<PathBuf, String>) -> Result<(), CliError> {
    let is_taken = |file: &&Path| folder.join(file).symlink_metadata().is_ok();
    let is_no_folder = |parent: &&Path| is_taken(parent) && !folder.join(parent).is_dir();
    let parents = project.keys().flat_map(|file| file.ancestors().skip(1)).filter(is_no_folder);
    let taken = project.keys().map(PathBuf::as_path).filter(is_taken);
    if let Some(taken) = taken.chain(parents).next() {
        let what = format!("{} is there already, and nothing was written", folder.join(taken).display());
        return Err(CliError::usage(what, "name another folder with --dir"));
    }
    let failed = |path: &Path, error: std::io::Error| {
        CliError::usage(format!("cannot write {}: {error}", path.display()), "name another folder with --dir")
    };
    for (file, content) in project {
        let path = folder.join(file);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| failed(parent, error))?;
        let written = File::create_new(&path).and_then(|mut file| file.write_all(content.as_bytes()));
        written.map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// Every file of a project, by its place in the folder.
pub fn project(language: Language, kind: Kind, name: &Name) -> BTreeMap<PathBuf, String> {
    let (kind, wit) = wit_of(kind);
    let folder = language.folder();
    let component = match language {
        Language::Rust => format!("target/wasm32-wasip2/release/{}.wasm", name.as_str().replace('-', "_")),
        Language::Python | Language::Js | Language::Ts | Language::C => "plugin.wasm".to_owned(),
    };
    let origin = match kind {
        "phase" => "https://chat.example.com",
        "gate" => "https://shop.example.com",
        _ => "https://config.example.com",
    };
    // The first three have placeholders themselves.
    let values = [
        ("about", template(&format!("kinds/{kind}/about.md"))),
        ("build", template(&format!("{folder}/build.md"))),
        ("use", template(&format!("kinds/{kind}/use.md"))),
        ("component", &component),
        ("kind", kind),
        ("origin", origin),
        ("name", name.as_str()),
    ];
    let filled = |text: &str| {
        values.iter().fold(text.to_owned(), |text, (key, value)| text.replace(&format!("%%{key}%%"), value))
    };
    let mut files = BTreeMap::from([
        (PathBuf::from("README.md"), filled(template("README.md"))),
        (PathBuf::from("config.schema.json"), filled(template(&format!("kinds/{kind}/config.schema.json")))),
        (PathBuf::from(format!("wit/{kind}.wit")), wit.to_owned()),
        (PathBuf::from("wit/deps/plugin/plugin.wit"), PLUGIN_WIT.to_owned()),
    ]);
    let fixtures =
        TEMPLATES.get_dir(format!("kinds/{kind}/fixtures")).into_iter().flat_map(|dir| files_of(dir, dir.path()));
    files.extend(fixtures.map(|(path, text)| (Path::new("tests/fixtures").join(path), filled(text))));
    for layer in [format!("{folder}/all"), format!("{folder}/{kind}")] {
        let layer = TEMPLATES.get_dir(&layer).into_iter().flat_map(|dir| files_of(dir, dir.path()));
        files.extend(layer.map(|(path, text)| (path, filled(text))));
    }
    files
}

fn template(path: &str) -> &'static str {
    let file = TEMPLATES.get_file(path).and_then(|file| file.contents_utf8());
    file.expect("every language and every kind has this file: a test writes them all")
}

fn files_of(dir: &'static Dir<'static>, root: &Path) -> Vec<(PathBuf, &'static str)> {
    let here = dir.files().filter_map(|file| {
        let path = file.path().strip_prefix(root).ok()?;
        // Of this name it would be a rule for our own repository.
        let path = if path == Path::new("gitignore") { PathBuf::from(".gitignore") } else { path.to_owned() };
        Some((path, file.contents_utf8()?))
    });
    here.chain(dir.dirs().flat_map(|inner| files_of(inner, root))).collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use lockgate_core::definition::listed;

    use super::*;
    use crate::cli::plugin::language::{KINDS, kind_of};

    fn every_project() -> impl Iterator<Item = (Language, Kind, BTreeMap<PathBuf, String>)> {
        let name: Name = "night-watch".parse().unwrap();
        let pairs = Language::value_variants().iter().flat_map(|language| KINDS.map(|(kind, ..)| (*language, kind)));
        pairs.map(move |(language, kind)| (language, kind, project(language, kind, &name)))
    }

    #[test]
    fn every_language_has_every_kind_and_no_placeholder_is_left() {
        for (language, kind, files) in every_project() {
            for (path, text) in &files {
                assert!(!text.is_empty() && !text.contains("%%"), "{language:?} {kind} {}: {text}", path.display());
            }
            let named = files.values().filter(|text| text.contains("night-watch")).count();
            assert!(named >= 2, "{language:?} {kind}: README and description name it");
            let tests = files.iter().filter(|(path, text)| {
                path.to_string_lossy().contains("test_rules")
                    || path.to_string_lossy().contains("rules.test")
                    || text.contains("#[cfg(test)]")
            });
            let fixtures = files.keys().filter(|path| path.starts_with("tests/fixtures")).count();
            assert!(fixtures >= 2, "{language:?} {kind} has {fixtures} fixtures");
            assert_eq!(tests.count(), 1, "{language:?} {kind}: {}", listed(files.keys().map(|path| path.display())));
        }
    }

    #[test]
    fn a_written_project_is_known_for_what_it_is() {
        for (language, kind, files) in every_project() {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), &files).unwrap();

            assert_eq!(Language::of(folder.path()).unwrap(), language);
            assert_eq!(kind_of(folder.path()).unwrap(), kind.to_string());
        }
    }

    #[test]
    fn files_that_are_there_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("README.md"), "mine").unwrap();

        let files = project(Language::Rust, Kind::Phase, &"notify".parse().unwrap());
        let refused = write(folder.path(), &files).unwrap_err();

        assert_eq!(refused.exit_code(), 2);
        assert_eq!(fs::read_to_string(folder.path().join("README.md")).unwrap(), "mine");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_examples_are_built_against_the_interfaces_of_this_host() {
        let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/plugins"));
        for example in ["prometheus-gate", "change-ticket", "warm-up", "webdav-release"].map(|name| examples.join(name))
        {
            let wit = |path: &str| fs::read_to_string(example.join("wit").join(path)).unwrap();
            let kind = kind_of(&example).unwrap();
            let (_, _, ours) = KINDS.into_iter().find(|(_, name, _)| *name == kind).unwrap();
            assert_eq!(wit(&format!("{kind}.wit")), ours, "{}", example.display());
            assert_eq!(wit("deps/plugin/plugin.wit"), PLUGIN_WIT, "{}", example.display());
        }
    }

    #[test]
    fn schemas_of_configurations_are_schemas() {
        for (language, kind, files) in every_project() {
            let schema = serde_json::from_str(&files[Path::new("config.schema.json")]).unwrap();
            assert!(jsonschema::meta::is_valid(&schema), "{language:?} {kind}");
        }
    }
}
