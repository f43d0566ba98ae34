//! The target as its host drives it: plan, apply and undo, call by call, on a real folder.

mod shares;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use lockgate_sdk::target::*;
use sha2::{Digest as _, Sha256};

use crate::archive::tests::{Damaged, archive};
use crate::{Release, Selected, Settings, Wanted, apply, observe, plan, site};

/// A site's folder and the artifacts its host holds.
struct Bench {
    folder: tempfile::TempDir,
    settings: Settings,
    artifacts: RefCell<BTreeMap<String, Vec<u8>>>,
}

fn bench() -> Bench {
    let config = lockgate_sdk::parse_config::<crate::Config>(r#"{ "folder": "shop", "files_per_call": 2 }"#);
    Bench { folder: tempfile::tempdir().unwrap(), settings: config.unwrap().into(), artifacts: RefCell::default() }
}

/// What a DESTROY wants.
fn nothing() -> Wanted {
    Wanted {
        application: "web".into(),
        release: None,
        weight: 100,
        weight_before: 0,
        selected: Selected::Application,
        forced: false,
    }
}

impl Bench {
    fn site(&self) -> site::Site {
        site::Site::open(self.folder.path().to_owned()).unwrap()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn release(&self, files: &[(&str, &str)]) -> Wanted {
        let bytes = archive(files);
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
        let hex = site::Hex::of_digest(&digest).unwrap();
        self.artifacts.borrow_mut().insert(hex.to_string(), bytes);
        let tag = format!("of-{}", files.first().map_or("nothing", |(_, content)| content));
        let release = Release { tag, hex, artifact: "web".into(), uri: "oci://web".into() };
        Wanted { release: Some(release), ..nothing() }
    }

    fn bytes(&self, release: &Release) -> io::Cursor<Vec<u8>> {
        io::Cursor::new(self.artifacts.borrow()[&release.hex.to_string()].clone())
    }

    fn plan_call(&self, wanted: &Wanted, cursor: &Option<plan::Cursor>) -> Result<plan::Step, Failure> {
        let archive = wanted.release.as_ref().map(|release| self.bytes(release));
        let stage = site::Hex::of_text("shop/1 1 publish");
        plan::plan(&self.site(), &self.settings, wanted, archive, &stage, cursor.clone())
    }

    /// Every call that has to go on is made twice with the same cursor, as if its first answer had been lost.
    fn plan(&self, wanted: &Wanted) -> Planned {
        let mut cursor = None;
        loop {
            match self.plan_call(wanted, &cursor).unwrap() {
                plan::Step::Again(_) => {}
                plan::Step::Done(planned) => return planned,
            }
            let plan::Step::Again(next) = self.plan_call(wanted, &cursor).unwrap() else { panic!("other than before") };
            cursor = Some(json::from_value(json!(next)).unwrap());
        }
    }

    /// Action, kind and name of each change, the files first.
    fn changes(&self, wanted: &Wanted) -> Vec<String> {
        let changes = self.plan(wanted).changes;
        let told = |change: &ResourceChange| format!("{:?} {} {}", change.action, change.kind, change.name);
        changes.iter().map(|change| told(change).replace("Action::", "")).collect()
    }

    fn call(&self, wanted: &Wanted, planned: &Planned, cursor: &Option<apply::Cursor>) -> Result<apply::Step, Failure> {
        let open = |release: &Release| Ok(self.bytes(release));
        apply::apply(&self.site(), &self.settings, wanted, planned, open, cursor.clone())
    }

    /// Every call is made twice with the same cursor, as if its first answer had been lost.
    fn apply(&self, wanted: &Wanted, planned: &Planned) -> Result<apply::Outcome, Failure> {
        let mut cursor = None;
        loop {
            self.call(wanted, planned, &cursor)?;
            match self.call(wanted, planned, &cursor)? {
                apply::Step::Again(next) => cursor = Some(json::from_value(json!(next)).unwrap()),
                apply::Step::Done(outcome) => return Ok(outcome),
            }
        }
    }

    /// As if it had been deployed, without a sync for each file.
    fn serves_already(&self, wanted: &Wanted, files: &[(String, String)]) {
        let hex = &wanted.release.as_ref().unwrap().hex;
        for (path, content) in files {
            let at = self.site().release(hex).join(path);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, content).unwrap();
        }
        self.site().switch(hex).unwrap();
    }

    fn deploy(&self, wanted: &Wanted) -> Planned {
        let planned = self.plan(wanted);
        self.apply(wanted, &planned).unwrap();
        planned
    }

    fn undo(&self, planned: &Planned) -> Result<String, Failure> {
        apply::undo(&self.site(), &self.settings, planned)
    }

    fn served(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path("current").join(path)).ok()
    }

    fn edit(&self, path: &str, content: &str) {
        fs::write(self.path("current").join(path), content).unwrap();
    }

    fn observe_all(&self) -> Vec<ResourceState> {
        observe::observe(&self.site(), &self.settings, "web").unwrap()
    }

    fn observe(&self) -> ResourceState {
        self.observe_all().remove(0)
    }

    fn releases(&self) -> usize {
        fs::read_dir(self.path("releases")).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
    }
}

