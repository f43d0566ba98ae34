//! What the journal names and the data folder lacks: components of plugins, artifacts of releases, and the trusted roots that
//! signatures are verified by. Looks for names only: what is found damaged when it is read loses its name. Changes nothing.

use std::collections::BTreeSet;
use std::fmt;

use lockgate_core::digest::Digest;
use lockgate_core::name::Name;
use lockgate_core::state::State;
use lockgate_core::system::SystemState;
use lockgate_core::trust::{Root, Signer, TrustedIdentity};

/// So many are named; an imported journal may lack all there ever was.
const NAMED: usize = 20;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    pub plugins: u64,
    /// A trusted root is one: it is uploaded as they are.
    pub artifacts: u64,
    /// Some of them, plugins first: what lacks one does nothing at all.
    pub first: Vec<MissingFile>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingFile {
    /// Such as: artifact `web` of v1 in shop.
    pub what: String,
    pub digest: Digest,
}

/// Each file once, however many name it. A plugin that waits for its approval counts, too: it is approved as it was added.
pub fn missing<'a>(
    system: &SystemState,
    projects: impl IntoIterator<Item = &'a State>,
    is_there: impl Fn(Digest) -> bool,
) -> Missing {
    let mut looked = BTreeSet::new();
    let mut is_missing = |digest: Digest| looked.insert(digest) && !is_there(digest);
    let mut missing = Missing::default();
    for (digest, plugin) in &system.plugins {
        if is_missing(*digest) {
            missing.plugins += 1;
            missing.name(*digest, || format!("plugin `{}`", plugin.name));
        }
    }
    for (signer, root) in own_roots(system) {
        if is_missing(root) {
            missing.artifacts += 1;
            missing.name(root, || format!("trusted root of signer `{signer}`"));
        }
    }
    for state in projects {
        for (release, artifact) in state.artifacts_needed() {
            if is_missing(artifact.digest) {
                missing.artifacts += 1;
                // Somebody typed it, and a log has lines.
                let (name, project) = (artifact.name.escape_debug(), &state.project.name);
                missing.name(artifact.digest, || format!("artifact `{name}` of {} in {project}", release.tag));
            }
        }
    }
    missing
}

fn own_roots(system: &SystemState) -> impl Iterator<Item = (&Name, Digest)> {
    system.trusted.iter().filter_map(|(name, trusted)| match &trusted.signer {
        Signer::Identity(TrustedIdentity { root: Root::Own(digest), .. }) => Some((name, *digest)),
        Signer::Identity(TrustedIdentity { root: Root::Public, .. }) | Signer::Key { .. } => None,
    })
}

impl Missing {
    pub fn count(&self) -> u64 {
        self.plugins + self.artifacts
    }

    fn name(&mut self, digest: Digest, what: impl FnOnce() -> String) {
        if self.first.len() < NAMED {
            self.first.push(MissingFile { what: what(), digest });
        }
    }
}

