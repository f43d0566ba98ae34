//! Tokens: made with a secret that is shown once, listed without it, and revoked.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lockgate_core::system::{Role, SystemCommand, Token};

use super::Api;
use super::auth::{Admin, hash, new_secret};
use super::input::{At, Given};
use super::problem::Problem;
use super::views;
use crate::clock;
use crate::wire;

const LONGEST_NAME: usize = 200;
const MOST_GROUPS: usize = 100;

/// All tokens, without their secrets.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens",
    responses((status = 200, body = wire::Page<wire::Token>)), security(("token" = ["admin"])))]
pub async fn list(State(api): State<Api>, _reader: Admin) -> Json<wire::Page<wire::Token>> {
    let items = api.host.system.view().tokens.values().map(views::token).collect();
    Json(wire::Page { items, next: None })
}

/// Makes a token. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = wire::NewToken,
    responses((status = 201, description = "Created", body = wire::Token)), security(("token" = ["admin"])))]
pub async fn create(
    State(api): State<Api>,
    Admin(by): Admin,
    Given(new): Given<wire::NewToken>,
) -> Result<(StatusCode, Json<wire::Token>), Problem> {
    let secret = new_secret();
    let token = Token {
        role: role(new.role.as_deref())?,
        person: person(new.person)?,
        groups: groups(new.groups)?,
        name: new.name,
        secret_hash: hash(&secret),
        created_at: clock::now(),
        revoked: false,
    };
    let shown = wire::Token { secret: Some(secret), ..views::token(&token) };
    api.host.system.send(SystemCommand::CreateToken { token, by }, clock::now()).await?;
    Ok((StatusCode::CREATED, Json(shown)))
}

fn role(text: Option<&str>) -> Result<Role, Problem> {
    match text {
        None | Some("member") => Ok(Role::Member),
        Some("viewer") => Ok(Role::Viewer),
        Some("admin") => Ok(Role::Admin),
        Some(other) => {
            Err(Problem::invalid("invalid-role", format!("`{other}` is no role; there are: viewer, member, admin")))
        }
    }
}

fn person(text: String) -> Result<String, Problem> {
    if is_readable(&text) { Ok(text) } else { Err(unreadable("person")) }
}

fn groups(groups: Vec<String>) -> Result<BTreeSet<String>, Problem> {
    match groups.len() <= MOST_GROUPS && groups.iter().all(|group| is_readable(group)) {
        true => Ok(groups.into_iter().collect()),
        false => Err(unreadable("groups")),
    }
}

/// It stands in approvals and in the audit log: nobody may pass for another by what cannot be seen.
fn is_readable(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
        && text.split(' ').all(|word| !word.is_empty() && word.chars().all(is_of_a_name))
}

fn is_of_a_name(letter: char) -> bool {
    // These are letters by their class, and blank.
    let is_blank = matches!(letter, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    (letter.is_alphanumeric() && !is_blank) || "._@+-".contains(letter)
}

fn unreadable(field: &str) -> Problem {
    let detail = format!(
        "`{field}`: use letters, digits, `._@+-` and single spaces between words, at most {LONGEST_NAME} bytes each, and at most {MOST_GROUPS} groups"
    );
    Problem::invalid("invalid-body", detail)
}

/// Revokes a token: it stops working at once.
#[utoipa::path(delete, path = "/v1/tokens/{name}", tag = "tokens", params(("name" = String, Path)),
    responses((status = 204, description = "Revoked")), security(("token" = ["admin"])))]
pub async fn revoke(State(api): State<Api>, Admin(by): Admin, At(name): At<String>) -> Result<StatusCode, Problem> {
    api.host.system.send(SystemCommand::RevokeToken { name, by }, clock::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_it_looks_like() {
        for good in ["ann", "Ann Lee", "żółć", "安", "ci@example.com", "a_b+c-d.e", "देवनागरी"] {
            assert!(is_readable(good), "{good}");
        }
        let tricks = ["ann\u{200b}", "\u{202e}nna", "ann\u{a0}lee", "\u{3164}", "ann\u{ad}", "\u{feff}ann"];
        for bad in ["", " ann", "ann ", "ann  lee", "ann\tlee", "ann\n", "ann, bob", "<ann>"].into_iter().chain(tricks)
        {
            assert!(!is_readable(bad), "{bad:?}");
        }
        assert!(!is_readable(&"a".repeat(LONGEST_NAME + 1)));
    }
}