fn stale(result: Result<apply::Outcome, Failure>) -> String {
    let failure = result.unwrap_err();
    assert_eq!(failure.code, "plan-stale");
    failure.message
}

const V1: &[(&str, &str)] = &[("index.html", "one"), ("css/a.css", "a"), ("css/b.css", "b"), ("about.html", "us")];
const V2: &[(&str, &str)] = &[("index.html", "two"), ("css/a.css", "a"), ("js/a.js", "x"), ("about.html", "us")];

#[test]
fn the_first_release_creates_every_file_and_the_site() {
    let bench = bench();
    let v1 = bench.release(V1);

    let planned = bench.plan(&v1);
    assert_eq!(planned.summary, "4 created, 0 updated, 0 deleted");
    let outcome = bench.apply(&v1, &planned).unwrap();

    assert_eq!(outcome, apply::Outcome { files: 4, previous: None });
    assert_eq!(bench.served("css/b.css").as_deref(), Some("b"));
}

#[test]
fn a_plan_names_what_is_created_updated_and_deleted() {
    let bench = bench();
    bench.deploy(&bench.release(V1));
    let v2 = bench.release(V2);

    let planned = bench.plan(&v2);

    assert_eq!(
        bench.changes(&v2),
        ["Delete file css/b.css", "Update file index.html", "Create file js/a.js", "Update site shop"]
    );
    assert_eq!(planned.summary, "1 created, 1 updated, 1 deleted");
    let index = &planned.changes[1].fields[0];
    assert_eq!(index.path, "digest");
    assert_eq!(index.before, json!(format!("sha256:{}", hex::encode(Sha256::digest("one")))).to_string());
    assert_eq!(planned.changes[2].fields[0].before, "null");
    assert!(planned.changes.iter().all(|change| !change.destructive));
}

