//! What one call can see of the host: the imports of every world, WASI and wasi:http.
//!
//! A thing that was not granted answers a typed failure and leaves a denial; it never traps.

use std::collections::BTreeSet;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, uri::Scheme};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use lockgate_core::digest::Digest;
use lockgate_core::name::Name;
use lockgate_core::plugin::{Access, Failure, FolderGrant, Grants, Retry};
use tokio_util::sync::CancellationToken;
use wasmtime::component::{HasSelf, Linker, Resource, ResourceTable};
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as WasiHttpError, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView,
    WasiHttpHooks, WasiHttpView,
};

use crate::bindings::plugin::{
    artifacts, artifacts_write, control, http as guest_http, log, progress, secrets, state, types,
};
use crate::bindings::secrets_reveal;
use crate::call::{ArtifactWriter, CallError, CallHost, LogLine};
use crate::convert;
use crate::egress::{Chunk, Egress, EgressError, Outside, Request, ResponseBody, Timeout, is_forbidden_header};
use crate::limits::MemoryLimiter;
use crate::output::{Output, Stream};
use crate::rehearsal::{self, CallClock, Rehearsal};
use crate::secrets::{Purse, Secret};
use crate::tools::Tools;

/// Resources a call may hold at the same time, in the host's table and in the guest's.
/// An open file or connection is one, and the host has only so many.
pub const HANDLES: usize = 128;
const RANDOM_BYTES: u64 = 1 << 20;
const ARTIFACT_CHUNK_BYTES: u32 = 1 << 20;
/// Values that one call keeps: the journal has each of them for ever.
const PUTS: u32 = 32;
/// Of one set of headers in `wasi:http`.
const FIELDS_BYTES: usize = 16 << 10;

/// The data of one call's store.
pub struct Context {
    pub limiter: MemoryLimiter,
    host: Arc<dyn CallHost>,
    output: Output,
    clock: CallClock,
    cancelled: CancellationToken,
    /// Granted names; the guest has what it asked for in its purse.
    secrets: BTreeSet<Name>,
    reveal: BTreeSet<Name>,
    may_keep: bool,
    puts: u32,
    purse: Purse,
    is_rehearsed: bool,
    egress: Egress,
    tools: Tools,
    table: ResourceTable,
    wasi: WasiCtx,
    wasi_http: WasiHttpCtx,
    hooks: Hooks,
}

/// What a context is made of.
pub struct Surroundings<'a> {
    pub grants: &'a Grants,
    pub folders: WasiCtx,
    pub host: Arc<dyn CallHost>,
    pub output: Output,
    pub clock: CallClock,
    pub cancelled: CancellationToken,
    pub purse: Purse,
    pub outside: Outside,
    pub tools: Tools,
}

impl Context {
    pub fn new(around: Surroundings<'_>) -> Self {
        let Surroundings { grants, folders, host, output, clock, cancelled, purse, outside, tools } = around;
        let (origins, body_bytes) = (grants.http.clone(), grants.limits.http_body_bytes);
        let is_rehearsed = outside.is_staged();
        let egress = Egress::new(origins, body_bytes, clock.clone(), output.clone(), purse.clone(), outside);
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES);
        let mut wasi_http = WasiHttpCtx::new();
        wasi_http.set_field_size_limit(FIELDS_BYTES);
        Self {
            limiter: MemoryLimiter::new(grants.limits.memory_bytes),
            wasi: folders,
            wasi_http,
            hooks: Hooks { egress: egress.clone() },
            host,
            output,
            clock,
            cancelled,
            secrets: grants.secrets.clone(),
            reveal: grants.reveal.clone(),
            may_keep: grants.state.is_some(),
            puts: 0,
            purse,
            is_rehearsed,
            egress,
            tools,
            table,
        }
    }

    pub fn output(&self) -> &Output {
        &self.output
    }

    /// One that is granted; a name that no secret can have is in no grant.
    async fn secret(
        &mut self,
        name: String,
        granted: fn(&Self) -> &BTreeSet<Name>,
        flag: &str,
    ) -> wasmtime::Result<Result<Secret, types::Failure>> {
        let what = format!("secret `{name}`");
        if !granted(self).iter().any(|granted| granted.as_str() == name) {
            self.output.denied(&what);
            let message =
                format!("{what} is not granted; where the plugin asks for it, an operator can: `{flag} {name}`");
            return Ok(Err(failure("denied", message, Retry::Never)));
        }
        let host = self.host.clone();
        let secret = blocking(move || host.secret(&name)).await?;
        Ok(self.note_denial(&what, secret))
    }

    fn may_keep(&self) -> Result<(), types::Failure> {
        if self.may_keep {
            return Ok(());
        }
        self.output.denied("state");
        let message = "state is not granted; where the plugin asks for it, an operator can: `--state`".to_owned();
        Err(failure("denied", message, Retry::Never))
    }

    pub fn tools(&self) -> &Tools {
        &self.tools
    }

    pub fn is_told_to_stop(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    /// For so long by the call's clock, or until the guest is told to stop.
    pub async fn pause(&mut self, time: Duration) {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => {}
            () = self.clock.wait(time) => {}
        }
    }
}

