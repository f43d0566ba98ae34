//! Secrets: set with a value that no answer ever shows, listed without it, and removed.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use lockgate_core::name::Name;
use lockgate_core::origin::normal_origin;
use lockgate_core::secret::Binding;
use zeroize::Zeroizing;

use super::Api;
use super::auth::Admin;
use super::input::{At, Given};
use super::problem::Problem;
use super::views;
use crate::driver::MOST_VALUE_BYTES;
use crate::wire;

const MOST_ORIGINS: usize = 100;
const MOST_ENVIRONMENTS: usize = 100;
const MOST_HEADERS: usize = 20;

/// All secrets, without their values.
#[utoipa::path(get, path = "/v1/secrets", tag = "secrets",
    responses((status = 200, body = wire::Page<wire::Secret>)), security(("token" = ["admin"])))]
pub async fn list(State(api): State<Api>, _reader: Admin) -> Json<wire::Page<wire::Secret>> {
    let system = api.host.system.view();
    let items = system.secrets.iter().map(|(name, secret)| views::secret(name, secret)).collect();
    Json(wire::Page { items, next: None })
}

/// Sets a secret: its value, where it may travel, and for which calls it is.
#[utoipa::path(put, path = "/v1/secrets/{name}", tag = "secrets", params(("name" = String, Path)),
    request_body = wire::NewSecret,
    responses((status = 200, body = wire::Secret)), security(("token" = ["admin"])))]
pub async fn set(
    State(api): State<Api>,
    Admin(by): Admin,
    At(name): At<String>,
    Given(new): Given<wire::NewSecret>,
) -> Result<Json<wire::Secret>, Problem> {
    let wire::NewSecret { value, origins, headers, project, environments } = new;
    let value = Zeroizing::new(value.into_bytes());
    let name: Name = name.parse().map_err(|error| Problem::invalid("invalid-name", format!("secret {error}")))?;
    if !(1..=MOST_VALUE_BYTES).contains(&value.len()) {
        let detail = format!("the value has {} bytes; it can have 1 to {MOST_VALUE_BYTES}", value.len());
        return Err(Problem::invalid("invalid-secret", detail));
    }
    let invalid = |wrong| Problem::invalid("invalid-secret", wrong);
    let headers = header_names(&headers).map_err(invalid)?;
    let binding = Binding { headers, ..binding(&origins, project.as_deref(), &environments).map_err(invalid)? };
    let secret = api.host.set_secret(&name, binding, value, by).await?;
    Ok(Json(views::secret(&name, &secret)))
}

fn header_names(names: &[String]) -> Result<BTreeSet<String>, String> {
    if names.len() > MOST_HEADERS {
        return Err(format!("a secret stands in at most {MOST_HEADERS} headers"));
    }
    let name = |name: &String| {
        let wrong = |_| format!("`{}` is no name of a header", name.escape_debug());
        HeaderName::from_bytes(name.as_bytes()).map(|name| name.to_string()).map_err(wrong)
    };
    names.iter().map(name).collect()
}

fn binding(origins: &[String], project: Option<&str>, environments: &[String]) -> Result<Binding, String> {
    if origins.len() > MOST_ORIGINS || environments.len() > MOST_ENVIRONMENTS {
        return Err(format!("a secret is for at most {MOST_ORIGINS} origins and {MOST_ENVIRONMENTS} environments"));
    }
    if project.is_none() && !environments.is_empty() {
        return Err("environments are those of a project: name it as `project`".to_owned());
    }
    let name = |what: &str, name: &str| name.parse::<Name>().map_err(|error| format!("{what} {error}"));
    Ok(Binding {
        origins: origins
            .iter()
            .map(|origin| normal_origin(origin).map_err(|error| error.to_string()))
            .collect::<Result<BTreeSet<_>, _>>()?,
        project: project.map(|project| name("project", project)).transpose()?,
        environments: environments
            .iter()
            .map(|environment| name("environment", environment))
            .collect::<Result<BTreeSet<_>, _>>()?,
        ..Binding::default()
    })
}

/// Forgets a secret. Calls that have it already keep it to their end.
#[utoipa::path(delete, path = "/v1/secrets/{name}", tag = "secrets", params(("name" = String, Path)),
    responses((status = 204, description = "Removed")), security(("token" = ["admin"])))]
pub async fn remove(State(api): State<Api>, Admin(by): Admin, At(name): At<String>) -> Result<StatusCode, Problem> {
    let name: Name = name.parse().map_err(|error| Problem::invalid("invalid-name", format!("secret {error}")))?;
    api.host.remove_secret(&name, by).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_bound_to_origins_in_their_normal_form() {
        let origins = |origins: &[&str]| {
            let origins: Vec<String> = origins.iter().map(|origin| (*origin).to_owned()).collect();
            binding(&origins, None, &[]).map(|binding| binding.origins)
        };
        assert_eq!(origins(&["HTTPS://Api.example.com"]), Ok(["https://api.example.com:443".to_owned()].into()));
        assert_eq!(origins(&[]), Ok(BTreeSet::new()));
        for wrong in ["https://*.example.com", "ftp://a", "https://a/path", ""] {
            assert!(origins(&[wrong]).is_err(), "{wrong}");
        }
        assert!(origins(&["https://a.example"; MOST_ORIGINS + 1]).is_err());
    }

    #[test]
    fn headers_are_names() {
        let names = |name: &str| header_names(&[name.to_owned()]);
        assert_eq!(names("X-Api-Key"), Ok(["x-api-key".to_owned()].into()));
        assert!(names("X Key").is_err() && names("").is_err() && names("x:y\n").is_err());
    }

    #[test]
    fn environments_are_those_of_a_project() {
        let production = ["production".to_owned()];
        assert!(binding(&[], None, &production).unwrap_err().contains("name it as `project`"));
        assert!(binding(&[], Some("shop"), &production).is_ok());
        assert!(binding(&[], Some("No Name"), &[]).unwrap_err().starts_with("project "));
    }
}
