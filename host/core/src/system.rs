//! What belongs to no project: plugins and their grants, people's tokens, and the list of projects.
//!
//! One stream of its own, with the same shape as a project's: [`handle`] decides, [`SystemState::apply`] changes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::definition::listed;
use crate::digest::Digest;
use crate::name::{Actor, Name, Timestamp};
use crate::narrowing::{self, Narrowing, Scope};
use crate::plugin::{Description, Grants, Kind};
use crate::release::ApprovedPlugin;
use crate::secret::{Binding, Secret};
use crate::trust::{
    self, NamePattern, PublicKey, Root, SignatureRule, Signed, Signer, Source, Trusted, TrustedIdentity,
};
use crate::work::ProjectId;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemEvent {
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: SystemChange,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemChange {
    ProjectCreated {
        project: ProjectId,
        by: Actor,
    },
    PluginAdded {
        digest: Digest,
        kind: Kind,
        description: Box<Description>,
        size_bytes: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<Source>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed: Option<Signed>,
        by: Actor,
    },
    /// It was added before, without this signature.
    PluginSigned {
        digest: Digest,
        signed: Signed,
        by: Actor,
    },
    /// Binds digest and grants. The digest that served before under this name is pinned by older releases only.
    PluginApproved {
        digest: Digest,
        grants: Grants,
        reason: String,
        by: Actor,
    },
    /// No new release gets it any more. Those that pinned it keep it.
    PluginRetired {
        digest: Digest,
        reason: String,
        by: Actor,
    },
    /// Nothing that could still run pins it.
    PluginRemoved {
        digest: Digest,
        by: Actor,
    },
    /// Of every digest of that name, whatever it is approved for.
    PluginNarrowed {
        plugin: Name,
        scope: Scope,
        grants: Grants,
        reason: String,
        by: Actor,
    },
    PluginWidened {
        plugin: Name,
        scope: Scope,
        reason: String,
        by: Actor,
    },
    KeyTrusted {
        name: Name,
        key: PublicKey,
        plugins: BTreeSet<NamePattern>,
        by: Actor,
    },
    /// Whoever sigstore certificates are made out to by this name.
    IdentityTrusted {
        name: Name,
        who: TrustedIdentity,
        plugins: BTreeSet<NamePattern>,
        by: Actor,
    },
    /// What is approved stays approved.
    KeyDistrusted {
        name: Name,
        reason: String,
        by: Actor,
    },
    IdentityDistrusted {
        name: Name,
        reason: String,
        by: Actor,
    },
    /// From now on; what is approved stays approved.
    SignatureRequired {
        plugins: NamePattern,
        reason: String,
        by: Actor,
    },
    SignatureNotRequired {
        plugins: NamePattern,
        reason: String,
        by: Actor,
    },
    TokenCreated {
        token: Token,
        by: Actor,
    },
    TokenRevoked {
        name: String,
        by: Actor,
    },
    /// The value is in a file of its own.
    SecretSet {
        name: Name,
        file: String,
        binding: Binding,
        by: Actor,
    },
    SecretRemoved {
        name: Name,
        by: Actor,
    },
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemState {
    pub projects: BTreeMap<Name, ProjectId>,
    pub plugins: BTreeMap<Digest, Plugin>,
    /// Which digest new releases get.
    pub active: BTreeMap<Name, Digest>,
    /// Who ever added one of that name, also one that was removed.
    #[serde(default)]
    pub brought_by: BTreeMap<Name, BTreeSet<String>>,
    /// By plugin and scope: the most that it may do there.
    #[serde(default)]
    pub narrowed: BTreeMap<Name, BTreeMap<Scope, Narrowing>>,
    pub tokens: BTreeMap<String, Token>,
    #[serde(default)]
    pub secrets: BTreeMap<Name, Secret>,
    #[serde(default)]
    pub trusted: BTreeMap<Name, Trusted>,
    /// Plugins of these names are approved only with a signature by a signer who is trusted for them at that moment.
    #[serde(default)]
    pub signature_rules: BTreeMap<NamePattern, SignatureRule>,
    pub last_event_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plugin {
    pub name: Name,
    pub kind: Kind,
    pub description: Description,
    pub size_bytes: u64,
    #[serde(default)]
    pub source: Option<Source>,
    /// One for each signer.
    #[serde(default)]
    pub signatures: Vec<Signed>,
    pub added_by: Actor,
    pub added_at: Timestamp,
    pub approval: Option<PluginApproval>,
    /// Until it is approved again.
    #[serde(default)]
    pub retired: Option<Retired>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginApproval {
    pub grants: Grants,
    pub reason: String,
    pub by: Actor,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retired {
    pub reason: String,
    pub by: Actor,
    pub at: Timestamp,
}

/// Only the hash of a token is kept: 256 random bits need no slow hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub name: String,
    pub secret_hash: Digest,
    pub person: String,
    pub groups: BTreeSet<String>,
    pub role: Role,
    pub created_at: Timestamp,
    pub revoked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Also creates releases, deploys, and answers approvals it is asked for.
    Member,
    /// Also changes project files, plugins and tokens.
    Admin,
}

#[derive(Debug, Clone)]
pub enum SystemCommand {
    CreateProject {
        project: ProjectId,
        by: Actor,
    },
    AddPlugin {
        digest: Digest,
        kind: Kind,
        description: Box<Description>,
        size_bytes: u64,
        source: Option<Source>,
        /// Verified: by a key that was trusted for it a moment ago, or by whoever a bundle says.
        signed: Option<Signed>,
        by: Actor,
    },
    ApprovePlugin {
        digest: Digest,
        grants: Grants,
        reason: String,
        duties: Duties,
        by: Actor,
    },
    RetirePlugin {
        digest: Digest,
        reason: String,
        by: Actor,
    },
    /// `pinned_by`: what could still run with it, in words.
    RemovePlugin {
        digest: Digest,
        pinned_by: Vec<String>,
        by: Actor,
    },
    NarrowPlugin(NarrowPlugin),
    WidenPlugin(WidenPlugin),
    Trust {
        name: Name,
        signer: Signer,
        plugins: BTreeSet<NamePattern>,
        by: Actor,
    },
    Distrust {
        name: Name,
        reason: String,
        by: Actor,
    },
    RequireSignature {
        plugins: NamePattern,
        reason: String,
        by: Actor,
    },
    StopRequiringSignature {
        plugins: NamePattern,
        reason: String,
        by: Actor,
    },
    CreateToken {
        token: Token,
        by: Actor,
    },
    RevokeToken {
        name: String,
        by: Actor,
    },
    /// Its file is written already.
    SetSecret {
        name: Name,
        file: String,
        binding: Binding,
        by: Actor,
    },
    RemoveSecret {
        name: Name,
        by: Actor,
    },
}

/// The most that a plugin may do in a scope.
#[derive(Debug, Clone)]
pub struct NarrowPlugin {
    pub plugin: Name,
    pub scope: Scope,
    pub grants: Grants,
    pub reason: String,
    pub duties: Duties,
    pub by: Actor,
}

/// Back to what it was approved for.
#[derive(Debug, Clone)]
pub struct WidenPlugin {
    pub plugin: Name,
    pub scope: Scope,
    pub reason: String,
    pub duties: Duties,
    pub by: Actor,
}

/// Whether whoever added a plugin may also say what it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duties {
    Together,
    Separate,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SystemRejection {
    #[error("the component calls itself `{name}`, which is not a plugin name: use 1 to 63 of a-z, 0-9 and `-`")]
    BadPluginName { name: String },
    #[error("there is no plugin {digest}; there are: {known}")]
    UnknownPlugin { digest: String, known: String },
    #[error(
        "{person} added plugin `{name}`, and here whoever adds one does not approve it; another administrator must"
    )]
    OwnPlugin { name: Name, person: String },
    #[error("plugin `{name}` ({}) is not active, so there is nothing to retire", .digest.short())]
    NotActive { name: Name, digest: Digest },
    #[error("plugin `{name}` ({}) is active; retire it first: `lockgate plugin retire`", .digest.short())]
    StillActive { name: Name, digest: Digest },
    #[error("plugin `{name}` ({}) is still needed by {}; what is live, or could be gone back to, keeps its plugins", .digest.short(), listed(.pinned_by))]
    Pinned { name: Name, digest: Digest, pinned_by: Vec<String> },
    #[error("there is no project `{project}` to narrow a plugin in; there are: {known}")]
    NarrowedNowhere { project: Name, known: String },
    #[error("plugin `{plugin}` is not narrowed in {scope}, so there is nothing to widen; it is in: {known}")]
    NotNarrowed { plugin: Name, scope: Scope, known: String },
    #[error(
        "plugin `{plugin}` is narrowed {} times, in projects and environments, and that is the most; narrow whole projects instead",
        narrowing::MOST
    )]
    NarrowedTooOften { plugin: Name },
    #[error("this needs a reason: say why, for whoever reads it later")]
    ReasonMissing,
    #[error(
        "the signature is by none of the keys that are trusted for plugin `{name}` ({known}), or the component was changed after it was signed; trust its key with `lockgate plugin trust add`, or add it with --no-signature: then it counts as unsigned"
    )]
    SignatureNotTrusted { name: Name, known: String },
    #[error(
        "plugin `{name}` ({}) cannot be approved: `{plugins}` requires a signature, and {why}; have it signed by somebody who is trusted for it, and add it once more: `lockgate plugin add FILE` with `--signature FILE.sig` or `--bundle FILE.sigstore.json`", .digest.short()
    )]
    SignatureMissing { name: Name, digest: Digest, plugins: NamePattern, why: String },
    #[error(
        "plugin `{name}` has {} signatures on record, and that is the most; remove the plugin and add it again with one that counts",
        trust::MOST
    )]
    TooManySignatures { name: Name },
    #[error("there is a trusted signer named `{name}` already; choose another name, or remove it first")]
    SignerNameTaken { name: Name },
    #[error(
        "this signer is trusted already, as `{name}`; to trust it for other plugins, remove it with `lockgate plugin trust remove {name}` and add it again"
    )]
    SignerKnown { name: Name },
    #[error("a signer is trusted for 1 to {} patterns of plugin names, and this names {count}", trust::MOST)]
    PatternCount { count: usize },
    #[error("there is no trusted signer `{name}`; there are: {known}")]
    UnknownSigner { name: String, known: String },
    #[error("no signature is required for `{plugins}`; there are rules for: {known}")]
    UnknownRule { plugins: NamePattern, known: String },
    #[error("there are {} {what} already, and that is the most; remove one first", trust::MOST)]
    TooMany { what: &'static str },
    #[error("there is a token named `{name}` already; choose another name")]
    TokenNameTaken { name: String },
    #[error("`{name}` is not a token name: use 1 to 63 of a-z, 0-9 and `-`")]
    BadTokenName { name: String },
    #[error("there is no token `{name}`; there are: {known}")]
    UnknownToken { name: String, known: String },
    #[error("`{name}` is the last administrator's token; create another one first")]
    LastAdministrator { name: String },
    #[error("there is no secret `{name}`; there are: {known}")]
    UnknownSecret { name: Name, known: String },
    #[error("this host keeps {MOST_SECRETS} secrets, and that is the most; remove one that nobody needs")]
    TooManySecrets,
}

