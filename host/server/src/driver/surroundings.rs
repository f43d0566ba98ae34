//! What a call reaches of the host: its log, its release's artifacts, its secrets and its state, and the word `denied` for
//! all else.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use lockgate_core::definition::listed;
use lockgate_core::digest::Digest;
use lockgate_core::handle::Rejection;
use lockgate_core::kept::Keep;
use lockgate_core::name::Name;
use lockgate_core::plugin::{Failure, Grants, Retry, Verdict};
use lockgate_core::release::Release;
use lockgate_core::secret::{Binding, Secret as Kept};
use lockgate_sandbox::{ArtifactWriter, CallHost, LogLine, Secret, SecretValue, StateEntry};
use lockgate_store::{BlobReader, Store, StoreError};
use serde_json::Value;

use super::call_log::Lines;
use super::inbox::{Refusal, Reports};
use super::system::SystemHandle;
use super::vault::{Vault, VaultError};

/// What a call reaches of the host.
pub struct Surroundings {
    pub store: Store,
    /// What it is to release: no other artifacts are open to it.
    pub release: Arc<Release>,
    pub plugin: Name,
    pub digest: Digest,
    pub environment: String,
    /// The namespace that was granted.
    pub state: Option<Name>,
    pub reports: Reports,
    pub vault: Vault,
    pub system: SystemHandle,
    pub lines: Lines,
}

impl Surroundings {
    pub fn fail(&self, message: &str) {
        self.lines.push("error", message, BTreeMap::new());
    }

    /// Where its operator has narrowed it, of what speaks of this environment.
    pub fn narrowed(&self) -> Option<String> {
        let system = self.system.view();
        let scopes = system.narrowed_in(&self.plugin, &self.lines.tag.project, &self.environment);
        (!scopes.is_empty()).then(|| listed(scopes))
    }

    /// A gate's evidence is bulk: it belongs beside the journal, in the log.
    pub fn sample(&self, evidence: &Value, verdict: &Verdict) {
        let evidence = evidence.to_string();
        self.lines.push("info", &verdict.reason, BTreeMap::from([("evidence", evidence.as_str())]));
    }
}

impl CallHost for Surroundings {
    fn log(&self, line: LogLine) {
        let fields = line.fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        self.lines.push(line.level.word(), &line.message, fields);
    }

    fn progress(&self, percent: u32, message: &str) {
        let percent = percent.min(100).to_string();
        self.lines.push("info", message, BTreeMap::from([("percent", percent.as_str())]));
    }

    fn denied(&self, what: &str) {
        let tag = &self.lines.tag;
        tracing::warn!(target: "audit", plugin = %self.plugin, project = tag.project, deployment = tag.number, what, "denied");
        let narrowed =
            self.narrowed().map(|scopes| format!(" (the plugin is narrowed in {scopes})")).unwrap_or_default();
        self.lines.push("warn", &format!("denied: {what}{narrowed}"), BTreeMap::new());
    }

    fn grants_now(&self) -> Option<Grants> {
        let granted = self.system.view().grants_in(self.digest, &self.lines.tag.project, Some(&self.environment));
        Some(granted.unwrap_or_default())
    }

    fn secret(&self, name: &str) -> Result<Secret, Failure> {
        let tag = &self.lines.tag;
        // As it is now, also where that has changed since the call began.
        let system = self.system.view();
        let kept = name.parse::<Name>().ok().and_then(|name| system.secrets.get_key_value(&name));
        let Some((name, kept)) = kept.filter(|(_, kept)| kept.binding.holds_for(&tag.project, &self.environment))
        else {
            let message = format!(
                "there is no secret `{name}` for environment `{}` of project `{}`; `lockgate secret list` shows where there is one, and an administrator can set it: `lockgate secret set {name}`",
                self.environment, tag.project
            );
            return Err(failure("denied", message, Retry::Never));
        };
        let value = match self.vault.read(name, kept) {
            // It was set again between the two looks.
            Err(VaultError::Io { .. }) if self.is_set_again(name, kept) => return self.secret(name.as_str()),
            value => value.map_err(|error| ours(error.to_string()))?,
        };
        Ok(secret(name, kept, value))
    }

