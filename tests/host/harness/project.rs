//! A project at a host, with the two operators who work on it: ann releases and deploys, bob is whom she asks.

use lockgate::client::{ClientError, DeploymentFilter, Followed, PhaseLog};
use lockgate::wire::{
    Approve, Artifact, Cancel, Deployment, Environment, Event, LogLine, NewDeployment, NewRelease, Release, Remark,
};

use super::{Host, PATIENCE, Person, block_on, wait};

#[derive(Clone)]
pub struct Project {
    pub name: String,
    pub ann: Person,
    pub bob: Person,
}

impl Project {
    /// Its people; the project is there, or somebody else makes it.
    pub fn of(host: &Host, name: &str) -> Self {
        let ann = host.person(&format!("ann-{name}"), &["operators"], "member");
        let bob = host.person(&format!("bob-{name}"), &["operators"], "member");
        Self { name: name.to_owned(), ann, bob }
    }

    /// Creates it from the rest of its project file: all but its name.
    pub fn create(host: &Host, name: &str, rest: &str) -> Self {
        let project = Self::of(host, name);
        project.change(host, rest);
        project
    }

    /// The same, on a host that was made of a backup.
    pub fn on(&self, host: &Host) -> Self {
        let there = |person: &Person| Person::new(host.address(), &person.secret);
        Self { name: self.name.clone(), ann: there(&self.ann), bob: there(&self.bob) }
    }

