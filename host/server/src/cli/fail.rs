//! How a command fails: one sentence, a hint where there is something to do, and an exit code for scripts.

use std::fmt::Display;

use serde::Serialize;

use crate::cli::exit;
use crate::cli::look::{Look, Tone, printable};
use crate::client::ClientError;
use crate::elsewhere::{ElsewhereError, is_here};
use crate::wire::{Mistake, Problem};

#[derive(Debug)]
pub enum CliError {
    Client(ClientError),
    /// The command line, or a file it names.
    Usage {
        what: String,
        hint: String,
    },
    /// A project file. `shown` is every mistake with its source line and a caret.
    Mistakes {
        shown: String,
        mistakes: Vec<Mistake>,
    },
    /// What was waited for has ended, and not well. The output has said how.
    EndedBadly {
        exit_code: u8,
        status: String,
    },
    TimedOut {
        what: String,
        hint: String,
    },
    /// It was done, and what it gave could not be handed over.
    Lost {
        what: String,
        hint: String,
    },
    /// It ended on its way; `what` says what is left of it.
    BrokeOff {
        what: String,
        hint: String,
    },
    /// A tool that builds plugins has said why it cannot.
    Tool {
        what: String,
        hint: String,
    },
    /// What is kept at a URL or in a registry.
    Elsewhere(ElsewhereError),
    /// A journal, a data folder or a backup is not as it was written, or lacks something.
    Damaged {
        what: String,
    },
    /// The host cannot start or had to stop.
    Host {
        what: String,
        hint: String,
    },
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<ElsewhereError> for CliError {
    fn from(error: ElsewhereError) -> Self {
        Self::Elsewhere(error)
    }
}

impl CliError {
    pub fn usage(what: impl Display, hint: impl Into<String>) -> Self {
        Self::Usage { what: what.to_string(), hint: hint.into() }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Client(ClientError::Unreachable { .. } | ClientError::Unanswered { .. }) => exit::UNREACHABLE,
            Self::Client(ClientError::Problem { problem }) => match problem.status {
                401 | 403 => exit::NOT_ALLOWED,
                _ => exit::FAILED,
            },
            Self::Client(
                ClientError::Address { .. }
                | ClientError::Token
                | ClientError::Unsendable { .. }
                | ClientError::File { .. },
            ) => exit::USAGE,
            Self::Client(ClientError::Unexpected { .. } | ClientError::Tls { .. }) => exit::FAILED,
            Self::Usage { .. } | Self::Mistakes { .. } => exit::USAGE,
            Self::EndedBadly { exit_code, .. } => *exit_code,
            Self::TimedOut { .. } => exit::TIMED_OUT,
            Self::Lost { .. }
            | Self::BrokeOff { .. }
            | Self::Tool { .. }
            | Self::Elsewhere(_)
            | Self::Damaged { .. } => exit::FAILED,
            Self::Host { .. } => exit::HOST_FAILED,
        }
    }

    /// For a person; empty where the output has said it all.
    pub fn shown(&self, look: &Look) -> String {
        let sentence = match self {
            Self::Mistakes { shown, .. } => return shown.clone(),
            Self::EndedBadly { .. } => return String::new(),
            Self::Client(error) => error.to_string(),
            Self::Elsewhere(error) => error.to_string(),
            Self::Usage { what, .. }
            | Self::TimedOut { what, .. }
            | Self::Lost { what, .. }
            | Self::BrokeOff { what, .. }
            | Self::Tool { what, .. }
            | Self::Damaged { what }
            | Self::Host { what, .. } => what.clone(),
        };
        // Much of it was typed by others.
        let lines: Vec<String> = sentence.lines().map(printable).collect();
        let mut shown = format!("{} {}", look.paint(Tone::Bad, "error:"), lines.join("\n"));
        let hint = self.hint();
        if !hint.is_empty() {
            shown.push_str(&format!("\n{} {hint}", look.quiet(" hint:")));
        }
        shown
    }

