//! Compiled code on disk. Loading it is running it: a file counts only if this host's key authenticates it.
//!
//! The key lies beside the files: this guards against files that were moved, damaged or made elsewhere, and against
//! whoever can write into the folder but not read from it. It is no fence against root or this host's own user.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use lockgate_core::digest::Digest;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::code::Code;

const KEY_FILE: &str = "host.key";
const KEY_BYTES: usize = 32;
const MAC_BYTES: usize = 32;

pub struct Cache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
    /// Of the engine's version and settings: code of another engine has another name.
    engine: String,
}

impl Cache {
    pub fn open(folder: &Path, engine: &Engine) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        let cache = Self { folder: folder.to_owned(), key: host_key(folder)?, engine: engine_name(engine) };
        cache.remove_leftovers()?;
        Ok(cache)
    }

    /// Drafts of a process that was killed, and code that this engine cannot use: a folder has one host at a time.
    fn remove_leftovers(&self) -> io::Result<()> {
        let ours = format!("-{}.cwasm", self.engine);
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let of_another_engine = name.ends_with(".cwasm") && !name.ends_with(&ours);
            if (of_another_engine || name.ends_with(".new")) && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// `None` where there is nothing, or nothing to trust.
    pub fn get(&self, engine: &Engine, digest: &Digest) -> Option<Component> {
        let file = self.file(digest);
        let (mac, code) = read_code(&file).ok()?;
        // Constant in time.
        if self.mac(digest, &code).verify_slice(&mac).is_err() {
            tracing::warn!(file = %file.display(), "compiled code that this host did not write is ignored");
            return None;
        }
        match Code::authenticated(code).load(engine) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(file = %file.display(), %error, "compiled code cannot be used and is made again");
                None
            }
        }
    }

    /// Best effort: without it the next start compiles again.
    pub fn put(&self, digest: &Digest, code: &Code) {
        let file = self.file(digest);
        let mac = self.mac(digest, code.bytes()).finalize().into_bytes();
        if let Err(error) = write_whole(&file, &[&mac, code.bytes()]) {
            tracing::warn!(file = %file.display(), %error, "compiled code could not be kept");
        }
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.folder.join(format!("{}-{}.cwasm", digest.hex(), self.engine))
    }

    /// Over the name as well, or a file could be passed off as another component's.
    fn mac(&self, digest: &Digest, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length is a key");
        for part in [digest.hex().as_bytes(), self.engine.as_bytes(), code] {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac
    }
}

fn read_code(file: &Path) -> io::Result<([u8; MAC_BYTES], Vec<u8>)> {
    let mut open = fs::File::open(file)?;
    let (mut mac, mut code) = ([0; MAC_BYTES], Vec::new());
    // A file too short for its MAC has none that fits.
    if open.read(&mut mac)? == MAC_BYTES {
        open.read_to_end(&mut code)?;
    }
    Ok((mac, code))
}

fn engine_name(engine: &Engine) -> String {
    struct Sha(Sha256);
    impl std::hash::Hasher for Sha {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut sha = Sha(Sha256::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut sha);
    hex::encode(&sha.0.finalize()[..8])
}

/// Made when first needed; made again, which forgets all code, when someone else could have read it.
fn host_key(folder: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let file = folder.join(KEY_FILE);
    if let Some(key) = read_key(&file)? {
        return Ok(key);
    }
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    write_whole(&file, &[&key])?;
    // Not `key`: of two hosts that start at once, one has replaced the other's.
    read_key(&file)?.ok_or_else(|| io::Error::other(format!("{} changed while it was made", file.display())))
}

fn read_key(file: &Path) -> io::Result<Option<[u8; KEY_BYTES]>> {
    let mut open = match fs::File::open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_private = open.metadata()?.mode() & 0o077 == 0;
    let mut bytes = Vec::new();
    open.read_to_end(&mut bytes)?;
    Ok(<[u8; KEY_BYTES]>::try_from(bytes).ok().filter(|_| is_private))
}

/// Mode 0600, and never seen half written.
fn write_whole(file: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let draft = file.with_extension(format!("{}.new", hex::encode(random)));
    let written = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).and_then(|mut open| {
        parts.iter().try_for_each(|part| open.write_all(part))?;
        open.sync_all()
    });
    written.and_then(|()| fs::rename(&draft, file)).inspect_err(|_| {
        let _ = fs::remove_file(&draft);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path) -> (Cache, Engine) {
        let engine = Engine::default();
        (Cache::open(folder, &engine).unwrap(), engine)
    }

    fn component(engine: &Engine) -> (Digest, Code) {
        let bytes = wat::parse_str("(component)").unwrap();
        (Digest::of(&bytes), Code::of_our_compiler(engine.precompile_component(&bytes).unwrap()))
    }

    #[test]
    fn what_was_put_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (first, engine) = cache(folder.path());
        let (digest, code) = component(&engine);
        assert!(first.get(&engine, &digest).is_none());
        first.put(&digest, &code);
        let (second, engine) = cache(folder.path());
        assert!(second.get(&engine, &digest).is_some());
    }

    #[test]
    fn what_nobody_will_use_any_more_is_removed_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let (first, engine) = cache(folder.path());
        let (digest, code) = component(&engine);
        first.put(&digest, &code);
        for leftover in ["host.0123.new", "aa-other.cwasm", "aa-other.77.new"] {
            fs::write(folder.path().join(leftover), "").unwrap();
        }
        let (second, engine) = cache(folder.path());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(second.get(&engine, &digest).is_some());
    }

    #[test]
    fn a_changed_byte_is_noticed_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, engine) = cache(folder.path());
        let (digest, code) = component(&engine);
        cache.put(&digest, &code);
        let mut bytes = fs::read(cache.file(&digest)).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(cache.file(&digest), &bytes).unwrap();
        assert!(cache.get(&engine, &digest).is_none());
        cache.put(&digest, &code);
        assert!(cache.get(&engine, &digest).is_some());
    }

    #[test]
    fn code_under_another_components_name_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let (cache, engine) = cache(folder.path());
        let (digest, code) = component(&engine);
        let other = Digest::of(b"other");
        cache.put(&digest, &code);
        fs::copy(cache.file(&digest), cache.file(&other)).unwrap();
        assert!(cache.get(&engine, &other).is_none());
    }

    #[test]
    fn folder_key_and_code_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("compiled");
        let (cache, engine) = cache(&folder);
        let (digest, code) = component(&engine);
        cache.put(&digest, &code);
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(KEY_FILE)), 0o600);
        assert_eq!(mode(&cache.file(&digest)), 0o600);
    }

    #[test]
    fn a_key_that_others_could_read_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (first, engine) = cache(folder.path());
        let (digest, code) = component(&engine);
        first.put(&digest, &code);
        fs::set_permissions(folder.path().join(KEY_FILE), fs::Permissions::from_mode(0o644)).unwrap();
        let (second, engine) = cache(folder.path());
        assert!(second.get(&engine, &digest).is_none());
    }
}
