use std::time::Instant;

use expect_test::expect;
use serde_json::json;

use super::*;

/// Line and column of what a JSON pointer names, or of the last thing on the way to it.
fn locate(text: &str, pointer: &str) -> Option<(usize, usize)> {
    let place = yaml::read(text, "").0?.nearest(pointer).place();
    Some((place.line, place.column))
}

const GOOD: &str = r#"
project: shop
description: The shop's site
applications: [web]
environments:
  production:
    variables: { REGION: eu, VERSION: 1.10, DEBUG: false, QUOTED: "007", YES: yes, PORT: 0x50 }
    targets:
      site: { plugin: static-site, application: web, config: { folder: site, keep: 3 } }
    approvals:
      rules: [{ count: 2, groups: [operators] }, {}]
      not_your_own: false
      timeout: 1h30m
    gates:
      post:
        delay: 250ms
        timeout: 2m
        checks:
          - { name: page, plugin: http-check, config: { url: "http://127.0.0.1:8080/", body_contains: ok } }
workflows:
  publish:
    on_failure: undo
    phases:
      - name: notify
        plugin: http-request
        config: { url: "http://127.0.0.1:9000/" }
        timeout: 30s
        retries: 2
        continue_on_error: true
      - name: publish
        apply: site
"#;

fn mistakes(text: &str) -> String {
    parse(text).expect_err("the file has mistakes").to_string()
}

/// Without the source lines.
fn messages(text: &str) -> Vec<String> {
    let mistakes = parse(text).expect_err("the file has mistakes");
    mistakes.iter().map(|m| format!("{}:{}: {}: {}", m.line, m.column, m.path, m.message)).collect()
}

/// The good file, with `from` replaced.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "{from}");
    GOOD.replace(from, to)
}

