//! How far it is, for people who watch.

/// `percent` from 0 to 100.
pub fn report(percent: u32, message: &str) {
    #[cfg(target_family = "wasm")]
    crate::bindings::host::lockgate::plugin::progress::report(percent, message);
    #[cfg(not(target_family = "wasm"))]
    eprintln!("{percent}%: {message}");
}
