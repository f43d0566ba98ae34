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
use crate::wire::{Artifact, UploadedArtifact};

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
pub fn progress(out: &Out, length: u64, what: String) -> ProgressBar {
    let target = if out.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let template = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is right").progress_chars("━╸ ");
    ProgressBar::with_draw_target(Some(length), target).with_style(style).with_message(what)
}

/// `NAME=FILE` or `NAME=sha256:...`, and what is to be known of it behind commas, as typed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedArtifact {
    /// Without its digest.
    pub about: Artifact,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Content {
    File(PathBuf),
    Digest(String),
}

pub fn named_artifact(text: &str) -> Result<NamedArtifact, String> {
    let expected = "expected NAME=FILE or NAME=sha256:...";
    let Some((name, rest)) = text.split_once('=') else { return Err(expected.to_owned()) };
    // A comma may also be part of the file's name: what follows it is nothing that is known then.
    let known = rest.match_indices(',').map(|(at, _)| at).find(|at| is_known(&rest[at + 1..])).unwrap_or(rest.len());
    let (content, known) = rest.split_at(known);
    if name.is_empty() || content.is_empty() {
        return Err(expected.to_owned());
    }
    let content = if content.starts_with("sha256:") {
        let digest: Digest = content.parse().map_err(|error| format!("{error}"))?;
        Content::Digest(digest.to_string())
    } else {
        Content::File(content.into())
    };
    let mut about = Artifact { name: name.to_owned(), ..Artifact::default() };
    known.split(',').filter(|part| !part.is_empty()).try_for_each(|part| note(&mut about, part))?;
    Ok(NamedArtifact { about, content })
}

fn note(about: &mut Artifact, part: &str) -> Result<(), String> {
    let Some((key, value)) = part.split_once('=').filter(|(_, value)| !value.is_empty()) else {
        return Err(format!("`{part}` has no value: write KEY=VALUE"));
    };
    let place = match (key, key.strip_prefix("meta.")) {
        (_, Some(key)) if !key.is_empty() => about.metadata.entry(key.to_owned()).or_default(),
        ("application", _) => &mut about.application,
        ("build-id", _) => &mut about.build_id,
        ("stack", _) => &mut about.stack,
        ("media-type", _) => &mut about.media_type,
        ("uri", _) => &mut about.uri,
        _ => {
            return Err(format!(
                "`{part}` is nothing that is known of an artifact: behind the file, with commas between, stand \
                 application=, build-id=, stack=, media-type=, uri= or meta.KEY="
            ));
        }
    };
    if !place.is_empty() {
        return Err(format!("`{key}` is given twice"));
    }
    value.clone_into(place);
    Ok(())
}

const KNOWN: [&str; 6] = ["application=", "build-id=", "stack=", "media-type=", "uri=", "meta."];

fn is_known(part: &str) -> bool {
    KNOWN.iter().any(|key| part.starts_with(key))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn an_artifact_is_a_file_or_a_digest() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let about = Artifact { name: "web".to_owned(), ..Artifact::default() };
        let named = |content| Ok(NamedArtifact { about: about.clone(), content });
        assert_eq!(named_artifact("web=dist/a=b.tar"), named(Content::File("dist/a=b.tar".into())));
        assert_eq!(named_artifact(&format!("web={digest}")), named(Content::Digest(digest)));
        for wrong in ["web", "web=", "=x", "web=sha256:12"] {
            assert!(named_artifact(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_known_of_an_artifact_stands_behind_it() {
        let text = "web=site.tar,application=shop,build-id=42,stack=node,media-type=x/y,uri=oci://a/b,meta.commit=3f2a";
        let metadata = [("commit".to_owned(), "3f2a".to_owned())].into();
        let expected = Artifact {
            name: "web".to_owned(),
            digest: String::new(),
            uri: "oci://a/b".to_owned(),
            media_type: "x/y".to_owned(),
            build_id: "42".to_owned(),
            stack: "node".to_owned(),
            application: "shop".to_owned(),
            metadata,
        };
        assert_eq!(named_artifact(text).unwrap().about, expected);
        let comma = named_artifact("web=a,b.tar,stack=node").unwrap();
        assert_eq!((comma.content, comma.about.stack.as_str()), (Content::File("a,b.tar".into()), "node"));
        let refused = ["stack=a,colour=red", "stack=a,stack=b", "stack=a,uri"];
        let refused = refused.map(|known| named_artifact(&format!("web=site.tar,{known}")).unwrap_err());
        expect![[r#"
            `colour=red` is nothing that is known of an artifact: behind the file, with commas between, stand application=, build-id=, stack=, media-type=, uri= or meta.KEY=
            `stack` is given twice
            `uri` has no value: write KEY=VALUE"#]].assert_eq(&refused.join("\n"));
    }
}
