//! A changed gate, tried on what was measured for past deployments: the real `http-check`, and judges that misbehave.

use std::fs;

use lockgate::client::ClientError;
use lockgate::wire::{Backtest, BacktestRun, Backtested, Grants, HttpGrant, Limits};
use serde_json::{Value, json};

use crate::harness::{Host, Project, Refused, Web, block_on, component};

/// A page that a gate looks at after each deployment.
struct Watched {
    project: Project,
    web: Web,
    host: Host,
}

impl Watched {
    fn start() -> Self {
        let host = Host::start();
        let web = Web::serving(host.place("site"));
        let to_web = Grants { http: vec![HttpGrant::new(&web.url(), true)], ..Grants::default() };
        host.plugin("hostile-phase", &[]);
        host.plugin_with("http-check", to_web);
        let url = web.url();
        let file = format!(
            "
environments:
  production:
    gates:
      post:
        interval: 100ms
        timeout: 500ms
        checks: [{{ name: page, plugin: http-check, config: {{ url: '{url}/index.html' }} }}]
workflows: {{ w: {{ phases: [{{ name: work, plugin: hostile-phase, config: {{ do: done }} }}] }} }}
"
        );
        let project = Project::create(&host, "shop", &file);
        Self { project, web, host }
    }

    /// What a deployment with this page comes to; without one it is not found.
    fn deploy(&self, tag: &str, page: Option<&str>) -> String {
        let index = self.host.place("site").join("index.html");
        match page {
            Some(page) => fs::write(index, page).unwrap(),
            None => fs::remove_file(index).unwrap(),
        }
        self.project.release(tag);
        self.project.outcome_of(self.project.deploy(tag, "production")).0
    }

    fn try_backtest(&self, changes: Backtest) -> Result<Backtested, ClientError> {
        let backtest = Backtest { environment: "production".to_owned(), gate: "page".to_owned(), ..changes };
        block_on(self.project.ann.client.backtest("shop", &backtest))
    }

