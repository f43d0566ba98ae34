//! What plugins reach: targets with versioned resources, and a ledger of every effect by its idempotency key.

use std::collections::BTreeMap;

use fastrand::Rng;
use lockgate_core::change::Change;
use lockgate_core::deployment::{DeploymentType, Finish, PhaseResult};
use lockgate_core::name::DeploymentNumber;
use lockgate_core::order::{Order, Question};
use lockgate_core::plugin::{ChangeAction, Decision, FieldChange, Health, Planned, ResourceChange, ResourceState};
use lockgate_core::selection::Selection;
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
    files: BTreeMap<&'static str, File>,
    /// As files were before a deployment began to write them; `None`: not there.
    before: BTreeMap<(DeploymentNumber, &'static str), Option<File>>,
}

#[derive(Clone)]
struct File {
    version: String,
    written_by: Option<DeploymentNumber>,
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
            if let Some(file) = target.files.get_mut(file) {
                file.version = format!("edited-{}", rng.u8(..));
            }
        }
    }

    pub fn perform(&mut self, rng: &mut Rng, due: &Due, order: &Order) -> Answer {
        let place = (order.context.environment.clone(), order.config["folder"].as_str().unwrap_or_default().to_owned());
        if let Some(mishap) = self.mishap(rng, due) {
            return mishap;
        }
        let answer = match &order.question {
            Question::Plan { cursor } => return self.plan(rng, place, order, cursor),
            Question::Observe => return self.observe(rng, place, order),
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
        let (subject, meant) = (subject(order), order.release.tag.as_str());
        let destroys = subject["type"] == "DESTROY";
        let changes = FILES.iter().filter_map(|file| {
            let change = match (target.files.get(file), destroys) {
                (Some(_), true) => change(file, ChangeAction::Delete),
                (None, true) => return None,
                (Some(File { version, .. }), false) if version == meant => change(file, ChangeAction::NoOp),
                (before, false) => update(file, before.map_or("", |file| &file.version), meant),
            };
            let application = subject["application"].as_str().unwrap_or_default().to_owned();
            Some(ResourceChange { application, ..change })
        });
        // Some targets do more than they were asked for.
        let disobeys = !self.is_kind && rng.u8(..12) == 0;
        let selections: Vec<Selection> = serde_json::from_value(subject["selections"].clone()).unwrap();
        let selected = |change: &ResourceChange| selections.iter().any(|selection| selection.covers(change));
        let changes = changes.filter(|change| disobeys || selections.is_empty() || selected(change));
        planned(changes.collect(), json!(target.revision))
    }

    fn observe(&self, rng: &mut Rng, place: Place, order: &Order) -> Answer {
        let seen = self.targets.get(&place).into_iter().flat_map(|target| &target.files).map(|(file, there)| {
            let healths = [Health::Healthy, Health::Healthy, Health::Degraded, Health::Unknown];
            ResourceState {
                application: subject(order)["application"].as_str().unwrap_or_default().to_owned(),
                kind: "file".to_owned(),
                name: (*file).to_owned(),
                version: there.version.clone(),
                artifact_uri: String::new(),
                weight_percent: 100,
                health: if self.is_kind { Health::Healthy } else { healths[rng.usize(..4)] },
                details: json!(null),
            }
        });
        Answer::Observed(seen.collect())
    }

    /// `None`: the world has moved since the plan was made.
    fn apply(&mut self, rng: &mut Rng, place: Place, due: &Due, approved: &Planned, cursor: &[u8]) -> Option<Answer> {
        let target = self.targets.entry(place).or_default();
        if cursor.is_empty() && approved.token != json!(target.revision) {
            return None;
        }
        let number = due.call.deployment;
        target.revision += 1;
        let all = rng.bool();
        let now = |change: &&ResourceChange| all || (change.name == "a") == cursor.is_empty();
        for change in approved.changes.iter().filter(now) {
            let file = FILES.iter().find(|file| **file == change.name).expect("only files were planned");
            let there = target.files.get(file).cloned();
            target.before.entry((number, file)).or_insert(there);
            match (change.action, change.fields.first()) {
                (ChangeAction::Delete, _) => drop(target.files.remove(file)),
                (ChangeAction::NoOp, _) | (_, None) => {
                    if let Some(file) = target.files.get_mut(file) {
                        file.written_by = Some(number);
                    }
                }
                (_, Some(field)) => {
                    let file_now = File { version: field.after.clone(), written_by: Some(number) };
                    target.files.insert(file, file_now);
                }
            }
        }
        Some(if all || !cursor.is_empty() { done() } else { progressed(1) })
    }

    fn undo(&mut self, place: Place, due: &Due) -> Option<Answer> {
        let target = self.targets.entry(place).or_default();
        target.revision += 1;
        for file in FILES {
            match target.before.remove(&(due.call.deployment, file)) {
                Some(Some(before)) => drop(target.files.insert(file, before)),
                Some(None) => drop(target.files.remove(file)),
                None => {}
            }
        }
        Some(done())
    }

    fn sample(&self, rng: &mut Rng, memo: &[u8]) -> Answer {
        match rng.u8(..11) {
            _ if self.is_kind => passes(),
            10 => passes_for(rng.u32(1..20) * 1_000),
            0..3 => verdict(Decision::Fail, "9% errors"),
            3 => verdict(Decision::Inconclusive, "no traffic"),
            4 if memo.is_empty() => Answer::Sampled { memo: vec![1], poll_after_ms: 1_000, verdict: None },
            _ => passes(),
        }
    }

    /// What is called live is what is there: all that was planned was last written by this deployment.
    pub fn check(&self, state: &State, events: &[Event]) {
        for (place, event) in events.iter().enumerate() {
            let What::Deployment { number, change: Change::Finished { finish, .. } } = &event.what else { continue };
            let Some(deployment) = state.deployments.get(number) else { continue };
            let succeeded = matches!(finish, Finish::Succeeded | Finish::PartiallySucceeded);
            let live = succeeded && deployment.workflow().goes_live && !deployment.failed_to_apply();
            for (index, run) in deployment.attempt.phases.iter().enumerate() {
                let (Some(target), Some(plan)) = (deployment.target_of(index), &run.plan) else { continue };
                if !live || run.result != PhaseResult::Succeeded {
                    continue;
                }
                let folder = target.config["folder"].as_str().unwrap_or_default().to_owned();
                let target = &self.targets[&(deployment.environment.to_string(), folder)];
                for change in &plan.planned.changes {
                    let there = target.files.get(change.name.as_str());
                    match change.action {
                        ChangeAction::Delete => assert!(there.is_none(), "{} was deleted, and is there", run.name),
                        _ => assert_eq!(
                            there.and_then(|file| file.written_by),
                            Some(*number),
                            "{} is live, but something else is there",
                            run.name
                        ),
                    }
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
