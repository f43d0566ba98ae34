//! What operators and release engineers do beside deploying: pauses, promotion, people between phases, broken glass.

use serde_json::json;

use crate::harness::{Host, Project, Refused, Web, block_on, of_release, wait};
use lockgate::client::{PausedPlace, Triggered};
use lockgate::clock;
use lockgate::wire::{Approve, Environment, Explanation, Grants, HttpGrant, NewDeployment, Remark};

/// A web server that hears what workflows say, and plugins that may talk to it.
fn talking() -> (Host, Web) {
    let host = Host::start();
    let web = Web::serving(host.place("nothing"));
    let to_web = Grants { http: vec![HttpGrant::new(&web.url(), true)], ..Grants::default() };
    host.plugin_with("http-request", to_web);
    (host, web)
}

/// A phase that says this and the release's tag.
fn says(web: &Web, name: &str, text: &str) -> String {
    let url = web.url();
    format!(
        r#"{{ name: {name}, plugin: http-request, config: {{ url: "{url}/chat", body: "{text} {{{{release.tag}}}}" }} }}"#
    )
}

fn explanation(project: &Project, number: u64) -> Explanation {
    block_on(project.ann.client.explain(&project.name, number, None)).unwrap()
}

fn codes(explanation: &Explanation) -> Vec<&str> {
    explanation.blockers.iter().map(|blocker| blocker.code.as_str()).collect()
}

#[test]
fn a_pause_outlives_the_host_says_who_lifts_it_and_lets_a_rollback_through() {
    let (mut host, web) = talking();
    let file = format!(
        "environments: {{ production: {{}} }}\nworkflows: {{ talk: {{ phases: [{}] }} }}",
        says(&web, "say", "hello")
    );
    let project = Project::create(&host, "shop", &file);
    for tag in ["v1", "v2"] {
        project.release(tag);
        project.assert_succeeds(project.deploy(tag, "production"));
    }
    let place = PausedPlace::Environment("production");
    let paused: Environment =
        block_on(project.bob.client.pause("shop", place, "the database moves".to_owned())).unwrap();
    assert_eq!(paused.operations.paused.unwrap().reason, "the database moves");

    let waiting = project.deploy("v1", "production");
    host.kill();
    host.restart();
    let why = explanation(&project, waiting);
    assert_eq!(codes(&why), ["environment-paused"]);
    let blocker = &why.blockers[0];
    assert!(blocker.reason.contains("bob-shop: the database moves"), "{}", blocker.reason);
    assert!(blocker.lifted_by.contains("lockgate resume"), "{}", blocker.lifted_by);
    assert_eq!(why.earliest_start, None, "nobody knows when somebody resumes");
    assert!(why.no_start_until.is_some(), "how far it was looked ahead");

    project.assert_succeeds(project.roll_back("production"));
    assert_eq!(project.deployment(waiting).status, "QUEUED");
    block_on(project.ann.client.resume("shop", place)).unwrap();
    project.assert_succeeds(waiting);
    assert_eq!(web.heard(), ["hello v1", "hello v2", "hello v1", "hello v1"]);
}

#[test]
fn what_switches_at_once_has_an_earliest_start_too() {
    let host = Host::start();
    let project = Project::create(&host, "flags", "environments: { test: {} }\nworkflows: { switch: { phases: [] } }");
    project.release("v1");
    let at = clock::rfc3339(clock::now().plus_ms(3_600_000));
    let later = NewDeployment { at: Some(at.clone()), ..of_release("v1") };
    let number = block_on(project.ann.client.deploy("flags", "test", &later, None)).unwrap().number;
    let why = explanation(&project, number);
    assert_eq!((why.earliest_start, why.no_start_until), (Some(at), None));
}

#[test]
fn a_release_is_promoted_by_itself_and_an_endpoint_does_what_the_live_release_says() {
    let (host, web) = talking();
    let file = |report: &str| {
        let (talk, report) = (says(&web, "say", "deployed"), says(&web, "report", report));
        format!(
            r#"
environments:
  staging: {{ workflow: talk }}
  production: {{ workflow: talk, promotion: {{ from: staging, automatic: true }} }}
workflows:
  talk: {{ phases: [{talk}] }}
  report: {{ goes_live: false, phases: [{report}] }}
endpoints: {{ report: report }}
"#
        )
    };
    let project = Project::create(&host, "shop", &file("old report of"));
    project.release("v1");
    project.assert_succeeds(project.deploy("v1", "staging"));
    let live_is =
        |tag: &str| wait("it to be live", || (project.live("production").as_deref() == Some(tag)).then_some(()));
    live_is("v1");
    let report = || {
        let input = json!({});
        let called = project.bob.client.trigger_endpoint("report", "shop/production", &input, Some(60), None);
        let Triggered::Answer(answer) = block_on(called).unwrap() else { panic!("it was asked to wait") };
        assert_eq!(
            (answer.deployment.deployment_type.as_str(), answer.deployment.status.as_str()),
            ("CUSTOM", "SUCCEEDED")
        );
        assert!(answer.outputs.is_some());
    };
    report();
    project.change(&host, &file("new report of"));
    report();
    project.release("v2");
    project.assert_succeeds(project.deploy("v2", "staging"));
    live_is("v2");
    report();
    let said: Vec<String> = web.heard().into_iter().filter(|said| said.contains("report")).collect();
    assert_eq!(said, ["old report of v1", "old report of v1", "new report of v2"]);

    let unknown = block_on(project.ann.client.trigger_endpoint("nope", "shop/production", &json!({}), None, None));
    let refused = unknown.refused();
    assert_eq!((refused.status, refused.code.as_str()), (404, "unknown-endpoint"));
    assert!(refused.detail.contains("it has: report"), "{}", refused.detail);
}

