//! `lockgate serve`: the host.

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::cli::compiler;
use crate::cli::fail::CliError;
use crate::cli::look::Look;
use crate::cli::session::{Out, colours_on};
use crate::cli::signals::StopSignals;
use crate::config::ServeConfig;
use crate::driver::{Host, Keys, Settings};
use crate::http;
use lockgate_core::system::Duties;

pub async fn run(config: ServeConfig, out: &Out) -> Result<(), CliError> {
    log_to_standard_error(&config.log)?;
    if config.data.is_file() {
        let what = format!("{} is a file, and the data folder is a folder", config.data.display());
        return Err(CliError::usage(what, "name a folder with --data; it is made if it is not there"));
    }
    // First of all: a second host on the same port must not touch the data folder.
    let listener = TcpListener::bind(config.listen).await.map_err(|error| cannot_listen(config.listen, &error))?;
    let compiler = compiler::command().map_err(|error| cannot_run(&error))?;
    let duties = if config.separate_duties { Duties::Separate } else { Duties::Together };
    let tool_keeper = compiler::tool_keeper().map_err(|error| cannot_run(&error))?;
    let (data, concurrent_calls, keys) = (config.data.clone(), config.concurrent_calls, keys(&config)?);
    let retention = config.retention;
    let settings = Settings { data, concurrent_calls, retention, duties, keys, compiler, tool_keeper };
    let host = Host::open(settings).await.map_err(|error| cannot_run(&error))?;
    if http::needs_administrator(&host) {
        let path = make_first_token(&host, &config.data).await?;
        let said = |_: &Look, _: &Value| format!("the first token, for an administrator, is in {}", path.display());
        out.item(&json!({ "first_token": path }), said);
    }
    let address = listener.local_addr().map_err(|error| cannot_run(&error))?;
    let url = format!("http://{address}");
    // Whoever reads that the host listens may stop it at once, and properly.
    let stop = stop_signal()?;
    out.item(&json!({ "listening": url }), |_, _| format!("listening on {url}"));
    http::serve(host, listener, stop).await;
    let said = |_: &Look, _: &Value| "stopped; deployments that were under way go on with the next start".to_owned();
    out.item(&json!({ "stopped": true }), said);
    Ok(())
}

fn keys(config: &ServeConfig) -> Result<Keys, CliError> {
    let real = |path: &Path| path.canonicalize().ok();
    if let Some((file, data)) = config.secret_key_file.as_deref().and_then(real).zip(real(&config.data))
        && file.starts_with(data)
    {
        let what = format!("the secret key file {} lies in the data folder, with what it protects", file.display());
        return Err(CliError::usage(what, "keep it elsewhere, also in backups"));
    }
    let keys = match (&config.secret_key_file, &config.secret_key) {
        (Some(path), _) => Keys::of_file(path),
        (None, Some(text)) => Keys::of_text(&text.0),
        (None, None) => Ok(Keys::default()),
    };
    keys.map_err(|error| CliError::usage(error, "the host was not started"))
}

/// In a file, which is whole on the disk before its token counts. After a crash between the two the file lets nobody in,
/// and the next start writes another; a token that nobody could ever use there never is.
async fn make_first_token(host: &Host, data: &Path) -> Result<PathBuf, CliError> {
    let (secret, path) = (http::new_secret(), data.join("admin-token"));
    write_secret(&path, &secret).map_err(|error| CliError::Host {
        what: format!("cannot write the first token to {}: {error}", path.display()),
        hint: "make room or give this user the right to write there, then start again".to_owned(),
    })?;
    http::create_administrator(host, &secret).await.map_err(|error| cannot_run(&error))?;
    Ok(path)
}

fn log_to_standard_error(filter: &str) -> Result<(), CliError> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(|error| {
        CliError::usage(format!("--log `{filter}`: {error}"), "write it as `info` or `warn,lockgate=debug`")
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours_on(&std::io::stderr()));
    log.with_writer(std::io::stderr).init();
    Ok(())
}

fn cannot_run(error: &dyn std::error::Error) -> CliError {
    CliError::Host { what: error.to_string(), hint: String::new() }
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> CliError {
    let (what, hint) = match error.kind() {
        ErrorKind::AddrInUse => (
            format!("port {} is in use at {}", address.port(), address.ip()),
            format!(
                "a host may be running already, with this data folder or another: `curl http://{address}/health`; one folder serves one host, and another one needs its own --data and --listen {}:PORT",
                address.ip()
            ),
        ),
        ErrorKind::PermissionDenied => (
            format!("this user may not listen on port {}", address.port()),
            "ports below 1024 need a privilege; pick another one with --listen".to_owned(),
        ),
        ErrorKind::AddrNotAvailable => (
            format!("this machine does not have the address {}", address.ip()),
            "listen on 127.0.0.1, or on 0.0.0.0 for all addresses of this machine".to_owned(),
        ),
        _ => (format!("cannot listen on {address}: {error}"), String::new()),
    };
    CliError::Host { what, hint }
}

/// For its owner only, and never over another file: that could be open to others already.
fn write_secret(path: &Path, secret: &str) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Ends when the host is told to stop; the second time ends the process at once.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, CliError> {
    let mut signals = StopSignals::listen()?;
    Ok(async move {
        signals.next().await;
        tracing::info!("stopping; once more stops at once");
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(super::exit::HOST_FAILED.into());
        });
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::cli::look::testing::look;

    #[test]
    fn the_first_token_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("admin-token");
        std::fs::write(&path, "of an earlier host").unwrap();
        write_secret(&path, "lg_1").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "lg_1\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    async fn new_host(data: &Path) -> Host {
        Host::open(Settings::of_a_test(data, 1)).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_crash_left_of_the_first_token_is_written_again_and_then_lets_in() {
        let dir = tempfile::tempdir().unwrap();
        let host = new_host(dir.path()).await;
        std::fs::write(dir.path().join("admin-token"), "lg_that_never_counted").unwrap();
        let path = make_first_token(&host, dir.path()).await.unwrap();
        let secret = std::fs::read_to_string(path).unwrap();
        assert_eq!(host.system.view().tokens["admin"].secret_hash, http::hash(secret.trim()));
        assert!(!http::needs_administrator(&host), "the next start makes no other");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_token_counts_that_could_not_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let host = new_host(dir.path()).await;
        std::fs::create_dir(dir.path().join("admin-token")).unwrap();
        let error = make_first_token(&host, dir.path()).await.unwrap_err();
        assert!(error.shown(&look()).starts_with("error: cannot write the first token to "));
        assert!(http::needs_administrator(&host));
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_and_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = cannot_listen(address, &TcpListener::bind(address).await.unwrap_err());
        let shown = error.shown(&look());
        assert!(
            shown.starts_with(&format!("error: port {} is in use at 127.0.0.1\n hint: ", address.port())),
            "{shown}"
        );
        assert_eq!(error.exit_code(), 70);
    }
}
