//! The git program, for the steps where the user's credentials count: fixed language, no prompts, no upkeep, no hooks.

use std::{ffi::OsString, path::Path, time::Duration};

use crate::process::{self, Finished, Interrupt, Spec};

/// Settings that keep an exchange to what it was asked for.
const SETTINGS: [&str; 6] = [
    "credential.interactive=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "maintenance.auto=0",
    "push.followTags=false",
];
/// What a surrounding git (a hook, say) sets, and what would point git to another repository than ours.
const FOREIGN: [&str; 8] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
];

/// A command of git on the repository in `git_dir`.
pub(super) fn command(git_dir: &Path, args: &[&str], timeout: Duration) -> Spec {
    let mut line: Vec<OsString> = vec!["--git-dir".into(), git_dir.into()];
    line.extend(SETTINGS.iter().flat_map(|setting| ["-c".into(), OsString::from(setting)]));
    line.extend(args.iter().map(OsString::from));
    let spec = Spec::new("git", git_dir).args(line).timeout(timeout);
    let spec = FOREIGN.iter().fold(spec, Spec::remove);
    spec.set("LC_ALL", "C").set("LANGUAGE", "C").set("GIT_TERMINAL_PROMPT", "0")
}

/// Runs a command of git to its end, whatever its status.
pub(super) fn run(
    git_dir: &Path,
    args: &[&str],
    timeout: Duration,
    interrupt: &Interrupt,
) -> Result<Finished, process::Error> {
    process::run(&command(git_dir, args, timeout), interrupt)
}
