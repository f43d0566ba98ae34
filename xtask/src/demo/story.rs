//! What happens in the demo, in order. Every command is the real one; every `✓` is checked.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::pages::{V1, V2, Version};
use super::stage::{PATIENCE, PRODUCTION, Person, Stage};
use crate::http::{Connection, state};
use crate::json::{list, number, text};

struct People {
    admin: Person,
    /// Makes releases.
    ann: Person,
    /// An operator.
    ben: Person,
}

pub fn play(stage: &mut Stage, reached: &mut BTreeMap<String, Value>) -> Result<()> {
    let people = open_for_work(stage)?;
    admit_plugins(stage, &people)?;
    describe_the_project(stage, &people)?;
    release_v1(stage, &people)?;
    break_v2(stage, &people)?;
    go_back_through_a_crash(stage, &people)?;
    verify_the_audit_log(stage, &people)?;
    for deployment in 1..=3 {
        let shown = stage.deployment(&people.ann, deployment)?;
        let told = json!({
            "release": text(&shown, "/release"),
            "type": text(&shown, "/type"),
            "statuses": stage.statuses(&people.ann, deployment)?,
            "ended": state(&shown),
        });
        reached.insert(deployment.to_string(), told);
    }
    Ok(())
}

fn open_for_work(stage: &mut Stage) -> Result<People> {
    stage.screen.step("A host, and two people");
    stage.screen.say(&format!(
        "The host listens at {}; all it keeps is in {}.",
        stage.host.url(),
        stage.host.data.display()
    ));
    stage.screen.say(&format!("A web server shows the shop's site at http://{}/; nothing is there yet.", stage.site));
    stage.screen.say(
        "Ann makes releases. Ben is one of the operators. Below, a command has its person's token in LOCKGATE_TOKEN,",
    );
    stage.screen.say("the host in LOCKGATE_URL, and shop in LOCKGATE_PROJECT.");
    let admin = stage.admin()?;
    let ann = stage.hire(&admin, "ann", "developers")?;
    let ben = stage.hire(&admin, "ben", "operators")?;
    Ok(People { admin, ann, ben })
}

/// Digest and grants are approved together: what is not granted here cannot be done.
fn admit_plugins(stage: &mut Stage, people: &People) -> Result<()> {
    stage.screen.step("Plugins: WebAssembly components that may do what they are granted, and nothing else");
    let site = format!("shop={}", fs::canonicalize(stage.folder.join("site"))?.display());
    let (page, room) = (format!("http://{}", stage.site), format!("http://{}", stage.room_address));
    let grants = [
        ("static-site", "--folder", site),
        ("http-check", "--allow-private-http", page),
        ("http-request", "--allow-private-http", room),
    ];
    for (name, flag, grant) in grants {
        stage.must(&people.admin, &["plugin", "add", &format!("{}.wasm", name.replace('-', "_"))])?;
        stage.must(&people.admin, &["plugin", "approve", name, flag, &grant, "--yes"])?;
    }
    let plugins = people.admin.api.get("/v1/plugins")?;
    let active = list(&plugins, "/items").iter().filter(|plugin| text(plugin, "/status") == "active").count();
    stage.screen.check("three plugins are approved", active == 3, || plugins.to_string())
}

fn describe_the_project(stage: &mut Stage, people: &People) -> Result<()> {
    stage.screen.step("The project, in one file");
    let file = include_str!("lockgate.yaml")
        .replace("SITE_URL", &format!("http://{}", stage.site))
        .replace("ROOM_URL", &format!("http://{}", stage.room_address));
    fs::write(stage.folder.join("lockgate.yaml"), &file)?;
    stage.screen.output(&file);
    stage.must(&people.admin, &["apply", "-f", "lockgate.yaml"])?;
    Ok(())
}

