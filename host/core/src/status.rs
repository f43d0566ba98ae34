//! The three views of a deployment, derived from its stage: attempt (A), deployment (F), release in the environment (A).

use serde::{Deserialize, Serialize};

use crate::deployment::{Attempt, Cause, Deployment, Finish, Stage};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AttemptStatus {
    NotDeployed,
    InProgress,
    Succeeded,
    PartiallySucceeded,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OperationStatus {
    Queued,
    Pending,
    Approved,
    PhaseInProgress,
    PhaseSucceeded,
    ManualInterventionPending,
    Cancelling,
    EvaluatingGates,
    PhasePartiallySucceeded,
    PhaseFailed,
    GatesFailed,
    Rejected,
    Canceled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeploymentStatus {
    Queued,
    PendingApproval,
    InProgress,
    Succeeded,
    Failed,
    Rejected,
    Aborted,
    Stopped,
    TimedOut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EnvironmentStatus {
    NotStarted,
    Queued,
    InProgress,
    Succeeded,
    PartiallySucceeded,
    Rejected,
    Canceled,
}

impl Attempt {
    pub fn status(&self) -> (AttemptStatus, OperationStatus) {
        use AttemptStatus::*;
        use OperationStatus as Op;
        let begun = if self.begun { InProgress } else { NotDeployed };
        let stopping = self.cancel.is_some();
        match &self.stage {
            Stage::Queued | Stage::Planning(_) if !self.begun => (NotDeployed, Op::Queued),
            Stage::Ready if !self.begun && self.approved.is_none() => (NotDeployed, Op::Queued),
            Stage::AwaitingApproval if self.begun => (InProgress, Op::ManualInterventionPending),
            Stage::AwaitingApproval => (NotDeployed, Op::Pending),
            Stage::Ready | Stage::Confirming { .. } if !self.begun => (NotDeployed, Op::Approved),
            Stage::Queued
            | Stage::Planning(_)
            | Stage::Ready
            | Stage::Confirming { .. }
            | Stage::Running { .. }
            | Stage::Undoing { .. }
                if stopping =>
            {
                (InProgress, Op::Cancelling)
            }
            Stage::Queued | Stage::Planning(_) | Stage::Ready | Stage::Confirming { .. } => {
                (InProgress, Op::PhaseSucceeded)
            }
            Stage::Running { .. } | Stage::Undoing { .. } => (InProgress, Op::PhaseInProgress),
            Stage::Gates => (InProgress, Op::EvaluatingGates),
            Stage::Finished(finish) => match finish {
                Finish::Succeeded => (Succeeded, Op::Approved),
                Finish::PartiallySucceeded => (PartiallySucceeded, Op::PhasePartiallySucceeded),
                Finish::PhaseFailed => (Failed, Op::PhaseFailed),
                Finish::GatesFailed => (Failed, Op::GatesFailed),
                Finish::Rejected => (if self.begun { Failed } else { NotDeployed }, Op::Rejected),
                Finish::Canceled(_) => (if begun == InProgress { Failed } else { NotDeployed }, Op::Canceled),
            },
        }
    }

    /// Deployment status (F).
    pub fn deployment_status(&self) -> DeploymentStatus {
        if let Stage::Finished(Finish::Canceled(cause)) = &self.stage {
            return match cause {
                Cause::Person => DeploymentStatus::Aborted,
                Cause::TimeLimit => DeploymentStatus::TimedOut,
                Cause::Stopped => DeploymentStatus::Stopped,
            };
        }
        match self.status().1 {
            OperationStatus::Queued => DeploymentStatus::Queued,
            OperationStatus::Pending | OperationStatus::ManualInterventionPending => DeploymentStatus::PendingApproval,
            OperationStatus::Approved if self.finished_at.is_some() => DeploymentStatus::Succeeded,
            OperationStatus::Approved
            | OperationStatus::PhaseInProgress
            | OperationStatus::PhaseSucceeded
            | OperationStatus::Cancelling
            | OperationStatus::EvaluatingGates => DeploymentStatus::InProgress,
            OperationStatus::PhasePartiallySucceeded => DeploymentStatus::Succeeded,
            OperationStatus::PhaseFailed | OperationStatus::GatesFailed => DeploymentStatus::Failed,
            OperationStatus::Rejected => DeploymentStatus::Rejected,
            OperationStatus::Canceled => DeploymentStatus::Aborted,
        }
    }

    /// Release in the environment (A).
    pub fn environment_status(&self) -> EnvironmentStatus {
        match self.status() {
            (_, OperationStatus::Queued) => EnvironmentStatus::Queued,
            (AttemptStatus::Succeeded, _) => EnvironmentStatus::Succeeded,
            (AttemptStatus::PartiallySucceeded, _) => EnvironmentStatus::PartiallySucceeded,
            (_, OperationStatus::Canceled) => EnvironmentStatus::Canceled,
            (_, OperationStatus::Rejected) | (AttemptStatus::Failed, _) => EnvironmentStatus::Rejected,
            (AttemptStatus::NotDeployed | AttemptStatus::InProgress, _) => EnvironmentStatus::InProgress,
        }
    }
}

impl Deployment {
    /// `<status, operationStatus>` as people read it.
    pub fn status_text(&self) -> String {
        let (status, operation) = self.attempt.status();
        format!("{status:?}/{operation:?}")
    }
}
