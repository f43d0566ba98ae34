//! The tools that calls start: where they run, and that they end with what wanted them.

use std::path::{Path, PathBuf};

use lockgate_core::change::Milestone;
use lockgate_core::deployment::Deployment;
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_core::state::State;
use lockgate_core::work::Step;
use lockgate_sandbox::CancellationToken;
use lockgate_sandbox::tools::ToolRoom;
use lockgate_store::Store;

use super::{RunningCalls, blocking, workspace};

impl RunningCalls {
    /// What these events are the end of is the end of its tools, too; the next call of the environment waits for that. To
    /// be called before that call starts.
    pub fn end_tools(&mut self, state: &State, ended: &[(DeploymentNumber, u32, Milestone)]) {
        for (number, attempt, milestone) in ended {
            if !self.with_tools.contains(number) {
                continue;
            }
            let Some(deployment) = state.deployments.get(number) else { continue };
            let rooms = Rooms::of(&self.runner.store, &state.project.name, deployment);
            let goes = match milestone {
                Milestone::PhaseEnded { phase } => rooms.of_phase(*attempt, &deployment.phase(*phase).name),
                Milestone::Finished(_) => {
                    self.with_tools.remove(number);
                    Going::AllOf(rooms.folder)
                }
                Milestone::AttemptQueued { .. }
                | Milestone::Enqueued
                | Milestone::Held
                | Milestone::SlotTaken
                | Milestone::SlotGivenUp => continue,
            };
            self.close(&deployment.environment, goes);
        }
    }

    /// After a start, what a former host left: tools of deployments that are over, and of phases that are.
    pub(super) fn end_left_tools(&mut self, state: &State) {
        for folder in folders_in(&workspace::tools_of_project(&self.runner.store, &state.project.name)) {
            let name = folder.file_name().and_then(|name| name.to_str()?.parse::<Name>().ok());
            let Some(environment) = &name else { continue };
            for number in workspace::numbers_in(&folder) {
                let alive = state.deployments.get(&number).filter(|deployment| !deployment.is_finished());
                let Some(deployment) = alive else {
                    self.close(environment, Going::AllOf(folder.join(number.to_string())));
                    continue;
                };
                self.with_tools.insert(number);
                let rooms = Rooms::of(&self.runner.store, &state.project.name, deployment);
                let attempt = deployment.attempt.number;
                for earlier in 1..attempt {
                    self.close(environment, Going::These(folders_in(&rooms.folder.join(earlier.to_string()))));
                }
                for phase in deployment.attempt.phases.iter().filter(|phase| phase.ended_at.is_some()) {
                    self.close(environment, rooms.of_phase(attempt, &phase.name));
                }
            }
        }
    }

    fn close(&mut self, environment: &Name, goes: Going) {
        let gone = CancellationToken::new();
        self.leaving.add(environment, gone.clone());
        let leaves = gone.drop_guard();
        tokio::spawn(async move {
            blocking(move || goes.close()).await;
            drop(leaves);
        });
    }
}

/// The rooms in which a deployment's tools run. Each step of a phase in each attempt has its own: what a new attempt asks for
/// under an old key is asked for anew, and an undo that says `deploy` does not mean the apply's.
pub(super) struct Rooms {
    folder: PathBuf,
}

impl Rooms {
    pub(super) fn of(store: &Store, project: &Name, deployment: &Deployment) -> Self {
        let folder = workspace::tools_of_environment(store, project, &deployment.environment);
        Self { folder: folder.join(deployment.number.to_string()) }
    }

    /// A phase and its cancel share theirs. None for a gate, which only looks.
    pub(super) fn of_step(&self, attempt: u32, step: Step, name: &Name) -> Option<PathBuf> {
        let of = match step {
            Step::Run(_) | Step::Cancel(_) => name.to_string(),
            // No name has a dot.
            Step::Observe(_) => format!("observe.{name}"),
            Step::Plan(_) => format!("plan.{name}"),
            Step::Confirm(_) => format!("confirm.{name}"),
            Step::Undo(_) => format!("undo.{name}"),
            Step::Gate { .. } => return None,
        };
        Some(self.folder.join(attempt.to_string()).join(of))
    }

    /// But for its undo, which comes later.
    fn of_phase(&self, attempt: u32, name: &Name) -> Going {
        let steps = [Step::Run(0), Step::Observe(0), Step::Plan(0), Step::Confirm(0)];
        Going::These(steps.iter().filter_map(|step| self.of_step(attempt, *step, name)).collect())
    }
}

/// Rooms to be closed.
enum Going {
    These(Vec<PathBuf>),
    /// Of all attempts of the deployment whose folder this is.
    AllOf(PathBuf),
}

impl Going {
    fn close(self) {
        let rooms = match self {
            Going::These(rooms) => rooms,
            Going::AllOf(folder) => folders_in(&folder).iter().flat_map(|attempt| folders_in(attempt)).collect(),
        };
        for room in rooms {
            if let Err(error) = ToolRoom::close(&room) {
                tracing::error!(room = %room.display(), %error, "tools that should have ended may still run");
            }
        }
    }
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
