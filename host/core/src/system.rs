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
use crate::secret::{Binding, Secret};
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
    pub tokens: BTreeMap<String, Token>,
    #[serde(default)]
    pub secrets: BTreeMap<Name, Secret>,
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
    #[error("retiring a plugin needs a reason: say why, for whoever reads this later")]
    ReasonMissing,
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
        SystemCommand::AddPlugin { digest, kind, description, size_bytes, by } => {
            if description.name.parse::<Name>().is_err() {
                return Err(SystemRejection::BadPluginName { name: description.name.chars().take(80).collect() });
            }
            let added = SystemChange::PluginAdded { digest, kind, description, size_bytes, by };
            (!state.plugins.contains_key(&digest)).then_some(added)
        }
        SystemCommand::ApprovePlugin { digest, grants, reason, duties, by } => {
            let plugin = find(state, digest)?;
            if duties == Duties::Separate && plugin.added_by.person == by.person {
                return Err(SystemRejection::OwnPlugin { name: plugin.name.clone(), person: by.person });
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
            if reason.trim().is_empty() {
                return Err(SystemRejection::ReasonMissing);
            }
            Some(SystemChange::PluginRetired { digest, reason, by })
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
                    retired: None,
                };
                self.plugins.insert(digest, plugin);
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

    // ---- plugins ----

    fn add(state: &mut SystemState, content: &str) -> Digest {
        let digest = Digest::of(content.as_bytes());
        let description = Box::new(Description {
            name: "notify".to_owned(),
            version: content.to_owned(),
            summary: String::new(),
            config_schema: serde_json::Value::Null,
            requests: Default::default(),
        });
        send(state, SystemCommand::AddPlugin { digest, kind: Kind::Phase, description, size_bytes: 1, by: by() })
            .unwrap();
        digest
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
        state.approved().values().map(|plugin| plugin.digest).collect()
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
}
