//! The HTTP API: what people, scripts and the command line do with a host.
//!
//! A handler checks what came in, sends a command or reads a view, and converts; it decides nothing. Every refusal
//! is a problem with a stable code, and every route is in the OpenAPI document, which is made from the handlers.

mod artifacts;
mod auth;
mod backup;
mod connections;
mod deployments;
mod endpoints;
mod events;
mod explain;
mod gates;
mod input;
mod kept;
mod logs;
mod openapi;
mod operate;
mod plugins;
mod problem;
mod projects;
mod releases;
mod resources;
mod secrets;
mod storage;
mod stream;
#[cfg(test)]
mod tests;
mod tokens;
mod trust;
mod views;
mod wait;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::FutureExt as _;
use lockgate_core::definition::listed;
use lockgate_core::name::Name;
use lockgate_sandbox::CancellationToken;
use lockgate_store::Places;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::driver::{Host, ProjectHandle};
use crate::wire;
use auth::Caller;
pub use auth::{create_administrator, hash, needs_administrator, new_secret};
use connections::{LIMITS, Limits};
use problem::Problem;

/// Requests that are being answered when the host stops may take this long.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Of an answer that is kept open.
type Place = OwnedSemaphorePermit;

/// Answers requests until `shutdown` is done and the open ones have ended.
pub async fn serve(host: Host, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    serve_within(LIMITS, host, listener, shutdown).await;
}

async fn serve_within(limits: Limits, host: Host, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let stopping = CancellationToken::new();
    let router = build(host, stopping.clone(), limits.kept_open());
    let answer = connections::answer_all(listener, router, limits, stopping.clone());
    let stop = async {
        shutdown.await;
        stopping.cancel();
        tokio::time::sleep(STOP_GRACE).await;
    };
    tokio::select! {
        () = answer => {}
        () = stop => {}
    }
}

pub fn router(host: Host) -> Router {
    build(host, CancellationToken::new(), LIMITS.kept_open())
}

#[derive(Clone)]
struct Api {
    host: Host,
    /// Streams end when the host stops, instead of holding it up.
    stopping: CancellationToken,
    looking_ahead: Places,
    kept_open: Arc<Semaphore>,
    document: Arc<str>,
}

fn build(host: Host, stopping: CancellationToken, kept_open: usize) -> Router {
    let (open, locked, document) = routes();
    let looking_ahead = Places::new("looking ahead", explain::AT_ONCE).expect("threads come later");
    let kept_open = Arc::new(Semaphore::new(kept_open));
    let api = Api { host, stopping, looking_ahead, kept_open, document: openapi::text(&document).into() };
    let routes = locked
        .layer(from_fn_with_state(api.clone(), auth::authenticate))
        .merge(open)
        .fallback(no_such_route)
        .method_not_allowed_fallback(wrong_method);
    guarded(routes).with_state(api)
}

/// What holds for whatever is asked.
fn guarded<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .layer(DefaultBodyLimit::max(input::BODY_BYTES))
        .layer(from_fn(input::bounded))
        .layer(from_fn(unbroken))
        .layer(from_fn(traced))
}

/// The routes for everyone, those that need a token, and the document of both.
fn routes() -> (Router<Api>, Router<Api>, utoipa::openapi::OpenApi) {
    let open = OpenApiRouter::new().routes(routes!(health));
    let locked = OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(document))
        .routes(routes!(whoami))
        .routes(routes!(storage::show))
        .routes(routes!(projects::list))
        .routes(routes!(projects::show, projects::put))
        .routes(routes!(projects::environments))
        .routes(routes!(projects::environment))
        .routes(routes!(resources::list))
        .routes(routes!(resources::applications))
        .routes(routes!(kept::list))
        .routes(routes!(kept::clear))
        .routes(routes!(releases::list, releases::create))
        .routes(routes!(releases::show))
        .routes(routes!(releases::edit))
        .routes(routes!(releases::start))
        .routes(routes!(releases::abandon))
        .routes(routes!(deployments::create))
        .routes(routes!(deployments::roll_back))
        .routes(routes!(deployments::list))
        .routes(routes!(deployments::show))
        .routes(routes!(deployments::approve))
        .routes(routes!(deployments::reject))
        .routes(routes!(deployments::cancel))
        .routes(routes!(deployments::retry))
        .routes(routes!(deployments::redeploy))
        .routes(routes!(explain::explain))
        .routes(routes!(gates::backtest))
        .routes(routes!(endpoints::call))
        .merge(operations())
        .routes(routes!(events::list))
        .routes(routes!(events::stream))
        .routes(routes!(logs::list))
        .routes(routes!(logs::stream))
        .routes(routes!(artifacts::upload))
        .routes(routes!(artifacts::download))
        .merge(plugin_routes())
        .routes(routes!(backup::create))
        .routes(routes!(secrets::list))
        .routes(routes!(secrets::set, secrets::remove))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::revoke));
    let (open, of_open) = open.split_for_parts();
    let (locked, mut document) = locked.split_for_parts();
    document.merge(of_open);
    openapi::complete(&mut document);
    (open, locked, document)
}

