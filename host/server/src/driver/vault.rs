//! Values of secrets: each encrypted in a file of its own beside the journal, which knows everything else of it.
//!
//! A value is written before the event that names its file, and removed after the event that forgets it: what is left
//! over between the two is removed at the next start. There too, all that an older key holds is encrypted anew with the
//! first one, so that an old key can go.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use lockgate_core::digest::Digest;
use lockgate_core::name::Name;
use lockgate_core::secret::{Binding, Secret};
use lockgate_sandbox::SecretValue;
use tempfile::Builder;
use zeroize::Zeroizing;

use super::host::random_hex;

/// Longest value.
pub const MOST_VALUE_BYTES: usize = 64 << 10;

const KEY_BYTES: usize = 32;
const MAGIC: &[u8; 8] = b"lgsecr\x001";
const ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const DRAFT: &str = ".draft";
/// Keys beside the first are for the time of a change.
const MOST_KEYS: usize = 16;
/// A file of keys is a few lines.
const MOST_KEY_FILE_BYTES: u64 = 64 << 10;

/// What values are encrypted with: the first key new ones, each of them old ones. Empty: none were given.
#[derive(Clone, Default)]
pub struct Keys(Vec<SecretKey>);

#[derive(Clone)]
struct SecretKey {
    id: [u8; ID_BYTES],
    key: Zeroizing<[u8; KEY_BYTES]>,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("cannot read the secret key file {}: {cause}", .path.display())]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("others than its owner may read the secret key file {}; `chmod 600` it", .path.display())]
    OpenToOthers { path: PathBuf },
    #[error("the secret keys are not at most {MOST_KEYS} lines of {} hexadecimal digits each: line {line} is not one; `lockgate secret keygen` makes one", KEY_BYTES * 2)]
    NoKey { line: usize },
}

impl Keys {
    pub fn of_file(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |cause| KeyError::Unreadable { path: path.to_owned(), cause };
        let about = path.metadata().map_err(unreadable)?;
        if about.mode() & 0o077 != 0 {
            return Err(KeyError::OpenToOthers { path: path.to_owned() });
        }
        if about.len() > MOST_KEY_FILE_BYTES {
            return Err(KeyError::NoKey { line: 1 });
        }
        Self::of_text(&Zeroizing::new(fs::read_to_string(path).map_err(unreadable)?))
    }

    /// One a line, the newest first; empty lines and those that begin with `#` count for nothing.
    pub fn of_text(text: &str) -> Result<Self, KeyError> {
        let mut keys = Vec::new();
        let lines = text.lines().map(str::trim).enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            let read = hex::decode_to_slice(line, key.as_mut_slice());
            if read.is_err() || keys.len() == MOST_KEYS {
                return Err(KeyError::NoKey { line: index + 1 });
            }
            keys.push(SecretKey { id: id_of(&key), key });
        }
        Ok(Self(keys))
    }
}

/// Names a key in files and messages without showing any of it.
fn id_of(key: &[u8; KEY_BYTES]) -> [u8; ID_BYTES] {
    let digest = Digest::of_parts([b"lockgate secret key", key.as_slice()]);
    let mut id = [0; ID_BYTES];
    hex::decode_to_slice(&digest.hex()[..ID_BYTES * 2], &mut id).expect("a digest is written in hex");
    id
}

/// A new one, in the form that [`Keys`] reads.
pub fn new_key() -> Zeroizing<String> {
    Zeroizing::new(random_hex::<KEY_BYTES>())
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error(
        "this host has no key to encrypt secrets with; make one with `lockgate secret keygen > FILE`, `chmod 600` it, and start the host with --secret-key-file FILE"
    )]
    NoKey,
    #[error(
        "secret `{name}` is encrypted with key {key}, which this host was not given; add that key to its secret key file, or set the secret again"
    )]
    OtherKey { name: Name, key: String },
    #[error("the value of secret `{name}` is damaged, or not the one that was set; set it again")]
    Damaged { name: Name },
    #[error("the value of secret `{name}` cannot be read or written: {cause}")]
    Io { name: Name, cause: io::Error },
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    keys: Keys,
}