fn release_v1(stage: &mut Stage, people: &People) -> Result<()> {
    stage.screen.step("Version 1: a release, triggered over HTTP");
    release(stage, people, "v1", &V1)?;
    let first = trigger(stage, people, "v1")?;
    let again = trigger(stage, people, "v1")?;
    stage.screen.check("a trigger that is repeated with its key is done once", (first, again) == (1, 1), || {
        format!("deployments {first} and {again}")
    })?;
    let pending = stage.wait(&people.ann, 1, |seen| text(seen, "/status") == "PENDING_APPROVAL")?;
    stage.must(&people.ann, &["deployment", "show", "1"])?;
    let creates = list(&pending, "/plan/changes").iter().filter(|change| text(change, "/action") == "create").count();
    stage.screen.check(
        "the plan is made before anyone is asked: three things will be created",
        creates == 3,
        || pending["plan"].to_string(),
    )?;

    stage.screen.step("Not your own: who made it may not approve it");
    let refused = stage.run(&people.ann, &["deployment", "approve", "1"])?;
    stage.screen.check("Ann is refused", !refused.succeeded, || refused.output.clone())?;
    approve(stage, people, 1, "the plan is what I expect")?;

    stage.screen.step("Phases run, the gate watches, and version 1 goes live");
    stage.must(&people.ann, &["deployment", "logs", "1", "--follow"])?;
    let done = stage.wait(&people.ann, 1, |seen| !text(seen, "/finished_at").is_empty())?;
    stage.screen.check("the deployment succeeded", text(&done, "/status") == "SUCCEEDED", || state(&done))?;
    live_and_current(stage, people, "v1", "v1")?;
    let page = stage.page()?;
    stage.screen.check("visitors get version 1", page == V1.page, || page.clone())
}

fn break_v2(stage: &mut Stage, people: &People) -> Result<()> {
    stage.screen.step("Version 2, and somebody edits the site by hand");
    release(stage, people, "v2", &V2)?;
    stage.must(&people.ann, &["deploy", "v2", "--environment", "production"])?;
    stage.wait(&people.ann, 2, |seen| text(seen, "/status") == "PENDING_APPROVAL")?;
    stage.screen.say("Ben has seen the plan. Before he answers, a hand reaches into the served folder:");
    stage.screen.command("somebody", "echo '<p>Sale!</p>' >> site/current/index.html");
    fs::write(stage.folder.join("site/current/index.html"), format!("{}<p>Sale!</p>\n", V1.page))?;
    approve(stage, people, 2, "go")?;
    let drifted = |seen: &Value| !list(seen, "/approval/difference").is_empty();
    let asked_again = stage.wait(&people.ann, 2, drifted)?;
    stage.must(&people.ben, &["deployment", "show", "2"])?;
    let names_the_file = asked_again["approval"]["difference"].to_string().contains("index.html");
    let is_pending =
        text(&asked_again, "/attempt_status") == "NotDeployed" && text(&asked_again, "/operation_status") == "Pending";
    stage.screen.check(
        "nothing was applied: the plan is not the one he approved, and the file is named",
        names_the_file && is_pending,
        || format!("{}: {}", state(&asked_again), asked_again["approval"]),
    )?;

    stage.screen.step("Approved as it is now, version 2 turns out to be broken");
    approve(stage, people, 2, "the sale can go")?;
    let failed = stage.wait(&people.ann, 2, |seen| !text(seen, "/finished_at").is_empty())?;
    stage.must(&people.ann, &["deployment", "show", "2"])?;
    stage.screen.check("the gate failed it", state(&failed) == "FAILED (Failed/GatesFailed)", || state(&failed))?;
    let page = stage.page()?;
    stage.screen.check("visitors get the broken page", page == V2.page, || page.clone())?;
    live_and_current(stage, people, "v1", "v2")
}

