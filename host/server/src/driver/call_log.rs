//! The log of a call: its lines, what each says of itself, and their way to the disk.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lockgate_core::deployment::{Deployment, DeploymentType};
use lockgate_core::name::{DeploymentNumber, Name};
use lockgate_core::plugin::CallContext;
use lockgate_core::state::Due;
use lockgate_core::work::Step;
use lockgate_store::{LogId, Store, StoreError};
use serde_json::json;
use tokio::sync::mpsc;

use crate::clock;

/// Log lines taken to the disk at a time.
const LINES_PER_WRITE: usize = 256;
/// How long lines wait for room on the disk, and how often they ask.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// The log of a phase; `plan`, `gates` and `undo` have logs of their own.
pub fn log_id(project: &Name, number: DeploymentNumber, attempt: u32, phase: &str) -> Result<LogId, StoreError> {
    LogId::new(project.as_str(), &number.to_string(), &attempt.to_string(), phase)
}

fn log_name(deployment: &Deployment, step: Step) -> String {
    match step {
        Step::Observe(_) | Step::Plan(_) | Step::Confirm(_) => "plan".to_owned(),
        Step::Run(index) | Step::Cancel(index) => deployment.phase(index).name.to_string(),
        Step::Undo(_) => "undo".to_owned(),
        Step::Gate { .. } => "gates".to_owned(),
    }
}

/// What every log line of a call says of itself.
#[derive(Clone)]
pub struct LogTag {
    pub project: String,
    pub number: DeploymentNumber,
    pub attempt: u32,
    pub log: String,
    pub phase: String,
    pub try_number: u32,
    pub deployment_type: &'static str,
}

impl LogTag {
    pub fn of(deployment: &Deployment, due: &Due, context: &CallContext) -> Self {
        Self {
            project: context.project.clone(),
            number: deployment.number,
            attempt: due.call.attempt,
            log: log_name(deployment, due.step),
            phase: context.name.clone(),
            try_number: deployment.work(due.step).map_or(1, |work| work.tries),
            deployment_type: deployment_kind(deployment.deployment_type),
        }
    }
}

/// What lines and records carry as `deploymentType` (F).
pub fn deployment_kind(deployment_type: DeploymentType) -> &'static str {
    match deployment_type {
        DeploymentType::Custom => "CUSTOM",
        DeploymentType::Rollback => "ROLLBACK",
        DeploymentType::Launch | DeploymentType::Full | DeploymentType::Selective | DeploymentType::Destroy => {
            "REGULAR"
        }
    }
}

/// Lines go to the disk in the order they come, while the guest runs on, by a future that is done when nobody has more to
/// say. They are few: a call's log is limited. None is written before it is `sure` that the call is made, or if it is not.
pub fn start<S>(store: &Store, tag: &LogTag, sure: S) -> (Lines, impl Future<Output = ()> + use<S>)
where
    S: Future<Output = bool>,
{
    let (sender, mut lines) = mpsc::unbounded_channel::<Vec<u8>>();
    let (store, tag) = (store.clone(), tag.clone());
    let log = tag.clone();
    let pump = async move {
        let Ok(project) = log.project.parse::<Name>() else { return };
        let Ok(id) = log_id(&project, log.number, log.attempt, &log.log) else { return };
        let mut batch = Vec::new();
        if lines.recv_many(&mut batch, LINES_PER_WRITE).await == 0 || !sure.await {
            return;
        }
        let mut lost = 0;
        while !batch.is_empty() {
            if lost > 0 {
                let said = format!("{lost} lines before this one were lost, for they could not be written");
                batch.insert(0, line(&log, "error", &said, BTreeMap::new()));
            }
            lost = match written(&store, &id, &batch).await {
                Ok(()) => 0,
                Err(error) => {
                    tracing::warn!(log = %id, %error, "log lines were lost");
                    lost + batch.len() - usize::from(lost > 0)
                }
            };
            batch.clear();
            lines.recv_many(&mut batch, LINES_PER_WRITE).await;
        }
    };
    (Lines { sender, tag }, pump)
}

