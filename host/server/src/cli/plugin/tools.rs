//! Tools on the command line: the flags that grant programs of the host, and how such a grant is shown.

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::fail::CliError;
use crate::cli::look::{bytes, duration, printable, shell_word};
use crate::wire::{ToolGrant, ToolLimits};

#[derive(Debug, Default, Args)]
pub struct ToolArgs {
    /// May start this program of the host, under this name; with @sha256:DIGEST only if it is that one. May be given more
    /// than once.
    #[arg(long, value_name = "NAME=PATH[@DIGEST]", value_parser = program)]
    tool: Vec<(String, Program)>,

    /// What a tool may be given, item by item: a literal, {REGEX}, or at the end {REGEX}... for any number of arguments.
    /// Nothing behind the = allows a call without arguments; items with spaces are written as a JSON list. May be given
    /// more than once.
    #[arg(long, value_name = "NAME=ITEMS", value_parser = items)]
    tool_args: Vec<(String, Items)>,

    /// A variable of a tool's environment that the plugin may set; with a value it is always that, and the plugin may not.
    /// The environment has nothing else.
    #[arg(long, value_name = "NAME=VARIABLE[=VALUE]", value_parser = variable)]
    tool_env: Vec<(String, Variable)>,

    /// Of one run: wall_ms, cpu_ms, memory_bytes, output_bytes or processes. One that is left out stays as it was approved
    /// before, and is the host's own at first.
    #[arg(long, value_name = "NAME=LIMIT=NUMBER", value_parser = limit)]
    tool_limit: Vec<(String, Limit)>,
}

#[derive(Debug, Clone)]
struct Program {
    path: String,
    digest: Option<String>,
}

#[derive(Debug, Clone)]
struct Items(Vec<String>);

#[derive(Debug, Clone)]
struct Variable {
    name: String,
    value: Option<String>,
}

#[derive(Debug, Clone)]
struct Limit {
    name: String,
    number: u64,
}

impl ToolArgs {
    /// What is not granted again is not granted; a limit that is not set again stays.
    pub fn wire(&self, before: &BTreeMap<String, ToolGrant>) -> Result<BTreeMap<String, ToolGrant>, CliError> {
        let mut tools = BTreeMap::new();
        for (name, Program { path, digest }) in &self.tool {
            let limits = before.get(name).map(|tool| tool.limits.clone()).unwrap_or_default();
            let (path, digest) = (path.clone(), digest.clone());
            let grant = ToolGrant { path, digest, args: Vec::new(), env: BTreeMap::new(), limits };
            if tools.insert(name.clone(), grant).is_some() {
                return Err(CliError::usage(format!("the tool `{name}` is given twice"), "give each name one path"));
            }
        }
        for (name, Items(items)) in &self.tool_args {
            named(&mut tools, name, "--tool-args")?.args.push(items.clone());
        }
        for (name, Variable { name: variable, value }) in &self.tool_env {
            named(&mut tools, name, "--tool-env")?.env.insert(variable.clone(), value.clone());
        }
        for (name, Limit { name: limit, number }) in &self.tool_limit {
            *limit_of(&mut named(&mut tools, name, "--tool-limit")?.limits, limit).expect("it was parsed") =
                Some(*number);
        }
        match tools.iter().find(|(_, tool)| tool.args.is_empty()) {
            None => Ok(tools),
            Some((name, _)) => Err(CliError::usage(
                format!("the tool `{name}` could never be started: nothing says which arguments it may be given"),
                format!(
                    "--tool-args {name}= for none, or what they are, such as --tool-args '{name}=get {{[a-z]+}}' (in quotes, or the shell reads it)"
                ),
            )),
        }
    }
}

fn named<'a>(
    tools: &'a mut BTreeMap<String, ToolGrant>,
    name: &str,
    flag: &str,
) -> Result<&'a mut ToolGrant, CliError> {
    tools.get_mut(name).ok_or_else(|| {
        CliError::usage(
            format!("{flag} is for the tool `{name}`, which is not granted"),
            format!("add --tool {name}=PATH"),
        )
    })
}

fn limit_of<'a>(limits: &'a mut ToolLimits, name: &str) -> Option<&'a mut Option<u64>> {
    match name {
        "wall_ms" => Some(&mut limits.wall_ms),
        "cpu_ms" => Some(&mut limits.cpu_ms),
        "memory_bytes" => Some(&mut limits.memory_bytes),
        "output_bytes" => Some(&mut limits.output_bytes),
        "processes" => Some(&mut limits.processes),
        _ => None,
    }
}

/// The path is the host's, so it must not depend on where this command runs.
fn program(text: &str) -> Result<(String, Program), String> {
    let expected = || "expected NAME=PATH with an absolute path on the host".to_owned();
    let (name, path) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(expected)?;
    let (path, digest) = match path.rsplit_once("@sha256:") {
        Some((path, digits)) => (path, Some(format!("sha256:{digits}"))),
        None => (path, None),
    };
    if !path.starts_with('/') {
        return Err(expected());
    }
    Ok((name.to_owned(), Program { path: path.to_owned(), digest }))
}

