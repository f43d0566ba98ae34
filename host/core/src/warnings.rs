//! What a project file says and nobody could go on with as things are. It is taken all the same: what it lacks may still come.

use std::collections::{BTreeMap, BTreeSet};

use crate::approval::{asked, excluded, too_few_for};
use crate::calendar::FreezeEffect;
use crate::definition::{ApprovalPolicy, ApprovalRule, Definition, Environment, PhaseWork};
use crate::deployment::{Approval, Deployment};
use crate::name::{Name, Timestamp};
use crate::release::plugin_problems;
use crate::system::{Role, SystemState};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// JSON pointer into the project file.
    pub path: String,
    pub what: Lack,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// No release can be made without it.
    PluginNotApproved {
        plugin: Name,
        was_added: bool,
    },
    /// It is approved, and a release is refused all the same.
    PluginNotReady {
        why: String,
    },
    NobodyApproves {
        rules: Vec<ApprovalRule>,
        shortage: Shortage,
    },
    /// None of those who may say how a manual phase goes on has a token.
    NobodyAnswers {
        groups: BTreeSet<String>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shortage {
    /// The first rule that too few are left for.
    Of(ApprovalRule),
    /// There are enough, but nobody beside them whose release it could be.
    OfWhoReleases,
}

/// Who has a token and may answer, each with the groups of all their tokens.
#[derive(Debug)]
pub struct People(BTreeMap<String, BTreeSet<String>>);

impl People {
    pub fn of(system: &SystemState) -> Self {
        let mut people: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for token in system.tokens.values().filter(|token| !token.revoked && token.role >= Role::Member) {
            people.entry(token.person.clone()).or_default().extend(token.groups.iter().cloned());
        }
        Self(people)
    }

    /// What an approval that is asked for will not get from those who are left.
    pub fn too_few_to_complete(&self, deployment: &Deployment, approval: &Approval) -> Option<ApprovalRule> {
        let excluded = excluded(deployment, approval);
        let left = self.0.iter().filter(|(person, _)| !excluded.contains(person.as_str()));
        let given = approval.given.iter().map(|signature| &signature.by.groups);
        let people: Vec<&BTreeSet<String>> = given.chain(left.map(|(_, groups)| groups)).collect();
        too_few_for(&approval.policy.rules, &people).cloned()
    }

    /// Groups of which nobody is there; no groups: anybody would do.
    pub fn has_none_of<'a>(&self, groups: impl IntoIterator<Item = &'a String>) -> bool {
        let mut groups = groups.into_iter().peekable();
        let is_there = |group: &String| self.0.values().any(|theirs| theirs.contains(group));
        groups.peek().is_some() && !groups.any(is_there)
    }

    fn shortage(&self, rules: &[ApprovalRule], not_your_own: bool) -> Option<Shortage> {
        let people: Vec<&BTreeSet<String>> = self.0.values().collect();
        if let Some(rule) = too_few_for(rules, &people) {
            return Some(Shortage::Of(rule.clone()));
        }
        let needs_another = not_your_own && !rules.is_empty();
        (needs_another && asked(rules) >= people.len() as u64).then_some(Shortage::OfWhoReleases)
    }
}

pub fn warnings(project: &Name, definition: &Definition, system: &SystemState, now: Timestamp) -> Vec<Warning> {
    let people = People::of(system);
    let mut warnings = of_plugins(project, definition, system);
    for (name, meant) in definition.environments.iter().filter(|(_, meant)| !definition.asks_nobody(meant)) {
        warnings.extend(of_approvals(name, meant, &people));
    }
    warnings.extend(of_freezes(definition, &people, now));
    warnings.extend(of_manual_phases(definition, &people));
    warnings
}

/// One that is not approved is named once, however often it is used.
fn of_plugins(project: &Name, definition: &Definition, system: &SystemState) -> Vec<Warning> {
    let mut named = BTreeSet::new();
    let (mut warnings, approved) = (Vec::new(), system.approved(project));
    for (path, used) in definition.plugin_uses() {
        let plugin = used.plugin;
        if approved.contains_key(plugin) || !named.insert(plugin) {
            continue;
        }
        let was_added = system.plugins.values().any(|known| known.name == *plugin);
        let what = Lack::PluginNotApproved { plugin: plugin.clone(), was_added };
        warnings.push(Warning { path: format!("{path}/plugin"), what });
    }
    let problems = plugin_problems(project, definition, &approved).into_iter();
    let others = problems.filter(|problem| approved.contains_key(&problem.plugin));
    let warning = |why: String, path| Warning { path, what: Lack::PluginNotReady { why } };
    warnings.extend(others.map(|problem| warning(problem.message, problem.place)));
    warnings
}

fn of_approvals(environment: &Name, meant: &Environment, people: &People) -> Vec<Warning> {
    let policies = [
        ("approvals", &meant.approvals),
        ("post_approvals", &meant.post_approvals),
        ("rollback_approvals", &meant.rollback_approvals),
    ];
    let warning = |(key, policy): (&str, &ApprovalPolicy)| {
        let shortage = people.shortage(&policy.rules, policy.not_your_own)?;
        let what = Lack::NobodyApproves { rules: policy.rules.clone(), shortage };
        Some(Warning { path: format!("/environments/{environment}/{key}"), what })
    };
    policies.into_iter().filter_map(warning).collect()
}

/// While one is in force its people are asked for beside the environment's own.
fn of_freezes(definition: &Definition, people: &People, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (index, freeze) in definition.freezes.iter().enumerate().filter(|(_, freeze)| freeze.period.ends_at() > now) {
        let FreezeEffect::Stricter { rules } = &freeze.effect else { continue };
        let asking = definition.environments.iter().filter(|(_, meant)| !definition.asks_nobody(meant));
        let lacking = asking.filter(|(name, _)| freeze.concerns(name)).find_map(|(_, meant)| {
            let Environment { approvals, .. } = meant.as_ref();
            let without = people.shortage(&approvals.rules, approvals.not_your_own);
            let rules = [&approvals.rules[..], rules].concat();
            let shortage = people.shortage(&rules, approvals.not_your_own).filter(|_| without.is_none())?;
            Some(Lack::NobodyApproves { rules, shortage })
        });
        warnings.extend(lacking.map(|what| Warning { path: format!("/freezes/{index}"), what }));
    }
    warnings
}

fn of_manual_phases(definition: &Definition, people: &People) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (name, workflow) in &definition.workflows {
        for (index, phase) in workflow.phases.iter().enumerate() {
            let PhaseWork::Manual { groups, .. } = &phase.work else { continue };
            if people.has_none_of(groups) {
                let path = format!("/workflows/{name}/phases/{index}/manual");
                warnings.push(Warning { path, what: Lack::NobodyAnswers { groups: groups.clone() } });
            }
        }
    }
    warnings
}
