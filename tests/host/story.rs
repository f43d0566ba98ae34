//! What people do with Lockgate on a good day, and on a bad one.

use std::fs;

use crate::harness::{Host, Project, Refused, Web, archive};
use lockgate::wire::{Artifact, Grants, HttpGrant};

/// A shop whose production asks an operator, tells a chat room, publishes a site, and watches the page.
struct Shop {
    project: Project,
    web: Web,
    host: Host,
}

impl Shop {
    fn open() -> Self {
        let host = Host::start();
        let web = Web::serving(host.place("production").join("current"));
        let to_web = Grants { http: vec![HttpGrant::new(&web.url(), true)], ..Grants::default() };
        host.plugin("static-site", &["production"]);
        host.plugin_with("http-request", to_web.clone());
        host.plugin_with("http-check", to_web);
        let project = Project::create(&host, "shop", &project_file(&web.url()));
        Self { project, web, host }
    }

    /// A release of a site with this page.
    fn release(&self, tag: &str, page: &str) {
        let artifact: Artifact =
            self.project.ann.upload("web", archive(&[("index.html", page), ("style.css", "p {}")]));
        self.project.release_with(tag, vec![artifact]);
    }

    fn bring_live(&self, tag: &str, page: &str) {
        self.release(tag, page);
        let number = self.project.deploy(tag, "production");
        self.project.wait_for_approval(number);
        self.project.approve(number);
        self.project.assert_succeeds(number);
    }

    fn page(&self) -> String {
        fs::read_to_string(self.host.place("production").join("current/index.html")).unwrap()
    }
}

fn project_file(web: &str) -> String {
    format!(
        r#"
applications: [web]
environments:
  production:
    workflow: announced
    targets:
      site: {{ plugin: static-site, application: web, config: {{ folder: production }} }}
    approvals: {{ rules: [{{ groups: [operators] }}] }}
    gates:
      post:
        interval: 100ms
        timeout: 1s
        checks: [{{ name: page, plugin: http-check, config: {{ url: "{web}/index.html", body_contains: healthy }} }}]
workflows:
  announced:
    phases:
      - {{ name: publish, apply: site }}
      - {{ name: tell, plugin: http-request, config: {{ url: "{web}/chat", body: "{{{{release.tag}}}} is out" }} }}
"#
    )
}

#[test]
fn a_release_goes_live_when_somebody_else_has_approved_exactly_this_plan() {
    let shop = Shop::open();
    shop.release("v1", "healthy v1");
    let number = shop.project.deploy("v1", "production");
    let waiting = shop.project.wait_for_approval(number);

    let changed: Vec<&str> = waiting.plan.changes.iter().map(|change| change.name.as_str()).collect();
    assert!(changed.contains(&"index.html") && changed.contains(&"style.css"), "{changed:?}");
    assert_eq!(waiting.approval.as_ref().unwrap().plan_digest, waiting.plan.digest.unwrap());
    assert_eq!(shop.project.live("production"), None);

    let own = shop.project.try_approve(&shop.project.ann, number).refused();
    assert_eq!(own.status, 403, "{own:?}");
    assert!(own.detail.contains("triggered") || own.detail.contains("created"), "{}", own.detail);

    shop.project.approve(number);
    shop.project.assert_succeeds(number);
    assert_eq!(shop.project.live("production").as_deref(), Some("v1"));
    assert_eq!(shop.page(), "healthy v1");
    assert_eq!(shop.web.heard(), ["v1 is out"]);
}

#[test]
fn a_release_that_its_gate_rejects_is_current_but_not_live_until_a_rollback() {
    let shop = Shop::open();
    shop.bring_live("v1", "healthy v1");
    shop.release("v2", "sick v2");
    let second = shop.project.deploy("v2", "production");
    shop.project.wait_for_approval(second);
    shop.project.approve(second);

    let (status, reason) = shop.project.outcome_of(second);
    assert_eq!(status, "FAILED");
    // On a busy machine the time may end in the middle of a round.
    assert!(reason.starts_with("gates: page: "), "{reason}");
    let production = shop.project.environment("production");
    assert!(production.differs);
    assert_eq!(production.live.unwrap().release, "v1");
    assert_eq!(production.current.unwrap().release, "v2");
    assert_eq!(production.rollback_to.as_deref(), Some("v1"));
    assert_eq!(shop.page(), "sick v2");

    let back = shop.project.roll_back("production");
    shop.project.assert_succeeds(back);
    assert_eq!(shop.project.deployment(back).deployment_type, "ROLLBACK");
    assert_eq!(shop.page(), "healthy v1");
    assert!(!shop.project.environment("production").differs);
}

#[test]
fn a_rejected_deployment_changes_nothing() {
    let shop = Shop::open();
    shop.release("v1", "healthy v1");
    let number = shop.project.deploy("v1", "production");
    shop.project.wait_for_approval(number);
    shop.project.reject(number, "not on a Friday");

    let (status, reason) = shop.project.outcome_of(number);
    assert_eq!(status, "REJECTED");
    assert!(reason.contains("not on a Friday"), "{reason}");
    assert_eq!(shop.project.current("production"), None);
    assert!(!shop.host.place("production").join("current").exists());
}

