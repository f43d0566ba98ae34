//! A project as its owner would have it in memory, and its events.

use std::collections::BTreeMap;
use std::sync::Arc;

use lockgate_core::definition::{
    Definition, Environment, FULL_WEIGHT, OnFailure, Phase, PhaseWork, Workflow, WorkflowStage,
};
use lockgate_core::deployment::{DeploymentType, Flags};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{Command, Deploy, NewRelease, Surroundings, handle};
use lockgate_core::plugin::{Description, Failure, Grants, Kind, Requests, Retry};
use lockgate_core::release::ApprovedPlugin;
use lockgate_core::state::{Event, State};
use lockgate_core::work::{Answer, ProjectId};
use serde_json::Value;

use super::{by, name};
use crate::clock;

pub fn definition(description: String) -> Definition {
    let phase = Phase {
        name: name("build"),
        work: PhaseWork::Plugin { plugin: name("steps"), config: Value::Null },
        timeout_ms: 60_000,
        retries: 9,
        backoff_ms: 3_000,
        continue_on_error: false,
        always_run: false,
        group: None,
        locks: None,
        weight: FULL_WEIGHT,
    };
    let workflow = Workflow {
        stage: WorkflowStage::default(),
        goes_live: true,
        on_failure: OnFailure::default(),
        timeout_ms: None,
        phases: vec![phase],
    };
    Definition {
        description,
        environments: [(name("prod"), Arc::new(Environment::default()))].into(),
        workflows: [(name("full"), Arc::new(workflow))].into(),
        ..Definition::default()
    }
}

pub fn set(description: String) -> Command {
    Command::SetDefinition { definition: Arc::new(definition(description)), by: by() }
}

pub struct Written {
    pub state: State,
    pub events: Vec<Event>,
    /// How many there were after each command: what one leads to is written whole or not at all.
    pub commits: Vec<usize>,
}

impl Written {
    pub fn send(&mut self, command: Command) {
        let around = Surroundings { now: clock::now(), gates: &BTreeMap::new() };
        for event in handle(&self.state, command, around).unwrap() {
            self.state.apply(&event).unwrap();
            self.events.push(event);
        }
        self.commits.push(self.events.len());
    }
}

/// What leads to one deployment, whose plugin nobody has.
pub fn to_deploy() -> [Command; 3] {
    let description = Description {
        name: "steps".to_owned(),
        version: "1".to_owned(),
        summary: String::new(),
        config_schema: Value::Null,
        requests: Requests::default(),
    };
    let digest = Digest::of(b"steps");
    let steps = ApprovedPlugin { digest, kind: Kind::Phase, description, grants: Grants::default(), narrowed: vec![] };
    let release = NewRelease {
        tag: "v1".parse().unwrap(),
        description: String::new(),
        artifacts: Vec::new(),
        draft: false,
        approved: [(name("steps"), steps)].into(),
        by: by(),
    };
    let deploy = Deploy {
        environment: name("prod"),
        release: "v1".parse().unwrap(),
        deployment_type: DeploymentType::Full,
        flags: Flags::default(),
        selections: Vec::new(),
        input: Value::Null,
        not_before: None,
        comment: String::new(),
        workflow: None,
        key: None,
        by: by(),
    };
    [set(String::new()), Command::CreateRelease(release), Command::Deploy(deploy)]
}

/// Its plugin was asked.
pub fn deploying() -> Written {
    let project = ProjectId { name: name("shop"), uid: "7".to_owned() };
    let mut written = Written { state: State::new(project), events: Vec::new(), commits: Vec::new() };
    to_deploy().into_iter().for_each(|command| written.send(command));
    written
}

/// The call under way did not go well, and may be tried again like this.
pub fn failed(written: &Written, retry: Retry) -> Command {
    Command::Report { call: written.state.due()[0].call, answer: failure(retry) }
}

pub fn failure(retry: Retry) -> Answer {
    Answer::Failed(Failure {
        code: "unavailable".to_owned(),
        message: String::new(),
        retry,
        retry_after_ms: 0,
        details: Value::Null,
    })
}
