//! `lockgate token`: who may use the host.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, or_dash, printable};
use crate::cli::session::Session;
use crate::wire::{NewToken, Page, Token};

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make one, and print its secret, this once.
    Create(CreateArgs),
    /// All tokens, without their secrets.
    List,
    /// Refuse it from now on.
    Revoke {
        /// Of the token, as `lockgate token list` shows it.
        name: String,
    },
}

#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Names the token, such as `ci` or `ann-laptop`.
    name: String,
    /// The person behind it: what approvals and the audit log show.
    #[arg(long)]
    person: String,
    /// A group the person answers for. May be given more than once.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// `member` when left out.
    #[arg(long, value_parser = ["viewer", "member", "admin"])]
    role: Option<String>,
}

impl TokenCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let Session { client, out } = session;
        match self {
            TokenCommand::Create(args) => {
                let token = client.create_token(&args.wire()).await?;
                // The secret alone on standard output, so that it can go straight to where it is kept.
                out.note(&format!(
                    "token {} of {}, role {}; its secret is shown only now:",
                    token.name, token.person, token.role
                ));
                let written = out.try_answer(&token, |_, token| token.secret.clone().unwrap_or_default());
                written.map_err(|error| secret_is_lost(&token.name, &error))?;
            }
            TokenCommand::List => out.answer(&client.tokens().await?, list),
            TokenCommand::Revoke { name } => {
                client.revoke_token(&name).await?;
                out.answer(&json!({ "name": name, "revoked": true }), |_, _| format!("token {name} is revoked"));
            }
        }
        Ok(())
    }
}

impl CreateArgs {
    fn wire(self) -> NewToken {
        let Self { name, person, groups, role } = self;
        NewToken { name, person, groups, role }
    }
}

/// The token works all the same, and nobody has its secret.
fn secret_is_lost(name: &str, error: &std::io::Error) -> CliError {
    CliError::Lost {
        what: format!("token {name} was made, but its secret could not be written: {error}"),
        hint: format!("revoke it with `lockgate token revoke {name}`, and make another one under another name"),
    }
}

fn list(look: &Look, page: &Page<Token>) -> String {
    let row = |token: &Token| {
        vec![
            token.name.clone(),
            printable(&token.person),
            token.role.clone(),
            or_dash(token.groups.join(", ")),
            look.relative(&token.created_at),
            if token.revoked { "revoked" } else { "" }.to_owned(),
        ]
    };
    look.table(&["NAME", "PERSON", "ROLE", "GROUPS", "CREATED", ""], page.items.iter().map(row))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;

    #[test]
    fn a_list_of_tokens_never_has_room_for_a_secret() {
        let token = |name: &str, revoked| Token {
            name: name.to_owned(),
            person: "ann".to_owned(),
            groups: vec!["operators".to_owned(), "dba".to_owned()],
            role: "member".to_owned(),
            created_at: "2026-03-14T06:30:00Z".to_owned(),
            revoked,
            secret: Some("lg_secret".to_owned()),
        };
        let page = Page { items: vec![token("ann-laptop", false), token("old", true)], next: None };
        expect![[r#"
            NAME        PERSON  ROLE    GROUPS          CREATED
            ann-laptop  ann     member  operators, dba  3 h ago
            old         ann     member  operators, dba  3 h ago  revoked"#]]
        .assert_eq(&list(&look(), &page));
    }
}
