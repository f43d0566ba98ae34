//! Who is calling, and what they may: a bearer token stands for a person and a role.
//!
//! Only hashes of secrets are kept, and no secret is ever logged.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use lockgate_core::digest::Digest;
use lockgate_core::name::Actor;
use lockgate_core::system::{Role, SystemCommand, SystemState, Token};
use subtle::ConstantTimeEq;

use super::Api;
use super::problem::Problem;
use crate::clock;
use crate::driver::{Host, SystemHandle, SystemRefusal, random_hex};

/// Tells a leaked secret from other hex digits, for people and for scanners.
const PREFIX: &str = "lg_";

/// 32 random bytes.
pub fn new_secret() -> String {
    format!("{PREFIX}{}", random_hex::<32>())
}

pub fn hash(secret: &str) -> Digest {
    Digest::of(secret.as_bytes())
}

/// Before anybody has a token, nobody can make one.
pub fn needs_administrator(host: &Host) -> bool {
    host.system.view().tokens.is_empty()
}

/// The first token, of an administrator. Whoever calls this has put the secret away safely before.
pub async fn create_administrator(host: &Host, secret: &str) -> Result<(), SystemRefusal> {
    let token = Token {
        name: "admin".to_owned(),
        secret_hash: hash(secret),
        person: "admin".to_owned(),
        groups: BTreeSet::new(),
        role: Role::Admin,
        created_at: clock::now(),
        revoked: false,
    };
    let by = Actor { person: "lockgate".to_owned(), groups: BTreeSet::new(), via: "first start".to_owned() };
    host.system.send(SystemCommand::CreateToken { token, by }, clock::now()).await.map(drop)
}

/// The person behind a request.
#[derive(Debug, Clone)]
pub struct Caller {
    pub actor: Actor,
    pub role: Role,
}

/// A caller who may release, deploy and approve.
pub struct Member(pub Actor);

/// A caller who may change projects, plugins and tokens.
pub struct Admin(pub Actor);

pub async fn authenticate(State(api): State<Api>, mut request: Request, next: Next) -> Result<Response, Problem> {
    let secret = presented(&request)?;
    let caller = find_caller(&api.host.system.view(), hash(secret))?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn presented(request: &Request) -> Result<&str, Problem> {
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret =
        header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    secret.map(|(_, secret)| secret.trim()).ok_or_else(|| {
        let detail = "this needs a token: send `Authorization: Bearer lg_...`; an administrator can make one";
        Problem::new(StatusCode::UNAUTHORIZED, "token-missing", detail)
    })
}

/// Looks at every token, whether found before or not: the time it takes tells nothing about any of them.
fn find_caller(system: &SystemState, presented: Digest) -> Result<Caller, Problem> {
    let presented = presented.hex();
    let mut found = None;
    for token in system.tokens.values() {
        if token.secret_hash.hex().as_bytes().ct_eq(presented.as_bytes()).into() {
            found = Some(token);
        }
    }
    let token = found.ok_or_else(|| {
        Problem::new(
            StatusCode::UNAUTHORIZED,
            "token-unknown",
            "no token has this secret; an administrator can make one",
        )
    })?;
    if token.revoked {
        return Err(revoked(&token.name));
    }
    let actor = Actor { person: token.person.clone(), groups: token.groups.clone(), via: token.name.clone() };
    Ok(Caller { actor, role: token.role })
}

fn revoked(token: &str) -> Problem {
    let detail = format!("token `{token}` was revoked; an administrator can make another one");
    Problem::new(StatusCode::UNAUTHORIZED, "token-revoked", detail)
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let nobody = || Problem::ours("not-authenticated", "a handler asks who is calling, outside of authentication");
        parts.extensions.get().cloned().ok_or_else(nobody)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, state).await?.at_least(Role::Member).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, state).await?.at_least(Role::Admin).map(Self)
    }
}

/// Done when the token behind a request is revoked, for answers that take long.
pub async fn is_refused(caller: &Actor, system: &SystemHandle) -> Problem {
    let is_revoked = |state: &Arc<SystemState>| state.tokens.get(&caller.via).is_none_or(|token| token.revoked);
    let mut views = system.views();
    let host_is_gone = views.wait_for(is_revoked).await.is_err();
    if host_is_gone {
        // That ends answers, too.
        std::future::pending::<()>().await;
    }
    revoked(&caller.via)
}

impl Caller {
    fn at_least(self, needed: Role) -> Result<Actor, Problem> {
        if self.role >= needed {
            return Ok(self.actor);
        }
        let (needed, had) = (role_word(needed), role_word(self.role));
        let detail = format!(
            "this needs the role `{needed}`, and token `{}` of {} has `{had}`; an administrator can make another token",
            self.actor.via, self.actor.person
        );
        Err(Problem::new(StatusCode::FORBIDDEN, "role-too-low", detail))
    }
}

pub fn role_word(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Member => "member",
        Role::Admin => "admin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (new_secret(), new_secret());
        assert_eq!(one.len(), PREFIX.len() + 64);
        assert_ne!(one, other);
        assert_ne!(hash(&one), hash(&other));
    }

    #[test]
    fn a_higher_role_may_what_a_lower_one_may() {
        let caller =
            |role| Caller { actor: Actor { person: "ann".into(), groups: BTreeSet::new(), via: "ci".into() }, role };
        assert!(caller(Role::Admin).at_least(Role::Member).is_ok());
        let refused = caller(Role::Viewer).at_least(Role::Member).unwrap_err().into_wire();
        expect_test::expect![
            "this needs the role `member`, and token `ci` of ann has `viewer`; an administrator can make another token"
        ]
        .assert_eq(&refused.detail);
    }
}
