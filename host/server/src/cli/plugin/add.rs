//! `lockgate plugin add`: a component from a file, a URL or a registry. This command fetches it, not the host.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::ProgressBar;
use lockgate_core::digest::Digest;
use lockgate_core::trust::{LONGEST_SOURCE, Signature};
use url::Url;

use crate::cli::artifact::progress;
use crate::cli::fail::CliError;
use crate::cli::look::printable;
use crate::cli::plugin::here::component;
use crate::cli::plugin::sign::{beside, bundle_beside, read_bundle, read_signature};
use crate::cli::plugin::{held_grants, next_step, show};
use crate::cli::session::{Out, Session};
use crate::client::Origin;
use crate::config::{ElsewhereArgs, RegistryLogin};
use crate::elsewhere::{Credentials, PlainHttp, Reference, Registry, Web, shown};
use crate::signature;

#[derive(Debug, Args)]
pub struct AddArgs {
    /// The component: a file, such as target/wasm32-wasip2/release/notify.wasm, a URL, or
    /// oci://registry.example/notify:v1 (a digest in place of the tag is taken too).
    #[arg(value_parser = source)]
    source: Source,

    /// Its signature; FILE.sig beside a file, and the one that an artifact of a registry carries, are taken by
    /// themselves.
    #[arg(long, value_name = "FILE.sig")]
    signature: Option<PathBuf>,

    /// A sigstore bundle over it, as `cosign sign-blob --bundle` writes one, or an attestation that names its digest.
    /// FILE.sigstore.json beside a file is taken by itself where there is no FILE.sig.
    #[arg(long, value_name = "FILE.sigstore.json", conflicts_with = "signature")]
    bundle: Option<PathBuf>,

    /// Leave the signature that was found: then it counts as unsigned.
    #[arg(long, conflicts_with_all = ["signature", "bundle"])]
    no_signature: bool,

    /// Take it only if it is this very component.
    #[arg(long, value_name = "sha256:...")]
    digest: Option<Digest>,

    #[command(flatten)]
    elsewhere: ElsewhereArgs,
}

/// What is typed for one.
#[derive(Debug, Clone, PartialEq)]
enum Source {
    File(PathBuf),
    Url(Url),
    Registry(Reference),
}

struct Fetched {
    component: Vec<u8>,
    /// As it goes on the record.
    source: String,
    signature: Option<Found>,
}

struct Found {
    signed: Signed,
    place: String,
}

enum Signed {
    ByKey(Signature),
    /// A sigstore bundle.
    Bundle(Vec<u8>),
}

fn source(text: &str) -> Result<Source, String> {
    match text.split_once("://") {
        Some(("oci", _)) => text.parse().map(Source::Registry).map_err(|error| format!("{error}")),
        Some(("http" | "https", _)) => text.parse().map(Source::Url).map_err(|error| format!("{error}")),
        Some((scheme, _)) => {
            Err(format!("`{scheme}://` is not known; there are: https://, http://, oci://, and files"))
        }
        None => Ok(Source::File(text.into())),
    }
}

impl AddArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let out = &session.out;
        let fetched = self.source.fetch(out, plain_http(&self.elsewhere)).await?;
        check_digest(self.digest, &fetched)?;
        let signed = match (self.signature, self.bundle, fetched.signature) {
            (Some(file), _, _) => Some(Signed::ByKey(read_signature(&file)?)),
            (None, Some(file), _) => Some(Signed::Bundle(read_bundle(&file)?)),
            (None, None, Some(found)) if self.no_signature => {
                out.note(&format!(
                    "the signature in {} is left: the plugin counts as unsigned",
                    printable(&found.place)
                ));
                None
            }
            (None, None, Some(found)) => {
                out.note(&format!("signature: the one in {}", printable(&found.place)));
                Some(found.signed)
            }
            (None, None, None) => None,
        };
        let (signature, bundle) = match signed {
            Some(Signed::ByKey(signature)) => (Some(signature::base64(&signature)), None),
            Some(Signed::Bundle(bundle)) => (None, Some(session.client.upload_bundle(bundle).await?)),
            None => (None, None),
        };
        let origin = Origin { source: Some(fetched.source), signature, bundle };
        let plugin = session.client.add_plugin_from(fetched.component, &origin).await?;
        let held = held_grants(session, &plugin).await?;
        out.answer(&plugin, |look, plugin| format!("{}{}", show(look, plugin), next_step(look, plugin, &held)));
        Ok(())
    }
}

