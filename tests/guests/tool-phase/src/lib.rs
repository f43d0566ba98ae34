//! A phase that starts the tool its configuration names, and looks at it in call after call until it has ended.

use lockgate_sdk::phase::*;
use lockgate_sdk::tool::{Run, Tool};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    tool: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: Vec<(String, String)>,
    #[serde(default)]
    stdin: String,
    /// Else that of the first call.
    key: Option<String>,
    /// Starts the tool already when its configuration is checked.
    #[serde(default)]
    nosy: bool,
    /// Starts it and does not look: is done at once.
    #[serde(default)]
    forget: bool,
    /// Answers what the tool's interface says to each question, as outputs.
    #[serde(default)]
    ask: bool,
}

pub struct ToolPhase;

impl Phase for ToolPhase {
    type Config = Config;

    fn describe() -> Description {
        describe!("For tests: starts a tool.").tool_from_config("/tool")
    }

    fn validate(config: &Config) -> Vec<Issue> {
        if !config.nosy {
            return Vec::new();
        }
        let answers = [started(config, "key").map(drop), Run::of("key").poll(0, 0).map(drop), Run::of("key").stop()];
        let codes = answers.map(|answer| answer.map_or_else(|failure| failure.code, |()| "ok".to_owned()));
        vec![Issue::new("/tool", codes.join(", "))]
    }

    fn advance(call: Call, config: Config, _subject: Subject, cursor: Cursor) -> Result<Progressed, Failure> {
        let first = config.key.clone().unwrap_or(call.idempotency_key);
        let key: String = cursor.read()?.unwrap_or(first);
        if config.ask {
            return Ok(Progressed::done("asked").outputs(answers(&config, &key)));
        }
        let run = started(&config, &key)?;
        if config.forget {
            return Ok(Progressed::done("started"));
        }
        let status = run.poll(0, 50)?;
        if !status.done {
            return Ok(Progressed::again(&key).after_ms(50));
        }
        let said = json!({
            "code": status.code,
            "stdout": String::from_utf8_lossy(&status.stdout),
            "stderr": String::from_utf8_lossy(&status.stderr),
        });
        Ok(Progressed::done(format!("ended with {}", status.code)).outputs(said))
    }

    fn cancel(_call: Call, _config: Config, _subject: Subject, cursor: Cursor) -> Result<Progressed, Failure> {
        let Some(key) = cursor.read::<String>()? else { return Ok(Progressed::done("nothing was started")) };
        let run = Run::of(&key);
        run.stop()?;
        match run.poll(0, 50)?.done {
            true => Ok(Progressed::done("stopped")),
            false => Ok(Progressed::again(&key).after_ms(50)),
        }
    }
}

lockgate_sdk::export_phase!(ToolPhase);

fn started(config: &Config, key: &str) -> Result<Run, Failure> {
    let mut tool = Tool::new(&config.tool).args(config.args.clone()).stdin(config.stdin.clone());
    for (name, value) in &config.env {
        tool = tool.env(name, value);
    }
    tool.start(key)
}

fn answers(config: &Config, key: &str) -> Value {
    let code = |answer: Result<(), Failure>| match answer {
        Ok(()) => "ok".to_owned(),
        Err(failure) => format!("{}: {}", failure.code, failure.message),
    };
    json!({
        "start": code(started(config, key).map(drop)),
        "poll": code(Run::of(key).poll(0, 0).map(drop)),
        "stop": code(Run::of(key).stop()),
    })
}
