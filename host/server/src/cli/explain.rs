//! `lockgate explain`: everything that stands in a deployment's way, who can lift it, and when its turn comes.

use clap::Args;

use crate::cli::fail::CliError;
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
    match explanation.blockers.is_empty() {
        true => lines.push("  nothing is in its way".to_owned()),
        false => lines
            .extend(explanation.blockers.iter().flat_map(|blocker| show::blocked(look, "  waits: ", &blocker.blocker))),
    }
    if let Some(start) = &explanation.earliest_start {
        let text = format!("  earliest start: {}, if nobody acts", look.moment(start));
        lines.push(look.paint(Tone::Good, &text));
    }
    if let Some(until) = &explanation.no_start_until {
        let text = format!("  earliest start: not before {}, unless somebody acts", look.deadline(until));
        lines.push(look.paint(Tone::Waiting, &text));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::wire::{Blocker, ExplainedBlocker};

    #[test]
    fn every_blocker_is_told_with_who_lifts_it() {
        let blocker = |code: &str, reason: &str, lifted_by: &str, until: Option<&str>| ExplainedBlocker {
            code: code.to_owned(),
            blocker: Blocker {
                reason: reason.to_owned(),
                lifted_by: lifted_by.to_owned(),
                until: until.map(str::to_owned),
            },
        };
        let explanation = Explanation {
            deployment: 7,
            at: "2026-03-14T10:00:00Z".to_owned(),
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
                  lifted by time   until 15 Mar 10:00 (in 1 d)
              earliest start: 15 Mar 10:00:00 (in 1 d), if nobody acts"#]]
        .assert_eq(&explained(&look(), &explanation));
        let no_start_until = Some("2026-04-13T09:30:00Z".to_owned());
        let paused = Explanation { earliest_start: None, no_start_until, ..explanation.clone() };
        let said = explained(&look(), &paused);
        expect!["  earliest start: not before 13 Apr 09:30 (in 30 d), unless somebody acts"]
            .assert_eq(said.lines().last().unwrap());
        let free = Explanation { blockers: vec![], earliest_start: None, forecast: false, ..explanation };
        expect![[r#"
            #7  QUEUED  NotDeployed/Queued
              nothing is in its way"#]]
        .assert_eq(&explained(&look(), &free));
    }
}
