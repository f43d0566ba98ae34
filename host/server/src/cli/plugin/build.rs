//! `lockgate plugin build`: calls the tools of a project's language, and shows each command it runs.
//!
//! What a project needs beyond its language is installed into its own folder, never beside it: `.venv`, `node_modules`.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;
use lockgate_core::digest::Digest;
use serde::Serialize;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::ComponentEncoder;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, bytes, shell_word};
use crate::cli::plugin::language::{Language, component, kind_of};
use crate::cli::session::Out;

const RUST_TARGET: &str = "wasm32-wasip2";
/// Of C; the sixteen megabytes that zig reserves are taken of every call's memory.
const STACK_BYTES: usize = 1 << 20;

#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The folder of the project.
    #[arg(default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Serialize)]
struct Built {
    #[serde(skip)]
    dir: PathBuf,
    component: PathBuf,
    size_bytes: u64,
    digest: Digest,
}

impl BuildArgs {
    pub fn run(self, out: &Out) -> Result<(), CliError> {
        one_world(&self.dir.join("wit"))?;
        let project = Project { folder: &self.dir, out };
        let component = match Language::of(&self.dir)? {
            Language::Rust => project.rust()?,
            Language::Python => project.python()?,
            Language::Js | Language::Ts => project.node()?,
            Language::C => project.c()?,
        };
        let content = fs::read(&component).map_err(|error| Project::unreadable(&component, &error))?;
        let (size_bytes, digest) = (content.len() as u64, Digest::of(&content));
        out.answer(&Built { dir: self.dir, component, size_bytes, digest }, show);
        Ok(())
    }
}

/// Where the build of a project has left its component. Rust is built anew: cargo says where, and does only what is left
/// to do.
pub fn built(folder: &Path, out: &Out) -> Result<PathBuf, CliError> {
    one_world(&folder.join("wit"))?;
    let component = match Language::of(folder)? {
        Language::Rust => return Project { folder, out }.rust(),
        Language::Python | Language::Js | Language::Ts | Language::C => component(folder),
    };
    match component.is_file() {
        true => Ok(component),
        false => {
            let what = format!("there is no component {}", component.display());
            Err(CliError::usage(what, "`lockgate plugin build` makes it"))
        }
    }
}

fn show(look: &Look, built: &Built) -> String {
    let component = built.component.to_string_lossy();
    let file = shell_word(&component);
    // Its fixtures are in the project.
    let test = match built.dir == Path::new(".") {
        true => file.clone(),
        false => format!("{file} --dir {}", shell_word(&built.dir.to_string_lossy())),
    };
    let next = [("test", &test), ("inspect", &file), ("add", &file)];
    let next = next.map(|(verb, what)| format!("  lockgate plugin {verb} {what}"));
    let mut lines = vec![
        format!("{}  {}", look.strong(&component), bytes(built.size_bytes)),
        format!("  {}", built.digest),
        String::new(),
        look.strong("Next"),
    ];
    lines.extend(next.map(|command| look.quiet(&command)));
    lines.join("\n")
}

/// A second world would be left out, and whatever it adds would be missing from the component without a word.
fn one_world(wit: &Path) -> Result<(), CliError> {
    let mut resolve = Resolve::default();
    let Ok((package, _)) = resolve.push_dir(wit) else {
        // The language's own tools say what is wrong with it, or do without it.
        return Ok(());
    };
    let worlds: Vec<String> = resolve.packages[package].worlds.keys().map(|name| format!("`{name}`")).collect();
    match &worlds[..] {
        [] | [_] => Ok(()),
        [_, _, ..] => {
            let what = format!("{} has the worlds {}, and a plugin has one", wit.display(), worlds.join(" and "));
            Err(CliError::usage(what, "add the imports to the world that is there, and take the other out"))
        }
    }
}

struct Project<'a> {
    folder: &'a Path,
    out: &'a Out,
}

