//! `lockgate gate`: what gates measured, judged again.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, duration, printable, shell_word, short};
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::target::{DeploymentArg, ProjectArg};
use crate::project_file;
use crate::wire::{Backtest, BacktestRun, BacktestSample, BacktestTotals, Backtested, Remark};

/// A table of reasons is read by its first words; all of them are in the JSON.
const MOST_REASON_CHARS: usize = 100;

#[derive(Debug, Subcommand)]
pub enum GateCommand {
    /// Try another rule on what a gate measured before: which deployments would it have stopped?
    ///
    /// Only the plugin's `judge` runs, without any grant, over the evidence that is kept of past deployments. Nothing is
    /// asked outside, and nothing changes. Without --config, --set or --plugin it is the gate as it is now.
    Backtest(BacktestArgs),
    /// Count a gate as passed, in your name.
    Ignore(IgnoreArgs),
}

#[derive(Debug, Args)]
pub struct IgnoreArgs {
    /// Its name in the project file.
    gate: String,
    #[command(flatten)]
    deployment: DeploymentArg,
    /// Why: goes on the record.
    #[arg(long)]
    comment: String,
}

#[derive(Debug, Args)]
pub struct BacktestArgs {
    /// Its name in the project file.
    gate: String,
    #[command(flatten)]
    project: ProjectArg,
    #[arg(short, long)]
    environment: String,
    /// YAML or JSON with the whole configuration to try; `-` reads it from standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "set")]
    config: Option<PathBuf>,
    /// Change one key of the present configuration. The value is JSON, or else text. May be given more than once.
    #[arg(long, value_name = "KEY=VALUE", value_parser = change)]
    set: Vec<(String, Value)>,
    /// The plugin to try: a digest, approved or not, or a name, of which it takes what was added last.
    #[arg(long, value_name = "NAME|DIGEST")]
    plugin: Option<String>,
    /// Only what has ended since: `7d`, `12h`, `2026-03-14` or `2026-03-14T09:30:00Z`.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// How many deployments, the newest; an attempt counts as one. The host takes 1 to 500.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: usize,
}

impl GateCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            GateCommand::Backtest(args) => args.run(session).await,
            GateCommand::Ignore(IgnoreArgs { gate, deployment: DeploymentArg { number, project }, comment }) => {
                let ignored = session.client.ignore_gate(&project.project, number, &gate, &Remark { comment }).await?;
                session.out.answer(&ignored, show::deployment);
                Ok(())
            }
        }
    }
}

impl BacktestArgs {
    async fn run(self, session: &Session) -> Result<(), CliError> {
        let look = session.out.look();
        let backtest = Backtest {
            environment: self.environment,
            gate: self.gate,
            config: self.config.as_deref().map(read_config).transpose()?,
            set: self.set.into_iter().collect::<BTreeMap<_, _>>(),
            plugin: self.plugin,
            since: self.since.as_deref().map(|text| since(text, look.now, &look.zone)).transpose()?,
            limit: Some(self.limit),
        };
        let backtested = session.client.backtest(&self.project.project, &backtest).await?;
        session.out.answer(&backtested, |look, backtested| shown(look, backtested, &backtest));
        Ok(())
    }
}

// ---- what is asked ----

/// `max_latency_ms=300`, `expect_status=[200,204]` or `body_contains=healthy`.
fn change(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => {
            Ok((key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()))))
        }
        Some(_) | None => Err("expected KEY=VALUE, such as max_latency_ms=300".to_owned()),
    }
}

fn read_config(path: &Path) -> Result<Value, CliError> {
    let file = path.display().to_string();
    let text = if file == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = text.map_err(|error| {
        CliError::usage(format!("cannot read the configuration {file}: {error}"), "name another file with --config")
    })?;
    project_file::value(&text).map_err(|mistakes| {
        let mistakes = mistakes.in_file(file);
        CliError::Mistakes { shown: mistakes.to_string(), mistakes: mistakes.iter().map(Into::into).collect() }
    })
}

