//! A script on a disk of which each operation fails, one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use expect_test::expect;

use super::life::{Append, Life, Outcome};
use super::simulated::{Fate, Kind, SimulatedDisk};
use crate::Past;

enum Step {
    Start,
    Append(Vec<Append>),
    Pack,
    Checkpoint,
    LookBack,
    /// All full segments but so many.
    Drop(usize),
    Read,
    End,
}

/// What a fault leads to, as a caller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Refused,
    Stopped,
    NotOpened,
    NotRead,
    NotPacked,
    NoCheckpoint,
    /// The past could not be read.
    Unfinished,
    NotDropped,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Once,
    UntilTheNextStart,
    /// The process ends there.
    Kill,
}

#[derive(Clone, Copy)]
enum Then {
    Restart,
    PowerCut,
}

/// Three segments and one of a size of its own, some packed and some dropped, over five starts: two find a checkpoint, and
/// one finds that it is of no more use.
fn script() -> Vec<Step> {
    use Step::*;
    vec![
        Start,
        Append(vec![("shop", vec![100])]),
        Append(vec![("shop", vec![600, 5]), ("system", vec![40])]),
        Append(vec![("shop", vec![300, 300]), ("bakery", vec![0])]),
        Append(vec![("shop", vec![1200])]),
        Read,
        Append(vec![("system", vec![20]), ("bakery", vec![3000, 400]), ("shop", vec![10])]),
        Checkpoint,
        Pack,
        Append(vec![("shop", vec![500])]),
        Read,
        End,
        Start,
        Pack,
        LookBack,
        Append(vec![("shop", vec![900])]),
        Append(vec![("system", vec![900])]),
        Append(vec![("shop", vec![900])]),
        Read,
        End,
        Start,
        Checkpoint,
        End,
        Start,
        LookBack,
        Append(vec![("shop", vec![7])]),
        Drop(2),
        Pack,
        Checkpoint,
        Read,
        End,
        Start,
        LookBack,
        Drop(0),
        Read,
        Append(vec![("bakery", vec![70])]),
        End,
    ]
}

