use std::collections::BTreeSet;

use clap::Parser;
use expect_test::expect;

use super::approve::{ApproveArgs, approval, decision, missing_secrets, refuse_losses};
use super::grants::{both, flags_of, folder, limits_line, losses, origin};
use super::requests::{requests, unasked, unasked_lines};
use super::*;
use crate::cli::look::testing::look;
use crate::wire::{Limits, PluginSignature, Secret};

#[derive(Parser)]
struct Approve {
    #[command(flatten)]
    args: ApproveArgs,
}

fn grants(flags: &str) -> Result<Grants, CliError> {
    let line = ["approve", "x"].into_iter().chain(flags.split_whitespace());
    Approve::try_parse_from(line).unwrap().args.grants.wire("x", &Grants::default())
}

fn again(before: &Limits, flags: &str) -> Limits {
    let line = ["approve", "x"].into_iter().chain(flags.split_whitespace());
    let before = Grants { limits: before.clone(), ..Grants::default() };
    Approve::try_parse_from(line).unwrap().args.grants.wire("x", &before).unwrap().limits
}

fn plugin() -> Plugin {
    let requests = serde_json::json!({
        "http": [{ "named": "https://api.example.com:443" }, { "config": "/url" }],
        "folders": [{ "named": "site" }],
        "workspace": "read",
    });
    Plugin {
        name: "static-site".to_owned(),
        kind: "target".to_owned(),
        digest: format!("sha256:{}", "0123456789ab".repeat(5)),
        version: "0.1.0".to_owned(),
        summary: "Unpacks a site into a folder".to_owned(),
        status: "pending".to_owned(),
        requests,
        grants: None,
        narrowed: Vec::new(),
        config_schema: serde_json::Value::Null,
        size_bytes: 345_678,
        source: None,
        signatures: Vec::new(),
        signature_required: None,
        added_by: "ann".to_owned(),
        added_at: "2026-03-14T09:20:00Z".to_owned(),
        approval: None,
        retired: None,
    }
}

#[test]
fn no_flags_grant_nothing() {
    assert_eq!(grants("").unwrap(), Grants::default());
}

