//! Secrets that never enter the plugin.

use crate::Failure;

/// A placeholder for a header of an outgoing request; the host puts the value in its place on the way to the
/// hosts the secret is bound to.
pub fn token(name: &str) -> Result<String, Failure> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::host::lockgate::plugin::secrets::token(name);
    #[cfg(not(target_family = "wasm"))]
    Err(crate::not_in_a_host(&format!("the secret `{name}`")))
}
