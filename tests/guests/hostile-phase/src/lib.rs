//! A phase that does what no phase should: the tests of the sandbox prove that nothing comes of it.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;

use lockgate_sdk::phase::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(rename = "do")]
    deed: Deed,
    /// How often: lines of a flood, steps, failures before a success.
    #[serde(default = "three")]
    times: u32,
    /// How long each wait is.
    #[serde(default)]
    ms: u32,
    /// How huge.
    #[serde(default = "huge")]
    bytes: usize,
    /// Of `http-denied`.
    #[serde(default = "nowhere")]
    url: String,
    /// Of `fail`.
    #[serde(default = "failed")]
    code: String,
    /// Of `fail`: may the host call again?
    #[serde(default)]
    retry: bool,
    /// Of `read-outside`, besides those it knows.
    #[serde(default)]
    paths: Vec<String>,
    /// A granted folder, where a test wants the guest to have one.
    #[serde(default, rename = "folder")]
    _folder: Option<String>,
}

fn three() -> u32 {
    3
}

fn huge() -> usize {
    64 << 20
}

fn nowhere() -> String {
    "http://nowhere.invalid/".into()
}

fn failed() -> String {
    "failed".into()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    /// Executes `unreachable`.
    Trap,
    /// Panics with the message `the plugin panicked on purpose`.
    PanicMessage,
    /// The same, already when its configuration is checked.
    PanicInValidate,
    /// Computes forever.
    Spin,
    /// Takes and touches memory forever.
    Allocate,
    /// Calls itself forever.
    Recurse,
    /// Writes `times` lines of `bytes` bytes to the log, then is done.
    LogFlood,
    /// Writes `bytes` bytes to standard output and as many to standard error, then is done.
    StdoutFlood,
    /// Answers a cursor of `bytes` bytes.
    HugeCursor,
    /// Answers outputs of `bytes` bytes.
    HugeOutputs,
    /// Answers outputs that are no JSON.
    GarbageOutputs,
    /// Sends a request to `url` and tells the failure's code and message in its outputs.
    HttpDenied,
    /// Tries to read and write outside what was granted; outputs say for each path what came of it.
    ReadOutside,
    /// Waits in steps of a second and never asks whether it was cancelled.
    WaitForever,
    /// Waits until it is cancelled, then fails with code `cancelled`.
    WaitPolitely,
    /// The same, but what it is to stop then is never stopped.
    WaitAndCling,
    /// Sleeps in WASI, where no interface of ours sees it.
    SleepForever,
    /// Outputs environment, arguments and working folder.
    EnvAndArgs,
    /// Is done at once.
    Done,
    /// Is done after `times` calls, counted in the cursor.
    Steps,
    /// Fails `times` times and may be retried, counted in the host's state; then it is done.
    Retry,
    /// Waits `ms`, then is done.
    Slow,
    /// Says a word to standard output and one to standard error, then waits `ms` or until it is cancelled.
    Say,
    /// Fails with `code`.
    Fail,
    /// Outputs call, subject and cursor as they came.
    Echo,
}

pub struct HostilePhase;

impl Phase for HostilePhase {
    type Config = Config;

