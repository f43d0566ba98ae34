//! Releases: made from the definition as it is, activated, abandoned.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{LONGEST_TEXT, MOST_ARTIFACTS, NewRelease, Rejection, Turn, at_most, unknown_release};
use crate::definition::WorkflowStage;
use crate::name::{Actor, Tag};
use crate::release::{Release, ReleaseStatus, plugin_problems};
use crate::state::{State, What};

pub(super) fn create(turn: &mut Turn, new: NewRelease) -> Result<(), Rejection> {
    at_most("the description's length", new.description.len(), LONGEST_TEXT)?;
    at_most("the number of artifacts", new.artifacts.len(), MOST_ARTIFACTS)?;
    let definition = &turn.state.definition;
    let problems = plugin_problems(definition, &new.approved);
    if !problems.is_empty() {
        return Err(Rejection::PluginsNotReady { problems });
    }
    let plugins = definition
        .plugin_uses()
        .into_iter()
        .filter_map(|(_, used)| new.approved.get(used.plugin).map(|plugin| (used.plugin.clone(), plugin.digest)));
    let mut involved: BTreeSet<String> = match turn.state.releases.get(&new.tag) {
        Some(draft) if draft.status == ReleaseStatus::Draft => draft.involved.clone(),
        Some(_) | None => BTreeSet::new(),
    };
    involved.insert(new.by.person.clone());
    let release = Release {
        involved,
        plugins: plugins.collect(),
        workflows: definition.workflows.clone(),
        endpoints: definition.endpoints.clone(),
        tag: new.tag,
        description: new.description,
        artifacts: new.artifacts,
        created_by: new.by,
        created_at: turn.now,
        status: if new.draft { ReleaseStatus::Draft } else { ReleaseStatus::Active },
        built: false,
        was_live: false,
    };
    if !new.draft {
        is_built(&release)?;
    }
    match turn.state.releases.get(&release.tag) {
        Some(taken) if taken.status != ReleaseStatus::Draft && taken.digest() != release.digest() => {
            return Err(Rejection::TagTaken { tag: release.tag, digest: taken.digest() });
        }
        Some(taken) if taken.status != ReleaseStatus::Draft => {}
        Some(_) | None => {
            under_way(&turn.state, &release.tag)?;
            turn.record(What::ReleaseCreated { release: Arc::new(release) });
        }
    }
    Ok(())
}

pub(super) fn activate(turn: &mut Turn, tag: Tag, by: Actor) -> Result<(), Rejection> {
    let release = expect_status(&turn.state, &tag, ReleaseStatus::Draft, "only a draft can be activated")?;
    is_built(&release)?;
    under_way(&turn.state, &tag)?;
    turn.record(What::ReleaseActivated { tag, by });
    Ok(())
}

/// Built once, before it is active: what it is made of is part of it.
fn is_built(release: &Release) -> Result<(), Rejection> {
    let build = release.workflows.iter().find(|(_, workflow)| workflow.stage == WorkflowStage::Build);
    match build {
        Some((workflow, _)) if !release.built => {
            Err(Rejection::NotBuilt { release: release.tag.clone(), workflow: workflow.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

/// Of a draft: a build reads what is in it.
pub(super) fn under_way(state: &State, tag: &Tag) -> Result<(), Rejection> {
    match state.under_way(tag) {
        Some(number) => {
            let why = format!("deployment {number} is under way; cancel it first");
            Err(Rejection::ReleaseBusy { tag: tag.clone(), why })
        }
        None => Ok(()),
    }
}

pub(super) fn expect_status(
    state: &State,
    tag: &Tag,
    status: ReleaseStatus,
    allowed: &'static str,
) -> Result<Arc<Release>, Rejection> {
    let release = state.releases.get(tag).ok_or_else(|| unknown_release(state, tag))?;
    if release.status == status {
        Ok(release.clone())
    } else {
        Err(Rejection::ReleaseStatus { tag: tag.clone(), status: release.status, allowed })
    }
}

pub(super) fn abandon(turn: &mut Turn, tag: Tag, by: Actor) -> Result<(), Rejection> {
    let known = turn.state.releases.get(&tag).is_some_and(|release| release.status == ReleaseStatus::Draft);
    if !known {
        expect_status(&turn.state, &tag, ReleaseStatus::Active, "it cannot be abandoned again")?;
    }
    let live = turn.state.environments.iter().find(|(_, there)| there.all_live().any(|live| live.release == tag));
    if let Some((environment, _)) = live {
        return Err(Rejection::ReleaseInUse {
            tag,
            why: format!("it is live in `{environment}`; replace it there first"),
        });
    }
    if let Err(Rejection::ReleaseBusy { why, .. }) = under_way(&turn.state, &tag) {
        return Err(Rejection::ReleaseInUse { tag, why });
    }
    turn.record(What::ReleaseAbandoned { tag, by });
    Ok(())
}
