//! The process around the host: how it starts and stops, and what it writes where.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::harness::{Host, Project, binary, block_on, free_address};

#[test]
fn a_host_that_was_just_started_stops_as_it_should() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..5 {
        let mut host = Command::new(binary())
            .args(["serve", "--listen", &free_address().to_string(), "--data"])
            .arg(folder.path().join("data"))
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(host.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("listening on") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "it never listened");
        }
        assert!(Command::new("kill").arg(host.id().to_string()).status().unwrap().success());
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert!(rest.starts_with("stopped; "), "{rest}");
        assert_eq!(host.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn a_log_in_a_file_has_no_colours() {
    let mut host = Host::start();
    host.restart();
    assert!(!host.said_ever().contains('\u{1b}'), "{}", host.said_ever());
    // Something is logged at least when it stops.
    assert!(Command::new("kill").arg(host.process_id().to_string()).status().unwrap().success());
    crate::harness::wait("the host to say that it stops", || host.said().contains("stopping").then_some(()));
    assert!(!host.said_ever().contains('\u{1b}'), "{}", host.said_ever());
}

#[test]
fn a_secret_that_could_not_be_written_is_not_lost_in_silence() {
    let host = Host::start();
    let admin = host.admin();
    let run = |arguments: &[&str], token: &str| {
        Command::new(binary())
            .args(arguments)
            .env_clear()
            .env("LOCKGATE_URL", format!("http://{}", host.address()))
            .env("LOCKGATE_TOKEN", token)
            .stdout(std::fs::File::options().write(true).open("/dev/full").unwrap())
            .output()
            .unwrap()
    };
    let made = run(&["token", "create", "ci", "--person", "ci"], &admin.secret);
    let said = String::from_utf8(made.stderr).unwrap();
    assert_eq!(made.status.code(), Some(1), "{said}");
    assert!(said.contains("token ci was made") && said.contains("lockgate token revoke ci"), "{said}");

    let sent = run(&["token", "list"], "lg_1\nx");
    let said = String::from_utf8(sent.stderr).unwrap();
    assert_eq!(sent.status.code(), Some(2), "{said}");
    assert!(said.contains("LOCKGATE_TOKEN"), "{said}");
}

fn refused(arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    let ended = command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap();
    (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
}

#[test]
fn a_variable_that_is_set_to_nothing_is_named() {
    for name in
        ["LOCKGATE_RETENTION", "LOCKGATE_DATA", "LOCKGATE_SECRET_KEY", "LOCKGATE_LOG", "LOCKGATE_SEPARATE_DUTIES"]
    {
        let note = format!("{name} is set to nothing: unset it");
        for arguments in [&["serve"][..], &["serve", "--json"]] {
            let (code, said) = refused(arguments, &[(name, "")]);
            assert!(code == Some(2) && said.contains(&note), "{said}");
        }
    }
}

#[test]
fn a_command_without_a_project_says_how_one_is_named() {
    let host = [("LOCKGATE_URL", "http://127.0.0.1:1"), ("LOCKGATE_TOKEN", "lg_nobody")];
    for arguments in
        [&["status"][..], &["explain", "7"], &["environment", "list"], &["deployment", "list"], &["release", "list"]]
    {
        let expected = "error: no project is named\n hint: name one with -p, or in LOCKGATE_PROJECT; `lockgate project list` shows which there are\n";
        assert_eq!(refused(arguments, &host), (Some(2), expected.to_owned()), "{arguments:?}");
    }
    let (code, said) = refused(&["status", "--json"], &host);
    assert!(code == Some(2) && said.contains(r#""detail":"no project is named""#), "{said}");
    // Where more is missing, all of it is told.
    let (_, said) = refused(&["rollback"], &host);
    assert!(said.contains("--project <PROJECT>") && said.contains("--environment <ENVIRONMENT>"), "{said}");
}

#[test]
fn who_watches_no_longer_hears_what_goes_on_without_them() {
    let host = Host::start();
    let asks = "environments: { test: { approvals: { rules: [{ groups: [operators] }] } } }\nworkflows: { w: { phases: [] } }\n";
    let project = Project::create(&host, "watched", asks);
    project.release("v1");
    let cleo = host.person("cleo", &[], "member");
    let watching = || {
        let mut deploy = Command::new(binary());
        deploy.args(["deploy", "v1", "-p", "watched", "-e", "test", "--wait"]).env_clear();
        deploy.env("LOCKGATE_URL", format!("http://{}", host.address())).env("LOCKGATE_TOKEN", &cleo.secret);
        let mut deploy = deploy.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It watches by then.
        let mut output = BufReader::new(deploy.stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        (deploy, output)
    };
    let (deploy, _output) = watching();
    assert!(Command::new("kill").args(["-INT", &deploy.id().to_string()]).status().unwrap().success());
    let ended = deploy.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("watched/1 goes on without being watched"), "{said}");

    let (deploy, _output) = watching();
    block_on(host.admin().client.revoke_token("cleo")).unwrap();
    let ended = deploy.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(4), "{said}");
    let how = "watched/2 goes on without being watched; `lockgate deployment logs 2 -f -p watched` watches it again";
    assert!(said.contains(how), "{said}");
}
