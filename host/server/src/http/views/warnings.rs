//! What a project file lacks to go on with, in words, each with the command that brings it.

use lockgate_core::definition::ApprovalRule;
use lockgate_core::name::Timestamp;
use lockgate_core::state::State;
use lockgate_core::system::SystemState;
use lockgate_core::warnings::{self, Lack, Shortage, Warning};

use super::approvals::rule_text;
use crate::project_file::closest;
use crate::wire;

pub fn warnings(state: &State, system: &SystemState, now: Timestamp) -> Vec<wire::Warning> {
    let found = warnings::warnings(&state.project.name, &state.definition, system, now);
    let in_words = |Warning { path, what }| wire::Warning { path, message: message(system, &what) };
    found.into_iter().map(in_words).collect()
}

/// To be read after its place in the file.
fn message(system: &SystemState, lack: &Lack) -> String {
    match lack {
        Lack::PluginNotApproved { plugin, was_added } => {
            let approved: Vec<&str> = system.active.keys().map(|name| name.as_str()).collect();
            let guess = closest(plugin.as_str(), &approved).map(|guess| format!(" (did you mean `{guess}`?)"));
            let guess = guess.unwrap_or_default();
            let add = if *was_added { "" } else { "`lockgate plugin add FILE`, then " };
            format!(
                "plugin `{plugin}` is not approved{guess}, and no release can be made before it is: {add}`lockgate plugin approve {plugin}`"
            )
        }
        Lack::PluginNotReady { why } => format!("no release can be made: {why}"),
        Lack::NobodyApproves { rules, shortage: Shortage::Of(rule) } => {
            let asked = rules.iter().map(rule_text).collect::<Vec<_>>().join(" and ");
            format!("this cannot be approved: it asks for {asked}, and {}", too_few(rule))
        }
        Lack::NobodyApproves { rules, shortage: Shortage::OfWhoReleases } => {
            let asked = rules.iter().map(rule_text).collect::<Vec<_>>().join(" and ");
            format!(
                "this cannot be approved: it asks for {asked}, which takes everybody who has a token, and nobody may approve their own release; an administrator lets another in: `{}`",
                token_for(None)
            )
        }
        Lack::NobodyAnswers { groups } => {
            let rule = ApprovalRule { count: 1, groups: groups.clone() };
            format!("nobody can say how this goes on: {}", too_few(&rule))
        }
    }
}

/// Of those who are asked by a rule.
pub fn too_few(rule: &ApprovalRule) -> String {
    let groups: Vec<&str> = rule.groups.iter().map(String::as_str).collect();
    let whom = if groups.is_empty() { "people".to_owned() } else { format!("of {}", groups.join(" or ")) };
    let token = token_for(rule.groups.first());
    format!("too few {whom} have a token; an administrator makes one: `{token}`")
}

fn token_for(group: Option<&String>) -> String {
    let is_plain = |group: &&String| group.chars().all(|c| c.is_ascii_alphanumeric() || "-_./@".contains(c));
    let group = group.map(|group| match Some(group).filter(is_plain) {
        Some(plain) => format!(" --group {plain}"),
        None => format!(" --group '{}'", group.replace('\'', r"'\''")),
    });
    format!("lockgate token create NAME --person PERSON{}", group.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use lockgate_core::digest::Digest;

    use super::super::testing::name;
    use super::*;

    fn rule(count: u32, groups: &[&str]) -> ApprovalRule {
        ApprovalRule { count, groups: groups.iter().map(|group| group.to_string()).collect() }
    }

    #[test]
    fn each_says_what_it_stands_in_the_way_of_and_what_to_do() {
        let plugin = |text, was_added| Lack::PluginNotApproved { plugin: name(text), was_added };
        let approvals = |rules: &[ApprovalRule], shortage| Lack::NobodyApproves { rules: rules.to_vec(), shortage };
        let (anybody, of_dba) = (rule(2, &[]), rule(1, &["dba team"]));
        let lacks = [
            plugin("http-check", true),
            plugin("static-sit", false),
            plugin("notify", false),
            Lack::PluginNotReady { why: "plugin `x` asks for HTTP to y".to_owned() },
            approvals(&[anybody.clone(), of_dba.clone()], Shortage::Of(of_dba)),
            approvals(std::slice::from_ref(&anybody), Shortage::Of(anybody.clone())),
            approvals(&[anybody], Shortage::OfWhoReleases),
            Lack::NobodyAnswers { groups: rule(1, &["dba", "sre"]).groups },
        ];
        let active = [(name("static-site"), Digest::of(b"static-site"))].into();
        let system = SystemState { active, ..SystemState::default() };
        expect![[r#"
            plugin `http-check` is not approved, and no release can be made before it is: `lockgate plugin approve http-check`
            plugin `static-sit` is not approved (did you mean `static-site`?), and no release can be made before it is: `lockgate plugin add FILE`, then `lockgate plugin approve static-sit`
            plugin `notify` is not approved, and no release can be made before it is: `lockgate plugin add FILE`, then `lockgate plugin approve notify`
            no release can be made: plugin `x` asks for HTTP to y
            this cannot be approved: it asks for 2 people and 1 of dba team, and too few of dba team have a token; an administrator makes one: `lockgate token create NAME --person PERSON --group 'dba team'`
            this cannot be approved: it asks for 2 people, and too few people have a token; an administrator makes one: `lockgate token create NAME --person PERSON`
            this cannot be approved: it asks for 2 people, which takes everybody who has a token, and nobody may approve their own release; an administrator lets another in: `lockgate token create NAME --person PERSON`
            nobody can say how this goes on: too few of dba or sre have a token; an administrator makes one: `lockgate token create NAME --person PERSON --group dba`"#]].assert_eq(&lacks.iter().map(|lack| message(&system, lack)).collect::<Vec<_>>().join("\n"));
    }
}
