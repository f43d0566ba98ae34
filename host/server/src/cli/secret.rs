//! `lockgate secret`: values that plugins use without seeing them.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use zeroize::Zeroizing;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, or_dash};
use crate::cli::session::{Out, Session};
use crate::cli::signals::StopSignals;
use crate::driver::{MOST_VALUE_BYTES, new_key};
use crate::wire::{NewSecret, Page, Secret};

#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Keep a value under this name; one that is there already is replaced.
    ///
    /// The value comes from standard input, or from --from-file; one line end at its end does not belong to it. At a terminal
    /// one line is asked for, and not shown.
    ///
    /// With a new value alone, a secret that is there goes on travelling where it did, for the same calls. With any of --to,
    /// --header and --for-… all of these are as given now.
    Set(SetArgs),
    /// All secrets, without their values.
    List,
    /// Forget one. A plugin that asks for it is told that there is none.
    Remove {
        /// As `lockgate secret list` shows it.
        name: String,
    },
    /// Print a new key for a host's --secret-key-file; needs no host.
    Keygen,
}

#[derive(Debug, Args)]
pub struct SetArgs {
    /// What plugins ask for it by: a-z, 0-9 and `-`.
    name: String,

    /// It may travel to this origin, such as https://api.example.com. May be given more than once; without one it can
    /// only be revealed to a plugin.
    #[arg(long = "to", value_name = "ORIGIN")]
    origins: Vec<String>,

    /// It may stand in this header; without one, in Authorization alone. Never one that the server shows to others.
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<String>,

    /// Only for calls of this project.
    #[arg(long = "for-project", value_name = "PROJECT")]
    project: Option<String>,

    /// Only for calls of this environment of the project. May be given more than once.
    #[arg(long = "for-environment", value_name = "ENVIRONMENT", requires = "project")]
    environments: Vec<String>,

    /// The file that holds the value.
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
}

impl SecretCommand {
    pub async fn run(self, session: impl FnOnce() -> Result<Session, CliError>, out: &Out) -> Result<(), CliError> {
        match self {
            SecretCommand::Set(args) => {
                args.run(&session()?).await?;
            }
            SecretCommand::List => {
                let session = session()?;
                session.out.answer(&session.client.secrets().await?, list);
            }
            SecretCommand::Remove { name } => {
                let session = session()?;
                session.client.remove_secret(&name).await?;
                session.out.answer(&json!({ "removed": name }), |_, _| format!("secret {name} is removed"));
            }
            SecretCommand::Keygen => {
                let key = new_key();
                out.answer(&json!({ "key": key.as_str() }), |_, _| key.to_string());
            }
        }
        Ok(())
    }
}

impl SetArgs {
    async fn run(self, session: &Session) -> Result<(), CliError> {
        // Nobody types a value for a host that is not there, or that takes none from them.
        session.client.secrets().await?;
        let value = self.value().await?;
        if value.is_empty() {
            return Err(CliError::usage("there is no value", "pipe it in, or name a file with --from-file"));
        }
        let kept = match self.is_value_alone() {
            // Now: to type may take long, and somebody else may have said meanwhile where it may travel.
            true => session.client.secrets().await?.items.into_iter().find(|secret| secret.name == self.name),
            false => None,
        };
        let show = if kept.is_some() { show_kept } else { show };
        let Self { name, origins, headers, project, environments, .. } = self;
        let new = match kept {
            Some(Secret { origins, headers, project, environments, .. }) => {
                NewSecret { value, origins, headers, project, environments }
            }
            None => NewSecret { value, origins, headers, project, environments },
        };
        let secret = session.client.set_secret(&name, &new).await?;
        session.out.answer(&secret, show);
        Ok(())
    }

    /// Of where it may travel and for whom nothing is said.
    fn is_value_alone(&self) -> bool {
        let Self { name: _, origins, headers, project, environments, from_file: _ } = self;
        origins.is_empty() && headers.is_empty() && project.is_none() && environments.is_empty()
    }

    async fn value(&self) -> Result<String, CliError> {
        if let Some(path) = &self.from_file {
            let read = File::open(path).and_then(value);
            return read.map_err(|error| CliError::usage(format!("cannot read {}: {error}", path.display()), ONE_TEXT));
        }
        if std::io::stdin().is_terminal() {
            return typed(&self.name).await;
        }
        value(std::io::stdin()).map_err(|error| CliError::usage(format!("cannot read the value: {error}"), ONE_TEXT))
    }
}

/// A terminal drops what is longer, and says nothing.
const MOST_TYPED_BYTES: usize = 4_000;

