//! Build, setup, patch and teardown, and what endpoints start.

use expect_test::expect;
use lockgate_core::definition::{Definition, Environment, Phase, Workflow, WorkflowStage};
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, Deploy, DraftEdit, NewRelease};
use lockgate_core::name::DeploymentNumber;
use lockgate_core::plugin::{Artifact, Progressed};
use lockgate_core::work::Answer;
use lockgate_core::work::Step::*;
use serde_json::{Value, json};

use crate::project::{Project, new_release, release, to_prod};
use crate::words::*;

fn staged() -> Definition {
    let mut meant = definition(&[("prod", environment())], workflow(&[phase("patch")]));
    let stages = [("set-up", WorkflowStage::Setup), ("tear-down", WorkflowStage::Teardown)];
    for (text, stage) in stages {
        let workflow = Workflow { stage, ..workflow(&[phase(text)]) };
        meant.workflows.insert(name(text), workflow.into());
    }
    meant
}

fn of_type(deployment_type: DeploymentType) -> Deploy {
    Deploy { deployment_type, ..to_prod("v1") }
}

fn refusal(project: &mut Project, deploy: Deploy) -> String {
    project.attempt(Command::Deploy(deploy)).unwrap_err()
}

#[test]
fn each_type_runs_the_workflow_of_its_stage() {
    let mut project = Project::of(staged());
    let workflow = |project: &mut Project, deployment_type| {
        let number = project.trigger(of_type(deployment_type));
        project.all_goes_well();
        (project.deployment(number).workflow.to_string(), project.prod())
    };
    let live = |workflow: &str| (workflow.to_owned(), "live v1, current v1, before: ".to_owned());
    assert_eq!(workflow(&mut project, DeploymentType::Launch), live("set-up"));
    assert_eq!(workflow(&mut project, DeploymentType::Full), live("full-plan"));
    let (workflow, prod) = workflow(&mut project, DeploymentType::Destroy);
    assert_eq!((workflow.as_str(), prod.as_str()), ("tear-down", "live nothing, current nothing, before: v1"));
    let wrong = Deploy { workflow: Some(name("tear-down")), ..of_type(DeploymentType::Full) };
    expect!["FULL runs a workflow of stage patch, and `tear-down` is one of stage teardown; CUSTOM runs any; of stage patch there are: full-plan"].assert_eq(&refusal(&mut project, wrong));
}

#[test]
fn a_patch_waits_for_a_setup_and_says_which() {
    let mut project = Project::of(staged());
    expect!["environment `prod` must be set up first: it never was, or it was torn down; deploy with type LAUNCH, which runs workflow `set-up`"].assert_eq(&refusal(&mut project, of_type(DeploymentType::Full)));
    project.trigger(of_type(DeploymentType::Launch));
    project.answer(1, Run(0), fails("no quota"));
    assert!(project.attempt(Command::Deploy(of_type(DeploymentType::Full))).is_err(), "a setup that failed is none");
    project.retry(1).unwrap();
    project.all_goes_well();
    project.trigger(of_type(DeploymentType::Full));
    project.all_goes_well();
    project.trigger(of_type(DeploymentType::Destroy));
    project.all_goes_well();
    assert!(project.attempt(Command::Deploy(of_type(DeploymentType::Full))).is_err(), "it was torn down");
}

#[test]
fn a_setup_that_succeeded_in_part_is_none() {
    let mut meant = staged();
    let optional = Phase { continue_on_error: true, ..phase("set-up") };
    let setup = Workflow { stage: WorkflowStage::Setup, ..workflow(&[optional]) };
    meant.workflows.insert(name("set-up"), setup.into());
    let mut project = Project::of(meant);
    project.trigger(of_type(DeploymentType::Launch));
    project.answer(1, Run(0), fails("no quota"));
    assert_eq!(project.is(1), "PartiallySucceeded/PhasePartiallySucceeded");
    expect!["environment `prod` must be set up first: it never was, or it was torn down; deploy with type LAUNCH, which runs workflow `set-up`"].assert_eq(&refusal(&mut project, of_type(DeploymentType::Full)));
}

