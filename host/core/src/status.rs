//! The three views of a deployment, derived from its stage: attempt (A), deployment (F), release in the environment (A).

use serde::{Deserialize, Serialize};

use crate::deployment::{Attempt, Capacity, Cause, Deployment, Doing, Finish, GateRun, GatesEnd, HoldReason, Stage};
use crate::work::Side;

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
    QueuedForAgent,
    QueuedForPipeline,
    Scheduled,
    Deferred,
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
    Scheduled,
    InProgress,
    Succeeded,
    PartiallySucceeded,
    Rejected,
    Canceled,
}

impl Attempt {
    pub fn status(&self) -> (AttemptStatus, OperationStatus) {
        use OperationStatus as Op;
        let begun = if self.begun() { AttemptStatus::InProgress } else { AttemptStatus::NotDeployed };
        // A cancel, or a failure, has to run what always runs.
        let between = match (self.begun(), self.cancel.is_some(), self.approved.is_some()) {
            (true, true, _) => Op::Cancelling,
            (true, false, _) => Op::PhaseSucceeded,
            (false, _, true) => Op::Approved,
            (false, _, false) => Op::Queued,
        };
        match &self.stage {
            Stage::Held(hold) => match hold.because {
                HoldReason::Scheduled => (begun, Op::Scheduled),
                HoldReason::Deferred => (begun, Op::Deferred),
                HoldReason::Requires { .. } => (begun, Op::Queued),
            },
            Stage::Queued => (begun, Op::Queued),
            Stage::AwaitingCapacity(Capacity::Workers) => (begun, Op::QueuedForAgent),
            Stage::AwaitingCapacity(Capacity::Running) => (begun, Op::QueuedForPipeline),
            Stage::Observing(_) | Stage::Planning(_) if !self.begun() => (begun, Op::Queued),
            Stage::Observing(_) | Stage::Planning(_) | Stage::Ready | Stage::Confirming { .. } => (begun, between),
            Stage::AwaitingApproval(side) => (begun, self.asking(*side)),
            Stage::Gates(_) => (begun, Op::EvaluatingGates),
            Stage::Running | Stage::Undoing { .. } if self.cancel.is_some() => (begun, Op::Cancelling),
            Stage::Running => (begun, self.running()),
            Stage::Undoing { .. } => (begun, Op::PhaseInProgress),
            Stage::Finished(finish) => self.finished(*finish),
        }
    }

    /// Gates that failed and that a person may still overrule go before the question itself.
    fn asking(&self, side: Side) -> OperationStatus {
        let failed = |run: &GateRun| matches!(run.end, Some(GatesEnd::Failed { .. }));
        match side {
            Side::Pre if self.begun() => OperationStatus::ManualInterventionPending,
            Side::Pre | Side::Post if self.gates(side.into()).is_some_and(failed) => OperationStatus::GatesFailed,
            Side::Pre | Side::Post => OperationStatus::Pending,
        }
    }

    /// Of a group: what works goes before what is checked, and that before what waits for somebody.
    fn running(&self) -> OperationStatus {
        let rank = |doing: &Doing| match doing {
            Doing::Work(_) => OperationStatus::PhaseInProgress,
            Doing::Gates(_) => OperationStatus::EvaluatingGates,
            Doing::Person { .. } => OperationStatus::ManualInterventionPending,
        };
        let all: Vec<OperationStatus> = self.doing().map(|(_, doing)| rank(doing)).collect();
        let order = [OperationStatus::PhaseInProgress, OperationStatus::EvaluatingGates];
        order.into_iter().find(|status| all.contains(status)).unwrap_or(OperationStatus::ManualInterventionPending)
    }

    fn finished(&self, finish: Finish) -> (AttemptStatus, OperationStatus) {
        let failed = if self.begun() { AttemptStatus::Failed } else { AttemptStatus::NotDeployed };
        match finish {
            Finish::Succeeded => (AttemptStatus::Succeeded, OperationStatus::Approved),
            Finish::PartiallySucceeded => (AttemptStatus::PartiallySucceeded, OperationStatus::PhasePartiallySucceeded),
            Finish::PhaseFailed => (AttemptStatus::Failed, OperationStatus::PhaseFailed),
            Finish::GatesFailed => (failed, OperationStatus::GatesFailed),
            Finish::Rejected => (failed, OperationStatus::Rejected),
            Finish::Canceled(_) => (failed, OperationStatus::Canceled),
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
        // Queued again between two phases, it is under way all the same.
        match self.status().1 {
            OperationStatus::Queued
            | OperationStatus::QueuedForAgent
            | OperationStatus::QueuedForPipeline
            | OperationStatus::Scheduled
            | OperationStatus::Deferred => match self.begun() {
                false => DeploymentStatus::Queued,
                true => DeploymentStatus::InProgress,
            },
            OperationStatus::Pending | OperationStatus::ManualInterventionPending => DeploymentStatus::PendingApproval,
            OperationStatus::GatesFailed if self.finished_at.is_none() => DeploymentStatus::PendingApproval,
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
            (
                AttemptStatus::NotDeployed,
                OperationStatus::Queued | OperationStatus::QueuedForAgent | OperationStatus::QueuedForPipeline,
            ) => EnvironmentStatus::Queued,
            (AttemptStatus::NotDeployed, OperationStatus::Scheduled | OperationStatus::Deferred) => {
                EnvironmentStatus::Scheduled
            }
            (AttemptStatus::NotDeployed, OperationStatus::GatesFailed) if self.finished_at.is_some() => {
                EnvironmentStatus::Rejected
            }
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
