//! `lockgate plugin push` and `pull`: components in OCI registries, in the form that `wkg` reads and writes.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_core::digest::Digest;
use lockgate_sandbox::surface;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::cli::artifact::progress;
use crate::cli::fail::CliError;
use crate::cli::look::{Look, bytes, printable};
use crate::cli::plugin::add::{advance, plain_http, registry};
use crate::cli::plugin::here::component;
use crate::cli::plugin::sign::{beside, read_signature, signature_file};
use crate::cli::session::Out;
use crate::config::ElsewhereArgs;
use crate::elsewhere::{InvalidReference, MOST_BYTES, Reference};

#[derive(Debug, Args)]
pub struct PushArgs {
    /// The component.
    file: PathBuf,

    /// Where to, such as oci://registry.example/plugins/notify:v1.
    #[arg(value_name = "oci://REGISTRY/REPOSITORY:TAG", value_parser = place)]
    to: Reference,

    /// Its signature, which goes along in the manifest; FILE.sig is taken by itself.
    #[arg(long, value_name = "FILE.sig")]
    signature: Option<PathBuf>,

    #[command(flatten)]
    elsewhere: ElsewhereArgs,
}

#[derive(Debug, Args)]
pub struct PullArgs {
    /// Where from, such as oci://registry.example/plugins/notify:v1, or with `@sha256:...`.
    #[arg(value_name = "oci://REGISTRY/REPOSITORY:TAG")]
    from: Reference,

    /// Where to; the last part of the repository and .wasm when left out. The signature goes beside it, into FILE.sig.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write over what is there.
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    elsewhere: ElsewhereArgs,
}

#[derive(Debug, Serialize)]
struct Done {
    file: PathBuf,
    /// Of the component.
    digest: Digest,
    size_bytes: u64,
    /// With the digest of its manifest.
    reference: String,
    signature: Option<PathBuf>,
}

fn place(text: &str) -> Result<Reference, String> {
    let place: Reference = text.parse().map_err(|error: InvalidReference| error.to_string())?;
    match (&place.tag, &place.digest) {
        (Some(_), None) => Ok(place),
        (_, _) => Err("a push goes to a tag: its digest is what comes of it".to_owned()),
    }
}

impl PushArgs {
    pub async fn run(self, out: &Out) -> Result<(), CliError> {
        let component = component(&self.file)?;
        let size_bytes = component.len() as u64;
        if size_bytes > MOST_BYTES {
            let what = format!("{} is larger than {}", self.file.display(), bytes(MOST_BYTES));
            return Err(CliError::usage(what, "no host takes it"));
        }
        let surface = surface(&component).map_err(|error| {
            CliError::usage(format!("{} is no component: {error}", self.file.display()), "nothing was pushed")
        })?;
        let signature = self.signature.or_else(|| beside(&self.file));
        let signed = signature.as_deref().map(read_signature).transpose()?;
        let digest = Digest::of(&component);
        out.note(&format!("pushing {}", bytes(size_bytes)));
        let mut registry = registry(&self.to, plain_http(&self.elsewhere))?;
        let pushed = registry.push(component, &surface, signed.as_ref()).await;
        let done = Done { file: self.file, digest, size_bytes, reference: pushed?.to_string(), signature };
        out.answer(&done, |look, done| shown(look, done, "pushed", "with its signature, from"));
        Ok(())
    }
}

impl PullArgs {
    pub async fn run(self, out: &Out) -> Result<(), CliError> {
        let file = self.output.unwrap_or_else(|| format!("{}.wasm", self.from.name()).into());
        let signature = signature_file(&file);
        for there in [&file, &signature] {
            if !self.force && there.symlink_metadata().is_ok() {
                return Err(CliError::usage(
                    format!("{} is there already", there.display()),
                    "name another with -o, or add --force",
                ));
            }
        }
        let mut registry = registry(&self.from, plain_http(&self.elsewhere))?;
        let bar = progress(out, 0, self.from.to_string());
        let pulled = registry.pull(&|read, total| advance(&bar, read, total)).await;
        bar.finish_and_clear();
        let pulled = pulled?;
        write(&file, &pulled.component)?;
        let signature = match &pulled.signature {
            Some(signed) => {
                write(&signature, signed.bytes())?;
                Some(signature)
            }
            None => {
                // One that was there is of other bytes.
                let _ = std::fs::remove_file(&signature);
                None
            }
        };
        let (digest, size_bytes) = (Digest::of(&pulled.component), pulled.component.len() as u64);
        let done = Done { file, digest, size_bytes, reference: pulled.reference.to_string(), signature };
        out.answer(&done, |look, done| shown(look, done, "pulled", "its signature, unverified, is in"));
        Ok(())
    }
}

/// All of it, or nothing.
fn write(file: &Path, content: &[u8]) -> Result<(), CliError> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = || {
        let mut draft = NamedTempFile::new_in(folder)?;
        draft.write_all(content)?;
        draft.persist(file).map_err(|error| error.error)
    };
    written().map(|_| ()).map_err(|error: std::io::Error| {
        CliError::usage(format!("cannot write {}: {error}", file.display()), "name another with -o")
    })
}

fn shown(look: &Look, done: &Done, verb: &str, signed: &str) -> String {
    let file = printable(&done.file.display().to_string());
    let mut lines = vec![
        format!("{} {verb}  {}", look.strong(&file), bytes(done.size_bytes)),
        format!("  {}", done.reference),
        format!("  component {}", done.digest),
    ];
    let signature = done.signature.as_ref().map(|place| printable(&place.display().to_string()));
    lines.push(signature.map_or("  not signed".to_owned(), |place| format!("  {signed} {place}")));
    lines.join("\n")
}