#[test]
fn a_release_with_another_setup_workflow_needs_another_setup() {
    let mut project = Project::of(staged());
    project.trigger(of_type(DeploymentType::Launch));
    project.all_goes_well();
    let mut meant = staged();
    let other = Workflow { stage: WorkflowStage::Setup, ..workflow(&[phase("set-up"), phase("and-more")]) };
    meant.workflows.insert(name("set-up"), other.into());
    project.define(meant);
    project.send(new_release("v9"));
    let to_v9 = Deploy { release: tag("v9"), ..of_type(DeploymentType::Full) };
    expect!["environment `prod` must be set up first: its setup workflow or its variables have changed since it last was; deploy with type LAUNCH, which runs workflow `set-up`"].assert_eq(&refusal(&mut project, to_v9));
    project.trigger(of_type(DeploymentType::Full));
}

#[test]
fn what_was_taken_down_without_a_workflow_of_its_own_has_to_be_set_up_again() {
    let mut meant = staged();
    meant.workflows.remove(&name("tear-down"));
    let mut project = Project::of(meant);
    for deployment_type in [DeploymentType::Launch, DeploymentType::Full, DeploymentType::Destroy] {
        project.trigger(of_type(deployment_type));
        project.all_goes_well();
    }
    assert_eq!(project.prod(), "live nothing, current nothing, before: v1");
    expect!["environment `prod` must be set up first: it never was, or it was torn down; deploy with type LAUNCH, which runs workflow `set-up`"].assert_eq(&refusal(&mut project, of_type(DeploymentType::Full)));
}

#[test]
fn another_setup_workflow_or_other_variables_need_another_setup() {
    let mut project = Project::of(staged());
    project.trigger(of_type(DeploymentType::Launch));
    project.all_goes_well();
    let failed = project.trigger(of_type(DeploymentType::Full));
    project.answer(failed, Run(0), fails("broken"));
    let variables = [("size".to_owned(), "large".to_owned())].into();
    let mut meant = staged();
    meant.environments.insert(name("prod"), Environment { variables, ..environment() }.into());
    project.define(meant);
    expect!["environment `prod` must be set up first: its setup workflow or its variables have changed since it last was; deploy with type LAUNCH, which runs workflow `set-up`"].assert_eq(&refusal(&mut project, of_type(DeploymentType::Full)));
    assert_eq!(project.retry(failed).unwrap_err(), refusal(&mut project, of_type(DeploymentType::Full)));
    project.trigger(of_type(DeploymentType::Launch));
    project.all_goes_well();
    project.retry(failed).unwrap();
}

#[test]
fn a_patch_whose_environment_was_torn_down_before_its_turn_is_stopped_and_says_why() {
    let mut project = Project::of(staged());
    project.trigger(of_type(DeploymentType::Launch));
    project.all_goes_well();
    project.trigger(of_type(DeploymentType::Destroy));
    let full = project.trigger(of_type(DeploymentType::Full));
    project.all_goes_well();
    assert_eq!(project.views(full), "NotDeployed/Canceled | Stopped | Canceled");
    assert_eq!(project.prod(), "live nothing, current nothing, before: v1");
    let reason = &project.deployment(full).attempt.cancel.as_ref().unwrap().reason;
    expect!["environment `prod` must be set up first: it never was, or it was torn down; deploy with type LAUNCH, which runs workflow `set-up`"].assert_eq(reason);
}

#[test]
fn a_patch_that_names_its_workflow_comes_after_a_setup_too() {
    let mut project = Project::of(staged());
    let custom = |text| Deploy { workflow: Some(name(text)), ..of_type(DeploymentType::Custom) };
    expect!["environment `prod` must be set up first: it never was, or it was torn down; deploy with type LAUNCH, which runs workflow `set-up`"].assert_eq(&refusal(&mut project, custom("full-plan")));
    for workflow in ["set-up", "full-plan", "tear-down"] {
        project.trigger(custom(workflow));
        project.all_goes_well();
    }
    assert_eq!(project.prod(), "live nothing, current nothing, before: v1");
}

