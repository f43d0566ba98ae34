//! A release: an immutable snapshot that deployments bring to environments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::definition::{Definition, Workflow, listed};
use crate::digest::Digest;
use crate::name::{Actor, Name, Tag, Timestamp};
use crate::narrowing::{self, Scope};
use crate::origin::{is_private, origin_of_url};
use crate::plugin::{Access, Artifact, Description, Grants, HttpGrant, Kind, Requested, Requests};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    pub tag: Tag,
    pub description: String,
    pub artifacts: Vec<Artifact>,
    pub workflows: BTreeMap<Name, Arc<Workflow>>,
    /// The workflow that each endpoint starts while this release is live.
    #[serde(default)]
    pub endpoints: BTreeMap<Name, Name>,
    /// Digest of every plugin the project used when the release was made.
    pub plugins: BTreeMap<Name, Digest>,
    pub created_by: Actor,
    /// Everybody who wrote it: its creator, who sent the draft before or again, who made it active.
    pub involved: BTreeSet<String>,
    pub created_at: Timestamp,
    pub status: ReleaseStatus,
    /// Its build workflow has succeeded, where it has one.
    #[serde(default)]
    pub built: bool,
    /// Who gave it workflows and endpoints of its own; the definition's count no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_by: Option<String>,
    /// Whether it was live anywhere, ever.
    pub was_live: bool,
    #[serde(skip)]
    pub computed: Computed,
}

/// The digest of a release, once somebody has asked for it: each call of a plugin does. A copy begins without: whoever changes
/// what is digested makes a copy first.
#[derive(Debug, Default)]
pub struct Computed(OnceLock<Digest>);

impl Clone for Computed {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// It says nothing that the release does not.
impl PartialEq for Computed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Computed {}

/// Status (A). A draft has no digest yet and may still be edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReleaseStatus {
    Draft,
    Active,
    Abandoned,
}

/// Lifecycle (M): derived, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Lifecycle {
    Ready,
    Deployed,
    Superseded,
}

impl Release {
    /// Of everything that deployments use; who made it and when is not part of it.
    pub fn digest(&self) -> Digest {
        *self.computed.0.get_or_init(|| {
            let content = (&self.description, &self.artifacts, &self.workflows, &self.endpoints, &self.plugins);
            let content = serde_json::to_value(content).expect("a release is plain data with text for keys");
            Digest::of(canonical(&content).as_bytes())
        })
    }
}