#[test]
fn a_plan_is_the_same_in_one_call_or_in_many() {
    let mut bench = bench();
    bench.deploy(&bench.release(V1));
    let v2 = bench.release(V2);

    let plans: Vec<_> = [1, 2, 3, 200]
        .into_iter()
        .map(|files_per_call| {
            bench.settings.files_per_call = files_per_call;
            bench.plan(&v2)
        })
        .collect();

    assert!(plans.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_plan_whose_findings_were_lost_starts_over() {
    let bench = bench();
    let v1 = bench.release(V1);
    let whole = bench.plan(&v1);
    let plan::Step::Again(cursor) = bench.plan_call(&v1, &None).unwrap() else { panic!("in one call") };
    bench.site().remove_staged_plans().unwrap();

    let mut step = bench.plan_call(&v1, &Some(cursor)).unwrap();
    while let plan::Step::Again(cursor) = step {
        step = bench.plan_call(&v1, &Some(cursor)).unwrap();
    }

    let plan::Step::Done(planned) = step else { unreachable!() };
    assert_eq!(planned, whole);
    assert_eq!(fs::read_dir(bench.path("releases")).unwrap().count(), 0, "nothing is left of a plan that is made");
}

fn many(count: usize, content: &str) -> Vec<(String, String)> {
    (0..count).map(|file| (format!("folder-{}/file-{file}.html", file % 100), content.to_owned())).collect()
}

fn as_texts(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect()
}

#[test]
fn a_large_site_is_planned_with_a_small_cursor() {
    let mut bench = bench();
    bench.settings.files_per_call = 4_000;
    let mut files = many(20_000, "one");
    let first = bench.release(&as_texts(&files));

    // Too many to be named, and nothing that they replace.
    let planned = bench.plan(&first);
    assert_eq!(planned.summary, "20000 created, too many to be named one by one");
    assert_eq!(bench.changes(&first), ["Create site shop"]);
    bench.serves_already(&first, &files);

    files[7].1 = "two".into();
    let second = bench.release(&as_texts(&files));
    assert_eq!(bench.changes(&second), ["Update file folder-7/file-7.html", "Update site shop"]);

    let all_new = bench.release(&as_texts(&many(20_000, "two")));
    let mut cursor = None;
    let refused = loop {
        match bench.plan_call(&all_new, &cursor) {
            Ok(plan::Step::Again(next)) => {
                assert!(json!(next).to_string().len() < 500, "{next:?}");
                cursor = Some(next);
            }
            Ok(plan::Step::Done(_)) => panic!("a plan of 20,000 updates"),
            Err(failure) => break failure,
        }
    };
    assert_eq!(refused.code, "too-many-changes");
}

#[test]
fn what_cannot_be_done_in_part_is_refused_by_name() {
    let config: crate::Config = lockgate_sdk::parse_config(r#"{ "folder": "shop" }"#).unwrap();
    let refused = |subject: Value| {
        let subject: Subject = json::from_value(subject).unwrap();
        Wanted::of(&config, &subject).unwrap_err()
    };
    let canary = refused(json!({ "weight": 20 }));
    assert_eq!((canary.code.as_str(), canary.message.contains("a weight of 20 %")), ("unsupported", true));
    assert!(canary.message.contains("set `buckets`"), "{}", canary.message);
    let file = json!([{ "resource_type": "file", "resource_name": "index.html" }]);
    let file = refused(json!({ "artifacts": [{ "name": "web", "digest": DIGEST }], "selections": file }));
    assert_eq!((file.code.as_str(), file.message.contains("as a whole")), ("unsupported", true));
}

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn a_selection_is_of_the_application_of_the_site_or_of_something_else() {
    let config: crate::Config = lockgate_sdk::parse_config(r#"{ "folder": "shop" }"#).unwrap();
    let selected = |selections: Value| {
        let artifacts = json!([{ "name": "web", "digest": DIGEST }]);
        let subject = json!({ "application": "web", "artifacts": artifacts, "selections": selections });
        Wanted::of(&config, &json::from_value(subject).unwrap()).unwrap().selected
    };
    assert_eq!(selected(json!([])), Selected::Application);
    assert_eq!(selected(json!([{ "application": "web" }])), Selected::Application);
    assert_eq!(selected(json!([{ "application": "api" }])), Selected::Nothing);
    assert_eq!(selected(json!([{ "resource_type": "site" }])), Selected::Site);
    assert_eq!(selected(json!([{ "application": null, "resource_name": "shop" }])), Selected::Site);
    assert_eq!(selected(json!([{ "resource_type": "site", "resource_name": "blog" }])), Selected::Nothing);
    assert_eq!(selected(json!([{ "resource_type": "table", "resource_name": "shop" }])), Selected::Nothing);
    assert_eq!(selected(json!([{ "resource_name": "shop" }, { "application": "web" }])), Selected::Application);
}

#[test]
fn where_the_site_was_selected_its_files_are_fields_of_it_and_guarded_all_the_same() {
    let bench = bench();
    bench.deploy(&bench.release(V1));
    let v2 = Wanted { selected: Selected::Site, ..bench.release(V2) };
    let planned = bench.plan(&v2);
    let [site] = &planned.changes[..] else { panic!("{:?}", planned.changes) };
    let fields: Vec<&str> = site.fields.iter().map(|field| field.path.as_str()).collect();
    assert_eq!(fields, ["digest", "file css/b.css", "file index.html", "file js/a.js"]);
    assert_eq!((site.action, site.destructive), (Action::Update, true), "it deletes a file");

    bench.edit("index.html", "edited meanwhile");
    assert!(stale(bench.apply(&v2, &planned)).contains("`index.html` was changed since"));
    bench.edit("index.html", "one");
    bench.apply(&v2, &planned).unwrap();
    assert_eq!(bench.served("index.html").as_deref(), Some("two"));
}

#[test]
fn a_forced_deployment_writes_every_file_again_and_says_so_in_its_plan() {
    use std::os::unix::fs::MetadataExt as _;
    let bench = bench();
    let v1 = bench.release(V1);
    bench.deploy(&v1);
    let inodes = || {
        let inode = |(path, _): &(&str, &str)| fs::metadata(bench.path("current").join(path)).unwrap().ino();
        V1.iter().map(inode).collect::<Vec<_>>()
    };
    let first = inodes();
    // What is open keeps its inode: no new file can be given the number of an old one.
    let _open: Vec<_> = V1.iter().map(|(path, _)| fs::File::open(bench.path("current").join(path)).unwrap()).collect();
    bench.deploy(&v1);
    assert_eq!(inodes(), first);

    let forced = Wanted { forced: true, ..bench.release(V1) };
    let planned = bench.deploy(&forced);
    assert_eq!(bench.changes(&forced), ["Update site shop"]);
    assert_eq!(planned.changes[0].fields[0].path, "rewritten_files");
    assert!(inodes().iter().zip(&first).all(|(now, before)| now != before));
    assert_eq!(bench.observe().health, Health::Healthy);

    let planned = bench.plan(&forced);
    bench.edit("about.html", "edited after the plan");
    stale(bench.apply(&forced, &planned));
    assert_eq!(bench.served("about.html").as_deref(), Some("edited after the plan"));
}

#[test]
fn a_site_that_was_edited_is_no_longer_its_release() {
    let bench = bench();
    let v1 = bench.release(V1);
    bench.deploy(&v1);
    assert_eq!(bench.observe().version, "of-one");
    bench.edit("index.html", "hacked");
    bench.edit("new.html", "added");
    let edited = bench.observe();
    assert_eq!((edited.version.as_str(), edited.health), ("of-one, 2 files edited", Health::Degraded));
    bench.deploy(&v1);
    assert_eq!(bench.observe().version, "of-one");
}

#[test]
fn a_destroyed_site_is_no_resource_of_the_next_plan() {
    let bench = bench();
    assert_eq!(bench.plan(&nothing()).changes, []);
    bench.deploy(&bench.release(V1));
    bench.deploy(&nothing());
    assert_eq!(bench.plan(&nothing()).changes, []);
}

#[test]
fn an_archive_without_files_does_not_take_the_site_down() {
    let bench = bench();
    bench.deploy(&bench.release(V1));
    for empty in [&[][..], &[("css/", "")]] {
        let failure = bench.plan_call(&bench.release(empty), &None).unwrap_err();
        assert_eq!(failure.code, "invalid-artifact");
        assert!(failure.message.starts_with("the archive holds no file"), "{}", failure.message);
    }
}

#[test]
fn a_deployed_release_is_in_sync() {
    let bench = bench();
    let v1 = bench.release(V1);
    bench.deploy(&v1);

    assert_eq!(bench.changes(&v1), ["NoOp site shop"]);
}

#[test]
fn the_same_files_in_another_archive_are_still_a_change_of_the_site() {
    let bench = bench();
    bench.deploy(&bench.release(V1));
    let repacked: Vec<_> = V1.iter().rev().copied().collect();

    assert_eq!(bench.changes(&bench.release(&repacked)), ["Update site shop"]);
}

#[test]
fn an_edit_by_hand_is_a_difference_and_is_put_right() {
    let bench = bench();
    let v1 = bench.release(V1);
    bench.deploy(&v1);
    bench.edit("index.html", "hacked");
    bench.edit("new.html", "added");
    fs::remove_file(bench.path("current/about.html")).unwrap();

    let changes = bench.changes(&v1);
    bench.deploy(&v1);

    assert_eq!(
        changes,
        ["Create file about.html", "Update file index.html", "Delete file new.html", "Update site shop"]
    );
    assert_eq!(bench.served("index.html").as_deref(), Some("one"));
    assert_eq!(bench.served("new.html"), None);
    assert_eq!(bench.observe().health, Health::Healthy);
}

#[test]
fn an_edit_after_the_plan_makes_it_stale() {
    for edited in ["index.html", "about.html", "css/b.css", "new.html"] {
        let bench = bench();
        bench.deploy(&bench.release(V1));
        let v2 = bench.release(V2);
        let planned = bench.plan(&v2);
        bench.edit(edited, "edited meanwhile");

        let message = stale(bench.apply(&v2, &planned));

        assert_eq!(message, format!("the site is not as the plan saw it: `{edited}` was changed since"));
        assert_eq!(bench.served(edited).as_deref(), Some("edited meanwhile"));
    }
}

#[test]
fn a_file_that_is_gone_since_makes_the_plan_stale() {
    let bench = bench();
    bench.deploy(&bench.release(V1));
    let v2 = bench.release(V2);
    let planned = bench.plan(&v2);
    fs::remove_file(bench.path("current/about.html")).unwrap();

    assert_eq!(stale(bench.apply(&v2, &planned)), "the site is not as the plan saw it: `about.html` is gone");
}

#[test]
fn a_repair_in_place_replaces_only_what_the_plan_saw() {
    for later in ["index.html", "about.html", "extra.html"] {
        let bench = bench();
        let v1 = bench.release(V1);
        bench.deploy(&v1);
        bench.edit("index.html", "edited before the plan");
        let planned = bench.plan(&v1);
        bench.edit(later, "edited after the plan");

        stale(bench.apply(&v1, &planned));

        assert_eq!(bench.served(later).as_deref(), Some("edited after the plan"));
    }
}

#[test]
fn a_site_that_was_switched_since_makes_the_plan_stale() {
    let bench = bench();
    bench.deploy(&bench.release(V1));
    let v2 = bench.release(V2);
    let planned = bench.plan(&v2);
    bench.deploy(&bench.release(&[("index.html", "three")]));

    assert!(stale(bench.apply(&v2, &planned)).contains("it serves"));
}

#[test]
fn a_plan_is_not_applied_to_another_artifact() {
    let bench = bench();
    let planned = bench.plan(&bench.release(V1));

    assert!(stale(bench.apply(&bench.release(V2), &planned)).contains("another artifact"));
}

#[test]
fn a_release_that_is_there_already_is_verified_and_put_right() {
    let bench = bench();
    let (v1, v2) = (bench.release(V1), bench.release(V2));
    bench.deploy(&v1);
    bench.edit("css/a.css", "edited");
    bench.edit("extra.html", "added");
    bench.deploy(&v2);

    bench.deploy(&v1);

    assert_eq!(bench.served("css/a.css").as_deref(), Some("a"));
    assert_eq!(bench.served("extra.html"), None);
    assert_eq!(bench.releases(), 2);
}

#[test]
fn an_apply_that_is_cut_off_anywhere_goes_on() {
    let length = archive(V2).len();
    for cut in (0..length).step_by(19) {
        let bench = bench();
        bench.deploy(&bench.release(V1));
        let v2 = bench.release(V2);
        let planned = bench.plan(&v2);
        let mut cursor = None;
        loop {
            let cut_off = |release: &Release| Ok(bench.bytes(release).take(cut as u64));
            let _ = apply::apply(&bench.site(), &bench.settings, &v2, &planned, cut_off, cursor.clone());
            match bench.call(&v2, &planned, &cursor).unwrap() {
                apply::Step::Again(next) => cursor = Some(next),
                apply::Step::Done(_) => break,
            }
        }
        assert_eq!(bench.served("js/a.js").as_deref(), Some("x"), "cut at {cut}");
        assert_eq!(bench.observe().health, Health::Healthy, "cut at {cut}");
    }
}

#[test]
fn unpacking_starts_over_where_its_journal_was_lost() {
    let bench = bench();
    let v1 = bench.release(V1);
    let planned = bench.plan(&v1);
    let apply::Step::Again(cursor) = bench.call(&v1, &planned, &None).unwrap() else { panic!("in one call") };
    let hex = &v1.release.as_ref().unwrap().hex;
    fs::remove_file(bench.site().journal(hex)).unwrap();
    fs::remove_dir_all(bench.site().partial(hex)).unwrap();

    let apply::Step::Again(cursor) = bench.call(&v1, &planned, &Some(cursor)).unwrap() else { panic!("done") };

    assert!(matches!(cursor, apply::Cursor::Extract { next: 2, .. }), "{cursor:?}");
}

#[test]
fn a_file_that_got_lost_while_unpacking_is_noticed_and_unpacked_again() {
    type Loss = fn(&std::path::Path);
    let losses: [Loss; 3] = [
        |file| fs::remove_file(file).unwrap(),
        |file| fs::write(file, "").unwrap(),
        |file| fs::remove_dir_all(file.parent().unwrap()).unwrap(),
    ];
    for lose in losses {
        let bench = bench();
        let v1 = bench.release(&[("css/a.css", "a"), ("css/b.css", "b"), ("index.html", "one")]);
        let planned = bench.plan(&v1);
        let apply::Step::Again(cursor) = bench.call(&v1, &planned, &None).unwrap() else { panic!("in one call") };
        lose(&bench.site().partial(&v1.release.as_ref().unwrap().hex).join("css/a.css"));

        let failure = bench.call(&v1, &planned, &Some(cursor.clone())).unwrap_err();
        assert_eq!((failure.code.as_str(), failure.retry), ("incomplete", Retry::SameKey));
        let mut step = bench.call(&v1, &planned, &Some(cursor)).unwrap();
        while let apply::Step::Again(cursor) = step {
            step = bench.call(&v1, &planned, &Some(cursor)).unwrap();
        }

        assert_eq!(bench.observe().health, Health::Healthy);
    }
}

#[test]
fn what_somebody_else_put_beside_the_releases_stays_and_is_in_nobodys_way() {
    let bench = bench();
    for folder in ["x.journal", "x.partial", "notes.writing"] {
        fs::create_dir_all(bench.path("releases").join(folder)).unwrap();
    }
    fs::write(bench.path("releases/.mine.journal"), "notes").unwrap();

    bench.deploy(&bench.release(V1));

    for there in ["x.journal", "x.partial", "notes.writing", ".mine.journal"] {
        assert!(bench.path("releases").join(there).exists(), "{there}");
    }
}

#[test]
fn only_what_an_apply_leaves_behind_is_taken_for_it() {
    let bench = bench();
    let hex = |text| site::Hex::of_text(text);
    bench.site().make_releases().unwrap();
    for (text, kind) in [("a", "partial"), ("b", "journal"), ("c", "writing"), ("d", "plan"), ("e", "mine")] {
        fs::write(bench.path("releases").join(format!(".{}.{kind}", hex(text))), "").unwrap();
    }

    let mut left = [hex("a"), hex("b"), hex("c")];
    left.sort();
    assert_eq!(bench.site().abandoned().unwrap(), left);
}

#[test]
fn a_full_disk_is_not_kept_full() {
    let bench = bench();
    let v1 = bench.release(V1);
    let planned = bench.plan(&v1);
    bench.call(&v1, &planned, &None).unwrap();
    let hex = &v1.release.as_ref().unwrap().hex;
    fs::write(bench.site().writing(hex), "half a file").unwrap();

    bench.site().tidy(hex, &Failure::fatal("io", "the disk failed"));
    assert!(!bench.site().writing(hex).exists() && bench.site().partial(hex).exists());
    bench.site().tidy(hex, &Failure::fatal("disk-full", "no space left"));

    assert_eq!(fs::read_dir(bench.path("releases")).unwrap().count(), 0);
}

#[test]
fn a_damaged_artifact_does_not_repair_what_is_served() {
    let bench = bench();
    let v1 = bench.release(V1);
    bench.deploy(&v1);
    bench.edit("index.html", "edited");
    let planned = bench.plan(&v1);
    let damaged = |release: &Release| Ok(Damaged(bench.bytes(release)));

    let failure = apply::apply(&bench.site(), &bench.settings, &v1, &planned, damaged, None).unwrap_err();

    assert_eq!(failure.code, "damaged-artifact");
    assert_eq!(bench.served("index.html").as_deref(), Some("edited"));
}

#[test]
fn a_damaged_artifact_is_never_planned_nor_unpacked_to_the_end() {
    let bench = bench();
    let v1 = bench.release(V1);
    let planned = bench.plan(&v1);
    let damaged = |release: &Release| Damaged(bench.bytes(release));
    let stage = site::Hex::of_text("shop/1 1 publish");

    let mut cursor = None;
    let failure = loop {
        let archive = v1.release.as_ref().map(damaged);
        match plan::plan(&bench.site(), &bench.settings, &v1, archive, &stage, cursor) {
            Ok(plan::Step::Again(next)) => cursor = Some(next),
            Ok(plan::Step::Done(_)) => panic!("planned"),
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure.code, "damaged-artifact");
    let mut cursor = None;
    let failure = loop {
        let open = |release: &Release| Ok(damaged(release));
        match apply::apply(&bench.site(), &bench.settings, &v1, &planned, open, cursor) {
            Ok(apply::Step::Again(next)) => cursor = Some(next),
            Ok(apply::Step::Done(_)) => panic!("applied"),
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure.code, "damaged-artifact");
    assert!(bench.site().manifest(&v1.release.unwrap().hex).unwrap().is_none());
}

#[test]
fn half_a_line_of_a_killed_call_is_cut_from_the_journal() {
    let bench = bench();
    let v1 = bench.release(V1);
    let planned = bench.plan(&v1);
    let apply::Step::Again(cursor) = bench.call(&v1, &planned, &None).unwrap() else { panic!("in one call") };
    let journal = bench.site().journal(&v1.release.as_ref().unwrap().hex);
    let mut torn = fs::read(&journal).unwrap();
    torn.extend(br#"{"path":"css/b"#);
    fs::write(&journal, torn).unwrap();

    let mut step = bench.call(&v1, &planned, &Some(cursor)).unwrap();
    while let apply::Step::Again(cursor) = step {
        step = bench.call(&v1, &planned, &Some(cursor)).unwrap();
    }

    assert_eq!(bench.observe().health, Health::Healthy);
}

#[test]
fn undo_serves_the_release_before_however_often_it_is_called() {
    let bench = bench();
    bench.deploy(&bench.release(V1));
    let planned = bench.deploy(&bench.release(V2));

    let first = bench.undo(&planned).unwrap();
    let second = bench.undo(&planned).unwrap();

    assert!(first.ends_with("again") && second.ends_with("as before"), "{first} / {second}");
    assert_eq!(bench.served("index.html").as_deref(), Some("one"));
}

#[test]
fn undo_of_the_first_release_serves_nothing() {
    let bench = bench();
    let planned = bench.deploy(&bench.release(V1));

    bench.undo(&planned).unwrap();
    bench.undo(&planned).unwrap();

    assert!(bench.path("current").symlink_metadata().is_err());
}

#[test]
fn undo_of_half_an_apply_leaves_nothing_behind() {
    let bench = bench();
    let v1 = bench.release(V1);
    let planned = bench.plan(&v1);
    bench.call(&v1, &planned, &None).unwrap();

    bench.undo(&planned).unwrap();

    assert_eq!(fs::read_dir(bench.path("releases")).unwrap().count(), 0);
}

#[test]
fn undo_leaves_alone_what_another_deployment_put_there() {
    let bench = bench();
    bench.deploy(&bench.release(V1));
    let planned = bench.deploy(&bench.release(V2));
    bench.deploy(&bench.release(&[("index.html", "three")]));

    assert_eq!(bench.undo(&planned).unwrap_err().code, "moved");
}

#[test]
fn old_releases_go_but_never_the_one_before() {
    let mut bench = bench();
    bench.settings.keep_releases = 1;

    for version in 1..=5 {
        bench.deploy(&bench.release(&[("index.html", &version.to_string())]));
        assert_eq!(bench.releases(), version.min(2));
    }

    let four = bench.plan(&bench.release(&[("index.html", "4")]));
    bench.apply(&bench.release(&[("index.html", "4")]), &four).unwrap();
    bench.undo(&four).unwrap();
    assert_eq!(bench.served("index.html").as_deref(), Some("5"));
}

#[test]
fn a_destroyed_site_serves_nothing_and_undo_brings_it_back() {
    let bench = bench();
    bench.deploy(&bench.release(V1));
    let planned = bench.plan(&nothing());
    assert_eq!(planned.summary, "0 created, 0 updated, 4 deleted");
    assert!(planned.changes.last().unwrap().destructive);
    bench.apply(&nothing(), &planned).unwrap();
    assert_eq!(bench.observe().health, Health::Missing);

    bench.undo(&planned).unwrap();
    assert_eq!(bench.served("index.html").as_deref(), Some("one"));
}

#[test]
fn drift_is_observed_file_by_file() {
    let bench = bench();
    assert_eq!(bench.observe().health, Health::Missing);
    let v1 = bench.release(V1);
    bench.deploy(&v1);
    let healthy = bench.observe();
    bench.edit("index.html", "eno");
    bench.edit("new.html", "");
    fs::remove_file(bench.path("current/about.html")).unwrap();

    let degraded = bench.observe();

    assert_eq!((healthy.health, healthy.details.as_str()), (Health::Healthy, r#"{"files":4}"#));
    assert_eq!(healthy.version, v1.release.unwrap().tag);
    assert_eq!(degraded.health, Health::Degraded);
    assert_eq!(
        degraded.details,
        r#"{"files":4,"drifted":3,"drift":{"about.html":"deleted","index.html":"changed","new.html":"added"}}"#
    );
}

#[test]
fn a_current_that_is_not_ours_is_never_touched() {
    let bench = bench();
    fs::create_dir(bench.path("current")).unwrap();
    assert_eq!(bench.site().current().unwrap_err().code, "foreign-current");
    fs::remove_dir(bench.path("current")).unwrap();
    std::os::unix::fs::symlink("releases/../../elsewhere", bench.path("current")).unwrap();

    let failure = bench.site().current().unwrap_err();

    assert!(failure.message.contains("points to `releases/../../elsewhere`"), "{}", failure.message);
}

#[test]
fn releases_that_are_not_ours_are_never_touched() {
    let bench = bench();
    let elsewhere = tempfile::tempdir().unwrap();
    let refusal = || site::Site::open(bench.folder.path().to_owned()).err().unwrap().message;
    std::os::unix::fs::symlink(elsewhere.path(), bench.path("releases")).unwrap();
    assert_eq!(refusal(), "`releases` is a link, which this plugin did not make; move it away first");
    fs::remove_file(bench.path("releases")).unwrap();
    fs::write(bench.path("releases"), "").unwrap();
    assert!(refusal().starts_with("`releases` is no folder"));
    fs::remove_file(bench.path("releases")).unwrap();

    let v1 = bench.release(V1);
    bench.deploy(&v1);
    let release = bench.site().release(&v1.release.as_ref().unwrap().hex);
    fs::remove_dir_all(&release).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), release).unwrap();
    let failure = bench.plan_call(&v1, &None).unwrap_err();
    assert_eq!(failure.code, "foreign-releases");
    assert!(failure.message.contains("is a link"), "{}", failure.message);
}

#[test]
fn a_folder_that_is_not_granted_says_so() {
    let failure = site::Site::open("/folders/nowhere".into()).err().unwrap();

    assert!(failure.message.contains("an operator grants it with `--folder nowhere=PATH`"), "{}", failure.message);
}

#[test]
fn the_example_of_the_readme_is_a_configuration() {
    let readme = include_str!("../README.md");
    let example = readme.split("```json").nth(1).unwrap().split("```").next().unwrap();

    assert_eq!(crate::issues(&lockgate_sdk::parse_config(example).unwrap()), []);
    json::from_str::<Value>(include_str!("../config.schema.json")).unwrap();
}
