//! Flags and their environment variables: nothing else reads the environment.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use lockgate_core::name::Name;
use tracing::level_filters::LevelFilter;
use zeroize::Zeroizing;

/// `lockgate serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeConfig {
    /// Address and port to listen on. Beyond this machine, put something that speaks TLS in front of it.
    #[arg(long, env = "LOCKGATE_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7440", value_parser = address)]
    pub listen: SocketAddr,

    /// Folder for everything this host keeps; made if it is not there.
    #[arg(long, env = "LOCKGATE_DATA", value_name = "FOLDER", default_value = "./lockgate-data")]
    pub data: PathBuf,

    /// Plugin calls that run at a time; later ones wait.
    #[arg(long, env = "LOCKGATE_CONCURRENT_CALLS", value_name = "COUNT", default_value_t = 32, value_parser = concurrent_calls)]
    pub concurrent_calls: usize,

    /// How long what has ended is kept, such as `400d`; without it, for ever. Older events are dropped, and with them the
    /// deployments that had ended by then, their history and logs. What is live, waits or is under way stays, as do releases,
    /// people and plugins.
    #[arg(long, env = "LOCKGATE_RETENTION", value_name = "DAYS", value_parser = retention)]
    pub retention: Option<Duration>,

    /// Whoever adds a plugin may not approve it: another administrator must.
    #[arg(long, env = "LOCKGATE_SEPARATE_DUTIES")]
    pub separate_duties: bool,

    /// File with the key that secrets are encrypted with: a line of 64 hexadecimal digits, as `lockgate secret keygen`
    /// prints. To change it, put a new line first and start again; then the old line can go.
    #[arg(long, env = "LOCKGATE_SECRET_KEY_FILE", value_name = "FILE", conflicts_with = "secret_key")]
    pub secret_key_file: Option<PathBuf>,

    /// The same without a file; better from the environment, where command lines do not show it.
    #[arg(long, env = "LOCKGATE_SECRET_KEY", value_name = "KEY", hide_env_values = true)]
    pub secret_key: Option<SecretText>,

    /// What is logged, such as `info` or `warn,lockgate=debug`.
    #[arg(long, env = "LOCKGATE_LOG", value_name = "FILTER", default_value = "info", value_parser = filter)]
    pub log: String,
}

/// Of a flag that nothing may show.
#[derive(Clone)]
pub struct SecretText(pub Zeroizing<String>);

impl FromStr for SecretText {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        // A host without a key starts, and then has none of its secrets.
        if text.trim().is_empty() { Err("there is nothing in it") } else { Ok(Self(Zeroizing::new(text.to_owned()))) }
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Which host a command talks to, and as whom.
#[derive(Clone, Args)]
pub struct ConnectArgs {
    /// Where the host listens.
    #[arg(long, global = true, env = "LOCKGATE_URL", value_name = "URL", default_value = "http://127.0.0.1:7440")]
    pub url: String,

    /// Secret of a token. Better in LOCKGATE_TOKEN: other users of this machine see command lines.
    #[arg(long, global = true, env = "LOCKGATE_TOKEN", value_name = "SECRET", hide_env_values = true)]
    pub token: Option<String>,
}

/// By hand, so that no log ever shows the token.
impl fmt::Debug for ConnectArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.as_ref().map(|_| "(hidden)");
        f.debug_struct("ConnectArgs").field("url", &self.url).field("token", &token).finish()
    }
}

/// How commands reach what is kept elsewhere.
#[derive(Debug, Clone, Args)]
pub struct ElsewhereArgs {
    /// Allow plain HTTP, where anybody on the way can put other bytes. A registry is always asked by TLS without it, and
    /// never gets a password with it unless it is on this machine.
    #[arg(long)]
    pub insecure_http: bool,
}

/// For one registry, by its name as `oci://` is followed by.
pub struct RegistryLogin {
    pub registry: Option<String>,
    pub user: String,
    pub password: String,
}

impl RegistryLogin {
    /// In variables only: other users of this machine see command lines.
    pub fn of_the_environment() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let (user, password) = (variable("LOCKGATE_REGISTRY_USER")?, variable("LOCKGATE_REGISTRY_PASSWORD")?);
        Some(Self { registry: variable("LOCKGATE_REGISTRY"), user, password })
    }
}

/// Which project a command is about.
#[derive(Debug, Clone, Args)]
pub struct ProjectArg {
    /// The project; `lockgate project list` shows which there are.
    #[arg(short, long, env = "LOCKGATE_PROJECT", value_name = "PROJECT", value_parser = project)]
    pub project: String,
}

/// A variable that is set to nothing names no project.
fn project(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("name one with -p, or in LOCKGATE_PROJECT".to_owned());
    }
    text.parse::<Name>().map(|name| name.to_string()).map_err(|error| error.to_string())
}

