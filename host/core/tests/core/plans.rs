//! Plan, approve, confirm, apply: what was approved is what is applied.

use expect_test::expect;
use lockgate_core::definition::{Environment, OnFailure, Phase, Workflow};
use lockgate_core::deployment::Flags;
use lockgate_core::handle::{Command, Deploy};
use lockgate_core::order::{Question, order};
use lockgate_core::plugin::{ChangeAction, FieldChange, ResourceChange, Retry};
use lockgate_core::work::Answer;
use lockgate_core::work::Step::*;
use serde_json::{Value, json};

use crate::project::{Project, to_prod};
use crate::words::*;

fn asking() -> Environment {
    Environment { approvals: asks(&[rule(1, &[])]), ..environment() }
}

#[test]
fn a_deployment_plans_asks_confirms_applies_checks_its_gates_and_is_live() {
    let prod = Environment { post_gates: Some(gates()), ..asking() };
    let mut project = Project::new(prod, &[phase("build"), apply("web"), apply("db")]);
    project.deploy("v1");
    assert_eq!(project.due(), "1 Plan(1)");
    project.answer(1, Plan(1), plan(&["a"]));
    project.answer(1, Plan(2), plan(&["b"]));
    project.approve(1, person("ann")).unwrap();
    assert_eq!(project.prod(), "live nothing, current nothing, before: ");
    project.answer(1, Run(0), done());
    project.answer(1, Confirm(1), plan(&["a"]));
    assert_eq!(project.prod(), "live nothing, current v1, before: ");
    project.answer(1, Run(1), done());
    project.answer(1, Confirm(2), plan(&["b"]));
    project.answer(1, Run(2), done());
    assert_eq!(project.due(), "1 Gate(0), 1 Gate(1)");
    project.answer(1, gate(0), passes());
    project.answer(1, gate(1), passes());
    expect![[r#"
        NotDeployed/Queued
        NotDeployed/Pending
        InProgress/PhaseInProgress
        InProgress/PhaseSucceeded
        InProgress/PhaseInProgress
        InProgress/PhaseSucceeded
        InProgress/PhaseInProgress
        InProgress/EvaluatingGates
        Succeeded/Approved"#]]
    .assert_eq(&project.went(1));
    assert_eq!(project.prod(), "live v1, current v1, before: ");
}

#[test]
fn drift_before_the_first_phase_voids_the_approvals_and_asks_with_the_difference() {
    let mut project = Project::new(asking(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a", "b"]));
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), plan(&["b", "c"]));
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("NotDeployed/Pending", ""));
    let asked = project.deployment(1).attempt.approval.clone().unwrap();
    assert!(asked.given.is_empty());
    assert_eq!(asked.plan_digest, project.deployment(1).plan_digest());
    expect![[r#"
        file c: was not in the plan before
        file a: no longer in the plan"#]]
    .assert_eq(&asked.difference.join("\n"));

    project.approve(1, person("ann")).unwrap();
    assert_eq!(project.due(), "1 Confirm(0)");
    project.answer(1, Confirm(0), plan(&["b", "c"]));
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn an_approver_signs_the_plan_they_saw_and_no_other() {
    let mut project = Project::of(definition(&[("prod", asking())], workflow(&[apply("web")])));
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    let seen = project.deployment(1).plan_digest();
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), plan(&["b"]));

    let refused = project.approve_plan(1, seen, person("ann")).unwrap_err();
    assert!(refused.contains("look at what it would change"), "{refused}");
    assert!(project.deployment(1).attempt.approval.as_ref().unwrap().given.is_empty());
    project.approve_plan(1, project.deployment(1).plan_digest(), person("ann")).unwrap();
    assert_eq!(project.due(), "1 Confirm(0)");
}

/// The second target drifts while the deployment is under way.
fn drifted_later(on_failure: OnFailure) -> Project {
    let cleanup = lockgate_core::definition::Phase { always_run: true, ..phase("cleanup") };
    let phases = [apply("web"), apply("db"), cleanup];
    let meant = Workflow { on_failure, ..workflow(&phases) };
    let mut project = Project::of(definition(&[("prod", asking())], meant));
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Plan(1), plan(&["b"]));
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), done());
    project
}

#[test]
fn drift_later_asks_a_person_who_signs_the_new_plan() {
    let mut project = drifted_later(OnFailure::Stop);
    project.answer(1, Confirm(1), plan(&["c"]));
    assert_eq!((project.is(1).as_str(), project.due().as_str()), ("InProgress/ManualInterventionPending", ""));
    project.approve(1, person("ann")).unwrap();
    assert_eq!(project.is(1), "InProgress/PhaseSucceeded");
    project.answer(1, Confirm(1), plan(&["c"]));
    assert_eq!(project.due(), "1 Run(1)");
}

#[test]
fn drift_later_that_a_person_refuses_fails_the_phase() {
    let mut project = drifted_later(OnFailure::Stop);
    project.answer(1, Confirm(1), plan(&["c"]));
    project.reject(1, person("ann")).unwrap();
    assert_eq!(project.due(), "1 Run(2)");
    project.answer(1, Run(2), done());
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["apply-db: ann refused: not on a Friday"].assert_eq(&project.failure(1));
    expect!["apply-web Succeeded, apply-db Failed, cleanup Succeeded"].assert_eq(&project.phases(1));
}

