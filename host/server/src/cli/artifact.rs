//! `lockgate artifact`: upload what was built.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lockgate_core::digest::Digest;
use serde::Serialize;

use crate::cli::fail::CliError;
use crate::cli::look::bytes;
use crate::cli::session::{Out, Session};
use crate::client::measure;
use crate::wire::UploadedArtifact;

#[derive(Debug, Subcommand)]
pub enum ArtifactCommand {
    /// Upload a file and print its digest. A file that is there already is not sent again.
    Push(PushArgs),
}

#[derive(Debug, Args)]
pub struct PushArgs {
    /// What was built, such as an archive.
    file: PathBuf,
    /// Print `NAME=sha256:...`, as `release create --artifact` takes it.
    #[arg(long)]
    name: Option<String>,
}

impl ArtifactCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            ArtifactCommand::Push(PushArgs { file, name }) => {
                let pushed = push(session, &file).await?;
                session.out.answer(&pushed, |_, pushed| match name {
                    Some(name) => format!("{name}={}", pushed.digest),
                    None => pushed.digest.clone(),
                });
                Ok(())
            }
        }
    }
}

/// Uploads a file, unless the host has it.
pub async fn push(session: &Session, file: &Path) -> Result<UploadedArtifact, CliError> {
    let size = std::fs::metadata(file).map(|metadata| metadata.len()).unwrap_or(0);
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let reading = progress(&session.out, size, format!("reading {name}"));
    let bar = reading.clone();
    let local = measure(file, move |read| bar.set_position(read)).await?;
    reading.finish_and_clear();
    if session.client.has_artifact(&local.digest).await? {
        session.out.note(&format!("{name}: the host has it already ({})", bytes(local.size_bytes)));
        return Ok(UploadedArtifact { digest: local.digest, size_bytes: local.size_bytes });
    }
    let sending = progress(&session.out, local.size_bytes, format!("uploading {name}"));
    let bar = sending.clone();
    let uploaded = session.client.upload_artifact(file, &local, move |sent| bar.set_position(sent)).await;
    sending.finish_and_clear();
    let uploaded = uploaded?;
    session.out.note(&format!("{name}: uploaded {}", bytes(uploaded.size_bytes)));
    Ok(uploaded)
}

/// On standard error, and only when that is a terminal.
fn progress(out: &Out, length: u64, what: String) -> ProgressBar {
    let target = if out.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is right").progress_chars("━╸ ");
    ProgressBar::with_draw_target(Some(length), target).with_style(style).with_message(what)
}

/// `NAME=FILE` or `NAME=sha256:...`, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedArtifact {
    pub name: String,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Content {
    File(PathBuf),
    Digest(String),
}

pub fn named_artifact(text: &str) -> Result<NamedArtifact, String> {
    let expected = "expected NAME=FILE or NAME=sha256:...";
    let Some((name, content)) = text.split_once('=') else { return Err(expected.to_owned()) };
    if name.is_empty() || content.is_empty() {
        return Err(expected.to_owned());
    }
    let content = if content.starts_with("sha256:") {
        let digest: Digest = content.parse().map_err(|error| format!("{error}"))?;
        Content::Digest(digest.to_string())
    } else {
        Content::File(content.into())
    };
    Ok(NamedArtifact { name: name.to_owned(), content })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_a_file_or_a_digest() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let named = |content| Ok(NamedArtifact { name: "web".to_owned(), content });
        assert_eq!(named_artifact("web=dist/a=b.tar"), named(Content::File("dist/a=b.tar".into())));
        assert_eq!(named_artifact(&format!("web={digest}")), named(Content::Digest(digest)));
        for wrong in ["web", "web=", "=x", "web=sha256:12"] {
            assert!(named_artifact(wrong).is_err(), "{wrong}");
        }
    }
}
