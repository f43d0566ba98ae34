//! What plugins have of their operator's secrets and of their own state, in a real host.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lockgate::wire::{Grants, HttpGrant, NewSecret};

use crate::harness::{Host, Project, Web, binary, block_on, files, skipped};

const VALUE: &str = "s3cret-value-of-the-chat-room";

/// A host that has a key, a web server in the world outside, and a secret that may travel there.
struct Room {
    host: Host,
    web: Web,
}

impl Room {
    fn new() -> Self {
        let mut host = Host::not_started();
        host.keys(&[&new_key(&host)]);
        host.restart();
        let web = Web::serving(host.place("web"));
        let http = vec![HttpGrant::new(&web.url(), true)];
        host.plugin_with("http-request", Grants { http, secrets: vec!["chat".to_owned()], ..Grants::default() });
        Self { host, web }
    }

    fn set(&self, change: impl FnOnce(&mut NewSecret)) {
        let origins = vec![self.web.url()];
        let mut new = NewSecret {
            value: VALUE.to_owned(),
            origins,
            headers: Vec::new(),
            project: None,
            environments: Vec::new(),
        };
        change(&mut new);
        block_on(self.host.admin().client.set_secret("chat", &new)).unwrap();
    }

    /// A project that tells the room of its releases.
    fn project(&self, name: &str) -> Project {
        let config = format!(
            "{{ url: \"{}/echo\", secret: chat, headers: {{ Authorization: \"Bearer {{{{secret}}}}\" }} }}",
            self.web.url()
        );
        let project = Project::with_phase(&self.host, name, "http-request", &config);
        project.release("v1");
        project
    }
}

pub fn new_key(host: &Host) -> String {
    let made = host.command(&["secret", "keygen"]);
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_new_value_alone_leaves_a_secret_where_it_may_travel_and_for_whom() {
    let room = Room::new();
    let file = room.host.place("values").join("new");
    fs::write(&file, "another value\n").unwrap();
    let set = |flags: &[&str]| {
        let ran =
            room.host.as_admin(&[&["secret", "set", "chat", "--from-file", file.to_str().unwrap()], flags].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.said);
        ran.out
    };
    let first =
        set(&["--to", "https://a.example", "--header", "X-Key", "--for-project", "shop", "--for-environment", "live"]);
    let bound = "  may travel to https://a.example:443, in x-key\n  for live of shop\n";
    assert_eq!(first, format!("secret chat\n{bound}"));
    assert_eq!(set(&[]), format!("secret chat has a new value, and is as before\n{bound}"));
    let listed = block_on(room.host.admin().client.secrets()).unwrap().items;
    assert_eq!(listed[0].origins, ["https://a.example:443"]);
    assert_eq!(
        set(&["--to", "https://b.example"]),
        "secret chat\n  may travel to https://b.example:443, in authorization\n  for every project\n"
    );
}

/// A command at a terminal of its own, and then what that terminal is set to.
fn at_a_terminal(host: &Host, command: &str) -> Option<(Child, ChildStdin, BufReader<ChildStdout>)> {
    let shell = format!("trap : INT; {} {command}; echo \"ended $?\"; stty -a", binary().display());
    let mut script = Command::new("script");
    script.args(["-qec", &shell, "/dev/null"]).env_clear();
    script.env("LOCKGATE_URL", format!("http://{}", host.address())).env("LOCKGATE_TOKEN", host.admin().secret);
    let script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut script = script.ok().or_else(|| skipped("no script"))?;
    let (input, output) = (script.stdin.take().unwrap(), BufReader::new(script.stdout.take().unwrap()));
    Some((script, input, output))
}

#[test]
fn no_value_is_asked_for_where_the_host_does_not_answer() {
    let mut host = Host::start();
    host.kill();
    let Some((mut script, input, mut output)) = at_a_terminal(&host, "secret set typed") else { return };
    // Whoever asks all the same gets nothing.
    drop(input);
    let mut said = Vec::new();
    output.read_to_end(&mut said).unwrap();
    script.wait().unwrap();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("no answer from") && said.contains("ended 3"), "{said}");
    assert!(!said.contains("value of typed"), "{said}");
}

