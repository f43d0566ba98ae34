//! What a host finds when it starts: taken ports, taken folders, and a journal that is not what it was.

use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc;

use lockgate::client::ClientError;
use lockgate_journal::{Journal, Options};

use crate::harness::{Host, Project, Ran, block_on, free_address, one_phase, wait};

const SEGMENT_HEADER_BYTES: u64 = 32;
/// After these a start does not read what lies before them: more than half of what it reads at most (`driver/horizon.rs`).
const LONG_STRETCH: usize = 40_000;

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
fn damage_that_lies_far_behind_stops_nothing_and_says_what_to_do() {
    let mut host = Host::start();
    let project = Project::create(&host, "kept", &one_phase("later", "{}"));
    host.kill();
    say_again(&host.data().join("journal"), "kept", LONG_STRETCH);
    let segment = host.segment();
    let good = fs::read(&segment).unwrap();
    let place = good.len() as u64 - 1;
    wait("a start that does not read it", || {
        // This one still does. It takes the snapshots that spare it to the next, and a host that is stopped keeps them.
        host.restart();
        checked(&host);
        assert_eq!(host.stop().code, Some(0));
        write_at(&segment, place, &[good[place as usize] ^ 1]);
        let started = host.try_restart();
        if let Err(ended) = &started {
            assert!(ended.said.contains("the journal is damaged"), "{}", ended.said);
            fs::write(&segment, &good).unwrap();
        }
        started.ok()
    });
    project.change(&host, &one_phase("sooner", "{}"));
    assert_eq!(project.environment("test").name, "test");

    let file = segment.to_str().unwrap();
    let shown = checked(&host);
    assert_eq!(shown.code, Some(1), "{}", shown.out);
    for words in ["DAMAGED: the journal is damaged", file, "Put that one file back, and start again: nothing is lost"] {
        assert!(shown.out.contains(words), "`{words}` is missing in: {}", shown.out);
    }
    assert!(shown.said.contains("the journal is damaged"), "{}", shown.said);
    assert!(host.said().contains("`lockgate storage` says what to do"), "{}", host.said());
    let refused = block_on(host.admin().client.back_up()).err();
    let Some(ClientError::Problem { problem }) = refused else { panic!("{refused:?}") };
    assert_eq!(problem.code, "journal-damaged");
    let backup = host.place("backups").join("now.tar");
    let create = ["backup", "create", "-o", backup.to_str().unwrap()];
    let made = host.as_admin(&create);
    assert_eq!(made.code, Some(1), "{}", made.said);
    assert!(made.said.contains("no backup can be made") && made.said.contains(file), "{}", made.said);
    let found = verify(&host, false);
    assert!(found.contains(file), "{found}");

    host.kill();
    fs::write(&segment, &good).unwrap();
    host.restart();
    let shown = checked(&host);
    assert_eq!(shown.code, Some(0), "{}{}", shown.out, shown.said);
    assert_eq!(project.environment("test").name, "test");
    let made = host.as_admin(&create);
    assert_eq!(made.code, Some(0), "{}", made.said);
    verify(&host, true);
}

/// What this project's last event says, again and again, until a segment is full and a checkpoint stands for it.
fn say_again(journal: &Path, project: &str, times: usize) {
    let events = lockgate_journal::read(journal).unwrap().2.map(Result::unwrap);
    let last = events.filter(|event| event.stream == project).last().unwrap().payload;
    let (journal, _) = Journal::open(journal, Options::default()).unwrap();
    let (tell, told) = mpsc::channel();
    let batches = times / 1_000;
    for _ in 0..batches {
        let tell = tell.clone();
        journal.append(project, vec![last.clone(); 1_000], move |written| tell.send(written).unwrap());
    }
    assert!(told.iter().take(batches).all(|written| written.is_ok()));
    wait("a checkpoint", || (journal.stats().segments_packed > 0 && journal.stats().checkpoints > 0).then_some(()));
}

/// What `lockgate storage` says when all that the start has not read is read.
fn checked(host: &Host) -> Ran {
    wait("the folder to be checked", || {
        let ran = host.as_admin(&["storage"]);
        (!ran.out.contains("being checked")).then_some(ran)
    })
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
    let shown = checked(&host);
    assert_eq!(shown.code, Some(0), "{}{}", shown.out, shown.said);
    let shown = shown.out;
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("JOURNAL  ") && lines[0].ends_with(", whole"), "{shown}");
    assert_eq!(lines[1..3], ["KEPT     for ever", "INDEX    whole"]);
    assert!(lines[3].starts_with("DISK     ") && lines[3].ends_with("iB free"), "{shown}");
}

/// What it says.
fn verify(host: &Host, clean: bool) -> String {
    let verified = host.command(&["audit", "verify", host.data().to_str().unwrap()]);
    let said = format!("{}{}", String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
    assert_eq!(verified.status.success(), clean, "{said}");
    said
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
