//! What is wrong is refused with the reason and what is allowed; nothing half-done stays behind.

use lockgate::wire::{Artifact, NewDeployment};

use crate::harness::{Host, Person, Project, Refused, block_on, component, digest, file};

fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
}

/// With `v1`, and an environment named `test`.
fn project(host: &Host, name: &str) -> Project {
    let project = Project::with_phase(host, name, "hostile-phase", "{ do: done }");
    project.release("v1");
    project
}

fn deploy_in(person: &Person, project: &str, environment: &str, release: &str) -> lockgate::wire::Problem {
    let new = NewDeployment { release: release.to_owned(), ..NewDeployment::default() };
    block_on(person.client.deploy(project, environment, &new, None)).refused()
}

#[test]
fn an_unknown_project_is_refused_with_the_ones_there_are() {
    let host = Host::shared();
    let known = project(&host, "known");
    let problem = deploy_in(&known.ann, "unknown", "test", "v1");
    assert_eq!((problem.status, problem.code.as_str()), (404, "unknown-project"));
    assert_says(&problem.detail, &["no project `unknown`", "there are: ", "known"]);
}

#[test]
fn an_unknown_environment_is_refused_with_the_ones_there_are() {
    let host = Host::shared();
    let known = project(&host, "no-moon");
    let problem = deploy_in(&known.ann, "no-moon", "moon", "v1");
    assert_eq!((problem.status, problem.code.as_str()), (404, "unknown-environment"));
    assert_says(&problem.detail, &["no environment `moon` in project `no-moon`", "there are: test"]);
}

#[test]
fn an_unknown_release_is_refused_with_the_ones_there_are() {
    let host = Host::shared();
    let known = project(&host, "no-v9");
    let problem = deploy_in(&known.ann, "no-v9", "test", "v9");
    assert_eq!((problem.status, problem.code.as_str()), (404, "unknown-release"));
    assert_says(&problem.detail, &["no release `v9` in project `no-v9`", "there are: v1"]);
}

#[test]
fn a_tag_is_the_same_release_forever() {
    let host = Host::shared();
    let project = project(&host, "tags");
    let artifact = project.ann.upload("web", b"something new".to_vec());

    let same = project.try_release("v1", Vec::new()).unwrap();
    assert_eq!(same.status, "Active");
    let problem = project.try_release("v1", vec![artifact]).refused();
    assert_eq!((problem.status, problem.code.as_str()), (409, "tag-taken"));
    assert_says(&problem.detail, &["tag `v1` is taken", "other content", "choose another tag"]);
}

#[test]
fn a_release_names_only_artifacts_that_are_there() {
    let host = Host::shared();
    let project = project(&host, "no-artifact");
    let missing = Artifact { name: "web".to_owned(), digest: digest(b"never uploaded"), ..Artifact::default() };
    let problem = project.try_release("v2", vec![missing]).refused();
    assert_says(&problem.detail, &["web", "upload"]);
}

#[test]
fn all_mistakes_of_a_project_file_are_told_with_their_places() {
    let host = Host::shared();
    let text =
        "environments:\n  test:\n    workflow: nowhere\nworkflows:\n  w:\n    phases:\n      - { name: a, plugn: x }\n";
    let raw = host.admin().send("PUT", "/v1/projects/broken", file("broken", text).into_bytes());

    assert_eq!((raw.status, raw.content_type.as_str()), (422, "application/problem+json"));
    assert_eq!(raw.problem().0, "invalid-project-file");
    assert_says(raw.problem().1, &["lockgate.yaml:8:", "plugn", "mistakes"]);
    let lines: Vec<u64> =
        raw.body["mistakes"].as_array().unwrap().iter().map(|it| it["line"].as_u64().unwrap()).collect();
    assert!(lines.contains(&8) && raw.body["mistakes"][0]["column"].as_u64().unwrap() > 1, "{raw:?}");
    let missing = block_on(host.admin().client.project("broken")).refused();
    assert_eq!(missing.code, "unknown-project");
}

