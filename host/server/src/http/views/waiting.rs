//! What a deployment waits for, in words. The one place for them: `status`, `show` and `explain` say the same.

use std::sync::{Arc, OnceLock};

use lockgate_core::definition::{ApprovalRule, listed};
use lockgate_core::deployment::{Capacity, Deployment, HoldReason};
use lockgate_core::explain::{Blocker, blockers};
use lockgate_core::name::{DeploymentNumber, Name, Timestamp};
use lockgate_core::state::State;
use lockgate_core::system::SystemState;
use lockgate_core::warnings::People;
use lockgate_core::work::{GatesOf, Side, Step, Work, WorkState};

use super::approvals::rule_text;
use super::warnings::too_few;
use crate::clock::rfc3339;
use crate::driver::step_in_words;
use crate::wire;

/// Who may answer: looked up when the first deployment is shown that waits for somebody.
pub struct Answerers {
    system: Arc<SystemState>,
    people: OnceLock<People>,
}

impl Answerers {
    pub fn new(system: Arc<SystemState>) -> Self {
        Self { system, people: OnceLock::new() }
    }

    fn people(&self) -> &People {
        self.people.get_or_init(|| People::of(&self.system))
    }
}

/// From 1; of one that waits in the queue.
pub fn place(state: &State, deployment: &Deployment) -> Option<usize> {
    state.place(deployment).filter(|_| deployment.is_waiting())
}

/// What is in its way, and the calls that are under way: whoever watches waits for those, too.
pub fn waiting_for(
    state: &State,
    answerers: &Answerers,
    deployment: &Deployment,
    now: Timestamp,
) -> Vec<wire::Blocker> {
    let works = deployment.works().into_iter().filter_map(|work| at_work(deployment, work));
    in_the_way(state, answerers, deployment, now).into_iter().chain(works).collect()
}

pub fn in_the_way(state: &State, answerers: &Answerers, deployment: &Deployment, now: Timestamp) -> Vec<wire::Blocker> {
    let place = place(state, deployment);
    blockers(state, deployment, now).iter().map(|blocker| in_words(answerers, deployment, place, blocker)).collect()
}

fn in_words(answerers: &Answerers, deployment: &Deployment, place: Option<usize>, blocker: &Blocker) -> wire::Blocker {
    wire::Blocker {
        code: blocker.code().to_owned(),
        of: of(deployment, blocker),
        reason: reason(deployment, place, blocker),
        lifted_by: lifted_by(answerers, deployment, blocker),
        until: blocker.until().map(rfc3339),
        deadline: blocker.deadline().map(rfc3339),
        next_look_at: blocker.next_look_at().map(rfc3339),
    }
}

fn of(deployment: &Deployment, blocker: &Blocker) -> Option<String> {
    match blocker {
        Blocker::Intervention { phase, .. } => Some(phase.to_string()),
        Blocker::Gates { of: GatesOf::Phase(phase), .. } => Some(deployment.phase(*phase).name.to_string()),
        Blocker::AskedAgain { step, .. } => Some(step_in_words(deployment, *step)),
        Blocker::Gates { of: GatesOf::Pre | GatesOf::Post, .. }
        | Blocker::Paused { .. }
        | Blocker::Closed(_)
        | Blocker::Running(_)
        | Blocker::Before(_)
        | Blocker::SideBySide { .. }
        | Blocker::Held { .. }
        | Blocker::Capacity { .. }
        | Blocker::Approval { .. } => None,
    }
}

