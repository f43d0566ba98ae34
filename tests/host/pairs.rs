//! What a type, a flag or a setting changes in the world outside: deployments that differ in nothing else, and what a
//! chat room hears of them, or what visitors see at a real nginx. `refresh`, `forced` and selections are in `records`.

use std::cell::Cell;
use std::collections::BTreeMap;

use lockgate::wire::{Grants, HttpGrant, NewDeployment, Selection};

use crate::harness::{Host, Nginx, PLAIN, Place, Project, Web, archive, block_on, of_release, wait};

const LATER: &str = "2099-01-01T00:00:00Z";

/// A chat room of which workflows know nothing but how to say something there.
struct Room {
    host: Host,
    web: Web,
    projects: Cell<usize>,
}

impl Room {
    fn open() -> Self {
        let host = Host::start();
        let web = Web::serving(host.place("nothing"));
        let to_web = Grants { http: vec![HttpGrant::new(&web.url(), true)], ..Grants::default() };
        host.plugin_with("http-request", to_web);
        host.plugin("hostile-phase", &[]);
        Self { host, web, projects: Cell::new(0) }
    }

    /// A project of its own, with release v1; then somebody acts, and this is what the room has heard.
    fn hears(&self, file: &str, act: impl FnOnce(&Project)) -> Vec<String> {
        let before = self.web.heard().len();
        self.projects.set(self.projects.get() + 1);
        let file = file.replace("ROOM", &self.web.url());
        let project = Project::create(&self.host, &format!("pair-{}", self.projects.get()), &file);
        project.release("v1");
        act(&project);
        self.web.heard().split_off(before)
    }
}

/// A phase of a workflow.
fn says(text: &str, more: &str) -> String {
    format!("{{ name: say, plugin: http-request, config: {{ url: ROOM/chat, body: '{text}' }}, {more} }}")
}

const FAIL: &str = "name: fail, plugin: hostile-phase, config: { do: fail }";
const LOOK: &str = "{ name: look, manual: { instructions: Look } }";

fn file(project: &str, environment: &str, workflows: &str) -> String {
    format!("{project}\nenvironments: {{ test: {{ {environment} }} }}\nworkflows: {{ {workflows} }}\n")
}

fn one_workflow(phases: &[&str]) -> String {
    file("", "", &format!("go: {{ phases: [{}] }}", phases.join(", ")))
}

fn deploys(new: NewDeployment) -> impl FnOnce(&Project) {
    move |project| drop(project.end_of(trigger(project, new)))
}

fn trigger(project: &Project, new: NewDeployment) -> u64 {
    let deployed = block_on(project.ann.client.deploy(&project.name, "test", &new, None));
    deployed.unwrap_or_else(|error| panic!("{error}")).number
}

fn of_type(deployment_type: &str, workflow: Option<&str>) -> NewDeployment {
    let workflow = workflow.map(str::to_owned);
    NewDeployment { deployment_type: Some(deployment_type.to_owned()), workflow, ..of_release("v1") }
}

#[test]
fn a_type_runs_the_workflow_that_is_meant_for_it() {
    let room = Room::open();
    let workflow = |name: &str, stage: &str| format!("{name}: {{ stage: {stage}, phases: [{}] }}", says(name, ""));
    let all = [("up", "setup"), ("ship", "patch"), ("down", "teardown")].map(|(name, stage)| workflow(name, stage));
    let ask = format!("ask: {{ goes_live: false, phases: [{}] }}", says("ask", ""));
    let file = file("", "workflow: ship", &format!("{}, {ask}", all.join(", ")));
    let after_launch = |new: NewDeployment| {
        let heard = room.hears(&file, |project| {
            project.assert_succeeds(trigger(project, of_type("LAUNCH", None)));
            project.assert_succeeds(trigger(project, new));
        });
        heard.join(" ")
    };
    assert_eq!(after_launch(of_type("LAUNCH", None)), "up up");
    assert_eq!(after_launch(of_type("FULL", None)), "up ship");
    assert_eq!(after_launch(of_type("CUSTOM", Some("ask"))), "up ask");
    assert_eq!(after_launch(of_type("CUSTOM", Some("ship"))), "up ship");
    assert_eq!(after_launch(of_type("DESTROY", None)), "up down");
}

#[test]
fn what_was_said_with_a_trigger_and_by_whom_is_heard_outside() {
    let room = Room::open();
    let file = one_workflow(&[&says("{{triggered_by}}: {{comment}}", "")]);
    let with = |comment: &str| NewDeployment { comment: comment.to_owned(), ..of_release("v1") };
    assert_eq!(room.hears(&file, deploys(with("at last"))), ["ann-pair-1: at last"]);
    assert_eq!(room.hears(&file, deploys(with("once more"))), ["ann-pair-2: once more"]);
    let by_bob = room.hears(&file, |project| {
        let deployed = block_on(project.bob.client.deploy(&project.name, "test", &with("once more"), None)).unwrap();
        project.assert_succeeds(deployed.number);
    });
    assert_eq!(by_bob, ["bob-pair-3: once more"]);
}

