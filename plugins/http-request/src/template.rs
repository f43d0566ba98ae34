//! Placeholders such as `{{release.tag}}`, filled from the subject.

use lockgate_sdk::phase::*;

const ROOTS: &str = "release.tag, release.digest, release.description, environment, project, application, \
                     deployment, comment, triggered_by, variables.NAME, outputs.PHASE.KEY, artifacts.NAME.digest, \
                     artifacts.NAME.uri";

/// `text` with every placeholder replaced.
pub fn fill(text: &str, subject: &Subject) -> Result<String, Failure> {
    replace(text, |name| {
        let known = Placeholder::parse(name).map_err(|message| Failure::fatal("unknown-placeholder", message))?;
        value(&known, subject).ok_or_else(|| {
            let message = format!("`{{{{{name}}}}}` has no value in this deployment: {}", there_are(&known, subject));
            Failure::fatal("unknown-placeholder", message)
        })
    })
}

/// Fills every string of the value; keys stay as they are.
pub fn fill_json(value: &Value, subject: &Subject) -> Result<Value, Failure> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text, subject)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| fill_json(item, subject)).collect::<Result<_, _>>()?)
        }
        Value::Object(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, item)| Ok((key.clone(), fill_json(item, subject)?)))
                .collect::<Result<_, Failure>>()?,
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

/// Whether every placeholder is one that can exist, before there is a subject.
pub fn check(text: &str) -> Result<(), String> {
    replace(text, |name| Placeholder::parse(name).map(|_| String::new())).map(drop)
}