    fn secrets_bound_to(&self, origin: &str) -> Vec<Secret> {
        let system = self.system.view();
        let bound = system.secrets.iter().filter(|(_, kept)| kept.binding.origins.contains(origin));
        // What cannot be read was not sent either.
        bound.filter_map(|(name, kept)| Some(secret(name, kept, self.vault.read(name, kept).ok()?))).collect()
    }

    fn revealed(&self, name: &str) {
        let tag = &self.lines.tag;
        tracing::warn!(target: "audit", plugin = %self.plugin, project = tag.project, deployment = tag.number, secret = name, "revealed");
        self.lines.push("warn", &format!("the plugin was shown secret `{name}`"), BTreeMap::new());
    }

    fn open_artifact(&self, digest: &Digest) -> Result<Box<dyn Read + Send>, Failure> {
        let Some(artifact) = self.release.artifacts.iter().find(|artifact| artifact.digest == *digest) else {
            return Err(not_of_this_release(digest));
        };
        let (name, release) = (&artifact.name, self.release.tag.as_str());
        match self.store.blobs().open_blob(*digest) {
            Ok((blob, _)) => {
                Ok(Box::new(Artifact { blob, digest: *digest, name: name.clone(), release: release.to_owned() }))
            }
            Err(error) => Err(match lost(&error) {
                Some(how) => failure("artifact-lost", no_artifact(name, *digest, release, &how), Retry::Never),
                None => ours(error.to_string()),
            }),
        }
    }

    fn create_artifact(&self, _name: &str) -> Result<Box<dyn ArtifactWriter>, Failure> {
        Err(no_artifacts_yet())
    }

    fn state_get(&self, key: &str) -> Result<Option<StateEntry>, Failure> {
        let (namespace, environment) = self.state_of()?;
        let kept = self.reports.kept(&environment, &namespace);
        Ok(kept.get(key).map(|entry| StateEntry { value: entry.value.clone(), version: entry.version }))
    }

    fn state_put(&self, key: &str, value: Vec<u8>, expect: u32) -> Result<u32, Failure> {
        let (namespace, _) = self.state_of()?;
        let deployment = self.lines.tag.number;
        let keep = Keep { deployment, namespace, key: key.to_owned(), value, expect };
        match tokio::runtime::Handle::current().block_on(self.reports.keep(keep)) {
            Ok(_) => Ok(expect + 1),
            Err(Refusal::Rejected(rejection)) => Err(not_kept(&rejection)),
            Err(refusal) => Err(ours(refusal.to_string())),
        }
    }
}

fn secret(name: &Name, kept: &Kept, value: SecretValue) -> Secret {
    let Binding { origins, .. } = &kept.binding;
    Secret { name: name.to_string(), value, origins: origins.clone(), headers: kept.binding.headers() }
}

impl Surroundings {
    fn is_set_again(&self, name: &Name, before: &Kept) -> bool {
        self.system.view().secrets.get(name).is_none_or(|now| now.file != before.file)
    }

    fn state_of(&self) -> Result<(Name, Name), Failure> {
        let granted = self.state.clone().zip(self.environment.parse().ok());
        granted.ok_or_else(state_not_granted)
    }
}

pub fn state_not_granted() -> Failure {
    let message = "state is not granted; where the plugin asks for it, an operator can: `--state`".to_owned();
    failure("denied", message, Retry::Never)
}

pub fn not_kept(rejection: &Rejection) -> Failure {
    let code = match rejection {
        Rejection::StateMoved { .. } => "conflict",
        Rejection::TooMuch { .. } | Rejection::NoStateKey => "limit",
        // It is over, and its call may not have heard.
        Rejection::AlreadyFinished { .. } | Rejection::UnknownDeployment { .. } => "denied",
        // Nothing else stands in the way of keeping; if it did, it would be the host's.
        _ => return ours(rejection.to_string()),
    };
    failure(code, rejection.to_string(), Retry::Never)
}