#[test]
fn each_operation_that_fails_has_one_answer() {
    let mut answers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    each_fault(Fault::Once, |fault, troubles| {
        let answer = troubles.first().map_or("goes on".to_owned(), |trouble| format!("{trouble:?}"));
        assert!(troubles.len() <= 1, "{fault} once: {troubles:?}");
        answers.entry(fault).or_default().insert(answer);
    });
    let lines =
        answers.into_iter().map(|(fault, answers)| format!("{fault}: {}\n", Vec::from_iter(answers).join(", ")));
    expect![[r#"
        append: Create a new segment: Refused, goes on
        append: Rename a segment: Stopped
        append: Sync a new segment: Refused, Stopped, goes on
        append: Sync a segment: Stopped
        append: SyncDir a folder: Stopped
        append: Write a new segment: Refused, Stopped, goes on
        append: Write a segment: Stopped
        append: Write the mark: goes on
        checkpoint: Create a new checkpoint: NoCheckpoint
        checkpoint: Rename the checkpoint: NoCheckpoint
        checkpoint: Sync a new checkpoint: NoCheckpoint
        checkpoint: SyncDir a folder: NoCheckpoint
        checkpoint: Write a new checkpoint: NoCheckpoint
        drop: Create a new base: NotDropped
        drop: List a folder: NotDropped, goes on
        drop: Read a segment: NotDropped
        drop: Read the base: NotDropped
        drop: Remove a segment: goes on
        drop: Rename the base: NotDropped
        drop: Sync a new base: NotDropped
        drop: SyncDir a folder: NotDropped, goes on
        drop: Write a new base: NotDropped
        look back: Create a packed segment: NotPacked
        look back: Read a segment: NotPacked, Unfinished
        look back: Rename a segment: NotPacked
        look back: Sync a packed segment: NotPacked
        look back: Write a packed segment: NotPacked
        pack: Create a packed segment: NotPacked
        pack: Read a segment: NotPacked
        pack: Rename a segment: NotPacked
        pack: Sync a packed segment: NotPacked
        pack: Write a packed segment: NotPacked
        read: List a folder: NotRead
        read: Read a segment: NotRead
        read: Read the base: NotRead
        start: Bytes a segment: NotOpened
        start: Create a new segment: NotOpened
        start: Create the mark: NotOpened
        start: CreateDir a folder: NotOpened
        start: List a folder: NotOpened, goes on
        start: Open a segment: NotOpened
        start: Open the mark: NotOpened
        start: Read a segment: NotOpened
        start: Read the base: NotOpened
        start: Read the checkpoint: goes on
        start: Read the mark: NotOpened
        start: Remove a new segment: NotOpened
        start: Remove a packed segment: NotOpened
        start: Rename a segment: NotOpened
        start: Sync a new segment: NotOpened
        start: Sync a segment: NotOpened
        start: SyncDir a folder: NotOpened
        start: Write a new segment: NotOpened
        start: Write a segment: NotOpened
        start: Write the mark: goes on
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn a_disk_that_keeps_failing_loses_nothing() {
    each_fault(Fault::UntilTheNextStart, |_, _| {});
}

#[test]
fn each_moment_is_a_good_one_to_be_killed() {
    each_fault(Fault::Kill, |_, _| {});
}

#[test]
fn what_could_not_be_reserved_or_packed_takes_no_room() {
    for kind in [Kind::Write, Kind::Sync] {
        let mut life = Life::on(SimulatedDisk::new(0));
        life.start().unwrap();
        for _ in 0..2 {
            life.append(&[("shop", vec![1200])]);
        }
        let before = life.disk.folder().disk.list(&life.disk.folder().path).unwrap();
        life.disk
            .decide(move |this, path| if this == kind && noun(path) != "a segment" { Fate::Fail } else { Fate::Work });
        assert_eq!(life.append(&[("shop", vec![5000])]), Outcome::Refused);
        assert!(life.pack() && life.stats().segments_not_packed == 1);
        assert_eq!(life.disk.folder().disk.list(&life.disk.folder().path).unwrap(), before);
    }
}

fn each_fault(fault: Fault, mut tell: impl FnMut(String, Vec<Trouble>)) {
    for then in [Then::Restart, Then::PowerCut] {
        for seed in 0..4 {
            let of_number = |number| with_fault(number, seed, fault, then);
            (0..).map_while(of_number).for_each(|(place, troubles)| tell(place, troubles));
        }
    }
}

/// Plays the script while the operation of that number fails; none when there are not that many.
fn with_fault(number: u64, seed: u64, fault: Fault, then: Then) -> Option<(String, Vec<Trouble>)> {
    let disk = SimulatedDisk::new(seed);
    let places = Arc::new(Mutex::new(Vec::new()));
    let (note, operations) = (Arc::clone(&places), AtomicU64::new(0));
    disk.decide(move |kind, path| {
        let this = operations.fetch_add(1, Ordering::Relaxed);
        let fails = match fault {
            Fault::Once | Fault::Kill => this == number,
            Fault::UntilTheNextStart => this >= number,
        };
        if !fails {
            return Fate::Work;
        }
        note.lock().unwrap().push(format!("{kind:?} {}", noun(path)));
        if fault == Fault::Kill { Fate::Die } else { Fate::Fail }
    });
    let mut life = Life::on(disk);
    let mut first = None;
    let mut troubles = Vec::new();
    for step in script() {
        troubles.extend(play(&mut life, &step, fault, then));
        if let (None, Some(place)) = (&first, places.lock().unwrap().first()) {
            first = Some(format!("{}: {place}", step.verb()));
        }
        if life.disk.is_dead() {
            start_again(&mut life, then);
        }
    }
    life.disk.heal();
    start_again(&mut life, then);
    assert_eq!(life.append(&[("shop", vec![1])]), Outcome::Fine);
    assert!(first.is_some() || life.drops == 2, "where nothing fails there is something to drop");
    Some((first?, troubles))
}

/// One step; after what a host does not survive, the next start on a disk that works.
fn play(life: &mut Life, step: &Step, fault: Fault, then: Then) -> Option<Trouble> {
    let trouble = match step {
        Step::Start => life.start().err().map(|_| Trouble::NotOpened),
        Step::Append(appends) => match life.append(appends) {
            Outcome::Fine => None,
            Outcome::Refused => Some(Trouble::Refused),
            Outcome::Stopped => Some(Trouble::Stopped),
        },
        Step::Pack => {
            let before = life.stats().segments_not_packed;
            while life.pack() {}
            (life.stats().segments_not_packed > before).then_some(Trouble::NotPacked)
        }
        Step::Checkpoint => {
            let before = life.stats().checkpoints;
            (life.write_checkpoint() && life.stats().checkpoints == before).then_some(Trouble::NoCheckpoint)
        }
        Step::LookBack => {
            let before = life.stats().segments_not_packed;
            while life.look_back() {}
            let not_packed = (life.stats().segments_not_packed > before).then_some(Trouble::NotPacked);
            not_packed.or(matches!(life.journal().past(), Past::Unfinished(_)).then_some(Trouble::Unfinished))
        }
        Step::Drop(keep) => life.drop_but(*keep).and_then(Result::err).map(|_| Trouble::NotDropped),
        Step::Read => life.read().err().map(|_| Trouble::NotRead),
        Step::End => {
            end(life, then);
            None
        }
    };
    match (trouble?, fault) {
        (Trouble::Stopped | Trouble::NotOpened, Fault::Once) => start_again(life, then),
        (Trouble::Stopped | Trouble::NotOpened, Fault::UntilTheNextStart) => {
            life.disk.heal();
            start_again(life, then);
        }
        (Trouble::Refused, Fault::Once) => assert_eq!(life.append(&[("shop", vec![900])]), Outcome::Fine),
        (Trouble::NotRead, Fault::Once) => life.read().unwrap(),
        (Trouble::NotPacked | Trouble::NoCheckpoint | Trouble::Unfinished | Trouble::NotDropped, Fault::Once)
        | (_, Fault::UntilTheNextStart | Fault::Kill) => {}
    }
    trouble
}

fn start_again(life: &mut Life, then: Then) {
    end(life, then);
    life.start().unwrap();
    life.check();
}

fn end(life: &mut Life, then: Then) {
    life.end();
    match then {
        Then::Restart => life.disk.restart(),
        Then::PowerCut => life.disk.lose_power(),
    }
}

impl Step {
    fn verb(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Append(_) => "append",
            Self::Pack => "pack",
            Self::Checkpoint => "checkpoint",
            Self::LookBack => "look back",
            Self::Drop(_) => "drop",
            Self::Read => "read",
            Self::End => "end",
        }
    }
}

fn noun(path: &Path) -> &'static str {
    let name = path.file_name().map_or("", |name| name.to_str().unwrap());
    let extension = path.extension().map_or("", |extension| extension.to_str().unwrap());
    match (name, extension) {
        ("acknowledged", _) => "the mark",
        ("checkpoint", _) => "the checkpoint",
        ("base", _) => "the base",
        ("base.tmp", _) => "a new base",
        ("checkpoint.tmp", _) => "a new checkpoint",
        (_, "log") => "a segment",
        (_, "tmp") if name.len() == "00000000000000000001.tmp".len() => "a packed segment",
        (_, "tmp") => "a new segment",
        _ => "a folder",
    }
}