fn go_back_through_a_crash(stage: &mut Stage, people: &People) -> Result<()> {
    stage.screen.step("Back to version 1, and the host is killed on the way");
    let before = stage.room.requests();
    stage.room.hold(true);
    stage.must(&people.ann, &["rollback", "--environment", "production"])?;
    let asked = stage.room.request(before, PATIENCE)?;
    stage.screen.say("The site is switched back. The chat room has the message but has not answered yet. Now:");
    stage.screen.command("nobody", &format!("kill -9 {}", stage.host.process_id()));
    stage.host.kill()?;
    stage.room.hold(false);
    stage.screen.command("nobody", &format!("lockgate serve --listen {} --data data", stage.host.address));
    stage.host.start_again()?;
    let done = stage.wait(&people.ann, 3, |seen| !text(seen, "/finished_at").is_empty())?;
    stage.must(&people.ann, &["deployment", "show", "3"])?;
    stage.screen.check(
        "the rollback went on by itself and succeeded",
        text(&done, "/status") == "SUCCEEDED",
        || state(&done),
    )?;
    let repeated = stage.room.request(before + 1, PATIENCE)?;
    let once = !asked.key.is_empty() && asked.key == repeated.key && asked.body == repeated.body;
    stage.screen.check(
        "the unanswered call was repeated with the same key, so the room shows it once",
        once,
        || format!("keys `{}` and `{}`", asked.key, repeated.key),
    )?;
    let messages = stage.room.messages();
    stage.screen.check("the room shows three messages: v1, v2 and v1 again", messages == 3, || messages.to_string())?;
    live_and_current(stage, people, "v1", "v1")?;
    let page = stage.page()?;
    stage.screen.check("visitors get version 1, without the edit by hand", page == V1.page, || page.clone())
}

/// On files alone: no host runs, none is asked.
fn verify_the_audit_log(stage: &mut Stage, people: &People) -> Result<()> {
    stage.screen.step("The audit log, checked offline on a copy of the files");
    copy(&stage.host.data, &stage.folder.join("copy")).context("copying the data folder")?;
    stage.screen.command("ben", "cp -r data copy");
    let verified = stage.run(&people.ben, &["audit", "verify", "copy"])?;
    stage
        .screen
        .check("every event is there, unchanged and in its place", verified.succeeded, || verified.output.clone())
}

// ---- what is done more than once ----

fn release(stage: &Stage, people: &People, tag: &str, version: &Version) -> Result<()> {
    let file = format!("web-{tag}.tar.gz");
    fs::write(stage.folder.join(&file), version.archive()?)?;
    let pushed = stage.must(&people.ann, &["artifact", "push", &file])?;
    let digest = pushed.split_whitespace().find(|word| word.starts_with("sha256:"));
    let digest = digest.with_context(|| format!("no digest in: {pushed}"))?;
    stage.must(&people.ann, &["release", "create", tag, "--artifact", &format!("web={digest}")])?;
    Ok(())
}

/// Says which deployment it is.
fn trigger(stage: &Stage, people: &People, release: &str) -> Result<u64> {
    let path = format!("{PRODUCTION}/deployments");
    let (key, body) = (format!("pipeline-{release}"), json!({ "release": release, "comment": "from the pipeline" }));
    stage.screen.command(
        people.ann.name,
        &format!("curl -X POST $LOCKGATE_URL{path} -H \"Authorization: Bearer $LOCKGATE_TOKEN\" -H 'Idempotency-Key: {key}' -d '{body}'"),
    );
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key.as_str())];
    let answer = Connection::open(&people.ann.api)?.send("POST", &path, &headers, body.to_string().as_bytes())?;
    let status = answer.status;
    let triggered = answer.accepted("the trigger")?;
    stage.screen.output(&format!(
        "{status}: deployment {} is {}",
        text(&triggered, "/id"),
        text(&triggered, "/status")
    ));
    Ok(number(&triggered, "/number"))
}

fn approve(stage: &Stage, people: &People, deployment: u64, comment: &str) -> Result<()> {
    stage.must(&people.ben, &["deployment", "approve", &deployment.to_string(), "--comment", comment])?;
    Ok(())
}

fn live_and_current(stage: &mut Stage, people: &People, live: &str, current: &str) -> Result<()> {
    stage.must(&people.ann, &["status"])?;
    let there = stage.environment(&people.ann)?;
    let found = (text(&there, "/live/release"), text(&there, "/current/release"));
    let expectation = match live == current {
        true => format!("live is {live}"),
        false => format!("live is {live}, current is {current}: the difference is said plainly"),
    };
    stage.screen.check(&expectation, found == (live, current), || format!("live {}, current {}", found.0, found.1))
}

fn copy(from: &std::path::Path, to: &std::path::Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => fs::copy(entry.path(), target).map(drop)?,
        }
    }
    Ok(())
}