/// For the log.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named: Vec<String> =
            self.first.iter().map(|file| format!("{} ({})", file.what, file.digest.short())).collect();
        write!(f, "of the files that the journal names, the data folder lacks {}: {}", self.count(), named.join(", "))?;
        match self.count() - self.first.len() as u64 {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use expect_test::expect;
    use lockgate_core::name::{Actor, Timestamp};
    use lockgate_core::plugin::{Description, Grants, Kind, Requests};
    use lockgate_core::state::{Event, What};
    use lockgate_core::system::{SystemChange, SystemEvent};
    use lockgate_core::work::ProjectId;
    use serde_json::json;

    use super::*;

    fn by() -> Actor {
        Actor { person: "ann".to_owned(), groups: BTreeSet::new(), via: "test".to_owned() }
    }

    /// Of a plugin its name is the content here.
    fn file(content: &str) -> Digest {
        Digest::of(content.as_bytes())
    }

    fn system(changes: impl IntoIterator<Item = SystemChange>) -> SystemState {
        let mut system = SystemState::default();
        changes.into_iter().for_each(|what| system.apply(&SystemEvent { at: Timestamp(1), what }));
        system
    }

    fn added(name: &str) -> SystemChange {
        let description = Box::new(Description {
            name: name.to_owned(),
            version: "1".to_owned(),
            summary: String::new(),
            config_schema: serde_json::Value::Null,
            requests: Requests::default(),
        });
        let digest = file(name);
        SystemChange::PluginAdded {
            digest,
            kind: Kind::Phase,
            description,
            size_bytes: 1,
            source: None,
            signed: None,
            by: by(),
        }
    }

    fn approved(name: &str) -> [SystemChange; 2] {
        let approved = SystemChange::PluginApproved {
            digest: file(name),
            grants: Grants::default(),
            reason: String::new(),
            by: by(),
        };
        [added(name), approved]
    }

    /// Name, content and URI.
    type Artifact<'a> = (&'a str, &'a str, &'a str);

    /// Releases by tag and status, with their artifacts.
    fn project(name: &str, releases: &[(&str, &str, &[Artifact<'_>])]) -> State {
        let mut state = State::new(ProjectId { name: name.parse().unwrap(), uid: "7".to_owned() });
        for (tag, status, artifacts) in releases {
            let artifact =
                |(name, content, uri): &Artifact<'_>| json!({ "name": name, "digest": file(content), "uri": uri });
            let artifacts: Vec<_> = artifacts.iter().map(artifact).collect();
            let release = serde_json::from_value(json!({
                "tag": tag, "description": "", "artifacts": artifacts, "workflows": {}, "plugins": {},
                "created_by": by(), "involved": [], "created_at": 0, "status": status, "was_live": false,
            }));
            let what = What::ReleaseCreated { release: release.unwrap() };
            state.apply(&Event { at: Timestamp(1), what }).unwrap();
        }
        state
    }

    fn named(missing: &Missing) -> String {
        missing.first.iter().map(|file| file.what.as_str()).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_plugin_without_its_component_is_named_until_it_is_removed() {
        let here = |digest| digest == file("here");
        let mut changes: Vec<_> = [approved("here"), approved("gone")].into_iter().flatten().collect();
        changes.push(added("not-approved"));
        let mut system = system(changes);
        let found = missing(&system, [], here);
        assert_eq!((found.plugins, found.artifacts), (2, 0));
        assert!(named(&found).contains("plugin `gone`") && named(&found).contains("plugin `not-approved`"));
        for name in ["gone", "not-approved"] {
            let what = SystemChange::PluginRemoved { digest: file(name), by: by() };
            system.apply(&SystemEvent { at: Timestamp(2), what });
        }
        assert_eq!(missing(&system, [], here), Missing::default());
    }

    #[test]
    fn what_a_deployment_may_still_ask_for_is_named() {
        let shop = project(
            "shop",
            &[
                ("v1", "Abandoned", &[("web", "forgotten", "")]),
                ("v2", "Active", &[("web", "here", ""), ("web", "gone", "")]),
                ("v3", "Draft", &[("we\nb", "half done", ""), ("image", "elsewhere", "oci://registry/image")]),
            ],
        );
        let found = missing(&SystemState::default(), [&shop], |digest| digest == file("here"));
        assert_eq!((found.plugins, found.artifacts), (0, 2));
        assert_eq!(named(&found), r"artifact `web` of v2 in shop; artifact `we\nb` of v3 in shop");
        assert_eq!(found.first[0].digest, file("gone"));
    }

    #[test]
    fn a_trusted_root_is_needed_to_add_a_plugin() {
        let who = TrustedIdentity {
            identity: "build@example.org".to_owned().try_into().unwrap(),
            issuer: "https://example.org".to_owned().try_into().unwrap(),
            root: Root::Own(file("root")),
        };
        let plugins = ["notify".parse().unwrap()].into();
        let system = system([SystemChange::IdentityTrusted { name: "ci".parse().unwrap(), who, plugins, by: by() }]);
        assert_eq!(named(&missing(&system, [], |_| false)), "trusted root of signer `ci`");
    }

    #[test]
    fn a_file_that_many_name_is_one() {
        let one = ("v1", "Active", &[("web", "same", "")][..]);
        let projects = [project("shop", &[one, ("v2", "Active", one.2)]), project("site", &[one])];
        let looks = Cell::new(0);
        let found = missing(&SystemState::default(), &projects, |_| {
            looks.set(looks.get() + 1);
            false
        });
        assert_eq!((found.count(), looks.get()), (1, 1));
    }

    #[test]
    fn the_first_are_named_and_the_others_counted() {
        let names: Vec<String> = (0..30).map(|number| format!("web{number}")).collect();
        let artifacts: Vec<_> = names.iter().map(|name| (name.as_str(), name.as_str(), "")).collect();
        let shop = project("shop", &[("v1", "Active", &artifacts)]);
        let found = missing(&system([added("notify")]), [&shop], |_| false);
        assert_eq!((found.plugins, found.artifacts, found.first.len()), (1, 30, NAMED));
        let told = found.to_string();
        assert!(told.ends_with(", and 11 more"), "{told}");
        let few = Missing { artifacts: 1, first: found.first[..2].to_vec(), ..found };
        expect!["of the files that the journal names, the data folder lacks 2: plugin `notify` (6cd6f41455d7), artifact `web0` of v1 in shop (44a1f3faeaff)"].assert_eq(&few.to_string());
    }
}
