//! Commands. (Only `serve` until the others arrive.)
pub mod exit;

use clap::Parser;

#[derive(Parser)]
enum Command {
    Serve(crate::config::ServeConfig),
}

pub fn main() -> std::process::ExitCode {
    let Command::Serve(config) = Command::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    tracing_subscriber::fmt().with_env_filter(config.log.clone()).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let served: anyhow::Result<()> = runtime.block_on(async {
        let host = crate::driver::Host::open(crate::driver::Settings { data: config.data.clone(), concurrent_calls: config.concurrent_calls }).await?;
        if let Some(secret) = crate::http::ensure_admin(&host).await? {
            std::fs::write(config.data.join("admin-token"), secret)?;
        }
        let listener = tokio::net::TcpListener::bind(config.listen).await?;
        println!("listening on http://{}", listener.local_addr()?);
        crate::http::serve(host, listener, async { let _ = tokio::signal::ctrl_c().await; }).await?;
        Ok(())
    });
    match served { Ok(()) => 0.into(), Err(error) => { eprintln!("{error:#}"); exit::HOST_FAILED.into() } }
}
