//! Where a plugin may do less than it was approved for, in a real host.

use lockgate::wire::{Grants, HttpGrant, Limits, NarrowPlugin, WidenPlugin};

use crate::harness::{Host, Project, Refused, Web, block_on};

struct Room {
    host: Host,
    web: Web,
}

impl Room {
    fn new() -> Self {
        let host = Host::start();
        let web = Web::serving(host.place("web"));
        let http = vec![HttpGrant::new(&web.url(), true)];
        host.plugin_with("http-request", Grants { http, ..Grants::default() });
        Self { host, web }
    }

    /// A project that asks the web server, and has made its release.
    fn project(&self, name: &str) -> Project {
        let config = format!("{{ url: \"{}/echo\" }}", self.web.url());
        let project = Project::with_phase(&self.host, name, "http-request", &config);
        project.release("v1");
        project
    }

    fn narrow(&self, scope: &str, grants: Grants) {
        let narrow = NarrowPlugin { scope: scope.to_owned(), grants, reason: "carefully".to_owned() };
        block_on(self.host.admin().client.narrow_plugin("http-request", &narrow)).unwrap();
    }
}

#[test]
fn a_plugin_is_denied_where_it_was_narrowed_and_nowhere_else() {
    let mut room = Room::new();
    let (shop, blog) = (room.project("shop"), room.project("blog"));
    room.narrow("shop/test", Grants::default());
    let denied = |project: &Project| {
        let (status, reason) = project.outcome_of(project.deploy("v1", "test"));
        status == "FAILED" && reason.contains("not granted") && reason.contains("is narrowed in shop/test")
    };
    assert!(denied(&shop));
    assert_eq!(room.web.asked(), 0);
    blog.assert_succeeds(blog.deploy("v1", "test"));

    room.host.restart();
    assert!(denied(&shop), "after a restart, too");

    let other_method = HttpGrant { methods: vec!["DELETE".to_owned()], ..HttpGrant::new(&room.web.url(), true) };
    room.narrow("shop/test", Grants { http: vec![other_method], ..Grants::default() });
    assert!(denied(&shop), "by its method");

    let widen = WidenPlugin { scope: "shop/test".to_owned(), reason: "it was a test".to_owned() };
    block_on(room.host.admin().client.widen_plugin("http-request", &widen)).unwrap();
    shop.assert_succeeds(shop.deploy("v1", "test"));
}

#[test]
fn what_cannot_be_narrowed_is_refused_with_what_can() {
    let room = Room::new();
    room.project("shop");
    let admin = room.host.admin();
    let refused = |which: &str, scope: &str, grants: Grants| {
        let narrow = NarrowPlugin { scope: scope.to_owned(), grants, reason: String::new() };
        block_on(admin.client.narrow_plugin(which, &narrow)).refused().detail
    };
    let none = Grants::default;
    assert!(refused("http-request", "shop/prod", none()).contains("has no environment `prod`; there are: test"));
    assert!(refused("http-request", "shpo", none()).contains("there is no project `shpo`"));
    assert!(refused("http-request", "shop/test/web", none()).contains("is no scope"));
    assert!(refused("htp-request", "shop", none()).contains("there are: http-request"));
    let at_once = Limits { concurrent_calls: Some(1), ..Limits::default() };
    assert!(refused("http-request", "shop", Grants { limits: at_once, ..none() }).contains("everywhere together"));
    assert!(block_on(admin.client.plugin("http-request")).unwrap().narrowed.is_empty());
}

#[test]
fn the_command_shows_what_is_lost_before_it_asks_and_what_is_left() {
    let room = Room::new();
    room.project("shop");
    let url = room.web.url();
    let narrow = ["plugin", "narrow", "http-request", "--in", "shop", "--cpu", "100ms", "--reason", "tonight"];
    let alone = room.host.as_admin(&narrow);
    assert!(alone.code == Some(2) && alone.said.contains("Loses there") && alone.said.contains(&url), "{}", alone.said);
    let more = ["--yes", "--allow-private-http", &url];
    let ran = room.host.as_admin(&[&narrow[..], &more[..]].concat());
    assert!(ran.out.contains("In shop no more than") && ran.out.contains(": tonight"), "{} {}", ran.out, ran.said);
    assert!(ran.out.contains("100 ms of CPU"), "{}", ran.out);
    let shown = room.host.as_admin(&["plugin", "show", "http-request"]).out;
    assert!(shown.contains("In shop no more than"), "{shown}");
    let widened = room.host.as_admin(&["plugin", "widen", "http-request", "--in", "shop", "--reason", "over"]).out;
    assert!(widened.contains("everywhere what it was approved for"), "{widened}");
}
