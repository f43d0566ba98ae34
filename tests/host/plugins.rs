//! Whatever a plugin does: its own deployment says why it failed, and nothing else notices.

use std::fs;

use lockgate::wire::{Grants, Limits};

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

/// What the host holds when they have all run is what stays: pools that are warm, and no guest's memory.
#[test]
fn a_crowd_of_hostile_guests_leaves_others_alone_and_the_host_as_it_was() {
    const EACH: usize = 8;
    let host = Host::start();
    let limits = Limits { cpu_ms: Some(300), memory_bytes: Some(GUEST_BYTES), ..Limits::default() };
    host.plugin_with("hostile-phase", Grants { limits, ..Grants::default() });
    let deeds = [
        ("spin", "{ do: spin }", "CPU time"),
        ("allocate", "{ do: allocate }", "memory"),
        ("flood", "{ do: log-flood, times: 20000, bytes: 1000 }", ""),
    ];
    let crowd: Vec<(Project, &str)> = deeds
        .iter()
        .flat_map(|(name, config, ends)| (0..EACH).map(move |index| (format!("{name}-{index}"), *config, *ends)))
        .map(|(name, config, ends)| (Project::with_phase(&host, &name, "hostile-phase", config), ends))
        .collect();
    let bystander = Project::with_phase(&host, "bystander", "hostile-phase", "{ do: done }");
    crowd.iter().for_each(|(project, _)| project.release("v1"));
    bystander.release("v1");
    let round = || {
        let under_way: Vec<u64> = crowd.iter().map(|(project, _)| project.deploy("v1", "test")).collect();
        bystander.assert_succeeds(bystander.deploy("v1", "test"));
        for ((project, ends), number) in crowd.iter().zip(under_way) {
            let (status, reason) = project.outcome_of(number);
            let fits = if ends.is_empty() { status == "SUCCEEDED" } else { reason.contains(ends) };
            assert!(fits, "{}: {status} {reason}", project.name);
        }
        resident_bytes(host.process_id())
    };
    let once = round();
    let thrice = [round(), round()];
    // One guest's memory left behind by each round would show.
    let most = once + EACH as u64 * GUEST_BYTES / 4;
    assert!(thrice.iter().all(|now| *now < most), "{once} bytes after the first round, then {thrice:?}");
}

const GUEST_BYTES: u64 = 64 << 20;

fn resident_bytes(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}
