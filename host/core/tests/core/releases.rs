//! Releases: made once, never changed, refused early when they could not be deployed.

use std::collections::BTreeMap;

use expect_test::expect;
use lockgate_core::definition::{Definition, Environment, Phase, PhaseWork};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, DraftEdit, NewRelease};
use lockgate_core::plugin::{Artifact, Grants, Kind, Requested, ToolGrant, ToolLimits};
use lockgate_core::release::narrowed;
use lockgate_core::work::Step::*;
use serde_json::Value;

use crate::project::{Project, new_release, release};
use crate::words::*;

fn project() -> Project {
    let prod = Environment { post_gates: Some(gates()), ..environment() };
    Project::new(prod, &[phase("build"), apply("web")])
}

fn abandon(project: &mut Project, release: &str) -> Result<(), String> {
    project.attempt(Command::AbandonRelease { tag: tag(release), by: person("rita") })
}

#[test]
fn the_same_tag_with_the_same_content_is_the_same_release() {
    let mut project = project();
    let before = project.state.clone();
    let again = NewRelease { by: person("eve"), ..release("v1") };
    project.send(Command::CreateRelease(again));
    assert!(project.state == before);
}

#[test]
fn a_use_of_a_plugin_gets_the_tools_that_were_granted_and_that_it_asks_for() {
    let tool = |path: &str| ToolGrant {
        path: path.to_owned(),
        digest: Digest::of(path.as_bytes()),
        args: vec![vec![]],
        env: BTreeMap::new(),
        limits: ToolLimits::default(),
    };
    let granted = ["db", "kubectl", "other"].map(|name| (name.to_owned(), tool(name)));
    let grants = Grants { tools: granted.into(), ..Grants::default() };
    let tools = |requests: &[Requested], config: Value| {
        let mut description = approved_plugins()[&name("steps")].description.clone();
        description.requests.tools = requests.to_vec();
        narrowed(&description, &grants, &config).tools.into_keys().collect::<Vec<_>>()
    };
    let requests = [Requested::Named("db".to_owned()), Requested::Config("/tool".to_owned())];
    assert_eq!(tools(&[], Value::Null), [""; 0]);
    assert_eq!(tools(&requests, Value::Null), ["db"]);
    assert_eq!(tools(&requests, serde_json::json!({ "tool": "kubectl" })), ["db", "kubectl"]);
    assert_eq!(tools(&requests, serde_json::json!({ "tool": "ungranted" })), ["db"]);
}

#[test]
fn what_was_taken_away_where_it_is_used_is_found_when_the_release_is_made() {
    let mut project = project();
    let asking = |narrowed: &[(&str, &[&str])]| {
        let mut approved = approved_plugins();
        let secrets =
            |names: &[&str]| Grants { secrets: names.iter().copied().map(name).collect(), ..Grants::default() };
        for used in ["steps", "files"] {
            let plugin = approved.get_mut(&name(used)).unwrap();
            plugin.description.requests.secrets = vec![Requested::Named("chat".to_owned())];
            plugin.grants = secrets(&["chat"]);
            plugin.narrowed = narrowed.iter().map(|(place, left)| (place.parse().unwrap(), secrets(left))).collect();
        }
        NewRelease { approved, ..release("v4") }
    };
    let mut refusal =
        |narrowed| project.attempt(Command::CreateRelease(asking(narrowed))).map_or_else(|no| no, |()| String::new());
    expect!["this release could not be deployed: /workflows/full-plan/phases/0: plugin `steps` asks for secret `chat`, which was taken away in shop; an operator can give it back: `lockgate plugin widen steps --in SCOPE --reason WHY`, or `narrow` it to more; /environments/prod/targets/db: plugin `files` asks for secret `chat`, which was taken away in shop; an operator can give it back: `lockgate plugin widen files --in SCOPE --reason WHY`, or `narrow` it to more; /environments/prod/targets/web: plugin `files` asks for secret `chat`, which was taken away in shop; an operator can give it back: `lockgate plugin widen files --in SCOPE --reason WHY`, or `narrow` it to more"].assert_eq(&refusal(&[("shop", &[])]));
    expect!["this release could not be deployed: /environments/prod/targets/db: plugin `files` asks for secret `chat`, which was taken away in shop/prod; an operator can give it back: `lockgate plugin widen files --in SCOPE --reason WHY`, or `narrow` it to more; /environments/prod/targets/web: plugin `files` asks for secret `chat`, which was taken away in shop/prod; an operator can give it back: `lockgate plugin widen files --in SCOPE --reason WHY`, or `narrow` it to more"].assert_eq(&refusal(&[("shop/prod", &[])]));
    assert_eq!(refusal(&[("shop", &["chat"]), ("shop/elsewhere", &[])]), "");
}

