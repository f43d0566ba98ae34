//! Gates: a changed rule, tried on what was measured before.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lockgate_core::definition::{Gate, listed};
use lockgate_core::deployment::GateOutcome;
use lockgate_core::digest::Digest;
use lockgate_core::name::Name;
use lockgate_core::plugin::{Issue, Kind, Limits};
use lockgate_core::state::State as ProjectState;
use lockgate_core::system::{Plugin, SystemState};
use lockgate_core::work::GatesOf;
use serde_json::Value;

use super::Api;
use super::auth::Member;
use super::input::{At, Given, Limit, parse_name, parse_time};
use super::plugins::{resolve, unknown};
use super::problem::Problem;
use super::projects::expect_environment;
use super::views::{self, word};
use crate::clock;
use crate::driver::{Again, Backtest, BacktestError, TestedRun, TestedSample, Was, Would, gates_of};
use crate::wire;

const RUNS: Limit = Limit { usual: 50, most: 500 };
const MOST_SAMPLES_SHOWN: usize = 20;

/// Judges again what a gate measured for past deployments, by another configuration or plugin, and says which of them
/// it would have stopped.
///
/// Only the plugin's `judge` runs, without any grant: nothing outside is asked, and a plugin that nobody approved can be
/// tried. What other gates said stays as it was.
#[utoipa::path(post, path = "/v1/projects/{project}/gates/backtest", tag = "gates", params(("project" = String, Path)),
    request_body = wire::Backtest,
    responses((status = 200, body = wire::Backtested)), security(("token" = ["member"])))]
pub async fn backtest(
    State(api): State<Api>,
    Member(by): Member,
    At(project): At<Name>,
    Given(asked): Given<wire::Backtest>,
) -> Result<Json<wire::Backtested>, Problem> {
    let view = api.project(&project)?.view();
    let system = api.host.system.view();
    let meant = meant(&view.state, &system, &asked)?;
    let runs = api.host.backtest(&meant).await.map_err(|error| problem(error, &meant))?;
    let Backtest { environment, gate, plugin, .. } = &meant;
    tracing::info!(%project, %environment, %gate, %plugin, person = by.person, runs = runs.len(), "back-test");
    let plugin = views::plugin(&system, plugin).ok_or_else(|| unknown(&system, &plugin.to_string()))?;
    Ok(Json(wire::Backtested {
        project: project.to_string(),
        environment: environment.to_string(),
        gate: gate.to_string(),
        plugin: plugin.name,
        digest: plugin.digest,
        plugin_status: plugin.status,
        totals: totals(&runs),
        runs: runs.iter().map(run).collect(),
    }))
}

// ---- what is asked ----

fn meant(state: &ProjectState, system: &SystemState, asked: &wire::Backtest) -> Result<Backtest, Problem> {
    let (environment, name) = (parse_name("environment", &asked.environment)?, parse_name("gate", &asked.gate)?);
    expect_environment(state, &environment)?;
    let gate = find_gate(state, &environment, &name)?;
    let plugin = plugin_of(system, gate, asked.plugin.as_deref())?;
    Ok(Backtest {
        project: state.project.name.clone(),
        environment,
        gate: name,
        plugin,
        limits: limits_of(system, &plugin),
        config: config_of(gate, asked)?,
        since: asked.since.as_deref().map(|text| parse_time("since", text)).transpose()?,
        runs: RUNS.in_body(asked.limit)?,
    })
}

/// The environment's own, or one of a phase.
fn find_gate<'a>(state: &'a ProjectState, name: &Name, gate: &Name) -> Result<&'a Gate, Problem> {
    let gates = || gates_of(&state.definition, name);
    gates().find(|there| there.name == *gate).ok_or_else(|| {
        let known = listed(gates().map(|there| &there.name));
        Problem::unknown("unknown-gate", format!("environment `{name}` has no gate `{gate}`; it has: {known}"))
    })
}

/// What is named, or what serves the gate now.
fn plugin_of(system: &SystemState, gate: &Gate, named: Option<&str>) -> Result<Digest, Problem> {
    let digest = match named {
        Some(named) => resolve(system, named)?,
        None => *system.active.get(&gate.plugin).ok_or_else(|| {
            let detail = format!(
                "gate `{}` uses plugin `{}`, of which no digest is approved; name the one to try as `plugin` (`--plugin`)",
                gate.name, gate.plugin
            );
            Problem::new(StatusCode::CONFLICT, "plugin-not-approved", detail)
        })?,
    };
    let plugin = system.plugins.get(&digest).ok_or_else(|| unknown(system, &digest.to_string()))?;
    match plugin.kind {
        Kind::Gate => Ok(digest),
        kind @ (Kind::Phase | Kind::Target) => {
            let detail = format!("plugin `{}` is a {kind} plugin, and only a gate plugin can judge", plugin.name);
            Err(Problem::invalid("wrong-kind", detail))
        }
    }
}

