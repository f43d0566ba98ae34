//! From bytes to a component that is known to fit its world.

use std::time::Duration;

use lockgate_core::plugin::Kind;
use wasmparser::{BinaryReaderError, Parser, Payload};
use wasmtime::Engine;
use wasmtime::component::{Component, HasSelf, Linker};

use crate::bindings::gate::{GatePlugin, GatePluginPre};
use crate::bindings::phase::{PhasePlugin, PhasePluginPre};
use crate::bindings::process::lockgate::process;
use crate::bindings::target::{TargetPlugin, TargetPluginPre};
use crate::context::{self, Context};

/// Why bytes are no plugin. Said to whoever uploads them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidComponent {
    #[error("the component has {actual_bytes} bytes, at most {limit_bytes} are taken")]
    TooLarge { actual_bytes: usize, limit_bytes: usize },
    #[error("this is a core module, not a component; build with --target wasm32-wasip2")]
    CoreModule,
    #[error("this is compiled code; upload the .wasm component it was made from")]
    Compiled,
    #[error("this is text, not a component; build it into a binary .wasm first")]
    Text,
    #[error("this is not WebAssembly")]
    NotWasm,
    #[error("the component cannot be compiled: {0}")]
    Broken(String),
    #[error("compiling the component took more than {} s; {SMALLER}, or add it when this machine has less to do", .limit.as_secs_f32())]
    TooSlow { limit: Duration },
    #[error("compiling the component took more than {} s of processor time; {SMALLER}", .limit.as_secs_f32())]
    TooMuchWork { limit: Duration },
    #[error("compiling the component took more than {limit_mib} MiB of memory; {SMALLER}")]
    TooMuchMemory { limit_mib: u64 },
    #[error("the component compiles to more than {limit_mib} MiB of code; {SMALLER}")]
    TooMuchCode { limit_mib: u64 },
    #[error(
        "the compiler died of the component ({how}): {}; try again, and if that happens each time, report it with the component",
        if .last_words.is_empty() { "it left no word" } else { .last_words.as_str() }
    )]
    CompilerDied { how: String, last_words: String },
    #[error("the component exports {exports}; a plugin exports exactly one of {}", expected_exports())]
    WrongWorld { exports: String },
    #[error("the component does not fit the world of a {kind}: {problem}")]
    Unlinkable { kind: Kind, problem: String },
}

const EXPORTS: [(Kind, &str); 3] = [
    (Kind::Phase, "lockgate:phase/phase@0.1."),
    (Kind::Gate, "lockgate:gate/gate@0.1."),
    (Kind::Target, "lockgate:target/target@0.1."),
];

const SMALLER: &str = "build it smaller: optimised for size, without debug information, and with fewer libraries";

const LISTED_EXPORTS: usize = 10;
const LISTED_NAME_BYTES: usize = 100;

fn expected_exports() -> String {
    EXPORTS.map(|(_, prefix)| format!("{prefix}0")).join(", ")
}

/// What the bytes themselves tell, before anything is compiled.
pub fn check_bytes(bytes: &[u8], limit_bytes: usize) -> Result<(), InvalidComponent> {
    const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";
    const MODULE: [u8; 8] = *b"\0asm\x01\0\0\0";
    if bytes.len() > limit_bytes {
        return Err(InvalidComponent::TooLarge { actual_bytes: bytes.len(), limit_bytes });
    }
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(InvalidComponent::Compiled);
    }
    match bytes.first_chunk::<8>() {
        Some(&COMPONENT) => Ok(()),
        Some(&MODULE) => Err(InvalidComponent::CoreModule),
        Some(_) | None if is_text(bytes) => Err(InvalidComponent::Text),
        Some(_) | None => Err(InvalidComponent::NotWasm),
    }
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'))
}

/// By the names of its exports, before it is compiled: that takes seconds, which only a plugin is worth.
pub fn kind(bytes: &[u8]) -> Result<Kind, InvalidComponent> {
    let Surface { exports, .. } = surface(bytes)?;
    let kinds: Vec<Kind> = EXPORTS
        .iter()
        .filter(|(_, prefix)| exports.iter().any(|name| name.starts_with(prefix)))
        .map(|(kind, _)| *kind)
        .collect();
    match kinds[..] {
        [kind] => Ok(kind),
        [] | [_, _, ..] => Err(InvalidComponent::WrongWorld { exports: listed(&exports) }),
    }
}

