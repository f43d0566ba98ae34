//! The states of `semantics.md`, sections 2 and 3, by the public API alone: a row for each pair says who does what until
//! it is there, and what everybody reads then.

use std::collections::BTreeSet;
use std::thread;

use lockgate::wire::{Approve, Cancel, Deployment, NewDeployment, NewRelease, Release};

use crate::harness::{Host, PLAIN, Place, Project, Refused, Rules, block_on, of_release, pair_of};

struct Row {
    /// Attempt, deployment status (`partial` where it says so) and release in the environment.
    shows: &'static str,
    rules: Rules,
    /// Gives the deployment that gets there.
    drive: fn(&Place) -> u64,
}

const THEN_MORE: Rules = Rules {
    workflow: "phases: [{ name: apply, apply: world }, { name: tell, plugin: hostile-phase, config: { do: done } }]",
    ..PLAIN
};
const ASKS: Rules = Rules { environment: "approvals: { rules: [{ groups: [operators] }] },", ..PLAIN };
const ASKS_AFTER: Rules = Rules { environment: "post_approvals: { rules: [{ groups: [operators] }] },", ..PLAIN };
const ONE_WORKER: Rules = Rules { project: "limits: { workers: 1 }", ..THEN_MORE };
const ONE_RUN: Rules = Rules { project: "limits: { running: 1 }", ..THEN_MORE };

const CHECKED: &str = "gates: { pre: { checks: [{ name: check, plugin: scripted-gate, config: { do: fail } }] } },";
const FAILS: &str =
    "gates: { pre: { timeout: 100ms, checks: [{ name: check, plugin: scripted-gate, config: { do: fail } }] } },";
const FAILS_AND_ASKS: &str = "
    gates: { pre: { timeout: 100ms, checks: [{ name: check, plugin: scripted-gate, config: { do: fail } }] } },
    approvals: { rules: [{ groups: [operators] }], order: after_gates_always },";
const CHECKED_AFTER: &str =
    "gates: { post: { checks: [{ name: check, plugin: scripted-gate, config: { do: fail } }] } },";
const FAILS_AFTER: &str =
    "gates: { post: { timeout: 100ms, checks: [{ name: check, plugin: scripted-gate, config: { do: fail } }] } },";
const FAILS_AND_ASKS_AFTER: &str = "
    gates: { post: { timeout: 100ms, checks: [{ name: check, plugin: scripted-gate, config: { do: fail } }] } },
    post_approvals: { rules: [{ groups: [operators] }], order: after_gates_always },";
const NOBODY_IN_TIME: &str = "approvals: { rules: [{ groups: [operators] }], timeout: 100ms, on_timeout: cancel },";

const LATER: &str = "2099-01-01T00:00:00Z";