impl Vault {
    pub fn open(folder: PathBuf, keys: Keys) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        fs::File::open(folder.parent().unwrap_or(&folder))?.sync_all()?;
        Ok(Self(Arc::new(Inner { folder, keys })))
    }

    /// Durable when it returns the name of its file. Blocks.
    pub fn write(&self, name: &Name, binding: &Binding, value: &[u8]) -> Result<String, VaultError> {
        let file = format!("{name}-{}", random_hex::<8>());
        self.put(name, &file, binding, value)?;
        Ok(file)
    }

    /// Blocks.
    pub fn read(&self, name: &Name, secret: &Secret) -> Result<SecretValue, VaultError> {
        let sealed = fs::read(self.path(&secret.file)).map_err(|cause| VaultError::Io { name: name.clone(), cause })?;
        self.opened(name, secret, &sealed).map(|(value, _)| SecretValue::new(value))
    }

    /// Blocks. What is not there any more is gone, too.
    pub fn remove(&self, file: &str) -> io::Result<()> {
        match fs::remove_file(self.path(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// At a start, before anything else is done with it. Blocks.
    pub fn tidy<'a>(&self, secrets: impl Iterator<Item = (&'a Name, &'a Secret)>) -> Vec<VaultError> {
        let mut wrong = Vec::new();
        let mut known = BTreeSet::new();
        for (name, secret) in secrets {
            known.insert(secret.file.clone());
            wrong.extend(self.renew(name, secret).err());
        }
        self.sweep(&known);
        wrong
    }

    fn renew(&self, name: &Name, secret: &Secret) -> Result<(), VaultError> {
        let sealed = fs::read(self.path(&secret.file)).map_err(|cause| VaultError::Io { name: name.clone(), cause })?;
        let (value, by) = self.opened(name, secret, &sealed)?;
        if self.0.keys.0.first().is_some_and(|first| first.id != by) {
            self.put(name, &secret.file, &secret.binding, &value)?;
            tracing::info!(secret = %name, "encrypted anew with the first key");
        }
        Ok(())
    }

    fn sweep(&self, known: &BTreeSet<String>) {
        let files = fs::read_dir(&self.0.folder).into_iter().flatten().filter_map(Result::ok);
        for file in files {
            let name = file.file_name();
            let name = name.to_string_lossy();
            if known.contains(name.as_ref()) {
                continue;
            }
            if !is_ours(&name) {
                tracing::warn!(file = %file.path().display(), "this folder is for encrypted secrets; what is this?");
                continue;
            }
            if let Err(error) = fs::remove_file(file.path()) {
                tracing::warn!(file = %file.path().display(), %error, "what is left of a secret cannot be removed");
            }
        }
    }

    fn put(&self, name: &Name, file: &str, binding: &Binding, value: &[u8]) -> Result<(), VaultError> {
        let Some(key) = self.0.keys.0.first() else { return Err(VaultError::NoKey) };
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        let bound = bound(name, file, binding);
        let sealed = cipher(key).encrypt((&nonce).into(), Payload { msg: value, aad: &bound });
        let sealed = sealed.expect("a value is shorter than this cipher's limit of 256 GiB");
        let written = || {
            let mut draft = Builder::new().prefix(DRAFT).tempfile_in(&self.0.folder)?;
            [MAGIC.as_slice(), &key.id, &nonce, &sealed].iter().try_for_each(|part| draft.write_all(part))?;
            draft.as_file().sync_all()?;
            draft.persist(self.path(file)).map_err(|error| error.error)?;
            fs::File::open(&self.0.folder)?.sync_all()
        };
        written().map_err(|cause| VaultError::Io { name: name.clone(), cause })
    }

    /// With the id of the key that held it.
    fn opened(
        &self,
        name: &Name,
        secret: &Secret,
        sealed: &[u8],
    ) -> Result<(Zeroizing<Vec<u8>>, [u8; ID_BYTES]), VaultError> {
        let damaged = || VaultError::Damaged { name: name.clone() };
        let (magic, rest) = sealed.split_first_chunk::<{ MAGIC.len() }>().ok_or_else(damaged)?;
        let (id, rest) = rest.split_first_chunk::<ID_BYTES>().ok_or_else(damaged)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
        if magic != MAGIC || sealed.len() > MOST_VALUE_BYTES + TAG_BYTES {
            return Err(damaged());
        }
        let key = self.0.keys.0.iter().find(|key| key.id == *id);
        let key = key.ok_or_else(|| VaultError::OtherKey { name: name.clone(), key: hex::encode(id) })?;
        let bound = bound(name, &secret.file, &secret.binding);
        let value = cipher(key).decrypt(nonce.into(), Payload { msg: sealed, aad: &bound });
        Ok((Zeroizing::new(value.map_err(|_| damaged())?), *id))
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.folder.join(file)
    }
}

/// The form of our names, and of our drafts; whatever else somebody has put there is not ours to remove.
fn is_ours(file: &str) -> bool {
    let id = file.rsplit_once('-').map(|(_, id)| id);
    file.starts_with(DRAFT) || id.is_some_and(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn cipher(key: &SecretKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*key.key).into())
}

/// A value belongs to its name and binding: one that was put in another's place, or let go elsewhere, does not open.
fn bound(name: &Name, file: &str, binding: &Binding) -> Vec<u8> {
    serde_json::to_vec(&(name, file, binding)).expect("a binding is plain data")
}

#[cfg(test)]
mod tests {
    use lockgate_core::name::{Actor, Timestamp};

    use super::*;

    struct Kept {
        folder: tempfile::TempDir,
        name: Name,
        secret: Secret,
    }

    impl Kept {
        /// A secret that was set with these keys.
        fn with(keys: &[&str]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let name: Name = "github".parse().unwrap();
            let binding = Binding { origins: ["https://a:443".to_owned()].into(), ..Binding::default() };
            let file = vault(&folder, keys).write(&name, &binding, b"s3cret-value").unwrap();
            let set_by = Actor::host("test");
            Self { folder, name, secret: Secret { file, binding, set_by, set_at: Timestamp(0) } }
        }

        fn read(&self, keys: &[&str]) -> Result<Vec<u8>, VaultError> {
            vault(&self.folder, keys).read(&self.name, &self.secret).map(|value| value.bytes().to_vec())
        }

        fn tidied(&self, keys: &[&str]) -> Vec<VaultError> {
            vault(&self.folder, keys).tidy([(&self.name, &self.secret)].into_iter())
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join(&self.secret.file)
        }
    }

    fn vault(folder: &tempfile::TempDir, keys: &[&str]) -> Vault {
        Vault::open(folder.path().to_owned(), Keys::of_text(&keys.join("\n")).unwrap()).unwrap()
    }

    const OLD: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const NEW: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";

    #[test]
    fn a_value_is_read_with_its_key_and_stands_in_no_file() {
        let kept = Kept::with(&[OLD]);
        assert_eq!(kept.read(&[OLD]).unwrap(), b"s3cret-value");
        let sealed = fs::read(kept.path()).unwrap();
        assert!(!sealed.windows(6).any(|part| part == b"s3cret"));
        let refused = kept.read(&[NEW]).unwrap_err().to_string();
        assert!(refused.contains("which this host was not given") && !refused.contains(OLD), "{refused}");
        assert!(matches!(kept.read(&[]), Err(VaultError::OtherKey { .. })));
    }

    #[test]
    fn without_a_key_nothing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let refused = vault(&folder, &[]).write(&"x".parse().unwrap(), &Binding::default(), b"v").unwrap_err();
        assert!(refused.to_string().contains("lockgate secret keygen"), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_new_first_key_takes_over_at_the_start_and_the_old_one_can_go() {
        let kept = Kept::with(&[OLD]);
        assert!(kept.read(&[NEW]).is_err());
        assert!(kept.tidied(&[NEW, OLD]).is_empty());
        assert_eq!(kept.read(&[NEW]).unwrap(), b"s3cret-value");
        assert!(matches!(&kept.tidied(&[OLD])[..], [VaultError::OtherKey { .. }]), "told at the start");
        assert!(kept.path().is_file(), "and never thrown away");
    }

    #[test]
    fn a_value_that_was_changed_or_put_in_anothers_place_does_not_open() {
        let mut kept = Kept::with(&[OLD]);
        let whole = fs::read(kept.path()).unwrap();
        for at in [0, 8, 20, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(kept.path(), changed).unwrap();
            assert!(kept.read(&[OLD]).is_err(), "{at}");
        }
        for length in [0, 7, 30, 41, whole.len() - 1] {
            fs::write(kept.path(), &whole[..length]).unwrap();
            assert!(matches!(kept.read(&[OLD]), Err(VaultError::Damaged { .. })), "{length}");
        }
        fs::write(kept.path(), &whole).unwrap();
        assert!(kept.read(&[OLD]).is_ok());
        kept.secret.binding.origins.insert("https://evil:443".to_owned());
        assert!(matches!(kept.read(&[OLD]), Err(VaultError::Damaged { .. })), "bound elsewhere");
        kept.secret.binding.origins.remove("https://evil:443");
        kept.name = "other".parse().unwrap();
        assert!(matches!(kept.read(&[OLD]), Err(VaultError::Damaged { .. })), "under another name");
    }

    #[test]
    fn what_no_event_names_is_gone_after_a_start() {
        let kept = Kept::with(&[OLD]);
        let vault = vault(&kept.folder, &[OLD]);
        let lost = vault.write(&kept.name, &kept.secret.binding, b"never acknowledged").unwrap();
        assert!(kept.tidied(&[OLD]).is_empty());
        assert!(!kept.folder.path().join(lost).exists() && kept.path().is_file());
        // What somebody else has put there stays.
        let keys = kept.folder.path().join("keys");
        fs::write(&keys, OLD).unwrap();
        kept.tidied(&[OLD]);
        assert!(keys.is_file());
    }

    #[test]
    fn keys_are_lines_of_hexadecimal_digits() {
        let keys = Keys::of_text(&format!("# new\n{NEW}\n\n  {OLD}  \n")).unwrap();
        assert_eq!(keys.0.len(), 2);
        assert_eq!(keys.0[0].id, Keys::of_text(NEW).unwrap().0[0].id);
        for (text, line) in [("abc", 1), (&format!("{NEW}\n{NEW}0"), 2), (&format!("\n{}g", &NEW[1..]), 2)] {
            let refused = Keys::of_text(text).err().unwrap().to_string();
            assert!(refused.contains(&format!("line {line} ")) && !refused.contains(NEW), "{refused}");
        }
        assert!(Keys::of_text(&format!("{NEW}\n").repeat(MOST_KEYS + 1)).is_err());
        assert_eq!(Keys::of_text(&new_key()).unwrap().0.len(), 1);
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        fs::write(&path, NEW).unwrap();
        for (mode, is_fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Keys::of_file(&path).is_ok(), is_fine, "{mode:o}");
        }
        assert!(matches!(Keys::of_file(&folder.path().join("none")), Err(KeyError::Unreadable { .. })));
    }
}
