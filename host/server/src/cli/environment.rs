//! `lockgate environment`: what is there, and whether it is as it was asked for.

mod shown;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};

pub use crate::cli::environment::shown::{differing, shown};
use crate::cli::fail::CliError;
use crate::cli::look::{Look, bytes, or_dash, printable};
use crate::cli::session::Session;
use crate::cli::target::ProjectArg;
use crate::wire::{ApplicationStatus, Applications, ClearState, ClearedState, Expiry, KeptState, ResourceStatus};

/// Of one type that are as they should be: more of them say nothing new.
const MOST_IN_SYNC: usize = 10;

#[derive(Debug, Subcommand)]
pub enum EnvironmentCommand {
    /// A row each: what is live, and what holds it up. `lockgate status` also says what waits and why.
    List(ProjectArg),
    /// Each resource, with what is asked of it and what is there.
    Resources(ResourcesArgs),
    /// Each application, and whether it is as the environment wants it.
    Applications(EnvironmentArg),
    /// What is live, who waits, pauses, schedule, and holds.
    Show(EnvironmentArg),
    /// Let releases be promoted here by themselves again, after a rollback.
    ReleaseHold(EnvironmentArg),
    /// Say when an ephemeral environment is torn down.
    Expire(ExpireArgs),
    /// What plugins keep here between deployments, without the values.
    State(EnvironmentArg),
    /// Clear what plugins keep here, while no deployment has its turn.
    ClearState(ClearStateArgs),
}

#[derive(Debug, Args)]
pub struct ExpireArgs {
    #[command(flatten)]
    place: EnvironmentArg,
    #[command(flatten)]
    when: When,
}

#[derive(Debug, Args)]
pub struct ClearStateArgs {
    #[command(flatten)]
    place: EnvironmentArg,
    /// As `lockgate environment state` shows it.
    #[arg(value_name = "NAMESPACE")]
    namespace: String,
    /// Only this one; all of the namespace without it.
    #[arg(long)]
    key: Option<String>,
    /// Why; goes on the record.
    #[arg(long)]
    reason: String,
}

/// One of them, always: none of them must not mean that what was agreed is dropped.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct When {
    /// Such as 2026-12-24T18:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,

    /// At once.
    #[arg(long)]
    now: bool,

    /// Not by itself.
    #[arg(long)]
    never: bool,
}

impl When {
    fn expiry(self) -> Expiry {
        let or_never = || if self.now { "now" } else { "never" }.to_owned();
        Expiry { when: self.at.unwrap_or_else(or_never) }
    }
}

#[derive(Debug, Args)]
pub struct EnvironmentArg {
    #[command(flatten)]
    project: ProjectArg,
    #[arg(short, long)]
    environment: String,
}

#[derive(Debug, Args)]
pub struct ResourcesArgs {
    #[command(flatten)]
    place: EnvironmentArg,
    /// Only of this one.
    #[arg(long)]
    application: Option<String>,
}

impl EnvironmentCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            EnvironmentCommand::List(project) => {
                let found = session.client.project(&project.project).await?.environments;
                session.out.answer(&found, |look, found| shown::table(look, found));
            }
            EnvironmentCommand::Resources(ResourcesArgs {
                place: EnvironmentArg { project, environment },
                application,
            }) => {
                let client = &session.client;
                let found = client.resources(&project.project, &environment, application.as_deref()).await?;
                session.out.answer(&found, |look, found| resources(look, found));
            }
            EnvironmentCommand::Applications(EnvironmentArg { project, environment }) => {
                let found = session.client.applications(&project.project, &environment, None).await?;
                session.out.answer(&found, applications);
            }
            EnvironmentCommand::Show(EnvironmentArg { project, environment }) => {
                let found = session.client.environment(&project.project, &environment).await?;
                session.out.answer(&found, shown);
            }
            EnvironmentCommand::ReleaseHold(EnvironmentArg { project, environment }) => {
                let found = session.client.release_hold(&project.project, &environment).await?;
                session.out.answer(&found, shown);
            }
            EnvironmentCommand::Expire(ExpireArgs { place: EnvironmentArg { project, environment }, when }) => {
                let found = session.client.expire(&project.project, &environment, &when.expiry()).await?;
                session.out.answer(&found, shown);
            }
            EnvironmentCommand::State(EnvironmentArg { project, environment }) => {
                let found = session.client.kept_state(&project.project, &environment).await?;
                session.out.answer(&found, |look, found| kept(look, found));
            }
            EnvironmentCommand::ClearState(ClearStateArgs { place, namespace, key, reason }) => {
                let EnvironmentArg { project, environment } = place;
                let clear = ClearState { namespace, key, reason };
                let cleared = session.client.clear_state(&project.project, &environment, &clear).await?;
                session.out.answer(&cleared, |_, ClearedState { cleared }| match cleared {
                    1 => "1 value is cleared".to_owned(),
                    cleared => format!("{cleared} values are cleared"),
                });
            }
        }
        Ok(())
    }
}

