//! A target that does what its configuration says and counts its effects in a granted folder.
//!
//! Tests kill the host anywhere and read the folder afterwards:
//!
//! - `effects`: a line `apply KEY` or `undo KEY` for each effect. A key that is there already has no second one,
//!   as a good target would do it.
//! - `calls`: a line for each call that came, repeated ones too: `plan KEY`, `apply KEY`, `undo KEY`; and one just
//!   before it is answered: `planned KEY`, `applied KEY`, `undone KEY`. So the last line tells where a kill hit.
//! - `plan.json`, if a test puts it there, takes the place of `changes`: the world has moved.
//! - `hold-plan` and `hold-apply`: while a test leaves such a file there, these calls wait before they do anything.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lockgate_sdk::target::*;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the granted folder.
    folder: String,
    #[serde(default)]
    changes: Vec<Change>,
    /// Calls an apply takes, each with an effect.
    #[serde(default = "one")]
    apply_steps: u32,
    /// The call of an apply that fails, from 1. It has no effect.
    fail_at: Option<u32>,
    #[serde(default = "failed")]
    fail_code: String,
    #[serde(default = "yes")]
    undo_ok: bool,
    /// How long each apply and undo waits between its effect and its answer.
    #[serde(default)]
    ms: u32,
    /// How long each plan takes.
    #[serde(default)]
    plan_ms: u32,
}

fn one() -> u32 {
    1
}

