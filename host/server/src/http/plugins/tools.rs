//! Programs of this machine that a plugin is granted: looked at when they are granted, so that what is started later is
//! what the operator meant.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use lockgate_core::digest::Digest;
use lockgate_core::name::Name;
use lockgate_core::plugin::{ToolGrant, ToolLimits};
use lockgate_sandbox::tools::{Examined, examine, pattern};

use super::limit;
use crate::wire;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// With these a guest would choose what a program loads, whatever its arguments are.
const NEVER_A_GUESTS: [&str; 16] = [
    "LD_",
    "DYLD_",
    "PATH",
    "BASH_",
    "ENV",
    "SHELLOPTS",
    "IFS",
    "PERL5",
    "PYTHON",
    "NODE_",
    "RUBY",
    "JAVA_",
    "_JAVA_",
    "JDK_",
    "GIT_",
    "GCONV_PATH",
];

/// `unsaid` are the limits of which nothing was said.
pub fn granted(asked: &wire::Grants, data: &Path, unsaid: &ToolLimits) -> Result<BTreeMap<String, ToolGrant>, String> {
    let writable = asked.folders.values().filter(|folder| folder.access != "read").map(|folder| folder.path.as_str());
    let writable: Vec<PathBuf> = writable.filter_map(|path| Path::new(path).canonicalize().ok()).collect();
    let tool = |(name, grant): (&String, &wire::ToolGrant)| {
        let wrong = |why: String| format!("tool `{name}`: {why}");
        let valid: Name = name.parse().map_err(|error| format!("tool {error}"))?;
        Ok((valid.to_string(), tool(grant, data, &writable, unsaid).map_err(wrong)?))
    };
    asked.tools.iter().map(tool).collect()
}

fn tool(asked: &wire::ToolGrant, data: &Path, writable: &[PathBuf], unsaid: &ToolLimits) -> Result<ToolGrant, String> {
    let wire::ToolGrant { path, digest, args, env, limits: asked_limits } = asked;
    let (path, actual) = program(path, data, writable)?;
    let meant = digest.as_deref().map(|text| text.parse::<Digest>().map_err(|error| error.to_string())).transpose()?;
    if let Some(meant) = meant.filter(|meant| *meant != actual) {
        return Err(format!(
            "{path} has digest {actual}, not {meant}; look at it, then leave the digest out or name this one"
        ));
    }
    if args.is_empty() {
        return Err("no arguments are allowed, so it could never be started; list what it may be given, such as `[]` \
                    for none or `[\"{.*}...\"]` for anything"
            .to_owned());
    }
    pattern::check(args)?;
    env.iter().try_for_each(|(name, value)| variable(name, value.as_deref()))?;
    Ok(ToolGrant { path, digest: actual, args: args.clone(), env: env.clone(), limits: limits(asked_limits, unsaid)? })
}

/// Its path as it is once all links are followed, and its digest.
fn program(path: &str, data: &Path, writable: &[PathBuf]) -> Result<(String, Digest), String> {
    let typed = Path::new(path);
    if !typed.is_absolute() || typed.components().any(|part| part == Component::ParentDir) {
        return Err(format!("`{path}` is not an absolute path without `..`"));
    }
    let unusable = |error| format!("{path} cannot be used: {error}");
    let real = typed.canonicalize().map_err(unusable)?;
    let about = real.metadata().map_err(unusable)?;
    if !about.is_file() || about.permissions().mode() & 0o111 == 0 {
        return Err(format!("{path} is no program: it is not a file that may be executed"));
    }
    let data = data.canonicalize().map_err(|error| format!("the data folder cannot be read: {error}"))?;
    if real.starts_with(data) {
        return Err(format!("{path} lies in this host's own data, where plugins leave files; put it elsewhere"));
    }
    if let Some(folder) = writable.iter().find(|folder| real.starts_with(folder)) {
        return Err(format!("{path} lies in {}, which the plugin may write to; put it elsewhere", folder.display()));
    }
    let Examined { digest, is_program } = examine(&real).map_err(unusable)?;
    if !is_program {
        return Err(format!("{path} is no program the system runs by itself; a script begins with `#!`"));
    }
    let real = real.to_str().ok_or_else(|| format!("{} is no UTF-8", real.display()))?;
    Ok((real.to_owned(), digest))
}

fn variable(name: &str, value: Option<&str>) -> Result<(), String> {
    let shown = name.escape_debug();
    if name.is_empty() || name.contains(['=', '\0']) || value.is_some_and(|value| value.contains('\0')) {
        return Err(format!("`{shown}` is no variable: a name has no `=`, and neither it nor its value a NUL"));
    }
    if value.is_none() && NEVER_A_GUESTS.iter().any(|start| name.starts_with(start)) {
        return Err(format!(
            "the variable `{shown}` decides which code runs, so it is no plugin's to set; give it a value, such as \
             {shown}=/usr/bin"
        ));
    }
    Ok(())
}

/// The most that anybody grants.
pub const MOST: ToolLimits = ToolLimits {
    wall_ms: DAY_MS,
    cpu_ms: DAY_MS,
    memory_bytes: 1 << 40,
    // A poll reads it from the beginning.
    output_bytes: 64 << 20,
    processes: 4096,
};

