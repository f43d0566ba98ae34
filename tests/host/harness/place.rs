//! A project of a test's own, and the folder of this machine by which the test says what its target does, and when.

use std::fs;
use std::path::PathBuf;

use lockgate::client::ClientError;
use lockgate::wire::NewDeployment;

use super::{Host, Person, Project, block_on, file};

pub struct Place {
    pub project: Project,
    pub admin: Person,
    pub folder: PathBuf,
}

/// What of the project file is a place's own: settings of the project, of environment `test`, and of workflow `go`.
#[derive(Clone, Copy)]
pub struct Rules {
    pub project: &'static str,
    pub environment: &'static str,
    pub workflow: &'static str,
}

/// Applies the target `world`, and asks nobody.
pub const PLAIN: Rules = Rules { project: "", environment: "", workflow: "phases: [{ name: apply, apply: world }]" };

impl Rules {
    pub const fn in_environment(environment: &'static str) -> Self {
        Self { environment, ..PLAIN }
    }

    pub const fn doing(workflow: &'static str) -> Self {
        Self { workflow, ..PLAIN }
    }

    /// All but the project's name. Environment `elsewhere` has the target and no rules.
    pub fn file(&self, folder: &str) -> String {
        let Self { project, environment, workflow } = self;
        let target =
            format!("world: {{ plugin: scripted-target, config: {{ folder: {folder}, changes: [{{ name: a }}] }} }}");
        format!(
            "
{project}
environments:
  test: {{ workflow: go, {environment} targets: {{ {target} }} }}
  elsewhere: {{ workflow: go, targets: {{ {target} }} }}
workflows: {{ go: {{ {workflow} }} }}
"
        )
    }
}

impl Place {
    /// With release v1. The scripted target must be granted a folder of that name.
    pub fn new(host: &Host, name: &str, folder: &str, rules: &Rules) -> Self {
        let project = Project::create(host, name, &rules.file(folder));
        project.release("v1");
        Self { project, admin: host.admin(), folder: host.place(folder) }
    }

    /// All of the project file but its name; see [`Rules::file`].
    pub fn define(&self, rest: &str) -> Result<(), ClientError> {
        let (name, file) = (&self.project.name, file(&self.project.name, rest));
        block_on(self.admin.client.apply_project(name, file)).map(drop)
    }

    /// Workflows and endpoints of its own; see [`Place::define`].
    pub fn edit_draft(&self, tag: &str, rest: &str) -> Result<(), ClientError> {
        let (name, file) = (&self.project.name, file(&self.project.name, rest));
        block_on(self.admin.client.edit_release(name, tag, file)).map(drop)
    }

    pub fn deploy(&self) -> u64 {
        self.project.deploy("v1", "test")
    }

    pub fn deploy_elsewhere(&self) -> u64 {
        self.project.deploy("v1", "elsewhere")
    }

    pub fn deploy_with(&self, new: NewDeployment) -> u64 {
        let deployed = block_on(self.project.ann.client.deploy(&self.project.name, "test", &new, None));
        deployed.unwrap_or_else(|error| panic!("{error}")).number
    }

    pub fn deploy_until_asked(&self) -> u64 {
        let number = self.deploy();
        self.project.comes_to(number, "NotDeployed/Pending");
        number
    }

    /// It applies until the test lets it go on.
    pub fn deploy_and_hold(&self) -> u64 {
        self.hold("apply");
        let number = self.deploy();
        self.project.comes_to(number, "InProgress/PhaseInProgress");
        number
    }

    /// From now on every `plan` or `apply` waits before it does anything.
    pub fn hold(&self, call: &str) {
        fs::write(self.folder.join(format!("hold-{call}")), "").unwrap();
    }

    pub fn let_go(&self, call: &str) {
        fs::remove_file(self.folder.join(format!("hold-{call}"))).unwrap();
    }

    /// How often the target has changed the world.
    pub fn applied(&self) -> usize {
        let effects = fs::read_to_string(self.folder.join("effects")).unwrap_or_default();
        effects.lines().filter(|line| line.starts_with("apply ")).count()
    }
}

pub fn of_release(tag: &str) -> NewDeployment {
    NewDeployment { release: tag.to_owned(), ..NewDeployment::default() }
}
