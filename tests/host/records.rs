//! What a flag or a selection changes in the world outside: two deployments that differ in nothing else, and the real
//! `static-site`. Then the two commands that build on them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Output;

use lockgate::wire::{NewDeployment, ResourceStatus, Selection};

use crate::harness::{self, Host, Project, archive, block_on};

/// Two sites, each of an application.
struct Shop {
    project: Project,
    host: Host,
}

const APPLICATIONS: [&str; 2] = ["docs", "web"];

fn file(more: &str) -> String {
    let target = |name: &str| {
        format!(
            "{name}: {{ plugin: static-site, application: {name}, config: {{ folder: {name}, artifact: {name} }} }}"
        )
    };
    let [docs, web] = APPLICATIONS.map(target);
    format!(
        "
applications: [docs, web]
environments: {{ test: {{ targets: {{ {docs}, {web} }}{more} }} }}
workflows: {{ both: {{ phases: [{{ name: publish-docs, apply: docs }}, {{ name: publish-web, apply: web }}] }} }}
"
    )
}

impl Shop {
    /// With v1 live.
    fn open() -> Self {
        let host = Host::start();
        host.plugin("static-site", &APPLICATIONS);
        let project = Project::create(&host, "shop", &file(""));
        let shop = Self { project, host };
        shop.release("v1");
        shop.project.assert_succeeds(shop.project.deploy("v1", "test"));
        shop
    }

    fn release(&self, tag: &str) {
        let upload = |name: &str| self.project.ann.upload(name, archive(&[("index.html", tag), ("about.html", "us")]));
        self.project.release_with(tag, APPLICATIONS.map(upload).into());
    }

    fn deploy(&self, new: NewDeployment) -> u64 {
        let deployed = block_on(self.project.ann.client.deploy("shop", "test", &new, None));
        deployed.unwrap_or_else(|error| panic!("{error}")).number
    }

    /// The pages of both, in the order of their names.
    fn pages(&self) -> [String; 2] {
        APPLICATIONS.map(|name| fs::read_to_string(self.host.place(name).join("current/index.html")).unwrap())
    }

    fn edit(&self, name: &str, text: &str) {
        fs::write(self.host.place(name).join("current/index.html"), text).unwrap();
    }

    fn inode(&self, name: &str) -> u64 {
        fs::metadata(self.host.place(name).join("current/index.html")).unwrap().ino()
    }

    fn resources_of(&self, application: Option<&str>) -> Vec<ResourceStatus> {
        block_on(self.project.ann.client.resources("shop", "test", application)).unwrap()
    }

    /// How many resources come one by one, none of them twice.
    fn paged(&self) -> usize {
        let path = "/v1/projects/shop/environments/test/resources?limit=1";
        let (mut found, mut after) = (BTreeSet::new(), String::new());
        loop {
            let page = self.project.ann.send("GET", &format!("{path}{after}"), Vec::new()).body;
            assert!(found.insert(page["items"][0].to_string()), "{page}");
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return found.len(),
            }
        }
    }

    fn resources(&self) -> BTreeMap<String, ResourceStatus> {
        let all = self.resources_of(None);
        let named = |one: ResourceStatus| (format!("{} {}", one.resource_type, one.resource_name), one);
        all.into_iter().filter(|one| one.resource_type == "site").map(named).collect()
    }

    /// `IN_SYNC v1 v1 unknown`: sync, current, live and health.
    fn site(&self, name: &str) -> String {
        let all = self.resources();
        let site = &all[&format!("site {name}")];
        let text = |version: &Option<String>| version.clone().unwrap_or_default();
        format!("{} {} {} {}", site.sync, text(&site.current_version), text(&site.live_version), site.health)
    }

    fn run(&self, line: &str) -> (i32, String) {
        let url = format!("http://{}", self.host.address());
        let arguments = ["--url", &url, "--token", &self.project.ann.secret];
        let line: Vec<&str> = arguments.into_iter().chain(line.split(' ')).collect();
        let Output { status, stdout, stderr } = self.host.command(&line);
        let text = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (status.code().unwrap(), text)
    }

    fn deployments(&self) -> usize {
        self.project.deployments().len()
    }
}

fn of(release: &str) -> NewDeployment {
    NewDeployment { release: release.to_owned(), ..NewDeployment::default() }
}

fn selecting(release: &str, selection: Selection) -> NewDeployment {
    let deployment_type = Some("SELECTIVE".to_owned());
    NewDeployment { deployment_type, selections: vec![selection], ..of(release) }
}

fn application(name: &str) -> Selection {
    Selection { application: Some(name.to_owned()), ..Selection::default() }
}

#[test]
fn a_refresh_sees_what_somebody_changed_behind_the_back() {
    let shop = Shop::open();
    shop.project.change(&shop.host, &file(", approvals: { rules: [{ groups: [operators] }] }"));
    shop.edit("web", "hacked");

    shop.project.wait_for_approval(shop.deploy(of("v1")));
    assert_eq!(shop.site("web"), "IN_SYNC v1 v1 unknown", "nobody has looked");
    shop.project.cancel(2);
    shop.project.end_of(2);

    let refreshing = shop.deploy(NewDeployment { refresh: true, ..of("v1") });
    let asked = shop.project.wait_for_approval(refreshing);
    assert_eq!(shop.site("web"), "OUT_OF_SYNC v1 v1, 1 file edited degraded");
    assert_eq!(shop.site("docs"), "IN_SYNC v1 v1 healthy");
    assert_eq!(shop.paged(), shop.resources_of(None).len());
    let web = &shop.resources()["site web"];
    assert_eq!((web.release_status.as_str(), web.observed_at.is_some()), ("QUEUED", true));
    assert_eq!(asked.record.sign_off.pre, "Pending");

    shop.project.approve(refreshing);
    shop.project.assert_succeeds(refreshing);
    assert_eq!(shop.site("web"), "IN_SYNC v1 v1 unknown");
    assert_eq!(shop.pages(), ["v1", "v1"]);
    assert_eq!(shop.project.deployment(refreshing).record.sign_off.pre, "Approved");
}

