//! The gates that `lockgate plugin new` writes, built in every language, as an author builds them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;

const LANGUAGES: [&str; 5] = ["rust", "c", "python", "js", "ts"];

/// Those whose tools are here; what is missing is said.
pub fn gates(workspace: &Workspace, lockgate: &Path) -> Result<Vec<(String, PathBuf)>> {
    let folder = workspace.target.join("bench/gates");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut gates = Vec::new();
    for language in LANGUAGES {
        eprintln!("Building a gate in {language}");
        match gate(lockgate, &folder, language)? {
            Some(component) => gates.push((language.to_owned(), component)),
            None => eprintln!("SKIPPED: {language}, for its tools are not here"),
        }
    }
    Ok(gates)
}

/// `lockgate plugin build` ends so where a tool is missing; anything else is a gate that does not build any more.
const TOOL_MISSING: i32 = 2;

/// Written anew each time: what an earlier run left is of that day's templates.
fn gate(lockgate: &Path, folder: &Path, language: &str) -> Result<Option<PathBuf>> {
    let (name, project) = (format!("bench-{language}"), folder.join(format!("bench-{language}")));
    if project.exists() {
        std::fs::remove_dir_all(&project).with_context(|| project.display().to_string())?;
    }
    let new = Command::new(lockgate)
        .args(["plugin", "new", "--lang", language, "--kind", "gate", &name])
        .current_dir(folder)
        .output()?;
    ensure!(new.status.success(), "`lockgate plugin new` in {language}: {}", String::from_utf8_lossy(&new.stderr));
    let built = Command::new(lockgate).args(["plugin", "build", "--json"]).current_dir(&project).output()?;
    if built.status.code() == Some(TOOL_MISSING) {
        eprintln!("{}", String::from_utf8_lossy(&built.stderr));
        return Ok(None);
    }
    ensure!(built.status.success(), "the gate in {language} is not built: {}", String::from_utf8_lossy(&built.stderr));
    let said: serde_json::Value = serde_json::from_slice(&built.stdout)?;
    let component = said["component"].as_str().context("`lockgate plugin build` names no component")?;
    Ok(Some(project.join(component)))
}
