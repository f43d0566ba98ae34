//! The disk of the data folder is full, or takes no changes: that is told in words, and nothing is lost that was said.

use std::fs;
use std::path::PathBuf;

use lockgate::client::ClientError;
use lockgate::wire::{NewRelease, Problem};

use crate::harness::{Host, Power, Project, Refused, SmallDisk, block_on, files, wait};

/// Two segments of the journal, a snapshot of as many releases in an index and in the one before it, and what else a host has.
const MEGABYTES: usize = 128;
/// A segment has 16 MiB.
const FILLS_A_SEGMENT: usize = 1_100;
const RELEASE_BYTES: usize = 16 << 10;

#[test]
fn a_full_disk_refuses_what_it_cannot_keep_and_the_host_goes_on_when_there_is_room() {
    let mut host = Host::not_started();
    let Some(disk) = SmallDisk::mount(&host.data(), MEGABYTES) else { return };
    host.restart();
    let project = of_one_phase(&host);
    disk.fill();
    let (kept, refused) = release_until_refused(&project);
    assert_eq!((refused.status, refused.code.as_str()), (507, "not-written"), "{}", refused.detail);
    assert!(refused.detail.contains("make room on the disk of the data folder"), "{}", refused.detail);
    assert!(host.is_alive());
    expect_releases(&project, kept);
    let is_draft = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "tmp");
    let left: Vec<PathBuf> = files(&host.data()).into_iter().filter(is_draft).collect();
    assert!(left.is_empty(), "what did not fit keeps the disk full: {left:?}");

    disk.make_room();
    release(&project, kept).unwrap();
    let number = project.deploy("v0", "test");
    project.assert_succeeds(number);
    assert!(host.said().contains("the index takes and gives nothing until it can go on"), "{}", host.said());
    wait("an index that goes on by itself", || {
        host.as_admin(&["storage"]).out.contains("INDEX    whole").then_some(())
    });
    assert_eq!(project.deployments().len(), 1);
    host.kill();
    host.restart();
    expect_releases(&project, kept + 1);
    project.assert_succeeds(number);
    assert_eq!(project.deployments().len(), 1, "what ended is listed after a hard stop, too");
    expect_verified(&host);
}

#[test]
fn what_a_plugin_says_while_the_disk_is_full_waits_for_room() {
    let mut host = Host::not_started();
    let Some(disk) = SmallDisk::mount(&host.data(), MEGABYTES) else { return };
    host.restart();
    host.plugin("hostile-phase", &[]);
    let project = Project::with_phase(&host, "kept", "hostile-phase", "{ do: log-flood, times: 20, bytes: 100 }");
    project.release("v1");
    disk.fill();
    // The journal has its room already.
    let number = project.deploy("v1", "test");
    wait("lines that wait", || host.said().contains("log lines wait for room on the disk").then_some(()));
    disk.make_room();
    project.assert_succeeds(number);
    assert_eq!(project.log(number, "work").len(), 20);
}

#[test]
fn a_full_disk_at_the_start_is_told_with_what_to_do_and_loses_nothing() {
    let mut host = Host::not_started();
    let Some(disk) = SmallDisk::mount(&host.data(), MEGABYTES) else { return };
    host.restart();
    let project = of_one_phase(&host);
    release(&project, 0).unwrap();
    host.kill();
    disk.fill();
    let ended = host.try_restart().unwrap_err();
    assert_eq!(ended.code, Some(70));
    assert!(ended.said.contains("Make room on the disk that holds the data folder"), "{}", ended.said);
    let is_there = |name: &str| host.data().join(name).exists();
    assert!(is_there("index") && !is_there("index.broken"), "to build another takes more room");

    disk.make_room();
    host.restart();
    expect_releases(&project, 1);
}

#[test]
fn what_is_kept_of_a_broken_index_makes_room_for_a_start() {
    let mut host = Host::not_started();
    let Some(disk) = SmallDisk::mount(&host.data(), MEGABYTES) else { return };
    host.restart();
    let project = of_one_phase(&host);
    release(&project, 0).unwrap();
    host.kill();
    let broken = host.data().join("index.broken");
    fs::create_dir(&broken).unwrap();
    disk.fill_by(&broken.join("db"));
    host.restart();
    assert!(!broken.exists());
    expect_releases(&project, 1);
}

#[test]
fn a_read_only_disk_is_told_with_what_to_do_and_changes_nothing() {
    let mut host = Host::not_started();
    let Some(disk) = SmallDisk::mount(&host.data(), MEGABYTES) else { return };
    host.restart();
    let project = of_one_phase(&host);
    release(&project, 0).unwrap();
    host.kill();
    disk.refuse_changes();
    let ended = host.try_restart().unwrap_err();
    assert_eq!(ended.code, Some(70));
    assert!(ended.said.contains("The disk is mounted read-only: mount it writable"), "{}", ended.said);

    disk.take_changes();
    host.restart();
    expect_releases(&project, 1);
}

#[test]
fn a_disk_that_turns_read_only_stops_the_host_before_it_promises_what_it_cannot_keep() {
    let mut host = Host::not_started();
    let Some(mut power) = Power::mount(&host.data(), 1) else { return };
    host.restart();
    let project = of_one_phase(&host);
    release(&project, 0).unwrap();
    power.refuse_changes();
    let unanswered = release(&project, 1).unwrap_err();
    assert!(!matches!(unanswered, ClientError::Unreachable { .. }), "{unanswered}");
    let ended = host.end();
    assert_eq!(ended.code, Some(70));
    assert!(ended.said.contains("the journal cannot be written; the host stops"), "{}", ended.said);

    power.take_changes();
    host.restart();
    expect_releases(&project, 1);
    release(&project, 1).unwrap();
    expect_verified(&host);
}

fn of_one_phase(host: &Host) -> Project {
    host.plugin("hostile-phase", &[]);
    Project::with_phase(host, "kept", "hostile-phase", "{ do: done }")
}

/// As large as the API takes one.
fn release(project: &Project, index: usize) -> Result<(), ClientError> {
    let new = NewRelease { tag: format!("v{index}"), description: "x".repeat(RELEASE_BYTES), ..NewRelease::default() };
    block_on(project.ann.client.create_release(&project.name, &new, None)).map(drop)
}

fn release_until_refused(project: &Project) -> (usize, Problem) {
    let refused = (0..FILLS_A_SEGMENT).find_map(|index| Some((index, release(project, index).err()?)));
    let (kept, refused) = refused.expect("the journal has room for more than a segment");
    (kept, Err::<(), _>(refused).refused())
}

fn expect_releases(project: &Project, count: usize) {
    for index in 0..count {
        let release = block_on(project.ann.client.release(&project.name, &format!("v{index}"))).unwrap();
        assert_eq!(release.description.len(), RELEASE_BYTES, "v{index}");
    }
}

fn expect_verified(host: &Host) {
    let verified = host.command(&["audit", "verify", host.data().to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
