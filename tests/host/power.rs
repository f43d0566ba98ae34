//! The power is cut under the host: it is killed, and its disk forgets what was not synced, or keeps a part of it.

use std::fs;
use std::time::Duration;

use crate::copies::back_up;
use crate::harness::{Host, Power, Project, chance};
use crate::kill_anytime::{live_and_die, pass};
use crate::promises::Promises;

const ROUNDS: usize = 24;
const SEED: u64 = 20_261_123;

/// Of new hosts, each with a disk of its own.
const BEGINNINGS: usize = 20;
/// A new host needs longer than one that has been there.
const MOST_BEGINNING: Duration = Duration::from_millis(1_000);

#[test]
fn a_new_host_whose_power_is_cut_while_it_begins_begins_again() {
    let (rounds, mut random) = chance(BEGINNINGS, SEED);
    for round in 0..rounds {
        let mut host = Host::not_started();
        let Some(mut power) = Power::mount(&host.data(), random.u64(..)) else { return };
        host.begin();
        pass(&mut random, MOST_BEGINNING);
        let listened = host.listens();
        host.kill();
        println!("{round}: listened {listened}, {}", power.cut().trim());
        host.restart();
        assert!(host.is_alive(), "its administrator's token lets in");
    }
}

/// Every other one comes to its end.
const RESTORES: usize = 12;
const MOST_RESTORING: Duration = Duration::from_millis(400);

#[test]
fn what_was_restored_survives_a_power_cut_and_half_of_it_is_not_taken_for_a_host() {
    let (rounds, mut random) = chance(RESTORES, SEED);
    let origin = Origin::new();
    for round in 0..rounds {
        let mut host = Host::not_started();
        let Some(mut power) = Power::mount(&host.data(), random.u64(..)) else { return };
        let mut restoring = host.begin_command(&["backup", "restore", &origin.backup, "--data", &host.data_named()]);
        let is_stopped = round % 2 == 0;
        if is_stopped {
            pass(&mut random, MOST_RESTORING);
            restoring.kill().unwrap();
        }
        let restored = restoring.wait_with_output().unwrap();
        let done = restored.status.success();
        assert!(done || is_stopped, "{}", String::from_utf8_lossy(&restored.stderr));
        println!("{round}: done {done}, {}", power.cut().trim());
        let found = host.command(&["journal", "export", &host.data_named()]);
        if found.status.success() {
            assert_eq!(found.stdout, origin.exported);
            origin.is_there(&mut host);
        } else {
            assert!(!done, "{}", String::from_utf8_lossy(&found.stderr));
            is_no_host(&mut host);
        }
    }
}

/// A host with one deployment, backed up.
struct Origin {
    host: Host,
    project: Project,
    number: u64,
    /// Lines in its log.
    said: usize,
    backup: String,
    exported: Vec<u8>,
}

impl Origin {
    fn new() -> Self {
        let host = Host::start();
        host.plugin("hostile-phase", &[]);
        let project = Project::with_phase(&host, "shop", "hostile-phase", "{ do: say, ms: 0 }");
        project.release("v1");
        let number = project.deploy("v1", "test");
        project.assert_succeeds(number);
        let said = project.log(number, "work").len();
        assert!(said > 0);
        let backup = back_up(&host).to_str().unwrap().to_owned();
        let exported = host.command(&["journal", "export", &host.data_named()]);
        assert!(exported.status.success());
        Self { host, project, number, said, backup, exported: exported.stdout }
    }

    /// In a host that was made of its backup.
    fn is_there(&self, host: &mut Host) {
        fs::copy(self.host.data().join("admin-token"), host.data().join("admin-token")).unwrap();
        host.restart();
        let project = self.project.on(host);
        project.assert_succeeds(self.number);
        assert_eq!(project.log(self.number, "work").len(), self.said);
    }
}

/// Nothing was on the disk, and a new host begins; or there was a part, and none does.
fn is_no_host(host: &mut Host) {
    let is_part = fs::read_dir(host.data()).unwrap().any(|entry| entry.unwrap().file_name() != "lock");
    match host.try_restart() {
        Ok(()) => assert!(!is_part, "a host began on a part"),
        Err(ended) => assert!(ended.said.contains("a restore was interrupted"), "{}", ended.said),
    }
}

#[test]
fn a_host_whose_power_is_cut_keeps_its_promises() {
    let (rounds, mut random) = chance(ROUNDS, SEED);
    let mut host = Host::not_started();
    let Some(mut power) = Power::mount(&host.data(), random.u64(..)) else { return };
    host.restart();
    let promises = Promises::of(&host);
    let cut = |host: &mut Host| {
        host.kill();
        print!("{}", power.cut());
    };
    let counts = live_and_die(&mut host, promises, random, rounds, cut);
    println!("{counts}");
}