#[test]
fn a_tag_is_taken_by_other_content() {
    let mut project = project();
    let other = NewRelease { description: "something else".to_owned(), ..release("v1") };
    let refusal = project.attempt(Command::CreateRelease(other)).unwrap_err();
    let digest = project.state.releases[&tag("v1")].digest().to_string();
    expect![
        "tag `v1` is taken by a release with other content (DIGEST); choose another tag, for a release never changes"
    ]
    .assert_eq(&refusal.replace(&digest, "DIGEST"));
}

#[test]
fn plugins_that_are_not_ready_are_named_when_the_release_is_made() {
    let mut project = project();
    let mut approved = approved_plugins();
    approved.remove(&name("probe"));
    approved.get_mut(&name("steps")).unwrap().kind = Kind::Target;
    let requests = &mut approved.get_mut(&name("files")).unwrap().description.requests;
    requests.folders = vec![Requested::Config("/folder".to_owned())];
    requests.http = vec![Requested::Named("https://api.example.com".to_owned())];
    let refusal = project.attempt(Command::CreateRelease(NewRelease { approved, ..release("v4") })).unwrap_err();
    expect![[r#"
        this release could not be deployed: /workflows/full-plan/phases/0: plugin `steps` is a target plugin, but a phase plugin is needed here
        /environments/prod/targets/db: plugin `files` asks for HTTP to https://api.example.com:443, which is not granted; an operator can: `--allow-http https://api.example.com:443`
        /environments/prod/targets/db: plugin `files` asks for folder `db`, which is not granted; an operator can: `--folder db=/path`
        /environments/prod/targets/web: plugin `files` asks for HTTP to https://api.example.com:443, which is not granted; an operator can: `--allow-http https://api.example.com:443`
        /environments/prod/targets/web: plugin `files` asks for folder `web`, which is not granted; an operator can: `--folder web=/path`
        /environments/prod/gates/post/checks/0: plugin `probe` is not approved, or was retired; an operator can: `lockgate plugin approve probe`, after `lockgate plugin add` where it is not here
        /environments/prod/gates/post/checks/1: plugin `probe` is not approved, or was retired; an operator can: `lockgate plugin approve probe`, after `lockgate plugin add` where it is not here"#]]
    .assert_eq(&refusal.replace("; /", "\n/"));
}

#[test]
fn a_draft_may_change_until_it_is_active_and_is_not_deployed_before() {
    let mut project = project();
    let draft = |description: &str| {
        Command::CreateRelease(NewRelease { draft: true, description: description.to_owned(), ..release("v4") })
    };
    project.send(draft("first idea"));
    project.send(draft("better idea"));
    let deploy = Command::Deploy(crate::project::to_prod("v4"));
    expect!["release `v4` is Draft; make it active first: `lockgate release start`"]
        .assert_eq(&project.attempt(deploy.clone()).unwrap_err());
    project.send(Command::ActivateRelease { tag: tag("v4"), by: person("rita") });
    assert_eq!(project.state.releases[&tag("v4")].description, "better idea");
    assert!(project.attempt(draft("another idea")).is_err());
    project.send(deploy);
}

fn edit(project: &mut Project, phases: &[Phase]) -> Result<(), String> {
    let workflows = [(name("full-plan"), workflow(phases).into())].into();
    let (tag, approved, by) = (tag("v4"), approved_plugins(), person("olga"));
    project.attempt(Command::EditDraft(DraftEdit { tag, workflows, endpoints: [].into(), approved, by }))
}

#[test]
fn a_draft_may_do_something_else_than_the_definition_and_leaves_that_as_it_is() {
    let mut project = project();
    project.send(Command::CreateRelease(NewRelease { draft: true, ..release("v4") }));
    let before = project.state.definition.clone();
    edit(&mut project, &[phase("smoke")]).unwrap();
    assert_eq!(project.state.definition, before);
    project.send(Command::ActivateRelease { tag: tag("v4"), by: person("rita") });
    let number = project.deploy("v4");
    assert_eq!(project.deployment(number).attempt.phases[0].name, name("smoke"));
    assert!(project.state.releases[&tag("v4")].involved.contains("olga"), "who wrote it does not approve it");
    expect!["release `v4` is Active; edit it while it is a draft, or make another release"]
        .assert_eq(&edit(&mut project, &[phase("other")]).unwrap_err());
}

#[test]
fn what_a_draft_was_given_stays_whoever_sends_the_rest_again() {
    let mut project = project();
    project.send(Command::CreateRelease(NewRelease { draft: true, ..release("v4") }));
    edit(&mut project, &[phase("smoke")]).unwrap();
    let again = NewRelease { description: "again".to_owned(), by: person("eve"), ..release("v4") };
    project.send(Command::CreateRelease(again.clone()));
    let before = project.state.clone();
    project.send(Command::CreateRelease(again));
    assert!(project.state == before, "the same tag with the same content is the same release");
    let made = &project.state.releases[&tag("v4")];
    assert_eq!((made.description.as_str(), made.workflows[&name("full-plan")].phases.len()), ("again", 1));
    assert_eq!(made.edited_by.as_deref(), Some("olga"));
    assert!(["rita", "olga", "eve"].iter().all(|person| made.involved.contains(*person)));
}

#[test]
fn a_draft_is_edited_to_use_approved_plugins_only() {
    let mut project = project();
    project.send(Command::CreateRelease(NewRelease { draft: true, ..release("v4") }));
    let mut stranger = phase("smoke");
    stranger.work = PhaseWork::Plugin { plugin: name("stranger"), config: Value::Null };
    expect!["this release could not be deployed: /workflows/full-plan/phases/0: plugin `stranger` is not approved, or was retired; an operator can: `lockgate plugin approve stranger`, after `lockgate plugin add` where it is not here"].assert_eq(&edit(&mut project, &[stranger]).unwrap_err());
    edit(&mut project, &[phase("build"), apply("web")]).unwrap();
    let before = project.events.len();
    edit(&mut project, &[phase("build"), apply("web")]).unwrap();
    assert_eq!(project.events.len(), before, "it is as it was");
}

fn artifact_of(application: &str) -> Artifact {
    Artifact {
        name: "site".to_owned(),
        uri: String::new(),
        digest: Digest::of(b"site"),
        media_type: String::new(),
        build_id: String::new(),
        stack: String::new(),
        application: application.to_owned(),
        metadata: [].into(),
    }
}

#[test]
fn an_artifact_is_of_an_application_that_there_is() {
    let mut project = project();
    let artifact = artifact_of("nope");
    let new = NewRelease { artifacts: vec![artifact], ..release("v4") };
    let applications = [name("shop-web")].into();
    project.define(Definition { applications, ..Definition::clone(&project.state.definition) });
    expect!["there is no application `nope` in project `shop`; there are: shop-web"]
        .assert_eq(&project.attempt(Command::CreateRelease(new)).unwrap_err());
}

/// A hand in it is a hand in it, also before it became what it is.
#[test]
fn whoever_wrote_sent_or_activated_a_draft_may_not_approve_it() {
    let approvals = asks(&[rule(1, &[])]);
    let mut project = Project::new(Environment { approvals, ..environment() }, &[phase("build")]);
    for by in ["ann", "bob"] {
        project.send(Command::CreateRelease(NewRelease { draft: true, by: person(by), ..release("v4") }));
    }
    project.send(Command::ActivateRelease { tag: tag("v4"), by: person("cat") });
    project.deploy("v4");
    for involved in ["ann", "bob", "cat"] {
        let refusal = project.approve(1, person(involved)).unwrap_err();
        assert!(refusal.contains("created or triggered"), "{refusal}");
    }
    project.approve(1, person("dan")).unwrap();
}

#[test]
fn an_abandoned_release_is_refused_everything() {
    let mut project = project();
    abandon(&mut project, "v1").unwrap();
    let expected = expect!["release `v1` is Abandoned; only an active release can be deployed"];
    let deploy = Command::Deploy(crate::project::to_prod("v1"));
    expected.assert_eq(&project.attempt(deploy).unwrap_err());
    expect!["release `v1` is Abandoned; it cannot be abandoned again"]
        .assert_eq(&abandon(&mut project, "v1").unwrap_err());
    let activate = Command::ActivateRelease { tag: tag("v1"), by: person("rita") };
    assert!(project.attempt(activate).is_err());
}

#[test]
fn a_release_in_use_is_not_abandoned() {
    let mut project = project();
    project.deploy("v1");
    expect!["release `v1` cannot be abandoned: deployment 1 is under way; cancel it first"]
        .assert_eq(&abandon(&mut project, "v1").unwrap_err());
    project.all_goes_well();
    expect!["release `v1` cannot be abandoned: it is live in `prod`; replace it there first"]
        .assert_eq(&abandon(&mut project, "v1").unwrap_err());
    project.deploy("v2");
    project.all_goes_well();
    abandon(&mut project, "v1").unwrap();
}

#[test]
fn a_deployment_of_an_abandoned_release_is_not_retried() {
    let mut project = project();
    project.deploy("v1");
    project.answer(1, Plan(1), fails("no access"));
    abandon(&mut project, "v1").unwrap();
    expect!["release `v1` is Abandoned; only an active release can be deployed"]
        .assert_eq(&project.retry(1).unwrap_err());
}

#[test]
fn an_older_release_must_know_the_plugins_the_environment_uses_now() {
    let mut project = project();
    let mut prod = environment();
    prod.targets.get_mut(&name("web")).unwrap().plugin = name("rsync");
    project.define(definition(&[("prod", prod)], workflow(&[apply("web")])));
    let deploy = Command::Deploy(crate::project::to_prod("v1"));
    expect!["release `v1` has no plugin `rsync`, which environment `prod` uses now; create a new release"]
        .assert_eq(&project.attempt(deploy).unwrap_err());

    let mut prod = environment();
    prod.targets.remove(&name("web"));
    project.define(definition(&[("prod", prod)], workflow(&[])));
    let deploy = Command::Deploy(crate::project::to_prod("v1"));
    expect!["workflow `full-plan` applies target `web`, which environment `prod` does not have; it has: db"]
        .assert_eq(&project.attempt(deploy).unwrap_err());
}

#[test]
fn a_release_keeps_the_workflow_it_was_made_with() {
    let mut project = project();
    project.define(definition(&[("prod", environment())], workflow(&[phase("other")])));
    project.deploy("v1");
    expect!["build Waiting, apply-web Waiting"].assert_eq(&project.phases(1));
    project.send(new_release("v9"));
    assert_eq!(project.state.releases[&tag("v9")].plugins.len(), 2);
}

/// How each release stands somewhere is known of the newest thousand.
#[test]
fn an_environment_remembers_a_thousand_releases() {
    let mut project = Project::new(environment(), &[]);
    let tags: Vec<String> = (1..=1_001).map(|number| format!("r{number}")).collect();
    for text in &tags {
        project.send(Command::CreateRelease(release(text)));
        project.deploy(text);
    }
    let known = project.state.environment(&name("prod")).newest_of.clone();
    assert_eq!((known.len(), known.contains_key(&tag("r1")), known.contains_key(&tag("r2"))), (1_000, false, true));
}
