//! A project in a world of its own: commands, plugins, people, time and restarts, all from one seed.
//!
//! Nothing here is asked of the state that the world can know by itself. What the events say is kept in the
//! [`book`], what plugins did is kept [`outside`], and after each turn the state must agree with both.

mod book;
mod outside;
pub mod project;

use std::collections::BTreeMap;
use std::sync::Arc;

use fastrand::Rng;
use lockgate_core::change::Change;
use lockgate_core::definition::Workflow;
use lockgate_core::deployment::{Deployment, DeploymentType, Doing, Flags, Hold, HoldReason, Stage};
use lockgate_core::digest::Digest;
use lockgate_core::handle::{
    Again, Command, Deploy, DraftEdit, Expiry, NewRelease, PauseScope, Rejection, Surroundings, TryFrom, handle,
};
use lockgate_core::kept::{ClearState, Keep};
use lockgate_core::name::{Actor, DeploymentNumber, Timestamp};
use lockgate_core::order::{Order, order};
use lockgate_core::plugin::ChangeAction;
use lockgate_core::release::{Release, ReleaseStatus};
use lockgate_core::selection::Selection;
use lockgate_core::snapshot::{Restored, changed};
use lockgate_core::state::{Due, Event, State, TriggerKey, What};
use lockgate_core::work::{Answer, CallRef, ProjectId, Step};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::book::Book;
use self::outside::Outside;
use crate::samples::variants_of;
use crate::words::*;

pub struct World {
    seed: u64,
    rng: Rng,
    clock_ms: i64,
    state: State,
    journal: Vec<Event>,
    index: Index,
    /// In some histories every event goes through JSON, as on its way through a journal, and so does each snapshot.
    writes: bool,
    /// Records of finished deployments that have left the state, newest last; some readers still hold an old one.
    store: BTreeMap<DeploymentNumber, Vec<Arc<Deployment>>>,
    /// What the host is calling right now.
    calls: BTreeMap<CallRef, (Due, Box<Order>)>,
    /// Answers on their way: some get lost, come late or come twice.
    mail: Vec<(CallRef, Effect, Answer)>,
    /// What the last turn took in, where it was an answer.
    just_reported: Option<Effect>,
    book: Book,
    outside: Outside,
    pub counts: Counts,
}

/// The state as it was after so many events, and what was written of it.
struct Index {
    taken: State,
    records: BTreeMap<DeploymentNumber, String>,
    events: usize,
}

impl Index {
    fn take(&mut self, state: &State, events: usize) {
        for (number, deployment) in changed(&self.taken.deployments, &state.deployments) {
            match deployment {
                Some(deployment) => drop(self.records.insert(number, serde_json::to_string(deployment).unwrap())),
                None => drop(self.records.remove(&number)),
            }
        }
        (self.taken, self.events) = (state.clone(), events);
    }

    fn read(&self) -> State {
        let state = serde_json::to_string(&self.taken).unwrap();
        let mut restored = Restored::new(serde_json::from_str(&state).unwrap());
        self.records.values().for_each(|record| restored.add(serde_json::from_str(record).unwrap()));
        restored.whole().unwrap()
    }
}

/// How often a history came by the places where things go wrong.
#[derive(Default)]
pub struct Counts {
    pub statuses: BTreeMap<String, u64>,
    pub events: BTreeMap<&'static str, u64>,
    pub cuts: BTreeMap<(Effect, Cut), u64>,
    pub deployments: u64,
    pub turns: u64,
    pub restarts: u64,
    pub refusals: BTreeMap<String, u64>,
}

/// What a call does, told apart as finely as restarts may cut it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    Observe,
    Plan,
    Confirm,
    RunPhase,
    Apply,
    Cancel,
    Undo,
    Gate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    BeforeStart,
    BeforeReport,
    AfterReport,
}

/// Of all that happens, so many are commands by people; the rest is plugins, time and mishaps.
const COMMANDS_OF_100: u8 = 10;
/// More rounds than any kind world needs to bring everything to its end.
const MOST_DRAIN_ROUNDS: usize = 3_000;