    fn hint(&self) -> &str {
        match self {
            Self::Client(ClientError::Unreachable { url, .. }) if is_here(url) => {
                "start it with `lockgate serve`, or name another host with --url or LOCKGATE_URL"
            }
            Self::Client(ClientError::Unreachable { .. }) => "is --url or LOCKGATE_URL right?",
            Self::Client(ClientError::Unanswered { .. }) => {
                "it may have been done all the same: look before you do it again; a trigger with the same --idempotency-key is done once"
            }
            Self::Client(ClientError::Problem { problem }) if problem.status == 401 => {
                "pass a token with LOCKGATE_TOKEN or --token; a new host writes its first one to `admin-token` in its data folder"
            }
            Self::Client(
                ClientError::Problem { .. }
                | ClientError::Address { .. }
                | ClientError::Token
                | ClientError::Unsendable { .. }
                | ClientError::Unexpected { .. }
                | ClientError::File { .. }
                | ClientError::Tls { .. },
            )
            | Self::Mistakes { .. }
            | Self::EndedBadly { .. }
            | Self::Damaged { .. } => "",
            Self::Elsewhere(error) => error.hint(),
            Self::Usage { hint, .. }
            | Self::TimedOut { hint, .. }
            | Self::Lost { hint, .. }
            | Self::BrokeOff { hint, .. }
            | Self::Tool { hint, .. }
            | Self::Host { hint, .. } => hint,
        }
    }

    /// For a script, with `--json`.
    pub fn told(&self) -> Told<'_> {
        Told { problem: self.problem(), hint: self.hint() }
    }

    /// What the host said, or the same shape for what it was never asked.
    fn problem(&self) -> Problem {
        let (code, title, detail) = match self {
            Self::Client(ClientError::Problem { problem }) => return Problem::clone(problem),
            Self::Client(error @ ClientError::Unreachable { .. }) => ("unreachable", "No answer", error.to_string()),
            Self::Client(error @ ClientError::Unanswered { .. }) => ("unanswered", "No answer", error.to_string()),
            Self::Client(error @ ClientError::Unexpected { .. }) => ("unexpected", "Not an answer", error.to_string()),
            Self::Client(error @ ClientError::Address { .. }) => ("bad-address", "Not an address", error.to_string()),
            Self::Client(error @ ClientError::Token) => ("bad-token", "Not a token", error.to_string()),
            Self::Client(error @ ClientError::Unsendable { .. }) => ("unsendable", "Not sent", error.to_string()),
            Self::Client(error @ ClientError::File { .. }) => ("unreadable-file", "File not read", error.to_string()),
            Self::Client(error @ ClientError::Tls { .. }) => ("tls", "No TLS", error.to_string()),
            Self::Usage { what, .. } => ("usage", "Wrong command", what.clone()),
            Self::Mistakes { mistakes, .. } => {
                let plural = if mistakes.len() == 1 { "" } else { "s" };
                let detail = format!("the project file has {} mistake{plural}", mistakes.len());
                ("invalid-project-file", "Mistakes in the project file", detail)
            }
            Self::EndedBadly { status, .. } => ("ended-badly", "It did not succeed", format!("it ended {status}")),
            Self::TimedOut { what, .. } => ("timed-out", "Not ended in time", what.clone()),
            Self::Lost { what, .. } => ("lost", "Done, and not handed over", what.clone()),
            Self::BrokeOff { what, .. } => ("broke-off", "Not done", what.clone()),
            Self::Tool { what, .. } => ("not-built", "Not built", what.clone()),
            Self::Elsewhere(error) => ("elsewhere", "Not fetched, or not pushed", error.to_string()),
            Self::Damaged { what } => ("damaged", "Not whole", what.clone()),
            Self::Host { what, .. } => ("host-failed", "The host cannot run", what.clone()),
        };
        let mistakes = match self {
            Self::Mistakes { mistakes, .. } => mistakes.clone(),
            _ => Vec::new(),
        };
        let problem_type = format!("urn:lockgate:problem:{code}");
        Problem { problem_type, title: title.to_owned(), status: 0, detail, code: code.to_owned(), mistakes }
    }
}

