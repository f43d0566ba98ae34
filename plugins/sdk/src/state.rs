//! Small values the host keeps between deployments. Not for gates, whose world has none.

use crate::Failure;
pub use crate::bindings::host::lockgate::plugin::state::Entry;

pub fn get(key: &str) -> Result<Option<Entry>, Failure> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::host::lockgate::plugin::state::get(key).map(|found| found.into_iter().next());
    #[cfg(not(target_family = "wasm"))]
    Err(crate::not_in_a_host(&format!("the state `{key}`")))
}

/// Compare and set: `expect` is the version that was read, 0 where the key must be absent. Answers the new
/// version.
pub fn put(key: &str, value: &[u8], expect: u32) -> Result<u32, Failure> {
    #[cfg(target_family = "wasm")]
    return crate::bindings::host::lockgate::plugin::state::put(key, value, expect);
    #[cfg(not(target_family = "wasm"))]
    {
        let _ = (value, expect);
        Err(crate::not_in_a_host(&format!("the state `{key}`")))
    }
}