/// Each is a file that is opened at every start.
const MOST_SECRETS: usize = 10_000;

pub fn handle(
    state: &SystemState,
    command: SystemCommand,
    now: Timestamp,
) -> Result<Vec<SystemEvent>, SystemRejection> {
    let change = match command {
        SystemCommand::CreateProject { project, by } => {
            (!state.projects.contains_key(&project.name)).then_some(SystemChange::ProjectCreated { project, by })
        }
        SystemCommand::AddPlugin { digest, kind, description, size_bytes, source, signed, by } => {
            let Ok(name) = description.name.parse::<Name>() else {
                return Err(SystemRejection::BadPluginName { name: description.name.chars().take(80).collect() });
            };
            // Whom a bundle names is on record whoever it is; a key that nobody trusts explains nothing.
            if signed
                .as_ref()
                .is_some_and(|signed| matches!(signed, Signed::ByKey { .. }) && !state.counts(signed, &name))
            {
                let known = state.known_keys(&name);
                return Err(SystemRejection::SignatureNotTrusted { name, known });
            }
            match (state.plugins.get(&digest), signed) {
                (None, signed) => {
                    Some(SystemChange::PluginAdded { digest, kind, description, size_bytes, source, signed, by })
                }
                (Some(known), Some(signed)) if !known.signatures.iter().any(|before| signed.is_in(before)) => {
                    if known.signatures.len() >= trust::MOST {
                        return Err(SystemRejection::TooManySignatures { name });
                    }
                    Some(SystemChange::PluginSigned { digest, signed, by })
                }
                (Some(_), Some(_) | None) => None,
            }
        }
        SystemCommand::ApprovePlugin { digest, grants, reason, duties, by } => {
            let plugin = find(state, digest)?;
            if duties == Duties::Separate && plugin.added_by.person == by.person {
                return Err(SystemRejection::OwnPlugin { name: plugin.name.clone(), person: by.person });
            }
            if let Some(rejection) = missing_signature(state, digest, plugin) {
                return Err(rejection);
            }
            let same = plugin.approval.as_ref().is_some_and(|approval| approval.grants == grants)
                && state.active.get(&plugin.name) == Some(&digest);
            (!same).then_some(SystemChange::PluginApproved { digest, grants, reason, by })
        }
        SystemCommand::RetirePlugin { digest, reason, by } => {
            let name = find(state, digest)?.name.clone();
            if state.active.get(&name) != Some(&digest) {
                return Err(SystemRejection::NotActive { name, digest });
            }
            Some(SystemChange::PluginRetired { digest, reason: needed(reason)?, by })
        }
        SystemCommand::RemovePlugin { digest, pinned_by, by } => {
            let name = find(state, digest)?.name.clone();
            if state.active.get(&name) == Some(&digest) {
                return Err(SystemRejection::StillActive { name, digest });
            }
            if !pinned_by.is_empty() {
                return Err(SystemRejection::Pinned { name, digest, pinned_by });
            }
            Some(SystemChange::PluginRemoved { digest, by })
        }
        SystemCommand::NarrowPlugin(narrowed) => narrow(state, narrowed)?,
        SystemCommand::WidenPlugin(widened) => Some(widen(state, widened)?),
        SystemCommand::Trust { name, signer, plugins, by } => trust_signer(state, name, signer, plugins, by)?,
        SystemCommand::Distrust { name, reason, by } => {
            let Some(trusted) = state.trusted.get(&name) else {
                let known = listed(state.trusted.keys());
                return Err(SystemRejection::UnknownSigner { name: name.to_string(), known });
            };
            let reason = needed(reason)?;
            Some(match trusted.signer {
                Signer::Key { .. } => SystemChange::KeyDistrusted { name, reason, by },
                Signer::Identity(_) => SystemChange::IdentityDistrusted { name, reason, by },
            })
        }
        SystemCommand::RequireSignature { plugins, reason, by } => {
            let is_known = state.signature_rules.contains_key(&plugins);
            if !is_known && state.signature_rules.len() >= trust::MOST {
                return Err(SystemRejection::TooMany { what: "rules for signatures" });
            }
            (!is_known).then_some(SystemChange::SignatureRequired { plugins, reason, by })
        }
        SystemCommand::StopRequiringSignature { plugins, reason, by } => {
            if !state.signature_rules.contains_key(&plugins) {
                return Err(SystemRejection::UnknownRule { plugins, known: listed(state.signature_rules.keys()) });
            }
            Some(SystemChange::SignatureNotRequired { plugins, reason: needed(reason)?, by })
        }
        SystemCommand::CreateToken { token, by } => {
            if token.name.parse::<Name>().is_err() {
                return Err(SystemRejection::BadTokenName { name: token.name.chars().take(80).collect() });
            }
            if state.tokens.contains_key(&token.name) {
                return Err(SystemRejection::TokenNameTaken { name: token.name });
            }
            Some(SystemChange::TokenCreated { token, by })
        }
        SystemCommand::RevokeToken { name, by } => Some(revoke(state, name, by)?),
        SystemCommand::SetSecret { name, file, binding, by } => {
            if !state.secrets.contains_key(&name) && state.secrets.len() >= MOST_SECRETS {
                return Err(SystemRejection::TooManySecrets);
            }
            Some(SystemChange::SecretSet { name, file, binding, by })
        }
        SystemCommand::RemoveSecret { name, by } => {
            if !state.secrets.contains_key(&name) {
                return Err(SystemRejection::UnknownSecret { name, known: listed(state.secrets.keys()) });
            }
            Some(SystemChange::SecretRemoved { name, by })
        }
    };
    let at = now.max(state.last_event_at);
    Ok(change.into_iter().map(|what| SystemEvent { at, what }).collect())
}

