//! Whose signatures count for which plugins, and where a plugin came from. Nothing here verifies a signature: that was
//! done before the command came in.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, InvalidDigest};
use crate::name::{Actor, Name, Timestamp};

/// Of signers, of rules, and of signatures that a plugin has: whoever adds a signed plugin has it verified against each
/// key and each trusted root.
pub const MOST: usize = 100;

/// Plugin names: `*` stands for any characters, also for none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NamePattern(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a pattern of plugin names: use 1 to 63 of a-z, 0-9, `-` and `*`, such as `deploy-*`")]
pub struct InvalidPattern(String);

impl NamePattern {
    pub fn fits(&self, name: &Name) -> bool {
        let (first, rest) = self.0.split_once('*').map_or((self.0.as_str(), None), |(first, rest)| (first, Some(rest)));
        let Some(rest) = rest else { return first == name.as_str() };
        let Some(mut left) = name.as_str().strip_prefix(first) else { return false };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        // The earliest place of each part leaves the most for those behind it.
        for part in middle.split('*') {
            let Some((_, behind)) = left.split_once(part) else { return false };
            left = behind;
        }
        left.ends_with(last)
    }
}

impl FromStr for NamePattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'*';
        let good = (1..=63).contains(&text.len()) && text.bytes().all(allowed);
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidPattern(text.chars().take(80).collect())) }
    }
}

impl TryFrom<String> for NamePattern {
    type Error = InvalidPattern;

    fn try_from(text: String) -> Result<Self, InvalidPattern> {
        text.parse()
    }
}

impl From<NamePattern> for String {
    fn from(pattern: NamePattern) -> String {
        pattern.0
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Bytes of ed25519, written as hex digits.
macro_rules! ed25519 {
    ($(#[$about:meta])* $type:ident, $bytes:literal, $what:literal) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type([u8; $bytes]);

        impl $type {
            pub fn new(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            pub fn bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let mut bytes = [0; $bytes];
                let expected = |_| concat!($what, " has ", stringify!($bytes), " bytes, in hex digits").to_owned();
                hex::decode_to_slice(&text, &mut bytes).map_err(expected)?;
                Ok(Self(bytes))
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> String {
                hex::encode(value.0)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}
ed25519!(PublicKey, 32, "a public key");
ed25519!(
    /// Over all bytes of a component.
    Signature,
    64,
    "a signature"
);

/// To whom a sigstore certificate must be made out, such as `ann@example.com` or
/// `https://github.com/acme/deploy/.github/workflows/release.yml@refs/tags/v*`.
///
/// Exact, but for one `*` at the end that stands for the rest of a branch or tag. Anywhere else it would let strangers
/// in: they choose the names of their accounts, repositories and files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IdentityPattern(String);

/// Who says in a sigstore certificate that its owner is who it names, such as `https://token.actions.githubusercontent.com`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Issuer(String);

/// Of an identity and of its issuer, in bytes.
pub const LONGEST_IDENTITY: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    #[error("an identity is what a certificate is made out to, in 1 to {LONGEST_IDENTITY} bytes without spaces")]
    Length,
    #[error(
        "an identity is exact; `*` may only stand at the end, for the rest of a branch or tag, as in `https://github.com/acme/deploy/.github/workflows/release.yml@refs/tags/v*`"
    )]
    Pattern,
    #[error(
        "an issuer is a URL such as `https://token.actions.githubusercontent.com`, exactly as certificates have it"
    )]
    Issuer,
}

impl IdentityPattern {
    pub fn fits(&self, identity: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => identity.starts_with(beginning),
            None => identity == self.0,
        }
    }
}

impl Issuer {
    pub fn is(&self, issuer: &str) -> bool {
        self.0 == issuer
    }
}

fn is_one_word(text: &str) -> bool {
    let bad = |c: char| c.is_control() || c.is_whitespace();
    (1..=LONGEST_IDENTITY).contains(&text.len()) && !text.contains(bad)
}

impl TryFrom<String> for IdentityPattern {
    type Error = InvalidIdentity;

    fn try_from(text: String) -> Result<Self, InvalidIdentity> {
        if !is_one_word(&text) {
            return Err(InvalidIdentity::Length);
        }
        let exact = text.strip_suffix('*').unwrap_or(&text);
        let is_of_one_workflow =
            ["@refs/heads/", "@refs/tags/"].iter().any(|of| exact.starts_with("https://") && exact.contains(of));
        let good = !exact.contains('*') && (exact.len() == text.len() || is_of_one_workflow);
        if good { Ok(Self(text)) } else { Err(InvalidIdentity::Pattern) }
    }
}

impl TryFrom<String> for Issuer {
    type Error = InvalidIdentity;

