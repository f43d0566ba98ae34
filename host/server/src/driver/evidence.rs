//! What gates measured and what came of it, kept beside the journal so that another rule can be tried on it.
//!
//! An environment has a series of samples for each gate, written by the calls, and one of its rounds, written by the
//! owner of the project from what the core decided. The journal has the verdicts; losing any of this loses back-tests only.

use std::sync::Arc;

use lockgate_core::change::{Change, GatesChange, Milestone, PhaseChange};
use lockgate_core::definition::{Definition, Gate, PhaseWork};
use lockgate_core::deployment::{Deployment, GateOutcome, GateVerdict, GatesEnd};
use lockgate_core::digest::Digest;
use lockgate_core::name::{DeploymentNumber, Name, Tag, Timestamp};
use lockgate_core::order::Order;
use lockgate_core::plugin::{Decision, Verdict};
use lockgate_core::state::{Due, Event, State, What};
use lockgate_core::work::{GatesOf, Step};
use lockgate_sandbox::CallError;
use lockgate_store::{Kept, MAX_SAMPLE_BYTES, Sample, SampleRecords, SeriesId, Store, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock;

const SAMPLES_KEPT: Kept = Kept { records: 10_000, bytes: 64 << 20 };
/// A round has a sample of each gate, and a run of one round has two records.
const ROUNDS_KEPT: Kept = Kept { records: 20_000, bytes: 64 << 20 };
/// No gate has this name: the sign is not allowed in names.
const ROUNDS: &str = "_rounds";
/// Of gates that no definition names any more: a mistake in a project file costs nobody their samples.
const GONE_KEPT_MS: i64 = 90 * 24 * 60 * 60 * 1_000;
/// A reason is a sentence; what is longer is cut, not refused.
const REASON_BYTES: usize = 4 << 10;

/// One run of a set of gates: of an attempt, before or after its phases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunId {
    pub deployment: DeploymentNumber,
    pub attempt: u32,
    pub set: GatesOf,
}

// ---- samples ----

/// One sample of one gate, as its call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    #[serde(flatten)]
    pub run: RunId,
    pub round: u32,
    pub at: Timestamp,
    pub plugin: Name,
    pub digest: Digest,
    pub evidence: Evidence,
    pub said: Said,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    Kept(Value),
    /// It, its configuration or its subject was larger than what is kept.
    TooLarge {
        bytes: usize,
    },
    /// The check itself broke: there is nothing to judge.
    Missing,
}

/// What the gate's plugin made of it at the time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Verdict(Verdict),
    Failed { code: String, message: String },
}

/// A sample with what `judge` saw beside the evidence, as JSON text. Samples share it in memory, too.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptSample {
    pub measured: Measured,
    pub config: Arc<[u8]>,
    pub subject: Arc<[u8]>,
}

/// Which sample a call is about to take.
#[derive(Debug, Clone)]
pub struct Taking {
    series: Option<SeriesId>,
    run: RunId,
    round: u32,
}

impl Taking {
    /// `None`: it is no gate that is called.
    pub fn of(deployment: &Deployment, due: &Due, order: &Order) -> Option<Self> {
        let Step::Gate { of, .. } = due.step else { return None };
        let run = RunId { deployment: deployment.number, attempt: due.call.attempt, set: of };
        let round = deployment.attempt.gates(of)?.round;
        // Names are fit for this; should one not be, the gate works all the same.
        let series = series(&order.context.project, &order.context.environment, &order.context.name).ok();
        Some(Self { series, run, round })
    }

    /// The check broke before there was any evidence.
    pub async fn broke(&self, store: &Store, order: &Order, error: &CallError) {
        self.keep(store, order, Evidence::Missing, failed(error)).await;
    }

    pub async fn judged(&self, store: &Store, order: &Order, evidence: &Value, said: Result<&Verdict, &CallError>) {
        let said = match said {
            Ok(verdict) => Said::Verdict(Verdict { reason: cut(&verdict.reason), ..verdict.clone() }),
            Err(error) => failed(error),
        };
        self.keep(store, order, Evidence::Kept(evidence.clone()), said).await;
    }

