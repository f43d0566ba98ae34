//! Components that were built for a released version of the interfaces, byte for byte as they were then: one of each kind, with
//! every call and every import of its world. `versions/README.md` says how they are made.

use lockgate::wire::{Gate, Grants, HttpGrant, NewDeployment, NewSecret};
use serde_json::{Value, json};

use crate::harness::{self, Host, Project, Web, block_on, wait};
use crate::secrets::new_key;
use crate::versions::{RELEASED, folder_of};

const KINDS: [&str; 3] = ["phase", "gate", "target"];
const VALUE: &str = "the-value-of-the-golden-secret";
const ARTIFACT: &str = "what is released";

/// A host that has the three of one version, granted all that they ask for.
struct Stage {
    host: Host,
    web: Web,
    project: Project,
}

impl Stage {
    fn of(version: &str) -> Self {
        let mut host = Host::not_started();
        host.keys(&[&new_key(&host)]);
        host.restart();
        let web = Web::serving(host.place("web"));
        let admin = host.admin().client;
        let secret = NewSecret {
            value: VALUE.to_owned(),
            origins: vec![web.url()],
            headers: Vec::new(),
            project: None,
            environments: Vec::new(),
        };
        block_on(admin.set_secret("golden", &secret)).unwrap();
        for kind in KINDS {
            let component = wat::parse_file(folder_of(version).join(format!("{kind}.wat"))).unwrap();
            let plugin = block_on(admin.add_plugin(component)).unwrap_or_else(|error| panic!("{version}: {error}"));
            assert_eq!((plugin.kind.as_str(), plugin.name), (kind, format!("golden-{kind}")));
            let grants = Grants {
                http: vec![HttpGrant::new(&web.url(), true)],
                secrets: vec!["golden".to_owned()],
                state: (kind != "gate").then(|| "golden".to_owned()),
                ..Grants::default()
            };
            block_on(admin.approve_plugin(&plugin.digest, grants, "for a test".to_owned())).unwrap();
        }
        let project = Project::create(&host, "golden", &file(&web, ["", "", ""]));
        let artifact = project.ann.upload("web", ARTIFACT.into());
        project.release_with("v1", vec![artifact]);
        Self { host, web, project }
    }
}

/// What phase, gate and target of environment `test` are told besides the URL.
fn file(web: &Web, [phase, gate, target]: [&str; 3]) -> String {
    let url = web.url();
    format!(
        "
applications: [web]
environments:
  test:
    workflow: whole
    gates: {{ post: {{ interval: 10ms, checks: [{{ name: check, plugin: golden-gate, config: {{ url: \"{url}\"{gate} }} }}] }} }}
    targets: {{ world: {{ plugin: golden-target, config: {{ url: \"{url}\"{target} }} }} }}
  broken:
    workflow: back
    targets: {{ world: {{ plugin: golden-target, config: {{ url: \"{url}\", fail: true }} }} }}
  held: {{ workflow: held }}
workflows:
  whole: {{ phases: [{{ name: work, plugin: golden-phase, config: {{ url: \"{url}\"{phase} }} }}, {{ name: apply, apply: world }}] }}
  back: {{ on_failure: undo, phases: [{{ name: apply, apply: world }}] }}
  held: {{ phases: [{{ name: work, plugin: golden-phase, config: {{ url: \"{url}\", hold: true }} }}] }}
"
    )
}

#[test]
fn what_was_built_for_a_released_version_is_at_work_in_a_whole_deployment() {
    for version in RELEASED {
        let Stage { host: _host, web, project } = Stage::of(version);
        let refreshing = NewDeployment { release: "v1".to_owned(), refresh: true, ..NewDeployment::default() };
        let number = block_on(project.ann.client.deploy("golden", "test", &refreshing, None)).unwrap().number;
        project.assert_succeeds(number);

        let deployment = project.deployment(number);
        let answers = json!({ "status": 200, "cancelled": false, "time": true });
        let outputs = json!({ "status": 200, "cancelled": false, "time": true, "version": 1, "write": "denied" });
        assert_eq!(deployment.phases[0].outputs, outputs, "{version}");
        assert_eq!(deployment.phases[1].outputs, json!({ "cancelled": false, "time": true }), "{version}");
        assert_eq!(serde_json::from_str::<Value>(&deployment.gates[0].reason).unwrap(), answers, "{version}");
        let applied = format!("apply whole approved {ARTIFACT}");
        assert_eq!(web.heard(), ["observe", ARTIFACT, &applied, &ARTIFACT[..4]], "{version}");
        assert_eq!(web.seen().matches(&format!("authorization: Bearer {VALUE}")).count(), 4, "{}", web.seen());
        let said = |log: &str| project.log(number, log).into_iter().map(|line| line.message).collect::<Vec<_>>();
        assert_eq!(said("work"), ["the first call", "half of it", "denied: writing artifact `golden`"], "{version}");
        assert_eq!(said("apply"), ["the first call", "half of it"], "{version}");
        assert_eq!(said("gates")[0], "begins in test", "{version}");
    }
}

#[test]
fn a_gate_of_a_released_version_says_all_that_a_gate_can() {
    for version in RELEASED {
        let Stage { host: _host, web, project } = Stage::of(version);
        web.refuse();
        let number = project.deploy("v1", "test");
        let comes_to = |outcome: &str| {
            let is_so = |gate: &Gate| gate.outcome.as_deref() == Some(outcome);
            project.wait_until(number, outcome, |deployment| deployment.gates.iter().any(is_so)).gates.remove(0)
        };
        assert!(comes_to("fail").reason.contains("400"), "{version}");
        web.break_down();
        assert!(comes_to("inconclusive").reason.contains("503"), "{version}");
        web.mend();
        project.assert_succeeds(number);
    }
}

#[test]
fn a_target_of_a_released_version_goes_back() {
    for version in RELEASED {
        let Stage { host: _host, web, project } = Stage::of(version);
        let number = project.deploy("v1", "broken");
        assert_eq!(
            project.outcome_of(number),
            ("FAILED".to_owned(), "apply: fails, as it says".to_owned()),
            "{version}"
        );
        assert_eq!(project.deployment(number).phases[0].undo.as_deref(), Some("Undone"), "{version}");
        assert_eq!(web.heard(), ["undo"], "{version}");
    }
}

#[test]
fn a_phase_of_a_released_version_is_cancelled_with_its_cursor() {
    for version in RELEASED {
        let Stage { host: _host, project, .. } = Stage::of(version);
        let number = project.deploy("v1", "held");
        let is_answered = || project.events(number).iter().any(|event| event.event_type == "call_answered");
        wait("the first call to be answered", || is_answered().then_some(()));
        project.cancel(number);
        assert_eq!(project.end_of(number).status, "ABORTED", "{version}");
        let last = project.log(number, "work").pop().unwrap();
        assert_eq!(last.message, "stopped where it had begun", "{version}");
    }
}

#[test]
fn what_was_built_for_a_released_version_refuses_a_configuration() {
    for version in RELEASED {
        let Stage { host, web, .. } = Stage::of(version);
        for (place, kind) in KINDS.into_iter().enumerate() {
            let mut more = [""; 3];
            more[place] = ", refuse: true";
            let refused =
                block_on(host.admin().client.apply_project("golden", harness::file("golden", &file(&web, more))));
            let refused = refused.unwrap_err().to_string();
            assert!(refused.contains("is refused, as it says"), "{version}: {kind}: {refused}");
        }
    }
}