const ROWS: [Row; 31] = [
    Row {
        shows: "NotDeployed/Queued QUEUED Queued",
        rules: PLAIN,
        drive: |place| {
            place.deploy_and_hold();
            place.deploy()
        },
    },
    Row {
        shows: "NotDeployed/QueuedForAgent QUEUED Queued",
        rules: ONE_WORKER,
        drive: |place| {
            place.deploy_and_hold();
            place.deploy_elsewhere()
        },
    },
    Row {
        shows: "NotDeployed/QueuedForPipeline QUEUED Queued",
        rules: ONE_RUN,
        drive: |place| {
            place.deploy_and_hold();
            place.deploy_elsewhere()
        },
    },
    Row {
        shows: "NotDeployed/Scheduled QUEUED Scheduled",
        rules: PLAIN,
        drive: |place| place.deploy_with(NewDeployment { at: Some(LATER.to_owned()), ..of_release("v1") }),
    },
    Row {
        shows: "NotDeployed/Deferred QUEUED Scheduled",
        rules: ASKS,
        drive: |place| {
            let number = place.deploy_until_asked();
            let approve = Approve { not_before: Some(LATER.to_owned()), ..Approve::default() };
            block_on(place.project.bob.client.approve(&place.project.name, number, &approve)).unwrap();
            number
        },
    },
    Row { shows: "NotDeployed/Pending PENDING_APPROVAL InProgress", rules: ASKS, drive: Place::deploy_until_asked },
    Row {
        shows: "NotDeployed/Approved IN_PROGRESS InProgress",
        rules: ASKS,
        drive: |place| {
            let number = place.deploy_until_asked();
            place.hold("plan");
            place.project.approve(number);
            number
        },
    },
    Row {
        shows: "NotDeployed/EvaluatingGates IN_PROGRESS InProgress",
        rules: Rules::in_environment(CHECKED),
        drive: Place::deploy,
    },
    Row {
        shows: "NotDeployed/GatesFailed PENDING_APPROVAL InProgress",
        rules: Rules::in_environment(FAILS_AND_ASKS),
        drive: Place::deploy,
    },
    Row { shows: "NotDeployed/GatesFailed FAILED Rejected", rules: Rules::in_environment(FAILS), drive: Place::deploy },
    Row {
        shows: "NotDeployed/Rejected REJECTED Rejected",
        rules: ASKS,
        drive: |place| {
            let number = place.deploy_until_asked();
            place.project.reject(number, "no");
            number
        },
    },
    Row {
        shows: "NotDeployed/Canceled ABORTED Canceled",
        rules: ASKS,
        drive: |place| cancel(place, place.deploy_until_asked(), false),
    },
    Row {
        shows: "NotDeployed/Canceled STOPPED Canceled",
        rules: ASKS,
        drive: |place| cancel(place, place.deploy_until_asked(), true),
    },
    Row {
        shows: "NotDeployed/Canceled TIMED_OUT Canceled",
        rules: Rules::in_environment(NOBODY_IN_TIME),
        drive: Place::deploy,
    },
    Row { shows: "InProgress/PhaseInProgress IN_PROGRESS InProgress", rules: PLAIN, drive: Place::deploy_and_hold },
    Row {
        shows: "InProgress/PhaseSucceeded IN_PROGRESS InProgress",
        rules: Rules::doing("phases: [{ name: half, apply: world, weight: 50 }, { name: whole, apply: world }]"),
        drive: |place| {
            let number = place.deploy_and_hold();
            place.hold("plan");
            place.let_go("apply");
            number
        },
    },
    Row {
        shows: "InProgress/EvaluatingGates IN_PROGRESS InProgress",
        rules: Rules::in_environment(CHECKED_AFTER),
        drive: Place::deploy,
    },
    Row {
        shows: "InProgress/Cancelling IN_PROGRESS InProgress",
        rules: Rules::doing("phases: [{ name: cling, plugin: hostile-phase, config: { do: wait-and-cling } }]"),
        drive: |place| {
            let number = place.deploy();
            place.project.comes_to(number, "InProgress/PhaseInProgress");
            cancel(place, number, false)
        },
    },
    Row { shows: "InProgress/QueuedForAgent IN_PROGRESS InProgress", rules: ONE_WORKER, drive: make_room },
    Row { shows: "InProgress/QueuedForPipeline IN_PROGRESS InProgress", rules: ONE_RUN, drive: make_room },
    Row {
        shows: "InProgress/ManualInterventionPending PENDING_APPROVAL InProgress",
        rules: Rules::doing("phases: [{ name: look, manual: { instructions: Look } }]"),
        drive: Place::deploy,
    },
    Row { shows: "InProgress/Pending PENDING_APPROVAL InProgress", rules: ASKS_AFTER, drive: Place::deploy },
    Row {
        shows: "InProgress/GatesFailed PENDING_APPROVAL InProgress",
        rules: Rules::in_environment(FAILS_AND_ASKS_AFTER),
        drive: Place::deploy,
    },
    Row { shows: "Succeeded/Approved SUCCEEDED Succeeded", rules: PLAIN, drive: Place::deploy },
    Row {
        shows: "PartiallySucceeded/PhasePartiallySucceeded SUCCEEDED partial PartiallySucceeded",
        rules: Rules::doing(
            "phases: [{ name: fail, plugin: hostile-phase, config: { do: fail }, continue_on_error: true }]",
        ),
        drive: Place::deploy,
    },
    Row {
        shows: "Failed/PhaseFailed FAILED Rejected",
        rules: Rules::doing("phases: [{ name: fail, plugin: hostile-phase, config: { do: fail } }]"),
        drive: Place::deploy,
    },
    Row {
        shows: "Failed/GatesFailed FAILED Rejected",
        rules: Rules::in_environment(FAILS_AFTER),
        drive: Place::deploy,
    },
    Row {
        shows: "Failed/Rejected REJECTED Rejected",
        rules: ASKS_AFTER,
        drive: |place| {
            let number = place.deploy();
            place.project.comes_to(number, "InProgress/Pending");
            place.project.reject(number, "no");
            number
        },
    },
    Row {
        shows: "Failed/Canceled ABORTED Canceled",
        rules: PLAIN,
        drive: |place| {
            let number = cancel(place, place.deploy_and_hold(), false);
            place.let_go("apply");
            number
        },
    },
    Row {
        shows: "Failed/Canceled STOPPED Canceled",
        rules: PLAIN,
        drive: |place| cancel(place, place.deploy_and_hold(), true),
    },
    Row {
        shows: "Failed/Canceled TIMED_OUT Canceled",
        rules: Rules::doing("timeout: 100ms, phases: [{ name: apply, apply: world }]"),
        drive: |place| {
            place.hold("apply");
            place.deploy()
        },
    },
];