/// One line of the terminal that stands for standard input.
async fn typed(name: &str) -> Result<String, CliError> {
    let cannot = |error| CliError::usage(format!("cannot read the value: {error}"), "name a file with --from-file");
    // Whoever stops it must have a terminal again that shows what is typed.
    let mut signals = StopSignals::listen()?;
    let hidden = Hidden::new().map_err(|error| cannot(error.into()))?;
    eprint!("value of {name} (not shown): ");
    let (mut line, mut terminal) = (String::new(), BufReader::new(tokio::io::stdin()));
    let read = tokio::select! {
        read = terminal.read_line(&mut line) => read.map(drop).map_err(cannot),
        () = signals.next() => {
            Err(CliError::BrokeOff { what: format!("secret {name} was not set"), hint: String::new() })
        }
    };
    drop(hidden);
    eprintln!();
    read?;
    match value(line.as_bytes()) {
        Ok(value) if value.len() <= MOST_TYPED_BYTES => Ok(value),
        Ok(_) | Err(_) => {
            let what = format!("a terminal takes at most {MOST_TYPED_BYTES} bytes in a line");
            Err(CliError::usage(what, "pipe the value in, or name a file with --from-file"))
        }
    }
}

/// While it lives the terminal shows nothing of what is typed. What nobody has read by its end is gone: the rest of a value
/// of many lines is no command for a shell.
struct Hidden(Termios);

impl Hidden {
    fn new() -> rustix::io::Result<Self> {
        let shown = tcgetattr(std::io::stdin())?;
        let mut hidden = shown.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(shown))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that has gone shows nothing anyway.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}

const ONE_TEXT: &str = "a secret is a text of at most 64 KiB";

/// What an editor or `echo` ends a file with is not meant.
fn value(source: impl std::io::Read) -> std::io::Result<String> {
    let mut text = Zeroizing::new(String::new());
    source.take(MOST_VALUE_BYTES as u64 + 2).read_to_string(&mut text)?;
    let value = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    match value.len() {
        length if length > MOST_VALUE_BYTES => Err(std::io::Error::other("it is longer than that")),
        _ => Ok(value.to_owned()),
    }
}

fn show(look: &Look, secret: &Secret) -> String {
    format!("secret {}\n{}", look.strong(&secret.name), bound(secret))
}

fn show_kept(look: &Look, secret: &Secret) -> String {
    format!("secret {} has a new value, and is as before\n{}", look.strong(&secret.name), bound(secret))
}

fn bound(secret: &Secret) -> String {
    let goes = match &secret.origins[..] {
        [] => "travels nowhere: a plugin can only be shown it (--reveal-secret)".to_owned(),
        origins => format!("may travel to {}, in {}", origins.join(", "), secret.headers.join(", ")),
    };
    format!("  {goes}\n  for {}", of_whom(secret))
}

fn of_whom(secret: &Secret) -> String {
    match (&secret.project, &secret.environments[..]) {
        (None, _) => "every project".to_owned(),
        (Some(project), []) => format!("project {project}"),
        (Some(project), environments) => format!("{} of {project}", environments.join(", ")),
    }
}

fn list(look: &Look, page: &Page<Secret>) -> String {
    if page.items.is_empty() {
        return "no secrets; keep one with `lockgate secret set NAME --to ORIGIN`".to_owned();
    }
    let row = |secret: &Secret| {
        vec![
            secret.name.clone(),
            or_dash(secret.origins.join(", ")),
            of_whom(secret),
            crate::cli::look::printable(&secret.set_by),
            look.relative(&secret.set_at),
        ]
    };
    look.table(&["NAME", "TRAVELS TO", "FOR", "SET BY", "SET"], page.items.iter().map(row))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;

    #[test]
    fn a_line_end_at_the_end_is_not_part_of_a_value() {
        let read = |text: &str| value(text.as_bytes()).unwrap();
        assert_eq!(read("s3cret\n"), "s3cret");
        assert_eq!(read("s3cret\r\n"), "s3cret");
        assert_eq!(read("two\nlines\n\n"), "two\nlines\n");
        assert_eq!(read(" s "), " s ");
        assert!(value(vec![b'x'; MOST_VALUE_BYTES + 1].as_slice()).is_err());
        assert_eq!(read(&"x".repeat(MOST_VALUE_BYTES)).len(), MOST_VALUE_BYTES);
    }

    #[test]
    fn a_list_says_where_each_may_go_and_for_whom() {
        let secret = |name: &str, origins: &[&str], project: Option<&str>, environments: &[&str]| Secret {
            name: name.to_owned(),
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            headers: vec!["authorization".to_owned()],
            project: project.map(str::to_owned),
            environments: environments.iter().map(|name| (*name).to_owned()).collect(),
            set_by: "ann".to_owned(),
            set_at: "2026-03-14T06:30:00Z".to_owned(),
        };
        let items = vec![
            secret("github", &["https://api.github.com:443"], None, &[]),
            secret("signing-key", &[], Some("shop"), &["staging", "production"]),
        ];
        expect![[r#"
            NAME         TRAVELS TO                  FOR                          SET BY  SET
            github       https://api.github.com:443  every project                ann     3 h ago
            signing-key  -                           staging, production of shop  ann     3 h ago"#]]
        .assert_eq(&list(&look(), &Page { items, next: None }));
    }
}
