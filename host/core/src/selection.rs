//! What a deployment changes, as far as it is known before it starts: selections, write sets, and what overlaps.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::definition::PhaseWork;
use crate::deployment::{Deployment, DeploymentType};
use crate::name::Name;
use crate::plugin::{ChangeAction, ResourceChange};

/// One thing that a SELECTIVE deployment changes. What is left out stands for all there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    #[serde(default)]
    pub application: Option<Name>,
    #[serde(default)]
    pub resource_type: Option<String>,
    #[serde(default)]
    pub resource_name: Option<String>,
    /// What may be done to it; none: whatever the plan says.
    #[serde(default)]
    pub action: Option<ChangeAction>,
}

impl Selection {
    /// Whether a resource could be of both. Actions are not looked at: two that touch one resource are in each other's way.
    fn overlaps(&self, other: &Self) -> bool {
        fn both<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_none_or(|(one, other)| one == other)
        }
        both(self.application.as_ref(), other.application.as_ref())
            && both(self.resource_type.as_ref(), other.resource_type.as_ref())
            && both(self.resource_name.as_ref(), other.resource_name.as_ref())
    }

    pub fn covers(&self, change: &ResourceChange) -> bool {
        self.is_about(&change.application, &change.kind, &change.name)
            && self.action.is_none_or(|action| action == change.action)
    }

    /// Whatever is done to it.
    pub fn is_about(&self, application: &str, kind: &str, name: &str) -> bool {
        self.application.as_ref().is_none_or(|selected| selected.as_str() == application)
            && self.resource_type.as_ref().is_none_or(|selected| selected == kind)
            && self.resource_name.as_ref().is_none_or(|selected| selected == name)
    }
}

impl std::fmt::Display for Selection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.resource_type.as_deref().unwrap_or("*");
        let name = self.resource_name.as_deref().unwrap_or("*");
        write!(f, "{kind}/{name}")?;
        if let Some(application) = &self.application {
            write!(f, " of {application}")?;
        }
        match self.action {
            Some(action) => write!(f, " ({})", action.word()),
            None => Ok(()),
        }
    }
}

/// What a deployment may change in its environment. Its plan is held to it, so it is known before there is a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteSet {
    Everything,
    Parts { selections: Vec<Selection>, locks: BTreeSet<String> },
}

impl WriteSet {
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => true,
            (Self::Parts { selections, locks }, Self::Parts { selections: others, locks: held }) => {
                let meets = |selection: &Selection| others.iter().any(|other| selection.overlaps(other));
                selections.iter().any(meets) || !locks.is_disjoint(held)
            }
        }
    }
}

impl Deployment {
    /// FULL counts as everything, and so does a phase that does not name what it locks.
    pub fn write_set(&self) -> WriteSet {
        if self.deployment_type != DeploymentType::Selective {
            return WriteSet::Everything;
        }
        let mut locks = BTreeSet::new();
        for phase in &self.workflow().phases {
            match (&phase.work, &phase.locks) {
                (_, Some(named)) => locks.extend(named.iter().cloned()),
                (PhaseWork::Plugin { .. }, None) => return WriteSet::Everything,
                (PhaseWork::Apply { .. } | PhaseWork::Gates(_) | PhaseWork::Manual { .. }, None) => {}
            }
        }
        WriteSet::Parts { selections: self.selections.clone(), locks }
    }

    /// Of which applications it moves what is current; `None`: of the whole, as where what it changes belongs to none.
    pub fn applies_to(&self) -> Option<BTreeSet<Name>> {
        let plans = self.attempt.phases.iter().filter_map(|run| run.plan.as_ref());
        let changes = plans.flat_map(|plan| &plan.planned.changes).any(|change| change.action != ChangeAction::NoOp);
        self.applications().filter(|applications| !applications.is_empty() || !changes)
    }

    /// Of which applications it moves what is live; `None`: of all.
    pub fn applications(&self) -> Option<BTreeSet<Name>> {
        if self.deployment_type != DeploymentType::Selective {
            return None;
        }
        let plans = self.attempt.phases.iter().filter_map(|run| run.plan.as_ref());
        let planned = plans.flat_map(|plan| &plan.planned.changes).filter_map(|change| change.application.parse().ok());
        Some(self.selections.iter().filter_map(|selection| selection.application.clone()).chain(planned).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(application: &str, kind: &str, name: &str) -> Selection {
        let some = |text: &str| (text != "*").then(|| text.to_owned());
        Selection {
            application: some(application).map(|text| text.parse().unwrap()),
            resource_type: some(kind),
            resource_name: some(name),
            action: None,
        }
    }

    fn parts(selections: &[(&str, &str, &str)], locks: &[&str]) -> WriteSet {
        WriteSet::Parts {
            selections: selections.iter().map(|(application, kind, name)| selection(application, kind, name)).collect(),
            locks: locks.iter().map(|lock| (*lock).to_owned()).collect(),
        }
    }

    #[test]
    fn two_overlap_unless_something_tells_them_apart() {
        let web = parts(&[("web", "*", "*")], &[]);
        let rows = [
            (parts(&[("web", "file", "a")], &[]), true),
            (parts(&[("api", "file", "a")], &[]), false),
            (parts(&[("*", "file", "a")], &[]), true),
            (parts(&[("api", "*", "*"), ("web", "*", "*")], &[]), true),
            (parts(&[], &["database"]), false),
            (WriteSet::Everything, true),
        ];
        for (other, expected) in rows {
            assert_eq!((web.overlaps(&other), other.overlaps(&web)), (expected, expected), "{other:?}");
        }
        assert!(parts(&[("web", "*", "*")], &["db"]).overlaps(&parts(&[("api", "*", "*")], &["db"])));
        assert!(!parts(&[("*", "file", "a")], &[]).overlaps(&parts(&[("*", "file", "b")], &[])));
        assert!(!parts(&[("*", "file", "a")], &[]).overlaps(&parts(&[("*", "table", "a")], &[])));
    }
}
