//! Plugins: added as components, approved with grants, and read.

mod narrowed;
mod tools;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use axum::Json;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use lockgate_core::definition::listed;
use lockgate_core::digest::Digest;
use lockgate_core::name::Name;
use lockgate_core::origin::normal_origin;
use lockgate_core::plugin::{Access, FolderGrant, Grants, HttpGrant, Limits, ToolLimits};
use lockgate_core::system::{SystemCommand, SystemRejection, SystemState};
use lockgate_core::trust::{InvalidSource, Source};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::Admin;
use super::input::{Asked, At, Given, Whole};
use super::problem::Problem;
use super::views;
use crate::driver::{Offered, Origin, blocking};
use crate::printable::printable;
use crate::{clock, signature, wire};

pub use narrowed::*;

/// All plugins, each digest of them.
#[utoipa::path(get, path = "/v1/plugins", tag = "plugins",
    responses((status = 200, body = wire::Page<wire::Plugin>)), security(("token" = ["viewer"])))]
pub async fn list(State(api): State<Api>) -> Json<wire::Page<wire::Plugin>> {
    let system = api.host.system.view();
    let items = system.plugins.keys().filter_map(|digest| views::plugin(&system, digest)).collect();
    Json(wire::Page { items, next: None })
}

/// One plugin: by digest, or by name the digest that was added last.
#[utoipa::path(get, path = "/v1/plugins/{plugin}", tag = "plugins", params(("plugin" = String, Path)),
    responses((status = 200, body = wire::Plugin)), security(("token" = ["viewer"])))]
pub async fn show(State(api): State<Api>, At(plugin): At<String>) -> Result<Json<wire::Plugin>, Problem> {
    let digest = resolve(&api.host.system.view(), &plugin)?;
    shown(&api, &digest).map(Json)
}

fn shown(api: &Api, digest: &Digest) -> Result<wire::Plugin, Problem> {
    let system = api.host.system.view();
    views::plugin(&system, digest).ok_or_else(|| unknown(&system, &digest.to_string()))
}

pub fn resolve(system: &SystemState, plugin: &str) -> Result<Digest, Problem> {
    if let Ok(digest) = plugin.parse() {
        return Ok(digest);
    }
    let of_that_name = system.plugins.iter().filter(|(_, known)| known.name.as_str() == plugin);
    let newest = of_that_name.max_by_key(|(_, known)| known.added_at);
    newest.map(|(digest, _)| *digest).ok_or_else(|| unknown(system, plugin))
}

pub fn unknown(system: &SystemState, plugin: &str) -> Problem {
    let known =
        listed(system.plugins.values().map(|plugin| plugin.name.as_str()).collect::<std::collections::BTreeSet<_>>());
    SystemRejection::UnknownPlugin { digest: format!("`{}`", plugin.chars().take(100).collect::<String>()), known }
        .into()
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AddQuery {
    /// Where it comes from, in the words of whoever adds it; goes on the record.
    #[serde(default)]
    source: Option<String>,
    /// Of ed25519 over the body, in base64. It is refused where no key explains it that is trusted for the plugin.
    #[serde(default)]
    signature: Option<String>,
    /// Of a sigstore bundle over the body, which is uploaded as an artifact before. Whoever it names is on record.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    bundle: Option<Digest>,
}

/// Adds a component. It does nothing until it is approved.
#[utoipa::path(post, path = "/v1/plugins", tag = "plugins", params(AddQuery),
    request_body(content = Vec<u8>, content_type = "application/wasm"),
    responses((status = 201, description = "Added", body = wire::Plugin)), security(("token" = ["admin"])))]
pub async fn add(
    State(api): State<Api>,
    Admin(by): Admin,
    Asked(query): Asked<AddQuery>,
    Whole(component): Whole,
) -> Result<(StatusCode, Json<wire::Plugin>), Problem> {
    let origin = origin(query)?;
    let digest = tokio::select! {
        added = api.host.add_plugin(component.to_vec(), origin, by) => added?,
        // Compiling can take minutes, and ends where nobody waits for it.
        () = api.stopping.cancelled() => return Err(Problem::stopping("the host stops; add the plugin again when it is back")),
    };
    Ok((StatusCode::CREATED, Json(shown(&api, &digest)?)))
}

