//! What plugins reach: targets with versioned resources, and a ledger of every effect by its idempotency key.

use std::collections::BTreeMap;

use fastrand::Rng;
use lockgate_core::change::Change;
use lockgate_core::deployment::{DeploymentType, Finish, PhaseResult, PhaseRun};
use lockgate_core::name::DeploymentNumber;
use lockgate_core::order::{Order, Question};
use lockgate_core::plugin::{ChangeAction, Decision, FieldChange, Planned, ResourceChange};
use lockgate_core::state::{Due, Event, State, What};
use lockgate_core::work::{Answer, Step};
use serde_json::json;

use crate::words::*;

#[derive(Default)]
pub struct Outside {
    /// Everything works, and nobody else writes.
    pub is_kind: bool,
    targets: BTreeMap<Place, Target>,
    /// What each key did, at most once, and what was answered to it.
    ledger: BTreeMap<String, (Unit, Answer)>,
    /// The one key under which a piece of work may take effect.
    keys: BTreeMap<Unit, String>,
    /// Answers `plan-stale` that were given: an apply that is asked for again after one is another piece of work.
    stale: BTreeMap<(DeploymentNumber, u32), usize>,
}

/// Environment and target.
type Place = (String, String);

#[derive(Default)]
struct Target {
    /// Rises with everything that writes here.
    revision: u64,
    versions: BTreeMap<&'static str, String>,
    applied_by: Option<DeploymentNumber>,
    /// As it was before a deployment began to apply.
    before: BTreeMap<DeploymentNumber, (BTreeMap<&'static str, String>, Option<DeploymentNumber>)>,
}

/// A piece of work as the plugin sees it: what was asked for, and how far it had come.
type Unit = (DeploymentNumber, u32, Step, Vec<u8>, usize);

const FILES: [&str; 2] = ["a", "b"];

impl Outside {
    pub fn edit_behind_the_back(&mut self, rng: &mut Rng) {
        let places: Vec<Place> = self.targets.keys().cloned().collect();
        let Some(target) = rng.choice(places).and_then(|place| self.targets.get_mut(&place)) else { return };
        target.revision += 1;
        // Sometimes only the revision moves: the same plan, another token.
        if rng.u8(..3) > 0 {
            let file = FILES[rng.usize(..FILES.len())];
            target.versions.insert(file, format!("edited-{}", rng.u8(..)));
        }
    }

    pub fn perform(&mut self, rng: &mut Rng, due: &Due, order: &Order) -> Answer {
        let place = (order.context.environment.clone(), order.config["folder"].as_str().unwrap_or_default().to_owned());
        if let Some(mishap) = self.mishap(rng, due) {
            return mishap;
        }
        let answer = match &order.question {
            Question::Plan { cursor } => return self.plan(rng, place, order, cursor),
            Question::Observe => return Answer::Observed(Vec::new()),
            Question::Sample { memo } => return self.sample(rng, memo),
            Question::Apply { approved, cursor } => {
                self.once(due, order, cursor, |outside| outside.apply(rng, place, due, &approved.planned, cursor))
            }
            Question::Undo { cursor, .. } => self.once(due, order, cursor, |outside| outside.undo(place, due)),
            Question::Advance { cursor } => self.once(due, order, cursor, |_| Some(advance(rng, cursor))),
            Question::Cancel { cursor } => self.once(due, order, cursor, |_| Some(done())),
        };
        // It happened, but the answer says that nobody knows.
        if !self.is_kind && rng.u8(..10) == 0 { stumbles("connection lost") } else { answer }
    }

    /// Nothing happens outside, and the answer is no.
    fn mishap(&mut self, rng: &mut Rng, due: &Due) -> Option<Answer> {
        if self.is_kind {
            return None;
        }
        match rng.u8(..100) {
            0..6 => Some(stumbles("unavailable")),
            6..11 => Some(fails("broken")),
            11..13 => Some(fails_with("locked")),
            13 => Some(match due.step {
                Step::Observe(_) | Step::Plan(_) | Step::Confirm(_) => done(),
                Step::Run(_) | Step::Cancel(_) | Step::Undo(_) | Step::Gate { .. } => plan(&[]),
            }),
            14.. => None,
        }
    }

    /// A plugin that keeps its promise: the same key again is answered again, and does nothing again.
    /// What cannot be done because the plan is stale leaves no trace.
    fn once(
        &mut self,
        due: &Due,
        order: &Order,
        cursor: &[u8],
        act: impl FnOnce(&mut Self) -> Option<Answer>,
    ) -> Answer {
        let key = order.context.idempotency_key.clone();
        let of_attempt = (due.call.deployment, due.call.attempt);
        let stale = self.stale.get(&of_attempt).copied().unwrap_or(0);
        if let Some((unit, answer)) = self.ledger.get(&key) {
            let asked = (of_attempt.0, of_attempt.1, due.step, cursor.to_vec());
            assert_eq!((unit.0, unit.1, unit.2, unit.3.clone()), asked, "one key for two pieces of work");
            return answer.clone();
        }
        let unit = (of_attempt.0, of_attempt.1, due.step, cursor.to_vec(), stale);
        let Some(answer) = act(self) else {
            *self.stale.entry(of_attempt).or_default() += 1;
            return fails_with("plan-stale");
        };
        let other = self.keys.insert(unit.clone(), key.clone());
        assert_eq!(other, None, "{unit:?} takes effect a second time, under another key");
        self.ledger.insert(key, (unit, answer.clone()));
        answer
    }