#[test]
fn a_value_that_is_typed_is_not_shown() {
    let room = Room::new();
    for (typed, end) in [("hunter2\n", "ended 0"), ("hunter2\u{3}", "ended 1"), ("\n", "ended 2")] {
        let Some((mut script, mut input, mut output)) = at_a_terminal(&room.host, "secret set typed") else { return };
        let mut asked = Vec::new();
        output.read_until(b')', &mut asked).unwrap();
        assert_eq!(String::from_utf8_lossy(&asked), "value of typed (not shown)");
        input.write_all(typed.as_bytes()).unwrap();
        let mut said = String::new();
        output.read_to_string(&mut said).unwrap();
        assert!(script.wait().unwrap().success());
        assert!(said.contains(end) && !said.contains("hunter2"), "{said}");
        assert!(said.contains(" echo ") && !said.contains("-echo "), "the terminal shows again what is typed: {said}");
    }
    let listed = block_on(room.host.admin().client.secrets()).unwrap().items;
    assert_eq!(listed.len(), 1, "only the first was set");
}

/// Files of the host that hold these bytes.
fn holding(host: &Host, bytes: &[u8]) -> Vec<String> {
    let holds = |path: &std::path::PathBuf| fs::read(path).unwrap().windows(bytes.len()).any(|part| part == bytes);
    files(&host.data()).into_iter().filter(holds).map(|path| path.display().to_string()).collect()
}

#[test]
fn a_secret_reaches_the_server_and_stands_nowhere_else() {
    let room = Room::new();
    room.set(|_| {});
    let project = room.project("told");
    let number = project.deploy("v1", "test");
    project.assert_succeeds(number);

    assert!(room.web.seen().contains(&format!("authorization: Bearer {VALUE}")), "{}", room.web.seen());
    // The server has sent back what it was sent: what is on record of that is the placeholder.
    let shown = format!("{:?} {:?}", project.deployment(number), project.log(number, "work"));
    assert!(shown.contains("lg-secret-") && !shown.contains(VALUE), "{shown}");
    let known = block_on(room.host.admin().client.secrets()).unwrap();
    assert!(!format!("{known:?}").contains(VALUE));
    assert_eq!(holding(&room.host, VALUE.as_bytes()), Vec::<String>::new());
    assert!(!room.host.said_ever().contains(VALUE));
}

#[test]
fn a_secret_is_denied_to_a_project_and_environment_it_is_not_for() {
    let room = Room::new();
    room.set(|new| new.project = Some("other".to_owned()));
    let project = room.project("told");
    let (status, reason) = project.outcome_of(project.deploy("v1", "test"));
    assert_eq!(status, "FAILED");
    assert!(reason.contains("there is no secret `chat` for environment `test` of project `told`"), "{reason}");

    room.set(|new| (new.project, new.environments) = (Some("told".to_owned()), vec!["production".to_owned()]));
    assert_eq!(project.outcome_of(project.deploy("v1", "test")).0, "FAILED");
    assert_eq!(room.web.asked(), 0);

    room.set(|new| (new.project, new.environments) = (Some("told".to_owned()), vec!["test".to_owned()]));
    project.assert_succeeds(project.deploy("v1", "test"));
}

#[test]
fn a_new_key_takes_over_at_the_next_start_and_the_old_one_can_go() {
    let mut room = Room::new();
    room.set(|_| {});
    let project = room.project("told");
    let old = room.host.current_keys();
    let new = new_key(&room.host);

    room.host.keys(&[&new, &old]);
    room.host.restart();
    room.host.keys(&[&new]);
    room.host.restart();
    project.assert_succeeds(project.deploy("v1", "test"));

    room.host.keys(&[&old]);
    room.host.restart();
    assert!(room.host.said().contains("is encrypted with key"), "{}", room.host.said());
    let (status, reason) = project.outcome_of(project.deploy("v1", "test"));
    assert_eq!(status, "FAILED");
    assert!(reason.contains("which this host was not given") && !reason.contains(&old), "{reason}");
}

#[test]
fn a_secret_that_is_removed_is_gone() {
    let room = Room::new();
    room.set(|_| {});
    let kept = || files(&room.host.data().join("secrets")).len();
    assert_eq!(kept(), 1);
    room.set(|new| new.value = "another".to_owned());
    assert_eq!(kept(), 1, "the value before is gone");
    block_on(room.host.admin().client.remove_secret("chat")).unwrap();
    assert_eq!(kept(), 0);
    let again = block_on(room.host.admin().client.remove_secret("chat")).unwrap_err();
    assert!(again.to_string().contains("there is no secret `chat`"), "{again}");
}

