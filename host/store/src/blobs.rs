//! Blobs: files named by the SHA-256 of their bytes. A named blob is whole and
//! durable, so an event may name it as soon as `finish` has returned.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lockgate_core::digest::Digest;
use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::folder;

#[derive(Clone)]
pub struct Blobs {
    dir: Arc<Path>,
    unfinished: PathBuf,
    next_name: Arc<AtomicU64>,
}

impl Blobs {
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let unfinished = dir.join("unfinished");
        folder::remove_dir_if_there(&unfinished)?;
        folder::create(&unfinished)?;
        // Made ahead, so that storing a blob has one folder to sync, not two.
        let named = dir.join("sha256");
        for byte in 0..=255u8 {
            let shelf = named.join(format!("{byte:02x}"));
            folder::create_unsynced(&shelf).map_err(StoreError::io("create the folder", &shelf))?;
        }
        folder::sync(&named).and_then(|()| folder::sync(dir)).map_err(StoreError::io("sync the folder", dir))?;
        Ok(Self { dir: dir.into(), unfinished, next_name: Arc::default() })
    }

    /// Begins a blob of at most `limit` bytes.
    pub fn writer(&self, limit: u64) -> Result<BlobWriter, StoreError> {
        let name = self.next_name.fetch_add(1, Ordering::Relaxed);
        let path = self.unfinished.join(name.to_string());
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::io("create the blob", &path))?;
        Ok(BlobWriter { blobs: self.clone(), file, path, hash: Sha256::new(), bytes: 0, limit })
    }

    /// Stores bytes that are already in memory; blocks on the disk.
    pub fn write(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let mut writer = self.writer(bytes.len() as u64)?;
        writer.write(bytes)?;
        writer.finish(None)
    }

    /// A reader of its bytes, and how many there are.
    pub fn open_blob(&self, digest: Digest) -> Result<(BlobReader, u64), StoreError> {
        let path = self.path(digest);
        let open = || -> io::Result<(BlobReader, u64)> {
            let file = File::open(&path)?;
            let bytes = file.metadata()?.len();
            Ok((BlobReader { blobs: self.clone(), file, hash: Sha256::new(), digest }, bytes))
        };
        open().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::NoBlob { digest },
            _ => StoreError::io("open the blob", &path)(error),
        })
    }

    /// Whether an event may name the blob. One that is only just getting its name, or whose folder could not be
    /// synced then, would be gone after a power cut: so the folder is synced here.
    pub fn contains(&self, digest: Digest) -> bool {
        let path = self.path(digest);
        path.is_file() && folder::sync(shelf(&path)).is_ok()
    }

    /// A look at its name alone: cheap, and no promise that its bytes are right.
    pub fn is_there(&self, digest: Digest) -> bool {
        self.path(digest).is_file()
    }

    /// The bytes of a blob of at most `limit` bytes, checked against the digest.
    pub fn read(&self, digest: Digest, limit: u64) -> Result<Vec<u8>, StoreError> {
        let (mut reader, length) = self.open_blob(digest)?;
        if length > limit {
            return Err(StoreError::BlobTooLarge { limit });
        }
        let mut bytes = Vec::with_capacity(length as usize);
        reader.file.read_to_end(&mut bytes).map_err(StoreError::io("read the blob", &self.path(digest)))?;
        match Digest::of(&bytes) {
            actual if actual == digest => Ok(bytes),
            actual => Err(self.put_aside(digest, actual)),
        }
    }

    /// Takes its name from a damaged blob: the right bytes can be uploaded again, and nobody takes these for them.
    fn put_aside(&self, digest: Digest, actual: Digest) -> StoreError {
        let path = self.dir.join("damaged").join(digest.hex());
        // Where that fails the blob stays, and is found damaged by its next reader too.
        let _ = folder::create(&self.dir.join("damaged")).is_ok_and(|()| fs::rename(self.path(digest), &path).is_ok());
        StoreError::DamagedBlob { digest, actual, path }
    }

    /// Of all blobs that are there.
    pub(crate) fn digests(&self) -> io::Result<Vec<Digest>> {
        let mut digests = Vec::new();
        for shelf in fs::read_dir(self.dir.join("sha256"))? {
            for blob in fs::read_dir(shelf?.path())? {
                digests
                    .extend(blob?.file_name().to_str().and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok()));
            }
        }
        Ok(digests)
    }

    fn path(&self, digest: Digest) -> PathBuf {
        let hex = digest.hex();
        self.dir.join("sha256").join(&hex[..2]).join(&hex)
    }
}

/// Reads a blob from its beginning to its end, and fails there when these were not its bytes: whoever stops before
/// the end has read what nobody vouches for.
pub struct BlobReader {
    blobs: Blobs,
    file: File,
    hash: Sha256,
    digest: Digest,
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.hash.update(&buffer[..bytes]);
        if bytes == 0 && !buffer.is_empty() {
            let actual = Digest::from_sha256(self.hash.clone().finalize().into());
            if actual != self.digest {
                return Err(io::Error::new(io::ErrorKind::InvalidData, self.blobs.put_aside(self.digest, actual)));
            }
        }
        Ok(bytes)
    }
}