fn config_of(gate: &Gate, asked: &wire::Backtest) -> Result<Value, Problem> {
    if asked.set.is_empty() {
        return Ok(asked.config.clone().unwrap_or_else(|| gate.config.clone()));
    }
    if asked.config.is_some() {
        let detail = "`config` is the whole configuration, and `set` changes keys of the present one; send one of them";
        return Err(Problem::invalid("invalid-body", detail));
    }
    let Value::Object(mut config) = gate.config.clone() else {
        let detail = format!("gate `{}` has no configuration with keys to `set`; send `config`", gate.name);
        return Err(Problem::invalid("invalid-body", detail));
    };
    config.extend(asked.set.clone());
    Ok(Value::Object(config))
}

/// What was granted to an approved one; else what a plugin has before anybody grants anything.
fn limits_of(system: &SystemState, digest: &Digest) -> Limits {
    let approval = |plugin: &Plugin| plugin.approval.as_ref().map(|approval| approval.grants.limits.clone());
    system.plugins.get(digest).and_then(approval).unwrap_or_default()
}

// ---- why not ----

fn refused_config(gate: &Name, issues: &[Issue]) -> Problem {
    let one = |issue: &Issue| match issue.path.as_str() {
        "" => issue.message.clone(),
        path => format!("{path}: {}", issue.message),
    };
    let issues: Vec<String> = issues.iter().map(one).collect();
    let detail = format!("the plugin does not take this configuration for gate `{gate}`: {}", issues.join("; "));
    Problem::invalid("invalid-config", detail)
}

fn problem(error: BacktestError, Backtest { gate, environment, since, .. }: &Backtest) -> Problem {
    match error {
        BacktestError::Busy => Problem::new(StatusCode::TOO_MANY_REQUESTS, "backtest-busy", error.to_string()),
        BacktestError::Component(failure) if failure.code == "component-lost" => {
            Problem::new(StatusCode::CONFLICT, "component-lost", failure.message)
        }
        BacktestError::Component(failure) => Problem::ours("sandbox-failed", failure.message),
        BacktestError::Config(issues) => refused_config(gate, &issues),
        BacktestError::Store(error) => error.into(),
        BacktestError::NoEvidence { newest } => {
            let detail = match (newest, since) {
                (Some(newest), Some(since)) => format!(
                    "nothing that gate `{gate}` measured in `{environment}` since {} is recorded; the newest is of {}",
                    clock::rfc3339(*since),
                    clock::rfc3339(newest)
                ),
                (Some(_) | None, _) => format!(
                    "nothing that gate `{gate}` measured in `{environment}` is recorded yet; every deployment that it \
                     samples is, so deploy there and try again"
                ),
            };
            Problem::new(StatusCode::CONFLICT, "no-evidence", detail)
        }
    }
}

// ---- what came of it ----

fn totals(runs: &[TestedRun]) -> wire::BacktestTotals {
    let count = |is: fn(&TestedRun) -> bool| runs.iter().filter(|run| is(run)).count();
    let samples = || runs.iter().flat_map(|run| &run.samples);
    wire::BacktestTotals {
        runs: runs.len(),
        newly_stopped: count(|run| run.differs() && run.would == Would::Stopped),
        newly_passed: count(|run| run.differs() && run.would == Would::Passed),
        same: count(|run| !run.differs() && run.would != Would::Unknown),
        unknown: count(|run| run.would == Would::Unknown),
        samples: samples().count(),
        judged: samples().filter(|sample| matches!(sample.again, Again::Judged { .. })).count(),
    }
}

fn run(run: &TestedRun) -> wire::BacktestRun {
    let was = match run.was {
        Was::Passed => "passed",
        Was::Stopped => "stopped",
        Was::Canceled => "canceled",
        Was::NotEnded => "not-ended",
    };
    let would_be = match run.would {
        Would::Passed => "passed",
        Would::Stopped => "stopped",
        Would::Unknown => "unknown",
    };
    wire::BacktestRun {
        deployment: run.id.deployment,
        attempt: run.id.attempt,
        set: match run.id.set {
            GatesOf::Pre => "pre".to_owned(),
            GatesOf::Post => "post".to_owned(),
            GatesOf::Phase(index) => format!("phase {}", index + 1),
        },
        release: run.release.to_string(),
        at: clock::rfc3339(run.at),
        was: was.to_owned(),
        would_be: would_be.to_owned(),
        differs: run.differs(),
        why: run.why.clone(),
        time_left_ms: run.time_left_ms,
        rounds: run.samples.len(),
        samples: run.samples.iter().filter_map(sample).take(MOST_SAMPLES_SHOWN).collect(),
    }
}