/// A full disk is waited for, and with it whoever said these lines.
async fn written(store: &Store, id: &LogId, lines: &[Vec<u8>]) -> Result<(), StoreError> {
    let until = Instant::now() + PATIENCE;
    let mut is_told = false;
    loop {
        match store.logs().append(id, lines).await {
            Err(error) if error.is_want_of_room() && Instant::now() < until => {
                if !is_told {
                    tracing::warn!(log = %id, %error, "log lines wait for room on the disk");
                    is_told = true;
                }
                tokio::time::sleep(AGAIN_AFTER).await;
            }
            result => return result,
        }
    }
}

pub struct Lines {
    sender: mpsc::UnboundedSender<Vec<u8>>,
    pub tag: LogTag,
}

impl Lines {
    pub fn push(&self, level: &str, message: &str, fields: BTreeMap<&str, &str>) {
        // The pump outlives the call; should it be gone, so is the log.
        let _ = self.sender.send(line(&self.tag, level, message, fields));
    }
}

fn line(tag: &LogTag, level: &str, message: &str, fields: BTreeMap<&str, &str>) -> Vec<u8> {
    let fields: BTreeMap<&str, &str> = fields.into_iter().map(|(key, value)| (key, cut(value))).collect();
    let line = json!({
        "time": clock::rfc3339(clock::now()),
        "level": level,
        "phase": tag.phase,
        "attempt": tag.attempt,
        "try": tag.try_number,
        "deploymentType": tag.deployment_type,
        "message": cut(message),
        "fields": fields,
    });
    line.to_string().into_bytes()
}

/// The log takes lines of a megabyte, and escaping may make text six times as long.
const LONGEST_TEXT: usize = 64 << 10;

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_TEXT)]
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use lockgate_store::StoreOptions;

    use super::*;

    fn tag() -> LogTag {
        LogTag {
            project: "shop".to_owned(),
            number: 1,
            attempt: 1,
            log: "build".to_owned(),
            phase: "build".to_owned(),
            try_number: 1,
            deployment_type: "REGULAR",
        }
    }

    #[tokio::test]
    async fn lines_are_written_when_it_is_sure_that_the_call_is_made_and_else_never() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), StoreOptions::default()).unwrap().0;
        let tag = tag();
        let id = log_id(&"shop".parse().unwrap(), 1, 1, "build").unwrap();
        let written = || store.logs().read(&id, 0, 9).unwrap().lines.len();
        for (is_sure, expected) in [(false, 0), (true, 2)] {
            let (tell, told) = tokio::sync::oneshot::channel();
            let (lines, pump) = start(&store, &tag, async { told.await.unwrap() });
            let mut pump = std::pin::pin!(pump);
            lines.push("info", "one", BTreeMap::new());
            lines.push("info", "two", BTreeMap::new());
            assert!(pump.as_mut().now_or_never().is_none() && written() == 0);
            tell.send(is_sure).unwrap();
            drop(lines);
            pump.await;
            assert_eq!(written(), expected);
        }
        let (lines, pump) = start(&store, &tag, std::future::pending());
        drop(lines);
        pump.now_or_never().expect("who says nothing waits for nobody");
    }

    #[tokio::test]
    async fn what_was_lost_is_counted_in_the_log_as_soon_as_it_takes_lines_again() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path(), StoreOptions::default()).unwrap().0;
        let id = log_id(&"shop".parse().unwrap(), 1, 1, "build").unwrap();
        let in_the_way = data.path().join("logs").join("shop");
        std::fs::write(&in_the_way, "").unwrap();
        let (lines, pump) = start(&store, &tag(), async { true });
        let pump = tokio::spawn(pump);
        for number in 0..3 {
            lines.push("info", "lost", BTreeMap::new());
            // What is asked for behind it is answered behind it.
            tokio::task::yield_now().await;
            assert!(store.logs().append(&id, &[b"{}".to_vec()]).await.is_err(), "{number}");
        }
        std::fs::remove_file(&in_the_way).unwrap();
        lines.push("info", "kept", BTreeMap::new());
        drop(lines);
        pump.await.unwrap();
        let said = store.logs().read(&id, 0, 9).unwrap().lines;
        let said: Vec<String> = said.iter().map(|said| String::from_utf8_lossy(&said.line).into_owned()).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("3 lines before this one were lost") && said[1].contains("kept"), "{said:?}");
    }
}
