//! Small values that the host keeps for plugins between deployments: for each environment and namespace apart.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::handle::{Rejection, at_most};
use crate::name::{Actor, DeploymentNumber, Name};

/// All of an environment.
pub type Kept = OrdMap<Name, Namespace>;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Namespace(OrdMap<String, Entry>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    #[serde(with = "crate::bytes")]
    pub value: Vec<u8>,
    /// From 1 on.
    pub version: u32,
    /// The deployment that wrote it last.
    pub by: DeploymentNumber,
}

/// What is to be kept. It is only where nobody else wrote meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keep {
    pub deployment: DeploymentNumber,
    pub namespace: Name,
    pub key: String,
    pub value: Vec<u8>,
    /// The version that the writer has read; 0: none.
    pub expect: u32,
}

/// What is to go: one key of a namespace, or all of it.
#[derive(Debug, Clone)]
pub struct ClearState {
    pub environment: Name,
    pub namespace: Name,
    pub key: Option<String>,
    pub reason: String,
    pub by: Actor,
}

pub const LONGEST_KEY: usize = 200;
pub const LONGEST_VALUE: usize = 16 << 10;
/// What each value costs beside its key and itself: an event, and a place in every snapshot.
pub const VALUE_OVERHEAD: usize = 256;
/// Of one namespace in one environment: a snapshot holds all of it.
pub const MOST_OF_NAMESPACE: usize = 256 << 10;
/// What one attempt has kept, values that were replaced too: the journal holds all of it.
pub const MOST_OF_ATTEMPT: usize = 16 << 20;

pub fn cost(key: &str, value: &[u8]) -> usize {
    key.len() + value.len() + VALUE_OVERHEAD
}

impl Namespace {
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.0.get(key)
    }

    pub fn version(&self, key: &str) -> u32 {
        self.get(key).map_or(0, |entry| entry.version)
    }

    /// What stands at the key once it is kept, or why it is not.
    pub fn kept(&self, keep: Keep) -> Result<(String, Entry), Rejection> {
        let Keep { deployment, namespace: _, key, value, expect } = keep;
        if key.is_empty() {
            return Err(Rejection::NoStateKey);
        }
        at_most("the key's length", key.len(), LONGEST_KEY)?;
        at_most("the value's length", value.len(), LONGEST_VALUE)?;
        let version = self.version(&key);
        if version != expect {
            return Err(Rejection::StateMoved { key, version, expect });
        }
        at_most("the size of the namespace", self.bytes_with(&key, &value), MOST_OF_NAMESPACE)?;
        Ok((key, Entry { value, version: version + 1, by: deployment }))
    }

    pub fn put(&mut self, key: String, entry: Entry) {
        self.0.insert(key, entry);
    }

    /// All of it, without a key.
    pub fn clear(&mut self, key: Option<&str>) {
        match key {
            Some(key) => drop(self.0.remove(key)),
            None => self.0.clear(),
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Entry)> {
        self.0.iter()
    }

    /// How large it would be with this value in the place of the one that is there.
    fn bytes_with(&self, key: &str, value: &[u8]) -> usize {
        let others = self.0.iter().filter(|(other, _)| other.as_str() != key);
        others.map(|(key, entry)| cost(key, &entry.value)).sum::<usize>() + cost(key, value)
    }
}
