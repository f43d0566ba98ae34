//! A backup of the host, as it is made.

use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lockgate_sandbox::CancellationToken;
use lockgate_store::Past;
use lockgate_store::backup::BackupError;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::Api;
use super::auth::Admin;
use super::problem::Problem;

const BYTES_PER_CHUNK: usize = 256 << 10;
/// Chunks that wait for the reader; then the backup waits with them.
const WAITING_CHUNKS: usize = 4;
/// For a reader who takes nothing.
const LONGEST_STALL: Duration = Duration::from_secs(60);

type Chunk = io::Result<Bytes>;

/// A backup: an archive (tar) of the journal, the artifacts and plugins, the encrypted secrets, and the logs, as they are
/// at this moment.
///
/// It is whole when its last entry is `end.json`; an answer that breaks off is none. `lockgate backup restore` makes a data
/// folder of it. What the host itself lacks is not in it: `GET /v1/storage` tells that, and the log when it begins.
#[utoipa::path(get, path = "/v1/backup", tag = "host",
    responses((status = 200, content_type = "application/x-tar", body = Vec<u8>)), security(("token" = ["admin"])))]
pub async fn create(method: Method, State(api): State<Api>, Admin(by): Admin) -> Result<Response, Problem> {
    if let Past::Damaged(damage) = api.host.store.past() {
        let detail = format!(
            "no backup can be made, for old events are not what was written; `lockgate storage` says what to do: {damage}"
        );
        return Err(Problem::new(StatusCode::CONFLICT, "journal-damaged", detail));
    }
    let Ok(place) = api.host.backups.clone().try_acquire_owned() else {
        let detail = "as many backups as may be made at a time are being made; try again when one of them is done";
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "backup-busy", detail.to_owned()));
    };
    let headers = [
        (header::CONTENT_TYPE, "application/x-tar"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"lockgate-backup.tar\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let (chunks, answered) = mpsc::channel::<Chunk>(WAITING_CHUNKS);
    let body = Body::from_stream(ReceiverStream::new(answered));
    // Whoever asks whether there would be one gets no bytes, so none is begun.
    if method == Method::HEAD {
        return Ok((headers, body).into_response());
    }
    let answer = Answer { chunks, stopping: api.stopping.clone(), runtime: Handle::current() };
    let missing = api.host.missing().await;
    tokio::task::spawn_blocking(move || {
        let _place = place;
        tracing::info!(by = %by.person, "a backup begins");
        if missing.count() > 0 {
            tracing::error!(by = %by.person, "this backup will not have all that is needed: {missing}");
        }
        let out = io::BufWriter::with_capacity(BYTES_PER_CHUNK, answer.clone());
        let error = match panic::catch_unwind(AssertUnwindSafe(|| api.host.store.back_up(out))) {
            Ok(Ok(contents)) => return tracing::info!(by = %by.person, ?contents, "a backup was made"),
            Ok(Err(BackupError::Io(error))) if error.kind() == io::ErrorKind::BrokenPipe => {
                return tracing::info!(by = %by.person, "whoever read a backup has left");
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it failed in a way that it should not, which is a bug".to_owned(),
        };
        tracing::error!(by = %by.person, %error, "a backup broke off");
        // An answer that ended by itself would look whole.
        answer.runtime.block_on(answer.give(Err(io::Error::other(error))));
    });
    Ok((headers, body).into_response())
}

/// Hands chunks to whoever reads the answer.
#[derive(Clone)]
struct Answer {
    chunks: mpsc::Sender<Chunk>,
    stopping: CancellationToken,
    runtime: Handle,
}

impl Answer {
    /// Whether it was taken.
    async fn give(&self, chunk: Chunk) -> bool {
        matches!(tokio::time::timeout(LONGEST_STALL, self.chunks.send(chunk)).await, Ok(Ok(())))
    }
}

impl Write for Answer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let given = async {
            tokio::select! {
                biased;
                () = self.stopping.cancelled() => Err(io::Error::other("the host is stopping")),
                given = self.give(Ok(Bytes::copy_from_slice(bytes))) => Ok(given),
            }
        };
        match self.runtime.block_on(given)? {
            true => Ok(bytes.len()),
            false => Err(io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads it any more")),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::blocking;

    fn answer() -> (Answer, mpsc::Receiver<Chunk>) {
        let (chunks, answered) = mpsc::channel(1);
        (Answer { chunks, stopping: CancellationToken::new(), runtime: Handle::current() }, answered)
    }

    #[tokio::test]
    async fn a_backup_ends_when_its_reader_has_left() {
        let (mut answer, answered) = answer();
        drop(answered);
        let error = blocking(move || answer.write(b"x")).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn a_backup_does_not_keep_a_host_that_stops_and_its_reader_hears_that_it_is_none() {
        let (answer, mut answered) = answer();
        let (mut writing, stopping) = (answer.clone(), answer.stopping.clone());
        let written = tokio::spawn(blocking(move || [writing.write(b"taken"), writing.write(b"waits")]));
        assert_eq!(answered.recv().await.unwrap().unwrap(), "taken");
        assert_eq!(answered.recv().await.unwrap().unwrap(), "waits");
        assert!(written.await.unwrap().iter().all(Result::is_ok));
        stopping.cancel();
        let mut writing = answer.clone();
        let error = blocking(move || writing.write(b"late")).await.unwrap_err();
        assert_eq!(error.to_string(), "the host is stopping");
        assert!(answer.give(Err(io::Error::other(error))).await);
        assert!(answered.recv().await.unwrap().is_err());
    }
}
