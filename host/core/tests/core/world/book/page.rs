//! One deployment, and mostly its present attempt: what was planned, approved, judged and done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lockgate_core::calendar::FreezeEffect;
use lockgate_core::change::{Change, GatesChange, PhaseChange};
use lockgate_core::definition::{
    ApprovalOrder, ApprovalPolicy, ApprovalRule, Definition, Environment, GateSet, OnFailure, PhaseWork, Reaction,
    Workflow,
};
use lockgate_core::deployment::{Approval, DeploymentType, Finish, GateVerdict, GatesEnd, Signature, TargetPlan};
use lockgate_core::digest::Digest;
use lockgate_core::name::{Actor, Name, Timestamp};
use lockgate_core::plugin::{ChangeAction, Planned, ResourceChange};
use lockgate_core::release::Release;
use lockgate_core::selection::Selection;
use lockgate_core::state::Queued;
use lockgate_core::work::{Answer, GatesOf, Side, Step};

pub struct Page {
    pub place: Name,
    pub release: Arc<Release>,
    pub deployment_type: DeploymentType,
    workflow: Name,
    selections: Vec<Selection>,
    allow_destructive: bool,
    triggered_by: Actor,
    pub glass_broken: bool,
    /// The more, the later it got in line.
    pub arrived: u64,
    pub queued_at: Timestamp,
    pub attempt: u32,
    started_by: Actor,
    pub environment: Arc<Environment>,
    approvals_off: bool,
    /// A way back to what was live and healthy here.
    pub is_proven: bool,
    pub finished: Option<Finish>,
    pub begun: bool,
    begun_at: Option<Timestamp>,
    /// It failed, or was told to stop: nothing new is begun.
    pub is_going_down: bool,
    /// By somebody who wants it to stay as it is.
    pub is_cancelled: bool,
    began: BTreeSet<usize>,
    undone: BTreeSet<usize>,
    pub held_until: Option<Timestamp>,
    /// Counts what happens to it, to tell before from after.
    steps: u64,
    asked: BTreeMap<Side, Asked>,
    approved: Option<Digest>,
    accepted: bool,
    not_before: Option<Timestamp>,
    /// Digest of each target's plan, by phase, and what the plan said.
    plans: BTreeMap<usize, Digest>,
    meaning: BTreeMap<(usize, Digest), Vec<ResourceChange>>,
    /// The last plan that a target answered, by phase.
    answered: BTreeMap<usize, Planned>,
    /// Since the last approval, and not yet applied.
    confirmed: BTreeSet<usize>,
    gates: BTreeMap<GatesOf, Gates>,
    phases: BTreeMap<usize, Phase>,
    /// Who waits for a person may go on, or not.
    answers: BTreeMap<usize, bool>,
}

/// What people were last asked about, and what they said.
struct Asked {
    digest: Digest,
    policy: ApprovalPolicy,
    deadline: Timestamp,
    given: Vec<Signature>,
    refused: bool,
    step: u64,
    is_open: bool,
}

