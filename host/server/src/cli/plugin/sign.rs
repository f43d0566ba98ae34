//! `lockgate plugin sign`, and signatures in files.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use lockgate_core::trust::Signature;
use serde::Serialize;

use crate::cli::fail::CliError;
use crate::cli::look::printable;
use crate::cli::plugin::here::component;
use crate::cli::session::Out;
use crate::{signature, sigstore};

/// A signature has 64 bytes, a key in PEM some hundred.
const MOST_BYTES: u64 = 16 << 10;

#[derive(Debug, Args)]
pub struct SignArgs {
    /// The component.
    file: PathBuf,

    /// The private key, as `openssl genpkey -algorithm ed25519 -out KEY.pem` makes one. It has no passphrase; with one,
    /// let openssl sign: `openssl pkeyutl -sign -rawin -inkey KEY.pem -in FILE -out FILE.sig`.
    #[arg(long, value_name = "KEY.pem")]
    key: PathBuf,
}

#[derive(Debug, Serialize)]
struct Signed {
    file: PathBuf,
    signature: PathBuf,
    public_key: String,
}

impl SignArgs {
    pub fn run(self, out: &Out) -> Result<(), CliError> {
        let Self { file, key } = self;
        let component = component(&file)?;
        let pem = small_file(&key, "make one with `openssl genpkey -algorithm ed25519 -out KEY.pem`")?;
        let (signed, public_key) = signature::sign(&pem, &component)
            .map_err(|error| CliError::usage(format!("{}: {error}", key.display()), ""))?;
        let place = signature_file(&file);
        std::fs::write(&place, signed.bytes())
            .map_err(|error| CliError::usage(format!("cannot write {}: {error}", place.display()), ""))?;
        let signed = Signed { file, signature: place, public_key: public_key.to_string() };
        out.answer(&signed, |look, signed| {
            let place = printable(&signed.signature.display().to_string());
            format!("{} signed with ed25519 {}", look.strong(&place), short_key(&signed.public_key))
        });
        Ok(())
    }
}

/// Enough for a person to compare.
pub fn short_key(public_key: &str) -> String {
    public_key.chars().take(12).collect()
}

/// Where the signature of a file is looked for.
pub fn signature_file(component: &Path) -> PathBuf {
    let mut name = OsString::from(component);
    name.push(".sig");
    name.into()
}

/// The one that is there.
pub fn beside(component: &Path) -> Option<PathBuf> {
    Some(signature_file(component)).filter(|place| place.is_file())
}

/// The sigstore bundle that is there, called as cosign's documentation calls it.
pub fn bundle_beside(component: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(component);
    name.push(".sigstore.json");
    Some(PathBuf::from(name)).filter(|place| place.is_file())
}

pub fn read_signature(file: &Path) -> Result<Signature, CliError> {
    let content = small_file(file, "make one with `lockgate plugin sign FILE --key KEY.pem`")?;
    signature::read(&content).map_err(|error| CliError::usage(format!("{}: {error}", file.display()), ""))
}

pub fn read_bundle(file: &Path) -> Result<Vec<u8>, CliError> {
    bounded_file(file, sigstore::MOST_BYTES, "a sigstore bundle", "`cosign sign-blob --bundle` makes one")
}

pub fn small_file(file: &Path, hint: &str) -> Result<Vec<u8>, CliError> {
    bounded_file(file, MOST_BYTES, "a key or a signature", hint)
}

pub fn bounded_file(file: &Path, most_bytes: u64, what: &str, hint: &str) -> Result<Vec<u8>, CliError> {
    let failed = |error: std::io::Error| CliError::usage(format!("cannot read {}: {error}", file.display()), hint);
    let mut content = Vec::new();
    File::open(file).and_then(|file| file.take(most_bytes + 1).read_to_end(&mut content)).map_err(failed)?;
    if content.len() as u64 > most_bytes {
        return Err(CliError::usage(format!("{} is too large for {what}", file.display()), hint));
    }
    Ok(content)
}
