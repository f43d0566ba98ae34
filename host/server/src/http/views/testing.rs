//! A deployment, and a project, for tests of what people see.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockgate_core::definition::{
    Definition, Environment, FULL_WEIGHT, OnFailure, Parallel, Phase, PhaseWork, Workflow, WorkflowStage,
};
use lockgate_core::deployment::{Attempt, Deployment, DeploymentType, Flags, PhaseResult, PhaseRun, TargetPlan};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, Deploy, NewRelease, Surroundings, handle};
use lockgate_core::name::{Actor, Name, Timestamp};
use lockgate_core::plugin::{Artifact, ChangeAction, Planned, ResourceChange};
use lockgate_core::release::{Release, ReleaseStatus};
use lockgate_core::selection::Selection;
use lockgate_core::state::State;
use lockgate_core::work::ProjectId;
use serde_json::Value;

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn ann() -> Actor {
    Actor { person: "ann".to_owned(), groups: Default::default(), via: "test".to_owned() }
}

pub fn phase(text: &str, work: PhaseWork) -> Phase {
    Phase {
        name: name(text),
        work,
        timeout_ms: 1_000,
        retries: 0,
        backoff_ms: 1_000,
        continue_on_error: false,
        always_run: false,
        group: None,
        locks: None,
        weight: FULL_WEIGHT,
    }
}

pub fn artifact(text: &str, application: &str) -> Artifact {
    Artifact {
        name: text.to_owned(),
        uri: format!("oci://{text}"),
        digest: Digest::of(text.as_bytes()),
        media_type: String::new(),
        build_id: "42".to_owned(),
        stack: "frontend".to_owned(),
        application: application.to_owned(),
        metadata: [("commit".to_owned(), "9c1d77a".to_owned())].into(),
    }
}

/// Phases `migrate` and `publish`, which applies `site`: both have succeeded.
pub fn deployed() -> Deployment {
    let phases = [
        phase("migrate", PhaseWork::Plugin { plugin: name("sql"), config: Value::Null }),
        phase("publish", PhaseWork::Apply { target: name("site") }),
    ];
    let workflow = Workflow {
        stage: WorkflowStage::Patch,
        goes_live: true,
        on_failure: OnFailure::Stop,
        timeout_ms: None,
        phases: phases.to_vec(),
    };
    let release = Release {
        tag: "v1".parse().unwrap(),
        description: String::new(),
        artifacts: vec![artifact("web.tar", "web"), artifact("api.tar", "api")],
        workflows: [(name("all"), Arc::new(workflow.clone()))].into(),
        endpoints: Default::default(),
        plugins: Default::default(),
        created_by: ann(),
        involved: Default::default(),
        created_at: Timestamp(0),
        status: ReleaseStatus::Active,
        built: false,
        edited_by: None,
        was_live: false,
        computed: Default::default(),
    };
    let mut attempt = Attempt::new(1, Timestamp(1), ann(), Arc::default(), PhaseRun::all_of(&workflow));
    (0..2).for_each(|phase| attempt.phase_mut(phase).result = PhaseResult::Succeeded);
    let change = |application: &str, kind: &str| ResourceChange {
        application: application.to_owned(),
        kind: kind.to_owned(),
        name: "shop".to_owned(),
        action: ChangeAction::Update,
        destructive: false,
        fields: Vec::new(),
    };
    let planned = Planned { changes: vec![change("web", "site"), change("web", "file")], ..Planned::default() };
    attempt.phase_mut(1).plan =
        Some(Arc::new(TargetPlan { digest: Digest::of(b"plan"), planned, made_at: Timestamp(2) }));
    Deployment {
        number: 7,
        environment: name("production"),
        release: Arc::new(release),
        previous_release: None,
        deployment_type: DeploymentType::Rollback,
        flags: Flags::default(),
        selections: Vec::new(),
        input: Value::Null,
        comment: String::new(),
        triggered_by: ann(),
        workflow: name("all"),
        created_at: Timestamp(0),
        break_glass: None,
        earlier: Vec::new(),
        attempt,
    }
}

/// A person is asked for ten seconds in each deployment; those that change different applications go on side by side.
pub fn shop() -> State {
    let look = PhaseWork::Manual { instructions: "look at it".to_owned(), groups: Default::default() };
    let workflow = Workflow {
        stage: WorkflowStage::Patch,
        goes_live: true,
        on_failure: OnFailure::Stop,
        timeout_ms: None,
        phases: vec![Phase { timeout_ms: 10_000, ..phase("look", look) }],
    };
    let definition = Definition {
        applications: ["docs", "web"].map(name).into(),
        environments: [(name("production"), Arc::new(Environment::default()))].into(),
        workflows: [(name("all"), Arc::new(workflow))].into(),
        parallel: Parallel { enabled: true, ..Parallel::default() },
        ..Definition::default()
    };
    let mut state = State::new(ProjectId { name: name("shop"), uid: "7".to_owned() });
    send(&mut state, Command::SetDefinition { definition: Arc::new(definition), by: ann() });
    let release = NewRelease {
        tag: "v1".parse().unwrap(),
        description: String::new(),
        artifacts: Vec::new(),
        draft: false,
        approved: BTreeMap::new(),
        by: ann(),
    };
    send(&mut state, Command::CreateRelease(release));
    state
}

/// All of it, or one application.
pub fn deploy(state: &mut State, application: Option<&str>) -> u64 {
    let selection = |text: &str| Selection { application: Some(name(text)), ..Selection::default() };
    let selections: Vec<Selection> = application.into_iter().map(selection).collect();
    let is_whole = selections.is_empty();
    let deploy = Deploy {
        environment: name("production"),
        release: "v1".parse().unwrap(),
        deployment_type: if is_whole { DeploymentType::Full } else { DeploymentType::Selective },
        flags: Flags::default(),
        selections,
        input: Value::Null,
        not_before: None,
        comment: String::new(),
        workflow: None,
        key: None,
        by: ann(),
    };
    send(state, Command::Deploy(deploy));
    state.last_number
}

fn send(state: &mut State, command: Command) {
    let around = Surroundings { now: Timestamp(0), gates: &BTreeMap::new() };
    let events = handle(state, command, around).unwrap();
    events.iter().for_each(|event| state.apply(event).unwrap());
}