#[test]
fn a_variable_has_a_name_and_a_value_that_every_process_can_take() {
    let variables = |written: &str| messages(&changed("REGION: eu,", &format!("{written},")));
    let names = [r#""": x"#, r#""a b": x"#, r#""a\nb": x"#, "1A: x", "A-B: x", r#""A\u202e": x"#, "ż: x"];
    for written in names {
        let said = variables(written);
        assert!(said.len() == 1 && said[0].starts_with("7:18: "), "{written}: {said:?}");
        assert!(said[0].contains("is not a variable's name"), "{written}: {said:?}");
    }
    assert_eq!(variables(&format!("{}: x", "A".repeat(129))).len(), 1);
    expect!["7:21: /environments/production/variables/A: a variable cannot hold the character U+0000"]
        .assert_eq(&variables(r#"A: "a\0b""#).join("\n"));
    expect!["7:21: /environments/production/variables/A: a variable has at most 64 KiB"]
        .assert_eq(&variables(&format!("A: {}", "a".repeat((64 << 10) + 1))).join("\n"));
    assert!(parse(&changed("REGION: eu,", r#"_a9: "", B: "one\ntwo","#)).is_ok());
}

#[test]
fn what_the_file_holds_never_reaches_a_terminal_raw() {
    let tricks = [
        "\"\u{202e}key\": 1",
        "project: \"\u{202e}\u{1b}[2J\"",
        "project: \u{2066}x",
        "\u{2066}: [",
        "project: x\n&\u{202e} y",
        "environments: { e: { approvals: { rules: [{ count: 2, groups: [\"\\u202e\", \"\\u202e\"] }] } } }",
        "environments: { e: { variables: { \"\\e[2J\": 1 } } }",
    ];
    for text in tricks {
        let shown = mistakes(text);
        let raw: Vec<char> = shown.chars().filter(|c| *c != '\n' && printable(*c) != *c).collect();
        assert!(raw.is_empty(), "{raw:?} in {shown}");
    }
    let issue = Issue { path: "/project".to_owned(), message: "a plugin's \u{1b}[2J\u{202e}".to_owned() };
    let shown = Mistakes::from_issues(GOOD, vec![issue]).in_file("\u{202e}x.yaml").to_string();
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
}

#[test]
fn a_good_file_means_what_it_says() {
    let file = parse(GOOD).unwrap();
    assert_eq!(file.project.as_str(), "shop");
    expect![[r#"
        {
          "description": "The shop's site",
          "applications": [
            "web"
          ],
          "environments": {
            "production": {
              "variables": {
                "DEBUG": "false",
                "PORT": "0x50",
                "QUOTED": "007",
                "REGION": "eu",
                "VERSION": "1.10",
                "YES": "yes"
              },
              "targets": {
                "site": {
                  "plugin": "static-site",
                  "application": "web",
                  "config": {
                    "folder": "site",
                    "keep": 3
                  }
                }
              },
              "workflow": "publish",
              "queue": "sequence",
              "approvals_off": false,
              "approvals": {
                "rules": [
                  {
                    "count": 2,
                    "groups": [
                      "operators"
                    ]
                  },
                  {
                    "count": 1,
                    "groups": []
                  }
                ],
                "not_your_own": false,
                "timeout_ms": 5400000,
                "on_timeout": "reject",
                "on_reject": "reject",
                "order": "usual"
              },
              "post_approvals": {
                "rules": [],
                "not_your_own": true,
                "timeout_ms": 2592000000,
                "on_timeout": "reject",
                "on_reject": "reject",
                "order": "usual"
              },
              "rollback_approvals": {
                "rules": [],
                "not_your_own": true,
                "timeout_ms": 2592000000,
                "on_timeout": "reject",
                "on_reject": "reject",
                "order": "usual"
              },
              "pre_gates": null,
              "post_gates": {
                "delay_ms": 250,
                "interval_ms": 10000,
                "steady_ms": 0,
                "timeout_ms": 120000,
                "gates": [
                  {
                    "name": "page",
                    "plugin": "http-check",
                    "config": {
                      "body_contains": "ok",
                      "url": "http://127.0.0.1:8080/"
                    }
                  }
                ]
              },
              "requires": [],
              "promotion": null,
              "availability": {
                "zone": "UTC",
                "windows": []
              },
              "schedule": null,
              "expires_after_ms": null
            }
          },
          "workflows": {
            "publish": {
              "stage": "patch",
              "goes_live": true,
              "on_failure": "undo",
              "timeout_ms": null,
              "phases": [
                {
                  "name": "notify",
                  "work": {
                    "plugin": {
                      "plugin": "http-request",
                      "config": {
                        "url": "http://127.0.0.1:9000/"
                      }
                    }
                  },
                  "timeout_ms": 30000,
                  "retries": 2,
                  "backoff_ms": 1000,
                  "continue_on_error": true,
                  "always_run": false,
                  "group": null,
                  "locks": null,
                  "weight": 100
                },
                {
                  "name": "publish",
                  "work": {
                    "apply": {
                      "target": "site"
                    }
                  },
                  "timeout_ms": 3600000,
                  "retries": 0,
                  "backoff_ms": 1000,
                  "continue_on_error": false,
                  "always_run": false,
                  "group": null,
                  "locks": null,
                  "weight": 100
                }
              ]
            }
          },
          "endpoints": {},
          "approvals_off": false,
          "parallel": {
            "enabled": false,
            "most": 10,
            "with_approvals": true
          },
          "limits": {
            "running": null,
            "workers": null
          },
          "freezes": []
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&file.definition).unwrap());
}

#[test]
fn twelve_mistakes_are_reported_together_each_in_its_place() {
    let text = r#"project: My Shop
descripton: A typing mistake
applications: web
environments:
  production:
    workflow: publsh
    targets:
      site: { application: web }
    approvals:
      rules: [{ count: 0 }]
      not_your_own: yes
    gates:
      post:
        timeout: 30
        checks:
          - { name: page, plugin: http-check }
          - { name: page, plugin: http-check }
workflows:
  publish:
    on_failure: und
    phases:
      - name: gates
        apply: site
        config: {}
"#;
    expect![[r#"
        lockgate.yaml:1:10: /project: `My Shop` is not a name: use 1 to 63 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`
         1 | project: My Shop
           |          ^
        lockgate.yaml:2:1: /descripton: unknown key `descripton`; did you mean `description`? (known here: project, description, applications, environments, workflows, endpoints, approval_workflow, parallel, limits, freezes)
         2 | descripton: A typing mistake
           | ^
        lockgate.yaml:3:15: /applications: must be a list, but is the text `web`; put it in `[ ]`
         3 | applications: web
           |               ^
        lockgate.yaml:6:15: /environments/production/workflow: there is no workflow `publsh`; there are: publish
         6 |     workflow: publsh
           |               ^
        lockgate.yaml:8:13: /environments/production/targets/site: the key `plugin` is missing here
         8 |       site: { application: web }
           |             ^
        lockgate.yaml:10:24: /environments/production/approvals/rules/0/count: must be at least 1, but is `0`
         10 |       rules: [{ count: 0 }]
            |                        ^
        lockgate.yaml:11:21: /environments/production/approvals/not_your_own: must be `true` or `false`, but is the text `yes`; write `true`
         11 |       not_your_own: yes
            |                     ^
        lockgate.yaml:14:18: /environments/production/gates/post/timeout: `30` is not a duration longer than zero: write it like `90s`, `5m`, `1h30m`, `250ms` or `30d`
         14 |         timeout: 30
            |                  ^
        lockgate.yaml:17:21: /environments/production/gates/post/checks/1/name: a second gate is named `page`
         17 |           - { name: page, plugin: http-check }
            |                     ^
        lockgate.yaml:20:17: /workflows/publish/on_failure: must be one of stop, undo, but is `und`; did you mean `undo`?
         20 |     on_failure: und
            |                 ^
        lockgate.yaml:22:9: /workflows/publish/phases/0: `config` belongs to `plugin`; what `apply` needs stands in its target's `config`
         22 |       - name: gates
            |         ^
        lockgate.yaml:22:15: /workflows/publish/phases/0/name: `gates` is a name Lockgate uses itself; choose another
         22 |       - name: gates
            |               ^
        12 mistakes"#]].assert_eq(&mistakes(text));
}

#[test]
fn unknown_names_are_found_although_other_things_are_wrong() {
    let text =
        changed("application: web,", "application: shop, aplication: web,").replace("apply: site", "apply: sight");
    expect![[r#"
        8:5: /environments/production/targets: the workflow `publish` applies `sight`, and there is no such target here; there are: site
        9:49: /environments/production/targets/site/application: there is no application `shop`; there are: web
        9:55: /environments/production/targets/site/aplication: unknown key `aplication`; did you mean `application`? (known here: plugin, application, config)"#]].assert_eq(&messages(&text).join("\n"));
}

#[test]
fn a_mistake_is_not_blamed_on_what_refers_to_it() {
    let without_applications = changed("applications: [web]", "applications: web");
    let with_a_bad_workflow_name = changed("  publish:\n    on", "  Publish:\n    on");
    let with_a_bad_target = changed("site: { plugin", "Site: { plugin");
    expect![[r#"
        4:15: /applications: must be a list, but is the text `web`; put it in `[ ]`
        21:3: /workflows/Publish: `Publish` is not a name: use 1 to 63 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`
        9:7: /environments/production/targets/Site: `Site` is not a name: use 1 to 63 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`"#]].assert_eq(
        &[without_applications, with_a_bad_workflow_name, with_a_bad_target].map(|text| messages(&text).join("\n")).join("\n"),
    );
}

#[test]
fn a_phase_does_exactly_one_thing() {
    let with = |work: &str| messages(&changed("apply: site", work)).join("\n");
    expect![[r#"
        30:9: /workflows/publish/phases/1: a phase does one thing: `plugin`, `apply`, `gates` or `manual`; make it several phases
        30:9: /workflows/publish/phases/1: `weight` belongs to `apply`: nothing else has traffic to share out
        30:9: /workflows/publish/phases/1: this phase does nothing: give it a `plugin`, `apply: TARGET`, `gates` or `manual`
        30:9: /workflows/publish/phases/1: this phase does nothing: give it a `plugin`, `apply: TARGET`, `gates` or `manual`
        31:9: /workflows/publish/phases/1: a key is text, not a mapping
        30:9: /workflows/publish/phases/1: this phase does nothing: give it a `plugin`, `apply: TARGET`, `gates` or `manual`
        31:18: /workflows/publish/phases/1/timeout: `0s` is not a duration longer than zero: write it like `90s`, `5m`, `1h30m`, `250ms` or `30d`
        32:17: /workflows/publish/phases/1/weight: must be at least 1, but is `0`"#]]
        .assert_eq(&[with("apply: site\n        plugin: x"), with("plugin: x\n        weight: 10"), with("retries: 1"), with("{}: {}"), with("timeout: 0s"), with("apply: site\n        weight: 0")].join("\n"));
}

#[test]
fn what_waits_for_gates_or_a_person_is_not_tried_again_and_has_its_own_timeout() {
    let with = |work: &str| messages(&changed("apply: site", work)).join("\n");
    let manual = "manual: { instructions: look }\n        ";
    let gates = "gates: { checks: [{ name: page, plugin: http-check }] }\n        ";
    let all = [(manual, "timeout: 5m"), (gates, "timeout: 5m"), (manual, "retries: 1"), (gates, "backoff: 5s")];
    expect![[r#"
        30:9: /workflows/publish/phases/1: `timeout` belongs into `manual` here: how long the phase waits for somebody
        30:9: /workflows/publish/phases/1: `timeout` belongs into `gates` here: how long the gates may take to turn green
        30:9: /workflows/publish/phases/1: `retries` and `backoff` belong to `plugin` and `apply`: what waits for gates or a person is not tried again
        30:9: /workflows/publish/phases/1: `retries` and `backoff` belong to `plugin` and `apply`: what waits for gates or a person is not tried again"#]]
    .assert_eq(&all.map(|(work, key)| with(&format!("{work}{key}"))).join("\n"));
}

#[test]
fn an_environment_says_its_workflow_unless_there_is_only_one() {
    let two = format!("{GOOD}  other:\n    phases: [{{ name: a, plugin: b }}]\n");
    let none = "project: shop\nenvironments: { production: {} }\n";
    let unknown = changed("  production:\n", "  production:\n    workflow: other\n");
    expect![[r#"
        6:3: /environments/production/workflow: the key `workflow` is missing here; there are: other, publish
        2:29: /environments/production/workflow: there is no workflow to run here; write one under `workflows`
        7:15: /environments/production/workflow: there is no workflow `other`; there are: publish"#]]
    .assert_eq(&[messages(&two), messages(none), messages(&unknown)].concat().join("\n"));
    assert_eq!(parse("project: shop\n").unwrap().definition, Definition { ..Definition::default() });
}

#[test]
fn numbers_are_whole_however_they_are_written() {
    for (written, retries) in [("2.0", 2), ("0x10", 16), ("1e1", 10), ("+7", 7)] {
        let file = parse(&changed("retries: 2", &format!("retries: {written}"))).unwrap();
        assert_eq!(file.definition.workflows["publish"].phases[0].retries, retries, "{written}");
    }
    expect![[r#"
        28:18: /workflows/publish/phases/0/retries: must be a whole number, but is `2.5`
        28:18: /workflows/publish/phases/0/retries: must be at least 0, but is `-1`
        28:18: /workflows/publish/phases/0/retries: must be at most 100, but is `101`
        28:18: /workflows/publish/phases/0/retries: must be a whole number, but is the text `2`"#]]
    .assert_eq(
        &["2.5", "-1", "101", "\"2\""]
            .map(|n| messages(&changed("retries: 2", &format!("retries: {n}"))).join("\n"))
            .join("\n"),
    );
}

#[test]
fn gates_must_be_able_to_stay_green_in_time() {
    let text = changed("delay: 250ms", "steady: 2m");
    expect![[r#"
        lockgate.yaml:16:17: /environments/production/gates/post/steady: the gates time out before they can be green for so long: `steady` must be shorter than `timeout`
         16 |         steady: 2m
            |                 ^
        1 mistake"#]].assert_eq(&mistakes(&text));
}

#[test]
fn what_is_no_project_file_at_all_is_said_plainly() {
    for (text, expected) in [
        (
            "",
            expect![[r#"
            lockgate.yaml:1:1: the file is empty; it begins with `project: NAME`
            1 mistake"#]],
        ),
        (
            "# only a comment\n",
            expect![[r#"
            lockgate.yaml:1:1: the file is empty; it begins with `project: NAME`
             1 | # only a comment
               | ^
            1 mistake"#]],
        ),
        (
            "- a list\n",
            expect![[r#"
            lockgate.yaml:1:1: must be a mapping, but is a list
             1 | - a list
               | ^
            1 mistake"#]],
        ),
        (
            "text",
            expect![[r#"
                lockgate.yaml:1:1: must be a mapping, but is the text `text`
                 1 | text
                   | ^
                1 mistake"#]],
        ),
        (
            "---\n...\n",
            expect![[r#"
            lockgate.yaml:1:1: the file is empty; it begins with `project: NAME`
             1 | ---
               | ^
            1 mistake"#]],
        ),
        (
            "project: shop\n---\nproject: other\n",
            expect![[r#"
            lockgate.yaml:2:1: a second document begins here; the file is one document
             2 | ---
               | ^
            1 mistake"#]],
        ),
        (
            "project: shop\nenvironments:\n\tproduction: {}\n",
            expect![[r#"
            lockgate.yaml:3:2: this is not YAML: tabs disallowed within this context (block indentation)
             3 |  production: {}
               |  ^
            1 mistake"#]],
        ),
        (
            "project: [shop\n",
            expect![[r#"
            lockgate.yaml:2:1: this is not YAML: while parsing a flow sequence, expected ',' or ']'
            1 mistake"#]],
        ),
        (
            "project: shop\n description: x\n",
            expect![[r#"
            lockgate.yaml:2:13: this is not YAML: mapping values are not allowed in this context
             2 |  description: x
               |             ^
            1 mistake"#]],
        ),
        (
            "project: shop\0\n",
            expect![[r#"
            lockgate.yaml:1:14: this is not YAML: found unprintable character
             1 | project: shop�
               |              ^
            1 mistake"#]],
        ),
    ] {
        expected.assert_eq(&mistakes(text));
    }
}

#[test]
fn yaml_that_surprises_people_is_refused() {
    for (text, expected) in [
        (
            "project: shop\nproject: other\n",
            expect!["2:1: : the key `project` is here a second time; the first is at line 1, column 1"],
        ),
        (
            "project: shop\nenvironments: { a: &a {}, b: *a, <<: *a }\n",
            expect![[r#"
            2:20: /environments/a: an anchor (`&name`) is not supported; write the value where it is needed
            2:30: /environments/b: an alias (`*name`) is not supported; write the value here
            2:38: /environments/<<: an alias (`*name`) is not supported; write the value here"#]],
        ),
        (
            "project: shop\ndescription: !secret x\napplications: !!set [web]\n",
            expect![[r#"
            2:14: /description: a tag (`!name`) is not supported; quotes make a value text
            3:15: /applications: a tag (`!name`) is not supported; quotes make a value text"#]],
        ),
        (
            "project: shop\n1: x\ntrue: x\n? [a]\n: x\n? {a: b}\n: x\n~: x\n",
            expect![[r#"
            2:1: : a key is text: put `1` in quotes
            3:1: : a key is text: put `true` in quotes
            4:3: : a key is text, not a list
            6:3: : a key is text, not a mapping
            8:1: : a key is text: put `~` in quotes"#]],
        ),
        (
            "project: shop\nenvironments:\nworkflows: ~\n",
            expect![[r#"
            2:13: /environments: must be a mapping, but is an empty value; write `{}` or leave the key out
            3:12: /workflows: must be a mapping, but is an empty value; write `{}` or leave the key out"#]],
        ),
        (
            "project: shop\ndescription: .inf\n",
            expect!["2:14: /description: `.inf` is a number that JSON cannot hold; put it in quotes"],
        ),
        (
            "project: shop\ndescription: 12345678901234567890123\n",
            expect![
                "2:14: /description: `12345678901234567890123` is a number that JSON cannot hold; put it in quotes"
            ],
        ),
        (
            "project: yes\nworkflows: { w: { goes_live: on, phases: [{ name: off, plugin: null }] } }\n",
            expect![[r#"
                2:30: /workflows/w/goes_live: must be `true` or `false`, but is the text `on`; write `true`
                2:64: /workflows/w/phases/0/plugin: an empty value is not a name: use 1 to 63 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`"#]],
        ),
    ] {
        expected.assert_eq(&messages(text).join("\n"));
    }
}

#[test]
fn an_unknown_key_is_shown_with_the_one_that_was_meant() {
    for (key, expected) in [
        (
            "enviroments",
            expect![
                "2:1: /enviroments: unknown key `enviroments`; did you mean `environments`? (known here: project, description, applications, environments, workflows, endpoints, approval_workflow, parallel, limits, freezes)"
            ],
        ),
        (
            "wrokflows",
            expect![
                "2:1: /wrokflows: unknown key `wrokflows`; did you mean `workflows`? (known here: project, description, applications, environments, workflows, endpoints, approval_workflow, parallel, limits, freezes)"
            ],
        ),
        (
            "zebra",
            expect![
                "2:1: /zebra: unknown key `zebra` (known here: project, description, applications, environments, workflows, endpoints, approval_workflow, parallel, limits, freezes)"
            ],
        ),
    ] {
        expected.assert_eq(&messages(&format!("project: shop\n{key}: {{}}\n")).join("\n"));
    }
}

#[test]
fn a_place_counts_characters_and_a_terminal_is_not_obeyed() {
    let text = "{ project: shop, \"überall\u{1b}[31m\": 1,\tworkflows: \"\\e[2J\" }\n";
    expect![[r#"
        lockgate.yaml:1:18: /überall�[31m: unknown key `überall�[31m` (known here: project, description, applications, environments, workflows, endpoints, approval_workflow, parallel, limits, freezes)
         1 | { project: shop, "überall�[31m": 1, workflows: "\e[2J" }
           |                  ^
        lockgate.yaml:1:48: /workflows: must be a mapping, but is the text `�[2J`
         1 | { project: shop, "überall�[31m": 1, workflows: "\e[2J" }
           |                                                ^
        2 mistakes"#]].assert_eq(&mistakes(text));
}

#[test]
fn of_a_very_long_line_only_the_part_around_the_mistake_is_shown() {
    let text = format!("{{ description: {}, project: A, applications: [] }}\n", "x".repeat(5000));
    expect![[r#"
        lockgate.yaml:1:5027: /project: `A` is not a name: use 1 to 63 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`
         1 | xxxxxxxxxxxxxxxxxxxxxxxxxxxxx, project: A, applications: [] }
           |                                         ^
        1 mistake"#]].assert_eq(&mistakes(&text));
}

#[test]
fn many_mistakes_are_counted_and_the_first_are_shown() {
    let text: String = (0..60).map(|n| format!("key-{n}: 1\n")).collect();
    let shown = mistakes(&text);
    assert_eq!(shown.lines().count(), 3 * MAX_SHOWN + 1);
    assert!(shown.ends_with("61 mistakes, the first 50 are shown"), "{shown}");
}

#[test]
fn mistakes_found_later_get_their_place_too() {
    let issue = |path: &str, message: &str| Issue { path: path.to_owned(), message: message.to_owned() };
    let issues = vec![
        issue("/workflows/publish/phases/0/config/url", "is not granted"),
        issue("/environments/production/targets/site/config/missing", "the key `missing` is missing"),
    ];
    expect![[r#"
        shop.yaml:9:62: /environments/production/targets/site/config/missing: the key `missing` is missing
         9 |       site: { plugin: static-site, application: web, config: { folder: site, keep: 3 } }
           |                                                              ^
        shop.yaml:26:24: /workflows/publish/phases/0/config/url: is not granted
         26 |         config: { url: "http://127.0.0.1:9000/" }
            |                        ^
        2 mistakes"#]]
    .assert_eq(&Mistakes::from_issues(GOOD, issues).in_file("shop.yaml").to_string());

    assert_eq!(locate(GOOD, ""), Some((2, 1)));
    assert_eq!(locate(GOOD, "/environments/production"), Some((6, 3)));
    assert_eq!(locate(GOOD, "/workflows/publish/phases/1/apply"), Some((31, 16)));
    assert_eq!(locate("[", ""), None);
}

#[test]
fn every_plugin_use_has_a_place() {
    let definition = parse(GOOD).unwrap().definition;
    let places: Vec<_> = definition.plugin_uses().into_iter().map(|(path, _)| (locate(GOOD, &path), path)).collect();
    expect![[r#"
        [
            (
                Some(
                    (
                        24,
                        9,
                    ),
                ),
                "/workflows/publish/phases/0",
            ),
            (
                Some(
                    (
                        9,
                        13,
                    ),
                ),
                "/environments/production/targets/site",
            ),
            (
                Some(
                    (
                        19,
                        13,
                    ),
                ),
                "/environments/production/gates/post/checks/0",
            ),
        ]"#]]
    .assert_eq(&format!("{places:#?}"));
}

#[test]
fn the_schema_takes_good_files_and_refuses_bad_ones() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let value = |text: &str| yaml::read(text, "").0.unwrap().to_json();
    assert!(validator.is_valid(&value(GOOD)));
    assert!(validator.is_valid(&value(EXAMPLE)));
    for (from, to) in [
        ("project: shop", "projects: shop"),
        ("on_failure: undo", "on_failure: never"),
        ("apply: site", "apply: site\n        config: {}"),
        ("timeout: 30s", "timeout: soon"),
        ("2m", "0m"),
    ] {
        assert!(!validator.is_valid(&value(&changed(from, to))), "{to}");
    }
}

#[test]
fn the_schema_tells_editors_defaults_and_reasons() {
    let schema = schema();
    let phase = &schema["$defs"]["Phase"]["properties"];
    assert_eq!(phase["timeout"]["default"], json!("1h"));
    assert_eq!(phase["retries"]["default"], json!(0));
    expect![[r##"
        {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "name": {
              "$ref": "#/$defs/Name"
            },
            "plugin": {
              "$ref": "#/$defs/Name"
            },
            "config": {
              "type": "object",
              "additionalProperties": true,
              "description": "What the plugin is told, as its own schema describes it.",
              "default": {}
            },
            "apply": {
              "$ref": "#/$defs/Name",
              "description": "A target of the environment."
            },
            "weight": {
              "type": "integer",
              "format": "uint32",
              "minimum": 1,
              "description": "Percent of the traffic that the release gets by this `apply`; a later one of the same target raises it.",
              "maximum": 100,
              "default": 100
            },
            "gates": {
              "$ref": "#/$defs/GateSet",
              "description": "Goes on when these are green."
            },
            "manual": {
              "$ref": "#/$defs/Manual",
              "description": "Goes on when a person says so."
            },
            "group": {
              "$ref": "#/$defs/Name",
              "description": "Phases that follow each other and have the same group run side by side."
            },
            "locks": {
              "type": "array",
              "uniqueItems": true,
              "items": {
                "type": "string"
              },
              "description": "What a plugin changes beside the targets, by any name. Without it the phase counts as changing everything here,\nand its deployment goes alone."
            },
            "timeout": {
              "$ref": "#/$defs/LongerThanZero",
              "description": "Of one try.",
              "default": "1h"
            },
            "retries": {
              "type": "integer",
              "format": "uint32",
              "minimum": 0,
              "description": "Tries after the first.",
              "maximum": 100,
              "default": 0
            },
            "backoff": {
              "$ref": "#/$defs/Duration",
              "description": "Before the first retry; doubles with each, up to a minute.",
              "default": "1s"
            },
            "continue_on_error": {
              "type": "boolean",
              "description": "When it fails, the rest goes on and the deployment has partially succeeded.",
              "default": false
            },
            "always_run": {
              "type": "boolean",
              "description": "Runs also when a phase before it has failed.",
              "default": false
            }
          },
          "required": [
            "name"
          ],
          "description": "One step: it calls a `plugin`, applies the plan of a target, waits for gates, or waits for a person.",
          "oneOf": [
            {
              "required": [
                "plugin"
              ],
              "not": {
                "required": [
                  "weight"
                ]
              }
            },
            {
              "required": [
                "apply"
              ],
              "not": {
                "required": [
                  "config"
                ]
              }
            },
            {
              "required": [
                "gates"
              ],
              "not": {
                "anyOf": [
                  {
                    "required": [
                      "config"
                    ]
                  },
                  {
                    "required": [
                      "weight"
                    ]
                  },
                  {
                    "required": [
                      "timeout"
                    ]
                  },
                  {
                    "required": [
                      "retries"
                    ]
                  },
                  {
                    "required": [
                      "backoff"
                    ]
                  }
                ]
              }
            },
            {
              "required": [
                "manual"
              ],
              "not": {
                "anyOf": [
                  {
                    "required": [
                      "config"
                    ]
                  },
                  {
                    "required": [
                      "weight"
                    ]
                  },
                  {
                    "required": [
                      "timeout"
                    ]
                  },
                  {
                    "required": [
                      "retries"
                    ]
                  },
                  {
                    "required": [
                      "backoff"
                    ]
                  }
                ]
              }
            }
          ]
        }"##]]
    .assert_eq(&serde_json::to_string_pretty(&schema["$defs"]["Phase"]).unwrap());
}

const EXAMPLE: &str = include_str!("../../../../examples/site/lockgate.yaml");

#[test]
fn the_example_is_a_good_file() {
    let file = parse(EXAMPLE).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!(file.definition.environments.len(), 2);
    assert_eq!(file.definition.plugin_uses().len(), 5);
}

#[test]
fn a_bomb_is_refused_at_once() {
    let bombs = [
        "[".repeat(1 << 20),
        "- ".repeat(1 << 19),
        "? ".repeat(1 << 19),
        "{a: ".repeat(1 << 18),
        format!("a: [{}]", "x,".repeat(1 << 19)),
        format!("a: {}[0]", "&a [".repeat(200)),
        format!("a: &a []\nb: [{}]", "*a,".repeat(100_000)),
        (0..100_000).map(|n| format!("k{n}: 1\n")).collect(),
        format!("project: a\nworkflows: {{{}}}", (0..15_000).map(|n| format!("w{n}: {{}},")).collect::<String>()),
        format!("project: a\nenvironments: {{{}}}", (0..20_000).map(|n| format!("e{n}: {{}},")).collect::<String>()),
        format!(
            "project: a\nenvironments: {{{}}}\nworkflows: {{w: {{phases: [{}]}}}}",
            (0..10_000).map(|n| format!("e{n}: {{}},")).collect::<String>(),
            (0..6_000).map(|n| format!("{{name: p{n}, apply: t{n}}},")).collect::<String>()
        ),
        format!("project: a\napplications: [{}]", "web,".repeat(40_000)),
        format!("project: {}", "a".repeat(1 << 19)),
        format!("\"{}\": 1", "a".repeat(1 << 19)),
        " ".repeat((1 << 20) + 1),
    ];
    for bomb in bombs {
        let start = Instant::now();
        let shown = mistakes(&bomb);
        let start_of_it: String = bomb.chars().take(40).collect();
        assert!(start.elapsed().as_secs() < 5, "{start_of_it} took {:?}", start.elapsed());
        assert!(shown.len() < 50_000, "{start_of_it}");
    }
}

#[test]
fn each_limit_has_its_message() {
    let first = |text: &str| parse(text).expect_err("over a limit").iter().next().map(|m| m.message.clone());
    for (text, expected) in [
        (format!("project: shop{}", " ".repeat(1 << 20)), "the file is larger than 1 MiB"),
        (format!("a: {}", "[".repeat(100)), "nested more than 64 levels deep"),
        (format!("a: [{}]", "x,".repeat(60_000)), "the file has more than 50000 values"),
        (format!("? {}\n: x\nproject: shop", "a".repeat(201)), "a key has at most 200 characters"),
    ] {
        assert_eq!(first(&text).as_deref(), Some(expected));
    }
    let aliases = format!("project: shop\nworkflows: &a {{}}\nenvironments: [{}]", "*a,".repeat(5000));
    assert!(parse(&aliases).unwrap_err().iter().len() < 1010);
    let dangling = "{ application: nowhere },".repeat(1000);
    let broken = format!("{{ {} }}", (0..2000).map(|n| format!("t{n}: 1,")).collect::<String>());
    let targets =
        format!("project: shop\nenvironments: {{ a: {{ targets: {broken} }}, b: {{ targets: [{dangling}] }} }}");
    assert_eq!(parse(&targets).unwrap_err().iter().len(), 1000);
}

#[test]
fn there_may_be_only_so_many_windows_freezes_and_schedules() {
    let list = |one: &str, count: usize| vec![one; count].join(", ");
    let windows = |count| {
        let windows = list(r#"{ days: [mon], from: "09:00", to: "17:00" }"#, count);
        changed("  production:\n", &format!("  production:\n    availability: {{ zone: UTC, windows: [{windows}] }}\n"))
    };
    let freezes = |count: usize| {
        let freeze =
            |n| format!("{{ name: f{n}, from: 2026-11-27T00:00, until: 2026-11-28T00:00, zone: UTC, reason: x }}");
        format!("{GOOD}\nfreezes: [{}]\n", (0..count).map(freeze).collect::<Vec<_>>().join(", "))
    };
    let schedules = |count: usize| {
        let environment = |n| format!("  e{n:03}: {{ workflow: go, schedule: {{ every: 1 day, zone: UTC }} }}\n");
        let environments: String = (0..count).map(environment).collect();
        format!("project: shop\nworkflows: {{ go: {{ phases: [] }} }}\nenvironments:\n{environments}")
    };
    for good in [windows(100), freezes(200), schedules(500)] {
        assert!(parse(&good).is_ok(), "{}", mistakes(&good));
    }
    let said: Vec<String> =
        [windows(101), freezes(201), schedules(501)].iter().flat_map(|text| messages(text)).collect();
    expect![[r#"
        7:41: /environments/production/availability/windows: this list has 101 items, and at most 100 are taken; leave out what is over, or say several in one
        33:10: /freezes: this list has 201 items, and at most 200 are taken; leave out what is over, or say several in one
        3:1: /environments: there are 501 schedules; at most 500 are allowed: remove what is over, or join them"#]].assert_eq(&said.join("\n"));
}

#[test]
fn a_mistyped_key_of_a_schedule_is_one_mistake() {
    let with = |schedule: &str| {
        let schedule = format!("  production:\n    schedule: {{ {schedule}, zone: UTC }}\n");
        messages(&changed("  production:\n", &schedule)).join("\n")
    };
    let said = [with("evry: 2 hours"), with("every: 2 hourz"), with("every: 2 hours, cron: \"0 3 * *\"")];
    expect![[r#"
        7:17: /environments/production/schedule/evry: unknown key `evry`; did you mean `every`? (known here: every, cron, zone)
        7:24: /environments/production/schedule/every: `2 hourz` is not how often: write it like `30 minutes`, `2 hours`, `1 day` or `2 weeks`
        7:39: /environments/production/schedule/cron: `0 3 * *` is not a cron line: write five fields, such as `0 3 * * 1-5` for 03:00 from Monday to Friday"#]].assert_eq(&said.join("\n"));
}

#[test]
fn nothing_that_can_be_typed_panics() {
    let pieces = [
        "\t", "\n", " ", ":", "- ", "? ", "&a ", "*a", "!t ", "{", "}", "[", "]", "\"", "'", "|", ">", "#", "%",
        "---\n", "\0", "\u{feff}", "ü", "\r", "~", "0s", "null", "1e999",
    ];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = |limit: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % u64::try_from(limit.max(1)).unwrap()).unwrap()
    };
    for _ in 0..3_000 {
        let mut bytes = GOOD.as_bytes().to_vec();
        for _ in 0..=below(6) {
            let at = below(bytes.len());
            if bytes.is_empty() {
                break;
            }
            match below(4) {
                0 => bytes[at] = u8::try_from(below(256)).unwrap(),
                1 => drop(bytes.drain(at..(at + below(40)).min(bytes.len()))),
                2 => drop(bytes.splice(at..at, pieces[below(pieces.len())].bytes())),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        locate(&text, "/environments/production");
        if let Err(mistakes) = parse(&text) {
            let shown = mistakes.to_string();
            assert!(!shown.contains("does not fit its shape"), "the schema and the structs disagree: {shown}\n{text}");
        }
    }
}
