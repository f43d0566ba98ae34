//! `lockgate release`: snapshots that can be deployed.

use clap::{Args, Subcommand};

use crate::cli::apply::ApplyArgs;
use crate::cli::artifact::{Content, NamedArtifact, named_artifact, push};
use crate::cli::fail::CliError;
use crate::cli::look::{Look, or_dash, printable, quoted, short};
use crate::cli::session::Session;
use crate::cli::sync::{self, SyncArgs};
use crate::cli::target::{ProjectArg, WaitArgs};
use crate::client::ReleaseFilter;
use crate::wire::{Artifact, NewRelease, Page, Release};

#[derive(Debug, Subcommand)]
pub enum ReleaseCommand {
    /// Take a snapshot of the definition, with artifacts, under a tag.
    Create(CreateArgs),
    /// Give a draft workflows and endpoints of its own; those of the project stay as they are.
    ///
    /// They are taken from a whole project file, of which nothing else counts.
    Edit(EditArgs),
    /// Make a draft active: nothing in it changes any more.
    Start(ReleaseArg),
    /// Refuse every further deployment of it, for good.
    Abandon(ReleaseArg),
    /// Newest first.
    List(ListArgs),
    /// Bring applications to what their environment wants, unless they are there already.
    Sync(SyncArgs),
    /// Wait until nothing changes applications any more, and they are as their environment wants them.
    Wait(sync::WaitArgs),
    /// All about one.
    Show(ReleaseArg),
}

#[derive(Debug, Args)]
pub struct ReleaseArg {
    /// Of the release, such as `v1.4.0`.
    tag: String,
    #[command(flatten)]
    project: ProjectArg,
}

#[derive(Debug, Args)]
pub struct EditArgs {
    #[command(flatten)]
    release: ReleaseArg,
    #[command(flatten)]
    file: ApplyArgs,
}

#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    project: ProjectArg,
    /// Go on behind the release of this tag.
    #[arg(long, value_name = "TAG")]
    after: Option<String>,
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Unique in its project, such as `v1.4.0`.
    tag: String,
    #[command(flatten)]
    project: ProjectArg,
    #[arg(long, default_value = "")]
    description: String,
    /// A file is uploaded first. What else is known of it may follow, with commas between: application=, build-id=,
    /// stack=, media-type=, uri=, meta.KEY=. May be given more than once.
    #[arg(long = "artifact", value_name = "NAME=FILE|NAME=sha256:...[,KEY=VALUE..]", value_parser = named_artifact)]
    artifacts: Vec<NamedArtifact>,
    /// May be created again until it is started.
    #[arg(long)]
    draft: bool,
    /// Deploy it to this environment at once.
    #[arg(long, value_name = "ENVIRONMENT", conflicts_with = "draft")]
    deploy_to: Option<String>,
    /// With --deploy-to: accept a plan that deletes or replaces.
    #[arg(long, requires = "deploy_to")]
    allow_destructive: bool,
    /// With --deploy-to: the same key again gives the same deployment, not a second one. The tag, when left out.
    #[arg(long, requires = "deploy_to", value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    wait: WaitArgs,
}

impl ReleaseCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let client = &session.client;
        let answered = match self {
            ReleaseCommand::Create(args) => return args.run(session).await,
            ReleaseCommand::Sync(args) => return args.run(session).await,
            ReleaseCommand::Wait(args) => return args.run(session).await,
            ReleaseCommand::List(ListArgs { project, after, limit }) => {
                let filter = ReleaseFilter { after, limit: Some(limit) };
                session.out.answer(&client.releases(&project.project, &filter).await?, list);
                return Ok(());
            }
            ReleaseCommand::Edit(EditArgs { release: ReleaseArg { tag, project }, file }) => {
                file.read()?.edit(session, &project.project, &tag).await?
            }
            ReleaseCommand::Start(ReleaseArg { tag, project }) => client.start_release(&project.project, &tag).await?,
            ReleaseCommand::Abandon(ReleaseArg { tag, project }) => {
                client.abandon_release(&project.project, &tag).await?
            }
            ReleaseCommand::Show(ReleaseArg { tag, project }) => client.release(&project.project, &tag).await?,
        };
        session.out.answer(&answered, show);
        Ok(())
    }
}

impl CreateArgs {
    async fn run(self, session: &Session) -> Result<(), CliError> {
        if self.wait.wait && self.deploy_to.is_none() {
            return Err(CliError::usage("--wait waits for a deployment", "add --deploy-to ENVIRONMENT"));
        }
        let mut artifacts = Vec::new();
        for NamedArtifact { about, content } in self.artifacts {
            let digest = match content {
                Content::File(file) => push(session, &file).await?.digest,
                Content::Digest(digest) => digest,
            };
            artifacts.push(Artifact { digest, ..about });
        }
        let project = &self.project.project;
        let new = NewRelease {
            tag: self.tag,
            description: self.description,
            artifacts,
            draft: self.draft,
            deploy_to: self.deploy_to,
            allow_destructive: self.allow_destructive,
        };
        let release = session.client.create_release(project, &new, self.idempotency_key.as_deref()).await?;
        match release.deployment.filter(|_| self.wait.wait) {
            Some(number) => self.wait.show(session, session.client.deployment(project, number).await?, 0).await,
            None => {
                session.out.answer(&release, show);
                Ok(())
            }
        }
    }
}