fn kept(look: &Look, all: &[KeptState]) -> String {
    if all.is_empty() {
        return "no plugin keeps anything here".to_owned();
    }
    let row = |kept: &KeptState| {
        vec![
            printable(&kept.namespace),
            printable(&kept.key),
            bytes(kept.bytes as u64),
            kept.version.to_string(),
            format!("#{}", kept.written_by),
        ]
    };
    look.table(&["NAMESPACE", "KEY", "SIZE", "VERSION", "WRITTEN BY"], all.iter().map(row))
}

fn resources(look: &Look, all: &[ResourceStatus]) -> String {
    if all.is_empty() {
        return "no plan and no observation has named a resource here yet".to_owned();
    }
    let mut in_sync = BTreeMap::<(&str, &str), usize>::new();
    let shown = all.iter().filter(|resource| {
        let is_quiet = resource.sync == "IN_SYNC" && resource.release_status == "COMPLETED";
        let count = in_sync.entry((&resource.application, &resource.resource_type)).or_default();
        *count += usize::from(is_quiet);
        !is_quiet || *count <= MOST_IN_SYNC
    });
    let table = resource_table(look, shown);
    let more = in_sync.iter().filter(|(_, count)| **count > MOST_IN_SYNC).map(|((application, kind), count)| {
        let more = count - MOST_IN_SYNC;
        let of = if application.is_empty() { String::new() } else { format!(" of {}", printable(application)) };
        look.quiet(&format!("… and {more} more {}{of}, in sync; all of them with --json", printable(kind)))
    });
    std::iter::once(table).chain(more).collect::<Vec<_>>().join("\n")
}

pub fn resource_table<'a>(look: &Look, resources: impl IntoIterator<Item = &'a ResourceStatus>) -> String {
    let header = [
        "APPLICATION",
        "TYPE",
        "NAME",
        "SYNC",
        "STATUS",
        "CURRENT",
        "LIVE",
        "HEALTH",
        "WEIGHT",
        "DEPLOYMENT",
        "LOOKED AT",
    ];
    look.table(&header, resources.into_iter().map(|resource| resource_row(look, resource)))
}

fn resource_row(look: &Look, resource: &ResourceStatus) -> Vec<String> {
    let text = |text: &Option<String>| or_dash(text.as_deref().map(printable).unwrap_or_default());
    // Where the version is the same, the artifact tells what differs.
    let is_same = resource.current_version == resource.live_version;
    let with_artifact = |version: &Option<String>, url: &Option<String>| match url {
        Some(url) if is_same && resource.sync == "OUT_OF_SYNC" => format!("{} {}", text(version), printable(url)),
        Some(_) | None => text(version),
    };
    vec![
        or_dash(printable(&resource.application)),
        printable(&resource.resource_type),
        printable(&resource.resource_name),
        resource.sync.clone(),
        resource.release_status.clone(),
        with_artifact(&resource.current_version, &resource.current_artifact_url),
        with_artifact(&resource.live_version, &resource.live_artifact_url),
        resource.health.clone(),
        format!("{} %", resource.weight_percent),
        or_dash(resource.deployment.map(|number| number.to_string()).unwrap_or_default()),
        resource.observed_at.as_deref().map_or("never".to_owned(), |at| look.relative(at)),
    ]
}

