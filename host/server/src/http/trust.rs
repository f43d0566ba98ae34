//! Whose signatures count, and for which plugins one is needed.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lockgate_core::definition::listed;
use lockgate_core::name::Name;
use lockgate_core::system::{SystemCommand, SystemRejection, SystemState};
use lockgate_core::trust::NamePattern;

use super::Api;
use super::auth::Admin;
use super::input::{At, Given};
use super::problem::Problem;
use super::views;
use crate::{clock, signature, wire};

/// The keys that are trusted, and for which plugins.
#[utoipa::path(get, path = "/v1/trusted-keys", tag = "plugins",
    responses((status = 200, body = wire::Page<wire::TrustedKey>)), security(("token" = ["viewer"])))]
pub async fn keys(State(api): State<Api>) -> Json<wire::Page<wire::TrustedKey>> {
    let system = api.host.system.view();
    let items = system.trusted_keys.iter().map(|(name, trusted)| views::trusted_key(name, trusted)).collect();
    Json(wire::Page { items, next: None })
}

/// Trusts a key: from now on its signatures count for plugins of these names.
#[utoipa::path(post, path = "/v1/trusted-keys", tag = "plugins", request_body = wire::NewTrustedKey,
    responses((status = 201, description = "Trusted", body = wire::TrustedKey)), security(("token" = ["admin"])))]
pub async fn trust(
    State(api): State<Api>,
    Admin(by): Admin,
    Given(new): Given<wire::NewTrustedKey>,
) -> Result<(StatusCode, Json<wire::TrustedKey>), Problem> {
    let name: Name = new.name.parse().map_err(|error| Problem::invalid("invalid-name", format!("the key: {error}")))?;
    let key =
        signature::public_key(&new.public_key).map_err(|error| Problem::invalid("invalid-key", error.to_string()))?;
    let plugins = new.plugins.iter().map(|plugins| pattern(plugins)).collect::<Result<BTreeSet<_>, _>>()?;
    let trust = SystemCommand::TrustKey { name: name.clone(), key, plugins, by };
    let system = api.host.system.send(trust, clock::now()).await?;
    let trusted = system.trusted_keys.get(&name).ok_or_else(|| unknown_key(&system, name.as_str()))?;
    Ok((StatusCode::CREATED, Json(views::trusted_key(&name, trusted))))
}

/// Trusts a key no more. What is approved stays approved; what only this key has signed cannot be approved anew where
/// a signature is required.
#[utoipa::path(post, path = "/v1/trusted-keys/{key}/remove", tag = "plugins", params(("key" = String, Path)),
    request_body = wire::Reason,
    responses((status = 200, body = wire::DistrustedKey)), security(("token" = ["admin"])))]
pub async fn distrust(
    State(api): State<Api>,
    Admin(by): Admin,
    At(key): At<String>,
    Given(wire::Reason { reason }): Given<wire::Reason>,
) -> Result<Json<wire::DistrustedKey>, Problem> {
    let before = api.host.system.view();
    let known = key.parse::<Name>().ok().and_then(|name| before.trusted_keys.get_key_value(&name));
    let (name, trusted) = known.ok_or_else(|| unknown_key(&before, &key))?;
    let distrust = SystemCommand::DistrustKey { name: name.clone(), reason, by };
    let after = api.host.system.send(distrust, clock::now()).await?;
    Ok(Json(views::distrusted_key(name, trusted, &after)))
}

/// For which plugins a signature is required.
#[utoipa::path(get, path = "/v1/signature-rules", tag = "plugins",
    responses((status = 200, body = wire::Page<wire::SignatureRule>)), security(("token" = ["viewer"])))]
pub async fn rules(State(api): State<Api>) -> Json<wire::Page<wire::SignatureRule>> {
    Json(wire::Page { items: views::signature_rules(&api.host.system.view()), next: None })
}

/// From now on plugins of these names are approved with a signature only, by a key that is trusted for them then.
#[utoipa::path(post, path = "/v1/signature-rules", tag = "plugins", request_body = wire::NewSignatureRule,
    responses((status = 200, body = wire::Page<wire::SignatureRule>)), security(("token" = ["admin"])))]
pub async fn require(
    State(api): State<Api>,
    Admin(by): Admin,
    Given(wire::NewSignatureRule { plugins, reason }): Given<wire::NewSignatureRule>,
) -> Result<Json<wire::Page<wire::SignatureRule>>, Problem> {
    let require = SystemCommand::RequireSignature { plugins: pattern(&plugins)?, reason, by };
    let system = api.host.system.send(require, clock::now()).await?;
    Ok(Json(wire::Page { items: views::signature_rules(&system), next: None }))
}

/// Requires no signature any more for this pattern. Needs a reason.
#[utoipa::path(post, path = "/v1/signature-rules/remove", tag = "plugins", request_body = wire::NewSignatureRule,
    responses((status = 200, body = wire::Page<wire::SignatureRule>)), security(("token" = ["admin"])))]
pub async fn require_no_more(
    State(api): State<Api>,
    Admin(by): Admin,
    Given(wire::NewSignatureRule { plugins, reason }): Given<wire::NewSignatureRule>,
) -> Result<Json<wire::Page<wire::SignatureRule>>, Problem> {
    let stop = SystemCommand::StopRequiringSignature { plugins: pattern(&plugins)?, reason, by };
    let system = api.host.system.send(stop, clock::now()).await?;
    Ok(Json(wire::Page { items: views::signature_rules(&system), next: None }))
}

fn pattern(text: &str) -> Result<NamePattern, Problem> {
    text.parse().map_err(|error| Problem::invalid("invalid-pattern", format!("{error}")))
}

fn unknown_key(system: &SystemState, name: &str) -> Problem {
    let name = name.chars().take(100).collect();
    SystemRejection::UnknownKey { name, known: listed(system.trusted_keys.keys()) }.into()
}
