//! Less than a plugin was approved for, in one project or one environment. A narrowing belongs to the plugin's name: a
//! digest that is approved later is bound by it, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{Actor, Name, Timestamp};
use crate::plugin::{Access, FolderGrant, Grants, HttpGrant, Limits, ToolGrant, ToolLimits};

/// Of one plugin.
pub const MOST: usize = 1_000;

/// `shop`, or `shop/production`: a project, or one environment of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope {
    pub project: Name,
    pub environment: Option<Name>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Narrowing {
    /// The most that it may do there.
    pub grants: Grants,
    pub reason: String,
    pub by: Actor,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no scope; write a project, such as `shop`, or an environment of it, such as `shop/production`")]
pub struct InvalidScope {
    text: String,
}

impl Scope {
    /// Whether an environment is in it. No environment: the project as a whole.
    pub fn holds(&self, project: &str, environment: Option<&str>) -> bool {
        let is_of = |of: &Name| environment == Some(of.as_str());
        self.project.as_str() == project && self.environment.as_ref().is_none_or(is_of)
    }
}

/// What is left of what was approved: all that speak of a place must allow it.
pub fn left<'a>(
    approved: &Grants,
    narrowed: impl IntoIterator<Item = (&'a Scope, &'a Grants)>,
    project: &str,
    environment: Option<&str>,
) -> Grants {
    let here = narrowed.into_iter().filter(|(scope, _)| scope.holds(project, environment));
    here.fold(approved.clone(), |left, (_, most)| left.and(most))
}

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let invalid = || InvalidScope { text: text.chars().take(130).collect() };
        let (project, environment) = match text.split_once('/') {
            Some((project, environment)) => (project, Some(environment)),
            None => (text, None),
        };
        let environment = environment.map(Name::from_str).transpose().map_err(|_| invalid())?;
        Ok(Self { project: project.parse().map_err(|_| invalid())?, environment })
    }
}

impl Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.environment {
            Some(environment) => write!(f, "{}/{environment}", self.project),
            None => write!(f, "{}", self.project),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidScope;

    fn try_from(text: String) -> Result<Self, InvalidScope> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(place: Scope) -> Self {
        place.to_string()
    }
}

impl Grants {
    /// What both allow. What a folder or a tool is, the first of them says: the other allows it by its name.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            http: self.http.iter().flat_map(|one| other.http.iter().filter_map(|two| one.and(two))).collect(),
            folders: in_both(&self.folders, &other.folders, FolderGrant::and),
            workspace: self.workspace.zip(other.workspace).map(|(one, two)| one.and(two)),
            secrets: &self.secrets & &other.secrets,
            reveal: &self.reveal & &other.reveal,
            state: self.state.clone().filter(|namespace| other.state.as_ref() == Some(namespace)),
            tools: in_both(&self.tools, &other.tools, ToolGrant::and),
            limits: self.limits.and(&other.limits),
        }
    }
}

fn in_both<G>(
    one: &BTreeMap<String, G>,
    two: &BTreeMap<String, G>,
    and: fn(&G, &G) -> Option<G>,
) -> BTreeMap<String, G> {
    one.iter().filter_map(|(name, grant)| Some((name.clone(), and(grant, two.get(name)?)?))).collect()
}

impl HttpGrant {
    fn and(&self, other: &Self) -> Option<Self> {
        let methods: BTreeSet<String> = match (self.methods.is_empty(), other.methods.is_empty()) {
            (true, _) => other.methods.clone(),
            (_, true) => self.methods.clone(),
            (false, false) => &self.methods & &other.methods,
        };
        // No method in common: without names it would mean every one.
        let none_left = methods.is_empty() && !(self.methods.is_empty() && other.methods.is_empty());
        if self.origin != other.origin || none_left {
            return None;
        }
        let private_network = self.private_network && other.private_network;
        Some(Self { origin: self.origin.clone(), private_network, methods })
    }
}

impl FolderGrant {
    fn and(&self, other: &Self) -> Option<Self> {
        Some(Self { path: self.path.clone(), access: self.access.and(other.access) })
    }
}

impl Access {
    fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Read }
    }
}

impl ToolGrant {
    fn and(&self, other: &Self) -> Option<Self> {
        let args: Vec<_> = self.args.iter().filter(|args| other.args.contains(args)).cloned().collect();
        (!args.is_empty()).then(|| Self { args, limits: self.limits.and(other.limits), ..self.clone() })
    }
}

impl ToolLimits {
    fn and(self, other: Self) -> Self {
        Self {
            wall_ms: self.wall_ms.min(other.wall_ms),
            cpu_ms: self.cpu_ms.min(other.cpu_ms),
            memory_bytes: self.memory_bytes.min(other.memory_bytes),
            output_bytes: self.output_bytes.min(other.output_bytes),
            processes: self.processes.min(other.processes),
        }
    }
}

