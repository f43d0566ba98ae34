//! Shares of the visitors, and versions by their tags.

use super::*;
use crate::serving::Serving;

fn with_buckets() -> Bench {
    let mut bench = bench();
    bench.settings.buckets = true;
    bench
}

fn with_versions() -> Bench {
    let mut bench = bench();
    bench.settings.versions = true;
    bench.settings.keep_releases = 2;
    bench
}

/// As one phase of several asks for it.
fn share(wanted: &Wanted, weight: usize, weight_before: usize) -> Wanted {
    Wanted { weight, weight_before, ..wanted.clone() }
}

/// The phases of a canary.
fn rising(wanted: &Wanted) -> [Wanted; 3] {
    [share(wanted, 10, 0), share(wanted, 50, 10), share(wanted, 100, 50)]
}

impl Bench {
    fn page(&self, content: &str) -> Wanted {
        self.release(&[("index.html", content)])
    }

    /// What a web server finds in the buckets: each page, and in how many.
    fn seen(&self) -> String {
        let mut pages = BTreeMap::<String, usize>::new();
        for bucket in 0..100 {
            let page = fs::read_to_string(self.path(&format!("buckets/{bucket:02}/index.html")));
            *pages.entry(page.unwrap_or("nothing".into())).or_default() += 1;
        }
        pages.iter().map(|(page, count)| format!("{page} {count}")).collect::<Vec<_>>().join(", ")
    }

    fn version(&self, tag: &str) -> Option<String> {
        fs::read_to_string(self.path(&format!("versions/{tag}/index.html"))).ok()
    }

    fn version_tags(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("versions")).unwrap();
        let mut tags: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        tags.sort();
        tags
    }
}

fn fields(planned: &Planned) -> Vec<String> {
    let site = planned.changes.iter().filter(|change| change.kind == "site");
    let told = |field: &FieldChange| format!("{}: {} to {}", field.path, field.before, field.after);
    site.flat_map(|change| change.fields.iter().map(told)).collect()
}

/// Digests, as the words of a test.
fn in_words(text: String, releases: &[(&str, &Wanted)]) -> String {
    let digest = |wanted: &Wanted| wanted.release.as_ref().unwrap().hex.digest();
    releases.iter().fold(text, |text, (word, wanted)| text.replace(&digest(wanted), word))
}

#[test]
fn a_share_grows_and_whoever_saw_the_new_release_keeps_it() {
    let bench = with_buckets();
    bench.deploy(&bench.page("one"));
    assert_eq!(bench.seen(), "one 100");

    let [tenth, half, all] = rising(&bench.page("two"));
    bench.deploy(&tenth);
    assert_eq!(bench.seen(), "one 90, two 10");
    assert_eq!(fs::read_to_string(bench.path("buckets/09/index.html")).unwrap(), "two");
    assert_eq!(bench.served("index.html").as_deref(), Some("one"), "who has no buckets waits for all of it");
    bench.deploy(&half);
    assert_eq!(bench.seen(), "one 50, two 50");
    assert_eq!(fs::read_to_string(bench.path("buckets/09/index.html")).unwrap(), "two");
    bench.deploy(&all);
    assert_eq!(bench.seen(), "two 100");
    assert_eq!(bench.served("index.html").as_deref(), Some("two"));
}

