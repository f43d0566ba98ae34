//! What was published stays: every interface and world of a released version is word for word as it was, comments aside. New
//! ones may come beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each with its folder in `versions`; what is there and how it is made, says the page beside it.
pub const RELEASED: [&str; 1] = ["0.1.0"];

pub fn folder_of(version: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/host/versions")).join(version)
}

/// One a line.
fn interfaces_of(version: &str) -> String {
    fs::read_to_string(folder_of(version).join("interfaces.txt")).unwrap()
}

/// `lockgate:plugin/log@0.1.0` to what stands between its braces, without comments and with single spaces; a world has
/// `world:` before its name.
fn interfaces(text: &str) -> BTreeMap<String, String> {
    let without_comments = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let words = without_comments.collect::<Vec<_>>().join(" ");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let package = words.strip_prefix("package ").and_then(|rest| rest.split_once(';')).unwrap().0.to_owned();
    let (name, version) = package.split_once('@').unwrap();
    let mut found = BTreeMap::new();
    for (keyword, prefix) in [("interface ", ""), ("world ", "world:")] {
        let mut rest = words.as_str();
        while let Some(at) = rest.find(keyword) {
            let (item, behind) = rest[at + keyword.len()..].split_once(" {").unwrap();
            let body = &behind[..closing_brace(behind)];
            found.insert(format!("{name}/{prefix}{item}@{version}"), body.trim().to_owned());
            rest = &behind[body.len()..];
        }
    }
    found
}

fn closing_brace(text: &str) -> usize {
    let mut depth = 1;
    let closes = |(_, letter): &(usize, char)| {
        depth += match letter {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth == 0
    };
    text.char_indices().find(closes).unwrap().0
}

/// Of all packages, one a line.
fn published() -> BTreeMap<String, String> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit"));
    let packages = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let files = packages.flat_map(|package| fs::read_dir(package).unwrap().map(|entry| entry.unwrap().path()));
    files.flat_map(|file| interfaces(&fs::read_to_string(file).unwrap())).collect()
}

/// What of `released` is another or gone.
fn changed(released: &str, now: &BTreeMap<String, String>) -> Vec<String> {
    let lines = released.lines().map(|line| line.split_once(' ').unwrap());
    let differs = lines.filter(|(name, body)| now.get(*name).map(String::as_str) != Some(body));
    differs
        .map(|(name, body)| match now.get(name) {
            Some(now) => format!("{name} was\n  {body}\nand is\n  {now}"),
            None => format!("{name} is gone"),
        })
        .collect()
}

#[test]
fn what_was_published_is_as_it_was() {
    let now = published();
    for version in RELEASED {
        let changed = changed(&interfaces_of(version), &now);
        assert!(
            changed.is_empty(),
            "plugins of version {version} are in use: a change is a new interface, or a new version beside it\n{}",
            changed.join("\n")
        );
    }
}

/// Otherwise the test above would hold nothing of it.
#[test]
fn every_interface_is_held_by_a_released_version() {
    let released = RELEASED.map(interfaces_of).concat();
    let held = |name: &str| released.lines().any(|line| line.starts_with(name));
    let missing: Vec<String> =
        published().into_iter().filter(|(name, _)| !held(name)).map(|(name, body)| format!("{name} {body}")).collect();
    assert!(missing.is_empty(), "add to tests/host/versions, once it is published:\n{}", missing.join("\n"));
}

#[test]
fn a_changed_record_is_found_and_a_changed_comment_is_not() {
    let before = "package a:b@0.1.0;\ninterface i { /// One.\n record r { x: u32 } }\ninterface j { f: func(); }\nworld w { import i; export j; }";
    let released: String = interfaces(before).into_iter().map(|(name, body)| format!("{name} {body}\n")).collect();
    let after = |from: &str, to: &str| changed(&released, &interfaces(&before.replace(from, to)));
    assert_eq!(after("One", "Another").len(), 0);
    assert_eq!(after("x: u32", "x: u32, y: u32").len(), 1);
    assert_eq!(after("interface j", "interface k"), ["a:b/j@0.1.0 is gone"]);
    assert_eq!(after("import i; ", "").len(), 1);
    assert_eq!(after("f: func()", "f: func(x: u32)").len(), 1);
}