#[test]
fn a_host_without_a_key_keeps_no_secret_and_says_how_it_would() {
    let host = Host::start();
    let new = NewSecret {
        value: VALUE.to_owned(),
        origins: Vec::new(),
        headers: Vec::new(),
        project: None,
        environments: Vec::new(),
    };
    let refused = block_on(host.admin().client.set_secret("chat", &new)).unwrap_err().to_string();
    assert!(refused.contains("lockgate secret keygen"), "{refused}");
    assert_eq!(holding(&host, VALUE.as_bytes()), Vec::<String>::new());
}

// ---- state ----

fn counted(project: &Project, environment: &str) -> String {
    let number = project.deploy("v1", environment);
    project.assert_succeeds(number);
    project.deployment(number).phases[0].outputs.to_string()
}

#[test]
fn what_a_deployment_keeps_the_next_one_finds_also_after_a_crash_and_only_in_its_environment() {
    let mut host = Host::start();
    host.plugin_with("counting-phase", Grants { state: Some("counts".to_owned()), ..Grants::default() });
    let file = "environments: { test: {}, production: {} }\n\
                workflows: { w: { phases: [{ name: count, plugin: counting-phase, config: { key: deploys } }] } }\n";
    let project = Project::create(&host, "counts", file);
    project.release("v1");
    assert_eq!(counted(&project, "test"), r#"{"count":1,"late":"conflict"}"#);
    assert_eq!(counted(&project, "test"), r#"{"count":2,"late":"conflict"}"#);
    host.kill();
    host.restart();
    assert_eq!(counted(&project, "test"), r#"{"count":3,"late":"conflict"}"#);
    assert_eq!(counted(&project, "production"), r#"{"count":1,"late":"conflict"}"#);
}

#[test]
fn an_operator_sees_what_plugins_keep_and_clears_it() {
    let host = Host::start();
    host.plugin_with("counting-phase", Grants { state: Some("counts".to_owned()), ..Grants::default() });
    let project = Project::with_phase(&host, "shop", "counting-phase", "{ key: deploys }");
    project.release("v1");
    counted(&project, "test");
    counted(&project, "test");
    let place = ["-p", "shop", "-e", "test"];
    let shown = host.as_admin(&[&["environment", "state"], &place[..]].concat()).out;
    assert!(shown.contains("counts") && shown.contains("deploys") && shown.contains("#2"), "{shown}");

    let clear = |more: &[&str]| host.as_admin(&[&["environment", "clear-state"], &place[..], more].concat());
    let typo = clear(&["count", "--reason", "a new season"]);
    assert!(typo.code == Some(1) && typo.said.contains("there is: counts"), "{}", typo.said);
    let silent = clear(&["counts", "--reason", " "]);
    assert!(silent.code == Some(1) && silent.said.contains("reason"), "{}", silent.said);
    let cleared = clear(&["counts", "--reason", "a new season"]);
    assert!(cleared.out.contains("1 value is cleared"), "{} {}", cleared.out, cleared.said);
    assert_eq!(counted(&project, "test"), r#"{"count":1,"late":"conflict"}"#);
}

#[test]
fn what_is_too_large_to_keep_is_refused() {
    let host = Host::start();
    host.plugin_with("counting-phase", Grants { state: Some("counts".to_owned()), ..Grants::default() });
    let project = Project::with_phase(&host, "large", "counting-phase", "{ key: x, bytes: 20000 }");
    project.release("v1");
    let (status, reason) = project.outcome_of(project.deploy("v1", "test"));
    assert_eq!(status, "FAILED");
    assert!(reason.contains("the value's length") && reason.contains("16384"), "{reason}");
}

#[test]
fn state_that_is_not_granted_is_missed_before_anything_is_deployed() {
    let host = Host::start();
    host.plugin("counting-phase", &[]);
    let project = Project::with_phase(&host, "poor", "counting-phase", "{ key: x }");
    let refused = project.try_release("v1", Vec::new()).unwrap_err().to_string();
    assert!(refused.contains("--state"), "{refused}");
}