fn origin(query: AddQuery) -> Result<Origin, Problem> {
    let source = |source: String| {
        // It is shown to whoever approves: nothing in it may look like something else.
        let seen = printable(&source) == source;
        let source = Source::try_from(source).ok().filter(|_| seen);
        source.ok_or_else(|| Problem::invalid("invalid-source", format!("{InvalidSource}, nor any that are not seen")))
    };
    let signature = |text: String| {
        signature::read(text.as_bytes()).map_err(|error| Problem::invalid("invalid-signature", error.to_string()))
    };
    let signed = match (query.signature.map(signature).transpose()?, query.bundle) {
        (Some(signature), None) => Some(Offered::Signature(signature)),
        (None, Some(bundle)) => Some(Offered::Bundle(bundle)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            let what = "a plugin is added with one signature or bundle; add it once more with the other";
            return Err(Problem::invalid("several-signatures", what));
        }
    };
    Ok(Origin { source: query.source.map(source).transpose()?, signed })
}

/// Approves a plugin with grants: from now on new releases get this digest, and it may do what is granted.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/approve", tag = "plugins", params(("plugin" = String, Path)),
    request_body = wire::PluginApproval,
    responses((status = 200, body = wire::Plugin)), security(("token" = ["admin"])))]
pub async fn approve(
    State(api): State<Api>,
    Admin(by): Admin,
    At(plugin): At<String>,
    Given(approval): Given<wire::PluginApproval>,
) -> Result<Json<wire::Plugin>, Problem> {
    let digest = resolve(&api.host.system.view(), &plugin)?;
    let data = api.host.store.dir().to_owned();
    let asked = approval.grants;
    let grants = blocking(move || grants(&asked, &data, &Limits::default(), &ToolLimits::default()))
        .await
        .map_err(|wrong| Problem::invalid("invalid-grant", wrong))?;
    let (reason, duties) = (approval.reason, api.host.duties);
    let command = SystemCommand::ApprovePlugin { digest, grants, reason, duties, by };
    api.host.system.send(command, clock::now()).await?;
    shown(&api, &digest).map(Json)
}

/// Takes a plugin out of use: no new release gets it. Those that pinned it keep it, for retries and rollbacks.
#[utoipa::path(post, path = "/v1/plugins/{plugin}/retire", tag = "plugins", params(("plugin" = String, Path)),
    request_body = wire::Reason,
    responses((status = 200, body = wire::Plugin)), security(("token" = ["admin"])))]
pub async fn retire(
    State(api): State<Api>,
    Admin(by): Admin,
    At(plugin): At<String>,
    Given(wire::Reason { reason }): Given<wire::Reason>,
) -> Result<Json<wire::Plugin>, Problem> {
    let system = api.host.system.view();
    let active = plugin.parse::<Name>().ok().and_then(|name| system.active.get(&name).copied());
    let digest = active.map_or_else(|| resolve(&system, &plugin), Ok)?;
    api.host.system.send(SystemCommand::RetirePlugin { digest, reason, by }, clock::now()).await?;
    shown(&api, &digest).map(Json)
}

/// Forgets a plugin that is not active, and that nothing needs which could still run.
#[utoipa::path(delete, path = "/v1/plugins/{plugin}", tag = "plugins", params(("plugin" = String, Path)),
    responses((status = 204, description = "Removed")), security(("token" = ["admin"])))]