#[test]
fn drift_later_that_nobody_answers_fails_the_phase() {
    let mut project = drifted_later(OnFailure::Undo);
    project.answer(1, Confirm(1), plan(&["c"]));
    project.at(3_600);
    assert_eq!(project.due(), "1 Undo(0)");
    expect!["apply-db: nobody answered in time"].assert_eq(&project.failure(1));
}

#[test]
fn drift_later_to_a_destructive_plan_fails_the_phase_and_winds_down() {
    let mut project = drifted_later(OnFailure::Undo);
    project.answer(1, Confirm(1), planned(vec![change("b", ChangeAction::Delete)], Value::Null));
    assert_eq!(project.due(), "1 Undo(0)");
    project.all_goes_well();
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["apply-db: the plan destroys or replaces file b; deploy with --allow-destructive (over HTTP `allow_destructive`) if that is meant"]
        .assert_eq(&project.failure(1));
    expect!["apply-web Succeeded, apply-db Failed, cleanup Succeeded"].assert_eq(&project.phases(1));
}

#[test]
fn drift_where_nobody_is_asked_applies_the_plan_that_was_confirmed() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["b"]));
    assert_eq!(project.due(), "1 Confirm(0)");
    project.answer(1, Confirm(0), plan(&["b"]));
    assert_eq!(applied(&project), plan(&["b"]));
}

#[test]
fn an_apply_that_finds_its_plan_stale_is_confirmed_and_signed_again() {
    let mut project = Project::new(asking(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), fails_with("plan-stale"));
    assert_eq!(project.due(), "1 Confirm(0)");
    project.answer(1, Confirm(0), plan(&["b"]));
    assert_eq!(project.is(1), "InProgress/ManualInterventionPending");
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), plan(&["b"]));
    let keys = project.keys(1, Run(0));
    assert_ne!(keys[0], keys[1], "another plan is another piece of work");
    project.answer(1, Run(0), done());
    assert_eq!(project.is(1), "Succeeded/Approved");
}

/// A token holds what the digest does not, such as the serial number of a state file.
#[test]
fn an_apply_gets_the_token_of_the_last_confirmation() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    let serial = |serial: u32| planned(vec![change("a", ChangeAction::Update)], json!(serial));
    project.answer(1, Plan(0), serial(1));
    project.answer(1, Confirm(0), serial(2));
    assert_eq!(applied(&project), serial(2));
}

#[test]
fn the_order_of_changes_is_no_drift() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a", "b"]));
    project.answer(1, Confirm(0), plan(&["b", "a"]));
    assert_eq!(project.due(), "1 Run(0)");
}

#[test]
fn a_world_that_never_holds_still_ends_the_attempt() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    for round in 0..11 {
        project.answer(1, Confirm(0), plan(&[&round.to_string()]));
    }
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["plan: the plan changed 10 times between approval and apply; find out what else writes here, then retry"]
        .assert_eq(&project.failure(1));
}

#[test]
fn an_apply_that_is_always_stale_ends_the_attempt() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    for _ in 0..11 {
        project.answer(1, Confirm(0), plan(&["a"]));
        project.answer(1, Run(0), fails_with("plan-stale"));
    }
    assert_eq!(project.is(1), "Failed/PhaseFailed");
}

#[test]
fn a_destructive_plan_is_refused_and_names_what_it_destroys() {
    let mut project = Project::new(environment(), &[apply("web")]);
    let destroys = || {
        planned(
            vec![
                change("a", ChangeAction::Delete),
                change("b", ChangeAction::Replace),
                change("c", ChangeAction::Create),
            ],
            Value::Null,
        )
    };
    project.deploy("v1");
    project.answer(1, Plan(0), destroys());
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["plan: the plan destroys or replaces file a, file b; deploy with --allow-destructive (over HTTP `allow_destructive`) if that is meant"]
        .assert_eq(&project.failure(1));

    let flags = Flags { allow_destructive: true, ..Flags::default() };
    project.send(Command::Deploy(Deploy { flags, ..to_prod("v1") }));
    project.answer(2, Plan(0), destroys());
    assert_eq!(project.due(), "2 Confirm(0)");
}

/// Whatever its target calls it.
#[test]
fn what_deletes_or_replaces_is_destructive_and_the_rest_as_its_target_says() {
    let refused = |action, destructive| {
        let mut project = Project::new(environment(), &[apply("web")]);
        project.deploy("v1");
        let change = ResourceChange { destructive, ..change("a", action) };
        project.answer(1, Plan(0), planned(vec![change], Value::Null));
        project.deployment(1).is_finished()
    };
    use ChangeAction::*;
    for action in [Delete, Replace] {
        assert!(refused(action, false), "{action:?}");
    }
    for action in [Create, Update, NoOp] {
        assert!(refused(action, true) && !refused(action, false), "{action:?}");
    }
}

