//! What a host has acknowledged to its customers, and what has to come of it however often it is gone.
//!
//! Its customers release, deploy and approve as fast as they get answers. Each deployment opens two tickets at a desk
//! in the world outside, which opens one for each idempotency key: a ticket that is there twice was asked for with two.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lockgate::client::ClientError;
use lockgate::wire::{Grants, HttpGrant};

use crate::harness::{Desk, Host, Project, block_on, wait};

/// What customers ask for between two ends of the host, at most.
const MOST_ASKED: usize = 12;
/// Enough that a kill hits several that are under way.
const ENVIRONMENTS: [&str; 4] = ["one", "two", "three", "signed"];
/// Between an effect and its answer: a kill there has the effect asked for again.
const DESK_PAUSE: Duration = Duration::from_millis(10);
/// What is deployed.
const RELEASE: &str = "first";
const SIGNED: &str = "signed";
const PHASES: [&str; 2] = ["first", "second"];

pub struct Promises {
    project: Project,
    desk: Desk,
    /// By the number in their tag.
    releases: BTreeSet<usize>,
    /// Idempotency-Key of a trigger to its number, where the host lived to tell.
    deployments: BTreeMap<usize, Option<u64>>,
    /// Numbers of those that were approved, and the host said so.
    approved: BTreeSet<u64>,
}

/// What a customer has asked, and the answer: nobody knows what came of a question without one.
pub enum Said {
    Release(usize),
    Deployment(usize, Option<u64>),
    Approved(u64),
}

impl Promises {
    pub fn of(host: &Host) -> Self {
        let desk = Desk::open_with(DESK_PAUSE);
        let http = vec![HttpGrant::new(&desk.url(), true)];
        host.plugin_with("http-request", Grants { http, ..Grants::default() });
        let project = Project::create(host, "promised", &file(&desk.url()));
        project.release(RELEASE);
        Self { project, desk, releases: BTreeSet::new(), deployments: BTreeMap::new(), approved: BTreeSet::new() }
    }

    /// They come now, to a host that listens, and stay until it is gone or they have asked enough.
    pub fn customers(&self) -> JoinHandle<Vec<Said>> {
        let (project, first, mut unsigned) = (self.project.clone(), self.deployments.len(), self.unsigned());
        thread::spawn(move || {
            let mut said = Vec::new();
            let mut turns = first..first + MOST_ASKED;
            while turns.next().is_some_and(|index| ask(&project, index, &mut unsigned, &mut said).is_some()) {}
            said
        })
    }

    /// Only the first of them can be waiting for an approval: the others wait for it.
    fn unsigned(&self) -> VecDeque<u64> {
        let signed = self.deployments.iter().filter(|(index, _)| environment_of(**index) == SIGNED);
        signed.filter_map(|(_, number)| *number).filter(|number| !self.approved.contains(number)).collect()
    }

    /// Of a host that is gone. Gives how much it has acknowledged.
    pub fn heard(&mut self, customers: JoinHandle<Vec<Said>>) -> usize {
        let said = customers.join().unwrap();
        let unanswered = said.iter().filter(|said| matches!(said, Said::Deployment(_, None))).count();
        let acknowledged = said.len() - unanswered;
        for said in said {
            match said {
                Said::Release(index) => drop(self.releases.insert(index)),
                Said::Deployment(index, number) => drop(self.deployments.insert(index, number)),
                Said::Approved(number) => drop(self.approved.insert(number)),
            }
        }
        acknowledged
    }

    /// Of plugins, as the world outside has heard them.
    pub fn calls(&self) -> usize {
        self.desk.requests()
    }

    pub fn wait_for_a_call_after(&self, calls: usize) {
        wait("a call of a plugin", || (self.calls() > calls).then_some(()));
    }

    /// After each start. What nobody knows of is asked for again: it happens once.
    pub fn are_kept(&mut self, host: &Host) {
        // sled may, over what a power cut left of its files: then the index is made again.
        let panicked: Vec<String> =
            host.said_ever().lines().filter(|line| is_panic_of_ours(line)).map(str::to_owned).collect();
        assert!(panicked.is_empty(), "{panicked:?}");
        let project = &self.project;
        // First of all: what was lost would have its number again as soon as it is asked for once more.
        for (index, number) in self.deployments.iter().rev().take(2 * MOST_ASKED) {
            let there = number.map(|number| project.deployment(number).environment);
            assert!(there.is_none_or(|there| there == environment_of(*index)), "{number:?} is not what was asked for");
        }
        for (index, promised) in self.deployments.iter_mut().rev().take(2 * MOST_ASKED) {
            let number = deploy(project, *index).unwrap_or_else(|error| panic!("{index}: {error}"));
            assert_eq!(*promised.get_or_insert(number), number, "the same key is the same deployment");
        }
        // Approved by one who was not told.
        let unsigned = self.unsigned();
        self.approved.extend(unsigned.into_iter().take_while(|number| is_approved(project, *number)));
        self.releases.iter().rev().take(MOST_ASKED).for_each(|index| expect_release(project, *index));
        for number in self.approved.iter().rev().take(MOST_ASKED) {
            assert!(is_approved(project, *number), "the approval of {number} is gone");
        }
    }