#[test]
fn what_tears_down_leaves_nothing_also_by_a_workflow_that_brings_nothing() {
    let mut meant = staged();
    let teardown = Workflow { stage: WorkflowStage::Teardown, goes_live: false, ..workflow(&[phase("tear-down")]) };
    meant.workflows.insert(name("tear-down"), teardown.into());
    let mut project = Project::of(meant);
    for deployment_type in [DeploymentType::Launch, DeploymentType::Destroy] {
        project.trigger(of_type(deployment_type));
        project.all_goes_well();
    }
    assert_eq!(project.prod(), "live nothing, current nothing, before: v1");
}

// ---- build ----

fn built() -> Definition {
    let mut meant = definition(&[("prod", environment())], workflow(&[phase("patch")]));
    let build = Workflow { stage: WorkflowStage::Build, goes_live: false, ..workflow(&[phase("compile")]) };
    meant.workflows.insert(name("build"), build.into());
    meant.environments.insert(name("prod"), Environment { workflow: Some(name("full-plan")), ..environment() }.into());
    meant
}

fn with_draft() -> Project {
    let mut project = Project::new(environment(), &[]);
    project.define(built());
    send_draft(&mut project, "new");
    project
}

fn send_draft(project: &mut Project, description: &str) {
    let description = description.to_owned();
    project.send(Command::CreateRelease(NewRelease { draft: true, description, ..release("v9") }));
}

fn build(project: &mut Project) -> DeploymentNumber {
    let deployment_type = DeploymentType::Custom;
    project.trigger(Deploy { deployment_type, workflow: Some(name("build")), ..to_prod("v9") })
}

fn compiled() -> Answer {
    let artifact = Artifact {
        name: "site".to_owned(),
        uri: "file:///site.tar".to_owned(),
        digest: Digest::of(b"site"),
        media_type: String::new(),
        build_id: String::new(),
        stack: String::new(),
        application: String::new(),
        metadata: [].into(),
    };
    Answer::Progressed(Progressed { done: true, artifacts: vec![artifact], ..Progressed::default() })
}

#[test]
fn a_release_is_built_once_before_it_is_active() {
    let mut project = with_draft();
    let activate = Command::ActivateRelease { tag: tag("v9"), by: person("rita") };
    expect!["release `v9` has to be built first: deploy the draft with workflow `build`, then activate it"]
        .assert_eq(&project.attempt(activate.clone()).unwrap_err());
    expect!["release `v9` is Draft; make it active first: `lockgate release start`"]
        .assert_eq(&refusal(&mut project, to_prod("v9")));
    let number = build(&mut project);
    expect!["release `v9` has to be built first: deploy the draft with workflow `build`, then activate it"]
        .assert_eq(&project.attempt(activate.clone()).unwrap_err());
    let deployment_type = DeploymentType::Custom;
    let again = Deploy { deployment_type, workflow: Some(name("build")), ..to_prod("v9") };
    expect!["draft `v9` cannot change now: deployment 1 is under way; cancel it first"]
        .assert_eq(&refusal(&mut project, again.clone()));
    project.answer(number, Run(0), compiled());
    assert_eq!(project.state.releases[&tag("v9")].artifacts[0].name, "site");
    expect!["release `v9` was built already; it is built once; activate it, or make another release"]
        .assert_eq(&refusal(&mut project, again));
    project.send(activate);
    project.deploy("v9");
}

/// What it made would be of no workflow that the release has.
#[test]
fn a_draft_is_not_edited_while_it_is_built_nor_after_that() {
    let mut project = with_draft();
    let edit = |project: &mut Project| {
        let workflows = project.state.definition.workflows.clone();
        let (tag, approved, by) = (tag("v9"), approved_plugins(), person("olga"));
        project.attempt(Command::EditDraft(DraftEdit { tag, workflows, endpoints: [].into(), approved, by }))
    };
    let number = build(&mut project);
    expect!["draft `v9` cannot change now: deployment 1 is under way; cancel it first"]
        .assert_eq(&edit(&mut project).unwrap_err());
    project.answer(number, Run(0), compiled());
    expect!["draft `v9` is built, and what was built is in it; create the draft again, then edit it, then build it"]
        .assert_eq(&edit(&mut project).unwrap_err());
    send_draft(&mut project, "once more");
    edit(&mut project).unwrap();
}