    fn try_from(text: String) -> Result<Self, InvalidIdentity> {
        let is_url =
            text.split_once("://").is_some_and(|(scheme, rest)| scheme.starts_with("http") && !rest.is_empty());
        if is_one_word(&text) && is_url { Ok(Self(text)) } else { Err(InvalidIdentity::Issuer) }
    }
}

impl From<IdentityPattern> for String {
    fn from(identity: IdentityPattern) -> String {
        identity.0
    }
}

impl From<Issuer> for String {
    fn from(issuer: Issuer) -> String {
        issuer.0
    }
}

impl fmt::Display for IdentityPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The keys of a sigstore deployment: who is vouched for by one is nobody to another, whatever certificates say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Root {
    /// Sigstore's own, which comes with this program and changes with it.
    Public,
    /// By the digest of its `trusted_root.json`.
    Own(Digest),
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Root::Public => f.write_str("sigstore.dev"),
            Root::Own(digest) => write!(f, "{digest}"),
        }
    }
}

impl TryFrom<String> for Root {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        if text == "sigstore.dev" { Ok(Root::Public) } else { text.parse().map(Root::Own) }
    }
}

impl From<Root> for String {
    fn from(root: Root) -> String {
        root.to_string()
    }
}

/// Whom an administrator believes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Signer {
    Key { key: PublicKey },
    Identity(TrustedIdentity),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustedIdentity {
    pub identity: IdentityPattern,
    pub issuer: Issuer,
    pub root: Root,
}

impl Signer {
    pub fn made(&self, signed: &Signed) -> bool {
        match (self, signed) {
            (Signer::Key { key }, Signed::ByKey { key: by, .. }) => key == by,
            (Signer::Identity(trusted), Signed::Attested { attested, .. }) => {
                trusted.is_named(attested) && attested.roots.contains(&trusted.root)
            }
            (Signer::Key { .. }, Signed::Attested { .. }) | (Signer::Identity(_), Signed::ByKey { .. }) => false,
        }
    }
}

impl TrustedIdentity {
    /// Whoever vouches for it.
    pub fn is_named(&self, attested: &Attested) -> bool {
        self.identity.fits(&attested.identity) && self.issuer.is(&attested.issuer)
    }
}

/// A signer whom an administrator believes, for some plugins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trusted {
    pub signer: Signer,
    pub plugins: BTreeSet<NamePattern>,
    pub by: Actor,
    pub at: Timestamp,
}

impl Trusted {
    pub fn fits(&self, plugin: &Name) -> bool {
        self.plugins.iter().any(|pattern| pattern.fits(plugin))
    }
}

/// That a component was signed, as the host found it when the component was added. Kept so that anybody can look again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Signed {
    ByKey {
        /// What the key was called then.
        name: Name,
        key: PublicKey,
        signature: Signature,
    },
    Attested {
        #[serde(flatten)]
        attested: Attested,
        /// Of the sigstore bundle, which is kept as an artifact is.
        bundle: Digest,
    },
}

/// Who a sigstore bundle says has signed, and by whose keys that is verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attested {
    pub identity: String,
    pub issuer: String,
    pub roots: BTreeSet<Root>,
}

impl Signed {
    /// Whether this says nothing that the other does not.
    pub fn is_in(&self, other: &Signed) -> bool {
        match (self, other) {
            (Signed::ByKey { key, .. }, Signed::ByKey { key: known, .. }) => key == known,
            (Signed::Attested { attested, .. }, Signed::Attested { attested: known, .. }) => {
                (&attested.identity, &attested.issuer) == (&known.identity, &known.issuer)
                    && attested.roots.is_subset(&known.roots)
            }
            (Signed::ByKey { .. }, Signed::Attested { .. }) | (Signed::Attested { .. }, Signed::ByKey { .. }) => false,
        }
    }
}

