//! What the events say, kept without the state: who holds a slot, who signed what, what was confirmed and called.
//!
//! Each rule of the core is checked twice here: when an event breaks it, and when the state disagrees.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use lockgate_core::change::{Change, GatesChange, PhaseChange};
use lockgate_core::definition::{ApprovalPolicy, ApprovalRule, Definition, Environment};
use lockgate_core::deployment::{Attempt, Deployment, DeploymentType, Finish, GateVerdict, GatesEnd};
use lockgate_core::digest::Digest;
use lockgate_core::name::{Actor, DeploymentNumber, Name, Tag};
use lockgate_core::order::{Order, Question};
use lockgate_core::plugin::{Planned, ResourceChange};
use lockgate_core::release::Release;
use lockgate_core::state::{Due, Event, State, What};
use lockgate_core::work::{Answer, CallRef, Step};

#[derive(Default)]
pub struct Book {
    definition: Arc<Definition>,
    releases: BTreeMap<Tag, Arc<Release>>,
    /// In the order in which they should get their turn.
    queues: BTreeMap<Name, VecDeque<DeploymentNumber>>,
    holders: BTreeMap<Name, DeploymentNumber>,
    pages: BTreeMap<DeploymentNumber, Page>,
    started: BTreeMap<CallRef, String>,
    answered: BTreeSet<CallRef>,
    /// Attempts that are over, as they were when they ended.
    finished: BTreeMap<(DeploymentNumber, u32), Attempt>,
    last_event_at: i64,
}

/// What is known about one deployment, mostly about its present attempt.
struct Page {
    place: Name,
    release: Arc<Release>,
    deployment_type: DeploymentType,
    triggered_by: Actor,
    attempt: u32,
    started_by: Actor,
    environment: Arc<Environment>,
    finished: Option<Finish>,
    begun: bool,
    /// The digest that people were last asked about, and who agreed.
    asked: Option<(Digest, Vec<Actor>)>,
    refused: bool,
    approved: Option<Digest>,
    /// Digest of each target's plan, by phase, and what the plan said.
    plans: BTreeMap<usize, Digest>,
    meaning: BTreeMap<(usize, Digest), Vec<ResourceChange>>,
    /// The last plan that a target answered, by phase.
    answered: BTreeMap<usize, Planned>,
    /// Since the last approval, and not yet applied.
    confirmed: BTreeSet<usize>,
    green: BTreeMap<usize, bool>,
    gates_passed: bool,
}

impl Book {
    // ---- what events say ----

    pub fn note(&mut self, event: &Event) {
        assert!(event.at.0 >= self.last_event_at, "time runs backward");
        self.last_event_at = event.at.0;
        match &event.what {
            What::DefinitionChanged { definition, .. } => self.definition = definition.clone(),
            What::ReleaseCreated { release } => {
                let other = self.releases.insert(release.tag.clone(), release.clone());
                assert!(other.is_none(), "a release is made twice");
            }
            What::DeploymentQueued(queued) => {
                let page = Page {
                    place: queued.environment.clone(),
                    release: self.releases[&queued.release].clone(),
                    deployment_type: queued.deployment_type,
                    triggered_by: queued.by.clone(),
                    attempt: 1,
                    started_by: queued.by.clone(),
                    environment: self.definition.environments[&queued.environment].clone(),
                    finished: None,
                    begun: false,
                    asked: None,
                    refused: false,
                    approved: None,
                    plans: BTreeMap::new(),
                    meaning: BTreeMap::new(),
                    answered: BTreeMap::new(),
                    confirmed: BTreeSet::new(),
                    green: BTreeMap::new(),
                    gates_passed: false,
                };
                assert!(self.pages.insert(queued.number, page).is_none(), "a number is given twice");
                self.enqueue(queued.number);
            }
            What::Deployment { number, change } => self.note_change(*number, change),
            What::CurrentChanged { environment, deployment, .. }
            | What::CurrentRestored { environment, deployment } => {
                assert_eq!(self.holders.get(environment), Some(deployment), "current is changed without the slot");
            }
            What::LiveChanged { environment, .. } => {
                let page = self.holders.get(environment).and_then(|number| self.pages.get(number));
                let page = page.expect("live is changed without the slot");
                assert!(page.gates_passed || page.environment.post_gates.is_none(), "live without its gates");
            }
            What::ReleaseActivated { .. }
            | What::ReleaseAbandoned { .. }
            | What::ReleaseBuilt { .. }
            | What::Paused { .. }
            | What::Resumed { .. }
            | What::Environment { .. }
            | What::DebtReviewed { .. }
            | What::DeploymentReopened { .. } => {}
        }
    }

