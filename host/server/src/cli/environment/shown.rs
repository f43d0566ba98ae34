//! How an environment looks: what is live and what may be there instead, who waits, and what holds it up.

use crate::cli::look::{Look, Tone, or_dash, printable};
use crate::cli::pause;
use crate::wire::{CurrentRelease, Environment, Refused, Tick};

pub fn table(look: &Look, environments: &[Environment]) -> String {
    let header = ["ENVIRONMENT", "LIVE", "UNDER WAY", "QUEUE", "HELD", "SCHEDULED NEXT", "TORN DOWN", "STATE"];
    look.table(&header, environments.iter().map(|environment| row(look, environment)))
}

fn row(look: &Look, environment: &Environment) -> Vec<String> {
    let operations = &environment.operations;
    let count = |count: usize| or_dash(if count == 0 { String::new() } else { count.to_string() });
    let moment = |at: &Option<String>| or_dash(at.as_ref().map(|at| look.moment(at)).unwrap_or_default());
    let states = [
        (operations.paused.is_some(), "paused"),
        (operations.schedule_paused.is_some(), "schedule paused"),
        (operations.promotion_hold.is_some(), "nothing by itself since a rollback"),
        (environment.differs, "differs from live"),
        (operations.refused.is_some(), "refused"),
    ];
    let states: Vec<&str> = states.into_iter().filter_map(|(is, state)| is.then_some(state)).collect();
    vec![
        environment.name.clone(),
        or_dash(environment.live.as_ref().map(|live| printable(&live.release)).unwrap_or_default()),
        count(environment.running.len()),
        count(environment.waiting),
        count(environment.held.len()),
        moment(&operations.next_scheduled_time),
        moment(&operations.expires_at),
        or_dash(states.join(", ")),
    ]
}

