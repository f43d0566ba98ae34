//! Every command meets `kill -9`: it is sent, the host dies before, while or right after it answers, comes back, and is
//! sent the same command again, with the same key where it takes one. It has happened once, and what was acknowledged
//! is there before anybody repeats it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc;
use std::thread;

use lockgate::client::{Client, ClientError, Followed, PausedPlace};
use lockgate::clock;
use lockgate::wire::{
    Approve, Cancel, Deployment, Environment, Expiry, NewDeployment, NewRelease, Promote, Remark, Selection,
};
use serde_json::json;

use crate::harness::{Host, PLAIN, Place, Rules, block_on, of_release, pair_of, wait};

struct Case {
    name: &'static str,
    rules: Rules,
    /// Up to where the command makes sense. Every place is new: its deployments count from 1.
    arrange: fn(&Place),
    send: fn(&Place) -> Result<(), ClientError>,
    /// How often, as anybody can see.
    happened: fn(&Place) -> usize,
    /// What comes of it in the end, in the world outside too.
    end: fn(&Place),
}

/// What a kill found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hit {
    Before,
    /// It was done, and nobody was told.
    Unanswered,
    Answered,
}

const KEY: &str = "once";
const LATER: &str = "2099-01-01T00:00:00Z";
const TEST: PausedPlace<'static> = PausedPlace::Environment("test");
/// After so many answers out of eight the host is killed.
const EIGHTHS_ANSWERED: [usize; 5] = [0, 2, 4, 6, 8];

const ASKS: Rules = Rules::in_environment("approvals: { rules: [{ groups: [operators] }] },");
const ASKS_AFTER: Rules = Rules::in_environment("post_approvals: { rules: [{ groups: [operators] }] },");
const FROM_ELSEWHERE: Rules = Rules::in_environment("promotion: { from: elsewhere },");
const FROZEN: Rules = Rules {
    project: r#"freezes: [{ name: audit, from: "2020-01-01T00:00", until: "2099-01-01T00:00", zone: UTC, reason: audit }]"#,
    ..PLAIN
};
const GATED: Rules = Rules::in_environment(
    "gates: { pre: { interval: 100ms, checks: [{ name: check, plugin: scripted-gate, config: { do: fail } }] } },",
);
const LOOKED_AT: Rules = Rules::doing(
    "phases: [{ name: look, manual: { instructions: Look, groups: [operators] } }, { name: apply, apply: world }]",
);

