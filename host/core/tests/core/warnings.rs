//! What a project file lacks, as the host is: plugins, and people to ask.

use lockgate_core::calendar::{Freeze, FreezeEffect};
use lockgate_core::definition::{ApprovalPolicy, ApprovalRule, Definition, Environment, Phase, PhaseWork};
use lockgate_core::digest::Digest;
use lockgate_core::name::{Actor, Timestamp};
use lockgate_core::plugin::{HttpGrant, Requested};
use lockgate_core::system::{Plugin, PluginApproval, Role, SystemState, Token};
use lockgate_core::warnings::{Lack, People, Shortage, Warning};
use lockgate_core::work::Step::*;

use crate::project::Project;
use crate::words::*;

type Given<'a> = (&'a str, Role, &'a [&'a str]);

const ROOT: Given<'_> = ("root", Role::Admin, &[]);

/// People with these tokens; `steps`, `files` and `probe` are approved.
fn system(tokens: &[Given]) -> SystemState {
    let token = |(index, (person, role, groups)): (usize, &Given)| {
        let name = format!("{person}-{index}");
        let token = Token {
            secret_hash: Digest::of(name.as_bytes()),
            name: name.clone(),
            person: person.to_string(),
            groups: texts(groups),
            role: *role,
            created_at: Timestamp(0),
            revoked: false,
        };
        (name, token)
    };
    let mut system = SystemState { tokens: tokens.iter().enumerate().map(token).collect(), ..Default::default() };
    for (name, plugin) in approved_plugins() {
        let (by, at) = (person("root"), Timestamp(0));
        let approval = PluginApproval { grants: plugin.grants, reason: String::new(), by: by.clone(), at };
        let added = Plugin {
            name: name.clone(),
            kind: plugin.kind,
            description: plugin.description,
            size_bytes: 1,
            source: None,
            signatures: Vec::new(),
            added_by: by,
            added_at: at,
            approval: Some(approval),
            retired: None,
        };
        system.active.insert(name, plugin.digest);
        system.plugins.insert(plugin.digest, added);
    }
    system
}

fn ops(person: &str) -> Given<'_> {
    (person, Role::Member, &["ops"])
}

fn dba(person: &str) -> Given<'_> {
    (person, Role::Member, &["dba"])
}

fn warnings(definition: &Definition, system: &SystemState) -> Vec<Warning> {
    lockgate_core::warnings::warnings(&name("shop"), definition, system, Timestamp(0))
}

fn paths(definition: &Definition, system: &SystemState) -> Vec<String> {
    warnings(definition, system).into_iter().map(|warning| warning.path).collect()
}

fn one(environment: Environment) -> Definition {
    definition(&[("production", environment)], workflow(&[phase("migrate"), apply("web")]))
}

/// What an approval by these rules lacks.
fn shortage(rules: &[ApprovalRule], tokens: &[Given]) -> Option<Shortage> {
    let found = warnings(&one(Environment { approvals: asks(rules), ..environment() }), &system(tokens));
    let [warning] = &found[..] else { return None };
    assert_eq!(warning.path, "/environments/production/approvals");
    let Lack::NobodyApproves { shortage, .. } = &warning.what else { panic!("{warning:?}") };
    Some(shortage.clone())
}

#[test]
fn a_plugin_that_is_not_approved_is_named_once() {
    let gated = Environment { post_gates: Some(gates()), ..environment() };
    let definition = definition(&[("staging", gated.clone()), ("production", gated)], workflow(&[phase("migrate")]));
    let mut system = system(&[]);
    assert_eq!(warnings(&definition, &system), []);
    system.active.remove("probe");
    let path = "/environments/production/gates/post/checks/0/plugin".to_owned();
    let lack = |was_added| Lack::PluginNotApproved { plugin: name("probe"), was_added };
    assert_eq!(warnings(&definition, &system), [Warning { path: path.clone(), what: lack(true) }]);
    system.plugins.retain(|_, plugin| plugin.name != name("probe"));
    assert_eq!(warnings(&definition, &system), [Warning { path, what: lack(false) }]);
}

#[test]
fn a_grant_that_a_release_would_be_refused_for_is_missed_at_once() {
    let mut system = system(&[]);
    let steps = system.plugins.values_mut().find(|plugin| plugin.name == name("steps")).unwrap();
    steps.description.requests.folders = vec![Requested::Named("site".to_owned())];
    let [warning] = &warnings(&one(environment()), &system)[..] else { panic!("one lacks a grant") };
    assert_eq!(warning.path, "/workflows/full-plan/phases/0");
    let Lack::PluginNotReady { why } = &warning.what else { panic!("{warning:?}") };
    assert!(why.starts_with("plugin `steps` asks for folder `site`, which is not granted"), "{why}");
}