#[test]
fn every_pair_of_the_table_is_reached_and_shown_over_http() {
    let pairs: BTreeSet<&str> = ROWS.iter().map(Row::pair).collect();
    assert_eq!(pairs.len(), 26, "{pairs:#?}");
    let names: Vec<String> = (1..=ROWS.len()).map(|number| format!("row-{number}")).collect();
    let host = Host::start();
    let folders: Vec<&str> = names.iter().map(String::as_str).collect();
    host.plugin("scripted-target", &folders);
    host.plugin("scripted-gate", &[]);
    host.plugin("hostile-phase", &[]);
    let shown = thread::scope(|scope| {
        let rows = ROWS.iter().zip(&names);
        let rows: Vec<_> = rows.map(|(row, name)| scope.spawn(|| row.play(&host, name))).collect();
        rows.into_iter().map(|row| row.join().expect("it has said above what is wrong")).collect::<Vec<_>>()
    });
    assert_eq!(shown, ROWS.map(|row| row.shows));
}

impl Row {
    fn pair(&self) -> &'static str {
        self.shows.split(' ').next().unwrap()
    }

    fn play(&self, host: &Host, name: &str) -> String {
        let place = Place::new(host, name, name, &self.rules);
        let number = (self.drive)(&place);
        shown(&place.project.comes_to(number, self.pair()))
    }
}

fn shown(deployment: &Deployment) -> String {
    let partial = if deployment.partial { " partial" } else { "" };
    format!("{} {}{partial} {}", pair_of(deployment), deployment.status, deployment.environment_status)
}

/// The project has room for one: who waited goes before who wants to go on.
fn make_room(place: &Place) -> u64 {
    let number = place.deploy_and_hold();
    place.deploy_elsewhere();
    place.hold("plan");
    place.let_go("apply");
    number
}

fn cancel(place: &Place, number: u64, force: bool) -> u64 {
    let cancel = Cancel { reason: "not today".to_owned(), force };
    block_on(place.admin.client.cancel(&place.project.name, number, &cancel)).unwrap();
    number
}

#[test]
fn a_release_shows_its_status_and_where_it_got_to() {
    let host = Host::shared();
    let project = Project::create(&host, "releases", "environments: { test: {} }\nworkflows: { go: { phases: [] } }");
    let client = &project.ann.client;
    let shown = |release: &Release| format!("{} {}", release.status, release.lifecycle);
    let is = |tag: &str| shown(&block_on(client.release("releases", tag)).unwrap());
    let in_test = |tag: &str| block_on(client.release("releases", tag)).unwrap().environments["test"].clone();

    let draft = NewRelease { tag: "v1".to_owned(), draft: true, ..NewRelease::default() };
    let draft = block_on(client.create_release("releases", &draft, None)).unwrap();
    assert_eq!((shown(&draft).as_str(), draft.digest), ("Draft Ready", None));
    let active = block_on(client.start_release("releases", "v1")).unwrap();
    assert_eq!((shown(&active).as_str(), active.digest.is_some()), ("Active Ready", true));

    assert_eq!(in_test("v1"), "NotStarted");
    project.assert_succeeds(project.deploy("v1", "test"));
    assert_eq!((is("v1").as_str(), in_test("v1").as_str()), ("Active Deployed", "Succeeded"));
    project.release("v2");
    project.assert_succeeds(project.deploy("v2", "test"));
    assert_eq!([is("v1"), is("v2")], ["Active Superseded", "Active Deployed"]);

    let abandoned = block_on(client.abandon_release("releases", "v1")).unwrap();
    assert_eq!(shown(&abandoned), "Abandoned Superseded");
    let refused = [
        block_on(client.deploy("releases", "test", &of_release("v1"), None)).refused(),
        block_on(client.start_release("releases", "v1")).refused(),
        block_on(client.abandon_release("releases", "v1")).refused(),
    ];
    assert_eq!(refused.map(|problem| problem.status), [409; 3]);
}