const CASES: [Case; 32] = [
    Case {
        name: "deploy",
        rules: PLAIN,
        arrange: |_| {},
        send: |place| deploy(place, of_release("v1")),
        happened: |place| place.project.deployments().len(),
        end: |place| ends(place, 1, "SUCCEEDED", 1),
    },
    Case {
        name: "deploy-for-later",
        rules: PLAIN,
        arrange: |_| {},
        send: |place| deploy(place, NewDeployment { at: Some(LATER.to_owned()), ..of_release("v1") }),
        happened: |place| place.project.deployments().len(),
        end: |place| assert_eq!((pair(place), place.applied()), ("NotDeployed/Scheduled".to_owned(), 0)),
    },
    Case {
        name: "a-time-that-comes",
        rules: PLAIN,
        arrange: |place| {
            place.deploy_with(NewDeployment { at: Some(in_a_moment()), ..of_release("v1") });
        },
        send: |_| Ok(()),
        happened: |place| how_often(place, 1, "slot_taken"),
        end: |place| ends(place, 1, "SUCCEEDED", 1),
    },
    Case {
        name: "refresh-and-force",
        rules: PLAIN,
        arrange: |place| succeeds(place, "v1"),
        send: |place| {
            let thing = Selection { resource_name: Some("a".to_owned()), ..Selection::default() };
            let deployment_type = Some("SELECTIVE".to_owned());
            let (selections, sync) = (vec![thing], of_release("v1"));
            deploy(place, NewDeployment { deployment_type, selections, refresh: true, forced: true, ..sync })
        },
        happened: |place| place.project.deployments().len() - 1,
        end: |place| ends(place, 2, "SUCCEEDED", 2),
    },
    Case {
        name: "release-and-deploy",
        rules: PLAIN,
        arrange: |_| {},
        send: |place| {
            let deploy_to = Some("test".to_owned());
            let new = NewRelease { tag: "v2".to_owned(), deploy_to, ..NewRelease::default() };
            block_on(ann(place).create_release(&place.project.name, &new, Some(KEY))).map(drop)
        },
        happened: |place| place.project.deployments().len(),
        end: |place| ends(place, 1, "SUCCEEDED", 1),
    },
    Case {
        name: "edit-a-draft",
        rules: PLAIN,
        arrange: |place| drafted(place, "one").unwrap(),
        send: |place| drafted(place, "two"),
        happened: |place| (release(place, "v2").1 == "two").into(),
        end: |place| assert_eq!(release(place, "v2").0, "Draft"),
    },
    Case {
        name: "own-workflows",
        rules: PLAIN,
        arrange: |place| drafted(place, "one").unwrap(),
        send: |place| {
            let rest = Rules::doing("phases: [{ name: look, apply: world }]").file("own-workflows");
            let own = rest.replace("workflows: {", "workflows: { own: { phases: [{ name: own, apply: world }] },");
            place.edit_draft("v2", &own)
        },
        happened: |place| {
            let release = block_on(ann(place).release(&place.project.name, "v2")).unwrap();
            (release.workflows == ["go", "own"]).into()
        },
        end: |place| {
            block_on(ann(place).start_release(&place.project.name, "v2")).unwrap();
            for (tag, phase) in [("v2", "look"), ("v1", "apply")] {
                let number = place.project.deploy(tag, "test");
                place.project.assert_succeeds(number);
                assert_eq!(place.project.deployment(number).phases[0].name, phase);
            }
        },
    },
    Case {
        name: "activate",
        rules: PLAIN,
        arrange: |place| drafted(place, "one").unwrap(),
        send: |place| block_on(ann(place).start_release(&place.project.name, "v2")).map(drop),
        happened: |place| (release(place, "v2").0 == "Active").into(),
        end: |place| place.project.assert_succeeds(place.project.deploy("v2", "test")),
    },
    Case {
        name: "abandon",
        rules: PLAIN,
        arrange: |_| {},
        send: |place| block_on(ann(place).abandon_release(&place.project.name, "v1")).map(drop),
        happened: |place| (release(place, "v1").0 == "Abandoned").into(),
        end: |place| assert!(place.project.try_deploy("v1", "test", None).is_err()),
    },
    Case {
        name: "new-environment",
        rules: PLAIN,
        arrange: |_| {},
        send: |place| place.define(&with_a_third(&PLAIN.file("new-environment"))),
        happened: |place| {
            let project = block_on(ann(place).project(&place.project.name)).unwrap();
            project.environments.iter().filter(|environment| environment.name == "third").count()
        },
        end: |place| {
            place.project.assert_succeeds(place.project.deploy("v1", "third"));
            assert_eq!(place.applied(), 1);
        },
    },
    Case {
        name: "roll-back",
        rules: PLAIN,
        arrange: |place| {
            succeeds(place, "v1");
            succeeds(place, "v2");
        },
        send: |place| {
            let (name, remark) = (&place.project.name, Remark::default());
            block_on(ann(place).roll_back(name, "test", &remark, Some(KEY))).map(drop)
        },
        happened: |place| place.project.deployments().len() - 2,
        end: |place| ends(place, 3, "SUCCEEDED", 3),
    },
    Case {
        name: "promote",
        rules: FROM_ELSEWHERE,
        arrange: |place| place.project.assert_succeeds(place.deploy_elsewhere()),
        send: |place| {
            let (name, promote) = (&place.project.name, Promote::default());
            block_on(ann(place).promote(name, "test", &promote, Some(KEY))).map(drop)
        },
        happened: |place| place.project.deployments().len() - 1,
        end: |place| ends(place, 2, "SUCCEEDED", 2),
    },
    Case {
        name: "release-the-hold",
        rules: FROM_ELSEWHERE,
        arrange: |place| {
            succeeds(place, "v1");
            succeeds(place, "v2");
            place.project.assert_succeeds(place.project.roll_back("test"));
        },
        send: |place| block_on(ann(place).release_hold(&place.project.name, "test")).map(drop),
        happened: |place| environment(place).operations.promotion_hold.is_none().into(),
        end: |place| assert_eq!(place.applied(), 3),
    },
    Case {
        name: "endpoint",
        rules: Rules { project: "endpoints: { go: go }", ..PLAIN },
        arrange: |place| succeeds(place, "v1"),
        send: |place| {
            let there = format!("{}/test", place.project.name);
            block_on(ann(place).trigger_endpoint("go", &there, &json!({}), None, Some(KEY))).map(drop)
        },
        happened: |place| place.project.deployments().len() - 1,
        end: |place| ends(place, 2, "SUCCEEDED", 2),
    },
    Case {
        name: "approve",
        rules: ASKS,
        arrange: |place| {
            place.deploy_until_asked();
        },
        send: |place| approve(place, Approve::default()),
        happened: |place| first(place).approval.map_or(0, |approval| approval.answers.len()),
        end: |place| ends(place, 1, "SUCCEEDED", 1),
    },
    Case {
        name: "defer",
        rules: ASKS,
        arrange: |place| {
            place.deploy_until_asked();
        },
        send: |place| approve(place, Approve { not_before: Some(LATER.to_owned()), ..Approve::default() }),
        happened: |place| first(place).approval.map_or(0, |approval| approval.answers.len()),
        end: |place| assert_eq!((pair(place), place.applied()), ("NotDeployed/Deferred".to_owned(), 0)),
    },
    Case {
        name: "reject",
        rules: ASKS,
        arrange: |place| {
            place.deploy_until_asked();
        },
        send: |place| {
            let remark = Remark { comment: "no".to_owned() };
            block_on(place.project.bob.client.reject(&place.project.name, 1, &remark)).map(drop)
        },
        happened: |place| first(place).approval.map_or(0, |approval| approval.answers.len()),
        end: |place| ends(place, 1, "REJECTED", 0),
    },
    Case {
        name: "sign-off",
        rules: ASKS_AFTER,
        arrange: |place| {
            place.deploy();
            place.project.comes_to(1, "InProgress/Pending");
        },
        send: |place| approve(place, Approve::default()),
        happened: |place| first(place).post_approval.map_or(0, |approval| approval.answers.len()),
        end: |place| {
            ends(place, 1, "SUCCEEDED", 1);
            assert_eq!(first(place).record.sign_off.post, "Approved");
        },
    },
    Case {
        name: "proceed",
        rules: LOOKED_AT,
        arrange: |place| {
            place.deploy();
            place.project.comes_to(1, "InProgress/ManualInterventionPending");
        },
        send: |place| approve(place, Approve::default()),
        happened: |place| (first(place).phases[0].status == "Succeeded").into(),
        end: |place| {
            ends(place, 1, "SUCCEEDED", 1);
            assert_eq!(how_often(place, 1, "phase_answered"), 1);
        },
    },
    Case {
        name: "ignore-a-gate",
        rules: GATED,
        arrange: |place| {
            place.deploy();
            place.project.comes_to(1, "NotDeployed/EvaluatingGates");
        },
        send: |place| {
            let remark = Remark { comment: "it is broken itself".to_owned() };
            block_on(place.admin.client.ignore_gate(&place.project.name, 1, "check", &remark)).map(drop)
        },
        happened: |place| first(place).gates.iter().filter(|gate| gate.ignored.is_some()).count(),
        end: |place| {
            ends(place, 1, "SUCCEEDED", 1);
            assert_eq!(how_often(place, 1, "gate_ignored"), 1);
        },
    },
    Case {
        name: "break-glass",
        rules: FROZEN,
        arrange: |place| {
            place.deploy();
        },
        send: break_glass,
        happened: |place| first(place).break_glass.is_some().into(),
        end: |place| {
            ends(place, 1, "SUCCEEDED", 1);
            assert_eq!((debts(place), how_often(place, 1, "glass_broken")), (vec![1], 1));
        },
    },
    Case {
        name: "review",
        rules: FROZEN,
        arrange: |place| {
            place.deploy();
            break_glass(place).unwrap();
            place.project.assert_succeeds(1);
        },
        send: |place| {
            let (name, remark) = (&place.project.name, Remark::default());
            block_on(place.project.bob.client.review(name, 1, &remark)).map(drop)
        },
        happened: |place| debts(place).is_empty().into(),
        end: |place| assert_eq!(place.applied(), 1),
    },
    Case {
        name: "lift-a-freeze",
        rules: FROZEN,
        arrange: |place| {
            place.deploy();
        },
        send: |place| place.define(&PLAIN.file("lift-a-freeze")),
        happened: |place| environment(place).queue.is_empty().into(),
        end: |place| {
            ends(place, 1, "SUCCEEDED", 1);
            assert_eq!(how_often(place, 1, "slot_taken"), 1);
        },
    },
    Case {
        name: "a-freeze-that-ends",
        rules: PLAIN,
        arrange: |place| {
            let until = &in_a_moment()[..19];
            place.define(&FROZEN.file("a-freeze-that-ends").replace("2099-01-01T00:00", until)).unwrap();
            place.deploy();
        },
        send: |_| Ok(()),
        happened: |place| how_often(place, 1, "slot_taken"),
        end: |place| ends(place, 1, "SUCCEEDED", 1),
    },
    Case {
        name: "pause",
        rules: PLAIN,
        arrange: |_| {},
        send: pause,
        happened: |place| environment(place).operations.paused.is_some().into(),
        end: |place| {
            place.deploy();
            assert_eq!((pair(place), place.applied()), ("NotDeployed/Queued".to_owned(), 0));
        },
    },
    Case {
        name: "resume",
        rules: PLAIN,
        arrange: |place| {
            pause(place).unwrap();
            place.deploy();
        },
        send: |place| block_on(ann(place).resume(&place.project.name, TEST)).map(drop),
        happened: |place| environment(place).operations.paused.is_none().into(),
        end: |place| ends(place, 1, "SUCCEEDED", 1),
    },
    Case {
        name: "resume-everything",
        rules: PLAIN,
        arrange: |place| {
            block_on(ann(place).pause_project(&place.project.name, "audit".to_owned())).unwrap();
            place.deploy();
        },
        send: |place| block_on(ann(place).resume_project(&place.project.name)).map(drop),
        happened: |place| block_on(ann(place).project(&place.project.name)).unwrap().paused.is_none().into(),
        end: |place| ends(place, 1, "SUCCEEDED", 1),
    },
    Case {
        name: "cancel",
        rules: PLAIN,
        arrange: |place| {
            place.deploy_and_hold();
        },
        send: |place| cancel(place, false),
        happened: |place| (pair(place) != "InProgress/PhaseInProgress").into(),
        end: |place| {
            place.let_go("apply");
            let ended = place.project.end_of(1);
            // Killed with the host, it need not begin again.
            assert!(ended.status == "ABORTED" && place.applied() <= 1, "{ended:#?}");
            assert_eq!(how_often(place, 1, "cancel_requested"), 1);
        },
    },
    Case {
        name: "force-stop",
        rules: PLAIN,
        arrange: |place| {
            place.deploy_and_hold();
        },
        send: |place| cancel(place, true),
        happened: |place| (first(place).status == "STOPPED").into(),
        end: |place| {
            ends(place, 1, "STOPPED", 0);
            assert_eq!(how_often(place, 1, "stop_forced"), 1);
        },
    },
    Case {
        name: "retry",
        rules: PLAIN,
        arrange: stopped,
        send: |place| block_on(ann(place).retry(&place.project.name, 1, Some(KEY))).map(drop),
        happened: |place| first(place).attempt as usize - 1,
        end: |place| {
            place.let_go("apply");
            ends(place, 1, "SUCCEEDED", 1);
        },
    },
    Case {
        name: "redeploy",
        rules: PLAIN,
        arrange: stopped,
        send: |place| block_on(ann(place).redeploy(&place.project.name, 1, Some(KEY))).map(drop),
        happened: |place| first(place).attempt as usize - 1,
        end: |place| {
            place.let_go("apply");
            ends(place, 1, "SUCCEEDED", 1);
        },
    },
    Case {
        name: "expire",
        rules: Rules::in_environment("expires_after: 30d,"),
        arrange: |place| succeeds(place, "v1"),
        send: |place| {
            let expiry = Expiry { when: "now".to_owned() };
            block_on(place.admin.client.expire(&place.project.name, "test", &expiry)).map(drop)
        },
        // What follows from it comes with the next look at the clock.
        happened: |place| {
            let tomorrow = clock::rfc3339(clock::now().plus_ms(24 * 60 * 60 * 1_000));
            let is_planned = environment(place).operations.expires_at.is_some_and(|at| at < tomorrow);
            (is_planned || place.project.deployments().len() > 1).into()
        },
        end: |place| {
            ends(place, 2, "SUCCEEDED", 2);
            assert_eq!((place.project.deployments().len(), place.project.live("test")), (2, None));
        },
    },
];