fn check_digest(expected: Option<Digest>, fetched: &Fetched) -> Result<(), CliError> {
    let found = Digest::of(&fetched.component);
    match expected {
        Some(expected) if expected != found => {
            let from = printable(&fetched.source);
            Err(CliError::usage(format!("{from} is {found}, and not {expected}"), "nothing was added"))
        }
        Some(_) | None => Ok(()),
    }
}

impl Source {
    async fn fetch(&self, out: &Out, plain: PlainHttp) -> Result<Fetched, CliError> {
        match self {
            Source::File(file) => of_file(file),
            Source::Url(url) => {
                let bar = progress(out, 0, recorded(url));
                let component = Web::new(plain)?.download(url, &|read, total| advance(&bar, read, total)).await;
                bar.finish_and_clear();
                Ok(Fetched { component: component?, source: recorded(url), signature: None })
            }
            Source::Registry(reference) => {
                let mut registry = registry(reference, plain)?;
                let bar = progress(out, 0, reference.to_string());
                let pulled = registry.pull(&|read, total| advance(&bar, read, total)).await;
                bar.finish_and_clear();
                let pulled = pulled?;
                let place = format!("the manifest of {}", pulled.reference);
                let signature = pulled.signature.map(|signature| Found { signed: Signed::ByKey(signature), place });
                Ok(Fetched { component: pulled.component, source: pulled.reference.to_string(), signature })
            }
        }
    }
}

fn of_file(file: &Path) -> Result<Fetched, CliError> {
    let shown = |place: &Path| place.display().to_string();
    let signature = match (beside(file), bundle_beside(file)) {
        (Some(place), _) => Some(Found { signed: Signed::ByKey(read_signature(&place)?), place: shown(&place) }),
        (None, Some(place)) => Some(Found { signed: Signed::Bundle(read_bundle(&place)?), place: shown(&place) }),
        (None, None) => None,
    };
    // Without its folders: they say something of this machine, and nothing of the component.
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    Ok(Fetched { component: component(file)?, source: bounded(&name), signature })
}

/// Without user and query, which may be secret.
fn recorded(url: &Url) -> String {
    bounded(shown(url).as_str())
}

fn bounded(text: &str) -> String {
    let mut text = printable(text);
    text.truncate(text.floor_char_boundary(LONGEST_SOURCE));
    text
}

pub fn registry(reference: &Reference, plain: PlainHttp) -> Result<Registry, CliError> {
    let credentials = Credentials::of(&reference.registry, RegistryLogin::of_the_environment())?;
    Ok(Registry::of(reference.clone(), credentials, plain)?)
}

pub fn plain_http(args: &ElsewhereArgs) -> PlainHttp {
    if args.insecure_http { PlainHttp::Anywhere } else { PlainHttp::Here }
}

/// How long it is becomes known on the way.
pub fn advance(bar: &ProgressBar, read: u64, total: Option<u64>) {
    if let Some(total) = total {
        bar.set_length(total);
    }
    bar.set_position(read);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_known_by_its_beginning() {
        assert_eq!(source("notify.wasm"), Ok(Source::File("notify.wasm".into())));
        assert!(matches!(source("https://a.example/notify.wasm"), Ok(Source::Url(_))));
        assert!(matches!(source("oci://a.example/notify:v1"), Ok(Source::Registry(_))));
        assert!(source("ftp://a.example/x").unwrap_err().contains("there are: https://"));
        assert!(source("oci://a.example/notify").unwrap_err().contains("no tag and no digest"));
    }

    #[test]
    fn what_goes_on_record_says_nothing_of_this_machine() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("no\u{1b}tify.wasm");
        std::fs::write(&file, "component").unwrap();
        assert_eq!(of_file(&file).unwrap().source, "no\u{fffd}tify.wasm");
        let url = "https://ann:secret@a.example/notify.wasm?key=secret".parse().unwrap();
        assert_eq!(recorded(&url), "https://a.example/notify.wasm");
        assert_eq!(bounded(&"ż".repeat(LONGEST_SOURCE)).len(), LONGEST_SOURCE);
    }

    #[test]
    fn only_the_component_that_was_asked_for_is_taken() {
        let fetched = Fetched { component: b"component".to_vec(), source: "x.wasm".to_owned(), signature: None };
        assert!(check_digest(None, &fetched).is_ok());
        assert!(check_digest(Some(Digest::of(b"component")), &fetched).is_ok());
        assert_eq!(check_digest(Some(Digest::of(b"other")), &fetched).unwrap_err().exit_code(), 2);
    }
}