impl fmt::Display for Attested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`, vouched for by {}", self.identity, self.issuer)
    }
}

/// Why plugins of some names are approved with a signature only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignatureRule {
    pub reason: String,
    pub by: Actor,
    pub at: Timestamp,
}

/// Where a component came from, in the words of whoever added it: a file's name, a URL, or a reference to a registry.
/// Nobody has checked that it is true.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Source(String);

/// In bytes.
pub const LONGEST_SOURCE: usize = 1024;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a source has 1 to {LONGEST_SOURCE} bytes and no control characters")]
pub struct InvalidSource;

impl Source {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Source {
    type Error = InvalidSource;

    fn try_from(text: String) -> Result<Self, InvalidSource> {
        let good = (1..=LONGEST_SOURCE).contains(&text.len()) && !text.contains(char::is_control);
        if good { Ok(Self(text)) } else { Err(InvalidSource) }
    }
}

impl From<Source> for String {
    fn from(source: Source) -> String {
        source.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_whole_names() {
        let table = [
            ("notify", "notify", true),
            ("notify", "notify-x", false),
            ("*", "anything", true),
            ("deploy-*", "deploy-web", true),
            ("deploy-*", "deploy", false),
            ("deploy-*", "x-deploy-web", false),
            ("*-gate", "error-gate", true),
            ("*-gate", "error-gate-2", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "acb", false),
            ("a*bb*b", "abbb", true),
            ("a*bb*b", "abb", false),
            ("*a*", "bab", true),
            ("*a*", "bbb", false),
            ("**", "x", true),
        ];
        for (pattern, name, fits) in table {
            let pattern: NamePattern = pattern.parse().unwrap();
            assert_eq!(pattern.fits(&name.parse().unwrap()), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn a_pattern_can_only_be_of_names() {
        for wrong in ["", "Deploy", "a?", "a b", "[a]", &"a".repeat(64)] {
            assert!(wrong.parse::<NamePattern>().is_err(), "{wrong}");
        }
    }

    fn identity(text: &str) -> Result<IdentityPattern, InvalidIdentity> {
        IdentityPattern::try_from(text.to_owned())
    }

    #[test]
    fn an_identity_is_exact_but_for_the_end_of_its_branch_or_tag() {
        let tags = "https://github.com/acme/deploy/.github/workflows/release.yml@refs/tags/*";
        let table = [
            ("ann@example.com", "ann@example.com", true),
            ("ann@example.com", "ann@example.com.evil.example", false),
            ("ann@example.com", "joann@example.com", false),
            (tags, "https://github.com/acme/deploy/.github/workflows/release.yml@refs/tags/v1", true),
            (tags, "https://github.com/acme/deploy/.github/workflows/release.yml@refs/heads/main", false),
            (tags, "https://github.com/acme/deploy/.github/workflows/other.yml@refs/tags/v1", false),
            (tags, "https://github.com/acme-evil/deploy/.github/workflows/release.yml@refs/tags/v1", false),
            (tags, "x https://github.com/acme/deploy/.github/workflows/release.yml@refs/tags/v1", false),
        ];
        for (pattern, found, fits) in table {
            assert_eq!(identity(pattern).unwrap().fits(found), fits, "{pattern} {found}");
        }
    }

    #[test]
    fn a_pattern_lets_no_stranger_choose_a_name_that_fits() {
        let refused = [
            "*",
            "ann@*",
            "*@example.com",
            "ann@refs/heads/*",
            "https://github.com/acme/*",
            "https://github.com/acme*",
            "https://github.com/acme/deploy/.github/workflows/*@refs/heads/main",
            "https://github.com/acme/deploy/.github/workflows/*@refs/heads/*",
            "https://github.com/acme/deploy/.github/workflows/release.yml@*",
            "https://github.com/acme/deploy/.github/workflows/release.yml@refs/*",
            "https://github.com/acme/deploy/.github/workflows/release.yml@refs/pull/*",
        ];
        for pattern in refused {
            assert_eq!(identity(pattern), Err(InvalidIdentity::Pattern), "{pattern}");
        }
        for pattern in ["", "a b", "a\n", &"a".repeat(LONGEST_IDENTITY + 1)] {
            assert_eq!(identity(pattern), Err(InvalidIdentity::Length), "{pattern}");
        }
        for issuer in ["", "token.actions.githubusercontent.com", "https://", "https://a b", "ftp://a.example"] {
            assert_eq!(Issuer::try_from(issuer.to_owned()), Err(InvalidIdentity::Issuer), "{issuer}");
        }
    }

    #[test]
    fn a_source_is_short_and_obeyed_by_no_terminal() {
        let source = |text: &str| Source::try_from(text.to_owned());
        assert_eq!(source("notify.wasm").unwrap().as_str(), "notify.wasm");
        for wrong in ["", "a\u{1b}[2J", "a\nb", &"x".repeat(LONGEST_SOURCE + 1)] {
            assert_eq!(source(wrong), Err(InvalidSource), "{wrong:?}");
        }
    }
}
