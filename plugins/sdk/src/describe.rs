//! What a plugin says of itself.

use serde::Serialize;

use crate::bindings::host::lockgate::plugin::types as wire;

/// Built with [`describe!`](crate::describe!), which takes name and version from the plugin's `Cargo.toml`.
#[derive(Debug, Clone)]
pub struct Description {
    name: String,
    version: String,
    summary: String,
    config_schema: String,
    requests: Requests,
}

/// The JSON of `description.requests`. An operator grants what is named here and nothing else.
#[derive(Debug, Clone, Default, Serialize)]
struct Requests {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    http: Vec<Requested>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    folders: Vec<Requested>,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<Access>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    secrets: Vec<Requested>,
    #[serde(skip_serializing_if = "is_false")]
    state: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Requested>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
enum Requested {
    Named(String),
    Config(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Access {
    Read,
    ReadWrite,
}

impl Description {
    /// Accepts any configuration and asks for nothing.
    pub fn new(name: &str, version: &str, summary: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            config_schema: "{}".into(),
            requests: Requests::default(),
        }
    }

    /// JSON Schema of the configuration, as text: `include_str!("../config.schema.json")`.
    pub fn config_schema(mut self, schema: &str) -> Self {
        self.config_schema = schema.into();
        self
    }

    /// Asks for requests to an origin: `https://api.example.com`, with its scheme and without a path. A host refuses the
    /// plugin where this is no origin.
    pub fn http(mut self, origin: &str) -> Self {
        self.requests.http.push(Requested::Named(origin.into()));
        self
    }

    /// Asks for requests to the origin of the URL that stands at this JSON pointer of the configuration: `/url`, with its
    /// slash. A host refuses the plugin where this is no pointer.
    pub fn http_from_config(mut self, pointer: &str) -> Self {
        self.requests.http.push(Requested::Config(pointer.into()));
        self
    }

    /// Asks for the folder of this name, found at `/folders/NAME`.
    pub fn folder(mut self, name: &str) -> Self {
        self.requests.folders.push(Requested::Named(name.into()));
        self
    }

    /// Asks for the folder whose name stands at this JSON pointer of the configuration.
    pub fn folder_from_config(mut self, pointer: &str) -> Self {
        self.requests.folders.push(Requested::Config(pointer.into()));
        self
    }

    /// Asks for the deployment's own folder at `/workspace`, kept for a retry.
    pub fn workspace(mut self, access: Access) -> Self {
        self.requests.workspace = Some(access);
        self
    }

    /// Asks for the secret of this name, to send it along: see [`crate::secrets`].
    pub fn secret(mut self, name: &str) -> Self {
        self.requests.secrets.push(Requested::Named(name.into()));
        self
    }

    /// Asks for the secret whose name stands at this JSON pointer of the configuration.
    pub fn secret_from_config(mut self, pointer: &str) -> Self {
        self.requests.secrets.push(Requested::Config(pointer.into()));
        self
    }

    /// Asks for small values that outlive the deployment: see [`crate::state`].
    pub fn state(mut self) -> Self {
        self.requests.state = true;
        self
    }

    /// Asks to start the program that an operator registers under this name ([`crate::tool`]). Not for gates.
    pub fn tool(mut self, name: &str) -> Self {
        self.requests.tools.push(Requested::Named(name.into()));
        self
    }

    /// Asks for the tool whose name stands at this JSON pointer of the configuration.
    pub fn tool_from_config(mut self, pointer: &str) -> Self {
        self.requests.tools.push(Requested::Config(pointer.into()));
        self
    }
}

impl From<Description> for wire::Description {
    fn from(description: Description) -> Self {
        let Description { name, version, summary, config_schema, requests } = description;
        Self {
            name,
            version,
            summary,
            config_schema,
            requests: serde_json::to_string(&requests).expect("strings and lists are always JSON"),
            extra: Vec::new(),
        }
    }
}

/// A [`Description`] with the name and version of the crate that calls it.
#[macro_export]
macro_rules! describe {
    ($summary:expr) => {
        $crate::Description::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), $summary)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_written_in_the_shape_the_host_reads() {
        let description = describe!("Does a thing.")
            .http("https://api.example.com")
            .http_from_config("/url")
            .folder_from_config("/folder")
            .workspace(Access::ReadWrite)
            .secret("deploy-key")
            .secret_from_config("/token")
            .state()
            .tool("kubectl");

        let wire = wire::Description::from(description);

        assert_eq!(wire.name, "lockgate-sdk");
        assert_eq!(
            wire.requests,
            r#"{"http":[{"named":"https://api.example.com"},{"config":"/url"}],"folders":[{"config":"/folder"}],"workspace":"read-write","secrets":[{"named":"deploy-key"},{"config":"/token"}],"state":true,"tools":[{"named":"kubectl"}]}"#
        );
    }

    #[test]
    fn asking_for_nothing_is_an_empty_object() {
        assert_eq!(wire::Description::from(describe!("Sleeps.")).requests, "{}");
    }
}