impl Limits {
    fn and(&self, other: &Self) -> Self {
        let at_once = [self.concurrent_calls, other.concurrent_calls];
        Self {
            memory_bytes: self.memory_bytes.min(other.memory_bytes),
            cpu_ms: self.cpu_ms.min(other.cpu_ms),
            wall_ms: self.wall_ms.min(other.wall_ms),
            log_bytes: self.log_bytes.min(other.log_bytes),
            output_bytes: self.output_bytes.min(other.output_bytes),
            http_body_bytes: self.http_body_bytes.min(other.http_body_bytes),
            concurrent_calls: at_once.into_iter().flatten().min(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn http(origin: &str, private_network: bool, methods: &[&str]) -> HttpGrant {
        let methods = methods.iter().map(|method| (*method).to_owned()).collect();
        HttpGrant { origin: format!("https://{origin}:443"), private_network, methods }
    }

    fn folder(path: &str, access: Access) -> FolderGrant {
        FolderGrant { path: path.to_owned(), access }
    }

    fn tool(args: &[&str], content: &str) -> ToolGrant {
        ToolGrant {
            path: "/bin/db".to_owned(),
            digest: Digest::of(content.as_bytes()),
            args: args.iter().map(|item| vec![(*item).to_owned()]).collect(),
            env: BTreeMap::new(),
            limits: ToolLimits::default(),
        }
    }

    fn named<G>(all: Vec<(&str, G)>) -> BTreeMap<String, G> {
        all.into_iter().map(|(name, grant)| (name.to_owned(), grant)).collect()
    }

    /// One grant of each kind, what narrows it, and what is left.
    #[test]
    fn both_must_allow_it() {
        let (all, none) = (Grants::default(), Grants::default());
        let https = |grants: &[HttpGrant]| Grants { http: grants.iter().cloned().collect(), ..Grants::default() };
        let folders = |grants| Grants { folders: named(grants), ..Grants::default() };
        let workspace = |access| Grants { workspace: Some(access), ..Grants::default() };
        let state = |namespace: &str| Grants { state: Some(namespace.parse().unwrap()), ..Grants::default() };
        let tools = |grants| Grants { tools: named(grants), ..Grants::default() };
        let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let secrets = |of: &[&str]| Grants { secrets: names(of), ..Grants::default() };
        let reveal = |of: &[&str]| Grants { reveal: names(of), ..Grants::default() };
        let (read, write) = (Access::Read, Access::ReadWrite);
        let table = [
            (all, none.clone(), none.clone()),
            (https(&[http("a", true, &[])]), none.clone(), none.clone()),
            (https(&[http("a", true, &[])]), https(&[http("b", true, &[])]), none.clone()),
            (
                https(&[http("a", true, &[])]),
                https(&[http("a", false, &["GET"])]),
                https(&[http("a", false, &["GET"])]),
            ),
            (https(&[http("a", true, &["GET"])]), https(&[http("a", true, &["POST"])]), none.clone()),
            (https(&[http("a", true, &[])]), https(&[http("a", true, &[])]), https(&[http("a", true, &[])])),
            (folders(vec![("site", folder("/srv", write))]), none.clone(), none.clone()),
            (
                folders(vec![("site", folder("/srv", write)), ("other", folder("/o", read))]),
                folders(vec![("site", folder("/srv", read))]),
                folders(vec![("site", folder("/srv", read))]),
            ),
            (workspace(write), none.clone(), none.clone()),
            (workspace(write), workspace(read), workspace(read)),
            (workspace(write), workspace(write), workspace(write)),
            (secrets(&["a", "b"]), secrets(&["b", "c"]), secrets(&["b"])),
            (reveal(&["a", "b"]), reveal(&["b", "c"]), reveal(&["b"])),
            (reveal(&["a"]), secrets(&["a"]), none.clone()),
            (state("a"), none.clone(), none.clone()),
            (state("a"), state("b"), none.clone()),
            (state("a"), state("a"), state("a")),
            (tools(vec![("db", tool(&["up", "down"], "1"))]), none.clone(), none.clone()),
            (
                tools(vec![("db", tool(&["up", "down"], "1"))]),
                tools(vec![("db", tool(&["up", "drop"], "1"))]),
                tools(vec![("db", tool(&["up"], "1"))]),
            ),
            (tools(vec![("db", tool(&["up"], "1"))]), tools(vec![("db", tool(&["drop"], "1"))]), none),
        ];
        for (one, two, left) in table {
            assert_eq!(one.and(&two), left, "{one:?} and {two:?}");
            assert_eq!(two.and(&one), left, "{two:?} and {one:?}");
        }
    }

    /// Else an upgrade of the tool would take it away wherever the plugin is narrowed.
    #[test]
    fn a_folder_and_a_tool_are_what_was_approved_whatever_narrows_them() {
        let of = |path, content| Grants {
            folders: named(vec![("site", folder(path, Access::ReadWrite))]),
            tools: named(vec![("db", tool(&["up"], content))]),
            ..Grants::default()
        };
        assert_eq!(of("/srv", "new").and(&of("/old", "old")), of("/srv", "new"));
    }

    #[test]
    fn the_lower_of_two_limits_counts() {
        let low = Limits {
            memory_bytes: 1,
            cpu_ms: 1,
            wall_ms: 1,
            log_bytes: 1,
            output_bytes: 1,
            http_body_bytes: 1,
            concurrent_calls: Some(1),
        };
        let with = |limits: &Limits| Grants { limits: limits.clone(), ..Grants::default() };
        assert_eq!(with(&low).and(&Grants::default()), with(&low));
        assert_eq!(Grants::default().and(&with(&low)), with(&low));

        let low = ToolLimits { wall_ms: 1, cpu_ms: 1, memory_bytes: 1, output_bytes: 1, processes: 1 };
        assert_eq!(low.and(ToolLimits::default()), low);
        assert_eq!(ToolLimits::default().and(low), low);
    }

    #[test]
    fn a_scope_is_a_project_or_an_environment() {
        for text in ["shop", "shop/production"] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        for wrong in ["", "/", "shop/", "/production", "shop/production/web", "Shop", "shop/*"] {
            assert!(wrong.parse::<Scope>().unwrap_err().to_string().contains("is no scope"), "{wrong}");
        }
    }
}
