//! Workspaces: folders in which the phases of a deployment leave files for each other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_store::Store;

/// What a call with a workspace leaves free on the disk, for the journal above all: without it the host stops.
const DISK_FLOOR_BYTES: u64 = 256 << 20;
/// Workspaces an environment keeps of deployments that ended without success, for a retry.
const KEPT_WORKSPACES: usize = 4;

/// The workspaces of an environment's deployments, by number. A retry goes on at a later phase, with what the phases
/// before it left there: so a workspace is its deployment's, not its attempt's.
pub fn of_environment(store: &Store, project: &Name, environment: &Name) -> PathBuf {
    store.workspaces().join(project.as_str()).join(environment.as_str())
}

/// Of an environment's deployments, by number, what their tools leave: kept and removed with their workspaces, out of
/// every plugin's sight.
pub fn tools_of_environment(store: &Store, project: &Name, environment: &Name) -> PathBuf {
    tools_of_project(store, project).join(environment.as_str())
}

pub fn tools_of_project(store: &Store, project: &Name) -> PathBuf {
    store.tools().join(project.as_str())
}

/// Before a call that has one.
pub fn make(folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the workspace {} cannot be made: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    let disk = rustix::fs::statvfs(folder).map_err(|error| failed(error.into()))?;
    enough_room(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn enough_room(free_bytes: u64) -> Result<(), String> {
    if free_bytes < DISK_FLOOR_BYTES {
        let (free, floor) = (free_bytes >> 20, DISK_FLOOR_BYTES >> 20);
        return Err(format!(
            "the disk of the data folder has {free} MiB free; a call with a workspace starts from {floor} MiB on, so that \
             the journal can still be written: free some space"
        ));
    }
    Ok(())
}

/// Whether a deployment's own workspace stays, for a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    Yes,
    No,
}

/// Removes what no retry will need: `goes`, and of those that are over all but the newest.
pub fn clear(folders: &[PathBuf], is_over: impl Fn(DeploymentNumber) -> bool, goes: Option<DeploymentNumber>) {
    let there = folders.iter().flat_map(|folder| numbers_in(folder)).collect();
    for number in superfluous(there, is_over).into_iter().chain(goes) {
        for folder in folders {
            // Most have none, and what stays behind is looked at again when the next one ends.
            let _ = std::fs::remove_dir_all(folder.join(number.to_string()));
        }
    }
}

fn superfluous(there: BTreeSet<DeploymentNumber>, is_over: impl Fn(DeploymentNumber) -> bool) -> Vec<DeploymentNumber> {
    there.into_iter().rev().filter(|number| is_over(*number)).skip(KEPT_WORKSPACES).collect()
}

pub fn numbers_in(folder: &Path) -> BTreeSet<DeploymentNumber> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workspaces_are_kept_for_what_runs_and_for_the_last_that_may_be_retried() {
        let numbers = |numbers: &[u64]| numbers.iter().copied().collect::<BTreeSet<DeploymentNumber>>();
        assert_eq!(superfluous(numbers(&[1, 2, 3, 9, 10]), |_| true), [1]);
        assert_eq!(superfluous(numbers(&[1, 2, 3, 9, 10]), |number| ![1, 10].contains(&number)), Vec::<u64>::new());
        assert_eq!(superfluous(numbers(&[1, 2, 3, 4, 5, 6]), |number| number != 1), [2]);
    }

    #[test]
    fn only_workspaces_that_nobody_needs_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["1", "2", "3", "4", "5", "6", "notes"] {
            std::fs::create_dir_all(folder.path().join(name).join("inside")).unwrap();
        }
        clear(&[folder.path().to_owned()], |number| number != 1, Some(6));
        let mut left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["1", "3", "4", "5", "notes"]);
    }

    #[test]
    fn a_workspace_leaves_room_for_the_journal() {
        assert!(enough_room(DISK_FLOOR_BYTES).is_ok());
        let refused = enough_room(DISK_FLOOR_BYTES - 1).unwrap_err();
        assert!(refused.starts_with("the disk of the data folder has 255 MiB free"), "{refused}");
    }
}
