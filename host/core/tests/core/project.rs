//! One project with environment `prod` and releases v1, v2 and v3, driven by hand: commands, answers and time.
//!
//! Every event goes through JSON before it is applied, as it would on its way through the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_core::change::Change;
use lockgate_core::definition::{Definition, Environment, Phase, listed};
use lockgate_core::deployment::{Deployment, DeploymentType, Flags, HoldReason};
use lockgate_core::digest::Digest;
use lockgate_core::explain::{Blocker, blockers};
use lockgate_core::handle::{Again, Command, Deploy, NewRelease, PauseScope, Surroundings, TryFrom, decide, handle};
use lockgate_core::name::{Actor, DeploymentNumber, Name, Timestamp};
use lockgate_core::selection::Selection;
use lockgate_core::state::{Event, State, What};
use lockgate_core::work::{Answer, CallRef, GatesOf, ProjectId, Step};
use serde_json::Value;

use crate::words::*;

pub struct Project {
    pub state: State,
    pub events: Vec<Event>,
    /// What the operator approved.
    pub gates: BTreeMap<Name, Digest>,
    pub now: Timestamp,
    /// Attempt, deployment and environment status of all deployments after each turn.
    pub all_views: BTreeSet<String>,
    /// What people saw after each turn, without repetitions.
    seen: BTreeMap<DeploymentNumber, Vec<String>>,
}

impl Project {
    pub fn new(prod: Environment, phases: &[Phase]) -> Self {
        Self::of(definition(&[("prod", prod)], workflow(phases)))
    }

    pub fn of(definition: Definition) -> Self {
        let id = ProjectId { name: name("shop"), uid: "7".to_owned() };
        let mut project = Self {
            state: State::new(id),
            events: Vec::new(),
            gates: approved_gates(),
            now: Timestamp(0),
            all_views: BTreeSet::new(),
            seen: BTreeMap::new(),
        };
        project.define(definition);
        for text in ["v1", "v2", "v3"] {
            project.send(new_release(text));
        }
        project
    }

    pub fn define(&mut self, definition: Definition) {
        self.send(Command::SetDefinition { definition: Arc::new(definition), by: person("olga") });
    }

    // ---- time and commands ----