#[test]
fn a_plan_that_cannot_be_confirmed_fails_the_attempt_whatever_its_phase_says() {
    let optional = Phase { continue_on_error: true, ..apply("db") };
    let always = Phase { always_run: true, ..phase("cleanup") };
    let mut project = Project::new(environment(), &[apply("web"), optional, always]);
    project.deploy("v1");
    for step in [Plan(0), Plan(1), Confirm(0)] {
        project.answer(1, step, plan(&["a"]));
    }
    project.answer(1, Run(0), done());
    project.answer(1, Confirm(1), fails("no access"));
    assert_eq!(project.due(), "1 Run(2)");
    project.answer(1, Run(2), done());
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["plan: no access"].assert_eq(&project.failure(1));
    expect!["apply-web Succeeded, apply-db Skipped, cleanup Succeeded"].assert_eq(&project.phases(1));
    project.retry(1).unwrap();
    assert_eq!(project.due(), "1 Plan(1)");
}

/// Two applications may have a resource of one name, and the order of fields says nothing.
#[test]
fn a_difference_tells_applications_apart_and_ignores_the_order_of_fields() {
    let field = |path: &str| FieldChange {
        path: path.to_owned(),
        before: String::new(),
        after: "1".to_owned(),
        sensitive: false,
        fingerprint: String::new(),
    };
    let of = |application: &str, fields: &[&str]| ResourceChange {
        application: application.to_owned(),
        fields: fields.iter().map(|path| field(path)).collect(),
        ..change("a", ChangeAction::Update)
    };
    let approved = vec![of("shop", &["x", "y"]), of("bank", &["x"])];
    let mut project = Project::new(asking(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), planned(approved, Value::Null));
    project.approve(1, person("ann")).unwrap();
    project.answer(1, Confirm(0), planned(vec![of("bank", &["z"]), of("shop", &["y", "x"])], Value::Null));
    let asked = project.deployment(1).attempt.approval.clone().unwrap();
    expect!["file a of bank: has changed"].assert_eq(&asked.difference.join("\n"));
}

/// Its target may think that asking again helps.
#[test]
fn a_stale_plan_never_costs_a_retry() {
    let mut project = Project::new(environment(), &[Phase { retries: 3, ..apply("web") }]);
    project.deploy("v1");
    project.answer(1, Plan(0), plan(&["a"]));
    project.answer(1, Confirm(0), plan(&["a"]));
    project.answer(1, Run(0), Answer::Failed(failure("plan-stale", "moved", Retry::SameKey)));
    assert_eq!(project.due(), "1 Confirm(0)");
}

#[test]
fn a_plan_that_fails_is_tried_three_times_more_and_then_fails_the_phase_plan() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    for seconds in [0, 1, 3, 7] {
        project.at(seconds);
        project.answer(1, Plan(0), stumbles("cannot reach the cluster"));
    }
    assert_eq!(project.is(1), "Failed/PhaseFailed");
    expect!["plan: cannot reach the cluster"].assert_eq(&project.failure(1));
    assert!(project.keys(1, Plan(0)).windows(2).all(|keys| keys[0] == keys[1]));
}

#[test]
fn a_plan_may_take_several_calls() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    let Answer::Planned(mut step) = plan(&[]) else { unreachable!() };
    (step.done, step.cursor) = (false, vec![7]);
    project.answer(1, Plan(0), Answer::Planned(step));
    assert_eq!(project.deployment(1).work(Plan(0)).unwrap().cursor, [7]);
    project.all_goes_well();
    assert_eq!(project.is(1), "Succeeded/Approved");
}

#[test]
fn a_target_that_is_applied_again_hears_its_weight_and_the_one_before() {
    let at = |weight, text| Phase { name: name(text), weight, ..apply("web") };
    let rising = [at(10, "a-tenth"), at(50, "half"), apply("db"), at(100, "all")];
    let mut project = Project::new(environment(), &rising);
    project.deploy("v1");
    let plans = [Plan(0), Plan(1), Plan(2), Plan(3)].map(|step| {
        let subject = subject(&order(&project.state, &project.state.due()[0]).unwrap());
        project.answer(1, step, plan(&["a"]));
        format!("{} after {}", subject["weight"], subject["weight_before"])
    });
    assert_eq!(plans, ["10 after 0", "50 after 10", "100 after 0", "100 after 50"]);
}

#[test]
fn an_answer_to_another_question_is_a_failure() {
    let mut project = Project::new(environment(), &[apply("web")]);
    project.deploy("v1");
    project.answer(1, Plan(0), done());
    expect!["plan: the plugin answered with something that does not fit the question"].assert_eq(&project.failure(1));
}

/// The plan that the apply which is due now is given.
fn applied(project: &Project) -> Answer {
    let due = project.state.due()[0];
    match order(&project.state, &due).map(|order| order.question) {
        Some(Question::Apply { approved, .. }) => {
            planned(approved.planned.changes.clone(), approved.planned.token.clone())
        }
        other => panic!("{other:?}"),
    }
}
