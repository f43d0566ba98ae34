//! `lockgate apply` and `lockgate schema`: the project file.
//!
//! The file is checked here first, so that its mistakes are known without a host; the host checks it once more, and
//! asks the plugins about their configurations.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use lockgate_core::plugin::Issue;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, printable};
use crate::cli::session::{Out, Session};
use crate::client::ClientError;
use crate::project_file::{self, Mistakes};
use crate::wire::{AppliedProject, DefinitionChange, Mistake, Problem, Release, Warning};

#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The project file; `-` reads it from standard input.
    #[arg(short, long, value_name = "FILE", default_value = "lockgate.yaml")]
    file: PathBuf,
}

impl ApplyArgs {
    pub fn read(&self) -> Result<Checked, CliError> {
        let file = self.file.display().to_string();
        let text = if file == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        } else {
            std::fs::read_to_string(&self.file)
        };
        let text = text.map_err(|error| {
            CliError::usage(format!("cannot read the project file {file}: {error}"), "name another one with -f FILE")
        })?;
        check(file, text)
    }
}

/// A project file without mistakes, as far as can be told without a host.
#[derive(Debug)]
pub struct Checked {
    file: String,
    text: String,
    project: String,
}

fn check(file: String, text: String) -> Result<Checked, CliError> {
    match project_file::parse(&text) {
        Ok(parsed) => Ok(Checked { file, project: parsed.project.to_string(), text }),
        Err(mistakes) => Err(refused(mistakes.in_file(file))),
    }
}

impl Checked {
    /// Of a draft, which takes its workflows and endpoints.
    pub async fn edit(self, session: &Session, project: &str, tag: &str) -> Result<Release, CliError> {
        match session.client.edit_release(project, tag, self.text.clone()).await {
            Ok(release) => Ok(release),
            Err(ClientError::Problem { problem }) if !problem.mistakes.is_empty() => Err(self.found_by_host(&problem)),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn apply(self, session: &Session) -> Result<(), CliError> {
        match session.client.apply_project(&self.project, self.text.clone()).await {
            Ok(project) => {
                session.out.answer(&project, applied);
                project.warnings.iter().for_each(|warning| session.out.note(&warned(warning)));
                Ok(())
            }
            Err(ClientError::Problem { problem }) if !problem.mistakes.is_empty() => Err(self.found_by_host(&problem)),
            Err(error) => Err(error.into()),
        }
    }

    fn found_by_host(&self, problem: &Problem) -> CliError {
        let issue = |mistake: &Mistake| Issue { path: mistake.path.clone(), message: mistake.message.clone() };
        let issues = problem.mistakes.iter().map(issue).collect();
        refused(Mistakes::from_issues(&self.text, issues).in_file(self.file.clone()))
    }
}

fn refused(mistakes: Mistakes) -> CliError {
    CliError::Mistakes { shown: mistakes.to_string(), mistakes: mistakes.iter().map(Into::into).collect() }
}

fn applied(look: &Look, AppliedProject { project, changes, .. }: &AppliedProject) -> String {
    let name = look.strong(&project.name);
    if changes.as_ref().is_some_and(Vec::is_empty) {
        return format!("project {name} is as in the file already: nothing has changed");
    }
    // A host of an earlier version does not say.
    let lines = changes.iter().flatten().map(|DefinitionChange { change, part, name, keys }| {
        let mark = match change.as_str() {
            "added" => look.paint(Tone::Good, "+"),
            "removed" => look.paint(Tone::Bad, "-"),
            _ => look.paint(Tone::Waiting, "~"),
        };
        let keys = if keys.is_empty() { String::new() } else { format!(": {}", keys.join(", ")) };
        format!("\n  {mark} {part} {name}{keys}")
    });
    format!("project {name} is as in the file{}", lines.collect::<String>())
}

fn warned(Warning { path, message }: &Warning) -> String {
    format!("warning: {}: {}", printable(path), printable(message))
}

/// JSON either way: it is for editors.
pub fn schema(out: &Out) {
    out.line(&serde_json::to_string_pretty(&project_file::schema()).expect("a schema is plain data"));
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::cli::look::testing::look;

    const FILE: &str = "\
project: shop
applications: [web]
environments:
  staging: { workflow: publish }
workflows:
  publish:
    phases:
      - { name: announce, plugin: http-request, config: { url: nowhere } }
";

    #[test]
    fn all_mistakes_are_shown_in_their_place_without_a_host() {
        let error = check("shop.yaml".to_owned(), "project: Shop!\nenvironmentz: {}\n".to_owned()).unwrap_err();
        expect![[r#"
            shop.yaml:1:10: /project: `Shop!` is not a name: use 1 to 63 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`
             1 | project: Shop!
               |          ^
            shop.yaml:2:1: /environmentz: unknown key `environmentz`; did you mean `environments`? (known here: project, description, applications, environments, workflows, endpoints, approval_workflow, parallel, limits, freezes)
             2 | environmentz: {}
               | ^
            2 mistakes"#]].assert_eq(&error.shown(&look()));
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn what_the_file_changed_is_shown() {
        let project =
            json!({ "name": "shop", "description": "", "applications": [], "workflows": [], "environments": [] });
        let shown = |changes: Value| {
            let answer = json!({ "changes": changes }).as_object().unwrap().clone();
            let whole: Map<String, Value> = project.as_object().unwrap().clone().into_iter().chain(answer).collect();
            applied(&look(), &serde_json::from_value(whole.into()).unwrap())
        };
        expect!["project shop is as in the file"].assert_eq(&shown(Value::Null));
        expect!["project shop is as in the file already: nothing has changed"].assert_eq(&shown(json!([])));
        expect![[r#"
            project shop is as in the file
              ~ project shop: limits
              + environment staging
              ~ environment production: approvals, variables
              - workflow hotfix"#]]
        .assert_eq(&shown(json!([
            { "change": "changed", "part": "project", "name": "shop", "keys": ["limits"] },
            { "change": "added", "part": "environment", "name": "staging" },
            { "change": "changed", "part": "environment", "name": "production", "keys": ["approvals", "variables"] },
            { "change": "removed", "part": "workflow", "name": "hotfix" },
        ])));
    }

    #[test]
    fn a_warning_has_its_place_and_nothing_that_moves_the_cursor() {
        let path = "/environments/production/approvals".to_owned();
        let message = "it asks for 1 of \u{1b}[2Jops".to_owned();
        expect!["warning: /environments/production/approvals: it asks for 1 of �[2Jops"]
            .assert_eq(&warned(&Warning { path, message }));
    }

    #[test]
    fn what_a_plugin_says_of_its_configuration_is_shown_in_its_place() {
        let checked = check("shop.yaml".to_owned(), FILE.to_owned()).unwrap();
        let message = "`nowhere` is not a URL".to_owned();
        let mistakes =
            vec![Mistake { line: 0, column: 0, path: "/workflows/publish/phases/0/config/url".to_owned(), message }];
        let error = checked.found_by_host(&Problem { mistakes, ..Problem::default() });
        expect![[r#"
            shop.yaml:8:64: /workflows/publish/phases/0/config/url: `nowhere` is not a URL
             8 |       - { name: announce, plugin: http-request, config: { url: nowhere } }
               |                                                                ^
            1 mistake"#]]
        .assert_eq(&error.shown(&look()));
    }
}
