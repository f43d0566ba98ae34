//! A real Prometheus, which looks every second at what a server of this machine says at `/metrics`.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{free_address, program, wait};

pub struct Prometheus {
    process: Child,
    pub url: String,
    folder: TempDir,
}

impl Prometheus {
    /// None where this machine has no Prometheus.
    pub fn watching(server: &str) -> Option<Self> {
        let program = program("prometheus")?;
        let (folder, address) = (TempDir::new().unwrap(), free_address());
        let target = server.trim_start_matches("http://");
        let configuration = format!(
            "global: {{ scrape_interval: 1s }}\n\
             scrape_configs: [{{ job_name: shop, static_configs: [{{ targets: [\"{target}\"] }}] }}]\n"
        );
        fs::write(folder.path().join("prometheus.yml"), configuration).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let mut process = Command::new(program)
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"])
            .arg(format!("--web.listen-address={address}"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        wait("Prometheus to listen", || {
            let said = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            assert_eq!(process.try_wait().unwrap(), None, "Prometheus ended: {}", said());
            TcpStream::connect(address).is_ok().then_some(())
        });
        Some(Self { process, url: format!("http://{address}"), folder })
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let said = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            eprintln!("---- Prometheus said ----\n{said}");
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
