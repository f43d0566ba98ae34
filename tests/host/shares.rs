//! Shares of the visitors, counted at a real nginx that is never reloaded.

use std::collections::BTreeMap;

use lockgate::wire::{Grants, HttpGrant};

use crate::harness::{Host, Nginx, Project, Web, archive};

const VISITS: usize = 2_000;
const VISITORS: u16 = 8080;
const NEWEST: u16 = 8081;

/// A site whose canary waits for a chat room: at a tenth, and at half.
struct Shop {
    project: Project,
    at_a_tenth: Web,
    at_half: Web,
    nginx: Nginx,
    host: Host,
}

impl Shop {
    fn open() -> Option<Self> {
        let host = Host::start();
        let site = host.place("site");
        let nginx = Nginx::start(&nginx_conf().replace("/srv/shop", site.to_str().unwrap()))?;
        let rooms = [(); 2].map(|()| Web::serving(host.place("room")));
        host.plugin("static-site", &["site"]);
        let http = rooms.each_ref().map(|room| HttpGrant::new(&room.url(), true)).to_vec();
        host.plugin_with("http-request", Grants { http, ..Grants::default() });
        let [at_a_tenth, at_half] = rooms;
        let project = Project::create(&host, "shop", &project_file(&at_a_tenth.url(), &at_half.url()));
        Some(Self { project, at_a_tenth, at_half, nginx, host })
    }

    fn deploy(&self, tag: &str) -> u64 {
        let artifact = self.project.ann.upload("web", archive(&[("index.html", tag)]));
        self.project.release_with(tag, vec![artifact]);
        let number = self.project.deploy(tag, "test");
        self.project.wait_for_approval(number);
        self.project.approve(number);
        number
    }

    fn bring_live(&self, tag: &str) {
        let number = self.deploy(tag);
        self.project.assert_succeeds(number);
    }

    /// Each page that visitors see, with how many of a hundred see it.
    fn seen(&self) -> BTreeMap<String, f64> {
        let visits = self.nginx.visits(VISITORS, "/", VISITS);
        assert_eq!(visits.values().sum::<usize>(), VISITS);
        visits.into_iter().map(|(page, count)| (page, count as f64 * 100. / VISITS as f64)).collect()
    }

    fn everybody_sees(&self, tag: &str) {
        assert_eq!(self.seen(), BTreeMap::from([(tag.to_owned(), 100.)]));
    }

    fn about(&self, percent: f64, new: &str, old: &str) {
        let seen = self.seen();
        eprintln!("of {VISITS} visits in percent: {seen:?}");
        let new = seen.get(new).copied().unwrap_or_default();
        // Six standard deviations: of 2,000 visits a share of 10 % is off by less than 4.
        let tolerance = 6. * (percent * (100. - percent) / VISITS as f64).sqrt();
        assert!((new - percent).abs() < tolerance, "{new} % instead of {percent}");
        assert!((new + seen.get(old).copied().unwrap_or_default() - 100.).abs() < 1e-9, "{seen:?}");
    }

    fn waits_at(&self, number: u64, phase: &str) {
        self.project.wait_until(number, phase, |deployment| {
            deployment.phases.iter().any(|run| run.name == phase && run.status == "Running" && run.tries > 1)
        });
    }
}

fn nginx_conf() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/strategies/canary/nginx.conf")).unwrap()
}

fn project_file(at_a_tenth: &str, at_half: &str) -> String {
    let ask = |url: &str| format!("plugin: http-request, retries: 100, backoff: 50ms, config: {{ url: \"{url}/\" }}");
    format!(
        r#"
applications: [web]
environments:
  test:
    targets: {{ site: {{ plugin: static-site, application: web, config: {{ folder: site, buckets: true }} }} }}
    approvals: {{ rules: [{{ groups: [operators] }}] }}
workflows:
  canary:
    on_failure: undo
    phases:
      - {{ name: tenth, apply: site, weight: 10 }}
      - {{ name: look, {} }}
      - {{ name: half, apply: site, weight: 50 }}
      - {{ name: look-again, {} }}
      - {{ name: all, apply: site }}
"#,
        ask(at_a_tenth),
        ask(at_half),
    )
}

#[test]
fn a_canary_is_seen_by_a_tenth_then_by_half_then_by_all_and_after_an_undo_by_nobody() {
    let Some(shop) = Shop::open() else { return };
    shop.bring_live("v1");
    shop.everybody_sees("v1");

    shop.at_a_tenth.break_down();
    let second = shop.deploy("v2");
    shop.waits_at(second, "look");
    shop.about(10., "v2", "v1");
    assert_eq!(shop.nginx.page(NEWEST, "/"), "v2", "a gate finds the new release by itself");
    shop.at_a_tenth.mend();
    // Approved once: no plan of a later share has drifted because of an earlier one.
    shop.project.assert_succeeds(second);
    shop.everybody_sees("v2");
    let does: Vec<String> = shop.project.deployment(second).phases.into_iter().map(|phase| phase.does).collect();
    assert_eq!(does, ["apply site at 10 %", "http-request", "apply site at 50 %", "http-request", "apply site"]);

    shop.at_half.break_down();
    let third = shop.deploy("v3");
    shop.waits_at(third, "look-again");
    shop.about(50., "v3", "v2");
    shop.at_half.refuse();
    assert_eq!(shop.project.outcome_of(third).0, "FAILED");
    shop.everybody_sees("v2");
    assert_eq!(shop.project.live("test").as_deref(), Some("v2"));
    assert_eq!(shop.project.current("test").as_deref(), Some("v2"));
    assert!(shop.host.is_alive());
}
