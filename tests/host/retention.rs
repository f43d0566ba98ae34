//! A host that forgets what ended long ago, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use lockgate::client::{ClientError, DeploymentFilter};
use lockgate_journal::{Journal, Options};

use crate::copies::back_up_and_restore;
use crate::harness::{Host, Project, block_on, chance, files, wait};
use crate::kill_anytime::pass;

const FILE: &str = "
environments:
  quick: { workflow: quick }
  asked: { workflow: quick, approvals: { rules: [{ groups: [operators] }] } }
workflows:
  quick: { phases: [{ name: work, plugin: hostile-phase, config: { do: say, ms: 0 } }] }
";
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// A few deployments each.
const SMALL_SEGMENT: u64 = 16 << 10;

/// Makes all that has happened so far older by these days, and its journal one of many segments.
fn age(data: &Path, days: i64) {
    let (young, old) = (data.join("journal"), data.join("journal.old"));
    let (journal, _) = Journal::open(&old, Options { segment_bytes: SMALL_SEGMENT, ..Options::default() }).unwrap();
    let (done, written) = mpsc::channel();
    for record in lockgate_journal::read(&young).unwrap().2.map(Result::unwrap) {
        let done = done.clone();
        let payload = older(&record.payload, days * DAY_MS);
        journal.append(&record.stream, vec![payload], move |result| done.send(result).unwrap());
        written.recv().unwrap().unwrap();
    }
    drop(journal);
    fs::remove_dir_all(&young).unwrap();
    fs::rename(old, young).unwrap();
    fs::remove_dir_all(data.join("index")).unwrap();
}

/// An event says first when it was.
fn older(event: &[u8], ms: i64) -> Vec<u8> {
    let text = std::str::from_utf8(event).unwrap();
    let (at, rest) = text.strip_prefix("{\"at\":").unwrap().split_once(',').unwrap();
    format!("{{\"at\":{},{rest}", at.parse::<i64>().unwrap() - ms).into_bytes()
}

/// What is known of a project, but for what ended before the events that are there.
struct Known {
    listed: BTreeSet<u64>,
    waiting: Vec<String>,
    live: Option<String>,
}

impl Known {
    fn of(project: &Project, waiting: u64) -> Self {
        let told = |event: lockgate::wire::Event| format!("{} {}", event.sequence, event.text);
        Self {
            listed: project.deployments().iter().map(|deployment| deployment.number).collect(),
            waiting: project.events(waiting).into_iter().map(told).collect(),
            live: project.live("quick"),
        }
    }
}

/// A project whose first deployments ended two months ago, with one that has waited since, and then some of today.
struct Aged {
    host: Host,
    project: Project,
    waiting: u64,
    of_today: u64,
    before: Known,
}

impl Aged {
    fn new() -> Self {
        let mut host = Host::start();
        host.plugin("hostile-phase", &[]);
        let project = Project::create(&host, "shop", FILE);
        ["v0", "v1", "v2"].iter().for_each(|tag| project.release(tag));
        let deploy = |tag: &str| {
            let number = project.deploy(tag, "quick");
            project.assert_succeeds(number);
            number
        };
        let waiting = project.deploy("v1", "asked");
        project.wait_for_approval(waiting);
        deploy("v0");
        (0..12).for_each(|_| _ = deploy("v1"));
        deploy("v2");
        host.kill();
        age(&host.data(), 60);
        host.restart();
        // As many as bear out what time it is.
        (0..12).for_each(|_| _ = deploy("v2"));
        let of_today = deploy("v2");
        let before = Known::of(&project, waiting);
        assert_eq!(before.listed.len(), 28);
        Self { host, project, waiting, of_today, before }
    }

    fn forget(&mut self) {
        self.host.flags(&["--retention", "30d"]);
        self.host.restart();
    }

    fn dropped(&self) -> u64 {
        block_on(self.host.admin().client.storage()).unwrap().dropped_events
    }

