//! Whose signatures count, and for which plugins one is needed.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lockgate_core::definition::listed;
use lockgate_core::name::Name;
use lockgate_core::system::{SystemCommand, SystemRejection, SystemState};
use lockgate_core::trust::{InvalidIdentity, NamePattern, Root, Signer, TrustedIdentity};
use lockgate_store::StoreError;

use super::Api;
use super::auth::Admin;
use super::input::{At, Given};
use super::problem::Problem;
use super::views;
use crate::driver::blocking;
use crate::sigstore::RootVerifier;
use crate::{clock, signature, sigstore, wire};

/// The signers who are trusted, and for which plugins.
#[utoipa::path(get, path = "/v1/trusted-signers", tag = "plugins",
    responses((status = 200, body = wire::Page<wire::TrustedSigner>)), security(("token" = ["viewer"])))]
pub async fn signers(State(api): State<Api>) -> Json<wire::Page<wire::TrustedSigner>> {
    let system = api.host.system.view();
    let items = system.trusted.iter().map(|(name, trusted)| views::trusted_signer(name, trusted)).collect();
    Json(wire::Page { items, next: None })
}

/// Trusts a key, or an identity of sigstore certificates: from now on its signatures count for plugins of these names.
#[utoipa::path(post, path = "/v1/trusted-signers", tag = "plugins", request_body = wire::NewTrustedSigner,
    responses((status = 201, description = "Trusted", body = wire::TrustedSigner)), security(("token" = ["admin"])))]
pub async fn trust(
    State(api): State<Api>,
    Admin(by): Admin,
    Given(new): Given<wire::NewTrustedSigner>,
) -> Result<(StatusCode, Json<wire::TrustedSigner>), Problem> {
    let wire::NewTrustedSigner { name, public_key, identity, issuer, trusted_root, plugins } = new;
    let name: Name = name.parse().map_err(|error| Problem::invalid("invalid-name", format!("the signer: {error}")))?;
    let plugins = plugins.iter().map(|plugins| pattern(plugins)).collect::<Result<BTreeSet<_>, _>>()?;
    let signer = match (public_key, identity, issuer, trusted_root) {
        (Some(pem), None, None, None) => {
            let key = signature::public_key(&pem);
            Signer::Key { key: key.map_err(|error| Problem::invalid("invalid-key", error.to_string()))? }
        }
        (None, Some(identity), Some(issuer), root) => {
            let wrong = |error: InvalidIdentity| Problem::invalid("invalid-identity", error.to_string());
            let (identity, issuer) = (identity.try_into().map_err(wrong)?, issuer.try_into().map_err(wrong)?);
            Signer::Identity(TrustedIdentity { identity, issuer, root: keys_of(&api, root).await? })
        }
        (_, _, _, _) => {
            let what = "a signer is either `public_key`, or `identity` and `issuer`, with `trusted_root` where it is not sigstore's own";
            return Err(Problem::invalid("invalid-signer", what));
        }
    };
    let trust = SystemCommand::Trust { name: name.clone(), signer, plugins, by };
    let system = api.host.system.send(trust, clock::now()).await?;
    let trusted = system.trusted.get(&name).ok_or_else(|| unknown_signer(&system, name.as_str()))?;
    Ok((StatusCode::CREATED, Json(views::trusted_signer(&name, trusted))))
}

/// A trusted root of one's own is on disk before the event that names it.
async fn keys_of(api: &Api, trusted_root: Option<String>) -> Result<Root, Problem> {
    let Some(text) = trusted_root else { return Ok(Root::Public) };
    if text.len() as u64 > sigstore::MOST_BYTES {
        return Err(Problem::too_large(sigstore::MOST_BYTES));
    }
    let blobs = api.host.store.blobs().clone();
    let written = blocking(move || match RootVerifier::of(text.as_bytes()) {
        Ok(_) => Ok(Ok(blobs.write(text.as_bytes())?)),
        Err(wrong) => Ok::<_, StoreError>(Err(wrong)),
    });
    let digest = written.await?.map_err(|error| Problem::invalid("invalid-trusted-root", error.to_string()))?;
    Ok(Root::Own(digest))
}

/// Trusts a signer no more. What is approved stays approved; what nobody else has signed cannot be approved anew where a
/// signature is required.
#[utoipa::path(post, path = "/v1/trusted-signers/{signer}/remove", tag = "plugins", params(("signer" = String, Path)),
    request_body = wire::Reason,
    responses((status = 200, body = wire::DistrustedSigner)), security(("token" = ["admin"])))]
pub async fn distrust(
    State(api): State<Api>,
    Admin(by): Admin,
    At(signer): At<String>,
    Given(wire::Reason { reason }): Given<wire::Reason>,
) -> Result<Json<wire::DistrustedSigner>, Problem> {
    let before = api.host.system.view();
    let known = signer.parse::<Name>().ok().and_then(|name| before.trusted.get_key_value(&name));
    let (name, trusted) = known.ok_or_else(|| unknown_signer(&before, &signer))?;
    let distrust = SystemCommand::Distrust { name: name.clone(), reason, by };
    let after = api.host.system.send(distrust, clock::now()).await?;
    Ok(Json(views::distrusted_signer(name, trusted, &after)))
}

/// For which plugins a signature is required.
#[utoipa::path(get, path = "/v1/signature-rules", tag = "plugins",
    responses((status = 200, body = wire::Page<wire::SignatureRule>)), security(("token" = ["viewer"])))]
pub async fn rules(State(api): State<Api>) -> Json<wire::Page<wire::SignatureRule>> {
    Json(wire::Page { items: views::signature_rules(&api.host.system.view()), next: None })
}

/// From now on plugins of these names are approved with a signature only, by a signer who is trusted for them then.
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

fn unknown_signer(system: &SystemState, name: &str) -> Problem {
    let name = name.chars().take(100).collect();
    SystemRejection::UnknownSigner { name, known: listed(system.trusted.keys()) }.into()
}