#[test]
fn what_is_for_later_or_asks_first_is_not_heard_yet() {
    let room = Room::open();
    let said = says("{{release.tag}}", "");
    let go = format!("go: {{ phases: [{said}] }}");
    let plain = file("", "", &go);
    assert_eq!(room.hears(&plain, deploys(of_release("v1"))), ["v1"]);
    let later = NewDeployment { at: Some(LATER.to_owned()), ..of_release("v1") };
    let waits = |new: NewDeployment, pair: &'static str| {
        move |project: &Project| {
            let number = trigger(project, new);
            project.comes_to(number, pair);
        }
    };
    assert_eq!(room.hears(&plain, waits(later, "NotDeployed/Scheduled")), [""; 0]);

    let asks = |more: &str| format!("approvals: {{ rules: [{{ groups: [operators] }}], {more} }},");
    let pending = "NotDeployed/Pending";
    assert_eq!(room.hears(&file("", &asks(""), &go), waits(of_release("v1"), pending)), [""; 0]);
    let off = "approval_workflow: off";
    assert_eq!(room.hears(&file("", &format!("{} {off}", asks("")), &go), deploys(of_release("v1"))), ["v1"]);
    assert_eq!(room.hears(&file(off, &asks(""), &go), deploys(of_release("v1"))), ["v1"]);
}

#[test]
fn what_follows_from_silence_and_from_a_no_is_the_environments_to_say() {
    let room = Room::open();
    let go = format!("go: {{ phases: [{}] }}", says("{{release.tag}}", ""));
    let asks = |more: &str| file("", &format!("approvals: {{ rules: [{{ groups: [operators] }}], {more} }}"), &go);
    for (reaction, heard, silence, no) in [
        ("reject", &[][..], "REJECTED", "REJECTED"),
        ("skip", &["v1"], "SUCCEEDED", "SUCCEEDED"),
        ("cancel", &[], "TIMED_OUT", "ABORTED"),
    ] {
        let in_silence = |project: &Project| {
            assert_eq!(project.outcome_of(project.deploy("v1", "test")).0, silence, "{reaction}");
        };
        assert_eq!(room.hears(&asks(&format!("timeout: 100ms, on_timeout: {reaction}")), in_silence), heard);
        let refused = |project: &Project| {
            let number = project.deploy("v1", "test");
            project.comes_to(number, "NotDeployed/Pending");
            project.reject(number, "no");
            assert_eq!(project.outcome_of(number).0, no, "{reaction}");
        };
        assert_eq!(room.hears(&asks(&format!("on_reject: {reaction}")), refused), heard);
    }
}

#[test]
fn what_runs_after_a_failure_is_the_workflows_to_say() {
    let room = Room::open();
    let after = |fail: &str, say: &str| {
        let (fail, say) = (format!("{{ {FAIL}, {fail} }}"), says("after", say));
        room.hears(&one_workflow(&[&fail, &say]), deploys(of_release("v1")))
    };
    assert_eq!(after("", ""), [""; 0]);
    assert_eq!(after("continue_on_error: true", ""), ["after"]);
    assert_eq!(after("", "always_run: true"), ["after"]);

    room.web.break_down();
    let tries = |more: &str| {
        let before = room.web.asked();
        room.hears(&one_workflow(&[&says("hello?", more)]), deploys(of_release("v1")));
        room.web.asked() - before
    };
    assert_eq!([tries(""), tries("retries: 2, backoff: 1ms")], [1, 3]);
}

#[test]
fn a_queue_lets_through_what_its_policy_says() {
    let room = Room::open();
    let go = format!("go: {{ phases: [{}, {LOOK}] }}", says("{{release.tag}}", "locks: []"));
    let queue = |policy: &str| file("applications: [docs, web]", &format!("queue: {policy}"), &go);
    // Three come while the first waits for a person; then it is let proceed.
    let three = |project: &Project| {
        let first = project.deploy("v1", "test");
        project.comes_to(first, "InProgress/ManualInterventionPending");
        let [_, third] = ["v2", "v3"].map(|tag| {
            project.release(tag);
            project.deploy(tag, "test")
        });
        project.approve(first);
        let next = wait("another one to have its turn", || project.environment("test").active.filter(|it| *it > first));
        project.comes_to(next, "InProgress/ManualInterventionPending");
        assert_eq!(project.environment("test").waiting as u64, third - next);
    };
    assert_eq!(room.hears(&queue("sequence"), three), ["v1", "v2"]);
    assert_eq!(room.hears(&queue("latest"), three), ["v1", "v3"]);

    // The second does not touch what the first does, and the first does not end.
    let apart = |project: &Project| {
        let [first, second] = ["docs", "web"].map(|application| {
            let selection = Selection { application: Some(application.to_owned()), ..Selection::default() };
            trigger(project, NewDeployment { selections: vec![selection], ..of_type("SELECTIVE", None) })
        });
        project.comes_to(first, "InProgress/ManualInterventionPending");
        if project.environment("test").waiting == 0 {
            project.comes_to(second, "InProgress/ManualInterventionPending");
        }
    };
    assert_eq!(room.hears(&queue("sequence"), apart), ["v1"]);
    assert_eq!(room.hears(&queue("unlimited"), apart), ["v1", "v1"]);
    let parallel = queue("sequence").replace("applications", "parallel: { enabled: true }\napplications");
    assert_eq!(room.hears(&parallel, apart), ["v1", "v1"]);
}

