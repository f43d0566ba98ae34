//! Artifacts: bytes by their digest, streamed to and from the store.

use std::io::{self, Read};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use lockgate_core::digest::Digest;
use lockgate_store::{BlobReader, Blobs};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::auth::Member;
use super::input::{ARTIFACT_BYTES, Asked, At};
use super::problem::Problem;
use crate::driver::blocking;
use crate::wire;

/// Taken to the disk at a time.
const BYTES_PER_WRITE: usize = 1 << 20;
const BYTES_PER_READ: usize = 64 << 10;
/// An upload from which nothing comes is over.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UploadQuery {
    /// `sha256:` and 64 hex digits. When given, other bytes are refused and leave nothing behind.
    #[param(value_type = Option<String>)]
    digest: Option<Digest>,
}

/// Uploads the content of an artifact. It is on disk when this answers.
#[utoipa::path(put, path = "/v1/artifacts", tag = "artifacts", params(UploadQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "Stored", body = wire::UploadedArtifact)), security(("token" = ["member"])))]
pub async fn upload(
    State(api): State<Api>,
    _uploader: Member,
    Asked(query): Asked<UploadQuery>,
    request: Request,
) -> Result<(StatusCode, Json<wire::UploadedArtifact>), Problem> {
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > ARTIFACT_BYTES) {
        return Err(Problem::too_large(ARTIFACT_BYTES));
    }
    let chunks = request.into_body().into_data_stream();
    let (digest, size_bytes) = store(api.host.store.blobs().clone(), chunks, query.digest).await?;
    Ok((StatusCode::CREATED, Json(wire::UploadedArtifact { digest: digest.to_string(), size_bytes })))
}

/// An upload that breaks off drops its writer, which leaves nothing behind.
async fn store(
    blobs: Blobs,
    mut chunks: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin,
    expected: Option<Digest>,
) -> Result<(Digest, u64), Problem> {
    let mut writer = blocking(move || blobs.writer(ARTIFACT_BYTES)).await?;
    let mut size_bytes = 0;
    loop {
        let gathered = gather(&mut chunks).await?;
        if gathered.is_empty() {
            break;
        }
        size_bytes += gathered.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        writer = blocking(move || gathered.iter().try_for_each(|chunk| writer.write(chunk)).map(|()| writer)).await?;
    }
    let digest = blocking(move || writer.finish(expected)).await?;
    Ok((digest, size_bytes))
}

/// Enough for one write; nothing at the end.
async fn gather(chunks: &mut (impl Stream<Item = Result<Bytes, axum::Error>> + Unpin)) -> Result<Vec<Bytes>, Problem> {
    let mut gathered: Vec<Bytes> = Vec::new();
    while gathered.iter().map(Bytes::len).sum::<usize>() < BYTES_PER_WRITE {
        let Ok(next) = tokio::time::timeout(IDLE_TIMEOUT, chunks.next()).await else {
            let detail = format!("nothing came for {} s; upload it again", IDLE_TIMEOUT.as_secs());
            return Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", detail));
        };
        match next {
            Some(Ok(chunk)) => gathered.push(chunk),
            Some(Err(error)) => {
                let detail = format!("the upload broke off: {error}; upload it again");
                return Err(Problem::new(StatusCode::BAD_REQUEST, "unreadable-body", detail));
            }
            None => break,
        }
    }
    Ok(gathered)
}

/// The content of an artifact; HEAD tells whether it is here, and its size.
#[utoipa::path(method(get, head), path = "/v1/artifacts/{digest}", tag = "artifacts", params(("digest" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)), security(("token" = ["viewer"])))]
pub async fn download(State(api): State<Api>, At(digest): At<Digest>) -> Result<Response, Problem> {
    let blobs = api.host.store.blobs().clone();
    let (blob, size_bytes) = blocking(move || blobs.open_blob(digest)).await?;
    let download = Download { blob, held: Vec::new() };
    let body = Body::from_stream(futures::stream::try_unfold(download, |download| blocking(move || download.next())));
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, size_bytes.to_string()),
        // It is somebody's bytes: no browser may take them for a page of ours.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
    ];
    Ok((headers, body).into_response())
}

/// One chunk is held back until what follows was read: the answer for a damaged blob breaks off before it is whole.
struct Download {
    blob: BlobReader,
    held: Vec<u8>,
}

impl Download {
    fn next(mut self) -> io::Result<Option<(Vec<u8>, Self)>> {
        loop {
            let mut chunk = vec![0; BYTES_PER_READ];
            let bytes = self.blob.read(&mut chunk)?;
            chunk.truncate(bytes);
            let ready = std::mem::replace(&mut self.held, chunk);
            if !ready.is_empty() {
                return Ok(Some((ready, self)));
            }
            if self.held.is_empty() {
                return Ok(None);
            }
        }
    }
}