    fn describe() -> Description {
        describe!("For tests: does what no phase should.")
            .config_schema(r#"{ "type": "object", "required": ["do"], "properties": { "do": { "type": "string" } } }"#)
            .folder_from_config("/folder")
    }

    fn validate(config: &Config) -> Vec<Issue> {
        match config.deed {
            Deed::PanicInValidate => panic!("the plugin panicked on purpose"),
            _ => Vec::new(),
        }
    }

    fn advance(call: Call, config: Config, subject: Subject, cursor: Cursor) -> Result<Progressed, Failure> {
        match config.deed {
            Deed::Trap => trap(),
            Deed::PanicMessage | Deed::PanicInValidate => panic!("the plugin panicked on purpose"),
            Deed::Spin => spin(),
            Deed::Allocate => allocate(),
            Deed::Recurse => Ok(Progressed::done(format!("came back from {}", recurse(0)))),
            Deed::LogFlood => Ok(log_flood(&config)),
            Deed::StdoutFlood => stdout_flood(config.bytes),
            Deed::HugeCursor => Ok(Progressed { cursor: vec![b'x'; config.bytes], ..Progressed::again(&0) }),
            Deed::HugeOutputs => Ok(Progressed::done("huge").outputs(json!({ "huge": "x".repeat(config.bytes) }))),
            Deed::GarbageOutputs => Ok(Progressed { outputs: "{not JSON".into(), ..Progressed::done("garbage") }),
            Deed::HttpDenied => Ok(http_denied(&config.url)),
            Deed::ReadOutside => Ok(read_outside(&config.paths)),
            Deed::WaitForever => loop {
                control::wait(1000);
            },
            Deed::WaitPolitely | Deed::WaitAndCling => {
                while !control::wait(1000) {}
                Err(Failure::fatal("cancelled", "stopped waiting, as asked"))
            }
            Deed::SleepForever => loop {
                std::thread::sleep(std::time::Duration::from_secs(3600));
            },
            Deed::EnvAndArgs => Ok(env_and_args()),
            Deed::Done => Ok(Progressed::done("done")),
            Deed::Steps => steps(&config, &cursor),
            Deed::Retry => retry(&call, config.times),
            Deed::Slow => {
                let cancelled = control::wait(config.ms);
                Ok(Progressed::done("slow").outputs(json!({ "cancelled": cancelled })))
            }
            Deed::Say => {
                println!("hello from standard output");
                eprintln!("hello from standard error");
                let cancelled = control::wait(config.ms);
                Ok(Progressed::done("said").outputs(json!({ "cancelled": cancelled })))
            }
            Deed::Fail => Err(fail(&config)),
            Deed::Echo => Ok(echo(&call, &subject, &cursor)),
        }
    }

    fn cancel(_: Call, config: Config, _: Subject, _: Cursor) -> Result<Progressed, Failure> {
        match config.deed {
            Deed::WaitAndCling => Ok(Progressed::again(&0).after_ms(1000)),
            _ => Ok(Progressed::done("Nothing was left to stop.")),
        }
    }
}

lockgate_sdk::export_phase!(HostilePhase);

fn trap() -> ! {
    #[cfg(target_family = "wasm")]
    core::arch::wasm32::unreachable();
    #[cfg(not(target_family = "wasm"))]
    std::process::abort();
}

fn spin() -> ! {
    let mut turns = 0u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn allocate() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(black_box(vec![1u8; 1 << 20]));
    }
}

#[expect(unconditional_recursion, reason = "that is the deed")]
fn recurse(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    recurse(depth + 1).wrapping_add(frame[0])
}

fn log_flood(config: &Config) -> Progressed {
    let line = "x".repeat(config.bytes.min(1 << 20));
    for _ in 0..config.times {
        log::info(&line);
    }
    Progressed::done("flooded")
}

fn stdout_flood(bytes: usize) -> Result<Progressed, Failure> {
    let line = format!("{}\n", "x".repeat(1023));
    for _ in 0..bytes / line.len() {
        std::io::stdout().write_all(line.as_bytes())?;
        std::io::stderr().write_all(line.as_bytes())?;
    }
    Ok(Progressed::done("flooded"))
}

fn http_denied(url: &str) -> Progressed {
    let outputs = match http::get(url).send() {
        Ok(response) => json!({ "code": Value::Null, "status": response.status }),
        Err(failure) => json!({ "code": failure.code, "message": failure.message }),
    };
    Progressed::done("asked").outputs(outputs)
}

