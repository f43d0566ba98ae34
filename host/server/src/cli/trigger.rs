//! `lockgate trigger`: call an endpoint of whatever release is live.

use clap::Args;
use serde_json::Value;

use crate::cli::fail::CliError;
use crate::cli::live;
use crate::cli::look::Look;
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::target::{ProjectArg, timeout};
use crate::client::Triggered;
use crate::wire::EndpointAnswer;

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
            Triggered::Deployment(deployment) => {
                session.out.answer(&*deployment, show::deployment);
                Ok(())
            }
            Triggered::Answer(answer) => {
                session.out.answer(&*answer, shown);
                live::how_it_ended(&answer.deployment)
            }
        }
    }
}

/// The outputs alone, for whoever asked for them; the deployment where it did not come to them.
fn shown(look: &Look, EndpointAnswer { deployment, outputs }: &EndpointAnswer) -> String {
    match outputs {
        Some(outputs) if deployment.status == "SUCCEEDED" => {
            serde_json::to_string_pretty(outputs).expect("outputs are plain data")
        }
        Some(_) | None => show::deployment(look, deployment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::look::testing::look;
    use crate::cli::show::testing::failed;
    use crate::wire::Deployment;

    #[test]
    fn outputs_stand_alone_and_a_failure_says_why() {
        let outputs = Some(serde_json::json!({ "count": { "rows": 3 } }));
        let succeeded = Deployment { status: "SUCCEEDED".to_owned(), ..failed() };
        let answer = |deployment| EndpointAnswer { deployment, outputs: outputs.clone() };
        assert_eq!(shown(&look(), &answer(succeeded)), "{\n  \"count\": {\n    \"rows\": 3\n  }\n}");
        assert!(shown(&look(), &answer(failed())).contains("Failed in gates: not all gates passed"));
    }

    #[test]
    fn an_input_is_an_object() {
        assert_eq!(object("{\"a\": 1}"), Ok(serde_json::json!({ "a": 1 })));
        assert!(object("[]").is_err() && object("{").is_err());
    }
}