fn items(text: &str) -> Result<(String, Items), String> {
    let (name, items) = text.split_once('=').ok_or("expected NAME=ITEMS")?;
    let items = if items.starts_with('[') {
        serde_json::from_str(items).map_err(|error| format!("`{items}` is no JSON list of texts: {error}"))?
    } else {
        items.split_whitespace().map(str::to_owned).collect()
    };
    Ok((name.to_owned(), Items(items)))
}

fn variable(text: &str) -> Result<(String, Variable), String> {
    let (name, variable) = text.split_once('=').ok_or("expected NAME=VARIABLE or NAME=VARIABLE=VALUE")?;
    let (variable, value) = match variable.split_once('=') {
        Some((variable, value)) => (variable, Some(value.to_owned())),
        None => (variable, None),
    };
    Ok((name.to_owned(), Variable { name: variable.to_owned(), value }))
}

fn limit(text: &str) -> Result<(String, Limit), String> {
    let expected = || {
        "expected NAME=LIMIT=NUMBER; the limits are wall_ms, cpu_ms, memory_bytes, output_bytes and processes"
            .to_owned()
    };
    let (name, limit) = text.split_once('=').ok_or_else(expected)?;
    let (limit, number) = limit.split_once('=').ok_or_else(expected)?;
    limit_of(&mut ToolLimits::default(), limit).ok_or_else(expected)?;
    let number = number.parse().map_err(|_| expected())?;
    Ok((name.to_owned(), Limit { name: limit.to_owned(), number }))
}

// ---- what is shown ----

/// The flags that give this grant, but for its limits: those stay by themselves.
pub fn flags(name: &str, tool: &ToolGrant) -> String {
    let digest = tool.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
    let mut flags = format!(" --tool {}", shell_word(&format!("{name}={}{digest}", tool.path)));
    for items in &tool.args {
        flags.push_str(&format!(" --tool-args {}", shell_word(&format!("{name}={}", typed(items)))));
    }
    for (variable, value) in &tool.env {
        let value = value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
        flags.push_str(&format!(" --tool-env {}", shell_word(&format!("{name}={variable}{value}"))));
    }
    flags
}

fn typed(items: &[String]) -> String {
    let is_a_word = |item: &String| !item.is_empty() && !item.contains(char::is_whitespace);
    let plain = items.iter().all(is_a_word) && items.first().is_none_or(|first| !first.starts_with('['));
    if plain { items.join(" ") } else { serde_json::to_string(items).unwrap_or_default() }
}

/// Whether whatever could be done with the old grant can be done with the new one. Limits are no losses.
pub fn stays(old: &ToolGrant, new: &ToolGrant) -> bool {
    let same_program = old.path == new.path && (new.digest.is_none() || new.digest == old.digest);
    let same_arguments = old.args.iter().all(|items| new.args.contains(items));
    same_program && same_arguments && old.env.iter().all(|(name, value)| new.env.get(name) == Some(value))
}

/// What the old one allows, and what was typed beside it. Two programs cannot be granted under one name: then it is the old.
pub fn both(old: ToolGrant, typed: ToolGrant) -> ToolGrant {
    if old.path != typed.path || typed.digest.is_some() && typed.digest != old.digest {
        return old;
    }
    let mut both = typed;
    both.args.extend(old.args.into_iter().filter(|items| !both.args.contains(items)).collect::<Vec<_>>());
    both.env.extend(old.env);
    both
}

pub fn lines(name: &str, tool: &ToolGrant) -> Vec<String> {
    let digest = tool.digest.as_deref().map_or("whatever is there now".to_owned(), |digest| short(digest).to_owned());
    let mut lines = vec![format!("  start the tool {name}, which is {} ({digest})", printable(&tool.path))];
    lines.extend(tool.args.iter().map(|items| {
        let items = typed(items);
        let items = if items.is_empty() { "no arguments" } else { &items };
        format!("    with {}", printable(items))
    }));
    lines.extend(tool.env.iter().map(|(variable, value)| match value {
        Some(value) => format!("    in an environment with {}={}", printable(variable), printable(value)),
        None => format!("    in an environment with a {} of its own", printable(variable)),
    }));
    lines.extend(limits(&tool.limits));
    lines
}

fn short(digest: &str) -> &str {
    let end = digest.char_indices().nth("sha256:".len() + 12).map_or(digest.len(), |(at, _)| at);
    &digest[..end]
}

