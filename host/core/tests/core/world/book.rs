//! What the events say, kept without the state: who waits and who holds a slot, who signed what, what was confirmed,
//! judged and called.
//!
//! Each rule of the core is checked twice here: when an event breaks it, and when the state disagrees.

mod page;
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_core::calendar::{Opening, opening};
use lockgate_core::change::Change;
use lockgate_core::definition::{Definition, QueuePolicy, WorkflowStage};
use lockgate_core::deployment::{Attempt, Cause, Deployment, DeploymentType, Finish, HoldReason, Stage};
use lockgate_core::environment::{EnvironmentChange, PauseOf, TickOutcome};
use lockgate_core::name::{DeploymentNumber, Name, Tag, Timestamp};
use lockgate_core::order::{Order, Question};
use lockgate_core::release::{Release, ReleaseStatus};
use lockgate_core::state::{Due, Event, Queued, State, What};
use lockgate_core::work::{CallRef, Step};

use self::page::Page;
use self::place::Place;

#[derive(Default)]
pub struct Book {
    definition: Arc<Definition>,
    releases: BTreeMap<Tag, Arc<Release>>,
    places: BTreeMap<Name, Place>,
    paused: bool,
    pages: BTreeMap<DeploymentNumber, Page>,
    /// Rises with everybody who gets in line.
    arrivals: u64,
    /// Who broke the glass, and nobody has looked at it yet.
    debts: BTreeMap<DeploymentNumber, String>,
    started: BTreeMap<CallRef, String>,
    answered: BTreeSet<CallRef>,
    /// Attempts that are over, as they were when they ended.
    finished: BTreeMap<(DeploymentNumber, u32), Attempt>,
    last_event_at: Timestamp,
}

impl Book {
    // ---- what events say ----

    pub fn note(&mut self, event: &Event) {
        assert!(event.at >= self.last_event_at, "time runs backward");
        self.last_event_at = event.at;
        match &event.what {
            What::DefinitionChanged { definition, .. } => {
                let is_gone = |(name, _): &(&Name, &Place)| !definition.environments.contains_key(*name);
                let gone = self.places.iter().filter(is_gone).find(|(_, place)| place.leaves_something());
                assert!(gone.is_none(), "{:?} is removed, and something is left there", gone.map(|(name, _)| name));
                self.definition = definition.clone();
            }
            What::ReleaseCreated { release } => {
                let other = self.releases.insert(release.tag.clone(), release.clone());
                assert!(other.is_none_or(|other| other.status == ReleaseStatus::Draft), "a release is made twice");
            }
            What::DraftEdited { release, by } => {
                let draft =
                    self.releases.insert(release.tag.clone(), release.clone()).expect("what was edited is there");
                assert!(draft.status == ReleaseStatus::Draft && !draft.built);
                let edited = Release {
                    workflows: release.workflows.clone(),
                    endpoints: release.endpoints.clone(),
                    plugins: release.plugins.clone(),
                    involved: draft.involved.iter().cloned().chain([by.person.clone()]).collect(),
                    edited_by: Some(by.person.clone()),
                    ..Release::clone(&draft)
                };
                assert_eq!(**release, edited, "something else of the draft has changed");
            }
            What::ReleaseActivated { tag, .. } => self.change_release(tag, |release| {
                assert_eq!(release.status, ReleaseStatus::Draft);
                release.status = ReleaseStatus::Active;
            }),
            What::ReleaseAbandoned { tag, .. } => self.change_release(tag, |release| {
                assert_ne!(release.status, ReleaseStatus::Abandoned);
                release.status = ReleaseStatus::Abandoned;
            }),
            What::ReleaseBuilt { tag, artifacts } => self.change_release(tag, |release| {
                assert!(release.status == ReleaseStatus::Draft && !release.built, "built when it was done");
                release.artifacts.extend(artifacts.iter().cloned());
                release.built = true;
            }),
            What::Paused { .. } => assert!(!std::mem::replace(&mut self.paused, true), "paused twice"),
            What::Resumed { .. } => assert!(std::mem::replace(&mut self.paused, false), "resumed twice"),
            What::Environment { environment, change } => self.note_environment(environment, change, event.at),
            What::DebtReviewed { number, by } => {
                let debt = self.debts.remove(number).expect("a review of nothing");
                assert_ne!(debt, by.by.person, "reviewed by whoever broke the glass");
            }
            What::DeploymentQueued(queued) => self.note_queued(queued),
            What::Deployment { number, change } => self.note_change(*number, change),
            What::CurrentChanged { environment, deployment, .. }
            | What::CurrentRestored { environment, deployment } => {
                assert!(self.place(environment).holders.contains(deployment), "current is changed without the slot");
            }
            What::LiveChanged { environment, applications, live, .. } => {
                let live = live.as_ref();
                let is_active = |tag: &Tag| self.releases[tag].status == ReleaseStatus::Active;
                assert!(live.is_none_or(|live| is_active(&live.release)), "only what is active goes live");
                let place = self.places.entry(environment.clone()).or_default();
                assert!(!place.holders.is_empty(), "live is changed without the slot");
                assert!(live.is_none_or(|live| place.holders.contains(&live.deployment)));
                place.change_live(applications.as_ref(), live.map(|live| &live.release), event.at);
            }
            What::DeploymentReopened { .. } => {}
        }
    }

