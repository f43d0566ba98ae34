//! What belongs to no project: plugins and their grants, people's tokens, and the list of projects.
//!
//! One stream of its own, with the same shape as a project's: [`handle`] decides, [`SystemState::apply`] changes.

mod plugins;
mod signers;
#[cfg(test)]
mod tests;

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
use plugins::News;

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

/// As its events add up. It stands for events that were dropped, so what was once written is read for ever: a new field has a
/// default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemState {
    pub projects: BTreeMap<Name, ProjectId>,
    pub plugins: BTreeMap<Digest, Plugin>,
    /// Which digest new releases get.
    pub active: BTreeMap<Name, Digest>,
    /// Who ever added one of that name, also one that was removed.
    pub brought_by: BTreeMap<Name, BTreeSet<String>>,
    /// By plugin and scope: the most that it may do there.
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
    #[error("plugin `{plugin}` is not narrowed in {scope}, so there is nothing to widen; it is narrowed in: {known}")]
    NotNarrowed { plugin: Name, scope: Scope, known: String },
    #[error(
        "plugin `{plugin}` is narrowed {} times, in projects and environments, and that is the most; narrow whole projects instead",
        narrowing::MOST
    )]
    NarrowedTooOften { plugin: Name },
    #[error("this needs a reason: say why, for whoever reads it later")]
    ReasonMissing,
    #[error(
        "the signature is by none of the keys that are trusted for plugin `{name}` ({known}), or the component was changed after it was signed; trust its key with `lockgate plugin trust add`, or, where no rule asks for one, add it with --no-signature: then it counts as unsigned"
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
        "this signer is trusted already, as `{name}`; to trust it for other plugins, remove it with `lockgate plugin trust remove {name} --reason WHY` and add it again"
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
    #[error("token `{name}` was revoked before")]
    RevokedAlready { name: String },
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
            match (plugins::news(state, digest, &description, signed.as_ref())?, signed) {
                (News::Plugin, signed) => {
                    Some(SystemChange::PluginAdded { digest, kind, description, size_bytes, source, signed, by })
                }
                (News::Signature, Some(signed)) => Some(SystemChange::PluginSigned { digest, signed, by }),
                (News::Signature | News::Nothing, _) => None,
            }
        }
        SystemCommand::ApprovePlugin { digest, grants, reason, duties, by } => {
            plugins::approve(state, digest, grants, reason, duties, by)?
        }
        SystemCommand::RetirePlugin { digest, reason, by } => Some(plugins::retire(state, digest, reason, by)?),
        SystemCommand::RemovePlugin { digest, pinned_by, by } => Some(plugins::remove(state, digest, pinned_by, by)?),
        SystemCommand::NarrowPlugin(narrowed) => plugins::narrow(state, narrowed)?,
        SystemCommand::WidenPlugin(widened) => Some(plugins::widen(state, widened)?),
        SystemCommand::Trust { name, signer, plugins, by } => signers::trust(state, name, signer, plugins, by)?,
        SystemCommand::Distrust { name, reason, by } => Some(signers::distrust(state, name, reason, by)?),
        SystemCommand::RequireSignature { plugins, reason, by } => signers::require(state, plugins, reason, by)?,
        SystemCommand::StopRequiringSignature { plugins, reason, by } => {
            Some(signers::require_no_more(state, plugins, reason, by)?)
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

fn needed(reason: String) -> Result<String, SystemRejection> {
    if reason.trim().is_empty() { Err(SystemRejection::ReasonMissing) } else { Ok(reason) }
}

fn revoke(state: &SystemState, name: String, by: Actor) -> Result<SystemChange, SystemRejection> {
    let usable = || state.tokens.iter().filter(|(_, token)| !token.revoked);
    let Some(token) = state.tokens.get(&name) else {
        return Err(SystemRejection::UnknownToken { known: listed(usable().map(|(name, _)| name)), name });
    };
    if token.revoked {
        return Err(SystemRejection::RevokedAlready { name });
    }
    let administrators = usable().filter(|(_, token)| token.role == Role::Admin).count();
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
