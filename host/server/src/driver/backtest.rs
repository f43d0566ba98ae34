//! Tries another rule of a gate on what was measured for past deployments, and says which of them it would have stopped.
//!
//! Only `judge` runs, without any grant: nothing outside is asked. What follows from its verdicts is found in `decide`.

mod decide;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use lockgate_core::deployment::GateVerdict;
use lockgate_core::digest::Digest;
use lockgate_core::name::{Name, Timestamp};
use lockgate_core::plugin::{CallContext, Failure, Issue, Limits, Retry, Verdict};
use lockgate_sandbox::{
    Answer, ArtifactWriter, CallError, CallHost, CallRequest, CancellationToken, LogLine, Operation, Sandbox, Secret,
    StateEntry,
};
use lockgate_store::StoreError;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::Host;
use super::blocking::blocking;
use super::evidence::{self, Evidence, KeptSample, Round, RunId, cut, outcome_of};
use super::surroundings::failure;
pub use decide::{Again, TestedRun, TestedSample, Was, Would};
use decide::{Judged, Samples, runs_of, tested};

/// Judges that run beside live calls.
const AT_ONCE: usize = 2;
/// Longer nobody waits for an answer; what was not judged by then is told as such.
const LONGEST: Duration = Duration::from_secs(120);

/// What is asked: a gate as it would be, and how far to look back.
pub struct Backtest {
    pub project: Name,
    pub environment: Name,
    pub gate: Name,
    /// Approved or not.
    pub plugin: Digest,
    pub limits: Limits,
    pub config: Value,
    /// Only runs that ended from then on.
    pub since: Option<Timestamp>,
    /// The newest runs.
    pub runs: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    #[error("another back-test is under way, and there is one at a time; try again when it is done")]
    Busy,
    #[error("{}", .0.message)]
    Component(Failure),
    #[error("the plugin does not take this configuration")]
    Config(Vec<Issue>),
    /// With the time of the newest there is.
    #[error("nothing is recorded")]
    NoEvidence { newest: Option<Timestamp> },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Host {
    /// Runs nothing but `judge`; gives the newest runs first. Dropping the future ends it.
    pub async fn backtest(&self, asked: &Backtest) -> Result<Vec<TestedRun>, BacktestError> {
        let _turn = self.backtests.try_acquire().map_err(|_| BacktestError::Busy)?;
        let Backtest { project, environment, gate, .. } = asked;
        let rounds = evidence::rounds(&self.store, project, environment).await?;
        let name = gate.clone();
        let mut runs =
            blocking(move || rounds.collect::<Result<Vec<Round>, _>>().map(|all| runs_of(&name, all))).await?;
        let newest = runs.first().map(|run| run.at);
        runs.retain(|run| asked.since.is_none_or(|since| run.at >= since));
        runs.truncate(asked.runs);
        if runs.is_empty() {
            return Err(BacktestError::NoEvidence { newest });
        }
        let samples = evidence::samples(&self.store, project, environment, gate).await?;
        let wanted: BTreeSet<RunId> = runs.iter().map(|run| run.id).collect();
        let samples = blocking(move || samples_of(&wanted, samples)).await?;
        self.runner.load(asked.plugin).await.map_err(BacktestError::Component)?;
        let issues = self.validate_config(asked.plugin, &asked.config).await;
        if !issues.is_empty() {
            return Err(BacktestError::Config(issues));
        }
        let judge = Judge { sandbox: self.sandbox.clone(), asked };
        let until = Instant::now() + LONGEST;
        let judged = judge_all(&samples, until, |sample| judge.judge(sample)).await;
        Ok(runs.into_iter().map(|run| tested(&asked.gate, run, &samples, &judged)).collect())
    }
}

/// Of a call that was repeated after a crash, the last sample.
fn samples_of(
    wanted: &BTreeSet<RunId>,
    samples: impl Iterator<Item = Result<KeptSample, StoreError>>,
) -> Result<Samples, StoreError> {
    let mut of_runs = Samples::new();
    for sample in samples {
        let sample = sample?;
        if wanted.contains(&sample.measured.run) {
            of_runs.insert((sample.measured.run, sample.measured.round), sample);
        }
    }
    Ok(of_runs)
}

// ---- judging ----

struct Judge<'a> {
    sandbox: Sandbox,
    asked: &'a Backtest,
}

