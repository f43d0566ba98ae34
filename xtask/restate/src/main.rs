//! A deployment of five phases as Restate has it: a handler of five durable steps, each as trivial as the phase that the
//! bench gives Lockgate.

use std::env;
use std::net::SocketAddr;

use restate_sdk::prelude::*;

const PHASES: usize = 5;

struct Deployment;

#[restate_sdk::service]
impl Deployment {
    #[handler]
    async fn run(&self, context: Context<'_>, release: String) -> Result<String, HandlerError> {
        for phase in 1..=PHASES {
            context.run(async || Ok("done".to_owned())).name(format!("phase-{phase}")).await?;
        }
        Ok(release)
    }
}

/// The one argument is the address to listen on.
#[tokio::main]
async fn main() {
    let address = env::args().nth(1).and_then(|address| address.parse::<SocketAddr>().ok());
    let address = address.expect("usage: restate-deployment ADDRESS:PORT");
    HttpServer::new(Endpoint::builder().bind(Deployment).build()).listen_and_serve(address).await;
}