fn limits(asked: &wire::ToolLimits, unsaid: &ToolLimits) -> Result<ToolLimits, String> {
    Ok(ToolLimits {
        wall_ms: limit("wall_ms", asked.wall_ms, unsaid.wall_ms, MOST.wall_ms)?,
        cpu_ms: limit("cpu_ms", asked.cpu_ms, unsaid.cpu_ms, MOST.cpu_ms)?,
        memory_bytes: limit("memory_bytes", asked.memory_bytes, unsaid.memory_bytes, MOST.memory_bytes)?,
        output_bytes: limit("output_bytes", asked.output_bytes, unsaid.output_bytes, MOST.output_bytes)?,
        processes: limit("processes", asked.processes, unsaid.processes, MOST.processes)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Machine {
        place: tempfile::TempDir,
        data: tempfile::TempDir,
    }

    fn machine() -> Machine {
        let machine = Machine { place: tempfile::tempdir().unwrap(), data: tempfile::tempdir().unwrap() };
        machine.put("tool", b"#!/bin/sh\n", 0o755);
        machine
    }

    impl Machine {
        fn path(&self, name: &str) -> PathBuf {
            self.place.path().canonicalize().unwrap().join(name)
        }

        fn put(&self, name: &str, content: &[u8], mode: u32) {
            std::fs::write(self.path(name), content).unwrap();
            std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
        }

        fn granting(&self, change: impl FnOnce(&mut wire::ToolGrant)) -> Result<ToolGrant, String> {
            let mut grant = wire::ToolGrant {
                path: self.path("tool").display().to_string(),
                digest: None,
                args: vec![vec!["{[a-z]+}".to_owned()]],
                env: BTreeMap::new(),
                limits: wire::ToolLimits::default(),
            };
            change(&mut grant);
            tool(&grant, self.data.path(), &[], &ToolLimits::default())
        }

        fn granting_path(&self, path: impl AsRef<Path>) -> Result<ToolGrant, String> {
            self.granting(|grant| grant.path = path.as_ref().display().to_string())
        }
    }

    #[test]
    fn what_is_granted_is_the_program_that_a_link_leads_to_now_and_its_digest() {
        let machine = machine();
        std::os::unix::fs::symlink(machine.path("tool"), machine.path("link")).unwrap();
        let granted = machine.granting_path(machine.path("link")).unwrap();
        assert_eq!(granted.path, machine.path("tool").to_str().unwrap());
        assert_eq!(granted.digest, Digest::of(b"#!/bin/sh\n"));
        assert_eq!(granted.limits, ToolLimits::default());
    }

    #[test]
    fn only_programs_that_the_system_runs_are_granted() {
        let machine = machine();
        machine.put("text", b"echo hello\n", 0o755);
        machine.put("asleep", b"#!/bin/sh\n", 0o644);
        let there = machine.path("");
        for (wrong, why) in [
            (PathBuf::from("tool"), "is not an absolute path"),
            (there.join("../tool"), "is not an absolute path"),
            (there.join("missing"), "cannot be used"),
            (there.clone(), "is not a file that may be executed"),
            (there.join("asleep"), "is not a file that may be executed"),
            (there.join("text"), "a script begins with `#!`"),
        ] {
            let refused = machine.granting_path(&wrong).unwrap_err();
            assert!(refused.contains(why), "{}: {refused}", wrong.display());
        }
    }

    #[test]
    fn a_program_that_a_plugin_could_write_is_not_granted() {
        let machine = machine();
        let own = machine.data.path().join("tool");
        std::fs::copy(machine.path("tool"), &own).unwrap();
        assert!(machine.granting_path(own).unwrap_err().contains("own data"));
        let program = machine.path("tool").display().to_string();
        let folder =
            wire::FolderGrant { path: machine.path("").display().to_string(), access: "read-write".to_owned() };
        let tool = wire::ToolGrant {
            path: program,
            digest: None,
            args: vec![vec![]],
            env: BTreeMap::new(),
            limits: wire::ToolLimits::default(),
        };
        let mut grants = wire::Grants { tools: BTreeMap::from([("tool".to_owned(), tool)]), ..wire::Grants::default() };
        assert!(granted(&grants, machine.data.path(), &ToolLimits::default()).is_ok());
        grants.folders.insert("all".to_owned(), folder);
        assert!(
            granted(&grants, machine.data.path(), &ToolLimits::default())
                .unwrap_err()
                .contains("the plugin may write to")
        );
    }

    #[test]
    fn a_digest_that_is_named_is_that_of_the_program() {
        let machine = machine();
        let digest = |of: &[u8]| Some(Digest::of(of).to_string());
        assert!(machine.granting(|grant| grant.digest = digest(b"#!/bin/sh\n")).is_ok());
        let refused = machine.granting(|grant| grant.digest = digest(b"another")).unwrap_err();
        assert!(refused.contains("has digest"), "{refused}");
    }

    #[test]
    fn arguments_variables_and_limits_are_checked_when_they_are_granted() {
        let machine = machine();
        assert!(machine.granting(|grant| grant.args.clear()).unwrap_err().contains("could never be started"));
        assert!(machine.granting(|grant| grant.args = vec![vec!["{[}".to_owned()]]).is_err());
        assert!(machine.granting(|grant| grant.limits.processes = Some(0)).is_err());
        let set = |name: &str, value: Option<&str>| {
            machine.granting(|grant| drop(grant.env.insert(name.to_owned(), value.map(str::to_owned))))
        };
        for (name, value) in [("HOME", None), ("PATH", Some("/usr/bin")), ("LD_PRELOAD", Some("/lib/x.so"))] {
            assert!(set(name, value).is_ok(), "{name}");
        }
        for (name, value) in [("PATH", None), ("LD_PRELOAD", None), ("A=B", None), ("", None), ("X", Some("a\0b"))] {
            assert!(set(name, value).is_err(), "{name}");
        }
    }
}
