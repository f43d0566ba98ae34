//! Compiled code: bytes that become machine code of this process as soon as they are loaded.

use wasmtime::Engine;
use wasmtime::component::Component;

/// Made in two places only; each says why its bytes may be loaded.
pub struct Code(Vec<u8>);

impl Code {
    /// What the compiler answered that this host itself started; see `compile`.
    pub fn of_our_compiler(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What this host wrote, with an HMAC that has just been checked over these bytes in memory; see `cache`.
    pub fn authenticated(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    #[expect(unsafe_code, reason = "the one place where compiled code is taken in")]
    pub fn load(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: `deserialize` asks for bytes that wasmtime's own serialization made and nobody changed since. A `Code`
        // is a private copy in memory, and comes from one of two places:
        //
        // - `compile`: the whole answer of a process that this host started as its compiler, over a socket of which only
        //   that process had the other end. It did nothing but `Engine::precompile_component` on the component's bytes.
        //   What is trusted here is the compiler: that Cranelift translates hostile bytes without being taken over by
        //   them, as it would have to be trusted inside this process. A component that did take it over could answer with
        //   machine code of its choice; against that the other process is no fence, it is one against time, memory and
        //   crashes.
        // - `cache`: such bytes, kept on disk with an HMAC by a key that this host's user alone can read. The only place
        //   where the key is applied to code is `Cache::put`, to a `Code`.
        //
        // An answer that was cut off never gets here, and what is not of this wasmtime and these settings ends in `Err`.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}