#[test]
fn in_a_group_nobody_waits_for_the_phase_before() {
    let room = Room::open();
    room.host.plugin("scripted-target", &["group", "serial"]);
    let file = |folder: &str, group: &str| {
        let phases = format!("phases: [{{ name: apply, apply: world, {group} }}, {}]", says("hello", group));
        PLAIN.file(folder).replace(PLAIN.workflow, &phases).replace("ROOM", &room.web.url())
    };
    let while_held = |name: &str, group: &str| {
        let before = room.web.heard().len();
        let place = Place::new(&room.host, name, name, &PLAIN);
        place.define(&file(name, group)).unwrap();
        place.project.release("v2");
        place.hold("apply");
        let number = place.project.deploy("v2", "test");
        let deployment = place.project.comes_to(number, "InProgress/PhaseInProgress");
        if deployment.phases[1].status != "Waiting" {
            wait("the room to hear of it", || (room.web.heard().len() > before).then_some(()));
        }
        let heard = (room.web.heard().len() - before, place.applied());
        place.let_go("apply");
        place.project.assert_succeeds(number);
        assert_eq!((room.web.heard().len() - before, place.applied()), (1, 1));
        heard
    };
    assert_eq!(while_held("group", "group: both"), (1, 0));
    assert_eq!(while_held("serial", ""), (0, 0));
}

// ---- at a real nginx ----

const VISITS: usize = 200;
const VISITORS: u16 = 8080;

/// Sites with two pages, of which v2 has only the first.
struct Town {
    host: Host,
    nginx: Nginx,
}

const SITES: [&str; 5] = ["allowed", "full", "refused", "rollback", "destroy"];

impl Town {
    /// None where there is no nginx.
    fn open() -> Option<Self> {
        let host = Host::start();
        let places = host.place(SITES[0]).parent().unwrap().to_str().unwrap().to_owned();
        let nginx = Nginx::start(&format!("server {{ listen 127.0.0.1:{VISITORS}; root {places}; }}"))?;
        host.plugin("static-site", &SITES);
        Some(Self { host, nginx })
    }

    /// After v1 is live somebody acts; then so many visitors get this at the two pages.
    fn seen(&self, name: &str, act: impl FnOnce(&Project)) -> [String; 2] {
        let file = format!(
            "
applications: [web]
environments:
  test:
    workflow: publish
    targets: {{ site: {{ plugin: static-site, application: web, config: {{ folder: {name}, artifact: web }} }} }}
workflows:
  publish: {{ phases: [{{ name: publish, apply: site }}] }}
  remove: {{ stage: teardown, phases: [{{ name: remove, apply: site }}] }}
"
        );
        let project = Project::create(&self.host, name, &file);
        for (tag, files) in [("v1", &[("index.html", "v1"), ("old.html", "old")][..]), ("v2", &[("index.html", "v2")])]
        {
            let artifact = project.ann.upload("web", archive(files));
            project.release_with(tag, vec![artifact]);
        }
        project.assert_succeeds(project.deploy("v1", "test"));
        act(&project);
        ["index", "old"].map(|page| {
            let path = format!("/{name}/current/{page}.html");
            let seen: BTreeMap<String, usize> = self.nginx.visits(VISITORS, &path, VISITS);
            let (answer, count) = seen.into_iter().next().unwrap();
            assert_eq!(count, VISITS, "everybody sees the same");
            answer
        })
    }
}

fn destroying(release: &str) -> NewDeployment {
    NewDeployment { allow_destructive: true, ..of_release(release) }
}

#[test]
fn visitors_see_what_a_type_and_a_flag_have_changed() {
    let Some(town) = Town::open() else { return };
    let succeeds = |new: NewDeployment| move |project: &Project| project.assert_succeeds(trigger(project, new));
    let refused = |project: &Project| {
        let (status, why) = project.outcome_of(project.deploy("v2", "test"));
        assert!(status == "FAILED" && why.contains("old.html") && why.contains("allow_destructive"), "{status}: {why}");
    };
    let rolled_back = |project: &Project| {
        project.assert_succeeds(trigger(project, destroying("v2")));
        project.assert_succeeds(project.roll_back("test"));
    };
    let destroyed = NewDeployment { deployment_type: Some("DESTROY".to_owned()), ..destroying("v1") };
    assert_eq!(town.seen("full", succeeds(destroying("v1"))), ["v1", "old"]);
    assert_eq!(town.seen("refused", refused), ["v1", "old"]);
    assert_eq!(town.seen("allowed", succeeds(destroying("v2"))), ["v2", "404"]);
    assert_eq!(town.seen("rollback", rolled_back), ["v1", "old"]);
    assert_eq!(town.seen("destroy", succeeds(destroyed)), ["404", "404"]);
}
