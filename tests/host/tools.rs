//! Programs of the host that plugins start: what they get, that they run once, and that they end with what wanted them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use lockgate::wire::{Deployment, Grants, ToolGrant, ToolLimits};

use crate::copies::{back_up_and_restore, take_over};
use crate::harness::{Host, Project, files, one_phase, wait};

/// A host whose `tool-phase` may start one script under the name `tool`, with any arguments.
struct Bench {
    host: Host,
    script: PathBuf,
}

impl Bench {
    fn new(script: &str) -> Self {
        let host = Host::start();
        let path = host.place("tools").join("tool");
        write_script(&path, script);
        host.plugin_with("tool-phase", granting(&path));
        Self { host, script: path }
    }

    /// Where the script leaves its traces.
    fn trace(&self, name: &str) -> PathBuf {
        self.host.place("traces").join(name)
    }

    fn project(&self, name: &str, config: &str) -> Project {
        let project = Project::create(&self.host, name, &one_phase("tool-phase", config));
        project.release("v1");
        project
    }

    /// The processes whose working folder is below the host's workspaces.
    fn running(&self) -> Vec<u32> {
        let workspaces = self.host.data().canonicalize().unwrap().join("workspaces");
        let processes = fs::read_dir("/proc").unwrap().flatten();
        let there = processes
            .filter(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|at| at.starts_with(&workspaces)));
        there.filter_map(|process| process.file_name().to_str()?.parse().ok()).collect()
    }

    fn wait_for_nothing(&self) {
        wait("all tools to be gone", || self.running().is_empty().then_some(()));
    }
}

/// A test that failed leaves nothing running.
impl Drop for Bench {
    fn drop(&mut self) {
        for process in self.running() {
            let _ = std::process::Command::new("kill").args(["-KILL", &process.to_string()]).status();
        }
    }
}