/// `None`: nothing about it is new.
fn sample(sample: &TestedSample) -> Option<wire::BacktestSample> {
    let was = sample.was.as_ref();
    let (would_be, reason) = match &sample.again {
        Again::AsItWas => return None,
        Again::Judged { outcome, .. } if was.is_some_and(|was: &GateOutcome| was.outcome == *outcome) => return None,
        Again::Judged { outcome, reason } => (Some(word(outcome)), reason.clone()),
        Again::Unknown { why } => (None, why.clone()),
    };
    Some(wire::BacktestSample {
        round: sample.round,
        was: was.map(|was| word(was.outcome)),
        was_reason: was.map(|was| was.reason.clone()).unwrap_or_default(),
        would_be,
        reason,
    })
}

#[cfg(test)]
mod tests {
    use lockgate_core::deployment::GateVerdict;
    use lockgate_core::name::Timestamp;
    use serde_json::json;

    use super::*;
    use crate::driver::RunId;

    fn gate(config: Value) -> Gate {
        Gate { name: "page".parse().unwrap(), plugin: "http-check".parse().unwrap(), config }
    }

    fn asked(body: Value) -> wire::Backtest {
        let mut asked = json!({ "environment": "production", "gate": "page" });
        asked.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        serde_json::from_value(asked).unwrap()
    }

    fn refusal<T>(result: Result<T, Problem>) -> String {
        let Err(problem) = result else { panic!("it was taken") };
        problem.into_wire().detail
    }

    #[test]
    fn a_configuration_is_given_whole_or_by_what_is_changed() {
        let config = |body| config_of(&gate(json!({ "url": "http://a", "equals": 1 })), &asked(body));
        let as_it_is = json!({ "url": "http://a", "equals": 1 });
        assert_eq!(config(json!({})).unwrap(), as_it_is);
        assert_eq!(config(json!({ "config": { "url": "b" } })).unwrap(), json!({ "url": "b" }));
        let changed = json!({ "url": "http://a", "equals": null, "status": 200 });
        assert_eq!(config(json!({ "set": { "equals": null, "status": 200 } })).unwrap(), changed);
        assert!(refusal(config(json!({ "config": {}, "set": { "a": 1 } }))).contains("send one of them"));
        let without_keys = config_of(&gate(Value::Null), &asked(json!({ "set": { "a": 1 } })));
        assert!(refusal(without_keys).contains("send `config`"));
    }

    fn tested(was: Was, would: Would, again: Again) -> TestedRun {
        let was_pass =
            GateOutcome { outcome: GateVerdict::Pass, reason: "ok".to_owned(), at: Timestamp(0), valid_until: None };
        TestedRun {
            id: RunId { deployment: 7, attempt: 1, set: GatesOf::Post },
            release: "v1".parse().unwrap(),
            at: Timestamp(0),
            was,
            would,
            why: String::new(),
            time_left_ms: None,
            samples: vec![TestedSample { round: 1, was: Some(was_pass), again }; 30],
        }
    }

    fn judged(outcome: GateVerdict) -> Again {
        Again::Judged { outcome, reason: "now".to_owned() }
    }

    #[test]
    fn every_run_is_counted_once() {
        let runs = [
            tested(Was::Passed, Would::Stopped, judged(GateVerdict::Fail)),
            tested(Was::Stopped, Would::Passed, judged(GateVerdict::Pass)),
            tested(Was::Canceled, Would::Passed, judged(GateVerdict::Pass)),
            tested(Was::Passed, Would::Passed, Again::AsItWas),
            tested(Was::Stopped, Would::Stopped, judged(GateVerdict::Fail)),
            tested(Was::Canceled, Would::Unknown, Again::Unknown { why: String::new() }),
        ];
        let expected = wire::BacktestTotals {
            runs: 6,
            newly_stopped: 1,
            newly_passed: 2,
            same: 2,
            unknown: 1,
            samples: 180,
            judged: 120,
        };
        assert_eq!(totals(&runs), expected);
    }

    #[test]
    fn samples_are_shown_where_there_is_news_and_not_without_end() {
        let shown = |again| run(&tested(Was::Passed, Would::Stopped, again)).samples;
        assert_eq!(shown(judged(GateVerdict::Pass)).len(), 0);
        assert_eq!(shown(Again::AsItWas).len(), 0);
        assert_eq!(shown(Again::Unknown { why: "gone".to_owned() })[0].would_be, None);
        let failed = shown(judged(GateVerdict::Fail));
        assert_eq!(failed.len(), MOST_SAMPLES_SHOWN);
        let (was, would_be) = (failed[0].was.as_deref(), failed[0].would_be.as_deref());
        assert_eq!((was, would_be, failed[0].reason.as_str()), (Some("pass"), Some("fail"), "now"));
    }
}