#[test]
fn a_command_that_met_a_kill_happens_once_when_it_is_repeated() {
    let mut host = Host::start();
    let folders = CASES.map(|case| case.name);
    host.plugin("scripted-target", &folders);
    host.plugin("scripted-gate", &[]);
    let mut hits: BTreeMap<Hit, usize> = BTreeMap::new();
    for (round, eighths) in EIGHTHS_ANSWERED.into_iter().enumerate() {
        let places = at_once(CASES.iter(), |case| case.arranged(&host, round));
        let acknowledged = kill_among_answers(&mut host, &places, CASES.len() * eighths / 8);
        host.restart();
        let found = at_once(CASES.iter().zip(&places).zip(&acknowledged), |((case, place), acknowledged)| {
            case.is_repeated(place, *acknowledged)
        });
        assert!(!host.said_ever().contains("panicked"), "{}", host.said_ever());
        found.into_iter().for_each(|hit| *hits.entry(hit).or_default() += 1);
    }
    println!("{} commands met a kill: {hits:?}", CASES.len() * EIGHTHS_ANSWERED.len());
    for hit in [Hit::Before, Hit::Unanswered, Hit::Answered] {
        assert!(hits.contains_key(&hit), "{hits:?}");
    }
}

#[test]
fn a_tick_that_meets_a_kill_deploys_once() {
    let mut host = Host::start();
    host.plugin("scripted-target", &["ticks"]);
    let every_minute = Rules::in_environment("schedule: { cron: '* * * * *', zone: UTC },");
    let place = Place::new(&host, "ticks", "ticks", &every_minute);
    let due = environment(&place).operations.next_scheduled_time.unwrap();
    let due_at = clock::parse(&due).unwrap();
    wait("the schedule's time", || (clock::now() >= due_at).then_some(()));
    host.kill();
    host.restart();
    ends(&place, 1, "SUCCEEDED", 1);
    host.kill();
    host.restart();
    let ticks = environment(&place).operations.ticks;
    let deployed: Vec<_> = ticks.iter().filter_map(|tick| Some((tick.at.clone(), tick.deployment?))).collect();
    // Slow as the machine may be, every minute has one.
    assert_eq!((deployed.last(), deployed.len()), (Some(&(due, 1)), place.project.deployments().len()));
}