#[test]
fn flags_become_grants() {
    let flags = "--allow-http https://API.example.com:443/ --allow-private-http http://127.0.0.1:8080 \
         --allow-http http://127.0.0.1:8080 --folder site=/srv/site --folder-read keys=/etc/keys \
         --workspace read-write --memory-mb 512";
    let json = serde_json::to_string_pretty(&grants(flags).unwrap()).unwrap();
    expect![[r#"
        {
          "http": [
            {
              "origin": "http://127.0.0.1:8080",
              "private_network": true
            },
            {
              "origin": "https://api.example.com",
              "private_network": false
            }
          ],
          "folders": {
            "keys": {
              "path": "/etc/keys",
              "access": "read"
            },
            "site": {
              "path": "/srv/site",
              "access": "read-write"
            }
          },
          "workspace": "read-write",
          "limits": {
            "memory_bytes": 536870912,
            "cpu_ms": null,
            "wall_ms": null,
            "log_bytes": null,
            "output_bytes": null,
            "http_body_bytes": null
          }
        }"#]]
    .assert_eq(&json);
}

#[test]
fn a_limit_that_is_not_set_again_stays() {
    let all = "--memory-mb 1 --cpu 2s --wall 3m --log-kb 4 --output-kb 5 --http-body-mb 6";
    let before = again(&Limits::default(), all);
    assert_eq!(again(&before, ""), before);
    assert_eq!(again(&before, "--cpu 500ms"), Limits { cpu_ms: Some(500), ..before.clone() });
    let shown = limits_line(&before).unwrap();
    expect!["  in one call, at most 1.0 MiB of memory, 2.0 s of CPU, 3 min altogether, a log of 4.0 KiB, an answer of 5.0 KiB, HTTP bodies of 6.0 MiB"].assert_eq(&shown);
    assert_eq!(limits_line(&Limits::default()), None);
}

#[test]
fn what_a_plugin_asks_for_is_quoted_for_the_shell() {
    let requests =
        serde_json::json!({ "http": [{ "named": "https://a; rm -rf ~ #" }], "folders": [{ "named": "\u{202e}x" }] });
    let shown = next_step(&look(), &Plugin { requests, ..plugin() }, &Grants::default());
    assert!(shown.ends_with(" --allow-http 'https://a; rm -rf ~ #' --folder '\u{fffd}x=PATH'"), "{shown}");
}

#[test]
fn grants_that_could_be_meant_differently_are_refused() {
    for wrong in ["api.example.com", "https://h/path", "https://u@h", "ftp://h", "https://h?x"] {
        assert!(origin(wrong).is_err(), "{wrong}");
    }
    for wrong in ["site", "=/srv", "site=srv", "site="] {
        assert!(folder(wrong).is_err(), "{wrong}");
    }
    let twice = grants("--folder a=/x --folder-read a=/y").unwrap_err();
    assert_eq!(twice.exit_code(), 2);
}

#[test]
fn before_approving_each_request_is_held_against_the_grants() {
    let grants = grants("--allow-http https://api.example.com --workspace read").unwrap();
    expect![[r#"
        static-site 0.1.0  target  pending
          Unpacks a site into a folder
          sha256:0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab  337.6 KiB
          added by ann at 09:20:00 (10 min ago)
        Asks for
          ✓ http https://api.example.com:443
          ✓ http where its configuration says, at /url
          ✗ folder site  not granted
          ✓ workspace, read
        Will be allowed
          send requests to https://api.example.com
          read the workspace
          in one call, what the host allows by itself"#]]
    .assert_eq(&decision(&look(), &plugin(), &Grants::default(), &grants));
}

#[test]
fn where_it_comes_from_and_who_signed_it_is_shown() {
    let signed = |key: &str, trusted| PluginSignature {
        key: Some(key.to_owned()),
        public_key: Some("0123456789ab".repeat(5) + "0123"),
        trusted,
        ..Default::default()
    };
    let plugin = Plugin {
        source: Some("oci://registry.example/static-site:v1@sha256:00".to_owned()),
        signatures: vec![signed("ops", false)],
        signature_required: Some("static-*".to_owned()),
        ..plugin()
    };
    expect![[r#"
        static-site 0.1.0  target  pending
          Unpacks a site into a folder
          sha256:0123456789ab0123456789ab0123456789ab0123456789ab0123456789ab  337.6 KiB
          added by ann at 09:20:00 (10 min ago)
          from oci://registry.example/static-site:v1@sha256:00
          signed with `ops`, ed25519 0123456789ab  not trusted for it
          `static-*` requires a signature: it cannot be approved without"#]]
    .assert_eq(&heading(&look(), &plugin).join("\n"));
    let plugin = Plugin { signatures: vec![signed("ops", false), signed("new", true)], ..plugin };
    assert!(origin_lines(&look(), &plugin).last().unwrap().contains("`new`"));
    let by_workflow = PluginSignature {
        identity: Some("https://a.example/x/.github/workflows/release.yml@refs/tags/v1".to_owned()),
        issuer: Some("https://token.example".to_owned()),
        trusted_roots: vec!["sigstore.dev".to_owned(), format!("sha256:{}", "0123456789ab".repeat(5))],
        trusted: true,
        ..Default::default()
    };
    let plugin = Plugin { signatures: vec![by_workflow], source: None, ..plugin };
    expect!["  signed by https://a.example/x/.github/workflows/release.yml@refs/tags/v1, vouched for by https://token.example (sigstore.dev, trusted root 0123456789ab)"]
        .assert_eq(&origin_lines(&look(), &plugin).join("\n"));
}

#[test]
fn grants_that_are_replaced_are_shown() {
    let before = grants("--folder site=/old").unwrap();
    let plugin = Plugin { grants: Some(before.clone()), ..plugin() };
    let shown = decision(&look(), &plugin, &before, &Grants::default());
    expect![[r#"
          only to compute
          in one call, what the host allows by itself
        Instead of
          read-write the folder site, which is /old
          in one call, what the host allows by itself
        Loses
          read-write the folder site, which is /old"#]]
    .assert_eq(shown.split_once("Will be allowed\n").unwrap().1);
}

#[test]
fn grants_that_stay_are_no_change() {
    let all =
        "--allow-http https://a.example --memory-mb 1 --cpu 2s --wall 3m --log-kb 4 --output-kb 5 --http-body-mb 6";
    let asked = grants(all).unwrap();
    let mut held = asked.clone();
    held.http[0].origin = "https://a.example:443".to_owned();
    let plugin = Plugin { grants: Some(held.clone()), ..plugin() };
    expect![[r#"
          send requests to https://a.example
          in one call, at most 1.0 MiB of memory, 2.0 s of CPU, 3 min altogether, a log of 4.0 KiB, an answer of 5.0 KiB, HTTP bodies of 6.0 MiB
        as it is already"#]].assert_eq(decision(&look(), &plugin, &held, &asked).split_once("Will be allowed\n").unwrap().1);
}

#[test]
fn an_approval_without_a_question_says_what_it_gave() {
    let grants = grants("--folder site=/srv/site --workspace read").unwrap();
    let plugin = Plugin { status: "active".to_owned(), grants: Some(grants), ..plugin() };
    expect![[r#"
        static-site 0123456789ab is active
        May
          read-write the folder site, which is /srv/site
          read the workspace
          in one call, what the host allows by itself
        Asks for, and was not granted
          ✗ http https://api.example.com:443
          ✗ http where its configuration says, at /url"#]]
    .assert_eq(&approval(&look(), &plugin));
}

#[test]
fn a_new_plugin_says_how_to_approve_it() {
    expect![[r#"


        Next
          lockgate plugin approve static-site --allow-http https://api.example.com:443 --allow-http ORIGIN --folder site=PATH --workspace read"#]].assert_eq(&next_step(&look(), &plugin(), &Grants::default()));
}

#[test]
fn the_suggested_approval_keeps_what_is_granted() {
    let held = grants("--allow-private-http http://127.0.0.1:9000 --folder-read keys=/etc/keys").unwrap();
    let shown = next_step(&look(), &plugin(), &held);
    let flags = "--allow-private-http http://127.0.0.1:9000 --folder-read keys=/etc/keys \
         --allow-http https://api.example.com:443 --folder site=PATH --workspace read";
    assert!(shown.ends_with(&format!("plugin approve static-site {flags}")), "{shown}");
}

#[test]
fn without_a_question_nothing_is_taken_away() {
    let held = grants("--allow-private-http http://127.0.0.1:9000 --folder site=/srv --workspace read").unwrap();
    let wider = "--allow-private-http http://127.0.0.1:9000 --allow-http https://a.example --folder site=/srv \
         --workspace read-write";
    assert!(refuse_losses(&plugin(), &held, &grants(wider).unwrap()).is_ok());
    let other = grants("--allow-http http://127.0.0.1:9000 --folder-read site=/srv").unwrap();
    let refused = refuse_losses(&plugin(), &held, &other).unwrap_err();
    assert_eq!(refused.exit_code(), 2);
    let shown = refused.shown(&look());
    for lost in ["send requests to http://127.0.0.1:9000, also", "read-write the folder site", "read the workspace"] {
        assert!(shown.contains(lost), "{lost} in {shown}");
    }
    assert!(refuse_losses(&plugin(), &held, &Grants::default()).is_err());
    assert!(refuse_losses(&plugin(), &Grants::default(), &other).is_ok());
}

#[test]
fn what_a_refusal_suggests_keeps_what_there_was_and_gives_what_was_typed() {
    let digest = "ab".repeat(32);
    let held = format!(
        "--allow-http https://a.example --folder site=/srv --workspace read --secret one --state shared \
         --tool k=/bin/k@sha256:{digest} --tool-args k=get --tool-env k=HOME --tool t=/bin/t --tool-args t="
    );
    let typed = "--allow-http https://b.example --folder-read site=/srv --folder logs=/logs --secret two \
         --tool k=/bin/k --tool-args k=put";
    let (held, typed) = (grants(&held).unwrap(), grants(typed).unwrap());
    let suggested = grants(&flags_of(&both(&held, &typed))).unwrap();
    assert_eq!(losses(&held, &suggested), Vec::<String>::new());
    assert_eq!(losses(&typed, &suggested), Vec::<String>::new());
}

#[test]
fn a_program_that_was_changed_is_another_one_and_its_old_grant_is_what_is_kept() {
    let tool = |content: &str| format!("--tool k=/bin/k@sha256:{} --tool-args k=get", content.repeat(32));
    let (held, typed) = (grants(&tool("ab")).unwrap(), grants(&tool("cd")).unwrap());
    assert_eq!(grants(&flags_of(&both(&held, &typed))).unwrap(), held);
}

#[test]
fn a_secret_that_is_granted_and_not_there_is_named_once() {
    let secret = |name: &str| Secret {
        name: name.to_owned(),
        origins: Vec::new(),
        headers: Vec::new(),
        project: None,
        environments: Vec::new(),
        set_by: "ann".to_owned(),
        set_at: "2026-03-14T06:30:00Z".to_owned(),
    };
    let grants = grants("--secret one --secret two --reveal-secret two").unwrap();
    assert_eq!(missing_secrets(&grants, &[secret("one")]), BTreeSet::from(["two"]));
}

#[test]
fn what_is_granted_and_not_asked_for_is_told() {
    let mut plugin = plugin();
    plugin.requests["http"] = serde_json::json!([{ "named": "https://api.example.com:443" }]);
    let given = "--allow-http https://api.example.com --allow-http https://api.exmple.com --folder site=/a \
         --folder sites=/b --workspace read --secret github --state";
    expect![[r#"
        Granted, and not asked for, so not given
          send requests to https://api.exmple.com
          read-write the folder sites, which is /b
          send secret github to where it may travel, unseen
          keep state in x"#]]
    .assert_eq(&unasked_lines(&look(), &plugin, &grants(given).unwrap()).join("\n"));
    plugin.requests["http"] = serde_json::json!([{ "config": "/url" }]);
    assert!(unasked(&requests(&plugin).unwrap(), &grants(given).unwrap()).http.is_empty());
    plugin.requests = serde_json::json!(["of a newer host"]);
    assert_eq!(unasked_lines(&look(), &plugin, &grants(given).unwrap()), Vec::<String>::new());
}

#[test]
fn a_list_of_plugins() {
    let active =
        Plugin { status: "active".to_owned(), name: "http-check".to_owned(), kind: "gate".to_owned(), ..plugin() };
    expect![[r#"
        NAME         KIND    STATUS   VERSION  DIGEST        ADDED       SUMMARY
        static-site  target  pending  0.1.0    0123456789ab  10 min ago  Unpacks a site into a folder
        http-check   gate    active   0.1.0    0123456789ab  10 min ago  Unpacks a site into a folder"#]]
    .assert_eq(&list(&look(), &Page { items: vec![plugin(), active], next: None }));
}

#[test]
fn a_narrowing_without_a_question_says_what_was_never_approved() {
    let plugin = Plugin { grants: Some(grants("--secret one").unwrap()), ..plugin() };
    let most = grants("--secret one --secret two").unwrap();
    expect![[r#"
        Is not approved for, so may not in shop/production either
          send secret two to where it may travel, unseen"#]]
    .assert_eq(&narrow::never(&look(), &plugin, "shop/production", &most).join("\n"));
    assert_eq!(narrow::never(&look(), &plugin, "shop", &Grants::default()), Vec::<String>::new());
}