/// What a component says of itself: the names it imports and exports, versions included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surface {
    pub imports: Vec<String>,
    pub exports: Vec<String>,
}

/// Of the component itself, not of those within. Compiles nothing.
pub fn surface(bytes: &[u8]) -> Result<Surface, InvalidComponent> {
    read_surface(bytes).map_err(|error| InvalidComponent::Broken(error.to_string()))
}

fn read_surface(bytes: &[u8]) -> Result<Surface, BinaryReaderError> {
    let (mut surface, mut depth) = (Surface::default(), 0_usize);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    surface.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    surface.exports.push(export?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(surface)
}

/// A component names its exports as it likes, and has as many as it likes.
fn listed(exports: &[String]) -> String {
    let shown = exports.iter().take(LISTED_EXPORTS).map(|name| &name[..name.floor_char_boundary(LISTED_NAME_BYTES)]);
    let shown = shown.collect::<Vec<_>>().join(", ");
    match exports.len().saturating_sub(LISTED_EXPORTS) {
        0 if exports.is_empty() => "nothing".to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// All that a call needs short of a store.
#[derive(Clone)]
pub enum Plugin {
    Phase(PhasePluginPre<Context>),
    Gate(GatePluginPre<Context>),
    Target(TargetPluginPre<Context>),
}

impl Plugin {
    pub fn kind(&self) -> Kind {
        match self {
            Plugin::Phase(_) => Kind::Phase,
            Plugin::Gate(_) => Kind::Gate,
            Plugin::Target(_) => Kind::Target,
        }
    }
}

/// What each kind may import. A component that imports more fails by that import's name, as a gate that wants tools does.
pub struct Worlds {
    phase: Linker<Context>,
    gate: Linker<Context>,
    target: Linker<Context>,
}

impl Worlds {
    pub fn new(engine: &Engine) -> wasmtime::Result<Self> {
        let mut base = Linker::new(engine);
        context::add_to_every_world(&mut base)?;
        let (mut phase, mut gate, mut target) = (base.clone(), base.clone(), base);
        PhasePlugin::add_to_linker::<_, HasSelf<Context>>(&mut phase, |context| context)?;
        GatePlugin::add_to_linker::<_, HasSelf<Context>>(&mut gate, |context| context)?;
        TargetPlugin::add_to_linker::<_, HasSelf<Context>>(&mut target, |context| context)?;
        // A gate only looks; what a tool does, nobody can say.
        for linker in [&mut phase, &mut target] {
            process::run::add_to_linker::<_, HasSelf<Context>>(linker, |context| context)?;
        }
        Ok(Self { phase, gate, target })
    }

    pub fn link(&self, kind: Kind, component: &Component) -> Result<Plugin, InvalidComponent> {
        let plugin = match kind {
            Kind::Phase => self.phase.instantiate_pre(component).and_then(PhasePluginPre::new).map(Plugin::Phase),
            Kind::Gate => self.gate.instantiate_pre(component).and_then(GatePluginPre::new).map(Plugin::Gate),
            Kind::Target => self.target.instantiate_pre(component).and_then(TargetPluginPre::new).map(Plugin::Target),
        };
        plugin.map_err(|error| InvalidComponent::Unlinkable { kind, problem: format!("{error:#}") })
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn engine() -> Engine {
        crate::engine::new(false, 1).unwrap().0
    }

    fn refusal(bytes: &[u8]) -> InvalidComponent {
        let engine = engine();
        let outcome = check_bytes(bytes, 1_000_000).and_then(|()| {
            let kind = kind(bytes)?;
            let broken = |error| InvalidComponent::Broken(format!("{error:#}"));
            let component = Component::from_binary(&engine, bytes).map_err(broken)?;
            Worlds::new(&engine).unwrap().link(kind, &component).map(|_| ())
        });
        outcome.unwrap_err()
    }

    fn check(bytes: &[u8], expected: Expect) {
        expected.assert_eq(&refusal(bytes).to_string());
    }

    fn wat(text: &str) -> Vec<u8> {
        wat::parse_str(text).unwrap()
    }

    #[test]
    fn bytes_that_are_no_component_are_named_for_what_they_are() {
        check(&wat("(module)"), expect!["this is a core module, not a component; build with --target wasm32-wasip2"]);
        check(b"(component)", expect!["this is text, not a component; build it into a binary .wasm first"]);
        check(b"", expect!["this is not WebAssembly"]);
        check(b"\x7fELF\x02\x01\x01\x00\x00", expect!["this is not WebAssembly"]);
        check(&vec![0; 1_000_001], expect!["the component has 1000001 bytes, at most 1000000 are taken"]);
        let compiled = engine().precompile_component(&wat("(component)")).unwrap();
        check(&compiled, expect!["this is compiled code; upload the .wasm component it was made from"]);
    }

    #[test]
    fn a_damaged_component_is_refused() {
        let mut bytes = wat("(component (core module))");
        bytes.truncate(bytes.len() - 1);
        assert!(matches!(refusal(&bytes), InvalidComponent::Broken(_)));
    }

    #[test]
    fn a_component_of_another_world_hears_what_is_expected() {
        check(
            &wat("(component)"),
            expect![
                "the component exports nothing; a plugin exports exactly one of lockgate:phase/phase@0.1.0, lockgate:gate/gate@0.1.0, lockgate:target/target@0.1.0"
            ],
        );
        check(
            &wat(r#"(component (instance $i) (export "lockgate:phase/phase@0.2.0" (instance $i)))"#),
            expect![
                "the component exports lockgate:phase/phase@0.2.0; a plugin exports exactly one of lockgate:phase/phase@0.1.0, lockgate:gate/gate@0.1.0, lockgate:target/target@0.1.0"
            ],
        );
    }

    #[test]
    fn only_what_may_be_a_plugin_is_compiled() {
        // Its code does not even validate.
        let body = "(core module (func (result i32)))";
        assert!(matches!(refusal(&wat(&format!("(component {body})"))), InvalidComponent::WrongWorld { .. }));
        let phase = r#"(instance $i) (export "lockgate:phase/phase@0.1.0" (instance $i))"#;
        assert!(matches!(refusal(&wat(&format!("(component {body} {phase})"))), InvalidComponent::Broken(_)));
        let within = refusal(&wat(&format!("(component (component {phase}))"))).to_string();
        assert!(within.starts_with("the component exports nothing"), "{within}");
    }

    #[test]
    fn the_surface_is_that_of_the_outermost_component() {
        let bytes = wat(r#"(component
            (import "lockgate:plugin/log@0.1.0" (instance))
            (component (import "within" (instance)))
            (instance $i) (export "lockgate:phase/phase@0.1.0" (instance $i)))"#);
        let Surface { imports, exports } = surface(&bytes).unwrap();
        assert_eq!(
            (imports, exports),
            (vec!["lockgate:plugin/log@0.1.0".into()], vec!["lockgate:phase/phase@0.1.0".into()])
        );
    }

    #[test]
    fn of_many_exports_a_few_are_listed() {
        let exports: String = (0..12).map(|i| format!(r#"(export "e{i}" (instance $i))"#)).collect();
        let refusal = refusal(&wat(&format!("(component (instance $i) {exports})"))).to_string();
        assert!(refusal.contains("e9 and 2 more; a plugin") && !refusal.contains("e10"), "{refusal}");
        assert!(listed(&["x".repeat(1_000)]).len() < 110);
    }

    #[test]
    fn an_import_outside_the_world_is_refused_by_name() {
        let bytes = wat(r#"(component
            (import "lockgate:process/run@0.1.0" (instance (export "stop" (func (param "key" string)))))
            (instance $i) (export "lockgate:gate/gate@0.1.0" (instance $i)))"#);
        let refusal = refusal(&bytes).to_string();
        assert!(refusal.contains("lockgate:process/run@0.1.0"), "{refusal}");
    }
}
