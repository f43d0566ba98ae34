//! What an author does: `lockgate plugin new`, `build` and `inspect`, with the tools of a language.
//!
//! Projects lie below cargo's target folder, so that what their tools install is there for the next run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde_json::Value;

use super::built::{binary, profile_folder};
use super::people::digest;
use super::{Host, block_on, files};
use lockgate::wire::{Grants, HttpGrant};

/// What tools install and make. All else is written anew.
const KEPT: [&str; 5] = [".venv", "node_modules", "Cargo.lock", "plugin.wasm", "built-from"];
const INSTALLED: [&str; 2] = [".venv", "node_modules"];

pub struct Workshop {
    folder: PathBuf,
    /// Nobody else works in its folder: tests share what tools have installed there.
    _alone: MutexGuard<'static, ()>,
}

impl Workshop {
    /// As `lockgate plugin new` writes it.
    pub fn new(language: &str, kind: &str, name: &str) -> Self {
        let workshop = Self::emptied(name);
        let folder = workshop.folder.to_str().unwrap();
        workshop.lockgate(&["plugin", "new", "--lang", language, "--kind", kind, name, "--dir", folder]);
        workshop
    }

    /// A copy of one of `examples/plugins`.
    pub fn example(name: &str) -> Self {
        let workshop = Self::emptied(name);
        let example = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/plugins")).join(name);
        for (file, content) in sources(&example) {
            let copy = workshop.folder.join(file);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::write(copy, content).unwrap();
        }
        workshop
    }

    /// With what the tools of another project have installed, that asks for the same: a compiler takes half a gigabyte.
    pub fn with_tools_of(self, other: &Workshop) -> Self {
        for installed in INSTALLED {
            let (here, there) = (self.folder.join(installed), other.folder.join(installed));
            if there.exists() && here.symlink_metadata().is_err() {
                std::os::unix::fs::symlink(there, here).unwrap();
            }
        }
        // Not newer than what was installed for it: npm would take the link away, and install it all again.
        if let Ok(package) = fs::File::options().append(true).open(self.folder.join("package.json")) {
            package.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        }
        self
    }

    /// With these files in the place of those that are there by their names, or beside them.
    pub fn with_sources(self, folder: &Path) -> Self {
        for (file, content) in sources(folder) {
            fs::write(self.folder.join(file), content).unwrap();
        }
        self
    }

    /// Once whoever else works there is done.
    fn emptied(name: &str) -> Self {
        static TAKEN: Mutex<BTreeMap<String, &Mutex<()>>> = Mutex::new(BTreeMap::new());
        let place = *TAKEN.lock().unwrap().entry(name.to_owned()).or_insert_with(|| Box::leak(Box::default()));
        let alone = place.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = profile_folder().parent().unwrap().join("authors").join(name);
        fs::create_dir_all(&folder).unwrap();
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap()) {
            let is_kept = KEPT.iter().any(|kept| entry.file_name() == *kept);
            match entry.file_type().unwrap().is_dir() {
                _ if is_kept => {}
                true => fs::remove_dir_all(entry.path()).unwrap(),
                false => fs::remove_file(entry.path()).unwrap(),
            }
        }
        Self { folder, _alone: alone }
    }

    /// The component, by `lockgate plugin build`.
    pub fn build(&self) -> PathBuf {
        let built = self.lockgate(&["plugin", "build", self.folder.to_str().unwrap(), "--json"]);
        self.folder.join(built["component"].as_str().unwrap())
    }

    /// The same; where it takes long, only if anything has changed since the last run.
    pub fn build_if_changed(&self) -> PathBuf {
        let (component, record) = (self.folder.join("plugin.wasm"), self.folder.join("built-from"));
        let sources: Vec<u8> = sources(&self.folder)
            .into_iter()
            .flat_map(|(file, content)| [file.into_bytes(), content].concat())
            .collect();
        let sources = digest(&sources);
        if component.is_file() && fs::read_to_string(&record).is_ok_and(|built| built == sources) {
            return component;
        }
        let component = self.build();
        fs::write(record, sources).unwrap();
        component
    }

    /// Its fixtures, as `lockgate plugin test` runs them: all pass, and the second time it says the same.
    pub fn test(&self, component: &Path) {
        let component = component.to_str().unwrap();
        let fixtures = files(&self.folder.join("tests/fixtures"));
        assert!(!fixtures.is_empty());
        let fixtures = fixtures.iter().map(|fixture| fixture.to_str().unwrap());
        let arguments: Vec<&str> = ["plugin", "test", component, "--json"].into_iter().chain(fixtures).collect();
        assert_eq!(self.lockgate(&arguments), self.lockgate(&arguments));
    }

    pub fn inspect(&self, component: &Path) -> Value {
        self.lockgate(&["plugin", "inspect", component.to_str().unwrap(), "--json"])
    }

    /// A command of the project's README, in its folder.
    pub fn run(&self, command: &str) {
        self.say(Command::new("sh").args(["-e", "-c", command]), command);
    }

    fn lockgate(&self, arguments: &[&str]) -> Value {
        let said = self.say(Command::new(binary()).args(arguments), &arguments.join(" "));
        serde_json::from_slice(&said).unwrap_or_default()
    }

    fn say(&self, command: &mut Command, what: &str) -> Vec<u8> {
        // Cargo tells its tests about the crate of the tests.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CARGO_") && name != "CARGO_HOME") {
            command.env_remove(name);
        }
        // One for all projects in Rust: they depend on the same.
        let target = profile_folder().parent().unwrap().join("authors/target");
        let ended = command.current_dir(&self.folder).env("CARGO_TARGET_DIR", target).output().unwrap();
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(ended.status.success(), "`{what}` failed:\n{}{}", said(&ended.stdout), said(&ended.stderr));
        ended.stdout
    }
}

impl Host {
    /// Adds a component, and lets it send requests to these origins of this machine.
    pub fn plugin_from(&self, component: &Path, origins: &[&str]) {
        let http = |origin: &&str| HttpGrant::new(origin, true);
        let grants = Grants { http: origins.iter().map(http).collect(), ..Grants::default() };
        let admin = self.admin().client;
        let plugin = block_on(admin.add_plugin(fs::read(component).unwrap())).unwrap_or_else(|error| panic!("{error}"));
        block_on(admin.approve_plugin(&plugin.digest, grants, "for a test".to_owned())).unwrap();
    }
}

/// What an author has written, by its place in the project.
fn sources(project: &Path) -> BTreeMap<String, Vec<u8>> {
    let made = |file: &str| {
        let first = file.split('/').next().unwrap_or_default();
        KEPT.contains(&first) || first == "build" || file.contains("__pycache__")
    };
    let name = |path: &Path| path.strip_prefix(project).unwrap().to_str().unwrap().to_owned();
    let entries = fs::read_dir(project).unwrap().map(|entry| entry.unwrap().path()).filter(|path| !made(&name(path)));
    let files = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    files.map(|path| (name(&path), fs::read(&path).unwrap())).filter(|(file, _)| !made(file)).collect()
}
