//! Answers that come when a deployment has ended.

use std::time::Duration;

use lockgate_core::name::{Actor, DeploymentNumber};

use super::auth::is_refused;
use super::problem::Problem;
use super::{Api, Place};
use crate::driver::ProjectHandle;

const LONGEST_WAIT_SECONDS: u64 = 300;

/// `wait` of a query, with a place to wait at: asked for before anything is done. Who leaves it out waits for nothing.
pub fn in_query(api: &Api, seconds: Option<u64>) -> Result<Option<(Duration, Place)>, Problem> {
    match seconds.unwrap_or(0) {
        0 => Ok(None),
        seconds if seconds > LONGEST_WAIT_SECONDS => {
            let detail = format!("`wait` is {seconds}; it can be {LONGEST_WAIT_SECONDS} seconds at most");
            Err(Problem::invalid("invalid-query", detail))
        }
        seconds => Ok(Some((Duration::from_secs(seconds), api.keep_open()?))),
    }
}

/// Whether it ended in that time; a host that stops does not wait. An error: the caller has no right to hear it any more.
pub async fn for_end_of(
    (handle, number): (&ProjectHandle, DeploymentNumber),
    (longest, _place): (Duration, Place),
    (api, caller): (&Api, &Actor),
) -> Result<bool, Problem> {
    tokio::select! {
        () = handle.end_of(number) => Ok(true),
        () = tokio::time::sleep(longest) => Ok(false),
        () = api.stopping.cancelled() => Ok(false),
        refused = is_refused(caller, &api.host.system) => Err(refused),
    }
}
