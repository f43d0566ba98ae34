//! The components' side of `wit/`, generated. Authors never name this module; `export_phase!` and its
//! siblings do.
//!
//! The interfaces of the host are generated once and shared, so a `Failure` is the same type in every world.
//! `pub_export_macro` moves the section that promises an export into the crate that makes it: a phase would
//! otherwise promise a gate and a target too.

pub mod host {
    wit_bindgen::generate!({
        inline: "
            package lockgate:sdk@0.1.0;
            world host {
                import lockgate:plugin/types@0.1.0;
                import lockgate:plugin/log@0.1.0;
                import lockgate:plugin/progress@0.1.0;
                import lockgate:plugin/control@0.1.0;
                import lockgate:plugin/secrets@0.1.0;
                import lockgate:plugin/state@0.1.0;
                import lockgate:plugin/artifacts@0.1.0;
                import lockgate:plugin/artifacts-write@0.1.0;
                import lockgate:plugin/http@0.1.0;
                import lockgate:process/run@0.1.0;
            }
        ",
        path: ["../../wit/plugin", "../../wit/process"],
        generate_all,
        generate_unused_types: true,
        additional_derives: [PartialEq],
        pub_export_macro: true,
    });
}

pub mod phase {
    wit_bindgen::generate!({
        path: ["../../wit/plugin", "../../wit/phase"],
        world: "lockgate:phase/phase-plugin",
        with: {
            "lockgate:plugin/types@0.1.0": crate::bindings::host::lockgate::plugin::types,
            "lockgate:plugin/log@0.1.0": crate::bindings::host::lockgate::plugin::log,
            "lockgate:plugin/progress@0.1.0": crate::bindings::host::lockgate::plugin::progress,
            "lockgate:plugin/control@0.1.0": crate::bindings::host::lockgate::plugin::control,
            "lockgate:plugin/secrets@0.1.0": crate::bindings::host::lockgate::plugin::secrets,
            "lockgate:plugin/state@0.1.0": crate::bindings::host::lockgate::plugin::state,
            "lockgate:plugin/artifacts@0.1.0": crate::bindings::host::lockgate::plugin::artifacts,
            "lockgate:plugin/artifacts-write@0.1.0": crate::bindings::host::lockgate::plugin::artifacts_write,
            "lockgate:plugin/http@0.1.0": crate::bindings::host::lockgate::plugin::http,
        },
        generate_all,
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_phase_world",
        default_bindings_module: "lockgate_sdk::bindings::phase",
    });
}

pub mod gate {
    wit_bindgen::generate!({
        path: ["../../wit/plugin", "../../wit/gate"],
        world: "lockgate:gate/gate-plugin",
        with: {
            "lockgate:plugin/types@0.1.0": crate::bindings::host::lockgate::plugin::types,
            "lockgate:plugin/log@0.1.0": crate::bindings::host::lockgate::plugin::log,
            "lockgate:plugin/control@0.1.0": crate::bindings::host::lockgate::plugin::control,
            "lockgate:plugin/secrets@0.1.0": crate::bindings::host::lockgate::plugin::secrets,
            "lockgate:plugin/artifacts@0.1.0": crate::bindings::host::lockgate::plugin::artifacts,
            "lockgate:plugin/http@0.1.0": crate::bindings::host::lockgate::plugin::http,
        },
        generate_all,
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_gate_world",
        default_bindings_module: "lockgate_sdk::bindings::gate",
    });
}

pub mod target {
    wit_bindgen::generate!({
        path: ["../../wit/plugin", "../../wit/target"],
        world: "lockgate:target/target-plugin",
        with: {
            "lockgate:plugin/types@0.1.0": crate::bindings::host::lockgate::plugin::types,
            "lockgate:plugin/log@0.1.0": crate::bindings::host::lockgate::plugin::log,
            "lockgate:plugin/progress@0.1.0": crate::bindings::host::lockgate::plugin::progress,
            "lockgate:plugin/control@0.1.0": crate::bindings::host::lockgate::plugin::control,
            "lockgate:plugin/secrets@0.1.0": crate::bindings::host::lockgate::plugin::secrets,
            "lockgate:plugin/state@0.1.0": crate::bindings::host::lockgate::plugin::state,
            "lockgate:plugin/artifacts@0.1.0": crate::bindings::host::lockgate::plugin::artifacts,
            "lockgate:plugin/http@0.1.0": crate::bindings::host::lockgate::plugin::http,
        },
        generate_all,
        additional_derives: [PartialEq],
        pub_export_macro: true,
        export_macro_name: "export_target_world",
        default_bindings_module: "lockgate_sdk::bindings::target",
    });
}