/// `read`, `listed` or `written` for a path is a hole in the sandbox.
fn read_outside(more: &[String]) -> Progressed {
    let known = [
        "/etc/passwd",
        "etc/passwd",
        "../etc/passwd",
        "../../../../../../etc/passwd",
        "/workspace/../etc/passwd",
        "/folders/../../etc/passwd",
        "/proc/self/environ",
    ];
    let mut outputs = BTreeMap::new();
    for path in known.iter().copied().chain(more.iter().map(String::as_str)) {
        outputs.insert(format!("read {path}"), tried(std::fs::read(path), "read"));
    }
    for path in ["/", "/tmp", "..", "/home"] {
        outputs.insert(format!("list {path}"), tried(std::fs::read_dir(path), "listed"));
    }
    for path in ["/tmp/lockgate-hostile", "../lockgate-hostile", "lockgate-hostile"] {
        outputs.insert(format!("write {path}"), tried(std::fs::write(path, "here"), "written"));
    }
    Progressed::done("tried").outputs(json!(outputs))
}

fn tried<T>(result: std::io::Result<T>, success: &str) -> String {
    match result {
        Ok(_) => success.to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

fn env_and_args() -> Progressed {
    let env: BTreeMap<_, _> = std::env::vars().collect();
    let args: Vec<_> = std::env::args().collect();
    let folder = std::env::current_dir().map(|path| path.display().to_string()).unwrap_or_default();
    Progressed::done("looked").outputs(json!({ "env": env, "args": args, "folder": folder }))
}

fn steps(config: &Config, cursor: &Cursor) -> Result<Progressed, Failure> {
    let step = cursor.read::<u32>()?.unwrap_or(0) + 1;
    progress::report(step * 100 / config.times.max(1), &format!("step {step} of {}", config.times));
    if step < config.times {
        return Ok(Progressed::again(&step).after_ms(config.ms));
    }
    Ok(Progressed::done(format!("{step} steps")).outputs(json!({ "steps": step })))
}

fn retry(call: &Call, times: u32) -> Result<Progressed, Failure> {
    let key = format!("failures/{}/{}/{}", call.deployment, call.attempt, call.name);
    let (failures, version) = match state::get(&key)? {
        Some(entry) => {
            let text = String::from_utf8_lossy(&entry.value).into_owned();
            (text.parse::<u32>().unwrap_or(0), entry.version)
        }
        None => (0, 0),
    };
    if failures == times {
        return Ok(Progressed::done(format!("after {failures} failures")).outputs(json!({ "failures": failures })));
    }
    state::put(&key, (failures + 1).to_string().as_bytes(), version)?;
    Err(Failure::retry(format!("failure {} of {times}", failures + 1)))
}

fn fail(config: &Config) -> Failure {
    let failure = Failure::fatal(&config.code, "failed on purpose").after_ms(config.ms);
    match config.retry {
        true => Failure { retry: Retry::SameKey, ..failure },
        false => failure,
    }
}

fn echo(call: &Call, subject: &Subject, cursor: &Cursor) -> Progressed {
    Progressed::done("echo").outputs(json!({
        "subject": subject,
        "cursor": String::from_utf8_lossy(&cursor.0),
        "call": {
            "project": call.project,
            "environment": call.environment,
            "deployment": call.deployment,
            "attempt": call.attempt,
            "name": call.name,
            "sequence": call.sequence,
            "idempotency_key": call.idempotency_key,
        },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_is_named_as_the_tests_write_it() {
        let config: Config = lockgate_sdk::parse_config(r#"{ "do": "log-flood", "times": 5 }"#).unwrap();

        assert_eq!((config.deed, config.times), (Deed::LogFlood, 5));
        assert_eq!(lockgate_sdk::parse_config::<Config>(r#"{ "do": "nothing" }"#).unwrap_err().path, "/do");
    }

    #[test]
    fn steps_are_counted_in_the_cursor() {
        let config: Config = lockgate_sdk::parse_config(r#"{ "do": "steps", "times": 2 }"#).unwrap();

        let first = steps(&config, &Cursor::default()).unwrap();
        let second = steps(&config, &Cursor(first.cursor)).unwrap();

        assert!(!first.done && second.done);
    }
}