    pub fn change(&self, host: &Host, rest: &str) {
        block_on(host.admin().client.apply_project(&self.name, file(&self.name, rest)))
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// A project whose one workflow is one phase of a plugin, with one environment named `test`.
    pub fn with_phase(host: &Host, name: &str, plugin: &str, config: &str) -> Self {
        Self::create(host, name, &one_phase(plugin, config))
    }

    // ---- releases and deployments, by ann ----

    pub fn try_release(&self, tag: &str, artifacts: Vec<Artifact>) -> Result<Release, ClientError> {
        let release = NewRelease { tag: tag.to_owned(), artifacts, ..NewRelease::default() };
        block_on(self.ann.client.create_release(&self.name, &release, None))
    }

    pub fn release(&self, tag: &str) {
        self.release_with(tag, Vec::new());
    }

    pub fn release_with(&self, tag: &str, artifacts: Vec<Artifact>) {
        self.try_release(tag, artifacts).unwrap_or_else(|error| panic!("{error}"));
    }

    pub fn try_deploy(&self, tag: &str, environment: &str, key: Option<&str>) -> Result<u64, ClientError> {
        let new = NewDeployment { release: tag.to_owned(), ..NewDeployment::default() };
        block_on(self.ann.client.deploy(&self.name, environment, &new, key)).map(|deployment| deployment.number)
    }

    pub fn deploy(&self, tag: &str, environment: &str) -> u64 {
        self.try_deploy(tag, environment, None).unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn roll_back(&self, environment: &str) -> u64 {
        let remark = Remark::default();
        let rollback = self.ann.client.roll_back(&self.name, environment, &remark, None);
        block_on(rollback).unwrap_or_else(|error| panic!("{error}")).number
    }

    pub fn retry(&self, number: u64) {
        block_on(self.ann.client.retry(&self.name, number, None)).unwrap_or_else(|error| panic!("{error}"));
    }

    pub fn cancel(&self, number: u64) {
        let cancel = Cancel { reason: "changed her mind".to_owned(), force: false };
        block_on(self.ann.client.cancel(&self.name, number, &cancel)).unwrap_or_else(|error| panic!("{error}"));
    }

    // ---- approvals ----

    pub fn try_approve(&self, by: &Person, number: u64) -> Result<Deployment, ClientError> {
        block_on(by.client.approve(&self.name, number, &Approve::default()))
    }

    pub fn approve(&self, number: u64) {
        self.try_approve(&self.bob, number).unwrap_or_else(|error| panic!("{error}"));
    }

    pub fn reject(&self, number: u64, comment: &str) {
        let remark = Remark { comment: comment.to_owned() };
        block_on(self.bob.client.reject(&self.name, number, &remark)).unwrap_or_else(|error| panic!("{error}"));
    }

    // ---- what is seen ----

    pub fn deployment(&self, number: u64) -> Deployment {
        block_on(self.ann.client.deployment(&self.name, number)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// All of them, newest first.
    pub fn deployments(&self) -> Vec<Deployment> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let filter = DeploymentFilter { before, limit: Some(100), ..DeploymentFilter::default() };
            let page = block_on(self.ann.client.deployments(&self.name, &filter)).unwrap();
            before = page.items.last().map(|last| last.number);
            let end = page.next.is_none();
            all.extend(page.items);
            if end {
                return all;
            }
        }
    }

    pub fn environment(&self, name: &str) -> Environment {
        let project = block_on(self.ann.client.project(&self.name)).unwrap();
        project.environments.into_iter().find(|environment| environment.name == name).unwrap()
    }

    pub fn live(&self, environment: &str) -> Option<String> {
        self.environment(environment).live.map(|live| live.release)
    }

    pub fn current(&self, environment: &str) -> Option<String> {
        self.environment(environment).current.map(|current| current.release)
    }

    pub fn events(&self, number: u64) -> Vec<Event> {
        let (mut all, mut after) = (Vec::<Event>::new(), 0);
        loop {
            let page = block_on(self.ann.client.events(&self.name, number, after)).unwrap();
            let Some(last) = page.items.last() else { return all };
            after = last.sequence;
            all.extend(page.items);
            if page.next.is_none() {
                return all;
            }
        }
    }

    pub fn log(&self, number: u64, phase: &str) -> Vec<LogLine> {
        let log = PhaseLog { number, attempt: self.deployment(number).attempt, phase: phase.to_owned() };
        block_on(self.ann.client.log_lines(&self.name, &log, 0)).unwrap_or_else(|error| panic!("{error}")).items
    }

    /// Follows the log of the first attempt live, until a line says this.
    pub fn line_in_live_log(&self, number: u64, phase: &str, text: &str) -> LogLine {
        let log = PhaseLog { number, attempt: 1, phase: phase.to_owned() };
        let mut follow = self.ann.client.follow_log(&self.name, &log, 0);
        block_on(async {
            loop {
                match follow.next().await.unwrap() {
                    Some(Followed::Item(line)) if line.message.contains(text) => return line,
                    Some(_) => {}
                    None => panic!("the log ended without a line that says `{text}`"),
                }
            }
        })
    }

    pub fn wait_until(&self, number: u64, what: &str, is_so: impl Fn(&Deployment) -> bool) -> Deployment {
        let mut last = None;
        wait(&format!("deployment {number} to be {what}"), || {
            let deployment = self.deployment(number);
            if is_so(&deployment) {
                return Some(deployment);
            }
            assert!(deployment.finished_at.is_none(), "deployment {number} is not {what}, and over: {deployment:#?}");
            last = Some(deployment);
            None
        })
    }

    /// `<status, operationStatus>`, such as `InProgress/Pending`. Looks again at every event, and at nothing else.
    pub fn comes_to(&self, number: u64, pair: &str) -> Deployment {
        let mut deployment = self.deployment(number);
        let mut events = self.ann.client.follow_events(&self.name, number, deployment.last_event);
        while pair_of(&deployment) != pair {
            let news = block_on(async { tokio::time::timeout(PATIENCE, events.next()).await });
            let news = news.unwrap_or_else(|_| panic!("deployment {number} does not come to {pair}: {deployment:#?}"));
            deployment = self.deployment(number);
            let is_over = news.unwrap().is_none() && pair_of(&deployment) != pair;
            assert!(!is_over, "deployment {number} never comes to {pair}: {deployment:#?}");
        }
        deployment
    }

    pub fn wait_for_approval(&self, number: u64) -> Deployment {
        self.wait_until(number, "waiting for approval", |deployment| deployment.status == "PENDING_APPROVAL")
    }

    pub fn end_of(&self, number: u64) -> Deployment {
        self.wait_until(number, "over", |deployment| deployment.finished_at.is_some())
    }

    /// The status it ends with, and the reason where that is no success.
    pub fn outcome_of(&self, number: u64) -> (String, String) {
        let deployment = self.end_of(number);
        let reason = deployment.failure.map(|failure| format!("{}: {}", failure.phase, failure.message));
        (deployment.status, reason.unwrap_or_default())
    }

    pub fn assert_succeeds(&self, number: u64) {
        assert_eq!(self.outcome_of(number), ("SUCCEEDED".to_owned(), String::new()));
    }
}

/// As the API writes it, with a stroke between.
pub fn pair_of(deployment: &Deployment) -> String {
    format!("{}/{}", deployment.attempt_status, deployment.operation_status)
}

pub fn file(name: &str, rest: &str) -> String {
    format!("project: {name}\n{rest}")
}

pub fn one_phase(plugin: &str, config: &str) -> String {
    format!(
        "environments: {{ test: {{}} }}\n\
         workflows: {{ w: {{ phases: [{{ name: work, plugin: {plugin}, config: {config} }}] }} }}\n"
    )
}