impl Project<'_> {
    fn rust(&self) -> Result<PathBuf, CliError> {
        let install = "install Rust by https://rustup.rs";
        let libraries = self.said("rustc", &["--print", "target-libdir", "--target", RUST_TARGET], install)?;
        if !Path::new(libraries.trim()).is_dir() {
            let what = format!("this Rust cannot build for {RUST_TARGET}");
            return Err(CliError::usage(what, format!("run: rustup target add {RUST_TARGET}")));
        }
        let arguments =
            ["build", "--release", "--lib", "--target", RUST_TARGET, "--message-format=json-render-diagnostics"];
        let messages = self.said("cargo", &arguments, install)?;
        // Where cargo puts things is for its configuration to say.
        newest_component(&messages).ok_or_else(|| CliError::Tool {
            what: "cargo built no component".to_owned(),
            hint: "the library needs `crate-type = [\"cdylib\"]`".to_owned(),
        })
    }

    fn python(&self) -> Result<PathBuf, CliError> {
        let world = format!("{}-plugin", kind_of(self.folder)?);
        self.virtualenv()?;
        self.run(
            &self.in_virtualenv("componentize-py"),
            &["-d", "wit", "-w", &world, "componentize", "app", "-o", "plugin.wasm"],
            "",
        )?;
        Ok(component(self.folder))
    }

    fn node(&self) -> Result<PathBuf, CliError> {
        let install = "install Node.js 20 or newer; on Debian: apt install nodejs npm";
        let modified = |file: &str| self.folder.join(file).metadata().and_then(|file| file.modified()).ok();
        // What npm itself writes when it is done.
        if modified("node_modules/.package-lock.json") < modified("package.json") {
            let how = if self.folder.join("package-lock.json").is_file() { "ci" } else { "install" };
            self.run("npm".as_ref(), &[how, "--no-audit", "--no-fund"], install)?;
        }
        self.run("npm".as_ref(), &["run", "--silent", "build"], install)?;
        Ok(component(self.folder))
    }

    fn c(&self) -> Result<PathBuf, CliError> {
        let kind = kind_of(self.folder)?;
        self.virtualenv()?;
        let bindings = self.folder.join("build/bindings");
        self.bind(&bindings)?;
        let mut arguments: Vec<String> =
            ["-m", "ziglang", "cc", "--target=wasm32-wasi", "-mexec-model=reactor", "-std=c23"]
                .into_iter()
                .chain(["-Os", "-s", "-Isrc", "-Ibuild/bindings"])
                .map(str::to_owned)
                .collect();
        arguments.push(format!("-Wl,-z,stack-size={STACK_BYTES}"));
        arguments.extend(c_files(&self.folder.join("src"))?.iter().map(|file| format!("src/{file}")));
        arguments.push(format!("build/bindings/{kind}_plugin.c"));
        arguments.push(format!("build/bindings/{kind}_plugin_component_type.o"));
        arguments.extend(["-o", "build/core.wasm"].map(str::to_owned));
        self.run(&self.in_virtualenv("python"), &arguments, "")?;
        let component = component(self.folder);
        let core = self.folder.join("build/core.wasm");
        let core = fs::read(&core).map_err(|error| Self::unreadable(&core, &error))?;
        write(&component, &componentized(&core)?)?;
        Ok(component)
    }

    /// What `wit-bindgen c` writes.
    fn bind(&self, bindings: &Path) -> Result<(), CliError> {
        let wit = self.folder.join("wit");
        let generated = generated(&wit).map_err(|error| CliError::Tool {
            what: format!("no bindings for {}: {error}", wit.display()),
            hint: String::new(),
        })?;
        fs::create_dir_all(bindings).map_err(|error| Self::unwritable(bindings, &error))?;
        generated.iter().try_for_each(|(name, content)| write(&bindings.join(name), content))
    }

    /// With all that `requirements.txt` asks for. Made again when that changes.
    fn virtualenv(&self) -> Result<(), CliError> {
        let asked = self.folder.join("requirements.txt");
        let asked = fs::read(&asked).map_err(|error| Self::unreadable(&asked, &error))?;
        let installed = self.folder.join(".venv/installed-requirements.txt");
        if fs::read(&installed).is_ok_and(|installed| installed == asked) {
            return Ok(());
        }
        let install = "install Python 3.10 or newer; on Debian: apt install python3 python3-venv";
        self.run("python3".as_ref(), &["-m", "venv", ".venv"], install)?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"];
        self.run(&self.in_virtualenv("python"), &pip, "")?;
        write(&installed, &asked)
    }

    /// Absolute: the command runs in the project's folder.
    fn in_virtualenv(&self, program: &str) -> PathBuf {
        let folder = std::path::absolute(self.folder).unwrap_or_else(|_| self.folder.to_owned());
        folder.join(".venv/bin").join(program)
    }

    /// What it says goes to stderr: stdout is for the answer.
    fn run(&self, program: &Path, arguments: &[impl AsRef<OsStr>], install: &str) -> Result<(), CliError> {
        self.start(program, arguments, Stdio::from(std::io::stderr()), install).map(|_| ())
    }

    /// What it writes to stdout.
    fn said(&self, program: &str, arguments: &[&str], install: &str) -> Result<String, CliError> {
        self.start(program.as_ref(), arguments, Stdio::piped(), install)
    }

    fn start(
        &self,
        program: &Path,
        arguments: &[impl AsRef<OsStr>],
        stdout: Stdio,
        install: &str,
    ) -> Result<String, CliError> {
        let line = command_line(program, arguments);
        self.out.note(&format!("$ {line}"));
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder).stdin(Stdio::null()).stdout(stdout).stderr(Stdio::inherit());
        let ended =
            command.spawn().and_then(std::process::Child::wait_with_output).map_err(|error| match error.kind() {
                ErrorKind::NotFound => CliError::usage(format!("{} is not installed", program.display()), install),
                _ => CliError::usage(format!("cannot run {}: {error}", program.display()), install),
            })?;
        if ended.status.success() {
            return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
        }
        Err(CliError::Tool { what: format!("`{line}` failed: {}", ended.status), hint: String::new() })
    }

    fn unreadable(path: &Path, error: &std::io::Error) -> CliError {
        CliError::usage(format!("cannot read {}: {error}", path.display()), "")
    }

    fn unwritable(path: &Path, error: &std::io::Error) -> CliError {
        CliError::usage(format!("cannot write {}: {error}", path.display()), "")
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), CliError> {
    fs::write(path, content).map_err(|error| Project::unwritable(path, &error))
}