/// To be read after "waits for".
fn reason(deployment: &Deployment, place: Option<usize>, blocker: &Blocker) -> String {
    match blocker {
        Blocker::Paused { project, pause } => {
            let what = if *project { "project" } else { "environment" };
            format!("the end of the {what}'s pause, by {}{}", pause.by.person, after_colon(&pause.reason))
        }
        Blocker::Closed(closed) => format!("the environment to open: {}", closed.because.join("; ")),
        Blocker::Running(numbers) => format!("the end of {}, under way here", deployments(numbers)),
        Blocker::Before(numbers) => before(numbers, place),
        Blocker::SideBySide { most } => format!("one of the {most} that go on side by side here to end"),
        Blocker::Held { hold, release } => match &hold.because {
            HoldReason::Scheduled => "its time: it was triggered for later".to_owned(),
            HoldReason::Deferred => "its time: it was approved for later".to_owned(),
            HoldReason::Requires { environment } => {
                format!("release `{release}` to have been live and healthy in `{environment}` for long enough")
            }
        },
        Blocker::Capacity { capacity: Capacity::Workers, most: Some(most) } => {
            format!("a free plugin worker: all {most} of the project are busy")
        }
        Blocker::Capacity { capacity: Capacity::Running, most: Some(most) } => {
            format!("another deployment of the project to end: {most} work already, and no more may")
        }
        Blocker::Capacity { capacity: Capacity::Workers, most: None } => "a free plugin worker".to_owned(),
        Blocker::Capacity { capacity: Capacity::Running, most: None } => {
            "its turn among the deployments of the project".to_owned()
        }
        Blocker::Approval { side, open, given, .. } => approval(*side, open, given),
        Blocker::Intervention { phase, instructions, .. } => {
            format!("a person, in phase `{phase}`{}", after_colon(instructions))
        }
        Blocker::Gates { of, not_green, .. } => gates(deployment, *of, not_green),
        Blocker::AskedAgain { step, because, .. } => {
            format!("{}, which is asked again: {because}", step_in_words(deployment, *step))
        }
    }
}

/// By number, but for a long queue: only its head is looked at, so nobody knows of all others whether they are in the way.
fn before(numbers: &[DeploymentNumber], place: Option<usize>) -> String {
    const MOST_NAMED: usize = 5;
    let place = place.map(|place| format!(", where it has place {place}")).unwrap_or_default();
    match numbers.get(..MOST_NAMED).filter(|_| numbers.len() > MOST_NAMED) {
        Some(first) => format!("deployments {} and others, before it in the queue{place}", listed(first)),
        None => format!("{}, before it in the queue{place}", deployments(numbers)),
    }
}

fn deployments(numbers: &[DeploymentNumber]) -> String {
    match numbers {
        [number] => format!("deployment {number}"),
        numbers => format!("deployments {}", listed(numbers)),
    }
}

/// `approval after the phases: still 1 of dba or security; approved by bob`.
fn approval(side: Side, open: &[ApprovalRule], given: &[String]) -> String {
    let when = match side {
        Side::Pre => "",
        Side::Post => " after the phases",
    };
    let rules = open.iter().map(rule_text).collect::<Vec<_>>().join(" and ");
    match given.is_empty() {
        true => format!("approval{when}: {rules}"),
        false => format!("approval{when}: still {rules}; approved by {}", listed(given)),
    }
}

fn gates(deployment: &Deployment, of: GatesOf, not_green: &[(Name, Option<String>)]) -> String {
    let whose = match of {
        GatesOf::Pre => "the gates before the phases".to_owned(),
        GatesOf::Post => "the gates after the phases".to_owned(),
        GatesOf::Phase(phase) => format!("the gates of phase `{}`", deployment.phase(phase).name),
    };
    let gate = |(name, why): &(Name, Option<String>)| match why.as_deref() {
        Some("") => format!("`{name}` is not"),
        Some(why) => format!("`{name}` says {why}"),
        None => format!("`{name}` was not sampled yet"),
    };
    match not_green.is_empty() {
        true => format!("{whose} to stay green for longer"),
        false => format!("{whose} to be green: {}", not_green.iter().map(gate).collect::<Vec<_>>().join("; ")),
    }
}