#[test]
fn a_forced_deployment_writes_again_what_is_in_sync() {
    let shop = Shop::open();
    let inodes = || APPLICATIONS.map(|name| shop.inode(name));
    let first = inodes();

    shop.project.assert_succeeds(shop.deploy(of("v1")));
    assert_eq!(inodes(), first);

    shop.project.assert_succeeds(shop.deploy(NewDeployment { forced: true, ..of("v1") }));
    let [docs, web] = inodes();
    assert!(docs != first[0] && web != first[1], "both were written again");
    assert_eq!(shop.pages(), ["v1", "v1"]);
}

#[test]
fn a_selection_moves_what_it_names_and_nothing_else() {
    let shop = Shop::open();
    shop.release("v2");

    shop.project.assert_succeeds(shop.deploy(selecting("v2", application("web"))));
    assert_eq!(shop.pages(), ["v1", "v2"]);
    assert_eq!((shop.site("docs"), shop.site("web")), ("IN_SYNC v1 v1 unknown".into(), "IN_SYNC v2 v2 unknown".into()));

    shop.project.assert_succeeds(shop.deploy(selecting("v2", application("docs"))));
    assert_eq!(shop.pages(), ["v2", "v2"]);

    let by_name = Selection {
        resource_type: Some("site".to_owned()),
        resource_name: Some("docs".to_owned()),
        ..Selection::default()
    };
    let back = shop.deploy(selecting("v1", by_name));
    shop.project.assert_succeeds(back);
    assert_eq!(shop.pages(), ["v1", "v2"]);
    let landed = shop.project.deployment(back).record.application_deployments;
    let landed: Vec<_> =
        landed.iter().map(|it| (it.application.as_str(), it.target.as_str(), it.release.as_str())).collect();
    assert_eq!(landed, [("docs", "docs", "v1")]);
}

#[test]
fn a_sync_repairs_what_it_finds_and_says_when_there_is_nothing_to_do() {
    let shop = Shop::open();
    shop.release("v2");
    let sync = |rest: &str| shop.run(&format!("release sync {rest}"));

    let (code, said) = sync("web,docs -p shop -e test");
    assert_eq!((code, shop.deployments()), (0, 1), "{said}");
    assert!(said.contains("already in sync"), "{said}");

    shop.edit("web", "hacked");
    let (code, said) = sync("web -p shop -e test --force");
    assert_eq!((code, shop.deployments()), (0, 2), "{said}");
    assert_eq!(shop.pages(), ["v1", "v1"]);
    let synced = shop.project.deployment(2);
    assert_eq!((synced.deployment_type.as_str(), synced.refresh, synced.forced), ("SELECTIVE", true, true));

    shop.project.assert_succeeds(shop.deploy(selecting("v2", application("web"))));
    let (code, said) = sync("web -p shop -e test --json");
    assert_eq!((code, shop.pages()), (0, ["v1".into(), "v1".into()]), "{said}");
    assert!(!shop.project.deployment(4).forced);

    for (wrong, named) in
        [("web -p sho -e test", "shop"), ("web -p shop -e tst", "test"), ("wep -p shop -e test", "docs, web")]
    {
        let (code, said) = sync(wrong);
        assert_eq!(code, 2, "{wrong}: {said}");
        assert!(said.contains(named), "{wrong}: {said}");
    }
}

#[test]
fn a_wait_tells_synced_failed_and_timed_out_apart() {
    let shop = Shop::open();
    shop.release("v2");
    let wait = |rest: &str| shop.run(&format!("release wait web -p shop -e test {rest}"));
    assert_eq!(wait("--timeout 60s").0, 0);

    shop.project.assert_succeeds(shop.deploy(selecting("v2", application("web"))));
    let (code, said) = wait("--timeout 1s");
    assert_eq!(code, 5, "out of sync, and nobody deploys: {said}");
    let (code, said) = wait("--sync --timeout 60s");
    assert_eq!((code, shop.pages()), (0, ["v1".into(), "v1".into()]), "{said}");

    // What it has started is not agreed to, and the web stays where it was.
    shop.project.assert_succeeds(shop.deploy(selecting("v2", application("web"))));
    shop.project.change(&shop.host, &file(", approvals: { rules: [{ groups: [operators] }] }"));
    let started = shop.deployments() as u64 + 1;
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait("--sync --timeout 60s"));
        harness::wait("the sync to be started", || (shop.deployments() as u64 == started).then_some(()));
        shop.project.wait_for_approval(started);
        shop.project.reject(started, "not today");
        let (code, said) = waiting.join().unwrap();
        assert_eq!(code, 1, "{said}");
    });
    assert_eq!(shop.pages(), ["v1", "v2"]);
}