#[derive(Default)]
struct Gates {
    green: BTreeMap<usize, bool>,
    valid_until: BTreeMap<usize, Timestamp>,
    ignored: BTreeSet<usize>,
    green_since: Option<Timestamp>,
    judged_at: Option<Timestamp>,
    end: Option<(GatesEnd, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Running,
    Succeeded,
    Failed,
    Canceled,
    Skipped,
}

/// Whom freezes ask for beside the environment's own people.
pub fn stricter(definition: &Definition, page: &Page, now: Timestamp) -> Vec<ApprovalRule> {
    let nobody_to_ask = definition.approvals_off || definition.environments[&page.place].approvals_off;
    let exempt = page.is_proven || page.glass_broken || nobody_to_ask;
    let freezes = definition.freezes.iter().filter(|freeze| freeze.concerns(&page.place) && freeze.covers(now));
    let rules = freezes.flat_map(|freeze| match &freeze.effect {
        FreezeEffect::Stricter { rules } => rules.clone(),
        FreezeEffect::Deny => Vec::new(),
    });
    rules.filter(|_| !exempt).collect()
}

impl Page {
    pub fn new(queued: &Queued, release: Arc<Release>, environment: Arc<Environment>, off: bool) -> Self {
        Self {
            place: queued.environment.clone(),
            release,
            deployment_type: queued.deployment_type,
            workflow: queued.workflow.clone(),
            selections: queued.selections.clone(),
            allow_destructive: queued.flags.allow_destructive,
            triggered_by: queued.by.clone(),
            glass_broken: false,
            arrived: 0,
            queued_at: Timestamp::default(),
            attempt: 1,
            started_by: queued.by.clone(),
            approvals_off: off || environment.approvals_off,
            is_proven: false,
            environment,
            finished: None,
            begun: false,
            begun_at: None,
            is_going_down: false,
            is_cancelled: false,
            began: BTreeSet::new(),
            undone: BTreeSet::new(),
            held_until: queued.hold.as_ref().and_then(|hold| hold.until),
            steps: 0,
            asked: BTreeMap::new(),
            approved: None,
            accepted: false,
            not_before: None,
            plans: BTreeMap::new(),
            meaning: BTreeMap::new(),
            answered: BTreeMap::new(),
            confirmed: BTreeSet::new(),
            gates: BTreeMap::new(),
            phases: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    pub fn again(&mut self, attempt: u32, resume_at: Option<usize>, by: &Actor, meant: &Arc<Environment>, off: bool) {
        assert!(self.finished.take().is_some(), "tried again before it was over");
        assert_eq!(attempt, self.attempt + 1);
        (self.attempt, self.started_by, self.environment) = (attempt, by.clone(), meant.clone());
        self.approvals_off = off || meant.approvals_off;
        (self.begun, self.begun_at, self.is_going_down) = (false, None, false);
        self.is_cancelled = false;
        self.began.clear();
        self.undone.clear();
        (self.approved, self.accepted, self.not_before) = (None, false, None);
        (self.held_until, self.glass_broken) = (None, false);
        let is_kept = |phase: &usize| resume_at.is_some_and(|resume_at| *phase < resume_at);
        self.plans.retain(|phase, _| is_kept(phase));
        self.phases.retain(|phase, _| is_kept(phase));
        self.confirmed.clear();
        self.gates.clear();
        self.answers.clear();
        self.asked.remove(&Side::Post);
        if resume_at.is_none() {
            self.asked.clear();
        }
        self.asked.values_mut().for_each(|asked| asked.is_open = false);
    }

    // ---- what it is ----

    pub fn workflow(&self) -> &Workflow {
        &self.release.workflows[&self.workflow]
    }

    /// What it may change; `None`: everything.
    pub fn writes(&self) -> Option<(&[Selection], BTreeSet<&String>)> {
        if self.deployment_type != DeploymentType::Selective {
            return None;
        }
        let phases = &self.workflow().phases;
        let names_nothing = |work: &PhaseWork| matches!(work, PhaseWork::Plugin { .. });
        if phases.iter().any(|phase| phase.locks.is_none() && names_nothing(&phase.work)) {
            return None;
        }
        Some((&self.selections, phases.iter().filter_map(|phase| phase.locks.as_ref()).flatten().collect()))
    }

    pub fn is_like(&self, other: &Self) -> bool {
        let what = |page: &Self| (page.deployment_type, page.workflow.clone(), page.selections.clone());
        self.place == other.place && what(self) == what(other)
    }

    fn rules(&self, side: Side) -> Option<&ApprovalPolicy> {
        let policy = match (self.deployment_type, side) {
            (DeploymentType::Rollback, Side::Pre)
                if self.is_proven || !self.environment.rollback_approvals.rules.is_empty() =>
            {
                &self.environment.rollback_approvals
            }
            (DeploymentType::Rollback, Side::Post) => return None,
            (_, Side::Pre) => &self.environment.approvals,
            (_, Side::Post) => &self.environment.post_approvals,
        };
        (!self.approvals_off && !policy.rules.is_empty()).then_some(policy)
    }

    pub fn asks_anybody(&self) -> bool {
        self.rules(Side::Pre).or(self.rules(Side::Post)).is_some()
    }

    fn order(&self, side: Side) -> ApprovalOrder {
        self.rules(side).map(|policy| policy.order).unwrap_or_default()
    }

    fn set(&self, of: GatesOf) -> Option<&GateSet> {
        match of {
            GatesOf::Pre => self.environment.pre_gates.as_ref(),
            GatesOf::Post => self.environment.post_gates.as_ref(),
            GatesOf::Phase(phase) => match &self.workflow().phases[phase].work {
                PhaseWork::Gates(set) => Some(set),
                _ => None,
            },
        }
    }

    fn is_apply(&self, phase: usize) -> bool {
        matches!(self.workflow().phases[phase].work, PhaseWork::Apply { .. })
    }

    pub fn may_time_out(&self, now: Timestamp) -> bool {
        let is_accepted = self.asked.contains_key(&Side::Post);
        let limit = self.begun_at.zip(self.workflow().timeout_ms).filter(|_| !is_accepted);
        let unanswered = self
            .asked
            .values()
            .any(|asked| asked.is_open && asked.deadline <= now && asked.policy.on_timeout == Reaction::Cancel);
        unanswered || limit.is_some_and(|(begun_at, timeout_ms)| begun_at.plus_ms(timeout_ms) <= now)
    }

    // ---- what happens to it ----

    pub fn note_answer(&mut self, step: Step, answer: &Answer) {
        if let (Step::Plan(phase) | Step::Confirm(phase), Answer::Planned(made)) = (step, answer)
            && made.done
        {
            self.answered.insert(phase, made.planned.clone());
        }
    }

    /// What was confirmed ages while it waits.
    pub fn confirm_again(&mut self) {
        self.confirmed.clear();
    }

    pub fn note(&mut self, change: &Change, stricter: &[ApprovalRule], at: Timestamp) {
        self.steps += 1;
        match change {
            Change::Overtaken { phase } => {
                assert!(!self.begun, "starts over in the middle");
                self.plans.retain(|planned, _| planned < phase);
                self.phases.retain(|done, _| done < phase);
            }
            Change::TargetPlanned { phase, digest } => self.take_plan(*phase, *digest),
            Change::Drifted { phase, digest, difference } => {
                assert_ne!(self.plans.get(phase), Some(digest), "no drift at all");
                assert!(!difference.is_empty(), "a drift that nobody could judge");
                self.take_plan(*phase, *digest);
                self.confirmed.clear();
            }
            Change::ApprovalRequested { side, approval } => self.ask(*side, approval, stricter, at),
            Change::Approved { side, by } => {
                let given = &mut self.asked.get_mut(side).expect("nobody was asked").given;
                assert!(given.iter().all(|earlier| earlier.by.person != by.by.person), "one person counts twice");
                given.push(by.clone());
            }
            Change::Refused { side, .. } => self.asked.get_mut(side).expect("nobody was asked").refused = true,
            Change::ApprovalCompleted { side, plan_digest, not_before, skipped } => {
                assert_eq!(*plan_digest, self.plan_digest(), "what is approved is not the plan");
                match skipped {
                    None => assert!(self.may_go_on(*side, stricter), "approved without the people it takes"),
                    Some(_) => assert!(self.may_skip(*side, at), "skipped, and nobody said that it may be"),
                }
                if let Some(asked) = self.asked.get_mut(side) {
                    asked.is_open = false;
                }
                match side {
                    Side::Post => self.accepted = true,
                    Side::Pre => (self.approved, self.not_before) = (Some(*plan_digest), *not_before),
                }
                self.confirmed.clear();
            }
            Change::Confirmed { phase } => {
                self.take_plan(*phase, self.plans[phase]);
                self.confirmed.insert(*phase);
            }
            Change::FoundStale { phase } => {
                assert!(!self.confirmed.contains(phase));
                assert_eq!(self.phases.remove(phase), Some(Phase::Running));
            }
            Change::Phase { phase, change } => self.note_phase(*phase, change, at),
            Change::Gates { of, change } => self.note_gates(*of, change, at),
            Change::Failed { .. } => self.is_going_down = true,
            _ => {}
        }
    }

    /// Whoever is asked is who should be, by now.
    pub fn check_asked(&self, stricter: &[ApprovalRule]) {
        let Some(asked) = self.asked.get(&Side::Pre).filter(|asked| asked.is_open && self.finished.is_none()) else {
            return;
        };
        assert_eq!(asked.policy.rules, self.rules_with(Side::Pre, stricter), "asks whom a freeze asked that is over");
    }

    fn rules_with(&self, side: Side, stricter: &[ApprovalRule]) -> Vec<ApprovalRule> {
        let own = self.rules(side).map_or(&[][..], |policy| &policy.rules);
        own.iter().chain(stricter.iter().filter(|_| side == Side::Pre)).cloned().collect()
    }

    fn ask(&mut self, side: Side, approval: &Approval, stricter: &[ApprovalRule], at: Timestamp) {
        assert_eq!(approval.plan_digest, self.plan_digest());
        let rules = self.rules_with(side, stricter);
        assert_eq!(approval.policy.rules, rules, "others are asked than should be");
        let earlier = self.asked.get(&side).filter(|earlier| earlier.digest == approval.plan_digest);
        let agreed = earlier.map_or(&[][..], |earlier| &earlier.given);
        assert!(approval.given.iter().all(|given| agreed.contains(given)), "a signature that nobody gave");

        let after_gates = side == Side::Post || self.order(side) != ApprovalOrder::Usual;
        let goes_on = earlier.is_some_and(|earlier| earlier.is_open);
        let knew = goes_on || !self.gates_failed(side);
        assert!(approval.given.is_empty() || knew, "nobody who agreed knew of the gates");
        let same = earlier.filter(|earlier| earlier.is_open && earlier.policy.rules == rules);
        let deadline = same.map_or(at.plus_ms(approval.policy.timeout_ms), |earlier| earlier.deadline);
        assert_eq!(approval.deadline, deadline, "the same people have the same time, and others all of it");
        if after_gates && !goes_on && !(side == Side::Pre && self.begun) {
            self.expect_gates(side, at, true);
        }
        if side == Side::Post {
            self.begin(at);
        }
        let asked = Asked {
            digest: approval.plan_digest,
            policy: approval.policy.clone(),
            deadline: approval.deadline,
            given: approval.given.clone(),
            refused: false,
            step: self.steps,
            is_open: true,
        };
        self.asked.insert(side, asked);
    }

    fn note_phase(&mut self, phase: usize, change: &PhaseChange, at: Timestamp) {
        let result = match change {
            PhaseChange::Started { .. } => {
                self.start(phase, at);
                Phase::Running
            }
            PhaseChange::Answered { intervention } => {
                let PhaseWork::Manual { groups, .. } = &self.workflow().phases[phase].work else {
                    panic!("an answer that nobody asked for")
                };
                assert!(groups.is_empty() || !groups.is_disjoint(&intervention.by.by.groups), "nobody who was asked");
                self.answers.insert(phase, intervention.proceeds);
                return;
            }
            PhaseChange::Succeeded => {
                self.expect_may_succeed(phase, at);
                Phase::Succeeded
            }
            PhaseChange::Failed { fails_attempt, .. } => {
                let goes_on = self.workflow().phases[phase].continue_on_error;
                // A drift that people refuse fails the attempt, whatever the workflow says of the phase's own failures.
                let ran = self.phases.contains_key(&phase);
                assert!(!ran || *fails_attempt != (goes_on || self.is_going_down), "of {phase}");
                self.is_going_down |= *fails_attempt;
                Phase::Failed
            }
            PhaseChange::Canceled => Phase::Canceled,
            PhaseChange::Skipped => Phase::Skipped,
            PhaseChange::UndoStarted { .. } => {
                assert!(self.is_going_down, "undoes what did not fail");
                self.begin(at);
                return;
            }
            PhaseChange::UndoEnded { .. } => {
                self.undone.insert(phase);
                return;
            }
            PhaseChange::CancelStarted { .. } => return,
        };
        self.phases.insert(phase, result);
    }

    fn start(&mut self, phase: usize, at: Timestamp) {
        let meant = &self.workflow().phases[phase];
        if self.is_going_down {
            assert!(meant.always_run && !self.is_apply(phase), "started on the way down");
        } else {
            self.expect_may_start(at);
        }
        let group = meant.group.clone();
        for earlier in 0..phase {
            let same = group.is_some() && self.workflow().phases[earlier..phase].iter().all(|p| p.group == group);
            let is_over = self.phases.get(&earlier).is_some_and(|result| *result != Phase::Running);
            assert!(same || is_over, "{phase} starts before {earlier} is over");
        }
        if self.is_apply(phase) {
            assert_eq!(self.approved, Some(self.plan_digest()), "starts what was not approved");
            assert!(self.confirmed.remove(&phase), "starts what was not confirmed after the approval");
            self.expect_plan_is_allowed();
            self.began.insert(phase);
        }
        self.begin(at);
    }

    fn begin(&mut self, at: Timestamp) {
        self.begun = true;
        self.begun_at.get_or_insert(at);
    }

    fn expect_may_start(&self, at: Timestamp) {
        assert_eq!(self.approved, Some(self.plan_digest()), "starts what was not approved");
        if !self.begun {
            assert!(self.not_before.is_none_or(|until| until <= at), "started before the time it was approved for");
            self.expect_gates(Side::Pre, at, self.order(Side::Pre) == ApprovalOrder::AfterGatesAlways);
            if self.gates_failed(Side::Pre) {
                self.expect_overruled(Side::Pre);
            }
        }
    }

    /// The gates of a side have had their time; they passed, and that still holds, unless a person may overrule them.
    fn expect_gates(&self, side: Side, at: Timestamp, also_failed: bool) {
        let of = GatesOf::from(side);
        if self.set(of).is_none() {
            return;
        }
        let end = self.gates.get(&of).and_then(|gates| gates.end.as_ref()).map(|(end, _)| end);
        match end.expect("its gates are not over") {
            GatesEnd::Passed { valid_until } if side == Side::Pre => {
                assert!(valid_until.is_none_or(|until| at < until), "goes on with a verdict that has lapsed");
            }
            GatesEnd::Passed { .. } => {}
            GatesEnd::Failed { .. } => {
                let always = self.order(side) == ApprovalOrder::AfterGatesAlways;
                assert!(also_failed && always, "goes on although its gates failed");
            }
        }
    }

    fn gates_failed(&self, side: Side) -> bool {
        let end = self.gates.get(&side.into()).and_then(|gates| gates.end.as_ref());
        end.is_some_and(|(end, _)| matches!(end, GatesEnd::Failed { .. }))
    }

    /// Somebody was asked after they failed, and agreed.
    fn expect_overruled(&self, side: Side) {
        let failed_at = self.gates[&side.into()].end.as_ref().map(|(_, step)| *step);
        let asked = self.asked.get(&side).filter(|asked| !asked.is_open).map(|asked| asked.step);
        assert!(asked > failed_at, "gates failed, and nobody who knew it agreed");
    }

    fn expect_may_succeed(&self, phase: usize, at: Timestamp) {
        assert_eq!(self.phases.get(&phase), Some(&Phase::Running), "{phase} did not run");
        if self.set(GatesOf::Phase(phase)).is_some() {
            self.expect_green(GatesOf::Phase(phase), at);
        }
        if let PhaseWork::Manual { .. } = self.workflow().phases[phase].work {
            assert_eq!(self.answers.get(&phase), Some(&true), "went on, and nobody let it");
        }
    }

    pub fn expect_may_apply(&self, phase: usize, approved: &TargetPlan) {
        assert_eq!(self.approved, Some(self.plan_digest()), "applies what was not approved");
        assert_eq!(Some(&approved.planned), self.answered.get(&phase), "applies what was not confirmed");
        assert_eq!(self.plans.get(&phase), Some(&approved.digest));
    }

    /// Within what was selected, and nothing goes that nobody allowed.
    fn expect_plan_is_allowed(&self) {
        for (phase, digest) in &self.plans {
            if self.phases.get(phase).is_some_and(|result| *result != Phase::Running) {
                continue;
            }
            for change in &self.meaning[&(*phase, *digest)] {
                let selected = self.selections.iter().any(|selection| selection.covers(change));
                let changes = change.action != ChangeAction::NoOp;
                assert!(
                    self.deployment_type != DeploymentType::Selective || selected || !changes,
                    "applies what was not selected"
                );
                let may = self.allow_destructive || self.deployment_type == DeploymentType::Rollback;
                assert!(may || change.action != ChangeAction::Delete, "takes away what it may not");
            }
        }
    }

    fn note_gates(&mut self, of: GatesOf, change: &GatesChange, at: Timestamp) {
        if let GatesChange::Started { .. } = change {
            match of {
                GatesOf::Pre if self.order(Side::Pre) == ApprovalOrder::Usual => {
                    assert_eq!(self.approved, Some(self.plan_digest()), "gates before people");
                }
                GatesOf::Pre => {}
                GatesOf::Post => self.begin(at),
                GatesOf::Phase(phase) => {
                    self.start(phase, at);
                    self.phases.insert(phase, Phase::Running);
                }
            }
            self.gates.insert(of, Gates::default());
            return;
        }
        let steps = self.steps;
        let gates = self.gates.get_mut(&of).expect("gates start first");
        match change {
            GatesChange::Started { .. } => {}
            GatesChange::RoundStarted { .. } => {
                gates.green.clear();
                gates.valid_until.clear();
            }
            GatesChange::Judged { gate, outcome } => {
                gates.green.insert(*gate, outcome.outcome == GateVerdict::Pass);
                gates.valid_until.extend(outcome.valid_until.map(|until| (*gate, until)));
                gates.judged_at = gates.judged_at.max(Some(outcome.at));
            }
            GatesChange::RoundEnded { .. } => {
                let green = gates.green.iter().all(|(gate, green)| *green || gates.ignored.contains(gate));
                gates.green_since = green.then(|| gates.green_since.unwrap_or(at));
            }
            GatesChange::Ignored { gate, .. } => drop(gates.ignored.insert(*gate)),
            GatesChange::Ended { end } => {
                gates.end = Some((end.clone(), steps));
                if let GatesEnd::Passed { .. } = end {
                    self.expect_green(of, at);
                }
            }
        }
    }

    /// All of them, in the last round, for long enough, and none has lapsed.
    fn expect_green(&self, of: GatesOf, at: Timestamp) {
        let (gates, set) = (&self.gates[&of], self.set(of).expect("it has gates"));
        for gate in (0..set.gates.len()).filter(|gate| !gates.ignored.contains(gate)) {
            assert_eq!(gates.green.get(&gate), Some(&true), "passed without being green");
            assert!(gates.valid_until.get(&gate).is_none_or(|until| at < *until), "passed when it had lapsed");
        }
        let since = gates.green_since.expect("passed without a green round");
        let seen = if gates.ignored.len() == set.gates.len() { Some(at) } else { gates.judged_at };
        let steady_ms = seen.unwrap_or(at).ms_since(since);
        assert!(steady_ms >= set.steady_ms, "passed after {steady_ms} ms");
    }

    /// They were asked, and whatever follows from no answer has followed; or they had agreed before.
    pub fn expect_freezes_asked(&self, stricter: &[ApprovalRule]) {
        if stricter.is_empty() {
            return;
        }
        let own = self.rules(Side::Pre).map_or(&[][..], |policy| &policy.rules);
        let mut needed: Vec<&ApprovalRule> = own.iter().chain(stricter).collect();
        let asked = self.asked.get(&Side::Pre).expect("a freeze asks for people, and nobody was asked");
        for rule in &asked.policy.rules {
            needed.iter().position(|needed| *needed == rule).map(|at| needed.remove(at));
        }
        assert!(needed.is_empty() || self.may_go_on(Side::Pre, stricter), "begins without the people of a freeze");
    }

    /// Whether it ended well.
    pub fn finish(&mut self, finish: Finish, at: Timestamp) -> bool {
        assert_eq!(self.finished.replace(finish), None, "finished twice");
        let ended_well = matches!(finish, Finish::Succeeded | Finish::PartiallySucceeded);
        if !ended_well {
            let is_half_applied = self.began.difference(&self.undone).next().is_some();
            let undoes = self.workflow().on_failure == OnFailure::Undo && !self.is_cancelled;
            assert!(!(undoes && is_half_applied), "what it began is neither undone nor said to be there");
            return false;
        }
        for (index, meant) in self.workflow().phases.iter().enumerate() {
            match self.phases.get(&index) {
                Some(Phase::Succeeded) => {}
                Some(Phase::Failed) => {
                    assert!(meant.continue_on_error && finish == Finish::PartiallySucceeded, "{index} failed");
                }
                other => panic!("succeeded, and {} is {other:?}", meant.name),
            }
        }
        self.expect_gates(Side::Post, at, true);
        if self.gates_failed(Side::Post) {
            self.expect_overruled(Side::Post);
        }
        assert!(self.accepted || self.rules(Side::Post).is_none(), "done before people agreed");
        true
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

    /// Asked now, or in an earlier attempt about the same plan; tries everyone on every seat.
    fn may_go_on(&self, side: Side, stricter: &[ApprovalRule]) -> bool {
        let rules = self.rules_with(side, stricter);
        if rules.is_empty() {
            return true;
        }
        let Some(asked) = self.asked.get(&side) else { return false };
        let not_your_own = match self.rules(side) {
            Some(policy) => policy.not_your_own,
            None => asked.policy.not_your_own,
        };
        let own = [&self.release.created_by, &self.triggered_by, &self.started_by].map(|actor| &actor.person);
        let may_count =
            |by: &&Actor| !not_your_own || !(own.contains(&&by.person) || self.release.involved.contains(&by.person));
        let given: Vec<&Actor> = asked.given.iter().map(|signature| &signature.by).filter(may_count).collect();
        let seats: Vec<&ApprovalRule> =
            rules.iter().flat_map(|rule| std::iter::repeat_n(rule, rule.count as usize)).collect();
        asked.digest == self.plan_digest() && !asked.refused && seated(&seats, &given)
    }

    fn may_skip(&self, side: Side, at: Timestamp) -> bool {
        let Some(asked) = self.asked.get(&side).filter(|asked| asked.is_open) else { return false };
        (asked.refused && asked.policy.on_reject == Reaction::Skip)
            || (asked.deadline <= at && asked.policy.on_timeout == Reaction::Skip)
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