    fn plan(&mut self, rng: &mut Rng, place: Place, order: &Order, cursor: &[u8]) -> Answer {
        if cursor.is_empty() && !self.is_kind && rng.u8(..6) == 0 {
            let Answer::Planned(mut step) = planned(Vec::new(), json!(null)) else { unreachable!() };
            (step.done, step.cursor, step.poll_after_ms) = (false, vec![1], rng.u32(..2) * 1_000);
            return Answer::Planned(step);
        }
        let target = self.targets.entry(place).or_default();
        let meant = order.subject["release"]["tag"].as_str().unwrap_or_default();
        let destroys = order.subject["type"] == "DESTROY";
        let changes = FILES.iter().filter_map(|file| match (target.versions.get(file), destroys) {
            (Some(_), true) => Some(change(file, ChangeAction::Delete)),
            (None, true) => None,
            (Some(version), false) if version == meant => None,
            (version, false) => Some(update(file, version.map_or("", String::as_str), meant)),
        });
        planned(changes.collect(), json!(target.revision))
    }

    /// `None`: the world has moved since the plan was made.
    fn apply(&mut self, rng: &mut Rng, place: Place, due: &Due, approved: &Planned, cursor: &[u8]) -> Option<Answer> {
        let target = self.targets.entry(place).or_default();
        if cursor.is_empty() && approved.token != json!(target.revision) {
            return None;
        }
        target.before.entry(due.call.deployment).or_insert_with(|| (target.versions.clone(), target.applied_by));
        target.applied_by = Some(due.call.deployment);
        target.revision += 1;
        let all = rng.bool();
        let now = |change: &&ResourceChange| all || (change.name == "a") == cursor.is_empty();
        for change in approved.changes.iter().filter(now) {
            let file = FILES.iter().find(|file| **file == change.name).expect("only files were planned");
            match change.fields.first() {
                Some(field) => drop(target.versions.insert(file, field.after.clone())),
                None => drop(target.versions.remove(file)),
            }
        }
        Some(if all || !cursor.is_empty() { done() } else { progressed(1) })
    }

    fn undo(&mut self, place: Place, due: &Due) -> Option<Answer> {
        let target = self.targets.entry(place).or_default();
        target.revision += 1;
        if let Some(before) = target.before.remove(&due.call.deployment) {
            (target.versions, target.applied_by) = before;
        }
        Some(done())
    }

    fn sample(&self, rng: &mut Rng, memo: &[u8]) -> Answer {
        match rng.u8(..10) {
            _ if self.is_kind => passes(),
            0..3 => verdict(Decision::Fail, "9% errors"),
            3 => verdict(Decision::Inconclusive, "no traffic"),
            4 if memo.is_empty() => Answer::Sampled { memo: vec![1], poll_after_ms: 1_000, verdict: None },
            _ => passes(),
        }
    }

    /// What is called live is what is there: every target of the workflow was last written by this deployment.
    pub fn check(&self, state: &State, events: &[Event]) {
        for (place, event) in events.iter().enumerate() {
            let What::Deployment { number, change: Change::Finished { finish, .. } } = &event.what else { continue };
            let Some(deployment) = state.deployments.get(number) else { continue };
            let succeeded = matches!(finish, Finish::Succeeded | Finish::PartiallySucceeded);
            let failed = |run: &PhaseRun| matches!(run.result, PhaseResult::Failed(_));
            let mut phases = deployment.attempt.phases.iter().enumerate();
            let is_half_applied = phases.any(|(index, run)| deployment.is_apply(index) && failed(run));
            let live = succeeded && deployment.workflow().goes_live && !is_half_applied;
            for (index, run) in deployment.attempt.phases.iter().enumerate() {
                let Some(target) = deployment.target_of(index) else { continue };
                if live && run.result == PhaseResult::Succeeded {
                    let folder = target.config["folder"].as_str().unwrap_or_default().to_owned();
                    let target = &self.targets[&(deployment.environment.to_string(), folder)];
                    assert_eq!(target.applied_by, Some(*number), "{} is live, but something else is there", run.name);
                }
            }
            if live && deployment.deployment_type == DeploymentType::Destroy {
                // Another deployment may go live in the same turn, after it.
                let became = events[..place].iter().rev().find_map(|event| match &event.what {
                    What::LiveChanged { environment, live, .. } if *environment == deployment.environment => Some(live),
                    _ => None,
                });
                assert_eq!(became, Some(&None), "destroyed, and still called live");
            }
        }
    }
}

fn advance(rng: &mut Rng, cursor: &[u8]) -> Answer {
    let came = cursor.first().copied().unwrap_or(0);
    if came >= 2 || rng.u8(..3) > 0 {
        return done();
    }
    let Answer::Progressed(mut step) = progressed(came + 1) else { unreachable!() };
    step.poll_after_ms = rng.u32(..3) * 1_000;
    Answer::Progressed(step)
}

fn update(file: &str, before: &str, after: &str) -> ResourceChange {
    let field = FieldChange {
        path: "version".to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
        sensitive: false,
        fingerprint: String::new(),
    };
    ResourceChange { fields: vec![field], ..change(file, ChangeAction::Update) }
}
