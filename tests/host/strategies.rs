//! The strategies in `examples/strategies`, each played as its page says, then with a release that goes wrong: what
//! visitors see at a real nginx while it goes on, and after.

use std::fs;
use std::path::PathBuf;

use crate::examples::{commands, example, play};
use crate::harness::{Host, Nginx, Project, archive, component};

const VISITORS: u16 = 8080;
const SERVERS: [u16; 3] = [8081, 8082, 8083];
/// Of the gates, in the place of minutes. A red one is red for as long.
const GATES_TIMEOUT: &str = "10s";

/// After the session of the page: v1 was released, then v2.
struct Strategy {
    shop: Project,
    nginx: Nginx,
    host: Host,
}

impl Strategy {
    /// None where there is no nginx.
    fn played(name: &str, nginx_conf: &str) -> Option<Self> {
        let host = Host::start();
        let here = |text: String| text.replace("/srv", host.place("srv").to_str().unwrap());
        let nginx = Nginx::start(&here(example(&format!("strategies/{nginx_conf}"))))?;
        let session = host.place("session");
        let file = nginx.moved(&quick(&example(&format!("strategies/{name}/lockgate.yaml"))));
        fs::write(session.join("lockgate.yaml"), file).unwrap();
        for package in ["static-site", "http-check"] {
            fs::write(session.join(format!("{}.wasm", package.replace('-', "_"))), component(package)).unwrap();
        }
        play(&host, &session, &commands(&nginx.moved(&here(example("strategies/README.md")))));
        Some(Self { shop: Project::of(&host, "shop"), nginx, host })
    }

    fn deploy(&self, tag: &str, page: &str) -> u64 {
        let artifact = self.shop.ann.upload("web", archive(&[("index.html", page)]));
        self.shop.release_with(tag, vec![artifact]);
        self.shop.deploy(tag, "production")
    }

    fn bring_live(&self, tag: &str) {
        let number = self.deploy(tag, &shop(tag));
        self.shop.assert_succeeds(number);
    }

    fn waits_at(&self, number: u64, phase: &str) {
        self.shop.wait_until(number, phase, |deployment| {
            deployment.phases.iter().any(|run| run.name == phase && run.status == "Running")
        });
    }

    fn fails(&self, number: u64) {
        assert_eq!(self.shop.outcome_of(number).0, "FAILED");
    }

    fn servers(&self) -> [String; 3] {
        SERVERS.map(|port| self.nginx.page(port, "/"))
    }

    /// Each page that visitors see, with how many of `count` visits see it.
    fn visits(&self, count: usize) -> Vec<(String, usize)> {
        self.nginx.visits(VISITORS, "/", count).into_iter().collect()
    }

    fn everybody_sees(&self, page: &str) {
        assert_eq!(self.visits(400), [(page.to_owned(), 400)]);
    }

    fn server(&self, name: &str) -> PathBuf {
        self.host.place("srv").join(name)
    }

    /// No link can be switched there, which no plan foresees.
    fn jam(&self, server: &str) {
        fs::create_dir(self.server(server).join(".link.new")).unwrap();
    }

    fn free(&self, server: &str) {
        fs::remove_dir(self.server(server).join(".link.new")).unwrap();
    }
}

/// The page that the session makes, and that all checks ask for.
fn shop(tag: &str) -> String {
    format!("The shop, {tag}\n")
}

/// The gates of a project file without their patience.
fn quick(file: &str) -> String {
    let line = |line: &str| match line.split_once(':').map(|(key, _)| (key, key.trim())) {
        Some((key, "interval" | "steady")) => format!("{key}: 100ms\n"),
        Some((key, "timeout")) => format!("{key}: {GATES_TIMEOUT}\n"),
        Some(_) | None => format!("{line}\n"),
    };
    file.lines().map(line).collect()
}

#[test]
fn serial_stops_at_the_server_that_fails_and_a_retry_goes_on_there() {
    let Some(serial) = Strategy::played("serial", "rolling/nginx.conf") else { return };
    let (v2, v3) = (shop("v2"), shop("v3"));
    assert_eq!(serial.servers(), [&v2, &v2, &v2].map(String::clone));

    serial.jam("two");
    let third = serial.deploy("v3", &v3);
    serial.fails(third);
    assert_eq!(serial.servers(), [&v3, &v2, &v2].map(String::clone));
    assert_eq!(serial.shop.live("production").as_deref(), Some("v2"));

    serial.free("two");
    serial.shop.retry(third);
    serial.shop.assert_succeeds(third);
    assert_eq!(serial.servers(), [&v3, &v3, &v3].map(String::clone));
}