#[test]
fn a_plugin_in_a_place_for_another_kind_is_told_at_its_line() {
    let host = Host::shared();
    let admin = host.admin();
    let rest = "environments: { test: { targets: { t: { plugin: hostile-phase } } } }\n\
                workflows:\n  w:\n    phases:\n      - name: a\n        plugin: scripted-target\n      - { name: b, plugin: not-here-yet }\n";
    let problem = block_on(admin.client.apply_project("kinds", file("kinds", rest))).refused();
    assert_eq!((problem.status, problem.code.as_str()), (422, "invalid-project-file"));
    let told: Vec<(usize, &str)> = problem.mistakes.iter().map(|it| (it.line, it.message.as_str())).collect();
    let target = "`hostile-phase` is for a phase, and this place needs one for a target";
    let phase = "`scripted-target` is for a target, and this place needs one for a phase";
    let first = told[0].0;
    assert_eq!(told, [(first, target), (first + 5, phase)]);
}

#[test]
fn a_file_that_is_no_yaml_is_refused_with_line_and_column() {
    let host = Host::shared();
    let raw = host.admin().send("PUT", "/v1/projects/broken", b"project: broken\nenvironments: [\n".to_vec());
    assert_eq!(raw.status, 422);
    assert!(raw.body["mistakes"][0]["line"].as_u64().unwrap() >= 2, "{raw:?}");
}

#[test]
fn a_component_of_another_world_is_no_plugin() {
    let host = Host::shared();
    let problem = block_on(host.admin().client.add_plugin(component("wrong-world"))).refused();
    assert_eq!((problem.status, problem.code.as_str()), (422, "invalid-component"));
    assert_says(&problem.detail, &["acme:greeter/greeting", "a plugin exports exactly one of"]);
}

#[test]
fn a_core_module_is_no_component() {
    let host = Host::shared();
    let problem = block_on(host.admin().client.add_plugin(b"\0asm\x01\0\0\0".to_vec())).refused();
    assert_eq!(problem.status, 422);
    assert_says(&problem.detail, &["core module", "wasm32-wasip2"]);
}

#[test]
fn what_is_not_webassembly_is_no_plugin() {
    let host = Host::shared();
    for bytes in [&b"#!/bin/sh\necho hello\n"[..], b"\x7fELF\x02\x01\x01", b""] {
        let problem = block_on(host.admin().client.add_plugin(bytes.to_vec())).refused();
        assert_eq!(problem.status, 422, "{problem:?}");
    }
}

#[test]
fn a_plugin_that_cannot_check_its_configuration_is_told_at_each_place_of_it() {
    let host = Host::shared();
    let admin = host.admin();
    let phase = "plugin: hostile-phase, config: { do: panic-in-validate }";
    let rest = format!(
        "environments: {{ test: {{}} }}\nworkflows: {{ w: {{ phases: [{{ name: a, {phase} }}, {{ name: b, {phase} }}] }} }}\n"
    );
    let problem = block_on(admin.client.apply_project("unchecked", file("unchecked", &rest))).refused();
    assert_eq!((problem.status, problem.code.as_str()), (422, "invalid-project-file"));
    let paths: Vec<&str> = problem.mistakes.iter().map(|mistake| mistake.path.as_str()).collect();
    assert_eq!(paths, ["/workflows/w/phases/0/config", "/workflows/w/phases/1/config"]);
    for mistake in &problem.mistakes {
        assert_says(&mistake.message, &["could not be checked: ", "the plugin trapped", "panicked on purpose"]);
    }
}

#[test]
fn a_request_that_nobody_granted_is_named_when_the_release_is_made() {
    let host = Host::shared();
    let environment = "environments: { test: { targets: { world: { plugin: scripted-target, config: { folder: secrets } } } } }\n\
                       workflows: { w: { phases: [{ name: apply, apply: world }] } }\n";
    let project = Project::create(&host, "ungranted", environment);
    let problem = project.try_release("v1", Vec::new()).refused();
    assert_says(&problem.detail, &["`scripted-target`", "folder `secrets`", "not granted", "--folder secrets="]);
}