/// JSON with sorted keys: equal values give equal text.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
            let fields: Vec<String> = sorted
                .into_iter()
                .map(|(key, value)| format!("{}:{}", Value::String(key.clone()), canonical(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// A plugin digest that an operator approved, as it comes in with the command that needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovedPlugin {
    pub digest: Digest,
    pub kind: Kind,
    pub description: Description,
    pub grants: Grants,
    /// Less than that, in the project and in some of its environments.
    pub narrowed: Vec<(Scope, Grants)>,
}

impl ApprovedPlugin {
    /// Of no environment: what it may do in each that is not narrowed further.
    fn grants_in(&self, project: &Name, environment: Option<&Name>) -> Grants {
        let narrowed = self.narrowed.iter().map(|(scope, grants)| (scope, grants));
        narrowing::left(&self.grants, narrowed, project.as_str(), environment.map(Name::as_str))
    }

    /// Where it was taken away.
    fn narrowed_in(&self, project: &Name, environment: Option<&Name>) -> String {
        let scopes = self.narrowed.iter().map(|(scope, _)| scope);
        listed(scopes.filter(|scope| scope.holds(project.as_str(), environment.map(Name::as_str))))
    }
}

pub struct PluginProblem {
    /// JSON pointer into the project file.
    pub place: String,
    pub plugin: Name,
    pub message: String,
}

impl fmt::Display for PluginProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Everything that stops a release of this definition from being deployable: plugins that are missing or of
/// another kind, and requests nobody granted. Found when the release is made, not in the middle of one; but for what
/// a phase may not do in one of the environments that its workflow runs in.
pub fn plugin_problems(
    project: &Name,
    definition: &Definition,
    approved: &BTreeMap<Name, ApprovedPlugin>,
) -> Vec<PluginProblem> {
    let mut problems = Vec::new();
    for (place, used) in definition.plugin_uses() {
        let name = used.plugin;
        let mut problem = |message: String| {
            problems.push(PluginProblem { place: place.clone(), plugin: name.clone(), message });
        };
        match approved.get(name) {
            None => problem(format!(
                "plugin `{name}` is not approved, or was retired; an operator can: `lockgate plugin approve {name}`, after `lockgate plugin add` where it is not here"
            )),
            Some(plugin) if plugin.kind != used.kind => problem(format!(
                "plugin `{name}` is a {} plugin, but a {} plugin is needed here",
                plugin.kind, used.kind
            )),
            Some(plugin) => {
                let requests = &plugin.description.requests;
                let never = ungranted(requests, &plugin.grants, used.config);
                let here = plugin.grants_in(project, used.environment);
                for Missing { what, flag } in ungranted(requests, &here, used.config) {
                    let why = match never.iter().any(|missing| missing.what == what) {
                        true => format!("which is not granted; an operator can: `{flag}`"),
                        false => format!(
                            "which was taken away in {}; an operator can give it back: `lockgate plugin widen {name} --in SCOPE --reason WHY`, or `narrow` it to more",
                            plugin.narrowed_in(project, used.environment)
                        ),
                    };
                    problem(format!("plugin `{name}` asks for {what}, {why}"));
                }
            }
        }
    }
    problems
}

struct Missing {
    what: String,
    /// With which an operator grants it.
    flag: String,
}

/// What this use of the plugin asks for that the grants do not hold, in words.
fn ungranted(requests: &Requests, grants: &Grants, config: &Value) -> Vec<Missing> {
    let mut missing = Vec::new();
    let mut misses = |what: String, flag: String| missing.push(Missing { what, flag });
    for origin in requested_values(&requests.http, config).filter_map(|url| origin_of_url(&url).ok()) {
        let needs_private = is_private(&origin);
        let granted = |grant: &HttpGrant| grant.origin == origin && (grant.private_network || !needs_private);
        if !grants.http.iter().any(granted) {
            let (where_to, flag) = match needs_private {
                true => (", at a private address", "--allow-private-http"),
                false => ("", "--allow-http"),
            };
            misses(format!("HTTP to {origin}{where_to}"), format!("{flag} {origin}"));
        }
    }
    for folder in requested_values(&requests.folders, config) {
        if !grants.folders.contains_key(&folder) {
            misses(format!("folder `{folder}`"), format!("--folder {folder}=/path"));
        }
    }
    for (requests, granted, flag) in
        [(&requests.secrets, &grants.secrets, "--secret"), (&requests.reveal, &grants.reveal, "--reveal-secret")]
    {
        let is_granted = |secret: &String| granted.iter().any(|granted| granted.as_str() == secret);
        for secret in requested_values(requests, config).filter(|secret| !is_granted(secret)) {
            misses(format!("secret `{secret}`"), format!("{flag} {secret}"));
        }
    }
    if requests.state && grants.state.is_none() {
        misses("state".to_owned(), "--state".to_owned());
    }
    let has_workspace = match requests.workspace {
        None => true,
        Some(Access::Read) => grants.workspace.is_some(),
        Some(Access::ReadWrite) => grants.workspace == Some(Access::ReadWrite),
    };
    if !has_workspace {
        misses("a workspace".to_owned(), "--workspace read-write".to_owned());
    }
    for tool in requested_values(&requests.tools, config) {
        if !grants.tools.contains_key(&tool) {
            misses(format!("the tool `{tool}`"), format!("--tool {tool}=/path --tool-args {tool}=..."));
        }
    }
    missing
}

/// The grants for one call: what was granted *and* asked for by this use, so that two
/// environments sharing a plugin do not see each other's folders, hosts and secrets.
pub fn narrowed(description: &Description, grants: &Grants, config: &Value) -> Grants {
    let origins: Vec<String> =
        requested_values(&description.requests.http, config).filter_map(|url| origin_of_url(&url).ok()).collect();
    let folders: Vec<String> = requested_values(&description.requests.folders, config).collect();
    let secrets = |requests: &[Requested], granted: &BTreeSet<Name>| -> BTreeSet<Name> {
        let asked: BTreeSet<String> = requested_values(requests, config).collect();
        granted.iter().filter(|secret| asked.contains(secret.as_str())).cloned().collect()
    };
    let tools: Vec<String> = requested_values(&description.requests.tools, config).collect();
    Grants {
        http: grants.http.iter().filter(|grant| origins.contains(&grant.origin)).cloned().collect(),
        folders: grants
            .folders
            .iter()
            .filter(|(name, _)| folders.contains(name))
            .map(|(name, grant)| (name.clone(), grant.clone()))
            .collect(),
        workspace: description.requests.workspace.and(grants.workspace),
        secrets: secrets(&description.requests.secrets, &grants.secrets),
        reveal: secrets(&description.requests.reveal, &grants.reveal),
        state: grants.state.clone().filter(|_| description.requests.state),
        tools: grants
            .tools
            .iter()
            .filter(|(name, _)| tools.contains(name))
            .map(|(name, grant)| (name.clone(), grant.clone()))
            .collect(),
        limits: grants.limits.clone(),
    }
}

fn requested_values<'a>(requests: &'a [Requested], config: &'a Value) -> impl Iterator<Item = String> + 'a {
    requests.iter().filter_map(|request| match request {
        Requested::Named(value) => Some(value.clone()),
        Requested::Config(pointer) => config.pointer(pointer).and_then(Value::as_str).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_content_gives_equal_text_whatever_the_order_of_keys() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":{"c":2,"d":[3]}}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b":{"d":[3],"c":2},"a":1}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&other));
    }

    #[test]
    fn a_copy_that_was_changed_has_a_digest_of_its_own() {
        let release: Release = serde_json::from_value(serde_json::json!({
            "tag": "v1", "description": "first", "artifacts": [], "workflows": {}, "plugins": {},
            "created_by": { "person": "ada", "via": "laptop" }, "involved": [], "created_at": 0,
            "status": "Draft", "was_live": false,
        }))
        .unwrap();
        assert_eq!(release.digest(), release.digest());
        let edited = Release { description: "second".to_owned(), ..release.clone() };
        assert_ne!(edited.digest(), release.digest());
    }

    /// Otherwise a digest would be another one after a restart.
    #[test]
    fn a_number_is_the_same_after_it_was_written_and_read() {
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..100_000 {
            let number = f64::from_bits(rng.u64(..));
            let Some(written) = serde_json::Number::from_f64(number).map(Value::Number) else { continue };
            let read: Value = serde_json::from_str(&canonical(&written)).unwrap();
            assert_eq!(canonical(&read), canonical(&written));
        }
    }
}
