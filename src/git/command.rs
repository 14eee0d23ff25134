//! The git program: fixed locale and settings, no hooks, no housekeeping, no prompt.
//!
//! Used where libgit2 falls short: linked worktrees, filters, fetching with the user's credentials.

use std::{path::Path, time::Duration};

use crate::{
    git::Error,
    process::{self, Finished, Interrupt, Spec},
};

/// Variables that tie git to one repository: git sets them for hooks, and a child that works elsewhere must not see them.
pub const REPOSITORY_VARIABLES: [&str; 15] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
];

/// Settings that make git do what it is asked and nothing beside it.
const SETTINGS: [&str; 9] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.safecrlf=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "advice.addEmbeddedRepo=false",
    "submodule.recurse=false",
    "color.ui=false",
];

/// Long enough for the checkout of a very large repository or a slow fetch; a git that waits for ever is a bug.
const TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// The git program, to be run in `directory`; add the arguments.
#[must_use]
pub fn git(directory: &Path) -> Spec {
    let mut spec = Spec::new("git", directory).timeout(TIMEOUT);
    for variable in REPOSITORY_VARIABLES {
        spec = spec.remove(variable);
    }
    spec.args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
        .set("LC_ALL", "C")
        .set("LANGUAGE", "")
        .set("GIT_TERMINAL_PROMPT", "0")
        .set("GIT_OPTIONAL_LOCKS", "0")
        .set("GIT_PAGER", "cat")
        .set("GIT_EDITOR", "true")
}

/// Runs a git command that must succeed.
///
/// # Errors
/// When it cannot be run, is interrupted, or ends with another status than 0.
pub fn run(spec: &Spec, interrupt: &Interrupt) -> Result<Finished, Error> {
    let finished = process::run(spec, interrupt)?;
    if finished.status.success() {
        return Ok(finished);
    }
    Err(Error::Command {
        line: short_line(spec),
        status: finished.status.to_string(),
        stderr_tail: finished.stderr_tail,
    })
}

/// The command as a user would type it.
fn short_line(spec: &Spec) -> String {
    let fixed = SETTINGS.len() * 2;
    let own = spec.args.get(fixed..).unwrap_or_default();
    Spec::new("git", "").args(own.iter().cloned()).line()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_shows_the_command_as_typed_and_what_git_said() {
        let folder = tempfile::tempdir().unwrap();
        let spec = git(folder.path()).args(["rev-parse", "HEAD"]);
        let message = run(&spec, &Interrupt::new()).unwrap_err().to_string();
        assert!(message.starts_with("`git rev-parse HEAD` exited with status 128: "), "{message}");
        assert!(message.contains("not a git repository"), "{message}");
    }
}
