//! The commands. Each noun has its file; all but `serve`, `schema`, `audit`, `journal`, `backup restore` and what
//! authors of plugins need are clients of the HTTP API.

mod apply;
mod artifact;
mod audit;
mod backup;
mod compiler;
mod deploy;
mod deployment;
mod environment;
pub mod exit;
mod explain;
mod fail;
mod gate;
mod journal;
mod live;
mod look;
mod pause;
mod plugin;
mod project;
mod release;
mod secret;
mod serve;
mod session;
mod show;
mod signals;
mod status;
mod storage;
mod sync;
mod target;
mod token;
mod trigger;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

use crate::config::{ConnectArgs, ServeConfig, empty_variables};
use fail::CliError;
use session::{Out, Session};

const EXIT_CODES: &str = "\
Exit codes:
   0  done, or what was waited for succeeded
   1  refused, or what was waited for failed
   2  the command line or a file is wrong
   3  the host could not be reached
   4  the token is missing, wrong, or may not do this
   5  what was waited for did not end in time
  70  the host itself had to stop";

/// Lockgate takes releases to environments, and keeps the record.
#[derive(Debug, Parser)]
#[command(name = "lockgate", version, after_long_help = EXIT_CODES, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    connect: ConnectArgs,

    /// Print the API's own objects, and errors as problem JSON. Logs and events are one object a line.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the host.
    Serve(ServeConfig),
    /// Make a project as its file says.
    Apply(apply::ApplyArgs),
    /// Which projects there are.
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Print the JSON Schema of the project file, for editors.
    Schema,
    /// Components that phases, gates and targets run.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// What was built.
    #[command(subcommand)]
    Artifact(artifact::ArtifactCommand),
    /// Snapshots that can be deployed.
    #[command(subcommand)]
    Release(release::ReleaseCommand),
    /// Take a release to an environment.
    Deploy(deploy::DeployArgs),
    /// Deployments: look at them, answer for them, stop and repeat them.
    #[command(subcommand)]
    Deployment(deployment::DeploymentCommand),
    /// Environments: what is there, whether it is as it was asked for, and what holds it up.
    #[command(subcommand)]
    Environment(environment::EnvironmentCommand),
    /// Gates: try another rule on what was measured before.
    #[command(subcommand)]
    Gate(gate::GateCommand),
    /// Go back to the release that was live before.
    Rollback(deploy::RollbackArgs),
    /// Take what is live in one environment to the next.
    Promote(deploy::PromoteArgs),
    /// Call an endpoint of whatever release is live.
    Trigger(trigger::TriggerArgs),
    /// Why a deployment waits: everything in its way, and who can lift it.
    Explain(explain::ExplainArgs),
    /// Let nothing start but rollbacks, in a project or an environment.
    Pause(pause::PauseArgs),
    /// Let deployments start again, in order.
    Resume(pause::ResumeArgs),
    /// What is live in each environment, and what waits and why.
    Status(status::StatusArgs),
    /// The record of everything.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// The same record as lines of JSON, out of a data folder and into a new one.
    #[command(subcommand)]
    Journal(journal::JournalCommand),
    /// All of a host in one file, and a host made of that.
    #[command(subcommand)]
    Backup(backup::BackupCommand),
    /// Whether the host's data folder is whole, and how much room its disk has.
    Storage(storage::StorageArgs),
    /// Values that plugins use without seeing them.
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// Who may use the host.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// What a host starts to compile a component.
    #[command(hide = true)]
    CompileComponent,
    /// What a host starts to keep a tool that a plugin has started.
    #[command(hide = true)]
    RunTool,
}