    /// Moves the clock, and ticks whenever the core asked for it on the way.
    pub fn at(&mut self, seconds: i64) {
        let end = Timestamp(seconds * 1_000);
        while let Some(at) = self.state.wake_at().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.send(Command::Tick);
            assert!(self.state.wake_at().is_none_or(|next| next > self.now), "the core asks to be woken at once");
        }
        self.now = end;
    }

    /// Moves the clock alone, as when the owner is late.
    pub fn skip_to(&mut self, seconds: i64) {
        self.now = Timestamp(seconds * 1_000);
    }

    pub fn send(&mut self, command: Command) {
        self.attempt(command).unwrap();
    }

    /// Without a look at what everyone sees: for floods.
    pub fn send_only(&mut self, command: Command) {
        let events = handle(&self.state, command, Surroundings { now: self.now, gates: &self.gates }).unwrap();
        events.iter().for_each(|event| self.state.apply(event).unwrap());
    }

    /// The refusal as its reader sees it.
    pub fn attempt(&mut self, command: Command) -> Result<(), String> {
        let around = Surroundings { now: self.now, gates: &self.gates };
        let decided =
            decide(&self.state, command, around, &mut |_, _| {}).map_err(|rejection| rejection.to_string())?;
        for event in decided.events {
            let line = serde_json::to_string(&event).unwrap();
            let read: Event = serde_json::from_str(&line).unwrap();
            assert_eq!(read, event, "an event reads back as it was written: {line}");
            self.state.apply(&read).unwrap();
            self.events.push(read);
        }
        assert_eq!(decided.state, self.state, "a decision leaves the state that its events make");
        for (number, deployment) in &self.state.deployments {
            let seen = self.seen.entry(*number).or_default();
            let now = deployment.status_text();
            self.all_views.insert(views(deployment));
            if seen.last() != Some(&now) {
                seen.push(now);
            }
        }
        Ok(())
    }

    /// Returns the number of the new deployment.
    pub fn deploy(&mut self, release: &str) -> DeploymentNumber {
        self.send(Command::Deploy(to_prod(release)));
        self.state.last_number
    }

    pub fn trigger(&mut self, deploy: Deploy) -> DeploymentNumber {
        self.send(Command::Deploy(deploy));
        self.state.last_number
    }

    /// SELECTIVE, of these selections.
    pub fn select(&mut self, release: &str, selections: &[Selection]) -> DeploymentNumber {
        self.trigger(selective(release, selections))
    }

    pub fn pause(&mut self, scope: PauseScope) {
        self.send(Command::Pause { scope, reason: "stock-taking".to_owned(), by: person("olga") });
    }

    pub fn resume(&mut self, scope: PauseScope) {
        self.send(Command::Resume { scope, by: person("olga") });
    }

    pub fn roll_back(&mut self) -> Result<DeploymentNumber, String> {
        let comment = String::new();
        self.attempt(Command::Rollback { environment: name("prod"), comment, key: None, by: person("tom") })?;
        Ok(self.state.last_number)
    }

    pub fn approve(&mut self, number: DeploymentNumber, by: Actor) -> Result<(), String> {
        self.attempt(Command::Approve { number, plan: None, comment: "fine".to_owned(), not_before: None, by })
    }

    pub fn approve_for(&mut self, number: DeploymentNumber, by: Actor, seconds: i64) -> Result<(), String> {
        let not_before = Some(Timestamp(seconds * 1_000));
        self.attempt(Command::Approve { number, plan: None, comment: String::new(), not_before, by })
    }

    pub fn approve_plan(&mut self, number: DeploymentNumber, plan: Digest, by: Actor) -> Result<(), String> {
        self.attempt(Command::Approve { number, plan: Some(plan), comment: String::new(), not_before: None, by })
    }

    pub fn reject(&mut self, number: DeploymentNumber, by: Actor) -> Result<(), String> {
        self.attempt(Command::Reject { number, comment: "not on a Friday".to_owned(), by })
    }

    pub fn cancel(&mut self, number: DeploymentNumber) -> Result<(), String> {
        self.attempt(Command::Cancel { number, forced: false, reason: "typo".to_owned(), by: person("tom") })
    }

    pub fn stop(&mut self, number: DeploymentNumber) -> Result<(), String> {
        self.attempt(Command::Cancel { number, forced: true, reason: "now!".to_owned(), by: person("tom") })
    }

    pub fn retry(&mut self, number: DeploymentNumber) -> Result<(), String> {
        self.try_again(number, TryFrom::FailedPhase, person("tom"))
    }

    pub fn redeploy(&mut self, number: DeploymentNumber) -> Result<(), String> {
        self.try_again(number, TryFrom::Start, person("tom"))
    }

    pub fn try_again(&mut self, number: DeploymentNumber, from: TryFrom, by: Actor) -> Result<(), String> {
        self.attempt(Command::TryAgain(Again { number, finished: None, from, key: None, by }))
    }

    // ---- plugins ----

    /// The plugin's answer to the call that is due for this step.
    pub fn answer(&mut self, number: DeploymentNumber, step: Step, answer: Answer) {
        let call = self.call(number, step);
        self.send(Command::Report { call, answer });
    }

    pub fn call(&self, number: DeploymentNumber, step: Step) -> CallRef {
        let due = self.state.due();
        let found = due.iter().find(|due| due.call.deployment == number && due.step == step);
        found.unwrap_or_else(|| panic!("{step:?} of {number} is not due; due: {}", self.due())).call
    }

    /// Every plugin answers well, plans change file `a`, until nothing is due.
    pub fn all_goes_well(&mut self) {
        while let Some(due) = self.state.due().first().copied() {
            let answer = match due.step {
                Step::Observe(_) => Answer::Observed(Vec::new()),
                Step::Plan(_) | Step::Confirm(_) => plan(&["a"]),
                Step::Run(_) | Step::Cancel(_) | Step::Undo(_) => done(),
                Step::Gate { .. } => passes(),
            };
            self.send(Command::Report { call: due.call, answer });
        }
    }

    // ---- what is seen ----

    pub fn deployment(&self, number: DeploymentNumber) -> &Deployment {
        &self.state.deployments[&number]
    }

    /// What must be running, such as `1 Run(0), 1 Gate(0)`.
    pub fn due(&self) -> String {
        let due = self.state.due().into_iter();
        let told = |cancelling| if cancelling { " (told to stop)" } else { "" };
        let words: Vec<String> =
            due.map(|due| format!("{} {}{}", due.call.deployment, step_text(due.step), told(due.cancelling))).collect();
        words.join(", ")
    }

    pub fn is(&self, number: DeploymentNumber) -> String {
        self.deployment(number).status_text()
    }

    /// The way a deployment went, as people saw it.
    pub fn went(&self, number: DeploymentNumber) -> String {
        self.seen[&number].join("\n")
    }

    pub fn failure(&self, number: DeploymentNumber) -> String {
        let failure = self.deployment(number).attempt.failure.as_ref();
        failure.map(|failure| format!("{}: {}", failure.of, failure.message)).unwrap_or_default()
    }

    /// Why it waits, one thing a line.
    pub fn why(&self, number: DeploymentNumber) -> String {
        let blockers = blockers(&self.state, self.deployment(number), self.now);
        blockers.iter().map(blocker_text).collect::<Vec<_>>().join("\n")
    }

    /// What people and the environment show of it.
    pub fn views(&self, number: DeploymentNumber) -> String {
        views(self.deployment(number))
    }

    /// Name and result of each phase.
    pub fn phases(&self, number: DeploymentNumber) -> String {
        let result = |text: String| text.split(['(', ' ']).next().unwrap_or_default().to_owned();
        let runs = self.deployment(number).attempt.phases.iter();
        let words: Vec<String> =
            runs.map(|run| format!("{} {}", run.name, result(format!("{:?}", run.result)))).collect();
        words.join(", ")
    }

    /// `live v1, current v2, before: v0`.
    pub fn prod(&self) -> String {
        let there = self.state.environment(&name("prod"));
        let before: Vec<&str> = there.live_before.iter().map(|live| live.release.as_str()).collect();
        let live = there.live.as_ref().map_or("nothing", |live| live.release.as_str());
        let current = there.current.as_ref().map_or("nothing", |current| current.release.as_str());
        format!("live {live}, current {current}, before: {}", before.join(" "))
    }

    /// Idempotency keys of all calls for this step, in the order they were started.
    pub fn keys(&self, number: DeploymentNumber, step: Step) -> Vec<String> {
        let key = |event: &Event| match &event.what {
            What::Deployment { number: of, change: Change::CallStarted { step: started, key, .. } }
                if *of == number && *started == step =>
            {
                Some(key.clone())
            }
            _ => None,
        };
        self.events.iter().filter_map(key).collect()
    }
}

