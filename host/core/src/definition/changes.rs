//! What a new definition of a project changes: of each thing with a name, the keys of the project file that differ.

use std::collections::{BTreeMap, BTreeSet};

use super::{Definition, Environment, Workflow};
use crate::name::Name;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub thing: Thing,
    pub kind: ChangeKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// What holds for all of it.
    Project,
    Application(Name),
    Environment(Name),
    Workflow(Name),
    Endpoint(Name),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    Added,
    Removed,
    /// In these keys; none where it is one value.
    Changed(Vec<&'static str>),
}

/// The project first, then what is in it by name.
pub fn changes(before: &Definition, after: &Definition) -> Vec<Change> {
    // All fields, by name: a new one has to find its place here.
    let Definition {
        description,
        applications,
        environments,
        workflows,
        endpoints,
        approvals_off,
        parallel,
        limits,
        freezes,
    } = before;
    let of_the_project = differing([
        ("description", *description != after.description),
        ("approval_workflow", *approvals_off != after.approvals_off),
        ("parallel", *parallel != after.parallel),
        ("limits", *limits != after.limits),
        ("freezes", *freezes != after.freezes),
    ]);
    let project = Change { thing: Thing::Project, kind: ChangeKind::Changed(of_the_project) };
    let unnamed = |names: &BTreeSet<Name>| names.iter().map(|name| (name.clone(), ())).collect();
    let no_keys = |_: &_, _: &_| Vec::new();
    std::iter::once(project)
        .filter(|project| project.kind != ChangeKind::Changed(Vec::new()))
        .chain(between(&unnamed(applications), &unnamed(&after.applications), Thing::Application, |(), ()| Vec::new()))
        .chain(between(environments, &after.environments, Thing::Environment, |before, after| {
            in_environment(before, after)
        }))
        .chain(between(workflows, &after.workflows, Thing::Workflow, |before, after| in_workflow(before, after)))
        .chain(between(endpoints, &after.endpoints, Thing::Endpoint, no_keys))
        .collect()
}

fn between<T: PartialEq>(
    before: &BTreeMap<Name, T>,
    after: &BTreeMap<Name, T>,
    thing: impl Fn(Name) -> Thing,
    keys: impl Fn(&T, &T) -> Vec<&'static str>,
) -> Vec<Change> {
    let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
    let change = |name: &Name| match (before.get(name), after.get(name)) {
        (None, _) => Some(ChangeKind::Added),
        (_, None) => Some(ChangeKind::Removed),
        (Some(before), Some(after)) => (before != after).then(|| ChangeKind::Changed(keys(before, after))),
    };
    names.into_iter().filter_map(|name| change(name).map(|kind| Change { thing: thing(name.clone()), kind })).collect()
}

fn in_environment(before: &Environment, after: &Environment) -> Vec<&'static str> {
    let Environment {
        variables,
        targets,
        workflow,
        queue,
        approvals_off,
        approvals,
        post_approvals,
        rollback_approvals,
        pre_gates,
        post_gates,
        requires,
        promotion,
        availability,
        schedule,
        unattended,
        expires_after_ms,
    } = before;
    differing([
        ("workflow", *workflow != after.workflow),
        ("variables", *variables != after.variables),
        ("targets", *targets != after.targets),
        ("queue", *queue != after.queue),
        ("approval_workflow", *approvals_off != after.approvals_off),
        ("approvals", *approvals != after.approvals),
        ("post_approvals", *post_approvals != after.post_approvals),
        ("rollback_approvals", *rollback_approvals != after.rollback_approvals),
        ("gates", *pre_gates != after.pre_gates || *post_gates != after.post_gates),
        ("requires", *requires != after.requires),
        ("promotion", *promotion != after.promotion),
        ("availability", *availability != after.availability),
        ("schedule", *schedule != after.schedule),
        ("unattended", *unattended != after.unattended),
        ("expires_after", *expires_after_ms != after.expires_after_ms),
    ])
}

fn in_workflow(before: &Workflow, after: &Workflow) -> Vec<&'static str> {
    let Workflow { stage, goes_live, on_failure, timeout_ms, phases } = before;
    differing([
        ("stage", *stage != after.stage),
        ("goes_live", *goes_live != after.goes_live),
        ("on_failure", *on_failure != after.on_failure),
        ("timeout", *timeout_ms != after.timeout_ms),
        ("phases", *phases != after.phases),
    ])
}

fn differing<const KEYS: usize>(keys: [(&'static str, bool); KEYS]) -> Vec<&'static str> {
    keys.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_the_same_has_no_changes() {
        let definition = Definition { description: "a shop".to_owned(), ..Definition::default() };
        assert_eq!(changes(&definition, &definition.clone()), []);
    }

    #[test]
    fn what_comes_goes_and_differs_is_named_with_its_keys() {
        let environment = |workflow: &str, secret: &str| {
            let variables = [("KEY".to_owned(), secret.to_owned())].into();
            Arc::new(Environment { workflow: Some(name(workflow)), variables, ..Environment::default() })
        };
        let before = Definition {
            applications: [name("web"), name("api")].into(),
            environments: [(name("old"), environment("w", "1")), (name("prod"), environment("w", "1"))].into(),
            endpoints: [(name("nightly"), name("w"))].into(),
            ..Definition::default()
        };
        let after = Definition {
            description: "a shop".to_owned(),
            applications: [name("web")].into(),
            environments: [(name("new"), environment("w", "1")), (name("prod"), environment("v", "2"))].into(),
            endpoints: [(name("nightly"), name("v"))].into(),
            approvals_off: true,
            ..Definition::default()
        };
        let expected = [
            (Thing::Project, ChangeKind::Changed(vec!["description", "approval_workflow"])),
            (Thing::Application(name("api")), ChangeKind::Removed),
            (Thing::Environment(name("new")), ChangeKind::Added),
            (Thing::Environment(name("old")), ChangeKind::Removed),
            (Thing::Environment(name("prod")), ChangeKind::Changed(vec!["workflow", "variables"])),
            (Thing::Endpoint(name("nightly")), ChangeKind::Changed(vec![])),
        ];
        assert_eq!(changes(&before, &after), expected.map(|(thing, kind)| Change { thing, kind }));
    }
}