    /// How healthy an environment is only its targets know: asked after each event.
    pub fn note_health(&mut self, state: &State) {
        for (name, place) in &mut self.places {
            let is_healthy = state.environments.get(name).is_some_and(|there| there.is_healthy());
            place.note_health(is_healthy, self.last_event_at);
        }
    }

    fn change_release(&mut self, tag: &Tag, change: impl FnOnce(&mut Release)) {
        let release = self.releases.get_mut(tag).expect("a release is made first");
        change(Arc::make_mut(release));
    }

    fn place(&mut self, name: &Name) -> &mut Place {
        self.places.entry(name.clone()).or_default()
    }

    fn note_environment(&mut self, name: &Name, change: &EnvironmentChange, at: Timestamp) {
        let project_paused = self.paused;
        let place = self.place(name);
        match change {
            EnvironmentChange::Paused { of: PauseOf::Deployments, .. } => place.paused = true,
            EnvironmentChange::Resumed { of: PauseOf::Deployments, .. } => place.paused = false,
            EnvironmentChange::Paused { of: PauseOf::Schedule, .. } => place.schedule_paused = true,
            EnvironmentChange::Resumed { of: PauseOf::Schedule, .. } => place.schedule_paused = false,
            EnvironmentChange::TickPlanned { tick } => {
                assert!(tick.as_ref().is_none_or(|tick| tick.at > at), "a tick in the past");
                place.tick = tick.as_ref().map(|tick| tick.at);
            }
            EnvironmentChange::Ticked { tick } => {
                assert_eq!(place.tick, Some(tick.at), "a tick that was not planned");
                assert!(tick.at <= at, "a tick before its time");
                let paused = project_paused || place.paused || place.schedule_paused;
                match &tick.outcome {
                    TickOutcome::Deployed { .. } => assert!(!paused, "a pause starts nothing"),
                    TickOutcome::Dropped { .. } => {
                        let nobody = place.queue.is_empty() && place.holders.is_empty() && place.held.is_empty();
                        assert!(!nobody, "dropped, and nobody is there");
                    }
                    TickOutcome::Skipped { .. } => {}
                }
            }
            EnvironmentChange::PromotionHeld { .. } => place.promotion_held = true,
            EnvironmentChange::PromotionReleased { .. } => {
                assert!(std::mem::replace(&mut place.promotion_held, false), "nothing was held");
            }
            EnvironmentChange::PromotionHeldBack { .. } => assert!(place.promotion_held),
            EnvironmentChange::SetUp { fingerprint, .. } => place.is_set_up = fingerprint.is_some(),
            EnvironmentChange::ExpiryPlanned { at, by } => place.is_kept = at.is_none() && by.is_some(),
            EnvironmentChange::StateKept { namespace, key, entry } => {
                let before = place.kept.insert((namespace.clone(), key.clone()), entry.version).unwrap_or_default();
                assert_eq!(entry.version, before + 1, "somebody wrote in between");
            }
            EnvironmentChange::StateCleared { namespace, key, .. } => {
                let gone = |(of, kept): &(Name, String)| of == namespace && key.as_ref().is_none_or(|key| key == kept);
                let before = place.kept.len();
                place.kept.retain(|kept, _| !gone(kept));
                assert!(place.kept.len() < before, "there was nothing to clear");
                assert!(place.holders.is_empty(), "cleared under the hands of whoever has a slot");
            }
            EnvironmentChange::Expired { .. }
            | EnvironmentChange::Closed { .. }
            | EnvironmentChange::Opened
            | EnvironmentChange::PromotionRefused { .. } => {}
        }
    }

