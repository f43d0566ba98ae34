use std::time::Instant;

use expect_test::expect;
use serde_json::json;

use super::*;

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
fn a_good_file_means_what_it_says() {
    let file = parse(GOOD).unwrap();
    assert_eq!(file.project.as_str(), "shop");
    expect![[r#""#]].assert_eq(&serde_json::to_string_pretty(&file.definition).unwrap());
}

#[test]
fn ten_mistakes_are_reported_together_each_in_its_place() {
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
    expect![[r#""#]].assert_eq(&mistakes(text));
}

#[test]
fn unknown_names_are_found_although_other_things_are_wrong() {
    let text = changed("application: web,", "application: shop, aplication: web,").replace("apply: site", "apply: sight");
    expect![[r#""#]].assert_eq(&messages(&text).join("\n"));
}

#[test]
fn a_mistake_is_not_blamed_on_what_refers_to_it() {
    let without_applications = changed("applications: [web]", "applications: web");
    let with_a_bad_workflow_name = changed("  publish:\n    on", "  Publish:\n    on");
    let with_a_bad_target = changed("site: { plugin", "Site: { plugin");
    expect![[r#""#]].assert_eq(
        &[without_applications, with_a_bad_workflow_name, with_a_bad_target].map(|text| messages(&text).join("\n")).join("\n"),
    );
}

#[test]
fn a_phase_does_exactly_one_thing() {
    let with = |work: &str| messages(&changed("apply: site", work)).join("\n");
    expect![[r#""#]]
        .assert_eq(&[with("apply: site\n        plugin: x"), with("retries: 1"), with("{}: {}"), with("timeout: 0s")].join("\n"));
}

#[test]
fn an_environment_says_its_workflow_unless_there_is_only_one() {
    let two = format!("{GOOD}  other:\n    phases: [{{ name: a, plugin: b }}]\n");
    let none = "project: shop\nenvironments: { production: {} }\n";
    let unknown = changed("  production:\n", "  production:\n    workflow: other\n");
    expect![[r#""#]].assert_eq(&[messages(&two), messages(none), messages(&unknown)].concat().join("\n"));
    assert_eq!(parse("project: shop\n").unwrap().definition, Definition { ..Definition::default() });
}

#[test]
fn gates_must_be_able_to_stay_green_in_time() {
    let text = changed("delay: 250ms", "steady: 2m");
    expect![[r#""#]].assert_eq(&mistakes(&text));
}

#[test]
fn what_is_no_project_file_at_all_is_said_plainly() {
    for (text, expected) in [
        ("", expect![[r#""#]]),
        ("# only a comment\n", expect![[r#""#]]),
        ("- a list\n", expect![[r#""#]]),
        ("text", expect![[r#""#]]),
        ("---\n...\n", expect![[r#""#]]),
        ("project: shop\n---\nproject: other\n", expect![[r#""#]]),
        ("project: shop\nenvironments:\n\tproduction: {}\n", expect![[r#""#]]),
        ("project: [shop\n", expect![[r#""#]]),
        ("project: shop\n description: x\n", expect![[r#""#]]),
        ("project: shop\0\n", expect![[r#""#]]),
    ] {
        expected.assert_eq(&mistakes(text));
    }
}

#[test]
fn yaml_that_surprises_people_is_refused() {
    for (text, expected) in [
        ("project: shop\nproject: other\n", expect![[r#""#]]),
        ("project: shop\nenvironments: { a: &a {}, b: *a, <<: *a }\n", expect![[r#""#]]),
        ("project: shop\ndescription: !secret x\napplications: !!set [web]\n", expect![[r#""#]]),
        ("project: shop\n1: x\ntrue: x\n? [a]\n: x\n? {a: b}\n: x\n~: x\n", expect![[r#""#]]),
        ("project: shop\nenvironments:\nworkflows: ~\n", expect![[r#""#]]),
        ("project: shop\ndescription: .inf\n", expect![[r#""#]]),
        ("project: shop\ndescription: 12345678901234567890123\n", expect![[r#""#]]),
        ("project: yes\nworkflows: { w: { goes_live: on, phases: [{ name: off, plugin: null }] } }\n", expect![[r#""#]]),
    ] {
        expected.assert_eq(&messages(text).join("\n"));
    }
}

#[test]
fn an_unknown_key_is_shown_with_the_one_that_was_meant() {
    for (key, expected) in [("enviroments", expect![[r#""#]]), ("wrokflows", expect![[r#""#]]), ("zebra", expect![[r#""#]])] {
        expected.assert_eq(&messages(&format!("project: shop\n{key}: {{}}\n")).join("\n"));
    }
}

#[test]
fn a_place_counts_characters_and_a_terminal_is_not_obeyed() {
    let text = "{ project: shop, \"überall\u{1b}[31m\":\t1, description: \"\\e[2J\", workflows: \"\\e[2J\" }\n";
    expect![[r#""#]].assert_eq(&mistakes(text));
}

#[test]
fn of_a_very_long_line_only_the_part_around_the_mistake_is_shown() {
    let text = format!("{{ description: {}, project: A, applications: [] }}\n", "x".repeat(5000));
    expect![[r#""#]].assert_eq(&mistakes(&text));
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
    expect![[r#""#]].assert_eq(&Mistakes::from_issues(GOOD, issues).in_file("shop.yaml").to_string());

    assert_eq!(locate(GOOD, ""), Some((2, 1)));
    assert_eq!(locate(GOOD, "/environments/production"), Some((6, 3)));
    assert_eq!(locate(GOOD, "/workflows/publish/phases/1/apply"), Some((32, 16)));
    assert_eq!(locate("[", ""), None);
}

#[test]
fn every_plugin_use_has_a_place() {
    let definition = parse(GOOD).unwrap().definition;
    let places: Vec<_> = definition.plugin_uses().into_iter().map(|(path, _)| (locate(GOOD, &path), path)).collect();
    expect![[r#""#]].assert_eq(&format!("{places:#?}"));
}

#[test]
fn the_schema_takes_good_files_and_refuses_bad_ones() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let value = |text: &str| yaml::read(text).0.unwrap().to_json();
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
    expect![[r#""#]].assert_eq(&serde_json::to_string_pretty(&schema["$defs"]["Phase"]).unwrap());
}

const EXAMPLE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/site/lockgate.yaml"));

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
fn nothing_that_can_be_typed_panics() {
    let pieces = ["\t", "\n", " ", ":", "- ", "? ", "&a ", "*a", "!t ", "{", "}", "[", "]", "\"", "'", "|", ">", "#", "%", "---\n", "\0", "\u{feff}", "ü", "\r", "~", "0s", "null", "1e999"];
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