#[test]
fn phases_of_a_group_run_side_by_side_and_a_person_lets_the_rest_proceed() {
    let (host, web) = talking();
    let url = web.url();
    let phase = |name: &str| {
        format!(
            r#"{{ name: {name}, group: both, plugin: http-request, config: {{ url: "{url}/chat", body: {name} }} }}"#
        )
    };
    let file = format!(
        r#"
environments: {{ production: {{}} }}
workflows:
  careful:
    phases:
      - {}
      - {}
      - {{ name: look, manual: {{ instructions: "Look at the graphs", groups: [operators] }} }}
      - {}
"#,
        phase("left"),
        phase("right"),
        says(&web, "tell", "done")
    );
    let project = Project::create(&host, "shop", &file);
    project.release("v1");
    let number = project.deploy("v1", "production");
    let waits = wait("a person to be asked", || {
        let deployment = project.deployment(number);
        (deployment.operation_status == "ManualInterventionPending").then_some(deployment)
    });
    assert_eq!((waits.status.as_str(), waits.attempt_status.as_str()), ("PENDING_APPROVAL", "InProgress"));
    let mut heard = web.heard();
    heard.sort();
    assert_eq!(heard, ["left", "right"]);
    let why = explanation(&project, number);
    assert_eq!(codes(&why), ["manual-intervention"]);
    assert!(why.blockers[0].reason.contains("Look at the graphs"));

    let proceed = Approve { comment: "they are flat".to_owned(), ..Approve::default() };
    block_on(project.bob.client.approve("shop", number, &proceed)).unwrap();
    project.assert_succeeds(number);
    let done = project.deployment(number);
    assert_eq!(done.phases[2].outputs, json!({ "note": "they are flat", "by": "bob-shop" }));
    assert_eq!(web.heard().last().unwrap(), "done v1");
}

#[test]
fn a_freeze_holds_until_somebody_breaks_the_glass_and_somebody_else_reviews_it() {
    let (host, web) = talking();
    let file = format!(
        r#"
environments: {{ production: {{}} }}
workflows: {{ talk: {{ phases: [{}] }} }}
freezes: [{{ name: audit, from: "2020-01-01T00:00", until: "2099-01-01T00:00", zone: UTC, reason: "the books are open" }}]
"#,
        says(&web, "say", "hello")
    );
    let project = Project::create(&host, "shop", &file);
    project.release("v1");
    let number = project.deploy("v1", "production");
    let why = explanation(&project, number);
    assert_eq!(codes(&why), ["closed"]);
    assert!(why.blockers[0].reason.contains("the books are open"));
    assert!(why.blockers[0].until.as_deref().is_some_and(|until| until.starts_with("2099-01-01")));

    let break_it =
        |by: &crate::harness::Person, reason: &str| block_on(by.client.break_glass("shop", number, reason.to_owned()));
    assert_eq!(break_it(&project.ann, "I want to").refused().code, "role-too-low");
    let admin = host.admin();
    assert_eq!(break_it(&admin, " ").refused().code, "reason-missing");
    break_it(&admin, "customers cannot pay").unwrap();
    project.assert_succeeds(number);
    assert_eq!(block_on(admin.client.project("shop")).unwrap().review_debts, [number]);
    let review = |by: &crate::harness::Person| block_on(by.client.review("shop", number, &Remark::default()));
    assert_eq!(review(&admin).refused().code, "own-debt");
    review(&project.bob).unwrap();
    assert_eq!(block_on(admin.client.project("shop")).unwrap().review_debts, [0; 0]);
}

#[test]
fn a_deployment_for_later_waits_beside_the_queue() {
    let (host, web) = talking();
    let file = format!(
        "environments: {{ production: {{}} }}\nworkflows: {{ talk: {{ phases: [{}] }} }}",
        says(&web, "say", "hello")
    );
    let project = Project::create(&host, "shop", &file);
    project.release("v1");
    let later = NewDeployment {
        release: "v1".to_owned(),
        at: Some("2099-01-01T00:00:00Z".to_owned()),
        ..NewDeployment::default()
    };
    let later = block_on(project.ann.client.deploy("shop", "production", &later, None)).unwrap();
    assert_eq!((later.status.as_str(), later.operation_status.as_str()), ("QUEUED", "Scheduled"));
    assert_eq!(later.environment_status, "Scheduled");
    assert!(later.next_scheduled_time.is_some_and(|at| at.starts_with("2099-01-01T00:00:00")));
    let now = project.deploy("v1", "production");
    project.assert_succeeds(now);
    assert_eq!(project.deployment(later.number).status, "QUEUED");
    assert_eq!(project.environment("production").held, [later.number]);
    project.cancel(later.number);
    assert_eq!(project.deployment(later.number).status, "ABORTED");
}
