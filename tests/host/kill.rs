//! The host is killed with `kill -9` in the middle of everything, again and again, and comes back on the same folder.
//!
//! Where a kill hit is read afterwards from what the target wrote in its folder, not from what was aimed at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use lockgate::wire::Deployment;

use crate::harness::{Host, Project};

/// Kills that must have hit inside each of [`MOMENTS`].
const WANTED: usize = 20;
const MOMENTS: [Moment; 4] = [Moment::Planning, Moment::Confirmed, Moment::Applying, Moment::Undoing];
/// Not all hit what they were aimed at.
const MOST_ROUNDS: usize = 160;
/// How long each call of the target takes, so that a kill can hit it.
const CALL_MS: u64 = 30;
const SEED: u64 = 20_261_121;

const FILE: &str = "
environments:
  forward:
    workflow: go
    targets:
      world: { plugin: scripted-target, config: { folder: forward, apply_steps: 2, ms: 30, plan_ms: 30, changes: [{ name: a }] } }
    approvals: { rules: [{ groups: [operators] }] }
  backward:
    workflow: go
    targets:
      world: { plugin: scripted-target, config: { folder: backward, apply_steps: 2, fail_at: 2, ms: 30, plan_ms: 30, changes: [{ name: a }] } }
  quick:
    workflow: quick
workflows:
  go: { on_failure: undo, phases: [{ name: apply, apply: world }] }
  quick: { phases: [{ name: work, plugin: hostile-phase, config: { do: done } }] }
";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// Before the first call, or after the last one.
    Outside,
    Planning,
    /// Planned, and nobody has approved, or the second plan has not begun.
    Planned,
    /// The plan is made again, just before it is applied.
    Confirming,
    /// The second plan is made; its apply has not begun.
    Confirmed,
    Applying,
    /// Between two calls of an apply, or after the last one.
    Applied,
    Undoing,
    Undone,
}

/// When to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    At(Moment),
    /// As soon as the trigger was acknowledged.
    Triggered,
    /// As soon as the approval was acknowledged.
    Approved,
}

#[test]
fn a_host_that_is_killed_anywhere_loses_nothing_and_does_nothing_twice() {
    let started = Instant::now();
    let mut host = Host::start();
    host.plugin("scripted-target", &["forward", "backward"]);
    host.plugin("hostile-phase", &[]);
    let project = Project::create(&host, "kills", FILE);
    project.release("v1");
    let mut rounds = Rounds { random: fastrand::Rng::with_seed(SEED), project, promises: Promises::default() };
    let mut hits: BTreeMap<Moment, usize> = BTreeMap::new();
    let mut kills = 0;

    while let Some(aim) = next_aim(&hits, kills) {
        let hit = rounds.kill_at(&mut host, aim);
        *hits.entry(hit).or_default() += 1;
        kills += 1;
        host.restart();
        rounds.promises_are_kept(&host);
    }
    let repeated = rounds.every_effect_happened_once(&host);
    host.kill();
    let verified = host.command(&["audit", "verify", host.data().to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));

    println!(
        "{kills} kills in {} s: {hits:?}; {} deployments; {repeated} calls were repeated with their key",
        started.elapsed().as_secs(),
        rounds.promises.deployments.len() + rounds.promises.quick.len()
    );
    for moment in MOMENTS {
        let hit = hits.get(&moment).copied().unwrap_or(0);
        assert!(hit >= WANTED, "only {hit} of {kills} kills hit while {moment:?}");
    }
}

/// What was hit least; now and then right after an acknowledgement.
fn next_aim(hits: &BTreeMap<Moment, usize>, kills: usize) -> Option<Aim> {
    let hit = |moment: &Moment| hits.get(moment).copied().unwrap_or(0);
    let least = MOMENTS.into_iter().min_by_key(hit).filter(|moment| hit(moment) < WANTED)?;
    match kills % 10 {
        _ if kills >= MOST_ROUNDS => None,
        3 => Some(Aim::Triggered),
        7 => Some(Aim::Approved),
        _ => Some(Aim::At(least)),
    }
}

/// Everything the host has acknowledged.
#[derive(Default)]
struct Promises {
    /// Number and environment of those with a target.
    deployments: BTreeMap<u64, &'static str>,
    approved: BTreeSet<u64>,
    /// Idempotency-Key of a trigger to its number, where the host lived to tell.
    quick: BTreeMap<String, Option<u64>>,
}

struct Rounds {
    random: fastrand::Rng,
    project: Project,
    promises: Promises,
}