/// No network, no environment, no arguments; clocks and randomness are real, but in a rehearsal. Where there are folders
/// it asks the disk: then not for guests' threads.
pub fn wasi(
    grants: &Grants,
    workspace: Option<&Path>,
    output: &Output,
    rehearsal: Option<&Rehearsal>,
) -> Result<WasiCtx, CallError> {
    let mut wasi = WasiCtx::builder();
    wasi.stdout(output.capture(Stream::Stdout)).stderr(output.capture(Stream::Stderr)).max_random_size(RANDOM_BYTES);
    if let Some(rehearsal) = rehearsal {
        rehearsal::put_in(&mut wasi, rehearsal);
    }
    for folder in folders(grants, workspace)? {
        wasi.preopened_dir(&folder.path, &folder.seen_as, permissions(folder.access)).map_err(|error| {
            CallError::Sandbox(format!("the granted folder {} cannot be opened: {error}", folder.path.display()))
        })?;
    }
    Ok(wasi.build())
}

struct Folder {
    path: PathBuf,
    seen_as: String,
    access: Access,
}

fn folders(grants: &Grants, workspace: Option<&Path>) -> Result<Vec<Folder>, CallError> {
    let workspace = workspace.zip(grants.workspace).map(|(path, access)| {
        let (path, seen_as) = (path.to_owned(), "/workspace".to_owned());
        Ok(Folder { path, seen_as, access })
    });
    workspace.into_iter().chain(grants.folders.iter().map(|(name, grant)| granted_folder(name, grant))).collect()
}

/// The path is as it was when it was granted, all links followed. Where a link stands in it now, somebody else has
/// decided where it leads.
fn granted_folder(name: &str, grant: &FolderGrant) -> Result<Folder, CallError> {
    let path = PathBuf::from(&grant.path);
    let real = path.canonicalize().map_err(|error| {
        CallError::Sandbox(format!("the granted folder {} cannot be opened: {error}", path.display()))
    })?;
    if real != path {
        return Err(CallError::MovedFolder { name: name.to_owned(), granted: path, real });
    }
    Ok(Folder { path, seen_as: format!("/folders/{name}"), access: grant.access })
}

fn permissions(access: Access) -> FsPerms {
    match access {
        Access::Read => FsPerms::ReadOnly,
        Access::ReadWrite => FsPerms::ReadWrite,
    }
}

/// All that a component of any kind may import beside its own world.
pub fn add_to_every_world(linker: &mut Linker<Context>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(linker)?;
    crate::sockets::add_to_linker(linker)?;
    secrets_reveal::add_to_linker::<_, HasSelf<Context>>(linker, |context| context)
}

impl WasiView for Context {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Context {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.wasi_http }
    }
}

struct Hooks {
    egress: Egress,
}

type Io = Box<dyn Future<Output = Result<(), WasiHttpError>> + Send>;

impl WasiHttpHooks for Hooks {
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(is_forbidden_header)
    }

    /// The client sets it from the URL, which was checked.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn default_scheme(&mut self) -> Option<Scheme> {
        Some(Scheme::HTTPS)
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _done: Io,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), WasiHttpError>> + Send> {
        let egress = self.egress.clone();
        Box::new(async move {
            let (head, body) = request.into_parts();
            let request = Request {
                method: head.method,
                url: head.uri.to_string(),
                headers: head.headers,
                body: streamed(body),
                body_bytes: None,
                timeout: options.and_then(|options| options.first_byte_timeout).map_or(Timeout::None, Timeout::Head),
            };
            let response = egress.send(request).await.map_err(wasi_error)?;
            let mut answer = http::Response::new(chunks(response.body));
            *answer.status_mut() = response.status;
            *answer.headers_mut() = response.headers;
            let done: Io = Box::new(std::future::ready(Ok(())));
            Ok((answer, done))
        })
    }
}

