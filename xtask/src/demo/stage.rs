//! All that the demo plays on: a host, the world around it, the people, and the screen.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::outside::{self, Room};
use super::screen::Screen;
use crate::host::Host;
use crate::http::{Api, Connection};
use crate::json::{list, text};

/// Nothing in the demo takes this long; what does has gone wrong.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const PRODUCTION: &str = "/v1/projects/shop/environments/production";

pub struct Stage {
    pub screen: Screen,
    pub host: Host,
    pub room: Room,
    pub site: SocketAddr,
    pub room_address: SocketAddr,
    /// Holds data, site, artifacts and project file; commands run in it.
    pub folder: PathBuf,
    binary: PathBuf,
}

pub struct Person {
    pub name: &'static str,
    pub api: Api,
}

/// How a command ended, and what it printed.
pub struct Ran {
    pub succeeded: bool,
    pub code: Option<i32>,
    pub output: String,
}

impl Stage {
    pub fn set(folder: &Path, binary: &Path, screen: Screen) -> Result<Self> {
        let served = folder.join("site");
        std::fs::create_dir_all(&served)?;
        let room = Room::default();
        Ok(Self {
            screen,
            site: outside::serve_site(served.join("current"))?,
            room_address: room.open()?,
            room,
            host: Host::start(binary, &folder.join("data"))?,
            folder: folder.to_owned(),
            binary: binary.to_owned(),
        })
    }

    pub fn admin(&self) -> Result<Person> {
        Ok(Person { name: "admin", api: self.host.admin()? })
    }

    /// A token of their own for a new person. Its secret is the only thing that is not shown.
    pub fn hire(&self, admin: &Person, name: &'static str, group: &str) -> Result<Person> {
        let arguments = ["token", "create", name, "--person", name, "--group", group];
        self.screen.command(admin.name, &shown(&arguments));
        let output = self.command(admin).args(arguments).output().context("lockgate does not start")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`{}`: {said}", shown(&arguments));
        self.screen.output(&said);
        self.screen.output("lg_...");
        let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Person { name, api: Api { address: self.host.address, token } })
    }

    /// Runs the real command as this person, and shows it with its output.
    pub fn run(&self, person: &Person, arguments: &[&str]) -> Result<Ran> {
        self.screen.command(person.name, &shown(arguments));
        let output = self.merged(person).args(arguments).output().context("lockgate does not start")?;
        let ran = Ran::from(output);
        self.screen.output(&ran.output);
        Ok(ran)
    }

    /// The same, where it has to succeed.
    pub fn must(&self, person: &Person, arguments: &[&str]) -> Result<String> {
        let ran = self.run(person, arguments)?;
        ensure!(ran.succeeded, "`{}` ended with {:?}:\n{}", shown(arguments), ran.code, ran.output);
        Ok(ran.output)
    }

    /// Both outputs in one pipe: what was said comes in the order it was said.
    fn merged(&self, person: &Person) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(&self.binary);
        self.dressed(command, person)
    }

    fn command(&self, person: &Person) -> Command {
        self.dressed(Command::new(&self.binary), person)
    }

    fn dressed(&self, mut command: Command, person: &Person) -> Command {
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .env("LOCKGATE_URL", self.host.url())
            .env("LOCKGATE_PROJECT", "shop")
            .env("LOCKGATE_TOKEN", &person.api.token);
        command
    }

    pub fn deployment(&self, person: &Person, number: u64) -> Result<Value> {
        person.api.get(&deployment(number))
    }

    pub fn wait(&self, person: &Person, number: u64, is_reached: impl Fn(&Value) -> bool) -> Result<Value> {
        person.api.wait(&deployment(number), PATIENCE, is_reached)
    }

    pub fn environment(&self, person: &Person) -> Result<Value> {
        person.api.get(PRODUCTION)
    }

    /// The statuses a deployment went through, in order.
    pub fn statuses(&self, person: &Person, number: u64) -> Result<Vec<String>> {
        let page = person.api.get(&format!("{}/events?limit=200", deployment(number)))?;
        let mut statuses: Vec<String> =
            list(&page, "/items").iter().map(|event| text(event, "/status").to_owned()).collect();
        statuses.retain(|status| !status.is_empty());
        statuses.dedup();
        Ok(statuses)
    }

    /// What a visitor of the site gets.
    pub fn page(&self) -> Result<String> {
        let visitor = Api { address: self.site, token: String::new() };
        let answer = Connection::open(&visitor)?.send("GET", "/", &[], b"")?;
        self.screen.command("visitor", &format!("curl http://{}/", self.site));
        let page = String::from_utf8_lossy(&answer.body).into_owned();
        self.screen.output(&page);
        Ok(page)
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        Self {
            succeeded: output.status.success(),
            code: output.status.code(),
            output: String::from_utf8_lossy(&text).into_owned(),
        }
    }
}

pub fn deployment(number: u64) -> String {
    format!("/v1/projects/shop/deployments/{number}")
}

/// As one would type it.
fn shown(arguments: &[&str]) -> String {
    let quoted = |argument: &&str| match argument.contains([' ', '{', '"', '*']) {
        true => format!("'{argument}'"),
        false => (*argument).to_owned(),
    };
    let words: Vec<String> = arguments.iter().map(quoted).collect();
    format!("lockgate {}", words.join(" "))
}