#[test]
fn a_plugin_that_nobody_approved_is_named_when_the_release_is_made() {
    let host = Host::shared();
    let project = Project::with_phase(&host, "unapproved", "who-knows", "{}");
    let problem = project.try_release("v1", Vec::new()).refused();
    assert_says(&problem.detail, &["`who-knows` is not approved, or was retired", "lockgate plugin approve who-knows"]);
}

#[test]
fn an_artifact_with_another_digest_is_not_stored() {
    let host = Host::shared();
    let admin = host.admin();
    let (announced, sent) = (digest(b"what was built"), digest(b"what was sent"));
    let raw = admin.send("PUT", &format!("/v1/artifacts?digest={announced}"), b"what was sent".to_vec());

    assert_eq!((raw.status, raw.problem().0), (422, "wrong-digest"));
    assert_says(raw.problem().1, &[&announced, &sent]);
    for digest in [announced, sent] {
        assert!(!block_on(admin.client.has_artifact(&digest)).unwrap(), "{digest} is stored");
    }
}

#[test]
fn without_a_token_nothing_is_told() {
    let host = Host::shared();
    let admin = host.admin();
    for (secret, code) in [("", "token-"), ("lg_wrong", "token-unknown"), (&admin.secret[..20], "token-unknown")] {
        let raw = admin.with_secret(secret).send("GET", "/v1/projects/known", Vec::new());
        assert_eq!(raw.status, 401);
        assert!(raw.problem().0.starts_with(code), "{raw:?}");
        assert!(!raw.body.to_string().contains(&admin.secret));
    }
}

#[test]
fn a_viewer_looks_and_does_not_touch() {
    let host = Host::shared();
    let project = project(&host, "viewed");
    let viewer = host.person("viewer", &[], "viewer");
    assert_eq!(block_on(viewer.client.project("viewed")).unwrap().name, "viewed");
    let problem = deploy_in(&viewer, "viewed", "test", "v1");
    assert_eq!((problem.status, problem.code.as_str()), (403, "role-too-low"));
    assert_says(&problem.detail, &["`member`", "`viewer`"]);
    assert!(project.deployments().is_empty());
}

#[test]
fn a_body_that_is_too_large_is_refused_and_the_host_lives_on() {
    let host = Host::shared();
    let admin = host.admin();
    let huge = || vec![b'#'; 3 << 20];
    for (method, path) in [("PUT", "/v1/projects/huge"), ("POST", "/v1/tokens"), ("POST", "/v1/projects/huge/releases")]
    {
        let raw = admin.send(method, path, huge());
        assert_eq!((raw.status, raw.problem().0), (413, "body-too-large"), "{method} {path}: {raw:?}");
    }
    let raw = admin.send("POST", "/v1/plugins", vec![0; 65 << 20]);
    assert_eq!(raw.status, 413, "{raw:?}");
    assert!(host.is_alive());
}

#[test]
fn a_body_that_is_nonsense_is_refused_with_what_is_wrong() {
    let host = Host::shared();
    let project = project(&host, "nonsense");
    let path = "/v1/projects/nonsense/environments/test/deployments";
    for (body, word) in
        [("{", "not JSON"), (r#"{"relase":"v1"}"#, "relase"), (r#"{"release":7}"#, "release"), ("{}", "release")]
    {
        let raw = project.ann.send("POST", path, body.as_bytes().to_vec());
        assert!(raw.status == 400 || raw.status == 422, "{raw:?}");
        assert_says(raw.problem().1, &[word]);
    }
    assert!(project.deployments().is_empty());
}

#[test]
fn a_path_that_is_not_there_is_a_problem_like_any_other() {
    let host = Host::shared();
    let raw = host.admin().send("GET", "/v2/anything", Vec::new());
    assert_eq!((raw.status, raw.content_type.as_str()), (404, "application/problem+json"));
}

#[test]
fn an_answer_to_a_question_that_nobody_asked_is_refused() {
    let host = Host::shared();
    let project = project(&host, "unasked");
    let number = project.deploy("v1", "test");
    project.assert_succeeds(number);
    let problem = project.try_approve(&project.bob, number).refused();
    assert!(problem.status == 409 || problem.status == 404, "{problem:?}");
    assert_says(&problem.detail, &["deployment 1"]);
}