/// What the guest still writes. Trailers are left out: they could smuggle in what headers may not say.
fn streamed(body: WasiBody) -> reqwest::Body {
    if body.is_end_stream() {
        return reqwest::Body::default();
    }
    let mut body = Box::pin(body);
    reqwest::Body::wrap_stream(futures::stream::poll_fn(move |context| {
        loop {
            let frame = match body.as_mut().poll_frame(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(std::io::Error::other(error.to_string()))));
                }
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            if let Ok(data) = frame.into_data() {
                return Poll::Ready(Some(Ok(data)));
            }
        }
    }))
}

fn chunks(body: ResponseBody) -> WasiBody {
    let stream = futures::stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        match body.chunk().await {
            Ok(Chunk::Data(data)) => Some((Ok(Frame::data(data)), Some(body))),
            Ok(Chunk::End) => None,
            Ok(Chunk::OverLimit { limit_bytes }) => {
                Some((Err(WasiHttpError::HttpResponseBodySize(Some(limit_bytes))), None))
            }
            Err(error) => Some((Err(wasi_error(error)), None)),
        }
    });
    StreamBody::new(stream).boxed_unsync()
}

fn wasi_error(error: EgressError) -> WasiHttpError {
    match error {
        EgressError::NotGranted { .. }
        | EgressError::MethodNotGranted { .. }
        | EgressError::SecretAstray { .. }
        | EgressError::SecretInHeader { .. } => WasiHttpError::HttpRequestDenied,
        EgressError::NotPublic { .. } => WasiHttpError::DestinationIpProhibited,
        EgressError::Invalid(problem) => WasiHttpError::InternalError(Some(problem)),
        EgressError::TimedOut { .. } => WasiHttpError::HttpResponseTimeout,
        EgressError::Unreachable { .. } => WasiHttpError::DestinationUnavailable,
        EgressError::Broken { problem, .. } => WasiHttpError::InternalError(Some(problem)),
    }
}

fn failure(code: &str, message: String, retry: Retry) -> types::Failure {
    convert::failure_to_guest(Failure {
        code: code.to_owned(),
        message,
        retry,
        retry_after_ms: 0,
        details: serde_json::Value::Null,
    })
}

impl types::Host for Context {}

impl log::Host for Context {
    async fn emit(&mut self, level: log::Level, message: String, fields: Vec<log::Field>) -> wasmtime::Result<()> {
        let fields = fields.into_iter().map(|field| (field.key, field.value)).collect();
        self.output.line(LogLine { level: convert::level(level), message, fields });
        Ok(())
    }
}

impl progress::Host for Context {
    async fn report(&mut self, percent: u32, message: String) -> wasmtime::Result<()> {
        self.output.progress(percent, &message);
        Ok(())
    }
}

impl control::Host for Context {
    async fn is_cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.is_told_to_stop())
    }

    async fn remaining_ms(&mut self) -> wasmtime::Result<u32> {
        Ok(self.clock.remaining().as_millis().try_into().unwrap_or(u32::MAX))
    }

    async fn wait(&mut self, milliseconds: u32) -> wasmtime::Result<bool> {
        self.pause(Duration::from_millis(milliseconds.into())).await;
        Ok(self.is_told_to_stop())
    }
}

impl secrets::Host for Context {
    async fn token(&mut self, name: String) -> wasmtime::Result<Result<String, types::Failure>> {
        let secret = match self.secret(name, |context| &context.secrets, "--secret").await? {
            Ok(secret) => secret,
            Err(failure) => return Ok(Err(failure)),
        };
        // A recorded request says which secret it had; in earnest nobody can guess one that was not given out.
        let placeholder = match self.is_rehearsed {
            // The end is one that no name has: none is the beginning of another.
            true => format!("lg-secret-{}.", secret.name),
            false => placeholder()?,
        };
        Ok(Ok(self.purse.take(secret, placeholder)))
    }
}

impl secrets_reveal::Host for Context {
    async fn reveal(&mut self, name: String) -> wasmtime::Result<Result<Vec<u8>, types::Failure>> {
        let secret = match self.secret(name, |context| &context.reveal, "--reveal-secret").await? {
            Ok(secret) => secret,
            Err(failure) => return Ok(Err(failure)),
        };
        // Before the guest has it: nothing that it says from now on shows it.
        if self.purse.reveal(&secret) {
            self.host.revealed(&secret.name);
        }
        Ok(Ok(secret.value.bytes().to_vec()))
    }
}

