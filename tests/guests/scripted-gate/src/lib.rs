//! A gate whose judge does what its configuration says, whatever the evidence: most of it is what no judge should.

use std::hint::black_box;
use std::path::Path;

use lockgate_sdk::gate::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(rename = "do")]
    deed: Deed,
    /// Of `ask`.
    #[serde(default)]
    url: String,
    /// Granted, of `green`.
    #[serde(default)]
    folder: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Deed {
    Pass,
    Fail,
    /// Passes as soon as a test has put a file `green` into `folder`.
    Green,
    /// Panics with the message `the judge panicked on purpose`.
    Panic,
    /// Computes forever.
    Spin,
    /// Gives a reason of more bytes than any answer may have.
    HugeReason,
    /// Asks `url`.
    Ask,
}

pub struct ScriptedGate;

impl Gate for ScriptedGate {
    type Config = Config;
    type Evidence = Value;

    fn describe() -> Description {
        describe!("For tests: judges as its configuration says.").folder_from_config("/folder")
    }

    fn sample(_: Call, config: Config, _: Subject, _: Cursor) -> Result<Measured<Value>, Failure> {
        let is_green = Path::new("/folders").join(config.folder).join("green").exists();
        Ok(Measured::Done(json!({ "measured": true, "green": is_green })))
    }

    fn judge(config: Config, _: Subject, evidence: Value) -> Result<Verdict, Failure> {
        match config.deed {
            Deed::Green if evidence["green"] == true => Ok(Verdict::pass("it is green")),
            Deed::Green | Deed::Fail => Ok(Verdict::fail("not as it should")),
            Deed::Pass => Ok(Verdict::pass("as it should")),
            Deed::Panic => panic!("the judge panicked on purpose"),
            Deed::Spin => loop {
                black_box(());
            },
            Deed::HugeReason => Ok(Verdict::pass("x".repeat(6 << 20))),
            Deed::Ask => http::get(&config.url).send().map(|_| Verdict::pass("it was let out")),
        }
    }
}

lockgate_sdk::export_gate!(ScriptedGate);
