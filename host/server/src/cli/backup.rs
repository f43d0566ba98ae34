//! `lockgate backup`: all of a host in one file, made while it goes on, and a data folder made of that.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lockgate_store::backup::{BackupError, Contents, is_whole, restore};
use serde::Serialize;
use tempfile::Builder;

use crate::cli::artifact::progress;
use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone, bytes};
use crate::cli::session::{Out, Session};
use crate::cli::signals::{Filling, StopSignals, until_stopped};
use crate::cli::storage::{lacked, names_of};
use crate::client::ClientError;
use crate::wire::Missing;

#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Back the host up into a file, while it goes on.
    ///
    /// The file holds the journal, the encrypted secrets and what tools have begun as of that moment; artifacts and plugins; logs and
    /// samples of gates as they are when they are read. Not in it: the key of the secrets, `admin-token`, and the files of
    /// deployments under way. Where the host lacks an artifact or a plugin, the file is made all the same, and the exit code is 1.
    Create(CreateArgs),
    /// Make a data folder of a backup; needs no host. Never serve it beside the host it was made of.
    Restore(RestoreArgs),
}

#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The file to write, such as monday.tar.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,

    /// Write over what is there.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A file that `lockgate backup create` has written.
    file: PathBuf,

    /// The new data folder: empty, or not there yet.
    #[arg(long, env = "LOCKGATE_DATA", value_name = "FOLDER")]
    data: PathBuf,
}

#[derive(Debug, Serialize)]
struct Created {
    file: PathBuf,
    size_bytes: u64,
    /// From the host, and so from the file.
    missing: Missing,
}

#[derive(Debug, Serialize)]
struct Restored {
    data: PathBuf,
    #[serde(flatten)]
    contents: Contents,
}

impl BackupCommand {
    pub async fn run(self, session: impl FnOnce() -> Result<Session, CliError>, out: &Out) -> Result<(), CliError> {
        match self {
            BackupCommand::Create(args) => {
                let (session, file) = (session()?, args.output.clone());
                let mut signals = StopSignals::listen()?;
                // What is half written goes with the future that writes it.
                tokio::select! {
                    made = args.run(&session) => made,
                    () = signals.next() => Err(CliError::BrokeOff {
                        what: format!("the backup was stopped, and {} was not written", file.display()),
                        hint: String::new(),
                    }),
                }
            }
            BackupCommand::Restore(args) => args.run(out).await,
        }
    }
}

impl CreateArgs {
    async fn run(self, session: &Session) -> Result<(), CliError> {
        match self.output.symlink_metadata() {
            Ok(there) if !there.is_file() => {
                let what = format!("{} is no file", self.output.display());
                return Err(CliError::usage(what, "name a file with -o"));
            }
            Ok(_) if !self.force => {
                let what = format!("{} is there already", self.output.display());
                return Err(CliError::usage(what, "name another with -o, or add --force"));
            }
            Ok(_) | Err(_) => {}
        }
        let folder = self.output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            return Err(CliError::usage(
                format!("there is no folder {}", folder.display()),
                "make it, or name another with -o",
            ));
        }
        let unwritable = |cause: io::Error| {
            let what = format!("cannot write {}: {cause}", self.output.display());
            CliError::usage(what, "name a place with -o where there is room")
        };
        // Before: what comes back in between may not be in the file.
        let missing = session.client.storage().await?.missing;
        let mut backup = session.client.back_up().await?;
        // Private, as it holds what the data folder holds; and under its name only when it is whole.
        let mut partial =
            Builder::new().prefix(".backup-").suffix(".partial").tempfile_in(folder).map_err(unwritable)?;
        let (bar, mut size_bytes) = (received(&session.out), 0);
        while let Some(chunk) = backup.next().await.map_err(|error| broke_off(&self.output, cause(error)))? {
            partial.write_all(&chunk).map_err(unwritable)?;
            size_bytes += chunk.len() as u64;
            bar.set_position(size_bytes);
        }
        bar.finish_and_clear();
        if !is_whole(partial.as_file()).map_err(unwritable)? {
            return Err(broke_off(&self.output, "it has no end"));
        }
        let written = partial.as_file().try_clone().map_err(unwritable)?;
        // It may take long, and whoever stops it meanwhile is heard.
        let synced = tokio::task::spawn_blocking(move || written.sync_all()).await;
        synced.unwrap_or_else(|error| Err(io::Error::other(error))).map_err(unwritable)?;
        let named = if self.force { partial.persist(&self.output) } else { partial.persist_noclobber(&self.output) };
        named.map_err(|error| unwritable(error.error))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)?;
        let made = Created { file: self.output, size_bytes, missing };
        session.out.answer(&made, created);
        match incomplete(&made) {
            Some(what) => Err(CliError::Damaged { what }),
            None => Ok(()),
        }
    }
}

/// In one sentence.
fn incomplete(Created { file, missing, .. }: &Created) -> Option<String> {
    let what = lacked(missing)?;
    let names = names_of(missing).join(", ");
    Some(format!(
        "{} was made without {what}, which the host lacks, too: {names}; `lockgate storage` says what to do",
        file.display()
    ))
}

fn cause(error: ClientError) -> String {
    match error {
        ClientError::Unanswered { cause, .. } => cause,
        error => error.to_string(),
    }
}