impl Rounds {
    /// Triggers a deployment, kills the host on the way, and says where it was.
    fn kill_at(&mut self, host: &mut Host, aim: Aim) -> Moment {
        let environment = match aim {
            Aim::At(Moment::Undoing) | Aim::Triggered => "backward",
            Aim::At(_) | Aim::Approved => "forward",
        };
        let ledger = Ledger::of(host, environment);
        let triggers = self.trigger_beside();
        let number = self.project.deploy("v1", environment);
        self.promises.deployments.insert(number, environment);
        if needs_approval(aim) {
            self.project.wait_for_approval(number);
            self.project.approve(number);
            self.promises.approved.insert(number);
        }
        self.wait_for(aim, &ledger);
        host.kill();
        for (key, number) in triggers.join().unwrap() {
            self.promises.quick.insert(key, number);
        }
        ledger.moment()
    }

    /// Someone else triggers at the same time, as fast as the host takes it.
    fn trigger_beside(&mut self) -> thread::JoinHandle<Vec<(String, Option<u64>)>> {
        let (project, first) = (self.project.clone(), self.promises.quick.len());
        let trigger = move |index: usize| {
            let key = format!("quick-{}", first + index);
            let number = project.try_deploy("v1", "quick", Some(&key)).ok();
            (key, number)
        };
        thread::spawn(move || (0..4).map(trigger).collect())
    }

    /// Somewhere inside: not always at its beginning.
    fn wait_for(&mut self, aim: Aim, ledger: &Ledger) {
        let (began, within_us): (Box<dyn Fn(&Ledger) -> bool>, u64) = match aim {
            Aim::At(Moment::Confirmed) => (Box::new(|ledger| ledger.distinct("planned") >= 2), 2_000),
            Aim::At(Moment::Applying) => {
                let call = self.random.usize(1..=2);
                (Box::new(move |ledger| ledger.distinct("apply") >= call), CALL_MS * 900)
            }
            Aim::At(Moment::Undoing) => (Box::new(|ledger| ledger.distinct("undo") >= 1), CALL_MS * 900),
            Aim::At(_) => (Box::new(|ledger| ledger.distinct("plan") >= 1), CALL_MS * 900),
            Aim::Triggered | Aim::Approved => (Box::new(|_| true), 5_000),
        };
        let deadline = Instant::now() + Duration::from_secs(180);
        while !began(ledger) {
            assert!(Instant::now() < deadline, "{aim:?} never came: {:?}", ledger.lines());
            thread::yield_now();
        }
        let kill_at = Instant::now() + Duration::from_micros(self.random.u64(0..=within_us));
        while Instant::now() < kill_at {
            thread::yield_now();
        }
    }

    /// After each restart: nothing acknowledged is gone, and everything comes to its end.
    fn promises_are_kept(&mut self, host: &Host) {
        let project = &self.project;
        assert!(!host.said_ever().contains("panicked"), "{}", host.said_ever());
        // First of all: what was lost would have its number again as soon as it is asked for once more.
        let newest = self.promises.quick.values().flatten().collect::<BTreeSet<_>>().into_iter().rev().take(8);
        for number in newest {
            assert_eq!(project.deployment(*number).environment, "quick");
        }
        for (key, promised) in &mut self.promises.quick {
            // Old ones were looked at before; the last few show it.
            let number = match promised {
                Some(number) if *number + 12 < self.promises.deployments.keys().last().copied().unwrap_or(0) => {
                    continue;
                }
                _ => project.try_deploy("v1", "quick", Some(key)).unwrap_or_else(|error| panic!("{key}: {error}")),
            };
            assert_eq!(*promised.get_or_insert(number), number, "the same key is the same deployment");
        }
        let Some((number, environment)) = self.promises.deployments.last_key_value() else { return };
        if *environment == "forward" && !self.promises.approved.contains(number) {
            project.wait_for_approval(*number);
            project.approve(*number);
            self.promises.approved.insert(*number);
        }
        expect_end(&project.end_of(*number), environment);
    }

    /// At the very end. Gives how many calls came more than once.
    fn every_effect_happened_once(&self, host: &Host) -> usize {
        let project = &self.project;
        let all = project.deployments();
        assert_eq!(all.len(), self.promises.deployments.len() + self.promises.quick.len(), "no trigger was done twice");
        let mut repeated = 0;
        for environment in ["forward", "backward"] {
            let mut keys = BTreeMap::new();
            for (number, _) in self.promises.deployments.iter().filter(|(_, there)| **there == environment) {
                let deployment = project.deployment(*number);
                expect_end(&deployment, environment);
                for (key, what) in keys_of(project, *number) {
                    assert_eq!(keys.insert(key, what), None, "a key belongs to one piece of work");
                }
            }
            repeated += the_world_agrees(
                host,
                environment,
                &keys,
                self.promises.deployments.values().filter(|there| **there == environment).count(),
            );
        }
        for number in self.promises.quick.values().flatten() {
            project.assert_succeeds(*number);
        }
        repeated
    }
}