fn list(look: &Look, page: &Page<Release>) -> String {
    if page.items.is_empty() {
        return "no releases".to_owned();
    }
    let row = |release: &Release| {
        vec![
            release.tag.clone(),
            release.status.clone(),
            release.lifecycle.clone(),
            or_dash(release.live_in.join(", ")),
            printable(&release.created_by),
            look.relative(&release.created_at),
            or_dash(printable(&release.description)),
        ]
    };
    let header = ["TAG", "STATUS", "LIFECYCLE", "LIVE IN", "BY", "CREATED", "DESCRIPTION"];
    let table = look.table(&header, page.items.iter().map(row));
    match &page.next {
        Some(next) => format!("{table}\n{}", look.quiet(&format!("more with --after {next}"))),
        None => table,
    }
}

fn show(look: &Look, release: &Release) -> String {
    let digest = release.digest.as_deref().map_or("no digest yet".to_owned(), short);
    let mut lines = vec![format!(
        "{}  {}  {}  {}",
        look.strong(&release.tag),
        look.status(&release.status),
        look.status(&release.lifecycle),
        look.quiet(&digest)
    )];
    lines.push(format!("  created by {} at {}", printable(&release.created_by), look.moment(&release.created_at)));
    if !release.description.is_empty() {
        lines.push(format!("  {}", quoted(&release.description)));
    }
    lines.push(format!("  live in: {}", or_dash(release.live_in.join(", "))));
    let environments = release.environments.iter().map(|(name, status)| format!("{name} {}", look.status(status)));
    if !release.environments.is_empty() {
        lines.push(format!("  environments: {}", environments.collect::<Vec<_>>().join(", ")));
    }
    let own = release.edited_by.as_ref().map(|by| format!("; its own, by {}", printable(by))).unwrap_or_default();
    lines.push(format!("  workflows: {}{own}", or_dash(release.workflows.join(", "))));
    for artifact in &release.artifacts {
        let known = known(artifact);
        let line =
            format!("  artifact {}  {}  {known}", printable(&artifact.name), look.quiet(&short(&artifact.digest)));
        lines.push(line.trim_end().to_owned());
    }
    for (name, digest) in &release.plugins {
        lines.push(format!("  plugin {name}  {}", look.quiet(&short(digest))));
    }
    lines.extend(release.deployment.map(|number| format!("  deployment {number} was triggered")));
    lines.join("\n")
}

/// `application=shop build-id=42`, of what is known.
fn known(artifact: &Artifact) -> String {
    let Artifact { uri, media_type, build_id, stack, application, .. } = artifact;
    let named = [
        ("application", application),
        ("build-id", build_id),
        ("stack", stack),
        ("media-type", media_type),
        ("uri", uri),
    ];
    let named = named.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key}={value}"));
    let metadata = artifact.metadata.iter().map(|(key, value)| format!("meta.{key}={value}"));
    let all: Vec<String> = named.chain(metadata).map(|text| printable(&text)).collect();
    all.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;

    fn release() -> Release {
        Release {
            tag: "v1.4.0".to_owned(),
            description: "spring sale".to_owned(),
            status: "Active".to_owned(),
            lifecycle: "Deployed".to_owned(),
            digest: Some(format!("sha256:{}", "9c1d77aa0042".repeat(5))),
            artifacts: vec![Artifact {
                name: "web".to_owned(),
                digest: format!("sha256:{}", "0a1b2c3d4e5f".repeat(5)),
                ..Artifact::default()
            }],
            workflows: vec!["publish".to_owned(), "announced".to_owned()],
            edited_by: None,
            plugins: [("static-site".to_owned(), format!("sha256:{}", "77aa00429c1d".repeat(5)))].into(),
            created_by: "ann".to_owned(),
            created_at: "2026-03-14T09:20:00Z".to_owned(),
            live_in: vec!["staging".to_owned()],
            environments: [("production", "NotStarted"), ("staging", "Succeeded")]
                .map(|(name, status)| (name.to_owned(), status.to_owned()))
                .into(),
            deployment: Some(8),
        }
    }

    #[test]
    fn a_release_shows_what_is_in_it() {
        expect![[r#"
            v1.4.0  Active  Deployed  9c1d77aa0042
              created by ann at 09:20:00 (10 min ago)
              "spring sale"
              live in: staging
              environments: production NotStarted, staging Succeeded
              workflows: publish, announced
              artifact web  0a1b2c3d4e5f
              plugin static-site  77aa00429c1d
              deployment 8 was triggered"#]]
        .assert_eq(&show(&look(), &release()));
    }

    #[test]
    fn a_list_of_releases() {
        let draft = Release {
            tag: "v1.5".to_owned(),
            status: "Draft".to_owned(),
            live_in: vec![],
            environments: BTreeMap::new(),
            ..release()
        };
        expect![[r#"
            TAG     STATUS  LIFECYCLE  LIVE IN  BY   CREATED     DESCRIPTION
            v1.5    Draft   Deployed   -        ann  10 min ago  spring sale
            v1.4.0  Active  Deployed   staging  ann  10 min ago  spring sale"#]]
        .assert_eq(&list(&look(), &Page { items: vec![draft, release()], next: None }));
    }
}
