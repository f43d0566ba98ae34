//! Hosts, people, projects and the world around them, in the words of the tests.

mod archive;
mod built;
mod desk;
mod fakes;
mod host;
mod nginx;
mod people;
mod place;
mod power;
mod project;
mod prometheus;
mod registry;
mod sigstore;
mod small_disk;
mod supplier;
mod workshop;

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub use archive::{archive, hostile_archive, link};
pub use built::{binary, component};
pub use desk::Desk;
pub use fakes::Web;
pub use host::{Host, Ran, files, free_address};
pub use nginx::Nginx;
pub use people::{Person, Refused, digest};
pub use place::{PLAIN, Place, Rules, of_release};
pub use power::Power;
pub use project::{Project, file, one_phase, pair_of};
pub use prometheus::Prometheus;
pub use registry::{Answer, Liar, Registry};
pub use sigstore::Sigstore;
pub use small_disk::SmallDisk;
pub use supplier::Supplier;
pub use workshop::Workshop;

/// How long anything may take that a test waits for; a loaded machine is slow, but not that slow.
const PATIENCE: Duration = Duration::from_secs(180);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
/// Where systems put servers; a path of people seldom has `sbin`.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/// Who may mount things, where the machine allows it to anybody.
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Says that a test cannot run on this machine, and why.
pub fn skipped<T>(why: &str) -> Option<T> {
    eprintln!("SKIPPED {}: {why}", std::thread::current().name().unwrap_or("a test"));
    None
}

/// A server that a test needs.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    found.or_else(|| skipped(&format!("no {name}")))
}

/// How often a test of chance does what it does, and where its dice begin. The only place that reads it.
pub fn chance(rounds: usize, seed: u64) -> (usize, fastrand::Rng) {
    let told = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let rounds = told("LOCKGATE_TEST_ROUNDS").map_or(rounds, |rounds| rounds as usize);
    let seed = told("LOCKGATE_TEST_SEED").unwrap_or(seed);
    println!("{rounds} rounds with the seed {seed}");
    (rounds, fastrand::Rng::with_seed(seed))
}

/// Looks again and again until there is something to see. The host is another process: it cannot be asked to tell.
pub fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited {} s for {what}", PATIENCE.as_secs());
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// The API's client is asynchronous; the tests are not.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| tokio::runtime::Runtime::new().unwrap()).block_on(future)
}