#[test]
fn a_private_address_needs_the_grant_that_leads_there() {
    let with = |private_network| {
        let mut system = system(&[]);
        let steps = system.plugins.values_mut().find(|plugin| plugin.name == name("steps")).unwrap();
        let origin = "http://127.0.0.1:9000".to_owned();
        steps.description.requests.http = vec![Requested::Named(origin.clone())];
        steps.approval.as_mut().unwrap().grants.http =
            [HttpGrant { origin, private_network, methods: [].into() }].into();
        warnings(&one(environment()), &system)
    };
    assert_eq!(with(true), []);
    let [warning] = &with(false)[..] else { panic!("it lacks a grant") };
    let Lack::PluginNotReady { why } = &warning.what else { panic!("{warning:?}") };
    assert!(why.ends_with("an operator can: `--allow-private-http http://127.0.0.1:9000`"), "{why}");
}

#[test]
fn a_rule_needs_people_of_its_groups_with_tokens() {
    let of_ops = rule(1, &["ops"]);
    let lacks_ops = Some(Shortage::Of(of_ops.clone()));
    let asked = [of_ops];
    assert_eq!(shortage(&asked, &[ROOT, dba("bob")]), lacks_ops, "nobody is in the group");
    assert_eq!(shortage(&asked, &[ROOT, dba("bob"), ("ann", Role::Viewer, &["ops"])]), lacks_ops, "viewers only look");
    assert_eq!(shortage(&asked, &[ROOT, ops("ann")]), None);
    let two = [rule(2, &["ops"])];
    let one_with_two_tokens = [ROOT, dba("bob"), ops("ann"), ops("ann")];
    assert_eq!(shortage(&two, &one_with_two_tokens), Some(Shortage::Of(two[0].clone())));
    assert_eq!(shortage(&two, &[ROOT, ops("ann"), ops("bob")]), None);
    assert_eq!(shortage(&[], &[]), None, "nobody is asked");
    for whatever_somebody_typed in [rule(u32::MAX, &[]), rule(21, &["ops"])] {
        let people: Vec<String> = (0..30).map(|index| format!("person-{index}")).collect();
        let people: Vec<Given> = people.iter().map(|person| dba(person)).collect();
        let rules = [whatever_somebody_typed];
        assert_eq!(shortage(&rules, &people), Some(Shortage::Of(rules[0].clone())));
    }
}

#[test]
fn of_several_rules_the_one_is_named_that_lacks_people() {
    let each = [rule(1, &["ops"]), rule(1, &["dba"])];
    assert_eq!(shortage(&each, &[ROOT, ops("ann"), ops("bob")]), Some(Shortage::Of(rule(1, &["dba"]))));
    let both: Given = ("cat", Role::Member, &["ops", "dba"]);
    assert_eq!(shortage(&each, &[ROOT, dba("bob"), both]), None, "who is in both is seated where it helps");
    let nobody_counts_twice = Some(Shortage::Of(rule(1, &["dba"])));
    assert_eq!(shortage(&each, &[ROOT, ("bob", Role::Member, &[]), both]), nobody_counts_twice);
}

#[test]
fn somebody_has_to_be_left_whose_release_it_is() {
    let of_ops = [rule(1, &["ops"])];
    assert_eq!(shortage(&of_ops, &[ops("ann")]), Some(Shortage::OfWhoReleases));
    let approvals = ApprovalPolicy { not_your_own: false, ..asks(&of_ops) };
    assert_eq!(warnings(&one(Environment { approvals, ..environment() }), &system(&[ops("ann")])), []);
}

#[test]
fn a_token_that_was_revoked_approves_nothing() {
    let definition = one(Environment { approvals: asks(&[rule(1, &["ops"])]), ..environment() });
    let mut system = system(&[ROOT, dba("bob"), ops("ann")]);
    assert_eq!(warnings(&definition, &system), []);
    system.tokens.get_mut("ann-2").unwrap().revoked = true;
    assert_eq!(paths(&definition, &system), ["/environments/production/approvals"]);
}