    fn note_queued(&mut self, queued: &Queued) {
        let release = self.releases[&queued.release].clone();
        let environment = self.definition.environments[&queued.environment].clone();
        let page = Page::new(queued, release, environment, self.definition.approvals_off);
        if queued.by.via.starts_with("promotion from") {
            assert!(!self.place(&queued.environment).promotion_held, "promoted in spite of a rollback");
        }
        let is_build = page.workflow().stage == WorkflowStage::Build;
        let expected = if is_build { ReleaseStatus::Draft } else { ReleaseStatus::Active };
        assert_eq!(page.release.status, expected, "a build is of a draft, and everything else of what is done");
        assert!(self.pages.insert(queued.number, page).is_none(), "a number is given twice");
        self.arrive(queued.number, queued.hold.is_some());
    }

    fn arrive(&mut self, number: DeploymentNumber, is_held: bool) {
        self.arrivals += 1;
        let page = self.pages.get_mut(&number).expect("it has a page");
        (page.arrived, page.queued_at) = (self.arrivals, self.last_event_at);
        let name = page.place.clone();
        self.expect_set_up(number);
        match is_held {
            true => drop(self.place(&name).held.insert(number)),
            false => self.enqueue(number),
        }
    }

    /// What patches comes after a setup, where its release has one.
    fn expect_set_up(&self, number: DeploymentNumber) {
        let page = &self.pages[&number];
        let patches = match page.deployment_type {
            DeploymentType::Full | DeploymentType::Selective => true,
            DeploymentType::Custom => page.workflow().stage == WorkflowStage::Patch,
            DeploymentType::Launch | DeploymentType::Destroy | DeploymentType::Rollback => false,
        };
        let needs_setup = page.release.workflows.values().any(|workflow| workflow.stage == WorkflowStage::Setup);
        let is_set_up = self.places.get(&page.place).is_some_and(|place| place.is_set_up);
        assert!(!(patches && needs_setup) || is_set_up, "{number} patches what was not set up");
    }

    /// A rollback goes to the head, and whatever somebody broke the glass for; everything else to the end.
    fn enqueue(&mut self, number: DeploymentNumber) {
        let page = &self.pages[&number];
        assert!(self.has_proven_itself(page), "{number} waits for its turn before its release may come here");
        let queue = &mut self.places.entry(page.place.clone()).or_default().queue;
        match page.deployment_type == DeploymentType::Rollback || page.glass_broken {
            true => queue.push_front(number),
            false => queue.push_back(number),
        }
    }

    fn has_proven_itself(&self, page: &Page) -> bool {
        let exempt = matches!(page.deployment_type, DeploymentType::Rollback | DeploymentType::Destroy);
        exempt
            || page.environment.requires.iter().all(|required| {
                let there = self.places.get(&required.environment);
                there.is_some_and(|there| there.has_lived(&page.release.tag, required.for_ms, self.last_event_at))
            })
    }

    /// What is healthy may have changed since, and with it how light a way back is.
    fn prove_again(&mut self) {
        for page in self.pages.values_mut().filter(|page| page.deployment_type == DeploymentType::Rollback) {
            page.is_proven = self.places.get(&page.place).is_some_and(|place| place.is_proven(&page.release.tag));
        }
    }

