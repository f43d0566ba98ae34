//! `lockgate journal`: the record of everything, as lines of JSON, out of a data folder and into a new one. Needs no host.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use lockgate_journal::JournalError;
use lockgate_store::StoreError;
use lockgate_store::export::{ExportError, Imported, export, import};
use tokio::io::AsyncRead;

use crate::cli::exit;
use crate::cli::fail::CliError;
use crate::cli::look::{Look, Tone};
use crate::cli::session::Out;
use crate::cli::signals::{Filling, StopSignals, until_stopped};

#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Print every event, one a line, with its sequence and stream; also while a host uses the folder.
    ///
    /// The last line says how many there were and where each chain ends: without it the export was cut off.
    Export {
        /// A data folder.
        folder: PathBuf,
    },
    /// Begin a data folder from an export. It has the record alone: `lockgate backup` keeps artifacts, plugins and secrets, too.
    Import(ImportArgs),
}

#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What `lockgate journal export` has printed; `-` for standard input.
    file: PathBuf,

    /// The new data folder: empty, or not there yet.
    #[arg(long, env = "LOCKGATE_DATA", value_name = "FOLDER")]
    data: PathBuf,
}

impl JournalCommand {
    pub async fn run(self, out: &Out) -> Result<(), CliError> {
        match self {
            JournalCommand::Export { folder } => print(&folder),
            JournalCommand::Import(args) => args.run(out).await,
        }
    }
}

fn print(folder: &Path) -> Result<(), CliError> {
    let journal = folder.join("journal");
    if !journal.is_dir() {
        let what = format!("there is no journal in {}", folder.display());
        return Err(CliError::usage(what, "name the data folder of a host"));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    match export(&journal, &mut out).and_then(|_| Ok(out.flush()?)) {
        Ok(()) => Ok(()),
        // `| head` has seen enough and need not hear of it; all the same a part is no export.
        Err(ExportError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => {
            std::process::exit(exit::FAILED.into());
        }
        Err(error) => Err(refused(folder, error)),
    }
}

impl ImportArgs {
    async fn run(self, out: &Out) -> Result<(), CliError> {
        let ImportArgs { file, data } = self;
        // While it is opened nothing is there yet, and a signal ends it all.
        let export = read(&file).map_err(|error| refused(&file, error.into()))?;
        let to = data.clone();
        let mut signals = StopSignals::listen()?;
        let next_signal = async || signals.next().await;
        let imported = until_stopped(next_signal, export, Filling { what: "import", data: &data }, move |export| {
            import(&to, &mut BufReader::new(export)).map_err(|error| refused(&file, error))
        });
        out.answer(&imported.await?, |look, imported| taken_in(look, imported, &data));
        Ok(())
    }
}

fn read(file: &Path) -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
    if file == Path::new("-") {
        return Ok(Box::new(tokio::io::stdin()));
    }
    Ok(Box::new(tokio::fs::File::from_std(File::open(file)?)))
}

fn refused(source: &Path, error: ExportError) -> CliError {
    let what = format!("{}: {error}", source.display());
    match error {
        ExportError::Store(StoreError::Journal(JournalError::Io { .. }))
        | ExportError::Store(
            StoreError::NotEmpty { .. }
            | StoreError::Unfinished { .. }
            | StoreError::InUse { .. }
            | StoreError::Io { .. },
        )
        | ExportError::Io(_)
        | ExportError::NoLine { .. }
        | ExportError::NoLineOfState { .. } => CliError::usage(what, ""),
        ExportError::Store(_) | ExportError::Line { .. } | ExportError::CutOff { .. } | ExportError::Changed { .. } => {
            CliError::Damaged { what }
        }
    }
}

fn taken_in(look: &Look, imported: &Imported, data: &Path) -> String {
    format!(
        "{} {} events of {} streams are in {}, and every chain ends as the export says\n  \
         Artifacts, plugins and values of secrets are not: add and set them again where a release needs them.\n  \
         Never serve it beside the host it comes from: both would do what was under way.",
        look.paint(Tone::Good, "✓"),
        imported.events,
        imported.streams.len(),
        data.display()
    )
}
