//! Backs the host up while it goes on.

use std::io::Write;

use lockgate_store::backup::{self, BackupError, Contents};

use super::host::Host;
use super::system;

impl Host {
    /// Writes all that another host needs to go on from this moment, but for the key of the secrets; blocks.
    pub fn back_up(&self, out: impl Write) -> Result<Contents, BackupError> {
        // The value of a secret goes when an event has forgotten it: one that came meanwhile may have.
        let (heads, secrets) = loop {
            let heads = self.store.heads();
            let secrets = self.vault.files()?;
            if self.store.heads().get(system::STREAM) == heads.get(system::STREAM) {
                break (heads, secrets);
            }
        };
        backup::write(&self.store, &heads, &secrets, out)
    }
}