/// An address, or a name that leads to one; of several the first of the older kind.
fn address(text: &str) -> Result<SocketAddr, String> {
    let expected = |cause: String| format!("expected ADDRESS:PORT, such as 127.0.0.1:7440 or localhost:7440 ({cause})");
    let found: Vec<SocketAddr> = text.to_socket_addrs().map_err(|error| expected(error.to_string()))?.collect();
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| expected("the name has no address".to_owned()))
}

/// A word that is no level would be taken for a part of the host, and all else would be silent.
fn filter(text: &str) -> Result<String, String> {
    let is_known = |word: &str| word.contains('=') || (!word.is_empty() && word.parse::<LevelFilter>().is_ok());
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    match words.iter().find(|word| !is_known(word)) {
        None => Ok(words.join(",")),
        Some(word) => Err(format!(
            "`{word}` is no level: there are off, error, warn, info, debug and trace; one for a part is written as `lockgate=debug`"
        )),
    }
}

/// Those of ours that are there and hold nothing, by name: no flag was typed, and one is refused.
pub fn empty_variables() -> Vec<String> {
    let names =
        std::env::vars_os().filter(|(_, value)| value.is_empty()).filter_map(|(name, _)| name.into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("LOCKGATE_")).collect();
    names.sort();
    names
}

pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Days only: what is dropped by a slip of the pen does not come back.
fn retention(text: &str) -> Result<Duration, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()).filter(|days| *days > 0);
    days.map(|days| DAY * days).ok_or_else(|| "expected days, such as 400d; the least is 1d".to_owned())
}

/// The sandbox reserves address space for each.
const MOST_CONCURRENT_CALLS: usize = 1_000;

fn concurrent_calls(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (1..=MOST_CONCURRENT_CALLS).contains(&count) => Ok(count),
        Ok(_) | Err(_) => Err(format!("expected a number from 1 to {MOST_CONCURRENT_CALLS}")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Serve {
        #[command(flatten)]
        config: ServeConfig,
    }

    #[derive(Parser)]
    struct Connect {
        #[command(flatten)]
        connect: ConnectArgs,
    }

    #[test]
    fn a_host_listens_to_its_own_machine_only_unless_told_otherwise() {
        let config = Serve::parse_from(["serve"]).config;
        assert!(config.listen.ip().is_loopback());
    }

    #[test]
    fn at_least_one_call_runs() {
        assert!(Serve::try_parse_from(["serve", "--concurrent-calls", "0"]).is_err());
    }

    #[test]
    fn what_has_ended_is_kept_for_ever_or_for_whole_days() {
        let kept =
            |text: &str| Serve::try_parse_from(["serve", "--retention", text]).map(|serve| serve.config.retention);
        assert_eq!(Serve::parse_from(["serve"]).config.retention, None);
        assert_eq!(kept("400d").unwrap(), Some(DAY * 400));
        for text in ["0d", "400", "2m", "1.5d", "d", ""] {
            assert!(kept(text).unwrap_err().to_string().contains("such as 400d"), "{text}");
        }
    }

    #[test]
    fn what_is_logged_is_a_level_or_says_of_what() {
        for text in
            ["off", "error", "warn", "info", "DEBUG", "trace", "warn,lockgate=debug", "info, hyper=off", " info"]
        {
            let taken = filter(text).unwrap();
            assert_eq!(taken, text.replace(' ', ""));
            tracing_subscriber::EnvFilter::try_new(&taken).unwrap_or_else(|error| panic!("{taken}: {error}"));
        }
        for text in ["inof", "warn,lockgate", "", "info,"] {
            assert!(filter(text).unwrap_err().contains("is no level: there are off, error, warn,"), "{text}");
        }
    }

    #[test]
    fn a_secret_key_is_not_nothing() {
        for text in ["", " ", "\n"] {
            assert!(Serve::try_parse_from(["serve", "--secret-key", text]).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_host_listens_where_a_name_leads() {
        let listen = |text: &str| Serve::try_parse_from(["serve", "--listen", text]).map(|serve| serve.config.listen);
        assert!(listen("localhost:7441").unwrap().ip().is_loopback());
        assert!(listen("7441").unwrap_err().to_string().contains("such as 127.0.0.1:7440"));
    }

    #[test]
    fn a_project_has_a_name() {
        assert_eq!(project("shop"), Ok("shop".to_owned()));
        assert!(project("").unwrap_err().contains("LOCKGATE_PROJECT"));
        assert!(project("Nope").unwrap_err().contains("is not a name"));
    }

    #[test]
    fn the_secret_key_is_never_shown() {
        let config = Serve::parse_from(["serve", "--secret-key", "0123abcd"]).config;
        assert!(!format!("{config:?}").contains("0123"));
    }

    #[test]
    fn the_token_is_never_shown() {
        let connect = Connect::parse_from(["x", "--token", "lg_secret"]).connect;
        assert!(!format!("{connect:?}").contains("lg_secret"));
    }
}
