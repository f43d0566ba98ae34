//! What is known of a secret beside its value: that stands encrypted in a file of its own, never in a stream.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::name::{Actor, Name, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Of the file with the value; each value has its own.
    pub file: String,
    pub binding: Binding,
    pub set_by: Actor,
    pub set_at: Timestamp,
}

/// Where a value may travel, and for whom. To change it is to set the value again: whoever sends a secret elsewhere
/// knows it already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// In their normal form: `scheme://host:port`.
    pub origins: BTreeSet<String>,
    /// In which headers, in small letters. Empty: `authorization` alone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub headers: BTreeSet<String>,
    /// None: every project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
    /// Of that project. Empty: each of them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub environments: BTreeSet<Name>,
}

impl Binding {
    pub fn headers(&self) -> BTreeSet<String> {
        if self.headers.is_empty() { ["authorization".to_owned()].into() } else { self.headers.clone() }
    }

    /// Whether a call for this environment may have it.
    pub fn holds_for(&self, project: &str, environment: &str) -> bool {
        self.project.as_ref().is_none_or(|of| of.as_str() == project)
            && (self.environments.is_empty() || self.environments.iter().any(|of| of.as_str() == environment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_for_whom_it_was_set() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let of = |project: Option<&str>, environments: &[&str]| Binding {
            project: project.map(name),
            environments: environments.iter().copied().map(name).collect(),
            ..Binding::default()
        };
        assert!(of(None, &[]).holds_for("shop", "production"));
        assert!(of(Some("shop"), &[]).holds_for("shop", "production"));
        assert!(!of(Some("shop"), &[]).holds_for("blog", "production"));
        assert!(of(Some("shop"), &["staging", "production"]).holds_for("shop", "production"));
        assert!(!of(Some("shop"), &["staging"]).holds_for("shop", "production"));
        assert!(!of(Some("shop"), &["production"]).holds_for("blog", "production"));
    }
}
