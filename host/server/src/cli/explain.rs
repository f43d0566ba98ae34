//! `lockgate explain`: everything that stands in a deployment's way, who can lift it, and when its turn comes.

use clap::Args;

use crate::cli::fail::CliError;
use crate::cli::live;
use crate::cli::look::{Look, Tone, duration};
use crate::cli::session::Session;
use crate::cli::show;
use crate::cli::target::DeploymentArg;
use crate::wire::Explanation;

#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    deployment: DeploymentArg,

    /// At a later time (RFC 3339), if nobody acts until then.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl ExplainArgs {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        let DeploymentArg { number, project } = self.deployment;
        let explanation = session.client.explain(&project.project, number, self.at.as_deref()).await?;
        session.out.answer(&explanation, explained);
        Ok(())
    }
}

fn explained(look: &Look, explanation: &Explanation) -> String {
    let Explanation { deployment, status, attempt_status, operation_status, .. } = explanation;
    let what = look.quiet(&format!("{attempt_status}/{operation_status}"));
    let mut lines = vec![format!("{}  {}  {what}", look.strong(&format!("#{deployment}")), look.status(status))];
    if explanation.forecast {
        let taken = duration(explanation.call_ms);
        lines.push(format!(
            "  so it will be at {}, if nobody acts, each call takes {taken} and gates pass",
            look.moment(&explanation.at)
        ));
    }
    if let Some(asked_at) = &explanation.asked_at {
        let text = format!("  no further could be looked ahead: too much happens until {}", look.moment(asked_at));
        lines.push(look.paint(Tone::Waiting, &text));
    }
    let waits = explanation.blockers.iter().flat_map(|blocker| show::blocked(look, "  waits: ", blocker));
    lines.extend(waits);
    if explanation.blockers.is_empty() {
        lines.push(match live::ending(status) {
            Some(_) => format!("  it is over: `lockgate deployment show {deployment}` says how it ended"),
            None => "  it is at work".to_owned(),
        });
    }
    if let Some(start) = &explanation.earliest_start {
        let text = format!("  earliest start: {}, if nobody acts", look.moment(start));
        lines.push(look.paint(Tone::Good, &text));
    }
    if let Some(until) = &explanation.no_start_until {
        let text = format!(
            "  earliest start: none until {}, which is as far as this looks, unless somebody acts",
            look.deadline(until)
        );
        lines.push(look.paint(Tone::Waiting, &text));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::wire::Blocker;

    #[test]
    fn every_blocker_is_told_with_who_lifts_it() {
        let blocker = |code: &str, reason: &str, lifted_by: &str, until: Option<&str>| Blocker {
            code: code.to_owned(),
            of: None,
            reason: reason.to_owned(),
            lifted_by: lifted_by.to_owned(),
            until: until.map(str::to_owned),
            deadline: None,
            next_look_at: None,
        };
        let explanation = Explanation {
            deployment: 7,
            at: "2026-03-14T10:00:00Z".to_owned(),
            asked_at: None,
            forecast: true,
            status: "QUEUED".to_owned(),
            attempt_status: "NotDeployed".to_owned(),
            operation_status: "Queued".to_owned(),
            blockers: vec![
                blocker("environment-paused", "the environment is paused by ann", "`lockgate resume`", None),
                blocker("closed", "freeze `audit`", "time", Some("2026-03-15T10:00:00Z")),
            ],
            earliest_start: Some("2026-03-15T10:00:00Z".to_owned()),
            no_start_until: None,
            call_ms: 10_000,
        };
        expect![[r#"
            #7  QUEUED  NotDeployed/Queued
              so it will be at 10:00:00 (in 30 min), if nobody acts, each call takes 10 s and gates pass
              waits: the environment is paused by ann
                  lifted by `lockgate resume`
              waits: freeze `audit`
                  lifted by time   opens 15 Mar 10:00 (in 1 d)
              earliest start: 15 Mar 10:00:00 (in 1 d), if nobody acts"#]]
        .assert_eq(&explained(&look(), &explanation));
        let no_start_until = Some("2026-04-13T09:30:00Z".to_owned());
        let paused = Explanation { earliest_start: None, no_start_until, ..explanation.clone() };
        let said = explained(&look(), &paused);
        expect![
            "  earliest start: none until 13 Apr 09:30 (in 30 d), which is as far as this looks, unless somebody acts"
        ]
        .assert_eq(said.lines().last().unwrap());
        let busy = Explanation { asked_at: Some("2026-03-16T10:00:00Z".to_owned()), ..explanation };
        expect!["  no further could be looked ahead: too much happens until 16 Mar 10:00:00 (in 2 d)"]
            .assert_eq(explained(&look(), &busy).lines().nth(2).unwrap());
    }

    #[test]
    fn what_is_over_is_not_told_to_be_free_to_go() {
        let said = |status: &str| {
            let explanation = Explanation {
                deployment: 7,
                at: "2026-03-14T10:00:00Z".to_owned(),
                asked_at: None,
                forecast: false,
                status: status.to_owned(),
                attempt_status: String::new(),
                operation_status: String::new(),
                blockers: vec![],
                earliest_start: None,
                no_start_until: None,
                call_ms: 10_000,
            };
            explained(&look(), &explanation).lines().last().unwrap().trim().to_owned()
        };
        assert_eq!(
            ["SUCCEEDED", "ABORTED"].map(said),
            ["it is over: `lockgate deployment show 7` says how it ended"; 2]
        );
        assert_eq!(["QUEUED", "IN_PROGRESS"].map(said), ["it is at work"; 2]);
    }
}
