//! All that one host owns: the data folder, the sandbox, and a running owner for each project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, iter};

use lockgate_core::definition::{Change, Definition, changes};
use lockgate_core::digest::Digest;
use lockgate_core::handle::Command;
use lockgate_core::name::{Actor, Name};
use lockgate_core::plugin::Issue;
use lockgate_core::secret::{Binding, Secret};
use lockgate_core::state::State;
use lockgate_core::system::{Duties, SystemCommand, SystemRejection, SystemState};
use lockgate_core::trust::{Signature, Signed, Source};
use lockgate_core::work::ProjectId;
use lockgate_journal::JournalError;
use lockgate_sandbox::{ChildCommand, Sandbox, SandboxError};
use lockgate_store::{Blobs, IndexState, OnFatal, Opened, Places, SeriesId, Store, StoreError};
use serde_json::Value;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::blocking::blocking;
use super::calls::CallRunner;
use super::horizon::Horizon;
use super::inbox::{ProjectHandle, Refusal};
use super::missing::{Missing, missing};
use super::replay::{self, Loaded, LoadedSystem, ReplayError};
use super::system::{SystemHandle, SystemRefusal};
use super::vault::{Keys, Vault, VaultError};
use super::{evidence, index, project, retention};
use crate::sigstore::{BundleError, RootVerifier};
use crate::{clock, signature, sigstore};

/// Clocks of one machine may differ by so much after a restart.
const CLOCK_TOLERANCE_MS: u64 = 60_000;

pub struct Settings {
    pub data: PathBuf,
    /// Plugin calls at a time.
    pub concurrent_calls: usize,
    /// How long what has ended is kept; for ever where it says nothing.
    pub retention: Option<Duration>,
    pub duties: Duties,
    /// What secrets are encrypted with.
    pub keys: Keys,
    /// What compiles components: this process does not.
    pub compiler: ChildCommand,
    /// What keeps the tools that plugins start, also when this process is gone.
    pub tool_keeper: ChildCommand,
}

#[cfg(test)]
impl Settings {
    /// Of a host that never compiles, and whose plugins have no tools.
    pub fn of_a_test(data: &Path, concurrent_calls: usize) -> Self {
        let nothing = ChildCommand { program: "/nowhere/nothing-is-started-here".into(), arguments: Vec::new() };
        Self {
            data: data.to_owned(),
            concurrent_calls,
            retention: None,
            duties: Duties::Together,
            keys: Keys::default(),
            compiler: nothing.clone(),
            tool_keeper: nothing,
        }
    }
}

/// At a time.
const BACKUPS: usize = 2;

/// A cheap handle on everything; the HTTP side holds nothing else.
#[derive(Clone)]
pub struct Host {
    pub store: Store,
    pub sandbox: Sandbox,
    pub system: SystemHandle,
    pub duties: Duties,
    pub retention: Option<Duration>,
    vault: Vault,
    projects: Arc<Mutex<BTreeMap<Name, ProjectHandle>>>,
    pub(super) runner: CallRunner,
    horizon: Horizon,
    /// One at a time: what is live comes first.
    pub(crate) backtests: Arc<Semaphore>,
    /// Each takes a thread, and reads all there is.
    pub(crate) backups: Arc<Semaphore>,
    /// One at a time looks for what is missing, which may be at very many files.
    looks: Places,
}

/// What an `apply` has led to.
pub struct Applied {
    pub project: ProjectHandle,
    pub is_new: bool,
    pub changes: Vec<Change>,
}

/// Where a component comes from, and who signed it, as whoever adds it says.
#[derive(Debug, Default)]
pub struct Origin {
    pub source: Option<Source>,
    pub signed: Option<Offered>,
}

#[derive(Debug, Clone, Copy)]
pub enum Offered {
    Signature(Signature),
    /// Of a sigstore bundle that was uploaded.
    Bundle(Digest),
}

#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error("the folder for secrets, {}, cannot be used: {cause}", .folder.display())]
    Vault { folder: PathBuf, cause: io::Error },
}