impl World {
    pub fn new(seed: u64) -> Self {
        let project = ProjectId { name: name("shop"), uid: seed.to_string() };
        let state = State::new(project);
        let mut world = Self {
            seed,
            rng: Rng::with_seed(seed),
            clock_ms: project::BEGINNINGS_MS[(seed % 4) as usize],
            index: Index { taken: state.clone(), records: BTreeMap::new(), events: 0 },
            writes: seed % 8 < 2,
            state,
            journal: Vec::new(),
            store: BTreeMap::new(),
            calls: BTreeMap::new(),
            mail: Vec::new(),
            just_reported: None,
            book: Book::default(),
            outside: Outside::default(),
            counts: Counts::default(),
        };
        // Without a build: these releases are there from the beginning.
        let mut definition = project::definition(&mut world.rng, Timestamp(world.clock_ms));
        definition.workflows.remove(&name("build"));
        world.send(Command::SetDefinition { definition: definition.into(), by: person("olga") });
        for text in ["v1", "v2", "v3"] {
            world.send(crate::project::new_release(text));
        }
        // Where nobody is asked they are live at once: there is a way back from the beginning.
        for text in ["v1", "v2"].into_iter().filter(|_| seed % 4 < 2) {
            let workflow = Some(name("nothing"));
            world.send(Command::Deploy(Deploy { workflow, ..crate::project::to_prod(text) }));
        }
        world
    }

    /// So many commands, and whatever happens between them; then the world becomes kind.
    pub fn live_through(&mut self, commands: usize) {
        let mut left = commands;
        while left > 0 {
            if self.rng.u8(..100) < COMMANDS_OF_100 {
                self.command();
                left -= 1;
            } else {
                self.happen();
            }
        }
        self.drain();
    }

    // ---- commands ----

    fn command(&mut self) {
        match self.rng.u8(..100) {
            0..4 => self.change_definition(),
            4..9 => self.create_release(),
            9..34 => self.deploy(),
            34..41 => self.roll_back(),
            41..62 => self.answer(),
            62..67 => self.cancel(),
            67..77 => self.try_again(),
            77..79 => {
                let command = Command::AbandonRelease { tag: self.any_tag(), by: self.anyone() };
                self.send(command);
            }
            79..82 => self.promote(),
            82..84 => self.call_endpoint(),
            84..86 => self.ignore_gate(),
            86..90 => self.break_or_review(),
            90..94 => self.pause_or_resume(),
            94..97 => {
                let command = Command::ReleaseHold { environment: name("prod"), by: self.anyone() };
                match self.state.environment(&name("prod")).promotion_hold {
                    Some(_) => drop(self.send(command)),
                    None => self.deploy(),
                }
            }
            97 => match self.rng.bool() {
                true => self.expire(),
                false if self.rng.u8(..4) == 0 => self.clear_state(),
                false => self.keep(),
            },
            98.. => self.forget(),
        }
    }

    fn change_definition(&mut self) {
        let definition = Arc::new(project::definition(&mut self.rng, Timestamp(self.clock_ms)));
        let by = person("olga");
        self.send(Command::SetDefinition { definition, by });
    }

    fn create_release(&mut self) {
        let text = format!("v{}", self.rng.u8(1..9));
        let by = self.anyone();
        if self.rng.u8(..3) == 0 {
            let tag = self.any_tag();
            self.send(Command::ActivateRelease { tag, by });
            return;
        }
        if let Some(tag) = self.any_draft().filter(|_| self.rng.u8(..4) == 0) {
            return self.edit(tag);
        }
        let has_build = self.state.definition.workflows.contains_key("build");
        let draft = has_build || self.rng.u8(..4) == 0;
        self.send(Command::CreateRelease(NewRelease { by, draft, ..crate::project::release(&text) }));
    }

    fn edit(&mut self, tag: lockgate_core::name::Tag) {
        let workflows = self.state.releases[&tag].workflows.clone();
        let other = |(name, workflow): (lockgate_core::name::Name, Arc<Workflow>)| {
            let timeout_ms = Some(self.rng.u64(1..=4) * 1_000_000);
            (name, Arc::new(Workflow { timeout_ms, ..Workflow::clone(&workflow) }))
        };
        let workflows = workflows.into_iter().map(other).collect();
        let approved = approved_plugins();
        let by = self.anyone();
        self.send(Command::EditDraft(DraftEdit { tag, workflows, endpoints: Default::default(), approved, by }));
    }