fn views(deployment: &Deployment) -> String {
    let attempt = &deployment.attempt;
    format!("{} | {:?} | {:?}", deployment.status_text(), attempt.deployment_status(), attempt.environment_status())
}

fn step_text(step: Step) -> String {
    match step {
        Step::Observe(_) | Step::Plan(_) | Step::Confirm(_) | Step::Run(_) | Step::Cancel(_) | Step::Undo(_) => {
            format!("{step:?}")
        }
        Step::Gate { of: GatesOf::Post, index } => format!("Gate({index})"),
        Step::Gate { of, index } => format!("Gate({of:?} {index})"),
    }
}

pub fn new_release(text: &str) -> Command {
    Command::CreateRelease(release(text))
}

pub fn release(text: &str) -> NewRelease {
    NewRelease {
        tag: tag(text),
        description: format!("what is in {text}"),
        artifacts: Vec::new(),
        draft: false,
        approved: approved_plugins(),
        by: person("rita"),
    }
}

pub fn selective(release: &str, selections: &[Selection]) -> Deploy {
    Deploy { deployment_type: DeploymentType::Selective, selections: selections.to_vec(), ..to_prod(release) }
}

pub fn to_prod(release: &str) -> Deploy {
    Deploy {
        environment: name("prod"),
        release: tag(release),
        deployment_type: DeploymentType::Full,
        flags: Flags::default(),
        selections: Vec::new(),
        input: Value::Null,
        comment: String::new(),
        workflow: None,
        not_before: None,
        key: None,
        by: person("tom"),
    }
}

/// Code and values: the words are the server's.
pub fn blocker_text(blocker: &Blocker) -> String {
    let what = match blocker {
        Blocker::Paused { project: _, pause } => format!("by {}: {}", pause.by.person, pause.reason),
        Blocker::Closed(closed) => closed.because.join("; "),
        Blocker::Running(numbers) | Blocker::Before(numbers) => listed(numbers),
        Blocker::SideBySide { most } => format!("{most} at most"),
        Blocker::Held { hold, release } => match &hold.because {
            HoldReason::Scheduled | HoldReason::Deferred => release.to_string(),
            HoldReason::Requires { environment } => format!("{release} in {environment}"),
        },
        Blocker::Capacity { capacity: _, most } => most.map_or("no limit".to_owned(), |most| format!("{most} at most")),
        Blocker::Approval { side, open, given, not, ends_at: _, on_timeout } => {
            let rules = open.iter().map(|rule| format!("{} of {}", rule.count, listed(&rule.groups)));
            let rules = rules.collect::<Vec<_>>().join(" and ");
            format!("{side:?}, {rules}; given by {}; not {}; in time, or {on_timeout:?}", listed(given), listed(not))
        }
        Blocker::Intervention { phase, instructions, groups, deadline: _ } => {
            format!("{phase}: {instructions}; {}", listed(groups))
        }
        Blocker::Gates { of, not_green, next_round_at: _, deadline: _ } => {
            let gate =
                |(name, why): &(Name, Option<String>)| format!("{name} ({})", why.as_deref().unwrap_or("unknown"));
            format!("{of:?}, not green: {}", listed(not_green.iter().map(gate)))
        }
        Blocker::AskedAgain { step, because, at: _ } => format!("{step:?}: {because}"),
    };
    format!("{}: {what}", blocker.code())
}