fn operations() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(operate::pause_project))
        .routes(routes!(operate::resume_project))
        .routes(routes!(operate::pause))
        .routes(routes!(operate::resume))
        .routes(routes!(operate::pause_schedule))
        .routes(routes!(operate::resume_schedule))
        .routes(routes!(operate::promote))
        .routes(routes!(operate::release_hold))
        .routes(routes!(operate::expire))
        .routes(routes!(operate::break_glass))
        .routes(routes!(operate::review))
        .routes(routes!(operate::ignore_gate))
}

fn plugin_routes() -> OpenApiRouter<Api> {
    let larger = DefaultBodyLimit::max(input::PLUGIN_BYTES);
    OpenApiRouter::new()
        .routes(routes!(plugins::list))
        .merge(OpenApiRouter::new().routes(routes!(plugins::add)).layer(larger))
        .routes(routes!(plugins::show))
        .routes(routes!(plugins::approve))
        .routes(routes!(plugins::narrow))
        .routes(routes!(plugins::widen))
        .routes(routes!(plugins::retire))
        .routes(routes!(plugins::remove))
        .routes(routes!(trust::signers, trust::trust))
        .routes(routes!(trust::distrust))
        .routes(routes!(trust::rules, trust::require))
        .routes(routes!(trust::require_no_more))
}

impl Api {
    /// A place for an answer that stays open.
    fn keep_open(&self) -> Result<Place, Problem> {
        self.kept_open.clone().try_acquire_owned().map_err(|_| {
            let detail = "as many answers wait or stream as this host takes: try again in a moment, or ask without waiting (CLI: without --wait)";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-wait", detail)
        })
    }

    fn project(&self, name: &Name) -> Result<ProjectHandle, Problem> {
        self.host.project(name).ok_or_else(|| {
            let known = listed(self.host.project_names());
            Problem::unknown("unknown-project", format!("there is no project `{name}`; there are: {known}"))
        })
    }
}

/// Says that the host answers. Needs no token.
#[utoipa::path(get, path = "/health", tag = "host", responses((status = 200, body = wire::Health)), security(()))]
async fn health() -> Json<wire::Health> {
    Json(wire::Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// This API as an OpenAPI document.
#[utoipa::path(get, path = "/openapi.json", tag = "host", responses((status = 200, body = Object)), security(("token" = ["viewer"])))]
async fn document(State(api): State<Api>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], api.document.to_string()).into_response()
}

/// The person and role behind the token.
#[utoipa::path(get, path = "/v1/whoami", tag = "host", responses((status = 200, body = wire::Me)), security(("token" = ["viewer"])))]
async fn whoami(caller: Caller) -> Json<wire::Me> {
    Json(wire::Me {
        person: caller.actor.person,
        groups: caller.actor.groups.into_iter().collect(),
        role: auth::role_word(caller.role).to_owned(),
        token: caller.actor.via,
    })
}

async fn no_such_route(request: Request) -> Problem {
    let detail = format!("there is nothing at {}; GET /openapi.json lists what there is", request.uri().path());
    Problem::unknown("no-such-route", detail)
}

async fn wrong_method(request: Request) -> Problem {
    let detail = format!("{} cannot be used with {}", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}

/// A panic is a mistake of ours, or of a crate that reads what strangers send: whoever asked hears so, instead of a
/// connection that ends, and the thread's own report is in the log.
async fn unbroken(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        let what = format!("{method} {path} met a mistake in Lockgate itself; the host's log has more");
        Problem::ours("internal", what).into_response()
    })
}

/// The query is left out: it may hold what a person typed.
async fn traced(request: Request, next: Next) -> Response {
    let (method, path, started) = (request.method().clone(), request.uri().path().to_owned(), Instant::now());
    let response = next.run(request).await;
    let (status, elapsed_ms) = (response.status().as_u16(), started.elapsed().as_millis());
    tracing::debug!(%method, path, status, elapsed_ms, "request");
    response
}