    fn deploy(&mut self) {
        let release = if self.rng.bool() { self.any_tag() } else { tag(["v1", "v2"][self.rng.usize(..2)]) };
        let environment = self.any_environment();
        if let Some(draft) = self.any_draft().filter(|_| self.rng.u8(..3) == 0) {
            let (deployment_type, workflow, by) = (DeploymentType::Custom, Some(name("build")), self.anyone());
            let build =
                Deploy { environment, release: draft, workflow, deployment_type, by, ..crate::project::to_prod("v1") };
            self.send(Command::Deploy(build));
            return;
        }
        let deployment_type = match self.rng.u8(..20) {
            0 => DeploymentType::Destroy,
            1 => DeploymentType::Launch,
            2 => DeploymentType::Rollback,
            3..5 => DeploymentType::Custom,
            5..12 => DeploymentType::Selective,
            12.. => DeploymentType::Full,
        };
        let request = Digest::of(format!("{release} {environment}").as_bytes());
        let key = (self.rng.u8(..4) == 0).then(|| TriggerKey {
            scope: String::new(),
            key: format!("k{}", self.rng.u8(..40)),
            request,
        });
        let workflow = match deployment_type {
            DeploymentType::Selective => Some("select"),
            DeploymentType::Custom => Some(["nothing", "full-plan", "build", "build", "teardown"][self.rng.usize(..5)]),
            DeploymentType::Full if self.rng.u8(..8) == 0 => Some("nothing"),
            _ => None,
        };
        let flags = Flags {
            allow_destructive: self.rng.u8(..4) > 0,
            refresh: self.rng.u8(..5) == 0,
            forced: self.rng.u8(..5) == 0,
        };
        let later = self.rng.i64(1..60_000);
        let command = Command::Deploy(Deploy {
            environment,
            release,
            deployment_type,
            flags,
            selections: self.selections(deployment_type),
            input: serde_json::Value::Null,
            comment: String::new(),
            workflow: workflow.map(name),
            not_before: (self.rng.u8(..12) == 0).then_some(Timestamp(self.clock_ms + later)),
            key,
            by: self.anyone(),
        });
        self.send(command);
    }

    fn selections(&mut self, deployment_type: DeploymentType) -> Vec<Selection> {
        if deployment_type != DeploymentType::Selective {
            return Vec::new();
        }
        let one = |rng: &mut Rng| Selection {
            application: [None, Some("site"), Some("site"), Some("api")][rng.usize(..4)].map(name),
            resource_type: [None, Some("file".to_owned())][rng.usize(..2)].clone(),
            resource_name: [None, Some("a"), Some("b")][rng.usize(..3)].map(str::to_owned),
            action: [None, None, None, Some(ChangeAction::Update)][rng.usize(..4)],
        };
        (0..self.rng.usize(1..3)).map(|_| one(&mut self.rng)).collect()
    }

    fn roll_back(&mut self) {
        let (environment, by) = (self.any_environment(), self.anyone());
        if self.rng.u8(..4) > 0 && self.state.rollback_to(&environment).is_none() {
            return self.deploy();
        }
        self.send(Command::Rollback { environment, comment: String::new(), key: None, by });
    }

    fn promote(&mut self) {
        let (environment, by) = (self.any_environment(), self.anyone());
        let from = self.rng.bool().then(|| name("staging"));
        let flags = Flags::default();
        self.send(Command::Promote { environment, from, flags, comment: String::new(), key: None, by });
    }

    fn call_endpoint(&mut self) {
        let (environment, by) = (self.any_environment(), self.anyone());
        let endpoint = name(["smoke", "ping", "pong"][self.rng.usize(..3)]);
        self.send(Command::CallEndpoint { endpoint, environment, input: serde_json::Value::Null, key: None, by });
    }

    /// Approvals and interventions.
    fn answer(&mut self) {
        let asking: Vec<_> = self.asking().collect();
        let Some(number) = self.rng.choice(asking) else { return self.deploy() };
        let (comment, by) = (String::new(), self.anyone());
        let later = self.rng.i64(1..60_000);
        let not_before = (self.rng.u8(..8) == 0).then_some(Timestamp(self.clock_ms + later));
        match self.rng.u8(..8) {
            0 => self.send(Command::Reject { number, comment, by }),
            _ => self.send(Command::Approve { number, plan: None, comment, not_before, by }),
        };
    }

    fn asking(&self) -> impl Iterator<Item = DeploymentNumber> {
        let asks = |deployment: &&Arc<Deployment>| {
            let mut doing = deployment.attempt.doing();
            matches!(deployment.attempt.stage, Stage::AwaitingApproval(_))
                || doing.any(|(_, doing)| matches!(doing, Doing::Person { .. }))
        };
        self.state.deployments.values().filter(asks).map(|deployment| deployment.number)
    }