    fn enqueue(&mut self, number: DeploymentNumber) {
        let page = &self.pages[&number];
        let queue = self.queues.entry(page.place.clone()).or_default();
        match page.deployment_type {
            DeploymentType::Rollback => queue.push_front(number),
            _ => queue.push_back(number),
        }
    }

    fn note_change(&mut self, number: DeploymentNumber, change: &Change) {
        let page = self.pages.get_mut(&number).expect("a deployment is queued first");
        let place = page.place.clone();
        match change {
            Change::AttemptQueued { attempt, resume_at, by, environment, .. } => {
                assert!(page.finished.take().is_some(), "tried again before it was over");
                assert_eq!(*attempt, page.attempt + 1);
                (page.attempt, page.started_by, page.environment) = (*attempt, by.clone(), environment.clone());
                (page.begun, page.approved, page.gates_passed) = (false, None, false);
                page.plans.retain(|phase, _| resume_at.is_some_and(|resume_at| *phase < resume_at));
                page.confirmed.clear();
                if resume_at.is_none() {
                    page.asked = None;
                }
                self.enqueue(number);
                return;
            }
            Change::SlotTaken => {
                let queue = self.queues.entry(place.clone()).or_default();
                assert_eq!(queue.pop_front(), Some(number), "not its turn");
                assert_eq!(self.holders.insert(place, number), None, "two hold one slot");
                return;
            }
            Change::Finished { finish, .. } => {
                assert_eq!(page.finished.replace(*finish), None, "finished twice");
                if self.holders.get(&place) == Some(&number) {
                    self.holders.remove(&place);
                } else {
                    self.queues.entry(place).or_default().retain(|waiting| *waiting != number);
                }
                return;
            }
            Change::CancelRequested { .. } | Change::StopForced { .. } => {}
            _ => assert_eq!(self.holders.get(&place), Some(&number), "{change:?} without the slot"),
        }
        assert_eq!(page.finished, None, "{change:?} after the end");
        match change {
            Change::CallStarted { call, key, .. } => {
                let reference = CallRef { deployment: number, attempt: page.attempt, call: *call };
                assert!(self.started.insert(reference, key.clone()).is_none(), "a call number is used twice");
            }
            Change::CallAnswered { step, call, answer } => {
                let reference = CallRef { deployment: number, attempt: page.attempt, call: *call };
                assert!(self.started.contains_key(&reference), "an answer to a call that was never started");
                assert!(self.answered.insert(reference), "a call is answered twice");
                page.note_answer(*step, answer);
            }
            _ => page.note(change),
        }
    }

    // ---- what the world asks ----

    /// Nothing is called that was not committed, and under no other key.
    pub fn expect_started(&self, call: CallRef, key: &str) {
        assert_eq!(self.started.get(&call).map(String::as_str), Some(key), "called before it was committed");
        assert!(!self.answered.contains(&call), "called again after it was answered");
    }

    pub fn holds_slot(&self, call: CallRef) -> bool {
        let page = &self.pages[&call.deployment];
        page.attempt == call.attempt && self.holders.get(&page.place) == Some(&call.deployment)
    }

    /// What is about to happen outside may happen: it is this deployment's turn, and people agreed to just this.
    pub fn expect_may_act(&self, due: &Due, order: &Order) {
        let page = &self.pages[&due.call.deployment];
        assert!(self.holds_slot(due.call), "acts without the slot");
        if let (Step::Run(phase), Question::Apply { approved, .. }) = (due.step, &order.question) {
            assert_eq!(page.approved, Some(page.plan_digest()), "applies what was not approved");
            assert_eq!(Some(&approved.planned), page.answered.get(&phase), "applies what was not confirmed");
            assert_eq!(page.plans.get(&phase), Some(&approved.digest));
        }
    }

    // ---- what the state must agree with ----

