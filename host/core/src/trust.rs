//! Whose signatures count for which plugins, and where a plugin came from. Nothing here verifies a signature: that was
//! done before the command came in.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{Actor, Name, Timestamp};

/// Of keys, and of rules: whoever adds a signed plugin has it verified against each key.
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

/// A key whose owner an administrator believes, for some plugins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrustedKey {
    pub key: PublicKey,
    pub plugins: BTreeSet<NamePattern>,
    pub by: Actor,
    pub at: Timestamp,
}

impl TrustedKey {
    pub fn fits(&self, plugin: &Name) -> bool {
        self.plugins.iter().any(|pattern| pattern.fits(plugin))
    }
}

/// That a component was signed, as the host found it when the component was added. Kept so that anybody can look again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signed {
    /// What the key was called then.
    pub name: Name,
    pub key: PublicKey,
    pub signature: Signature,
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

    #[test]
    fn a_source_is_short_and_obeyed_by_no_terminal() {
        let source = |text: &str| Source::try_from(text.to_owned());
        assert_eq!(source("notify.wasm").unwrap().as_str(), "notify.wasm");
        for wrong in ["", "a\u{1b}[2J", "a\nb", &"x".repeat(LONGEST_SOURCE + 1)] {
            assert_eq!(source(wrong), Err(InvalidSource), "{wrong:?}");
        }
    }
}
