//! Sigstore bundles over components, verified by what is here: nobody is asked. Who signed is found here; whether that
//! counts is decided elsewhere.
//!
//! `sigstore-verify` does it: the certificate's chain and its timestamp of the certificate log at the times that are
//! proven, the proof and the promise of the transparency log, and the signature over the component or over a statement
//! that names its digest. Never call it with a policy that leaves one of these out.

mod crypto;

use std::sync::LazyLock;

use lockgate_core::digest::Digest;
use lockgate_core::trust::{Attested, LONGEST_IDENTITY, Root};
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::Bundle;
use sigstore_verify::{Error, VerificationPolicy, Verifier};

use crate::printable::printable;

/// Of a bundle, and of a trusted root: both have some ten thousand.
pub const MOST_BYTES: u64 = 256 << 10;

/// Of what the crate says, which may repeat what stands in a bundle.
const LONGEST_REASON: usize = 300;

static PUBLIC: LazyLock<Authority> = LazyLock::new(|| {
    let verifier = verifier(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes());
    Authority { root: Root::Public, verifier: verifier.expect("the trusted root that is built in can be read") }
});

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    #[error(
        "this is no sigstore bundle: {0}; `cosign sign-blob FILE --bundle FILE.sigstore.json` makes one, and so do attestations of GitHub, npm and PyPI"
    )]
    NotABundle(String),
    #[error("a sigstore bundle has at most {MOST_BYTES} bytes, and this has more")]
    TooLarge,
    #[error(
        "the bundle is not of this component: {0}; the component was changed after it was signed, or the bundle belongs to another"
    )]
    OtherBytes(String),
    #[error(
        "the bundle could not be verified with {0}; a deployment of your own needs its trusted root here first: `lockgate plugin trust add --trusted-root`"
    )]
    NotVerified(String),
    #[error(
        "the certificate of the bundle names nobody: it needs an identity and an issuer of at most {LONGEST_IDENTITY} bytes each"
    )]
    Nobody,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no trusted root of sigstore: {0}; give the trusted_root.json of your deployment")]
pub struct RootError(String);

/// Vouches for certificates and log entries.
pub struct Authority {
    root: Root,
    verifier: Verifier,
}

impl Authority {
    /// Sigstore's own, as it was when this program was built.
    pub fn public() -> &'static Self {
        &PUBLIC
    }

    /// Of a `trusted_root.json`.
    pub fn of(json: &[u8]) -> Result<Self, RootError> {
        Ok(Self { root: Root::Own(Digest::of(json)), verifier: verifier(json)? })
    }
}

fn verifier(json: &[u8]) -> Result<Verifier, RootError> {
    crypto::install();
    let text = std::str::from_utf8(json).map_err(|error| RootError(error.to_string()))?;
    let wrong = |error: &dyn std::error::Error| RootError(reason(error));
    let root = TrustedRoot::from_json(text).map_err(|error| wrong(&error))?;
    let needed = [
        ("certificateAuthorities", root.certificate_authorities.is_empty()),
        ("ctlogs", root.ctlogs.is_empty()),
        ("tlogs", root.tlogs.is_empty()),
    ];
    if let Some((missing, _)) = needed.iter().find(|(_, is_empty)| *is_empty) {
        return Err(RootError(format!("it has no `{missing}`, so no bundle could be verified with it")));
    }
    Verifier::new(&root).map_err(|error| wrong(&error))
}

/// Who has signed this component, by the word of each authority that vouches for it. Blocks on the processor.
pub fn verify<'a>(
    component: &[u8],
    bundle: &[u8],
    authorities: impl IntoIterator<Item = &'a Authority>,
) -> Result<Attested, BundleError> {
    crypto::install();
    let text = std::str::from_utf8(bundle).map_err(|error| BundleError::NotABundle(error.to_string()))?;
    let parsed = Bundle::from_json(text).map_err(|error| BundleError::NotABundle(reason(&error)))?;
    let mut found: Option<Attested> = None;
    let mut refused = Vec::new();
    for Authority { root, verifier } in authorities {
        match signer(verifier, component, &parsed) {
            Ok((identity, issuer)) => {
                let attested = found.get_or_insert_with(|| Attested { identity, issuer, roots: Default::default() });
                attested.roots.insert(*root);
            }
            Err(refusal) => refused.push((root, refusal)),
        }
    }
    found.map_or_else(|| Err(why(&refused)), Ok)
}

enum Refusal {
    OtherBytes(String),
    Unproven(String),
    Nobody,
}

fn signer(verifier: &Verifier, component: &[u8], bundle: &Bundle) -> Result<(String, String), Refusal> {
    let found =
        verifier.verify(component, bundle, &VerificationPolicy::any_identity()).map_err(|error| match error {
            Error::ArtifactMismatch(_) | Error::SignatureInvalid(_) => Refusal::OtherBytes(reason(&error)),
            error => Refusal::Unproven(reason(&error)),
        })?;
    if !(found.certificate_verified() && found.sct_verified() && found.tlog_verified()) {
        return Err(Refusal::Unproven("not everything was verified".to_owned()));
    }
    let shown = |text: &str| (1..=LONGEST_IDENTITY).contains(&text.len()) && printable(text) == text;
    let identity = found.identity().map(|identity| identity.as_str().to_owned());
    match (identity, found.issuer().map(str::to_owned)) {
        (Some(identity), Some(issuer)) if shown(&identity) && shown(&issuer) => Ok((identity, issuer)),
        (_, _) => Err(Refusal::Nobody),
    }
}

/// An authority that got as far as the component knows most.
fn why(refused: &[(&Root, Refusal)]) -> BundleError {
    let mut unproven = Vec::new();
    for (root, refusal) in refused {
        match refusal {
            Refusal::OtherBytes(reason) => return BundleError::OtherBytes(reason.clone()),
            Refusal::Nobody => return BundleError::Nobody,
            Refusal::Unproven(reason) => unproven.push(format!("{root}: {reason}")),
        }
    }
    BundleError::NotVerified(unproven.join("; "))
}

fn reason(error: &dyn std::error::Error) -> String {
    printable(&error.to_string()).chars().take(LONGEST_REASON).collect()
}

#[cfg(test)]
mod tests;