#[test]
fn each_kind_of_approval_is_looked_at_unless_they_are_off() {
    let rules = || asks(&[rule(1, &["ops"])]);
    let asking = Environment { post_approvals: rules(), rollback_approvals: rules(), ..environment() };
    let mut definition = one(asking.clone());
    assert_eq!(
        paths(&definition, &system(&[])),
        ["/environments/production/post_approvals", "/environments/production/rollback_approvals"]
    );
    assert_eq!(paths(&one(Environment { approvals_off: true, ..asking }), &system(&[])), [""; 0]);
    definition.approvals_off = true;
    assert_eq!(paths(&definition, &system(&[])), [""; 0]);
}

#[test]
fn a_freeze_asks_its_people_beside_the_environments_own() {
    let with = |until: &str, environments: &[&str], approvals: ApprovalPolicy| {
        let period =
            serde_json::from_value(serde_json::json!({ "from": "1969-12-31T00:00", "until": until, "zone": "UTC" }));
        let freeze = Freeze {
            name: name("sales"),
            period: period.unwrap(),
            effect: FreezeEffect::Stricter { rules: vec![rule(1, &["ops"])] },
            reason: String::new(),
            environments: environments.iter().map(|text| name(text)).collect(),
        };
        Definition { freezes: vec![freeze], ..one(Environment { approvals, ..environment() }) }
    };
    let nobody_else = || asks(&[]);
    let there = system(&[ROOT, ops("ann")]);
    assert_eq!(paths(&with("1970-01-02T00:00", &[], nobody_else()), &there), [""; 0]);
    assert_eq!(paths(&with("1970-01-02T00:00", &[], asks(&[rule(1, &["ops"])])), &there), ["/freezes/0"], "one more");
    let nobody = system(&[ROOT, dba("bob")]);
    assert_eq!(paths(&with("1970-01-02T00:00", &[], nobody_else()), &nobody), ["/freezes/0"]);
    assert_eq!(paths(&with("1970-01-02T00:00", &["staging"], nobody_else()), &nobody), [""; 0], "it is not there");
    assert_eq!(paths(&with("1969-12-31T12:00", &[], nobody_else()), &nobody), [""; 0], "it is over");
    let said_already = asks(&[rule(1, &["security"])]);
    let found = paths(&with("1970-01-02T00:00", &[], said_already), &nobody);
    assert_eq!(found, ["/environments/production/approvals"]);
}

#[test]
fn a_manual_phase_needs_one_of_its_groups() {
    let manual = |groups: &[&str]| {
        let work = PhaseWork::Manual { instructions: String::new(), groups: texts(groups) };
        let phase = Phase { work, ..phase("look") };
        definition(&[("production", environment())], workflow(&[phase]))
    };
    let ann = system(&[ops("ann")]);
    assert_eq!(warnings(&manual(&[]), &ann), []);
    assert_eq!(warnings(&manual(&["sre", "ops"]), &ann), []);
    let [warning] = &warnings(&manual(&["sre"]), &ann)[..] else { panic!("one place lacks somebody") };
    assert_eq!(warning.path, "/workflows/full-plan/phases/0/manual");
    assert_eq!(warning.what, Lack::NobodyAnswers { groups: texts(&["sre"]) });
}

/// Released by rita and triggered by tom, who may not answer.
#[test]
fn whoever_is_left_counts_wherever_it_helps() {
    let lacking = |rules: &[ApprovalRule], given: &[Actor], tokens: &[Given]| {
        let mut project = Project::new(Environment { approvals: asks(rules), ..environment() }, &[apply("web")]);
        project.deploy("v1");
        project.answer(1, Plan(0), plan(&["a"]));
        given.iter().for_each(|actor| project.approve(1, actor.clone()).unwrap());
        let deployment = project.deployment(1);
        let asked = deployment.attempt.approval.as_ref().unwrap();
        People::of(&system(tokens)).too_few_to_complete(deployment, asked)
    };
    let bob = || member("bob", &["dba"]);
    let any_and_dba = [rule(1, &[]), rule(1, &["dba"])];
    assert_eq!(lacking(&any_and_dba, &[bob()], &[dba("bob"), ("ann", Role::Member, &[])]), None, "bob is the dba then");
    assert_eq!(lacking(&any_and_dba, &[bob()], &[dba("bob")]), Some(rule(1, &["dba"])), "he has answered");
    let own = [("rita", Role::Member, ["dba"].as_slice()), ("tom", Role::Member, &["dba"])];
    assert_eq!(lacking(&[rule(1, &["dba"])], &[], &own), Some(rule(1, &["dba"])));
}