    fn unfinished(&mut self) -> DeploymentNumber {
        let unfinished = self.state.deployments.values().filter(|deployment| !deployment.is_finished());
        let unfinished: Vec<_> = unfinished.map(|deployment| deployment.number).collect();
        self.rng.choice(unfinished).unwrap_or(1)
    }

    fn ignore_gate(&mut self) {
        let evaluates = |deployment: &&Arc<Deployment>| deployment.status_text().ends_with("EvaluatingGates");
        let evaluated = self.state.deployments.values().filter(evaluates).map(|deployment| deployment.number);
        let evaluated: Vec<_> = evaluated.collect();
        let Some(number) = self.rng.choice(evaluated) else { return };
        let gate = name(["errors", "latency"][self.rng.usize(..2)]);
        let by = self.anyone();
        self.send(Command::IgnoreGate { number, gate, comment: "known".to_owned(), by });
    }

    fn break_or_review(&mut self) {
        let (number, by) = (self.unfinished(), self.anyone());
        let debts: Vec<_> = self.state.debts.keys().copied().collect();
        match self.rng.choice(debts).filter(|_| self.rng.bool()) {
            Some(number) => self.send(Command::ReviewDebt { number, comment: String::new(), by }),
            None => self.send(Command::BreakGlass { number, reason: "down".to_owned(), by }),
        };
    }

    fn pause_or_resume(&mut self) {
        let environment = self.any_environment();
        let scope = match self.rng.u8(..4) {
            0 => PauseScope::Project,
            1 => PauseScope::Schedule(environment),
            2.. => PauseScope::Environment(environment),
        };
        let by = self.anyone();
        // Mostly what can be done, or everything would stand still.
        let is_paused = match &scope {
            PauseScope::Project => self.state.pause.is_some(),
            PauseScope::Schedule(environment) => self.state.environment(environment).schedule_pause.is_some(),
            PauseScope::Environment(environment) => self.state.environment(environment).pause.is_some(),
        };
        match is_paused == (self.rng.u8(..8) > 0) {
            true => self.send(Command::Resume { scope, by }),
            false => self.send(Command::Pause { scope, reason: "lunch".to_owned(), by }),
        };
    }

    fn expire(&mut self) {
        let when = match self.rng.u8(..4) {
            0 => Expiry::Never,
            1 => Expiry::Now,
            _ => Expiry::At(Timestamp(self.clock_ms + self.rng.i64(0..100_000))),
        };
        let (environment, by) = (self.any_environment(), self.anyone());
        self.send(Command::Expire { environment, when, by });
    }

    /// Mostly by one that has read what is there.
    fn keep(&mut self) {
        let (deployment, namespace) = (self.unfinished(), name("counters"));
        let key = ["builds", "tickets"][self.rng.usize(..2)].to_owned();
        let environment = self.state.deployments.get(&deployment).map(|deployment| deployment.environment.clone());
        let there = environment.map(|environment| self.state.environment(&environment)).unwrap_or_default();
        let read = there.kept.get(&namespace).map_or(0, |kept| kept.version(&key));
        let expect = if self.rng.u8(..4) == 0 { self.rng.u32(..3) } else { read };
        let value = vec![self.rng.u8(..)];
        self.send(Command::Keep(Keep { deployment, namespace, key, value, expect }));
    }

    fn clear_state(&mut self) {
        let key = (self.rng.u8(..2) == 0).then(|| "builds".to_owned());
        let (environment, by) = (self.any_environment(), self.anyone());
        let (namespace, reason) = (name("counters"), "a new season".to_owned());
        self.send(Command::ClearState(ClearState { environment, namespace, key, reason, by }));
    }

    fn cancel(&mut self) {
        let number = self.unfinished();
        let (forced, by) = (self.rng.u8(..5) == 0, self.anyone());
        self.send(Command::Cancel { number, forced, reason: String::new(), by });
    }

    fn try_again(&mut self) {
        let in_memory = self.state.deployments.values().filter(|deployment| deployment.is_finished());
        let finished: Vec<_> =
            in_memory.map(|deployment| deployment.number).chain(self.store.keys().copied()).collect();
        let number = self.rng.choice(finished).unwrap_or(1);
        let from = if self.rng.u8(..3) == 0 { TryFrom::Start } else { TryFrom::FailedPhase };
        let mut records = self.store.get(&number).cloned().unwrap_or_default();
        let newest = records.pop();
        let finished = if self.rng.u8(..4) == 0 { self.rng.choice(records).or(newest) } else { newest };
        let by = self.anyone();
        self.send(Command::TryAgain(Again { number, finished, from, key: None, by }));
    }