fn find(state: &SystemState, digest: Digest) -> Result<&Plugin, SystemRejection> {
    let known = |(digest, plugin): (&Digest, &Plugin)| format!("{} ({})", plugin.name, digest.short());
    state.plugins.get(&digest).ok_or_else(|| SystemRejection::UnknownPlugin {
        digest: digest.to_string(),
        known: listed(state.plugins.iter().map(known)),
    })
}

fn narrow(state: &SystemState, narrowed: NarrowPlugin) -> Result<Option<SystemChange>, SystemRejection> {
    let NarrowPlugin { plugin, scope, grants, reason, duties, by } = narrowed;
    not_alone(state, &plugin, duties, &by)?;
    if !state.brought_by.contains_key(&plugin) && state.plugins.values().all(|known| known.name != plugin) {
        let known = listed(state.plugins.values().map(|known| &known.name).collect::<BTreeSet<_>>());
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

fn widen(state: &SystemState, widened: WidenPlugin) -> Result<SystemChange, SystemRejection> {
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
    let own = |known: &Plugin| known.name == *plugin && known.added_by.person == by.person;
    let brought = state.brought_by.get(plugin).is_some_and(|people| people.contains(&by.person));
    if duties == Duties::Separate && (brought || state.plugins.values().any(own)) {
        return Err(SystemRejection::OwnPlugin { name: plugin.clone(), person: by.person.clone() });
    }
    Ok(())
}

fn needed(reason: String) -> Result<String, SystemRejection> {
    if reason.trim().is_empty() { Err(SystemRejection::ReasonMissing) } else { Ok(reason) }
}

/// Why it cannot be approved, where a rule asks for a signature that it does not have.
fn missing_signature(state: &SystemState, digest: Digest, plugin: &Plugin) -> Option<SystemRejection> {
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

fn trust_signer(
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

fn revoke(state: &SystemState, name: String, by: Actor) -> Result<SystemChange, SystemRejection> {
    let usable = |token: &&Token| !token.revoked;
    let token = state
        .tokens
        .get(&name)
        .filter(usable)
        .ok_or_else(|| SystemRejection::UnknownToken { name: name.clone(), known: listed(state.tokens.keys()) })?;
    let administrators = state.tokens.values().filter(usable).filter(|token| token.role == Role::Admin).count();
    if token.role == Role::Admin && administrators == 1 {
        return Err(SystemRejection::LastAdministrator { name });
    }
    Ok(SystemChange::TokenRevoked { name, by })
}

impl SystemState {
    pub fn apply(&mut self, event: &SystemEvent) {
        self.last_event_at = self.last_event_at.max(event.at);
        match event.what.clone() {
            SystemChange::ProjectCreated { project, .. } => {
                self.projects.insert(project.name.clone(), project);
            }
            SystemChange::PluginAdded { digest, kind, description, size_bytes, source, signed, by } => {
                // `handle` lets no other name in.
                let Ok(name) = description.name.parse::<Name>() else { return };
                self.brought_by.entry(name.clone()).or_default().insert(by.person.clone());
                let plugin = Plugin {
                    name,
                    kind,
                    description: *description,
                    size_bytes,
                    source,
                    signatures: signed.into_iter().collect(),
                    added_by: by,
                    added_at: event.at,
                    approval: None,
                    retired: None,
                };
                self.plugins.insert(digest, plugin);
            }
            SystemChange::PluginSigned { digest, signed, .. } => {
                if let Some(plugin) = self.plugins.get_mut(&digest) {
                    plugin.signatures.push(signed);
                }
            }
            SystemChange::PluginApproved { digest, grants, reason, by } => {
                if let Some(plugin) = self.plugins.get_mut(&digest) {
                    plugin.approval = Some(PluginApproval { grants, reason, by, at: event.at });
                    plugin.retired = None;
                    self.active.insert(plugin.name.clone(), digest);
                }
            }
            SystemChange::PluginRetired { digest, reason, by } => {
                if let Some(plugin) = self.plugins.get_mut(&digest) {
                    plugin.retired = Some(Retired { reason, by, at: event.at });
                    self.active.remove(&plugin.name);
                }
            }
            SystemChange::PluginRemoved { digest, .. } => {
                self.plugins.remove(&digest);
            }
            SystemChange::PluginNarrowed { plugin, scope, grants, reason, by } => {
                let narrowing = Narrowing { grants, reason, by, at: event.at };
                self.narrowed.entry(plugin).or_default().insert(scope, narrowing);
            }
            SystemChange::PluginWidened { plugin, scope, .. } => {
                if let Some(scopes) = self.narrowed.get_mut(&plugin) {
                    scopes.remove(&scope);
                }
                self.narrowed.retain(|_, scopes| !scopes.is_empty());
            }
            SystemChange::KeyTrusted { name, key, plugins, by } => {
                self.trusted.insert(name, Trusted { signer: Signer::Key { key }, plugins, by, at: event.at });
            }
            SystemChange::IdentityTrusted { name, who, plugins, by } => {
                self.trusted.insert(name, Trusted { signer: Signer::Identity(who), plugins, by, at: event.at });
            }
            SystemChange::KeyDistrusted { name, .. } | SystemChange::IdentityDistrusted { name, .. } => {
                self.trusted.remove(&name);
            }
            SystemChange::SignatureRequired { plugins, reason, by } => {
                self.signature_rules.insert(plugins, SignatureRule { reason, by, at: event.at });
            }
            SystemChange::SignatureNotRequired { plugins, .. } => {
                self.signature_rules.remove(&plugins);
            }
            SystemChange::TokenCreated { token, .. } => {
                self.tokens.insert(token.name.clone(), token);
            }
            SystemChange::TokenRevoked { name, .. } => {
                if let Some(token) = self.tokens.get_mut(&name) {
                    token.revoked = true;
                }
            }
            SystemChange::SecretSet { name, file, binding, by } => {
                self.secrets.insert(name, Secret { file, binding, set_by: by, set_at: event.at });
            }
            SystemChange::SecretRemoved { name, .. } => {
                self.secrets.remove(&name);
            }
        }
    }

    /// By what pattern a plugin of this name is approved with a signature only.
    pub fn signature_required(&self, plugin: &Name) -> Option<&NamePattern> {
        self.signature_rules.keys().find(|pattern| pattern.fits(plugin))
    }

    /// Now, whatever it was when the plugin was added.
    pub fn counts(&self, signed: &Signed, plugin: &Name) -> bool {
        self.signers_for(plugin).any(|(_, trusted)| trusted.signer.made(signed))
    }

    pub fn signers_for<'a>(&'a self, plugin: &'a Name) -> impl Iterator<Item = (&'a Name, &'a Trusted)> {
        self.trusted.iter().filter(|(_, trusted)| trusted.fits(plugin))
    }

    pub fn keys_for<'a>(&'a self, plugin: &'a Name) -> impl Iterator<Item = (&'a Name, &'a PublicKey)> {
        self.signers_for(plugin).filter_map(|(name, trusted)| match &trusted.signer {
            Signer::Key { key } => Some((name, key)),
            Signer::Identity(_) => None,
        })
    }

    pub fn known_keys(&self, plugin: &Name) -> String {
        listed(self.keys_for(plugin).map(|(name, _)| name))
    }

    fn known_signers(&self, plugin: &Name) -> String {
        listed(self.signers_for(plugin).map(|(name, trusted)| match &trusted.signer {
            Signer::Key { .. } => name.to_string(),
            Signer::Identity(who) => format!("{name}, which is `{}`, vouched for by {}", who.identity, who.issuer),
        }))
    }

    /// Of sigstore deployments that somebody is trusted by, beside the public one.
    pub fn own_roots(&self) -> BTreeSet<Digest> {
        let own = |trusted: &Trusted| match &trusted.signer {
            Signer::Identity(TrustedIdentity { root: Root::Own(digest), .. }) => Some(*digest),
            Signer::Identity(_) | Signer::Key { .. } => None,
        };
        self.trusted.values().filter_map(own).collect()
    }

    /// The gate plugins among them: environments have these, whatever their releases pinned.
    pub fn approved_gates(&self) -> BTreeMap<Name, Digest> {
        let is_gate = |digest: &Digest| self.plugins.get(digest).is_some_and(|plugin| plugin.kind == Kind::Gate);
        self.active.iter().filter(|(_, digest)| is_gate(digest)).map(|(name, digest)| (name.clone(), *digest)).collect()
    }

    /// What a plugin may do in an environment, or in each of the project's that is not narrowed further; none where it
    /// is not approved.
    pub fn grants_in(&self, digest: Digest, project: &str, environment: Option<&str>) -> Option<Grants> {
        let plugin = self.plugins.get(&digest)?;
        let narrowed = self.narrowed.get(&plugin.name).into_iter().flatten();
        let narrowed = narrowed.map(|(scope, narrowing)| (scope, &narrowing.grants));
        Some(narrowing::left(&plugin.approval.as_ref()?.grants, narrowed, project, environment))
    }

    /// The scopes in which somebody has narrowed a plugin, of those that speak of this environment.
    pub fn narrowed_in(&self, plugin: &Name, project: &str, environment: &str) -> Vec<&Scope> {
        let narrowed = self.narrowed.get(plugin).into_iter().flat_map(BTreeMap::keys);
        narrowed.filter(|scope| scope.holds(project, Some(environment))).collect()
    }

    /// The plugins that new releases of a project get, by name.
    pub fn approved(&self, project: &Name) -> BTreeMap<Name, ApprovedPlugin> {
        let approved = |(name, digest): (&Name, &Digest)| {
            let plugin = self.plugins.get(digest)?;
            let approval = plugin.approval.as_ref()?;
            let narrowed = self.narrowed.get(name).into_iter().flatten();
            let narrowed = narrowed.filter(|(scope, _)| scope.project == *project);
            let plugin = ApprovedPlugin {
                digest: *digest,
                kind: plugin.kind,
                description: plugin.description.clone(),
                grants: approval.grants.clone(),
                narrowed: narrowed.map(|(scope, narrowing)| (scope.clone(), narrowing.grants.clone())).collect(),
            };
            Some((name.clone(), plugin))
        };
        self.active.iter().filter_map(approved).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Attested;

    fn admin(name: &str) -> Token {
        Token {
            name: name.to_owned(),
            secret_hash: Digest::of(name.as_bytes()),
            person: name.to_owned(),
            groups: BTreeSet::new(),
            role: Role::Admin,
            created_at: Timestamp(0),
            revoked: false,
        }
    }

    fn by() -> Actor {
        Actor { person: "ann".to_owned(), groups: BTreeSet::new(), via: "cli".to_owned() }
    }

    fn send(state: &mut SystemState, command: SystemCommand) -> Result<usize, SystemRejection> {
        let events = handle(state, command, Timestamp(1))?;
        events.iter().for_each(|event| state.apply(event));
        Ok(events.len())
    }

    #[test]
    fn the_last_administrator_cannot_be_locked_out() {
        let mut state = SystemState::default();
        send(&mut state, SystemCommand::CreateToken { token: admin("root"), by: by() }).unwrap();
        let revoke = |name: &str| SystemCommand::RevokeToken { name: name.to_owned(), by: by() };
        assert!(matches!(send(&mut state, revoke("root")), Err(SystemRejection::LastAdministrator { .. })));
        send(&mut state, SystemCommand::CreateToken { token: admin("second"), by: by() }).unwrap();
        assert_eq!(send(&mut state, revoke("root")), Ok(1));
        assert!(matches!(send(&mut state, revoke("root")), Err(SystemRejection::UnknownToken { .. })));
    }

    #[test]
    fn a_token_name_is_taken_once() {
        let mut state = SystemState::default();
        send(&mut state, SystemCommand::CreateToken { token: admin("root"), by: by() }).unwrap();
        let again = send(&mut state, SystemCommand::CreateToken { token: admin("root"), by: by() });
        assert!(matches!(again, Err(SystemRejection::TokenNameTaken { .. })));
    }

    // ---- plugins ----

    fn add(state: &mut SystemState, content: &str) -> Digest {
        add_signed(state, content, None).unwrap();
        Digest::of(content.as_bytes())
    }

    /// Called `notify`, with what its content says as its version.
    fn add_signed(state: &mut SystemState, content: &str, signed: Option<Signed>) -> Result<usize, SystemRejection> {
        let digest = Digest::of(content.as_bytes());
        let description = Box::new(Description {
            name: "notify".to_owned(),
            version: content.to_owned(),
            summary: String::new(),
            config_schema: serde_json::Value::Null,
            requests: Default::default(),
        });
        let (kind, source) = (Kind::Phase, None);
        send(state, SystemCommand::AddPlugin { digest, kind, description, size_bytes: 1, source, signed, by: by() })
    }

    fn approve(state: &mut SystemState, digest: Digest) -> Result<usize, SystemRejection> {
        let (grants, reason, duties) = (Grants::default(), String::new(), Duties::Together);
        send(state, SystemCommand::ApprovePlugin { digest, grants, reason, duties, by: by() })
    }

    fn retire(state: &mut SystemState, digest: Digest, reason: &str) -> Result<usize, SystemRejection> {
        send(state, SystemCommand::RetirePlugin { digest, reason: reason.to_owned(), by: by() })
    }

    fn remove(state: &mut SystemState, digest: Digest, pinned_by: &[&str]) -> Result<usize, SystemRejection> {
        let pinned_by = pinned_by.iter().map(|release| (*release).to_owned()).collect();
        send(state, SystemCommand::RemovePlugin { digest, pinned_by, by: by() })
    }

    fn active(state: &SystemState) -> Vec<Digest> {
        state.approved(&name("shop")).values().map(|plugin| plugin.digest).collect()
    }

    #[test]
    fn the_old_one_serves_until_the_new_one_is_approved() {
        let mut state = SystemState::default();
        let (old, new) = (add(&mut state, "1"), add(&mut state, "2"));
        approve(&mut state, old).unwrap();
        assert_eq!(active(&state), [old]);
        approve(&mut state, new).unwrap();
        assert_eq!(active(&state), [new]);
        assert!(state.plugins[&old].approval.is_some(), "releases that pinned it keep it");
    }

    #[test]
    fn what_is_retired_is_given_to_no_new_release_until_it_is_approved_again() {
        let mut state = SystemState::default();
        let digest = add(&mut state, "1");
        assert!(matches!(retire(&mut state, digest, "old"), Err(SystemRejection::NotActive { .. })));
        approve(&mut state, digest).unwrap();
        assert_eq!(retire(&mut state, digest, " "), Err(SystemRejection::ReasonMissing));
        retire(&mut state, digest, "leaks").unwrap();
        assert_eq!((active(&state), state.plugins[&digest].approval.is_some()), (vec![], true));
        approve(&mut state, digest).unwrap();
        assert_eq!((active(&state), &state.plugins[&digest].retired), (vec![digest], &None));
    }

    #[test]
    fn only_what_nobody_needs_is_removed() {
        let mut state = SystemState::default();
        let digest = add(&mut state, "1");
        approve(&mut state, digest).unwrap();
        assert!(matches!(remove(&mut state, digest, &[]), Err(SystemRejection::StillActive { .. })));
        retire(&mut state, digest, "leaks").unwrap();
        let refused = remove(&mut state, digest, &["v1 of shop", "v2 of shop"]).unwrap_err();
        assert!(refused.to_string().contains("is still needed by v1 of shop, v2 of shop"), "{refused}");
        remove(&mut state, digest, &[]).unwrap();
        assert!(matches!(approve(&mut state, digest), Err(SystemRejection::UnknownPlugin { .. })));
    }

    #[test]
    fn where_duties_are_separate_somebody_else_approves() {
        let mut state = SystemState::default();
        let digest = add(&mut state, "1");
        let approve = |by: Actor| SystemCommand::ApprovePlugin {
            digest,
            grants: Grants::default(),
            reason: String::new(),
            duties: Duties::Separate,
            by,
        };
        assert!(matches!(send(&mut state, approve(by())), Err(SystemRejection::OwnPlugin { .. })));
        send(&mut state, approve(Actor { person: "bob".to_owned(), ..by() })).unwrap();
        assert_eq!(active(&state), [digest]);
    }

    // ---- narrowed ----

    fn secrets(all: &[&str]) -> Grants {
        Grants { secrets: all.iter().copied().map(name).collect(), ..Grants::default() }
    }

    /// `notify` is approved for the secrets `chat` and `pager`, and there is the project `shop`.
    fn approved_for_secrets() -> SystemState {
        let mut state = SystemState::default();
        let project = ProjectId { name: name("shop"), uid: "7".to_owned() };
        send(&mut state, SystemCommand::CreateProject { project, by: by() }).unwrap();
        let digest = add(&mut state, "1");
        let (reason, duties) = (String::new(), Duties::Together);
        let grants = secrets(&["chat", "pager"]);
        send(&mut state, SystemCommand::ApprovePlugin { digest, grants, reason, duties, by: by() }).unwrap();
        state
    }

    fn narrow_to(state: &mut SystemState, scope: &str, grants: Grants) -> Result<usize, SystemRejection> {
        let (plugin, scope, reason, duties) = (name("notify"), scope.parse().unwrap(), String::new(), Duties::Together);
        let narrow = NarrowPlugin { plugin, scope, grants, reason, duties, by: by() };
        send(state, SystemCommand::NarrowPlugin(narrow))
    }

    fn widen_to_all(state: &mut SystemState, scope: &str, reason: &str) -> Result<usize, SystemRejection> {
        let (plugin, scope, reason) = (name("notify"), scope.parse().unwrap(), reason.to_owned());
        let widen = WidenPlugin { plugin, scope, reason, duties: Duties::Together, by: by() };
        send(state, SystemCommand::WidenPlugin(widen))
    }

    fn may_use(state: &SystemState, project: &str, environment: &str) -> String {
        let digest = state.active[&name("notify")];
        listed(state.grants_in(digest, project, Some(environment)).unwrap().secrets)
    }

    #[test]
    fn a_plugin_may_do_somewhere_what_all_that_speak_of_it_allow() {
        let mut state = approved_for_secrets();
        narrow_to(&mut state, "shop", secrets(&["chat", "never-granted"])).unwrap();
        assert_eq!(narrow_to(&mut state, "shop", secrets(&["chat", "never-granted"])), Ok(0));
        narrow_to(&mut state, "shop/production", secrets(&["chat", "pager"])).unwrap();
        narrow_to(&mut state, "shop/staging", secrets(&["pager"])).unwrap();
        let is = |state: &SystemState| {
            [("shop", "test"), ("shop", "production"), ("shop", "staging"), ("blog", "production")]
                .map(|(project, environment)| may_use(state, project, environment))
        };
        assert_eq!(is(&state), ["chat", "chat", "none", "chat, pager"]);
        assert_eq!(widen_to_all(&mut state, "shop", " "), Err(SystemRejection::ReasonMissing));
        widen_to_all(&mut state, "shop", "all may page").unwrap();
        assert_eq!(is(&state), ["chat, pager", "chat, pager", "pager", "chat, pager"]);
    }

    #[test]
    fn what_is_approved_later_is_as_narrow() {
        let mut state = approved_for_secrets();
        narrow_to(&mut state, "shop/production", secrets(&["chat"])).unwrap();
        let (digest, grants) = (add(&mut state, "2"), secrets(&["chat", "pager"]));
        let (reason, duties) = (String::new(), Duties::Together);
        send(&mut state, SystemCommand::ApprovePlugin { digest, grants, reason, duties, by: by() }).unwrap();
        assert_eq!(may_use(&state, "shop", "production"), "chat");
    }

    #[test]
    fn a_scope_that_is_not_there_narrows_nothing() {
        let mut state = approved_for_secrets();
        let refused = narrow_to(&mut state, "shpo", secrets(&[])).unwrap_err();
        assert!(refused.to_string().contains("no project `shpo`") && refused.to_string().contains("shop"), "{refused}");
        let refused = widen_to_all(&mut state, "shop", "a typo").unwrap_err();
        assert!(matches!(refused, SystemRejection::NotNarrowed { .. }), "{refused}");
        let (plugin, scope, reason) = (name("notfy"), "shop".parse().unwrap(), String::new());
        let (grants, duties) = (secrets(&[]), Duties::Together);
        let typo = SystemCommand::NarrowPlugin(NarrowPlugin { plugin, scope, grants, reason, duties, by: by() });
        assert!(matches!(send(&mut state, typo), Err(SystemRejection::UnknownPlugin { .. })));
    }

    #[test]
    fn what_gives_something_back_needs_a_reason_whatever_it_is_called() {
        let mut state = approved_for_secrets();
        narrow_to(&mut state, "shop", secrets(&["chat"])).unwrap();
        assert_eq!(narrow_to(&mut state, "shop", secrets(&["chat", "pager"])), Err(SystemRejection::ReasonMissing));
        assert_eq!(narrow_to(&mut state, "shop", secrets(&["pager"])), Err(SystemRejection::ReasonMissing));
        assert_eq!(narrow_to(&mut state, "shop", secrets(&[])), Ok(1));
    }

    #[test]
    fn narrowings_are_counted() {
        let mut state = approved_for_secrets();
        for number in 0..narrowing::MOST {
            narrow_to(&mut state, &format!("shop/e{number}"), secrets(&[])).unwrap();
        }
        let refused = narrow_to(&mut state, "shop/more", secrets(&[])).unwrap_err();
        assert!(matches!(refused, SystemRejection::NarrowedTooOften { .. }), "{refused}");
        assert_eq!(narrow_to(&mut state, "shop/e1", secrets(&[])), Ok(0), "it is there");
    }

    #[test]
    fn where_duties_are_separate_somebody_else_says_where_a_plugin_may_do_less() {
        let mut state = approved_for_secrets();
        let bob = Actor { person: "bob".to_owned(), ..by() };
        let (plugin, scope) = (name("notify"), "shop".parse::<Scope>().unwrap());
        let narrow = |by| {
            SystemCommand::NarrowPlugin(NarrowPlugin {
                plugin: plugin.clone(),
                scope: scope.clone(),
                grants: Grants::default(),
                reason: String::new(),
                duties: Duties::Separate,
                by,
            })
        };
        let widen = |by| {
            SystemCommand::WidenPlugin(WidenPlugin {
                plugin: plugin.clone(),
                scope: scope.clone(),
                reason: "why not".to_owned(),
                duties: Duties::Separate,
                by,
            })
        };
        assert!(matches!(send(&mut state, narrow(by())), Err(SystemRejection::OwnPlugin { .. })));
        send(&mut state, narrow(bob.clone())).unwrap();
        assert!(matches!(send(&mut state, widen(by())), Err(SystemRejection::OwnPlugin { .. })));
        retire(&mut state, Digest::of(b"1"), "for a moment").unwrap();
        remove(&mut state, Digest::of(b"1"), &[]).unwrap();
        assert!(matches!(send(&mut state, widen(by())), Err(SystemRejection::OwnPlugin { .. })), "removed meanwhile");
        send(&mut state, widen(bob)).unwrap();
        assert_eq!(state.narrowed, BTreeMap::new());
    }

    // ---- signatures ----

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn key(number: u8) -> PublicKey {
        PublicKey::new([number; 32])
    }

    fn signed(number: u8) -> Option<Signed> {
        Some(Signed::ByKey { name: name("ops"), key: key(number), signature: trust::Signature::new([number; 64]) })
    }

    fn patterns(all: &[&str]) -> BTreeSet<NamePattern> {
        all.iter().map(|pattern| pattern.parse().unwrap()).collect()
    }

    fn trust(state: &mut SystemState, as_name: &str, number: u8, all: &[&str]) -> Result<usize, SystemRejection> {
        trust_who(state, as_name, Signer::Key { key: key(number) }, all)
    }

    fn trust_who(
        state: &mut SystemState,
        as_name: &str,
        signer: Signer,
        all: &[&str],
    ) -> Result<usize, SystemRejection> {
        send(state, SystemCommand::Trust { name: name(as_name), signer, plugins: patterns(all), by: by() })
    }

    const GITHUB: &str = "https://token.actions.githubusercontent.com";
    const RELEASE: &str = "https://github.com/acme/deploy/.github/workflows/release.yml@refs/tags/";

    fn identity(pattern: &str, issuer: &str, root: Root) -> Signer {
        let (identity, issuer) = (pattern.to_owned().try_into().unwrap(), issuer.to_owned().try_into().unwrap());
        Signer::Identity(TrustedIdentity { identity, issuer, root })
    }

    /// By the workflow of the tag `v1`.
    fn attested(roots: &[Root]) -> Option<Signed> {
        let roots = roots.iter().copied().collect();
        let attested = Attested { identity: format!("{RELEASE}v1"), issuer: GITHUB.to_owned(), roots };
        Some(Signed::Attested { attested, bundle: Digest::of(b"bundle") })
    }

    fn distrust(state: &mut SystemState, as_name: &str, reason: &str) -> Result<usize, SystemRejection> {
        let (name, reason) = (name(as_name), reason.to_owned());
        send(state, SystemCommand::Distrust { name, reason, by: by() })
    }

    fn require(state: &mut SystemState, plugins: &str) -> Result<usize, SystemRejection> {
        let (plugins, reason) = (plugins.parse().unwrap(), String::new());
        send(state, SystemCommand::RequireSignature { plugins, reason, by: by() })
    }

    fn require_no_more(state: &mut SystemState, plugins: &str, reason: &str) -> Result<usize, SystemRejection> {
        let (plugins, reason) = (plugins.parse().unwrap(), reason.to_owned());
        send(state, SystemCommand::StopRequiringSignature { plugins, reason, by: by() })
    }

    #[test]
    fn what_must_be_signed_is_approved_with_a_key_that_is_trusted_for_it_now() {
        type Arrange = fn(&mut SystemState);
        let table: [(&str, Arrange, bool); 7] = [
            (
                "no rule, no signature",
                |state| {
                    add(state, "1");
                },
                true,
            ),
            (
                "a rule for others",
                |state| {
                    add(state, "1");
                    require(state, "deploy-*").unwrap();
                },
                true,
            ),
            (
                "a rule, no signature",
                |state| {
                    add(state, "1");
                    require(state, "not*").unwrap();
                },
                false,
            ),
            (
                "a rule and a signature",
                |state| {
                    trust(state, "ops", 1, &["notify"]).unwrap();
                    add_signed(state, "1", signed(1)).unwrap();
                    require(state, "*").unwrap();
                },
                true,
            ),
            (
                "its key is trusted no more",
                |state| {
                    trust(state, "ops", 1, &["notify"]).unwrap();
                    add_signed(state, "1", signed(1)).unwrap();
                    require(state, "*").unwrap();
                    distrust(state, "ops", "stolen").unwrap();
                },
                false,
            ),
            (
                "its key is trusted for others now",
                |state| {
                    trust(state, "ops", 1, &["notify"]).unwrap();
                    add_signed(state, "1", signed(1)).unwrap();
                    require(state, "*").unwrap();
                    distrust(state, "ops", "too much").unwrap();
                    trust(state, "ops", 1, &["deploy-*"]).unwrap();
                },
                false,
            ),
            (
                "the same key has another name now, and a second key signed it",
                |state| {
                    trust(state, "ops", 1, &["notify"]).unwrap();
                    trust(state, "second", 2, &["notify"]).unwrap();
                    add_signed(state, "1", signed(1)).unwrap();
                    assert_eq!(add_signed(state, "1", signed(2)), Ok(1));
                    assert_eq!(add_signed(state, "1", signed(2)), Ok(0), "once is enough");
                    require(state, "*").unwrap();
                    distrust(state, "ops", "renamed").unwrap();
                    distrust(state, "second", "renamed").unwrap();
                    trust(state, "third", 2, &["*"]).unwrap();
                },
                true,
            ),
        ];
        for (what, arrange, approved) in table {
            let mut state = SystemState::default();
            arrange(&mut state);
            let answer = approve(&mut state, Digest::of(b"1"));
            assert_eq!(answer.is_ok(), approved, "{what}: {answer:?}");
            assert_eq!(!active(&state).is_empty(), approved, "{what}");
        }
    }

    #[test]
    fn who_cannot_approve_hears_what_is_missing() {
        let mut state = SystemState::default();
        let digest = add(&mut state, "1");
        require(&mut state, "notify*").unwrap();
        let refused = approve(&mut state, digest).unwrap_err().to_string();
        assert!(
            refused.contains("`notify*` requires a signature, and it has none") && refused.contains("now: none)"),
            "{refused}"
        );
        trust(&mut state, "ops", 1, &["*"]).unwrap();
        add_signed(&mut state, "1", signed(1)).unwrap();
        distrust(&mut state, "ops", "stolen").unwrap();
        trust(&mut state, "new", 2, &["*"]).unwrap();
        let refused = approve(&mut state, digest).unwrap_err().to_string();
        assert!(refused.contains("`ops` is not trusted for it") && refused.contains("now: new)"), "{refused}");
    }

    #[test]
    fn whom_a_bundle_names_counts_while_this_very_identity_is_trusted_for_the_plugin() {
        let own = Root::Own(Digest::of(b"trusted_root.json"));
        let (tags, v2) = (format!("{RELEASE}*"), format!("{RELEASE}v2"));
        type Row<'a> = (&'a str, &'a [Root], Option<Signer>, &'a str, bool);
        let table: [Row<'_>; 8] = [
            ("nobody is trusted", &[Root::Public], None, "*", false),
            ("the identity is", &[Root::Public], Some(identity(&tags, GITHUB, Root::Public)), "notify", true),
            ("for another plugin", &[Root::Public], Some(identity(&tags, GITHUB, Root::Public)), "deploy-*", false),
            ("another identity", &[Root::Public], Some(identity(&v2, GITHUB, Root::Public)), "*", false),
            ("another issuer", &[Root::Public], Some(identity(&tags, "https://a.example", Root::Public)), "*", false),
            ("by other keys", &[own], Some(identity(&tags, GITHUB, Root::Public)), "*", false),
            ("by both keys", &[own, Root::Public], Some(identity(&tags, GITHUB, own)), "*", true),
            ("a key", &[Root::Public], Some(Signer::Key { key: key(1) }), "*", false),
        ];
        for (what, roots, signer, plugins, approved) in table {
            let mut state = SystemState::default();
            require(&mut state, "*").unwrap();
            assert_eq!(add_signed(&mut state, "1", attested(roots)), Ok(1), "{what}: on record, whoever it is");
            if let Some(signer) = signer {
                trust_who(&mut state, "release", signer, &[plugins]).unwrap();
            }
            let answer = approve(&mut state, Digest::of(b"1"));
            assert_eq!(answer.is_ok(), approved, "{what}: {answer:?}");
            distrust(&mut state, "release", "left").ok();
            assert_eq!(active(&state).is_empty(), !approved, "{what}");
        }
    }

    #[test]
    fn who_cannot_approve_what_a_stranger_signed_hears_who_that_is_and_who_is_trusted() {
        let mut state = SystemState::default();
        require(&mut state, "*").unwrap();
        add_signed(&mut state, "1", attested(&[Root::Public])).unwrap();
        let own = Root::Own(Digest::of(b"trusted_root.json"));
        trust_who(&mut state, "ann", identity("ann@example.com", "https://accounts.example", own), &["*"]).unwrap();
        let refused = approve(&mut state, Digest::of(b"1")).unwrap_err().to_string();
        for part in [
            "release.yml@refs/tags/v1`, vouched for by https://token.actions.githubusercontent.com is not trusted for it",
            "now: ann, which is `ann@example.com`, vouched for by https://accounts.example)",
        ] {
            assert!(refused.contains(part), "{refused}");
        }
        trust_who(&mut state, "release", identity(&format!("{RELEASE}v1"), GITHUB, own), &["*"]).unwrap();
        let refused = approve(&mut state, Digest::of(b"1")).unwrap_err().to_string();
        let part =
            format!("is trusted as `release` by the keys of {own} alone, and was verified with those of sigstore.dev");
        assert!(refused.contains(&part), "{refused}");
    }

    #[test]
    fn a_bundle_is_on_record_once_and_again_where_it_says_more() {
        let mut state = SystemState::default();
        let own = Root::Own(Digest::of(b"trusted_root.json"));
        assert_eq!(add_signed(&mut state, "1", attested(&[Root::Public])), Ok(1));
        assert_eq!(add_signed(&mut state, "1", attested(&[Root::Public])), Ok(0));
        assert_eq!(add_signed(&mut state, "1", attested(&[Root::Public, own])), Ok(1));
        assert_eq!(add_signed(&mut state, "1", attested(&[own])), Ok(0));
        for number in 0..trust::MOST {
            let who = Attested { identity: number.to_string(), issuer: GITHUB.to_owned(), roots: [own].into() };
            let signed = Some(Signed::Attested { attested: who, bundle: Digest::of(b"bundle") });
            let added = add_signed(&mut state, "1", signed);
            let is_too_many = matches!(added, Err(SystemRejection::TooManySignatures { .. }));
            assert_eq!(is_too_many, number >= trust::MOST - 2, "{added:?}");
        }
    }

    #[test]
    fn keys_and_identities_share_their_names() {
        let mut state = SystemState::default();
        let ann = || identity("ann@example.com", GITHUB, Root::Public);
        trust(&mut state, "ops", 1, &["*"]).unwrap();
        assert!(matches!(trust_who(&mut state, "ops", ann(), &["*"]), Err(SystemRejection::SignerNameTaken { .. })));
        assert_eq!(trust_who(&mut state, "ann", ann(), &["*"]), Ok(1));
        assert!(matches!(trust_who(&mut state, "anna", ann(), &["*"]), Err(SystemRejection::SignerKnown { .. })));
        assert_eq!(distrust(&mut state, "ann", "left"), Ok(1));
        assert_eq!(state.trusted.keys().collect::<Vec<_>>(), [&name("ops")]);
    }

    #[test]
    fn what_is_approved_stays_so_when_a_rule_comes_or_a_key_goes() {
        let mut state = SystemState::default();
        let digest = add(&mut state, "1");
        approve(&mut state, digest).unwrap();
        require(&mut state, "*").unwrap();
        assert_eq!(active(&state), [digest]);
        assert!(matches!(approve(&mut state, digest), Err(SystemRejection::SignatureMissing { .. })));
        assert_eq!(require_no_more(&mut state, "*", " "), Err(SystemRejection::ReasonMissing));
        require_no_more(&mut state, "*", "a test").unwrap();
        assert_eq!(approve(&mut state, digest), Ok(0));
        assert!(matches!(require_no_more(&mut state, "*", "a test"), Err(SystemRejection::UnknownRule { .. })));
    }

    #[test]
    fn a_signature_whose_key_was_just_removed_adds_nothing() {
        let mut state = SystemState::default();
        trust(&mut state, "ops", 1, &["deploy-*"]).unwrap();
        let refused = add_signed(&mut state, "1", signed(1)).unwrap_err();
        assert_eq!(refused, SystemRejection::SignatureNotTrusted { name: name("notify"), known: "none".to_owned() });
        assert!(state.plugins.is_empty());
    }

    #[test]
    fn a_key_has_one_name_and_goes_with_a_reason() {
        let mut state = SystemState::default();
        assert_eq!(trust(&mut state, "ops", 1, &[]), Err(SystemRejection::PatternCount { count: 0 }));
        assert_eq!(trust(&mut state, "ops", 1, &["a", "b-*"]), Ok(1));
        assert_eq!(trust(&mut state, "ops", 1, &["a", "b-*"]), Ok(0));
        assert!(matches!(trust(&mut state, "ops", 1, &["*"]), Err(SystemRejection::SignerKnown { .. })));
        assert!(matches!(trust(&mut state, "again", 1, &["a"]), Err(SystemRejection::SignerKnown { .. })));
        assert!(matches!(trust(&mut state, "ops", 2, &["a"]), Err(SystemRejection::SignerNameTaken { .. })));
        assert_eq!(distrust(&mut state, "ops", ""), Err(SystemRejection::ReasonMissing));
        assert!(matches!(distrust(&mut state, "none", "x"), Err(SystemRejection::UnknownSigner { .. })));
        assert_eq!(distrust(&mut state, "ops", "stolen"), Ok(1));
        assert!(state.trusted.is_empty());
    }

    #[test]
    fn keys_and_rules_are_counted() {
        let mut state = SystemState::default();
        for number in 0..trust::MOST {
            trust(&mut state, &format!("k{number}"), number as u8, &["*"]).unwrap();
            require(&mut state, &format!("k{number}")).unwrap();
        }
        assert_eq!(trust(&mut state, "more", 255, &["*"]), Err(SystemRejection::TooMany { what: "trusted signers" }));
        assert_eq!(require(&mut state, "more"), Err(SystemRejection::TooMany { what: "rules for signatures" }));
        assert_eq!(require(&mut state, "k1"), Ok(0), "it is there");
    }
}
