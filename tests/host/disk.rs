//! What a host finds when it starts: taken ports, taken folders, and a journal that is not what it was.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::harness::{Host, Project, free_address, one_phase, wait};

const SEGMENT_HEADER_BYTES: u64 = 32;

#[test]
fn a_port_in_use_is_told_with_the_address() {
    let (host, mut second) = (Host::start(), Host::not_started());
    let data = second.data();
    let ended = second.try_serve(&data, host.address()).unwrap_err();
    assert_ne!(ended.code, Some(0));
    let expected = format!("port {} is in use at 127.0.0.1", host.address().port());
    assert!(ended.said.contains(&expected), "{}", ended.said);
    assert!(host.is_alive());
}

#[test]
fn a_data_folder_belongs_to_one_host_at_a_time() {
    let (host, mut second) = (Host::start(), Host::not_started());
    let ended = second.try_serve(&host.data(), free_address()).unwrap_err();
    assert_ne!(ended.code, Some(0));
    let expected = format!(
        "the data folder {} is in use by the host with process id {}",
        host.data().display(),
        host.process_id()
    );
    assert!(ended.said.contains(&expected), "{}", ended.said);
    assert!(host.is_alive());
}

#[test]
fn a_data_folder_that_is_a_file_is_refused_with_its_name() {
    let mut host = Host::not_started();
    fs::write(host.data(), "a file").unwrap();
    let ended = host.try_restart().unwrap_err();
    assert_ne!(ended.code, Some(0));
    assert!(ended.said.contains(host.data().to_str().unwrap()), "{}", ended.said);
}

#[test]
fn an_unfinished_write_at_the_end_of_the_journal_is_cut_off_and_told() {
    let mut host = Host::start();
    let project = Project::create(&host, "kept", &one_phase("later", "{}"));
    host.kill();
    let segment = host.segment();
    let end = end_of_records(&segment);
    let torn = [&300_u32.to_le_bytes()[..], &[0xab; 60]].concat();
    write_at(&segment, end, &torn);

    host.restart();
    let said = host.said();
    assert!(said.contains("ended in an unfinished write") && said.contains(&format!("offset {end}")), "{said}");
    assert_eq!(project.environment("test").name, "test");
    host.restart();
    assert!(!host.said().contains("unfinished write"), "it is told once");
    verify(&host, true);
}

#[test]
fn damage_in_the_middle_of_the_journal_stops_the_host_with_the_place() {
    let mut host = Host::start();
    let project = Project::create(&host, "kept", &one_phase("later", "{}"));
    host.kill();
    let segment = host.segment();
    let good = fs::read(&segment).unwrap();
    let place = SEGMENT_HEADER_BYTES + 100;
    write_at(&segment, place, &[good[place as usize] ^ 1]);

    let ended = host.try_restart().unwrap_err();
    assert_ne!(ended.code, Some(0));
    for words in ["the journal is damaged", "byte 32", "record 1", segment.to_str().unwrap()] {
        assert!(ended.said.contains(words), "`{words}` is missing in: {}", ended.said);
    }
    verify(&host, false);

    write_at(&segment, place, &good[place as usize..][..1]);
    host.restart();
    assert_eq!(project.environment("test").name, "test");
}

#[test]
fn a_lost_index_is_made_again_from_the_journal() {
    let mut host = Host::start();
    host.plugin("hostile-phase", &[]);
    let project = Project::with_phase(&host, "kept", "hostile-phase", "{ do: done }");
    project.release("v1");
    let number = project.deploy("v1", "test");
    project.assert_succeeds(number);
    let history = || project.events(number).into_iter().map(|event| event.event_type).collect::<Vec<_>>();
    let before = history();
    assert!(before.contains(&"finished".to_owned()), "{before:?}");
    host.kill();
    fs::remove_dir_all(host.data().join("index")).unwrap();

    host.restart();
    project.assert_succeeds(number);
    assert_eq!(history(), before);
    assert_eq!(project.live("test").as_deref(), Some("v1"));
}

#[test]
fn a_folder_that_is_whole_says_so() {
    let host = Host::start();
    let shown = wait("the index to be checked", || {
        let ran = host.as_admin(&["storage"]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.said);
        (!ran.out.contains("being checked")).then_some(ran.out)
    });
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("JOURNAL  ") && lines[0].ends_with(", whole"), "{shown}");
    assert_eq!(lines[1], "INDEX    whole");
    assert!(lines[2].starts_with("DISK     ") && lines[2].ends_with("iB free"), "{shown}");
}

fn verify(host: &Host, clean: bool) {
    let verified = host.command(&["audit", "verify", host.data().to_str().unwrap()]);
    let said = format!("{}{}", String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
    assert_eq!(verified.status.success(), clean, "{said}");
}

/// After it the segment is zeros; a record is JSON and does not end with one.
fn end_of_records(segment: &Path) -> u64 {
    let bytes = fs::read(segment).unwrap();
    bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1
}

fn write_at(path: &Path, place: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(place)).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
}