#[test]
fn a_draft_that_was_sent_again_is_not_built_by_a_retry_of_its_old_build() {
    let mut project = with_draft();
    let number = build(&mut project);
    project.answer(number, Run(0), fails("does not compile"));
    send_draft(&mut project, "newer");
    expect!["release `v9` is Draft; it was sent again since this build; build it with a new deployment"]
        .assert_eq(&project.retry(number).unwrap_err());
    let number = build(&mut project);
    project.answer(number, Run(0), compiled());
    assert!(project.state.releases[&tag("v9")].built);
}

/// As project files could say before it was refused.
#[test]
fn a_draft_is_nowhere_live_whatever_its_build_says() {
    let mut meant = built();
    let goes_live = Workflow { stage: WorkflowStage::Build, ..workflow(&[phase("compile")]) };
    meant.workflows.insert(name("build"), goes_live.into());
    let problems: Vec<String> =
        meant.problems().into_iter().map(|issue| format!("{}: {}", issue.path, issue.message)).collect();
    expect!["/workflows/build/goes_live: a build makes what a draft holds, and a draft is nowhere live: leave `goes_live` out, or write `false`"].assert_eq(&problems.join("\n"));
    let mut project = Project::new(environment(), &[]);
    project.define(meant);
    send_draft(&mut project, "new");
    let number = build(&mut project);
    project.answer(number, Run(0), compiled());
    assert_eq!(project.is(number), "Succeeded/Approved");
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
}

// ---- endpoints ----

fn call(project: &mut Project, endpoint: &str) -> Result<DeploymentNumber, String> {
    let (endpoint, environment, input) = (name(endpoint), name("prod"), json!({ "dry": true }));
    project.attempt(Command::CallEndpoint { endpoint, environment, input, key: None, by: person("tom") })?;
    Ok(project.state.last_number)
}

/// Whoever calls is a program.
const UNATTENDED: Flags = Flags { refresh: false, forced: false, allow_destructive: true };

fn with_endpoint(workflow_name: &str) -> Definition {
    let mut meant = definition(&[("prod", environment())], workflow(&[phase("build")]));
    let prod = Environment { workflow: Some(name("full-plan")), unattended: UNATTENDED, ..environment() };
    meant.environments.insert(name("prod"), prod.into());
    for text in ["check", "check-more"] {
        meant.workflows.insert(name(text), Workflow { goes_live: false, ..workflow(&[phase(text)]) }.into());
    }
    meant.endpoints.insert(name("health"), name(workflow_name));
    meant
}

#[test]
fn an_endpoint_does_what_the_live_release_says() {
    let mut project = Project::of(with_endpoint("check"));
    project.define(with_endpoint("check-more"));
    project.send(crate::project::new_release("v4"));
    expect!["nothing is live in environment `prod`; its endpoints are those of the live release: deploy one first"]
        .assert_eq(&call(&mut project, "health").unwrap_err());
    project.deploy("v1");
    project.all_goes_well();
    expect!["release `v1`, live in `prod`, has no endpoint `wealth`; it has: health"]
        .assert_eq(&call(&mut project, "wealth").unwrap_err());
    let number = call(&mut project, "health").unwrap();
    let started = project.deployment(number);
    assert_eq!((started.deployment_type, started.workflow.as_str()), (DeploymentType::Custom, "check"));
    assert_eq!(started.input, json!({ "dry": true }));
    project.all_goes_well();
    project.deploy("v4");
    project.all_goes_well();
    let number = call(&mut project, "health").unwrap();
    assert_eq!(project.deployment(number).workflow.as_str(), "check-more");
    assert_eq!(project.deployment(number).flags, UNATTENDED);
}

#[test]
fn what_an_endpoint_takes_is_limited() {
    let mut project = Project::of(with_endpoint("check"));
    project.deploy("v1");
    project.all_goes_well();
    let (endpoint, environment, input) = (name("health"), name("prod"), Value::String("x".repeat(70_000)));
    let call = Command::CallEndpoint { endpoint, environment, input, key: None, by: person("tom") };
    expect!["the input's length in bytes is 70002; at most 65536 is allowed"]
        .assert_eq(&project.attempt(call).unwrap_err());
}