    /// The store has the record: it may leave the state.
    fn forget(&mut self) {
        let finished = self.state.deployments.values().filter(|deployment| deployment.is_finished()).cloned();
        for deployment in finished.collect::<Vec<_>>() {
            self.state.forget(deployment.number, deployment.attempt.number);
            self.store.entry(deployment.number).or_default().push(deployment);
        }
    }

    fn anyone(&mut self) -> Actor {
        let people = [
            ("ann", &["security"][..]),
            ("bob", &["dba"]),
            ("cat", &["security", "dba"]),
            ("dan", &[]),
            ("eve", &["dba"]),
        ];
        let (name, groups) = people[self.rng.usize(..people.len())];
        member(name, groups)
    }

    fn any_tag(&mut self) -> lockgate_core::name::Tag {
        let tags: Vec<_> = self.state.releases.keys().cloned().collect();
        self.rng.choice(tags).unwrap_or_else(|| tag("v1"))
    }

    /// That has to be built.
    fn any_draft(&mut self) -> Option<lockgate_core::name::Tag> {
        let is_draft = |release: &&Arc<Release>| release.status == ReleaseStatus::Draft && !release.built;
        let has_build = |release: &&Arc<Release>| release.workflows.contains_key("build");
        let drafts = self.state.releases.values().filter(is_draft).filter(has_build);
        let drafts: Vec<_> = drafts.map(|release| release.tag.clone()).collect();
        self.rng.choice(drafts)
    }

    fn any_environment(&mut self) -> lockgate_core::name::Name {
        name(if self.rng.u8(..5) < 2 { "staging" } else { "prod" })
    }

    // ---- what happens by itself ----

    fn happen(&mut self) {
        match self.rng.u8(..100) {
            0..24 => self.start_call(),
            24..48 => self.perform_call(),
            48..74 => self.deliver(),
            74..76 => drop(self.mail.pop()),
            76..90 => self.pass_time(),
            90..93 => self.tick_if_due(),
            93..96 => self.outside.edit_behind_the_back(&mut self.rng),
            96.. => self.restart(),
        }
    }

    fn start_call(&mut self) {
        let waiting =
            |due: &Due| !self.calls.contains_key(&due.call) && !self.mail.iter().any(|(call, ..)| *call == due.call);
        let due: Vec<Due> = self.state.due().into_iter().filter(waiting).collect();
        let Some(due) = self.rng.choice(due) else { return };
        let order = order(&self.state, &due).expect("what is due has an order");
        self.book.expect_started(due.call, &order.context.idempotency_key);
        self.calls.insert(due.call, (due, Box::new(order)));
    }

    fn perform_call(&mut self) {
        let calls: Vec<CallRef> = self.calls.keys().copied().collect();
        let Some(call) = self.rng.choice(calls) else { return };
        let Some((due, order)) = self.calls.remove(&call) else { return };
        let answer = self.perform(&due, &order);
        self.mail.push((call, effect(&due, &order), answer));
    }

    fn perform(&mut self, due: &Due, order: &Order) -> Answer {
        self.book.expect_may_act(due, order);
        self.outside.perform(&mut self.rng, due, order)
    }

    fn deliver(&mut self) {
        if self.mail.is_empty() {
            return;
        }
        let at = self.rng.usize(..self.mail.len());
        let (call, effect, answer) = self.mail[at].clone();
        if self.rng.u8(..8) > 0 {
            self.mail.remove(at);
        }
        if self.send(Command::Report { call, answer }) > 0 {
            self.just_reported = Some(effect);
        }
    }

    fn pass_time(&mut self) {
        self.clock_ms += match self.rng.u8(..100) {
            0..60 => self.rng.i64(0..2_000),
            60..94 => self.rng.i64(0..20_000),
            94..97 => self.rng.i64(0..600_000),
            97..99 => -self.rng.i64(0..100_000),
            // A host that was down for a day, and whose clocks were set meanwhile.
            99.. => self.rng.i64(0..30 * HOUR as i64),
        };
        self.tick_if_due();
    }