pub fn not_of_this_release(digest: &Digest) -> Failure {
    failure("denied", format!("artifact {digest} is not one of this release's"), Retry::Never)
}

pub fn no_artifacts_yet() -> Failure {
    failure("denied", "this host does not let plugins store artifacts yet".to_owned(), Retry::Never)
}

/// Of a release; says which it is where its bytes turn out to be others.
struct Artifact {
    blob: BlobReader,
    digest: Digest,
    name: String,
    release: String,
}

impl Read for Artifact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.blob.read(buffer).map_err(|error| {
            let how = error.get_ref().and_then(|cause| cause.downcast_ref()).and_then(lost);
            how.map_or(error, |how| {
                io::Error::new(io::ErrorKind::InvalidData, no_artifact(&self.name, self.digest, &self.release, &how))
            })
        })
    }
}

/// How a blob is no longer what it was. None where it may be read another time.
pub fn lost(error: &StoreError) -> Option<String> {
    match error {
        StoreError::NoBlob { .. } => Some("is missing from the data folder".to_owned()),
        StoreError::DamagedBlob { path, .. } => {
            Some(format!("is damaged on disk (what is left of it is {})", path.display()))
        }
        StoreError::Io { .. }
        | StoreError::EventsAreGone { .. }
        | StoreError::FileInTheWay { .. }
        | StoreError::JournalIsGone { .. }
        | StoreError::InUse { .. }
        | StoreError::NotEmpty { .. }
        | StoreError::Unfinished { .. }
        | StoreError::Journal(_)
        | StoreError::Index { .. }
        | StoreError::IndexHeldUp { .. }
        | StoreError::InvalidIndexName { .. }
        | StoreError::WrongDigest { .. }
        | StoreError::BlobTooLarge { .. }
        | StoreError::InvalidLogName { .. }
        | StoreError::InvalidLogLine { .. }
        | StoreError::Stopping { .. } => None,
    }
}

pub fn no_component(plugin: &str, digest: Digest, how: &str) -> Failure {
    let message = format!(
        "the component of plugin `{plugin}` ({}) {how}: add the same file again with `lockgate plugin add FILE`, then \
         deploy again",
        digest.short()
    );
    failure("component-lost", message, Retry::Never)
}

fn no_artifact(artifact: &str, digest: Digest, release: &str, how: &str) -> String {
    format!(
        "artifact `{artifact}` ({}) of release `{release}` {how}: upload the same file again with `lockgate artifact push \
         FILE`, then deploy again",
        digest.short()
    )
}

pub fn failure(code: &str, message: String, retry: Retry) -> Failure {
    Failure { code: code.to_owned(), message, retry, retry_after_ms: 0, details: Value::Null }
}

/// A failure of the host, not of the plugin: it may be over when it is tried again.
pub fn ours(message: String) -> Failure {
    failure("host", message, Retry::SameKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_is_told_with_its_name_and_how_to_bring_it_back() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path(), lockgate_store::StoreOptions::default()).unwrap();
        let digest = store.blobs().write(b"whole").unwrap();
        let file = folder.path().join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex());
        std::fs::write(file, b"holes").unwrap();
        let (blob, _) = store.blobs().open_blob(digest).unwrap();
        let mut artifact = Artifact { blob, digest, name: "web".to_owned(), release: "v1".to_owned() };

        let error = artifact.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let message = error.to_string();
        assert!(message.starts_with("artifact `web` (") && message.contains("of release `v1` is damaged"), "{message}");
        let how = lost(&store.blobs().open_blob(digest).err().unwrap()).unwrap();
        let failure = no_component("static-site", digest, &how);
        assert_eq!(failure.retry, Retry::Never);
        assert!(failure.message.starts_with("the component of plugin `static-site` ("), "{}", failure.message);
        assert!(failure.message.contains("is missing") && failure.message.contains("lockgate plugin add FILE"));
    }
}
