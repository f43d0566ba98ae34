//! Whose signatures count for which plugins, and which plugins need one.

use std::collections::BTreeSet;

use super::{Plugin, SystemChange, SystemRejection, SystemState, needed};
use crate::definition::listed;
use crate::digest::Digest;
use crate::name::{Actor, Name};
use crate::trust::{self, NamePattern, Root, Signed, Signer};

pub fn trust(
    state: &SystemState,
    name: Name,
    signer: Signer,
    plugins: BTreeSet<NamePattern>,
    by: Actor,
) -> Result<Option<SystemChange>, SystemRejection> {
    if !(1..=trust::MOST).contains(&plugins.len()) {
        return Err(SystemRejection::PatternCount { count: plugins.len() });
    }
    // Under two names it would still be trusted when somebody has removed one.
    if let Some((known, trusted)) = state.trusted.iter().find(|(_, trusted)| trusted.signer == signer) {
        let same = *known == name && trusted.plugins == plugins;
        return if same { Ok(None) } else { Err(SystemRejection::SignerKnown { name: known.clone() }) };
    }
    if state.trusted.contains_key(&name) {
        return Err(SystemRejection::SignerNameTaken { name });
    }
    if state.trusted.len() >= trust::MOST {
        return Err(SystemRejection::TooMany { what: "trusted signers" });
    }
    Ok(Some(match signer {
        Signer::Key { key } => SystemChange::KeyTrusted { name, key, plugins, by },
        Signer::Identity(who) => SystemChange::IdentityTrusted { name, who, plugins, by },
    }))
}

pub fn distrust(state: &SystemState, name: Name, reason: String, by: Actor) -> Result<SystemChange, SystemRejection> {
    let Some(trusted) = state.trusted.get(&name) else {
        let known = listed(state.trusted.keys());
        return Err(SystemRejection::UnknownSigner { name: name.to_string(), known });
    };
    let reason = needed(reason)?;
    Ok(match trusted.signer {
        Signer::Key { .. } => SystemChange::KeyDistrusted { name, reason, by },
        Signer::Identity(_) => SystemChange::IdentityDistrusted { name, reason, by },
    })
}

pub fn require(
    state: &SystemState,
    plugins: NamePattern,
    reason: String,
    by: Actor,
) -> Result<Option<SystemChange>, SystemRejection> {
    let is_known = state.signature_rules.contains_key(&plugins);
    if !is_known && state.signature_rules.len() >= trust::MOST {
        return Err(SystemRejection::TooMany { what: "rules for signatures" });
    }
    Ok((!is_known).then_some(SystemChange::SignatureRequired { plugins, reason, by }))
}

pub fn require_no_more(
    state: &SystemState,
    plugins: NamePattern,
    reason: String,
    by: Actor,
) -> Result<SystemChange, SystemRejection> {
    if !state.signature_rules.contains_key(&plugins) {
        return Err(SystemRejection::UnknownRule { plugins, known: listed(state.signature_rules.keys()) });
    }
    Ok(SystemChange::SignatureNotRequired { plugins, reason: needed(reason)?, by })
}

/// Why it cannot be approved, where a rule asks for a signature that it does not have.
pub fn missing_signature(state: &SystemState, digest: Digest, plugin: &Plugin) -> Option<SystemRejection> {
    let name = plugin.name.clone();
    let plugins = state.signature_required(&name)?.clone();
    if plugin.signatures.iter().any(|signed| state.counts(signed, &name)) {
        return None;
    }
    let found = if plugin.signatures.is_empty() {
        "it has none".to_owned()
    } else {
        let found = plugin.signatures.iter().map(|signed| not_counting(state, signed, &name));
        format!("the one it has does not count: {}", found.collect::<Vec<_>>().join("; "))
    };
    let why = format!("{found} (trusted for it now: {})", state.known_signers(&name));
    Some(SystemRejection::SignatureMissing { name, digest, plugins, why })
}

fn not_counting(state: &SystemState, signed: &Signed, plugin: &Name) -> String {
    let attested = match signed {
        Signed::ByKey { name, .. } => return format!("`{name}` is not trusted for it"),
        Signed::Attested { attested, .. } => attested,
    };
    let elsewhere = state.signers_for(plugin).find_map(|(name, trusted)| match &trusted.signer {
        Signer::Identity(who) if who.is_named(attested) => Some((name, who.root)),
        Signer::Identity(_) | Signer::Key { .. } => None,
    });
    match elsewhere {
        Some((name, root)) => {
            let verified = listed(attested.roots.iter().map(Root::to_string));
            format!(
                "{attested} is trusted as `{name}` by the keys of {root} alone, and was verified with those of {verified} (added again, it is verified with all that are known now)"
            )
        }
        None => format!("{attested} is not trusted for it"),
    }
}
