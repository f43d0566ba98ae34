//! From added to removed: what becomes of a plugin, and what it may do where.

use std::collections::BTreeMap;

use super::signers::missing_signature;
use super::{Duties, NarrowPlugin, Plugin, SystemChange, SystemRejection, SystemState, WidenPlugin, needed};
use crate::definition::listed;
use crate::digest::Digest;
use crate::name::{Actor, Name};
use crate::narrowing;
use crate::plugin::{Description, Grants};
use crate::trust::{self, Signed};

/// What is new of a component that somebody adds.
pub enum News {
    Plugin,
    /// It was added before, without this one.
    Signature,
    Nothing,
}

pub fn news(
    state: &SystemState,
    digest: Digest,
    description: &Description,
    signed: Option<&Signed>,
) -> Result<News, SystemRejection> {
    let Ok(name) = description.name.parse::<Name>() else {
        return Err(SystemRejection::BadPluginName { name: description.name.chars().take(80).collect() });
    };
    // Whom a bundle names is on record whoever it is; a key that nobody trusts explains nothing.
    if signed.is_some_and(|signed| matches!(signed, Signed::ByKey { .. }) && !state.counts(signed, &name)) {
        let known = state.known_keys(&name);
        return Err(SystemRejection::SignatureNotTrusted { name, known });
    }
    match (state.plugins.get(&digest), signed) {
        (None, _) => Ok(News::Plugin),
        (Some(known), Some(signed)) if !known.signatures.iter().any(|before| signed.is_in(before)) => {
            if known.signatures.len() >= trust::MOST {
                return Err(SystemRejection::TooManySignatures { name });
            }
            Ok(News::Signature)
        }
        (Some(_), _) => Ok(News::Nothing),
    }
}

pub fn approve(
    state: &SystemState,
    digest: Digest,
    grants: Grants,
    reason: String,
    duties: Duties,
    by: Actor,
) -> Result<Option<SystemChange>, SystemRejection> {
    let plugin = find(state, digest)?;
    if duties == Duties::Separate && plugin.added_by.person == by.person {
        return Err(SystemRejection::OwnPlugin { name: plugin.name.clone(), person: by.person });
    }
    if let Some(rejection) = missing_signature(state, digest, plugin) {
        return Err(rejection);
    }
    let same = plugin.approval.as_ref().is_some_and(|approval| approval.grants == grants)
        && state.active.get(&plugin.name) == Some(&digest);
    Ok((!same).then_some(SystemChange::PluginApproved { digest, grants, reason, by }))
}

pub fn retire(state: &SystemState, digest: Digest, reason: String, by: Actor) -> Result<SystemChange, SystemRejection> {
    let name = find(state, digest)?.name.clone();
    if state.active.get(&name) != Some(&digest) {
        return Err(SystemRejection::NotActive { name, digest });
    }
    Ok(SystemChange::PluginRetired { digest, reason: needed(reason)?, by })
}

pub fn remove(
    state: &SystemState,
    digest: Digest,
    pinned_by: Vec<String>,
    by: Actor,
) -> Result<SystemChange, SystemRejection> {
    let name = find(state, digest)?.name.clone();
    if state.active.get(&name) == Some(&digest) {
        return Err(SystemRejection::StillActive { name, digest });
    }
    if !pinned_by.is_empty() {
        return Err(SystemRejection::Pinned { name, digest, pinned_by });
    }
    Ok(SystemChange::PluginRemoved { digest, by })
}

pub fn narrow(state: &SystemState, narrowed: NarrowPlugin) -> Result<Option<SystemChange>, SystemRejection> {
    let NarrowPlugin { plugin, scope, grants, reason, duties, by } = narrowed;
    not_alone(state, &plugin, duties, &by)?;
    if !state.brought_by.contains_key(&plugin) {
        let known = listed(state.brought_by.keys());
        return Err(SystemRejection::UnknownPlugin { digest: format!("`{plugin}`"), known });
    }
    if !state.projects.contains_key(&scope.project) {
        let known = listed(state.projects.keys());
        return Err(SystemRejection::NarrowedNowhere { project: scope.project, known });
    }
    let narrowed = state.narrowed.get(&plugin);
    let before = narrowed.and_then(|scopes| scopes.get(&scope));
    if before.is_none() && narrowed.is_some_and(|scopes| scopes.len() >= narrowing::MOST) {
        return Err(SystemRejection::NarrowedTooOften { plugin });
    }
    if before.is_some_and(|before| before.grants == grants) {
        return Ok(None);
    }
    // What gives something back is not done without a word.
    let widens = before.is_some_and(|before| before.grants.and(&grants) != grants);
    let reason = if widens { needed(reason)? } else { reason };
    Ok(Some(SystemChange::PluginNarrowed { plugin, scope, grants, reason, by }))
}

pub fn widen(state: &SystemState, widened: WidenPlugin) -> Result<SystemChange, SystemRejection> {
    let WidenPlugin { plugin, scope, reason, duties, by } = widened;
    not_alone(state, &plugin, duties, &by)?;
    let narrowed = state.narrowed.get(&plugin);
    if narrowed.is_none_or(|scopes| !scopes.contains_key(&scope)) {
        let known = listed(narrowed.into_iter().flat_map(BTreeMap::keys));
        return Err(SystemRejection::NotNarrowed { plugin, scope, known });
    }
    Ok(SystemChange::PluginWidened { plugin, scope, reason: needed(reason)?, by })
}

/// Where duties are separate, whoever brought any version of a plugin says nowhere what it may do.
fn not_alone(state: &SystemState, plugin: &Name, duties: Duties, by: &Actor) -> Result<(), SystemRejection> {
    let brought = state.brought_by.get(plugin).is_some_and(|people| people.contains(&by.person));
    if duties == Duties::Separate && brought {
        return Err(SystemRejection::OwnPlugin { name: plugin.clone(), person: by.person.clone() });
    }
    Ok(())
}

fn find(state: &SystemState, digest: Digest) -> Result<&Plugin, SystemRejection> {
    let known = |(digest, plugin): (&Digest, &Plugin)| format!("{} ({})", plugin.name, digest.short());
    state.plugins.get(&digest).ok_or_else(|| SystemRejection::UnknownPlugin {
        digest: digest.to_string(),
        known: listed(state.plugins.iter().map(known)),
    })
}
