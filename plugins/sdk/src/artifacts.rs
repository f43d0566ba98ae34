//! Artifacts by digest, in chunks: a plugin never holds a whole one.

use std::io::{self, Read, Write};

use crate::Failure;
use crate::bindings::host::lockgate::plugin::{artifacts, artifacts_write};

const CHUNK_BYTES: u32 = 256 << 10;

/// Reads an artifact of the release. A failure of the host comes through as the [`io::Error`] it is wrapped in;
/// `Failure::from` takes it out again.
pub struct Reader {
    host: artifacts::Reader,
    chunk: Vec<u8>,
    taken: usize,
}

/// `digest` as the subject's artifact has it.
pub fn open(digest: &str) -> Result<Reader, Failure> {
    #[cfg(target_family = "wasm")]
    return artifacts::open(digest).map(|host| Reader { host, chunk: Vec::new(), taken: 0 });
    #[cfg(not(target_family = "wasm"))]
    Err(crate::not_in_a_host(&format!("the artifact {digest}")))
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.taken == self.chunk.len() {
            self.chunk = self.host.read(CHUNK_BYTES).map_err(io::Error::other)?;
            self.taken = 0;
        }
        let rest = &self.chunk[self.taken..];
        let taken = rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&rest[..taken]);
        self.taken += taken;
        Ok(taken)
    }
}

/// Writes a new artifact; only phases may. It exists once [`Writer::finish`] has answered its digest.
pub struct Writer(artifacts_write::Writer);

pub fn create(name: &str) -> Result<Writer, Failure> {
    #[cfg(target_family = "wasm")]
    return artifacts_write::create(name).map(Writer);
    #[cfg(not(target_family = "wasm"))]
    Err(crate::not_in_a_host(&format!("creating the artifact `{name}`")))
}

impl Writer {
    pub fn finish(self) -> Result<String, Failure> {
        self.0.finish()
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK_BYTES as usize);
        self.0.write(&bytes[..taken]).map_err(io::Error::other)?;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
