//! The bundled `static-site` and a world that does not go along: bad archives, a read-only folder, a full disk.

use std::fs;
use std::path::{Path, PathBuf};

use lockgate::wire::FolderGrant;

use crate::harness::{Host, Project, SmallDisk, archive, files, hostile_archive, link};

const FILE: &str = "
applications: [web]
environments: { test: { targets: { site: { plugin: static-site, application: web, config: { folder: site } } } } }
workflows: { w: { phases: [{ name: publish, apply: site }] } }
";

fn site(host: &Host) -> Project {
    host.plugin("static-site", &["site"]);
    Project::create(host, "site", FILE)
}

fn outcome_of(project: &Project, tag: &str, archive: Vec<u8>) -> (String, String) {
    let artifact = project.ann.upload("web", archive);
    project.release_with(tag, vec![artifact]);
    project.outcome_of(project.deploy(tag, "test"))
}

fn page(host: &Host) -> Option<String> {
    fs::read_to_string(host.place("site").join("current/index.html")).ok()
}

#[test]
fn an_archive_that_would_leave_its_folder_is_refused_by_the_name_of_the_entry() {
    let host = Host::start();
    let project = site(&host);
    let bad = [
        ("../escaped", hostile_archive("../escaped")),
        ("a/../../escaped", hostile_archive("a/../../escaped")),
        ("/etc/escaped", hostile_archive("/etc/escaped")),
        ("out", link("out", "/etc/passwd")),
        ("up", link("up", "../../..")),
    ];
    for (index, (entry, archive)) in bad.into_iter().enumerate() {
        let (status, reason) = outcome_of(&project, &format!("v{index}"), archive);
        assert_eq!(status, "FAILED", "{entry}");
        assert!(reason.starts_with("plan: ") && reason.contains(&format!("the archive holds `{entry}`")), "{reason}");
    }
    assert_eq!(page(&host), None);
    let escaped = |path: &PathBuf| path.file_name().is_some_and(|name| name == "escaped");
    assert_eq!(files(host.data().parent().unwrap()).into_iter().find(escaped), None);
    assert!(!Path::new("/etc/escaped").exists());

    let good = outcome_of(&project, "good", archive(&[("index.html", "hello")]));
    assert_eq!(good.0, "SUCCEEDED", "{}", good.1);
    assert_eq!(page(&host).as_deref(), Some("hello"));
}

#[test]
fn an_artifact_that_is_no_archive_fails_its_plan() {
    let host = Host::start();
    let project = site(&host);
    let (status, reason) = outcome_of(&project, "v1", b"not a tar.gz".to_vec());
    assert_eq!(status, "FAILED");
    assert!(reason.contains("does not read as tar.gz"), "{reason}");
}

#[test]
fn a_folder_that_may_only_be_read_fails_the_apply_and_keeps_what_was_live() {
    let host = Host::start();
    let project = site(&host);
    assert_eq!(outcome_of(&project, "v1", archive(&[("index.html", "one")])).0, "SUCCEEDED");
    let mut grants = host.folders(&["site"]);
    let site: &mut FolderGrant = grants.folders.get_mut("site").unwrap();
    site.access = "read".to_owned();
    host.plugin_with("static-site", grants);

    let (status, reason) = outcome_of(&project, "v2", archive(&[("index.html", "two")]));
    assert_eq!(status, "FAILED");
    assert!(reason.starts_with("publish: the folder `site` is read-only"), "{reason}");
    assert_eq!(page(&host).as_deref(), Some("one"));
    assert_eq!(project.live("test").as_deref(), Some("v1"));

    host.plugin("static-site", &["site"]);
    project.retry(2);
    project.assert_succeeds(2);
    assert_eq!(page(&host).as_deref(), Some("two"));
}

#[test]
fn a_full_disk_fails_the_apply_and_keeps_what_was_live() {
    let host = Host::start();
    let folder = host.place("site");
    let Some(_disk) = SmallDisk::mount(&folder, 1) else { return };
    let project = site(&host);
    assert_eq!(outcome_of(&project, "v1", archive(&[("index.html", "one")])).0, "SUCCEEDED");

    let large = "x".repeat(2 << 20);
    let (status, reason) = outcome_of(&project, "v2", archive(&[("index.html", "two"), ("large", &large)]));
    assert_eq!(status, "FAILED");
    assert!(reason.starts_with("publish: no space left in the folder `site`"), "{reason}");
    let left = fs::read_dir(folder.join("releases")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().starts_with('.')), "the disk is kept full");
    assert_eq!(page(&host).as_deref(), Some("one"));
    assert!(host.is_alive());

    let (status, reason) = outcome_of(&project, "v3", archive(&[("index.html", "three")]));
    assert_eq!(status, "SUCCEEDED", "what did not fit is not in the way: {reason}");
    assert_eq!(page(&host).as_deref(), Some("three"));
}