#[test]
fn the_plan_of_a_later_share_is_the_same_before_the_first_one_and_in_its_turn() {
    let bench = with_buckets();
    let one = bench.page("one");
    bench.deploy(&one);
    let two = bench.page("two");
    let phases = rising(&two);
    let plans = phases.each_ref().map(|phase| bench.plan(phase));

    let words = |text: String| in_words(text, &[("1", &one), ("2", &two)]);
    assert_eq!(
        plans.each_ref().map(|plan| words(fields(plan)[0].clone())),
        [
            r#"percent: {"1":100} to {"1":90,"2":10}"#,
            r#"percent: {"1":90,"2":10} to {"1":50,"2":50}"#,
            r#"digest: "1" to "2""#
        ]
    );
    assert_eq!(words(fields(&plans[2])[1].clone()), r#"percent: {"1":50,"2":50} to {"2":100}"#);
    assert_eq!(plans[0].summary, "1 files for 10 % of the visitors");
    for (phase, approved) in phases.iter().zip(&plans) {
        assert_eq!(bench.plan(phase), *approved);
        bench.apply(phase, approved).unwrap();
    }
}

#[test]
fn a_share_that_is_there_is_no_change_and_files_are_named_where_they_are_replaced() {
    let bench = with_buckets();
    bench.deploy(&bench.page("one"));
    let [tenth, _, all] = rising(&bench.page("two"));
    assert_eq!(bench.changes(&tenth), ["Update site shop"]);
    assert_eq!(bench.changes(&all), ["Update file index.html", "Update site shop"]);
    bench.deploy(&tenth);

    assert_eq!(bench.changes(&tenth), ["NoOp site shop"]);
    assert_eq!(bench.changes(&share(&bench.page("two"), 20, 0)), ["Update site shop"]);
}

#[test]
fn undo_goes_back_a_share_at_a_time() {
    let bench = with_buckets();
    bench.deploy(&bench.page("one"));
    let phases = rising(&bench.page("two"));
    let plans = phases.each_ref().map(|phase| bench.plan(phase));
    phases.iter().zip(&plans).for_each(|(phase, plan)| drop(bench.apply(phase, plan).unwrap()));

    let back: Vec<String> = plans
        .iter()
        .rev()
        .map(|plan| {
            bench.undo(plan).unwrap();
            bench.undo(plan).unwrap();
            bench.seen()
        })
        .collect();

    assert_eq!(back, ["one 50, two 50", "one 90, two 10", "one 100"]);
    assert_eq!(bench.served("index.html").as_deref(), Some("one"));
}

#[test]
fn links_that_were_cut_off_anywhere_are_finished_or_taken_back() {
    let cut = |bench: &Bench, bucket: usize, hex: &site::Hex| {
        bench.site().point(&format!("buckets/{bucket:02}"), &format!("../releases/{hex}")).unwrap();
    };
    for done in [0, 1, 17, 39, 40] {
        let bench = with_buckets();
        bench.deploy(&bench.page("one"));
        let two = bench.page("two");
        bench.deploy(&share(&two, 10, 0));
        let half = share(&two, 50, 10);
        let planned = bench.plan(&half);
        let hex = &two.release.as_ref().unwrap().hex;

        (10..10 + done).for_each(|bucket| cut(&bench, bucket, hex));
        bench.apply(&half, &planned).unwrap();
        assert_eq!(bench.seen(), "one 50, two 50", "cut at {done}");

        (10..10 + done).for_each(|bucket| bench.site().point(&format!("buckets/{bucket}"), "../current").unwrap());
        bench.undo(&planned).unwrap();
        assert_eq!(bench.seen(), "one 90, two 10", "cut at {done}");
    }
}

#[test]
fn when_the_last_share_is_cut_off_after_its_switch_nobody_sees_it() {
    let bench = with_buckets();
    bench.deploy(&bench.page("one"));
    let [_, half, all] = rising(&bench.page("two"));
    bench.deploy(&half);
    let planned = bench.plan(&all);
    bench.site().switch(&all.release.as_ref().unwrap().hex).unwrap();
    assert_eq!(bench.seen(), "two 100");

    bench.undo(&planned).unwrap();
    assert_eq!(bench.seen(), "one 50, two 50");
    bench.apply(&all, &planned).unwrap();
    assert_eq!(bench.seen(), "two 100");
    assert_eq!(bench.changes(&all), ["NoOp site shop"]);
}

#[test]
fn wherever_the_links_stop_everybody_sees_the_release_before_or_the_one_after() {
    let bench = with_buckets();
    let (one, two) = (bench.page("one"), bench.page("two"));
    bench.deploy(&one);
    bench.deploy(&share(&two, 50, 0));
    let hex = |wanted: &Wanted| wanted.release.as_ref().unwrap().hex.clone();
    let (half, all) = (Serving::shared(Some(hex(&one)), 50, &hex(&two)), Serving::shared(None, 100, &hex(&two)));
    let stopped_at_a_bucket = |serving: &Serving| {
        let bucket = bench.path("buckets/05");
        let link = fs::read_link(&bucket).unwrap();
        fs::remove_file(&bucket).unwrap();
        fs::create_dir(&bucket).unwrap();
        bench.site().serve(serving).unwrap_err();
        fs::remove_dir(&bucket).unwrap();
        std::os::unix::fs::symlink(link, &bucket).unwrap();
        bench.seen()
    };

    assert_eq!(stopped_at_a_bucket(&all), "two 100", "switched before anybody follows");
    bench.site().serve(&all).unwrap();
    assert_eq!(stopped_at_a_bucket(&half), "two 100", "pinned before anybody is switched back");
}

#[test]
fn a_canary_that_was_left_behind_goes_with_the_next_one_and_the_plan_says_so() {
    let bench = with_buckets();
    let (one, left, next) = (bench.page("one"), bench.page("left"), bench.page("next"));
    bench.deploy(&one);
    bench.deploy(&share(&left, 30, 0));
    let phases = rising(&next);
    let plans = phases.each_ref().map(|phase| bench.plan(phase));

    let words = |plan: &Planned| in_words(fields(plan)[0].clone(), &[("1", &one), ("l", &left), ("n", &next)]);
    assert!(words(&plans[0]).contains(r#""l":30"#), "{}", words(&plans[0]));
    bench.apply(&phases[0], &plans[0]).unwrap();
    assert_eq!(bench.seen(), "next 10, one 90");
    assert_eq!(bench.plan(&phases[1]), plans[1]);
    bench.undo(&plans[0]).unwrap();
    assert_eq!(bench.seen(), "left 30, one 70");
}

#[test]
fn what_is_current_goes_back_to_everybody_with_the_first_share() {
    let bench = with_buckets();
    let one = bench.page("one");
    bench.deploy(&one);
    bench.deploy(&share(&bench.page("two"), 50, 0));

    for phase in rising(&one) {
        bench.deploy(&phase);
        assert_eq!(bench.seen(), "one 100");
    }
}

#[test]
fn the_first_release_may_have_a_share_of_nothing() {
    let bench = with_buckets();
    let [tenth, _, all] = rising(&bench.page("one"));
    let planned = bench.deploy(&tenth);
    assert_eq!(bench.seen(), "nothing 90, one 10");
    bench.undo(&planned).unwrap();
    assert_eq!(bench.seen(), "nothing 100");
    bench.deploy(&all);
    assert_eq!(bench.seen(), "one 100");
}

#[test]
fn an_edit_of_what_is_served_stops_the_switch_and_not_the_shares() {
    let bench = with_buckets();
    bench.deploy(&bench.page("one"));
    let phases = rising(&bench.page("two"));
    let plans = phases.each_ref().map(|phase| bench.plan(phase));
    bench.edit("index.html", "by hand");

    bench.apply(&phases[0], &plans[0]).unwrap();
    bench.apply(&phases[1], &plans[1]).unwrap();
    let message = stale(bench.apply(&phases[2], &plans[2]));

    assert!(message.contains("`index.html` was changed"), "{message}");
    assert_eq!(bench.seen(), "by hand 50, two 50");
}

#[test]
fn a_release_that_somebody_sees_is_kept_and_so_is_what_undo_needs() {
    let mut bench = with_buckets();
    bench.settings.keep_releases = 1;
    bench.deploy(&bench.page("one"));
    bench.deploy(&share(&bench.page("left"), 30, 0));

    let [tenth, half, all] = rising(&bench.page("two"));
    let planned = bench.deploy(&tenth);
    bench.deploy(&half);
    bench.deploy(&all);
    assert_eq!(bench.releases(), 3, "one, left and two");
    bench.undo(&planned).unwrap_err();
    bench.deploy(&bench.page("three"));
    assert_eq!(bench.releases(), 2, "two and three");
}

#[test]
fn a_destroyed_site_has_no_shares_and_undo_brings_them_back() {
    let bench = with_buckets();
    bench.deploy(&bench.page("one"));
    bench.deploy(&share(&bench.page("two"), 10, 0));

    let planned = bench.deploy(&nothing());
    assert_eq!(bench.seen(), "nothing 100");
    bench.undo(&planned).unwrap();
    assert_eq!(bench.seen(), "one 90, two 10");
}

#[test]
fn a_bucket_that_is_not_ours_is_never_touched() {
    let bench = with_buckets();
    bench.deploy(&bench.page("one"));
    for make in [
        |at: &std::path::Path| fs::write(at, "mine").unwrap(),
        |at: &std::path::Path| fs::create_dir(at).unwrap(),
        |at: &std::path::Path| std::os::unix::fs::symlink("../elsewhere", at).unwrap(),
    ] {
        let bucket = bench.path("buckets/42");
        fs::remove_file(&bucket).unwrap();
        make(&bucket);
        let failure = bench.plan_call(&bench.page("two"), &None).unwrap_err();
        assert_eq!(failure.message, "`buckets/42` is not what this plugin made; move it away first");
        let _ = fs::remove_file(&bucket).or_else(|_| fs::remove_dir(&bucket));
        bench.deploy(&bench.page("one"));
        assert_eq!(bench.seen(), "one 100", "a bucket that is gone comes back");
    }
}

#[test]
fn who_did_not_ask_for_links_has_only_current() {
    let bench = bench();
    let planned = bench.deploy(&bench.page("one"));

    assert_eq!(fields(&planned).len(), 1, "{:?}", fields(&planned));
    let mut names: Vec<_> = fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["current", "releases"]);
}

#[test]
fn every_release_that_is_seen_is_observed_with_its_share() {
    let mut bench = with_buckets();
    bench.settings.versions = true;
    bench.deploy(&bench.page("one"));
    bench.deploy(&bench.page("two"));
    bench.deploy(&share(&bench.page("three"), 10, 0));
    fs::write(bench.path("versions/of-three/index.html"), "edited").unwrap();

    let told = |state: &ResourceState| {
        format!("{} {} {} % {:?}", state.kind, state.name, state.weight_percent, state.health).replace("Health::", "")
    };
    let mut observed: Vec<_> = bench.observe_all().iter().map(told).collect();
    observed[1..].sort();
    assert_eq!(observed, ["site shop 90 % Healthy", "version of-one 0 % Healthy", "version of-three 10 % Degraded"]);
}

#[test]
fn a_version_stays_reachable_until_newer_ones_have_taken_its_place() {
    let bench = with_versions();
    let (one, two, three) = (bench.page("one"), bench.page("two"), bench.page("three"));
    bench.deploy(&one);
    bench.deploy(&two);
    assert_eq!(bench.version_tags(), ["of-one", "of-two"]);
    assert_eq!(bench.version("of-one").as_deref(), Some("one"));

    let planned = bench.deploy(&three);
    assert_eq!(fields(&planned)[1], r#"versions: ["of-one","of-two"] to ["of-three","of-two"]"#);
    assert_eq!(bench.version_tags(), ["of-three", "of-two"]);
    bench.undo(&planned).unwrap();
    assert_eq!(bench.version("of-one").as_deref(), Some("one"), "the release behind it was still there");
    assert_eq!(bench.version_tags(), ["of-one", "of-two"]);

    bench.deploy(&three);
    bench.deploy(&bench.page("four"));
    assert_eq!(bench.version_tags(), ["of-four", "of-three"]);
}

#[test]
fn whoever_is_there_at_the_switch_keeps_their_version_even_where_one_is_kept() {
    let mut bench = with_versions();
    bench.settings.keep_releases = 1;
    for page in ["one", "two", "three"] {
        bench.deploy(&bench.page(page));
    }
    assert_eq!(bench.version_tags(), ["of-three", "of-two"]);
}

#[test]
fn a_canary_is_a_version_from_its_first_share_on() {
    let mut bench = with_versions();
    bench.settings.buckets = true;
    bench.deploy(&bench.page("one"));
    let phases = rising(&bench.page("two"));
    let plans = phases.each_ref().map(|phase| bench.plan(phase));

    for (phase, approved) in phases.iter().zip(&plans) {
        assert_eq!(bench.plan(phase), *approved);
        bench.apply(phase, approved).unwrap();
        assert_eq!(bench.version_tags(), ["of-one", "of-two"]);
    }
    plans.iter().rev().for_each(|plan| drop(bench.undo(plan).unwrap()));
    assert_eq!(bench.version_tags(), ["of-one"]);
}

#[test]
fn what_somebody_else_put_beside_the_versions_stays() {
    let bench = with_versions();
    fs::create_dir_all(bench.path("versions/notes")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", bench.path("versions/link")).unwrap();
    for page in ["one", "two", "three"] {
        bench.deploy(&bench.page(page));
    }
    assert_eq!(bench.version_tags(), ["link", "notes", "of-three", "of-two"]);

    fs::create_dir(bench.path("versions/of-four")).unwrap();
    let four = bench.page("four");
    let planned = bench.plan(&four);
    assert_eq!(bench.apply(&four, &planned).unwrap_err().code, "foreign-link");
    assert_eq!(bench.served("index.html").as_deref(), Some("three"));
}

#[test]
fn shares_add_up() {
    let (a, b) = (site::Hex::of_text("a"), site::Hex::of_text("b"));
    let shares = |current: Option<&site::Hex>, weight| -> Vec<usize> {
        Serving::shared(current.cloned(), weight, &b).shares().into_values().collect()
    };
    assert_eq!(Serving::shared(Some(a.clone()), 10, &b).shares(), [(a.clone(), 90), (b.clone(), 10)].into());
    assert_eq!((shares(Some(&a), 0), shares(Some(&a), 100)), (vec![100], vec![100]));
    assert_eq!((shares(None, 10), shares(None, 100)), (vec![10], vec![100]));
    assert_eq!(shares(Some(&b), 10), [100], "what everybody sees nobody loses");
}