/// A plan and its confirmation, and the two calls of an apply; for those that go back the second one fails.
fn the_world_agrees(host: &Host, environment: &str, keys: &BTreeMap<String, String>, deployments: usize) -> usize {
    let folder = host.place(environment);
    let calls = lines(folder.join("calls"));
    let effects: Vec<String> = lines(folder.join("effects"));
    for line in &calls {
        let key = line.split(' ').nth(1).unwrap();
        assert!(keys.contains_key(key), "the host knows of no call `{line}`");
    }
    let count = |what: &str| effects.iter().filter(|line| line.starts_with(what)).count();
    let expected = if environment == "forward" { (2 * deployments, 0) } else { (deployments, deployments) };
    assert_eq!((count("apply "), count("undo ")), expected, "effects in {environment}");
    assert_eq!(effects.iter().collect::<BTreeSet<_>>().len(), effects.len(), "no effect twice");
    for what in ["plan", "apply", "undo"] {
        let asked = keys.values().filter(|step| *step == what).count();
        let heard = distinct(&calls, what);
        assert_eq!(heard, asked, "the same work has the same key: {what} in {environment}");
    }
    let begun = calls.iter().filter(|line| ["plan", "apply", "undo"].contains(&line.split(' ').next().unwrap()));
    begun.count() - keys.len()
}

fn expect_end(deployment: &Deployment, environment: &str) {
    let number = deployment.number;
    let signed = deployment.approval.as_ref().map(|approval| {
        (approval.status.clone(), approval.answers.iter().map(|answer| answer.person.clone()).collect::<Vec<_>>())
    });
    match environment {
        "forward" => {
            assert_eq!(deployment.status, "SUCCEEDED", "{deployment:#?}");
            assert_eq!(signed, Some(("Approved".to_owned(), vec!["bob-kills".to_owned()])), "deployment {number}");
        }
        _ => {
            assert_eq!(deployment.status, "FAILED", "{deployment:#?}");
            assert_eq!(deployment.failure.as_ref().unwrap().message, "call 2 fails, as configured");
            assert_eq!(deployment.phases[0].undo.as_deref(), Some("Undone"), "deployment {number}");
        }
    }
}

/// Key of every call the host started, and what it was for, as the target calls it.
fn keys_of(project: &Project, number: u64) -> BTreeMap<String, String> {
    let events = project.events(number);
    let started = events.iter().filter(|event| event.event_type == "call_started");
    let named = started.map(|event| {
        let what = match event.details["step"].as_object().and_then(|step| step.keys().next()).map(String::as_str) {
            Some("plan" | "confirm") => "plan",
            Some("run") => "apply",
            Some("undo") => "undo",
            other => panic!("a call for {other:?}"),
        };
        (event.details["key"].as_str().unwrap().to_owned(), what.to_owned())
    });
    named.collect()
}

/// What the target of an environment wrote since the round began.
struct Ledger {
    path: PathBuf,
    before: usize,
}

impl Ledger {
    /// Nothing is under way there: each round begins when the one before is over.
    fn of(host: &Host, environment: &str) -> Self {
        let path = host.place(environment).join("calls");
        let before = lines(path.clone()).len();
        Self { path, before }
    }

    fn lines(&self) -> Vec<String> {
        lines(self.path.clone()).split_off(self.before)
    }

    fn distinct(&self, what: &str) -> usize {
        distinct(&self.lines(), what)
    }

    fn moment(&self) -> Moment {
        let lines = self.lines();
        let is_second_plan = distinct(&lines, "plan") == 2;
        match lines.last().and_then(|line| line.split(' ').next()) {
            None => Moment::Outside,
            Some("plan") if is_second_plan => Moment::Confirming,
            Some("plan") => Moment::Planning,
            Some("planned") if is_second_plan => Moment::Confirmed,
            Some("planned") => Moment::Planned,
            Some("apply") => Moment::Applying,
            Some("applied") => Moment::Applied,
            Some("undo") => Moment::Undoing,
            Some("undone") => Moment::Undone,
            Some(other) => panic!("the target wrote `{other}`"),
        }
    }
}

fn needs_approval(aim: Aim) -> bool {
    match aim {
        Aim::Approved | Aim::At(Moment::Confirmed | Moment::Applying) => true,
        Aim::At(_) | Aim::Triggered => false,
    }
}

fn distinct(lines: &[String], what: &str) -> usize {
    let keys = lines.iter().filter_map(|line| line.split_once(' ')).filter(|(first, _)| *first == what);
    keys.map(|(_, key)| key).collect::<BTreeSet<_>>().len()
}

/// Of a file that a killed host wrote; a last line that is not whole was not written.
fn lines(path: PathBuf) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
}