impl Judge<'_> {
    async fn judge(&self, sample: &KeptSample) -> Result<Verdict, CallError> {
        let Evidence::Kept(evidence) = &sample.measured.evidence else {
            return Err(CallError::Sandbox("there is no evidence to judge".to_owned()));
        };
        let Backtest { project, environment, gate, plugin, limits, config, .. } = self.asked;
        let RunId { deployment, attempt, .. } = sample.measured.run;
        let request = CallRequest {
            plugin: *plugin,
            // `judge` does not see it.
            context: CallContext {
                project: project.to_string(),
                environment: environment.to_string(),
                deployment: format!("{project}/{deployment}"),
                attempt,
                name: gate.to_string(),
                sequence: 0,
                idempotency_key: String::new(),
            },
            config: config.to_string().into(),
            subject: String::from_utf8_lossy(&sample.subject).into(),
            operation: Operation::Judge { evidence: evidence.clone() },
            grants: lockgate_core::plugin::Grants { limits: limits.clone(), ..Default::default() },
            workspace: None,
            tools: None,
            host: Arc::new(Nobody { plugin: *plugin }),
            cancelled: CancellationToken::new(),
        };
        match self.sandbox.call(request).await? {
            Answer::Judged(verdict) => Ok(verdict),
            Answer::Progressed(_) | Answer::Planned(_) | Answer::Observed(_) | Answer::Sampled(_) => {
                Err(CallError::Sandbox("the plugin answered another question".to_owned()))
            }
        }
    }
}

