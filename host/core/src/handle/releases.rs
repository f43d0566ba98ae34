//! Releases: made from the definition as it is, edited while they are drafts, activated, abandoned.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DraftEdit, LONGEST_TEXT, MOST_ARTIFACTS, NewRelease, Rejection, Turn, at_most, triggers, unknown_release};
use crate::definition::{Definition, Workflow, WorkflowStage};
use crate::digest::Digest;
use crate::name::{Actor, Name, Tag};
use crate::plugin::Artifact;
use crate::release::{ApprovedPlugin, Computed, PluginProblem, Release, ReleaseStatus, plugin_problems};
use crate::state::{State, What};

pub(super) fn create(turn: &mut Turn, new: NewRelease) -> Result<(), Rejection> {
    at_most("the description's length", new.description.len(), LONGEST_TEXT)?;
    at_most("the number of artifacts", new.artifacts.len(), MOST_ARTIFACTS)?;
    expect_applications(&turn.state, &new.artifacts)?;
    let known = turn.state.releases.get(&new.tag);
    let draft = known.filter(|known| known.status == ReleaseStatus::Draft);
    let edited = known.filter(|known| known.edited_by.is_some());
    // What an administrator gave it stays, whoever sends the rest of it again.
    let meant = match edited {
        Some(known) => with(&turn.state.definition, known.workflows.clone(), known.endpoints.clone()),
        None => turn.state.definition.clone(),
    };
    let plugins = pinned(&turn.state.project.name, &meant, &new.approved)?;
    let mut involved = draft.map(|draft| draft.involved.clone()).unwrap_or_default();
    involved.insert(new.by.person.clone());
    let release = Release {
        involved,
        plugins,
        workflows: meant.workflows.clone(),
        endpoints: meant.endpoints.clone(),
        tag: new.tag,
        description: new.description,
        artifacts: new.artifacts,
        created_by: new.by,
        created_at: turn.now,
        status: if new.draft { ReleaseStatus::Draft } else { ReleaseStatus::Active },
        built: false,
        edited_by: edited.and_then(|known| known.edited_by.clone()),
        was_live: false,
        computed: Computed::default(),
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

fn with(
    definition: &Arc<Definition>,
    workflows: BTreeMap<Name, Arc<Workflow>>,
    endpoints: BTreeMap<Name, Name>,
) -> Arc<Definition> {
    Arc::new(Definition { workflows, endpoints, ..Definition::clone(definition) })
}

fn pinned(
    project: &Name,
    definition: &Definition,
    approved: &BTreeMap<Name, ApprovedPlugin>,
) -> Result<BTreeMap<Name, Digest>, Rejection> {
    let problems =
        plugin_problems(project, definition, approved).iter().map(PluginProblem::to_string).collect::<Vec<_>>();
    if !problems.is_empty() {
        return Err(Rejection::PluginsNotReady { problems });
    }
    let used = definition.plugin_uses().into_iter().map(|(_, used)| used.plugin);
    Ok(used.filter_map(|plugin| approved.get(plugin).map(|found| (plugin.clone(), found.digest))).collect())
}

/// Where the project says which applications it has.
fn expect_applications(state: &State, artifacts: &[Artifact]) -> Result<(), Rejection> {
    if state.definition.applications.is_empty() {
        return Ok(());
    }
    let mut named = artifacts.iter().map(|artifact| artifact.application.as_str()).filter(|name| !name.is_empty());
    named.try_for_each(|application| triggers::expect_application(state, application))
}

/// The definition stays as it is, and so does what else is in the draft.
pub(super) fn edit(turn: &mut Turn, edit: DraftEdit) -> Result<(), Rejection> {
    let DraftEdit { tag, workflows, endpoints, approved, by } = edit;
    let draft =
        expect_status(&turn.state, &tag, ReleaseStatus::Draft, "edit it while it is a draft, or make another release")?;
    under_way(&turn.state, &tag)?;
    let meant = with(&turn.state.definition, workflows, endpoints);
    let plugins = pinned(&turn.state.project.name, &meant, &approved)?;
    let (workflows, endpoints) = (meant.workflows.clone(), meant.endpoints.clone());
    let edited_by = Some(by.person.clone());
    let mut release = Release { workflows, endpoints, plugins, edited_by, ..Release::clone(&draft) };
    if release.digest() == draft.digest() && draft.edited_by.is_some() {
        return Ok(());
    }
    if draft.built {
        return Err(Rejection::DraftBuilt { tag });
    }
    release.involved.insert(by.person.clone());
    turn.record(What::DraftEdited { release: Arc::new(release), by });
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
