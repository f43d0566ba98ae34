//! What `bindgen!` makes of `wit/`. Gate and target share the imports generated for the phase world, which has all
//! of them, so each host function is written once.

pub mod phase {
    wasmtime::component::bindgen!({
        path: ["../../wit/plugin", "../../wit/phase"],
        world: "lockgate:phase/phase-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "lockgate:plugin/artifacts.reader": crate::context::Reader,
            "lockgate:plugin/artifacts-write.writer": crate::context::Writer,
        },
    });
}

pub mod gate {
    wasmtime::component::bindgen!({
        path: ["../../wit/plugin", "../../wit/gate"],
        world: "lockgate:gate/gate-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: { "lockgate:plugin": crate::bindings::phase::lockgate::plugin },
    });
}

pub mod target {
    wasmtime::component::bindgen!({
        path: ["../../wit/plugin", "../../wit/target"],
        world: "lockgate:target/target-plugin",
        imports: { default: async | trappable },
        exports: { default: async },
        with: { "lockgate:plugin": crate::bindings::phase::lockgate::plugin },
    });
}

/// In no world of ours: who needs it imports it beside one.
pub mod reveal {
    wasmtime::component::bindgen!({
        path: ["../../wit/plugin"],
        inline: "package lockgate:host; world reveal { import lockgate:plugin/secrets-reveal@0.1.0; }",
        world: "lockgate:host/reveal",
        imports: { default: async | trappable },
        with: { "lockgate:plugin/types": crate::bindings::phase::lockgate::plugin::types },
    });
}

/// Not in the worlds: a component that wants tools imports it by name, and whoever inspects it sees that.
pub mod process {
    wasmtime::component::bindgen!({
        inline: "
            package lockgate:host@0.1.0;
            world tools {
                import lockgate:process/run@0.1.0;
            }
        ",
        path: ["../../wit/plugin", "../../wit/process"],
        imports: { default: async | trappable },
        with: { "lockgate:plugin": crate::bindings::phase::lockgate::plugin },
    });
}

pub use phase::lockgate::plugin;
pub use reveal::lockgate::plugin::secrets_reveal;
