//! `tollgate demo`: a small repository with a real regression, written and gated before the user's eyes.

use crate::{
    commands::{check, failure::Failure},
    files::atomic,
    model::outcome::ErrorClass,
    process::{self, Interrupt, Spec},
    progress::{Event, Progress},
};
use std::path::Path;

/// Says that a folder is ours to write again.
const MARKER: &str = ".tollgate-demo";

/// The check to run on the demo; its directory is where the demo is written.
#[derive(Debug, Clone)]
pub struct Request {
    /// With the base `HEAD~1`.
    pub check: check::Request,
}

/// Writes the repository and runs a real check on it.
///
/// # Errors
/// When the folder holds something else, or the check cannot be done.
pub fn run(
    request: &Request,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<check::Done, Failure> {
    let folder = &request.check.directory;
    progress.tell(Event::Phase(format!("writing the demo repository to {}", folder.display())));
    write_repository(folder, interrupt)?;
    for note in [
        "two revisions: word_counts is slower by a String per word, slugs faster, moving_average only moved, the rest untouched",
        "the first time, criterion and its dependencies are compiled, which takes a minute or two",
    ] {
        progress.tell(Event::Note(note.into()));
    }
    check::run(&request.check, progress, interrupt)
}

/// What to say after the table.
#[must_use]
pub fn farewell(done: &check::Done) -> String {
    let folder = done.folder.display();
    format!(
        "\nThat was a real check: `tollgate check --base HEAD~1` would have ended with exit code {}.\n\
         JSON      {folder}/verdict.json\n\
         Markdown  {folder}/verdict.md\n\
         samples   {folder}/run.json (judge them again: tollgate judge {folder}/run.json)\n\
         At home: `tollgate init`, then `tollgate check`, in a crate with criterion benches.\n",
        done.verdict.outcome.exit_code()
    )
}

/// Two commits with fixed names and dates, so that a second demo finds the builds of the first.
fn write_repository(folder: &Path, interrupt: &Interrupt) -> Result<(), Failure> {
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
    remove_tree(&folder.join(".git"))?;
    for (name, text) in [
        (MARKER, "written by `tollgate demo`, which may write it again\n"),
        ("Cargo.toml", include_str!("files/manifest.toml")),
        ("Cargo.lock", include_str!("files/lock.toml")),
        (".gitignore", "/target\n/.tollgate-demo\n"),
        ("benches/shop.rs", include_str!("files/bench.rs")),
    ] {
        write(&folder.join(name), text)?;
    }
    let git = |arguments: &[&str]| git(folder, arguments, interrupt);
    git(&["init", "--quiet", "--initial-branch=main"])?;
    let revisions = [
        (include_str!("files/base_lib.rs"), "Open the shop"),
        (include_str!("files/head_lib.rs"), "Tidy up: shorter word_counts, faster slugs, functions in order"),
    ];
    for (library, subject) in revisions {
        write(&folder.join("src/lib.rs"), &format!("{library}{}", include_str!("files/samples.rs")))?;
        git(&["add", "--all"])?;
        git(&["commit", "--quiet", "--message", subject])?;
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
    match std::fs::remove_dir_all(path) {
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