/// RFC 3339, as the API takes it.
fn since(text: &str, now: Timestamp, zone: &TimeZone) -> Result<String, CliError> {
    let ago = || text.parse::<SignedDuration>().ok().or_else(|| days(text)).filter(SignedDuration::is_positive);
    let day = || text.parse::<Date>().ok()?.to_zoned(zone.clone()).ok().map(|start| start.timestamp());
    let before = |ago: SignedDuration| now.checked_sub(ago).ok();
    let at = text.parse::<Timestamp>().ok().or_else(day).or_else(|| ago().and_then(before));
    let what = || format!("`--since {}` is no time", printable(text));
    at.map(|at| at.to_string())
        .ok_or_else(|| CliError::usage(what(), "write it as 7d, 12h, 2026-03-14 or 2026-03-14T09:30:00Z"))
}

/// A day back is 24 hours: nobody counts on the hour here.
fn days(text: &str) -> Option<SignedDuration> {
    let days: i64 = text.trim().strip_suffix('d')?.trim_end().parse().ok()?;
    days.checked_mul(24).and_then(|hours| hours.checked_mul(3_600)).map(SignedDuration::from_secs)
}

// ---- what is shown ----

fn shown(look: &Look, backtested: &Backtested, asked: &Backtest) -> String {
    let parts = [
        title(look, backtested, asked),
        table(look, &backtested.runs),
        broken(look, backtested),
        summary(look, backtested),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// `page in shop/production, as http-check 3f2a91c04b1d (active) judges with body_contains=ready`.
fn title(look: &Look, backtested: &Backtested, asked: &Backtest) -> String {
    let Backtested { project, environment, gate, plugin, digest, plugin_status, .. } = backtested;
    let set = asked.set.iter().map(|(key, value)| shell_word(&format!("{key}={}", as_typed(value))));
    let with = match (&asked.config, set.collect::<Vec<_>>()) {
        (Some(_), _) => " with another configuration".to_owned(),
        (None, set) if set.is_empty() => String::new(),
        (None, set) => format!(" with {}", set.join(" ")),
    };
    let digest = look.quiet(&short(digest));
    let status = look.status(plugin_status);
    format!("{} in {project}/{environment}, as {plugin} {digest} ({status}) judges{with}", look.strong(gate))
}

fn as_typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// What differs comes first, and what cannot be known before what stays as it was.
fn table(look: &Look, runs: &[BacktestRun]) -> String {
    let mut runs: Vec<&BacktestRun> = runs.iter().collect();
    runs.sort_by_key(|run| match (run.differs, run.would_be.as_str()) {
        (true, "stopped") => 0,
        (true, _) => 1,
        (false, "unknown") => 2,
        (false, _) => 3,
    });
    let row = |run: &&BacktestRun| {
        let attempt = if run.attempt > 1 { format!(", attempt {}", run.attempt) } else { String::new() };
        vec![
            format!("#{}{attempt}", run.deployment),
            printable(&run.release),
            look.time(&run.at),
            run.was.clone(),
            run.would_be.clone(),
            reason(&run.why),
        ]
    };
    look.table(&["DEPLOYMENT", "RELEASE", "SAMPLED", "WAS", "WOULD BE", "WHY"], runs.iter().map(row))
}

fn reason(text: &str) -> String {
    let text = printable(text);
    match text.char_indices().nth(MOST_REASON_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A rule that breaks stops everything, and is no rule yet.
fn broken(look: &Look, backtested: &Backtested) -> String {
    let errors = backtested.runs.iter().flat_map(|run| run.samples.iter().map(move |sample| (run, sample)));
    let is_broken = |sample: &BacktestSample| sample.would_be.as_deref() == Some("error");
    let errors: Vec<_> = errors.filter(|(_, sample)| is_broken(sample)).collect();
    let Some((run, first)) = errors.first() else { return String::new() };
    let (count, plural) = (errors.len(), if errors.len() == 1 { "" } else { "s" });
    let said = reason(&first.reason);
    let title = look.paint(Tone::Bad, &format!("The plugin broke on {count} sample{plural}"));
    format!("{title}, such as round {} of #{}: {said}", first.round, run.deployment)
}

fn summary(look: &Look, backtested: &Backtested) -> String {
    let BacktestTotals { runs, newly_stopped, newly_passed, same, unknown, judged, samples } = backtested.totals;
    let parts = [
        (newly_stopped, Some(Tone::Bad), "would have been stopped"),
        (newly_passed, Some(Tone::Good), "would have passed"),
        (unknown, Some(Tone::Waiting), "cannot be told"),
        (same, None, "the same"),
    ];
    let part = |(count, tone, text): (usize, Option<Tone>, &str)| {
        let text = format!("{count} {text}");
        tone.map_or(text.clone(), |tone| look.paint(tone, &text))
    };
    let parts: Vec<String> = parts.into_iter().filter(|(count, _, _)| *count > 0).map(part).collect();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut lines = vec![format!("Of {runs} deployment{}: {}.", plural(runs), parts.join(", "))];
    lines.push(
        look.quiet(&format!(
            "{judged} of {samples} sample{} judged again; nothing outside was asked.",
            plural(samples)
        )),
    );
    let longest = backtested.runs.iter().filter_map(|run| run.time_left_ms).max();
    lines.extend(longest.filter(|left| *left > 0).map(|left| {
        let left = duration(left);
        look.quiet(&format!(
            "Gates that pass are not sampled on: with up to {left} left, some could still have turned green."
        ))
    }));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::cli::look::testing::look;

    fn run(deployment: u64, was: &str, would_be: &str, why: &str) -> BacktestRun {
        BacktestRun {
            deployment,
            attempt: 1,
            set: "post".to_owned(),
            release: format!("v1.{deployment}"),
            at: "2026-03-14T09:12:44Z".to_owned(),
            was: was.to_owned(),
            would_be: would_be.to_owned(),
            differs: would_be != "unknown" && was != would_be,
            why: why.to_owned(),
            time_left_ms: None,
            rounds: 1,
            samples: Vec::new(),
        }
    }

    fn backtested(runs: Vec<BacktestRun>) -> Backtested {
        let count = |is: &dyn Fn(&BacktestRun) -> bool| runs.iter().filter(|run| is(run)).count();
        Backtested {
            project: "shop".to_owned(),
            environment: "production".to_owned(),
            gate: "page".to_owned(),
            plugin: "http-check".to_owned(),
            digest: format!("sha256:{}", "3f2a91c04b1d".repeat(5)),
            plugin_status: "active".to_owned(),
            totals: BacktestTotals {
                runs: runs.len(),
                newly_stopped: count(&|run| run.differs && run.would_be == "stopped"),
                newly_passed: count(&|run| run.differs && run.would_be == "passed"),
                same: count(&|run| run.was == run.would_be),
                unknown: count(&|run| run.would_be == "unknown"),
                samples: 9,
                judged: 8,
            },
            runs,
        }
    }

    #[test]
    fn what_would_differ_comes_first() {
        let retried = BacktestRun { attempt: 2, ..run(9, "passed", "passed", "status 200") };
        let stopped = BacktestRun {
            time_left_ms: Some(58_000),
            ..run(7, "passed", "stopped", "answered in 512 ms, allowed are 300 ms")
        };
        let runs = vec![
            retried,
            run(8, "canceled", "unknown", "it was canceled before its gates were green"),
            stopped,
            run(6, "stopped", "passed", "status 200"),
        ];
        let asked = Backtest { set: [("max_latency_ms".to_owned(), json!(300))].into(), ..Backtest::default() };
        expect![[r#"
            page in shop/production, as http-check 3f2a91c04b1d (active) judges with max_latency_ms=300

            DEPLOYMENT     RELEASE  SAMPLED   WAS       WOULD BE  WHY
            #7             v1.7     09:12:44  passed    stopped   answered in 512 ms, allowed are 300 ms
            #6             v1.6     09:12:44  stopped   passed    status 200
            #8             v1.8     09:12:44  canceled  unknown   it was canceled before its gates were green
            #9, attempt 2  v1.9     09:12:44  passed    passed    status 200

            Of 4 deployments: 1 would have been stopped, 1 would have passed, 1 cannot be told, 1 the same.
            8 of 9 samples judged again; nothing outside was asked.
            Gates that pass are not sampled on: with up to 58 s left, some could still have turned green."#]]
        .assert_eq(&shown(&look(), &backtested(runs), &asked));
    }

    #[test]
    fn a_rule_that_breaks_is_told_as_such() {
        let broken = BacktestSample {
            round: 1,
            was: Some("pass".to_owned()),
            was_reason: "status 200".to_owned(),
            would_be: Some("error".to_owned()),
            reason: "the plugin trapped: unreachable\u{1b}[2J".to_owned(),
        };
        let stopped = run(7, "passed", "stopped", &format!("the plugin trapped: {}", "x".repeat(200)));
        let pending = Backtested {
            plugin_status: "pending".to_owned(),
            ..backtested(vec![BacktestRun { samples: vec![broken], ..stopped }])
        };
        let asked = Backtest { config: Some(json!({})), ..Backtest::default() };
        expect![[r#"
            page in shop/production, as http-check 3f2a91c04b1d (pending) judges with another configuration

            DEPLOYMENT  RELEASE  SAMPLED   WAS     WOULD BE  WHY
            #7          v1.7     09:12:44  passed  stopped   the plugin trapped: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…

            The plugin broke on 1 sample, such as round 1 of #7: the plugin trapped: unreachable�[2J

            Of 1 deployment: 1 would have been stopped.
            8 of 9 samples judged again; nothing outside was asked."#]].assert_eq(&shown(&look(), &pending, &asked));
    }

    #[test]
    fn a_change_is_json_or_text() {
        let read = ["a=300", "a=[200,204]", "a=healthy", "a=b=c", "a=\"7\"", "a=null", "a="]
            .map(|text| change(text).unwrap().1);
        assert_eq!(
            read,
            [json!(300), json!([200, 204]), json!("healthy"), json!("b=c"), json!("7"), Value::Null, json!("")]
        );
        assert!(change("healthy").is_err() && change("=1").is_err());
    }

    #[test]
    fn a_time_is_a_moment_a_day_or_how_long_ago() {
        let read = |text| since(text, look().now, &TimeZone::UTC);
        let times = ["2026-03-01T10:00:00+01:00", "2026-03-01", "7d", "90m"].map(|text| read(text).unwrap());
        assert_eq!(
            times,
            ["2026-03-01T09:00:00Z", "2026-03-01T00:00:00Z", "2026-03-07T09:30:00Z", "2026-03-14T08:00:00Z"]
        );
        for wrong in ["", "yesterday", "-7d", "0d", "99999999999999999999d"] {
            let error = read(wrong).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{wrong}");
        }
    }

    #[test]
    fn a_configuration_is_read_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = |text: &str| {
            let path = folder.path().join("page.yaml");
            std::fs::write(&path, text).unwrap();
            read_config(&path)
        };
        assert_eq!(
            file("url: http://a\nexpect_status: [200]\n").unwrap(),
            json!({ "url": "http://a", "expect_status": [200] })
        );
        assert_eq!(file(r#"{"equals": null}"#).unwrap(), json!({ "equals": null }));
        let error = file("url: *anchor\n").unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.shown(&look()).contains("page.yaml:1:6"), "{}", error.shown(&look()));
        assert!(read_config(&folder.path().join("missing")).is_err());
    }
}