pub fn shown(look: &Look, environment: &Environment) -> String {
    let live = environment.live.as_ref().map_or("nothing".to_owned(), |live| {
        format!("{} since {}", printable(&live.release), look.moment(&live.since))
    });
    let mut lines = vec![look.strong(&environment.name), format!("  live: {live}")];
    for (application, live) in &environment.live_apart {
        lines.push(format!("  live apart: {application} is {}", printable(&live.release)));
    }
    for (application, current) in differing(environment) {
        let (release, number) = (printable(&current.release), current.deployment);
        let text = match application {
            Some(application) => format!("  current apart: {application} is {release}, by deployment {number}"),
            None => format!("  current: {release}, by deployment {number}"),
        };
        lines.push(look.paint(Tone::Waiting, &text));
    }
    for (what, numbers) in [("under way", &environment.running), ("held", &environment.held)] {
        if !numbers.is_empty() {
            lines.push(format!("  {what}: {}", numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")));
        }
    }
    if environment.waiting > 0 {
        lines.push(format!("  waiting: {}", environment.waiting));
    }
    lines.extend(operations(look, environment));
    lines.join("\n")
}

/// What may be there instead of what is live: in each of these applications, or in all of them.
pub fn differing(environment: &Environment) -> Vec<(Option<&str>, &CurrentRelease)> {
    let current = environment.current.as_ref();
    if environment.differs_in.is_empty() {
        return current.filter(|_| environment.differs).map(|current| (None, current)).into_iter().collect();
    }
    let apart = |name: &String| environment.current_apart.get(name).or(current);
    environment.differs_in.iter().filter_map(|name| Some((Some(name.as_str()), apart(name)?))).collect()
}

fn operations(look: &Look, environment: &Environment) -> Vec<String> {
    let operations = &environment.operations;
    let mut lines: Vec<String> = pause::of_environment(look, environment)
        .into_iter()
        .map(|line| look.paint(Tone::Waiting, &format!("  {line}")))
        .collect();
    if let Some(hold) = &operations.promotion_hold {
        let bad = hold.bad.as_ref().map(|bad| format!(", which took {} away", printable(bad))).unwrap_or_default();
        let held = match hold.held_back.is_empty() {
            true => String::new(),
            false => format!("; held back: {}", printable(&hold.held_back.join(", "))),
        };
        let text = format!("  nothing is deployed here by itself since rollback {}{bad}{held}", hold.rollback);
        lines.push(look.paint(Tone::Waiting, &text));
    }
    lines.extend(operations.refused.as_ref().map(|refused| {
        let Refused { at, what, because } = refused;
        let text = format!("  {} did not happen, {}: {}", printable(what), look.relative(at), printable(because));
        look.paint(Tone::Bad, &text)
    }));
    lines.extend(operations.expires_at.as_ref().map(|at| format!("  torn down: {}", look.moment(at))));
    lines.extend(operations.next_scheduled_time.as_ref().map(|at| format!("  scheduled next: {}", look.moment(at))));
    lines.extend(operations.ticks.iter().take(5).map(|tick| look.quiet(&format!("    {}", ticked(look, tick)))));
    lines
}

fn ticked(look: &Look, tick: &Tick) -> String {
    match tick.deployment {
        Some(number) => format!("{}: deployment {number}", look.moment(&tick.at)),
        None => format!("{}: {}, {}", look.moment(&tick.at), tick.outcome, printable(&tick.because)),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::cli::look::testing::look;
    use crate::wire::{CurrentRelease, LiveRelease, Operations, Pause, PromotionHold};

    #[test]
    fn an_environment_says_what_holds_it_up() {
        let live = |release: &str| LiveRelease {
            release: release.to_owned(),
            deployment: 3,
            since: "2026-03-14T09:00:00Z".to_owned(),
        };
        let current = |release: &str, deployment| CurrentRelease {
            release: release.to_owned(),
            deployment,
            since: "2026-03-14T09:00:00Z".to_owned(),
        };
        let environment = Environment {
            name: "production".to_owned(),
            live: Some(live("v1")),
            current: Some(current("v1", 3)),
            differs: true,
            differs_in: vec!["api".to_owned()],
            active: Some(7),
            queue: vec![8],
            waiting: 1,
            rollback_to: None,
            live_apart: [("web".to_owned(), live("v2"))].into(),
            current_apart: [("web".to_owned(), current("v2", 4)), ("api".to_owned(), current("v3", 6))].into(),
            running: vec![7],
            held: vec![9],
            operations: Operations {
                paused: Some(Pause {
                    by: "ann".to_owned(),
                    at: "2026-03-14T09:00:00Z".to_owned(),
                    reason: "the database moves".to_owned(),
                }),
                promotion_hold: Some(PromotionHold {
                    since: "2026-03-14T09:00:00Z".to_owned(),
                    rollback: 5,
                    bad: Some("v3".to_owned()),
                    held_back: vec!["v4".to_owned()],
                }),
                next_scheduled_time: Some("2026-03-15T03:00:00Z".to_owned()),
                ticks: vec![Tick {
                    at: "2026-03-14T03:00:00Z".to_owned(),
                    outcome: "dropped".to_owned(),
                    deployment: None,
                    because: "deployment 7 was under way".to_owned(),
                }],
                refused: Some(Refused {
                    at: "2026-03-14T09:00:00Z".to_owned(),
                    what: "the promotion of v4".to_owned(),
                    because: "it must be set up first".to_owned(),
                }),
                ..Operations::default()
            },
        };
        expect![[r#"
            production
              live: v1 since 09:00:00 (30 min ago)
              live apart: web is v2
              current apart: api is v3, by deployment 6
              under way: 7
              held: 9
              waiting: 1
              paused by ann 30 min ago: the database moves
              nothing is deployed here by itself since rollback 5, which took v3 away; held back: v4
              the promotion of v4 did not happen, 30 min ago: it must be set up first
              scheduled next: 15 Mar 03:00:00 (in 17 h)
                03:00:00 (6 h ago): dropped, deployment 7 was under way"#]]
        .assert_eq(&shown(&look(), &environment));
        expect![[r#"
            ENVIRONMENT  LIVE  UNDER WAY  QUEUE  HELD  SCHEDULED NEXT             TORN DOWN  STATE
            production   v1    1          1      1     15 Mar 03:00:00 (in 17 h)  -          paused, nothing by itself since a rollback, differs from live, refused"#]].assert_eq(&table(&look(), &[environment]));
    }
}
