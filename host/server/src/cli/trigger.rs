//! `lockgate trigger`: call an endpoint of whatever release is live.

use clap::Args;
use serde_json::Value;

use crate::cli::fail::CliError;
use crate::cli::look::Look;
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::target::{ProjectArg, timeout};
use crate::client::Triggered;

#[derive(Debug, Args)]
pub struct TriggerArgs {
    /// An endpoint of the live release.
    endpoint: String,

    #[command(flatten)]
    project: ProjectArg,

    /// Whose live release answers.
    #[arg(short, long)]
    environment: String,

    /// A JSON object: what the workflow's plugins see as `input`.
    #[arg(long, value_name = "JSON", default_value = "{}", value_parser = object)]
    input: Value,

    /// Wait so long for its outputs, 5 minutes at most.
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    wait_for: Option<std::time::Duration>,

    /// The same key again gives the same deployment, not a second one.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

fn object(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("expected a JSON object, such as {\"rows\": 10}".to_owned()),
        Err(error) => Err(format!("not JSON: {error}")),
    }
}

impl TriggerArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let environment = format!("{}/{}", self.project.project, self.environment);
        let key = self.idempotency_key.as_deref();
        let wait = self.wait_for.map(|wait| wait.as_secs().max(1));
        match session.client.trigger_endpoint(&self.endpoint, &environment, &self.input, wait, key).await? {
            Triggered::Deployment(deployment) => session.out.answer(&*deployment, show::deployment),
            Triggered::Answer(answer) => session.out.answer(&*answer, |look, answer| match &answer.outputs {
                Some(outputs) => shown(look, outputs),
                None => show::deployment(look, &answer.deployment),
            }),
        }
        Ok(())
    }
}

fn shown(_: &Look, outputs: &Value) -> String {
    serde_json::to_string_pretty(outputs).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_an_object() {
        assert_eq!(object("{\"a\": 1}"), Ok(serde_json::json!({ "a": 1 })));
        assert!(object("[]").is_err() && object("{").is_err());
    }
}