/// A line for each, then what is not as it should be.
pub fn applications(look: &Look, Applications { items, .. }: &Applications) -> String {
    if items.is_empty() {
        return "the project file names no applications".to_owned();
    }
    let header = ["APPLICATION", "SYNC", "WANTED", "LIVE", "CURRENT", "UNDER WAY", "RESOURCES", "LOOKED AT"];
    let mut parts = vec![look.table(&header, items.iter().map(|application| application_row(look, application)))];
    let out_of_sync: Vec<&ResourceStatus> = items.iter().flat_map(|application| &application.out_of_sync).collect();
    if !out_of_sync.is_empty() {
        parts.push(resource_table(look, out_of_sync));
    }
    parts.join("\n\n")
}

fn application_row(look: &Look, application: &ApplicationStatus) -> Vec<String> {
    let tag = |tag: &Option<String>| or_dash(tag.clone().unwrap_or_default());
    let under_way: Vec<String> = application.under_way.iter().map(u64::to_string).collect();
    let resources = match application.resources_out_of_sync {
        0 => application.resources.to_string(),
        out_of_sync => format!("{}, {out_of_sync} out of sync", application.resources),
    };
    vec![
        application.application.clone(),
        application.sync.clone(),
        tag(&application.wanted),
        tag(&application.live),
        tag(&application.current),
        or_dash(under_way.join(" ")),
        resources,
        application.observed_at.as_deref().map_or("never".to_owned(), |at| look.relative(at)),
    ]
}

#[cfg(test)]
pub mod testing {
    use super::*;

    pub fn site(live: &str) -> ResourceStatus {
        ResourceStatus {
            application: "web".to_owned(),
            resource_type: "site".to_owned(),
            resource_name: "shop".to_owned(),
            current_version: Some("v1".to_owned()),
            live_version: Some(live.to_owned()),
            current_artifact_url: None,
            live_artifact_url: None,
            sync: if live == "v1" { "IN_SYNC" } else { "OUT_OF_SYNC" }.to_owned(),
            release_status: "COMPLETED".to_owned(),
            health: if live == "v1" { "unknown" } else { "degraded" }.to_owned(),
            weight_percent: 100,
            deployment: Some(3),
            observed_at: (live != "v1").then(|| "2026-03-14T09:28:00Z".to_owned()),
        }
    }

