use std::net::SocketAddr;
use std::path::PathBuf;
fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().collect();
    tracing_subscriber::fmt().with_ansi(false).init();
    if args[1] == "audit" { return std::process::ExitCode::SUCCESS; }
    let listen: SocketAddr = args[3].parse().unwrap();
    let data = PathBuf::from(&args[5]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let end = runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(|e| format!("{listen} cannot be listened to: address in use {e}"))?;
        let host = lockgate::driver::Host::open(lockgate::driver::Settings { data: data.clone(), concurrent_calls: 32 }).await.map_err(|e| e.to_string())?;
        if let Some(secret) = lockgate::http::ensure_admin(&host).await.map_err(|e| e.to_string())? {
            std::fs::write(data.join("admin-token"), secret).map_err(|e| e.to_string())?;
        }
        lockgate::http::serve(host, listener, std::future::pending()).await.map_err(|e| e.to_string())
    });
    match end { Ok(()) => std::process::ExitCode::SUCCESS, Err(e) => { eprintln!("{e}"); std::process::ExitCode::from(70) } }
}