/// Who can lift it, and how.
fn lifted_by(answerers: &Answerers, deployment: &Deployment, blocker: &Blocker) -> String {
    match blocker {
        Blocker::Paused { .. } => "anyone who may deploy: `lockgate resume`".to_owned(),
        Blocker::Closed(_) => "time; or an administrator, with a reason: `lockgate deployment break-glass`".to_owned(),
        Blocker::Running(numbers) | Blocker::Before(numbers) => {
            let them = if numbers.len() == 1 { "it" } else { "them" };
            format!("time; or whoever cancels {them}: `lockgate deployment cancel`")
        }
        Blocker::SideBySide { .. } => "time; or whoever writes the project file: `parallel.most`".to_owned(),
        Blocker::Held { hold, .. } => match &hold.because {
            HoldReason::Scheduled | HoldReason::Deferred => "time; or whoever cancels and deploys again".to_owned(),
            HoldReason::Requires { environment } => {
                format!("whoever deploys the release to `{environment}`; then time")
            }
        },
        Blocker::Capacity { .. } => "time; or whoever writes the project file: `limits`".to_owned(),
        Blocker::Approval { side, not, .. } => {
            let but_not = if not.is_empty() { String::new() } else { format!(", but not {}", not.join(" or ")) };
            let asked = deployment.attempt.asked(*side);
            let lacking = asked.and_then(|asked| answerers.people().too_few_to_complete(deployment, asked));
            let more = lacking.map(|rule| format!("; {}", too_few(&rule))).unwrap_or_default();
            format!("whoever is asked{but_not}: `lockgate deployment approve`{more}")
        }
        Blocker::Intervention { groups, .. } if groups.is_empty() => {
            "anyone: `lockgate deployment approve` or `reject`".to_owned()
        }
        Blocker::Intervention { groups, .. } => {
            let rule = ApprovalRule { count: 1, groups: groups.iter().cloned().collect() };
            let has_none = answerers.people().has_none_of(groups);
            let more = if has_none { format!("; {}", too_few(&rule)) } else { String::new() };
            format!("members of {}: `lockgate deployment approve` or `reject`{more}", groups.join(" or "))
        }
        Blocker::Gates { .. } => {
            "what the gates measure; or an administrator, with a reason: `lockgate gate ignore`".to_owned()
        }
        Blocker::AskedAgain { .. } => "whoever holds or repairs what it needs".to_owned(),
    }
}

