//! Writes the demo's repository: two commits in a folder that is ours.

use crate::{
    commands::failure::Failure,
    files::atomic,
    model::outcome::ErrorClass,
    process::{self, Interrupt, Spec},
};
use std::path::Path;

/// Says that a folder is ours to write again.
const MARKER: &str = ".tollgate-demo";
/// What demos write at the top of their folder, besides what is written anew each time.
const OURS: [&str; 7] = [".git", "benches", "src", "data", "Cargo.toml", "Cargo.lock", "tollgate.toml"];

/// One commit of a demo.
pub(super) struct Revision {
    /// Every file, path and text.
    pub(super) files: Vec<(String, String)>,
    /// The commit's subject.
    pub(super) subject: &'static str,
}

/// Two commits with fixed names and dates, so that a second demo finds the builds of the first.
pub(super) fn write_revisions(
    folder: &Path,
    revisions: &[Revision],
    interrupt: &Interrupt,
) -> Result<(), Failure> {
    let fresh = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => true,
    };
    if !fresh && !folder.join(MARKER).exists() {
        return Err(Failure::message(
            ErrorClass::Configuration,
            format!(
                "could not write the demo to `{}`: the folder is there and is not a demo of ours",
                folder.display()
            ),
            "name another folder with `--dir`, or remove it",
        ));
    }
    // What an earlier demo wrote and this one does not must not be a part of it; what was built may stay.
    for name in OURS {
        remove_tree(&folder.join(name))?;
    }
    write(&folder.join(MARKER), "written by `tollgate demo`, which may write it again\n")?;
    write(&folder.join(".gitignore"), "/target\n/.tollgate-demo\n")?;
    let git = |arguments: &[&str]| git(folder, arguments, interrupt);
    git(&["init", "--quiet", "--initial-branch=main"])?;
    for revision in revisions {
        for (path, text) in &revision.files {
            write(&folder.join(path), text)?;
        }
        git(&["add", "--all"])?;
        git(&["commit", "--quiet", "--message", revision.subject])?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        let message = format!("could not write `{}`: {error}", path.display());
        Failure::message(
            ErrorClass::Configuration,
            message,
            "check the permissions and the free space, or use `--dir`",
        )
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed(&error))?;
    }
    atomic::write(path, text.as_bytes()).map_err(|error| failed(&error))
}

fn remove_tree(path: &Path) -> Result<(), Failure> {
    let removed = match path.is_dir() {
        true => std::fs::remove_dir_all(path),
        false => std::fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::message(
            ErrorClass::Configuration,
            format!("could not remove the earlier demo's `{}`: {error}", path.display()),
            "remove the folder by hand, or name another one with `--dir`",
        )),
        _ => Ok(()),
    }
}

fn git(folder: &Path, arguments: &[&str], interrupt: &Interrupt) -> Result<(), Failure> {
    // The user's own git settings (signing, hooks, templates, identity) must not change the demo's commits.
    let fixed = [
        "-c",
        "commit.gpgsign=false",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "init.templateDir=",
        "-c",
        "core.autocrlf=false",
    ];
    let day = "2026-01-01T00:00:00+0000";
    let mut spec = Spec::new("git", folder).args(fixed).args(arguments.iter().copied());
    for (name, value) in [
        ("GIT_AUTHOR_NAME", "Tollgate demo"),
        ("GIT_AUTHOR_EMAIL", "demo@tollgate.invalid"),
        ("GIT_AUTHOR_DATE", day),
        ("GIT_COMMITTER_NAME", "Tollgate demo"),
        ("GIT_COMMITTER_EMAIL", "demo@tollgate.invalid"),
        ("GIT_COMMITTER_DATE", day),
    ] {
        spec = spec.set(name, value);
    }
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        spec = spec.remove(name);
    }
    let finished = process::run(&spec, interrupt).map_err(Failure::measurement)?;
    if finished.status.success() {
        return Ok(());
    }
    Err(Failure::message(
        ErrorClass::Measurement,
        format!(
            "could not make the demo repository: `{}` failed: {}",
            spec.line(),
            finished.stderr_tail.trim()
        ),
        "check that `git` is installed and that the folder can be written",
    ))
}
