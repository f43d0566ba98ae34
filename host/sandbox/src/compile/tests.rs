//! Compilers that work, and others that do not: shell scripts that misbehave, and this test program itself.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use expect_test::{Expect, expect};
use lockgate_core::digest::Digest;
use rustix::io::FdFlags;
use tempfile::TempDir;

use super::child::confine;
use super::*;
use crate::child::{close_inherited, line as line_to_host};
use crate::tests::guest;
use crate::{Options, Sandbox};

const AS_COMPILER: &str = "as-the-compiler";

/// Options with this test program as the compiler.
pub fn options(cache: impl Into<PathBuf>) -> Options {
    Options::new(cache, real())
}

fn real() -> ChildCommand {
    test_child("compile::tests::the_compiler_of_all_tests")
}

/// This program, of which only that test runs; it finds out by `is_child`.
fn test_child(test: &str) -> ChildCommand {
    ChildCommand::this_program([test, "--exact", "--nocapture", AS_COMPILER]).unwrap()
}

fn is_child() -> bool {
    std::env::args().any(|word| word == AS_COMPILER)
}

#[test]
fn the_compiler_of_all_tests() {
    if is_child() {
        compile_for_host();
    }
}

fn script(text: &str) -> ChildCommand {
    ChildCommand { program: "/bin/sh".into(), arguments: vec!["-c".into(), text.into()] }
}

struct Bench {
    sandbox: Sandbox,
    _cache: TempDir,
}

fn bench(compiler: ChildCommand) -> Bench {
    limited(compiler, CompileLimits::default())
}

fn limited(compiler: ChildCommand, compile_limits: CompileLimits) -> Bench {
    let cache = tempfile::tempdir().unwrap();
    let options = Options { compiler, compile_limits, pooling: false, ..options(cache.path()) };
    Bench { sandbox: Sandbox::new(options).unwrap(), _cache: cache }
}

impl Bench {
    async fn refusal(&self, component: Vec<u8>) -> SandboxError {
        self.sandbox.inspect(component.into()).await.unwrap_err()
    }
}

/// The component's fault.
fn invalid(error: SandboxError) -> InvalidComponent {
    match error {
        SandboxError::Invalid(invalid) => invalid,
        other => panic!("{other:?}"),
    }
}

async fn says(compiler: ChildCommand, component: Vec<u8>, expected: Expect) {
    expected.assert_eq(&bench(compiler).refusal(component).await.to_string());
}

/// Compiles, but lacks the functions of a phase.
fn empty() -> Vec<u8> {
    phase_with("")
}