#[derive(Debug, thiserror::Error)]
pub enum AddPluginError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    System(#[from] SystemRefusal),
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

#[derive(Debug, thiserror::Error)]
pub enum SetSecretError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    System(#[from] SystemRefusal),
}

/// A data folder that was opened, and what it adds up to.
struct Read {
    store: Store,
    opened: Opened,
    system: LoadedSystem,
    projects: Vec<Loaded>,
}

async fn read(data: &Path) -> Result<Read, HostError> {
    let (store, opened) = Store::open(
        data,
        index::store_options(lockgate_journal::Options {
            on_fatal: Some(stop_the_process()),
            on_damage: Some(Box::new(tell_of_damage)),
            ..Default::default()
        }),
    )?;
    if let Some(torn) = &opened.torn_tail {
        tracing::warn!(
            "{} ended in an unfinished write: {} bytes from offset {} were cut off; nothing acknowledged was in them, if the disk kept what it said it had written",
            torn.segment.display(),
            torn.bytes,
            torn.offset
        );
    }
    if let IndexState::Rebuilt(reason) = &opened.index {
        tracing::info!("the index is being built again from the journal, and nothing is lost. Why: {reason}");
    }
    let (system, projects) = replay::all(&store).await?;
    Ok(Read { store, opened, system, projects })
}

/// What needs none of it goes on.
fn tell_of_missing(missing: &Missing) {
    if missing.count() > 0 {
        tracing::error!("{missing}; `lockgate storage` says what to do");
    }
}

/// What runs does not need it, and to stop would help nobody: only a start without the index would.
fn tell_of_damage(error: &JournalError) {
    match error {
        JournalError::Io { .. } => {
            tracing::error!("old events cannot be read; look at the disk, the next start tries again: {error}");
        }
        damage => {
            tracing::error!("old events are not what was written; `lockgate storage` says what to do: {damage}");
        }
    }
}

impl Host {
    /// Opens the data folder, replays what the index does not have, and continues every deployment where it was.
    pub async fn open(settings: Settings) -> Result<Self, HostError> {
        let Read { store, opened, system, projects } = match read(&settings.data).await {
            // Noted there, so that it is built again now: it has nothing that the journal does not have.
            Err(HostError::Replay(ReplayError::Store(error @ StoreError::Index { .. }))) => {
                tracing::warn!(%error, "the index cannot be used");
                read(&settings.data).await?
            }
            read => read?,
        };
        raise_file_limit();
        let mut sandbox_options = lockgate_sandbox::Options::new(settings.data.join("compiled"), settings.compiler);
        sandbox_options.max_concurrent_calls = settings.concurrent_calls;
        let sandbox = Sandbox::new(sandbox_options)?;
        let vault = open_vault(store.secrets(), settings.keys, &system.state).await?;
        let horizon = Horizon::new(opened.events);
        let system = SystemHandle::new(store.clone(), system, horizon.clone());
        let runner =
            CallRunner::new(store.clone(), sandbox.clone(), system.clone(), vault.clone(), settings.tool_keeper);
        let host = Self {
            store,
            sandbox,
            system,
            duties: settings.duties,
            retention: settings.retention,
            vault,
            projects: Arc::default(),
            runner,
            horizon,
            backtests: Arc::new(Semaphore::new(1)),
            backups: Arc::new(Semaphore::new(BACKUPS)),
            looks: Places::new("missing files", 1).expect("its thread comes later"),
        };
        host.forget_gone_gates(&projects);
        for loaded in projects {
            warn_of_a_clock_that_is_behind(&loaded.state);
            host.start(loaded);
        }
        if host.retention.is_some() || host.store.dropped() > 0 {
            tokio::spawn(retention::run(host.clone(), host.retention));
        }
        // A start does not wait for it.
        let missing = host.missing();
        tokio::spawn(async { tell_of_missing(&missing.await) });
        Ok(host)
    }

    /// Also of projects that are gone; not of one that cannot be read to its end. A start does not wait for it.
    fn forget_gone_gates(&self, projects: &[Loaded]) {
        let known = |loaded: &Loaded| {
            let definition = loaded.damage.is_none().then(|| loaded.state.definition.clone());
            (loaded.state.project.name.to_string(), definition)
        };
        let projects: BTreeMap<String, Option<Arc<Definition>>> = projects.iter().map(known).collect();
        let is_wanted = move |series: &SeriesId| match projects.get(series.project()) {
            Some(Some(definition)) => evidence::is_named(definition, series),
            Some(None) => true,
            None => false,
        };
        let store = self.store.clone();
        tokio::spawn(async move { evidence::forget_gone(&store, clock::now(), is_wanted).await });
    }

    fn start(&self, loaded: Loaded) -> ProjectHandle {
        let mut projects = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        let name = loaded.state.project.name.clone();
        projects
            .entry(name)
            .or_insert_with(|| {
                let (store, system, runner) = (self.store.clone(), self.system.clone(), self.runner.clone());
                project::own(loaded, store, system, runner, self.horizon.clone())
            })
            .clone()
    }

    pub fn project(&self, name: &Name) -> Option<ProjectHandle> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub fn project_names(&self) -> Vec<Name> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Creates the project if there is none, and makes this its definition.
    pub async fn apply(&self, name: Name, definition: Definition, by: Actor) -> Result<Applied, Refusal> {
        let (project, is_new) = match self.project(&name) {
            Some(project) => (project, false),
            None => self.create_project(name, by.clone()).await?,
        };
        let before = (!is_new).then(|| project.view().state.definition.clone());
        let definition = Arc::new(definition);
        let committed = project.send(Command::SetDefinition { definition: definition.clone(), by }).await?;
        // Without an event it was so already, perhaps by somebody else a moment ago.
        let after = if committed.events.is_empty() { before.clone().unwrap_or_default() } else { definition };
        Ok(Applied { project, is_new, changes: changes(before.as_deref(), &after) })
    }

    /// Also says whether it did: somebody else may have been first.
    async fn create_project(&self, name: Name, by: Actor) -> Result<(ProjectHandle, bool), Refusal> {
        let new = ProjectId { name: name.clone(), uid: random_hex::<16>() };
        let create = SystemCommand::CreateProject { project: new.clone(), by };
        let system = self.system.send(create, clock::now()).await.map_err(|refusal| match refusal {
            SystemRefusal::NotWritten(error) => Refusal::NotWritten(error),
            SystemRefusal::Stopped { reason } => Refusal::Stopped { reason },
            // Nothing stands in the way of a project but the host's end.
            SystemRefusal::Rejected(_) | SystemRefusal::Stopping => Refusal::Stopping,
        })?;
        // Someone else may have been first: the id on record is the project's.
        let project = system.projects.get(&name).cloned().ok_or(Refusal::Stopping)?;
        let is_new = project == new;
        Ok((self.start(Loaded::new(State::new(project))), is_new))
    }

    /// Stores and inspects a component. It does nothing until an operator approves it. With a signature that no key
    /// explains which is trusted for its name, or with a bundle that does not hold, it is not taken.
    pub async fn add_plugin(&self, bytes: Vec<u8>, origin: Origin, by: Actor) -> Result<Digest, AddPluginError> {
        let bytes: Arc<[u8]> = bytes.into();
        // Before the component: to compile one costs more than to read a bundle.
        let attested = match origin.signed {
            Some(Offered::Bundle(bundle)) => {
                let (system, blobs, content) = (self.system.view(), self.store.blobs().clone(), bytes.clone());
                Some(blocking(move || attested(&system, &blobs, &content, bundle)).await?)
            }
            Some(Offered::Signature(_)) | None => None,
        };
        let inspection = self.sandbox.inspect(bytes.clone()).await?;
        let signed = match origin.signed {
            Some(Offered::Signature(signature)) => {
                let (system, content) = (self.system.view(), bytes.clone());
                let name = inspection.description.name.clone();
                Some(blocking(move || signed(&system, &name, &content, signature)).await?)
            }
            Some(Offered::Bundle(_)) | None => attested,
        };
        // The bytes are on disk before the event that names them.
        let (store, content) = (self.store.clone(), bytes.clone());
        blocking(move || store.blobs().write(&content)).await?;
        let add = SystemCommand::AddPlugin {
            digest: inspection.digest,
            kind: inspection.kind,
            description: Box::new(inspection.description),
            size_bytes: bytes.len() as u64,
            source: origin.source,
            signed,
            by,
        };
        self.system.send(add, clock::now()).await?;
        Ok(inspection.digest)
    }

    /// The value is on disk, encrypted, before the event that names its file.
    pub async fn set_secret(
        &self,
        name: &Name,
        binding: Binding,
        value: Zeroizing<Vec<u8>>,
        by: Actor,
    ) -> Result<Secret, SetSecretError> {
        let (vault, of, bound) = (self.vault.clone(), name.clone(), binding.clone());
        let file = blocking(move || vault.write(&of, &bound, &value)).await?;
        let set = SystemCommand::SetSecret { name: name.clone(), file: file.clone(), binding, by };
        let before = self.system.view().secrets.get(name).map(|secret| secret.file.clone());
        let system = self.system.send(set, clock::now()).await?;
        self.forget_files(before).await;
        // Somebody else may have set it again meanwhile.
        system.secrets.get(name).cloned().ok_or(SetSecretError::System(SystemRefusal::Stopping))
    }

    pub async fn remove_secret(&self, name: &Name, by: Actor) -> Result<(), SystemRefusal> {
        let before = self.system.view().secrets.get(name).map(|secret| secret.file.clone());
        self.system.send(SystemCommand::RemoveSecret { name: name.clone(), by }, clock::now()).await?;
        self.forget_files(before).await;
        Ok(())
    }

    /// What stays now goes at the next start.
    async fn forget_files(&self, file: Option<String>) {
        let Some(file) = file else { return };
        // Two may have seen the same before: what is in use stays.
        if self.system.view().secrets.values().any(|secret| secret.file == file) {
            return;
        }
        let (vault, store) = (self.vault.clone(), self.store.clone());
        let removed = blocking(move || {
            let _removing = store.removing();
            vault.remove(&file)
        });
        let removed = removed.await;
        if let Err(error) = removed {
            tracing::warn!(%error, "the value of a secret that is not in use any more could not be removed");
        }
    }

    /// What the journal names and the data folder lacks. It does not keep the host.
    pub fn missing(&self) -> impl Future<Output = Missing> + Send + 'static {
        let (system, blobs, looks) = (self.system.view(), self.store.blobs().clone(), self.looks.clone());
        let projects: Vec<_> =
            self.project_names().iter().filter_map(|name| Some(self.project(name)?.view())).collect();
        let look = move || missing(&system, projects.iter().map(|view| &view.state), |digest| blobs.is_there(digest));
        async move { looks.run(look).await.expect("looking does not panic") }
    }

    /// What could still run with a plugin, in words.
    pub async fn pinned_by(&self, plugin: Digest) -> Vec<String> {
        let mut pinned_by = Vec::new();
        for name in self.project_names() {
            let Some(view) = self.project(&name).map(|project| project.view()) else { continue };
            // Many may wait.
            let releases = move || view.state.releases_that_need(plugin).into_iter().cloned().collect::<Vec<_>>();
            let releases = blocking(releases).await;
            pinned_by.extend(releases.into_iter().map(|tag| format!("{tag} of {name}")));
        }
        pinned_by
    }

    /// What the plugins themselves say of their configurations in this definition. A plugin that is not there
    /// yet says nothing: that is found when a release is made.
    pub async fn validate_configs(&self, definition: &Definition) -> Vec<Issue> {
        let system = self.system.view();
        // Each is asked once: one that takes its time does not take it again for every environment.
        let mut said: BTreeMap<(Digest, String), Vec<Issue>> = BTreeMap::new();
        let mut issues = Vec::new();
        for (place, used) in definition.plugin_uses() {
            let Some(digest) = system.active.get(used.plugin).copied() else { continue };
            if system.plugins.get(&digest).is_none_or(|plugin| plugin.kind != used.kind) {
                continue;
            }
            let asked = (digest, used.config.to_string());
            if !said.contains_key(&asked) {
                said.insert(asked.clone(), self.validate_config(digest, used.config).await);
            }
            let at =
                |issue: &Issue| Issue { path: format!("{place}/config{}", issue.path), message: issue.message.clone() };
            issues.extend(said.get(&asked).into_iter().flatten().map(at));
        }
        issues
    }

    /// No answer is not a yes.
    pub(super) async fn validate_config(&self, plugin: Digest, config: &Value) -> Vec<Issue> {
        let said = match self.runner.load(plugin).await {
            Ok(()) => self.sandbox.validate(&plugin, config).await.map_err(|error| error.to_string()),
            Err(failure) => Err(failure.message),
        };
        said.unwrap_or_else(|why| vec![Issue { path: String::new(), message: format!("could not be checked: {why}") }])
    }
}