    fn backtest(&self, changes: Backtest) -> Backtested {
        let asked = self.web.asked();
        let backtested = self.try_backtest(changes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(self.web.asked(), asked, "a back-test asked the world outside");
        backtested
    }

    fn judged_by(&self, plugin: &str, config: Value) -> Backtested {
        self.backtest(Backtest { plugin: Some(plugin.to_owned()), config: Some(config), ..Backtest::default() })
    }
}

fn set(key: &str, value: Value) -> Backtest {
    Backtest { set: [(key.to_owned(), value)].into(), ..Backtest::default() }
}

fn lines(runs: &[BacktestRun]) -> Vec<String> {
    let line = |run: &BacktestRun| format!("{} was {}, would be {}: {}", run.release, run.was, run.would_be, run.why);
    runs.iter().map(line).collect()
}

#[test]
fn a_changed_gate_says_what_it_would_have_stopped_and_asks_nobody() {
    let mut shop = Watched::start();
    assert_eq!(shop.try_backtest(Backtest::default()).refused().code, "no-evidence");
    assert_eq!(shop.deploy("v1", Some("healthy")), "SUCCEEDED");
    assert_eq!(shop.deploy("v2", Some("sick")), "SUCCEEDED");
    assert_eq!(shop.deploy("v3", None), "FAILED");
    assert!(shop.web.asked() >= 3);

    let as_it_is = shop.backtest(Backtest::default());
    assert_eq!((as_it_is.totals.runs, as_it_is.totals.same, as_it_is.plugin_status.as_str()), (3, 3, "active"));
    assert_eq!(as_it_is.totals.samples, as_it_is.totals.judged);

    let stricter = set("body_contains", json!("healthy"));
    let expected = [
        "v3 was stopped, would be stopped: status 404, expected 200; the body does not contain `healthy`",
        "v2 was passed, would be stopped: the body does not contain `healthy`",
        "v1 was passed, would be passed: status 200; the body contains `healthy`",
    ];
    let backtested = shop.backtest(stricter.clone());
    assert_eq!(lines(&backtested.runs), expected);
    assert_eq!((backtested.totals.newly_stopped, backtested.totals.same), (1, 2));
    let [sample] = &backtested.runs[1].samples[..] else { panic!("{:?}", backtested.runs[1]) };
    let (was, would_be) = (sample.was.as_deref(), sample.would_be.as_deref());
    assert_eq!((sample.round, was, would_be), (1, Some("pass"), Some("fail")));

    let laxer = shop.backtest(set("expect_status", json!([200, 404])));
    assert_eq!((laxer.totals.newly_passed, laxer.totals.same), (1, 2), "{:?}", lines(&laxer.runs));
    let newest = shop.backtest(Backtest { limit: Some(1), ..stricter.clone() });
    assert_eq!(lines(&newest.runs), expected[..1]);

    shop.host.kill();
    shop.host.restart();
    assert_eq!(lines(&shop.backtest(stricter).runs), expected, "what was measured outlives the host");
    let refused = shop.try_backtest(set("expect_status", json!([]))).refused();
    assert_eq!((refused.code.as_str(), refused.status), ("invalid-config", 422));
    assert!(refused.detail.contains("/expect_status: no status would pass"), "{}", refused.detail);
}

#[test]
fn the_command_shows_first_what_would_differ() {
    let shop = Watched::start();
    assert_eq!(shop.deploy("v1", Some("sick")), "SUCCEEDED");
    assert_eq!(shop.deploy("v2", Some("healthy")), "SUCCEEDED");
    let (url, asked) = (format!("http://{}", shop.host.address()), shop.web.asked());
    let command = |more: &[&str]| {
        let line = ["gate", "backtest", "page", "-p", "shop", "-e", "production", "--url", &url, "--token"];
        shop.host.command(&[&line[..], &[&shop.project.ann.secret], more].concat())
    };
    let output = command(&["--set", "body_contains=healthy", "--since", "1h"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text} {}", String::from_utf8_lossy(&output.stderr));
    let row = |number: &str| text.lines().position(|line| line.starts_with(number)).unwrap();
    assert!(row("#1 ") < row("#2 "), "{text}");
    assert!(text.contains("judges with body_contains=healthy"), "{text}");
    assert!(text.contains("Of 2 deployments: 1 would have been stopped, 1 the same."), "{text}");
    let json = command(&["--json"]);
    let backtested: Backtested = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((backtested.totals.runs, backtested.totals.same), (2, 2));
    let unknown = command(&["--plugin", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no plugin `nobody`"));
    assert_eq!(shop.web.asked(), asked);
}

#[test]
fn a_judge_that_misbehaves_is_told_of_each_sample_and_harms_nobody() {
    let shop = Watched::start();
    for tag in ["v1", "v2"] {
        assert_eq!(shop.deploy(tag, Some("healthy")), "SUCCEEDED");
    }
    let added = block_on(shop.host.admin().client.add_plugin(component("scripted-gate"))).unwrap();
    let misbehaves = |config: Value, word: &str| {
        let backtested = shop.judged_by("scripted-gate", config);
        assert_eq!(backtested.totals.newly_stopped, 2, "{backtested:?}");
        for run in &backtested.runs {
            let [sample] = &run.samples[..] else { panic!("{run:?}") };
            assert_eq!(sample.would_be.as_deref(), Some("error"));
            assert!(sample.reason.contains(word), "`{word}` is missing in: {}", sample.reason);
        }
        assert!(shop.host.is_alive());
    };

    // Nobody has approved it.
    let pending = shop.judged_by(&added.digest, json!({ "do": "pass" }));
    assert_eq!((pending.totals.same, pending.plugin_status.as_str()), (2, "pending"));
    misbehaves(json!({ "do": "panic" }), "the judge panicked on purpose");
    misbehaves(json!({ "do": "huge-reason" }), "`output_bytes`");
    misbehaves(json!({ "do": "ask", "url": shop.web.url() }), "denied");
    let limits = Limits { cpu_ms: Some(200), ..Limits::default() };
    let to_web = vec![HttpGrant::new(&shop.web.url(), true)];
    shop.host.plugin_with("scripted-gate", Grants { http: to_web, limits, ..Grants::default() });
    misbehaves(json!({ "do": "spin" }), "`cpu_ms`");
    // What was granted is not for judges.
    misbehaves(json!({ "do": "ask", "url": shop.web.url() }), "denied");

    assert_eq!(shop.deploy("v3", Some("healthy")), "SUCCEEDED");
    assert_eq!(shop.backtest(Backtest::default()).totals.same, 3);
}