/// The folder a blob lies in.
fn shelf(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// A blob that is being written. Dropped unfinished, it leaves nothing behind.
pub struct BlobWriter {
    blobs: Blobs,
    file: File,
    path: PathBuf,
    hash: Sha256,
    bytes: u64,
    limit: u64,
}

impl BlobWriter {
    pub fn write(&mut self, chunk: &[u8]) -> Result<(), StoreError> {
        self.bytes += chunk.len() as u64;
        if self.bytes > self.limit {
            return Err(StoreError::BlobTooLarge { limit: self.limit });
        }
        self.hash.update(chunk);
        self.file.write_all(chunk).map_err(StoreError::io("write the blob", &self.path))
    }

    /// Makes the blob durable under its digest; refuses one that is not `expected`.
    pub fn finish(self, expected: Option<Digest>) -> Result<Digest, StoreError> {
        let actual = Digest::from_sha256(self.hash.clone().finalize().into());
        if let Some(expected) = expected
            && expected != actual
        {
            return Err(StoreError::WrongDigest { expected, actual });
        }
        let path = self.blobs.path(actual);
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.path, &path))
            .and_then(|()| folder::sync(shelf(&path)))
            .map_err(StoreError::io("store the blob", &path))?;
        Ok(actual)
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        // A finished blob has left this name; what else stays is removed at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn blobs() -> (tempfile::TempDir, Blobs) {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        (dir, blobs)
    }

    fn unfinished(dir: &tempfile::TempDir) -> usize {
        fs::read_dir(dir.path().join("unfinished")).unwrap().count()
    }

    #[test]
    fn a_blob_is_found_by_the_digest_of_its_bytes() {
        let (dir, blobs) = blobs();
        let mut writer = blobs.writer(100).unwrap();
        writer.write(b"hello ").unwrap();
        writer.write(b"lock").unwrap();
        let digest = writer.finish(Some(Digest::of(b"hello lock"))).unwrap();
        assert_eq!(blobs.read(digest, 100).unwrap(), b"hello lock");
        assert_eq!(blobs.open_blob(digest).unwrap().1, 10);
        assert!(blobs.contains(digest));
        assert_eq!(unfinished(&dir), 0);
    }

    #[test]
    fn the_same_blob_may_be_stored_twice() {
        let (_dir, blobs) = blobs();
        assert_eq!(blobs.write(b"same").unwrap(), blobs.write(b"same").unwrap());
    }

    #[test]
    fn bytes_with_another_digest_are_refused_and_leave_nothing() {
        let (dir, blobs) = blobs();
        let mut writer = blobs.writer(100).unwrap();
        writer.write(b"something else").unwrap();
        let error = writer.finish(Some(Digest::of(b"announced"))).unwrap_err();
        expect!["the uploaded bytes have the digest sha256:f41f3fa625ff120ddca7ef456bf66371ecea23c129f4e4c32367101edb516cf8, sha256:3cf46ab4906eb199effdf0e8354e6a065a0213c5febbf8edb534b762bed6194a was announced: upload them again"]
            .assert_eq(&error.to_string());
        assert!(!blobs.contains(Digest::of(b"something else")));
        assert_eq!(unfinished(&dir), 0);
    }

    #[test]
    fn a_blob_beyond_its_limit_is_refused() {
        let (dir, blobs) = blobs();
        let mut writer = blobs.writer(4).unwrap();
        writer.write(b"four").unwrap();
        assert!(matches!(writer.write(b"!"), Err(StoreError::BlobTooLarge { limit: 4 })));
        drop(writer);
        assert_eq!(unfinished(&dir), 0);
        let digest = blobs.write(b"12345").unwrap();
        assert!(matches!(blobs.read(digest, 4), Err(StoreError::BlobTooLarge { .. })));
    }

    #[test]
    fn a_missing_and_a_damaged_blob_are_told_apart() {
        let (_dir, blobs) = blobs();
        let digest = Digest::of(b"good");
        assert!(matches!(blobs.read(digest, 100), Err(StoreError::NoBlob { .. })));
        blobs.write(b"good").unwrap();
        fs::write(blobs.path(digest), b"evil").unwrap();
        assert!(matches!(blobs.read(digest, 100), Err(StoreError::DamagedBlob { .. })));
    }

    #[test]
    fn a_damaged_blob_is_never_read_to_its_end_and_can_be_uploaded_again() {
        let (dir, blobs) = blobs();
        let digest = blobs.write(b"good").unwrap();
        fs::write(blobs.path(digest), b"evil").unwrap();
        let error = io::copy(&mut blobs.open_blob(digest).unwrap().0, &mut io::sink()).unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{error}");
        assert!(!blobs.contains(digest));
        assert_eq!(fs::read(dir.path().join("damaged").join(digest.hex())).unwrap(), b"evil");
        blobs.write(b"good").unwrap();
        assert_eq!(io::copy(&mut blobs.open_blob(digest).unwrap().0, &mut io::sink()).unwrap(), 4);
    }

    #[test]
    fn what_a_killed_host_left_unfinished_is_removed_at_the_next_start() {
        let (dir, blobs) = blobs();
        std::mem::forget(blobs.writer(100).unwrap());
        assert_eq!(unfinished(&dir), 1);
        Blobs::open(dir.path()).unwrap();
        assert_eq!(unfinished(&dir), 0);
    }
}