    async fn keep(&self, store: &Store, order: &Order, evidence: Evidence, said: Said) {
        let Some(series) = self.series.clone() else { return };
        let Self { run, round, .. } = *self;
        let (plugin, digest) = (order.plugin.clone(), order.digest);
        let measured = Measured { run, round, at: clock::now(), plugin, digest, evidence, said };
        let sample = sample(measured, order.config.to_string(), order.subject.to_string());
        if let Err(error) = store.samples().put(series, SAMPLES_KEPT, sample).await {
            tracing::warn!(gate = order.context.name, %error, "a sample was not kept for back-tests");
        }
    }
}

fn failed(error: &CallError) -> Said {
    Said::Failed { code: cut(&error.failure().code), message: cut(&error.to_string()) }
}

pub fn cut(reason: &str) -> String {
    reason[..reason.floor_char_boundary(REASON_BYTES)].to_owned()
}

/// The subject of a deployment and the configuration of a gate are the same in many samples.
fn sample(mut measured: Measured, config: String, subject: String) -> Sample {
    let mut own = json(&measured);
    let largest = own.len().max(config.len()).max(subject.len());
    let mut shared = vec![config, subject];
    if largest > MAX_SAMPLE_BYTES {
        measured.evidence = Evidence::TooLarge { bytes: largest };
        (own, shared) = (json(&measured), Vec::new());
    }
    Sample { shared: shared.into_iter().map(|text| Arc::from(text.into_bytes())).collect(), own }
}

fn json(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("records are plain data")
}

fn series(project: &str, environment: &str, name: &str) -> Result<SeriesId, StoreError> {
    SeriesId::new(project, environment, name)
}

// ---- rounds ----

/// What the core made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    #[serde(flatten)]
    pub run: RunId,
    pub release: Tag,
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: RoundWhat,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundWhat {
    Ended {
        round: u32,
        steady_ms: u64,
        /// When the gates had to be green.
        deadline: Timestamp,
        gates: Vec<GateSaid>,
    },
    Passed,
    Failed {
        reason: String,
    },
    /// The attempt ended before its gates did.
    Canceled,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateSaid {
    pub name: Name,
    /// `None` was not judged.
    pub last: Option<GateOutcome>,
}

/// A round to keep, and the environment it was in.
pub type NewRound = (Name, Round);

/// What an event means for the rounds that are kept. `state` is the one just after it.
pub fn round_of(state: &State, event: &Event) -> Option<NewRound> {
    let What::Deployment { number, change } = &event.what else { return None };
    let deployment = state.deployments.get(number)?;
    let (set, what) = match change {
        Change::Gates { of, change } => (*of, of_gates(deployment, *of, change)?),
        Change::Phase { phase, change } => (GatesOf::Phase(*phase), of_phase(deployment, *phase, change)?),
        change => (canceled_in(deployment, change)?, RoundWhat::Canceled),
    };
    let run = RunId { deployment: *number, attempt: deployment.attempt.number, set };
    let round = Round { run, release: deployment.release.tag.clone(), at: event.at, what };
    Some((deployment.environment.clone(), round))
}

fn of_gates(deployment: &Deployment, of: GatesOf, change: &GatesChange) -> Option<RoundWhat> {
    match change {
        GatesChange::Started { .. }
        | GatesChange::RoundStarted { .. }
        | GatesChange::Judged { .. }
        | GatesChange::Ignored { .. } => None,
        GatesChange::RoundEnded { .. } => {
            let (run, set) = (deployment.attempt.gates(of)?, deployment.gate_set(of)?);
            let said = |outcome: &GateOutcome| GateOutcome { reason: cut(&outcome.reason), ..outcome.clone() };
            let gates = run.gates.iter();
            let gates = gates.map(|gate| GateSaid { name: gate.name.clone(), last: gate.last.as_ref().map(said) });
            Some(RoundWhat::Ended {
                round: run.round,
                steady_ms: set.steady_ms,
                deadline: run.deadline,
                gates: gates.collect(),
            })
        }
        GatesChange::Ended { end: GatesEnd::Passed { .. } } => Some(RoundWhat::Passed),
        GatesChange::Ended { end: GatesEnd::Failed { reason } } => Some(RoundWhat::Failed { reason: cut(reason) }),
    }
}

/// The gates of a phase end with the phase.
fn of_phase(deployment: &Deployment, phase: usize, change: &PhaseChange) -> Option<RoundWhat> {
    deployment.gate_set(GatesOf::Phase(phase))?;
    match change {
        PhaseChange::Succeeded => Some(RoundWhat::Passed),
        PhaseChange::Failed { failure, .. } => Some(RoundWhat::Failed { reason: cut(&failure.message) }),
        PhaseChange::Canceled => Some(RoundWhat::Canceled),
        PhaseChange::Started { .. }
        | PhaseChange::Answered { .. }
        | PhaseChange::Skipped
        | PhaseChange::CancelStarted { .. }
        | PhaseChange::UndoStarted { .. }
        | PhaseChange::UndoEnded { .. } => None,
    }
}

/// The set whose gates an attempt left behind when it ended.
fn canceled_in(deployment: &Deployment, change: &Change) -> Option<GatesOf> {
    let Some(Milestone::Finished(_)) = change.milestone() else { return None };
    let not_ended = |of: &GatesOf| deployment.attempt.gates(*of).is_some_and(|run| run.end.is_none());
    [GatesOf::Pre, GatesOf::Post].into_iter().find(not_ended)
}

pub async fn keep_rounds(store: &Store, project: &Name, rounds: Vec<NewRound>) {
    for (environment, round) in rounds {
        let kept = match series(project.as_str(), environment.as_str(), ROUNDS) {
            Ok(series) => {
                let sample = Sample { shared: Vec::new(), own: json(&round) };
                store.samples().put(series, ROUNDS_KEPT, sample).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            tracing::warn!(%project, %environment, %error, "a round of gates was not kept for back-tests");
        }
    }
}

// ---- forgetting ----

/// Gates that deployments to this environment may be sampled by: its own, and those of phases.
pub fn gates_of<'a>(definition: &'a Definition, environment: &Name) -> impl Iterator<Item = &'a Gate> {
    let of_environment = definition.environments.get(environment).into_iter().flat_map(|there| there.gate_sets());
    let phases = definition.workflows.values().flat_map(|workflow| &workflow.phases);
    let of_phases = phases.filter_map(|phase| match &phase.work {
        PhaseWork::Gates(set) => Some(set),
        PhaseWork::Plugin { .. } | PhaseWork::Apply { .. } | PhaseWork::Manual { .. } => None,
    });
    of_environment.map(|(_, set)| set).chain(of_phases).flat_map(|set| &set.gates)
}

