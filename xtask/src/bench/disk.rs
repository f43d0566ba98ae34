//! How long the disk takes to promise something: the floor of every acknowledgement.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use serde_json::Value;

const WRITES: usize = 1_000;
const WRITE_BYTES: usize = 512;

/// As the journal does it: small writes into a file that has its size already, one `fdatasync` each.
pub fn fdatasync(folder: &Path) -> Result<Value> {
    let mut file = File::create(folder.join("fdatasync"))?;
    file.write_all(&vec![0; WRITES * WRITE_BYTES])?;
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    let mut micros = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let started = Instant::now();
        file.write_all(&[1; WRITE_BYTES])?;
        file.sync_data()?;
        micros.push(started.elapsed().as_micros() as u64);
    }
    Ok(super::spread(micros))
}
