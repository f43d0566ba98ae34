//! The compiler's own process. It puts itself under its limits, reads one component, answers, and ends.
//!
//! It must never do anything else: what it says is loaded as code.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;

use rustix::process::Resource;
use wasmtime::Engine;

use super::frame::{MOST_WORDS_BYTES, Said, Terms};
use crate::child::{close_inherited, line, lower};
use crate::engine;

/// Each holds a function's worth of compiler state, and a stack: more would make the memory that is needed depend on
/// the machine.
const MOST_THREADS: usize = 4;
/// Address space beyond the memory limit: this program itself, and what allocators reserve for each thread and never
/// use. Without this second limit, memory that is shared by name only would not count.
const ADDRESS_SPACE_BYTES: u64 = 4 << 30;
/// Between the signal at the limit of CPU time and the one that cannot be ignored.
const LAST_CPU_SECONDS: u64 = 2;

/// All that a program does that was started by a [`super::ChildCommand`]. Standard input is the socket to the host.
///
/// To be called first of all, before anything else in this process owns a descriptor: it closes all but the first three.
pub fn compile_for_host() -> ExitCode {
    let served = close_inherited().and_then(|()| {
        let mut line = line()?;
        let mut terms = [0; Terms::BYTES];
        line.read_exact(&mut terms)?;
        serve(line, Terms::from_bytes(terms))
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the compiler cannot talk to its host: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(line: UnixStream, terms: Terms) -> io::Result<()> {
    let engine = match prepare(terms) {
        Ok(engine) => engine,
        Err(problem) => return answer(&line, Said::Unready, problem.as_bytes()),
    };
    let component = read_component(&line, terms.component_bytes)?;
    let line = Arc::new(line);
    end_with_host(line.clone())?;
    match engine.precompile_component(&component) {
        Ok(code) => answer(&line, Said::Code, &code),
        Err(error) => answer(&line, Said::Broken, cut(&format!("{error:#}")).as_bytes()),
    }
}

fn cut(words: &str) -> &str {
    &words[..words.floor_char_boundary(MOST_WORDS_BYTES as usize)]
}

/// Under its limits, with all it needs to compile.
fn prepare(terms: Terms) -> Result<Engine, String> {
    // Asks files, which can be opened no more under the limits.
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get().min(MOST_THREADS));
    confine(terms).map_err(|error| format!("it cannot limit itself: {error}"))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
    pool.map_err(|error| format!("it cannot start its threads: {error}"))?;
    let (engine, _) = engine::new(false, 0).map_err(|error| format!("its engine does not start: {error:#}"))?;
    Ok(engine)
}

/// Limits that hold from here on, before the first byte of a component is read.
pub fn confine(terms: Terms) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        crate::child::give_up_powers()?;
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    let Terms { memory_bytes, cpu_seconds, component_bytes: _ } = terms;
    lower(Resource::Core, 0, 0)?;
    lower(Resource::Cpu, cpu_seconds, cpu_seconds.saturating_add(LAST_CPU_SECONDS))?;
    // What is written to, and what is only reserved: the first is what memory costs.
    lower(Resource::Data, memory_bytes, memory_bytes)?;
    let address_space = memory_bytes.saturating_add(ADDRESS_SPACE_BYTES);
    lower(Resource::As, address_space, address_space)?;
    // Nothing is written to a file, and nothing more can be opened.
    lower(Resource::Fsize, 0, 0)?;
    lower(Resource::Nofile, 0, 0)
}

fn read_component(line: &UnixStream, bytes: u64) -> io::Result<Vec<u8>> {
    let mut component = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
    line.take(bytes).read_to_end(&mut component)?;
    if component.len() as u64 == bytes { Ok(component) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// The host says nothing more. When it closes its end, because it is gone or wants no answer any more, so are we; also
/// where no signal tells a process that its parent has died.
fn end_with_host(line: Arc<UnixStream>) -> io::Result<()> {
    std::thread::Builder::new().spawn(move || {
        let _ = line.as_ref().read(&mut [0]);
        std::process::abort()
    })?;
    Ok(())
}

fn answer(mut line: &UnixStream, said: Said, bytes: &[u8]) -> io::Result<()> {
    line.write_all(&said.head(bytes.len() as u64))?;
    line.write_all(bytes)
}
