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
use sigstore_verify::types::{Bundle, SignatureContent, Statement};
use sigstore_verify::{Error, VerificationPolicy, Verifier};

use crate::printable::printable;

/// Of a bundle, and of a trusted root: both have some ten thousand.
pub const MOST_BYTES: u64 = 256 << 10;

/// Of what the crate says, which may repeat what stands in a bundle.
const LONGEST_REASON: usize = 300;

static PUBLIC: LazyLock<RootVerifier> = LazyLock::new(|| {
    let verifier = verifier(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes());
    RootVerifier { root: Root::Public, verifier: verifier.expect("the trusted root that is built in can be read") }
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
        "the signature in the bundle cannot be verified here: {0}; sign with a key of P-256 or ed25519, or have the digest attested by a statement"
    )]
    Unsupported(String),
    #[error(
        "the bundle has an entry of a transparency log without an inclusion proof, so nobody can know that it is in there; make the bundle again with a newer cosign"
    )]
    NoProof,
    #[error(
        "the statement in the bundle says something of the component (`{0}`) and not who built, signed or published it; statements that count are: {counting}", counting = VOUCHING.join(", ")
    )]
    OtherPredicate(String),
    #[error(
        "the certificate of the bundle names nobody: it needs an identity and an issuer of at most {LONGEST_IDENTITY} bytes each"
    )]
    Nobody,
}

impl BundleError {
    /// With what else may be the reason.
    pub fn because(self, unusable: &[String]) -> Self {
        match self {
            Self::NotVerified(why) => {
                Self::NotVerified(std::iter::once(why).chain(unusable.iter().cloned()).collect::<Vec<_>>().join("; "))
            }
            other => other,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no trusted root of sigstore: {0}; give the trusted_root.json of your deployment")]
pub struct RootError(String);

/// Verifies with the keys of one trusted root.
pub struct RootVerifier {
    root: Root,
    verifier: Verifier,
}

impl RootVerifier {
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

/// Who has signed this component, and by which trusted roots that is proven. Blocks on the processor.
pub fn verify<'a>(
    component: &[u8],
    bundle: &[u8],
    roots: impl IntoIterator<Item = &'a RootVerifier>,
) -> Result<Attested, BundleError> {
    crypto::install();
    let text = std::str::from_utf8(bundle).map_err(|error| BundleError::NotABundle(error.to_string()))?;
    let parsed = Bundle::from_json(text).map_err(|error| BundleError::NotABundle(reason(&error)))?;
    let entries = &parsed.verification_material.tlog_entries;
    // An older bundle may have the log's promise alone, of which nobody but the log knows whether it was kept.
    if entries.is_empty() || entries.iter().any(|entry| entry.inclusion_proof.is_none()) {
        return Err(BundleError::NoProof);
    }
    if let SignatureContent::DsseEnvelope(envelope) = &parsed.content {
        vouches(envelope.payload.as_bytes())?;
    }
    let mut found: Option<Attested> = None;
    let mut refused = Vec::new();
    for RootVerifier { root, verifier } in roots {
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

/// Of statements, those by which somebody says that they built, signed or published what is named. A scan, a list of
/// parts, or the result of a test is also made of what nobody approves of.
const VOUCHING: [&str; 6] = [
    "https://slsa.dev/provenance/v1",
    "https://slsa.dev/provenance/v0.2",
    "https://sigstore.dev/cosign/sign/v1",
    "https://docs.pypi.org/attestations/publish/v1",
    "https://github.com/npm/attestation/tree/main/specs/publish/v0.1",
    "https://schemas.conda.org/attestations-publish-1.schema.json",
];

fn vouches(statement: &[u8]) -> Result<(), BundleError> {
    let statement: Statement =
        serde_json::from_slice(statement).map_err(|error| BundleError::NotABundle(reason(&error)))?;
    match VOUCHING.contains(&statement.predicate_type.as_str()) {
        true => Ok(()),
        false => Err(BundleError::OtherPredicate(printable(&statement.predicate_type).chars().take(200).collect())),
    }
}

enum Refusal {
    Unsupported(String),
    OtherBytes(String),
    Unproven(String),
    Nobody,
}

fn signer(verifier: &Verifier, component: &[u8], bundle: &Bundle) -> Result<(String, String), Refusal> {
    let found =
        verifier.verify(component, bundle, &VerificationPolicy::any_identity()).map_err(|error| match error {
            // The crate says so of whatever a signature cannot be verified by.
            Error::SignatureInvalid(_) if error.to_string().contains(crypto::UNSUPPORTED) => {
                Refusal::Unsupported(reason(&error))
            }
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

/// A root that got as far as the component knows most.
fn why(refused: &[(&Root, Refusal)]) -> BundleError {
    let mut unproven = Vec::new();
    for (root, refusal) in refused {
        match refusal {
            Refusal::Unsupported(reason) => return BundleError::Unsupported(reason.clone()),
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