async fn open_vault(folder: PathBuf, keys: Keys, system: &SystemState) -> Result<Vault, HostError> {
    let (at, secrets) = (folder.clone(), system.secrets.clone());
    let opened = blocking(move || {
        let vault = Vault::open(at, keys)?;
        let wrong = vault.tidy(secrets.iter());
        io::Result::Ok((vault, wrong))
    });
    let (vault, wrong) = opened.await.map_err(|cause| HostError::Vault { folder, cause })?;
    // The host starts all the same: most of what it does needs none.
    wrong.iter().for_each(|error| tracing::error!("{error}"));
    Ok(vault)
}

/// By which of the keys that are trusted for this name.
fn signed(system: &SystemState, name: &str, content: &[u8], signature: Signature) -> Result<Signed, SystemRefusal> {
    let bad_name = || SystemRejection::BadPluginName { name: name.chars().take(80).collect() };
    let name: Name = name.parse().map_err(|_| bad_name())?;
    let mut keys = system.keys_for(&name);
    let key = keys.find(|(_, key)| signature::is_by(key, content, &signature));
    let (key_name, key) = key
        .ok_or_else(|| SystemRejection::SignatureNotTrusted { known: system.known_keys(&name), name: name.clone() })?;
    Ok(Signed::ByKey { name: key_name.clone(), key: *key, signature })
}

