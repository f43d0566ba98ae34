//! A gate whose judge says what the evidence says.

wit_bindgen::generate!({
    path: ["../../../../../wit/plugin", "../../../../../wit/gate"],
    world: "lockgate:gate/gate-plugin",
    generate_all,
});

use exports::lockgate::gate::gate::{Decision, Guest, Sampled, Verdict};
use lockgate::plugin::types::{Call, Description, Failure, Issue};
use lockgate::plugin::{artifacts, http};

struct Plugin;
export!(Plugin);

impl Guest for Plugin {
    fn describe() -> Description {
        Description {
            name: "test-gate".into(),
            version: "1".into(),
            summary: "".into(),
            config_schema: "".into(),
            requests: "".into(),
            extra: vec![],
        }
    }

    fn validate(_config: String) -> Vec<Issue> {
        vec![]
    }

    fn sample(_c: Call, config: String, _subject: String, memo: Vec<u8>) -> Result<Sampled, Failure> {
        let memo = [memo, b"+".to_vec()].concat();
        Ok(Sampled { done: memo.len() > 1, evidence: config, memo, poll_after_ms: 7, extra: vec![] })
    }

    /// Reaches out where the configuration is a URL or a digest, to be refused.
    fn judge(config: String, _subject: String, evidence: String) -> Result<Verdict, Failure> {
        if config.starts_with("http") {
            http::send(&http::Request {
                method: "GET".into(),
                url: config.clone(),
                headers: vec![],
                body: vec![],
                timeout_ms: 0,
            })?;
        }
        if config.starts_with("sha256:") {
            artifacts::open(&config)?;
        }
        let decision = if evidence == "true" { Decision::Pass } else { Decision::Fail };
        Ok(Verdict { decision, reason: format!("evidence is {evidence}"), valid_for_ms: 9, extra: vec![] })
    }
}