    pub fn check(&mut self, state: &State, events: &[Event]) {
        self.check_ends(state, events);
        self.check_order(state);
        self.check_nothing_is_stuck(state);
        for due in state.due() {
            assert!(
                self.started.contains_key(&due.call) && !self.answered.contains(&due.call),
                "{due:?} was not committed"
            );
        }
        for (tag, made) in &self.releases {
            let now = &state.releases[tag];
            let kept = Release { status: now.status, was_live: now.was_live, ..Release::clone(made) };
            assert!(Arc::ptr_eq(now, made) || **now == kept, "{tag} has changed");
        }
        let earliest = state.deployments.values().filter_map(|deployment| deployment.wake_at()).min();
        assert_eq!(state.wake_at(), earliest, "the timers do not fit the deployments");
    }

    fn check_ends(&mut self, state: &State, events: &[Event]) {
        for (at, event) in events.iter().enumerate() {
            match &event.what {
                What::Deployment { number, change: Change::Finished { .. } } => {
                    let page = &self.pages[number];
                    // It may have been tried again in the same batch only if somebody asked; nobody does here.
                    let attempt = state.deployments[number].attempt.clone();
                    let before = self.finished.insert((*number, page.attempt), attempt);
                    assert!(before.is_none(), "finished twice");
                }
                What::LiveChanged { environment, live, .. } => {
                    let good = |finish: &Finish| matches!(finish, Finish::Succeeded | Finish::PartiallySucceeded);
                    let ends = |event: &Event| match &event.what {
                        What::Deployment { number, change: Change::Finished { finish, .. } } if good(finish) => {
                            Some(*number)
                        }
                        _ => None,
                    };
                    let end = events[at..].iter().find_map(ends).expect("live changes only with a success");
                    assert_eq!(&self.pages[&end].place, environment);
                    assert!(live.as_ref().is_none_or(|live| live.deployment == end));
                }
                _ => {}
            }
        }
        for deployment in state.deployments.values() {
            for earlier in &deployment.earlier {
                let then = &self.finished[&(deployment.number, earlier.number)];
                assert_eq!(then.summary().as_ref(), Some(earlier), "of {}", deployment.number);
            }
            let attempt = &deployment.attempt;
            if deployment.is_finished() {
                let then = &self.finished[&(deployment.number, attempt.number)];
                assert!(then == attempt, "attempt {} of {} changed after its end", attempt.number, deployment.number);
            }
        }
    }

    fn check_order(&self, state: &State) {
        for (name, there) in &state.environments {
            let waiting: Vec<_> = there.queue.iter().copied().collect();
            let expected: Vec<_> = self.queues.get(name).into_iter().flatten().copied().collect();
            assert_eq!(waiting, expected, "the queue of {name}");
            let slots: Vec<_> = there.slots.iter().copied().collect();
            assert_eq!(slots, self.holders.get(name).copied().into_iter().collect::<Vec<_>>(), "the slot of {name}");
        }
        let holders: BTreeSet<_> = self.holders.values().copied().collect();
        assert_eq!(state.running.iter().copied().collect::<BTreeSet<_>>(), holders);
    }

    fn check_nothing_is_stuck(&self, state: &State) {
        for (name, queue) in &self.queues {
            assert!(queue.is_empty() || self.holders.contains_key(name), "{name} is free, and {queue:?} wait");
        }
        for number in self.holders.values() {
            let deployment: &Deployment = &state.deployments[number];
            assert!(
                !deployment.due().is_empty() || deployment.wake_at().is_some(),
                "{number} holds a slot and waits for nothing: {}",
                deployment.status_text()
            );
        }
    }
}

impl Page {
    fn note_answer(&mut self, step: Step, answer: &Answer) {
        if let (Step::Plan(phase) | Step::Confirm(phase), Answer::Planned(made)) = (step, answer)
            && made.done
        {
            self.answered.insert(phase, made.planned.clone());
        }
    }

