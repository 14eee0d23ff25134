//! `tollgate init`: a commented `tollgate.toml` and a workflow for this project. Never overwrites.

use crate::{commands::failure::Failure, files::atomic, model::outcome::ErrorClass};
use std::path::{Path, PathBuf};

/// What to write and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// The repository's root.
    pub root: PathBuf,
    /// The criterion bench targets found, for the comments.
    pub targets: Vec<String>,
    /// The default branch, for the workflow.
    pub default_branch: String,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is new.
    Created(PathBuf),
    /// It was there and is left as it was.
    Kept(PathBuf),
}

/// Writes what is missing.
///
/// # Errors
/// When a file cannot be written.
pub fn run(request: &Request) -> Result<Vec<Written>, Failure> {
    let files = [
        ("tollgate.toml", configuration(&request.targets)),
        (".github/workflows/tollgate.yml", workflow(&request.default_branch)),
    ];
    files.into_iter().map(|(name, text)| write_new(&request.root.join(name), &text)).collect()
}

fn write_new(path: &Path, text: &str) -> Result<Written, Failure> {
    if path.symlink_metadata().is_ok() {
        return Ok(Written::Kept(path.to_owned()));
    }
    let failed = |error: &dyn std::fmt::Display| {
        let message = format!("could not write `{}`: {error}", path.display());
        Failure::message(ErrorClass::Reporting, message, "check the folder's permissions and the free space")
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed(&error))?;
    }
    atomic::write(path, text.as_bytes()).map_err(|error| failed(&error))?;
    Ok(Written::Created(path.to_owned()))
}

fn configuration(targets: &[String]) -> String {
    let found = if targets.is_empty() {
        "# No criterion bench target was found yet: add one with `harness = false` under [[bench]].".to_owned()
    } else {
        let lines: Vec<_> = targets.iter().map(|target| format!("#   {}", one_line(target))).collect();
        format!("# Criterion bench targets found here:\n{}", lines.join("\n"))
    };
    TEMPLATE.replace("@TARGETS@", &found)
}

fn workflow(default_branch: &str) -> String {
    WORKFLOW.replace("@BRANCH@", &serde_json::Value::from(default_branch).to_string())
}

/// A target's name comes from a manifest that anybody may have written: it must not end the comment.
fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

const TEMPLATE: &str = include_str!("init/tollgate.toml");
const WORKFLOW: &str = include_str!("init/workflow.yml");

#[cfg(test)]
mod tests {
    use super::{Request, Written, configuration, run};
    use crate::config::read;

    #[test]
    fn the_configuration_it_writes_is_valid_and_so_is_every_commented_key() {
        let text = configuration(&["kernels".into(), "evil\nmargin = 1".into()]);
        read::parse(&text).unwrap();
        let uncommented: String = text
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ") || rest.starts_with("[[")).unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let file = read::parse(&uncommented).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{uncommented}"));
        assert!(!file.rule.is_empty() && !file.waiver.is_empty() && !file.rename.is_empty());
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tollgate.toml"), "mine").unwrap();
        let request =
            Request { root: folder.path().to_owned(), targets: vec![], default_branch: "main".into() };
        let written = run(&request).unwrap();
        assert!(matches!(&written[0], Written::Kept(_)) && matches!(&written[1], Written::Created(_)));
        assert_eq!(std::fs::read_to_string(folder.path().join("tollgate.toml")).unwrap(), "mine");
        assert!(run(&request).unwrap().iter().all(|written| matches!(written, Written::Kept(_))));
    }
}
