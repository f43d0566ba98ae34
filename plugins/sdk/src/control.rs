//! Time and cancelling.

#[cfg(target_family = "wasm")]
use crate::bindings::host::lockgate::plugin::control as host;

/// Whether a person or a limit wants this call to end. A plugin that asks now and then ends politely.
pub fn is_cancelled() -> bool {
    #[cfg(target_family = "wasm")]
    return host::is_cancelled();
    #[cfg(not(target_family = "wasm"))]
    false
}

/// What is left of the time of this call.
pub fn remaining_ms() -> u32 {
    #[cfg(target_family = "wasm")]
    return host::remaining_ms();
    #[cfg(not(target_family = "wasm"))]
    u32::MAX
}

/// Sleeps; true if it was cut short by a cancel. For seconds: longer waits are the host's, by `poll_after_ms`.
pub fn wait(ms: u32) -> bool {
    #[cfg(target_family = "wasm")]
    return host::wait(ms);
    #[cfg(not(target_family = "wasm"))]
    {
        let _ = ms;
        false
    }
}