fn command_line(program: &Path, arguments: &[impl AsRef<OsStr>]) -> String {
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(arguments.iter().map(AsRef::as_ref));
    words.map(|word| shell_word(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// Of cargo's messages, one a line.
fn newest_component(messages: &str) -> Option<PathBuf> {
    let artifact = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_cdylib = message["target"]["kind"].as_array()?.iter().any(|kind| kind == "cdylib");
        let files = message["filenames"].as_array()?.iter().filter_map(|file| file.as_str());
        files.filter(|file| is_cdylib && file.ends_with(".wasm")).map(PathBuf::from).next()
    };
    messages.lines().rev().find_map(artifact)
}

fn c_files(sources: &Path) -> Result<Vec<String>, CliError> {
    let entries = fs::read_dir(sources).map_err(|error| Project::unreadable(sources, &error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".c")).collect();
    names.sort();
    Ok(names)
}

fn generated(wit: &Path) -> Result<Files, String> {
    let said = |error| format!("{error:#}");
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).map_err(said)?;
    let world = resolve.select_world(&[package], None).map_err(said)?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files).map_err(said)?;
    Ok(files)
}

/// What `wasm-tools component new` makes. The adapter is left out where nothing of it is used.
fn componentized(core: &[u8]) -> Result<Vec<u8>, CliError> {
    let encoded = ComponentEncoder::default().validate(true).module(core).and_then(|encoder| {
        encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER)?;
        encoder.encode()
    });
    encoded.map_err(|error| CliError::Tool {
        what: format!("build/core.wasm makes no component: {error:#}"),
        hint: "every export of the world has to be there, as build/bindings declares it".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::look::testing;

    #[test]
    fn cargo_says_where_the_component_is() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"]},"filenames":["/t/libserde.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"kind":["cdylib"]},"filenames":["/t/notify.wasm"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(newest_component(messages), Some(PathBuf::from("/t/notify.wasm")));
        assert_eq!(newest_component(r#"{"reason":"build-finished","success":true}"#), None);
    }

    #[test]
    fn a_second_world_is_refused_before_anything_is_built() {
        let project = tempfile::tempdir().unwrap();
        let write = |worlds: &str| fs::write(project.path().join("a.wit"), format!("package a:b;\n{worlds}")).unwrap();
        write("world one {}");
        assert!(one_world(project.path()).is_ok());
        write("world one {}\nworld two {}");
        let CliError::Usage { what, .. } = one_world(project.path()).unwrap_err() else { panic!("another error") };
        assert!(what.ends_with("has the worlds `one` and `two`, and a plugin has one"), "{what}");
        assert!(one_world(&project.path().join("missing")).is_ok());
    }

    #[test]
    fn what_comes_next_is_written_for_the_folder_one_is_in() {
        let next = |dir: &str| {
            let (dir, component) = (PathBuf::from(dir), PathBuf::from("x/plugin.wasm"));
            let shown = show(&testing::look(), &Built { dir, component, size_bytes: 1, digest: Digest::of(b"x") });
            shown.lines().find(|line| line.contains("plugin test")).unwrap().trim().to_owned()
        };
        assert_eq!(next("."), "lockgate plugin test x/plugin.wasm");
        assert_eq!(next("x"), "lockgate plugin test x/plugin.wasm --dir x");
    }

    #[test]
    fn a_command_is_shown_as_it_could_be_typed() {
        let line = command_line(Path::new("/p/.venv/bin/python"), &["-m", "pip", "it's"]);
        assert_eq!(line, r"python -m pip 'it'\''s'");
    }

    #[test]
    fn a_tool_that_is_missing_is_named_with_what_to_install() {
        let out = Out::new(true);
        let project = Project { folder: Path::new("."), out: &out };
        let error = project.said("no-such-tool-here", &[], "apt install it").unwrap_err();
        assert!(
            matches!(error, CliError::Usage { what, hint } if what == "no-such-tool-here is not installed" && hint == "apt install it")
        );
    }
}
