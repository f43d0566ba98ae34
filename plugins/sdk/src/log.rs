//! Lines in the log of the phase, each with its level.

pub use crate::bindings::host::lockgate::plugin::types::Level;

pub fn debug(message: impl AsRef<str>) {
    emit(Level::Debug, message.as_ref(), &[]);
}

pub fn info(message: impl AsRef<str>) {
    emit(Level::Info, message.as_ref(), &[]);
}

pub fn warn(message: impl AsRef<str>) {
    emit(Level::Warn, message.as_ref(), &[]);
}

pub fn error(message: impl AsRef<str>) {
    emit(Level::Error, message.as_ref(), &[]);
}

/// With fields, for those who search the log later.
pub fn emit(level: Level, message: &str, fields: &[(&str, &str)]) {
    #[cfg(target_family = "wasm")]
    {
        use crate::bindings::host::lockgate::plugin::{log, types::Field};
        let fields: Vec<_> =
            fields.iter().map(|(key, value)| Field { key: (*key).into(), value: (*value).into() }).collect();
        log::emit(level, message, &fields);
    }
    #[cfg(not(target_family = "wasm"))]
    eprintln!("{level:?}: {message} {fields:?}");
}