/// Each in a thread of its own: what one of them waits for, the others need not.
fn at_once<T: Send, R: Send>(all: impl Iterator<Item = T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = all.map(|one| scope.spawn(move || work(one))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it has said above what is wrong")).collect()
    })
}

/// All are sent together. Says which were acknowledged.
fn kill_among_answers(host: &mut Host, places: &[Place], answers: usize) -> Vec<bool> {
    let (answered, answer) = mpsc::channel();
    let send = |(case, place): (&Case, &Place)| {
        let result = (case.send)(place);
        answered.send(()).expect("somebody counts");
        result
    };
    let sent: Vec<Result<(), ClientError>> = thread::scope(|scope| {
        let threads: Vec<_> = CASES.iter().zip(places).map(|both| scope.spawn(move || send(both))).collect();
        answer.iter().take(answers).for_each(drop);
        host.kill();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let acknowledged = |(case, answer): (&Case, Result<(), ClientError>)| match answer {
        Ok(()) => true,
        Err(error) if error.is_passing() => false,
        Err(error) => panic!("{} was refused: {error}", case.name),
    };
    CASES.iter().zip(sent).map(acknowledged).collect()
}

impl Case {
    fn arranged(&self, host: &Host, round: usize) -> Place {
        // What the round before left there belongs to another project.
        for file in fs::read_dir(host.place(self.name)).unwrap() {
            fs::remove_file(file.unwrap().path()).unwrap();
        }
        let place = Place::new(host, &format!("{}-{round}", self.name), self.name, &self.rules);
        (self.arrange)(&place);
        place
    }

    fn is_repeated(&self, place: &Place, acknowledged: bool) -> Hit {
        let name = self.name;
        let before = (self.happened)(place);
        assert!(!acknowledged || before == 1, "{name} was acknowledged, and has happened {before} times");
        match (self.send)(place) {
            Ok(()) => {}
            Err(ClientError::Problem { problem }) if before == 1 && problem.status < 500 => {}
            Err(error) => panic!("{name} had happened {before} times, and cannot be repeated: {error}"),
        }
        (self.end)(place);
        assert_eq!((self.happened)(place), 1, "{name}, which had happened {before} times before it was repeated");
        match (acknowledged, before) {
            (true, _) => Hit::Answered,
            (false, 0) => Hit::Before,
            (false, _) => Hit::Unanswered,
        }
    }
}

// ---- what is sent ----

fn ann(place: &Place) -> &Client {
    &place.project.ann.client
}

fn deploy(place: &Place, new: NewDeployment) -> Result<(), ClientError> {
    block_on(ann(place).deploy(&place.project.name, "test", &new, Some(KEY))).map(drop)
}

fn drafted(place: &Place, description: &str) -> Result<(), ClientError> {
    let (tag, description) = ("v2".to_owned(), description.to_owned());
    let draft = NewRelease { tag, description, draft: true, ..NewRelease::default() };
    block_on(ann(place).create_release(&place.project.name, &draft, Some(KEY))).map(drop)
}

fn approve(place: &Place, approve: Approve) -> Result<(), ClientError> {
    block_on(place.project.bob.client.approve(&place.project.name, 1, &approve)).map(drop)
}

fn cancel(place: &Place, force: bool) -> Result<(), ClientError> {
    let cancel = Cancel { reason: "changed her mind".to_owned(), force };
    block_on(ann(place).cancel(&place.project.name, 1, &cancel)).map(drop)
}

fn pause(place: &Place) -> Result<(), ClientError> {
    block_on(ann(place).pause(&place.project.name, TEST, "the database moves".to_owned())).map(drop)
}

fn break_glass(place: &Place) -> Result<(), ClientError> {
    let reason = "customers cannot pay".to_owned();
    block_on(place.admin.client.break_glass(&place.project.name, 1, reason)).map(drop)
}

fn with_a_third(file: &str) -> String {
    let elsewhere = file.lines().find(|line| line.contains("elsewhere:")).unwrap();
    file.replace(elsewhere, &format!("{elsewhere}\n{}", elsewhere.replace("elsewhere", "third")))
}

// ---- what is there ----

/// Soon enough to wait for it, and not before what is arranged is arranged.
fn in_a_moment() -> String {
    clock::rfc3339(clock::now().plus_ms(5_000))
}

fn succeeds(place: &Place, tag: &str) {
    place.project.release(tag);
    place.project.assert_succeeds(place.project.deploy(tag, "test"));
}

/// By force, with its apply under way; what comes next will wait there again.
fn stopped(place: &Place) {
    place.deploy_and_hold();
    cancel(place, true).unwrap();
    place.project.end_of(1);
}

fn ends(place: &Place, number: u64, status: &str, applied: usize) {
    let ended = wait("a deployment to be triggered and over", || {
        let last = place.project.deployments().first().map(|last| last.number);
        (last >= Some(number)).then(|| place.project.end_of(number))
    });
    assert_eq!((ended.status.as_str(), place.applied()), (status, applied), "{ended:#?}");
}

fn first(place: &Place) -> Deployment {
    place.project.deployment(1)
}

fn pair(place: &Place) -> String {
    pair_of(&first(place))
}

fn environment(place: &Place) -> Environment {
    place.project.environment("test")
}

fn debts(place: &Place) -> Vec<u64> {
    block_on(ann(place).project(&place.project.name)).unwrap().review_debts
}

/// Status and description.
fn release(place: &Place, tag: &str) -> (String, String) {
    let release = block_on(ann(place).release(&place.project.name, tag)).unwrap();
    (release.status, release.description)
}

/// In its whole history: the stream ends when the deployment is over.
fn how_often(place: &Place, number: u64, event_type: &str) -> usize {
    let mut events = ann(place).follow_events(&place.project.name, number, 0);
    let mut times = 0;
    while let Some(next) = block_on(events.next()).unwrap() {
        let Followed::Item(event) = next else { continue };
        times += usize::from(event.event_type == event_type);
    }
    times
}
