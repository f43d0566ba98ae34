//! `oci://registry/repository:tag@sha256:...`: a place in a registry.

use std::fmt;
use std::str::FromStr;

use lockgate_core::digest::Digest;
use url::Url;

const SCHEME: &str = "oci://";
const LONGEST: usize = 512;
const LONGEST_TAG: usize = 128;

/// Names a tag, a digest, or both: then the digest counts, and the tag is what it once was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// With its port.
    pub registry: String,
    pub repository: String,
    pub tag: Option<String>,
    pub digest: Option<Digest>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no place in a registry, such as oci://registry.example/plugins/notify:v1: {why}")]
pub struct InvalidReference {
    text: String,
    why: &'static str,
}

impl Reference {
    /// This very manifest.
    pub fn at(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// What the last part of the repository calls it.
    pub fn name(&self) -> &str {
        self.repository.rsplit_once('/').map_or(self.repository.as_str(), |(_, name)| name)
    }

    /// The first part of every path of its API.
    pub fn base(&self, scheme: &str) -> Option<Url> {
        // Docker's own registry answers elsewhere than its name says.
        let registry = if self.registry == "docker.io" { "registry-1.docker.io" } else { &self.registry };
        format!("{scheme}://{registry}/v2/{}/", self.repository).parse().ok()
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        let invalid = |why| InvalidReference { text: text.chars().take(200).collect(), why };
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| invalid("it does not begin with oci://"))?;
        if rest.len() > LONGEST {
            return Err(invalid("it is too long"));
        }
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => {
                let digest = digest.parse().map_err(|_| invalid("behind the `@` is no `sha256:` and 64 hex digits"))?;
                (rest, Some(digest))
            }
            None => (rest, None),
        };
        let (registry, path) = rest.split_once('/').ok_or_else(|| invalid("it names no repository"))?;
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
            None => (path, None),
        };
        if !is_registry(registry) {
            return Err(invalid("its registry is not HOST or HOST:PORT"));
        }
        if !repository.split('/').all(is_part) {
            return Err(invalid("a repository has a-z, 0-9, `.`, `_`, `-` and `/`"));
        }
        if tag.as_deref().is_some_and(|tag| !is_tag(tag)) {
            return Err(invalid("a tag has 1 to 128 of A-Z, a-z, 0-9, `.`, `_` and `-`"));
        }
        if tag.is_none() && digest.is_none() {
            return Err(invalid("it names no tag and no digest"));
        }
        Ok(Self { registry: registry.to_ascii_lowercase(), repository: repository.to_owned(), tag, digest })
    }
}

fn is_registry(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
    let parsed = format!("https://{text}/").parse::<Url>();
    !text.is_empty() && text.bytes().all(allowed) && parsed.is_ok_and(|url| url.has_host())
}

/// No `..`, nothing hidden: it becomes part of a path.
fn is_part(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let (first, last) = (text.bytes().next(), text.bytes().last());
    text.bytes().all(|b| plain(b) || b"._-".contains(&b)) && first.is_some_and(plain) && last.is_some_and(plain)
}

fn is_tag(text: &str) -> bool {
    (1..=LONGEST_TAG).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        && !text.starts_with(['.', '-'])
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_what_it_prints() {
        let digest = Digest::of(b"manifest");
        let all = [
            "oci://registry.example/notify:v1".to_owned(),
            format!("oci://127.0.0.1:5000/a/b/c-d@{digest}"),
            format!("oci://[::1]:5000/a__b/c.d:latest@{digest}"),
        ];
        for text in all {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_tag_that_was_resolved_names_both() {
        let reference: Reference = "oci://Registry.example/team/notify:v1".parse().unwrap();
        let digest = Digest::of(b"manifest");
        assert_eq!(reference.at(digest).to_string(), format!("oci://registry.example/team/notify:v1@{digest}"));
        assert_eq!(reference.name(), "notify");
        assert_eq!(reference.base("https").unwrap().as_str(), "https://registry.example/v2/team/notify/");
    }

    #[test]
    fn what_could_lead_elsewhere_is_refused() {
        for wrong in [
            "registry.example/a:v1",
            "oci://registry.example",
            "oci://registry.example/a",
            "oci://registry.example/a:",
            "oci://registry.example/:v1",
            "oci://user@registry.example/a:v1",
            "oci://registry.example/../a:v1",
            "oci://registry.example/a//b:v1",
            "oci://registry.example/A:v1",
            "oci://registry.example/a:v1?x=y",
            "oci://registry.example/a:v/1",
            "oci://registry.example:port/a:v1",
            "oci:///a:v1",
            "oci://registry.example/a@sha256:00",
            "oci://registry.example/a@md5:00",
        ] {
            assert!(wrong.parse::<Reference>().is_err(), "{wrong}");
        }
    }
}
