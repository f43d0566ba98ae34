//! One deployment on one screen, for somebody who was woken up by it. Data in, text out.

use std::iter;

use crate::cli::look::{Look, Tone, duration, or_dash, printable, quoted, shell_word, short};
use crate::wire::{
    ApplicationDeployment, Approval, ApprovalAnswer, Artifact, Blocker, Change, Deployment, EarlierAttempt, ErrorLog,
    Failure, Gate, Migration, Phase, Plan, Selection, SignOff,
};

/// More files than this scroll the rest away.
const MAX_CHANGES: usize = 20;

/// From what it is to what to do, each part only when there is something in it.
pub fn deployment(look: &Look, deployment: &Deployment) -> String {
    let parts = [
        header(look, deployment),
        what_failed(look, deployment).join("\n"),
        titled(look, "Before", deployment.earlier.iter().map(|attempt| earlier(look, attempt)).collect()),
        waiting(look, &deployment.waiting_for),
        plan(look, &deployment.plan),
        deployment.approval.as_ref().map(|asked| approval(look, "", asked)).unwrap_or_default(),
        titled(look, "Phases", phases(look, &deployment.phases)),
        titled(look, "Gates", deployment.gates.iter().map(|gate| gate_line(look, gate)).collect()),
        deployment.post_approval.as_ref().map(|asked| approval(look, " after the phases", asked)).unwrap_or_default(),
        titled(look, "Artifacts", deployment.record.artifacts.iter().map(|one| artifact(look, one)).collect()),
        titled(
            look,
            "Deployed",
            deployment.record.application_deployments.iter().map(|one| landed(look, one)).collect(),
        ),
        titled(look, "Migrations", deployment.record.migrations.iter().map(|one| migration(look, one)).collect()),
        titled(look, "Errors", errors(look, deployment)),
        next_steps(look, deployment),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// `shop/7  v1.4.0 to production  FULL  PENDING_APPROVAL  NotDeployed/Pending`.
pub fn title(look: &Look, deployment: &Deployment) -> String {
    let Deployment { id, release, environment, deployment_type, .. } = deployment;
    let partial = if deployment.partial { look.paint(Tone::Waiting, ", partial") } else { String::new() };
    format!(
        "{}  {} to {}  {deployment_type}  {}{partial}",
        look.strong(id),
        look.strong(&printable(release)),
        look.strong(environment),
        look.status(&deployment.status),
    )
}

fn header(look: &Look, deployment: &Deployment) -> String {
    let Deployment { attempt, attempt_status, operation_status, comment, .. } = deployment;
    let status = look.quiet(&format!("{attempt_status}/{operation_status}, attempt {attempt}"));
    let lines = [
        Some(format!("{}  {status}", title(look, deployment))),
        Some(began(look, deployment)),
        Some(match &deployment.finished_at {
            Some(at) => format!("  ended at {} after {}", look.moment(at), duration(deployment.time_taken_ms)),
            None => {
                let place = deployment.place.map(|place| format!(", place {place} in the queue")).unwrap_or_default();
                format!("  under way for {}{place}", duration(deployment.time_taken_ms))
            }
        }),
        deployment.superseded_by.map(|newer| format!("  superseded by deployment {newer}")),
        selections(&deployment.selections),
        flags(deployment),
        deployment.break_glass.as_ref().map(|broken| broken_glass(look, broken)),
        sign_off(look, &deployment.record.sign_off),
        (!comment.is_empty()).then(|| format!("  {}", quoted(comment))),
    ];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn began(look: &Look, deployment: &Deployment) -> String {
    let Deployment { workflow, triggered_by, created_at, attempt, attempt_by, attempt_queued_at, .. } = deployment;
    let first =
        format!("  workflow {workflow}, triggered by {} at {}", printable(triggered_by), look.moment(created_at));
    if *attempt == 1 {
        return first;
    }
    format!("{first}; attempt {attempt} by {} at {}", printable(attempt_by), look.moment(attempt_queued_at))
}

/// `only application=web; type=file name=index.html`.
fn selections(selections: &[Selection]) -> Option<String> {
    let one = |selection: &Selection| {
        let Selection { application, resource_type, resource_name, action } = selection;
        let parts =
            [("application", application), ("type", resource_type), ("name", resource_name), ("action", action)];
        let said = parts.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", printable(value.as_ref()?))));
        let said: Vec<String> = said.collect();
        if said.is_empty() { "everything".to_owned() } else { said.join(" ") }
    };
    let all: Vec<String> = selections.iter().map(one).collect();
    (!all.is_empty()).then(|| format!("  only {}", all.join("; ")))
}

fn flags(deployment: &Deployment) -> Option<String> {
    let flags = [
        (deployment.refresh, "refresh"),
        (deployment.forced, "forced"),
        (deployment.allow_destructive, "may delete and replace"),
    ];
    let set: Vec<&str> = flags.into_iter().filter_map(|(set, name)| set.then_some(name)).collect();
    (!set.is_empty()).then(|| format!("  flags: {}", set.join(", ")))
}

fn broken_glass(look: &Look, broken: &ApprovalAnswer) -> String {
    let text = format!("  {} broke the glass at {}", printable(&broken.person), look.moment(&broken.at));
    format!("{}  {}", look.paint(Tone::Waiting, &text), quoted(&broken.comment))
}

/// Of the sides at which somebody is asked.
fn sign_off(look: &Look, SignOff { pre, post }: &SignOff) -> Option<String> {
    let sides = [("before", pre), ("after", post)];
    let asked = sides.into_iter().filter(|(_, status)| !matches!(status.as_str(), "" | "NotRequired"));
    let asked: Vec<String> = asked.map(|(side, status)| format!("{side} the phases {}", look.status(status))).collect();
    (!asked.is_empty()).then(|| format!("  sign-off: {}", asked.join(", ")))
}

/// `Failed in gates: why`; an end that somebody wished for is none.
/// Why it ended badly, and what could not be taken back.
pub fn what_failed(look: &Look, deployment: &Deployment) -> Vec<String> {
    let not_undone = |phase: &Phase| {
        let why = phase.undo.as_deref().filter(|undo| *undo != "Undone")?;
        let what = look.paint(Tone::Bad, &format!("And {} could not be undone", phase.name));
        Some(format!("{what}: {}", printable(why)))
    };
    let failed = deployment.failure.iter().map(|failed| failure(look, failed));
    failed.chain(deployment.phases.iter().filter_map(not_undone)).collect()
}

fn failure(look: &Look, failure: &Failure) -> String {
    let message = printable(&failure.message);
    if is_wish(failure) {
        let mut letters = message.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        return look.paint(Tone::Waiting, &first.into_iter().chain(letters).collect::<String>());
    }
    format!("{}: {message}", look.paint(Tone::Bad, &format!("Failed in {}", failure.phase)))
}

fn is_wish(failure: &Failure) -> bool {
    failure.phase == "cancel"
}

/// `attempt 1, by ann: FAILED in gates: why, 3 min ago`.
fn earlier(look: &Look, attempt: &EarlierAttempt) -> String {
    let why = match &attempt.failure {
        Some(failure) if is_wish(failure) => format!(": {}", printable(&failure.message)),
        Some(Failure { phase, message }) => format!(" in {phase}: {}", printable(message)),
        None => String::new(),
    };
    let (number, by) = (attempt.number, printable(&attempt.by));
    let when = look.quiet(&format!(", {}", look.relative(&attempt.finished_at)));
    format!("  attempt {number}, by {by}: {}{why}{when}", look.status(&attempt.status))
}

fn waiting(look: &Look, blockers: &[Blocker]) -> String {
    titled(look, "Waits for", blockers.iter().flat_map(|blocker| blocked(look, "  ", blocker)).collect())
}

/// The reason; below it who can lift it, and when something changes by itself.
pub fn blocked(look: &Look, before: &str, blocker: &Blocker) -> Vec<String> {
    let reason = format!("{before}{}", look.paint(Tone::Waiting, &printable(&blocker.reason)));
    vec![reason, format!("      {}", lifting(look, blocker))]
}

/// Both on one line, where lines are counted.
pub fn blocked_line(look: &Look, before: &str, blocker: &Blocker) -> String {
    let reason = look.paint(Tone::Waiting, &printable(&blocker.reason));
    format!("{before}{reason}   {}", lifting(look, blocker))
}

/// `lifted by time   opens 21 Dec 07:14 (in 30 d)`.
fn lifting(look: &Look, blocker: &Blocker) -> String {
    let Blocker { code, of: _, reason: _, lifted_by, until, deadline, next_look_at } = blocker;
    let next_look = if code == "gates" { "next round at" } else { "asked again at" };
    let times = [(next_look, next_look_at), ("opens", until), ("fails if not lifted by", deadline)];
    let times = times.into_iter().filter_map(|(what, at)| Some(format!("{what} {}", look.deadline(at.as_ref()?))));
    let times = times.map(|text| look.quiet(&text));
    let said = iter::once(format!("lifted by {}", printable(lifted_by))).chain(times);
    said.collect::<Vec<_>>().join("   ")
}

fn plan(look: &Look, plan: &Plan) -> String {
    let changes: Vec<&Change> = plan.changes.iter().filter(|change| change.action != "no-op").collect();
    if plan.digest.is_none() && changes.is_empty() {
        return String::new();
    }
    let digest = plan.digest.as_deref().map(|digest| format!(" {}", short(digest))).unwrap_or_default();
    let mut lines = vec![format!("{}: {}", look.strong(&format!("Plan{digest}")), counts(&changes))];
    lines.extend(plan.summary.iter().map(|line| format!("  {}", printable(line))));
    lines.extend(changes.iter().take(MAX_CHANGES).map(|change| change_line(look, change)));
    if changes.len() > MAX_CHANGES {
        let more = format!("  … and {} more; all of them with --json", changes.len() - MAX_CHANGES);
        lines.push(look.quiet(&more));
    }
    lines.join("\n")
}

/// `2 created, 1 deleted`.
pub fn counts(changes: &[&Change]) -> String {
    let words = [("create", "created"), ("update", "updated"), ("replace", "replaced"), ("delete", "deleted")];
    let count = |action: &str| changes.iter().filter(|change| change.action == action).count();
    let counted = words.into_iter().map(|(action, word)| (count(action), word)).filter(|(count, _)| *count > 0);
    let counted: Vec<String> = counted.map(|(count, word)| format!("{count} {word}")).collect();
    if counted.is_empty() { "nothing changes".to_owned() } else { counted.join(", ") }
}

fn change_line(look: &Look, change: &Change) -> String {
    let mark = match change.action.as_str() {
        "create" => look.paint(Tone::Good, "+"),
        "update" => look.paint(Tone::Waiting, "~"),
        "replace" => look.paint(Tone::Bad, "±"),
        "delete" => look.paint(Tone::Bad, "-"),
        _ => " ".to_owned(),
    };
    let destructive = if change.destructive { look.paint(Tone::Bad, "  destructive") } else { String::new() };
    let place = look.quiet(&format!("in {}", change.target));
    format!("  {mark} {} {}  {place}{destructive}", printable(&change.kind), printable(&change.name))
}

/// `side` is said where it is not the usual one.
fn approval(look: &Look, side: &str, approval: &Approval) -> String {
    let own = if approval.not_your_own { ", not your own" } else { "" };
    // Until when it can be given stands where it is waited for.
    let title = match approval.status.as_str() {
        "Pending" => format!("Approval{side} pending"),
        status => format!("{status}{side}"),
    };
    let rules = or_dash(printable(&approval.rules.join(" and ")));
    let mut lines = vec![format!("{}: {rules}{own}", look.strong(&title))];
    let signs = if approval.plan_digest.is_empty() {
        String::new()
    } else {
        format!(", signs plan {}", short(&approval.plan_digest))
    };
    let carried =
        approval.carried_over_from.map(|attempt| format!(", carried over from attempt {attempt}")).unwrap_or_default();
    lines.push(format!("  asked at {}{signs}{carried}", look.moment(&approval.requested_at)));
    if !approval.difference.is_empty() {
        lines.push(format!("  {}", look.paint(Tone::Waiting, "asked again, for the plan changed:")));
        lines.extend(approval.difference.iter().map(|line| format!("    {}", printable(line))));
    }
    for answer in &approval.answers {
        let (mark, did) = if answer.approved { (good(look), "approved") } else { (bad(look), "rejected") };
        let said = quoted(&answer.comment);
        let line = format!("  {mark} {} {did} at {}  {said}", printable(&answer.person), look.moment(&answer.at));
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

fn good(look: &Look) -> String {
    look.paint(Tone::Good, "✓")
}

fn bad(look: &Look) -> String {
    look.paint(Tone::Bad, "✗")
}

/// What a phase's status looks like at a glance.
pub fn phase_mark(look: &Look, status: &str) -> String {
    match status {
        "Succeeded" => good(look),
        "Failed" => bad(look),
        "Running" => look.paint(Tone::Busy, "…"),
        "Canceled" => look.paint(Tone::Waiting, "⊘"),
        "Skipped" => look.quiet("-"),
        _ => look.quiet("·"),
    }
}

fn phases(look: &Look, phases: &[Phase]) -> Vec<String> {
    let width = name_width(phases);
    let line = |phase: &Phase| {
        let mark = phase_mark(look, &phase.status);
        let mut lines = vec![format!("  {mark} {}", phase_text(look, phase, width))];
        lines.extend(phase.undo.as_ref().map(|undo| format!("      undo: {}", printable(undo))));
        lines.join("\n")
    };
    phases.iter().map(line).collect()
}

pub fn name_width(phases: &[Phase]) -> usize {
    phases.iter().map(|phase| phase.name.chars().count()).max().unwrap_or(0)
}

/// Name, what it does, how long it took, how many tries, and what it says.
pub fn phase_text(look: &Look, phase: &Phase, width: usize) -> String {
    let took = match &phase.started_at {
        Some(started) if phase.ended_at.is_some() || phase.status == "Running" => {
            format!("  {}", look.took(started, phase.ended_at.as_deref()))
        }
        Some(_) | None => String::new(),
    };
    let tries =
        if phase.tries > 1 { look.paint(Tone::Waiting, &format!("  try {}", phase.tries)) } else { String::new() };
    let says = match &phase.message {
        Some(message) if phase.status == "Failed" => format!("  {}", look.paint(Tone::Bad, &printable(message))),
        Some(message) => format!("  {}", printable(message)),
        None if phase.summary.is_empty() => String::new(),
        None => format!("  {}", printable(&phase.summary)),
    };
    let unusual = if matches!(phase.status.as_str(), "Canceled" | "Skipped") {
        format!("  {}", look.status(&phase.status))
    } else {
        String::new()
    };
    format!("{:width$}  {}{unusual}{took}{tries}{says}", phase.name, look.quiet(&phase.does))
}

pub fn gate_line(look: &Look, gate: &Gate) -> String {
    let (mark, outcome) = match gate.outcome.as_deref() {
        Some("pass") => (good(look), "pass"),
        Some(outcome @ ("fail" | "error")) => (bad(look), outcome),
        Some(outcome) => (look.paint(Tone::Waiting, "…"), outcome),
        None => return format!("  {} {}  {}", look.quiet("·"), gate.name, look.quiet("not sampled yet")),
    };
    let when = match &gate.at {
        Some(at) => look.quiet(&format!("  round {}, {}", gate.rounds, look.relative(at))),
        None => String::new(),
    };
    let ignored = match &gate.ignored {
        Some(ignored) => format!("  ignored by {}: {}", printable(&ignored.person), printable(&ignored.comment)),
        None => String::new(),
    };
    format!("  {mark} {}  {}  {}{when}{ignored}", gate.name, look.status(outcome), printable(&gate.reason))
}

/// `web  0a1b2c3d4e5f  oci://shop/web  build 42, stack frontend, of web  commit=9c1d77a`.
fn artifact(look: &Look, artifact: &Artifact) -> String {
    let known = [("build", &artifact.build_id), ("stack", &artifact.stack), ("of", &artifact.application)];
    let known = known.into_iter().filter(|(_, value)| !value.is_empty());
    let known: Vec<String> = known.map(|(what, value)| format!("{what} {}", printable(value))).collect();
    let metadata = artifact.metadata.iter().map(|(key, value)| format!("{}={}", printable(key), printable(value)));
    let metadata: Vec<String> = metadata.collect();
    let parts = [
        printable(&artifact.name),
        look.quiet(&short(&artifact.digest)),
        printable(&artifact.uri),
        known.join(", "),
        look.quiet(&metadata.join(" ")),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("  {}", parts.join("  "))
}

/// `web to site  v1.4.0  0a1b2c3d4e5f  by publish`.
fn landed(look: &Look, landed: &ApplicationDeployment) -> String {
    let to = if landed.target.is_empty() { String::new() } else { format!(" to {}", printable(&landed.target)) };
    let application = or_dash(printable(&landed.application));
    let parts = [
        format!("{application}{to}"),
        printable(&landed.release),
        look.quiet(&short(&landed.digest)),
        look.quiet(&format!("by {}", landed.phase)),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("  {}", parts.join("  "))
}

fn migration(look: &Look, Migration { phase, name, status }: &Migration) -> String {
    let status = if status.is_empty() { String::new() } else { format!("  {}", look.status(&printable(status))) };
    format!("  {}{status}  {}", printable(name), look.quiet(&format!("by {phase}")))
}

/// Which code and try; the message only where this screen does not say it elsewhere.
fn errors(look: &Look, deployment: &Deployment) -> Vec<String> {
    let phases = deployment.phases.iter().filter_map(|phase| phase.message.as_ref());
    let failures = deployment.failure.iter().chain(deployment.earlier.iter().filter_map(|it| it.failure.as_ref()));
    let said: Vec<&String> = phases.chain(failures.map(|failure| &failure.message)).collect();
    let line = |error: &ErrorLog| {
        let is_said = said.contains(&&error.message);
        if is_said && error.code.is_empty() {
            return None;
        }
        let tries = if error.try_number > 1 { format!(", try {}", error.try_number) } else { String::new() };
        let place = look.quiet(&format!("attempt {}{tries}", error.attempt));
        let message = if is_said { String::new() } else { format!("  {}", printable(&error.message)) };
        Some(format!("  {}  {}  {place}{message}", error.phase, or_dash(printable(&error.code))))
    };
    deployment.record.error_logs.iter().filter_map(line).collect()
}

/// The commands that make sense now.
fn next_steps(look: &Look, deployment: &Deployment) -> String {
    let is_refused = needs_allow_destructive(deployment);
    let verbs: &[&str] = match deployment.status.as_str() {
        // The same plan would be refused again.
        "FAILED" if is_refused => &["logs"],
        "PENDING_APPROVAL" => &["approve", "reject", "cancel"],
        "QUEUED" => &["cancel"],
        "IN_PROGRESS" => &["logs -f", "cancel"],
        "FAILED" | "TIMED_OUT" => &["logs", "retry", "redeploy"],
        "REJECTED" | "ABORTED" | "STOPPED" => &["redeploy"],
        _ => &[],
    };
    let Deployment { number, project, environment, .. } = deployment;
    let command = |verb: &&str| match verb.split_once(' ') {
        Some((verb, flag)) => format!("  lockgate deployment {verb} {number} {flag} -p {project}"),
        None => format!("  lockgate deployment {verb} {number} -p {project}"),
    };
    let mut lines: Vec<String> = verbs.iter().map(command).collect();
    if let ("PENDING_APPROVAL", Some(plan), [approve, ..]) =
        (deployment.status.as_str(), &deployment.plan.digest, &mut lines[..])
    {
        // So that what is approved is what is on this screen.
        approve.push_str(&format!(" --plan {plan}"));
    }
    lines.extend(is_refused.then(|| allowing_destructive(deployment)));
    if let (Some(tag), true) = (&deployment.rollback_to, deployment.finished_at.is_some()) {
        lines.push(format!("  lockgate rollback -p {project} -e {environment}   # back to {}", printable(tag)));
    }
    titled(look, "Next", lines.iter().map(|line| look.quiet(line)).collect())
}

/// The plan is what failed, and it takes away what the deployment may not take away.
fn needs_allow_destructive(deployment: &Deployment) -> bool {
    let of_plan = deployment.failure.as_ref().is_some_and(|failure| failure.phase == "plan");
    let takes_away = |change: &Change| change.destructive || matches!(change.action.as_str(), "delete" | "replace");
    of_plan && !deployment.allow_destructive && deployment.plan.changes.iter().any(takes_away)
}

fn allowing_destructive(deployment: &Deployment) -> String {
    let Deployment { release, project, environment, deployment_type, workflow, .. } = deployment;
    let kind = match deployment_type.as_str() {
        "FULL" => String::new(),
        other => format!(" --type {other}"),
    };
    let release = shell_word(release);
    format!("  lockgate deploy {release} -p {project} -e {environment}{kind} --workflow {workflow} --allow-destructive")
}

fn titled(look: &Look, title: &str, lines: Vec<String>) -> String {
    if lines.is_empty() { String::new() } else { format!("{}\n{}", look.strong(title), lines.join("\n")) }
}

#[cfg(test)]
pub mod testing {
    use super::*;
    use crate::wire::Record;

    /// Waits for approval in production.
    pub fn pending() -> Deployment {
        let change = |action: &str, name: &str| Change {
            target: "site".to_owned(),
            application: "web".to_owned(),
            kind: "file".to_owned(),
            name: name.to_owned(),
            action: action.to_owned(),
            applied: false,
            destructive: action == "delete",
            fields: vec![],
        };
        let phase = |name: &str, does: &str| Phase {
            name: name.to_owned(),
            does: does.to_owned(),
            status: "Waiting".to_owned(),
            tries: 0,
            started_at: None,
            ended_at: None,
            summary: String::new(),
            message: None,
            outputs: serde_json::Value::Null,
            undo: None,
        };
        Deployment {
            next_scheduled_time: None,
            superseded_by: None,
            selections: vec![],
            break_glass: None,
            post_approval: None,
            id: "shop/7".to_owned(),
            number: 7,
            project: "shop".to_owned(),
            environment: "production".to_owned(),
            release: "v1.4.0".to_owned(),
            deployment_type: "FULL".to_owned(),
            workflow: "announced".to_owned(),
            status: "PENDING_APPROVAL".to_owned(),
            partial: false,
            environment_status: "InProgress".to_owned(),
            attempt_status: "NotDeployed".to_owned(),
            operation_status: "Pending".to_owned(),
            attempt: 1,
            place: None,
            waiting_for: vec![Blocker {
                code: "approval".to_owned(),
                of: None,
                reason: "approval: 1 of operators".to_owned(),
                lifted_by: "whoever is asked, but not ann: `lockgate deployment approve`".to_owned(),
                until: None,
                deadline: Some("2026-04-13T09:28:02Z".to_owned()),
                next_look_at: None,
            }],
            refresh: false,
            forced: false,
            allow_destructive: true,
            comment: "spring sale".to_owned(),
            triggered_by: "ann".to_owned(),
            created_at: "2026-03-14T09:28:00Z".to_owned(),
            attempt_by: "ann".to_owned(),
            attempt_queued_at: "2026-03-14T09:28:00Z".to_owned(),
            finished_at: None,
            time_taken_ms: 120_000,
            failure: None,
            earlier: vec![],
            rollback_to: None,
            phases: vec![phase("announce", "http-request"), phase("publish", "apply site")],
            plan: Plan {
                digest: Some(format!("sha256:{}", "3f2a91c04b1d".repeat(5))),
                changes: vec![
                    change("create", "sale.html"),
                    change("update", "index.html"),
                    change("no-op", "about.html"),
                    change("delete", "old.html"),
                ],
                summary: vec![],
            },
            approval: Some(Approval {
                status: "Pending".to_owned(),
                plan_digest: format!("sha256:{}", "3f2a91c04b1d".repeat(5)),
                rules: vec!["1 of operators".to_owned()],
                not_your_own: true,
                answers: vec![],
                requested_at: "2026-03-14T09:28:02Z".to_owned(),
                deadline: "2026-04-13T09:28:02Z".to_owned(),
                difference: vec![],
                carried_over_from: None,
            }),
            gates: vec![],
            record: Record::default(),
            last_event: 41,
        }
    }

    /// Approved, the first phase done, the second one running.
    pub fn running() -> Deployment {
        let mut deployment = pending();
        deployment.status = "IN_PROGRESS".to_owned();
        deployment.attempt_status = "InProgress".to_owned();
        deployment.operation_status = "PhaseInProgress".to_owned();
        deployment.waiting_for.clear();
        if let Some(approval) = &mut deployment.approval {
            approval.status = "Approved".to_owned();
            approval.answers.push(crate::wire::ApprovalAnswer {
                person: "bob".to_owned(),
                approved: true,
                comment: "looks good".to_owned(),
                at: "2026-03-14T09:29:30Z".to_owned(),
            });
        }
        let [announce, publish] = &mut deployment.phases[..] else { unreachable!() };
        announce.status = "Succeeded".to_owned();
        announce.tries = 1;
        announce.started_at = Some("2026-03-14T09:29:31Z".to_owned());
        announce.ended_at = Some("2026-03-14T09:29:32.250Z".to_owned());
        announce.summary = "POST answered 200".to_owned();
        publish.status = "Running".to_owned();
        publish.tries = 2;
        publish.started_at = Some("2026-03-14T09:29:33Z".to_owned());
        publish.summary = "120 of 400 files".to_owned();
        deployment
    }

    /// The gates after the phases did not pass.
    pub fn failed() -> Deployment {
        let mut deployment = running();
        deployment.status = "FAILED".to_owned();
        deployment.attempt_status = "Failed".to_owned();
        deployment.operation_status = "GatesFailed".to_owned();
        deployment.finished_at = Some("2026-03-14T09:29:58Z".to_owned());
        deployment.rollback_to = Some("v1.3.0".to_owned());
        deployment.time_taken_ms = 118_000;
        let publish = &mut deployment.phases[1];
        publish.status = "Succeeded".to_owned();
        publish.ended_at = Some("2026-03-14T09:29:45Z".to_owned());
        publish.summary = "400 of 400 files".to_owned();
        deployment.gates = vec![
            Gate {
                name: "homepage".to_owned(),
                outcome: Some("fail".to_owned()),
                reason: "GET / answered 502, expected 200".to_owned(),
                at: Some("2026-03-14T09:29:57Z".to_owned()),
                rounds: 3,
                ignored: None,
            },
            Gate {
                name: "errors".to_owned(),
                outcome: None,
                reason: String::new(),
                at: None,
                rounds: 0,
                ignored: None,
            },
        ];
        deployment.failure = Some(crate::wire::Failure {
            phase: "gates".to_owned(),
            message: "not all gates passed in 2 minutes: homepage".to_owned(),
        });
        deployment
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::testing::{failed, pending, running};
    use super::*;
    use crate::cli::look::testing::look;

    #[test]
    fn a_pending_deployment_says_who_can_lift_what() {
        expect![[r#"
            shop/7  v1.4.0 to production  FULL  PENDING_APPROVAL  NotDeployed/Pending, attempt 1
              workflow announced, triggered by ann at 09:28:00 (2 min ago)
              under way for 2 min
              flags: may delete and replace
              "spring sale"

            Waits for
              approval: 1 of operators
                  lifted by whoever is asked, but not ann: `lockgate deployment approve`   fails if not lifted by 13 Apr 09:28 (in 29 d)

            Plan 3f2a91c04b1d: 1 created, 1 updated, 1 deleted
              + file sale.html  in site
              ~ file index.html  in site
              - file old.html  in site  destructive

            Approval pending: 1 of operators, not your own
              asked at 09:28:02 (1 min ago), signs plan 3f2a91c04b1d

            Phases
              · announce  http-request
              · publish   apply site

            Next
              lockgate deployment approve 7 -p shop --plan sha256:3f2a91c04b1d3f2a91c04b1d3f2a91c04b1d3f2a91c04b1d3f2a91c04b1d
              lockgate deployment reject 7 -p shop
              lockgate deployment cancel 7 -p shop"#]]
        .assert_eq(&deployment(&look(), &pending()));
    }

    #[test]
    fn a_running_deployment_shows_where_it_is() {
        expect![[r#"
            shop/7  v1.4.0 to production  FULL  IN_PROGRESS  InProgress/PhaseInProgress, attempt 1
              workflow announced, triggered by ann at 09:28:00 (2 min ago)
              under way for 2 min
              flags: may delete and replace
              "spring sale"

            Plan 3f2a91c04b1d: 1 created, 1 updated, 1 deleted
              + file sale.html  in site
              ~ file index.html  in site
              - file old.html  in site  destructive

            Approved: 1 of operators, not your own
              asked at 09:28:02 (1 min ago), signs plan 3f2a91c04b1d
              ✓ bob approved at 09:29:30 (30 s ago)  "looks good"

            Phases
              ✓ announce  http-request  1.2 s  POST answered 200
              … publish   apply site  27 s  try 2  120 of 400 files

            Next
              lockgate deployment logs 7 -f -p shop
              lockgate deployment cancel 7 -p shop"#]]
        .assert_eq(&deployment(&look(), &running()));
    }

    #[test]
    fn what_could_not_be_undone_is_said_with_what_failed() {
        let mut deployment = failed();
        deployment.phases[0].undo = Some("Undone".to_owned());
        deployment.phases[1].undo = Some("the folder is gone".to_owned());
        expect![[r#"
            Failed in gates: not all gates passed in 2 minutes: homepage
            And publish could not be undone: the folder is gone"#]]
        .assert_eq(&what_failed(&look(), &deployment).join("\n"));
    }

    #[test]
    fn a_failed_deployment_says_why_before_anything_else() {
        expect![[r#"
            shop/7  v1.4.0 to production  FULL  FAILED  Failed/GatesFailed, attempt 1
              workflow announced, triggered by ann at 09:28:00 (2 min ago)
              ended at 09:29:58 (2 s ago) after 1 min 58 s
              flags: may delete and replace
              "spring sale"

            Failed in gates: not all gates passed in 2 minutes: homepage

            Plan 3f2a91c04b1d: 1 created, 1 updated, 1 deleted
              + file sale.html  in site
              ~ file index.html  in site
              - file old.html  in site  destructive

            Approved: 1 of operators, not your own
              asked at 09:28:02 (1 min ago), signs plan 3f2a91c04b1d
              ✓ bob approved at 09:29:30 (30 s ago)  "looks good"

            Phases
              ✓ announce  http-request  1.2 s  POST answered 200
              ✓ publish   apply site  12 s  try 2  400 of 400 files

            Gates
              ✗ homepage  fail  GET / answered 502, expected 200  round 3, 3 s ago
              · errors  not sampled yet

            Next
              lockgate deployment logs 7 -p shop
              lockgate deployment retry 7 -p shop
              lockgate deployment redeploy 7 -p shop
              lockgate rollback -p shop -e production   # back to v1.3.0"#]]
        .assert_eq(&deployment(&look(), &failed()));
    }

    fn next(deployment: &Deployment) -> String {
        next_steps(&look(), deployment)
    }

    #[test]
    fn going_back_is_offered_only_after_something_was_touched() {
        let untouched = Deployment { rollback_to: None, ..failed() };
        expect![[r#"
            Next
              lockgate deployment logs 7 -p shop
              lockgate deployment retry 7 -p shop
              lockgate deployment redeploy 7 -p shop"#]]
        .assert_eq(&next(&untouched));
        let running = Deployment { rollback_to: Some("v1.3.0".to_owned()), ..running() };
        assert!(!next(&running).contains("rollback"));
    }

    #[test]
    fn a_plan_that_was_refused_for_what_it_deletes_says_how_to_allow_it() {
        let message = "the plan destroys or replaces file old.html".to_owned();
        let failure = Some(Failure { phase: "plan".to_owned(), message });
        let refused = Deployment { allow_destructive: false, rollback_to: None, failure, ..failed() };
        expect![[r#"
            Next
              lockgate deployment logs 7 -p shop
              lockgate deploy v1.4.0 -p shop -e production --workflow announced --allow-destructive"#]]
        .assert_eq(&next(&refused));
        let allowed = Deployment { allow_destructive: true, ..refused };
        assert!(next(&allowed).contains("retry"));
    }

    #[test]
    fn the_record_tells_what_landed_what_ran_and_what_failed() {
        let mut deployment = failed();
        let [announce, publish] = &mut deployment.phases[..] else { unreachable!() };
        (announce.status, announce.message) = ("Succeeded".to_owned(), None);
        (publish.status, publish.message) = ("Failed".to_owned(), Some("no space left".to_owned()));
        let text = |text: &str| text.to_owned();
        let error = |phase: &str, code: &str, message: &str| ErrorLog {
            phase: text(phase),
            attempt: 1,
            try_number: 3,
            code: text(code),
            message: text(message),
            at: None,
        };
        deployment.record = crate::wire::Record {
            sign_off: SignOff { pre: text("Approved"), post: text("NotRequired") },
            artifacts: vec![Artifact {
                name: text("web"),
                digest: format!("sha256:{}", "0a1b2c3d4e5f".repeat(5)),
                uri: text("oci://shop/web"),
                build_id: text("42"),
                stack: text("frontend"),
                application: text("web"),
                metadata: [(text("commit"), text("9c1d77a"))].into(),
                ..Artifact::default()
            }],
            application_deployments: vec![ApplicationDeployment {
                phase: text("publish"),
                application: text("web"),
                target: text("site"),
                release: text("v1.4.0"),
                digest: format!("sha256:{}", "0a1b2c3d4e5f".repeat(5)),
                ..ApplicationDeployment::default()
            }],
            migrations: vec![Migration { phase: text("migrate"), name: text("0042.sql"), status: text("applied") }],
            error_logs: vec![error("publish", "disk-full", "no space left"), error("undo", "moved", "somebody else")],
            ..crate::wire::Record::default()
        };
        let shown = super::deployment(&look(), &deployment);
        assert!(shown.contains("  sign-off: before the phases Approved\n"), "{shown}");
        let (_, tail) = shown.split_once("\nArtifacts").unwrap();
        let (tail, _) = tail.split_once("\n\nNext").unwrap();
        expect![[r#"

              web  0a1b2c3d4e5f  oci://shop/web  build 42, stack frontend, of web  commit=9c1d77a

            Deployed
              web to site  v1.4.0  0a1b2c3d4e5f  by publish

            Migrations
              0042.sql  applied  by migrate

            Errors
              publish  disk-full  attempt 1, try 3
              undo  moved  attempt 1, try 3  somebody else"#]]
        .assert_eq(tail);
    }

    #[test]
    fn a_retried_deployment_tells_of_each_attempt() {
        let mut deployment = running();
        deployment.attempt = 3;
        deployment.attempt_by = "admin".to_owned();
        deployment.attempt_queued_at = "2026-03-14T09:29:30Z".to_owned();
        let earlier = |number: u32, status: &str, phase: &str, message: &str| EarlierAttempt {
            number,
            by: "ann".to_owned(),
            status: status.to_owned(),
            failure: Some(Failure { phase: phase.to_owned(), message: message.to_owned() }),
            queued_at: "2026-03-14T09:28:00Z".to_owned(),
            finished_at: "2026-03-14T09:28:30Z".to_owned(),
        };
        deployment.earlier = vec![
            earlier(1, "FAILED", "gates", "not all gates passed"),
            earlier(2, "ABORTED", "cancel", "cancelled by bob: lunch"),
        ];
        deployment.approval.as_mut().unwrap().carried_over_from = Some(1);
        expect![[r#"
            shop/7  v1.4.0 to production  FULL  IN_PROGRESS  InProgress/PhaseInProgress, attempt 3
              workflow announced, triggered by ann at 09:28:00 (2 min ago); attempt 3 by admin at 09:29:30 (30 s ago)
              under way for 2 min
              flags: may delete and replace
              "spring sale"

            Before
              attempt 1, by ann: FAILED in gates: not all gates passed, 1 min ago
              attempt 2, by ann: ABORTED: cancelled by bob: lunch, 1 min ago

            Plan 3f2a91c04b1d: 1 created, 1 updated, 1 deleted
              + file sale.html  in site
              ~ file index.html  in site
              - file old.html  in site  destructive

            Approved: 1 of operators, not your own
              asked at 09:28:02 (1 min ago), signs plan 3f2a91c04b1d, carried over from attempt 1
              ✓ bob approved at 09:29:30 (30 s ago)  "looks good"

            Phases
              ✓ announce  http-request  1.2 s  POST answered 200
              … publish   apply site  27 s  try 2  120 of 400 files

            Next
              lockgate deployment logs 7 -f -p shop
              lockgate deployment cancel 7 -p shop"#]]
        .assert_eq(&super::deployment(&look(), &deployment));
    }

    #[test]
    fn what_is_unusual_about_a_deployment_is_said_at_once() {
        let mut deployment = failed();
        let told = |person: &str, comment: &str| ApprovalAnswer {
            person: person.to_owned(),
            approved: true,
            comment: comment.to_owned(),
            at: "2026-03-14T09:29:50Z".to_owned(),
        };
        let selection = |application: Option<&str>, name: Option<&str>| Selection {
            application: application.map(str::to_owned),
            resource_name: name.map(str::to_owned),
            ..Selection::default()
        };
        deployment.selections = vec![selection(Some("web"), Some("index.html")), selection(None, None)];
        deployment.break_glass = Some(told("eve", "the shop is down"));
        deployment.superseded_by = Some(9);
        deployment.post_approval = deployment.approval.clone().map(|asked| Approval {
            status: "Pending".to_owned(),
            answers: vec![told("bob", "")],
            ..asked
        });
        let shown = super::deployment(&look(), &deployment);
        let (header, _) = shown.split_once("\n\n").unwrap();
        let (_, asked) = shown.split_once("\n\nApproval after").unwrap();
        let (asked, _) = asked.split_once("\n\n").unwrap();
        expect![[r#"
            shop/7  v1.4.0 to production  FULL  FAILED  Failed/GatesFailed, attempt 1
              workflow announced, triggered by ann at 09:28:00 (2 min ago)
              ended at 09:29:58 (2 s ago) after 1 min 58 s
              superseded by deployment 9
              only application=web name=index.html; everything
              flags: may delete and replace
              eve broke the glass at 09:29:50 (10 s ago)  "the shop is down"
              "spring sale"

            Approval after the phases pending: 1 of operators, not your own
              asked at 09:28:02 (1 min ago), signs plan 3f2a91c04b1d
              ✓ bob approved at 09:29:50 (10 s ago)"#]]
        .assert_eq(&format!("{header}\n\nApproval after{asked}"));
    }

    #[test]
    fn an_end_that_was_wished_for_is_no_failure() {
        let failed = Failure { phase: "cancel".to_owned(), message: "cancelled by admin: wrong day".to_owned() };
        assert_eq!(failure(&look(), &failed), "Cancelled by admin: wrong day");
    }

    #[test]
    fn a_plan_of_many_files_is_cut_but_counted() {
        let mut deployment = pending();
        let file = deployment.plan.changes[0].clone();
        deployment.plan.changes = (0..32).map(|n| Change { name: format!("{n}.html"), ..file.clone() }).collect();
        let shown = plan(&look(), &deployment.plan);
        assert_eq!(shown.lines().count(), 1 + MAX_CHANGES + 1);
        assert!(shown.starts_with("Plan 3f2a91c04b1d: 32 created\n"), "{shown}");
        assert!(shown.ends_with("  … and 12 more; all of them with --json"), "{shown}");
    }

    #[test]
    fn a_terminal_does_not_obey_a_phase() {
        let mut deployment = running();
        deployment.phases[1].summary = "\u{1b}]0;owned\u{7}".to_owned();
        assert!(!super::deployment(&look(), &deployment).contains('\u{1b}'));
    }

    #[test]
    fn what_comes_by_itself_reads_differently_from_what_fails() {
        let at = |time: &str| Some(format!("2026-03-14T{time}Z"));
        let told = |code: &str, until, deadline, next_look_at| {
            let (code, of, reason) = (code.to_owned(), None, "it".to_owned());
            let lifted_by = "time".to_owned();
            blocked_line(&look(), "", &Blocker { code, of, reason, lifted_by, until, deadline, next_look_at })
        };
        expect![[r#"
            it   lifted by time   opens 09:40:00 (in 10 min)
            it   lifted by time   next round at 09:31:00 (in 1 min)   fails if not lifted by 09:40:00 (in 10 min)
            it   lifted by time   asked again at 09:31:00 (in 1 min)"#]]
        .assert_eq(
            &[
                told("closed", at("09:40:00"), None, None),
                told("gates", None, at("09:40:00"), at("09:31:00")),
                told("asked-again", None, None, at("09:31:00")),
            ]
            .join("\n"),
        );
    }

    #[test]
    fn colours_are_there_only_when_asked_for() {
        let coloured = Look { colour: true, ..look() };
        assert!(deployment(&coloured, &failed()).contains("\u{1b}[31m✗\u{1b}[0m"));
        assert!(!deployment(&look(), &failed()).contains('\u{1b}'));
    }
}
