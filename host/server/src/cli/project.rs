//! `lockgate project`: which projects this host has.

use clap::Subcommand;

use crate::cli::fail::CliError;
use crate::cli::look::{Look, or_dash, printable};
use crate::cli::session::Session;
use crate::wire::{Page, Project};

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// All projects and their environments.
    List,
}

impl ProjectCommand {
    pub async fn run(self, session: &Session) -> Result<(), CliError> {
        match self {
            ProjectCommand::List => session.out.answer(&session.client.projects().await?, list),
        }
        Ok(())
    }
}

fn list(look: &Look, page: &Page<Project>) -> String {
    if page.items.is_empty() {
        return "no projects; make one with `lockgate apply -f FILE`".to_owned();
    }
    let row = |project: &Project| {
        let environments: Vec<&str> = project.environments.iter().map(|there| there.name.as_str()).collect();
        vec![project.name.clone(), or_dash(environments.join(", ")), or_dash(printable(&project.description))]
    };
    look.table(&["NAME", "ENVIRONMENTS", "DESCRIPTION"], page.items.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::look::testing::look;

    #[test]
    fn a_host_without_projects_says_how_to_make_one() {
        let none = Page { items: vec![], next: None };
        assert_eq!(list(&look(), &none), "no projects; make one with `lockgate apply -f FILE`");
    }
}