    /// At the very end: everything comes to its end, and its tickets were opened once. Says what was promised.
    pub fn come_true(mut self, host: &mut Host) -> String {
        self.are_kept(host);
        let project = &self.project;
        let numbers: BTreeSet<u64> = self.deployments.values().flatten().copied().collect();
        assert_eq!(numbers.len(), self.deployments.len(), "each key is a deployment of its own");
        let unsigned = self.unsigned();
        for number in &numbers {
            if unsigned.contains(number) && !is_approved(project, *number) {
                project.wait_for_approval(*number);
                project.approve(*number);
            }
            project.assert_succeeds(*number);
        }
        let there: BTreeSet<u64> = project.deployments().iter().map(|deployment| deployment.number).collect();
        assert_eq!(there, numbers, "no trigger was done twice");
        self.releases.iter().for_each(|index| expect_release(project, *index));
        assert!(self.approved.iter().all(|number| is_approved(project, *number)));

        let mut opened: BTreeMap<String, isize> =
            numbers.iter().flat_map(|number| PHASES.map(|phase| (format!("promised/{number} {phase}"), -1))).collect();
        let tickets = self.desk.tickets();
        tickets.iter().for_each(|ticket| *opened.entry(ticket.title.clone()).or_default() += 1);
        opened.retain(|_, more| *more != 0);
        assert_eq!(opened, BTreeMap::new(), "each effect happens once: so many more, or less, did");
        let repeated = self.calls() - tickets.len();
        assert!(repeated > 0, "no end came between an effect and its answer");
        host.kill();
        let verified = host.command(&["audit", "verify", host.data().to_str().unwrap()]);
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
        format!(
            "{} deployments, {} releases and {} approvals were kept; {repeated} of {} effects were asked for again with their key",
            numbers.len(),
            self.releases.len(),
            self.approved.len(),
            tickets.len()
        )
    }
}

fn file(desk: &str) -> String {
    let phase = |name: &str| {
        let body = format!("{{ title: \"{{{{deployment}}}} {name}\" }}");
        format!("{{ name: {name}, plugin: http-request, config: {{ url: \"{desk}/changes\", body: {body} }} }}")
    };
    format!(
        "environments:
  one: {{ workflow: tell }}
  two: {{ workflow: tell }}
  three: {{ workflow: tell }}
  signed: {{ workflow: tell, approvals: {{ rules: [{{ groups: [operators] }}] }} }}
workflows:
  tell: {{ phases: [{}] }}
",
        PHASES.map(phase).join(", ")
    )
}

/// A deployment, now and then a release before it, and an approval of what waits for one. None when the host is gone.
fn ask(project: &Project, index: usize, unsigned: &mut VecDeque<u64>, said: &mut Vec<Said>) -> Option<()> {
    if index.is_multiple_of(4) {
        answer(project.try_release(&tag(index), Vec::new()))?;
        said.push(Said::Release(index));
    }
    let number = answer(deploy(project, index));
    said.push(Said::Deployment(index, number));
    // Too early is no mistake: it may not have come so far.
    let approved = unsigned.pop_front_if(|number| project.try_approve(&project.bob, *number).is_ok());
    said.extend(approved.map(Said::Approved));
    number.map(drop)
}

fn is_panic_of_ours(line: &str) -> bool {
    line.contains("panicked at") && !line.contains("/sled-")
}

fn tag(index: usize) -> String {
    format!("v{index}")
}

fn expect_release(project: &Project, index: usize) {
    block_on(project.ann.client.release(&project.name, &tag(index))).unwrap_or_else(|error| panic!("{index}: {error}"));
}

fn environment_of(index: usize) -> &'static str {
    ENVIRONMENTS[index % ENVIRONMENTS.len()]
}

fn deploy(project: &Project, index: usize) -> Result<u64, ClientError> {
    project.try_deploy(RELEASE, environment_of(index), Some(&format!("promised-{index}")))
}

fn is_approved(project: &Project, number: u64) -> bool {
    let answers = project.deployment(number).approval.map(|approval| approval.answers).unwrap_or_default();
    answers.iter().any(|answer| answer.person == format!("bob-{}", project.name))
}

/// A host that is gone does not answer; one that is there does not refuse what these customers ask.
fn answer<T>(answered: Result<T, ClientError>) -> Option<T> {
    match answered {
        Ok(answer) => Some(answer),
        Err(ClientError::Unreachable { .. } | ClientError::Unanswered { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}
