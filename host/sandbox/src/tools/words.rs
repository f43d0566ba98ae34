//! What host, keeper and tool-to-be say to each other over a socket: one message each way, as JSON of a stated length.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use lockgate_core::digest::Digest;
use lockgate_core::plugin::ToolLimits;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::child::ChildCommand;

const MOST_MESSAGE_BYTES: u32 = 16 << 20;

/// What a child is started for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Job {
    /// Standard input of the tool follows the message.
    Keep(Box<Order>),
    Become(Box<Program>),
}

/// A tool to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Of the run.
    pub folder: PathBuf,
    /// Of what was asked for: the same key with another one is a mistake.
    pub command: Digest,
    pub tool: String,
    pub program: Program,
    pub stdin_bytes: u64,
    pub child: ChildCommand,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    pub path: PathBuf,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    /// Its working folder.
    pub workspace: PathBuf,
    pub stdin: PathBuf,
    pub limits: ToolLimits,
    /// Who must still be its parent when it starts.
    pub keeper: u32,
}

/// What the keeper answers its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    Started,
    /// Another keeper was first, now or long ago.
    Already,
    /// The system does not run this program; nothing has happened.
    Unusable(String),
    /// Nothing has happened, for a reason that may pass.
    Failed(String),
}

pub fn send(mut line: impl Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= MOST_MESSAGE_BYTES);
    let length = length.ok_or_else(|| io::Error::other(format!("a message of {} bytes", bytes.len())))?;
    line.write_all(&length.to_le_bytes())?;
    line.write_all(&bytes)
}

pub fn receive<T: DeserializeOwned>(mut line: impl Read) -> io::Result<T> {
    let mut length = [0; 4];
    line.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > MOST_MESSAGE_BYTES {
        return Err(io::Error::other(format!("a message of {length} bytes")));
    }
    let mut bytes = Vec::new();
    line.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&bytes)?)
}