fn after_colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// A call, or the pause before the next one of a plugin that goes on by itself. What gates measure is said of the gates.
fn at_work(deployment: &Deployment, work: &Work) -> Option<wire::Blocker> {
    let is_at_work = match (&work.state, work.step) {
        (_, Step::Gate { .. }) => false,
        (WorkState::Waiting { .. }, _) => work.stumbled.is_none(),
        (WorkState::Calling { .. }, _) => true,
        (WorkState::Ready | WorkState::Done(_) | WorkState::Failed(_), _) => false,
    };
    let what = step_in_words(deployment, work.step);
    is_at_work.then(|| wire::Blocker {
        code: "at-work".to_owned(),
        reason: format!("{what}: its plugin is at work (try {})", work.tries),
        of: Some(what),
        lifted_by: "its plugin, when it is done; or whoever cancels: `lockgate deployment cancel`".to_owned(),
        until: None,
        deadline: Some(rfc3339(work.deadline)),
        next_look_at: None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use expect_test::expect;
    use lockgate_core::definition::{ApprovalPolicy, Reaction};
    use lockgate_core::deployment::{Approval, Hold, Signature};
    use lockgate_core::digest::Digest;
    use lockgate_core::environment::{Closed, Pause};
    use lockgate_core::name::Actor;
    use lockgate_core::system::{Role, Token};

    use super::super::testing::{ann, deploy, deployed, shop};
    use super::*;

    const LATER: Timestamp = Timestamp(60_000);

    fn held(because: HoldReason) -> Blocker {
        Blocker::Held { hold: Hold { because, until: Some(LATER) }, release: "v1".parse().unwrap() }
    }

    fn capacity(capacity: Capacity, most: Option<u32>) -> Blocker {
        Blocker::Capacity { capacity, most }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    fn approval(side: Side, given: &[&str], not: &[&str]) -> Blocker {
        Blocker::Approval {
            side,
            open: vec![ApprovalRule { count: 1, groups: texts(&["dba", "security"]).into_iter().collect() }],
            given: texts(given),
            not: texts(not),
            ends_at: LATER,
            on_timeout: Reaction::Reject,
        }
    }

    fn asked(groups: &[&str]) -> Blocker {
        let (phase, instructions) = ("migrate".parse().unwrap(), "look at the graphs".to_owned());
        Blocker::Intervention { phase, instructions, groups: texts(groups), deadline: LATER }
    }

    fn of_dba(person: &str) -> Actor {
        Actor { person: person.to_owned(), groups: ["dba".to_owned()].into(), via: "test".to_owned() }
    }

    /// Asks for as many, of whom these have agreed.
    fn of_dba_or_security(count: u32, given: Vec<Signature>) -> Approval {
        let rule = ApprovalRule { count, groups: ["dba".to_owned(), "security".to_owned()].into() };
        Approval {
            plan_digest: Digest::of(b"plan"),
            policy: ApprovalPolicy { rules: vec![rule], ..ApprovalPolicy::default() },
            requested_at: Timestamp(0),
            deadline: LATER,
            rules_until: None,
            given,
            refused: None,
            skipped: None,
            difference: Vec::new(),
        }
    }

    fn nobody() -> Answerers {
        Answerers::new(Arc::default())
    }

    /// The token of a person.
    fn in_dba(person: &str) -> (String, Token) {
        let token = Token {
            name: person.to_owned(),
            secret_hash: Digest::of(person.as_bytes()),
            person: person.to_owned(),
            groups: ["dba".to_owned()].into(),
            role: Role::Member,
            created_at: Timestamp(0),
            revoked: false,
        };
        (person.to_owned(), token)
    }

    fn gates(of: GatesOf, not_green: &[(&str, Option<&str>)]) -> Blocker {
        let gate = |(name, why): &(&str, Option<&str>)| (name.parse().unwrap(), why.map(str::to_owned));
        let not_green = not_green.iter().map(gate).collect();
        Blocker::Gates { of, not_green, next_round_at: Some(Timestamp(1_000)), deadline: Some(LATER) }
    }

    #[test]
    fn every_kind_says_what_it_is_and_who_lifts_it() {
        let paused = |project| Blocker::Paused {
            project,
            pause: Pause { by: ann(), at: LATER, reason: "stock-taking".to_owned() },
        };
        let closed = Closed { until: Some(LATER), because: texts(&["freeze `christmas`", "out of hours"]) };
        let blockers = [
            paused(true),
            paused(false),
            Blocker::Closed(closed),
            Blocker::Running(vec![3, 5]),
            Blocker::Before(vec![6]),
            Blocker::Before((10..42).collect()),
            Blocker::SideBySide { most: 2 },
            held(HoldReason::Scheduled),
            held(HoldReason::Deferred),
            held(HoldReason::Requires { environment: "staging".parse().unwrap() }),
            capacity(Capacity::Workers, Some(4)),
            capacity(Capacity::Workers, None),
            capacity(Capacity::Running, Some(4)),
            capacity(Capacity::Running, None),
            approval(Side::Pre, &[], &[]),
            approval(Side::Post, &["bob"], &["ann", "bob"]),
            asked(&[]),
            asked(&["boss"]),
            asked(&["sre", "dba"]),
            gates(GatesOf::Pre, &[("errors", Some("4 % failed")), ("latency", None), ("smoke", Some(""))]),
            gates(GatesOf::Phase(0), &[]),
            Blocker::AskedAgain { step: Step::Plan(1), because: "locked".to_owned(), at: LATER },
        ];
        let mut deployment = deployed();
        let given =
            |person| Signature { by: of_dba(person), at: Timestamp(0), comment: String::new(), not_before: None };
        deployment.attempt.approval = Some(Box::new(of_dba_or_security(2, vec![])));
        deployment.attempt.post_approval = Some(Box::new(of_dba_or_security(3, vec![given("bob"), given("dan")])));
        let system = SystemState { tokens: ["bob", "dan"].map(in_dba).into(), ..SystemState::default() };
        let answerers = Answerers::new(Arc::new(system));
        let said: Vec<wire::Blocker> =
            blockers.iter().map(|blocker| in_words(&answerers, &deployment, Some(96), blocker)).collect();
        let line = |blocker: &wire::Blocker| {
            let of = blocker.of.as_ref().map(|of| format!(" ({of})")).unwrap_or_default();
            format!("{}{of}: {}. Lifted by {}", blocker.code, blocker.reason, blocker.lifted_by)
        };
        expect![[r#"
            project-paused: the end of the project's pause, by ann: stock-taking. Lifted by anyone who may deploy: `lockgate resume`
            environment-paused: the end of the environment's pause, by ann: stock-taking. Lifted by anyone who may deploy: `lockgate resume`
            closed: the environment to open: freeze `christmas`; out of hours. Lifted by time; or an administrator, with a reason: `lockgate deployment break-glass`
            slot-taken: the end of deployments 3, 5, under way here. Lifted by time; or whoever cancels them: `lockgate deployment cancel`
            waits-behind: deployment 6, before it in the queue, where it has place 96. Lifted by time; or whoever cancels it: `lockgate deployment cancel`
            waits-behind: deployments 10, 11, 12, 13, 14 and others, before it in the queue, where it has place 96. Lifted by time; or whoever cancels them: `lockgate deployment cancel`
            parallel-limit: one of the 2 that go on side by side here to end. Lifted by time; or whoever writes the project file: `parallel.most`
            scheduled: its time: it was triggered for later. Lifted by time; or whoever cancels and deploys again
            deferred: its time: it was approved for later. Lifted by time; or whoever cancels and deploys again
            requires: release `v1` to have been live and healthy in `staging` for long enough. Lifted by whoever deploys the release to `staging`; then time
            queued-for-agent: a free plugin worker: all 4 of the project are busy. Lifted by time; or whoever writes the project file: `limits`
            queued-for-agent: a free plugin worker. Lifted by time; or whoever writes the project file: `limits`
            queued-for-pipeline: another deployment of the project to end: 4 work already, and no more may. Lifted by time; or whoever writes the project file: `limits`
            queued-for-pipeline: its turn among the deployments of the project. Lifted by time; or whoever writes the project file: `limits`
            approval: approval: 1 of dba or security. Lifted by whoever is asked: `lockgate deployment approve`
            approval: approval after the phases: still 1 of dba or security; approved by bob. Lifted by whoever is asked, but not ann or bob: `lockgate deployment approve`; too few of dba or security have a token; an administrator makes one: `lockgate token create NAME --person PERSON --group dba`
            manual-intervention (migrate): a person, in phase `migrate`: look at the graphs. Lifted by anyone: `lockgate deployment approve` or `reject`
            manual-intervention (migrate): a person, in phase `migrate`: look at the graphs. Lifted by members of boss: `lockgate deployment approve` or `reject`; too few of boss have a token; an administrator makes one: `lockgate token create NAME --person PERSON --group boss`
            manual-intervention (migrate): a person, in phase `migrate`: look at the graphs. Lifted by members of sre or dba: `lockgate deployment approve` or `reject`
            gates: the gates before the phases to be green: `errors` says 4 % failed; `latency` was not sampled yet; `smoke` is not. Lifted by what the gates measure; or an administrator, with a reason: `lockgate gate ignore`
            gates (migrate): the gates of phase `migrate` to stay green for longer. Lifted by what the gates measure; or an administrator, with a reason: `lockgate gate ignore`
            asked-again (plan of publish): plan of publish, which is asked again: locked. Lifted by whoever holds or repairs what it needs"#]]
        .assert_eq(&said.iter().map(line).collect::<Vec<_>>().join("\n"));
        let codes: BTreeSet<&str> = said.iter().map(|blocker| blocker.code.as_str()).collect();
        assert_eq!(codes.len(), 15, "each has been said: {codes:?}");
    }

    #[test]
    fn what_ends_by_itself_what_fails_and_what_is_looked_at_again_have_times_of_their_own() {
        let deployment = deployed();
        let times = |blocker: Blocker| {
            let wire::Blocker { until, deadline, next_look_at, .. } = in_words(&nobody(), &deployment, None, &blocker);
            [until, deadline, next_look_at].map(|at| at.map_or("-".to_owned(), |at| at[14..19].to_owned()))
        };
        assert_eq!(times(held(HoldReason::Scheduled)), ["01:00", "-", "-"]);
        assert_eq!(times(approval(Side::Pre, &[], &[])), ["-", "01:00", "-"]);
        assert_eq!(times(gates(GatesOf::Post, &[])), ["-", "01:00", "00:01"]);
    }

    /// Numbers and places say nothing of who changes the same.
    #[test]
    fn who_waits_beside_others_is_told_whom_for() {
        let mut state = shop();
        let [docs, web, waiting] = [Some("docs"), Some("web"), Some("web")].map(|it| deploy(&mut state, it));
        assert_eq!(state.environment(&"production".parse().unwrap()).slots.iter().collect::<Vec<_>>(), [&docs, &web]);
        let said = waiting_for(&state, &nobody(), &state.deployments[&waiting], Timestamp(0));
        let reasons: Vec<&str> = said.iter().map(|blocker| blocker.reason.as_str()).collect();
        assert_eq!(reasons, [format!("the end of deployment {web}, under way here")]);
        assert_eq!(place(&state, &state.deployments[&waiting]), Some(1));
        let after_it = deploy(&mut state, Some("web"));
        let said = waiting_for(&state, &nobody(), &state.deployments[&after_it], Timestamp(0));
        let codes: Vec<&str> = said.iter().map(|blocker| blocker.code.as_str()).collect();
        assert_eq!(codes, ["slot-taken", "waits-behind"]);
    }
}