/// All that has evidence, a few at a time. A judge that breaks is an error of its sample, as it would be live.
async fn judge_all<'a, F>(samples: &'a Samples, until: Instant, judge: impl Fn(&'a KeptSample) -> F) -> Judged
where
    F: Future<Output = Result<Verdict, CallError>>,
{
    let waiting = Mutex::new(samples.iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let some = async || {
        let mut judged = Vec::new();
        while let Some((id, sample)) = next() {
            let again = match &sample.measured.evidence {
                Evidence::Missing => Again::AsItWas,
                Evidence::TooLarge { bytes } => Again::Unknown { why: format!("{bytes} bytes were too many to keep") },
                Evidence::Kept(_) if Instant::now() >= until => too_late(),
                Evidence::Kept(_) => match timeout_at(until, judge(sample)).await {
                    Ok(Ok(verdict)) => Again::Judged { outcome: outcome_of(&verdict), reason: cut(&verdict.reason) },
                    Ok(Err(error)) => broken(&error),
                    Err(_) => too_late(),
                },
            };
            judged.push((*id, again));
        }
        judged
    };
    join_all((0..AT_ONCE).map(|_| some())).await.into_iter().flatten().collect()
}

fn too_late() -> Again {
    Again::Unknown { why: format!("it was not judged: a back-test ends after {} s", LONGEST.as_secs()) }
}

/// Our own failure says nothing of the rule.
fn broken(error: &CallError) -> Again {
    match error {
        CallError::Sandbox(_) | CallError::NotLoaded(_) | CallError::Cancelled => {
            Again::Unknown { why: cut(&error.to_string()) }
        }
        CallError::Failed(_)
        | CallError::Trap { .. }
        | CallError::CpuLimit { .. }
        | CallError::WallLimit { .. }
        | CallError::MemoryLimit { .. }
        | CallError::OutputLimit { .. }
        | CallError::MovedFolder { .. }
        | CallError::HandoverLimit { .. }
        | CallError::KeptSecret
        | CallError::InvalidAnswer { .. }
        | CallError::WrongKind { .. } => Again::Judged { outcome: GateVerdict::Error, reason: cut(&error.to_string()) },
    }
}

/// Nobody reads what a judge logs about the past. What it tries to reach is for the audit log all the same.
struct Nobody {
    plugin: Digest,
}

impl CallHost for Nobody {
    fn log(&self, _: LogLine) {}

    fn progress(&self, _: u32, _: &str) {}

    fn denied(&self, what: &str) {
        tracing::warn!(target: "audit", plugin = %self.plugin, what, "denied in a back-test");
    }

    fn secret(&self, _: &str) -> Result<Secret, Failure> {
        Err(ungranted())
    }

    fn secrets_bound_to(&self, _: &str) -> Vec<Secret> {
        Vec::new()
    }

    fn revealed(&self, _: &str) {}

    fn open_artifact(&self, _: &Digest) -> Result<Box<dyn io::Read + Send>, Failure> {
        Err(ungranted())
    }

    fn create_artifact(&self, _: &str) -> Result<Box<dyn ArtifactWriter>, Failure> {
        Err(ungranted())
    }

    fn state_get(&self, _: &str) -> Result<Option<StateEntry>, Failure> {
        Err(ungranted())
    }

    fn state_put(&self, _: &str, _: Vec<u8>, _: u32) -> Result<u32, Failure> {
        Err(ungranted())
    }
}

fn ungranted() -> Failure {
    failure("denied", "`judge` runs without any grant".to_owned(), Retry::Never)
}

#[cfg(test)]
mod tests {
    use lockgate_core::work::GatesOf;
    use serde_json::json;

    use super::super::evidence::{Measured, Said};
    use super::*;

    fn samples(count: u32) -> Samples {
        let run = RunId { deployment: 7, attempt: 1, set: GatesOf::Post };
        let sample = |round| {
            let measured = Measured {
                run,
                round,
                at: Timestamp(0),
                plugin: "check".parse().unwrap(),
                digest: Digest::of(b"check"),
                evidence: Evidence::Kept(json!(round)),
                said: Said::Failed { code: "trap".to_owned(), message: String::new() },
            };
            ((run, round), KeptSample { measured, config: Arc::default(), subject: Arc::default() })
        };
        (1..=count).map(sample).collect()
    }

    fn later() -> Instant {
        Instant::now() + LONGEST
    }

    async fn outcomes(samples: &Samples, error: CallError) -> Vec<Again> {
        let judged = judge_all(samples, later(), |_| std::future::ready(Err(error.clone()))).await;
        judged.into_values().collect()
    }

    #[tokio::test]
    async fn a_judge_that_breaks_is_an_error_of_its_sample_and_our_own_failure_is_not() {
        let samples = samples(1);
        let trap = CallError::Trap { message: "unreachable".to_owned(), stderr: String::new() };
        let reason = "the plugin trapped: unreachable".to_owned();
        assert_eq!(outcomes(&samples, trap).await, [Again::Judged { outcome: GateVerdict::Error, reason }]);
        let ours = CallError::Sandbox("no threads".to_owned());
        assert!(matches!(&outcomes(&samples, ours).await[..], [Again::Unknown { why }] if why.contains("no threads")));
    }

    #[tokio::test]
    async fn what_is_not_judged_in_time_is_unknown() {
        let samples = samples(100);
        let judged = judge_all(&samples, Instant::now(), |_| std::future::pending()).await;
        assert_eq!(judged.len(), 100);
        assert!(judged.values().all(|again| *again == too_late()));
    }

    #[tokio::test]
    async fn few_are_judged_at_once() {
        let samples = samples(100);
        let (running, most) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        judge_all(&samples, later(), |_| async {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            tokio::task::yield_now().await;
            running.set(running.get() - 1);
            Err(CallError::Cancelled)
        })
        .await;
        assert_eq!(most.get(), AT_ONCE);
    }

    #[tokio::test]
    async fn evidence_that_is_not_there_is_not_judged() {
        let mut samples = samples(2);
        for (sample, evidence) in samples.values_mut().zip([Evidence::Missing, Evidence::TooLarge { bytes: 7 }]) {
            sample.measured.evidence = evidence;
        }
        let judged = judge_all(&samples, later(), |_| std::future::pending()).await;
        let judged: Vec<Again> = judged.into_values().collect();
        assert_eq!(judged, [Again::AsItWas, Again::Unknown { why: "7 bytes were too many to keep".to_owned() }]);
    }
}