    fn tick_if_due(&mut self) {
        if self.state.wake_at().is_some_and(|at| at.0 <= self.clock_ms) {
            self.send(Command::Tick);
            let now = self.clock_ms.max(self.state.last_event_at.0);
            assert!(self.state.wake_at().is_none_or(|at| at.0 > now), "woken, and at once to be woken again");
        }
    }

    /// The host goes down; what it has on disk is all that is left.
    fn restart(&mut self) {
        self.count_cuts();
        self.counts.restarts += 1;
        self.calls.clear();
        // An answer of the old host may still arrive, when another one took over.
        let survives = self.rng.u8(..4) == 0;
        self.mail.retain(|_| survives);
        let (mut rebuilt, from) = match self.rng.u8(..10) {
            0 => (State::new(self.state.project.clone()), 0),
            _ if self.writes => (self.index.read(), self.index.events),
            _ => (self.index.taken.clone(), self.index.events),
        };
        // Who replays forgets as it goes, at moments of its own.
        let forgets = self.rng.bool();
        for event in &self.journal[from..] {
            rebuilt.apply(event).expect("a replay has all that an event speaks of");
            if let What::Deployment { number, change: Change::Finished { .. } } = &event.what
                && forgets
                && self.rng.u8(..4) > 0
            {
                let attempt = rebuilt.deployments[number].attempt.number;
                rebuilt.forget(*number, attempt);
            }
        }
        self.forget_what_one_of_them_forgot(&mut rebuilt);
        assert!(rebuilt == self.state, "the journal does not lead back to the state");
        assert_eq!(rebuilt.due(), self.state.due());
        self.state = rebuilt;
        self.index.take(&self.state, self.journal.len());
        self.just_reported = None;
    }

    fn written<T: Clone + Serialize + DeserializeOwned>(&self, value: &T) -> T {
        if self.writes { serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap() } else { value.clone() }
    }

    /// When a finished deployment is forgotten is nobody's promise: both states keep those that neither has forgotten.
    fn forget_what_one_of_them_forgot(&mut self, rebuilt: &mut State) {
        let finished = |state: &State| {
            let over = state.deployments.values().filter(|deployment| deployment.is_finished()).cloned();
            over.collect::<Vec<_>>()
        };
        for deployment in finished(rebuilt) {
            if !self.state.deployments.contains_key(&deployment.number) {
                rebuilt.forget(deployment.number, deployment.attempt.number);
            }
        }
        for deployment in finished(&self.state) {
            if !rebuilt.deployments.contains_key(&deployment.number) {
                self.state.forget(deployment.number, deployment.attempt.number);
                self.store.entry(deployment.number).or_default().push(deployment);
            }
        }
    }

    fn count_cuts(&mut self) {
        let mut cut = |effect, cut| *self.counts.cuts.entry((effect, cut)).or_default() += 1;
        if let Some(reported) = self.just_reported {
            cut(reported, Cut::AfterReport);
        }
        for due in self.state.due() {
            let order = order(&self.state, &due).expect("what is due has an order");
            let under_way = self.calls.contains_key(&due.call) || self.mail.iter().any(|(call, ..)| *call == due.call);
            cut(effect(&due, &order), if under_way { Cut::BeforeReport } else { Cut::BeforeStart });
        }
    }

    // ---- one turn ----

    /// Returns how many events followed.
    fn send(&mut self, command: Command) -> usize {
        self.just_reported = None;
        self.counts.turns += 1;
        let gates = approved_gates();
        match handle(&self.state, command, Surroundings { now: Timestamp(self.clock_ms), gates: &gates }) {
            Ok(events) => {
                self.commit(&events);
                events.len()
            }
            Err(rejection) => {
                *self.counts.refusals.entry(kind_of(&rejection)).or_default() += 1;
                0
            }
        }
    }

    fn commit(&mut self, events: &[Event]) {
        for event in events {
            let read = self.written(event);
            assert!(read == *event, "an event reads back as it was written");
            self.state.apply(&read).unwrap();
            self.book.note(&read);
            self.book.note_health(&self.state);
            for variant in variants_of(&read) {
                *self.counts.events.entry(variant).or_default() += 1;
            }
            self.journal.push(read);
        }
        let asleep = self.state.wake_at().is_none_or(|at| at.0 > self.clock_ms);
        let now = if asleep { self.clock_ms.max(self.state.last_event_at.0) } else { self.state.last_event_at.0 };
        self.book.check(&self.state, events, Timestamp(now));
        self.outside.check(&self.state, events);
        self.count_statuses(events);
        self.stop_calls_that_are_not_due();
    }

