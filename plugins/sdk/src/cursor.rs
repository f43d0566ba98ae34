//! Where the last call stopped.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Failure;

/// What the last call handed back: the cursor of a phase or target, the memo of a gate. Empty on the first call.
/// The host keeps it; nothing in the plugin's memory lives from one call to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor(pub Vec<u8>);

impl Cursor {
    pub fn is_first(&self) -> bool {
        self.0.is_empty()
    }

    /// None on the first call.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        if self.is_first() {
            return Ok(None);
        }
        serde_json::from_slice(&self.0)
            .map(Some)
            .map_err(|error| Failure::fatal("invalid-cursor", format!("the cursor does not read: {error}")))
    }

    /// # Panics
    /// If `value` has no JSON, such as a map whose keys are no strings: every call would end so.
    pub fn of<T: Serialize>(value: &T) -> Self {
        Self(serde_json::to_vec(value).expect("a cursor is written as JSON; maps need keys that are strings"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_the_first_call_has_none() {
        assert_eq!(Cursor::of(&(3, "copied")).read(), Ok(Some((3, "copied".to_owned()))));
        assert_eq!(Cursor::default().read::<u32>(), Ok(None));
    }

    #[test]
    fn a_cursor_of_another_shape_is_a_failure() {
        let failure = Cursor(b"[1]".to_vec()).read::<String>().unwrap_err();

        assert_eq!(failure.code, "invalid-cursor");
    }
}
