//! Why a deployment waits, now and at a later time.

use axum::Json;
use axum::extract::State;
use lockgate_core::deployment::{Attempt, Deployment, Finish, Stage};
use lockgate_core::forecast::{Assumptions, Forecast, forecast};
use lockgate_core::name::{DeploymentNumber, Name, Timestamp};
use lockgate_core::state::State as ProjectState;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Api;
use super::deployments::find;
use super::input::{Asked, At, parse_time};
use super::problem::Problem;
use super::views::{self, Answerers, word};
use crate::clock::{self, rfc3339};
use crate::wire;

/// How far ahead the start of a deployment is looked for.
const HORIZON_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// What a call is taken to need.
const CALL_MS: u64 = 10_000;
const LONGEST_CALL_MS: u64 = 24 * 60 * 60 * 1000;
/// More turns than anybody wants to wait for.
const MOST_TURNS: usize = 20_000;
/// Explanations that look ahead at a time.
pub const AT_ONCE: usize = 2;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// A later time, RFC 3339: what will stand in the way then, if nobody acts.
    at: Option<String>,
    /// How long each call is taken to need, in milliseconds; 10000 when left out.
    call_ms: Option<u64>,
}

/// Everything that stands in a deployment's way, who can lift it, and when its turn comes if nobody acts.
#[utoipa::path(get, path = "/v1/projects/{project}/deployments/{number}/explain", tag = "deployments",
    params(("project" = String, Path), ("number" = u64, Path), ExplainQuery),
    responses((status = 200, body = wire::Explanation)), security(("token" = ["viewer"])))]
pub async fn explain(
    State(api): State<Api>,
    At((project, number)): At<(Name, DeploymentNumber)>,
    Asked(query): Asked<ExplainQuery>,
) -> Result<Json<wire::Explanation>, Problem> {
    let handle = api.project(&project)?;
    let found = find(&api, &handle, number).await?;
    let now = clock::now().max(found.view.state.last_event_at);
    let at = query.at.as_deref().map(|text| later("at", text, now)).transpose()?;
    let gates = api.host.system.view().approved_gates();
    let call_ms = query.call_ms.unwrap_or(CALL_MS).clamp(1, LONGEST_CALL_MS);
    let assumptions = Assumptions { call_ms, gates, most_turns: MOST_TURNS };
    // Looking ahead may take many turns.
    let explain = move || explanation(&found.view.state, &found.answerers, &found.deployment, now, at, &assumptions);
    Ok(Json(api.looking_ahead.run(explain).await.expect("it does not panic")))
}

fn later(field: &str, text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let at = parse_time(field, text)?;
    let detail = if at < now {
        let now = rfc3339(now);
        format!(
            "`{field}` is past, for it is {now}: give a later time, or none to ask about now; what was is in the deployment's events"
        )
    } else if at.ms_since(now) > HORIZON_MS {
        format!("`{field}` can be {} days ahead at most", HORIZON_MS / 86_400_000)
    } else {
        return Ok(at);
    };
    Err(Problem::invalid("invalid-query", detail))
}

fn explanation(
    state: &ProjectState,
    answerers: &Answerers,
    deployment: &Deployment,
    now: Timestamp,
    at: Option<Timestamp>,
    assumptions: &Assumptions,
) -> wire::Explanation {
    let number = deployment.number;
    let ahead = match at {
        Some(at) => forecast(state, now, at, assumptions, |_| false),
        None => Forecast { state: state.clone(), until: now },
    };
    let deployment_then = ahead.state.deployments.get(&number).map_or(deployment, AsRef::as_ref);
    let (earliest_start, no_start_until) = match start(state, deployment, now, assumptions) {
        Start::At(at) => (Some(rfc3339(at)), None),
        Start::NotUntil(at) => (None, Some(rfc3339(at))),
        Start::Over => (None, None),
    };
    let (attempt_status, operation_status) = deployment_then.attempt.status();
    wire::Explanation {
        deployment: number,
        at: rfc3339(ahead.until),
        asked_at: at.filter(|at| *at != ahead.until).map(rfc3339),
        forecast: at.is_some(),
        status: word(deployment_then.attempt.deployment_status()),
        attempt_status: word(attempt_status),
        operation_status: word(operation_status),
        blockers: views::in_the_way(&ahead.state, answerers, deployment_then, ahead.until),
        earliest_start,
        no_start_until,
        call_ms: assumptions.call_ms,
    }
}

/// When the turn of a deployment comes, as things stand.
#[derive(Debug, PartialEq, Eq)]
enum Start {
    At(Timestamp),
    NotUntil(Timestamp),
    /// It has come, or the deployment ends without one.
    Over,
}

/// In line, or with a slot and held up before its first phase.
fn is_to_start(attempt: &Attempt) -> bool {
    let is_held_up = matches!(attempt.stage, Stage::AwaitingCapacity(_));
    attempt.stage.is_waiting() || (is_held_up && attempt.begun_at.is_none())
}

fn start(state: &ProjectState, deployment: &Deployment, now: Timestamp, assumptions: &Assumptions) -> Start {
    if !is_to_start(&deployment.attempt) {
        return Start::Over;
    }
    let in_state = |state: &ProjectState| state.deployments.get(&deployment.number).cloned();
    let has_come = |state: &ProjectState| in_state(state).is_none_or(|deployment| !is_to_start(&deployment.attempt));
    let ahead = forecast(state, now, now.plus_ms(HORIZON_MS), assumptions, has_come);
    match in_state(&ahead.state).map(|then| then.attempt.clone()) {
        Some(attempt) if is_to_start(&attempt) => Start::NotUntil(ahead.until),
        Some(Attempt { stage: Stage::Finished(Finish::Canceled(_)), begun_at: None, .. }) | None => Start::Over,
        Some(_) => Start::At(ahead.until),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_about_the_time_that_was_reached() {
        let mut state = views::testing::shop();
        let number = views::testing::deploy(&mut state, None);
        let deployment = state.deployments[&number].clone();
        let explained = |most_turns| {
            let assumptions = Assumptions { call_ms: 1_000, gates: Default::default(), most_turns };
            let asked = Some(Timestamp(60_000));
            let explanation = explanation(
                &state,
                &Answerers::new(Default::default()),
                &deployment,
                Timestamp(0),
                asked,
                &assumptions,
            );
            (explanation.at, explanation.asked_at)
        };
        assert_eq!(explained(100), ("1970-01-01T00:01:00.000Z".to_owned(), None));
        assert_eq!(explained(1), ("1970-01-01T00:00:10.000Z".to_owned(), Some("1970-01-01T00:01:00.000Z".to_owned())));
    }
}
