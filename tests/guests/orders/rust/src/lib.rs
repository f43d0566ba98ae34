//! Places orders with a supplier, one a call. The cursor is how many it has taken.

wit_bindgen::generate!({ path: "wit", world: "phase-plugin", generate_all });

use exports::lockgate::phase::phase::{Guest, Progressed};
use lockgate::plugin::http::{self, Request};
use lockgate::plugin::types::{Call, Description, Failure, Field, Issue, Retry};
use lockgate::plugin::{secrets, state};
use serde_json::{Value, json};

struct Orders;

impl Guest for Orders {
    fn describe() -> Description {
        Description {
            name: env!("CARGO_PKG_NAME").into(),
            version: "0.1.0".into(),
            summary: "Places orders, one a call.".into(),
            config_schema: include_str!("../config.schema.json").into(),
            requests: json!({ "http": [{ "config": "/url" }] }).to_string(),
            extra: vec![],
        }
    }

    fn validate(_config: String) -> Vec<Issue> {
        vec![]
    }

    fn advance(call: Call, config: String, _subject: String, cursor: Vec<u8>) -> Result<Progressed, Failure> {
        let config: Value = serde_json::from_str(&config).expect("the host has parsed it");
        if let Some(what) = config["try"].as_str() {
            return Ok(progressed(true, 0, json!({ "came": tried(what, &config) })));
        }
        let order: u64 = String::from_utf8_lossy(&cursor).parse().unwrap_or(0);
        let url = config["url"].as_str().unwrap_or_default();
        let status = post(url, &call, json!({ "order": order, "sequence": call.sequence }))?;
        if status != 200 {
            let message = format!("the supplier answered with status {status}");
            return Err(Failure { code: "refused".into(), message, retry: Retry::Never, retry_after_ms: 0, details: "{}".into() });
        }
        let placed = order + 1;
        Ok(progressed(Some(placed) == config["orders"].as_u64(), placed, json!({ "placed": placed })))
    }

    fn cancel(_call: Call, _config: String, _subject: String, _cursor: Vec<u8>) -> Result<Progressed, Failure> {
        Ok(progressed(true, 0, json!({})))
    }
}

export!(Orders);

fn post(url: &str, call: &Call, body: Value) -> Result<u32, Failure> {
    let key = Field { key: "idempotency-key".into(), value: call.idempotency_key.clone() };
    let body = body.to_string().into_bytes();
    let request = Request { method: "POST".into(), url: url.into(), headers: vec![key], body, timeout_ms: 0 };
    Ok(http::send(&request)?.status)
}

fn tried(what: &str, config: &Value) -> String {
    let at = config["at"].as_str().unwrap_or_default();
    let get = Request { method: "GET".into(), url: at.into(), headers: vec![], body: vec![], timeout_ms: 0 };
    match what {
        "http" => came(http::send(&get)),
        "secret" => came(secrets::token("deploy-key")),
        "state" => came(state::get("count")),
        "file" => std::fs::read("/etc/passwd").map_or_else(|error| error.kind().to_string(), |_| "opened".into()),
        "socket" => std::net::TcpStream::connect(at).map_or_else(|error| error.kind().to_string(), |_| "opened".into()),
        _ => "unknown".into(),
    }
}

fn came<T>(answer: Result<T, Failure>) -> String {
    answer.map_or_else(|failure| failure.code, |_| "granted".into())
}

fn progressed(done: bool, placed: u64, outputs: Value) -> Progressed {
    Progressed {
        done,
        cursor: placed.to_string().into_bytes(),
        poll_after_ms: 0,
        summary: format!("{placed} orders are placed."),
        outputs: outputs.to_string(),
        artifacts: vec![],
        extra: vec![],
    }
}
