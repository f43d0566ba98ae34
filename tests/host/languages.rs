//! What holds of a plugin holds in every language. One phase is written in each, started from `lockgate plugin new` and built
//! by the tools of its authors. Granted nothing, it describes itself and is told of everything it tries that it may not;
//! granted its supplier, it places each order once, though its host is killed when one was taken and not yet answered.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::harness::{Host, Project, Supplier, Workshop, one_phase, wait};

/// Of one deployment, each placed by a call of its own.
const ORDERS: u64 = 4;
/// The host dies when it was taken, and before that is answered.
const LAST_BEFORE_THE_CRASH: u64 = 2;

/// What a guest tries that was granted nothing, what it hears, and what the operator is told.
struct Try {
    what: &'static str,
    comes: &'static str,
    line: Option<&'static str>,
}

const HTTP: Try = Try { what: "http", comes: "denied", line: Some("http SUPPLIER") };
const SECRET: Try = Try { what: "secret", comes: "denied", line: Some("secret `deploy-key`") };
const STATE: Try = Try { what: "state", comes: "denied", line: Some("state") };

/// There is no folder at all, so nothing of the host is asked for, and nothing noted.
const fn file(comes: &'static str) -> Try {
    Try { what: "file", comes, line: None }
}

const fn socket(comes: &'static str) -> Try {
    Try { what: "socket", comes, line: Some("a TCP socket") }
}

#[test]
fn a_phase_in_rust_is_denied_what_was_not_granted_and_goes_on_where_its_host_was_killed() {
    proves("rust", None, &[HTTP, SECRET, STATE, file("entity not found"), socket("permission denied")]);
}

#[test]
fn a_phase_in_python_is_denied_what_was_not_granted_and_goes_on_where_its_host_was_killed() {
    let tools = Workshop::example("prometheus-gate");
    proves("python", Some(tools), &[HTTP, SECRET, STATE, file("ENOENT"), socket("EACCES")]);
}

/// JavaScript has no files and no sockets.
#[test]
fn a_phase_in_typescript_is_denied_what_was_not_granted_and_goes_on_where_its_host_was_killed() {
    let tools = Workshop::example("change-ticket");
    proves("ts", Some(tools), &[HTTP, SECRET, STATE]);
}

#[test]
fn a_phase_in_c_is_denied_what_was_not_granted_and_goes_on_where_its_host_was_killed() {
    let tools = Workshop::new("c", "phase", "announce-in-c");
    proves("c", Some(tools), &[HTTP, SECRET, STATE, file("no file")]);
}

fn proves(language: &str, tools: Option<Workshop>, tries: &[Try]) {
    let plugin = format!("orders-in-{language}");
    let component = built(language, &plugin, tools);
    let mut host = Host::start();
    host.plugin_from(&component, &[]);
    is_denied(&host, &plugin, tries);
    let supplier = Supplier::open();
    host.plugin_from(&component, &[&supplier.url()]);
    goes_on(&mut host, &plugin, &supplier);
}

fn built(language: &str, plugin: &str, tools: Option<Workshop>) -> PathBuf {
    let orders = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/guests/orders"));
    let workshop = Workshop::new(language, "phase", plugin);
    let workshop = workshop.with_sources(&orders.join("all")).with_sources(&orders.join(language));
    let workshop = match tools {
        Some(tools) => {
            tools.build_if_changed();
            workshop.with_tools_of(&tools)
        }
        None => workshop,
    };
    workshop.build_if_changed()
}

/// One phase for each thing that is tried: none traps, and each says what it has heard.
fn is_denied(host: &Host, plugin: &str, tries: &[Try]) {
    let supplier = Supplier::open();
    let phase = |tried: &Try| {
        let at = if tried.what == "socket" { supplier.address() } else { supplier.url() };
        format!("{{ name: {0}, plugin: {plugin}, config: {{ try: {0}, at: \"{at}\" }} }}", tried.what)
    };
    let phases = tries.iter().map(phase).collect::<Vec<_>>().join(", ");
    let file = format!("environments: {{ test: {{}} }}\nworkflows: {{ w: {{ phases: [{phases}] }} }}\n");
    let project = Project::create(host, "denied", &file);
    project.release("v1");
    let number = project.deploy("v1", "test");
    project.assert_succeeds(number);

    let phases = project.deployment(number).phases;
    let said = host.said();
    for (Try { what, comes, line }, phase) in tries.iter().zip(phases) {
        assert_eq!(phase.outputs["came"], *comes, "{plugin}: {what}");
        let line = line.map(|line| line.replace("SUPPLIER", &supplier.url()));
        let log = project.log(number, what).into_iter().map(|line| line.message);
        let noted: Vec<String> =
            log.filter_map(|message| message.strip_prefix("denied: ").map(str::to_owned)).collect();
        assert_eq!(noted, Vec::from_iter(line.clone()), "{plugin}: {what}");
        if let Some(line) = line {
            let of_audit = |said: &&str| said.contains("audit: denied") && said.contains(&format!("what={line:?}"));
            assert_eq!(said.lines().filter(of_audit).count(), 1, "{plugin}: {what}: {said}");
        }
    }
    assert_eq!(supplier.heard(), []);
}

fn goes_on(host: &mut Host, plugin: &str, supplier: &Supplier) {
    let config = format!("{{ url: \"{}\", orders: {ORDERS} }}", supplier.url());
    let project = Project::create(host, "shop", &one_phase(plugin, &config));
    project.release("v1");
    supplier.withhold_the_answer_to(LAST_BEFORE_THE_CRASH);
    let number = project.deploy("v1", "test");
    let orders = || supplier.heard().into_iter().map(|heard| heard.order).collect::<Vec<_>>();
    wait("the order that is not answered", || orders().contains(&LAST_BEFORE_THE_CRASH).then_some(()));
    host.kill();
    assert_eq!(orders(), [0, 1, 2], "{plugin}");
    host.restart();
    project.assert_succeeds(number);

    let heard = supplier.heard();
    assert_eq!(orders(), [0, 1, 2, 2, 3], "{plugin} goes on from its cursor");
    assert_eq!(heard[2], heard[3], "{plugin}: the call that nobody answered is the same call again, with its key");
    assert_eq!(heard.iter().map(|heard| &heard.key).collect::<BTreeSet<_>>().len(), 4, "{plugin}");
    assert!(supplier.taken().values().eq(&[1; ORDERS as usize]), "{plugin}: {:?}", supplier.taken());
    assert_eq!(project.deployment(number).phases[0].outputs["placed"], ORDERS);
}