fn write_script(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn granting(program: &Path) -> Grants {
    let tool = ToolGrant {
        path: program.to_str().unwrap().to_owned(),
        digest: None,
        args: vec![vec!["{(?s).*}...".to_owned()]],
        env: BTreeMap::from([("PATH".to_owned(), Some("/usr/bin:/bin".to_owned()))]),
        limits: ToolLimits::default(),
    };
    Grants { tools: BTreeMap::from([("tool".to_owned(), tool)]), ..Grants::default() }
}

fn wait_for_file(path: &Path) -> String {
    wait(&format!("the file {}", path.display()), || fs::read_to_string(path).ok().filter(|text| text.ends_with('\n')))
}

fn outputs(deployment: &Deployment) -> &serde_json::Value {
    &deployment.phases[0].outputs
}

#[test]
fn a_phase_starts_a_tool_and_gets_what_it_said() {
    let bench = Bench::new("echo \"$1 in $(basename $(dirname $PWD))\"; cat; echo trouble >&2; exit 3");
    let project = bench.project("say", "{ tool: tool, args: [hello], stdin: input }");
    let ended = project.end_of(project.deploy("v1", "test"));
    assert_eq!(outputs(&ended)["stdout"], "hello in test\ninput");
    assert_eq!((&outputs(&ended)["stderr"], &outputs(&ended)["code"]), (&"trouble\n".into(), &3.into()));
    wait("its files to go with the workspace", || files(&bench.host.data().join("tools")).is_empty().then_some(()));
}

#[test]
fn a_host_that_is_killed_finds_the_tool_again_when_it_is_back() {
    let mut bench = Bench::new("echo once >> $1; while [ ! -e $2 ]; do sleep 0.01; done; echo lived through it");
    let (effects, go) = (bench.trace("effects"), bench.trace("go"));
    let config = format!("{{ tool: tool, args: [{}, {}] }}", effects.display(), go.display());
    let project = bench.project("crash", &config);
    let number = project.deploy("v1", "test");
    wait_for_file(&effects);
    bench.host.kill();
    let tools = bench.running();
    assert!(!tools.is_empty());
    bench.host.restart();
    fs::write(&go, "").unwrap();
    let ended = project.end_of(number);
    assert_eq!(outputs(&ended)["stdout"], "lived through it\n");
    assert_eq!(fs::read_to_string(&effects).unwrap(), "once\n");
    bench.wait_for_nothing();
}

#[test]
fn a_tool_that_ended_while_the_host_was_gone_is_found_ended() {
    let mut bench = Bench::new("echo once >> $1; while [ ! -e $2 ]; do sleep 0.01; done; exit 7");
    let (effects, go) = (bench.trace("effects"), bench.trace("go"));
    let config = format!("{{ tool: tool, args: [{}, {}] }}", effects.display(), go.display());
    let project = bench.project("gone", &config);
    let number = project.deploy("v1", "test");
    wait_for_file(&effects);
    bench.host.kill();
    fs::write(&go, "").unwrap();
    bench.wait_for_nothing();
    bench.host.restart();
    assert_eq!(outputs(&project.end_of(number))["code"], 7);
    assert_eq!(fs::read_to_string(&effects).unwrap(), "once\n");
}

#[test]
fn a_tool_that_ran_while_a_backup_was_made_is_not_started_again_from_it() {
    let mut bench = Bench::new("echo once >> $1; while [ ! -e $2 ]; do sleep 0.01; done");
    let (effects, go) = (bench.trace("effects"), bench.trace("go"));
    let config = format!("{{ tool: tool, args: [{}, {}] }}", effects.display(), go.display());
    let project = bench.project("copied", &config);
    let number = project.deploy("v1", "test");
    wait_for_file(&effects);
    let restored = back_up_and_restore(&bench.host);
    fs::write(&go, "").unwrap();
    project.assert_succeeds(number);

    take_over(&mut bench.host, &restored);
    let (status, reason) = project.outcome_of(number);
    assert_eq!(status, "FAILED", "{reason}");
    assert!(reason.contains("nobody knows what became of the tool `tool`"), "{reason}");
    assert_eq!(fs::read_to_string(&effects).unwrap(), "once\n");
}

#[test]
fn a_tool_whose_keeper_was_killed_is_lost_and_its_deployment_fails() {
    let bench = Bench::new("echo once >> $1; exec sleep 1000");
    let effects = bench.trace("effects");
    let project = bench.project("lost", &format!("{{ tool: tool, args: [{}] }}", effects.display()));
    let number = project.deploy("v1", "test");
    wait_for_file(&effects);
    let tool = bench.running()[0];
    let stat = fs::read_to_string(format!("/proc/{tool}/stat")).unwrap();
    let keeper = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap().to_owned();
    assert!(std::process::Command::new("kill").args(["-KILL", &keeper]).status().unwrap().success());
    let (status, reason) = project.outcome_of(number);
    assert_eq!(status, "FAILED", "{reason}");
    assert!(reason.contains("nobody knows what became of the tool `tool`"), "{reason}");
    assert_eq!(fs::read_to_string(&effects).unwrap(), "once\n");
    bench.wait_for_nothing();
}

#[test]
fn a_tool_ends_with_its_phase_also_one_that_nobody_looks_at() {
    let bench = Bench::new("setsid sleep 1000 & echo here > $1; trap '' TERM; while :; do sleep 1000; done");
    let here = bench.trace("here");
    let project = bench.project("forget", &format!("{{ tool: tool, args: [{}], forget: true }}", here.display()));
    project.assert_succeeds(project.deploy("v1", "test"));
    bench.wait_for_nothing();
}

#[test]
fn a_cancelled_phase_stops_its_tool_itself_and_what_it_does_not_stop_is_killed() {
    let bench = Bench::new("trap 'echo tidied > $1; exit 0' TERM; echo here > $2; while :; do sleep 0.01; done");
    let (tidied, here) = (bench.trace("tidied"), bench.trace("here"));
    let config = format!("{{ tool: tool, args: [{}, {}] }}", tidied.display(), here.display());
    let project = bench.project("cancel", &config);
    let number = project.deploy("v1", "test");
    wait_for_file(&here);
    // The first call has answered: its cursor names the key.
    wait("the tool to be looked at", || (project.events(number).len() > 6).then_some(()));
    project.cancel(number);
    project.end_of(number);
    assert_eq!(wait_for_file(&tidied), "tidied\n");
    bench.wait_for_nothing();
}

#[test]
fn a_phase_that_runs_out_of_time_takes_its_tool_along_before_the_next_one_starts() {
    let mut bench = Bench::new("trap '' TERM; echo here > $1; while :; do sleep 1000; done");
    let here = bench.trace("here");
    let file = format!(
        "environments: {{ test: {{}} }}\n\
         workflows: {{ w: {{ phases: [{{ name: work, plugin: tool-phase, config: {{ tool: tool, args: [{}] }}, timeout: 3s, retries: 0 }}] }} }}\n",
        here.display()
    );
    let project = Project::create(&bench.host, "timeout", &file);
    project.release("v1");
    let number = project.deploy("v1", "test");
    wait_for_file(&here);
    bench.host.kill();
    assert!(!bench.running().is_empty());
    bench.host.restart();
    let (status, reason) = project.outcome_of(number);
    assert_eq!(status, "FAILED", "{reason}");
    bench.wait_for_nothing();
}

#[test]
fn what_a_former_host_left_of_a_deployment_that_is_over_is_killed_at_the_start() {
    let mut bench = Bench::new("if [ -n \"$1\" ]; then echo here > $1; exec sleep 1000; fi; exit 1");
    let project = bench.project("left", "{ tool: tool }");
    project.end_of(project.deploy("v1", "test"));
    let here = bench.trace("here");
    project.change(&bench.host, &one_phase("tool-phase", &format!("{{ tool: tool, args: [{}] }}", here.display())));
    project.release("v2");
    let number = project.deploy("v2", "test");
    wait_for_file(&here);
    bench.host.kill();
    // Its files say that it is the tool of the first deployment, as if that host had died between its end and theirs.
    let of_project = bench.host.data().join("tools/left/test");
    symlink(of_project.join(number.to_string()), of_project.join("1")).unwrap();
    bench.host.restart();
    let (status, reason) = project.outcome_of(number);
    assert_eq!(status, "FAILED", "{reason}");
    assert!(reason.contains("its phase is over"), "{reason}");
    bench.wait_for_nothing();
}

#[test]
fn a_retry_starts_its_tools_anew() {
    let bench = Bench::new("echo once >> $1; [ $(wc -l < $1) -gt 1 ] || exec kill -KILL $PPID");
    let effects = bench.trace("effects");
    let project = bench.project("retry", &format!("{{ tool: tool, args: [{}], key: k }}", effects.display()));
    let number = project.deploy("v1", "test");
    let (status, reason) = project.outcome_of(number);
    assert_eq!(status, "FAILED", "{reason}");
    project.retry(number);
    wait("the second attempt", || (project.deployment(number).attempt == 2).then_some(()));
    project.assert_succeeds(number);
    assert_eq!(fs::read_to_string(&effects).unwrap(), "once\nonce\n");
}

#[test]
fn without_a_grant_every_call_is_denied_and_leaves_one_line_for_the_audit() {
    let bench = Bench::new(": > $1");
    let started = bench.trace("started");
    let admin = bench.host.admin().client;
    let asks = format!("{{ tool: tool, args: [{}], ask: true }}", started.display());
    let project = bench.project("denied", &asks);
    // Released with the grant, called without.
    let plugin = crate::harness::block_on(admin.plugin("tool-phase")).unwrap();
    crate::harness::block_on(admin.approve_plugin(&plugin.digest, Grants::default(), String::new())).unwrap();
    let ended = project.end_of(project.deploy("v1", "test"));
    for question in ["start", "poll", "stop"] {
        let said = outputs(&ended)[question].as_str().unwrap();
        assert!(said.starts_with("denied: ") && said.contains("--tool NAME=PATH"), "{question}: {said}");
    }
    assert!(!started.exists());
    let log = bench.host.said();
    let audit: Vec<&str> = log.lines().filter(|line| line.contains("audit") && line.contains("denied")).collect();
    assert_eq!(audit.len(), 3, "{log}");
    assert!(audit[0].contains("tool `tool`"), "{}", audit[0]);
}

#[test]
fn a_check_of_a_configuration_starts_nothing() {
    let bench = Bench::new(": > $1");
    let started = bench.trace("started");
    let file = one_phase("tool-phase", &format!("{{ tool: tool, args: [{}], nosy: true }}", started.display()));
    let admin = bench.host.admin().client;
    let refused = crate::harness::block_on(admin.apply_project("nosy", crate::harness::file("nosy", &file)));
    let refused = format!("{:?}", refused.unwrap_err());
    assert!(refused.contains("denied, denied, denied"), "{refused}");
    assert!(!started.exists());
}

#[test]
fn a_program_that_was_changed_after_it_was_approved_is_not_started() {
    let bench = Bench::new("exit 0");
    let project = bench.project("changed", "{ tool: tool }");
    let started = bench.trace("started");
    write_script(&bench.script, &format!(": > {}", started.display()));
    let (status, reason) = project.outcome_of(project.deploy("v1", "test"));
    assert_eq!(status, "FAILED", "{reason}");
    assert!(reason.contains("the program of the tool `tool` has changed"), "{reason}");
    assert!(!started.exists());
}

#[test]
fn a_release_that_asks_for_a_tool_nobody_granted_says_how_to_grant_it() {
    let bench = Bench::new("exit 0");
    let project = Project::create(&bench.host, "ungranted", &one_phase("tool-phase", "{ tool: other }"));
    let refused = project.try_release("v1", Vec::new()).unwrap_err().to_string();
    assert!(refused.contains("asks for the tool `other`") && refused.contains("--tool other=/path"), "{refused}");
}

#[test]
fn an_operator_sees_a_granted_tool_and_what_it_may_be_given() {
    let bench = Bench::new("exit 0");
    let program = bench.script.display().to_string();
    let tool = format!("tool={program}");
    let approve = [
        "plugin",
        "approve",
        "tool-phase",
        "--yes",
        "--take-away",
        "--tool",
        &tool,
        "--tool-args",
        "tool=get {[a-z]+}",
    ];
    let approved = bench.host.as_admin(&approve);
    assert_eq!(approved.code, Some(0));
    assert!(approved.out.contains(&format!("start the tool tool, which is {program} (sha256:")), "{}", approved.out);
    let shown = bench.host.as_admin(&["plugin", "show", "tool-phase"]).out;
    assert!(
        shown.contains("with get {[a-z]+}") && shown.contains("tool where its configuration says, at /tool"),
        "{shown}"
    );
    // What is not said again would be lost.
    let refused = bench.host.as_admin(&["plugin", "approve", "tool-phase", "--yes"]);
    assert_eq!(refused.code, Some(2));
    let said = refused.said;
    assert!(said.contains("would lose") && said.contains("--tool-args 'tool=get {[a-z]+}'"), "{said}");
    let refused = bench.host.as_admin(&[
        "plugin",
        "approve",
        "tool-phase",
        "--yes",
        "--take-away",
        "--tool",
        &tool,
        "--tool-args",
        "tool={[",
    ]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.said.contains("begins with `{`"), "{}", refused.said);
}