/// Of an artifact or a component that the host keeps.
fn blob(host: &Host, digest: &str) -> PathBuf {
    let hex = digest.strip_prefix("sha256:").unwrap();
    host.data().join("blobs/sha256").join(&hex[..2]).join(hex)
}

#[test]
fn a_damaged_artifact_is_never_live_and_comes_back_by_another_upload() {
    let host = Host::start();
    let project = site(&host);
    assert_eq!(outcome_of(&project, "v1", archive(&[("index.html", "one")])).0, "SUCCEEDED");
    let good = archive(&[("index.html", "two"), ("about.html", "us")]);
    // Everywhere: in its head, in a file, in the checksum, and in its last byte.
    for (index, place) in [9, 20, 40, good.len() - 6, good.len() - 1].into_iter().enumerate() {
        let tag = format!("v2-{index}");
        let artifact = project.ann.upload("web", good.clone());
        let blob = blob(&host, &artifact.digest);
        project.release_with(&tag, vec![artifact]);
        let mut bytes = good.clone();
        bytes[place] ^= 4;
        fs::write(&blob, bytes).unwrap();

        let (status, reason) = project.outcome_of(project.deploy(&tag, "test"));
        assert_eq!(status, "FAILED", "{place}");
        assert!(
            reason.contains("artifact `web`") && reason.contains(&format!("release `{tag}` is damaged")),
            "{reason}"
        );
        assert!(reason.contains("upload the same file again"), "{reason}");
        assert_eq!((page(&host).as_deref(), project.live("test").as_deref()), (Some("one"), Some("v1")));
    }
    let (status, reason) = project.outcome_of(project.deploy("v2-0", "test"));
    assert_eq!(status, "FAILED");
    assert!(reason.contains("is missing from the data folder"), "{reason}");

    assert_eq!(outcome_of(&project, "v3", good).0, "SUCCEEDED");
    assert_eq!(page(&host).as_deref(), Some("two"));
}

#[test]
fn links_that_somebody_else_made_are_named_and_left_alone() {
    let host = Host::start();
    let (project, folder) = (site(&host), host.place("site"));
    let refused = |tag: &str, link: &str| {
        std::os::unix::fs::symlink("/etc", folder.join(link)).unwrap();
        let (status, reason) = outcome_of(&project, tag, archive(&[("index.html", tag)]));
        assert_eq!(status, "FAILED");
        assert!(
            reason.contains(&format!("`{link}`")) && reason.contains("did not make; move it away first"),
            "{reason}"
        );
        fs::remove_file(folder.join(link)).unwrap();
    };
    refused("v1", "current");
    refused("v2", "releases");
    assert_eq!(outcome_of(&project, "v3", archive(&[("index.html", "three")])).0, "SUCCEEDED");

    fs::remove_file(folder.join("current/index.html")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.join("current/index.html")).unwrap();
    let (status, reason) = outcome_of(&project, "v4", archive(&[("index.html", "four")]));
    assert_eq!(status, "SUCCEEDED", "an edit by hand is replaced: {reason}");
    assert_eq!(page(&host).as_deref(), Some("four"));
}

#[test]
fn a_component_that_is_lost_is_told_at_once_and_can_be_added_again() {
    let mut host = Host::start();
    let project = site(&host);
    let component = host.data().join("blobs/sha256");
    host.kill();
    fs::remove_dir_all(&component).unwrap();
    host.restart();

    let (status, reason) = outcome_of(&project, "v1", archive(&[("index.html", "one")]));
    assert_eq!(status, "FAILED");
    assert!(reason.contains("the component of plugin `static-site`"), "{reason}");
    assert!(reason.contains("lockgate plugin add FILE"), "{reason}");

    host.plugin("static-site", &["site"]);
    assert_eq!(outcome_of(&project, "v2", archive(&[("index.html", "two")])).0, "SUCCEEDED");
}
