//! Journals that older releases wrote, kept for ever in `formats`.

use std::fs;
use std::path::Path;

use expect_test::expect;
use tempfile::TempDir;

use super::{append, open, segments, texts};
use crate::{JournalError, Recovery, mark, read, segment, verify};

/// The journal of that name, as the host left it.
fn kept(name: &str) -> TempDir {
    let journal = TempDir::new().unwrap();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("formats").join(name)).unwrap() {
        let file = file.unwrap().path();
        let stem = file.file_stem().unwrap().to_str().unwrap();
        let name = if ["acknowledged", "base"].contains(&stem) { stem.to_owned() } else { format!("{stem}.log") };
        fs::write(journal.path().join(name), bytes(&fs::read_to_string(&file).unwrap())).unwrap();
    }
    journal
}

fn bytes(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let of_line = |line: &str| match line.strip_prefix("zeros ") {
        Some(count) => vec![0; count.parse().unwrap()],
        None => hex::decode(line).unwrap(),
    };
    lines.flat_map(of_line).collect()
}

/// What it holds, and the heads of its chains; then it goes on.
fn told(dir: &Path) -> String {
    let verified = verify(dir).unwrap();
    let records: Vec<_> = read(dir).unwrap().2.map(Result::unwrap).collect();
    let (journal, recovery) = open(dir);
    assert_eq!(recovery, Recovery { records: verified.records, last: verified.records, torn_tail: verified.torn_tail });
    let lines: Vec<String> = texts(&journal, 1).iter().map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(records.len(), lines.len());
    assert_eq!(records.len() as u64, verified.records - verified.dropped);
    assert_eq!(append(&journal, "shop", &["new"]).unwrap().first, verified.records + 1);
    drop(journal);
    assert_eq!(verify(dir).unwrap().records, verified.records + 1);
    let heads = verified.streams.iter().map(|(name, head)| format!("{name}: {}", head.hash_hex()));
    lines.into_iter().chain(heads).collect::<Vec<String>>().join("\n")
}

#[test]
fn records_of_format_1_are_read_for_ever() {
    expect![[r#"
        1 shop {"at":1,"release_created":{"tag":"v1"}}
        2 system
        3 system Grüße
        4 shop {"at":2,"release_activated":{"tag":"v1"}}
        shop: 5402f1a3299b2e5e55f0c02a1493c43aaba7e71b0dad7bdcc089e3f1b7d78ac4
        system: 07a730b3362f4ef3f937dadbdcebf9fd0cf51911162952e7421705d73501b185"#]]
    .assert_eq(&told(kept("plain").path()));
}

#[test]
fn a_torn_end_of_format_1_is_cut_for_ever() {
    let dir = kept("torn");
    assert_eq!(verify(dir.path()).unwrap().torn_tail.unwrap().bytes, 70);
    expect![[r#"
        1 shop {"at":1,"release_created":{"tag":"v1"}}
        2 system
        3 system Grüße
        shop: f91944a4b9f32fe9c08c509d5b4e905b05c8fe54751009885c814db8f695ba19
        system: 07a730b3362f4ef3f937dadbdcebf9fd0cf51911162952e7421705d73501b185"#]]
    .assert_eq(&told(dir.path()));
}

#[test]
fn packed_records_of_format_2_are_read_for_ever() {
    let dir = kept("packed");
    let packed = fs::read(&segments(dir.path())[0]).unwrap();
    assert_eq!(packed[8..12], segment::PACKED.to_le_bytes());
    expect![[r#"
        1 shop {"at":1,"release_created":{"tag":"v1"}}
        2 system
        3 system Grüße
        4 shop {"at":2,"release_activated":{"tag":"v1"}}
        5 shop {"at":3,"triggered":{"tag":"v1","environment":"production"}}
        6 shop x
        shop: fb4c688fe06b83ea4e57d5de6d5afe97f01ac49adefb3a75630c7721d76afc88
        system: 07a730b3362f4ef3f937dadbdcebf9fd0cf51911162952e7421705d73501b185"#]]
    .assert_eq(&told(dir.path()));
    assert_eq!(fs::read(&segments(dir.path())[0]).unwrap(), packed);
}

#[test]
fn what_stands_for_dropped_records_is_read_for_ever() {
    let dir = kept("dropped");
    expect![[r#"
        5 shop {"at":3,"triggered":{"tag":"v1","environment":"production"}}
        6 shop x
        shop: fb4c688fe06b83ea4e57d5de6d5afe97f01ac49adefb3a75630c7721d76afc88
        system: 07a730b3362f4ef3f937dadbdcebf9fd0cf51911162952e7421705d73501b185"#]]
    .assert_eq(&told(dir.path()));
    let base = read(dir.path()).unwrap().1.unwrap();
    let states = base.streams.iter().map(|(name, stream)| {
        let parts = stream.state.iter().map(|part| String::from_utf8(part.clone()).unwrap());
        (name.as_str(), parts.collect::<Vec<_>>())
    });
    let shop = vec![r#"{"live":"v1"}"#.to_owned(), "Grüße".to_owned()];
    assert_eq!(states.collect::<Vec<_>>(), [("shop", shop), ("system", vec![])]);
    assert_eq!(base.through, 4);
}

#[test]
fn a_mark_of_today_is_a_witness_for_ever() {
    for (name, acknowledged) in [("plain", 4), ("packed", 6)] {
        let dir = kept(name);
        assert_eq!(mark::read(&crate::scan::on_disk(dir.path())).unwrap(), acknowledged);
        fs::remove_file(segments(dir.path()).pop().unwrap()).unwrap();
        assert!(matches!(verify(dir.path()), Err(JournalError::Gone { .. })));
    }
}
