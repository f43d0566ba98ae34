//! What belongs to no project: plugins and their grants, people's tokens, and the list of projects.
//!
//! One stream of its own, with the same shape as a project's: [`handle`] decides, [`SystemState::apply`] changes.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::definition::listed;
use crate::digest::Digest;
use crate::name::{Actor, Name, Timestamp};
use crate::plugin::{Description, Grants, Kind};
use crate::release::ApprovedPlugin;
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
        by: Actor,
    },
    /// Binds digest and grants. The digest that served before under this name is pinned by older releases only.
    PluginApproved {
        digest: Digest,
        grants: Grants,
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
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemState {
    pub projects: BTreeMap<Name, ProjectId>,
    pub plugins: BTreeMap<Digest, Plugin>,
    /// Which digest new releases get.
    pub active: BTreeMap<Name, Digest>,
    pub tokens: BTreeMap<String, Token>,
    pub last_event_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plugin {
    pub name: Name,
    pub kind: Kind,
    pub description: Description,
    pub size_bytes: u64,
    pub added_by: Actor,
    pub added_at: Timestamp,
    pub approval: Option<PluginApproval>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginApproval {
    pub grants: Grants,
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
    CreateProject { project: ProjectId, by: Actor },
    AddPlugin { digest: Digest, kind: Kind, description: Box<Description>, size_bytes: u64, by: Actor },
    ApprovePlugin { digest: Digest, grants: Grants, reason: String, by: Actor },
    CreateToken { token: Token, by: Actor },
    RevokeToken { name: String, by: Actor },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SystemRejection {
    #[error("the component calls itself `{name}`, which is not a plugin name: use 1 to 63 of a-z, 0-9 and `-`")]
    BadPluginName { name: String },
    #[error("there is no plugin {digest}; there are: {known}")]
    UnknownPlugin { digest: String, known: String },
    #[error("there is a token named `{name}` already; choose another name")]
    TokenNameTaken { name: String },
    #[error("`{name}` is not a token name: use 1 to 63 of a-z, 0-9 and `-`")]
    BadTokenName { name: String },
    #[error("there is no token `{name}`; there are: {known}")]
    UnknownToken { name: String, known: String },
    #[error("`{name}` is the last administrator's token; create another one first")]
    LastAdministrator { name: String },
}

pub fn handle(
    state: &SystemState,
    command: SystemCommand,
    now: Timestamp,
) -> Result<Vec<SystemEvent>, SystemRejection> {
    let change = match command {
        SystemCommand::CreateProject { project, by } => {
            (!state.projects.contains_key(&project.name)).then_some(SystemChange::ProjectCreated { project, by })
        }
        SystemCommand::AddPlugin { digest, kind, description, size_bytes, by } => {
            if description.name.parse::<Name>().is_err() {
                return Err(SystemRejection::BadPluginName { name: description.name.chars().take(80).collect() });
            }
            let added = SystemChange::PluginAdded { digest, kind, description, size_bytes, by };
            (!state.plugins.contains_key(&digest)).then_some(added)
        }
        SystemCommand::ApprovePlugin { digest, grants, reason, by } => {
            let known =
                || listed(state.plugins.iter().map(|(digest, plugin)| format!("{} ({})", plugin.name, digest.short())));
            let plugin = state
                .plugins
                .get(&digest)
                .ok_or_else(|| SystemRejection::UnknownPlugin { digest: digest.to_string(), known: known() })?;
            let same = plugin.approval.as_ref().is_some_and(|approval| approval.grants == grants)
                && state.active.get(&plugin.name) == Some(&digest);
            (!same).then_some(SystemChange::PluginApproved { digest, grants, reason, by })
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
    };
    let at = now.max(state.last_event_at);
    Ok(change.into_iter().map(|what| SystemEvent { at, what }).collect())
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
            SystemChange::PluginAdded { digest, kind, description, size_bytes, by } => {
                // `handle` lets no other name in.
                let Ok(name) = description.name.parse() else { return };
                let plugin = Plugin {
                    name,
                    kind,
                    description: *description,
                    size_bytes,
                    added_by: by,
                    added_at: event.at,
                    approval: None,
                };
                self.plugins.insert(digest, plugin);
            }
            SystemChange::PluginApproved { digest, grants, reason, by } => {
                if let Some(plugin) = self.plugins.get_mut(&digest) {
                    plugin.approval = Some(PluginApproval { grants, reason, by, at: event.at });
                    self.active.insert(plugin.name.clone(), digest);
                }
            }
            SystemChange::TokenCreated { token, .. } => {
                self.tokens.insert(token.name.clone(), token);
            }
            SystemChange::TokenRevoked { name, .. } => {
                if let Some(token) = self.tokens.get_mut(&name) {
                    token.revoked = true;
                }
            }
        }
    }

    /// The gate plugins among them: environments have these, whatever their releases pinned.
    pub fn approved_gates(&self) -> BTreeMap<Name, Digest> {
        let is_gate = |digest: &Digest| self.plugins.get(digest).is_some_and(|plugin| plugin.kind == Kind::Gate);
        self.active.iter().filter(|(_, digest)| is_gate(digest)).map(|(name, digest)| (name.clone(), *digest)).collect()
    }

    /// The plugins that new releases get, by name.
    pub fn approved(&self) -> BTreeMap<Name, ApprovedPlugin> {
        let approved = |(name, digest): (&Name, &Digest)| {
            let plugin = self.plugins.get(digest)?;
            let approval = plugin.approval.as_ref()?;
            let plugin = ApprovedPlugin {
                digest: *digest,
                kind: plugin.kind,
                description: plugin.description.clone(),
                grants: approval.grants.clone(),
            };
            Some((name.clone(), plugin))
        };
        self.active.iter().filter_map(approved).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
