//! From nothing to a plugin at work, in each language, with the tools its authors use. They come from the registries on the
//! first run, and stay in the target folder.

use std::fs;

use crate::harness::{Desk, Host, Nginx, Project, Prometheus, Web, Workshop};

#[test]
fn a_new_phase_in_rust_announces_a_release() {
    let workshop = Workshop::new("rust", "phase", "announce-in-rust");
    announces(&workshop, "announce-in-rust");
}

#[test]
fn a_new_phase_in_c_announces_a_release_and_the_example_warms_pages() {
    let workshop = Workshop::new("c", "phase", "announce-in-c");
    announces(&workshop, "announce-in-c");
    workshop
        .run(".venv/bin/python -m ziglang cc -std=c23 -Isrc test/test_rules.c src/rules.c src/text.c -o build/test");
    workshop.run("build/test");
    asks_for_every_page_once(&Workshop::example("warm-up").with_tools_of(&workshop));
}

/// A project that `plugin new` has written: built, inspected, added, approved, deployed.
fn announces(workshop: &Workshop, plugin: &str) {
    let component = workshop.build();
    workshop.test(&component);
    let inspected = workshop.inspect(&component);
    assert_eq!(inspected["refused"], serde_json::Value::Null, "{inspected}");
    assert_eq!(inspected["description"]["name"], plugin);
    assert_eq!(inspected["exports"][0], "lockgate:phase/phase@0.1.0");

    let host = Host::start();
    let room = Web::serving(host.place("room"));
    host.plugin_from(&component, &[&room.url()]);
    let project = Project::with_phase(&host, "shop", plugin, &format!("{{ url: \"{}/\" }}", room.url()));
    project.release("v1");
    project.assert_succeeds(project.deploy("v1", "test"));

    let heard: serde_json::Value = serde_json::from_str(&room.heard()[0]).unwrap();
    assert_eq!(heard, serde_json::json!({ "release": "v1", "environment": "test", "project": "shop" }));
    assert_eq!(room.heard().len(), 1);
}

/// The example in C.
fn asks_for_every_page_once(example: &Workshop) {
    let host = Host::start();
    let shop = Web::serving(host.place("shop"));
    fs::write(host.place("shop").join("index.html"), "<h1>The shop</h1>").unwrap();
    fs::write(host.place("shop").join("prices"), "cheap").unwrap();
    let component = example.build();
    example.test(&component);
    host.plugin_from(&component, &[&shop.url()]);
    let config = format!("{{ url: \"{}\", paths: [/, /prices] }}", shop.url());
    let project = Project::with_phase(&host, "shop", "warm-up", &config);
    project.release("v1");

    let number = project.deploy("v1", "test");
    project.assert_succeeds(number);
    assert_eq!(project.deployment(number).phases[0].outputs["warm"], 2);
    assert_eq!(shop.asked(), 2);
}

#[test]
fn a_gate_in_python_stops_a_release_by_what_prometheus_has_measured() {
    let host = Host::start();
    let shop = Web::serving(host.place("shop"));
    let rates = "shop_error_rate{release=\"good\"} 0.001\nshop_error_rate{release=\"bad\"} 0.2\n";
    fs::write(host.place("shop").join("metrics"), rates).unwrap();
    let Some(prometheus) = Prometheus::watching(&shop.url()) else { return };
    let workshop = Workshop::example("prometheus-gate");
    workshop.run("python3 -m unittest --quiet");
    let component = workshop.build_if_changed();
    workshop.test(&component);
    host.plugin_from(&component, &[&prometheus.url]);
    host.plugin("hostile-phase", &[]);
    let config =
        format!("{{ url: \"{}\", query: 'shop_error_rate{{release=\"$release\"}}', max: 0.01 }}", prometheus.url);
    let file = format!(
        "environments: {{ test: {{ gates: {{ post: {{ interval: 1s, timeout: 15s, checks: \
         [{{ name: errors, plugin: prometheus-gate, config: {config} }}] }} }} }} }}\n\
         workflows: {{ w: {{ phases: [{{ name: work, plugin: hostile-phase, config: {{ do: done }} }}] }} }}\n"
    );
    let project = Project::create(&host, "shop", &file);
    project.release("good");
    project.release("bad");

    project.assert_succeeds(project.deploy("good", "test"));
    let (status, reason) = project.outcome_of(project.deploy("bad", "test"));
    assert_ne!(status, "SUCCEEDED");
    assert!(reason.contains("0.2, allowed is at most 0.01"), "{reason}");
    assert_eq!(project.live("test").as_deref(), Some("good"));
}

#[test]
fn a_phase_in_typescript_waits_for_its_change_ticket() {
    let host = Host::start();
    let desk = Desk::open();
    let workshop = Workshop::example("change-ticket");
    let component = workshop.build_if_changed();
    workshop.test(&component);
    host.plugin_from(&component, &[&desk.url()]);
    workshop.run("npm test --silent");
    let config = format!("{{ url: \"{}/changes\", poll_seconds: 1 }}", desk.url());
    let project = Project::with_phase(&host, "shop", "change-ticket", &config);
    project.release("v1");

    let number = project.deploy("v1", "test");
    project.wait_until(number, "waiting for its ticket", |_| desk.tickets().len() == 1);
    desk.decide(0, "approved");
    project.assert_succeeds(number);
    assert_eq!(project.deployment(number).phases[0].outputs["state"], "approved");
    assert_eq!(desk.tickets().into_iter().map(|ticket| ticket.title).collect::<Vec<_>>(), ["shop: v1 to test"]);

    let number = project.deploy("v1", "test");
    project.wait_until(number, "waiting for its ticket", |_| desk.tickets().len() == 2);
    desk.decide(1, "rejected");
    let (status, reason) = project.outcome_of(number);
    assert_eq!((status.as_str(), reason.as_str()), ("FAILED", "work: change 1 is rejected"));
}

#[test]
fn a_target_in_rust_puts_releases_on_a_webdav_server_and_back() {
    let host = Host::start();
    let dav = format!(
        "server {{ listen 127.0.0.1:8080; root {}; dav_methods PUT DELETE; create_full_put_path on; client_max_body_size 20m; }}",
        host.place("dav").display()
    );
    let Some(nginx) = Nginx::start(&dav) else { return };
    let url = nginx.moved("http://127.0.0.1:8080");
    let workshop = Workshop::example("webdav-release");
    workshop.run("cargo test --quiet");
    let component = workshop.build();
    workshop.test(&component);
    host.plugin_from(&component, &[&url]);
    let file = format!(
        "environments: {{ test: {{ targets: {{ dav: {{ plugin: webdav-release, config: {{ url: \"{url}/shop\" }} }} }} }} }}\n\
         workflows: {{ w: {{ phases: [{{ name: publish, apply: dav }}] }} }}\n"
    );
    let project = Project::create(&host, "shop", &file);
    for tag in ["v1", "v2"] {
        let artifact = project.ann.upload("web", format!("the bytes of {tag}").into_bytes());
        project.release_with(tag, vec![artifact]);
        project.assert_succeeds(project.deploy(tag, "test"));
    }
    let current = || {
        let current: serde_json::Value = serde_json::from_str(&nginx.page(8080, "/shop/current.json")).unwrap();
        let file = current["digest"].as_str().unwrap().replace(':', "-");
        nginx.page(8080, &format!("/shop/{file}"))
    };
    assert_eq!(current(), "the bytes of v2");
    project.assert_succeeds(project.roll_back("test"));
    assert_eq!(current(), "the bytes of v1");
}
