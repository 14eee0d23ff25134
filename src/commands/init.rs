//! `tollgate init`: a commented `tollgate.toml` and a workflow for this project. Never overwrites.

use crate::{
    cargo::{
        invocation::Invocation,
        metadata::{self, Selection},
    },
    commands::failure::Failure,
    files::atomic,
    git::{Repository, revision},
    model::outcome::ErrorClass,
    process::Interrupt,
    text::{escape, plural},
};
use std::path::{Path, PathBuf};

/// What to write and where.
#[derive(Debug, Clone)]
struct Request {
    /// The repository's root.
    root: PathBuf,
    /// The criterion bench targets found, for the comments.
    targets: Vec<String>,
    /// The default branch, for the workflow.
    default_branch: String,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Written {
    /// It is new.
    Created(PathBuf),
    /// It was there and is left as it was.
    Kept(PathBuf),
}

/// Looks at the crate around `directory`, writes what is missing, and says what to do next.
///
/// # Errors
/// When there is no repository or crate, or a file cannot be written.
pub fn run(directory: &Path, interrupt: &Interrupt) -> Result<String, Failure> {
    let repository = Repository::discover(directory).map_err(Failure::configuration)?;
    let root = repository.root().to_owned();
    let invocation =
        Invocation::new(&root, &root, repository.prefix(), interrupt).map_err(Failure::configuration)?;
    let everything = Selection { workspace: true, ..Selection::default() };
    let workspace = metadata::read(&invocation, &everything, interrupt).map_err(Failure::configuration)?;
    let choice = workspace.choose(&everything, &invocation.directory).map_err(Failure::configuration)?;
    let request = Request {
        targets: choice.chosen.iter().map(|(_, target)| target.clone()).collect(),
        default_branch: revision::default_branch_name(&repository).unwrap_or_else(|| "main".into()),
        root,
    };
    let mut report: Vec<String> = write_all(&request)?
        .iter()
        .map(|written| match written {
            Written::Created(path) => format!("wrote {}", path.display()),
            Written::Kept(path) => format!("kept {} as it is", path.display()),
        })
        .collect();
    let names: Vec<_> = request.targets.iter().map(|target| escape::terminal(target)).collect();
    report.push(match names.len() {
        0 => "no criterion bench target was found: add one with `harness = false` under [[bench]]".to_owned(),
        count => format!(
            "found {} with `harness = false`: {}",
            plural::count(count, "bench target"),
            names.join(", ")
        ),
    });
    for skipped in &choice.skipped {
        report.push(format!(
            "  not measured: {} ({})",
            escape::terminal(&skipped.target),
            escape::terminal(&skipped.reason)
        ));
    }
    report.push("next: read tollgate.toml, run `tollgate check` once, and commit both files".to_owned());
    Ok(report.join("\n") + "\n")
}

/// Writes what is missing.
fn write_all(request: &Request) -> Result<Vec<Written>, Failure> {
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
        "# No criterion bench target was found yet: add one with `harness = false` under [[bench]]."
            .to_owned()
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
    use super::{Request, Written, configuration, write_all};
    use crate::config::read;

    #[test]
    fn the_configuration_it_writes_is_valid_and_so_is_every_commented_key() {
        let text = configuration(&["kernels".into(), "evil\nmargin = 1".into()]);
        read::parse(&text).unwrap();
        let uncommented: String = text
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|rest| {
                        let key = rest.split(" = ").next().filter(|key| key.len() < rest.len());
                        rest.starts_with("[[") || key.is_some_and(|key| !key.contains(' '))
                    })
                    .unwrap_or(line)
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let file =
            read::parse(&uncommented).unwrap_or_else(|mistakes| panic!("{mistakes:#?}\n{uncommented}"));
        assert!(!file.rule.is_empty() && !file.waiver.is_empty() && !file.rename.is_empty());
        assert_eq!((file.load.len(), file.load[0].request.len(), file.targets.tier.len()), (1, 2, 1));
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tollgate.toml"), "mine").unwrap();
        let request =
            Request { root: folder.path().to_owned(), targets: vec![], default_branch: "main".into() };
        let written = write_all(&request).unwrap();
        assert!(matches!(&written[0], Written::Kept(_)) && matches!(&written[1], Written::Created(_)));
        assert_eq!(std::fs::read_to_string(folder.path().join("tollgate.toml")).unwrap(), "mine");
        assert!(write_all(&request).unwrap().iter().all(|written| matches!(written, Written::Kept(_))));
    }
}