fn broke_off(file: &Path, cause: impl Display) -> CliError {
    let what = format!("the backup broke off, and {} was not written: {cause}", file.display());
    CliError::BrokeOff { what, hint: "where the host is alive its log says why; make it again".to_owned() }
}

/// Nobody knows before how much there is.
fn received(out: &Out) -> ProgressBar {
    let target = if out.json { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template("{msg} {bytes} {bytes_per_sec}").expect("the template is right");
    ProgressBar::with_draw_target(None, target).with_style(style).with_message("backing up")
}

fn created(look: &Look, created: &Created) -> String {
    let Created { file, size_bytes, missing } = created;
    let mark = match lacked(missing) {
        None => look.paint(Tone::Good, "✓"),
        Some(_) => look.paint(Tone::Waiting, "!"),
    };
    format!(
        "{mark} backed up into {} ({})\n  The key of its secrets and the file admin-token are not in it: keep both elsewhere.\n  `lockgate backup restore {} --data FOLDER` makes a data folder of it.",
        file.display(),
        bytes(*size_bytes),
        file.display()
    )
}

impl RestoreArgs {
    async fn run(self, out: &Out) -> Result<(), CliError> {
        let RestoreArgs { file, data } = self;
        // While it is opened nothing is there yet, and a signal ends it all.
        let opened = File::open(&file).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, backup) =
            opened.map_err(|cause| CliError::usage(format!("cannot read {}: {cause}", file.display()), ""))?;
        let bar = progress(out, size, format!("restoring {}", file.display()));
        let to = data.clone();
        let filling = Filling { what: "restore", data: &data };
        let mut signals = StopSignals::listen()?;
        let next_signal = async || signals.next().await;
        let contents = until_stopped(next_signal, tokio::fs::File::from_std(backup), filling, move |backup| {
            let restored = restore(&to, bar.wrap_read(backup));
            bar.finish_and_clear();
            restored.map_err(|error| refused(&file, error))
        });
        let contents = contents.await?;
        out.answer(&Restored { contents, data }, restored);
        Ok(())
    }
}

fn refused(file: &Path, error: BackupError) -> CliError {
    let what = format!("{} cannot be restored: {error}", file.display());
    match error {
        BackupError::Store(_) | BackupError::Io(_) | BackupError::Unknown(_) => CliError::usage(what, ""),
        BackupError::CutOff
        | BackupError::Unreadable
        | BackupError::Damaged(_)
        | BackupError::Stray(_)
        | BackupError::Journal(_) => CliError::Damaged { what },
    }
}

fn restored(look: &Look, restored: &Restored) -> String {
    let Restored { data, contents: Contents { events, blobs, secrets, files, .. } } = restored;
    let data = data.display();
    format!(
        "{} restored into {data}: {events} events, {blobs} artifacts and plugins, {secrets} secrets, {files} files of logs, samples and tools\n  \
         `lockgate serve --data {data}` goes on from there, with the same --secret-key-file, and lets in who had a token.\n  \
         Never beside the host it comes from: both would do what was under way.",
        look.paint(Tone::Good, "✓")
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::wire::MissingFile;

    #[test]
    fn what_was_made_is_told_with_what_to_do_with_it() {
        let made = Created { file: "monday.tar".into(), size_bytes: 5 << 20, missing: Missing::default() };
        assert_eq!(incomplete(&made), None);
        let made = created(&look(), &made);
        let contents = Contents { events: 1204, blobs: 7, secrets: 2, files: 96, ..Contents::default() };
        let back = restored(&look(), &Restored { data: "/srv/lockgate".into(), contents });
        expect![[r#"
            ✓ backed up into monday.tar (5.0 MiB)
              The key of its secrets and the file admin-token are not in it: keep both elsewhere.
              `lockgate backup restore monday.tar --data FOLDER` makes a data folder of it.
            ✓ restored into /srv/lockgate: 1204 events, 7 artifacts and plugins, 2 secrets, 96 files of logs, samples and tools
              `lockgate serve --data /srv/lockgate` goes on from there, with the same --secret-key-file, and lets in who had a token.
              Never beside the host it comes from: both would do what was under way."#]].assert_eq(&format!("{made}\n{back}"));
    }

    #[test]
    fn what_the_host_lacks_is_told_with_the_backup() {
        let file = |what: &str| MissingFile { what: what.to_owned(), digest: format!("sha256:{}", "1".repeat(64)) };
        let first = vec![file("plugin `notify`"), file("artifact `web` of v1 in shop")];
        let missing = Missing { plugins: 1, artifacts: 2, first };
        let made = Created { file: "monday.tar".into(), size_bytes: 5 << 20, missing };
        let told = format!("{}\n{}", created(&look(), &made), incomplete(&made).unwrap());
        expect![[r#"
            ! backed up into monday.tar (5.0 MiB)
              The key of its secrets and the file admin-token are not in it: keep both elsewhere.
              `lockgate backup restore monday.tar --data FOLDER` makes a data folder of it.
            monday.tar was made without 2 artifacts, 1 plugin, which the host lacks, too: plugin `notify` (111111111111), artifact `web` of v1 in shop (111111111111), and 1 more; `lockgate storage` says what to do"#]].assert_eq(&told);
    }
}