pub async fn remove(State(api): State<Api>, Admin(by): Admin, At(plugin): At<String>) -> Result<StatusCode, Problem> {
    let digest = the_only_one(&api.host.system.view(), &plugin)?;
    let pinned_by = api.host.pinned_by(digest).await;
    api.host.system.send(SystemCommand::RemovePlugin { digest, pinned_by, by }, clock::now()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A name is enough where it means one digest: of several, nobody is to guess which goes.
fn the_only_one(system: &SystemState, plugin: &str) -> Result<Digest, Problem> {
    let of_that_name = || system.plugins.iter().filter(|(_, known)| known.name.as_str() == plugin);
    if of_that_name().count() < 2 {
        return resolve(system, plugin);
    }
    let known = listed(of_that_name().map(|(digest, known)| format!("{digest} ({})", known.description.version)));
    let detail = format!("there are several plugins `{plugin}`; name the digest of the one to remove: {known}");
    Err(Problem::invalid("several-plugins", detail))
}

// ---- grants ----

/// What was meant by what was typed, or what is wrong with it. Looks at the folders on the disk. `unsaid` are the limits
/// of which nothing was said.
fn grants(asked: &wire::Grants, data: &Path, unsaid: &Limits, unsaid_of_tool: &ToolLimits) -> Result<Grants, String> {
    let counts = [
        ("http", asked.http.len()),
        ("folders", asked.folders.len()),
        ("secrets", asked.secrets.len()),
        ("reveal", asked.reveal.len()),
        ("tools", asked.tools.len()),
        ("methods of an origin", asked.http.iter().map(|grant| grant.methods.len()).max().unwrap_or_default()),
    ];
    if let Some((what, count)) = counts.iter().find(|(_, count)| *count > MOST_GRANTS) {
        return Err(format!("{count} {what} are too many; at most {MOST_GRANTS} can be granted"));
    }
    // One for each origin and network, with the methods of all: then what two grants leave is never longer than they are.
    let mut http = BTreeMap::<(String, bool), Option<BTreeSet<String>>>::new();
    for grant in &asked.http {
        let origin = normal_origin(&grant.origin).map_err(|error| error.to_string())?;
        let methods = grant.methods.iter().map(|text| method(text)).collect::<Result<BTreeSet<_>, _>>()?;
        let all = http.entry((origin, grant.private_network)).or_insert_with(|| Some(BTreeSet::new()));
        match all {
            Some(_) if methods.is_empty() => *all = None,
            Some(all) => all.extend(methods),
            None => {}
        }
    }
    let http = http.into_iter().map(|((origin, private_network), methods)| HttpGrant {
        origin,
        private_network,
        methods: methods.unwrap_or_default(),
    });
    let folders = asked.folders.iter().map(|(name, grant)| Ok((folder_name(name)?, folder(name, grant, data)?)));
    Ok(Grants {
        http: http.collect(),
        folders: folders.collect::<Result<BTreeMap<_, _>, String>>()?,
        workspace: asked.workspace.as_deref().map(access).transpose()?,
        secrets: secret_names(&asked.secrets)?,
        reveal: secret_names(&asked.reveal)?,
        state: asked.state.as_deref().map(namespace).transpose()?,
        tools: tools::granted(asked, data, unsaid_of_tool)?,
        limits: limits(&asked.limits, unsaid)?,
    })
}

/// Of a request: exactly as it is sent.
fn method(text: &str) -> Result<String, String> {
    match Method::from_bytes(text.as_bytes()) {
        Ok(method) if text.len() <= LONGEST_METHOD && text.bytes().all(|letter| letter.is_ascii_uppercase()) => {
            Ok(method.to_string())
        }
        Ok(_) | Err(_) => Err(format!("`{}` is no method; write it as GET or POST", text.escape_debug())),
    }
}

fn secret_names(names: &[String]) -> Result<BTreeSet<Name>, String> {
    names.iter().map(|name| name.parse::<Name>().map_err(|error| format!("secret {error}"))).collect()
}

fn namespace(name: &str) -> Result<Name, String> {
    name.parse::<Name>().map_err(|error| format!("state {error}"))
}

fn access(text: &str) -> Result<Access, String> {
    match text {
        "read" => Ok(Access::Read),
        "read-write" => Ok(Access::ReadWrite),
        other => Err(format!("`{other}` is no access; there are: read, read-write")),
    }
}

/// It becomes a part of a path in the plugin.
fn folder_name(name: &str) -> Result<String, String> {
    name.parse::<Name>().map(String::from).map_err(|error| format!("folder {error}"))
}

fn folder(name: &str, grant: &wire::FolderGrant, data: &Path) -> Result<FolderGrant, String> {
    let path = PathBuf::from(&grant.path);
    if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
        return Err(format!("folder `{name}`: `{}` is not an absolute path without `..`", grant.path));
    }
    let real =
        path.canonicalize().map_err(|error| format!("folder `{name}`: {} cannot be used: {error}", grant.path))?;
    if !real.is_dir() {
        return Err(format!("folder `{name}`: {} is not a folder", grant.path));
    }
    let data = data.canonicalize().map_err(|error| format!("the data folder cannot be read: {error}"))?;
    // Whoever writes there can forge the journal, and with it every approval; whoever reads there sees every plan.
    if real.starts_with(&data) || data.starts_with(&real) {
        return Err(format!("folder `{name}`: {} holds this host's own data; grant another folder", grant.path));
    }
    let real = real.to_str().ok_or_else(|| format!("folder `{name}`: {} is no UTF-8", real.display()))?;
    // Not what was typed: a link in it could lead elsewhere tomorrow.
    Ok(FolderGrant { path: real.to_owned(), access: access(&grant.access)? })
}

/// The most that anybody grants.
const MOST: Limits = Limits {
    memory_bytes: 4 << 30,
    cpu_ms: 10 * 60 * 1000,
    wall_ms: 60 * 60 * 1000,
    log_bytes: 64 << 20,
    // An answer is an event, and an event of the journal has at most 8 MiB, escaped.
    output_bytes: 4 << 20,
    http_body_bytes: 256 << 20,
    // More than any host makes.
    concurrent_calls: Some(1_000),
};

fn limits(asked: &wire::Limits, unsaid: &Limits) -> Result<Limits, String> {
    let most_at_once = MOST.concurrent_calls.unwrap_or(u32::MAX);
    let at_once = asked.concurrent_calls;
    at_once.map(|calls| limit("concurrent_calls", Some(calls.into()), 1, most_at_once.into())).transpose()?;
    Ok(Limits {
        memory_bytes: limit("memory_bytes", asked.memory_bytes, unsaid.memory_bytes, MOST.memory_bytes)?,
        cpu_ms: limit("cpu_ms", asked.cpu_ms, unsaid.cpu_ms, MOST.cpu_ms)?,
        wall_ms: limit("wall_ms", asked.wall_ms, unsaid.wall_ms, MOST.wall_ms)?,
        log_bytes: limit("log_bytes", asked.log_bytes, unsaid.log_bytes, MOST.log_bytes)?,
        output_bytes: limit("output_bytes", asked.output_bytes, unsaid.output_bytes, MOST.output_bytes)?,
        http_body_bytes: limit("http_body_bytes", asked.http_body_bytes, unsaid.http_body_bytes, MOST.http_body_bytes)?,
        concurrent_calls: at_once.or(unsaid.concurrent_calls),
    })
}

const LONGEST_METHOD: usize = 20;
/// Of each kind.
const MOST_GRANTS: usize = 100;

pub(super) fn limit(name: &str, asked: Option<u64>, default: u64, most: u64) -> Result<u64, String> {
    match asked.unwrap_or(default) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        limit => Err(format!("limit `{name}` is {limit}; it can be 1 to {most}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(change: impl FnOnce(&mut wire::Grants)) -> Result<Grants, String> {
        let mut asked = wire::Grants::default();
        change(&mut asked);
        let data = tempfile::tempdir().unwrap();
        grants(&asked, data.path(), &Limits::default(), &ToolLimits::default())
    }

    fn asking_for_folder(path: &Path, data: &Path) -> Result<FolderGrant, String> {
        let grant = wire::FolderGrant { path: path.display().to_string(), access: "read".to_owned() };
        folder("site", &grant, data)
    }

    #[test]
    fn nothing_asked_for_is_nothing_granted() {
        assert_eq!(asking(|_| {}), Ok(Grants::default()));
    }

    #[test]
    fn an_origin_is_granted_in_its_normal_form() {
        let http = |origin: &str| wire::HttpGrant::new(origin, false);
        let granted = asking(|asked| asked.http = vec![http("HTTPS://Example.com")]).unwrap();
        assert_eq!(granted.http.first().unwrap().origin, "https://example.com:443");
        assert!(asking(|asked| asked.http = vec![http("https://*.example.com")]).is_err());
    }

    #[test]
    fn methods_are_granted_as_they_are_sent() {
        let granting = |methods: &[&str]| {
            let methods = methods.iter().map(|method| (*method).to_owned()).collect();
            let grant = wire::HttpGrant { methods, ..wire::HttpGrant::new("https://a.example", false) };
            asking(|asked| asked.http = vec![grant])
        };
        let methods = |granted: Grants| granted.http.first().unwrap().methods.clone();
        assert_eq!(methods(granting(&["GET", "PATCH", "GET"]).unwrap()), ["GET".to_owned(), "PATCH".to_owned()].into());
        for wrong in ["get", "", "GET POST", "GET\n", "A".repeat(30).as_str()] {
            assert!(granting(&[wrong]).unwrap_err().contains("is no method"), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_granted_once_with_all_its_methods() {
        let http = |origin: &str, methods: &[&str]| wire::HttpGrant {
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            ..wire::HttpGrant::new(origin, false)
        };
        let granted = |http: &[wire::HttpGrant]| asking(|asked| asked.http = http.to_vec()).unwrap().http;
        let both = granted(&[http("https://a.example", &["GET"]), http("https://a.example:443", &["POST"])]);
        assert_eq!(both, granted(&[http("https://a.example", &["GET", "POST"])]));
        let all = granted(&[http("https://a.example", &["GET"]), http("https://a.example", &[])]);
        assert_eq!(all, granted(&[http("https://a.example", &[])]));
        let many: Vec<_> = (0..=MOST_GRANTS).map(|number| http(&format!("https://{number}.example"), &[])).collect();
        assert!(asking(|asked| asked.http = many).unwrap_err().contains("too many"));
    }

    #[test]
    fn secrets_and_state_are_granted_by_names() {
        let granted = asking(|asked| asked.secrets = vec!["github".to_owned()]).unwrap();
        assert_eq!(granted.secrets, ["github".parse().unwrap()].into());
        assert!(asking(|asked| asked.reveal = vec!["../key".to_owned()]).unwrap_err().contains("secret"));
        assert!(asking(|asked| asked.state = Some("A b".to_owned())).unwrap_err().contains("state"));
    }

    #[test]
    fn only_absolute_folders_that_exist_are_granted() {
        let (there, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(asking_for_folder(there.path(), data.path()).is_ok());
        for wrong in [Path::new("relative"), &there.path().join("missing"), &there.path().join("../x")] {
            assert!(asking_for_folder(wrong, data.path()).is_err(), "{}", wrong.display());
        }
    }

    #[test]
    fn what_is_granted_is_the_folder_a_link_leads_to_now() {
        let (there, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (real, link) = (there.path().canonicalize().unwrap().join("site"), there.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert_eq!(asking_for_folder(&link, data.path()).unwrap().path, real.to_str().unwrap());
    }

    #[test]
    fn the_hosts_own_data_is_granted_to_nobody() {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir(data.path().join("journal")).unwrap();
        let around = data.path().parent().unwrap().to_owned();
        for wrong in [data.path(), &data.path().join("journal"), &around, Path::new("/")] {
            let refused = asking_for_folder(wrong, data.path()).unwrap_err();
            assert!(refused.contains("own data"), "{refused}");
        }
    }

    #[test]
    fn limits_have_bounds() {
        assert!(asking(|asked| asked.limits.memory_bytes = Some(0)).is_err());
        assert!(asking(|asked| asked.limits.wall_ms = Some(u64::MAX)).is_err());
        let granted = asking(|asked| asked.limits.cpu_ms = Some(1)).unwrap();
        assert_eq!(granted.limits, Limits { cpu_ms: 1, ..Limits::default() });
    }
}