pub fn main() -> ExitCode {
    let line: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&line) {
        Ok(cli) => cli,
        Err(error) => return refuse(&line, &error),
    };
    // Before anything is opened or started: it gives up all it has.
    if matches!(cli.command, Command::CompileComponent) {
        return lockgate_sandbox::compile_for_host();
    }
    if matches!(cli.command, Command::RunTool) {
        return lockgate_sandbox::tools::run_tool();
    }
    let out = Out::new(cli.json);
    let ended = match tokio::runtime::Builder::new_multi_thread().thread_name("host").enable_all().build() {
        Ok(runtime) => {
            let ended = runtime.block_on(run(cli, &out));
            // Follow connections that nobody listens to any more must not delay the end.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(CliError::Host { what: format!("cannot start threads: {error}"), hint: String::new() }),
    };
    match ended {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => {
            out.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Help and version come this way, too.
fn refuse(line: &[OsString], error: &clap::Error) -> ExitCode {
    let out = Out::new(line.iter().any(|word| word == "--json"));
    if !error.use_stderr() {
        // A closed pipe is nothing to complain about.
        let _ = error.print();
        return ExitCode::from(exit::DONE);
    }
    let notes = about_empty(error, empty_variables());
    if lacks_only_a_project(error) {
        out.error(&CliError::usage("no project is named", NAME_A_PROJECT));
    } else if out.json {
        out.error(&CliError::usage([error.to_string().trim_end(), &notes].join("\n").trim_end(), ""));
    } else {
        let _ = error.print();
        if !notes.is_empty() {
            out.note(&notes);
        }
    }
    ExitCode::from(exit::USAGE)
}

const NAME_A_PROJECT: &str = "name one with -p, or in LOCKGATE_PROJECT; `lockgate project list` shows which there are";

/// The parser would also name what a variable has given, as if it lacked that.
fn lacks_only_a_project(error: &clap::Error) -> bool {
    let missing = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::Strings(missing)) => missing.as_slice(),
        Some(_) | None => &[],
    };
    error.kind() == ErrorKind::MissingRequiredArgument && missing == ["--project <PROJECT>"]
}

/// Where a flag is refused for its empty value, and perhaps nobody has typed it: a line for each variable that may be why.
fn about_empty(error: &clap::Error, variables: Vec<String>) -> String {
    let is_empty =
        matches!(error.get(ContextKind::InvalidValue), Some(ContextValue::String(value)) if value.is_empty());
    let variables = if is_empty { variables } else { Vec::new() };
    let lines: Vec<String> =
        variables.iter().map(|name| format!(" hint: {name} is set to nothing: unset it")).collect();
    lines.join("\n")
}

async fn run(cli: Cli, out: &Out) -> Result<(), CliError> {
    let session = || Session::new(&cli.connect, out.clone());
    match cli.command {
        Command::Serve(config) => serve::run(config, out).await,
        Command::Apply(args) => args.read()?.apply(&session()?).await,
        Command::Schema => {
            apply::schema(out);
            Ok(())
        }
        Command::Project(command) => command.run(&session()?).await,
        Command::Plugin(command) => command.run(session, out).await,
        Command::Artifact(command) => command.run(&session()?).await,
        Command::Release(command) => command.run(&session()?).await,
        Command::Deploy(args) => args.run(&session()?).await,
        Command::Deployment(command) => command.run(&session()?).await,
        Command::Environment(command) => command.run(&session()?).await,
        Command::Gate(command) => command.run(&session()?).await,
        Command::Rollback(args) => args.run(&session()?).await,
        Command::Promote(args) => args.run(&session()?).await,
        Command::Trigger(args) => args.run(&session()?).await,
        Command::Explain(args) => args.run(&session()?).await,
        Command::Pause(args) => args.run(&session()?).await,
        Command::Resume(args) => args.run(&session()?).await,
        Command::Status(args) => args.run(&session()?).await,
        Command::Storage(args) => args.run(&session()?).await,
        Command::Audit(command) => command.run(out),
        Command::Journal(command) => command.run(out).await,
        Command::Backup(command) => command.run(session, out).await,
        Command::Secret(command) => command.run(session, out).await,
        Command::Token(command) => command.run(&session()?).await,
        Command::CompileComponent | Command::RunTool => {
            unreachable!("`main` answers it, before anything is started")
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn exit_code(line: &str) -> u8 {
        match Cli::try_parse_from(line.split(' ')) {
            Ok(_) => exit::DONE,
            Err(error) if error.use_stderr() => exit::USAGE,
            Err(_) => exit::DONE,
        }
    }

    #[test]
    fn what_is_refused_for_its_empty_value_names_the_variables_that_hold_nothing() {
        let notes = |line: &[&str]| {
            let error = Cli::try_parse_from(line).unwrap_err();
            about_empty(&error, vec!["LOCKGATE_DATA".to_owned(), "LOCKGATE_RETENTION".to_owned()])
        };
        let both =
            " hint: LOCKGATE_DATA is set to nothing: unset it\n hint: LOCKGATE_RETENTION is set to nothing: unset it";
        assert_eq!(notes(&["lockgate", "serve", "--retention", ""]), both);
        assert_eq!(notes(&["lockgate", "serve", "--data", ""]), both);
        assert_eq!(notes(&["lockgate", "serve", "--retention", "7"]), "");
        assert_eq!(notes(&["lockgate", "serve", "--nope"]), "");
    }

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn command_lines_that_are_understood() {
        for line in [
            "lockgate --help",
            "lockgate deployment logs --help",
            "lockgate serve --listen 127.0.0.1:0 --data /tmp/x",
            "lockgate apply -f shop.yaml",
            "lockgate schema",
            "lockgate project list",
            "lockgate journal export /srv/lockgate",
            "lockgate journal import - --data new --json",
            "lockgate backup create -o monday.tar --force",
            "lockgate backup restore monday.tar --data new",
            "lockgate plugin add site.wasm",
            "lockgate plugin add site.wasm --signature other.sig --json",
            "lockgate plugin add https://a.example/site.wasm --digest sha256:fbae041b02c41ed0fd8a4efb039bc780dd6af4a1f0c420f42561ae705dda43fe",
            "lockgate plugin add oci://127.0.0.1:5000/site:v1 --insecure-http --no-signature",
            "lockgate plugin push site.wasm oci://a.example/team/site:v1 --signature site.sig",
            "lockgate plugin pull oci://a.example/team/site:v1 -o site.wasm --force",
            "lockgate plugin sign site.wasm --key key.pem",
            "lockgate plugin trust add ops --key pub.pem --plugins deploy-* --plugins site",
            "lockgate plugin trust add ann --identity ann@a.example --issuer https://a.example --plugins site",
            "lockgate plugin trust add ann --identity ann@a.example --issuer https://a.example --trusted-root root.json --plugins site",
            "lockgate plugin add site.wasm --bundle site.sigstore.json",
            "lockgate plugin trust list --json",
            "lockgate plugin trust remove ops --reason stolen",
            "lockgate plugin require-signature",
            "lockgate plugin require-signature deploy-* --reason production",
            "lockgate plugin require-signature deploy-* --remove --reason moved",
            "lockgate plugin new --lang rust --kind phase notify",
            "lockgate plugin new --lang ts --kind gate p99 --dir ../p99 --json",
            "lockgate plugin build",
            "lockgate plugin build ../p99 --json",
            "lockgate plugin inspect plugin.wasm --json",
            "lockgate plugin list --json",
            "lockgate plugin show http-check",
            "lockgate plugin approve http-check --allow-http https://a.example --allow-http https://b.example --yes",
            "lockgate plugin approve x --memory-mb 64 --cpu 500ms --wall 1m --output-kb 64 --log-kb 64 --http-body-mb 1",
            "lockgate plugin approve x --at-once 4 --yes",
            "lockgate plugin narrow x --in shop/production --allow-http https://a.example --cpu 1s --yes",
            "lockgate plugin widen x --in shop --reason over",
            "lockgate environment state -p shop -e production",
            "lockgate environment clear-state counts -p shop -e production --key a --reason season",
            "lockgate plugin retire http-check --reason leaks",
            "lockgate plugin remove http-check --json",
            "lockgate artifact push dist.tar --name web",
            "lockgate release create v1 -p shop --artifact web=dist.tar --artifact db=x --deploy-to staging --wait",
            "lockgate release create v1 -p shop --deploy-to staging --idempotency-key k",
            "lockgate release edit v1 -p shop -f lockgate.yaml",
            "lockgate release start v1 -p shop",
            "lockgate release abandon v1 -p shop",
            "lockgate release list -p shop",
            "lockgate release sync web,api -p shop -e production --force --timeout 10m",
            "lockgate release wait web -p shop -e production",
            "lockgate release wait web -p shop -e production --sync --force --timeout 10m --json",
            "lockgate environment resources -p shop -e production --application web",
            "lockgate environment applications -p shop -e production",
            "lockgate release show v1 -p shop",
            "lockgate deploy v1 -p shop -e production -w --timeout 10m --idempotency-key k",
            "lockgate deploy v1 -p shop -e production --type destroy --workflow remove --url http://h:1 --token t --json",
            "lockgate deployment list -p shop -e production --status failed",
            "lockgate deployment show 7 -p shop",
            "lockgate deployment show #7 -p shop",
            "lockgate deployment logs 7 publish -f -p shop",
            "lockgate deployment logs -f 7 -p shop",
            "lockgate deployment events 7 -p shop",
            "lockgate deployment approve 7 -p shop --comment ok -w",
            "lockgate deployment reject 7 -p shop",
            "lockgate deployment cancel 7 -p shop --force --reason stuck",
            "lockgate deployment retry 7 -p shop --idempotency-key k",
            "lockgate deployment redeploy 7 -p shop",
            "lockgate gate backtest page -p shop -e production",
            "lockgate gate backtest page -p shop -e production --set max_latency_ms=300 --set body_contains=ok --limit 9",
            "lockgate gate backtest page -p shop -e production --config page.yaml --plugin http-check --since 7d --json",
            "lockgate rollback -p shop -e production --comment bad --wait",
            "lockgate promote -p shop -e production --from staging --wait",
            "lockgate trigger report -p shop -e production --input {} --wait-for 30s",
            "lockgate explain 7 -p shop --at 2026-12-24T18:00:00Z",
            "lockgate pause -p shop --reason maintenance",
            "lockgate pause -p shop -e production --schedule",
            "lockgate resume -p shop -e production",
            "lockgate environment show -e production -p shop",
            "lockgate environment release-hold -e production -p shop",
            "lockgate environment expire -e preview -p shop --at 2026-12-24T18:00:00Z",
            "lockgate deployment break-glass 7 -p shop --reason incident",
            "lockgate deployment review 7 -p shop --comment seen",
            "lockgate deployment approve 7 -p shop --at 2026-12-24T18:00:00Z",
            "lockgate gate ignore latency 7 -p shop --comment known",
            "lockgate deploy v1 -p shop -e production --type launch",
            "lockgate deploy v1 -p shop -e production --refresh --forced --at 2026-12-24T18:00:00Z",
            "lockgate deploy v1 -p shop -e production --type selective --select application=web --select type=file,name=a",
            "lockgate status -p shop",
            "lockgate audit verify /var/lib/lockgate",
            "lockgate token create ci --person ci --group operators --group dba --role admin",
            "lockgate token list",
            "lockgate secret set github --to https://api.github.com --for-project shop --for-environment production",
            "lockgate secret list",
            "lockgate secret remove github",
            "lockgate secret keygen",
            "lockgate token revoke ci",
            "lockgate compile-component",
            "lockgate run-tool",
            "lockgate plugin approve x --tool kubectl=/usr/bin/kubectl --tool-args kubectl=version --tool-env kubectl=HOME",
        ] {
            assert_eq!(exit_code(line), 0, "{line}");
        }
    }

    #[test]
    fn command_lines_that_are_not() {
        for line in [
            "lockgate",
            "lockgate deplyo",
            "lockgate serve --listen 7440",
            "lockgate deploy v1 -p shop",
            "lockgate deploy v1 -p shop -e production --timeout 10m",
            "lockgate deploy v1 -p shop -e production --type sideways",
            "lockgate deploy v1 -p shop -e production --select everything",
            "lockgate pause -p shop --schedule",
            "lockgate deployment break-glass 7 -p shop",
            "lockgate gate ignore latency 7 -p shop",
            "lockgate deployment show seven -p shop",
            "lockgate deployment logs 7 -p shop -f --attempt 1",
            "lockgate release create v1 -p shop --draft --deploy-to staging",
            "lockgate release sync -p shop -e production",
            "lockgate release sync web, -p shop -e production",
            "lockgate release sync web -p shop",
            "lockgate release wait web -p shop -e production --force",
            "lockgate release create v1 -p shop --artifact dist.tar",
            "lockgate release create v1 -p shop --idempotency-key k",
            "lockgate gate backtest -p shop -e production",
            "lockgate gate backtest page -p shop",
            "lockgate gate backtest page -p shop -e production --set nothing",
            "lockgate gate backtest page -p shop -e production --set a=1 --config page.yaml",
            "lockgate plugin approve x --workspace write",
            "lockgate plugin narrow x",
            "lockgate plugin narrow x --in shop --at-once 4",
            "lockgate plugin widen x --in shop",
            "lockgate environment clear-state counts -p shop -e production",
            "lockgate plugin add oci://a.example/site",
            "lockgate plugin add ftp://a.example/site.wasm",
            "lockgate plugin add site.wasm --signature a.sig --no-signature",
            "lockgate plugin push site.wasm oci://a.example/site@sha256:fbae041b02c41ed0fd8a4efb039bc780dd6af4a1f0c420f42561ae705dda43fe",
            "lockgate plugin pull site.wasm",
            "lockgate plugin trust add ops --key pub.pem",
            "lockgate plugin trust add ops --plugins site",
            "lockgate plugin trust add ops --identity ann@a.example --plugins site",
            "lockgate plugin trust add ops --issuer https://a.example --plugins site",
            "lockgate plugin trust add ops --key pub.pem --trusted-root root.json --plugins site",
            "lockgate plugin trust add ops --key pub.pem --identity ann@a.example --issuer https://a.example --plugins site",
            "lockgate plugin add site.wasm --bundle a.sigstore.json --signature a.sig",
            "lockgate plugin add site.wasm --bundle a.sigstore.json --no-signature",
            "lockgate plugin trust remove ops",
            "lockgate plugin require-signature deploy-* --remove",
            "lockgate plugin require-signature --reason x",
            "lockgate plugin approve x --take-away",
            "lockgate status -p Nope",
            "lockgate deployment approve 7 -p shop --plan 3f2a",
            "lockgate release create v1 -p shop --allow-destructive",
            "lockgate plugin approve x --folder site=relative",
            "lockgate plugin approve x --tool kubectl=bin/kubectl",
            "lockgate token create ci",
            "lockgate token create ci --person ci --role root",
        ] {
            assert_eq!(exit_code(line), 2, "{line}");
        }
    }

    #[test]
    fn the_long_help_lists_every_exit_code() {
        let help = Cli::command().render_long_help().to_string();
        let codes = [
            exit::DONE,
            exit::FAILED,
            exit::USAGE,
            exit::UNREACHABLE,
            exit::NOT_ALLOWED,
            exit::TIMED_OUT,
            exit::HOST_FAILED,
        ];
        for code in codes {
            assert!(help.contains(&format!("\n  {code:>2}  ")), "{code} in {help}");
        }
    }
}