#[derive(Debug, Serialize)]
pub struct Told<'a> {
    #[serde(flatten)]
    problem: Problem,
    /// What to do about it.
    #[serde(skip_serializing_if = "str::is_empty")]
    hint: &'a str,
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;

    fn refused(status: u16, detail: &str) -> CliError {
        let problem = Problem { status, detail: detail.to_owned(), ..Problem::default() };
        CliError::Client(ClientError::Problem { problem: Box::new(problem) })
    }

    fn unreachable() -> CliError {
        unreachable_at("http://127.0.0.1:7440/")
    }

    fn unreachable_at(url: &str) -> CliError {
        let url = url.parse().unwrap();
        CliError::Client(ClientError::Unreachable { url, cause: "Connection refused (os error 111)".to_owned() })
    }

    fn unanswered() -> CliError {
        let url = "http://127.0.0.1:7440/".parse().unwrap();
        CliError::Client(ClientError::Unanswered { url, cause: "it took too long".to_owned() })
    }

    #[test]
    fn every_kind_of_failure_has_its_exit_code() {
        let table = [
            (refused(404, ""), 1),
            (refused(422, ""), 1),
            (refused(500, ""), 1),
            (refused(401, ""), 4),
            (refused(403, ""), 4),
            (unreachable(), 3),
            (unanswered(), 3),
            (CliError::Client(ClientError::Token), 2),
            (CliError::Client(ClientError::Unsendable { cause: String::new() }), 2),
            (CliError::usage("no", ""), 2),
            (CliError::Tool { what: String::new(), hint: String::new() }, 1),
            (CliError::Mistakes { shown: String::new(), mistakes: vec![] }, 2),
            (CliError::EndedBadly { exit_code: 1, status: "FAILED".to_owned() }, 1),
            (CliError::TimedOut { what: String::new(), hint: String::new() }, 5),
            (CliError::Lost { what: String::new(), hint: String::new() }, 1),
            (CliError::BrokeOff { what: String::new(), hint: String::new() }, 1),
            (ElsewhereError::Tls { cause: String::new() }.into(), 1),
            (CliError::Damaged { what: String::new() }, 1),
            (CliError::Host { what: String::new(), hint: String::new() }, 70),
        ];
        for (error, code) in table {
            assert_eq!(error.exit_code(), code, "{error:?}");
        }
    }

    #[test]
    fn an_error_is_one_sentence_and_a_hint() {
        let shown = [
            unreachable(),
            unreachable_at("http://lockgate.example:7440/"),
            unanswered(),
            refused(404, "there is no project `shp`; there are: shop"),
        ]
        .map(|e| e.shown(&look()));
        expect![[r#"
            error: no answer from http://127.0.0.1:7440/: Connection refused (os error 111)
             hint: start it with `lockgate serve`, or name another host with --url or LOCKGATE_URL
            error: no answer from http://lockgate.example:7440/: Connection refused (os error 111)
             hint: is --url or LOCKGATE_URL right?
            error: http://127.0.0.1:7440/ took the request and did not answer: it took too long
             hint: it may have been done all the same: look before you do it again; a trigger with the same --idempotency-key is done once
            error: there is no project `shp`; there are: shop"#]]
        .assert_eq(&shown.join("\n"));
    }

    #[test]
    fn what_others_typed_does_not_reach_the_terminal_raw() {
        let shown = refused(404, "no `\u{202e}x\u{1b}[2J`\nnext line").shown(&look());
        assert_eq!(shown, "error: no `\u{fffd}x\u{fffd}[2J`\nnext line");
    }

    #[test]
    fn a_script_gets_the_same_shape_for_what_the_host_was_never_asked() {
        let problem = serde_json::to_string(&unreachable().told()).unwrap();
        expect![[r#"{"type":"urn:lockgate:problem:unreachable","title":"No answer","status":0,"detail":"no answer from http://127.0.0.1:7440/: Connection refused (os error 111)","code":"unreachable","hint":"start it with `lockgate serve`, or name another host with --url or LOCKGATE_URL"}"#]]
        .assert_eq(&problem);
        let hint = |status| serde_json::to_value(refused(status, "no").told()).unwrap().get("hint").cloned();
        assert!(
            hint(401).is_some_and(|hint| hint.as_str().unwrap().contains("LOCKGATE_TOKEN")),
            "what the host said has one, too"
        );
        assert_eq!(hint(404), None, "there is nothing to do");
    }
}
