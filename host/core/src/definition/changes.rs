//! What a new definition of a project changes: in each of its parts, the keys of the project file that differ.

use std::collections::{BTreeMap, BTreeSet};

use super::{Definition, Environment, Workflow};
use crate::name::Name;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub part: Part,
    pub kind: ChangeKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
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

/// The project first, then what is in it by name. Without a definition before there was no project.
pub fn changes(before: Option<&Definition>, after: &Definition) -> Vec<Change> {
    let project = match before {
        None => Some(ChangeKind::Added),
        Some(before) => Some(in_project(before, after)).filter(|keys| !keys.is_empty()).map(ChangeKind::Changed),
    };
    let project = project.map(|kind| Change { part: Part::Project, kind });
    let nothing = Definition::default();
    project.into_iter().chain(in_parts(before.unwrap_or(&nothing), after)).collect()
}

fn in_project(before: &Definition, after: &Definition) -> Vec<&'static str> {
    // All fields, here and below: a new one has to find its place.
    let Definition {
        description,
        approvals_off,
        parallel,
        limits,
        freezes,
        applications: _,
        environments: _,
        workflows: _,
        endpoints: _,
    } = before;
    differing([
        ("description", *description != after.description),
        ("approval_workflow", *approvals_off != after.approvals_off),
        ("parallel", *parallel != after.parallel),
        ("limits", *limits != after.limits),
        ("freezes", *freezes != after.freezes),
    ])
}

fn in_parts(before: &Definition, after: &Definition) -> impl Iterator<Item = Change> {
    let unnamed = |names: &BTreeSet<Name>| names.iter().map(|name| (name.clone(), ())).collect();
    let applications =
        between(&unnamed(&before.applications), &unnamed(&after.applications), Part::Application, |(), ()| Vec::new());
    let environments = between(&before.environments, &after.environments, Part::Environment, |before, after| {
        in_environment(before, after)
    });
    let workflows =
        between(&before.workflows, &after.workflows, Part::Workflow, |before, after| in_workflow(before, after));
    let endpoints = between(&before.endpoints, &after.endpoints, Part::Endpoint, |_, _| Vec::new());
    applications.into_iter().chain(environments).chain(workflows).chain(endpoints)
}

fn between<T: PartialEq>(
    before: &BTreeMap<Name, T>,
    after: &BTreeMap<Name, T>,
    part: impl Fn(Name) -> Part,
    keys: impl Fn(&T, &T) -> Vec<&'static str>,
) -> Vec<Change> {
    let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
    let change = |name: &Name| match (before.get(name), after.get(name)) {
        (None, _) => Some(ChangeKind::Added),
        (_, None) => Some(ChangeKind::Removed),
        (Some(before), Some(after)) => (before != after).then(|| ChangeKind::Changed(keys(before, after))),
    };
    names.into_iter().filter_map(|name| change(name).map(|kind| Change { part: part(name.clone()), kind })).collect()
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
    use crate::definition::{ApprovalPolicy, GateSet, OnFailure, Promotion, QueuePolicy, Requirement, WorkflowStage};

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_the_same_has_no_changes() {
        let definition = Definition { description: "a shop".to_owned(), ..Definition::default() };
        assert_eq!(changes(Some(&definition), &definition.clone()), []);
    }

    #[test]
    fn a_project_that_there_was_not_is_added_with_all_that_is_in_it() {
        let definition = Definition {
            description: "a shop".to_owned(),
            applications: [name("web")].into(),
            ..Definition::default()
        };
        let added = |part| Change { part, kind: ChangeKind::Added };
        assert_eq!(changes(None, &definition), [added(Part::Project), added(Part::Application(name("web")))]);
    }

    #[test]
    fn what_comes_goes_and_differs_is_named_with_its_keys() {
        let environment = |workflow: &str, key: &str| {
            let variables = [("KEY".to_owned(), key.to_owned())].into();
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
            (Part::Project, ChangeKind::Changed(vec!["description", "approval_workflow"])),
            (Part::Application(name("api")), ChangeKind::Removed),
            (Part::Environment(name("new")), ChangeKind::Added),
            (Part::Environment(name("old")), ChangeKind::Removed),
            (Part::Environment(name("prod")), ChangeKind::Changed(vec!["workflow", "variables"])),
            (Part::Endpoint(name("nightly")), ChangeKind::Changed(vec![])),
        ];
        assert_eq!(changes(Some(&before), &after), expected.map(|(part, kind)| Change { part, kind }));
    }

    #[test]
    fn each_key_of_an_environment_is_named_where_it_differs() {
        let rule = ApprovalPolicy { not_your_own: false, ..ApprovalPolicy::default() };
        let gates = Some(GateSet { delay_ms: 0, interval_ms: 1, steady_ms: 0, timeout_ms: 1, gates: Vec::new() });
        let differs = |change: fn(&mut Environment, ApprovalPolicy, Option<GateSet>)| {
            let mut after = Environment::default();
            change(&mut after, rule.clone(), gates.clone());
            in_environment(&Environment::default(), &after)
        };
        assert_eq!(differs(|it, _, _| it.approvals_off = true), ["approval_workflow"]);
        assert_eq!(differs(|it, rule, _| it.approvals = rule), ["approvals"]);
        assert_eq!(differs(|it, rule, _| it.post_approvals = rule), ["post_approvals"]);
        assert_eq!(differs(|it, rule, _| it.rollback_approvals = rule), ["rollback_approvals"]);
        assert_eq!(differs(|it, _, gates| it.pre_gates = gates), ["gates"]);
        assert_eq!(differs(|it, _, gates| it.post_gates = gates), ["gates"]);
        assert_eq!(differs(|it, _, _| it.queue = QueuePolicy::Latest), ["queue"]);
        assert_eq!(
            differs(|it, _, _| it.requires = vec![Requirement { environment: name("staging"), for_ms: 0 }]),
            ["requires"]
        );
        assert_eq!(
            differs(
                |it, _, _| it.promotion = Some(Promotion { from: name("staging"), automatic: true, partial: false })
            ),
            ["promotion"]
        );
        assert_eq!(differs(|it, _, _| it.unattended.forced = true), ["unattended"]);
        assert_eq!(differs(|it, _, _| it.expires_after_ms = Some(1)), ["expires_after"]);
    }

    #[test]
    fn each_key_of_a_workflow_is_named_where_it_differs() {
        let before = Workflow {
            stage: WorkflowStage::Patch,
            goes_live: true,
            on_failure: OnFailure::default(),
            timeout_ms: None,
            phases: Vec::new(),
        };
        let differs = |change: fn(&mut Workflow)| {
            let mut after = before.clone();
            change(&mut after);
            in_workflow(&before, &after)
        };
        assert_eq!(differs(|it| it.stage = WorkflowStage::Setup), ["stage"]);
        assert_eq!(differs(|it| it.goes_live = false), ["goes_live"]);
        assert_eq!(differs(|it| it.on_failure = OnFailure::Undo), ["on_failure"]);
        assert_eq!(differs(|it| it.timeout_ms = Some(1)), ["timeout"]);
        assert_eq!(differs(|_| ()), [""; 0]);
    }
}