/// By whomever the bundle names, with the keys of sigstore's own deployment and of each that somebody is trusted by.
fn attested(system: &SystemState, blobs: &Blobs, component: &[u8], bundle: Digest) -> Result<Signed, AddPluginError> {
    // An event is going to name it.
    if !blobs.contains(bundle) {
        return Err(StoreError::NoBlob { digest: bundle }.into());
    }
    let content = blobs.read(bundle, sigstore::MOST_BYTES).map_err(|error| match error {
        StoreError::BlobTooLarge { .. } => AddPluginError::Bundle(BundleError::TooLarge),
        error => error.into(),
    })?;
    let (mut own, mut unusable) = (Vec::new(), Vec::new());
    for root in system.own_roots() {
        match verifier(blobs, root) {
            Ok(verifier) => own.push(verifier),
            // The others still prove what they did.
            Err(why) => unusable.push(format!("the trusted root {root} cannot be used: {why}")),
        }
    }
    unusable.iter().for_each(|why| tracing::error!("{why}"));
    let found = sigstore::verify(component, &content, iter::once(RootVerifier::public()).chain(&own));
    let attested = found.map_err(|error| error.because(&unusable))?;
    Ok(Signed::Attested { attested, bundle })
}

fn verifier(blobs: &Blobs, root: Digest) -> Result<RootVerifier, String> {
    let json = blobs.read(root, sigstore::MOST_BYTES).map_err(|error| error.to_string())?;
    RootVerifier::of(&json).map_err(|error| error.to_string())
}

/// Every handle of a guest may be an open file or connection, and systems start a process with few. What the
/// administrator set as the most is respected.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, "the limit of open files stays at {}", current.unwrap_or(u64::MAX));
    }
}

/// Time never runs backward for a project: until the clock has caught up with its last event, its timers wait.
fn warn_of_a_clock_that_is_behind(state: &State) {
    let ahead_ms = state.last_event_at.ms_since(clock::now());
    if ahead_ms > CLOCK_TOLERANCE_MS {
        tracing::error!(
            project = %state.project.name,
            "the last event is from {}, {} s ahead of this host's clock: time limits, gates and retries wait until then; set the clock right",
            clock::rfc3339(state.last_event_at),
            ahead_ms / 1_000
        );
    }
}

/// After a failed sync nobody knows what is on disk: going on, or trying again, would lie.
fn stop_the_process() -> OnFatal {
    Box::new(|error| {
        tracing::error!(%error, "the journal cannot be written; the host stops so that nothing is promised that is not on disk");
        std::process::exit(crate::cli::exit::HOST_FAILED.into());
    })
}

pub fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    hex::encode(bytes)
}