    fn note_change(&mut self, number: DeploymentNumber, change: &Change) {
        self.prove_again();
        let page = self.pages.get_mut(&number).expect("a deployment is queued first");
        let name = page.place.clone();
        let at = self.last_event_at;
        match change {
            Change::AttemptQueued { attempt, resume_at, by, environment, hold, .. } => {
                let off = self.definition.approvals_off;
                page.again(*attempt, *resume_at, by, environment, off);
                self.arrive(number, hold.is_some());
                return;
            }
            Change::Enqueued => {
                assert!(page.held_until.take().is_none_or(|until| until <= at), "before its time");
                assert!(self.place(&name).held.remove(&number), "{number} was not held");
                self.enqueue(number);
                return;
            }
            Change::Held { hold } => {
                page.held_until = hold.until.filter(|_| !matches!(hold.because, HoldReason::Requires { .. }));
                assert!(!page.begun, "put off in the middle");
                let place = self.place(&name);
                place.leave(number);
                place.held.insert(number);
                return;
            }
            Change::Superseded { by } => {
                assert!(self.may_supersede(*by, number), "{by} does not stand for {number}");
                return;
            }
            Change::GlassBroken { by } => {
                page.glass_broken = true;
                assert!(!page.begun, "only what has not begun needs it");
                let place = self.place(&name);
                if place.queue.contains(&number) {
                    place.queue.retain(|waiting| *waiting != number);
                    place.queue.push_front(number);
                } else {
                    assert!(place.holders.contains(&number), "only those that wait for a turn or for people need it");
                }
                self.debts.entry(number).or_insert(by.by.person.clone());
                return;
            }
            Change::SlotTaken => {
                assert_eq!(self.obstacle(number, at), None, "{number} takes a slot");
                self.expect_set_up(number);
                let place = self.place(&name);
                place.leave(number);
                assert!(place.holders.insert(number));
                return;
            }
            Change::SlotGivenUp => {
                assert!(!page.begun, "shut out in the middle");
                page.confirm_again();
                assert!(self.door(&self.pages[&number], at).is_some(), "{number} gives up its slot at an open door");
                let goes_first = |number: &DeploymentNumber| {
                    let page = &self.pages[number];
                    page.deployment_type == DeploymentType::Rollback || page.glass_broken
                };
                let before = self.places[&name].queue.iter().take_while(|waiting| goes_first(waiting)).count();
                let at = if goes_first(&number) { 0 } else { before };
                let place = self.place(&name);
                place.leave(number);
                place.queue.insert(at, number);
                return;
            }
            Change::Finished { finish } => {
                if page.finish(*finish, at) && !page.begun {
                    self.expect_may_begin(number, at);
                }
                self.place(&name).leave(number);
                return;
            }
            Change::CancelRequested { cancel } if cancel.cause == Cause::TimeLimit => {
                assert!(page.may_time_out(at), "out of time before its time");
                page.is_going_down = true;
            }
            Change::CancelRequested { .. } => (page.is_going_down, page.is_cancelled) = (true, true),
            Change::StopForced { .. } => page.is_cancelled = true,
            _ => {
                let holds = self.places.get(&name).is_some_and(|place| place.holders.contains(&number));
                assert!(holds, "{change:?} without the slot");
            }
        }
        let page = self.pages.get_mut(&number).expect("a deployment is queued first");
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
            _ => {
                let stricter = page::stricter(&self.definition, page, at);
                let begun = page.begun;
                page.note(change, &stricter, at);
                if page.begun && !begun && !page.is_going_down {
                    self.expect_may_begin(number, at);
                }
            }
        }
    }

    /// Pauses, windows and freezes as they are by now, and whom freezes ask for.
    fn expect_may_begin(&self, number: DeploymentNumber, at: Timestamp) {
        let page = &self.pages[&number];
        assert_eq!(self.door(page, at), None, "{number} begins behind a shut door");
        page.expect_freezes_asked(&page::stricter(&self.definition, page, at));
    }

    fn may_supersede(&self, newer: DeploymentNumber, older: DeploymentNumber) -> bool {
        let (newer_page, older_page) = (&self.pages[&newer], &self.pages[&older]);
        let waits = |number| {
            let place = &self.places[&older_page.place];
            place.held.contains(&number) || place.queue.contains(&number)
        };
        let latest = self.definition.environments[&older_page.place].queue == QueuePolicy::Latest;
        let counts = !matches!(older_page.deployment_type, DeploymentType::Rollback | DeploymentType::Custom);
        latest
            && counts
            && older_page.is_like(newer_page)
            && (older_page.arrived < newer_page.arrived || older_page.queued_at == newer_page.queued_at)
            && waits(newer)
            && waits(older)
    }

    // ---- whose turn it is ----

    /// The first thing that stands in the way of one that waits in the queue.
    fn obstacle(&self, number: DeploymentNumber, now: Timestamp) -> Option<String> {
        let page = &self.pages[&number];
        let place = &self.places[&page.place];
        if let Some(why) = self.door(page, now) {
            return Some(why);
        }
        if let Some(holder) = place.holders.iter().find(|holder| !self.side_by_side(page, &self.pages[holder])) {
            return Some(format!("{holder} has a slot"));
        }
        if self.most(page).is_some_and(|most| place.holders.len() >= most as usize) {
            return Some("no more side by side".to_owned());
        }
        let Some(at) = place.queue.iter().position(|waiting| *waiting == number) else {
            return Some("does not wait".to_owned());
        };
        let in_the_way = |ahead: &&DeploymentNumber| {
            let ahead = &self.pages[ahead];
            self.door(ahead, now).is_none() && !self.side_by_side(page, ahead)
        };
        place.queue.iter().take(at).find(in_the_way).map(|ahead| format!("{ahead} waits before it"))
    }

    fn door(&self, page: &Page, now: Timestamp) -> Option<String> {
        let place = &self.places[&page.place];
        let goes_back = page.deployment_type == DeploymentType::Rollback;
        if (self.paused || place.paused) && !goes_back {
            return Some("paused".to_owned());
        }
        let proven = goes_back && place.is_proven(&page.release.tag);
        if proven || page.glass_broken {
            return None;
        }
        let environment = &self.definition.environments[&page.place];
        let freezes = self.definition.freezes.iter().filter(|freeze| freeze.concerns(&page.place));
        let nobody_to_ask = self.definition.approvals_off || environment.approvals_off;
        if nobody_to_ask && freezes.clone().any(|freeze| freeze.covers(now)) {
            return Some("closed, and nobody to ask".to_owned());
        }
        match opening(now, &environment.availability, freezes) {
            Opening::Open { .. } => None,
            Opening::Closed { .. } => Some("closed".to_owned()),
        }
    }

    /// How many may go on beside each other where it is one of them.
    fn most(&self, page: &Page) -> Option<u32> {
        page.writes()?;
        let parallel = &self.definition.parallel;
        match self.definition.environments[&page.place].queue {
            QueuePolicy::Unlimited => Some(u32::MAX),
            QueuePolicy::Sequence | QueuePolicy::Latest => {
                (parallel.enabled && (parallel.with_approvals || !page.asks_anybody())).then_some(parallel.most)
            }
        }
    }

    fn side_by_side(&self, one: &Page, other: &Page) -> bool {
        self.most(one).is_some() && self.most(other).is_some() && place::disjoint(one, other)
    }

    // ---- what the world asks ----

    /// Nothing is called that was not committed, and under no other key.
    pub fn expect_started(&self, call: CallRef, key: &str) {
        assert_eq!(self.started.get(&call).map(String::as_str), Some(key), "called before it was committed");
        assert!(!self.answered.contains(&call), "called again after it was answered");
    }

    pub fn holds_slot(&self, call: CallRef) -> bool {
        let page = &self.pages[&call.deployment];
        page.attempt == call.attempt && self.places[&page.place].holders.contains(&call.deployment)
    }

    /// What is about to happen outside may happen: it is this deployment's turn, and people agreed to just this.
    pub fn expect_may_act(&self, due: &Due, order: &Order) {
        let page = &self.pages[&due.call.deployment];
        assert!(self.holds_slot(due.call), "acts without the slot");
        if let (Step::Run(phase), Question::Apply { approved, .. }) = (due.step, &order.question) {
            page.expect_may_apply(phase, approved);
        }
    }

    // ---- what the state must agree with ----

    /// At a time at which the core does not ask to be woken.
    pub fn check(&mut self, state: &State, events: &[Event], now: Timestamp) {
        self.prove_again();
        self.check_ends(state, events);
        self.check_order(state);
        self.check_nothing_is_stuck(state, now);
        for due in state.due() {
            assert!(
                self.started.contains_key(&due.call) && !self.answered.contains(&due.call),
                "{due:?} was not committed"
            );
        }
        for (tag, made) in &self.releases {
            let now = &state.releases[tag];
            let kept = Release { was_live: now.was_live, involved: now.involved.clone(), ..Release::clone(made) };
            assert!(Arc::ptr_eq(now, made) || **now == kept, "{tag} has changed");
        }
        assert!(state.debts.keys().eq(self.debts.keys()), "debts are forgotten");
        self.check_timers(state);
    }

    fn check_timers(&self, state: &State) {
        let of_deployments = state.deployments.values().filter_map(|deployment| deployment.wake_at());
        let of_environments = state.environments.values().flat_map(|there| {
            let opens = there.closed.as_ref().filter(|_| !there.queue.is_empty()).and_then(|closed| closed.until);
            opens.into_iter().chain(there.tick.as_ref().map(|tick| tick.at)).chain(there.expires_at)
        });
        let earliest = of_deployments.chain(of_environments).min();
        assert_eq!(state.wake_at(), earliest, "the timers do not fit what waits for them");
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

    fn check_order(&mut self, state: &State) {
        for (name, there) in &state.environments {
            self.place(name).has_begun = there.current.is_some() || !there.current_apart.is_empty();
        }
        let mut holders = BTreeSet::new();
        for (name, there) in &state.environments {
            let nowhere = Place::default();
            let place = self.places.get(name).unwrap_or(&nowhere);
            assert!(there.queue.iter().eq(&place.queue), "the queue of {name}");
            assert!(there.held.iter().eq(&place.held), "beside the queue of {name}");
            assert!(there.slots.iter().eq(&place.holders), "the slots of {name}");
            place.check_live(there);
            let is_ephemeral =
                self.definition.environments.get(name).is_some_and(|meant| meant.expires_after_ms.is_some());
            let tears_down = |number: &DeploymentNumber| self.pages[number].deployment_type == DeploymentType::Destroy;
            let ends = place.holders.iter().chain(&place.queue).any(tears_down);
            let may_stay = !is_ephemeral || place.is_kept || ends || !place.leaves_something();
            assert!(may_stay || there.expires_at.is_some(), "{name} is ephemeral, and what is there stays for ever");
            holders.extend(place.holders.iter().copied());
        }
        assert!(state.running.iter().eq(&holders));
    }

    fn check_nothing_is_stuck(&self, state: &State, now: Timestamp) {
        for place in self.places.values() {
            for number in &place.queue {
                assert!(self.obstacle(*number, now).is_some(), "nothing stands in the way of {number}, and it waits");
            }
            for number in place.held.iter() {
                self.check_held(&state.deployments[number]);
            }
            for number in &place.holders {
                let deployment: &Deployment = &state.deployments[number];
                self.pages[number].check_asked(&page::stricter(&self.definition, &self.pages[number], now));
                let waits = !deployment.due().is_empty() || deployment.wake_at().is_some();
                assert!(
                    waits || self.capacity_is_used(state, deployment),
                    "{number} holds a slot and waits for nothing: {}",
                    deployment.status_text()
                );
            }
        }
    }

    /// Its time comes by itself, or its release is not there yet.
    fn check_held(&self, deployment: &Deployment) {
        if deployment.wake_at().is_some() {
            return;
        }
        let page = &self.pages[&deployment.number];
        let missing = |required: &&lockgate_core::definition::Requirement| {
            let there = self.places.get(&required.environment);
            let is_well = there.is_some_and(|there| there.is_well(&page.release.tag));
            let tag = &page.release.tag;
            let long_ago = there.is_some_and(|there| !there.is_live(tag) && there.has_stayed(tag, required.for_ms));
            !(long_ago || is_well)
        };
        assert!(page.environment.requires.iter().any(|required| missing(&required)), "held for what is there");
    }

    fn capacity_is_used(&self, state: &State, deployment: &Deployment) -> bool {
        let Stage::AwaitingCapacity(_) = deployment.attempt.stage else { return false };
        let limits = &state.definition.limits;
        let busy = state.deployments.values().filter(|deployment| deployment.is_busy()).count();
        let calls = state.due().len();
        let waiting = state.awaiting_capacity.iter().take_while(|number| **number != deployment.number).count();
        limits.running.is_some_and(|most| busy + waiting >= most as usize)
            || limits.workers.is_some_and(|most| calls + waiting >= most as usize)
    }
}
