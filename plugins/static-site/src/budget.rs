//! How much one call does. A call is short; the host keeps the cursor and calls again.

use std::ops::ControlFlow;

/// Besides the files of the configuration: a few large files are as much work as many small ones.
const BYTES_PER_CALL: u64 = 64 << 20;

pub struct Budget {
    files: usize,
    bytes: u64,
}

impl Budget {
    pub fn new(files_per_call: usize) -> Self {
        Self { files: files_per_call, bytes: BYTES_PER_CALL }
    }

    /// Breaks when this was the last the call does. The first is always done, whatever its size.
    pub fn spend(&mut self, bytes: u64) -> ControlFlow<()> {
        self.files = self.files.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        if self.files == 0 || self.bytes == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