#[test]
fn parallel_takes_all_back_where_one_fails() {
    let Some(parallel) = Strategy::played("parallel", "rolling/nginx.conf") else { return };
    let v2 = shop("v2");

    parallel.jam("two");
    let third = parallel.deploy("v3", &shop("v3"));
    parallel.fails(third);
    assert_eq!(parallel.servers(), [&v2, &v2, &v2].map(String::clone));
    let starts = parallel.shop.deployment(third).phases;
    assert!(starts.iter().all(|phase| phase.started_at.is_some()), "they are side by side: {starts:#?}");
}

#[test]
fn rolling_reaches_one_server_and_goes_back_when_it_is_not_well() {
    let Some(rolling) = Strategy::played("rolling", "rolling/nginx.conf") else { return };
    let v2 = shop("v2");
    rolling.everybody_sees(&v2);

    let third = rolling.deploy("v3", "broken");
    rolling.waits_at(third, "one-is-well");
    assert_eq!(rolling.servers(), ["broken", &v2, &v2]);
    let seen = rolling.visits(1_200);
    assert_eq!(seen, [(v2.clone(), 800), ("broken".to_owned(), 400)], "a third of the visitors, in turn");
    rolling.fails(third);
    assert_eq!(rolling.servers(), [&v2, &v2, &v2].map(String::clone));
    rolling.everybody_sees(&v2);
}

#[test]
fn a_canary_that_is_not_well_was_seen_by_a_tenth_and_by_nobody_after() {
    let Some(canary) = Strategy::played("canary", "canary/nginx.conf") else { return };
    canary.everybody_sees(&shop("v2"));

    let third = canary.deploy("v3", "broken");
    canary.waits_at(third, "a-tenth-is-well");
    let seen = canary.visits(2_000);
    let broken = seen.iter().find(|(page, _)| page == "broken").map_or(0, |(_, count)| *count);
    assert!((120..=280).contains(&broken), "{seen:?}");
    canary.fails(third);
    canary.everybody_sees(&shop("v2"));
    assert_eq!(canary.shop.current("production").as_deref(), Some("v2"));
}

#[test]
fn blue_green_tries_out_where_no_visitor_comes() {
    let Some(blue_green) = Strategy::played("blue-green", "blue-green/nginx.conf") else { return };
    let idle = || blue_green.nginx.page(8081, "/");
    blue_green.everybody_sees(&shop("v2"));

    let third = blue_green.deploy("v3", "broken");
    blue_green.waits_at(third, "try-out");
    assert_eq!(idle(), "broken");
    blue_green.everybody_sees(&shop("v2"));
    blue_green.fails(third);
    assert_eq!(idle(), shop("v2"));
    blue_green.everybody_sees(&shop("v2"));

    let back = blue_green.shop.roll_back("production");
    blue_green.shop.assert_succeeds(back);
    blue_green.everybody_sees(&shop("v1"));
}

#[test]
fn in_a_rainbow_whoever_came_earlier_keeps_the_release_of_then() {
    let Some(rainbow) = Strategy::played("rainbow", "rainbow/nginx.conf") else { return };
    let of = |tag: &str| rainbow.nginx.page_with(&format!("version={tag}"), VISITORS, "/");
    rainbow.bring_live("v3");
    rainbow.everybody_sees(&shop("v3"));
    assert_eq!([of("v1"), of("v2"), of("v3")], ["v1", "v2", "v3"].map(shop));
    assert_eq!(rainbow.nginx.page(VISITORS, "/v/v1/"), shop("v1"));

    rainbow.bring_live("v4");
    assert_eq!([of("v1"), of("v2"), of("v3"), of("v4")], ["v4", "v2", "v3", "v4"].map(shop), "v1 made room");
    assert_eq!(rainbow.nginx.page(VISITORS, "/v/v1/"), "404");

    let fifth = rainbow.deploy("v5", "broken");
    rainbow.fails(fifth);
    rainbow.everybody_sees(&shop("v4"));
    assert_eq!(of("v2"), shop("v2"), "it made room, and is back");
}