    pub fn web(live: &str, under_way: &[u64]) -> ApplicationStatus {
        let tag = Some("v1".to_owned());
        let out_of_sync: Vec<ResourceStatus> = (live != "v1").then(|| site(live)).into_iter().collect();
        ApplicationStatus {
            application: "web".to_owned(),
            sync: if live == "v1" { "IN_SYNC" } else { "OUT_OF_SYNC" }.to_owned(),
            wanted: tag.clone(),
            live: tag.clone(),
            current: tag,
            under_way: under_way.to_vec(),
            resources: 5,
            resources_out_of_sync: out_of_sync.len(),
            observed_at: out_of_sync.first().and_then(|resource| resource.observed_at.clone()),
            out_of_sync,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use clap::error::ErrorKind;
    use expect_test::expect;

    use super::testing::{site, web};
    use super::*;
    use crate::cli::look::testing::look;

    #[derive(clap::Parser)]
    struct Expire {
        #[command(flatten)]
        args: ExpireArgs,
    }

    #[test]
    fn an_expiry_is_cancelled_only_where_somebody_says_so() {
        let line = "expire -p shop -e preview";
        let when = |flags: &str| {
            let parsed = Expire::try_parse_from(format!("{line}{flags}").split(' '));
            parsed.map(|expire| expire.args.when.expiry().when).map_err(|error| error.kind())
        };
        assert_eq!(when(" --at 2026-12-24T18:00:00Z"), Ok("2026-12-24T18:00:00Z".to_owned()));
        assert_eq!(when(" --now"), Ok("now".to_owned()));
        assert_eq!(when(" --never"), Ok("never".to_owned()));
        assert_eq!(when(""), Err(ErrorKind::MissingRequiredArgument));
        assert_eq!(when(" --now --never"), Err(ErrorKind::ArgumentConflict));
    }

    #[test]
    fn what_is_not_as_it_should_be_is_never_left_out() {
        let file = |name: usize| ResourceStatus {
            resource_type: "file".to_owned(),
            resource_name: format!("{name:02}.html"),
            ..site("v1")
        };
        let mut all: Vec<ResourceStatus> = (0..40).map(file).collect();
        all[33] = ResourceStatus { release_status: "FAILED".to_owned(), sync: "OUT_OF_SYNC".to_owned(), ..file(33) };
        all.push(site("v1, 2 files edited"));
        let shown = resources(&look(), &all[30..]);
        expect![[r#"
            APPLICATION  TYPE  NAME     SYNC         STATUS     CURRENT  LIVE                HEALTH    WEIGHT  DEPLOYMENT  LOOKED AT
            web          file  30.html  IN_SYNC      COMPLETED  v1       v1                  unknown   100 %   3           never
            web          file  31.html  IN_SYNC      COMPLETED  v1       v1                  unknown   100 %   3           never
            web          file  32.html  IN_SYNC      COMPLETED  v1       v1                  unknown   100 %   3           never
            web          file  33.html  OUT_OF_SYNC  FAILED     v1       v1                  unknown   100 %   3           never
            web          file  34.html  IN_SYNC      COMPLETED  v1       v1                  unknown   100 %   3           never
            web          file  35.html  IN_SYNC      COMPLETED  v1       v1                  unknown   100 %   3           never
            web          file  36.html  IN_SYNC      COMPLETED  v1       v1                  unknown   100 %   3           never
            web          file  37.html  IN_SYNC      COMPLETED  v1       v1                  unknown   100 %   3           never
            web          file  38.html  IN_SYNC      COMPLETED  v1       v1                  unknown   100 %   3           never
            web          file  39.html  IN_SYNC      COMPLETED  v1       v1                  unknown   100 %   3           never
            web          site  shop     OUT_OF_SYNC  COMPLETED  v1       v1, 2 files edited  degraded  100 %   3           2 min ago"#]].assert_eq(&shown);
        assert_eq!(resources(&look(), &all).lines().count(), 1 + MOST_IN_SYNC + 2 + 1);
    }

    #[test]
    fn where_only_the_artifact_differs_it_is_shown() {
        let artifact = |name: &str| Some(format!("oci://{name}"));
        let moved = ResourceStatus {
            sync: "OUT_OF_SYNC".to_owned(),
            current_artifact_url: artifact("new"),
            live_artifact_url: artifact("old"),
            ..site("v1")
        };
        let row = resource_row(&look(), &moved);
        assert_eq!((row[5].as_str(), row[6].as_str()), ("v1 oci://new", "v1 oci://old"));
    }

    #[test]
    fn applications_say_why_they_are_out_of_sync() {
        let found = Applications { sequence: 9, items: vec![web("v1", &[]), web("v1, 2 files edited", &[7, 8])] };
        expect![[r#"
            APPLICATION  SYNC         WANTED  LIVE  CURRENT  UNDER WAY  RESOURCES         LOOKED AT
            web          IN_SYNC      v1      v1    v1       -          5                 never
            web          OUT_OF_SYNC  v1      v1    v1       7 8        5, 1 out of sync  2 min ago

            APPLICATION  TYPE  NAME  SYNC         STATUS     CURRENT  LIVE                HEALTH    WEIGHT  DEPLOYMENT  LOOKED AT
            web          site  shop  OUT_OF_SYNC  COMPLETED  v1       v1, 2 files edited  degraded  100 %   3           2 min ago"#]].assert_eq(&applications(&look(), &found));
    }
}
