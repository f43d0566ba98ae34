//! Writes what was recorded and what was seen back into a fixture. The rest of the file, with its comments, stays as it is.

use serde_json::{Map, Value};

use crate::project_file;

/// Values that are written as JSON on one line: somebody else's shape.
const INLINE: [&str; 3] = ["json", "outputs", "evidence"];

/// The text with these keys of its outermost mapping replaced, or added at its end.
pub fn with(text: &str, sections: &[(&str, Value)]) -> Result<String, String> {
    let written = match text.trim_start().starts_with('{') {
        true => in_json(text, sections)?,
        false => sections.iter().try_fold(text.to_owned(), |text, (key, value)| in_yaml(&text, key, value))?,
    };
    // Never leave a file behind that says something else.
    let read = project_file::value(&written).map_err(|mistakes| mistakes.to_string())?;
    match sections.iter().find(|(key, value)| read[*key] != *value) {
        Some((key, _)) => Err(format!("`{key}` cannot be written so that it reads back as it was")),
        None => Ok(written),
    }
}

fn in_json(text: &str, sections: &[(&str, Value)]) -> Result<String, String> {
    let mut file: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("it begins with a brace and is no JSON: {error}"))?;
    file.extend(sections.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    Ok(format!("{:#}\n", Value::Object(file)))
}

fn in_yaml(text: &str, key: &str, value: &Value) -> Result<String, String> {
    let places = project_file::sections(text).ok_or("its outermost keys do not begin their lines")?;
    let lines: Vec<&str> = text.lines().collect();
    let (start, end) = match places.iter().position(|(_, name)| name == key) {
        Some(at) => {
            let start = places[at].0 - 1;
            let next = places.get(at + 1).map_or(lines.len(), |(line, _)| line - 1);
            // What stands before the next key belongs to it.
            let is_between = |line: &&str| line.trim().is_empty() || line.starts_with('#');
            let between = lines[start + 1..next].iter().rev().take_while(|line| is_between(line)).count();
            (start, next - between)
        }
        None => (lines.len(), lines.len()),
    };
    let mut written: String = lines[..start].iter().map(|line| format!("{line}\n")).collect();
    entry(key, value, 0, &mut written);
    written.extend(lines[end..].iter().map(|line| format!("{line}\n")));
    Ok(written)
}

fn entry(key: &str, value: &Value, indent: usize, out: &mut String) {
    out.push_str(&format!("{}{}:", " ".repeat(indent), scalar(key)));
    match value {
        Value::Object(entries) if !entries.is_empty() && !INLINE.contains(&key) => {
            out.push('\n');
            entries.iter().for_each(|(key, value)| entry(key, value, indent + 2, out));
        }
        Value::Array(items) if !items.is_empty() && !INLINE.contains(&key) => {
            out.push('\n');
            items.iter().for_each(|one| item(one, indent + 2, out));
        }
        value => out.push_str(&format!(" {}\n", inline(value))),
    }
}

fn item(value: &Value, indent: usize, out: &mut String) {
    let mut inside = String::new();
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            entries.iter().for_each(|(key, value)| entry(key, value, indent + 2, &mut inside));
        }
        value => inside = format!("{}{}\n", " ".repeat(indent + 2), inline(value)),
    }
    // The first of its lines follows the dash.
    out.push_str(&format!("{}- {}", " ".repeat(indent), &inside[indent + 2..]));
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| format!("{}: {}", quoted_text(key), quoted(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => quoted_text(text),
        other => inline(other),
    }
}

/// Without quotes where no reader of YAML can take it for anything else.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./- ".contains(c);
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let colons = text.split("://").collect::<Vec<_>>();
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && colons.len() <= 2
        && colons.iter().all(|part| part.chars().all(is_plain))
        && !text.ends_with(' ')
        && !words.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { quoted_text(text) }
}

fn quoted_text(text: &str) -> String {
    let written = Value::String(text.to_owned()).to_string();
    let unusual = |c: char| c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}');
    let escaped = |c: char| if unusual(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    written.chars().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_named_keys_of_a_fixture_change() {
        let text = "# Mine.\nabout: it works   # so far\nhttp:\n  - old\n\n# Of the deployment.\nclock: 2026-01-01T00:00:00Z\n";
        let exchange = json!({
            "request": { "method": "POST", "url": "https://a.example/x?y=1", "json": { "a": [1, "two"] } },
            "response": { "status": 200, "headers": { "content-type": "text/plain" }, "body": "one\ntwo: 3 #\u{7f}" },
        });
        let expected = json!({ "outcome": "succeeded", "log": ["info yes", "true"], "outputs": {}, "calls": [] });
        let written = with(text, &[("http", json!([exchange])), ("expect", expected)]).unwrap();
        expect![[r##"
            # Mine.
            about: it works   # so far
            http:
              - request:
                  method: POST
                  url: "https://a.example/x?y=1"
                  json: {"a": [1, "two"]}
                response:
                  status: 200
                  headers:
                    content-type: text/plain
                  body: "one\ntwo: 3 #\u007f"

            # Of the deployment.
            clock: 2026-01-01T00:00:00Z
            expect:
              outcome: succeeded
              log:
                - info yes
                - "true"
              outputs: {}
              calls: []
        "##]]
        .assert_eq(&written);
        assert_eq!(with(&written, &[("http", json!([exchange]))]).unwrap(), written);
    }

    #[test]
    fn a_fixture_in_json_stays_one() {
        let written = with("{ \"about\": \"x\" }", &[("http", json!([]))]).unwrap();
        assert_eq!(written, "{\n  \"about\": \"x\",\n  \"http\": []\n}\n");
    }

    #[test]
    fn whatever_text_comes_reads_back() {
        for text in [
            "",
            " ",
            "- a",
            "a: b",
            "a #b",
            "1",
            "0x1f",
            "null",
            "~",
            "é\u{2028}",
            "\t\r\n",
            "\"'\\",
            "{",
            "a b",
            "http://a",
        ] {
            let value = json!({ "message": text, text: [text] });
            with("about: x\n", &[("expect", value)]).unwrap_or_else(|why| panic!("{text:?}: {why}"));
        }
    }
}
