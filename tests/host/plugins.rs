//! Whatever a plugin does: its own deployment says why it failed, and nothing else notices.

use crate::harness::{Host, Project, one_phase};

/// Runs the deed, and then shows that the host lives and the same project deploys again.
fn outcome_of(deed: &str) -> (String, String) {
    let host = Host::shared();
    let name = deed.split([',', ' ']).next().unwrap();
    let project = Project::with_phase(&host, name, "hostile-phase", &format!("{{ do: {deed} }}"));
    project.release("v1");
    let outcome = project.outcome_of(project.deploy("v1", "test"));

    assert!(host.is_alive());
    project.change(&host, &one_phase("hostile-phase", "{ do: done }"));
    project.release("v2");
    project.assert_succeeds(project.deploy("v2", "test"));
    outcome
}

fn assert_fails(deed: &str, words: &[&str]) {
    let (status, reason) = outcome_of(deed);
    assert_eq!(status, "FAILED", "{reason}");
    assert!(reason.starts_with("work: "), "{reason}");
    for word in words {
        assert!(reason.contains(word), "`{word}` is missing in: {reason}");
    }
}

#[test]
fn a_plugin_that_traps_fails_its_phase() {
    assert_fails("trap", &["the plugin trapped", "unreachable"]);
}

#[test]
fn a_plugin_that_panics_is_quoted() {
    assert_fails("panic-message", &["the plugin trapped", "the plugin panicked on purpose"]);
}

#[test]
fn a_plugin_that_spins_forever_is_stopped_at_its_cpu_limit() {
    assert_fails("spin", &["CPU time", "500 ms", "`cpu_ms`"]);
}

#[test]
fn a_plugin_that_allocates_without_end_is_stopped_at_its_memory_limit() {
    assert_fails("allocate", &["memory", "67108864", "`memory_bytes`"]);
}

#[test]
fn a_plugin_that_calls_itself_forever_is_stopped() {
    assert_fails("recurse", &["the plugin trapped"]);
}

#[test]
fn a_plugin_that_answers_garbage_is_told_what_makes_no_sense() {
    assert_fails("garbage-outputs", &["makes no sense", "outputs"]);
}

#[test]
fn a_plugin_that_answers_too_much_is_refused() {
    assert_fails("huge-outputs, bytes: 6000000", &["bytes", "`output_bytes`"]);
}

#[test]
fn a_plugin_that_says_it_failed_is_quoted() {
    assert_fails("fail, code: no-luck", &["failed on purpose"]);
}

#[test]
fn a_plugin_that_floods_its_log_loses_lines_and_is_told_how_many_bytes() {
    let host = Host::shared();
    let project = Project::with_phase(&host, "flood", "hostile-phase", "{ do: log-flood, times: 400, bytes: 1000 }");
    project.release("v1");
    let number = project.deploy("v1", "test");
    project.assert_succeeds(number);

    let log = project.log(number, "work");
    assert!(log.len() < 100, "{} lines were kept", log.len());
    assert!(log.iter().any(|line| line.message.contains("dropped")), "{:?}", log.last());
    assert!(host.is_alive());
}

#[test]
fn a_plugin_that_was_granted_nothing_reaches_nothing() {
    let host = Host::shared();
    let project = Project::with_phase(&host, "outside", "hostile-phase", "{ do: read-outside }");
    project.release("v1");
    let number = project.deploy("v1", "test");
    project.assert_succeeds(number);

    let outputs = project.deployment(number).phases[0].outputs.clone();
    let tried = outputs.as_object().unwrap();
    assert!(tried.len() > 10, "{tried:?}");
    for (what, came_of_it) in tried {
        assert!(came_of_it.as_str().unwrap().starts_with("error: "), "{what}: {came_of_it}");
    }
}

#[test]
fn a_request_to_a_host_that_was_not_granted_is_denied() {
    let host = Host::shared();
    let url = format!("http://{}/health", host.address());
    let config = format!("{{ do: http-denied, url: \"{url}\" }}");
    let project = Project::with_phase(&host, "denied", "hostile-phase", &config);
    project.release("v1");
    let number = project.deploy("v1", "test");
    project.assert_succeeds(number);

    assert_eq!(project.deployment(number).phases[0].outputs["code"], "denied");
    let log = project.log(number, "work");
    assert!(log.iter().any(|line| line.message.starts_with("denied: ")), "{log:?}");
}

#[test]
fn a_call_that_never_answers_ends_with_its_phase() {
    let host = Host::shared();
    let file = "environments: { test: {} }\n\
                workflows: { w: { phases: [{ name: work, plugin: hostile-phase, timeout: 1s, config: { do: wait-forever } }] } }\n";
    let project = Project::create(&host, "never", file);
    project.release("v1");
    let (status, reason) = project.outcome_of(project.deploy("v1", "test"));
    assert_eq!(status, "FAILED");
    assert_eq!(reason, "work: `work` did not finish within its 1 s");
}