    fn count_statuses(&mut self, events: &[Event]) {
        let number = |event: &Event| match &event.what {
            What::DeploymentQueued(queued) => Some(queued.number),
            What::Deployment { number, .. } => Some(*number),
            _ => None,
        };
        self.counts.deployments = self.state.last_number;
        let mut touched: Vec<_> = events.iter().filter_map(number).collect();
        touched.dedup();
        for deployment in touched.iter().filter_map(|number| self.state.deployments.get(number)) {
            *self.counts.statuses.entry(deployment.status_text()).or_default() += 1;
        }
    }

    /// The host stops them. Sometimes that is too late, and the effect happens all the same.
    fn stop_calls_that_are_not_due(&mut self) {
        let due = self.state.due();
        let stopped = |call: &CallRef| !due.iter().any(|due| due.call == *call);
        let stopped: Vec<CallRef> = self.calls.keys().copied().filter(stopped).collect();
        for call in stopped {
            let Some((due, order)) = self.calls.remove(&call) else { continue };
            if self.rng.u8(..4) == 0 && self.book.holds_slot(call) {
                self.outside.perform(&mut self.rng, &due, &order);
            }
        }
    }

    // ---- the end ----

    /// Everything answers, everyone approves, nothing is paused, time goes by: now every deployment must come to its
    /// end, but for those whose release nobody brings where it has to be first.
    fn drain(&mut self) {
        self.outside.is_kind = true;
        self.mail.clear();
        for environment in ["prod", "staging"].map(name) {
            let (reason, by) = (String::new(), person("olga"));
            self.send(Command::Pause { scope: PauseScope::Schedule(environment.clone()), reason, by: by.clone() });
            self.send(Command::Resume { scope: PauseScope::Environment(environment), by });
        }
        self.send(Command::Resume { scope: PauseScope::Project, by: person("olga") });
        for _ in 0..MOST_DRAIN_ROUNDS {
            while !self.state.due().is_empty() {
                let before = self.journal.len();
                self.start_call();
                self.perform_call();
                self.deliver();
                if self.journal.len() == before && self.calls.is_empty() && self.mail.is_empty() {
                    panic!("a call is due that cannot be answered");
                }
            }
            let waits_for_good = |deployment: &Deployment| match &deployment.attempt.stage {
                Stage::Held(Hold { because: HoldReason::Requires { .. }, until }) => until.is_none(),
                _ => false,
            };
            let mut waiting = self.state.deployments.values().filter(|deployment| !deployment.is_finished());
            let waiting = waiting.find(|deployment| !waits_for_good(deployment)).map(|deployment| deployment.number);
            let Some(waiting) = waiting else { return };
            let mut answered = 0;
            for number in self.asking().collect::<Vec<_>>() {
                let by = member(&format!("stranger-{}", self.rng.u32(..)), &["security", "dba"]);
                answered +=
                    self.send(Command::Approve { number, plan: None, comment: String::new(), not_before: None, by });
            }
            if answered == 0 && self.state.due().is_empty() {
                let wake_at = self.state.wake_at().unwrap_or_else(|| panic!("{waiting} waits for nothing"));
                self.clock_ms = self.clock_ms.max(wake_at.0);
                self.tick_if_due();
            }
        }
        panic!("a kind world, and deployments that do not end");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let tail = self.journal.len().saturating_sub(25);
            let lines: Vec<String> =
                self.journal[tail..].iter().map(|event| serde_json::to_string(event).unwrap()).collect();
            eprintln!("seed {}, after {} turns; the last events:\n{}", self.seed, self.counts.turns, lines.join("\n"));
        }
    }
}

fn effect(due: &Due, order: &Order) -> Effect {
    let applies = matches!(order.question, lockgate_core::order::Question::Apply { .. });
    match due.step {
        Step::Observe(_) => Effect::Observe,
        Step::Plan(_) => Effect::Plan,
        Step::Confirm(_) => Effect::Confirm,
        Step::Run(_) if applies => Effect::Apply,
        Step::Run(_) => Effect::RunPhase,
        Step::Cancel(_) => Effect::Cancel,
        Step::Undo(_) => Effect::Undo,
        Step::Gate { .. } => Effect::Gate,
    }
}

fn kind_of(rejection: &Rejection) -> String {
    format!("{rejection:?}").split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