#[test]
fn a_retry_goes_on_at_the_phase_that_failed_and_keeps_the_approval() {
    let shop = Shop::open();
    shop.web.break_down();
    shop.release("v1", "healthy v1");
    let number = shop.project.deploy("v1", "production");
    shop.project.wait_for_approval(number);
    shop.project.approve(number);
    let (status, reason) = shop.project.outcome_of(number);
    assert_eq!(status, "FAILED");
    assert!(reason.starts_with("tell: ") && reason.contains("503"), "{reason}");

    shop.web.mend();
    shop.project.retry(number);
    shop.project.assert_succeeds(number);

    let second = shop.project.deployment(number);
    assert_eq!(second.attempt, 2);
    assert_eq!(shop.web.heard(), ["v1 is out"]);
    let published = shop.project.events(number).iter().filter(|event| event.text == "publish started").count();
    assert_eq!(published, 1, "the first phase had succeeded: it is not done again");
}

/// A target of a test's own making in `test`, with an approval where `rules` say so.
fn scripted(host: &Host, rules: &str, config: &str) -> Project {
    host.plugin("scripted-target", &["world"]);
    let environment = format!(
        "environments:\n  test:\n    targets: {{ world: {{ plugin: scripted-target, config: {{ folder: world, {config} }} }} }}\n\
         \x20   approvals: {rules}\n\
         workflows: {{ w: {{ phases: [{{ name: apply, apply: world }}] }} }}\n"
    );
    Project::create(host, "scripted", &environment)
}

#[test]
fn a_world_that_moves_after_the_approval_has_to_be_approved_again() {
    let host = Host::start();
    let project = scripted(&host, "{ rules: [{ groups: [operators] }] }", "changes: [{ name: lamp, after: 1 }]");
    project.release("v1");
    let number = project.deploy("v1", "test");
    let first = project.wait_for_approval(number).approval.unwrap();

    fs::write(host.place("world").join("plan.json"), r#"[{ "name": "lamp", "after": 2 }]"#).unwrap();
    project.approve(number);
    let asked_again = |approval: &lockgate::wire::Approval| approval.plan_digest != first.plan_digest;
    let again = project.wait_until(number, "asked again", |it| {
        it.status == "PENDING_APPROVAL" && it.approval.as_ref().is_some_and(asked_again)
    });

    assert_eq!((again.attempt_status.as_str(), again.operation_status.as_str()), ("NotDeployed", "Pending"));
    let difference = again.approval.unwrap().difference.join("\n");
    assert!(difference.contains("lamp"), "{difference}");
    assert!(!host.place("world").join("effects").exists(), "nothing was applied");
    project.approve(number);
    project.assert_succeeds(number);
}

#[test]
fn a_running_deployment_is_cancelled_and_the_next_one_has_its_turn() {
    let host = Host::shared();
    let project = Project::with_phase(&host, "cancel", "hostile-phase", "{ do: wait-politely }");
    project.release("v1");
    let (first, second) = (project.deploy("v1", "test"), project.deploy("v1", "test"));
    project.wait_until(first, "in its phase", |it| it.operation_status == "PhaseInProgress");
    assert_eq!(project.deployment(second).status, "QUEUED");
    project.cancel(first);

    let ended = project.end_of(first);
    assert_eq!((ended.status.as_str(), ended.phases[0].status.as_str()), ("ABORTED", "Canceled"));
    project.wait_until(second, "in its phase", |it| it.operation_status == "PhaseInProgress");
    project.cancel(second);
    assert_eq!(project.end_of(second).status, "ABORTED");
}

#[test]
fn a_waiting_deployment_that_is_cancelled_never_starts() {
    let host = Host::shared();
    let project = Project::with_phase(&host, "cancel-waiting", "hostile-phase", "{ do: wait-politely }");
    project.release("v1");
    let (first, second) = (project.deploy("v1", "test"), project.deploy("v1", "test"));
    project.cancel(second);

    let ended = project.end_of(second);
    assert_eq!((ended.status.as_str(), ended.attempt_status.as_str()), ("ABORTED", "NotDeployed"));
    project.cancel(first);
    project.end_of(first);
}

#[test]
fn a_trigger_that_is_repeated_with_its_key_is_done_once() {
    let host = Host::shared();
    let project = Project::with_phase(&host, "idempotent", "hostile-phase", "{ do: done }");
    project.release("v1");
    project.release_with("v2", Vec::new());
    let number = project.try_deploy("v1", "test", Some("monday")).unwrap();

    assert_eq!(project.try_deploy("v1", "test", Some("monday")).unwrap(), number);
    let other = project.try_deploy("v2", "test", Some("monday")).refused();
    assert_eq!(other.status, 409);
    assert!(other.detail.contains("`monday` was used for deployment 1"), "{}", other.detail);
    assert_eq!(project.deployments().len(), 1);
    project.assert_succeeds(number);
}

#[test]
fn what_a_plugin_prints_is_in_the_log_while_it_runs() {
    let host = Host::shared();
    let project = Project::with_phase(&host, "live-log", "hostile-phase", "{ do: say, ms: 15000 }");
    project.release("v1");
    let number = project.deploy("v1", "test");

    let line = project.line_in_live_log(number, "work", "hello from standard output");
    assert_eq!((line.phase.as_str(), line.attempt, line.try_number), ("work", 1, 1));
    assert_eq!(line.deployment_type, "REGULAR");
    assert_eq!(project.deployment(number).status, "IN_PROGRESS", "it was seen live, not afterwards");
    project.line_in_live_log(number, "work", "hello from standard error");
    project.cancel(number);
    project.end_of(number);
}