fn failed() -> String {
    "failed".into()
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    name: String,
    #[serde(default = "update")]
    action: Verb,
    #[serde(default)]
    application: String,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
    #[serde(default)]
    destructive: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Verb {
    Create,
    Update,
    Delete,
    Replace,
    NoOp,
}

fn update() -> Verb {
    Verb::Update
}

pub struct ScriptedTarget;

impl Target for ScriptedTarget {
    type Config = Config;

    fn describe() -> Description {
        describe!("For tests: does what its configuration says and counts its effects.")
            .config_schema(r#"{ "type": "object", "required": ["folder"] }"#)
            .folder_from_config("/folder")
    }

    fn plan(call: Call, config: Config, _: Subject, _: Cursor) -> Result<PlanStep, Failure> {
        let folder = folder(&config);
        tell(&folder, "plan", &call)?;
        hold(&folder, "hold-plan");
        let changes = changes(&config, &folder)?;
        control::wait(config.plan_ms);
        tell(&folder, "planned", &call)?;
        Ok(PlanStep::done(Planned::new(format!("{} changes", changes.len()), changes, json!({}))))
    }

    fn apply(call: Call, config: Config, _: Subject, approved: Planned, cursor: Cursor) -> Result<Progressed, Failure> {
        let folder = folder(&config);
        hold(&folder, "hold-apply");
        let progressed = apply(&folder, &call.idempotency_key, &config, &approved, &cursor)?;
        control::wait(config.ms);
        tell(&folder, "applied", &call)?;
        Ok(progressed)
    }

    fn undo(call: Call, config: Config, _: Subject, _: Planned, _: Cursor) -> Result<Progressed, Failure> {
        let folder = folder(&config);
        tell(&folder, "undo", &call)?;
        if !config.undo_ok {
            return Err(Failure::fatal("undo-failed", "undo fails, as configured"));
        }
        once(&folder, &format!("undo {}", call.idempotency_key))?;
        control::wait(config.ms);
        tell(&folder, "undone", &call)?;
        Ok(Progressed::done("undone"))
    }

    fn observe(_: Call, config: Config, _: Subject) -> Result<Vec<ResourceState>, Failure> {
        let changes = changes(&config, &folder(&config))?;
        let state = |change: &ResourceChange| {
            ResourceState::new("thing", &change.name, Health::Healthy).application(&change.application)
        };
        Ok(changes.iter().map(state).collect())
    }
}

lockgate_sdk::export_target!(ScriptedTarget);

fn folder(config: &Config) -> PathBuf {
    Path::new("/folders").join(&config.folder)
}

fn tell(folder: &Path, what: &str, call: &Call) -> Result<(), Failure> {
    append(&folder.join("calls"), &format!("{what} {}", call.idempotency_key))
}

fn changes(config: &Config, folder: &Path) -> Result<Vec<ResourceChange>, Failure> {
    let changes = match fs::read(folder.join("plan.json")) {
        Ok(moved) => json::from_slice(&moved).map_err(io::Error::from)?,
        Err(_) => config.changes.clone(),
    };
    let resource = |change: Change| {
        let action = match change.action {
            Verb::Create => Action::Create,
            Verb::Update => Action::Update,
            Verb::Delete => Action::Delete,
            Verb::Replace => Action::Replace,
            Verb::NoOp => Action::NoOp,
        };
        ResourceChange::new(action, "thing", change.name)
            .application(change.application)
            .destructive(change.destructive)
            .field("value", change.before, change.after)
    };
    Ok(changes.into_iter().map(resource).collect())
}

fn apply(
    folder: &Path,
    key: &str,
    config: &Config,
    approved: &Planned,
    cursor: &Cursor,
) -> Result<Progressed, Failure> {
    append(&folder.join("calls"), &format!("apply {key}"))?;
    let step = cursor.read::<u32>()?.unwrap_or(0) + 1;
    if step == 1 && sorted(&changes(config, folder)?) != sorted(&approved.changes) {
        return Err(Failure::fatal("plan-stale", "the world has moved since the plan"));
    }
    if config.fail_at == Some(step) {
        return Err(Failure::fatal(&config.fail_code, format!("call {step} fails, as configured")));
    }
    once(folder, &format!("apply {key}"))?;
    progress::report(step * 100 / config.apply_steps.max(1), &format!("step {step} of {}", config.apply_steps));
    if step < config.apply_steps {
        return Ok(Progressed::again(&step));
    }
    Ok(Progressed::done(format!("applied in {step} steps")).outputs(json!({ "steps": step })))
}

/// Asleep where no cancel is heard: how it goes on is the test's to say.
fn hold(folder: &Path, file: &str) {
    while folder.join(file).exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The host sorts the changes it keeps.
fn sorted(changes: &[ResourceChange]) -> Vec<String> {
    let mut sorted: Vec<_> = changes.iter().map(|change| format!("{change:?}")).collect();
    sorted.sort();
    sorted
}

/// The effect, unless a call with this key had it before. Synced, for a host that is killed right after.
fn once(folder: &Path, line: &str) -> Result<(), Failure> {
    let path = folder.join("effects");
    let effects = match fs::read_to_string(&path) {
        Ok(effects) => effects,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::from(error).context("reading the effects")),
    };
    if effects.lines().any(|effect| effect == line) {
        log::info(format!("`{line}` was there already"));
        return Ok(());
    }
    append(&path, line)
}

fn append(path: &Path, line: &str) -> Result<(), Failure> {
    (|| {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_all()
    })()
    .map_err(|error: io::Error| Failure::from(error).context(format_args!("writing {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str) -> Config {
        let config = format!(r#"{{ "folder": "effects", "changes": [{{ "name": "a" }}, {{ "name": "b" }}] {more} }}"#);
        lockgate_sdk::parse_config(&config).unwrap()
    }

    fn empty_folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("scripted-target-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn an_effect_happens_once_for_each_key() {
        let (folder, config) = (empty_folder("once"), config(r#", "apply_steps": 2"#));
        let mut changes = changes(&config, &folder).unwrap();
        changes.reverse();
        let approved = Planned::new("", changes, Value::Null);

        let first = apply(&folder, "k1", &config, &approved, &Cursor::default()).unwrap();
        apply(&folder, "k1", &config, &approved, &Cursor::default()).unwrap();
        let second = apply(&folder, "k2", &config, &approved, &Cursor(first.cursor)).unwrap();

        assert!(second.done);
        assert_eq!(fs::read_to_string(folder.join("effects")).unwrap(), "apply k1\napply k2\n");
        assert_eq!(fs::read_to_string(folder.join("calls")).unwrap(), "apply k1\napply k1\napply k2\n");
    }

    #[test]
    fn a_world_that_moved_makes_the_plan_stale() {
        let (folder, config) = (empty_folder("stale"), config(""));
        let approved = Planned::new("", changes(&config, &folder).unwrap(), Value::Null);
        fs::write(folder.join("plan.json"), r#"[{ "name": "c" }]"#).unwrap();

        let failure = apply(&folder, "k", &config, &approved, &Cursor::default()).unwrap_err();

        assert_eq!(failure.code, "plan-stale");
        assert!(!folder.join("effects").exists());
    }

    #[test]
    fn a_call_that_fails_has_no_effect() {
        let (folder, config) = (empty_folder("fail"), config(r#", "fail_at": 1, "fail_code": "boom""#));
        let approved = Planned::new("", changes(&config, &folder).unwrap(), Value::Null);

        assert_eq!(apply(&folder, "k", &config, &approved, &Cursor::default()).unwrap_err().code, "boom");
        assert!(!folder.join("effects").exists());
    }
}