fn phase_with(module: &str) -> Vec<u8> {
    let text = format!(r#"(component {module} (instance $i) (export "lockgate:phase/phase@0.1.0" (instance $i)))"#);
    wat::parse_str(text).unwrap()
}

/// One function of so many steps, each of which needs all that came before it.
fn laborious(steps: usize) -> Vec<u8> {
    let step = "local.get 0 local.get 1 i32.mul local.get 1 i32.add local.tee 1 i32.load local.set 0 ";
    phase_with(&format!("(core module (memory 1) (func (param i32 i32) {}))", step.repeat(steps)))
}

fn was_compiled(error: SandboxError) -> bool {
    matches!(invalid(error), InvalidComponent::Unlinkable { .. })
}

// Limits.

#[tokio::test]
async fn a_component_that_takes_too_much_memory_is_refused() {
    let small = limited(real(), CompileLimits { memory_bytes: 96 << 20, ..CompileLimits::default() });
    assert!(was_compiled(small.refusal(empty()).await));
    let refusal = invalid(small.refusal(laborious(200_000)).await);
    assert_eq!(refusal, InvalidComponent::TooMuchMemory { limit_mib: 96 });
    assert!(was_compiled(small.refusal(empty()).await));
}

#[tokio::test]
async fn a_component_that_takes_too_much_processor_time_is_refused() {
    let cpu = Duration::from_secs(1);
    let short = limited(real(), CompileLimits { cpu, ..CompileLimits::default() });
    assert_eq!(invalid(short.refusal(laborious(400_000)).await), InvalidComponent::TooMuchWork { limit: cpu });
    assert!(was_compiled(short.refusal(empty()).await));
}

#[tokio::test]
async fn a_compiler_that_does_not_end_is_ended() {
    let wall = Duration::from_millis(50);
    let stuck = limited(script("kill -STOP $$"), CompileLimits { wall, ..CompileLimits::default() });
    // The larger one is not even taken as a whole.
    for component in [empty(), laborious(100_000)] {
        assert_eq!(invalid(stuck.refusal(component).await), InvalidComponent::TooSlow { limit: wall });
    }
}

#[tokio::test]
async fn code_beyond_its_limit_is_not_taken() {
    let little = limited(real(), CompileLimits { code_bytes: 1 << 20, ..CompileLimits::default() });
    assert!(was_compiled(little.refusal(empty()).await));
    let refusal = invalid(little.refusal(laborious(100_000)).await);
    assert_eq!(refusal, InvalidComponent::TooMuchCode { limit_mib: 1 });
    let endless = bench(script(r"printf 'C\377\377\377\377\377\377\377\377' >&0"));
    assert_eq!(invalid(endless.refusal(empty()).await), InvalidComponent::TooMuchCode { limit_mib: 512 });
}

#[test]
fn who_meets_a_limit_hears_which_and_what_to_do() {
    let (wall, cpu) = (Duration::from_secs(600), Duration::from_secs(240));
    let refusals = [
        InvalidComponent::TooSlow { limit: wall },
        InvalidComponent::TooMuchWork { limit: cpu },
        InvalidComponent::TooMuchMemory { limit_mib: 2048 },
        InvalidComponent::TooMuchCode { limit_mib: 512 },
    ];
    expect![[r#"
        compiling the component took more than 600 s; build it smaller: optimised for size, without debug information, and with fewer libraries, or add it when this machine has less to do
        compiling the component took more than 240 s of processor time; build it smaller: optimised for size, without debug information, and with fewer libraries
        compiling the component took more than 2048 MiB of memory; build it smaller: optimised for size, without debug information, and with fewer libraries
        the component compiles to more than 512 MiB of code; build it smaller: optimised for size, without debug information, and with fewer libraries"#]].assert_eq(&refusals.map(|refusal| refusal.to_string()).join("\n"));
}

// What the compiler says.

#[tokio::test]
async fn what_is_no_answer_is_not_believed() {
    for (answer, as_what) in [
        ("echo here you are >&0", "here you "),
        (r"printf 'C\4\0\0\0\0\0\0\0code' >&0", "failed to parse precompiled artifact"),
        (r"printf 'B\0\0\0\0\1\0\0\0' >&0", "a reason that does not end"),
    ] {
        let error = bench(script(answer)).refusal(empty()).await;
        let SandboxError::Compiler(CompilerFailure::Nonsense(what)) = error else { panic!("{answer}: {error:?}") };
        assert!(what.starts_with(as_what), "{what}");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_is_not_used() {
    for (answer, how, last) in [
        ("exit 0", "exit status: 0", ""),
        (r"printf 'C\5\0\0\0\0\0\0\0code' >&0", "exit status: 0", ""),
        (r"printf C >&0; printf '  out\n\tof ideas ' >&2; exit 3", "exit status: 3", "out of ideas"),
    ] {
        let refusal = invalid(bench(script(answer)).refusal(empty()).await);
        let died = InvalidComponent::CompilerDied { how: how.to_owned(), last_words: last.to_owned() };
        assert_eq!(refusal, died, "{answer}");
    }
    let refusal = invalid(bench(test_child("compile::tests::a_child_that_stops_in_the_middle")).refusal(empty()).await);
    assert!(matches!(refusal, InvalidComponent::CompilerDied { .. }), "{refusal:?}");
}

/// Having read everything: a socket tells one that ends earlier apart by itself.
#[test]
fn a_child_that_stops_in_the_middle() {
    if is_child() {
        let mut line = line_to_host().unwrap();
        let mut request = vec![0; Terms::BYTES + empty().len()];
        line.read_exact(&mut request).unwrap();
        line.write_all(&Said::Code.head(5)).unwrap();
        line.write_all(b"code").unwrap();
        std::process::exit(0);
    }
}

#[tokio::test]
async fn a_component_that_does_not_compile_is_told_why() {
    let broken = phase_with("(core module (func (result i32)))");
    says(real(), broken, expect!["the component cannot be compiled: failed to compile: wasm[0]::function[0]: WebAssembly translation error: Invalid input WebAssembly code at offset 34: type mismatch: expected i32 but nothing on stack"]).await;
}

#[tokio::test]
async fn a_compiler_that_is_not_there_is_the_machines_fault() {
    let nowhere = ChildCommand { program: "/nowhere/lockgate".into(), arguments: vec![] };
    says(nowhere, empty(), expect!["the compiler does not work: it cannot be started as /nowhere/lockgate: No such file or directory (os error 2)"]).await;
}

/// Up to its last word, in whatever language.
#[tokio::test]
async fn a_flood_of_words_is_cut_to_its_end() {
    let flood = script("i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo line $i >&2; done; exit 9");
    let said = bench(flood).refusal(empty()).await.to_string();
    assert!(said.contains("line 3000;") && !said.contains("line 2000 "), "{said}");
    assert!(said.len() < 1_000, "{said}");
}

// Its end.

#[tokio::test]
async fn a_compiler_that_is_killed_costs_one_component_its_turn_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    // The first time it is killed; from then on it is the real one.
    let once = format!(
        "if [ -e {folder}/once ]; then exec {program} \"$@\"; fi; : > {folder}/once; kill -KILL $$",
        folder = folder.path().display(),
        program = std::env::current_exe().unwrap().display(),
    );
    let mut compiler = script(&once);
    compiler.arguments.push("sh".into());
    compiler.arguments.extend(real().arguments);
    let bench = bench(compiler);
    let component = guest("phase");
    let error = bench.sandbox.inspect(component.clone()).await.unwrap_err();
    expect!["the compiler died of the component (signal: 9 (SIGKILL)): it left no word; try again, and if that happens each time, report it with the component"].assert_eq(&error.to_string());
    bench.sandbox.inspect(component).await.unwrap();
}

/// Two pipes with names: what compilers say, and how they are told to go on.
struct Fifos(TempDir);

impl Fifos {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("mkfifo").current_dir(folder.path()).args(["said", "go"]).status().unwrap();
        assert!(made.success());
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Comes back with all lines that are there, and with one at least.
    async fn said(&self) -> String {
        let path = self.path("said");
        tokio::task::spawn_blocking(move || std::fs::read_to_string(path)).await.unwrap().unwrap()
    }

    async fn go(&self) {
        let path = self.path("go");
        tokio::task::spawn_blocking(move || std::fs::write(path, "go\n")).await.unwrap().unwrap();
    }
}

fn is_there(process: &str) -> bool {
    Path::new("/proc").join(process.trim()).exists()
}

#[tokio::test]
async fn one_component_is_compiled_at_a_time() {
    let fifos = Fifos::new();
    let (said, go) = (fifos.path("said"), fifos.path("go"));
    let (said, go) = (said.display(), go.display());
    let slow = bench(script(&format!("for what in begun done; do echo $what > {said}; read x < {go}; done")));
    let [first, second] = [empty(), laborious(1)].map(|component| {
        let sandbox = slow.sandbox.clone();
        tokio::spawn(async move { sandbox.inspect(component.into()).await.unwrap_err() })
    });
    for expected in ["begun\n", "done\n", "begun\n", "done\n"] {
        assert_eq!(fifos.said().await, expected);
        fifos.go().await;
    }
    first.await.unwrap();
    second.await.unwrap();
}

#[tokio::test]
async fn a_compiler_that_nobody_waits_for_is_gone_before_the_next_one_begins() {
    let fifos = Fifos::new();
    let stuck = bench(script(&format!("echo $$ > {}; kill -STOP $$", fifos.path("said").display())));
    let inspect = |component: Vec<u8>| {
        let sandbox = stuck.sandbox.clone();
        tokio::spawn(async move { sandbox.inspect(component.into()).await.map(|_| ()) })
    };
    let first = inspect(empty());
    let process = fifos.said().await;
    assert!(is_there(&process));
    first.abort();
    let second = inspect(empty());
    fifos.said().await;
    assert!(!is_there(&process), "{process} is still there");
    second.abort();
}

#[tokio::test]
async fn what_is_in_the_cache_waits_for_no_compiler_and_needs_none() {
    let cache = tempfile::tempdir().unwrap();
    let component = guest("phase");
    Sandbox::new(options(cache.path())).unwrap().inspect(component.clone()).await.unwrap();

    let fifos = Fifos::new();
    let compiler = script(&format!("echo begun > {}; kill -STOP $$", fifos.path("said").display()));
    let sandbox = Sandbox::new(Options { compiler, ..options(cache.path()) }).unwrap();
    let busy = {
        let sandbox = sandbox.clone();
        tokio::spawn(async move { sandbox.inspect(empty().into()).await.map(|_| ()) })
    };
    fifos.said().await;
    sandbox.load(Digest::of(&component), component).await.unwrap();
    assert!(!busy.is_finished());
    busy.abort();
}

#[tokio::test]
async fn who_waits_for_the_same_component_gets_what_the_first_one_compiled() {
    let folder = tempfile::tempdir().unwrap();
    // Works once.
    let once = "[ -e $1/once ] && exit 9; : > $1/once; shift; exec \"$@\"";
    let mut compiler = script(once);
    let program = std::env::current_exe().unwrap();
    compiler.arguments.extend(["sh".into(), folder.path().into(), program.into()]);
    compiler.arguments.extend(real().arguments);
    let bench = bench(compiler);
    let component = guest("phase");
    let digest = Digest::of(&component);
    let loads = [(); 4].map(|()| bench.sandbox.load(digest, component.clone()));
    for loaded in futures::future::join_all(loads).await {
        loaded.unwrap();
    }
}

// What it has.

#[tokio::test]
async fn the_compiler_has_nothing_of_its_hosts() {
    // As a library might, that does not think of children.
    let leaked = tempfile::tempfile().unwrap();
    rustix::io::fcntl_setfd(&leaked, FdFlags::empty()).unwrap();
    says(
        test_child("compile::tests::a_child_that_tells_what_it_has"),
        empty(),
        expect![[
            r#"the component cannot be compiled: environment [], folder "/", open 0: socket, 1: /dev/null, 2: pipe"#
        ]],
    )
    .await;
}

#[test]
fn a_child_that_tells_what_it_has() {
    if is_child() {
        close_inherited().unwrap();
        let environment: Vec<(OsString, OsString)> = std::env::vars_os().collect();
        let folder = std::env::current_dir().unwrap();
        let open = descriptors();
        let line = line_to_host().unwrap();
        tell(line, &format!("environment {environment:?}, folder {folder:?}, open {open}"));
    }
}

/// But for that of the listing itself.
fn descriptors() -> String {
    let of_what = |path: &Path| std::fs::read_link(path).ok().filter(|to| !to.starts_with("/proc"));
    let mut open: Vec<String> = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let what = of_what(&path)?.display().to_string();
            let kind = what.split(':').next().unwrap().to_owned();
            Some(format!("{}: {kind}", path.file_name().unwrap().display()))
        })
        .collect();
    open.sort();
    open.join(", ")
}

#[tokio::test]
async fn the_compiler_is_confined_before_it_reads_a_component() {
    says(
        test_child("compile::tests::a_child_that_tells_what_it_may"),
        empty(),
        expect![[r#"
        the component cannot be compiled: core 0 to 0
        cpu 7 to 9
        memory 2147483648 to 2147483648
        address space 6442450944 to 6442450944
        files Too many open files (os error 24)
        new privileges false
        dumps NotDumpable
        when its host ends Some("Signal::KILL")"#]],
    )
    .await;
}

#[test]
fn a_child_that_tells_what_it_may() {
    use rustix::process::{Resource, dumpable_behavior, getrlimit, parent_process_death_signal};
    if is_child() {
        let line = line_to_host().unwrap();
        confine(Terms { memory_bytes: 2 << 30, cpu_seconds: 7, component_bytes: 0 }).unwrap();
        let limit = |resource| {
            let limit = getrlimit(resource);
            format!("{:?} to {:?}", limit.current.unwrap(), limit.maximum.unwrap())
        };
        let may = [
            format!("core {}", limit(Resource::Core)),
            format!("cpu {}", limit(Resource::Cpu)),
            format!("memory {}", limit(Resource::Data)),
            format!("address space {}", limit(Resource::As)),
            format!("files {}", std::fs::File::open("/dev/null").unwrap_err()),
            format!("new privileges {}", !rustix::thread::no_new_privs().unwrap()),
            format!("dumps {:?}", dumpable_behavior().unwrap()),
            format!("when its host ends {:?}", parent_process_death_signal().unwrap()),
        ];
        tell(line, &may.join("\n"));
    }
}

fn tell(mut line: UnixStream, what: &str) {
    line.write_all(&Said::Broken.head(what.len() as u64)).unwrap();
    line.write_all(what.as_bytes()).unwrap();
}

#[test]
fn what_a_component_is_refused_for_and_what_not() {
    let died = |raw: i32, words: &str| {
        let end = End { status: ExitStatus::from_raw(raw), last_words: words.to_owned() };
        verdict(Heard::CutOff, &end, CompileLimits::default()).map(|_| ()).unwrap_err().to_string()
    };
    assert!(died(24, "").contains("processor time"));
    assert!(died(6, "memory allocation of 64 bytes failed").contains("2048 MiB of memory"));
    assert!(died(11, "").contains("signal: 11"));
    assert!(died(101 << 8, "thread 'main' panicked").contains("panicked"));
}