    fn is_forgotten(&self, number: u64) -> bool {
        match block_on(self.project.ann.client.deployment("shop", number)) {
            Ok(_) => false,
            Err(ClientError::Problem { problem }) if problem.status == 410 => {
                assert!(problem.detail.contains("is not kept any more"), "{}", problem.detail);
                true
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Until nothing goes any more: the last segments have something of today.
    fn until_forgotten(&self) {
        wait("what is old to be forgotten", || (self.dropped() > 0 && self.is_forgotten(2)).then_some(()));
    }

    /// What had ended is gone, or still there where only a part of the old segments has gone; all else is as it was.
    fn check(&self) {
        let now = Known::of(&self.project, self.waiting);
        assert!(now.listed.is_subset(&self.before.listed));
        assert!(now.listed.contains(&self.waiting) && now.listed.contains(&self.of_today));
        assert_eq!((now.live, now.waiting), (self.before.live.clone(), self.before.waiting.clone()));
        let verified = self.host.command(&["audit", "verify", self.host.data().to_str().unwrap()]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }

    fn lose_the_index(&mut self) {
        self.host.kill();
        fs::remove_dir_all(self.host.data().join("index")).unwrap();
        self.host.restart();
    }
}

#[test]
fn what_ended_long_ago_is_forgotten_and_nothing_else() {
    let mut aged = Aged::new();
    let log_of = |aged: &Aged, number: u64| aged.host.data().join(format!("logs/shop/{number}"));
    assert!(log_of(&aged, 2).exists());
    aged.forget();
    aged.until_forgotten();
    aged.check();
    assert!(!log_of(&aged, 2).exists() && log_of(&aged, aged.of_today).exists());
    let shown = aged.host.as_admin(&["storage"]);
    assert!(shown.out.contains("KEPT     30 days; "), "{}", shown.out);
    let shown = aged.host.as_admin(&["deployment", "show", "2", "-p", "shop"]);
    assert!(shown.code != Some(0) && shown.said.contains("is not kept any more"), "{}", shown.said);
    let verified = aged.host.command(&["audit", "verify", aged.host.data().to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&verified.stdout).contains("records before them were dropped"));

    let listed = Known::of(&aged.project, aged.waiting).listed;
    aged.lose_the_index();
    aged.check();
    assert_eq!(Known::of(&aged.project, aged.waiting).listed, listed, "nothing comes back");
    assert!(aged.is_forgotten(2) && !aged.is_forgotten(aged.of_today));

    let shown = block_on(aged.project.ann.client.release("shop", "v0")).unwrap();
    assert!(!shown.environments.contains_key("quick") && shown.environments.contains_key("asked"), "{shown:?}");
    let back = aged.project.roll_back("quick");
    aged.project.assert_succeeds(back);
    assert_eq!((back, aged.project.live("quick").as_deref()), (29, Some("v1")));
    aged.project.approve(aged.waiting);
    aged.project.assert_succeeds(aged.waiting);
}

#[test]
fn a_backup_and_an_export_have_what_stands_for_what_was_dropped() {
    let mut aged = Aged::new();
    aged.forget();
    aged.until_forgotten();
    let listed = Known::of(&aged.project, aged.waiting).listed;
    let restored = back_up_and_restore(&aged.host);
    let export = |host: &Host, data: &Path| host.command(&["journal", "export", data.to_str().unwrap()]).stdout;
    let text = export(&aged.host, &restored);
    assert!(text.starts_with(b"{\"format\":\"lockgate-journal\",\"version\":2,"));
    let (file, imported) = (aged.host.place("exports").join("all"), aged.host.place("imported").join("data"));
    fs::write(&file, &text).unwrap();
    let ran = aged.host.command(&["journal", "import", file.to_str().unwrap(), "--data", imported.to_str().unwrap()]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(export(&aged.host, &imported), text);
    crate::copies::take_over(&mut aged.host, &restored);
    aged.check();
    assert_eq!(Known::of(&aged.project, aged.waiting).listed, listed);
    aged.project.approve(aged.waiting);
    aged.project.assert_succeeds(aged.waiting);
}

/// What stands for dropped events cannot be made again. The file is of the release that wrote them first, and stays.
#[test]
fn what_stands_for_dropped_events_is_read_for_ever() {
    let mut host = Host::not_started();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("host/retention");
    let (export, data) = (kept.join("dropped.jsonl"), host.data());
    let ran = host.command(&["journal", "import", export.to_str().unwrap(), "--data", data.to_str().unwrap()]);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    fs::copy(kept.join("admin-token"), data.join("admin-token")).unwrap();
    host.restart();
    let client = host.admin().client;
    assert_eq!(block_on(client.storage()).unwrap().dropped_events, 118);
    let listed = block_on(client.deployments("shop", &DeploymentFilter::default())).unwrap().items;
    assert_eq!(listed.iter().map(|deployment| deployment.number).collect::<Vec<_>>(), [15, 14, 13, 12, 11, 1]);
    let told = |number| {
        let rows = block_on(client.events("shop", number, 0)).unwrap().items;
        rows.into_iter().map(|row| (row.sequence, row.event_type)).collect::<Vec<_>>()
    };
    let queued = |sequence| (sequence, "queued".to_owned());
    assert_eq!((told(1)[0].clone(), told(1).len() >= 3), (queued(10), true));
    assert_eq!((told(11)[0].clone(), told(11).last().unwrap().0), (queued(112), 122));
    let project = block_on(client.project("shop")).unwrap();
    let quick = project.environments.iter().find(|environment| environment.name == "quick").unwrap();
    assert_eq!(quick.live.as_ref().unwrap().release, "v2");
}

#[test]
fn whenever_a_host_that_forgets_is_killed_the_rest_is_whole() {
    let mut aged = Aged::new();
    aged.host.kill();
    let kept = aged.host.place("kept").join("data");
    copy(&aged.host.data(), &kept);
    let (rounds, mut random) = chance(12, 1);
    let mut interrupted = 0;
    for _ in 0..rounds {
        fs::remove_dir_all(aged.host.data()).unwrap();
        copy(&kept, &aged.host.data());
        aged.host.flags(&["--retention", "30d"]);
        aged.host.begin();
        wait("it to listen", || aged.host.listens().then_some(()));
        pass(&mut random, Duration::from_millis(60));
        aged.host.kill();
        aged.host.flags(&[]);
        if random.bool() {
            fs::remove_dir_all(aged.host.data().join("index")).unwrap();
        }
        aged.host.restart();
        interrupted += u64::from(aged.dropped() > 0);
        aged.check();
        aged.forget();
        aged.until_forgotten();
        aged.check();
    }
    assert!(interrupted > 0 || rounds < 12, "none was hit when it had dropped something");
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let to = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&file, to).unwrap();
    }
}