/// 128 random bits, in letters that stand in a header.
fn placeholder() -> wasmtime::Result<String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
    Ok(format!("lg-secret-{}", hex::encode(random)))
}

impl state::Host for Context {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Vec<state::Entry>, types::Failure>> {
        if let Err(failure) = self.may_keep() {
            return Ok(Err(failure));
        }
        let host = self.host.clone();
        let entry = blocking(move || host.state_get(&key)).await?;
        let list = |entry: Option<crate::call::StateEntry>| {
            entry.map(|entry| state::Entry { value: entry.value, version: entry.version }).into_iter().collect()
        };
        Ok(self.note_denial("state", entry).map(list))
    }

    async fn put(&mut self, key: String, value: Vec<u8>, expect: u32) -> wasmtime::Result<Result<u32, types::Failure>> {
        if let Err(failure) = self.may_keep() {
            return Ok(Err(failure));
        }
        // It would be on disk for ever, whoever removes the secret.
        let mask = self.purse.mask();
        if mask.is_in(&value) || mask.is_in(key.as_bytes()) {
            self.output.denied("keeping a revealed secret");
            let message = "a secret that was shown is not kept; keep its name instead".to_owned();
            return Ok(Err(failure("denied", message, Retry::Never)));
        }
        self.puts += 1;
        if self.puts > PUTS {
            let message = format!("one call keeps at most {PUTS} values, and each is on record for ever");
            return Ok(Err(failure("limit", message, Retry::Never)));
        }
        let host = self.host.clone();
        let version = blocking(move || host.state_put(&key, value, expect)).await?;
        Ok(self.note_denial("state", version))
    }
}

/// An artifact being read; `None` after an error.
pub struct Reader(Option<Box<dyn Read + Send>>);

/// An artifact being written; `None` after an error.
pub struct Writer(Option<Box<dyn ArtifactWriter>>);

impl artifacts::Host for Context {
    async fn open(&mut self, digest: String) -> wasmtime::Result<Result<Resource<Reader>, types::Failure>> {
        let digest: Digest = match digest.parse() {
            Ok(digest) => digest,
            Err(error) => return Ok(Err(failure("invalid-request", format!("{error}"), Retry::Never))),
        };
        let host = self.host.clone();
        let opened = blocking(move || host.open_artifact(&digest)).await?;
        match self.note_denial(&format!("artifact {digest}"), opened) {
            Ok(reader) => Ok(Ok(self.table.push(Reader(Some(reader)))?)),
            Err(failure) => Ok(Err(failure)),
        }
    }
}

impl artifacts::HostReader for Context {
    async fn read(&mut self, reader: Resource<Reader>, max: u32) -> wasmtime::Result<Result<Vec<u8>, types::Failure>> {
        let Some(mut open) = self.table.get_mut(&reader)?.0.take() else { return Ok(Err(spent())) };
        let wanted = max.clamp(1, ARTIFACT_CHUNK_BYTES);
        let (open, chunk) = blocking(move || {
            let mut chunk = Vec::new();
            let outcome = open.by_ref().take(wanted.into()).read_to_end(&mut chunk);
            (open, outcome.map(|_| chunk))
        })
        .await?;
        match chunk {
            Ok(chunk) => {
                self.table.get_mut(&reader)?.0 = Some(open);
                Ok(Ok(chunk))
            }
            Err(error) => Ok(Err(storage_failed("read", &error))),
        }
    }

    async fn drop(&mut self, reader: Resource<Reader>) -> wasmtime::Result<()> {
        self.table.delete(reader)?;
        Ok(())
    }
}

impl artifacts_write::Host for Context {
    async fn create(&mut self, name: String) -> wasmtime::Result<Result<Resource<Writer>, types::Failure>> {
        let host = self.host.clone();
        let what = format!("writing artifact `{name}`");
        let created = blocking(move || host.create_artifact(&name)).await?;
        match self.note_denial(&what, created) {
            Ok(writer) => Ok(Ok(self.table.push(Writer(Some(writer)))?)),
            Err(failure) => Ok(Err(failure)),
        }
    }
}