fn limits(limits: &ToolLimits) -> Option<String> {
    let ToolLimits { wall_ms, cpu_ms, memory_bytes, output_bytes, processes } = limits;
    let limits = [
        wall_ms.map(|wall| format!("{} altogether", duration(wall))),
        cpu_ms.map(|cpu| format!("{} of CPU", duration(cpu))),
        memory_bytes.map(|memory| format!("{} of memory", bytes(memory))),
        output_bytes.map(|output| format!("{} of output", bytes(output))),
        processes.map(|processes| format!("{processes} processes")),
    ];
    let limits: Vec<String> = limits.into_iter().flatten().collect();
    (!limits.is_empty()).then(|| format!("    in one run, at most {}", limits.join(", ")))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use expect_test::expect;

    use super::*;

    #[derive(Parser)]
    struct Approve {
        #[command(flatten)]
        tools: ToolArgs,
    }

    fn parsed(flags: &[&str]) -> Result<BTreeMap<String, ToolGrant>, CliError> {
        again(&BTreeMap::new(), flags)
    }

    fn again(before: &BTreeMap<String, ToolGrant>, flags: &[&str]) -> Result<BTreeMap<String, ToolGrant>, CliError> {
        Approve::try_parse_from(["approve"].iter().chain(flags)).unwrap().tools.wire(before)
    }

    const FLAGS: [&str; 12] = [
        "--tool",
        "kubectl=/usr/bin/kubectl",
        "--tool-args",
        "kubectl=get {[a-z]+} {-n=.+}...",
        "--tool-args",
        r#"kubectl=["say","two words"]"#,
        "--tool-env",
        "kubectl=HOME=/var/empty",
        "--tool-env",
        "kubectl=CONTEXT",
        "--tool-limit",
        "kubectl=wall_ms=60000",
    ];

    #[test]
    fn flags_become_a_grant_that_is_shown_in_words() {
        let tools = parsed(&FLAGS).unwrap();
        let expected = [
            r#"  start the tool kubectl, which is /usr/bin/kubectl (whatever is there now)"#,
            r#"    with get {[a-z]+} {-n=.+}..."#,
            r#"    with ["say","two words"]"#,
            r#"    in an environment with a CONTEXT of its own"#,
            r#"    in an environment with HOME=/var/empty"#,
            r#"    in one run, at most 1 min altogether"#,
        ];
        assert_eq!(lines("kubectl", &tools["kubectl"]), expected);
    }

    #[test]
    fn a_grant_is_given_again_by_its_flags_with_the_program_it_was_given_for() {
        let mut tools = parsed(&FLAGS).unwrap();
        let digest = format!("sha256:{}", "ab".repeat(32));
        tools.get_mut("kubectl").unwrap().digest = Some(digest.clone());
        let shown = flags("kubectl", &tools["kubectl"]);
        expect![[r#" --tool kubectl=/usr/bin/kubectl@sha256:abababababababababababababababababababababababababababababababab --tool-args 'kubectl=get {[a-z]+} {-n=.+}...' --tool-args 'kubectl=["say","two words"]' --tool-env kubectl=CONTEXT --tool-env kubectl=HOME=/var/empty"#]].assert_eq(&shown);
        let program = format!("kubectl=/usr/bin/kubectl@{digest}");
        let words: Vec<&str> = ["--tool", &program].into_iter().chain(FLAGS[2..10].iter().copied()).collect();
        assert_eq!(again(&tools, &words).unwrap(), tools);
    }

    #[test]
    fn what_a_new_grant_leaves_out_is_a_loss() {
        let old = parsed(&FLAGS).unwrap().remove("kubectl").unwrap();
        assert!(stays(&old, &old));
        let without = |flag: &str| {
            let flags: Vec<&str> = FLAGS.chunks(2).filter(|pair| pair[1] != flag).flatten().copied().collect();
            parsed(&flags).unwrap().remove("kubectl").unwrap()
        };
        assert!(stays(&old, &without("kubectl=wall_ms=60000")));
        for flag in [FLAGS[3], FLAGS[5], FLAGS[7], FLAGS[9]] {
            assert!(!stays(&old, &without(flag)), "{flag}");
        }
        assert!(!stays(&old, &ToolGrant { path: "/bin/kubectl".to_owned(), ..old.clone() }));
    }

    #[test]
    fn flags_that_grant_no_tool_say_what_is_missing() {
        let refused = |flags: &[&str]| match parsed(flags).unwrap_err() {
            CliError::Usage { what, .. } => what,
            other => panic!("{other:?}"),
        };
        expect!["the tool `t` could never be started: nothing says which arguments it may be given"]
            .assert_eq(&refused(&["--tool", "t=/bin/t"]));
        expect!["--tool-args is for the tool `t`, which is not granted"].assert_eq(&refused(&["--tool-args", "t="]));
        expect!["the tool `t` is given twice"].assert_eq(&refused(&["--tool", "t=/bin/t", "--tool", "t=/bin/u"]));
        for wrong in [["--tool", "t"], ["--tool", "t=bin/t"], ["--tool-args", "t=[1]"], ["--tool-limit", "t=all=1"]] {
            assert!(Approve::try_parse_from(["approve"].iter().chain(&wrong)).is_err(), "{wrong:?}");
        }
        assert_eq!(parsed(&["--tool", "t=/bin/t", "--tool-args", "t="]).unwrap()["t"].args, [Vec::<String>::new()]);
    }
}