/// Whether this definition still leads to samples of this series of its project.
pub fn is_named(definition: &Definition, series: &SeriesId) -> bool {
    let Ok(environment) = series.environment().parse::<Name>() else { return false };
    definition.environments.contains_key(&environment)
        && (series.name() == ROUNDS
            || gates_of(definition, &environment).any(|gate| gate.name.as_str() == series.name()))
}

/// What gates measured that are gone, and for long.
pub async fn forget_gone(store: &Store, now: Timestamp, is_wanted: impl Fn(&SeriesId) -> bool + Send + 'static) {
    match store.samples().remove(Timestamp(now.0 - GONE_KEPT_MS), is_wanted).await {
        Ok(removed) => {
            removed.iter().for_each(|series| tracing::info!(%series, "samples of a gate that is gone were removed"))
        }
        Err(error) => tracing::warn!(%error, "samples of gates that are gone were not removed"),
    }
}

// ---- reading ----

/// All rounds that are kept of an environment; going through them blocks on the disk.
pub async fn rounds(
    store: &Store,
    project: &Name,
    environment: &Name,
) -> Result<impl Iterator<Item = Result<Round, StoreError>> + use<>, StoreError> {
    let records = store.samples().read(&series(project.as_str(), environment.as_str(), ROUNDS)?).await?;
    Ok(readable(records, |sample| serde_json::from_slice(&sample.own).ok()))
}

/// All samples that are kept of a gate; going through them blocks on the disk.
pub async fn samples(
    store: &Store,
    project: &Name,
    environment: &Name,
    gate: &Name,
) -> Result<impl Iterator<Item = Result<KeptSample, StoreError>> + use<>, StoreError> {
    let records = store.samples().read(&series(project.as_str(), environment.as_str(), gate.as_str())?).await?;
    Ok(readable(records, |sample| kept_sample(&sample)))
}