impl artifacts_write::HostWriter for Context {
    async fn write(
        &mut self,
        writer: Resource<Writer>,
        chunk: Vec<u8>,
    ) -> wasmtime::Result<Result<(), types::Failure>> {
        let Some(mut open) = self.table.get_mut(&writer)?.0.take() else { return Ok(Err(spent())) };
        let (open, outcome) = blocking(move || {
            let outcome = open.write_all(&chunk);
            (open, outcome)
        })
        .await?;
        match outcome {
            Ok(()) => {
                self.table.get_mut(&writer)?.0 = Some(open);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(storage_failed("written", &error))),
        }
    }

    async fn finish(&mut self, writer: Resource<Writer>) -> wasmtime::Result<Result<String, types::Failure>> {
        let Some(open) = self.table.get_mut(&writer)?.0.take() else { return Ok(Err(spent())) };
        let digest = blocking(move || open.finish()).await?;
        Ok(digest.map(|digest| digest.to_string()).map_err(convert::failure_to_guest))
    }

    async fn drop(&mut self, writer: Resource<Writer>) -> wasmtime::Result<()> {
        self.table.delete(writer)?;
        Ok(())
    }
}

impl Context {
    /// The host decided; where it denied, the audit log hears of it like of every other denial.
    pub fn note_denial<T>(&self, what: &str, outcome: Result<T, Failure>) -> Result<T, types::Failure> {
        outcome.map_err(|failure| {
            if failure.code == "denied" {
                self.output.denied(what);
            }
            convert::failure_to_guest(failure)
        })
    }
}

fn spent() -> types::Failure {
    failure("invalid-request", "this artifact is finished or failed before".to_owned(), Retry::Never)
}

fn storage_failed(verb: &str, error: &std::io::Error) -> types::Failure {
    if error.kind() == std::io::ErrorKind::InvalidData {
        return failure("damaged-artifact", error.to_string(), Retry::Never);
    }
    failure("storage", format!("the artifact could not be {verb}: {error}"), Retry::SameKey)
}

/// Work that may block, off the threads guests run on.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> wasmtime::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| wasmtime::Error::msg(error.to_string()))
}

impl guest_http::Host for Context {
    async fn send(
        &mut self,
        request: guest_http::Request,
    ) -> wasmtime::Result<Result<guest_http::Response, types::Failure>> {
        Ok(exchange(self.egress.clone(), request).await.map_err(http_failure))
    }
}

async fn exchange(egress: Egress, request: guest_http::Request) -> Result<guest_http::Response, EgressError> {
    let response = egress.send(outgoing(request)?).await?;
    let headers = response.headers.iter().map(|(name, value)| types::Field {
        key: name.to_string(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    });
    let (status, headers) = (response.status.as_u16().into(), headers.collect());
    let (body, truncated) = response.body.read().await?;
    Ok(guest_http::Response { status, headers, body, truncated })
}

fn outgoing(request: guest_http::Request) -> Result<Request, EgressError> {
    let invalid = |what: &str| EgressError::Invalid(format!("{what} cannot be sent"));
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| invalid("this method"))?;
    let mut headers = HeaderMap::new();
    for field in request.headers {
        let name = HeaderName::from_bytes(field.key.as_bytes()).map_err(|_| invalid("a header's name"))?;
        let value = HeaderValue::from_bytes(field.value.as_bytes())
            .map_err(|_| invalid(&format!("the value of header `{name}`")))?;
        headers.try_append(name, value).map_err(|_| invalid("so many headers"))?;
    }
    let timeout = match request.timeout_ms {
        0 => Timeout::None,
        milliseconds => Timeout::Whole(Duration::from_millis(milliseconds.into())),
    };
    let body_bytes = Some(request.body.len() as u64);
    Ok(Request { method, url: request.url, headers, body: request.body.into(), body_bytes, timeout })
}

fn http_failure(error: EgressError) -> types::Failure {
    let (code, retry) = match &error {
        EgressError::NotGranted { .. }
        | EgressError::MethodNotGranted { .. }
        | EgressError::SecretAstray { .. }
        | EgressError::SecretInHeader { .. }
        | EgressError::NotPublic { .. } => ("denied", Retry::Never),
        EgressError::Invalid(_) => ("invalid-request", Retry::Never),
        EgressError::TimedOut { .. } => ("timeout", Retry::SameKey),
        EgressError::Unreachable { .. } => ("unreachable", Retry::SameKey),
        EgressError::Broken { .. } => ("http", Retry::SameKey),
    };
    failure(code, error.to_string(), retry)
}