/// Braces without a partner stay: a body may be JSON text.
fn replace<E>(text: &str, mut fill: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        filled.push_str(before);
        filled.push_str(&fill(name.trim())?);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

enum Placeholder<'a> {
    ReleaseTag,
    ReleaseDigest,
    ReleaseDescription,
    Environment,
    Project,
    Application,
    Deployment,
    Comment,
    TriggeredBy,
    Variable(&'a str),
    /// The rest of the path leads into the phase's outputs.
    Output(&'a str, Vec<&'a str>),
    ArtifactDigest(&'a str),
    ArtifactUri(&'a str),
}

impl<'a> Placeholder<'a> {
    fn parse(name: &'a str) -> Result<Self, String> {
        Ok(match name.split('.').collect::<Vec<_>>().as_slice() {
            ["release", "tag"] => Self::ReleaseTag,
            ["release", "digest"] => Self::ReleaseDigest,
            ["release", "description"] => Self::ReleaseDescription,
            ["environment"] => Self::Environment,
            ["project"] => Self::Project,
            ["application"] => Self::Application,
            ["deployment"] => Self::Deployment,
            ["comment"] => Self::Comment,
            ["triggered_by"] => Self::TriggeredBy,
            // Names of variables may hold dots.
            ["variables", _, ..] => Self::Variable(&name["variables.".len()..]),
            ["outputs", phase, first, rest @ ..] => {
                Self::Output(phase, std::iter::once(*first).chain(rest.iter().copied()).collect())
            }
            ["artifacts", _, .., "digest"] => Self::ArtifactDigest(between(name, "artifacts.", ".digest")),
            ["artifacts", _, .., "uri"] => Self::ArtifactUri(between(name, "artifacts.", ".uri")),
            _ => return Err(format!("`{{{{{name}}}}}` is no placeholder; there are {ROOTS}")),
        })
    }
}

/// Names of artifacts may hold dots.
fn between<'a>(name: &'a str, before: &str, after: &str) -> &'a str {
    &name[before.len()..name.len() - after.len()]
}

fn value(placeholder: &Placeholder<'_>, subject: &Subject) -> Option<String> {
    Some(match placeholder {
        Placeholder::ReleaseTag => subject.release.tag.clone(),
        Placeholder::ReleaseDigest => subject.release.digest.clone(),
        Placeholder::ReleaseDescription => subject.release.description.clone(),
        Placeholder::Environment => subject.environment.clone(),
        Placeholder::Project => subject.project.clone(),
        Placeholder::Application => subject.application.clone(),
        Placeholder::Deployment => subject.deployment.clone(),
        Placeholder::Comment => subject.comment.clone(),
        Placeholder::TriggeredBy => subject.triggered_by.clone(),
        Placeholder::Variable(name) => subject.variables.get(*name)?.clone(),
        Placeholder::Output(phase, path) => {
            let found = path.iter().try_fold(subject.outputs.get(*phase)?, |value, key| match value {
                Value::Array(items) => items.get(key.parse::<usize>().ok()?),
                other => other.get(key),
            })?;
            match found {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }
        }
        Placeholder::ArtifactDigest(name) => subject.artifact(name)?.digest.clone(),
        Placeholder::ArtifactUri(name) => subject.artifact(name)?.uri.clone(),
    })
}

/// What could have been written in its place.
fn there_are(placeholder: &Placeholder<'_>, subject: &Subject) -> String {
    let names: Vec<&str> = match placeholder {
        Placeholder::Variable(_) => subject.variables.keys().map(String::as_str).collect(),
        Placeholder::Output(phase, _) => match subject.outputs.get(*phase).and_then(Value::as_object) {
            Some(outputs) => outputs.keys().map(String::as_str).collect(),
            None => subject.outputs.keys().map(String::as_str).collect(),
        },
        Placeholder::ArtifactDigest(_) | Placeholder::ArtifactUri(_) => {
            subject.artifacts.iter().map(|artifact| artifact.name.as_str()).collect()
        }
        Placeholder::ReleaseTag
        | Placeholder::ReleaseDigest
        | Placeholder::ReleaseDescription
        | Placeholder::Environment
        | Placeholder::Project
        | Placeholder::Application
        | Placeholder::Deployment
        | Placeholder::Comment
        | Placeholder::TriggeredBy => Vec::new(),
    };
    match names.as_slice() {
        [] => "there are none".into(),
        names => format!("there are {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        json::from_value(json!({
            "release": { "tag": "v7", "digest": "sha256:00" },
            "environment": "production",
            "deployment": "shop/7",
            "comment": "at last",
            "triggered_by": "ann",
            "variables": { "ROOM": "releases", "a.b": "dotted" },
            "outputs": { "migrate": { "count": 3, "steps": ["one"], "note": "ok" } },
            "artifacts": [{ "name": "web.tar", "digest": "sha256:aa", "uri": "oci://web" }],
        }))
        .unwrap()
    }

    fn filled(text: &str) -> String {
        fill(text, &subject()).unwrap()
    }

    fn refused(text: &str) -> String {
        fill(text, &subject()).unwrap_err().message
    }

    #[test]
    fn every_root_has_its_value() {
        assert_eq!(filled("{{release.tag}} to {{ environment }}"), "v7 to production");
        assert_eq!(filled("{{deployment}} {{release.digest}}"), "shop/7 sha256:00");
        assert_eq!(filled("{{triggered_by}}: {{comment}}"), "ann: at last");
        assert_eq!(filled("{{variables.ROOM}} {{variables.a.b}}"), "releases dotted");
        assert_eq!(filled("{{outputs.migrate.count}} {{outputs.migrate.steps.0}}"), "3 one");
        assert_eq!(filled("{{artifacts.web.tar.digest}} {{artifacts.web.tar.uri}}"), "sha256:aa oci://web");
    }

    #[test]
    fn braces_that_are_no_placeholder_stay() {
        assert_eq!(filled(r#"{"a": {"b": 1}} {{"#), r#"{"a": {"b": 1}} {{"#);
    }

    #[test]
    fn an_unknown_placeholder_is_named_together_with_those_that_exist() {
        assert_eq!(
            refused("{{relase.tag}}"),
            "`{{relase.tag}}` is no placeholder; there are release.tag, release.digest, release.description, \
             environment, project, application, deployment, comment, triggered_by, variables.NAME, \
             outputs.PHASE.KEY, artifacts.NAME.digest, artifacts.NAME.uri"
        );
        assert_eq!(
            refused("{{variables.ROM}}"),
            "`{{variables.ROM}}` has no value in this deployment: there are ROOM, a.b"
        );
        assert_eq!(
            refused("{{outputs.migrate.cnt}}"),
            "`{{outputs.migrate.cnt}}` has no value in this deployment: there are count, steps, note"
        );
    }
}