    fn note(&mut self, change: &Change) {
        match change {
            Change::Overtaken { phase } => {
                assert!(!self.begun, "starts over in the middle");
                self.plans.retain(|planned, _| planned < phase);
            }
            Change::TargetPlanned { phase, digest } => self.take_plan(*phase, *digest),
            Change::Drifted { phase, digest, difference } => {
                assert_ne!(self.plans.get(phase), Some(digest), "no drift at all");
                assert!(!difference.is_empty(), "a drift that nobody could judge");
                self.take_plan(*phase, *digest);
                self.confirmed.clear();
            }
            Change::ApprovalRequested { approval, .. } => {
                assert_eq!(approval.plan_digest, self.plan_digest());
                (self.asked, self.refused) = (Some((approval.plan_digest, Vec::new())), false);
            }
            Change::Approved { by, .. } => {
                let (_, given) = self.asked.as_mut().expect("nobody was asked");
                assert!(given.iter().all(|earlier| earlier.person != by.by.person), "one person counts twice");
                given.push(by.by.clone());
            }
            Change::Refused { .. } => self.refused = true,
            Change::ApprovalCompleted { plan_digest, .. } => {
                assert_eq!(*plan_digest, self.plan_digest(), "what is approved is not the plan");
                assert!(self.may_go_on(*plan_digest), "approved without the people it takes");
                self.approved = Some(*plan_digest);
                self.confirmed.clear();
            }
            Change::Confirmed { phase } => {
                self.take_plan(*phase, self.plans[phase]);
                self.confirmed.insert(*phase);
            }
            Change::FoundStale { phase } => assert!(!self.confirmed.contains(phase)),
            Change::Phase { phase, change: PhaseChange::Started { .. } } => {
                self.begun = true;
                if self.plans.contains_key(phase) {
                    assert_eq!(self.approved, Some(self.plan_digest()), "starts what was not approved");
                    assert!(self.confirmed.remove(phase), "starts what was not confirmed after the approval");
                }
            }
            Change::Phase { change: PhaseChange::UndoStarted { .. }, .. } => self.begun = true,
            Change::Gates { change, .. } => self.note_gates(change),
            _ => {}
        }
    }

    fn note_gates(&mut self, change: &GatesChange) {
        match change {
            GatesChange::Started { .. } => self.begun = true,
            GatesChange::RoundStarted { .. } => self.green.clear(),
            GatesChange::Judged { gate, outcome } => {
                self.green.insert(*gate, outcome.outcome == GateVerdict::Pass);
            }
            GatesChange::Ended { end: GatesEnd::Passed { .. } } => {
                let gates = self.environment.post_gates.as_ref().map_or(0, |set| set.gates.len());
                assert!(
                    self.green.len() == gates && self.green.values().all(|green| *green),
                    "passed without being green"
                );
                self.gates_passed = true;
            }
            GatesChange::RoundEnded { .. }
            | GatesChange::Ignored { .. }
            | GatesChange::Ended { end: GatesEnd::Failed { .. } } => {}
        }
    }

    /// Two plans with one digest say the same.
    fn take_plan(&mut self, phase: usize, digest: Digest) {
        let mut changes = self.answered[&phase].changes.clone();
        changes.sort();
        let meant = self.meaning.entry((phase, digest)).or_insert_with(|| changes.clone());
        assert_eq!(*meant, changes, "one digest, two plans");
        self.plans.insert(phase, digest);
    }

    fn plan_digest(&self) -> Digest {
        let digests: Vec<String> = self.plans.values().map(Digest::to_string).collect();
        Digest::of_parts(digests.iter().map(String::as_bytes))
    }

    /// Tries everyone on every seat.
    fn may_go_on(&self, plan_digest: Digest) -> bool {
        let policy: &ApprovalPolicy = match self.deployment_type {
            DeploymentType::Rollback => &self.environment.rollback_approvals,
            _ => &self.environment.approvals,
        };
        if policy.rules.is_empty() {
            return true;
        }
        let own = [&self.release.created_by, &self.triggered_by, &self.started_by].map(|actor| &actor.person);
        let may_count = |by: &&Actor| !policy.not_your_own || !own.contains(&&by.person);
        let Some((asked, given)) = &self.asked else { return false };
        let given: Vec<&Actor> = given.iter().filter(may_count).collect();
        let seats: Vec<&ApprovalRule> =
            policy.rules.iter().flat_map(|rule| std::iter::repeat_n(rule, rule.count as usize)).collect();
        *asked == plan_digest && !self.refused && seated(&seats, &given)
    }
}

fn seated(seats: &[&ApprovalRule], people: &[&Actor]) -> bool {
    let Some((seat, rest)) = seats.split_first() else { return true };
    (0..people.len()).any(|at| {
        let fits = seat.groups.is_empty() || !seat.groups.is_disjoint(&people[at].groups);
        let others: Vec<&Actor> =
            people.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, by)| *by).collect();
        fits && seated(rest, &others)
    })
}