fn kept_sample(sample: &Sample) -> Option<KeptSample> {
    let measured: Measured = serde_json::from_slice(&sample.own).ok()?;
    let (config, subject) = match (&measured.evidence, &sample.shared[..]) {
        (_, [config, subject]) => (config.clone(), subject.clone()),
        (Evidence::TooLarge { .. }, []) => Default::default(),
        (Evidence::Kept(_) | Evidence::Missing | Evidence::TooLarge { .. }, _) => return None,
    };
    Some(KeptSample { measured, config, subject })
}

/// What another version wrote, and this one cannot read, is left out.
fn readable<T>(
    records: SampleRecords,
    read: impl Fn(Sample) -> Option<T>,
) -> impl Iterator<Item = Result<T, StoreError>> {
    records.filter_map(move |sample| match sample {
        Ok(sample) => read(sample).map(Ok),
        Err(error) => Some(Err(error)),
    })
}

impl Said {
    /// As the core took it, when it came in time.
    pub fn outcome(&self) -> GateVerdict {
        match self {
            Self::Verdict(verdict) => outcome_of(verdict),
            Self::Failed { .. } => GateVerdict::Error,
        }
    }
}

pub fn outcome_of(verdict: &Verdict) -> GateVerdict {
    match verdict.decision {
        Decision::Pass => GateVerdict::Pass,
        Decision::Fail => GateVerdict::Fail,
        Decision::Inconclusive => GateVerdict::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use expect_test::expect;
    use lockgate_core::definition::{Definition, Environment, Gate, GateSet, OnFailure, Workflow, WorkflowStage};
    use lockgate_core::deployment::{DeploymentType, Flags};
    use lockgate_core::handle::{Command, Deploy, NewRelease, Surroundings, handle};
    use lockgate_core::name::Actor;
    use lockgate_core::order::order;
    use lockgate_core::plugin::{Description, Grants, Kind, Requests};
    use lockgate_core::release::ApprovedPlugin;
    use lockgate_core::work::{Answer, ProjectId};

    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    fn verdict(decision: Decision) -> Verdict {
        Verdict { decision, reason: "as it is".to_owned(), valid_for_ms: 0 }
    }

    /// A deployment at its gate, and what is kept of it.
    struct Gated {
        state: State,
        now: Timestamp,
        rounds: Vec<Round>,
    }

    impl Gated {
        fn new() -> Self {
            let state = State::new(ProjectId { name: name("shop"), uid: "7".to_owned() });
            let mut gated = Self { state, now: Timestamp(0), rounds: Vec::new() };
            let gate = Gate { name: name("page"), plugin: name("check"), config: serde_json::json!({ "most": 3 }) };
            let set = GateSet { delay_ms: 0, interval_ms: 1_000, steady_ms: 0, timeout_ms: 5_000, gates: vec![gate] };
            let environment = Environment { post_gates: Some(set), ..Environment::default() };
            let workflow = Workflow {
                timeout_ms: None,
                stage: WorkflowStage::default(),
                goes_live: true,
                on_failure: OnFailure::default(),
                phases: Vec::new(),
            };
            let definition = Definition {
                environments: [(name("prod"), Arc::new(environment))].into(),
                workflows: [(name("full"), Arc::new(workflow))].into(),
                ..Definition::default()
            };
            gated.send(Command::SetDefinition { definition: Arc::new(definition), by: by() });
            let description = Description {
                name: "check".to_owned(),
                version: "1".to_owned(),
                summary: String::new(),
                config_schema: Value::Null,
                requests: Requests::default(),
            };
            let (grants, narrowed) = (Grants::default(), vec![]);
            let check = ApprovedPlugin { digest: digest(), kind: Kind::Gate, description, grants, narrowed };
            gated.send(Command::CreateRelease(NewRelease {
                tag: "v1".parse().unwrap(),
                description: String::new(),
                artifacts: Vec::new(),
                draft: false,
                approved: [(name("check"), check)].into(),
                by: by(),
            }));
            gated.send(Command::Deploy(Deploy {
                selections: Vec::new(),
                input: Value::Null,
                not_before: None,
                environment: name("prod"),
                release: "v1".parse().unwrap(),
                deployment_type: DeploymentType::Full,
                flags: Flags::default(),
                comment: String::new(),
                workflow: None,
                key: None,
                by: by(),
            }));
            gated
        }

        fn send(&mut self, command: Command) {
            let gates = BTreeMap::from([(name("check"), digest())]);
            for event in handle(&self.state, command, Surroundings { now: self.now, gates: &gates }).unwrap() {
                self.state.apply(&event).unwrap();
                self.rounds.extend(round_of(&self.state, &event).map(|(_, round)| round));
            }
        }

        fn answer(&mut self, decision: Decision) {
            let call = self.state.due()[0].call;
            let answer = Answer::Sampled { memo: Vec::new(), poll_after_ms: 0, verdict: Some(verdict(decision)) };
            self.send(Command::Report { call, answer });
        }

        fn at(&mut self, milliseconds: i64) {
            self.now = Timestamp(milliseconds);
            self.send(Command::Tick);
        }

        fn kept(&self) -> String {
            let line = |round: &Round| serde_json::to_string(round).unwrap();
            self.rounds.iter().map(line).collect::<Vec<_>>().join("\n")
        }
    }

    fn by() -> Actor {
        Actor { person: "ann".to_owned(), groups: BTreeSet::new(), via: "test".to_owned() }
    }

    fn digest() -> Digest {
        Digest::of(b"check")
    }

    #[test]
    fn each_round_is_kept_with_what_its_gates_said_and_then_how_the_run_ended() {
        let mut gated = Gated::new();
        gated.answer(Decision::Fail);
        gated.at(1_000);
        gated.answer(Decision::Pass);
        expect![[r#"
            {"deployment":1,"attempt":1,"set":"post","release":"v1","at":0,"ended":{"round":1,"steady_ms":0,"deadline":5000,"gates":[{"name":"page","last":{"outcome":"fail","reason":"as it is","at":0}}]}}
            {"deployment":1,"attempt":1,"set":"post","release":"v1","at":1000,"ended":{"round":2,"steady_ms":0,"deadline":5000,"gates":[{"name":"page","last":{"outcome":"pass","reason":"as it is","at":1000}}]}}
            {"deployment":1,"attempt":1,"set":"post","release":"v1","at":1000,"passed":null}"#]]
        .assert_eq(&gated.kept());
    }

    #[test]
    fn a_run_that_fails_and_one_that_is_canceled_are_told_apart() {
        let end = |gated: &Gated| gated.rounds.last().map(|round| round.what.clone());
        let mut failed = Gated::new();
        failed.answer(Decision::Fail);
        failed.at(5_000);
        assert_eq!(end(&failed), Some(RoundWhat::Failed { reason: "page: as it is".to_owned() }));
        let mut canceled = Gated::new();
        canceled.answer(Decision::Fail);
        canceled.send(Command::Cancel { number: 1, forced: false, reason: String::new(), by: by() });
        assert_eq!(end(&canceled), Some(RoundWhat::Canceled));
        assert_eq!((failed.rounds.len(), canceled.rounds.len()), (2, 2));
    }

    async fn kept(store: &Store) -> Vec<KeptSample> {
        samples(store, &name("shop"), &name("prod"), &name("page")).await.unwrap().map(Result::unwrap).collect()
    }

    fn taking(gated: &Gated) -> (Taking, Order) {
        let due = gated.state.due()[0];
        let order = order(&gated.state, &due).unwrap();
        (Taking::of(&gated.state.deployments[&1], &due, &order).unwrap(), order)
    }

    #[tokio::test]
    async fn a_sample_is_kept_with_all_that_judge_saw_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path(), lockgate_store::StoreOptions::default()).unwrap();
        let (taking, order) = taking(&Gated::new());
        let verdict = Verdict { valid_for_ms: 9, ..verdict(Decision::Pass) };
        taking.judged(&store, &order, &serde_json::json!({ "errors": 2 }), Ok(&verdict)).await;
        let trap = CallError::Trap { message: "unreachable".to_owned(), stderr: String::new() };
        taking.broke(&store, &order, &trap).await;
        let kept = kept(&store).await;
        let Measured { run, round, plugin, digest: of, evidence, said, .. } = kept[0].measured.clone();
        assert_eq!((run, round), (RunId { deployment: 1, attempt: 1, set: GatesOf::Post }, 1));
        assert_eq!((plugin, of), (name("check"), digest()));
        assert_eq!(evidence, Evidence::Kept(serde_json::json!({ "errors": 2 })));
        assert_eq!(said, Said::Verdict(verdict));
        assert_eq!(&*kept[0].config, br#"{"most":3}"#);
        assert_eq!(&*kept[0].subject, order.subject.as_bytes());
        let said = Said::Failed { code: "trap".to_owned(), message: "the plugin trapped: unreachable".to_owned() };
        assert_eq!((&kept[1].measured.evidence, &kept[1].measured.said), (&Evidence::Missing, &said));
        assert!(Arc::ptr_eq(&kept[0].subject, &kept[1].subject), "what repeats is there once");
    }

    #[tokio::test]
    async fn what_is_too_large_is_told_and_its_verdict_kept() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path(), lockgate_store::StoreOptions::default()).unwrap();
        let (taking, mut order) = taking(&Gated::new());
        let wordy = Verdict { reason: "x".repeat(REASON_BYTES + 1), ..verdict(Decision::Fail) };
        taking.judged(&store, &order, &"x".repeat(MAX_SAMPLE_BYTES).into(), Ok(&wordy)).await;
        order.subject = "x".repeat(MAX_SAMPLE_BYTES + 1).into();
        taking.judged(&store, &order, &Value::Null, Ok(&wordy)).await;
        let kept = kept(&store).await;
        assert_eq!(kept.len(), 2);
        for sample in kept {
            assert!(matches!(sample.measured.evidence, Evidence::TooLarge { bytes } if bytes > MAX_SAMPLE_BYTES));
            assert_eq!(sample.measured.said.outcome(), GateVerdict::Fail);
            assert!(matches!(&sample.measured.said, Said::Verdict(said) if said.reason.len() == REASON_BYTES));
        }
    }

    #[test]
    fn samples_are_wanted_as_long_as_a_definition_names_their_gate() {
        let definition = Gated::new().state.definition;
        let is_named =
            |environment: &str, name: &str| is_named(&definition, &series("shop", environment, name).unwrap());
        assert!(is_named("prod", "page") && is_named("prod", ROUNDS));
        assert!(!is_named("prod", "errors") && !is_named("gone", "page") && !is_named("gone", ROUNDS));
        assert!(!is_named("_odd", "page"));
    }

    /// Lines of every shape there ever was. Add to them; never change one.
    #[test]
    fn every_sample_that_was_ever_kept_reads_back() {
        let measured = [
            r#"{"deployment":7,"attempt":2,"set":"post","round":3,"at":1773480000000,"plugin":"http-check","digest":"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae","evidence":{"kept":{"status":200}},"said":{"verdict":{"decision":"pass","reason":"status 200","valid_for_ms":0}}}"#,
            r#"{"deployment":7,"attempt":2,"set":"pre","round":3,"at":1773480000000,"plugin":"http-check","digest":"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae","evidence":{"too_large":{"bytes":1048577}},"said":{"failed":{"code":"trap","message":"unreachable"}}}"#,
            r#"{"deployment":7,"attempt":2,"set":"post","round":3,"at":1773480000000,"plugin":"http-check","digest":"sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae","evidence":"missing","said":{"failed":{"code":"denied","message":"not granted"}}}"#,
        ];
        for line in measured {
            let read: Measured = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), line);
        }
        let rounds = [
            r#"{"deployment":7,"attempt":2,"set":"post","release":"v1","at":1773480000000,"ended":{"round":3,"steady_ms":0,"deadline":1773480060000,"gates":[{"name":"page","last":{"outcome":"error","reason":"down","at":1773480000000}},{"name":"errors","last":null}]}}"#,
            r#"{"deployment":7,"attempt":2,"set":"post","release":"v1","at":1773480000000,"passed":null}"#,
            r#"{"deployment":7,"attempt":2,"set":"post","release":"v1","at":1773480000000,"failed":{"reason":"page: down"}}"#,
            r#"{"deployment":7,"attempt":2,"set":"post","release":"v1","at":1773480000000,"canceled":null}"#,
        ];
        for line in rounds {
            let read: Round = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), line);
        }
    }
}
